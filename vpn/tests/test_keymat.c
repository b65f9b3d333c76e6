/* Key material: SKEYSEED, SK_*, rekeying, Child SA keys (RFC 7296 §2.13, §2.14, §2.17, §2.18). The
 * expected octets were computed with Python's hmac module, independently of this code:
 * HMAC-SHA-256, Ni = 10..2f, Nr = 40..5f, g^ir = 80..9f, SPIi = 1122334455667788, SPIr =
 * 99aabbccddeeff00. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/hex.h"
#include "vpn/crypto/alg.h"
#include "vpn/ike/keymat.h"

static uint8_t ni[32], nr[32], secret[32];

static int setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 32; i++) {
		ni[i] = (uint8_t)(0x10 + i);
		nr[i] = (uint8_t)(0x40 + i);
		secret[i] = (uint8_t)(0x80 + i);
	}
	return 0;
}

static struct keymat_input input(const struct keymat *old)
{
	return (struct keymat_input){
	    .suite = {.encr = ENCR_AES_GCM_16, .encr_bits = 256, .prf = PRF_HMAC_SHA2_256},
	    .initiator = true,
	    .ni = {ni, 32},
	    .nr = {nr, 32},
	    .secret = {secret, 32},
	    .spi_i = 0x1122334455667788,
	    .spi_r = 0x99aabbccddeeff00,
	    .old = old,
	};
}

static void assert_octets(struct view got, const char *want)
{
	char text[2 * IKE_SK_MAX + 1];

	assert_string_equal(hex_format(got.p, got.len, text, sizeof(text)), want);
}

static void a_first_sa_takes_its_keys_from_nonces_and_secret(void **state)
{
	struct keymat_input in = input(NULL);
	struct keymat_log log;
	struct keymat km;

	(void)state;
	assert_int_equal(keymat_derive(&km, &in, &log), 0);
	assert_octets(log.info.sk_d,
		      "b62aa45cadc00c8b0103527c00db9931ec6f260470e0f8dfd4682683654c3af2");
	assert_octets(log.info.sk_ei,
		      "8a9fbd76b3f623529e567abb036bef723615806841113cd2118e5d7bad7d1ca281d870b8");
	assert_octets(log.info.sk_er,
		      "0a9ed7adc89e58938e4508b3ee7b61bec8cc4fd9bf2d4dc227abb28830306decad8c54ff");
	assert_octets(log.info.sk_pi,
		      "257eee4b16a9a12892516d1a11d566e0ca88e6b6c7912e5afe01552c2dd8242e");
	assert_octets(log.info.sk_pr,
		      "7b0c6aa2f74489550dbabbd9253c63f18451689d7d6ce10631cc294c4dd9e84a");
	assert_int_equal(log.info.sk_ai.len, 0); /* an AEAD has none (RFC 5282 §7) */
	keymat_clear(&km);
}

static void a_rekeyed_sa_takes_them_from_the_old_sk_d(void **state)
{
	struct keymat_input in = input(NULL), again;
	struct keymat_log log;
	struct keymat old, km;

	(void)state;
	assert_int_equal(keymat_derive(&old, &in, NULL), 0);
	again = input(&old);
	assert_int_equal(keymat_derive(&km, &again, &log), 0);
	assert_octets(log.info.sk_d,
		      "b390589329d3ba4dce615d2768f5ab79446f5d257a8bac768d65976d19e5fd90");
	assert_octets(log.info.sk_ei,
		      "e6f19253929a7fffb999b198a461965bb7c716214aa156aa9eec5edcdbecfe5d7092f187");
	keymat_clear(&old);
	keymat_clear(&km);
}

static void a_child_takes_encryption_before_integrity_and_initiator_before_responder(void **state)
{
	struct ipsec_alg gcm = {.encr = ENCR_AES_GCM_16, .encr_bits = 256};
	struct ipsec_alg cbc = {
	    .encr = ENCR_AES_CBC, .encr_bits = 128, .integ = INTEG_HMAC_SHA2_256_128};
	uint8_t i2r[IPSEC_KEY_MAX], r2i[IPSEC_KEY_MAX];
	struct keymat_input in = input(NULL);
	struct keymat km;
	size_t len;

	(void)state;
	assert_int_equal(keymat_derive(&km, &in, NULL), 0);
	assert_int_equal(keymat_child(&km, &gcm, in.secret, in.ni, in.nr, i2r, r2i, &len), 0);
	assert_octets((struct view){i2r, len},
		      "0d00030d92d9ba8f7e05813b07a951a4d8db11e9debe330c7fe75722837646b98b60a4b5");
	assert_octets((struct view){r2i, len},
		      "9cf2ee164fadf26a8d29029e6cc6359e3b3c23cac71becafe37dac375a4e4455b729ab72");
	assert_int_equal(keymat_child(&km, &cbc, (struct view){0}, in.ni, in.nr, i2r, r2i, &len),
			 0);
	assert_octets((struct view){i2r, len}, "d6d53a689b4def7e5e28aa1c769352836952efeaa6e331b7ab9"
					       "94aa53cca687da60e4fbe634db24a8bdb659268903f49");
	assert_octets((struct view){r2i, len}, "6407b9693b15c091790678a8bc482c1091c85e5287986238c20"
					       "db9752698a6cb73ac48e2c3718bc0802d8e66b612cda8");
	keymat_clear(&km);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_first_sa_takes_its_keys_from_nonces_and_secret),
	    cmocka_unit_test(a_rekeyed_sa_takes_them_from_the_old_sk_d),
	    cmocka_unit_test(
		a_child_takes_encryption_before_integrity_and_initiator_before_responder),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
