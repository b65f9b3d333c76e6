/* main.c - runs one case with one pair of daemons: integration CASE GATEWAY VPS; --list names the
 * cases.
 *
 * GATEWAY and VPS are beetd or strongswan. Exits 77, with the reason, where the case cannot be run.
 */
#include "vpn/tests/integration/cases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct it_case *const tables[] = {
    cases_seed,	 cases_algorithm, cases_auth,	cases_negotiation, cases_failure, cases_path,
    cases_tools, cases_life,	  cases_misuse, cases_mode,	   cases_rekey,	  cases_explain};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct it_case *find_case(const char *name)
{
	const struct it_case *it;
	size_t i;

	for (i = 0; i < TABLES; i++)
		for (it = tables[i]; it->name; it++)
			if (strcmp(it->name, name) == 0)
				return it;
	return NULL;
}

/* Every case must be among the names that the build runs. */
static int check_list(char **names, int count)
{
	const struct it_case *it;
	int i, missing = 0;
	size_t t;

	for (t = 0; t < TABLES; t++) {
		for (it = tables[t]; it->name; it++) {
			for (i = 0; i < count && strcmp(names[i], it->name) != 0; i++)
				;
			if (i == count)
				fprintf(stderr, "case %s is not run\n", it->name);
			missing += i == count;
		}
	}
	return missing ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int list_cases(void)
{
	const struct it_case *it;
	size_t t;

	for (t = 0; t < TABLES; t++)
		for (it = tables[t]; it->name; it++)
			printf("%s\n", it->name);
	return EXIT_SUCCESS;
}

static void skip(const char *why)
{
	printf("SKIP: %s\n", why);
	exit(77);
}

static const struct peer_driver *find_driver(const char *name)
{
	const struct peer_driver *driver = peer_driver_find(name);
	const char *missing;

	if (!driver) {
		fprintf(stderr, "no daemon named %s\n", name);
		exit(EXIT_FAILURE);
	}
	missing = driver->missing();
	if (missing)
		skip(missing);
	return driver;
}

int main(int argc, char **argv)
{
	const struct it_case *it;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list_cases();
	if (argc > 2 && strcmp(argv[1], "--check") == 0)
		return check_list(argv + 2, argc - 2);
	it = argc == 4 ? find_case(argv[1]) : NULL;
	if (!it) {
		fprintf(stderr, "usage: %s --list | --check NAME... | CASE GATEWAY VPS\n", argv[0]);
		return EXIT_FAILURE;
	}
	if (geteuid() != 0)
		skip("needs root, to make network namespaces");
	it->run(it, find_driver(argv[2]), find_driver(argv[3]));
	printf("%s: passed with %s at the gateway and %s at the VPS\n", argv[1], argv[2], argv[3]);
	return EXIT_SUCCESS;
}
