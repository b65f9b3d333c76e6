/* report.c - writes all faces of a result, and what they have in common. */
#include "harness/report.h"
#include "harness/files.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *report_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double report_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

bool report_is_not_judged(const json_t *expectation)
{
	return strcmp(report_text(expectation, "verdict"), "not-judged") == 0;
}

void report_escape(const char *text, FILE *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\'')
			fputs("&#39;", out);
		else
			/* XML 1.0 §2.2 */
			fputc(c >= 0x20 || c == '\n' || c == '\t' ? c : '?', out);
	}
}

static void report_json(const json_t *result, FILE *out)
{
	json_dumpf(result, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
}

static int write_one(const json_t *result, const char *dir, const char *name,
		     void (*fn)(const json_t *result, FILE *out), struct err_msg *msg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return err_set(msg, ERR_NOMEM, "out of memory");
	fn(result, out);
	if (fclose(out) != 0)
		err = err_set(msg, ERR_NOMEM, "%s: out of memory", name);
	else
		err = file_write(dir, name, text, len, msg);
	free(text);
	return err;
}

int report_write(const json_t *result, const char *dir, struct err_msg *msg)
{
	static const struct {
		const char *name;
		void (*fn)(const json_t *result, FILE *out);
	} faces[] = {{"result.json", report_json},
		     {"report.html", report_html},
		     {"report.md", report_markdown},
		     {"junit.xml", report_junit}};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(faces) / sizeof(faces[0]) && err == 0; i++)
		err = write_one(result, dir, faces[i].name, faces[i].fn, msg);
	return err;
}
