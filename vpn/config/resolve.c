/* resolve.c - carries out references between sections.
 *
 *	base { a = 1; k { b = 2 } }    c.a is 1, c.k.b is 2, c.k.d is 3,
 *	c : base { k { d = 3 } }       as if base had been written behind what c says itself
 *
 * A section's sources are itself, then the sources of what it refers to, left to right, each once.
 * A value is taken from the first source that has it, be it only to clear it; subsections of one
 * name are merged the same way. Sections may refer to each other in circles (the second visit adds
 * nothing), but a section that inherits what it stands in would nest without end: depth and number
 * are limited. References are carried out late, so they may point at what comes later in the file,
 * or at nothing. */
#include "vpn/config/conf.h"

#include <string.h>

struct sources {
	struct conf_section **v;
	size_t n, cap;
};

struct resolver {
	struct conf *conf;
	struct conf_diag *diag;
	unsigned entries;
};

static int out_of_memory(struct resolver *r)
{
	conf_error(r->diag, NULL, "out of memory");
	return ERR_NOMEM;
}

/* The section at "a.b.c"; marks it and its parents as referenced. */
static struct conf_section *follow(struct conf *conf, const char *path)
{
	struct conf_section *section = conf->root, *sub;
	size_t len;

	while (*path) {
		len = strcspn(path, ".");
		for (sub = section->sections; sub; sub = sub->next)
			if (strlen(sub->name) == len && !strncmp(sub->name, path, len))
				break;
		if (!sub)
			return NULL;
		section = sub;
		section->referenced = true;
		path += len + (path[len] == '.');
	}
	return section == conf->root ? NULL : section;
}

static bool has_source(const struct sources *list, const struct conf_section *section)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->v[i] == section)
			return true;
	return false;
}

static int push(struct resolver *r, struct sources *list, struct conf_section *section)
{
	struct conf_section **bigger;

	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 4;
		bigger = conf_arena_alloc(&r->conf->arena, list->cap * sizeof(*bigger));
		if (!bigger)
			return out_of_memory(r);
		if (list->n)
			memcpy(bigger, list->v, list->n * sizeof(*bigger));
		list->v = bigger;
	}
	list->v[list->n++] = section;
	return 0;
}

static int add_sources(struct resolver *r, struct sources *list, struct conf_section *section,
		       unsigned depth)
{
	struct conf_section *target;
	struct conf_ref *ref;
	int err;

	if (has_source(list, section))
		return 0;
	if (depth > CONF_ENTRIES_MAX / 64) {
		conf_error(r->diag, &section->at, "a chain of more than %u references",
			   CONF_ENTRIES_MAX / 64);
		return ERR_LIMIT;
	}
	err = push(r, list, section);
	for (ref = section->refs; ref && !err; ref = ref->next) {
		target = follow(r->conf, ref->path);
		if (target)
			err = add_sources(r, list, target, depth + 1);
		else
			conf_warn(r->diag, &ref->at, "'%s' refers to '%s', which does not exist",
				  section->name, ref->path);
	}
	return err;
}

static int count_entry(struct resolver *r, const struct conf_place *at)
{
	if (++r->entries <= CONF_ENTRIES_MAX)
		return 0;
	conf_error(r->diag, at, "references expand to more than %u values and sections",
		   CONF_ENTRIES_MAX);
	return ERR_LIMIT;
}

static int merge_values(struct resolver *r, const struct sources *from, struct conf_section *into)
{
	struct conf_value **end = &into->values, *value, *copy;
	size_t i;

	for (i = 0; i < from->n; i++) {
		for (value = from->v[i]->values; value; value = value->next) {
			if (conf_find_value(into, value->name))
				continue;
			if (count_entry(r, &value->at))
				return ERR_LIMIT;
			copy = conf_arena_alloc(&r->conf->arena, sizeof(*copy));
			if (!copy)
				return out_of_memory(r);
			*copy = *value;
			copy->next = NULL;
			*end = copy;
			end = &copy->next;
		}
	}
	return 0;
}

static void drop_cleared(struct conf_section *section)
{
	struct conf_value **at = &section->values;

	while (*at) {
		if ((*at)->text)
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
}

static int merge(struct resolver *r, const struct sources *from, unsigned depth,
		 struct conf_section **ret_section);

/* The subsection `name` out of all that have one. */
static int merge_subsection(struct resolver *r, const struct sources *from, const char *name,
			    unsigned depth, struct conf_section **ret_section)
{
	struct sources subs = {0};
	struct conf_section *sub;
	size_t i;
	int err = 0;

	for (i = 0; i < from->n && !err; i++) {
		sub = conf_find_section(from->v[i], name);
		if (sub)
			err = add_sources(r, &subs, sub, 0);
	}
	return err ? err : merge(r, &subs, depth + 1, ret_section);
}

static int merge_subsections(struct resolver *r, const struct sources *from, unsigned depth,
			     struct conf_section *into)
{
	struct conf_section **end = &into->sections, *sub;
	size_t i;
	int err;

	for (i = 0; i < from->n; i++) {
		for (sub = from->v[i]->sections; sub; sub = sub->next) {
			if (conf_find_section(into, sub->name))
				continue;
			err = merge_subsection(r, from, sub->name, depth, end);
			if (err)
				return err;
			end = &(*end)->next;
		}
	}
	return 0;
}

static int merge(struct resolver *r, const struct sources *from, unsigned depth,
		 struct conf_section **ret_section)
{
	struct conf_section *first = from->v[0], *section;
	int err;

	if (depth > CONF_SECTION_DEPTH) {
		conf_error(r->diag, &first->at, "'%s' inherits from a section that it stands in",
			   first->name);
		return ERR_LIMIT;
	}
	err = count_entry(r, &first->at);
	if (err)
		return err;
	section = conf_arena_alloc(&r->conf->arena, sizeof(*section));
	if (!section)
		return out_of_memory(r);
	section->name = first->name;
	section->at = first->at;
	err = merge_values(r, from, section);
	if (!err)
		err = merge_subsections(r, from, depth, section);
	if (err)
		return err;
	drop_cleared(section);
	*ret_section = section;
	return 0;
}

int conf_resolve(struct conf *conf, const char *name, struct conf_diag *diag,
		 struct conf_section **ret_section)
{
	struct resolver r = {.conf = conf, .diag = diag};
	struct conf_section *top = conf_find_section(conf->root, name);
	struct sources from = {0};
	int err;

	if (!top) {
		*ret_section = NULL;
		return 0;
	}
	err = add_sources(&r, &from, top, 0);
	return err ? err : merge(&r, &from, 1, ret_section);
}
