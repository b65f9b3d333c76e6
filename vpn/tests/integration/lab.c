/* lab.c - builds the stage of a case, and tells what went wrong on it.
 *
 * On failure the peers' logs, events and captures are copied to $LAB_ARTEFACTS/CASE (if set) before
 * the network and its directory go.
 *
 * Ownership: struct lab is the caller's; lab_close frees what it holds, and so does lab_fail before
 * it ends the program. If the program dies in any other way, the network's guard cleans up. */
#include "vpn/tests/integration/lab.h"
#include "harness/traffic.h"
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void print_log(struct peer *peer)
{
	char *log = peer ? peer_log(peer) : NULL;
	size_t len = log ? strlen(log) : 0;

	if (len > 0)
		fprintf(stderr, "--- log of %s (%s), its end ---\n%s\n", peer_node(peer),
			peer_name(peer), log + (len > 6000 ? len - 6000 : 0));
	free(log);
}

static void keep_artefacts(const struct lab *lab)
{
	const char *base = getenv("LAB_ARTEFACTS");
	const char *const argv[] = {"cp", "-a", net_dir(lab->net), base, NULL};
	const struct process_spec spec = {.argv = argv};
	struct process_output output = {0};
	int status;

	if (!base || mkdir(base, 0755) < 0)
		return;
	if (process_run(lab->net, &spec, 10000, &status, &output, NULL) == 0)
		fprintf(stderr, "artefacts: %s/%s\n", base, net_run(lab->net));
	process_output_free(&output);
}

void lab_fail(struct lab *lab, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "FAILED: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	print_log(lab->gw);
	print_log(lab->vps);
	if (lab->outer)
		capture_stop(lab->outer, NULL, NULL);
	if (lab->net)
		keep_artefacts(lab);
	lab->outer = NULL;
	peer_free(lab->gw);
	peer_free(lab->vps);
	net_free(lab->net, NULL);
	exit(EXIT_FAILURE);
}

void lab_ok(struct lab *lab, int err, const struct err_msg *msg, const char *what)
{
	if (err < 0)
		lab_fail(lab, "%s: %s", what, msg->text[0] ? msg->text : err_text(err));
}

void lab_open(struct lab *lab, const struct lab_options *options, const struct peer_driver *gw,
	      const struct peer_driver *vps)
{
	struct err_msg msg = {{0}};
	struct topology topo;

	*lab = (struct lab){.net = NULL};
	seed_topology(options->nat, &topo);
	lab_ok(lab, net_build(&topo, &lab->net, &msg), &msg, "network");
	lab_ok(lab, peer_create(lab->net, "lab-gw", gw, &options->gw, &lab->gw, &msg), &msg,
	       "lab-gw");
	lab_ok(lab, peer_create(lab->net, "vps", vps, &options->vps, &lab->vps, &msg), &msg, "vps");
	snprintf(lab->outer_path, sizeof(lab->outer_path), "%s/outer.pcap", net_dir(lab->net));
}

char *lab_node_state(struct lab *lab, const struct peer *peer)
{
	static const char script[] =
	    "exec 2>/dev/null; ip -o link | sed 's/ state [A-Z]* / /; s/<[^>]*>//; s/qlen "
	    "[0-9]*//'; "
	    "{ ip -o address; ip rule; ip -6 rule; ip route show table all; "
	    "ip -6 route show table all; } | grep -vE 'fe80|ff00|cache|dev xfrm1' | sort";
	static const char *const argv[] = {"sh", "-c", script, NULL};
	const struct process_spec spec = {.node = peer_node(peer), .argv = argv};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = 0;

	lab_ok(lab, process_run(lab->net, &spec, 10000, &status, &output, &msg), &msg, "ip");
	return output.text;
}

/* Ends the daemon and compares its node with what it was before. */
static void expect_clean_end(struct lab *lab, struct peer *peer, const char *before)
{
	bool is_beetd = strcmp(peer_name(peer), "beetd") == 0;
	int status = peer_stop(peer);
	char *log = peer_log(peer);
	char *after;

	if (status != 0)
		lab_fail(lab, "%s in %s ended with status %d", peer_name(peer), peer_node(peer),
			 status);
	/* Of a build with sanitizers. */
	if (log && strstr(log, "runtime error: "))
		lab_fail(lab, "%s in %s: %s", peer_name(peer), peer_node(peer),
			 strstr(log, "runtime error: "));
	free(log);
	after = lab_node_state(lab, peer);
	if (is_beetd && before && strcmp(before, after) != 0)
		lab_fail(lab, "beetd changed %s\n--- before\n%s--- after\n%s", peer_node(peer),
			 before, after);
	free(after);
}

void lab_close(struct lab *lab)
{
	struct err_msg msg = {{0}};
	int err;

	if (lab->outer)
		capture_stop(lab->outer, NULL, NULL);
	lab->outer = NULL;
	expect_clean_end(lab, lab->gw, lab->gw_before);
	expect_clean_end(lab, lab->vps, lab->vps_before);
	peer_free(lab->gw);
	peer_free(lab->vps);
	free(lab->gw_before);
	free(lab->vps_before);
	err = net_free(lab->net, &msg);
	*lab = (struct lab){.net = NULL};
	lab_ok(lab, err, &msg, "undoing the network");
}

struct inner {
	const char *addr4, *addr4_long, *addr6;
	const char *routes[3];
};

static const struct inner inner_gw = {GW_TUN, GW_TUN "/30", GW_TUN6 "/128", {"fdc0:beef:1::/64"}};
static const struct inner inner_vps = {
    VPS_TUN, VPS_TUN "/30", VPS_TUN6 "/128", {"fdc0:beef:2::/64", "192.168.1.0/24"}};

static void add_inner(struct lab *lab, struct peer *peer, const struct inner *inner, bool on_tun)
{
	const char *node = peer_node(peer), *ifname = on_tun ? "xfrm1" : "lo";
	struct err_msg msg = {{0}};
	size_t i;

	if (on_tun)
		lab_ok(lab, net_add_tun(lab->net, node, ifname, &msg), &msg, node);
	lab_ok(lab,
	       net_add_address(lab->net, node, ifname, on_tun ? inner->addr4_long : inner->addr4,
			       &msg),
	       &msg, node);
	lab_ok(lab, net_add_address(lab->net, node, ifname, inner->addr6, &msg), &msg, node);
	for (i = 0; on_tun && i < 3 && inner->routes[i]; i++)
		lab_ok(lab, net_add_route(lab->net, node, inner->routes[i], NULL, ifname, &msg),
		       &msg, node);
}

void lab_inner_addresses(struct lab *lab, bool if_id)
{
	add_inner(lab, lab->gw, &inner_gw, if_id && strcmp(peer_name(lab->gw), "beetd") == 0);
	add_inner(lab, lab->vps, &inner_vps, if_id && strcmp(peer_name(lab->vps), "beetd") == 0);
}

void lab_install(struct lab *lab, struct peer *peer, const char *kind, const char *name,
		 const char *suffix)
{
	char from[PEER_PATH_MAX + 64], to[128];
	struct err_msg msg = {{0}};

	snprintf(from, sizeof(from), "%s/%s-%s.pem", net_dir(lab->net), name, suffix);
	snprintf(to, sizeof(to), "%s/%s-%s.pem", kind, name, suffix);
	lab_ok(lab, peer_copy(peer, to, from, &msg), &msg, name);
}

void lab_seed_keys(struct lab *lab)
{
	const char *dir = net_dir(lab->net);
	struct err_msg msg = {{0}};

	lab_ok(lab, credentials_self_signed(lab->net, dir, "lab-gw", CREDENTIAL_ED25519, &msg),
	       &msg, "keys");
	lab_ok(lab, credentials_self_signed(lab->net, dir, "vps", CREDENTIAL_ED25519, &msg), &msg,
	       "keys");
	lab_install(lab, lab->gw, "private", "lab-gw", "key");
	lab_install(lab, lab->vps, "private", "vps", "key");
	lab_install(lab, lab->gw, "x509", "lab-gw", "cert");
	lab_install(lab, lab->gw, "x509", "vps", "cert");
	lab_install(lab, lab->vps, "x509", "lab-gw", "cert");
	lab_install(lab, lab->vps, "x509", "vps", "cert");
}

static void read_conf(struct lab *lab, const char *name, char text[CONF_TEXT_MAX])
{
	char path[4096];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", INTEGRATION_DATA, name);
	file = fopen(path, "re");
	if (!file)
		lab_fail(lab, "%s: cannot be read", path);
	len = fread(text, 1, CONF_TEXT_MAX - 1, file);
	text[len] = 0;
	fclose(file);
}

void lab_seed_confs(struct lab *lab)
{
	read_conf(lab, "lab-gw.conf", lab->gw_conf);
	read_conf(lab, "vps.conf", lab->vps_conf);
	conf_replace(lab->gw_conf, "XXX.XXX.XXX.XXX", GW_ADDR);
	conf_replace(lab->gw_conf, "AAA.BBB.CCC.DDD", VPS_ADDR);
	conf_replace(lab->vps_conf, "AAA.BBB.CCC.DDD", VPS_ADDR);
}

void lab_pair_confs(struct conf *ret_gw, struct conf *ret_vps)
{
	*ret_gw = (struct conf){
	    .conn = "pair",
	    .local_addrs = GW_ADDR,
	    .remote_addrs = VPS_ADDR,
	    .auth = "pubkey",
	    .local_id = GW_ID,
	    .remote_id = VPS_ID,
	    .local_cert = "lab-gw-cert.pem",
	    .remote_cert = "vps-cert.pem",
	    .children = {{.name = "net", .local_ts = GW_TUN "/32", .remote_ts = VPS_TUN "/32"}},
	};
	*ret_vps = (struct conf){
	    .conn = "pair",
	    .local_addrs = VPS_ADDR,
	    .remote_addrs = "%any",
	    .auth = "pubkey",
	    .local_id = VPS_ID,
	    .remote_id = GW_ID,
	    .local_cert = "vps-cert.pem",
	    .remote_cert = "lab-gw-cert.pem",
	    .children = {{.name = "net", .local_ts = VPS_TUN "/32", .remote_ts = GW_TUN "/32"}},
	};
}

void lab_set_confs(struct lab *lab, const struct conf *gw, const struct conf *vps)
{
	conf_format(gw, lab->gw_conf);
	conf_format(vps, lab->vps_conf);
}

void lab_use_psk(struct conf *gw, struct conf *vps)
{
	gw->auth = vps->auth = "psk";
	gw->local_id = vps->remote_id = "lab-gw.inetdoc.net";
	gw->remote_id = vps->local_id = "vps.inetdoc.net";
	gw->local_cert = gw->remote_cert = vps->local_cert = vps->remote_cert = NULL;
	gw->secret = vps->secret = "a secret between the two of them";
}

static void start_peer(struct lab *lab, struct peer *peer, const char *conf)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_write(peer, "swanctl.conf", conf, strlen(conf), &msg), &msg,
	       peer_node(peer));
	lab_ok(lab, peer_start(peer, &msg), &msg, peer_node(peer));
}

void lab_start_unloaded(struct lab *lab)
{
	lab->gw_before = lab_node_state(lab, lab->gw);
	lab->vps_before = lab_node_state(lab, lab->vps);
	start_peer(lab, lab->vps, lab->vps_conf);
	start_peer(lab, lab->gw, lab->gw_conf);
}

void lab_start(struct lab *lab)
{
	struct err_msg msg = {{0}};

	lab_start_unloaded(lab);
	lab_ok(lab, peer_load(lab->vps, lab->vps_conf, &msg), &msg, "loading vps");
	lab_ok(lab, peer_load(lab->gw, lab->gw_conf, &msg), &msg, "loading lab-gw");
}

void lab_wait_children(struct lab *lab, unsigned count)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_wait_children(lab->gw, count, UP_MS, &msg), &msg, "lab-gw");
	lab_ok(lab, peer_wait_children(lab->vps, count, UP_MS, &msg), &msg, "vps");
}

void lab_ping(struct lab *lab, const char *from, const char *addr)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, traffic_ping(lab->net, from, addr, 56, &msg), &msg, "ping");
}

void lab_tcp(struct lab *lab, const char *from, const char *to, const char *to_addr, size_t octets)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, traffic_tcp(lab->net, from, to, to_addr, octets, &msg), &msg, to);
}

void lab_expect_child(struct lab *lab, struct peer *peer, const char *child, const char *key,
		      const char *value)
{
	char got[128] = "nothing";

	if (peer_child_value(peer, child, key, got, sizeof(got)) < 0)
		lab_fail(lab, "%s: no child %s", peer_node(peer), child);
	if (strcmp(got, value) != 0)
		lab_fail(lab, "%s: child %s: %s is \"%s\", not \"%s\"", peer_node(peer), child, key,
			 got, value);
}

void lab_capture_outer(struct lab *lab)
{
	const struct capture_spec spec = {.node = "vps", .ifname = "eth0", .path = lab->outer_path};
	struct err_msg msg = {{0}};

	lab_ok(lab, capture_start(lab->net, &spec, &lab->outer, &msg), &msg, "capture");
}

void lab_stop_capture(struct lab *lab)
{
	struct err_msg msg = {{0}};
	int err = capture_stop(lab->outer, NULL, &msg);

	lab->outer = NULL;
	lab_ok(lab, err, &msg, "capture");
}

unsigned lab_count_packets(struct lab *lab, const char *path, const char *filter)
{
	char error[PCAP_ERRBUF_SIZE];
	struct bpf_program program;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	unsigned count = 0;
	pcap_t *pcap = pcap_open_offline(path, error);

	if (!pcap)
		lab_fail(lab, "%s: %s", path, error);
	if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		lab_fail(lab, "%s: %s", filter, pcap_geterr(pcap));
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		count += pcap_offline_filter(&program, header, bytes) != 0;
	pcap_freecode(&program);
	pcap_close(pcap);
	return count;
}

#define INNER_FILTER                                                        \
	"net 10.254.0.0/30 or net 192.168.1.0/24 or net fdc0:beef::/32 or " \
	"(arp and arp[24:4] != 0xcb00710a and arp[24:4] != 0xcb007101)"
/* In UDP: port 4500 and not the non-ESP marker, and not a keep-alive. */
#define ESP_FILTER \
	"(udp port 4500 and udp[8:4] != 0 and udp[4:2] > 9) or ip proto 50 or ip6 proto 50"

void lab_expect_no_clear_text(struct lab *lab, unsigned min_esp)
{
	unsigned clear, esp;

	lab_stop_capture(lab);
	clear = lab_count_packets(lab, lab->outer_path, INNER_FILTER);
	esp = lab_count_packets(lab, lab->outer_path, ESP_FILTER);
	if (clear > 0)
		lab_fail(lab, "%u packets with inner addresses on the outer wire", clear);
	if (esp < min_esp)
		lab_fail(lab, "%u ESP packets on the outer wire, at least %u expected", esp,
			 min_esp);
}

/* How strongSwan's log abbreviates a notify. */
static const char *short_notify(const char *name)
{
	static const char *const names[][2] = {
	    {"AUTHENTICATION_FAILED", "N(AUTH_FAILED)"}, {"COOKIE", "N(COOKIE)"},
	    {"INVALID_KE_PAYLOAD", "N(INVAL_KE)"},	 {"NO_PROPOSAL_CHOSEN", "N(NO_PROP)"},
	    {"TS_UNACCEPTABLE", "N(TS_UNACCEPT)"},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	return name;
}

void lab_expect_log(struct lab *lab, struct peer *peer, const char *const *words)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_wait_log(peer, words, UP_MS, &msg), &msg, peer_node(peer));
}

void lab_expect_notify(struct lab *lab, struct peer *sender, const char *message,
		       const char *notify)
{
	struct peer *receiver = sender == lab->gw ? lab->vps : lab->gw;
	const char *const made[] = {"generating", message, short_notify(notify), NULL};
	const char *const parsed[] = {"parsed", message, short_notify(notify), NULL};
	const char *const named[] = {notify, NULL};

	lab_expect_log(lab, sender, strcmp(peer_name(sender), "beetd") == 0 ? named : made);
	lab_expect_log(lab, receiver, strcmp(peer_name(receiver), "beetd") == 0 ? named : parsed);
}

void lab_nft(struct lab *lab, const char *node, const char *text)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	const struct process_spec spec = {.node = node, .argv = argv, .input = text};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = 0;

	lab_ok(lab, process_run(lab->net, &spec, 10000, &status, &output, &msg), &msg, "nft");
	if (status != 0)
		lab_fail(lab, "nft in %s: %s", node, output.text);
	process_output_free(&output);
}

void lab_block(struct lab *lab, bool on)
{
	lab_nft(lab, "inet",
		on ? "table ip block { chain forward { type filter hook forward priority -10; "
		     "iifname \"vps0\" drop; }; }\n"
		   : "delete table ip block\n");
}

void lab_terminate(struct lab *lab, const char *ike)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_terminate(lab->gw, &(struct peer_sa_name){.ike = ike}, UP_MS, &msg), &msg,
	       "terminate");
	lab_ok(lab, peer_wait_sas(lab->gw, 0, UP_MS, &msg), &msg, "lab-gw after terminate");
	lab_ok(lab, peer_wait_sas(lab->vps, 0, UP_MS, &msg), &msg, "vps after terminate");
	if (!peer_is_running(lab->gw) || !peer_is_running(lab->vps))
		lab_fail(lab, "a daemon died on terminate");
}
