/* keymat.h - key material of an IKE SA and of its Child SAs (RFC 7296 §2.14, §2.17). */
#ifndef VPN_IKE_KEYMAT_H
#define VPN_IKE_KEYMAT_H

#include "vpn/base/ipsec_sa.h"
#include "vpn/base/reader.h"
#include "vpn/crypto/cipher.h"
#include "vpn/crypto/prf.h"
#include "vpn/ike/action.h"
#include "vpn/ike/proposal.h"

struct keymat {
	struct suite suite;
	size_t prf_len;
	uint8_t sk_d[PRF_MAX_LEN];
	uint8_t sk_pi[PRF_MAX_LEN];
	uint8_t sk_pr[PRF_MAX_LEN];
	struct cipher *seal; /* ours */
	struct cipher *open; /* the peer's */
};

/* All that the keys of an IKE SA come from. */
struct keymat_input {
	struct suite suite;
	bool initiator; /* our role */
	struct view ni, nr;
	struct view secret; /* g^ir */
	uint64_t spi_i, spi_r;
	const struct keymat
	    *old; /* rekeying: the SA that is replaced (RFC 7296 §2.18); else NULL */
};

/* The keys once more, for the key log; the caller wipes it. */
struct keymat_log {
	uint8_t keys[7 * IKE_SK_MAX];
	struct ike_keys_info info;
};

/* SKEYSEED = prf(Ni | Nr, g^ir), or prf(SK_d (old), g^ir | Ni | Nr), then SK_d to SK_pr. */
int keymat_derive(struct keymat *km, const struct keymat_input *in, struct keymat_log *ret_log);
void keymat_clear(struct keymat *km);

/* KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr): first all keys of the initiator's direction, then of the
 * responder's, encryption before integrity (RFC 7296 §2.17). Both keys have ret_len octets. */
int keymat_child(const struct keymat *km, const struct ipsec_alg *alg, struct view secret,
		 struct view ni, struct view nr, uint8_t i2r[IPSEC_KEY_MAX],
		 uint8_t r2i[IPSEC_KEY_MAX], size_t *ret_len);

#endif
