/* stream_flood.c - a flood of IKE_SA_INIT requests whose senders do not exist: what an attacker
 * sends who wants a responder to keep state for them (RFC 7296 §2.6).
 *
 * Each request is well-formed, has an SPI, a nonce and a public value of its own, and a source
 * address out of 10.0.0.0/8 that chance chooses; so neither the address nor a malformation gives it
 * away. What is sent back goes to addresses that nobody has: the network must lead them nowhere.
 * The sender is a raw socket in its node; there is no receiver. */
#include "harness/stream_internal.h"
#include "vpn/base/writer.h"
#include "vpn/crypto/alg.h"
#include "vpn/wire/payload.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
	IP_LEN = 20,
	UDP_LEN = 8,
	TTL = 64,
	PORT = 500,
	KE_LEN = 32,
	NONCE_LEN = 32,
	PACKET_MAX = 512
};

struct flood {
	const struct stream_job *job;
	uint64_t state;
	int fd;
};

static uint64_t chance(struct flood *flood)
{
	flood->state ^= flood->state << 13;
	flood->state ^= flood->state >> 7;
	flood->state ^= flood->state << 17;
	return flood->state;
}

static struct view random_octets(struct flood *flood, uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)(chance(flood) >> 32);
	return (struct view){.p = buf, .len = len};
}

static void encode_sa(struct ike_builder *b)
{
	static struct proposal proposal = {
	    .number = 1,
	    .protocol = PROTOCOL_IKE,
	    .n_transforms = 5,
	    .transforms = {{.type = TRANSFORM_ENCR, .id = ENCR_AES_CBC, .key_bits = 128},
			   {.type = TRANSFORM_ENCR, .id = ENCR_AES_CBC, .key_bits = 256},
			   {.type = TRANSFORM_INTEG, .id = INTEG_HMAC_SHA2_256_128},
			   {.type = TRANSFORM_PRF, .id = PRF_HMAC_SHA2_256},
			   {.type = TRANSFORM_KE, .id = KE_X25519}},
	};

	payload_sa_encode(b, &(struct proposal_list){.n = 1, .v = &proposal});
}

static size_t make_request(struct flood *flood, uint8_t *buf, size_t cap)
{
	const struct ike_header hdr = {
	    .spi_i = chance(flood), .exchange = IKE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
	struct ike_builder b = ike_builder_message(buf, cap, &hdr);
	uint8_t octets[KE_LEN];

	encode_sa(&b);
	payload_ke_encode(&b, KE_X25519, random_octets(flood, octets, KE_LEN));
	payload_nonce_encode(&b, random_octets(flood, octets, NONCE_LEN));
	return ike_builder_finish(&b);
}

/* IPv4 and UDP headers in front; the kernel makes the IP checksum, and UDP needs none (RFC 768). */
static size_t make_packet(struct flood *flood, uint8_t *buf, size_t cap)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&flood->job->addr;
	size_t len = make_request(flood, buf + IP_LEN + UDP_LEN, cap - IP_LEN - UDP_LEN);
	struct writer w = wr_init(buf, IP_LEN + UDP_LEN);

	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)(IP_LEN + UDP_LEN + len));
	wr_u32(&w, 0);
	wr_u16(&w, TTL << 8 | IPPROTO_UDP);
	wr_u16(&w, 0);
	wr_u32(&w, 10u << 24 | (uint32_t)(chance(flood) & 0xffffff));
	wr_bytes(&w, &to->sin_addr, 4);
	wr_u16(&w, PORT);
	wr_u16(&w, PORT);
	wr_u16(&w, (uint16_t)(UDP_LEN + len));
	wr_u16(&w, 0);
	return IP_LEN + UDP_LEN + len;
}

static bool goes_on(const struct stream_job *job, uint64_t sent)
{
	return job->spec.count ? sent < job->spec.count : !atomic_load(&job->shared->stop);
}

bool stream_flood_send(const struct stream_job *job)
{
	struct flood flood = {.job = job, .state = job->spec.seed * 2 + 1};
	struct stream_pace pace = {.rate = job->spec.rate};
	uint8_t packet[PACKET_MAX];
	uint64_t sent;
	size_t len;

	flood.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (flood.fd < 0)
		return stream_fail(job, STREAM_SENDER, "raw socket: %s", strerror(errno));
	for (sent = 0; goes_on(job, sent); sent++) {
		len = make_packet(&flood, packet, sizeof(packet));
		if (sendto(flood.fd, packet, len, 0, (const struct sockaddr *)&job->addr,
			   job->addr_len) < 0 &&
		    errno != ENOBUFS)
			return stream_fail(job, STREAM_SENDER, "request %llu: %s",
					   (unsigned long long)sent, strerror(errno));
		atomic_store(&job->shared->sent, sent + 1);
		stream_pace_wait(&pace, len);
	}
	atomic_store(&job->shared->sent_all, true);
	return true;
}
