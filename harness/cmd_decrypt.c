/* cmd_decrypt.c - beetlab decrypt: a capture that every tool can read without keys (rewrite.h).
 *
 * The file appears under its name only when it is whole. Exit status 0: written, with everything
 * opened; 1: written, but something stayed sealed; 2: usage, or a file that cannot be read or
 * written. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/captures.h"
#include "harness/command.h"
#include "harness/dissect/rewrite.h"
#include "harness/files.h"

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: beetlab decrypt CAPTURE... --keys DIR -o FILE\n"
		"\n"
		"Writes a pcapng file: IKE messages with the content of SK in place of SK, ESP\n"
		"packets as the packets inside them, in order and with their times. A comment on\n"
		"each frame says which frame it was.\n");
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "beetlab decrypt: %s: %s\n", what, why);
	return EXIT_USAGE;
}

/* What was sealed is now open: only the owner shall read it. */
static int write_file(const struct facts *f, const char *path, struct rewrite_counts *ret_counts)
{
	char *part;
	mode_t mask = umask(077);
	FILE *file;
	int err;

	if (asprintf(&part, "%s.part", path) < 0)
		return complain(path, err_text(ERR_NOMEM));
	file = fopen(part, "we");
	umask(mask);
	if (!file) {
		err = complain(part, strerror(errno));
		free(part);
		return err;
	}
	err = rewrite_capture(f, file, ret_counts);
	if (fclose(file) != 0 && !err)
		err = ERR_IO;
	if (!err && rename(part, path) != 0)
		err = ERR_IO;
	if (err) {
		err = complain(path, err == ERR_IO ? strerror(errno) : err_text(err));
		unlink(part);
	}
	free(part);
	return err;
}

static int decrypt(char **paths, size_t n, const char *keys, const char *out)
{
	struct rewrite_counts counts = {0};
	struct err_msg msg = {{0}};
	struct facts f;
	char ref[96];
	size_t i;
	int err = file_check_output(out, paths, n, &msg);

	if (!err)
		err = captures_read(paths, n, keys, &f, &msg);
	if (err) {
		fprintf(stderr, "beetlab decrypt: %s\n", msg.text);
		return EXIT_USAGE;
	}
	err = write_file(&f, out, &counts);
	for (i = 0; i < f.n_problems; i++)
		fprintf(stderr, "%s: %s\n",
			fact_frame_ref(&f, f.problems[i].frame, ref, sizeof(ref)),
			f.problems[i].text);
	facts_free(&f);
	if (err)
		return err;
	printf("%s: %zu IKE messages and %zu ESP packets opened, %zu left sealed, %zu other frames",
	       out, counts.ike, counts.esp, counts.unopened, counts.other);
	if (counts.left_out)
		printf(", %zu frames without IP left out", counts.left_out);
	printf("\n");
	return counts.unopened ? EXIT_FAIL : EXIT_PASS;
}

int cmd_decrypt(int argc, char **argv)
{
	static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
						{"output", required_argument, NULL, 'o'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *keys = NULL, *out = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "k:o:h", options, NULL)) != -1) {
		if (option == 'k') {
			keys = optarg;
		} else if (option == 'o') {
			out = optarg;
		} else {
			print_usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_PASS : EXIT_USAGE;
		}
	}
	if (!keys || !out || optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return decrypt(argv + optind, (size_t)(argc - optind), keys, out);
}
