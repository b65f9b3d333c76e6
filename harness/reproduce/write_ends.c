/* write_ends.c - the two ends: daemons, their options, and swanctl.conf, in which each has what the
 * capture shows and the lever changes. */
#include <string.h>

#include "harness/reproduce/write.h"
#include "vpn/crypto/alg.h"

/* A run is for looking at: what a daemon waits for is cut down to this. */
#define TIMEOUT_MAX_MS 500
#define TRIES_MIN      3
#define TRIES_MAX      6

struct end {
	bool initiator;
	const char *node, *id, *certificate, *other_id;
	const char *conn, *args, *peer;
};

static bool takes_network(const struct writing *w)
{
	return w->l->flags & LEVER_NETWORK_OK;
}

/* As often as it takes to get through what the wire drops. */
static unsigned tries(const struct writing *w)
{
	unsigned n = w->p->tries ? w->p->tries : 4;
	size_t i;

	for (i = 0; i < w->p->n_lost; i++)
		if (w->p->lost[i].count >= n)
			n = w->p->lost[i].count + 1;
	if (n < TRIES_MIN)
		return TRIES_MIN;
	return n > TRIES_MAX && !takes_network(w) ? TRIES_MAX : n;
}

/* Keep-alives as often as in the capture, where the lever does not say. */
static void write_args(const struct writing *w, const struct end *e, unsigned timeout_ms)
{
	fprintf(w->out,
		"    beetd_args: [--retransmit-timeout, \"%u.%03u\", --retransmit-tries, \"%u\"",
		timeout_ms / 1000, timeout_ms % 1000, tries(w));
	if (e->args)
		fputs(e->args, w->out);
	else if (e->initiator && w->p->keepalive_ms >= 1000)
		fprintf(w->out, ", --keepalive, \"%u\"", w->p->keepalive_ms / 1000);
	fputs("]\n", w->out);
}

static void write_daemon(const struct writing *w, const struct end *e)
{
	unsigned ms = w->p->timeout_ms;

	if (!ms || ms > TIMEOUT_MAX_MS)
		ms = TIMEOUT_MAX_MS;
	if (e->peer)
		fprintf(w->out, "    peer: %s\n", e->peer);
	write_args(w, e, ms);
	fprintf(w->out,
		"    strongswan_conf: |\n"
		"      retransmit_timeout = %u.%03u\n"
		"      retransmit_tries = %u\n",
		ms / 1000, ms % 1000, tries(w));
}

static void write_list(FILE *out, const char (*texts)[IP_ADDR_STRLEN + 4], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "", texts[i]);
}

static void write_inner(const struct writing *w, const struct end *e)
{
	const struct selectors *own = e->initiator ? &w->p->asked_i : &w->p->got_r;
	const struct selectors *other = e->initiator ? &w->p->asked_r : &w->p->got_i;
	bool devices = w->l->flags & LEVER_DEVICES, lan = w->l->flags & LEVER_LAN;

	if (lan && e->initiator && !devices)
		return;
	fputs("    inner: [{", w->out);
	if (devices)
		fputs("interface: xfrm1, ", w->out);
	fputs("addresses: [", w->out);
	write_list(w->out, own->inner, own->n);
	fputs("]", w->out);
	if (devices && lan && !e->initiator) {
		fputs(", routes: [192.168.1.0/24]", w->out);
	} else if (devices) {
		fputs(", routes: [", w->out);
		write_list(w->out, other->text, other->n);
		fputs("]", w->out);
	}
	fputs("}]\n", w->out);
}

static void write_auth(const struct writing *w, const struct end *e)
{
	bool certs = w->l->flags & LEVER_CERTIFICATES;

	fprintf(w->out,
		"          local {\n"
		"            auth = %s\n"
		"            id = \"%s\"\n",
		certs ? "pubkey" : "psk", e->id);
	if (certs)
		fprintf(w->out, "            certs = %s\n", e->certificate);
	fprintf(w->out,
		"          }\n"
		"          remote {\n"
		"            auth = %s\n"
		"            id = \"%s\"\n"
		"          }\n",
		certs ? "pubkey" : "psk", e->other_id);
}

/* One that shares no cipher with what was asked for. */
static const char *other_proposal(const char *asked, bool ike)
{
	if (strncmp(asked, "aes256gcm16", 11) != 0)
		return ike ? "aes256gcm16-prfsha384-ecp384" : "aes256gcm16";
	return ike ? "chacha20poly1305-prfsha256-curve25519" : "chacha20poly1305";
}

static void write_proposal(const struct writing *w, const char *key, const char *asked, bool other,
			   bool ike)
{
	static const char *const plain[] = {"aes128gcm16", "aes128gcm16-prfsha256-curve25519"};

	if (other && !asked[0])
		asked = plain[ike];
	fprintf(w->out, "%s = %s", key, asked);
}

static const char *group_keyword(uint16_t group)
{
	const struct alg *alg = alg_find(TRANSFORM_KE, group, 0);

	return alg ? alg->keyword : "curve25519";
}

/* Both name a cipher that they share; who asks for the rekeying has the group of the capture. */
static void write_group(const struct writing *w, const struct end *e)
{
	const char *esp = w->p->esp[0] ? w->p->esp : "aes128gcm16";
	const char *asked = group_keyword(w->p->rekey_group);
	bool asks = e->initiator != w->p->rekey_by_responder;

	fprintf(w->out, "              esp_proposals = %s-%s\n", esp,
		asks			       ? asked
		: strcmp(asked, "ecp384") == 0 ? "ecp256"
					       : "ecp384");
}

static void write_ike(const struct writing *w, const struct end *e)
{
	bool other = w->l->flags & LEVER_OTHER_IKE;

	if (!w->p->ike[0] && !other)
		return;
	if (other && !e->initiator)
		fprintf(w->out, "          proposals = %s", other_proposal(w->p->ike, true));
	else
		write_proposal(w, "          proposals", w->p->ike, other, true);
	fputc('\n', w->out);
}

static void write_esp(const struct writing *w, const struct end *e)
{
	bool other = w->l->flags & LEVER_OTHER_ESP;

	if (w->l->flags & LEVER_OTHER_GROUP) {
		write_group(w, e);
		return;
	}
	if (!w->p->esp[0] && !other)
		return;
	if (other && !e->initiator)
		fprintf(w->out, "              esp_proposals = %s",
			other_proposal(w->p->esp, false));
	else
		write_proposal(w, "              esp_proposals", w->p->esp, other, false);
	fputc('\n', w->out);
}

static void write_ts(const struct writing *w, const char *key, const struct selectors *s)
{
	fprintf(w->out, "              %s = ", key);
	write_list(w->out, s->text, s->n);
	fputc('\n', w->out);
}

static void write_initiators_ts(const struct writing *w, const struct end *e, const char *key)
{
	if (w->l->flags & LEVER_LAN)
		fprintf(w->out, "              %s = 192.168.1.0/24\n", key);
	else if (!e->initiator && (w->l->flags & LEVER_OTHER_TS))
		fprintf(w->out, "              %s = 100.64.9.0/24\n", key);
	else
		write_ts(w, key, e->initiator ? &w->p->asked_i : &w->p->got_i);
}

static void write_child(const struct writing *w, const struct end *e)
{
	fputs("          children {\n            net {\n", w->out);
	if (e->initiator) {
		write_initiators_ts(w, e, "local_ts");
		write_ts(w, "remote_ts", &w->p->asked_r);
	} else {
		write_ts(w, "local_ts", &w->p->got_r);
		write_initiators_ts(w, e, "remote_ts");
	}
	write_esp(w, e);
	if (w->p->beet && !(w->l->flags & LEVER_LAN))
		fputs("              mode = beet\n", w->out);
	if (w->l->responder_child && !e->initiator)
		fprintf(w->out, "              %s", w->l->responder_child);
	if (w->l->flags & LEVER_DEVICES)
		fputs("              if_id_in = 1\n              if_id_out = 1\n", w->out);
	fputs("            }\n          }\n", w->out);
}

static void write_secret(const struct writing *w, const struct end *e)
{
	bool other = (w->l->flags & LEVER_OTHER_SECRET) && !e->initiator;

	if (w->l->flags & LEVER_CERTIFICATES)
		return;
	fprintf(w->out,
		"      secrets {\n"
		"        ike-peer {\n"
		"          id = \"%s\"\n"
		"          secret = \"%s\"\n"
		"        }\n"
		"      }\n",
		e->other_id, other ? "another secret" : "a secret between the two of them");
}

static const char *peer_address(const struct writing *w, const struct end *e)
{
	if (e->initiator)
		return outer_address(w->p, false);
	if (!has_nat(w))
		return outer_address(w->p, true);
	return w->l->flags & LEVER_KNOWN_PEER ? "198.51.100.2" : "%any";
}

/* RFC 7296 §2.4: asked for as often as in the capture, where nothing hinges on it. */
static void write_liveness(const struct writing *w, const struct end *e)
{
	if (e->initiator && takes_network(w) && !e->conn && w->p->dpd_ms >= 1000)
		fprintf(w->out, "          dpd_delay = %us\n", w->p->dpd_ms / 1000);
}

static void write_config(const struct writing *w, const struct end *e)
{
	bool old = e->initiator && (w->l->flags & LEVER_IKEV1);

	fprintf(w->out,
		"    config: |\n"
		"      connections {\n"
		"        pair {\n"
		"          version = %d\n"
		"          local_addrs = %s\n"
		"          remote_addrs = %s\n"
		"          mobike = no\n",
		old ? 1 : 2, outer_address(w->p, e->initiator), peer_address(w, e));
	if (e->conn)
		fprintf(w->out, "          %s", e->conn);
	write_liveness(w, e);
	if (w->p->encap && !old)
		fputs("          encap = yes\n", w->out);
	if (!old)
		write_ike(w, e);
	write_auth(w, e);
	write_child(w, e);
	fputs("        }\n      }\n", w->out);
	write_secret(w, e);
}

static void write_end(const struct writing *w, const struct end *e)
{
	fprintf(w->out, "  - node: %s\n", e->node);
	write_inner(w, e);
	write_daemon(w, e);
	write_config(w, e);
}

void write_ends(const struct writing *w)
{
	bool certs = w->l->flags & LEVER_CERTIFICATES;
	struct end i = {.initiator = true,
			.node = "lab-gw",
			.id = certs ? "C=FR, O=inetdoc.net, CN=lab-gw" : "lab-gw.inetdoc.net",
			.certificate = "lab-gw-cert.pem",
			.other_id = certs ? "C=FR, O=inetdoc.net, CN=vps" : "vps.inetdoc.net",
			.conn = w->l->initiator_conn,
			.args = w->l->initiator_args,
			.peer = w->l->initiator_peer};
	struct end r = {.node = "vps",
			.certificate = "vps-cert.pem",
			.conn = w->l->responder_conn,
			.peer = w->l->responder_peer};

	if (w->l->initiator_id)
		i.id = w->l->initiator_id;
	r.id = i.other_id;
	r.other_id = i.id;
	fputs("endpoints:\n", w->out);
	write_end(w, &i);
	write_end(w, &r);
}
