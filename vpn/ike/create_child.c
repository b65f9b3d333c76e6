/* create_child.c - the CREATE_CHILD_SA exchange for a further Child SA (RFC 7296 §1.3.1), both
 * roles.
 *
 *     SK { N(mode)? SA Ni KEi? TSi TSr }  ->
 *                        <-  SK { N(mode)? SA Nr KEr? TSi TSr }  or an error notify
 *
 * INVALID_KE_PAYLOAD is answered by beginning again with the group that the peer named, if our
 * proposals have it (§1.3). While our IKE SA is being replaced or deleted, a peer's wish for
 * children is put off with TEMPORARY_FAILURE (§2.25.2). */
#include "vpn/ike/create_child.h"

#include "vpn/ike/child_sa.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/rekey_child.h"
#include "vpn/ike/rekey_ike.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

int create_child_send(struct ike_sa *sa, const struct child_wish *wish, struct task *task,
		      uint64_t now)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct child_offer *offer;
	int err;

	err = child_offer_new(sa, wish, &offer);
	if (err)
		return err;
	child_offer_encode(offer, false, &b);
	err = exchange_send_request(sa, CREATE_CHILD_SA, &b, REQUEST_TASK, task, now);
	if (err)
		child_offer_free(offer);
	else
		sa->offer = offer;
	return err;
}

struct child_offer *create_child_take_offer(struct ike_sa *sa)
{
	struct child_offer *offer = sa->offer;

	sa->offer = NULL;
	return offer;
}

uint16_t create_child_wanted_group(const struct proposal_list *proposals, uint16_t tried,
				   const struct ike_payloads *p)
{
	struct payload_notify n;
	struct reader r;
	uint16_t group;

	if (!payloads_find_notify(p, N_INVALID_KE_PAYLOAD, &n))
		return 0;
	r = rd_init(n.data.p, n.data.len);
	group = rd_u16(&r);
	if (!rd_done(&r) || group == tried || !proposal_has_ke(proposals, group))
		return 0;
	return group;
}

int create_child_begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	struct child_wish wish = {.conn = task->conn,
				  .cfg = task->child,
				  .packet = task->has_packet ? &task->packet : NULL};

	return create_child_send(sa, &wish, task, now);
}

static void failed(struct ike_sa *sa, const struct task *task, const struct child_failure *f)
{
	report_log(sa->engine, sa, NULL, LOG_CHD, 0, "CHILD_SA '%s' failed: %s", task->child->name,
		   f->why);
	report_end(sa->engine, sa, child_sa_stillborn(sa->engine, task->conn, task->child),
		   EVENT_CHILD_FAILED, CAUSE_PEER, f->notify, f->why);
}

void create_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			   uint64_t now)
{
	struct child_offer *offer = create_child_take_offer(sa);
	uint16_t group = create_child_wanted_group(&offer->cfg->proposals, offer->group, p);
	struct child_wish again = {.conn = task->conn,
				   .cfg = task->child,
				   .packet = task->has_packet ? &task->packet : NULL,
				   .group = group};
	struct child_failure failure;
	struct child_sa *child;

	if (group && create_child_send(sa, &again, task, now) == 0) {
		child_offer_free(offer);
		return;
	}
	if (!child_offer_take_answer(sa, offer, false, p, now, &child, &failure))
		failed(sa, task, &failure);
	child_offer_free(offer);
	task_free(task);
}

void create_child_notify_group(struct ike_builder *b, uint16_t group)
{
	uint8_t octets[2];
	struct writer w = wr_init(octets, sizeof(octets));

	wr_u16(&w, group);
	payload_notify_simple(b, N_INVALID_KE_PAYLOAD, (struct view){octets, sizeof(octets)});
}

struct verdict create_child_refuse(struct ike_sa *sa, const struct child_answer *answer,
				   struct ike_builder *reply)
{
	const struct child_failure *f = &answer->failure;

	report_log(sa->engine, sa, NULL, LOG_CHD, 0, "refusing a CHILD_SA: %s", f->why);
	report_end(sa->engine, sa, NULL, EVENT_CHILD_FAILED, CAUSE_LOCAL, f->notify, f->why);
	if (f->notify != N_INVALID_KE_PAYLOAD)
		return verdict_notify(f->notify, f->why);
	create_child_notify_group(reply, answer->group);
	return verdict_reply(f->why);
}

static struct verdict new_child(struct ike_sa *sa, const struct ike_payloads *p,
				struct ike_builder *reply, uint64_t now)
{
	struct child_terms terms = {0};
	struct child_answer answer;

	if (child_answer_offer(sa, &terms, p, reply, now, &answer))
		return verdict_reply("Child SA made");
	return create_child_refuse(sa, &answer, reply);
}

/* RFC 7296 §1.3.2: a request without selectors is about the IKE SA. */
static bool is_about_ike_sa(const struct ike_payloads *p)
{
	return !ike_payload_find(p, PAYLOAD_TSI, 0) && !ike_payload_find(p, PAYLOAD_TSR, 0);
}

struct verdict create_child_request(struct ike_sa *sa, const struct ike_payloads *p,
				    struct ike_builder *reply, uint64_t now)
{
	struct payload_notify rekey;

	rekey_ike_used(sa, now);
	if (is_about_ike_sa(p))
		return rekey_ike_request(sa, p, reply, now);
	if (sa->state != IKE_ESTABLISHED)
		return verdict_notify(N_TEMPORARY_FAILURE,
				      "the IKE SA is being replaced or deleted");
	if (payloads_find_notify(p, N_REKEY_SA, &rekey))
		return rekey_child_request(sa, &rekey, p, reply, now);
	return new_child(sa, p, reply, now);
}
