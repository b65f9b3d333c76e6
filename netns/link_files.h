/* link_files.h - what a wire leaves behind: a capture of each end, and the ground truth. */
#ifndef NETNS_LINK_FILES_H
#define NETNS_LINK_FILES_H

#include <pcap/pcap.h>
#include <stdio.h>
#include "netns/link_record.h"

struct link_writer;

struct link_files {
	struct link_writer *writer; /* NULL: no files */
	pcap_t *format;
	pcap_dumper_t *captures[2];
	FILE *log;
	uint64_t frames[2];
	bool is_dirty; /* there is something to flush */
};

/* Opens DIR/NAME-a.pcap, DIR/NAME-b.pcap and DIR/NAME.jsonl; dir NULL: none, frames are counted
 * all the same. ERR_IO. */
int link_files_open(const char *dir, const char *name, struct link_files *ret_files,
		    struct err_msg *msg);
/* Returns the frame's number in the capture of that side (0: a, 1: b), from 1. time: ns since
 * 1970. */
uint64_t link_files_frame(struct link_files *files, unsigned side, const uint8_t *data, size_t len,
			  int64_t time);
void link_files_record(struct link_files *files, const struct link_record *record);
/* Lets what there is be written soon; does not wait. */
void link_files_flush(struct link_files *files);
/* Waits until all is written. ERR_IO if any write until now has failed. */
int link_files_sync(struct link_files *files, struct err_msg *msg);
/* True if a write has failed already. */
bool link_files_failed(const struct link_files *files);
/* ERR_IO: the files are not complete. */
int link_files_close(struct link_files *files, struct err_msg *msg);

#endif
