/* load.c - from a configuration to the list of messages that load it; the checks of single values.
 *
 * Goes on after an error, so that one run names all that is wrong; the plan is handed out only if
 * there was none. Secrets end up in the messages' buffers and the plan, which are wiped with it. */
#include "vpn/config/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/config/loader.h"

bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

struct load_message *loader_add(struct loader *l, enum load_kind kind, const char *command,
				const char *name, const struct conf_place *at)
{
	struct load_plan *plan = l->plan;
	struct load_message *bigger;
	char *copy = strdup(name);

	bigger = realloc(plan->v, (plan->n + 1) * sizeof(*bigger));
	if (bigger)
		plan->v = bigger;
	if (!bigger || !copy) {
		free(copy);
		loader_error(l, ERR_NOMEM, at, "out of memory");
		return NULL;
	}
	plan->v[plan->n] =
	    (struct load_message){.kind = kind, .command = command, .name = copy, .at = *at};
	return &plan->v[plan->n++];
}

void loader_finish(struct loader *l, struct load_message *message)
{
	struct view octets;
	int err = vici_finish(&message->body, &octets);

	if (err)
		loader_error(l, err, &message->at, "'%s' does not fit in a message: %s",
			     message->name, err_text(err));
}

bool loader_read(struct loader *l, const struct conf_place *at, const char *what, const char *path,
		 char **ret_data, size_t *ret_len)
{
	const struct conf_fs *fs = l->request->fs;
	struct err_msg msg;
	int err = fs->read(fs->ctx, path, ret_data, ret_len, &msg);

	if (err && what)
		loader_error(l, err, at, "%s: cannot read '%s': %s", what, path, msg.text);
	else if (err)
		loader_error(l, err, at, "cannot be read: %s", msg.text);
	return !err;
}

char *loader_path(struct loader *l, const char *folder, const char *name)
{
	char *path;
	int n;

	if (name[0] == '/')
		n = asprintf(&path, "%s", name);
	else
		n = asprintf(&path, "%s/%s/%s", l->request->dir, folder, name);
	if (n >= 0)
		return path;
	loader_error(l, ERR_NOMEM, NULL, "out of memory");
	return NULL;
}

/* The contents of a named file as a value, or as an item of the open list if key is NULL. */
static void put_file(struct loader *l, const struct conf_value *value, const char *folder,
		     const char *name, const char *key, struct vici_writer *v)
{
	char *path = loader_path(l, folder, name);
	char *data;
	size_t len;

	if (!path)
		return;
	if (loader_read(l, &value->at, value->name, path, &data, &len)) {
		if (key)
			vici_value(v, key, data, len);
		else
			vici_item(v, data, len);
		secret_wipe(data, len);
		free(data);
	}
	free(path);
}

/* True if the value is to be sent. */
static bool check_value(struct loader *l, const struct option *option,
			const struct conf_value *value, const char *text)
{
	struct err_msg msg;
	bool harmless;
	int err;

	if (l->request->permissive)
		return true;
	err = option_check(option, text, &harmless, &msg);
	if (err)
		loader_error(l, err, &value->at, "%s", msg.text);
	else if (harmless)
		conf_warn(l->diag, &value->at, "%s", msg.text);
	return !err && !harmless;
}

static const char *folder_of(enum option_type type)
{
	switch (type) {
	case OPT_CERTS:
		return "x509";
	case OPT_CACERTS:
	case OPT_CACERT:
		return "x509ca";
	default:
		return NULL;
	}
}

static void put_item(struct loader *l, const struct option *option, const struct conf_value *value,
		     const char *text, struct vici_writer *v)
{
	const char *folder = folder_of(option->type);

	if (!check_value(l, option, value, text))
		return;
	if (folder)
		put_file(l, value, folder, text, NULL, v);
	else
		vici_item_str(v, text);
}

/* "a, b ,c": what is between the commas, without blanks around it, empty ones left out. */
static void put_list(struct loader *l, const struct option *option, const struct conf_value *value,
		     struct vici_writer *v)
{
	char *copy = strdup(value->text), *rest = copy, *item, *end;

	if (!copy) {
		loader_error(l, ERR_NOMEM, &value->at, "out of memory");
		return;
	}
	if (option->status == OPTION_HARMLESS && !l->request->permissive) {
		conf_warn(l->diag, &value->at, "%s has no effect (%s)", value->name,
			  option->detail);
		free(copy);
		return;
	}
	vici_list(v, value->name);
	while ((item = strsep(&rest, ","))) {
		item += strspn(item, " \t\r\n");
		end = item + strlen(item);
		while (end > item && strchr(" \t\r\n", end[-1]))
			end--;
		*end = '\0';
		if (*item)
			put_item(l, option, value, item, v);
	}
	vici_list_end(v);
	free(copy);
}

static void put_value(struct loader *l, const struct option *option, const struct conf_value *value,
		      struct vici_writer *v)
{
	const char *folder = folder_of(option->type);

	if (option_is_list(option)) {
		put_list(l, option, value, v);
		return;
	}
	if (!check_value(l, option, value, value->text))
		return;
	if (folder)
		put_file(l, value, folder, value->text, "cacert", v);
	else
		vici_value_str(v, value->name, value->text);
}

static void unknown_option(struct loader *l, enum option_scope scope,
			   const struct conf_value *value, struct vici_writer *v)
{
	const struct option *near = option_nearest(scope, value->name);

	if (l->request->permissive)
		vici_value_str(v, value->name, value->text);
	else if (near)
		loader_error(l, ERR_UNSUPPORTED, &value->at,
			     "unknown option '%s' (did you mean '%s'?)", value->name, near->name);
	else
		loader_error(l, ERR_UNSUPPORTED, &value->at, "unknown option '%s'", value->name);
}

void loader_values(struct loader *l, enum option_scope scope, const struct conf_section *section,
		   struct vici_writer *v)
{
	const struct conf_value *value;
	const struct option *option;

	for (value = section->values; value; value = value->next) {
		option = option_find(scope, value->name);
		if (option)
			put_value(l, option, value, v);
		else
			unknown_option(l, scope, value, v);
	}
}

void loader_no_sections(struct loader *l, const struct conf_section *section, const char *what)
{
	const struct conf_section *sub;

	for (sub = section->sections; sub; sub = sub->next)
		loader_error(l, ERR_UNSUPPORTED, &sub->at, "unknown section '%s' in %s", sub->name,
			     what);
}

/* --- The whole --- */

static const struct part {
	const char *name;
	enum load_what what;
	void (*load)(struct loader *l, const struct conf_section *section);
} parts[] = {
    {"secrets", LOAD_CREDS, loader_creds},
    {"authorities", LOAD_AUTHORITIES, loader_authorities},
    {"pools", LOAD_POOLS, loader_pools},
    {"connections", LOAD_CONNS, loader_conns},
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static bool is_part(const char *name)
{
	size_t i;

	for (i = 0; i < N_PARTS; i++)
		if (!strcmp(parts[i].name, name))
			return true;
	return false;
}

/* A misspelt "conections" would otherwise load nothing without a word. */
static void warn_of_strangers(struct loader *l)
{
	const struct conf_section *section;
	const struct conf_value *value;

	for (value = l->plan->conf.root->values; value; value = value->next)
		conf_warn(l->diag, &value->at,
			  "'%s' stands outside of all sections and has no effect", value->name);
	for (section = l->plan->conf.root->sections; section; section = section->next)
		if (!is_part(section->name) && !section->referenced)
			conf_warn(l->diag, &section->at,
				  "section '%s' has no effect: nothing refers to it",
				  section->name);
}

static void load_parts(struct loader *l)
{
	struct conf_section *sections[N_PARTS] = {NULL};
	size_t i;
	int err;

	for (i = 0; i < N_PARTS; i++) {
		err = conf_resolve(&l->plan->conf, parts[i].name, l->diag, &sections[i]);
		if (err) {
			l->err = err;
			return;
		}
	}
	for (i = 0; i < N_PARTS; i++)
		if (l->request->what & parts[i].what)
			parts[i].load(l, sections[i]);
	warn_of_strangers(l);
}

static int make(const struct load_request *request, struct conf_diag *diag, struct load_plan *plan,
		int err, struct load_plan *ret_plan)
{
	struct loader l = {.request = request, .diag = diag, .plan = plan, .err = err};

	if (!err)
		load_parts(&l);
	if (l.err)
		load_plan_free(plan);
	else
		*ret_plan = *plan;
	return l.err;
}

int load_plan_make(const struct load_request *request, struct conf_diag *diag,
		   struct load_plan *ret_plan)
{
	struct load_plan plan = {0};
	int err = conf_read(request->fs, request->file, diag, &plan.conf);

	return make(request, diag, &plan, err, ret_plan);
}

int load_plan_make_text(const struct load_request *request, const char *text, size_t len,
			struct conf_diag *diag, struct load_plan *ret_plan)
{
	struct load_plan plan = {0};
	int err = conf_parse(request->fs, request->file, text, len, diag, &plan.conf);

	return make(request, diag, &plan, err, ret_plan);
}

static void free_secret(char *secret, size_t len)
{
	if (secret)
		secret_wipe(secret, len);
	free(secret);
}

void load_plan_free(struct load_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		struct load_message *m = &plan->v[i];

		free(m->name);
		free_secret(m->key, m->key_len);
		free_secret(m->passphrase, m->passphrase ? strlen(m->passphrase) : 0);
		vici_writer_free(&m->body);
	}
	free(plan->v);
	conf_free(&plan->conf);
	*plan = (struct load_plan){0};
}
