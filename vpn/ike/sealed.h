/* sealed.h - the SK payload: an IKE message's encrypted and authenticated content (RFC 7296 §3.14,
 * RFC 5282 §3 for AEADs). */
#ifndef VPN_IKE_SEALED_H
#define VPN_IKE_SEALED_H

#include "vpn/crypto/cipher.h"
#include "vpn/crypto/ke.h"
#include "vpn/wire/ike_message.h"

/* Builds a whole message into out: header, SK with `inner` (a chain made with ike_builder_chain,
 * its first octet the type of the first payload). *iv_counter numbers the AEAD's IVs and goes up by
 * one; CBC IVs come from random. ERR_SPACE, ERR_CRYPTO. */
int sealed_build(struct cipher *c, uint64_t *iv_counter, random_fn random, void *random_ctx,
		 const struct ike_header *hdr, const struct ike_builder *inner, uint8_t *out,
		 size_t cap, size_t *ret_len);

/* Opens the SK payload that ends `datagram` in place of a copy in buf (datagram.len octets).
 * ret_chain is a view into buf; the type of its first payload is that of sk->inner_first. ERR_AUTH
 * if the tag is wrong, ERR_SYNTAX if the lengths are. */
int sealed_open(struct cipher *c, struct view datagram, const struct ike_payload *sk, uint8_t *buf,
		struct view *ret_chain);

#endif
