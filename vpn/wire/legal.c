/* legal.c - the legality table (RFC 7296 §1.2, §1.3, §1.4, appendix C).
 *
 * Payloads that are absent from the table have no business in that message. Notifies and vendor IDs
 * may stand anywhere any number of times. Required counts are not asked for if an error notify says
 * why they are missing, nor in IKE_SA_INIT responses that only carry COOKIE (RFC 7296 §2.6). */
#include "vpn/wire/legal.h"

#include "vpn/wire/payload.h"

enum place { OUTSIDE = 1, INSIDE = 2 };
enum side { REQUEST = 1, RESPONSE = 2, BOTH = 3 };

static const struct rule {
	uint8_t exchange;
	uint8_t side;
	uint8_t place;
	uint8_t payload;
	uint8_t min;
	uint8_t max;
} rules[] = {
    {IKE_SA_INIT, BOTH, OUTSIDE, PAYLOAD_SA, 1, 1},
    {IKE_SA_INIT, BOTH, OUTSIDE, PAYLOAD_KE, 1, 1},
    {IKE_SA_INIT, BOTH, OUTSIDE, PAYLOAD_NONCE, 1, 1},
    {IKE_SA_INIT, RESPONSE, OUTSIDE, PAYLOAD_CERTREQ, 0, 16},

    {IKE_AUTH, BOTH, OUTSIDE, PAYLOAD_SK, 1, 1},
    {IKE_AUTH, BOTH, OUTSIDE, PAYLOAD_SKF, 0, 1},
    {IKE_AUTH, REQUEST, INSIDE, PAYLOAD_IDI, 1, 1},
    {IKE_AUTH, RESPONSE, INSIDE, PAYLOAD_IDR, 1, 1},
    {IKE_AUTH, REQUEST, INSIDE, PAYLOAD_IDR, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_CERT, 0, 16},
    {IKE_AUTH, REQUEST, INSIDE, PAYLOAD_CERTREQ, 0, 16},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_AUTH, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_CP, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_EAP, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_SA, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_TSI, 0, 1},
    {IKE_AUTH, BOTH, INSIDE, PAYLOAD_TSR, 0, 1},

    {CREATE_CHILD_SA, BOTH, OUTSIDE, PAYLOAD_SK, 1, 1},
    {CREATE_CHILD_SA, BOTH, OUTSIDE, PAYLOAD_SKF, 0, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_SA, 1, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_NONCE, 1, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_KE, 0, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_TSI, 0, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_TSR, 0, 1},
    {CREATE_CHILD_SA, BOTH, INSIDE, PAYLOAD_CP, 0, 1},

    {INFORMATIONAL, BOTH, OUTSIDE, PAYLOAD_SK, 1, 1},
    {INFORMATIONAL, BOTH, OUTSIDE, PAYLOAD_SKF, 0, 1},
    {INFORMATIONAL, BOTH, INSIDE, PAYLOAD_DELETE, 0, 16},
    {INFORMATIONAL, BOTH, INSIDE, PAYLOAD_CP, 0, 1},
};

static bool is_known(uint8_t type)
{
	switch (type) {
#define X(name, value, text, ref) case value:
		IKE_PAYLOADS(X)
#undef X
		return true;
	default:
		return false;
	}
}

static const struct rule *find_rule(uint8_t exchange, uint8_t side, uint8_t place, uint8_t payload)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].exchange == exchange && rules[i].side & side &&
		    rules[i].place == place && rules[i].payload == payload)
			return &rules[i];
	return NULL;
}

static bool excuses_absence(const struct ike_payloads *p, bool response)
{
	struct payload_notify n;
	size_t i;

	if (!response)
		return false;
	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    (n.type < N_FIRST_STATUS || n.type == N_COOKIE))
			return true;
	return false;
}

static size_t count(const struct ike_payloads *p, uint8_t type)
{
	size_t i, n = 0;

	for (i = 0; i < p->n; i++)
		n += p->v[i].type == type;
	return n;
}

/* RFC 7383 §2.5: a fragment stands in the place of SK. */
static size_t count_present(const struct ike_payloads *p, uint8_t type)
{
	return count(p, type) + (type == PAYLOAD_SK ? count(p, PAYLOAD_SKF) : 0);
}

static enum legal_verdict check_one(const struct ike_payloads *p, const struct ike_payload *one,
				    const struct rule *rule)
{
	if (!is_known(one->type))
		return one->critical ? LEGAL_CRITICAL : LEGAL_OK;
	if (one->type == PAYLOAD_NOTIFY || one->type == PAYLOAD_VENDOR)
		return LEGAL_OK;
	if (!rule)
		return LEGAL_ALIEN;
	return count(p, one->type) > rule->max ? LEGAL_REPEATED : LEGAL_OK;
}

enum legal_verdict legal_check(const struct ike_payloads *p, uint8_t exchange, bool response,
			       bool outside, uint8_t *ret_type)
{
	uint8_t side = response ? RESPONSE : REQUEST;
	uint8_t place = outside ? OUTSIDE : INSIDE;
	size_t i;

	for (i = 0; i < p->n; i++) {
		enum legal_verdict v =
		    check_one(p, &p->v[i], find_rule(exchange, side, place, p->v[i].type));

		*ret_type = p->v[i].type;
		if (v != LEGAL_OK)
			return v;
	}
	if (excuses_absence(p, response))
		return LEGAL_OK;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		*ret_type = rules[i].payload;
		if (rules[i].exchange == exchange && rules[i].side & side &&
		    rules[i].place == place && count_present(p, rules[i].payload) < rules[i].min)
			return LEGAL_MISSING;
	}
	return LEGAL_OK;
}

const char *legal_verdict_name(enum legal_verdict v)
{
	static const char *const names[] = {"legal", "missing", "repeated", "unknown and critical",
					    "not allowed here"};

	return names[v];
}
