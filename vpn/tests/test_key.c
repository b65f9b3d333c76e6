/* Keys and the signatures of IKE_AUTH. The files, and signatures that must verify, come from the
 * openssl command; literal ones from RFC 8032 and RFC 4754; key identifiers from strongSwan's `pki
 * --print`. */
#include "vpn/tests/datafile.h"

#include <string.h>

#include "vpn/crypto/pki.h"

static const struct view message = {(const uint8_t *)"octets that are signed", 22};

#define ALL_HASHES                                                           \
	(SIG_HASH_BIT(SIG_HASH_SHA2_256) | SIG_HASH_BIT(SIG_HASH_SHA2_384) | \
	 SIG_HASH_BIT(SIG_HASH_SHA2_512) | SIG_HASH_BIT(SIG_HASH_IDENTITY))

static struct privkey *load(const char *name, const char *password)
{
	uint8_t buf[DATAFILE_MAX];
	struct privkey *key = NULL;
	struct err_msg msg = {""};

	if (privkey_load(datafile(name, buf), password, &key, &msg))
		fail_msg("%s: %s", name, msg.text);
	return key;
}

static void keys_of_all_formats_are_read(void **state)
{
	static const struct {
		const char *name, *password;
		enum key_type type;
		unsigned bits;
	} rows[] = {
	    {"crypto/rsa2048.pem", NULL, KEY_RSA, 2048},
	    {"crypto/rsa2048-traditional.pem", NULL, KEY_RSA, 2048},
	    {"crypto/rsa2048.der", NULL, KEY_RSA, 2048},
	    {"crypto/p256-with-parameters.pem", NULL, KEY_ECDSA, 256},
	    {"crypto/p256-traditional-encrypted.pem", "secret", KEY_ECDSA, 256},
	    {"crypto/p384.pem", NULL, KEY_ECDSA, 384},
	    {"crypto/p521.pem", NULL, KEY_ECDSA, 521},
	    {"crypto/ed25519.pem", NULL, KEY_ED25519, 256},
	    {"crypto/ed25519-encrypted.pem", "secret", KEY_ED25519, 256},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct privkey *key = load(rows[i].name, rows[i].password);

		assert_int_equal(privkey_type(key), rows[i].type);
		if (rows[i].type != KEY_ED25519)
			assert_int_equal(privkey_bits(key), rows[i].bits);
		privkey_unref(key);
	}
}

static void what_is_no_usable_private_key_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *name, *password;
		int err;
		const char *says;
	} rows[] = {
	    {"crypto/ed25519-encrypted.pem", NULL, ERR_AUTH, "no password"},
	    {"crypto/ed25519-encrypted.pem", "wrong", ERR_AUTH, "password is wrong"},
	    {"crypto/p256-traditional-encrypted.pem", "wrong", ERR_AUTH, "password is wrong"},
	    {"crypto/rsa1024.pem", NULL, ERR_UNSUPPORTED, "at least 2048"},
	    {"crypto/k256.pem", NULL, ERR_UNSUPPORTED, "curve"},
	    {"crypto/ca.pem", NULL, ERR_SYNTAX, "not a private key"},
	    {"crypto/rsa2048-public.pem", NULL, ERR_SYNTAX, "not a private key"},
	    {"crypto/message", NULL, ERR_SYNTAX, "not a private key"},
	};
	uint8_t buf[DATAFILE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct privkey *key = NULL;
		struct err_msg msg = {""};

		assert_int_equal(
		    privkey_load(datafile(rows[i].name, buf), rows[i].password, &key, &msg),
		    rows[i].err);
		assert_null(key);
		if (!strstr(msg.text, rows[i].says))
			fail_msg("%s: %s", rows[i].name, msg.text);
	}
}

static void key_identifiers_are_those_of_strongswan(void **state)
{
	static const struct {
		const char *name, *id;
	} rows[] = {
	    {"crypto/rsa2048.pem", "4c8e33a09546cb4b7e83dd379c8fcfb9dca8aa4f"},
	    {"crypto/p384.pem", "b7db9abe819da554f3620ee68d58b627ce6c969e"},
	    {"crypto/ed25519.pem", "12d893884f5f3e3e2aff0b7755d3026cde46ecd3"},
	};
	uint8_t want[20];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct privkey *key = load(rows[i].name, NULL);

		unhex(rows[i].id, want);
		assert_memory_equal(privkey_id(key), want, 20);
		assert_memory_equal(pubkey_id(privkey_public(key)), want, 20);
		privkey_unref(key);
	}
}

static void a_public_key_is_read_from_its_own_file_alone(void **state)
{
	struct privkey *key = load("crypto/rsa2048.pem", NULL);
	uint8_t buf[DATAFILE_MAX];
	struct pubkey *pub = NULL;

	(void)state;
	assert_int_equal(pubkey_load(datafile("crypto/rsa2048.pem", buf), &pub, NULL), ERR_SYNTAX);
	assert_int_equal(pubkey_load(datafile("crypto/rsa2048-public.pem", buf), &pub, NULL), 0);
	assert_memory_equal(pubkey_id(pub), privkey_id(key), 20);
	assert_int_equal(pubkey_type(pub), KEY_RSA);
	assert_int_equal(pubkey_bits(pub), 2048);
	pubkey_unref(pub);
	privkey_unref(key);
}

static void a_key_survives_writing_and_reading(void **state)
{
	struct privkey *key = load("crypto/p521.pem", NULL), *again = NULL;
	char *pem;
	size_t len;

	(void)state;
	assert_int_equal(privkey_to_pem(key, &pem, &len), 0);
	assert_int_equal(strlen(pem), len);
	assert_int_equal(privkey_load((struct view){(uint8_t *)pem, len}, NULL, &again, NULL), 0);
	assert_memory_equal(privkey_id(key), privkey_id(again), 20);
	free(pem);
	privkey_unref(key);
	privkey_unref(again);
}

/* RFC 8032 §7.1, test 2, in the frame of RFC 7427 §3 and RFC 8420 appendix A. */
static void ed25519_signs_as_in_rfc_8032_and_8420(void **state)
{
	uint8_t seed[32], want[80], got[SIG_MAX], method;
	struct view octets = {(const uint8_t *)"\x72", 1};
	struct privkey *key;
	size_t len;

	(void)state;
	unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed);
	assert_int_equal(privkey_generate_ed25519(seed, &key), 0);
	assert_int_equal(privkey_sign(key, ALL_HASHES, octets, &method, got, &len), 0);
	assert_int_equal(method, AUTH_DIGITAL_SIGNATURE);
	assert_int_equal(len,
			 unhex("07 300506032b6570"
			       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
			       want));
	assert_memory_equal(got, want, len);
	privkey_unref(key);
}

static void every_key_verifies_its_own_signature_and_no_changed_one(void **state)
{
	static const char *const names[] = {"crypto/rsa2048.pem", "crypto/p256-with-parameters.pem",
					    "crypto/p384.pem", "crypto/p521.pem",
					    "crypto/ed25519.pem"};
	uint8_t auth[SIG_MAX], method;
	size_t i, len;
	unsigned hashes;

	(void)state;
	for (i = 0; i < 5; i++)
		for (hashes = 0; hashes <= ALL_HASHES; hashes += ALL_HASHES) {
			struct privkey *key = load(names[i], NULL);
			const struct pubkey *pub = privkey_public(key);

			if (!privkey_sign(key, hashes, message, &method, auth, &len)) {
				struct view a = {auth, len}, cut = {message.p, message.len - 1};

				assert_int_equal(pubkey_verify(pub, method, a, message, NULL), 0);
				assert_int_equal(pubkey_verify(pub, method, a, cut, NULL),
						 ERR_AUTH);
				auth[len - 1] ^= 1;
				assert_int_equal(pubkey_verify(pub, method, a, message, NULL),
						 ERR_AUTH);
			} else {
				/* RFC 8420 has no old method for Ed25519 */
				assert_int_equal(privkey_type(key), KEY_ED25519);
				assert_int_equal(hashes, 0);
			}
			privkey_unref(key);
		}
}

static void the_method_is_old_only_for_a_peer_without_rfc_7427(void **state)
{
	static const struct {
		const char *name;
		unsigned hashes;
		int err;
		uint8_t method, first[4];
	} rows[] = {
	    {"crypto/rsa2048.pem", 0, 0, AUTH_RSA_SIG, {0}},
	    {"crypto/p256-with-parameters.pem", 0, 0, AUTH_ECDSA_256, {0}},
	    {"crypto/p384.pem", 0, 0, AUTH_ECDSA_384, {0}},
	    {"crypto/p521.pem", 0, 0, AUTH_ECDSA_521, {0}},
	    {"crypto/ed25519.pem", 0, ERR_UNSUPPORTED, 0, {0}},
	    {"crypto/ed25519.pem", SIG_HASH_BIT(SIG_HASH_SHA2_256), ERR_UNSUPPORTED, 0, {0}},
	    {"crypto/rsa2048.pem", SIG_HASH_BIT(SIG_HASH_SHA1), ERR_UNSUPPORTED, 0, {0}},
	    {"crypto/rsa2048.pem", ALL_HASHES, 0, 14, {72, 0x30, 0x46, 6}},
	    {"crypto/p384.pem", SIG_HASH_BIT(SIG_HASH_SHA2_256), 0, 14, {12, 0x30, 0x0a, 6}},
	};
	uint8_t auth[SIG_MAX], method = 0;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct privkey *key = load(rows[i].name, NULL);

		assert_int_equal(privkey_sign(key, rows[i].hashes, message, &method, auth, &len),
				 rows[i].err);
		if (!rows[i].err)
			assert_int_equal(method, rows[i].method);
		if (rows[i].first[0])
			assert_memory_equal(auth, rows[i].first, 4);
		privkey_unref(key);
	}
}

/* Which hash an ECDSA key takes: that of its curve, or the strongest below it that the peer can do.
 */
static void ecdsa_takes_the_hash_of_its_curve(void **state)
{
	static const struct {
		const char *name;
		unsigned hashes;
		uint8_t last; /* of the OID: 2, 3, 4 for SHA-256, 384, 512 */
	} rows[] = {
	    {"crypto/p256-with-parameters.pem", ALL_HASHES, 2},
	    {"crypto/p384.pem", ALL_HASHES, 3},
	    {"crypto/p521.pem", ALL_HASHES, 4},
	    {"crypto/p521.pem", SIG_HASH_BIT(SIG_HASH_SHA2_256) | SIG_HASH_BIT(SIG_HASH_SHA2_384),
	     3},
	    {"crypto/p256-with-parameters.pem", SIG_HASH_BIT(SIG_HASH_SHA2_512), 4},
	};
	uint8_t auth[SIG_MAX], method;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct privkey *key = load(rows[i].name, NULL);

		assert_int_equal(privkey_sign(key, rows[i].hashes, message, &method, auth, &len),
				 0);
		assert_int_equal(auth[12], rows[i].last);
		privkey_unref(key);
	}
}

#define RSA_ID(n) "\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" n "\x05\x00"
#define SHA_ID(n) "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05\x00"
#define PSS_ID(h, m, salt)                                                                          \
	"\x48\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f" SHA_ID(          \
	    h) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" SHA_ID(m) "\xa2\x03"  \
											"\x02"      \
											"\x01" salt \
											"\xa3\x03"  \
											"\x02\x01"  \
											"\x01"
/* Without the trailer field, which has its default value: as strongSwan writes it. */
#define PSS_SHORT(h, m, salt)                                                                      \
	"\x43\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f" SHA_ID(         \
	    h) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" SHA_ID(m) "\xa2\x03" \
											"\x02"     \
											"\x01" salt

struct foreign {
	const char *key, *id;
	size_t id_len;
	const char *sig;
	int err;
};

#define ID(text) text, sizeof(text) - 1

static int verify_foreign(const struct foreign *f, struct err_msg *msg)
{
	uint8_t auth[SIG_MAX], sig[DATAFILE_MAX];
	struct privkey *key = load(f->key, NULL);
	struct view s = datafile(f->sig, sig);
	int err;

	memcpy(auth, f->id, f->id_len);
	memcpy(auth + f->id_len, s.p, s.len);
	err = pubkey_verify(privkey_public(key), AUTH_DIGITAL_SIGNATURE,
			    (struct view){auth, f->id_len + s.len}, message, msg);
	privkey_unref(key);
	return err;
}

static void signatures_of_openssl_verify_under_their_algorithm_alone(void **state)
{
	static const struct foreign rows[] = {
	    {"crypto/rsa2048.pem", ID(RSA_ID("\x0b")), "crypto/rsa-pkcs1-sha256.sig", 0},
	    {"crypto/rsa2048.pem", ID(RSA_ID("\x0d")), "crypto/rsa-pkcs1-sha512.sig", 0},
	    {"crypto/rsa2048.pem", ID(RSA_ID("\x0c")), "crypto/rsa-pkcs1-sha512.sig", ERR_AUTH},
	    {"crypto/rsa2048.pem", ID(RSA_ID("\x05")), "crypto/rsa-pkcs1-sha1.sig",
	     ERR_UNSUPPORTED},
	    {"crypto/rsa2048.pem", ID(RSA_ID("\x04")), "crypto/rsa-pkcs1-sha1.sig",
	     ERR_UNSUPPORTED},
	    {"crypto/rsa2048.pem", ID(PSS_ID("\x01", "\x01", "\x20")), "crypto/rsa-pss-sha256.sig",
	     0},
	    {"crypto/rsa2048.pem", ID(PSS_SHORT("\x01", "\x01", "\x20")),
	     "crypto/rsa-pss-sha256.sig", 0},
	    {"crypto/rsa2048.pem", ID(PSS_ID("\x01", "\x01", "\x1f")), "crypto/rsa-pss-sha256.sig",
	     ERR_AUTH},
	    {"crypto/rsa2048.pem", ID(PSS_ID("\x02", "\x02", "\x20")), "crypto/rsa-pss-sha256.sig",
	     ERR_AUTH},
	    {"crypto/rsa2048.pem", ID(PSS_ID("\x01", "\x02", "\x20")), "crypto/rsa-pss-sha256.sig",
	     ERR_UNSUPPORTED},
	    /* RFC 7427 appendix A.4.1: empty parameters mean SHA-1 */
	    {"crypto/rsa2048.pem",
	     ID("\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00"),
	     "crypto/rsa-pss-sha256.sig", ERR_UNSUPPORTED},
	    {"crypto/p384.pem", ID("\x0c\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),
	     "crypto/p384-sha384.sig", 0},
	    {"crypto/p384.pem", ID("\x0c\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),
	     "crypto/p384-sha384.sig", ERR_AUTH},
	    /* the algorithm of another key */
	    {"crypto/ed25519.pem", ID(RSA_ID("\x0b")), "crypto/rsa-pkcs1-sha256.sig", ERR_AUTH},
	    /* octets after the identifier, inside its length */
	    {"crypto/p384.pem", ID("\x0d\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03\x00"),
	     "crypto/p384-sha384.sig", ERR_UNSUPPORTED},
	    {"crypto/p384.pem", ID("\x00"), "crypto/p384-sha384.sig", ERR_UNSUPPORTED},
	    {"crypto/p384.pem", ID("\xff\x30"), "crypto/p384-sha384.sig", ERR_AUTH},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err_msg msg = {""};
		int err = verify_foreign(&rows[i], &msg);

		if (err != rows[i].err)
			fail_msg("row %zu: %d, %s", i, err, msg.text);
		assert_int_equal(!err, !msg.text[0]);
	}
}

/* RFC 7296 §3.8: method 1 names no hash, and SHA-1 is its default. */
static void method_1_is_pkcs1_with_sha_1_or_sha_2(void **state)
{
	static const char *const sigs[] = {"crypto/rsa-pkcs1-sha1.sig",
					   "crypto/rsa-pkcs1-sha256.sig",
					   "crypto/rsa-pkcs1-sha512.sig"};
	struct privkey *key = load("crypto/rsa2048.pem", NULL);
	const struct pubkey *pub = privkey_public(key);
	uint8_t sig[DATAFILE_MAX], auth[SIG_MAX], method;
	size_t i, len;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    pubkey_verify(pub, AUTH_RSA_SIG, datafile(sigs[i], sig), message, NULL), 0);
	assert_int_equal(pubkey_verify(pub, AUTH_RSA_SIG,
				       datafile("crypto/rsa-pss-sha256.sig", sig), message, NULL),
			 ERR_AUTH);
	assert_int_equal(privkey_sign(key, 0, message, &method, auth, &len), 0);
	assert_int_equal(len, datafile(sigs[0], sig).len);
	assert_memory_equal(auth, sig, len);
	privkey_unref(key);
}

#define SPKI_P256 "3059301306072a8648ce3d020106082a8648ce3d030107034200 04"
#define SPKI_P384 "3076301006072a8648ce3d020106052b81040022036200 04"

/* RFC 4754 §8.1, §8.2: r | s over "abc" */
static void old_ecdsa_methods_verify_the_values_of_rfc_4754(void **state)
{
	static const struct {
		uint8_t method;
		const char *spki, *sig;
	} rows[] = {
	    {AUTH_ECDSA_256,
	     SPKI_P256 "2442A5CC0ECD015FA3CA31DC8E2BBC70BF42D60CBCA20085E0822CB04235E970"
		       "6FC98BD7E50211A4A27102FA3549DF79EBCB4BF246B80945CDDFE7D509BBFD7D",
	     "CB28E0999B9C7715FD0A80D8E47A77079716CBBF917DD72E97566EA1C066957C"
	     "86FA3BB4E26CAD5BF90B7F81899256CE7594BB1EA0C89212748BFF3B3D5B0315"},
	    {AUTH_ECDSA_384,
	     SPKI_P384 "96281BF8DD5E0525CA049C048D345D3082968D10FEDF5C5ACA0C64E6465A97EA"
		       "5CE10C9DFEC21797415710721F437922447688BA94708EB6E2E4D59F6AB6D7ED"
		       "FF9301D249FE49C33096655F5D502FAD3D383B91C5E7EDAA2B714CC99D5743CA",
	     "FB017B914E29149432D8BAC29A514640B46F53DDAB2C69948084E2930F1C8F7E"
	     "08E07C9C63F2D21A07DCB56A6AF56EB3B263A1305E057F984D38726A1B468741"
	     "09F417BCA112674C528262A40A629AF1CBB9F516CE0FA7D2FF630863A00E8B9F"},
	};
	struct view abc = {(const uint8_t *)"abc", 3};
	uint8_t spki[128], sig[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view s = unhex_view(rows[i].sig, sig);
		struct pubkey *pub = NULL;

		assert_int_equal(pubkey_load(unhex_view(rows[i].spki, spki), &pub, NULL), 0);
		assert_int_equal(pubkey_verify(pub, rows[i].method, s, abc, NULL), 0);
		/* the method fixes the curve */
		assert_int_equal(pubkey_verify(pub, AUTH_ECDSA_521, s, abc, NULL), ERR_AUTH);
		s.len--;
		assert_int_equal(pubkey_verify(pub, rows[i].method, s, abc, NULL), ERR_AUTH);
		pubkey_unref(pub);
	}
}

static void methods_that_are_no_signatures_are_unsupported(void **state)
{
	struct privkey *key = load("crypto/ed25519.pem", NULL);
	const struct pubkey *pub = privkey_public(key);
	struct err_msg msg = {""};

	(void)state;
	assert_int_equal(pubkey_verify(pub, AUTH_SHARED_KEY, message, message, &msg),
			 ERR_UNSUPPORTED);
	assert_int_equal(pubkey_verify(pub, 13, message, message, &msg), ERR_UNSUPPORTED);
	assert_int_equal(pubkey_verify(pub, 14, (struct view){NULL, 0}, message, &msg), ERR_AUTH);
	privkey_unref(key);
}

/* Every octet of a key file changed, one at a time: read or refused, but never beyond the buffer.
 */
static void damaged_key_files_are_survived(void **state)
{
	uint8_t buf[DATAFILE_MAX];
	struct view v = datafile("crypto/rsa2048.der", buf);
	size_t i, refused = 0;

	(void)state;
	for (i = 0; i < v.len; i += 3) {
		struct privkey *key = NULL;

		buf[i] ^= 0xff;
		refused += privkey_load(v, NULL, &key, NULL) != 0;
		privkey_unref(key);
		buf[i] ^= 0xff;
	}
	assert_true(refused > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_all_formats_are_read),
	    cmocka_unit_test(what_is_no_usable_private_key_is_refused_with_a_reason),
	    cmocka_unit_test(key_identifiers_are_those_of_strongswan),
	    cmocka_unit_test(a_public_key_is_read_from_its_own_file_alone),
	    cmocka_unit_test(a_key_survives_writing_and_reading),
	    cmocka_unit_test(ed25519_signs_as_in_rfc_8032_and_8420),
	    cmocka_unit_test(every_key_verifies_its_own_signature_and_no_changed_one),
	    cmocka_unit_test(the_method_is_old_only_for_a_peer_without_rfc_7427),
	    cmocka_unit_test(ecdsa_takes_the_hash_of_its_curve),
	    cmocka_unit_test(signatures_of_openssl_verify_under_their_algorithm_alone),
	    cmocka_unit_test(method_1_is_pkcs1_with_sha_1_or_sha_2),
	    cmocka_unit_test(old_ecdsa_methods_verify_the_values_of_rfc_4754),
	    cmocka_unit_test(methods_that_are_no_signatures_are_unsupported),
	    cmocka_unit_test(damaged_key_files_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
