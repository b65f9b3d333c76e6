/* natt.h - telling the datagrams of the NAT-T port apart (RFC 3948 §2). */
#ifndef VPN_WIRE_PACKET_NATT_H
#define VPN_WIRE_PACKET_NATT_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"

#define NON_ESP_MARKER_LEN 4	/* RFC 3948 §2.2: four zero octets where ESP has its SPI */
#define NATT_KEEPALIVE	   0xff /* RFC 3948 §2.3 */

enum natt_kind { NATT_INVALID, NATT_KEEP_ALIVE, NATT_IKE, NATT_ESP };

/* NATT_INVALID: shorter than a marker or an SPI. */
static inline enum natt_kind natt_classify(const void *data, size_t len)
{
	struct reader r = rd_init(data, len);
	uint32_t first;

	if (len == 1 && rd_u8(&r) == NATT_KEEPALIVE)
		return NATT_KEEP_ALIVE;
	r = rd_init(data, len);
	first = rd_u32(&r);
	if (!rd_ok(&r))
		return NATT_INVALID;
	return first ? NATT_ESP : NATT_IKE;
}

#endif
