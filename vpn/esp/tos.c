/* tos.c - DSCP and ECN, tunnel mode. In BEET and transport mode there is one header only, whose
 * octet is carried outside as it is; nothing here is asked. */
#include "vpn/esp/tos.h"

uint8_t tos_encapsulate(uint8_t inner, bool copy_dscp, bool copy_ecn)
{
	uint8_t dscp = copy_dscp ? inner & TOS_DSCP_MASK : 0;
	uint8_t ecn = copy_ecn ? inner & TOS_ECN_MASK : ECN_NOT_ECT;

	return dscp | ecn;
}

#define ECN_DROP 0xff

/* RFC 6040 §4.2, figure 4: rows are the arriving inner field, columns the arriving outer one. */
static const uint8_t figure4[4][4] = {
    [ECN_NOT_ECT] = {[ECN_NOT_ECT] = ECN_NOT_ECT,
		     [ECN_ECT0] = ECN_NOT_ECT,
		     [ECN_ECT1] = ECN_NOT_ECT,
		     [ECN_CE] = ECN_DROP},
    [ECN_ECT0] =
	{[ECN_NOT_ECT] = ECN_ECT0, [ECN_ECT0] = ECN_ECT0, [ECN_ECT1] = ECN_ECT1, [ECN_CE] = ECN_CE},
    [ECN_ECT1] =
	{[ECN_NOT_ECT] = ECN_ECT1, [ECN_ECT0] = ECN_ECT1, [ECN_ECT1] = ECN_ECT1, [ECN_CE] = ECN_CE},
    [ECN_CE] =
	{[ECN_NOT_ECT] = ECN_CE, [ECN_ECT0] = ECN_CE, [ECN_ECT1] = ECN_CE, [ECN_CE] = ECN_CE},
};

bool tos_decapsulate(uint8_t inner, uint8_t outer, bool copy_dscp, uint8_t *ret_tos)
{
	uint8_t ecn = figure4[inner & TOS_ECN_MASK][outer & TOS_ECN_MASK];
	uint8_t dscp = (copy_dscp ? outer : inner) & TOS_DSCP_MASK;

	if (ecn == ECN_DROP)
		return false;
	*ret_tos = dscp | ecn;
	return true;
}
