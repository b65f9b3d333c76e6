/* control_pair.h - two nodes with a wire between them and a virtual clock, and a vici client at
 * each: the fixture of test_control*. Requests are written as text ("child = p", "[owners] a b",
 * "name {" ... "}"). */
#ifndef VPN_TESTS_CONTROL_PAIR_H
#define VPN_TESTS_CONTROL_PAIR_H

#include "vpn/control/control.h"

#define CP_SECOND UINT64_C(1000000)
#define CP_OK	  "CMD_RESPONSE \nsuccess = yes\n"
/* A test of cmocka's with both nodes, and none of them left behind. */
#define CP_CASE(fn) cmocka_unit_test_setup_teardown(fn, cp_setup, cp_teardown)

struct cp_end {
	struct node *node;
	struct control *control;
	struct control_session *client;
	struct ip_addr addr;
	struct vici_stream in; /* what the client received and has not taken */
};

struct cp {
	struct cp_end a, b;
	uint64_t now;
	bool cut;      /* the wire */
	unsigned lose; /* the n-th datagram from now on is lost; 0: none */
	int dns;       /* ERR_AGAIN, ERR_NOT_FOUND; or 0: "b.example.org" is known to be B */
};

extern struct cp cp;

int cp_setup(void **state);
int cp_teardown(void **state);

/* Appends to the client's stream all that the session has to say, after everything settled. */
void cp_settle(void);
void cp_run(uint64_t seconds); /* timers, too */

/* A request without waiting for the answer; lines separated by '\n'. */
void cp_send(struct cp_end *end, const char *command, const char *lines);
void cp_register(struct cp_end *end, const char *event); /* confirmed */
/* The next packet for the client as text: "reply", "event NAME", "unknown" ... and the message as
 * lines "path = value"; "" if there is none. Good until the next call. */
const char *cp_next(struct cp_end *end);
/* cp_send, cp_settle and the reply, events before it skipped. */
const char *cp_ask(struct cp_end *end, const char *command, const char *lines);
/* Fail the test unless the part is, or is not, in the text. */
void cp_assert_has(const char *text, const char *part);
void cp_assert_has_not(const char *text, const char *part);
/* A connection "home" with child "net" between A and B by PSK, loaded at both ends. */
void cp_load_pair(void);
/* The same, A's with B's name. */
void cp_load_named_pair(void);

#endif
