/* seal.h - inner packets into ESP packets (RFC 4303 §3.3). */
#ifndef VPN_ESP_SEAL_H
#define VPN_ESP_SEAL_H

#include "vpn/esp/packet.h"
#include "vpn/esp/sa.h"

#define ESP_BATCH 64

/* Unpredictable octets, for the IVs of CBC. */
struct esp_random {
	void (*fill)(void *arg, uint8_t *buf, size_t len);
	void *arg;
};

/* Seals packets in place for one SA, in order. Each comes with data, len, room around it
 * (PACKET_HEADROOM, PACKET_TAILROOM) and `inner` filled by ip_parse; it leaves as the ESP packet,
 * from the SPI to the ICV, with `outer` saying what the IP header in front of it has to be. A
 * packet whose drop is set on entry is skipped; one that fails gets its drop set: ESP_DROP_SEQ,
 * HARD_LIMIT, FRAGMENT, SPACE, CRYPTO. */
void esp_seal(struct esp_sa *sa, struct packet *pkts, size_t n, uint64_t now,
	      const struct esp_random *rng);

/* Largest inner packet (IPv4 without options) that leaves in one piece: RFC 4301 §8.2.1. */
size_t esp_inner_mtu(const struct esp_sa *sa, uint8_t inner_version);
/* The length that esp_seal gives to an inner packet, from SPI to ICV. */
size_t esp_sealed_len(const struct esp_sa *sa, const struct ip_info *inner);

/* How a packet fits its SA. */
enum esp_fit {
	ESP_FITS,
	ESP_FRAGMENT_INNER, /* IPv4 without DF in a tunnel: to be fragmented before it is sealed */
	ESP_FRAGMENT_OUTER, /* sealed whole; the outer packet has DF clear and is fragmented by IP
			     */
	ESP_TOO_BIG,	    /* the sender is told esp_inner_mtu */
};
enum esp_fit esp_fit(const struct esp_sa *sa, const struct ip_info *inner);

#endif
