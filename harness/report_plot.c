/* report_plot.c - small plots as SVG: bars of packets, a line of throughput. The time axis is the
 * same in all of a page, so that they can be read beneath each other. */
#include "harness/report_internal.h"
#include <math.h>

#define WIDTH  980
#define LEFT   76
#define RIGHT  16
#define HEIGHT 96
#define TOP    14
#define BOTTOM 18

struct plot {
	double max;
	size_t count;
	double step;
};

static double value_at(const json_t *list, size_t i)
{
	return json_number_value(json_array_get(list, i));
}

static double x_at(const struct plot *p, double index)
{
	return LEFT + (WIDTH - LEFT - RIGHT) * index / (double)(p->count ? p->count : 1);
}

static double height_of(const struct plot *p, double value)
{
	return p->max > 0 ? (HEIGHT - TOP - BOTTOM) * value / p->max : 0;
}

static void begin(const struct plot *p, const char *unit, const char *label, FILE *out)
{
	double end = (double)p->count * p->step;

	fprintf(out,
		"<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"%s\">\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT, label);
	fprintf(out,
		"<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>"
		"<text class=\"soft\" x=\"%d\" y=\"%d\" font-size=\"10\" text-anchor=\"end\">%g"
		"</text><text class=\"soft\" x=\"%d\" y=\"%d\" font-size=\"10\" "
		"text-anchor=\"end\">%s</text>",
		LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, LEFT - 6, TOP + 6, p->max,
		LEFT - 6, TOP + 20, unit);
	fprintf(out,
		"<text class=\"soft\" x=\"%d\" y=\"%d\" font-size=\"10\">0 s</text>"
		"<text class=\"soft\" x=\"%d\" y=\"%d\" font-size=\"10\" text-anchor=\"end\">%.2f "
		"s</text>\n",
		LEFT, HEIGHT - 4, WIDTH - RIGHT, HEIGHT - 4, end);
}

static double bar(const struct plot *p, size_t i, double value, double y, const char *class,
		  FILE *out)
{
	double height = height_of(p, value), width = x_at(p, 1) - x_at(p, 0);

	if (value <= 0)
		return y;
	/* A single packet among thousands is still to be seen. */
	height = fmax(height, 1.5);
	fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		class, x_at(p, (double)i), y - height, fmax(width - 0.6, 0.8), height);
	return y - height;
}

void report_plot_packets(const json_t *place, double step, FILE *out)
{
	const json_t *ike = json_object_get(place, "ike"), *esp = json_object_get(place, "esp");
	const json_t *other = json_object_get(place, "other");
	struct plot p = {.count = json_array_size(ike), .step = step};
	size_t i;

	for (i = 0; i < p.count; i++)
		p.max = fmax(p.max, value_at(ike, i) + value_at(esp, i) + value_at(other, i));
	begin(&p, "packets", "packets over time", out);
	for (i = 0; i < p.count; i++) {
		double y = HEIGHT - BOTTOM;

		y = bar(&p, i, value_at(ike, i), y, "ike", out);
		y = bar(&p, i, value_at(esp, i), y, "esp", out);
		bar(&p, i, value_at(other, i), y, "other", out);
	}
	fputs("</svg>\n", out);
}

void report_plot_rate(const json_t *place, double step, FILE *out)
{
	const json_t *octets = json_object_get(place, "octets");
	struct plot p = {.count = json_array_size(octets), .step = step};
	double scale = step > 0 ? 8 / 1e6 / step : 0;
	size_t i;

	for (i = 0; i < p.count; i++)
		p.max = fmax(p.max, value_at(octets, i) * scale);
	/* Three digits are enough on an axis. */
	p.max = p.max > 0 ? ceil(p.max * 100) / 100 : 0;
	begin(&p, "Mbit/s", "throughput over time", out);
	fputs("<polyline class=\"rate\" points=\"", out);
	for (i = 0; i < p.count; i++)
		fprintf(out, "%.1f,%.1f ", x_at(&p, (double)i + 0.5),
			HEIGHT - BOTTOM - height_of(&p, value_at(octets, i) * scale));
	fputs("\"/></svg>\n", out);
}

void report_plot_losses(const json_t *wire, double step, FILE *out)
{
	const json_t *lost = json_object_get(wire, "lost");
	struct plot p = {.count = json_array_size(lost), .step = step};
	size_t i;

	for (i = 0; i < p.count; i++)
		p.max = fmax(p.max, value_at(lost, i));
	begin(&p, "packets", "losses over time", out);
	for (i = 0; i < p.count; i++)
		bar(&p, i, value_at(lost, i), HEIGHT - BOTTOM, "lost", out);
	fputs("</svg>\n", out);
}
