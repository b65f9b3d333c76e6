/* select.c - which connection a peer may use.
 *
 * IKE_SA_INIT shows addresses alone, IKE_AUTH the identities (RFC 7296 §2.15, §3.5: IDr is the
 * initiator's wish). A connection that fits the addresses only loosely can still be the one that
 * fits the identity, so the choice is made anew at IKE_AUTH among all that fit. */
#include "vpn/ike/select.h"

#include "vpn/crypto/alg.h"

#include "vpn/ike/auth_method.h"

static int host_score(const struct host_spec *hosts, size_t n, const struct ip_addr *addr)
{
	int best = n ? 0 : 1;
	size_t i;

	for (i = 0; i < n; i++) {
		int score;

		if (!host_spec_matches(&hosts[i], addr))
			continue;
		score = !ip_addr_is_set(&hosts[i].lo)		 ? 1
			: ip_addr_eq(&hosts[i].lo, &hosts[i].hi) ? 3
								 : 2;
		if (score > best)
			best = score;
	}
	return best;
}

static int address_score(const struct ike_conn *conn, const struct endpoint *local,
			 const struct endpoint *remote)
{
	int l = host_score(conn->local_addrs, conn->n_local_addrs, &local->addr);
	int r = host_score(conn->remote_addrs, conn->n_remote_addrs, &remote->addr);

	return l && r ? 4 * r + l : 0;
}

/* Insertion keeps equal scores in their order. */
static void insert(struct candidates *c, int *scores, struct ike_conn *conn, int score)
{
	size_t i;

	if (c->n == CANDIDATES_MAX)
		return;
	for (i = c->n; i > 0 && scores[i - 1] < score; i--) {
		c->v[i] = c->v[i - 1];
		scores[i] = scores[i - 1];
	}
	c->v[i] = conn;
	scores[i] = score;
	c->n++;
}

void select_by_address(struct ike_engine *e, const struct endpoint *local,
		       const struct endpoint *remote, struct candidates *ret_candidates)
{
	int scores[CANDIDATES_MAX];
	struct ike_conn *conn;
	size_t i;

	ret_candidates->n = 0;
	for (i = 0; (conn = e->env.conn(e->env.ctx, i)) != NULL; i++) {
		int score = address_score(conn, local, remote);

		if (score)
			insert(ret_candidates, scores, conn, score);
	}
}

static bool allows_suite(const struct ike_conn *conn, const struct suite *suite)
{
	struct proposal p = {.protocol = PROTOCOL_IKE};
	struct proposal_list peer = {1, &p};
	struct proposal chosen;

	p.transforms[p.n_transforms++] = (struct transform){
	    .type = TRANSFORM_ENCR, .id = suite->encr, .key_bits = suite->encr_bits};
	p.transforms[p.n_transforms++] =
	    (struct transform){.type = TRANSFORM_PRF, .id = suite->prf};
	if (suite->integ)
		p.transforms[p.n_transforms++] =
		    (struct transform){.type = TRANSFORM_INTEG, .id = suite->integ};
	p.transforms[p.n_transforms++] = (struct transform){.type = TRANSFORM_KE, .id = suite->ke};
	return proposal_select(&conn->proposals, &peer, 0, &chosen);
}

static int identity_score(const struct ike_sa *sa, const struct ike_conn *conn,
			  const struct identity *idi, const struct identity *idr)
{
	struct identity mine = {0};
	int remote = identity_match(idi, &conn->remote.id);
	int local = 1;

	if (!remote || !allows_suite(conn, &sa->suite))
		return 0;
	if (idr && !auth_local_identity(sa, conn, &mine)) {
		local = identity_match(&mine, idr);
		identity_clear(&mine);
	}
	return local ? 16 * remote + local : 0;
}

void select_by_identity(struct ike_sa *sa, const struct identity *idi, const struct identity *idr,
			struct candidates *ret_candidates)
{
	int scores[CANDIDATES_MAX];
	struct candidates all;
	size_t i;

	ret_candidates->n = 0;
	select_by_address(sa->engine, &sa->local, &sa->remote, &all);
	for (i = 0; i < all.n; i++) {
		int score = identity_score(sa, all.v[i], idi, idr);

		if (score)
			insert(ret_candidates, scores, all.v[i], score);
	}
}
