/* drops.h - why an IKE datagram was thrown away: each reason once, with its words, each counted. */
#ifndef VPN_IKE_DROPS_H
#define VPN_IKE_DROPS_H

#define IKE_DROPS(X)                                                                 \
	X(IKE_DROP_HEADER, "header malformed or length wrong")                       \
	X(IKE_DROP_VERSION, "major version is not 2")                                \
	X(IKE_DROP_EXCHANGE, "exchange type unknown or not allowed here")            \
	X(IKE_DROP_NO_SA, "no IKE SA of these SPIs")                                 \
	X(IKE_DROP_ROLE, "initiator flag contradicts the SPIs")                      \
	X(IKE_DROP_MESSAGE_ID, "message ID outside the window")                      \
	X(IKE_DROP_NOT_AWAITED, "response that nothing waits for")                   \
	X(IKE_DROP_PAYLOADS, "payload chain malformed")                              \
	X(IKE_DROP_ILLEGAL, "payloads not legal in this message")                    \
	X(IKE_DROP_AUTHENTICATION, "integrity check failed")                         \
	X(IKE_DROP_FRAGMENT, "fragment repeated, or of a message that is done with") \
	X(IKE_DROP_FRAGMENTS, "too many fragments are waiting")                      \
	X(IKE_DROP_KEYS, "keys are not derived yet")                                 \
	X(IKE_DROP_HALF_OPEN, "too many half-open SAs of this address")              \
	X(IKE_DROP_COOKIE, "cookie wrong or stale")                                  \
	X(IKE_DROP_RATE, "rate limit of unauthenticated answers")                    \
	X(IKE_DROP_NO_CONN, "no connection is configured for these addresses")       \
	X(IKE_DROP_MEMORY, "out of memory")                                          \
	X(IKE_DROP_RESOURCES, "cryptography failed")

#define X(name, text) name,
enum ike_drop { IKE_DROPS(X) IKE_DROP_COUNT };
#undef X

const char *ike_drop_text(enum ike_drop reason);

#endif
