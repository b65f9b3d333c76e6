/* proposal.h - choosing between proposals (RFC 7296 §2.7, §3.3.6), and their text. */
#ifndef VPN_IKE_PROPOSAL_H
#define VPN_IKE_PROPOSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/ike/conn.h"
#include "vpn/wire/proposal.h"

/* The suite that a chosen proposal means; 0 for what it does not name. */
struct suite {
	uint16_t encr, encr_bits, integ, prf, ke;
	bool esn;
};

enum proposal_flag {
	PROPOSAL_SKIP_KE = 1, /* in IKE_AUTH no key exchange is negotiated (RFC 7296 §1.2) */
};

/* The first of `own` that one of `peer` satisfies; *ret_chosen has the peer's number and SPI and
 * one transform of each type. False: NO_PROPOSAL_CHOSEN. */
bool proposal_select(const struct proposal_list *own, const struct proposal_list *peer,
		     unsigned flags, struct proposal *ret_chosen);

/* True if `answer` is one of `offered`: same number, one transform of each type, all of them
 * offered. */
bool proposal_is_answer(const struct proposal_list *offered, const struct proposal *answer,
			unsigned flags);

struct suite proposal_suite(const struct proposal *chosen);
/* The first key exchange group of a list, 0 if none has one. */
uint16_t proposal_first_ke(const struct proposal_list *list);
bool proposal_has_ke(const struct proposal_list *list, uint16_t group);
/* Copies src for an offer: numbered from 1, with this SPI, without KE if PROPOSAL_SKIP_KE.
 * ret_list->v has room for src->n. */
void proposal_offer(const struct proposal_list *src, unsigned flags, const uint8_t *spi,
		    uint8_t spi_len, struct proposal_list *ret_list);
/* "CHACHA20_POLY1305/PRF_HMAC_SHA2_384/CURVE_25519", lists joined by ", "; returns buf. */
const char *proposal_list_format(const struct proposal_list *list, char *buf, size_t cap);

#endif
