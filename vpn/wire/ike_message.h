/* ike_message.h - the frame of an IKE message: header and chain of payloads (RFC 7296 §3.1, §3.2,
 * §3.14).
 *
 * Parsing gives views into the datagram; what lies inside a payload is read by payload.h. Building
 * goes through struct ike_builder, which keeps the next-payload chain and the lengths right. */
#ifndef VPN_WIRE_IKE_MESSAGE_H
#define VPN_WIRE_IKE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"
#include "vpn/base/writer.h"
#include "vpn/wire/ike_numbers.h"

#define IKE_HEADER_LEN	       28
#define IKE_PAYLOAD_HEADER_LEN 4
#define IKE_MESSAGE_MAX	       65507 /* UDP over IPv4 */
#define IKE_PAYLOADS_MAX       64 /* a message of ours has about 20; more is an attack or a mistake */
#define IKE_VERSION	       0x20

enum ike_flag { /* RFC 7296 §3.1 */
		IKE_FLAG_INITIATOR = 0x08,
		IKE_FLAG_VERSION = 0x10,
		IKE_FLAG_RESPONSE = 0x20,
};

struct ike_header {
	uint64_t spi_i, spi_r;
	uint8_t next_payload;
	uint8_t version;
	uint8_t exchange;
	uint8_t flags;
	uint32_t message_id;
	uint32_t length;
};

struct ike_payload {
	uint8_t type;
	bool critical;
	struct view body;    /* without the generic header */
	uint8_t inner_first; /* SK: type of its first inner payload */
};

struct ike_payloads {
	size_t n;
	struct ike_payload v[IKE_PAYLOADS_MAX];
};

/* ERR_SYNTAX if it is not an IKE header, or its length is not the datagram's. */
int ike_header_decode(struct view datagram, struct ike_header *ret_hdr);

/* Splits a chain. SK and SKF end it (RFC 7296 §3.14). ERR_SYNTAX, or ERR_LIMIT beyond
 * IKE_PAYLOADS_MAX. */
int ike_payloads_decode(uint8_t first, struct view chain, struct ike_payloads *ret_payloads);

/* The i-th payload of a type, from 0; NULL if there is none. */
const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type, size_t i);

/* Builder. The header's length and every next-payload field are patched as payloads are added. */
struct ike_builder {
	struct writer w;
	size_t next_at;	   /* offset of the field that names the next payload */
	size_t payload_at; /* offset of the open payload */
};

struct ike_builder ike_builder_message(void *buf, size_t cap, const struct ike_header *hdr);
/* A chain alone, as it stands inside SK; *first is patched through ike_builder_first. */
struct ike_builder ike_builder_chain(void *buf, size_t cap);
uint8_t ike_builder_first(const struct ike_builder *b);
void ike_payload_begin(struct ike_builder *b, uint8_t type);
void ike_payload_end(struct ike_builder *b);
/* Patches the header's length; 0 on overflow. */
size_t ike_builder_finish(struct ike_builder *b);

#endif
