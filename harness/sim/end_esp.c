/* end_esp.c - an end's data plane: vpn/esp's packet functions between the inner network and the
 * outer one, as vpn/dataplane joins them between TUN devices and sockets.
 *
 *	inner packet -> SPD -> (MSS, size) -> seal -> IP or UDP header -> network
 *	network -> SAD -> open -> source check -> inner network
 *
 * One device takes the place of all: packets are looked up without an interface ID first, then with
 * each that an SA has. A packet that no SA and no trap takes, though its destination is inside, is
 * dropped, as a device without a policy drops it.
 *
 * Ownership: the end has its SAs and traps until they are removed, or until it is killed. */
#include "harness/sim/end_internal.h"
#include "harness/sim/packet_make.h"
#include "vpn/base/proto.h"
#include "vpn/base/secret.h"
#include "vpn/esp/open.h"
#include "vpn/wire/packet/frag.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/mss.h"
#include <stdlib.h>
#include <string.h>

#define MTU_DEFAULT 1500
#define BUF_SIZE    (SIM_PACKET_MAX + PACKET_HEADROOM + PACKET_TAILROOM)

int end_esp_open(struct sim_end *end)
{
	hold_init(&end->hold);
	return sad_new(&end->sad) < 0 || spd_new(&end->spd) < 0 ? ERR_NOMEM : 0;
}

static void entry_free(struct esp_entry *entry)
{
	esp_sa_free(entry->esp);
	ipsec_sa_clear(&entry->sa.desc);
	free(entry);
}

static void trap_free(struct trap_entry *trap)
{
	ts_list_free(&trap->local_ts);
	ts_list_free(&trap->remote_ts);
	free(trap);
}

void end_esp_close(struct sim_end *end)
{
	size_t i;

	spd_free(end->spd);
	sad_free(end->sad);
	for (i = 0; i < end->sas_count; i++)
		entry_free(end->sas[i]);
	for (i = 0; i < end->traps_count; i++)
		trap_free(end->traps[i]);
	hold_clear(&end->hold);
	free(end->sas);
	free(end->traps);
	end->sas = NULL;
	end->traps = NULL;
	end->sas_count = end->traps_count = 0;
	end->sad = NULL;
	end->spd = NULL;
}

/* --- SAs --- */

static void send_by(struct sim_end *end, struct esp_entry *entry, uint8_t *data,
		    const struct ip_info *ip);
static const struct spd_entry *find_policy(struct sim_end *end, const struct ts_packet *sel);

static int link_entry(struct sim_end *end, struct esp_entry *entry)
{
	struct esp_sa *esp = entry->esp;
	struct spd_entry policy = {.if_id = esp->desc.if_id,
				   .reqid = esp->desc.reqid,
				   .local_ts = &esp->desc.local_ts,
				   .remote_ts = &esp->desc.remote_ts,
				   .sa = esp,
				   .user = entry};

	return esp->desc.inbound ? sad_add(end->sad, esp) : spd_add(end->spd, &policy);
}

/* What waited for an SA is looked up again, as outbound.c does. */
static void release_held(struct sim_end *end)
{
	size_t left = end->hold.n;
	struct held *held;
	struct ip_info ip;

	end->drops[ESP_DROP_TRAPPED] +=
	    hold_expire(&end->hold, sim_clock_read(&end->clock, end->now));
	while (left-- > 0 && (held = hold_take(&end->hold))) {
		const struct spd_entry *policy = NULL;

		if (ip_parse(held->data, held->len, &ip) == 0)
			policy = find_policy(end, &ip.sel);
		if (!policy || !policy->sa) {
			hold_put_back(&end->hold, held);
			continue;
		}
		send_by(end, policy->user, held->data, &ip);
		free(held);
	}
}

int end_esp_install(struct sim_end *end, const struct ipsec_sa *desc, struct err_msg *msg)
{
	struct esp_entry *entry = calloc(1, sizeof(*entry)), **grown;
	int err = ERR_NOMEM;

	grown = realloc(end->sas, (end->sas_count + 1) * sizeof(*grown));
	if (grown)
		end->sas = grown;
	if (entry && grown)
		err = ipsec_sa_copy(desc, &entry->sa.desc);
	if (err == 0)
		err = esp_sa_new(desc, &entry->esp);
	if (err == 0) {
		entry->esp->user = entry;
		entry->esp->path_mtu = MTU_DEFAULT;
		err = link_entry(end, entry);
	}
	if (err < 0) {
		if (entry)
			entry_free(entry);
		return err_set(msg, err, "SA %08x: %s", desc->spi, err_text(err));
	}
	entry->sa.child_id = desc->child_id;
	entry->sa.number = ++end->installed;
	end->sas[end->sas_count++] = entry;
	end->spec.hooks.installed(end->spec.hooks.arg, end->spec.node, &entry->sa);
	if (!desc->inbound)
		release_held(end);
	return 0;
}

static size_t find_entry(const struct sim_end *end, uint32_t spi, bool inbound, uint32_t child_id)
{
	size_t i;

	for (i = 0; i < end->sas_count; i++) {
		const struct ipsec_sa *d = &end->sas[i]->sa.desc;

		if (d->spi == spi && d->inbound == inbound &&
		    (child_id == 0 || d->child_id == child_id))
			return i;
	}
	return SIZE_MAX;
}

void end_esp_remove(struct sim_end *end, uint32_t spi, bool inbound, uint32_t child_id)
{
	size_t i = find_entry(end, spi, inbound, child_id);

	if (i == SIZE_MAX)
		return;
	if (inbound)
		sad_remove(end->sad, end->sas[i]->esp);
	else
		spd_remove(end->spd, end->sas[i]->esp, 0);
	entry_free(end->sas[i]);
	memmove(&end->sas[i], &end->sas[i + 1], (--end->sas_count - i) * sizeof(*end->sas));
}

static void move(struct sim_end *end, uint32_t spi, bool inbound, const struct ike_action *a)
{
	size_t i = find_entry(end, spi, inbound, a->update.child_id);
	struct esp_entry *entry;

	if (i == SIZE_MAX)
		return;
	entry = end->sas[i];
	entry->moved_to = (struct endpoint){0};
	entry->sa.desc.local = entry->esp->desc.local = a->update.local;
	entry->sa.desc.remote = entry->esp->desc.remote = a->update.remote;
	entry->sa.desc.encap = entry->esp->desc.encap = a->update.encap;
}

void end_esp_update(struct sim_end *end, const struct ike_action *a)
{
	move(end, a->update.spi_in, true, a);
	move(end, a->update.spi_out, false, a);
}

bool end_esp_stats(const struct sim_end *end, uint32_t spi, bool inbound,
		   struct ipsec_sa_stats *ret_stats)
{
	size_t i = find_entry(end, spi, inbound, 0);

	if (i == SIZE_MAX)
		return false;
	*ret_stats = end->sas[i]->esp->stats;
	return true;
}

/* --- traps --- */

int end_esp_trap_add(struct sim_end *end, const struct ike_action *a)
{
	struct trap_entry *trap = calloc(1, sizeof(*trap)), **grown;
	struct spd_entry policy = {.if_id = a->trap.if_id, .reqid = a->trap.id};
	int err = ERR_NOMEM;

	grown = realloc(end->traps, (end->traps_count + 1) * sizeof(*grown));
	if (grown)
		end->traps = grown;
	if (trap && grown)
		err = ts_list_copy(a->trap.local_ts, &trap->local_ts);
	if (err == 0)
		err = ts_list_copy(a->trap.remote_ts, &trap->remote_ts);
	if (err == 0) {
		policy.local_ts = &trap->local_ts;
		policy.remote_ts = &trap->remote_ts;
		policy.user = trap;
		trap->id = a->trap.id;
		err = spd_add(end->spd, &policy);
	}
	if (err == 0)
		end->traps[end->traps_count++] = trap;
	else if (trap)
		trap_free(trap);
	return err;
}

void end_esp_trap_remove(struct sim_end *end, uint32_t id)
{
	size_t i;

	for (i = 0; i < end->traps_count && end->traps[i]->id != id; i++)
		;
	if (i == end->traps_count)
		return;
	spd_remove(end->spd, NULL, id);
	trap_free(end->traps[i]);
	end->traps[i] = end->traps[--end->traps_count];
}

/* --- what the node must hear --- */

static void tell_events(struct sim_end *end, struct esp_entry *entry)
{
	uint8_t events = entry->esp->events;
	uint32_t child_id = entry->sa.child_id;
	uint64_t now = sim_clock_read(&end->clock, end->now);

	entry->esp->events = 0;
	if (events & (ESP_SA_HARD | ESP_SA_SEQ))
		node_sa_limit(end->node, child_id, true, now);
	else if (events & ESP_SA_SOFT)
		node_sa_limit(end->node, child_id, false, now);
	if (events)
		end_perform(end);
}

/* RFC 7296 §2.23: only the newest authentic packet shows where the peer is. */
static void check_source(struct sim_end *end, const struct packet *p, const struct endpoint *from)
{
	struct esp_entry *entry = p->sa->user;
	const struct ipsec_sa *d = &p->sa->desc;

	if (!p->newest || (ip_addr_eq(&d->remote.addr, &from->addr) &&
			   (!d->encap || d->remote.port == from->port)))
		return;
	if (endpoint_eq(&entry->moved_to, from))
		return;
	entry->moved_to = *from;
	node_peer_moved(end->node, d->spi, from, sim_clock_read(&end->clock, end->now));
	end_perform(end);
}

/* --- in --- */

static void hand_over(struct sim_end *end, struct packet *p)
{
	const struct esp_entry *entry = p->sa->user;
	struct sim_sa by = entry->sa;
	uint16_t max = p->sa->desc.mss_clamp;

	if (max == 1)
		max = mss_for_mtu(esp_inner_mtu(p->sa, p->inner.version), p->inner.version);
	if (max && p->inner.proto == IP_PROTO_TCP)
		mss_clamp(p->data, p->len, &p->inner, max);
	end->spec.hooks.received(end->spec.hooks.arg, end->spec.node, p->data, p->len, &by);
}

void end_esp_input(struct sim_end *end, const struct endpoint *from, uint8_t *data, size_t len,
		   size_t headroom, const struct outer_hdr *outer)
{
	struct packet p = {
	    .data = data, .len = len, .headroom = headroom, .tailroom = 0, .outer = *outer};
	uint32_t spi;
	size_t i;

	esp_open(end->sad, &p, 1, sim_clock_read(&end->clock, end->now));
	end->drops[p.drop]++;
	if (!p.sa)
		return;
	spi = p.sa->desc.spi;
	if (!p.drop)
		hand_over(end, &p);
	check_source(end, &p, from);
	i = find_entry(end, spi, true, 0);
	if (i != SIZE_MAX)
		tell_events(end, end->sas[i]);
}

/* --- out --- */

static void fill_random(void *arg, uint8_t *buf, size_t len)
{
	end_random(arg, buf, len);
}

static void send_sealed(struct sim_end *end, struct esp_entry *entry, const struct packet *p)
{
	const struct ipsec_sa *d = &entry->esp->desc;
	uint8_t *buf = malloc(BUF_SIZE);
	struct view esp = {p->data, p->len};
	size_t len;

	if (!buf)
		return;
	end->spec.hooks.esp_sent(end->spec.hooks.arg, end->spec.node, &entry->sa, p->data, p->len);
	if (d->encap)
		len = packet_udp(buf, &d->local, &d->remote, &p->outer, false, esp);
	else
		len = packet_ip(buf, &d->local.addr, &d->remote.addr, IP_PROTO_ESP, &p->outer, esp);
	sim_net_send(end->spec.net, end->spec.node, buf, len, end->now);
	free(buf);
}

static void seal(struct sim_end *end, struct esp_entry *entry, const uint8_t *data, size_t len)
{
	const struct esp_random rng = {fill_random, end};
	uint8_t *buf = malloc(BUF_SIZE);
	struct packet p;

	if (!buf)
		return;
	p = packet_in(buf, BUF_SIZE, PACKET_HEADROOM, len);
	memcpy(p.data, data, len);
	if (ip_parse(p.data, len, &p.inner) == 0) {
		end->spec.hooks.sealing(end->spec.hooks.arg, end->spec.node, data, &p.inner,
					&entry->sa);
		esp_seal(entry->esp, &p, 1, sim_clock_read(&end->clock, end->now), &rng);
		end->drops[p.drop]++;
		if (!p.drop)
			send_sealed(end, entry, &p);
	}
	free(buf);
}

static void seal_fragments(struct sim_end *end, struct esp_entry *entry, const uint8_t *data,
			   const struct ip_info *ip)
{
	struct ipv4_frag_plan plan;
	uint8_t part[2048];
	size_t i;

	if (ipv4_frag_plan(ip, esp_inner_mtu(entry->esp, 4), &plan)) {
		end->drops[ESP_DROP_TOO_BIG]++;
		return;
	}
	for (i = 0; i < plan.n && ipv4_frag_len(ip, &plan, i) <= sizeof(part); i++) {
		ipv4_fragment(data, ip, &plan, i, part);
		seal(end, entry, part, ipv4_frag_len(ip, &plan, i));
	}
}

static void too_big(struct sim_end *end, const struct esp_entry *entry, const uint8_t *data,
		    const struct ip_info *ip)
{
	uint8_t error[ICMP6_ERROR_MAX];
	size_t len;

	end->drops[ESP_DROP_TOO_BIG]++;
	if (icmp_too_big(data, ip->total_len, ip, esp_inner_mtu(entry->esp, ip->version), error,
			 sizeof(error), &len) == 0)
		sim_net_send(end->spec.net, end->spec.node, error, len, end->now);
}

static void send_by(struct sim_end *end, struct esp_entry *entry, uint8_t *data,
		    const struct ip_info *ip)
{
	uint16_t max = entry->esp->desc.mss_clamp;
	uint32_t spi = entry->sa.desc.spi, child_id = entry->sa.child_id;
	enum esp_fit fit = esp_fit(entry->esp, ip);
	size_t i;

	if (max == 1)
		max = mss_for_mtu(esp_inner_mtu(entry->esp, ip->version), ip->version);
	if (max && ip->proto == IP_PROTO_TCP)
		mss_clamp(data, ip->total_len, ip, max);
	if (fit == ESP_TOO_BIG)
		too_big(end, entry, data, ip);
	else if (fit == ESP_FRAGMENT_INNER)
		seal_fragments(end, entry, data, ip);
	else
		seal(end, entry, data, ip->total_len);
	i = find_entry(end, spi, false, child_id);
	if (i != SIZE_MAX)
		tell_events(end, end->sas[i]);
}

/* What each interface ID in use, and the device without one, would take. */
static const struct spd_entry *find_policy(struct sim_end *end, const struct ts_packet *sel)
{
	const struct spd_entry *policy = spd_find(end->spd, 0, sel);
	size_t i;

	for (i = 0; !policy && i < end->sas_count; i++)
		if (end->sas[i]->sa.desc.if_id)
			policy = spd_find(end->spd, end->sas[i]->sa.desc.if_id, sel);
	return policy;
}

static void wait_for_sa(struct sim_end *end, const uint8_t *data, const struct ip_info *ip)
{
	uint64_t now = sim_clock_read(&end->clock, end->now);
	const struct gso whole = {0};

	end->drops[ESP_DROP_TRAPPED] += hold_expire(&end->hold, now);
	if (!hold_add(&end->hold, NULL, data, ip->total_len, &whole, now))
		end->drops[ESP_DROP_TRAPPED]++;
}

bool sim_end_take(struct sim_end *end, uint8_t *data, const struct ip_info *ip, int64_t now)
{
	const struct spd_entry *policy;

	/* the daemon's own packets carry a mark and stay out */
	if (sim_net_is_outer(end->spec.net, &ip->sel.src) &&
	    sim_net_has_address(end->spec.net, end->spec.node, &ip->sel.src) &&
	    (ip->proto == IP_PROTO_ESP ||
	     (ip->proto == IP_PROTO_UDP &&
	      (ip->sel.dst_port == IKE_PORT || ip->sel.src_port == IKE_NATT_PORT))))
		return false;
	end->now = now;
	policy = end->node ? find_policy(end, &ip->sel) : NULL;
	if (!policy && sim_net_is_outer(end->spec.net, &ip->sel.dst))
		return false;
	if (!policy) {
		end->drops[ESP_DROP_NO_POLICY]++;
	} else if (!policy->sa) {
		wait_for_sa(end, data, ip);
		node_acquire(end->node, policy->reqid, &ip->sel, sim_clock_read(&end->clock, now));
		end_perform(end);
	} else {
		send_by(end, policy->user, data, ip);
	}
	return true;
}

void sim_end_path_mtu(struct sim_end *end, const struct ip_addr *to, unsigned mtu)
{
	size_t i;

	for (i = 0; i < end->sas_count; i++) {
		struct esp_entry *entry = end->sas[i];

		if (!entry->sa.desc.inbound && ip_addr_eq(&entry->sa.desc.remote.addr, to) &&
		    mtu >= IPV4_MIN_MTU && mtu < entry->esp->path_mtu)
			entry->esp->path_mtu = mtu;
	}
}
