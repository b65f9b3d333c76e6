/* packet.c - vici packets, and frames out of a stream of octets.
 *
 * The stream buffer keeps what was received and not used; frames are handed out in place and their
 * octets dropped (and wiped) when more are added. A length above the limit ends the stream: what
 * follows cannot be found any more. */
#include "vpn/vici/vici.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

#define FRAME_HEADER 4

static bool type_known(uint8_t type, bool *ret_named)
{
	switch (type) {
#define X(id, value, text, named)   \
	case value:                 \
		*ret_named = named; \
		return true;
		VICI_PACKETS(X)
#undef X
	default:
		return false;
	}
}

static bool printable(struct view v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return true;
}

int vici_packet_parse(struct view frame, struct vici_packet *ret_packet, struct err_msg *msg)
{
	struct reader r = rd_init(frame.p, frame.len);
	uint8_t type = rd_u8(&r);
	struct view name = {0};
	bool named;

	if (!rd_ok(&r))
		return err_set(msg, ERR_SYNTAX, "vici packet without a type");
	if (!type_known(type, &named))
		return err_set(msg, ERR_SYNTAX, "vici packet of unknown type %u", type);
	if (named) {
		size_t len = rd_u8(&r);

		name = rd_view(&r, len);
		if (!rd_ok(&r) || !name.len)
			return err_set(msg, ERR_SYNTAX, "vici packet whose name is cut short");
		if (!printable(name))
			return err_set(msg, ERR_SYNTAX, "vici packet whose name is not ASCII text");
	}
	ret_packet->type = (enum vici_packet_type)type;
	if (name.len)
		memcpy(ret_packet->name, name.p, name.len);
	ret_packet->name[name.len] = '\0';
	ret_packet->message = rd_rest(&r);
	return 0;
}

void vici_stream_free(struct vici_stream *s)
{
	if (s->buf)
		secret_wipe(s->buf, s->cap);
	free(s->buf);
	*s = (struct vici_stream){0};
}

static void drop_used(struct vici_stream *s)
{
	size_t left = s->len - s->used;

	if (!s->used)
		return;
	memmove(s->buf, s->buf + s->used, left);
	secret_wipe(s->buf + left, s->used);
	s->len = left;
	s->used = 0;
}

static int stream_grow(struct vici_stream *s, size_t need)
{
	size_t cap = s->cap ? s->cap : 4096;
	uint8_t *bigger;

	while (cap < need)
		cap *= 2;
	if (cap == s->cap)
		return 0;
	bigger = malloc(cap);
	if (!bigger)
		return ERR_NOMEM;
	if (s->len)
		memcpy(bigger, s->buf, s->len);
	if (s->buf)
		secret_wipe(s->buf, s->len);
	free(s->buf);
	s->buf = bigger;
	s->cap = cap;
	return 0;
}

int vici_stream_add(struct vici_stream *s, const void *data, size_t len)
{
	int err;

	drop_used(s);
	if (len > 2 * VICI_FRAME_MAX || s->len + len > 4 * VICI_FRAME_MAX)
		return ERR_LIMIT;
	err = stream_grow(s, s->len + len);
	if (err)
		return err;
	if (len)
		memcpy(s->buf + s->len, data, len);
	s->len += len;
	return 0;
}

int vici_stream_next(struct vici_stream *s, struct view *ret_frame)
{
	struct reader r;
	struct view frame;
	uint32_t len;

	if (s->len == s->used)
		return ERR_AGAIN;
	r = rd_init(s->buf + s->used, s->len - s->used);
	len = rd_u32(&r);
	if (rd_ok(&r) && len > VICI_FRAME_MAX)
		return ERR_LIMIT;
	frame = rd_view(&r, len);
	if (!rd_ok(&r))
		return ERR_AGAIN;
	s->used += FRAME_HEADER + len;
	*ret_frame = frame;
	return 0;
}
