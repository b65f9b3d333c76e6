/* fuzz_esp.c - ESP packets, as anybody can send them and as a peer with the keys can.
 *
 *     octet 0: the SA (mode, family, cipher, ESN)   octet 1, bit 0: the rest is sealed first rest:
 * packet
 *
 * Sealed, the rest is the plaintext with padding and trailer: what stands behind decryption is
 * reached. Whatever opens must be a packet inside its buffer and inside the selectors. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/crypto/alg.h"
#include "vpn/esp/open.h"
#include "vpn/esp/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SAS = 24, SPI = 0x12345678 };

struct world {
	struct sad *sad;
	struct esp_sa *in;
	struct cipher *sealer;
};

static void add_ts(struct ts_list *list, const char *text)
{
	struct ts ts;

	if (ts_parse(text, &ts, NULL) || ts_list_add(list, &ts))
		abort();
}

static struct ipsec_sa describe(size_t kind)
{
	static const enum ipsec_mode modes[] = {IPSEC_TUNNEL, IPSEC_BEET, IPSEC_TRANSPORT};
	bool v6 = kind / 3 % 2;
	struct ipsec_sa d = {.spi = SPI, .inbound = true, .mode = modes[kind % 3]};

	d.alg.esn = kind / 6 % 2;
	d.alg.encr = kind / 12 ? ENCR_AES_CBC : ENCR_CHACHA20_POLY1305;
	d.alg.encr_bits = kind / 12 ? 128 : 0;
	d.alg.integ = kind / 12 ? INTEG_HMAC_SHA2_256_128 : 0;
	d.key_len = kind / 12 ? 48 : 36;
	d.copy_dscp = IPSEC_DSCP_IN;
	ip_addr_parse(v6 ? "2001:db8::2" : "192.0.2.2", &d.local.addr);
	ip_addr_parse(v6 ? "2001:db8::1" : "192.0.2.1", &d.remote.addr);
	if (d.mode == IPSEC_BEET) {
		add_ts(&d.local_ts, v6 ? "fd00::2" : "10.0.0.2");
		add_ts(&d.remote_ts, v6 ? "fd00::1" : "10.0.0.1");
	} else {
		add_ts(&d.local_ts, v6 ? "::/1" : "0.0.0.0/1");
		add_ts(&d.remote_ts, v6 ? "::/0" : "0.0.0.0/0[udp/1000-2000]");
		add_ts(&d.remote_ts, v6 ? "::/0" : "0.0.0.0/0[icmp/8]");
	}
	return d;
}

static struct world *world_of(size_t kind)
{
	static struct world worlds[SAS];
	struct world *w = &worlds[kind];
	struct ipsec_sa d;

	if (w->sad)
		return w;
	d = describe(kind);
	if (sad_new(&w->sad) || esp_sa_new(&d, &w->in) || sad_add(w->sad, w->in) ||
	    cipher_new(&w->in->info, CIPHER_SEAL, d.key, &w->sealer))
		abort();
	ipsec_sa_clear(&d);
	return w;
}

/* The plaintext as an ESP packet of sequence number 1 that will be found authentic. */
static size_t seal(struct world *w, const uint8_t *plain, size_t len, uint8_t *out)
{
	size_t front = esp_sa_front(w->in), icv = w->in->info.icv_len;
	uint8_t aad[12] = {0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0, 0, 0, 1};
	bool esn = w->in->desc.alg.esn, aead = w->in->info.aead;
	struct cipher_job job = {.iv = out + 8,
				 .aad = esn && aead ? aad : out,
				 .aad_len = esn && aead ? 12 : 8,
				 .data = out + front,
				 .data_len = len,
				 .tail = aad + 4,
				 .tail_len = esn && !aead ? 4 : 0,
				 .icv = out + front + len};

	memset(out, 0, front);
	memcpy(out, aad, 4);
	out[7] = 1;
	if (len)
		memcpy(out + front, plain, len);
	cipher_seal(w->sealer, &job, 1);
	return front + len + icv;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t kind = len ? data[0] % SAS : 0, packet_len;
	struct world *w = world_of(kind);
	struct packet p;
	uint8_t *buf;

	if (len < 2 || len > 4096)
		return 0;
	packet_len = len - 2;
	if (data[1] & 1) {
		packet_len -= packet_len % w->in->info.block;
		buf = malloc(PACKET_HEADROOM + packet_len + 64);
		packet_len = seal(w, data + 2, packet_len, buf + PACKET_HEADROOM);
	} else {
		buf = malloc(PACKET_HEADROOM + packet_len);
		memcpy(buf + PACKET_HEADROOM, data + 2, packet_len);
	}
	p = packet_in(buf, PACKET_HEADROOM + packet_len, PACKET_HEADROOM, packet_len);
	p.outer = (struct outer_hdr){.tos = data[1], .ttl = 64};
	esp_open(w->sad, &p, 1, 0);
	if (!p.drop) {
		assert(p.data >= buf && p.data + p.len <= buf + PACKET_HEADROOM + packet_len);
		assert(p.sa == w->in && p.inner.total_len == p.len);
		assert(ts_lists_match(&w->in->desc.remote_ts, &w->in->desc.local_ts, &p.inner.sel));
	}
	free(buf);
	return 0;
}
