/* facts_sysctl.c - what /proc says: forwarding and reverse path filters of each link, and how many
 * packets the filter has dropped.
 */
#include "vpn/daemon/beetctl/explain/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0 if it cannot be read. */
static int read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	int value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static int read_conf(const char *family, const char *link, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, name);
	return read_number(path);
}

/* A line of names, then a line of values behind the same word. */
static uint64_t read_netstat(const char *group, const char *name)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char names[8192], values[8192], *n, *v, *n_at, *v_at;
	uint64_t found = 0;

	while (file && fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		if (strncmp(names, group, strlen(group)) != 0)
			continue;
		n = strtok_r(names, " \n", &n_at);
		v = strtok_r(values, " \n", &v_at);
		for (; n && v; n = strtok_r(NULL, " \n", &n_at), v = strtok_r(NULL, " \n", &v_at))
			if (!strcmp(n, name))
				found = strtoull(v, NULL, 10);
	}
	if (file)
		fclose(file);
	return found;
}

void live_ask_sysctls(struct facts *f)
{
	bool all6 = read_conf("ipv6", "all", "forwarding") != 0;
	size_t i;

	f->rp_filter_all = read_conf("ipv4", "all", "rp_filter");
	for (i = 0; i < f->n_links; i++) {
		struct fact_link *l = &f->links[i];

		l->rp_filter = read_conf("ipv4", l->name, "rp_filter");
		l->forward4 = read_conf("ipv4", l->name, "forwarding") != 0;
		l->forward6 = all6;
	}
	f->rp_filtered.before = f->rp_filtered.now = read_netstat("TcpExt:", "IPReversePathFilter");
}

void live_ask_sysctls_again(struct facts *f)
{
	f->rp_filtered.now = read_netstat("TcpExt:", "IPReversePathFilter");
}
