/* stops.c - findings of captures that begin well and go no further: no IKE_AUTH behind IKE_SA_INIT,
 * ESP that is answered no more or never was, sequence numbers that never get here (RFC 7296 §1.2,
 * RFC 4303 §2.2).
 *
 * One capture cannot tell why, and a single silence proves little: these are symptoms, and possible
 * at most. Whatever explains them replaces them. Lost packets are but a note: a tunnel loses some
 * while it comes back. */
#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

#define RUN_MIN	   4	  /* packets without one the other way */
#define RUN_MIN_US 500000 /* they are no burst that the capture's end has cut off */
#define GAP_MIN	   8	  /* more than chance takes in a row at any loss that can be worked with */

/* --- IKE_AUTH --- */

/* Accepted: what is refused, or asked for once more, has no SA payload (RFC 7296 §1.2, §2.6). */
static bool is_accepted_init(const struct survey *s, const struct exchange *x)
{
	const struct ike_msg *m;

	if (x->type != IKE_SA_INIT || !x->first || x->first_response == FACT_NONE)
		return false;
	m = &s->f.ike[x->last_response];
	return m->outer && ike_payload_find(m->outer, PAYLOAD_SA, 0);
}

/* Any message of that SA that is not of IKE_SA_INIT, or IKE_AUTH of a later try. */
static bool goes_on(const struct survey *s, const struct exchange *init)
{
	const struct fact_frame *f = msg_frame(s, init->first_response);
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct fact_frame *g;

		if (x->type == IKE_SA_INIT)
			continue;
		if (x->ike_sa == init->ike_sa)
			return true;
		g = x->first_response == FACT_NONE ? NULL : msg_frame(s, x->first_response);
		if (g && g->time_us > f->time_us && ip_addr_eq(&g->src.addr, &f->src.addr) &&
		    ip_addr_eq(&g->dst.addr, &f->dst.addr))
			return true;
	}
	return false;
}

static int find_no_auth(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		char route[128];
		bool asked_here;
		struct finding *f;

		if (!is_accepted_init(s, x) || goes_on(s, x))
			continue;
		asked_here =
		    x->first_request != FACT_NONE && frame_is_fresh(msg_frame(s, x->first_request));
		f = finding_add(out, POSSIBLE,
				asked_here ? "IKE_SA_INIT is answered, and no IKE_AUTH follows it."
					   : "IKE_SA_INIT is answered, and IKE_AUTH never arrives "
					     "here.");
		err = finding_show(out, f, seen_msg(s, x->last_response),
				   "the response, %s; the capture goes on for %.1f s",
				   msg_route(s, x->last_response, route, sizeof(route)),
				   survey_rest(s, msg_frame(s, x->last_response)->place,
					       msg_frame(s, x->last_response)->time_us));
	}
	return err;
}

/* --- ESP one way --- */

/* IKE goes both ways, ESP has never come back. */
static bool goes_one_way(const struct survey *s, const struct path *p)
{
	bool ike_back = false;
	size_t i;

	for (i = path_between(s, &p->dst.addr, &p->src.addr); i != FACT_NONE;
	     i = s->paths[i].prev) {
		if (s->paths[i].n_esp)
			return false;
		ike_back = ike_back || s->paths[i].n_ike;
	}
	return ike_back;
}

static int find_never_back(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_paths; i++) {
		const struct path *p = &s->paths[i];
		char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN];
		struct finding *f;

		if (p->n_esp < 5 || !goes_one_way(s, p))
			continue;
		endpoint_format(&p->src, src, sizeof(src));
		endpoint_format(&p->dst, dst, sizeof(dst));
		f = finding_add(out, POSSIBLE, "ESP goes from %s to %s, and none comes back.", src,
				dst);
		err = finding_show(out, f, p->first_esp, "the first of %llu packets",
				   (unsigned long long)p->n_esp);
	}
	return err;
}

/* With keys: what goes last is UDP, which need not be answered. */
static bool needs_no_answer(const struct survey *s, const struct talk *t)
{
	size_t i;

	for (i = 0; i < s->n_flows; i++)
		if (s->flows[i].inside && s->flows[i].place == t->place &&
		    s->flows[i].last.number == t->run_last.number)
			return s->flows[i].proto == IP_PROTO_UDP;
	return false;
}

bool talk_has_stopped(const struct survey *s, const struct talk *t)
{
	return t->n[0] && t->n[1] && t->run >= RUN_MIN &&
	       t->run_last.time_us >= t->run_first.time_us + RUN_MIN_US && !needs_no_answer(s, t);
}

static int find_back_no_more(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_talks; i++) {
		const struct talk *t = &s->talks[i];
		char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN], span[32];
		struct finding *f;

		if (!talk_has_stopped(s, t))
			continue;
		ip_addr_format(&t->ends[t->run_from], src, sizeof(src));
		ip_addr_format(&t->ends[!t->run_from], dst, sizeof(dst));
		f = finding_add(
		    out, POSSIBLE,
		    "It worked, and then ESP goes one way: %llu packets from %s to %s "
		    "in the last %s, and none comes back.",
		    (unsigned long long)t->run, src, dst,
		    span_text(t->run_first.time_us, t->run_last.time_us, span, sizeof(span)));
		err = finding_show(out, f, t->before, "the last packet of %s", dst);
		if (!err)
			err = finding_show(out, f, t->run_first, "the first one that stays alone");
		if (!err)
			err = finding_show(out, f, t->run_last, "the last one");
	}
	return err;
}

static int find_one_way(const struct survey *s, struct findings *out)
{
	int err = find_never_back(s, out);

	return err ? err : find_back_no_more(s, out);
}

/* --- Sequence numbers --- */

static bool is_whole_there(const struct survey *s, const struct esp_flow *e)
{
	size_t i;

	/* The SA has moved to another port: its numbers are spread over flows. */
	for (i = esp_of_spi(s, e->spi); i != FACT_NONE; i = s->esp[i].prev)
		if (&s->esp[i] != e && s->esp[i].place == e->place)
			return true;
	return e->n_behind >= e->gap;
}

bool esp_has_gap(const struct survey *s, const struct esp_flow *e)
{
	return e->gap >= GAP_MIN && !is_whole_there(s, e);
}

static int find_gap(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		char src[ENDPOINT_STRLEN];
		struct finding *f;

		if (!esp_has_gap(s, e))
			continue;
		endpoint_format(&e->src, src, sizeof(src));
		f = finding_add(out, POSSIBLE,
				"%u packets in a row that %s has sent are not seen here: they are "
				"lost before this place, or the capture has missed them.",
				e->gap, src);
		err = finding_show(out, f, e->behind_gap,
				   "SPI %08x: the first sequence number behind %u missing ones",
				   e->spi, e->gap);
	}
	return err;
}

RULES(
    stops,
    {.id = "MAP-no-auth",
     .names = "troubleshooting flow 1",
     .kind = RULE_SYMPTOM,
     .rank = 62,
     .unless = "MAP-auth MAP-init F06 F11 F15",
     .title = "The exchange ends before IKE_AUTH",
     .why = "The initiator does not take the response, or has sent IKE_AUTH and it was lost: it is "
	    "the first long message (IP fragments), and the first one to UDP port 4500.",
     .remedy = "Capture at the initiator at the same time, and explain both captures together.",
     .clause = "RFC 7296 §1.2, §2.23",
     .find = find_no_auth},
    {.id = "MAP-oneway",
     .names = "negotiation failure map 5; troubleshooting flow 5",
     .kind = RULE_SYMPTOM,
     .rank = 65,
     .unless = "F32 MAP-expired",
     .title = "ESP goes one way only",
     .why = "Either nothing needs to come back, or it does not arrive (a NAT mapping or a "
	    "firewall's state has gone), or what arrives is dropped behind the tunnel (rp_filter, "
	    "firewall, routes), or what is sent back does not get here.",
     .remedy = "Look at the counters of both SAs at both ends, capture at the other end, and "
	       "explain again with keys.",
     .clause = "RFC 4301 §5",
     .find = find_one_way},
    {.id = "MAP-gap",
     .names = "troubleshooting flow 5",
     .kind = RULE_NOTE,
     .rank = 76,
     .unless = "F01 F02 F03 F15 F17 F44 F48 MAP-expired",
     .title = "ESP packets are lost before they get here",
     .why = "A sender counts its packets one by one. A link that was down, a NAT mapping that has "
	    "gone, a full queue or a firewall takes many in a row.",
     .remedy = "Capture at the sender at the same time, and explain both captures together.",
     .clause = "RFC 4303 §2.2",
     .find = find_gap});
