/* test_beet_capture.c - our BEET code against a capture of strongSwan 6 on Linux: every ESP packet
 * opens, and what the VPS received is rebuilt to the octets that its XFRM interface showed. */
#include "vpn/tests/esp_fixture.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "vpn/base/hex.h"
#include "vpn/esp/gso.h"

#define ETHERNET_LEN 14
#define UDP_LEN	     8
#define PACKETS_MAX  1024
#define SAS	     10

struct capture {
	struct buffer bufs[PACKETS_MAX];
	struct packet pkts[PACKETS_MAX];
	size_t n;
};

static const char *path(const char *name)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s/../../../pcaps/strongswan6-beet/%s", getenv("TEST_DATA"),
		 name);
	return buf;
}

static struct esp_sa *add_sa(struct sad *sad, const char *spi, const char *key, const char *src,
			     const char *dst)
{
	struct ipsec_sa d = fix_desc(IPSEC_BEET, dst, src);
	struct esp_sa *sa;

	d.inbound = true;
	d.spi = (uint32_t)strtoul(spi, NULL, 16);
	assert_int_equal(hex_parse(key, d.key, sizeof(d.key), &d.key_len), 0);
	assert_int_equal(esp_sa_new(&d, &sa), 0);
	assert_int_equal(sad_add(sad, sa), 0);
	ipsec_sa_clear(&d);
	return sa;
}

static size_t load_keys(struct sad *sad, struct esp_sa *sas[SAS])
{
	char line[256], spi[16], key[80], src[48], dst[48];
	FILE *f = fopen(path("keys.txt"), "r");
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15[0-9a-f] %79s %47s %47s", spi, key, src, dst) != 4)
			continue;
		assert_true(n < SAS);
		sas[n++] = add_sa(sad, spi, key, src, dst);
	}
	fclose(f);
	return n;
}

/* An ESP-in-UDP packet of an Ethernet frame, with what the outer IP header says; false for others.
 */
static bool esp_of_frame(const uint8_t *frame, size_t len, struct buffer *b, struct packet *ret,
			 struct ip_addr *ret_dst)
{
	struct ip_info ip;
	size_t esp_len;

	if (len < ETHERNET_LEN || ip_parse(frame + ETHERNET_LEN, len - ETHERNET_LEN, &ip) ||
	    ip.proto != IP_PROTO_UDP || (ip.sel.src_port != 4500 && ip.sel.dst_port != 4500))
		return false;
	frame += ETHERNET_LEN + ip.l4_off + UDP_LEN;
	esp_len = ip.total_len - ip.l4_off - UDP_LEN;
	if (get_u32(frame, esp_len, 0) == 0 || esp_len < 16)
		return false;
	memcpy(b->octets + PACKET_HEADROOM, frame, esp_len);
	*ret = packet_in(b->octets, sizeof(b->octets), PACKET_HEADROOM, esp_len);
	ret->outer = (struct outer_hdr){ip.tos, ip.ttl, ip.id, ip.frag_off, ip.flow, false};
	*ret_dst = ip.sel.dst;
	return true;
}

/* Opens all ESP packets; those to the VPS are kept in `received`. Returns how many there were. */
static size_t open_outer(struct sad *sad, struct capture *received)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path("outer-vps.pcap"), err);
	struct pcap_pkthdr *hdr;
	const uint8_t *frame;
	struct ip_addr vps, dst;
	size_t n = 0;

	assert_non_null(pcap);
	ip_addr_parse("203.0.113.10", &vps);
	while (pcap_next_ex(pcap, &hdr, &frame) == 1) {
		struct packet *p = &received->pkts[received->n];

		if (!esp_of_frame(frame, hdr->caplen, &received->bufs[received->n], p, &dst))
			continue;
		esp_open(sad, p, 1, 0);
		assert_string_equal(esp_drop_name(p->drop), "none");
		n++;
		if (ip_addr_eq(&dst, &vps))
			received->n++;
		assert_true(received->n < PACKETS_MAX);
	}
	pcap_close(pcap);
	return n;
}

/* How many of the packets from `at` on, put together, are the clear packet; 0 if none. */
static size_t match(const struct capture *c, size_t at, const uint8_t *clear, size_t len)
{
	struct gro_run runs[64];
	size_t next[64], n, i, used;
	uint8_t whole[65536], *to = whole;
	struct gso gso;

	for (n = 1; n <= 45 && at + n <= c->n; n++) {
		if (gro_sort(&c->pkts[at], n, runs, next) != 1)
			return 0;
		used = runs[0].hdr_len + runs[0].payload;
		if (n == 1 && c->pkts[at].len == len)
			return memcmp(c->pkts[at].data, clear, len) == 0;
		if (n == 1 || used != len)
			continue;
		gro_header(&c->pkts[at], &runs[0], whole, &gso);
		to = whole + runs[0].hdr_len;
		for (i = 0; i < n; to += c->pkts[at + i].len - runs[0].hdr_len, i++)
			memcpy(to, c->pkts[at + i].data + runs[0].hdr_len,
			       c->pkts[at + i].len - runs[0].hdr_len);
		return memcmp(whole, clear, len) == 0 ? n : 0;
	}
	return 0;
}

/* Walks the clear capture; each packet that came in must be the next of those that we rebuilt. */
static void compare_clear(const struct capture *received)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path("xfrm1-vps.pcap"), err);
	struct pcap_pkthdr *hdr;
	const uint8_t *clear;
	struct ip_addr own4, own6;
	struct ip_info ip;
	size_t at = 0, n;

	assert_non_null(pcap);
	ip_addr_parse("10.254.0.1", &own4);
	ip_addr_parse("fdc0:beef:1::1", &own6);
	while (pcap_next_ex(pcap, &hdr, &clear) == 1) {
		assert_int_equal(ip_parse(clear, hdr->caplen, &ip), 0);
		if (!ip_addr_eq(&ip.sel.dst, &own4) && !ip_addr_eq(&ip.sel.dst, &own6))
			continue;
		n = match(received, at, clear, ip.total_len);
		if (!n)
			print_error("clear packet of %zu octets differs from rebuilt %zu\n",
				    ip.total_len, at);
		assert_int_not_equal(n, 0);
		at += n;
	}
	pcap_close(pcap);
	assert_int_equal(at, received->n);
}

static void test_every_packet_opens_and_is_rebuilt_as_linux_does_it(void **state)
{
	static struct capture received;
	struct esp_sa *sas[SAS];
	struct sad *sad;
	size_t n;

	(void)state;
	assert_int_equal(sad_new(&sad), 0);
	assert_int_equal(load_keys(sad, sas), SAS);
	n = open_outer(sad, &received);
	assert_int_equal(n, 198);
	compare_clear(&received);
	sad_free(sad);
	for (n = 0; n < SAS; n++)
		esp_sa_free(sas[n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_packet_opens_and_is_rebuilt_as_linux_does_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
