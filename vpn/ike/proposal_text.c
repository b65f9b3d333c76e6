/* proposal_text.c - proposals as swanctl.conf(5) writes them: "aes256gcm16-prfsha384-ecp384".
 *
 * Read as strongSwan reads them. A token is an algorithm; a token that is a hash names the
 * integrity algorithm and, in an IKE proposal without a prf token, the PRF too. With an AEAD the
 * integrity algorithm is superfluous and left out, so "chacha20poly1305-sha384-curve25519" means
 * PRF_HMAC_SHA2_384 for IKE and nothing for ESP. An AEAD and a plain cipher cannot share a proposal
 * (RFC 7296 §3.3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/crypto/alg.h"
#include "vpn/ike/conn.h"
#include "vpn/ike/proposal.h"

static int add(struct proposal *p, uint8_t type, uint16_t id, uint16_t key_bits)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type && p->transforms[i].id == id &&
		    p->transforms[i].key_bits == key_bits)
			return 0;
	if (p->n_transforms == PROPOSAL_TRANSFORMS_MAX)
		return ERR_LIMIT;
	p->transforms[p->n_transforms++] =
	    (struct transform){.type = type, .id = id, .key_bits = key_bits};
	return 0;
}

static int add_token(struct proposal *p, const char *token, struct err_msg *msg)
{
	static const uint8_t order[] = {TRANSFORM_ENCR, TRANSFORM_INTEG, TRANSFORM_PRF,
					TRANSFORM_KE, TRANSFORM_ESN};
	size_t i;

	if (p->protocol == PROTOCOL_ESP && strcmp(token, "esn") == 0)
		return add(p, TRANSFORM_ESN, 1, 0);
	if (p->protocol == PROTOCOL_ESP && strcmp(token, "noesn") == 0)
		return add(p, TRANSFORM_ESN, 0, 0);
	for (i = 0; i < sizeof(order); i++) {
		const struct alg *alg = alg_by_keyword((enum transform_type)order[i], token);

		if (alg && order[i] != TRANSFORM_ESN)
			return add(p, order[i], alg->id, alg->key_bits);
	}
	return err_set(msg, ERR_UNSUPPORTED, "algorithm '%s' is unknown or not supported", token);
}

static size_t count(const struct proposal *p, uint8_t type, bool aead_only)
{
	size_t n = 0;
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		n += p->transforms[i].type == type &&
		     (!aead_only || alg_is_aead(p->transforms[i].id));
	return n;
}

static void drop(struct proposal *p, uint8_t type)
{
	uint8_t i, keep = 0;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type != type)
			p->transforms[keep++] = p->transforms[i];
	p->n_transforms = keep;
}

static int prf_of_integ(uint16_t integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_256_128:
		return PRF_HMAC_SHA2_256;
	case INTEG_HMAC_SHA2_384_192:
		return PRF_HMAC_SHA2_384;
	case INTEG_HMAC_SHA2_512_256:
		return PRF_HMAC_SHA2_512;
	default:
		return 0;
	}
}

static int complete(struct proposal *p, const char *text, struct err_msg *msg)
{
	size_t n_encr = count(p, TRANSFORM_ENCR, false);
	size_t n_aead = count(p, TRANSFORM_ENCR, true);
	uint8_t i, n = p->n_transforms;

	if (!n_encr)
		return err_set(msg, ERR_INVALID, "proposal '%s' has no encryption algorithm", text);
	if (n_aead && n_aead != n_encr)
		return err_set(msg, ERR_INVALID, "proposal '%s' mixes AEAD and other ciphers",
			       text);
	if (p->protocol == PROTOCOL_IKE && !count(p, TRANSFORM_PRF, false)) {
		for (i = 0; i < n; i++)
			if (p->transforms[i].type == TRANSFORM_INTEG)
				add(p, TRANSFORM_PRF, (uint16_t)prf_of_integ(p->transforms[i].id),
				    0);
		if (!count(p, TRANSFORM_PRF, false))
			return err_set(msg, ERR_INVALID, "proposal '%s' has no PRF", text);
	}
	if (p->protocol == PROTOCOL_ESP)
		drop(p, TRANSFORM_PRF);
	if (n_aead)
		drop(p, TRANSFORM_INTEG);
	else if (!count(p, TRANSFORM_INTEG, false))
		return err_set(msg, ERR_INVALID, "proposal '%s' has no integrity algorithm", text);
	if (p->protocol == PROTOCOL_IKE && !count(p, TRANSFORM_KE, false))
		return err_set(msg, ERR_INVALID, "proposal '%s' has no key exchange group", text);
	if (p->protocol == PROTOCOL_ESP && !count(p, TRANSFORM_ESN, false))
		return add(p, TRANSFORM_ESN, 0, 0);
	return 0;
}

static int append(struct proposal_list *list, const struct proposal *p, struct err_msg *msg)
{
	struct proposal *v;

	if (list->n >= PROPOSAL_LIST_MAX)
		return err_set(msg, ERR_LIMIT, "more than %d proposals", PROPOSAL_LIST_MAX);
	v = realloc(list->v, (list->n + 1u) * sizeof(*v));
	if (!v)
		return err_set(msg, ERR_NOMEM, "out of memory");
	list->v = v;
	v[list->n] = *p;
	v[list->n].number = (uint8_t)(list->n + 1);
	list->n++;
	return 0;
}

static int parse_one(uint8_t protocol, const char *text, struct proposal_list *list,
		     struct err_msg *msg)
{
	struct proposal p = {.protocol = protocol};
	char copy[512];
	char *save, *token;
	int err;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
		return err_set(msg, ERR_SYNTAX, "proposal is too long");
	for (token = strtok_r(copy, "-", &save); token; token = strtok_r(NULL, "-", &save)) {
		err = add_token(&p, token, msg);
		if (err)
			return err;
	}
	err = complete(&p, text, msg);
	return err ? err : append(list, &p, msg);
}

int proposal_parse(uint8_t protocol, const char *text, struct proposal_list *list,
		   struct err_msg *msg)
{
	static const char *const ike[] = {
	    "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-prfsha384-prfsha512-"
	    "curve25519-ecp256-ecp384-modp3072-modp2048",
	    "aes256-aes128-sha256-sha384-sha512-curve25519-ecp256-ecp384-modp3072-modp2048"};
	static const char *const esp[] = {"aes256gcm16-aes128gcm16-chacha20poly1305",
					  "aes256-aes128-sha256-sha384-sha512"};
	const char *const *defaults = protocol == PROTOCOL_IKE ? ike : esp;
	int err;

	if (strcmp(text, "default") != 0)
		return parse_one(protocol, text, list, msg);
	err = parse_one(protocol, defaults[0], list, msg);
	return err ? err : parse_one(protocol, defaults[1], list, msg);
}
