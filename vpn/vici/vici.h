/* vici.h - strongSwan's control protocol: packets, and the messages in them (vici README of
 * strongSwan).
 *
 * A frame is a 32-bit length and a packet; a packet is a type, for some types a name, and a
 * message; a message is a tree of sections, lists and values. Encoding streams through struct
 * vici_writer; decoding gives a tree whose strings are copies, so it outlives the octets that it
 * came from. Nothing here does I/O. Messages carry private keys and shared secrets: everything is
 * wiped when it is released. */
#ifndef VPN_VICI_VICI_H
#define VPN_VICI_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/reader.h"
#include "vpn/base/writer.h"

#define VICI_FRAME_MAX (512u * 1024u) /* octets of a packet, as strongSwan limits it */
#define VICI_NAME_MAX  255u	      /* an 8-bit length */
#define VICI_VALUE_MAX 65535u	      /* a 16-bit length */
#define VICI_DEPTH_MAX 16u    /* nested sections; the deepest message of the protocol has 5 */
#define VICI_NODES_MAX 65536u /* elements of a message; the smallest possible takes 3 octets */

#define VICI_PACKETS(X)                                       \
	X(VICI_CMD_REQUEST, 0, "CMD_REQUEST", true)           \
	X(VICI_CMD_RESPONSE, 1, "CMD_RESPONSE", false)        \
	X(VICI_CMD_UNKNOWN, 2, "CMD_UNKNOWN", false)          \
	X(VICI_EVENT_REGISTER, 3, "EVENT_REGISTER", true)     \
	X(VICI_EVENT_UNREGISTER, 4, "EVENT_UNREGISTER", true) \
	X(VICI_EVENT_CONFIRM, 5, "EVENT_CONFIRM", false)      \
	X(VICI_EVENT_UNKNOWN, 6, "EVENT_UNKNOWN", false)      \
	X(VICI_EVENT, 7, "EVENT", true)

enum vici_packet_type {
#define X(id, value, text, named) id = value,
	VICI_PACKETS(X)
#undef X
};

/* A packet as received; message is a view into the frame. */
struct vici_packet {
	enum vici_packet_type type;
	char name[VICI_NAME_MAX + 1]; /* "" for types without a name */
	struct view message;
};

/* Parses the octets after the frame's length. ERR_SYNTAX; *msg says what is wrong. */
int vici_packet_parse(struct view frame, struct vici_packet *ret_packet, struct err_msg *msg);

/* --- Encoding --- */

/* Grows as needed; failure is sticky and shows in vici_writer_finish. Zero-initialised is empty. */
struct vici_writer {
	struct writer w;
	unsigned depth; /* open sections */
	bool in_list;
	bool framed; /* vici_begin was called */
	int err;
};

void vici_writer_free(struct vici_writer *v); /* wipes; may be used again */

/* Optional, first: makes the buffer a whole frame, length included. name is ignored for unnamed
 * types. */
void vici_begin(struct vici_writer *v, enum vici_packet_type type, const char *name);
/* Patches the frame's length, if there is one. ERR_NOMEM, ERR_LIMIT (frame, name or value too long,
 * sections too deep), ERR_STATE (unbalanced). The view is good until the writer is used again. */
int vici_finish(struct vici_writer *v, struct view *ret_octets);

void vici_section(struct vici_writer *v, const char *name);
void vici_section_end(struct vici_writer *v);
void vici_list(struct vici_writer *v, const char *name);
void vici_list_end(struct vici_writer *v);
void vici_item(struct vici_writer *v, const void *data, size_t len);
void vici_item_str(struct vici_writer *v, const char *text);
void vici_value(struct vici_writer *v, const char *key, const void *data, size_t len);
void vici_value_str(struct vici_writer *v, const char *key, const char *text);
void vici_value_fmt(struct vici_writer *v, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A whole encoded message, which the caller knows to be balanced. */
void vici_raw(struct vici_writer *v, struct view message);

/* --- Decoding --- */

enum vici_kind { VICI_SECTION, VICI_LIST, VICI_VALUE };

struct vici_node {
	enum vici_kind kind;
	const char *name; /* "" for the root and for list items */
	const char *text; /* values: NUL-terminated copy, "" otherwise; may hold NULs inside */
	size_t len;	  /* octets of a value */
	const struct vici_node *child; /* of sections and lists */
	const struct vici_node *next;
};

struct vici_tree {
	struct vici_node *root; /* a section; nodes and strings are one block that begins here */
	size_t size;		/* of the block */
};

/* Checks and copies a message. ERR_SYNTAX (*msg gives the offset), ERR_LIMIT, ERR_NOMEM. */
int vici_parse(struct view message, struct vici_tree *ret_tree, struct err_msg *msg);
void vici_tree_free(struct vici_tree *tree); /* wipes */

/* The child of that name, or NULL; node may be NULL. */
const struct vici_node *vici_find(const struct vici_node *node, const char *name);
/* The text of the value at that name, or NULL if there is none or it is no value. */
const char *vici_text(const struct vici_node *node, const char *name);
size_t vici_count(const struct vici_node *node); /* children */

/* --- Frames out of a stream --- */

/* Octets received and not yet used. Zero-initialised is empty. */
struct vici_stream {
	uint8_t *buf;
	size_t len;
	size_t cap;
	size_t used; /* the octets of frames handed out already */
};

void vici_stream_free(struct vici_stream *s);				  /* wipes */
int vici_stream_add(struct vici_stream *s, const void *data, size_t len); /* ERR_NOMEM, ERR_LIMIT */
/* The next frame without its length, good until the next vici_stream_add. ERR_AGAIN: none is whole
 * yet; ERR_LIMIT: the peer announces one that is too long, and the stream is of no more use. */
int vici_stream_next(struct vici_stream *s, struct view *ret_frame);

#endif
