/* certs.c - certificates as swanctl shows them. The daemon sends them whole; what is in them is
 * read here. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vpn/base/hex.h"
#include "vpn/crypto/pki.h"

#define HASH_LEN 20
#define DAY	 86400

static void format_time(const struct cli *cli, int64_t when, char *buf, size_t cap)
{
	time_t t = (time_t)when;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (cli->args.utc)
		gmtime_r(&t, &tm);
	else
		localtime_r(&t, &tm);
	strftime(buf, cap, cli->args.utc ? "%b %d %H:%M:%S UTC %Y" : "%b %d %H:%M:%S %Y", &tm);
}

static void format_hash(const uint8_t *octets, size_t len, char *buf)
{
	size_t i;

	*buf = '\0';
	for (i = 0; i < len; i++)
		buf += sprintf(buf, "%s%02x", i ? ":" : "", octets[i]);
}

static const char *format_id(const struct identity *id, char *buf, size_t cap)
{
	return identity_format(id, buf, cap);
}

static void print_validity(const struct cli *cli, const struct cert *cert)
{
	int64_t now = (int64_t)time(NULL), from = cert_not_before(cert), to = cert_not_after(cert);
	char text[64];

	format_time(cli, from, text, sizeof(text));
	printf("  validity:  not before %s, %s\n", text, from > now ? "not valid yet" : "ok");
	format_time(cli, to, text, sizeof(text));
	if (to < now)
		printf("             not after  %s, expired (%lld days ago)\n", text,
		       (long long)(now - to) / DAY);
	else
		printf("             not after  %s, ok (expires in %lld days)\n", text,
		       (long long)(to - now) / DAY);
}

static void print_sans(const struct cert *cert)
{
	char text[IDENTITY_STRLEN];
	size_t i, n = cert_san_count(cert);

	if (!n)
		return;
	printf("  altNames:  ");
	for (i = 0; i < n; i++)
		printf("%s%s", i ? ", " : "", format_id(cert_san(cert, i), text, sizeof(text)));
	putchar('\n');
}

static void print_key(const struct cert *cert, bool has_privkey)
{
	const struct pubkey *key = cert_pubkey(cert);
	char hash[3 * HASH_LEN + 1];

	printf("  pubkey:    %s %u bits%s\n", key_type_name(pubkey_type(key)), pubkey_bits(key),
	       has_privkey ? ", has private key" : "");
	format_hash(cert_key_hash(cert), HASH_LEN, hash);
	printf("  keyid:     %s\n", hash);
}

static void print_cert(const struct cli *cli, const struct cert *cert, bool has_privkey)
{
	char text[IDENTITY_STRLEN], serial[3 * 64 + 1];
	struct view number = cert_serial(cert);

	printf("\n  subject:  \"%s\"\n", format_id(cert_subject(cert), text, sizeof(text)));
	if (!cli->args.brief)
		printf("  issuer:   \"%s\"\n", format_id(cert_issuer(cert), text, sizeof(text)));
	print_validity(cli, cert);
	if (!cli->args.brief) {
		format_hash(number.p, number.len < 64 ? number.len : 64, serial);
		printf("  serial:    %s\n", serial);
	}
	print_sans(cert);
	printf("  flags:     %s%s\n", cert_is_ca(cert) ? "CA " : "",
	       cert_is_self_signed(cert) ? "self-signed" : "");
	if (!cli->args.brief)
		print_key(cert, has_privkey);
}

static void print_pem(const struct cert *cert)
{
	char *pem;
	size_t len;

	if (cert_to_pem(cert, &pem, &len))
		return;
	fwrite(pem, 1, len, stdout);
	free(pem);
}

static json_t *json_of_cert(const struct cert *cert, bool has_privkey)
{
	const struct pubkey *key = cert_pubkey(cert);
	char subject[IDENTITY_STRLEN], issuer[IDENTITY_STRLEN], san[IDENTITY_STRLEN], *pem;
	json_t *sans = json_array(), *json;
	size_t i, len;

	for (i = 0; i < cert_san_count(cert); i++)
		json_array_append_new(sans,
				      json_string(format_id(cert_san(cert, i), san, sizeof(san))));
	json = json_pack("{s:s, s:s, s:I, s:I, s:o, s:b, s:b, s:s, s:i, s:b}", "subject",
			 format_id(cert_subject(cert), subject, sizeof(subject)), "issuer",
			 format_id(cert_issuer(cert), issuer, sizeof(issuer)), "not_before",
			 (json_int_t)cert_not_before(cert), "not_after",
			 (json_int_t)cert_not_after(cert), "alt_names", sans, "ca",
			 cert_is_ca(cert), "self_signed", cert_is_self_signed(cert), "key_type",
			 key_type_name(pubkey_type(key)), "key_bits", (int)pubkey_bits(key),
			 "has_privkey", has_privkey);
	if (json && !cert_to_pem(cert, &pem, &len)) {
		json_object_set_new(json, "pem", json_stringn(pem, len));
		free(pem);
	}
	return json;
}

struct listing {
	struct cli *cli;
	const char *last_flag;
	json_t *json;
};

static void print_heading(struct listing *l, const char *flag)
{
	bool ca = !strcmp(flag, "CA");

	if (l->last_flag && !strcmp(l->last_flag, ca ? "CA" : "NONE"))
		return;
	l->last_flag = ca ? "CA" : "NONE";
	printf("\nList of X.509 %s Certificates\n", ca ? "CA" : "End Entity");
}

static void on_cert(void *arg, const char *event, const struct vici_node *message)
{
	struct listing *l = arg;
	const struct vici_node *data = vici_find(message, "data");
	bool has_privkey = vici_text(message, "has_privkey") != NULL;
	struct err_msg msg;
	struct cert *cert;

	(void)event;
	if (!data ||
	    cert_load((struct view){(const uint8_t *)data->text, data->len}, &cert, &msg)) {
		fail(EXIT_FAILED, "a certificate of the daemon's cannot be read: %s",
		     data ? msg.text : "no data");
		return;
	}
	if (l->cli->args.json) {
		json_array_append_new(l->json, json_of_cert(cert, has_privkey));
	} else if (l->cli->args.pem) {
		print_pem(cert);
	} else {
		print_heading(l, text_at(message, "flag", "NONE"));
		print_cert(l->cli, cert, has_privkey);
	}
	cert_unref(cert);
}

enum exit_code run_list_certs(struct cli *cli)
{
	struct listing l = {.cli = cli, .json = cli->args.json ? json_array() : NULL};
	struct vici_writer body = {0};
	struct vici_tree reply;
	struct err_msg msg;
	int err;

	put_text(&body, "type", cli->args.type);
	put_text(&body, "flag", cli->args.flag);
	put_text(&body, "subject", cli->args.subject);
	vici_client_on_event(cli->client, on_cert, &l);
	err = vici_client_stream(cli->client, "list-certs", "list-cert", &body, &reply, &msg);
	vici_writer_free(&body);
	if (err) {
		json_decref(l.json);
		return fail(EXIT_FAILED, "list-certs: %s", msg.text);
	}
	vici_tree_free(&reply);
	if (l.json)
		print_json(l.json);
	return EXIT_OK;
}
