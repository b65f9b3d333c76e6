/* sealed.h - the SK payload: an IKE message's encrypted and authenticated content (RFC 7296 §3.14,
 * RFC 5282 §3 for AEADs), and SKF, a fragment of it (RFC 7383 §2.5). */
#ifndef VPN_IKE_SEALED_H
#define VPN_IKE_SEALED_H

#include "vpn/crypto/cipher.h"
#include "vpn/crypto/ke.h"
#include "vpn/wire/ike_message.h"

/* What goes into one message. */
struct sealed_part {
	uint8_t first;		/* type of the first payload inside; 0 in fragments but the first */
	uint16_t number, total; /* of the fragment; 0: the whole, as SK */
	struct view chain;
};

/* Builds a whole message into out: header, SK or SKF. *iv_counter numbers the AEAD's IVs and goes
 * up by one; CBC IVs come from random. ERR_SPACE, ERR_CRYPTO. */
int sealed_build(struct cipher *c, uint64_t *iv_counter, random_fn random, void *random_ctx,
		 const struct ike_header *hdr, const struct sealed_part *part, uint8_t *out,
		 size_t cap, size_t *ret_len);

/* How long a message with so much inside becomes, and how much a message of that length can hold
 * at most (0: nothing). */
size_t sealed_len(const struct cipher_info *info, bool fragment, size_t chain);
size_t sealed_capacity(const struct cipher_info *info, bool fragment, size_t message);

/* Opens what is sealed at the end of `datagram` (from the IV to the ICV) in a copy in buf
 * (datagram.len octets). ret_chain is a view into buf. ERR_AUTH if the tag is wrong, ERR_SYNTAX if
 * the lengths are. */
int sealed_open(struct cipher *c, struct view datagram, struct view sealed, uint8_t *buf,
		struct view *ret_chain);

#endif
