/* esp_hdr.c - the ESP trailer (RFC 4303 §2.4 to §2.6). Sizes and framing only; no keys, no SA. */
#include "vpn/wire/packet/esp_hdr.h"

#include "vpn/base/err.h"

void esp_trailer_write(struct writer *w, size_t pad_len, uint8_t next_header)
{
	size_t i;

	for (i = 1; i <= pad_len; i++)
		wr_u8(w, (uint8_t)i);
	wr_u8(w, (uint8_t)pad_len);
	wr_u8(w, next_header);
}

int esp_trailer_read(const uint8_t *data, size_t len, struct esp_trailer *ret_trailer)
{
	struct reader end;
	struct reader pad;
	size_t pad_len, i;
	uint8_t next;

	if (len < ESP_TRAILER_LEN)
		return ERR_SYNTAX;
	end = rd_init(data + len - ESP_TRAILER_LEN, ESP_TRAILER_LEN);
	pad_len = rd_u8(&end);
	next = rd_u8(&end);
	if (pad_len > len - ESP_TRAILER_LEN)
		return ERR_SYNTAX;
	pad = rd_init(data + len - ESP_TRAILER_LEN - pad_len, pad_len);
	for (i = 1; i <= pad_len; i++)
		if (rd_u8(&pad) != i)
			return ERR_SYNTAX;
	ret_trailer->payload_len = len - ESP_TRAILER_LEN - pad_len;
	ret_trailer->next_header = next;
	return 0;
}
