/* keylog_wireshark.c - the spellings of Wireshark 4.0's tables "ikev2_decryption_table" and
 * "esp_sa".
 *
 * ChaCha20-Poly1305 is in neither. ESP lines hold for any addresses, because those of a capture
 * depend on the side of a NAT that it was taken on; SPIs tell the SAs apart. */
#include "vpn/daemon/keylog_wireshark.h"

#include "vpn/base/hex.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/cipher.h"

struct spelling {
	uint16_t id, bits;
	const char *ike, *esp;
};

static const struct spelling encr_spellings[] = {
    {ENCR_NULL, 0, "NULL [RFC2410]", "NULL"},
    {ENCR_AES_CBC, 128, "AES-CBC-128 [RFC3602]", "AES-CBC [RFC3602]"},
    {ENCR_AES_CBC, 256, "AES-CBC-256 [RFC3602]", "AES-CBC [RFC3602]"},
    {ENCR_AES_GCM_16, 128, "AES-GCM-128 with 16 octet ICV [RFC5282]",
     "AES-GCM with 16 octet ICV [RFC4106]"},
    {ENCR_AES_GCM_16, 256, "AES-GCM-256 with 16 octet ICV [RFC5282]",
     "AES-GCM with 16 octet ICV [RFC4106]"},
};

static const struct spelling integ_spellings[] = {
    {INTEG_NONE, 0, "NONE [RFC4306]", "NULL"},
    {INTEG_HMAC_SHA2_256_128, 0, "HMAC_SHA2_256_128 [RFC4868]", "HMAC-SHA-256-128 [RFC4868]"},
    {INTEG_HMAC_SHA2_384_192, 0, "HMAC_SHA2_384_192 [RFC4868]", "HMAC-SHA-384-192 [RFC4868]"},
    {INTEG_HMAC_SHA2_512_256, 0, "HMAC_SHA2_512_256 [RFC4868]", "HMAC-SHA-512-256 [RFC4868]"},
};

static const struct spelling *find(const struct spelling *table, size_t n, uint16_t id,
				   uint16_t bits)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (table[i].id == id && table[i].bits == bits)
			return &table[i];
	}
	return NULL;
}

static const struct spelling *find_encr(uint16_t id, uint16_t bits)
{
	return find(encr_spellings, sizeof(encr_spellings) / sizeof(encr_spellings[0]), id, bits);
}

static const struct spelling *find_integ(uint16_t id)
{
	return find(integ_spellings, sizeof(integ_spellings) / sizeof(integ_spellings[0]), id, 0);
}

static void put_hex(FILE *out, const uint8_t *p, size_t len)
{
	char text[2 * IPSEC_KEY_MAX + 1];

	fputs(hex_format(p, len, text, sizeof(text)), out);
	secret_wipe(text, sizeof(text));
}

void wireshark_ike(FILE *out, const struct ike_keys_info *k)
{
	const struct spelling *encr = find_encr(k->encr, k->encr_bits);
	const struct spelling *integ = find_integ(k->integ);

	if (!encr || !integ)
		return;
	fprintf(out, "%016llx,%016llx,", (unsigned long long)k->spi_i,
		(unsigned long long)k->spi_r);
	put_hex(out, k->sk_ei.p, k->sk_ei.len);
	fputc(',', out);
	put_hex(out, k->sk_er.p, k->sk_er.len);
	fprintf(out, ",\"%s\",", encr->ike);
	put_hex(out, k->sk_ai.p, k->sk_ai.len);
	fputc(',', out);
	put_hex(out, k->sk_ar.p, k->sk_ar.len);
	fprintf(out, ",\"%s\"\n", integ->ike);
	fflush(out);
}

void wireshark_esp(FILE *out, const struct ipsec_sa *sa)
{
	const struct spelling *encr = find_encr(sa->alg.encr, sa->alg.encr_bits);
	const struct spelling *integ = find_integ(sa->alg.integ);
	struct cipher_info info;

	if (!encr || !integ ||
	    cipher_describe(sa->alg.encr, sa->alg.encr_bits, sa->alg.integ, &info) ||
	    sa->key_len != info.encr_key_len + info.integ_key_len)
		return;
	fprintf(out, "\"IPv%d\",\"*\",\"*\",\"0x%08x\",\"%s\",\"", sa->local.addr.family, sa->spi,
		encr->esp);
	if (info.encr_key_len) {
		fputs("0x", out);
		put_hex(out, sa->key, info.encr_key_len);
	}
	fprintf(out, "\",\"%s\",\"", integ->esp);
	if (info.integ_key_len) {
		fputs("0x", out);
		put_hex(out, sa->key + info.encr_key_len, info.integ_key_len);
	}
	fputs("\"\n", out);
	fflush(out);
}
