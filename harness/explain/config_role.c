/* config_role.c - where a connection of the file stands in the captures.
 *
 * An IKE SA belongs to a connection if its addresses fit, and the role of the file's end follows
 * from which of them is whose; behind a NAT box only the other end's address says so. Where no role
 * fits, nothing is compared. */
#include "harness/explain/config_role.h"

/* %any has no address to begin with. */
static bool can_be(const struct conf_section *conn, const struct ip_addr *own,
		   const struct ip_addr *peer, bool initiator)
{
	enum config_match local = config_has_address(conn, "local_addrs", own);
	enum config_match remote = config_has_address(conn, "remote_addrs", peer);

	if (initiator)
		return remote == CONFIG_YES;
	return local == CONFIG_YES && remote != CONFIG_NO;
}

bool config_can_be(const struct conf_section *conn, const struct ike_sa_fact *sa, enum role role)
{
	return role == ROLE_INITIATOR ? can_be(conn, &sa->addr_i.addr, &sa->addr_r.addr, true)
				      : can_be(conn, &sa->addr_r.addr, &sa->addr_i.addr, false);
}

enum role config_role(const struct conf_section *conn, const struct ike_sa_fact *sa)
{
	bool initiator = config_can_be(conn, sa, ROLE_INITIATOR);
	bool responder = config_can_be(conn, sa, ROLE_RESPONDER);

	if (initiator == responder)
		return ROLE_NONE;
	return initiator ? ROLE_INITIATOR : ROLE_RESPONDER;
}

size_t config_init_response(const struct survey *s, const struct ike_sa_fact *sa)
{
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];

		if (m->ike_sa == (size_t)(sa - s->f.ike_sas) && !m->request && m->outer &&
		    m->hdr.exchange == IKE_SA_INIT && ike_payload_find(m->outer, PAYLOAD_SA, 0))
			return i;
	}
	return FACT_NONE;
}

/* The request behind a refusal, where it was opened; NULL. */
static const struct ike_msg *request_behind(const struct survey *s, const struct refusal_fact *r)
{
	const struct ike_msg *m = &s->f.ike[r->msg];
	const struct ike_msg *request =
	    m->request_of == FACT_NONE ? NULL : &s->f.ike[m->request_of];

	return request && request->inner && request->ike_sa != FACT_NONE ? request : NULL;
}

/* The one who was asked holds the file: its role, turned around if it is the IKE SA's initiator. */
static bool asks_file(const struct conf_section *conn, const struct survey *s,
		      const struct ike_msg *request)
{
	enum role role = config_role(conn, &s->f.ike_sas[request->ike_sa]);

	return role == (request->from_initiator ? ROLE_RESPONDER : ROLE_INITIATOR);
}

int config_for_each_refusal(const struct survey *s, struct findings *out, uint16_t notify,
			    config_request_fn *judge)
{
	const struct conf_section *conn;
	size_t i;
	int err = 0;

	for (i = 0; i < s->f.n_refusals; i++) {
		const struct ike_msg *request = request_behind(s, &s->f.refusals[i]);

		if (!request || s->f.refusals[i].notify != notify)
			continue;
		for (conn = config_conns(s->config); conn && !err; conn = conn->next)
			if (asks_file(conn, s, request))
				err = judge(s, out, request, conn);
	}
	return err;
}
