/* HMAC against RFC 4868 §2.7.2.1 and RFC 4231; prf+ against values computed with Python's hmac
 * module. */
#include "vpn/tests/unhex.h"

#include <string.h>

#include "vpn/base/err.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/prf.h"

static void hmac_gives_the_values_of_rfc_4868(void **state)
{
	static const struct {
		uint16_t prf;
		const char *key, *data, *mac;
	} rows[] = {
	    {PRF_HMAC_SHA2_256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	     "4869205468657265",
	     "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"},
	    {PRF_HMAC_SHA2_384,
	     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
	     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	     "4869205468657265",
	     "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee9737a959796489bddbc"
	     "4c5df61d5b3297b4fb68dab9f1b582c2"},
	    {PRF_HMAC_SHA2_512,
	     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
	     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	     "4869205468657265",
	     "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"
	     "ac2878ebd5803f6f0b61dbce5e251ff8789a4722c1be65aea45fd464e89f8f5b"},
	};
	uint8_t key[64], data[64], want[64], got[PRF_MAX_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view k = unhex_view(rows[i].key, key), d = unhex_view(rows[i].data, data);

		assert_int_equal(unhex(rows[i].mac, want), prf_len(rows[i].prf));
		assert_int_equal(prf_compute(rows[i].prf, k, &d, 1, got), 0);
		assert_memory_equal(got, want, prf_len(rows[i].prf));
	}
}

/* RFC 4231 §4.7: a key longer than the hash's block is hashed first (a long PSK). */
static void a_key_longer_than_a_block_is_hashed(void **state)
{
	static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	struct view parts[2] = {{(const uint8_t *)text, 20},
				{(const uint8_t *)text + 20, sizeof(text) - 1 - 20}};
	uint8_t key[131], want[32], got[PRF_MAX_LEN];

	(void)state;
	memset(key, 0xaa, sizeof(key));
	unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", want);
	assert_int_equal(
	    prf_compute(PRF_HMAC_SHA2_256, (struct view){key, sizeof(key)}, parts, 2, got), 0);
	assert_memory_equal(got, want, sizeof(want));
}

/* key 20 21 22 ... (as long as the hash), seed 80 81 ... a7 */
static void prf_plus_gives_the_values_of_another_implementation(void **state)
{
	static const struct {
		uint16_t prf;
		const char *out;
	} rows[] = {
	    {PRF_HMAC_SHA2_256,
	     "239837342fa763a6c17b9da8a42bb1c8565c36690bb4a48044752f1120efd36ff13c590215d0f7fceffd"
	     "8fca454b1221b9ace07f7181e3dbfccc2f4d07fe86fb27389f933b99de33291960ab42c38e83940aed03"
	     "9aaf8a9a092d33fe9935424b8f7cff4f198bb343afe5fe97b373d1714eb164ff041731ee6757c4137cc1"
	     "6cfe93892a19c50d1358f87a8fc39149449875559ef21833"},
	    {PRF_HMAC_SHA2_384,
	     "0e3a45fecb5e84edd3cfd82161cf3bc99e35654dfbe91fb25a3302863d672777036e62629d3b160c761a"
	     "45e236aa01b1681a819e302bc12f8483ffe4ada94c2a0b2fdc798c72e4c87b87a55e41870b6283ab31c2"
	     "61a42175d8b3514d600da12df8d38b1f2231959c3ef9293b228601dac9373408958e0f71908a25f3c8bf"
	     "de8f47a48ba6fbab8fb059e95526fa64b02fd64b33d1e794"},
	    {PRF_HMAC_SHA2_512,
	     "7d36d028e25236f00d411f8c1213d7e05bd0d0bfe11eec52ef708110153f55ffd1410d1912ed1d3dfc6a"
	     "1562c69275eec5dc3db4c7f7cde57ea11fd7d4010555fe3125ff91290bfd6b71de1487ed0ca6a34faea6"
	     "09c9a90f97cbb6e0c1eba07a9fd3c1a0139182d96f09aae9b0dac5c97ba3c9e110fd62814f2578d8a306"
	     "d1463f0a36d309f58a6e07efc717cb0e74c7a39d56005325"},
	};
	uint8_t key[64], seed[40], want[150], got[151];
	size_t i, j;

	(void)state;
	for (j = 0; j < sizeof(key); j++)
		key[j] = (uint8_t)(0x20 + j);
	for (j = 0; j < sizeof(seed); j++)
		seed[j] = (uint8_t)(0x80 + j);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(unhex(rows[i].out, want), sizeof(want));
		got[150] = 0x5a;
		assert_int_equal(prf_plus(rows[i].prf, (struct view){key, prf_len(rows[i].prf)},
					  (struct view){seed, sizeof(seed)}, got, 150),
				 0);
		assert_memory_equal(got, want, sizeof(want));
		assert_int_equal(got[150], 0x5a);
	}
}

/* RFC 7296 §2.13: the counter is one octet. */
static void prf_plus_ends_after_255_blocks(void **state)
{
	static uint8_t out[255 * 32 + 1];
	struct view k = {(const uint8_t *)"key", 3};

	(void)state;
	assert_int_equal(prf_plus(PRF_HMAC_SHA2_256, k, k, out, 255 * 32), 0);
	assert_int_equal(prf_plus(PRF_HMAC_SHA2_256, k, k, out, 255 * 32 + 1), ERR_INVALID);
	assert_int_equal(prf_plus(2, k, k, out, 20), ERR_UNSUPPORTED);
}

/* FIPS 180 examples: "abc" */
static void digests_give_the_values_of_fips_180(void **state)
{
	static const struct {
		enum digest alg;
		const char *out;
	} rows[] = {
	    {DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
	    {DIGEST_SHA2_256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {DIGEST_SHA2_384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			      "8086072ba1e7cc2358baeca134c825a7"},
	    {DIGEST_SHA2_512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	};
	struct view parts[3] = {{(const uint8_t *)"a", 1}, {NULL, 0}, {(const uint8_t *)"bc", 2}};
	uint8_t want[64], got[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(unhex(rows[i].out, want), rows[i].alg);
		assert_int_equal(digest_compute(rows[i].alg, parts, 3, got), 0);
		assert_memory_equal(got, want, rows[i].alg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hmac_gives_the_values_of_rfc_4868),
	    cmocka_unit_test(a_key_longer_than_a_block_is_hashed),
	    cmocka_unit_test(prf_plus_gives_the_values_of_another_implementation),
	    cmocka_unit_test(prf_plus_ends_after_255_blocks),
	    cmocka_unit_test(digests_give_the_values_of_fips_180),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
