/* options.c - the command line.
 *
 *	beetctl --list-sas --ike vps   swanctl's form: the first option is the command,
 *	beetctl -l -i vps              in short, too
 *	beetctl list-sas --ike vps     the friendlier form, with aliases: up, down, status, load
 *
 * Options that hold for every command (--uri, --json, --help) may stand before it. Which option a
 * letter means depends on the command, as in swanctl. Both tables are also what --help prints. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    {"load-all", 'q', "load", NULL, false, run_load_all,
     "load credentials, authorities, pools and connections"},
    {"load-creds", 's', NULL, NULL, false, run_load_creds, "load credentials"},
    {"load-authorities", 'b', NULL, NULL, false, run_load_authorities,
     "load certification authorities"},
    {"load-pools", 'a', NULL, NULL, false, run_load_pools, "load pools"},
    {"load-conns", 'c', NULL, NULL, false, run_load_conns, "load connections"},
    {"initiate", 'i', "up", "[CHILD]", true, run_initiate,
     "bring up a child, or an IKE SA with --ike alone"},
    {"terminate", 't', "down", "[CHILD]", true, run_terminate, "take down SAs"},
    {"rekey", 'R', NULL, "[CHILD]", true, run_rekey, "rekey SAs"},
    {"list-sas", 'l', "status", NULL, true, run_list_sas, "show IKE SAs and their children"},
    {"monitor-sa", 'm', "monitor", NULL, true, run_monitor, "show SAs as they come and go"},
    {"list-conns", 'L', "conns", NULL, true, run_list_conns, "show loaded connections"},
    {"list-certs", 'x', "certs", NULL, true, run_list_certs, "show certificates"},
    {"list-pols", 'P', "pols", NULL, true, run_list_policies, "show trap policies"},
    {"list-pools", 'A', "pools", NULL, true, run_list_pools, "show address pools"},
    {"list-authorities", 'B', "authorities", NULL, true, run_list_authorities,
     "show certification authorities"},
    {"list-algs", 'g', "algs", NULL, true, run_list_algorithms, "show algorithms"},
    {"log", 'T', NULL, NULL, true, run_log, "follow the daemon's log"},
    {"stats", 'S', NULL, NULL, true, run_stats, "show the daemon's statistics"},
    {"counters", 'C', NULL, NULL, true, run_counters, "show or reset message counters"},
    {"version", 'v', NULL, NULL, false, run_version,
     "show our version, or the daemon's with --daemon"},
    {"flush-certs", 'f', NULL, NULL, true, run_flush_certs, "flush cached certificates"},
    {"reload-settings", 'r', NULL, NULL, true, run_reload_settings, "reload the daemon's settings"},
    {"explain", 'e', NULL, "CONNECTION", true, run_explain,
     "what is wrong with a running connection"},
    {"keygen", 0, NULL, "NAME", false, run_keygen,
     "make an Ed25519 key and a self-signed certificate"},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum option_kind { FLAG, TEXT, SAN };

/* commands: names separated by blanks, or "" for all. */
static const struct option_row {
	const char *name;
	char letter;
	enum option_kind kind;
	size_t offset;
	const char *commands;
	const char *help;
} options[] = {
#define ROW(name, letter, kind, field, cmds, help)                           \
	{                                                                    \
		name, letter, kind, offsetof(struct args, field), cmds, help \
	}
    ROW("uri", 'u', TEXT, uri, "", "URI of the daemon [" VICI_DEFAULT_URI "]"),
    ROW("json", 'j', FLAG, json, "", "print JSON"),
    ROW("file", 'f', TEXT, file, "load-all load-creds load-authorities load-pools load-conns",
	"configuration [DIR/swanctl.conf]"),
    ROW("dir", 'd', TEXT, dir, "load-all load-creds load-authorities load-pools load-conns keygen",
	"directory of configuration and credentials [$SWANCTL_DIR or /etc/swanctl]"),
    ROW("dry-run", 'y', FLAG, dry_run, "load-all load-creds load-authorities load-pools load-conns",
	"check, but load nothing"),
    ROW("clear", 'c', FLAG, clear, "load-all load-creds", "clear loaded credentials first"),
    ROW("noprompt", 'n', FLAG, noprompt, "load-all load-creds",
	"accepted for swanctl's sake: we never ask"),
    ROW("child", 'c', TEXT, child, "initiate terminate rekey list-sas list-pols",
	"name of a child"),
    ROW("ike", 'i', TEXT, ike, "initiate terminate rekey list-sas list-conns explain",
	"name of a connection"),
    ROW("child-id", 'C', TEXT, child_id, "terminate rekey list-sas", "number of a Child SA"),
    ROW("ike-id", 'I', TEXT, ike_id, "terminate rekey list-sas", "number of an IKE SA"),
    ROW("timeout", 't', TEXT, timeout, "initiate terminate", "seconds to wait [for ever]"),
    ROW("loglevel", 'l', TEXT, loglevel, "initiate terminate", "of the log shown meanwhile [1]"),
    ROW("force", 'f', FLAG, force, "terminate", "do not wait for the peer"),
    ROW("reauth", 'a', FLAG, reauth, "rekey", "reauthenticate instead"),
    ROW("noblock", 'n', FLAG, noblock, "list-sas", "do not wait for SAs in use"),
    ROW("trap", 't', FLAG, trap, "list-pols", "trap policies only"),
    ROW("drop", 'd', FLAG, drop, "list-pols", "drop policies only"),
    ROW("pass", 'p', FLAG, pass, "list-pols", "bypass policies only"),
    ROW("name", 'n', TEXT, name, "list-pools list-authorities counters", "this one only"),
    ROW("leases", 'l', FLAG, leases, "list-pools", "with leases"),
    ROW("subject", 's', TEXT, subject, "list-certs", "of this subject or subjectAltName"),
    ROW("type", 't', TEXT, type, "list-certs flush-certs", "of this type"),
    ROW("flag", 'f', TEXT, flag, "list-certs", "none or ca"),
    ROW("pem", 'p', FLAG, pem, "list-certs", "print PEM"),
    ROW("short", 'S', FLAG, brief, "list-certs", "leave out details"),
    ROW("utc", 'U', FLAG, utc, "list-certs", "times in UTC"),
    ROW("daemon", 'd', FLAG, daemon, "version", "ask the daemon"),
    ROW("all", 'a', FLAG, all, "counters", "of all connections"),
    ROW("reset", 'R', FLAG, reset, "counters", "reset them"),
    ROW("watch", 'w', TEXT, watch, "explain", "look at counters twice, so many seconds apart"),
    ROW("dn", 0, TEXT, dn, "keygen", "subject [C=FR, O=inetdoc.net, CN=NAME]"),
    ROW("san", 0, SAN, sans, "keygen", "subjectAltName, may be repeated [NAME.inetdoc.net]"),
    ROW("days", 0, TEXT, days, "keygen", "days until it expires [3652]"),
#undef ROW
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

const struct command *command_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name) ||
		    (commands[i].alias && !strcmp(commands[i].alias, name)))
			return &commands[i];
	return NULL;
}

static const struct command *command_by_letter(char letter)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (commands[i].letter == letter)
			return &commands[i];
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static bool applies(const struct option_row *o, const struct command *command)
{
	return !*o->commands || (command && has_word(o->commands, command->name));
}

/* --- Help --- */

static void print_option(const struct option_row *o)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s", o->name, o->kind == FLAG ? "" : " VALUE");
	if (o->letter)
		printf("  -%c, %-20s %s\n", o->letter, left, o->help);
	else
		printf("      %-20s %s\n", left, o->help);
}

static void print_command_help(const struct command *command)
{
	size_t i;

	printf("usage: beetctl %s%s%s [OPTION]...\n\n%s\n\n", command->name,
	       command->positional ? " " : "", command->positional ? command->positional : "",
	       command->help);
	for (i = 0; i < N_OPTIONS; i++)
		if (applies(&options[i], command))
			print_option(&options[i]);
}

static void print_help(void)
{
	char names[60];
	size_t i;

	printf("usage: beetctl COMMAND [OPTION]...\n\ncommands (also as --COMMAND):\n");
	for (i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];

		snprintf(names, sizeof(names), "%s%s%s", c->name, c->alias ? ", " : "",
			 c->alias ? c->alias : "");
		if (c->letter)
			printf("  -%c, %-30s %s\n", c->letter, names, c->help);
		else
			printf("      %-30s %s\n", names, c->help);
	}
	printf("\nbeetctl COMMAND --help shows a command's options.\n");
}

/* --- Parsing --- */

struct line {
	int argc, i;
	char **argv;
	struct cli *cli;
	bool help;
};

static enum exit_code usage(const char *what, const char *arg)
{
	return fail(EXIT_USAGE, "%s '%s'; see beetctl --help", what, arg);
}

static enum exit_code set_option(struct line *l, const struct option_row *o, const char *value)
{
	void *field = (char *)&l->cli->args + o->offset;

	if (o->kind == FLAG) {
		if (value)
			return usage("no value belongs to", o->name);
		*(bool *)field = true;
		return EXIT_OK;
	}
	if (!value && ++l->i < l->argc)
		value = l->argv[l->i];
	if (!value)
		return usage("a value is missing for", o->name);
	if (o->kind == TEXT) {
		*(const char **)field = value;
		return EXIT_OK;
	}
	if (l->cli->args.n_sans == SANS_MAX)
		return usage("too many of", o->name);
	l->cli->args.sans[l->cli->args.n_sans++] = value;
	return EXIT_OK;
}

static const struct option_row *find_option(const struct command *command, const char *name,
					    size_t len, char letter)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		const struct option_row *o = &options[i];

		if (!applies(o, command))
			continue;
		if (name ? strlen(o->name) == len && !strncmp(o->name, name, len)
			 : o->letter == letter)
			return o;
	}
	return NULL;
}

static enum exit_code parse_long(struct line *l, const char *arg)
{
	const char *name = arg + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *o;

	if (!strcmp(name, "help")) {
		l->help = true;
		return EXIT_OK;
	}
	if (!l->cli->command && !equals && command_by_name(name)) {
		l->cli->command = command_by_name(name);
		return EXIT_OK;
	}
	o = find_option(l->cli->command, name, len, 0);
	return o ? set_option(l, o, equals ? equals + 1 : NULL) : usage("unknown option", arg);
}

static enum exit_code parse_short(struct line *l, const char *arg)
{
	const struct option_row *o;

	if (arg[1] == 'h' && !arg[2]) {
		l->help = true;
		return EXIT_OK;
	}
	if (!l->cli->command) {
		l->cli->command = arg[2] ? NULL : command_by_letter(arg[1]);
		return l->cli->command ? EXIT_OK : usage("unknown command", arg);
	}
	o = find_option(l->cli->command, NULL, 0, arg[1]);
	if (!o)
		return usage("unknown option", arg);
	return set_option(l, o, arg[2] ? arg + 2 : NULL);
}

static enum exit_code parse_word(struct line *l, const char *arg)
{
	if (!l->cli->command) {
		l->cli->command = command_by_name(arg);
		return l->cli->command ? EXIT_OK : usage("unknown command", arg);
	}
	if (!l->cli->command->positional || l->cli->args.positional)
		return usage("unexpected argument", arg);
	l->cli->args.positional = arg;
	return EXIT_OK;
}

static enum exit_code parse_arg(struct line *l, const char *arg)
{
	if (arg[0] == '-' && arg[1] == '-' && arg[2])
		return parse_long(l, arg);
	if (arg[0] == '-' && arg[1])
		return parse_short(l, arg);
	return parse_word(l, arg);
}

enum exit_code options_parse(int argc, char **argv, struct cli *cli, bool *ret_done)
{
	struct line l = {.argc = argc, .argv = argv, .cli = cli};
	enum exit_code code = EXIT_OK;

	*ret_done = true;
	for (l.i = 1; l.i < argc && !code; l.i++)
		code = parse_arg(&l, argv[l.i]);
	if (code)
		return code;
	if (l.help) {
		if (cli->command)
			print_command_help(cli->command);
		else
			print_help();
		return EXIT_OK;
	}
	if (!cli->command)
		return fail(EXIT_USAGE, "no command; see beetctl --help");
	*ret_done = false;
	return EXIT_OK;
}
