/* config.h - a swanctl.conf beside the captures: what an end was told, to be held against what it
 * does.
 *
 * Read as swanctl reads it (includes, templates), but no more than read: options that one daemon
 * does not support are not this one's business, and no certificate or key is opened. Sections and
 * values know their file and line, which evidence cites. */
#ifndef HARNESS_EXPLAIN_CONFIG_H
#define HARNESS_EXPLAIN_CONFIG_H

#include "vpn/base/ts.h"
#include "vpn/config/conf.h"
#include "vpn/wire/proposal.h"

struct config {
	struct conf conf;
	struct conf_section *connections; /* resolved; NULL: the file has none */
};

/* ERR_SYNTAX (also: no daemon takes it, or it has no connection), ERR_IO, ERR_LIMIT, ERR_NOMEM;
 * *msg is "FILE:LINE: what is wrong". */
int config_read(const char *path, struct config *ret_config, struct err_msg *msg);
void config_free(struct config *config);
/* config_check.c: 0, or ERR_SYNTAX for the first option or value that no daemon takes. */
int config_check(const struct config *config, struct err_msg *msg);

/* The first connection; go on with ->next. NULL config is fine. */
const struct conf_section *config_conns(const struct config *config);
/* The first child of a connection; go on with ->next. */
const struct conf_section *config_children(const struct conf_section *conn);

/* A value's text; def where it is not there. */
const char *config_text(const struct conf_section *section, const char *name, const char *def);
/* Where a value stands, or else its section. */
struct conf_place config_place(const struct conf_section *section, const char *name);
bool config_is(const struct conf_section *section, const char *name, const char *text);
bool config_bool(const struct conf_section *section, const char *name, bool def);
uint32_t config_seconds(const struct conf_section *section, const char *name, uint32_t def);

/* Selectors without those that are "dynamic"; empty if there is none, or one cannot be read. */
int config_selectors(const struct conf_section *child, const char *name, struct ts_list *ret_list);

enum config_match { CONFIG_NO, CONFIG_PERHAPS, CONFIG_YES }; /* perhaps: %any, or a name */
/* Is the address one of local_addrs or remote_addrs? */
enum config_match config_has_address(const struct conf_section *conn, const char *name,
				     const struct ip_addr *addr);

/* A proposal of a list, from 0 on, as transforms: without the integrity algorithm that an AEAD
 * makes superfluous. *ret_whole: each of its words is known here. False past the end. */
bool config_proposal(const char *list, size_t i, uint8_t protocol, struct proposal *ret_proposal,
		     bool *ret_whole);

#endif
