/* keys_jsonl.c - beetd's key log: one JSON object a line, of type "ike" or "esp".
 *
 * An unknown type or a further member is passed over, so that a newer daemon's log is still read. A
 * last line without its end is what a killed daemon leaves, and is passed over as well. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/keys_format.h"
#include "vpn/base/hex.h"
#include "vpn/base/secret.h"

bool keys_is_jsonl(const char *text, size_t len)
{
	struct view line;

	if (!keys_next_line(&text, &len, &line) || !line.len || line.p[0] != '{')
		return false;
	return memmem(line.p, line.len, "\"sk_ei\"", 7) ||
	       (memmem(line.p, line.len, "\"spi\"", 5) && memmem(line.p, line.len, "\"key\"", 5));
}

static int get_text(const json_t *o, const char *name, const char **ret_text)
{
	const json_t *value = json_object_get(o, name);

	if (!json_is_string(value))
		return ERR_SYNTAX;
	*ret_text = json_string_value(value);
	return 0;
}

static int get_spi(const json_t *o, const char *name, uint64_t *ret_spi)
{
	const char *text;
	char *end;

	if (get_text(o, name, &text) || !*text)
		return ERR_SYNTAX;
	*ret_spi = strtoull(text, &end, 16);
	return *end ? ERR_SYNTAX : 0;
}

static int get_number(const json_t *o, const char *name, uint16_t *ret_value)
{
	const json_t *value = json_object_get(o, name);
	json_int_t n = json_integer_value(value);

	if (value && (!json_is_integer(value) || n < 0 || n > UINT16_MAX))
		return ERR_SYNTAX;
	*ret_value = (uint16_t)n;
	return 0;
}

static int get_part(const json_t *o, const char *name, struct key_part *part)
{
	const char *text;
	size_t len = 0;

	if (get_text(o, name, &text) || hex_parse(text, part->b, sizeof(part->b), &len))
		return ERR_SYNTAX;
	part->len = (uint8_t)len;
	return 0;
}

static int read_ike(struct key_store *store, const json_t *o)
{
	struct ike_key k = {.have_alg = true};
	int err;

	if (get_spi(o, "spi_i", &k.spi_i) || get_spi(o, "spi_r", &k.spi_r) ||
	    get_number(o, "encr", &k.encr) || get_number(o, "encr_bits", &k.encr_bits) ||
	    get_number(o, "integ", &k.integ) || get_number(o, "prf", &k.prf) ||
	    get_part(o, "sk_d", &k.d) || get_part(o, "sk_ai", &k.ai) ||
	    get_part(o, "sk_ar", &k.ar) || get_part(o, "sk_ei", &k.ei) ||
	    get_part(o, "sk_er", &k.er) || get_part(o, "sk_pi", &k.pi) ||
	    get_part(o, "sk_pr", &k.pr))
		return ERR_SYNTAX;
	err = keys_add_ike(store, &k);
	secret_wipe(&k, sizeof(k));
	return err;
}

static int get_selectors(const json_t *o, const char *name, struct ts_list *ret_list)
{
	const json_t *array = json_object_get(o, name), *item;
	struct ts ts;
	size_t i;
	int err;

	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item) || ts_parse(json_string_value(item), &ts, NULL))
			return ERR_SYNTAX;
		err = ts_list_add(ret_list, &ts);
		if (err)
			return err;
	}
	return array ? 0 : ERR_SYNTAX;
}

/* Selectors that we cannot read back are no reason to refuse the key. */
static void get_sa(const json_t *o, struct esp_key *k)
{
	bool inbound = json_is_true(json_object_get(o, "inbound"));
	const char *mode;
	int m;

	if (get_text(o, "mode", &mode) ||
	    get_selectors(o, inbound ? "remote_ts" : "local_ts", &k->src_ts) ||
	    get_selectors(o, inbound ? "local_ts" : "remote_ts", &k->dst_ts))
		return;
	for (m = IPSEC_TUNNEL; m <= IPSEC_BEET; m++)
		if (strcmp(mode, ipsec_mode_name((enum ipsec_mode)m)) == 0) {
			k->mode = (enum ipsec_mode)m;
			k->have_sa = true;
		}
}

static int read_esp(struct key_store *store, const json_t *o)
{
	struct esp_key k = {.have_alg = true};
	const char *text;
	uint64_t spi;
	size_t len = 0;
	int err;

	if (get_spi(o, "spi", &spi) || spi > UINT32_MAX || get_number(o, "encr", &k.alg.encr) ||
	    get_number(o, "encr_bits", &k.alg.encr_bits) || get_number(o, "integ", &k.alg.integ) ||
	    get_text(o, "key", &text) || hex_parse(text, k.key, sizeof(k.key), &len))
		return ERR_SYNTAX;
	k.spi = (uint32_t)spi;
	k.key_len = (uint8_t)len;
	k.alg.esn = json_is_true(json_object_get(o, "esn"));
	get_sa(o, &k);
	err = keys_add_esp(store, &k);
	ts_list_free(&k.src_ts);
	ts_list_free(&k.dst_ts);
	secret_wipe(&k, sizeof(k));
	return err;
}

static int read_line(struct key_store *store, const struct view *line)
{
	json_t *o = json_loadb((const char *)line->p, line->len, JSON_REJECT_DUPLICATES, NULL);
	const char *type;
	int err = 0;

	if (!json_is_object(o) || get_text(o, "type", &type))
		err = ERR_SYNTAX;
	else if (strcmp(type, "ike") == 0)
		err = read_ike(store, o);
	else if (strcmp(type, "esp") == 0)
		err = read_esp(store, o);
	json_decref(o);
	return err;
}

int keys_read_jsonl(struct key_store *store, const char *name, const char *text, size_t len,
		    struct err_msg *msg)
{
	const uint8_t *end = (const uint8_t *)text + len;
	struct view line;
	unsigned number = 0;
	bool ended;
	int err;

	while (keys_next_line(&text, &len, &line)) {
		number++;
		ended = line.p + line.len < end;
		if (!line.len)
			continue;
		err = read_line(store, &line);
		if (err == ERR_SYNTAX && !ended)
			return 0;
		if (err)
			return err_set(msg, err, "%s:%u: %s", name, number,
				       err == ERR_SYNTAX ? "not a line of beetd's key log"
							 : err_text(err));
	}
	return 0;
}
