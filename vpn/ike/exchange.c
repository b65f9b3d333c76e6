/* exchange.c - requests and responses (RFC 7296 §2.1 to §2.4).
 *
 *     request  #n  ->            kept byte for byte, sent again after timeout * base^tries
 *              <-  response #n   kept byte for byte until request #n+1 comes
 *
 * The window is one in both directions. A retransmission is the same octets (§2.1), so an IV is
 * never used for two contents; only a message that is split smaller (flight.h) is sealed anew. */
#include "vpn/ike/exchange.h"

#include <math.h>

#include "vpn/ike/flight.h"
#include "vpn/ike/fragment.h"
#include "vpn/ike/report.h"
#include "vpn/ike/roam.h"
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

static uint64_t next_try(const struct ike_sa *sa, unsigned tries, uint64_t now)
{
	const struct ike_options *opt = &sa->engine->opt;
	double wait = (double)opt->retransmit_timeout * pow(opt->retransmit_base, tries);

	return now + (uint64_t)wait;
}

uint64_t exchange_patience(const struct ike_engine *e)
{
	double wait = 0;
	unsigned i;

	for (i = 0; i <= e->opt.retransmit_tries; i++)
		wait += (double)e->opt.retransmit_timeout * pow(e->opt.retransmit_base, i);
	return wait < 1e15 ? (uint64_t)wait : UINT64_C(1000000000000000);
}

/* Its flight is there. */
static void begin_request(struct ike_sa *sa, uint8_t exchange, enum request_kind kind,
			  struct task *task, uint64_t now)
{
	struct request *rq = &sa->request;

	rq->kind = kind;
	rq->exchange = exchange;
	rq->message_id = sa->next_request_id;
	rq->tries = 0;
	rq->task = task;
	rq->next_try = next_try(sa, 0, now);
	sa->last_sent = now;
	flight_send(sa, &rq->flight, &sa->local, &sa->remote);
}

int exchange_send_clear(struct ike_sa *sa, struct view bytes, uint64_t now)
{
	int err = flight_set_clear(&sa->request.flight, bytes);

	if (!err)
		begin_request(sa, IKE_SA_INIT, REQUEST_INIT, NULL, now);
	return err;
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

int exchange_send_request(struct ike_sa *sa, uint8_t exchange, const struct ike_builder *inner,
			  enum request_kind kind, struct task *task, uint64_t now)
{
	struct ike_header hdr = make_header(sa, exchange, sa->next_request_id, false);
	int err;

	if (sa->request.kind != REQUEST_NONE)
		return ERR_STATE;
	report_sent(sa, &hdr, inner);
	err = flight_seal(sa, &hdr, inner, &sa->request.flight);
	if (!err)
		begin_request(sa, exchange, kind, task, now);
	return err;
}

static void send_response(struct ike_sa *sa, uint64_t now)
{
	sa->repeats = 0;
	sa->last_sent = now;
	flight_send(sa, &sa->response, &sa->heard.local, &sa->heard.remote);
}

int exchange_send_response(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
			   const struct ike_builder *inner, uint64_t now)
{
	struct ike_header hdr = make_header(sa, exchange, message_id, true);
	int err;

	report_sent(sa, &hdr, inner);
	err = flight_seal(sa, &hdr, inner, &sa->response);
	if (!err)
		send_response(sa, now);
	return err;
}

int exchange_send_clear_response(struct ike_sa *sa, struct view bytes, uint64_t now)
{
	int err = flight_set_clear(&sa->response, bytes);

	if (!err)
		send_response(sa, now);
	return err;
}

static void shrink_response(struct ike_sa *sa, size_t ike_len)
{
	bool peer_has = ike_len && sa->response.total > 1 && ike_len < sa->response.step;

	if ((peer_has || ++sa->repeats >= SHRINK_AFTER_REPEATS) && flight_shrink(sa, &sa->response))
		report_log(sa->engine, sa, NULL, LOG_IKE, 1,
			   "the response does not come through, sending it in %u fragments",
			   sa->response.total);
}

void exchange_resend_response(struct ike_sa *sa, const struct endpoint *local,
			      const struct endpoint *remote, size_t ike_len)
{
	if (!sa->response.octets.p)
		return;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "received retransmit of request %u, sending the response again",
		   sa->next_peer_id - 1);
	shrink_response(sa, ike_len);
	flight_send(sa, &sa->response, local, remote);
}

struct task *exchange_take_request(struct ike_sa *sa)
{
	struct task *task = sa->request.task;

	flight_free(&sa->request.flight);
	fragments_free(sa->engine, &sa->fragments[true]);
	sa->request = (struct request){0};
	sa->next_request_id++;
	return task;
}

void exchange_resend(struct ike_sa *sa, uint64_t now)
{
	struct request *rq = &sa->request;

	if (rq->kind == REQUEST_NONE)
		return;
	rq->tries = 0;
	rq->next_try = next_try(sa, 0, now);
	sa->last_sent = now;
	flight_send(sa, &rq->flight, &sa->local, &sa->remote);
}

/* RFC 7383 §2.5.2. */
static bool shrink_request(struct ike_sa *sa)
{
	struct request *rq = &sa->request;

	if (rq->tries < SHRINK_AFTER_TRIES || !flight_shrink(sa, &rq->flight))
		return false;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "request %u does not come through, sending it in %u fragments", rq->message_id,
		   rq->flight.total);
	return true;
}

/* Who gives up an SA that does not even stand yet is not kept waiting for long. */
static unsigned tries_allowed(const struct ike_sa *sa)
{
	unsigned tries = sa->engine->opt.retransmit_tries;

	return sa->terminated && sa->state == IKE_CONNECTING && tries > 1 ? 1 : tries;
}

static void give_up(struct ike_sa *sa, uint64_t now)
{
	const struct request *rq = &sa->request;
	char name[32];

	report_log(sa->engine, sa, NULL, LOG_IKE, 0,
		   "giving up after %u retransmits of %s request %u", rq->tries,
		   ike_exchange_name(rq->exchange, name, sizeof(name)), rq->message_id);
	report_event(sa->engine, sa, NULL, EVENT_TIMEOUT, 0, rq->tries,
		     "no response to %s request %u",
		     ike_exchange_name(rq->exchange, name, sizeof(name)), rq->message_id);
	task_request_timed_out(sa, now);
}

bool exchange_retransmit(struct ike_sa *sa, uint64_t now)
{
	struct request *rq = &sa->request;
	bool smaller;

	if (sa->mobike.stale) {
		rq->next_try = DEADLINE_NEVER; /* until there is a route again: roam.c */
		return true;
	}
	smaller = shrink_request(sa);
	if (!smaller && rq->tries >= tries_allowed(sa)) {
		give_up(sa, now);
		return false;
	}
	roam_before_retransmission(sa);
	/* RFC 7383 §2.5.2: with smaller pieces the timers start over. */
	rq->tries = smaller ? 0 : rq->tries + 1;
	rq->next_try = next_try(sa, rq->tries, now);
	sa->last_sent = now;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "retransmit %u of request with message ID %u",
		   rq->tries, rq->message_id);
	report_event(sa->engine, sa, NULL, EVENT_RETRANSMIT, 0, rq->tries, "request %u",
		     rq->message_id);
	flight_send(sa, &rq->flight, &sa->local, &sa->remote);
	return true;
}
