/* plan_print.c - a plan in words, for --dry-run, for the terminal and for reports. */
#include "harness/plan.h"
#include "harness/stream.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static void join(const struct text_list *list, char *buf, size_t cap)
{
	size_t i, len = 0;

	buf[0] = 0;
	for (i = 0; i < list->count && len < cap; i++)
		len +=
		    (size_t)snprintf(buf + len, cap - len, "%s%s", i ? ", " : "", list->items[i]);
}

static void describe_octets(uint64_t octets, char *buf, size_t cap)
{
	if (octets && octets % 1048576 == 0)
		snprintf(buf, cap, "%" PRIu64 " MiB", octets / 1048576);
	else if (octets && octets % 1024 == 0)
		snprintf(buf, cap, "%" PRIu64 " KiB", octets / 1024);
	else
		snprintf(buf, cap, "%" PRIu64 " octets", octets);
}

struct phrase {
	char *text;
	size_t cap, len;
};

static void say(struct phrase *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct phrase *p, const char *fmt, ...)
{
	va_list ap;

	if (p->len && p->len < p->cap)
		p->len += (size_t)snprintf(p->text + p->len, p->cap - p->len, ", ");
	va_start(ap, fmt);
	if (p->len < p->cap)
		p->len += (size_t)vsnprintf(p->text + p->len, p->cap - p->len, fmt, ap);
	va_end(ap);
}

static void say_fraction(struct phrase *p, const char *what, double fraction)
{
	if (fraction > 0)
		say(p, "%s %g%%", what, fraction * 100);
}

static void say_mtu(struct phrase *p, const struct sc_treatment *t)
{
	if (t->icmp_per_second && !t->icmp_filtered)
		say(p, "MTU %u with ICMP at most %u times a second", t->mtu, t->icmp_per_second);
	else
		say(p, "MTU %u %s", t->mtu, t->icmp_filtered ? "without ICMP" : "with ICMP");
}

static void describe_treatment(struct phrase *p, const struct sc_treatment *t)
{
	say_fraction(p, "loss", t->loss);
	if (t->burst.begins > 0)
		say(p, "bursts of loss %g%% begin at %g%%, end at %g%% of packets",
		    t->burst.loss > 0 ? t->burst.loss * 100 : 100, t->burst.begins * 100,
		    t->burst.ends * 100);
	say_fraction(p, "corrupts", t->corrupt);
	say_fraction(p, "duplicates", t->duplicate);
	say_fraction(p, "reorders", t->reorder);
	if (t->delay_ms)
		say(p, "delay %u ms", t->delay_ms);
	if (t->jitter_ms)
		say(p, "jitter %u ms%s", t->jitter_ms, t->jitter_reorders ? " out of order" : "");
	if (t->rate)
		say(p, "%" PRIu64 " octets/s", t->rate);
	if (t->queue)
		say(p, "queue of %u packets", t->queue);
	if (t->mtu)
		say_mtu(p, t);
	if (t->fragments_dropped)
		say(p, "no fragments");
}

const char *impairment_describe(const struct sc_impairment *i, char *buf, size_t cap)
{
	const struct sc_towards *towards = i->towards.items;
	struct phrase p = {buf, cap, 0};
	char text[128];
	size_t j;

	buf[0] = 0;
	describe_treatment(&p, &i->both);
	for (j = 0; j < i->towards.count; j++) {
		char one[256] = "";
		struct phrase inner = {one, sizeof(one), 0};

		describe_treatment(&inner, &towards[j].treatment);
		say(&p, "towards %s %s", towards[j].node, one[0] ? one : "perfect");
	}
	for (j = 0; j < i->aims.count; j++)
		say(&p, "%s", aim_describe((struct sc_aim *)i->aims.items + j, text, sizeof(text)));
	if (!p.len)
		snprintf(buf, cap, "perfect");
	return buf;
}

static void describe_wait(const struct sc_step *s, char *buf, size_t cap)
{
	if (s->children >= 0)
		snprintf(buf, cap, "wait for %d %s at %s", s->children,
			 s->children == 1 ? "child" : "children", s->node);
	else if (s->sas >= 0)
		snprintf(buf, cap, "wait for %d IKE SA%s at %s", s->sas, s->sas == 1 ? "" : "s",
			 s->node);
	else if (s->settled)
		snprintf(buf, cap, "wait until child %s is settled at %s", s->settled, s->node);
	else if (s->rekeyed)
		snprintf(buf, cap, "wait until the rekeying at %s is over", s->node);
	else if (s->event)
		snprintf(buf, cap, "wait for event %s at %s", s->event, s->node);
	else
		snprintf(buf, cap, "wait at %s for: %s", s->node, s->run);
}

static void describe_driving(const struct sc_step *s, char *buf, size_t cap)
{
	char nodes[128];

	join(&s->nodes, nodes, sizeof(nodes));
	switch (s->kind) {
	case STEP_INITIATE:
		snprintf(buf, cap, "initiate child %s at %s", s->child, s->node);
		break;
	case STEP_TERMINATE:
		snprintf(buf, cap, "terminate %s%s at %s", s->child ? "child " : "",
			 s->child ? s->child : s->ike, s->node);
		break;
	case STEP_REKEY:
		snprintf(buf, cap, "rekey %s %s, %u time%s, by %s", s->child ? "child" : "IKE SA",
			 s->child ? s->child : s->ike, s->count ? s->count : 1,
			 s->count > 1 ? "s" : "", nodes);
		break;
	case STEP_LISTED:
		snprintf(buf, cap, "compare list-sas of child %s at %s", s->child, s->node);
		break;
	default:
		snprintf(buf, cap, "%s %s", step_kind_name(s->kind), nodes);
	}
}

/* A command's first line is enough to know it by. */
static void describe_command(const struct sc_step *s, char *buf, size_t cap)
{
	int len = (int)strcspn(s->run, "\n");

	snprintf(buf, cap, "%s in %s: %.*s%s", s->kind == STEP_SHELL ? "run" : "start", s->node,
		 len, s->run, s->run[len] && s->run[len + 1] ? " ..." : "");
}

static void append_texts(char *buf, size_t cap, const char *what, const struct text_list *list)
{
	size_t i, len = strlen(buf);

	for (i = 0; i < list->count && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, ", %s%s", list->items[i], what);
}

static void append_addresses(char *buf, size_t cap, const char *what, const struct item_list *list)
{
	const struct sc_address *v = list->items;
	char text[64];
	size_t i;

	for (i = 0; i < list->count; i++) {
		snprintf(text, sizeof(text), " %s %s", what, v[i].ifname);
		append_texts(buf, cap, text, &v[i].prefixes);
	}
}

/* "laptop: 192.0.2.9/24 gone from eth0, eth0 down, eth1 up, default via 192.0.2.1" */
static void describe_host(const struct sc_step *s, char *buf, size_t cap)
{
	char changes[256] = "";

	append_addresses(changes, sizeof(changes), "gone from", &s->remove);
	append_texts(changes, sizeof(changes), " down", &s->down);
	append_texts(changes, sizeof(changes), " up", &s->up);
	append_addresses(changes, sizeof(changes), "on", &s->add);
	append_texts(changes, sizeof(changes), "", &s->routes);
	snprintf(buf, cap, "%s: %s", s->node, changes[0] ? changes + 2 : "nothing changes");
}

static void describe_network(const struct sc_step *s, char *buf, size_t cap)
{
	char text[128];

	switch (s->kind) {
	case STEP_NAT_REBOOT:
		snprintf(buf, cap, "%s forgets its NAT mappings", s->node);
		break;
	case STEP_NETWORK:
		describe_host(s, buf, cap);
		break;
	case STEP_IMPAIR:
		snprintf(buf, cap, "wire %s becomes: %s", s->wire,
			 impairment_describe(&s->impairment, text, sizeof(text)));
		break;
	case STEP_RELEASE:
		snprintf(buf, cap, "wire %s lets go what %s holds", s->wire,
			 s->name ? s->name : "it");
		break;
	case STEP_FAULTS:
		snprintf(buf, cap, "faults for %u s, then %u s of calm", s->faults.for_ms / 1000,
			 s->faults.calm_ms / 1000);
		break;
	case STEP_MEMORY:
		snprintf(buf, cap, "memory of the daemon at %s", s->node);
		break;
	case STEP_IDLE:
		snprintf(buf, cap, "let %g s pass", s->within_ms / 1000.0);
		break;
	default:
		describe_command(s, buf, cap);
	}
}

static void describe_traffic(const struct sc_step *s, char *buf, size_t cap)
{
	unsigned count = s->kind == STEP_PING && s->count ? s->count : 1;
	char octets[32], times[24] = "";

	if (count > 1)
		snprintf(times, sizeof(times), ", %u times", count);
	describe_octets(s->octets ? s->octets : 1048576, octets, sizeof(octets));
	if (s->kind == STEP_PING)
		snprintf(buf, cap, "ping %s from %s, %u octets%s", s->address, s->from,
			 s->size ? s->size : 56, times);
	else if (s->kind == STEP_TCP)
		snprintf(buf, cap, "TCP from %s to %s (%s), %s", s->from, s->to, s->address,
			 octets);
	else
		snprintf(buf, cap, "UDP from %s to %s (%s), %u datagrams of %u octets", s->from,
			 s->to, s->address, s->count ? s->count : 100, s->size ? s->size : 1000);
}

static void describe_stream(const struct sc_step *s, char *buf, size_t cap)
{
	static const char *const names[] = {"TCP", "UDP", "IKE_SA_INIT flood"};

	if (s->kind == STEP_FINISH)
		snprintf(buf, cap, "finish traffic %s", s->name);
	else
		snprintf(buf, cap, "traffic %s: %s from %s to %s (%s)", s->name, names[s->protocol],
			 s->from, s->to, s->address);
}

const char *step_describe(const struct sc_step *s, char *buf, size_t cap)
{
	size_t len;

	if (s->kind == STEP_WAIT)
		describe_wait(s, buf, cap);
	else if (s->kind <= STEP_REKEY || s->kind == STEP_LISTED)
		describe_driving(s, buf, cap);
	else if (s->kind <= STEP_UDP)
		describe_traffic(s, buf, cap);
	else if (s->kind <= STEP_FINISH)
		describe_stream(s, buf, cap);
	else
		describe_network(s, buf, cap);
	len = strlen(buf);
	if (s->expect == EXPECT_FAIL)
		snprintf(buf + len, cap - len, "; must fail");
	return buf;
}

static void print_topology(const struct plan *plan, FILE *out)
{
	const struct topology *topo = &plan->topology;
	static const char *const places[] = {"", ", outer", ", inside"};
	char text[160];
	size_t i;

	fprintf(out, "nodes:\n");
	for (i = 0; i < topo->nodes_count; i++)
		fprintf(out, "  %s\n", topo->nodes[i]);
	fprintf(out, "wires:\n");
	for (i = 0; i < plan->wires_count; i++) {
		const struct plan_wire *w = &plan->wires[i];
		const struct topo_link *link = &topo->links[w->link];

		fprintf(out, "  %s: %s:%s -- %s:%s, MTU %u%s, %s\n", w->name, link->a.node,
			link->a.ifname, link->b.node, link->b.ifname, link->mtu ? link->mtu : 1500,
			places[w->place],
			w->impairment.is_set
			    ? impairment_describe(&w->impairment, text, sizeof(text))
			    : "plain cable");
	}
	fprintf(out, "addresses:\n");
	for (i = 0; i < topo->addresses_count; i++)
		fprintf(out, "  %s %s %s\n", topo->addresses[i].node, topo->addresses[i].ifname,
			topo->addresses[i].prefix);
	fprintf(out, "routes:\n");
	for (i = 0; i < topo->routes_count; i++)
		fprintf(out, "  %s %s%s%s%s%s\n", topo->routes[i].node, topo->routes[i].dst,
			topo->routes[i].via ? " via " : "",
			topo->routes[i].via ? topo->routes[i].via : "",
			topo->routes[i].ifname ? " dev " : "",
			topo->routes[i].ifname ? topo->routes[i].ifname : "");
}

static void print_nat(const char *node, const struct sc_nat *nat, FILE *out)
{
	static const char *const dependence[] = {
	    [NAT_BY_ADDRESS_AND_PORT] = "address and port",
	    [NAT_BY_ADDRESS] = "address",
	    [NAT_BY_NOTHING] = "nothing",
	};

	fprintf(out, "  %s translates %s at %s, ports %s", node, nat->inside, nat->outside,
		nat->ports == NAT_PORTS_RANDOM ? "random" : "preserved");
	if (sc_nat_is_modelled(nat))
		fprintf(out, ", maps by %s, filters by %s%s%s", dependence[nat->mapping],
			dependence[nat->filtering], nat->hairpin ? ", hairpins" : "",
			nat->pass_through ? ", passes IPsec through" : "");
	if (nat->udp_ms)
		fprintf(out, ", idle UDP mappings for %g s", nat->udp_ms / 1000.0);
	fputc('\n', out);
}

static void print_indented(const char *node, const char *text, FILE *out)
{
	int len;

	fprintf(out, "  %s\n", node);
	for (; *text; text += len + (text[len] == '\n')) {
		len = (int)strcspn(text, "\n");
		fprintf(out, "    %.*s\n", len, text);
	}
}

/* What stands in no other table; rules as they are, since they decide. */
static void print_nodes(const struct plan *plan, FILE *out)
{
	const struct topology *topo = &plan->topology;
	const struct sc_node *nodes = plan->scenario->topology.nodes.items;
	size_t i, count = plan->scenario->topology.nodes.count;

	fprintf(out, "sysctls:\n");
	for (i = 0; i < topo->sysctls_count; i++)
		fprintf(out, "  %s %s = %s\n", topo->sysctls[i].node, topo->sysctls[i].key,
			topo->sysctls[i].value);
	fprintf(out, "NAT boxes:\n");
	for (i = 0; i < count; i++)
		if (nodes[i].nat.inside)
			print_nat(nodes[i].name, &nodes[i].nat, out);
	fprintf(out, "rules for nftables:\n");
	for (i = 0; i < topo->rules_count; i++)
		print_indented(topo->rules[i].node, topo->rules[i].text, out);
}

static void print_expectation(const struct sc_expectation *e, FILE *out)
{
	static const char *const verdicts[] = {[WANTED_PASS] = "",
					       [WANTED_FAIL] = " finds a fault",
					       [WANTED_ANY] = " does not decide"};
	size_t i;

	fprintf(out, "  %s %s%s",
		e->check      ? "check"
		: e->occurred ? "occurred"
			      : "explain says first:",
		e->check      ? e->check
		: e->occurred ? e->occurred
			      : e->explain,
		verdicts[e->verdict]);
	for (i = 0; i < e->with.count; i++)
		fprintf(out, "%s%s %s", i ? ", " : ": ", e->with.items[i].key,
			e->with.items[i].value);
	fprintf(out, "%s%s\n", e->finding ? ", which shows " : "", e->finding ? e->finding : "");
}

void plan_print(const struct plan *plan, FILE *out)
{
	const struct scenario *sc = plan->scenario;
	const struct sc_step *steps = sc->steps.items;
	const struct sc_expectation *expect = sc->expect.items;
	char text[256];
	size_t i;

	fprintf(out, "scenario: %s\nseed: %" PRIu64 "\npurpose: %s\n", sc->name, plan->seed,
		sc->purpose);
	print_topology(plan, out);
	print_nodes(plan, out);
	fprintf(out, "endpoints:\n");
	for (i = 0; i < plan->endpoints_count; i++)
		fprintf(out, "  %s: %s\n", plan->endpoints[i].sc->node, plan->endpoints[i].peer);
	fprintf(out, "steps:\n");
	for (i = 0; i < sc->steps.count; i++)
		fprintf(out, "  %zu. %s\n", i + 1, step_describe(&steps[i], text, sizeof(text)));
	fprintf(out, "expected:\n");
	for (i = 0; i < sc->expect.count; i++)
		print_expectation(&expect[i], out);
	fprintf(out, "  all standing checks\n");
}
