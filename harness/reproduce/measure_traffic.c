/* measure_traffic.c - what went through the tunnel: with keys echoes and TCP streams, without them
 * no more than ESP packets and octets, each way. */
#include "harness/reproduce/measure.h"
#include "vpn/base/proto.h"

#define PINGS_MAX 20
#define TCP_MIN	  20000 /* octets of ESP: less is a handful of pings */
#define TCP_MAX	  1000000

static bool is_echo(const struct ip_flow *f)
{
	return (f->proto == IP_PROTO_ICMP && f->src.port == 8 << 8) ||
	       (f->proto == IP_PROTO_ICMP6 && f->src.port == 128 << 8);
}

static unsigned at_most(uint64_t n, unsigned max)
{
	return n > max ? max : (unsigned)n;
}

/* Of several places the one that has most. */
static int measure_inside(struct profile *p)
{
	const struct ip_flow *echo = NULL, *tcp = NULL;
	size_t i;
	int err = 0;

	for (i = 0; i < p->s->n_flows; i++) {
		const struct ip_flow *f = &p->s->flows[i];

		if (f->inside && is_echo(f) && (!echo || f->n > echo->n))
			echo = f;
		if (f->inside && f->proto == IP_PROTO_TCP && f->data_max &&
		    (!tcp || f->octets > tcp->octets))
			tcp = f;
	}
	if (echo) {
		p->pings = at_most(echo->n, PINGS_MAX);
		err = profile_say(p, MEASURED, "traffic", echo->first, echo->last,
				  "%llu echo requests inside", (unsigned long long)echo->n);
	}
	if (!err && tcp) {
		p->tcp_octets = at_most(tcp->octets, TCP_MAX);
		p->from_responder =
		    tcp->child != FACT_NONE && p->s->f.children[tcp->child].spi_i == tcp->spi;
		err = profile_say(p, MEASURED, "traffic", tcp->first, tcp->last,
				  "a TCP stream of %llu octets inside, from the %s side",
				  (unsigned long long)tcp->octets,
				  p->from_responder ? "responder's" : "initiator's");
	}
	return err;
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

	return err || p->pings || p->tcp_octets ? err : measure_outside(p);
}
