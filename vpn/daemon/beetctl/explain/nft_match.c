/* nft_match.c - one match of nftables against a packet: yes, no, or not known.
 *
 * Known are addresses, protocols, ports, interface names and the state of the connection. Whatever
 * else a rule looks at is NFT_MAYBE, never a guess. Values are a word, a number, a prefix, a range,
 * a set of those, or the name of a set ("@lan"). */
#include "vpn/daemon/beetctl/explain/nft.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"

/* What the left side of a match is of this packet. */
struct nft_field {
	enum { FIELD_OTHER, FIELD_NONE, FIELD_ADDR, FIELD_NUMBER, FIELD_NAME, FIELD_PROTO } kind;
	struct ip_addr addr;
	unsigned number;
	const char *name;
};

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
    {"icmp", IP_PROTO_ICMP},	{"tcp", IP_PROTO_TCP}, {"udp", IP_PROTO_UDP},
    {"esp", IP_PROTO_ESP},	{"ah", IP_PROTO_AH},   {"ipv6-icmp", IP_PROTO_ICMP6},
    {"icmpv6", IP_PROTO_ICMP6},
};

/* -1: not one of those above. */
static int protocol_number(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (!strcmp(protocols[i].name, name))
			return protocols[i].number;
	return -1;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* --- Left sides --- */

static struct nft_field number(unsigned value)
{
	return (struct nft_field){.kind = FIELD_NUMBER, .number = value};
}

static struct nft_field address_field(const char *field, uint8_t family, const struct nft_packet *p)
{
	struct nft_field f = {.kind = FIELD_OTHER};

	if (p->src.family != family)
		return (struct nft_field){.kind = FIELD_NONE};
	if (!strcmp(field, "saddr") || !strcmp(field, "daddr")) {
		f.kind = FIELD_ADDR;
		f.addr = field[0] == 's' ? p->src : p->dst;
	} else if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr")) {
		f.kind = FIELD_PROTO;
		f.number = p->proto;
	}
	return f;
}

static struct nft_field port_field(const char *protocol, const char *field,
				   const struct nft_packet *p)
{
	bool has_ports = p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_UDP;

	if (strcmp(protocol, "th") != 0 && protocol_number(protocol) >= 0 &&
	    protocol_number(protocol) != p->proto)
		return (struct nft_field){.kind = FIELD_NONE};
	if (has_ports && !strcmp(field, "dport"))
		return number(p->dport);
	if (has_ports && !strcmp(field, "sport") && p->sport)
		return number(p->sport);
	return (struct nft_field){.kind = FIELD_OTHER};
}

static struct nft_field payload_field(const json_t *payload, const struct nft_packet *p)
{
	const char *protocol = string_at(payload, "protocol"), *field = string_at(payload, "field");

	if (!strcmp(protocol, "ip"))
		return address_field(field, 4, p);
	if (!strcmp(protocol, "ip6"))
		return address_field(field, 6, p);
	return port_field(protocol, field, p);
}

static struct nft_field name_field(const char *name)
{
	return (struct nft_field){.kind = name ? FIELD_NAME : FIELD_NONE, .name = name};
}

static struct nft_field meta_field(const json_t *meta, const struct nft_packet *p)
{
	const char *key = string_at(meta, "key");

	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		return name_field(p->iif);
	if (!strcmp(key, "oifname") || !strcmp(key, "oif"))
		return name_field(p->oif);
	if (!strcmp(key, "l4proto"))
		return (struct nft_field){.kind = FIELD_PROTO, .number = p->proto};
	if (!strcmp(key, "nfproto"))
		return name_field(p->src.family == 6 ? "ipv6" : "ipv4");
	return (struct nft_field){.kind = FIELD_OTHER};
}

static struct nft_field left_field(const json_t *left, const struct nft_packet *p)
{
	const json_t *payload = json_object_get(left, "payload");
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct");

	if (payload)
		return payload_field(payload, p);
	if (meta)
		return meta_field(meta, p);
	if (ct && !strcmp(string_at(ct, "key"), "state"))
		return name_field(p->ct == NFT_CT_NEW ? "new" : "established");
	return (struct nft_field){.kind = FIELD_OTHER};
}

/* --- Right sides --- */

static enum nft_tri tri(bool holds)
{
	return holds ? NFT_YES : NFT_NO;
}

/* "xfrm*" stands for every name that begins so. */
static bool name_is(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return !strncmp(name, pattern, len - 1);
	return !strcmp(name, pattern);
}

static enum nft_tri word_is(const struct nft_field *f, const char *word)
{
	struct ip_addr addr;
	int proto;

	switch (f->kind) {
	case FIELD_NAME:
		return tri(name_is(f->name, word));
	case FIELD_ADDR:
		return ip_addr_parse(word, &addr) ? NFT_MAYBE : tri(ip_addr_eq(&addr, &f->addr));
	case FIELD_PROTO:
		proto = protocol_number(word);
		return tri(proto >= 0 && (unsigned)proto == f->number);
	default:
		return NFT_MAYBE;
	}
}

static enum nft_tri prefix_is(const struct nft_field *f, const json_t *prefix)
{
	unsigned bits = (unsigned)json_integer_value(json_object_get(prefix, "len"));
	struct ip_addr net;

	if (f->kind != FIELD_ADDR || ip_addr_parse(string_at(prefix, "addr"), &net))
		return NFT_MAYBE;
	return tri(net.family == f->addr.family && ip_addr_in_prefix(&f->addr, &net, bits));
}

static enum nft_tri range_is(const struct nft_field *f, const json_t *range)
{
	const json_t *lo = json_array_get(range, 0), *hi = json_array_get(range, 1);
	struct ip_addr first, last;

	if (f->kind == FIELD_NUMBER && json_is_integer(lo) && json_is_integer(hi))
		return tri(f->number >= (unsigned)json_integer_value(lo) &&
			   f->number <= (unsigned)json_integer_value(hi));
	if (f->kind != FIELD_ADDR || !json_is_string(lo) || !json_is_string(hi) ||
	    ip_addr_parse(json_string_value(lo), &first) ||
	    ip_addr_parse(json_string_value(hi), &last))
		return NFT_MAYBE;
	return tri(ip_addr_cmp(&f->addr, &first) >= 0 && ip_addr_cmp(&f->addr, &last) <= 0);
}

static const json_t *find_set(const struct nft_scope *scope, const char *name)
{
	const json_t *object, *set;
	size_t i;

	json_array_foreach((json_t *)scope->objects, i, object)
	{
		set = json_object_get(object, "set");
		if (set && !strcmp(string_at(set, "name"), name) &&
		    !strcmp(string_at(set, "table"), scope->table) &&
		    !strcmp(string_at(set, "family"), scope->family))
			return set;
	}
	return NULL;
}

static enum nft_tri field_is(const struct nft_scope *scope, const struct nft_field *f,
			     const json_t *right);

/* One of them is enough; not known if only one that is not known could be it. */
static enum nft_tri one_of(const struct nft_scope *scope, const struct nft_field *f,
			   const json_t *list)
{
	enum nft_tri best = NFT_NO, one;
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		one = field_is(scope, f, item);
		if (one > best)
			best = one;
	}
	return best;
}

/* A set without its elements is empty now; timeouts and counters wrap an element. */
static enum nft_tri named_set_has(const struct nft_scope *scope, const struct nft_field *f,
				  const char *name)
{
	const json_t *set = find_set(scope, name);

	return set ? one_of(scope, f, json_object_get(set, "elem")) : NFT_MAYBE;
}

static enum nft_tri object_is(const struct nft_scope *scope, const struct nft_field *f,
			      const json_t *right)
{
	const json_t *part;

	if ((part = json_object_get(right, "prefix")))
		return prefix_is(f, part);
	if ((part = json_object_get(right, "range")))
		return range_is(f, part);
	if ((part = json_object_get(right, "set")))
		return one_of(scope, f, part);
	if ((part = json_object_get(right, "elem")))
		return field_is(scope, f, json_object_get(part, "val"));
	return NFT_MAYBE;
}

static enum nft_tri field_is(const struct nft_scope *scope, const struct nft_field *f,
			     const json_t *right)
{
	const char *text = json_string_value(right);

	if (f->kind == FIELD_NONE)
		return NFT_NO;
	if (f->kind == FIELD_OTHER)
		return NFT_MAYBE;
	if (text)
		return text[0] == '@' ? named_set_has(scope, f, text + 1) : word_is(f, text);
	if (json_is_integer(right))
		return f->kind == FIELD_NUMBER || f->kind == FIELD_PROTO
			   ? tri(f->number == (unsigned)json_integer_value(right))
			   : NFT_MAYBE;
	if (json_is_array(right))
		return one_of(scope, f, right);
	return object_is(scope, f, right);
}

enum nft_tri nft_value_is(const struct nft_scope *scope, const json_t *left, const json_t *right,
			  const struct nft_packet *packet)
{
	struct nft_field f = left_field(left, packet);

	return field_is(scope, &f, right);
}

enum nft_tri nft_match(const struct nft_scope *scope, const json_t *match,
		       const struct nft_packet *packet)
{
	struct nft_field f = left_field(json_object_get(match, "left"), packet);
	const char *op = string_at(match, "op");
	enum nft_tri equal = field_is(scope, &f, json_object_get(match, "right"));

	/* A field that the packet has not matches nothing, not even "!=". */
	if (f.kind == FIELD_NONE || !strcmp(op, "==") || !strcmp(op, "in"))
		return equal;
	if (!strcmp(op, "!="))
		return equal == NFT_YES ? NFT_NO : equal == NFT_NO ? NFT_YES : NFT_MAYBE;
	return NFT_MAYBE;
}
