/* child_sa.h - Child SAs: made from a finished negotiation, replaced, retired. For vpn/ike/ alone.
 *
 *     CREATED -> INSTALLED -> REKEYING -> REKEYED -> DELETING -> DELETED
 *                    |                       ^           ^
 *                    +--- the peer rekeys ---+           |
 *                    +-------- deleted by a command -----+
 *
 * REKEYING: our request is out. REKEYED: a successor is there, the old one waits for its deletion.
 * DELETED: both ends have agreed, what is on the way is still received for a while. */
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
	uint32_t replaces;   /* the child that is rekeyed, 0: none */
	bool delay_outbound; /* the peer is not ready to receive yet (RFC 7296 §2.8) */
	struct ts_list local_ts, remote_ts;
	struct view secret; /* g^ir with PFS */
	struct view ni, nr; /* of this exchange */
};

/* Derives the keys, queues the installation, and reports. `we_began`: our packets use the first
 * half of KEYMAT. On failure the lists are freed. */
int child_sa_create(struct ike_sa *sa, struct child_agreement *agreed, bool we_began, uint64_t now,
		    struct child_sa **ret_child);
void child_sa_set_state(struct ike_sa *sa, struct child_sa *child, enum child_sa_state state,
			const char *why);
/* Both ends have agreed that it is gone: nothing is sent any more, its successor takes over, what
 * is on the way is still received for INBOUND_GRACE. */
void child_sa_retire(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why, uint64_t now);
/* At once: both directions and the child. CHILD_DOWN is reported unless a successor carries on. */
void child_sa_remove(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why);
/* Its IKE SA ends and another one has an heir: the heir takes over, and what is on the way is still
 * received there for INBOUND_GRACE. False if there is no heir. */
bool child_sa_bequeath(struct ike_sa *sa, struct child_sa *child, const char *why);
/* Its hard lifetime is over: deleted with the peer, and removed here at once. */
void child_sa_expire(struct ike_sa *sa, struct child_sa *child, uint64_t now);
/* To the IKE SA that has replaced `from` (RFC 7296 §2.18). */
void child_sa_inherit(struct ike_sa *from, struct ike_sa *to);
/* A child that never came up, as the subject of an event; it belongs to the graveyard. NULL: no
 * memory. */
struct child_sa *child_sa_stillborn(struct ike_engine *e, struct ike_conn *conn,
				    const struct child_cfg *cfg);
void child_sa_free(struct child_sa *child);

/* A number of 256 or more (RFC 4303 §2.1) that no child of ours uses inbound. */
int child_sa_new_spi(struct ike_engine *e, uint32_t *ret_spi);
struct child_sa *child_sa_find(const struct ike_sa *sa, uint32_t id);
struct child_sa *child_sa_by_id(const struct ike_engine *e, uint32_t id, struct ike_sa **ret_sa);
/* By the SPI that the peer receives on; one that is DELETED is not found. */
struct child_sa *child_sa_by_outbound_spi(const struct ike_sa *sa, uint32_t spi);
/* When a packet was last seen, either way; its beginning, if none was. */
uint64_t child_sa_last_use(const struct ike_sa *sa, const struct child_sa *child);
struct child_sa_info child_sa_get_info(const struct child_sa *child);

#endif
