/* keys_wireshark.c - Wireshark's own tables of keys, as its profiles have them and strongSwan's
 * plugin save-keys writes them. A row of ikev2_decryption_table, and one of esp_sa:
 *
 *	SPIi,SPIr,SK_ei,SK_er,"AES-CBC-256 [RFC3602]",SK_ai,SK_ar,"HMAC_SHA2_256_128 [RFC4868]"
 *	"IPv4","*","*","0xce4b5944","AES-CBC [RFC3602]","0x..","HMAC-SHA-256-128 [RFC4868]","0x.."
 *
 * The names of algorithms are not read: spellings differ from version to version, and trying leaves
 * no doubt. So rows with ChaCha20-Poly1305 work, too, which Wireshark itself cannot use. There is
 * no SK_d here, so no Child SA's keys follow from those of its IKE SA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/keys_format.h"
#include "vpn/base/hex.h"
#include "vpn/base/secret.h"

#define LINE_MAX_LEN 2048
#define CELLS_MAX    9

enum ike_cell {
	IKE_SPI_I,
	IKE_SPI_R,
	IKE_EI,
	IKE_ER,
	IKE_ENCR,
	IKE_AI,
	IKE_AR,
	IKE_INTEG,
	IKE_CELLS
};
enum esp_cell {
	ESP_IP,
	ESP_SRC,
	ESP_DST,
	ESP_SPI,
	ESP_ENCR,
	ESP_KEY,
	ESP_INTEG,
	ESP_INTEG_KEY,
	ESP_CELLS
};

struct row {
	char text[LINE_MAX_LEN]; /* cut up; the cells point into it */
	char *cells[CELLS_MAX];
	size_t n;
};

/* Cells between commas, with or without quotation marks; a comma within them is the cell's. */
static bool cut(const struct view *line, struct row *row)
{
	char *at = row->text, *end;

	row->n = 0;
	if (line->len >= sizeof(row->text))
		return false;
	memcpy(row->text, line->p, line->len);
	row->text[line->len] = '\0';
	row->text[strcspn(row->text, "\r")] = '\0';
	while (at && row->n < CELLS_MAX) {
		bool quoted = *at == '"';

		at += quoted;
		end = at + strcspn(at, quoted ? "\"" : ",");
		if (quoted && *end != '"')
			return false;
		row->cells[row->n++] = at;
		at = quoted && end[1] == ',' ? end + 2 : !quoted && *end == ',' ? end + 1 : NULL;
		*end = '\0';
	}
	return true;
}

static bool is_hex(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdefABCDEF") == digits;
}

static bool is_esp(const struct row *row)
{
	return row->n >= ESP_CELLS &&
	       (strcmp(row->cells[ESP_IP], "IPv4") == 0 ||
		strcmp(row->cells[ESP_IP], "IPv6") == 0 || strcmp(row->cells[ESP_IP], "Any") == 0);
}

static bool is_ike(const struct row *row)
{
	return row->n == IKE_CELLS && is_hex(row->cells[IKE_SPI_I], 16) &&
	       is_hex(row->cells[IKE_SPI_R], 16);
}

static bool is_passed_over(const struct view *line)
{
	return line->len == 0 || line->p[0] == '#' || line->p[0] == '\r';
}

bool keys_is_wireshark(const char *text, size_t len)
{
	struct view line;
	struct row row;

	while (keys_next_line(&text, &len, &line))
		if (!is_passed_over(&line))
			return cut(&line, &row) && (is_esp(&row) || is_ike(&row));
	return false;
}

/* "0x1234", "1234", "0x" or nothing. */
static bool read_hex(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
	text += text[0] == '0' && text[1] == 'x' ? 2 : 0;
	*ret_len = 0;
	return !*text || hex_parse(text, buf, cap, ret_len) == 0;
}

static bool part(const char *text, struct key_part *p)
{
	size_t len;

	if (!read_hex(text, p->b, sizeof(p->b), &len))
		return false;
	p->len = (uint8_t)len;
	return true;
}

static int add_ike(struct key_store *store, const struct row *row)
{
	char *const *c = row->cells;
	struct ike_key k = {.spi_i = strtoull(c[IKE_SPI_I], NULL, 16),
			    .spi_r = strtoull(c[IKE_SPI_R], NULL, 16)};
	int err = ERR_SYNTAX;

	if (part(c[IKE_EI], &k.ei) && part(c[IKE_ER], &k.er) && part(c[IKE_AI], &k.ai) &&
	    part(c[IKE_AR], &k.ar) && k.ei.len && k.er.len)
		err = keys_add_ike(store, &k);
	secret_wipe(&k, sizeof(k));
	return err;
}

static int add_esp(struct key_store *store, const struct row *row)
{
	char *const *c = row->cells;
	const char *spi = c[ESP_SPI];
	struct esp_key k = {0};
	size_t len = 0, integ_len = 0;
	int err = ERR_SYNTAX;

	spi += spi[0] == '0' && spi[1] == 'x' ? 2 : 0;
	if (strcmp(spi, "*") != 0 && (strlen(spi) > 8 || !is_hex(spi, strlen(spi)) || !*spi))
		return ERR_SYNTAX;
	k.spi = (uint32_t)strtoul(spi, NULL, 16);
	if (read_hex(c[ESP_KEY], k.key, sizeof(k.key), &len) &&
	    read_hex(c[ESP_INTEG_KEY], k.key + len, sizeof(k.key) - len, &integ_len) &&
	    len + integ_len > 0) {
		k.key_len = (uint8_t)(len + integ_len);
		err = keys_add_esp(store, &k);
	}
	secret_wipe(&k, sizeof(k));
	return err;
}

int keys_read_wireshark(struct key_store *store, const char *name, const char *text, size_t len,
			struct err_msg *msg)
{
	struct view line;
	struct row row;
	unsigned n = 0;
	int err = 0;

	while (!err && keys_next_line(&text, &len, &line)) {
		n++;
		if (is_passed_over(&line))
			continue;
		if (!cut(&line, &row))
			err = ERR_SYNTAX;
		else if (is_esp(&row))
			err = add_esp(store, &row);
		else
			err = is_ike(&row) ? add_ike(store, &row) : ERR_SYNTAX;
	}
	secret_wipe(&row, sizeof(row));
	return err ? err_set(msg, err, "%s:%u: %s", name, n,
			     err == ERR_SYNTAX ? "not a row of Wireshark's tables of keys"
					       : err_text(err))
		   : 0;
}
