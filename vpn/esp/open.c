/* open.c - opening a batch of ESP packets (RFC 4303 §3.4, RFC 4301 §5.2).
 *
 *     SPI -> SA -> replay check -> open (a run of packets of one SA at a time) -> replay commit ->
 *     padding, next header -> inner packet (BEET: header rebuilt) -> selectors -> DSCP and ECN
 *
 * Invariant: nothing in an SA changes before the packet's ICV has been found right. The window is
 * asked twice, before and after, because a batch may hold one packet twice. */
#include "vpn/esp/open.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/esp/beet.h"
#include "vpn/esp/seal.h"
#include "vpn/esp/tos.h"
#include "vpn/wire/packet/esp_hdr.h"

enum { ESN_AAD_LEN = 12 };

struct batch {
	struct cipher_job jobs[ESP_BATCH];
	struct packet *pkts[ESP_BATCH];
	uint64_t seq[ESP_BATCH];
	uint8_t aad[ESP_BATCH][ESN_AAD_LEN];
	size_t n;
};

static enum esp_drop drop_of(enum replay_verdict v)
{
	return v == REPLAY_OK ? ESP_DROP_NONE : v == REPLAY_OLD ? ESP_DROP_OLD : ESP_DROP_REPLAYED;
}

static void fill_job(const struct esp_sa *sa, struct packet *p, uint64_t seq, struct batch *b)
{
	size_t front = esp_sa_front(sa);
	struct cipher_job *job = &b->jobs[b->n];
	struct writer esn = wr_init(b->aad[b->n], ESN_AAD_LEN);

	*job = (struct cipher_job){.iv = p->data + ESP_HDR_LEN,
				   .aad = p->data,
				   .aad_len = ESP_HDR_LEN,
				   .data = p->data + front,
				   .data_len = p->len - front - sa->info.icv_len,
				   .icv = p->data + p->len - sa->info.icv_len};
	if (sa->desc.alg.esn && sa->info.aead) { /* RFC 4106 §5 */
		wr_u32(&esn, sa->desc.spi);
		wr_u64(&esn, seq);
		job->aad = b->aad[b->n];
		job->aad_len = ESN_AAD_LEN;
	} else if (sa->desc.alg.esn) { /* RFC 4303 §2.2.1 */
		wr_u32(&esn, (uint32_t)(seq >> 32));
		job->tail = b->aad[b->n];
		job->tail_len = 4;
	}
	b->seq[b->n] = seq;
	b->pkts[b->n++] = p;
}

/* Everything that can be said before the cipher has run. p->sa stays unset until then. */
static enum esp_drop admit(const struct sad *sad, struct packet *p, struct esp_sa **ret_sa,
			   uint64_t *ret_seq)
{
	struct reader r = rd_init(p->data, p->len);
	struct esp_hdr hdr = esp_hdr_read(&r);
	struct esp_sa *sa;
	size_t fixed;

	if (!rd_ok(&r))
		return ESP_DROP_SHORT;
	sa = sad_find(sad, hdr.spi);
	if (!sa)
		return ESP_DROP_NO_SA;
	fixed = esp_sa_front(sa) + sa->info.icv_len;
	if (p->len < fixed + ESP_TRAILER_LEN || (p->len - fixed) % sa->info.block)
		return ESP_DROP_SHORT;
	if (sa->stopped)
		return sa->stop_reason;
	if (!replay_infer(sa->replay, sa->desc.alg.esn, hdr.seq, ret_seq))
		return ESP_DROP_OLD;
	*ret_sa = sa;
	return drop_of(replay_check(sa->replay, *ret_seq));
}

static enum esp_drop set_inner_tos(const struct esp_sa *sa, struct packet *p)
{
	uint8_t tos;

	if (!tos_decapsulate(p->inner.tos, p->outer.tos, sa->desc.copy_dscp & IPSEC_DSCP_IN, &tos))
		return ESP_DROP_ECN;
	if (tos != p->inner.tos)
		ip_set_tos(p->data, p->len, tos);
	p->inner.tos = tos;
	return ESP_DROP_NONE;
}

/* RFC 4301 §5.2 step 4. Most packets look like the one before. */
static bool selectors_ok(struct esp_sa *sa, const struct ts_packet *sel)
{
	if (memcmp(sel, &sa->last_ok, sizeof(*sel)) == 0)
		return true;
	if (!ts_lists_match(&sa->desc.remote_ts, &sa->desc.local_ts, sel))
		return false;
	sa->last_ok = *sel;
	return true;
}

static enum esp_drop to_inner(struct esp_sa *sa, struct packet *p, uint8_t next, uint64_t seq)
{
	struct ip_addr src, dst;
	enum esp_drop drop;

	if (next == IP_PROTO_NONE) /* RFC 4303 §2.6 */
		return ESP_DROP_DUMMY;
	if (esp_sa_strips_header(sa)) {
		esp_sa_inner_addrs(sa, &src, &dst);
		drop = beet_rebuild(p, next, &src, &dst, (uint16_t)seq);
		if (drop)
			return drop;
	} else if (next != IP_PROTO_IPV4 && next != IP_PROTO_IPV6) {
		return ESP_DROP_NEXT_HEADER;
	}
	if (ip_parse(p->data, p->len, &p->inner))
		return ESP_DROP_INNER;
	if (!esp_sa_strips_header(sa) && p->inner.version != (next == IP_PROTO_IPV6 ? 6 : 4))
		return ESP_DROP_NEXT_HEADER;
	packet_trim(p, p->inner.total_len); /* TFC padding, RFC 4303 §2.7 */
	if (!selectors_ok(sa, &p->inner.sel))
		return ESP_DROP_SELECTOR;
	return esp_sa_strips_header(sa) ? ESP_DROP_NONE : set_inner_tos(sa, p);
}

/* After authentication: the window moves, then the packet is taken apart. */
static enum esp_drop take_in(struct esp_sa *sa, struct packet *p, uint64_t seq, uint64_t now)
{
	struct esp_trailer trailer;
	enum esp_drop drop;

	drop = drop_of(replay_commit(sa->replay, seq));
	if (drop)
		return drop;
	p->sa = sa;
	p->newest = seq == replay_highest(sa->replay);
	packet_pull(p, esp_sa_front(sa));
	packet_trim(p, p->len - sa->info.icv_len);
	if (esp_trailer_read(p->data, p->len, &trailer))
		return ESP_DROP_PADDING;
	packet_trim(p, trailer.payload_len);
	drop = to_inner(sa, p, trailer.next_header, seq);
	/* RFC 4303 §3.4.3: even a dummy packet is a sign of life, so its time counts. */
	if (drop == ESP_DROP_NONE)
		esp_sa_count(sa, p->len, now);
	else
		sa->stats.last_use = now;
	return drop;
}

static void open_run(struct esp_sa *sa, struct batch *b, uint64_t now)
{
	size_t i;

	if (b->n)
		cipher_open(sa->cipher, b->jobs, b->n);
	for (i = 0; i < b->n; i++)
		b->pkts[i]->drop =
		    b->jobs[i].ok ? take_in(sa, b->pkts[i], b->seq[i], now) : ESP_DROP_ICV;
	b->n = 0;
}

void esp_open(const struct sad *sad, struct packet *pkts, size_t n, uint64_t now)
{
	struct esp_sa *sa, *run = NULL;
	struct batch b;
	uint64_t seq;
	size_t i;

	b.n = 0;
	for (i = 0; i < n; i++) {
		if (pkts[i].drop)
			continue;
		sa = NULL;
		pkts[i].drop = admit(sad, &pkts[i], &sa, &seq);
		if (pkts[i].drop)
			continue;
		if (sa != run || b.n == ESP_BATCH) {
			open_run(run, &b, now);
			run = sa;
		}
		fill_job(sa, &pkts[i], seq, &b);
	}
	open_run(run, &b, now);
}
