/* scenario_wire.c - the keys of what a wire does to packets: in both directions, or towards one of
 * its ends. What is said of a direction stands there alone, in place of what is said of both. */
#include "harness/scenario_internal.h"

#include "harness/aim.h"

/* "icmp: no" */
static int field_no(struct doc *doc, const struct field *field, const struct doc_node *node,
		    void *out, struct err_msg *msg)
{
	bool yes;
	int err = field_bool(doc, field, node, &yes, msg);

	if (err == 0)
		*(bool *)out = !yes;
	return err;
}

static const struct field burst_fields[] = {
    {"begins", field_fraction, AT(sc_burst, begins), NULL, true},
    {"ends", field_fraction, AT(sc_burst, ends), NULL, true},
    {"loss", field_fraction, AT(sc_burst, loss), NULL, false},
    END};
static const struct field_type burst_type = {sizeof(struct sc_burst), burst_fields, NULL,
					     AT(sc_burst, line)};

#define TREATMENT(type, at)                                                              \
	{"loss", field_fraction, AT(type, at.loss), NULL, false},                        \
	    {"burst", field_struct, AT(type, at.burst), &burst_type, false},             \
	    {"corrupt", field_fraction, AT(type, at.corrupt), NULL, false},              \
	    {"duplicate", field_fraction, AT(type, at.duplicate), NULL, false},          \
	    {"reorder", field_fraction, AT(type, at.reorder), NULL, false},              \
	    {"delay", field_ms, AT(type, at.delay_ms), NULL, false},                     \
	    {"jitter", field_ms, AT(type, at.jitter_ms), NULL, false},                   \
	    {"jitter_reorders", field_bool, AT(type, at.jitter_reorders), NULL, false},  \
	    {"rate", field_octets, AT(type, at.rate), NULL, false},                      \
	    {"queue", field_count, AT(type, at.queue), NULL, false},                     \
	    {"mtu", field_mtu, AT(type, at.mtu), NULL, false},                           \
	    {"icmp", field_no, AT(type, at.icmp_filtered), NULL, false},                 \
	    {"icmp_per_second", field_count, AT(type, at.icmp_per_second), NULL, false}, \
	{                                                                                \
		"fragments", field_no, AT(type, at.fragments_dropped), NULL, false       \
	}

static const struct field towards_fields[] = {TREATMENT(sc_towards, treatment), END};
static const struct field_type towards_type = {sizeof(struct sc_towards), towards_fields, NULL,
					       AT(sc_towards, line)};

static const struct field impairment_fields[] = {
    TREATMENT(sc_impairment, both),
    {"towards", field_map_items, AT(sc_impairment, towards), &towards_type, false},
    {"aims", field_aims, AT(sc_impairment, aims), NULL, false},
    END};
const struct field_type scenario_impairment_type = {sizeof(struct sc_impairment), impairment_fields,
						    NULL, AT(sc_impairment, line)};
