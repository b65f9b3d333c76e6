/* fuzz_config.c - text as swanctl.conf: parsed, references carried out, options checked, messages
 * made. Every file that it names exists and holds the same text, so that includes and certificates
 * are read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t *text;
static size_t text_len;

static int fuzz_read(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		     struct err_msg *msg)
{
	unsigned *reads = ctx;
	char *copy;

	(void)path;
	if (++*reads > 64)
		return err_set(msg, ERR_IO, "enough");
	copy = malloc(text_len + 1);
	if (!copy)
		abort();
	memcpy(copy, text, text_len);
	copy[text_len] = '\0';
	*ret_data = copy;
	*ret_len = text_len;
	return 0;
}

static int one_path(void *ctx, const char *name, struct conf_paths *ret_paths)
{
	char **v = malloc(sizeof(*v));

	(void)ctx;
	if (!v || !(v[0] = strdup(name)))
		abort();
	*ret_paths = (struct conf_paths){.v = v, .n = 1};
	return 0;
}

static int no_path(void *ctx, const char *dir, struct conf_paths *ret_paths)
{
	(void)ctx;
	(void)dir;
	*ret_paths = (struct conf_paths){0};
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned reads = 0;
	struct conf_fs fs = {.ctx = &reads, .read = fuzz_read, .glob = one_path, .list = no_path};
	struct load_request request = {
	    .fs = &fs, .file = "fuzz.conf", .dir = "/etc/swanctl", .what = LOAD_ALL};
	struct conf_diag diag = {0};
	struct load_plan plan;

	text = data;
	text_len = len;
	request.permissive = len && data[0] == '#';
	if (!load_plan_make_text(&request, (const char *)data, len, &diag, &plan)) {
		if (diag.errors)
			abort();
		load_plan_free(&plan);
	} else if (!diag.errors) {
		abort();
	}
	return 0;
}
