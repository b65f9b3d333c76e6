/* addr.c - addresses as plain values. No name resolution, no I/O. */
#include "vpn/base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "vpn/base/err.h"

int ip_addr_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return ip_addr_cmp(a, b) == 0;
}

bool ip_addr_is_any(const struct ip_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, sizeof(zero)) == 0;
}

struct ip_addr ip_addr_from_v4(const uint8_t octets[4])
{
	struct ip_addr a = {.family = 4};

	memcpy(a.b, octets, 4);
	return a;
}

struct ip_addr ip_addr_from_v6(const uint8_t octets[16])
{
	struct ip_addr a = {.family = 6};

	memcpy(a.b, octets, 16);
	return a;
}

int ip_addr_parse(const char *text, struct ip_addr *ret_addr)
{
	struct ip_addr a = {.family = 4};

	if (inet_pton(AF_INET, text, a.b) != 1) {
		a.family = 6;
		if (inet_pton(AF_INET6, text, a.b) != 1)
			return ERR_SYNTAX;
	}
	*ret_addr = a;
	return 0;
}

const char *ip_addr_format(const struct ip_addr *a, char *buf, size_t cap)
{
	if (!a->family)
		snprintf(buf, cap, "%%any");
	else if (!inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->b, buf, (socklen_t)cap))
		snprintf(buf, cap, "?");
	return buf;
}

static struct ip_addr fill_host_bits(const struct ip_addr *a, unsigned bits, bool ones)
{
	struct ip_addr r = *a;
	size_t i = bits / 8, len = ip_addr_len(a);

	if (i < len && bits % 8) {
		uint8_t mask = (uint8_t)(0xffu >> (bits % 8));

		r.b[i] = ones ? r.b[i] | mask : r.b[i] & (uint8_t)~mask;
		i++;
	}
	if (i < len)
		memset(r.b + i, ones ? 0xff : 0, len - i);
	return r;
}

struct ip_addr ip_addr_first(const struct ip_addr *a, unsigned bits)
{
	return fill_host_bits(a, bits, false);
}

struct ip_addr ip_addr_last(const struct ip_addr *a, unsigned bits)
{
	return fill_host_bits(a, bits, true);
}

bool ip_addr_next(const struct ip_addr *a, struct ip_addr *ret_next)
{
	struct ip_addr r = *a;
	size_t i = ip_addr_len(a);

	while (i-- > 0) {
		if (++r.b[i] != 0) {
			*ret_next = r;
			return true;
		}
	}
	return false;
}

bool ip_addr_prev(const struct ip_addr *a, struct ip_addr *ret_prev)
{
	struct ip_addr r = *a;
	size_t i = ip_addr_len(a);

	while (i-- > 0) {
		if (r.b[i]-- != 0) {
			*ret_prev = r;
			return true;
		}
	}
	return false;
}

bool ip_addr_in_prefix(const struct ip_addr *a, const struct ip_addr *net, unsigned bits)
{
	struct ip_addr lo = ip_addr_first(net, bits);
	struct ip_addr hi = ip_addr_last(net, bits);

	return a->family == net->family && ip_addr_cmp(a, &lo) >= 0 && ip_addr_cmp(a, &hi) <= 0;
}

bool ip_addr_range_is_prefix(const struct ip_addr *lo, const struct ip_addr *hi, unsigned *ret_bits)
{
	unsigned bits;

	for (bits = 0; bits <= ip_addr_bits(lo); bits++) {
		struct ip_addr first = ip_addr_first(lo, bits);
		struct ip_addr last = ip_addr_last(lo, bits);

		if (ip_addr_eq(&first, lo) && ip_addr_eq(&last, hi)) {
			*ret_bits = bits;
			return true;
		}
	}
	return false;
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ip_addr_eq(&a->addr, &b->addr);
}

const char *endpoint_format(const struct endpoint *e, char *buf, size_t cap)
{
	char addr[IP_ADDR_STRLEN];

	snprintf(buf, cap, "%s[%u]", ip_addr_format(&e->addr, addr, sizeof(addr)), e->port);
	return buf;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret_ss)
{
	memset(ret_ss, 0, sizeof(*ret_ss));
	if (e->addr.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret_ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, e->addr.b, 4);
		return sizeof(*in);
	}
	if (e->addr.family == 6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(e->port);
		memcpy(&in6->sin6_addr, e->addr.b, 16);
		return sizeof(*in6);
	}
	return 0;
}

int endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret_e)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		ret_e->addr = ip_addr_from_v4((const uint8_t *)&in->sin_addr);
		ret_e->port = ntohs(in->sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
		const uint8_t *b = (const uint8_t *)&in6->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			ret_e->addr = ip_addr_from_v4(b + 12);
		else
			ret_e->addr = ip_addr_from_v6(b);
		ret_e->port = ntohs(in6->sin6_port);
		return 0;
	}
	return ERR_UNSUPPORTED;
}
