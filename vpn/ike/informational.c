/* informational.c - the INFORMATIONAL exchange (RFC 7296 §1.4, §1.4.1, §2.4), both roles.
 *
 * Deleting a Child SA: each side deletes its own inbound SPI; the answer names the other half of
 * the pair, unless both requests crossed (§1.4.1). Deleting the IKE SA: the answer is empty and
 * everything below goes with it. */
#include "vpn/ike/informational.h"

#include "vpn/ike/child_sa.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/mobike.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/rekey_child.h"
#include "vpn/ike/rekey_ike.h"
#include "vpn/ike/report.h"

static int send_request(struct ike_sa *sa, const struct ike_builder *b, struct task *task,
			uint64_t now)
{
	return exchange_send_request(sa, INFORMATIONAL, b, REQUEST_TASK, task, now);
}

int informational_delete_child(struct ike_sa *sa, struct task *task, uint64_t now)
{
	struct child_sa *child = child_sa_find(sa, task->child_id);
	uint8_t buf[64];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	uint32_t spi = child && child->state != CHILD_DELETED ? child->spi_in : task->spi;

	if (!spi)
		return ERR_NOT_FOUND;
	payload_delete_encode(&b, PROTOCOL_ESP, &spi, 1);
	if (child && child->state != CHILD_DELETED)
		child_sa_set_state(sa, child, CHILD_DELETING, "deleted by us");
	return send_request(sa, &b, task, now);
}

int informational_delete_ike(struct ike_sa *sa, struct task *task, uint64_t now)
{
	uint8_t buf[64];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));

	payload_delete_encode(&b, PROTOCOL_IKE, NULL, 0);
	ike_sa_set_state(sa, IKE_DELETING, "deleted by us");
	return send_request(sa, &b, task, now);
}

int informational_liveness(struct ike_sa *sa, struct task *task, uint64_t now)
{
	uint8_t buf[128];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));

	mobike_encode_liveness(sa, &b);
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "sending liveness check");
	return send_request(sa, &b, task, now);
}

int informational_auth_failed(struct ike_sa *sa, struct task *task, uint64_t now)
{
	uint8_t buf[64];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));

	payload_notify_simple(&b, N_AUTHENTICATION_FAILED, (struct view){0});
	return send_request(sa, &b, task, now);
}

void informational_child_deleted(struct ike_sa *sa, const struct task *task, uint64_t now)
{
	struct child_sa *child = child_sa_find(sa, task->child_id);

	if (child && child->state != CHILD_DELETED)
		child_sa_retire(sa, child, child->superseded ? CAUSE_REPLACED : CAUSE_LOCAL,
				"deleted by us", now);
}

/* Deletes what the peer names by its inbound SPIs; our halves go to spis. */
static size_t delete_children(struct ike_sa *sa, const struct payload_delete *d, uint32_t *spis,
			      size_t max, uint64_t now)
{
	size_t i, n = 0;

	for (i = 0; i < d->n_spis && n < max; i++) {
		struct child_sa *child = child_sa_by_outbound_spi(sa, payload_delete_spi(d, i));

		if (!child)
			continue;
		/* RFC 7296 §1.4.1: if our own delete is on its way, ours is not named again. */
		if (child->state != CHILD_DELETING)
			spis[n++] = child->spi_in;
		rekey_child_conceded(sa, child);
		child_sa_retire(sa, child, child->superseded ? CAUSE_REPLACED : CAUSE_PEER,
				"deleted by the peer", now);
	}
	return n;
}

static const char *peer_error(const struct ike_payloads *p, uint16_t *ret_notify)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_AUTHENTICATION_FAILED, &n)) {
		*ret_notify = n.type;
		return "the peer rejects our authentication (AUTHENTICATION_FAILED)";
	}
	return NULL;
}

struct verdict informational_request(struct ike_sa *sa, const struct ike_payloads *p,
				     struct ike_builder *reply, uint64_t now)
{
	uint32_t spis[64];
	size_t i, n = 0;
	uint16_t notify;
	const char *why = peer_error(p, &notify);

	if (why)
		return verdict_close(0, notify, why);
	mobike_request(sa, p, reply, now);
	for (i = 0; i < p->n; i++) {
		struct payload_delete d;

		if (p->v[i].type != PAYLOAD_DELETE)
			continue;
		if (payload_delete_decode(p->v[i].body, &d))
			return verdict_notify(N_INVALID_SYNTAX, "DELETE is malformed");
		if (d.protocol == PROTOCOL_IKE)
			return verdict_close(0, 0, "deleted by the peer");
		if (d.protocol != PROTOCOL_ESP)
			continue;
		rekey_ike_used(sa, now);
		n += delete_children(sa, &d, spis + n, sizeof(spis) / sizeof(spis[0]) - n, now);
	}
	reauth_read_lifetime(sa, p, now);
	if (n)
		payload_delete_encode(reply, PROTOCOL_ESP, spis, n);
	return verdict_reply("informational");
}
