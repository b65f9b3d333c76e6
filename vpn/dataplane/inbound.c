/* inbound.c - from the sockets to the devices and to IKE.
 *
 *     recvmmsg -> datagrams of each train -> keep-alive / IKE / ESP by the first octets (RFC 3948
 * §2) ESP: open all -> where from? -> MSS -> runs of TCP segments -> writev to the device
 *
 * Packets are opened where the kernel put them and written from there; only the headers of a run
 * that is put together are copied. Around a packet in a train, what may be overwritten is the ICV
 * of its predecessor, which has been verified by then (see open.h). */
#include "vpn/dataplane/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/err.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/mss.h"
#include "vpn/wire/packet/natt.h"
#include "vpn/wire/packet/octets.h"

#define FRONT_ROOM PACKET_HEADROOM
#define ICV_ROOM   12 /* of the shortest ICV that ESP knows */
#define SPARE	   (1 << 20)

int inbound_new(struct inbound **ret_in)
{
	struct inbound *in = calloc(1, sizeof(*in));

	if (!in)
		return ERR_NOMEM;
	in->buffers = malloc((size_t)IN_MESSAGES * IN_BUFFER);
	in->spare = malloc(SPARE);
	if (!in->buffers || !in->spare) {
		inbound_free(in);
		return ERR_NOMEM;
	}
	*ret_in = in;
	return 0;
}

void inbound_free(struct inbound *in)
{
	if (!in)
		return;
	free(in->buffers);
	free(in->spare);
	free(in);
}

static void write_run(struct dataplane *dp, const struct dp_tun *tun, const struct gro_run *run)
{
	struct inbound *in = dp->in;
	uint8_t hdr[GRO_HDR_MAX];
	struct gso gso = {0};
	size_t skip = 0, used = 1, i = run->first, k;

	if (run->n > 1) {
		gro_header(in->pkts, run, hdr, &gso);
		in->iov[used++] = (struct iovec){hdr, run->hdr_len};
		skip = run->hdr_len;
	}
	for (k = 0; k < run->n; k++, i = in->next[i])
		in->iov[used++] = (struct iovec){in->pkts[i].data + skip, in->pkts[i].len - skip};
	if (!tun_write(tun, in->iov, used, run->hdr_len, &gso))
		dp->counters.drops[ESP_DROP_IO] += run->n;
}

/* Packets [from, to) all go to one device. */
static void deliver(struct dataplane *dp, const struct dp_tun *tun, size_t from, size_t to)
{
	struct inbound *in = dp->in;
	size_t i, n;

	n = gro_sort(in->pkts + from, to - from, in->runs, in->next + from);
	for (i = 0; i < n; i++) {
		struct gro_run run = in->runs[i];
		size_t k, at = from + run.first;

		run.first += from;
		run.last += from;
		for (k = 1; k < run.n; k++) {
			in->next[at] += from;
			at = in->next[at];
		}
		write_run(dp, tun, &run);
	}
}

static void clamp(struct packet *p)
{
	const struct ipsec_sa *d = &p->sa->desc;
	uint16_t max = d->mss_clamp;

	if (max == 1)
		max = mss_for_mtu(esp_inner_mtu(p->sa, p->inner.version), p->inner.version);
	mss_clamp(p->data, p->len, &p->inner, max);
}

/* RFC 7296 §2.23: the peer may be followed, but only by what it has authenticated; and only by a
 * packet that is newer than all before, lest a late one from the old place leads back. */
static void check_source(struct dataplane *dp, const struct packet *p, const struct sock_in *info)
{
	const struct ipsec_sa *d = &p->sa->desc;

	if (!p->newest)
		return;
	if (ip_addr_eq(&d->remote.addr, &info->from.addr) &&
	    (!d->encap || d->remote.port == info->from.port))
		return;
	report_moved(dp, dp_sa_of(p->sa), info);
}

static void after_open(struct dataplane *dp, size_t i)
{
	struct packet *p = &dp->in->pkts[i];

	if (p->drop)
		report_drop(dp, p->drop);
	else
		dp->counters.esp_in++;
	if (!p->sa)
		return;
	check_source(dp, p, &dp->in->info[dp->in->from[i]]);
	if (p->sa->events)
		report_sa_events(dp, dp_sa_of(p->sa));
	if (!p->drop && p->sa->desc.mss_clamp && p->inner.proto == IP_PROTO_TCP)
		clamp(p);
}

static const struct dp_tun *device_of(const struct packet *p)
{
	return p->drop ? NULL : dp_sa_of(p->sa)->tun;
}

static void open_all(struct dataplane *dp)
{
	struct inbound *in = dp->in;
	const struct dp_tun *tun = NULL, *t;
	size_t i, from = 0;

	esp_open(dp->sad, in->pkts, in->n, dp->now);
	for (i = 0; i < in->n; i++) {
		after_open(dp, i);
		t = device_of(&in->pkts[i]);
		if (!t || t == tun)
			continue;
		if (tun)
			deliver(dp, tun, from, i);
		tun = t;
		from = i;
	}
	if (tun)
		deliver(dp, tun, from, in->n);
	in->n = 0;
	in->spare_used = 0;
}

/* An IPv6 header, rebuilt in BEET mode, is longer than what a packet in a train has in front of it.
 */
static bool too_tight(const struct dataplane *dp, const uint8_t *data, size_t len, size_t may_front)
{
	const struct esp_sa *esp;

	if (may_front >= FRONT_ROOM)
		return false;
	esp = sad_find(dp->sad, get_u32(data, len, 0));
	return esp && esp_sa_strips_header(esp) && ts_family(&esp->desc.local_ts.v[0]) == 6;
}

static uint8_t *copy_to_spare(struct dataplane *dp, const uint8_t *data, size_t len)
{
	struct inbound *in = dp->in;
	uint8_t *to;

	if (in->spare_used + FRONT_ROOM + len > SPARE)
		open_all(dp);
	to = in->spare + in->spare_used + FRONT_ROOM;
	in->spare_used += FRONT_ROOM + len;
	memcpy(to, data, len);
	return to;
}

/* The ESP packet at data of message m; may_front octets before it are free. */
static void add_esp(struct dataplane *dp, size_t m, uint8_t *data, size_t len, size_t may_front)
{
	struct inbound *in = dp->in;

	if (in->n == IN_PACKETS)
		open_all(dp);
	if (too_tight(dp, data, len, may_front)) {
		data = copy_to_spare(dp, data, len);
		may_front = FRONT_ROOM;
	}
	in->pkts[in->n] = (struct packet){
	    .data = data, .len = len, .headroom = may_front, .outer = in->info[m].hdr};
	in->from[in->n++] = (uint8_t)m;
}

static void take_datagram(struct dataplane *dp, const struct dp_sock *s, size_t m, uint8_t *data,
			  size_t len, size_t may_front)
{
	const struct sock_in *info = &dp->in->info[m];

	if (s->kind == SOCK_IKE && natt_classify(data, len) != NATT_KEEP_ALIVE) {
		report_ike(dp, info, data, len);
		return;
	}
	if (s->kind == SOCK_ESP) {
		add_esp(dp, m, data, len, may_front);
		return;
	}
	switch (natt_classify(data, len)) {
	case NATT_KEEP_ALIVE:
		dp->counters.keepalives_in++;
		break;
	case NATT_IKE:
		report_ike(dp, info, data + NON_ESP_MARKER_LEN, len - NON_ESP_MARKER_LEN);
		break;
	case NATT_ESP:
		add_esp(dp, m, data, len, may_front);
		break;
	case NATT_INVALID:
		report_drop(dp, ESP_DROP_SHORT);
		break;
	}
}

/* IPv4 raw sockets hand over the IP header, too. */
static bool strip_outer(struct sock_in *info, uint8_t **data, size_t *len)
{
	struct ip_info ip;

	if (ip_parse(*data, *len, &ip))
		return false;
	info->hdr =
	    (struct outer_hdr){.tos = ip.tos, .ttl = ip.ttl, .id = ip.id, .frag_off = ip.frag_off};
	info->to.addr = ip.sel.dst;
	*len = ip.total_len - ip.hdr_len;
	*data += ip.hdr_len;
	return true;
}

static void take_message(struct dataplane *dp, const struct dp_sock *s, size_t m)
{
	struct inbound *in = dp->in;
	uint8_t *data = (uint8_t *)in->msg_iov[m].iov_base;
	size_t left = in->msgs[m].msg_len, room = FRONT_ROOM, len;

	sock_read_control(s, &in->msgs[m].msg_hdr, &in->info[m]);
	if (s->kind == SOCK_ESP && s->family == 4 && !strip_outer(&in->info[m], &data, &left)) {
		report_drop(dp, ESP_DROP_SHORT);
		return;
	}
	do {
		len =
		    in->info[m].segment && in->info[m].segment < left ? in->info[m].segment : left;
		take_datagram(dp, s, m, data, len, room);
		data += len;
		left -= len;
		room = ICV_ROOM;
	} while (left);
}

static void prepare(struct inbound *in)
{
	size_t i;

	for (i = 0; i < IN_MESSAGES; i++) {
		in->msg_iov[i] = (struct iovec){in->buffers + i * IN_BUFFER + FRONT_ROOM,
						IN_BUFFER - FRONT_ROOM};
		in->msgs[i].msg_hdr = (struct msghdr){.msg_name = &in->room[i].to,
						      .msg_namelen = sizeof(in->room[i].to),
						      .msg_iov = &in->msg_iov[i],
						      .msg_iovlen = 1,
						      .msg_control = in->room[i].control.octets,
						      .msg_controllen = SOCK_CONTROL_MAX};
	}
}

void inbound_run(struct dataplane *dp, struct dp_sock *s)
{
	int i, n;

	prepare(dp->in);
	n = recvmmsg(s->fd, dp->in->msgs, IN_MESSAGES, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		take_message(dp, s, (size_t)i);
	open_all(dp);
}
