/* sas.c - findings of SAs that are one too many, or not what the other end has: after rekeyings and
 * starts that cross (RFC 7296 §1.3.1, §1.4.1, §2.4, §2.8). Which SA an end means to use, no message
 * says; it shows in what it sends, and in what it has made and not deleted. Keys are needed: what
 * an exchange makes or deletes is sealed. */
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

#define GONE_US		2000000
#define BESIDE_US	1000000 /* an end that means to have one SA has deleted the other by then */
#define ONE_WAY_PACKETS 3

/* --- An end keeps the wrong SA --- */

static uint64_t deleted_us(const struct survey *s, const struct child_sa_fact *c)
{
	const struct ike_msg *m = &s->f.ike[c->delete_msg];
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];

		if (x->ike_sa == m->ike_sa && x->id == m->hdr.message_id &&
		    x->by_initiator == m->from_initiator && x->first_response != FACT_NONE)
			return msg_frame(s, x->first_response)->time_us;
	}
	return 0;
}

static int find_deleted_spi(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		const struct child_sa_fact *c;
		uint64_t gone;
		struct finding *f;

		if (e->child == FACT_NONE || s->f.children[e->child].end != CHILD_DELETED)
			continue;
		c = &s->f.children[e->child];
		gone = deleted_us(s, c);
		if (!gone || e->last.time_us < gone + GONE_US)
			continue;
		f = finding_add(out, CERTAIN, "ESP goes on in SPI %08x, which was deleted.",
				e->spi);
		err = finding_show(out, f, seen_msg(s, c->delete_msg), "Delete of the SA");
		if (!err)
			err = finding_show(out, f, e->last, "the last packet in it");
	}
	return err;
}

/* At the place that has seen most of them. */
static uint64_t packets_in(const struct survey *s, uint32_t spi)
{
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		if (s->esp[i].spi == spi && s->esp[i].n > most)
			most = s->esp[i].n;
	return most;
}

/* The end that answered with the new child was refused a rekeying of its own, and sends nothing in
 * that child. */
static const struct refusal_fact *refused_rekeying(const struct survey *s,
						   const struct child_sa_fact *c)
{
	size_t i;

	for (i = 0; i < s->f.n_refusals; i++) {
		const struct refusal_fact *r = &s->f.refusals[i];
		const struct ike_msg *m = &s->f.ike[r->msg];

		if (r->notify == N_TEMPORARY_FAILURE && m->ike_sa == c->ike_sa &&
		    m->from_initiator == c->initiator_is_original)
			return r;
	}
	return NULL;
}

static int find_no_way_out(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];
		const struct refusal_fact *r;
		struct finding *f;

		if (!c->rekeys || packets_in(s, c->spi_i) ||
		    packets_in(s, c->spi_r) < ONE_WAY_PACKETS)
			continue;
		r = refused_rekeying(s, c);
		if (!r)
			continue;
		f = finding_add(out, LIKELY,
				"Both ends rekeyed a child, and in the one that stayed ESP goes "
				"one way only: nothing comes back in SPI %08x.",
				c->spi_i);
		err = finding_show(out, f, seen_msg(s, c->response_msg), "the child that stayed");
		if (!err)
			err = finding_show(out, f, seen_msg(s, r->msg),
					   "N(TEMPORARY_FAILURE) to the end that is silent");
	}
	return err;
}

static int find_wrong_sa(const struct survey *s, struct findings *out)
{
	int err = find_deleted_spi(s, out);

	return err ? err : find_no_way_out(s, out);
}

/* --- Children, and IKE SAs, side by side --- */

/* Whoever asks for a child, TSi is its own side. */
static bool have_same_selectors(const struct child_sa_fact *a, const struct child_sa_fact *b)
{
	bool same_side = a->initiator_is_original == b->initiator_is_original;

	return ts_list_eq(&a->ts_i, same_side ? &b->ts_i : &b->ts_r) &&
	       ts_list_eq(&a->ts_r, same_side ? &b->ts_r : &b->ts_i);
}

static bool is_twin(const struct child_sa_fact *a, const struct child_sa_fact *b)
{
	return a != b && a->ike_sa == b->ike_sa && !a->rekeys && !b->rekeys &&
	       a->end != CHILD_DELETED && b->end != CHILD_DELETED && have_same_selectors(a, b);
}

static int find_twins(const struct survey *s, struct findings *out)
{
	size_t i, k;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++)
		for (k = 0; !err && k < i; k++) {
			const struct child_sa_fact *a = &s->f.children[k], *b = &s->f.children[i];
			struct finding *f;

			if (!is_twin(a, b))
				continue;
			f = finding_add(
			    out, LIKELY,
			    "Two children of one IKE SA have the same selectors, and neither "
			    "replaces the other.");
			err = finding_show(out, f, seen_msg(s, a->response_msg), "SPIs %08x, %08x",
					   a->spi_i, a->spi_r);
			if (!err)
				err = finding_show(out, f, seen_msg(s, b->response_msg),
						   "SPIs %08x, %08x", b->spi_i, b->spi_r);
		}
	return err;
}

/* a was still there a while after b had been made; or nobody saw its end. */
static bool stood_beside(const struct survey *s, const struct ike_sa_fact *a,
			 const struct ike_sa_fact *b)
{
	return a->end == IKE_SA_OPEN || msg_frame(s, a->delete_msg)->time_us >
					    msg_frame(s, b->established_msg)->time_us + BESIDE_US;
}

/* Each end has begun one, before the other's was complete. */
static bool have_crossed(const struct survey *s, const struct ike_sa_fact *a,
			 const struct ike_sa_fact *b)
{
	if (a->init_msg == FACT_NONE || b->init_msg == FACT_NONE ||
	    a->established_msg == FACT_NONE || b->established_msg == FACT_NONE || !a->id_i[0] ||
	    strcmp(a->id_i, b->id_r) != 0 || strcmp(a->id_r, b->id_i) != 0)
		return false;
	return msg_frame(s, a->init_msg)->time_us < msg_frame(s, b->established_msg)->time_us &&
	       msg_frame(s, b->init_msg)->time_us < msg_frame(s, a->established_msg)->time_us;
}

static bool has_child(const struct survey *s, const struct ike_sa_fact *sa)
{
	size_t i;

	for (i = 0; i < s->f.n_children; i++)
		if (&s->f.ike_sas[s->f.children[i].ike_sa] == sa)
			return true;
	return false;
}

static int find_crossed_starts(const struct survey *s, struct findings *out)
{
	size_t i, k;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike_sas; i++)
		for (k = 0; !err && k < i; k++) {
			const struct ike_sa_fact *a = &s->f.ike_sas[k], *b = &s->f.ike_sas[i];
			struct finding *f;

			if (!have_crossed(s, a, b) || !stood_beside(s, a, b) ||
			    !stood_beside(s, b, a) || !has_child(s, a) || !has_child(s, b))
				continue;
			f = finding_add(out, CERTAIN,
					"%s and %s have each begun an IKE SA with the other at the "
					"same time, and both SAs stay.",
					a->id_i, a->id_r);
			err =
			    finding_show(out, f, seen_msg(s, a->init_msg), "begun by %s", a->id_i);
			if (!err)
				err = finding_show(out, f, seen_msg(s, b->init_msg), "begun by %s",
						   b->id_i);
		}
	return err;
}

RULES(
    sas,
    {.id = "F20",
     .names = "F22",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "",
     .title = "An end keeps the wrong SA after a rekeying",
     .why =
	 "After a rekeying (often one that both ends began, with a message lost) an end sends in "
	 "the SA that is deleted, where nobody listens, or has no way out at all.",
     .remedy = "Look at how the ends decide which of two simultaneous rekeyings stays (the lowest "
	       "nonce loses); until then, different lifetimes at the two ends avoid the collision.",
     .clause = "RFC 7296 §2.8.1, §1.4.1",
     .find = find_wrong_sa},
    {.id = "F25",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 35,
     .unless = "F26",
     .title = "Children pile up",
     .why = "An end makes a child anew although it has one with the same selectors (after a failed "
	    "rekeying, or because two starts meet).",
     .remedy = "Look at start and close actions of both ends: only one of them should start.",
     .clause = "RFC 7296 §1.3.1, §2.8",
     .find = find_twins},
    {.id = "F26",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 34,
     .unless = "",
     .title = "Both ends have started, and two IKE SAs stand side by side",
     .why = "Two permanent peers that come up together each make an IKE SA. Nothing in IKEv2 takes "
	    "one of them away; each end may send in the one and receive in the other, and what "
	    "closes one of them breaks one direction.",
     .remedy = "Let one end start and the other wait (start_action = none or trap there).",
     .clause = "RFC 7296 §2.4",
     .find = find_crossed_starts});
