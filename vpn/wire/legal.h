/* legal.h - which payload may stand where and how often: a table by exchange and direction, from
 * the diagrams of RFC 7296 §1.2 to §1.4 and appendix C. */
#ifndef VPN_WIRE_LEGAL_H
#define VPN_WIRE_LEGAL_H

#include "vpn/wire/ike_message.h"

enum legal_verdict {
	LEGAL_OK,
	LEGAL_MISSING,	/* a payload that must be there is not: INVALID_SYNTAX */
	LEGAL_REPEATED, /* one that may be there once is there twice: INVALID_SYNTAX */
	LEGAL_CRITICAL, /* unknown and marked critical: UNSUPPORTED_CRITICAL_PAYLOAD (RFC 7296 §2.5)
			 */
	LEGAL_ALIEN,	/* known, but never in this place: INVALID_SYNTAX */
};

/* `outside`: the payloads are not inside SK. A response with an error notify in place of its
 * payloads is legal (RFC 7296 §1.2, §1.3). ret_type is the payload that it is about. */
enum legal_verdict legal_check(const struct ike_payloads *p, uint8_t exchange, bool response,
			       bool outside, uint8_t *ret_type);
const char *legal_verdict_name(enum legal_verdict v);

#endif
