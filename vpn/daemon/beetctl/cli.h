/* cli.h - beetctl: what its commands share.
 *
 *	main.c     from the command line to a command
 *	options.c  the command line
 *	load.c     load-all and its parts            sas.c     list-sas, monitor-sa
 *	lists.c    conns, policies, pools, ...       certs.c   list-certs
 *	act.c      initiate, terminate, rekey        info.c    version, stats, counters, log
 *	keygen.c   keygen                            output.c  JSON and errors
 *	explain/   explain: what is wrong with a running connection
 *
 * Results go to stdout, everything else to stderr. */
#ifndef VPN_DAEMON_BEETCTL_CLI_H
#define VPN_DAEMON_BEETCTL_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "vpn/vici/client/client.h"

/* beetctl(1), EXIT STATUS */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
	EXIT_CONFIG = 4,
	EXIT_PARTLY = 5 /* explain: nothing found, and not everything asked */
};

#define SANS_MAX 16

/* The values of all options of all commands; what was not given is NULL, false or 0. */
struct args {
	const char *uri, *file, *dir;
	bool json;
	const char *child, *ike, *child_id, *ike_id;
	const char *timeout, *loglevel;
	bool force, reauth, noblock;
	bool trap, drop, pass;
	const char *name;
	bool leases, all, reset, daemon;
	bool clear, noprompt, dry_run;
	const char *subject, *type, *flag;
	bool pem, brief, utc;
	const char *dn, *days;
	const char *watch;
	const char *sans[SANS_MAX];
	size_t n_sans;
	const char *positional; /* the word after the command */
};

struct cli {
	const struct command *command;
	struct args args;
	struct vici_client *client; /* NULL for commands that need no daemon */
	json_t *events;		    /* --json: what came so far */
};

struct command {
	const char *name;	/* "list-sas" */
	char letter;		/* -l as the first argument; 0: none */
	const char *alias;	/* "status", or NULL */
	const char *positional; /* what the word after it is ("CONNECTION", "[CHILD]"), or NULL */
	bool needs_daemon;
	enum exit_code (*run)(struct cli *cli);
	const char *help;
};

/* options.c: fills command and args. EXIT_OK to go on; *ret_done: everything is said already
 * (--help). */
enum exit_code options_parse(int argc, char **argv, struct cli *cli, bool *ret_done);
const struct command *command_by_name(const char *name);

/* output.c */
enum exit_code fail(enum exit_code code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
json_t *json_from_vici(const struct vici_node *section);
void print_json(json_t *value); /* takes the reference; one document and a newline */
void print_json_line(json_t *value);
/* The text at a path such as "uptime", "since"; def if it is not there. */
const char *text_at(const struct vici_node *node, const char *name, const char *def);
/* "a", "a, b": the items of a list on one line. */
void print_list(const char *indent, const char *label, const struct vici_node *list);

/* request.c */
/* Sends a command; its reply's errmsg or the failure is printed. *ret_reply may be NULL. */
enum exit_code request(struct cli *cli, const char *command, struct vici_writer *body,
		       struct vici_tree *ret_reply);
/* A command that streams events: print for each, or with --json one array. */
enum exit_code stream(struct cli *cli, const char *command, const char *event,
		      struct vici_writer *body,
		      void (*print)(struct cli *cli, const struct vici_node *message));
/* Registers for events and prints until interrupted. */
enum exit_code follow(struct cli *cli, const char *const *events,
		      void (*print)(const char *event, const struct vici_node *message));
void put_text(struct vici_writer *body, const char *key,
	      const char *text); /* if text is not NULL */
void put_flag(struct vici_writer *body, const char *key, bool flag);

/* sas.c */
void print_sa(const struct vici_node *message);

enum exit_code run_load_all(struct cli *cli);
enum exit_code run_load_creds(struct cli *cli);
enum exit_code run_load_authorities(struct cli *cli);
enum exit_code run_load_pools(struct cli *cli);
enum exit_code run_load_conns(struct cli *cli);
enum exit_code run_list_sas(struct cli *cli);
enum exit_code run_monitor(struct cli *cli);
enum exit_code run_initiate(struct cli *cli);
enum exit_code run_terminate(struct cli *cli);
enum exit_code run_rekey(struct cli *cli);
enum exit_code run_list_conns(struct cli *cli);
enum exit_code run_list_certs(struct cli *cli);
enum exit_code run_list_policies(struct cli *cli);
enum exit_code run_list_pools(struct cli *cli);
enum exit_code run_list_authorities(struct cli *cli);
enum exit_code run_list_algorithms(struct cli *cli);
enum exit_code run_version(struct cli *cli);
enum exit_code run_stats(struct cli *cli);
enum exit_code run_counters(struct cli *cli);
enum exit_code run_log(struct cli *cli);
enum exit_code run_flush_certs(struct cli *cli);
enum exit_code run_reload_settings(struct cli *cli);
enum exit_code run_keygen(struct cli *cli);
enum exit_code run_explain(struct cli *cli);

#endif
