/* How fast packets are sealed and opened: cipher.h with each library, beside the libraries
 * themselves in the plainest loop that does the same work. All in one run, in turns, so that the
 * ratios mean something on a machine that others use too; the best of several rounds counts.
 *
 *     meson test -C build --benchmark esp-cipher -v
 */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vpn/crypto/alg.h"
#include "vpn/crypto/cipher_backend.h"

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

#define PACKET 1400
#define BATCH  64
#define ROUNDS 7
#define PASSES 60 /* batches a round */

static uint8_t key[128], iv[BATCH][16], aad[BATCH][8], icv[BATCH][64];
static uint8_t data[BATCH][PACKET], sealed[BATCH][PACKET], sealed_icv[BATCH][64];
static struct cipher_job jobs[BATCH];

/* One way to do a batch in `data`; false if a packet failed. */
struct contestant {
	const char *name;
	bool (*start)(struct contestant *c, const struct cipher_info *info, enum cipher_dir dir);
	bool (*batch)(struct contestant *c);
	void (*end)(struct contestant *c);
	const struct cipher_info *info;
	enum cipher_dir dir;
	void *state;
	double best; /* seconds a batch */
};

/* ---- cipher.h ---- */

static bool cipher_start(struct contestant *c, enum cipher_backend backend)
{
	struct cipher *cipher = NULL;

	if (cipher_new_with(backend, c->info, c->dir, key, &cipher))
		return false;
	c->state = cipher;
	return true;
}

static bool ours_openssl_start(struct contestant *c, const struct cipher_info *info,
			       enum cipher_dir dir)
{
	c->info = info;
	c->dir = dir;
	return cipher_start(c, CIPHER_OPENSSL);
}

static bool ours_batch(struct contestant *c)
{
	bool ok = true;
	size_t i;

	if (c->dir == CIPHER_SEAL)
		cipher_seal(c->state, jobs, BATCH);
	else
		cipher_open(c->state, jobs, BATCH);
	for (i = 0; i < BATCH; i++)
		ok = ok && jobs[i].ok;
	return ok;
}

static void ours_end(struct contestant *c)
{
	cipher_free(c->state);
}

/* ---- OpenSSL alone ---- */

static const EVP_CIPHER *evp_of(const struct cipher_info *info)
{
	if (info->encr == ENCR_CHACHA20_POLY1305)
		return EVP_chacha20_poly1305();
	return info->key_bits == 256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

static bool evp_start(struct contestant *c, const struct cipher_info *info, enum cipher_dir dir)
{
	c->info = info;
	c->dir = dir;
	if (!info->aead)
		return false;
	c->state = EVP_CIPHER_CTX_new();
	return EVP_CipherInit_ex(c->state, evp_of(info), NULL, key, NULL, dir == CIPHER_SEAL) == 1;
}

static bool evp_batch(struct contestant *c)
{
	EVP_CIPHER_CTX *evp = c->state;
	uint8_t nonce[12];
	bool ok = true;
	int len;
	size_t i;

	memcpy(nonce, key + c->info->encr_key_len - 4, 4);
	for (i = 0; i < BATCH; i++) {
		memcpy(nonce + 4, iv[i], 8);
		ok = EVP_CipherInit_ex(evp, NULL, NULL, NULL, nonce, -1) == 1 && ok;
		EVP_CipherUpdate(evp, NULL, &len, aad[i], 8);
		if (c->dir == CIPHER_OPEN)
			EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, 16, icv[i]);
		EVP_CipherUpdate(evp, data[i], &len, data[i], PACKET);
		ok = EVP_CipherFinal_ex(evp, nonce, &len) == 1 && ok;
		if (c->dir == CIPHER_SEAL)
			EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, 16, icv[i]);
	}
	return ok;
}

static void evp_end(struct contestant *c)
{
	EVP_CIPHER_CTX_free(c->state);
}

/* ---- ipsec-mb alone ---- */

#ifdef HAVE_IPSEC_MB
static bool ours_mb_start(struct contestant *c, const struct cipher_info *info, enum cipher_dir dir)
{
	c->info = info;
	c->dir = dir;
	return cipher_start(c, CIPHER_IPSEC_MB);
}

static struct gcm_key_data gcm_key __attribute__((aligned(64)));

static bool mb_start(struct contestant *c, const struct cipher_info *info, enum cipher_dir dir)
{
	IMB_MGR *mgr;

	c->info = info;
	c->dir = dir;
	c->state = mgr = info->aead ? alloc_mb_mgr(0) : NULL;
	if (!mgr)
		return false;
	init_mb_mgr_auto(mgr, NULL);
	if (info->encr == ENCR_AES_GCM_16 && info->key_bits == 256)
		IMB_AES256_GCM_PRE(mgr, key, &gcm_key);
	else if (info->encr == ENCR_AES_GCM_16)
		IMB_AES128_GCM_PRE(mgr, key, &gcm_key);
	return true;
}

static void mb_chacha(struct contestant *c, const uint8_t *nonce, size_t i)
{
	IMB_MGR *mgr = c->state;
	IMB_JOB *j = IMB_GET_NEXT_JOB(mgr);

	j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	j->cipher_direction = c->dir == CIPHER_SEAL ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	j->chain_order = c->dir == CIPHER_SEAL ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	j->enc_keys = j->dec_keys = key;
	j->key_len_in_bytes = 32;
	j->iv = nonce;
	j->iv_len_in_bytes = 12;
	j->src = j->dst = data[i];
	j->cipher_start_src_offset_in_bytes = j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_cipher_in_bytes = j->msg_len_to_hash_in_bytes = PACKET;
	j->u.CHACHA20_POLY1305.aad = aad[i];
	j->u.CHACHA20_POLY1305.aad_len_in_bytes = 8;
	j->auth_tag_output = icv[i];
	j->auth_tag_output_len_in_bytes = 16;
	IMB_SUBMIT_JOB_NOCHECK(mgr);
}

static bool mb_batch(struct contestant *c)
{
	IMB_MGR *mgr = c->state;
	struct gcm_context_data ctx;
	bool big = c->info->key_bits == 256;
	aes_gcm_enc_dec_t gcm = c->dir == CIPHER_SEAL ? (big ? mgr->gcm256_enc : mgr->gcm128_enc)
						      : (big ? mgr->gcm256_dec : mgr->gcm128_dec);
	uint8_t nonce[BATCH][12];
	size_t i;

	for (i = 0; i < BATCH; i++) {
		memcpy(nonce[i], key + c->info->encr_key_len - 4, 4);
		memcpy(nonce[i] + 4, iv[i], 8);
		if (c->info->encr == ENCR_CHACHA20_POLY1305)
			mb_chacha(c, nonce[i], i);
		else
			gcm(&gcm_key, &ctx, data[i], data[i], PACKET, nonce[i], aad[i], 8, icv[i],
			    16);
	}
	while (IMB_FLUSH_JOB(mgr))
		;
	return !memcmp(icv, sealed_icv, sizeof(icv));
}

static void mb_end(struct contestant *c)
{
	free_mb_mgr(c->state);
}
#endif

static struct contestant contestants[] = {
    {.name = "OpenSSL alone", .start = evp_start, .batch = evp_batch, .end = evp_end},
    {.name = "ours, openssl", .start = ours_openssl_start, .batch = ours_batch, .end = ours_end},
#ifdef HAVE_IPSEC_MB
    {.name = "ipsec-mb alone", .start = mb_start, .batch = mb_batch, .end = mb_end},
    {.name = "ours, ipsec-mb", .start = ours_mb_start, .batch = ours_batch, .end = ours_end},
#endif
};

#define N_CONTESTANTS (sizeof(contestants) / sizeof(contestants[0]))

/* ---- measuring ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void prepare(const struct cipher_info *info)
{
	struct cipher *c;
	size_t i;

	memset(icv, 0, sizeof(icv));
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7);
	for (i = 0; i < BATCH; i++) {
		memset(iv[i], (int)i + 1, sizeof(iv[i]));
		memset(data[i], (int)i, PACKET);
		jobs[i] = (struct cipher_job){.iv = iv[i],
					      .aad = aad[i],
					      .aad_len = 8,
					      .data = data[i],
					      .icv = icv[i],
					      .data_len = PACKET / info->block * info->block};
	}
	if (cipher_new_with(CIPHER_OPENSSL, info, CIPHER_SEAL, key, &c))
		exit(1);
	cipher_seal(c, jobs, BATCH);
	cipher_free(c);
	memcpy(sealed, data, sizeof(data));
	memcpy(sealed_icv, icv, sizeof(icv));
}

/* The least time of a batch; restoring the packets is not measured. */
static bool measure(struct contestant *c)
{
	size_t pass;

	for (pass = 0; pass < PASSES; pass++) {
		double start, took;
		bool ok;

		if (c->dir == CIPHER_OPEN) {
			memcpy(data, sealed, sizeof(data));
			memcpy(icv, sealed_icv, sizeof(icv));
		} else {
			size_t i;

			for (i = 0; i < BATCH; i++)
				memset(data[i], (int)i, PACKET);
		}
		start = seconds();
		ok = c->batch(c);
		took = seconds() - start;
		if (!ok || memcmp(icv, sealed_icv, sizeof(icv)))
			return false;
		if (c->best == 0 || took < c->best)
			c->best = took;
	}
	return true;
}

static bool compete(const char *title, const struct cipher_info *info, enum cipher_dir dir)
{
	bool in[N_CONTESTANTS];
	double first = 0;
	size_t i, round;

	prepare(info);
	for (i = 0; i < N_CONTESTANTS; i++) {
		contestants[i].best = 0;
		in[i] = contestants[i].start(&contestants[i], info, dir);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < N_CONTESTANTS; i++)
			if (in[i] && !measure(&contestants[i])) {
				printf("%s: %s gave wrong octets\n", title, contestants[i].name);
				return false;
			}
	for (i = 0; i < N_CONTESTANTS; i++) {
		double gbs = in[i] ? BATCH * (double)PACKET / contestants[i].best * 1e-9 : 0;

		if (!in[i])
			continue;
		first = first > 0 ? first : gbs;
		printf("%-22s %-5s %-15s %6.2f GB/s %5.2f\n", title,
		       dir == CIPHER_SEAL ? "seal" : "open", contestants[i].name, gbs, gbs / first);
		contestants[i].end(&contestants[i]);
	}
	return true;
}

int main(void)
{
	static const struct {
		const char *title;
		uint16_t encr, bits, integ;
	} rows[] = {
	    {"chacha20poly1305", ENCR_CHACHA20_POLY1305, 0, INTEG_NONE},
	    {"aes128gcm16", ENCR_AES_GCM_16, 128, INTEG_NONE},
	    {"aes256gcm16", ENCR_AES_GCM_16, 256, INTEG_NONE},
	    {"aes256-sha256", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128},
	};
	struct cipher_info info;
	bool ok = true;
	size_t i;

	printf(
	    "%d octets a packet, %d packets a batch, best of %d; the last column is the ratio to "
	    "the first line\n",
	    PACKET, BATCH, ROUNDS * PASSES);
	for (i = 0; ok && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (cipher_describe(rows[i].encr, rows[i].bits, rows[i].integ, &info))
			return 1;
		ok = compete(rows[i].title, &info, CIPHER_SEAL) &&
		     compete(rows[i].title, &info, CIPHER_OPEN);
	}
	return ok ? 0 : 1;
}
