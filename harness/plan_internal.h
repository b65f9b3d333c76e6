/* plan_internal.h - between the parts that make a plan:
 *
 *     plan.c          the base, the order of all, and what is asked of a plan
 *     plan_nodes.c    nodes: addresses, bridges, routes, sysctls, rules
 *     plan_nat.c      nodes that are NAT boxes
 *     plan_links.c    links, and the wires on them
 *     plan_ends.c     the daemons and their configurations
 *     plan_check.c, plan_network.c    what must hold */
#ifndef HARNESS_PLAN_INTERNAL_H
#define HARNESS_PLAN_INTERNAL_H

#include "harness/plan.h"

struct plan_making {
	const struct scenario *sc;
	struct doc *doc;
	struct plan *plan;
	struct err_msg *msg;
};

/* ERR_NOMEM, with its message. */
int plan_no_memory(struct plan_making *m);
/* Room for one more at the end of a table; NULL. */
void *plan_append(struct plan_making *m, const void **table, size_t *count, size_t size);

#define APPEND(m, topo, name)                                                       \
	plan_append(m, (const void **)(void *)&(topo)->name, &(topo)->name##_count, \
		    sizeof(*(topo)->name))

/* A file that the scenario names, beside it; the document's. `line` is for messages. ERR_IO. */
int plan_read_file(struct plan_making *m, unsigned line, const char *name, char **ret_text);

/* Each adds what the scenario says of its part. ERR_SYNTAX, ERR_NOMEM, ERR_IO. */
int plan_add_nodes(struct plan_making *m);
int plan_add_links(struct plan_making *m);
int plan_add_endpoints(struct plan_making *m, const struct plan_options *options);

/* What a node needs to be a NAT box, if it is one. */
int plan_add_nat(struct plan_making *m, const struct sc_node *node);
/* The texts stay. ERR_NOMEM. */
int plan_add_sysctl(struct plan_making *m, const char *node, const char *key, const char *value);
int plan_add_rules(struct plan_making *m, const char *node, const char *text, const char *file,
		   unsigned line);

#endif
