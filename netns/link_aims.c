/* link_aims.c - whether a packet is one that something shall be done to.
 *
 * libpcap compiles the filter and runs it here, without any capture. The cheap conditions come
 * first; the callback, which may decrypt, comes last, but it is asked about every packet that
 * satisfies the rest, as counting needs it.
 *
 * Ownership: an armed aim has its copy of the aim and its compiled filter. */
#include "netns/link_aims.h"
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

struct armed_aim {
	struct link_aim aim;
	struct bpf_program program; /* no instructions: no filter */
	uint64_t seen;
	bool is_over;
};

static int compile(const struct link_aim *aim, enum link_framing framing,
		   struct bpf_program *ret_program, struct err_msg *msg)
{
	int link_type = framing == LINK_ETHERNET ? DLT_EN10MB : DLT_RAW;
	pcap_t *pcap = pcap_open_dead(link_type, 65535);
	int err = 0;

	if (!pcap)
		return err_set(msg, ERR_NOMEM, "out of memory");
	if (pcap_compile(pcap, ret_program, aim->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		err = err_set(msg, ERR_INVALID, "aim %s: filter \"%s\": %s", aim->name, aim->filter,
			      pcap_geterr(pcap));
	pcap_close(pcap);
	return err;
}

int link_aims_add(struct link_aims *aims, enum link_framing framing, const struct link_aim *aim,
		  struct err_msg *msg)
{
	struct armed_aim *all, armed = {.aim = *aim};
	int err = link_aim_check(aim, msg);

	if (err < 0)
		return err;
	all = realloc(aims->all, (aims->count + 1) * sizeof(*all));
	if (!all)
		return err_set(msg, ERR_NOMEM, "out of memory");
	aims->all = all;
	if (aim->filter[0]) {
		err = compile(aim, framing, &armed.program, msg);
		if (err < 0)
			return err;
	}
	all[aims->count++] = armed;
	return 0;
}

static bool is_such_fragment(const struct link_frame *frame, enum link_fragment which)
{
	const struct ip_info *info = &frame->info;

	switch (which) {
	case LINK_FRAGMENT_ANY:
		return true;
	case LINK_FRAGMENT_NONE:
		return !info->fragment;
	case LINK_FRAGMENT_FIRST:
		return info->fragment && !info->later_fragment;
	case LINK_FRAGMENT_LATER:
		return info->later_fragment;
	}
	return false;
}

static bool passes_filter(const struct armed_aim *armed, const struct link_frame *frame)
{
	struct pcap_pkthdr header = {.caplen = (bpf_u_int32)frame->len,
				     .len = (bpf_u_int32)frame->len};

	return !armed->program.bf_insns ||
	       pcap_offline_filter(&armed->program, &header, frame->data) != 0;
}

static bool satisfies(const struct armed_aim *armed, const struct link_frame *frame, int64_t now)
{
	const struct link_aim *aim = &armed->aim;

	return !armed->is_over && now >= aim->from && (aim->until == 0 || now < aim->until) &&
	       is_such_fragment(frame, aim->fragment) && passes_filter(armed, frame) &&
	       (!aim->match ||
		aim->match(aim->arg, frame->data + frame->ip_off, frame->len - frame->ip_off));
}

static bool is_its_turn(const struct armed_aim *armed)
{
	uint64_t first = armed->aim.first ? armed->aim.first : 1;

	return armed->seen >= first &&
	       (armed->aim.count == 0 || armed->seen < first + armed->aim.count);
}

const struct link_aim *link_aims_choose(struct link_aims *aims, const struct link_frame *frame,
					int64_t now)
{
	const struct link_aim *chosen = NULL;
	size_t i;

	for (i = 0; i < aims->count; i++) {
		struct armed_aim *armed = &aims->all[i];

		if (!satisfies(armed, frame, now))
			continue;
		armed->seen++;
		if (!chosen && is_its_turn(armed))
			chosen = &armed->aim;
	}
	return chosen;
}

void link_aims_end_hold(struct link_aims *aims, const char *name)
{
	size_t i;

	for (i = 0; i < aims->count; i++)
		if (aims->all[i].aim.act == LINK_ACT_HOLD &&
		    (!name || strcmp(aims->all[i].aim.name, name) == 0))
			aims->all[i].is_over = true;
}

void link_aims_free(struct link_aims *aims)
{
	size_t i;

	for (i = 0; i < aims->count; i++)
		pcap_freecode(&aims->all[i].program);
	free(aims->all);
	*aims = (struct link_aims){0};
}
