/* run.h - one scenario from its file to its reports.
 *
 * The run's directory then holds:
 *
 *	result.json report.html report.md junit.xml	the result, and its faces
 *	scenario.yaml command seed			what repeats it
 *	captures/ decrypted.pcapng keys/ wireshark/		the evidence, and how to open it
 *	events/ logs/ configs/				what the daemons said and read
 *
 * `wireshark -C` has no use for a path: WIRESHARK_CONFIG_DIR=RUN/wireshark wireshark FILE. */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include "harness/result.h"

struct run_options {
	struct plan_options plan;
	const char *out; /* the run's directory; it is made, or an earlier run there replaced */
	bool is_long;	 /* the scenario is in its longer form */
	bool keep;	 /* leave the network until a key is pressed */
	FILE *terminal;	 /* progress; NULL: none */
	bool is_tty;
};

/* Runs a plan. *ret_result is the caller's; it is there if 0 is returned. The verdict is in
 * it, and error is one of them: what is returned says only whether there is a result. ERR_STATE,
 * ERR_IO: the directory cannot be taken. */
int run_plan(const struct plan *plan, const struct run_options *options, json_t **ret_result,
	     struct err_msg *msg);

/* Judges the captures and keys of a directory that a run of this plan has left, without wires'
 * ground truth. *ret_result is the caller's. */
int run_judge_dir(const struct plan *plan, const char *dir, const char *command,
		  json_t **ret_result, struct err_msg *msg);

/* NULL if the machine can run the plan, else why not: needs root, needs a program. */
const char *run_missing(const struct plan *plan);

#endif
