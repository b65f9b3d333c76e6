/* describe.h - what an IKE SA, a Child SA or an ESP SA is, as JSON: for the events and the key log.
 */
#ifndef VPN_DAEMON_DESCRIBE_H
#define VPN_DAEMON_DESCRIBE_H

#include <jansson.h>

#include "vpn/base/reader.h"
#include "vpn/ike/info.h"

/* All return a new reference; NULL is an empty place or out of memory, which jansson carries on. */
json_t *describe_ike_sa(const struct ike_sa_info *sa);
json_t *describe_child_sa(const struct child_sa_info *child);
json_t *describe_endpoint(const struct endpoint *e); /* "192.0.2.1[4500]" */
json_t *describe_addr(const struct ip_addr *addr);
json_t *describe_spi64(uint64_t spi); /* 16 hexadecimal digits */
json_t *describe_spi32(uint32_t spi); /* 8 */
json_t *describe_hex(struct view octets);
json_t *describe_selectors(const struct ts_list *list);
/* Unix time in seconds, to the microsecond. */
json_t *describe_time(uint64_t unix_us);
/* "AES_GCM_16_256"; NULL for 0 */
json_t *describe_alg(int transform_type, uint16_t id, uint16_t bits);

#endif
