/* write_network.c - topology and credentials: the NAT box, the wire between the ends with what was
 * measured of it and what the lever does to it. */
#include <string.h>

#include "harness/reproduce/write.h"
#include "vpn/crypto/pki.h"
#include "vpn/wire/ike_numbers.h"

#define LINK_MTU_DEF 1280 /* where the lever needs a small link and none was measured */
#define SHARE_MIN    0.001

static bool takes_loss(const struct writing *w)
{
	return w->l->flags & LEVER_NETWORK_OK;
}

static bool has_wire(const struct writing *w)
{
	const struct profile *p = w->p;

	if (p->rtt_ms || w->l->aims || (w->l->flags & LEVER_PATH_MTU))
		return true;
	return takes_loss(w) && (p->loss >= SHARE_MIN || p->reorder >= SHARE_MIN ||
				 p->duplicate >= SHARE_MIN || p->n_lost || p->icmp_told);
}

static void write_lost(const struct writing *w, const struct lost_message *m)
{
	char name[48];

	fprintf(w->out,
		"          - drop: {message: %s, kind: %s, from: %s, id: %u, ike_sa: %zu, nth: 1",
		ike_exchange_name(m->exchange, name, sizeof(name)),
		m->request ? "request" : "response", m->from_initiator ? "initiator" : "responder",
		m->id, m->ike_sa);
	if (m->count > 1)
		fprintf(w->out, ", count: %u", m->count);
	fputs("}\n", w->out);
}

static void write_aims(const struct writing *w)
{
	const char *aim = w->l->aims;
	size_t i, lost = takes_loss(w) ? w->p->n_lost : 0;
	char line[256];

	if (!aim && !lost)
		return;
	fputs("        aims:\n", w->out);
	for (; aim && *aim; aim += strcspn(aim, "\n") + 1) {
		snprintf(line, sizeof(line), "          - %.*s\n", (int)strcspn(aim, "\n"), aim);
		write_words(w, line);
	}
	for (i = 0; i < lost; i++)
		write_lost(w, &w->p->lost[i]);
}

static void write_share(const struct writing *w, const char *key, double share)
{
	if (takes_loss(w) && share >= SHARE_MIN)
		fprintf(w->out, "        %s: %.1f%%\n", key, share * 100);
}

static void write_wire(const struct writing *w)
{
	const struct profile *p = w->p;

	fputs("    - ends: [inet:isp0, isp:wan]\n      wire:\n", w->out);
	if (p->rtt_ms)
		fprintf(w->out, "        delay: %ums\n", (p->rtt_ms + 1) / 2);
	write_share(w, "loss", p->loss);
	write_share(w, "duplicate", p->duplicate);
	write_share(w, "reorder", p->reorder);
	if ((w->l->flags & LEVER_PATH_MTU) || (takes_loss(w) && p->icmp_told))
		fprintf(w->out, "        mtu: %u\n        icmp: \"%s\"\n", p->path_mtu,
			p->icmp_told ? "yes" : "no");
	write_aims(w);
}

static const char *key_kind(uint8_t auth)
{
	switch (auth) {
	case AUTH_ECDSA_256:
	case AUTH_ECDSA_384:
	case AUTH_ECDSA_521:
		return "ecdsa";
	default: /* the longest, where it is not known */
		return "rsa";
	}
}

static void write_credentials(const struct writing *w)
{
	const char *key = key_kind(w->p->auth);

	fprintf(w->out,
		"credentials:\n"
		"  - {name: ca, kind: ca, key: %s, certificate_at: [lab-gw, vps]}\n"
		"  - {name: lab-gw, kind: issued, ca: ca, key: %s, private_at: lab-gw, "
		"certificate_at: lab-gw%s}\n"
		"  - {name: vps, kind: issued, ca: ca, key: %s, private_at: vps, certificate_at: "
		"vps}\n",
		key, key, w->l->flags & LEVER_EXPIRED ? ", expired: yes" : "", key);
}

static void write_links(const struct writing *w)
{
	bool small = w->l->flags & LEVER_SMALL_LINK;

	if (!small && !has_wire(w) && !(w->l->flags & LEVER_WIRE))
		return;
	fputs("  links:\n", w->out);
	if (small)
		fprintf(w->out, "    - {ends: [isp:lan1, lab-gw:eth0], mtu: %u}\n",
			w->p->lan_mtu ? w->p->lan_mtu : LINK_MTU_DEF);
	if (has_wire(w))
		write_wire(w);
	else if (w->l->flags & LEVER_WIRE)
		fputs("    - {ends: [inet:isp0, isp:wan], wire: {}}\n", w->out);
}

void write_network(const struct writing *w)
{
	fputs("topology:\n  base: seed\n", w->out);
	if (has_nat(w))
		fprintf(w->out, "  nat: %s\n",
			w->p->nat == NAT_KEEPS_PORTS ? "preserve" : "random");
	else
		fputs("  without_nat: [isp]\n  nodes:\n"
		      "    - {name: inet, routes: [192.168.1.0/24 via 198.51.100.2]}\n",
		      w->out);
	write_links(w);
	if (w->l->flags & LEVER_CERTIFICATES)
		write_credentials(w);
}
