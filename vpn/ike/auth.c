/* auth.c - the IKE_AUTH exchange (RFC 7296 §1.2, §2.15, §2.16, §2.21.2), both roles.
 *
 *     SK { IDi CERT? CERTREQ? IDr? AUTH N(INITIAL_CONTACT)? N(mode)? SAi2 TSi TSr }  ->
 *                     <-  SK { IDr CERT? AUTH N(mode)? SAr2 TSi TSr }
 *                  or     SK { IDr CERT? AUTH N(error) }          the IKE SA stands, the child does
 * not or     SK { N(AUTHENTICATION_FAILED) }         nothing stands
 *
 * The responder learns here who the peer is and may change to another connection that fits better.
 */
#include "vpn/ike/auth.h"

#include <stdio.h>

#include "vpn/ike/auth_method.h"
#include "vpn/ike/child_negotiation.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/mobike.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/select.h"
#include "vpn/ike/task.h"

static void established(struct ike_sa *sa, uint64_t now)
{
	char local[IDENTITY_STRLEN], remote[IDENTITY_STRLEN], from[ENDPOINT_STRLEN],
	    to[ENDPOINT_STRLEN];

	sa->established = now;
	ike_sa_set_lifetime(sa, NULL, now);
	ike_sa_set_state(sa, IKE_ESTABLISHED, "authenticated");
	report_log(sa->engine, sa, NULL, LOG_IKE, 0,
		   "IKE_SA %s[%u] established between %s[%s]...%s[%s]", sa->conn->name, sa->id,
		   endpoint_format(&sa->local, from, sizeof(from)),
		   identity_format(&sa->local_id, local, sizeof(local)),
		   endpoint_format(&sa->remote, to, sizeof(to)),
		   identity_format(&sa->remote_id, remote, sizeof(remote)));
	report_event(sa->engine, sa, NULL, EVENT_IKE_UP, 0, 0, "established");
}

static void encode_id(struct ike_builder *b, uint8_t payload, const struct identity *id)
{
	payload_id_encode(b, payload, id->type, (struct view){id->data, id->len});
}

/* A remote identity that stands for one peer can be asked for in IDr (RFC 7296 §3.5). */
static bool is_concrete(const struct identity *id)
{
	size_t i;

	if (id->type == ID_ANY)
		return false;
	for (i = 0; i < id->len; i++)
		if (id->data[i] == '*')
			return false;
	return true;
}

static bool has_notify(const struct ike_payloads *p, uint16_t type)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type == type)
			return true;
	return false;
}

/* The first other IKE SA between these identities; NULL if there is none. */
/* family: of the outer addresses, 0: any. */
static struct ike_sa *sa_of_same_peer(const struct ike_sa *sa, const struct identity *local,
				      const struct identity *remote, uint8_t family)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->engine->sas) {
		struct ike_sa *other = list_entry(pos, struct ike_sa, node);

		if (other != sa && other->state == IKE_ESTABLISHED &&
		    (!family || other->remote.addr.family == family) &&
		    identity_eq(&other->local_id, local) && identity_eq(&other->remote_id, remote))
			return other;
	}
	return NULL;
}

/* RFC 7296 §2.4: to be said only if this is the one IKE SA between the two identities. */
static bool is_initial_contact(const struct ike_sa *sa)
{
	const struct identity *remote = &sa->conn->remote.id;

	return sa->conn->unique != UNIQUE_NEVER && is_concrete(remote) &&
	       !sa_of_same_peer(sa, &sa->local_id, remote, 0);
}

/* RFC 7296 §2.4: whatever the peer had before, it has lost. Told by its authenticated self alone.
 * strongSwan says so for IPv4 and IPv6 apart, and keeps the SA of the other family. */
static void forget_predecessors(struct ike_sa *sa)
{
	struct ike_sa *other;

	uint8_t family = sa->remote.addr.family;

	while ((other = sa_of_same_peer(sa, &sa->local_id, &sa->remote_id, family)))
		ike_sa_destroy(other, CAUSE_REPLACED, 0,
			       "the peer has started afresh (INITIAL_CONTACT)");
}

/* The first child that is asked for comes up with the IKE SA (RFC 7296 §1.2), unless both ends want
 * none there (RFC 6023). */
static int make_offer(struct ike_sa *sa, struct err_msg *msg)
{
	enum conn_childless policy = sa->conn->childless;
	struct child_wish wish;
	struct task *task;
	int err;

	if (sa->peer_childless && (policy == CHILDLESS_PREFER || policy == CHILDLESS_FORCE))
		return 0;
	task = policy == CHILDLESS_FORCE ? NULL : task_take_child(sa);
	/* RFC 6023 §3: not without the responder's word. */
	if (!task && !sa->peer_childless)
		return err_set(msg, ERR_UNSUPPORTED,
			       "the responder does not take IKE SAs without a child");
	if (!task)
		return 0;
	wish = (struct child_wish){.conn = task->conn,
				   .cfg = task->child,
				   .packet = task->has_packet ? &task->packet : NULL,
				   .in_auth = true};
	err = child_offer_new(sa, &wish, &sa->offer);
	task_free(task);
	return err;
}

static int build_request(struct ike_sa *sa, struct ike_builder *b, struct err_msg *msg)
{
	int err;

	encode_id(b, PAYLOAD_IDI, &sa->local_id);
	auth_encode_certs(sa, b);
	auth_encode_certreq(sa, sa->conn, b);
	if (is_concrete(&sa->conn->remote.id))
		encode_id(b, PAYLOAD_IDR, &sa->conn->remote.id);
	err = auth_build(sa, b, msg);
	if (!err && is_initial_contact(sa))
		payload_notify_simple(b, N_INITIAL_CONTACT, (struct view){0});
	if (!err && sa->offer)
		child_offer_encode(sa->offer, true, b);
	if (!err)
		mobike_encode_auth(sa, b);
	return err;
}

void auth_begin(struct ike_sa *sa, uint64_t now)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct err_msg msg = {"IKE_AUTH could not be built"};
	int err;

	err = auth_local_identity(sa, sa->conn, &sa->local_id);
	if (!err)
		err = make_offer(sa, &msg);
	if (!err)
		err = build_request(sa, &b, &msg);
	if (!err)
		err = exchange_send_request(sa, IKE_AUTH, &b, REQUEST_AUTH, NULL, now);
	if (err)
		ike_sa_destroy(sa, CAUSE_LOCAL, 0, msg.text);
}

static void peer_refused(struct ike_sa *sa, uint16_t notify)
{
	char name[48], why[128];

	if (notify == N_AUTHENTICATION_FAILED) {
		ike_sa_destroy(sa, CAUSE_PEER, notify,
			       "the peer rejects our authentication (AUTHENTICATION_FAILED)");
		return;
	}
	snprintf(why, sizeof(why), "the peer refused IKE_AUTH: %s",
		 ike_notify_name(notify, name, sizeof(name)));
	ike_sa_destroy(sa, CAUSE_PEER, notify, why);
}

static uint16_t first_error(const struct ike_payloads *p)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type < N_FIRST_STATUS)
			return n.type;
	return 0;
}

/* Decodes the peer's ID payload. *ret_body is what its AUTH covers. */
static int read_id(const struct ike_payloads *p, uint8_t type, struct identity *ret_id,
		   struct view *ret_body)
{
	const struct ike_payload *payload = ike_payload_find(p, type, 0);
	struct payload_id id;

	if (!payload || payload_id_decode(payload->body, &id))
		return ERR_SYNTAX;
	*ret_body = payload->body;
	return identity_from_octets(id.type, id.data, ret_id);
}

static int check_responder(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now,
			   struct err_msg *msg)
{
	char got[IDENTITY_STRLEN], want[IDENTITY_STRLEN];
	struct identity id;
	struct view body;
	int err;

	if (read_id(p, PAYLOAD_IDR, &id, &body))
		return err_set(msg, ERR_SYNTAX, "IDr is missing or malformed");
	err = 0;
	if (!identity_match(&id, &sa->conn->remote.id))
		err = err_set(msg, ERR_AUTH, "the peer is '%s', the configuration demands '%s'",
			      identity_format(&id, got, sizeof(got)),
			      identity_format(&sa->conn->remote.id, want, sizeof(want)));
	if (!err)
		err = auth_verify(sa, sa->conn, &id, body, p, now, msg);
	if (err) {
		identity_clear(&id);
		return err;
	}
	sa->remote_id = id;
	return 0;
}

static void finish_offer(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	struct child_offer *offer = sa->offer;
	struct child_failure failure;
	struct child_sa *child;

	if (!offer)
		return;
	sa->offer = NULL;
	if (!child_offer_take_answer(sa, offer, true, p, now, &child, &failure)) {
		report_log(sa->engine, sa, NULL, LOG_CHD, 0, "CHILD_SA '%s' failed: %s",
			   offer->cfg->name, failure.why);
		report_end(sa->engine, sa, child_sa_stillborn(sa->engine, offer->conn, offer->cfg),
			   EVENT_CHILD_FAILED, CAUSE_PEER, failure.notify, failure.why);
	}
	child_offer_free(offer);
}

static void handshake_done(struct ike_sa *sa)
{
	handshake_free(sa->handshake);
	sa->handshake = NULL;
}

void auth_response(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	struct err_msg msg;
	uint16_t error = first_error(p);

	exchange_take_request(sa);
	if (!ike_payload_find(p, PAYLOAD_AUTH, 0)) {
		peer_refused(sa, error ? error : (uint16_t)N_INVALID_SYNTAX);
		return;
	}
	if (check_responder(sa, p, now, &msg)) {
		task_auth_failed(sa, msg.text, now);
		return;
	}
	mobike_read_auth(sa, p);
	established(sa, now);
	reauth_read_lifetime(sa, p, now);
	finish_offer(sa, p, now);
	handshake_done(sa);
}

static void use_conn(struct ike_sa *sa, struct ike_conn *conn)
{
	if (conn == sa->conn)
		return;
	report_log(sa->engine, sa, NULL, LOG_CFG, 1, "switching to connection '%s'", conn->name);
	ike_conn_ref(conn);
	ike_conn_unref(sa->first_conn);
	sa->first_conn = sa->conn;
	sa->conn = conn;
	sa->nat_fake = sa->nat_fake || conn->encap;
	if (conn->fragmentation != FRAGMENTATION_YES)
		sa->fragment_size = 0;
}

/* Tries the connections that fit; the first that the peer's AUTH satisfies is used. */
static int authenticate(struct ike_sa *sa, const struct candidates *c, const struct identity *idi,
			struct view body, const struct ike_payloads *p, uint64_t now,
			struct err_msg *msg)
{
	char peer[IDENTITY_STRLEN];
	int err = err_set(msg, ERR_AUTH, "no connection is configured for the peer '%s'",
			  identity_format(idi, peer, sizeof(peer)));
	size_t i;

	for (i = 0; i < c->n; i++) {
		err = auth_verify(sa, c->v[i], idi, body, p, now, msg);
		if (!err) {
			use_conn(sa, c->v[i]);
			return 0;
		}
	}
	return err;
}

static int check_initiator(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now,
			   struct err_msg *msg)
{
	struct identity idi, idr;
	struct view body, idr_body;
	struct candidates c;
	bool have_idr;
	int err;

	if (read_id(p, PAYLOAD_IDI, &idi, &body))
		return err_set(msg, ERR_SYNTAX, "IDi is malformed");
	have_idr = !read_id(p, PAYLOAD_IDR, &idr, &idr_body);
	select_by_identity(sa, &idi, have_idr ? &idr : NULL, &c);
	err = authenticate(sa, &c, &idi, body, p, now, msg);
	if (have_idr)
		identity_clear(&idr);
	if (err) {
		identity_clear(&idi);
		return err;
	}
	sa->remote_id = idi;
	return 0;
}

static void answer_child(struct ike_sa *sa, const struct ike_payloads *p, struct ike_builder *reply,
			 uint64_t now)
{
	struct child_terms terms = {.in_auth = true};
	struct child_answer answer;

	/* RFC 6023 §3: an initiator may ask for no child at all. */
	if (!ike_payload_find(p, PAYLOAD_SA, 0))
		return;
	if (child_answer_offer(sa, &terms, p, reply, now, &answer))
		return;
	report_log(sa->engine, sa, NULL, LOG_CHD, 0, "refusing a CHILD_SA: %s", answer.failure.why);
	report_end(sa->engine, sa, NULL, EVENT_CHILD_FAILED, CAUSE_LOCAL, answer.failure.notify,
		   answer.failure.why);
	payload_notify_simple(reply, answer.failure.notify, (struct view){0});
}

/* RFC 6023 §3: what was announced in IKE_SA_INIT holds, whatever connection was chosen since. */
static const char *forbidden_child(const struct ike_sa *sa, const struct ike_payloads *p)
{
	const struct ike_conn *announced = sa->first_conn ? sa->first_conn : sa->conn;
	bool child = ike_payload_find(p, PAYLOAD_SA, 0) != NULL;

	if (child && sa->conn->childless == CHILDLESS_FORCE)
		return "the peer asks for a child in IKE_AUTH, and childless = force";
	if (!child && announced->childless == CHILDLESS_NEVER)
		return "the peer asks for no child in IKE_AUTH, and childless = never";
	return NULL;
}

struct verdict auth_request(struct ike_sa *sa, const struct ike_payloads *p,
			    struct ike_builder *reply, uint64_t now)
{
	const char *forbidden;
	struct err_msg msg;

	if (sa->state != IKE_CONNECTING || !sa->handshake)
		return verdict_notify(N_INVALID_SYNTAX, "IKE_AUTH on an established IKE SA");
	sa->handshake->certreq = ike_payload_find(p, PAYLOAD_CERTREQ, 0) != NULL;
	if (check_initiator(sa, p, now, &msg) || auth_local_identity(sa, sa->conn, &sa->local_id)) {
		snprintf(sa->why, sizeof(sa->why), "%s", msg.text);
		return verdict_close(N_AUTHENTICATION_FAILED, 0, sa->why);
	}
	if (sa->conn->mobike && mobike_meets_nat(sa, p))
		return verdict_close(N_UNEXPECTED_NAT_DETECTED, 0,
				     "the peer forbids NATs and there is one");
	forbidden = forbidden_child(sa, p);
	if (forbidden)
		return verdict_close(N_INVALID_SYNTAX, 0, forbidden);
	encode_id(reply, PAYLOAD_IDR, &sa->local_id);
	auth_encode_certs(sa, reply);
	if (auth_build(sa, reply, &msg)) {
		snprintf(sa->why, sizeof(sa->why), "%s", msg.text);
		return verdict_close(N_AUTHENTICATION_FAILED, 0, sa->why);
	}
	if (sa->conn->unique != UNIQUE_NEVER && has_notify(p, N_INITIAL_CONTACT))
		forget_predecessors(sa);
	mobike_read_auth(sa, p);
	established(sa, now);
	answer_child(sa, p, reply, now);
	mobike_encode_auth(sa, reply);
	reauth_encode_lifetime(sa, now, reply);
	handshake_done(sa);
	return verdict_reply("authenticated");
}
