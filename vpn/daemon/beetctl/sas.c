/* sas.c - SAs as swanctl shows them, with one line more where a mode came out that was not asked
 * for. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <string.h>

/* "AES_CBC-128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/CURVE_25519" */
static void print_algs(const struct vici_node *sa)
{
	static const char *const names[] = {"integ-alg", "prf-alg", "dh-group"};
	const char *size = vici_text(sa, "encr-keysize"), *alg;
	size_t i;

	printf("%s%s%s", text_at(sa, "encr-alg", ""), size ? "-" : "", size ? size : "");
	for (i = 0; i < 3; i++) {
		alg = vici_text(sa, names[i]);
		if (alg)
			printf("/%s", alg);
	}
	if (vici_text(sa, "esn"))
		printf("/ESN");
}

static void print_direction(const struct vici_node *child, const char *dir)
{
	char key[32];
	const char *if_id, *use;

#define AT(prefix, def) (snprintf(key, sizeof(key), prefix "%s", dir), text_at(child, key, def))
	printf("    %-3s %s", dir, AT("spi-", "00000000"));
	if_id = AT("if-id-", NULL);
	if (if_id)
		printf(" (-|0x%s)", if_id);
	printf(", %6s bytes,", AT("bytes-", "0"));
	printf(" %5s packets", AT("packets-", "0"));
	use = AT("use-", NULL);
	if (use)
		printf(", %5ss ago", use);
	putchar('\n');
#undef AT
}

static void print_child(const struct vici_node *child)
{
	const char *reason = vici_text(child, "mode-reason"), *text;

	printf("  %s: #%s, reqid %s, %s, %s%s, %s:", text_at(child, "name", child->name),
	       text_at(child, "uniqueid", "?"), text_at(child, "reqid", "?"),
	       text_at(child, "state", "?"), text_at(child, "mode", "?"),
	       vici_text(child, "encap") ? "-in-UDP" : "", text_at(child, "protocol", "?"));
	print_algs(child);
	putchar('\n');
	if (reason)
		printf("    %s instead of the mode asked for: %s\n", text_at(child, "mode", "?"),
		       reason);
	printf("    installed %ss ago", text_at(child, "install-time", "0"));
	text = vici_text(child, "rekey-time");
	if (text)
		printf(", rekeying in %ss", text);
	text = vici_text(child, "life-time");
	if (text)
		printf(", expires in %ss", text);
	putchar('\n');
	print_direction(child, "in");
	print_direction(child, "out");
	print_list("    ", "local  ", vici_find(child, "local-ts"));
	print_list("    ", "remote ", vici_find(child, "remote-ts"));
}

static void print_end(const struct vici_node *sa, const char *label, const char *end)
{
	char id[32], host[32], port[32];

	snprintf(id, sizeof(id), "%s-id", end);
	snprintf(host, sizeof(host), "%s-host", end);
	snprintf(port, sizeof(port), "%s-port", end);
	printf("  %s '%s' @ %s[%s]\n", label, text_at(sa, id, "%any"), text_at(sa, host, "%any"),
	       text_at(sa, port, "0"));
}

static void print_times(const struct vici_node *sa)
{
	const char *established = vici_text(sa, "established"),
		   *rekey = vici_text(sa, "rekey-time");
	const char *reauth = vici_text(sa, "reauth-time");

	if (!established)
		return;
	printf("  established %ss ago", established);
	if (rekey)
		printf(", rekeying in %ss", rekey);
	if (reauth)
		printf(", reauth in %ss", reauth);
	putchar('\n');
}

static void print_ike_sa(const struct vici_node *sa)
{
	bool initiator = vici_text(sa, "initiator") != NULL;
	const struct vici_node *child, *children = vici_find(sa, "child-sas");

	printf("%s: #%s, %s, IKEv%s, %s_i%s %s_r%s\n", sa->name, text_at(sa, "uniqueid", "?"),
	       text_at(sa, "state", "?"), text_at(sa, "version", "2"),
	       text_at(sa, "initiator-spi", ""), initiator ? "*" : "",
	       text_at(sa, "responder-spi", ""), initiator ? "" : "*");
	print_end(sa, "local ", "local");
	print_end(sa, "remote", "remote");
	if (vici_text(sa, "encr-alg")) {
		printf("  ");
		print_algs(sa);
		putchar('\n');
	}
	print_times(sa);
	for (child = children ? children->child : NULL; child; child = child->next)
		print_child(child);
}

void print_sa(const struct vici_node *message)
{
	const struct vici_node *sa;

	for (sa = message->child; sa; sa = sa->next)
		if (sa->kind == VICI_SECTION)
			print_ike_sa(sa);
}

static void print_listed(struct cli *cli, const struct vici_node *message)
{
	(void)cli;
	print_sa(message);
}

enum exit_code run_list_sas(struct cli *cli)
{
	const struct args *a = &cli->args;
	struct vici_writer body = {0};
	enum exit_code code;

	put_text(&body, "ike", a->ike);
	put_text(&body, "ike-id", a->ike_id);
	put_text(&body, "child", a->child);
	put_text(&body, "child-id", a->child_id);
	put_flag(&body, "noblock", a->noblock);
	code = stream(cli, "list-sas", "list-sa", &body, print_listed);
	vici_writer_free(&body);
	return code;
}

static void print_change(const char *event, const struct vici_node *message)
{
	printf("%s %s\n", event, vici_text(message, "up") ? "up" : "down");
	print_sa(message);
}

enum exit_code run_monitor(struct cli *cli)
{
	static const char *const events[] = {"ike-updown", "child-updown", NULL};

	return follow(cli, events, print_change);
}
