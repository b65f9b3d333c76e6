/* keys.h - keys of IKE and ESP SAs, as endpoints have logged them.
 *
 * Read are beetd's keys.jsonl, strongSwan's log with ike and chd at level 4, Wireshark's tables
 * (esp_sa and ikev2_decryption_table, which strongSwan's save-keys writes, too) and plain ones
 * ("IKE spi_i=.. spi_r=.. SK_d=.. ..", "ESP spi=0x.. key=.."). What a log does not say (to which
 * SPIs the keys belong, of which algorithm they are) is found by trying: an integrity tag that is
 * right leaves no doubt. A store owns its keys and wipes them. */
#ifndef HARNESS_DISSECT_KEYS_H
#define HARNESS_DISSECT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/base/ts.h"

#define KEYS_PART_MAX 64   /* SK_*: HMAC-SHA-512 has the longest keys */
#define KEYS_MAX      4096 /* of each kind; a run of many SAs has some hundreds */

struct key_part {
	uint8_t len;
	uint8_t b[KEYS_PART_MAX];
};

struct ike_key {
	uint64_t spi_i, spi_r; /* both 0: not known */
	bool have_alg;
	uint16_t encr, encr_bits, integ, prf;
	struct key_part d, ai, ar, ei, er, pi, pr;
};

struct esp_key {
	uint32_t spi; /* 0: not known */
	bool have_alg;
	struct ipsec_alg alg;
	uint8_t key_len;
	uint8_t key[IPSEC_KEY_MAX]; /* cipher key || salt, or cipher key || integrity key */
	/* What the daemon installed; keys.jsonl alone says it. */
	bool have_sa;
	enum ipsec_mode mode;
	struct ts_list src_ts, dst_ts; /* of the packets that this SA carries */
};

struct key_store {
	struct ike_key *ike;
	size_t n_ike;
	struct esp_key *esp;
	size_t n_esp;
};

/* Reads every file of a directory and of those below it, or one file. Files that hold no keys are
 * passed over; one that looks like a key log and is malformed is an error with file and line.
 * ERR_NOT_FOUND if there is no file with keys at all. */
int keys_load(struct key_store *store, const char *path, struct err_msg *msg);

/* One file's text. ret_any: whether it is of a known kind. */
int keys_read_text(struct key_store *store, const char *name, const char *text, size_t len,
		   bool *ret_any, struct err_msg *msg);
void keys_free(struct key_store *store);

/* For readers of further formats. Duplicates are left out; lists of sa are copied. */
int keys_add_ike(struct key_store *store, const struct ike_key *key);
int keys_add_esp(struct key_store *store, const struct esp_key *key);

#endif
