/* ts.h - traffic selectors and sets of them (RFC 7296 §3.13.1).
 *
 * A selector is a range of addresses, a protocol (0: any) and a range of ports. For ICMP and ICMPv6
 * the "ports" are type << 8 | code (RFC 7296 §3.13.1). OPAQUE ports (RFC 4301 §4.4.1.1) are 65535
 * to 0. "Dynamic" selectors stand for the endpoint's own address and are resolved with
 * ts_list_resolve before they go anywhere near the wire.
 *
 * A list owns its array; copy with ts_list_copy, release with ts_list_free. */
#ifndef VPN_BASE_TS_H
#define VPN_BASE_TS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define TS_LIST_MAX                                                                               \
	128 /* the wire allows 255 (RFC 7296 §3.13); a peer that sends more gets TS_UNACCEPTABLE \
	     */
#define TS_STRLEN 160

struct ts {
	struct ip_addr lo;
	struct ip_addr hi;
	uint16_t port_lo;
	uint16_t port_hi;
	uint8_t proto;
	bool dynamic; /* lo and hi are unset until resolved */
};

struct ts_list {
	struct ts *v;
	size_t n;
};

/* What a packet shows of itself; ports are 0 with have_ports false for later fragments and for
 * protocols without ports. For ICMP src_port is type << 8 | code and dst_port 0. */
struct ts_packet {
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t proto;
	bool have_ports;
};

struct ts ts_from_prefix(const struct ip_addr *net, unsigned bits);
struct ts ts_from_host(const struct ip_addr *host);

/* "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9", "fd00::/64[tcp/80-90]", "dynamic[icmp/8]", as
 * swanctl.conf(5) writes them; protocols and services by number or by the usual names. */
int ts_parse(const char *text, struct ts *ret_ts, struct err_msg *msg);
/* As swanctl prints them: "10.0.0.0/8|/0"-free form, "10.0.0.1..10.0.0.9[tcp/80]". Returns buf. */
const char *ts_format(const struct ts *ts, char *buf, size_t cap);

uint8_t ts_family(const struct ts *ts);
bool ts_eq(const struct ts *a, const struct ts *b);
bool ts_is_host(const struct ts *ts); /* one address, any protocol and port */
bool ts_contains(const struct ts *outer, const struct ts *inner);
/* False if they share nothing; *ret_ts is then untouched. */
bool ts_intersect(const struct ts *a, const struct ts *b, struct ts *ret_ts);
bool ts_matches(const struct ts *ts, const struct ip_addr *addr, uint8_t proto, uint16_t port,
		bool have_port);

int ts_list_add(struct ts_list *list, const struct ts *ts); /* ERR_NOMEM, ERR_LIMIT */
int ts_list_copy(const struct ts_list *src, struct ts_list *ret_list);
void ts_list_free(struct ts_list *list);
bool ts_list_eq(const struct ts_list *a, const struct ts_list *b); /* same order */

/* Replaces dynamic selectors by addr (unset addr: they are dropped). */
int ts_list_resolve(const struct ts_list *src, const struct ip_addr *addr,
		    struct ts_list *ret_list);

/* RFC 7296 §2.9: what of `offered` the policy `allowed` permits, in the order of `offered`, without
 * selectors that another one contains. Empty: TS_UNACCEPTABLE. */
int ts_list_narrow(const struct ts_list *offered, const struct ts_list *allowed,
		   struct ts_list *ret_list);

/* True if every selector of inner is contained in one of outer. */
bool ts_list_contains(const struct ts_list *outer, const struct ts_list *inner);

/* True if a packet may leave: source in `src`, destination in `dst`. */
bool ts_lists_match(const struct ts_list *src, const struct ts_list *dst,
		    const struct ts_packet *pkt);

#endif
