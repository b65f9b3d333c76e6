/* bench_esp.c - sealing and opening whole ESP packets, beside the bare cipher on the same octets.
 *
 * In turns, in one run, processor time of this thread, the best of several rounds: so the ratios
 * mean something on a machine that others use too.
 *
 *	meson test -C build --benchmark esp -v */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/esp/open.h"
#include "vpn/esp/seal.h"

#define INNER  1400
#define BATCH  64
#define ROUNDS 9
#define PASSES 50 /* batches a round */
#define SLOT   2048

static uint8_t slots[BATCH][SLOT], sealed[BATCH][SLOT];
static struct packet inner[BATCH], pkts[BATCH];
static struct cipher_job jobs[BATCH];

struct sas {
	struct esp_sa *out, *in;
	struct sad *sad;
	struct cipher *seal, *open;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void fill_random(void *arg, uint8_t *buf, size_t len)
{
	(void)arg;
	while (len--)
		*buf++ = (uint8_t)rand();
}

static const struct esp_random rng = {fill_random, NULL};

static void must(int err)
{
	if (err) {
		fprintf(stderr, "bench_esp: %s\n", err_text(err));
		exit(1);
	}
}

static void add_host(struct ts_list *list, const char *text)
{
	struct ts ts;

	must(ts_parse(text, &ts, NULL));
	must(ts_list_add(list, &ts));
}

static struct sas make_sas(uint16_t encr, uint16_t bits, uint16_t integ, enum ipsec_mode mode)
{
	struct ipsec_sa d = {.spi = 0x1000, .mode = mode, .encap = true, .copy_ecn = true};
	struct cipher_info info;
	struct ts_list swap;
	struct sas s;

	must(cipher_describe(encr, bits, integ, &info));
	d.alg = (struct ipsec_alg){.encr = encr, .encr_bits = bits, .integ = integ};
	d.key_len = info.encr_key_len + info.integ_key_len;
	must(ip_addr_parse("192.0.2.1", &d.local.addr));
	must(ip_addr_parse("192.0.2.2", &d.remote.addr));
	add_host(&d.local_ts, "10.0.0.1");
	add_host(&d.remote_ts, "10.0.0.2");
	must(esp_sa_new(&d, &s.out));
	must(cipher_new(&info, CIPHER_SEAL, d.key, &s.seal));
	must(cipher_new(&info, CIPHER_OPEN, d.key, &s.open));
	swap = d.local_ts;
	d.local_ts = d.remote_ts;
	d.remote_ts = swap;
	d.inbound = true;
	must(esp_sa_new(&d, &s.in)); /* window 0: the same packets are opened again and again */
	must(sad_new(&s.sad));
	must(sad_add(s.sad, s.in));
	ipsec_sa_clear(&d);
	return s;
}

static void free_sas(struct sas *s)
{
	cipher_free(s->seal);
	cipher_free(s->open);
	sad_free(s->sad);
	esp_sa_free(s->out);
	esp_sa_free(s->in);
}

static void make_inner(void)
{
	static const uint8_t hdr[20] = {
	    0x45, 0, INNER >> 8, INNER & 0xff, 0, 0, 0x40, 0, 64, IP_PROTO_UDP, 0, 0, 10,
	    0,	  0, 1,		 10,	       0, 0, 2};
	size_t i;

	for (i = 0; i < BATCH; i++) {
		memset(slots[i], 0, SLOT);
		memcpy(slots[i] + PACKET_HEADROOM, hdr, sizeof(hdr));
		inner[i] = packet_in(slots[i], SLOT, PACKET_HEADROOM, INNER);
		must(ip_parse(inner[i].data, INNER, &inner[i].inner));
	}
}

/* Each of these does one batch; what is prepared for it does not count. */
static double esp_seal_batch(struct sas *s)
{
	double t;

	make_inner();
	memcpy(pkts, inner, sizeof(pkts));
	t = now();
	esp_seal(s->out, pkts, BATCH, 0, &rng);
	return now() - t;
}

static double esp_open_batch(struct sas *s)
{
	size_t i;
	double t;

	for (i = 0; i < BATCH; i++) {
		memcpy(slots[i], sealed[i], SLOT);
		pkts[i] = (struct packet){.data = slots[i] + (pkts[i].data - slots[i]),
					  .len = pkts[i].len,
					  .headroom = pkts[i].headroom,
					  .tailroom = pkts[i].tailroom};
	}
	t = now();
	esp_open(s->sad, pkts, BATCH, 0);
	t = now() - t;
	for (i = 0; i < BATCH; i++)
		if (pkts[i].drop)
			must(ERR_CRYPTO);
	return t;
}

static double bare_batch(struct sas *s, bool seal)
{
	const struct cipher_info *info = &s->out->info;
	size_t len = (INNER + 2 + info->block) / 16 * 16, i;
	double t;

	for (i = 0; i < BATCH; i++)
		jobs[i] = (struct cipher_job){.iv = slots[i] + 8,
					      .aad = slots[i],
					      .aad_len = 8,
					      .data = slots[i] + 32,
					      .data_len = len,
					      .icv = slots[i] + 32 + len};
	t = now();
	cipher_seal(s->seal, jobs, BATCH);
	if (seal)
		return now() - t;
	t = now();
	cipher_open(s->open, jobs, BATCH);
	return now() - t;
}

static void keep_sealed(struct sas *s, struct packet *ret_pkts)
{
	esp_seal_batch(s);
	memcpy(sealed, slots, sizeof(sealed));
	memcpy(ret_pkts, pkts, sizeof(pkts));
}

enum { SEAL, OPEN, BARE_SEAL, BARE_OPEN, WAYS };

static double one_batch(struct sas *s, int way, const struct packet *as_sealed)
{
	if (way == SEAL)
		return esp_seal_batch(s);
	if (way == BARE_SEAL || way == BARE_OPEN)
		return bare_batch(s, way == BARE_SEAL);
	memcpy(pkts, as_sealed, sizeof(pkts));
	return esp_open_batch(s);
}

static void compare(const char *name, struct sas s)
{
	static struct packet as_sealed[BATCH];
	double best[WAYS] = {1e9, 1e9, 1e9, 1e9}, t;
	int round, way, pass;

	keep_sealed(&s, as_sealed);
	for (round = 0; round < ROUNDS; round++) {
		for (way = 0; way < WAYS; way++) {
			for (t = 0, pass = 0; pass < PASSES; pass++)
				t += one_batch(&s, way, as_sealed);
			best[way] = t < best[way] ? t : best[way];
		}
	}
#define GBS(way) ((double)INNER * BATCH * PASSES / best[way] / 1e9)
	printf(
	    "%-28s %-9s seal %5.2f of %5.2f GB/s (%3.0f%%)   open %5.2f of %5.2f GB/s (%3.0f%%)\n",
	    name, cipher_backend(s.out->cipher), GBS(SEAL), GBS(BARE_SEAL),
	    100 * best[BARE_SEAL] / best[SEAL], GBS(OPEN), GBS(BARE_OPEN),
	    100 * best[BARE_OPEN] / best[OPEN]);
	free_sas(&s);
}

int main(void)
{
	printf("ESP packets of %d octets inside, batches of %d, beside the bare cipher:\n", INNER,
	       BATCH);
	compare("chacha20poly1305, tunnel", make_sas(ENCR_CHACHA20_POLY1305, 0, 0, IPSEC_TUNNEL));
	compare("chacha20poly1305, BEET", make_sas(ENCR_CHACHA20_POLY1305, 0, 0, IPSEC_BEET));
	compare("aes128gcm16, tunnel", make_sas(ENCR_AES_GCM_16, 128, 0, IPSEC_TUNNEL));
	compare("aes256gcm16, tunnel", make_sas(ENCR_AES_GCM_16, 256, 0, IPSEC_TUNNEL));
	compare("aes256-sha256, tunnel",
		make_sas(ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, IPSEC_TUNNEL));
	return 0;
}
