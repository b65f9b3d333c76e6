/* natd.c - SHA-1 over SPIs, address and port (RFC 7296 §2.23).
 *
 * There may be several NAT_DETECTION_SOURCE_IP (the sender does not know which address is used);
 * one match is enough. The fake source hash is that of address 0.0.0.0 port 0, which no packet can
 * have. */
#include "vpn/ike/natd.h"

#include "vpn/base/secret.h"
#include "vpn/crypto/prf.h"

static void natd_hash(uint64_t spi_i, uint64_t spi_r, const struct endpoint *e,
		      uint8_t out[DIGEST_SHA1])
{
	uint8_t buf[16 + 16 + 2];
	struct writer w = wr_init(buf, sizeof(buf));
	struct view all;

	wr_u64(&w, spi_i);
	wr_u64(&w, spi_r);
	wr_bytes(&w, e->addr.b, ip_addr_len(&e->addr));
	wr_u16(&w, e->port);
	all = (struct view){buf, w.len};
	if (digest_compute(DIGEST_SHA1, &all, 1, out))
		memset(out, 0, DIGEST_SHA1);
}

static void encode_one(struct ike_builder *b, uint16_t type, uint64_t spi_i, uint64_t spi_r,
		       const struct endpoint *e)
{
	uint8_t hash[DIGEST_SHA1];

	natd_hash(spi_i, spi_r, e, hash);
	payload_notify_simple(b, type, (struct view){hash, sizeof(hash)});
}

void natd_encode(struct ike_builder *b, uint64_t spi_i, uint64_t spi_r,
		 const struct endpoint *local, const struct endpoint *remote, bool fake)
{
	struct endpoint nowhere = {.addr.family = 4};

	encode_one(b, N_NAT_DETECTION_SOURCE_IP, spi_i, spi_r, fake ? &nowhere : local);
	encode_one(b, N_NAT_DETECTION_DESTINATION_IP, spi_i, spi_r, remote);
}

static void look_for(const struct ike_payloads *p, uint16_t type, const uint8_t want[DIGEST_SHA1],
		     bool *ret_seen, bool *ret_match)
{
	struct payload_notify n;
	size_t i;

	*ret_seen = *ret_match = false;
	for (i = 0; i < p->n; i++) {
		if (p->v[i].type != PAYLOAD_NOTIFY || payload_notify_decode(p->v[i].body, &n) ||
		    n.type != type)
			continue;
		*ret_seen = true;
		if (n.data.len == DIGEST_SHA1 && secret_eq(n.data.p, want, DIGEST_SHA1))
			*ret_match = true;
	}
}

struct natd_result natd_check(const struct ike_payloads *p, uint64_t spi_i, uint64_t spi_r,
			      const struct endpoint *local, const struct endpoint *remote)
{
	uint8_t want[DIGEST_SHA1];
	bool src_seen, src_match, dst_seen, dst_match;

	natd_hash(spi_i, spi_r, remote, want);
	look_for(p, N_NAT_DETECTION_SOURCE_IP, want, &src_seen, &src_match);
	natd_hash(spi_i, spi_r, local, want);
	look_for(p, N_NAT_DETECTION_DESTINATION_IP, want, &dst_seen, &dst_match);
	return (struct natd_result){.supported = src_seen && dst_seen,
				    .nat_remote = src_seen && !src_match,
				    .nat_local = dst_seen && !dst_match};
}
