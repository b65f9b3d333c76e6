/* keylog_wireshark.h - one SA as a line of Wireshark's tables. */
#ifndef VPN_DAEMON_KEYLOG_WIRESHARK_H
#define VPN_DAEMON_KEYLOG_WIRESHARK_H

#include <stdio.h>

#include "vpn/base/ipsec_sa.h"
#include "vpn/ike/action.h"

/* Both write nothing for a cipher that Wireshark 4.0 does not know: it refuses a table with one bad
 * line. */
void wireshark_ike(FILE *out, const struct ike_keys_info *keys);
void wireshark_esp(FILE *out, const struct ipsec_sa *sa);

#endif
