/* inner.h - the packet that an ESP packet carries. */
#ifndef HARNESS_DISSECT_INNER_H
#define HARNESS_DISSECT_INNER_H

#include "harness/dissect/facts.h"

/* Fills wire_mode, inner, in, in_src and in_dst of e from its decrypted payload; key is the one
 * that opened it, and may say what was installed. What cannot be rebuilt is a problem. ERR_NOMEM.
 */
int inner_rebuild(struct facts *f, struct esp_fact *e, struct view payload,
		  const struct esp_key *key);

#endif
