/* results.h - what several contestants were measured at, in rounds, as a table.
 *
 * Nothing is judged: a machine that others use, too, has no absolute numbers worth a threshold. A
 * cell is the median of its rounds with the lowest and the highest; a ratio is the median of the
 * ratios within each round, since contestants of one round met the same weather. */
#ifndef VPN_TESTS_BENCH_RESULTS_H
#define VPN_TESTS_BENCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#define RESULTS_ROWS	12
#define RESULTS_COLUMNS 6
#define RESULTS_ROUNDS	15
#define RESULTS_WHY	200

struct results_cell {
	double value[RESULTS_ROUNDS];
	size_t n;
};

struct results_row {
	const char *name;
	char missing[RESULTS_WHY]; /* why there is nothing; "" if there is */
	struct results_cell cell[RESULTS_COLUMNS];
};

struct results_column {
	const char *name; /* "1 stream" */
	const char *unit; /* "Gbit/s" */
	bool less_is_better;
};

struct results {
	const char *name; /* of the benchmark */
	struct results_column column[RESULTS_COLUMNS];
	size_t columns;
	struct results_row row[RESULTS_ROWS];
	size_t rows;
};

/* name is borrowed. Returns the row. */
size_t results_add_row(struct results *r, const char *name);
void results_add(struct results *r, size_t row, size_t column, double value);
/* Takes a contestant out of the race, for the reason given. */
void results_miss(struct results *r, size_t row, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool results_is_missing(const struct results *r, size_t row);

double results_median(const struct results_cell *cell); /* 0: empty */
/* For each round that both have, how many times better a was. */
struct results_cell results_ratio(const struct results_cell *a, const struct results_cell *b,
				  bool less_is_better);

void results_print(const struct results *r);
/* "A / B" for each column; above 1 means that A is better. Nothing if either is missing. Returns
 * whether there was something to compare. */
bool results_print_ratio(const struct results *r, size_t a, size_t b);
/* One line of JSON a row, for programs. */
void results_print_json(const struct results *r);

#endif
