/* fake_engine.h - an IKE engine that does nothing but write down what it was asked, for tests of
 * the node: the test says which events happen and which SAs there are. Defines all of
 * vpn/ike/engine.h's functions, so it must not be linked with the real one's object. */
#ifndef VPN_TESTS_FAKE_ENGINE_H
#define VPN_TESTS_FAKE_ENGINE_H

#include <string.h>

#include "vpn/ike/engine.h"

#define FAKE_MAX 16

struct fake_initiate {
	char conn[32], child[32];
	struct endpoint local, remote;
	uint64_t now;
};

struct fake_sa {
	struct ike_sa_info ike;
	struct child_sa_info child[2];
	size_t n_children;
};

static struct fake_engine {
	struct ike_env env;
	struct fake_initiate initiates[FAKE_MAX];
	unsigned n_initiates;
	bool has_packet; /* the last one was for a packet */
	struct ike_action actions[FAKE_MAX];
	unsigned n_actions, next_action;
	uint32_t ended_ike[FAKE_MAX], ended_child[FAKE_MAX];
	unsigned n_ended_ike, n_ended_child;
	uint32_t rekeyed_ike, rekeyed_child, limited_child;
	struct fake_sa sas[4];
	size_t n_sas;
} fake;

static inline void fake_event(enum ike_event_kind kind, enum ike_cause cause, uint32_t ike_id,
			      struct ike_conn *conn, const char *child)
{
	struct ike_action *a = &fake.actions[fake.n_actions++];

	*a = (struct ike_action){.type = IKE_ACTION_EVENT, .ike_id = ike_id};
	a->event = (struct ike_event){.kind = kind, .cause = cause, .have_ike = true, .text = ""};
	a->event.ike.id = ike_id;
	a->event.ike.conn = conn;
	a->event.have_child = child != NULL;
	if (child)
		a->event.child.cfg = ike_conn_find_child(conn, child);
}

static inline void fake_sa_up(uint32_t ike_id, struct ike_conn *conn, uint32_t child_id,
			      const char *child)
{
	struct fake_sa *sa = &fake.sas[fake.n_sas++];

	*sa = (struct fake_sa){.ike = {.id = ike_id, .conn = conn, .state = IKE_ESTABLISHED}};
	if (!child)
		return;
	sa->n_children = 1;
	sa->child[0] = (struct child_sa_info){
	    .id = child_id, .state = CHILD_INSTALLED, .cfg = ike_conn_find_child(conn, child)};
}

struct ike_engine *ike_engine_new(const struct ike_env *env, const struct ike_options *options)
{
	(void)options;
	fake = (struct fake_engine){.env = *env};
	return (struct ike_engine *)&fake;
}

void ike_engine_free(struct ike_engine *e)
{
	(void)e;
}

void ike_engine_log_keys(struct ike_engine *e, bool on)
{
	(void)e;
	(void)on;
}

void ike_engine_input(struct ike_engine *e, const struct endpoint *local,
		      const struct endpoint *remote, struct view datagram, uint64_t now)
{
	(void)e;
	(void)local;
	(void)remote;
	(void)datagram;
	(void)now;
}

const struct ike_action *ike_engine_next_action(struct ike_engine *e)
{
	(void)e;
	if (fake.next_action < fake.n_actions)
		return &fake.actions[fake.next_action++];
	fake.n_actions = fake.next_action = 0;
	return NULL;
}

uint64_t ike_engine_next_deadline(const struct ike_engine *e)
{
	(void)e;
	return UINT64_MAX;
}

void ike_engine_expire(struct ike_engine *e, uint64_t now)
{
	(void)e;
	(void)now;
}

void ike_engine_peer_moved(struct ike_engine *e, uint32_t spi, const struct endpoint *remote,
			   uint64_t now)
{
	(void)e;
	(void)spi;
	(void)remote;
	(void)now;
}

int ike_engine_initiate(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
			const struct endpoint *local, const struct endpoint *remote, uint64_t now,
			uint32_t *ret_ike_id)
{
	struct fake_initiate *i = &fake.initiates[fake.n_initiates % FAKE_MAX];

	(void)e;
	*i = (struct fake_initiate){.local = *local, .remote = *remote, .now = now};
	strncpy(i->conn, conn->name, sizeof(i->conn) - 1);
	if (child)
		strncpy(i->child, child->name, sizeof(i->child) - 1);
	*ret_ike_id = ++fake.n_initiates;
	return 0;
}

int ike_engine_acquire(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
		       const struct ts_packet *packet, const struct endpoint *local,
		       const struct endpoint *remote, uint64_t now, uint32_t *ret_ike_id)
{
	fake.has_packet = packet != NULL;
	return ike_engine_initiate(e, conn, child, local, remote, now, ret_ike_id);
}

int ike_engine_terminate_ike(struct ike_engine *e, uint32_t ike_id, bool force, uint64_t now)
{
	(void)e;
	(void)force;
	(void)now;
	fake.ended_ike[fake.n_ended_ike++] = ike_id;
	return 0;
}

int ike_engine_terminate_child(struct ike_engine *e, uint32_t child_id, bool force, uint64_t now)
{
	(void)e;
	(void)force;
	(void)now;
	fake.ended_child[fake.n_ended_child++] = child_id;
	return 0;
}

int ike_engine_rekey_ike(struct ike_engine *e, uint32_t ike_id, uint64_t now)
{
	(void)e;
	(void)now;
	fake.rekeyed_ike = ike_id;
	return 0;
}

int ike_engine_rekey_child(struct ike_engine *e, uint32_t child_id, uint64_t now)
{
	(void)e;
	(void)now;
	fake.rekeyed_child = child_id;
	return 0;
}

int ike_engine_sa_limit(struct ike_engine *e, uint32_t child_id, bool hard, uint64_t now)
{
	(void)e;
	(void)hard;
	(void)now;
	fake.limited_child = child_id;
	return 0;
}

void ike_engine_install_failed(struct ike_engine *e, uint32_t child_id, const char *why,
			       uint64_t now)
{
	(void)e;
	(void)child_id;
	(void)why;
	(void)now;
}

bool ike_engine_sa(const struct ike_engine *e, size_t i, struct ike_sa_info *ret_info)
{
	(void)e;
	if (i >= fake.n_sas)
		return false;
	*ret_info = fake.sas[i].ike;
	return true;
}

bool ike_engine_sa_by_id(const struct ike_engine *e, uint32_t ike_id, struct ike_sa_info *ret_info)
{
	size_t i;

	for (i = 0; ike_engine_sa(e, i, ret_info); i++) {
		if (ret_info->id == ike_id)
			return true;
	}
	return false;
}

bool ike_engine_child(const struct ike_engine *e, uint32_t ike_id, size_t i,
		      struct child_sa_info *ret_info)
{
	size_t sa;

	(void)e;
	for (sa = 0; sa < fake.n_sas; sa++) {
		if (fake.sas[sa].ike.id == ike_id && i < fake.sas[sa].n_children) {
			*ret_info = fake.sas[sa].child[i];
			return true;
		}
	}
	return false;
}

int ike_engine_reauth(struct ike_engine *e, uint32_t ike_id, uint64_t now)
{
	(void)e;
	(void)ike_id;
	(void)now;
	return ERR_STATE;
}

void ike_engine_network_changed(struct ike_engine *e, uint64_t now)
{
	(void)e;
	(void)now;
}

size_t ike_engine_half_open(const struct ike_engine *e)
{
	(void)e;
	return 0;
}

#endif
