/* cases_misuse.c - what people do wrong: a configuration with mistakes, a daemon started where it
 * cannot run. Each gets a clear error, changes nothing and leaves nothing. */
#include "vpn/tests/integration/cases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A mistake that replaces a line of a configuration that works. */
static const struct {
	const char *right, *wrong;
} mistakes[] = {
    {"version = 2", "versoin = 2"},
    {"version = 2", "version = 3"},
    {"auth = psk", "auth = pks"},
    {"remote_ts = 10.254.0.1/32", "remote_ts = 10.254.0.1/33"},
    {"mobike = no", "mobike = perhaps"},
    {"children {", "children {\nbroken {\nesp_proposals = aes128-nonsense\n}\n"},
};

static void expect_refused(struct lab *lab, const char *right, const char *wrong)
{
	char conf[CONF_TEXT_MAX];
	struct err_msg msg = {{0}};

	snprintf(conf, sizeof(conf), "%s", lab->gw_conf);
	conf_replace(conf, right, wrong);
	if (strcmp(conf, lab->gw_conf) == 0)
		lab_fail(lab, "no mistake was made: \"%s\" is not in the configuration", right);
	if (peer_load(lab->gw, conf, &msg) != ERR_STATE)
		lab_fail(lab, "loaded with \"%s\"", wrong);
	printf("%s: %s\n", wrong, msg.text);
}

/* What was loaded before goes on working. */
static void run_bad_configuration(const struct it_case *it, const struct peer_driver *gw,
				  const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;
	size_t i;

	(void)it;
	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, false);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		expect_refused(&lab, mistakes[i].right, mistakes[i].wrong);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(&lab, 1);
	lab_ping(&lab, "vps", GW_TUN);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* A command line that must fail at once, and a word of why. $D is the peer's directory. */
static const struct {
	const char *command;
	const char *word;
} wrong_starts[] = {
    {"$BEETD --no-such-option", "no-such-option"},
    {"$BEETD --vici unix://$D/nowhere/v", "nowhere"},
    {"$BEETD --vici unix://$D/v --port 0 --port-natt 0 --config $D/no-such-file", "no-such-file"},
    {"printf 'connections {\\n a {\\n' >$D/half; $BEETD --vici unix://$D/v --port 0 --port-natt 0 "
     "--config $D/half",
     "half"},
    {"$BEETD --vici unix://$D/v --port 0 --port-natt 0 --events $D/nowhere/e", "nowhere"},
    {"$BEETD --vici unix://$D/v --port 123456", "123456"},
    /* The peer's own daemon has the ports, and its socket. */
    {"$BEETD --vici unix://$D/v", "500"},
    {"$BEETD --vici unix://$D/charon.vici --port 0 --port-natt 0", "charon.vici"},
    {"setpriv --reuid=65534 --regid=65534 --clear-groups "
     "$BEETD --vici tcp://127.0.0.1:4599 --port 0 --port-natt 0",
     "permi"},
};

static void expect_wrong_start(struct lab *lab, const char *command, const char *word)
{
	char beetd[512], dir[PEER_PATH_MAX + 8];
	const char *const env[] = {beetd, dir, NULL};
	const char *const argv[] = {"sh", "-c", command, NULL};
	const struct process_spec spec = {.node = peer_node(lab->gw), .argv = argv, .env = env};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = 0;

	snprintf(beetd, sizeof(beetd), "BEETD=%s", peer_beetd_path());
	snprintf(dir, sizeof(dir), "D=%s", peer_dir(lab->gw));
	lab_ok(lab, process_run(lab->net, &spec, 10000, &status, &output, &msg), &msg, command);
	printf("%s: status %d: %s\n", command, status, output.text);
	if (status == 0 || status >= 126)
		lab_fail(lab, "%s: status %d: %s", command, status, output.text);
	if (!strcasestr(output.text, word))
		lab_fail(lab, "%s does not say \"%s\" but: %s", command, word, output.text);
	process_output_free(&output);
}

static void run_misuse(const struct it_case *it, const struct peer_driver *gw,
		       const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	char *before, *after;
	struct lab lab;
	size_t i;

	(void)it;
	lab_open(&lab, &options, gw, vps);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	before = lab_node_state(&lab, lab.gw);
	for (i = 0; i < sizeof(wrong_starts) / sizeof(wrong_starts[0]); i++)
		expect_wrong_start(&lab, wrong_starts[i].command, wrong_starts[i].word);
	after = lab_node_state(&lab, lab.gw);
	if (strcmp(before, after) != 0)
		lab_fail(&lab, "something is left\n--- before\n%s--- after\n%s", before, after);
	if (!peer_is_running(lab.gw) || peer_count_sas(lab.gw) != 0)
		lab_fail(&lab, "the daemon that ran is hurt");
	free(before);
	free(after);
	lab_close(&lab);
}

const struct it_case cases_misuse[] = {
    {"bad-configuration", run_bad_configuration, NULL},
    {"misuse", run_misuse, NULL},
    {NULL, NULL, NULL},
};
