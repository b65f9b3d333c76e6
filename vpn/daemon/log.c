/* log.c - writes log lines to stderr or a file. It decides what is written by group and level, and
 * nothing else: what is worth saying, and how often, is decided by whoever says it. */
#include "vpn/daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

void log_init(struct log *log)
{
	int i;

	*log = (struct log){.out = stderr};
	for (i = 0; i < LOG_GROUPS; i++)
		log->level[i] = 1;
}

static int parse_level(const char *text, int *ret_level)
{
	char *end;
	long level = strtol(text, &end, 10);

	if (end == text || *end || level < -1 || level > LOG_LEVEL_MAX)
		return ERR_INVALID;
	*ret_level = (int)level;
	return 0;
}

static int find_group(const char *name, size_t len, int *ret_group)
{
	const char *known;
	int i;

	for (i = 0; i < LOG_GROUPS; i++) {
		known = ike_log_group_name((enum ike_log_group)i);
		if (strlen(known) == len && strncasecmp(known, name, len) == 0) {
			*ret_group = i;
			return 0;
		}
	}
	return ERR_INVALID;
}

int log_set_level(struct log *log, const char *text, struct err_msg *msg)
{
	const char *eq = strchr(text, '=');
	int first = 0, last = LOG_GROUPS - 1, level;

	if (eq) {
		if (find_group(text, (size_t)(eq - text), &first))
			return err_set(msg, ERR_INVALID, "log level '%s': no such group", text);
		last = first;
	}
	if (parse_level(eq ? eq + 1 : text, &level))
		return err_set(msg, ERR_INVALID, "log level '%s': not a number from -1 to %d", text,
			       LOG_LEVEL_MAX);
	while (first <= last)
		log->level[first++] = level;
	return 0;
}

int log_open(struct log *log, const char *path, struct err_msg *msg)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	FILE *out = fd >= 0 ? fdopen(fd, "a") : NULL;

	if (!out) {
		err_set(msg, ERR_IO, "log file %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	log_close(log);
	log->out = out;
	log->own = true;
	return 0;
}

void log_close(struct log *log)
{
	if (log->own)
		fclose(log->out);
	log->own = false;
	log->out = stderr;
}

bool log_wants(const struct log *log, enum ike_log_group group, int level)
{
	return level <= log->level[group];
}

void log_write(struct log *log, const struct ike_log *line, uint64_t now)
{
	time_t seconds = (time_t)(now / 1000000);
	struct tm tm;
	char stamp[32] = "";

	if (!log_wants(log, line->group, line->level))
		return;
	if (localtime_r(&seconds, &tm))
		strftime(stamp, sizeof(stamp), "%b %d %H:%M:%S", &tm);
	fprintf(log->out, "%s.%03u [%s] ", stamp, (unsigned)(now / 1000 % 1000),
		ike_log_group_name(line->group));
	if (line->ike_name && line->ike_id)
		fprintf(log->out, "<%s|%u> ", line->ike_name, line->ike_id);
	else if (line->ike_name)
		fprintf(log->out, "<%s> ", line->ike_name);
	fprintf(log->out, "%s\n", line->text);
	fflush(log->out);
}
