/* link_files.c - a wire's captures and log, in the formats that others read.
 *
 * The captures are pcap files with nanosecond stamps, so that the order and the times are those of
 * the log to the last digit. A write that fails (a full disk) is noticed at the next look: the
 * caller looks once a batch, and must then stop, as a capture with a hole proves nothing.
 *
 * Ownership: struct link_files has the files, and the thread that writes them (link_writer.h),
 * until link_files_close. */
#include "netns/link_files.h"
#include "netns/link_writer.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

#define RECORD_MAX 1024

static FILE *open_file(const struct link_files *files, const char *dir, const char *name,
		       const char *end, struct err_msg *msg)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, end);
	return link_writer_open(files->writer, path, msg);
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

static int open_all(struct link_files *files, const char *dir, const char *name,
		    struct err_msg *msg)
{
	int err = link_writer_new(&files->writer, msg);

	if (err < 0)
		return err;
	files->format =
	    pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
	if (!files->format)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = open_capture(files, 0, open_file(files, dir, name, "-a.pcap", msg), msg);
	if (err == 0)
		err = open_capture(files, 1, open_file(files, dir, name, "-b.pcap", msg), msg);
	if (err < 0)
		return err;
	files->log = open_file(files, dir, name, ".jsonl", msg);
	return files->log ? link_files_sync(files, msg) : ERR_IO;
}

int link_files_open(const char *dir, const char *name, struct link_files *ret_files,
		    struct err_msg *msg)
{
	struct link_files files = {0};
	int err = dir ? open_all(&files, dir, name, msg) : 0;

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

void link_files_flush(struct link_files *files)
{
	unsigned side;

	for (side = 0; side < 2; side++)
		if (files->captures[side])
			pcap_dump_flush(files->captures[side]);
	if (files->log)
		fflush(files->log);
	files->is_dirty = false;
}

int link_files_sync(struct link_files *files, struct err_msg *msg)
{
	link_files_flush(files);
	return files->writer ? link_writer_sync(files->writer, msg) : 0;
}

bool link_files_failed(const struct link_files *files)
{
	return files->writer && link_writer_failed(files->writer);
}

int link_files_close(struct link_files *files, struct err_msg *msg)
{
	unsigned side;
	int err = 0;

	for (side = 0; side < 2; side++)
		if (files->captures[side])
			pcap_dump_close(files->captures[side]);
	if (files->log && fclose(files->log) != 0)
		err = err_set(msg, ERR_IO, "log: %s", strerror(errno));
	if (files->writer && link_writer_free(files->writer, msg) < 0)
		err = ERR_IO;
	if (files->format)
		pcap_close(files->format);
	files->captures[0] = files->captures[1] = NULL;
	files->log = NULL;
	files->writer = NULL;
	files->format = NULL;
	return err;
}
