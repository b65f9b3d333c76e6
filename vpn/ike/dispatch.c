/* dispatch.c - a datagram's way to its handler (RFC 7296 §2.2, §2.3, §2.5, §2.21).
 *
 *     header -> IKE SA (or admission) -> message ID -> open SK (or gather SKF) -> legality ->
 * handler -> verdict
 *
 * Nothing of an SA changes before the integrity check has passed; the handler's verdict is carried
 * out at the end, in one place. A request is answered exactly once and its answer kept; the next
 * message ID frees it. */
#include "vpn/ike/engine.h"

#include <stdlib.h>

#include "vpn/base/secret.h"
#include "vpn/ike/auth.h"
#include "vpn/ike/create_child.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/flight.h"
#include "vpn/ike/fragment.h"
#include "vpn/ike/informational.h"
#include "vpn/ike/init.h"
#include "vpn/ike/mobility.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/roam.h"
#include "vpn/ike/sealed.h"
#include "vpn/ike/task.h"
#include "vpn/wire/legal.h"

struct message {
	struct ike_sa *sa;
	struct ike_header hdr;
	struct view datagram;
	struct endpoint local, remote;
	uint64_t now;
	bool response;
	struct ike_payloads outer, inner;
	uint8_t inner_first; /* type of the first payload inside */
	size_t largest;	     /* fragment; 0: it came whole */
	uint8_t *plain;	     /* inner's octets; owned */
	size_t plain_len;
};

static void drop(const struct message *m, enum ike_drop reason)
{
	report_dropped(m->sa->engine, m->sa, reason, &m->remote);
}

static void free_plain(struct message *m)
{
	if (m->plain)
		secret_wipe(m->plain, m->plain_len);
	free(m->plain);
	m->plain = NULL;
}

static bool unseal(struct message *m, struct view sealed, struct view *ret_chain)
{
	m->plain = malloc(m->datagram.len);
	if (!m->plain) {
		drop(m, IKE_DROP_MEMORY);
		return false;
	}
	m->plain_len = m->datagram.len;
	if (sealed_open(m->sa->keys.open, m->datagram, sealed, m->plain, ret_chain)) {
		drop(m, IKE_DROP_AUTHENTICATION);
		return false;
	}
	return true;
}

/* The message's last fragment has come. */
static bool join(struct message *m)
{
	struct fragments **set = &m->sa->fragments[m->response];
	struct octets whole;

	if (fragments_join(*set, &whole, &m->inner_first, &m->largest)) {
		drop(m, IKE_DROP_MEMORY);
		return false;
	}
	fragments_free(m->sa->engine, set);
	free_plain(m);
	m->plain = whole.p;
	m->plain_len = whole.len;
	m->datagram = (struct view){whole.p, whole.len};
	return true;
}

/* RFC 7383 §2.6. */
static bool take_fragment(struct message *m, const struct ike_payload *skf, bool repeated)
{
	struct fragments **set = &m->sa->fragments[m->response];
	struct payload_skf f;
	struct view chain;

	if (payload_skf_decode(skf->body, &f)) {
		drop(m, IKE_DROP_PAYLOADS);
		return false;
	}
	/* RFC 7383 §2.6.1: of a request that is answered, the first fragment alone counts. */
	if (repeated ? f.number != 1 : !fragment_is_wanted(*set, m->hdr.message_id, &f)) {
		drop(m, IKE_DROP_FRAGMENT);
		return false;
	}
	if (!unseal(m, f.sealed, &chain))
		return false;
	if (repeated) {
		m->largest = f.total > 1 ? m->hdr.length : 0;
		return true;
	}
	if (fragment_keep(m->sa, set, m->hdr.message_id, &f, skf->inner_first, m->hdr.length, chain,
			  m->now)) {
		drop(m, IKE_DROP_FRAGMENTS);
		return false;
	}
	return fragments_complete(*set) && join(m);
}

/* What is sealed, opened; a fragment of a `repeated` request alone. False: dropped, or a fragment
 * that waits for the others. */
static bool open_message(struct message *m, bool repeated)
{
	const struct ike_payload *sk;
	struct view chain = {m->datagram.p + IKE_HEADER_LEN, m->datagram.len - IKE_HEADER_LEN};
	uint8_t type;

	if (!m->sa->keys.open) {
		drop(m, IKE_DROP_KEYS);
		return false;
	}
	if (ike_payloads_decode(m->hdr.next_payload, chain, &m->outer)) {
		drop(m, IKE_DROP_PAYLOADS);
		return false;
	}
	if (legal_check(&m->outer, m->hdr.exchange, false, true, &type) != LEGAL_OK) {
		drop(m, IKE_DROP_ILLEGAL);
		return false;
	}
	sk = &m->outer.v[m->outer.n - 1]; /* RFC 7296 §3.14: the last one */
	if (sk->type == PAYLOAD_SKF)
		return take_fragment(m, sk, repeated);
	if (!unseal(m, sk->body, &chain))
		return false;
	m->inner_first = sk->inner_first;
	m->datagram = chain;
	return true;
}

/* What an authenticated message may change even before its content is looked at. */
static void note_authenticated(struct message *m)
{
	m->sa->last_received = m->now;
	m->sa->heard = (struct ike_path){m->local, m->remote};
	if (m->largest && m->sa->fragment_size)
		flight_learn_size(m->sa, m->largest);
	mobility_follow(m->sa, &m->local, &m->remote, m->now);
}

static struct verdict handle_request(struct message *m, struct ike_builder *reply)
{
	uint8_t type;

	if (ike_payloads_decode(m->inner_first, m->datagram, &m->inner))
		return verdict_notify(N_INVALID_SYNTAX, "payload chain inside SK is malformed");
	report_message(m->sa, "parsed", &m->hdr, &m->inner);
	switch (legal_check(&m->inner, m->hdr.exchange, false, false, &type)) {
	case LEGAL_OK:
		break;
	case LEGAL_CRITICAL:
		/* RFC 7296 §2.5: the notify's data is the payload's type. */
		payload_notify_simple(reply, N_UNSUPPORTED_CRITICAL_PAYLOAD,
				      (struct view){&type, 1});
		return verdict_reply("a critical payload is unknown");
	default:
		return verdict_notify(N_INVALID_SYNTAX,
				      "a payload is missing, repeated or out of place");
	}
	switch (m->hdr.exchange) {
	case IKE_AUTH:
		return auth_request(m->sa, &m->inner, reply, m->now);
	case CREATE_CHILD_SA:
		return create_child_request(m->sa, &m->inner, reply, m->now);
	default:
		return informational_request(m->sa, &m->inner, reply, m->now);
	}
}

static void carry_out(struct message *m, struct verdict v, struct ike_builder *reply)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder fresh = ike_builder_chain(buf, sizeof(buf));
	struct ike_sa *sa = m->sa;

	if (v.notify) {
		payload_notify_simple(&fresh, v.notify, (struct view){0});
		reply = &fresh;
	}
	sa->next_peer_id++;
	fragments_free(sa->engine, &sa->fragments[false]);
	if (exchange_send_response(sa, m->hdr.exchange, m->hdr.message_id, reply, m->now))
		report_log(sa->engine, sa, NULL, LOG_IKE, 0, "request %u could not be answered",
			   m->hdr.message_id);
	if (v.kind == VERDICT_CLOSE) {
		ike_sa_linger(sa, v.notify ? CAUSE_LOCAL : CAUSE_PEER,
			      v.notify ? v.notify : v.heard, v.why, m->now);
		return;
	}
	if (v.notify)
		report_log(sa->engine, sa, NULL, LOG_IKE, 1, "request %u is refused: %s",
			   m->hdr.message_id, v.why);
	task_run_next(sa, m->now);
}

/* RFC 7296 §2.3: the window is one: the next request, or the last one again. */
static bool may_be_request(struct message *m)
{
	uint32_t id = m->hdr.message_id;

	if (id == m->sa->next_peer_id || (m->sa->next_peer_id && id == m->sa->next_peer_id - 1))
		return true;
	drop(m, IKE_DROP_MESSAGE_ID);
	return false;
}

static void take_request(struct message *m)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder reply = ike_builder_chain(buf, sizeof(buf));

	bool repeated = m->hdr.message_id != m->sa->next_peer_id;

	if (!may_be_request(m))
		return;
	if (!repeated && m->sa->state == IKE_DESTROYING) {
		drop(m, IKE_DROP_NO_SA);
		return;
	}
	if (!open_message(m, repeated))
		return;
	if (repeated) {
		exchange_resend_response(m->sa, &m->local, &m->remote, m->largest);
		return;
	}
	if (m->hdr.exchange != IKE_AUTH && m->sa->handshake) {
		drop(m, IKE_DROP_EXCHANGE);
		return;
	}
	note_authenticated(m);
	carry_out(m, handle_request(m, &reply), &reply);
	secret_wipe(buf, sizeof(buf));
}

static bool is_awaited(struct message *m)
{
	const struct request *rq = &m->sa->request;

	if (rq->kind != REQUEST_NONE && rq->message_id == m->hdr.message_id &&
	    rq->exchange == m->hdr.exchange)
		return true;
	drop(m, IKE_DROP_NOT_AWAITED);
	return false;
}

static void take_init_response(struct message *m)
{
	struct view chain = {m->datagram.p + IKE_HEADER_LEN, m->datagram.len - IKE_HEADER_LEN};
	uint8_t type;

	if (ike_payloads_decode(m->hdr.next_payload, chain, &m->inner)) {
		drop(m, IKE_DROP_PAYLOADS);
		return;
	}
	if (legal_check(&m->inner, IKE_SA_INIT, true, true, &type) != LEGAL_OK) {
		drop(m, IKE_DROP_ILLEGAL);
		return;
	}
	report_message(m->sa, "parsed", &m->hdr, &m->inner);
	init_response(m->sa, &m->hdr, &m->inner, m->datagram, &m->local, &m->remote, m->now);
}

static void take_response(struct message *m)
{
	struct ike_sa *sa = m->sa;
	uint8_t type;

	if (!is_awaited(m))
		return;
	if (sa->request.kind == REQUEST_INIT) {
		take_init_response(m);
		return;
	}
	if (!open_message(m, false))
		return;
	note_authenticated(m);
	roam_heard(sa);
	if (ike_payloads_decode(m->inner_first, m->datagram, &m->inner) ||
	    legal_check(&m->inner, m->hdr.exchange, true, false, &type) != LEGAL_OK) {
		/* RFC 7296 §2.21.3: an authenticated response that is malformed ends the SA. */
		ike_sa_destroy(sa, CAUSE_ERROR, N_INVALID_SYNTAX,
			       "the peer's response is malformed");
		return;
	}
	report_message(sa, "parsed", &m->hdr, &m->inner);
	if (sa->request.kind == REQUEST_AUTH)
		auth_response(sa, &m->inner, m->now);
	else
		task_response(sa, exchange_take_request(sa), &m->inner, m->now);
	if (!sa->by_spi.object)
		return;
	task_run_next(sa, m->now);
	reauth_settle(sa, m->now);
}

/* RFC 7296 §2.2. A rekeying that failed is tried again in its own time. */
static void watch_message_ids(struct ike_sa *sa, uint64_t now)
{
	uint32_t id =
	    sa->next_request_id > sa->next_peer_id ? sa->next_request_id : sa->next_peer_id;

	if (sa->state != IKE_ESTABLISHED)
		return;
	if (id >= LIMIT_LAST_MESSAGE_ID)
		sa->expire_at = now;
	else if (id >= LIMIT_MESSAGE_ID && sa->rekey_at > now + 2 * REKEY_RETRY)
		sa->rekey_at = now;
}

/* The SPI that we have chosen: the initiator flag is the sender's (RFC 7296 §3.1). */
static struct ike_sa *find_sa(const struct ike_engine *e, const struct ike_header *hdr)
{
	bool from_initiator = hdr->flags & IKE_FLAG_INITIATOR;
	struct ike_sa *sa = id_table_find(&e->by_spi, from_initiator ? hdr->spi_r : hdr->spi_i);

	if (!sa || sa->initiator == from_initiator)
		return NULL;
	if (sa->initiator)
		return sa->spi_r == hdr->spi_r || sa->request.kind == REQUEST_INIT ? sa : NULL;
	return sa->spi_i == hdr->spi_i ? sa : NULL;
}

static bool is_first_message(const struct ike_header *hdr)
{
	return hdr->exchange == IKE_SA_INIT && !(hdr->flags & IKE_FLAG_RESPONSE) &&
	       hdr->flags & IKE_FLAG_INITIATOR;
}

void ike_engine_input(struct ike_engine *e, const struct endpoint *local,
		      const struct endpoint *remote, struct view datagram, uint64_t now)
{
	struct message m = {.datagram = datagram, .local = *local, .remote = *remote, .now = now};

	if (ike_header_decode(datagram, &m.hdr)) {
		report_dropped(e, NULL, IKE_DROP_HEADER, remote);
		return;
	}
	if (m.hdr.version >> 4 != 2) {
		report_dropped(e, NULL, IKE_DROP_VERSION, remote);
		return;
	}
	if (m.hdr.exchange < IKE_SA_INIT || m.hdr.exchange > INFORMATIONAL) {
		report_dropped(e, NULL, IKE_DROP_EXCHANGE, remote);
		return;
	}
	if (is_first_message(&m.hdr)) {
		init_request(e, &m.hdr, datagram, local, remote, now);
		return;
	}
	m.sa = find_sa(e, &m.hdr);
	if (!m.sa) {
		report_dropped(e, NULL, IKE_DROP_NO_SA, remote);
		return;
	}
	m.response = m.hdr.flags & IKE_FLAG_RESPONSE;
	if (m.hdr.exchange == IKE_SA_INIT && !m.response) {
		drop(&m, IKE_DROP_ROLE);
		return;
	}
	if (m.response)
		take_response(&m);
	else
		take_request(&m);
	free_plain(&m);
	watch_message_ids(m.sa, now);
	ike_sa_rearm(m.sa);
}

void ike_engine_peer_moved(struct ike_engine *e, uint32_t spi, const struct endpoint *remote,
			   uint64_t now)
{
	struct ike_sa *sa = id_table_find(&e->by_esp_spi, spi);

	if (!sa)
		return;
	mobility_follow_esp(sa, remote, now);
	ike_sa_rearm(sa);
}
