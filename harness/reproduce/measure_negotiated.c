/* measure_negotiated.c - what the ends agreed on, or what the initiator asked for: proposals (RFC
 * 7296 §3.3), authentication (§3.8), selectors (§3.13).
 *
 * Proposals of IKE stand in the clear; all else needs keys. What beetd does not implement, and
 * selectors that cannot be had in the network of the scenario, are replaced and said so. */
#include <stdio.h>
#include <string.h>

#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/pki.h"

static bool append(char spec[SPEC_MAX], enum transform_type type, uint16_t id, uint16_t bits)
{
	const struct alg *alg = alg_find(type, id, bits);
	size_t len = strlen(spec);

	if (!alg)
		return false;
	snprintf(spec + len, SPEC_MAX - len, "%s%s", len ? "-" : "", alg->keyword);
	return true;
}

/* The first transform of each type that is wanted; false: one of them is missing, or not
 * implemented here. With an AEAD cipher there is no integrity algorithm (RFC 7296 §3.3). */
static bool append_first(const struct proposal *offer, uint8_t type, char spec[SPEC_MAX])
{
	size_t k;

	for (k = 0; k < offer->n_transforms; k++) {
		const struct transform *t = &offer->transforms[k];

		if (t->type == type && (type != TRANSFORM_INTEG || t->id))
			return append(spec, (enum transform_type)type, t->id, t->key_bits);
	}
	return type == TRANSFORM_INTEG;
}

static bool first_of_each(const struct proposal *offer, const uint8_t *types, size_t n,
			  char spec[SPEC_MAX])
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!append_first(offer, types[i], spec))
			return false;
	return true;
}

/* The first proposal of a message, as far as it can be opened. */
static bool read_offer(const struct survey *s, size_t msg, const uint8_t *types, size_t n,
		       char ret_spec[SPEC_MAX])
{
	const struct ike_payloads *payloads = ike_msg_payloads(&s->f.ike[msg]);
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};
	char spec[SPEC_MAX] = "";
	size_t i, k;

	for (i = 0; i < payloads->n; i++) {
		if (payloads->v[i].type != PAYLOAD_SA ||
		    payload_sa_decode(payloads->v[i].body, &list))
			continue;
		for (k = 0; k < list.n; k++) {
			spec[0] = 0;
			if (!first_of_each(&list.v[k], types, n, spec))
				continue;
			memcpy(ret_spec, spec, SPEC_MAX);
			return true;
		}
	}
	return false;
}

/* The response says what was agreed on; where it refuses, the request says what was asked for. */
static int measure_proposal(struct profile *p, uint8_t exchange, const char *label,
			    const uint8_t *types, size_t n, char ret_spec[SPEC_MAX])
{
	const struct survey *s = p->s;
	size_t i, msg;
	int pass;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < s->n_exchanges; i++) {
			const struct exchange *x = &s->exchanges[i];

			msg = pass ? x->first_request : x->last_response;
			if (x->type != exchange || msg == FACT_NONE ||
			    !is_between_ends(p, x->ike_sa) ||
			    !read_offer(s, msg, types, n, ret_spec))
				continue;
			return profile_say(p, MEASURED, label, seen_msg(s, msg), NOT_SEEN, "%s, %s",
					   ret_spec, pass ? "asked for" : "agreed on");
		}
	return profile_say(p, ASSUMED, label, NOT_SEEN, NOT_SEEN, "the daemon's default: %s",
			   exchange == IKE_SA_INIT
			       ? "none in the captures that is known here"
			       : "needs keys, or what is there is not known here");
}

static int measure_rekey(struct profile *p)
{
	const struct survey *s = p->s;
	size_t i, k;

	for (i = 0; i < s->f.n_refusals; i++) {
		const struct ike_msg *response = &s->f.ike[s->f.refusals[i].msg];
		const struct ike_payloads *asked;
		struct payload_ke ke;

		if (response->hdr.exchange != CREATE_CHILD_SA ||
		    response->request_of == FACT_NONE || !is_between_ends(p, response->ike_sa))
			continue;
		p->rekey_by_responder = response->from_initiator;
		asked = ike_msg_payloads(&s->f.ike[response->request_of]);
		for (k = 0; k < asked->n; k++)
			if (asked->v[k].type == PAYLOAD_KE &&
			    !payload_ke_decode(asked->v[k].body, &ke))
				p->rekey_group = ke.group;
		return profile_say(
		    p, MEASURED, "refused rekeying", seen_msg(s, response->request_of),
		    seen_msg(s, s->f.refusals[i].msg), "by the %s, key exchange %u",
		    p->rekey_by_responder ? "responder" : "initiator", p->rekey_group);
	}
	return 0;
}

static int measure_auth(struct profile *p)
{
	const struct survey *s = p->s;
	struct payload_auth auth;
	size_t i, k;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct ike_payloads *v = s->f.ike[i].inner;

		if (!v || !is_between_ends(p, s->f.ike[i].ike_sa))
			continue;
		for (k = 0; k < v->n; k++) {
			if (v->v[k].type != PAYLOAD_AUTH ||
			    payload_auth_decode(v->v[k].body, &auth))
				continue;
			p->auth = auth.method;
			return profile_say(p, MEASURED, "authentication", seen_msg(s, i), NOT_SEEN,
					   "method %u, %s", auth.method,
					   auth.method == AUTH_SHARED_KEY ? "a pre-shared key"
									  : "a signature");
		}
	}
	return profile_say(p, ASSUMED, "authentication", NOT_SEEN, NOT_SEEN,
			   "a pre-shared key: without keys it does not show");
}

static bool overlaps(const struct ip_addr *net, unsigned bits, const char *taken, unsigned n)
{
	struct ip_addr addr;

	if (ip_addr_parse(taken, &addr))
		return true;
	return bits < n ? ip_addr_in_prefix(&addr, net, bits) : ip_addr_in_prefix(net, &addr, n);
}

/* The scenario's own network cannot be inside the tunnel as well. */
static bool is_free(const struct ip_addr *net, unsigned bits)
{
	return net->family == 4 && bits >= 8 && !overlaps(net, bits, "192.168.1.0", 24) &&
	       !overlaps(net, bits, "203.0.113.0", 24) &&
	       !overlaps(net, bits, "198.51.100.0", 24) && !overlaps(net, bits, "127.0.0.0", 8);
}

/* The initiator's side takes the second address of a network, the responder's the first: both may
 * have the same network. */
static bool inner_address(const struct ts *ts, unsigned bits, bool initiator,
			  struct ip_addr *ret_addr)
{
	unsigned n = bits >= 31 ? 0 : initiator ? 2 : 1;

	*ret_addr = ts->lo;
	while (n--)
		if (!ip_addr_next(ret_addr, ret_addr))
			return false;
	return true;
}

static bool take_selector(const struct ts *ts, bool initiator, struct selectors *out)
{
	struct ip_addr inner;
	char addr[IP_ADDR_STRLEN];
	unsigned bits;

	if (out->n == SELECTORS_MAX || ts->proto || ts->port_lo || ts->port_hi != UINT16_MAX ||
	    !ip_addr_range_is_prefix(&ts->lo, &ts->hi, &bits) || !is_free(&ts->lo, bits))
		return false;
	if (!inner_address(ts, bits, initiator, &inner))
		return false;
	snprintf(out->text[out->n], sizeof(out->text[0]), "%s/%u",
		 ip_addr_format(&ts->lo, addr, sizeof(addr)), bits);
	snprintf(out->inner[out->n], sizeof(out->inner[0]), "%s/32",
		 ip_addr_format(&inner, addr, sizeof(addr)));
	out->n++;
	return true;
}

static bool take_list(const struct ts_list *list, bool initiator, struct selectors *out)
{
	struct selectors taken = {.n = 0};
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!take_selector(&list->v[i], initiator, &taken))
			return false;
	*out = taken;
	return taken.n > 0;
}

/* Of a request that was refused: its own payloads. */
static bool read_asked(struct profile *p, size_t msg)
{
	const struct ike_payloads *v = ike_msg_payloads(&p->s->f.ike[msg]);
	bool i_ok = false, r_ok = false;
	struct ts_list list;
	size_t k;

	for (k = 0; k < v->n; k++) {
		bool i = v->v[k].type == PAYLOAD_TSI;

		if ((!i && v->v[k].type != PAYLOAD_TSR) || payload_ts_decode(v->v[k].body, &list))
			continue;
		if (i)
			i_ok = take_list(&list, true, &p->asked_i);
		else
			r_ok = take_list(&list, false, &p->asked_r);
		ts_list_free(&list);
	}
	return i_ok && r_ok;
}

static bool read_child(struct profile *p, const struct child_sa_fact *c)
{
	return take_list(&c->asked_ts_i, true, &p->asked_i) &&
	       take_list(&c->asked_ts_r, false, &p->asked_r) &&
	       take_list(&c->ts_i, true, &p->got_i) && take_list(&c->ts_r, false, &p->got_r);
}

static int assume_selectors(struct profile *p, const char *why)
{
	static const struct selectors i = {{"10.254.0.2/32"}, {"10.254.0.2/32"}, 1},
				      r = {{"10.254.0.1/32"}, {"10.254.0.1/32"}, 1};

	p->asked_i = p->got_i = i;
	p->asked_r = p->got_r = r;
	return profile_say(p, ASSUMED, "selectors", NOT_SEEN, NOT_SEEN,
			   "10.254.0.2/32 = 10.254.0.1/32: %s", why);
}

static size_t first_auth_request(const struct profile *p)
{
	const struct survey *s = p->s;
	size_t i;

	for (i = 0; i < s->f.n_ike; i++)
		if (s->f.ike[i].request && s->f.ike[i].hdr.exchange == IKE_AUTH &&
		    s->f.ike[i].inner && is_between_ends(p, s->f.ike[i].ike_sa))
			return i;
	return FACT_NONE;
}

static const struct child_sa_fact *first_child(const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->s->f.n_children; i++)
		if (is_between_ends(p, p->s->f.children[i].ike_sa))
			return &p->s->f.children[i];
	return NULL;
}

/* BEET takes one host at each end. */
static int measure_mode(struct profile *p)
{
	const struct child_sa_fact *c = first_child(p);

	if (!c || c->mode != IPSEC_BEET)
		return 0;
	p->beet = true;
	return profile_say(p, MEASURED, "mode", seen_msg(p->s, c->response_msg), NOT_SEEN, "BEET");
}

static int say_further_children(struct profile *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->s->f.n_children; i++)
		n += is_between_ends(p, p->s->f.children[i].ike_sa) && !p->s->f.children[i].rekeys;
	if (n < 2)
		return 0;
	return profile_say(p, UNKNOWN, "further children", NOT_SEEN, NOT_SEEN,
			   "%zu children were made; the scenario has the first", n);
}

static int measure_selectors(struct profile *p)
{
	const struct survey *s = p->s;
	const struct child_sa_fact *c = first_child(p);
	size_t msg = c ? c->request_msg : first_auth_request(p);
	bool negotiated = c && c->ts_i.n;

	if (msg == FACT_NONE || (c && !negotiated))
		return assume_selectors(p, "those of the capture need keys");
	if (negotiated ? !read_child(p, c) : !read_asked(p, msg))
		return assume_selectors(p, "those of the capture meet the scenario's own network, "
					   "or are no prefixes");
	if (!negotiated) {
		p->got_i = p->asked_i;
		p->got_r = p->asked_r;
	}
	return profile_say(p, MEASURED, "selectors", seen_msg(s, msg), NOT_SEEN,
			   "%s%s asked for, %s%s = %s%s", p->asked_i.text[0],
			   p->asked_i.n > 1 ? " and more" : "", negotiated ? "agreed on " : "to ",
			   p->got_i.text[0], p->got_i.n > 1 ? " and more" : "", p->got_r.text[0]);
}

int measure_negotiated(struct profile *p)
{
	static const uint8_t ike[] = {TRANSFORM_ENCR, TRANSFORM_INTEG, TRANSFORM_PRF, TRANSFORM_KE};
	static const uint8_t esp[] = {TRANSFORM_ENCR, TRANSFORM_INTEG};
	int err = measure_proposal(p, IKE_SA_INIT, "IKE proposal", ike, sizeof(ike), p->ike);

	if (!err)
		err = measure_proposal(p, IKE_AUTH, "ESP proposal", esp, sizeof(esp), p->esp);
	if (!err)
		err = measure_rekey(p);
	if (!err)
		err = measure_auth(p);
	if (!err)
		err = measure_mode(p);
	if (!err)
		err = say_further_children(p);
	return err ? err : measure_selectors(p);
}
