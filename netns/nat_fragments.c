/* nat_fragments.c - a ring of the packets whose first fragment has passed. */
#include "netns/nat_fragments.h"

/* What hosts wait for the rest of a packet (RFC 1122 §3.3.2: 60 to 120 s; Linux: 30 s). */
#define TRAIN_NS INT64_C(30000000000)

static bool is_of(const struct nat_train *t, const struct ip_info *ip)
{
	return t->proto == ip->proto && t->id == ip->id && ip_addr_eq(&t->src, &ip->sel.src) &&
	       ip_addr_eq(&t->dst, &ip->sel.dst);
}

void nat_fragments_note(struct nat_fragments *f, const struct ip_info *first,
			const struct ip_addr *to_src, const struct ip_addr *to_dst, int64_t now)
{
	f->v[f->next] = (struct nat_train){.proto = first->proto,
					   .id = first->id,
					   .src = first->sel.src,
					   .dst = first->sel.dst,
					   .to_src = *to_src,
					   .to_dst = *to_dst,
					   .until = now + TRAIN_NS};
	f->next = (f->next + 1) % NAT_FRAGMENTS_MAX;
}

const struct nat_train *nat_fragments_find(const struct nat_fragments *f,
					   const struct ip_info *later, int64_t now)
{
	size_t i;

	/* The youngest first: numbers come again. */
	for (i = 1; i <= NAT_FRAGMENTS_MAX; i++) {
		const struct nat_train *t =
		    &f->v[(f->next + NAT_FRAGMENTS_MAX - i) % NAT_FRAGMENTS_MAX];

		if (now < t->until && is_of(t, later))
			return t;
	}
	return NULL;
}
