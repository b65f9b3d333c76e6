/* csum.c - the Internet checksum, fast enough for every octet that passes the data plane.
 *
 * RFC 1071 §2: the sum may be taken in any word size and byte order, for a ones-complement sum only
 * rotates with the octets. So the loop adds native 64-bit words as they lie in memory into four
 * independent sums, and only the folded result is turned to network order. Carries are not tested
 * for: the two halves of each word are added to 64-bit accumulators, which cannot overflow for any
 * packet. */
#include "vpn/wire/packet/csum.h"

#include <string.h>

static uint16_t swap_if_little(uint16_t v)
{
	static const uint8_t one[2] = {0, 1};
	uint16_t native;

	memcpy(&native, one, 2);
	return native == 1 ? v : (uint16_t)(v << 8 | v >> 8);
}

static uint64_t fold32(uint64_t sum)
{
	return (sum & 0xffffffff) + (sum >> 32);
}

uint16_t csum_fold(uint64_t sum)
{
	sum = fold32(fold32(sum));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}

/* The sum of 32-bit native words. The compiler turns this into vector code. */
static uint64_t sum_words(const uint8_t *p, size_t words)
{
	uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
	uint32_t w[4];
	size_t i;

	for (i = 0; i + 4 <= words; i += 4) {
		memcpy(w, p + i * 4, sizeof(w));
		s0 += w[0];
		s1 += w[1];
		s2 += w[2];
		s3 += w[3];
	}
	for (; i < words; i++) {
		memcpy(w, p + i * 4, 4);
		s0 += w[0];
	}
	return s0 + s1 + s2 + s3;
}

uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;
	uint64_t native = sum_words(p, len / 4);
	uint16_t last[2] = {0, 0}; /* RFC 1071 §4.1: an odd octet is padded with zero */

	if (len % 4)
		memcpy(last, p + (len & ~(size_t)3), len % 4);
	return sum + swap_if_little(csum_fold(native + last[0] + last[1]));
}

uint64_t csum_pseudo(const uint8_t *src, const uint8_t *dst, size_t addr_len, uint8_t proto,
		     size_t len)
{
	return csum_add(csum_add(proto + (len >> 16) + (len & 0xffff), src, addr_len), dst,
			addr_len);
}

uint16_t csum_update16(uint16_t check, uint16_t from, uint16_t to)
{
	return csum_finish((uint64_t)(uint16_t)~check + (uint16_t)~from + to);
}
