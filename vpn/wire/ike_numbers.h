/* ike_numbers.h - the numbers of IKEv2: exchanges, payloads, notifies. Each stands once: name,
 * value, the text that people read, and where it is defined (IANA "Internet Key Exchange Version 2
 * Parameters"). */
#ifndef VPN_WIRE_IKE_NUMBERS_H
#define VPN_WIRE_IKE_NUMBERS_H

#include <stdint.h>

#define IKE_EXCHANGES(X)                                           \
	X(IKE_SA_INIT, 34, "IKE_SA_INIT", "RFC 7296 §1.2")         \
	X(IKE_AUTH, 35, "IKE_AUTH", "RFC 7296 §1.2")               \
	X(CREATE_CHILD_SA, 36, "CREATE_CHILD_SA", "RFC 7296 §1.3") \
	X(INFORMATIONAL, 37, "INFORMATIONAL", "RFC 7296 §1.4")

#define IKE_PAYLOADS(X)                                    \
	X(PAYLOAD_NONE, 0, "none", "RFC 7296 §3.2")        \
	X(PAYLOAD_SA, 33, "SA", "RFC 7296 §3.3")           \
	X(PAYLOAD_KE, 34, "KE", "RFC 7296 §3.4")           \
	X(PAYLOAD_IDI, 35, "IDi", "RFC 7296 §3.5")         \
	X(PAYLOAD_IDR, 36, "IDr", "RFC 7296 §3.5")         \
	X(PAYLOAD_CERT, 37, "CERT", "RFC 7296 §3.6")       \
	X(PAYLOAD_CERTREQ, 38, "CERTREQ", "RFC 7296 §3.7") \
	X(PAYLOAD_AUTH, 39, "AUTH", "RFC 7296 §3.8")       \
	X(PAYLOAD_NONCE, 40, "No", "RFC 7296 §3.9")        \
	X(PAYLOAD_NOTIFY, 41, "N", "RFC 7296 §3.10")       \
	X(PAYLOAD_DELETE, 42, "D", "RFC 7296 §3.11")       \
	X(PAYLOAD_VENDOR, 43, "V", "RFC 7296 §3.12")       \
	X(PAYLOAD_TSI, 44, "TSi", "RFC 7296 §3.13")        \
	X(PAYLOAD_TSR, 45, "TSr", "RFC 7296 §3.13")        \
	X(PAYLOAD_SK, 46, "SK", "RFC 7296 §3.14")          \
	X(PAYLOAD_CP, 47, "CP", "RFC 7296 §3.15")          \
	X(PAYLOAD_EAP, 48, "EAP", "RFC 7296 §3.16")        \
	X(PAYLOAD_SKF, 53, "SKF", "RFC 7383 §2.5")

/* Values below 16384 are errors (RFC 7296 §3.10.1). */
#define IKE_NOTIFIES(X)                                                                            \
	X(N_UNSUPPORTED_CRITICAL_PAYLOAD, 1, "UNSUPPORTED_CRITICAL_PAYLOAD", "RFC 7296 §2.5")      \
	X(N_INVALID_IKE_SPI, 4, "INVALID_IKE_SPI", "RFC 7296 §2.21")                               \
	X(N_INVALID_MAJOR_VERSION, 5, "INVALID_MAJOR_VERSION", "RFC 7296 §2.5")                    \
	X(N_INVALID_SYNTAX, 7, "INVALID_SYNTAX", "RFC 7296 §2.21.3")                               \
	X(N_INVALID_MESSAGE_ID, 9, "INVALID_MESSAGE_ID", "RFC 7296 §2.3")                          \
	X(N_INVALID_SPI, 11, "INVALID_SPI", "RFC 7296 §1.5")                                       \
	X(N_NO_PROPOSAL_CHOSEN, 14, "NO_PROPOSAL_CHOSEN", "RFC 7296 §2.7")                         \
	X(N_INVALID_KE_PAYLOAD, 17, "INVALID_KE_PAYLOAD", "RFC 7296 §1.3")                         \
	X(N_AUTHENTICATION_FAILED, 24, "AUTHENTICATION_FAILED", "RFC 7296 §2.21.2")                \
	X(N_SINGLE_PAIR_REQUIRED, 34, "SINGLE_PAIR_REQUIRED", "RFC 7296 §2.9")                     \
	X(N_NO_ADDITIONAL_SAS, 35, "NO_ADDITIONAL_SAS", "RFC 7296 §1.3")                           \
	X(N_INTERNAL_ADDRESS_FAILURE, 36, "INTERNAL_ADDRESS_FAILURE", "RFC 7296 §3.15.4")          \
	X(N_FAILED_CP_REQUIRED, 37, "FAILED_CP_REQUIRED", "RFC 7296 §2.19")                        \
	X(N_TS_UNACCEPTABLE, 38, "TS_UNACCEPTABLE", "RFC 7296 §2.9")                               \
	X(N_INVALID_SELECTORS, 39, "INVALID_SELECTORS", "RFC 7296 §3.10.1")                        \
	X(N_UNACCEPTABLE_ADDRESSES, 40, "UNACCEPTABLE_ADDRESSES", "RFC 4555 §4.1.1")               \
	X(N_UNEXPECTED_NAT_DETECTED, 41, "UNEXPECTED_NAT_DETECTED", "RFC 4555 §4.1.2")             \
	X(N_TEMPORARY_FAILURE, 43, "TEMPORARY_FAILURE", "RFC 7296 §2.25")                          \
	X(N_CHILD_SA_NOT_FOUND, 44, "CHILD_SA_NOT_FOUND", "RFC 7296 §2.25")                        \
	X(N_INITIAL_CONTACT, 16384, "INITIAL_CONTACT", "RFC 7296 §2.4")                            \
	X(N_SET_WINDOW_SIZE, 16385, "SET_WINDOW_SIZE", "RFC 7296 §2.3")                            \
	X(N_ADDITIONAL_TS_POSSIBLE, 16386, "ADDITIONAL_TS_POSSIBLE", "RFC 7296 §2.9")              \
	X(N_IPCOMP_SUPPORTED, 16387, "IPCOMP_SUPPORTED", "RFC 7296 §2.22")                         \
	X(N_NAT_DETECTION_SOURCE_IP, 16388, "NAT_DETECTION_SOURCE_IP", "RFC 7296 §2.23")           \
	X(N_NAT_DETECTION_DESTINATION_IP, 16389, "NAT_DETECTION_DESTINATION_IP", "RFC 7296 §2.23") \
	X(N_COOKIE, 16390, "COOKIE", "RFC 7296 §2.6")                                              \
	X(N_USE_TRANSPORT_MODE, 16391, "USE_TRANSPORT_MODE", "RFC 7296 §1.3.1")                    \
	X(N_HTTP_CERT_LOOKUP_SUPPORTED, 16392, "HTTP_CERT_LOOKUP_SUPPORTED", "RFC 7296 §3.6")      \
	X(N_REKEY_SA, 16393, "REKEY_SA", "RFC 7296 §1.3.3")                                        \
	X(N_ESP_TFC_PADDING_NOT_SUPPORTED, 16394, "ESP_TFC_PADDING_NOT_SUPPORTED",                 \
	  "RFC 7296 §1.3.1")                                                                       \
	X(N_NON_FIRST_FRAGMENTS_ALSO, 16395, "NON_FIRST_FRAGMENTS_ALSO", "RFC 7296 §1.3.1")        \
	X(N_MOBIKE_SUPPORTED, 16396, "MOBIKE_SUPPORTED", "RFC 4555 §4.2.1")                        \
	X(N_ADDITIONAL_IP4_ADDRESS, 16397, "ADDITIONAL_IP4_ADDRESS", "RFC 4555 §4.2.2")            \
	X(N_ADDITIONAL_IP6_ADDRESS, 16398, "ADDITIONAL_IP6_ADDRESS", "RFC 4555 §4.2.2")            \
	X(N_NO_ADDITIONAL_ADDRESSES, 16399, "NO_ADDITIONAL_ADDRESSES", "RFC 4555 §4.2.3")          \
	X(N_UPDATE_SA_ADDRESSES, 16400, "UPDATE_SA_ADDRESSES", "RFC 4555 §4.2.4")                  \
	X(N_COOKIE2, 16401, "COOKIE2", "RFC 4555 §4.2.5")                                          \
	X(N_NO_NATS_ALLOWED, 16402, "NO_NATS_ALLOWED", "RFC 4555 §4.2.6")                          \
	X(N_AUTH_LIFETIME, 16403, "AUTH_LIFETIME", "RFC 4478 §3")                                  \
	X(N_MULTIPLE_AUTH_SUPPORTED, 16404, "MULTIPLE_AUTH_SUPPORTED", "RFC 4739 §3.1")            \
	X(N_ANOTHER_AUTH_FOLLOWS, 16405, "ANOTHER_AUTH_FOLLOWS", "RFC 4739 §3.2")                  \
	X(N_REDIRECT_SUPPORTED, 16406, "REDIRECT_SUPPORTED", "RFC 5685 §9.1")                      \
	X(N_EAP_ONLY_AUTHENTICATION, 16417, "EAP_ONLY_AUTHENTICATION", "RFC 5998 §3")              \
	X(N_CHILDLESS_IKEV2_SUPPORTED, 16418, "CHILDLESS_IKEV2_SUPPORTED", "RFC 6023 §3.1")        \
	X(N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, 16420, "IKEV2_MESSAGE_ID_SYNC_SUPPORTED",             \
	  "RFC 6311 §5.1")                                                                         \
	X(N_IKEV2_FRAGMENTATION_SUPPORTED, 16430, "IKEV2_FRAGMENTATION_SUPPORTED",                 \
	  "RFC 7383 §2.3")                                                                         \
	X(N_SIGNATURE_HASH_ALGORITHMS, 16431, "SIGNATURE_HASH_ALGORITHMS", "RFC 7427 §4")          \
	X(N_USE_PPK, 16435, "USE_PPK", "RFC 8784 §3")                                              \
	X(N_PPK_IDENTITY, 16436, "PPK_IDENTITY", "RFC 8784 §3")                                    \
	X(N_NO_PPK_AUTH, 16437, "NO_PPK_AUTH", "RFC 8784 §3")                                      \
	X(N_INTERMEDIATE_EXCHANGE_SUPPORTED, 16438, "INTERMEDIATE_EXCHANGE_SUPPORTED",             \
	  "RFC 9242 §3.1")                                                                         \
	X(N_USE_BEET_MODE, 40961, "USE_BEET_MODE", "private use, strongSwan")

#define X(name, value, text, ref) name = value,
enum ike_exchange_type { IKE_EXCHANGES(X) };
enum ike_payload_type { IKE_PAYLOADS(X) };
enum ike_notify_type { IKE_NOTIFIES(X) };
#undef X

#define N_FIRST_STATUS 16384

/* Names of numbers; of unknown ones "N(12345)" and the like, written to buf. */
const char *ike_exchange_name(unsigned value, char *buf, unsigned cap);
const char *ike_payload_name(unsigned value, char *buf, unsigned cap);
const char *ike_notify_name(unsigned value, char *buf, unsigned cap);

enum cert_encoding { CERT_ENCODING_X509_SIGNATURE = 4 }; /* RFC 7296 §3.6 */

#endif
