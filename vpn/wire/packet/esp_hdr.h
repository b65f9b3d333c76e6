/* esp_hdr.h - the fixed parts of an ESP packet (RFC 4303 §2).
 *
 *     SPI (4) | sequence (4) | IV | payload | padding 1,2,3,.. | pad length (1) | next header (1) |
 * ICV */
#ifndef VPN_WIRE_PACKET_ESP_HDR_H
#define VPN_WIRE_PACKET_ESP_HDR_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"
#include "vpn/base/writer.h"

#define ESP_HDR_LEN	8
#define ESP_TRAILER_LEN 2
#define ESP_PAD_MAX	255
#define ESP_SPI_MIN	256 /* RFC 4303 §2.1: 0 is for local use, 1 to 255 are reserved */

struct esp_hdr {
	uint32_t spi;
	uint32_t seq;
};

static inline struct esp_hdr esp_hdr_read(struct reader *r)
{
	uint32_t spi = rd_u32(r);

	return (struct esp_hdr){.spi = spi, .seq = rd_u32(r)};
}

static inline void esp_hdr_write(struct writer *w, uint32_t spi, uint32_t seq)
{
	wr_u32(w, spi);
	wr_u32(w, seq);
}

/* Octets of padding so that payload, padding and trailer fill whole blocks of `align` (RFC 4303
 * §2.4). */
static inline size_t esp_pad_len(size_t payload_len, size_t align)
{
	return (align - (payload_len + ESP_TRAILER_LEN) % align) % align;
}

/* Padding 1, 2, 3, ..., its length, and the next header. */
void esp_trailer_write(struct writer *w, size_t pad_len, uint8_t next_header);

struct esp_trailer {
	size_t payload_len; /* without padding and trailer */
	uint8_t next_header;
};

/* Reads the end of a decrypted payload; ERR_SYNTAX if the padding is longer than the payload or is
 * not 1, 2, 3, ... (RFC 4303 §2.4 says SHOULD inspect). */
int esp_trailer_read(const uint8_t *data, size_t len, struct esp_trailer *ret_trailer);

#endif
