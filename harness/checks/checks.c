/* checks.c - the table of checks, running them, and what they say.
 *
 * A result owns its texts in an arena. Out of memory is never a verdict: err is set and the verdict
 * is "fail" without a reason of the wire. */
#include "harness/checks/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/checks/internal.h"

static const struct check table[] = {
#define X(name, title, clause, standing, fn) {name, title, clause, standing, fn},
    CHECKS(X)
#undef X
};

#define COUNT (sizeof(table) / sizeof(table[0]))

const char *verdict_name(enum verdict v)
{
	return v == VERDICT_PASS ? "pass" : v == VERDICT_FAIL ? "fail" : "not-applicable";
}

const struct check *checks_table(size_t *ret_n)
{
	*ret_n = COUNT;
	return table;
}

const struct check *check_find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

void check_run(const struct check *check, const struct facts *f, const struct check_params *p,
	       struct check_result *ret_result)
{
	*ret_result = (struct check_result){.check = check, .verdict = VERDICT_NOT_APPLICABLE};
	check->run(f, p, ret_result);
	if (ret_result->err) {
		ret_result->verdict = VERDICT_FAIL;
		snprintf(ret_result->summary, sizeof(ret_result->summary), "%s",
			 err_text(ret_result->err));
	}
}

int checks_run_standing(const struct facts *f, const struct check_params *p,
			struct check_result **ret_results, size_t *ret_n)
{
	struct check_result *results = calloc(COUNT, sizeof(*results));
	size_t i, n = 0;

	if (!results)
		return ERR_NOMEM;
	for (i = 0; i < COUNT; i++)
		if (table[i].standing)
			check_run(&table[i], f, p, &results[n++]);
	*ret_results = results;
	*ret_n = n;
	return 0;
}

void check_result_free(struct check_result *r)
{
	free(r->faults);
	free(r->notes);
	arena_free(&r->arena);
	*r = (struct check_result){0};
}

void check_results_free(struct check_result *results, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check_result_free(&results[i]);
	free(results);
}

static void add_frame(struct finding *finding, size_t frame)
{
	if (frame != FACT_NONE && finding->n_frames < FINDING_FRAMES_MAX)
		finding->frames[finding->n_frames++] = frame;
}

static void __attribute__((format(printf, 5, 0)))
add_finding(struct check_result *r, struct finding **list, size_t *n, size_t frame, const char *fmt,
	    va_list args)
{
	char text[512];
	struct finding *finding;

	if (*n == FINDINGS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	finding = array_grow((void **)list, n, sizeof(**list));
	if (finding)
		finding->text = arena_copy(&r->arena, text, strlen(text) + 1);
	if (!finding || !finding->text)
		r->err = ERR_NOMEM;
	else
		add_frame(finding, frame);
}

void check_fault(struct check_result *r, size_t frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(r, &r->faults, &r->n_faults, frame, fmt, args);
	va_end(args);
	r->n_faults_all++;
}

void check_note(struct check_result *r, size_t frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(r, &r->notes, &r->n_notes, frame, fmt, args);
	va_end(args);
}

void check_fault_frame(struct check_result *r, size_t frame)
{
	/* Beyond FINDINGS_MAX the last fault kept is another one. */
	if (r->n_faults && r->n_faults == r->n_faults_all)
		add_frame(&r->faults[r->n_faults - 1], frame);
}

void check_note_frame(struct check_result *r, size_t frame)
{
	if (r->n_notes && r->n_notes < FINDINGS_MAX)
		add_frame(&r->notes[r->n_notes - 1], frame);
}

void check_conclude(struct check_result *r, const char *none, const char *fmt, ...)
{
	va_list args;

	if (r->n_faults_all) {
		r->verdict = VERDICT_FAIL;
		snprintf(r->summary, sizeof(r->summary), "%zu fault%s: %s", r->n_faults_all,
			 r->n_faults_all == 1 ? "" : "s", r->n_faults ? r->faults[0].text : "");
		return;
	}
	if (!r->examined) {
		snprintf(r->summary, sizeof(r->summary), "%s", none);
		return;
	}
	r->verdict = VERDICT_PASS;
	va_start(args, fmt);
	vsnprintf(r->summary, sizeof(r->summary), fmt, args);
	va_end(args);
}

static const struct place_param *find_place(const struct facts *f, const struct check_params *p,
					    size_t place)
{
	size_t i;

	for (i = 0; i < p->n_places; i++)
		if (strcmp(p->places[i].name, f->set.places[place].name) == 0)
			return &p->places[i];
	return NULL;
}

unsigned place_mtu(const struct facts *f, const struct check_params *p, size_t place,
		   bool *ret_stated)
{
	const struct place_param *param = find_place(f, p, place);

	*ret_stated = (param && param->mtu) || p->mtu;
	return param && param->mtu ? param->mtu : p->mtu ? p->mtu : DEFAULT_MTU;
}

bool place_is_outer(const struct facts *f, const struct check_params *p, size_t place)
{
	const struct place_param *param = find_place(f, p, place);
	size_t i;

	if (param && param->outer != UNSTATED)
		return param->outer == YES;
	for (i = 0; i < f->n_frames; i++)
		if (f->frames[i].place == place &&
		    (f->frames[i].kind == FRAME_ESP || f->frames[i].kind == FRAME_IKE))
			return true;
	return false;
}

unsigned path_mtu(const struct facts *f, const struct check_params *p)
{
	const struct place_param *param;
	unsigned mtu, least = 0;
	bool stated;
	size_t i;

	if (p->path_mtu)
		return p->path_mtu;
	for (i = 0; i < f->set.n_places; i++) {
		mtu = place_mtu(f, p, i, &stated);
		param = find_place(f, p, i);
		if (param && param->lets_through && param->lets_through < mtu)
			mtu = param->lets_through;
		if (place_is_outer(f, p, i) && (!least || mtu < least))
			least = mtu;
	}
	return least ? least : DEFAULT_MTU;
}

const char *ike_sa_describe(const struct ike_sa_fact *sa, char *buf, size_t cap)
{
	snprintf(buf, cap, "IKE SA %016llx_i %016llx_r", (unsigned long long)sa->spi_i,
		 (unsigned long long)sa->spi_r);
	return buf;
}

bool frame_is_as_sent(const struct fact_frame *frame)
{
	return frame->ip.ttl == 64 || frame->ip.ttl == 128 || frame->ip.ttl == 255;
}

double seconds(uint64_t us)
{
	return (double)us / 1e6;
}
