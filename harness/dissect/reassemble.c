/* reassemble.c - IP fragments back to packets (RFC 791 §3.2, RFC 8200 §4.5).
 *
 * A packet is known by its place, addresses, protocol and identification. Fragments that overlap
 * make no packet, as RFC 5722 has it for IPv6: what a receiver would make of them is not known.
 * At most PENDING_MAX packets wait at a time; the one that waits longest makes room. */
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

#define PENDING_MAX	64
#define PIECES_MAX	64 /* 64 kB in fragments of 1 kB */
#define PACKET_MAX	65535
#define IPV6_FRAG_LEN	8
#define IPV4_TOTAL_AT	2
#define IPV4_FRAG_AT	6
#define IPV6_PAYLOAD_AT 4
#define IPV6_NEXT_AT	6

struct piece {
	size_t offset;
	struct view data;
	bool more;
};

struct pending {
	bool used;
	size_t place, age;
	uint32_t id;
	struct ip_addr src, dst;
	uint8_t proto;
	struct view head; /* unfragmented headers, of the first fragment */
	size_t next_at;	  /* IPv6: where head names the fragment header */
	uint8_t next;	  /* and what the fragment header names */
	size_t n;
	struct piece pieces[PIECES_MAX];
};

struct reassembly {
	struct pending pending[PENDING_MAX];
	size_t clock;
};

/* One fragment, taken apart. */
struct fragment {
	uint32_t id;
	uint8_t proto, next;
	size_t next_at;
	struct view head;
	struct piece piece;
};

int reassembly_new(struct reassembly **ret_r)
{
	*ret_r = calloc(1, sizeof(**ret_r));
	return *ret_r ? 0 : ERR_NOMEM;
}

void reassembly_free(struct reassembly *r)
{
	free(r);
}

static bool split_v4(struct view p, const struct ip_info *info, struct fragment *ret)
{
	ret->id = info->id;
	ret->proto = info->first_proto;
	ret->head = (struct view){p.p, info->hdr_len};
	ret->piece.offset = (size_t)(info->frag_off & IPV4_OFFSET) * 8;
	ret->piece.more = info->frag_off & IPV4_FLAG_MF;
	ret->piece.data = (struct view){p.p + info->hdr_len, info->total_len - info->hdr_len};
	return true;
}

static bool split_v6(struct view p, struct fragment *ret)
{
	struct reader r = rd_at(p.p, p.len, IPV6_HDR_LEN), at;
	size_t next_at = IPV6_NEXT_AT;
	uint8_t next = (uint8_t)(get_u16(p.p, p.len, IPV6_NEXT_AT) >> 8);
	unsigned ext;
	uint16_t off;

	for (ext = 0; next != IP_PROTO_FRAGMENT; ext++) {
		if (!rd_ok(&r) || ext == IPV6_EXT_MAX)
			return false;
		next_at = (size_t)(r.p - p.p);
		at = r;
		next = rd_u8(&at);
		rd_bytes(&r, ((size_t)rd_u8(&at) + 1) * 8);
	}
	ret->head = (struct view){p.p, (size_t)(r.p - p.p)};
	ret->next_at = next_at;
	ret->next = rd_u8(&r);
	ret->proto = ret->next;
	rd_u8(&r);
	off = rd_u16(&r);
	ret->id = rd_u32(&r);
	ret->piece.offset = off & 0xfff8u;
	ret->piece.more = off & 1;
	ret->piece.data = rd_rest(&r);
	return rd_ok(&r);
}

static bool same(const struct pending *p, size_t place, const struct fragment *frag,
		 const struct ip_info *info)
{
	return p->used && p->place == place && p->id == frag->id && p->proto == frag->proto &&
	       ip_addr_eq(&p->src, &info->sel.src) && ip_addr_eq(&p->dst, &info->sel.dst);
}

static struct pending *find_or_make(struct reassembly *r, size_t place, const struct fragment *frag,
				    const struct ip_info *info)
{
	struct pending *oldest = &r->pending[0];
	size_t i;

	for (i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &r->pending[i];

		if (same(p, place, frag, info))
			return p;
		if (oldest->used && (!p->used || p->age < oldest->age))
			oldest = p;
	}
	*oldest = (struct pending){.used = true,
				   .place = place,
				   .age = r->clock++,
				   .id = frag->id,
				   .proto = frag->proto,
				   .src = info->sel.src,
				   .dst = info->sel.dst};
	return oldest;
}

static int by_offset(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The payload's length if every octet is there exactly once, else 0. */
static size_t complete_len(struct pending *p)
{
	size_t i, end = 0;

	qsort(p->pieces, p->n, sizeof(p->pieces[0]), by_offset);
	for (i = 0; i < p->n; i++) {
		if (p->pieces[i].offset != end || p->pieces[i].more != (i + 1 < p->n))
			return 0;
		end += p->pieces[i].data.len;
	}
	return end;
}

static int join(struct facts *f, const struct pending *p, size_t len, struct view *ret_packet)
{
	size_t i, total = p->head.len + len;
	uint8_t *buf;
	struct writer w, over;

	if (total > PACKET_MAX)
		return 0;
	buf = arena_alloc(&f->arena, total);
	if (!buf)
		return ERR_NOMEM;
	w = wr_init(buf, total);
	wr_bytes(&w, p->head.p, p->head.len);
	for (i = 0; i < p->n; i++)
		wr_bytes(&w, p->pieces[i].data.p, p->pieces[i].data.len);
	over = wr_over(buf, total);
	if (p->src.family == 6) {
		wr_patch16(&over, IPV6_PAYLOAD_AT, total - IPV6_HDR_LEN);
		wr_patch8(&over, p->next_at, p->next);
	} else {
		wr_patch16(&over, IPV4_TOTAL_AT, total);
		wr_patch16(&over, IPV4_FRAG_AT, 0);
		ipv4_set_checksum(buf, p->head.len);
	}
	*ret_packet = (struct view){buf, total};
	return 0;
}

static bool is_repeated(const struct pending *p, size_t offset)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->pieces[i].offset == offset)
			return true;
	return false;
}

int reassembly_add(struct reassembly *r, struct facts *f, size_t i, struct view fragment,
		   const struct ip_info *info, struct view *ret_packet, size_t *ret_n)
{
	struct fragment frag = {0};
	struct pending *p;
	size_t len;
	int err;

	if (!(info->version == 4 ? split_v4(fragment, info, &frag) : split_v6(fragment, &frag)))
		return add_problem(f, i, "malformed IP fragment");
	p = find_or_make(r, f->frames[i].place, &frag, info);
	if (is_repeated(p, frag.piece.offset) || p->n == PIECES_MAX)
		return 0;
	if (frag.piece.offset == 0) {
		p->head = frag.head;
		p->next_at = frag.next_at;
		p->next = frag.next;
	}
	p->pieces[p->n++] = frag.piece;
	len = complete_len(p);
	if (!len)
		return 0;
	*ret_n = p->n;
	err = join(f, p, len, ret_packet);
	p->used = false;
	return err;
}
