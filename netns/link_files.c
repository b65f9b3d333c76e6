/* link_files.c - writes a wire's captures and log through large buffers.
 *
 * The captures are pcap files with nanosecond stamps, so that the order and the times are those of
 * the log to the last digit. A write that fails (a full disk) is noticed at the next look: the
 * caller looks once a batch, and must then stop, as a capture with a hole proves nothing.
 *
 * Ownership: struct link_files has the open files until link_files_close. */
#include "netns/link_files.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE (1 << 20)
#define RECORD_MAX  1024

static int failed(struct err_msg *msg, const char *what)
{
	return err_set(msg, ERR_IO, "%s: %s", what, strerror(errno));
}

static FILE *open_file(const char *dir, const char *name, const char *end, struct err_msg *msg)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, end);
	file = fopen(path, "we");
	if (!file || setvbuf(file, NULL, _IOFBF, BUFFER_SIZE) != 0) {
		failed(msg, path);
		if (file)
			fclose(file);
		return NULL;
	}
	return file;
}

static int open_capture(struct link_files *files, unsigned side, FILE *file, struct err_msg *msg)
{
	if (!file)
		return ERR_IO;
	files->captures[side] = pcap_dump_fopen(files->format, file);
	if (files->captures[side])
		return 0;
	fclose(file);
	return err_set(msg, ERR_IO, "capture: %s", pcap_geterr(files->format));
}

int link_files_open(const char *dir, const char *name, struct link_files *ret_files,
		    struct err_msg *msg)
{
	struct link_files files = {0};
	int err;

	if (!dir) {
		*ret_files = files;
		return 0;
	}
	files.format =
	    pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
	if (!files.format)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = open_capture(&files, 0, open_file(dir, name, "-a.pcap", msg), msg);
	if (err == 0)
		err = open_capture(&files, 1, open_file(dir, name, "-b.pcap", msg), msg);
	if (err == 0) {
		files.log = open_file(dir, name, ".jsonl", msg);
		err = files.log ? 0 : ERR_IO;
	}
	if (err == 0)
		err = link_files_flush(&files, msg);
	if (err < 0) {
		link_files_close(&files, NULL);
		return err;
	}
	*ret_files = files;
	return 0;
}

uint64_t link_files_frame(struct link_files *files, unsigned side, const uint8_t *data, size_t len,
			  int64_t time)
{
	/* With this precision, tv_usec holds nanoseconds (pcap_open_dead_with_tstamp_precision). */
	const struct pcap_pkthdr header = {
	    .ts = {.tv_sec = time / LINK_S, .tv_usec = time % LINK_S},
	    .caplen = (bpf_u_int32)len,
	    .len = (bpf_u_int32)len};

	if (files->captures[side])
		pcap_dump((u_char *)files->captures[side], &header, data);
	files->is_dirty = true;
	return ++files->frames[side];
}

void link_files_record(struct link_files *files, const struct link_record *record)
{
	char line[RECORD_MAX + 1];
	size_t len;

	if (!files->log)
		return;
	len = link_record_format(record, line, RECORD_MAX);
	line[len++] = '\n';
	fwrite(line, 1, len, files->log);
	files->is_dirty = true;
}

bool link_files_failed(const struct link_files *files)
{
	unsigned side;
	bool has_failed = files->log && ferror(files->log);

	for (side = 0; side < 2; side++)
		has_failed |=
		    files->captures[side] && ferror(pcap_dump_file(files->captures[side]));
	return has_failed;
}

int link_files_flush(struct link_files *files, struct err_msg *msg)
{
	unsigned side;

	for (side = 0; side < 2; side++)
		if (files->captures[side] && pcap_dump_flush(files->captures[side]) < 0)
			return failed(msg, "capture");
	if (files->log && fflush(files->log) != 0)
		return failed(msg, "log");
	files->is_dirty = false;
	return link_files_failed(files) ? failed(msg, "capture or log") : 0;
}

int link_files_close(struct link_files *files, struct err_msg *msg)
{
	int err = link_files_flush(files, msg);
	unsigned side;

	for (side = 0; side < 2; side++)
		if (files->captures[side])
			pcap_dump_close(files->captures[side]);
	if (files->log && fclose(files->log) != 0 && err == 0)
		err = failed(msg, "log");
	if (files->format)
		pcap_close(files->format);
	*files = (struct link_files){0};
	return err;
}
