/* diagnosis.c - see diagnosis.h. What explains may itself be explained by something else: whether a
 * claim stands is decided against all of them, not against those that stand. */
#include "vpn/base/diagnosis.h"

#include <stdbool.h>
#include <string.h>

#define COLUMNS 90

const char *certainty_name(enum certainty c)
{
	return c == CERTAIN ? "certain" : c == LIKELY ? "likely" : "possible";
}

static bool names_one(const char *ids, const char *id)
{
	size_t len = strlen(id);
	const char *at = ids;

	while ((at = strstr(at, id))) {
		if ((at == ids || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static bool is_explained(const struct claim *claims, size_t n, const struct claim *one)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct claim *c = &claims[i];

		if (c == one)
			continue;
		if (one->kind == RULE_SYMPTOM && c->kind == RULE_FAULT && c->certainty >= LIKELY)
			return true;
		if (names_one(one->unless, c->id))
			return true;
	}
	return false;
}

static unsigned weight(const struct claim *c)
{
	return (unsigned)c->kind * 100000 + (unsigned)(CERTAIN - c->certainty) * 10000 + c->rank;
}

size_t claims_order(const struct claim *claims, size_t n, size_t *ret_order)
{
	size_t i, at, kept = 0;

	for (i = 0; i < n; i++) {
		if (is_explained(claims, n, &claims[i]))
			continue;
		for (at = kept++; at > 0; at--) {
			if (weight(&claims[ret_order[at - 1]]) <= weight(&claims[i]))
				break;
			ret_order[at] = ret_order[at - 1];
		}
		ret_order[at] = i;
	}
	return kept;
}

void print_wrapped(FILE *out, int indent, const char *label, const char *text)
{
	int at = fprintf(out, "%*s%-*s", indent, "", *label ? WRAP_LABEL : 0, label);
	int start = at;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at + len > COLUMNS && at > start) {
			fprintf(out, "\n%*s", start, "");
			at = start;
		}
		at += fprintf(out, "%.*s", len, text);
		text += len;
		if (*text == ' ') {
			at += fprintf(out, " ");
			text++;
		}
	}
	fprintf(out, "\n");
}
