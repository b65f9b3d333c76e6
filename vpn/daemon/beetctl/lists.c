/* lists.c - connections, policies, pools, authorities and algorithms, as swanctl shows them.
 *
 * Fields that a daemon does not send are left out or shown as '?': charon and beetd need not send
 * the same. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <string.h>

/* --- Connections --- */

static bool is_set(const char *number)
{
	return number && strcmp(number, "0") != 0;
}

static void print_auth(const struct vici_node *auth)
{
	bool local = !strncmp(auth->name, "local", 5);
	const struct vici_node *item, *list;
	static const char *const lists[] = {"certs", "cacerts"};
	const char *id = vici_text(auth, "id");
	size_t i;

	printf("  %s %s authentication:\n", local ? "local" : "remote",
	       text_at(auth, "class", "?"));
	if (id)
		printf("    id: %s\n", id);
	for (i = 0; i < 2; i++) {
		list = vici_find(auth, lists[i]);
		for (item = list ? list->child : NULL; item; item = item->next)
			printf("    %s: %s\n", lists[i], item->text);
	}
}

static void print_child_config(const struct vici_node *child)
{
	const char *rekey = vici_text(child, "rekey_time"),
		   *bytes = vici_text(child, "rekey_bytes");
	const char *packets = vici_text(child, "rekey_packets");
	const char *dpd = vici_text(child, "dpd_action"), *start = vici_text(child, "start_action");

	printf("  %s: %s", child->name, text_at(child, "mode", "?"));
	if (is_set(rekey))
		printf(", rekeying every %ss", rekey);
	if (is_set(bytes))
		printf(" or %s bytes", bytes);
	if (is_set(packets))
		printf(" or %s packets", packets);
	if (!is_set(rekey) && !is_set(bytes) && !is_set(packets))
		printf(", no rekeying");
	if (start && strcmp(start, "none") != 0)
		printf(", start action is %s", start);
	if (dpd && strcmp(dpd, "none") != 0)
		printf(", dpd action is %s", dpd);
	putchar('\n');
	print_list("    ", "local:  ", vici_find(child, "local-ts"));
	print_list("    ", "remote: ", vici_find(child, "remote-ts"));
}

static void print_conn(const struct vici_node *conn)
{
	const char *reauth = vici_text(conn, "reauth_time"), *rekey = vici_text(conn, "rekey_time");
	const char *dpd = vici_text(conn, "dpd_delay");
	const struct vici_node *node, *child;

	printf("%s: %s", conn->name, text_at(conn, "version", "?"));
	printf(is_set(reauth) ? ", reauthentication every %ss" : ", no reauthentication", reauth);
	printf(is_set(rekey) ? ", rekeying every %ss" : ", no rekeying", rekey);
	if (is_set(dpd))
		printf(", dpd delay %ss", dpd);
	putchar('\n');
	print_list("  ", "local:  ", vici_find(conn, "local_addrs"));
	print_list("  ", "remote: ", vici_find(conn, "remote_addrs"));
	for (node = conn->child; node; node = node->next)
		if (node->kind == VICI_SECTION && strcmp(node->name, "children") != 0)
			print_auth(node);
	node = vici_find(conn, "children");
	for (child = node ? node->child : NULL; child; child = child->next)
		print_child_config(child);
}

static void print_conns(struct cli *cli, const struct vici_node *message)
{
	const struct vici_node *conn;

	(void)cli;
	for (conn = message->child; conn; conn = conn->next)
		print_conn(conn);
}

enum exit_code run_list_conns(struct cli *cli)
{
	struct vici_writer body = {0};
	enum exit_code code;

	put_text(&body, "ike", cli->args.ike);
	code = stream(cli, "list-conns", "list-conn", &body, print_conns);
	vici_writer_free(&body);
	return code;
}

/* --- Policies --- */

static void print_policies(struct cli *cli, const struct vici_node *message)
{
	const struct vici_node *policy;

	(void)cli;
	for (policy = message->child; policy; policy = policy->next) {
		printf("%s, %s\n", policy->name, text_at(policy, "mode", "?"));
		print_list("  ", "local:  ", vici_find(policy, "local-ts"));
		print_list("  ", "remote: ", vici_find(policy, "remote-ts"));
	}
}

enum exit_code run_list_policies(struct cli *cli)
{
	const struct args *a = &cli->args;
	bool any = !a->trap && !a->drop && !a->pass;
	struct vici_writer body = {0};
	enum exit_code code;

	put_flag(&body, "trap", a->trap || any);
	put_flag(&body, "drop", a->drop || any);
	put_flag(&body, "pass", a->pass || any);
	put_text(&body, "child", a->child);
	code = stream(cli, "list-policies", "list-policy", &body, print_policies);
	vici_writer_free(&body);
	return code;
}

/* --- Authorities --- */

static void print_uris(const struct vici_node *authority, const char *name)
{
	const struct vici_node *list = vici_find(authority, name), *item;

	for (item = list ? list->child : NULL; item; item = item->next)
		printf("  %s: %s\n", name, item->text);
}

static void print_authorities(struct cli *cli, const struct vici_node *message)
{
	const struct vici_node *authority;

	(void)cli;
	for (authority = message->child; authority; authority = authority->next) {
		printf("%s:\n  cacert: %s\n", authority->name, text_at(authority, "cacert", "?"));
		print_uris(authority, "crl_uris");
		print_uris(authority, "ocsp_uris");
	}
}

enum exit_code run_list_authorities(struct cli *cli)
{
	struct vici_writer body = {0};
	enum exit_code code;

	put_text(&body, "name", cli->args.name);
	code = stream(cli, "list-authorities", "list-authority", &body, print_authorities);
	vici_writer_free(&body);
	return code;
}

/* --- What comes in one reply --- */

static enum exit_code show_reply(struct cli *cli, const char *command, struct vici_writer *body,
				 void (*print)(const struct vici_node *node))
{
	const struct vici_node *node;
	struct vici_tree reply;
	enum exit_code code = request(cli, command, body, &reply);

	vici_writer_free(body);
	if (code)
		return code;
	if (cli->args.json)
		print_json(json_from_vici(reply.root));
	for (node = cli->args.json ? NULL : reply.root->child; node; node = node->next)
		print(node);
	vici_tree_free(&reply);
	return EXIT_OK;
}

static void print_pool(const struct vici_node *pool)
{
	const struct vici_node *leases = vici_find(pool, "leases"), *lease;

	printf("%-20s %-30s %s / %s / %s\n", pool->name, text_at(pool, "base", "?"),
	       text_at(pool, "online", "0"), text_at(pool, "offline", "0"),
	       text_at(pool, "size", "0"));
	for (lease = leases ? leases->child : NULL; lease; lease = lease->next)
		printf("  %-30s %-8s '%s'\n", text_at(lease, "address", "?"),
		       text_at(lease, "status", "?"), text_at(lease, "identity", "?"));
}

enum exit_code run_list_pools(struct cli *cli)
{
	struct vici_writer body = {0};

	put_flag(&body, "leases", cli->args.leases);
	put_text(&body, "name", cli->args.name);
	return show_reply(cli, "get-pools", &body, print_pool);
}

static void print_algorithms(const struct vici_node *kind)
{
	const struct vici_node *alg;

	printf("%s:\n", kind->name);
	for (alg = kind->child; alg; alg = alg->next)
		printf("  %s[%s]\n", alg->name, alg->text);
}

enum exit_code run_list_algorithms(struct cli *cli)
{
	struct vici_writer body = {0};

	return show_reply(cli, "get-algorithms", &body, print_algorithms);
}
