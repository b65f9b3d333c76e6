/* negotiated.c - checks of what was negotiated: selectors and mode. */
#include <stdio.h>

#include "harness/checks/internal.h"
#include "vpn/wire/payload.h"

/* The selectors of the IKE SA's initiator and responder, whoever began this exchange. */
static void oriented(const struct child_sa_fact *c, const struct ts_list **ret_i,
		     const struct ts_list **ret_r)
{
	*ret_i = c->initiator_is_original ? &c->ts_i : &c->ts_r;
	*ret_r = c->initiator_is_original ? &c->ts_r : &c->ts_i;
}

static bool is_one(const struct ts_list *list, const struct ts *ts)
{
	return list->n == 1 && ts_eq(&list->v[0], ts);
}

static const char *list_format(const struct ts_list *list, char *buf, size_t cap)
{
	char text[TS_STRLEN];
	size_t i, len = 0;

	buf[0] = '\0';
	for (i = 0; i < list->n && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", i ? " " : "",
					ts_format(&list->v[i], text, sizeof(text)));
	return buf;
}

static bool is_expected(const struct check_params *p, const struct child_sa_fact *c, bool *met)
{
	const struct ts_list *i, *r;
	size_t k;

	oriented(c, &i, &r);
	for (k = 0; k < p->n_selectors; k++)
		if (is_one(i, &p->selectors[k].i) && is_one(r, &p->selectors[k].r)) {
			met[k] = true;
			return true;
		}
	return false;
}

static void judge_unmet(const struct check_params *p, struct check_result *r, const bool *met)
{
	char i[TS_STRLEN], o[TS_STRLEN];
	size_t k;

	for (k = 0; k < p->n_selectors; k++)
		if (!met[k])
			check_fault(r, FACT_NONE, "no child with %s and %s was negotiated",
				    ts_format(&p->selectors[k].i, i, sizeof(i)),
				    ts_format(&p->selectors[k].r, o, sizeof(o)));
}

void check_selectors(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	bool *met = arena_alloc(&r->arena, p->n_selectors + 1);
	const struct ts_list *ti, *tr;
	char i_text[200], r_text[200];
	size_t i;

	if (!met) {
		r->err = ERR_NOMEM;
		return;
	}
	for (i = 0; i < f->n_children; i++) {
		const struct child_sa_fact *c = &f->children[i];
		size_t frame = f->ike[c->response_msg].frame;

		r->examined++;
		oriented(c, &ti, &tr);
		list_format(ti, i_text, sizeof(i_text));
		list_format(tr, r_text, sizeof(r_text));
		if (!ts_list_contains(&c->asked_ts_i, &c->ts_i) ||
		    !ts_list_contains(&c->asked_ts_r, &c->ts_r))
			check_fault(r, frame, "%s and %s are more than was asked for", i_text,
				    r_text);
		if (p->n_selectors && !is_expected(p, c, met))
			check_fault(r, frame, "%s and %s were negotiated, which nobody expects",
				    i_text, r_text);
	}
	judge_unmet(p, r, met);
	check_conclude(r, "no child was negotiated", "%zu %s, selectors as they must be",
		       r->examined, children(r->examined));
}

static bool vendor_id_seen(const struct facts *f, size_t ike_sa)
{
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].ike_sa == ike_sa && f->ike[i].outer &&
		    ike_payload_find(f->ike[i].outer, PAYLOAD_VENDOR, 0))
			return true;
	return false;
}

static bool are_hosts(const struct ts_list *list)
{
	return list->n == 1 && ip_addr_eq(&list->v[0].lo, &list->v[0].hi);
}

/* Why strongSwan's BEET is not to be had: it takes one host at each end, and a peer that it knows
 * by its vendor ID. */
static const char *why_not_beet(const struct facts *f, const struct child_sa_fact *c)
{
	if (!are_hosts(&c->ts_i) || !are_hosts(&c->ts_r))
		return ": the selectors are not host to host";
	if (!vendor_id_seen(f, c->ike_sa))
		return ": nobody sent a vendor ID";
	return "";
}

static void judge_negotiation(const struct facts *f, const struct check_params *p,
			      struct check_result *r, const struct child_sa_fact *c)
{
	size_t asked = f->ike[c->request_msg].frame, got = f->ike[c->response_msg].frame;
	const char *why = c->asked == IPSEC_BEET ? why_not_beet(f, c) : "";

	r->examined++;
	if (p->have_asked && c->asked != p->asked)
		check_fault(r, asked, "%s was asked for, not %s", ipsec_mode_name(c->asked),
			    ipsec_mode_name(p->asked));
	if (p->have_mode && c->mode != p->mode)
		check_fault(r, got, "%s was negotiated, not %s%s", ipsec_mode_name(c->mode),
			    ipsec_mode_name(p->mode), why);
	if (c->asked == c->mode)
		return;
	if (p->have_mode) {
		check_note(r, asked, "%s was asked for, %s was negotiated%s",
			   ipsec_mode_name(c->asked), ipsec_mode_name(c->mode), why);
		check_note_frame(r, got);
	} else {
		check_fault(r, got, "%s was asked for, %s was negotiated%s",
			    ipsec_mode_name(c->asked), ipsec_mode_name(c->mode), why);
		check_fault_frame(r, asked);
	}
}

void check_mode(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i, packets = 0;

	for (i = 0; i < f->n_children; i++)
		judge_negotiation(f, p, r, &f->children[i]);
	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];
		const struct child_sa_fact *c =
		    e->child == FACT_NONE ? NULL : &f->children[e->child];

		if (!c || !e->have_wire_mode)
			continue;
		packets++;
		if (e->wire_mode == c->mode)
			continue;
		check_fault(r, e->frame,
			    "next header %u: %s mode on the wire, though %s was "
			    "negotiated",
			    e->next_header, ipsec_mode_name(e->wire_mode),
			    ipsec_mode_name(c->mode));
		check_fault_frame(r, f->ike[c->response_msg].frame);
	}
	if (!packets)
		r->examined = 0;
	check_conclude(r, "no opened ESP packet of a negotiation that was seen",
		       "%zu %s and %zu packet%s in the mode that they must have", r->examined,
		       children(r->examined), packets, plural(packets));
}
