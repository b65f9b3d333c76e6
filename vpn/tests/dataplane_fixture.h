/* dataplane_fixture.h - two data planes in two network namespaces, with keys set by hand.
 *
 *     namespace A                                       namespace B
 *     xfrm1 10.9.0.1, fd09::1                           xfrm1 10.9.0.2, fd09::2
 *     veth  192.0.2.1, 2001:db8::1  -----------------   veth  192.0.2.2, 2001:db8::2
 *
 * Both run in this process: a thread's sockets and devices belong to the namespace that it is in
 * when it makes them. The namespaces have no names and go with the process, whatever happens to it.
 */
#ifndef VPN_TESTS_DATAPLANE_FIXTURE_H
#define VPN_TESTS_DATAPLANE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/dataplane/dataplane.h"

#define SKIP 77

struct side {
	int ns;
	struct dataplane *dp;
	const char *inner4, *inner6, *outer4, *outer6;
};

static struct side a = {
    .inner4 = "10.9.0.1", .inner6 = "fd09::1", .outer4 = "192.0.2.1", .outer6 = "2001:db8::1"};
static struct side b = {
    .inner4 = "10.9.0.2", .inner6 = "fd09::2", .outer4 = "192.0.2.2", .outer6 = "2001:db8::2"};

/* --- namespaces --- */

static inline void enter(const struct side *s)
{
	if (setns(s->ns, CLONE_NEWNET)) {
		perror("setns");
		exit(1);
	}
}

static inline int run_in(const struct side *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static inline int run_in(const struct side *s, const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	enter(s);
	return system(cmd);
}

static inline bool new_namespace(struct side *s)
{
	if (unshare(CLONE_NEWNET))
		return false;
	s->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return s->ns >= 0;
}

static inline bool make_network(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) || !new_namespace(&a) || !new_namespace(&b))
		return false;
	/* b's descriptor is ours, so "ip" finds the namespace under /proc. */
	if (run_in(
		&a,
		"ip link set lo up && ip link add outer type veth peer name outer netns "
		"/proc/%d/fd/%d && ip addr add 192.0.2.1/24 dev outer && ip link set outer up && "
		"ip addr add 2001:db8::1/64 dev outer nodad",
		getpid(), b.ns))
		return false;
	return run_in(&b,
		      "ip link set lo up && ip addr add 192.0.2.2/24 dev outer && "
		      "ip link set outer up && ip addr add 2001:db8::2/64 dev outer nodad") == 0;
}

/* --- SAs --- */

struct setup {
	const char *name;
	enum ipsec_mode mode;
	bool encap;
	bool outer6;
	bool inner6;
	uint16_t encr, bits, integ;
	bool offload;
	uint32_t if_id;
};

static inline void add_ts(struct ts_list *list, const char *host)
{
	struct ts ts;

	assert_int_equal(ts_parse(host, &ts, NULL), 0);
	assert_int_equal(ts_list_add(list, &ts), 0);
}

static inline struct ipsec_sa describe(const struct setup *u, const struct side *from,
				       const struct side *to, bool inbound)
{
	const struct side *local = inbound ? to : from, *remote = inbound ? from : to;
	struct ipsec_sa d = {.spi = from == &a ? 0x1000 : 0x2000,
			     .inbound = inbound,
			     .mode = u->mode,
			     .encap = u->encap,
			     .alg = {.encr = u->encr, .encr_bits = u->bits, .integ = u->integ},
			     .child_id = 1,
			     .reqid = 1,
			     .if_id = u->if_id,
			     .replay_window = 1024,
			     .copy_df = true,
			     .copy_ecn = true};
	size_t i;

	d.key_len = u->encr == ENCR_AES_CBC	 ? u->bits / 8 + 32U
		    : u->encr == ENCR_AES_GCM_16 ? u->bits / 8 + 4U
						 : 36;
	for (i = 0; i < d.key_len; i++)
		d.key[i] = (uint8_t)(d.spi + i);
	d.local.port = d.remote.port = IKE_NATT_PORT;
	assert_int_equal(ip_addr_parse(u->outer6 ? local->outer6 : local->outer4, &d.local.addr),
			 0);
	assert_int_equal(ip_addr_parse(u->outer6 ? remote->outer6 : remote->outer4, &d.remote.addr),
			 0);
	add_ts(&d.local_ts, u->inner6 ? local->inner6 : local->inner4);
	add_ts(&d.remote_ts, u->inner6 ? remote->inner6 : remote->inner4);
	return d;
}

static inline void install(struct side *at, const struct setup *u, const struct side *from,
			   const struct side *to, bool inbound)
{
	struct ipsec_sa d = describe(u, from, to, inbound);
	struct err_msg msg = {""};
	int err;

	enter(at);
	err = dp_install(at->dp, &d, &msg);
	if (err)
		print_error("install: %s\n", msg.text);
	assert_int_equal(err, 0);
	ipsec_sa_clear(&d);
}

static inline void start(struct side *s, const struct setup *u)
{
	struct dp_config cfg;
	struct err_msg msg = {""};

	dp_config_init(&cfg);
	cfg.offload = u->offload;
	enter(s);
	if (dataplane_new(&cfg, &s->dp, &msg))
		print_error("start: %s\n", msg.text);
	assert_non_null(s->dp);
}

static inline void start_both(const struct setup *u)
{
	start(&a, u);
	start(&b, u);
}

static inline void install_all(const struct setup *u)
{
	install(&b, u, &a, &b, true);
	install(&a, u, &b, &a, true);
	install(&a, u, &a, &b, false);
	install(&b, u, &b, &a, false);
}

static inline void add_addresses(const struct side *s)
{
	assert_int_equal(run_in(s,
				"ip addr add %s/24 dev xfrm1 && ip addr add %s/64 dev xfrm1 nodad",
				s->inner4, s->inner6),
			 0);
}

static inline void stop_both(void)
{
	dataplane_free(a.dp);
	dataplane_free(b.dp);
	a.dp = b.dp = NULL;
}

#endif
