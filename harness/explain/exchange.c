/* exchange.c - findings of the exchange itself: requests that nobody answers, answers that nobody
 * takes, peers of another version, peers that have forgotten (RFC 7296 §2.1, §2.4, §2.5, §2.21). */
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

enum { ICMP_UNREACHABLE = 3, ICMP6_UNREACHABLE = 1 };

static int show_tries(const struct survey *s, struct findings *out, struct finding *f,
		      const struct exchange *x)
{
	char route[128], span[32], text[256];
	const struct ike_msg *m = &s->f.ike[x->first_request];
	int err;

	err = finding_show(out, f, seen_msg(s, x->first_request), "%s, %zu octets, %s",
			   ike_msg_describe(m, text, sizeof(text)), x->largest,
			   msg_route(s, x->first_request, route, sizeof(route)));
	if (err || x->sent < 2)
		return err;
	return finding_show(out, f, seen_msg(s, x->last_request),
			    "the same for the %u%s time, %s later", x->sent,
			    ordinal_suffix(x->sent),
			    span_text(msg_frame(s, x->first_request)->time_us,
				      msg_frame(s, x->last_request)->time_us, span, sizeof(span)));
}

/* An ICMP error that quotes a packet to that endpoint explains a silence better. */
static bool is_refused_by_icmp(const struct survey *s, const struct ip_addr *dst)
{
	size_t i;

	for (i = 0; i < s->f.n_icmp_errors; i++)
		if (ip_addr_eq(&s->f.icmp_errors[i].about.dst, dst) && !s->f.icmp_errors[i].mtu)
			return true;
	return false;
}

/* Any answer from there, before the silence? */
static bool has_answered(const struct survey *s, const struct ip_addr *src,
			 const struct ip_addr *dst)
{
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct fact_frame *f;

		if (x->first_request == FACT_NONE || !x->answered)
			continue;
		f = msg_frame(s, x->first_request);
		if (ip_addr_eq(&f->src.addr, src) && ip_addr_eq(&f->dst.addr, dst))
			return true;
	}
	return false;
}

static bool is_silent_init(const struct survey *s, const struct exchange *x,
			   struct exchange_sum *ret_sum)
{
	if (x->type != IKE_SA_INIT || x->first_request == FACT_NONE || !x->first)
		return false;
	*ret_sum = exchange_everywhere(s, x);
	return !ret_sum->answered && ret_sum->sent >= TRIES_MIN &&
	       s->f.ike[x->first_request].hdr.version >> 4 == 2;
}

static int find_silent_init(const struct survey *s, struct findings *out)
{
	struct exchange_sum sum;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct fact_frame *f;
		struct finding *finding;
		char dst[ENDPOINT_STRLEN];

		if (!is_silent_init(s, x, &sum))
			continue;
		f = msg_frame(s, x->first_request);
		if (has_answered(s, &f->src.addr, &f->dst.addr) ||
		    is_refused_by_icmp(s, &f->dst.addr))
			continue;
		finding = finding_add(out, LIKELY,
				      "Nothing ever comes back from %s: IKE_SA_INIT was sent %u "
				      "times.",
				      endpoint_format(&f->dst, dst, sizeof(dst)), sum.sent);
		err = show_tries(s, out, finding, sum.at_sender);
	}
	return err;
}

/* The peer answered at that address, and then no more: attempts of several SPIs, all in vain. */
static int find_moved_peer(const struct survey *s, struct findings *out)
{
	struct exchange_sum sum;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct fact_frame *f;
		struct finding *finding;
		char dst[ENDPOINT_STRLEN];

		if (!is_silent_init(s, x, &sum))
			continue;
		f = msg_frame(s, x->first_request);
		if (!has_answered(s, &f->src.addr, &f->dst.addr) ||
		    is_refused_by_icmp(s, &f->dst.addr))
			continue;
		finding = finding_add(out, LIKELY,
				      "%s answered before and is silent now, but the initiator "
				      "goes on trying that one address.",
				      endpoint_format(&f->dst, dst, sizeof(dst)));
		err = show_tries(s, out, finding, sum.at_sender);
	}
	return err;
}

static const char *refusal_text(const struct icmp_error_fact *e, uint8_t version)
{
	static const char *const v4[] = {"network unreachable", "host unreachable",
					 "protocol unreachable", "port unreachable"};
	static const char *const v6[] = {"no route", "administratively prohibited", "beyond scope",
					 "address unreachable", "port unreachable"};

	if (version == 6)
		return e->type == ICMP6_UNREACHABLE && e->code < 5 ? v6[e->code] : NULL;
	if (e->type != ICMP_UNREACHABLE)
		return NULL;
	if (e->code == 9 || e->code == 10 || e->code == 13)
		return "administratively prohibited";
	return e->code < 4 ? v4[e->code] : NULL;
}

static bool is_about_ike(const struct ts_packet *p)
{
	return p->proto == IP_PROTO_UDP && p->have_ports &&
	       (p->dst_port == IKE_PORT || p->dst_port == IKE_NATT_PORT);
}

/* Once an answer has come after it, the refusal was of a moment. */
static bool is_answered_later(const struct survey *s, const struct ts_packet *p, uint64_t time_us)
{
	size_t i;

	for (i = 0; i < s->n_paths; i++)
		if (ip_addr_eq(&s->paths[i].src.addr, &p->dst) && s->paths[i].n_ike &&
		    s->paths[i].last_ike.time_us > time_us)
			return true;
	return false;
}

/* The same has been said at that place before. */
static bool is_told_refusal(const struct survey *s, size_t error)
{
	const struct icmp_error_fact *e = &s->f.icmp_errors[error];
	size_t i;

	for (i = 0; i < error; i++) {
		const struct icmp_error_fact *o = &s->f.icmp_errors[i];

		if (o->type == e->type && o->code == e->code &&
		    ip_addr_eq(&o->about.dst, &e->about.dst) &&
		    o->about.dst_port == e->about.dst_port &&
		    s->f.frames[o->frame].place == s->f.frames[e->frame].place &&
		    !is_answered_later(s, &o->about, s->f.frames[o->frame].time_us))
			return true;
	}
	return false;
}

static int find_refused(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_icmp_errors; i++) {
		const struct icmp_error_fact *e = &s->f.icmp_errors[i];
		const struct fact_frame *frame = &s->f.frames[e->frame];
		const char *text = refusal_text(e, frame->ip.version);
		char from[IP_ADDR_STRLEN], about[IP_ADDR_STRLEN];
		struct finding *f;

		if (!text || !is_about_ike(&e->about) || is_told_refusal(s, i) ||
		    is_answered_later(s, &e->about, frame->time_us))
			continue;
		ip_addr_format(&frame->src.addr, from, sizeof(from));
		ip_addr_format(&e->about.dst, about, sizeof(about));
		f = finding_add(out, CERTAIN,
				"%s says that UDP port %u of %s is not to be had: %s.", from,
				e->about.dst_port, about, text);
		err = finding_show(out, f, seen_frame(s, e->frame), "ICMP from %s: %s", from, text);
	}
	return err;
}

/* A message of another version, or one that says so. RFC 7296 §2.5: the major version is in the
 * upper half of the octet. */
static bool is_of_other_version(const struct ike_msg *m)
{
	return m->hdr.version >> 4 == 1 || msg_error(m) == N_INVALID_MAJOR_VERSION;
}

/* The same end has said so in the same attempt, at that place. */
static bool is_told_version(const struct survey *s, size_t msg)
{
	const struct ike_msg *m = &s->f.ike[msg];
	size_t i;

	for (i = 0; i < msg; i++)
		if (s->f.ike[i].hdr.spi_i == m->hdr.spi_i &&
		    msg_frame(s, i)->place == msg_frame(s, msg)->place &&
		    ip_addr_eq(&msg_frame(s, i)->src.addr, &msg_frame(s, msg)->src.addr) &&
		    is_of_other_version(&s->f.ike[i]))
			return true;
	return false;
}

static int find_old_version(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];
		bool says = msg_error(m) == N_INVALID_MAJOR_VERSION;
		char route[128];
		struct finding *f;

		if (!is_of_other_version(m) || is_told_version(s, i))
			continue;
		f = finding_add(out, CERTAIN,
				says ? "A peer refuses the version of IKE that it is offered."
				     : "One end speaks IKEv1.");
		err = finding_show(out, f, seen_msg(s, i), "%s, %s",
				   says ? "N(INVALID_MAJOR_VERSION)" : "IKE version 1",
				   msg_route(s, i, route, sizeof(route)));
	}
	return err;
}

/* RFC 7296 §2.21.4, §1.5: outside any SA, so in the clear. */
static int find_forgotten(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];
		uint16_t type = m->sealed == FACT_NOT_SEALED ? msg_error(m) : 0;
		char route[128];
		struct finding *f;

		if (type != N_INVALID_IKE_SPI && type != N_INVALID_SPI)
			continue;
		f = finding_add(out, LIKELY, "A peer gets packets of an SA that it does not know.");
		err = finding_show(out, f, seen_msg(s, i), "N(%s) in the clear, %s",
				   type == N_INVALID_SPI ? "INVALID_SPI" : "INVALID_IKE_SPI",
				   msg_route(s, i, route, sizeof(route)));
	}
	return err;
}

/* The response has reached the requester's own wire (it has been through routers, the request has
 * not), and the request is sent again all the same. */
static int find_ignored_response(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		struct finding *f;

		if (x->after < 2 || !frame_is_fresh(msg_frame(s, x->first_request)) ||
		    frame_is_fresh(msg_frame(s, x->first_response)))
			continue;
		f = finding_add(out, LIKELY,
				"The response is there, and the request is sent again: the "
				"requester does not take it.");
		err = finding_show(out, f, seen_msg(s, x->first_response), "the response");
		if (!err)
			err = finding_show(out, f, seen_msg(s, x->last_request),
					   "the request again (%u times after the response)",
					   x->after);
	}
	return err;
}

/* The ends have found each other again: what was asked in between does not matter any more. */
static bool is_settled_later(const struct survey *s, const struct exchange *x)
{
	const struct fact_frame *f = msg_frame(s, x->last_request);
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *init = &s->exchanges[i];
		const struct fact_frame *g;

		if (init->type != IKE_SA_INIT || !init->answered ||
		    init->first_request == FACT_NONE)
			continue;
		g = msg_frame(s, init->last_request);
		if (g->time_us > f->time_us && g->place == f->place &&
		    (ip_addr_eq(&g->src.addr, &f->src.addr) ||
		     ip_addr_eq(&g->src.addr, &f->dst.addr)))
			return true;
	}
	return false;
}

static int find_unanswered(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		struct exchange_sum sum;
		struct finding *f;
		char name[48];

		if (x->type == IKE_SA_INIT || x->first_request == FACT_NONE || !x->first)
			continue;
		sum = exchange_everywhere(s, x);
		if (sum.answered || sum.sent < TRIES_MIN || is_settled_later(s, sum.at_sender))
			continue;
		f = finding_add(out, LIKELY, "%s requests get no answer.",
				ike_exchange_name(x->type, name, sizeof(name)));
		err = show_tries(s, out, f, sum.at_sender);
	}
	return err;
}

RULES(
    exchange,
    {.id = "MAP-init",
     .names = "negotiation failure map 1; troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 20,
     .unless = "",
     .title = "IKE_SA_INIT gets no response",
     .why = "The request does not arrive (a firewall on the way or at the peer drops UDP 500, the "
	    "address is wrong, there is no route), or the peer drops it without a word (no such "
	    "connection, another IKE version), or the way back is broken.",
     .remedy =
	 "Capture at the peer too, and explain both captures together: if the request is "
	 "there, look at the peer's configuration, else at firewalls and routes between. Check "
	 "the peer's address, and that UDP 500 and 4500 are open in both directions.",
     .clause = "RFC 7296 §2.1, §2.4",
     .find = find_silent_init},
    {.id = "F45",
     .names = "negotiation failure map 1",
     .kind = RULE_FAULT,
     .rank = 19,
     .unless = "",
     .title = "The peer is gone from its address, and the initiator does not look for another",
     .why = "The address was resolved once. If the peer's name points to another one now (a new "
	    "lease), the requests go where nobody is.",
     .remedy =
	 "Compare what the peer's name resolves to with the address in the capture. Let the "
	 "daemon resolve it anew for each attempt (a name, not an address, in remote_addrs), or "
	 "restart the connection. If the address is right, the peer or the way to it is down.",
     .clause = "RFC 7296 §2.4",
     .find = find_moved_peer},
    {.id = "MAP-refused",
     .names = "document 4: remote endpoint not running IKE/IPsec",
     .kind = RULE_FAULT,
     .rank = 10,
     .unless = "",
     .title = "ICMP says that IKE is not reachable",
     .why =
	 "\"Port unreachable\" comes from a host on which no IKE daemon listens; the others come "
	 "from a router or a firewall in between.",
     .remedy = "Start the daemon there, or look why it does not listen on that address and port; "
	       "for the others, look at the router that the ICMP comes from.",
     .clause = "RFC 1122 §3.2.2.1, RFC 7296 §2.4",
     .find = find_refused},
    {.id = "MAP-version",
     .names = "IKEv1 peer; document 4: mismatched IKE version",
     .kind = RULE_FAULT,
     .rank = 11,
     .unless = "",
     .title = "The ends do not speak the same version of IKE",
     .why = "IKEv1 and IKEv2 cannot talk to each other; many daemons drop the other version in "
	    "silence.",
     .remedy = "Configure IKEv2 at both ends (version = 2; ikev2=insist).",
     .clause = "RFC 7296 §2.5",
     .find = find_old_version},
    {.id = "MAP-forgotten",
     .names = "peer restarted",
     .kind = RULE_FAULT,
     .rank = 45,
     .unless = "",
     .title = "A peer has lost its SAs",
     .why = "It was restarted, or it deleted the SA and the Delete never arrived. What comes in "
	    "the clear proves nothing, so the other end may not act on it; it finds out by a "
	    "liveness check.",
     .remedy = "Switch liveness checks on (dpd_delay) with an action that brings the tunnel back "
	       "(dpd_action = restart), at the end that can reach the other.",
     .clause = "RFC 7296 §2.4, §2.21.4",
     .find = find_forgotten},
    {.id = "F27",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 40,
     .unless = "",
     .title = "A response arrives and is not taken",
     .why = "The requester's host or daemon drops it: a firewall on the host, an SA that is not "
	    "ready yet (role swap after a rekeying of the IKE SA), a message that it cannot open.",
     .remedy = "Look at the requester's log and counters at that time, and at the firewall of that "
	       "host.",
     .clause = "RFC 7296 §2.1, §2.8",
     .find = find_ignored_response},
    {.id = "MAP-unanswered",
     .names = "troubleshooting flow 1",
     .kind = RULE_SYMPTOM,
     .rank = 60,
     .unless = "",
     .title = "Requests inside an IKE SA get no answer",
     .why = "The way was open for IKE_SA_INIT and is not for this. The captures do not show why: "
	    "the peer may be down, or its NAT mapping or a firewall's state gone.",
     .remedy = "Capture at the peer at the same time, and explain both captures together.",
     .clause = "RFC 7296 §2.1, §2.4",
     .find = find_unanswered});
