/* nft.h - what a host's nftables would do with a packet that nobody has sent.
 *
 * A rule set is the JSON that `nft -j list ruleset` prints (libnftables-json(5)). The answer is
 * only given where it is certain: a rule that matches on what is not known here (marks, limits,
 * foreign extensions) makes it NFT_UNKNOWN if it would let the packet pass. */
#ifndef VPN_DAEMON_BEETCTL_EXPLAIN_NFT_H
#define VPN_DAEMON_BEETCTL_EXPLAIN_NFT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define NFT_RULE_STRLEN 240

enum nft_ct { NFT_CT_NEW, NFT_CT_ESTABLISHED };

struct nft_packet {
	struct ip_addr src, dst;
	uint8_t proto;
	uint16_t sport, dport; /* of TCP and UDP; sport 0: any */
	const char *iif, *oif; /* NULL: none at this hook */
	enum nft_ct ct;
};

enum nft_does { NFT_PASSES, NFT_DROPS, NFT_REWRITES, NFT_UNKNOWN };

struct nft_outcome {
	enum nft_does does;
	char rule[NFT_RULE_STRLEN]; /* that decides, with its table and chain */
	struct ip_addr to;	    /* NFT_REWRITES: the new source; unset: the device's own */
};

struct nft_ruleset;

/* listing: what `nft -a list ruleset` prints, for the words of a rule; may be NULL. ERR_SYNTAX,
 * ERR_NOMEM. */
int nft_ruleset_parse(const char *json, const char *listing, struct nft_ruleset **ret_rules);
void nft_ruleset_free(struct nft_ruleset *rules); /* NULL is fine */

/* The filter chains of a hook ("input", "forward", "output", ...): passes, drops or unknown. */
struct nft_outcome nft_filter(const struct nft_ruleset *rules, const char *hook,
			      const struct nft_packet *packet);
/* The NAT chains of postrouting: passes, rewrites or unknown. */
struct nft_outcome nft_source_nat(const struct nft_ruleset *rules, const struct nft_packet *packet);
/* True if a rule that sets the MSS of TCP stands in a chain of that hook, or below one, and may
 * match the packet (NULL: any). */
bool nft_clamps_mss(const struct nft_ruleset *rules, const char *hook,
		    const struct nft_packet *packet, char *rule, size_t cap);

/* nft_match.c: does the statement {"match": ...} hold for the packet? */
enum nft_tri { NFT_NO, NFT_MAYBE, NFT_YES };
struct nft_scope { /* where names of sets are looked up */
	const json_t *objects;
	const char *family, *table;
};
enum nft_tri nft_match(const struct nft_scope *scope, const json_t *match,
		       const struct nft_packet *packet);
/* Does a left side have one of the values of a right side? */
enum nft_tri nft_value_is(const struct nft_scope *scope, const json_t *left, const json_t *right,
			  const struct nft_packet *packet);

#endif
