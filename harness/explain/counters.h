/* counters.h - the survey's records, filled packet by packet. */
#ifndef HARNESS_EXPLAIN_COUNTERS_H
#define HARNESS_EXPLAIN_COUNTERS_H

#include "harness/dissect/esp_opener.h"
#include "harness/explain/survey.h"

/* State of the second reading. */
struct counting {
	struct survey *s;
	size_t place;
	struct map esp_index;
	struct esp_opener *opener; /* NULL: no keys */
	struct facts open; /* one ESP packet and its frame at a time; borrows keys and SAs */
	unsigned since_reset;
};

int counting_begin(struct counting *c, struct survey *s);
void counting_end(struct counting *c);
int count_packet(struct counting *c, const struct packet *p);

/* counters_flow.c: an IP packet in the clear, or inside an ESP packet of that child and SPI.
 * *ret_flow: its record. */
int count_ip(struct survey *s, struct seen at, struct view packet, const struct ip_info *info,
	     bool inside, size_t child, uint32_t spi, size_t *ret_flow);

/* counters_talk.c: an ESP packet from one address to another. */
int count_talk(struct survey *s, const struct ip_addr *src, const struct ip_addr *dst,
	       struct seen at);

/* The key of a flow in survey.flow_index. */
uint64_t flow_hash(size_t place, bool inside, uint8_t proto, const struct endpoint *src,
		   const struct endpoint *dst);

/* exchanges.c: from the IKE messages. */
int exchanges_sum(struct survey *s);

#endif
