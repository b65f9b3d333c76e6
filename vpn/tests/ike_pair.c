/* ike_pair.c - the fixture behind ike_pair.h. */
#include "vpn/tests/ike_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/proto.h"

static int pair_random(void *ctx, uint8_t *buf, size_t n)
{
	struct pair *p = ((struct side *)ctx)->pair;
	size_t i;

	for (i = 0; i < n; i++) {
		p->seed = p->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		buf[i] = (uint8_t)(p->seed >> 56);
	}
	if (n == 32 && p->draws && *p->draws)
		buf[0] = *p->draws++;
	return 0;
}

static int64_t pair_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return (int64_t)(1800000000 + now / SECOND);
}

static bool side_source(void *ctx, const struct ike_conn *conn, const struct ip_addr *remote,
			const struct ip_addr *current, struct ip_addr *ret_local)
{
	struct side *s = ctx;

	(void)conn;
	(void)remote;
	(void)current;
	*ret_local = s->has_addrs ? s->route : s->here.addr;
	return ip_addr_is_set(ret_local);
}

static bool has_address(const struct side *s, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < s->n_addrs; i++)
		if (ip_addr_eq(&s->addrs[i], addr))
			return true;
	return false;
}

static bool side_has(void *ctx, const struct ip_addr *addr)
{
	return has_address(ctx, addr);
}

static bool side_addr(void *ctx, size_t i, struct ip_addr *ret_addr)
{
	struct side *s = ctx;

	if (i < s->n_addrs)
		*ret_addr = s->addrs[i];
	return i < s->n_addrs;
}

void pair_set_addresses(struct side *s, const char *const *addrs, size_t n)
{
	size_t i;

	s->has_addrs = true;
	s->n_addrs = 0;
	s->route = (struct ip_addr){0};
	for (i = 0; i < n; i++)
		if (*addrs[i])
			assert_int_equal(ip_addr_parse(addrs[i], &s->addrs[s->n_addrs++]), 0);
	if (*addrs[0])
		s->route = s->here.addr = s->addrs[0];
	ike_engine_network_changed(s->engine, s->pair->now);
}

static struct ike_conn *side_conn(void *ctx, size_t i)
{
	struct side *s = ctx;

	return i < s->n_conns ? s->conns[i] : NULL;
}

static int side_shared_key(void *ctx, const struct identity *local, const struct identity *remote,
			   uint8_t *secret, size_t *ret_len)
{
	struct side *s = ctx;

	(void)local;
	(void)remote;
	if (!s->psk)
		return ERR_NOT_FOUND;
	*ret_len = strlen(s->psk);
	memcpy(secret, s->psk, *ret_len);
	return 0;
}

static struct privkey *side_key(void *ctx, const struct cert *cert)
{
	struct side *s = ctx;

	return s->key_cert && cert_eq(s->key_cert, cert) ? s->key : NULL;
}

static struct cert *side_cert(void *ctx, size_t i)
{
	struct side *s = ctx;

	return i < 4 ? s->certs[i] : NULL;
}

static struct cert *side_ca(void *ctx, size_t i)
{
	(void)ctx;
	(void)i;
	return NULL;
}

static bool side_stats(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats)
{
	const struct side *s = ctx;
	const struct ipsec_sa *sa = pair_sa(s, spi);

	if (!sa || sa->inbound != inbound)
		return false;
	*ret_stats = (struct ipsec_sa_stats){.last_use = s->last_use};
	return true;
}

struct ike_options pair_options(void)
{
	struct ike_options opt;

	ike_options_default(&opt);
	return opt;
}

void pair_set_options(struct side *s, const struct ike_options *opt)
{
	struct ike_env env = {.ctx = s,
			      .random = pair_random,
			      .wall = pair_wall,
			      .conn = side_conn,
			      .shared_key = side_shared_key,
			      .private_key = side_key,
			      .cert = side_cert,
			      .ca = side_ca,
			      .sa_stats = side_stats,
			      .source_for = side_source,
			      .has_addr = side_has,
			      .local_addr = side_addr};

	ike_engine_free(s->engine);
	s->engine = ike_engine_new(&env, opt);
	assert_non_null(s->engine);
	ike_engine_log_keys(s->engine, true);
}

static void side_init(struct pair *p, struct side *s, const char *name, const char *addr)
{
	struct ike_options opt = pair_options();

	s->pair = p;
	s->name = name;
	assert_int_equal(ip_addr_parse(addr, &s->here.addr), 0);
	s->here.port = IKE_PORT;
	s->psk = "secret";
	pair_set_options(s, &opt);
}

struct pair *pair_new(uint64_t seed)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->seed = seed;
	p->now = SECOND;
	p->nat_port = 1024;
	side_init(p, &p->a, "a", "10.0.0.1");
	side_init(p, &p->b, "b", "192.0.2.2");
	return p;
}

static void side_free(struct side *s)
{
	size_t i;

	ike_engine_free(s->engine);
	for (i = 0; i < s->n_conns; i++)
		ike_conn_unref(s->conns[i]);
	for (i = 0; i < 4; i++)
		cert_unref(s->certs[i]);
	for (i = 0; i < s->n_sas; i++)
		ipsec_sa_clear(&s->sas[i]);
	privkey_unref(s->key);
	cert_unref(s->key_cert);
}

void pair_free(struct pair *p)
{
	side_free(&p->a);
	side_free(&p->b);
	free(p);
}

static struct ts_list ts_list_of(const char *text)
{
	struct ts_list list = {0};
	char copy[256], *save, *one;
	struct err_msg msg;
	struct ts ts;

	snprintf(copy, sizeof(copy), "%s", text);
	for (one = strtok_r(copy, ", ", &save); one; one = strtok_r(NULL, ", ", &save)) {
		assert_int_equal(ts_parse(one, &ts, &msg), 0);
		assert_int_equal(ts_list_add(&list, &ts), 0);
	}
	return list;
}

void pair_add_child(struct ike_conn *conn, const char *name, const char *local_ts,
		    const char *remote_ts, const char *esp, enum ipsec_mode mode)
{
	struct child_cfg *child = ike_conn_add_child(conn, name);
	struct err_msg msg;

	assert_non_null(child);
	child->local_ts = ts_list_of(local_ts);
	child->remote_ts = ts_list_of(remote_ts);
	child->mode = mode;
	if (proposal_parse(PROTOCOL_ESP, esp, &child->proposals, &msg))
		fail_msg("%s", msg.text);
}

struct ike_conn *pair_conn(const struct pair_conn *c)
{
	struct ike_conn *conn = ike_conn_new(c->name);
	struct err_msg msg;

	assert_non_null(conn);
	if (proposal_parse(PROTOCOL_IKE, c->ike, &conn->proposals, &msg))
		fail_msg("%s", msg.text);
	if (c->local_id)
		assert_int_equal(identity_parse(c->local_id, &conn->local.id, &msg), 0);
	if (c->remote_id)
		assert_int_equal(identity_parse(c->remote_id, &conn->remote.id, &msg), 0);
	conn->local.auth = conn->remote.auth = c->auth;
	conn->encap = c->encap;
	conn->mobike = c->mobike;
	conn->dpd_delay = c->dpd_delay;
	pair_add_child(conn, "net", c->local_ts, c->remote_ts, c->esp, c->mode);
	return conn;
}

void pair_default(struct pair *p, struct pair_conn *ret_a, struct pair_conn *ret_b)
{
	(void)p;
	*ret_a = (struct pair_conn){.name = "home",
				    .local_id = "a.example",
				    .remote_id = "b.example",
				    .ike = "chacha20poly1305-sha384-curve25519",
				    .esp = "chacha20poly1305-sha384-curve25519",
				    .auth = AUTH_CLASS_PSK,
				    .local_ts = "10.1.0.0/16",
				    .remote_ts = "10.2.0.0/16"};
	*ret_b = *ret_a;
	ret_b->name = "road";
	ret_b->local_id = "b.example";
	ret_b->remote_id = "a.example";
	ret_b->local_ts = "10.2.0.0/16";
	ret_b->remote_ts = "10.1.0.0/16";
}

void pair_configure(struct pair *p, const struct pair_conn *a, const struct pair_conn *b)
{
	p->a.conns[p->a.n_conns++] = pair_conn(a);
	p->b.conns[p->b.n_conns++] = pair_conn(b);
}

static struct side *other(struct pair *p, struct side *s)
{
	return s == &p->a ? &p->b : &p->a;
}

/* What a sender says, as the receiver sees it. */
static void translate(struct pair *p, const struct side *from, struct datagram *d)
{
	if (!p->nat)
		return;
	if (from == &p->a) {
		if (d->from.addr.b[0] != 10)
			return;
		assert_int_equal(ip_addr_parse("198.51.100.9", &d->from.addr), 0);
		d->from.port = (uint16_t)(p->nat_port + (d->at.port == IKE_NATT_PORT));
	} else if (d->at.addr.b[0] == 198) {
		assert_int_equal(ip_addr_parse("10.0.0.1", &d->at.addr), 0);
		d->at.port = d->from.port;
	}
}

static void transmit(struct side *s, const struct ike_action *a)
{
	struct pair *p = s->pair;
	struct datagram d = {.to = other(p, s), .from = a->send.local, .at = a->send.remote};

	assert_in_range(a->send.datagram.len, IKE_HEADER_LEN, sizeof(d.octets));
	d.len = a->send.datagram.len;
	memcpy(d.octets, a->send.datagram.p, d.len);
	translate(p, s, &d);
	p->last = d;
	p->n_sent++;
	if (p->wire && p->wire(p, &d) == WIRE_DROP)
		return;
	assert_in_range(p->n_queued, 0, PAIR_QUEUE - 1);
	p->queue[p->n_queued++] = d;
}

static void install(struct side *s, const struct ipsec_sa *sa)
{
	assert_in_range(s->n_sas, 0, PAIR_SAS - 1);
	assert_null(pair_sa(s, sa->spi));
	assert_int_equal(ipsec_sa_copy(sa, &s->sas[s->n_sas++]), 0);
}

static void uninstall(struct side *s, uint32_t spi)
{
	size_t i;

	for (i = 0; i < s->n_sas; i++) {
		if (s->sas[i].spi != spi)
			continue;
		ipsec_sa_clear(&s->sas[i]);
		s->sas[i] = s->sas[--s->n_sas];
		return;
	}
	fail_msg("removal of an SA that is not installed: %08x", spi);
}

static void update(struct side *s, const struct ike_action *a)
{
	size_t i;

	for (i = 0; i < s->n_sas; i++)
		if (s->sas[i].child_id == a->update.child_id) {
			s->sas[i].local = a->update.local;
			s->sas[i].remote = a->update.remote;
			s->sas[i].encap = a->update.encap;
		}
}

static void note_event(struct side *s, const struct ike_event *ev)
{
	struct pair_event *e;

	assert_in_range(s->n_events, 0, PAIR_EVENTS - 1);
	e = &s->events[s->n_events++];
	e->kind = ev->kind;
	e->cause = ev->cause;
	e->notify = ev->notify;
	snprintf(e->text, sizeof(e->text), "%s", ev->text);
	if (ev->have_child)
		snprintf(e->child, sizeof(e->child), "%s", ev->child.cfg->name);
}

static void drain(struct side *s)
{
	const struct ike_action *a;

	while ((a = ike_engine_next_action(s->engine)) != NULL) {
		switch (a->type) {
		case IKE_ACTION_SEND:
			transmit(s, a);
			break;
		case IKE_ACTION_KEEPALIVE:
			s->n_keepalives++;
			break;
		case IKE_ACTION_SA_INSTALL:
			install(s, a->install);
			break;
		case IKE_ACTION_SA_REMOVE:
			uninstall(s, a->remove.spi);
			break;
		case IKE_ACTION_SA_UPDATE:
			update(s, a);
			break;
		case IKE_ACTION_EVENT:
			note_event(s, &a->event);
			break;
		case IKE_ACTION_KEYS:
			s->n_keys++;
			break;
		case IKE_ACTION_LOG:
			if (getenv("PAIR_LOG"))
				printf("%s: %s\n", s->name, a->log.text);
			break;
		default:
			fail_msg("an action that the engine never queues");
		}
	}
}

static void deliver(struct pair *p, const struct datagram *d)
{
	struct endpoint at = d->at;

	if (!d->to->has_addrs)
		at.addr = d->to->here.addr;
	else if (!has_address(d->to, &at.addr))
		return;
	ike_engine_input(d->to->engine, &at, &d->from, (struct view){d->octets, d->len}, p->now);
	drain(d->to);
}

void pair_pull(struct pair *p)
{
	drain(&p->a);
	drain(&p->b);
}

bool pair_step(struct pair *p)
{
	struct datagram d;

	pair_pull(p);
	if (!p->n_queued)
		return false;
	d = p->queue[0];
	memmove(p->queue, p->queue + 1, --p->n_queued * sizeof(p->queue[0]));
	deliver(p, &d);
	return true;
}

void pair_settle(struct pair *p)
{
	while (pair_step(p))
		;
}

void pair_run_until(struct pair *p, uint64_t until)
{
	for (;;) {
		uint64_t a = ike_engine_next_deadline(p->a.engine);
		uint64_t b = ike_engine_next_deadline(p->b.engine);
		uint64_t next = a < b ? a : b;

		if (next > until)
			break;
		p->now = next;
		ike_engine_expire(p->a.engine, p->now);
		ike_engine_expire(p->b.engine, p->now);
		pair_settle(p);
	}
	p->now = until;
}

void pair_inject(struct pair *p, struct side *to, const struct endpoint *from, const void *octets,
		 size_t len)
{
	uint8_t copy[4096];

	assert_in_range(len, 0, sizeof(copy));
	memcpy(copy, octets, len);
	ike_engine_input(to->engine, &to->here, from, (struct view){copy, len}, p->now);
	drain(to);
}

int pair_initiate(struct pair *p, struct side *from, const char *child)
{
	struct ike_conn *conn = from->conns[0];
	struct endpoint to = other(p, from)->here;
	uint32_t id;
	int err;

	if (p->nat && from == &p->b)
		assert_int_equal(ip_addr_parse("198.51.100.9", &to.addr), 0);
	err =
	    ike_engine_initiate(from->engine, conn, child ? ike_conn_find_child(conn, child) : NULL,
				&from->here, &to, p->now, &id);
	pair_settle(p);
	return err;
}

const struct pair_event *pair_find_event(const struct side *s, enum ike_event_kind kind)
{
	size_t i;

	for (i = 0; i < s->n_events; i++)
		if (s->events[i].kind == kind)
			return &s->events[i];
	return NULL;
}

size_t pair_count_events(const struct side *s, enum ike_event_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_events; i++)
		n += s->events[i].kind == kind;
	return n;
}

const struct ipsec_sa *pair_sa(const struct side *s, uint32_t spi)
{
	size_t i;

	for (i = 0; i < s->n_sas; i++)
		if (s->sas[i].spi == spi)
			return &s->sas[i];
	return NULL;
}

size_t pair_ike_count(const struct side *s)
{
	struct ike_sa_info info;
	size_t n = 0;

	while (ike_engine_sa(s->engine, n, &info))
		n++;
	return n;
}

size_t pair_child_count(const struct side *s)
{
	struct child_sa_info child;
	struct ike_sa_info info;
	size_t i, k, n = 0;

	for (i = 0; ike_engine_sa(s->engine, i, &info); i++)
		for (k = 0; ike_engine_child(s->engine, info.id, k, &child); k++)
			n++;
	return n;
}

static void assert_mirrored(const struct ipsec_sa *out, const struct ipsec_sa *in)
{
	assert_non_null(in);
	assert_true(in->inbound != out->inbound);
	assert_int_equal(in->key_len, out->key_len);
	assert_memory_equal(in->key, out->key, in->key_len);
	assert_true(ts_list_eq(&in->remote_ts, &out->local_ts));
	assert_true(ts_list_eq(&in->local_ts, &out->remote_ts));
	assert_int_equal(in->mode, out->mode);
	assert_int_equal(in->encap, out->encap);
}

void pair_assert_agree(struct pair *p, size_t n)
{
	size_t i;

	assert_int_equal(pair_child_count(&p->a), n);
	assert_int_equal(pair_child_count(&p->b), n);
	assert_int_equal(p->a.n_sas, 2 * n);
	assert_int_equal(p->b.n_sas, 2 * n);
	for (i = 0; i < p->a.n_sas; i++)
		assert_mirrored(&p->a.sas[i], pair_sa(&p->b, p->a.sas[i].spi));
}

struct ike_header pair_header(const struct datagram *d)
{
	struct ike_header hdr;

	assert_int_equal(ike_header_decode((struct view){d->octets, d->len}, &hdr), 0);
	return hdr;
}
