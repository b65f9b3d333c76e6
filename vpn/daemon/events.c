/* events.c - the event file (--events): every event of the engine as a JSON object on a line of its
 * own, written out at once so that a reader may follow the file.
 *
 *     {"time": 1763762473.482113, "event": "child-up", "text": "...",
 *      "ike": {"name": "home", "id": 1, "spi_i": "...", ...}, "child": {"name": "net", ...},
 *      "cause": "peer", "notify": "NO_PROPOSAL_CHOSEN", "notify_number": 14, "number": 2}
 *
 * Always there: time, event, text. The rest stands where it means something. */
#include "vpn/daemon/events.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vpn/daemon/describe.h"
#include "vpn/wire/ike_numbers.h"

int events_open(struct events *events, const char *path, struct err_msg *msg)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	events->out = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (events->out)
		return 0;
	err_set(msg, ERR_IO, "event file %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ERR_IO;
}

void events_close(struct events *events)
{
	if (events->out)
		fclose(events->out);
	events->out = NULL;
}

static json_t *event_new(const char *name, const char *text, uint64_t unix_us)
{
	json_t *o = json_object();

	json_object_set_new(o, "time", describe_time(unix_us));
	json_object_set_new(o, "event", json_string(name));
	json_object_set_new(o, "text", json_string(text));
	return o;
}

static void put_notify(json_t *o, uint16_t notify)
{
	char name[48];

	json_object_set_new(o, "notify", json_string(ike_notify_name(notify, name, sizeof(name))));
	json_object_set_new(o, "notify_number", json_integer(notify));
}

static void event_flush(struct events *events, json_t *o)
{
	json_dumpf(o, events->out, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(16));
	fputc('\n', events->out);
	fflush(events->out);
	json_decref(o);
}

void events_write(struct events *events, const struct ike_event *ev, uint64_t unix_us)
{
	const char *cause = ike_cause_name(ev->cause);
	json_t *o;

	if (!events->out)
		return;
	o = event_new(ike_event_name(ev->kind), ev->text, unix_us);
	if (ev->have_ike)
		json_object_set_new(o, "ike", describe_ike_sa(&ev->ike));
	if (ev->have_child)
		json_object_set_new(o, "child", describe_child_sa(&ev->child));
	if (cause)
		json_object_set_new(o, "cause", json_string(cause));
	if (ev->notify)
		put_notify(o, ev->notify);
	if (ev->number)
		json_object_set_new(o, "number", json_integer(ev->number));
	event_flush(events, o);
}

void events_write_daemon(struct events *events, const char *name, const char *text,
			 uint64_t unix_us)
{
	if (events->out)
		event_flush(events, event_new(name, text, unix_us));
}

static json_t *drops_json(const struct dp_counters *c)
{
	json_t *o = json_object();
	int i;

	for (i = 1; i < ESP_DROP_COUNT; i++) {
		if (c->drops[i])
			json_object_set_new(o, esp_drop_name((enum esp_drop)i),
					    json_integer((json_int_t)c->drops[i]));
	}
	return o;
}

void events_write_counters(struct events *events, const struct dp_counters *c, uint64_t unix_us)
{
	json_t *o;

	if (!events->out)
		return;
	o = event_new("counters", "", unix_us);
	json_object_set_new(o, "esp_in", json_integer((json_int_t)c->esp_in));
	json_object_set_new(o, "esp_out", json_integer((json_int_t)c->esp_out));
	json_object_set_new(o, "ike_in", json_integer((json_int_t)c->ike_in));
	json_object_set_new(o, "ike_out", json_integer((json_int_t)c->ike_out));
	json_object_set_new(o, "keepalives_in", json_integer((json_int_t)c->keepalives_in));
	json_object_set_new(o, "keepalives_out", json_integer((json_int_t)c->keepalives_out));
	json_object_set_new(o, "ptb_sent", json_integer((json_int_t)c->ptb_sent));
	json_object_set_new(o, "events_lost", json_integer((json_int_t)c->events_lost));
	json_object_set_new(o, "drops", drops_json(c));
	event_flush(events, o);
}
