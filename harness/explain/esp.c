/* esp.c - findings of the data plane: what ESP packets say of replay windows, tags and modes
 * (RFC 4303 §2.8, §3.4.3; RFC 4868 §2.3). */
#include "harness/explain/rule.h"
#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"

#define LATE_PACKETS   3
#define GONE_US	       2000000
#define RESIDUE_OF_128 8 /* 8 of header, 16 of IV, 16 n of data, 16 of tag */
#define RESIDUE_OF_96  4

/* With keys: what came late was answered all the same, so the receiver's window is wide enough. */
static bool is_taken(const struct survey *s, const struct esp_flow *e)
{
	const struct ip_flow *late, *back;

	if (e->late_flow == FACT_NONE)
		return false;
	late = &s->flows[e->late_flow];
	back = flow_reverse(s, late);
	return late->proto != IP_PROTO_UDP && back && back->n * 10 >= late->n * 9;
}

static int find_late(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		struct finding *f;

		if (e->n_late[0] < LATE_PACKETS || is_taken(s, e))
			continue;
		f = finding_add(
		    out, e->n_late[1] >= LATE_PACKETS ? LIKELY : POSSIBLE,
		    "Packets of SPI %08x arrive up to %u behind the highest number: %llu by "
		    "32 or more, %llu by 64 or more.",
		    e->spi, e->late_by, (unsigned long long)e->n_late[0],
		    (unsigned long long)e->n_late[1]);
		err = finding_show(out, f, e->late, "%u behind, of %llu packets", e->late_by,
				   (unsigned long long)e->n);
	}
	return err;
}

/* Every packet of the flow has that length, modulo the block of AES-CBC. */
static bool all_have_residue(const struct esp_flow *e, unsigned residue)
{
	return e->n >= 3 && e->residue[residue] == e->n;
}

static bool is_opposite(const struct esp_flow *a, const struct esp_flow *b)
{
	return a->place == b->place && a->encap == b->encap &&
	       ip_addr_eq(&a->src.addr, &b->dst.addr) && ip_addr_eq(&a->dst.addr, &b->src.addr);
}

/* With keys, the negotiated algorithm leaves no doubt. */
static bool is_sha256(const struct survey *s, const struct esp_flow *e)
{
	return e->child != FACT_NONE &&
	       s->f.children[e->child].alg.integ == INTEG_HMAC_SHA2_256_128;
}

static int find_short_tag(const struct survey *s, struct findings *out)
{
	size_t i, k;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++)
		for (k = 0; !err && k < s->n_esp && all_have_residue(&s->esp[i], RESIDUE_OF_96);
		     k++) {
			const struct esp_flow *a = &s->esp[i], *b = &s->esp[k];
			struct finding *f;

			if (!all_have_residue(a, RESIDUE_OF_96) ||
			    !all_have_residue(b, RESIDUE_OF_128) || !is_opposite(a, b))
				continue;
			f = finding_add(
			    out, is_sha256(s, a) ? CERTAIN : LIKELY,
			    "The packets of SPI %08x are 4 octets shorter than the block of "
			    "the cipher allows with a tag of 128 bits, those of the other "
			    "direction are not.",
			    a->spi);
			err = finding_show(out, f, a->largest,
					   "SPI %08x: length 4 modulo 16, as with a "
					   "tag of 96 bits",
					   a->spi);
			if (!err)
				err = finding_show(out, f, b->largest,
						   "SPI %08x: length 8 modulo 16, as with 128 bits",
						   b->spi);
			if (!err && a->wrong_icv)
				err =
				    finding_show(out, f, a->wrong, "its tag is wrong as it stands");
		}
	return err;
}

static int find_no_beet(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_children; i++) {
		const struct child_sa_fact *c = &s->f.children[i];
		bool host = c->ts_i.n == 1 && c->ts_r.n == 1 && ts_is_host(&c->ts_i.v[0]) &&
			    ts_is_host(&c->ts_r.v[0]);
		struct finding *f;

		if (c->asked == c->mode)
			continue;
		f = finding_add(out, CERTAIN, "%s mode was asked for, tunnel mode came out.",
				c->asked == IPSEC_BEET ? "BEET" : "Transport");
		err = finding_show(out, f, seen_msg(s, c->request_msg), "the request asks for it");
		if (!err)
			err =
			    finding_show(out, f, seen_msg(s, c->response_msg),
					 "the response does not say so, and so it is tunnel mode");
		if (!err && c->asked == IPSEC_BEET && !host)
			err = finding_detail(
			    out, f,
			    "Here the selectors are networks: BEET is between two single "
			    "hosts, so name one address at each end.");
	}
	return err;
}

static int find_damaged(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		struct finding *f;

		if (e->wrong_icv < 3 || !e->opened)
			continue;
		f = finding_add(out, LIKELY, "%llu of %llu packets of SPI %08x have a wrong tag.",
				(unsigned long long)e->wrong_icv, (unsigned long long)e->n, e->spi);
		err = finding_show(out, f, e->wrong, "the first of them");
	}
	return err;
}

RULES(
    esp,
    {.id = "F48",
     .names = "negotiation failure map 6 (replay window)",
     .kind = RULE_FAULT,
     .rank = 30,
     .unless = "",
     .title = "Packets overtake each other by more than a small replay window allows",
     .why = "A receiver drops what is further behind than its window is wide: 32 or 64 by default "
	    "in many stacks. QoS, several cores or several paths make such an order.",
     .remedy =
	 "Widen the window (replay_window = 1024) at the receiver; do not send one SA's packets "
	 "through queues of different speed.",
     .clause = "RFC 4303 §3.4.3",
     .find = find_late},
    {.id = "F28",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 9,
     .unless = "",
     .title = "One end cuts the tag of HMAC-SHA2-256 to 96 bits",
     .why =
	 "An old draft had 96 bits, RFC 4868 has 128, and the number of the algorithm is the same: "
	 "the ends agree, and each refuses the other's packets.",
     .remedy =
	 "Update the old end; or another algorithm (AES-GCM, HMAC-SHA2-512); or sha256_96 = yes "
	 "(Libreswan: sha2-truncbug = yes) at the other end.",
     .clause = "RFC 4868 §2.3, RFC 4303 §2.8",
     .find = find_short_tag},
    {.id = "ESP-damaged",
     .names = "document 4: kernel IPsec subsystem",
     .kind = RULE_FAULT,
     .rank = 33,
     .unless = "F28",
     .title = "Packets arrive damaged, or are forged",
     .why = "The key is right, since others of the SA open with it; these were changed on the way.",
     .remedy = "Look for a faulty link or network card (checksum errors), or for an offload that "
	       "changes packets; if neither, for somebody who injects them.",
     .clause = "RFC 4303 §3.4.4.1",
     .find = find_damaged},
    {.id = "S1",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 75,
     .unless = "",
     .title = "The mode that was asked for was not agreed on",
     .why =
	 "Mode is negotiated by a notify in both directions. strongSwan's BEET notify is private, "
	 "believed only from a peer that shows strongSwan's vendor ID, and needs one host at "
	 "each end; otherwise both fall back to tunnel mode in silence.",
     .remedy =
	 "charon.send_vendor_id = yes at both ends, and the same mode in both configurations.",
     .clause = "RFC 7296 §1.3.1",
     .find = find_no_beet});
