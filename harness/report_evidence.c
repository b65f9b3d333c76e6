/* report_evidence.c - what a person opens with other tools: the captures decrypted, and a directory
 * that Wireshark takes as its configuration.
 *
 * The Wireshark tables of all ends are put together; a line that both ends logged stands once,
 * since Wireshark refuses nothing but is slowed by everything. */
#include "harness/dissect/rewrite.h"
#include "harness/files.h"
#include "harness/report.h"
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 16777216

static int write_decrypted(const struct facts *facts, const char *dir, struct err_msg *msg)
{
	struct rewrite_counts counts = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = rewrite_capture(facts, out, &counts);
	if (fclose(out) != 0 && err == 0)
		err = ERR_NOMEM;
	if (err < 0)
		err_set(msg, err, "decrypted.pcapng: %s", err_text(err));
	else
		err = file_write(dir, "decrypted.pcapng", text, len, msg);
	free(text);
	return err;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	const char *at;

	for (at = text; (at = strstr(at, line)); at++)
		if (at[len] == '\n' && (at == text || at[-1] == '\n'))
			return true;
	return false;
}

static int add_lines(const char *path, char **all, struct err_msg *msg)
{
	char *text, *rest, *line, *grown;
	size_t len;
	int err = file_read(path, TABLE_MAX, &text, &len, msg);

	if (err < 0)
		return err;
	grown = realloc(*all, strlen(*all) + len + 2);
	if (!grown) {
		free(text);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	*all = grown;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		if (!*line || has_line(*all, line, strlen(line)))
			continue;
		strcat(*all, line);
		strcat(*all, "\n");
	}
	free(text);
	return 0;
}

/* keys/NODE/NAME of every node, as one file. */
static int merge_table(const char *dir, const char *name, struct err_msg *msg)
{
	char keys[4096], *all = calloc(1, 1), wireshark[64];
	char *const roots[] = {keys, NULL};
	FTSENT *entry;
	FTS *tree;
	int err = 0;

	if (!all)
		return err_set(msg, ERR_NOMEM, "out of memory");
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree && err == 0 && (entry = fts_read(tree)))
		if (entry->fts_info == FTS_F && strcmp(entry->fts_name, name) == 0)
			err = add_lines(entry->fts_path, &all, msg);
	if (tree)
		fts_close(tree);
	snprintf(wireshark, sizeof(wireshark), "wireshark/%s", name);
	if (err == 0)
		err = file_write(dir, wireshark, all, strlen(all), msg);
	free(all);
	return err;
}

int report_evidence(const struct facts *facts, const char *dir, struct err_msg *msg)
{
	static const char preferences[] = "esp.enable_encryption_decode: TRUE\n"
					  "esp.enable_authentication_check: TRUE\n";
	int err = write_decrypted(facts, dir, msg);

	if (err == 0)
		err = merge_table(dir, "ikev2_decryption_table", msg);
	if (err == 0)
		err = merge_table(dir, "esp_sa", msg);
	return err < 0 ? err
		       : file_write(dir, "wireshark/preferences", preferences,
				    sizeof(preferences) - 1, msg);
}
