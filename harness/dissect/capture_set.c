/* capture_set.c - capture files, read through libpcap into memory.
 *
 * What libpcap says of a broken file is passed on with the file's name and the number of the frame
 * that should have come next; the frames in front of it are kept, since a capture that was cut off
 * is the usual case after a crash. Link types are checked here, so that everything behind can rely
 * on knowing them (link.c). */
#include "harness/dissect/capture_set.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/arena.h"
#include "harness/dissect/link.h"

static char *place_name(const char *path)
{
	static const char *const suffixes[] = {".pcapng", ".pcap", ".cap"};
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);
	size_t i, len = name ? strlen(name) : 0;

	for (i = 0; name && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t cut = strlen(suffixes[i]);

		if (len > cut && strcmp(name + len - cut, suffixes[i]) == 0) {
			name[len - cut] = '\0';
			break;
		}
	}
	return name;
}

int capture_set_add_frame(struct capture_set *set, const struct capture_frame *frame)
{
	struct capture_frame *f;
	uint8_t *copy;

	if (frame->len > CAPTURE_FRAME_MAX || set->octets + frame->len > CAPTURE_OCTETS_MAX)
		return ERR_LIMIT;
	copy = malloc(frame->len ? frame->len : 1);
	f = copy ? ARRAY_ADD(set->frames, set->n_frames) : NULL;
	if (!f) {
		free(copy);
		return ERR_NOMEM;
	}
	memcpy(copy, frame->data, frame->len);
	*f = *frame;
	f->data = copy;
	set->octets += frame->len;
	return 0;
}

static int add_frame(struct capture_set *set, size_t place, const struct pcap_pkthdr *hdr,
		     const u_char *data)
{
	struct capture_frame frame = {.place = place,
				      .number = set->places[place].frames + 1,
				      .time_us = (uint64_t)hdr->ts.tv_sec * 1000000 +
						 (uint64_t)hdr->ts.tv_usec,
				      .len = hdr->caplen,
				      .wire_len = hdr->len > hdr->caplen ? hdr->len : hdr->caplen,
				      .data = (uint8_t *)(uintptr_t)data};
	int err = capture_set_add_frame(set, &frame);

	set->places[place].frames += !err;
	return err;
}

static int note_break(struct capture_place *place, const char *what)
{
	if (asprintf(&place->problem, "%s: frame %u: %s", place->path, place->frames + 1, what) < 0)
		place->problem = NULL;
	return place->problem ? 0 : ERR_NOMEM;
}

static int read_frames(struct capture_set *set, size_t place, pcap_t *pcap, struct err_msg *msg)
{
	const char *path = set->places[place].path;
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int got, err = 0;

	while (!err && (got = pcap_next_ex(pcap, &hdr, &data)) == 1)
		err = add_frame(set, place, hdr, data);
	if (err == ERR_LIMIT)
		return err_set(msg, err, "%s: frame %u: more than this reads (%u octets in all)",
			       path, set->places[place].frames + 1, CAPTURE_OCTETS_MAX);
	if (!err && got == PCAP_ERROR)
		err = note_break(&set->places[place], pcap_geterr(pcap));
	return err ? err_set(msg, err, "%s: %s", path, err_text(err)) : 0;
}

int capture_set_add_place(struct capture_set *set, const char *path, int linktype,
			  size_t *ret_place, struct err_msg *msg)
{
	struct capture_place *p;

	if (set->n_places == CAPTURE_PLACES_MAX)
		return err_set(msg, ERR_LIMIT, "%s: more than %d captures", path,
			       CAPTURE_PLACES_MAX);
	if (!link_is_known(linktype))
		return err_set(
		    msg, ERR_UNSUPPORTED, "%s: link type %d (%s) is not read", path, linktype,
		    pcap_datalink_val_to_name(linktype) ? pcap_datalink_val_to_name(linktype)
							: "unknown");
	p = ARRAY_ADD(set->places, set->n_places);
	if (!p)
		return err_set(msg, ERR_NOMEM, "%s: %s", path, err_text(ERR_NOMEM));
	p->linktype = linktype;
	p->path = strdup(path);
	p->name = place_name(path);
	if (!p->path || !p->name)
		return err_set(msg, ERR_NOMEM, "%s: %s", path, err_text(ERR_NOMEM));
	*ret_place = set->n_places - 1;
	return 0;
}

/* Takes the stream over. */
static int add_stream(struct capture_set *set, const char *path, FILE *file, struct err_msg *msg)
{
	char what[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_fopen_offline(file, what);
	size_t place = 0;
	int err;

	if (!pcap) {
		fclose(file);
		return err_set(msg, ERR_SYNTAX, "%s: no capture: %s", path, what);
	}
	err = capture_set_add_place(set, path, pcap_datalink(pcap), &place, msg);
	if (!err)
		err = read_frames(set, place, pcap, msg);
	pcap_close(pcap);
	return err;
}

int capture_set_add_file(struct capture_set *set, const char *path, struct err_msg *msg)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	return add_stream(set, path, file, msg);
}

int capture_set_add_memory(struct capture_set *set, const char *name, const void *data, size_t len,
			   struct err_msg *msg)
{
	FILE *file;

	if (!len)
		return err_set(msg, ERR_SYNTAX, "%s: no capture: empty", name);
	file = fmemopen((void *)(uintptr_t)data, len, "rb");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", name, strerror(errno));
	return add_stream(set, name, file, msg);
}

static int by_time(const void *a, const void *b)
{
	const struct capture_frame *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

void capture_set_sort(struct capture_set *set)
{
	if (set->n_frames)
		qsort(set->frames, set->n_frames, sizeof(*set->frames), by_time);
}

void capture_set_drop(struct capture_set *set, size_t i)
{
	set->octets -= set->frames[i].len;
	free(set->frames[i].data);
	memmove(&set->frames[i], &set->frames[i + 1],
		(set->n_frames - i - 1) * sizeof(*set->frames));
	set->n_frames--;
}

int capture_set_duplicate(struct capture_set *set, size_t i)
{
	uint8_t *copy = malloc(set->frames[i].len ? set->frames[i].len : 1);
	struct capture_frame frame = set->frames[i];
	struct capture_frame *frames =
	    copy ? reallocarray(set->frames, set->n_frames + 1, sizeof(*frames)) : NULL;

	if (!frames) {
		free(copy);
		return ERR_NOMEM;
	}
	memcpy(copy, frame.data, frame.len);
	frame.data = copy;
	memmove(&frames[i + 1], &frames[i], (set->n_frames - i) * sizeof(*frames));
	frames[i + 1] = frame;
	set->frames = frames;
	set->n_frames++;
	set->octets += frame.len;
	return 0;
}

void capture_set_free(struct capture_set *set)
{
	size_t i;

	for (i = 0; i < set->n_frames; i++)
		free(set->frames[i].data);
	for (i = 0; i < set->n_places; i++) {
		free(set->places[i].path);
		free(set->places[i].name);
		free(set->places[i].problem);
	}
	free(set->frames);
	free(set->places);
	*set = (struct capture_set){0};
}
