/* nat_packet.h - a NAT box's hands: IP packets rewritten by the table of nat_model.h. */
#ifndef NETNS_NAT_PACKET_H
#define NETNS_NAT_PACKET_H

#include "netns/nat_model.h"
#include "vpn/wire/packet/ip.h"

/* An IP packet or its first fragment, from inside, or from outside to the box's address, changed in
 * place with its checksums. ICMP errors are translated with the packet that they quote. What
 * nat_model_out and nat_model_in say; ERR_SYNTAX, ERR_UNSUPPORTED (IPv6, a later fragment). */
int nat_packet_out(struct nat_model *nat, uint8_t *data, size_t len, int64_t now);
int nat_packet_in(struct nat_model *nat, uint8_t *data, size_t len, int64_t now);
/* From inside, meant for the outside address, whatever its destination says: both ends are changed
 * to what nat_model_hairpin says, so that it can go back inside. */
int nat_packet_hairpin(struct nat_model *nat, uint8_t *data, size_t len, int64_t now);
/* A later fragment of IPv4: its addresses alone. */
void nat_packet_readdress(uint8_t *data, size_t len, const struct ip_addr *src,
			  const struct ip_addr *dst);

#endif
