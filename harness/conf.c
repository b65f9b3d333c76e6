/* conf.c - writes swanctl.conf. The invariant is that what is NULL is left to the daemon's default,
 * so that a case says only what it is about. Too long a text is a mistake of the tests, hence an
 * assertion. */
#include "harness/conf.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct out {
	char *text;
	size_t len;
};

static void put(struct out *out, const char *before, const char *value, const char *after)
{
	int len = snprintf(out->text + out->len, CONF_TEXT_MAX - out->len, "%s%s%s", before, value,
			   after);

	assert(len >= 0 && out->len + (size_t)len < CONF_TEXT_MAX);
	out->len += (size_t)len;
}

static void put_option(struct out *out, const char *name, const char *value)
{
	if (!value)
		return;
	put(out, name, " = ", "");
	put(out, value, "\n", "");
}

static void put_auth(struct out *out, const char *side, const char *auth, const char *id,
		     const char *cert, const char *ca)
{
	put(out, side, " {\n", "");
	put_option(out, "auth", auth);
	if (id)
		put(out, "id = \"", id, "\"\n");
	put_option(out, "certs", cert);
	put_option(out, "cacerts", ca);
	put(out, "}\n", "", "");
}

static void put_child(struct out *out, const struct conf_child *child)
{
	put(out, child->name, " {\n", "");
	put_option(out, "local_ts", child->local_ts);
	put_option(out, "remote_ts", child->remote_ts);
	put_option(out, "mode", child->mode);
	put_option(out, "esp_proposals", child->esp_proposals);
	if (child->extra)
		put(out, child->extra, "\n", "");
	put(out, "}\n", "", "");
}

void conf_format(const struct conf *conf, char text[CONF_TEXT_MAX])
{
	struct out out = {.text = text};
	size_t i;

	put(&out, "connections {\n", conf->conn, " {\n");
	put_option(&out, "version", "2");
	put_option(&out, "local_addrs", conf->local_addrs);
	put_option(&out, "remote_addrs", conf->remote_addrs);
	put_option(&out, "proposals", conf->proposals);
	put_option(&out, "encap", conf->encap);
	put_option(&out, "mobike", "no");
	if (conf->extra)
		put(&out, conf->extra, "\n", "");
	put_auth(&out, "local", conf->auth, conf->local_id, conf->local_cert, NULL);
	put_auth(&out, "remote", conf->auth, conf->remote_id, conf->remote_cert, conf->remote_ca);
	put(&out, "children {\n", "", "");
	for (i = 0; i < CONF_CHILDREN_MAX; i++)
		if (conf->children[i].name)
			put_child(&out, &conf->children[i]);
	put(&out, "}\n}\n}\n", "", "");
	if (conf->secret) {
		put(&out, "secrets {\nike-peer {\nid = \"", conf->remote_id, "\"\nsecret = \"");
		put(&out, conf->secret, "\"\n}\n}\n", "");
	}
}

void conf_replace(char text[CONF_TEXT_MAX], const char *word, const char *with)
{
	char rest[CONF_TEXT_MAX];
	char *at = text;

	while ((at = strstr(at, word))) {
		strcpy(rest, at + strlen(word));
		assert((size_t)(at - text) + strlen(with) + strlen(rest) < CONF_TEXT_MAX);
		strcpy(at, with);
		strcat(at, rest);
		at += strlen(with);
	}
}
