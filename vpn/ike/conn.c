/* conn.c - connections as reference-counted plain data, with strongSwan's defaults
 * (swanctl.conf(5)). */
#include "vpn/ike/conn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"

#define DEFAULT_REKEY_TIME	 (4 * 3600)
#define DEFAULT_CHILD_REKEY_TIME 3600
#define DEFAULT_REPLAY_WINDOW	 32

struct ike_conn *ike_conn_new(const char *name)
{
	struct ike_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->name = strdup(name);
	if (!conn->name) {
		free(conn);
		return NULL;
	}
	conn->refs = 1;
	conn->local_port = conn->remote_port = IKE_PORT;
	conn->send_certreq = true;
	conn->mobike = true;
	conn->keyingtries = 1;
	conn->rekey_time = DEFAULT_REKEY_TIME;
	conn->local.auth = conn->remote.auth = AUTH_CLASS_PUBKEY;
	return conn;
}

struct ike_conn *ike_conn_ref(struct ike_conn *conn)
{
	if (conn)
		conn->refs++;
	return conn;
}

bool ike_conn_begins_on_4500(const struct ike_conn *conn)
{
	return conn->local_port == IKE_NATT_PORT || conn->remote_port == IKE_NATT_PORT;
}

static void cert_set_clear(struct cert_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		cert_unref(set->v[i]);
	free(set->v);
}

static void auth_clear(struct auth_cfg *auth)
{
	identity_clear(&auth->id);
	cert_set_clear(&auth->certs);
	cert_set_clear(&auth->cacerts);
}

static void child_clear(struct child_cfg *child)
{
	free(child->name);
	free(child->proposals.v);
	ts_list_free(&child->local_ts);
	ts_list_free(&child->remote_ts);
}

static void hosts_clear(struct host_spec *hosts, size_t n)
{
	while (n-- > 0)
		free(hosts[n].name);
	free(hosts);
}

void ike_conn_unref(struct ike_conn *conn)
{
	uint16_t i;

	if (!conn || --conn->refs)
		return;
	for (i = 0; i < conn->n_children; i++)
		child_clear(&conn->children[i]);
	free(conn->children);
	hosts_clear(conn->local_addrs, conn->n_local_addrs);
	hosts_clear(conn->remote_addrs, conn->n_remote_addrs);
	free(conn->proposals.v);
	auth_clear(&conn->local);
	auth_clear(&conn->remote);
	free(conn->name);
	free(conn);
}

struct child_cfg *ike_conn_add_child(struct ike_conn *conn, const char *name)
{
	struct child_cfg *v, *child;

	if (conn->n_children >= CONN_CHILDREN_MAX)
		return NULL;
	v = realloc(conn->children, (conn->n_children + 1u) * sizeof(*v));
	if (!v)
		return NULL;
	conn->children = v;
	child = &v[conn->n_children];
	*child = (struct child_cfg){.name = strdup(name),
				    .mode = IPSEC_TUNNEL,
				    .time = {.rekey = DEFAULT_CHILD_REKEY_TIME},
				    .replay_window = DEFAULT_REPLAY_WINDOW,
				    .copy_df = true,
				    .copy_ecn = true,
				    .copy_dscp = IPSEC_DSCP_OUT,
				    .policies = true};
	if (!child->name)
		return NULL;
	conn->n_children++;
	return child;
}

const struct child_cfg *ike_conn_find_child(const struct ike_conn *conn, const char *name)
{
	uint16_t i;

	for (i = 0; i < conn->n_children; i++)
		if (strcmp(conn->children[i].name, name) == 0)
			return &conn->children[i];
	return NULL;
}

static bool is_dns_name(const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.' && *p != '_')
			return false;
	return *text != '\0';
}

static struct host_spec whole_family(uint8_t family)
{
	struct ip_addr zero = {.family = family};

	return (struct host_spec){.lo = zero, .hi = ip_addr_last(&zero, 0)};
}

int host_spec_parse(const char *text, struct host_spec *ret_spec, struct err_msg *msg)
{
	struct host_spec spec = {0};
	struct ts ts;

	if (strcmp(text, "%any") == 0) {
		*ret_spec = spec;
		return 0;
	}
	if (strcmp(text, "%any4") == 0 || strcmp(text, "%any6") == 0) {
		*ret_spec = whole_family((uint8_t)(text[4] - '0'));
		return 0;
	}
	if (!strchr(text, '[') && strcmp(text, "dynamic") != 0 && ts_parse(text, &ts, NULL) == 0) {
		spec.lo = ts.lo;
		spec.hi = ts.hi;
		*ret_spec = spec;
		return 0;
	}
	if (!is_dns_name(text))
		return err_set(msg, ERR_SYNTAX, "'%s' is not an address, a range or a host name",
			       text);
	spec.name = strdup(text);
	if (!spec.name)
		return err_set(msg, ERR_NOMEM, "out of memory");
	*ret_spec = spec;
	return 0;
}

bool host_spec_matches(const struct host_spec *spec, const struct ip_addr *addr)
{
	if (!ip_addr_is_set(&spec->lo))
		return !spec->name;
	return addr->family == spec->lo.family && ip_addr_cmp(addr, &spec->lo) >= 0 &&
	       ip_addr_cmp(addr, &spec->hi) <= 0;
}
