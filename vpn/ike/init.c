/* init.c - what both roles of IKE_SA_INIT share with its two files: see init_initiator.c and
 * init_responder.c. Here: the notifies and vendor IDs that each side adds and reads, and the
 * derivation of the keys (RFC 7296 §1.2, §2.14, §2.23, RFC 7383 §2.3, RFC 7427 §4).
 *
 *     HDR, N(COOKIE)?, SAi1, KEi, Ni, N(NATD..), N(HASHES), N(FRAGMENTATION), V  ->
 *                          <-  HDR, SAr1, KEr, Nr, N(NATD..), CERTREQ?, N(HASHES),
 *                              N(FRAGMENTATION), N(CHILDLESS), V */
#include "vpn/ike/init_common.h"

#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/flight.h"
#include "vpn/ike/natd.h"
#include "vpn/ike/report.h"

/* MD5("strongSwan"): what a peer must show before its private notifies are believed. */
static const uint8_t vendor_strongswan[16] = {0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc,
					      0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb};

void init_encode_extensions(const struct ike_sa *sa, struct ike_builder *b)
{
	static const uint8_t hashes[] = {0, SIG_HASH_SHA2_256, 0, SIG_HASH_SHA2_384,
					 0, SIG_HASH_SHA2_512, 0, SIG_HASH_IDENTITY};

	payload_notify_simple(b, N_SIGNATURE_HASH_ALGORITHMS,
			      (struct view){hashes, sizeof(hashes)});
	/* RFC 7383 §2.3: the responder says so if the initiator did. */
	if (sa->conn->fragmentation != FRAGMENTATION_NO && (sa->initiator || sa->peer_fragments))
		payload_notify_simple(b, N_IKEV2_FRAGMENTATION_SUPPORTED, (struct view){0});
	/* RFC 6023 §3: the responder's word alone. */
	if (!sa->initiator && sa->conn->childless != CHILDLESS_NEVER)
		payload_notify_simple(b, N_CHILDLESS_IKEV2_SUPPORTED, (struct view){0});
	if (sa->engine->opt.send_vendor_id)
		payload_vendor_encode(b,
				      (struct view){vendor_strongswan, sizeof(vendor_strongswan)});
}

static unsigned read_hashes(struct view data)
{
	struct reader r = rd_init(data.p, data.len);
	unsigned bits = 0;

	while (rd_left(&r) >= 2) {
		uint16_t h = rd_u16(&r);

		if (h < 16)
			bits |= SIG_HASH_BIT(h);
	}
	return bits;
}

void init_read_extensions(struct ike_sa *sa, const struct ike_payloads *p)
{
	const struct ike_payload *v;
	struct payload_notify n;
	size_t i;

	if (payloads_find_notify(p, N_SIGNATURE_HASH_ALGORITHMS, &n))
		sa->peer_hashes = read_hashes(n.data);
	for (i = 0; (v = ike_payload_find(p, PAYLOAD_VENDOR, i)) != NULL; i++)
		if (v->body.len == sizeof(vendor_strongswan) &&
		    memcmp(v->body.p, vendor_strongswan, sizeof(vendor_strongswan)) == 0)
			sa->peer_strongswan = true;
	sa->peer_childless = payloads_find_notify(p, N_CHILDLESS_IKEV2_SUPPORTED, &n);
	sa->peer_fragments = payloads_find_notify(p, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	if (sa->peer_fragments && sa->conn->fragmentation == FRAGMENTATION_YES)
		flight_allow_fragments(sa);
	sa->handshake->certreq = ike_payload_find(p, PAYLOAD_CERTREQ, 0) != NULL;
}

void init_apply_natd(struct ike_sa *sa, const struct ike_payloads *p, uint64_t spi_r,
		     const struct endpoint *local, const struct endpoint *remote)
{
	struct natd_result natd = natd_check(p, sa->spi_i, spi_r, local, remote);

	sa->natt = natd.supported;
	sa->nat_local = natd.supported && natd.nat_local;
	sa->nat_remote = natd.supported && natd.nat_remote;
	sa->nat_fake = natd.supported && sa->conn && sa->conn->encap;
	if (sa->nat_local)
		report_log(sa->engine, sa, NULL, LOG_IKE, 1,
			   "local host is behind NAT, sending keep alives");
	if (sa->nat_remote)
		report_log(sa->engine, sa, NULL, LOG_IKE, 1, "remote host is behind NAT");
	if (sa->nat_fake)
		report_log(sa->engine, sa, NULL, LOG_IKE, 1,
			   "faking NAT situation to enforce UDP encapsulation");
}

bool init_decode(const struct ike_payloads *p, struct init_said *ret_said)
{
	ret_said->proposals.v = ret_said->v;
	return payload_sa_decode(ike_payload_find(p, PAYLOAD_SA, 0)->body, &ret_said->proposals) ==
		   0 &&
	       payload_ke_decode(ike_payload_find(p, PAYLOAD_KE, 0)->body, &ret_said->ke) == 0 &&
	       payload_nonce_decode(ike_payload_find(p, PAYLOAD_NONCE, 0)->body,
				    &ret_said->nonce) == 0;
}

int init_derive_keys(struct ike_sa *sa, const struct proposal *chosen, struct view peer_value)
{
	struct handshake *h = sa->handshake;
	uint8_t secret[KE_SECRET_MAX];
	size_t len;
	int err;

	sa->suite = proposal_suite(chosen);
	err = ke_derive(h->ke, peer_value, secret, &len);
	if (!err)
		err = ike_sa_derive_keys(sa, NULL, (struct view){secret, len});
	secret_wipe(secret, sizeof(secret));
	return err;
}
