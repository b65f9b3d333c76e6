/* findings.h - what is wrong with a running connection, most likely cause first.
 *
 * A rule is a row of a table and a pure function from the facts: it asks nobody. Names and words
 * are those of `beetlab explain`, which finds the same things in captures. */
#ifndef VPN_DAEMON_BEETCTL_EXPLAIN_FINDINGS_H
#define VPN_DAEMON_BEETCTL_EXPLAIN_FINDINGS_H

#include "vpn/base/diagnosis.h"
#include "vpn/daemon/beetctl/explain/facts.h"

#define FINDINGS_MAX 48
#define EVIDENCE_MAX 8
#define WORDS_MAX    400

struct findings;

struct rule {
	const char *id;	   /* stable: "F31", "LIVE-forwarding" */
	const char *names; /* other names of the same thing, "" */
	enum rule_kind kind;
	unsigned rank; /* among equally certain: the lower, the more likely the cause of the rest */
	const char *unless; /* ids that explain it: left out if one of them is found; "" */
	const char *title, *why, *remedy, *clause;
	void (*find)(const struct facts *f, struct findings *out);
};

struct finding {
	const struct rule *rule;
	enum certainty certainty;
	unsigned cases;
	char what[WORDS_MAX], detail[WORDS_MAX]; /* detail: added to the remedy, or "" */
	char evidence[EVIDENCE_MAX][WORDS_MAX];
	size_t n_evidence;
};

struct findings {
	const struct rule *rule; /* that is running */
	size_t n;
	struct finding v[FINDINGS_MAX];
};

/* The finding of the running rule: the first case says what, a surer one replaces it. NULL if it
 * adds nothing, which the calls below take. */
struct finding *live_finding_add(struct findings *out, enum certainty certainty, const char *what,
				 ...) __attribute__((format(printf, 3, 4)));
void live_finding_show(struct finding *f, const char *text, ...)
    __attribute__((format(printf, 2, 3)));
void live_finding_detail(struct finding *f, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

/* "ip route get 192.0.2.1: dev eth0 src 198.51.100.2" */
void live_show_way(struct finding *f, const struct fact_way *way);

/* Runs every rule, leaves out what something else explains, sorts. */
void live_find(const struct facts *f, struct findings *ret_findings);
bool live_have_fault(const struct findings *f); /* notes do not count */

/* One table a family. */
#define RULE_FAMILIES(X) \
	X(ike) X(ways) X(back) X(peer) X(decrypted) X(firewall) X(nat) X(counters) X(config)
#define X(family)                                       \
	extern const struct rule live_rules_##family[]; \
	extern const size_t n_live_rules_##family;
RULE_FAMILIES(X)
#undef X

#define RULES(family, ...)                                       \
	const struct rule live_rules_##family[] = {__VA_ARGS__}; \
	const size_t n_live_rules_##family =                     \
	    sizeof(live_rules_##family) / sizeof(live_rules_##family[0])

#endif
