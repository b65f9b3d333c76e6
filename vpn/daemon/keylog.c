/* keylog.c - writes the key log's JSON lines, and hands each SA on to Wireshark's tables.
 *
 * The text of a key is made in buffers that are wiped; what stdio and jansson hold meanwhile is
 * not, which is no loss: the same octets go to a file. */
#include "vpn/daemon/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vpn/crypto/alg.h"
#include "vpn/daemon/describe.h"
#include "vpn/daemon/keylog_wireshark.h"

static int open_private(int dir_fd, const char *name, FILE **ret_file)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file;

	if (fd < 0)
		return ERR_IO;
	file = fchmod(fd, 0600) == 0 ? fdopen(fd, "a") : NULL;
	if (!file) {
		close(fd);
		return ERR_IO;
	}
	*ret_file = file;
	return 0;
}

/* Overwritten, unlike the others: it says the same every time. */
static int write_preferences(int dir_fd)
{
	FILE *file;

	if (unlinkat(dir_fd, "preferences", 0) != 0 && errno != ENOENT)
		return ERR_IO;
	if (open_private(dir_fd, "preferences", &file))
		return ERR_IO;
	fputs("esp.enable_encryption_decode: TRUE\n"
	      "esp.enable_authentication_check: TRUE\n",
	      file);
	return fclose(file) == 0 ? 0 : ERR_IO;
}

static int open_files(struct keylog *keylog, int dir_fd)
{
	if (fchmod(dir_fd, 0700) != 0)
		return ERR_IO;
	if (open_private(dir_fd, "keys.jsonl", &keylog->json))
		return ERR_IO;
	if (open_private(dir_fd, "ikev2_decryption_table", &keylog->ike_table))
		return ERR_IO;
	if (open_private(dir_fd, "esp_sa", &keylog->esp_table))
		return ERR_IO;
	return write_preferences(dir_fd);
}

int keylog_open(struct keylog *keylog, const char *dir, struct err_msg *msg)
{
	int dir_fd, err = ERR_IO;

	*keylog = (struct keylog){0};
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(msg, ERR_IO, "key log %s: %s", dir, strerror(errno));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0)
		err = open_files(keylog, dir_fd);
	if (err) {
		err_set(msg, ERR_IO, "key log %s: %s", dir, strerror(errno));
		keylog_close(keylog);
	}
	if (dir_fd >= 0)
		close(dir_fd);
	return err;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void keylog_close(struct keylog *keylog)
{
	close_file(&keylog->json);
	close_file(&keylog->ike_table);
	close_file(&keylog->esp_table);
}

static void put(json_t *o, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(o, key, value);
}

static void write_line(FILE *out, json_t *o)
{
	json_dumpf(o, out, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(16));
	fputc('\n', out);
	fflush(out);
	json_decref(o);
}

static json_t *ike_json(uint32_t ike_id, const struct ike_keys_info *k, uint64_t unix_us)
{
	json_t *o = json_object();

	put(o, "time", describe_time(unix_us));
	put(o, "type", json_string("ike"));
	put(o, "ike_id", json_integer(ike_id));
	put(o, "spi_i", describe_spi64(k->spi_i));
	put(o, "spi_r", describe_spi64(k->spi_r));
	put(o, "encr", json_integer(k->encr));
	put(o, "encr_bits", json_integer(k->encr_bits));
	put(o, "encr_name", describe_alg(TRANSFORM_ENCR, k->encr, k->encr_bits));
	put(o, "integ", json_integer(k->integ));
	put(o, "integ_name", describe_alg(TRANSFORM_INTEG, k->integ, 0));
	put(o, "prf", json_integer(k->prf));
	put(o, "prf_name", describe_alg(TRANSFORM_PRF, k->prf, 0));
	put(o, "sk_d", describe_hex(k->sk_d));
	put(o, "sk_ai", describe_hex(k->sk_ai));
	put(o, "sk_ar", describe_hex(k->sk_ar));
	put(o, "sk_ei", describe_hex(k->sk_ei));
	put(o, "sk_er", describe_hex(k->sk_er));
	put(o, "sk_pi", describe_hex(k->sk_pi));
	put(o, "sk_pr", describe_hex(k->sk_pr));
	return o;
}

static json_t *esp_json(const struct ipsec_sa *sa, uint64_t unix_us)
{
	const struct endpoint *src = sa->inbound ? &sa->remote : &sa->local;
	const struct endpoint *dst = sa->inbound ? &sa->local : &sa->remote;
	json_t *o = json_object();

	put(o, "time", describe_time(unix_us));
	put(o, "type", json_string("esp"));
	put(o, "child_id", json_integer(sa->child_id));
	put(o, "spi", describe_spi32(sa->spi));
	put(o, "inbound", json_boolean(sa->inbound));
	put(o, "src", describe_addr(&src->addr));
	put(o, "dst", describe_addr(&dst->addr));
	put(o, "encap", json_boolean(sa->encap));
	put(o, "src_port", json_integer(src->port));
	put(o, "dst_port", json_integer(dst->port));
	put(o, "mode", json_string(ipsec_mode_name(sa->mode)));
	put(o, "encr", json_integer(sa->alg.encr));
	put(o, "encr_bits", json_integer(sa->alg.encr_bits));
	put(o, "encr_name", describe_alg(TRANSFORM_ENCR, sa->alg.encr, sa->alg.encr_bits));
	put(o, "integ", json_integer(sa->alg.integ));
	put(o, "integ_name", describe_alg(TRANSFORM_INTEG, sa->alg.integ, 0));
	put(o, "esn", json_boolean(sa->alg.esn));
	put(o, "key", describe_hex((struct view){sa->key, sa->key_len}));
	put(o, "local_ts", describe_selectors(&sa->local_ts));
	put(o, "remote_ts", describe_selectors(&sa->remote_ts));
	put(o, "if_id", json_integer(sa->if_id));
	return o;
}

void keylog_ike(struct keylog *keylog, uint32_t ike_id, const struct ike_keys_info *keys,
		uint64_t unix_us)
{
	if (!keylog->json)
		return;
	write_line(keylog->json, ike_json(ike_id, keys, unix_us));
	wireshark_ike(keylog->ike_table, keys);
}

void keylog_esp(struct keylog *keylog, const struct ipsec_sa *sa, uint64_t unix_us)
{
	if (!keylog->json)
		return;
	write_line(keylog->json, esp_json(sa, unix_us));
	wireshark_esp(keylog->esp_table, sa);
}
