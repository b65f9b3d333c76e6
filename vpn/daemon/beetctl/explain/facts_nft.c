/* facts_nft.c - the rule set of nftables, through libnftables: once as JSON to be judged, once as
 * text to be quoted. Rules of the old iptables (iptables-legacy) are elsewhere; that there are some
 * is said. */
#include "vpn/daemon/beetctl/explain/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_NFTABLES
#include <nftables/libnftables.h>
#endif

static void notice_legacy(struct facts *f)
{
	FILE *file = fopen("/proc/net/ip_tables_names", "re");
	char line[80];

	if (!file)
		return;
	if (fgets(line, sizeof(line), file))
		live_limit(f, "There are rules of iptables-legacy, which were not looked at.");
	fclose(file);
}

#ifdef HAVE_NFTABLES

/* The caller frees it; NULL: it was refused. */
static char *list_rules(struct nft_ctx *nft, unsigned flags)
{
	nft_ctx_output_set_flags(nft, flags);
	if (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft) ||
	    nft_run_cmd_from_buffer(nft, "list ruleset"))
		return NULL;
	return strdup(nft_ctx_get_output_buffer(nft));
}

static void read_rules(struct nft_ctx *nft, struct facts *f)
{
	char *json = list_rules(nft, NFT_CTX_OUTPUT_JSON);
	char *text = json ? list_rules(nft, NFT_CTX_OUTPUT_HANDLE) : NULL;

	if (!json || nft_ruleset_parse(json, text, &f->nft))
		live_limit(f, "The rules of nftables could not be read (that takes root).");
	free(json);
	free(text);
}

void live_ask_nft(struct facts *f)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	notice_legacy(f);
	if (!nft)
		return;
	read_rules(nft, f);
	nft_ctx_free(nft);
}

#else

void live_ask_nft(struct facts *f)
{
	notice_legacy(f);
	live_limit(f, "The rules of nftables were not looked at: built without nftables.");
}

#endif
