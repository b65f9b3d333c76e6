/* sa_message.c - an IKE SA and a Child SA as list-sas and the updown events show them.
 *
 * Times go out in whole seconds, relative to now. Beyond strongSwan's fields: mode-reason, why
 * another mode came out than was asked for. */
#include "vpn/control/internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "vpn/crypto/alg.h"

#define SECOND UINT64_C(1000000)

static void put_since(struct vici_writer *v, const char *key, uint64_t then, uint64_t now)
{
	if (then)
		vici_value_fmt(v, key, "%" PRIu64, then < now ? (now - then) / SECOND : 0);
}

static void put_until(struct vici_writer *v, const char *key, uint64_t then, uint64_t now)
{
	if (then)
		vici_value_fmt(v, key, "%" PRIu64, then > now ? (then - now) / SECOND : 0);
}

static void put_alg(struct vici_writer *v, const char *key, enum transform_type type, uint16_t id)
{
	char text[40];

	if (id)
		vici_value_str(v, key, alg_format(type, id, 0, text, sizeof(text)));
}

static void put_encr(struct vici_writer *v, uint16_t encr, uint16_t bits)
{
	put_alg(v, "encr-alg", TRANSFORM_ENCR, encr);
	if (bits)
		vici_value_fmt(v, "encr-keysize", "%u", bits);
}

static void put_endpoint(struct vici_writer *v, const char *host, const char *port,
			 const struct endpoint *e)
{
	char text[IP_ADDR_STRLEN];

	vici_value_str(v, host, ip_addr_format(&e->addr, text, sizeof(text)));
	vici_value_fmt(v, port, "%u", e->port);
}

static void put_nat(struct vici_writer *v, const struct ike_sa_info *sa)
{
	put_yes(v, "nat-local", sa->nat_local);
	put_yes(v, "nat-remote", sa->nat_remote);
	put_yes(v, "nat-fake", sa->nat_fake);
	put_yes(v, "nat-any", sa->nat_local || sa->nat_remote || sa->nat_fake);
}

static void put_ike_algs(struct vici_writer *v, const struct ike_sa_info *sa)
{
	if (!sa->have_keys)
		return;
	put_encr(v, sa->encr, sa->encr_bits);
	put_alg(v, "integ-alg", TRANSFORM_INTEG, sa->integ);
	put_alg(v, "prf-alg", TRANSFORM_PRF, sa->prf);
	put_alg(v, "dh-group", TRANSFORM_KE, sa->ke);
}

void put_ike_sa(struct vici_writer *v, const struct ike_sa_info *sa, uint64_t now)
{
	vici_value_fmt(v, "uniqueid", "%u", sa->id);
	vici_value_str(v, "version", "2");
	vici_value_str(v, "state", ike_sa_state_name(sa->state));
	put_endpoint(v, "local-host", "local-port", &sa->local);
	put_identity(v, "local-id", sa->local_id);
	put_endpoint(v, "remote-host", "remote-port", &sa->remote);
	put_identity(v, "remote-id", sa->remote_id);
	put_yes(v, "initiator", sa->initiator);
	vici_value_fmt(v, "initiator-spi", "%016" PRIx64, sa->spi_i);
	vici_value_fmt(v, "responder-spi", "%016" PRIx64, sa->spi_r);
	put_nat(v, sa);
	put_ike_algs(v, sa);
	if (sa->state == IKE_ESTABLISHED || sa->state == IKE_REKEYING) {
		put_since(v, "established", sa->established, now);
		put_until(v, "rekey-time", sa->rekey_at, now);
		put_until(v, "reauth-time", sa->reauth_at, now);
	}
}

static void put_use(struct vici_writer *v, const struct node *node, uint32_t spi, bool inbound,
		    uint64_t now)
{
	struct ipsec_sa_stats stats = {0};

	if (!node_sa_stats(node, spi, inbound, &stats))
		stats = (struct ipsec_sa_stats){0};
	vici_value_fmt(v, inbound ? "bytes-in" : "bytes-out", "%" PRIu64, stats.bytes);
	vici_value_fmt(v, inbound ? "packets-in" : "packets-out", "%" PRIu64, stats.packets);
	put_since(v, inbound ? "use-in" : "use-out", stats.last_use, now);
}

static void put_if_id(struct vici_writer *v, const char *key, uint32_t if_id)
{
	if (if_id)
		vici_value_fmt(v, key, "%08x", if_id);
}

static void put_child_algs(struct vici_writer *v, const struct child_sa_info *child)
{
	put_encr(v, child->alg.encr, child->alg.encr_bits);
	put_alg(v, "integ-alg", TRANSFORM_INTEG, child->alg.integ);
	put_alg(v, "dh-group", TRANSFORM_KE, child->ke);
	if (child->alg.esn)
		vici_value_str(v, "esn", "1");
}

void put_child_fields(struct vici_writer *v, const struct node *node,
		      const struct child_sa_info *child, uint64_t now)
{
	vici_value_str(v, "name", child->cfg->name);
	vici_value_fmt(v, "uniqueid", "%u", child->id);
	vici_value_fmt(v, "reqid", "%u", child->reqid);
	vici_value_str(v, "state", child_sa_state_name(child->state));
	vici_value_str(v, "mode", ipsec_mode_name(child->mode));
	if (child->mode_reason)
		vici_value_str(v, "mode-reason", child->mode_reason);
	vici_value_str(v, "protocol", "ESP");
	put_yes(v, "encap", child->encap);
	vici_value_fmt(v, "spi-in", "%08x", child->spi_in);
	vici_value_fmt(v, "spi-out", "%08x", child->spi_out);
	put_if_id(v, "if-id-in", child->if_id_in);
	put_if_id(v, "if-id-out", child->if_id_out);
	put_child_algs(v, child);
	put_use(v, node, child->spi_in, true, now);
	put_use(v, node, child->spi_out, false, now);
	put_until(v, "rekey-time", child->rekey_at, now);
	put_until(v, "life-time", child->expire_at, now);
	put_since(v, "install-time", child->installed, now);
	put_ts_list(v, "local-ts", child->local_ts);
	put_ts_list(v, "remote-ts", child->remote_ts);
}

void put_child_sa(struct vici_writer *v, const struct node *node, const struct child_sa_info *child,
		  uint64_t now)
{
	char name[300];

	snprintf(name, sizeof(name), "%.200s-%u", child->cfg->name, child->id);
	vici_section(v, name);
	put_child_fields(v, node, child, now);
	vici_section_end(v);
}
