/* load_conn.c - connections, pools and authorities as messages.
 *
 * A message has the section's values first and its subsections after them, each in the order of the
 * file, as swanctl sends them. */
#include "vpn/config/loader.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

/* cert<suffix> { file = /path }: sent as an item of certs or cacerts, since a daemon need not be
 * able to read the file. */
static void put_cert_section(struct loader *l, const struct conf_section *section,
			     const char *folder, struct vici_writer *v)
{
	const struct conf_value *file = conf_find_value(section, "file");
	struct vici_writer unused = {0};
	char *path, *data;
	size_t len;

	loader_values(l, OPTION_CERT, section, &unused);
	vici_writer_free(&unused);
	loader_no_sections(l, section, section->name);
	if (!file) {
		loader_error(l, ERR_SYNTAX, &section->at, "%s needs the option 'file'",
			     section->name);
		return;
	}
	path = loader_path(l, folder, file->text);
	if (path && loader_read(l, &file->at, "file", path, &data, &len)) {
		vici_item(v, data, len);
		secret_wipe(data, len);
		free(data);
	}
	free(path);
}

static bool is_cert_section(const struct conf_section *section, const char *prefix)
{
	return has_prefix(section->name, prefix);
}

static void put_cert_sections(struct loader *l, const struct conf_section *auth, const char *prefix,
			      const char *list, const char *folder, struct vici_writer *v)
{
	const struct conf_section *sub;
	bool open = false;

	for (sub = auth->sections; sub; sub = sub->next) {
		if (!is_cert_section(sub, prefix))
			continue;
		if (conf_find_value(auth, list)) {
			loader_error(l, ERR_UNSUPPORTED, &sub->at, "both '%s' and a section '%s'",
				     list, sub->name);
			return;
		}
		if (!open)
			vici_list(v, list);
		open = true;
		put_cert_section(l, sub, folder, v);
	}
	if (open)
		vici_list_end(v);
}

/* A local or remote section. */
static void put_auth(struct loader *l, enum option_scope scope, const struct conf_section *auth,
		     struct vici_writer *v)
{
	const struct conf_section *sub;

	vici_section(v, auth->name);
	loader_values(l, scope, auth, v);
	put_cert_sections(l, auth, "cert", "certs", "x509", v);
	if (scope == OPTION_REMOTE)
		put_cert_sections(l, auth, "cacert", "cacerts", "x509ca", v);
	for (sub = auth->sections; sub; sub = sub->next)
		if (!is_cert_section(sub, "cert") &&
		    !(scope == OPTION_REMOTE && is_cert_section(sub, "cacert")))
			loader_error(l, ERR_UNSUPPORTED, &sub->at, "unknown section '%s' in '%s'",
				     sub->name, auth->name);
	vici_section_end(v);
}

static void put_children(struct loader *l, const struct conf_section *children,
			 struct vici_writer *v)
{
	const struct conf_value *value;
	const struct conf_section *child;

	for (value = children->values; value; value = value->next)
		loader_error(l, ERR_SYNTAX, &value->at, "'%s' stands in 'children' but in no child",
			     value->name);
	vici_section(v, children->name);
	for (child = children->sections; child; child = child->next) {
		vici_section(v, child->name);
		loader_values(l, OPTION_CHILD, child, v);
		loader_no_sections(l, child, "a child");
		vici_section_end(v);
	}
	vici_section_end(v);
}

static void put_conn_sections(struct loader *l, const struct conf_section *conn,
			      struct vici_writer *v)
{
	const struct conf_section *sub;
	unsigned rounds[2] = {0};
	unsigned *count;

	for (sub = conn->sections; sub; sub = sub->next) {
		if (!strcmp(sub->name, "children")) {
			put_children(l, sub, v);
			continue;
		}
		if (!has_prefix(sub->name, "local") && !has_prefix(sub->name, "remote")) {
			loader_error(l, ERR_UNSUPPORTED, &sub->at,
				     "unknown section '%s' in a connection", sub->name);
			continue;
		}
		count = &rounds[sub->name[0] == 'r'];
		if (++*count > 1 && !l->request->permissive)
			loader_error(l, ERR_UNSUPPORTED, &sub->at,
				     "a second authentication round ('%s') is not supported",
				     sub->name);
		put_auth(l, sub->name[0] == 'r' ? OPTION_REMOTE : OPTION_LOCAL, sub, v);
	}
}

static void load_conn(struct loader *l, const struct conf_section *conn)
{
	struct load_message *m = loader_add(l, LOADED_CONN, "load-conn", conn->name, &conn->at);

	if (!m)
		return;
	vici_section(&m->body, conn->name);
	loader_values(l, OPTION_CONN, conn, &m->body);
	put_conn_sections(l, conn, &m->body);
	vici_section_end(&m->body);
	loader_finish(l, m);
}

static void no_values(struct loader *l, const struct conf_section *section)
{
	const struct conf_value *value;

	for (value = section ? section->values : NULL; value; value = value->next)
		loader_error(l, ERR_SYNTAX, &value->at,
			     "'%s' stands in '%s' but in none of its sections", value->name,
			     section->name);
}

void loader_conns(struct loader *l, const struct conf_section *connections)
{
	const struct conf_section *conn = connections ? connections->sections : NULL;

	no_values(l, connections);
	for (; conn; conn = conn->next)
		load_conn(l, conn);
}

/* Attributes may also be numbers (RFC 7296 §3.15.1); like the named ones they are not handed out.
 */
static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static void put_pool(struct loader *l, const struct conf_section *pool, struct vici_writer *v)
{
	struct conf_section named = *pool;
	struct conf_value **at = &named.values, *value;

	while ((value = *at)) {
		if (!is_number(value->name)) {
			at = &value->next;
			continue;
		}
		if (!l->request->permissive)
			conf_warn(l->diag, &value->at,
				  "attribute %s has no effect (pools are not "
				  "handed out)",
				  value->name);
		*at = value->next;
	}
	loader_values(l, OPTION_POOL, &named, v);
	loader_no_sections(l, pool, "a pool");
}

void loader_pools(struct loader *l, const struct conf_section *pools)
{
	const struct conf_section *pool = pools ? pools->sections : NULL;
	struct load_message *m;

	no_values(l, pools);
	for (; pool; pool = pool->next) {
		m = loader_add(l, LOADED_POOL, "load-pool", pool->name, &pool->at);
		if (!m)
			return;
		if (!conf_find_value(pool, "addrs"))
			loader_error(l, ERR_SYNTAX, &pool->at, "pool '%s' needs the option 'addrs'",
				     pool->name);
		vici_section(&m->body, pool->name);
		put_pool(l, pool, &m->body);
		vici_section_end(&m->body);
		loader_finish(l, m);
	}
}

/* file = /path is sent as cacert is, for the reason above. */
static void put_authority(struct loader *l, const struct conf_section *authority,
			  struct vici_writer *v)
{
	const struct conf_value *file = conf_find_value(authority, "file");
	const struct conf_value *cacert = conf_find_value(authority, "cacert");

	if (file && cacert)
		loader_error(l, ERR_SYNTAX, &file->at, "both 'file' and 'cacert'");
	if (!file && !cacert)
		loader_error(l, ERR_SYNTAX, &authority->at,
			     "authority '%s' needs the option 'cacert'", authority->name);
	loader_values(l, OPTION_AUTHORITY, authority, v);
	loader_no_sections(l, authority, "an authority");
}

void loader_authorities(struct loader *l, const struct conf_section *authorities)
{
	const struct conf_section *authority = authorities ? authorities->sections : NULL;
	struct load_message *m;

	no_values(l, authorities);
	for (; authority; authority = authority->next) {
		m = loader_add(l, LOADED_AUTHORITY, "load-authority", authority->name,
			       &authority->at);
		if (!m)
			return;
		vici_section(&m->body, authority->name);
		put_authority(l, authority, &m->body);
		vici_section_end(&m->body);
		loader_finish(l, m);
	}
}
