/* measure_traffic.c - what went through the tunnel: with keys echoes, TCP and UDP, without them
 * no more than ESP packets and octets, each way. */
#include "harness/reproduce/measure.h"
#include "vpn/base/proto.h"

#define PINGS_MAX	 20
#define TCP_MIN		 20000 /* octets of ESP: less is a handful of pings */
#define TCP_MAX		 1000000
#define DATAGRAMS_MAX	 500
#define DATAGRAM_HDR_LEN 28 /* IPv4 and UDP */

static bool is_echo(const struct ip_flow *f)
{
	return (f->proto == IP_PROTO_ICMP && f->src.port == 8 << 8) ||
	       (f->proto == IP_PROTO_ICMP6 && f->src.port == 128 << 8);
}

static unsigned at_most(uint64_t n, unsigned max)
{
	return n > max ? max : (unsigned)n;
}

static bool is_stream(const struct ip_flow *f)
{
	return f->proto == IP_PROTO_TCP && f->data_max;
}

static bool is_datagrams(const struct ip_flow *f)
{
	return f->proto == IP_PROTO_UDP && f->octets > f->n * DATAGRAM_HDR_LEN;
}

/* The largest of its kind inside; of several places the one that has most. */
static const struct ip_flow *largest(const struct survey *s,
				     bool (*is_wanted)(const struct ip_flow *f))
{
	const struct ip_flow *best = NULL;
	size_t i;

	for (i = 0; i < s->n_flows; i++)
		if (s->flows[i].inside && is_wanted(&s->flows[i]) &&
		    (!best || s->flows[i].octets > best->octets))
			best = &s->flows[i];
	return best;
}

/* ESP with the SPI that the initiator chose comes from the responder. */
static bool is_from_responder(const struct profile *p, const struct ip_flow *f)
{
	return f->child != FACT_NONE && p->s->f.children[f->child].spi_i == f->spi;
}

static const char *side(bool from_responder)
{
	return from_responder ? "responder's" : "initiator's";
}

static int measure_echo(struct profile *p)
{
	const struct ip_flow *f = largest(p->s, is_echo);

	if (!f)
		return 0;
	p->pings = at_most(f->n, PINGS_MAX);
	return profile_say(p, MEASURED, "traffic", f->first, f->last, "%llu echo requests inside",
			   (unsigned long long)f->n);
}

static int measure_tcp(struct profile *p)
{
	const struct ip_flow *f = largest(p->s, is_stream);

	if (!f)
		return 0;
	p->tcp_octets = at_most(f->octets, TCP_MAX);
	p->from_responder = is_from_responder(p, f);
	return profile_say(p, MEASURED, "traffic", f->first, f->last,
			   "a TCP stream of %llu octets inside, from the %s side",
			   (unsigned long long)f->octets, side(p->from_responder));
}

static int measure_udp(struct profile *p)
{
	const struct ip_flow *f = largest(p->s, is_datagrams);

	if (!f)
		return 0;
	p->datagrams = at_most(f->n, DATAGRAMS_MAX);
	p->datagram_size = (unsigned)(f->octets / f->n) - DATAGRAM_HDR_LEN;
	p->udp_from_responder = is_from_responder(p, f);
	return profile_say(p, MEASURED, "traffic", f->first, f->last,
			   "%llu UDP datagrams of %u octets inside, from the %s side",
			   (unsigned long long)f->n, p->datagram_size, side(p->udp_from_responder));
}

static int measure_inside(struct profile *p)
{
	int err = measure_echo(p);

	if (!err)
		err = measure_tcp(p);
	return err ? err : measure_udp(p);
}

static int measure_outside(struct profile *p)
{
	const struct esp_flow *most = NULL;
	size_t i;

	for (i = 0; i < p->s->n_esp; i++)
		if (!most || p->s->esp[i].octets > most->octets)
			most = &p->s->esp[i];
	if (!most)
		return profile_say(p, UNKNOWN, "traffic", NOT_SEEN, NOT_SEEN,
				   "no ESP packet is in the captures");
	p->pings = at_most(most->n, 3);
	p->tcp_octets = most->octets > TCP_MIN ? at_most(most->octets, TCP_MAX) : 0;
	p->from_responder = ip_addr_eq(&most->src.addr, &p->responder.addr);
	return profile_say(p, ASSUMED, "traffic", most->first, most->last,
			   "%s: %llu ESP packets, %llu octets, from the %s; what is inside needs "
			   "keys",
			   p->tcp_octets ? "a TCP stream" : "echo requests",
			   (unsigned long long)most->n, (unsigned long long)most->octets,
			   p->from_responder ? "responder" : "initiator");
}

int measure_traffic(struct profile *p)
{
	int err = measure_inside(p);

	return err || p->pings || p->tcp_octets || p->datagrams ? err : measure_outside(p);
}
