/* datafile.h - a file of vpn/tests/data, for tests; a file that is not there fails the test. */
#ifndef VPN_TESTS_DATAFILE_H
#define VPN_TESTS_DATAFILE_H

#include <stdio.h>
#include <stdlib.h>

#include "vpn/tests/unhex.h"

#define DATAFILE_MAX 16384

/* Reads TEST_DATA/name into buf, which has DATAFILE_MAX octets. */
static inline struct view datafile(const char *name, uint8_t *buf)
{
	const char *dir = getenv("TEST_DATA");
	char path[512];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "vpn/tests/data", name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: cannot open", path);
	len = fread(buf, 1, DATAFILE_MAX, f);
	fclose(f);
	return (struct view){buf, len};
}

#endif
