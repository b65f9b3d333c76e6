/* mark.c - the table "inet beetd", through libnftables.
 *
 * Every change puts the whole table into the kernel anew, in one transaction: a table that is half
 * changed cannot be. That is linear in the number of different rules, of which there are as many as
 * children with set_mark_in, usually a few. A context of libnftables holds a netlink socket, so it
 * belongs to the network namespace of the thread that made it. */
#include "vpn/dataplane/mark.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/list.h"
#include "vpn/base/proto.h"

#ifdef HAVE_NFTABLES
#include <nftables/libnftables.h>
#include <stdio.h>

#define TABLE "inet beetd"
#define CLEAR "add table " TABLE "\ndelete table " TABLE "\n"
/* Before "raw", the first that anybody else uses. */
#define CHAIN "add chain " TABLE " decrypted { type filter hook prerouting priority -301; }\n"

struct owned_mark {
	struct list node;
	char *ifname;
	struct ts_list local_ts, remote_ts;
	uint32_t value, mask;
	unsigned users;
};

struct marker {
	struct nft_ctx *nft;
	struct list rules;
};

static void free_rule(struct owned_mark *o)
{
	list_remove(&o->node);
	ts_list_free(&o->local_ts);
	ts_list_free(&o->remote_ts);
	free(o->ifname);
	free(o);
}

static struct owned_mark *find_rule(struct marker *m, const struct mark_rule *r)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &m->rules) {
		struct owned_mark *o = list_entry(pos, struct owned_mark, node);

		if (o->value == r->value && o->mask == r->mask && !strcmp(o->ifname, r->ifname) &&
		    ts_list_eq(&o->local_ts, r->local_ts) &&
		    ts_list_eq(&o->remote_ts, r->remote_ts))
			return o;
	}
	return NULL;
}

static void put_address(FILE *f, const char *which, const struct ts *ts)
{
	char lo[IP_ADDR_STRLEN], hi[IP_ADDR_STRLEN];

	fprintf(f, " %s %s %s-%s", ts_family(ts) == 6 ? "ip6" : "ip", which,
		ip_addr_format(&ts->lo, lo, sizeof(lo)), ip_addr_format(&ts->hi, hi, sizeof(hi)));
}

static bool has_ports(const struct ts *ts)
{
	return (ts->proto == IP_PROTO_TCP || ts->proto == IP_PROTO_UDP) &&
	       ts->port_lo <= ts->port_hi && (ts->port_lo > 0 || ts->port_hi < UINT16_MAX);
}

static void put_pair(FILE *f, const struct owned_mark *o, const struct ts *remote,
		     const struct ts *local)
{
	uint8_t proto = remote->proto ? remote->proto : local->proto;

	fprintf(f, "add rule " TABLE " decrypted iifname \"%s\"", o->ifname);
	put_address(f, "saddr", remote);
	put_address(f, "daddr", local);
	if (proto)
		fprintf(f, " meta l4proto %u", proto);
	if (has_ports(remote))
		fprintf(f, " th sport %u-%u", remote->port_lo, remote->port_hi);
	if (has_ports(local))
		fprintf(f, " th dport %u-%u", local->port_lo, local->port_hi);
	fprintf(f, " meta mark set meta mark and 0x%08x xor 0x%08x\n", ~o->mask,
		o->value & o->mask);
}

static void put_rule(FILE *f, const struct owned_mark *o)
{
	size_t i, k;

	for (i = 0; i < o->remote_ts.n; i++)
		for (k = 0; k < o->local_ts.n; k++)
			if (ts_family(&o->remote_ts.v[i]) == ts_family(&o->local_ts.v[k]))
				put_pair(f, o, &o->remote_ts.v[i], &o->local_ts.v[k]);
}

/* The first line of what libnftables complains of. */
static int complain(struct marker *m, struct err_msg *msg)
{
	const char *text = nft_ctx_get_error_buffer(m->nft);

	return err_set(msg, ERR_UNSUPPORTED, "set_mark_in is not applied: nftables: %.*s",
		       text ? (int)strcspn(text, "\n") : 0, text ? text : "");
}

static int write_table(struct marker *m, struct err_msg *msg)
{
	struct list *pos, *tmp;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err = 0;

	if (!f)
		return err_set(msg, ERR_NOMEM, "out of memory");
	fputs(CLEAR, f);
	if (!list_empty(&m->rules))
		fputs("add table " TABLE "\n" CHAIN, f);
	list_for_each (pos, tmp, &m->rules)
		put_rule(f, list_entry(pos, struct owned_mark, node));
	if (fclose(f))
		err = err_set(msg, ERR_NOMEM, "out of memory");
	else if (nft_run_cmd_from_buffer(m->nft, text))
		err = complain(m, msg);
	free(text);
	return err;
}

int marker_new(struct marker **ret_marker)
{
	struct marker *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_NOMEM;
	list_init(&m->rules);
	m->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!m->nft) {
		free(m);
		return ERR_NOMEM;
	}
	nft_ctx_buffer_output(m->nft);
	nft_ctx_buffer_error(m->nft);
	nft_run_cmd_from_buffer(m->nft, "delete table " TABLE);
	nft_ctx_get_error_buffer(m->nft); /* there was none, or no nftables: nothing to tell */
	*ret_marker = m;
	return 0;
}

void marker_free(struct marker *m)
{
	struct list *pos, *tmp;

	if (!m)
		return;
	if (!list_empty(&m->rules))
		nft_run_cmd_from_buffer(m->nft, CLEAR);
	list_for_each (pos, tmp, &m->rules)
		free_rule(list_entry(pos, struct owned_mark, node));
	nft_ctx_free(m->nft);
	free(m);
}

static struct owned_mark *own_rule(const struct mark_rule *r)
{
	struct owned_mark *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	list_init(&o->node);
	o->value = r->value;
	o->mask = r->mask;
	o->users = 1;
	o->ifname = strdup(r->ifname);
	if (!o->ifname || ts_list_copy(r->local_ts, &o->local_ts) ||
	    ts_list_copy(r->remote_ts, &o->remote_ts)) {
		free_rule(o);
		return NULL;
	}
	return o;
}

int marker_add(struct marker *m, const struct mark_rule *rule, struct err_msg *msg)
{
	struct owned_mark *o = find_rule(m, rule);
	int err;

	if (o) {
		o->users++;
		return 0;
	}
	o = own_rule(rule);
	if (!o)
		return err_set(msg, ERR_NOMEM, "out of memory");
	list_append(&m->rules, &o->node);
	err = write_table(m, msg);
	if (err)
		free_rule(o);
	return err;
}

void marker_del(struct marker *m, const struct mark_rule *rule)
{
	struct owned_mark *o = find_rule(m, rule);

	if (!o || --o->users)
		return;
	free_rule(o);
	write_table(m, NULL);
}

#else

int marker_new(struct marker **ret_marker)
{
	*ret_marker = NULL;
	return 0;
}

void marker_free(struct marker *m)
{
	(void)m;
}

int marker_add(struct marker *m, const struct mark_rule *rule, struct err_msg *msg)
{
	(void)m;
	(void)rule;
	return err_set(msg, ERR_UNSUPPORTED, "set_mark_in is not applied: built without nftables");
}

void marker_del(struct marker *m, const struct mark_rule *rule)
{
	(void)m;
	(void)rule;
}

#endif
