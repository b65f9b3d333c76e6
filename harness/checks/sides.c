/* sides.c - where an IKE SA's two ends can be watched: what was sent when, and what had come by
 * then, is known on the wire of the end itself, not half-way to its peer. */
#include "harness/checks/internal.h"

size_t check_side_place(const struct facts *f, size_t ike_sa, bool initiator)
{
	size_t i, any = FACT_NONE;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];
		const struct fact_frame *frame = &f->frames[m->frame];

		if (m->ike_sa != ike_sa || m->from_initiator != initiator)
			continue;
		if (frame_is_as_sent(frame))
			return frame->place;
		if (any == FACT_NONE)
			any = frame->place;
	}
	return any;
}

size_t check_message_at(const struct facts *f, const struct ike_msg *like, size_t place)
{
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->ike_sa == like->ike_sa && m->hdr.message_id == like->hdr.message_id &&
		    m->request == like->request && m->from_initiator == like->from_initiator &&
		    f->frames[m->frame].place == place)
			return i;
	}
	return FACT_NONE;
}

size_t check_answer_at(const struct facts *f, const struct ike_msg *request, size_t place)
{
	struct ike_msg answer = *request;

	answer.request = false;
	answer.from_initiator = !request->from_initiator;
	return check_message_at(f, &answer, place);
}

size_t check_sa_root(const struct facts *f, size_t ike_sa)
{
	while (ike_sa != FACT_NONE && f->ike_sas[ike_sa].rekeyed_from != FACT_NONE)
		ike_sa = f->ike_sas[ike_sa].rekeyed_from;
	return ike_sa;
}

uint64_t check_time(const struct facts *f, size_t frame)
{
	return f->frames[frame].time_us;
}
