/* packet.h - a packet in a buffer, with the room around it. Plain data; it owns nothing.
 *
 *     |<- headroom ->|<------- len ------->|<- tailroom ->|
 *                    ^ data
 *
 * Headroom and tailroom count octets that may be overwritten. Sealing grows a packet into both;
 * opening shrinks it, and in BEET mode grows it forward again. */
#ifndef VPN_ESP_PACKET_H
#define VPN_ESP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/esp/drop.h"
#include "vpn/wire/packet/ip.h"

/* Room that sealing needs in front: ESP header and IV (8 + 16). Behind: padding, trailer and ICV,
 * and a BEET pseudo header needs no more than the header that it replaces. */
#define PACKET_HEADROOM 64
#define PACKET_TAILROOM 320

/* The fields of the outer IP header that IPsec reads or decides. */
struct outer_hdr {
	uint8_t tos;
	uint8_t ttl;
	uint16_t id;	   /* IPv4 identification */
	uint16_t frag_off; /* IPv4 flags and offset: IPV4_FLAG_DF, or 0 */
	uint32_t flow;	   /* IPv6 flow label */
	bool no_id;	   /* received by a UDP socket, which shows neither id nor frag_off */
};

struct esp_sa;

struct packet {
	uint8_t *data;
	size_t len;
	size_t headroom;
	size_t tailroom;
	struct outer_hdr outer; /* open: as received; seal: as to be sent */
	struct ip_info inner;	/* seal: given; open: found */
	struct esp_sa *sa;	/* open: found */
	bool newest;		/* open: no packet of the SA had a higher sequence number */
	enum esp_drop drop;	/* the verdict; only ESP_DROP_NONE packets go on */
};

/* A packet in a buffer of cap octets, `headroom` of them free in front. */
static inline struct packet packet_in(uint8_t *buf, size_t cap, size_t headroom, size_t len)
{
	return (struct packet){.data = buf + headroom,
			       .len = len,
			       .headroom = headroom,
			       .tailroom = cap - headroom - len};
}

/* Takes n octets off the front. */
static inline void packet_pull(struct packet *p, size_t n)
{
	p->data += n;
	p->len -= n;
	p->headroom += n;
}

/* Adds n octets in front; the caller knows that there is room. */
static inline void packet_push(struct packet *p, size_t n)
{
	p->data -= n;
	p->len += n;
	p->headroom -= n;
}

/* Cuts the packet to len octets. */
static inline void packet_trim(struct packet *p, size_t len)
{
	p->tailroom += p->len - len;
	p->len = len;
}

/* Lengthens it to len octets; the caller knows that there is room. */
static inline void packet_extend(struct packet *p, size_t len)
{
	p->tailroom -= len - p->len;
	p->len = len;
}

#endif
