/* doc.c - builds the tree from libyaml's events, by recursive descent.
 *
 * libyaml's own document API would follow aliases (which lets a small file grow without bound) and
 * keeps both of two equal keys; neither is wanted. The recursion is bounded by DOC_DEPTH_MAX.
 *
 * Ownership: all memory hangs on one list of blocks in struct doc. */
#include "harness/doc.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct block {
	struct block *next;
	max_align_t data[];
};

struct doc {
	const char *path;
	struct doc_node *root;
	struct block *blocks;
};

struct build {
	struct doc *doc;
	yaml_parser_t parser;
	const char *text;
	size_t len;
	struct err_msg *msg;
	unsigned depth;
};

void *doc_alloc(struct doc *doc, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->next = doc->blocks;
	doc->blocks = block;
	return block->data;
}

char *doc_strdup(struct doc *doc, const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = doc_alloc(doc, len);

	return copy ? memcpy(copy, text, len) : NULL;
}

int doc_error(const struct doc *doc, unsigned line, struct err_msg *msg, const char *fmt, ...)
{
	char text[sizeof(msg->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(msg, ERR_SYNTAX, "%s:%u: %s", doc->path, line, text);
}

const char *doc_path(const struct doc *doc)
{
	return doc->path;
}

const struct doc_node *doc_root(const struct doc *doc)
{
	return doc->root;
}

const char *doc_kind_text(enum doc_kind kind)
{
	static const char *const texts[] = {
	    [DOC_SCALAR] = "text", [DOC_LIST] = "a list", [DOC_MAP] = "a mapping"};

	return texts[kind];
}

static unsigned event_line(const yaml_event_t *event)
{
	return (unsigned)event->start_mark.line + 1;
}

/* A line, counted from 0, that is indented with a tab. */
static bool has_tab(const struct build *build, size_t line)
{
	const char *at = build->text, *end = at + build->len;

	for (; at && line > 0; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	while (at && at < end && *at == ' ')
		at++;
	return at && at < end && *at == '\t';
}

/* An error of the kind that a wrong indentation makes. */
static bool is_layout(const yaml_parser_t *parser)
{
	return (parser->context && strstr(parser->context, "block")) ||
	       (parser->problem && strstr(parser->problem, "mapping values are not allowed"));
}

static int next_event(struct build *build, yaml_event_t *ret_event)
{
	const yaml_parser_t *parser = &build->parser;

	if (yaml_parser_parse(&build->parser, ret_event))
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(build->msg, ERR_NOMEM, "out of memory");
	if (has_tab(build, parser->problem_mark.line))
		return doc_error(build->doc, (unsigned)parser->problem_mark.line + 1, build->msg,
				 "a tab; YAML indents with blanks");
	return doc_error(build->doc, (unsigned)parser->problem_mark.line + 1, build->msg,
			 "%s%s%s%s", parser->problem ? parser->problem : "not YAML",
			 parser->context ? ", " : "", parser->context ? parser->context : "",
			 is_layout(parser) ? "; check the indentation, here and above" : "");
}

static bool has_extras(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor ||
		       (event->data.scalar.tag && !event->data.scalar.plain_implicit &&
			!event->data.scalar.quoted_implicit);
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor || !event->data.sequence_start.implicit;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor || !event->data.mapping_start.implicit;
	default:
		return event->type == YAML_ALIAS_EVENT;
	}
}

static int read_node(struct build *build, const yaml_event_t *event, struct doc_node **ret_node);

static int new_node(struct build *build, enum doc_kind kind, const yaml_event_t *event,
		    struct doc_node **ret_node)
{
	struct doc_node *node = doc_alloc(build->doc, sizeof(*node));

	if (!node)
		return err_set(build->msg, ERR_NOMEM, "out of memory");
	node->kind = kind;
	node->line = event_line(event);
	node->text = "";
	*ret_node = node;
	return 0;
}

static int read_list(struct build *build, struct doc_node *list)
{
	struct doc_node **end = &list->child;
	yaml_event_t event;
	int err;

	for (;;) {
		err = next_event(build, &event);
		if (err < 0)
			return err;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		err = read_node(build, &event, end);
		yaml_event_delete(&event);
		if (err < 0)
			return err;
		end = &(*end)->next;
	}
	yaml_event_delete(&event);
	return 0;
}

/* A key must be text, and new in its mapping. */
static int check_key(struct build *build, const struct doc_node *map, const struct doc_node *key)
{
	const struct doc_node *other;

	if (key->kind != DOC_SCALAR)
		return doc_error(build->doc, key->line, build->msg, "a key must be text, not %s",
				 doc_kind_text(key->kind));
	for (other = map->child; other; other = other->next)
		if (strcmp(other->key, key->text) == 0)
			return doc_error(build->doc, key->line, build->msg,
					 "'%s' stands here twice; the first is in line %u",
					 key->text, other->line);
	return 0;
}

static int read_value(struct build *build, const struct doc_node *key, struct doc_node **ret_node)
{
	yaml_event_t event;
	int err = next_event(build, &event);

	if (err < 0)
		return err;
	err = read_node(build, &event, ret_node);
	yaml_event_delete(&event);
	if (err == 0)
		(*ret_node)->key = key->text;
	return err;
}

static int read_map(struct build *build, struct doc_node *map)
{
	struct doc_node **end = &map->child;
	struct doc_node *key;
	yaml_event_t event;
	int err;

	for (;;) {
		err = next_event(build, &event);
		if (err < 0)
			return err;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		err = read_node(build, &event, &key);
		yaml_event_delete(&event);
		if (err == 0)
			err = check_key(build, map, key);
		if (err == 0)
			err = read_value(build, key, end);
		if (err < 0)
			return err;
		end = &(*end)->next;
	}
	yaml_event_delete(&event);
	return 0;
}

static int read_scalar(struct build *build, const yaml_event_t *event, struct doc_node *node)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return doc_error(build->doc, node->line, build->msg, "text with a zero octet");
	node->text = doc_strdup(build->doc, text);
	return node->text ? 0 : err_set(build->msg, ERR_NOMEM, "out of memory");
}

static int read_node(struct build *build, const yaml_event_t *event, struct doc_node **ret_node)
{
	struct doc_node *node = NULL;
	enum doc_kind kind = DOC_SCALAR;
	int err;

	if (has_extras(event))
		return doc_error(build->doc, event_line(event), build->msg,
				 "anchors, aliases and tags are not for scenarios");
	if (build->depth == DOC_DEPTH_MAX)
		return doc_error(build->doc, event_line(event), build->msg,
				 "nested more than %d deep", DOC_DEPTH_MAX);
	if (event->type == YAML_SEQUENCE_START_EVENT)
		kind = DOC_LIST;
	else if (event->type == YAML_MAPPING_START_EVENT)
		kind = DOC_MAP;
	err = new_node(build, kind, event, &node);
	if (err < 0)
		return err;
	build->depth++;
	if (kind == DOC_LIST)
		err = read_list(build, node);
	else if (kind == DOC_MAP)
		err = read_map(build, node);
	else
		err = read_scalar(build, event, node);
	build->depth--;
	if (err == 0)
		*ret_node = node;
	return err;
}

/* Skips the events that must come: a stream's start, a document's. */
static int expect_event(struct build *build, yaml_event_type_t type, const char *what)
{
	yaml_event_t event;
	int err = next_event(build, &event);

	if (err < 0)
		return err;
	if (event.type != type)
		err = doc_error(build->doc, event_line(&event), build->msg, "%s", what);
	yaml_event_delete(&event);
	return err;
}

static int read_document(struct build *build)
{
	yaml_event_t event;
	int err = expect_event(build, YAML_STREAM_START_EVENT, "not YAML");

	if (err == 0)
		err = expect_event(build, YAML_DOCUMENT_START_EVENT, "the file is empty");
	if (err == 0)
		err = next_event(build, &event);
	if (err < 0)
		return err;
	err = read_node(build, &event, &build->doc->root);
	yaml_event_delete(&event);
	if (err == 0)
		err = expect_event(build, YAML_DOCUMENT_END_EVENT, "not the end of the document");
	if (err == 0)
		err = expect_event(build, YAML_STREAM_END_EVENT,
				   "a second document: one file holds one scenario");
	return err;
}

int doc_parse(const char *path, const char *text, size_t len, struct doc **ret_doc,
	      struct err_msg *msg)
{
	struct build build = {
	    .doc = calloc(1, sizeof(*build.doc)), .text = text, .len = len, .msg = msg};
	int err;

	if (!build.doc)
		return err_set(msg, ERR_NOMEM, "out of memory");
	build.doc->path = path;
	build.doc->path = doc_strdup(build.doc, path);
	if (!build.doc->path || !yaml_parser_initialize(&build.parser)) {
		doc_free(build.doc);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	yaml_parser_set_input_string(&build.parser, (const unsigned char *)text, len);
	err = read_document(&build);
	yaml_parser_delete(&build.parser);
	if (err < 0)
		doc_free(build.doc);
	else
		*ret_doc = build.doc;
	return err;
}

int doc_load(const char *path, struct doc **ret_doc, struct err_msg *msg)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;
	int err;

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	text = malloc(DOC_OCTETS_MAX + 1);
	if (!text) {
		fclose(file);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	len = fread(text, 1, DOC_OCTETS_MAX + 1, file);
	if (ferror(file))
		err = err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	else if (len > DOC_OCTETS_MAX)
		err = err_set(msg, ERR_LIMIT, "%s: larger than %d octets", path, DOC_OCTETS_MAX);
	else
		err = doc_parse(path, text, len, ret_doc, msg);
	free(text);
	fclose(file);
	return err;
}

void doc_free(struct doc *doc)
{
	struct block *block, *next;

	if (!doc)
		return;
	for (block = doc->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(doc);
}
