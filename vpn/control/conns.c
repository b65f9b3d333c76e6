/* conns.c - commands on connections: load-conn, unload-conn, get-conns, list-conns, list-policies.
 *
 * load-conn replaces a connection of the same name; what start actions it has is the node's
 * business (node_load_conn). list-policies shows the trap policies that connections ask for; pass
 * and drop policies we have none. */
#include "vpn/control/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void log_warning(void *ctx, const char *text)
{
	const struct control *control = ctx;

	if (control->env.log)
		control->env.log(control->env.ctx, 1, text);
}

enum command_result command_load_conn(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const struct vici_node *section = args->child;
	struct ike_conn *conn;
	struct err_msg msg;
	int err;

	if (!section || section->kind != VICI_SECTION || section->next || !*section->name)
		return reply_error(reply, "load-conn needs one section with the connection's name");
	err = control_conn_from_vici(section, log_warning, s->control, &conn, &msg);
	if (err)
		return reply_error(reply, "%s", msg.text);
	return reply_result(reply, node_load_conn(s->control->node, conn, s->now),
			    "loading connection", section->name);
}

enum command_result command_unload_conn(struct control_session *s, const struct vici_node *args,
					struct vici_writer *reply)
{
	const char *name = need_text(args, "name", reply);

	if (!name)
		return REPLY_NOW;
	return reply_result(reply, node_unload_conn(s->control->node, name), "unloading connection",
			    name);
}

enum command_result command_get_conns(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	size_t i;

	(void)args;
	vici_list(reply, "conns");
	for (i = 0; i < node_conn_count(node); i++)
		vici_item_str(reply, node_conn(node, i)->name);
	vici_list_end(reply);
	return REPLY_NOW;
}

/* --- list-conns --- */

/* "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", a name or "%any". */
static const char *format_host(const struct host_spec *host, char *buf, size_t cap)
{
	char lo[IP_ADDR_STRLEN], hi[IP_ADDR_STRLEN];
	unsigned bits;

	if (host->name)
		return host->name;
	if (!ip_addr_is_set(&host->lo) || ip_addr_eq(&host->lo, &host->hi))
		return ip_addr_format(&host->lo, buf, cap);
	ip_addr_format(&host->lo, lo, sizeof(lo));
	if (ip_addr_range_is_prefix(&host->lo, &host->hi, &bits))
		snprintf(buf, cap, "%s/%u", lo, bits);
	else
		snprintf(buf, cap, "%s-%s", lo, ip_addr_format(&host->hi, hi, sizeof(hi)));
	return buf;
}

static void put_hosts(struct vici_writer *v, const char *key, const struct host_spec *hosts,
		      size_t n)
{
	char buf[2 * IP_ADDR_STRLEN + 8];
	size_t i;

	vici_list(v, key);
	if (!n)
		vici_item_str(v, "%any");
	for (i = 0; i < n; i++)
		vici_item_str(v, format_host(&hosts[i], buf, sizeof(buf)));
	vici_list_end(v);
}

static void put_subjects(struct vici_writer *v, const char *key, const struct cert_set *set)
{
	char text[IDENTITY_STRLEN];
	size_t i;

	vici_list(v, key);
	for (i = 0; i < set->n; i++)
		vici_item_str(v, identity_format(cert_subject(set->v[i]), text, sizeof(text)));
	vici_list_end(v);
}

static const char *class_name(enum auth_class auth)
{
	switch (auth) {
	case AUTH_CLASS_PUBKEY:
		return "public key";
	case AUTH_CLASS_PSK:
		return "pre-shared key";
	default:
		return "any";
	}
}

static void put_auth(struct vici_writer *v, const char *section, const struct auth_cfg *auth)
{
	vici_section(v, section);
	if (auth->id.type != ID_ANY)
		put_identity(v, "id", &auth->id);
	vici_value_str(v, "class", class_name(auth->auth));
	put_subjects(v, "certs", &auth->certs);
	put_subjects(v, "cacerts", &auth->cacerts);
	vici_section_end(v);
}

static const char *action_name(enum child_action action)
{
	switch (action) {
	case ACTION_TRAP:
		return "trap";
	case ACTION_START:
		return "start";
	default:
		return "none";
	}
}

static void put_child(struct vici_writer *v, const struct child_cfg *child)
{
	vici_section(v, child->name);
	vici_value_str(v, "mode", ipsec_mode_name(child->mode));
	vici_value_fmt(v, "rekey_time", "%" PRIu64, child->time.rekey);
	vici_value_fmt(v, "rekey_bytes", "%" PRIu64, child->bytes.rekey);
	vici_value_fmt(v, "rekey_packets", "%" PRIu64, child->packets.rekey);
	vici_value_str(v, "start_action", action_name(child->start_action));
	vici_value_str(v, "dpd_action", action_name(child->dpd_action));
	vici_value_str(v, "close_action", action_name(child->close_action));
	if (child->if_id_out)
		vici_value_fmt(v, "if-id-out", "%08x", child->if_id_out);
	if (child->mss_clamp)
		vici_value_str(v, "tcp-mss", "yes");
	put_ts_list(v, "local-ts", &child->local_ts);
	put_ts_list(v, "remote-ts", &child->remote_ts);
	vici_section_end(v);
}

static const char *unique_name(enum conn_unique unique)
{
	static const char *const names[] = {[UNIQUE_NO] = "UNIQUE_NO",
					    [UNIQUE_NEVER] = "UNIQUE_NEVER",
					    [UNIQUE_KEEP] = "UNIQUE_KEEP",
					    [UNIQUE_REPLACE] = "UNIQUE_REPLACE"};

	return names[unique];
}

static void put_conn(struct vici_writer *v, const struct control_session *s,
		     const struct ike_conn *conn)
{
	size_t i;

	vici_section(v, conn->name);
	put_hosts(v, "local_addrs", conn->local_addrs, conn->n_local_addrs);
	put_hosts(v, "remote_addrs", conn->remote_addrs, conn->n_remote_addrs);
	vici_value_str(v, "version", "IKEv2");
	vici_value_fmt(v, "reauth_time", "%u", conn->reauth_time);
	vici_value_fmt(v, "rekey_time", "%u", conn->rekey_time);
	vici_value_str(v, "unique", unique_name(conn->unique));
	if (conn->dpd_delay)
		vici_value_fmt(v, "dpd_delay", "%u", conn->dpd_delay);
	put_trouble(v, s->control, conn->name, s->now);
	put_auth(v, "local-1", &conn->local);
	put_auth(v, "remote-1", &conn->remote);
	vici_section(v, "children");
	for (i = 0; i < conn->n_children; i++)
		put_child(v, &conn->children[i]);
	vici_section_end(v);
	vici_section_end(v);
}

enum command_result command_list_conns(struct control_session *s, const struct vici_node *args,
				       struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	const char *ike = vici_text(args, "ike");
	size_t i;

	(void)reply;
	for (i = 0; i < node_conn_count(node); i++) {
		const struct ike_conn *conn = node_conn(node, i);
		struct vici_writer v = {0};

		if (ike && strcmp(ike, conn->name) != 0)
			continue;
		session_begin_event(&v, ON_LIST_CONN);
		put_conn(&v, s, conn);
		session_end_event(s, ON_LIST_CONN, &v);
	}
	return REPLY_NOW;
}

/* --- list-policies --- */

static void list_trap(struct control_session *s, const struct ike_conn *conn,
		      const struct child_cfg *child)
{
	struct vici_writer v = {0};
	char name[520];

	snprintf(name, sizeof(name), "%.120s/%.120s", conn->name, child->name);
	session_begin_event(&v, ON_LIST_POLICY);
	vici_section(&v, name);
	vici_value_str(&v, "child", child->name);
	vici_value_str(&v, "ike", conn->name);
	vici_value_str(&v, "mode", ipsec_mode_name(child->mode));
	put_ts_list(&v, "local-ts", &child->local_ts);
	put_ts_list(&v, "remote-ts", &child->remote_ts);
	vici_section_end(&v);
	session_end_event(s, ON_LIST_POLICY, &v);
}

/* Trap policies are those of start_action = trap; pass and drop policies there are none. */
enum command_result command_list_policies(struct control_session *s, const struct vici_node *args,
					  struct vici_writer *reply)
{
	const char *only = vici_text(args, "child"), *trap = vici_text(args, "trap");
	const struct node *node = s->control->node;
	size_t i, k;

	(void)reply;
	for (i = 0; trap && i < node_conn_count(node); i++) {
		const struct ike_conn *conn = node_conn(node, i);

		for (k = 0; k < conn->n_children; k++) {
			const struct child_cfg *child = &conn->children[k];

			if (child->start_action == ACTION_TRAP &&
			    (!only || !strcmp(only, child->name)))
				list_trap(s, conn, child);
		}
	}
	return REPLY_NOW;
}
