/* reass.c - IPv4 reassembly (RFC 791 §3.2, RFC 815's aim with a bitmap instead of hole
 * descriptors).
 *
 * A slot holds one packet: its octets at their final place, and one bit for each unit of 8 that has
 * come.
 *
 *     hdr (of the first fragment) | 0..7 | 8..15 | ........ | last      units
 *                                    1       1       0          1       bitmap
 *
 * Fragments that overlap are an attack or a fault (RFC 5722 §4 for IPv6; here likewise): all of
 * that packet is given up. When all slots are taken, the oldest packet is. Memory is fixed. */
#include "vpn/esp/reass.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/wire/packet/octets.h"

#define UNIT	  8
#define UNITS_MAX (65536 / UNIT)
#define HDR_ROOM  64 /* the longest IPv4 header is 60 */

struct slot {
	uint64_t since; /* arrival of its first fragment; 0: free */
	struct ip_addr src, dst;
	uint16_t id;
	uint8_t proto;
	unsigned fragments;
	size_t hdr_len;	  /* 0: the first fragment is missing */
	size_t units;	  /* that have come */
	size_t total_len; /* of the payload; 0: the last fragment is missing */
	size_t end;	  /* how far the payload reaches by what has come */
	uint8_t have[UNITS_MAX / 8];
	uint8_t octets[HDR_ROOM + 65536];
};

struct reass {
	unsigned lost;
	struct slot slots[REASS_SLOTS];
};

int reass_new(struct reass **ret_reass)
{
	struct reass *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_NOMEM;
	*ret_reass = r;
	return 0;
}

void reass_free(struct reass *r)
{
	free(r);
}

unsigned reass_take_lost(struct reass *r)
{
	unsigned lost = r->lost;

	r->lost = 0;
	return lost;
}

static void give_up(struct reass *r, struct slot *s)
{
	r->lost += s->fragments;
	s->since = 0;
}

static bool is_of(const struct slot *s, const struct ip_info *ip)
{
	return s->since && s->id == ip->id && s->proto == ip->proto &&
	       ip_addr_eq(&s->src, &ip->sel.src) && ip_addr_eq(&s->dst, &ip->sel.dst);
}

/* The packet's slot, or else a free one or the oldest. */
static struct slot *slot_for(struct reass *r, const struct ip_info *ip, uint64_t now)
{
	struct slot *s, *oldest = &r->slots[0];

	for (s = r->slots; s < r->slots + REASS_SLOTS; s++) {
		if (s->since && now - s->since > REASS_TIMEOUT)
			give_up(r, s);
		if (is_of(s, ip))
			return s;
		if (s->since < oldest->since)
			oldest = s;
	}
	if (oldest->since)
		give_up(r, oldest);
	memset(oldest, 0, offsetof(struct slot, octets));
	oldest->since = now ? now : 1;
	oldest->src = ip->sel.src;
	oldest->dst = ip->sel.dst;
	oldest->id = ip->id;
	oldest->proto = ip->proto;
	return oldest;
}

/* False if a unit has come before. */
static bool mark(struct slot *s, size_t first, size_t n)
{
	size_t u;

	for (u = first; u < first + n; u++) {
		if (s->have[u / 8] & 1U << u % 8)
			return false;
		s->have[u / 8] |= (uint8_t)(1U << u % 8);
	}
	s->units += n;
	return true;
}

static bool take(struct slot *s, const uint8_t *data, const struct ip_info *ip)
{
	size_t at = (size_t)(ip->frag_off & IPV4_OFFSET) * UNIT;
	size_t len = ip->total_len - ip->hdr_len;
	bool more = ip->frag_off & IPV4_FLAG_MF;

	if (!len || (more && len % UNIT) || at + len > UINT16_MAX - ip->hdr_len)
		return false;
	if (s->total_len && (!more || at + len > s->total_len))
		return false;
	if (!more && at + len < s->end)
		return false;
	if (!mark(s, at / UNIT, (len + UNIT - 1) / UNIT))
		return false;
	memcpy(s->octets + HDR_ROOM + at, data + ip->hdr_len, len);
	s->end = at + len > s->end ? at + len : s->end;
	if (!more)
		s->total_len = at + len;
	if (at == 0) {
		s->hdr_len = ip->hdr_len;
		memcpy(s->octets + HDR_ROOM - ip->hdr_len, data, ip->hdr_len);
	}
	s->fragments++;
	return true;
}

static bool complete(const struct slot *s)
{
	return s->hdr_len && s->total_len && s->units == (s->total_len + UNIT - 1) / UNIT;
}

int reass_add(struct reass *r, const uint8_t *data, const struct ip_info *ip, uint64_t now,
	      const uint8_t **ret_data, size_t *ret_len)
{
	struct slot *s = slot_for(r, ip, now);
	struct writer w;
	uint8_t *whole;

	if (!take(s, data, ip)) {
		r->lost++;
		give_up(r, s);
		return ERR_SYNTAX;
	}
	if (!complete(s))
		return ERR_AGAIN;
	whole = s->octets + HDR_ROOM - s->hdr_len;
	w = wr_over(whole, s->hdr_len);
	wr_patch16(&w, 2, s->hdr_len + s->total_len);
	wr_patch16(&w, 6, 0);
	ipv4_set_checksum(whole, s->hdr_len);
	s->since = 0;
	*ret_data = whole;
	*ret_len = s->hdr_len + s->total_len;
	return 0;
}
