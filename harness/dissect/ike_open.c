/* ike_open.c - opening SK and SKF payloads (RFC 7296 §3.14, RFC 5282 §3, §5.1, RFC 7383 §2.5).
 *
 *	IKE header .. SK header [fragment number, total] | IV | payloads, padding, pad length | ICV
 *	`------------------- aad ----------------------'
 *
 * Keys with the message's SPIs come first; then those that no SPI is known of are tried, each with
 * the suite that was negotiated, or with every suite that its lengths allow where the negotiation
 * was not seen. What opens the first message of an SA is kept for the others. */
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/prf.h"
#include "vpn/wire/payload.h"

#define FAILED_MAX    8 /* messages of one SA for which keys without SPI are tried */
#define SKF_HDR_LEN   4
#define FRAGMENTS_MAX 64 /* RFC 7383 §2.5.1 leaves the limit to us */
#define CHAIN_MAX     65535

static int make_cipher(const struct cipher_info *info, const struct key_part *e,
		       const struct key_part *a, struct cipher **ret_cipher)
{
	uint8_t key[2 * KEYS_PART_MAX];
	int err;

	if (e->len != info->encr_key_len || a->len != info->integ_key_len)
		return ERR_INVALID;
	memcpy(key, e->b, e->len);
	memcpy(key + e->len, a->b, a->len);
	err = cipher_new(info, CIPHER_OPEN, key, ret_cipher);
	secret_wipe(key, sizeof(key));
	return err;
}

/* Opens the payload with one cipher; *ret_chain lies in the arena. ERR_AUTH: the tag is wrong. */
static int open_with(struct facts *f, const struct ike_msg *m, struct cipher *c,
		     struct view *ret_chain)
{
	const struct ike_payload *sk = &m->outer->v[m->outer->n - 1];
	const struct cipher_info *info = cipher_get_info(c);
	size_t at = (size_t)(sk->body.p - m->octets.p) + (m->fragments ? SKF_HDR_LEN : 0);
	size_t end = (size_t)(sk->body.p + sk->body.len - m->octets.p), pad;
	struct cipher_job job = {.aad_len = at};
	uint8_t *buf;

	if (end - at < info->iv_len + info->icv_len + 1 ||
	    (end - at - info->iv_len - info->icv_len) % info->block)
		return ERR_SYNTAX;
	buf = arena_copy(&f->arena, m->octets.p, end);
	if (!buf)
		return ERR_NOMEM;
	job.aad = buf;
	job.iv = buf + at;
	job.data = buf + at + info->iv_len;
	job.data_len = end - at - info->iv_len - info->icv_len;
	job.icv = job.data + job.data_len;
	cipher_open(c, &job, 1);
	if (!job.ok)
		return ERR_AUTH;
	pad = (size_t)job.data[job.data_len - 1] + 1;
	if (pad > job.data_len)
		return ERR_SYNTAX;
	*ret_chain = (struct view){job.data, job.data_len - pad};
	return 0;
}

static uint16_t prf_by_len(size_t len)
{
	return len == 32 ? PRF_HMAC_SHA2_256 : len == 48 ? PRF_HMAC_SHA2_384 : PRF_HMAC_SHA2_512;
}

/* The key and the suite open the message: from now on they are the SA's. */
static void adopt(struct dissector *d, size_t sa, size_t key, const struct ike_suite *suite)
{
	struct ike_sa_fact *s = &d->f->ike_sas[sa];

	s->key = key;
	s->suite.encr = suite->encr;
	s->suite.encr_bits = suite->encr_bits;
	s->suite.integ = suite->integ;
	if (!s->suite.prf)
		s->suite.prf = d->f->keys.ike[key].prf ? d->f->keys.ike[key].prf
						       : prf_by_len(d->f->keys.ike[key].d.len);
	s->have_suite = true;
}

static int try_suite(struct dissector *d, size_t i, size_t key, const struct ike_suite *suite,
		     struct view *ret_chain)
{
	const struct ike_msg *m = &d->f->ike[i];
	const struct ike_key *k = &d->f->keys.ike[key];
	struct ike_ciphers *c = &d->ciphers[m->ike_sa];
	struct cipher *from_i = NULL, *from_r = NULL;
	struct cipher_info info;
	int err = cipher_describe(suite->encr, suite->encr_bits, suite->integ, &info);

	if (!err)
		err = make_cipher(&info, &k->ei, &k->ai, &from_i);
	if (!err)
		err = make_cipher(&info, &k->er, &k->ar, &from_r);
	if (!err)
		err = open_with(d->f, m, m->from_initiator ? from_i : from_r, ret_chain);
	if (err) {
		cipher_free(from_i);
		cipher_free(from_r);
		return err;
	}
	c->from_i = from_i;
	c->from_r = from_r;
	adopt(d, m->ike_sa, key, suite);
	return 0;
}

/* Every pair of algorithms that we have; those that do not fit the key's lengths fail at once. */
static int try_all_suites(struct dissector *d, size_t i, size_t key, struct view *ret_chain)
{
	struct ike_suite suite = {0};
	const struct alg *algs;
	size_t e, a, n;
	int err = ERR_AUTH;

	algs = alg_table(&n);
	for (e = 0; e < n; e++) {
		if (algs[e].type != TRANSFORM_ENCR)
			continue;
		suite.encr = algs[e].id;
		suite.encr_bits = algs[e].key_bits;
		suite.integ = INTEG_NONE;
		if (alg_is_aead(suite.encr)) {
			err = try_suite(d, i, key, &suite, ret_chain);
			if (!err || err == ERR_NOMEM)
				return err;
			continue;
		}
		for (a = 0; a < n; a++) {
			if (algs[a].type != TRANSFORM_INTEG)
				continue;
			suite.integ = algs[a].id;
			err = try_suite(d, i, key, &suite, ret_chain);
			if (!err || err == ERR_NOMEM)
				return err;
		}
	}
	return ERR_AUTH;
}

static int try_key(struct dissector *d, size_t i, size_t key, struct view *ret_chain)
{
	const struct ike_sa_fact *sa = &d->f->ike_sas[d->f->ike[i].ike_sa];
	const struct ike_key *k = &d->f->keys.ike[key];
	struct ike_suite suite = {k->encr, k->encr_bits, k->integ, k->prf, 0};

	if (k->have_alg)
		return try_suite(d, i, key, &suite, ret_chain);
	if (sa->have_suite)
		return try_suite(d, i, key, &sa->suite, ret_chain);
	return try_all_suites(d, i, key, ret_chain);
}

/* FACT_OPEN with the chain, or why not. */
static int find_key(struct dissector *d, size_t i, struct view *ret_chain,
		    enum fact_unopened *ret_why)
{
	struct facts *f = d->f;
	const struct ike_msg *m = &f->ike[i];
	struct ike_ciphers *c = &d->ciphers[m->ike_sa];
	bool named = false;
	size_t k;
	int err;

	for (k = 0; k < f->keys.n_ike; k++) {
		bool ours =
		    f->keys.ike[k].spi_i == m->hdr.spi_i && f->keys.ike[k].spi_r == m->hdr.spi_r;

		if (!ours && (f->keys.ike[k].spi_i || c->failed >= FAILED_MAX))
			continue;
		named |= ours;
		err = try_key(d, i, k, ret_chain);
		if (err == ERR_NOMEM)
			return err;
		if (!err) {
			*ret_why = FACT_OPEN;
			return 0;
		}
	}
	c->failed++;
	*ret_why = named ? FACT_WRONG_KEY : FACT_NO_KEY;
	return 0;
}

static int open_sealed(struct dissector *d, size_t i, struct view *ret_chain)
{
	struct ike_msg *m = &d->f->ike[i];
	struct ike_ciphers *c = &d->ciphers[m->ike_sa];
	int err;

	if (!c->from_i)
		return find_key(d, i, ret_chain, &m->sealed);
	err = open_with(d->f, m, m->from_initiator ? c->from_i : c->from_r, ret_chain);
	m->sealed = err == 0 ? FACT_OPEN : err == ERR_AUTH ? FACT_WRONG_KEY : FACT_MALFORMED;
	return err == ERR_NOMEM ? err : 0;
}

static int decode_inner(struct dissector *d, size_t i, struct view chain)
{
	struct facts *f = d->f;
	struct ike_msg *m = &f->ike[i];
	struct ike_payloads payloads = {0};

	if (ike_payloads_decode(m->inner_first, chain, &payloads)) {
		m->sealed = FACT_MALFORMED;
		return add_problem(f, m->frame,
				   "SK opened, but a broken chain of payloads inside (RFC 7296 "
				   "§3.2)");
	}
	m->chain = chain;
	m->inner = keep_payloads(f, &payloads);
	return m->inner ? 0 : ERR_NOMEM;
}

static uint64_t fragment_hash(const struct dissector *d, const struct ike_msg *m, uint16_t number)
{
	uint64_t h = hash_number(HASH_START, d->f->frames[m->frame].place);

	h = hash_number(h, m->ike_sa);
	h = hash_number(h, (uint64_t)m->hdr.message_id << 32 | m->hdr.flags << 16 | number);
	return hash_number(h, m->fragments);
}

/* RFC 7383 §2.6: the content of all fragments, in the order of their numbers. */
static int join_fragments(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	struct ike_msg *m = &f->ike[i];
	size_t at[FRAGMENTS_MAX];
	struct writer w;
	uint16_t n;
	uint8_t *buf;

	for (n = 0; n < m->fragments; n++) {
		at[n] = map_get(&d->fragments, fragment_hash(d, m, (uint16_t)(n + 1)));
		if (at[n] == SIZE_MAX)
			return 0;
	}
	buf = arena_alloc(&f->arena, CHAIN_MAX);
	if (!buf)
		return ERR_NOMEM;
	w = wr_init(buf, CHAIN_MAX);
	for (n = 0; n < m->fragments; n++)
		wr_bytes(&w, f->ike[at[n]].piece.p, f->ike[at[n]].piece.len);
	m->inner_first = f->ike[at[0]].inner_first;
	if (!wr_ok(&w))
		return add_problem(f, m->frame, "IKE fragments make more than 64 kB");
	m->sealed = FACT_OPEN;
	return decode_inner(d, i, (struct view){buf, w.len});
}

static int on_fragment(struct dissector *d, size_t i)
{
	struct ike_msg *m = &d->f->ike[i];
	int err = open_sealed(d, i, &m->piece);

	if (err || m->sealed != FACT_OPEN)
		return err;
	m->sealed = FACT_FRAGMENT;
	if (map_put(&d->fragments, fragment_hash(d, m, m->fragment), i))
		return ERR_NOMEM;
	return join_fragments(d, i);
}

/* RFC 7383 §2.5. */
static bool read_fragment_header(struct ike_msg *m, const struct ike_payload *skf)
{
	struct reader r = rd_init(skf->body.p, skf->body.len);

	m->fragment = rd_u16(&r);
	m->fragments = rd_u16(&r);
	return rd_ok(&r) && m->fragment && m->fragment <= m->fragments &&
	       m->fragments <= FRAGMENTS_MAX;
}

int ike_open(struct dissector *d, size_t i)
{
	struct ike_msg *m = &d->f->ike[i];
	const struct ike_payload *last = m->outer->n ? &m->outer->v[m->outer->n - 1] : NULL;
	struct view chain;
	int err;

	if (!last || (last->type != PAYLOAD_SK && last->type != PAYLOAD_SKF))
		return 0;
	m->inner_first = last->inner_first;
	m->sealed = FACT_NO_KEY;
	if (m->ike_sa == FACT_NONE)
		return 0;
	if (last->type == PAYLOAD_SKF) {
		if (read_fragment_header(m, last))
			return on_fragment(d, i);
		m->sealed = FACT_MALFORMED;
		return add_problem(d->f, m->frame, "malformed SKF header (RFC 7383 §2.5)");
	}
	err = open_sealed(d, i, &chain);
	return err || m->sealed != FACT_OPEN ? err : decode_inner(d, i, chain);
}
