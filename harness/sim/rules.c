/* rules.c - the rules that are watched at every step, and what the ends must agree about at rest.
 *
 * Keys are compared by a hash of their octets; a false alarm by chance is a matter of 2^-40 in a
 * long run. Of IKE messages the IV stands in the clear behind the header of the SK payload (RFC
 * 7296 §3.14), or of SKF (RFC 7383 §2.5); a retransmission is the same octets and no second use. */
#include "harness/sim/rules.h"
#include "vpn/crypto/alg.h"
#include "vpn/wire/ike_numbers.h"
#include "vpn/wire/packet/octets.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { IKE_HDR = 28, AT_NEXT = 16, AT_EXCHANGE = 18, AT_FLAGS = 19, FLAG_INITIATOR = 8 };
enum { NEXT_SK = 46, NEXT_SKF = 53, GENERIC = 4, SKF_EXTRA = 4, IV_LEN = 8 };

void rules_free(struct sim_rules *rules)
{
	sim_set_free(&rules->keys);
	sim_set_free(&rules->spis);
	sim_set_free(&rules->ivs);
}

void rules_break(struct sim_rules *rules, const char *fmt, ...)
{
	va_list args;

	if (rules->broken[0])
		return;
	rules->broken_at = rules->now;
	va_start(args, fmt);
	vsnprintf(rules->broken, sizeof(rules->broken), fmt, args);
	va_end(args);
}

void rules_on_wire(struct sim_rules *rules, const struct plan_wire *wire, const uint8_t *data,
		   size_t len)
{
	if (wire->place == WIRE_OUTER && probe_is_in(data, len))
		rules_break(rules, "an inner packet in the clear on the wire %s", wire->name);
}

/* --- SAs --- */

static unsigned count_inbound(const struct sim_end *end)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < sim_end_sas(end); i++)
		n += sim_end_sa(end, i)->desc.inbound;
	return n;
}

static void check_count(struct sim_rules *rules, size_t node)
{
	size_t i;

	for (i = 0; rules->sas_max && i < rules->ends_count; i++) {
		unsigned n = count_inbound(rules->ends[i]);

		if (sim_end_place(rules->ends[i]) == node && n > rules->sas_max)
			rules_break(rules, "%s has %u inbound SAs, more than %u",
				    sim_end_name(rules->ends[i]), n, rules->sas_max);
	}
}

/* A key serves one direction between two ends: it is installed once for each. */
void rules_on_installed(struct sim_rules *rules, size_t node, const struct sim_sa *sa)
{
	const struct ipsec_sa *d = &sa->desc;
	uint64_t key = sim_hash(d->inbound ? 1 : 2, d->key, d->key_len);
	uint64_t spi = sim_hash(node + 1, &d->spi, sizeof(d->spi));
	uint64_t *uses = sim_set_at(&rules->keys, key), *spis = NULL;

	rules->installs++;
	if (uses && ++*uses > 1)
		rules_break(rules, "the key of %s SA %08x was used before",
			    d->inbound ? "inbound" : "outbound", d->spi);
	if (d->inbound)
		spis = sim_set_at(&rules->spis, spi);
	if (spis && ++*spis > 1)
		rules_break(rules, "SPI %08x is used a second time", d->spi);
	check_count(rules, node);
}

void rules_on_sealing(struct sim_rules *rules, const struct ip_info *ip, const struct sim_sa *by)
{
	rules->seals++;
	if (!ts_lists_match(&by->desc.local_ts, &by->desc.remote_ts, &ip->sel))
		rules_break(rules, "a packet was sealed outside the selectors of SA %08x",
			    by->desc.spi);
}

void rules_on_opened(struct sim_rules *rules, const struct ip_info *ip, const struct sim_sa *by)
{
	if (!ts_lists_match(&by->desc.remote_ts, &by->desc.local_ts, &ip->sel))
		rules_break(rules, "a packet came in outside the selectors of SA %08x",
			    by->desc.spi);
}

/* RFC 4303 §3.3.3: the number never cycles; RFC 4106 §3.1, RFC 7634 §2: the IV is used once. */
void rules_on_esp(struct sim_rules *rules, size_t node, struct sim_sa *sa, const uint8_t *esp,
		  size_t len)
{
	struct reader r = rd_at(esp, len, 4);
	uint64_t seq = rd_u32(&r), iv;
	bool aead = sa->desc.alg.integ == 0;

	(void)node;
	if (seq <= sa->last_seq)
		rules_break(rules, "SA %08x: sequence number %llu after %llu", sa->desc.spi,
			    (unsigned long long)seq, (unsigned long long)sa->last_seq);
	sa->last_seq = seq;
	iv = rd_u64(&r);
	if (aead && sa->has_iv && iv <= sa->last_iv)
		rules_break(rules, "SA %08x: IV %llx after %llx", sa->desc.spi,
			    (unsigned long long)iv, (unsigned long long)sa->last_iv);
	sa->last_iv = iv;
	sa->has_iv = true;
}

void rules_on_ike(struct sim_rules *rules, size_t node, struct view datagram)
{
	struct reader r = rd_init(datagram.p, datagram.len);
	const uint8_t *hdr = rd_bytes(&r, IKE_HDR), *iv;
	uint64_t id, whole, *seen;
	uint8_t from;

	(void)node;
	rules->ike_messages++;
	if (!hdr || (hdr[AT_NEXT] != NEXT_SK && hdr[AT_NEXT] != NEXT_SKF))
		return;
	rd_bytes(&r, hdr[AT_NEXT] == NEXT_SK ? GENERIC : GENERIC + SKF_EXTRA);
	iv = rd_bytes(&r, IV_LEN);
	if (!iv)
		return;
	from = hdr[AT_FLAGS] & FLAG_INITIATOR;
	id = sim_hash(sim_hash(from, hdr, 16), iv, IV_LEN);
	whole = sim_hash(0, datagram.p, datagram.len);
	seen = sim_set_at(&rules->ivs, id);
	if (seen && *seen && *seen != whole)
		rules_break(rules, "an IV of IKE was used for two messages, exchange %u",
			    hdr[AT_EXCHANGE]);
	if (seen)
		*seen = whole;
}

void rules_on_probe(struct sim_rules *rules, enum probe_finding finding, uint64_t number)
{
	static const char *const texts[] = {
	    [PROBE_OK] = NULL,
	    [PROBE_STRANGE] = "is none of ours",
	    [PROBE_CHANGED] = "was changed on its way",
	    [PROBE_TWICE] = "was delivered twice",
	};

	if (texts[finding])
		rules_break(rules, "inner packet %llu %s", (unsigned long long)number,
			    texts[finding]);
}

/* --- at rest --- */

static bool say(char *why, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static bool say(char *why, size_t cap, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, cap, fmt, args);
	va_end(args);
	return false;
}

static bool ike_is_quiet(const struct sim_end *end, const struct ike_sa_info *sa, char *why,
			 size_t cap)
{
	struct child_sa_info child;
	size_t i;

	if (sa->state != IKE_ESTABLISHED || sa->tasks_active || sa->tasks_queued)
		return say(why, cap, "%s: IKE SA #%u is %s, with %u tasks", sim_end_name(end),
			   sa->id, ike_sa_state_name(sa->state),
			   sa->tasks_active + sa->tasks_queued);
	for (i = 0; node_child_sa(sim_end_node(end), sa->id, i, &child); i++)
		if (child.state != CHILD_INSTALLED)
			return say(why, cap, "%s: Child SA #%u is %s", sim_end_name(end), child.id,
				   child_sa_state_name(child.state));
	return true;
}

static bool end_is_quiet(const struct sim_end *end, char *why, size_t cap)
{
	struct ike_sa_info sa;
	size_t i;

	if (!sim_end_node(end))
		return say(why, cap, "%s is not running", sim_end_name(end));
	for (i = 0; node_ike_sa(sim_end_node(end), i, &sa); i++)
		if (!ike_is_quiet(end, &sa, why, cap))
			return false;
	return true;
}

static bool has_ike_sa(const struct sim_end *end, const struct ike_sa_info *want)
{
	struct ike_sa_info sa;
	size_t i;

	for (i = 0; node_ike_sa(sim_end_node(end), i, &sa); i++)
		if (sa.spi_i == want->spi_i && sa.spi_r == want->spi_r &&
		    sa.initiator != want->initiator)
			return true;
	return false;
}

static bool same_sa(const struct ipsec_sa *in, const struct ipsec_sa *out)
{
	return in->spi == out->spi && in->inbound != out->inbound && in->key_len == out->key_len &&
	       memcmp(in->key, out->key, in->key_len) == 0 && in->mode == out->mode &&
	       in->alg.encr == out->alg.encr && in->alg.esn == out->alg.esn &&
	       ts_list_eq(&in->local_ts, &out->remote_ts) &&
	       ts_list_eq(&in->remote_ts, &out->local_ts);
}

static bool has_sa(const struct sim_end *end, const struct ipsec_sa *want)
{
	size_t i;

	for (i = 0; i < sim_end_sas(end); i++)
		if (same_sa(want, &sim_end_sa(end, i)->desc))
			return true;
	return false;
}

static bool others_have(const struct sim_rules *rules, size_t me, char *why, size_t cap)
{
	const struct sim_end *end = rules->ends[me];
	struct ike_sa_info sa;
	size_t i, k;
	bool found = true;

	for (i = 0; node_ike_sa(sim_end_node(end), i, &sa); i++) {
		for (k = 0, found = false; k < rules->ends_count && !found; k++)
			found = k != me && has_ike_sa(rules->ends[k], &sa);
		if (!found)
			return say(why, cap, "%s has IKE SA #%u (%016llx), nobody else has",
				   sim_end_name(end), sa.id, (unsigned long long)sa.spi_i);
	}
	for (i = 0; i < sim_end_sas(end); i++) {
		const struct ipsec_sa *d = &sim_end_sa(end, i)->desc;

		for (k = 0, found = false; k < rules->ends_count && !found; k++)
			found = k != me && has_sa(rules->ends[k], d);
		if (!found)
			return say(why, cap, "%s has %s SA %08x, nobody else has the other end",
				   sim_end_name(end), d->inbound ? "inbound" : "outbound", d->spi);
	}
	return true;
}

bool rules_at_rest(const struct sim_rules *rules, int64_t now, char *why, size_t cap)
{
	size_t i;

	(void)now;
	for (i = 0; i < rules->ends_count; i++)
		if (!end_is_quiet(rules->ends[i], why, cap))
			return false;
	for (i = 0; i < rules->ends_count; i++)
		if (!others_have(rules, i, why, cap))
			return false;
	return true;
}

unsigned rules_children(const struct sim_end *end)
{
	struct child_sa_info child;
	struct ike_sa_info sa;
	unsigned n = 0;
	size_t i, k;

	if (!sim_end_node(end))
		return 0;
	for (i = 0; node_ike_sa(sim_end_node(end), i, &sa); i++)
		for (k = 0; node_child_sa(sim_end_node(end), sa.id, k, &child); k++)
			n += child.state == CHILD_INSTALLED;
	return n;
}
