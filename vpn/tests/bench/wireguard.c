/* wireguard.c - starts wireguard-go in the foreground and sets it up with wg(8).
 *
 * Each has a /run of its own, where its control socket is; wg enters the same namespaces. The
 * interface keeps the MTU of 1420 that wireguard-go gives it: right for an outer MTU of 1500. The
 * responder is there first, or the first handshake is lost and the next is tried 5 s later. */
#include "vpn/tests/bench/wireguard.h"
#include "vpn/tests/bench/stage.h"
#include <stdio.h>
#include <string.h>

#define UP_MS 10000

static bool in_path(const char *program)
{
	char command[64];
	FILE *pipe;
	bool found;

	snprintf(command, sizeof(command), "command -v %s 2>/dev/null", program);
	pipe = popen(command, "r");
	found = pipe && fgetc(pipe) != EOF;
	if (pipe)
		pclose(pipe);
	return found;
}

const char *wireguard_missing(void)
{
	if (!in_path("wireguard-go"))
		return "wireguard-go is not installed";
	if (!in_path("wg"))
		return "wg (wireguard-tools) is not installed";
	return NULL;
}

const char *wireguard_version(void)
{
	static char version[64] = "wireguard-go";
	FILE *pipe = popen("wireguard-go --version 2>/dev/null", "r");

	if (pipe && fgets(version, sizeof(version), pipe))
		version[strcspn(version, "\n")] = 0;
	if (pipe)
		pclose(pipe);
	return version;
}

static int start(struct net *net, const char *node, struct process **ret_process,
		 struct err_msg *msg)
{
	static const char *const argv[] = {"wireguard-go", "-f", "wg0", NULL};
	static const char *const env[] = {"LOG_LEVEL=error", "WG_PROCESS_FOREGROUND=1", NULL};
	const struct process_spec spec = {
	    .node = node, .argv = argv, .env = env, .private_run = true};

	return process_start(net, &spec, ret_process, msg);
}

struct asked {
	struct net *net;
	struct process *process;
};

static bool answers(void *arg, char *seen, size_t cap)
{
	static const char *const none[4] = {"", "", "", ""};
	const struct asked *asked = arg;
	struct err_msg msg = {{0}};
	int err = stage_script(asked->net, process_pid(asked->process), "wg show wg0", none, &msg);

	snprintf(seen, cap, "%s", msg.text);
	return err == 0;
}

/* $1: directory, $2: name, $3: inner address, $4: listening port */
static const char script_key[] =
    "umask 077; cd \"$1\"; wg genkey >wg-$2.key; wg pubkey <wg-$2.key >wg-$2.pub\n"
    "wg set wg0 private-key wg-$2.key listen-port $4\n"
    "ip address add $3/32 dev wg0; ip link set wg0 up\n";
/* $1: directory, $2: the other's name, $3: its inner address, $4: its outer address and port */
static const char script_peer[] =
    "cd \"$1\"; wg set wg0 peer \"$(cat wg-$2.pub)\" allowed-ips $3/32 endpoint $4\n"
    "ip route add $3/32 dev wg0\n";

static int set_up(struct net *net, const struct wireguard *wg, struct err_msg *msg)
{
	const char *const key_a[4] = {net_dir(net), "a", A_INNER, "51820"};
	const char *const key_b[4] = {net_dir(net), "b", B_INNER, "51820"};
	const char *const peer_a[4] = {net_dir(net), "b", B_INNER, B_OUTER ":51820"};
	const char *const peer_b[4] = {net_dir(net), "a", A_INNER, A_OUTER ":51820"};
	int err = stage_script(net, process_pid(wg->b), script_key, key_b, msg);

	if (err == 0)
		err = stage_script(net, process_pid(wg->a), script_key, key_a, msg);
	if (err == 0)
		err = stage_script(net, process_pid(wg->b), script_peer, peer_b, msg);
	if (err == 0)
		err = stage_script(net, process_pid(wg->a), script_peer, peer_a, msg);
	return err;
}

static int start_one(struct net *net, const char *node, struct process **ret_process,
		     struct err_msg *msg)
{
	struct asked asked = {.net = net};
	int err = start(net, node, &asked.process, msg);

	if (err < 0)
		return err;
	*ret_process = asked.process;
	return process_wait_until(asked.process, answers, &asked, UP_MS, "wg show", msg);
}

int wireguard_up(struct net *net, struct wireguard *ret_wg, struct err_msg *msg)
{
	struct wireguard wg = {NULL, NULL};
	int err = start_one(net, "b", &wg.b, msg);

	if (err == 0)
		err = start_one(net, "a", &wg.a, msg);
	if (err == 0)
		err = set_up(net, &wg, msg);
	if (err < 0)
		wireguard_down(&wg);
	else
		*ret_wg = wg;
	return err;
}

void wireguard_down(struct wireguard *wg)
{
	process_stop(wg->a, 1000);
	process_stop(wg->b, 1000);
	*wg = (struct wireguard){NULL, NULL};
}
