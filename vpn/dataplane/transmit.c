/* transmit.c - sealed packets to the socket.
 *
 * Packets that follow each other, of one length and with the same outer fields, leave as one train
 * (UDP_SEGMENT; the last may be shorter); trains and single packets leave in one sendmmsg as long
 * as they agree on DF, which is the socket's. Raw sockets know no trains.
 *
 *     packets   1472 1472 1472 900 | 1472 1472 | 120 (DF clear)
 *     messages  [------ train 1 --] [ train 2 ]   [single]
 *     calls     [--------- sendmmsg ----------]   [sendmmsg] */
#include "vpn/dataplane/internal.h"

#include <errno.h>
#include <poll.h>

#define TRAIN_PACKETS 64    /* UDP_MAX_SEGMENTS of every kernel that has UDP_SEGMENT */
#define TRAIN_OCTETS  65000 /* below 65535 less any headers */

/* For a full socket buffer; then the packets are lost, as in a full queue. */
#define PATIENCE_MS 20
#define TRIES_MAX   8

enum { UDP_HDR_LEN = 8 };

static struct dp_sock *socket_for(struct dataplane *dp, const struct ipsec_sa *d)
{
	enum sock_kind kind = d->encap ? SOCK_NATT : SOCK_ESP;
	size_t i;

	for (i = 0; i < SOCKS_MAX; i++)
		if (dp->socks[i].fd >= 0 && dp->socks[i].kind == kind &&
		    dp->socks[i].family == d->remote.addr.family)
			return &dp->socks[i];
	return NULL;
}

static bool has_df(const struct packet *p)
{
	return p->outer.frag_off & IPV4_FLAG_DF;
}

static bool same_outer(const struct packet *a, const struct packet *b)
{
	return a->outer.tos == b->outer.tos && a->outer.ttl == b->outer.ttl &&
	       has_df(a) == has_df(b);
}

/* How many packets from i on make up one train. */
static size_t train_length(const struct dp_sock *s, const struct esp_sa *esp,
			   const struct outbound *out, size_t i)
{
	const struct packet *first = &out->pkts[i];
	size_t octets = first->len, k;
	size_t hdr = s->family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;

	if (!s->gso || first->len + hdr + UDP_HDR_LEN > esp->path_mtu)
		return 1;
	for (k = i + 1; k < out->n && k - i < TRAIN_PACKETS; k++) {
		const struct packet *p = &out->pkts[k];

		octets += p->len;
		if (p->drop || p->len > first->len || octets > TRAIN_OCTETS ||
		    !same_outer(first, p))
			break;
		if (p->len < first->len)
			return k + 1 - i;
	}
	return k - i;
}

static void fill_message(struct dp_sock *s, const struct dp_sa *sa, struct outbound *out, size_t m,
			 size_t i, size_t n)
{
	struct sock_out so = {.local = sa->esp->desc.local,
			      .remote = sa->esp->desc.remote,
			      .mark = sa->mark,
			      .hdr = out->pkts[i].outer,
			      .segment = n > 1 ? (uint16_t)out->pkts[i].len : 0,
			      .iov = &out->iov[i],
			      .iovlen = n};
	size_t k;

	for (k = i; k < i + n; k++)
		out->iov[k] = (struct iovec){out->pkts[k].data, out->pkts[k].len};
	sock_fill(s, &so, &out->msgs[m].msg_hdr, &out->room[m]);
	out->count[m] = (uint16_t)n;
}

static void lose(struct dataplane *dp, struct dp_sa *sa, size_t packets, int error)
{
	enum esp_drop why = error == EMSGSIZE ? ESP_DROP_TOO_BIG : ESP_DROP_IO;

	dp->counters.drops[why] += packets;
	if (error == EMSGSIZE)
		outbound_learn_mtu(dp, sa);
}

static bool try_again(const struct dp_sock *s, int error, int *tries)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};

	if (++*tries > TRIES_MAX)
		return false;
	if (error == EINTR)
		return true;
	return (error == EAGAIN || error == ENOBUFS) && poll(&p, 1, PATIENCE_MS) > 0;
}

/* Sends n messages. Returns how many packets are dealt with, sent or lost; fewer than all only when
 * UDP_SEGMENT turned out not to work here and was switched off. */
static size_t send_messages(struct dataplane *dp, struct dp_sock *s, struct dp_sa *sa,
			    struct outbound *out, size_t n)
{
	size_t m = 0, packets = 0;
	int sent, error, tries = 0;

	while (m < n) {
		sent = sendmmsg(s->fd, out->msgs + m, (unsigned)(n - m), MSG_DONTWAIT);
		error = errno;
		if (sent <= 0 && try_again(s, error, &tries))
			continue;
		tries = 0;
		if (sent <= 0 && out->count[m] > 1 && (error == EIO || error == EINVAL)) {
			s->gso = false;
			return packets;
		}
		if (sent <= 0) {
			lose(dp, sa, out->count[m], error);
			packets += out->count[m++];
		}
		for (; sent > 0; sent--, m++) {
			packets += out->count[m];
			dp->counters.esp_out += out->count[m];
		}
	}
	return packets;
}

/* Sends what can go in one call, from packet i on; returns the first packet that has not been dealt
 * with. */
static size_t transmit_some(struct dataplane *dp, struct dp_sock *s, struct dp_sa *sa,
			    struct outbound *out, size_t i)
{
	size_t m = 0, at = i, n;
	bool df = has_df(&out->pkts[i]);

	while (at < out->n && !out->pkts[at].drop && has_df(&out->pkts[at]) == df) {
		n = train_length(s, sa->esp, out, at);
		fill_message(s, sa, out, m++, at, n);
		at += n;
	}
	sock_set_df(s, df);
	return i + send_messages(dp, s, sa, out, m);
}

void transmit(struct dataplane *dp, struct dp_sa *sa, struct outbound *out)
{
	struct dp_sock *s = socket_for(dp, &sa->esp->desc);
	size_t i = 0;

	while (i < out->n) {
		if (!s && !out->pkts[i].drop)
			out->pkts[i].drop = ESP_DROP_IO;
		if (out->pkts[i].drop)
			report_drop(dp, out->pkts[i++].drop);
		else
			i = transmit_some(dp, s, sa, out, i);
	}
}
