/* keymat.c - SKEYSEED, the seven SK_ keys, and Child SA keys (RFC 7296 §2.13, §2.14, §2.17).
 *
 * The ciphers are keyed here once and the raw SK_e and SK_a are wiped; what stays is SK_d for
 * children and SK_p for AUTH. */
#include "vpn/ike/keymat.h"

#include <string.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/base/writer.h"
#include "vpn/crypto/ke.h"
#include "vpn/wire/payload.h"

#define SEED_MAX (KE_SECRET_MAX + 2 * NONCE_MAX)

/* The seven keys follow each other in the stream of prf+ (RFC 7296 §2.14). */
struct split {
	uint8_t *d, *ai, *ar, *ei, *er, *pi, *pr;
	size_t total;
};

static struct split split_keys(uint8_t *stream, size_t prf_length, const struct cipher_info *info)
{
	struct split s = {.d = stream};

	s.ai = s.d + prf_length;
	s.ar = s.ai + info->integ_key_len;
	s.ei = s.ar + info->integ_key_len;
	s.er = s.ei + info->encr_key_len;
	s.pi = s.er + info->encr_key_len;
	s.pr = s.pi + prf_length;
	s.total = (size_t)(s.pr + prf_length - stream);
	return s;
}

static int make_cipher(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *e,
		       const uint8_t *a, struct cipher **ret_cipher)
{
	uint8_t key[IPSEC_KEY_MAX];
	int err;

	memcpy(key, e, info->encr_key_len);
	memcpy(key + info->encr_key_len, a, info->integ_key_len);
	err = cipher_new(info, dir, key, ret_cipher);
	secret_wipe(key, sizeof(key));
	return err;
}

/* The new SA's PRF for a first SKEYSEED (§2.14), the old SA's for a rekeyed one (§2.18). */
static int skeyseed(const struct keymat_input *in, uint8_t out[PRF_MAX_LEN], size_t *ret_len)
{
	uint8_t nonces[2 * NONCE_MAX];
	struct writer w = wr_init(nonces, sizeof(nonces));
	uint16_t prf = in->old ? in->old->suite.prf : in->suite.prf;
	struct view old_key, parts[2];

	wr_bytes(&w, in->ni.p, in->ni.len);
	wr_bytes(&w, in->nr.p, in->nr.len);
	if (!wr_ok(&w))
		return ERR_SPACE;
	*ret_len = prf_len(prf);
	parts[0] = in->secret;
	parts[1] = (struct view){nonces, w.len};
	if (!in->old)
		return prf_compute(prf, parts[1], parts, 1, out);
	old_key = (struct view){in->old->sk_d, in->old->prf_len};
	return prf_compute(prf, old_key, parts, 2, out);
}

static void fill_log(struct keymat_log *log, const struct keymat_input *in, const struct split *s,
		     const uint8_t *stream, size_t prf_length, const struct cipher_info *info)
{
	uint8_t *k = log->keys;

	memcpy(k, stream, s->total);
	log->info = (struct ike_keys_info){
	    .spi_i = in->spi_i,
	    .spi_r = in->spi_r,
	    .encr = in->suite.encr,
	    .encr_bits = in->suite.encr_bits,
	    .integ = in->suite.integ,
	    .prf = in->suite.prf,
	    .sk_d = {k, prf_length},
	    .sk_ai = {k + (s->ai - stream), info->integ_key_len},
	    .sk_ar = {k + (s->ar - stream), info->integ_key_len},
	    .sk_ei = {k + (s->ei - stream), info->encr_key_len},
	    .sk_er = {k + (s->er - stream), info->encr_key_len},
	    .sk_pi = {k + (s->pi - stream), prf_length},
	    .sk_pr = {k + (s->pr - stream), prf_length},
	};
}

/* {SK_d | SK_ai | ... | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr). */
static int expand(const struct keymat_input *in, uint8_t *stream, size_t len)
{
	uint8_t seedkey[PRF_MAX_LEN], seed[2 * NONCE_MAX + 16];
	struct writer w = wr_init(seed, sizeof(seed));
	size_t seedkey_len;
	int err;

	wr_bytes(&w, in->ni.p, in->ni.len);
	wr_bytes(&w, in->nr.p, in->nr.len);
	wr_u64(&w, in->spi_i);
	wr_u64(&w, in->spi_r);
	err = wr_ok(&w) ? skeyseed(in, seedkey, &seedkey_len) : ERR_SPACE;
	if (!err)
		err = prf_plus(in->suite.prf, (struct view){seedkey, seedkey_len},
			       (struct view){seed, w.len}, stream, len);
	secret_wipe(seedkey, sizeof(seedkey));
	return err;
}

int keymat_derive(struct keymat *km, const struct keymat_input *in, struct keymat_log *ret_log)
{
	const struct suite *suite = &in->suite;
	struct keymat k = {.suite = *suite, .prf_len = prf_len(suite->prf)};
	uint8_t stream[7 * IKE_SK_MAX];
	bool we_began = in->initiator;
	struct cipher_info info;
	struct split s;
	int err;

	err = cipher_describe(suite->encr, suite->encr_bits, suite->integ, &info);
	if (err)
		return err;
	s = split_keys(stream, k.prf_len, &info);
	err = expand(in, stream, s.total);
	if (!err)
		err = make_cipher(&info, CIPHER_SEAL, we_began ? s.ei : s.er,
				  we_began ? s.ai : s.ar, &k.seal);
	if (!err)
		err = make_cipher(&info, CIPHER_OPEN, we_began ? s.er : s.ei,
				  we_began ? s.ar : s.ai, &k.open);
	if (err) {
		keymat_clear(&k);
	} else {
		memcpy(k.sk_d, s.d, k.prf_len);
		memcpy(k.sk_pi, s.pi, k.prf_len);
		memcpy(k.sk_pr, s.pr, k.prf_len);
		if (ret_log)
			fill_log(ret_log, in, &s, stream, k.prf_len, &info);
		*km = k;
	}
	secret_wipe(stream, sizeof(stream));
	secret_wipe(&k, sizeof(k));
	return err;
}

void keymat_clear(struct keymat *km)
{
	cipher_free(km->seal);
	cipher_free(km->open);
	secret_wipe(km, sizeof(*km));
}

int keymat_child(const struct keymat *km, const struct ipsec_alg *alg, struct view secret,
		 struct view ni, struct view nr, uint8_t i2r[IPSEC_KEY_MAX],
		 uint8_t r2i[IPSEC_KEY_MAX], size_t *ret_len)
{
	uint8_t seed[SEED_MAX], out[2 * IPSEC_KEY_MAX];
	struct writer w = wr_init(seed, sizeof(seed));
	struct cipher_info info;
	size_t len;
	int err;

	err = cipher_describe(alg->encr, alg->encr_bits, alg->integ, &info);
	if (err)
		return err;
	len = info.encr_key_len + info.integ_key_len;
	wr_bytes(&w, secret.p, secret.len);
	wr_bytes(&w, ni.p, ni.len);
	wr_bytes(&w, nr.p, nr.len);
	if (!wr_ok(&w) || len > IPSEC_KEY_MAX)
		return ERR_SPACE;
	err = prf_plus(km->suite.prf, (struct view){km->sk_d, km->prf_len},
		       (struct view){seed, w.len}, out, 2 * len);
	if (!err) {
		memcpy(i2r, out, len);
		memcpy(r2i, out + len, len);
		*ret_len = len;
	}
	secret_wipe(seed, sizeof(seed));
	secret_wipe(out, sizeof(out));
	return err;
}
