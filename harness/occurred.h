/* occurred.h - proof that the condition of a scenario happened at all.
 *
 * A run that passes because the loss lost nothing, or the mapping never moved, proves nothing. An
 * expectation `occurred: KIND` counts facts of a kind in the captures and in the wires' ground
 * truth, and fails unless there were enough (min, 1 if not said) and not too many (max). */
#ifndef HARNESS_OCCURRED_H
#define HARNESS_OCCURRED_H

#include "harness/dissect/facts.h"
#include "harness/scenario.h"
#include "netns/nat_box.h"

/* What an impaired wire says that it did, both directions together. */
struct wire_truth {
	const char *name;
	uint64_t in, delivered, lost, too_big, duplicated, reordered, corrupted;
	bool has_nat; /* a NAT box is its part */
	struct nat_box_counters nat;
};

struct evidence {
	const struct facts *facts;
	const struct wire_truth *wires;
	size_t wires_count;
	const char *dir; /* of the run, where the wires' records are; NULL: none */
};

#define OCCURRED_FRAMES 8

struct occurrence {
	char title[256]; /* what was counted: "ESP packets at vps-inet" */
	uint64_t count;
	uint64_t min, max;
	bool is_met;
	size_t frames[OCCURRED_FRAMES]; /* the first ones */
	size_t frames_count;
	char text[96]; /* "3 seen, at least 1" */
};

/* The kinds, and the parameters of one, for the test that each is documented; NULL: no more. */
const char *occurred_kind(size_t index);
const char *occurred_param(size_t kind, size_t index);

int occurred_validate(struct doc *doc, const struct sc_expectation *expectation,
		      struct err_msg *msg);
/* what: the kind's noun. Returns buf. */
const char *occurred_describe(const struct sc_expectation *expectation, const char *what, char *buf,
			      size_t cap);
/* expectation has been validated. */
void occurred_count(const struct sc_expectation *expectation, const struct evidence *evidence,
		    struct occurrence *ret_occurrence);

#endif
