/* stream.c - reads a capture frame by frame and tells what kind of packet each is, from its headers
 * alone. What this file allocates does not depend on the length of the capture.
 *
 * Ports 500 and 4500 on either side make a datagram ours (RFC 7296 §2.23, RFC 3948 §2). A frame
 * that the capture has cut short is still told by its headers, as far as they reach; its body is
 * then not to be opened. */
#include "harness/explain/stream.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/dissect/link.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/natt.h"
#include "vpn/wire/packet/octets.h"

#define UDP_HDR_LEN   8
#define IP_PACKET_MAX (65535 + IPV6_HDR_LEN)

enum icmp6_link {
	ICMP6_MLD_FIRST = 130,
	ICMP6_MLD_LAST = 132,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_REDIRECT = 137,
	ICMP6_MLDV2 = 143
};

static enum packet_kind kind_on_natt(struct packet *p, struct view payload)
{
	p->body = payload;
	switch (natt_classify(payload.p, payload.len)) {
	case NATT_KEEP_ALIVE:
		return PACKET_KEEPALIVE;
	case NATT_IKE:
		return PACKET_IKE;
	case NATT_ESP:
		p->encap = true;
		return PACKET_ESP;
	default:
		return PACKET_OTHER;
	}
}

static enum packet_kind kind_of_udp(struct packet *p)
{
	struct reader r = rd_at(p->ip.p, p->ip.len, p->info.l4_off);
	uint16_t src = rd_u16(&r), dst = rd_u16(&r), len = rd_u16(&r);
	struct view payload;

	rd_u16(&r);
	if (src != IKE_PORT && dst != IKE_PORT && src != IKE_NATT_PORT && dst != IKE_NATT_PORT)
		return PACKET_OTHER;
	if (!p->cut && (len < UDP_HDR_LEN || (size_t)len - UDP_HDR_LEN > rd_left(&r)))
		return PACKET_IKE; /* the dissector says what is wrong with it */
	payload = p->cut ? rd_rest(&r) : rd_view(&r, (size_t)len - UDP_HDR_LEN);
	if (src == IKE_NATT_PORT || dst == IKE_NATT_PORT)
		return kind_on_natt(p, payload);
	return PACKET_IKE;
}

static bool is_link_talk(const struct packet *p)
{
	struct reader r = rd_at(p->ip.p, p->ip.len, p->info.l4_off);
	uint8_t type = rd_u8(&r);

	return p->info.proto == IP_PROTO_ICMP6 &&
	       ((type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT) ||
		(type >= ICMP6_MLD_FIRST && type <= ICMP6_MLD_LAST) || type == ICMP6_MLDV2);
}

static enum packet_kind kind_of(struct packet *p)
{
	struct reader r = rd_at(p->ip.p, p->ip.len, p->info.l4_off);

	p->src = (struct endpoint){p->info.sel.src, 0};
	p->dst = (struct endpoint){p->info.sel.dst, 0};
	if (p->info.fragment)
		return PACKET_FRAGMENT;
	if (ip_is_icmp_error(p->ip.p, p->ip.len, &p->info))
		return PACKET_ICMP_ERROR;
	if (is_link_talk(p))
		return PACKET_LINK;
	if (p->info.proto == IP_PROTO_ESP) {
		p->body = rd_rest(&r);
		return PACKET_ESP;
	}
	p->src.port = p->info.sel.src_port;
	p->dst.port = p->info.sel.dst_port;
	return p->info.proto == IP_PROTO_UDP ? kind_of_udp(p) : PACKET_OTHER;
}

/* A cut frame is parsed as if the rest were there, and were zero: the length field counts. */
static bool parse_cut(struct packet *p, struct view ip)
{
	uint8_t whole[IP_PACKET_MAX] = {0};

	if (ip.len > sizeof(whole))
		return false;
	memcpy(whole, ip.p, ip.len);
	if (ip_parse(whole, sizeof(whole), &p->info) || p->info.l4_off > ip.len)
		return false;
	p->ip = ip;
	return true;
}

static bool parse_ip(struct packet *p, struct view ip)
{
	if (ip_parse(ip.p, ip.len, &p->info))
		return p->cut && parse_cut(p, ip);
	p->ip = (struct view){ip.p, p->info.total_len};
	return true;
}

static void read_packet(struct packet *p, int linktype)
{
	size_t at = link_ip_offset(linktype, p->octets);
	struct view ip = {p->octets.p + at, p->octets.len - at};

	p->kind = PACKET_NOT_IP;
	if (ip.len && parse_ip(p, ip))
		p->kind = kind_of(p);
}

static int read_frames(pcap_t *pcap, packet_fn *fn, void *arg, struct stream_end *end)
{
	struct pcap_pkthdr *hdr;
	const u_char *data;
	int got, err = 0;

	while (!err && (got = pcap_next_ex(pcap, &hdr, &data)) == 1) {
		struct packet p = {.number = ++end->frames,
				   .time_us = (uint64_t)hdr->ts.tv_sec * 1000000 +
					      (uint64_t)hdr->ts.tv_usec,
				   .octets = {data, hdr->caplen},
				   .wire_len = hdr->len > hdr->caplen ? hdr->len : hdr->caplen,
				   .cut = hdr->len > hdr->caplen};

		read_packet(&p, end->linktype);
		err = fn(arg, &p);
	}
	if (!err && got == PCAP_ERROR)
		snprintf(end->broken, sizeof(end->broken), "frame %u: %s", end->frames + 1,
			 pcap_geterr(pcap));
	return err;
}

static int read_pcap(const char *path, pcap_t *pcap, packet_fn *fn, void *arg,
		     struct stream_end *ret_end, struct err_msg *msg)
{
	struct stream_end end = {.linktype = pcap_datalink(pcap)};
	const char *name = pcap_datalink_val_to_name(end.linktype);
	int err;

	if (!link_is_known(end.linktype))
		return err_set(msg, ERR_UNSUPPORTED, "%s: link type %d (%s) is not read", path,
			       end.linktype, name ? name : "unknown");
	err = read_frames(pcap, fn, arg, &end);
	if (err)
		return err_set(msg, err, "%s: frame %u: %s", path, end.frames, err_text(err));
	*ret_end = end;
	return 0;
}

/* What somebody has given in place of a capture, by its first octets; NULL: a capture, perhaps. */
static const char *other_kind(FILE *file)
{
	char head[4096];
	size_t len = fread(head, 1, sizeof(head) - 1, file);

	rewind(file);
	head[len] = 0;
	if (!len)
		return "is empty";
	if (len > 1 && !memcmp(head, "\x1f\x8b", 2))
		return "is compressed: gunzip it first";
	if (len > 3 && (!memcmp(head, "\x28\xb5\x2f\xfd", 4) || !memcmp(head,
									"\xfd"
									"7zX",
									4)))
		return "is compressed: decompress it first";
	if (strlen(head) == len && (strstr(head, "connections") || strstr(head, "secrets")) &&
	    strchr(head, '{'))
		return "is no capture but a swanctl.conf: give it with --config";
	return NULL;
}

static int open_capture(const char *path, FILE **ret_file, struct err_msg *msg)
{
	const char *other;
	struct stat st;
	FILE *file;

	if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
		return err_set(msg, ERR_IO, "%s: must be a regular file, it is read twice", path);
	file = fopen(path, "re");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	other = other_kind(file);
	if (other) {
		fclose(file);
		return err_set(msg, ERR_SYNTAX, "%s: %s", path, other);
	}
	*ret_file = file;
	return 0;
}

int stream_read(const char *path, packet_fn *fn, void *arg, struct stream_end *ret_end,
		struct err_msg *msg)
{
	char what[PCAP_ERRBUF_SIZE];
	FILE *file = NULL;
	pcap_t *pcap;
	int err = open_capture(path, &file, msg);

	if (err)
		return err;
	pcap = pcap_fopen_offline(file, what);
	if (!pcap) {
		fclose(file);
		return err_set(msg, ERR_SYNTAX, "%s: no capture: %s", path, what);
	}
	err = read_pcap(path, pcap, fn, arg, ret_end, msg);
	pcap_close(pcap);
	return err;
}
