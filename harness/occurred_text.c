/* occurred_text.c - what an expectation counts, in words: "SYN/ACK with MSS 1280 at host-gw".
 *
 * A person looks at several of a kind beneath each other; the parameters are what tells them
 * apart. */
#include "harness/occurred.h"
#include <stdio.h>
#include <string.h>

struct phrase {
	char *text;
	size_t cap, len;
};

static void add(struct phrase *p, const char *before, const char *word)
{
	if (p->len < p->cap)
		p->len += (size_t)snprintf(p->text + p->len, p->cap - p->len, "%s%s", before, word);
}

/* The parameter with the word that joins it; one that is not here is named. */
static void add_param(struct phrase *p, const struct pair *pair)
{
	static const struct {
		const char *key, *before;
	} words[] = {
	    {"place", " at "},	   {"wire", " on "},
	    {"address", " of "},   {"exchange", " of "},
	    {"kind", ", "},	   {"notify", " with "},
	    {"from", " from "},	   {"mss", " with MSS "},
	    {"mtu", " with MTU "}, {"src", " from "},
	    {"dst", " to "},	   {"mode", ", mode "},
	    {"aim", " by aim "},   {"asked", " asked for as "},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].key, pair->key) == 0) {
			add(p, words[i].before, pair->value);
			return;
		}
	add(p, ", ", pair->key);
	add(p, " ", pair->value);
}

static bool is_bound(const char *key)
{
	return strcmp(key, "min") == 0 || strcmp(key, "max") == 0;
}

/* True if it was said in words of its own. */
static bool add_special(struct phrase *p, const struct pair *pair)
{
	bool yes;

	if (strcmp(pair->key, "inside") == 0 && parse_bool(pair->value, &yes))
		add(p, yes ? " inside" : " outside", " the tunnel");
	else if (strcmp(pair->key, "encap") == 0 && parse_bool(pair->value, &yes))
		add(p, yes ? " in UDP" : " not in UDP", "");
	else
		return strcmp(pair->key, "segment") == 0;
	return true;
}

/* Places and wires last, as people say it. */
static bool is_where(const struct pair *pair)
{
	return strcmp(pair->key, "place") == 0 || strcmp(pair->key, "wire") == 0;
}

static const char *noun(const struct sc_expectation *e, const char *what)
{
	size_t i;

	for (i = 0; i < e->with.count; i++)
		if (strcmp(e->with.items[i].key, "segment") == 0)
			return strcmp(e->with.items[i].value, "syn") == 0 ? "SYN" : "SYN/ACK";
	return what;
}

const char *occurred_describe(const struct sc_expectation *e, const char *what, char *buf,
			      size_t cap)
{
	struct phrase p = {.text = buf, .cap = cap};
	size_t i;
	int where;

	add(&p, noun(e, what), "");
	for (where = 0; where < 2; where++) {
		for (i = 0; i < e->with.count; i++) {
			const struct pair *pair = &e->with.items[i];

			if (is_where(pair) == (where == 1) && !is_bound(pair->key) &&
			    !add_special(&p, pair))
				add_param(&p, pair);
		}
	}
	return buf;
}
