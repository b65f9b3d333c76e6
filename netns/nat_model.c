/* nat_model.c - the table of a NAT box.
 *
 * A mapping joins an inside transport address with an outside port. What it may be reused for
 * depends on the mapping behaviour (RFC 4787 §4.1): its key is the inside address alone, with the
 * remote address, or with the remote address and port. What may come in depends on the filtering
 * behaviour (§5), so each mapping remembers to whom it has sent. Two inside hosts never share an
 * outside port (no "port overloading", §4.2.1 REQ-3).
 *
 * Invariant: of two living mappings of a protocol that have the same outside port, none exist,
 * except for protocols without ports, where the remote address differs.
 *
 * Ownership: the model has its mappings, and they have their peers. The number of mappings is
 * bounded by the number of ports. */
#include "netns/nat_model.h"
#include "netns/link_rng.h"
#include "vpn/base/proto.h"
#include <stdlib.h>

#define PORT_FIRST 1024
#define PORT_COUNT (65536 - PORT_FIRST)
#define TRIES_MAX  256 /* at random, then the next one that is free */

struct mapping {
	uint8_t proto;
	struct endpoint inside;
	uint16_t port; /* outside */
	struct endpoint *peers;
	size_t peers_count;
	int64_t used;
};

struct nat_model {
	struct nat_params params;
	struct mapping *all;
	size_t count;
	uint64_t drawn;
};

int nat_model_new(const struct nat_params *params, struct nat_model **ret_nat)
{
	struct nat_model *nat;

	if (!ip_addr_is_set(&params->outside))
		return ERR_INVALID;
	nat = calloc(1, sizeof(*nat));
	if (!nat)
		return ERR_NOMEM;
	nat->params = *params;
	*ret_nat = nat;
	return 0;
}

void nat_model_reboot(struct nat_model *nat)
{
	while (nat->count > 0)
		free(nat->all[--nat->count].peers);
}

void nat_model_free(struct nat_model *nat)
{
	if (!nat)
		return;
	nat_model_reboot(nat);
	free(nat->all);
	free(nat);
}

void nat_model_set_outside(struct nat_model *nat, const struct ip_addr *outside)
{
	nat_model_reboot(nat);
	nat->params.outside = *outside;
}

const struct ip_addr *nat_model_outside(const struct nat_model *nat)
{
	return &nat->params.outside;
}

static void expire(struct nat_model *nat, int64_t now)
{
	size_t i = 0;

	while (nat->params.timeout > 0 && i < nat->count) {
		if (now - nat->all[i].used < nat->params.timeout) {
			i++;
			continue;
		}
		free(nat->all[i].peers);
		nat->all[i] = nat->all[--nat->count];
	}
}

size_t nat_model_count(struct nat_model *nat, int64_t now)
{
	expire(nat, now);
	return nat->count;
}

static bool has_ports(uint8_t proto)
{
	return proto == 1 || proto == 6 || proto == 17 || proto == 58;
}

/* Whether `peer` is the same as one of the mapping's, as far as the behaviour looks. */
static bool knows_peer(const struct mapping *m, enum nat_behaviour behaviour,
		       const struct endpoint *peer)
{
	size_t i;

	if (behaviour == NAT_ENDPOINT_INDEPENDENT)
		return true;
	for (i = 0; i < m->peers_count; i++) {
		if (!ip_addr_eq(&m->peers[i].addr, &peer->addr))
			continue;
		if (behaviour == NAT_ADDRESS_DEPENDENT || m->peers[i].port == peer->port)
			return true;
	}
	return false;
}

/* RFC 4787 says nothing of protocols without ports: they are told apart by the remote address. */
static enum nat_behaviour mapping_of(const struct nat_model *nat, uint8_t proto)
{
	return has_ports(proto) ? nat->params.mapping : NAT_ADDRESS_DEPENDENT;
}

static struct mapping *find_inside(struct nat_model *nat, const struct nat_flow *flow)
{
	size_t i;

	for (i = 0; i < nat->count; i++) {
		struct mapping *m = &nat->all[i];

		if (m->proto == flow->proto && endpoint_eq(&m->inside, &flow->src) &&
		    knows_peer(m, mapping_of(nat, flow->proto), &flow->dst))
			return m;
	}
	return NULL;
}

static bool port_is_free(const struct nat_model *nat, const struct nat_flow *flow, uint16_t port)
{
	size_t i;

	for (i = 0; i < nat->count; i++) {
		const struct mapping *m = &nat->all[i];

		if (m->proto == flow->proto && m->port == port &&
		    (has_ports(flow->proto) || knows_peer(m, NAT_ADDRESS_DEPENDENT, &flow->dst)))
			return false;
	}
	return true;
}

static uint16_t draw_port(struct nat_model *nat)
{
	uint64_t random = link_rng_mix(nat->params.seed + ++nat->drawn * LINK_RNG_GAMMA);

	return (uint16_t)(PORT_FIRST + random % PORT_COUNT);
}

/* True if the flow may have port 500 outside, too: who had it there has lost it. */
static bool take_over_500(struct nat_model *nat, const struct nat_flow *flow)
{
	size_t i;

	if (!nat->params.pass_through || flow->proto != IP_PROTO_UDP || flow->src.port != IKE_PORT)
		return false;
	for (i = 0; i < nat->count; i++) {
		struct mapping *m = &nat->all[i];

		if (m->proto != IP_PROTO_UDP || m->port != IKE_PORT)
			continue;
		free(m->peers);
		*m = nat->all[--nat->count];
		break;
	}
	return true;
}

static int choose_port(struct nat_model *nat, const struct nat_flow *flow, uint16_t *ret_port)
{
	bool keep = nat->params.preserve_ports || !has_ports(flow->proto);
	uint16_t port = keep ? flow->src.port : draw_port(nat);
	unsigned tries;

	if (take_over_500(nat, flow)) {
		*ret_port = IKE_PORT;
		return 0;
	}
	for (tries = 0; !port_is_free(nat, flow, port); tries++) {
		if (!has_ports(flow->proto) || tries == TRIES_MAX)
			return ERR_SPACE;
		port = draw_port(nat);
	}
	*ret_port = port;
	return 0;
}

static int add_peer(struct mapping *m, const struct endpoint *peer)
{
	struct endpoint *grown;

	if (knows_peer(m, NAT_ADDRESS_AND_PORT_DEPENDENT, peer))
		return 0;
	grown = realloc(m->peers, (m->peers_count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	m->peers = grown;
	m->peers[m->peers_count++] = *peer;
	return 0;
}

static int add_mapping(struct nat_model *nat, const struct nat_flow *flow,
		       struct mapping **ret_mapping)
{
	struct mapping *grown = realloc(nat->all, (nat->count + 1) * sizeof(*grown));
	uint16_t port = 0;
	int err;

	if (!grown)
		return ERR_NOMEM;
	nat->all = grown;
	err = choose_port(nat, flow, &port);
	if (err < 0)
		return err;
	grown[nat->count] =
	    (struct mapping){.proto = flow->proto, .inside = flow->src, .port = port};
	*ret_mapping = &grown[nat->count++];
	return 0;
}

int nat_model_out(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		  struct endpoint *ret_outside)
{
	struct mapping *m;
	int err = 0;

	expire(nat, now);
	m = find_inside(nat, flow);
	if (!m)
		err = add_mapping(nat, flow, &m);
	if (err == 0)
		err = add_peer(m, &flow->dst);
	if (err < 0)
		return err;
	m->used = now;
	*ret_outside = (struct endpoint){.addr = nat->params.outside, .port = m->port};
	return 0;
}

int nat_model_in(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		 struct endpoint *ret_inside)
{
	int err = ERR_NOT_FOUND;
	size_t i;

	expire(nat, now);
	for (i = 0; i < nat->count; i++) {
		struct mapping *m = &nat->all[i];

		if (m->proto != flow->proto || m->port != flow->dst.port)
			continue;
		err = ERR_PERM;
		if (!knows_peer(m,
				has_ports(m->proto) ? nat->params.filtering : NAT_ADDRESS_DEPENDENT,
				&flow->src))
			continue;
		if (nat->params.refresh_in)
			m->used = now;
		*ret_inside = m->inside;
		return 0;
	}
	return err;
}

int nat_model_hairpin(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		      struct nat_flow *ret_flow)
{
	struct nat_flow behind = *flow;
	int err;

	if (!nat->params.hairpin)
		return ERR_UNSUPPORTED;
	err = nat_model_out(nat, flow, now, &behind.src);
	if (err == 0)
		err = nat_model_in(nat, &behind, now, &behind.dst);
	if (err == 0)
		*ret_flow = behind;
	return err;
}
