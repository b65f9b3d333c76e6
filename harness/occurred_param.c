/* occurred_param.c - what a parameter may say. Text that no packet can have would be met by none,
 * and by `max: 0`, and so is refused. */
#include "harness/occurred_internal.h"
#include "vpn/wire/ike_numbers.h"
#include <stdio.h>
#include <string.h>

static bool is_octets(const char *text)
{
	uint64_t value;

	return parse_octets(text, &value);
}

static bool is_number(const char *text)
{
	uint64_t value;

	return parse_whole(text, &value);
}

static bool is_bool(const char *text)
{
	bool value;

	return parse_bool(text, &value);
}

static bool is_address(const char *text)
{
	struct ip_addr addr;

	return ip_addr_parse(text, &addr) == 0;
}

static bool is_mode(const char *text)
{
	return strcmp(text, "tunnel") == 0 || strcmp(text, "transport") == 0 ||
	       strcmp(text, "beet") == 0;
}

static bool is_kind(const char *text)
{
	return strcmp(text, "request") == 0 || strcmp(text, "response") == 0;
}

static bool is_end(const char *text)
{
	return strcmp(text, "initiator") == 0 || strcmp(text, "responder") == 0;
}

static bool is_segment(const char *text)
{
	return strcmp(text, "syn") == 0 || strcmp(text, "synack") == 0;
}

static bool is_exchange(const char *text)
{
	char name[64];
	unsigned i;

	for (i = 0; i <= UINT8_MAX; i++)
		if (strcmp(ike_exchange_name(i, name, sizeof(name)), text) == 0)
			return true;
	return false;
}

static bool is_notify(const char *text)
{
	char name[64];
	unsigned i;

	for (i = 0; i <= UINT16_MAX; i++)
		if (strcmp(ike_notify_name(i, name, sizeof(name)), text) == 0)
			return true;
	return false;
}

/* A parameter that is not here may be any text. */
static const struct {
	const char *key;
	bool (*is_right)(const char *text);
	const char *wanted;
} param_types[] = {
    {"min", is_number, "a number"},
    {"max", is_number, "a number"},
    {"mss", is_number, "a number"},
    {"mtu", is_number, "a number"},
    {"total", is_number, "a number"},
    {"protocol", is_number, "a number of IP's next header"},
    {"next_header", is_number, "a number of IP's next header"},
    {"octets", is_octets, "a number of octets like 1400 or 64k"},
    {"encap", is_bool, "yes or no"},
    {"inside", is_bool, "yes or no"},
    {"address", is_address, "an address"},
    {"src", is_address, "an address"},
    {"dst", is_address, "an address"},
    {"asked", is_mode, "tunnel, transport or beet"},
    {"mode", is_mode, "tunnel, transport or beet"},
    {"kind", is_kind, "request or response"},
    {"from", is_end, "initiator or responder"},
    {"segment", is_segment, "syn or synack"},
    {"exchange", is_exchange, "an exchange of IKE, as IKE_AUTH"},
    {"notify", is_notify, "a notify of IKE, as NO_PROPOSAL_CHOSEN or N(40961)"},
};

static bool is_known(const struct occurred_kind *kind, const char *key)
{
	size_t i;

	for (i = 0; i < OCCURRED_PARAMS && kind->params[i]; i++)
		if (strcmp(kind->params[i], key) == 0)
			return true;
	return strcmp(key, "min") == 0 || strcmp(key, "max") == 0;
}

static int unknown_param(struct doc *doc, const struct occurred_kind *kind, const struct pair *pair,
			 struct err_msg *msg)
{
	char known[160] = "";
	size_t i, len = 0;

	for (i = 0; i < OCCURRED_PARAMS && kind->params[i]; i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s, ", kind->params[i]);
	return doc_error(doc, pair->line, msg, "'%s' has no parameter '%s'; it has: %smin, max",
			 kind->name, pair->key, known);
}

int occurred_check_param(struct doc *doc, const struct occurred_kind *kind, const struct pair *pair,
			 struct err_msg *msg)
{
	size_t i;

	if (!is_known(kind, pair->key))
		return unknown_param(doc, kind, pair, msg);
	for (i = 0; i < sizeof(param_types) / sizeof(param_types[0]); i++)
		if (strcmp(param_types[i].key, pair->key) == 0 &&
		    !param_types[i].is_right(pair->value))
			return doc_error(doc, pair->line, msg, "'%s' must be %s, not '%s'",
					 pair->key, param_types[i].wanted, pair->value);
	return 0;
}
