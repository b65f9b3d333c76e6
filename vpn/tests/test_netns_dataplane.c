/* test_netns_dataplane.c - two data planes against each other (see dataplane_fixture.h). Exits with
 * 77 where namespaces or TUN devices cannot be had. */
#include "vpn/tests/dataplane_fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define TRANSFER    (8 << 20)
#define DEADLINE_MS 10000

/* --- traffic --- */

struct transfer {
	int listener;
	size_t received;
	bool intact;
};

/* The octet at an offset of the stream; its period is no power of two. */
static uint8_t pattern(size_t at)
{
	return (uint8_t)((at % 999983) * 2654435761U >> 13);
}

static int socket_at(const struct side *s, bool v6, int type, uint16_t port)
{
	struct endpoint e = {.port = port};
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1;

	enter(s);
	fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ip_addr_parse(v6 ? s->inner6 : s->inner4, &e.addr), 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	len = endpoint_to_sockaddr(&e, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void *receive_all(void *arg)
{
	static uint8_t buf[65536];
	struct transfer *t = arg;
	int fd = accept(t->listener, NULL, NULL);
	ssize_t n, i;

	t->intact = true;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			t->intact &= buf[i] == pattern(t->received++);
	close(fd);
	return NULL;
}

static void connect_to(int fd, const struct side *s, bool v6, uint16_t port)
{
	struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
	struct endpoint e = {.port = port};
	struct sockaddr_storage ss;
	socklen_t len;

	assert_int_equal(ip_addr_parse(v6 ? s->inner6 : s->inner4, &e.addr), 0);
	len = endpoint_to_sockaddr(&e, &ss);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
}

/* Sends TRANSFER octets over TCP, which must arrive as they were sent. */
static void transfer(const struct side *from, const struct side *to, bool v6)
{
	struct transfer t = {.listener = socket_at(to, v6, SOCK_STREAM, 5001)};
	uint8_t *data = malloc(TRANSFER);
	pthread_t thread;
	size_t i, done;
	ssize_t n;
	int fd;

	for (i = 0; i < TRANSFER; i++)
		data[i] = pattern(i);
	assert_int_equal(listen(t.listener, 1), 0);
	pthread_create(&thread, NULL, receive_all, &t);
	fd = socket_at(from, v6, SOCK_STREAM, 0);
	connect_to(fd, to, v6, 5001);
	for (done = 0; done < TRANSFER; done += (size_t)n) {
		n = write(fd, data + done, TRANSFER - done);
		assert_true(n > 0);
	}
	close(fd);
	pthread_join(thread, NULL);
	close(t.listener);
	free(data);
	assert_int_equal(t.received, TRANSFER);
	assert_true(t.intact);
}

static bool wait_event(struct side *s, enum dp_event_type type, struct dp_event *ret_event)
{
	struct pollfd p = {.fd = dataplane_event_fd(s->dp), .events = POLLIN};

	while (poll(&p, 1, DEADLINE_MS) > 0) {
		while (dp_next_event(s->dp, ret_event)) {
			if (ret_event->type == type)
				return true;
			dp_event_clear(ret_event);
		}
	}
	print_error("no event %s\n", dp_event_name(type));
	return false;
}

static int ping(const struct side *s, const char *options, const char *to)
{
	return run_in(s, "ping -q -c 3 -i 0.01 -W 5 %s %s >/dev/null 2>&1", options, to);
}

/* --- tests --- */

#define CHACHA ENCR_CHACHA20_POLY1305, 0, 0
#define GCM    ENCR_AES_GCM_16, 256, 0
#define CBC    ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128

static const struct setup setups[] = {
    {"tunnel 4 in UDP 4", IPSEC_TUNNEL, true, false, false, CHACHA, true, 1},
    {"tunnel 6 in UDP 4", IPSEC_TUNNEL, true, false, true, CHACHA, true, 1},
    {"tunnel 4 in UDP 6", IPSEC_TUNNEL, true, true, false, GCM, true, 1},
    {"tunnel 6 in UDP 6", IPSEC_TUNNEL, true, true, true, CHACHA, true, 1},
    {"BEET 4 in UDP 4", IPSEC_BEET, true, false, false, CHACHA, true, 1},
    {"BEET 6 in UDP 4", IPSEC_BEET, true, false, true, CHACHA, true, 1},
    {"BEET 6 in UDP 6", IPSEC_BEET, true, true, true, CBC, true, 1},
    {"tunnel 4 in ESP 4", IPSEC_TUNNEL, false, false, false, CHACHA, true, 1},
    {"tunnel 6 in ESP 6", IPSEC_TUNNEL, false, true, true, GCM, true, 1},
    {"BEET 4 in ESP 4", IPSEC_BEET, false, false, false, CBC, true, 1},
    {"BEET 4 in ESP 6", IPSEC_BEET, false, true, false, CHACHA, true, 1},
    {"tunnel without offloads", IPSEC_TUNNEL, true, false, false, CHACHA, false, 1},
};

static void test_ping_and_tcp(void **state)
{
	const struct setup *u = *state;
	struct dp_counters before, after;

	start_both(u);
	install_all(u);
	add_addresses(&a);
	add_addresses(&b);
	dp_get_counters(b.dp, &before);
	assert_int_equal(ping(&a, "", u->inner6 ? b.inner6 : b.inner4), 0);
	transfer(&a, &b, u->inner6);
	transfer(&b, &a, u->inner6);
	dp_get_counters(b.dp, &after);
	assert_true(after.esp_in - before.esp_in > TRANSFER / 1500);
	assert_int_equal(after.drops[ESP_DROP_ICV], 0);
	assert_int_equal(after.drops[ESP_DROP_SELECTOR], 0);
	assert_int_equal(after.drops[ESP_DROP_INNER], 0);
	stop_both();
}

static void test_without_interface_id_routes_lead_into_our_device(void **state)
{
	struct setup u = setups[0];

	(void)state;
	u.if_id = 0;
	assert_int_equal(run_in(&a, "ip addr add %s/32 dev lo", a.inner4), 0);
	assert_int_equal(run_in(&b, "ip addr add %s/32 dev lo", b.inner4), 0);
	start_both(&u);
	install_all(&u);
	assert_int_equal(run_in(&a, "ip route get %s | grep -q 'dev beet0 table 220 src %s'",
				b.inner4, a.inner4),
			 0);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	transfer(&a, &b, false);
	stop_both();
	assert_int_not_equal(run_in(&a, "ip rule | grep -q 220"), 0);
	assert_int_not_equal(run_in(&a, "ip route show table 220 2>/dev/null | grep -q ."), 0);
	assert_int_not_equal(run_in(&a, "ip link show beet0 >/dev/null 2>&1"), 0);
	assert_int_equal(run_in(&a, "ip addr del %s/32 dev lo", a.inner4), 0);
	assert_int_equal(run_in(&b, "ip addr del %s/32 dev lo", b.inner4), 0);
}

static void test_ike_datagrams_and_keepalives(void **state)
{
	static const uint8_t datagram[64] = {1, 2, 3};
	struct endpoint from = {.port = IKE_NATT_PORT}, to = {.port = IKE_NATT_PORT};
	struct dp_counters c;
	struct dp_event ev;
	int i;

	(void)state;
	start_both(&setups[0]);
	ip_addr_parse(a.outer4, &from.addr);
	ip_addr_parse(b.outer4, &to.addr);
	for (i = 0; i < 2; i++) {
		assert_int_equal(dp_send_keepalive(a.dp, &from, &to), 0);
		assert_int_equal(dp_send_ike(a.dp, &from, &to, datagram, sizeof(datagram)), 0);
		assert_true(wait_event(&b, DP_EVENT_IKE, &ev));
		assert_int_equal(ev.len, sizeof(datagram));
		assert_memory_equal(ev.data, datagram, sizeof(datagram));
		assert_true(endpoint_eq(&ev.remote, &from));
		assert_true(endpoint_eq(&ev.local, &to));
		dp_event_clear(&ev);
		from.port = to.port = IKE_PORT;
	}
	dp_get_counters(b.dp, &c);
	assert_int_equal(c.keepalives_in, 2);
	assert_int_equal(c.ike_in, 2);
	stop_both();
}

/* RFC 7296 §2.23 */
static void test_an_authentic_packet_from_elsewhere_is_reported(void **state)
{
	struct dp_sa_ref out = {0x1000, 1, false};
	struct endpoint local = {.port = IKE_NATT_PORT}, remote = {.port = IKE_NATT_PORT};
	struct dp_event ev;

	(void)state;
	start_both(&setups[0]);
	install_all(&setups[0]);
	add_addresses(&a);
	add_addresses(&b);
	assert_int_equal(run_in(&a, "ip addr add 192.0.2.77/24 dev outer"), 0);
	ip_addr_parse("192.0.2.77", &local.addr);
	ip_addr_parse(b.outer4, &remote.addr);
	assert_int_equal(dp_update(a.dp, &out, &local, &remote, true), 0);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	assert_true(wait_event(&b, DP_EVENT_PEER_MOVED, &ev));
	assert_int_equal(ev.sa.spi, 0x1000);
	assert_true(endpoint_eq(&ev.remote, &local));
	assert_int_equal(ev.old_remote.addr.b[3], 1);
	assert_int_equal(run_in(&a, "ip addr del 192.0.2.77/24 dev outer"), 0);
	stop_both();
}

static void test_a_trap_raises_an_acquire(void **state)
{
	struct ts_list local = {0}, remote = {0};
	struct dp_event ev;
	struct dp_counters c;

	(void)state;
	start(&a, &setups[0]);
	/* ICMP alone: TCP may still be repeating what an earlier test closed. */
	add_ts(&local, "10.9.0.1/32[icmp]");
	add_ts(&remote, "10.9.0.2/32[icmp]");
	assert_int_equal(dp_trap_add(a.dp, 7, 1, &local, &remote, NULL), 0);
	assert_int_equal(dp_trap_add(a.dp, 7, 1, &local, &remote, NULL), ERR_EXISTS);
	add_addresses(&a);
	assert_int_not_equal(run_in(&a, "ping -q -c 1 -W 0.1 %s >/dev/null 2>&1", b.inner4), 0);
	assert_true(wait_event(&a, DP_EVENT_ACQUIRE, &ev));
	assert_int_equal(ev.reqid, 7);
	assert_int_equal(ev.packet.proto, IP_PROTO_ICMP);
	dp_get_counters(a.dp, &c);
	assert_int_equal(c.drops[ESP_DROP_TRAPPED], 0); /* it waits */
	assert_int_equal(dp_trap_remove(a.dp, 7), 0);
	assert_int_equal(dp_trap_remove(a.dp, 7), ERR_NOT_FOUND);
	ts_list_free(&local);
	ts_list_free(&remote);
	stop_both();
}

/* An adopted device keeps its MTU of 1500, so ICMP has to tell what fits (RFC 4301 §8.2.1). */
static void test_an_adopted_device_gets_packet_too_big(void **state)
{
	struct dp_counters c;

	(void)state;
	assert_int_equal(run_in(&a, "ip tuntap add dev xfrm1 mode tun"), 0);
	start_both(&setups[0]);
	install_all(&setups[0]);
	add_addresses(&a);
	add_addresses(&b);
	assert_int_equal(
	    run_in(&a, "ping -c 1 -W 1 -M do -s 1472 %s 2>&1 | grep -q 'mtu = 1438'", b.inner4), 0);
	assert_int_equal(ping(&a, "-M do -s 1410", b.inner4), 0);
	transfer(&a, &b, false);
	dp_get_counters(a.dp, &c);
	assert_true(c.ptb_sent >= 1);
	stop_both();
	assert_int_equal(run_in(&a, "ip tuntap del dev xfrm1 mode tun"), 0);
}

/* Long enough for what comes while a busy machine lets us wait; not ours to change if adopted. */
static void test_the_queue_of_a_made_device_is_long(void **state)
{
	(void)state;
	assert_int_equal(run_in(&b, "ip tuntap add dev xfrm1 mode tun"), 0);
	start_both(&setups[0]);
	install_all(&setups[0]);
	assert_int_equal(run_in(&a, "ip link show xfrm1 | grep -q 'qlen 2048$'"), 0);
	assert_int_equal(run_in(&b, "ip link show xfrm1 | grep -q 'qlen 500$'"), 0);
	stop_both();
	assert_int_equal(run_in(&b, "ip tuntap del dev xfrm1 mode tun"), 0);
}

static void test_large_packets_without_df_arrive(void **state)
{
	const struct setup *u = *state;

	start_both(u);
	install_all(u);
	add_addresses(&a);
	add_addresses(&b);
	assert_int_equal(ping(&a, "-M dont -s 4000", b.inner4), 0);
	stop_both();
}

/* The outer path shrinks under an established SA: the first packets are lost, then ICMP tells the
 * senders. */
static void test_a_smaller_path_is_learnt(void **state)
{
	struct dp_event ev;

	(void)state;
	start_both(&setups[0]);
	install_all(&setups[0]);
	add_addresses(&a);
	add_addresses(&b);
	assert_int_equal(run_in(&a, "ip link set outer mtu 1300"), 0);
	transfer(&a, &b, false);
	assert_true(wait_event(&a, DP_EVENT_PATH_MTU, &ev));
	assert_int_equal(ev.mtu, 1300);
	assert_int_equal(
	    run_in(&a, "ping -c 1 -W 1 -M do -s 1300 %s 2>&1 | grep -q 'mtu *= *1238'", b.inner4),
	    0);
	assert_int_equal(run_in(&a, "ip link set outer mtu 1500"), 0);
	stop_both();
}

static void test_a_rekeyed_sa_takes_over_without_loss(void **state)
{
	struct dp_sa_ref old_in = {0x1000, 1, true}, new_out = {0x3000, 2, false};
	struct dp_sa_ref old_out = {0x1000, 1, false}, new_in = {0x3000, 2, true};
	struct setup u = setups[0];
	struct ipsec_sa_stats stats;
	struct ipsec_sa d;

	(void)state;
	start_both(&u);
	install_all(&u);
	add_addresses(&a);
	add_addresses(&b);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	d = describe(&u, &a, &b, true);
	d.spi = 0x3000;
	d.child_id = 2;
	enter(&b);
	assert_int_equal(dp_install(b.dp, &d, NULL), 0);
	assert_int_equal(dp_install(b.dp, &d, NULL), ERR_EXISTS);
	ipsec_sa_clear(&d);
	d = describe(&u, &a, &b, false);
	d.spi = 0x3000;
	d.child_id = 2;
	assert_int_equal(dp_install(a.dp, &d, NULL), 0);
	ipsec_sa_clear(&d);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	assert_int_equal(dp_query(b.dp, &new_in, &stats), 0);
	assert_int_equal(stats.packets, 3);
	assert_int_equal(stats.bytes, 3 * 84);
	assert_true(stats.last_use > 0);
	assert_int_equal(dp_remove(a.dp, &old_out), 0);
	assert_int_equal(dp_remove(b.dp, &old_in), 0);
	assert_int_equal(dp_remove(b.dp, &old_in), ERR_NOT_FOUND);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	assert_int_equal(dp_query(a.dp, &new_out, &stats), 0);
	assert_int_equal(stats.packets, 6);
	stop_both();
}

static void test_limits_are_reported(void **state)
{
	struct setup u = setups[0];
	struct dp_event ev;
	struct ipsec_sa d;

	(void)state;
	start_both(&u);
	d = describe(&u, &a, &b, false);
	d.soft_packets = 1;
	d.hard_packets = 2;
	enter(&a);
	assert_int_equal(dp_install(a.dp, &d, NULL), 0);
	ipsec_sa_clear(&d);
	add_addresses(&a);
	assert_int_not_equal(ping(&a, "-W 0.2", b.inner4), 0);
	assert_true(wait_event(&a, DP_EVENT_SOFT_LIMIT, &ev));
	assert_int_equal(ev.sa.spi, 0x1000);
	assert_true(wait_event(&a, DP_EVENT_HARD_LIMIT, &ev));
	assert_false(ev.sa.inbound);
	stop_both();
}

/* In a child that has given up its privileges. */
static int start_unprivileged(void)
{
	struct dp_config cfg;
	struct dataplane *dp;
	struct err_msg msg;
	int err;

	dp_config_init(&cfg);
	cfg.port = cfg.port_natt = 0;
	if (setgid(65534) || setuid(65534))
		return 1;
	err = dataplane_new(&cfg, &dp, &msg);
	return err == ERR_PERM && strstr(msg.text, "CAP_NET_ADMIN") ? 0 : 1;
}

static void test_without_privileges_it_says_so(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	enter(&a);
	pid = fork();
	if (pid == 0)
		_exit(start_unprivileged());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_a_name_that_is_taken_is_said(void **state)
{
	struct err_msg msg = {""};

	(void)state;
	assert_int_equal(run_in(&a, "ip link add xfrm5 type veth peer name other"), 0);
	start(&a, &setups[0]);
	assert_int_equal(dp_interface_add(a.dp, 5, &msg), ERR_EXISTS);
	assert_non_null(strstr(msg.text, "xfrm5"));
	assert_int_equal(dp_interface_add(a.dp, 6, &msg), 0);
	assert_int_equal(dp_interface_add(a.dp, 6, &msg), 0);
	assert_int_equal(run_in(&a, "ip link show up xfrm6 | grep -q xfrm6 && ip link del xfrm5"),
			 0);
	stop_both();
	assert_int_not_equal(run_in(&a, "ip link show xfrm6 >/dev/null 2>&1"), 0);
}

/* RFC 7402 §B.1.4: in BEET the outer header carries what the inner one said. */
static void test_ttl_and_dscp_arrive(void **state)
{
	const struct setup *u = *state;
	uint8_t octet, control[128];
	struct iovec iov = {&octet, 1};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	int from, to, ttl = 9, tos = 0xb8, on = 1, got_ttl = 0, got_tos = 0;
	struct cmsghdr *c;

	start_both(u);
	install_all(u);
	add_addresses(&a);
	add_addresses(&b);
	to = socket_at(&b, false, SOCK_DGRAM, 5002);
	from = socket_at(&a, false, SOCK_DGRAM, 0);
	setsockopt(to, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	setsockopt(to, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	setsockopt(from, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	setsockopt(from, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	connect_to(from, &b, false, 5002);
	assert_int_equal(write(from, "x", 1), 1);
	hdr.msg_controllen = sizeof(control);
	assert_int_equal(recvmsg(to, &hdr, 0), 1);
	for (c = CMSG_FIRSTHDR(&hdr); c; c = CMSG_NXTHDR(&hdr, c)) {
		if (c->cmsg_type == IP_TTL)
			memcpy(&got_ttl, CMSG_DATA(c), sizeof(int));
		else if (c->cmsg_type == IP_TOS)
			got_tos = *CMSG_DATA(c);
	}
	assert_int_equal(got_ttl, ttl);
	assert_int_equal(got_tos, tos);
	close(from);
	close(to);
	stop_both();
}

/* --- marks --- */

static void install_marked(struct side *at, const struct setup *u, const struct side *from,
			   const struct side *to, bool inbound, uint32_t mark)
{
	struct ipsec_sa d = describe(u, from, to, inbound);
	struct err_msg msg;

	d.mark = mark;
	d.mark_mask = UINT32_MAX;
	enter(at);
	assert_int_equal(dp_install(at->dp, &d, &msg), 0);
	assert_string_equal(msg.text, "");
	ipsec_sa_clear(&d);
}

static void drop_without_mark(const struct side *s, const char *hook, const char *what,
			      uint32_t mark)
{
	assert_int_equal(run_in(s,
				"nft add table inet t; nft add chain inet t c '{ type filter hook "
				"%s priority 0; }'; nft add rule inet t c %s meta mark != %u drop",
				hook, what, mark),
			 0);
}

static void test_outer_packets_carry_set_mark_out(void **state)
{
	const struct setup *u = &setups[0];

	(void)state;
	start_both(u);
	install_all(u);
	add_addresses(&a);
	add_addresses(&b);
	drop_without_mark(&a, "output", "udp dport 4500", 7);
	assert_int_not_equal(ping(&a, "-c1 -W1", b.inner4), 0);
	assert_int_equal(dp_remove(a.dp, &(struct dp_sa_ref){0x1000, 1, false}), 0);
	install_marked(&a, u, &a, &b, false, 7);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	assert_int_equal(run_in(&a, "nft delete table inet t"), 0);
	stop_both();
	assert_int_not_equal(run_in(&a, "ip rule | grep -q 219:"), 0);
}

/* A mark in place of the sockets' own must not lead outer packets back into our device: here the
 * peer itself is inside the remote selectors. */
static void test_a_marked_outer_packet_stays_out_of_our_routes(void **state)
{
	struct setup u = setups[0];
	struct dp_counters c;
	struct ipsec_sa d;
	struct err_msg msg;

	(void)state;
	u.if_id = 0;
	assert_int_equal(run_in(&a, "ip addr add %s/32 dev lo", a.inner4), 0);
	assert_int_equal(run_in(&b, "ip addr add %s/32 dev lo", b.inner4), 0);
	start_both(&u);
	install(&b, &u, &a, &b, true);
	install(&a, &u, &b, &a, true);
	install(&b, &u, &b, &a, false);
	d = describe(&u, &a, &b, false);
	add_ts(&d.remote_ts, b.outer4);
	d.mark = 7;
	d.mark_mask = UINT32_MAX;
	enter(&a);
	assert_int_equal(dp_install(a.dp, &d, &msg), 0);
	ipsec_sa_clear(&d);
	assert_int_equal(run_in(&a, "ip route get %s | grep -q beet0", b.outer4), 0);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	dp_get_counters(a.dp, &c);
	assert_int_equal(c.esp_out, 3);
	stop_both();
	assert_int_equal(run_in(&a, "ip addr del %s/32 dev lo", a.inner4), 0);
	assert_int_equal(run_in(&b, "ip addr del %s/32 dev lo", b.inner4), 0);
}

static void test_decrypted_packets_carry_set_mark_in(void **state)
{
	const struct setup *u = &setups[0];
	struct dp_sa_ref in = {0x1000, 1, true};

	(void)state;
	if (run_in(&b, "nft list tables >/dev/null 2>&1"))
		skip();
	start_both(u);
	install_all(u);
	add_addresses(&a);
	add_addresses(&b);
	drop_without_mark(&b, "input", "iifname xfrm1", 5);
	assert_int_not_equal(ping(&a, "-c1 -W1", b.inner4), 0);
	assert_int_equal(dp_remove(b.dp, &in), 0);
	install_marked(&b, u, &a, &b, true, 5);
	assert_int_equal(ping(&a, "", b.inner4), 0);
	assert_int_equal(dp_remove(b.dp, &in), 0);
	assert_int_not_equal(run_in(&b, "nft list table inet beetd >/dev/null 2>&1"), 0);
	assert_int_equal(run_in(&b, "nft delete table inet t && nft add table inet beetd"), 0);
	stop_both();
	start(&b, u);
	assert_int_not_equal(run_in(&b, "nft list table inet beetd >/dev/null 2>&1"), 0);
	stop_both();
}

static void test_a_port_in_use_is_said(void **state)
{
	struct dp_config cfg;
	struct dataplane *second = NULL;
	struct err_msg msg;

	(void)state;
	start(&a, &setups[0]);
	dp_config_init(&cfg);
	assert_int_equal(dataplane_new(&cfg, &second, &msg), ERR_EXISTS);
	assert_non_null(strstr(msg.text, "500"));
	stop_both();
}

static void test_what_a_killed_predecessor_left_is_removed(void **state)
{
	(void)state;
	assert_int_equal(run_in(&a,
				"ip rule add not fwmark 220 pref 220 lookup 220 protocol 220 && "
				"ip route add 10.77.0.0/16 dev outer table 220 proto 220 && "
				"ip route add 10.78.0.0/16 dev outer table 220"),
			 0);
	start(&a, &setups[0]);
	assert_int_not_equal(run_in(&a, "ip rule | grep -q 220"), 0);
	assert_int_not_equal(run_in(&a, "ip route show table 220 | grep -q 10.77"), 0);
	assert_int_equal(run_in(&a, "ip route show table 220 | grep -q 10.78"), 0);
	assert_int_equal(run_in(&a, "ip route flush table 220"), 0);
	stop_both();
}

static int after_each(void **state)
{
	(void)state;
	stop_both();
	return 0;
}

#define TEST(f, s)                                   \
	{                                            \
#f, f, NULL, after_each, (void *)(s) \
	}

int main(void)
{
	const struct CMUnitTest others[] = {
	    TEST(test_without_interface_id_routes_lead_into_our_device, NULL),
	    TEST(test_ike_datagrams_and_keepalives, NULL),
	    TEST(test_an_authentic_packet_from_elsewhere_is_reported, NULL),
	    TEST(test_a_trap_raises_an_acquire, NULL),
	    TEST(test_an_adopted_device_gets_packet_too_big, NULL),
	    TEST(test_the_queue_of_a_made_device_is_long, NULL),
	    TEST(test_large_packets_without_df_arrive, &setups[0]),
	    TEST(test_large_packets_without_df_arrive, &setups[4]),
	    TEST(test_large_packets_without_df_arrive, &setups[9]),
	    TEST(test_a_smaller_path_is_learnt, NULL),
	    TEST(test_a_rekeyed_sa_takes_over_without_loss, NULL),
	    TEST(test_limits_are_reported, NULL),
	    TEST(test_without_privileges_it_says_so, NULL),
	    TEST(test_a_name_that_is_taken_is_said, NULL),
	    TEST(test_ttl_and_dscp_arrive, &setups[0]),
	    TEST(test_ttl_and_dscp_arrive, &setups[4]),
	    TEST(test_ttl_and_dscp_arrive, &setups[9]),
	    TEST(test_outer_packets_carry_set_mark_out, NULL),
	    TEST(test_a_marked_outer_packet_stays_out_of_our_routes, NULL),
	    TEST(test_decrypted_packets_carry_set_mark_in, NULL),
	    TEST(test_a_port_in_use_is_said, NULL),
	    TEST(test_what_a_killed_predecessor_left_is_removed, NULL),
	};
	struct CMUnitTest matrix[sizeof(setups) / sizeof(setups[0])];
	size_t i;

	if (!make_network()) {
		fprintf(stderr, "skipped: needs root, network namespaces and /dev/net/tun\n");
		return SKIP;
	}
	for (i = 0; i < sizeof(setups) / sizeof(setups[0]); i++)
		matrix[i] = (struct CMUnitTest){setups[i].name, test_ping_and_tcp, NULL, after_each,
						(void *)&setups[i]};
	return cmocka_run_group_tests(matrix, NULL, NULL) +
	       cmocka_run_group_tests(others, NULL, NULL);
}
