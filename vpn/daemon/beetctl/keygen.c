/* keygen.c - an Ed25519 key and a self-signed certificate for a tunnel end.
 *
 *	DIR/private/NAME-key.pem   0400, made if it is not there, kept if it is
 *	DIR/x509/NAME-cert.pem     0600, made anew: TLS server and client, valid from now on
 *
 * Files appear whole or not at all: each is written beside its place, synced and renamed. The key
 * is linked instead, so that of two that are made at once one wins. It never leaves the process but
 * into its file. */
#include "vpn/daemon/beetctl/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vpn/base/secret.h"
#include "vpn/crypto/pki.h"
#include "vpn/vici/value.h"

#define DEFAULT_DAYS 3652
#define DAYS_MAX     36525
#define DAY	     86400
#define KEY_FILE_MAX 65536

struct keygen {
	struct cli *cli;
	const char *name;
	char key_path[4096], cert_path[4096];
	struct privkey *key;
};

static int make_folder(const char *dir, const char *sub, mode_t mode)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s%s%s", dir, *sub ? "/" : "", sub) >= (int)sizeof(path))
		return ERR_SPACE;
	return mkdir(path, mode) && errno != EEXIST ? ERR_IO : 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno != EINTR)
			return ERR_IO;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) ? ERR_IO : 0;
}

/* A file beside `path` with these contents; its name goes to temp. */
static int write_beside(const char *path, const char *data, size_t len, mode_t mode, char *temp,
			size_t cap)
{
	int fd, err;

	if (snprintf(temp, cap, "%s.XXXXXX", path) >= (int)cap)
		return ERR_SPACE;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	err = write_all(fd, data, len);
	if (!err && fchmod(fd, mode))
		err = ERR_IO;
	if (close(fd) && !err)
		err = ERR_IO;
	if (err)
		unlink(temp);
	return err;
}

/* replace: what is there goes; else ERR_EXISTS. */
static int write_file(const char *path, const char *data, size_t len, mode_t mode, bool replace)
{
	char temp[4200];
	int err = write_beside(path, data, len, mode, temp, sizeof(temp));

	if (err)
		return err;
	if (replace)
		err = rename(temp, path) ? ERR_IO : 0;
	else if (link(temp, path))
		err = errno == EEXIST ? ERR_EXISTS : ERR_IO;
	if (err || !replace)
		unlink(temp);
	return err;
}

/* --- The key --- */

static enum exit_code load_existing(struct keygen *k, int fd)
{
	char *data = malloc(KEY_FILE_MAX);
	ssize_t len = data ? read(fd, data, KEY_FILE_MAX) : -1;
	struct err_msg msg = {"cannot be read"};
	int err = ERR_IO;

	if (len >= 0)
		err =
		    privkey_load((struct view){(uint8_t *)data, (size_t)len}, NULL, &k->key, &msg);
	if (data)
		secret_wipe(data, KEY_FILE_MAX);
	free(data);
	return err ? fail(EXIT_FAILED, "%s: %s", k->key_path, msg.text) : EXIT_OK;
}

static int random_seed(uint8_t seed[32])
{
	return getrandom(seed, 32, 0) == 32 ? 0 : ERR_IO;
}

static int generate(struct keygen *k)
{
	uint8_t seed[32];
	char *pem = NULL;
	size_t len = 0;
	int err = random_seed(seed);

	if (!err)
		err = privkey_generate_ed25519(seed, &k->key);
	secret_wipe(seed, sizeof(seed));
	if (!err)
		err = privkey_to_pem(k->key, &pem, &len);
	if (!err)
		err = write_file(k->key_path, pem, len, 0400, false);
	if (pem)
		secret_wipe(pem, len);
	free(pem);
	return err;
}

static enum exit_code get_key(struct keygen *k, bool *ret_made)
{
	int fd = open(k->key_path, O_RDONLY | O_CLOEXEC);
	enum exit_code code;
	int err;

	*ret_made = fd < 0;
	if (fd >= 0) {
		code = load_existing(k, fd);
		close(fd);
		return code;
	}
	if (errno != ENOENT)
		return fail(EXIT_FAILED, "%s: %m", k->key_path);
	err = generate(k);
	return err ? fail(EXIT_FAILED, "cannot write %s: %s", k->key_path,
			  err == ERR_IO ? strerror(errno) : err_text(err))
		   : EXIT_OK;
}

/* --- The certificate --- */

static enum exit_code make_cert(struct keygen *k, struct cert **ret_cert)
{
	const struct args *a = &k->cli->args;
	const char *default_san;
	char dn[512], san[512];
	struct cert_request request = {.dn = a->dn ? a->dn : dn,
				       .sans = a->n_sans ? a->sans : &default_san,
				       .n_sans = a->n_sans ? a->n_sans : 1,
				       .not_before = (int64_t)time(NULL),
				       .server_auth = true,
				       .client_auth = true};
	uint64_t days = DEFAULT_DAYS;
	struct err_msg msg;

	if (a->days && (vici_parse_uint(a->days, DAYS_MAX, &days) || !days))
		return fail(EXIT_USAGE, "--days %s: expected 1 to %d", a->days, DAYS_MAX);
	snprintf(dn, sizeof(dn), "C=FR, O=inetdoc.net, CN=%s", k->name);
	snprintf(san, sizeof(san), "%s.inetdoc.net", k->name);
	default_san = san;
	request.not_after = request.not_before + (int64_t)days * DAY;
	if (getrandom(request.serial, sizeof(request.serial), 0) != sizeof(request.serial))
		return fail(EXIT_FAILED, "no random numbers: %m");
	request.serial[0] &= 0x7f; /* RFC 5280 §4.1.2.2: positive, and not zero */
	request.serial[0] |= 0x01;
	if (cert_make(&request, k->key, NULL, NULL, ret_cert, &msg))
		return fail(EXIT_FAILED, "cannot make the certificate: %s", msg.text);
	return EXIT_OK;
}

static enum exit_code write_cert(struct keygen *k)
{
	struct cert *cert;
	enum exit_code code = make_cert(k, &cert);
	size_t len;
	char *pem;
	int err;

	if (code)
		return code;
	err = cert_to_pem(cert, &pem, &len);
	cert_unref(cert);
	if (!err) {
		err = write_file(k->cert_path, pem, len, 0600, true);
		free(pem);
	}
	return err ? fail(EXIT_FAILED, "cannot write %s: %m", k->cert_path) : EXIT_OK;
}

/* --- The whole --- */

/* The name becomes part of two paths and of a DN. */
static bool is_good_name(const char *name)
{
	return *name && *name != '.' && *name != '-' && strlen(name) <= 64 &&
	       !name[strspn(name,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static enum exit_code make_folders(const char *dir)
{
	if (make_folder(dir, "", 0755) || make_folder(dir, "private", 0700) ||
	    make_folder(dir, "x509", 0755))
		return fail(EXIT_FAILED, "cannot make the folders of %s: %m", dir);
	return EXIT_OK;
}

static void report(const struct keygen *k, bool made)
{
	if (k->cli->args.json) {
		print_json(json_pack("{s:s, s:b, s:s}", "private_key", k->key_path, "key_made",
				     made, "certificate", k->cert_path));
		return;
	}
	printf("%s: %s\n", k->key_path, made ? "made" : "kept");
	printf("%s: made\n", k->cert_path);
}

enum exit_code run_keygen(struct cli *cli)
{
	struct keygen k = {.cli = cli, .name = cli->args.positional};
	const char *dir = cli->args.dir ? cli->args.dir : getenv("SWANCTL_DIR");
	enum exit_code code;
	bool made = false;

	if (!k.name)
		return fail(EXIT_USAGE, "keygen: of which name?");
	if (!is_good_name(k.name))
		return fail(EXIT_USAGE, "keygen %s: letters, digits, '.', '_' and '-' only",
			    k.name);
	if (!dir || !*dir)
		dir = "/etc/swanctl";
	if (snprintf(k.key_path, sizeof(k.key_path), "%s/private/%s-key.pem", dir, k.name) >=
		(int)sizeof(k.key_path) ||
	    snprintf(k.cert_path, sizeof(k.cert_path), "%s/x509/%s-cert.pem", dir, k.name) >=
		(int)sizeof(k.cert_path))
		return fail(EXIT_USAGE, "--dir is too long");
	code = make_folders(dir);
	if (!code)
		code = get_key(&k, &made);
	if (!code)
		code = write_cert(&k);
	if (!code)
		report(&k, made);
	privkey_unref(k.key);
	return code;
}
