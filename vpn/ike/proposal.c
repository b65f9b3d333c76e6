/* proposal.c - choosing between proposals (RFC 7296 §2.7, §3.3.6), and how they read to a person.
 */
#include "vpn/ike/proposal.h"

#include <stdio.h>
#include <string.h>

#include "vpn/crypto/alg.h"

static const uint8_t types[] = {TRANSFORM_ENCR, TRANSFORM_PRF, TRANSFORM_INTEG, TRANSFORM_KE,
				TRANSFORM_ESN};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

/* NONE (0) counts as absent, except for ESN, where 0 is "no ESN". */
static bool is_absent(const struct transform *t)
{
	return t->id == 0 && t->type != TRANSFORM_ESN;
}

static bool has_type(const struct proposal *p, uint8_t type)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type && !is_absent(&p->transforms[i]))
			return true;
	return false;
}

static bool allows_none(const struct proposal *p, uint8_t type)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type && is_absent(&p->transforms[i]))
			return true;
	return !has_type(p, type);
}

static bool has_transform(const struct proposal *p, const struct transform *t)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++) {
		const struct transform *o = &p->transforms[i];

		if (o->type == t->type && o->id == t->id && o->key_bits == t->key_bits &&
		    !o->unusable)
			return true;
	}
	return false;
}

static bool select_type(const struct proposal *own, const struct proposal *peer, uint8_t type,
			struct proposal *chosen)
{
	struct transform no_esn = {.type = TRANSFORM_ESN};
	uint8_t i;

	/* RFC 7296 §3.3.3: ESN is mandatory in ESP proposals; old peers leave it out and mean "no".
	 */
	if (type == TRANSFORM_ESN && !has_type(peer, type)) {
		if (own->protocol != PROTOCOL_ESP)
			return true;
		return has_transform(own, &no_esn);
	}
	for (i = 0; i < own->n_transforms; i++) {
		const struct transform *t = &own->transforms[i];

		if (t->type == type && !is_absent(t) && has_transform(peer, t)) {
			chosen->transforms[chosen->n_transforms++] = *t;
			return true;
		}
	}
	return allows_none(own, type) && allows_none(peer, type);
}

/* A transform type that we do not know cannot be satisfied (RFC 7296 §3.3.6). */
static bool only_known_types(const struct proposal *p)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (!memchr(types, p->transforms[i].type, N_TYPES) && !is_absent(&p->transforms[i]))
			return false;
	return true;
}

static bool match(const struct proposal *own, const struct proposal *peer, unsigned flags,
		  struct proposal *ret_chosen)
{
	struct proposal chosen = {
	    .number = peer->number, .protocol = peer->protocol, .spi_len = peer->spi_len};
	size_t i;

	if (own->protocol != peer->protocol || !only_known_types(peer))
		return false;
	for (i = 0; i < N_TYPES; i++) {
		if (types[i] == TRANSFORM_KE && flags & PROPOSAL_SKIP_KE)
			continue;
		if (!select_type(own, peer, types[i], &chosen))
			return false;
	}
	memcpy(chosen.spi, peer->spi, sizeof(chosen.spi));
	*ret_chosen = chosen;
	return true;
}

bool proposal_select(const struct proposal_list *own, const struct proposal_list *peer,
		     unsigned flags, struct proposal *ret_chosen)
{
	uint8_t i, j;

	for (i = 0; i < own->n; i++)
		for (j = 0; j < peer->n; j++)
			if (match(&own->v[i], &peer->v[j], flags, ret_chosen))
				return true;
	return false;
}

bool proposal_is_answer(const struct proposal_list *offered, const struct proposal *answer,
			unsigned flags)
{
	struct proposal chosen;
	uint8_t i, j;

	for (i = 0; i < answer->n_transforms; i++)
		for (j = 0; j < i; j++)
			if (answer->transforms[i].type == answer->transforms[j].type)
				return false;
	for (i = 0; i < offered->n; i++)
		if (offered->v[i].number == answer->number &&
		    match(&offered->v[i], answer, flags, &chosen))
			return true;
	return false;
}

struct suite proposal_suite(const struct proposal *chosen)
{
	struct suite s = {0};
	uint8_t i;

	for (i = 0; i < chosen->n_transforms; i++) {
		const struct transform *t = &chosen->transforms[i];

		switch (t->type) {
		case TRANSFORM_ENCR:
			s.encr = t->id;
			s.encr_bits = t->key_bits;
			break;
		case TRANSFORM_PRF:
			s.prf = t->id;
			break;
		case TRANSFORM_INTEG:
			s.integ = t->id;
			break;
		case TRANSFORM_KE:
			s.ke = t->id;
			break;
		case TRANSFORM_ESN:
			s.esn = t->id == 1;
			break;
		}
	}
	return s;
}

uint16_t proposal_first_ke(const struct proposal_list *list)
{
	uint8_t i, j;

	for (i = 0; i < list->n; i++)
		for (j = 0; j < list->v[i].n_transforms; j++)
			if (list->v[i].transforms[j].type == TRANSFORM_KE &&
			    !is_absent(&list->v[i].transforms[j]))
				return list->v[i].transforms[j].id;
	return 0;
}

bool proposal_has_ke(const struct proposal_list *list, uint16_t group)
{
	struct transform t = {.type = TRANSFORM_KE, .id = group};
	uint8_t i;

	for (i = 0; i < list->n; i++)
		if (has_transform(&list->v[i], &t))
			return true;
	return false;
}

void proposal_offer(const struct proposal_list *src, unsigned flags, const uint8_t *spi,
		    uint8_t spi_len, struct proposal_list *ret_list)
{
	uint8_t i, j;

	ret_list->n = src->n;
	for (i = 0; i < src->n; i++) {
		struct proposal *p = &ret_list->v[i];

		*p = src->v[i];
		p->number = (uint8_t)(i + 1);
		p->spi_len = spi_len;
		if (spi_len)
			memcpy(p->spi, spi, spi_len);
		p->n_transforms = 0;
		for (j = 0; j < src->v[i].n_transforms; j++)
			if (!(flags & PROPOSAL_SKIP_KE) ||
			    src->v[i].transforms[j].type != TRANSFORM_KE)
				p->transforms[p->n_transforms++] = src->v[i].transforms[j];
	}
}

static void append(char *buf, size_t cap, const char *sep, const char *text)
{
	size_t len = strlen(buf);

	if (len < cap)
		snprintf(buf + len, cap - len, "%s%s", len ? sep : "", text);
}

static void format_one(const struct proposal *p, char *buf, size_t cap)
{
	char name[64];
	size_t i;
	uint8_t j;

	buf[0] = '\0';
	for (i = 0; i < N_TYPES; i++)
		for (j = 0; j < p->n_transforms; j++)
			if (p->transforms[j].type == types[i])
				append(buf, cap, "/",
				       alg_format((enum transform_type)types[i],
						  p->transforms[j].id, p->transforms[j].key_bits,
						  name, sizeof(name)));
}

const char *proposal_list_format(const struct proposal_list *list, char *buf, size_t cap)
{
	uint8_t i;

	buf[0] = '\0';
	for (i = 0; i < list->n; i++) {
		char one[512];
		char full[560];

		format_one(&list->v[i], one, sizeof(one));
		snprintf(full, sizeof(full), "%s:%s",
			 list->v[i].protocol == PROTOCOL_IKE ? "IKE" : "ESP", one);
		append(buf, cap, ", ", full);
	}
	return buf;
}
