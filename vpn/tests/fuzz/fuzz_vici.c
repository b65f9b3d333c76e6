/* fuzz_vici.c - octets from a vici client: frames, packets, messages. What parses is written again
 * from its tree and must come out octet for octet. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/vici/vici.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_node(struct vici_writer *v, const struct vici_node *node)
{
	for (; node; node = node->next) {
		switch (node->kind) {
		case VICI_SECTION:
			vici_section(v, node->name);
			write_node(v, node->child);
			vici_section_end(v);
			break;
		case VICI_LIST:
			vici_list(v, node->name);
			write_node(v, node->child);
			vici_list_end(v);
			break;
		case VICI_VALUE:
			if (v->in_list)
				vici_item(v, node->text, node->len);
			else
				vici_value(v, node->name, node->text, node->len);
			break;
		}
	}
}

static void round_trip(struct view message)
{
	struct vici_writer v = {0};
	struct vici_tree tree;
	struct err_msg msg;
	struct view out;

	if (vici_parse(message, &tree, &msg))
		return;
	write_node(&v, tree.root->child);
	if (vici_finish(&v, &out) || out.len != message.len ||
	    (out.len && memcmp(out.p, message.p, out.len) != 0))
		abort();
	vici_tree_free(&tree);
	vici_writer_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vici_stream s = {0};
	struct vici_packet packet;
	struct err_msg msg;
	struct view frame;

	round_trip((struct view){data, len});
	if (!vici_stream_add(&s, data, len))
		while (!vici_stream_next(&s, &frame))
			if (!vici_packet_parse(frame, &packet, &msg))
				round_trip(packet.message);
	vici_stream_free(&s);
	return 0;
}
