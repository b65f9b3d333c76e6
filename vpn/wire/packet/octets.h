/* octets.h - fields of a header that is already in a buffer: a writer positioned over it, so that
 * single fields are patched with the bounds check that every write has, and reads at an offset. */
#ifndef VPN_WIRE_PACKET_OCTETS_H
#define VPN_WIRE_PACKET_OCTETS_H

#include "vpn/base/reader.h"
#include "vpn/base/writer.h"

/* A writer whose octets all exist already: wr_patch8/16/32 change them. */
static inline struct writer wr_over(void *data, size_t len)
{
	return (struct writer){.base = (uint8_t *)data, .len = len, .cap = len, .failed = false};
}

/* A reader of data that starts at an offset; it has failed if that is behind the end. */
static inline struct reader rd_at(const void *data, size_t len, size_t at)
{
	struct reader r = rd_init(data, len);

	rd_bytes(&r, at);
	return r;
}

static inline uint16_t get_u16(const void *data, size_t len, size_t at)
{
	struct reader r = rd_at(data, len, at);

	return rd_u16(&r);
}

static inline uint32_t get_u32(const void *data, size_t len, size_t at)
{
	struct reader r = rd_at(data, len, at);

	return rd_u32(&r);
}

#endif
