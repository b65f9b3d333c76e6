/* limits.h - what a peer can make the IKE engine hold or do, each with the reason for its value. */
#ifndef VPN_IKE_LIMITS_H
#define VPN_IKE_LIMITS_H

/* Outer IPv4 with UDP; larger IKE messages than this never arrive unfragmented. */
#define LIMIT_MESSAGE_LEN 65507

/* Fragments of a message (RFC 7383 §2.5.1): the longest message in datagrams of 576 octets. */
#define LIMIT_FRAGMENTS 160

/* Octets of incomplete messages that are held for all IKE SAs together; more is a flood. */
#define LIMIT_FRAGMENTS_HELD (16 * 1024 * 1024)

/* A request that is answered in pieces which may be too large is sent again with the same octets:
 * after how many times the answer is made of smaller ones (RFC 7383 §2.4). */
#define SHRINK_AFTER_REPEATS 2

/* How often a request of ours is sent again before it is made of smaller pieces (RFC 7383 §2.5.2:
 * a few, within several seconds). */
#define SHRINK_AFTER_TRIES 1

/* Certificates in a message: a leaf and the intermediates of the longest chain that people use. */
#define LIMIT_CERTS 10

/* Child SAs of one IKE SA: a gateway with hundreds of subnets uses one child for each pair. */
#define LIMIT_CHILDREN 1024

/* Retries of IKE_SA_INIT that a responder's COOKIE or INVALID_KE_PAYLOAD can provoke; each answer
 * is unauthenticated (RFC 7296 §2.6, §2.21.1), so an attacker must not keep us busy. */
#define LIMIT_INIT_RETRIES 5

/* A cookie that a responder may ask us to return (RFC 7296 §2.6). */
#define LIMIT_COOKIE_LEN 64

/* Addresses of a peer beside the one in use (RFC 4555 §3.4), and of ours that it is told of: more
 * uplinks than a host has; what is beyond is ignored. */
#define LIMIT_ADDRESSES 16

/* Refusals of an address update because of a NAT after which no further one is sent (RFC 4555
 * §3.9: as many as retransmissions). */
#define LIMIT_UPDATE_RETRIES 5

/* Unanswered tries of a request after which other paths are tried (RFC 4555 §3.5). */
#define PATH_SUSPECT_TRIES 2

/* Microseconds from a change of the host's addresses or routes until an IKE SA looks at them: one
 * change comes as several messages of the kernel. */
#define ROAM_DELAY 100000

/* Message IDs (RFC 7296 §2.2: they must not wrap): from here on the IKE SA wants to be rekeyed, and
 * at the last one it ends. */
#define LIMIT_MESSAGE_ID      0xffff0000u
#define LIMIT_LAST_MESSAGE_ID 0xfffffffeu

/* Tasks waiting in one IKE SA: each configured child may be asked for, and a few more. */
#define LIMIT_TASKS 2048

/* Microseconds for which the last answer is kept for retransmissions after an IKE SA is gone: the
 * peer's first three tries (RFC 7296 §2.1, §2.4). */
#define LINGER_TIME 20000000

/* Microseconds for which an inbound SA stays after its deletion, for packets on the way (RFC 7296
 * §2.8). */
#define INBOUND_GRACE 5000000

/* Microseconds after which a responder uses a rekeyed Child SA even if its initiator has not
 * deleted the old one, which is the usual sign that it is ready. */
#define OUTBOUND_DELAY 5000000

/* The same for a Child SA that stands beside one of another IKE SA, by reauthentication: its
 * initiator may receive as soon as it has our answer. */
#define HEIR_DELAY 1000000

/* Microseconds until a rekeying that failed for now is tried again, and as much at random on top
 * (RFC 7296 §2.25: TEMPORARY_FAILURE). */
#define REKEY_RETRY 5000000

/* Microseconds between two "peer-moved" of one SA: a flapping NAT must not flood events. */
#define PEER_MOVE_INTERVAL 100000

#endif
