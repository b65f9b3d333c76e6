/* world.c - builds what a plan says, in the order that its parts need each other: network, inner
 * addresses, wires and captures (so that nothing goes by unseen), credentials and daemons' homes.
 *
 * Daemons are started by steps, not here. A plain cable is captured at its first end, which sees
 * every packet of both directions; an impaired one is captured by its wire at both.
 *
 * Ownership: struct world is the caller's, and holds everything until world_close. */
#include "harness/world.h"
#include "harness/credentials.h"
#include "harness/files.h"
#include "harness/stream.h"
#include "harness/wires.h"
#include "netns/capture.h"
#include "netns/process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Captures hold what was on the wire, whoever the peers are: a foreign one's keys stand in its log
 * at this level. */
#define STRONGSWAN_KEYS "filelog { stderr { ike = 4 \n chd = 4 } }\n"

static int add_inner(struct world *world, const struct plan_endpoint *endpoint,
		     const struct sc_inner *inner, struct err_msg *msg)
{
	/* strongSwan's libipsec has a TUN device of its own, and routes by itself. */
	bool on_tun = inner->interface && strcmp(endpoint->peer, "beetd") == 0;
	const char *ifname = on_tun ? inner->interface : "lo", *node = endpoint->sc->node;
	char host[64];
	size_t i;
	int err = on_tun ? net_add_tun(world->net, node, ifname, msg) : 0;

	for (i = 0; i < inner->addresses.count && err == 0; i++) {
		const char *prefix = inner->addresses.items[i];

		/* On lo a prefix would make the whole network local. */
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(prefix, "/"), prefix);
		err = net_add_address(world->net, node, ifname, on_tun ? prefix : host, msg);
	}
	for (i = 0; on_tun && i < inner->routes.count && err == 0; i++)
		err = net_add_route(world->net, node, inner->routes.items[i], NULL, ifname, msg);
	return err;
}

static int add_inner_all(struct world *world, struct err_msg *msg)
{
	size_t i, j;
	int err = 0;

	for (i = 0; i < world->plan->endpoints_count; i++) {
		const struct plan_endpoint *endpoint = &world->plan->endpoints[i];
		const struct sc_inner *inner = endpoint->sc->inner.items;

		for (j = 0; j < endpoint->sc->inner.count && err == 0; j++)
			err = add_inner(world, endpoint, &inner[j], msg);
	}
	return err;
}

static int create_peer(struct world *world, size_t index, struct err_msg *msg)
{
	const struct plan_endpoint *endpoint = &world->plan->endpoints[index];
	const char *own = endpoint->sc->strongswan_conf ? endpoint->sc->strongswan_conf : "";
	size_t cap = strlen(own) + sizeof(STRONGSWAN_KEYS);
	char *conf = doc_alloc(world->plan->scenario->doc, cap);
	const struct peer_options options = {.strongswan_conf = conf,
					     .own_clock =
						 plan_shifts_clock(world->plan, endpoint->sc->node),
					     .beetd_args = endpoint->sc->beetd_args.items};

	if (!conf)
		return err_set(msg, ERR_NOMEM, "out of memory");
	snprintf(conf, cap, "%s%s", STRONGSWAN_KEYS, own);
	return peer_create(world->net, endpoint->sc->node, peer_driver_find(endpoint->peer),
			   &options, &world->peers[index], msg);
}

static int create_peers(struct world *world, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < world->plan->endpoints_count && err == 0; i++)
		err = create_peer(world, i, msg);
	return err;
}

static int make_credential(struct world *world, const struct sc_credential *cred,
			   struct err_msg *msg)
{
	const enum credential_key key = (enum credential_key)cred->key;
	const char *dir = net_dir(world->net);

	if (cred->kind == CRED_SELF_SIGNED)
		return credentials_self_signed(world->net, dir, cred->name, key, msg);
	if (cred->kind == CRED_CA)
		return credentials_ca(world->net, dir, cred->name, key, msg);
	return credentials_issued(world->net, dir, cred->name, cred->ca, key,
				  cred->expired ? CREDENTIAL_EXPIRED : CREDENTIAL_VALID, msg);
}

static int install(struct world *world, const struct text_list *nodes, const char *kind,
		   const char *name, const char *suffix, struct err_msg *msg)
{
	char from[PEER_PATH_MAX + 64], to[128];
	size_t i;
	int err = 0;

	snprintf(from, sizeof(from), "%s/%s-%s.pem", net_dir(world->net), name, suffix);
	snprintf(to, sizeof(to), "%s/%s-%s.pem", kind, name, suffix);
	for (i = 0; i < nodes->count && err == 0; i++)
		err = peer_copy(world_peer(world, nodes->items[i]), to, from, msg);
	return err;
}

static int make_credentials(struct world *world, struct err_msg *msg)
{
	const struct sc_credential *list = world->plan->scenario->credentials.items;
	size_t i;
	int err = 0;

	for (i = 0; i < world->plan->scenario->credentials.count && err == 0; i++) {
		const struct sc_credential *cred = &list[i];

		err = make_credential(world, cred, msg);
		if (err == 0)
			err = install(world, &cred->private_at, "private", cred->name, "key", msg);
		if (err == 0)
			err = install(world, &cred->certificate_at,
				      cred->kind == CRED_CA ? "x509ca" : "x509", cred->name, "cert",
				      msg);
	}
	return err;
}

int world_open(const struct plan *plan, const char *dir, struct world *ret_world,
	       struct err_msg *msg)
{
	struct world world = {.plan = plan, .dir = dir};
	int err;

	world.peers = calloc(plan->endpoints_count + 1, sizeof(struct peer *));
	if (!world.peers)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = net_build(&plan->topology, &world.net, msg);
	if (err == 0)
		err = add_inner_all(&world, msg);
	if (err == 0)
		err = wires_start(&world, msg);
	if (err == 0)
		err = create_peers(&world, msg);
	if (err == 0)
		err = make_credentials(&world, msg);
	if (err < 0)
		world_close(&world, NULL);
	else
		*ret_world = world;
	return err;
}

struct peer *world_peer(const struct world *world, const char *node)
{
	size_t i;

	for (i = 0; i < world->plan->endpoints_count; i++)
		if (strcmp(world->plan->endpoints[i].sc->node, node) == 0)
			return world->peers[i];
	return NULL;
}

int world_load(struct world *world, const char *node, struct err_msg *msg)
{
	return peer_load(world_peer(world, node), plan_find_endpoint(world->plan, node)->config,
			 msg);
}

int world_impair(struct world *world, const char *wire, const struct sc_impairment *impairment,
		 struct err_msg *msg)
{
	return wires_impair(world, wire, impairment, msg);
}

int world_release(struct world *world, const char *wire, const char *aim, unsigned *ret_released,
		  struct err_msg *msg)
{
	return wires_release(world, wire, aim, ret_released, msg);
}

void world_quiesce(struct world *world)
{
	size_t i;

	for (i = 0; i < world->stream_count; i++)
		stream_kill(world->streams[i]);
	world->stream_count = 0;
	for (i = 0; i < world->background_count; i++)
		process_stop(world->background[i], 2000);
	world->background_count = 0;
	for (i = 0; i < world->plan->endpoints_count; i++)
		if (world->peers[i])
			peer_stop(world->peers[i]);
}

int world_stop_captures(struct world *world, struct wire_truth *ret_truth, struct err_msg *msg)
{
	return wires_stop(world, ret_truth, msg);
}

/* What a reader looks for first stands where its name says: keys/NODE, logs/NODE.log, ... */
static int keep_peer(struct world *world, struct peer *peer, struct err_msg *msg)
{
	static const struct {
		const char *from, *to;
	} files[] = {
	    {"log", "logs/%s.log"},
	    {"events.json", "events/%s.jsonl"},
	    {"swanctl/swanctl.conf", "configs/%s.conf"},
	    {"keys/keys.jsonl", "keys/%s/keys.jsonl"},
	    {"keys/ikev2_decryption_table", "keys/%s/ikev2_decryption_table"},
	    {"keys/esp_sa", "keys/%s/esp_sa"},
	};
	bool is_foreign = strcmp(peer_name(peer), "beetd") != 0;
	char from[PEER_PATH_MAX * 2], to[128];
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(files) / sizeof(files[0]) && err == 0; i++) {
		snprintf(from, sizeof(from), "%s/%s", peer_dir(peer), files[i].from);
		path_format(to, sizeof(to), files[i].to, peer_node(peer));
		err = file_copy_if_there(from, world->dir, to, msg);
	}
	if (err == 0 && is_foreign) {
		snprintf(from, sizeof(from), "%s/log", peer_dir(peer));
		snprintf(to, sizeof(to), "keys/%s/strongswan.log", peer_node(peer));
		err = file_copy_if_there(from, world->dir, to, msg);
	}
	return err;
}

int world_keep(struct world *world, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < world->plan->endpoints_count && err == 0; i++)
		if (world->peers[i])
			err = keep_peer(world, world->peers[i], msg);
	return err;
}

int world_close(struct world *world, struct err_msg *msg)
{
	size_t i;
	int err;

	world_quiesce(world);
	wires_stop(world, NULL, NULL);
	for (i = 0; i < world->plan->endpoints_count; i++)
		peer_free(world->peers[i]);
	err = net_free(world->net, msg);
	free(world->peers);
	free(world->background);
	free(world->streams);
	*world = (struct world){.net = NULL};
	return err;
}
