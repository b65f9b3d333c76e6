/* write.h - a profile as a scenario. */
#ifndef HARNESS_REPRODUCE_WRITE_H
#define HARNESS_REPRODUCE_WRITE_H

#include <stdio.h>

#include "harness/reproduce/levers.h"
#include "harness/reproduce/profile.h"

/* What the parts of the writer share. */
struct writing {
	const struct profile *p;
	const struct lever *l;
	FILE *out;
};

/* The whole file. True: what the capture shows is made again; false: nobody here can make it, and
 * the scenario is the network alone. ERR_NOMEM. */
int reproduce_write(const struct profile *p, FILE *out, bool *ret_is_whole);

/* The parts, in their order. */
void write_head(const struct writing *w);
void write_network(const struct writing *w);
void write_ends(const struct writing *w);
void write_steps(const struct writing *w);
void write_expect(const struct writing *w);

/* write_words.c: text with @words@ in it. */
void write_words(const struct writing *w, const char *text);

/* The initiator's and the responder's outer address here. */
const char *outer_address(const struct profile *p, bool initiator);
bool has_nat(const struct writing *w);

#endif
