/* test_control_conn.c - load-conn: from the seed document's files to connections, defaults, every
 * refusal, and list-conns. */
#include "vpn/tests/control_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/config/load.h"
#include "vpn/tests/datafile.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- The seed's files --- */

/* Every certificate of the configuration is the test's one. */
static int read_cert(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		     struct err_msg *msg)
{
	char *data = malloc(DATAFILE_MAX);

	(void)ctx;
	(void)path;
	(void)msg;
	*ret_len = datafile("crypto/vps.pem", (uint8_t *)data).len;
	*ret_data = data;
	return 0;
}

static int no_paths(void *ctx, const char *pattern, struct conf_paths *ret_paths)
{
	(void)ctx;
	(void)pattern;
	*ret_paths = (struct conf_paths){0};
	return 0;
}

static void load_seed(const char *file)
{
	static const struct conf_fs fs = {NULL, read_cert, no_paths, no_paths};
	struct load_request request = {
	    .fs = &fs, .file = file, .dir = "/etc/swanctl", .what = LOAD_CONNS};
	uint8_t buf[DATAFILE_MAX];
	struct view text = datafile(file, buf), body;
	struct conf_diag diag = {0};
	struct ike_conn *conn;
	struct load_plan plan;
	struct vici_tree tree;

	assert_int_equal(
	    load_plan_make_text(&request, (const char *)text.p, text.len, &diag, &plan), 0);
	assert_int_equal(plan.n, 1);
	assert_int_equal(vici_finish(&plan.v[0].body, &body), 0);
	assert_int_equal(vici_parse(body, &tree, NULL), 0);
	assert_int_equal(control_conn_from_vici(tree.root->child, NULL, NULL, &conn, NULL), 0);
	node_load_conn(cp.a.node, conn, cp.now);
	vici_tree_free(&tree);
	load_plan_free(&plan);
}

static void check_ends(const struct ike_conn *conn)
{
	char text[IDENTITY_STRLEN];

	assert_int_equal(conn->local.auth, AUTH_CLASS_PUBKEY);
	assert_int_equal(conn->local.certs.n, 1);
	assert_int_equal(conn->remote.certs.n, 1);
	assert_string_equal(identity_format(&conn->local.id, text, sizeof(text)),
			    "C=FR, O=inetdoc.net, CN=vps");
	assert_string_equal(identity_format(&conn->remote.id, text, sizeof(text)),
			    "C=FR, O=inetdoc.net, CN=lab-gw");
	assert_int_equal(conn->n_local_addrs, 1);
	assert_int_equal(conn->n_remote_addrs, 1);
	assert_false(ip_addr_is_set(&conn->remote_addrs[0].lo));
}

static void check_child(const struct child_cfg *child, const char *name, const char *local,
			const char *remote)
{
	char text[TS_STRLEN];

	assert_string_equal(child->name, name);
	assert_string_equal(ts_format(&child->local_ts.v[0], text, sizeof(text)), local);
	assert_string_equal(ts_format(&child->remote_ts.v[0], text, sizeof(text)), remote);
	assert_int_equal(child->mode, IPSEC_BEET);
	assert_int_equal(child->if_id_in, 1);
	assert_int_equal(child->if_id_out, 1);
	assert_int_equal(child->set_mark_in.value, 1);
	assert_int_equal(child->set_mark_in.mask, UINT32_MAX);
	assert_int_equal(child->set_mark_out.value, 1);
	assert_int_equal(child->start_action, ACTION_START);
	assert_int_equal(child->dpd_action, ACTION_NONE);
	assert_int_equal(child->proposals.n, 1);
	assert_int_equal(child->time.rekey, 3600);
	assert_int_equal(child->time.life, 3960);
	assert_int_equal(child->time.rand, 360);
	assert_int_equal(child->replay_window, 32);
}

static void the_seed_file_becomes_its_connection(void **state)
{
	const struct ike_conn *conn;

	(void)state;
	load_seed("seed-vps.conf");
	conn = node_conn(cp.a.node, 0);
	assert_string_equal(conn->name, "home-lab");
	check_ends(conn);
	assert_true(conn->encap);
	assert_false(conn->mobike);
	assert_int_equal(conn->dpd_delay, 60);
	assert_int_equal(conn->rekey_time, 14400);
	assert_int_equal(conn->over_time, 1440);
	assert_int_equal(conn->n_children, 3);
	check_child(&conn->children[0], "beet-vpn-ipv4-self", "10.254.0.0/30", "10.254.0.0/30");
	check_child(&conn->children[1], "beet-vpn-ipv4", "10.254.0.0/30", "192.168.1.0/24");
	check_child(&conn->children[2], "beet-vpn-ipv6-self", "fdc0:beef:1::/64",
		    "fdc0:beef:2::/64");
}

/* --- Options --- */

static const struct ike_conn *load(const char *lines)
{
	char message[2000];

	snprintf(message, sizeof(message), "c {\n%s\n}", lines);
	assert_string_equal(cp_ask(&cp.a, "load-conn", message), CP_OK);
	return node_conn(cp.a.node, 0);
}

static void defaults_are_strongswans(void **state)
{
	const struct ike_conn *c = load("children {\nx {\n}\n}");
	const struct child_cfg *x = &c->children[0];

	(void)state;
	assert_int_equal(c->local_port, 500);
	assert_true(c->mobike && c->send_certreq && !c->encap);
	assert_int_equal(c->unique, UNIQUE_NO);
	assert_int_equal(c->keyingtries, 1);
	assert_int_equal(c->local.auth, AUTH_CLASS_PUBKEY);
	assert_int_equal(c->remote.id.type, ID_ANY);
	assert_true(c->proposals.n > 0 && x->proposals.n > 0);
	assert_int_equal(x->mode, IPSEC_TUNNEL);
	assert_int_equal(x->local_ts.n, 1);
	assert_true(x->local_ts.v[0].dynamic && x->remote_ts.v[0].dynamic);
	assert_true(x->copy_df && x->copy_ecn && x->policies && !x->sha256_96);
	assert_int_equal(x->copy_dscp, IPSEC_DSCP_OUT);
	assert_int_equal(x->bytes.life, 0);
	assert_int_equal(x->set_mark_in.mask, 0);
}

static void lifetimes_depend_on_each_other(void **state)
{
	const struct ike_conn *c = load("rekey_time = 1h\nchildren {\nx {\nrekey_bytes = 1000\n"
					"life_packets = 50\nrekey_packets = 40\nrekey_time = 10m\n"
					"life_time = 20m\nrand_time = 1m\n}\n}");
	const struct child_cfg *x = &c->children[0];

	(void)state;
	assert_int_equal(c->rekey_time, 3600);
	assert_int_equal(c->over_time, 360);
	assert_int_equal(c->rand_time, 360);
	assert_int_equal(x->bytes.rekey, 1000);
	assert_int_equal(x->bytes.life, 1100);
	assert_int_equal(x->bytes.rand, 100);
	assert_int_equal(x->packets.rand, 10);
	assert_int_equal(x->time.rekey, 600);
	assert_int_equal(x->time.life, 1200);
	assert_int_equal(x->time.rand, 60);
}

static void options_reach_their_fields(void **state)
{
	const struct ike_conn *c =
	    load("keyingtries = %forever\nunique = replace\nsend_cert = never\nif_id_in = 7\n"
		 "if_id_out = 0x8\nremote_port = 4501\n[remote_addrs] 192.0.2.1 vpn.example %any\n"
		 "children {\nx {\nmode = beet\nif_id_in = 9\ncopy_dscp = yes\ntcp_mss = path\n"
		 "tfc_padding = mtu\nreplay_window = 4096\nset_mark_out = 0x2/0xf\n"
		 "close_action = restart\nstart_action = trap\nreqid = 5\npolicies = no\n"
		 "sha256_96 = yes\n"
		 "}\n}");
	const struct child_cfg *x = &c->children[0];

	(void)state;
	assert_int_equal(c->keyingtries, 0);
	assert_int_equal(c->unique, UNIQUE_REPLACE);
	assert_int_equal(c->send_cert, SEND_CERT_NEVER);
	assert_int_equal(c->remote_port, 4501);
	assert_int_equal(c->n_remote_addrs, 3);
	assert_string_equal(c->remote_addrs[1].name, "vpn.example");
	assert_int_equal(x->if_id_in, 9);
	assert_int_equal(x->if_id_out, 8);
	assert_true(x->sha256_96);
	assert_int_equal(x->copy_dscp, IPSEC_DSCP_OUT | IPSEC_DSCP_IN);
	assert_int_equal(x->mss_clamp, 1);
	assert_int_equal(x->tfc_padding, UINT16_MAX);
	assert_int_equal(x->replay_window, 4096);
	assert_int_equal(x->set_mark_out.value, 2);
	assert_int_equal(x->set_mark_out.mask, 15);
	assert_int_equal(x->close_action, ACTION_START);
	assert_int_equal(x->start_action, ACTION_TRAP);
	assert_int_equal(x->reqid, 5);
	assert_false(x->policies);
}

static const struct {
	const char *lines, *says;
} refused[] = {
    {"frob = 1", "errmsg = unknown option 'frob'\n"},
    {"version = 1", "errmsg = version = 1: this value is not supported\n"},
    {"dpd_delay = soon", "errmsg = dpd_delay = soon: expected a time"},
    {"[dpd_delay] 1 2", "errmsg = dpd_delay: a list where one value is expected\n"},
    {"[vips] 0.0.0.0", "errmsg = vips is not supported"},
    {"[remote_addrs] 10.0.0", "errmsg = remote_addrs = 10.0.0: expected an address"},
    {"[proposals] aes256-frob", "errmsg = proposals = aes256-frob: "},
    {"frob {\n}", "errmsg = unknown section 'frob'\n"},
    {"local {\nauth = eap\n}", "errmsg = local.auth = eap: EAP is not supported\n"},
    {"local-1 {\n}\nlocal-2 {\n}",
     "errmsg = a second authentication round ('local-2') is not supported\n"},
    {"local {\n[certs] junk\n}", "errmsg = local.certs: "},
    {"remote {\ncert1 {\n}\n}", "errmsg = remote.unknown section 'cert1'\n"},
    {"children {\nx {\nmode = transport\n}\n}",
     "errmsg = children.x.mode = transport: this value is not supported\n"},
    {"children {\nx {\n[local_ts] 10.0.0.0/40\n}\n}",
     "errmsg = children.x.local_ts = 10.0.0.0/40: expected a traffic selector"},
    {"children {\nx {\n[esp_proposals] frob\n}\n}", "errmsg = children.x.esp_proposals = frob: "},
    {"children {\nx = 1\n}", "errmsg = children.x.'x' must be a section\n"},
};

static void what_is_wrong_is_named_with_its_path(void **state)
{
	char message[500];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++) {
		snprintf(message, sizeof(message), "c {\n%s\n}", refused[i].lines);
		cp_assert_has(cp_ask(&cp.a, "load-conn", message), "success = no\n");
		cp_assert_has(cp_ask(&cp.a, "load-conn", message), refused[i].says);
		assert_int_equal(node_conn_count(cp.a.node), 0);
	}
	cp_assert_has(cp_ask(&cp.a, "load-conn", ""), "success = no\n");
	cp_assert_has(cp_ask(&cp.a, "load-conn", "c = 1"), "success = no\n");
}

static void connections_are_listed_and_unloaded(void **state)
{
	const char *text;

	(void)state;
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.a, "get-conns", ""), "CMD_RESPONSE \nconns = home\n");
	cp_register(&cp.a, "list-conn");
	cp_send(&cp.a, "list-conns", "");
	cp_settle();
	text = cp_next(&cp.a);
	cp_assert_has(text,
		      "EVENT list-conn\nhome.local_addrs = %any\nhome.remote_addrs = 192.0.2.2\n"
		      "home.version = IKEv2\nhome.reauth_time = 0\nhome.rekey_time = 14400\n"
		      "home.unique = UNIQUE_NO\n");
	cp_assert_has(text, "home.local-1.class = pre-shared key\n");
	cp_assert_has(text, "home.children.net.mode = TUNNEL\n");
	cp_assert_has(text, "home.children.net.local-ts = 10.1.0.0/16\n");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	assert_string_equal(cp_ask(&cp.a, "unload-conn", "name = home"), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "unload-conn", "name = home"), "not found");
	cp_assert_has(cp_ask(&cp.a, "unload-conn", ""), "the command needs 'name'");
}

static void trap_policies_are_listed(void **state)
{
	(void)state;
	load("children {\nx {\nstart_action = trap\n[local_ts] 10.0.0.0/8\n}\ny {\n}\n}");
	cp_register(&cp.a, "list-policy");
	cp_send(&cp.a, "list-policies", "trap = yes\ndrop = yes\npass = yes");
	cp_settle();
	cp_assert_has(cp_next(&cp.a), "EVENT list-policy\nc/x.child = x\nc/x.ike = c\n"
				      "c/x.mode = TUNNEL\nc/x.local-ts = 10.0.0.0/8\n");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	assert_string_equal(cp_ask(&cp.a, "list-policies", "drop = yes"), "CMD_RESPONSE \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CP_CASE(the_seed_file_becomes_its_connection),
	    CP_CASE(defaults_are_strongswans),
	    CP_CASE(lifetimes_depend_on_each_other),
	    CP_CASE(options_reach_their_fields),
	    CP_CASE(what_is_wrong_is_named_with_its_path),
	    CP_CASE(connections_are_listed_and_unloaded),
	    CP_CASE(trap_policies_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
