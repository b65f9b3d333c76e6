/* modes.c - findings of how packets are put into ESP, which keys alone show: another mode than the
 * one agreed on, transport mode of two clients behind one address (RFC 7296 §1.3.1, §2.23.1), and
 * SAs whose keys no log has. */
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/crypto/alg.h"

#define PACKETS_MIN 3

/* Packets with an IP header inside where none belongs, or the other way round. BEET and transport
 * look the same (RFC 4303 §3.1.1). */
static uint64_t packets_otherwise(const struct esp_flow *e, enum ipsec_mode mode)
{
	return mode == IPSEC_TUNNEL ? e->by_mode[IPSEC_BEET] + e->by_mode[IPSEC_TRANSPORT]
				    : e->by_mode[IPSEC_TUNNEL];
}

static const char *mode_words(enum ipsec_mode mode)
{
	return mode == IPSEC_TUNNEL ? "tunnel" : mode == IPSEC_BEET ? "BEET" : "transport";
}

static int find_other_mode(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		const struct child_sa_fact *c;
		struct finding *f;

		if (e->child == FACT_NONE || e->opened < PACKETS_MIN)
			continue;
		c = &s->f.children[e->child];
		if (packets_otherwise(e, c->mode) != e->opened)
			continue;
		f = finding_add(out, CERTAIN,
				"%s mode was agreed on for SPI %08x, and its packets %s an IP "
				"header inside.",
				mode_words(c->mode), e->spi,
				c->mode == IPSEC_TUNNEL ? "have not" : "have");
		err = finding_show(out, f, e->first, "the first of %llu packets",
				   (unsigned long long)e->n);
		if (!err)
			err = finding_show(out, f, seen_msg(s, c->response_msg),
					   "where %s mode was agreed on", mode_words(c->mode));
	}
	return err;
}

/* --- Two clients behind one address --- */

static bool is_open_transport(const struct child_sa_fact *c)
{
	return c->mode == IPSEC_TRANSPORT && c->end == CHILD_OPEN && c->ts_i.n;
}

/* Different clients, as their identities say, and the responder's selectors cannot tell them apart.
 */
static bool are_confused(const struct survey *s, const struct child_sa_fact *a,
			 const struct child_sa_fact *b)
{
	const struct ike_sa_fact *x = &s->f.ike_sas[a->ike_sa], *y = &s->f.ike_sas[b->ike_sa];

	return is_open_transport(a) && is_open_transport(b) &&
	       ip_addr_eq(&x->addr_i.addr, &y->addr_i.addr) && strcmp(x->id_i, y->id_i) != 0 &&
	       ts_list_eq(&a->ts_i, &b->ts_i) && ts_list_eq(&a->ts_r, &b->ts_r);
}

static int find_confused(const struct survey *s, struct findings *out)
{
	size_t i, k;
	int err = 0;

	for (i = 0; i < s->f.n_children; i++)
		for (k = 0; !err && k < i; k++) {
			const struct child_sa_fact *a = &s->f.children[k], *b = &s->f.children[i];
			char addr[IP_ADDR_STRLEN];
			struct finding *f;

			if (!are_confused(s, a, b))
				continue;
			f = finding_add(
			    out, LIKELY,
			    "%s and %s, both behind %s, have transport mode SAs with the same "
			    "selectors.",
			    s->f.ike_sas[a->ike_sa].id_i, s->f.ike_sas[b->ike_sa].id_i,
			    ip_addr_format(&s->f.ike_sas[a->ike_sa].addr_i.addr, addr,
					   sizeof(addr)));
			err = finding_show(out, f, seen_msg(s, a->response_msg), "SPIs %08x, %08x",
					   a->spi_i, a->spi_r);
			if (!err)
				err = finding_show(out, f, seen_msg(s, b->response_msg),
						   "SPIs %08x, %08x", b->spi_i, b->spi_r);
		}
	return err;
}

/* --- Keys --- */

static int find_missing_keys(const struct survey *s, struct findings *out)
{
	char alg[64];
	size_t i;
	int err = 0;

	for (i = 0; !err && s->have_keys && i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];
		const struct child_sa_fact *c;
		struct finding *f;

		if (e->child == FACT_NONE || e->n < PACKETS_MIN || e->opened || e->wrong_icv)
			continue;
		c = &s->f.children[e->child];
		if (c->key_from_log || c->key_derived || !c->have_alg)
			continue;
		f = finding_add(out, CERTAIN,
				"The key logs open the IKE SA and not the packets of its child.");
		err = finding_show(out, f, e->first, "SPI %08x, %s, %llu packets", e->spi,
				   ipsec_alg_describe(&c->alg, alg, sizeof(alg)),
				   (unsigned long long)e->n);
		if (!err && c->alg.encr == ENCR_CHACHA20_POLY1305)
			err = finding_detail(out, f,
					     "Here it is ChaCha20-Poly1305, which strongSwan's "
					     "save-keys plugin leaves out.");
	}
	return err;
}

static bool fits_ike(const struct survey *s, const struct ike_key *key)
{
	size_t i;

	for (i = 0; i < s->f.n_ike_sas; i++)
		if (key->spi_i && s->f.ike_sas[i].spi_i == key->spi_i)
			return true;
	return false;
}

/* By its SPI, or because it opens something. */
static bool any_key_fits(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->f.keys.n_ike; i++)
		if (fits_ike(s, &s->f.keys.ike[i]))
			return true;
	for (i = 0; i < s->f.keys.n_esp; i++)
		if (s->f.keys.esp[i].spi && esp_of_spi(s, s->f.keys.esp[i].spi) != FACT_NONE)
			return true;
	for (i = 0; i < s->f.n_ike; i++)
		if (s->f.ike[i].sealed == FACT_OPEN)
			return true;
	for (i = 0; i < s->n_esp; i++)
		if (s->esp[i].opened)
			return true;
	return false;
}

static int find_foreign_keys(const struct survey *s, struct findings *out)
{
	const struct key_store *keys = &s->f.keys;
	struct finding *f;

	if (!s->have_keys || !(s->f.n_ike_sas || s->n_esp) || any_key_fits(s))
		return 0;
	f = finding_add(out, CERTAIN,
			"There are keys of %zu IKE SAs and %zu ESP SAs, and they fit none of the "
			"SAs here.",
			keys->n_ike, keys->n_esp);
	if (s->f.n_ike_sas && s->f.ike_sas[0].init_msg != FACT_NONE)
		return finding_show(out, f, seen_msg(s, s->f.ike_sas[0].init_msg),
				    "an IKE SA with the initiator's SPI %016llx",
				    (unsigned long long)s->f.ike_sas[0].spi_i);
	if (s->n_esp)
		return finding_show(out, f, s->esp[0].first, "ESP with SPI %08x", s->esp[0].spi);
	return f ? 0 : ERR_NOMEM;
}

RULES(
    modes,
    {.id = "S13",
     .names = "S1",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "",
     .title = "Packets are made in another mode than the one agreed on",
     .why = "In tunnel mode a whole IP packet stands inside (next header 4 or 41); in BEET and "
	    "transport mode its header is left out (1, 6, 17, 58), which is 20 octets a packet "
	    "less, or 40 with IPv6. The receiver drops what it does not expect.",
     .remedy = "Look at the mode that each end has installed (list-sas, ip xfrm state), and at "
	       "whether its data plane can do it.",
     .clause = "RFC 4303 §2.6, §3.1, RFC 7296 §1.3.1",
     .find = find_other_mode},
    {.id = "F09",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "Two clients behind one NAT box in transport mode",
     .why = "Transport mode has the addresses of the outer header alone. Behind one NAT box both "
	    "clients have the same: the responder's policy for the second replaces that of the "
	    "first, and answers go to the wrong one.",
     .remedy = "Tunnel mode with an inner address for each client; or a responder that tells them "
	       "apart by port (connmark, marks).",
     .clause = "RFC 7296 §2.23.1, RFC 3948 §5.2",
     .find = find_confused},
    {.id = "KEYS-foreign",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 70,
     .unless = "",
     .title = "These keys fit none of the SAs here",
     .why = "The key logs are of another run or of another pair of ends: each SA has its own keys, "
	    "and new ones after a rekeying or a restart. So nothing sealed was looked at.",
     .remedy = "Give the key logs that were written while these captures were taken.",
     .clause = "RFC 7296 §2.14, §2.17",
     .find = find_foreign_keys},
    {.id = "S14",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 84,
     .unless = "",
     .title = "The key logs lack the keys of ESP SAs",
     .why =
	 "A log that names IKE keys does not always name those of ESP, and where the child had a "
	 "key exchange of its own they cannot be derived. What these packets carry was not "
	 "looked at.",
     .remedy = "Take the keys from the peer's log at level 4, from ip xfrm state, or from beetd's "
	       "--keylog.",
     .clause = "RFC 7296 §2.17",
     .find = find_missing_keys});
