/* plan_config.c - an end's swanctl.conf, read before the run as `swanctl --load-all` will read it.
 *
 * By the reader that beetctl has, with the table of options; for another daemon without the table,
 * since its options are not ours to judge. No file is opened: certificates and keys are made by the
 * run, so any that a configuration names is taken to be there. A mistake is told with the
 * scenario's own line where the text stands in it. */
#include "harness/plan_check.h"
#include "vpn/config/load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a file system where every file exists --- */

static int read_any(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		    struct err_msg *msg)
{
	(void)ctx;
	(void)path;
	*ret_data = strdup("made by the run");
	if (!*ret_data)
		return err_set(msg, ERR_NOMEM, "out of memory");
	*ret_len = strlen(*ret_data);
	return 0;
}

static int find_none(void *ctx, const char *where, struct conf_paths *ret_paths)
{
	(void)ctx;
	(void)where;
	*ret_paths = (struct conf_paths){NULL, 0};
	return 0;
}

/* --- the first error --- */

struct first_error {
	char text[400];
};

static void note_error(void *ctx, bool is_error, const char *line)
{
	struct first_error *first = ctx;

	if (is_error && !first->text[0])
		snprintf(first->text, sizeof(first->text), "%s", line);
}

static const struct doc_node *find_text(const struct doc_node *node, const char *text)
{
	const struct doc_node *found = NULL;

	for (; node && !found; node = node->next)
		found = node->text == text && node->kind == DOC_SCALAR
			    ? node
			    : find_text(node->child, text);
	return found;
}

/* "config:4: what is wrong" in a block of the scenario is its line of "config: |" and 4. */
static int tell(const struct plan *plan, const struct plan_endpoint *endpoint,
		const struct first_error *first, struct err_msg *msg)
{
	const struct sc_endpoint *sc = endpoint->sc;
	const struct doc *doc = plan->scenario->doc;
	const struct doc_node *node = find_text(doc_root(doc), sc->config);
	unsigned line;
	int at = 0;

	if (sc->config_file)
		return doc_error(doc, sc->line, msg, "%s", first->text);
	if (!node || sscanf(first->text, "config:%u: %n", &line, &at) != 1)
		return doc_error(doc, sc->line, msg, "%s: %s", sc->node, first->text);
	return doc_error(doc, node->line + line, msg, "configuration of %s: %s", sc->node,
			 first->text + at);
}

/* --- names --- */

static bool add_word(char **words, const char *word)
{
	size_t len = *words ? strlen(*words) : 0;
	char *more = realloc(*words, len + strlen(word) + 2);

	if (!more)
		return false;
	sprintf(more + len, "%s%s", len ? " " : "", word);
	*words = more;
	return true;
}

static bool collect(const struct conf_section *conns, struct config_names *names)
{
	const struct conf_section *conn, *child, *children;
	bool ok = add_word(&names->connections, "") && add_word(&names->children, "");

	for (conn = conns ? conns->sections : NULL; conn && ok; conn = conn->next) {
		ok = add_word(&names->connections, conn->name);
		children = conf_find_section(conn, "children");
		for (child = children ? children->sections : NULL; child && ok; child = child->next)
			ok = add_word(&names->children, child->name);
	}
	return ok;
}

int config_names_read(const struct plan *plan, const struct plan_endpoint *endpoint,
		      struct config_names *ret_names, struct err_msg *msg)
{
	static const struct conf_fs made = {NULL, read_any, find_none, find_none};
	const struct load_request request = {
	    .fs = &made,
	    .file = endpoint->sc->config_file ? endpoint->sc->config_file : "config",
	    .dir = "/etc/swanctl",
	    .what = LOAD_ALL,
	    .permissive = strcmp(endpoint->peer, "beetd") != 0};
	struct first_error first = {""};
	struct conf_diag diag = {.ctx = &first, .say = note_error};
	struct conf_section *conns = NULL;
	struct load_plan loaded;
	int err = load_plan_make_text(&request, endpoint->config, strlen(endpoint->config), &diag,
				      &loaded);

	if (err < 0)
		return tell(plan, endpoint, &first, msg);
	err = conf_resolve(&loaded.conf, "connections", &diag, &conns);
	if (err == 0 && !collect(conns, ret_names))
		err = err_set(msg, ERR_NOMEM, "out of memory");
	else if (err < 0)
		err = tell(plan, endpoint, &first, msg);
	load_plan_free(&loaded);
	return err;
}

void config_names_free(struct config_names *names)
{
	free(names->children);
	free(names->connections);
}
