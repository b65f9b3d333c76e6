/* The table of transforms: names and keywords are what swanctl prints and reads. */
#include "vpn/tests/unhex.h"

#include "vpn/crypto/alg.h"

static void keywords_are_those_of_strongswan(void **state)
{
	static const struct {
		enum transform_type type;
		const char *keyword;
		uint16_t id, bits;
	} rows[] = {
	    {TRANSFORM_ENCR, "chacha20poly1305", ENCR_CHACHA20_POLY1305, 0},
	    {TRANSFORM_ENCR, "aes256gcm16", ENCR_AES_GCM_16, 256},
	    {TRANSFORM_ENCR, "aes256gcm128", ENCR_AES_GCM_16, 256},
	    {TRANSFORM_ENCR, "aes128gcm", ENCR_AES_GCM_16, 128},
	    {TRANSFORM_ENCR, "aes", ENCR_AES_CBC, 128},
	    {TRANSFORM_ENCR, "aes256", ENCR_AES_CBC, 256},
	    {TRANSFORM_INTEG, "sha256", INTEG_HMAC_SHA2_256_128, 0},
	    {TRANSFORM_INTEG, "sha2_512", INTEG_HMAC_SHA2_512_256, 0},
	    {TRANSFORM_PRF, "sha384", PRF_HMAC_SHA2_384, 0},
	    {TRANSFORM_PRF, "prfsha256", PRF_HMAC_SHA2_256, 0},
	    {TRANSFORM_KE, "x25519", KE_X25519, 0},
	    {TRANSFORM_KE, "modp3072", KE_MODP_3072, 0},
	    {TRANSFORM_ESN, "esn", 1, 0},
	    {TRANSFORM_ESN, "noesn", 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct alg *a = alg_by_keyword(rows[i].type, rows[i].keyword);

		assert_non_null(a);
		assert_int_equal(a->id, rows[i].id);
		assert_int_equal(a->key_bits, rows[i].bits);
	}
}

static void a_keyword_of_another_type_is_unknown(void **state)
{
	(void)state;
	assert_null(alg_by_keyword(TRANSFORM_INTEG, "prfsha256"));
	assert_null(alg_by_keyword(TRANSFORM_KE, "sha256"));
	assert_null(alg_by_keyword(TRANSFORM_ENCR, "3des"));
}

static void names_have_the_key_length_appended(void **state)
{
	static const struct {
		enum transform_type type;
		uint16_t id, bits;
		const char *name;
	} rows[] = {
	    {TRANSFORM_ENCR, 20, 256, "AES_GCM_16_256"},
	    {TRANSFORM_ENCR, 20, 0, "AES_GCM_16"},
	    {TRANSFORM_ENCR, 28, 0, "CHACHA20_POLY1305"},
	    {TRANSFORM_ENCR, 16, 128, "AES_CCM_16_128"},
	    {TRANSFORM_ENCR, 999, 0, "ENCR_999"},
	    {TRANSFORM_PRF, 6, 0, "PRF_HMAC_SHA2_384"},
	    {TRANSFORM_INTEG, 12, 0, "HMAC_SHA2_256_128"},
	    {TRANSFORM_KE, 31, 0, "CURVE_25519"},
	    {TRANSFORM_KE, 36, 0, "ML_KEM_768"},
	    {TRANSFORM_ESN, 1, 0, "EXT_SEQ"},
	    {TRANSFORM_KE, 1234, 0, "KE_1234"},
	};
	char buf[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    alg_format(rows[i].type, rows[i].id, rows[i].bits, buf, sizeof(buf)),
		    rows[i].name);
}

static void every_row_is_found_again_by_number_keyword_and_name(void **state)
{
	const struct alg *rows;
	char buf[64];
	size_t i, n;

	(void)state;
	rows = alg_table(&n);
	assert_true(n > 15);
	for (i = 0; i < n; i++) {
		const struct alg *a = &rows[i];

		assert_ptr_equal(alg_find(a->type, a->id, a->key_bits), a);
		assert_ptr_equal(alg_by_keyword(a->type, a->keyword), a);
		assert_string_equal(alg_format(a->type, a->id, a->key_bits, buf, sizeof(buf)),
				    a->name);
	}
}

static void a_key_length_that_the_transform_lacks_is_not_found(void **state)
{
	(void)state;
	assert_null(alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 0));
	assert_null(alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 192));
	assert_null(alg_find(TRANSFORM_ENCR, ENCR_CHACHA20_POLY1305, 256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keywords_are_those_of_strongswan),
	    cmocka_unit_test(a_keyword_of_another_type_is_unknown),
	    cmocka_unit_test(names_have_the_key_length_appended),
	    cmocka_unit_test(every_row_is_found_again_by_number_keyword_and_name),
	    cmocka_unit_test(a_key_length_that_the_transform_lacks_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
