/* init_common.h - what the two roles of IKE_SA_INIT share. For init*.c alone. */
#ifndef VPN_IKE_INIT_COMMON_H
#define VPN_IKE_INIT_COMMON_H

#include "vpn/ike/ike_sa.h"
#include "vpn/ike/init.h"

struct init_said {
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list proposals;
	struct payload_ke ke;
	struct view nonce;
};

/* SA, KE and nonce of a message that the legality table has passed; false if one is malformed. */
bool init_decode(const struct ike_payloads *p, struct init_said *ret_said);
void init_encode_extensions(const struct ike_sa *sa, struct ike_builder *b);
void init_read_extensions(struct ike_sa *sa, const struct ike_payloads *p);
/* spi_r is that of the message: 0 in a request. */
void init_apply_natd(struct ike_sa *sa, const struct ike_payloads *p, uint64_t spi_r,
		     const struct endpoint *local, const struct endpoint *remote);
int init_derive_keys(struct ike_sa *sa, const struct proposal *chosen, struct view peer_value);

#endif
