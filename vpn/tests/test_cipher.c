/* Packet ciphers: RFC and NIST vectors, each through every library that is built in.
 *
 * AES-GCM: test cases 4 and 16 of McGrew and Viega's GCM specification, with its 12-octet nonce
 * split into salt and IV. ChaCha20-Poly1305: RFC 7634 appendices A and B. CBC + HMAC: computed with
 * the openssl command and Python's hmac module. */
#include "vpn/tests/unhex.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/err.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/cipher_backend.h"

struct vector {
	uint16_t encr, bits, integ;
	const char *key, *aad, *iv, *plain, *tail, *sealed, *icv;
};

#define KEY_00_0F "000102030405060708090a0b0c0d0e0f"
#define KEY_10_1F "101112131415161718191a1b1c1d1e1f"
#define KEY_40_5F "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
#define KEY_60_7F "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
#define KEY_60_6F "606162636465666768696a6b6c6d6e6f"
#define KEY_80_9F "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
#define IV_A0_AF  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define BLOCKS	  "696e2077686f6c6520626c6f636b73206f66207369787465656e206f63746574"

static const struct vector vectors[] = {
    /* RFC 7634 appendix A: ESP */
    {ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, KEY_80_9F "a0a1a2a3", "0102030400000005",
     "1011121314151617",
     "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
     "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
     "2425262728292a2b2c2d2e2f303132333435363701020204",
     "",
     "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
     "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
     "cbec163fac469b502773f6fb94e664da9165b82829f641e0",
     "76aaa8266b7fb0f7b11b369907e1ad43"},
    /* RFC 7634 appendix B: IKE */
    {ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, KEY_80_9F "a0a1a2a3",
     "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029", "1011121314151617",
     "0000000c000040010000000a00", "", "610394701f8d017f7c12924889",
     "6b71bfe25236efd7cdc67066906315b2"},
    {ENCR_AES_GCM_16, 128, INTEG_NONE, "feffe9928665731c6d6a8f9467308308cafebabe",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2", "facedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {ENCR_AES_GCM_16, 256, INTEG_NONE,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308cafebabe",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2", "facedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, KEY_00_0F KEY_40_5F, "c0ffee0100000007", IV_A0_AF,
     BLOCKS, "00000001", "c9003375e225f6bbb51ef313f886b71a749755ebc157933ccf60905a4fd63397",
     "b05fd346348089cc0646d8c62af29214"},
    {ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_384_192, KEY_00_0F KEY_10_1F KEY_40_5F KEY_60_6F,
     "c0ffee0100000007", IV_A0_AF, BLOCKS, "00000001",
     "e66f75f2915719fb63a8cb4f8e6cd4bd4978b899beb392e4bc5301bf24904311",
     "6ccb41c74dbd153a2968b916128efdf72cc5d30d1dbeb8c3"},
    {ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256, KEY_00_0F KEY_10_1F KEY_40_5F KEY_60_7F,
     "c0ffee0100000007", IV_A0_AF, BLOCKS, "00000001",
     "e66f75f2915719fb63a8cb4f8e6cd4bd4978b899beb392e4bc5301bf24904311",
     "39f758a3c4e44d2e08d22003ded452acc3e6481d16d96a8dfec5ab0ba4b99469"},
};

#define N_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static const enum cipher_backend backends[] = {CIPHER_OPENSSL, CIPHER_IPSEC_MB};

/* A vector in octets, and a job that points at them. */
struct packet {
	struct cipher_info info;
	uint8_t key[128], aad[64], iv[16], data[256], tail[8], icv[64], plain[256], sealed[256],
	    want_icv[64];
	struct cipher_job job;
};

static void load(const struct vector *v, enum cipher_dir dir, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(cipher_describe(v->encr, v->bits, v->integ, &p->info), 0);
	assert_int_equal(unhex(v->key, p->key), p->info.encr_key_len + p->info.integ_key_len);
	assert_int_equal(unhex(v->iv, p->iv), p->info.iv_len);
	assert_int_equal(unhex(v->icv, p->want_icv), p->info.icv_len);
	p->job = (struct cipher_job){
	    .iv = p->iv, .aad = p->aad, .data = p->data, .tail = p->tail, .icv = p->icv};
	p->job.aad_len = unhex(v->aad, p->aad);
	p->job.tail_len = unhex(v->tail, p->tail);
	p->job.data_len = unhex(v->plain, p->plain);
	assert_int_equal(unhex(v->sealed, p->sealed), p->job.data_len);
	memcpy(p->data, dir == CIPHER_SEAL ? p->plain : p->sealed, p->job.data_len);
	if (dir == CIPHER_OPEN)
		memcpy(p->icv, p->want_icv, p->info.icv_len);
}

/* NULL if that library cannot do this cipher, which only ipsec-mb may say. */
static struct cipher *make(enum cipher_backend backend, enum cipher_dir dir, const struct packet *p)
{
	struct cipher *c = NULL;
	int err = cipher_new_with(backend, &p->info, dir, p->key, &c);

	if (backend == CIPHER_IPSEC_MB && err == ERR_UNSUPPORTED)
		return NULL;
	assert_int_equal(err, 0);
	assert_string_equal(cipher_backend(c), backend == CIPHER_OPENSSL ? "openssl" : "ipsec-mb");
	return c;
}

static void seal_gives_the_vectors(void **state)
{
	struct packet p;
	size_t i, b;

	(void)state;
	for (b = 0; b < 2; b++)
		for (i = 0; i < N_VECTORS; i++) {
			struct cipher *c;

			load(&vectors[i], CIPHER_SEAL, &p);
			c = make(backends[b], CIPHER_SEAL, &p);
			if (!c)
				continue;
			cipher_seal(c, &p.job, 1);
			cipher_free(c);
			assert_true(p.job.ok);
			assert_memory_equal(p.data, p.sealed, p.job.data_len);
			assert_memory_equal(p.icv, p.want_icv, p.info.icv_len);
		}
}

static void open_gives_the_vectors(void **state)
{
	struct packet p;
	size_t i, b;

	(void)state;
	for (b = 0; b < 2; b++)
		for (i = 0; i < N_VECTORS; i++) {
			struct cipher *c;

			load(&vectors[i], CIPHER_OPEN, &p);
			c = make(backends[b], CIPHER_OPEN, &p);
			if (!c)
				continue;
			cipher_open(c, &p.job, 1);
			cipher_free(c);
			assert_true(p.job.ok);
			assert_memory_equal(p.data, p.plain, p.job.data_len);
		}
}

/* Opens the vector with one bit of `at` turned over. */
static void expect_refused(const struct vector *v, enum cipher_backend backend, size_t offset,
			   size_t len)
{
	struct packet p;
	struct cipher *c;
	size_t i;

	for (i = 0; i < len; i++) {
		load(v, CIPHER_OPEN, &p);
		c = make(backend, CIPHER_OPEN, &p);
		if (!c)
			return;
		((uint8_t *)&p)[offset + i] ^= 0x10;
		cipher_open(c, &p.job, 1);
		assert_false(p.job.ok);
		cipher_free(c);
	}
}

static void one_wrong_bit_anywhere_is_refused(void **state)
{
	struct packet p;
	size_t i, b;

	(void)state;
	for (b = 0; b < 2; b++)
		for (i = 0; i < N_VECTORS; i++) {
			const struct vector *v = &vectors[i];

			load(v, CIPHER_OPEN, &p);
			expect_refused(v, backends[b], offsetof(struct packet, icv),
				       p.info.icv_len);
			expect_refused(v, backends[b], offsetof(struct packet, iv), p.info.iv_len);
			expect_refused(v, backends[b], offsetof(struct packet, aad), p.job.aad_len);
			expect_refused(v, backends[b], offsetof(struct packet, data),
				       p.job.data_len);
			expect_refused(v, backends[b], offsetof(struct packet, tail),
				       p.job.tail_len);
		}
}

#define BATCH_N	  77
#define BATCH_MAX 96

struct batch {
	uint8_t iv[BATCH_N][16], aad[BATCH_N][8], data[BATCH_N][BATCH_MAX], icv[BATCH_N][32];
	struct cipher_job jobs[BATCH_N];
};

/* Packets of 0, 1, 2 ... octets (or blocks), each with an IV of its own. */
static void fill_batch(struct batch *b, size_t block)
{
	size_t i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < BATCH_N; i++) {
		b->iv[i][0] = b->aad[i][7] = (uint8_t)(i + 1);
		memset(b->data[i], (int)i, BATCH_MAX);
		b->jobs[i] = (struct cipher_job){.iv = b->iv[i],
						 .aad = b->aad[i],
						 .aad_len = 8,
						 .data = b->data[i],
						 .icv = b->icv[i],
						 .data_len = i % (BATCH_MAX / block + 1) * block};
	}
}

static void seal_and_open_batch(enum cipher_backend one, enum cipher_backend other,
				const struct packet *p)
{
	static struct batch b;
	struct cipher *seal = make(one, CIPHER_SEAL, p), *open = make(other, CIPHER_OPEN, p);
	size_t i, j;

	if (seal && open) {
		fill_batch(&b, p->info.block);
		cipher_seal(seal, b.jobs, BATCH_N);
		b.icv[41][0] ^= 1;
		cipher_open(open, b.jobs, BATCH_N);
		for (i = 0; i < BATCH_N; i++) {
			assert_int_equal(b.jobs[i].ok, i != 41);
			for (j = 0; i != 41 && j < BATCH_MAX; j++)
				assert_int_equal(b.data[i][j], i);
		}
	}
	cipher_free(seal);
	cipher_free(open);
}

/* What one library seals, the other opens, also packets without data; a forged one is alone
 * refused. */
static void libraries_agree_on_batches_of_all_lengths(void **state)
{
	struct packet p;
	size_t i, one, other;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		load(&vectors[i], CIPHER_SEAL, &p);
		for (one = 0; one < 2; one++)
			for (other = 0; other < 2; other++)
				seal_and_open_batch(backends[one], backends[other], &p);
	}
}

static void cbc_data_that_is_not_whole_blocks_is_refused(void **state)
{
	struct packet p;
	struct cipher *c;

	(void)state;
	load(&vectors[4], CIPHER_SEAL, &p);
	c = make(CIPHER_OPENSSL, CIPHER_SEAL, &p);
	p.job.data_len = 31;
	cipher_seal(c, &p.job, 1);
	assert_false(p.job.ok);
	cipher_free(c);
}

static void pairs_that_do_not_exist_are_unsupported(void **state)
{
	struct cipher_info info;

	(void)state;
	/* RFC 5282 §8: no integrity transform beside an AEAD */
	assert_int_equal(cipher_describe(ENCR_AES_GCM_16, 256, INTEG_HMAC_SHA2_256_128, &info),
			 ERR_UNSUPPORTED);
	assert_int_equal(cipher_describe(ENCR_AES_CBC, 256, INTEG_NONE, &info), ERR_UNSUPPORTED);
	assert_int_equal(cipher_describe(ENCR_AES_GCM_16, 192, INTEG_NONE, &info), ERR_UNSUPPORTED);
	assert_int_equal(cipher_describe(3, 0, INTEG_HMAC_SHA2_256_128, &info), ERR_UNSUPPORTED);
}

static void key_lengths_are_those_of_the_rfcs(void **state)
{
	struct cipher_info info;

	(void)state;
	/* RFC 4106 §8.1: 36 octets for a 256-bit key; RFC 7634 §2; RFC 4868 §2.1.1 */
	assert_int_equal(cipher_describe(ENCR_AES_GCM_16, 256, INTEG_NONE, &info), 0);
	assert_int_equal(info.encr_key_len, 36);
	assert_int_equal(info.integ_key_len, 0);
	assert_int_equal(cipher_describe(ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, &info), 0);
	assert_int_equal(info.encr_key_len, 36);
	assert_int_equal(cipher_describe(ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_384_192, &info), 0);
	assert_int_equal(info.encr_key_len, 16);
	assert_int_equal(info.integ_key_len, 48);
	assert_int_equal(info.icv_len, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seal_gives_the_vectors),
	    cmocka_unit_test(open_gives_the_vectors),
	    cmocka_unit_test(one_wrong_bit_anywhere_is_refused),
	    cmocka_unit_test(libraries_agree_on_batches_of_all_lengths),
	    cmocka_unit_test(cbc_data_that_is_not_whole_blocks_is_refused),
	    cmocka_unit_test(pairs_that_do_not_exist_are_unsupported),
	    cmocka_unit_test(key_lengths_are_those_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
