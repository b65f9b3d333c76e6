/* occurred_internal.h - between the parts of what is counted:
 *
 *     occurred.c         the kinds, and the number against min and max
 *     occurred_ike.c     IKE messages, SAs, children
 *     occurred_packet.c  ESP packets and others
 *     occurred_wire.c    what the impaired wires say
 *     occurred_param.c   what a parameter may say
 *     occurred_text.c    a title for people */
#ifndef HARNESS_OCCURRED_INTERNAL_H
#define HARNESS_OCCURRED_INTERNAL_H

#include "harness/occurred.h"

#define OCCURRED_PARAMS 6

struct count {
	const struct sc_expectation *e;
	const struct evidence *ev;
	struct occurrence *o;
};

typedef void count_fn(struct count *c);

struct occurred_kind {
	const char *name;
	const char *text;		     /* what is counted */
	const char *params[OCCURRED_PARAMS]; /* besides min and max */
	count_fn *count;
};

/* NULL if it is not there. */
const char *count_param(const struct sc_expectation *e, const char *key);
/* True if the parameter is not there, or has this value. */
bool fits(const struct count *c, const char *key, const char *value);
bool fits_bool(const struct count *c, const char *key, bool value);
bool fits_number(const struct count *c, const char *key, uint64_t value);
bool fits_place(const struct count *c, size_t frame);
void count_add(struct count *c, size_t frame);
/* "tunnel" */
const char *count_mode_text(enum ipsec_mode mode);

count_fn count_aimed, count_children, count_corrupted, count_clear, count_crossed, count_duplicated,
    count_esp, count_icmp, count_ike_fragments, count_ike_sas, count_ip_fragments, count_keepalives,
    count_lost, count_mappings, count_messages, count_mss, count_refusals, count_reordered,
    count_retransmissions, count_tcp, count_too_big, count_unanswered;

/* Whether the kind has this parameter, and the parameter may say that. */
int occurred_check_param(struct doc *doc, const struct occurred_kind *kind, const struct pair *pair,
			 struct err_msg *msg);

#endif
