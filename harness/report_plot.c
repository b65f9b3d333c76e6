/* report_plot.c - small plots as SVG: bars of packets, a line of throughput. The time axis is the
 * same in all of a page, so that they can be read beneath each other.
 *
 * The drawing is stretched to whatever width there is; what is written stands beside it. */
#include "harness/report_internal.h"
#include <math.h>

#define WIDTH  1000
#define HEIGHT 64

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
	return WIDTH * index / (double)(p->count ? p->count : 1);
}

static double height_of(const struct plot *p, double value)
{
	return p->max > 0 ? HEIGHT * value / p->max : 0;
}

static void begin(const struct plot *p, const char *unit, const char *label, FILE *out)
{
	fprintf(out,
		"<div class=\"plot\"><div class=\"y\">%g<br>%s</div>"
		"<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
		"aria-label=\"%s\">\n",
		p->max, unit, WIDTH, HEIGHT, label);
}

static void end(const struct plot *p, FILE *out)
{
	fprintf(out, "</svg><div class=\"x\"><span>0 s</span><span>%.2f s</span></div></div>\n",
		(double)p->count * p->step);
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
		double y = HEIGHT;

		y = bar(&p, i, value_at(ike, i), y, "ike", out);
		y = bar(&p, i, value_at(esp, i), y, "esp", out);
		bar(&p, i, value_at(other, i), y, "other", out);
	}
	end(&p, out);
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
			HEIGHT - height_of(&p, value_at(octets, i) * scale));
	fputs("\"/>", out);
	end(&p, out);
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
		bar(&p, i, value_at(lost, i), HEIGHT, "lost", out);
	end(&p, out);
}
