/* stream.h - a capture file as a stream of packets: one at a time, nothing kept. */
#ifndef HARNESS_EXPLAIN_STREAM_H
#define HARNESS_EXPLAIN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/base/reader.h"
#include "vpn/wire/packet/ip.h"

enum packet_kind {
	PACKET_NOT_IP, /* nothing that is read, or the IP header is broken or cut off */
	PACKET_IKE,
	PACKET_ESP,
	PACKET_KEEPALIVE,
	PACKET_ICMP_ERROR,
	PACKET_FRAGMENT,
	PACKET_LINK, /* neighbour discovery, multicast listeners */
	PACKET_OTHER,
};

/* Views live until the next packet is read. */
struct packet {
	uint32_t number; /* in its file, from 1 */
	uint64_t time_us;
	struct view octets; /* as captured */
	uint32_t wire_len;
	bool cut;
	enum packet_kind kind;
	struct view ip; /* as long as its own length field says; len 0: no IP */
	struct ip_info info;
	struct endpoint src, dst;
	bool encap;	  /* ESP in UDP */
	struct view body; /* of ESP: from the SPI on */
};

typedef int packet_fn(void *arg, const struct packet *p);

struct stream_end {
	uint32_t frames;
	int linktype;
	char broken[256]; /* where and why the file breaks off; "": it does not */
};

/* Calls fn for each frame of a regular file (it is read twice) until it returns something else than
 * 0, which is then returned. ERR_IO, ERR_SYNTAX or ERR_UNSUPPORTED if the file cannot be opened, is
 * no capture, or of a link type that is not read. A file that breaks off is no error: ret_end says
 * so. */
int stream_read(const char *path, packet_fn *fn, void *arg, struct stream_end *ret_end,
		struct err_msg *msg);

#endif
