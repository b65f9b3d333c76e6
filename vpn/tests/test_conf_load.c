/* test_conf_load.c - from swanctl.conf to vici messages.
 *
 * data/seed-*.conf are the seed document's two files with addresses filled in; data/seed-*.messages
 * is what strongSwan 5.9.8's own swanctl sends for them (pools and connections), written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vpn/config/load.h"
#include "vpn/tests/fake_fs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *read_data(const char *name)
{
	const char *dir = getenv("TEST_DATA");
	char path[500], *text;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "vpn/tests/data", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	text = calloc(1, 65536);
	len = fread(text, 1, 65535, f);
	assert_true(len > 0);
	fclose(f);
	return text;
}

/* Indented as the data files are. */
static void dump(FILE *out, const struct vici_node *node, int depth, bool in_list)
{
	for (; node; node = node->next) {
		fprintf(out, "%*s", depth * 2, "");
		if (node->kind == VICI_VALUE) {
			fprintf(out, "%s%s%s\n", node->name, in_list ? "" : " = ", node->text);
			continue;
		}
		fprintf(out, "%s%s\n", node->name, node->kind == VICI_LIST ? " = [" : " {");
		dump(out, node->child, depth + 1, node->kind == VICI_LIST);
		fprintf(out, "%*s%c\n", depth * 2, "", node->kind == VICI_LIST ? ']' : '}');
	}
}

static char *dump_plan(struct load_plan *plan)
{
	struct vici_tree tree;
	struct view octets;
	char *text;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < plan->n; i++) {
		fprintf(out, "%s\n", plan->v[i].command);
		assert_int_equal(vici_finish(&plan->v[i].body, &octets), 0);
		assert_int_equal(vici_parse(octets, &tree, NULL), 0);
		dump(out, tree.root->child, 0, false);
		vici_tree_free(&tree);
	}
	fclose(out);
	return text;
}

struct loading {
	const struct fake_file *files;
	unsigned what;
	bool permissive;
};

static int load(const struct loading *how, const char *text, struct said *said,
		struct load_plan *ret_plan)
{
	struct fake_fs fake = {how->files};
	struct conf_fs fs = {&fake, fake_read, fake_glob, fake_list};
	struct conf_diag diag = {.ctx = said, .say = say};
	struct load_request request = {.fs = &fs,
				       .file = "x.conf",
				       .dir = "/sw",
				       .what = how->what ? how->what : LOAD_ALL,
				       .permissive = how->permissive};

	said->text[0] = '\0';
	return load_plan_make_text(&request, text, strlen(text), &diag, ret_plan);
}

static void the_seed_files_give_the_messages_that_swanctl_sends(void **state)
{
	static const struct fake_file files[] = {
	    {"/etc/swanctl/x509/vps-cert.pem", "<vps-cert.pem>"},
	    {"/etc/swanctl/x509/lab-gw-cert.pem", "<lab-gw-cert.pem>"},
	    {NULL, NULL}};
	static const char *const names[][2] = {{"seed-vps.conf", "seed-vps.messages"},
					       {"seed-lab-gw.conf", "seed-lab-gw.messages"}};
	struct loading how = {.files = files};
	struct load_plan plan;
	struct said said;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		char *text = read_data(names[i][0]), *expected = read_data(names[i][1]), *got;

		assert_int_equal(load(&how, text, &said, &plan), 0);
		got = dump_plan(&plan);
		assert_string_equal(got, expected);
		assert_string_equal(said.text, "");
		load_plan_free(&plan);
		free(got);
		free(text);
		free(expected);
	}
}

static const struct {
	const char *text, *says;
} refused[] = {
    {"connections { c {\n aggressive = yes\n } }",
     "E x.conf:2: aggressive is not supported (IKEv1 only)\n"},
    {"connections { c {\n version = 1\n } }",
     "E x.conf:2: version = 1: this value is not supported\n"},
    {"connections { c {\n version = 3\n } }", "E x.conf:2: version = 3: expected one of 0|2\n"},
    {"connections { c {\n dpd_dealy = 1s\n } }",
     "E x.conf:2: unknown option 'dpd_dealy' (did you mean 'dpd_delay'?)\n"},
    {"connections { c {\n\n frob = 1s\n } }", "E x.conf:3: unknown option 'frob'\n"},
    {"connections { c {\n dpd_delay = 1x\n encap = maybe\n } }",
     "E x.conf:2: dpd_delay = 1x: expected a time such as 90, 60s, 5m, 4h or 1d\n"
     "E x.conf:3: encap = maybe: expected yes or no\n"},
    {"connections { c { children { x {\n mode = transport\n } } } }",
     "E x.conf:2: mode = transport: this value is not supported\n"},
    {"connections { c { children { x {\n local_ts = 10.0.0.0/8, 1.2.3\n } } } }",
     "E x.conf:2: local_ts = 1.2.3: expected a traffic selector such as 10.0.0.0/8 or "
     "dynamic[tcp/80]\n"},
    {"connections { c { children {\n mode = beet\n } } }",
     "E x.conf:2: 'mode' stands in 'children' but in no child\n"},
    {"connections { c { children { x { y {\n } } } } }",
     "E x.conf:1: unknown section 'y' in a child\n"},
    {"connections {\n a = 1\n }",
     "E x.conf:2: 'a' stands in 'connections' but in none of its sections\n"},
    {"connections { c {\n foo { } } }", "E x.conf:2: unknown section 'foo' in a connection\n"},
    {"connections { c { local-1 { }\n local-2 { } } }",
     "E x.conf:2: a second authentication round ('local-2') is not supported\n"},
    {"connections { c { local {\n certs = a.pem\n } } }",
     "E x.conf:2: certs: cannot read '/sw/x509/a.pem': No such file or directory\n"},
    {"connections { c { remote {\n cacerts = /a.pem\n } } }",
     "E x.conf:2: cacerts: cannot read '/a.pem': No such file or directory\n"},
    {"connections { c { local {\n auth = eap-tls\n } } }",
     "E x.conf:2: auth = eap-tls: EAP is not supported\n"},
    {"connections { c { local { cert1 { }\n } } }", "E x.conf:1: cert1 needs the option 'file'\n"},
    {"connections { c { remote_addrs = a b\n } }",
     "E x.conf:1: remote_addrs = a b: expected an address, prefix, range, %any or a host name\n"},
    {"connections { c {\n if_id_in = %unique\n } }",
     "E x.conf:2: if_id_in = %unique: a value that is not fixed is not supported\n"},
    {"secrets { ike {\n id = a\n } }", "E x.conf:1: secret 'ike' needs the option 'secret'\n"},
    {"secrets { ike {\n secret = 0xZZ\n } }",
     "E x.conf:2: secret: malformed hexadecimal behind 0x\n"},
    {"secrets { ike {\n secret = 0sA\n } }", "E x.conf:2: secret: malformed base64 behind 0s\n"},
    {"secrets { ike {\n secret = \"\"\n } }", "E x.conf:2: secret: empty\n"},
    {"secrets { token1 {\n } }", "E x.conf:1: secrets of the kind 'token1' are not supported\n"},
    {"pools { p {\n dns = 1.1.1.1\n } }",
     "E x.conf:1: pool 'p' needs the option 'addrs'\n"
     "W x.conf:2: dns has no effect (pools are not handed out)\n"},
    {"pools { p {\n addrs = dynamic\n } }",
     "E x.conf:2: addrs = dynamic: expected a prefix or a range of addresses\n"},
    {"authorities { a { } }", "E x.conf:1: authority 'a' needs the option 'cacert'\n"},
};

static void what_is_not_supported_is_an_error_with_file_line_and_option(void **state)
{
	struct loading how = {0};
	struct load_plan plan = {0};
	struct said said;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++) {
		assert_int_not_equal(load(&how, refused[i].text, &said, &plan), 0);
		assert_string_equal(said.text, refused[i].says);
		assert_int_equal(plan.n, 0);
	}
}

static void what_is_harmless_warns_and_is_left_out(void **state)
{
	struct loading how = {0};
	struct load_plan plan;
	struct said said;
	char *got;

	(void)state;
	assert_int_equal(load(&how,
			      "connections { c {\n dpd_timeout = 5s\n ocsp = never\n"
			      " aggressive = no\n vips = \"\"\n} }\n"
			      "secrets { eap-1 { secret = x\n } }\nconections { d { } }\nx = y\n",
			      &said, &plan),
			 0);
	got = dump_plan(&plan);
	assert_string_equal(got, "load-conn\nc {\n  aggressive = no\n  vips = [\n  ]\n}\n");
	assert_string_equal(
	    said.text, "W x.conf:7: secret 'eap-1' has no effect: eap is not supported\n"
		       "W x.conf:2: dpd_timeout = 5s has no effect (IKEv1 only)\n"
		       "W x.conf:3: ocsp = never has no effect\n"
		       "W x.conf:10: 'x' stands outside of all sections and has no effect\n"
		       "W x.conf:9: section 'conections' has no effect: nothing refers to it\n");
	free(got);
	load_plan_free(&plan);
}

static void lists_are_split_and_files_are_put_in(void **state)
{
	static const struct fake_file files[] = {{"/sw/x509/a.pem", "A"},
						 {"/sw/x509ca/ca.pem", "CA"},
						 {"/abs.pem", "ABS"},
						 {NULL, NULL}};
	struct loading how = {.files = files, .what = LOAD_CONNS | LOAD_AUTHORITIES};
	struct load_plan plan;
	struct said said;
	char *got;

	(void)state;
	assert_int_equal(
	    load(&how,
		 "connections { c { local_addrs = 10.0.0.1, fd00::1 ,vpn.example,\n"
		 " local { certs = a.pem, /abs.pem\n }\n"
		 " remote { cert1 { file = a.pem\n } cacert1 { file = /abs.pem\n } } } }\n"
		 "authorities { x { cacert = ca.pem\n } y { file = /abs.pem\n } }",
		 &said, &plan),
	    0);
	got = dump_plan(&plan);
	assert_string_equal(got,
			    "load-authority\nx {\n  cacert = CA\n}\n"
			    "load-authority\ny {\n  cacert = ABS\n}\n"
			    "load-conn\nc {\n"
			    "  local_addrs = [\n    10.0.0.1\n    fd00::1\n    vpn.example\n  ]\n"
			    "  local {\n    certs = [\n      A\n      ABS\n    ]\n  }\n"
			    "  remote {\n    certs = [\n      A\n    ]\n"
			    "    cacerts = [\n      ABS\n    ]\n  }\n}\n");
	free(got);
	load_plan_free(&plan);
}

static void the_directories_are_loaded(void **state)
{
	static const struct fake_file files[] = {{"/sw/x509/a.pem", "A"},
						 {"/sw/x509/.hidden", "H"},
						 {"/sw/x509ca/ca.pem", "CA"},
						 {"/sw/private/k.pem", "K"},
						 {"/sw/rsa/r.pem", "R"},
						 {"/sw/x509crl/crl.pem", "L"},
						 {NULL, NULL}};
	struct loading how = {.files = files, .what = LOAD_CREDS};
	struct load_plan plan;
	struct said said;
	char *got;

	(void)state;
	assert_int_equal(
	    load(&how, "secrets { private-1 { file = k.pem\n secret = pw\n } }", &said, &plan), 0);
	got = dump_plan(&plan);
	assert_string_equal(got, "load-cert\ntype = X509\nflag = NONE\ndata = A\n"
				 "load-cert\ntype = X509\nflag = CA\ndata = CA\n"
				 "load-key\ntype = any\n"
				 "load-key\ntype = rsa\n");
	assert_int_equal(plan.v[2].key_len, 1);
	assert_memory_equal(plan.v[2].key, "K", 1);
	assert_string_equal(plan.v[2].passphrase, "pw");
	assert_null(plan.v[3].passphrase);
	assert_string_equal(
	    said.text, "W /sw/x509crl/crl.pem: not loaded: nothing uses what is in x509crl/\n");
	free(got);
	load_plan_free(&plan);
}

static void secrets_are_text_hex_or_base64_with_owners(void **state)
{
	struct loading how = {.what = LOAD_CREDS};
	struct load_plan plan;
	struct said said;
	char *got;

	(void)state;
	assert_int_equal(
	    load(&how,
		 "secrets {\n ike-1 { secret = \"foo bar\"\n id-a = a, b\n id = c\n }\n"
		 " ike2 { secret = 0x414243\n }\n ike3 { secret = 0sQUJDRA==\n }\n"
		 " ike4 { secret = 0sQUI\n } }",
		 &said, &plan),
	    0);
	got = dump_plan(&plan);
	assert_string_equal(
	    got, "load-shared\nid = ike-1\ntype = ike\ndata = foo bar\nowners = [\n  a, b\n  c\n]\n"
		 "load-shared\nid = ike2\ntype = ike\ndata = ABC\nowners = [\n]\n"
		 "load-shared\nid = ike3\ntype = ike\ndata = ABCD\nowners = [\n]\n"
		 "load-shared\nid = ike4\ntype = ike\ndata = AB\nowners = [\n]\n");
	free(got);
	load_plan_free(&plan);
}

static void a_permissive_request_sends_everything(void **state)
{
	struct loading how = {.what = LOAD_CONNS, .permissive = true};
	struct load_plan plan;
	struct said said;
	char *got;

	(void)state;
	assert_int_equal(
	    load(&how,
		 "connections { c { aggressive = yes\n frob = 1\n local-1 { } local-2 { } } }",
		 &said, &plan),
	    0);
	got = dump_plan(&plan);
	assert_string_equal(got, "load-conn\nc {\n  aggressive = yes\n  frob = 1\n  local-1 {\n  "
				 "}\n  local-2 {\n  }\n}\n");
	assert_string_equal(said.text, "");
	free(got);
	load_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_seed_files_give_the_messages_that_swanctl_sends),
	    cmocka_unit_test(what_is_not_supported_is_an_error_with_file_line_and_option),
	    cmocka_unit_test(what_is_harmless_warns_and_is_left_out),
	    cmocka_unit_test(lists_are_split_and_files_are_put_in),
	    cmocka_unit_test(the_directories_are_loaded),
	    cmocka_unit_test(secrets_are_text_hex_or_base64_with_owners),
	    cmocka_unit_test(a_permissive_request_sends_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
