/* report_ladder.c - the message ladder as SVG.
 *
 *	time  frame |  192.168.1.2            203.0.113.10
 *	            |  lab-gw                 vps
 *	0.012    3  |  IKE_SA_INIT request 0 [ SA KE No ... ]
 *	            |  |---------------------------->|
 *	            |  SA ...   KE ...
 *
 * Heights depend on how many lines a message's payloads take, so the drawing is laid out twice:
 * once to measure, once to write. */
#include "harness/report_internal.h"
#include <string.h>

#define GUTTER	    96 /* time and frame number */
#define WIDTH	    980
#define HEAD	    52
#define LINE	    15
#define FIRST_LIFE  (GUTTER + 40)
#define TEXT_LEFT   (FIRST_LIFE + 6) /* beside the first lifeline, never through it */
#define LABEL_CHARS 112		     /* that fit from there to the right edge at 12 px */
#define TEXT_CHARS  112		     /* that fit from there to the right edge at 11 px */

static double life_x(size_t index, size_t count)
{
	double first = FIRST_LIFE, last = WIDTH - 60;

	return count < 2 ? first : first + (last - first) * (double)index / (double)(count - 1);
}

/* Details are put after one another, as many to a line as fit. Calls fn for each line. */
typedef void line_fn(const char *line, double y, FILE *out);

static void measure_line(const char *line, double y, FILE *out)
{
	(void)line;
	(void)y;
	(void)out;
}

static void write_line(const char *line, double y, FILE *out)
{
	fprintf(out, "<text class=\"soft halo\" x=\"%d\" y=\"%.0f\" font-size=\"11\">", TEXT_LEFT,
		y);
	report_escape(line, out);
	fputs("</text>", out);
}

static double flow_details(const json_t *details, double y, line_fn *fn, FILE *out)
{
	char line[TEXT_CHARS + 8] = "";
	size_t len = 0, i;
	json_t *item;

	json_array_foreach(details, i, item)
	{
		const char *text = json_string_value(item);
		size_t need = strlen(text) + 3;

		if (len > 0 && len + need > TEXT_CHARS) {
			fn(line, y, out);
			y += LINE;
			len = 0;
		}
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%.*s", len ? "   " : "",
					TEXT_CHARS - 4, text);
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
	}
	if (len > 0) {
		fn(line, y, out);
		y += LINE;
	}
	return y;
}

static void format_label(const json_t *rung, char *label, size_t cap)
{
	int count = (int)report_number(rung, "count");
	const char *text = report_text(rung, "label");
	bool has_details = json_array_size(json_object_get(rung, "details")) > 0;
	/* The payloads follow below, each with what stands in it. */
	int len = has_details ? (int)strcspn(text, "[") : (int)strlen(text);

	if (json_is_true(json_object_get(rung, "retransmission")))
		snprintf(label, cap, "again: %.*s", len, text);
	else if (count > 1)
		snprintf(label, cap, "%s; %d more packet%s", text, count - 1,
			 count == 2 ? "" : "s");
	else
		snprintf(label, cap, "%.*s", len, text);
	if (strlen(label) > LABEL_CHARS)
		snprintf(label + LABEL_CHARS - 3, 4, "...");
}

static void write_arrow(const json_t *rung, double y, size_t hosts, FILE *out)
{
	double from = life_x((size_t)report_number(rung, "from"), hosts);
	double to = life_x((size_t)report_number(rung, "to"), hosts);
	double back = to > from ? -8 : 8;
	bool again = json_is_true(json_object_get(rung, "retransmission"));

	fputs("<g class=\"", out);
	report_escape(report_text(rung, "kind"), out);
	fprintf(out,
		"\"><line%s x1=\"%.0f\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke-width=\"1.6\"/>"
		"<path d=\"M%.0f %.0fl%.0f -4v8z\"/></g>",
		again ? " class=\"again\"" : "", from, y, to, y, to, y, back);
}

static double write_rung(const json_t *rung, double y, size_t hosts, FILE *out)
{
	char label[TEXT_CHARS + 64];

	format_label(rung, label, sizeof(label));
	fprintf(out,
		"<text class=\"soft\" x=\"8\" y=\"%.0f\" font-size=\"11\">%.3f</text>"
		"<text class=\"soft\" x=\"%d\" y=\"%.0f\" font-size=\"11\" text-anchor=\"end\">%d"
		"</text>",
		y + 12, report_number(rung, "time"), GUTTER, y + 12,
		(int)report_number(rung, "frame"));
	fprintf(out, "<text class=\"");
	report_escape(report_text(rung, "kind"), out);
	fprintf(out, " halo\" x=\"%d\" y=\"%.0f\" font-size=\"12\">", TEXT_LEFT, y + 12);
	report_escape(label, out);
	fputs("</text>", out);
	write_arrow(rung, y + 21, hosts, out);
	y = flow_details(json_object_get(rung, "details"), y + 37, write_line, out);
	fputc('\n', out);
	return y;
}

static double measure(const json_t *rungs)
{
	double y = HEAD;
	json_t *rung;
	size_t i;

	json_array_foreach(rungs, i, rung) y =
	    flow_details(json_object_get(rung, "details"), y + 37, measure_line, NULL);
	return y;
}

static void write_hosts(const json_t *hosts, double height, FILE *out)
{
	size_t i, count = json_array_size(hosts);
	json_t *host;

	json_array_foreach(hosts, i, host)
	{
		double x = life_x(i, count);
		const char *anchor = i == 0 ? "start" : i == count - 1 ? "end" : "middle";
		double at = i == 0 ? x - 24 : i == count - 1 ? x + 40 : x;

		fprintf(out,
			"<line class=\"life\" x1=\"%.0f\" y1=\"44\" x2=\"%.0f\" y2=\"%.0f\"/>"
			"<text x=\"%.0f\" y=\"18\" font-size=\"13\" font-weight=\"bold\" "
			"text-anchor=\"%s\">",
			x, x, height - 4, at, anchor);
		report_escape(report_text(host, "node"), out);
		fprintf(out,
			"</text><text class=\"soft\" x=\"%.0f\" y=\"35\" font-size=\"11\" "
			"text-anchor=\"%s\">",
			at, anchor);
		report_escape(report_text(host, "address"), out);
		fputs("</text>", out);
	}
	fprintf(out,
		"<text class=\"soft\" x=\"8\" y=\"35\" font-size=\"11\">time</text>"
		"<text class=\"soft\" x=\"%d\" y=\"35\" font-size=\"11\" text-anchor=\"end\">frame"
		"</text>\n",
		GUTTER);
}

void report_ladder_svg(const json_t *ladder, FILE *out)
{
	const json_t *rungs = json_object_get(ladder, "rungs");
	const json_t *hosts = json_object_get(ladder, "hosts");
	double y = HEAD, height = measure(rungs) + 8;
	json_t *rung;
	size_t i;

	fprintf(out,
		"<svg width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
		"aria-label=\"message ladder\">\n",
		WIDTH, height, WIDTH, height);
	write_hosts(hosts, height, out);
	json_array_foreach(rungs, i, rung) y = write_rung(rung, y, json_array_size(hosts), out);
	fputs("</svg>", out);
}
