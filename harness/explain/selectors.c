/* selectors.c - findings of traffic selectors: refused, narrowed, not kept to (RFC 7296 §2.9,
 * RFC 4301 §5). All of them need keys. */
#include <stdio.h>

#include "harness/explain/rule.h"

static const char *list_text(const struct ts_list *list, char *buf, size_t cap)
{
	char one[TS_STRLEN];
	size_t i, len = 0;

	buf[0] = '\0';
	for (i = 0; i < list->n && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", i ? ", " : "",
					ts_format(&list->v[i], one, sizeof(one)));
	return buf;
}

static int show_payload(const struct survey *s, struct findings *out, struct finding *f, size_t msg,
			uint8_t type)
{
	const struct ike_payload *p = ike_payload_find(ike_msg_payloads(&s->f.ike[msg]), type, 0);
	char text[600];

	if (!p)
		return 0;
	return finding_show(out, f, seen_msg(s, msg), "asked: %s",
			    ike_payload_describe(p, text, sizeof(text)));
}

static int find_refused_ts(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_refusals; i++) {
		const struct refusal_fact *r = &s->f.refusals[i];
		const struct ike_msg *m = &s->f.ike[r->msg];
		struct finding *f;

		if (r->notify != N_TS_UNACCEPTABLE && r->notify != N_SINGLE_PAIR_REQUIRED)
			continue;
		f = finding_add(out, CERTAIN, "The peer refuses the traffic selectors.");
		err = finding_show(out, f, seen_msg(s, r->msg), "N(%s)",
				   r->notify == N_TS_UNACCEPTABLE ? "TS_UNACCEPTABLE"
								  : "SINGLE_PAIR_REQUIRED");
		if (!err && m->request_of != FACT_NONE)
			err = show_payload(s, out, f, m->request_of, PAYLOAD_TSI);
		if (!err && m->request_of != FACT_NONE)
			err = show_payload(s, out, f, m->request_of, PAYLOAD_TSR);
	}
	return err;
}

/* The response has fewer selectors than were asked for, and each of those is one that was asked. */
static bool is_first_of_many(const struct ts_list *asked, const struct ts_list *got)
{
	return asked->n > 1 && got->n == 1 && ts_eq(&got->v[0], &asked->v[0]);
}

static int find_one_selector(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];
		bool initiator = is_first_of_many(&c->asked_ts_i, &c->ts_i);
		const struct ts_list *asked = initiator ? &c->asked_ts_i : &c->asked_ts_r;
		const struct ts_list *got = initiator ? &c->ts_i : &c->ts_r;
		char a[300], b[300];
		struct finding *f;

		if (!is_first_of_many(asked, got))
			continue;
		f = finding_add(out, CERTAIN,
				"%zu selectors were asked for, the peer takes the first alone.",
				asked->n);
		err = finding_show(out, f, seen_msg(s, c->request_msg), "asked: %s",
				   list_text(asked, a, sizeof(a)));
		if (!err)
			err = finding_show(out, f, seen_msg(s, c->response_msg), "taken: %s",
					   list_text(got, b, sizeof(b)));
	}
	return err;
}

static bool is_narrowed(const struct ts_list *asked, const struct ts_list *got)
{
	return asked->n && got->n && !ts_list_eq(asked, got) && !ts_list_contains(got, asked) &&
	       !is_first_of_many(asked, got);
}

static int find_narrowed(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];
		bool at_i = is_narrowed(&c->asked_ts_i, &c->ts_i);
		char a[300], b[300];
		struct finding *f;

		if (!at_i && !is_narrowed(&c->asked_ts_r, &c->ts_r))
			continue;
		f = finding_add(out, CERTAIN, "A child carries less than was asked for.");
		err = finding_show(out, f, seen_msg(s, c->request_msg), "asked: %s",
				   list_text(at_i ? &c->asked_ts_i : &c->asked_ts_r, a, sizeof(a)));
		if (!err)
			err = finding_show(out, f, seen_msg(s, c->response_msg), "taken: %s",
					   list_text(at_i ? &c->ts_i : &c->ts_r, b, sizeof(b)));
	}
	return err;
}

static int find_outside(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		struct finding *f;

		if (!e->n_outside)
			continue;
		f = finding_add(
		    out, CERTAIN,
		    "%llu packets in SPI %08x are outside the selectors that were negotiated "
		    "for it.",
		    (unsigned long long)e->n_outside, e->spi);
		err = finding_show(out, f, e->outside, "%s", e->outside_what);
	}
	return err;
}

static int find_self(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];
		char a[300];
		struct finding *f;

		if (!c->ts_i.n || !ts_list_eq(&c->ts_i, &c->ts_r))
			continue;
		f = finding_add(out, CERTAIN, "A child has the same selector for both ends.");
		err = finding_show(out, f, seen_msg(s, c->response_msg), "TSi and TSr: %s",
				   list_text(&c->ts_i, a, sizeof(a)));
	}
	return err;
}

RULES(
    selectors,
    {.id = "F37",
     .names = "negotiation failure map 4; troubleshooting flow 4; F22",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "CFG-selectors",
     .title = "The traffic selectors have nothing in common",
     .why =
	 "What the initiator asks for overlaps with no child of the connection that the responder "
	 "has chosen. With several connections to one peer it may have chosen the wrong one.",
     .remedy = "Compare local_ts and remote_ts crosswise: the one's local_ts is the other's "
	       "remote_ts. If a matching child exists at the responder, make its connection "
	       "distinguishable by identity or address.",
     .clause = "RFC 7296 §2.9",
     .find = find_refused_ts},
    {.id = "F36",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 22,
     .unless = "",
     .title = "The peer takes only the first of several selectors",
     .why = "IKEv2 lets a responder narrow, and some devices know one subnet a child. The other "
	    "subnets are not in the tunnel.",
     .remedy = "One child for each pair of subnets (strongSwan, beetd: several children; "
	       "Libreswan: several conns or subnets=), or a route-based tunnel with 0.0.0.0/0.",
     .clause = "RFC 7296 §2.9",
     .find = find_one_selector},
    {.id = "F35",
     .names = "F39",
     .kind = RULE_FAULT,
     .rank = 21,
     .unless = "",
     .title = "Packets travel in an SA that does not cover them",
     .why = "The sender's policy is broader than the SA (a trap and a narrowed SA that share a "
	    "reqid, a wrong choice among children). The receiver must drop them.",
     .remedy =
	 "Make the sender's policy as narrow as the SA, or the responder's selectors as broad "
	 "as the trap.",
     .clause = "RFC 4301 §5.2, RFC 7296 §2.9",
     .find = find_outside},
    {.id = "MAP-narrowed",
     .names = "negotiation failure map 4; troubleshooting flow 4",
     .kind = RULE_NOTE,
     .rank = 70,
     .unless = "F36",
     .title = "The responder has narrowed the selectors",
     .why = "It allows less than was asked for. What is left out is not in the tunnel.",
     .remedy = "If more should be in, compare local_ts and remote_ts of both ends.",
     .clause = "RFC 7296 §2.9",
     .find = find_narrowed},
    {.id = "S5",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 80,
     .unless = "",
     .title = "Local and remote selector of a child are the same",
     .why = "Both ends are inside one prefix. It works, and it hides every mistake that is not "
	    "symmetrical.",
     .remedy = "Name each end's own addresses.",
     .clause = "RFC 7296 §2.9",
     .find = find_self});
