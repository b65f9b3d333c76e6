/* occurred.c - the kinds of what can have happened, and whether it did so often enough.
 *
 * Nothing is judged but the number. A packet that several places have captured counts once for
 * each place, unless the parameter `place` names one. */
#include "harness/occurred.h"

#include "harness/occurred_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *count_param(const struct sc_expectation *e, const char *key)
{
	size_t i;

	for (i = 0; i < e->with.count; i++)
		if (strcmp(e->with.items[i].key, key) == 0)
			return e->with.items[i].value;
	return NULL;
}

bool fits(const struct count *c, const char *key, const char *value)
{
	const char *wanted = count_param(c->e, key);

	return !wanted || strcmp(wanted, value) == 0;
}

bool fits_bool(const struct count *c, const char *key, bool value)
{
	const char *text = count_param(c->e, key);
	bool wanted = value;

	if (text)
		parse_bool(text, &wanted);
	return wanted == value;
}

bool fits_number(const struct count *c, const char *key, uint64_t value)
{
	const char *text = count_param(c->e, key);
	uint64_t wanted = value;

	if (text)
		parse_octets(text, &wanted);
	return wanted == value;
}

bool fits_place(const struct count *c, size_t frame)
{
	const struct facts *f = c->ev->facts;

	return fits(c, "place", f->set.places[f->frames[frame].place].name);
}

void count_add(struct count *c, size_t frame)
{
	c->o->count++;
	if (c->o->frames_count < OCCURRED_FRAMES)
		c->o->frames[c->o->frames_count++] = frame;
}

const char *count_mode_text(enum ipsec_mode mode)
{
	static const char *const texts[] = {
	    [IPSEC_TUNNEL] = "tunnel", [IPSEC_TRANSPORT] = "transport", [IPSEC_BEET] = "beet"};

	return texts[mode];
}

static const struct occurred_kind kinds[] = {
    {"message", "IKE messages", {"exchange", "kind", "notify", "from", "place"}, count_messages},
    {"crossed",
     "IKE requests that met one of the other end's",
     {"exchange", "place"},
     count_crossed},
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
    {"corrupted", "Packets damaged", {"wire"}, count_corrupted},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *occurred_kind(size_t index)
{
	return index < KINDS ? kinds[index].name : NULL;
}

const char *occurred_param(size_t kind, size_t index)
{
	return index < OCCURRED_PARAMS ? kinds[kind].params[index] : NULL;
}

static const struct occurred_kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int check_bounds(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	const char *min = count_param(e, "min"), *max = count_param(e, "max");

	if (min && max && strtoull(min, NULL, 10) > strtoull(max, NULL, 10))
		return doc_error(doc, e->line, msg, "no number is at least %s and at most %s", min,
				 max);
	return 0;
}

int occurred_validate(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	const struct occurred_kind *kind = find_kind(e->occurred);
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
		err = occurred_check_param(doc, kind, &e->with.items[i], msg);
	if (err == 0)
		err = check_bounds(doc, e, msg);
	if (err == 0 && strcmp(kind->name, "mapping") == 0 && !count_param(e, "address"))
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
	const struct occurred_kind *kind = find_kind(e->occurred);
	const char *min = count_param(e, "min"), *max = count_param(e, "max");
	struct count c = {.e = e, .ev = ev, .o = o};

	*o = (struct occurrence){.min = min ? strtoull(min, NULL, 10) : !max,
				 .max = max ? strtoull(max, NULL, 10) : UINT64_MAX};
	kind->count(&c);
	o->is_met = o->count >= o->min && o->count <= o->max;
	occurred_describe(e, kind->text, o->title, sizeof(o->title));
	describe_count(o, min != NULL, o->text, sizeof(o->text));
}
