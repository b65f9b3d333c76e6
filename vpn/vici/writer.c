/* writer.c - encodes vici messages into a buffer that grows.
 *
 * The buffer is a struct writer whose memory is replaced by a larger one when the next element
 * would not fit; every element first makes room for itself, so the writer below never overflows.
 * The first failure stands until vici_finish reports it, which keeps the callers free of checks.
 * The writer guards the grammar: items only in lists, nothing but items in lists, every section
 * closed. Old buffers are wiped, for messages carry secrets. */
#include "vpn/vici/vici.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/vici/element.h"

#define FRAME_HEADER 4

static void fail(struct vici_writer *v, int err)
{
	if (!v->err)
		v->err = err;
}

static int grow(struct vici_writer *v, size_t need)
{
	size_t cap = v->w.cap ? v->w.cap * 2 : 512;
	uint8_t *bigger;

	while (cap < need)
		cap *= 2;
	bigger = malloc(cap);
	if (!bigger)
		return ERR_NOMEM;
	if (v->w.len)
		memcpy(bigger, v->w.base, v->w.len);
	if (v->w.base)
		secret_wipe(v->w.base, v->w.len);
	free(v->w.base);
	v->w.base = bigger;
	v->w.cap = cap;
	return 0;
}

/* True if n more octets may be written. */
static bool make_room(struct vici_writer *v, size_t n)
{
	size_t need = v->w.len + n;
	int err = 0;

	if (v->err)
		return false;
	if (n > VICI_FRAME_MAX || need > FRAME_HEADER + VICI_FRAME_MAX)
		err = ERR_LIMIT;
	else if (need > v->w.cap)
		err = grow(v, need);
	if (err)
		fail(v, err);
	return !err;
}

void vici_writer_free(struct vici_writer *v)
{
	if (v->w.base)
		secret_wipe(v->w.base, v->w.cap);
	free(v->w.base);
	memset(v, 0, sizeof(*v));
}

static bool packet_has_name(enum vici_packet_type type)
{
	switch (type) {
#define X(id, value, text, named) \
	case id:                  \
		return named;
		VICI_PACKETS(X)
#undef X
	}
	return false;
}

static void put_name(struct vici_writer *v, const char *name, size_t len)
{
	wr_u8(&v->w, (uint8_t)len);
	wr_bytes(&v->w, name, len);
}

void vici_begin(struct vici_writer *v, enum vici_packet_type type, const char *name)
{
	bool named = packet_has_name(type);
	size_t len = named ? strlen(name) : 0;

	if (v->w.len)
		fail(v, ERR_STATE);
	if (len > VICI_NAME_MAX)
		fail(v, ERR_LIMIT);
	if (!make_room(v, FRAME_HEADER + 2 + len))
		return;
	v->framed = true;
	wr_u32(&v->w, 0);
	wr_u8(&v->w, (uint8_t)type);
	if (named)
		put_name(v, name, len);
}

int vici_finish(struct vici_writer *v, struct view *ret_octets)
{
	size_t limit = VICI_FRAME_MAX + (v->framed ? FRAME_HEADER : 0);

	if (v->depth || v->in_list)
		fail(v, ERR_STATE);
	if (v->w.len > limit)
		fail(v, ERR_LIMIT);
	if (v->err)
		return v->err;
	if (v->framed)
		wr_patch32(&v->w, 0, (uint32_t)(v->w.len - FRAME_HEADER));
	*ret_octets = (struct view){.p = v->w.base, .len = v->w.len};
	return 0;
}

/* Opens an element that has a name; false if that is not possible here. */
static bool put_named(struct vici_writer *v, enum vici_element element, const char *name,
		      size_t more)
{
	size_t len = strlen(name);

	if (v->in_list)
		fail(v, ERR_STATE);
	if (len > VICI_NAME_MAX)
		fail(v, ERR_LIMIT);
	if (!make_room(v, 2 + len + more))
		return false;
	wr_u8(&v->w, (uint8_t)element);
	put_name(v, name, len);
	return true;
}

void vici_section(struct vici_writer *v, const char *name)
{
	if (v->depth >= VICI_DEPTH_MAX)
		fail(v, ERR_LIMIT);
	if (put_named(v, VICI_SECTION_START, name, 0))
		v->depth++;
}

void vici_section_end(struct vici_writer *v)
{
	if (v->in_list || !v->depth)
		fail(v, ERR_STATE);
	if (!make_room(v, 1))
		return;
	wr_u8(&v->w, VICI_SECTION_END);
	v->depth--;
}

void vici_list(struct vici_writer *v, const char *name)
{
	if (put_named(v, VICI_LIST_START, name, 0))
		v->in_list = true;
}

void vici_list_end(struct vici_writer *v)
{
	if (!v->in_list)
		fail(v, ERR_STATE);
	if (!make_room(v, 1))
		return;
	wr_u8(&v->w, VICI_LIST_END);
	v->in_list = false;
}

static void put_data(struct vici_writer *v, const void *data, size_t len)
{
	wr_u16(&v->w, (uint16_t)len);
	wr_bytes(&v->w, data, len);
}

void vici_item(struct vici_writer *v, const void *data, size_t len)
{
	if (!v->in_list)
		fail(v, ERR_STATE);
	if (len > VICI_VALUE_MAX)
		fail(v, ERR_LIMIT);
	if (!make_room(v, 3 + len))
		return;
	wr_u8(&v->w, VICI_LIST_ITEM);
	put_data(v, data, len);
}

void vici_item_str(struct vici_writer *v, const char *text)
{
	vici_item(v, text, strlen(text));
}

void vici_value(struct vici_writer *v, const char *key, const void *data, size_t len)
{
	if (len > VICI_VALUE_MAX)
		fail(v, ERR_LIMIT);
	if (put_named(v, VICI_KEY_VALUE, key, 2 + len))
		put_data(v, data, len);
}

void vici_value_str(struct vici_writer *v, const char *key, const char *text)
{
	vici_value(v, key, text, strlen(text));
}

void vici_value_fmt(struct vici_writer *v, const char *key, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		fail(v, ERR_NOMEM);
		return;
	}
	vici_value(v, key, text, (size_t)len);
	free(text);
}

void vici_raw(struct vici_writer *v, struct view message)
{
	if (make_room(v, message.len))
		wr_bytes(&v->w, message.p, message.len);
}
