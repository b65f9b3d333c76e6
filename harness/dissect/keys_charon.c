/* keys_charon.c - keys from strongSwan's log, with `ike` and `chd` at level 4.
 *
 * A key is a line with its name and length, followed by its octets as a hex dump:
 *
 *	11[IKE] <4> Sk_ei secret => 36 bytes @ 0x7fd9c800b030
 *	11[IKE] <4>    0: 8F 22 38 B7 88 3E 29 8A B6 1F 7F 31 82 AB B4 3B  ."8..>)....1...;
 *
 * Whatever stands in front of "NN[GRP] " (a time, a host) is passed over. Threads interleave their
 * lines, so what is being collected is kept for each thread number. Sk_d begins a new set of keys
 * of an IKE SA. "encryption initiator key" and "integrity initiator key" make one ESP key, and so
 * for the responder. Nothing here says for which SPIs they are: they are tried (keys.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/keys_format.h"
#include "vpn/base/secret.h"

#define THREADS_MAX 128 /* charon has 16 by default */

enum part_name {
	PART_NONE,
	PART_D,
	PART_AI,
	PART_AR,
	PART_EI,
	PART_ER,
	PART_PI,
	PART_PR,
	PART_CHILD_EI,
	PART_CHILD_ER,
	PART_CHILD_AI,
	PART_CHILD_AR,
	PARTS
};

static const char *const part_names[PARTS] = {
    [PART_D] = "Sk_d secret",
    [PART_AI] = "Sk_ai secret",
    [PART_AR] = "Sk_ar secret",
    [PART_EI] = "Sk_ei secret",
    [PART_ER] = "Sk_er secret",
    [PART_PI] = "Sk_pi secret",
    [PART_PR] = "Sk_pr secret",
    [PART_CHILD_EI] = "encryption initiator key",
    [PART_CHILD_ER] = "encryption responder key",
    [PART_CHILD_AI] = "integrity initiator key",
    [PART_CHILD_AR] = "integrity responder key",
};

struct thread {
	struct key_part parts[PARTS];
	enum part_name open; /* what the dump that follows belongs to */
	size_t wanted;
};

struct log_reader {
	struct key_store *store;
	struct thread threads[THREADS_MAX];
};

/* "NN[GRP] " with what follows; false if the line has no such thing. */
static bool split(const struct view *line, unsigned *ret_thread, struct view *ret_rest)
{
	const uint8_t *p = line->p, *end = line->p + line->len;

	for (; p + 8 <= end; p++) {
		if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9' || p[2] != '[' ||
		    p[6] != ']' || p[7] != ' ')
			continue;
		*ret_thread = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
		*ret_rest = (struct view){p + 8, (size_t)(end - p - 8)};
		return true;
	}
	return false;
}

/* The text behind "<connection|4> ", if that is there. */
static struct view without_sa(struct view text)
{
	const uint8_t *close;

	if (!text.len || text.p[0] != '<')
		return text;
	close = memchr(text.p, '>', text.len);
	if (!close || close + 2 > text.p + text.len)
		return text;
	return (struct view){close + 2, (size_t)(text.p + text.len - close - 2)};
}

bool keys_is_charon(const char *text, size_t len)
{
	struct view line, rest;
	unsigned thread;
	int tries;

	for (tries = 0; tries < 64 && keys_next_line(&text, &len, &line); tries++)
		if (split(&line, &thread, &rest))
			return true;
	return false;
}

/* "NAME => 36 bytes @ 0x..": which part and how many octets. */
static enum part_name heading(struct view text, size_t *ret_len)
{
	char copy[64];
	unsigned len;
	int name;
	size_t n = text.len < sizeof(copy) - 1 ? text.len : sizeof(copy) - 1;

	memcpy(copy, text.p, n);
	copy[n] = '\0';
	for (name = PART_D; name < PARTS; name++) {
		size_t at = strlen(part_names[name]);

		if (strncmp(copy, part_names[name], at) == 0 &&
		    sscanf(copy + at, " => %u bytes", &len) == 1) {
			*ret_len = len;
			return (enum part_name)name;
		}
	}
	return PART_NONE;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "  16: 45 B3 ..  E..." appended to the part; false if the line is no row of a dump. */
static bool dump_row(struct view text, struct key_part *part, size_t wanted)
{
	struct reader r = rd_init(text.p, text.len);
	const uint8_t *p;
	size_t row;

	while (rd_left(&r) && *r.p == ' ')
		rd_u8(&r);
	while (rd_left(&r) && *r.p >= '0' && *r.p <= '9')
		rd_u8(&r);
	if (rd_u8(&r) != ':')
		return false;
	for (row = 0; row < 16 && part->len < wanted; row++) {
		p = rd_bytes(&r, 3);
		if (!p || p[0] != ' ' || hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)
			return false;
		part->b[part->len++] = (uint8_t)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
	}
	return true;
}

static int emit_ike(struct key_store *store, struct thread *t)
{
	struct key_part *p = t->parts;
	struct ike_key k = {.d = p[PART_D],
			    .ai = p[PART_AI],
			    .ar = p[PART_AR],
			    .ei = p[PART_EI],
			    .er = p[PART_ER],
			    .pi = p[PART_PI],
			    .pr = p[PART_PR]};
	int err = keys_add_ike(store, &k);

	secret_wipe(&k, sizeof(k));
	secret_wipe(&p[PART_D], sizeof(*p) * (PART_PR - PART_D + 1));
	return err;
}

static int emit_child(struct key_store *store, struct thread *t, enum part_name e, enum part_name a)
{
	struct esp_key k = {0};
	int err;

	memcpy(k.key, t->parts[e].b, t->parts[e].len);
	memcpy(k.key + t->parts[e].len, t->parts[a].b, t->parts[a].len);
	k.key_len = (uint8_t)(t->parts[e].len + t->parts[a].len);
	err = keys_add_esp(store, &k);
	secret_wipe(&k, sizeof(k));
	return err;
}

/* The integrity keys come behind both encryption keys or each behind its own; an AEAD has none, so
 * an encryption key is also taken for a whole ESP key. Of the two readings one alone opens
 * anything.
 */
static int completed(struct key_store *store, struct thread *t, enum part_name name)
{
	switch (name) {
	case PART_PR:
		return emit_ike(store, t);
	case PART_CHILD_EI:
	case PART_CHILD_ER:
		return emit_child(store, t, name, PART_NONE);
	case PART_CHILD_AI:
		return emit_child(store, t, PART_CHILD_EI, PART_CHILD_AI);
	case PART_CHILD_AR:
		return emit_child(store, t, PART_CHILD_ER, PART_CHILD_AR);
	default:
		return 0;
	}
}

static int open_part(struct key_store *store, struct thread *t, enum part_name name, size_t len)
{
	if (len > KEYS_PART_MAX)
		return ERR_SYNTAX;
	t->parts[name].len = 0;
	t->wanted = len;
	t->open = len ? name : PART_NONE;
	return len ? 0 : completed(store, t, name);
}

static int read_line(struct log_reader *log, const struct view *line)
{
	struct view rest;
	enum part_name name;
	struct thread *t;
	unsigned thread;
	size_t len = 0;

	if (!split(line, &thread, &rest))
		return 0;
	t = &log->threads[thread];
	rest = without_sa(rest);
	name = heading(rest, &len);
	if (name != PART_NONE)
		return open_part(log->store, t, name, len);
	if (t->open == PART_NONE)
		return 0;
	if (!dump_row(rest, &t->parts[t->open], t->wanted))
		return ERR_SYNTAX;
	if (t->parts[t->open].len < t->wanted)
		return 0;
	name = t->open;
	t->open = PART_NONE;
	return completed(log->store, t, name);
}

int keys_read_charon(struct key_store *store, const char *name, const char *text, size_t len,
		     struct err_msg *msg)
{
	struct log_reader *log = calloc(1, sizeof(*log));
	struct view line;
	unsigned number = 0;
	int err = log ? 0 : ERR_NOMEM;

	if (log)
		log->store = store;
	while (!err && keys_next_line(&text, &len, &line)) {
		number++;
		err = read_line(log, &line);
	}
	if (log)
		secret_wipe(log, sizeof(*log));
	free(log);
	return err ? err_set(msg, err, "%s:%u: %s", name, number,
			     err == ERR_SYNTAX ? "a key's hex dump is broken" : err_text(err))
		   : 0;
}
