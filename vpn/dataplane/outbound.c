/* outbound.c - from a device to sealed packets.
 *
 *     TUN (super-packet) -> checksum -> policy -> MSS -> fits? -> segments in the arena -> seal ->
 * transmit
 *
 * Packets of one SA are gathered until the device is empty, the SA changes or the batch is full;
 * then all are sealed and sent together. A segment is copied once, from the device's buffer to its
 * place in the arena with room for ESP around it. Nothing is allocated. */
#include "vpn/dataplane/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "vpn/base/err.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/frag.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/mss.h"

#define READS_MAX    64
#define BATCH_ENOUGH 64
#define TAILROOM     64 /* padding up to 15, trailer, ICV up to 32 */
#define SLOT_ALIGN   64
#define MTU_INTERVAL 30000000 /* microseconds between two looks at a path MTU */

/* ICMP errors: a burst, then so many a second (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f). */
#define PTB_BURST    50
#define PTB_INTERVAL 10000

int outbound_new(struct outbound **ret_out)
{
	struct outbound *out = calloc(1, sizeof(*out));

	if (!out)
		return ERR_NOMEM;
	out->arena = malloc(OUT_ARENA);
	out->read_buf = malloc(2 * TUN_READ_MAX); /* and a segment that is fragmented */
	if (!out->arena || !out->read_buf || reass_new(&out->reass)) {
		outbound_free(out);
		return ERR_NOMEM;
	}
	*ret_out = out;
	return 0;
}

void outbound_free(struct outbound *out)
{
	if (!out)
		return;
	free(out->arena);
	free(out->read_buf);
	reass_free(out->reass);
	free(out);
}

static void fill_random(void *arg, uint8_t *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	(void)arg;
	while (done < len) {
		n = getrandom(buf + done, len - done, 0);
		if (n < 0 && errno != EINTR)
			abort(); /* no kernel that we run on lacks it; a predictable IV must not go
				    out */
		done += n > 0 ? (size_t)n : 0;
	}
}

void outbound_learn_mtu(struct dataplane *dp, struct dp_sa *sa)
{
	struct route_answer route;
	uint32_t before = sa->esp->path_mtu;

	sa->mtu_asked = dp->now;
	if (sock_route_query(&sa->esp->desc.remote.addr, sa->mark ? sa->mark : dp->cfg.fwmark,
			     &route))
		return;
	sa->esp->path_mtu = route.mtu < UINT16_MAX ? route.mtu : UINT16_MAX;
	if (before && before != sa->esp->path_mtu)
		report_mtu(dp, sa);
}

static void flush(struct dataplane *dp)
{
	static const struct esp_random rng = {fill_random, NULL};
	struct outbound *out = dp->out;
	struct dp_sa *sa = out->sa;

	if (out->n) {
		esp_seal(sa->esp, out->pkts, out->n, dp->now, &rng);
		transmit(dp, sa, out);
		if (sa->esp->events)
			report_sa_events(dp, sa);
		if (dp->now - sa->mtu_asked > MTU_INTERVAL)
			outbound_learn_mtu(dp, sa);
	}
	out->n = 0;
	out->used = 0;
	out->sa = NULL;
}

/* A packet of len octets to be filled in, of the same inner packet as ip. */
static struct packet *reserve(struct dataplane *dp, struct dp_sa *sa, const struct ip_info *ip,
			      size_t len)
{
	struct outbound *out = dp->out;
	size_t tfc = sa->esp->desc.tfc_pad ? esp_inner_mtu(sa->esp, ip->version) : 0;
	size_t slot = PACKET_HEADROOM + len + TAILROOM + (tfc > len ? tfc - len : 0);
	struct packet *p;

	slot = (slot + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
	if (out->sa != sa || out->n == OUT_PACKETS || out->used + slot > OUT_ARENA)
		flush(dp);
	out->sa = sa;
	p = &out->pkts[out->n++];
	*p = packet_in(out->arena + out->used, slot, PACKET_HEADROOM, len);
	p->inner = *ip;
	p->inner.total_len = len;
	out->used += slot;
	return p;
}

static bool ptb_allowed(struct dataplane *dp)
{
	uint64_t earned = (dp->now - dp->ptb_tokens_at) / PTB_INTERVAL;

	if (earned) {
		dp->ptb_tokens = earned > PTB_BURST ? PTB_BURST : dp->ptb_tokens + (unsigned)earned;
		if (dp->ptb_tokens > PTB_BURST)
			dp->ptb_tokens = PTB_BURST;
		dp->ptb_tokens_at = dp->now;
	}
	if (!dp->ptb_tokens)
		return false;
	dp->ptb_tokens--;
	return true;
}

/* RFC 4301 §8.2.1: the sender behind us learns what fits. */
static void too_big(struct dataplane *dp, struct dp_tun *tun, const struct dp_sa *sa,
		    const uint8_t *data, const struct ip_info *ip)
{
	static const struct gso none;
	uint8_t error[ICMP6_ERROR_MAX];
	struct iovec iov[2] = {{NULL, 0}, {error, 0}};
	size_t mtu = esp_inner_mtu(sa->esp, ip->version);

	report_drop(dp, ESP_DROP_TOO_BIG);
	if (!ptb_allowed(dp) ||
	    icmp_too_big(data, ip->total_len, ip, mtu, error, sizeof(error), &iov[1].iov_len))
		return;
	if (tun_write(tun, iov, 2, 0, &none))
		dp->counters.ptb_sent++;
}

static void add_fragments(struct dataplane *dp, struct dp_sa *sa, const uint8_t *data,
			  const struct ip_info *ip)
{
	struct ipv4_frag_plan plan;
	struct packet *p;
	size_t i;

	if (ipv4_frag_plan(ip, esp_inner_mtu(sa->esp, 4), &plan)) {
		report_drop(dp, ESP_DROP_TOO_BIG);
		return;
	}
	for (i = 0; i < plan.n; i++) {
		p = reserve(dp, sa, ip, ipv4_frag_len(ip, &plan, i));
		ipv4_fragment(data, ip, &plan, i, p->data);
	}
}

static void add_segment(struct dataplane *dp, struct dp_sa *sa, const uint8_t *data,
			const struct ip_info *ip, const struct gso *gso,
			const struct gso_plan *plan, size_t i)
{
	size_t len = gso_segment_len(plan, i);
	struct packet *p = reserve(dp, sa, ip, len);

	if (gso->type == GSO_NONE) {
		memcpy(p->data, data, len);
		return;
	}
	p->inner.id = (uint16_t)(ip->id + i);
	gso_segment(data, ip, gso, plan, i, p->data);
}

/* A segment that is fragmented is first made whole, behind the read buffer's first half. */
static void add_split_segment(struct dataplane *dp, struct dp_sa *sa, const uint8_t *data,
			      const struct ip_info *ip, const struct gso *gso,
			      const struct gso_plan *plan, size_t i)
{
	uint8_t *whole = dp->out->read_buf + TUN_READ_MAX;
	struct ip_info seg;

	if (gso->type == GSO_NONE) {
		add_fragments(dp, sa, data, ip);
		return;
	}
	gso_segment(data, ip, gso, plan, i, whole);
	if (ip_parse(whole, gso_segment_len(plan, i), &seg) == 0)
		add_fragments(dp, sa, whole, &seg);
}

static void add(struct dataplane *dp, struct dp_tun *tun, struct dp_sa *sa, const uint8_t *data,
		const struct ip_info *ip, const struct gso *gso)
{
	struct gso_plan plan;
	struct ip_info seg = *ip;
	enum esp_fit fit;
	size_t i;

	if (gso_plan(data, ip, gso, &plan)) {
		report_drop(dp, ESP_DROP_MALFORMED);
		return;
	}
	seg.total_len = gso_segment_len(&plan, 0);
	fit = esp_fit(sa->esp, &seg);
	if (fit == ESP_TOO_BIG) {
		too_big(dp, tun, sa, data, ip);
		return;
	}
	for (i = 0; i < plan.n; i++) {
		if (fit == ESP_FRAGMENT_INNER)
			add_split_segment(dp, sa, data, ip, gso, &plan, i);
		else
			add_segment(dp, sa, data, ip, gso, &plan, i);
	}
}

/* RFC 7402 §B.1.5: the header that is left out is the one that says what a fragment is part of. */
static void add_reassembled(struct dataplane *dp, struct dp_tun *tun, struct dp_sa *sa,
			    const uint8_t *data, const struct ip_info *ip)
{
	static const struct gso none;
	struct ip_info whole;
	size_t len;
	int err;

	err = reass_add(dp->out->reass, data, ip, dp->now, &data, &len);
	dp->counters.drops[ESP_DROP_FRAGMENT] += reass_take_lost(dp->out->reass);
	if (!err && !ip_parse(data, len, &whole))
		add(dp, tun, sa, data, &whole, &none);
}

static uint16_t clamp_to(const struct esp_sa *esp, uint8_t version)
{
	if (esp->desc.mss_clamp != 1)
		return esp->desc.mss_clamp;
	return mss_for_mtu(esp_inner_mtu(esp, version), version);
}

/* No SA yet: the packet waits for the one that it asks for (RFC 7296 §2.9). Its checksum is whole.
 */
static void hold_packet(struct dataplane *dp, struct dp_tun *tun, struct dp_trap *trap,
			const uint8_t *data, const struct ip_info *ip, struct gso gso)
{
	dp->counters.drops[ESP_DROP_TRAPPED] += hold_expire(&dp->hold, dp->now);
	gso.needs_csum &= gso.type != GSO_NONE;
	if (!hold_add(&dp->hold, tun, data, ip->total_len, &gso, dp->now))
		report_drop(dp, ESP_DROP_TRAPPED);
	report_acquire(dp, trap, &ip->sel);
}

static void take_packet(struct dataplane *dp, struct dp_tun *tun, uint8_t *data, size_t len,
			const struct gso *gso)
{
	const struct spd_entry *policy;
	struct dp_sa *sa;
	struct ip_info ip;

	if (ip_parse(data, len, &ip) ||
	    (gso->type == GSO_NONE && gso->needs_csum && gso_complete_checksum(data, len, gso))) {
		report_drop(dp, ESP_DROP_MALFORMED);
		return;
	}
	policy = spd_find(dp->spd, tun->if_id, &ip.sel);
	if (!policy) {
		report_drop(dp, ESP_DROP_NO_POLICY);
		return;
	}
	if (!policy->sa) {
		hold_packet(dp, tun, (struct dp_trap *)policy->user, data, &ip, *gso);
		return;
	}
	sa = (struct dp_sa *)policy->user;
	if (sa->esp->desc.mss_clamp && ip.proto == IP_PROTO_TCP)
		mss_clamp(data, len, &ip, clamp_to(sa->esp, ip.version));
	if (ip.version == 4 && ip.fragment && esp_sa_strips_header(sa->esp))
		add_reassembled(dp, tun, sa, data, &ip);
	else
		add(dp, tun, sa, data, &ip, gso);
}

void outbound_run(struct dataplane *dp, struct dp_tun *tun)
{
	struct gso gso;
	ssize_t n;
	int i;

	for (i = 0; i < READS_MAX; i++) {
		n = tun_read(tun, dp->out->read_buf, TUN_READ_MAX, &gso);
		if (n <= 0)
			break;
		take_packet(dp, tun, dp->out->read_buf, (size_t)n, &gso);
		if (dp->out->n >= BATCH_ENOUGH)
			flush(dp);
	}
	flush(dp);
}

static bool has_sa(const struct dataplane *dp, const struct held *held)
{
	const struct spd_entry *policy;
	struct ip_info ip;

	if (ip_parse(held->data, held->len, &ip))
		return false;
	policy = spd_find(dp->spd, held->tun->if_id, &ip.sel);
	return policy && policy->sa;
}

void outbound_release(struct dataplane *dp)
{
	struct held *held;
	size_t n;

	dp->counters.drops[ESP_DROP_TRAPPED] += hold_expire(&dp->hold, dp->now);
	for (n = dp->hold.n; n > 0; n--) {
		held = hold_take(&dp->hold);
		if (!has_sa(dp, held)) {
			hold_put_back(&dp->hold, held);
			continue;
		}
		take_packet(dp, held->tun, held->data, held->len, &held->gso);
		free(held);
	}
	flush(dp);
}

int outbound_datagram(struct dp_sock *s, const struct endpoint *local,
		      const struct endpoint *remote, struct iovec *iov, size_t iovlen)
{
	struct sock_out out = {.local = *local, .remote = *remote, .iov = iov, .iovlen = iovlen};
	struct sock_msg room;
	struct msghdr hdr;

	sock_set_df(s, false); /* an IKE message of several certificates may need IP fragments */
	sock_fill(s, &out, &hdr, &room);
	return sendmsg(s->fd, &hdr, MSG_DONTWAIT) < 0 ? ERR_IO : 0;
}
