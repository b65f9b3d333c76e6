/* link_queue.c - a binary heap by time, and a list of what is set aside.
 *
 * Equal times leave in order of entry, so a link without jitter keeps its order. What is set aside
 * waits for an event (a release, later packets that pass) and has a latest time besides; these are
 * few, so they are looked through.
 *
 *	push --------------------------------> heap --> pop
 *	set_aside --> aside -- passed, release --^       ^
 *	                   \__ latest time ______________/
 *
 * Ownership: the queue has its items; pop and take_any give one to the caller. */
#include "netns/link_queue.h"
#include <stdlib.h>
#include <string.h>

static bool leaves_before(const struct link_item *a, const struct link_item *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void sift_up(struct link_queue *queue, size_t at)
{
	struct link_item *item = queue->heap[at];

	while (at > 0 && leaves_before(item, queue->heap[(at - 1) / 2])) {
		queue->heap[at] = queue->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	queue->heap[at] = item;
}

static void sift_down(struct link_queue *queue, size_t at)
{
	struct link_item *item = queue->heap[at];
	size_t child;

	while ((child = 2 * at + 1) < queue->count) {
		if (child + 1 < queue->count &&
		    leaves_before(queue->heap[child + 1], queue->heap[child]))
			child++;
		if (!leaves_before(queue->heap[child], item))
			break;
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	queue->heap[at] = item;
}

int link_queue_push(struct link_queue *queue, struct link_item *item)
{
	size_t cap = queue->cap ? queue->cap * 2 : 64;
	struct link_item **heap;

	if (queue->count == queue->cap) {
		heap = realloc(queue->heap, cap * sizeof(*heap));
		if (!heap) {
			free(item);
			return ERR_NOMEM;
		}
		queue->heap = heap;
		queue->cap = cap;
	}
	item->order = queue->entered++;
	queue->heap[queue->count++] = item;
	sift_up(queue, queue->count - 1);
	return 0;
}

void link_queue_set_aside(struct link_queue *queue, struct link_item *item)
{
	struct link_item **end = &queue->aside;

	while (*end)
		end = &(*end)->next;
	item->next = NULL;
	item->order = queue->entered++;
	*end = item;
	queue->aside_count++;
}

static struct link_item *unlink_aside(struct link_queue *queue, struct link_item **place)
{
	struct link_item *item = *place;

	*place = item->next;
	queue->aside_count--;
	return item;
}

int link_queue_passed(struct link_queue *queue, int64_t due, unsigned *ret_moved)
{
	struct link_item **place = &queue->aside, *item;
	unsigned moved = 0;

	while (*place) {
		if ((*place)->behind == 0 || --(*place)->behind > 0) {
			place = &(*place)->next;
			continue;
		}
		item = unlink_aside(queue, place);
		item->due = due;
		item->record.did |= LINK_DID_REORDER;
		if (link_queue_push(queue, item) < 0)
			return ERR_NOMEM;
		moved++;
	}
	*ret_moved = moved;
	return 0;
}

int link_queue_release(struct link_queue *queue, const char *aim, int64_t now,
		       unsigned *ret_released)
{
	struct link_item **place = &queue->aside, *item;
	unsigned released = 0;

	while (*place) {
		if ((*place)->behind > 0 || (aim && strcmp((*place)->record.aim, aim) != 0)) {
			place = &(*place)->next;
			continue;
		}
		item = unlink_aside(queue, place);
		item->due = now;
		if (link_queue_push(queue, item) < 0)
			return ERR_NOMEM;
		released++;
	}
	*ret_released = released;
	return 0;
}

static struct link_item **earliest_aside(const struct link_queue *queue)
{
	struct link_item *const *place;
	struct link_item *const *best = NULL;

	for (place = &queue->aside; *place; place = &(*place)->next)
		if (!best || leaves_before(*place, *best))
			best = place;
	return (struct link_item **)(uintptr_t)best;
}

int64_t link_queue_next(const struct link_queue *queue)
{
	struct link_item **aside = earliest_aside(queue);
	int64_t next = aside ? (*aside)->due : LINK_NEVER;

	return queue->count > 0 && queue->heap[0]->due < next ? queue->heap[0]->due : next;
}

static struct link_item *pop_heap(struct link_queue *queue)
{
	struct link_item *item = queue->heap[0];

	queue->heap[0] = queue->heap[--queue->count];
	if (queue->count > 0)
		sift_down(queue, 0);
	return item;
}

struct link_item *link_queue_pop(struct link_queue *queue, int64_t now)
{
	struct link_item **aside = earliest_aside(queue);
	struct link_item *top = queue->count > 0 ? queue->heap[0] : NULL;

	if (aside && (!top || leaves_before(*aside, top)))
		return (*aside)->due <= now ? unlink_aside(queue, aside) : NULL;
	return top && top->due <= now ? pop_heap(queue) : NULL;
}

struct link_item *link_queue_take_any(struct link_queue *queue)
{
	if (queue->aside)
		return unlink_aside(queue, &queue->aside);
	if (queue->count > 0)
		return pop_heap(queue);
	free(queue->heap);
	*queue = (struct link_queue){0};
	return NULL;
}
