/* config_file.c - findings of the file alone: what a swanctl.conf says that will not do what
 * somebody thinks, whatever the captures show (RFC 7296 §2.8, §2.9, §2.23). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/crypto/alg.h"

typedef int child_fn(const struct conf_section *conn, const struct conf_section *child,
		     struct findings *out);

static int for_each_child(const struct survey *s, struct findings *out, child_fn *judge)
{
	const struct conf_section *conn, *child;
	int err = 0;

	for (conn = config_conns(s->config); conn; conn = conn->next)
		for (child = config_children(conn); child && !err; child = child->next)
			err = judge(conn, child, out);
	return err;
}

static int find_version(const struct survey *s, struct findings *out)
{
	const struct conf_section *conn;
	int err = 0;

	for (conn = config_conns(s->config); conn && !err; conn = conn->next)
		if (config_is(conn, "version", "1"))
			err = finding_cite(
			    out,
			    finding_add(out, CERTAIN, "Connection %s is for IKEv1.", conn->name),
			    config_place(conn, "version"), "version = 1");
	return err;
}

/* --- Times --- */

static int judge_life(const struct conf_section *conn, const struct conf_section *child,
		      struct findings *out)
{
	uint32_t rekey = config_seconds(child, "rekey_time", 3600);
	uint32_t life = config_seconds(child, "life_time", 0);
	struct finding *f;

	(void)conn;
	if (!life || !rekey || life > rekey)
		return 0;
	f = finding_add(out, CERTAIN, "Child %s ends after %u s and would be rekeyed after %u s.",
			child->name, life, rekey);
	return finding_cite(out, f, config_place(child, "life_time"), "life_time = %s",
			    config_text(child, "life_time", ""));
}

static int find_life(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_life);
}

static bool brings_back(const struct conf_section *section, const char *name)
{
	static const char *const words[] = {"start", "restart", "trap", "hold"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (config_is(section, name, words[i]))
			return true;
	return false;
}

static int judge_return(const struct conf_section *conn, const struct conf_section *child,
			struct findings *out)
{
	bool asks = config_seconds(conn, "dpd_delay", 0) > 0;
	struct finding *f;

	if (!config_is(child, "start_action", "start") ||
	    (asks && brings_back(child, "dpd_action")))
		return 0;
	f = finding_add(out, CERTAIN,
			asks ? "Child %s is started once; when the peer is found dead, nothing "
			       "starts it again."
			     : "Child %s is started once, and nobody looks whether the peer lives.",
			child->name);
	return finding_cite(
	    out, f, asks ? config_place(child, "dpd_action") : config_place(conn, "dpd_delay"),
	    asks ? "dpd_action = %s" : "dpd_delay = %s",
	    asks ? config_text(child, "dpd_action", "clear")
		 : config_text(conn, "dpd_delay", "0s"));
}

static int find_return(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_return);
}

/* --- Selectors and modes --- */

struct selectors {
	struct ts_list local, remote;
};

static void selectors_free(struct selectors *x)
{
	ts_list_free(&x->local);
	ts_list_free(&x->remote);
}

static int selectors_of(const struct conf_section *child, struct selectors *ret_selectors)
{
	struct selectors x = {0};
	int err = config_selectors(child, "local_ts", &x.local);

	if (!err)
		err = config_selectors(child, "remote_ts", &x.remote);
	if (err)
		selectors_free(&x);
	else
		*ret_selectors = x;
	return err;
}

static int judge_self(const struct conf_section *conn, const struct conf_section *child,
		      struct findings *out)
{
	struct selectors x;
	int err = selectors_of(child, &x);

	(void)conn;
	if (err)
		return err;
	if (x.local.n && ts_list_eq(&x.local, &x.remote) && !ip_addr_is_any(&x.local.v[0].lo))
		err = finding_cite(out,
				   finding_add(out, CERTAIN,
					       "Child %s has the same selector for both ends.",
					       child->name),
				   config_place(child, "remote_ts"), "local_ts = remote_ts = %s",
				   config_text(child, "remote_ts", ""));
	selectors_free(&x);
	return err;
}

static int find_self(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_self);
}

static bool are_hosts(const struct ts_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!ts_is_host(&list->v[i]))
			return false;
	return list->n <= 1;
}

static int judge_beet(const struct conf_section *conn, const struct conf_section *child,
		      struct findings *out)
{
	struct selectors x;
	int err;

	(void)conn;
	if (!config_is(child, "mode", "beet"))
		return 0;
	err = selectors_of(child, &x);
	if (err)
		return err;
	if (!are_hosts(&x.local) || !are_hosts(&x.remote))
		err = finding_cite(
		    out,
		    finding_add(out, CERTAIN,
				"Child %s asks for BEET between networks; it will be tunnel mode.",
				child->name),
		    config_place(child, "mode"), "mode = beet, with %s === %s",
		    config_text(child, "local_ts", "dynamic"),
		    config_text(child, "remote_ts", "dynamic"));
	selectors_free(&x);
	return err;
}

static int find_beet(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_beet);
}

static bool are_twins(const struct conf_section *a, const struct conf_section *b,
		      const struct selectors *x, const struct selectors *y)
{
	return x->local.n && x->remote.n && ts_list_eq(&x->local, &y->local) &&
	       ts_list_eq(&x->remote, &y->remote) &&
	       config_is(a, "if_id_out", config_text(b, "if_id_out", ""));
}

/* Against those behind it, so that each pair is seen once. */
static int judge_twins(const struct conf_section *conn, const struct conf_section *child,
		       struct findings *out)
{
	const struct conf_section *other;
	struct selectors x, y;
	int err = selectors_of(child, &x);

	(void)conn;
	if (err)
		return err;
	for (other = child->next; other && !err; other = other->next) {
		err = selectors_of(other, &y);
		if (err)
			break;
		if (are_twins(child, other, &x, &y))
			err = finding_cite(
			    out,
			    finding_add(out, LIKELY, "Children %s and %s have the same selectors.",
					child->name, other->name),
			    other->at, "child %s, as %s in line %u", other->name, child->name,
			    child->at.line);
		selectors_free(&y);
	}
	selectors_free(&x);
	return err;
}

static int find_twins(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_twins);
}

/* --- Identities --- */

static int judge_identity(const struct conf_section *auth, struct findings *out)
{
	const char *id = config_text(auth, "id", "");
	struct ip_addr addr;

	if (id[0] != '@' || ip_addr_parse(id + 1, &addr))
		return 0;
	return finding_cite(
	    out,
	    finding_add(out, LIKELY, "The identity %s is an address written as a host name.", id),
	    config_place(auth, "id"), "id = %s", id);
}

static int find_address_as_name(const struct survey *s, struct findings *out)
{
	const struct conf_section *conn, *auth;
	int err = 0;

	for (conn = config_conns(s->config); conn; conn = conn->next)
		for (auth = conn->sections; auth && !err; auth = auth->next)
			if (strcmp(auth->name, "children") != 0)
				err = judge_identity(auth, out);
	return err;
}

/* --- NAT --- */

static bool nat_is_seen(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->f.n_natd; i++)
		if ((s->f.natd[i].have_src && !s->f.natd[i].src_match &&
		     !s->f.natd[i].src_unspecified) ||
		    (s->f.natd[i].have_dst && !s->f.natd[i].dst_match))
			return true;
	return false;
}

static int find_no_mobike(const struct survey *s, struct findings *out)
{
	const struct conf_section *conn;
	int err = 0;

	for (conn = config_conns(s->config); conn && !err; conn = conn->next)
		if (!config_bool(conn, "mobike", true) &&
		    (config_bool(conn, "encap", false) || nat_is_seen(s)))
			err = finding_cite(out,
					   finding_add(out, CERTAIN,
						       "Connection \"%s\" goes through a NAT box, "
						       "and has no MOBIKE.",
						       conn->name),
					   config_place(conn, "mobike"), "mobike = no");
	return err;
}

/* --- Proposals --- */

static bool is_hash(const char *word)
{
	return strncmp(word, "prf", 3) != 0 && alg_by_keyword(TRANSFORM_INTEG, word);
}

/* Which of an ESP proposal's words say less, or more, than they seem to. */
static void judge_words(const char *list, bool *ret_hash, bool *ret_ke)
{
	char *copy = strdup(list), *proposal, *word, *at, *in;

	for (proposal = copy ? strtok_r(copy, ", ", &at) : NULL; proposal;
	     proposal = strtok_r(NULL, ", ", &at)) {
		bool aead = false, hash = false;

		for (word = strtok_r(proposal, "-", &in); word; word = strtok_r(NULL, "-", &in)) {
			const struct alg *encr = alg_by_keyword(TRANSFORM_ENCR, word);

			aead = aead || (encr && alg_is_aead(encr->id));
			hash = hash || is_hash(word);
			*ret_ke = *ret_ke || alg_by_keyword(TRANSFORM_KE, word);
		}
		*ret_hash = *ret_hash || (aead && hash);
	}
	free(copy);
}

static int judge_esp(const struct conf_section *conn, const struct conf_section *child,
		     struct findings *out)
{
	const char *list = config_text(child, "esp_proposals", "");
	bool hash = false, ke = false;

	(void)conn;
	judge_words(list, &hash, &ke);
	if (!hash)
		return 0;
	return finding_cite(out,
			    finding_add(out, CERTAIN,
					"Child %s names a hash beside a cipher that authenticates "
					"itself%s.",
					child->name,
					ke ? ", and a key exchange that is first used at the "
					     "first rekeying"
					   : ""),
			    config_place(child, "esp_proposals"), "esp_proposals = %s", list);
}

static int find_superfluous(const struct survey *s, struct findings *out)
{
	return for_each_child(s, out, judge_esp);
}

RULES(
    config_file,
    {.id = "CFG-version",
     .names = "MAP-version; document 4: mismatched IKE version",
     .kind = RULE_FAULT,
     .rank = 32,
     .unless = "",
     .title = "The file asks for IKEv1",
     .why = "IKEv1 and IKEv2 cannot talk to each other, and IKEv1 is retired.",
     .remedy = "version = 2 at both ends.",
     .clause = "RFC 7296 §2.5",
     .find = find_version},
    {.id = "CFG-lifetime",
     .names = "negotiation failure map 6",
     .kind = RULE_FAULT,
     .rank = 33,
     .unless = "",
     .title = "A child ends before it is rekeyed",
     .why = "life_time is when an SA is thrown away; rekey_time is when its successor is made, and "
	    "has to come before.",
     .remedy = "Leave life_time out (a tenth more than rekey_time), or make it longer.",
     .clause = "RFC 7296 §2.8",
     .find = find_life},
    {.id = "CFG-twins",
     .names = "F25, F39",
     .kind = RULE_FAULT,
     .rank = 36,
     .unless = "",
     .title = "Two children of the file have the same selectors",
     .why = "Which of them a packet, or a peer's request, is for cannot be told.",
     .remedy = "Remove one, or tell them apart (protocol, port, interface ID).",
     .clause = "RFC 7296 §2.9, RFC 4301 §4.4.1",
     .find = find_twins},
    {.id = "CFG-address-id",
     .names = "F41",
     .kind = RULE_FAULT,
     .rank = 34,
     .unless = "F41",
     .title = "The file writes an address as a host name",
     .why = "\"@\" makes a host name of what follows (ID_FQDN). Certificates hold addresses as "
	    "addresses, and peers expect ID_IPV4_ADDR.",
     .remedy = "Write the address without @.",
     .clause = "RFC 7296 §3.5, RFC 4945 §3.1",
     .find = find_address_as_name},
    {.id = "CFG-return",
     .names = "F44",
     .kind = RULE_NOTE,
     .rank = 82,
     .unless = "F44",
     .title = "Nothing would bring the tunnel back",
     .why = "start_action is for when the file is loaded. After a reboot of the peer, or a long "
	    "outage, the child stays down until somebody starts it.",
     .remedy = "dpd_delay, dpd_action = restart, close_action = start at the end that can reach "
	       "the other.",
     .clause = "RFC 7296 §2.4",
     .find = find_return},
    {.id = "CFG-beet",
     .names = "S1",
     .kind = RULE_NOTE,
     .rank = 77,
     .unless = "S1",
     .title = "BEET is asked for between networks",
     .why =
	 "BEET has no inner header: it needs one host at each end. Otherwise both ends fall back "
	 "to tunnel mode in silence.",
     .remedy = "Host selectors (/32, /128), or mode = tunnel, which it will be anyway.",
     .clause = "RFC 7296 §1.3.1",
     .find = find_beet},
    {.id = "CFG-self",
     .names = "S5",
     .kind = RULE_NOTE,
     .rank = 81,
     .unless = "S5",
     .title = "The file has the same selector for both ends",
     .why = "Both ends are inside one prefix. It works, and it hides every mistake that is not "
	    "symmetrical.",
     .remedy = "Name each end's own addresses.",
     .clause = "RFC 7296 §2.9",
     .find = find_self},
    {.id = "S7",
     .names = "F01, F02",
     .kind = RULE_NOTE,
     .rank = 78,
     .unless = "F01 F02",
     .title = "Behind a NAT box without MOBIKE",
     .why = "When the mapping or the address changes, the end behind the box cannot say so. All "
	    "then depends on the other end's following authenticated packets.",
     .remedy = "mobike = yes at both ends, unless one of them cannot; else keep-alives more often "
	       "than the mapping lives, and a liveness check (dpd_delay).",
     .clause = "RFC 7296 §2.23, RFC 4555 §3.8",
     .find = find_no_mobike},
    {.id = "S8",
     .names = "F19, F40",
     .kind = RULE_NOTE,
     .rank = 79,
     .unless = "F40",
     .title = "Words in an ESP proposal that say nothing",
     .why = "An AEAD authenticates by itself; a hash beside it is ignored, or refused. A group is "
	    "not negotiated in IKE_AUTH, so whether the ends agree on it shows an hour later.",
     .remedy = "Name the cipher alone, and a group only if both ends have the same; try a rekeying "
	       "by hand.",
     .clause = "RFC 7296 §1.2, §3.3; RFC 5282 §8",
     .find = find_superfluous});
