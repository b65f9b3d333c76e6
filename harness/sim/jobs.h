/* jobs.h - many seeds, shared among processes. */
#ifndef HARNESS_SIM_JOBS_H
#define HARNESS_SIM_JOBS_H

#include "harness/sim/run.h"

struct sim_seed_report {
	size_t file; /* of the job's paths */
	uint64_t seed;
	struct sim_outcome outcome; /* without its lists */
	int64_t grown;		    /* octets, in the last report of a process; see jobs.c */
	bool is_last;
};

struct sim_job {
	char *const *paths;
	size_t paths_count;
	uint64_t from;
	unsigned seeds, jobs;
	const char *faults; /* a file to replay; NULL */
	const char *out;    /* captures, keys, events; NULL. One seed alone */
};

typedef void sim_report_fn(void *arg, const struct sim_seed_report *report);

/* Calls fn for each seed, in the order in which they end. ERR_IO, ERR_SYNTAX (a scenario). */
int sim_jobs_run(const struct sim_job *job, sim_report_fn *fn, void *arg, struct err_msg *msg);
/* One seed in this process. */
int sim_jobs_one(const struct sim_job *job, size_t file, uint64_t seed,
		 struct sim_outcome *ret_outcome, struct err_msg *msg);

#endif
