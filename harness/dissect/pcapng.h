/* pcapng.h - writing a pcapng file (draft-ietf-opsawg-pcapng): interfaces with names, packets with
 * comments. libpcap writes neither. */
#ifndef HARNESS_DISSECT_PCAPNG_H
#define HARNESS_DISSECT_PCAPNG_H

#include <stdint.h>
#include <stdio.h>

#include "vpn/base/err.h"
#include "vpn/base/reader.h"

struct pcapng {
	FILE *file;
	uint32_t interfaces;
};

/* Writes the section header; application is what made the file. ERR_IO. */
int pcapng_begin(struct pcapng *p, FILE *file, const char *application);
/* Interfaces come before the packets; numbered from 0. linktype is a DLT_* value. */
int pcapng_interface(struct pcapng *p, int linktype, const char *name);
/* comment may be NULL. wire_len is what was on the wire, at least data.len. */
int pcapng_packet(struct pcapng *p, uint32_t interface, uint64_t time_us, struct view data,
		  uint32_t wire_len, const char *comment);

#endif
