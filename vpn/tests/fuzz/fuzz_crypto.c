/* fuzz_crypto.c - octets of a peer or of a file, by the first octet: a certificate, an identity as
 * text or as octets, the AUTH payload, a private key, a key exchange value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/crypto/alg.h"
#include "vpn/crypto/ke.h"
#include "vpn/crypto/pki.h"

#define NOW 1795305600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void print_and_match(const struct identity *id)
{
	char buf[IDENTITY_STRLEN];
	struct identity copy;

	identity_format(id, buf, sizeof(buf));
	identity_format(id, buf, 7);
	if (identity_copy(id, &copy))
		abort();
	if (!identity_eq(id, &copy) || !identity_match(id, &copy))
		abort();
	identity_clear(&copy);
}

static void fuzz_cert(struct view v)
{
	struct cert *c = NULL;
	struct err_msg msg;
	struct cert_set set = {&c, 1};
	size_t i;

	if (cert_load(v, &c, &msg))
		return;
	print_and_match(cert_subject(c));
	print_and_match(cert_issuer(c));
	for (i = 0; i < cert_san_count(c); i++)
		print_and_match(cert_san(c, i));
	cert_verify(c, &set, NULL, &set, NOW, &msg);
	cert_verify(c, NULL, &set, NULL, NOW, &msg);
	cert_unref(c);
}

static void fuzz_identity_text(struct view v)
{
	char *text = strndup((const char *)v.p, v.len);
	struct identity id;
	struct err_msg msg;

	if (!text)
		abort();
	if (!identity_parse(text, &id, &msg)) {
		print_and_match(&id);
		identity_clear(&id);
	}
	free(text);
}

static void fuzz_identity_octets(struct view v)
{
	struct identity id;

	if (v.len && !identity_from_octets(v.p[0], (struct view){v.p + 1, v.len - 1}, &id)) {
		print_and_match(&id);
		identity_clear(&id);
	}
}

static void fuzz_auth(struct view v)
{
	static const uint8_t seed[32] = {1};
	static struct privkey *key;
	struct err_msg msg;

	if (!key && privkey_generate_ed25519(seed, &key))
		abort();
	if (v.len)
		pubkey_verify(privkey_public(key), v.p[0], (struct view){v.p + 1, v.len - 1}, v,
			      &msg);
}

static void fuzz_privkey(struct view v)
{
	struct privkey *key;
	struct err_msg msg;

	if (!privkey_load(v, "secret", &key, &msg))
		privkey_unref(key);
}

static int fixed_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	memset(buf, 0x42, n);
	return 0;
}

static void fuzz_ke(struct view v)
{
	static const uint16_t groups[] = {KE_X25519, KE_ECP_256, KE_ECP_384, KE_MODP_2048};
	uint8_t secret[KE_SECRET_MAX];
	struct ke *ke;
	size_t i, n;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (v.len != ke_public_len(groups[i]))
			continue;
		if (ke_new(groups[i], fixed_random, NULL, &ke))
			abort();
		ke_derive(ke, v, secret, &n);
		ke_free(ke);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const parsers[])(struct view) = {
	    fuzz_cert, fuzz_identity_text, fuzz_identity_octets, fuzz_auth, fuzz_privkey, fuzz_ke};

	if (len < 2 || data[0] >= sizeof(parsers) / sizeof(parsers[0]))
		return 0;
	parsers[data[0]]((struct view){data + 1, len - 1});
	return 0;
}
