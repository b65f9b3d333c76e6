/* payload.h - the content of each payload: one decoder, one encoder (RFC 7296 §3.3 to §3.15).
 *
 * Decoders take a payload's body and give plain values and views into it; ERR_SYNTAX is what
 * becomes INVALID_SYNTAX. Encoders append a whole payload, generic header included. */
#ifndef VPN_WIRE_PAYLOAD_H
#define VPN_WIRE_PAYLOAD_H

#include "vpn/base/ts.h"
#include "vpn/wire/ike_message.h"
#include "vpn/wire/proposal.h"

#define NONCE_MIN 16 /* RFC 7296 §3.9 */
#define NONCE_MAX 256

/* SA. list->v has room for PROPOSAL_LIST_MAX; further proposals are checked and left out.
 * Transforms beyond PROPOSAL_TRANSFORMS_MAX likewise. */
int payload_sa_decode(struct view body, struct proposal_list *list);
void payload_sa_encode(struct ike_builder *b, const struct proposal_list *list);

struct payload_ke {
	uint16_t group;
	struct view data;
};
int payload_ke_decode(struct view body, struct payload_ke *ret_ke);
void payload_ke_encode(struct ike_builder *b, uint16_t group, struct view data);

struct payload_id {
	uint8_t type;
	struct view data;
};
int payload_id_decode(struct view body, struct payload_id *ret_id);
void payload_id_encode(struct ike_builder *b, uint8_t payload, uint8_t id_type, struct view data);

struct payload_cert {
	uint8_t encoding;
	struct view data;
};
int payload_cert_decode(struct view body, struct payload_cert *ret_cert);
/* payload is PAYLOAD_CERT or PAYLOAD_CERTREQ. */
void payload_cert_encode(struct ike_builder *b, uint8_t payload, uint8_t encoding,
			 struct view data);

struct payload_auth {
	uint8_t method;
	struct view data;
};
int payload_auth_decode(struct view body, struct payload_auth *ret_auth);
void payload_auth_encode(struct ike_builder *b, uint8_t method, struct view data);

/* ERR_SYNTAX unless 16 to 256 octets (RFC 7296 §3.9). */
int payload_nonce_decode(struct view body, struct view *ret_nonce);
void payload_nonce_encode(struct ike_builder *b, struct view nonce);

struct payload_notify {
	uint8_t protocol;
	uint16_t type;
	struct view spi;
	struct view data;
};
int payload_notify_decode(struct view body, struct payload_notify *ret_notify);
void payload_notify_encode(struct ike_builder *b, const struct payload_notify *notify);
/* A notify of the IKE SA without SPI. */
void payload_notify_simple(struct ike_builder *b, uint16_t type, struct view data);

struct payload_delete {
	uint8_t protocol;
	uint8_t spi_len;
	uint16_t n_spis;
	struct view spis;
};
int payload_delete_decode(struct view body, struct payload_delete *ret_delete);
uint32_t payload_delete_spi(const struct payload_delete *d, size_t i); /* of 4-octet SPIs */
void payload_delete_encode(struct ike_builder *b, uint8_t protocol, const uint32_t *spis, size_t n);

/* The head of an Encrypted Fragment payload; ERR_SYNTAX unless 1 <= number <= total (RFC 7383 §2.5,
 * §2.6). */
#define SKF_HEADER_LEN 4
struct payload_skf {
	uint16_t number, total;
	struct view sealed; /* IV to ICV */
};
int payload_skf_decode(struct view body, struct payload_skf *ret_skf);

void payload_vendor_encode(struct ike_builder *b, struct view id);

/* Selectors of unknown type are left out (RFC 7296 §2.9: the responder narrows them away); more
 * than TS_LIST_MAX is ERR_LIMIT. The caller frees *ret_list. */
int payload_ts_decode(struct view body, struct ts_list *ret_list);
void payload_ts_encode(struct ike_builder *b, uint8_t payload, const struct ts_list *list);

/* The first notify of a type; false if there is none. A malformed one is skipped. */
bool payloads_find_notify(const struct ike_payloads *p, uint16_t type,
			  struct payload_notify *ret_notify);

#endif
