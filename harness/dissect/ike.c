/* ike.c - the second pass: every IKE message, in the order of time.
 *
 *	header -> SA -> payloads -> SK opened -> payloads inside -> retransmission, request ->
 *	what it says of IKE SAs and children
 *
 * A retransmission, and the same message at a further place, says nothing new: it is opened like
 * any other and then changes nothing, because SAs and children are known by their SPIs. */
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/crypto/prf.h"
#include "vpn/wire/payload.h"

static uint64_t exchange_hash(const struct dissector *d, const struct ike_msg *m,
			      bool from_initiator)
{
	uint64_t h = hash_number(HASH_START, d->f->frames[m->frame].place);

	h = hash_number(h, m->ike_sa);
	h = hash_number(h, m->hdr.message_id);
	return hash_number(h, from_initiator);
}

/* Links a message to an earlier one with the same octets, and a response to its request. */
static int link_message(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	struct ike_msg *m = &f->ike[i];
	uint64_t h = hash_number(HASH_START, f->frames[m->frame].place);
	size_t earlier;

	m->retransmission_of = m->request_of = FACT_NONE;
	h = hash_octets(h, m->octets.p, m->octets.len);
	earlier = map_get(&d->messages, h);
	if (earlier != SIZE_MAX && f->ike[earlier].octets.len == m->octets.len &&
	    memcmp(f->ike[earlier].octets.p, m->octets.p, m->octets.len) == 0)
		m->retransmission_of = earlier;
	else if (map_put(&d->messages, h, i))
		return ERR_NOMEM;
	if (m->request)
		return map_put(&d->requests, exchange_hash(d, m, m->from_initiator), i);
	m->request_of = map_get(&d->requests, exchange_hash(d, m, !m->from_initiator));
	return 0;
}

/* As long as it is filled: a flood has many of them, each with room for IKE_PAYLOADS_MAX. */
const struct ike_payloads *keep_payloads(struct facts *f, const struct ike_payloads *p)
{
	return arena_copy(&f->arena, p, offsetof(struct ike_payloads, v) + p->n * sizeof(p->v[0]));
}

static int decode_outer(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	struct ike_msg *m = &f->ike[i];
	struct view chain = {m->octets.p + IKE_HEADER_LEN, m->octets.len - IKE_HEADER_LEN};
	struct ike_payloads payloads = {0};

	if (ike_payloads_decode(m->hdr.next_payload, chain, &payloads)) {
		m->sealed = FACT_MALFORMED;
		return add_problem(f, m->frame,
				   "IKE message with a broken chain of payloads (RFC "
				   "7296 §3.2)");
	}
	m->outer = keep_payloads(f, &payloads);
	return m->outer ? 0 : ERR_NOMEM;
}

static int on_message(struct dissector *d, size_t i)
{
	struct ike_msg *m = &d->f->ike[i];
	int err;

	m->request = !(m->hdr.flags & IKE_FLAG_RESPONSE);
	m->from_initiator = m->hdr.flags & IKE_FLAG_INITIATOR;
	m->ike_sa = FACT_NONE;
	m->sealed = FACT_NOT_SEALED;
	if (m->damaged) {
		m->sealed = FACT_DAMAGED;
		m->retransmission_of = m->request_of = FACT_NONE;
		return 0;
	}
	err = decode_outer(d, i);
	if (!err)
		err = ike_find_sa(d, i);
	if (!err)
		err = link_message(d, i);
	if (!err && m->outer)
		err = ike_open(d, i);
	if (!err)
		err = ike_natd(d, i);
	if (!err)
		err = ike_follow(d, i);
	if (!err)
		err = child_follow(d, i);
	return err;
}

int ike_pass(struct dissector *d)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < d->f->n_ike; i++)
		err = on_message(d, i);
	if (!err)
		child_finish(d);
	return err;
}

static void natd_hash(const struct ike_header *h, const struct endpoint *e,
		      uint8_t out[DIGEST_SHA1])
{
	uint8_t buf[16 + 16 + 2];
	struct writer w = wr_init(buf, sizeof(buf));
	struct view all;

	wr_u64(&w, h->spi_i);
	wr_u64(&w, h->spi_r);
	wr_bytes(&w, e->addr.b, ip_addr_len(&e->addr));
	wr_u16(&w, e->port);
	all = (struct view){buf, w.len};
	if (digest_compute(DIGEST_SHA1, &all, 1, out))
		memset(out, 0, DIGEST_SHA1);
}

static bool hash_is(const struct ike_msg *m, struct view data, const struct endpoint *e)
{
	uint8_t want[DIGEST_SHA1];

	natd_hash(&m->hdr, e, want);
	return data.len == DIGEST_SHA1 && memcmp(data.p, want, DIGEST_SHA1) == 0;
}

/* RFC 7296 §2.23: there may be several source hashes, of which one must match. */
static void compare_one(const struct ike_msg *m, const struct fact_frame *frame,
			const struct payload_notify *n, struct natd_fact *fact)
{
	static const struct endpoint nowhere = {.addr.family = 4};

	if (n->type == N_NAT_DETECTION_SOURCE_IP) {
		fact->have_src = true;
		fact->src_match |= hash_is(m, n->data, &frame->src);
		fact->src_unspecified |= hash_is(m, n->data, &nowhere);
	} else if (n->type == N_NAT_DETECTION_DESTINATION_IP) {
		fact->have_dst = true;
		fact->dst_match |= hash_is(m, n->data, &frame->dst);
	} else {
		return;
	}
	fact->malformed |= n->data.len != DIGEST_SHA1;
}

int ike_natd(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	const struct ike_msg *m = &f->ike[i];
	const struct ike_payloads *p = ike_msg_payloads(m);
	struct natd_fact fact = {.msg = i}, *added;
	struct payload_notify n;
	size_t k;

	for (k = 0; k < p->n; k++)
		if (p->v[k].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[k].body, &n))
			compare_one(m, &f->frames[m->frame], &n, &fact);
	if (!fact.have_src && !fact.have_dst)
		return 0;
	added = ARRAY_ADD(f->natd, f->n_natd);
	if (!added)
		return ERR_NOMEM;
	*added = fact;
	return 0;
}
