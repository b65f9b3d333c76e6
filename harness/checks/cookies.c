/* cookies.c - a responder that asks for a cookie keeps nothing, and gets it back as it gave it.
 *
 *	HDR(A,0), SAi1, KEi, Ni -------------->
 *	       <-------------- HDR(A,0), N(COOKIE)		no SPI of its own, nothing else
 *	HDR(A,0), N(COOKIE), SAi1, KEi, Ni --->			first payload; all else as before
 *	       <-------------- HDR(A,B), SAr1, KEr, Nr */
#include <string.h>

#include "harness/checks/internal.h"
#include "vpn/wire/payload.h"

#define COOKIE_MAX 64 /* RFC 7296 §2.6 */

static bool same_octets(struct view a, struct view b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static bool is_init(const struct ike_msg *m, bool request)
{
	return m->hdr.exchange == IKE_SA_INIT && m->request == request && m->outer;
}

/* The last message of the kind before i, of the same SA and at the same place. */
static size_t find_before(const struct facts *f, size_t i, bool request, bool with_cookie)
{
	const struct ike_msg *m = &f->ike[i];
	struct payload_notify n;

	while (i-- > 0) {
		const struct ike_msg *b = &f->ike[i];

		if (is_init(b, request) && b->hdr.spi_i == m->hdr.spi_i &&
		    f->frames[b->frame].place == f->frames[m->frame].place &&
		    (!with_cookie || payloads_find_notify(b->outer, N_COOKIE, &n)))
			return i;
	}
	return FACT_NONE;
}

static bool is_cookie(const struct ike_payload *p)
{
	struct payload_notify n;

	return p->type == PAYLOAD_NOTIFY && payload_notify_decode(p->body, &n) == 0 &&
	       n.type == N_COOKIE;
}

/* Payload by payload, cookies left out. */
static bool same_but_for_cookies(const struct ike_payloads *a, const struct ike_payloads *b)
{
	size_t i = 0, k = 0;

	for (;;) {
		i += i < a->n && is_cookie(&a->v[i]);
		k += k < b->n && is_cookie(&b->v[k]);
		if (i == a->n || k == b->n)
			return i == a->n && k == b->n;
		if (a->v[i].type != b->v[k].type || !same_octets(a->v[i].body, b->v[k].body))
			return false;
		i++;
		k++;
	}
}

static void judge_demand(struct check_result *r, const struct ike_msg *m, struct view cookie)
{
	if (cookie.len < 1 || cookie.len > COOKIE_MAX)
		check_fault(r, m->frame, "a cookie of %zu octets; it has 1 to %d", cookie.len,
			    COOKIE_MAX);
	if (m->hdr.spi_r != 0)
		check_fault(r, m->frame,
			    "a cookie is asked for with a responder's SPI: an SA stands already");
	if (ike_payload_find(m->outer, PAYLOAD_SA, 0) || ike_payload_find(m->outer, PAYLOAD_KE, 0))
		check_fault(r, m->frame, "a cookie is asked for, and the SA made all the same");
}

static void judge_return(const struct facts *f, struct check_result *r, size_t i,
			 struct view cookie)
{
	const struct ike_msg *m = &f->ike[i];
	size_t demand = find_before(f, i, false, true), before = find_before(f, i, true, false);
	struct payload_notify given;

	if (!is_cookie(&m->outer->v[0]))
		check_fault(r, m->frame, "the cookie is not the first payload");
	if (demand == FACT_NONE) {
		check_note(r, m->frame, "a cookie that nobody was seen to ask for");
		return;
	}
	if (payloads_find_notify(f->ike[demand].outer, N_COOKIE, &given) &&
	    !same_octets(given.data, cookie)) {
		check_fault(r, m->frame, "another cookie than was given");
		check_fault_frame(r, f->ike[demand].frame);
	}
	if (before != FACT_NONE && !same_but_for_cookies(m->outer, f->ike[before].outer)) {
		check_fault(r, m->frame, "more than the cookie differs from the request before");
		check_fault_frame(r, f->ike[before].frame);
	}
}

void check_cookies(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i, demands = 0, returns = 0;
	struct payload_notify n;

	(void)p;
	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->hdr.exchange != IKE_SA_INIT || !m->outer || m->outer->n == 0 ||
		    m->retransmission_of != FACT_NONE ||
		    !payloads_find_notify(m->outer, N_COOKIE, &n))
			continue;
		r->examined++;
		if (m->request) {
			returns++;
			judge_return(f, r, i, n.data);
		} else {
			demands++;
			judge_demand(r, m, n.data);
		}
	}
	check_conclude(r, "nobody asked for a cookie",
		       "%zu cookie%s asked for, %zu given back unchanged", demands, plural(demands),
		       returns);
}
