/* describe.c - SAs as JSON. Names are those of swanctl's list-sas with '-' written '_', so that a
 * reader who knows the one knows the other; SPIs and keys are hexadecimal without a prefix. What is
 * not known yet is left out. */
#include "vpn/daemon/describe.h"

#include "vpn/base/hex.h"
#include "vpn/crypto/alg.h"

static void put(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

json_t *describe_endpoint(const struct endpoint *e)
{
	char text[ENDPOINT_STRLEN];

	if (!ip_addr_is_set(&e->addr))
		return NULL;
	return json_string(endpoint_format(e, text, sizeof(text)));
}

json_t *describe_addr(const struct ip_addr *addr)
{
	char text[IP_ADDR_STRLEN];

	return json_string(ip_addr_format(addr, text, sizeof(text)));
}

json_t *describe_spi64(uint64_t spi)
{
	return json_sprintf("%016llx", (unsigned long long)spi);
}

json_t *describe_spi32(uint32_t spi)
{
	return json_sprintf("%08x", spi);
}

json_t *describe_hex(struct view octets)
{
	char text[2 * IPSEC_KEY_MAX + 1];

	return json_string(hex_format(octets.p, octets.len, text, sizeof(text)));
}

json_t *describe_selectors(const struct ts_list *list)
{
	json_t *array = json_array();
	char text[TS_STRLEN];
	size_t i;

	for (i = 0; list && i < list->n; i++)
		json_array_append_new(array,
				      json_string(ts_format(&list->v[i], text, sizeof(text))));
	return array;
}

json_t *describe_time(uint64_t unix_us)
{
	return json_real((double)unix_us / 1e6);
}

json_t *describe_alg(int transform_type, uint16_t id, uint16_t bits)
{
	char text[64];

	if (!id)
		return NULL;
	return json_string(
	    alg_format((enum transform_type)transform_type, id, bits, text, sizeof(text)));
}

static json_t *describe_identity(const struct identity *id)
{
	char text[IDENTITY_STRLEN];

	return id ? json_string(identity_format(id, text, sizeof(text))) : NULL;
}

json_t *describe_ike_sa(const struct ike_sa_info *sa)
{
	json_t *o = json_object();

	put(o, "name", json_string(sa->conn ? sa->conn->name : ""));
	put(o, "id", json_integer(sa->id));
	put(o, "state", json_string(ike_sa_state_name(sa->state)));
	put(o, "initiator", json_boolean(sa->initiator));
	put(o, "spi_i", describe_spi64(sa->spi_i));
	if (sa->spi_r)
		put(o, "spi_r", describe_spi64(sa->spi_r));
	put(o, "local", describe_endpoint(&sa->local));
	put(o, "remote", describe_endpoint(&sa->remote));
	put(o, "local_id", describe_identity(sa->local_id));
	put(o, "remote_id", describe_identity(sa->remote_id));
	put(o, "nat_local", json_boolean(sa->nat_local));
	put(o, "nat_remote", json_boolean(sa->nat_remote));
	put(o, "nat_fake", json_boolean(sa->nat_fake));
	if (sa->have_keys) {
		put(o, "encr", describe_alg(TRANSFORM_ENCR, sa->encr, sa->encr_bits));
		put(o, "integ", describe_alg(TRANSFORM_INTEG, sa->integ, 0));
		put(o, "prf", describe_alg(TRANSFORM_PRF, sa->prf, 0));
		put(o, "ke", describe_alg(TRANSFORM_KE, sa->ke, 0));
	}
	return o;
}

json_t *describe_child_sa(const struct child_sa_info *child)
{
	json_t *o = json_object();

	put(o, "name", json_string(child->cfg ? child->cfg->name : ""));
	put(o, "id", json_integer(child->id));
	put(o, "reqid", json_integer(child->reqid));
	put(o, "state", json_string(child_sa_state_name(child->state)));
	put(o, "mode", json_string(ipsec_mode_name(child->mode)));
	if (child->cfg)
		put(o, "mode_asked", json_string(ipsec_mode_name(child->cfg->mode)));
	if (child->mode_reason)
		put(o, "mode_reason", json_string(child->mode_reason));
	put(o, "encap", json_boolean(child->encap));
	put(o, "spi_in", describe_spi32(child->spi_in));
	put(o, "spi_out", describe_spi32(child->spi_out));
	put(o, "encr", describe_alg(TRANSFORM_ENCR, child->alg.encr, child->alg.encr_bits));
	put(o, "integ", describe_alg(TRANSFORM_INTEG, child->alg.integ, 0));
	put(o, "ke", describe_alg(TRANSFORM_KE, child->ke, 0));
	put(o, "esn", json_boolean(child->alg.esn));
	put(o, "local_ts", describe_selectors(child->local_ts));
	put(o, "remote_ts", describe_selectors(child->remote_ts));
	put(o, "if_id_in", json_integer(child->if_id_in));
	put(o, "if_id_out", json_integer(child->if_id_out));
	return o;
}
