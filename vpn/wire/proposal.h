/* proposal.h - proposals and transforms as data (RFC 7296 §3.3): what stands in an SA payload, and
 * what a configuration asks for. Numbers are IANA's; the names are in crypto/alg.h. */
#ifndef VPN_WIRE_PROPOSAL_H
#define VPN_WIRE_PROPOSAL_H

#include <stdbool.h>
#include <stdint.h>

#define PROPOSAL_TRANSFORMS_MAX 48 /* strongSwan's default IKE proposal has 33 */
#define PROPOSAL_LIST_MAX	16 /* the wire allows 255; nobody sends more than a few */

enum protocol_id { /* RFC 7296 §3.3.1 */
		   PROTOCOL_NONE = 0,
		   PROTOCOL_IKE = 1,
		   PROTOCOL_AH = 2,
		   PROTOCOL_ESP = 3,
};

struct transform {
	uint8_t type;
	bool unusable; /* carries an attribute that we do not know: never to be chosen (§3.3.6) */
	uint16_t id;
	uint16_t key_bits; /* 0: no key length attribute */
};

struct proposal {
	uint8_t number;
	uint8_t protocol;
	uint8_t spi_len;
	uint8_t spi[8];
	uint8_t n_transforms;
	struct transform transforms[PROPOSAL_TRANSFORMS_MAX];
};

struct proposal_list {
	uint8_t n;
	struct proposal *v; /* owned by whoever owns the list */
};

#endif
