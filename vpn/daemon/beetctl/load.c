/* load.c - loads swanctl.conf and its directories: reads and checks everything first, then tells
 * the daemon.
 *
 * With an error in the configuration nothing is sent. What the daemon has and the configuration no
 * longer names is unloaded, as swanctl does; what the daemon refuses does not stop the rest. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/config/load.h"
#include "vpn/crypto/pki.h"

struct loading {
	struct cli *cli;
	struct load_plan plan;
	unsigned what;
	char **keys; /* ids of the keys that were loaded */
	size_t n_keys;
	unsigned loaded, failed, unloaded;
	json_t *json; /* array of what was done */
};

static const struct {
	enum load_kind kind;
	const char *noun;
} nouns[] = {{LOADED_CERT, "certificate"}, {LOADED_KEY, "private key"},
	     {LOADED_SHARED, "secret"},	   {LOADED_AUTHORITY, "authority"},
	     {LOADED_POOL, "pool"},	   {LOADED_CONN, "connection"}};

static const char *noun_of(enum load_kind kind)
{
	return nouns[kind].noun;
}

static void say(void *ctx, bool is_error, const char *line)
{
	(void)ctx;
	fprintf(stderr, "beetctl: %s%s\n", is_error ? "" : "warning: ", line);
}

static void report(struct loading *l, const char *verb, const char *noun, const char *name,
		   const char *error)
{
	json_t *entry;

	if (l->json) {
		entry = json_pack("{s:s, s:s, s:s, s:b}", "action", verb, "kind", noun, "name",
				  name, "success", error == NULL);
		if (error)
			json_object_set_new(entry, "errmsg", json_string(error));
		json_array_append_new(l->json, entry);
	}
	if (error)
		fail(EXIT_FAILED, "%s %s '%s' failed: %s", verb, noun, name, error);
	else if (!l->json)
		printf("%sed %s '%s'\n", verb, noun, name);
}

/* --- Private keys --- */

static bool is_encrypted(const struct load_message *m)
{
	return memmem(m->key, m->key_len, "ENCRYPTED", 9) != NULL;
}

/* The key's octets as the daemon can read them. */
static int put_key(struct load_message *m, struct err_msg *msg)
{
	struct privkey *key;
	size_t len;
	char *pem;
	int err;

	if (!is_encrypted(m)) {
		vici_value(&m->body, "data", m->key, m->key_len);
		return 0;
	}
	if (!m->passphrase)
		return err_set(msg, ERR_AUTH, "encrypted, and secrets have no passphrase for it");
	err = privkey_load((struct view){(const uint8_t *)m->key, m->key_len}, m->passphrase, &key,
			   msg);
	if (err)
		return err;
	err = privkey_to_pem(key, &pem, &len);
	privkey_unref(key);
	if (err)
		return err_set(msg, err, "%s", err_text(err));
	vici_value(&m->body, "data", pem, len);
	secret_wipe(pem, len);
	free(pem);
	return 0;
}

static void remember_key(struct loading *l, const struct vici_tree *reply)
{
	const char *id = vici_text(reply->root, "id");
	char **bigger = realloc(l->keys, (l->n_keys + 1) * sizeof(*bigger));

	if (!bigger)
		return;
	l->keys = bigger;
	if (id && (bigger[l->n_keys] = strdup(id)))
		l->n_keys++;
}

/* --- Sending --- */

static int send_message(struct loading *l, struct load_message *m, struct err_msg *msg)
{
	struct vici_tree reply;
	int err = 0;

	if (m->kind == LOADED_KEY)
		err = put_key(m, msg);
	if (!err)
		err = vici_client_request(l->cli->client, m->command, &m->body, &reply, msg);
	if (err)
		return err;
	err = vici_reply_check(&reply, msg);
	if (!err && m->kind == LOADED_KEY)
		remember_key(l, &reply);
	vici_tree_free(&reply);
	return err;
}

static enum exit_code send_all(struct loading *l)
{
	struct err_msg msg, placed;
	size_t i;
	int err;

	for (i = 0; i < l->plan.n; i++) {
		struct load_message *m = &l->plan.v[i];

		err = send_message(l, m, &msg);
		if (!err) {
			l->loaded++;
			report(l, "load", noun_of(m->kind), m->name, NULL);
			continue;
		}
		l->failed++;
		if (m->at.line)
			err_set(&placed, err, "%s:%u: %s", m->at.file, m->at.line, msg.text);
		report(l, "load", noun_of(m->kind), m->name, m->at.line ? placed.text : msg.text);
		if (err == ERR_IO)
			return EXIT_NO_DAEMON;
	}
	return l->failed ? EXIT_FAILED : EXIT_OK;
}

/* --- Unloading what is no longer there --- */

static bool in_plan(const struct loading *l, enum load_kind kind, const char *name)
{
	size_t i;

	if (kind == LOADED_KEY) {
		for (i = 0; i < l->n_keys; i++)
			if (!strcmp(l->keys[i], name))
				return true;
		return false;
	}
	for (i = 0; i < l->plan.n; i++)
		if (l->plan.v[i].kind == kind && !strcmp(l->plan.v[i].name, name))
			return true;
	return false;
}

static const struct kept {
	enum load_what part;
	enum load_kind kind;
	const char *get, *list; /* list NULL: the reply's sections are the names */
	const char *unload, *key;
} kept[] = {
    {LOAD_CREDS, LOADED_KEY, "get-keys", "keys", "unload-key", "id"},
    {LOAD_CREDS, LOADED_SHARED, "get-shared", "keys", "unload-shared", "id"},
    {LOAD_AUTHORITIES, LOADED_AUTHORITY, "get-authorities", "authorities", "unload-authority",
     "name"},
    {LOAD_POOLS, LOADED_POOL, "get-pools", NULL, "unload-pool", "name"},
    {LOAD_CONNS, LOADED_CONN, "get-conns", "conns", "unload-conn", "name"},
};

static void unload_one(struct loading *l, const struct kept *k, const char *name)
{
	struct vici_writer body = {0};
	struct vici_tree reply;
	struct err_msg msg;
	int err;

	vici_value_str(&body, k->key, name);
	err = vici_client_request(l->cli->client, k->unload, &body, &reply, &msg);
	vici_writer_free(&body);
	if (!err) {
		err = vici_reply_check(&reply, &msg);
		vici_tree_free(&reply);
	}
	report(l, "unload", noun_of(k->kind), name, err ? msg.text : NULL);
	if (err)
		l->failed++;
	else
		l->unloaded++;
}

static void unload_others(struct loading *l, const struct kept *k)
{
	const struct vici_node *node;
	struct vici_tree reply;
	struct err_msg msg;

	if (vici_client_request(l->cli->client, k->get, NULL, &reply, &msg)) {
		report(l, "unload", noun_of(k->kind), k->get, msg.text);
		l->failed++;
		return;
	}
	node = k->list ? vici_find(reply.root, k->list) : reply.root;
	for (node = node ? node->child : NULL; node; node = node->next) {
		const char *name = k->list ? node->text : node->name;

		if (!in_plan(l, k->kind, name))
			unload_one(l, k, name);
	}
	vici_tree_free(&reply);
}

/* --- The whole --- */

static enum exit_code load_into_daemon(struct loading *l)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	if (l->cli->args.clear && (l->what & LOAD_CREDS))
		code = request(l->cli, "clear-creds", NULL, NULL);
	if (!code)
		code = send_all(l);
	if (code == EXIT_NO_DAEMON)
		return code;
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (l->what & kept[i].part)
			unload_others(l, &kept[i]);
	return l->failed ? EXIT_FAILED : code;
}

static enum exit_code open_and_load(struct loading *l)
{
	enum exit_code code;
	struct err_msg msg;

	if (vici_client_open(l->cli->args.uri, &l->cli->client, &msg))
		return fail(EXIT_NO_DAEMON, "%s", msg.text);
	code = load_into_daemon(l);
	vici_client_close(l->cli->client);
	return code;
}

static const char *default_dir(void)
{
	const char *dir = getenv("SWANCTL_DIR");

	return dir && *dir ? dir : "/etc/swanctl";
}

static void loading_free(struct loading *l)
{
	while (l->n_keys)
		free(l->keys[--l->n_keys]);
	free(l->keys);
	load_plan_free(&l->plan);
}

static void summarize(struct loading *l)
{
	if (l->json)
		print_json(json_pack("{s:i, s:i, s:i, s:o}", "loaded", l->loaded, "failed",
				     l->failed, "unloaded", l->unloaded, "actions", l->json));
	else if (l->cli->args.dry_run)
		printf("%zu messages would be sent\n", l->plan.n);
	else
		printf("%u loaded, %u failed, %u unloaded\n", l->loaded, l->failed, l->unloaded);
}

static enum exit_code load(struct cli *cli, unsigned what)
{
	struct loading l = {.cli = cli, .what = what};
	struct conf_diag diag = {.say = say};
	const char *dir = cli->args.dir ? cli->args.dir : default_dir();
	enum exit_code code = EXIT_OK;
	char path[4096];

	snprintf(path, sizeof(path), "%s/swanctl.conf", dir);
	if (load_plan_make(&(struct load_request){.fs = conf_fs_host(),
						  .file = cli->args.file ? cli->args.file : path,
						  .dir = dir,
						  .what = what},
			   &diag, &l.plan))
		return EXIT_CONFIG;
	if (cli->args.json)
		l.json = json_array();
	if (!cli->args.dry_run)
		code = open_and_load(&l);
	if (code == EXIT_NO_DAEMON)
		json_decref(l.json);
	else
		summarize(&l);
	loading_free(&l);
	return code;
}

enum exit_code run_load_all(struct cli *cli)
{
	return load(cli, LOAD_ALL);
}

enum exit_code run_load_creds(struct cli *cli)
{
	return load(cli, LOAD_CREDS);
}

enum exit_code run_load_authorities(struct cli *cli)
{
	return load(cli, LOAD_AUTHORITIES);
}

enum exit_code run_load_pools(struct cli *cli)
{
	return load(cli, LOAD_POOLS);
}

enum exit_code run_load_conns(struct cli *cli)
{
	return load(cli, LOAD_CONNS);
}
