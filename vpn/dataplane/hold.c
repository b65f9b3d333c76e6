/* hold.c - a queue with bounds: packets of all devices, oldest first.
 *
 * RFC 4301 §4.4.1 leaves to the implementation what becomes of a packet for which an SA must be
 * made first. Here it waits, so that neither a single datagram nor the first SYN is lost. When an
 * SA has come, all that waits is looked up again (outbound.c); what has still no SA goes on waiting
 * with the age that it has. An attacker behind us can fill the queue, no more.
 *
 * Ownership: a held packet is the queue's until it is taken. The data-plane thread's alone. */
#include "vpn/dataplane/hold.h"

#include <stdlib.h>
#include <string.h>

void hold_init(struct hold *hold)
{
	list_init(&hold->packets);
	hold->n = hold->octets = 0;
}

bool hold_add(struct hold *hold, struct dp_tun *tun, const uint8_t *data, size_t len,
	      const struct gso *gso, uint64_t now)
{
	struct held *held;

	if (hold->n == HOLD_PACKETS || hold->octets + len > HOLD_OCTETS)
		return false;
	held = malloc(sizeof(*held) + len);
	if (!held)
		return false;
	held->tun = tun;
	held->since = now;
	held->gso = *gso;
	held->len = len;
	memcpy(held->data, data, len);
	hold_put_back(hold, held);
	return true;
}

void hold_put_back(struct hold *hold, struct held *held)
{
	list_append(&hold->packets, &held->node);
	hold->n++;
	hold->octets += held->len;
}

static struct held *oldest(const struct hold *hold)
{
	return hold->n ? list_entry(hold->packets.next, struct held, node) : NULL;
}

struct held *hold_take(struct hold *hold)
{
	struct held *held = oldest(hold);

	if (!held)
		return NULL;
	list_remove(&held->node);
	hold->n--;
	hold->octets -= held->len;
	return held;
}

size_t hold_expire(struct hold *hold, uint64_t now)
{
	struct held *held;
	size_t n = 0;

	while ((held = oldest(hold)) && now - held->since > HOLD_TIME) {
		free(hold_take(hold));
		n++;
	}
	return n;
}

void hold_clear(struct hold *hold)
{
	struct held *held;

	while ((held = hold_take(hold)))
		free(held);
}
