/* report_html.c - fills the page's template (reports/page.html).
 *
 * The page is one file without anything from elsewhere, and without script: it must open from a
 * mail, on a phone, and in ten years. A placeholder is @@NAME@@; each has a function here. All
 * text goes through report_escape. */
#include "harness/report_internal.h"
#include "harness/page_template.h"
#include <string.h>

static void print_tag(const char *tag, const char *attributes, const char *text, FILE *out)
{
	fprintf(out, "<%s%s%s>", tag, *attributes ? " " : "", attributes);
	report_escape(text, out);
	fprintf(out, "</%s>", tag);
}

static void print_title(const json_t *result, FILE *out)
{
	report_escape(report_text(result, "scenario"), out);
}

static void print_badge(const json_t *result, FILE *out)
{
	fputs("<span class=\"badge ", out);
	report_escape(report_text(result, "verdict"), out);
	fputs("\">", out);
	report_escape(report_text(result, "verdict"), out);
	fputs("</span>", out);
}

static void print_purpose(const json_t *result, FILE *out)
{
	report_escape(report_text(result, "purpose"), out);
}

static void print_reason(const json_t *result, FILE *out)
{
	if (*report_text(result, "reason"))
		print_tag("p", "class=\"reason\"", report_text(result, "reason"), out);
}

static void print_chip(const char *name, const char *value, FILE *out)
{
	fputs("<li>", out);
	report_escape(name, out);
	fputs(" <b>", out);
	report_escape(value, out);
	fputs("</b></li>", out);
}

static const char *world_text(const char *world)
{
	if (strcmp(world, "netns") == 0)
		return "network namespaces of this machine";
	return strcmp(world, "sim") == 0 ? "a simulation" : world;
}

static void print_chips(const json_t *result, FILE *out)
{
	json_t *endpoint, *environment = json_object_get(result, "environment");
	char text[64];
	size_t i;

	fputs("<ul class=\"chips\">", out);
	json_array_foreach(json_object_get(result, "endpoints"), i, endpoint)
	    print_chip(report_text(endpoint, "node"), report_text(endpoint, "daemon"), out);
	print_chip("seed", report_text(result, "seed"), out);
	snprintf(text, sizeof(text), "%.1f s", report_number(result, "seconds"));
	print_chip("took", text, out);
	print_chip("in", world_text(report_text(environment, "world")), out);
	print_chip("Linux", report_text(environment, "kernel"), out);
	print_chip("at", report_text(result, "started"), out);
	fputs("</ul>", out);
}

/* --- expectations --- */

static void print_frames(const json_t *frames, FILE *out)
{
	const char *place = "";
	json_t *frame;
	size_t i;

	if (json_array_size(frames) == 0)
		return;
	fputs(" <span class=\"frames mono\">[", out);
	json_array_foreach(frames, i, frame)
	{
		const char *here = report_text(frame, "place");

		if (strcmp(here, place) != 0) {
			fputs(i ? "; " : "", out);
			report_escape(here, out);
			fputs(" frame", out);
		} else {
			fputc(',', out);
		}
		fprintf(out, " %d", (int)report_number(frame, "frame"));
		place = here;
	}
	fputs("]</span>", out);
}

static void print_mark(const json_t *e, FILE *out)
{
	const char *verdict = report_text(e, "verdict");

	if (report_is_not_judged(e))
		fputs("<span class=\"mark none\">open</span>", out);
	else if (!json_is_true(json_object_get(e, "met")))
		fputs("<span class=\"mark fail\">fail</span>", out);
	else if (strcmp(verdict, "not-applicable") == 0)
		fputs("<span class=\"mark none\">n/a</span>", out);
	else if (strcmp(verdict, "fail") == 0)
		fputs("<span class=\"mark find\">found</span>", out);
	else
		fputs("<span class=\"mark ok\">ok</span>", out);
}

static void print_findings(const json_t *findings, FILE *out)
{
	json_t *finding;
	size_t i;

	if (json_array_size(findings) == 0)
		return;
	fputs("<ul class=\"evidence\">", out);
	json_array_foreach(findings, i, finding)
	{
		fputs("<li>", out);
		report_escape(report_text(finding, "text"), out);
		print_frames(json_object_get(finding, "frames"), out);
		fputs("</li>", out);
	}
	fputs("</ul>", out);
}

/* Without blame, and often many: they are there for whoever asks. */
static void print_notes(const json_t *notes, FILE *out)
{
	size_t count = json_array_size(notes);

	if (count == 0)
		return;
	fprintf(out, "<details class=\"notes\"><summary>%zu note%s</summary>", count,
		count == 1 ? "" : "s");
	print_findings(notes, out);
	fputs("</details>", out);
}

static void print_more_faults(const json_t *e, FILE *out)
{
	int all = (int)report_number(e, "fault_count");

	if (all > (int)json_array_size(json_object_get(e, "faults")))
		fprintf(out, "<p class=\"said\">%d in all</p>", all);
}

static void print_expectation(const json_t *e, FILE *out)
{
	bool is_open = strcmp(report_text(e, "verdict"), "fail") == 0 || *report_text(e, "finding");
	const char *title = report_text(e, "title");

	fprintf(out, "<details class=\"item\"%s><summary class=\"row\">", is_open ? " open" : "");
	print_mark(e, out);
	fputs("<span class=\"what\">", out);
	report_escape(*title ? title : report_text(e, "name"), out);
	if (*title)
		print_tag("span", "class=\"mono\"", report_text(e, "name"), out);
	fputs("</span>", out);
	print_tag("span", "class=\"clause\"", report_text(e, "clause"), out);
	fputs("<span class=\"said\">", out);
	report_escape(report_text(e, "summary"), out);
	print_frames(json_object_get(e, "frames"), out);
	fputs("</span></summary>", out);
	print_findings(json_object_get(e, "faults"), out);
	print_more_faults(e, out);
	print_notes(json_object_get(e, "notes"), out);
	if (*report_text(e, "finding")) {
		fputs("<p class=\"shows\"><b>", out);
		report_escape(report_text(e, "finding"), out);
		fputs("</b> ", out);
		report_escape(report_text(e, "because"), out);
		fputs("</p>", out);
	}
	fputs("</details>", out);
}

static bool is_asked(const json_t *e)
{
	return json_object_get(e, "line") != NULL;
}

static void print_group(const json_t *result, const char *title, bool asked, FILE *out)
{
	size_t i, count = 0;
	json_t *e;

	json_array_foreach(json_object_get(result, "expectations"), i, e)
	{
		if (is_asked(e) != asked)
			continue;
		if (count++ == 0) {
			print_tag("h3", "", title, out);
			fputs("<div class=\"list\">", out);
		}
		print_expectation(e, out);
	}
	if (count)
		fputs("</div>", out);
}

static void print_expectations(const json_t *result, FILE *out)
{
	if (json_array_size(json_object_get(result, "expectations")) == 0)
		fputs("<p>Nothing: there was nothing to judge.</p>", out);
	print_group(result, "What this scenario asks for", true, out);
	print_group(result, "What holds in every run", false, out);
}

/* --- steps --- */

static void print_step(const json_t *step, FILE *out)
{
	bool ok = strcmp(report_text(step, "verdict"), "pass") == 0;
	double seconds = report_number(step, "seconds"), octets = report_number(step, "octets");
	const char *said = ok ? report_text(step, "seen") : report_text(step, "error");

	fprintf(out, "<tr><td class=\"num\">%d</td><td class=\"text\">",
		(int)report_number(step, "number"));
	report_escape(report_text(step, "text"), out);
	if (*said) {
		fputs("<div class=\"said mono\">", out);
		report_escape(said, out);
		fputs("</div>", out);
	}
	fprintf(out, "</td><td><span class=\"mark %s\">%s</span></td><td class=\"num\">%.2f s",
		ok ? "ok" : "fail", ok ? "ok" : "fail", seconds);
	if (octets > 0 && seconds > 0)
		fprintf(out, "<br>%.1f Mbit/s", octets * 8 / 1e6 / seconds);
	fputs("</td></tr>\n", out);
}

static void print_steps(const json_t *result, FILE *out)
{
	json_t *step;
	size_t i;

	fputs("<div class=\"wide\"><table><tr><th class=\"num\">#</th><th>step</th><th>result</th>"
	      "<th class=\"num\">took</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(result, "steps"), i, step) print_step(step, out);
	fputs("</table></div>", out);
}

/* --- drawings --- */

static void print_ladder(const json_t *result, FILE *out)
{
	json_t *ladder = json_object_get(result, "ladder");

	if (!ladder) {
		fputs("<p>No IKE message was seen.</p>", out);
		return;
	}
	fputs("<p class=\"said\">As captured at ", out);
	report_escape(report_text(ladder, "place"), out);
	fputs(json_is_true(json_object_get(ladder, "cut"))
		  ? "; the first part of it. What stood in SK is shown decrypted."
		  : ". What stood in SK is shown decrypted.",
	      out);
	fputs("<span class=\"more\"> It scrolls sideways.</span></p>", out);
	fputs("<div class=\"wide ladder\">", out);
	report_ladder_svg(ladder, out);
	fputs("</div>", out);
}

static void print_plots(const json_t *result, FILE *out)
{
	json_t *series = json_object_get(result, "series"), *entry;
	double step = report_number(series, "step");
	size_t i;

	if (!series) {
		fputs("<p>Nothing was captured.</p>", out);
		return;
	}
	fputs("<div class=\"legend\"><span class=\"k-ike\">IKE</span><span class=\"k-esp\">ESP"
	      "</span><span class=\"k-other\">other</span><span class=\"k-lost\">lost</span></div>",
	      out);
	json_array_foreach(json_object_get(series, "places"), i, entry)
	{
		print_tag("h3", "", report_text(entry, "place"), out);
		fputs("<div class=\"plots\">", out);
		report_plot_packets(entry, step, out);
		report_plot_rate(entry, step, out);
		fputs("</div>", out);
	}
	json_array_foreach(json_object_get(series, "losses"), i, entry)
	{
		fputs("<h3>lost on ", out);
		report_escape(report_text(entry, "wire"), out);
		fputs("</h3><div class=\"plots\">", out);
		report_plot_losses(entry, step, out);
		fputs("</div>", out);
	}
}

/* --- SAs --- */

static void print_selectors(const json_t *list, FILE *out)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		fputs(i ? "<br>" : "", out);
		report_escape(json_string_value(item), out);
	}
}

static void print_child(const json_t *c, FILE *out)
{
	bool as_asked = strcmp(report_text(c, "asked"), report_text(c, "mode")) == 0;

	fputs("<tr><td class=\"mono\">", out);
	report_escape(report_text(c, "spi_i"), out);
	fputs("<br>", out);
	report_escape(report_text(c, "spi_r"), out);
	fputs("</td><td>", out);
	report_escape(report_text(c, "mode"), out);
	if (!as_asked) {
		fputs("<br><span class=\"mark find\">asked: ", out);
		report_escape(report_text(c, "asked"), out);
		fputs("</span>", out);
	}
	fputs("</td><td class=\"mono\">", out);
	report_escape(report_text(c, "algorithm"), out);
	fputs("</td><td class=\"mono\">", out);
	print_selectors(json_object_get(c, "ts_i"), out);
	fputs("</td><td class=\"mono\">", out);
	print_selectors(json_object_get(c, "ts_r"), out);
	fprintf(out, "</td><td class=\"num\">%.0f<br>%.0f</td></tr>\n",
		report_number(c, "packets_to_i"), report_number(c, "packets_to_r"));
}

static void print_ike_sa(const json_t *sa, FILE *out)
{
	fputs("<tr><td class=\"mono\">", out);
	report_escape(report_text(sa, "spi_i"), out);
	fputs("<br>", out);
	report_escape(report_text(sa, "spi_r"), out);
	fputs("</td><td>", out);
	report_escape(report_text(sa, "id_i"), out);
	fputs("<br><span class=\"mono\">", out);
	report_escape(report_text(sa, "initiator"), out);
	fputs("</span></td><td>", out);
	report_escape(report_text(sa, "id_r"), out);
	fputs("<br><span class=\"mono\">", out);
	report_escape(report_text(sa, "responder"), out);
	fputs("</span></td><td>", out);
	report_escape(report_text(sa, "end"), out);
	fputs("</td></tr>\n", out);
}

static void print_sas(const json_t *result, FILE *out)
{
	json_t *entry;
	size_t i;

	fputs("<div class=\"wide\"><table><tr><th>IKE SPIs</th><th>initiator</th><th>responder</th>"
	      "<th>at the end</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(result, "ike_sas"), i, entry) print_ike_sa(entry, out);
	fputs(
	    "</table></div><h3>Children</h3><div class=\"wide\"><table><tr><th>SPIs to initiator, "
	    "responder</th><th>mode</th><th>algorithm</th><th>initiator's side</th>"
	    "<th>responder's side</th><th class=\"num\">packets</th></tr>\n",
	    out);
	json_array_foreach(json_object_get(result, "child_sas"), i, entry) print_child(entry, out);
	fputs("</table></div>", out);
}

/* --- the end --- */

static void print_link(const char *path, const char *text, FILE *out)
{
	fputs("<a href=\"", out);
	report_escape(path, out);
	fputs("\">", out);
	report_escape(text, out);
	fputs("</a>", out);
}

static void print_end_file(const char *folder, const char *node, const char *suffix, FILE *out)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "%s/%s%s", folder, node, suffix);
	snprintf(text, sizeof(text), "%s", folder);
	fputs("<td>", out);
	print_link(path, text, out);
	fputs("</td>", out);
}

/* What each daemon was told, said and kept. */
static void print_ends(const json_t *result, FILE *out)
{
	json_t *endpoint;
	size_t i;

	fputs("<div class=\"wide\"><table><tr><th>end</th><th>daemon</th><th colspan=\"4\">"
	      "its files</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(result, "endpoints"), i, endpoint)
	{
		const char *node = report_text(endpoint, "node");

		fputs("<tr>", out);
		print_tag("td", "class=\"mono\"", node, out);
		print_tag("td", "", report_text(endpoint, "daemon"), out);
		print_end_file("configs", node, ".conf", out);
		print_end_file("logs", node, ".log", out);
		if (strcmp(report_text(endpoint, "daemon"), "beetd") == 0)
			print_end_file("events", node, ".jsonl", out);
		else
			fputs("<td></td>", out);
		print_end_file("keys", node, "/", out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>", out);
}

static void print_files(const json_t *result, FILE *out)
{
	json_t *capture;
	size_t i;

	fputs("<p>To run it again:</p><pre>", out);
	report_escape(report_text(result, "command"), out);
	fputs("</pre><p>In this report's directory: all captures decrypted in <a "
	      "href=\"decrypted.pcapng\">decrypted.pcapng</a> (a packet is there once for each "
	      "wire: filter by <code>frame.interface_name</code>); "
	      "<code>WIRESHARK_CONFIG_DIR=wireshark wireshark captures/...</code> decrypts the "
	      "ciphers that Wireshark knows. The result for programs: <a href=\"result.json\">"
	      "result.json</a>.</p>",
	      out);
	print_ends(result, out);
	fputs("<div class=\"wide\"><table><tr><th>capture</th><th class=\"num\">frames</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(result, "captures"), i, capture)
	{
		fputs("<tr><td class=\"mono\">", out);
		print_link(report_text(capture, "file"), report_text(capture, "file"), out);
		fprintf(out, "</td><td class=\"num\">%.0f</td></tr>\n",
			report_number(capture, "frames"));
	}
	fputs("</table></div>", out);
}

static void print_footer(const json_t *result, FILE *out)
{
	fputs("beetlab ", out);
	report_escape(report_text(json_object_get(result, "environment"), "beetlab"), out);
	fputs(", from ", out);
	report_escape(report_text(result, "file"), out);
}

static const struct {
	const char *name;
	void (*print)(const json_t *result, FILE *out);
} parts[] = {
    {"title", print_title},   {"badge", print_badge},	{"purpose", print_purpose},
    {"reason", print_reason}, {"chips", print_chips},	{"expectations", print_expectations},
    {"steps", print_steps},   {"ladder", print_ladder}, {"plots", print_plots},
    {"sas", print_sas},	      {"files", print_files},	{"footer", print_footer},
};

static void print_part(const char *name, size_t len, const json_t *result, FILE *out)
{
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strlen(parts[i].name) == len && memcmp(parts[i].name, name, len) == 0)
			parts[i].print(result, out);
}

void report_html(const json_t *result, FILE *out)
{
	const char *rest = page_template, *start, *end;

	while ((start = strstr(rest, "@@")) && (end = strstr(start + 2, "@@"))) {
		fwrite(rest, 1, (size_t)(start - rest), out);
		print_part(start + 2, (size_t)(end - start - 2), result, out);
		rest = end + 2;
	}
	fputs(rest, out);
}
