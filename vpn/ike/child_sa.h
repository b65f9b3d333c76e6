/* child_sa.h - Child SAs: made from a finished negotiation, installed, removed. For vpn/ike/ alone.
 */
#ifndef VPN_IKE_CHILD_SA_H
#define VPN_IKE_CHILD_SA_H

#include "vpn/ike/ike_sa.h"

/* What a negotiation has agreed on; the lists are taken over by child_sa_create. */
struct child_agreement {
	struct ike_conn *conn; /* borrowed */
	const struct child_cfg *cfg;
	uint32_t spi_in, spi_out;
	struct suite suite;
	enum ipsec_mode mode;
	const char *mode_reason;
	bool no_tfc;
	struct ts_list local_ts, remote_ts;
	struct view secret; /* g^ir with PFS */
	struct view ni, nr; /* of this exchange */
};

/* Derives the keys and queues the installation of both directions, inbound first; events follow.
 * `we_began`: our packets use the first half of KEYMAT. On failure the lists are freed. */
int child_sa_create(struct ike_sa *sa, struct child_agreement *agreed, bool we_began, uint64_t now,
		    struct child_sa **ret_child);
void child_sa_set_state(struct ike_sa *sa, struct child_sa *child, enum child_sa_state state,
			const char *why);
/* Queues the removal of both directions and the event, and takes the child out of the SA. */
void child_sa_remove(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why);
/* The outer endpoints of the IKE SA have changed (RFC 7296 §2.23). */
void child_sa_moved(struct ike_sa *sa, struct child_sa *child);
/* A child that never came up, as the subject of an event; it belongs to the graveyard. NULL: no
 * memory. */
struct child_sa *child_sa_stillborn(struct ike_engine *e, struct ike_conn *conn,
				    const struct child_cfg *cfg);
void child_sa_free(struct child_sa *child);

/* A number of 256 or more (RFC 4303 §2.1) that no child of ours uses inbound. */
int child_sa_new_spi(struct ike_engine *e, uint32_t *ret_spi);
struct child_sa *child_sa_by_id(const struct ike_engine *e, uint32_t id, struct ike_sa **ret_sa);
struct child_sa *child_sa_by_outbound_spi(const struct ike_sa *sa, uint32_t spi);
struct child_sa_info child_sa_get_info(const struct child_sa *child);

#endif
