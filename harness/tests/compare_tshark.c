/* compare_tshark.c - our decoding of every reference capture against tshark's, field by field.
 *
 * As captured: SPIs, exchange, message ID, payloads, notifies; ESP's SPI and number. Decrypted by
 * us: the same of what `beetlab decrypt` writes, payloads in the place of SK, inner packets in that
 * of ESP, checksums right, nothing malformed. By tshark, given the keys, for the ciphers that its
 * tables know: payloads inside SK, inner addresses.
 *
 * tshark's answer is one line a frame; ours is formatted in the same way and must be the same text.
 * The directories are those of $PCAPS but explain/, or those of $PCAPS/explain with the argument
 * "explain": there are many. Exits 77 where there is no tshark. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/captures.h"
#include "harness/dissect/rewrite.h"
#include "vpn/base/hex.h"
#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/cipher.h"
#include "vpn/wire/packet/octets.h"
#include "vpn/wire/payload.h"

#define LINE_MAX_LEN 8192
#define PATH_LEN     1024

enum column {
	COL_FRAME,
	COL_SPI_I,
	COL_SPI_R,
	COL_EXCHANGE,
	COL_ID,
	COL_PAYLOADS,
	COL_NOTIFIES,
	COL_ESP_SPI,
	COL_ESP_SEQ,
	COL_V4_SRC,
	COL_V4_DST,
	COL_V4_PROTO,
	COL_V4_LEN,
	COL_V6_SRC,
	COL_V6_DST,
	COL_V6_LEN,
	COL_TCP_SRC,
	COL_TCP_DST,
	COL_TCP_SEQ,
	COL_UDP_CHECK,
	COL_IP_CHECK,
	COL_MALFORMED,
	COLUMNS
};

static const char *const fields[COLUMNS] = {
    "frame.number",
    "isakmp.ispi",
    "isakmp.rspi",
    "isakmp.exchangetype",
    "isakmp.messageid",
    "isakmp.typepayload",
    "isakmp.notify.msgtype",
    "esp.spi",
    "esp.sequence",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ip.len",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.plen",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "udp.checksum.status",
    "ip.checksum.status",
    "_ws.malformed",
};

struct row {
	char text[COLUMNS][512];
};

struct comparison {
	const char *name; /* of the capture, for messages */
	const struct facts *f;
	bool decrypted; /* tshark reads what we have written */
	unsigned compared, wrong;
};

typedef void row_fn(struct comparison *c, const struct row *row);

static bool split_line(char *line, struct row *row)
{
	char *at = line, *end;
	int i;

	line[strcspn(line, "\n")] = '\0';
	for (i = 0; i < COLUMNS; i++) {
		end = strchr(at, '|');
		if (!end != (i == COLUMNS - 1))
			return false;
		snprintf(row->text[i], sizeof(row->text[i]), "%.*s",
			 end ? (int)(end - at) : (int)strlen(at), at);
		at = end ? end + 1 : at;
	}
	return true;
}

/* A NAT box may map IKE to any port, so to one that tshark takes for another protocol's. */
static int add_ports(const struct comparison *c, char *buf, size_t cap)
{
	size_t i, len = 0;

	for (i = 0; i < c->f->n_frames && len < cap; i++) {
		const struct fact_frame *f = &c->f->frames[i];
		uint16_t known = f->src.port < f->dst.port ? f->src.port : f->dst.port;
		char option[64];

		if (f->kind != FRAME_IKE || known == IKE_PORT || known == IKE_NATT_PORT)
			continue;
		snprintf(option, sizeof(option), " -d udp.port==%u,%s", known,
			 c->f->ike[f->index].marker ? "udpencap" : "isakmp");
		if (len == 0 || !strstr(buf, option))
			len += (size_t)snprintf(buf + len, cap - len, "%s", option);
	}
	return (int)len;
}

/* config: a directory with tables of keys, or one without. */
static void run_tshark(struct comparison *c, const char *path, const char *config, row_fn *fn)
{
	char command[4096], line[LINE_MAX_LEN];
	struct row row;
	FILE *out;
	int i, len;

	len = snprintf(command, sizeof(command),
		       "WIRESHARK_CONFIG_DIR='%s' tshark -n -r '%s' -o udp.check_checksum:TRUE "
		       "-o ip.check_checksum:TRUE -T fields -E separator='|' -E aggregator=, "
		       "-E occurrence=a",
		       config, path);
	len += add_ports(c, command + len, sizeof(command) - (size_t)len);
	for (i = 0; i < COLUMNS; i++)
		len += snprintf(command + len, sizeof(command) - (size_t)len, " -e %s", fields[i]);
	snprintf(command + len, sizeof(command) - (size_t)len, " 2>/dev/null");
	out = popen(command, "r");
	if (!out) {
		perror("tshark");
		exit(EXIT_FAILURE);
	}
	while (fgets(line, sizeof(line), out))
		if (split_line(line, &row))
			fn(c, &row);
	if (pclose(out) != 0) {
		fprintf(stderr, "%s: tshark failed\n", path);
		exit(EXIT_FAILURE);
	}
}

static void expect(struct comparison *c, const struct row *row, enum column col, const char *want)
{
	c->compared++;
	if (strcmp(row->text[col], want) == 0)
		return;
	c->wrong++;
	fprintf(stderr, "%s frame %s: %s: tshark says '%s', we say '%s'\n", c->name,
		row->text[COL_FRAME], fields[col], row->text[col], want);
}

static void expect_number(struct comparison *c, const struct row *row, enum column col,
			  const char *fmt, unsigned long long value)
{
	char want[32];

	if (strcmp(fmt, "x16") == 0)
		snprintf(want, sizeof(want), "%016llx", value);
	else if (strcmp(fmt, "x8") == 0)
		snprintf(want, sizeof(want), "0x%08llx", value);
	else
		snprintf(want, sizeof(want), "%llu", value);
	expect(c, row, col, want);
}

/* tshark counts proposals and transforms among the payloads (RFC 2408 gave them types 2 and 3). */
static void drop_nested(char *list)
{
	char copy[512], *save = NULL, *item;
	size_t len = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	list[0] = '\0';
	for (item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save))
		if (strcmp(item, "2") != 0 && strcmp(item, "3") != 0)
			len += (size_t)sprintf(list + len, "%s%s", len ? "," : "", item);
}

static void first_only(char *list)
{
	list[strcspn(list, ",")] = '\0';
}

static void add_payloads(const struct ike_payloads *p, bool without_sk, char *types, char *notifies)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; p && i < p->n; i++) {
		uint8_t type = p->v[i].type;

		if (without_sk && (type == PAYLOAD_SK || type == PAYLOAD_SKF))
			continue;
		sprintf(types + strlen(types), "%s%u", types[0] ? "," : "", type);
		if (type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n))
			sprintf(notifies + strlen(notifies), "%s%u", notifies[0] ? "," : "",
				n.type);
	}
}

static void compare_ike(struct comparison *c, struct row *row, const struct ike_msg *m, bool opened)
{
	char types[512] = "", notifies[512] = "";
	bool whole = c->decrypted && m->inner;

	expect_number(c, row, COL_SPI_I, "x16", m->hdr.spi_i);
	expect_number(c, row, COL_SPI_R, "x16", m->hdr.spi_r);
	expect_number(c, row, COL_EXCHANGE, "", m->hdr.exchange);
	expect_number(c, row, COL_ID, "x8", m->hdr.message_id);
	add_payloads(m->outer, whole, types, notifies);
	if (whole || opened)
		add_payloads(m->inner, false, types, notifies);
	drop_nested(row->text[COL_PAYLOADS]);
	expect(c, row, COL_PAYLOADS, types);
	expect(c, row, COL_NOTIFIES, notifies);
}

static void compare_v4(struct comparison *c, const struct row *row, const struct ip_info *ip)
{
	char text[IP_ADDR_STRLEN];

	expect(c, row, COL_V4_SRC, ip_addr_format(&ip->sel.src, text, sizeof(text)));
	expect(c, row, COL_V4_DST, ip_addr_format(&ip->sel.dst, text, sizeof(text)));
	expect_number(c, row, COL_V4_PROTO, "", ip->first_proto);
	expect_number(c, row, COL_V4_LEN, "", ip->total_len);
}

static void compare_v6(struct comparison *c, const struct row *row, const struct ip_info *ip)
{
	char text[IP_ADDR_STRLEN];

	expect(c, row, COL_V6_SRC, ip_addr_format(&ip->sel.src, text, sizeof(text)));
	expect(c, row, COL_V6_DST, ip_addr_format(&ip->sel.dst, text, sizeof(text)));
	expect_number(c, row, COL_V6_LEN, "", ip->total_len - IPV6_HDR_LEN);
}

static void compare_inner(struct comparison *c, struct row *row, const struct esp_fact *e)
{
	int col;

	for (col = COL_V4_SRC; col <= COL_TCP_SEQ; col++)
		first_only(row->text[col]);
	if (e->in.version == 4)
		compare_v4(c, row, &e->in);
	else
		compare_v6(c, row, &e->in);
	if (e->in.proto != IP_PROTO_TCP)
		return;
	expect_number(c, row, COL_TCP_SRC, "", e->in.sel.src_port);
	expect_number(c, row, COL_TCP_DST, "", e->in.sel.dst_port);
	expect_number(c, row, COL_TCP_SEQ, "", get_u32(e->inner.p, e->inner.len, e->in.l4_off + 4));
}

static const struct fact_frame *frame_of(const struct comparison *c, const struct row *row)
{
	unsigned long number = strtoul(row->text[COL_FRAME], NULL, 10);
	size_t i;

	for (i = 0; i < c->f->n_frames; i++)
		if (c->f->frames[i].number == number)
			return &c->f->frames[i];
	fprintf(stderr, "%s: tshark has a frame %lu that we have not\n", c->name, number);
	exit(EXIT_FAILURE);
}

static void compare_captured(struct comparison *c, const struct row *given)
{
	const struct fact_frame *frame = frame_of(c, given);
	struct row row = *given;

	if (frame->kind == FRAME_IKE) {
		compare_ike(c, &row, &c->f->ike[frame->index], false);
	} else if (frame->kind == FRAME_ESP) {
		expect_number(c, &row, COL_ESP_SPI, "x8", c->f->esp[frame->index].spi);
		expect_number(c, &row, COL_ESP_SEQ, "", c->f->esp[frame->index].seq);
	} else if (frame->kind != FRAME_ICMP_ERROR) { /* which quotes what it is about */
		expect(c, &row, COL_SPI_I, "");
		expect(c, &row, COL_ESP_SPI, "");
	}
}

/* 1 is tshark's "good"; with several headers in a frame, each must be. */
static void expect_good(struct comparison *c, const struct row *row, enum column col)
{
	c->compared++;
	if (row->text[col][strspn(row->text[col], "1,")] == '\0')
		return;
	c->wrong++;
	fprintf(stderr, "%s frame %s: %s is %s\n", c->name, row->text[COL_FRAME], fields[col],
		row->text[col]);
}

static void compare_decrypted(struct comparison *c, const struct row *given)
{
	const struct fact_frame *frame = frame_of(c, given);
	struct row row = *given;

	if (frame->kind == FRAME_IKE) {
		compare_ike(c, &row, &c->f->ike[frame->index], false);
		if (c->f->ike[frame->index].inner)
			expect_good(c, &row, COL_UDP_CHECK);
	} else if (frame->kind == FRAME_ESP && c->f->esp[frame->index].inner.len) {
		compare_inner(c, &row, &c->f->esp[frame->index]);
		expect_good(c, &row, COL_IP_CHECK);
		expect(c, &row, COL_ESP_SPI, "");
	}
	expect(c, &row, COL_MALFORMED, "");
}

/* The inner header is the second one that tshark shows. */
static void compare_own(struct comparison *c, const struct row *given)
{
	const struct fact_frame *frame = frame_of(c, given);
	const struct esp_fact *e;
	struct row row = *given;
	int col;

	if (frame->kind == FRAME_IKE) {
		compare_ike(c, &row, &c->f->ike[frame->index], true);
		return;
	}
	if (frame->kind != FRAME_ESP)
		return;
	e = &c->f->esp[frame->index];
	if (!e->inner.len || e->wire_mode != IPSEC_TUNNEL) /* tshark puts no IP header back */
		return;
	for (col = COL_V4_SRC; col <= COL_V6_LEN; col++) {
		char *comma = strchr(row.text[col], ',');

		if (comma && e->in.version == frame->ip.version)
			memmove(row.text[col], comma + 1, strlen(comma));
	}
	compare_inner(c, &row, e);
}

/* Wireshark's names of the ciphers that its two tables know. */
static const char *ike_encr_name(const struct ike_suite *s)
{
	if (s->encr == ENCR_AES_GCM_16)
		return s->encr_bits == 256 ? "AES-GCM-256 with 16 octet ICV [RFC5282]"
					   : "AES-GCM-128 with 16 octet ICV [RFC5282]";
	if (s->encr == ENCR_AES_CBC)
		return s->encr_bits == 256 ? "AES-CBC-256 [RFC3602]" : "AES-CBC-128 [RFC3602]";
	return NULL;
}

static const char *ike_integ_name(uint16_t integ)
{
	return integ == INTEG_HMAC_SHA2_256_128	  ? "HMAC_SHA2_256_128 [RFC4868]"
	       : integ == INTEG_HMAC_SHA2_384_192 ? "HMAC_SHA2_384_192 [RFC4868]"
	       : integ == INTEG_HMAC_SHA2_512_256 ? "HMAC_SHA2_512_256 [RFC4868]"
						  : "NONE [RFC4306]";
}

static const char *esp_integ_name(uint16_t integ)
{
	return integ == INTEG_HMAC_SHA2_256_128	  ? "HMAC-SHA-256-128 [RFC4868]"
	       : integ == INTEG_HMAC_SHA2_384_192 ? "HMAC-SHA-384-192 [RFC4868]"
	       : integ == INTEG_HMAC_SHA2_512_256 ? "HMAC-SHA-512-256 [RFC4868]"
						  : "NULL";
}

static const char *hex(const uint8_t *p, size_t len, char buf[2 * IPSEC_KEY_MAX + 1])
{
	return hex_format(p, len, buf, 2 * IPSEC_KEY_MAX + 1);
}

/* False if there is an IKE SA that tshark cannot open. */
static bool write_ike_table(FILE *out, const struct facts *f)
{
	char a[2 * IPSEC_KEY_MAX + 1], b[2 * IPSEC_KEY_MAX + 1];
	char d[2 * IPSEC_KEY_MAX + 1], e[2 * IPSEC_KEY_MAX + 1];
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++) {
		const struct ike_sa_fact *sa = &f->ike_sas[i];
		const char *encr = ike_encr_name(&sa->suite);
		const struct ike_key *k;

		if (!encr || sa->key == FACT_NONE)
			return false;
		k = &f->keys.ike[sa->key];
		fprintf(out, "%016llx,%016llx,%s,%s,\"%s\",%s,%s,\"%s\"\n",
			(unsigned long long)sa->spi_i, (unsigned long long)sa->spi_r,
			hex(k->ei.b, k->ei.len, a), hex(k->er.b, k->er.len, b), encr,
			hex(k->ai.b, k->ai.len, d), hex(k->ar.b, k->ar.len, e),
			ike_integ_name(sa->suite.integ));
	}
	return f->n_ike_sas > 0;
}

static void write_esp_table(FILE *out, const struct facts *f)
{
	char a[2 * IPSEC_KEY_MAX + 1], b[2 * IPSEC_KEY_MAX + 1];
	struct cipher_info info;
	int version;
	size_t i;

	for (i = 0; i < f->keys.n_esp; i++) {
		const struct esp_key *k = &f->keys.esp[i];
		bool aead = alg_is_aead(k->alg.encr);

		if (!k->spi || !k->have_alg ||
		    cipher_describe(k->alg.encr, k->alg.encr_bits, k->alg.integ, &info))
			continue;
		hex(k->key, info.encr_key_len, a);
		hex(k->key + info.encr_key_len, info.integ_key_len, b);
		for (version = 4; version <= 6; version += 2)
			fprintf(out,
				"\"IPv%d\",\"*\",\"*\",\"0x%08x\",\"%s\",\"0x%s\",\"%s\","
				"\"%s%s\"\n",
				version, k->spi,
				aead ? "AES-GCM with 16 octet ICV [RFC4106]" : "AES-CBC [RFC3602]",
				a, esp_integ_name(k->alg.integ), aead ? "" : "0x", b);
	}
}

static FILE *create(const char *dir, const char *name)
{
	char path[PATH_LEN];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return file;
}

/* A profile with the keys; false if tshark's tables cannot hold them. */
static bool write_profile(const char *dir, const struct facts *f)
{
	FILE *file = create(dir, "ikev2_decryption_table");
	bool known = write_ike_table(file, f);

	fclose(file);
	file = create(dir, "esp_sa");
	if (known)
		write_esp_table(file, f);
	fclose(file);
	file = create(dir, "preferences");
	fprintf(file, "esp.enable_encryption_decode: TRUE\n");
	fclose(file);
	return known;
}

struct scratch {
	char dir[64], empty[80], profile[80], decrypted[80];
};

static void open_scratch(struct scratch *s)
{
	strcpy(s->dir, "/tmp/beetlab-tshark-XXXXXX");
	if (!mkdtemp(s->dir)) {
		perror(s->dir);
		exit(EXIT_FAILURE);
	}
	snprintf(s->empty, sizeof(s->empty), "%s/empty", s->dir);
	snprintf(s->profile, sizeof(s->profile), "%s/profile", s->dir);
	snprintf(s->decrypted, sizeof(s->decrypted), "%s/decrypted.pcapng", s->dir);
	if (mkdir(s->empty, 0700) < 0 || mkdir(s->profile, 0700) < 0) {
		perror(s->dir);
		exit(EXIT_FAILURE);
	}
}

static void remove_in(const char *dir, const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void close_scratch(struct scratch *s)
{
	static const char *const names[] = {"ikev2_decryption_table", "esp_sa", "preferences"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove_in(s->profile, names[i]);
	unlink(s->decrypted);
	rmdir(s->profile);
	rmdir(s->empty);
	if (rmdir(s->dir) < 0)
		perror(s->dir);
}

static void write_decrypted(const struct facts *f, const char *path)
{
	struct rewrite_counts counts;
	FILE *file = fopen(path, "we");

	if (!file || rewrite_capture(f, file, &counts) || fclose(file)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void report(const struct comparison *c, const char *what)
{
	printf("%-36s %-10s %6u fields, %u differ\n", c->name, what, c->compared, c->wrong);
}

static unsigned compare_capture(const char *name, char *path, const char *keys,
				const struct scratch *s, unsigned *by_tshark)
{
	struct comparison c = {.name = name};
	struct err_msg msg;
	struct facts f;
	unsigned wrong = 0;

	if (captures_read(&path, 1, keys, &f, &msg)) {
		fprintf(stderr, "%s\n", msg.text);
		exit(EXIT_FAILURE);
	}
	c.f = &f;
	run_tshark(&c, path, s->empty, compare_captured);
	report(&c, "captured");
	wrong += c.wrong;
	write_decrypted(&f, s->decrypted);
	c = (struct comparison){.name = name, .f = &f, .decrypted = true};
	run_tshark(&c, s->decrypted, s->empty, compare_decrypted);
	report(&c, "decrypted");
	wrong += c.wrong;
	if (write_profile(s->profile, &f)) {
		c = (struct comparison){.name = name, .f = &f};
		run_tshark(&c, path, s->profile, compare_own);
		report(&c, "by tshark");
		wrong += c.wrong;
		*by_tshark += c.compared;
	}
	facts_free(&f);
	return wrong;
}

static int is_pcap(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".pcap") == 0;
}

static int is_keys(const struct dirent *entry)
{
	return strncmp(entry->d_name, "keys", 4) == 0 || strstr(entry->d_name, ".log");
}

static bool has_keys(const char *dir)
{
	struct dirent **entries;
	int i, n = scandir(dir, &entries, is_keys, NULL);

	for (i = 0; i < n; i++)
		free(entries[i]);
	if (n >= 0)
		free(entries);
	return n > 0;
}

static unsigned compare_directory(const char *base, const char *name, const struct scratch *s,
				  unsigned *by_tshark)
{
	char dir[PATH_LEN / 2], path[PATH_LEN], label[PATH_LEN];
	struct dirent **entries;
	int i, n;
	unsigned wrong = 0;

	snprintf(dir, sizeof(dir), "%s/%s", base, name);
	n = scandir(dir, &entries, is_pcap, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		snprintf(label, sizeof(label), "%s/%s", name, entries[i]->d_name);
		wrong += compare_capture(label, path, has_keys(dir) ? dir : NULL, s, by_tshark);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return wrong;
}

static int is_directory(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
	       strcmp(entry->d_name, "explain") != 0;
}

int main(int argc, char **argv)
{
	const char *pcaps = getenv("PCAPS");
	char base[PATH_LEN / 4];
	struct dirent **dirs;
	struct scratch s;
	unsigned wrong = 0, by_tshark = 0;
	int i, n;

	if (system("tshark --version >/dev/null 2>&1") != 0) {
		printf("SKIP: tshark is not installed\n");
		return 77;
	}
	snprintf(base, sizeof(base), "%s/%s", pcaps ? pcaps : "", argc > 1 ? argv[1] : "");
	n = pcaps ? scandir(base, &dirs, is_directory, alphasort) : -1;
	if (n <= 0) {
		fprintf(stderr, "PCAPS: no reference captures\n");
		return EXIT_FAILURE;
	}
	open_scratch(&s);
	for (i = 0; i < n; i++) {
		wrong += compare_directory(base, dirs[i]->d_name, &s, &by_tshark);
		free(dirs[i]);
	}
	free(dirs);
	close_scratch(&s);
	if (!by_tshark)
		fprintf(stderr, "tshark opened nothing itself\n");
	return wrong || !by_tshark ? EXIT_FAILURE : EXIT_SUCCESS;
}
