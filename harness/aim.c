/* aim.c - reads aims from a scenario, tells what a packet is, and puts aims into words.
 *
 * A packet is IKE if it comes from or goes to port 500, or to 4500 with the non-ESP marker
 * (RFC 3948 §2.2); what else is on 4500, and IP protocol 50, is ESP or a keep-alive. IKE SAs are
 * told apart by the order in which the wire first sees their initiators' SPIs. */
#include "harness/aim.h"
#include "netns/link_aims.h"
#include "vpn/base/reader.h"
#include "vpn/wire/ike_message.h"
#include "vpn/wire/ike_numbers.h"
#include "vpn/wire/packet/ip.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct sc_aim, member)

enum { PORT_IKE = 500, PORT_NATT = 4500, PROTO_UDP = 17, PROTO_ESP = 50, UDP_LEN = 8 };

static const char *const acts[] = {
    [LINK_ACT_DROP] = "drop",	    [LINK_ACT_DELAY] = "delay",
    [LINK_ACT_HOLD] = "hold",	    [LINK_ACT_DUPLICATE] = "duplicate",
    [LINK_ACT_REORDER] = "reorder", [LINK_ACT_CORRUPT] = "corrupt",
};
static const char *const packets[] = {"any", "ike", "esp", "keepalive", NULL};
static const char *const kinds[] = {"any", "request", "response", NULL};
static const char *const senders[] = {"any", "initiator", "responder", NULL};
static const char *const fragments[] = {"any", "none", "first", "later", NULL};

static const struct field fields[] = {
    {"name", field_text, AT(name), NULL, false},
    {"packet", field_choice, AT(packet), packets, false},
    {"message", field_text, AT(message), NULL, false},
    {"kind", field_choice, AT(kind), kinds, false},
    {"from", field_choice, AT(from), senders, false},
    {"id", field_text, AT(id), NULL, false},
    {"ike_sa", field_unsigned, AT(ike_sa), NULL, false},
    {"fragment", field_choice, AT(fragment), fragments, false},
    {"filter", field_text, AT(filter), NULL, false},
    {"to", field_text, AT(to), NULL, false},
    {"nth", field_unsigned, AT(nth), NULL, false},
    {"count", field_unsigned, AT(count), NULL, false},
    {"after", field_ms, AT(after_ms), NULL, false},
    {"until", field_ms, AT(until_ms), NULL, false},
    {"by", field_ms, AT(by_ms), NULL, false},
    {"gap", field_unsigned, AT(gap), NULL, false},
    {.key = NULL},
};

static const struct field_type type = {sizeof(struct sc_aim), fields, NULL, AT(line)};

static bool is_about_ike(const struct sc_aim *aim)
{
	return aim->message || aim->kind || aim->from || aim->id || aim->ike_sa;
}

static bool is_exchange(const char *name)
{
	static const char *const known[] = {
#define X(id, value, text, ref) text,
	    IKE_EXCHANGES(X)
#undef X
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

static int check_words(struct doc *doc, const struct sc_aim *aim, struct err_msg *msg)
{
	char *end;

	if (aim->message && !is_exchange(aim->message))
		return doc_error(doc, aim->line, msg, "'%s' is no exchange of IKE", aim->message);
	if (aim->id && (!*aim->id || (strtoul(aim->id, &end, 10), *end)))
		return doc_error(doc, aim->line, msg, "'%s' is no message ID", aim->id);
	if (is_about_ike(aim) && aim->packet != AIM_ANY && aim->packet != AIM_IKE)
		return doc_error(doc, aim->line, msg,
				 "message, kind, from, id and ike_sa are of IKE, not of %s",
				 packets[aim->packet]);
	return 0;
}

/* One mapping of one key: what is done, and to what. */
static int read_aim(struct doc *doc, const struct doc_node *item, struct sc_aim *aim,
		    struct err_msg *msg)
{
	const struct doc_node *node = item->kind == DOC_MAP ? item->child : NULL;
	struct field field = {.read = field_struct, .arg = &type};
	struct err_msg why = {{0}};
	size_t i, count = sizeof(acts) / sizeof(acts[0]);
	int err;

	if (!node || node->next)
		return doc_error(
		    doc, item->line, msg,
		    "an aim is one key, what to do, and to what: 'drop: {packet: esp}'");
	for (i = 0; i < count && strcmp(acts[i], node->key) != 0; i++)
		;
	if (i == count)
		return doc_error(doc, node->line, msg, "nothing is known as '%s'", node->key);
	field.key = node->key;
	err = field_struct(doc, &field, node, aim, msg);
	aim->act = (int)i;
	if (err == 0)
		err = check_words(doc, aim, msg);
	if (err == 0 && aim_check(aim, &why) < 0)
		err = doc_error(doc, node->line, msg, "%s", why.text);
	return err;
}

int field_aims(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
	       struct err_msg *msg)
{
	struct item_list *list = out;
	const struct doc_node *item;
	size_t count = 0;
	int err = 0;

	if (node->kind != DOC_LIST)
		return doc_error(doc, node->line, msg, "'%s' must be a list", field->key);
	for (item = node->child; item; item = item->next)
		count++;
	list->items = doc_alloc(doc, sizeof(struct sc_aim) * (count + 1));
	if (!list->items)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (item = node->child; item && err == 0; item = item->next)
		err = read_aim(doc, item, (struct sc_aim *)list->items + list->count++, msg);
	return err;
}

/* --- packets --- */

/* What a datagram on the ports of IKE is; IKE: *message is without marker. */
static enum aim_packet classify_udp(struct view payload, uint16_t src, uint16_t dst,
				    struct view *message)
{
	struct reader r = rd_init(payload.p, payload.len);

	*message = payload;
	if (src == PORT_IKE || dst == PORT_IKE)
		return AIM_IKE;
	if (src != PORT_NATT && dst != PORT_NATT)
		return AIM_ANY;
	if (payload.len == 1)
		return AIM_KEEPALIVE;
	if (rd_u32(&r) != 0 || !rd_ok(&r))
		return AIM_ESP;
	*message = rd_rest(&r);
	return AIM_IKE;
}

static enum aim_packet classify(const uint8_t *ip, size_t len, struct view *message)
{
	struct ip_info info;

	if (ip_parse(ip, len, &info) < 0 || info.later_fragment)
		return AIM_ANY;
	if (info.proto == PROTO_ESP)
		return AIM_ESP;
	if (info.proto != PROTO_UDP || info.l4_off + UDP_LEN > info.total_len)
		return AIM_ANY;
	return classify_udp((struct view){.p = ip + info.l4_off + UDP_LEN,
					  .len = info.total_len - info.l4_off - UDP_LEN},
			    info.sel.src_port, info.sel.dst_port, message);
}

/* From 1; 0 if there have been too many. */
static unsigned order_of(struct sc_aim *aim, uint64_t spi_i)
{
	unsigned i;

	for (i = 0; i < aim->seen.count; i++)
		if (aim->seen.spi_i[i] == spi_i)
			return i + 1;
	if (aim->seen.count == AIM_SAS_MAX)
		return 0;
	aim->seen.spi_i[aim->seen.count++] = spi_i;
	return aim->seen.count;
}

static bool is_message(struct sc_aim *aim, struct view octets)
{
	struct ike_header hdr;
	unsigned order;
	char name[32];

	if (ike_header_decode(octets, &hdr) < 0)
		return false;
	order = order_of(aim, hdr.spi_i);
	return (!aim->message ||
		strcmp(ike_exchange_name(hdr.exchange, name, sizeof(name)), aim->message) == 0) &&
	       (!aim->kind || !(hdr.flags & IKE_FLAG_RESPONSE) == (aim->kind == AIM_REQUEST)) &&
	       (!aim->from || !(hdr.flags & IKE_FLAG_INITIATOR) == (aim->from == AIM_RESPONDER)) &&
	       (!aim->id || strtoul(aim->id, NULL, 10) == hdr.message_id) &&
	       (!aim->ike_sa || aim->ike_sa == order);
}

bool aim_match(void *arg, const uint8_t *ip, size_t len)
{
	struct sc_aim *aim = arg;
	struct view message;
	enum aim_packet packet = classify(ip, len, &message);

	if (aim->packet != AIM_ANY && aim->packet != (int)packet)
		return false;
	return !is_about_ike(aim) || (packet == AIM_IKE && is_message(aim, message));
}

/* --- as the link has it --- */

static void name_aim(const struct sc_aim *aim, char *buf, size_t cap)
{
	const char *what = aim->message ? aim->message : aim->packet ? packets[aim->packet] : "";

	if (aim->name)
		snprintf(buf, cap, "%s", aim->name);
	else
		snprintf(buf, cap, "%s%s%s%s%s", acts[aim->act], *what ? " " : "", what,
			 aim->kind ? " " : "", aim->kind ? kinds[aim->kind] : "");
}

struct link_aim aim_arm(struct sc_aim *aim)
{
	struct link_aim armed = {
	    .act = (enum link_act)aim->act,
	    .fragment = (enum link_fragment)aim->fragment,
	    .from = aim->after_ms * LINK_MS,
	    .until = aim->until_ms * LINK_MS,
	    .first = aim->nth,
	    .count = aim->nth && !aim->count ? 1 : aim->count,
	    .delay = aim->by_ms * LINK_MS,
	    .gap = aim->gap,
	    .arg = aim,
	};
	if (aim->packet != AIM_ANY || is_about_ike(aim))
		armed.match = aim_match;
	snprintf(armed.filter, sizeof(armed.filter), "%s", aim->filter ? aim->filter : "");
	name_aim(aim, armed.name, sizeof(armed.name));
	aim->seen.count = 0;
	return armed;
}

int aim_check(const struct sc_aim *aim, struct err_msg *msg)
{
	struct sc_aim copy = *aim;
	struct link_aim armed = aim_arm(&copy);
	struct link_aims aims = {.count = 0};
	int err;

	if (aim->name && strlen(aim->name) > LINK_AIM_NAME_MAX)
		return err_set(msg, ERR_INVALID, "aim '%s': more than %d characters", aim->name,
			       LINK_AIM_NAME_MAX);
	if (aim->filter && strlen(aim->filter) > LINK_AIM_FILTER_MAX)
		return err_set(msg, ERR_INVALID, "a filter of more than %d characters",
			       LINK_AIM_FILTER_MAX);
	err = link_aims_add(&aims, LINK_ETHERNET, &armed, msg);
	link_aims_free(&aims);
	return err;
}

static void add_text(char *buf, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void add_text(char *buf, size_t cap, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, fmt);
	if (len < cap)
		vsnprintf(buf + len, cap - len, fmt, args);
	va_end(args);
}

const char *aim_describe(const struct sc_aim *aim, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s", acts[aim->act]);
	if (aim->nth && aim->count > 1)
		add_text(buf, cap, " no. %u to %u of", aim->nth, aim->nth + aim->count - 1);
	else if (aim->nth)
		add_text(buf, cap, " no. %u of", aim->nth);
	else if (aim->count)
		add_text(buf, cap, " the first %u of", aim->count);
	if (aim->message)
		add_text(buf, cap, " %s", aim->message);
	else if (aim->packet != AIM_ANY)
		add_text(buf, cap, " %s", packets[aim->packet]);
	if (aim->kind)
		add_text(buf, cap, " %s", kinds[aim->kind]);
	if (aim->fragment)
		add_text(buf, cap, " %s fragment", fragments[aim->fragment]);
	if (aim->from)
		add_text(buf, cap, " from %s", senders[aim->from]);
	if (aim->to)
		add_text(buf, cap, " to %s", aim->to);
	if (aim->filter)
		add_text(buf, cap, " '%s'", aim->filter);
	if (aim->by_ms)
		add_text(buf, cap, " by %u ms", aim->by_ms);
	if (aim->after_ms)
		add_text(buf, cap, " after %g s", aim->after_ms / 1000.0);
	if (aim->until_ms)
		add_text(buf, cap, " until %g s", aim->until_ms / 1000.0);
	return buf;
}
