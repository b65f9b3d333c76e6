/* fragment.h - a peer's message that comes in fragments (RFC 7383 §2.6). For vpn/ike/ alone. */
#ifndef VPN_IKE_FRAGMENT_H
#define VPN_IKE_FRAGMENT_H

#include "vpn/ike/ike_sa.h"

/* Before a fragment is opened: false if it is not to be, because it is there already, belongs to a
 * set that was given up, or there are too many. */
bool fragment_is_wanted(const struct fragments *set, uint32_t message_id,
			const struct payload_skf *f);
/* Keeps an opened fragment in *set (made, or begun anew, as it needs). ERR_LIMIT, ERR_NOMEM. */
int fragment_keep(struct ike_sa *sa, struct fragments **set, uint32_t message_id,
		  const struct payload_skf *f, uint8_t first, size_t ike_len, struct view chain,
		  uint64_t now);
bool fragments_complete(const struct fragments *set); /* NULL: no */
/* The content of all, to be freed by the caller; the type of its first payload; the length of the
 * largest message. ERR_NOMEM. */
int fragments_join(const struct fragments *set, struct octets *ret_chain, uint8_t *ret_first,
		   size_t *ret_largest);
void fragments_free(struct ike_engine *e, struct fragments **set);

/* When what is there of a request is thrown away; DEADLINE_NEVER if there is nothing. */
uint64_t fragments_give_up_at(const struct fragments *set);

#endif
