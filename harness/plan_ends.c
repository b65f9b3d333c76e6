/* plan_ends.c - the daemons: which one stands at which node, and its configuration with everything
 * substituted. */
#include "harness/plan_internal.h"

#include <stdlib.h>
#include <string.h>

static char *replace(struct plan_making *m, const char *text, const char *word, const char *with)
{
	size_t count = 0, word_len = strlen(word), with_len = strlen(with);
	const char *at, *rest;
	char *copy, *out;

	for (at = text; word_len && (at = strstr(at, word)); at += word_len)
		count++;
	copy = out = doc_alloc(m->doc, strlen(text) + count * with_len + 1);
	if (!copy)
		return NULL;
	for (rest = text; count--; rest = at + word_len) {
		at = strstr(rest, word);
		memcpy(out, rest, (size_t)(at - rest));
		memcpy(out + (at - rest), with, with_len);
		out += (size_t)(at - rest) + with_len;
	}
	strcpy(out, rest);
	return copy;
}

static int read_config(struct plan_making *m, const struct sc_endpoint *sc, const char **ret_config)
{
	const char *text = sc->config;
	char *copy;
	size_t i;
	int err;

	if (!text) {
		err = plan_read_file(m, sc->line, sc->config_file, &copy);
		if (err < 0)
			return err;
		text = copy;
	}
	for (i = 0; i < sc->substitute.count; i++) {
		const struct pair *pair = &sc->substitute.items[i];

		if (!strstr(text, pair->key))
			return doc_error(m->doc, pair->line, m->msg,
					 "the configuration has no '%s' to substitute", pair->key);
		text = replace(m, text, pair->key, pair->value);
		if (!text)
			return plan_no_memory(m);
	}
	*ret_config = text;
	return 0;
}

static const char *chosen_peer(const struct plan_options *options, const struct sc_endpoint *sc)
{
	const char *peer = sc->peer ? sc->peer : "beetd";
	size_t i;

	for (i = 0; i < options->peers_count; i++)
		if (strcmp(options->peers[i].node, sc->node) == 0)
			peer = options->peers[i].peer;
	return peer;
}

bool plan_is_daemon(const char *name)
{
	return strcmp(name, "beetd") == 0 || strcmp(name, "strongswan") == 0;
}

static int add_endpoint(struct plan_making *m, const struct plan_options *options,
			const struct sc_endpoint *sc)
{
	struct plan_endpoint *endpoint;

	endpoint = plan_append(m, (const void **)(void *)&m->plan->endpoints,
			       &m->plan->endpoints_count, sizeof(*endpoint));
	if (!endpoint)
		return plan_no_memory(m);
	*endpoint = (struct plan_endpoint){.sc = sc, .peer = chosen_peer(options, sc)};
	if (topology_node(&m->plan->topology, sc->node) < 0)
		return doc_error(m->doc, sc->line, m->msg, "no node '%s'", sc->node);
	if (!plan_is_daemon(endpoint->peer))
		return doc_error(m->doc, sc->line, m->msg, "'%s' is no daemon: beetd, strongswan",
				 endpoint->peer);
	return read_config(m, sc, &endpoint->config);
}

static int check_peers(struct plan_making *m, const struct plan_options *options)
{
	size_t i;

	for (i = 0; i < options->peers_count; i++)
		if (!plan_find_endpoint(m->plan, options->peers[i].node))
			return err_set(m->msg, ERR_SYNTAX, "--peer: %s has no endpoint at '%s'",
				       m->sc->name, options->peers[i].node);
	return 0;
}

int plan_add_endpoints(struct plan_making *m, const struct plan_options *options)
{
	const struct sc_endpoint *list = m->sc->endpoints.items;
	size_t i;
	int err = 0;

	for (i = 0; i < m->sc->endpoints.count && err == 0; i++)
		err = add_endpoint(m, options, &list[i]);
	return err < 0 ? err : check_peers(m, options);
}
