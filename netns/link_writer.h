/* link_writer.h - files that a thread writes, so that a slow disk does not hold up a fast wire. */
#ifndef NETNS_LINK_WRITER_H
#define NETNS_LINK_WRITER_H

#include <stdbool.h>
#include <stdio.h>
#include "vpn/base/err.h"

struct link_writer;

int link_writer_new(struct link_writer **ret_writer, struct err_msg *msg);
/* A new file. What is flushed out of its buffer is written soon; fclose() does not wait. NULL, and
 * msg says why. */
FILE *link_writer_open(struct link_writer *writer, const char *path, struct err_msg *msg);
/* Waits until all that was flushed is written. ERR_IO if any write has failed since the start. */
int link_writer_sync(struct link_writer *writer, struct err_msg *msg);
bool link_writer_failed(struct link_writer *writer);
/* After its files were closed: writes the rest, ends the thread, frees. ERR_IO. */
int link_writer_free(struct link_writer *writer, struct err_msg *msg);

#endif
