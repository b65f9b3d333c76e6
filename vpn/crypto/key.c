/* key.c - private and public keys: reading, writing, and what they are.
 *
 * RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 and P-521, and Ed25519; any file format that
 * OpenSSL decodes (PKCS#8 and traditional, PEM and DER, encrypted or not). Other keys are refused
 * when read, so that sign.c and the cert*.c files know what they hold. A key that RSA's length
 * alone makes weak can still be read from a certificate, to be shown; it neither signs nor
 * verifies.
 *
 * Nothing here asks for a password at a terminal. Keys are immutable and counted; the counter is
 * atomic. */
#include "vpn/crypto/pki.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/crypto/pki_internal.h"
#include "vpn/crypto/prf.h"

const char *key_type_name(enum key_type type)
{
	switch (type) {
	case KEY_RSA:
		return "RSA";
	case KEY_ECDSA:
		return "ECDSA";
	case KEY_ED25519:
		return "ED25519";
	}
	return "?";
}

const char *ossl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason ? reason : "unknown error";
}

int password_cb(char *buf, int size, int writing, void *arg)
{
	struct password *pw = arg;
	size_t len;

	(void)writing;
	if (!pw)
		return -1;
	pw->asked = true;
	len = pw->text ? strlen(pw->text) : 0;
	if (!pw->text || len > (size_t)size)
		return -1;
	memcpy(buf, pw->text, len);
	return (int)len;
}

int bio_to_string(BIO *bio, char **ret_text, size_t *ret_len)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0)
		return ERR_CRYPTO;
	text = malloc((size_t)len + 1);
	if (!text)
		return ERR_NOMEM;
	memcpy(text, data, (size_t)len);
	text[len] = '\0';
	*ret_text = text;
	*ret_len = (size_t)len;
	return 0;
}

/* ---- public keys ---- */

static bool is_our_curve(const EVP_PKEY *evp)
{
	char name[32];
	size_t len;

	return EVP_PKEY_get_group_name(evp, name, sizeof(name), &len) == 1 &&
	       (!strcmp(name, SN_X9_62_prime256v1) || !strcmp(name, SN_secp384r1) ||
		!strcmp(name, SN_secp521r1));
}

static int classify(const EVP_PKEY *evp, enum key_type *ret_type, struct err_msg *msg)
{
	switch (EVP_PKEY_get_base_id(evp)) {
	case EVP_PKEY_RSA:
		if (EVP_PKEY_get_bits(evp) > RSA_MAX_BITS)
			return err_set(msg, ERR_UNSUPPORTED, "an RSA key of more than %d bits",
				       RSA_MAX_BITS);
		*ret_type = KEY_RSA;
		return 0;
	case EVP_PKEY_EC:
		if (!is_our_curve(evp))
			return err_set(msg, ERR_UNSUPPORTED,
				       "an ECDSA key on a curve other than P-256, P-384, P-521");
		*ret_type = KEY_ECDSA;
		return 0;
	case EVP_PKEY_ED25519:
		*ret_type = KEY_ED25519;
		return 0;
	default:
		return err_set(msg, ERR_UNSUPPORTED,
			       "a key of a type other than RSA, ECDSA, Ed25519");
	}
}

static bool hash_subject_public_key(X509_PUBKEY *spki, uint8_t id[KEY_ID_LEN])
{
	const unsigned char *octets;
	int len;

	return X509_PUBKEY_get0_param(NULL, &octets, &len, NULL, spki) == 1 &&
	       digest_compute(DIGEST_SHA1, &(struct view){octets, (size_t)len}, 1, id) == 0;
}

/* Encoding a key takes OpenSSL 3.0 longer than signing with it. */
static bool encode_and_hash(EVP_PKEY *evp, uint8_t id[KEY_ID_LEN])
{
	X509_PUBKEY *spki = NULL;
	bool ok = X509_PUBKEY_set(&spki, evp) == 1 && hash_subject_public_key(spki, id);

	X509_PUBKEY_free(spki);
	return ok;
}

int pubkey_init(EVP_PKEY *evp, X509_PUBKEY *spki, struct pubkey *ret_key, struct err_msg *msg)
{
	struct pubkey key = {.evp = evp};
	int err = classify(evp, &key.type, msg);

	if (!err && !(spki ? hash_subject_public_key(spki, key.id) : encode_and_hash(evp, key.id)))
		err = err_set(msg, ERR_CRYPTO, "cannot hash a public key: %s", ossl_reason());
	if (err) {
		EVP_PKEY_free(evp);
		ERR_clear_error();
		return err;
	}
	key.bits = (unsigned)EVP_PKEY_get_bits(evp);
	*ret_key = key;
	return 0;
}

void pubkey_release(struct pubkey *key)
{
	EVP_PKEY_free(key->evp);
	key->evp = NULL;
}

enum key_type pubkey_type(const struct pubkey *key)
{
	return key->type;
}

unsigned pubkey_bits(const struct pubkey *key)
{
	return key->bits;
}

const uint8_t *pubkey_id(const struct pubkey *key)
{
	return key->id;
}

bool is_pem(struct view v)
{
	return memmem(v.p, v.len, "-----BEGIN", 10) != NULL;
}

/* selection is EVP_PKEY_KEYPAIR or EVP_PKEY_PUBLIC_KEY. NULL if it is none. */
static EVP_PKEY *decode_der(struct view blob, int selection, struct password *pw)
{
	EVP_PKEY *evp = NULL;
	OSSL_DECODER_CTX *ctx =
	    OSSL_DECODER_CTX_new_for_pkey(&evp, "DER", NULL, NULL, selection, NULL, NULL);
	const unsigned char *p = blob.p;
	size_t len = blob.len;

	if (ctx && OSSL_DECODER_CTX_set_pem_password_cb(ctx, password_cb, pw) == 1 &&
	    OSSL_DECODER_from_data(ctx, &p, &len) != 1) {
		EVP_PKEY_free(evp);
		evp = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	return evp;
}

/* Passes over other blocks, as the EC PARAMETERS that openssl writes before a key. */
static EVP_PKEY *decode_pem(struct view blob, int selection, struct password *pw)
{
	BIO *bio = BIO_new_mem_buf(blob.p, (int)blob.len);
	EVP_PKEY *evp = NULL;

	if (bio && selection == EVP_PKEY_KEYPAIR)
		evp = PEM_read_bio_PrivateKey(bio, NULL, password_cb, pw);
	else if (bio)
		evp = PEM_read_bio_PUBKEY(bio, NULL, password_cb, pw);
	BIO_free(bio);
	return evp;
}

static EVP_PKEY *decode(struct view blob, int selection, struct password *pw)
{
	return is_pem(blob) ? decode_pem(blob, selection, pw) : decode_der(blob, selection, pw);
}

int pubkey_load(struct view blob, struct pubkey **ret_key, struct err_msg *msg)
{
	struct password pw = {NULL, false};
	struct pubkey *key;
	EVP_PKEY *evp;
	int err;

	if (!blob.p || !blob.len || blob.len > KEY_MAX)
		return err_set(msg, ERR_SYNTAX, "not a public key: %zu octets", blob.len);
	evp = decode(blob, EVP_PKEY_PUBLIC_KEY, &pw);
	if (!evp)
		return err_set(msg, ERR_SYNTAX, "not a public key: %s", ossl_reason());
	key = calloc(1, sizeof(*key));
	if (!key) {
		EVP_PKEY_free(evp);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	err = pubkey_init(evp, NULL, key, msg);
	if (err) {
		free(key);
		return err;
	}
	atomic_init(&key->refs, 1);
	*ret_key = key;
	return 0;
}

void pubkey_unref(struct pubkey *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) > 1)
		return;
	pubkey_release(key);
	free(key);
}

/* ---- private keys ---- */

/* Takes evp over, also on failure. */
static int privkey_wrap(EVP_PKEY *evp, struct privkey **ret_key, struct err_msg *msg)
{
	struct privkey *key = calloc(1, sizeof(*key));
	int err;

	if (!key) {
		EVP_PKEY_free(evp);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	err = pubkey_init(evp, NULL, &key->pub, msg);
	if (err) {
		free(key);
		return err;
	}
	atomic_init(&key->refs, 1);
	if (key->pub.type == KEY_RSA && key->pub.bits < RSA_MIN_BITS) {
		err = err_set(msg, ERR_UNSUPPORTED, "an RSA key of %u bits: at least %d are needed",
			      key->pub.bits, RSA_MIN_BITS);
		privkey_unref(key);
		return err;
	}
	*ret_key = key;
	return 0;
}

int privkey_load(struct view blob, const char *password, struct privkey **ret_key,
		 struct err_msg *msg)
{
	struct password pw = {password, false};
	EVP_PKEY *evp;

	if (!blob.p || !blob.len || blob.len > KEY_MAX)
		return err_set(msg, ERR_SYNTAX, "not a private key: %zu octets", blob.len);
	evp = decode(blob, EVP_PKEY_KEYPAIR, &pw);
	if (evp)
		return privkey_wrap(evp, ret_key, msg);
	if (!pw.asked)
		return err_set(msg, ERR_SYNTAX, "not a private key: %s", ossl_reason());
	ERR_clear_error();
	return err_set(msg, ERR_AUTH, "the private key is encrypted, %s",
		       password ? "and the password is wrong" : "and there is no password for it");
}

int privkey_generate_ed25519(const uint8_t seed[32], struct privkey **ret_key)
{
	EVP_PKEY *evp = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);

	return evp ? privkey_wrap(evp, ret_key, NULL) : ERR_CRYPTO;
}

struct privkey *privkey_ref(struct privkey *key)
{
	atomic_fetch_add(&key->refs, 1);
	return key;
}

void privkey_unref(struct privkey *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) > 1)
		return;
	pubkey_release(&key->pub);
	free(key);
}

enum key_type privkey_type(const struct privkey *key)
{
	return key->pub.type;
}

unsigned privkey_bits(const struct privkey *key)
{
	return key->pub.bits;
}

const struct pubkey *privkey_public(const struct privkey *key)
{
	return &key->pub;
}

const uint8_t *privkey_id(const struct privkey *key)
{
	return key->pub.id;
}

int privkey_to_pem(const struct privkey *key, char **ret_pem, size_t *ret_len)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int err = ERR_CRYPTO;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pub.evp, NULL, NULL, 0, NULL, NULL) == 1)
		err = bio_to_string(bio, ret_pem, ret_len);
	BIO_free(bio);
	return err;
}
