/* create_child.c - the CREATE_CHILD_SA exchange (RFC 7296 §1.3.1, §1.3.3), both roles.
 *
 *     SK { N(mode)? N(REKEY_SA)? SA Ni KEi? TSi TSr }  ->
 *                        <-  SK { N(mode)? SA Nr KEr? TSi TSr }  or an error notify
 *
 * INVALID_KE_PAYLOAD is answered by beginning again with the group that the peer named, once, and
 * only if our proposals have it (§1.3). A peer may rekey its Child SAs: the new one takes the old
 * one's configuration and the old one stays until the peer deletes it (§2.8). Rekeying of the IKE
 * SA is refused with NO_ADDITIONAL_SAS. */
#include "vpn/ike/create_child.h"

#include "vpn/ike/child_negotiation.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

static int begin_with_group(struct ike_sa *sa, struct task *task, uint16_t group, uint64_t now)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct child_offer *offer;
	int err;

	err = child_offer_new(sa, task->conn, task->child, false, group, &offer);
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

int create_child_begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	return begin_with_group(sa, task, 0, now);
}

/* The group that the peer asks for instead, if we may follow; 0 if not. */
static uint16_t wanted_group(const struct child_offer *offer, const struct ike_payloads *p)
{
	struct payload_notify n;
	struct reader r;
	uint16_t group;

	if (!payloads_find_notify(p, N_INVALID_KE_PAYLOAD, &n))
		return 0;
	r = rd_init(n.data.p, n.data.len);
	group = rd_u16(&r);
	if (!rd_done(&r) || group == offer->group ||
	    !proposal_has_ke(&offer->cfg->proposals, group))
		return 0;
	return group;
}

void create_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			   uint64_t now)
{
	struct child_offer *offer = sa->offer;
	struct child_failure failure;
	uint16_t group = wanted_group(offer, p);
	bool up = !group && child_offer_take_answer(sa, offer, false, p, now, &failure);

	sa->offer = NULL;
	child_offer_free(offer);
	if (group && begin_with_group(sa, task, group, now) == 0)
		return;
	if (group)
		failure = (struct child_failure){N_INVALID_KE_PAYLOAD,
						 "the peer's group could not be used"};
	if (!up) {
		report_log(sa->engine, sa, NULL, LOG_CHD, 0, "CHILD_SA '%s' failed: %s",
			   task->child->name, failure.why);
		report_end(sa->engine, sa, child_sa_stillborn(sa->engine, task->conn, task->child),
			   EVENT_CHILD_FAILED, CAUSE_PEER, failure.notify, failure.why);
	}
	task_free(task);
}

static void notify_group(struct ike_builder *b, uint16_t group)
{
	uint8_t octets[2];
	struct writer w = wr_init(octets, sizeof(octets));

	wr_u16(&w, group);
	payload_notify_simple(b, N_INVALID_KE_PAYLOAD, (struct view){octets, sizeof(octets)});
}

/* RFC 7296 §1.3.3: the notify names the SA by the SPI that its sender receives on. */
static struct child_sa *rekeyed_child(const struct ike_sa *sa, const struct payload_notify *n)
{
	struct reader r = rd_init(n->spi.p, n->spi.len);
	uint32_t spi = rd_u32(&r);

	if (n->protocol != PROTOCOL_ESP || !rd_done(&r))
		return NULL;
	return child_sa_by_outbound_spi(sa, spi);
}

/* RFC 7296 §2.25.1: the notify that we cannot find the SA repeats its protocol and SPI. */
static struct verdict child_not_found(struct ike_builder *reply, const struct payload_notify *rekey)
{
	struct payload_notify n = {
	    .type = N_CHILD_SA_NOT_FOUND, .protocol = rekey->protocol, .spi = rekey->spi};

	payload_notify_encode(reply, &n);
	return verdict_reply("rekeying of an unknown Child SA");
}

static bool is_ike_rekey(const struct ike_payloads *p)
{
	return !ike_payload_find(p, PAYLOAD_TSI, 0) && !ike_payload_find(p, PAYLOAD_TSR, 0);
}

struct verdict create_child_request(struct ike_sa *sa, const struct ike_payloads *p,
				    struct ike_builder *reply, uint64_t now)
{
	struct child_sa *child, *old = NULL;
	struct child_failure failure;
	struct payload_notify rekey;
	uint16_t group = 0;

	if (sa->state != IKE_ESTABLISHED)
		return verdict_notify(N_TEMPORARY_FAILURE, "the IKE SA is being deleted");
	if (is_ike_rekey(p))
		return verdict_notify(N_NO_ADDITIONAL_SAS, "IKE SA rekeying is not supported");
	if (payloads_find_notify(p, N_REKEY_SA, &rekey)) {
		old = rekeyed_child(sa, &rekey);
		if (!old)
			return child_not_found(reply, &rekey);
	}
	if (child_answer_offer(sa, old ? old->cfg : NULL, false, p, reply, now, &child, &failure,
			       &group)) {
		if (old)
			child_sa_set_state(sa, old, CHILD_REKEYED,
					   "the peer has made its successor");
		return verdict_reply("Child SA made");
	}
	report_log(sa->engine, sa, NULL, LOG_CHD, 0, "refusing a CHILD_SA: %s", failure.why);
	report_end(sa->engine, sa, NULL, EVENT_CHILD_FAILED, CAUSE_LOCAL, failure.notify,
		   failure.why);
	if (failure.notify == N_INVALID_KE_PAYLOAD) {
		notify_group(reply, group);
		return verdict_reply(failure.why);
	}
	return verdict_notify(failure.notify, failure.why);
}
