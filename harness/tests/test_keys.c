/* Key logs of every kind to keys, and what they open: beetd's, strongSwan's, Wireshark's tables,
 * keys without names. */
#include "harness/tests/pcaps.h"

static int read_keys(const char *text, struct key_store *keys, struct err_msg *msg)
{
	bool any = false;

	*keys = (struct key_store){0};
	return keys_read_text(keys, "log", text, strlen(text), &any, msg);
}

static void a_malformed_key_log_names_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *where;
	} bad[] = {
	    {"{\"type\":\"esp\",\"spi\":\"c0\",\"key\":\"00\",\"encr\":20}\n{\"type\":\"esp\"}\n",
	     "log:2: "},
	    {"ESP spi=0x12 key=00ff\nESP spi=0x13 key=0g\n", "log:2: "},
	    {"IKE spi_i=1 spi_r=2 SK_d=00\n", "log:1: "},
	    {"01[IKE] Sk_d secret => 4 bytes @ 0x1\n01[IKE]    0: A no dump\n", "log:2: "},
	    {"01[IKE] Sk_d secret => 4000 bytes @ 0x1\n", "log:1: "},
	};
	struct key_store keys;
	struct err_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_keys(bad[i].text, &keys, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, bad[i].where));
		keys_free(&keys);
	}
}

static void a_half_written_last_line_is_passed_over(void **state)
{
	struct key_store keys;

	(void)state;
	assert_int_equal(
	    read_keys(
		"{\"type\":\"esp\",\"spi\":\"c0\",\"key\":\"00\",\"encr\":20}\n{\"type\":\"es",
		&keys, NULL),
	    0);
	assert_int_equal(keys.n_esp, 1);
	keys_free(&keys);
}

/* Lines of another thread stand between a key's lines. */
static void threads_of_a_log_are_kept_apart(void **state)
{
	static const char log[] =
	    "2026-01-01 01[CHD] <a|1> encryption initiator key => 2 bytes @ 0\n"
	    "2026-01-01 02[CHD] <b|2> encryption initiator key => 2 bytes @ 0\n"
	    "2026-01-01 02[CHD] <b|2>    0: 33 44  3D\n"
	    "2026-01-01 01[CHD] <a|1>    0: 11 22  .\"\n"
	    "2026-01-01 01[CHD] <a|1> integrity initiator key => 1 bytes @ 0\n"
	    "2026-01-01 01[CHD] <a|1>    0: 55  U\n";
	struct key_store keys;

	(void)state;
	assert_int_equal(read_keys(log, &keys, NULL), 0);
	assert_int_equal(keys.n_esp, 3);
	assert_memory_equal(keys.esp[0].key, "\x33\x44", 2);
	assert_memory_equal(keys.esp[1].key, "\x11\x22", 2);
	assert_int_equal(keys.esp[2].key_len, 3);
	assert_memory_equal(keys.esp[2].key, "\x11\x22\x55", 3);
	keys_free(&keys);
}

static void forget_esp_keys(struct key_store *keys)
{
	while (keys->n_esp) {
		keys->n_esp--;
		ts_list_free(&keys->esp[keys->n_esp].src_ts);
		ts_list_free(&keys->esp[keys->n_esp].dst_ts);
	}
	free(keys->esp);
	keys->esp = NULL;
}

static void child_keys_follow_from_sk_d(void **state)
{
	static const char *const names[] = {"aes-gcm", "aes-cbc", "beet-native-esn",
					    "aes-cbc-strongswan"};
	struct capture_set set;
	struct key_store keys;
	struct facts f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		pcaps_load(names[i], &set, &keys);
		forget_esp_keys(&keys);
		assert_int_equal(facts_dissect(&set, &keys, &f), 0);
		assert_true(f.children[0].key_derived && !f.children[0].key_from_log);
		assert_int_equal(pcaps_count_open(&f), f.n_esp);
		facts_free(&f);
	}
}

/* RFC 7296 §2.17: with a key exchange of its own, a child's keys need its secret, too. */
static void a_child_with_a_key_exchange_cannot_be_derived(void **state)
{
	struct capture_set set;
	struct key_store keys;
	struct facts f;
	size_t i, seen = 0;

	(void)state;
	pcaps_load("seed-beetd", &set, &keys);
	forget_esp_keys(&keys);
	assert_int_equal(facts_dissect(&set, &keys, &f), 0);
	assert_true(f.children[1].ke != 0);
	for (i = 0; i < f.n_esp; i++) {
		assert_true(f.esp[i].sealed == (f.esp[i].child ? FACT_NOT_DERIVABLE : FACT_OPEN));
		seen += f.esp[i].sealed == FACT_NOT_DERIVABLE;
	}
	assert_true(seen > 0);
	facts_free(&f);
}

static void keys_without_spi_and_algorithm_are_tried(void **state)
{
	static const char *const names[] = {"aes-gcm", "aes-cbc"};
	struct capture_set set;
	struct key_store keys;
	struct facts f;
	size_t i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		pcaps_load(names[i], &set, &keys);
		for (k = 0; k < keys.n_ike; k++) {
			keys.ike[k].spi_i = keys.ike[k].spi_r = 0;
			keys.ike[k].have_alg = false;
		}
		for (k = 0; k < keys.n_esp; k++) {
			keys.esp[k].spi = 0;
			keys.esp[k].have_alg = false;
		}
		/* A capture that began late: nothing tells the suite. */
		while (set.frames[0].len && set.n_frames > 16)
			capture_set_drop(&set, 0);
		assert_int_equal(facts_dissect(&set, &keys, &f), 0);
		assert_true(f.n_esp > 4);
		assert_int_equal(pcaps_count_open(&f), f.n_esp);
		for (k = 0; k < f.n_ike; k++)
			assert_int_equal(f.ike[k].sealed, FACT_OPEN);
		facts_free(&f);
	}
}

static void put_hex(FILE *out, const uint8_t *p, size_t len)
{
	while (len--)
		fprintf(out, "%02x", *p++);
}

/* The store as Wireshark's two tables; algorithms by names that nobody reads. */
static void write_tables(FILE *out, const struct key_store *keys, size_t integ_len)
{
	size_t i;

	fputs("# This file is automatically generated, DO NOT MODIFY.\n", out);
	for (i = 0; i < keys->n_ike; i++) {
		const struct ike_key *k = &keys->ike[i];

		fprintf(out, "%016llx,%016llx,", (unsigned long long)k->spi_i,
			(unsigned long long)k->spi_r);
		put_hex(out, k->ei.b, k->ei.len);
		fputc(',', out);
		put_hex(out, k->er.b, k->er.len);
		fputs(",\"AES, as it may be called\",", out);
		put_hex(out, k->ai.b, k->ai.len);
		fputc(',', out);
		put_hex(out, k->ar.b, k->ar.len);
		fputs(",\"an HMAC\"\r\n", out);
	}
	for (i = 0; i < keys->n_esp; i++) {
		const struct esp_key *k = &keys->esp[i];

		fprintf(out, "\"IPv4\",\"*\",\"192.0.2.1\",\"0x%08x\",\"AES\",\"0x", k->spi);
		put_hex(out, k->key, k->key_len - integ_len);
		fputs("\",\"HMAC\",\"0x", out);
		put_hex(out, k->key + k->key_len - integ_len, integ_len);
		fputs("\"\n", out);
	}
}

static void wiresharks_tables_open_everything(void **state)
{
	static const struct {
		const char *name;
		size_t integ_len;
	} cases[] = {{"aes-gcm", 0}, {"aes-cbc", 32}, {"seed-beetd", 0}};
	struct capture_set set;
	struct key_store logged, read = {0};
	struct err_msg msg = {{0}};
	struct facts f;
	char *text;
	size_t i, k, len;
	bool any;

	(void)state;
	for (i = 0; i < 3; i++) {
		FILE *out = open_memstream(&text, &len);

		pcaps_load(cases[i].name, &set, &logged);
		write_tables(out, &logged, cases[i].integ_len);
		fclose(out);
		if (keys_read_text(&read, "tables", text, len, &any, &msg) || !any)
			fail_msg("%s", msg.text);
		assert_int_equal(read.n_ike, logged.n_ike);
		assert_int_equal(read.n_esp, logged.n_esp);
		assert_int_equal(facts_dissect(&set, &read, &f), 0);
		assert_int_equal(pcaps_count_open(&f), f.n_esp);
		for (k = 0; k < f.n_ike; k++)
			assert_true(f.ike[k].inner || f.ike[k].sealed == FACT_NOT_SEALED);
		facts_free(&f);
		keys_free(&logged);
		free(text);
	}
}

/* A run directory has both; the log knows more of each SA, whichever is read first. */
static void of_two_sources_of_a_key_the_one_stays_that_says_more(void **state)
{
	struct key_store logged, both = {0};
	struct capture_set set;
	struct err_msg msg;
	size_t i, len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	bool any;

	(void)state;
	pcaps_load("aes-gcm", &set, &logged);
	write_tables(out, &logged, 0);
	fclose(out);
	assert_int_equal(keys_read_text(&both, "tables", text, len, &any, &msg), 0);
	for (i = 0; i < logged.n_ike; i++)
		assert_int_equal(keys_add_ike(&both, &logged.ike[i]), 0);
	for (i = 0; i < logged.n_esp; i++)
		assert_int_equal(keys_add_esp(&both, &logged.esp[i]), 0);
	assert_int_equal(keys_read_text(&both, "tables", text, len, &any, &msg), 0);
	assert_int_equal(both.n_ike, logged.n_ike);
	assert_int_equal(both.n_esp, logged.n_esp);
	for (i = 0; i < both.n_ike; i++)
		assert_true(both.ike[i].d.len > 0);
	for (i = 0; i < both.n_esp; i++)
		assert_true(both.esp[i].have_sa && both.esp[i].src_ts.n > 0);
	free(text);
	keys_free(&both);
	keys_free(&logged);
	capture_set_free(&set);
}

static void a_malformed_row_of_wiresharks_is_told_by_its_line(void **state)
{
	static const char good[] =
	    "\"IPv4\",\"*\",\"*\",\"0x1\",\"AES\",\"0x0102\",\"NULL\",\"\"\n";
	static const char *const bad[] = {
	    "\"IPv4\",\"*\",\"*\",\"0x1\",\"AES\",\"0x010\",\"NULL\",\"\"\n",
	    "\"IPv4\",\"*\",\"*\",\"0x123456789\",\"AES\",\"0x01\",\"NULL\",\"\"\n",
	    "\"IPv4\",\"*\",\"*\",\"spi\",\"AES\",\"0x01\",\"NULL\",\"\"\n",
	    "\"IPv4\",\"*\",\"*\",\"0x1\",\"AES\",\"\",\"NULL\",\"\"\n",
	    "\"IPv4\",\"*\",\"*\",\"0x1\",\"AES\n",
	    "0102030405060708,1112131415161718,01,02,\"AES\",,\n",
	    "0102030405060708,1112131415161718,,,\"AES\",,,\"NONE\"\n",
	};
	struct key_store keys = {0};
	struct err_msg msg;
	char text[512];
	size_t i;
	bool any;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s\n%s", good, bad[i]);
		assert_int_equal(keys_read_text(&keys, "esp_sa", text, strlen(text), &any, &msg),
				 ERR_SYNTAX);
		assert_non_null(strstr(msg.text, "esp_sa:3: "));
	}
	keys_free(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_malformed_key_log_names_its_line),
	    cmocka_unit_test(a_half_written_last_line_is_passed_over),
	    cmocka_unit_test(threads_of_a_log_are_kept_apart),
	    cmocka_unit_test(child_keys_follow_from_sk_d),
	    cmocka_unit_test(a_child_with_a_key_exchange_cannot_be_derived),
	    cmocka_unit_test(keys_without_spi_and_algorithm_are_tried),
	    cmocka_unit_test(wiresharks_tables_open_everything),
	    cmocka_unit_test(of_two_sources_of_a_key_the_one_stays_that_says_more),
	    cmocka_unit_test(a_malformed_row_of_wiresharks_is_told_by_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
