/* exchange.c - requests and responses (RFC 7296 §2.1 to §2.4).
 *
 *     request  #n  ->            kept byte for byte, sent again after timeout * base^tries
 *              <-  response #n   kept byte for byte until request #n+1 comes
 *
 * The window is one in both directions. A retransmission is the same octets (§2.1), so an IV is
 * never used for two contents. */
#include "vpn/ike/exchange.h"

#include <math.h>
#include <stdlib.h>

#include "vpn/base/secret.h"
#include "vpn/ike/report.h"
#include "vpn/ike/sealed.h"
#include "vpn/ike/task.h"

void exchange_send_datagram(struct ike_engine *e, uint32_t ike_id, const struct endpoint *local,
			    const struct endpoint *remote, struct view bytes)
{
	struct ike_action a = {.type = IKE_ACTION_SEND, .ike_id = ike_id};

	a.send.local = *local;
	a.send.remote = *remote;
	a.send.datagram = bytes;
	action_queue_push(&e->actions, &a);
}

static void send_octets(struct ike_sa *sa, const struct octets *o)
{
	exchange_send_datagram(sa->engine, sa->id, &sa->local, &sa->remote,
			       (struct view){o->p, o->len});
}

static uint64_t next_try(const struct ike_sa *sa, unsigned tries, uint64_t now)
{
	const struct ike_options *opt = &sa->engine->opt;
	double wait = (double)opt->retransmit_timeout * pow(opt->retransmit_base, tries);

	return now + (uint64_t)wait;
}

static int begin_request(struct ike_sa *sa, struct view bytes, uint8_t exchange,
			 enum request_kind kind, struct task *task, uint64_t now)
{
	struct request *rq = &sa->request;

	if (octets_set(&rq->octets, bytes))
		return ERR_NOMEM;
	rq->kind = kind;
	rq->exchange = exchange;
	rq->message_id = sa->next_request_id;
	rq->tries = 0;
	rq->task = task;
	rq->next_try = next_try(sa, 0, now);
	sa->last_sent = now;
	send_octets(sa, &rq->octets);
	return 0;
}

int exchange_send_clear(struct ike_sa *sa, struct view bytes, uint64_t now)
{
	return begin_request(sa, bytes, IKE_SA_INIT, REQUEST_INIT, NULL, now);
}

static struct ike_header make_header(const struct ike_sa *sa, uint8_t exchange, uint32_t id,
				     bool response)
{
	return (struct ike_header){
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .exchange = exchange,
	    .message_id = id,
	    .flags = (uint8_t)((sa->initiator ? IKE_FLAG_INITIATOR : 0) |
			       (response ? IKE_FLAG_RESPONSE : 0)),
	};
}

static void report_sent(const struct ike_sa *sa, const struct ike_header *hdr,
			const struct ike_builder *inner)
{
	struct ike_payloads p;

	if (!ike_payloads_decode(ike_builder_first(inner),
				 (struct view){inner->w.base + 1, inner->w.len - 1}, &p))
		report_message(sa, "generating", hdr, &p);
}

static int seal(struct ike_sa *sa, const struct ike_header *hdr, const struct ike_builder *inner,
		uint8_t *buf, size_t cap, size_t *ret_len)
{
	struct ike_engine *e = sa->engine;

	report_sent(sa, hdr, inner);
	return sealed_build(sa->keys.seal, &sa->iv_counter, e->env.random, e->env.ctx, hdr, inner,
			    buf, cap, ret_len);
}

int exchange_send_request(struct ike_sa *sa, uint8_t exchange, const struct ike_builder *inner,
			  enum request_kind kind, struct task *task, uint64_t now)
{
	struct ike_header hdr = make_header(sa, exchange, sa->next_request_id, false);
	uint8_t buf[EXCHANGE_BUFFER];
	size_t len;
	int err;

	if (sa->request.kind != REQUEST_NONE)
		return ERR_STATE;
	err = seal(sa, &hdr, inner, buf, sizeof(buf), &len);
	if (err)
		return err;
	return begin_request(sa, (struct view){buf, len}, exchange, kind, task, now);
}

int exchange_send_response(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
			   const struct ike_builder *inner, uint64_t now)
{
	struct ike_header hdr = make_header(sa, exchange, message_id, true);
	uint8_t buf[EXCHANGE_BUFFER];
	size_t len;
	int err;

	err = seal(sa, &hdr, inner, buf, sizeof(buf), &len);
	return err ? err : exchange_send_clear_response(sa, (struct view){buf, len}, now);
}

int exchange_send_clear_response(struct ike_sa *sa, struct view bytes, uint64_t now)
{
	if (octets_set(&sa->response, bytes))
		return ERR_NOMEM;
	sa->last_sent = now;
	send_octets(sa, &sa->response);
	return 0;
}

void exchange_resend_response(struct ike_sa *sa, const struct endpoint *local,
			      const struct endpoint *remote)
{
	if (!sa->response.p)
		return;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "received retransmit of request %u, sending the response again",
		   sa->next_peer_id - 1);
	exchange_send_datagram(sa->engine, sa->id, local, remote,
			       (struct view){sa->response.p, sa->response.len});
}

struct task *exchange_take_request(struct ike_sa *sa)
{
	struct task *task = sa->request.task;

	octets_free(&sa->request.octets);
	sa->request = (struct request){0};
	sa->next_request_id++;
	return task;
}

bool exchange_retransmit(struct ike_sa *sa, uint64_t now)
{
	struct request *rq = &sa->request;

	if (rq->tries >= sa->engine->opt.retransmit_tries) {
		char name[32];

		report_log(sa->engine, sa, NULL, LOG_IKE, 0,
			   "giving up after %u retransmits of %s request %u", rq->tries,
			   ike_exchange_name(rq->exchange, name, sizeof(name)), rq->message_id);
		report_event(sa->engine, sa, NULL, EVENT_TIMEOUT, 0, rq->tries,
			     "no response to %s request %u",
			     ike_exchange_name(rq->exchange, name, sizeof(name)), rq->message_id);
		task_request_timed_out(sa, now);
		return false;
	}
	rq->tries++;
	rq->next_try = next_try(sa, rq->tries, now);
	sa->last_sent = now;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "retransmit %u of request with message ID %u",
		   rq->tries, rq->message_id);
	report_event(sa->engine, sa, NULL, EVENT_RETRANSMIT, 0, rq->tries, "request %u",
		     rq->message_id);
	send_octets(sa, &rq->octets);
	return true;
}
