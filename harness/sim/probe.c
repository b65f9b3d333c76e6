/* probe.c - makes and recognises the numbered datagrams.
 *
 *	magic (8) | number (8) | hash of addresses, number and size (8) | octets that follow from it
 */
#include "harness/sim/probe.h"
#include "harness/sim/packet_make.h"
#include "vpn/base/writer.h"
#include "vpn/wire/packet/octets.h"
#include <stdlib.h>
#include <string.h>

enum { UDP_LEN = 8, HEAD_LEN = 24 };

static const uint8_t magic[8] = {0xb3, 'p', 'r', 'o', 'b', 'e', '!', 0x7e};

void probes_free(struct probes *probes)
{
	free(probes->seen);
	*probes = (struct probes){0};
}

static uint64_t hash_of(const struct ip_addr *src, const struct ip_addr *dst, uint64_t number,
			size_t size)
{
	uint64_t numbers[2] = {number, size};
	uint64_t h = sim_hash(0, src->b, sizeof(src->b));

	h = sim_hash(h, dst->b, sizeof(dst->b));
	return sim_hash(h, numbers, sizeof(numbers));
}

static bool next_number(struct probes *probes, uint64_t *ret_number)
{
	uint64_t cap = probes->cap ? probes->cap * 2 : 1024;
	uint8_t *grown = probes->seen;

	if (probes->count == probes->cap) {
		grown = realloc(grown, cap);
		if (!grown)
			return false;
		memset(grown + probes->cap, 0, cap - probes->cap);
		probes->seen = grown;
		probes->cap = cap;
	}
	*ret_number = probes->count++;
	return true;
}

size_t probe_make(struct probes *probes, const struct ip_addr *src, const struct ip_addr *dst,
		  size_t size, uint8_t *buf, uint64_t *ret_number)
{
	const struct endpoint from = {*src, PROBE_PORT}, to = {*dst, PROBE_PORT};
	uint8_t body[9000];
	struct writer w;
	uint64_t hash;

	size = size < HEAD_LEN ? HEAD_LEN : size > sizeof(body) ? sizeof(body) : size;
	if (!next_number(probes, ret_number))
		return 0;
	hash = hash_of(src, dst, *ret_number, size);
	w = wr_init(body, size);
	wr_bytes(&w, magic, sizeof(magic));
	wr_u64(&w, *ret_number);
	wr_u64(&w, hash);
	memset(body + w.len, (int)(hash & 0xff), size - w.len);
	return packet_udp(buf, &from, &to, NULL, false, (struct view){body, size});
}

enum probe_finding probe_take(struct probes *probes, const uint8_t *data, const struct ip_info *ip,
			      uint64_t *ret_number)
{
	struct reader r = rd_at(data, ip->total_len, ip->l4_off + UDP_LEN);
	size_t size = rd_left(&r), i;
	const uint8_t *head = rd_bytes(&r, sizeof(magic));
	uint64_t number = rd_u64(&r), hash = rd_u64(&r);
	struct view rest = rd_rest(&r);

	if (!rd_ok(&r) || memcmp(head, magic, sizeof(magic)) != 0 || number >= probes->count)
		return PROBE_STRANGE;
	*ret_number = number;
	if (hash != hash_of(&ip->sel.src, &ip->sel.dst, number, size))
		return PROBE_CHANGED;
	for (i = 0; i < rest.len; i++)
		if (rest.p[i] != (hash & 0xff))
			return PROBE_CHANGED;
	if (probes->seen[number])
		return PROBE_TWICE;
	probes->seen[number] = 1;
	probes->delivered++;
	return PROBE_OK;
}

bool probe_was_delivered(const struct probes *probes, uint64_t number)
{
	return number < probes->count && probes->seen[number];
}

uint8_t probe_octet(uint64_t place)
{
	size_t at = place % 64;

	return at < sizeof(magic) ? magic[at]
				  : (uint8_t)(place * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

bool probe_is_in(const uint8_t *data, size_t len)
{
	return memmem(data, len, magic, sizeof(magic)) != NULL;
}
