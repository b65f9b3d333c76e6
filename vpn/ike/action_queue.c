/* action_queue.c - queued actions own their octets and texts.
 *
 * One allocation for an action with its datagram, text or keys behind it; an SA is copied with
 * ipsec_sa_copy. Everything is wiped when it is freed: an action may hold keys. */
#include "vpn/ike/action_queue.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

struct queued {
	struct list node;
	struct ike_action action;
	struct ipsec_sa sa; /* IKE_ACTION_SA_INSTALL */
	size_t extra_len;
	uint8_t extra[];
};

void action_queue_init(struct action_queue *q)
{
	*q = (struct action_queue){0};
	list_init(&q->items);
}

static void free_queued(struct queued *item)
{
	if (!item)
		return;
	if (item->action.type == IKE_ACTION_SA_INSTALL)
		ipsec_sa_clear(&item->sa);
	secret_wipe(item, sizeof(*item) + item->extra_len);
	free(item);
}

void action_queue_clear(struct action_queue *q)
{
	while (action_queue_next(q))
		;
	free_queued(q->out);
	q->out = NULL;
}

const struct ike_action *action_queue_next(struct action_queue *q)
{
	free_queued(q->out);
	q->out = NULL;
	if (list_empty(&q->items))
		return NULL;
	q->out = list_entry(q->items.next, struct queued, node);
	list_remove(&q->out->node);
	return &q->out->action;
}

static size_t extra_len(const struct ike_action *a)
{
	switch (a->type) {
	case IKE_ACTION_SEND:
		return a->send.datagram.len;
	case IKE_ACTION_EVENT:
		return strlen(a->event.text) + 1;
	case IKE_ACTION_LOG:
		return strlen(a->log.text) + 1;
	case IKE_ACTION_KEYS:
		return 7 * IKE_SK_MAX;
	default:
		return 0;
	}
}

static void own_keys(struct queued *item)
{
	struct ike_keys_info *k = &item->action.keys;
	struct view *all[] = {&k->sk_d,	 &k->sk_ai, &k->sk_ar, &k->sk_ei,
			      &k->sk_er, &k->sk_pi, &k->sk_pr};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t *to = item->extra + i * IKE_SK_MAX;

		memcpy(to, all[i]->p, all[i]->len);
		all[i]->p = to;
	}
}

static bool own(struct queued *item)
{
	struct ike_action *a = &item->action;

	switch (a->type) {
	case IKE_ACTION_SEND:
		memcpy(item->extra, a->send.datagram.p, a->send.datagram.len);
		a->send.datagram.p = item->extra;
		return true;
	case IKE_ACTION_EVENT:
		memcpy(item->extra, a->event.text, item->extra_len);
		a->event.text = (const char *)item->extra;
		return true;
	case IKE_ACTION_LOG:
		memcpy(item->extra, a->log.text, item->extra_len);
		a->log.text = (const char *)item->extra;
		return true;
	case IKE_ACTION_KEYS:
		own_keys(item);
		return true;
	case IKE_ACTION_SA_INSTALL:
		if (ipsec_sa_copy(a->install, &item->sa))
			return false;
		a->install = &item->sa;
		return true;
	default:
		return true;
	}
}

void action_queue_push(struct action_queue *q, const struct ike_action *action)
{
	size_t n = extra_len(action);
	struct queued *item = calloc(1, sizeof(*item) + n);

	if (!item) {
		q->lost++;
		return;
	}
	item->action = *action;
	item->extra_len = n;
	if (!own(item)) {
		free(item);
		q->lost++;
		return;
	}
	list_append(&q->items, &item->node);
}
