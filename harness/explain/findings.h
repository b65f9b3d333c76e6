/* findings.h - what is wrong, most likely cause first.
 *
 * A rule is a row of a table: names, texts, rank, and a pure function over the survey. It opens its
 * finding (once, however many cases there are), says what happens and points at frames. A rule that
 * is not sure says so; one that has nothing to say opens nothing. */
#ifndef HARNESS_EXPLAIN_FINDINGS_H
#define HARNESS_EXPLAIN_FINDINGS_H

#include "harness/dissect/capture_set.h"
#include "harness/explain/survey.h"
#include "vpn/base/diagnosis.h"

#define EVIDENCE_MAX 12

struct findings;

struct rule {
	const char *id;	   /* stable: "F11", "MAP-auth" */
	const char *names; /* other names of the same thing, "" */
	enum rule_kind kind;
	unsigned rank; /* among equally certain: the lower, the more likely the cause of the rest */
	const char *unless; /* ids that explain it: left out if one of them is found; "" */
	const char *title, *why, *remedy, *clause;
	int (*find)(const struct survey *s, struct findings *out);
};

struct evidence {
	struct seen at;
	const char *file; /* of a configuration, in place of a frame; the configuration's own */
	unsigned line;
	char *text;
};

struct finding {
	const struct rule *rule;
	enum certainty certainty;
	char *what;
	char *detail;	  /* added to the remedy, or NULL */
	unsigned cases;	  /* of the place that has most: each place sees the same SAs and flows */
	bool is_new_case; /* its first evidence is still to come, and tells the place */
	unsigned at_place[CAPTURE_PLACES_MAX], in_file;
	struct evidence evidence[EVIDENCE_MAX];
	size_t n_evidence;
};

/* Grows while rules run; then sorted. */
struct findings {
	struct finding *v;
	size_t n;
	const struct rule *rule; /* that is running */
	struct arena arena;
};

/* The finding of the running rule. The first case says what; a surer one replaces it. NULL: no
 * memory. */
struct finding *finding_add(struct findings *out, enum certainty certainty, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
/* What was seen; the first EVIDENCE_MAX are kept. Both take f == NULL and give ERR_NOMEM. */
int finding_show(struct findings *out, struct finding *f, struct seen at, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
/* A line of a configuration. */
int finding_cite(struct findings *out, struct finding *f, struct conf_place at, const char *text,
		 ...) __attribute__((format(printf, 4, 5)));
int finding_detail(struct findings *out, struct finding *f, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

const struct rule *rules_table(size_t *ret_n);

/* Runs every rule, leaves out what something else explains, sorts. ERR_NOMEM. */
int findings_find(const struct survey *s, struct findings *ret_findings);
void findings_free(struct findings *f);

/* One table a family. */
#define RULE_FAMILIES(X) \
	X(exchange)      \
	X(proposal)      \
	X(auth)          \
	X(nat)           \
	X(fragments)     \
	X(mtu)           \
	X(liveness)      \
	X(selectors)     \
	X(esp)           \
	X(sas)           \
	X(policy)        \
	X(modes) X(stops) X(config_file) X(config_match) X(config_proposal) X(config_loaded)
#define X(family)                                  \
	extern const struct rule rules_##family[]; \
	extern const size_t n_rules_##family;
RULE_FAMILIES(X)
#undef X

#endif
