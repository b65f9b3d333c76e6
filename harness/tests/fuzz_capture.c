/* Captures and key logs from anywhere: read, dissected, judged by every check, written decrypted.
 *
 * An input is the length of a key log (2 octets), the key log, and a capture file; so the fuzzer
 * also meets what lies behind encryption. Nothing may crash, and nothing may be read that is not
 * there. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/checks/json.h"
#include "harness/checks/text.h"
#include "harness/dissect/rewrite.h"
#include "vpn/base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void judge(const struct facts *f)
{
	static const struct check_params none;
	const struct check *table;
	struct check_result r;
	size_t i, n;

	table = checks_table(&n);
	for (i = 0; i < n; i++) {
		check_run(&table[i], f, &none, &r);
		json_decref(check_result_json(f, &r));
		check_result_free(&r);
	}
}

static void write_out(const struct facts *f)
{
	struct rewrite_counts counts;
	FILE *out = fopen("/dev/null", "we");
	size_t i;

	if (!out)
		abort();
	rewrite_capture(f, out, &counts);
	facts_print(out, f);
	for (i = 0; i < f->set.n_places; i++)
		facts_print_ladder(out, f, i);
	json_decref(facts_json(f));
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = rd_init(data, len);
	struct view keys_text = rd_view(&r, rd_u16(&r)), capture = rd_rest(&r);
	struct capture_set set = {0};
	struct key_store keys = {0};
	struct facts f;
	bool any;

	if (!rd_ok(&r))
		return 0;
	keys_read_text(&keys, "keys", (const char *)keys_text.p, keys_text.len, &any, NULL);
	capture_set_add_memory(&set, "capture", capture.p, capture.len, NULL);
	if (facts_dissect(&set, &keys, &f))
		return 0;
	judge(&f);
	write_out(&f);
	facts_free(&f);
	return 0;
}
