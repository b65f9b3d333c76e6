/* writer.h - writes into a fixed buffer of the caller's, with sticky overflow.
 *
 * Every encoder writes only through this. Lengths that are known later are reserved and
 * back-patched by offset (wr_mark16, wr_patch16, wr_close16); nobody sums lengths by hand. After an
 * overflow nothing is written and wr_ok() is false. Multi-octet values go out in network order. */
#ifndef VPN_BASE_WRITER_H
#define VPN_BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	uint8_t *base;
	size_t len;
	size_t cap;
	bool failed;
};

static inline struct writer wr_init(void *buf, size_t cap)
{
	return (struct writer){.base = (uint8_t *)buf, .len = 0, .cap = cap, .failed = false};
}

static inline bool wr_ok(const struct writer *w)
{
	return !w->failed;
}

/* Room for n octets, to be filled by the caller, or NULL. */
static inline uint8_t *wr_room(struct writer *w, size_t n)
{
	uint8_t *p;

	if (w->failed || w->cap - w->len < n) {
		w->failed = true;
		return NULL;
	}
	p = w->base + w->len;
	w->len += n;
	return p;
}

static inline void wr_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = wr_room(w, 1);

	if (p)
		p[0] = v;
}

static inline void wr_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = wr_room(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void wr_u32(struct writer *w, uint32_t v)
{
	wr_u16(w, (uint16_t)(v >> 16));
	wr_u16(w, (uint16_t)v);
}

static inline void wr_u64(struct writer *w, uint64_t v)
{
	wr_u32(w, (uint32_t)(v >> 32));
	wr_u32(w, (uint32_t)v);
}

static inline void wr_bytes(struct writer *w, const void *data, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p && n)
		memcpy(p, data, n);
}

static inline void wr_zero(struct writer *w, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p && n)
		memset(p, 0, n);
}

/* Reserves a 16-bit field and returns its offset, for wr_patch16 or wr_close16. */
static inline size_t wr_mark16(struct writer *w)
{
	size_t at = w->len;

	wr_u16(w, 0);
	return at;
}

static inline void wr_patch8(struct writer *w, size_t at, uint8_t v)
{
	if (!w->failed && at < w->len)
		w->base[at] = v;
}

static inline void wr_patch16(struct writer *w, size_t at, size_t v)
{
	if (v > UINT16_MAX)
		w->failed = true;
	wr_patch8(w, at, (uint8_t)(v >> 8));
	wr_patch8(w, at + 1, (uint8_t)v);
}

static inline void wr_patch32(struct writer *w, size_t at, uint32_t v)
{
	wr_patch16(w, at, v >> 16);
	wr_patch16(w, at + 2, v & 0xffff);
}

/* Patches the field at `at` with the number of octets written since offset `from`. */
static inline void wr_close16(struct writer *w, size_t at, size_t from)
{
	wr_patch16(w, at, w->len - from);
}

#endif
