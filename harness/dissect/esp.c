/* esp.c - the third pass: ESP packets opened, and the packet inside (RFC 4303 §2, §3.4).
 *
 * Keys with the packet's SPI come first, logged or derived; then those of which no SPI is known,
 * for the first packets of an SPI. A key that has opened a packet is kept for its SPI. Algorithms
 * that nobody named are found by trying all that the key's length allows, with and without extended
 * sequence numbers; their high half follows from the highest number so far (RFC 4303 appendix
 * A2.2).
 */
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/esp_opener.h"
#include "harness/dissect/inner.h"
#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/wire/packet/esp_hdr.h"

#define FAILED_MAX 8 /* packets of one SPI for which keys without SPI are tried */

/* What is known of one SPI. */
struct esp_state {
	uint32_t spi;
	struct cipher *cipher; /* NULL: nothing has opened a packet yet */
	struct ipsec_alg alg;
	size_t key;
	uint64_t top; /* highest sequence number of an opened packet */
	unsigned failed;
};

struct esp_opener {
	struct map by_spi;
	struct esp_state *v;
	size_t n;
};

static int state_of(struct esp_opener *s, uint32_t spi, struct esp_state **ret_state)
{
	size_t at = map_get(&s->by_spi, spi);
	struct esp_state *st;

	if (at == SIZE_MAX) {
		st = ARRAY_ADD(s->v, s->n);
		if (!st || map_put(&s->by_spi, spi, s->n - 1))
			return ERR_NOMEM;
		st->spi = spi;
		st->key = FACT_NONE;
		at = s->n - 1;
	}
	*ret_state = &s->v[at];
	return 0;
}

int esp_opener_new(struct esp_opener **ret_opener)
{
	struct esp_opener *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	*ret_opener = s;
	return 0;
}

void esp_opener_free(struct esp_opener *s)
{
	size_t i;

	for (i = 0; s && i < s->n; i++)
		cipher_free(s->v[i].cipher);
	if (s) {
		free(s->v);
		map_free(&s->by_spi);
	}
	free(s);
}

/* RFC 4303 appendix A2.2, with a window of half the number space. */
static uint64_t extend(uint64_t top, uint32_t seq)
{
	uint64_t guess = (top & ~(uint64_t)UINT32_MAX) | seq;
	const uint64_t half = (uint64_t)1 << 31;

	if (guess + half < top)
		guess += half * 2;
	else if (guess > top + half && guess > UINT32_MAX)
		guess -= half * 2;
	return guess;
}

/* Opens the packet with one cipher; *ret_data is the decrypted payload with its trailer. */
static int open_with(struct facts *f, struct esp_fact *e, struct cipher *c, bool esn, uint64_t seq,
		     struct view *ret_data)
{
	const struct cipher_info *info = cipher_get_info(c);
	size_t front = ESP_HDR_LEN + info->iv_len;
	uint8_t esn_aad[12];
	struct writer w = wr_init(esn_aad, sizeof(esn_aad));
	struct cipher_job job = {.aad_len = ESP_HDR_LEN};
	uint8_t *buf;

	if (e->octets.len < front + ESP_TRAILER_LEN + info->icv_len ||
	    (e->octets.len - front - info->icv_len) % info->block)
		return ERR_SYNTAX;
	buf = arena_copy(&f->arena, e->octets.p, e->octets.len);
	if (!buf)
		return ERR_NOMEM;
	job.aad = buf;
	job.iv = buf + ESP_HDR_LEN;
	job.data = buf + front;
	job.data_len = e->octets.len - front - info->icv_len;
	job.icv = job.data + job.data_len;
	if (esn && info->aead) { /* RFC 4106 §5 */
		wr_u32(&w, e->spi);
		wr_u64(&w, seq);
		job.aad = esn_aad;
		job.aad_len = w.len;
	} else if (esn) { /* RFC 4303 §2.2.1 */
		wr_u32(&w, (uint32_t)(seq >> 32));
		job.tail = esn_aad;
		job.tail_len = w.len;
	}
	cipher_open(c, &job, 1);
	if (!job.ok)
		return ERR_AUTH;
	*ret_data = (struct view){job.data, job.data_len};
	return 0;
}

static int try_alg(struct facts *f, struct esp_fact *e, struct esp_state *st, size_t key,
		   const struct ipsec_alg *alg, struct view *ret_data)
{
	const struct esp_key *k = &f->keys.esp[key];
	struct cipher_info info;
	struct cipher *c;
	uint64_t seq = alg->esn ? extend(st->top, e->seq) : e->seq;
	int err = cipher_describe(alg->encr, alg->encr_bits, alg->integ, &info);

	if (!err && info.encr_key_len + info.integ_key_len != k->key_len)
		err = ERR_INVALID;
	if (!err)
		err = cipher_new(&info, CIPHER_OPEN, k->key, &c);
	if (err)
		return err;
	err = open_with(f, e, c, alg->esn, seq, ret_data);
	if (err) {
		cipher_free(c);
		return err;
	}
	cipher_free(st->cipher);
	st->cipher = c;
	st->alg = *alg;
	st->key = key;
	return 0;
}

static int try_esn(struct facts *f, struct esp_fact *e, struct esp_state *st, size_t key,
		   struct ipsec_alg alg, struct view *ret_data)
{
	int err;

	alg.esn = false;
	err = try_alg(f, e, st, key, &alg, ret_data);
	if (err != ERR_AUTH)
		return err;
	alg.esn = true;
	return try_alg(f, e, st, key, &alg, ret_data);
}

static int try_every_alg(struct facts *f, struct esp_fact *e, struct esp_state *st, size_t key,
			 struct view *ret_data)
{
	const struct alg *algs;
	size_t i, a, n;
	int err = ERR_AUTH;

	algs = alg_table(&n);
	for (i = 0; i < n; i++) {
		struct ipsec_alg alg = {.encr = algs[i].id, .encr_bits = algs[i].key_bits};

		if (algs[i].type != TRANSFORM_ENCR)
			continue;
		for (a = 0; a < n; a++) {
			if (alg_is_aead(alg.encr) ? a > 0 : algs[a].type != TRANSFORM_INTEG)
				continue;
			alg.integ = alg_is_aead(alg.encr) ? INTEG_NONE : algs[a].id;
			err = try_esn(f, e, st, key, alg, ret_data);
			if (!err || err == ERR_NOMEM)
				return err;
		}
	}
	return err;
}

static int try_key(struct facts *f, struct esp_fact *e, struct esp_state *st, size_t key,
		   struct view *ret_data)
{
	const struct esp_key *k = &f->keys.esp[key];

	if (k->have_alg)
		return try_alg(f, e, st, key, &k->alg, ret_data);
	if (e->child != FACT_NONE && f->children[e->child].have_alg)
		return try_alg(f, e, st, key, &f->children[e->child].alg, ret_data);
	return try_every_alg(f, e, st, key, ret_data);
}

static bool is_derivable(const struct facts *f, const struct esp_fact *e)
{
	return e->child == FACT_NONE || !f->children[e->child].ke;
}

static int find_key(struct facts *f, struct esp_fact *e, struct esp_state *st,
		    struct view *ret_data)
{
	bool named = false;
	size_t k;
	int err;

	for (k = 0; k < f->keys.n_esp; k++) {
		uint32_t spi = f->keys.esp[k].spi;

		if (spi ? spi != e->spi : st->failed >= FAILED_MAX)
			continue;
		named |= spi != 0;
		err = try_key(f, e, st, k, ret_data);
		if (err == ERR_NOMEM)
			return err;
		if (!err) {
			e->sealed = FACT_OPEN;
			return 0;
		}
	}
	st->failed++;
	e->sealed = named || st->cipher	 ? FACT_WRONG_KEY
		    : e->damaged	 ? FACT_DAMAGED
		    : is_derivable(f, e) ? FACT_NO_KEY
					 : FACT_NOT_DERIVABLE;
	return 0;
}

static int open_packet(struct facts *f, struct esp_fact *e, struct esp_state *st,
		       struct view *ret_data)
{
	uint64_t seq = st->alg.esn ? extend(st->top, e->seq) : e->seq;
	int err;

	if (st->cipher) {
		err = open_with(f, e, st->cipher, st->alg.esn, seq, ret_data);
		if (err == ERR_NOMEM)
			return err;
		if (!err) {
			e->sealed = FACT_OPEN;
			return 0;
		}
	}
	return find_key(f, e, st, ret_data);
}

/* After the packet is open. */
static int take_payload(struct facts *f, struct esp_fact *e, struct esp_state *st, struct view data)
{
	struct esp_trailer trailer;

	e->have_alg = true;
	e->alg = st->alg;
	e->seq64 = st->alg.esn ? extend(st->top, e->seq) : e->seq;
	e->iv = (struct view){e->octets.p + ESP_HDR_LEN, cipher_get_info(st->cipher)->iv_len};
	if (e->seq64 > st->top)
		st->top = e->seq64;
	if (esp_trailer_read(data.p, data.len, &trailer)) {
		e->sealed = FACT_MALFORMED;
		return add_problem(f, e->frame,
				   "ESP SPI %08x number %u: padding is not 1, 2, 3, .. "
				   "(RFC 4303 §2.4)",
				   e->spi, e->seq);
	}
	e->next_header = trailer.next_header;
	e->payload_len = trailer.payload_len;
	e->pad_len = (uint8_t)(data.len - trailer.payload_len - ESP_TRAILER_LEN);
	e->dummy = trailer.next_header == IP_PROTO_NONE;
	if (e->dummy)
		return 0;
	return inner_rebuild(f, e, (struct view){data.p, trailer.payload_len},
			     &f->keys.esp[st->key]);
}

static int add_inner_icmp_error(struct facts *f, size_t i)
{
	const struct esp_fact *e = &f->esp[i];
	struct icmp_error_fact *added;

	if (!e->inner.len || !ip_is_icmp_error(e->inner.p, e->inner.len, &e->in))
		return 0;
	added = ARRAY_ADD(f->icmp_errors, f->n_icmp_errors);
	if (!added)
		return ERR_NOMEM;
	*added = icmp_error_read(e->inner, &e->in);
	added->frame = e->frame;
	added->esp = i;
	return 0;
}

int esp_opener_open(struct esp_opener *s, struct facts *f, size_t i)
{
	struct esp_fact *e = &f->esp[i];
	struct view data = {NULL, 0};
	struct esp_state *st;
	int err = state_of(s, e->spi, &st);

	if (err)
		return err;
	err = open_packet(f, e, st, &data);
	/* A key without SPI comes from a log. */
	if (e->child != FACT_NONE && e->sealed == FACT_OPEN && !f->keys.esp[st->key].spi)
		f->children[e->child].key_from_log = true;
	if (!err && e->sealed == FACT_OPEN)
		err = take_payload(f, e, st, data);
	return err ? err : add_inner_icmp_error(f, i);
}

int esp_pass(struct dissector *d)
{
	struct facts *f = d->f;
	struct esp_opener *s;
	bool to_initiator = false;
	size_t i;
	int err = esp_opener_new(&s);

	if (err)
		return err;
	for (i = 0; !err && i < f->n_esp; i++) {
		struct esp_fact *e = &f->esp[i];

		e->child = facts_child_by_spi(f, e->spi, e->frame, &to_initiator);
		if (e->child != FACT_NONE)
			f->children[e->child].n_esp[to_initiator ? 0 : 1]++;
		err = esp_opener_open(s, f, i);
	}
	esp_opener_free(s);
	return err;
}
