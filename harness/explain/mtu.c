/* mtu.c - findings of packets that are too long for the path, and of what was done about it: black
 * holes, ICMP that nobody listens to, an MSS clamped one way (RFC 1191, RFC 2923, RFC 4301 §8.2).
 *
 * Two views: inside (keys, or a capture of the inner side), the same segment again and again;
 * outside (two places), which sizes of ESP packets one place has and the other does not. */
#include "harness/explain/rule.h"

#include <string.h>

#include "vpn/base/proto.h"

#define STUCK_TIMES   3
#define STUCK_LEN     500
#define STUCK_US      1000000
#define LOST_MIN      3
#define LOST_MIN_SIZE 500
/* What fits into a tunnel with 1500 octets outside, at the least overhead that there is. */
#define TUNNEL_MSS_V4 1410

/* The same segment again and again, and the other side never gets beyond it. */
static bool is_stuck(const struct survey *s, const struct ip_flow *f)
{
	const struct ip_flow *back;

	if (f->proto != IP_PROTO_TCP || f->again < STUCK_TIMES || f->again_len < STUCK_LEN ||
	    f->again_last.time_us < f->again_first.time_us + STUCK_US)
		return false;
	back = flow_reverse(s, f);
	return back && back->have_ack && (int32_t)(back->top_ack - f->again_seq) <= 0;
}

/* Something came back from there while the segment was stuck: the tunnel itself is alive. */
static bool is_alive(const struct survey *s, const struct ip_flow *f)
{
	size_t i;

	for (i = 0; i < s->n_flows; i++)
		if (s->flows[i].place == f->place && s->flows[i].inside == f->inside &&
		    s->flows[i].last.time_us > f->again_first.time_us &&
		    ip_addr_eq(&s->flows[i].src.addr, &f->dst.addr))
			return true;
	return false;
}

static int find_stuck(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_flows; i++) {
		const struct ip_flow *flow = &s->flows[i];
		char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN], span[32];
		struct finding *f;

		if (!s->n_paths || !is_stuck(s, flow))
			continue;
		endpoint_format(&flow->src, src, sizeof(src));
		endpoint_format(&flow->dst, dst, sizeof(dst));
		span_text(flow->again_first.time_us, flow->again_last.time_us, span, sizeof(span));
		f = finding_add(out, is_alive(s, flow) ? LIKELY : POSSIBLE,
				"A segment of %u octets from %s to %s is sent %u times in %s and "
				"never acknowledged.",
				flow->again_len, src, dst, flow->again, span);
		err = finding_show(out, f, flow->again_first, "the segment for the first time%s",
				   flow->inside ? ", inside ESP" : "");
		if (!err)
			err = finding_show(out, f, flow->again_last, "and for the last");
	}
	return err;
}

/* Classes of sizes that one place has and the other never sees. */
struct size_loss {
	size_t low, high;  /* low SIZE_CLASSES: none */
	bool below, above; /* shorter, longer ones arrive */
	uint64_t lost;
};

static struct size_loss compare_sizes(const uint32_t *sent, const uint32_t *arrived)
{
	struct size_loss l = {.low = SIZE_CLASSES};
	size_t c;

	for (c = 0; c < SIZE_CLASSES; c++) {
		if (sent[c] < 2 || arrived[c])
			continue;
		l.low = c < l.low ? c : l.low;
		l.high = c;
		l.lost += sent[c];
	}
	for (c = 0; c < SIZE_CLASSES; c++) {
		l.below = l.below || (c < l.low && arrived[c]);
		l.above = l.above || (l.low < SIZE_CLASSES && c > l.high && arrived[c]);
	}
	return l;
}

/* A mapping that changes makes another flow of the same SPI: what a place has seen is all of them.
 */
static void sum_sizes(const struct survey *s, const struct esp_flow *e, uint32_t *sizes)
{
	size_t i, c;

	memset(sizes, 0, SIZE_CLASSES * sizeof(*sizes));
	for (i = esp_of_spi(s, e->spi); i != FACT_NONE; i = s->esp[i].prev)
		for (c = 0; c < SIZE_CLASSES && s->esp[i].place == e->place && s->esp[i].sizes; c++)
			sizes[c] += s->esp[i].sizes[c];
}

static bool is_size_loss(const struct survey *s, const struct esp_flow *a, const struct esp_flow *b,
			 struct size_loss *ret_loss)
{
	uint32_t sent[SIZE_CLASSES], arrived[SIZE_CLASSES];

	if (a->spi != b->spi || a->place == b->place || !a->sizes || !b->sizes ||
	    esp_count_at(s, a->spi, a->place) <= esp_count_at(s, b->spi, b->place))
		return false;
	sum_sizes(s, a, sent);
	sum_sizes(s, b, arrived);
	*ret_loss = compare_sizes(sent, arrived);
	return ret_loss->lost >= LOST_MIN && ret_loss->below &&
	       ret_loss->low >= LOST_MIN_SIZE / SIZE_STEP;
}

static int show_size_loss(const struct survey *s, struct findings *out, const struct esp_flow *a,
			  const struct esp_flow *b, const struct size_loss *l)
{
	struct finding *f = finding_add(
	    out, CERTAIN,
	    "ESP packets of %zu to %zu octets are seen at %s and never at %s; shorter "
	    "ones%s arrive.",
	    l->low * SIZE_STEP, l->high * SIZE_STEP + SIZE_STEP - 1, s->f.set.places[a->place].name,
	    s->f.set.places[b->place].name, l->above ? " and longer ones" : "");
	int err = finding_show(out, f, a->largest, "the longest here, %u octets, SPI %08x",
			       a->largest_len, a->spi);

	return err ? err
		   : finding_show(out, f, b->largest, "the longest that arrives, %u octets",
				  b->largest_len);
}

static bool is_about_tunnel(const struct ts_packet *p)
{
	return p->proto == IP_PROTO_ESP ||
	       (p->proto == IP_PROTO_UDP && p->have_ports &&
		(p->src_port == IKE_NATT_PORT || p->dst_port == IKE_NATT_PORT));
}

/* Whoever is told does not fall into a black hole. */
static bool is_told(const struct survey *s, const struct esp_flow *e)
{
	size_t i;

	for (i = 0; i < s->f.n_icmp_errors; i++)
		if (s->f.icmp_errors[i].mtu && is_about_tunnel(&s->f.icmp_errors[i].about) &&
		    ip_addr_eq(&s->f.icmp_errors[i].about.src, &e->src.addr))
			return true;
	return false;
}

static int find_size_loss(const struct survey *s, struct findings *out, bool band)
{
	struct size_loss l;
	size_t i, k;
	int err = 0;

	for (i = 0; !err && s->n_places > 1 && i < s->n_esp; i++)
		for (k = esp_of_spi(s, s->esp[i].spi); !err && k != FACT_NONE; k = s->esp[k].prev)
			if (is_size_loss(s, &s->esp[i], &s->esp[k], &l) && l.above == band &&
			    !is_told(s, &s->esp[i]))
				err = show_size_loss(s, out, &s->esp[i], &s->esp[k], &l);
	return err;
}

static int find_black_hole(const struct survey *s, struct findings *out)
{
	int err = find_size_loss(s, out, false);

	return err ? err : find_stuck(s, out);
}

static int find_band(const struct survey *s, struct findings *out)
{
	return find_size_loss(s, out, true);
}

static bool same_complaint(const struct icmp_error_fact *a, const struct icmp_error_fact *b)
{
	return ip_addr_eq(&a->about.src, &b->about.src) &&
	       ip_addr_eq(&a->about.dst, &b->about.dst) && a->mtu == b->mtu;
}

/* How often the same was said at that place, and when for the last time. */
static size_t count_complaints(const struct survey *s, size_t first, size_t *ret_last)
{
	const struct icmp_error_fact *e = s->f.icmp_errors;
	size_t k, n = 0, place = s->f.frames[e[first].frame].place;

	for (k = first; k < s->f.n_icmp_errors; k++) {
		if (s->f.frames[e[k].frame].place != place || !same_complaint(&e[first], &e[k]))
			continue;
		*ret_last = k;
		n++;
	}
	return n;
}

static int show_complaint(const struct survey *s, struct findings *out, struct finding *f,
			  const struct icmp_error_fact *e, const char *when)
{
	char from[IP_ADDR_STRLEN], to[IP_ADDR_STRLEN], about[IP_ADDR_STRLEN];
	const struct fact_frame *frame = &s->f.frames[e->frame];

	return finding_show(out, f, seen_frame(s, e->frame),
			    "%sICMP %s > %s: MTU %u, about a packet to %s", when,
			    ip_addr_format(&frame->src.addr, from, sizeof(from)),
			    ip_addr_format(&frame->dst.addr, to, sizeof(to)), e->mtu,
			    ip_addr_format(&e->about.dst, about, sizeof(about)));
}

/* One ICMP is news; the same again seconds later says that nobody has listened. */
static int find_deaf_sender(const struct survey *s, struct findings *out)
{
	const struct icmp_error_fact *e = s->f.icmp_errors;
	char router[IP_ADDR_STRLEN], sender[IP_ADDR_STRLEN];
	size_t i, n, last = 0;
	int err = 0;

	for (i = 0; !err && i < s->f.n_icmp_errors; i++) {
		struct finding *f;

		if (!e[i].mtu || !is_about_tunnel(&e[i].about))
			continue;
		n = count_complaints(s, i, &last);
		if (n < STUCK_TIMES ||
		    s->f.frames[e[last].frame].time_us < s->f.frames[e[i].frame].time_us + STUCK_US)
			continue;
		f = finding_add(
		    out, LIKELY,
		    "The router %s says %zu times that %u octets are the most it can pass on, and "
		    "%s goes on with longer ESP packets.",
		    ip_addr_format(&s->f.frames[e[i].frame].src.addr, router, sizeof(router)), n,
		    e[i].mtu, ip_addr_format(&e[i].about.src, sender, sizeof(sender)));
		err = show_complaint(s, out, f, &e[i], "");
		if (!err)
			err = show_complaint(s, out, f, &e[last], "the last time: ");
		break;
	}
	return err;
}

/* The least MSS that any place has seen of the segment: a gateway may clamp behind the tunnel. */
static uint16_t arriving_mss(const struct survey *s, const struct ip_flow *segment)
{
	uint16_t least = segment->mss;
	size_t i;

	for (i = 0; i < s->n_flows; i++) {
		const struct ip_flow *f = &s->flows[i];

		if (f->proto == IP_PROTO_TCP && f->have_mss && f->mss < least &&
		    endpoint_eq(&f->src, &segment->src) && endpoint_eq(&f->dst, &segment->dst))
			least = f->mss;
	}
	return least;
}

/* The SYN is the client's word, the SYN/ACK the server's: each limits the other direction. */
static bool is_clamped_one_way(const struct survey *s, const struct ip_flow *syn,
			       const struct ip_flow *ack)
{
	return syn->have_mss && ack->have_mss && ack->synack && syn->src.addr.family == 4 &&
	       (syn->mss <= TUNNEL_MSS_V4) != (ack->mss <= TUNNEL_MSS_V4) &&
	       (arriving_mss(s, syn) <= TUNNEL_MSS_V4) != (arriving_mss(s, ack) <= TUNNEL_MSS_V4);
}

/* The same SYN elsewhere, not inside ESP, with another MSS: somebody in between clamps. */
static const struct ip_flow *before_clamp(const struct survey *s, const struct ip_flow *syn)
{
	size_t i;

	for (i = 0; i < s->n_flows; i++) {
		const struct ip_flow *f = &s->flows[i];

		if (!f->inside && f->proto == IP_PROTO_TCP && f->have_mss && f->mss > syn->mss &&
		    endpoint_eq(&f->src, &syn->src) && endpoint_eq(&f->dst, &syn->dst))
			return f;
	}
	return NULL;
}

typedef int clamp_fn(const struct survey *s, struct findings *out, const struct ip_flow *syn,
		     const struct ip_flow *ack);

static int for_each_uneven(const struct survey *s, struct findings *out, clamp_fn *judge)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_flows; i++) {
		const struct ip_flow *syn = &s->flows[i], *ack;

		if (!syn->inside || syn->proto != IP_PROTO_TCP || !syn->n_syn || syn->synack)
			continue;
		ack = flow_reverse(s, syn);
		if (ack && is_clamped_one_way(s, syn, ack))
			err = judge(s, out, syn, ack);
	}
	return err;
}

static int show_uneven(struct findings *out, struct finding *f, const struct ip_flow *syn,
		       const struct ip_flow *ack)
{
	int err = finding_show(out, f, syn->syn, "SYN with MSS %u", syn->mss);

	return err ? err : finding_show(out, f, ack->syn, "SYN/ACK with MSS %u", ack->mss);
}

/* Proof: the low one was higher before; or the harm is there to see. */
static int judge_clamp(const struct survey *s, struct findings *out, const struct ip_flow *syn,
		       const struct ip_flow *ack)
{
	const struct ip_flow *low = syn->mss < ack->mss ? syn : ack;
	const struct ip_flow *before = before_clamp(s, low);
	struct finding *f;
	int err;

	if (!before && !is_stuck(s, syn) && !is_stuck(s, ack))
		return 0;
	f = finding_add(out, before ? CERTAIN : LIKELY,
			"The %s is clamped to %u octets, the %s stays at %u and does not fit the "
			"tunnel.",
			low == syn ? "SYN" : "SYN/ACK", low->mss, low == syn ? "SYN/ACK" : "SYN",
			low == syn ? ack->mss : syn->mss);
	err = show_uneven(out, f, syn, ack);
	if (!err && before)
		err = finding_show(out, f, before->syn, "the same segment before, MSS %u",
				   before->mss);
	return err;
}

static int find_one_clamp(const struct survey *s, struct findings *out)
{
	return for_each_uneven(s, out, judge_clamp);
}

static int judge_uneven(const struct survey *s, struct findings *out, const struct ip_flow *syn,
			const struct ip_flow *ack)
{
	struct finding *f =
	    finding_add(out, CERTAIN,
			"The SYN announces segments of %u octets and the SYN/ACK %u: only one of "
			"them fits the tunnel.",
			syn->mss, ack->mss);

	(void)s;
	return show_uneven(out, f, syn, ack);
}

static int find_uneven(const struct survey *s, struct findings *out)
{
	return for_each_uneven(s, out, judge_uneven);
}

RULES(
    mtu,
    {.id = "F14",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 10,
     .unless = "",
     .title = "Packets of some sizes only are lost",
     .why = "A box on the way handles sizes between two limits wrongly (DF and fragmentation on a "
	    "route-based interface, a tunnel inside the path).",
     .remedy = "Set the tunnel's MTU and MSS below the lower limit; then look for the box: sweep "
	       "sizes with ping -M do -s from both ends, capturing before and behind it.",
     .clause = "RFC 1191 §4, RFC 4301 §8.2",
     .find = find_band},
    {.id = "F17",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 10,
     .unless = "",
     .title = "ICMP says that packets are too big, and the sender does not listen",
     .why = "The ICMP quotes the outer packet (UDP 4500 or ESP). The daemon's socket or the host's "
	    "firewall gets it, and the SA's path MTU is not lowered.",
     .remedy =
	 "Let ICMP type 3 code 4 (IPv6: type 2) in at the gateway; clamp the MSS (tcp_mss), or "
	 "lower the MTU of the tunnel's interface to what the ICMP says, less the overhead.",
     .clause = "RFC 4301 §8.2.1, RFC 1191 §4",
     .find = find_deaf_sender},
    {.id = "F15",
     .names = "S11; troubleshooting flow 7; document 4: MTU",
     .kind = RULE_FAULT,
     .rank = 11,
     .unless = "F14 F17",
     .title = "Path MTU black hole: long packets vanish, and nobody says so",
     .why = "A link on the way is smaller than the ends believe; what is too long is dropped, and "
	    "the ICMP that would say so is filtered. Ping and logins work, transfers hang.",
     .remedy = "Let ICMP \"fragmentation needed\" and \"packet too big\" pass. Clamp the MSS in "
	       "both directions (tcp_mss = path, or a number; nft: tcp option maxseg size set), or "
	       "lower the tunnel's MTU; clamping does not help UDP.",
     .clause = "RFC 1191 §4, RFC 2923 §2.1, RFC 4301 §8.2",
     .find = find_black_hole},
    {.id = "F18",
     .names = "S2",
     .kind = RULE_FAULT,
     .rank = 28,
     .unless = "",
     .title = "The MSS is clamped in one direction only",
     .why = "The rule sits on a hook that only one of SYN and SYN/ACK passes (output instead of "
	    "forward, or one direction of an interface). The other direction sends segments that "
	    "do not fit.",
     .remedy = "Clamp on the forward hook for iifname and oifname of the tunnel, and on output for "
	       "the gateway's own connections; or tcp_mss at the child.",
     .clause = "RFC 9293 §3.7.1, RFC 4301 §8.2",
     .find = find_one_clamp},
    {.id = "S2",
     .names = "S3, F18",
     .kind = RULE_NOTE,
     .rank = 76,
     .unless = "F18",
     .title = "Only one direction's MSS fits the tunnel",
     .why =
	 "Either only one of SYN and SYN/ACK is clamped, or only one end has the tunnel's MTU on "
	 "its own interface. The other direction depends on path MTU discovery. One SYN in a "
	 "rule's counter proves nothing about the other way.",
     .remedy = "If long transfers hang in one direction, clamp on the forward hook, both ways; or "
	       "tcp_mss at the child.",
     .clause = "RFC 9293 §3.7.1, RFC 4301 §8.2",
     .find = find_uneven});
