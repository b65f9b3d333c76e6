/* open.h - ESP packets into inner packets (RFC 4303 §3.4). */
#ifndef VPN_ESP_OPEN_H
#define VPN_ESP_OPEN_H

#include "vpn/esp/packet.h"
#include "vpn/esp/sa.h"
#include "vpn/esp/sad.h"

/* Opens packets in place. Each comes as data and len from the SPI to the ICV, with `outer` as
 * received and the octets around it that may be overwritten; of a train of packets in one buffer
 * that is the ICV of the packet before (they are opened in order). On return either drop says why
 * it goes no further, or data, len and inner describe the inner IP packet, and sa the SA that it
 * came by. sa is also set when the packet was authentic and dropped later. */
void esp_open(const struct sad *sad, struct packet *pkts, size_t n, uint64_t now);

#endif
