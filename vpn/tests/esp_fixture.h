/* esp_fixture.h - what the ESP tests share: an SA pair with fixed keys, inner packets built octet
 * by octet, and one call to seal or open a single packet. */
#ifndef VPN_TESTS_ESP_FIXTURE_H
#define VPN_TESTS_ESP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/esp/open.h"
#include "vpn/esp/packet.h"
#include "vpn/esp/sad.h"
#include "vpn/esp/seal.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/ip.h"
#include "vpn/wire/packet/octets.h"

#define FIX_SPI 0xc0ffee01U

/* Two ends of one SA: what `out` seals, `in` opens. */
struct pair {
	struct esp_sa *out;
	struct esp_sa *in;
	struct sad *sad;
};

struct buffer {
	uint8_t octets[4096];
};

static inline void fix_random(void *arg, uint8_t *buf, size_t len)
{
	static uint8_t state = 1;
	size_t i;

	(void)arg;
	for (i = 0; i < len; i++)
		buf[i] = state = (uint8_t)(state * 5 + 3);
}

static const struct esp_random fix_rng = {fix_random, NULL};

static inline void fix_ts(struct ts_list *list, const char *text)
{
	struct ts ts;

	assert_int_equal(ts_parse(text, &ts, NULL), 0);
	assert_int_equal(ts_list_add(list, &ts), 0);
}

/* An outbound SA from 192.0.2.1 to 192.0.2.2 with these selectors; ChaCha20-Poly1305, encapsulated.
 */
static inline struct ipsec_sa fix_desc(enum ipsec_mode mode, const char *local, const char *remote)
{
	struct ipsec_sa d = {.spi = FIX_SPI,
			     .mode = mode,
			     .encap = true,
			     .alg = {.encr = ENCR_CHACHA20_POLY1305},
			     .key_len = 36,
			     .replay_window = 64,
			     .copy_df = true,
			     .copy_ecn = true,
			     .copy_dscp = IPSEC_DSCP_OUT};
	size_t i;

	assert_int_equal(ip_addr_parse("192.0.2.1", &d.local.addr), 0);
	assert_int_equal(ip_addr_parse("192.0.2.2", &d.remote.addr), 0);
	d.local.port = d.remote.port = 4500;
	fix_ts(&d.local_ts, local);
	fix_ts(&d.remote_ts, remote);
	for (i = 0; i < sizeof(d.key); i++)
		d.key[i] = (uint8_t)i;
	return d;
}

static inline void fix_set_alg(struct ipsec_sa *d, uint16_t encr, uint16_t bits, uint16_t integ,
			       bool esn)
{
	struct cipher_info info;

	assert_int_equal(cipher_describe(encr, bits, integ, &info), 0);
	d->alg = (struct ipsec_alg){.encr = encr, .encr_bits = bits, .integ = integ, .esn = esn};
	d->key_len = info.encr_key_len + info.integ_key_len;
}

/* Takes d over. */
static inline struct pair fix_pair(struct ipsec_sa *d)
{
	struct ipsec_sa in = *d;
	struct pair p;

	assert_int_equal(esp_sa_new(d, &p.out), 0);
	in.inbound = true;
	in.local = d->remote;
	in.remote = d->local;
	in.local_ts = d->remote_ts;
	in.remote_ts = d->local_ts;
	assert_int_equal(esp_sa_new(&in, &p.in), 0);
	assert_int_equal(sad_new(&p.sad), 0);
	assert_int_equal(sad_add(p.sad, p.in), 0);
	ipsec_sa_clear(d);
	return p;
}

static inline struct pair fix_simple(enum ipsec_mode mode, const char *local, const char *remote)
{
	struct ipsec_sa d = fix_desc(mode, local, remote);

	return fix_pair(&d);
}

static inline void fix_free(struct pair *p)
{
	sad_free(p->sad);
	esp_sa_free(p->out);
	esp_sa_free(p->in);
}

/* An IPv4 or IPv6 packet: header, `options` octets of IPv4 options (NOPs), then a payload 0, 1, 2,
 * ... of `len` octets that looks like proto. It stands behind PACKET_HEADROOM. */
struct inner_spec {
	const char *src;
	const char *dst;
	uint8_t proto;
	uint8_t tos;
	uint8_t ttl;
	uint16_t id;
	uint16_t frag_off;
	size_t options;
	size_t len;
};

static inline void fix_header(struct writer *w, const struct inner_spec *s)
{
	struct ip_addr src, dst;
	size_t i;

	assert_int_equal(ip_addr_parse(s->src, &src), 0);
	assert_int_equal(ip_addr_parse(s->dst, &dst), 0);
	if (src.family == 6) {
		wr_u32(w, 6U << 28 | (uint32_t)s->tos << 20);
		wr_u16(w, (uint16_t)s->len);
		wr_u8(w, s->proto);
		wr_u8(w, s->ttl ? s->ttl : 64);
	} else {
		wr_u8(w, (uint8_t)(0x45 + s->options / 4));
		wr_u8(w, s->tos);
		wr_u16(w, (uint16_t)(IPV4_HDR_LEN + s->options + s->len));
		wr_u16(w, s->id);
		wr_u16(w, s->frag_off);
		wr_u8(w, s->ttl ? s->ttl : 64);
		wr_u8(w, s->proto);
		wr_u16(w, 0);
	}
	wr_bytes(w, src.b, ip_addr_len(&src));
	wr_bytes(w, dst.b, ip_addr_len(&dst));
	for (i = 0; i < s->options; i++)
		wr_u8(w, 1);
	if (src.family == 4)
		ipv4_set_checksum(w->base, w->len);
}

static inline struct packet fix_inner(struct buffer *b, const struct inner_spec *s)
{
	struct writer w = wr_init(b->octets + PACKET_HEADROOM, sizeof(b->octets) - PACKET_HEADROOM);
	struct packet p;
	size_t i;

	fix_header(&w, s);
	for (i = 0; i < s->len; i++)
		wr_u8(&w, (uint8_t)i);
	assert_true(wr_ok(&w));
	p = packet_in(b->octets, sizeof(b->octets), PACKET_HEADROOM, w.len);
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), 0);
	return p;
}

static inline struct packet fix_ping(struct buffer *b, const char *src, const char *dst)
{
	bool v6 = strchr(src, ':');

	return fix_inner(b, &(struct inner_spec){.src = src,
						 .dst = dst,
						 .proto = v6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP,
						 .frag_off = v6 ? 0 : IPV4_FLAG_DF,
						 .len = 64});
}

static inline enum esp_drop fix_seal(struct pair *pair, struct packet *p)
{
	esp_seal(pair->out, p, 1, 1000, &fix_rng);
	return p->drop;
}

static inline enum esp_drop fix_open(struct pair *pair, struct packet *p)
{
	p->drop = ESP_DROP_NONE;
	esp_open(pair->sad, p, 1, 2000);
	return p->drop;
}

/* Seals any octets as an ESP payload (with padding and trailer as given), the way a hostile peer
 * that has the keys would. */
static inline struct packet fix_forge(struct pair *pair, struct buffer *b, const uint8_t *plain,
				      size_t len)
{
	size_t front = esp_sa_front(pair->out), icv = pair->out->info.icv_len;
	struct packet p =
	    packet_in(b->octets, sizeof(b->octets), PACKET_HEADROOM, front + len + icv);
	struct writer w = wr_init(p.data, p.len);
	struct cipher_job job = {.iv = p.data + 8,
				 .aad = p.data,
				 .aad_len = 8,
				 .data = p.data + front,
				 .data_len = len,
				 .icv = p.data + front + len};

	wr_u32(&w, FIX_SPI);
	wr_u32(&w, (uint32_t)++pair->out->seq);
	wr_zero(&w, front - 8);
	wr_bytes(&w, plain, len);
	cipher_seal(pair->out->cipher, &job, 1);
	assert_true(job.ok);
	return p;
}

#endif
