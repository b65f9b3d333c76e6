/* task.c - the queue of an IKE SA's own exchanges: begin one, take its response, or give up.
 *
 * A task knows what it wants, the exchange's own file knows how (create_child.c, informational.c).
 */
#include "vpn/ike/task.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/ike/child_negotiation.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/create_child.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/informational.h"
#include "vpn/ike/mobike.h"
#include "vpn/ike/rekey_child.h"
#include "vpn/ike/rekey_ike.h"
#include "vpn/ike/report.h"

void task_free(struct task *task)
{
	if (!task)
		return;
	ike_conn_unref(task->conn);
	free(task);
}

static struct task *task_new(struct ike_sa *sa, enum task_type type)
{
	struct task *task;
	struct list *pos, *tmp;
	size_t n = 0;

	list_for_each (pos, tmp, &sa->tasks)
		n++;
	if (n >= LIMIT_TASKS)
		return NULL;
	task = calloc(1, sizeof(*task));
	if (task) {
		task->type = type;
		list_append(&sa->tasks, &task->node);
	}
	return task;
}

int task_queue_child(struct ike_sa *sa, struct ike_conn *conn, const struct child_cfg *child)
{
	return task_queue_child_for(sa, conn, child, NULL);
}

int task_queue_child_for(struct ike_sa *sa, struct ike_conn *conn, const struct child_cfg *child,
			 const struct ts_packet *packet)
{
	struct task *task = task_new(sa, TASK_CHILD_CREATE);

	if (!task)
		return ERR_LIMIT;
	task->conn = ike_conn_ref(conn);
	task->child = child;
	task->has_packet = packet != NULL;
	if (packet)
		task->packet = *packet;
	return 0;
}

bool task_child_is_pending(const struct ike_sa *sa, const char *name)
{
	struct list *pos, *tmp;

	if (sa->offer && !sa->offer->replaces && strcmp(sa->offer->cfg->name, name) == 0)
		return true;
	list_for_each (pos, tmp, &sa->tasks) {
		const struct task *task = list_entry(pos, struct task, node);

		if (task->type == TASK_CHILD_CREATE && strcmp(task->child->name, name) == 0)
			return true;
	}
	return false;
}

int task_queue_child_rekey(struct ike_sa *sa, uint32_t child_id)
{
	struct task *task = task_new(sa, TASK_CHILD_REKEY);

	if (!task)
		return ERR_LIMIT;
	task->child_id = child_id;
	return 0;
}

int task_queue_ike_rekey(struct ike_sa *sa)
{
	return task_new(sa, TASK_IKE_REKEY) ? 0 : ERR_LIMIT;
}

/* What both ends know of the addresses is the SA's own: it is said again in the new one. */
static void inherit_mobike(const struct ike_sa *from, struct ike_sa *to)
{
	const struct task *task = from->request.task;

	if (task && task->type >= TASK_MOBIKE_UPDATE)
		task_queue_mobike(to, task->type);
}

void task_inherit(struct ike_sa *from, struct ike_sa *to)
{
	struct list *pos, *tmp;

	inherit_mobike(from, to);

	list_for_each (pos, tmp, &from->tasks) {
		struct task *task = list_entry(pos, struct task, node);

		if (task->type == TASK_IKE_DELETE || task->type == TASK_IKE_REKEY)
			continue;
		list_remove(pos);
		list_append(&to->tasks, pos);
	}
}

static struct task *find_waiting(struct ike_sa *sa, enum task_type type)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->tasks) {
		struct task *task = list_entry(pos, struct task, node);

		if (task->type == type)
			return task;
	}
	return NULL;
}

struct task *task_queue_mobike(struct ike_sa *sa, enum task_type type)
{
	struct task *task = find_waiting(sa, type), *end = find_waiting(sa, TASK_IKE_DELETE);

	if (!task && type == TASK_MOBIKE_ADDRESSES)
		task = find_waiting(sa, TASK_MOBIKE_UPDATE);
	if (!task)
		task = task_new(sa, type);
	if (!task)
		return NULL;
	list_remove(&task->node);
	list_append(end ? end->node.next : sa->tasks.next, &task->node);
	return task;
}

int task_queue_child_delete(struct ike_sa *sa, uint32_t child_id, uint32_t spi)
{
	struct task *task = task_new(sa, TASK_CHILD_DELETE);

	if (!task)
		return ERR_LIMIT;
	task->child_id = child_id;
	task->spi = spi;
	return 0;
}

int task_queue_ike_delete(struct ike_sa *sa)
{
	struct task *task = task_new(sa, TASK_IKE_DELETE);

	if (!task)
		return ERR_LIMIT;
	list_remove(&task->node);
	list_append(sa->tasks.next, &task->node);
	return 0;
}

void task_liveness(struct ike_sa *sa, uint64_t now)
{
	if (task_new(sa, TASK_LIVENESS))
		task_run_next(sa, now);
}

void task_auth_failed(struct ike_sa *sa, const char *why, uint64_t now)
{
	struct task *task = task_new(sa, TASK_AUTH_FAILED);

	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "authentication of the peer failed: %s", why);
	if (task) {
		list_remove(&task->node);
		if (informational_auth_failed(sa, task, now))
			task_free(task);
	}
	/* RFC 7296 §2.21.2: said once; a forged or unknown peer is not waited for. */
	ike_sa_destroy(sa, CAUSE_LOCAL, N_AUTHENTICATION_FAILED, why);
}

struct task *task_take_child(struct ike_sa *sa)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->tasks) {
		struct task *task = list_entry(pos, struct task, node);

		if (task->type == TASK_CHILD_CREATE) {
			list_remove(pos);
			return task;
		}
	}
	return NULL;
}

/* 0: the request is out and owns the task. Else there is nothing to send for it. */
static int begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	switch (task->type) {
	case TASK_CHILD_CREATE:
		return create_child_begin(sa, task, now);
	case TASK_CHILD_REKEY:
		return rekey_child_begin(sa, task, now);
	case TASK_CHILD_DELETE:
		return informational_delete_child(sa, task, now);
	case TASK_IKE_REKEY:
		return rekey_ike_begin(sa, task, now);
	case TASK_IKE_DELETE:
		return informational_delete_ike(sa, task, now);
	case TASK_LIVENESS:
		return informational_liveness(sa, task, now);
	case TASK_AUTH_FAILED:
		return informational_auth_failed(sa, task, now);
	case TASK_MOBIKE_UPDATE:
	case TASK_MOBIKE_ADDRESSES:
	case TASK_MOBIKE_CHECK:
		return mobike_begin(sa, task, now);
	}
	return ERR_INVALID;
}

/* An SA that has been replaced or is being deleted has nothing left to do but its own deletion. */
static bool may_begin(const struct ike_sa *sa)
{
	const struct task *first = list_entry(sa->tasks.next, struct task, node);

	if (sa->request.kind != REQUEST_NONE || list_empty(&sa->tasks))
		return false;
	return sa->state == IKE_ESTABLISHED || first->type == TASK_IKE_DELETE;
}

static void report_task_failure(struct ike_sa *sa, const struct task *task, enum ike_cause cause,
				uint16_t notify, const char *why)
{
	if (task->type != TASK_CHILD_CREATE)
		return;
	report_log(sa->engine, sa, NULL, LOG_CHD, 0, "CHILD_SA '%s' failed: %s", task->child->name,
		   why);
	report_end(sa->engine, sa, child_sa_stillborn(sa->engine, task->conn, task->child),
		   EVENT_CHILD_FAILED, cause, notify, why);
}

void task_run_next(struct ike_sa *sa, uint64_t now)
{
	while (may_begin(sa)) {
		struct task *task = list_entry(sa->tasks.next, struct task, node);
		int err;

		list_remove(&task->node);
		err = begin(sa, task, now);
		if (!err)
			return;
		report_task_failure(sa, task, CAUSE_ERROR, 0, err_text(err));
		task_free(task);
	}
}

void task_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p, uint64_t now)
{
	switch (task->type) {
	case TASK_CHILD_CREATE:
		create_child_response(sa, task, p, now);
		return; /* the task may be begun again with another group */
	case TASK_CHILD_REKEY:
		rekey_child_response(sa, task, p, now);
		return;
	case TASK_IKE_REKEY:
		rekey_ike_response(sa, task, p, now);
		return;
	case TASK_CHILD_DELETE:
		informational_child_deleted(sa, task, now);
		break;
	case TASK_IKE_DELETE:
		task_free(task);
		ike_sa_destroy(sa, CAUSE_LOCAL, 0, "deleted by us");
		return;
	case TASK_LIVENESS:
		mobike_liveness_response(sa, p, now);
		break;
	case TASK_AUTH_FAILED:
		break;
	case TASK_MOBIKE_UPDATE:
	case TASK_MOBIKE_ADDRESSES:
	case TASK_MOBIKE_CHECK:
		mobike_response(sa, task, p, now);
		break;
	}
	task_free(task);
}

void task_request_timed_out(struct ike_sa *sa, uint64_t now)
{
	(void)now;
	if (sa->state == IKE_DELETING)
		ike_sa_destroy(sa, CAUSE_LOCAL, 0, "deleted by us; the peer did not confirm");
	else
		ike_sa_destroy(sa, CAUSE_TIMEOUT, 0,
			       sa->established ? "the peer does not answer"
					       : "no answer to our request");
}

void task_fail_waiting(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why)
{
	struct list *pos, *tmp;

	if (sa->offer && !sa->offer->replaces) {
		struct task asked = {
		    .type = TASK_CHILD_CREATE, .conn = sa->offer->conn, .child = sa->offer->cfg};

		report_task_failure(sa, &asked, cause, notify, why);
		child_offer_free(sa->offer);
		sa->offer = NULL;
	}
	list_for_each (pos, tmp, &sa->tasks)
		report_task_failure(sa, list_entry(pos, struct task, node), cause, notify, why);
}
