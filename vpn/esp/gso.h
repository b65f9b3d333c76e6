/* gso.h - segmentation offloads in software: what the kernel leaves undone on the way out of a TUN
 * device (a super-packet of up to 64 kB, a checksum that is not complete), and what it may be
 * spared on the way in (runs of TCP segments, put together again).
 *
 * Pure functions; the virtio header is translated by the data plane. */
#ifndef VPN_ESP_GSO_H
#define VPN_ESP_GSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/esp/packet.h"

enum gso_type { GSO_NONE, GSO_TCP, GSO_UDP };

struct gso {
	enum gso_type type;
	uint16_t size;	 /* payload of one segment */
	bool needs_csum; /* the transport checksum holds the pseudo header's sum only */
	uint16_t csum_start;
	uint16_t csum_offset; /* from csum_start */
};

/* Completes the checksum of a packet with needs_csum. ERR_SYNTAX if the offsets lie outside. */
int gso_complete_checksum(uint8_t *data, size_t len, const struct gso *gso);

/* The pieces that a super-packet falls into. */
struct gso_plan {
	size_t hdr_len; /* IP and transport headers, which every segment repeats */
	size_t payload;
	size_t size; /* payload of every segment but the last */
	size_t n;
};

/* ERR_SYNTAX if the packet is not what gso says it is. GSO_NONE: one piece. */
int gso_plan(const uint8_t *data, const struct ip_info *info, const struct gso *gso,
	     struct gso_plan *ret_plan);
/* Octets of segment i. */
size_t gso_segment_len(const struct gso_plan *plan, size_t i);
/* Writes segment i of a TCP or UDP super-packet to out (gso_segment_len octets), lengths, sequence
 * number, flags and checksums right. */
void gso_segment(const uint8_t *data, const struct ip_info *info, const struct gso *gso,
		 const struct gso_plan *plan, size_t i, uint8_t *out);

/* Runs of in-order segments of a TCP flow. */
#define GRO_HDR_MAX \
	120 /* IPv6 or IPv4 with options, TCP with options; longer ones are left alone */

struct gro_run {
	size_t first; /* index of its first packet */
	size_t last;
	size_t n;
	size_t hdr_len;
	size_t payload; /* of all together */
	size_t size;	/* payload of the first */
	uint32_t next_seq;
	bool open;
};

/* Sorts packets (drop == ESP_DROP_NONE ones, `inner` filled) into runs. ret_runs has room for n;
 * ret_next[i] is the index of the packet after i in its run. Returns the number of runs. Order
 * within a flow is kept. A run of several has had every checksum verified. */
size_t gro_sort(const struct packet *pkts, size_t n, struct gro_run *ret_runs, size_t *ret_next);

/* Writes the headers of the super-packet of a run of several to hdr (run->hdr_len octets) and what
 * the device must know to *ret_gso. */
void gro_header(const struct packet *pkts, const struct gro_run *run, uint8_t *hdr,
		struct gso *ret_gso);

#endif
