/* keys_table.c - a plain table of keys, one SA a line, for keys that somebody has taken out of a
 * log or of `ip xfrm state` by hand:
 *
 *	IKE spi_i=5c87.. spi_r=ddcc.. SK_d=.. SK_ai= SK_ar= SK_ei=.. SK_er=.. SK_pi=.. SK_pr=..
 *	ESP spi=0xce4b5944 key=1bbd..
 *
 * SK_e* and key are cipher key || salt for an AEAD; an ESP key of CBC is followed by its integrity
 * key. Further words and lines that begin with '#' are passed over. Algorithms are found by trying.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/keys_format.h"
#include "vpn/base/hex.h"
#include "vpn/base/secret.h"

#define LINE_MAX_LEN 4096

static bool is_row(const struct view *line)
{
	return line->len > 8 &&
	       (memcmp(line->p, "IKE spi_", 8) == 0 || memcmp(line->p, "ESP spi=", 8) == 0);
}

bool keys_is_table(const char *text, size_t len)
{
	struct view line;

	while (keys_next_line(&text, &len, &line))
		if (line.len && line.p[0] != '#')
			return is_row(&line);
	return false;
}

/* The value of NAME=VALUE in the line, ended by a zero in buf. */
static bool word(const char *line, const char *name, char *buf, size_t cap)
{
	char pattern[16];
	const char *at;
	size_t len;

	snprintf(pattern, sizeof(pattern), " %s=", name);
	at = strstr(line, pattern);
	if (!at)
		return false;
	at += strlen(pattern);
	len = strcspn(at, " \t\r");
	if (len >= cap)
		return false;
	memcpy(buf, at, len);
	buf[len] = '\0';
	return true;
}

static bool number(const char *line, const char *name, uint64_t *ret_value)
{
	char text[32], *end;

	if (!word(line, name, text, sizeof(text)) || !text[0])
		return false;
	*ret_value = strtoull(text, &end, 16);
	return *end == '\0';
}

static bool part(const char *line, const char *name, struct key_part *p)
{
	char text[2 * KEYS_PART_MAX + 1];
	size_t len = 0;

	if (!word(line, name, text, sizeof(text)) || hex_parse(text, p->b, sizeof(p->b), &len))
		return false;
	p->len = (uint8_t)len;
	return true;
}

static int read_ike(struct key_store *store, const char *line)
{
	struct ike_key k = {0};
	int err = ERR_SYNTAX;

	if (number(line, "spi_i", &k.spi_i) && number(line, "spi_r", &k.spi_r) &&
	    part(line, "SK_d", &k.d) && part(line, "SK_ai", &k.ai) && part(line, "SK_ar", &k.ar) &&
	    part(line, "SK_ei", &k.ei) && part(line, "SK_er", &k.er) &&
	    part(line, "SK_pi", &k.pi) && part(line, "SK_pr", &k.pr))
		err = keys_add_ike(store, &k);
	secret_wipe(&k, sizeof(k));
	return err;
}

static int read_esp(struct key_store *store, const char *line)
{
	char text[2 * IPSEC_KEY_MAX + 1];
	struct esp_key k = {0};
	uint64_t spi = 0;
	size_t len = 0;
	int err = ERR_SYNTAX;

	if (number(line, "spi", &spi) && spi <= UINT32_MAX &&
	    word(line, "key", text, sizeof(text)) &&
	    hex_parse(text, k.key, sizeof(k.key), &len) == 0 && len) {
		k.spi = (uint32_t)spi;
		k.key_len = (uint8_t)len;
		err = keys_add_esp(store, &k);
	}
	secret_wipe(&k, sizeof(k));
	secret_wipe(text, sizeof(text));
	return err;
}

int keys_read_table(struct key_store *store, const char *name, const char *text, size_t len,
		    struct err_msg *msg)
{
	char copy[LINE_MAX_LEN];
	struct view line;
	unsigned n = 0;
	int err = 0;

	while (!err && keys_next_line(&text, &len, &line)) {
		n++;
		if (!line.len || line.p[0] == '#')
			continue;
		if (line.len >= sizeof(copy) || !is_row(&line)) {
			err = ERR_SYNTAX;
			break;
		}
		memcpy(copy, line.p, line.len);
		copy[line.len] = '\0';
		err = copy[0] == 'I' ? read_ike(store, copy) : read_esp(store, copy);
	}
	secret_wipe(copy, sizeof(copy));
	return err ? err_set(msg, err, "%s:%u: %s", name, n,
			     err == ERR_SYNTAX ? "not a row of a table of keys" : err_text(err))
		   : 0;
}
