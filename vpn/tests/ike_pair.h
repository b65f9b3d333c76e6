/* ike_pair.h - two engines in one process on a virtual clock, with a wire between them that a test
 * can cut, bend or read. Ring 2 of the tests: no socket, no time, no randomness but a seed.
 *
 *     pair.a (initiator as a rule, 10.0.0.1) ---- wire ---- pair.b (192.0.2.2)
 *
 * With pair.nat the wire rewrites a's source, if it is in 10.0.0.0/8, to 198.51.100.9 and a port of
 * its own. A side has one address, `here`, unless the test gives it others (addrs): then it hears
 * what is sent to these alone, and sends from `route` as its routes have it. */
#ifndef VPN_TESTS_IKE_PAIR_H
#define VPN_TESTS_IKE_PAIR_H

#include "vpn/ike/engine.h"
#include "vpn/wire/ike_message.h"

#define PAIR_SAS    64
#define PAIR_EVENTS 512
#define PAIR_QUEUE  64
#define SECOND	    UINT64_C(1000000)

struct pair_event {
	enum ike_event_kind kind;
	enum ike_cause cause;
	uint16_t notify;
	char text[256];
	char child[32];
};

struct pair;
struct side {
	struct pair *pair;
	const char *name;
	struct ike_engine *engine;
	struct endpoint here;
	struct ike_conn *conns[4];
	size_t n_conns;
	const char *psk;
	struct cert *certs[4]; /* loaded beside connections */
	struct privkey *key;
	struct cert *key_cert;
	uint64_t last_use;	       /* of every SA; 0: no packet was seen */
	struct ipsec_sa sas[PAIR_SAS]; /* installed */
	size_t n_sas;
	struct pair_event events[PAIR_EVENTS];
	size_t n_events;
	struct ip_addr addrs[4];
	size_t n_addrs;
	bool has_addrs;	      /* the test has said which */
	struct ip_addr route; /* unset: no route */
	size_t n_keepalives;
	size_t n_keys;
};

struct datagram {
	struct side *to;
	struct endpoint from, at;
	uint8_t octets[4096];
	size_t len;
};

enum wire_verdict { WIRE_PASS, WIRE_DROP };

struct pair {
	struct side a, b;
	uint64_t now;
	uint64_t seed;
	/* First octets of the draws of 32 octets (nonces, X25519 keys) from now on; 0 ends them,
	 * and chance alone goes on. NULL: none. */
	const uint8_t *draws;
	bool nat;
	uint16_t nat_port;
	/* May change the datagram in place. NULL: everything passes. */
	enum wire_verdict (*wire)(struct pair *p, struct datagram *d);
	size_t n_sent;	      /* datagrams that reached the wire */
	struct datagram last; /* the last one that did */
	struct datagram queue[PAIR_QUEUE];
	size_t n_queued;
};

/* Connection text of one end, as a test writes it. */
struct pair_conn {
	const char *name;
	const char *local_id, *remote_id;
	const char *ike, *esp; /* proposals */
	enum auth_class auth;
	bool encap;
	bool mobike;
	enum ipsec_mode mode;
	const char *local_ts, *remote_ts; /* of the child "net" */
	uint32_t dpd_delay;
};

/* The addresses of a side from now on, the first being the one that its routes lead from; "": no
 * route. Tells the engine. */
void pair_set_addresses(struct side *s, const char *const *addrs, size_t n);
struct pair *pair_new(uint64_t seed);
void pair_free(struct pair *p);
struct ike_options pair_options(void);
/* Replaces a side's engine: other options. */
void pair_set_options(struct side *s, const struct ike_options *opt);
struct ike_conn *pair_conn(const struct pair_conn *c);
/* Both ends with shared key "secret" and mirrored selectors. */
void pair_configure(struct pair *p, const struct pair_conn *a, const struct pair_conn *b);
void pair_default(struct pair *p, struct pair_conn *ret_a, struct pair_conn *ret_b);
void pair_add_child(struct ike_conn *conn, const char *name, const char *local_ts,
		    const char *remote_ts, const char *esp, enum ipsec_mode mode);

int pair_initiate(struct pair *p, struct side *from, const char *child);
/* Performs what the engines have queued: their datagrams are on the wire. */
void pair_pull(struct pair *p);
/* Delivers one datagram; false if there is none. */
bool pair_step(struct pair *p);
/* Delivers what is queued, until nothing is. */
void pair_settle(struct pair *p);
/* Goes to the next deadline of either engine, at most to `until`, again and again. */
void pair_run_until(struct pair *p, uint64_t until);
void pair_inject(struct pair *p, struct side *to, const struct endpoint *from, const void *octets,
		 size_t len);

const struct pair_event *pair_find_event(const struct side *s, enum ike_event_kind kind);
size_t pair_count_events(const struct side *s, enum ike_event_kind kind);
const struct ipsec_sa *pair_sa(const struct side *s, uint32_t spi);
size_t pair_ike_count(const struct side *s);
size_t pair_child_count(const struct side *s);
/* Both ends have the same Child SAs, with the same keys, and as many as `n`. */
void pair_assert_agree(struct pair *p, size_t n);
struct ike_header pair_header(const struct datagram *d);

#endif
