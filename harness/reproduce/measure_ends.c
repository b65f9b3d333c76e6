/* measure_ends.c - who the ends are, where the captures were taken, and what NAT is between them.
 *
 * A capture is beside an end if that end's packets are there with a TTL that no router has counted
 * down. A NAT shows in the hashes of NAT_DETECTION (RFC 7296 §2.23), and in addresses that differ
 * between places; whether it keeps ports only behind it. */
#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"
#include "vpn/base/proto.h"

/* The place with most fresh messages of one side of the IKE SA. */
static size_t place_beside(const struct profile *p, bool initiator)
{
	const struct survey *s = p->s;
	size_t i, place, n, most = 0, best = FACT_NONE;

	for (place = 0; place < s->n_places; place++) {
		for (i = n = 0; i < s->f.n_ike; i++)
			n += is_between_ends(p, s->f.ike[i].ike_sa) &&
			     s->f.ike[i].from_initiator == initiator &&
			     msg_frame(s, i)->place == place && frame_is_fresh(msg_frame(s, i));
		if (n > most) {
			most = n;
			best = place;
		}
	}
	return best;
}

/* The first message of that side at a place; FACT_NONE. */
static size_t first_msg(const struct profile *p, size_t place, bool from_initiator)
{
	const struct survey *s = p->s;
	size_t i;

	for (i = 0; i < s->f.n_ike; i++)
		if (s->f.ike[i].ike_sa == p->ike_sa && s->f.ike[i].request == from_initiator &&
		    s->f.ike[i].from_initiator == from_initiator &&
		    (place == FACT_NONE || msg_frame(s, i)->place == place))
			return i;
	return FACT_NONE;
}

static int say_end(struct profile *p, const char *label, const struct endpoint *e, size_t place,
		   size_t msg)
{
	char addr[IP_ADDR_STRLEN];

	ip_addr_format(&e->addr, addr, sizeof(addr));
	if (place == FACT_NONE)
		return profile_say(p, MEASURED, label, seen_msg(p->s, msg), NOT_SEEN,
				   "%s; no capture was taken beside it", addr);
	return profile_say(p, MEASURED, label, seen_msg(p->s, msg), NOT_SEEN,
			   "%s, captured beside it in %s", addr, p->s->f.set.places[place].name);
}

static int find_ends(struct profile *p)
{
	size_t msg = first_msg(p, p->at_initiator, true);
	const struct fact_frame *f;
	int err;

	if (msg == FACT_NONE)
		msg = first_msg(p, FACT_NONE, true);
	if (msg == FACT_NONE) {
		p->family = 4;
		return profile_say(p, UNKNOWN, "ends", NOT_SEEN, NOT_SEEN,
				   "no request of an initiator is in the captures");
	}
	f = msg_frame(p->s, msg);
	p->initiator = f->src;
	p->responder = f->dst;
	p->family = f->src.addr.family;
	err = say_end(p, "initiator", &p->initiator, p->at_initiator, msg);
	return err ? err : say_end(p, "responder", &p->responder, p->at_responder, msg);
}

/* RFC 7296 §2.23: the responder's hash of the initiator's address and port. */
static const struct natd_fact *mismatch(const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->s->f.n_natd; i++) {
		const struct natd_fact *n = &p->s->f.natd[i];
		const struct ike_msg *m = &p->s->f.ike[n->msg];

		if (m->ike_sa == p->ike_sa && m->hdr.exchange == IKE_SA_INIT &&
		    (m->request ? n->have_src && !n->src_match && !n->src_unspecified
				: n->have_dst && !n->dst_match))
			return n;
	}
	return NULL;
}

static bool has_natd(const struct profile *p)
{
	size_t i;

	for (i = 0; i < p->s->f.n_natd; i++)
		if (p->s->f.ike[p->s->f.natd[i].msg].ike_sa == p->ike_sa)
			return true;
	return false;
}

/* Seen from the responder's side, the initiator's port tells whether the box keeps ports. */
static int find_nat_ports(struct profile *p, const struct natd_fact *n)
{
	size_t msg = first_msg(p, p->at_responder, true);
	char from[ENDPOINT_STRLEN];
	const struct endpoint *src;

	if (p->at_responder == FACT_NONE || msg == FACT_NONE)
		msg = p->s->f.ike[n->msg].request ? n->msg : FACT_NONE;
	p->nat = NAT_CHANGES_PORTS;
	if (msg == FACT_NONE)
		return profile_say(p, ASSUMED, "NAT", seen_msg(p->s, n->msg), NOT_SEEN,
				   "there is one (the hashes differ); that it changes ports is "
				   "assumed, for no capture was taken behind it");
	src = &msg_frame(p->s, msg)->src;
	if (src->port == IKE_PORT || src->port == IKE_NATT_PORT)
		p->nat = NAT_KEEPS_PORTS;
	return profile_say(p, MEASURED, "NAT", seen_msg(p->s, n->msg), seen_msg(p->s, msg),
			   "the initiator is behind one that %s ports: seen from outside it is %s",
			   p->nat == NAT_KEEPS_PORTS ? "keeps" : "changes",
			   endpoint_format(src, from, sizeof(from)));
}

static bool has_encapsulated_esp(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		if (s->esp[i].encap)
			return true;
	return false;
}

static int find_nat(struct profile *p)
{
	const struct natd_fact *n = mismatch(p);

	if (n)
		return find_nat_ports(p, n);
	if (has_natd(p)) {
		p->nat = NAT_ABSENT;
		p->encap = has_encapsulated_esp(p->s);
		return profile_say(p, MEASURED, "NAT", NOT_SEEN, NOT_SEEN,
				   "none: the hashes of NAT detection match%s",
				   p->encap ? "; encapsulation in UDP is forced" : "");
	}
	p->nat = p->family == 6 ? NAT_ABSENT : NAT_CHANGES_PORTS;
	return profile_say(p, ASSUMED, "NAT", NOT_SEEN, NOT_SEEN,
			   p->family == 6 ? "none, as is usual with IPv6"
					  : "one that changes ports: no NAT detection is captured");
}

static bool same_pair(const struct ike_sa_fact *a, const struct ike_sa_fact *b)
{
	return (ip_addr_eq(&a->addr_i.addr, &b->addr_i.addr) &&
		ip_addr_eq(&a->addr_r.addr, &b->addr_r.addr)) ||
	       (ip_addr_eq(&a->addr_i.addr, &b->addr_r.addr) &&
		ip_addr_eq(&a->addr_r.addr, &b->addr_i.addr));
}

bool is_between_ends(const struct profile *p, size_t ike_sa)
{
	const struct ike_sa_fact *sas = p->s->f.ike_sas;

	if (ike_sa == FACT_NONE || p->ike_sa == FACT_NONE)
		return false;
	return same_pair(&sas[p->ike_sa], &sas[ike_sa]);
}

/* The IKE SA of a message that the finding points at. */
static size_t ike_sa_of_finding(const struct profile *p)
{
	const struct survey *s = p->s;
	size_t i, k;

	for (k = 0; p->first && k < p->first->n_evidence; k++) {
		const struct seen *at = &p->first->evidence[k].at;

		for (i = 0; i < s->f.n_ike; i++)
			if (s->f.ike[i].ike_sa != FACT_NONE &&
			    msg_frame(s, i)->place == at->place &&
			    msg_frame(s, i)->number == at->number)
				return s->f.ike[i].ike_sa;
	}
	return FACT_NONE;
}

/* The first whose beginning is there. */
static size_t first_ike_sa(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->f.n_ike_sas; i++)
		if (s->f.ike_sas[i].init_msg != FACT_NONE)
			return i;
	return s->f.n_ike_sas ? 0 : FACT_NONE;
}

/* The first SA between the ends of the finding: a later one may have nothing but the failure. */
static size_t choose_ike_sa(struct profile *p)
{
	const struct survey *s = p->s;
	size_t i;

	p->ike_sa = ike_sa_of_finding(p);
	if (p->ike_sa == FACT_NONE)
		return first_ike_sa(s);
	for (i = 0; i < s->f.n_ike_sas; i++)
		if (s->f.ike_sas[i].init_msg != FACT_NONE && is_between_ends(p, i))
			return i;
	return p->ike_sa;
}

static int say_others(struct profile *p)
{
	size_t i, others = 0;

	for (i = 0; i < p->s->f.n_ike_sas; i++)
		others += p->ike_sa != FACT_NONE && !is_between_ends(p, i);
	if (!others)
		return 0;
	return profile_say(p, UNKNOWN, "other ends", NOT_SEEN, NOT_SEEN,
			   "%zu IKE SAs of other ends are in the captures; they are left out",
			   others);
}

int measure_ends(struct profile *p)
{
	int err;

	p->ike_sa = choose_ike_sa(p);
	p->at_initiator = place_beside(p, true);
	p->at_responder = place_beside(p, false);
	err = find_ends(p);
	if (!err)
		err = find_nat(p);
	return err ? err : say_others(p);
}
