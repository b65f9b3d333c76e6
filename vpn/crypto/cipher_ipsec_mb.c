/* cipher_ipsec_mb.c - the AEADs with intel-ipsec-mb.
 *
 * A cipher holds only its expanded key (1 kB for AES-GCM). The library's manager, which is large,
 * belongs to the thread that does the work: made at the thread's first packet, freed when the
 * thread ends. So SAs are cheap, a cipher may move between threads, and threads never meet in one
 * manager.
 *
 * ChaCha20-Poly1305 goes through the job interface (submit, then flush what is still inside);
 * AES-GCM through the direct calls, which return when the packet is done. The library writes the
 * tag that it computed; comparing it, in constant time, is done here.
 *
 * Without SSE4.2 and AES-NI the library would emulate, slower than OpenSSL: then `supports` says
 * no. */
#include "vpn/crypto/cipher_backend.h"

#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"

#define BATCH 32 /* nonces and tags on the stack at once */
#define ALIGN 64 /* of struct gcm_key_data */

struct mb_cipher {
	struct cipher base;
	uint8_t salt[CIPHER_SALT_LEN];
	union {
		uint8_t chacha[32];
		struct gcm_key_data gcm;
	} key __attribute__((aligned(ALIGN)));
};

static __thread IMB_MGR *thread_mgr;
static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static bool thread_key_ok;

static void free_mgr(void *mgr)
{
	free_mb_mgr(mgr);
}

static void make_thread_key(void)
{
	thread_key_ok = pthread_key_create(&thread_key, free_mgr) == 0;
}

static IMB_MGR *make_mgr(void)
{
	const uint64_t needed = IMB_FEATURE_SSE4_2 | IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
	IMB_MGR *mgr;

	pthread_once(&thread_once, make_thread_key);
	mgr = thread_key_ok ? alloc_mb_mgr(0) : NULL;
	if (!mgr)
		return NULL;
	if ((mgr->features & needed) == needed)
		init_mb_mgr_auto(mgr, NULL);
	if ((mgr->features & needed) != needed || imb_get_errno(mgr) ||
	    pthread_setspecific(thread_key, mgr)) {
		free_mb_mgr(mgr);
		return NULL;
	}
	thread_mgr = mgr;
	return mgr;
}

static inline IMB_MGR *get_mgr(void)
{
	return thread_mgr ? thread_mgr : make_mgr();
}

static bool supports(const struct cipher_info *info)
{
	return info->aead && get_mgr();
}

static void destroy(struct cipher *base)
{
	secret_wipe(base, sizeof(struct mb_cipher));
	free(base);
}

static int create(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *key,
		  struct cipher **ret_cipher)
{
	size_t len = info->encr_key_len - CIPHER_SALT_LEN;
	struct mb_cipher *c = aligned_alloc(ALIGN, sizeof(*c));

	(void)dir;
	if (!c)
		return ERR_NOMEM;
	memset(c, 0, sizeof(*c));
	memcpy(c->salt, key + len, CIPHER_SALT_LEN);
	if (info->encr == ENCR_CHACHA20_POLY1305)
		memcpy(c->key.chacha, key, len);
	else if (info->key_bits == 256)
		IMB_AES256_GCM_PRE(get_mgr(), key, &c->key.gcm);
	else
		IMB_AES128_GCM_PRE(get_mgr(), key, &c->key.gcm);
	*ret_cipher = &c->base;
	return 0;
}

static void make_nonce(const struct mb_cipher *c, const struct cipher_job *job, uint8_t *nonce)
{
	memcpy(nonce, c->salt, CIPHER_SALT_LEN);
	memcpy(nonce + CIPHER_SALT_LEN, job->iv, CIPHER_AEAD_IV_LEN);
}

/* What the library did with one job; tag is what it computed. */
static void finish(enum cipher_dir dir, struct cipher_job *job, const uint8_t *tag, bool done)
{
	if (dir == CIPHER_SEAL)
		memcpy(job->icv, tag, CIPHER_AEAD_ICV_LEN);
	else
		done = done && secret_eq(tag, job->icv, CIPHER_AEAD_ICV_LEN);
	job->ok = done && !job->tail_len;
}

static void gcm_run(IMB_MGR *mgr, struct mb_cipher *c, struct cipher_job *jobs, size_t n)
{
	aes_gcm_enc_dec_t crypt;
	struct gcm_context_data ctx;
	uint8_t nonce[CIPHER_NONCE_LEN], tag[CIPHER_AEAD_ICV_LEN];
	size_t i;

	if (c->base.dir == CIPHER_SEAL)
		crypt = c->base.info.key_bits == 256 ? mgr->gcm256_enc : mgr->gcm128_enc;
	else
		crypt = c->base.info.key_bits == 256 ? mgr->gcm256_dec : mgr->gcm128_dec;
	for (i = 0; i < n; i++) {
		make_nonce(c, &jobs[i], nonce);
		crypt(&c->key.gcm, &ctx, jobs[i].data, jobs[i].data, jobs[i].data_len, nonce,
		      jobs[i].aad, jobs[i].aad_len, tag, sizeof(tag));
		finish(c->base.dir, &jobs[i], tag, true);
	}
	secret_wipe(&ctx, sizeof(ctx));
}

/* One packet in flight. */
struct flight {
	struct cipher_job *job;
	uint8_t nonce[CIPHER_NONCE_LEN];
	uint8_t tag[CIPHER_AEAD_ICV_LEN];
};

static void chacha_fill(const struct mb_cipher *c, struct flight *f, IMB_JOB *j)
{
	make_nonce(c, f->job, f->nonce);
	j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	j->cipher_direction = c->base.dir == CIPHER_SEAL ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	j->chain_order = c->base.dir == CIPHER_SEAL ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	j->enc_keys = c->key.chacha;
	j->dec_keys = c->key.chacha;
	j->key_len_in_bytes = sizeof(c->key.chacha);
	j->iv = f->nonce;
	j->iv_len_in_bytes = CIPHER_NONCE_LEN;
	j->src = f->job->data;
	j->dst = f->job->data;
	j->cipher_start_src_offset_in_bytes = 0;
	j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_cipher_in_bytes = f->job->data_len;
	j->msg_len_to_hash_in_bytes = f->job->data_len;
	j->u.CHACHA20_POLY1305.aad = f->job->aad;
	j->u.CHACHA20_POLY1305.aad_len_in_bytes = f->job->aad_len;
	j->auth_tag_output = f->tag;
	j->auth_tag_output_len_in_bytes = CIPHER_AEAD_ICV_LEN;
	j->user_data = f;
}

static void chacha_finish(const struct mb_cipher *c, const IMB_JOB *j)
{
	struct flight *f = j->user_data;

	finish(c->base.dir, f->job, f->tag, j->status == IMB_STATUS_COMPLETED);
}

static void chacha_run(IMB_MGR *mgr, struct mb_cipher *c, struct cipher_job *jobs, size_t n)
{
	struct flight flights[BATCH];
	IMB_JOB *j;
	size_t i;

	for (i = 0; i < n; i++) {
		flights[i].job = &jobs[i];
		chacha_fill(c, &flights[i], IMB_GET_NEXT_JOB(mgr));
		for (j = IMB_SUBMIT_JOB_NOCHECK(mgr); j; j = IMB_GET_COMPLETED_JOB(mgr))
			chacha_finish(c, j);
	}
	while ((j = IMB_FLUSH_JOB(mgr)))
		chacha_finish(c, j);
}

static void run(struct cipher *base, struct cipher_job *jobs, size_t n)
{
	struct mb_cipher *c = (struct mb_cipher *)base;
	IMB_MGR *mgr = get_mgr();
	size_t i, step;

	for (i = 0; i < n; i++)
		jobs[i].ok = false;
	for (i = 0; mgr && i < n; i += step) {
		step = n - i < BATCH ? n - i : BATCH;
		if (base->info.encr == ENCR_CHACHA20_POLY1305)
			chacha_run(mgr, c, jobs + i, step);
		else
			gcm_run(mgr, c, jobs + i, step);
	}
}

const struct cipher_ops cipher_ipsec_mb = {
    .name = "ipsec-mb",
    .supports = supports,
    .create = create,
    .destroy = destroy,
    .run = run,
};
