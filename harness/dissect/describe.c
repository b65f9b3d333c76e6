/* describe.c - facts in words: payloads, messages, packets, references to frames. For people; what
 * programs want stands in the facts themselves. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/identity.h"
#include "vpn/wire/payload.h"

/* Text that grows at its end and is cut where the buffer ends. */
struct text {
	char *buf;
	size_t cap, len;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < t->cap - t->len ? (size_t)n : t->cap - t->len - 1;
}

const char *fact_unopened_text(enum fact_unopened why)
{
	static const char *const texts[] = {
	    [FACT_OPEN] = "open",
	    [FACT_NO_KEY] = "no key",
	    [FACT_WRONG_KEY] = "integrity tag wrong under the key of its SPI",
	    [FACT_NOT_DERIVABLE] = ("no key: the child had a key exchange of its own, so "
				    "SK_d does not give it"),
	    [FACT_CUT] = "cut short by the capture",
	    [FACT_MALFORMED] = "malformed",
	    [FACT_FRAGMENT] = "a fragment of an IKE message",
	    [FACT_DAMAGED] = "damaged on the way: the UDP checksum is wrong",
	    [FACT_NOT_SEALED] = "not sealed",
	};

	return texts[why];
}

const char *fact_frame_ref(const struct facts *f, size_t frame, char *buf, size_t cap)
{
	if (frame >= f->n_frames)
		snprintf(buf, cap, "no frame");
	else
		snprintf(buf, cap, "%s frame %u", f->set.places[f->frames[frame].place].name,
			 f->frames[frame].number);
	return buf;
}

const char *ipsec_alg_describe(const struct ipsec_alg *alg, char *buf, size_t cap)
{
	struct text t = {buf, cap, 0};
	char name[48];

	put(&t, "%s", alg_format(TRANSFORM_ENCR, alg->encr, alg->encr_bits, name, sizeof(name)));
	if (alg->integ)
		put(&t, "/%s", alg_format(TRANSFORM_INTEG, alg->integ, 0, name, sizeof(name)));
	if (alg->esn)
		put(&t, "/ESN");
	return buf;
}

static void put_ts(struct text *t, struct view body)
{
	struct ts_list list = {0};
	char text[TS_STRLEN];
	size_t i;

	if (payload_ts_decode(body, &list))
		put(t, " malformed");
	for (i = 0; i < list.n; i++)
		put(t, " %s", ts_format(&list.v[i], text, sizeof(text)));
	ts_list_free(&list);
}

static void put_sa(struct text *t, struct view body)
{
	static const char *const protocols[] = {"none", "IKE", "AH", "ESP"};
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};
	char name[48];
	size_t i, k;

	if (payload_sa_decode(body, &list)) {
		put(t, " malformed");
		return;
	}
	for (i = 0; i < list.n; i++) {
		const struct proposal *p = &list.v[i];

		put(t, "%s %s:", i ? "," : "", p->protocol < 4 ? protocols[p->protocol] : "?");
		for (k = 0; k < p->n_transforms; k++)
			put(t, "%s%s", k ? "/" : "",
			    alg_format((enum transform_type)p->transforms[k].type,
				       p->transforms[k].id, p->transforms[k].key_bits, name,
				       sizeof(name)));
	}
}

static void put_notify(struct text *t, struct view body)
{
	struct payload_notify n;
	char name[64];

	if (payload_notify_decode(body, &n))
		put(t, "N(malformed)");
	else
		put(t, "N(%s)", ike_notify_name(n.type, name, sizeof(name)));
}

static void put_delete(struct text *t, struct view body)
{
	struct payload_delete del;
	size_t i;

	if (payload_delete_decode(body, &del)) {
		put(t, " malformed");
		return;
	}
	if (del.protocol == PROTOCOL_IKE)
		put(t, " IKE_SA");
	for (i = 0; del.spi_len == 4 && i < del.n_spis; i++)
		put(t, " ESP %08x", payload_delete_spi(&del, i));
}

static void put_id(struct text *t, struct view body)
{
	struct payload_id id;
	struct identity identity;
	char text[160];

	if (payload_id_decode(body, &id) || identity_from_octets(id.type, id.data, &identity)) {
		put(t, " malformed");
		return;
	}
	put(t, " %s", identity_format(&identity, text, sizeof(text)));
	identity_clear(&identity);
}

static void put_ke(struct text *t, struct view body)
{
	struct payload_ke ke;
	char name[48];

	if (payload_ke_decode(body, &ke))
		put(t, " malformed");
	else
		put(t, " %s", alg_format(TRANSFORM_KE, ke.group, 0, name, sizeof(name)));
}

const char *ike_payload_describe(const struct ike_payload *p, char *buf, size_t cap)
{
	struct text t = {buf, cap, 0};
	char name[32];

	buf[0] = '\0';
	if (p->type == PAYLOAD_NOTIFY) {
		put_notify(&t, p->body);
		return buf;
	}
	put(&t, "%s", ike_payload_name(p->type, name, sizeof(name)));
	switch (p->type) {
	case PAYLOAD_TSI:
	case PAYLOAD_TSR:
		put_ts(&t, p->body);
		break;
	case PAYLOAD_SA:
		put_sa(&t, p->body);
		break;
	case PAYLOAD_DELETE:
		put_delete(&t, p->body);
		break;
	case PAYLOAD_IDI:
	case PAYLOAD_IDR:
		put_id(&t, p->body);
		break;
	case PAYLOAD_KE:
		put_ke(&t, p->body);
		break;
	default:
		break;
	}
	return buf;
}

static void put_payload_short(struct text *t, const struct ike_payload *p)
{
	struct payload_delete del;
	char name[64];

	if (p->type == PAYLOAD_NOTIFY) {
		put_notify(t, p->body);
		return;
	}
	put(t, "%s", ike_payload_name(p->type, name, sizeof(name)));
	if (p->type == PAYLOAD_DELETE && !payload_delete_decode(p->body, &del))
		put(t, "(%s)", del.protocol == PROTOCOL_IKE ? "IKE" : "ESP");
}

const char *ike_msg_describe(const struct ike_msg *m, char *buf, size_t cap)
{
	const struct ike_payloads *p = ike_msg_payloads(m);
	struct text t = {buf, cap, 0};
	char name[48];
	size_t i;

	put(&t, "%s %s %u [", ike_exchange_name(m->hdr.exchange, name, sizeof(name)),
	    m->request ? "request" : "response", m->hdr.message_id);
	for (i = 0; i < p->n; i++) {
		put(&t, " ");
		put_payload_short(&t, &p->v[i]);
	}
	put(&t, " ]");
	if (m->fragments)
		put(&t, " fragment %u of %u", m->fragment, m->fragments);
	if (m->sealed != FACT_OPEN && m->sealed != FACT_NOT_SEALED && m->sealed != FACT_FRAGMENT)
		put(&t, " (%s)", fact_unopened_text(m->sealed));
	return buf;
}

static const char *proto_name(uint8_t proto, char *buf, size_t cap)
{
	switch (proto) {
	case IP_PROTO_ICMP:
		return "ICMP";
	case IP_PROTO_TCP:
		return "TCP";
	case IP_PROTO_UDP:
		return "UDP";
	case IP_PROTO_ICMP6:
		return "ICMPv6";
	case IP_PROTO_ESP:
		return "ESP";
	default:
		snprintf(buf, cap, "protocol %u", proto);
		return buf;
	}
}

const char *ip_packet_describe(const struct ip_info *info, char *buf, size_t cap)
{
	struct text t = {buf, cap, 0};
	char addr[IP_ADDR_STRLEN], name[24];
	bool ports =
	    info->sel.have_ports && (info->proto == IP_PROTO_TCP || info->proto == IP_PROTO_UDP);

	put(&t, "%s", ip_addr_format(&info->sel.src, addr, sizeof(addr)));
	if (ports)
		put(&t, "[%u]", info->sel.src_port);
	put(&t, " > %s", ip_addr_format(&info->sel.dst, addr, sizeof(addr)));
	if (ports)
		put(&t, "[%u]", info->sel.dst_port);
	put(&t, " %s, %zu octets", proto_name(info->proto, name, sizeof(name)), info->total_len);
	return buf;
}
