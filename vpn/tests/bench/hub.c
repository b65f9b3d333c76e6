/* hub.c - writes the two configurations, and drives initiations from several threads.
 *
 * Cookies and the limits on half-open SAs of one address are off in both daemons, as is uniqueness:
 * one host plays a thousand. Retransmissions stay on, so a lost datagram costs time, not a failure.
 *
 * A thread has a vici connection of its own and takes the next number from a shared counter; the
 * first failure stops them all. */
#include "vpn/tests/bench/hub.h"
#include "vpn/tests/bench/stage.h"
#include "harness/credentials.h"
#include "vpn/vici/client/client.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARALLEL_MAX  64
#define INITIATE_MS   20000
#define CONN_TEXT_MAX 160

/* The inner address of a connection: 10.8.x.y. */
#define INNER_FMT   "10.8.%u.%u"
#define INNER_OF(i) ((i) / 250), ((i) % 250 + 1)

static void put_ends(FILE *out, enum hub_auth auth, const char *local, const char *remote)
{
	if (auth == HUB_PSK)
		fprintf(out,
			"local { auth = psk\n id = %s.example.net\n}\n"
			"remote { auth = psk\n id = %s.example.net\n}\n",
			local, remote);
	else
		fprintf(out,
			"local { auth = pubkey\n certs = %s-cert.pem\n id = %s.inetdoc.net\n}\n"
			"remote { auth = pubkey\n certs = %s-cert.pem\n id = %s.inetdoc.net\n}\n",
			local, local, remote, remote);
}

static void put_conn(FILE *out, enum hub_auth auth, const char *local, const char *remote)
{
	fprintf(out, "version = 2\nproposals = aes128-sha256-x25519\nmobike = no\nunique = never\n"
		     "rekey_time = 0\ndpd_delay = 0\n");
	put_ends(out, auth, local, remote);
}

static void put_secret(FILE *out, enum hub_auth auth)
{
	if (auth == HUB_PSK)
		fprintf(out, "secrets {\nike-bench {\nsecret = \"a secret of them all\"\n}\n}\n");
}

/* Inheriting from conn0 keeps the text short; swanctl resolves it. */
static void put_initiator(FILE *out, enum hub_auth auth, unsigned conns)
{
	unsigned i;

	fprintf(out, "base {\nlocal_addrs = " A_OUTER "\nremote_addrs = " B_OUTER "\n");
	put_conn(out, auth, "a", "b");
	fprintf(out, "}\nnet {\nremote_ts = " B_INNER "/32\nesp_proposals = aes128gcm16\n"
		     "rekey_time = 0\n}\nconnections {\n");
	for (i = 0; i < conns; i++)
		fprintf(out,
			"conn%u : base {\nchildren {\nnet : net {\nlocal_ts = " INNER_FMT
			"/32\n}\n}\n}\n",
			i, INNER_OF(i));
	fprintf(out, "}\n");
	put_secret(out, auth);
}

static void put_responder(FILE *out, enum hub_auth auth)
{
	fprintf(out, "connections {\nhub {\nlocal_addrs = " B_OUTER "\nremote_addrs = %%any\n");
	put_conn(out, auth, "b", "a");
	fprintf(out, "children {\nnet {\nlocal_ts = " B_INNER "/32\nremote_ts = 10.8.0.0/16\n"
		     "esp_proposals = aes128gcm16\nrekey_time = 0\n}\n}\n}\n}\n");
	put_secret(out, auth);
}

static int load(struct peer *peer, enum hub_auth auth, unsigned conns, struct err_msg *msg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return err_set(msg, ERR_NOMEM, "out of memory");
	if (conns)
		put_initiator(out, auth, conns);
	else
		put_responder(out, auth);
	fclose(out);
	err = peer_load(peer, text, msg);
	free(text);
	return err;
}

static int install(struct net *net, struct peer *peer, const char *kind, const char *file,
		   struct err_msg *msg)
{
	char from[PEER_PATH_MAX + 64], to[64];

	snprintf(from, sizeof(from), "%s/%s", net_dir(net), file);
	snprintf(to, sizeof(to), "%s/%s", kind, file);
	return peer_copy(peer, to, from, msg);
}

static int install_keys(struct hub *h, struct err_msg *msg)
{
	int err = credentials_self_signed(h->net, net_dir(h->net), "a", CREDENTIAL_ED25519, msg);

	if (err == 0)
		err =
		    credentials_self_signed(h->net, net_dir(h->net), "b", CREDENTIAL_ED25519, msg);
	if (err == 0)
		err = install(h->net, h->a, "private", "a-key.pem", msg);
	if (err == 0)
		err = install(h->net, h->b, "private", "b-key.pem", msg);
	if (err == 0)
		err = install(h->net, h->a, "x509", "a-cert.pem", msg);
	if (err == 0)
		err = install(h->net, h->a, "x509", "b-cert.pem", msg);
	if (err == 0)
		err = install(h->net, h->b, "x509", "a-cert.pem", msg);
	if (err == 0)
		err = install(h->net, h->b, "x509", "b-cert.pem", msg);
	return err;
}

/* kernel-libipsec wants to have an address of every local selector. */
static int add_addresses(struct hub *h, struct err_msg *msg)
{
	int err = net_add_address(h->net, "b", "lo", B_INNER, msg);
	char text[32];
	unsigned i;

	for (i = 0; err == 0 && i < h->conns; i++) {
		snprintf(text, sizeof(text), INNER_FMT, INNER_OF(i));
		err = net_add_address(h->net, "a", "lo", text, msg);
	}
	return err;
}

static int set_stage(const struct hub_spec *spec, struct hub *h, struct err_msg *msg)
{
	int err = stage_build(&h->net, msg);

	if (err == 0)
		err = add_addresses(h, msg);
	if (err == 0)
		err = peer_create(h->net, "a", spec->driver, &spec->options, &h->a, msg);
	if (err == 0)
		err = peer_create(h->net, "b", spec->driver, &spec->options, &h->b, msg);
	if (err == 0 && spec->auth == HUB_ED25519)
		err = install_keys(h, msg);
	return err;
}

int hub_up(const struct hub_spec *spec, unsigned conns, struct hub *ret_hub, struct err_msg *msg)
{
	struct hub h = {.conns = conns};
	int err = set_stage(spec, &h, msg);

	if (err == 0)
		err = peer_start(h.b, msg);
	if (err == 0)
		err = peer_start(h.a, msg);
	if (err == 0)
		err = load(h.b, spec->auth, 0, msg);
	if (err == 0)
		err = load(h.a, spec->auth, conns, msg);
	if (err < 0)
		hub_down(&h);
	else
		*ret_hub = h;
	return err;
}

void hub_down(struct hub *h)
{
	peer_free(h->a);
	peer_free(h->b);
	net_free(h->net, NULL);
	*h = (struct hub){.net = NULL};
}

/* ---- initiating ---- */

struct drive {
	const char *uri;
	atomic_uint next;
	unsigned end;
	atomic_bool failed;
	pthread_mutex_t lock; /* of msg */
	struct err_msg msg;   /* the first failure's */
	int err;
};

static int initiate(struct vici_client *client, unsigned i, struct err_msg *msg)
{
	struct vici_writer body = {0};
	struct vici_tree reply = {0};
	int err;

	vici_value_fmt(&body, "ike", "conn%u", i);
	vici_value_str(&body, "child", "net");
	vici_value_fmt(&body, "timeout", "%d", INITIATE_MS);
	vici_value_str(&body, "loglevel", "-1");
	err = vici_client_request(client, "initiate", &body, &reply, msg);
	if (err == 0) {
		err = vici_reply_check(&reply, msg);
		vici_tree_free(&reply);
	}
	vici_writer_free(&body);
	return err;
}

static void note_failure(struct drive *d, unsigned i, int err, const struct err_msg *msg)
{
	pthread_mutex_lock(&d->lock);
	if (!d->failed)
		d->err = err_set(&d->msg, err, "conn%u: %.400s", i, msg->text);
	d->failed = true;
	pthread_mutex_unlock(&d->lock);
}

static void *run(void *arg)
{
	struct drive *d = arg;
	struct err_msg msg = {{0}};
	struct vici_client *client;
	int err = vici_client_open(d->uri, &client, &msg);
	unsigned i = d->end;

	if (err < 0) {
		note_failure(d, i, err, &msg);
		return NULL;
	}
	vici_client_set_timeout(client, 2 * INITIATE_MS);
	while (!d->failed && (i = atomic_fetch_add(&d->next, 1)) < d->end) {
		err = initiate(client, i, &msg);
		if (err < 0)
			note_failure(d, i, err, &msg);
	}
	vici_client_close(client);
	return NULL;
}

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

int hub_initiate(struct hub *h, unsigned from, unsigned to, unsigned parallel, double *ret_seconds,
		 struct err_msg *msg)
{
	struct drive d = {.uri = peer_uri(h->a), .next = from, .end = to};
	pthread_t threads[PARALLEL_MAX];
	double start = now_seconds();
	unsigned i, n = 0;

	pthread_mutex_init(&d.lock, NULL);
	while (n < parallel && n < PARALLEL_MAX && pthread_create(&threads[n], NULL, run, &d) == 0)
		n++;
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&d.lock);
	if (n == 0)
		return err_set(msg, ERR_NOMEM, "no thread");
	if (d.failed)
		return err_set(msg, d.err, "%s", d.msg.text);
	*ret_seconds = now_seconds() - start;
	return 0;
}
