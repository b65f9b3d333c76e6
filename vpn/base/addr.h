/* addr.h - IPv4 and IPv6 addresses, and an address with a port, as plain values.
 *
 * All-zero is "unset" (family 0). The octets stand in network order, unused ones are zero, so two
 * equal addresses are equal octet by octet. Ports are in host order. */
#ifndef VPN_BASE_ADDR_H
#define VPN_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_ADDR_STRLEN	46 /* RFC 4291 §2.2, with the terminating zero */
#define ENDPOINT_STRLEN (IP_ADDR_STRLEN + 8)

struct ip_addr {
	uint8_t family; /* 0 (unset), 4 or 6 */
	uint8_t b[16];
};

struct endpoint {
	struct ip_addr addr;
	uint16_t port;
};

static inline bool ip_addr_is_set(const struct ip_addr *a)
{
	return a->family != 0;
}

/* Octets of an address of that family: 4, 16, or 0 if unset. */
static inline size_t ip_addr_len(const struct ip_addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

static inline unsigned ip_addr_bits(const struct ip_addr *a)
{
	return (unsigned)ip_addr_len(a) * 8;
}

/* <0, 0, >0 by family, then by value. */
int ip_addr_cmp(const struct ip_addr *a, const struct ip_addr *b);
bool ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b);
bool ip_addr_is_any(const struct ip_addr *a); /* 0.0.0.0, ::, or unset */

struct ip_addr ip_addr_from_v4(const uint8_t octets[4]);
struct ip_addr ip_addr_from_v6(const uint8_t octets[16]);

/* Numeric addresses only; ERR_SYNTAX otherwise. */
int ip_addr_parse(const char *text, struct ip_addr *ret_addr);
/* Writes at most cap octets with the zero, and returns buf. "%any" if unset. */
const char *ip_addr_format(const struct ip_addr *a, char *buf, size_t cap);

/* The first and the last address of a/bits; bits is cut to the family's width. */
struct ip_addr ip_addr_first(const struct ip_addr *a, unsigned bits);
struct ip_addr ip_addr_last(const struct ip_addr *a, unsigned bits);
/* The address after or before a; false at the family's end. */
bool ip_addr_next(const struct ip_addr *a, struct ip_addr *ret_next);
bool ip_addr_prev(const struct ip_addr *a, struct ip_addr *ret_prev);
bool ip_addr_in_prefix(const struct ip_addr *a, const struct ip_addr *net, unsigned bits);
/* True if [lo, hi] is exactly one prefix; its length is stored in *ret_bits. */
bool ip_addr_range_is_prefix(const struct ip_addr *lo, const struct ip_addr *hi,
			     unsigned *ret_bits);

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
/* "192.0.2.1[4500]", as strongSwan writes it. */
const char *endpoint_format(const struct endpoint *e, char *buf, size_t cap);
/* Returns the length of the sockaddr, 0 if unset. IPv4-mapped IPv6 is turned into IPv4 on the way
 * in. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret_ss);
int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret_e);

#endif
