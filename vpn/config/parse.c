/* parse.c - the grammar of strongswan.conf(5), and the reading of files.
 *
 *	settings  := (section | keyvalue | include)*
 *	section   := name [: reference, ...] { settings }
 *	keyvalue  := name = value      up to the end of the line, a comment or a '}'
 *	include   := include pattern   relative to the file that it stands in
 *
 * Checked against strongSwan 5.9.8 line by line:
 *
 * - Words of an unquoted value are joined by one blank. A quoted string may stand anywhere in a
 *   value and may run over lines; in it a backslash makes newline, carriage return and tab of n, r
 *   and t, joins lines at a line's end, and stands for nothing before any other character.
 * - An empty value clears the key. A section that is opened again is extended.
 * - Names hold anything printable but . , : { } = " and #.
 *
 * One parser stands for one file. Includes are read by a parser of their own that fills the same
 * section. */
#include "vpn/config/conf.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

struct job { /* what all files of one configuration share */
	const struct conf_fs *fs;
	struct conf_diag *diag;
	struct conf_arena *arena;
	unsigned entries;
};

struct parser {
	struct job *job;
	const char *p, *end;
	struct conf_place at;
	unsigned includes; /* how deep we are */
	char *scratch;	   /* for one value; as long as the file */
};

static int parse_settings(struct parser *s, struct conf_section *section, unsigned depth);
static int parse_file(struct job *job, const char *path, const struct conf_place *from,
		      unsigned includes, struct conf_section *section);

static int out_of_memory(struct parser *s)
{
	conf_error(s->job->diag, &s->at, "out of memory");
	return ERR_NOMEM;
}

#define syntax_error(s, ...) (conf_error((s)->job->diag, &(s)->at, __VA_ARGS__), ERR_SYNTAX)

static bool at_end(const struct parser *s)
{
	return s->p == s->end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name(char c)
{
	return !strchr(" \t\r\n.,:{}=\"#", c); /* a zero is found, too */
}

static void skip_blanks(struct parser *s)
{
	while (!at_end(s) && is_blank(*s->p))
		s->p++;
}

static void skip_comment(struct parser *s)
{
	while (!at_end(s) && *s->p != '\n')
		s->p++;
}

/* Blanks, line ends and comments. */
static void skip_space(struct parser *s)
{
	for (; !at_end(s); s->p++) {
		if (*s->p == '#')
			skip_comment(s);
		if (at_end(s))
			return;
		if (*s->p == '\n')
			s->at.line++;
		else if (!is_blank(*s->p))
			return;
	}
}

static size_t name_length(const struct parser *s)
{
	const char *p = s->p;

	while (p != s->end && is_name(*p))
		p++;
	return (size_t)(p - s->p);
}

static int read_name(struct parser *s, const char **ret_name)
{
	size_t len = name_length(s);
	char *name;

	if (!len)
		return syntax_error(s, "unexpected '%c'", *s->p);
	name = conf_arena_copy(s->job->arena, s->p, len);
	if (!name)
		return out_of_memory(s);
	s->p += len;
	*ret_name = name;
	return 0;
}

static int count_entry(struct parser *s)
{
	if (++s->job->entries <= CONF_ENTRIES_MAX)
		return 0;
	conf_error(s->job->diag, &s->at, "more than %u values and sections", CONF_ENTRIES_MAX);
	return ERR_LIMIT;
}

/* --- Values --- */

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* A quoted string, from behind its quote, to `to`; the line of the opening quote is named if it is
 * left open. */
static int read_quoted(struct parser *s, char **to)
{
	struct conf_place opened = s->at;

	for (; !at_end(s); s->p++) {
		char c = *s->p;

		if (c == '"') {
			s->p++;
			return 0;
		}
		if (c == '\n')
			s->at.line++;
		if (c == '\\' && s->p + 1 != s->end) {
			c = unescape(*++s->p);
			if (*s->p == '\r' && s->p + 1 != s->end && s->p[1] == '\n')
				s->p++;
			if (*s->p == '\n') {
				s->at.line++;
				continue;
			}
		}
		*(*to)++ = c;
	}
	s->at = opened;
	return syntax_error(s, "the string that begins here has no end");
}

static bool ends_word(char c)
{
	return is_blank(c) || c == '\n' || c == '#' || c == '}' || c == '"';
}

/* What follows a '='. NULL if there is nothing. */
static int read_value(struct parser *s, const char **ret_text)
{
	char *to = s->scratch;
	bool any = false;
	char *copy;
	int err;

	for (;;) {
		skip_blanks(s);
		if (at_end(s) || *s->p == '\n' || *s->p == '#' || *s->p == '}')
			break;
		if (any)
			*to++ = ' ';
		any = true;
		if (*s->p == '"') {
			s->p++;
			err = read_quoted(s, &to);
			if (err)
				return err;
			continue;
		}
		while (!at_end(s) && !ends_word(*s->p))
			*to++ = *s->p++;
	}
	copy = any ? conf_arena_copy(s->job->arena, s->scratch, (size_t)(to - s->scratch)) : NULL;
	if (any && !copy)
		return out_of_memory(s);
	*ret_text = copy;
	return 0;
}

static int set_value(struct parser *s, struct conf_section *section, const char *name,
		     const char *text, const struct conf_place *at)
{
	struct conf_value **to = &section->values;

	while (*to && strcmp((*to)->name, name) != 0)
		to = &(*to)->next;
	if (!*to) {
		if (count_entry(s))
			return ERR_LIMIT;
		*to = conf_arena_alloc(s->job->arena, sizeof(**to));
		if (!*to)
			return out_of_memory(s);
		(*to)->name = name;
	}
	(*to)->text = text;
	(*to)->at = *at;
	return 0;
}

static int parse_keyvalue(struct parser *s, struct conf_section *section, const char *name,
			  const struct conf_place *at)
{
	const char *text;
	int err;

	s->p++; /* = */
	err = read_value(s, &text);
	return err ? err : set_value(s, section, name, text, at);
}

/* --- Sections --- */

struct conf_section *conf_find_section(const struct conf_section *parent, const char *name)
{
	struct conf_section *sub = parent ? parent->sections : NULL;

	while (sub && strcmp(sub->name, name) != 0)
		sub = sub->next;
	return sub;
}

struct conf_value *conf_find_value(const struct conf_section *section, const char *name)
{
	struct conf_value *value = section ? section->values : NULL;

	while (value && strcmp(value->name, name) != 0)
		value = value->next;
	return value;
}

static int open_section(struct parser *s, struct conf_section *parent, const char *name,
			const struct conf_place *at, struct conf_section **ret_section)
{
	struct conf_section **to = &parent->sections;

	while (*to && strcmp((*to)->name, name) != 0)
		to = &(*to)->next;
	if (!*to) {
		if (count_entry(s))
			return ERR_LIMIT;
		*to = conf_arena_alloc(s->job->arena, sizeof(**to));
		if (!*to)
			return out_of_memory(s);
		(*to)->name = name;
		(*to)->at = *at;
	}
	*ret_section = *to;
	return 0;
}

static int add_reference(struct parser *s, struct conf_section *section, size_t len)
{
	struct conf_ref **to = &section->refs;

	if (count_entry(s))
		return ERR_LIMIT;
	while (*to)
		to = &(*to)->next;
	*to = conf_arena_alloc(s->job->arena, sizeof(**to));
	if (!*to)
		return out_of_memory(s);
	(*to)->at = s->at;
	(*to)->path = conf_arena_copy(s->job->arena, s->p, len);
	s->p += len;
	return (*to)->path ? 0 : out_of_memory(s);
}

/* What follows the ':' of a section, up to its '{'. */
static int parse_references(struct parser *s, struct conf_section *section)
{
	size_t len;
	int err;

	for (;;) {
		s->p++; /* : or , */
		skip_space(s);
		for (len = 0; s->p + len != s->end && (is_name(s->p[len]) || s->p[len] == '.');)
			len++;
		if (!len)
			return syntax_error(s, "expected the name of a section to inherit from");
		err = add_reference(s, section, len);
		if (err)
			return err;
		skip_space(s);
		if (at_end(s) || *s->p != ',')
			break;
	}
	if (at_end(s) || *s->p != '{')
		return syntax_error(s, "expected ',' or '{' after the references of '%s'",
				    section->name);
	return 0;
}

static int parse_section(struct parser *s, struct conf_section *parent, const char *name,
			 const struct conf_place *at, unsigned depth)
{
	struct conf_section *section;
	int err = open_section(s, parent, name, at, &section);

	if (!err && *s->p == ':')
		err = parse_references(s, section);
	if (err)
		return err;
	if (depth >= CONF_SECTION_DEPTH) {
		conf_error(s->job->diag, at, "sections nested deeper than %u", CONF_SECTION_DEPTH);
		return ERR_LIMIT;
	}
	s->p++; /* { */
	err = parse_settings(s, section, depth + 1);
	if (err)
		return err;
	if (at_end(s)) {
		conf_error(s->job->diag, at, "section '%s' has no closing '}'", name);
		return ERR_SYNTAX;
	}
	s->p++; /* } */
	return 0;
}

/* --- Includes --- */

/* True if the name at s->p is the word of an include statement, and no key or section of that name.
 */
static bool is_include(const struct parser *s)
{
	const char *p = s->p + 7;

	if (name_length(s) != 7 || strncmp(s->p, "include", 7) != 0 || p == s->end || !is_blank(*p))
		return false;
	while (p != s->end && is_blank(*p))
		p++;
	return p == s->end || !strchr("={:", *p);
}

/* The pattern as seen from the working directory. */
static char *relative_to_file(struct parser *s, const char *pattern)
{
	const char *slash = strrchr(s->at.file, '/');
	size_t dir = slash ? (size_t)(slash - s->at.file) + 1 : 0, len = strlen(pattern);
	char *path;

	if (pattern[0] == '/')
		dir = 0;
	path = conf_arena_alloc(s->job->arena, dir + len + 1);
	if (!path)
		return NULL;
	memcpy(path, s->at.file, dir);
	memcpy(path + dir, pattern, len);
	return path;
}

static int include_files(struct parser *s, const char *pattern, const struct conf_place *at,
			 struct conf_section *section)
{
	struct conf_paths paths = {0};
	size_t i;
	int err;

	err = s->job->fs->glob(s->job->fs->ctx, pattern, &paths);
	if (err) {
		conf_error(s->job->diag, at, "cannot look for '%s': %s", pattern, err_text(err));
		return err;
	}
	if (!paths.n)
		conf_warn(s->job->diag, at, "include: no file matches '%s'", pattern);
	for (i = 0; i < paths.n && !err; i++)
		err = parse_file(s->job, paths.v[i], at, s->includes + 1, section);
	conf_paths_free(&paths);
	return err;
}

static int parse_include(struct parser *s, struct conf_section *section)
{
	struct conf_place at = s->at;
	const char *pattern, *path;
	int err;

	s->p += 7; /* include */
	err = read_value(s, &pattern);
	if (err)
		return err;
	if (!pattern || !*pattern) {
		conf_error(s->job->diag, &at, "include: expected a file name");
		return ERR_SYNTAX;
	}
	path = relative_to_file(s, pattern);
	if (!path)
		return out_of_memory(s);
	return include_files(s, path, &at, section);
}

/* --- A file --- */

static int parse_setting(struct parser *s, struct conf_section *section, unsigned depth)
{
	struct conf_place at = s->at;
	const char *name;
	int err;

	if (is_include(s))
		return parse_include(s, section);
	err = read_name(s, &name);
	if (err)
		return err;
	skip_space(s);
	if (!at_end(s) && *s->p == '=')
		return parse_keyvalue(s, section, name, &at);
	if (!at_end(s) && (*s->p == '{' || *s->p == ':'))
		return parse_section(s, section, name, &at, depth);
	s->at = at;
	return syntax_error(s, "expected '=', '{' or ':' after '%s'", name);
}

/* Up to the end of the file, or to the '}' that closes the section. */
static int parse_settings(struct parser *s, struct conf_section *section, unsigned depth)
{
	int err;

	for (;;) {
		skip_space(s);
		if (at_end(s))
			return 0;
		if (*s->p == '}')
			return depth ? 0 : syntax_error(s, "'}' without a section to close");
		err = parse_setting(s, section, depth);
		if (err)
			return err;
	}
}

static int parse_text(struct job *job, const char *name, const char *text, size_t len,
		      unsigned includes, struct conf_section *section)
{
	struct parser s = {.job = job, .p = text, .end = text + len, .includes = includes};
	const char *zero = len ? memchr(text, 0, len) : NULL;
	int err;

	s.at =
	    (struct conf_place){.file = conf_arena_copy(job->arena, name, strlen(name)), .line = 1};
	s.scratch = malloc(2 * len + 1); /* joining blanks may make "a""b""c" longer */
	if (!s.at.file || !s.scratch)
		err = out_of_memory(&s);
	else if (zero)
		err = syntax_error(&s, "octet %zu is zero: this is no text file",
				   (size_t)(zero - text));
	else
		err = parse_settings(&s, section, 0);
	if (s.scratch)
		secret_wipe(s.scratch, 2 * len + 1);
	free(s.scratch);
	return err;
}

static int parse_file(struct job *job, const char *path, const struct conf_place *from,
		      unsigned includes, struct conf_section *section)
{
	struct err_msg msg = {""};
	char *data;
	size_t len;
	int err;

	if (includes > CONF_INCLUDE_DEPTH) {
		conf_error(job->diag, from, "files include each other deeper than %u",
			   CONF_INCLUDE_DEPTH);
		return ERR_LIMIT;
	}
	err = job->fs->read(job->fs->ctx, path, &data, &len, &msg);
	if (err) {
		conf_error(job->diag, from, "cannot read '%s': %s", path, msg.text);
		return err;
	}
	err = parse_text(job, path, data, len, includes, section);
	secret_wipe(data, len);
	free(data);
	return err;
}

static int finish(int err, struct conf *conf, struct conf *ret_conf)
{
	if (err)
		conf_arena_free(&conf->arena);
	else
		*ret_conf = *conf;
	return err;
}

static int make_root(struct conf *conf, struct conf_diag *diag)
{
	conf->root = conf_arena_alloc(&conf->arena, sizeof(*conf->root));
	if (conf->root) {
		conf->root->name = "";
		return 0;
	}
	conf_error(diag, NULL, "out of memory");
	return ERR_NOMEM;
}

int conf_read(const struct conf_fs *fs, const char *path, struct conf_diag *diag,
	      struct conf *ret_conf)
{
	struct conf conf = {0};
	struct job job = {.fs = fs, .diag = diag, .arena = &conf.arena};
	int err = make_root(&conf, diag);

	if (!err)
		err = parse_file(&job, path, NULL, 0, conf.root);
	return finish(err, &conf, ret_conf);
}

int conf_parse(const struct conf_fs *fs, const char *name, const char *text, size_t len,
	       struct conf_diag *diag, struct conf *ret_conf)
{
	struct conf conf = {0};
	struct job job = {.fs = fs, .diag = diag, .arena = &conf.arena};
	int err = make_root(&conf, diag);

	if (!err)
		err = parse_text(&job, name, text, len, 0, conf.root);
	return finish(err, &conf, ret_conf);
}

void conf_free(struct conf *conf)
{
	conf_arena_free(&conf->arena);
	conf->root = NULL;
}
