/* loader.h - what the files that make messages share. Private to vpn/config. */
#ifndef VPN_CONFIG_LOADER_H
#define VPN_CONFIG_LOADER_H

#include "vpn/config/load.h"
#include "vpn/vici/option.h"

struct loader {
	const struct load_request *request;
	struct conf_diag *diag;
	struct load_plan *plan;
	int err; /* the first */
};

/* Reports an error at a place and keeps its code. */
#define loader_error(l, code, at, ...)                  \
	do {                                            \
		conf_error((l)->diag, at, __VA_ARGS__); \
		if (!(l)->err)                          \
			(l)->err = (code);              \
	} while (0)

/* A new message at the end of the plan, or NULL (out of memory, reported). */
struct load_message *loader_add(struct loader *l, enum load_kind kind, const char *command,
				const char *name, const struct conf_place *at);
/* Reports the failure of a message's encoding, if there was one. */
void loader_finish(struct loader *l, struct load_message *message);

/* Writes the values of a section of that scope into the message, checked, lists split, files read.
 */
void loader_values(struct loader *l, enum option_scope scope, const struct conf_section *section,
		   struct vici_writer *v);
void loader_no_sections(struct loader *l, const struct conf_section *section, const char *what);

/* A whole file; the caller wipes and frees. False: reported at `at`, with the option `what` and the
 * path, or without both if what is NULL because `at` is the file itself. */
bool loader_read(struct loader *l, const struct conf_place *at, const char *what, const char *path,
		 char **ret_data, size_t *ret_len);
/* "name" in the folder of the request's directory unless it is absolute; the caller frees. NULL:
 * reported. */
char *loader_path(struct loader *l, const char *folder, const char *name);

void loader_conns(struct loader *l, const struct conf_section *connections);
void loader_creds(struct loader *l, const struct conf_section *secrets);
void loader_pools(struct loader *l, const struct conf_section *pools);
void loader_authorities(struct loader *l, const struct conf_section *authorities);

bool has_prefix(const char *text, const char *prefix);

#endif
