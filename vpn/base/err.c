/* err.c - error codes in words. */
#include "vpn/base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *err_text(int code)
{
	switch (code) {
	case ERR_OK:
		return "no error";
#define X(name, value, text) \
	case name:           \
		return text;
		ERR_CODES(X)
#undef X
	default:
		return "unknown error";
	}
}

int err_set(struct err_msg *msg, int code, const char *fmt, ...)
{
	va_list ap;

	if (!msg)
		return code;
	va_start(ap, fmt);
	vsnprintf(msg->text, sizeof(msg->text), fmt, ap);
	va_end(ap);
	return code;
}
