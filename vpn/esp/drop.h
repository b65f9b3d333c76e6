/* drop.h - why a packet went no further. One list: name, event name, text; each reason has a
 * counter. */
#ifndef VPN_ESP_DROP_H
#define VPN_ESP_DROP_H

#include <stdint.h>

#define ESP_DROPS(X)                                                                              \
	X(ESP_DROP_NONE, "none", "not dropped")                                                   \
	/* receiving, in the order of the checks (RFC 4303 §3.4) */                              \
	X(ESP_DROP_SHORT, "short", "shorter than an ESP packet can be")                           \
	X(ESP_DROP_NO_SA, "no-sa", "no SA has this SPI")                                          \
	X(ESP_DROP_OLD, "old", "behind the replay window")                                        \
	X(ESP_DROP_REPLAYED, "replayed", "sequence number seen before")                           \
	X(ESP_DROP_ICV, "icv", "integrity check failed")                                          \
	X(ESP_DROP_PADDING, "padding", "padding is not 1, 2, 3, ...")                             \
	X(ESP_DROP_DUMMY, "dummy", "dummy packet, discarded as it should be")                     \
	X(ESP_DROP_NEXT_HEADER, "next-header", "next header does not belong to the SA's mode")    \
	X(ESP_DROP_INNER, "inner", "inner packet is malformed")                                   \
	X(ESP_DROP_ECN, "ecn", "congestion marked outside, not ECN-capable inside")               \
	X(ESP_DROP_SELECTOR, "selector", "inner packet is outside the SA's selectors")            \
	X(ESP_DROP_BEET_OPTIONS, "beet-options", "BEET pseudo header is malformed")               \
	/* sending */                                                                             \
	X(ESP_DROP_MALFORMED, "malformed", "not an IP packet")                                    \
	X(ESP_DROP_NO_POLICY, "no-policy", "no outbound SA for this packet")                      \
	X(ESP_DROP_TRAPPED, "trapped", "waiting for an SA to be negotiated")                      \
	X(ESP_DROP_SEQ, "seq-exhausted", "sequence numbers are used up")                          \
	X(ESP_DROP_TOO_BIG, "too-big", "does not fit and may not be fragmented")                  \
	X(ESP_DROP_FRAGMENT, "fragment", "inner fragment that could not be reassembled for BEET") \
	X(ESP_DROP_SPACE, "space", "does not fit in the buffer")                                  \
	/* both */                                                                                \
	X(ESP_DROP_HARD_LIMIT, "hard-limit", "the SA's byte or packet limit is reached")          \
	X(ESP_DROP_CRYPTO, "crypto", "the cipher failed")                                         \
	X(ESP_DROP_IO, "io", "the socket or device refused it")

enum esp_drop {
#define X(name, id, text) name,
	ESP_DROPS(X)
#undef X
	    ESP_DROP_COUNT
};

const char *esp_drop_name(enum esp_drop d); /* "no-sa" */
const char *esp_drop_text(enum esp_drop d); /* "no SA has this SPI" */

#endif
