/* options.c - charon's defaults (strongswan.conf(5)). */
#include "vpn/ike/options.h"

#include "vpn/base/proto.h"

#define SECONDS UINT64_C(1000000)

void ike_options_default(struct ike_options *ret_options)
{
	*ret_options = (struct ike_options){.retransmit_timeout = 4 * SECONDS,
					    .retransmit_base = 1.8,
					    .retransmit_tries = 5,
					    .keepalive_interval = 20 * SECONDS,
					    .half_open_timeout = 30 * SECONDS,
					    .cookie_threshold = 30,
					    .half_open_per_host = 5,
					    .fragment_size = 1280,
					    .send_vendor_id = true,
					    .port = IKE_PORT,
					    .port_natt = IKE_NATT_PORT};
}
