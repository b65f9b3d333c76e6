/* scenario_wire.c - the keys of what a wire does to packets. */
#include "harness/scenario_internal.h"

#include "harness/aim.h"

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
const struct field_type scenario_impairment_type = {sizeof(struct sc_impairment), impairment_fields,
						    NULL, AT(sc_impairment, line)};
