/* tree.c - decodes a vici message into a tree.
 *
 * The same walk runs twice over the octets: the first time it checks the grammar and counts nodes
 * and string octets, the second time it fills one block of exactly that size: the nodes first, then
 * their strings, each with a zero. So a message costs one allocation whatever is in it, a bad one
 * costs none, and one free (after one wipe) releases all. Depth and count are bounded before
 * anything is allocated. */
#include "vpn/vici/vici.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/vici/element.h"

struct walk {
	struct reader r;
	size_t total; /* octets of the message, for offsets */
	struct err_msg *msg;
	size_t n_nodes;
	size_t n_text;
	struct vici_node *nodes; /* NULL on the first walk */
	char *text;
	unsigned depth;
	struct open {
		struct vici_node *node;
		struct vici_node *last; /* child */
	} open[VICI_DEPTH_MAX + 2];	/* root, sections, a list */
	bool in_list;
};

static int bad(struct walk *k, const char *what)
{
	return err_set(k->msg, ERR_SYNTAX, "vici message, octet %zu: %s", k->total - rd_left(&k->r),
		       what);
}

static const char *copy_text(struct walk *k, struct view v)
{
	char *at;

	k->n_text += v.len + 1;
	if (!k->nodes)
		return "";
	at = k->text;
	if (v.len)
		memcpy(at, v.p, v.len);
	at[v.len] = '\0';
	k->text += v.len + 1;
	return at;
}

static int add_node(struct walk *k, enum vici_kind kind, struct view name, struct view value,
		    struct vici_node **ret_node)
{
	struct open *top = &k->open[k->depth];
	struct vici_node *node = k->nodes ? &k->nodes[k->n_nodes] : NULL;
	const char *name_copy = copy_text(k, name);
	const char *value_copy = copy_text(k, value);

	if (k->n_nodes >= VICI_NODES_MAX)
		return err_set(k->msg, ERR_LIMIT, "vici message: more than %u elements",
			       VICI_NODES_MAX);
	k->n_nodes++;
	*ret_node = node;
	if (!node)
		return 0;
	*node = (struct vici_node){
	    .kind = kind, .name = name_copy, .text = value_copy, .len = value.len};
	if (top->last)
		top->last->next = node;
	else if (top->node)
		top->node->child = node;
	top->last = node;
	return 0;
}

static bool name_is_text(struct view name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return true;
}

static int read_name(struct walk *k, struct view *ret_name)
{
	size_t len = rd_u8(&k->r);
	struct view name = rd_view(&k->r, len);

	if (!rd_ok(&k->r))
		return bad(k, "a name is cut short");
	if (!name_is_text(name))
		return bad(k, "a name holds a control character");
	*ret_name = name;
	return 0;
}

static int read_value(struct walk *k, struct view *ret_value)
{
	size_t len = rd_u16(&k->r);
	struct view value = rd_view(&k->r, len);

	if (!rd_ok(&k->r))
		return bad(k, "a value is cut short");
	*ret_value = value;
	return 0;
}

static void enter(struct walk *k, struct vici_node *node)
{
	k->depth++;
	k->open[k->depth] = (struct open){.node = node};
}

static int open_container(struct walk *k, enum vici_kind kind)
{
	struct vici_node *node;
	struct view name;
	int err;

	if (kind == VICI_SECTION && k->depth >= VICI_DEPTH_MAX)
		return err_set(k->msg, ERR_LIMIT, "vici message: sections nested deeper than %u",
			       VICI_DEPTH_MAX);
	err = read_name(k, &name);
	if (!err)
		err = add_node(k, kind, name, (struct view){0}, &node);
	if (!err)
		enter(k, node);
	return err;
}

static int read_key_value(struct walk *k)
{
	struct vici_node *node;
	struct view name, value;
	int err = read_name(k, &name);

	if (!err)
		err = read_value(k, &value);
	if (!err)
		err = add_node(k, VICI_VALUE, name, value, &node);
	return err;
}

static int read_item(struct walk *k)
{
	struct vici_node *node;
	struct view value;
	int err = read_value(k, &value);

	if (!err)
		err = add_node(k, VICI_VALUE, (struct view){0}, value, &node);
	return err;
}

static int element_in_list(struct walk *k, uint8_t type)
{
	switch (type) {
	case VICI_LIST_ITEM:
		return read_item(k);
	case VICI_LIST_END:
		k->depth--;
		k->in_list = false;
		return 0;
	default:
		return bad(k, "something other than an item in a list");
	}
}

static int element_in_section(struct walk *k, uint8_t type)
{
	int err;

	switch (type) {
	case VICI_SECTION_START:
		return open_container(k, VICI_SECTION);
	case VICI_SECTION_END:
		if (!k->depth)
			return bad(k, "the end of a section that was never opened");
		k->depth--;
		return 0;
	case VICI_KEY_VALUE:
		return read_key_value(k);
	case VICI_LIST_START:
		err = open_container(k, VICI_LIST);
		k->in_list = !err;
		return err;
	case VICI_LIST_ITEM:
	case VICI_LIST_END:
		return bad(k, "a list item or list end outside a list");
	default:
		return bad(k, "an unknown element type");
	}
}

static int walk_message(struct walk *k)
{
	struct vici_node *root;
	int err = add_node(k, VICI_SECTION, (struct view){0}, (struct view){0}, &root);

	k->open[0] = (struct open){.node = root};
	while (!err && rd_left(&k->r)) {
		uint8_t type = rd_u8(&k->r);

		err = k->in_list ? element_in_list(k, type) : element_in_section(k, type);
	}
	if (!err && k->in_list)
		err = bad(k, "a list is not closed");
	if (!err && k->depth)
		err = bad(k, "a section is not closed");
	return err;
}

int vici_parse(struct view message, struct vici_tree *ret_tree, struct err_msg *msg)
{
	struct walk k = {.r = rd_init(message.p, message.len), .total = message.len, .msg = msg};
	size_t size;
	void *block;
	int err = walk_message(&k);

	if (err)
		return err;
	size = k.n_nodes * sizeof(struct vici_node) + k.n_text;
	block = malloc(size);
	if (!block)
		return err_set(msg, ERR_NOMEM, "out of memory");
	k = (struct walk){.r = rd_init(message.p, message.len),
			  .total = message.len,
			  .msg = msg,
			  .nodes = block,
			  .text = (char *)block + k.n_nodes * sizeof(struct vici_node)};
	err = walk_message(&k);
	if (err) {
		free(block);
		return err;
	}
	*ret_tree = (struct vici_tree){.root = block, .size = size};
	return 0;
}

void vici_tree_free(struct vici_tree *tree)
{
	if (tree->root)
		secret_wipe(tree->root, tree->size);
	free(tree->root);
	*tree = (struct vici_tree){0};
}

const struct vici_node *vici_find(const struct vici_node *node, const char *name)
{
	const struct vici_node *n;

	for (n = node ? node->child : NULL; n; n = n->next)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

const char *vici_text(const struct vici_node *node, const char *name)
{
	const struct vici_node *n = vici_find(node, name);

	return n && n->kind == VICI_VALUE ? n->text : NULL;
}

size_t vici_count(const struct vici_node *node)
{
	const struct vici_node *n;
	size_t count = 0;

	for (n = node ? node->child : NULL; n; n = n->next)
		count++;
	return count;
}
