/* scenario.c - the tables of a scenario's keys, and what must hold between its parts.
 *
 * Whether nodes, interfaces and routes fit together is for plan.c, which knows the base topology;
 * here is what the file alone can tell: unknown keys, malformed values, steps that name no
 * endpoint, credentials without their CA. */
#include "harness/scenario.h"
#include "harness/occurred.h"
#include "harness/params.h"
#include "harness/stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, member) offsetof(struct type, member)
#define END                 \
	{                   \
		.key = NULL \
	}

static const char *const nat_ports[] = {"preserve", "random", NULL};
static const char *const bases[] = {"none", "seed", NULL};
static const char *const places[] = {"auto", "outer", "inside", NULL};
static const char *const credential_kinds[] = {"self-signed", "ca", "issued", NULL};
static const char *const credential_keys[] = {"ed25519", "rsa", "ecdsa", "rsa4096", NULL};
static const char *const protocols[] = {
    [STREAM_TCP] = "tcp", [STREAM_UDP] = "udp", [STREAM_FLOOD] = "ike-flood", NULL};
static const char *const nat_dependences[] = {"address-and-port", "address", "nothing", NULL};
static const char *const fault_kinds[] = {
#define X(id, name, help) name,
    FAULT_KINDS(X)
#undef X
	NULL};
static const char *const results[] = {"ok", "fail", NULL};
static const char *const verdicts[] = {"pass", "fail", NULL};

static const struct field address_fields[] = {
    {"prefixes", field_texts, AT(sc_address, prefixes), NULL, true}, END};
static const struct field_type address_type = {sizeof(struct sc_address), address_fields,
					       "prefixes", AT(sc_address, line)};

static const struct field bridge_fields[] = {
    {"ports", field_texts, AT(sc_bridge, ports), NULL, true}, END};
static const struct field_type bridge_type = {sizeof(struct sc_bridge), bridge_fields, "ports",
					      AT(sc_bridge, line)};

static const struct field nat_fields[] = {
    {"inside", field_text, AT(sc_nat, inside), NULL, true},
    {"outside", field_text, AT(sc_nat, outside), NULL, true},
    {"ports", field_choice, AT(sc_nat, ports), nat_ports, false},
    {"udp_timeout", field_ms, AT(sc_nat, udp_ms), NULL, false},
    {"mapping", field_choice, AT(sc_nat, mapping), nat_dependences, false},
    {"filtering", field_choice, AT(sc_nat, filtering), nat_dependences, false},
    {"hairpin", field_bool, AT(sc_nat, hairpin), NULL, false},
    END};
static const struct field_type nat_type = {sizeof(struct sc_nat), nat_fields, NULL,
					   AT(sc_nat, line)};

static const struct field node_fields[] = {
    {"name", field_text, AT(sc_node, name), NULL, true},
    {"addresses", field_map_items, AT(sc_node, addresses), &address_type, false},
    {"bridges", field_map_items, AT(sc_node, bridges), &bridge_type, false},
    {"routes", field_texts, AT(sc_node, routes), NULL, false},
    {"sysctls", field_pairs, AT(sc_node, sysctls), NULL, false},
    {"nat", field_struct, AT(sc_node, nat), &nat_type, false},
    {"nftables", field_block, AT(sc_node, nftables), NULL, false},
    {"nftables_file", field_text, AT(sc_node, nftables_file), NULL, false},
    END};
static const struct field_type node_type = {sizeof(struct sc_node), node_fields, "name",
					    AT(sc_node, line)};

static const struct field impairment_fields[] = {
    {"loss", field_fraction, AT(sc_impairment, loss), NULL, false},
    {"duplicate", field_fraction, AT(sc_impairment, duplicate), NULL, false},
    {"reorder", field_fraction, AT(sc_impairment, reorder), NULL, false},
    {"delay", field_ms, AT(sc_impairment, delay_ms), NULL, false},
    {"jitter", field_ms, AT(sc_impairment, jitter_ms), NULL, false},
    {"rate", field_octets, AT(sc_impairment, rate), NULL, false},
    {"mtu", field_mtu, AT(sc_impairment, mtu), NULL, false},
    {"icmp", field_bool, AT(sc_impairment, icmp), NULL, false},
    {"aims", field_aims, AT(sc_impairment, aims), NULL, false},
    END};
static const struct field_type impairment_type = {sizeof(struct sc_impairment), impairment_fields,
						  NULL, AT(sc_impairment, line)};

static const struct field link_fields[] = {
    {"ends", field_texts, AT(sc_link, ends), NULL, true},
    {"mtu", field_mtu, AT(sc_link, mtu), NULL, false},
    {"place", field_choice, AT(sc_link, place), places, false},
    {"wire", field_struct, AT(sc_link, wire), &impairment_type, false},
    END};
static const struct field_type link_type = {sizeof(struct sc_link), link_fields, "ends",
					    AT(sc_link, line)};

static const struct field topology_fields[] = {
    {"base", field_choice, AT(sc_topology, base), bases, false},
    {"nat", field_choice, AT(sc_topology, nat), nat_ports, false},
    {"without_routes", field_texts, AT(sc_topology, without_routes), NULL, false},
    {"without_nat", field_texts, AT(sc_topology, without_nat), NULL, false},
    {"nodes", field_items, AT(sc_topology, nodes), &node_type, false},
    {"links", field_items, AT(sc_topology, links), &link_type, false},
    END};
static const struct field_type topology_type = {sizeof(struct sc_topology), topology_fields, "base",
						AT(sc_topology, line)};

static const struct field credential_fields[] = {
    {"name", field_text, AT(sc_credential, name), NULL, true},
    {"kind", field_choice, AT(sc_credential, kind), credential_kinds, true},
    {"key", field_choice, AT(sc_credential, key), credential_keys, false},
    {"ca", field_text, AT(sc_credential, ca), NULL, false},
    {"expired", field_bool, AT(sc_credential, expired), NULL, false},
    {"private_at", field_texts, AT(sc_credential, private_at), NULL, false},
    {"certificate_at", field_texts, AT(sc_credential, certificate_at), NULL, false},
    END};
static const struct field_type credential_type = {sizeof(struct sc_credential), credential_fields,
						  NULL, AT(sc_credential, line)};

static const struct field inner_fields[] = {
    {"interface", field_text, AT(sc_inner, interface), NULL, false},
    {"addresses", field_texts, AT(sc_inner, addresses), NULL, true},
    {"routes", field_texts, AT(sc_inner, routes), NULL, false},
    END};
static const struct field_type inner_type = {sizeof(struct sc_inner), inner_fields, "addresses",
					     AT(sc_inner, line)};

static const struct field endpoint_fields[] = {
    {"node", field_text, AT(sc_endpoint, node), NULL, true},
    {"peer", field_text, AT(sc_endpoint, peer), NULL, false},
    {"config", field_text, AT(sc_endpoint, config), NULL, false},
    {"config_file", field_text, AT(sc_endpoint, config_file), NULL, false},
    {"substitute", field_pairs, AT(sc_endpoint, substitute), NULL, false},
    {"inner", field_items, AT(sc_endpoint, inner), &inner_type, false},
    {"beetd_args", field_texts, AT(sc_endpoint, beetd_args), NULL, false},
    {"strongswan_conf", field_text, AT(sc_endpoint, strongswan_conf), NULL, false},
    END};
static const struct field_type endpoint_type = {sizeof(struct sc_endpoint), endpoint_fields, NULL,
						AT(sc_endpoint, line)};

static const struct field expectation_fields[] = {
    {"check", field_text, AT(sc_expectation, check), NULL, false},
    {"occurred", field_text, AT(sc_expectation, occurred), NULL, false},
    {"with", field_pairs, AT(sc_expectation, with), NULL, false},
    {"verdict", field_choice, AT(sc_expectation, verdict), verdicts, false},
    {"finding", field_text, AT(sc_expectation, finding), NULL, false},
    {"because", field_text, AT(sc_expectation, because), NULL, false},
    END};
static const struct field_type expectation_type = {
    sizeof(struct sc_expectation), expectation_fields, NULL, AT(sc_expectation, line)};

/* --- steps: a mapping of one key, the kind; what it may hold depends on the kind --- */

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
    {"remove", field_map_items, AT(sc_step, remove), &address_type, false},
    {"down", field_texts, AT(sc_step, down), NULL, false},
    {"up", field_texts, AT(sc_step, up), NULL, false},
    {"add", field_map_items, AT(sc_step, add), &address_type, false},
    {"routes", field_texts, AT(sc_step, routes), NULL, false},
    END};
static const struct field impair_fields[] = {
    {"wire", field_text, AT(sc_step, wire), NULL, true},
    {"to", field_struct, AT(sc_step, impairment), &impairment_type, true},
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
    {"to", field_struct, AT(sc_fault, to), &impairment_type, false},
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
	*step = (struct sc_step){
	    .line = node->line, .children = -1, .sas = -1, .impairment.icmp = true};
	if (!find_step_kind(node->key, &step->kind))
		return unknown_step(doc, node, msg);
	inner.arg = &step_types[step->kind];
	return field_struct(doc, &inner, node, out, msg);
}

/* The list of steps: each item is a mapping of one key. */
static int field_steps(struct doc *doc, const struct field *field, const struct doc_node *node,
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

static const struct field scenario_fields[] = {
    {"name", field_text, AT(scenario, name), NULL, true},
    {"purpose", field_text, AT(scenario, purpose), NULL, true},
    {"needs", field_texts, AT(scenario, needs), NULL, false},
    {"pairs", field_texts, AT(scenario, pairs), NULL, false},
    {"runs", field_count, AT(scenario, runs), NULL, false},
    {"topology", field_struct, AT(scenario, topology), &topology_type, true},
    {"credentials", field_items, AT(scenario, credentials), &credential_type, false},
    {"endpoints", field_items, AT(scenario, endpoints), &endpoint_type, false},
    {"steps", field_steps, AT(scenario, steps), NULL, true},
    {"expect", field_items, AT(scenario, expect), &expectation_type, false},
    END};

/* --- what must hold between the parts --- */

static const struct sc_endpoint *find_endpoint(const struct scenario *sc, const char *node)
{
	const struct sc_endpoint *endpoint = sc->endpoints.items;
	size_t i;

	for (i = 0; i < sc->endpoints.count; i++)
		if (strcmp(endpoint[i].node, node) == 0)
			return &endpoint[i];
	return NULL;
}

static int check_endpoint(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_endpoint *endpoint = (struct sc_endpoint *)sc->endpoints.items + index;

	if (find_endpoint(sc, endpoint->node) != endpoint)
		return doc_error(sc->doc, endpoint->line, msg, "a second endpoint at '%s'",
				 endpoint->node);
	if (!endpoint->config == !endpoint->config_file)
		return doc_error(sc->doc, endpoint->line, msg,
				 "an endpoint has either 'config' or 'config_file'");
	return 0;
}

static const struct sc_credential *find_credential(const struct scenario *sc, const char *name)
{
	const struct sc_credential *credential = sc->credentials.items;
	size_t i;

	for (i = 0; i < sc->credentials.count; i++)
		if (strcmp(credential[i].name, name) == 0)
			return &credential[i];
	return NULL;
}

static int check_at(const struct scenario *sc, const struct text_list *nodes, unsigned line,
		    struct err_msg *msg)
{
	size_t i;

	for (i = 0; i < nodes->count; i++)
		if (!find_endpoint(sc, nodes->items[i]))
			return doc_error(sc->doc, line, msg, "no endpoint at '%s'",
					 nodes->items[i]);
	return 0;
}

static int check_credential(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_credential *cred = (struct sc_credential *)sc->credentials.items + index;
	const struct sc_credential *ca = cred->ca ? find_credential(sc, cred->ca) : NULL;
	int err;

	if (find_credential(sc, cred->name) != cred)
		return doc_error(sc->doc, cred->line, msg, "a second credential named '%s'",
				 cred->name);
	if ((cred->kind == CRED_ISSUED) != (cred->ca != NULL))
		return doc_error(sc->doc, cred->line, msg,
				 "'ca' goes with kind 'issued', and with no other");
	if (cred->ca && (!ca || ca->kind != CRED_CA || ca > cred))
		return doc_error(sc->doc, cred->line, msg,
				 "'%s' must be a credential of kind 'ca' that stands before",
				 cred->ca);
	err = check_at(sc, &cred->private_at, cred->line, msg);
	return err < 0 ? err : check_at(sc, &cred->certificate_at, cred->line, msg);
}

/* --- faults --- */

static int check_fault(const struct scenario *sc, const struct sc_fault *f, struct err_msg *msg)
{
	bool on_wire = f->kind == FAULT_OUTAGE || f->kind == FAULT_IMPAIR;
	bool has_length = on_wire || f->kind == FAULT_KILL || f->kind == FAULT_TERMINATE;
	const char *name = fault_kind_name((enum fault_kind)f->kind);

	if (on_wire != (f->wire != NULL) || on_wire == (f->nodes.count > 0))
		return doc_error(sc->doc, f->line, msg, "%s takes %s", name,
				 on_wire ? "'wire', and no 'at'"
					 : "'at', its nodes, and no 'wire'");
	if (has_length != (f->lasts_ms.hi > 0))
		return doc_error(sc->doc, f->line, msg, "%s takes %s", name,
				 has_length ? "'lasts'" : "no 'lasts'");
	if ((f->kind == FAULT_IMPAIR) != (f->to.line > 0))
		return doc_error(sc->doc, f->line, msg, "'to' goes with kind 'impair'");
	if ((f->kind == FAULT_REKEY_IKE || f->kind == FAULT_TERMINATE) != (f->ike != NULL))
		return doc_error(sc->doc, f->line, msg, "'ike' goes with rekey-ike and terminate");
	if ((f->kind == FAULT_REKEY_CHILD || f->kind == FAULT_INITIATE ||
	     f->kind == FAULT_TERMINATE) != (f->child != NULL))
		return doc_error(sc->doc, f->line, msg,
				 "'child' goes with rekey-child, initiate and terminate");
	return f->kind == FAULT_NAT_REBOOT ? 0 : check_at(sc, &f->nodes, f->line, msg);
}

static int check_faults(const struct scenario *sc, const struct sc_step *step, struct err_msg *msg)
{
	const struct sc_fault *faults = step->faults.of.items;
	size_t i;
	int err = 0;

	for (i = 0; i < step->faults.of.count && err == 0; i++)
		err = check_fault(sc, &faults[i], msg);
	return err;
}

static bool drives_endpoint(enum step_kind kind)
{
	return kind == STEP_MEMORY || kind == STEP_INITIATE || kind == STEP_TERMINATE ||
	       kind == STEP_LISTED;
}

static int check_wait(const struct scenario *sc, const struct sc_step *step, struct err_msg *msg)
{
	unsigned conditions = (step->children >= 0) + (step->sas >= 0) + (step->settled != NULL) +
			      (step->event != NULL) + (step->run != NULL);

	if (conditions != 1)
		return doc_error(sc->doc, step->line, msg,
				 "'wait' waits for one of children, sas, settled, event, run");
	if (!step->run && !find_endpoint(sc, step->node))
		return doc_error(sc->doc, step->line, msg, "no endpoint at '%s'", step->node);
	return 0;
}

/* The traffic that a name means at a step: the last that was started before it. */
static const struct sc_step *find_traffic(const struct scenario *sc, size_t before,
					  const char *name)
{
	const struct sc_step *steps = sc->steps.items;

	while (before-- > 0)
		if (steps[before].name && strcmp(steps[before].name, name) == 0)
			return steps[before].kind == STEP_TRAFFIC ? &steps[before] : NULL;
	return NULL;
}

static int check_traffic(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_step *step = (struct sc_step *)sc->steps.items + index;

	if (find_traffic(sc, index, step->name))
		return doc_error(sc->doc, step->line, msg, "traffic '%s' is not finished yet",
				 step->name);
	if (step->protocol == STREAM_FLOOD && (step->size || step->octets))
		return doc_error(sc->doc, step->line, msg, "a flood has 'count' and 'rate' alone");
	if (step->protocol == STREAM_TCP && (step->size || step->count))
		return doc_error(sc->doc, step->line, msg,
				 "'size' and 'count' are of udp; tcp has 'octets'");
	if (step->protocol == STREAM_UDP && step->octets)
		return doc_error(sc->doc, step->line, msg,
				 "'octets' is of tcp; udp has 'size' and 'count'");
	return 0;
}

static int check_finish(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	struct sc_step *step = (struct sc_step *)sc->steps.items + index;
	const struct sc_step *traffic = find_traffic(sc, index, step->name);

	if (!traffic)
		return doc_error(sc->doc, step->line, msg, "no traffic '%s' was started before",
				 step->name);
	step->protocol = traffic->protocol;
	return 0;
}

static int check_step(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_step *step = (struct sc_step *)sc->steps.items + index;

	if ((step->kind == STEP_REKEY || step->kind == STEP_TERMINATE) &&
	    !step->child == !step->ike)
		return doc_error(sc->doc, step->line, msg, "'%s' takes either 'child' or 'ike'",
				 step_kind_name(step->kind));
	if (step->kind == STEP_TRAFFIC)
		return check_traffic(sc, index, msg);
	if (step->kind == STEP_FINISH)
		return check_finish(sc, index, msg);
	if (step->kind == STEP_WAIT)
		return check_wait(sc, step, msg);
	if (step->kind == STEP_FAULTS)
		return check_faults(sc, step, msg);
	if (drives_endpoint(step->kind) && !find_endpoint(sc, step->node))
		return doc_error(sc->doc, step->line, msg, "no endpoint at '%s'", step->node);
	return check_at(sc, &step->nodes, step->line, msg);
}

static int check_expectation(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_expectation *e = (struct sc_expectation *)sc->expect.items + index;

	if (!e->check == !e->occurred)
		return doc_error(sc->doc, e->line, msg,
				 "an expectation names either a 'check' or what 'occurred'");
	if (e->finding && !e->because)
		return doc_error(sc->doc, e->line, msg, "a finding says why: 'because' is missing");
	return e->check ? params_validate(sc->doc, e, msg) : occurred_validate(sc->doc, e, msg);
}

typedef int check_item_fn(const struct scenario *sc, size_t index, struct err_msg *msg);

static int check_each(const struct scenario *sc, size_t count, check_item_fn *fn,
		      struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < count && err == 0; i++)
		err = fn(sc, i, msg);
	return err;
}

static int check_scenario(const struct scenario *sc, struct err_msg *msg)
{
	int err = check_each(sc, sc->endpoints.count, check_endpoint, msg);

	if (err == 0)
		err = check_each(sc, sc->credentials.count, check_credential, msg);
	if (err == 0)
		err = check_each(sc, sc->steps.count, check_step, msg);
	if (err == 0)
		err = check_each(sc, sc->expect.count, check_expectation, msg);
	return err;
}

/* Takes the document over, also on failure. */
static int from_doc(struct doc *doc, struct scenario **ret_scenario, struct err_msg *msg)
{
	struct scenario *sc = calloc(1, sizeof(*sc));
	int err;

	if (!sc) {
		doc_free(doc);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	sc->doc = doc;
	sc->path = doc_path(doc);
	err = fields_read(doc, scenario_fields, doc_root(doc), sc, msg);
	if (err == 0)
		err = check_scenario(sc, msg);
	if (err < 0)
		scenario_free(sc);
	else
		*ret_scenario = sc;
	return err;
}

int scenario_load(const char *path, struct scenario **ret_scenario, struct err_msg *msg)
{
	struct doc *doc;
	int err = doc_load(path, &doc, msg);

	return err < 0 ? err : from_doc(doc, ret_scenario, msg);
}

int scenario_parse(const char *path, const char *text, size_t len, struct scenario **ret_scenario,
		   struct err_msg *msg)
{
	struct doc *doc;
	int err = doc_parse(path, text, len, &doc, msg);

	return err < 0 ? err : from_doc(doc, ret_scenario, msg);
}

void scenario_make_long(struct scenario *scenario)
{
	struct sc_step *steps = scenario->steps.items;
	size_t i;

	for (i = 0; i < scenario->steps.count; i++)
		if (steps[i].count_long)
			steps[i].count = steps[i].count_long;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	doc_free(scenario->doc);
	free(scenario);
}
