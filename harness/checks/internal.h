/* internal.h - what the checks share: saying what was found, and what parameters say of a place. */
#ifndef HARNESS_CHECKS_INTERNAL_H
#define HARNESS_CHECKS_INTERNAL_H

#include "harness/checks/checks.h"
#include "harness/dissect/map.h"

#define DEFAULT_MTU	     1500
#define DEFAULT_KEEPALIVE_S  20 /* RFC 3948 §4 */
#define DEFAULT_RETRANSMIT_S 10

/* A fault, or a note, with its first frame (FACT_NONE: none). */
void check_fault(struct check_result *r, size_t frame, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void check_note(struct check_result *r, size_t frame, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A further frame of the last fault or note. */
void check_fault_frame(struct check_result *r, size_t frame);
void check_note_frame(struct check_result *r, size_t frame);

/* The verdict from what was examined and found; the sentence is for the case without faults. With
 * nothing examined, the check is not applicable, and `none` says why. */
void check_conclude(struct check_result *r, const char *none, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What the parameters, or the default, say of a place; *ret_stated: named by the parameters. */
unsigned place_mtu(const struct facts *f, const struct check_params *p, size_t place,
		   bool *ret_stated);
bool place_is_outer(const struct facts *f, const struct check_params *p, size_t place);
/* The narrowest link between the peers, as far as it is known. */
unsigned path_mtu(const struct facts *f, const struct check_params *p);

/* "IKE SA 5c877238efca1853_i ddccba938b61d250_r". Returns buf. */
const char *ike_sa_describe(const struct ike_sa_fact *sa, char *buf, size_t cap);
/* No router has taken the packet yet, as its TTL shows: it has the addresses it was sent with. */
bool frame_is_as_sent(const struct fact_frame *frame);
double seconds(uint64_t us);

/* "1 packet", "2 packets"; "1 child", "2 children". */
static inline const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static inline const char *children(size_t n)
{
	return n == 1 ? "child" : "children";
}

/* The place where that side of an IKE SA is on the wire itself, as TTLs show; where it was seen
 * first, if none does; FACT_NONE. */
size_t check_side_place(const struct facts *f, size_t ike_sa, bool initiator);
/* The first copy of a message at a place, and of the answer to a request; FACT_NONE. */
size_t check_message_at(const struct facts *f, const struct ike_msg *like, size_t place);
size_t check_answer_at(const struct facts *f, const struct ike_msg *request, size_t place);
/* The IKE SA that this one goes back to by rekeying. */
size_t check_sa_root(const struct facts *f, size_t ike_sa);
uint64_t check_time(const struct facts *f, size_t frame); /* us */
/* A packet without what routers change: DSCP and ECN, TTL, checksum of the header. */
uint64_t check_packet_hash(struct view packet, const struct ip_info *info);
/* Counts in a map: how often a key was put, this time included. */
size_t check_count_up(struct map *m, uint64_t key, struct check_result *r);

#define CHECKS(X)                                                                                  \
	X("opened", "Everything sealed could be opened", "RFC 4303 §3.4.4, RFC 7296 §3.14", true,  \
	  check_opened)                                                                            \
	X("cleartext", "No inner packet in the clear on an outer wire", "RFC 4301 §5.1", true,     \
	  check_cleartext)                                                                         \
	X("inner-selectors", "Every inner packet inside the selectors of its SA", "RFC 4301 §5.2", \
	  true, check_inner_selectors)                                                             \
	X("esp-sequence", "ESP sequence numbers rise strictly", "RFC 4303 §3.3.3", true,           \
	  check_esp_sequence)                                                                      \
	X("esp-iv", "No IV is used twice under a key", "RFC 4106 §3.1, RFC 7634 §2, RFC 3602 §3",  \
	  true, check_esp_iv)                                                                      \
	X("mtu", "No packet above its link's MTU", "RFC 4301 §8.2.1", true, check_mtu)             \
	X("requests", "Every request answered, or sent again octet by octet", "RFC 7296 §2.1",     \
	  true, check_requests)                                                                    \
	X("message-ids", "Message IDs count up, one request at a time", "RFC 7296 §2.2, §2.3",     \
	  true, check_message_ids)                                                                 \
	X("fragments", "IKE fragments are announced, numbered, and spare IP the work",             \
	  "RFC 7383 §2.4, §2.5", true, check_fragments)                                            \
	X("nat-detection", "NAT detection hashes are those of the real addresses",                 \
	  "RFC 7296 §2.23", true, check_nat_detection)                                             \
	X("port-float", "Non-ESP marker and the change to port 4500",                              \
	  "RFC 7296 §2.23, RFC 3948 §2.2", true, check_port_float)                                 \
	X("keepalive", "A peer behind a NAT is never silent for long", "RFC 3948 §2.3, §4", true,  \
	  check_keepalive)                                                                         \
	X("no-sa-left", "Every IKE SA is deleted at the end", "RFC 7296 §1.4.1", true,             \
	  check_no_sa_left)                                                                        \
	X("selectors", "The selectors negotiated are those expected", "RFC 7296 §2.9", false,      \
	  check_selectors)                                                                         \
	X("nat-t", "NAT found and ESP encapsulated as expected", "RFC 7296 §2.23", false,          \
	  check_nat_t)                                                                             \
	X("mobike", "MOBIKE: addresses updated by the rules, ESP follows",                         \
	  "RFC 4555 §3.2, §3.3, §3.5, §3.7, §3.8", false, check_mobike)                            \
	X("mss", "TCP segments fit the path in both directions", "RFC 9293 §3.7.1, RFC 4301 §8.2", \
	  false, check_mss)                                                                        \
	X("mode", "The mode on the wire is the one negotiated and asked for", "RFC 7296 §1.3.1",   \
	  false, check_mode)                                                                       \
	X("pmtu", "The path's MTU is kept to", "RFC 4301 §8.2.1, RFC 1191 §6.3", false,            \
	  check_pmtu)                                                                              \
	X("replay", "A packet that comes twice is delivered once", "RFC 4303 §3.4.3", false,       \
	  check_replay)                                                                            \
	X("delivery", "What hosts send arrives, and once", "RFC 7296 §2.8, RFC 4303 §3.4.3",       \
	  false, check_delivery)                                                                   \
	X("rekey", "Rekeying makes before it breaks, and repeats nothing",                         \
	  "RFC 7296 §2.8, §2.10, §2.18", false, check_rekey)                                       \
	X("retransmit", "Messages are sent again as they were, ever later, and not for ever",      \
	  "RFC 7296 §2.1, §2.4", false, check_retransmit)                                          \
	X("dpd", "A silent peer is asked whether it lives, and no other", "RFC 7296 §2.4", false,  \
	  check_dpd)                                                                               \
	X("cookies", "A cookie is given back as it was, and costs the responder nothing",          \
	  "RFC 7296 §2.6", false, check_cookies)                                                   \
	X("first-packet", "The packet that asks for a child stands first and goes first",          \
	  "RFC 7296 §2.9", false, check_first_packet)

#define X(name, title, clause, standing, fn) check_fn fn;
CHECKS(X)
#undef X

#endif
