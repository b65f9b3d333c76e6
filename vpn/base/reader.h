/* reader.h - a bounds-checked cursor over received octets, with sticky failure.
 *
 * Every parser reads only through this. After the first read past the end, all reads return zero or
 * NULL and rd_ok() is false: check it before a value decides anything. rd_sub() gives a cursor over
 * a nested length, which the caller must see consumed whole (rd_done()) unless the RFC says ignore.
 * A reader owns nothing: views into the datagram die with it. Multi-octet values are in network
 * order (RFC 791 appendix B). */
#ifndef VPN_BASE_READER_H
#define VPN_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *p;
	const uint8_t *end;
	bool failed;
};

/* A view of octets that belong to somebody else. */
struct view {
	const uint8_t *p;
	size_t len;
};

static inline struct reader rd_init(const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;

	return (struct reader){.p = p, .end = p ? p + len : p, .failed = false};
}

static inline size_t rd_left(const struct reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->p);
}

static inline bool rd_ok(const struct reader *r)
{
	return !r->failed;
}

/* True if nothing failed and nothing is left. */
static inline bool rd_done(const struct reader *r)
{
	return !r->failed && r->p == r->end;
}

/* The next n octets, or NULL. For n = 0 the result is not NULL while the reader is good. */
static inline const uint8_t *rd_bytes(struct reader *r, size_t n)
{
	static const uint8_t nothing[1];
	const uint8_t *p = r->p ? r->p : nothing;

	if (r->failed || (size_t)(r->end - r->p) < n) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint8_t rd_u8(struct reader *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rd_u16(struct reader *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_u32(struct reader *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t rd_u64(struct reader *r)
{
	uint64_t hi = rd_u32(r);

	return hi << 32 | rd_u32(r);
}

static inline struct view rd_view(struct reader *r, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	return (struct view){.p = p, .len = p ? n : 0};
}

static inline struct view rd_rest(struct reader *r)
{
	return rd_view(r, rd_left(r));
}

/* A cursor over the next n octets; fails (and fails r) if there are fewer. */
static inline struct reader rd_sub(struct reader *r, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);
	struct reader sub = rd_init(p, p ? n : 0);

	sub.failed = !p;
	return sub;
}

#endif
