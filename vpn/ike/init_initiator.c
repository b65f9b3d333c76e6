/* init_initiator.c - IKE_SA_INIT as initiator (RFC 7296 §1.2, §2.6, §2.6.1, §2.7, §2.10).
 *
 * COOKIE and INVALID_KE_PAYLOAD make us send again, with the same nonce and, for a cookie, the same
 * KE (§2.6); both answers are unauthenticated, so their number is limited. An error notify ends the
 * attempt at once: nothing is established yet that a forger could destroy, and only who sees our
 * SPI can forge it (§2.21.1). The address and ports that carried the answer say whether there is a
 * NAT; with one, we go on from port 4500 (§2.23). */
#include "vpn/ike/init.h"

#include "vpn/ike/auth.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/init_common.h"
#include "vpn/ike/natd.h"
#include "vpn/ike/report.h"

static void encode_cookie(const struct handshake *h, struct ike_builder *b)
{
	if (h->cookie_len)
		payload_notify_simple(b, N_COOKIE, (struct view){h->cookie, h->cookie_len});
}

static void encode_proposals(const struct ike_conn *conn, struct ike_builder *b)
{
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};

	proposal_offer(&conn->proposals, 0, NULL, 0, &list);
	payload_sa_encode(b, &list);
}

static int send_init(struct ike_sa *sa, uint64_t now)
{
	struct handshake *h = sa->handshake;
	struct ike_header hdr = {
	    .spi_i = sa->spi_i, .exchange = IKE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_message(buf, sizeof(buf), &hdr);
	struct view message;

	encode_cookie(h, &b);
	encode_proposals(sa->conn, &b);
	payload_ke_encode(&b, h->group, ke_public(h->ke));
	payload_nonce_encode(&b, nonce_view(&h->ni));
	natd_encode(&b, sa->spi_i, 0, &sa->local, &sa->remote, sa->conn->encap);
	init_encode_extensions(sa, &b);
	message = (struct view){buf, ike_builder_finish(&b)};
	if (!message.len || octets_set(&h->message_i, message))
		return ERR_SPACE;
	return exchange_send_clear(sa, message, now);
}

static int make_ke(struct ike_sa *sa, uint16_t group)
{
	struct ike_env *env = &sa->engine->env;
	struct handshake *h = sa->handshake;
	struct ke *ke;
	int err = ke_new(group, env->random, env->ctx, &ke);

	if (err)
		return err;
	ke_free(h->ke);
	h->ke = ke;
	h->group = group;
	return 0;
}

int init_begin(struct ike_sa *sa, uint64_t now)
{
	char to[IP_ADDR_STRLEN];
	int err = nonce_make(sa->engine, &sa->handshake->ni);

	if (!err)
		err = make_ke(sa, proposal_first_ke(&sa->conn->proposals));
	if (err)
		return err;
	ike_sa_set_state(sa, IKE_CONNECTING, "initiated");
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "initiating IKE_SA %s[%u] to %s",
		   sa->conn->name, sa->id, ip_addr_format(&sa->remote.addr, to, sizeof(to)));
	return send_init(sa, now);
}

static void fail(struct ike_sa *sa, uint16_t notify, const char *why)
{
	ike_sa_destroy(sa, notify ? CAUSE_PEER : CAUSE_ERROR, notify, why);
}

static void send_again(struct ike_sa *sa, uint64_t now)
{
	if (++sa->handshake->retries > LIMIT_INIT_RETRIES) {
		fail(sa, 0, "the responder keeps asking for another IKE_SA_INIT");
		return;
	}
	if (send_init(sa, now))
		fail(sa, 0, "IKE_SA_INIT could not be sent");
}

static void take_cookie(struct ike_sa *sa, struct view cookie, uint64_t now)
{
	struct handshake *h = sa->handshake;

	if (!cookie.len || cookie.len > LIMIT_COOKIE_LEN) {
		fail(sa, N_COOKIE, "the responder's cookie has an illegal length");
		return;
	}
	memcpy(h->cookie, cookie.p, cookie.len);
	h->cookie_len = cookie.len;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "the responder asks for a cookie");
	send_again(sa, now);
}

static void take_group(struct ike_sa *sa, struct view data, uint64_t now)
{
	struct reader r = rd_init(data.p, data.len);
	uint16_t group = rd_u16(&r);

	/* RFC 7296 §1.2: only a group of our own proposals; the same one again would loop. */
	if (!rd_done(&r) || group == sa->handshake->group ||
	    !proposal_has_ke(&sa->conn->proposals, group) || make_ke(sa, group)) {
		fail(sa, N_INVALID_KE_PAYLOAD,
		     "the responder wants a key exchange group that we did not offer");
		return;
	}
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "the responder wants key exchange group %u",
		   group);
	send_again(sa, now);
}

static const char *refusal(uint16_t notify)
{
	switch (notify) {
	case N_NO_PROPOSAL_CHOSEN:
		return "the responder accepts none of our IKE proposals (NO_PROPOSAL_CHOSEN)";
	case N_INVALID_SYNTAX:
		return "the responder could not read our IKE_SA_INIT (INVALID_SYNTAX)";
	case N_INVALID_MAJOR_VERSION:
		return "the responder does not speak IKEv2 (INVALID_MAJOR_VERSION)";
	default:
		return "the responder refused our IKE_SA_INIT";
	}
}

/* True if a notify has decided what happens. */
static bool take_notifies(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	struct payload_notify n;
	size_t i;

	if (payloads_find_notify(p, N_COOKIE, &n)) {
		take_cookie(sa, n.data, now);
		return true;
	}
	for (i = 0; i < p->n; i++) {
		if (p->v[i].type != PAYLOAD_NOTIFY || payload_notify_decode(p->v[i].body, &n) ||
		    n.type >= N_FIRST_STATUS)
			continue;
		if (n.type == N_INVALID_KE_PAYLOAD)
			take_group(sa, n.data, now);
		else
			fail(sa, n.type, refusal(n.type));
		return true;
	}
	return false;
}

static void float_ports(struct ike_sa *sa)
{
	const struct ike_options *opt = &sa->engine->opt;

	/* RFC 4555 §3.3: with MOBIKE always, for a NAT may come later. */
	if (!ike_sa_encap(sa) && !(sa->natt && sa->conn->mobike))
		return;
	if (sa->remote.port == sa->conn->remote_port && sa->remote.port != opt->port_natt)
		sa->remote.port = sa->remote.port == opt->port ? opt->port_natt : sa->remote.port;
	sa->local.port = opt->port_natt;
}

void init_response(struct ike_sa *sa, const struct ike_header *hdr, const struct ike_payloads *p,
		   struct view datagram, const struct endpoint *local,
		   const struct endpoint *remote, uint64_t now)
{
	struct handshake *h = sa->handshake;
	struct init_said said;

	/* A retry is a new request with the same message ID 0 (RFC 7296 §2.6). */
	if (take_notifies(sa, p, now))
		return;
	if (!hdr->spi_r || !init_decode(p, &said)) {
		fail(sa, N_INVALID_SYNTAX, "the IKE_SA_INIT response is malformed");
		return;
	}
	if (said.proposals.n != 1 || !proposal_is_answer(&sa->conn->proposals, &said.v[0], 0)) {
		fail(sa, N_NO_PROPOSAL_CHOSEN,
		     "the responder chose a proposal that we did not offer");
		return;
	}
	if (said.ke.group != h->group || proposal_suite(&said.v[0]).ke != h->group) {
		fail(sa, N_INVALID_KE_PAYLOAD,
		     "the responder's key exchange group is not the one it chose");
		return;
	}
	sa->spi_r = hdr->spi_r;
	nonce_copy(&h->nr, said.nonce);
	if (octets_set(&h->message_r, datagram) || init_derive_keys(sa, &said.v[0], said.ke.data)) {
		fail(sa, 0, "the responder's key exchange value is invalid");
		return;
	}
	sa->local.addr = local->addr;
	exchange_take_request(sa);
	init_read_extensions(sa, p);
	init_apply_natd(sa, p, sa->spi_r, local, remote);
	float_ports(sa);
	auth_begin(sa, now);
}
