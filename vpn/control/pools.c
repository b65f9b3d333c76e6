/* pools.c - commands on pools and certification authorities.
 *
 * An authority is a name for a CA certificate; where its revocation lists are is not used. The
 * certificate stays with the node's CAs until clear-creds, as the node has no command to take one
 * away. */
#include "vpn/control/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/ts.h"
#include "vpn/vici/option.h"

/* The one section of a message, which is named for what it defines; NULL: an error was written. */
static const struct vici_node *need_section(const struct vici_node *args, struct vici_writer *reply)
{
	const struct vici_node *section = args->child;

	if (section && section->kind == VICI_SECTION && *section->name && !section->next)
		return section;
	reply_error(reply, "the command needs one section with a name");
	return NULL;
}

/* --- Authorities --- */

static void authority_free(struct authority *a)
{
	cert_unref(a->cacert);
	free(a->name);
	free(a);
}

void authorities_free(struct control *control)
{
	while (control->authorities) {
		struct authority *a = control->authorities;

		control->authorities = a->next;
		authority_free(a);
	}
}

static bool remove_authority(struct control *control, const char *name)
{
	struct authority **at = &control->authorities, *a;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	a = *at;
	if (!a)
		return false;
	*at = a->next;
	authority_free(a);
	return true;
}

/* Takes the reference. */
static int add_authority(struct control *control, const char *name, struct cert *cacert)
{
	struct authority **end = &control->authorities, *a = calloc(1, sizeof(*a));
	char *copy = strdup(name);

	if (!a || !copy || node_add_cert(control->node, cacert, CERT_X509_CA)) {
		cert_unref(cacert);
		free(copy);
		free(a);
		return ERR_NOMEM;
	}
	remove_authority(control, name);
	a->name = copy;
	a->cacert = cacert;
	while (*end)
		end = &(*end)->next;
	*end = a;
	return 0;
}

enum command_result command_load_authority(struct control_session *s, const struct vici_node *args,
					   struct vici_writer *reply)
{
	const struct vici_node *section = need_section(args, reply);
	const struct vici_node *data = vici_find(section, "cacert");
	struct cert *cert;
	struct err_msg msg;

	if (!section)
		return REPLY_NOW;
	if (!data || data->kind != VICI_VALUE)
		return reply_error(reply, "authority '%s' has no cacert", section->name);
	if (cert_load((struct view){(const uint8_t *)data->text, data->len}, &cert, &msg))
		return reply_error(reply, "cacert: %s", msg.text);
	if (!cert_is_ca(cert)) {
		cert_unref(cert);
		return reply_error(reply, "cacert: this is no CA certificate (basicConstraints)");
	}
	return reply_result(reply, add_authority(s->control, section->name, cert),
			    "loading authority", section->name);
}

enum command_result command_unload_authority(struct control_session *s,
					     const struct vici_node *args,
					     struct vici_writer *reply)
{
	const char *name = need_text(args, "name", reply);

	if (!name)
		return REPLY_NOW;
	return reply_result(reply, remove_authority(s->control, name) ? 0 : ERR_NOT_FOUND,
			    "unloading authority", name);
}

enum command_result command_get_authorities(struct control_session *s, const struct vici_node *args,
					    struct vici_writer *reply)
{
	const struct authority *a;

	(void)args;
	vici_list(reply, "authorities");
	for (a = s->control->authorities; a; a = a->next)
		vici_item_str(reply, a->name);
	vici_list_end(reply);
	return REPLY_NOW;
}

enum command_result command_list_authorities(struct control_session *s,
					     const struct vici_node *args,
					     struct vici_writer *reply)
{
	const char *name = vici_text(args, "name");
	const struct authority *a;

	(void)reply;
	for (a = s->control->authorities; a; a = a->next) {
		struct vici_writer v = {0};

		if (name && strcmp(name, a->name) != 0)
			continue;
		session_begin_event(&v, ON_LIST_AUTHORITY);
		vici_section(&v, a->name);
		put_identity(&v, "cacert", cert_subject(a->cacert));
		vici_section_end(&v);
		session_end_event(s, ON_LIST_AUTHORITY, &v);
	}
	return REPLY_NOW;
}

/* --- Pools --- */

static int parse_pool(const struct vici_node *pool, struct ts *ret_range, struct err_msg *msg)
{
	const char *addrs = vici_text(pool, "addrs");
	bool harmless;
	int err;

	if (!addrs)
		return err_set(msg, ERR_SYNTAX, "pool '%s' has no addrs", pool->name);
	err = option_check(option_find(OPTION_POOL, "addrs"), addrs, &harmless, msg);
	return err ? err : ts_parse(addrs, ret_range, msg);
}

enum command_result command_load_pool(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const struct vici_node *pool = need_section(args, reply);
	struct err_msg msg;
	struct ts range;

	if (!pool)
		return REPLY_NOW;
	if (parse_pool(pool, &range, &msg))
		return reply_error(reply, "%s", msg.text);
	return reply_result(reply,
			    node_load_pool(s->control->node, pool->name, &range.lo, &range.hi),
			    "loading pool", pool->name);
}

enum command_result command_unload_pool(struct control_session *s, const struct vici_node *args,
					struct vici_writer *reply)
{
	const char *name = need_text(args, "name", reply);

	if (!name)
		return REPLY_NOW;
	return reply_result(reply, node_unload_pool(s->control->node, name), "unloading pool",
			    name);
}

/* hi - lo + 1, at most UINT32_MAX: who has a /64 does not count on the exact number. */
static uint64_t range_size(const struct ip_addr *lo, const struct ip_addr *hi)
{
	uint64_t size = 0;
	size_t i, len = ip_addr_len(lo);

	for (i = 0; i < len; i++) {
		size = (size << 8) + hi->b[i] - lo->b[i];
		if (size > UINT32_MAX)
			return UINT32_MAX;
	}
	return size + 1 > UINT32_MAX ? UINT32_MAX : size + 1;
}

enum command_result command_get_pools(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	const char *name = vici_text(args, "name");
	char text[IP_ADDR_STRLEN];
	size_t i;

	for (i = 0; i < node_pool_count(node); i++) {
		struct ip_addr first, last;
		const char *pool = node_pool(node, i, &first, &last);

		if (name && strcmp(name, pool) != 0)
			continue;
		vici_section(reply, pool);
		vici_value_str(reply, "base", ip_addr_format(&first, text, sizeof(text)));
		vici_value_fmt(reply, "size", "%" PRIu64, range_size(&first, &last));
		vici_value_str(reply, "online", "0");
		vici_value_str(reply, "offline", "0");
		if (vici_text(args, "leases")) {
			vici_section(reply, "leases");
			vici_section_end(reply);
		}
		vici_section_end(reply);
	}
	return REPLY_NOW;
}
