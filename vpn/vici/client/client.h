/* client.h - a blocking vici client: for beetctl, and for driving strongSwan's charon.
 *
 * One command at a time on a connection; events that were registered for may arrive at any time and
 * are handed to the callback in their order. It does I/O, so it stands apart from the codec. Not
 * safe for two threads. */
#ifndef VPN_VICI_CLIENT_H
#define VPN_VICI_CLIENT_H

#include "vpn/vici/vici.h"

#define VICI_DEFAULT_URI "unix:///var/run/charon.vici"

struct vici_client;

/* The message is good during the call only. */
typedef void (*vici_event_fn)(void *arg, const char *event, const struct vici_node *message);

/* "unix:///path", "tcp://127.0.0.1:4502", "tcp://[::1]:4502". ERR_INVALID, ERR_IO, ERR_NOMEM. */
int vici_client_open(const char *uri, struct vici_client **ret_client, struct err_msg *msg);
void vici_client_close(struct vici_client *client); /* NULL is fine */
int vici_client_fd(const struct vici_client *client);
/* How long one request or registration may take, all its events included; -1 (from the start): for
 * ever. */
void vici_client_set_timeout(struct vici_client *client, int ms);
/* Who gets the events, here and in all that follows. */
void vici_client_on_event(struct vici_client *client, vici_event_fn fn, void *arg);

/* ERR_NOT_FOUND: the daemon has no such event. */
int vici_client_register(struct vici_client *client, const char *event, struct err_msg *msg);
int vici_client_unregister(struct vici_client *client, const char *event, struct err_msg *msg);

/* body: an encoded message, or NULL. ERR_NOT_FOUND: the daemon has no such command; ERR_AGAIN: time
 * is out, and the connection is of no more use; ERR_IO: it was closed. */
int vici_client_request(struct vici_client *client, const char *command, struct vici_writer *body,
			struct vici_tree *ret_reply, struct err_msg *msg);
/* The same between vici_client_register and vici_client_unregister of `event`. */
int vici_client_stream(struct vici_client *client, const char *command, const char *event,
		       struct vici_writer *body, struct vici_tree *ret_reply, struct err_msg *msg);
/* Handles packets until an event came. ERR_AGAIN after timeout_ms (-1: never). */
int vici_client_wait_event(struct vici_client *client, int timeout_ms, struct err_msg *msg);

/* What a reply's success and errmsg say: 0, or ERR_STATE with the daemon's words. */
int vici_reply_check(const struct vici_tree *reply, struct err_msg *msg);

#endif
