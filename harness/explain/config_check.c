/* config_check.c - is the file one that a daemon takes: the names of the options of its
 * connections, and values that can be read as what they must be. The table is the daemon's own
 * (vpn/vici/option.h), which knows every option of swanctl.conf(5): what it does not know, no
 * daemon does. What is known and only not supported by one of them is no error here, and items of
 * lists (addresses, proposals, selectors) are for the findings. */
#include <string.h>

#include "harness/explain/config.h"
#include "vpn/vici/option.h"

static int unknown_option(enum option_scope scope, const struct conf_value *value,
			  struct err_msg *msg)
{
	const struct option *near = option_nearest(scope, value->name);

	return err_set(msg, ERR_SYNTAX, "%s:%u: unknown option '%s'%s%s%s", value->at.file,
		       value->at.line, value->name, near ? " (did you mean '" : "",
		       near ? near->name : "", near ? "'?)" : "");
}

static int check_value(enum option_scope scope, const struct conf_value *value, struct err_msg *msg)
{
	const struct option *option = option_find(scope, value->name);
	struct err_msg why = {{0}};
	bool harmless;

	if (!option)
		return unknown_option(scope, value, msg);
	if (option_is_list(option) || !value->text ||
	    option_check(option, value->text, &harmless, &why) != ERR_SYNTAX)
		return 0;
	return err_set(msg, ERR_SYNTAX, "%s:%u: %s", value->at.file, value->at.line, why.text);
}

static int check_values(enum option_scope scope, const struct conf_section *section,
			struct err_msg *msg)
{
	const struct conf_value *value;
	int err = 0;

	for (value = section->values; value && !err; value = value->next)
		err = check_value(scope, value, msg);
	return err;
}

/* local, local-2, remote.. and children; what else there is, is not known. */
static int check_part(const struct conf_section *part, struct err_msg *msg)
{
	const struct conf_section *child;
	int err = 0;

	if (!strncmp(part->name, "local", 5))
		return check_values(OPTION_LOCAL, part, msg);
	if (!strncmp(part->name, "remote", 6))
		return check_values(OPTION_REMOTE, part, msg);
	if (strcmp(part->name, "children") != 0)
		return err_set(msg, ERR_SYNTAX, "%s:%u: unknown section '%s' in a connection",
			       part->at.file, part->at.line, part->name);
	for (child = part->sections; child && !err; child = child->next)
		err = check_values(OPTION_CHILD, child, msg);
	return err;
}

int config_check(const struct config *config, struct err_msg *msg)
{
	const struct conf_section *conn, *part;
	int err = 0;

	for (conn = config_conns(config); conn && !err; conn = conn->next) {
		err = check_values(OPTION_CONN, conn, msg);
		for (part = conn->sections; part && !err; part = part->next)
			err = check_part(part, msg);
	}
	return err;
}
