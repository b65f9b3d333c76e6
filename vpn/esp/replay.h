/* replay.h - the anti-replay window of an inbound SA (RFC 4303 §3.4.3, appendix A).
 *
 * Checking and committing are apart, because nothing may change before the ICV has been verified:
 *
 *     replay_infer -> replay_check -> (verify) -> replay_commit
 *
 * commit checks again: a batch may hold the same packet twice. */
#ifndef VPN_ESP_REPLAY_H
#define VPN_ESP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW_MAX                                                       \
	4096 /* strongSwan's largest useful; 4096 packets are 5 ms at 10 Gbit/s \
	      */

enum replay_verdict { REPLAY_OK, REPLAY_OLD, REPLAY_SEEN };

struct replay;

/* size: packets, 0 to REPLAY_WINDOW_MAX; 0 switches the check off. ERR_INVALID, ERR_NOMEM. */
int replay_new(uint32_t size, struct replay **ret_replay);
void replay_free(struct replay *r);

/* The 64-bit number that belongs to the 32 bits on the wire (RFC 4303 appendix A2.1). Without esn
 * that is the number itself. False if it would lie before the first cycle. */
bool replay_infer(const struct replay *r, bool esn, uint32_t low, uint64_t *ret_seq);

enum replay_verdict replay_check(const struct replay *r, uint64_t seq);
/* Marks seq as seen and moves the window; nothing changes unless the verdict is REPLAY_OK. */
enum replay_verdict replay_commit(struct replay *r, uint64_t seq);

uint64_t replay_highest(const struct replay *r);

#endif
