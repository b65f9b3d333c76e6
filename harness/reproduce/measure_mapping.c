/* measure_mapping.c - when a NAT box gave an end another port or address, and after which silence
 * (RFC 4787 §4.3: a mapping may end when it has been idle). Seen from outside, at the responder. */
#include "harness/reproduce/measure.h"
#include "vpn/base/proto.h"

#define PATHS_MAX 4096 /* each is compared with all: a flood has a hundred thousand */

/* The last path to the same end that was over when this one began. */
static const struct path *predecessor(const struct survey *s, const struct path *p)
{
	const struct path *before = NULL;
	size_t i;

	for (i = 0; i < s->n_paths; i++) {
		const struct path *old = &s->paths[i];

		if (old->place == p->place && endpoint_eq(&old->dst, &p->dst) &&
		    !endpoint_eq(&old->src, &p->src) && old->last.time_us <= p->first.time_us &&
		    (!before || old->last.time_us > before->last.time_us))
			before = old;
	}
	return before;
}

static const char *first_of(const struct path *p)
{
	if (p->n_esp && p->first_esp.number == p->first.number)
		return "seen by ESP";
	return p->n_ike && p->first_ike.number == p->first.number ? "seen by IKE"
								  : "seen by a keep-alive";
}

static int note_change(struct profile *p, const struct path *old, const struct path *new)
{
	double silence = (double)(new->first.time_us - old->last.time_us) / 1e6;
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];

	if (!p->idle_ms)
		p->idle_ms = (unsigned)(silence * 1000);
	endpoint_format(&old->src, a, sizeof(a));
	endpoint_format(&new->src, b, sizeof(b));
	return profile_say(p, MEASURED, "mapping", old->last, new->first,
			   "%s becomes %s after %.1f s of silence, %s", a, b, silence,
			   first_of(new));
}

int measure_mapping(struct profile *p)
{
	const struct survey *s = p->s;
	size_t i, changes = 0;
	int err = 0;

	if (s->n_paths > PATHS_MAX)
		return profile_say(p, UNKNOWN, "mapping", NOT_SEEN, NOT_SEEN,
				   "%zu ways between ends are in the captures, too many to tell",
				   s->n_paths);
	for (i = 0; !err && i < s->n_paths; i++) {
		const struct path *new = &s->paths[i], *old;

		/* On port 500 there are but beginnings: another port is another client. */
		if (new->place != p->at_responder || new->dst.port == IKE_PORT ||
		    !ip_addr_eq(&new->dst.addr, &p->responder.addr))
			continue;
		old = predecessor(s, new);
		if (!old)
			continue;
		changes++;
		err = note_change(p, old, new);
	}
	if (err || changes || p->nat == NAT_ABSENT)
		return err;
	return profile_say(p, UNKNOWN, "mapping life", NOT_SEEN, NOT_SEEN,
			   "no mapping changes %s; that of the kernel is taken",
			   p->at_responder == FACT_NONE ? "that could be seen from here"
							: "in the captures");
}
