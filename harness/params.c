/* params.c - one row for each parameter of a check: its key and how its text is read.
 *
 * Ownership: lists of selectors are params's own, and go with params_clear. */
#include "harness/params.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool param_fn(const char *text, struct check_params *params);

static bool read_tristate(const char *text, enum tristate *ret_value)
{
	bool value;

	if (!parse_bool(text, &value))
		return false;
	*ret_value = value ? YES : NO;
	return true;
}

static bool read_mode(const char *text, enum ipsec_mode *ret_mode)
{
	static const char *const names[] = {
	    [IPSEC_TUNNEL] = "tunnel", [IPSEC_TRANSPORT] = "transport", [IPSEC_BEET] = "beet"};
	int i;

	for (i = 0; i < 3; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_mode = (enum ipsec_mode)i;
			return true;
		}
	}
	return false;
}

static bool set_asked(const char *text, struct check_params *params)
{
	params->have_asked = read_mode(text, &params->asked);
	return params->have_asked;
}

static bool set_mode(const char *text, struct check_params *params)
{
	params->have_mode = read_mode(text, &params->mode);
	return params->have_mode;
}

static bool set_initiator_nat(const char *text, struct check_params *params)
{
	return read_tristate(text, &params->initiator_behind_nat);
}

static bool set_responder_nat(const char *text, struct check_params *params)
{
	return read_tristate(text, &params->responder_behind_nat);
}

static bool set_encap(const char *text, struct check_params *params)
{
	return read_tristate(text, &params->encap);
}

static bool set_icmp(const char *text, struct check_params *params)
{
	return read_tristate(text, &params->icmp);
}

static bool read_seconds(const char *text, unsigned *ret_s)
{
	unsigned ms;

	if (!parse_ms(text, &ms))
		return false;
	*ret_s = (ms + 999) / 1000;
	return true;
}

static bool set_keepalive(const char *text, struct check_params *params)
{
	return read_seconds(text, &params->keepalive_s);
}

static bool set_retransmit(const char *text, struct check_params *params)
{
	return read_seconds(text, &params->retransmit_s);
}

static bool read_size(const char *text, unsigned *ret_size)
{
	uint64_t octets;

	if (!parse_octets(text, &octets) || octets > 65535)
		return false;
	*ret_size = (unsigned)octets;
	return true;
}

static bool read_count(const char *text, size_t *ret_count)
{
	uint64_t count;

	if (!parse_octets(text, &count) || count > 1000000)
		return false;
	*ret_count = (size_t)count;
	return true;
}

static bool set_lost(const char *text, struct check_params *params)
{
	return read_count(text, &params->lost);
}

static bool set_twice(const char *text, struct check_params *params)
{
	return read_count(text, &params->twice);
}

static bool set_path_mtu(const char *text, struct check_params *params)
{
	return read_size(text, &params->path_mtu);
}

static bool set_fragment_size(const char *text, struct check_params *params)
{
	return read_size(text, &params->fragment_size);
}

static bool set_rekeys(const char *text, struct check_params *params)
{
	return read_count(text, &params->rekeys);
}

static bool set_octets(const char *text, struct check_params *params)
{
	return parse_octets(text, &params->octets);
}

static bool set_life(const char *text, struct check_params *params)
{
	return parse_ms(text, &params->life_ms);
}

static bool set_timeout(const char *text, struct check_params *params)
{
	return parse_ms(text, &params->timeout_ms);
}

static bool set_interval(const char *text, struct check_params *params)
{
	return parse_ms(text, &params->interval_ms);
}

static bool set_dead(const char *text, struct check_params *params)
{
	return parse_ms(text, &params->dead_ms);
}

static bool set_tries(const char *text, struct check_params *params)
{
	size_t count;

	if (!read_count(text, &count))
		return false;
	params->tries = (unsigned)count;
	return true;
}

static bool set_base(const char *text, struct check_params *params)
{
	char *end;

	params->base = strtod(text, &end);
	return end != text && !*end && params->base >= 1 && params->base <= 10;
}

/* "10.254.0.0/30 192.168.1.0/24" */
static bool set_tunnel_nets(const char *text, struct check_params *params)
{
	char copy[512], *rest = copy, *word;
	struct ts ts;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	while ((word = strsep(&rest, " ")))
		if (*word &&
		    (ts_parse(word, &ts, NULL) < 0 || ts_list_add(&params->tunnel_nets, &ts) < 0))
			return false;
	return params->tunnel_nets.n > 0;
}

static bool add_pair(char *text, struct check_params *params)
{
	struct ts_pair *pairs =
	    realloc((void *)params->selectors, sizeof(*pairs) * (params->n_selectors + 1));
	char *i = strsep(&text, " "), *sign = strsep(&text, " ");

	if (!pairs)
		return false;
	params->selectors = pairs;
	if (!i || !sign || strcmp(sign, "=") != 0 || !text ||
	    ts_parse(i, &pairs[params->n_selectors].i, NULL) < 0 ||
	    ts_parse(text, &pairs[params->n_selectors].r, NULL) < 0)
		return false;
	params->n_selectors++;
	return true;
}

/* "10.1.0.0/16 = 10.2.0.0/16; fd01::/64 = fd02::/64": of the initiator, of the responder */
static bool set_selectors(const char *text, struct check_params *params)
{
	char copy[512], *rest = copy, *word;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	while ((word = strsep(&rest, ";")))
		if (!add_pair(word + strspn(word, " "), params))
			return false;
	return true;
}

/* checks: those that take the parameter; none: all. */
static const struct {
	const char *key;
	param_fn *set;
	const char *wanted;
	const char *checks[3];
} rows[] = {
    {"asked", set_asked, "tunnel, transport or beet", {"mode"}},
    {"mode", set_mode, "tunnel, transport or beet", {"mode"}},
    {"initiator_behind_nat", set_initiator_nat, "yes or no", {"nat-t", "keepalive"}},
    {"responder_behind_nat", set_responder_nat, "yes or no", {"nat-t", "keepalive"}},
    {"encap", set_encap, "yes or no", {"nat-t"}},
    {"icmp", set_icmp, "yes or no", {"pmtu"}},
    {"keepalive", set_keepalive, "a time like 20s", {"keepalive"}},
    {"retransmit", set_retransmit, "a time like 10s", {"requests"}},
    {"fragment_size", set_fragment_size, "a number of octets", {"fragments"}},
    {"path_mtu", set_path_mtu, "a number of octets", {"mss", "pmtu"}},
    {"rekeys", set_rekeys, "a number", {"rekey"}},
    {"octets", set_octets, "a number of octets", {"rekey"}},
    {"life", set_life, "a time like 10s", {"rekey"}},
    {"tries", set_tries, "a number", {"retransmit"}},
    {"timeout", set_timeout, "a time like 4s", {"retransmit"}},
    {"base", set_base, "a number from 1 to 10", {"retransmit"}},
    {"interval", set_interval, "a time like 10s", {"dpd"}},
    {"dead", set_dead, "a time like 10s", {"dpd"}},
    {"lost", set_lost, "a number", {"delivery"}},
    {"twice", set_twice, "a number", {"delivery"}},
    {"tunnel_nets", set_tunnel_nets, "networks with blanks between", {"cleartext"}},
    {"selectors",
     set_selectors,
     "pairs 'INITIATOR = RESPONDER' with ';' between",
     {"selectors", "delivery"}},
};

#define ROWS	  (sizeof(rows) / sizeof(rows[0]))
#define TAKES_MAX (sizeof(rows[0].checks) / sizeof(rows[0].checks[0]))

static bool takes(const char *check, size_t row)
{
	size_t i;

	for (i = 0; i < TAKES_MAX && rows[row].checks[i]; i++)
		if (strcmp(rows[row].checks[i], check) == 0)
			return true;
	return i == 0;
}

static int unknown_param(struct doc *doc, const char *check, const struct pair *pair,
			 struct err_msg *msg)
{
	char known[320] = "none";
	size_t i, len = 0;

	for (i = 0; i < ROWS && len < sizeof(known); i++)
		if (takes(check, i))
			len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
						len ? ", " : "", rows[i].key);
	return doc_error(doc, pair->line, msg, "check '%s' has no parameter '%s'; it has: %s",
			 check, pair->key, known);
}

static int check_keys(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	size_t i, k;

	for (i = 0; i < e->with.count; i++) {
		for (k = 0; k < ROWS; k++)
			if (strcmp(rows[k].key, e->with.items[i].key) == 0 && takes(e->check, k))
				break;
		if (k == ROWS)
			return unknown_param(doc, e->check, &e->with.items[i], msg);
	}
	return 0;
}

static int read_pair(struct doc *doc, const struct pair *pair, struct check_params *params,
		     struct err_msg *msg)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].key, pair->key) != 0)
			continue;
		if (rows[i].set(pair->value, params))
			return 0;
		return doc_error(doc, pair->line, msg, "'%s' must be %s, not '%s'", pair->key,
				 rows[i].wanted, pair->value);
	}
	return doc_error(doc, pair->line, msg, "checks have no parameter '%s'", pair->key);
}

int params_read(struct doc *doc, const struct pair_list *with, struct check_params *params,
		struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < with->count && err == 0; i++)
		err = read_pair(doc, &with->items[i], params, msg);
	return err;
}

int params_validate(struct doc *doc, const struct sc_expectation *expectation, struct err_msg *msg)
{
	struct check_params params = {.mtu = 0};
	const struct check *table;
	char known[320] = "";
	size_t i, n, len = 0;
	int err;

	if (check_find(expectation->check)) {
		err = check_keys(doc, expectation, msg);
		if (err == 0)
			err = params_read(doc, &expectation->with, &params, msg);
		params_clear(&params);
		return err;
	}
	table = checks_table(&n);
	for (i = 0; i < n && len < sizeof(known) - 40; i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					table[i].name);
	return doc_error(doc, expectation->line, msg, "no check '%s'; there are: %s",
			 expectation->check, known);
}

const char *params_key(size_t index)
{
	return index < ROWS ? rows[index].key : NULL;
}

void params_clear(struct check_params *params)
{
	ts_list_free(&params->tunnel_nets);
	free((void *)params->selectors);
	params->selectors = NULL;
	params->n_selectors = 0;
}
