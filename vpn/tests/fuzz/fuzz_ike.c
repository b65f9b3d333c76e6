/* fuzz_ike.c - datagrams for an engine with an established IKE SA, a half-open one and a configured
 * connection. The first octet of the input says how the rest is used:
 *
 *     even  a datagram as it is; for octet 0x02 with the SPIs of the established SA filled in
 *     odd   a chain of payloads, sealed with the established SA's keys: the handlers' way;
 *           of octet 0x03 in fragments (RFC 7383), each as the input says: see send_fragments
 *
 * Nothing may crash, leak, or install an SA that was not negotiated by a sealed message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/ike/engine.h"
#include "vpn/ike/keymat.h"
#include "vpn/ike/sealed.h"
#include "vpn/wire/ike_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t seed;
static struct ike_conn *conn;
static struct ike_engine *client, *server;
static const struct endpoint client_at = {{4, {10, 0, 0, 1}}, IKE_PORT};
static const struct endpoint server_at = {{4, {192, 0, 2, 2}}, IKE_PORT};
static struct ike_keys_info keys;
static uint8_t key_octets[7][IKE_SK_MAX];
static size_t n_installed;

static int fuzz_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	while (n-- > 0) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		buf[n] = (uint8_t)(seed >> 56);
	}
	return 0;
}

static int64_t fuzz_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return (int64_t)now;
}

static struct ike_conn *fuzz_conn(void *ctx, size_t i)
{
	(void)ctx;
	return i ? NULL : conn;
}

static int fuzz_shared_key(void *ctx, const struct identity *local, const struct identity *remote,
			   uint8_t *secret, size_t *ret_len)
{
	(void)ctx;
	(void)local;
	(void)remote;
	memcpy(secret, "secret", 6);
	*ret_len = 6;
	return 0;
}

static struct privkey *no_key(void *ctx, const struct cert *cert)
{
	(void)ctx;
	(void)cert;
	return NULL;
}

static struct cert *no_cert(void *ctx, size_t i)
{
	(void)ctx;
	(void)i;
	return NULL;
}

static void make_conn(void)
{
	struct child_cfg *child;
	struct err_msg msg;
	struct ts ts;

	conn = ike_conn_new("fuzz");
	conn->local.auth = conn->remote.auth = AUTH_CLASS_PSK;
	if (proposal_parse(PROTOCOL_IKE, "aes128gcm16-prfsha256-x25519", &conn->proposals, &msg))
		abort();
	child = ike_conn_add_child(conn, "net");
	if (proposal_parse(PROTOCOL_ESP, "aes128gcm16-x25519", &child->proposals, &msg) ||
	    ts_parse("10.0.0.0/8", &ts, &msg) || ts_list_add(&child->local_ts, &ts) ||
	    ts_list_add(&child->remote_ts, &ts))
		abort();
	child->mode = IPSEC_BEET;
}

static void keep_keys(const struct ike_keys_info *k)
{
	const struct view *from[] = {&k->sk_d,	&k->sk_ai, &k->sk_ar, &k->sk_ei,
				     &k->sk_er, &k->sk_pi, &k->sk_pr};
	struct view *to[] = {&keys.sk_d,  &keys.sk_ai, &keys.sk_ar, &keys.sk_ei,
			     &keys.sk_er, &keys.sk_pi, &keys.sk_pr};
	size_t i;

	keys = *k;
	for (i = 0; i < 7; i++) {
		memcpy(key_octets[i], from[i]->p, from[i]->len);
		*to[i] = (struct view){key_octets[i], from[i]->len};
	}
}

/* Performs the actions of `of`; datagrams go to `to`, if there is one. */
static void drain(struct ike_engine *of, struct ike_engine *to)
{
	uint8_t out[8][2048];
	size_t len[8], n = 0, i;
	const struct ike_action *a;

	while ((a = ike_engine_next_action(of)) != NULL) {
		if (a->type == IKE_ACTION_SEND && to && n < 8 &&
		    a->send.datagram.len <= sizeof(out[0])) {
			len[n] = a->send.datagram.len;
			memcpy(out[n++], a->send.datagram.p, a->send.datagram.len);
		}
		if (a->type == IKE_ACTION_KEYS && of == client)
			keep_keys(&a->keys);
		n_installed += a->type == IKE_ACTION_SA_INSTALL && of == server;
	}
	for (i = 0; i < n; i++) {
		bool to_server = to == server;

		ike_engine_input(to, to_server ? &server_at : &client_at,
				 to_server ? &client_at : &server_at, (struct view){out[i], len[i]},
				 1);
		drain(to, of);
	}
}

static void bring_up(void)
{
	struct ike_env env = {.random = fuzz_random,
			      .wall = fuzz_wall,
			      .conn = fuzz_conn,
			      .shared_key = fuzz_shared_key,
			      .private_key = no_key,
			      .cert = no_cert,
			      .ca = no_cert};
	struct ike_options opt;
	uint32_t id;

	seed = 1;
	ike_options_default(&opt);
	client = ike_engine_new(&env, &opt);
	server = ike_engine_new(&env, &opt);
	ike_engine_log_keys(client, true);
	if (ike_engine_initiate(client, conn, &conn->children[0], &client_at, &server_at, 1, &id))
		abort();
	drain(client, server);
	if (n_installed != 2)
		abort();
}

static struct cipher *client_cipher(void)
{
	struct cipher_info info;
	struct cipher *c;

	if (cipher_describe(keys.encr, keys.encr_bits, keys.integ, &info) ||
	    cipher_new(&info, CIPHER_SEAL, keys.sk_ei.p, &c))
		abort();
	return c;
}

static void send_part(struct cipher *c, uint8_t exchange, uint32_t message_id,
		      const struct sealed_part *part)
{
	static uint8_t out[9216];
	static uint64_t iv = 99;
	struct ike_header hdr = {.spi_i = keys.spi_i,
				 .spi_r = keys.spi_r,
				 .flags = IKE_FLAG_INITIATOR,
				 .exchange = exchange,
				 .message_id = message_id};
	size_t n;

	if (!sealed_build(c, &iv, fuzz_random, NULL, &hdr, part, out, sizeof(out), &n))
		ike_engine_input(server, &server_at, &client_at, (struct view){out, n}, 2);
}

static void send_sealed(const uint8_t *data, size_t len)
{
	struct sealed_part part = {.chain = {data + 2, len - 2}};
	struct cipher *c;

	if (len < 2 || len > 8192)
		return;
	part.first = data[1];
	c = client_cipher();
	send_part(c, (uint8_t)(IKE_AUTH + data[0] % 3), 2, &part);
	cipher_free(c);
}

/* Fragment after fragment: exchange and message ID, type of the first payload, number, total,
 * length, octets. All are authentic; what they say of one another need not fit. */
static void send_fragments(const uint8_t *data, size_t len)
{
	struct reader r = rd_init(data, len);
	struct cipher *c = client_cipher();

	while (rd_left(&r) > 4) {
		uint8_t which = rd_u8(&r);
		struct sealed_part part = {
		    .first = rd_u8(&r), .number = rd_u8(&r), .total = rd_u8(&r)};
		uint8_t n = rd_u8(&r);

		part.chain = rd_view(&r, n < rd_left(&r) ? n : rd_left(&r));
		if (part.total)
			send_part(c, (uint8_t)(IKE_AUTH + which % 3), 1 + which / 3 % 4, &part);
	}
	cipher_free(c);
}

static void send_datagram(const uint8_t *data, size_t len, bool with_spis)
{
	uint8_t *copy = malloc(len + 1);
	struct writer w = wr_init(copy, len);

	memcpy(copy, data, len);
	if (with_spis && len >= 16) {
		wr_u64(&w, keys.spi_i);
		wr_u64(&w, keys.spi_r);
	}
	ike_engine_input(server, &server_at, &client_at, (struct view){copy, len}, 2);
	if (n_installed != 2)
		abort(); /* unauthenticated octets have installed an SA */
	ike_engine_input(client, &client_at, &server_at, (struct view){copy, len}, 2);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	if (!conn)
		make_conn();
	n_installed = 0;
	bring_up();
	if (data[0] == 3)
		send_fragments(data + 1, len - 1);
	else if (data[0] & 1)
		send_sealed(data + 1, len - 1);
	else
		send_datagram(data + 1, len - 1, data[0] == 2);
	drain(server, NULL);
	drain(client, NULL);
	ike_engine_expire(server, UINT64_C(400000000));
	drain(server, NULL);
	ike_engine_free(client);
	ike_engine_free(server);
	return 0;
}
