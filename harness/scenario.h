/* scenario.h - a scenario as read from its file: what a person wrote, with the lines.
 *
 * Reading is pure: no root, no network, no look at the machine. What can be known to be wrong is
 * an error here, as "FILE:LINE: what is wrong"; plan.h makes a runnable plan of it. All pointers
 * live as long as the scenario. */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include "harness/aim.h"
#include "harness/credentials.h"
#include "harness/fields.h"

/* --- the network --- */

struct sc_address {
	const char *ifname;
	unsigned line;
	struct text_list prefixes;
};

struct sc_bridge {
	const char *ifname;
	unsigned line;
	struct text_list ports;
};

enum nat_ports { NAT_PORTS_PRESERVE, NAT_PORTS_RANDOM };
enum nat_dependence { NAT_BY_ADDRESS_AND_PORT, NAT_BY_ADDRESS, NAT_BY_NOTHING };

/* A NAT box: masquerades what comes from inside, and lets in only what was asked for. */
struct sc_nat {
	unsigned line;
	const char *inside;	/* prefix; NULL: no NAT box */
	const char *outside;	/* interface */
	int ports;		/* enum nat_ports */
	unsigned udp_ms;	/* until an idle UDP mapping is gone; 0: the kernel's */
	int mapping, filtering; /* enum nat_dependence: RFC 4787 §4.1, §5 */
	bool hairpin;		/* RFC 4787 §6 */
	bool pass_through;	/* nat_model.h */
};

struct sc_node {
	unsigned line;
	const char *name;
	struct item_list addresses; /* struct sc_address */
	struct item_list bridges;   /* struct sc_bridge */
	struct text_list routes;    /* "default via 203.0.113.1", "10.0.0.0/8 dev xfrm1" */
	struct pair_list sysctls;
	struct sc_nat nat;
	struct text_block nftables;
	const char *nftables_file;
};

/* A channel that is good or bad, and changes between two packets (Gilbert, Elliott). */
struct sc_burst {
	unsigned line;
	double begins, ends; /* at each packet; begins 0: never */
	double loss;	     /* of packets while it is bad; 0: all */
};

/* What one direction of a wire does to packets; all zero: nothing. Probabilities are 0 to 1. */
struct sc_treatment {
	double loss, corrupt, duplicate, reorder;
	struct sc_burst burst;
	unsigned delay_ms, jitter_ms;
	bool jitter_reorders; /* a packet does not wait for the one before it */
	uint64_t rate;	      /* octets a second */
	unsigned queue;	      /* packets that wait for their turn; 0: any number */
	unsigned mtu;
	bool icmp_filtered;	  /* the sender of a packet above mtu is not told */
	unsigned icmp_per_second; /* at most so often; 0: always */
	bool fragments_dropped;
};

struct sc_towards {
	const char *node;
	unsigned line;
	struct sc_treatment treatment;
};

struct sc_impairment {
	unsigned line;
	struct sc_treatment both;
	struct item_list towards; /* struct sc_towards: in that direction in place of `both` */
	struct item_list aims;	  /* struct sc_aim; in a step they are added to those there are */
	bool is_set;
};

enum wire_place { WIRE_AUTO, WIRE_OUTER, WIRE_INSIDE };

struct sc_link {
	unsigned line;
	struct text_list ends; /* two, "NODE:IFNAME" */
	unsigned mtu;
	int place; /* enum wire_place: outside the tunnel, or inside */
	bool capture;
	bool has_wire;
	struct sc_impairment wire;
};

enum base_topology { BASE_NONE, BASE_SEED };

struct sc_topology {
	unsigned line;
	int base;			 /* enum base_topology */
	int nat;			 /* enum nat_ports, of the base's ISP box */
	struct text_list without_routes; /* destinations: the base's routes that are left out */
	struct text_list without_nat;	 /* nodes whose rules of the base are left out */
	struct item_list nodes;		 /* struct sc_node: new ones, or additions to the base's */
	struct item_list links;		 /* struct sc_link: new ones, or settings of the base's */
};

/* --- the ends --- */

enum credential_kind { CRED_SELF_SIGNED, CRED_CA, CRED_ISSUED };

struct sc_credential {
	unsigned line;
	const char *name;
	int kind; /* enum credential_kind */
	int key;  /* enum credential_key */
	const char *ca;
	bool expired;
	struct text_list private_at;	 /* endpoints that get the private key */
	struct text_list certificate_at; /* endpoints that get the certificate */
};

/* The addresses inside the tunnel, at the gateway itself. */
struct sc_inner {
	unsigned line;
	const char *interface; /* a TUN device for the daemon to adopt; NULL, or the daemon has no
				  use for it: lo */
	struct text_list addresses;
	struct text_list routes; /* destinations through the interface */
};

struct sc_endpoint {
	unsigned line;
	const char *node;
	const char *peer; /* "beetd", "strongswan" */
	const char *config, *config_file;
	struct pair_list substitute;
	struct item_list inner; /* struct sc_inner */
	struct text_list beetd_args;
	const char *strongswan_conf; /* in charon { } */
	bool may_be_foreign;	     /* --peer may put another daemon here */
};

/* --- the steps --- */

enum step_result { EXPECT_OK, EXPECT_FAIL };

#define STEP_KINDS(X)                                                                          \
	X(START, "start", "starts the daemons of these nodes")                                 \
	X(STOP, "stop", "stops them")                                                          \
	X(KILL, "kill", "kills them, without a word to the peer")                              \
	X(PAUSE, "pause", "halts them, so that they answer nothing")                           \
	X(RESUME, "resume", "lets them go on")                                                 \
	X(CLOCK, "clock", "sets their wall clocks forwards or back")                           \
	X(DISK, "disk", "fills the disk for them, or makes room again")                        \
	X(RESTART, "restart", "stops, starts and loads them again")                            \
	X(LOAD, "load", "loads their configuration")                                           \
	X(INITIATE, "initiate", "brings a child up")                                           \
	X(TERMINATE, "terminate", "closes the IKE SAs of a name")                              \
	X(REKEY, "rekey", "rekeys a child or an IKE SA, by these nodes in turn")               \
	X(PING, "ping", "pings until the first answer, then once more")                        \
	X(TCP, "tcp", "sends a stream over TCP, compared octet by octet")                      \
	X(UDP, "udp", "sends numbered datagrams, whose contents are checked")                  \
	X(TRAFFIC, "traffic", "starts a stream that runs while further steps are carried out") \
	X(FINISH, "finish", "ends such a stream and judges what arrived")                      \
	X(WAIT, "wait", "waits for a condition")                                               \
	X(LISTED, "listed", "compares what list-sas says of a child")                          \
	X(NAT_REBOOT, "nat-reboot", "a NAT box forgets its mappings")                          \
	X(NETWORK, "network", "changes links, addresses and routes of a node")                 \
	X(IMPAIR, "impair", "changes what a wire does")                                        \
	X(RELEASE, "release", "lets go what an aim of a wire holds")                           \
	X(SHELL, "shell", "runs a command in a node")                                          \
	X(BACKGROUND, "background", "starts a command in a node, until the end of the run")    \
	X(MEMORY, "memory", "measures a daemon's memory, and how much it has grown")           \
	X(IDLE, "idle", "lets time pass")                                                      \
	X(FAULTS, "faults", "lets the seed's faults happen, then everything must be well (sim)")

/* Faults by seed, in the world sim. A range is one number or two: a seed chooses in between. */
struct sc_range {
	unsigned lo, hi;
};

#define FAULT_KINDS(X)                                                                      \
	X(OUTAGE, "outage", "a wire is down")                                               \
	X(IMPAIR, "impair", "a wire does more than it does otherwise")                      \
	X(NAT_REBOOT, "nat-reboot", "a NAT box forgets its mappings")                       \
	X(KILL, "kill", "a daemon is killed, and started and loaded again")                 \
	X(REKEY_IKE, "rekey-ike", "a node rekeys its IKE SAs by command")                   \
	X(REKEY_CHILD, "rekey-child", "a node rekeys its children by command")              \
	X(TERMINATE, "terminate", "a node ends its IKE SAs; the child is brought up again") \
	X(INITIATE, "initiate", "a node initiates a child by command")

enum fault_kind {
#define X(id, name, help) FAULT_##id,
	FAULT_KINDS(X)
#undef X
	    FAULT_KINDS_COUNT
};

struct sc_fault {
	unsigned line;
	int kind; /* enum fault_kind */
	const char *wire;
	struct text_list nodes;
	const char *ike, *child;
	struct sc_range count;
	struct sc_range lasts_ms;
	struct sc_range together_ms; /* not 0: at all nodes, not at one of them, so far apart */
	struct sc_impairment to;
};

struct sc_flow { /* numbered datagrams through the tunnel */
	unsigned line;
	const char *from, *to, *address;
	unsigned every_ms, size;
};

struct sc_faults {
	unsigned for_ms, calm_ms, rounds, drift, sas;
	struct sc_range children;
	struct item_list of;	/* struct sc_fault */
	struct item_list flows; /* struct sc_flow */
};

const char *fault_kind_name(enum fault_kind kind);

enum step_kind {
#define X(id, name, help) STEP_##id,
	STEP_KINDS(X)
#undef X
	    STEP_KINDS_COUNT
};

struct sc_step {
	unsigned line;
	enum step_kind kind;
	struct text_list nodes; /* start, stop, kill, restart, load */
	const char *node;
	const char *from, *to, *address;
	const char *name;  /* traffic, finish; release: of the aim, NULL: any */
	int protocol;	   /* traffic, finish: enum stream_protocol */
	uint64_t rate;	   /* traffic: octets a second; 0: its default */
	unsigned pause_ms; /* finish: the longest that nothing may arrive; 0: any */
	const char *child, *ike;
	const char *run;	      /* shell, background, wait: a command */
	const char *event;	      /* wait: an event of the daemon, by its name */
	const char *wire;	      /* impair */
	struct text_list down, up;    /* network: interfaces */
	struct item_list remove, add; /* network: struct sc_address */
	struct text_list routes;      /* network */
	const char *show;	      /* shell: its output must hold this text */
	struct sc_impairment impairment;
	struct pair_list values; /* listed */
	uint64_t octets; /* memory: the most that it may have grown since it was measured first */
	unsigned size, count;
	unsigned count_long; /* count in the longer form; 0: there is none */
	unsigned every_ms;   /* rekey: from one to the next, at least */
	double lost;	     /* udp, finish: share of datagrams that may be lost */
	int children, sas;   /* wait; -1: not asked */
	unsigned within_ms;
	bool detached;	     /* initiate, rekey: does not wait for the outcome */
	const char *settled; /* wait: one SA of this child, and nothing under way */
	bool rekeyed;	     /* wait: what the node was last asked to rekey is another SA */
	int64_t shift_s;     /* clock: from the host's */
	bool full;	     /* disk */
	bool force;	     /* terminate: forgets the SA, whatever the peer says */
	int expect;	     /* enum step_result */
	struct sc_faults faults;
};

const char *step_kind_name(enum step_kind kind);

/* --- what must come out --- */

/* FAIL: the check must find something. ANY: it is run and reported, and decides nothing. */
enum wanted_verdict { WANTED_PASS, WANTED_FAIL, WANTED_ANY };

struct sc_expectation {
	unsigned line;
	const char *check;     /* name of a check, or ... */
	const char *occurred;  /* ... of a fact that must have happened, or ... */
	const char *explain;   /* ... what `beetlab explain` must say first */
	struct pair_list with; /* parameters */
	int verdict;	       /* enum wanted_verdict */
	const char *finding;   /* "S2": what it then shows */
	const char *because;
};

struct sc_param {
	unsigned line;
	const char *name;
};

struct scenario {
	struct doc *doc;
	const char *path;
	const char *name;
	const char *purpose;
	struct text_list needs; /* "root", "strongswan", ... */
	struct text_list pairs; /* "GATEWAY-VPS" in daemons, that the test suite runs it with */
	unsigned runs;		/* how many seeds the test suite runs it with; 0: one */
	struct sc_topology topology;
	struct item_list credentials; /* struct sc_credential */
	struct item_list endpoints;   /* struct sc_endpoint */
	struct item_list steps;	      /* struct sc_step */
	struct item_list expect;      /* struct sc_expectation */
};

/* ERR_IO, ERR_SYNTAX, ERR_NOMEM. */
int scenario_load(const char *path, struct scenario **ret_scenario, struct err_msg *msg);
/* path is for messages, and files are looked for beside it. */
int scenario_parse(const char *path, const char *text, size_t len, struct scenario **ret_scenario,
		   struct err_msg *msg);
/* Steps that have a longer form take it (times_long). */
void scenario_make_long(struct scenario *scenario);
void scenario_free(struct scenario *scenario); /* NULL is fine */

#endif
