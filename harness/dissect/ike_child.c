/* ike_child.c - Child SAs: what was asked for, what was negotiated, their keys, their end (RFC 7296
 * §1.2, §1.3.1, §1.3.3, §2.17).
 *
 * A child is known by its IKE SA and both SPIs. Its keys are derived here from SK_d and the nonces
 * where the child had no key exchange of its own; they join the logged ones in the key store. The
 * mode asked for is what the request's notify says, the mode negotiated what request and response
 * both say (RFC 7296 §1.3.1; strongSwan's BEET notify works in the same way). */
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/prf.h"
#include "vpn/wire/payload.h"

#define NONCES_MAX (2 * NONCE_MAX)

static uint64_t exchange_hash(const struct ike_msg *m, bool from_initiator)
{
	uint64_t h = hash_number(HASH_START, m->ike_sa);

	/* IKE_AUTH may take several rounds, and the SA payload is in the first (RFC 7296 §2.16). */
	h = hash_number(h, m->hdr.exchange == IKE_AUTH ? 1 : m->hdr.message_id);
	return hash_number(h, from_initiator);
}

static enum ipsec_mode mode_asked(const struct ike_payloads *p)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_USE_BEET_MODE, &n))
		return IPSEC_BEET;
	if (payloads_find_notify(p, N_USE_TRANSPORT_MODE, &n))
		return IPSEC_TRANSPORT;
	return IPSEC_TUNNEL;
}

static uint32_t spi32(const struct proposal *p)
{
	struct reader r = rd_init(p->spi, p->spi_len);

	return p->spi_len == 4 ? rd_u32(&r) : 0;
}

static void take_alg(struct child_sa_fact *c, const struct proposal *p)
{
	struct ike_suite suite;
	size_t i;

	suite_of(p, &suite);
	c->alg = (struct ipsec_alg){
	    .encr = suite.encr, .encr_bits = suite.encr_bits, .integ = suite.integ};
	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == TRANSFORM_ESN)
			c->alg.esn = p->transforms[i].id == 1;
	c->have_alg = true;
}

static int take_selectors(const struct ike_payloads *p, uint8_t type, struct ts_list *ret_list)
{
	const struct ike_payload *payload = ike_payload_find(p, type, 0);
	int err = payload ? payload_ts_decode(payload->body, ret_list) : 0;

	return err == ERR_NOMEM ? err : 0;
}

static struct view nonce_of(const struct ike_payloads *p)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_NONCE, 0);
	struct view nonce = {NULL, 0};

	return payload && !payload_nonce_decode(payload->body, &nonce) ? nonce
								       : (struct view){NULL, 0};
}

static bool log_has(const struct key_store *keys, uint32_t spi)
{
	size_t i;

	for (i = 0; i < keys->n_esp; i++)
		if (keys->esp[i].spi == spi)
			return true;
	return false;
}

static int add_key(struct key_store *keys, const struct child_sa_fact *c, uint32_t spi,
		   const uint8_t *key, size_t len)
{
	struct esp_key k = {.spi = spi, .have_alg = true, .alg = c->alg, .key_len = (uint8_t)len};
	int err;

	memcpy(k.key, key, len);
	err = keys_add_esp(keys, &k);
	secret_wipe(&k, sizeof(k));
	return err;
}

/* RFC 7296 §2.17: KEYMAT = prf+(SK_d, Ni | Nr); the initiator's SA towards the responder first. */
static int derive_with(struct dissector *d, struct child_sa_fact *c, const struct ike_sa_fact *sa,
		       struct view ni, struct view nr)
{
	const struct ike_key *k = &d->f->keys.ike[sa->key];
	uint8_t seed[NONCES_MAX], out[2 * IPSEC_KEY_MAX];
	struct writer w = wr_init(seed, sizeof(seed));
	struct cipher_info info;
	size_t len;
	int err = 0;

	if (!k->d.len || cipher_describe(c->alg.encr, c->alg.encr_bits, c->alg.integ, &info))
		return 0;
	len = info.encr_key_len + info.integ_key_len;
	wr_bytes(&w, ni.p, ni.len);
	wr_bytes(&w, nr.p, nr.len);
	if (!wr_ok(&w) || len > IPSEC_KEY_MAX ||
	    prf_plus(sa->suite.prf, (struct view){k->d.b, k->d.len}, (struct view){seed, w.len},
		     out, 2 * len))
		return 0;
	err = add_key(&d->f->keys, c, c->spi_r, out, len);
	if (!err)
		err = add_key(&d->f->keys, c, c->spi_i, out + len, len);
	c->key_derived = !err;
	secret_wipe(out, sizeof(out));
	return err;
}

static int derive(struct dissector *d, struct child_sa_fact *c, const struct ike_msg *req,
		  const struct ike_msg *resp)
{
	const struct ike_sa_fact *sa = &d->f->ike_sas[c->ike_sa];
	bool first = resp->hdr.exchange == IKE_AUTH;
	struct view ni = first ? sa->ni : nonce_of(req->inner);
	struct view nr = first ? sa->nr : nonce_of(resp->inner);

	c->key_from_log = log_has(&d->f->keys, c->spi_i) || log_has(&d->f->keys, c->spi_r);
	if (c->ke || sa->key == FACT_NONE || !ni.len || !nr.len)
		return 0;
	return derive_with(d, c, sa, ni, nr);
}

static int fill(struct dissector *d, struct child_sa_fact *c, const struct ike_msg *req,
		const struct ike_msg *resp)
{
	struct payload_notify n;
	struct payload_ke ke;
	const struct ike_payload *p = ike_payload_find(resp->inner, PAYLOAD_KE, 0);
	int err;

	c->initiator_is_original = req->from_initiator;
	c->asked = mode_asked(req->inner);
	c->mode = mode_asked(resp->inner) == c->asked ? c->asked : IPSEC_TUNNEL;
	if (p && !payload_ke_decode(p->body, &ke))
		c->ke = ke.group;
	if (payloads_find_notify(req->inner, N_REKEY_SA, &n) && n.spi.len == 4) {
		struct reader r = rd_init(n.spi.p, n.spi.len);

		c->rekeys = rd_u32(&r);
	}
	err = take_selectors(req->inner, PAYLOAD_TSI, &c->asked_ts_i);
	if (!err)
		err = take_selectors(req->inner, PAYLOAD_TSR, &c->asked_ts_r);
	if (!err)
		err = take_selectors(resp->inner, PAYLOAD_TSI, &c->ts_i);
	if (!err)
		err = take_selectors(resp->inner, PAYLOAD_TSR, &c->ts_r);
	return err ? err : derive(d, c, req, resp);
}

static int on_made(struct dissector *d, size_t req, size_t resp, const struct proposal *chosen)
{
	struct facts *f = d->f;
	struct child_sa_fact *c;
	struct proposal offered;
	uint64_t h;

	if (!first_proposal(f->ike[req].inner, &offered))
		return 0;
	h = hash_number(HASH_START, f->ike[resp].ike_sa);
	h = hash_number(h, (uint64_t)spi32(&offered) << 32 | spi32(chosen));
	if (map_get(&d->children, h) != SIZE_MAX)
		return 0;
	c = ARRAY_ADD(f->children, f->n_children);
	if (!c || map_put(&d->children, h, f->n_children - 1))
		return ERR_NOMEM;
	c->ike_sa = f->ike[resp].ike_sa;
	c->request_msg = req;
	c->response_msg = resp;
	c->spi_i = spi32(&offered);
	c->spi_r = spi32(chosen);
	c->delete_msg = FACT_NONE;
	take_alg(c, chosen);
	return fill(d, c, &f->ike[req], &f->ike[resp]);
}

/* The notify that takes the place of the child in a response. */
static int on_refused(struct dissector *d, size_t resp)
{
	struct facts *f = d->f;
	const struct ike_payloads *p = f->ike[resp].inner;
	struct payload_notify n;
	struct refusal_fact *r;
	size_t i;

	if (f->ike[resp].retransmission_of != FACT_NONE)
		return 0;
	for (i = 0; i < p->n; i++) {
		if (p->v[i].type != PAYLOAD_NOTIFY || payload_notify_decode(p->v[i].body, &n) ||
		    n.type >= N_FIRST_STATUS)
			continue;
		r = ARRAY_ADD(f->refusals, f->n_refusals);
		if (!r)
			return ERR_NOMEM;
		r->msg = resp;
		r->notify = n.type;
		return 0;
	}
	return 0;
}

static int on_exchange(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	const struct ike_msg *m = &f->ike[i];
	struct proposal p;
	size_t req;

	if (m->request)
		return first_proposal(m->inner, &p) && p.protocol == PROTOCOL_ESP
			   ? map_put(&d->exchanges, exchange_hash(m, m->from_initiator), i)
			   : 0;
	if (!first_proposal(m->inner, &p))
		return on_refused(d, i);
	req = map_get(&d->exchanges, exchange_hash(m, !m->from_initiator));
	if (p.protocol != PROTOCOL_ESP || req == SIZE_MAX)
		return 0;
	return on_made(d, req, i, &p);
}

/* RFC 7296 §3.11: the SPIs are those that the sender of the Delete expects inbound. */
static void delete_spi(struct dissector *d, size_t i, uint32_t spi)
{
	struct facts *f = d->f;
	const struct ike_msg *m = &f->ike[i];
	size_t k;

	for (k = 0; k < f->n_children; k++) {
		struct child_sa_fact *c = &f->children[k];
		bool by_initiator = m->from_initiator == c->initiator_is_original;

		if (c->end != CHILD_OPEN || (c->spi_i != spi && c->spi_r != spi))
			continue;
		/* After a rekeying of the IKE SA the roles may have changed. */
		if (c->ike_sa == m->ike_sa && (by_initiator ? c->spi_i : c->spi_r) != spi)
			continue;
		c->end = CHILD_DELETED;
		c->delete_msg = i;
	}
}

static void on_deletes(struct dissector *d, size_t i)
{
	const struct ike_payloads *p = d->f->ike[i].inner;
	struct payload_delete del;
	size_t k, s;

	for (k = 0; k < p->n; k++) {
		if (p->v[k].type != PAYLOAD_DELETE || payload_delete_decode(p->v[k].body, &del) ||
		    del.protocol != PROTOCOL_ESP || del.spi_len != 4)
			continue;
		for (s = 0; s < del.n_spis; s++)
			delete_spi(d, i, payload_delete_spi(&del, s));
	}
}

int child_follow(struct dissector *d, size_t i)
{
	const struct ike_msg *m = &d->f->ike[i];

	if (m->ike_sa == FACT_NONE || !m->inner)
		return 0;
	if (m->hdr.exchange == INFORMATIONAL)
		on_deletes(d, i);
	if (m->hdr.exchange != IKE_AUTH && m->hdr.exchange != CREATE_CHILD_SA)
		return 0;
	return on_exchange(d, i);
}

/* The IKE SA under which a child lives in the end: children move on to the rekeyed one (RFC 7296
 * §2.18). */
static const struct ike_sa_fact *last_parent(const struct facts *f, size_t sa)
{
	size_t i;

	for (i = sa + 1; i < f->n_ike_sas; i++)
		if (f->ike_sas[i].rekeyed_from == sa)
			sa = i;
	return &f->ike_sas[sa];
}

void child_finish(struct dissector *d)
{
	struct facts *f = d->f;
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		struct child_sa_fact *c = &f->children[i];
		const struct ike_sa_fact *sa = last_parent(f, c->ike_sa);

		if (c->end != CHILD_OPEN || sa->end == IKE_SA_OPEN)
			continue;
		c->end = CHILD_WITH_IKE_SA;
		c->delete_msg = sa->delete_msg;
	}
}
