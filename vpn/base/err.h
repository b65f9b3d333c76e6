/* err.h - the error codes of every function in vpn/, and a message that a person reads.
 *
 * Functions return 0 or one of these (all negative); outputs come last, are named ret_x, and are
 * untouched on failure. struct err_msg carries the sentence ("FILE:LINE: what is wrong") where the
 * code alone would not help; a function that takes one fills it whenever it fails. */
#ifndef VPN_BASE_ERR_H
#define VPN_BASE_ERR_H

#include <stddef.h>

#define ERR_CODES(X)                                        \
	X(ERR_NOMEM, -1, "out of memory")                   \
	X(ERR_INVALID, -2, "invalid argument or value")     \
	X(ERR_SYNTAX, -3, "malformed input")                \
	X(ERR_UNSUPPORTED, -4, "not supported")             \
	X(ERR_NOT_FOUND, -5, "not found")                   \
	X(ERR_EXISTS, -6, "exists already")                 \
	X(ERR_SPACE, -7, "does not fit")                    \
	X(ERR_AUTH, -8, "authentication failed")            \
	X(ERR_CRYPTO, -9, "cryptographic operation failed") \
	X(ERR_IO, -10, "input or output failed")            \
	X(ERR_STATE, -11, "not possible in this state")     \
	X(ERR_LIMIT, -12, "limit reached")                  \
	X(ERR_PERM, -13, "not permitted")                   \
	X(ERR_AGAIN, -14, "try again later")

enum err {
	ERR_OK = 0,
#define X(name, value, text) name = value,
	ERR_CODES(X)
#undef X
};

struct err_msg {
	char text[512];
};

/* The code in words; never NULL. */
const char *err_text(int code);

/* Fills msg (which may be NULL) and returns code, so that a failure is one line: return
 * err_set(...). */
int err_set(struct err_msg *msg, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
