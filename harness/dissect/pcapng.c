/* pcapng.c - the three blocks that a capture needs: section header, interface description, enhanced
 * packet (draft-ietf-opsawg-pcapng §4.1 to §4.3). Written in network order, which the byte-order
 * magic says: a file is then the same whatever machine wrote it.
 *
 * Every block is its type, its length, its body in units of 4 octets, and its length again. */
#include "harness/dissect/pcapng.h"

#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/writer.h"

enum block_type { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum option { OPT_END = 0, OPT_COMMENT = 1, OPT_IF_NAME = 2, OPT_SHB_USERAPPL = 4 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINKTYPE_RAW	 101 /* DLT_RAW is another number on this system */
#define BLOCK_OVERHEAD	 64
#define OPTION_MAX	 1024

static void align4(struct writer *w)
{
	wr_zero(w, (4 - w->len % 4) % 4);
}

static void put_option(struct writer *w, enum option code, const char *text)
{
	size_t len = text ? strnlen(text, OPTION_MAX) : 0;

	if (!len)
		return;
	wr_u16(w, (uint16_t)code);
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, text, len);
	align4(w);
	wr_u32(w, OPT_END);
}

static struct writer begin_block(void *buf, size_t cap, enum block_type type)
{
	struct writer w = wr_init(buf, cap);

	wr_u32(&w, (uint32_t)type);
	wr_u32(&w, 0);
	return w;
}

static int end_block(struct pcapng *p, struct writer *w)
{
	wr_u32(w, (uint32_t)w->len + 4);
	wr_patch32(w, 4, (uint32_t)w->len);
	if (!wr_ok(w))
		return ERR_SPACE;
	return fwrite(w->base, 1, w->len, p->file) == w->len ? 0 : ERR_IO;
}

int pcapng_begin(struct pcapng *p, FILE *file, const char *application)
{
	uint8_t buf[BLOCK_OVERHEAD + OPTION_MAX];
	struct writer w = begin_block(buf, sizeof(buf), BLOCK_SECTION);

	*p = (struct pcapng){.file = file};
	wr_u32(&w, BYTE_ORDER_MAGIC);
	wr_u16(&w, 1); /* version 1.0 */
	wr_u16(&w, 0);
	wr_u64(&w, UINT64_MAX); /* the section's length is not stated */
	put_option(&w, OPT_SHB_USERAPPL, application);
	return end_block(p, &w);
}

int pcapng_interface(struct pcapng *p, int linktype, const char *name)
{
	uint8_t buf[BLOCK_OVERHEAD + OPTION_MAX];
	struct writer w = begin_block(buf, sizeof(buf), BLOCK_INTERFACE);

	wr_u16(&w, (uint16_t)(linktype == DLT_RAW ? LINKTYPE_RAW : linktype));
	wr_u16(&w, 0);
	wr_u32(&w, 0); /* no limit on the length of a packet */
	put_option(&w, OPT_IF_NAME, name);
	p->interfaces++;
	return end_block(p, &w);
}

int pcapng_packet(struct pcapng *p, uint32_t interface, uint64_t time_us, struct view data,
		  uint32_t wire_len, const char *comment)
{
	size_t cap = BLOCK_OVERHEAD + OPTION_MAX + data.len;
	uint8_t *buf = malloc(cap);
	struct writer w;
	int err;

	if (!buf)
		return ERR_NOMEM;
	w = begin_block(buf, cap, BLOCK_PACKET);
	wr_u32(&w, interface);
	wr_u64(&w, time_us); /* microseconds, by default */
	wr_u32(&w, (uint32_t)data.len);
	wr_u32(&w, wire_len < data.len ? (uint32_t)data.len : wire_len);
	wr_bytes(&w, data.p, data.len);
	align4(&w);
	put_option(&w, OPT_COMMENT, comment);
	err = end_block(p, &w);
	free(buf);
	return err;
}
