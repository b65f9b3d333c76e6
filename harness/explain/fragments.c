/* fragments.c - findings of packets too long for the way: IP fragments that do not arrive, path MTU
 * that nobody tells (RFC 791 §3.2, RFC 1191, RFC 7383, RFC 8201). */
#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

/* Fragments of a packet to the peer that no place has seen whole, or only its start. */
static int show_fragments(const struct survey *s, struct findings *out, struct finding *f,
			  const struct exchange *x)
{
	const struct ike_msg *m = &s->f.ike[x->first_request];
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_frames && f && f->n_evidence < 6; i++) {
		const struct fact_frame *frame = &s->f.frames[i];

		if (frame->kind == FRAME_FRAGMENT &&
		    ip_addr_eq(&frame->dst.addr, &s->f.frames[m->frame].dst.addr))
			err = finding_show(out, f, seen_frame(s, i), "IP fragment of %u octets",
					   frame->ip_len);
	}
	return err;
}

static int find_fragments_dropped(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		struct exchange_sum sum;
		struct finding *f;
		char name[48];

		if (x->first_request == FACT_NONE || x->ip_fragments < 2)
			continue;
		sum = exchange_everywhere(s, x);
		if (sum.answered || sum.sent < TRIES_MIN)
			continue;
		f = finding_add(out, LIKELY,
				"%s is a datagram of %zu octets, which goes out in %zu IP "
				"fragments, %u times, and is never answered.",
				ike_exchange_name(x->type, name, sizeof(name)), x->largest,
				x->ip_fragments, sum.sent);
		err = finding_show(out, f, seen_msg(s, x->first_request),
				   "the last fragment of the first transmission");
		if (!err)
			err = show_fragments(s, out, f, x);
	}
	return err;
}

RULES(
    fragments,
    {.id = "F11",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 8,
     .unless = "",
     .title = "A box on the way drops IP fragments",
     .why =
	 "IKE_AUTH with certificates is longer than the path MTU and leaves in IP fragments. Many "
	 "CPE boxes and operators drop fragments.",
     .remedy =
	 "Switch IKE fragmentation on at both ends (fragmentation = yes): the message is then "
	 "cut at the IKE level and no IP fragment is needed. Or make it shorter: ECDSA or Ed25519 "
	 "certificates, no chain, sendcert = ifasked.",
     .clause = "RFC 7383 §1, §2.5; RFC 7296 §2",
     .find = find_fragments_dropped});
