/* cases_tools.c - other people's programs on our VPN: Debian's swanctl drives it, tshark decrypts
 * it. */
#include "vpn/tests/integration/cases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One call of swanctl, and what its output must hold. */
struct call {
	const char *args[4];
	const char *words[5];
};

static void call_swanctl(struct lab *lab, const struct call *call)
{
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	const char *const *word;
	int status = -1;

	lab_ok(lab, peer_swanctl(lab->gw, call->args, &status, &output, &msg), &msg, call->args[0]);
	if (status != 0)
		lab_fail(lab, "swanctl %s: status %d: %s", call->args[0], status, output.text);
	for (word = call->words; *word; word++)
		if (!strstr(output.text, *word))
			lab_fail(lab, "swanctl %s does not show \"%s\" but:\n%s", call->args[0],
				 *word, output.text);
	process_output_free(&output);
}

static const struct call calls_before[] = {
    {{"--version", NULL}, {"swanctl", NULL}},
    {{"--stats", NULL}, {"uptime", NULL}},
    {{"--list-conns", NULL},
     {"vps-cloud: IKEv2", "beet-vpn-ipv4-self: ", "local:  10.254.0.0/30", "fdc0:beef:2::/64",
      NULL}},
    {{"--list-certs", NULL}, {"CN=lab-gw", "CN=vps", "ED25519", NULL}},
    {{"--list-algs", NULL}, {"CHACHA20_POLY1305", "CURVE_25519", "PRF_HMAC_SHA2_384", NULL}},
    {{"--list-pools", NULL}, {"ula-v6", NULL}},
};

static const struct call calls_up[] = {
    {{"--list-sas", NULL},
     {"vps-cloud: #", "ESTABLISHED, IKEv2", "CHACHA20_POLY1305/PRF_HMAC_SHA2_384/CURVE_25519",
      "INSTALLED, TUNNEL-in-UDP, ESP:CHACHA20_POLY1305", NULL}},
    {{"--list-sas", "--raw", NULL}, {"state=ESTABLISHED", "mode=TUNNEL", NULL}},
    {{"--list-pols", NULL}, {NULL}},
    {{"--terminate", "--child", "beet-vpn-ipv6-self", NULL},
     {"terminate completed successfully", NULL}},
    {{"--initiate", "--child", "beet-vpn-ipv6-self", NULL},
     {"initiate completed successfully", NULL}},
};

static void make_calls(struct lab *lab, const struct call *calls, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		call_swanctl(lab, &calls[i]);
}

/* A swanctl that goes on printing events, a line at a time. */
static struct process *start_monitor(struct lab *lab, const char *option, const char *log)
{
	char uri[PEER_PATH_MAX + 32];
	const char *const argv[] = {"stdbuf", "-oL", "swanctl", option, "--uri", uri, NULL};
	const struct process_spec spec = {.node = peer_node(lab->gw), .argv = argv, .log = log};
	struct err_msg msg = {{0}};
	struct process *process;

	snprintf(uri, sizeof(uri), "unix://%s/charon.vici", peer_dir(lab->gw));
	lab_ok(lab, process_start(lab->net, &spec, &process, &msg), &msg, option);
	return process;
}

struct file_text {
	const char *path;
	const char *text;
};

static bool file_has(void *arg, char *seen, size_t cap)
{
	const struct file_text *want = arg;
	FILE *file = fopen(want->path, "re");
	char text[16384] = "";

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = 0;
		fclose(file);
	}
	snprintf(seen, cap, "%.200s", text);
	return strstr(text, want->text) != NULL;
}

static void expect_in_file(struct lab *lab, const char *path, const char *text)
{
	struct file_text want = {path, text};
	struct err_msg msg = {{0}};

	lab_ok(lab, wait_until(file_has, &want, UP_MS, text, &msg), &msg, path);
}

/* The document's files without start_action: these children come up when somebody asks. */
static void run_swanctl(const struct it_case *it, const struct peer_driver *gw,
			const struct peer_driver *vps)
{
	static const struct call initiate = {{"--initiate", "--child", "beet-vpn-ipv4-self", NULL},
					     {"initiate completed successfully", NULL}};
	static const struct call initiate6 = {{"--initiate", "--child", "beet-vpn-ipv6-self", NULL},
					      {"initiate completed successfully", NULL}};
	static const struct call terminate = {{"--terminate", "--ike", "vps-cloud", NULL},
					      {"terminate completed successfully", NULL}};
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct process *monitor, *log;
	char monitor_path[PEER_PATH_MAX], log_path[PEER_PATH_MAX];
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, true);
	lab_seed_keys(&lab);
	lab_seed_confs(&lab);
	conf_replace(lab.gw_conf, "start_action = start", "start_action = none");
	conf_replace(lab.vps_conf, "start_action = start", "start_action = none");
	lab_start(&lab);
	make_calls(&lab, calls_before, sizeof(calls_before) / sizeof(calls_before[0]));
	snprintf(monitor_path, sizeof(monitor_path), "%s/monitor", net_dir(lab.net));
	snprintf(log_path, sizeof(log_path), "%s/swanctl-log", net_dir(lab.net));
	monitor = start_monitor(&lab, "--monitor-sa", monitor_path);
	log = start_monitor(&lab, "--log", log_path);
	call_swanctl(&lab, &initiate);
	call_swanctl(&lab, &initiate6);
	lab_wait_children(&lab, 2);
	make_calls(&lab, calls_up, sizeof(calls_up) / sizeof(calls_up[0]));
	expect_in_file(&lab, log_path, "beet-vpn-ipv6-self");
	call_swanctl(&lab, &terminate);
	expect_in_file(&lab, monitor_path, "vps-cloud");
	process_stop(monitor, 2000);
	process_stop(log, 2000);
	lab_ok(&lab, peer_wait_sas(lab.vps, 0, UP_MS, &msg), &msg, "vps");
	lab_close(&lab);
}

struct cipher_pair {
	const char *ike;
	const char *esp;
};

/* Runs tshark with the gateway's key log as its configuration; the first lines that match. */
static void expect_tshark(struct lab *lab, const char *display_filter, const char *word)
{
	char config[PEER_PATH_MAX + 64];
	const char *const env[] = {config, NULL};
	const char *const argv[] = {"tshark",
				    "-r",
				    lab->outer_path,
				    "-o",
				    "esp.enable_encryption_decode:TRUE",
				    "-o",
				    "esp.enable_authentication_check:TRUE",
				    "-Y",
				    display_filter,
				    "-V",
				    NULL};
	const struct process_spec spec = {.argv = argv, .env = env};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = -1;

	snprintf(config, sizeof(config), "WIRESHARK_CONFIG_DIR=%s/keys", peer_dir(lab->gw));
	lab_ok(lab, process_run(lab->net, &spec, 60000, &status, &output, &msg), &msg, "tshark");
	if (status != 0 || !strstr(output.text, word))
		lab_fail(lab, "tshark -Y '%s' does not show \"%s\": status %d: %.2000s",
			 display_filter, word, status, output.text);
	process_output_free(&output);
}

static void run_tshark(const struct it_case *it, const struct peer_driver *gw,
		       const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	const struct cipher_pair *ciphers = it->data;
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	if (access("/usr/bin/tshark", X_OK) < 0) {
		printf("SKIP: tshark is not installed\n");
		exit(77);
	}
	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, false);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	gw_conf.proposals = vps_conf.proposals = ciphers->ike;
	gw_conf.children[0].esp_proposals = vps_conf.children[0].esp_proposals = ciphers->esp;
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_capture_outer(&lab);
	lab_start(&lab);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_ping(&lab, "vps", GW_TUN);
	lab_stop_capture(&lab);
	expect_tshark(&lab, "isakmp.exchangetype == 35 && isakmp.typepayload == 44",
		      "Payload: Traffic Selector - Initiator");
	expect_tshark(&lab, "icmp && ip.src == " VPS_TUN, "Echo (ping) request");
	expect_tshark(&lab, "icmp && ip.src == " GW_TUN, "Echo (ping) reply");
	lab_close(&lab);
}

static const struct cipher_pair gcm = {"aes256gcm16-prfsha384-curve25519", "aes128gcm16"};
static const struct cipher_pair cbc = {"aes256-sha256-curve25519", "aes256-sha512"};

/* A shell script in a peer's node, with its /etc/swanctl; $BEETCTL and $URI are set. */
static void run_script(struct lab *lab, struct peer *peer, const char *script)
{
	char beetctl[512], uri[PEER_PATH_MAX + 40], dir[PEER_PATH_MAX + 16];
	const char *const env[] = {beetctl, uri, NULL};
	const char *const argv[] = {"sh", "-euc", script, NULL};
	const struct process_bind bind = {.from = dir, .to = "/etc/swanctl"};
	const struct process_spec spec = {
	    .node = peer_node(peer), .argv = argv, .env = env, .binds = &bind, .binds_count = 1};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = -1;

	snprintf(beetctl, sizeof(beetctl), "BEETCTL=%s", BEETCTL_BUILT);
	snprintf(uri, sizeof(uri), "URI=unix://%s/charon.vici", peer_dir(peer));
	snprintf(dir, sizeof(dir), "%s/swanctl", peer_dir(peer));
	lab_ok(lab, process_run(lab->net, &spec, 30000, &status, &output, &msg), &msg, script);
	if (status != 0)
		lab_fail(lab, "%s: status %d: %s", script, status, output.text);
	process_output_free(&output);
}

static void exchange_certificates(struct lab *lab)
{
	char gw[PEER_PATH_MAX + 64], vps[PEER_PATH_MAX + 64];
	struct err_msg msg = {{0}};

	snprintf(gw, sizeof(gw), "%s/swanctl/x509/lab-gw-cert.pem", peer_dir(lab->gw));
	snprintf(vps, sizeof(vps), "%s/swanctl/x509/vps-cert.pem", peer_dir(lab->vps));
	lab_ok(lab, peer_copy(lab->vps, "x509/lab-gw-cert.pem", gw, &msg), &msg, "certificate");
	lab_ok(lab, peer_copy(lab->gw, "x509/vps-cert.pem", vps, &msg), &msg, "certificate");
}

/* The document from its part 3 on with our own tool alone; it drives strongSwan just as well. */
static void run_beetctl(const struct it_case *it, const struct peer_driver *gw,
			const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, true);
	lab_seed_confs(&lab);
	run_script(
	    &lab, lab.gw,
	    "$BEETCTL keygen lab-gw; test $(stat -c %a /etc/swanctl/private/lab-gw-key.pem) = 400");
	run_script(&lab, lab.vps, "$BEETCTL keygen vps");
	exchange_certificates(&lab);
	lab_start_unloaded(&lab);
	run_script(&lab, lab.vps, "$BEETCTL load-all --uri $URI");
	run_script(&lab, lab.gw, "$BEETCTL load-all --uri $URI");
	lab_wait_children(&lab, 3);
	lab_ping(&lab, "vps", "192.168.1.28");
	run_script(&lab, lab.gw,
		   "$BEETCTL list-sas --json --uri $URI | grep -q '\"ESTABLISHED\"'; "
		   "$BEETCTL list-sas --uri $URI | grep -q 'TUNNEL-in-UDP'; "
		   "$BEETCTL list-conns --uri $URI | grep -q beet-vpn-ipv6-self; "
		   "$BEETCTL list-certs --uri $URI | grep -q CN=vps; "
		   "$BEETCTL stats --uri $URI | grep -q uptime; "
		   "$BEETCTL terminate --child beet-vpn-ipv6-self --uri $URI; "
		   "$BEETCTL initiate beet-vpn-ipv6-self --uri $URI; "
		   "$BEETCTL terminate --ike vps-cloud --uri $URI");
	lab_ok(&lab, peer_wait_sas(lab.vps, 0, UP_MS, &msg), &msg, "vps");
	lab_close(&lab);
}

const struct it_case cases_tools[] = {
    {"beetctl", run_beetctl, NULL},
    {"swanctl", run_swanctl, NULL},
    {"tshark-aes-gcm", run_tshark, &gcm},
    {"tshark-aes-cbc", run_tshark, &cbc},
    {NULL, NULL, NULL},
};
