/* config.c - reads a swanctl.conf and answers questions on its values. */
#include "harness/explain/config.h"

#include <stdio.h>
#include <string.h>

#include "vpn/crypto/alg.h"
#include "vpn/vici/value.h"

#define WORD_MAX 256

static void note_error(void *ctx, bool is_error, const char *line)
{
	struct err_msg *msg = ctx;

	if (is_error && !msg->text[0])
		snprintf(msg->text, sizeof(msg->text), "%s", line);
}

int config_read(const char *path, struct config *ret_config, struct err_msg *msg)
{
	struct err_msg first = {{0}};
	struct conf_diag diag = {.ctx = &first, .say = note_error};
	struct config c = {.connections = NULL};
	int err = conf_read(conf_fs_host(), path, &diag, &c.conf);

	if (err)
		return err_set(msg, err, "%s", first.text);
	err = conf_resolve(&c.conf, "connections", &diag, &c.connections);
	if (err) {
		conf_free(&c.conf);
		return err_set(msg, err, "%s", first.text[0] ? first.text : err_text(err));
	}
	err = config_conns(&c) ? config_check(&c, msg)
			       : err_set(msg, ERR_SYNTAX, "%s: there is no connection in it", path);
	if (err)
		config_free(&c);
	else
		*ret_config = c;
	return err;
}

void config_free(struct config *config)
{
	conf_free(&config->conf);
	*config = (struct config){.connections = NULL};
}

const struct conf_section *config_conns(const struct config *config)
{
	return config && config->connections ? config->connections->sections : NULL;
}

const struct conf_section *config_children(const struct conf_section *conn)
{
	const struct conf_section *children = conf_find_section(conn, "children");

	return children ? children->sections : NULL;
}

const char *config_text(const struct conf_section *section, const char *name, const char *def)
{
	const struct conf_value *value = section ? conf_find_value(section, name) : NULL;

	return value && value->text ? value->text : def;
}

struct conf_place config_place(const struct conf_section *section, const char *name)
{
	const struct conf_value *value = conf_find_value(section, name);

	return value ? value->at : section->at;
}

bool config_is(const struct conf_section *section, const char *name, const char *text)
{
	return strcmp(config_text(section, name, ""), text) == 0;
}

bool config_bool(const struct conf_section *section, const char *name, bool def)
{
	const char *text = config_text(section, name, NULL);
	bool value = def;

	return text && !vici_parse_bool(text, &value) ? value : def;
}

uint32_t config_seconds(const struct conf_section *section, const char *name, uint32_t def)
{
	const char *text = config_text(section, name, NULL);
	uint32_t value = def;

	return text && !vici_parse_time(text, &value) ? value : def;
}

/* The i-th word between commas, without blanks around it. */
static bool nth_word(const char *list, size_t i, char word[WORD_MAX])
{
	size_t len;

	for (; i && list; i--) {
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	if (!list)
		return false;
	list += strspn(list, " \t\n");
	len = strcspn(list, ",");
	while (len && strchr(" \t\n", list[len - 1]))
		len--;
	snprintf(word, WORD_MAX, "%.*s", (int)len, list);
	return len > 0;
}

int config_selectors(const struct conf_section *child, const char *name, struct ts_list *ret_list)
{
	const char *text = config_text(child, name, NULL);
	struct ts_list list = {0};
	char word[WORD_MAX];
	struct ts ts;
	size_t i;
	int err = 0;

	for (i = 0; !err && nth_word(text, i, word); i++) {
		if (ts_parse(word, &ts, NULL) || ts.dynamic) {
			ts_list_free(&list);
			break;
		}
		err = ts_list_add(&list, &ts);
	}
	if (err)
		ts_list_free(&list);
	else
		*ret_list = list;
	return err;
}

static enum config_match host_is(const char *word, const struct ip_addr *addr)
{
	struct ts range;

	if (!strncmp(word, "%any", 4))
		return CONFIG_PERHAPS;
	if (ts_parse(word, &range, NULL) || range.dynamic)
		return CONFIG_PERHAPS;
	return ip_addr_cmp(addr, &range.lo) >= 0 && ip_addr_cmp(addr, &range.hi) <= 0 ? CONFIG_YES
										      : CONFIG_NO;
}

enum config_match config_has_address(const struct conf_section *conn, const char *name,
				     const struct ip_addr *addr)
{
	const char *list = config_text(conn, name, "%any");
	enum config_match best = CONFIG_NO, one;
	char word[WORD_MAX];
	size_t i;

	for (i = 0; nth_word(list, i, word); i++) {
		one = host_is(word, addr);
		best = one > best ? one : best;
	}
	return best;
}

/* --- Proposals --- */

static void add_transform(struct proposal *p, uint8_t type, const struct alg *alg)
{
	if (p->n_transforms < PROPOSAL_TRANSFORMS_MAX)
		p->transforms[p->n_transforms++] =
		    (struct transform){.type = type, .id = alg->id, .key_bits = alg->key_bits};
}

/* A hash is integrity algorithm and, for IKE, PRF at once (swanctl.conf(5)). */
static bool add_word(struct proposal *p, const char *word)
{
	static const uint8_t types[] = {TRANSFORM_ENCR, TRANSFORM_INTEG, TRANSFORM_PRF,
					TRANSFORM_KE};
	bool known = !strcmp(word, "esn") || !strcmp(word, "noesn");
	const struct alg *alg;
	size_t i;

	for (i = 0; i < sizeof(types); i++) {
		alg = alg_by_keyword((enum transform_type)types[i], word);
		if (!alg || (types[i] == TRANSFORM_PRF && p->protocol != PROTOCOL_IKE))
			continue;
		add_transform(p, types[i], alg);
		known = true;
	}
	return known;
}

static bool has_aead(const struct proposal *p)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == TRANSFORM_ENCR && alg_is_aead(p->transforms[i].id))
			return true;
	return false;
}

static void drop_integrity(struct proposal *p)
{
	uint8_t i, kept = 0;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type != TRANSFORM_INTEG)
			p->transforms[kept++] = p->transforms[i];
	p->n_transforms = kept;
}

bool config_proposal(const char *list, size_t i, uint8_t protocol, struct proposal *ret_proposal,
		     bool *ret_whole)
{
	struct proposal p = {.number = (uint8_t)(i + 1), .protocol = protocol};
	char words[WORD_MAX], *word, *at;
	bool whole = true;

	if (!nth_word(list, i, words))
		return false;
	for (word = strtok_r(words, "-", &at); word; word = strtok_r(NULL, "-", &at))
		whole = add_word(&p, word) && whole;
	if (has_aead(&p))
		drop_integrity(&p);
	*ret_proposal = p;
	*ret_whole = whole && p.n_transforms > 0;
	return true;
}
