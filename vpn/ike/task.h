/* task.h - what wants an exchange of its own, one after the other (RFC 7296 §2.3: the window is
 * one). For vpn/ike/ alone. */
#ifndef VPN_IKE_TASK_H
#define VPN_IKE_TASK_H

#include "vpn/ike/ike_sa.h"

void task_free(struct task *task); /* NULL is fine */

int task_queue_child(struct ike_sa *sa, struct ike_conn *conn, const struct child_cfg *child);
/* The same for a packet, whose selectors then come first (RFC 7296 §2.9); NULL: none. */
int task_queue_child_for(struct ike_sa *sa, struct ike_conn *conn, const struct child_cfg *child,
			 const struct ts_packet *packet);
/* It waits, or its answer is awaited. */
bool task_child_is_pending(const struct ike_sa *sa, const char *name);
int task_queue_child_rekey(struct ike_sa *sa, uint32_t child_id);
int task_queue_ike_rekey(struct ike_sa *sa);
/* TASK_MOBIKE_*, before everything but the SA's deletion; the one that is waiting already, if there
 * is one, and none for a list if an update waits, which has it. NULL: no memory. */
struct task *task_queue_mobike(struct ike_sa *sa, enum task_type type);
/* spi: see struct task. */
int task_queue_child_delete(struct ike_sa *sa, uint32_t child_id, uint32_t spi);
/* In front of everything else. */
int task_queue_ike_delete(struct ike_sa *sa);
void task_liveness(struct ike_sa *sa, uint64_t now);
/* We have rejected the peer's authentication: say so and end the SA (RFC 7296 §2.21.2). */
void task_auth_failed(struct ike_sa *sa, const char *why, uint64_t now);
/* Takes the first TASK_CHILD_CREATE out of the queue, for IKE_AUTH; NULL if there is none. */
struct task *task_take_child(struct ike_sa *sa);

/* What waits in `from` goes on in `to`, but for its own deletion. */
void task_inherit(struct ike_sa *from, struct ike_sa *to);

/* Begins the next task if no request is outstanding. The SA may be gone afterwards. */
void task_run_next(struct ike_sa *sa, uint64_t now);
/* The response to a task's request has come, opened and legal. */
void task_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
		   uint64_t now);
/* The outstanding request was never answered: the SA ends. */
void task_request_timed_out(struct ike_sa *sa, uint64_t now);
/* Reports that children which were still asked for did not come up. */
void task_fail_waiting(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why);

#endif
