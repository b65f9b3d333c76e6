/* edit.h - reference captures that tests break, to see that a check tells; see test_checks.c. */
#ifndef HARNESS_TESTS_EDIT_H
#define HARNESS_TESTS_EDIT_H

#include "harness/tests/pcaps.h"

#include "harness/checks/checks.h"
#include "harness/dissect/link.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

#define ETHER_LEN 14
#define UDP_LEN	  8

/* A capture being edited. Frames are found through the facts of the capture as it was. */
struct edit {
	struct capture_set set;
	struct key_store keys;
	struct facts before;
	size_t frame; /* the one that was edited: the fault must name it, or the one behind it */
	uint32_t number;
	size_t place;
};

static inline void begin(struct edit *e, const char *name)
{
	*e = (struct edit){.frame = FACT_NONE};
	pcaps_dissect(name, &e->before);
	pcaps_load(name, &e->set, &e->keys);
}

/* From here on, this is the frame that a fault must name. */
static inline uint8_t *pick(struct edit *e, size_t frame)
{
	assert_true(frame < e->set.n_frames);
	e->frame = frame;
	e->number = e->set.frames[frame].number;
	e->place = e->set.frames[frame].place;
	return e->set.frames[frame].data;
}

static inline bool names_frame(const struct facts *f, const struct check_result *r,
			       const struct edit *e)
{
	size_t i, k;

	for (i = 0; i < r->n_faults; i++)
		for (k = 0; k < r->faults[i].n_frames; k++)
			if (f->frames[r->faults[i].frames[k]].number == e->number &&
			    f->frames[r->faults[i].frames[k]].place == e->place)
				return true;
	return false;
}

/* What an edit puts on the wire was sent so: its UDP checksum is right, as far as there is one. */
static inline void set_udp_checksum(struct edit *e, size_t frame)
{
	struct capture_frame *raw = &e->set.frames[frame];
	size_t off =
	    link_ip_offset(e->set.places[raw->place].linktype, (struct view){raw->data, raw->len});
	struct ip_info ip;
	struct writer w;

	if (ip_parse(raw->data + off, raw->len - off, &ip) || ip.fragment ||
	    ip.proto != IP_PROTO_UDP || !get_u16(raw->data + off, raw->len - off, ip.l4_off + 6))
		return;
	w = wr_over(raw->data + off, raw->len - off);
	wr_patch16(&w, ip.l4_off + 6, 0);
	wr_patch16(&w, ip.l4_off + 6, ip_l4_checksum(raw->data + off, &ip));
}

static inline void expect_verdict_as_it_is(struct edit *e, const char *name,
					   const struct check_params *params, enum verdict want)
{
	struct check_result r;
	struct facts f;

	capture_set_sort(&e->set);
	assert_int_equal(facts_dissect(&e->set, &e->keys, &f), 0);
	check_run(check_find(name), &f, params, &r);
	if (r.verdict != want)
		fail_msg("%s: %s: %s", name, verdict_name(r.verdict), r.summary);
	if (want == VERDICT_FAIL && e->frame != FACT_NONE && !names_frame(&f, &r, e))
		fail_msg("%s does not name frame %u: %s", name, e->number, r.summary);
	check_result_free(&r);
	facts_free(&f);
	facts_free(&e->before);
}

static inline void expect_verdict(struct edit *e, const char *name,
				  const struct check_params *params, enum verdict want)
{
	size_t i;

	for (i = 0; i < e->set.n_frames; i++)
		set_udp_checksum(e, i);
	expect_verdict_as_it_is(e, name, params, want);
}

static inline void expect_fault(struct edit *e, const char *name)
{
	static const struct check_params none;

	expect_verdict(e, name, &none, VERDICT_FAIL);
}

/* The n-th ESP packet of frames that are as their sender sent them. */
static inline size_t nth_sent(const struct edit *e, size_t n)
{
	const struct facts *f = &e->before;
	size_t i;

	for (i = 0; i < f->n_esp; i++)
		if (f->frames[f->esp[i].frame].ip.ttl == 64 && f->esp[i].sealed == FACT_OPEN &&
		    f->esp[i].spi == f->esp[0].spi && n-- == 0)
			return i;
	fail_msg("not so many ESP packets");
	return 0;
}

/* Offset of the UDP payload in a frame of IPv4 over Ethernet. */
static inline size_t payload_at(const struct edit *e, size_t frame)
{
	return e->before.frames[frame].ip_off + e->before.frames[frame].ip.l4_off + UDP_LEN;
}

static inline size_t find_message(const struct edit *e, uint8_t exchange, bool request)
{
	const struct facts *f = &e->before;
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].hdr.exchange == exchange && f->ike[i].request == request)
			return i;
	fail_msg("no such message");
	return 0;
}

static inline void swap_octets(struct capture_set *set, size_t a, size_t b)
{
	struct capture_frame was = set->frames[a];

	set->frames[a].data = set->frames[b].data;
	set->frames[a].len = set->frames[b].len;
	set->frames[a].wire_len = set->frames[b].wire_len;
	set->frames[b].data = was.data;
	set->frames[b].len = was.len;
	set->frames[b].wire_len = was.wire_len;
}

static inline void swap_times(struct capture_set *set, size_t a, size_t b)
{
	uint64_t t = set->frames[a].time_us;

	set->frames[a].time_us = set->frames[b].time_us;
	set->frames[b].time_us = t;
}

/* What only the holder of the keys can make is made in the facts: judges them as they were edited.
 */
static inline void expect_fault_in_facts(struct edit *e, const char *name,
					 const struct check_params *params)
{
	struct check_result r;

	check_run(check_find(name), &e->before, params, &r);
	assert_int_equal(r.verdict, VERDICT_FAIL);
	if (!names_frame(&e->before, &r, e))
		fail_msg("%s does not name frame %u: %s", name, e->number, r.summary);
	check_result_free(&r);
	facts_free(&e->before);
	capture_set_free(&e->set);
	keys_free(&e->keys);
}

#endif
