/* rule.h - what rules share: questions to the survey that several of them ask. */
#ifndef HARNESS_EXPLAIN_RULE_H
#define HARNESS_EXPLAIN_RULE_H

#include "harness/explain/findings.h"
#include "vpn/wire/payload.h"

#define TRIES_MIN 3 /* transmissions without an answer before it is worth a word */

/* An exchange as all places saw it; x: its first record. */
struct exchange_sum {
	unsigned sent, answered;	  /* the most that one place saw */
	size_t seen_at;			  /* places that saw a request */
	const struct exchange *at_sender; /* where the most requests were seen */
};
struct exchange_sum exchange_everywhere(const struct survey *s, const struct exchange *x);

/* An exchange of that IKE SA, at any place; NULL. */
const struct exchange *exchange_find(const struct survey *s, size_t ike_sa, uint8_t type);

/* "203.0.113.1[500] > 198.51.100.2[500]" of a message's frame. Returns buf. */
const char *msg_route(const struct survey *s, size_t msg, char *buf, size_t cap);
const struct fact_frame *msg_frame(const struct survey *s, size_t msg);

/* A packet that the capture's own side has sent: no router has counted its TTL down. */
bool frame_is_fresh(const struct fact_frame *frame);

/* A place that saw the SA's IKE_SA_INIT but not this exchange: it is lost in between. */
bool is_lost_between(const struct survey *s, const struct exchange *x);
/* Packets of a path in time order: NULL if there is none. */
const struct path *path_find(const struct survey *s, size_t place, const struct endpoint *src,
			     const struct endpoint *dst);

/* Another place that sees the ends of e's IKE talk, but no packet of e's SPI; false: no such. */
bool esp_missing_at(const struct survey *s, const struct esp_flow *e, size_t *ret_place);
uint64_t esp_count_at(const struct survey *s, uint32_t spi, size_t place);

/* stops.c: ESP went both ways and at the end only one; numbers in a row were never seen. */
bool talk_has_stopped(const struct survey *s, const struct talk *t);
bool esp_has_gap(const struct survey *s, const struct esp_flow *e);

/* Something was seen from src (any port, if 0) to dst at any place. */
bool path_seen(const struct survey *s, const struct ip_addr *src, uint16_t src_port,
	       const struct ip_addr *dst);

/* The first error notify of a message, opened if keys allow; 0: none. */
uint16_t msg_error(const struct ike_msg *m);

/* A step of seconds as text: "12.3 s", "4 min". Returns buf. */
const char *span_text(uint64_t from_us, uint64_t to_us, char *buf, size_t cap);
/* "st" of 1st, "nd" of 2nd, "rd", "th" */
const char *ordinal_suffix(unsigned n);

/* Puts rule's table and its length where the registry looks. */
#define RULES(family, ...)                                  \
	const struct rule rules_##family[] = {__VA_ARGS__}; \
	const size_t n_rules_##family = sizeof(rules_##family) / sizeof(rules_##family[0])

#endif
