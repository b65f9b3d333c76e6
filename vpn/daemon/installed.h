/* installed.h - which SAs the daemon has in its data plane: from SPI and direction to the child.
 *
 * The engine names SAs by SPI, the data plane by SPI and child (outbound SPIs are the peers' choice
 * and may repeat); this table is what joins them. */
#ifndef VPN_DAEMON_INSTALLED_H
#define VPN_DAEMON_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"

struct installed {
	struct installed *next; /* in its bucket */
	uint32_t spi;
	uint32_t child_id;
	bool inbound;
	struct ip_addr remote;
};

struct installed_table { /* all-zero is empty */
	struct installed **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
};

void installed_free(struct installed_table *table);
int installed_add(struct installed_table *table,
		  const struct installed *sa); /* copies; ERR_NOMEM */
/* child_id 0: not known, then the remote address decides between two of one SPI; that unset, too:
 * the newest. NULL: none. Good until the table changes. */
const struct installed *installed_find(const struct installed_table *table, uint32_t spi,
				       bool inbound, uint32_t child_id,
				       const struct ip_addr *remote);
void installed_remove(struct installed_table *table, const struct installed *sa);

#endif
