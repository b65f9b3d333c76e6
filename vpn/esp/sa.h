/* sa.h - one ESP SA at work: its description, its cipher, its sequence numbers and its limits.
 *
 * An esp_sa belongs to one thread. It is made and freed outside the packet path. */
#ifndef VPN_ESP_SA_H
#define VPN_ESP_SA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/ipsec_sa.h"
#include "vpn/base/list.h"
#include "vpn/crypto/cipher.h"
#include "vpn/esp/drop.h"
#include "vpn/esp/replay.h"

/* What the control plane wants to hear of an SA, once each. */
enum esp_sa_event { ESP_SA_SOFT = 1, ESP_SA_HARD = 2, ESP_SA_SEQ = 4 };

struct esp_sa {
	struct ipsec_sa desc; /* owned; the key is wiped once the cipher has it */
	struct cipher *cipher;
	struct cipher_info info;
	struct replay *replay; /* inbound only */
	uint64_t seq;	       /* outbound: the last number sent */
	struct ipsec_sa_stats stats;

	uint8_t events; /* enum esp_sa_event bits raised and not yet taken */
	uint8_t raised; /* bits ever raised */
	bool stopped;	/* hard limit, or out of sequence numbers */
	enum esp_drop stop_reason;

	uint32_t path_mtu;	  /* outer; 0: unknown, taken as 1500 */
	struct ts_packet last_ok; /* inbound: the last selectors that were found inside */

	struct esp_sa *hash_next; /* sad.c */
	void *user;		  /* the data plane's */
};

/* ERR_UNSUPPORTED (cipher, mode), ERR_INVALID (key length, BEET without host selectors, replay
 * window), ERR_NOMEM, ERR_CRYPTO. */
int esp_sa_new(const struct ipsec_sa *desc, struct esp_sa **ret_sa);
void esp_sa_free(struct esp_sa *sa); /* wipes; NULL is fine */

/* Counts one inner packet of len octets and raises the limit events. */
void esp_sa_count(struct esp_sa *sa, size_t len, uint64_t now);
void esp_sa_raise(struct esp_sa *sa, enum esp_sa_event event);
void esp_sa_stop(struct esp_sa *sa, enum esp_sa_event event, enum esp_drop reason);

/* Octets in front of the payload: ESP header and IV. */
size_t esp_sa_front(const struct esp_sa *sa);
/* Payload, padding and trailer fill blocks of this size (RFC 4303 §2.4: at least 4). */
size_t esp_sa_align(const struct esp_sa *sa);

/* True if the SA carries the payload behind the IP header only (BEET and transport). */
bool esp_sa_strips_header(const struct esp_sa *sa);

/* The inner addresses of a BEET or transport SA, as the header of a packet in that direction has
 * them. */
void esp_sa_inner_addrs(const struct esp_sa *sa, struct ip_addr *ret_src, struct ip_addr *ret_dst);

#endif
