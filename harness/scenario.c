/* scenario.c - a scenario file: the tables of its topology, its ends and its expectations.
 *
 * Whether nodes, interfaces and routes fit together is for plan.c, which knows the base topology;
 * here is what the file alone can tell: unknown keys, malformed values, steps that name no
 * endpoint, credentials without their CA. */
#include "harness/scenario.h"

#include "harness/scenario_internal.h"
#include <stdlib.h>

static const char *const nat_ports[] = {"preserve", "random", NULL};
static const char *const bases[] = {"none", "seed", NULL};
static const char *const places[] = {"auto", "outer", "inside", NULL};
static const char *const credential_kinds[] = {"self-signed", "ca", "issued", NULL};
static const char *const credential_keys[] = {"ed25519", "rsa", "ecdsa", "rsa4096", NULL};
static const char *const nat_dependences[] = {"address-and-port", "address", "nothing", NULL};
static const char *const verdicts[] = {"pass", "fail", "any", NULL}; /* enum wanted_verdict */

static const struct field address_fields[] = {
    {"prefixes", field_texts, AT(sc_address, prefixes), NULL, true}, END};
const struct field_type scenario_address_type = {sizeof(struct sc_address), address_fields,
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
    {"pass_through", field_bool, AT(sc_nat, pass_through), NULL, false},
    END};
static const struct field_type nat_type = {sizeof(struct sc_nat), nat_fields, NULL,
					   AT(sc_nat, line)};

static const struct field node_fields[] = {
    {"name", field_text, AT(sc_node, name), NULL, true},
    {"addresses", field_map_items, AT(sc_node, addresses), &scenario_address_type, false},
    {"bridges", field_map_items, AT(sc_node, bridges), &bridge_type, false},
    {"routes", field_texts, AT(sc_node, routes), NULL, false},
    {"sysctls", field_pairs, AT(sc_node, sysctls), NULL, false},
    {"nat", field_struct, AT(sc_node, nat), &nat_type, false},
    {"nftables", field_block, AT(sc_node, nftables), NULL, false},
    {"nftables_file", field_text, AT(sc_node, nftables_file), NULL, false},
    END};
static const struct field_type node_type = {sizeof(struct sc_node), node_fields, "name",
					    AT(sc_node, line)};

static const struct field link_fields[] = {
    {"ends", field_texts, AT(sc_link, ends), NULL, true},
    {"mtu", field_mtu, AT(sc_link, mtu), NULL, false},
    {"place", field_choice, AT(sc_link, place), places, false},
    {"wire", field_struct, AT(sc_link, wire), &scenario_impairment_type, false},
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
    {"explain", field_text, AT(sc_expectation, explain), NULL, false},
    {"with", field_pairs, AT(sc_expectation, with), NULL, false},
    {"verdict", field_choice, AT(sc_expectation, verdict), verdicts, false},
    {"finding", field_text, AT(sc_expectation, finding), NULL, false},
    {"because", field_text, AT(sc_expectation, because), NULL, false},
    END};
static const struct field_type expectation_type = {
    sizeof(struct sc_expectation), expectation_fields, NULL, AT(sc_expectation, line)};

static const struct field scenario_fields[] = {
    {"name", field_text, AT(scenario, name), NULL, true},
    {"purpose", field_text, AT(scenario, purpose), NULL, true},
    {"needs", field_texts, AT(scenario, needs), NULL, false},
    {"pairs", field_texts, AT(scenario, pairs), NULL, false},
    {"runs", field_count, AT(scenario, runs), NULL, false},
    {"topology", field_struct, AT(scenario, topology), &topology_type, true},
    {"credentials", field_items, AT(scenario, credentials), &credential_type, false},
    {"endpoints", field_items, AT(scenario, endpoints), &endpoint_type, false},
    {"steps", scenario_field_steps, AT(scenario, steps), NULL, true},
    {"expect", field_items, AT(scenario, expect), &expectation_type, false},
    END};

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
		err = scenario_check(sc, msg);
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
