/* facts.h - what captures and key logs say, as plain data: the input of checks and reports.
 *
 * Everything is a fact about frames: which IKE message a frame carries and what stands in it, which
 * ESP packet and the packet inside. Nothing is judged here and nothing invented: what could not be
 * opened says why. Facts refer to each other by index (FACT_NONE: none), and everything that they
 * point to is owned by struct facts.
 *
 * Lists are in the order of time, over all places. The same message seen at two places is two
 * facts; an SA is one fact however many places have seen it. */
#ifndef HARNESS_DISSECT_FACTS_H
#define HARNESS_DISSECT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/dissect/arena.h"
#include "harness/dissect/capture_set.h"
#include "harness/dissect/keys.h"
#include "vpn/base/addr.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/base/ts.h"
#include "vpn/wire/ike_message.h"
#include "vpn/wire/packet/ip.h"
#include "vpn/wire/proposal.h"

#define FACT_NONE SIZE_MAX

enum frame_kind {
	FRAME_OTHER,	  /* no IP, or nothing of ours: ARP, neighbour discovery, cut short */
	FRAME_IKE,	  /* index: facts.ike */
	FRAME_ESP,	  /* index: facts.esp */
	FRAME_KEEPALIVE,  /* index: facts.keepalives */
	FRAME_ICMP_ERROR, /* index: facts.icmp_errors */
	FRAME_FRAGMENT,	  /* an IP fragment that does not complete its packet */
	FRAME_CLEAR,	  /* any other IP packet; index: facts.clear */
};

/* One frame of a capture. The packet is whole also where it came in fragments: it is then a fact of
 * the frame that completed it. */
struct fact_frame {
	size_t place;
	uint32_t number;
	uint64_t time_us;
	struct view octets; /* as captured, link header included */
	uint32_t wire_len;
	size_t ip_off;	    /* where the IP header begins; octets.len if there is none */
	uint32_t ip_len;    /* of this frame's IP packet or fragment, by its own header; 0: no IP */
	bool cut;	    /* captured with fewer octets than were on the wire */
	struct view packet; /* the whole IP packet, reassembled if need be; len 0: no IP */
	struct ip_info ip;  /* of packet; valid if packet.len */
	size_t n_fragments; /* 0: it came whole */
	struct endpoint src, dst; /* ports where the packet has some */
	enum frame_kind kind;
	size_t index;
};

/* Why something sealed is not open. */
enum fact_unopened {
	FACT_OPEN,
	FACT_NO_KEY,	/* no key of that SPI, and none of those without SPI fits */
	FACT_WRONG_KEY, /* a key of that SPI, but the integrity tag is wrong: damaged or forged */
	FACT_NOT_DERIVABLE, /* keys of the IKE SA only, and the child had a key exchange of its own
			     */
	FACT_CUT,	    /* cut short by the capture */
	FACT_MALFORMED,	    /* opened or not, what stands there breaks the RFC; see problems */
	FACT_FRAGMENT,	    /* SKF: this fragment alone is not the message */
	FACT_DAMAGED,	    /* the UDP checksum is wrong: no receiver takes the datagram */
	FACT_NOT_SEALED,    /* IKE: there is no SK */
};
const char *fact_unopened_text(enum fact_unopened why);

struct ike_msg {
	size_t frame;
	size_t ike_sa;	    /* FACT_NONE: no SA could be told (an error to an unknown SPI) */
	bool marker;	    /* non-ESP marker in front */
	bool damaged;	    /* by its UDP checksum: not read further, and of no SA */
	struct view octets; /* header and payloads */
	struct ike_header hdr;
	bool request;
	bool from_initiator;		  /* of the IKE SA */
	const struct ike_payloads *outer; /* NULL: malformed */
	const struct ike_payloads *inner; /* content of SK; NULL: not opened or not sealed */
	enum fact_unopened sealed;
	uint8_t inner_first;	      /* type of the first payload inside SK */
	struct view chain;	      /* the opened content of SK as octets */
	uint16_t fragment, fragments; /* RFC 7383; 0: not fragmented */
	struct view piece;	      /* content of this fragment, if opened */
	size_t retransmission_of;     /* message of the same place with the same octets */
	size_t request_of; /* of a response: the last request before it at the same place */
};
/* The payloads that say something: inner if there are some, else outer; never NULL. */
const struct ike_payloads *ike_msg_payloads(const struct ike_msg *m);

/* What a pair of NAT_DETECTION notifies says when compared with the addresses of the frame that
 * carried it (RFC 7296 §2.23). */
struct natd_fact {
	size_t msg;
	bool have_src, have_dst; /* there were such notifies */
	bool src_match, dst_match;
	bool src_unspecified; /* the hash of address 0.0.0.0, port 0: encapsulation is forced */
	bool malformed;	      /* a hash of another length than SHA-1's */
};

struct ike_suite {
	uint16_t encr, encr_bits, integ, prf, ke;
};

enum ike_sa_end { IKE_SA_OPEN, IKE_SA_DELETED, IKE_SA_FAILED };

struct ike_sa_fact {
	uint64_t spi_i, spi_r;
	bool have_suite;
	struct ike_suite suite;
	size_t key;	     /* facts.keys.ike; FACT_NONE */
	size_t rekeyed_from; /* the IKE SA whose CREATE_CHILD_SA made this one */
	struct view ni, nr;
	size_t init_msg;	/* the first message, FACT_NONE if the capture began later */
	size_t established_msg; /* the IKE_AUTH (or CREATE_CHILD_SA) response that completed it */
	enum ike_sa_end end;
	size_t delete_msg;	   /* the request with the Delete, or the message with the error */
	size_t deleted_msg;	   /* the response to it */
	char id_i[128], id_r[128]; /* "" if not seen */
	struct endpoint addr_i, addr_r; /* as first seen, at the place of the first message */
};

/* What was asked for and what was negotiated. */
enum child_end { CHILD_OPEN, CHILD_DELETED, CHILD_WITH_IKE_SA };

struct child_sa_fact {
	size_t ike_sa;
	size_t request_msg, response_msg; /* the exchange that made it */
	uint32_t spi_i, spi_r; /* inbound SPIs of the initiator and responder of that exchange */
	bool initiator_is_original; /* the exchange's initiator is the IKE SA's */
	bool have_alg;
	struct ipsec_alg alg;
	uint16_t ke; /* 0: no key exchange of its own */
	enum ipsec_mode asked, mode;
	struct ts_list ts_i, ts_r; /* negotiated */
	struct ts_list asked_ts_i, asked_ts_r;
	bool key_from_log, key_derived;
	uint32_t rekeys; /* SPI named by REKEY_SA; 0: none */
	enum child_end end;
	size_t delete_msg; /* request with the Delete that names it (or the IKE SA) */
	size_t n_esp[2];   /* packets seen with spi_i, spi_r */
};

/* A request that made no child: the notify that refused it. */
struct refusal_fact {
	size_t msg; /* the response */
	uint16_t notify;
};

/* One ESP packet at one place. */
struct esp_fact {
	size_t frame;
	size_t child; /* FACT_NONE: its negotiation is not known */
	uint32_t spi, seq;
	uint64_t seq64;	    /* with the inferred high half, if the SA has ESN */
	bool encap;	    /* in UDP */
	bool damaged;	    /* by its UDP checksum */
	struct view octets; /* from the SPI to the ICV */
	struct view iv;
	bool have_alg;
	struct ipsec_alg alg;
	enum fact_unopened sealed;
	uint8_t next_header; /* valid if opened */
	uint8_t pad_len;
	bool dummy;	     /* next header 59 */
	bool have_wire_mode; /* the next header says how it was made */
	enum ipsec_mode wire_mode;
	struct view inner;  /* the packet inside, rebuilt for BEET and transport; len 0: none */
	struct ip_info in;  /* of inner */
	size_t payload_len; /* octets between IV and padding: what ESP carries */
	struct endpoint in_src, in_dst;
};

struct keepalive_fact {
	size_t frame;
};

struct icmp_error_fact {
	size_t frame; /* FACT_NONE if it came inside ESP */
	size_t esp;   /* the ESP packet that carried it, or FACT_NONE */
	uint8_t type, code;
	uint32_t mtu;		/* of "fragmentation needed" and "packet too big", else 0 */
	struct ts_packet about; /* the packet that it quotes, as far as it does */
};

/* An IP packet that is neither IKE, ESP nor an ICMP error. */
struct clear_fact {
	size_t frame;
};

/* One TCP connection at one place, inside the tunnel or in the clear. Index 0 is the direction of
 * the SYN. */
struct tcp_side {
	size_t syn_frame; /* FACT_NONE: not seen */
	bool have_mss;
	uint16_t mss;	 /* option of the SYN or SYN/ACK */
	uint64_t octets; /* of payload, each position counted once, without gap from the start */
	bool gap;	 /* something of the stream is missing at this place */
	bool fin;
	uint32_t segments, retransmissions;
	uint16_t max_segment; /* payload of the largest one */
	size_t max_frame;
};

struct tcp_flow {
	size_t place;
	bool inside;	      /* of ESP */
	size_t child;	      /* of the first segment inside, or FACT_NONE */
	struct endpoint a, b; /* a sent the SYN, if one was seen */
	size_t first_frame, last_frame;
	bool reset;
	struct tcp_side side[2];
};

/* Something that the dissector could not read, with its frame: never silent. */
struct problem_fact {
	size_t frame; /* FACT_NONE: of a whole file */
	char *text;
};

struct facts {
	struct capture_set set;
	struct key_store keys;
	struct arena arena;

	struct fact_frame *frames;
	size_t n_frames; /* as set.n_frames, in the order of time */
	struct ike_msg *ike;
	size_t n_ike;
	struct natd_fact *natd;
	size_t n_natd;
	struct ike_sa_fact *ike_sas;
	size_t n_ike_sas;
	struct child_sa_fact *children;
	size_t n_children;
	struct refusal_fact *refusals;
	size_t n_refusals;
	struct esp_fact *esp;
	size_t n_esp;
	struct keepalive_fact *keepalives;
	size_t n_keepalives;
	struct icmp_error_fact *icmp_errors;
	size_t n_icmp_errors;
	struct clear_fact *clear;
	size_t n_clear;
	struct tcp_flow *tcp;
	size_t n_tcp;
	struct problem_fact *problems;
	size_t n_problems;
};

/* Takes the set and the keys over, also on failure (both are then freed). ERR_NOMEM. */
int facts_dissect(struct capture_set *set, struct key_store *keys, struct facts *ret_facts);
void facts_free(struct facts *f);

/* "vps-outer frame 12". Returns buf. */
const char *fact_frame_ref(const struct facts *f, size_t frame, char *buf, size_t cap);
const struct fact_frame *ike_msg_frame(const struct facts *f, const struct ike_msg *m);
/* "IKE_AUTH request 1 [ IDi CERT N(INITIAL_CONTACT) SA TSi TSr ]". Returns buf. */
const char *ike_msg_describe(const struct ike_msg *m, char *buf, size_t cap);
/* One payload with its content: "TSi 10.254.0.1/32", "N(USE_BEET_MODE)". Returns buf. */
const char *ike_payload_describe(const struct ike_payload *p, char *buf, size_t cap);
/* "10.254.0.1[40112] > 192.168.1.28[5201] TCP, 1398 octets". Returns buf. */
const char *ip_packet_describe(const struct ip_info *info, char *buf, size_t cap);
/* "AES_GCM_16_256", "AES_CBC_128/HMAC_SHA2_256_128". Returns buf. */
const char *ipsec_alg_describe(const struct ipsec_alg *alg, char *buf, size_t cap);

/* The child whose SA has that SPI, and whether its packets go to the exchange's initiator; of
 * several the one negotiated last before that frame. FACT_NONE. */
size_t facts_child_by_spi(const struct facts *f, uint32_t spi, size_t frame,
			  bool *ret_to_initiator);
/* Packets of one direction of a child at the place that has seen most of them: a packet that
 * crosses several wires is one. */
size_t facts_child_packets(const struct facts *f, size_t child, bool to_initiator);
/* Selectors of source and destination of the packets of one direction. */
void child_direction(const struct child_sa_fact *c, bool to_initiator,
		     const struct ts_list **ret_src, const struct ts_list **ret_dst);

/* The place where the sender's packets with that SPI are seen as they were sent: where they were
 * seen first, if several places saw them, or the only one if no router has taken them yet (TTL is
 * still 64, 128 or 255). FACT_NONE if that cannot be told. */
size_t facts_sender_place(const struct facts *f, uint32_t spi);

#endif
