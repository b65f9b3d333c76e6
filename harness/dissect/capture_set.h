/* capture_set.h - the frames of one or several capture files, as octets and times.
 *
 * A file is a place: the wire and the end of it where the capture was taken. Frames keep the number
 * that every tool gives them (from 1, in the order of their file). A set owns its frames; tests
 * edit it (drop, duplicate, alter) before it is dissected. */
#ifndef HARNESS_DISSECT_CAPTURE_SET_H
#define HARNESS_DISSECT_CAPTURE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"

#define CAPTURE_PLACES_MAX 64
#define CAPTURE_FRAME_MAX  262144     /* tcpdump's own default snapshot length */
#define CAPTURE_OCTETS_MAX (1u << 30) /* of a whole set: it is held in memory */

struct capture_place {
	char *path;
	char *name;   /* the file's name without directories and without .pcap or .pcapng */
	int linktype; /* DLT_* of libpcap */
	uint32_t frames;
	char *problem; /* "FILE: frame 12: ..." if the file is cut short or broken, else NULL */
};

struct capture_frame {
	size_t place;	   /* index of a place */
	uint32_t number;   /* in its file, from 1 */
	uint64_t time_us;  /* since 1970 */
	uint32_t len;	   /* octets captured */
	uint32_t wire_len; /* octets that were on the wire */
	uint8_t *data;
};

struct capture_set {
	struct capture_place *places;
	size_t n_places;
	struct capture_frame *frames;
	size_t n_frames;
	size_t octets;
};

/* Adds the frames of a pcap or pcapng file. A file that breaks off in the middle gives what it has
 * up to there, and the place's problem says where it broke. ERR_IO or ERR_SYNTAX if it cannot be
 * opened or is no capture, ERR_UNSUPPORTED for a link type that is not read, ERR_LIMIT. */
int capture_set_add_file(struct capture_set *set, const char *path, struct err_msg *msg);
/* The same of a file's octets. */
int capture_set_add_memory(struct capture_set *set, const char *name, const void *data, size_t len,
			   struct err_msg *msg);
/* For readers of their own: a place without frames; then a frame, whose octets are copied. The
 * numbers of a place's frames are the caller's matter. ERR_LIMIT, ERR_NOMEM, ERR_UNSUPPORTED. */
int capture_set_add_place(struct capture_set *set, const char *path, int linktype,
			  size_t *ret_place, struct err_msg *msg);
int capture_set_add_frame(struct capture_set *set, const struct capture_frame *frame);
/* In the order of time; frames of the same time keep their order. */
void capture_set_sort(struct capture_set *set);
/* Edits, for tests: the frame at index i is left out, or comes a second time behind itself. */
void capture_set_drop(struct capture_set *set, size_t i);
int capture_set_duplicate(struct capture_set *set, size_t i);
void capture_set_free(struct capture_set *set);

#endif
