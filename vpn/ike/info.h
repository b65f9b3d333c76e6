/* info.h - what an IKE SA and its Child SAs show of themselves: for list-sas, events and logs.
 *
 * Views: pointers are good until the engine is called again. Times are the engine's clock,
 * microseconds. */
#ifndef VPN_IKE_INFO_H
#define VPN_IKE_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/crypto/identity.h"
#include "vpn/ike/conn.h"

#define IKE_SA_STATES(X)                  \
	X(IKE_CREATED, "CREATED")         \
	X(IKE_CONNECTING, "CONNECTING")   \
	X(IKE_ESTABLISHED, "ESTABLISHED") \
	X(IKE_REKEYING, "REKEYING")       \
	X(IKE_REKEYED, "REKEYED")         \
	X(IKE_DELETING, "DELETING")       \
	X(IKE_DESTROYING, "DESTROYING")

#define CHILD_SA_STATES(X)                \
	X(CHILD_CREATED, "CREATED")       \
	X(CHILD_INSTALLING, "INSTALLING") \
	X(CHILD_INSTALLED, "INSTALLED")   \
	X(CHILD_REKEYING, "REKEYING")     \
	X(CHILD_REKEYED, "REKEYED")       \
	X(CHILD_DELETING, "DELETING")     \
	X(CHILD_DELETED, "DELETED")

#define X(name, text) name,
enum ike_sa_state { IKE_SA_STATES(X) };
enum child_sa_state { CHILD_SA_STATES(X) };
#undef X

const char *ike_sa_state_name(enum ike_sa_state state);
const char *child_sa_state_name(enum child_sa_state state);

struct ike_sa_info {
	uint32_t id; /* "#3" */
	const struct ike_conn *conn;
	enum ike_sa_state state;
	bool initiator;
	uint64_t spi_i, spi_r;
	struct endpoint local, remote;
	const struct identity *local_id; /* NULL until known */
	const struct identity *remote_id;
	bool nat_local, nat_remote,
	    nat_fake; /* we, the peer behind a NAT; we pretend (encap = yes) */
	bool have_keys;
	uint16_t encr, encr_bits, integ, prf, ke;
	uint64_t established;	      /* 0: not yet */
	uint64_t rekey_at, reauth_at; /* 0: never */
	uint32_t reauth_of;	      /* the IKE SA that it is to replace; 0: none */
	unsigned tasks_queued, tasks_active;
};

struct child_sa_info {
	uint32_t id;
	const struct child_cfg *cfg;
	enum child_sa_state state;
	uint32_t reqid;
	enum ipsec_mode mode;
	bool encap;
	/* Why BEET or transport was asked for and tunnel mode came out; NULL if what was asked for
	 * came. */
	const char *mode_reason;
	uint32_t spi_in, spi_out;
	struct ipsec_alg alg;
	uint16_t ke; /* 0: keys from the IKE SA's own exchange */
	uint64_t installed;
	uint64_t rekey_at, expire_at; /* 0: never */
	const struct ts_list *local_ts;
	const struct ts_list *remote_ts;
	uint32_t if_id_in, if_id_out;
};

#endif
