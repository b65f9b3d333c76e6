/* rules_counters.c - findings of counters: those that stand still, and those of drops that move.
 *
 * Looked at once, a counter says what has happened since the SA, or the daemon, began; looked at
 * twice (--watch), what happens now. What may be from long ago is possible, what grows is certain.
 * The daemon's drops are of all its connections together. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <string.h>

#define ENOUGH	3    /* packets that are more than an accident */
#define TRIFLE	1000 /* one packet in so many */
#define SETTLED 5    /* seconds after which the first answer should be there */

static uint64_t moved(const struct facts *f, const struct fact_count *c)
{
	return f->watched ? fact_grown(c) : c->now;
}

static const char *since(const struct facts *f)
{
	return f->watched ? "while watched" : "since it began";
}

static void show_counts(const struct facts *f, struct finding *found, const struct fact_child *c)
{
	live_finding_show(found, "list-sas, child %s: packets-out %llu, packets-in %llu %s",
			  c->name, (unsigned long long)moved(f, &c->packets_out),
			  (unsigned long long)moved(f, &c->packets_in), since(f));
}

/* --- One way --- */

static void find_unanswered_esp(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (!c->installed || c->age < SETTLED || moved(f, &c->packets_out) < ENOUGH ||
		    moved(f, &c->packets_in))
			continue;
		show_counts(f,
			    live_finding_add(out, f->watched ? LIKELY : POSSIBLE,
					     "Child %s sends ESP, and none comes back.", c->name),
			    c);
	}
}

static void find_mute(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (!c->installed || c->age < SETTLED || moved(f, &c->packets_in) < ENOUGH ||
		    moved(f, &c->packets_out))
			continue;
		show_counts(
		    f,
		    live_finding_add(out, f->watched ? LIKELY : POSSIBLE,
				     "Packets come out of child %s, and nothing goes back into "
				     "it.",
				     c->name),
		    c);
	}
}

/* --- Drops --- */

static uint64_t packets(const struct facts *f)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < f->n_children; i++)
		n += f->children[i].packets_in.now + f->children[i].packets_out.now;
	return n;
}

/* What grows is worth a word; what may be from last week only if it is no trifle. */
static bool is_worth_it(const struct facts *f, const struct fact_count *c)
{
	if (moved(f, c) < ENOUGH)
		return false;
	return f->watched || c->now > packets(f) / TRIFLE;
}

static void find_drops(const struct facts *f, struct findings *out, const char *reason,
		       const char *what)
{
	const struct fact_count *c = live_drops(f, reason);

	if (!c || !is_worth_it(f, c))
		return;
	live_finding_show(live_finding_add(out, f->watched ? CERTAIN : POSSIBLE, "%s", what),
			  "get-counters: %s %llu %s", reason, (unsigned long long)moved(f, c),
			  since(f));
}

/* A device also gets packets of the kernel's own (router solicitations), which fit no SA and need
 * none: so this is told only while it happens. */
static void find_no_policy(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; f->watched && i < f->n_children; i++) {
		if (!f->children[i].installed)
			continue;
		find_drops(f, out, "no-policy", "Packets reach the tunnel's device and fit no SA.");
		return;
	}
}

static void find_outside(const struct facts *f, struct findings *out)
{
	find_drops(f, out, "selector", "Decrypted packets are outside the selectors of their SA.");
}

static void find_late(const struct facts *f, struct findings *out)
{
	find_drops(f, out, "old", "Packets arrive behind the replay window.");
}

static void find_damaged(const struct facts *f, struct findings *out)
{
	find_drops(f, out, "icv", "The integrity check of ESP packets fails.");
}

static void find_forgotten(const struct facts *f, struct findings *out)
{
	if (f->watched)
		find_drops(f, out, "no-sa", "ESP packets come with SPIs that no SA here has.");
}

static void find_too_big(const struct facts *f, struct findings *out)
{
	if (f->watched)
		find_drops(
		    f, out, "too-big",
		    "Packets that do not fit the tunnel are refused, and more of them come.");
}

static void find_refused_io(const struct facts *f, struct findings *out)
{
	find_drops(f, out, "io", "The kernel refuses packets of the tunnel.");
}

RULES(
    counters,
    {.id = "MAP-oneway",
     .names = "negotiation failure map 5; troubleshooting flow 5",
     .kind = RULE_SYMPTOM,
     .rank = 55,
     .unless = "",
     .title = "ESP goes one way only",
     .why = "Either nothing needs to come back, or ESP is dropped on the way (protocol 50, UDP "
	    "4500), or what the peer gets it drops behind the tunnel (rp_filter, firewall, "
	    "routes).",
     .remedy = "Ask the same question at the peer (beetctl explain there), and capture at both "
	       "ends.",
     .clause = "RFC 4301 §5",
     .find = find_unanswered_esp},
    {.id = "LIVE-mute",
     .names = "F32, S17; negotiation failure map 5; troubleshooting flow 5, 6",
     .kind = RULE_SYMPTOM,
     .rank = 56,
     .unless = "LIVE-decrypted",
     .title = "Packets come out of the tunnel and are not answered",
     .why = "They are dropped behind it, or the host answers another way: its route back does not "
	    "lead into the tunnel.",
     .remedy = "Look at the host that should answer: its firewall, and its route to the source.",
     .clause = "RFC 4301 §5.2",
     .find = find_mute},
    {.id = "LIVE-no-policy",
     .names = "F31; negotiation failure map 4, 5; troubleshooting flow 4, 5",
     .kind = RULE_FAULT,
     .rank = 24,
     .unless = "F31",
     .title = "Packets are routed into the tunnel and fit no SA",
     .why = "Their source or destination is outside the selectors: the route is wider than they "
	    "are, NAT or the choice of the source address comes before, or the child is missing.",
     .remedy =
	 "tcpdump -ni DEVICE shows the addresses; compare them with local-ts and remote-ts of "
	 "list-sas.",
     .clause = "RFC 4301 §5.1",
     .find = find_no_policy},
    {.id = "F35",
     .names = "F39",
     .kind = RULE_FAULT,
     .rank = 21,
     .unless = "",
     .title = "Packets travel in an SA that does not cover them",
     .why = "The sender's policy is broader than the SA. The receiver must drop them.",
     .remedy = "Make the peer's policy as narrow as the SA, or the selectors as broad as the "
	       "peer's policy.",
     .clause = "RFC 4301 §5.2, RFC 7296 §2.9",
     .find = find_outside},
    {.id = "F48",
     .names = "negotiation failure map 6 (replay window)",
     .kind = RULE_FAULT,
     .rank = 30,
     .unless = "",
     .title = "Packets overtake each other by more than a small replay window allows",
     .why = "A receiver drops what is further behind than its window is wide: 32 or 64 by default "
	    "in many stacks. QoS, several cores or several paths make such an order.",
     .remedy = "Widen the window (replay_window = 1024); do not send one SA's packets through "
	       "queues of different speed.",
     .clause = "RFC 4303 §3.4.3",
     .find = find_late},
    {.id = "ESP-damaged",
     .names = "F28; document 4: kernel IPsec subsystem",
     .kind = RULE_FAULT,
     .rank = 26,
     .unless = "",
     .title = "Packets arrive damaged, or are forged",
     .why = "They were changed on the way, or the ends' keys or tag lengths differ (F28: "
	    "HMAC-SHA2-256 cut to 96 bits).",
     .remedy =
	 "Look for a faulty link or network card, for an offload that changes packets, for an "
	 "old peer's truncation; if none, for somebody who injects them.",
     .clause = "RFC 4303 §3.4.4.1, RFC 4868 §2.3",
     .find = find_damaged},
    {.id = "MAP-forgotten",
     .names = "peer restarted, F20",
     .kind = RULE_FAULT,
     .rank = 27,
     .unless = "",
     .title = "The peer sends in SAs that this end does not have",
     .why = "This end was restarted, or has deleted an SA that the peer kept.",
     .remedy = "Liveness checks at the peer (dpd_delay), with an action that brings the tunnel "
	       "back; by hand: beetctl down, beetctl up.",
     .clause = "RFC 7296 §2.4, RFC 4301 §6.1",
     .find = find_forgotten},
    {.id = "F15",
     .names = "S11; troubleshooting flow 7; document 4: MTU",
     .kind = RULE_FAULT,
     .rank = 22,
     .unless = "",
     .title = "Packets are too big for the tunnel, and the sender does not learn it",
     .why = "Each is answered with ICMP (fragmentation needed, packet too big). That more of them "
	    "come means that the ICMP does not arrive: a firewall between this host and the "
	    "sender drops it.",
     .remedy = "Let ICMP type 3 code 4 (IPv6: type 2) pass. Clamp the MSS (tcp_mss = path), or "
	       "lower the MTU of the tunnel's device or of the hosts; clamping does not help UDP.",
     .clause = "RFC 1191 §4, RFC 4301 §8.2",
     .find = find_too_big},
    {.id = "LIVE-io",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 23,
     .unless = "LIVE-firewall LIVE-peer-route LIVE-link",
     .title = "The kernel refuses the tunnel's packets",
     .why = "Sending failed: no route to the peer, a firewall on output, a full queue, or a device "
	    "that is down.",
     .remedy = "Look at the way to the peer, at the output chain, and at the daemon's log.",
     .clause = "RFC 4301 §5",
     .find = find_refused_io});
