/* Key exchange against RFC 7748 §6.1 and RFC 5903 §8; MODP against a calculation with Python's
 * integers (RFC 3526's formula for the prime), of which the SHA-256 stands here. */
#include "vpn/tests/unhex.h"

#include <string.h>

#include "vpn/base/err.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/ke.h"
#include "vpn/crypto/prf.h"

/* A random source that gives out the octets of a list, one entry a call. */
struct script {
	const char *hex[3];
	size_t at;
};

static int scripted(void *ctx, uint8_t *buf, size_t n)
{
	struct script *s = ctx;
	size_t len;

	if (s->at == 3 || !s->hex[s->at])
		return ERR_CRYPTO;
	assert_int_equal(hex_parse(s->hex[s->at++], buf, n, &len), 0);
	assert_int_equal(len, n);
	return 0;
}

static int counting(void *ctx, uint8_t *buf, size_t n)
{
	uint8_t *next = ctx;
	size_t i;

	for (i = 0; i < n; i++)
		buf[i] = (*next)++;
	return 0;
}

static struct ke *from_private(uint16_t group, const char *hex)
{
	struct script s = {{hex, NULL, NULL}, 0};
	struct ke *ke = NULL;

	assert_int_equal(ke_new(group, scripted, &s, &ke), 0);
	assert_int_equal(ke_group(ke), group);
	return ke;
}

static const struct vector {
	uint16_t group;
	const char *a, *b, *a_public, *b_public, *secret;
} vectors[] = {
    {KE_X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    {KE_ECP_256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
     "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
     "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
     "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
     "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
     "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
     "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"},
    {KE_ECP_384,
     "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655"
     "E35B538041E649EE3FAEF896783AB194",
     "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942"
     "E0308312916B8ED2960E4BD55A7448FC",
     "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6"
     "DE3AC808ACB4BDB4C88732AEE95F41AA9482ED1FC0EEB9CAFC4984625CCFC23F"
     "65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C634573A81C",
     "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D"
     "0D1AC43A0336DEF96FDA41D0774A3571DCFBEC7AACF3196472169E838430367F"
     "66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C",
     "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4"
     "D603135569B9E9D09CF5D4A270F59746"},
};

static void expect_derives(const struct ke *ke, struct view peer, const char *secret)
{
	uint8_t want[64], got[KE_SECRET_MAX];
	size_t len = 0;

	assert_int_equal(ke_derive(ke, peer, got, &len), 0);
	assert_int_equal(len, unhex(secret, want));
	assert_memory_equal(got, want, len);
}

static void curves_give_the_values_of_the_rfcs(void **state)
{
	uint8_t want[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct ke *a = from_private(v->group, v->a), *b = from_private(v->group, v->b);

		assert_int_equal(ke_public(a).len, unhex(v->a_public, want));
		assert_int_equal(ke_public(a).len, ke_public_len(v->group));
		assert_memory_equal(ke_public(a).p, want, ke_public(a).len);
		unhex(v->b_public, want);
		assert_memory_equal(ke_public(b).p, want, ke_public(b).len);
		expect_derives(a, ke_public(b), v->secret);
		expect_derives(b, ke_public(a), v->secret);
		ke_free(a);
		ke_free(b);
	}
}

static void expect_sha256(struct view v, const char *hex)
{
	uint8_t want[32], got[32];

	unhex(hex, want);
	assert_int_equal(digest_compute(DIGEST_SHA2_256, &v, 1, got), 0);
	assert_memory_equal(got, want, 32);
}

/* Private values 01 02 03 ... and 81 82 83 ... */
static void modp_gives_the_values_of_another_implementation(void **state)
{
	static const struct {
		uint16_t group;
		const char *a, *b, *secret;
	} rows[] = {
	    {KE_MODP_2048, "c6bb6f5e574450b6ea4b3222e84df62562628476d37f4457509691d76012e1dc",
	     "d7fd7bf4ecf0384f4c7a568891b4a79ebefb5c79bc190b9438502e1c5176668d",
	     "9a81d470a230d8e65eae56a140dc6966e63fe0812b811e83af029eaef58c9b88"},
	    {KE_MODP_3072, "2a9f2a20bd56167b364eac425220fa443f9ffe3381398ac1f5d0d3e1cd83aa0a",
	     "0a19fe50ab63654d4d56e53796c41b1ee567e91653ada34c6c0bfe7f27a6c728",
	     "72908f0c58d8e6a35adb51f18c2cac1e30ade8e65e9643189d4fea90332ab0d6"},
	};
	uint8_t secret[KE_SECRET_MAX];
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		uint8_t next_a = 0x01, next_b = 0x81;
		struct ke *a, *b;

		assert_int_equal(ke_new(rows[i].group, counting, &next_a, &a), 0);
		assert_int_equal(ke_new(rows[i].group, counting, &next_b, &b), 0);
		expect_sha256(ke_public(a), rows[i].a);
		expect_sha256(ke_public(b), rows[i].b);
		assert_int_equal(ke_derive(a, ke_public(b), secret, &len), 0);
		expect_sha256((struct view){secret, len}, rows[i].secret);
		assert_int_equal(ke_derive(b, ke_public(a), secret, &len), 0);
		expect_sha256((struct view){secret, len}, rows[i].secret);
		ke_free(a);
		ke_free(b);
	}
}

/* The scalar must lie in [1, order - 1]: zero and the order itself are passed over. */
static void ecp_takes_random_values_until_one_is_in_range(void **state)
{
	struct script s = {{"0000000000000000000000000000000000000000000000000000000000000000",
			    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
			    vectors[1].a},
			   0};
	uint8_t want[64];
	struct ke *ke;

	(void)state;
	assert_int_equal(ke_new(KE_ECP_256, scripted, &s, &ke), 0);
	unhex(vectors[1].a_public, want);
	assert_memory_equal(ke_public(ke).p, want, 64);
	ke_free(ke);
}

static void a_failing_random_source_fails_the_exchange(void **state)
{
	struct script s = {{NULL, NULL, NULL}, 0};
	struct ke *ke = NULL;

	(void)state;
	assert_int_equal(ke_new(KE_X25519, scripted, &s, &ke), ERR_CRYPTO);
	assert_int_equal(ke_new(KE_ECP_256, scripted, &s, &ke), ERR_CRYPTO);
	assert_null(ke);
}

static void expect_bad_peer(uint16_t group, const uint8_t *value, size_t len)
{
	uint8_t next = 1, secret[KE_SECRET_MAX];
	size_t ret_len = 77;
	struct ke *ke;

	assert_int_equal(ke_new(group, counting, &next, &ke), 0);
	assert_int_equal(ke_derive(ke, (struct view){value, len}, secret, &ret_len), ERR_INVALID);
	assert_int_equal(ret_len, 77);
	ke_free(ke);
}

/* RFC 6989 §2.1: 1 < r < p-1 */
static void modp_values_outside_the_range_are_refused(void **state)
{
	static const uint16_t modp[] = {KE_MODP_2048, KE_MODP_3072};
	uint8_t value[KE_PUBLIC_MAX];
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		len = ke_public_len(modp[i]);
		memset(value, 0, sizeof(value));
		expect_bad_peer(modp[i], value, len);
		value[len - 1] = 1;
		expect_bad_peer(modp[i], value, len);
		memset(value, 0xff, sizeof(value)); /* above the prime */
		expect_bad_peer(modp[i], value, len);
	}
}

static void modp_p_minus_1_is_refused(void **state)
{
	/* RFC 3526 §3, from the end: the low 64 bits of the prime are all ones */
	static const char prime[] =
	    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
	    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
	    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
	    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
	    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
	    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
	    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
	    "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
	uint8_t value[256], next = 1, secret[KE_SECRET_MAX];
	struct ke *ke;
	size_t len;

	(void)state;
	unhex(prime, value);
	expect_bad_peer(KE_MODP_2048, value, 256);
	value[255] = 0xfe;
	expect_bad_peer(KE_MODP_2048, value, 256);
	value[255] = 0xfd; /* p-2 is in range */
	assert_int_equal(ke_new(KE_MODP_2048, counting, &next, &ke), 0);
	assert_int_equal(ke_derive(ke, (struct view){value, 256}, secret, &len), 0);
	ke_free(ke);
}

/* RFC 6989 §2.3 */
static void points_off_the_curve_are_refused(void **state)
{
	uint8_t value[96];

	(void)state;
	unhex(vectors[1].b_public, value);
	value[63] ^= 1;
	expect_bad_peer(KE_ECP_256, value, 64);
	unhex(vectors[2].b_public, value);
	value[0] ^= 1;
	expect_bad_peer(KE_ECP_384, value, 96);
	memset(value, 0, sizeof(value));
	expect_bad_peer(KE_ECP_384, value, 96);
	memset(value, 0xff, sizeof(value)); /* coordinates above the field's prime */
	expect_bad_peer(KE_ECP_256, value, 64);
}

/* RFC 7748 §6.1: points of small order give an all-zero secret */
static void x25519_points_of_small_order_are_refused(void **state)
{
	uint8_t value[32] = {0};

	(void)state;
	expect_bad_peer(KE_X25519, value, 32);
	value[0] = 1;
	expect_bad_peer(KE_X25519, value, 32);
	unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", value);
	expect_bad_peer(KE_X25519, value, 32);
}

/* RFC 7296 §3.4, RFC 5903 §7: no compression, no shortening */
static void values_of_another_length_are_refused(void **state)
{
	static const uint16_t all[] = {KE_X25519, KE_ECP_256, KE_ECP_384, KE_MODP_2048,
				       KE_MODP_3072};
	uint8_t value[KE_PUBLIC_MAX + 1];
	size_t i;

	(void)state;
	memset(value, 7, sizeof(value));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		expect_bad_peer(all[i], value, ke_public_len(all[i]) - 1);
		expect_bad_peer(all[i], value, ke_public_len(all[i]) + 1);
		expect_bad_peer(all[i], NULL, 0);
	}
	assert_int_equal(ke_public_len(KE_NONE), 0);
	assert_int_equal(ke_public_len(2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(curves_give_the_values_of_the_rfcs),
	    cmocka_unit_test(modp_gives_the_values_of_another_implementation),
	    cmocka_unit_test(ecp_takes_random_values_until_one_is_in_range),
	    cmocka_unit_test(a_failing_random_source_fails_the_exchange),
	    cmocka_unit_test(modp_values_outside_the_range_are_refused),
	    cmocka_unit_test(modp_p_minus_1_is_refused),
	    cmocka_unit_test(points_off_the_curve_are_refused),
	    cmocka_unit_test(x25519_points_of_small_order_are_refused),
	    cmocka_unit_test(values_of_another_length_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
