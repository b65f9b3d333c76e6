/* captures.h - what `check` and `decrypt` have in common: captures and keys named on the command
 * line, read into facts. */
#ifndef HARNESS_CAPTURES_H
#define HARNESS_CAPTURES_H

#include "harness/dissect/facts.h"

/* paths: n captures; keys_path may be NULL. Errors name the file. Facts are the caller's to free.
 */
int captures_read(char *const *paths, size_t n, const char *keys_path, struct facts *ret_facts,
		  struct err_msg *msg);

#endif
