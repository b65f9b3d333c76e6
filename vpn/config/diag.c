/* diag.c - one line for each warning and error, with the place it is about.
 *
 * "FILE:LINE: text", or "FILE: text" where a whole file is meant, or the text alone. The counts
 * tell the caller whether there was anything without listening. */
#include "vpn/config/conf.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static void say(struct conf_diag *diag, bool is_error,
						      const struct conf_place *at, const char *fmt,
						      va_list ap)
{
	char text[700], line[1200];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (at && at->line)
		snprintf(line, sizeof(line), "%s:%u: %s", at->file, at->line, text);
	else
		snprintf(line, sizeof(line), "%s%s%s", at ? at->file : "", at ? ": " : "", text);
	if (diag->say)
		diag->say(diag->ctx, is_error, line);
}

void conf_error(struct conf_diag *diag, const struct conf_place *at, const char *fmt, ...)
{
	va_list ap;

	diag->errors++;
	va_start(ap, fmt);
	say(diag, true, at, fmt, ap);
	va_end(ap);
}

void conf_warn(struct conf_diag *diag, const struct conf_place *at, const char *fmt, ...)
{
	va_list ap;

	diag->warnings++;
	va_start(ap, fmt);
	say(diag, false, at, fmt, ap);
	va_end(ap);
}
