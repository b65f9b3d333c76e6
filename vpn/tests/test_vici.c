/* test_vici.c - the vici codec: literal octets of strongSwan's README, round trips, every malformed
 * message, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/vici/vici.h"

#define VIEW(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})

/* The encoding example of strongSwan's vici README. */
static const char example[] = "\x03\x04key1\x00\x06value1"
			      "\x01\x08section1"
			      "\x01\x0bsub-section"
			      "\x03\x04key2\x00\x06value2"
			      "\x02"
			      "\x04\x05list1\x05\x00\x05item1\x05\x00\x05item2\x06"
			      "\x02";

static void encodes_the_readme_example(void **state)
{
	struct vici_writer v = {0};
	struct view out;

	(void)state;
	vici_value_str(&v, "key1", "value1");
	vici_section(&v, "section1");
	vici_section(&v, "sub-section");
	vici_value_fmt(&v, "key2", "value%d", 2);
	vici_section_end(&v);
	vici_list(&v, "list1");
	vici_item_str(&v, "item1");
	vici_item(&v, "item2", 5);
	vici_list_end(&v);
	vici_section_end(&v);
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_int_equal(out.len, sizeof(example) - 1);
	assert_memory_equal(out.p, example, out.len);
	vici_writer_free(&v);
}

static void decodes_the_readme_example(void **state)
{
	const struct vici_node *section, *list;
	struct vici_tree tree;

	(void)state;
	assert_int_equal(vici_parse(VIEW(example), &tree, NULL), 0);
	assert_string_equal(vici_text(tree.root, "key1"), "value1");
	section = vici_find(tree.root, "section1");
	assert_int_equal(section->kind, VICI_SECTION);
	assert_string_equal(vici_text(vici_find(section, "sub-section"), "key2"), "value2");
	list = vici_find(section, "list1");
	assert_int_equal(list->kind, VICI_LIST);
	assert_int_equal(vici_count(list), 2);
	assert_string_equal(list->child->text, "item1");
	assert_string_equal(list->child->next->text, "item2");
	assert_null(list->child->next->next);
	assert_null(vici_text(tree.root, "section1"));
	assert_null(vici_find(tree.root, "item1"));
	vici_tree_free(&tree);
	assert_null(tree.root);
}

static void values_may_hold_any_octets(void **state)
{
	static const char octets[] = "a\0\xff\n";
	struct vici_writer v = {0};
	struct vici_tree tree;
	struct view out;

	(void)state;
	vici_value(&v, "data", octets, sizeof(octets));
	vici_value(&v, "none", NULL, 0);
	vici_section(&v, "");
	vici_section_end(&v);
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_int_equal(vici_parse(out, &tree, NULL), 0);
	assert_int_equal(vici_find(tree.root, "data")->len, sizeof(octets));
	assert_memory_equal(vici_find(tree.root, "data")->text, octets, sizeof(octets));
	assert_string_equal(vici_text(tree.root, "none"), "");
	assert_non_null(vici_find(tree.root, ""));
	vici_tree_free(&tree);
	vici_writer_free(&v);
}

static const struct {
	struct view message;
	const char *says;
} malformed[] = {
    {VIEW("\x00"), "octet 1: an unknown element type"},
    {VIEW("\x07"), "octet 1: an unknown element type"},
    {VIEW("\x03"), "octet 1: a name is cut short"},
    {VIEW("\x03\x02k"), "a name is cut short"},
    {VIEW("\x03\x01k"), "a value is cut short"},
    {VIEW("\x03\x01k\x00"), "a value is cut short"},
    {VIEW("\x03\x01k\x00\x02v"), "a value is cut short"},
    {VIEW("\x03\x01\x00\x00\x00"), "a name holds a control character"},
    {VIEW("\x01\x01s"), "a section is not closed"},
    {VIEW("\x02"), "octet 1: the end of a section that was never opened"},
    {VIEW("\x01\x01s\x02\x02"), "the end of a section that was never opened"},
    {VIEW("\x04\x01l"), "a list is not closed"},
    {VIEW("\x05\x00\x00"), "a list item or list end outside a list"},
    {VIEW("\x06"), "a list item or list end outside a list"},
    {VIEW("\x04\x01l\x04\x01m\x06\x06"), "something other than an item in a list"},
    {VIEW("\x04\x01l\x03\x01k\x00\x00\x06"), "something other than an item in a list"},
    {VIEW("\x04\x01l\x01\x01s\x02\x06"), "something other than an item in a list"},
    {VIEW("\x01\x01s\x04\x01l\x02"), "something other than an item in a list"},
    {VIEW("\x04\x01l\x05\x00"), "a value is cut short"},
};

static void malformed_messages_are_refused_with_the_place(void **state)
{
	struct vici_tree tree = {0};
	struct err_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_int_equal(vici_parse(malformed[i].message, &tree, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, malformed[i].says));
		assert_null(tree.root);
	}
}

static void every_truncation_of_a_message_in_sections_is_refused(void **state)
{
	size_t len, good = 0;

	(void)state;
	for (len = 0; len < sizeof(example); len++) {
		struct view v = {(const uint8_t *)example, len};
		struct vici_tree tree;

		if (vici_parse(v, &tree, NULL))
			continue;
		good++;
		vici_tree_free(&tree);
	}
	assert_int_equal(good, 3); /* empty, after key1, whole */
}

static void nest(struct vici_writer *v, unsigned depth)
{
	unsigned i;

	for (i = 0; i < depth; i++)
		vici_section(v, "s");
	for (i = 0; i < depth; i++)
		vici_section_end(v);
}

static void depth_is_limited_on_both_sides(void **state)
{
	struct vici_writer v = {0}, raw = {0};
	struct vici_tree tree;
	struct view out;

	(void)state;
	nest(&v, VICI_DEPTH_MAX);
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_int_equal(vici_parse(out, &tree, NULL), 0);
	vici_tree_free(&tree);
	vici_raw(&raw, VIEW("\x01\x01s"));
	vici_raw(&raw, out);
	vici_raw(&raw, VIEW("\x02"));
	assert_int_equal(vici_finish(&raw, &out), 0);
	assert_int_equal(vici_parse(out, &tree, NULL), ERR_LIMIT);
	vici_writer_free(&raw);
	vici_writer_free(&v);
	nest(&v, VICI_DEPTH_MAX + 1);
	assert_int_equal(vici_finish(&v, &out), ERR_LIMIT);
	vici_writer_free(&v);
}

static void a_list_fits_in_the_deepest_section(void **state)
{
	struct vici_writer v = {0};
	struct vici_tree tree;
	struct view out;
	unsigned i;

	(void)state;
	for (i = 0; i < VICI_DEPTH_MAX; i++)
		vici_section(&v, "s");
	vici_list(&v, "l");
	vici_item_str(&v, "i");
	vici_list_end(&v);
	for (i = 0; i < VICI_DEPTH_MAX; i++)
		vici_section_end(&v);
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_int_equal(vici_parse(out, &tree, NULL), 0);
	vici_tree_free(&tree);
	vici_writer_free(&v);
}

static void elements_are_counted(void **state)
{
	static uint8_t message[3 * (VICI_NODES_MAX + 1)];
	struct vici_tree tree;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(message); i += 3)
		memcpy(message + i, "\x01\x00\x02", 3);
	/* The root counts too. */
	assert_int_equal(vici_parse((struct view){message, 3 * (VICI_NODES_MAX - 1)}, &tree, NULL),
			 0);
	vici_tree_free(&tree);
	assert_int_equal(vici_parse((struct view){message, 3 * VICI_NODES_MAX}, &tree, NULL),
			 ERR_LIMIT);
}

static void unbalanced_writing_is_refused(void **state)
{
	struct vici_writer v = {0};
	struct view out;

	(void)state;
	vici_section(&v, "open");
	assert_int_equal(vici_finish(&v, &out), ERR_STATE);
	vici_writer_free(&v);
	vici_section_end(&v);
	assert_int_equal(vici_finish(&v, &out), ERR_STATE);
	vici_writer_free(&v);
	vici_item_str(&v, "outside");
	assert_int_equal(vici_finish(&v, &out), ERR_STATE);
	vici_writer_free(&v);
	vici_list(&v, "l");
	vici_value_str(&v, "k", "v");
	assert_int_equal(vici_finish(&v, &out), ERR_STATE);
	vici_writer_free(&v);
}

static void too_long_names_values_and_frames_are_refused(void **state)
{
	static char big[VICI_VALUE_MAX + 2];
	struct vici_writer v = {0};
	struct view out;
	int i;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	vici_value(&v, "k", big, VICI_VALUE_MAX + 1);
	assert_int_equal(vici_finish(&v, &out), ERR_LIMIT);
	vici_writer_free(&v);
	big[VICI_NAME_MAX + 1] = '\0';
	vici_value_str(&v, big, "v");
	assert_int_equal(vici_finish(&v, &out), ERR_LIMIT);
	vici_writer_free(&v);
	vici_begin(&v, VICI_EVENT, "e");
	for (i = 0; i < 9; i++)
		vici_value(&v, "k", big, VICI_VALUE_MAX);
	assert_int_equal(vici_finish(&v, &out), ERR_LIMIT);
	vici_writer_free(&v);
}

static void a_frame_carries_its_length_type_and_name(void **state)
{
	struct vici_writer v = {0};
	struct vici_packet packet;
	struct view out;

	(void)state;
	vici_begin(&v, VICI_CMD_REQUEST, "version");
	vici_value_str(&v, "k", "v");
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_int_equal(out.len, 19);
	assert_memory_equal(out.p, "\0\0\0\x0f\0\x07version\x03\x01k\0\x01v", 19);
	assert_int_equal(vici_packet_parse((struct view){out.p + 4, 15}, &packet, NULL), 0);
	assert_int_equal(packet.type, VICI_CMD_REQUEST);
	assert_string_equal(packet.name, "version");
	assert_int_equal(packet.message.len, 6);
	vici_writer_free(&v);
	vici_begin(&v, VICI_CMD_RESPONSE, NULL);
	assert_int_equal(vici_finish(&v, &out), 0);
	assert_memory_equal(out.p, "\0\0\0\x01\x01", 5);
	vici_writer_free(&v);
}

static void bad_packets_are_refused(void **state)
{
	static const struct view bad[] = {
	    VIEW(""),	      VIEW("\x08"),	 VIEW("\xff"),	     VIEW("\x00"),
	    VIEW("\x00\x00"), VIEW("\x00\x02v"), VIEW("\x07\x01\n"), VIEW("\x03\x01\xe9")};
	struct vici_packet packet;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vici_packet_parse(bad[i], &packet, NULL), ERR_SYNTAX);
}

static void frames_come_out_of_any_fragmentation(void **state)
{
	static const char octets[] = "\0\0\0\x02\x01x\0\0\0\0\0\0\0\x03\x01yz";
	size_t step, at;

	(void)state;
	for (step = 1; step <= sizeof(octets) - 1; step++) {
		struct vici_stream s = {0};
		struct view frame;
		size_t frames = 0, total = 0;

		for (at = 0; at < sizeof(octets) - 1; at += step) {
			size_t left = sizeof(octets) - 1 - at;

			assert_int_equal(
			    vici_stream_add(&s, octets + at, left < step ? left : step), 0);
			while (!vici_stream_next(&s, &frame)) {
				frames++;
				total += frame.len;
			}
		}
		assert_int_equal(frames, 3);
		assert_int_equal(total, 5);
		vici_stream_free(&s);
	}
}

static void an_overlong_frame_ends_the_stream(void **state)
{
	struct vici_stream s = {0};
	struct view frame;

	(void)state;
	assert_int_equal(vici_stream_next(&s, &frame), ERR_AGAIN);
	assert_int_equal(vici_stream_add(&s, "\x00\x08\x00\x00", 4), 0);
	assert_int_equal(vici_stream_next(&s, &frame), ERR_AGAIN);
	vici_stream_free(&s);
	assert_int_equal(vici_stream_add(&s, "\x00\x08\x00\x01", 4), 0);
	assert_int_equal(vici_stream_next(&s, &frame), ERR_LIMIT);
	vici_stream_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodes_the_readme_example),
	    cmocka_unit_test(decodes_the_readme_example),
	    cmocka_unit_test(values_may_hold_any_octets),
	    cmocka_unit_test(malformed_messages_are_refused_with_the_place),
	    cmocka_unit_test(every_truncation_of_a_message_in_sections_is_refused),
	    cmocka_unit_test(depth_is_limited_on_both_sides),
	    cmocka_unit_test(a_list_fits_in_the_deepest_section),
	    cmocka_unit_test(elements_are_counted),
	    cmocka_unit_test(unbalanced_writing_is_refused),
	    cmocka_unit_test(too_long_names_values_and_frames_are_refused),
	    cmocka_unit_test(a_frame_carries_its_length_type_and_name),
	    cmocka_unit_test(bad_packets_are_refused),
	    cmocka_unit_test(frames_come_out_of_any_fragmentation),
	    cmocka_unit_test(an_overlong_frame_ends_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
