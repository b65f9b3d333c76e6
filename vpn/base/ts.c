/* ts.c - traffic selectors: sets, narrowing, matching, and their text.
 *
 * Narrowing is plain set intersection, pair by pair (RFC 7296 §2.9): the result can never be wider
 * than either side, whatever the peer sent. */
#include "vpn/base/ts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"

struct ts ts_from_prefix(const struct ip_addr *net, unsigned bits)
{
	return (struct ts){.lo = ip_addr_first(net, bits),
			   .hi = ip_addr_last(net, bits),
			   .port_lo = 0,
			   .port_hi = UINT16_MAX};
}

struct ts ts_from_host(const struct ip_addr *host)
{
	return ts_from_prefix(host, ip_addr_bits(host));
}

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
    {"icmp", IP_PROTO_ICMP},
    {"tcp", IP_PROTO_TCP},
    {"udp", IP_PROTO_UDP},
    {"gre", 47},
    {"esp", IP_PROTO_ESP},
    {"ah", 51},
    {"ipv6-icmp", IP_PROTO_ICMP6},
    {"icmpv6", IP_PROTO_ICMP6},
    {"ospf", 89},
    {"l2tp", 115},
    {"sctp", 132},
    {"ipip", 4},
    {"ipv6", 41},
    {"vrrp", 112},
    {"pim", 103},
    {"igmp", 2},
};

static bool parse_number(const char *text, unsigned long max, unsigned long *ret_value)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	v = strtoul(text, &end, 0);
	if (*end || v > max)
		return false;
	*ret_value = v;
	return true;
}

static int parse_proto(const char *text, uint8_t *ret_proto)
{
	unsigned long v;
	size_t i;

	if (strcmp(text, "any") == 0 || !*text) {
		*ret_proto = 0;
		return 0;
	}
	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcmp(text, protocols[i].name) == 0) {
			*ret_proto = protocols[i].number;
			return 0;
		}
	}
	if (!parse_number(text, UINT8_MAX, &v))
		return ERR_SYNTAX;
	*ret_proto = (uint8_t)v;
	return 0;
}

static const struct {
	const char *name;
	uint16_t port;
} services[] = {
    {"ssh", 22},    {"domain", 53}, {"http", 80}, {"ntp", 123},	 {"https", 443},
    {"l2tp", 1701}, {"bgp", 179},   {"smtp", 25}, {"snmp", 161}, {"telnet", 23},
};

/* ICMP types may be given as "8" (type 8, any code) or "3(4)" or 0x0304. */
static int parse_port(const char *text, uint8_t proto, bool upper, uint16_t *ret_port)
{
	unsigned long v;
	unsigned type, code;
	size_t i;

	if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMP6) {
		if (sscanf(text, "%u(%u)", &type, &code) == 2 && type < 256 && code < 256) {
			*ret_port = (uint16_t)(type << 8 | code);
			return 0;
		}
		if (parse_number(text, UINT16_MAX, &v)) {
			*ret_port = (uint16_t)(v < 256 ? v << 8 | (upper ? 0xff : 0) : v);
			return 0;
		}
		return ERR_SYNTAX;
	}
	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (strcmp(text, services[i].name) == 0) {
			*ret_port = services[i].port;
			return 0;
		}
	}
	if (!parse_number(text, UINT16_MAX, &v))
		return ERR_SYNTAX;
	*ret_port = (uint16_t)v;
	return 0;
}

static int parse_ports(char *text, struct ts *ts)
{
	char *dash;

	if (strcmp(text, "any") == 0 || !*text)
		return 0;
	if (strcmp(text, "opaque") == 0) {
		ts->port_lo = UINT16_MAX;
		ts->port_hi = 0;
		return 0;
	}
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (parse_port(text, ts->proto, false, &ts->port_lo) ||
	    parse_port(dash ? dash : text, ts->proto, true, &ts->port_hi))
		return ERR_SYNTAX;
	return ts->port_lo <= ts->port_hi ? 0 : ERR_SYNTAX;
}

static int parse_range(char *text, struct ts *ts)
{
	char *sep;
	struct ip_addr net;
	unsigned long bits;

	if (strcmp(text, "dynamic") == 0) {
		ts->dynamic = true;
		return 0;
	}
	sep = strchr(text, '/');
	if (sep) {
		*sep++ = '\0';
		if (ip_addr_parse(text, &net) || !parse_number(sep, ip_addr_bits(&net), &bits))
			return ERR_SYNTAX;
		ts->lo = ip_addr_first(&net, (unsigned)bits);
		ts->hi = ip_addr_last(&net, (unsigned)bits);
		return 0;
	}
	sep = strchr(text, '-');
	if (sep)
		*sep++ = '\0';
	if (ip_addr_parse(text, &ts->lo) || ip_addr_parse(sep ? sep : text, &ts->hi))
		return ERR_SYNTAX;
	return ts->lo.family == ts->hi.family && ip_addr_cmp(&ts->lo, &ts->hi) <= 0 ? 0
										    : ERR_SYNTAX;
}

int ts_parse(const char *text, struct ts *ret_ts, struct err_msg *msg)
{
	struct ts ts = {.port_hi = UINT16_MAX};
	char copy[TS_STRLEN];
	char *bracket, *slash, *end;

	if (strlen(text) >= sizeof(copy))
		return err_set(msg, ERR_SYNTAX, "traffic selector is too long");
	strcpy(copy, text);
	bracket = strchr(copy, '[');
	if (bracket) {
		*bracket++ = '\0';
		end = strchr(bracket, ']');
		if (!end || end[1])
			return err_set(msg, ERR_SYNTAX, "traffic selector '%s': ']' expected",
				       text);
		*end = '\0';
		slash = strchr(bracket, '/');
		if (slash)
			*slash++ = '\0';
		if (parse_proto(bracket, &ts.proto))
			return err_set(msg, ERR_SYNTAX,
				       "traffic selector '%s': unknown protocol '%s'", text,
				       bracket);
		if (slash && parse_ports(slash, &ts))
			return err_set(msg, ERR_SYNTAX, "traffic selector '%s': invalid ports",
				       text);
	}
	if (parse_range(copy, &ts))
		return err_set(msg, ERR_SYNTAX,
			       "traffic selector '%s': not a prefix, address, range or 'dynamic'",
			       text);
	*ret_ts = ts;
	return 0;
}

static void format_ports(const struct ts *ts, char *buf, size_t cap)
{
	if (ts->port_lo == 0 && ts->port_hi == UINT16_MAX)
		buf[0] = '\0';
	else if (ts->port_lo > ts->port_hi)
		snprintf(buf, cap, "/OPAQUE");
	else if ((ts->proto == IP_PROTO_ICMP || ts->proto == IP_PROTO_ICMP6) &&
		 ts->port_lo == ts->port_hi)
		snprintf(buf, cap, "/%u(%u)", ts->port_lo >> 8, ts->port_lo & 0xff);
	else if (ts->proto == IP_PROTO_ICMP || ts->proto == IP_PROTO_ICMP6)
		snprintf(buf, cap, ts->port_lo >> 8 == ts->port_hi >> 8 ? "/%u" : "/%u-%u",
			 ts->port_lo >> 8, ts->port_hi >> 8);
	else if (ts->port_lo == ts->port_hi)
		snprintf(buf, cap, "/%u", ts->port_lo);
	else
		snprintf(buf, cap, "/%u-%u", ts->port_lo, ts->port_hi);
}

static void format_proto(uint8_t proto, char *buf, size_t cap)
{
	size_t i;

	if (proto == 0) {
		buf[0] = '\0';
		return;
	}
	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (protocols[i].number == proto) {
			snprintf(buf, cap, "%s", protocols[i].name);
			return;
		}
	}
	snprintf(buf, cap, "%u", proto);
}

const char *ts_format(const struct ts *ts, char *buf, size_t cap)
{
	char lo[IP_ADDR_STRLEN], hi[IP_ADDR_STRLEN], proto[24], ports[24], suffix[64] = "";
	unsigned bits;

	format_proto(ts->proto, proto, sizeof(proto));
	format_ports(ts, ports, sizeof(ports));
	if (proto[0] || ports[0])
		snprintf(suffix, sizeof(suffix), "[%s%s]", proto, ports);
	if (ts->dynamic)
		snprintf(buf, cap, "dynamic%s", suffix);
	else if (ip_addr_range_is_prefix(&ts->lo, &ts->hi, &bits))
		snprintf(buf, cap, "%s/%u%s", ip_addr_format(&ts->lo, lo, sizeof(lo)), bits,
			 suffix);
	else
		snprintf(buf, cap, "%s..%s%s", ip_addr_format(&ts->lo, lo, sizeof(lo)),
			 ip_addr_format(&ts->hi, hi, sizeof(hi)), suffix);
	return buf;
}

uint8_t ts_family(const struct ts *ts)
{
	return ts->lo.family;
}

bool ts_eq(const struct ts *a, const struct ts *b)
{
	return a->dynamic == b->dynamic && a->proto == b->proto && a->port_lo == b->port_lo &&
	       a->port_hi == b->port_hi && ip_addr_eq(&a->lo, &b->lo) && ip_addr_eq(&a->hi, &b->hi);
}

bool ts_is_host(const struct ts *ts)
{
	return !ts->dynamic && ip_addr_eq(&ts->lo, &ts->hi) && ts->proto == 0 && ts->port_lo == 0 &&
	       ts->port_hi == UINT16_MAX;
}

static bool is_opaque(const struct ts *ts)
{
	return ts->port_lo > ts->port_hi;
}

static bool is_any_port(const struct ts *ts)
{
	return ts->port_lo == 0 && ts->port_hi == UINT16_MAX;
}

bool ts_contains(const struct ts *outer, const struct ts *inner)
{
	struct ts both;

	return ts_intersect(outer, inner, &both) && ts_eq(&both, inner);
}

bool ts_intersect(const struct ts *a, const struct ts *b, struct ts *ret_ts)
{
	struct ts r = *a;

	if (a->dynamic || b->dynamic || a->lo.family != b->lo.family)
		return false;
	if (a->proto && b->proto && a->proto != b->proto)
		return false;
	r.proto = a->proto ? a->proto : b->proto;
	if (is_opaque(a) || is_opaque(b)) {
		/* RFC 4301 §4.4.1.1: OPAQUE is part of ANY and of nothing else. */
		if (!(is_opaque(a) || is_any_port(a)) || !(is_opaque(b) || is_any_port(b)))
			return false;
		r.port_lo = UINT16_MAX;
		r.port_hi = 0;
	} else {
		r.port_lo = a->port_lo > b->port_lo ? a->port_lo : b->port_lo;
		r.port_hi = a->port_hi < b->port_hi ? a->port_hi : b->port_hi;
		if (r.port_lo > r.port_hi)
			return false;
	}
	r.lo = ip_addr_cmp(&a->lo, &b->lo) > 0 ? a->lo : b->lo;
	r.hi = ip_addr_cmp(&a->hi, &b->hi) < 0 ? a->hi : b->hi;
	if (ip_addr_cmp(&r.lo, &r.hi) > 0)
		return false;
	*ret_ts = r;
	return true;
}

bool ts_matches(const struct ts *ts, const struct ip_addr *addr, uint8_t proto, uint16_t port,
		bool have_port)
{
	if (ts->dynamic || addr->family != ts->lo.family || ip_addr_cmp(addr, &ts->lo) < 0 ||
	    ip_addr_cmp(addr, &ts->hi) > 0)
		return false;
	if (ts->proto && ts->proto != proto)
		return false;
	if (is_any_port(ts))
		return true;
	/* RFC 4301 §7: a packet without ports matches OPAQUE and ANY alone. */
	if (!have_port)
		return is_opaque(ts);
	return port >= ts->port_lo && port <= ts->port_hi;
}

int ts_list_add(struct ts_list *list, const struct ts *ts)
{
	struct ts *v;

	if (list->n >= TS_LIST_MAX)
		return ERR_LIMIT;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return ERR_NOMEM;
	list->v = v;
	list->v[list->n++] = *ts;
	return 0;
}

void ts_list_free(struct ts_list *list)
{
	free(list->v);
	*list = (struct ts_list){0};
}

int ts_list_copy(const struct ts_list *src, struct ts_list *ret_list)
{
	struct ts_list r = {0};

	if (src->n) {
		r.v = malloc(src->n * sizeof(*r.v));
		if (!r.v)
			return ERR_NOMEM;
		memcpy(r.v, src->v, src->n * sizeof(*r.v));
		r.n = src->n;
	}
	*ret_list = r;
	return 0;
}

bool ts_list_eq(const struct ts_list *a, const struct ts_list *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!ts_eq(&a->v[i], &b->v[i]))
			return false;
	return true;
}

int ts_list_resolve(const struct ts_list *src, const struct ip_addr *addr, struct ts_list *ret_list)
{
	struct ts_list r = {0};
	size_t i;
	int err;

	for (i = 0; i < src->n; i++) {
		struct ts ts = src->v[i];

		if (ts.dynamic && !ip_addr_is_set(addr))
			continue;
		if (ts.dynamic) {
			ts.lo = ts.hi = *addr;
			ts.dynamic = false;
		}
		err = ts_list_add(&r, &ts);
		if (err) {
			ts_list_free(&r);
			return err;
		}
	}
	*ret_list = r;
	return 0;
}

/* Adds ts unless the list covers it; drops what ts covers. */
static int add_maximal(struct ts_list *list, const struct ts *ts)
{
	size_t i, keep = 0;

	for (i = 0; i < list->n; i++)
		if (ts_contains(&list->v[i], ts))
			return 0;
	for (i = 0; i < list->n; i++)
		if (!ts_contains(ts, &list->v[i]))
			list->v[keep++] = list->v[i];
	list->n = keep;
	return ts_list_add(list, ts);
}

int ts_list_narrow(const struct ts_list *offered, const struct ts_list *allowed,
		   struct ts_list *ret_list)
{
	struct ts_list r = {0};
	struct ts both;
	size_t i, j;
	int err;

	for (i = 0; i < offered->n; i++) {
		for (j = 0; j < allowed->n; j++) {
			if (!ts_intersect(&offered->v[i], &allowed->v[j], &both))
				continue;
			err = add_maximal(&r, &both);
			if (err) {
				ts_list_free(&r);
				return err;
			}
		}
	}
	*ret_list = r;
	return 0;
}

bool ts_list_contains(const struct ts_list *outer, const struct ts_list *inner)
{
	size_t i, j;

	for (i = 0; i < inner->n; i++) {
		for (j = 0; j < outer->n; j++)
			if (ts_contains(&outer->v[j], &inner->v[i]))
				break;
		if (j == outer->n)
			return false;
	}
	return true;
}

/* RFC 7296 §3.13.1: ICMP type and code stand in TSi alone or in both; the packet shows them once,
 * so the destination side is not asked for ports. */
static bool one_matches(const struct ts_list *list, const struct ip_addr *addr,
			const struct ts_packet *pkt, uint16_t port)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (ts_matches(&list->v[i], addr, pkt->proto, port, pkt->have_ports))
			return true;
	return false;
}

bool ts_lists_match(const struct ts_list *src, const struct ts_list *dst,
		    const struct ts_packet *pkt)
{
	bool icmp = pkt->proto == IP_PROTO_ICMP || pkt->proto == IP_PROTO_ICMP6;

	return one_matches(src, &pkt->src, pkt, pkt->src_port) &&
	       one_matches(dst, &pkt->dst, pkt, icmp ? pkt->src_port : pkt->dst_port);
}
