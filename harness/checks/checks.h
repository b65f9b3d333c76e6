/* checks.h - judgements on facts: a table of checks, each with the clause that it guards.
 *
 * A check looks at facts and parameters only, never at logs. It passes, fails, or says that what it
 * judges never occurred (not applicable), which a scenario may count as a failure. Every finding
 * names its frames. Standing checks run on every capture; the named ones where a scenario asks for
 * them, with parameters. */
#ifndef HARNESS_CHECKS_CHECKS_H
#define HARNESS_CHECKS_CHECKS_H

#include "harness/dissect/facts.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_NOT_APPLICABLE };
const char *verdict_name(enum verdict v); /* "pass", "fail", "not-applicable" */

enum tristate { UNSTATED, NO, YES };

/* What is known of a place beyond its capture. */
struct place_param {
	const char *name;      /* struct capture_place.name */
	unsigned mtu;	       /* of its link; 0: check_params.mtu */
	unsigned lets_through; /* the largest packet that comes out at the other end; 0: mtu */
	enum tristate
	    outer; /* the wire is outside the tunnel: UNSTATED: yes, if it has IKE or ESP */
};

/* All zero is a valid set: every default. Pointers stay the caller's. */
struct check_params {
	const struct place_param *places;
	size_t n_places;
	unsigned mtu; /* of every link that places does not name; 0: 1500 */

	/* cleartext: networks that must never be seen outside, be it as source or as destination.
	 * Empty: what the selectors of the children that are up say, source and destination both.
	 */
	struct ts_list tunnel_nets;

	/* selectors: every child has one of these pairs (of TSi and TSr of the IKE SA's
	 * initiator). Empty: only that each packet is inside those negotiated. */
	const struct ts_pair {
		struct ts i, r;
	} * selectors;
	size_t n_selectors;

	/* mode: what must have been asked for and what negotiated; neither: whatever was
	 * asked for must be negotiated. */
	bool have_asked, have_mode;
	enum ipsec_mode asked, mode;

	/* nat-t */
	enum tristate initiator_behind_nat, responder_behind_nat, encap;
	unsigned keepalive_s; /* longest silence of a peer behind a NAT; 0: 20 (RFC 3948 §4) */

	/* mss and pmtu: the narrowest link between the peers; 0: the smallest MTU of an outer place
	 */
	unsigned path_mtu;
	/* pmtu: an ICMP "too big" must have been seen on the outer wire, or must not */
	enum tristate icmp;

	/* delivery: packets that may be lost, and that may come twice; it looks at the packets
	 * between the two of each pair of selectors, or at all. */
	size_t lost, twice;

	unsigned fragment_size; /* fragments: octets of the largest IP datagram; 0: any */

	/* retransmit: what was configured; 0: not judged. The n-th repetition comes
	 * timeout * base ^ (n - 1) after the one before it, and there are at most `tries`. */
	unsigned tries, timeout_ms;
	double base;

	/* dpd: how long a peer may be silent before it is asked, and how long after the first
	 * question that nobody answers all must be quiet; 0: not judged. */
	unsigned interval_ms, dead_ms;

	/* rekey: how many there must be; the most that an SA may carry in one direction, and how
	 * long it may live; 0: not judged. */
	size_t rekeys;
	uint64_t octets;
	unsigned life_ms;

	/* Time after which a request that nobody answered must have been sent again. 0: 10 s. */
	unsigned retransmit_s;
};

#define FINDING_FRAMES_MAX 8

struct finding {
	char *text;
	size_t frames[FINDING_FRAMES_MAX]; /* indices of facts.frames */
	size_t n_frames;
};

#define FINDINGS_MAX 64 /* per check: one fault may be repeated in thousands of packets */

struct check;

struct check_result {
	const struct check *check;
	enum verdict verdict;
	char summary[256];	/* one sentence: what was seen, or why nothing could be judged */
	size_t examined;	/* packets, messages or flows that it looked at */
	struct finding *faults; /* a fail has at least one */
	size_t n_faults;	/* at most FINDINGS_MAX */
	size_t n_faults_all;	/* with those beyond */
	struct finding *notes;	/* what a reader should know, without blame */
	size_t n_notes;
	struct arena arena;
	int err; /* ERR_NOMEM: the verdict is worth nothing */
};

typedef void check_fn(const struct facts *f, const struct check_params *p, struct check_result *r);

struct check {
	const char *name;   /* "esp-sequence" */
	const char *title;  /* "ESP sequence numbers rise" */
	const char *clause; /* "RFC 4303 §3.3.3" */
	bool standing;
	check_fn *run;
};

const struct check *checks_table(size_t *ret_n);
const struct check *check_find(const char *name); /* NULL */

/* Runs one check. The result is freed by the caller. */
void check_run(const struct check *check, const struct facts *f, const struct check_params *p,
	       struct check_result *ret_result);
/* All standing checks; the array has a result per standing check, in the table's order. ERR_NOMEM.
 */
int checks_run_standing(const struct facts *f, const struct check_params *p,
			struct check_result **ret_results, size_t *ret_n);
void check_result_free(struct check_result *r);
void check_results_free(struct check_result *results, size_t n);

#endif
