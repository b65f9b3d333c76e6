/* replay.c - runs a fuzz target over its corpus, as a plain test under any compiler.
 *
 * Links with one fuzz_NAME.c in place of libFuzzer's main. Each file of the directory given is one
 * input, taken in the order of names, so that a failure names the same file every time. Every input
 * is also run cut short at each length up to SHORT_CUTS octets: a truncated header is the commonest
 * bad input, and it costs nothing. An input stands in a buffer of exactly its size, so that a read
 * past its end is seen by AddressSanitizer.
 *
 * A target without a corpus is a failure, not a pass: a test that read nothing proved nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_CUTS 96u
#define INPUT_MAX  (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void run_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	size_t len, cut;
	int bad;

	if (!file || !data) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	len = fread(data, 1, INPUT_MAX, file);
	bad = ferror(file) || !feof(file);
	fclose(file);
	if (bad)
		fprintf(stderr, "%s: not readable, or longer than %u octets\n", path, INPUT_MAX);
	/* Printed first: after a crash, the last line names the input. */
	printf("%s\n", path);
	fflush(stdout);
	for (cut = 0; cut < len && cut < SHORT_CUTS; cut++)
		run_copy(data, cut);
	run_copy(data, len);
	free(data);
	return bad;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int i, count, bad = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return EXIT_FAILURE;
	}
	count = scandir(argv[1], &names, is_input, alphasort);
	if (count <= 0) {
		fprintf(stderr, "%s: no corpus\n", argv[1]);
		return EXIT_FAILURE;
	}
	for (i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		bad |= replay_file(path);
		free(names[i]);
	}
	free(names);
	printf("%d inputs\n", count);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
