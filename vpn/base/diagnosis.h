/* diagnosis.h - what findings of any kind share: how sure they are, which of them explains which,
 * in which order a person reads them, and how their words fit a terminal.
 *
 * A running connection (beetctl explain) and captures (beetlab explain) are asked by different
 * rules; the answers read alike. */
#ifndef VPN_BASE_DIAGNOSIS_H
#define VPN_BASE_DIAGNOSIS_H

#include <stddef.h>
#include <stdio.h>

enum certainty { POSSIBLE, LIKELY, CERTAIN };
const char *certainty_name(enum certainty c); /* "possible", "likely", "certain" */

enum rule_kind {
	RULE_FAULT,   /* something does not work */
	RULE_SYMPTOM, /* the same, without its cause: left out if a fault is found */
	RULE_NOTE,    /* works, but is not what somebody may think */
};

/* One finding, as far as the others matter to it. */
struct claim {
	const char *id;	    /* of its rule */
	const char *unless; /* ids that explain it, with spaces between them: left out if one of
			       them is there; "" */
	enum rule_kind kind;
	enum certainty certainty;
	unsigned rank; /* below 10,000; among equally certain: the lower, the more likely the cause
			  of the rest */
};

/* The claims that nothing else explains: faults before symptoms before notes, the surer first, then
 * by rank. ret_order has room for n; returns how many there are. */
size_t claims_order(const struct claim *claims, size_t n, size_t *ret_order);

/* Words, indented and broken at 90 columns, with the label before the first; "": none. */
void print_wrapped(FILE *out, int indent, const char *label, const char *text);
#define WRAP_INDENT 4
#define WRAP_LABEL  10 /* columns of a label */

#endif
