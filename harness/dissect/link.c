/* link.c - link layer headers (IEEE 802.3, 802.1Q, 802.1ad; LINKTYPE_LINUX_SLL and _SLL2 of
 * tcpdump.org), as far as the way to the IP header goes. */
#include "harness/dissect/link.h"

#include <pcap/dlt.h>

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_IPV6	0x86dd
#define ETHERTYPE_VLAN	0x8100
#define ETHERTYPE_QINQ	0x88a8
#define VLAN_TAGS_MAX	4 /* 802.1ad stacks two */
#define ETHER_ADDRS_LEN 12
#define SLL_HDR_LEN	16
#define SLL2_HDR_LEN	20

bool link_is_known(int linktype)
{
	switch (linktype) {
	case DLT_EN10MB:
	case DLT_RAW:
	case 101: /* LINKTYPE_RAW, where the file's number was not mapped */
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
		return true;
	default:
		return false;
	}
}

static bool starts_with_ip(struct reader r)
{
	unsigned version = rd_u8(&r) >> 4;

	return rd_ok(&r) && (version == 4 || version == 6);
}

static bool read_ethertype(struct reader *r)
{
	uint16_t type = rd_u16(r);
	unsigned tags;

	for (tags = 0; (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) && tags < VLAN_TAGS_MAX;
	     tags++) {
		rd_bytes(r, 2);
		type = rd_u16(r);
	}
	return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static bool skip_header(int linktype, struct reader *r)
{
	struct reader sll = *r;

	switch (linktype) {
	case DLT_EN10MB:
		rd_bytes(r, ETHER_ADDRS_LEN);
		return read_ethertype(r);
	case DLT_LINUX_SLL:
		rd_bytes(r, SLL_HDR_LEN - 2);
		return read_ethertype(r);
	case DLT_LINUX_SLL2:
		rd_bytes(r, SLL2_HDR_LEN);
		return read_ethertype(&sll);
	case DLT_NULL:
		rd_bytes(r, 4);
		return true;
	default:
		return true;
	}
}

size_t link_ip_offset(int linktype, struct view frame)
{
	struct reader r = rd_init(frame.p, frame.len);

	if (!skip_header(linktype, &r) || !rd_ok(&r) || !starts_with_ip(r))
		return frame.len;
	return (size_t)(r.p - frame.p);
}
