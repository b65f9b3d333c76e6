/* measure_messages.c - which IKE messages were lost: requests that were sent more than once and
 * answered in the end (RFC 7296 §2.1).
 *
 * Beside the end that asks, all transmissions are seen; beside the other, those that arrived: what
 * lies in between was lost, and so for the responses. With one capture it is assumed that the
 * requests were lost. An exchange that was never answered is the finding's matter. */
#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"

static int note(struct profile *p, const struct exchange *x, bool request, unsigned count,
		bool is_sure)
{
	const struct survey *s = p->s;
	const struct ike_msg *m = &s->f.ike[x->first_request];
	char name[48];

	if (!count || p->n_lost == LOST_MAX)
		return 0;
	p->lost[p->n_lost++] = (struct lost_message){.ike_sa = x->ike_sa + 1,
						     .exchange = x->type,
						     .request = request,
						     .from_initiator = x->by_initiator == request,
						     .id = m->hdr.message_id,
						     .count = count};
	return profile_say(p, is_sure ? MEASURED : ASSUMED, "lost message",
			   seen_msg(s, x->first_request), seen_msg(s, x->last_request),
			   "%s %s %u, %u time%s%s", ike_exchange_name(x->type, name, sizeof(name)),
			   request ? "request" : "response", m->hdr.message_id, count,
			   count == 1 ? "" : "s",
			   is_sure ? "" : "; one capture does not tell request from response");
}

/* The same exchange at the place that saw least of its requests; x itself if there is one place. */
static const struct exchange *at_receiver(const struct survey *s, const struct exchange *x)
{
	const struct exchange *least = x;

	for (; x->next != FACT_NONE; x = &s->exchanges[x->next])
		if (s->exchanges[x->next].sent < least->sent)
			least = &s->exchanges[x->next];
	return least;
}

static bool was_hard(const struct profile *p, const struct exchange *x,
		     struct exchange_sum *ret_sum)
{
	if (!x->first || x->first_request == FACT_NONE || !is_between_ends(p, x->ike_sa))
		return false;
	*ret_sum = exchange_everywhere(p->s, x);
	return ret_sum->answered && ret_sum->sent > 1 && !ret_sum->at_sender->after;
}

int measure_messages(struct profile *p)
{
	const struct survey *s = p->s;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i], *far;
		struct exchange_sum sum;
		unsigned requests;

		if (!was_hard(p, x, &sum))
			continue;
		far = at_receiver(s, x);
		requests = sum.seen_at > 1 ? sum.sent - far->sent : sum.sent - 1;
		err = note(p, sum.at_sender, true, requests, sum.seen_at > 1);
		if (!err && sum.seen_at > 1 && sum.answered > sum.at_sender->answered)
			err = note(p, sum.at_sender, false, sum.answered - sum.at_sender->answered,
				   true);
	}
	return err;
}
