/* init_responder.c - IKE_SA_INIT as responder (RFC 7296 §1.2, §2.6, §2.7, §2.21.1).
 *
 * Nothing is stored before the request has passed all that can be checked without state: header,
 * cookie if many SAs are half open, legality, a connection for the addresses, a proposal, the key
 * exchange group. Answers to requests that fail are made and forgotten; they are limited in rate,
 * since anybody can ask for them with a forged source. */
#include "vpn/ike/init.h"

#include "vpn/ike/auth_method.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/init_common.h"
#include "vpn/ike/natd.h"
#include "vpn/ike/report.h"
#include "vpn/ike/select.h"
#include "vpn/wire/legal.h"

#define CLEAR_ANSWERS_PER_SECOND 200

/* One incoming request, as the steps below pass it on. */
struct incoming {
	struct ike_engine *e;
	const struct ike_header *hdr;
	struct view datagram;
	struct endpoint local, remote;
	struct ike_payloads payloads;
	struct init_said said;
	struct ike_conn *conn;
	struct proposal chosen;
	uint64_t now;
};

static bool may_answer(struct ike_engine *e, uint64_t now)
{
	if (now >= e->clear_budget_at + 1000000) {
		e->clear_budget_at = now;
		e->clear_budget = CLEAR_ANSWERS_PER_SECOND;
	}
	if (!e->clear_budget)
		return false;
	e->clear_budget--;
	return true;
}

/* A demand for a cookie is never held back: it is all that an honest initiator can hope for among a
 * flood, costs us no memory, and is no larger than what asked for it, so that it amplifies nothing
 * (RFC 7296 §2.6). */
static bool is_free(const struct incoming *in, uint16_t type, size_t len)
{
	return type == N_COOKIE && len <= in->datagram.len;
}

static void answer_notify(struct incoming *in, uint16_t type, struct view data)
{
	struct ike_header hdr = {.spi_i = in->hdr->spi_i,
				 .exchange = IKE_SA_INIT,
				 .flags = IKE_FLAG_RESPONSE,
				 .message_id = in->hdr->message_id};
	uint8_t buf[256];
	struct ike_builder b = ike_builder_message(buf, sizeof(buf), &hdr);
	char name[48], to[ENDPOINT_STRLEN];
	size_t len;

	payload_notify_simple(&b, type, data);
	len = ike_builder_finish(&b);
	if (!len || (!is_free(in, type, len) && !may_answer(in->e, in->now))) {
		report_dropped(in->e, NULL, IKE_DROP_RATE, &in->remote);
		return;
	}
	report_log(in->e, NULL, NULL, LOG_ENC, type == N_COOKIE ? 2 : 1,
		   "generating IKE_SA_INIT response 0 [ N(%s) ] to %s",
		   ike_notify_name(type, name, sizeof(name)),
		   endpoint_format(&in->remote, to, sizeof(to)));
	exchange_send_datagram(in->e, 0, &in->local, &in->remote, (struct view){buf, len});
}

static void refuse(struct incoming *in, uint16_t type, struct view data, const char *why)
{
	char from[ENDPOINT_STRLEN];

	report_log(in->e, NULL, NULL, LOG_IKE, 1, "refusing IKE_SA_INIT from %s: %s",
		   endpoint_format(&in->remote, from, sizeof(from)), why);
	report_end(in->e, NULL, NULL, EVENT_IKE_FAILED, CAUSE_LOCAL, type, why);
	answer_notify(in, type, data);
}

/* The SA that this request, or the one that it repeats, has made. */
static struct ike_sa *find_duplicate(const struct incoming *in, size_t *ret_of_host)
{
	struct list *pos, *tmp;
	struct ike_sa *found = NULL;

	*ret_of_host = 0;
	list_for_each (pos, tmp, &in->e->half_open_sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, half_open);

		if (!sa->handshake)
			continue;
		*ret_of_host += ip_addr_eq(&sa->remote.addr, &in->remote.addr);
		if (sa->spi_i == in->hdr->spi_i && endpoint_eq(&sa->remote, &in->remote))
			found = sa;
	}
	return found;
}

static bool is_repeated(const struct ike_sa *sa, struct view datagram)
{
	const struct octets *m = &sa->handshake->message_i;

	return m->len == datagram.len && memcmp(m->p, datagram.p, m->len) == 0;
}

/* True if the request may go on. */
static bool pass_duplicates(struct incoming *in)
{
	size_t of_host;
	struct ike_sa *sa = find_duplicate(in, &of_host);

	if (sa) {
		if (is_repeated(sa, in->datagram))
			exchange_resend_response(sa, &in->local, &in->remote, 0);
		else
			report_dropped(in->e, sa, IKE_DROP_MESSAGE_ID, &in->remote);
		return false;
	}
	if (in->e->opt.half_open_per_host && of_host >= in->e->opt.half_open_per_host) {
		report_dropped(in->e, NULL, IKE_DROP_HALF_OPEN, &in->remote);
		return false;
	}
	return true;
}

/* RFC 7296 §2.6: with many SAs half open, an initiator must show that it receives at its address.
 */
static bool pass_cookie(struct incoming *in)
{
	struct ike_engine *e = in->e;
	const struct ike_payload *nonce = ike_payload_find(&in->payloads, PAYLOAD_NONCE, 0);
	struct payload_notify n;
	uint8_t cookie[COOKIE_LEN];

	if (!e->opt.cookie_threshold || e->half_open < e->opt.cookie_threshold)
		return true;
	if (!nonce)
		return false;
	if (payloads_find_notify(&in->payloads, N_COOKIE, &n)) {
		if (cookie_is_good(&e->cookies, &in->remote, in->hdr->spi_i, nonce->body, n.data))
			return true;
		e->drops[IKE_DROP_COOKIE]++;
	}
	if (!cookie_make(&e->cookies, e->env.random, e->env.ctx, &in->remote, in->hdr->spi_i,
			 nonce->body, in->now, cookie))
		answer_notify(in, N_COOKIE, (struct view){cookie, sizeof(cookie)});
	return false;
}

static bool pass_legality(struct incoming *in)
{
	uint8_t type;

	switch (legal_check(&in->payloads, IKE_SA_INIT, false, true, &type)) {
	case LEGAL_OK:
		if (init_decode(&in->payloads, &in->said))
			return true;
		refuse(in, N_INVALID_SYNTAX, (struct view){0},
		       "SA, KE or nonce payload is malformed");
		return false;
	case LEGAL_CRITICAL:
		refuse(in, N_UNSUPPORTED_CRITICAL_PAYLOAD, (struct view){&type, 1},
		       "a critical payload is unknown");
		return false;
	default:
		refuse(in, N_INVALID_SYNTAX, (struct view){0},
		       "a payload is missing, repeated or out of place");
		return false;
	}
}

static void log_proposals(struct incoming *in, const struct candidates *c)
{
	char text[512];
	size_t i;

	report_log(in->e, NULL, NULL, LOG_CFG, 1, "received proposals: %s",
		   proposal_list_format(&in->said.proposals, text, sizeof(text)));
	for (i = 0; i < c->n; i++)
		report_log(in->e, NULL, NULL, LOG_CFG, 1, "configured proposals of '%s': %s",
			   c->v[i]->name,
			   proposal_list_format(&c->v[i]->proposals, text, sizeof(text)));
}

static bool choose(struct incoming *in)
{
	struct candidates c;
	size_t i;

	select_by_address(in->e, &in->local, &in->remote, &c);
	for (i = 0; i < c.n; i++) {
		if (proposal_select(&c.v[i]->proposals, &in->said.proposals, 0, &in->chosen)) {
			in->conn = c.v[i];
			return true;
		}
	}
	log_proposals(in, &c);
	refuse(in, N_NO_PROPOSAL_CHOSEN, (struct view){0},
	       c.n ? "none of the peer's IKE proposals is one of ours"
		   : "no connection is configured for these addresses");
	return false;
}

static bool pass_group(struct incoming *in)
{
	uint16_t group = proposal_suite(&in->chosen).ke;
	uint8_t octets[2];
	struct writer w = wr_init(octets, sizeof(octets));
	char text[512];

	if (in->said.ke.group == group)
		return true;
	wr_u16(&w, group);
	report_log(in->e, NULL, NULL, LOG_IKE, 1,
		   "key exchange group %u of the peer's is not the chosen one, asking for %u",
		   in->said.ke.group, group);
	report_log(in->e, NULL, NULL, LOG_CFG, 2, "received proposals: %s",
		   proposal_list_format(&in->said.proposals, text, sizeof(text)));
	answer_notify(in, N_INVALID_KE_PAYLOAD, (struct view){octets, sizeof(octets)});
	return false;
}

static int send_answer(struct ike_sa *sa, const struct proposal *chosen, uint64_t now)
{
	struct handshake *h = sa->handshake;
	struct proposal one = *chosen;
	struct proposal_list list = {1, &one};
	struct ike_header hdr = {.spi_i = sa->spi_i,
				 .spi_r = sa->spi_r,
				 .exchange = IKE_SA_INIT,
				 .flags = IKE_FLAG_RESPONSE};
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_message(buf, sizeof(buf), &hdr);
	struct view message;

	one.spi_len = 0;
	payload_sa_encode(&b, &list);
	payload_ke_encode(&b, h->group, ke_public(h->ke));
	payload_nonce_encode(&b, nonce_view(&h->nr));
	natd_encode(&b, sa->spi_i, sa->spi_r, &sa->local, &sa->remote, sa->conn->encap);
	auth_encode_certreq(sa, sa->conn, &b);
	init_encode_extensions(sa, &b);
	message = (struct view){buf, ike_builder_finish(&b)};
	if (!message.len || octets_set(&h->message_r, message))
		return ERR_SPACE;
	return exchange_send_clear_response(sa, message, now);
}

/* Commit: from here on there is an SA. */
static void admit(struct incoming *in)
{
	struct ike_env *env = &in->e->env;
	struct ike_sa *sa = ike_sa_new(in->e, in->conn, false, &in->local, &in->remote, in->now);
	struct handshake *h;
	char from[ENDPOINT_STRLEN];

	if (!sa) {
		report_dropped(in->e, NULL, IKE_DROP_MEMORY, &in->remote);
		return;
	}
	h = sa->handshake;
	sa->spi_i = in->hdr->spi_i;
	sa->next_peer_id = 1;
	h->group = proposal_suite(&in->chosen).ke;
	nonce_copy(&h->ni, in->said.nonce);
	if (octets_set(&h->message_i, in->datagram) || nonce_make(in->e, &h->nr) ||
	    ke_new(h->group, env->random, env->ctx, &h->ke) ||
	    init_derive_keys(sa, &in->chosen, in->said.ke.data)) {
		report_dropped(in->e, sa, IKE_DROP_RESOURCES, &in->remote);
		ike_sa_destroy(sa, CAUSE_PEER, 0, "the initiator's key exchange value is invalid");
		return;
	}
	report_log(in->e, sa, NULL, LOG_IKE, 0, "%s is initiating an IKE_SA",
		   endpoint_format(&in->remote, from, sizeof(from)));
	ike_sa_set_state(sa, IKE_CONNECTING, "the peer has initiated");
	init_read_extensions(sa, &in->payloads);
	init_apply_natd(sa, &in->payloads, 0, &in->local, &in->remote);
	if (send_answer(sa, &in->chosen, in->now))
		ike_sa_destroy(sa, CAUSE_ERROR, 0, "IKE_SA_INIT could not be answered");
	else
		ike_sa_rearm(sa);
}

void init_request(struct ike_engine *e, const struct ike_header *hdr, struct view datagram,
		  const struct endpoint *local, const struct endpoint *remote, uint64_t now)
{
	struct incoming in = {.e = e,
			      .hdr = hdr,
			      .datagram = datagram,
			      .local = *local,
			      .remote = *remote,
			      .now = now};
	struct view chain = {datagram.p + IKE_HEADER_LEN, datagram.len - IKE_HEADER_LEN};

	if (hdr->message_id != 0 || hdr->spi_r != 0 || !hdr->spi_i) {
		report_dropped(e, NULL, IKE_DROP_MESSAGE_ID, remote);
		return;
	}
	if (ike_payloads_decode(hdr->next_payload, chain, &in.payloads)) {
		report_dropped(e, NULL, IKE_DROP_PAYLOADS, remote);
		return;
	}
	if (pass_duplicates(&in) && pass_cookie(&in) && pass_legality(&in) && choose(&in) &&
	    pass_group(&in))
		admit(&in);
}
