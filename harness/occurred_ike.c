/* occurred_ike.c - counts IKE messages, what they made, and what they refused. */
#include "harness/occurred_internal.h"
#include "vpn/wire/ike_numbers.h"
#include "vpn/wire/payload.h"
#include <string.h>

static bool has_notify(const struct count *c, const struct ike_msg *m)
{
	const char *wanted = count_param(c->e, "notify");
	const struct ike_payloads *p = ike_msg_payloads(m);
	const struct ike_payload *payload;
	struct payload_notify notify;
	char name[64];
	size_t i;

	for (i = 0; wanted && (payload = ike_payload_find(p, PAYLOAD_NOTIFY, i)); i++)
		if (payload_notify_decode(payload->body, &notify) == 0 &&
		    strcmp(ike_notify_name(notify.type, name, sizeof(name)), wanted) == 0)
			return true;
	return !wanted;
}

void count_messages(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (fits_place(c, m->frame) &&
		    fits(c, "kind", m->request ? "request" : "response") &&
		    fits(c, "exchange", ike_exchange_name(m->hdr.exchange, name, sizeof(name))) &&
		    fits(c, "from", m->from_initiator ? "initiator" : "responder") &&
		    has_notify(c, m))
			count_add(c, m->frame);
	}
}

void count_ike_fragments(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->fragments && fits_place(c, m->frame) &&
		    fits(c, "exchange", ike_exchange_name(m->hdr.exchange, name, sizeof(name))) &&
		    fits(c, "from", m->from_initiator ? "initiator" : "responder") &&
		    fits_number(c, "total", m->fragments))
			count_add(c, m->frame);
	}
}

void count_retransmissions(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].retransmission_of != FACT_NONE && fits_place(c, f->ike[i].frame))
			count_add(c, f->ike[i].frame);
}

void count_children(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct child_sa_fact *child = &f->children[i];

		if (fits(c, "mode", count_mode_text(child->mode)) &&
		    fits(c, "asked", count_mode_text(child->asked)))
			count_add(c, f->ike[child->response_msg != FACT_NONE ? child->response_msg
									     : child->request_msg]
					 .frame);
	}
}

void count_refusals(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_refusals; i++)
		if (fits(c, "notify", ike_notify_name(f->refusals[i].notify, name, sizeof(name))))
			count_add(c, f->ike[f->refusals[i].msg].frame);
}

void count_ike_sas(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++)
		if (f->ike_sas[i].established_msg != FACT_NONE)
			count_add(c, f->ike[f->ike_sas[i].established_msg].frame);
}

static bool is_answer(const struct ike_msg *m, const struct ike_msg *request)
{
	return !m->request && m->hdr.message_id == request->hdr.message_id &&
	       m->from_initiator != request->from_initiator;
}

/* A request of the other end's that passes a place between one and its answer: who answers at once
 * had sent it before. */
static bool is_crossed(const struct facts *f, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	size_t k;

	for (k = i + 1; k < f->n_ike; k++) {
		const struct ike_msg *other = &f->ike[k];

		if (other->ike_sa != m->ike_sa ||
		    f->frames[other->frame].place != f->frames[m->frame].place)
			continue;
		if (is_answer(other, m))
			return false;
		if (other->request && other->from_initiator != m->from_initiator)
			return true;
	}
	return false;
}

void count_crossed(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->request && m->ike_sa != FACT_NONE && m->retransmission_of == FACT_NONE &&
		    fits_place(c, m->frame) &&
		    fits(c, "exchange", ike_exchange_name(m->hdr.exchange, name, sizeof(name))) &&
		    is_crossed(f, i))
			count_add(c, m->frame);
	}
}
