/* fields.h - reads a mapping of a document into a struct, by a table of its keys.
 *
 * A key that is not in the table is an error which lists those that are. */
#ifndef HARNESS_FIELDS_H
#define HARNESS_FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include "harness/doc.h"

struct field;

/* Puts a node at *out, which is of the type that the reader says. */
typedef int field_fn(struct doc *doc, const struct field *field, const struct doc_node *node,
		     void *out, struct err_msg *msg);

struct field {
	const char *key; /* NULL ends a table */
	field_fn *read;
	size_t offset;
	const void *arg; /* the reader's own */
	bool required;
};

#define MTU_MIN 68 /* RFC 791 §3.2: what every internet module must forward whole */
#define MTU_MAX 65535

/* What the readers fill. */
struct text_list {
	const char **items;
	unsigned *lines; /* of each item */
	size_t count;
};

/* Text that has lines of its own: a block under "key: |". */
struct text_block {
	const char *text;
	unsigned line; /* of the key; the text begins in the next */
};

struct pair {
	const char *key, *value;
	unsigned line;
};

struct pair_list {
	struct pair *items;
	size_t count;
};

struct item_list {
	void *items;
	size_t count;
};

/* The type of the items of an item_list. */
struct field_type {
	size_t size;
	const struct field *fields;
	const char *shorthand; /* an item that is text is the value of this key; may be NULL */
	size_t line_offset;    /* of an unsigned that gets the item's line */
};

/* The whole mapping into out. */
int fields_read(struct doc *doc, const struct field *fields, const struct doc_node *map, void *out,
		struct err_msg *msg);

field_fn field_text;	  /* const char * */
field_fn field_block;	  /* struct text_block */
field_fn field_texts;	  /* struct text_list: text or a list of texts */
field_fn field_unsigned;  /* unsigned */
field_fn field_count;	  /* unsigned, from 1 up */
field_fn field_mtu;	  /* unsigned, MTU_MIN to MTU_MAX */
field_fn field_octets;	  /* uint64_t: "1500", "64k", "10M" */
field_fn field_ms;	  /* unsigned: "250ms", "15s", "2m" */
field_fn field_shift;	  /* int64_t, seconds: "+400d", "-90m", "0s" */
field_fn field_range;	  /* two unsigned: "3", "0-3" */
field_fn field_range_ms;  /* two unsigned: "2s", "1s-40s" */
field_fn field_fraction;  /* double, 0 to 1: "2%", "0.02" */
field_fn field_bool;	  /* bool: yes, no, true, false */
field_fn field_pairs;	  /* struct pair_list: a mapping of texts */
field_fn field_items;	  /* struct item_list; arg: struct field_type */
field_fn field_map_items; /* struct item_list; arg: struct field_type, whose first member is a const
			     char * for the key: a mapping in place of a list */
field_fn field_choice;	  /* int: place in arg, const char *[] ended by NULL */
field_fn field_struct;	  /* a struct; arg: struct field_type */

/* The conversions, for values that come from elsewhere. */
bool parse_octets(const char *text, uint64_t *ret_octets);
bool parse_ms(const char *text, unsigned *ret_ms);
bool parse_fraction(const char *text, double *ret_fraction);
bool parse_whole(const char *text, uint64_t *ret_value); /* digits alone */
bool parse_bool(const char *text, bool *ret_value);	 /* yes, no, true, false */

#endif
