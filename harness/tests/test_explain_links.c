/* test_explain_links.c - the same packets behind every link header that people's captures have, and
 * in pcapng: the findings are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/explain/findings.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define ETHER_LEN 14
#define FRAME_MAX 2048

/* What stands in front of the IP header; ethertype 08 00 at the end of it, or where `type` says. */
static const struct link {
	const char *name;
	int dlt;
	uint8_t header[24];
	size_t len;
} links[] = {
    {"Ethernet", 1, {[12] = 8}, 14},
    {"VLAN (802.1Q)", 1, {[12] = 0x81, 0, 0, 7, 8, 0}, 18},
    {"two tags (802.1ad)", 1, {[12] = 0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0}, 22},
    {"raw IP", 101, {0}, 0},
    {"IPv4", 228, {0}, 0},
    {"Linux cooked", 113, {[3] = 1, [5] = 6, [14] = 8}, 16},
    {"Linux cooked, VLAN", 113, {[3] = 1, [5] = 6, [14] = 0x81, 0, 0, 7, 8, 0}, 20},
    {"Linux cooked v2", 276, {8, 0, [7] = 2, [9] = 1, [11] = 6}, 20},
};

static const struct {
	const char *capture, *first; /* "": nothing */
} captures[] = {
    {"explain/F06/isp-lab-gw.pcap", "F06"},
    {"explain/F11/isp-lab-gw.pcap", "F11"}, /* fragments of IP */
    {"explain/MAP-proposal/vps-inet.pcap", "MAP-proposal"},
    {"explain/healthy-strongswan/vps-inet.pcap", ""},
};

static const char *pcaps_path(const char *name, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s/%s", getenv("PCAPS"), name);
	return buf;
}

static pcap_t *open_reference(const char *name)
{
	char path[1024], error[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline(pcaps_path(name, path, sizeof(path)), error);

	assert_non_null(in);
	assert_int_equal(pcap_datalink(in), 1);
	return in;
}

/* The frame without its Ethernet header, behind that of the link; false: it is no IPv4. */
static bool relink(const struct link *link, const u_char *frame, const struct pcap_pkthdr *h,
		   uint8_t out[FRAME_MAX], size_t *ret_len)
{
	if (h->caplen < ETHER_LEN || frame[12] != 8 || frame[13] != 0)
		return false;
	assert_in_range(h->caplen, 0, FRAME_MAX - sizeof(link->header));
	memcpy(out, link->header, link->len);
	memcpy(out + link->len, frame + ETHER_LEN, h->caplen - ETHER_LEN);
	*ret_len = link->len + h->caplen - ETHER_LEN;
	return true;
}

static void put32(FILE *out, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put16(FILE *out, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

/* --- pcap --- */

static void write_pcap_header(FILE *out, const struct link *link)
{
	put32(out, 0xa1b2c3d4);
	put16(out, 2);
	put16(out, 4);
	put32(out, 0);
	put32(out, 0);
	put32(out, 65535);
	put32(out, (uint32_t)link->dlt);
}

static void write_pcap_frame(FILE *out, const struct pcap_pkthdr *h, const uint8_t *octets,
			     size_t len)
{
	put32(out, (uint32_t)h->ts.tv_sec);
	put32(out, (uint32_t)h->ts.tv_usec);
	put32(out, (uint32_t)len);
	put32(out, (uint32_t)len);
	fwrite(octets, 1, len, out);
}

/* --- pcapng: section header, interface description, enhanced packets --- */

static void write_pcapng_header(FILE *out, const struct link *link)
{
	put32(out, 0x0a0d0d0a);
	put32(out, 28);
	put32(out, 0x1a2b3c4d);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX);
	put32(out, UINT32_MAX);
	put32(out, 28);
	put32(out, 1);
	put32(out, 20);
	put16(out, (uint16_t)link->dlt);
	put16(out, 0);
	put32(out, 65535);
	put32(out, 20);
}

static void write_pcapng_frame(FILE *out, const struct pcap_pkthdr *h, const uint8_t *octets,
			       size_t len)
{
	uint64_t us = (uint64_t)h->ts.tv_sec * 1000000 + (uint64_t)h->ts.tv_usec;
	uint32_t padded = (uint32_t)(len + 3) & ~3u;

	put32(out, 6);
	put32(out, 32 + padded);
	put32(out, 0);
	put32(out, (uint32_t)(us >> 32));
	put32(out, (uint32_t)us);
	put32(out, (uint32_t)len);
	put32(out, (uint32_t)len);
	fwrite(octets, 1, len, out);
	fwrite("\0\0\0", 1, padded - len, out);
	put32(out, 32 + padded);
}

static const struct format {
	const char *name;
	void (*header)(FILE *out, const struct link *link);
	void (*frame)(FILE *out, const struct pcap_pkthdr *h, const uint8_t *octets, size_t len);
} formats[] = {{"pcap", write_pcap_header, write_pcap_frame},
	       {"pcapng", write_pcapng_header, write_pcapng_frame}};

static void convert(const char *capture, const struct format *format, const struct link *link,
		    FILE *out)
{
	pcap_t *in = open_reference(capture);
	struct pcap_pkthdr *h;
	uint8_t octets[FRAME_MAX];
	const u_char *frame;
	unsigned written = 0;
	size_t len;

	format->header(out, link);
	while (pcap_next_ex(in, &h, &frame) == 1) {
		if (!relink(link, frame, h, octets, &len))
			continue;
		format->frame(out, h, octets, len);
		written++;
	}
	assert_true(written > 0);
	pcap_close(in);
}

static void expect(const char *path, const char *what, const char *first)
{
	char copy[64], *paths[] = {copy};
	struct err_msg msg = {{0}};
	struct findings f;
	struct survey s;

	snprintf(copy, sizeof(copy), "%s", path);
	if (survey_read(paths, 1, NULL, &s, &msg))
		fail_msg("%s: %s", what, msg.text);
	assert_true(s.places[0].ip > 0);
	assert_int_equal(findings_find(&s, &f), 0);
	if (strcmp(f.n ? f.v[0].rule->id : "", first) != 0)
		fail_msg("%s: %s in place of '%s'", what, f.n ? f.v[0].rule->id : "nothing", first);
	findings_free(&f);
	survey_free(&s);
}

static void try_one(const char *capture, const char *first, const struct format *format,
		    const struct link *link)
{
	char path[] = "/tmp/beetlab-link-XXXXXX", what[256];
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	convert(capture, format, link, out);
	assert_int_equal(fclose(out), 0);
	snprintf(what, sizeof(what), "%s as %s over %s", capture, format->name, link->name);
	expect(path, what, first);
	unlink(path);
}

static void every_link_type_gives_the_same_finding(void **state)
{
	size_t i, k, m;

	(void)state;
	for (i = 0; i < COUNT(captures); i++)
		for (k = 0; k < COUNT(formats); k++)
			for (m = 0; m < COUNT(links); m++)
				try_one(captures[i].capture, captures[i].first, &formats[k],
					&links[m]);
}

static void an_unknown_link_type_is_told(void **state)
{
	const struct link odd = {"IEEE 802.15.4", 195, {0}, 0};
	char path[] = "/tmp/beetlab-link-XXXXXX", *paths[] = {path};
	struct err_msg msg = {{0}};
	FILE *out = fdopen(mkstemp(path), "w");
	struct survey s;

	(void)state;
	assert_non_null(out);
	convert(captures[0].capture, &formats[0], &odd, out);
	fclose(out);
	assert_true(survey_read(paths, 1, NULL, &s, &msg) < 0);
	assert_non_null(strstr(msg.text, path));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_link_type_gives_the_same_finding),
	    cmocka_unit_test(an_unknown_link_type_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
