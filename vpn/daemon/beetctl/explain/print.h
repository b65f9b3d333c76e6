/* print.h - findings for people and for programs. */
#ifndef VPN_DAEMON_BEETCTL_EXPLAIN_PRINT_H
#define VPN_DAEMON_BEETCTL_EXPLAIN_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "vpn/daemon/beetctl/explain/findings.h"

/* At most 90 columns. */
void live_print(FILE *out, const struct facts *f, const struct findings *found);
/* As beetctl(1) describes it; NULL: no memory. */
json_t *live_json(const struct facts *f, const struct findings *found);

#endif
