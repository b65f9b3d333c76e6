/* captures.c - reads the captures and the keys, then dissects. */
#include "harness/captures.h"

int captures_read(char *const *paths, size_t n, const char *keys_path, struct facts *ret_facts,
		  struct err_msg *msg)
{
	struct capture_set set = {0};
	struct key_store keys = {0};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < n; i++)
		err = capture_set_add_file(&set, paths[i], msg);
	if (!err && keys_path)
		err = keys_load(&keys, keys_path, msg);
	if (err) {
		capture_set_free(&set);
		keys_free(&keys);
		return err;
	}
	err = facts_dissect(&set, &keys, ret_facts);
	return err ? err_set(msg, err, "dissection: %s", err_text(err)) : 0;
}
