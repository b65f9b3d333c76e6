/* load_conn.c - from a load-conn message to a connection.
 *
 * Every option is checked against vpn/vici/option.h before anything reads it, so the readers below
 * need not look at the form of values again. Messages name the option with its path, as
 * "children.net.mode = ...". What depends on other options (lifetimes, inherited interface IDs,
 * default proposals and selectors) is filled in at the end. */
#include "vpn/control/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vpn/vici/option.h"
#include "vpn/vici/value.h"

struct loading {
	struct ike_conn *conn;
	void (*warn)(void *ctx, const char *text);
	void *ctx;
	struct err_msg *msg;
};

/* What a section may hold besides its options. */
typedef bool (*section_fn)(const char *name);

/* Puts the path in front of the message. */
static int at_path(struct loading *l, const char *path, int err)
{
	struct err_msg inner;

	if (err && l->msg && *path) {
		inner = *l->msg;
		err_set(l->msg, err, "%s.%s", path, inner.text);
	}
	return err;
}

/* --- Checking --- */

static int check_one(struct loading *l, const char *path, const struct option *option,
		     const char *value)
{
	char text[700];
	struct err_msg msg = {""};
	bool harmless;
	int err = option_check(option, value, &harmless, &msg);

	if (err)
		return err_set(l->msg, err, "%s", msg.text);
	if (harmless && l->warn) {
		snprintf(text, sizeof(text), "connection '%s': %s%s%s", l->conn->name, path,
			 *path ? "." : "", msg.text);
		l->warn(l->ctx, text);
	}
	return 0;
}

static int check_list(struct loading *l, const char *path, const struct option *option,
		      const struct vici_node *list)
{
	const struct vici_node *item;
	int err = 0;

	if (!option_is_list(option))
		return err_set(l->msg, ERR_SYNTAX, "%s: a list where one value is expected",
			       option->name);
	for (item = list->child; item && !err; item = item->next)
		err = check_one(l, path, option, item->text);
	return err;
}

static int check_node(struct loading *l, const char *path, enum option_scope scope,
		      const struct vici_node *node, section_fn may_hold)
{
	const struct option *option = option_find(scope, node->name);

	if (node->kind == VICI_SECTION)
		return may_hold && may_hold(node->name)
			   ? 0
			   : err_set(l->msg, ERR_UNSUPPORTED, "unknown section '%s'", node->name);
	if (!option)
		return err_set(l->msg, ERR_UNSUPPORTED, "unknown option '%s'", node->name);
	if (node->kind == VICI_LIST)
		return check_list(l, path, option, node);
	return check_one(l, path, option, node->text);
}

static int check_section(struct loading *l, const char *path, enum option_scope scope,
			 const struct vici_node *section, section_fn may_hold)
{
	const struct vici_node *node;
	int err = 0;

	if (section->kind != VICI_SECTION)
		return err_set(l->msg, ERR_SYNTAX, "'%s' must be a section", section->name);
	for (node = section->child; node && !err; node = node->next)
		err = at_path(l, path, check_node(l, path, scope, node, may_hold));
	return err;
}

/* --- Reading --- */

static bool get_bool(const struct vici_node *section, const char *name, bool def)
{
	const char *text = vici_text(section, name);
	bool value = def;

	if (text)
		vici_parse_bool(text, &value);
	return value;
}

static uint32_t get_time(const struct vici_node *section, const char *name, uint32_t def)
{
	const char *text = vici_text(section, name);
	uint32_t value = def;

	if (text)
		vici_parse_time(text, &value);
	return value;
}

static uint64_t get_number(const struct vici_node *section, const char *name, uint64_t def)
{
	const char *text = vici_text(section, name);
	uint64_t value = def;

	if (text)
		vici_parse_uint(text, UINT64_MAX, &value);
	return value;
}

static uint64_t get_bytes(const struct vici_node *section, const char *name, uint64_t def)
{
	const char *text = vici_text(section, name);
	uint64_t value = def;

	if (text)
		vici_parse_bytes(text, &value);
	return value;
}

struct word {
	const char *text;
	int value;
};

static int get_word(const struct vici_node *section, const char *name, const struct word *words,
		    int def)
{
	const char *text = vici_text(section, name);

	for (; text && words->text; words++)
		if (!strcasecmp(text, words->text))
			return words->value;
	return def;
}

/* The items of a list, or the value itself if it is none. */
static const struct vici_node *first_item(const struct vici_node *section, const char *name)
{
	const struct vici_node *node = vici_find(section, name);

	return node && node->kind == VICI_LIST ? node->child : node;
}

static const struct vici_node *next_item(const struct vici_node *section, const char *name,
					 const struct vici_node *item)
{
	return item == vici_find(section, name) ? NULL : item->next;
}

#define for_each_item(item, section, name) \
	for ((item) = first_item(section, name); (item); (item) = next_item(section, name, item))

/* --- Authentication --- */

static int add_cert(struct cert_set *set, struct cert *cert)
{
	struct cert **bigger = realloc(set->v, (set->n + 1) * sizeof(struct cert *));

	if (!bigger)
		return ERR_NOMEM;
	set->v = bigger;
	bigger[set->n++] = cert;
	return 0;
}

static int load_certs(struct loading *l, const struct vici_node *auth, const char *name,
		      struct cert_set *set)
{
	const struct vici_node *item;
	struct err_msg msg;
	struct cert *cert;
	int err;

	for_each_item(item, auth, name)
	{
		err = cert_load((struct view){(const uint8_t *)item->text, item->len}, &cert, &msg);
		if (err)
			return err_set(l->msg, err, "%s: %s", name, msg.text);
		err = add_cert(set, cert);
		if (err) {
			cert_unref(cert);
			return err_set(l->msg, err, "%s: %s", name, err_text(err));
		}
	}
	return 0;
}

static int load_id(struct loading *l, const struct vici_node *auth, struct identity *id)
{
	const char *text = vici_text(auth, "id");
	struct err_msg msg;
	int err;

	if (!text || !*text)
		return 0;
	err = identity_parse(text, id, &msg);
	return err ? err_set(l->msg, err, "id: %s", msg.text) : 0;
}

static int load_auth(struct loading *l, const struct vici_node *auth, enum option_scope scope,
		     struct auth_cfg *cfg)
{
	static const struct word classes[] = {{"pubkey", AUTH_CLASS_PUBKEY},
					      {"psk", AUTH_CLASS_PSK},
					      {"any", AUTH_CLASS_ANY},
					      {NULL, 0}};
	int err = check_section(l, "", scope, auth, NULL);

	if (err)
		return err;
	cfg->auth = (enum auth_class)get_word(auth, "auth", classes, AUTH_CLASS_PUBKEY);
	err = load_id(l, auth, &cfg->id);
	if (!err)
		err = load_certs(l, auth, "certs", &cfg->certs);
	if (!err)
		err = load_certs(l, auth, "cacerts", &cfg->cacerts);
	return err;
}

static bool is_local(const char *name)
{
	return !strncmp(name, "local", 5) && strcmp(name, "local_addrs") != 0;
}

static bool is_remote(const char *name)
{
	return !strncmp(name, "remote", 6) && strcmp(name, "remote_addrs") != 0;
}

static int load_auths(struct loading *l, const struct vici_node *section)
{
	const struct vici_node *node;
	bool seen[2] = {false, false};
	int err = 0;

	for (node = section->child; node && !err; node = node->next) {
		bool remote = is_remote(node->name);

		if (node->kind != VICI_SECTION || (!remote && !is_local(node->name)))
			continue;
		if (seen[remote])
			return err_set(l->msg, ERR_UNSUPPORTED,
				       "a second authentication round ('%s') is not supported",
				       node->name);
		seen[remote] = true;
		err = load_auth(l, node, remote ? OPTION_REMOTE : OPTION_LOCAL,
				remote ? &l->conn->remote : &l->conn->local);
		err = at_path(l, node->name, err);
	}
	return err;
}

/* --- Children --- */

static int load_proposals(struct loading *l, const struct vici_node *section, const char *name,
			  uint8_t protocol, struct proposal_list *list)
{
	const struct vici_node *item;
	struct err_msg msg;
	int err = 0;

	for_each_item(item, section, name)
	{
		err = proposal_parse(protocol, item->text, list, &msg);
		if (err)
			return err_set(l->msg, err, "%s = %s: %s", name, item->text, msg.text);
	}
	if (!list->n)
		err = proposal_parse(protocol, "default", list, l->msg);
	return err;
}

static int load_ts(struct loading *l, const struct vici_node *child, const char *name,
		   struct ts_list *list)
{
	const struct vici_node *item;
	struct ts ts = {.dynamic = true, .port_hi = UINT16_MAX};
	int err = 0;

	for_each_item(item, child, name)
	{
		err = ts_parse(item->text, &ts, l->msg);
		if (!err)
			err = ts_list_add(list, &ts);
		if (err)
			return err_set(l->msg, err, "%s: %s", name, err_text(err));
	}
	if (!list->n)
		err = ts_parse("dynamic", &ts, l->msg);
	if (!list->n && !err)
		err = ts_list_add(list, &ts);
	return err;
}

static struct mark get_mark(const struct vici_node *child, const char *name)
{
	const char *text = vici_text(child, name);
	struct mark mark = {0};

	if (text && !vici_parse_mark(text, &mark.value, &mark.mask) && !mark.value)
		mark.mask = 0;
	return mark;
}

/* The default is 10% more than the soft limit; the random part is what lies between. */
static struct child_lifetime lifetime(const struct vici_node *child, const char *unit,
				      uint64_t (*get)(const struct vici_node *, const char *,
						      uint64_t),
				      uint64_t rekey_default)
{
	char rekey[20], life[20], rand[20];
	struct child_lifetime t;

	snprintf(rekey, sizeof(rekey), "rekey_%s", unit);
	snprintf(life, sizeof(life), "life_%s", unit);
	snprintf(rand, sizeof(rand), "rand_%s", unit);
	t.rekey = get(child, rekey, rekey_default);
	t.life = get(child, life, t.rekey + t.rekey / 10);
	t.rand = get(child, rand, t.life > t.rekey ? t.life - t.rekey : 0);
	return t;
}

static uint64_t get_seconds(const struct vici_node *section, const char *name, uint64_t def)
{
	return get_time(section, name, (uint32_t)def);
}

static void load_lifetimes(const struct vici_node *section, struct child_cfg *child)
{
	child->time = lifetime(section, "time", get_seconds, child->time.rekey);
	child->bytes = lifetime(section, "bytes", get_bytes, 0);
	child->packets = lifetime(section, "packets", get_number, 0);
}

static void load_actions(const struct vici_node *section, struct child_cfg *child)
{
	static const struct word actions[] = {{"none", ACTION_NONE},
					      {"clear", ACTION_NONE},
					      {"trap", ACTION_TRAP},
					      {"hold", ACTION_TRAP},
					      {"start", ACTION_START},
					      {"restart", ACTION_START},
					      {NULL, 0}};

	child->start_action =
	    (enum child_action)get_word(section, "start_action", actions, ACTION_NONE);
	child->dpd_action =
	    (enum child_action)get_word(section, "dpd_action", actions, ACTION_NONE);
	child->close_action =
	    (enum child_action)get_word(section, "close_action", actions, ACTION_NONE);
}

static void load_packet_options(const struct vici_node *section, struct child_cfg *child)
{
	static const struct word dscp[] = {{"out", IPSEC_DSCP_OUT},
					   {"in", IPSEC_DSCP_IN},
					   {"yes", IPSEC_DSCP_OUT | IPSEC_DSCP_IN},
					   {"no", 0},
					   {NULL, 0}};
	static const struct word mss[] = {{"off", 0}, {"path", 1}, {NULL, 0}};
	static const struct word tfc[] = {{"mtu", UINT16_MAX}, {NULL, 0}};

	child->replay_window = (uint32_t)get_number(section, "replay_window", child->replay_window);
	child->copy_df = get_bool(section, "copy_df", child->copy_df);
	child->sha256_96 = get_bool(section, "sha256_96", child->sha256_96);
	child->copy_ecn = get_bool(section, "copy_ecn", child->copy_ecn);
	child->copy_dscp = (uint8_t)get_word(section, "copy_dscp", dscp, child->copy_dscp);
	child->mss_clamp =
	    (uint16_t)get_word(section, "tcp_mss", mss, (int)get_number(section, "tcp_mss", 0));
	child->tfc_padding = (uint16_t)get_word(section, "tfc_padding", tfc,
						(int)get_number(section, "tfc_padding", 0));
}

static void load_policy_options(const struct loading *l, const struct vici_node *section,
				struct child_cfg *child)
{
	static const struct word modes[] = {
	    {"tunnel", IPSEC_TUNNEL}, {"beet", IPSEC_BEET}, {NULL, 0}};

	child->mode = (enum ipsec_mode)get_word(section, "mode", modes, IPSEC_TUNNEL);
	child->policies = get_bool(section, "policies", true);
	child->reqid = (uint32_t)get_number(section, "reqid", 0);
	child->inactivity = get_time(section, "inactivity", 0);
	child->if_id_in = (uint32_t)get_number(section, "if_id_in", l->conn->if_id_in);
	child->if_id_out = (uint32_t)get_number(section, "if_id_out", l->conn->if_id_out);
	child->set_mark_in = get_mark(section, "set_mark_in");
	child->set_mark_out = get_mark(section, "set_mark_out");
}

static int load_child(struct loading *l, const struct vici_node *section)
{
	struct child_cfg *child;
	int err = check_section(l, "", OPTION_CHILD, section, NULL);

	if (err)
		return err;
	child = ike_conn_add_child(l->conn, section->name);
	if (!child)
		return err_set(l->msg, ERR_LIMIT, "more than %d children, or out of memory",
			       CONN_CHILDREN_MAX);
	load_policy_options(l, section, child);
	load_actions(section, child);
	load_lifetimes(section, child);
	load_packet_options(section, child);
	err = load_proposals(l, section, "esp_proposals", PROTOCOL_ESP, &child->proposals);
	if (!err)
		err = load_ts(l, section, "local_ts", &child->local_ts);
	if (!err)
		err = load_ts(l, section, "remote_ts", &child->remote_ts);
	return err;
}

static int load_children(struct loading *l, const struct vici_node *section)
{
	const struct vici_node *children = vici_find(section, "children"), *node;
	char path[300];
	int err = 0;

	for (node = children ? children->child : NULL; node && !err; node = node->next) {
		snprintf(path, sizeof(path), "children.%s", node->name);
		err = at_path(l, path, load_child(l, node));
	}
	return err;
}

/* --- The connection --- */

static int load_hosts(struct loading *l, const struct vici_node *section, const char *name,
		      struct host_spec **ret_hosts, uint8_t *ret_n)
{
	const struct vici_node *item;
	struct host_spec *bigger;
	int err;

	for_each_item(item, section, name)
	{
		if (*ret_n == CONN_HOSTS_MAX)
			return err_set(l->msg, ERR_LIMIT, "%s: more than %d", name, CONN_HOSTS_MAX);
		bigger = realloc(*ret_hosts, (*ret_n + 1u) * sizeof(*bigger));
		if (!bigger)
			return err_set(l->msg, ERR_NOMEM, "out of memory");
		*ret_hosts = bigger;
		memset(&bigger[*ret_n], 0, sizeof(*bigger));
		err = host_spec_parse(item->text, &bigger[*ret_n], l->msg);
		if (err)
			return at_path(l, name, err);
		++*ret_n;
	}
	return 0;
}

static int load_addresses(struct loading *l, const struct vici_node *section)
{
	struct ike_conn *conn = l->conn;
	int err = load_hosts(l, section, "local_addrs", &conn->local_addrs, &conn->n_local_addrs);

	if (!err)
		err = load_hosts(l, section, "remote_addrs", &conn->remote_addrs,
				 &conn->n_remote_addrs);
	conn->local_port = (uint16_t)get_number(section, "local_port", conn->local_port);
	conn->remote_port = (uint16_t)get_number(section, "remote_port", conn->remote_port);
	return err;
}

/* swanctl.conf(5): with reauth_time, rekey_time is off unless it is given; over_time is a tenth of
 * the longer of them; rand_time is over_time. */
static void load_ike_times(struct ike_conn *conn, const struct vici_node *section)
{
	uint32_t longer;

	conn->reauth_time = get_time(section, "reauth_time", conn->reauth_time);
	conn->rekey_time =
	    get_time(section, "rekey_time", conn->reauth_time ? 0 : conn->rekey_time);
	longer = conn->rekey_time > conn->reauth_time ? conn->rekey_time : conn->reauth_time;
	conn->over_time = get_time(section, "over_time", longer / 10);
	conn->rand_time = get_time(section, "rand_time", conn->over_time);
	conn->dpd_delay = get_time(section, "dpd_delay", conn->dpd_delay);
}

static void load_ike_options(struct ike_conn *conn, const struct vici_node *section)
{
	static const struct word send_cert[] = {{"ifasked", SEND_CERT_IFASKED},
						{"always", SEND_CERT_ALWAYS},
						{"never", SEND_CERT_NEVER},
						{NULL, 0}};
	static const struct word unique[] = {{"no", UNIQUE_NO},
					     {"never", UNIQUE_NEVER},
					     {"keep", UNIQUE_KEEP},
					     {"replace", UNIQUE_REPLACE},
					     {NULL, 0}};
	static const struct word fragmentation[] = {{"yes", FRAGMENTATION_YES},
						    {"force", FRAGMENTATION_YES},
						    {"accept", FRAGMENTATION_ACCEPT},
						    {"no", FRAGMENTATION_NO},
						    {NULL, 0}};
	static const struct word childless[] = {{"allow", CHILDLESS_ALLOW},
						{"prefer", CHILDLESS_PREFER},
						{"force", CHILDLESS_FORCE},
						{"never", CHILDLESS_NEVER},
						{NULL, 0}};
	static const struct word tries[] = {{"%forever", 0}, {NULL, 0}};

	conn->encap = get_bool(section, "encap", conn->encap);
	conn->mobike = get_bool(section, "mobike", conn->mobike);
	conn->send_certreq = get_bool(section, "send_certreq", conn->send_certreq);
	conn->send_cert =
	    (enum conn_send_cert)get_word(section, "send_cert", send_cert, SEND_CERT_IFASKED);
	conn->unique = (enum conn_unique)get_word(section, "unique", unique, UNIQUE_NO);
	conn->fragmentation = (enum conn_fragmentation)get_word(section, "fragmentation",
								fragmentation, FRAGMENTATION_YES);
	conn->childless =
	    (enum conn_childless)get_word(section, "childless", childless, CHILDLESS_ALLOW);
	conn->keyingtries = (uint32_t)get_word(section, "keyingtries", tries,
					       (int)get_number(section, "keyingtries", 1));
	conn->if_id_in = (uint32_t)get_number(section, "if_id_in", 0);
	conn->if_id_out = (uint32_t)get_number(section, "if_id_out", 0);
}

static bool conn_may_hold(const char *name)
{
	return is_local(name) || is_remote(name) || !strcmp(name, "children");
}

static int load_conn(struct loading *l, const struct vici_node *section)
{
	int err = check_section(l, "", OPTION_CONN, section, conn_may_hold);

	if (err)
		return err;
	load_ike_options(l->conn, section);
	load_ike_times(l->conn, section);
	err = load_addresses(l, section);
	if (!err)
		err = load_proposals(l, section, "proposals", PROTOCOL_IKE, &l->conn->proposals);
	if (!err)
		err = load_auths(l, section);
	if (!err)
		err = load_children(l, section);
	return err;
}

int control_conn_from_vici(const struct vici_node *section,
			   void (*warn)(void *ctx, const char *text), void *ctx,
			   struct ike_conn **ret_conn, struct err_msg *msg)
{
	struct loading l = {
	    .conn = ike_conn_new(section->name), .warn = warn, .ctx = ctx, .msg = msg};
	int err;

	if (!l.conn)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = load_conn(&l, section);
	if (err)
		ike_conn_unref(l.conn);
	else
		*ret_conn = l.conn;
	return err;
}
