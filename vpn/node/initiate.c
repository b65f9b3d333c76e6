/* initiate.c - from the names of a configuration to two endpoints, and on to the engine.
 *
 * The remote address is the first that names one host; a DNS name counts as the address that the
 * owner last looked up. The local address is the first configured one of the same family, or else
 * the one that the host would send from. The default port means the port that we listen on,
 * whatever that is. */
#include "vpn/node/internal.h"

#include "vpn/base/proto.h"

/* The one address that spec stands for; false: none or many. */
static bool host_address(struct node *node, struct host_spec *spec, struct ip_addr *ret_addr)
{
	if (spec->name && !name_resolve(node, spec))
		return false;
	if (!ip_addr_is_set(&spec->lo) || !ip_addr_eq(&spec->lo, &spec->hi))
		return false;
	*ret_addr = spec->lo;
	return true;
}

static int remote_address(struct node *node, const struct ike_conn *conn, struct ip_addr *ret_addr,
			  struct err_msg *msg)
{
	const char *waiting = NULL;
	int i;

	for (i = 0; i < conn->n_remote_addrs; i++) {
		if (host_address(node, &conn->remote_addrs[i], ret_addr))
			return 0;
		if (conn->remote_addrs[i].name)
			waiting = conn->remote_addrs[i].name;
	}
	if (waiting)
		return err_set(msg, ERR_AGAIN, "connection %s: no address of %s is known%s",
			       conn->name, waiting, name_is_asked(node, waiting) ? " yet" : "");
	return err_set(msg, ERR_INVALID, "connection %s: remote_addrs names no host to connect to",
		       conn->name);
}

/* A configured address of that family; false if none is, so that any may be used. */
static bool local_configured(struct node *node, const struct ike_conn *conn, uint8_t family,
			     struct ip_addr *ret_addr)
{
	struct ip_addr addr;
	int i;

	for (i = 0; i < conn->n_local_addrs; i++) {
		if (host_address(node, &conn->local_addrs[i], &addr) && addr.family == family) {
			*ret_addr = addr;
			return true;
		}
	}
	return false;
}

static int local_address(struct node *node, const struct ike_conn *conn,
			 const struct ip_addr *remote, struct ip_addr *ret_addr,
			 struct err_msg *msg)
{
	char text[IP_ADDR_STRLEN];

	if (local_configured(node, conn, remote->family, ret_addr))
		return 0;
	if (node->env.source_for && node->env.source_for(node->env.ctx, remote, ret_addr))
		return 0;
	return err_set(msg, ERR_AGAIN, "connection %s: no route to %s", conn->name,
		       ip_addr_format(remote, text, sizeof(text)));
}

static bool can_send_from(struct node *node, const struct ip_addr *local,
			  const struct ip_addr *remote)
{
	return node->env.can_send_from && local->family == remote->family &&
	       node->env.can_send_from(node->env.ctx, local, remote);
}

/* The first configured address that packets can leave from. */
static bool usable_configured(struct node *node, const struct ike_conn *conn,
			      const struct ip_addr *remote, struct ip_addr *ret_local)
{
	struct ip_addr addr;
	int i;

	for (i = 0; i < conn->n_local_addrs; i++) {
		if (host_address(node, &conn->local_addrs[i], &addr) &&
		    can_send_from(node, &addr, remote)) {
			*ret_local = addr;
			return true;
		}
	}
	return false;
}

bool initiate_source(struct node *node, const struct ike_conn *conn, const struct ip_addr *remote,
		     const struct ip_addr *current, struct ip_addr *ret_local)
{
	if (can_send_from(node, current, remote)) {
		*ret_local = *current;
		return true;
	}
	if (usable_configured(node, conn, remote, ret_local))
		return true;
	return node->env.source_for && node->env.source_for(node->env.ctx, remote, ret_local);
}

static int local_port(const struct node *node, const struct ike_conn *conn, uint16_t *ret_port,
		      struct err_msg *msg)
{
	const struct ike_options *o = &node->options;
	uint16_t port = conn->local_port;

	if (port == IKE_PORT)
		port = o->port;
	if (ike_conn_begins_on_4500(conn))
		port = o->port_natt;
	if (port != o->port && port != o->port_natt)
		return err_set(msg, ERR_INVALID,
			       "connection %s: local_port %u is not one that we listen on (%u, %u)",
			       conn->name, port, o->port, o->port_natt);
	*ret_port = port;
	return 0;
}

int initiate_endpoints(struct node *node, const struct ike_conn *conn, struct endpoint *ret_local,
		       struct endpoint *ret_remote, struct err_msg *msg)
{
	struct endpoint local, remote = {.port = conn->remote_port};
	int err;

	err = local_port(node, conn, &local.port, msg);
	if (!err)
		err = remote_address(node, conn, &remote.addr, msg);
	if (!err)
		err = local_address(node, conn, &remote.addr, &local.addr, msg);
	if (err)
		return err;
	*ret_local = local;
	*ret_remote = remote;
	return 0;
}

int initiate(struct node *node, struct ike_conn *conn, const struct child_cfg *child,
	     const struct ts_packet *packet, uint32_t *ret_ike_id, struct err_msg *msg)
{
	struct endpoint local, remote;
	int err;

	err = initiate_endpoints(node, conn, &local, &remote, msg);
	if (err)
		return err;
	err = ike_engine_acquire(node->engine, conn, child, packet, &local, &remote, node->now,
				 ret_ike_id);
	if (err)
		return err_set(msg, err, "connection %s: %s", conn->name, err_text(err));
	return 0;
}

int node_initiate(struct node *node, const char *ike, const char *child, uint64_t now,
		  uint32_t *ret_ike_id, struct err_msg *msg)
{
	const struct child_cfg *cfg;
	struct ike_conn *conn = conns_find_child(&node->conns, ike, child, &cfg);
	int err;

	node->now = now;
	if (!ike && !child)
		return err_set(msg, ERR_INVALID,
			       "neither an IKE nor a child configuration is named");
	if (node->stopping)
		return err_set(msg, ERR_STATE, "shutting down");
	if (!conn && child)
		return err_set(msg, ERR_NOT_FOUND, "no child configuration '%s'%s%s", child,
			       ike ? " in connection " : "", ike ? ike : "");
	if (!conn)
		return err_set(msg, ERR_NOT_FOUND, "no connection '%s'", ike);
	err = initiate(node, conn, cfg, NULL, ret_ike_id, msg);
	if (!err)
		attempt_follow(node, conn->name, child, *ret_ike_id);
	return err;
}

bool node_is_resolving(struct node *node, const char *ike, const char *child)
{
	const struct child_cfg *cfg;
	const struct ike_conn *conn = conns_find_child(&node->conns, ike, child, &cfg);
	struct ip_addr addr;
	bool asked = false;
	int i;

	for (i = 0; conn && i < conn->n_remote_addrs; i++) {
		if (host_address(node, &conn->remote_addrs[i], &addr))
			return false;
		asked |=
		    conn->remote_addrs[i].name && name_is_asked(node, conn->remote_addrs[i].name);
	}
	return asked;
}
