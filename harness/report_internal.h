/* report_internal.h - the drawings of the HTML page. Private to the report writers. */
#ifndef HARNESS_REPORT_INTERNAL_H
#define HARNESS_REPORT_INTERNAL_H

#include "harness/report.h"

void report_ladder_svg(const json_t *ladder, FILE *out);
/* One place's packets by kind, or its octets, or a wire's losses; step in seconds. */
void report_plot_packets(const json_t *place, double step, FILE *out);
void report_plot_rate(const json_t *place, double step, FILE *out);
void report_plot_losses(const json_t *wire, double step, FILE *out);

#endif
