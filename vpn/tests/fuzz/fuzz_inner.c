/* fuzz_inner.c - inner IP packets, as a device hands them over or an opened ESP packet holds them:
 * the header walk, and everything that is done to a packet which passes it.
 *
 *     octets 0-1: an MTU, or the size of a segment   octet 2: what the virtio header says   rest:
 * packet */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/esp/beet.h"
#include "vpn/esp/gso.h"
#include "vpn/esp/reass.h"
#include "vpn/wire/packet/frag.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/mss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { RUNS_MAX = 64 };

static void icmp(const uint8_t *data, size_t len, const struct ip_info *ip, size_t mtu)
{
	uint8_t out[ICMP6_ERROR_MAX];
	struct ip_info e;
	size_t out_len;

	if (icmp_too_big(data, len, ip, mtu, out, sizeof(out), &out_len))
		return;
	assert(ip_parse(out, out_len, &e) == 0 && e.total_len == out_len);
	assert(ip_is_icmp_error(out, out_len, &e));
}

static void fragment(const uint8_t *data, const struct ip_info *ip, size_t mtu)
{
	struct ipv4_frag_plan plan;
	size_t i, flen, covered = 0;
	struct ip_info f;
	uint8_t *out;

	if (ipv4_frag_plan(ip, mtu, &plan))
		return;
	for (i = 0; i < plan.n; i++) {
		flen = ipv4_frag_len(ip, &plan, i);
		out = malloc(flen);
		ipv4_fragment(data, ip, &plan, i, out);
		assert(ip_parse(out, flen, &f) == 0 && flen <= mtu);
		covered += flen - f.hdr_len;
		free(out);
	}
	assert(covered == ip->total_len - ip->hdr_len);
}

/* Cuts, and puts together again what can be. */
static void segment(const uint8_t *data, const struct ip_info *ip, const struct gso *gso)
{
	struct packet pkts[RUNS_MAX] = {0};
	struct gro_run runs[RUNS_MAX];
	size_t next[RUNS_MAX], i, n, total = 0;
	uint8_t hdr[GRO_HDR_MAX];
	struct gso_plan plan;
	struct gso got;

	if (gso_plan(data, ip, gso, &plan) || plan.n > RUNS_MAX || gso->type == GSO_NONE)
		return;
	for (i = 0; i < plan.n; i++) {
		pkts[i].len = gso_segment_len(&plan, i);
		pkts[i].data = malloc(pkts[i].len);
		gso_segment(data, ip, gso, &plan, i, pkts[i].data);
		assert(ip_parse(pkts[i].data, pkts[i].len, &pkts[i].inner) == 0);
		total += pkts[i].len - plan.hdr_len;
	}
	assert(total == plan.payload);
	n = gro_sort(pkts, plan.n, runs, next);
	for (i = 0, total = 0; i < n; i++) {
		total += runs[i].n;
		if (runs[i].n > 1)
			gro_header(pkts, &runs[i], hdr, &got);
	}
	assert(total == plan.n);
	for (i = 0; i < plan.n; i++)
		free(pkts[i].data);
}

/* Stripped and rebuilt, a packet is what it was, but for what the outer header does not carry. */
static void beet(const uint8_t *data, const struct ip_info *ip)
{
	size_t cap = PACKET_HEADROOM + ip->total_len;
	uint8_t *buf = malloc(cap), next;
	struct packet p = packet_in(buf, cap, PACKET_HEADROOM, ip->total_len);

	memcpy(p.data, data, ip->total_len);
	p.inner = *ip;
	p.outer = (struct outer_hdr){ip->tos, ip->ttl, ip->id, ip->frag_off, ip->flow, false};
	if (beet_strip(&p, &next) == ESP_DROP_NONE) {
		enum esp_drop drop = beet_rebuild(&p, next, &ip->sel.src, &ip->sel.dst, 0);

		assert(drop == ESP_DROP_NONE && p.len == ip->total_len);
		if (ip->version == 4)
			assert(memcmp(p.data + 20, data + 20, p.len - 20) == 0);
		else
			assert(memcmp(p.data, data, p.len) == 0);
	}
	free(buf);
}

static void reassemble(const uint8_t *data, const struct ip_info *ip)
{
	static struct reass *r;
	const uint8_t *whole;
	struct ip_info w;
	size_t len;

	if (!r && reass_new(&r))
		abort();
	if (ip->version == 4 && ip->fragment && !reass_add(r, data, ip, 1, &whole, &len))
		assert(ip_parse(whole, len, &w) == 0 && !w.fragment && w.total_len == len);
}

static void rebuild_hostile(const uint8_t *data, size_t len, uint8_t next)
{
	static const struct ip_addr v4 = {.family = 4}, v6 = {.family = 6};
	const struct ip_addr *a = next & 1 ? &v6 : &v4;
	size_t front = next % 61;
	uint8_t *buf = malloc(front + len);
	struct packet p = packet_in(buf, front + len, front, len);

	memcpy(p.data, data, len);
	if (beet_rebuild(&p, next & 2 ? IP_PROTO_BEETPH : next, a, a, 1) == ESP_DROP_NONE)
		assert(p.data >= buf && p.data + p.len <= buf + front + len);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gso gso = {0};
	struct ip_info ip;
	uint8_t *copy;
	size_t mtu;

	if (len < 3 || len > 8192)
		return 0;
	mtu = (size_t)data[0] << 8 | data[1];
	gso.size = (uint16_t)mtu;
	gso.type = (enum gso_type)(data[2] % 3);
	gso.csum_start = data[2];
	gso.csum_offset = data[1];
	copy = malloc(len - 3);
	memcpy(copy, data + 3, len - 3);
	rebuild_hostile(copy, len - 3, data[2]);
	gso_complete_checksum(copy, len - 3, &gso);
	memcpy(copy, data + 3, len - 3);
	if (ip_parse(copy, len - 3, &ip) == 0) {
		icmp(copy, len - 3, &ip, mtu);
		fragment(copy, &ip, mtu);
		segment(copy, &ip, &gso);
		beet(copy, &ip);
		reassemble(copy, &ip);
		ip_l4_checksum(copy, &ip);
		mss_clamp(copy, len - 3, &ip, (uint16_t)mtu);
		ip_set_tos(copy, len - 3, data[2]);
	}
	free(copy);
	return 0;
}
