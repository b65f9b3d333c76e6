/* facts.h - what a running system shows of a connection: data without a judgement.
 *
 *	facts.c         gathers all of it
 *	facts_vici.c    the daemon: connection, SAs, counters
 *	facts_kernel.c  links, addresses, and which way packets would go
 *	facts_sysctl.c  forwarding, reverse path filters, the kernel's counters
 *	facts_nft.c     the rule set of nftables
 *
 * Everything is a plain value in one block, so that a test can write it down. What could not be
 * asked is left zero, and a sentence in `limits` says why: a rule must not take it for an answer.
 * Of more than there is room for, the rest is not looked at, and that is said, too. */
#ifndef VPN_DAEMON_BEETCTL_EXPLAIN_FACTS_H
#define VPN_DAEMON_BEETCTL_EXPLAIN_FACTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/base/ts.h"
#include "vpn/daemon/beetctl/explain/nft.h"

#define FACT_NAME_MAX	   64
#define FACT_TEXT_MAX	   256
#define FACT_SAS_MAX	   16
#define FACT_CHILDREN_MAX  32
#define FACT_SELECTORS_MAX 8
#define FACT_LINKS_MAX	   64
#define FACT_ADDRS_MAX	   128
#define FACT_DROPS_MAX	   64
#define FACT_LIMITS_MAX	   8

/* A number that only grows, asked once or twice. */
struct fact_count {
	uint64_t before, now; /* equal if it was asked once */
};

struct fact_link {
	char name[IF_NAMESIZE];
	char kind[16]; /* "tun", "xfrm", "veth", ""; as the kernel calls it */
	int index;
	uint32_t mtu;
	bool up, loopback;
	uint32_t if_id; /* of XFRM interfaces, and of TUN devices that end in a number */
	int rp_filter;	/* its own: 0 off, 1 strict, 2 loose; see live_rp_filter */
	bool forward4, forward6;
};

struct fact_addr {
	struct ip_addr addr;
	unsigned bits;
	int ifindex;
};

/* Where the kernel would send a packet: `ip route get`. */
enum way_kind { WAY_NOT_ASKED, WAY_NONE, WAY_LOCAL, WAY_OUT };

struct fact_way {
	enum way_kind kind;
	struct ip_addr to;
	struct ip_addr src; /* that the kernel would choose; may be unset */
	char dev[IF_NAMESIZE];
	/* Of a packet that is forwarded: where it comes from, and in by; else unset. */
	struct ip_addr from;
	char iif[IF_NAMESIZE];
};

/* A selector of a child, and one host of it that is not this one. */
struct fact_net {
	struct ts ts;
	struct fact_way way; /* not asked: it has no such host */
};

/* A child as it is configured, with its SA, if there is one. */
struct fact_child {
	char name[FACT_NAME_MAX];
	char mode[16];
	char start_action[16], dpd_action[16], close_action[16];
	bool configured, tcp_mss;
	uint32_t if_id;	    /* outbound; 0: none */
	unsigned installed; /* SAs of that name that carry traffic */
	bool others_alike;  /* more than one of them with the same selectors, and no rekeying */
	struct ts cfg_local[FACT_SELECTORS_MAX], cfg_remote[FACT_SELECTORS_MAX];
	size_t n_cfg_local, n_cfg_remote;
	/* The SA's, or if there is none those of the configuration that are no "dynamic". */
	struct fact_net local[FACT_SELECTORS_MAX], remote[FACT_SELECTORS_MAX];
	size_t n_local, n_remote;
	/* From a host of a local selector that is behind this one to a host of a remote one. */
	struct fact_way forwarded[FACT_SELECTORS_MAX][FACT_SELECTORS_MAX];
	/* Of the newest SA. */
	char sa_mode[16], mode_reason[FACT_TEXT_MAX];
	bool encap;
	uint64_t age; /* seconds since it was installed */
	struct fact_count packets_in, packets_out;
};

struct fact_sa {
	uint32_t id;
	char state[16];
	bool initiator;
	bool answered; /* the responder's SPI is known */
	bool lasting;  /* CONNECTING, and still so a second later */
	struct endpoint local, remote;
	char remote_id[FACT_TEXT_MAX];
	bool nat_local, nat_remote;
};

struct fact_failure {
	bool there;
	char text[FACT_TEXT_MAX], cause[16];
	char child[FACT_NAME_MAX]; /* "": the IKE SA */
	uint16_t notify;	   /* 0: none */
	uint64_t age;
};

struct fact_drop {
	char reason[32];
	struct fact_count count;
};

struct facts {
	char conn[FACT_NAME_MAX];
	char daemon[32], version[32];
	char local_addrs[FACT_TEXT_MAX], remote_addrs[FACT_TEXT_MAX]; /* blanks between */
	uint32_t dpd_delay;					      /* seconds; 0: off */
	struct fact_failure failure; /* the last, unless it works since */
	bool watched;		     /* counters were asked twice */
	unsigned seconds;	     /* so far apart */

	struct fact_sa sas[FACT_SAS_MAX];
	size_t n_sas;
	struct fact_child children[FACT_CHILDREN_MAX];
	size_t n_children;
	struct fact_drop drops[FACT_DROPS_MAX];
	size_t n_drops;
	struct fact_count init_out, init_in; /* IKE_SA_INIT: our requests, responses to us */

	bool kernel_known; /* all from here on was asked where the daemon lives */
	struct fact_link links[FACT_LINKS_MAX];
	size_t n_links;
	struct fact_addr addrs[FACT_ADDRS_MAX];
	size_t n_addrs;
	int rp_filter_all; /* of "all" */
	/* Of each family: is there a rule that leads into beetd's table? */
	bool rules_known, rule4, rule6;
	struct fact_way peer;	       /* to the peer, with the daemon's mark */
	struct fact_way peer_back;     /* without: what the reverse path filter asks */
	struct fact_count rp_filtered; /* packets that it has dropped */
	struct nft_ruleset *nft;       /* NULL: not known */

	char limits[FACT_LIMITS_MAX][FACT_TEXT_MAX];
	size_t n_limits;
};

/* --- Gathering --- */

struct vici_client;

/* All of it; watch: seconds between two looks at the counters, 0: one look. ERR_NOT_FOUND: no such
 * connection (*msg names those there are), ERR_IO, ERR_NOMEM. */
int live_gather(struct vici_client *client, const char *conn, unsigned watch,
		struct facts **ret_facts, struct err_msg *msg);
void live_free(struct facts *facts); /* NULL is fine */

int live_ask_daemon(struct vici_client *client, struct facts *f, struct err_msg *msg);
/* SAs and counters once more: what grows since then is in the counts. */
int live_ask_again(struct vici_client *client, struct facts *f, struct err_msg *msg);
void live_ask_kernel(struct facts *f);
void live_ask_sysctls(struct facts *f); /* after the links are known */
void live_ask_sysctls_again(struct facts *f);
void live_ask_nft(struct facts *f); /* after the traffic: rules have counters */

void live_limit(struct facts *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- Looking things up --- */

const struct fact_link *live_link(const struct facts *f, const char *name); /* NULL: none */
bool live_is_own(const struct facts *f, const struct ip_addr *addr);
/* The device that carries the child's traffic: that of its interface ID, or beetd's own, which the
 * way to a remote selector shows. NULL: there is none, or policies without a device carry it. */
const struct fact_link *live_tunnel(const struct facts *f, const struct fact_child *c);
/* Of beetd, for children without an interface ID (dataplane.h). */
#define BEETD_TABLE  220
#define BEETD_DEVICE "beet0"
/* The reverse path filter in force. */
int live_rp_filter(const struct facts *f, const struct fact_link *link);
/* Should there be a way into the tunnel? Routes of children without an interface ID come with the
 * SA, or with its trap. */
bool live_needs_way(const struct facts *f, const struct fact_child *c);
/* True if traffic of children without an interface ID needs no device: the kernel's own policies.
 */
bool live_has_kernel_policies(const struct facts *f);
/* The SA that is up, or else the first; NULL. */
const struct fact_sa *live_sa(const struct facts *f);
bool live_is_up(const struct facts *f);
/* By reason; NULL: not counted here. */
const struct fact_count *live_drops(const struct facts *f, const char *reason);
static inline uint64_t fact_grown(const struct fact_count *c)
{
	return c->now - c->before;
}

#endif
