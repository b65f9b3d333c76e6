/* scenario_step.c - the keys of the steps, a table for each kind: a step is a mapping of one key,
 * the kind, and what it may hold depends on that. */
#include "harness/scenario_internal.h"

#include "harness/stream.h"
#include <stdio.h>
#include <string.h>

static const char *const protocols[] = {
    [STREAM_TCP] = "tcp", [STREAM_UDP] = "udp", [STREAM_FLOOD] = "ike-flood", NULL};
static const char *const fault_kinds[] = {
#define X(id, name, help) name,
    FAULT_KINDS(X)
#undef X
	NULL};
static const char *const results[] = {"ok", "fail", NULL};

#define STEP_NODE(required)                                           \
	{                                                             \
		"node", field_text, AT(sc_step, node), NULL, required \
	}
#define STEP_FROM                                                 \
	{                                                         \
		"from", field_text, AT(sc_step, from), NULL, true \
	}
#define STEP_TO(required)                                         \
	{                                                         \
		"to", field_text, AT(sc_step, to), NULL, required \
	}
#define STEP_ADDRESS(required)                                              \
	{                                                                   \
		"address", field_text, AT(sc_step, address), NULL, required \
	}
#define STEP_CHILD(required)                                            \
	{                                                               \
		"child", field_text, AT(sc_step, child), NULL, required \
	}
#define STEP_WITHIN                                                     \
	{                                                               \
		"within", field_ms, AT(sc_step, within_ms), NULL, false \
	}
#define STEP_OCTETS                                                      \
	{                                                                \
		"octets", field_octets, AT(sc_step, octets), NULL, false \
	}
#define STEP_SIZE                                                   \
	{                                                           \
		"size", field_count, AT(sc_step, size), NULL, false \
	}
#define STEP_COUNT                                                    \
	{                                                             \
		"count", field_count, AT(sc_step, count), NULL, false \
	}
#define STEP_RUN(required)                                          \
	{                                                           \
		"run", field_text, AT(sc_step, run), NULL, required \
	}
#define STEP_EXPECT                                                         \
	{                                                                   \
		"expect", field_choice, AT(sc_step, expect), results, false \
	}

static const struct field nodes_fields[] = {{"nodes", field_texts, AT(sc_step, nodes), NULL, true},
					    END};
static const struct field clock_fields[] = {
    {"nodes", field_texts, AT(sc_step, nodes), NULL, true},
    {"shift", field_shift, AT(sc_step, shift_s), NULL, true},
    END};
static const struct field disk_fields[] = {{"nodes", field_texts, AT(sc_step, nodes), NULL, true},
					   {"full", field_bool, AT(sc_step, full), NULL, true},
					   END};
static const struct field load_fields[] = {
    {"nodes", field_texts, AT(sc_step, nodes), NULL, true}, STEP_EXPECT, END};
static const struct field initiate_fields[] = {
    STEP_NODE(true),
    STEP_CHILD(true),
    STEP_WITHIN,
    STEP_EXPECT,
    {"detached", field_bool, AT(sc_step, detached), NULL, false},
    END};
static const struct field terminate_fields[] = {
    STEP_NODE(true),
    STEP_CHILD(false),
    {"ike", field_text, AT(sc_step, ike), NULL, false},
    {"force", field_bool, AT(sc_step, force), NULL, false},
    STEP_WITHIN,
    STEP_EXPECT,
    END};
static const struct field rekey_fields[] = {
    {"nodes", field_texts, AT(sc_step, nodes), NULL, true},
    STEP_CHILD(false),
    {"ike", field_text, AT(sc_step, ike), NULL, false},
    {"times", field_count, AT(sc_step, count), NULL, false},
    {"times_long", field_count, AT(sc_step, count_long), NULL, false},
    {"every", field_ms, AT(sc_step, every_ms), NULL, false},
    {"detached", field_bool, AT(sc_step, detached), NULL, false},
    STEP_WITHIN,
    STEP_EXPECT,
    END};
static const struct field ping_fields[] = {STEP_FROM,	STEP_ADDRESS(true), STEP_SIZE, STEP_COUNT,
					   STEP_WITHIN, STEP_EXPECT,	    END};
static const struct field tcp_fields[] = {
    STEP_FROM, STEP_TO(true), STEP_ADDRESS(true), STEP_OCTETS, STEP_WITHIN, STEP_EXPECT, END};
static const struct field udp_fields[] = {STEP_FROM,
					  STEP_TO(true),
					  STEP_ADDRESS(true),
					  STEP_SIZE,
					  STEP_COUNT,
					  STEP_WITHIN,
					  STEP_EXPECT,
					  {"lost", field_fraction, AT(sc_step, lost), NULL, false},
					  END};
static const struct field traffic_fields[] = {
    {"name", field_text, AT(sc_step, name), NULL, true},
    {"protocol", field_choice, AT(sc_step, protocol), protocols, true},
    STEP_FROM,
    STEP_TO(true),
    STEP_ADDRESS(true),
    STEP_OCTETS,
    STEP_SIZE,
    STEP_COUNT,
    {"count_long", field_unsigned, AT(sc_step, count_long), NULL, false},
    {"rate", field_octets, AT(sc_step, rate), NULL, false},
    STEP_WITHIN,
    STEP_EXPECT,
    END};
static const struct field finish_fields[] = {
    {"traffic", field_text, AT(sc_step, name), NULL, true},
    {"lost", field_fraction, AT(sc_step, lost), NULL, false},
    {"pause", field_ms, AT(sc_step, pause_ms), NULL, false},
    STEP_WITHIN,
    STEP_EXPECT,
    END};
static const struct field wait_fields[] = {
    STEP_NODE(true),
    {"children", field_unsigned, AT(sc_step, children), NULL, false},
    {"sas", field_unsigned, AT(sc_step, sas), NULL, false},
    {"settled", field_text, AT(sc_step, settled), NULL, false},
    {"rekeyed", field_bool, AT(sc_step, rekeyed), NULL, false},
    {"event", field_text, AT(sc_step, event), NULL, false},
    {"times", field_unsigned, AT(sc_step, count), NULL, false},
    STEP_RUN(false),
    STEP_WITHIN,
    END};
static const struct field listed_fields[] = {
    STEP_NODE(true),
    STEP_CHILD(true),
    {"values", field_pairs, AT(sc_step, values), NULL, true},
    END};
static const struct field nat_reboot_fields[] = {STEP_NODE(true), END};
static const struct field network_fields[] = {
    STEP_NODE(true),
    {"remove", field_map_items, AT(sc_step, remove), &scenario_address_type, false},
    {"down", field_texts, AT(sc_step, down), NULL, false},
    {"up", field_texts, AT(sc_step, up), NULL, false},
    {"add", field_map_items, AT(sc_step, add), &scenario_address_type, false},
    {"routes", field_texts, AT(sc_step, routes), NULL, false},
    END};
static const struct field impair_fields[] = {
    {"wire", field_text, AT(sc_step, wire), NULL, true},
    {"to", field_struct, AT(sc_step, impairment), &scenario_impairment_type, true},
    END};
static const struct field release_fields[] = {{"wire", field_text, AT(sc_step, wire), NULL, true},
					      {"aim", field_text, AT(sc_step, name), NULL, false},
					      END};
static const struct field shell_fields[] = {STEP_NODE(true),
					    STEP_RUN(true),
					    STEP_WITHIN,
					    STEP_EXPECT,
					    {"show", field_text, AT(sc_step, show), NULL, false},
					    END};
static const struct field background_fields[] = {STEP_NODE(true), STEP_RUN(true), END};
static const struct field memory_fields[] = {
    STEP_NODE(true), {"growth", field_octets, AT(sc_step, octets), NULL, false}, END};
static const struct field idle_fields[] = {{"for", field_ms, AT(sc_step, within_ms), NULL, true},
					   END};

/* A fault that is to happen says what it needs; check_fault knows which kind needs what. */
static const struct field fault_fields[] = {
    {"kind", field_choice, AT(sc_fault, kind), fault_kinds, true},
    {"count", field_range, AT(sc_fault, count), NULL, true},
    {"wire", field_text, AT(sc_fault, wire), NULL, false},
    {"at", field_texts, AT(sc_fault, nodes), NULL, false},
    {"ike", field_text, AT(sc_fault, ike), NULL, false},
    {"child", field_text, AT(sc_fault, child), NULL, false},
    {"lasts", field_range_ms, AT(sc_fault, lasts_ms), NULL, false},
    {"together", field_range_ms, AT(sc_fault, together_ms), NULL, false},
    {"to", field_struct, AT(sc_fault, to), &scenario_impairment_type, false},
    END};
static const struct field_type fault_type = {sizeof(struct sc_fault), fault_fields, NULL,
					     AT(sc_fault, line)};

static const struct field flow_fields[] = {
    {"from", field_text, AT(sc_flow, from), NULL, true},
    {"to", field_text, AT(sc_flow, to), NULL, true},
    {"address", field_text, AT(sc_flow, address), NULL, true},
    {"every", field_ms, AT(sc_flow, every_ms), NULL, true},
    {"size", field_unsigned, AT(sc_flow, size), NULL, false},
    END};
static const struct field_type flow_type = {sizeof(struct sc_flow), flow_fields, NULL,
					    AT(sc_flow, line)};

static const struct field faults_fields[] = {
    {"for", field_ms, AT(sc_step, faults.for_ms), NULL, true},
    {"calm", field_ms, AT(sc_step, faults.calm_ms), NULL, true},
    {"rounds", field_unsigned, AT(sc_step, faults.rounds), NULL, false},
    {"drift", field_unsigned, AT(sc_step, faults.drift), NULL, false},
    {"children", field_range, AT(sc_step, faults.children), NULL, false},
    {"sas", field_unsigned, AT(sc_step, faults.sas), NULL, false},
    {"of", field_items, AT(sc_step, faults.of), &fault_type, true},
    {"traffic", field_items, AT(sc_step, faults.flows), &flow_type, true},
    END};

static const struct field_type step_types[STEP_KINDS_COUNT] = {
#define TYPE(table, short_key)                                              \
	{                                                                   \
		sizeof(struct sc_step), table, short_key, AT(sc_step, line) \
	}
    [STEP_START] = TYPE(nodes_fields, "nodes"),
    [STEP_STOP] = TYPE(nodes_fields, "nodes"),
    [STEP_KILL] = TYPE(nodes_fields, "nodes"),
    [STEP_PAUSE] = TYPE(nodes_fields, "nodes"),
    [STEP_RESUME] = TYPE(nodes_fields, "nodes"),
    [STEP_CLOCK] = TYPE(clock_fields, NULL),
    [STEP_DISK] = TYPE(disk_fields, NULL),
    [STEP_RESTART] = TYPE(nodes_fields, "nodes"),
    [STEP_LOAD] = TYPE(load_fields, "nodes"),
    [STEP_INITIATE] = TYPE(initiate_fields, NULL),
    [STEP_TERMINATE] = TYPE(terminate_fields, NULL),
    [STEP_REKEY] = TYPE(rekey_fields, NULL),
    [STEP_PING] = TYPE(ping_fields, NULL),
    [STEP_TCP] = TYPE(tcp_fields, NULL),
    [STEP_UDP] = TYPE(udp_fields, NULL),
    [STEP_TRAFFIC] = TYPE(traffic_fields, NULL),
    [STEP_FINISH] = TYPE(finish_fields, "traffic"),
    [STEP_WAIT] = TYPE(wait_fields, NULL),
    [STEP_LISTED] = TYPE(listed_fields, NULL),
    [STEP_NAT_REBOOT] = TYPE(nat_reboot_fields, "node"),
    [STEP_NETWORK] = TYPE(network_fields, NULL),
    [STEP_IMPAIR] = TYPE(impair_fields, NULL),
    [STEP_RELEASE] = TYPE(release_fields, "wire"),
    [STEP_SHELL] = TYPE(shell_fields, NULL),
    [STEP_BACKGROUND] = TYPE(background_fields, NULL),
    [STEP_MEMORY] = TYPE(memory_fields, "node"),
    [STEP_IDLE] = TYPE(idle_fields, "for"),
    [STEP_FAULTS] = TYPE(faults_fields, NULL),
};

const char *step_kind_name(enum step_kind kind)
{
	static const char *const names[] = {
#define X(id, name, help) name,
	    STEP_KINDS(X)
#undef X
	};

	return names[kind];
}

const char *fault_kind_name(enum fault_kind kind)
{
	return fault_kinds[kind];
}

static bool find_step_kind(const char *name, enum step_kind *ret_kind)
{
	int i;

	for (i = 0; i < STEP_KINDS_COUNT; i++) {
		if (strcmp(step_kind_name((enum step_kind)i), name) == 0) {
			*ret_kind = (enum step_kind)i;
			return true;
		}
	}
	return false;
}

static int unknown_step(const struct doc *doc, const struct doc_node *node, struct err_msg *msg)
{
	char known[320];
	size_t len = 0;
	int i;

	for (i = 0; i < STEP_KINDS_COUNT && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					step_kind_name((enum step_kind)i));
	return doc_error(doc, node->line, msg, "unknown step '%s'; there are: %s", node->key,
			 known);
}

static int field_step(struct doc *doc, const struct field *field, const struct doc_node *node,
		      void *out, struct err_msg *msg)
{
	struct sc_step *step = out;
	struct field inner = {.key = node->key, .read = field_struct};

	(void)field;
	*step = (struct sc_step){.line = node->line, .children = -1, .sas = -1};
	if (!find_step_kind(node->key, &step->kind))
		return unknown_step(doc, node, msg);
	inner.arg = &step_types[step->kind];
	return field_struct(doc, &inner, node, out, msg);
}

/* The list of steps: each item is a mapping of one key. */
int scenario_field_steps(struct doc *doc, const struct field *field, const struct doc_node *node,
			 void *out, struct err_msg *msg)
{
	const struct doc_node *item;
	struct item_list *list = out;
	size_t count = 0;
	int err;

	if (node->kind != DOC_LIST)
		return doc_error(doc, node->line, msg, "'%s' must be a list", field->key);
	for (item = node->child; item; item = item->next)
		count++;
	list->items = doc_alloc(doc, sizeof(struct sc_step) * (count + 1));
	if (!list->items)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (item = node->child; item; item = item->next) {
		if (item->kind != DOC_MAP || !item->child || item->child->next)
			return doc_error(doc, item->line, msg,
					 "a step is one key, the kind, and what it takes: 'start: "
					 "vps'");
		err = field_step(doc, field, item->child,
				 (struct sc_step *)list->items + list->count, msg);
		if (err < 0)
			return err;
		list->count++;
	}
	return 0;
}
