/* rules.h - what must hold in a simulated run, whatever happens.
 *
 * At every step: no probe on an outer wire in the clear; none delivered twice, changed, or through
 * an SA whose selectors it does not match; ESP sequence numbers and IVs strictly rise; no key and
 * no SPI serves twice; no IKE message has the IV of another one under the same keys; not more SAs
 * than allowed.
 *
 * At rest (rules_at_rest): both ends have exactly the same IKE SAs and Child SAs, with their SPIs,
 * keys, selectors and mode.
 *
 * The first rule that is broken is kept, with the time; the run then ends. */
#ifndef HARNESS_SIM_RULES_H
#define HARNESS_SIM_RULES_H

#include "harness/sim/end.h"
#include "harness/sim/probe.h"

struct sim_rules {
	struct sim_end **ends; /* the world's */
	size_t ends_count;
	unsigned sas_max; /* inbound SAs of one end; 0: any number */
	struct sim_set keys, spis, ivs;
	uint64_t seals, ike_messages, installs; /* so that nobody passes for nothing */
	int64_t now;				/* kept by the world */
	int64_t broken_at;
	char broken[512]; /* "": nothing is */
};

void rules_free(struct sim_rules *rules);
void rules_break(struct sim_rules *rules, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void rules_on_wire(struct sim_rules *rules, const struct plan_wire *wire, const uint8_t *data,
		   size_t len);
void rules_on_installed(struct sim_rules *rules, size_t node, const struct sim_sa *sa);
void rules_on_sealing(struct sim_rules *rules, const struct ip_info *ip, const struct sim_sa *by);
void rules_on_esp(struct sim_rules *rules, size_t node, struct sim_sa *sa, const uint8_t *esp,
		  size_t len);
void rules_on_ike(struct sim_rules *rules, size_t node, struct view datagram);
void rules_on_opened(struct sim_rules *rules, const struct ip_info *ip, const struct sim_sa *by);
void rules_on_probe(struct sim_rules *rules, enum probe_finding finding, uint64_t number);

/* True if nothing is under way anywhere, and what there is agrees. Else why not, for people. */
bool rules_at_rest(const struct sim_rules *rules, int64_t now, char *why, size_t cap);
/* Children that are installed at an end. */
unsigned rules_children(const struct sim_end *end);

#endif
