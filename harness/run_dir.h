/* run_dir.h - the directory of a run: taken over only if it is empty, or an earlier run's. */
#ifndef HARNESS_RUN_DIR_H
#define HARNESS_RUN_DIR_H

#include <stdbool.h>
#include "vpn/base/err.h"

/* Makes dir. What an earlier run has left there goes, so that none of it is taken for this one's;
 * *ret_replaced says that there was one. ERR_STATE: it holds something else. ERR_IO. */
int run_dir_take(const char *dir, bool *ret_replaced, struct err_msg *msg);

#endif
