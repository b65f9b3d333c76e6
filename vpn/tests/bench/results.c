/* results.c - medians, ratios and their three outputs. Holds numbers only; who measured them and
 * how is the programs' business. A round that failed adds no value, hence cells of one row may
 * differ in length; a ratio pairs the rounds that both have. */
#include "vpn/tests/bench/results.h"
#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH 32
#define CELL_WIDTH 20

size_t results_add_row(struct results *r, const char *name)
{
	assert(r->rows < RESULTS_ROWS);
	r->row[r->rows] = (struct results_row){.name = name};
	return r->rows++;
}

void results_add(struct results *r, size_t row, size_t column, double value)
{
	struct results_cell *cell = &r->row[row].cell[column];

	assert(column < r->columns && cell->n < RESULTS_ROUNDS);
	cell->value[cell->n++] = value;
}

void results_miss(struct results *r, size_t row, const char *fmt, ...)
{
	va_list args;
	char *c;

	va_start(args, fmt);
	vsnprintf(r->row[row].missing, RESULTS_WHY, fmt, args);
	va_end(args);
	for (c = r->row[row].missing; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

bool results_is_missing(const struct results *r, size_t row)
{
	return r->row[row].missing[0] != 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct results_cell sorted(const struct results_cell *cell)
{
	struct results_cell s = *cell;

	qsort(s.value, s.n, sizeof(s.value[0]), compare);
	return s;
}

double results_median(const struct results_cell *cell)
{
	struct results_cell s = sorted(cell);

	if (s.n == 0)
		return 0;
	return s.n % 2 ? s.value[s.n / 2] : (s.value[s.n / 2 - 1] + s.value[s.n / 2]) / 2;
}

static void print_cell(const struct results_cell *cell)
{
	struct results_cell s = sorted(cell);
	char text[64] = "-";

	if (s.n > 0)
		snprintf(text, sizeof(text), "%.3g (%.3g-%.3g)", results_median(cell), s.value[0],
			 s.value[s.n - 1]);
	printf(" %*s", CELL_WIDTH, text);
}

static void print_row(const struct results *r, const struct results_row *row)
{
	size_t i;

	printf("%-*s", NAME_WIDTH, row->name);
	for (i = 0; !row->missing[0] && i < r->columns; i++)
		print_cell(&row->cell[i]);
	printf("%s%s\n", row->missing[0] ? " not measured: " : "", row->missing);
}

static void print_titles(const struct results *r)
{
	size_t i;

	printf("%-*s", NAME_WIDTH, "median (lowest-highest)");
	for (i = 0; i < r->columns; i++)
		printf(" %*s", CELL_WIDTH, r->column[i].name);
	printf("\n%-*s", NAME_WIDTH, "");
	for (i = 0; i < r->columns; i++)
		printf(" %*s", CELL_WIDTH, r->column[i].unit);
	printf("\n");
}

void results_print(const struct results *r)
{
	size_t i;

	print_titles(r);
	for (i = 0; i < r->rows; i++)
		print_row(r, &r->row[i]);
}

struct results_cell results_ratio(const struct results_cell *a, const struct results_cell *b,
				  bool less_is_better)
{
	struct results_cell cell = {.n = a->n < b->n ? a->n : b->n};
	size_t i;

	for (i = 0; i < cell.n; i++)
		cell.value[i] =
		    less_is_better ? b->value[i] / a->value[i] : a->value[i] / b->value[i];
	return cell;
}

bool results_print_ratio(const struct results *r, size_t a, size_t b)
{
	struct results_cell ratio;
	char names[96];
	size_t i;

	if (results_is_missing(r, a) || results_is_missing(r, b))
		return false;
	snprintf(names, sizeof(names), "%s / %s", r->row[a].name, r->row[b].name);
	printf("%-*s", NAME_WIDTH, names);
	if (strlen(names) > NAME_WIDTH)
		printf("\n%*s", NAME_WIDTH, "");
	for (i = 0; i < r->columns; i++) {
		ratio = results_ratio(&r->row[a].cell[i], &r->row[b].cell[i],
				      r->column[i].less_is_better);
		print_cell(&ratio);
	}
	printf("\n");
	return true;
}

static json_t *cell_json(const struct results_column *column, const struct results_cell *cell)
{
	json_t *rounds = json_array();
	size_t i;

	for (i = 0; i < cell->n; i++)
		json_array_append_new(rounds, json_real(cell->value[i]));
	return json_pack("{s:s, s:s, s:f, s:o}", "column", column->name, "unit", column->unit,
			 "median", results_median(cell), "rounds", rounds);
}

static json_t *row_json(const struct results *r, const struct results_row *row)
{
	json_t *cells = json_array();
	size_t i;

	for (i = 0; !row->missing[0] && i < r->columns; i++)
		json_array_append_new(cells, cell_json(&r->column[i], &row->cell[i]));
	return json_pack("{s:s, s:s, s:s, s:o}", "benchmark", r->name, "contestant", row->name,
			 "missing", row->missing, "results", cells);
}

void results_print_json(const struct results *r)
{
	json_t *json;
	size_t i;

	for (i = 0; i < r->rows; i++) {
		json = row_json(r, &r->row[i]);
		json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(5));
		printf("\n");
		json_decref(json);
	}
}
