/* test_vici_client.c - the client against a scripted daemon at the other end of a socket.
 *
 * The daemon is a thread that for each request it reads writes the next of its prepared answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "vpn/vici/client/client.h"

struct daemon {
	int listener;
	char dir[64], path[80], uri[100];
	pthread_t thread;
	const struct view *answers; /* octets for each request; len 0: close */
	size_t n;
};

#define VIEW(literal) ((struct view){(const uint8_t *)(literal), sizeof(literal) - 1})
#define CONFIRM	      "\0\0\0\x01\x05"
#define EVENT                \
	"\0\0\0\x09\x07\x01" \
	"e\x03\x01k\0\x01"   \
	"v"
#define REPLY_YES "\0\0\0\x0f\x01\x03\x07success\0\x03yes"
#define REPLY_NO                                        \
	"\0\0\0\x1b\x01\x03\x07success\0\x02no\x03\x06" \
	"errmsg\0\x03"                                  \
	"why"

static void *serve(void *arg)
{
	struct daemon *d = arg;
	int fd = accept(d->listener, NULL, NULL);
	struct vici_stream in = {0};
	struct view frame;
	uint8_t buf[512];
	size_t i = 0;
	ssize_t n;

	while (i < d->n && (n = read(fd, buf, sizeof(buf))) > 0) {
		if (vici_stream_add(&in, buf, (size_t)n))
			break;
		while (i < d->n && !vici_stream_next(&in, &frame))
			if (write(fd, d->answers[i].p, d->answers[i].len) >= 0)
				i++;
	}
	vici_stream_free(&in);
	close(fd);
	return NULL;
}

static struct vici_client *start(struct daemon *d, const struct view *answers, size_t n)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct vici_client *client;

	strcpy(d->dir, "/tmp/test-vici-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(d->path, sizeof(d->path), "%s/sock", d->dir);
	snprintf(d->uri, sizeof(d->uri), "unix://%s", d->path);
	strcpy(sun.sun_path, d->path);
	d->answers = answers;
	d->n = n;
	d->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(d->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(d->listener, 1), 0);
	assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
	assert_int_equal(vici_client_open(d->uri, &client, NULL), 0);
	vici_client_set_timeout(client, 5000);
	return client;
}

static void stop(struct daemon *d, struct vici_client *client)
{
	vici_client_close(client);
	pthread_join(d->thread, NULL);
	close(d->listener);
	unlink(d->path);
	rmdir(d->dir);
}

static void count_event(void *arg, const char *event, const struct vici_node *message)
{
	assert_string_equal(event, "e");
	assert_string_equal(vici_text(message, "k"), "v");
	++*(int *)arg;
}

static void a_stream_delivers_its_events_then_the_reply(void **state)
{
	static const struct view answers[] = {VIEW(CONFIRM), VIEW(EVENT EVENT REPLY_YES),
					      VIEW(EVENT CONFIRM)};
	struct daemon d;
	struct vici_client *client = start(&d, answers, 3);
	struct vici_tree reply;
	int events = 0;

	(void)state;
	vici_client_on_event(client, count_event, &events);
	assert_int_equal(vici_client_stream(client, "list", "e", NULL, &reply, NULL), 0);
	assert_int_equal(events, 3);
	assert_int_equal(vici_reply_check(&reply, NULL), 0);
	vici_tree_free(&reply);
	stop(&d, client);
}

static void refusals_are_told_apart(void **state)
{
	static const struct view answers[] = {VIEW("\0\0\0\x01\x02"), VIEW("\0\0\0\x01\x06"),
					      VIEW(REPLY_NO)};
	struct daemon d;
	struct vici_client *client = start(&d, answers, 3);
	struct vici_tree reply;
	struct err_msg msg;

	(void)state;
	assert_int_equal(vici_client_request(client, "x", NULL, &reply, &msg), ERR_NOT_FOUND);
	assert_string_equal(msg.text, "the daemon has no command 'x'");
	assert_int_equal(vici_client_register(client, "y", &msg), ERR_NOT_FOUND);
	assert_string_equal(msg.text, "the daemon has no event 'y'");
	assert_int_equal(vici_client_request(client, "z", NULL, &reply, &msg), 0);
	assert_int_equal(vici_reply_check(&reply, &msg), ERR_STATE);
	assert_string_equal(msg.text, "why");
	vici_tree_free(&reply);
	stop(&d, client);
}

static void a_closed_connection_is_an_error(void **state)
{
	static const struct view answers[] = {VIEW("\0\0\0\x0e\x01\x03")};
	struct daemon d;
	struct vici_client *client = start(&d, answers, 1);
	struct vici_tree reply;

	(void)state;
	assert_int_equal(vici_client_request(client, "x", NULL, &reply, NULL), ERR_IO);
	stop(&d, client);
}

static void an_overlong_answer_is_an_error(void **state)
{
	static const struct view answers[] = {VIEW("\xff\xff\xff\xff")};
	struct daemon d;
	struct vici_client *client = start(&d, answers, 1);
	struct vici_tree reply;

	(void)state;
	assert_int_equal(vici_client_request(client, "x", NULL, &reply, NULL), ERR_LIMIT);
	stop(&d, client);
}

static void waiting_for_an_event_ends_with_its_time(void **state)
{
	static const struct view answers[] = {VIEW(CONFIRM EVENT), VIEW(CONFIRM)};
	struct daemon d;
	struct vici_client *client = start(&d, answers, 2);
	int events = 0;

	(void)state;
	vici_client_on_event(client, count_event, &events);
	assert_int_equal(vici_client_register(client, "e", NULL), 0);
	assert_int_equal(vici_client_wait_event(client, 5000, NULL), 0);
	assert_int_equal(events, 1);
	assert_int_equal(vici_client_wait_event(client, 1, NULL), ERR_AGAIN);
	stop(&d, client);
}

static void bad_uris_are_refused(void **state)
{
	static const char *const bad[] = {"",		"/run/x",      "unix://",  "http://x",
					  "tcp://host", "tcp://host:", "tcp://:1", "tcp://[::1:1"};
	struct vici_client *client;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vici_client_open(bad[i], &client, NULL), ERR_INVALID);
	assert_int_equal(vici_client_open("unix:///nonexistent/sock", &client, NULL), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream_delivers_its_events_then_the_reply),
	    cmocka_unit_test(refusals_are_told_apart),
	    cmocka_unit_test(a_closed_connection_is_an_error),
	    cmocka_unit_test(an_overlong_answer_is_an_error),
	    cmocka_unit_test(waiting_for_an_event_ends_with_its_time),
	    cmocka_unit_test(bad_uris_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
