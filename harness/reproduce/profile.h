/* profile.h - what captures say about a network and its ends, as far as a scenario needs it.
 *
 * Every value comes with a line that says where it is from: measured (with frames), assumed (with
 * the reason), or unknown. The lines are what the scenario's comment tells; the values are what its
 * YAML holds. A value that is not known is zero, and the writer leaves it out. */
#ifndef HARNESS_REPRODUCE_PROFILE_H
#define HARNESS_REPRODUCE_PROFILE_H

#include "harness/explain/findings.h"

#define SELECTORS_MAX 8
#define LOST_MAX      16
#define SPEC_MAX      160 /* of a proposal as swanctl.conf has it */

enum known { MEASURED, ASSUMED, UNKNOWN };

struct said {
	enum known known;
	const char *label;
	char *text;
	struct seen from, to; /* number 0: none */
};

enum nat_kind { NAT_ABSENT, NAT_KEEPS_PORTS, NAT_CHANGES_PORTS };

/* Transmissions of one message that never arrived. */
struct lost_message {
	size_t ike_sa; /* the first is 1 */
	uint8_t exchange;
	bool request, from_initiator;
	uint32_t id;
	unsigned count;
};

struct selectors {
	char text[SELECTORS_MAX][IP_ADDR_STRLEN + 4];  /* "10.1.0.0/16" */
	char inner[SELECTORS_MAX][IP_ADDR_STRLEN + 4]; /* an address in it, with /32 */
	size_t n;
};

struct profile {
	const struct survey *s;
	const struct finding *first; /* NULL: nothing is wrong */
	bool works;		     /* a tunnel that works is in the captures */
	struct said *said;
	size_t n_said;
	struct arena arena;

	/* ends: measure_ends.c */
	size_t ike_sa;			      /* FACT_NONE: ESP alone */
	size_t at_initiator, at_responder;    /* places beside them; FACT_NONE */
	struct endpoint initiator, responder; /* of the first message */
	uint8_t family;
	enum nat_kind nat;
	bool encap; /* ESP in UDP without a NAT */

	/* the path */
	unsigned rtt_ms;		    /* measure_delay.c; 0: as on one machine */
	double loss, reorder, duplicate;    /* measure_loss.c: shares */
	struct lost_message lost[LOST_MAX]; /* measure_messages.c */
	size_t n_lost;
	unsigned path_mtu;	      /* measure_size.c */
	unsigned lan_mtu;	      /* of the initiator's own link */
	unsigned band_low, band_high; /* sizes that alone are lost */
	bool icmp_told;		      /* somebody said "too big" */
	unsigned idle_ms;	      /* measure_mapping.c: silence before the mapping changed */

	/* the ends' own: measure_timers.c, measure_negotiated.c */
	unsigned timeout_ms, tries, dpd_ms, keepalive_ms;
	char ike[SPEC_MAX],
	    esp[SPEC_MAX];    /* what was agreed on, or else offered first; "": unknown */
	uint16_t rekey_group; /* of the CREATE_CHILD_SA that was refused */
	bool rekey_by_responder;
	uint8_t auth; /* method; 0: unknown */
	bool beet;
	struct selectors asked_i, asked_r, got_i, got_r;

	/* measure_traffic.c */
	unsigned pings;
	uint64_t tcp_octets;
	unsigned datagrams, datagram_size; /* UDP */
	bool udp_from_responder;
	bool from_responder; /* of the larger half */
};

/* Reads the survey; findings: of the same survey. Both must outlive the profile. ERR_NOMEM. */
int profile_make(const struct survey *s, const struct findings *findings,
		 struct profile *ret_profile);
void profile_free(struct profile *p);

/* A line, with the frames that show it. ERR_NOMEM. */
int profile_say(struct profile *p, enum known known, const char *label, struct seen from,
		struct seen to, const char *text, ...) __attribute__((format(printf, 6, 7)));

#define NOT_SEEN ((struct seen){0})

#endif
