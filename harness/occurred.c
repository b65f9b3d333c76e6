/* occurred.c - counts what happened: one function for each kind of fact.
 *
 * Nothing is judged but the number. A packet that several places have captured counts once for
 * each place, unless the parameter `place` names one. */
#include "harness/occurred.h"
#include "vpn/wire/ike_numbers.h"
#include "vpn/wire/payload.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_MAX 6

struct count {
	const struct sc_expectation *e;
	const struct evidence *ev;
	struct occurrence *o;
};

typedef void count_fn(struct count *c);

struct kind {
	const char *name;
	const char *text;		/* what is counted */
	const char *params[PARAMS_MAX]; /* besides min and max */
	count_fn *count;
};

static const char *param(const struct sc_expectation *e, const char *key)
{
	size_t i;

	for (i = 0; i < e->with.count; i++)
		if (strcmp(e->with.items[i].key, key) == 0)
			return e->with.items[i].value;
	return NULL;
}

/* True if the parameter is not there, or has this value. */
static bool fits(const struct count *c, const char *key, const char *value)
{
	const char *wanted = param(c->e, key);

	return !wanted || strcmp(wanted, value) == 0;
}

static bool fits_bool(const struct count *c, const char *key, bool value)
{
	const char *text = param(c->e, key);
	bool wanted = value;

	if (text)
		parse_bool(text, &wanted);
	return wanted == value;
}

static bool fits_number(const struct count *c, const char *key, uint64_t value)
{
	const char *text = param(c->e, key);
	uint64_t wanted = value;

	if (text)
		parse_octets(text, &wanted);
	return wanted == value;
}

static bool fits_place(const struct count *c, size_t frame)
{
	const struct facts *f = c->ev->facts;

	return fits(c, "place", f->set.places[f->frames[frame].place].name);
}

static void add(struct count *c, size_t frame)
{
	c->o->count++;
	if (c->o->frames_count < OCCURRED_FRAMES)
		c->o->frames[c->o->frames_count++] = frame;
}

static bool has_notify(const struct count *c, const struct ike_msg *m)
{
	const char *wanted = param(c->e, "notify");
	const struct ike_payloads *p = ike_msg_payloads(m);
	const struct ike_payload *payload;
	struct payload_notify notify;
	char name[64];
	size_t i;

	for (i = 0; wanted && (payload = ike_payload_find(p, PAYLOAD_NOTIFY, i)); i++)
		if (payload_notify_decode(payload->body, &notify) == 0 &&
		    strcmp(ike_notify_name(notify.type, name, sizeof(name)), wanted) == 0)
			return true;
	return !wanted;
}

static void count_messages(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (fits_place(c, m->frame) &&
		    fits(c, "kind", m->request ? "request" : "response") &&
		    fits(c, "exchange", ike_exchange_name(m->hdr.exchange, name, sizeof(name))) &&
		    fits(c, "from", m->from_initiator ? "initiator" : "responder") &&
		    has_notify(c, m))
			add(c, m->frame);
	}
}

static void count_ike_fragments(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->fragments && fits_place(c, m->frame) &&
		    fits(c, "exchange", ike_exchange_name(m->hdr.exchange, name, sizeof(name))) &&
		    fits(c, "from", m->from_initiator ? "initiator" : "responder") &&
		    fits_number(c, "total", m->fragments))
			add(c, m->frame);
	}
}

static void count_ip_fragments(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_frames; i++)
		if ((f->frames[i].kind == FRAME_FRAGMENT || f->frames[i].n_fragments) &&
		    fits_place(c, i))
			add(c, i);
}

static void count_retransmissions(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].retransmission_of != FACT_NONE && fits_place(c, f->ike[i].frame))
			add(c, f->ike[i].frame);
}

static const char *mode_text(enum ipsec_mode mode)
{
	static const char *const texts[] = {
	    [IPSEC_TUNNEL] = "tunnel", [IPSEC_TRANSPORT] = "transport", [IPSEC_BEET] = "beet"};

	return texts[mode];
}

static void count_esp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];

		if (fits_place(c, e->frame) && fits_bool(c, "encap", e->encap) &&
		    (e->have_wire_mode ? fits(c, "mode", mode_text(e->wire_mode))
				       : !param(c->e, "mode")) &&
		    fits_number(c, "octets", e->octets.len) &&
		    fits_number(c, "next_header", e->next_header))
			add(c, e->frame);
	}
}

static void count_children(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct child_sa_fact *child = &f->children[i];

		if (fits(c, "mode", mode_text(child->mode)) &&
		    fits(c, "asked", mode_text(child->asked)))
			add(c, f->ike[child->response_msg != FACT_NONE ? child->response_msg
								       : child->request_msg]
				   .frame);
	}
}

static void count_refusals(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char name[64];
	size_t i;

	for (i = 0; i < f->n_refusals; i++)
		if (fits(c, "notify", ike_notify_name(f->refusals[i].notify, name, sizeof(name))))
			add(c, f->ike[f->refusals[i].msg].frame);
}

static void count_ike_sas(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++)
		if (f->ike_sas[i].established_msg != FACT_NONE)
			add(c, f->ike[f->ike_sas[i].established_msg].frame);
}

static void count_keepalives(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_keepalives; i++)
		if (fits_place(c, f->keepalives[i].frame))
			add(c, f->keepalives[i].frame);
}

/* Addresses with ports that one place has seen the initiators' IKE and ESP come from. */
static void count_mappings(struct count *c)
{
	const struct facts *f = c->ev->facts;
	struct endpoint seen[64];
	size_t i, j, n = 0;
	const char *address = param(c->e, "address");
	char text[IP_ADDR_STRLEN];

	for (i = 0; i < f->n_frames && n < 64; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if ((frame->kind != FRAME_IKE && frame->kind != FRAME_ESP) || !fits_place(c, i) ||
		    !address ||
		    strcmp(ip_addr_format(&frame->src.addr, text, sizeof(text)), address) != 0)
			continue;
		for (j = 0; j < n && !endpoint_eq(&seen[j], &frame->src); j++)
			;
		if (j == n) {
			seen[n++] = frame->src;
			add(c, i);
		}
	}
}

static void count_icmp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_icmp_errors; i++) {
		const struct icmp_error_fact *icmp = &f->icmp_errors[i];
		size_t frame = icmp->frame != FACT_NONE ? icmp->frame : f->esp[icmp->esp].frame;

		if (fits_place(c, frame) && fits_number(c, "mtu", icmp->mtu) &&
		    fits_bool(c, "inside", icmp->frame == FACT_NONE))
			add(c, frame);
	}
}

/* SYNs and SYN/ACKs by the MSS that they carry. */
static void count_mss(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i, side;

	for (i = 0; i < f->n_tcp; i++) {
		for (side = 0; side < 2; side++) {
			const struct tcp_side *s = &f->tcp[i].side[side];

			if (s->have_mss && s->syn_frame != FACT_NONE &&
			    fits_place(c, s->syn_frame) && fits_number(c, "mss", s->mss) &&
			    fits(c, "segment", side ? "synack" : "syn") &&
			    fits_bool(c, "inside", f->tcp[i].inside))
				add(c, s->syn_frame);
		}
	}
}

/* Connections that somebody tried to make, and nobody answered. */
static void count_unanswered(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_tcp; i++) {
		const struct tcp_flow *flow = &f->tcp[i];

		if (flow->side[0].syn_frame != FACT_NONE && flow->side[1].syn_frame == FACT_NONE &&
		    !flow->reset && flow->side[1].segments == 0 &&
		    fits_place(c, flow->first_frame) && fits_bool(c, "inside", flow->inside))
			add(c, flow->first_frame);
	}
}

static void count_clear(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN];
	size_t i;

	for (i = 0; i < f->n_clear; i++) {
		const struct fact_frame *frame = &f->frames[f->clear[i].frame];

		if (fits_place(c, f->clear[i].frame) &&
		    fits(c, "src", ip_addr_format(&frame->src.addr, src, sizeof(src))) &&
		    fits(c, "dst", ip_addr_format(&frame->dst.addr, dst, sizeof(dst))) &&
		    fits_number(c, "protocol", frame->ip.proto))
			add(c, f->clear[i].frame);
	}
}

/* TCP connections that sent so many octets at least. */
static void count_tcp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	const char *octets = param(c->e, "octets");
	uint64_t least = 0;
	size_t i;

	if (octets)
		parse_octets(octets, &least);
	for (i = 0; i < f->n_tcp; i++)
		if (fits_place(c, f->tcp[i].first_frame) &&
		    fits_bool(c, "inside", f->tcp[i].inside) && f->tcp[i].side[0].octets >= least)
			add(c, f->tcp[i].first_frame);
}

static void count_wire(struct count *c, size_t offset)
{
	size_t i;

	for (i = 0; i < c->ev->wires_count; i++)
		if (fits(c, "wire", c->ev->wires[i].name))
			c->o->count +=
			    *(const uint64_t *)(const void *)((const char *)&c->ev->wires[i] +
							      offset);
}

static void count_lost(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, lost));
}

static void count_too_big(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, too_big));
}

static void count_reordered(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, reordered));
}

static void count_duplicated(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, duplicated));
}

/* A record with the aim that chose its packet: link_record.h. */
static bool is_by_aim(const char *line, const char *wanted)
{
	json_t *record = json_loads(line, 0, NULL);
	const char *aim = json_string_value(json_object_get(record, "aim"));
	bool is = aim && (!wanted || strcmp(aim, wanted) == 0);

	json_decref(record);
	return is;
}

static void count_records(struct count *c, const char *wire)
{
	char path[4096], *line = NULL;
	size_t cap = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/captures/%s.jsonl", c->ev->dir, wire);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &cap, file) > 0)
		c->o->count += strstr(line, "\"aim\"") && is_by_aim(line, param(c->e, "aim"));
	free(line);
	fclose(file);
}

static void count_aimed(struct count *c)
{
	size_t i;

	for (i = 0; i < c->ev->wires_count && c->ev->dir; i++)
		if (fits(c, "wire", c->ev->wires[i].name))
			count_records(c, c->ev->wires[i].name);
}

static const struct kind kinds[] = {
    {"message", "IKE messages", {"exchange", "kind", "notify", "from", "place"}, count_messages},
    {"retransmission", "IKE messages sent again", {"place"}, count_retransmissions},
    {"ike-fragment", "IKE fragments", {"exchange", "from", "total", "place"}, count_ike_fragments},
    {"ip-fragment", "IP fragments", {"place"}, count_ip_fragments},
    {"esp", "ESP packets", {"mode", "encap", "octets", "next_header", "place"}, count_esp},
    {"child", "Child SAs negotiated", {"mode", "asked"}, count_children},
    {"ike-sa", "IKE SAs established", {NULL}, count_ike_sas},
    {"refusal", "Children refused", {"notify"}, count_refusals},
    {"keepalive", "NAT keep-alives", {"place"}, count_keepalives},
    {"mapping", "Mappings", {"place", "address"}, count_mappings},
    {"icmp-error", "ICMP errors", {"mtu", "inside", "place"}, count_icmp},
    {"mss", "SYN segments", {"mss", "segment", "inside", "place"}, count_mss},
    {"unanswered-syn",
     "TCP connections that nobody answered",
     {"inside", "place"},
     count_unanswered},
    {"clear", "Packets in the clear", {"src", "dst", "protocol", "place"}, count_clear},
    {"tcp", "TCP connections", {"inside", "octets", "place"}, count_tcp},
    {"lost", "Packets lost", {"wire"}, count_lost},
    {"aimed", "Packets chosen", {"wire", "aim"}, count_aimed},
    {"too-big", "Packets too big", {"wire"}, count_too_big},
    {"reordered", "Packets reordered", {"wire"}, count_reordered},
    {"duplicated", "Packets duplicated", {"wire"}, count_duplicated},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *occurred_kind(size_t index)
{
	return index < KINDS ? kinds[index].name : NULL;
}

const char *occurred_param(size_t kind, size_t index)
{
	return index < PARAMS_MAX ? kinds[kind].params[index] : NULL;
}

static const struct kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static bool is_known(const struct kind *kind, const char *key)
{
	size_t i;

	for (i = 0; i < PARAMS_MAX && kind->params[i]; i++)
		if (strcmp(kind->params[i], key) == 0)
			return true;
	return strcmp(key, "min") == 0 || strcmp(key, "max") == 0;
}

/* --- what a parameter may say: text that no packet can have would be met by none, and by max 0 */

static bool is_octets(const char *text)
{
	uint64_t value;

	return parse_octets(text, &value);
}

static bool is_number(const char *text)
{
	uint64_t value;

	return parse_whole(text, &value);
}

static bool is_bool(const char *text)
{
	bool value;

	return parse_bool(text, &value);
}

static bool is_address(const char *text)
{
	struct ip_addr addr;

	return ip_addr_parse(text, &addr) == 0;
}

static bool is_mode(const char *text)
{
	return strcmp(text, "tunnel") == 0 || strcmp(text, "transport") == 0 ||
	       strcmp(text, "beet") == 0;
}

static bool is_kind(const char *text)
{
	return strcmp(text, "request") == 0 || strcmp(text, "response") == 0;
}

static bool is_end(const char *text)
{
	return strcmp(text, "initiator") == 0 || strcmp(text, "responder") == 0;
}

static bool is_segment(const char *text)
{
	return strcmp(text, "syn") == 0 || strcmp(text, "synack") == 0;
}

static bool is_exchange(const char *text)
{
	char name[64];
	unsigned i;

	for (i = 0; i <= UINT8_MAX; i++)
		if (strcmp(ike_exchange_name(i, name, sizeof(name)), text) == 0)
			return true;
	return false;
}

static bool is_notify(const char *text)
{
	char name[64];
	unsigned i;

	for (i = 0; i <= UINT16_MAX; i++)
		if (strcmp(ike_notify_name(i, name, sizeof(name)), text) == 0)
			return true;
	return false;
}

/* A parameter that is not here may be any text. */
static const struct {
	const char *key;
	bool (*is_right)(const char *text);
	const char *wanted;
} param_types[] = {
    {"min", is_number, "a number"},
    {"max", is_number, "a number"},
    {"mss", is_number, "a number"},
    {"mtu", is_number, "a number"},
    {"total", is_number, "a number"},
    {"protocol", is_number, "a number of IP's next header"},
    {"next_header", is_number, "a number of IP's next header"},
    {"octets", is_octets, "a number of octets like 1400 or 64k"},
    {"encap", is_bool, "yes or no"},
    {"inside", is_bool, "yes or no"},
    {"address", is_address, "an address"},
    {"src", is_address, "an address"},
    {"dst", is_address, "an address"},
    {"asked", is_mode, "tunnel, transport or beet"},
    {"mode", is_mode, "tunnel, transport or beet"},
    {"kind", is_kind, "request or response"},
    {"from", is_end, "initiator or responder"},
    {"segment", is_segment, "syn or synack"},
    {"exchange", is_exchange, "an exchange of IKE, as IKE_AUTH"},
    {"notify", is_notify, "a notify of IKE, as NO_PROPOSAL_CHOSEN or N(40961)"},
};

static int unknown_param(struct doc *doc, const struct kind *kind, const struct pair *pair,
			 struct err_msg *msg)
{
	char known[160] = "";
	size_t i, len = 0;

	for (i = 0; i < PARAMS_MAX && kind->params[i]; i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s, ", kind->params[i]);
	return doc_error(doc, pair->line, msg, "'%s' has no parameter '%s'; it has: %smin, max",
			 kind->name, pair->key, known);
}

static int check_param(struct doc *doc, const struct kind *kind, const struct pair *pair,
		       struct err_msg *msg)
{
	size_t i;

	if (!is_known(kind, pair->key))
		return unknown_param(doc, kind, pair, msg);
	for (i = 0; i < sizeof(param_types) / sizeof(param_types[0]); i++)
		if (strcmp(param_types[i].key, pair->key) == 0 &&
		    !param_types[i].is_right(pair->value))
			return doc_error(doc, pair->line, msg, "'%s' must be %s, not '%s'",
					 pair->key, param_types[i].wanted, pair->value);
	return 0;
}

static int check_bounds(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	const char *min = param(e, "min"), *max = param(e, "max");

	if (min && max && strtoull(min, NULL, 10) > strtoull(max, NULL, 10))
		return doc_error(doc, e->line, msg, "no number is at least %s and at most %s", min,
				 max);
	return 0;
}

int occurred_validate(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	const struct kind *kind = find_kind(e->occurred);
	char known[320] = "";
	size_t i, len = 0;
	int err = 0;

	for (i = 0; i < KINDS; i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					kinds[i].name);
	if (!kind)
		return doc_error(doc, e->line, msg, "nothing is known as '%s'; there are: %s",
				 e->occurred, known);
	for (i = 0; i < e->with.count && err == 0; i++)
		err = check_param(doc, kind, &e->with.items[i], msg);
	if (err == 0)
		err = check_bounds(doc, e, msg);
	if (err == 0 && strcmp(kind->name, "mapping") == 0 && !param(e, "address"))
		err =
		    doc_error(doc, e->line, msg, "'mapping' needs 'address': whose ports to count");
	return err;
}

/* "3 seen, at least 1, at most 2" */
static void describe_count(const struct occurrence *o, bool has_min, char *text, size_t cap)
{
	size_t len = (size_t)snprintf(text, cap, "%" PRIu64 " seen", o->count);

	if (has_min || o->max == UINT64_MAX)
		len += (size_t)snprintf(text + len, cap - len, ", at least %" PRIu64, o->min);
	if (o->max != UINT64_MAX)
		snprintf(text + len, cap - len, ", at most %" PRIu64, o->max);
}

void occurred_count(const struct sc_expectation *e, const struct evidence *ev, struct occurrence *o)
{
	const struct kind *kind = find_kind(e->occurred);
	const char *min = param(e, "min"), *max = param(e, "max");
	struct count c = {.e = e, .ev = ev, .o = o};

	*o = (struct occurrence){.min = min ? strtoull(min, NULL, 10) : !max,
				 .max = max ? strtoull(max, NULL, 10) : UINT64_MAX};
	kind->count(&c);
	o->is_met = o->count >= o->min && o->count <= o->max;
	occurred_describe(e, kind->text, o->title, sizeof(o->title));
	describe_count(o, min != NULL, o->text, sizeof(o->text));
}
