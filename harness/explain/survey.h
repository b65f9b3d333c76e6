/* survey.h - what captures hold, summed up: the input of every finding.
 *
 * What is rare is kept whole and dissected (IKE messages, ICMP errors, IP fragments): facts. What
 * is many is counted as it passes (ESP packets, keep-alives, packets inside and outside): one
 * record for each flow, whatever it carries. So memory grows with the number of flows, not of
 * packets.
 *
 * A record is of one place and one direction. Survey and records own nothing of each other; indices
 * refer. */
#ifndef HARNESS_EXPLAIN_SURVEY_H
#define HARNESS_EXPLAIN_SURVEY_H

#include "harness/dissect/facts.h"
#include "harness/dissect/map.h"
#include "harness/explain/config.h"
#include "harness/explain/stream.h"

#define SIZE_STEP    16 /* octets of one class of packet sizes */
#define SIZE_CLASSES 128
#define LATE_MAX     64	     /* a replay window that everybody has */
#define SILENCE_US   5000000 /* of both ends: a box that forgets sooner is not to be lived with */
#define ALONE_MIN    3	     /* packets with none the other way: worth a word */

/* A frame to point at; number 0: none. */
struct seen {
	size_t place;
	uint32_t number;
	uint64_t time_us;
};

/* ESP packets of a path while nothing comes the other way. */
struct alone {
	struct seen before; /* the last packet of either; number 0: none */
	struct seen first, last;
	uint64_t n;
};

/* Every IKE, ESP and keep-alive packet from one endpoint to another. Ports 0: ESP without UDP. */
struct path {
	size_t place;
	struct endpoint src, dst;
	uint64_t n_ike, n_esp, n_keepalive;
	size_t prev;	/* path between the same addresses, in this direction; FACT_NONE */
	size_t reverse; /* the other way; FACT_NONE */
	struct alone alone, alone_after_silence; /* now; behind the longest silence of both */
	struct seen first, last;
	struct seen first_ike, last_ike, first_esp, last_esp, first_keepalive, last_keepalive;
};

struct esp_flow {
	size_t place;
	size_t prev; /* flow of the same SPI; FACT_NONE */
	struct endpoint src, dst;
	uint32_t spi;
	bool encap;
	size_t child; /* FACT_NONE: not known (no keys, or made before the capture) */
	bool to_initiator;
	uint64_t n, octets;
	struct seen first, last, largest;
	uint32_t largest_len; /* IP packet */
	uint32_t top;	      /* highest sequence number */
	uint64_t window;      /* of the 64 below top: which were seen */
	uint64_t n_late[2];   /* packets behind top by 32 and more, by 64 and more */
	uint32_t late_by;
	struct seen late;
	size_t late_flow; /* of the latest packet, inside: survey.flows; FACT_NONE */
	uint64_t n_repeated;
	uint32_t first_seq, gap; /* gap: most numbers in a row that were passed over */
	struct seen behind_gap;
	uint64_t n_behind; /* came behind a higher number, as far as is known for the first time */
	uint32_t *sizes;   /* SIZE_CLASSES counters of IP packet lengths */
	uint64_t residue[16]; /* ESP length mod 16 */
	uint64_t opened;      /* with a key, from here on */
	uint64_t wrong_icv;   /* a key is there, the tag is wrong */
	struct seen wrong;
	uint64_t by_mode[3];
	uint64_t n_outside; /* inner packets that the negotiated selectors do not cover */
	struct seen outside;
	char outside_what[96];
};

/* IP packets from one endpoint to another, in the clear or inside ESP. ICMP echo has its type and
 * code as source port, as traffic selectors have. */
struct ip_flow {
	size_t place;
	bool inside;
	size_t child;
	uint32_t spi;
	uint8_t proto;
	struct endpoint src, dst;
	uint64_t n, octets;
	struct seen first, last, largest;
	uint32_t largest_len;
	uint8_t ttl; /* of the first packet */
	bool df;
	/* TCP */
	unsigned n_syn;
	bool have_mss, synack, fin, rst;
	uint16_t mss;
	struct seen syn;
	bool have_data, have_ack;
	uint32_t top_seq, top_ack; /* octet behind the last one sent; highest acknowledgement */
	uint32_t again_seq, again_len;
	unsigned again; /* the same segment, how often in a row at the end */
	struct seen again_first, again_last;
	uint32_t data_max; /* longest segment that was sent */
};

/* ESP between two addresses at one place, whatever the SPIs and ports. */
struct talk {
	size_t place;
	struct ip_addr ends[2];
	uint64_t n[2];				 /* from ends[0], from ends[1] */
	uint64_t run;				 /* packets since the last one the other way */
	struct seen run_first, run_last, before; /* before: that last one */
	unsigned run_from;			 /* index of ends */
};

/* One request with its transmissions and responses, as one place saw them. */
struct exchange {
	size_t place, ike_sa;
	uint8_t type;
	uint32_t id;
	bool by_initiator;
	unsigned sent, answered;
	unsigned after; /* sent again though the response had been seen a while before */
	size_t first_request, last_request, first_response, last_response; /* facts.ike */
	size_t largest;							   /* IKE message */
	size_t next;	     /* the same exchange at another place; FACT_NONE */
	bool first;	     /* the first record of it */
	size_t ip_fragments; /* of the largest request that came in some */
};

struct inner_icmp {
	struct seen at;
	uint32_t spi;
	struct icmp_error_fact error;
};

struct place_sum {
	uint64_t begin_us, end_us;
	uint32_t frames, cut, not_ip, ip, left_out;
	char broken[256];
};

struct survey {
	struct facts f;
	struct place_sum *places;
	size_t n_places;
	struct path *paths;
	size_t n_paths;
	struct esp_flow *esp;
	size_t n_esp;
	struct ip_flow *flows;
	size_t n_flows;
	struct talk *talks;
	size_t n_talks;
	struct exchange *exchanges;
	size_t n_exchanges;
	struct inner_icmp *inner_icmp;
	size_t n_inner_icmp;
	struct map flow_index;
	struct map path_index;	  /* place, both endpoints -> paths */
	struct map address_index; /* place, address -> an end of IKE or ESP there */
	struct map pair_index;	  /* both addresses -> what goes between them, the sum in paths */
	struct map talk_index;	  /* place, both addresses -> talks */
	struct map spi_index;	  /* SPI -> the last of its flows; then esp_flow.prev */
	bool have_keys;
	bool keys_missing;	     /* asked for, and none found */
	const struct config *config; /* what an end was told, or NULL; the caller's */
};

/* Reads n captures, twice each, and the keys (NULL: none). */
int survey_read(char *const *paths, size_t n, const char *keys_path, struct survey *ret_survey,
		struct err_msg *msg);
void survey_free(struct survey *s);

/* The last path from one address to another, at any place; go on with path.prev. FACT_NONE. */
size_t path_between(const struct survey *s, const struct ip_addr *src, const struct ip_addr *dst);
/* The last flow of an SPI; go on with esp_flow.prev. FACT_NONE. */
size_t esp_of_spi(const struct survey *s, uint32_t spi);
bool is_end_at(const struct survey *s, size_t place, const struct ip_addr *addr);

struct seen seen_frame(const struct survey *s, size_t frame); /* of facts.frames */
struct seen seen_msg(const struct survey *s, size_t msg);     /* of facts.ike */
/* The same flow the other way, at the same place; NULL. */
const struct ip_flow *flow_reverse(const struct survey *s, const struct ip_flow *flow);
/* All that was captured at a place after that time: seconds. */
double survey_rest(const struct survey *s, size_t place, uint64_t time_us);

#endif
