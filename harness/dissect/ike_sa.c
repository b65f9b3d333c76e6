/* ike_sa.c - IKE SAs as the messages show them: made by IKE_SA_INIT and IKE_AUTH or by a rekeying,
 * ended by a Delete or by a refusal (RFC 7296 §1.2, §1.3.2, §1.4.1).
 *
 * An IKE_SA_INIT request names no responder SPI: the SA is known by its initiator SPI until a
 * response with an SA payload gives the other. Responses to it that only carry a notify (COOKIE,
 * INVALID_KE_PAYLOAD) change nothing, and the nonce is that of the last request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/crypto/alg.h"
#include "vpn/wire/payload.h"

int ike_sa_add(struct dissector *d, uint64_t spi_i, uint64_t spi_r, size_t *ret_sa)
{
	struct ike_sa_fact *sa = ARRAY_ADD(d->f->ike_sas, d->f->n_ike_sas);
	struct ike_ciphers *c = sa ? ARRAY_ADD(d->ciphers, d->n_ciphers) : NULL;

	if (!c)
		return ERR_NOMEM;
	sa->spi_i = spi_i;
	sa->spi_r = spi_r;
	sa->key = sa->rekeyed_from = FACT_NONE;
	sa->init_msg = sa->established_msg = sa->delete_msg = sa->deleted_msg = FACT_NONE;
	*ret_sa = d->f->n_ike_sas - 1;
	c->before = map_get(&d->sas, spi_i);
	return map_put(&d->sas, spi_i, *ret_sa);
}

/* The last one made is the one spoken of. A flood has as many SAs as messages. */
static size_t find_sa(const struct dissector *d, uint64_t spi_i, uint64_t spi_r, bool init)
{
	size_t i;

	for (i = map_get(&d->sas, spi_i); i != FACT_NONE; i = d->ciphers[i].before) {
		const struct ike_sa_fact *sa = &d->f->ike_sas[i];

		if (sa->spi_r == spi_r || (init && (!sa->spi_r || !spi_r)))
			return i;
	}
	return FACT_NONE;
}

int ike_find_sa(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	struct ike_msg *m = &f->ike[i];
	bool init = m->hdr.exchange == IKE_SA_INIT;
	size_t sa = find_sa(d, m->hdr.spi_i, m->hdr.spi_r, init);
	int err;

	/* Without both SPIs, and outside IKE_SA_INIT, it belongs to no SA (RFC 7296 §1.5). */
	if (sa == FACT_NONE && !init && (!m->hdr.spi_i || !m->hdr.spi_r))
		return 0;
	if (sa == FACT_NONE) {
		err = ike_sa_add(d, m->hdr.spi_i, m->hdr.spi_r, &sa);
		if (err)
			return err;
		f->ike_sas[sa].init_msg = init ? i : FACT_NONE;
		f->ike_sas[sa].addr_i =
		    m->from_initiator ? f->frames[m->frame].src : f->frames[m->frame].dst;
		f->ike_sas[sa].addr_r =
		    m->from_initiator ? f->frames[m->frame].dst : f->frames[m->frame].src;
	}
	f->ike[i].ike_sa = sa;
	return 0;
}

bool first_proposal(const struct ike_payloads *p, struct proposal *ret_proposal)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_SA, 0);
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};

	if (!payload || payload_sa_decode(payload->body, &list) || !list.n)
		return false;
	*ret_proposal = v[0];
	return true;
}

void suite_of(const struct proposal *p, struct ike_suite *ret_suite)
{
	size_t i;

	*ret_suite = (struct ike_suite){0};
	for (i = 0; i < p->n_transforms; i++) {
		const struct transform *t = &p->transforms[i];

		switch (t->type) {
		case TRANSFORM_ENCR:
			ret_suite->encr = t->id;
			ret_suite->encr_bits = t->key_bits;
			break;
		case TRANSFORM_PRF:
			ret_suite->prf = t->id;
			break;
		case TRANSFORM_INTEG:
			ret_suite->integ = t->id;
			break;
		case TRANSFORM_KE:
			ret_suite->ke = t->id;
			break;
		default:
			break;
		}
	}
}

static struct view nonce_of(const struct ike_payloads *p)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_NONCE, 0);
	struct view nonce = {NULL, 0};

	if (payload && payload_nonce_decode(payload->body, &nonce))
		nonce = (struct view){NULL, 0};
	return nonce;
}

static bool has_error(const struct ike_payloads *p, uint16_t *ret_type)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type < N_FIRST_STATUS) {
			*ret_type = n.type;
			return true;
		}
	return false;
}

static int on_init(struct dissector *d, size_t i)
{
	const struct ike_msg *m = &d->f->ike[i];
	struct ike_sa_fact *sa = &d->f->ike_sas[m->ike_sa];
	struct proposal p;
	uint16_t error = 0;

	if (sa->spi_r || !m->outer)
		return 0;
	if (m->request) {
		sa->ni = nonce_of(m->outer);
	} else if (first_proposal(m->outer, &p)) {
		sa->spi_r = m->hdr.spi_r;
		sa->nr = nonce_of(m->outer);
		suite_of(&p, &sa->suite);
		sa->have_suite = true;
	} else if (has_error(m->outer, &error) && error != N_INVALID_KE_PAYLOAD) {
		sa->end = IKE_SA_FAILED;
		sa->delete_msg = i;
	}
	return 0;
}

static void take_identity(const struct ike_payloads *p, uint8_t type, char *text, size_t cap)
{
	const struct ike_payload *payload = ike_payload_find(p, type, 0);
	char described[120], *name;

	if (!payload || text[0])
		return;
	ike_payload_describe(payload, described, sizeof(described));
	name = strchr(described, ' '); /* behind "IDi" */
	snprintf(text, cap, "%s", name ? name + 1 : described);
}

static void on_auth(struct dissector *d, size_t i)
{
	const struct ike_msg *m = &d->f->ike[i];
	struct ike_sa_fact *sa = &d->f->ike_sas[m->ike_sa];
	uint16_t error = 0;

	if (!m->inner)
		return;
	take_identity(m->inner, PAYLOAD_IDI, sa->id_i, sizeof(sa->id_i));
	if (m->request)
		return;
	take_identity(m->inner, PAYLOAD_IDR, sa->id_r, sizeof(sa->id_r));
	if (sa->established_msg != FACT_NONE || sa->end != IKE_SA_OPEN)
		return;
	/* RFC 7296 §2.21.2: a response with AUTH makes the IKE SA, even if the child failed. */
	if (ike_payload_find(m->inner, PAYLOAD_AUTH, 0)) {
		sa->established_msg = i;
	} else if (has_error(m->inner, &error)) {
		sa->end = IKE_SA_FAILED;
		sa->delete_msg = i;
	}
}

static bool deletes_ike_sa(const struct ike_payloads *p)
{
	struct payload_delete del;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_DELETE && !payload_delete_decode(p->v[i].body, &del) &&
		    del.protocol == PROTOCOL_IKE)
			return true;
	return false;
}

/* An initiator that rejects the responder's AUTH says so in a request of its own (RFC 7296
 * §2.21.2). */
static void on_informational(struct dissector *d, size_t i)
{
	const struct ike_msg *m = &d->f->ike[i];
	struct ike_sa_fact *sa = &d->f->ike_sas[m->ike_sa];
	uint16_t error = 0;

	if (!m->inner)
		return;
	if (!m->request) {
		if (sa->delete_msg != FACT_NONE && sa->deleted_msg == FACT_NONE &&
		    m->hdr.message_id == d->f->ike[sa->delete_msg].hdr.message_id &&
		    m->from_initiator != d->f->ike[sa->delete_msg].from_initiator)
			sa->deleted_msg = i;
		return;
	}
	if (sa->end != IKE_SA_OPEN)
		return;
	if (deletes_ike_sa(m->inner))
		sa->end = IKE_SA_DELETED;
	else if (has_error(m->inner, &error) && error == N_AUTHENTICATION_FAILED)
		sa->end = IKE_SA_FAILED;
	else
		return;
	sa->delete_msg = i;
}

static uint64_t spi64(const struct proposal *p)
{
	struct reader r = rd_init(p->spi, p->spi_len);

	return p->spi_len == 8 ? rd_u64(&r) : 0;
}

/* RFC 7296 §1.3.2, §2.18: the rekeyed SA's initiator is the one of this exchange. */
static int on_rekey(struct dissector *d, size_t i)
{
	struct facts *f = d->f;
	const struct ike_msg *m = &f->ike[i], *req;
	struct proposal offered, chosen;
	struct ike_sa_fact *sa;
	size_t at;

	if (m->request || !m->inner || m->request_of == FACT_NONE)
		return 0;
	req = &f->ike[m->request_of];
	if (!req->inner || !first_proposal(m->inner, &chosen) || chosen.protocol != PROTOCOL_IKE ||
	    !first_proposal(req->inner, &offered))
		return 0;
	if (find_sa(d, spi64(&offered), spi64(&chosen), false) != FACT_NONE)
		return 0;
	if (ike_sa_add(d, spi64(&offered), spi64(&chosen), &at))
		return ERR_NOMEM;
	sa = &f->ike_sas[at];
	suite_of(&chosen, &sa->suite);
	sa->have_suite = true;
	sa->rekeyed_from = m->ike_sa;
	sa->ni = nonce_of(req->inner);
	sa->nr = nonce_of(m->inner);
	sa->established_msg = i;
	sa->addr_i = f->frames[req->frame].src;
	sa->addr_r = f->frames[req->frame].dst;
	return 0;
}

int ike_follow(struct dissector *d, size_t i)
{
	const struct ike_msg *m = &d->f->ike[i];

	if (m->ike_sa == FACT_NONE)
		return 0;
	switch (m->hdr.exchange) {
	case IKE_SA_INIT:
		return on_init(d, i);
	case IKE_AUTH:
		on_auth(d, i);
		return 0;
	case CREATE_CHILD_SA:
		return on_rekey(d, i);
	case INFORMATIONAL:
		on_informational(d, i);
		return 0;
	default:
		return 0;
	}
}
