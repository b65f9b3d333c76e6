/* vault.c - makes the credentials that harness/credentials.c has strongSwan's pki make for the
 * netns world: the same subjects, names and flags. Valid for ten years from a day before the
 * world's beginning; "expired" ones for the year 2020.
 *
 * Ownership: the vault has its files, and a view of them for each node. */
#include "harness/sim/vault.h"
#include "harness/sim/clock.h"
#include "harness/sim/rng.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/pki.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY	  INT64_C(86400)
#define PATH_CAP  160
#define YEAR_2020 INT64_C(1577836800)
#define YEAR_2021 INT64_C(1609459200)

struct file {
	const char *node;
	char path[PATH_CAP];
	char *data;
	size_t len;
};

struct made {
	const struct sc_credential *sc;
	struct privkey *key;
	struct cert *cert;
};

struct shelf {
	struct sim_vault *vault;
	const char *node;
	struct conf_fs fs;
};

struct sim_vault {
	struct file *files;
	size_t files_count;
	struct shelf *shelves;
	size_t shelves_count;
	struct made *made;
	size_t made_count;
};

/* --- files --- */

static int shelf_read(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		      struct err_msg *msg)
{
	const struct shelf *shelf = ctx;
	size_t i;

	for (i = 0; i < shelf->vault->files_count; i++) {
		const struct file *f = &shelf->vault->files[i];

		if (strcmp(f->node, shelf->node) != 0 || strcmp(f->path, path) != 0)
			continue;
		*ret_data = strndup(f->data, f->len);
		*ret_len = f->len;
		return *ret_data ? 0 : ERR_NOMEM;
	}
	return err_set(msg, ERR_IO, "No such file or directory");
}

static int add_path(struct conf_paths *paths, const char *path)
{
	char **grown = realloc(paths->v, (paths->n + 1) * sizeof(*grown));

	if (!grown)
		return ERR_NOMEM;
	paths->v = grown;
	grown[paths->n] = strdup(path);
	return grown[paths->n++] ? 0 : ERR_NOMEM;
}

static int shelf_glob(void *ctx, const char *pattern, struct conf_paths *ret_paths)
{
	const struct shelf *shelf = ctx;
	size_t i;
	int err = 0;

	*ret_paths = (struct conf_paths){0};
	for (i = 0; i < shelf->vault->files_count && err == 0; i++) {
		const struct file *f = &shelf->vault->files[i];

		if (strcmp(f->node, shelf->node) == 0 &&
		    fnmatch(pattern, f->path, FNM_PATHNAME | FNM_PERIOD) == 0)
			err = add_path(ret_paths, f->path);
	}
	return err;
}

static int shelf_list(void *ctx, const char *dir, struct conf_paths *ret_paths)
{
	char pattern[PATH_CAP];

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	return shelf_glob(ctx, pattern, ret_paths);
}

const struct conf_fs *sim_vault_fs(struct sim_vault *vault, const char *node)
{
	size_t i;

	for (i = 0; i < vault->shelves_count; i++)
		if (strcmp(vault->shelves[i].node, node) == 0)
			return &vault->shelves[i].fs;
	return NULL;
}

static int put_file(struct sim_vault *vault, const struct text_list *nodes, const char *kind,
		    const char *name, const char *suffix, const char *data, size_t len)
{
	struct file *grown;
	size_t i;

	for (i = 0; i < nodes->count; i++) {
		grown = realloc(vault->files, (vault->files_count + 1) * sizeof(*grown));
		if (!grown)
			return ERR_NOMEM;
		vault->files = grown;
		grown[vault->files_count] =
		    (struct file){.node = nodes->items[i], .data = strndup(data, len), .len = len};
		snprintf(grown[vault->files_count].path, PATH_CAP, "/swanctl/%s/%.64s-%s.pem", kind,
			 name, suffix);
		if (!grown[vault->files_count++].data)
			return ERR_NOMEM;
	}
	return 0;
}

/* --- making --- */

static int make_key(const struct plan *plan, size_t index, struct privkey **ret_key)
{
	struct sim_rng rng = sim_rng_init(plan->seed, SIM_RNG_KEYS, index);
	uint8_t seed[32];
	size_t i;

	for (i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)sim_rng_next(&rng);
	return privkey_generate_ed25519(seed, ret_key);
}

static const struct made *find_made(const struct sim_vault *vault, const char *name)
{
	size_t i;

	for (i = 0; name && i < vault->made_count; i++)
		if (strcmp(vault->made[i].sc->name, name) == 0)
			return &vault->made[i];
	return NULL;
}

static int make_cert(const struct sim_vault *vault, struct made *made, size_t index,
		     struct err_msg *msg)
{
	const struct sc_credential *sc = made->sc;
	const struct made *ca = find_made(vault, sc->ca);
	bool is_ca = sc->kind == CRED_CA;
	char dn[160], san[96];
	const char *const sans[] = {san};
	const struct cert_request request = {
	    .dn = dn,
	    .sans = sans,
	    .n_sans = is_ca ? 0 : 1,
	    .not_before = sc->expired ? YEAR_2020 : SIM_EPOCH - DAY,
	    .not_after = sc->expired ? YEAR_2021 : SIM_EPOCH + 3652 * DAY,
	    .ca = is_ca,
	    .server_auth = !is_ca,
	    .client_auth = !is_ca,
	    .serial = {1, (uint8_t)index},
	};

	snprintf(dn, sizeof(dn), "C=FR, O=inetdoc.net, CN=%.64s", sc->name);
	snprintf(san, sizeof(san), "%.64s.inetdoc.net", sc->name);
	return cert_make(&request, made->key, ca ? ca->cert : NULL, ca ? ca->key : NULL,
			 &made->cert, msg);
}

static int store(struct sim_vault *vault, const struct made *made)
{
	const struct sc_credential *sc = made->sc;
	char *pem = NULL;
	size_t len;
	int err = privkey_to_pem(made->key, &pem, &len);

	if (err == 0)
		err = put_file(vault, &sc->private_at, "private", sc->name, "key", pem, len);
	free(pem);
	pem = NULL;
	if (err == 0)
		err = cert_to_pem(made->cert, &pem, &len);
	if (err == 0)
		err = put_file(vault, &sc->certificate_at, sc->kind == CRED_CA ? "x509ca" : "x509",
			       sc->name, "cert", pem, len);
	free(pem);
	return err;
}

static int make(struct sim_vault *vault, const struct plan *plan, size_t index, struct err_msg *msg)
{
	const struct sc_credential *sc =
	    (const struct sc_credential *)plan->scenario->credentials.items + index;
	struct made *made = &vault->made[vault->made_count++];
	int err;

	made->sc = sc;
	if (sc->key != CREDENTIAL_ED25519)
		return err_set(msg, ERR_UNSUPPORTED, "a key that is not Ed25519 (%s)", sc->name);
	err = make_key(plan, index, &made->key);
	if (err == 0)
		err = make_cert(vault, made, index, msg);
	if (err == 0)
		err = store(vault, made);
	return err;
}

static int add_shelves(struct sim_vault *vault, const struct plan *plan)
{
	size_t i;

	vault->shelves = calloc(plan->endpoints_count + 1, sizeof(*vault->shelves));
	if (!vault->shelves)
		return ERR_NOMEM;
	for (i = 0; i < plan->endpoints_count; i++) {
		struct shelf *shelf = &vault->shelves[vault->shelves_count++];

		*shelf = (struct shelf){.vault = vault, .node = plan->endpoints[i].sc->node};
		shelf->fs = (struct conf_fs){
		    .ctx = shelf, .read = shelf_read, .glob = shelf_glob, .list = shelf_list};
	}
	return 0;
}

int sim_vault_new(const struct plan *plan, struct sim_vault **ret_vault, struct err_msg *msg)
{
	struct sim_vault *vault = calloc(1, sizeof(*vault));
	size_t i, count = plan->scenario->credentials.count;
	int err = ERR_NOMEM;

	err_set(msg, ERR_NOMEM, "out of memory");
	if (vault)
		vault->made = calloc(count + 1, sizeof(*vault->made));
	if (vault && vault->made)
		err = add_shelves(vault, plan);
	for (i = 0; i < count && err == 0; i++)
		err = make(vault, plan, i, msg);
	if (err < 0)
		sim_vault_free(vault);
	else
		*ret_vault = vault;
	return err;
}

void sim_vault_free(struct sim_vault *vault)
{
	size_t i;

	if (!vault)
		return;
	for (i = 0; i < vault->files_count; i++) {
		secret_wipe(vault->files[i].data, vault->files[i].len);
		free(vault->files[i].data);
	}
	for (i = 0; i < vault->made_count; i++) {
		privkey_unref(vault->made[i].key);
		cert_unref(vault->made[i].cert);
	}
	free(vault->files);
	free(vault->shelves);
	free(vault->made);
	free(vault);
}
