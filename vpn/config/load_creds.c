/* load_creds.c - credentials as messages: the files in swanctl's directories, and the secrets
 * section.
 *
 * Keys may be encrypted; reading them is the business of whoever has the crypto (load.h, struct
 * load_message). A passphrase is bound to a file by the name of its section: private<suffix> to
 * private/, and so on. */
#include "vpn/config/loader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/hex.h"
#include "vpn/base/secret.h"

static const struct {
	const char *folder;
	const char *type, *flag; /* NULL: not supported */
} cert_folders[] = {
    {"x509", "X509", "NONE"}, {"x509ca", "X509", "CA"}, {"x509aa", NULL, NULL},
    {"x509ocsp", NULL, NULL}, {"x509ac", NULL, NULL},	{"x509crl", NULL, NULL},
    {"pubkey", NULL, NULL},   {"pkcs12", NULL, NULL},
};

static const struct {
	const char *folder; /* also the prefix of its secrets sections */
	const char *type;   /* as swanctl sends it */
} key_folders[] = {{"private", "any"}, {"rsa", "rsa"}, {"ecdsa", "ecdsa"}, {"pkcs8", "any"}};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool list_folder(struct loader *l, const char *folder, struct conf_paths *ret_paths)
{
	const struct conf_fs *fs = l->request->fs;
	char *dir = loader_path(l, folder, "");
	int err;

	if (!dir)
		return false;
	dir[strlen(dir) - 1] = '\0'; /* the slash before the empty name */
	*ret_paths = (struct conf_paths){0};
	err = fs->list(fs->ctx, dir, ret_paths);
	if (err)
		loader_error(l, err, (&(struct conf_place){.file = dir}), "cannot be read: %s",
			     err_text(err));
	free(dir);
	return !err;
}

static void load_cert(struct loader *l, const char *path, const char *type, const char *flag)
{
	struct conf_place at = {.file = path};
	struct load_message *m;
	char *data;
	size_t len;

	if (!loader_read(l, &at, NULL, path, &data, &len))
		return;
	m = loader_add(l, LOADED_CERT, "load-cert", path, &at);
	if (m) {
		m->at.file = m->name;
		vici_value_str(&m->body, "type", type);
		vici_value_str(&m->body, "flag", flag);
		vici_value(&m->body, "data", data, len);
		loader_finish(l, m);
	}
	secret_wipe(data, len);
	free(data);
}

static void load_cert_folder(struct loader *l, const char *folder, const char *type,
			     const char *flag)
{
	struct conf_paths paths;
	size_t i;

	if (!list_folder(l, folder, &paths))
		return;
	for (i = 0; i < paths.n; i++) {
		if (type)
			load_cert(l, paths.v[i], type, flag);
		else
			conf_warn(l->diag, &(struct conf_place){.file = paths.v[i]},
				  "not loaded: nothing uses what is in %s/", folder);
	}
	conf_paths_free(&paths);
}

/* --- Private keys --- */

/* The passphrase that the secrets section has for a file of that folder, or NULL. */
static const char *find_passphrase(const struct conf_section *secrets, const char *folder,
				   const char *path)
{
	const struct conf_section *s = secrets ? secrets->sections : NULL;
	const char *base = strrchr(path, '/') + 1;
	const struct conf_value *file, *secret;

	for (; s; s = s->next) {
		if (!has_prefix(s->name, folder))
			continue;
		file = conf_find_value(s, "file");
		secret = conf_find_value(s, "secret");
		if (file && secret && (!strcmp(file->text, base) || !strcmp(file->text, path)))
			return secret->text;
	}
	return NULL;
}

static void load_key(struct loader *l, const char *path, const char *type, const char *passphrase)
{
	struct conf_place at = {.file = path};
	struct load_message *m;
	char *data;
	size_t len;

	if (!loader_read(l, &at, NULL, path, &data, &len))
		return;
	m = loader_add(l, LOADED_KEY, "load-key", path, &at);
	if (!m) {
		secret_wipe(data, len);
		free(data);
		return;
	}
	m->at.file = m->name;
	m->key = data;
	m->key_len = len;
	if (passphrase) {
		m->passphrase = strdup(passphrase);
		if (!m->passphrase)
			loader_error(l, ERR_NOMEM, &at, "out of memory");
	}
	vici_value_str(&m->body, "type", type);
	loader_finish(l, m);
}

static void load_key_folder(struct loader *l, const char *folder, const char *type,
			    const struct conf_section *secrets)
{
	struct conf_paths paths;
	size_t i;

	if (!list_folder(l, folder, &paths))
		return;
	for (i = 0; i < paths.n; i++)
		load_key(l, paths.v[i], type, find_passphrase(secrets, folder, paths.v[i]));
	conf_paths_free(&paths);
}

/* --- Secrets --- */

static int base64_value(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Padding may be missing; anything behind it may not be there. */
static int parse_base64(const char *text, uint8_t *buf, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t len = 0;

	for (; *text && *text != '='; text++) {
		int value = base64_value(*text);

		if (value < 0)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			buf[len++] = (uint8_t)(bits >> n_bits);
		}
	}
	if (text[strspn(text, "=")] || n_bits >= 6)
		return ERR_SYNTAX;
	*ret_len = len;
	return 0;
}

/* A secret is text, or hexadecimal behind 0x, or base64 behind 0s (swanctl.conf(5)). */
static int decode_secret(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
	if (has_prefix(text, "0x"))
		return hex_parse(text + 2, buf, cap, ret_len);
	if (has_prefix(text, "0s"))
		return parse_base64(text + 2, buf, ret_len);
	memcpy(buf, text, strlen(text));
	*ret_len = strlen(text);
	return 0;
}

static void put_secret(struct loader *l, const struct conf_value *secret, struct vici_writer *v)
{
	size_t cap = strlen(secret->text) + 1, len;
	uint8_t *buf = malloc(cap);

	if (!buf) {
		loader_error(l, ERR_NOMEM, &secret->at, "out of memory");
		return;
	}
	if (decode_secret(secret->text, buf, cap, &len))
		loader_error(l, ERR_SYNTAX, &secret->at, "secret: malformed %s",
			     secret->text[1] == 'x' ? "hexadecimal behind 0x" : "base64 behind 0s");
	else if (!len)
		loader_error(l, ERR_SYNTAX, &secret->at, "secret: empty");
	else
		vici_value(v, "data", buf, len);
	secret_wipe(buf, cap);
	free(buf);
}

/* Names what does not belong there; what does is written by the caller. */
static void check_secret_section(struct loader *l, enum option_scope scope,
				 const struct conf_section *s)
{
	struct vici_writer unused = {0};

	loader_values(l, scope, s, &unused);
	vici_writer_free(&unused);
	loader_no_sections(l, s, s->name);
}

static void load_shared(struct loader *l, const struct conf_section *s, const char *type)
{
	const struct conf_value *secret = conf_find_value(s, "secret"), *value;
	struct load_message *m;

	check_secret_section(l, OPTION_SHARED, s);
	if (!secret) {
		loader_error(l, ERR_SYNTAX, &s->at, "secret '%s' needs the option 'secret'",
			     s->name);
		return;
	}
	m = loader_add(l, LOADED_SHARED, "load-shared", s->name, &s->at);
	if (!m)
		return;
	vici_value_str(&m->body, "id", s->name);
	vici_value_str(&m->body, "type", type);
	put_secret(l, secret, &m->body);
	vici_list(&m->body, "owners");
	for (value = s->values; value; value = value->next)
		if (has_prefix(value->name, "id"))
			vici_item_str(&m->body, value->text);
	vici_list_end(&m->body);
	loader_finish(l, m);
}

static void load_secret(struct loader *l, const struct conf_section *s)
{
	static const char *const unused[] = {"eap", "xauth", "ntlm", "ppk"};
	size_t i;

	if (has_prefix(s->name, "ike")) {
		load_shared(l, s, "ike");
		return;
	}
	for (i = 0; i < COUNT(key_folders); i++) {
		if (has_prefix(s->name, key_folders[i].folder)) {
			check_secret_section(l, OPTION_KEYFILE, s);
			return;
		}
	}
	for (i = 0; i < COUNT(unused); i++) {
		if (!has_prefix(s->name, unused[i]))
			continue;
		if (l->request->permissive)
			load_shared(l, s, unused[i]);
		else
			conf_warn(l->diag, &s->at, "secret '%s' has no effect: %s is not supported",
				  s->name, unused[i]);
		return;
	}
	loader_error(l, ERR_UNSUPPORTED, &s->at, "secrets of the kind '%s' are not supported",
		     s->name);
}

void loader_creds(struct loader *l, const struct conf_section *secrets)
{
	const struct conf_section *s = secrets ? secrets->sections : NULL;
	size_t i;

	for (i = 0; i < COUNT(cert_folders); i++)
		load_cert_folder(l, cert_folders[i].folder, cert_folders[i].type,
				 cert_folders[i].flag);
	for (i = 0; i < COUNT(key_folders); i++)
		load_key_folder(l, key_folders[i].folder, key_folders[i].type, secrets);
	for (; s; s = s->next)
		load_secret(l, s);
}
