/* ipsec_sa.h - an ESP SA as plain data: what `ike` negotiates and a data plane installs.
 *
 * `ike` and `esp` do not know each other; they share this. One struct is one direction. The two SAs
 * of a Child SA share child_id and reqid. Algorithm numbers are IANA's (RFC 7296 §3.3.2). The
 * struct owns its selector lists and its key; release with ipsec_sa_clear, which wipes the key. */
#ifndef VPN_BASE_IPSEC_SA_H
#define VPN_BASE_IPSEC_SA_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/ts.h"

/* Cipher key (32) and salt (4), or cipher key (32) and integrity key (64), RFC 4868 §2.6. */
#define IPSEC_KEY_MAX 128

enum ipsec_mode { IPSEC_TUNNEL, IPSEC_TRANSPORT, IPSEC_BEET };

enum ipsec_dscp { IPSEC_DSCP_OUT = 1, IPSEC_DSCP_IN = 2 }; /* bits: copy DSCP outward, inward */

struct ipsec_alg {
	uint16_t encr;	    /* transform type 1 */
	uint16_t encr_bits; /* key length attribute, 0 if the transform has none */
	uint16_t integ;	    /* transform type 3, 0 with an AEAD */
	bool esn;	    /* transform type 5 */
};

struct ipsec_sa {
	uint32_t spi;
	bool inbound;
	enum ipsec_mode mode;
	bool encap; /* UDP encapsulation (RFC 3948); ports are those of local and remote */
	struct endpoint local; /* outer addresses; ports count with encap only */
	struct endpoint remote;
	struct ts_list local_ts;
	struct ts_list remote_ts;

	struct ipsec_alg alg;
	uint8_t key[IPSEC_KEY_MAX]; /* cipher key || salt, or cipher key || integrity key */
	size_t key_len;

	uint32_t child_id; /* unique in the daemon's life */
	uint32_t reqid;
	uint32_t if_id; /* 0: none */
	uint32_t mark;	/* set_mark_in / set_mark_out, with its mask */
	uint32_t mark_mask;

	uint32_t replay_window; /* packets, 0 to 4096; inbound only, 0 switches the check off */
	bool copy_df;		/* copy the inner DF bit to the outer header (RFC 4301 §8.1) */
	bool copy_ecn;		/* RFC 6040 normal mode; else compatibility mode */
	uint8_t copy_dscp;	/* enum ipsec_dscp bits */
	bool sha256_96;		/* tags of HMAC-SHA2-256 have 96 bits, not RFC 4868's 128 */
	uint16_t mss_clamp;	/* 0: off; 1: to the path; else octets */
	uint16_t tfc_pad;	/* 0: off; pad inner packets to this; UINT16_MAX: to the path MTU */

	uint64_t soft_bytes, hard_bytes; /* 0: no limit */
	uint64_t soft_packets, hard_packets;
};

/* Counters of one installed SA; times are the data plane's clock in microseconds, 0: never. */
struct ipsec_sa_stats {
	uint64_t bytes; /* of inner packets, as strongSwan counts */
	uint64_t packets;
	uint64_t last_use;
};

int ipsec_sa_copy(const struct ipsec_sa *src, struct ipsec_sa *ret_sa);
void ipsec_sa_clear(struct ipsec_sa *sa);
const char *ipsec_mode_name(enum ipsec_mode mode); /* "TUNNEL", "TRANSPORT", "BEET" */

#endif
