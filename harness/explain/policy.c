/* policy.c - findings of what happens before and behind the tunnel: packets that should be inside
 * and leave in the clear, packets that come out and get no answer (RFC 4301 §4.4.1, §5). */
#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

#define ECHOES_MIN    3
#define ON_ITS_WAY_US 1000000 /* captures of two places are not of one clock */

static bool is_private(const struct ip_addr *a)
{
	static const struct {
		uint8_t net[4];
		unsigned bits;
	} nets[] = {{{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}};
	size_t i;

	if (a->family == 6)
		return (a->b[0] & 0xfe) == 0xfc;
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		struct ip_addr net = ip_addr_from_v4(nets[i].net);

		if (ip_addr_in_prefix(a, &net, nets[i].bits))
			return true;
	}
	return false;
}

/* Whether addr is an end of the child's IKE SA at that place, and which: of the child's initiator?
 */
static bool role_of(const struct survey *s, const struct child_sa_fact *c, size_t place,
		    const struct ip_addr *addr, bool *ret_initiator)
{
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct fact_frame *f = msg_frame(s, i);

		if (s->f.ike[i].ike_sa != c->ike_sa || f->place != place ||
		    !ip_addr_eq(&f->src.addr, addr))
			continue;
		*ret_initiator = s->f.ike[i].from_initiator == c->initiator_is_original;
		return true;
	}
	return false;
}

static bool covers(const struct ts_list *list, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!ip_addr_is_any(&list->v[i].lo) && list->v[i].lo.family == addr->family &&
		    ip_addr_cmp(addr, &list->v[i].lo) >= 0 &&
		    ip_addr_cmp(addr, &list->v[i].hi) <= 0)
			return true;
	return false;
}

/* From a gateway's own address to what its child calls remote: that belongs into the tunnel, or
 * nowhere. */
static bool belongs_inside(const struct survey *s, const struct ip_flow *flow)
{
	bool initiator;
	size_t i;

	for (i = 0; i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];

		if (role_of(s, c, flow->place, &flow->src.addr, &initiator) &&
		    covers(initiator ? &c->ts_r : &c->ts_i, &flow->dst.addr))
			return true;
	}
	return false;
}

static bool is_leak(const struct survey *s, const struct ip_flow *flow,
		    enum certainty *ret_certainty)
{
	if (flow->inside || !is_end_at(s, flow->place, &flow->src.addr) ||
	    is_end_at(s, flow->place, &flow->dst.addr))
		return false;
	*ret_certainty = CERTAIN;
	if (belongs_inside(s, flow))
		return true;
	*ret_certainty = POSSIBLE;
	return !s->f.n_children && !is_private(&flow->src.addr) && is_private(&flow->dst.addr);
}

static int find_leak(const struct survey *s, struct findings *out, bool forwarded)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_flows; i++) {
		const struct ip_flow *flow = &s->flows[i];
		bool fresh = flow->ttl == 64 || flow->ttl == 128 || flow->ttl == 255;
		char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN];
		enum certainty certainty;
		struct finding *f;

		if (fresh == forwarded || !is_leak(s, flow, &certainty))
			continue;
		ip_addr_format(&flow->src.addr, src, sizeof(src));
		ip_addr_format(&flow->dst.addr, dst, sizeof(dst));
		f = finding_add(
		    out, certainty,
		    "Packets for %s, which is behind the tunnel, leave in the clear from the "
		    "gateway's own address %s.",
		    dst, src);
		err =
		    finding_show(out, f, flow->first, "%s > %s, protocol %u, %llu packets, TTL %u",
				 src, dst, flow->proto, (unsigned long long)flow->n, flow->ttl);
	}
	return err;
}

static int find_masqueraded(const struct survey *s, struct findings *out)
{
	return find_leak(s, out, true);
}

static int find_unrouted(const struct survey *s, struct findings *out)
{
	return find_leak(s, out, false);
}

static bool is_echo_request(const struct ip_flow *f)
{
	return (f->proto == IP_PROTO_ICMP && f->src.port == 8 << 8) ||
	       (f->proto == IP_PROTO_ICMP6 && f->src.port == 128 << 8);
}

/* Asked inside the tunnel several times, and no place has seen an answer. */
static bool is_unanswered(const struct survey *s, const struct ip_flow *flow)
{
	size_t i;

	if (!flow->inside ||
	    (is_echo_request(flow) ? flow->n < ECHOES_MIN
				   : flow->proto != IP_PROTO_TCP || flow->synack ||
					 flow->n_syn < ECHOES_MIN || flow->have_data))
		return false;
	for (i = 0; i < s->n_flows; i++) {
		const struct ip_flow *other = &s->flows[i];

		if (other->inside && other->proto == flow->proto &&
		    ip_addr_eq(&other->src.addr, &flow->src.addr) &&
		    ip_addr_eq(&other->dst.addr, &flow->dst.addr) &&
		    other->src.port == flow->src.port && other->dst.port == flow->dst.port &&
		    flow_reverse(s, other))
			return false;
	}
	return true;
}

/* A place has seen the SPI before, and sees none of it any more since that time. */
static bool stopped_elsewhere(const struct survey *s, const struct ip_flow *flow)
{
	size_t i, place;
	uint64_t last;

	for (place = 0; place < s->n_places; place++) {
		last = 0;
		for (i = esp_of_spi(s, flow->spi); i != FACT_NONE; i = s->esp[i].prev)
			if (s->esp[i].place == place && s->esp[i].last.time_us > last)
				last = s->esp[i].last.time_us;
		if (last && last + ON_ITS_WAY_US < flow->first.time_us)
			return true;
	}
	return false;
}

/* The sender's packets do not reach the last place that could see them. */
static bool is_lost_on_the_way(const struct survey *s, const struct ip_flow *flow)
{
	size_t i, place;

	for (i = 0; i < s->n_esp; i++)
		if (s->esp[i].spi == flow->spi && s->esp[i].place == flow->place)
			return esp_missing_at(s, &s->esp[i], &place) || stopped_elsewhere(s, flow);
	return false;
}

static int find_no_reply(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_flows; i++) {
		const struct ip_flow *flow = &s->flows[i];
		const char *asked = is_echo_request(flow) ? "echo requests" : "TCP segments (SYN)";
		char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN];
		struct finding *f;

		if (!is_unanswered(s, flow) || is_lost_on_the_way(s, flow))
			continue;
		ip_addr_format(&flow->src.addr, src, sizeof(src));
		ip_addr_format(&flow->dst.addr, dst, sizeof(dst));
		f = finding_add(
		    out, LIKELY,
		    "%s from %s to %s go through the tunnel, and no answer ever comes back "
		    "into it.",
		    is_echo_request(flow) ? "Echo requests" : "SYNs", src, dst);
		err = finding_show(out, f, flow->first, "the first of %llu %s to %s, in SPI %08x",
				   (unsigned long long)flow->n, asked, dst, flow->spi);
		if (!err)
			err = finding_show(out, f, flow->last, "the last of them");
	}
	return err;
}

static int find_esp_blocked(const struct survey *s, struct findings *out)
{
	size_t i, place;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		struct finding *f;

		if (e->n < 3 || !esp_missing_at(s, e, &place))
			continue;
		f = finding_add(
		    out, LIKELY,
		    "ESP of SPI %08x is seen at %s and never at %s, where IKE of the same ends "
		    "is seen.",
		    e->spi, s->f.set.places[e->place].name, s->f.set.places[place].name);
		err = finding_show(out, f, e->first, "the first of %llu packets",
				   (unsigned long long)e->n);
	}
	return err;
}

#define LEAK_REMEDY                                                                             \
	"ip route get and ip rule for the destination, nft list ruleset for masquerade rules, " \
	"ip xfrm policy for the selectors."

RULES(
    policy,
    {.id = "F31",
     .names = "S4; negotiation failure map 5; document 4: NAT",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "Packets are masqueraded before IPsec looks at them, and leave in the clear",
     .why = "They were forwarded (their TTL is counted down) and carry the gateway's address: NAT "
	    "comes before the policy lookup, and then the source is outside the selectors.",
     .remedy =
	 "Except the tunnel from NAT (nft: ipsec out ip daddr .. accept, or ip daddr of the "
	 "remote networks, before masquerade), or bind policies to an interface ID. " LEAK_REMEDY,
     .clause = "RFC 4301 §4.4.1, §5.1",
     .find = find_masqueraded},
    {.id = "S15",
     .names = "F31; negotiation failure map 5; troubleshooting flow 4",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "F20",
     .title = "There is no route into the tunnel: packets leave in the clear",
     .why =
	 "The gateway itself sends them from its outer address: its route for that network is the "
	 "default route, not the tunnel's. IPsec with interface IDs installs no routes.",
     .remedy =
	 "Add the route through the tunnel's interface, with an inner source address. " LEAK_REMEDY,
     .clause = "RFC 4301 §4.4.1, §5.1",
     .find = find_unrouted},
    {.id = "MAP-esp-blocked",
     .names = "troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 9,
     .unless = "",
     .title = "ESP is lost on the way, IKE is not",
     .why = "A firewall or an operator lets UDP 500 and 4500 of IKE through and drops ESP (IP "
	    "protocol "
	    "50, or the long packets in UDP 4500).",
     .remedy = "Open IP protocol 50 and UDP 4500 on the way, or force encapsulation (encap = yes).",
     .clause = "RFC 4303 §2, RFC 3948 §2.1",
     .find = find_esp_blocked},
    {.id = "F32",
     .names = "F33, S10, S16, S17; negotiation failure map 5; troubleshooting flow 5, 6",
     .kind = RULE_FAULT,
     .rank = 25,
     .unless = "F28 F20 F35 F01 F02 F03 F44 F45 MAP-esp-blocked MAP-expired",
     .title = "Packets come out of the tunnel and are not answered",
     .why = "They are decrypted and dropped behind it (rp_filter, a firewall's forward or input "
	    "chain, a "
	    "policy without interface match), or the host answers another way: its route back does "
	    "not lead into the tunnel.",
     .remedy =
	 "At the receiving gateway: sysctl net.ipv4.conf.*.rp_filter (2, not 1), nft list ruleset "
	 "(iifname of the tunnel in input and forward), ip route get for the source, nstat "
	 "and /proc/net/xfrm_stat. Capture inside, too.",
     .clause = "RFC 4301 §5.2",
     .find = find_no_reply});
