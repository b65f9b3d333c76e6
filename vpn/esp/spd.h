/* spd.h - which outbound SA takes a packet (RFC 4301 §4.4.1, §5.1).
 *
 * Entries are an SA's selectors, or a trap's (no SA yet: acquire). A packet is looked up by the
 * interface ID it came by and by what it shows of itself. Narrower selectors come before wider
 * ones, as strongSwan orders its policies; of equal ones an SA comes before a trap and the newest
 * SA before older ones, so that a rekeyed SA takes over at once. */
#ifndef VPN_ESP_SPD_H
#define VPN_ESP_SPD_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/ts.h"

struct esp_sa;
struct spd;

struct spd_entry {
	uint32_t if_id;
	uint32_t reqid;
	const struct ts_list *local_ts; /* of the SA or the trap, which outlive the entry */
	const struct ts_list *remote_ts;
	struct esp_sa *sa; /* NULL: a trap */
	void *user;	   /* the data plane's */
};

int spd_new(struct spd **ret_spd); /* ERR_NOMEM */
void spd_free(struct spd *spd);

/* Copies the entry. Not for the packet path. ERR_NOMEM. */
int spd_add(struct spd *spd, const struct spd_entry *entry);
/* Removes the entry of an SA, or with sa NULL the trap of reqid. False if there is none. */
bool spd_remove(struct spd *spd, const struct esp_sa *sa, uint32_t reqid);

/* NULL if no entry matches. Remembers the answer, so repeated packets of a flow cost one
 * comparison. */
const struct spd_entry *spd_find(struct spd *spd, uint32_t if_id, const struct ts_packet *pkt);

#endif
