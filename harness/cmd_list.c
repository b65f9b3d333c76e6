/* cmd_list.c - beetlab list: every scenario below a directory, with the first sentence of its
 * purpose. A file that cannot be read is told, and does not stop the rest. */
#include "harness/command.h"
#include "harness/scenario.h"
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 76

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_scenario(const FTSENT *entry)
{
	const char *dot = strrchr(entry->fts_name, '.');

	return entry->fts_info == FTS_F && dot && strcmp(dot, ".yaml") == 0;
}

/* As far as the first full stop that ends a sentence. */
static int sentence_len(const char *text)
{
	const char *end = text;

	while (*end && !(end[0] == '.' && (end[1] == 0 || strchr(" \n", end[1]))))
		end++;
	return (int)(end - text);
}

/* Words to lines of 76, indented by 4. */
static void print_wrapped(const char *text, size_t len)
{
	const char *end = text + len;
	size_t column = 0, word;

	for (text += strspn(text, " \n"); text < end; text += strspn(text, " \n")) {
		word = strcspn(text, " \n");
		if (word > (size_t)(end - text))
			word = (size_t)(end - text);
		if (column > 0 && column + 1 + word > LINE_MAX_LEN) {
			putchar('\n');
			column = 0;
		}
		printf("%s%.*s", column ? " " : "    ", (int)word, text);
		column += word + 1;
		text += word;
	}
	putchar('\n');
}

static int list_one(const char *path)
{
	struct err_msg msg = {{0}};
	struct scenario *sc;

	if (scenario_load(path, &sc, &msg) < 0) {
		fprintf(stderr, "%s\n", msg.text);
		return EXIT_USAGE;
	}
	printf("%s\n", path);
	print_wrapped(sc->purpose, (size_t)sentence_len(sc->purpose));
	scenario_free(sc);
	return EXIT_PASS;
}

static int list_below(const char *dir)
{
	char *const dirs[] = {(char *)dir, NULL};
	FTS *tree = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	int status = EXIT_PASS, count = 0;
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (!is_scenario(entry))
			continue;
		count++;
		if (list_one(entry->fts_path) != EXIT_PASS)
			status = EXIT_USAGE;
	}
	if (tree)
		fts_close(tree);
	if (count == 0) {
		fprintf(stderr, "beetlab list: no scenarios below %s\n", dir);
		return EXIT_USAGE;
	}
	return status;
}

int cmd_list(int argc, char **argv)
{
	int i, status = EXIT_PASS;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("usage: beetlab list [DIR]...\n\n"
		     "Lists the scenarios below the directories [scenarios].");
		return EXIT_PASS;
	}
	if (argc == 1)
		return list_below("scenarios");
	for (i = 1; i < argc; i++)
		if (list_below(argv[i]) != EXIT_PASS)
			status = EXIT_USAGE;
	return status;
}
