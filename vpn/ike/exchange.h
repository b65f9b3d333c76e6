/* exchange.h - requests and responses of an IKE SA: message IDs, the window of one, retransmission,
 * cached answers (RFC 7296 §2.1, §2.2, §2.3). For vpn/ike/ alone. */
#ifndef VPN_IKE_EXCHANGE_H
#define VPN_IKE_EXCHANGE_H

#include "vpn/ike/ike_sa.h"

#define EXCHANGE_BUFFER (16 * 1024) /* our messages: certificates of a few kilobytes fit */

/* Sends a request in the clear (IKE_SA_INIT) that `bytes` holds; it is retransmitted until
 * answered. */
int exchange_send_clear(struct ike_sa *sa, struct view bytes, uint64_t now);
/* Seals `inner` and sends it as the SA's next request; task (owned from here on, may be NULL) is
 * told of the response. ERR_STATE if a request waits already. */
int exchange_send_request(struct ike_sa *sa, uint8_t exchange, const struct ike_builder *inner,
			  enum request_kind kind, struct task *task, uint64_t now);
/* Seals `inner` and sends it as the answer to the request `message_id`, to where that came from
 * (RFC 7296 §2.11); kept for retransmissions. */
int exchange_send_response(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
			   const struct ike_builder *inner, uint64_t now);
/* Keeps and sends an IKE_SA_INIT response. */
int exchange_send_clear_response(struct ike_sa *sa, struct view bytes, uint64_t now);
/* The last request has come again: so does its answer, and in smaller fragments if the peer sends
 * those now (ike_len: octets of the fragment that came, 0: it came whole), or asks and asks. */
void exchange_resend_response(struct ike_sa *sa, const struct endpoint *local,
			      const struct endpoint *remote, size_t ike_len);
/* The outstanding request is answered; its task goes to the caller. */
struct task *exchange_take_request(struct ike_sa *sa);
/* The outstanding request goes out again at once, as if for the first time: the addresses have
 * changed. Nothing if there is none. */
void exchange_resend(struct ike_sa *sa, uint64_t now);
/* Sends it again or gives up; called by timers.c. False if the SA is gone. */
bool exchange_retransmit(struct ike_sa *sa, uint64_t now);

/* Microseconds after which a request that stays unanswered is given up. */
uint64_t exchange_patience(const struct ike_engine *e);

void exchange_send_datagram(struct ike_engine *e, uint32_t ike_id, const struct endpoint *local,
			    const struct endpoint *remote, struct view bytes);

#endif
