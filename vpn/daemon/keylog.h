/* keylog.h - the key log: every IKE SA's and ESP SA's keys, for whoever is to decrypt a capture.
 *
 * Only on request (--keylog DIR): who reads these files reads the traffic. The directory gets mode
 * 0700, the files 0600:
 *
 *     keys.jsonl              every SA with every cipher, one JSON object a line
 *     ikev2_decryption_table  Wireshark's table, for the ciphers that Wireshark 4.0 knows
 *     esp_sa                  Wireshark's table, likewise; any addresses, since NAT changes them
 *     preferences             Wireshark is to decrypt ESP and check it
 *
 * The directory serves as WIRESHARK_CONFIG_DIR as it is. */
#ifndef VPN_DAEMON_KEYLOG_H
#define VPN_DAEMON_KEYLOG_H

#include <stdint.h>
#include <stdio.h>

#include "vpn/base/err.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/ike/action.h"

struct keylog {
	FILE *json; /* NULL: not asked for */
	FILE *ike_table;
	FILE *esp_table;
};

/* Makes the directory if need be; files are appended to. ERR_IO. */
int keylog_open(struct keylog *keylog, const char *dir, struct err_msg *msg);
void keylog_close(struct keylog *keylog);
void keylog_ike(struct keylog *keylog, uint32_t ike_id, const struct ike_keys_info *keys,
		uint64_t unix_us);
void keylog_esp(struct keylog *keylog, const struct ipsec_sa *sa, uint64_t unix_us);

#endif
