/* seal.c - sealing a batch of inner packets for one SA (RFC 4303 §3.3), and what fits into a path.
 *
 * A packet is laid out in place, then all of the batch go to the cipher at once:
 *
 *     headroom |  inner packet  | tailroom
 *          SPI | seq | IV | payload | TFC | 1,2,3.. | pad len | next | ICV
 *
 * Invariants: a sequence number, and with it the counter that is the IV of an AEAD, is used once in
 * the life of a key (RFC 4303 §3.3.3, RFC 4106 §3.1); the SA stops before the number wraps.
 *
 * Fragmentation (RFC 4301 §8): with DF an inner packet that does not fit is refused and its sender
 * told. Without DF an IPv4 packet in tunnel mode is fragmented before it is sealed, so that the
 * peer opens whole ESP packets and no fragment of ours meets a NAT. BEET has no place for an inner
 * fragment, there the outer packet is fragmented. With copy_df off the inner DF bit is not heeded
 * and the outer one is clear. */
#include "vpn/esp/seal.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/esp/beet.h"
#include "vpn/esp/tos.h"
#include "vpn/wire/packet/esp_hdr.h"

enum { UDP_HDR_LEN = 8, BEET_OPTIONS_ROOM = 8, OUTER_MTU_DEFAULT = 1500, OUTER_TTL = 64 };
enum { IV_MAX = 16, ESN_AAD_LEN = 12 };

struct batch {
	struct cipher_job jobs[ESP_BATCH];
	struct packet *pkts[ESP_BATCH];
	uint8_t aad[ESP_BATCH][ESN_AAD_LEN];
	uint8_t iv[ESP_BATCH][IV_MAX];
	size_t n;
};

/* RFC 4303 §3.3.3: a number never repeats; without ESN they end at 2^32 - 1. */
static bool next_seq(struct esp_sa *sa)
{
	uint64_t last = sa->desc.alg.esn ? UINT64_MAX : UINT32_MAX;

	if (sa->seq == last) {
		esp_sa_stop(sa, ESP_SA_SEQ, ESP_DROP_SEQ);
		return false;
	}
	sa->seq++;
	return true;
}

static void outer_from_inner(const struct esp_sa *sa, struct packet *p)
{
	const struct ipsec_sa *d = &sa->desc;
	const struct ip_info *ip = &p->inner;
	bool df = d->copy_df && ip->df;

	p->outer = (struct outer_hdr){.frag_off = df ? IPV4_FLAG_DF : 0};
	if (esp_sa_strips_header(sa)) {
		p->outer.tos = ip->tos;
		p->outer.ttl = ip->ttl;
		p->outer.id = ip->id;
		p->outer.flow = ip->flow;
		return;
	}
	p->outer.tos = tos_encapsulate(ip->tos, d->copy_dscp & IPSEC_DSCP_OUT, d->copy_ecn);
	p->outer.ttl = OUTER_TTL;
}

/* RFC 4303 §2.7: behind a packet that knows its own length, in tunnel mode. */
static void add_tfc_padding(const struct esp_sa *sa, struct packet *p)
{
	size_t mtu = esp_inner_mtu(sa, p->inner.version);
	size_t want = sa->desc.tfc_pad < mtu ? sa->desc.tfc_pad : mtu;
	size_t have = p->len;

	if (sa->desc.mode != IPSEC_TUNNEL || want <= have || want - have > p->tailroom)
		return;
	packet_extend(p, want);
	memset(p->data + have, 0, want - have);
}

/* Inner packet -> payload with padding and trailer. */
static enum esp_drop lay_payload(const struct esp_sa *sa, struct packet *p)
{
	uint8_t next = p->inner.version == 6 ? IP_PROTO_IPV6 : IP_PROTO_IPV4;
	enum esp_drop drop = ESP_DROP_NONE;
	struct writer w;
	size_t pad;

	if (esp_sa_strips_header(sa))
		drop = beet_strip(p, &next);
	else
		packet_trim(p, p->inner.total_len);
	if (drop)
		return drop;
	if (sa->desc.tfc_pad)
		add_tfc_padding(sa, p);
	pad = esp_pad_len(p->len, esp_sa_align(sa));
	if (p->headroom < esp_sa_front(sa) ||
	    p->tailroom < pad + ESP_TRAILER_LEN + sa->info.icv_len)
		return ESP_DROP_SPACE;
	w = wr_init(p->data + p->len, pad + ESP_TRAILER_LEN);
	esp_trailer_write(&w, pad, next);
	packet_extend(p, p->len + w.len);
	return ESP_DROP_NONE;
}

/* Header, IV and additional data (RFC 4303 §2.2.1, RFC 4106 §5, RFC 7634 §2.1). */
static void lay_front(const struct esp_sa *sa, struct packet *p, struct batch *b)
{
	struct cipher_job *job = &b->jobs[b->n];
	uint8_t *aad = b->aad[b->n];
	struct writer front = wr_init(p->data - esp_sa_front(sa), esp_sa_front(sa));
	struct writer esn = wr_init(aad, ESN_AAD_LEN);
	uint32_t high = (uint32_t)(sa->seq >> 32);

	*job = (struct cipher_job){.data = p->data, .data_len = p->len, .icv = p->data + p->len};
	esp_hdr_write(&front, sa->desc.spi, (uint32_t)sa->seq);
	if (sa->info.aead)
		wr_u64(&front, sa->seq);
	else
		wr_bytes(&front, b->iv[b->n], sa->info.iv_len);
	job->iv = front.base + ESP_HDR_LEN;
	job->aad = front.base;
	job->aad_len = ESP_HDR_LEN;
	if (sa->desc.alg.esn && sa->info.aead) {
		wr_u32(&esn, sa->desc.spi);
		wr_u64(&esn, sa->seq);
		job->aad = aad;
		job->aad_len = ESN_AAD_LEN;
	} else if (sa->desc.alg.esn) {
		wr_u32(&esn, high);
		job->tail = aad;
		job->tail_len = 4;
	}
	packet_push(p, esp_sa_front(sa));
	packet_extend(p, p->len + sa->info.icv_len);
	b->pkts[b->n++] = p;
}

static enum esp_drop lay_out(struct esp_sa *sa, struct packet *p, uint64_t now, struct batch *b)
{
	size_t inner_len = p->inner.total_len;
	enum esp_drop drop;

	if (sa->stopped)
		return sa->stop_reason;
	outer_from_inner(sa, p);
	drop = lay_payload(sa, p);
	if (drop)
		return drop;
	if (!next_seq(sa))
		return ESP_DROP_SEQ;
	lay_front(sa, p, b);
	esp_sa_count(sa, inner_len, now);
	return ESP_DROP_NONE;
}

static void seal_batch(struct esp_sa *sa, struct packet *pkts, size_t n, uint64_t now,
		       const struct esp_random *rng)
{
	struct batch b;
	size_t i;

	b.n = 0;
	if (!sa->info.aead)
		rng->fill(rng->arg, b.iv[0], n * IV_MAX);
	for (i = 0; i < n; i++)
		if (!pkts[i].drop)
			pkts[i].drop = lay_out(sa, &pkts[i], now, &b);
	if (b.n)
		cipher_seal(sa->cipher, b.jobs, b.n);
	for (i = 0; i < b.n; i++)
		if (!b.jobs[i].ok)
			b.pkts[i]->drop = ESP_DROP_CRYPTO;
}

void esp_seal(struct esp_sa *sa, struct packet *pkts, size_t n, uint64_t now,
	      const struct esp_random *rng)
{
	size_t i, part;

	for (i = 0; i < n; i += part) {
		part = n - i < ESP_BATCH ? n - i : ESP_BATCH;
		seal_batch(sa, pkts + i, part, now, rng);
	}
}

/* Octets of payload, padding and trailer that one outer packet carries. */
static size_t payload_room(const struct esp_sa *sa)
{
	size_t mtu = sa->path_mtu ? sa->path_mtu : OUTER_MTU_DEFAULT;
	size_t over = sa->desc.remote.addr.family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;
	size_t align = esp_sa_align(sa);

	over += (sa->desc.encap ? UDP_HDR_LEN : 0) + esp_sa_front(sa) + sa->info.icv_len;
	return mtu > over ? (mtu - over) / align * align : 0;
}

static size_t minus(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* In BEET mode Linux always keeps room for the IPv4 options' pseudo header; both ends of a tunnel
 * had better agree on what fits. */
size_t esp_inner_mtu(const struct esp_sa *sa, uint8_t inner_version)
{
	size_t room = minus(payload_room(sa), ESP_TRAILER_LEN);

	if (!esp_sa_strips_header(sa))
		return room;
	if (inner_version == 6)
		return room ? room + IPV6_HDR_LEN : 0;
	return room ? minus(room + IPV4_HDR_LEN, BEET_OPTIONS_ROOM) : 0;
}

size_t esp_sealed_len(const struct esp_sa *sa, const struct ip_info *inner)
{
	size_t payload = inner->total_len;

	if (esp_sa_strips_header(sa))
		payload -= inner->version == 6 ? IPV6_HDR_LEN : inner->hdr_len;
	if (esp_sa_strips_header(sa) && inner->version == 4 &&
	    (inner->hdr_len > IPV4_HDR_LEN || inner->first_proto == IP_PROTO_BEETPH))
		payload += inner->hdr_len + (inner->hdr_len % 8 ? 8 : 4) - IPV4_HDR_LEN;
	return esp_sa_front(sa) + payload + esp_pad_len(payload, esp_sa_align(sa)) +
	       ESP_TRAILER_LEN + sa->info.icv_len;
}

enum esp_fit esp_fit(const struct esp_sa *sa, const struct ip_info *inner)
{
	if (inner->total_len <= esp_inner_mtu(sa, inner->version))
		return ESP_FITS;
	if (!sa->desc.copy_df)
		return ESP_FRAGMENT_OUTER;
	if (inner->df)
		return ESP_TOO_BIG;
	return esp_sa_strips_header(sa) ? ESP_FRAGMENT_OUTER : ESP_FRAGMENT_INNER;
}
