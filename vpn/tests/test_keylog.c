/* test_keylog.c - the key log's lines, and who may read them. */
#include "vpn/daemon/keylog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "vpn/crypto/alg.h"

static char dir[64];
static const char *const files[] = {"keys.jsonl", "ikev2_decryption_table", "esp_sa",
				    "preferences"};

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int setup(void **state)
{
	strcpy(dir, "/tmp/test-keylog-XXXXXX");
	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		unlink(path_of(files[i]));
	return rmdir(dir);
}

static const char *content(const char *name)
{
	static char text[4096];
	FILE *f = fopen(path_of(name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void log_ike(uint16_t encr, uint16_t bits, uint16_t integ, size_t key_len)
{
	static const uint8_t key[64] = {0xaa, 0xbb};
	struct ike_keys_info k = {.spi_i = 0x1122334455667788,
				  .spi_r = 0x99,
				  .encr = encr,
				  .encr_bits = bits,
				  .integ = integ,
				  .prf = PRF_HMAC_SHA2_256,
				  .sk_ei = {key, key_len},
				  .sk_er = {key + 1, key_len}};
	struct keylog keylog;

	assert_int_equal(keylog_open(&keylog, dir, NULL), 0);
	keylog_ike(&keylog, 1, &k, 0);
	keylog_close(&keylog);
}

static void log_esp(uint16_t encr, uint16_t bits, uint16_t integ, size_t key_len)
{
	struct ipsec_sa sa = {.spi = 0xc0ffee01,
			      .alg = {.encr = encr, .encr_bits = bits, .integ = integ},
			      .key = {0xaa, 0xbb},
			      .key_len = key_len};
	struct keylog keylog;

	ip_addr_parse("192.0.2.1", &sa.local.addr);
	ip_addr_parse("198.51.100.1", &sa.remote.addr);
	assert_int_equal(keylog_open(&keylog, dir, NULL), 0);
	keylog_esp(&keylog, &sa, 1500000);
	keylog_close(&keylog);
}

static void only_the_owner_may_read_it(void **state)
{
	struct stat st;
	size_t i;

	(void)state;
	log_ike(ENCR_AES_GCM_16, 128, 0, 20);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (i = 0; i < 4; i++) {
		assert_int_equal(stat(path_of(files[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void wireshark_gets_the_ciphers_that_it_knows(void **state)
{
	(void)state;
	log_ike(ENCR_AES_GCM_16, 128, 0, 4);
	log_ike(ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, 4);
	log_ike(ENCR_CHACHA20_POLY1305, 0, 0, 36);
	assert_string_equal(content("ikev2_decryption_table"),
			    "1122334455667788,0000000000000099,aabb0000,bb000000,"
			    "\"AES-GCM-128 with 16 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\"\n"
			    "1122334455667788,0000000000000099,aabb0000,bb000000,"
			    "\"AES-CBC-256 [RFC3602]\",,,\"HMAC_SHA2_256_128 [RFC4868]\"\n");
	log_esp(ENCR_AES_GCM_16, 128, 0, 20);
	log_esp(ENCR_CHACHA20_POLY1305, 0, 0, 36);
	assert_string_equal(
	    content("esp_sa"),
	    "\"IPv4\",\"*\",\"*\",\"0xc0ffee01\",\"AES-GCM with 16 octet ICV [RFC4106]\","
	    "\"0xaabb000000000000000000000000000000000000\",\"NULL\",\"\"\n");
}

static void every_cipher_is_in_the_json_lines(void **state)
{
	json_t *line;

	(void)state;
	log_esp(ENCR_CHACHA20_POLY1305, 0, 0, 36);
	line = json_loads(content("keys.jsonl"), JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "spi")), "c0ffee01");
	assert_int_equal(json_integer_value(json_object_get(line, "encr")), 28);
	assert_string_equal(json_string_value(json_object_get(line, "src")), "192.0.2.1");
	assert_int_equal(json_string_length(json_object_get(line, "key")), 72);
	assert_true(json_real_value(json_object_get(line, "time")) == 1.5);
	json_decref(line);
}

static void a_file_in_the_way_is_refused(void **state)
{
	struct keylog keylog;
	struct err_msg msg;

	(void)state;
	log_ike(ENCR_AES_GCM_16, 128, 0, 20);
	assert_int_equal(keylog_open(&keylog, path_of("keys.jsonl"), &msg), ERR_IO);
	assert_non_null(strstr(msg.text, "keys.jsonl"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(only_the_owner_may_read_it),
	    T(wireshark_gets_the_ciphers_that_it_knows),
	    T(every_cipher_is_in_the_json_lines),
	    T(a_file_in_the_way_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
