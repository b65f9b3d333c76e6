/* spd.c - an ordered array of policies, with a cache of flows in front.
 *
 * The array is searched from the start; its order (interface ID, then narrow before wide, SA before
 * trap, new before old) decides. The cache is direct-mapped by a hash of the packet's selectors and
 * holds answers of the array as it is: every change of the array starts a new generation, which
 * empties the cache. Entries stand in the array by pointer, so a cached answer stays where it is.
 */
#include "vpn/esp/spd.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/err.h"

#define FLOWS_BITS 10

_Static_assert(sizeof(struct ts_packet) == 40, "compared and hashed as a whole: no padding");

struct flow {
	uint32_t generation;
	uint32_t if_id;
	struct ts_packet key;
	const struct spd_entry *entry;
};

struct policy {
	struct spd_entry e;
	unsigned width; /* how much the selectors leave open; smaller is narrower */
};

struct spd {
	struct policy **v;
	size_t n, cap;
	uint32_t generation;
	struct flow flows[1 << FLOWS_BITS];
};

int spd_new(struct spd **ret_spd)
{
	struct spd *spd = calloc(1, sizeof(*spd));

	if (!spd)
		return ERR_NOMEM;
	spd->generation = 1;
	*ret_spd = spd;
	return 0;
}

void spd_free(struct spd *spd)
{
	size_t i;

	if (!spd)
		return;
	for (i = 0; i < spd->n; i++)
		free(spd->v[i]);
	free(spd->v);
	free(spd);
}

/* Address bits in which the ends of a range differ, and a bit each for open protocol and ports. */
static unsigned ts_width(const struct ts *ts)
{
	size_t len = ip_addr_len(&ts->lo);
	unsigned bits = (unsigned)len * 8;
	size_t i;
	uint8_t diff;

	for (i = 0; i < len; i++) {
		diff = ts->lo.b[i] ^ ts->hi.b[i];
		if (diff) {
			bits -= (unsigned)__builtin_clz((unsigned)diff) - 24;
			break;
		}
		bits -= 8;
	}
	return bits * 4 + (ts->proto == 0 ? 2 : 0) + (ts->port_lo != ts->port_hi ? 1 : 0);
}

static unsigned list_width(const struct ts_list *list)
{
	unsigned w, most = 0;
	size_t i;

	for (i = 0; i < list->n; i++) {
		w = ts_width(&list->v[i]);
		most = w > most ? w : most;
	}
	return most;
}

/* True if a comes before b, where a is the newer one. */
static bool before(const struct policy *a, const struct policy *b)
{
	if (a->e.if_id != b->e.if_id)
		return a->e.if_id < b->e.if_id;
	if (a->width != b->width)
		return a->width < b->width;
	return a->e.sa || !b->e.sa;
}

static int make_room(struct spd *spd)
{
	size_t cap = spd->cap ? spd->cap * 2 : 16;
	struct policy **v;

	if (spd->n < spd->cap)
		return 0;
	v = realloc(spd->v, cap * sizeof(struct policy *));
	if (!v)
		return ERR_NOMEM;
	spd->v = v;
	spd->cap = cap;
	return 0;
}

int spd_add(struct spd *spd, const struct spd_entry *entry)
{
	struct policy *p;
	size_t at = 0;

	if (make_room(spd))
		return ERR_NOMEM;
	p = malloc(sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	p->e = *entry;
	p->width = list_width(entry->local_ts) + list_width(entry->remote_ts);
	while (at < spd->n && !before(p, spd->v[at]))
		at++;
	memmove(spd->v + at + 1, spd->v + at, (spd->n - at) * sizeof(struct policy *));
	spd->v[at] = p;
	spd->n++;
	spd->generation++;
	return 0;
}

bool spd_remove(struct spd *spd, const struct esp_sa *sa, uint32_t reqid)
{
	size_t at;

	for (at = 0; at < spd->n; at++)
		if (spd->v[at]->e.sa == sa && (sa || spd->v[at]->e.reqid == reqid))
			break;
	if (at == spd->n)
		return false;
	free(spd->v[at]);
	memmove(spd->v + at, spd->v + at + 1, (spd->n - at - 1) * sizeof(struct policy *));
	spd->n--;
	spd->generation++;
	return true;
}

static const struct spd_entry *search(const struct spd *spd, uint32_t if_id,
				      const struct ts_packet *pkt)
{
	const struct spd_entry *e;
	size_t i;

	for (i = 0; i < spd->n; i++) {
		e = &spd->v[i]->e;
		if (e->if_id == if_id && ts_lists_match(e->local_ts, e->remote_ts, pkt))
			return e;
	}
	return NULL;
}

static struct flow *flow_of(struct spd *spd, uint32_t if_id, const struct ts_packet *pkt)
{
	uint64_t w[5], h = if_id;
	size_t i;

	memcpy(w, pkt, sizeof(w));
	for (i = 0; i < 5; i++)
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15ULL;
	return &spd->flows[h >> (64 - FLOWS_BITS)];
}

const struct spd_entry *spd_find(struct spd *spd, uint32_t if_id, const struct ts_packet *pkt)
{
	struct flow *f = flow_of(spd, if_id, pkt);

	if (f->generation == spd->generation && f->if_id == if_id &&
	    memcmp(&f->key, pkt, sizeof(*pkt)) == 0)
		return f->entry;
	*f = (struct flow){spd->generation, if_id, *pkt, search(spd, if_id, pkt)};
	return f->entry;
}
