/* peer.c - runs a daemon in a node and drives it through vici.
 *
 * Each request is a connection of its own: tests are few and a daemon that died shows at once. A
 * wait ends early when the daemon dies, and says how.
 *
 * Ownership: a peer has its process; the network that it runs in outlives it. Its directory goes
 * with the network's. */
#include "harness/peer_internal.h"
#include "vpn/vici/client/client.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_TIMEOUT_MS 10000

const struct peer_driver *peer_driver_find(const char *name)
{
	static const struct peer_driver *const drivers[] = {&peer_beetd, &peer_strongswan};
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

static int make_dirs(struct peer *peer, struct err_msg *msg)
{
	static const char *const names[] = {"",	       "/conf.d",   "/x509",	"/x509ca",
					    "/x509aa", "/x509ocsp", "/x509crl", "/x509ac",
					    "/pubkey", "/private",  "/rsa",	"/ecdsa",
					    "/bliss",  "/pkcs8",    "/pkcs12"};
	char path[PEER_PATH_MAX + 32];
	size_t i;

	if (mkdir(peer->dir, 0700) < 0)
		return err_set(msg, ERR_IO, "%s: %s", peer->dir, strerror(errno));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", peer->swanctl_dir, names[i]);
		if (mkdir(path, 0700) < 0)
			return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	}
	return 0;
}

int peer_create(struct net *net, const char *node, const struct peer_driver *driver,
		const struct peer_options *options, struct peer **ret_peer, struct err_msg *msg)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int err;

	if (!peer)
		return err_set(msg, ERR_NOMEM, "out of memory");
	peer->net = net;
	peer->driver = driver;
	if (options)
		peer->options = *options;
	snprintf(peer->node, sizeof(peer->node), "%s", node);
	snprintf(peer->dir, sizeof(peer->dir), "%s/%s", net_dir(net), node);
	snprintf(peer->log, sizeof(peer->log), "%s/log", peer->dir);
	snprintf(peer->uri, sizeof(peer->uri), "unix://%s/charon.vici", peer->dir);
	snprintf(peer->swanctl_dir, sizeof(peer->swanctl_dir), "%s/swanctl", peer->dir);
	err = make_dirs(peer, msg);
	if (err == 0 && peer->options.own_clock)
		err = peer_shift_clock(peer, 0, msg);
	if (err < 0) {
		free(peer);
		return err;
	}
	*ret_peer = peer;
	return 0;
}

static bool vici_answers(void *arg, char *seen, size_t cap)
{
	const struct peer *peer = arg;
	struct vici_client *client;
	struct err_msg msg = {{0}};

	if (vici_client_open(peer->uri, &client, &msg) < 0) {
		snprintf(seen, cap, "%s", msg.text);
		return false;
	}
	vici_client_close(client);
	return true;
}

/* An error from a daemon that died is best told by its own last words. */
int peer_add_log(const struct peer *peer, int err, struct err_msg *msg)
{
	char *log = peer_log(peer);
	size_t len = log ? strlen(log) : 0;
	char text[sizeof(msg->text)];

	if (len > 0) {
		snprintf(text, sizeof(text), "%.200s; log: ...%s", msg->text,
			 log + (len > 250 ? len - 250 : 0));
		err_set(msg, err, "%s", text);
	}
	free(log);
	return err;
}

int peer_start(struct peer *peer, struct err_msg *msg)
{
	const struct process_bind bind = {.from = peer->swanctl_dir, .to = "/etc/swanctl"};
	struct peer_command command = {.argv = {NULL}};
	struct process_spec spec = {.node = peer->node,
				    .argv = command.argv,
				    .env = command.env,
				    .binds = &bind,
				    .binds_count = 1,
				    .private_run = true,
				    .survives_file_limit = true,
				    .log = peer->log};
	int err = peer->driver->command(peer->dir, &peer->options, &command, msg);

	if (err == 0 && peer->options.own_clock)
		err = peer_add_clock(peer, &command, msg);
	if (err == 0)
		err = process_start(peer->net, &spec, &peer->process, msg);
	if (err < 0)
		return err;
	err = process_wait_until(peer->process, vici_answers, peer, START_TIMEOUT_MS, "vici socket",
				 msg);
	return err < 0 ? peer_add_log(peer, err, msg) : 0;
}

int peer_pause(struct peer *peer, bool pause, struct err_msg *msg)
{
	if (peer->process && process_signal(peer->process, pause ? SIGSTOP : SIGCONT) == 0)
		return 0;
	return err_set(msg, ERR_IO, "%s: the daemon is not there", peer->node);
}

int peer_stop(struct peer *peer)
{
	int status;

	if (peer->process)
		process_signal(peer->process, SIGCONT); /* or SIGTERM would wait */
	status = process_stop(peer->process, 5000);

	peer->process = NULL;
	return status == 128 + SIGKILL && peer->driver->may_hang_at_end ? 0 : status;
}

void peer_kill(struct peer *peer)
{
	int status;

	process_signal(peer->process, SIGKILL);
	process_wait(peer->process, 5000, &status, NULL);
	process_stop(peer->process, 0);
	peer->process = NULL;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	peer_stop(peer);
	free(peer);
}

const char *peer_node(const struct peer *peer)
{
	return peer->node;
}

const char *peer_name(const struct peer *peer)
{
	return peer->driver->name;
}

const char *peer_dir(const struct peer *peer)
{
	return peer->dir;
}

const char *peer_uri(const struct peer *peer)
{
	return peer->uri;
}

pid_t peer_pid(const struct peer *peer)
{
	return process_pid(peer->process);
}

/* "VmRSS:     1234 kB" in /proc/PID/status (proc(5)). */
static uint64_t find_kb(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

int peer_memory(struct peer *peer, uint64_t *ret_now, uint64_t *ret_most)
{
	char path[64], status[4096];
	size_t len;
	FILE *file;

	if (!peer->process)
		return ERR_STATE;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)process_pid(peer->process));
	file = fopen(path, "re");
	if (!file)
		return ERR_STATE;
	len = fread(status, 1, sizeof(status) - 1, file);
	fclose(file);
	status[len] = 0;
	*ret_now = find_kb(status, "VmRSS:");
	*ret_most = find_kb(status, "VmHWM:");
	if (!peer->first_memory)
		peer->first_memory = *ret_now;
	return *ret_now ? 0 : ERR_STATE;
}

uint64_t peer_first_memory(const struct peer *peer)
{
	return peer->first_memory;
}

bool peer_is_running(struct peer *peer)
{
	int status;

	return peer->process && !process_ended(peer->process, &status);
}

int peer_write(struct peer *peer, const char *name, const void *data, size_t len,
	       struct err_msg *msg)
{
	char path[PEER_PATH_MAX * 2];
	FILE *file;
	bool wrote;

	snprintf(path, sizeof(path), "%s/%s", peer->swanctl_dir, name);
	file = fopen(path, "we");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	wrote = fwrite(data, 1, len, file) == len;
	if (fclose(file) != 0 || !wrote)
		return err_set(msg, ERR_IO, "%s: not written", path);
	return 0;
}

int peer_copy(struct peer *peer, const char *name, const char *from, struct err_msg *msg)
{
	char data[65536];
	FILE *file = fopen(from, "re");
	size_t len;

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", from, strerror(errno));
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	return peer_write(peer, name, data, len, msg);
}

int peer_remove(struct peer *peer, const char *name, struct err_msg *msg)
{
	char path[PEER_PATH_MAX * 2];

	snprintf(path, sizeof(path), "%s/%s", peer->swanctl_dir, name);
	return unlink(path) < 0 ? err_set(msg, ERR_IO, "%s: %s", path, strerror(errno)) : 0;
}

char *peer_log(const struct peer *peer)
{
	FILE *file = fopen(peer->log, "re");
	char *text = calloc(1, PEER_LOG_MAX + 1);
	size_t len;

	if (file && text) {
		if (fseek(file, -PEER_LOG_MAX, SEEK_END) < 0)
			rewind(file);
		len = fread(text, 1, PEER_LOG_MAX, file);
		text[len] = 0;
	}
	if (file)
		fclose(file);
	return text;
}

static bool line_has_all(const char *line, const char *const *words)
{
	while (*words && strstr(line, *words))
		words++;
	return !*words;
}

struct wanted_line {
	const struct peer *peer;
	const char *const *words;
};

static bool log_has(void *arg, char *seen, size_t cap)
{
	const struct wanted_line *wanted = arg;
	char *log = peer_log(wanted->peer);
	char *line, *rest = log;
	bool has = false;

	while (!has && (line = strsep(&rest, "\n"))) {
		if (*line)
			snprintf(seen, cap, "%s", line);
		has = line_has_all(line, wanted->words);
	}
	free(log);
	return has;
}

int peer_wait_log(struct peer *peer, const char *const *words, unsigned timeout_ms,
		  struct err_msg *msg)
{
	struct wanted_line wanted = {.peer = peer, .words = words};
	char what[256];

	snprintf(what, sizeof(what), "%s's log: a line with \"%s\" and \"%s\"", peer->node,
		 words[0], words[1] ? words[1] : "");
	return process_wait_until(peer->process, log_has, &wanted, timeout_ms, what, msg);
}
