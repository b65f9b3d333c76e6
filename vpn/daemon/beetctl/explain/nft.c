/* nft.c - a packet's walk through chains, as the kernel would lead it.
 *
 * A filter hook drops a packet if any of its base chains does; NAT is decided by the first rule
 * that rewrites. A rule that may match and would let the packet go ends the walk as unknown; one
 * that may match and would drop it is passed over: what comes behind decides, and a drop is told
 * only if it is certain. */
#include "vpn/daemon/beetctl/explain/nft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16 /* the kernel's own limit of jumps */

struct nft_ruleset {
	json_t *root;
	const json_t *objects;
	char *listing;
};

struct walk {
	const struct nft_ruleset *rules;
	const struct nft_packet *packet;
	const char *family, *table;
	struct nft_outcome out;
	unsigned depth;
};

/* How a rule, or a chain, leaves the walk. */
enum step { STEP_ON, STEP_RETURN, STEP_ACCEPT, STEP_END };

int nft_ruleset_parse(const char *json, const char *listing, struct nft_ruleset **ret_rules)
{
	struct nft_ruleset *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_NOMEM;
	r->root = json_loads(json, 0, NULL);
	r->objects = json_object_get(r->root, "nftables");
	r->listing = listing ? strdup(listing) : NULL;
	if (!json_is_array(r->objects) || (listing && !r->listing)) {
		nft_ruleset_free(r);
		return ERR_SYNTAX;
	}
	*ret_rules = r;
	return 0;
}

void nft_ruleset_free(struct nft_ruleset *rules)
{
	if (!rules)
		return;
	json_decref(rules->root);
	free(rules->listing);
	free(rules);
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* --- The words of a rule --- */

/* In the listing, the line of that handle behind the chain's beginning; "" if there is none. */
static const char *listed_line(const char *at, const char *chain_head, long handle, size_t *ret_len)
{
	char tail[40];
	const char *end;
	size_t len;

	snprintf(tail, sizeof(tail), "# handle %ld\n", handle);
	at = at ? strstr(at, chain_head) : NULL;
	at = at ? strchr(at, '\n') : NULL;
	for (; at; at = end) {
		at += strspn(at, "\n\t ");
		end = strchr(at, '\n');
		if (!end || *at == '}')
			break;
		len = (size_t)(end + 1 - at);
		if (len > strlen(tail) + 1 && !memcmp(end + 1 - strlen(tail), tail, strlen(tail))) {
			*ret_len = len - strlen(tail) - 1; /* and the blank before it */
			return at;
		}
	}
	*ret_len = 0;
	return "";
}

static void name_rule(const struct nft_ruleset *r, const json_t *rule, char *buf, size_t cap)
{
	const char *family = string_at(rule, "family"), *table = string_at(rule, "table");
	const char *chain = string_at(rule, "chain"), *line;
	long handle = (long)json_integer_value(json_object_get(rule, "handle"));
	char head[120], chain_head[120];
	size_t len;

	snprintf(head, sizeof(head), "table %s %s {", family, table);
	snprintf(chain_head, sizeof(chain_head), "\tchain %s {", chain);
	line = listed_line(r->listing ? strstr(r->listing, head) : NULL, chain_head, handle, &len);
	snprintf(buf, cap, "table %s %s, chain %s: %.*s", family, table, chain, (int)len, line);
	if (!len)
		snprintf(buf, cap, "table %s %s, chain %s: rule of handle %ld", family, table,
			 chain, handle);
}

/* --- Rules --- */

static enum step walk_chain(struct walk *w, const char *chain);

static enum step end_with(struct walk *w, enum nft_does does, const json_t *rule)
{
	w->out.does = does;
	name_rule(w->rules, rule, w->out.rule, sizeof(w->out.rule));
	return STEP_END;
}

static enum step rewrite(struct walk *w, const json_t *statement, const json_t *rule)
{
	const json_t *snat = json_object_get(statement, "snat");
	const char *to = string_at(snat, "addr");

	if (snat && ip_addr_parse(to, &w->out.to))
		return end_with(w, NFT_UNKNOWN, rule);
	return end_with(w, NFT_REWRITES, rule);
}

static bool has(const json_t *statement, const char *key)
{
	return json_object_get(statement, key) != NULL;
}

static enum step follow(struct walk *w, const json_t *statement, bool comes_back)
{
	const json_t *jump = json_object_get(statement, comes_back ? "jump" : "goto");
	enum step step = walk_chain(w, string_at(jump, "target"));

	if (step == STEP_RETURN || step == STEP_ON)
		return comes_back ? STEP_ON : STEP_RETURN;
	return step;
}

static bool is_xt_masquerade(const json_t *statement)
{
	return !strcmp(string_at(json_object_get(statement, "xt"), "name"), "MASQUERADE");
}

/* What a statement does if the rule's matches hold (certain) or may hold. */
static enum step act(struct walk *w, const json_t *statement, enum nft_tri matches,
		     const json_t *rule)
{
	bool certain = matches == NFT_YES;

	if (has(statement, "drop") || has(statement, "reject"))
		return certain ? end_with(w, NFT_DROPS, rule) : STEP_ON;
	if (has(statement, "accept"))
		return certain ? STEP_ACCEPT : end_with(w, NFT_UNKNOWN, rule);
	if (has(statement, "return"))
		return certain ? STEP_RETURN : end_with(w, NFT_UNKNOWN, rule);
	if (has(statement, "masquerade") || has(statement, "snat") || is_xt_masquerade(statement))
		return certain ? rewrite(w, statement, rule) : end_with(w, NFT_UNKNOWN, rule);
	if (has(statement, "jump") || has(statement, "goto"))
		return certain ? follow(w, statement, has(statement, "jump"))
			       : end_with(w, NFT_UNKNOWN, rule);
	if (has(statement, "queue") || has(statement, "redirect") || has(statement, "dnat"))
		return end_with(w, NFT_UNKNOWN, rule);
	return STEP_ON;
}

/* "ct state vmap { established : accept, invalid : drop }" */
static enum step act_by_map(struct walk *w, const struct nft_scope *scope, const json_t *vmap,
			    enum nft_tri matches, const json_t *rule)
{
	const json_t *set = json_object_get(json_object_get(vmap, "data"), "set"), *pair;
	enum nft_tri is;
	enum step step;
	size_t i;

	if (!json_is_array(set))
		return end_with(w, NFT_UNKNOWN, rule);
	json_array_foreach((json_t *)set, i, pair)
	{
		is = nft_value_is(scope, json_object_get(vmap, "key"), json_array_get(pair, 0),
				  w->packet);
		if (is == NFT_NO)
			continue;
		step = act(w, json_array_get(pair, 1), is < matches ? is : matches, rule);
		if (step != STEP_ON || is == NFT_YES)
			return step;
	}
	return STEP_ON;
}

static bool decides_nothing(const json_t *statement)
{
	static const char *const keys[] = {"counter", "log", "mangle", "comment", "notrack"};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (has(statement, keys[i]))
			return true;
	return false;
}

static bool is_verdict(const json_t *statement)
{
	static const char *const keys[] = {"accept", "drop", "reject",	"return",
					   "jump",   "goto", "queue",	"masquerade",
					   "snat",   "dnat", "redirect"};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (has(statement, keys[i]))
			return true;
	return is_xt_masquerade(statement);
}

static enum step walk_rule(struct walk *w, const json_t *rule)
{
	const struct nft_scope scope = {w->rules->objects, w->family, w->table};
	const json_t *expr = json_object_get(rule, "expr"), *s;
	enum nft_tri matches = NFT_YES, one;
	size_t i;

	json_array_foreach((json_t *)expr, i, s)
	{
		if (is_verdict(s))
			return act(w, s, matches, rule);
		if (has(s, "vmap"))
			return act_by_map(w, &scope, json_object_get(s, "vmap"), matches, rule);
		if (decides_nothing(s))
			continue;
		one = has(s, "match") ? nft_match(&scope, json_object_get(s, "match"), w->packet)
				      : NFT_MAYBE;
		if (one == NFT_NO)
			return STEP_ON;
		if (one < matches)
			matches = one;
	}
	return STEP_ON;
}

/* --- Chains --- */

static bool is_of_chain(const json_t *rule, const char *family, const char *table,
			const char *chain)
{
	return !strcmp(string_at(rule, "chain"), chain) &&
	       !strcmp(string_at(rule, "table"), table) &&
	       !strcmp(string_at(rule, "family"), family);
}

static enum step walk_chain(struct walk *w, const char *chain)
{
	enum step step = STEP_ON;
	const json_t *object, *rule;
	size_t i;

	if (++w->depth > DEPTH_MAX)
		step = STEP_ACCEPT;
	json_array_foreach((json_t *)w->rules->objects, i, object)
	{
		rule = json_object_get(object, "rule");
		if (step != STEP_ON)
			break;
		if (rule && is_of_chain(rule, w->family, w->table, chain))
			step = walk_rule(w, rule);
	}
	w->depth--;
	return step;
}

static bool sees_family(const json_t *chain, uint8_t family)
{
	const char *name = string_at(chain, "family");

	return !strcmp(name, "inet") || !strcmp(name, family == 6 ? "ip6" : "ip");
}

static bool is_base(const json_t *chain, const char *hook, bool nat, uint8_t family)
{
	return chain && !strcmp(string_at(chain, "hook"), hook) &&
	       !strcmp(string_at(chain, "type"), "nat") == nat && sees_family(chain, family);
}

static struct nft_outcome walk_base(const struct nft_ruleset *r, const json_t *chain,
				    const struct nft_packet *p)
{
	struct walk w = {.rules = r,
			 .packet = p,
			 .family = string_at(chain, "family"),
			 .table = string_at(chain, "table"),
			 .out = {.does = NFT_PASSES}};
	enum step step = walk_chain(&w, string_at(chain, "name"));

	if ((step == STEP_ON || step == STEP_RETURN) &&
	    !strcmp(string_at(chain, "policy"), "drop")) {
		w.out.does = NFT_DROPS;
		snprintf(w.out.rule, sizeof(w.out.rule), "table %s %s, chain %s: policy drop",
			 w.family, w.table, string_at(chain, "name"));
	}
	return w.out;
}

/* Over all base chains of the hook: the first outcome of that kind, else unknown, else passes. */
static struct nft_outcome walk_hook(const struct nft_ruleset *r, const char *hook, bool nat,
				    const struct nft_packet *p)
{
	struct nft_outcome out = {.does = NFT_PASSES}, one;
	const json_t *object, *chain;
	size_t i;

	json_array_foreach((json_t *)r->objects, i, object)
	{
		chain = json_object_get(object, "chain");
		if (!is_base(chain, hook, nat, p->src.family))
			continue;
		one = walk_base(r, chain, p);
		if (one.does == (nat ? NFT_REWRITES : NFT_DROPS))
			return one;
		if (one.does == NFT_UNKNOWN)
			out = one;
	}
	return out;
}

struct nft_outcome nft_filter(const struct nft_ruleset *rules, const char *hook,
			      const struct nft_packet *packet)
{
	return walk_hook(rules, hook, false, packet);
}

struct nft_outcome nft_source_nat(const struct nft_ruleset *rules, const struct nft_packet *packet)
{
	return walk_hook(rules, "postrouting", true, packet);
}

/* --- The MSS --- */

static bool sets_mss(const json_t *rule)
{
	const json_t *expr = json_object_get(rule, "expr"), *s, *key;
	size_t i;

	json_array_foreach((json_t *)expr, i, s)
	{
		key = json_object_get(json_object_get(s, "mangle"), "key");
		if (!strcmp(string_at(json_object_get(key, "tcp option"), "name"), "maxseg") ||
		    !strcmp(string_at(json_object_get(s, "xt"), "name"), "TCPMSS"))
			return true;
	}
	return false;
}

/* A chain without a hook is reached from another one: which, is not asked. */
static bool is_reached_from(const struct nft_ruleset *r, const json_t *rule, const char *hook)
{
	const json_t *object, *chain;
	size_t i;

	json_array_foreach((json_t *)r->objects, i, object)
	{
		chain = json_object_get(object, "chain");
		if (chain && is_of_chain(rule, string_at(chain, "family"),
					 string_at(chain, "table"), string_at(chain, "name")))
			return !has(chain, "hook") || !strcmp(string_at(chain, "hook"), hook);
	}
	return false;
}

static bool may_match(const struct nft_ruleset *r, const json_t *rule, const struct nft_packet *p)
{
	const struct nft_scope scope = {r->objects, string_at(rule, "family"),
					string_at(rule, "table")};
	const json_t *expr = json_object_get(rule, "expr"), *s;
	size_t i;

	json_array_foreach((json_t *)expr, i,
			   s) if (has(s, "match") && nft_match(&scope, json_object_get(s, "match"),
							       p) == NFT_NO) return false;
	return true;
}

bool nft_clamps_mss(const struct nft_ruleset *rules, const char *hook,
		    const struct nft_packet *packet, char *rule, size_t cap)
{
	const json_t *object, *r;
	size_t i;

	json_array_foreach((json_t *)rules->objects, i, object)
	{
		r = json_object_get(object, "rule");
		if (r && sets_mss(r) && is_reached_from(rules, r, hook) &&
		    (!packet || may_match(rules, r, packet))) {
			name_rule(rules, r, rule, cap);
			return true;
		}
	}
	return false;
}
