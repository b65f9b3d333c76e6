/* commands.c - the commands by name. A command that is not in the list COMMANDS (internal.h) is
 * answered with CMD_UNKNOWN, which clients print as such. */
#include "vpn/control/internal.h"

#include <string.h>

command_fn command_find(const char *name)
{
	static const struct {
		const char *name;
		command_fn fn;
	} commands[] = {
#define X(text, function) {text, function},
	    COMMANDS(X)
#undef X
	};
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].fn;
	return NULL;
}
