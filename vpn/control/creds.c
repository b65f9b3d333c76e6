/* creds.c - commands on credentials: certificates, private keys, shared secrets.
 *
 * The node keeps them; here is only their way in and out. Private keys and secrets go in and are
 * never told: get-keys lists key IDs, get-shared the names that secrets were loaded under. Buffers
 * that held them are wiped with the message (vici.h). Unlike strongSwan's, a certificate with the
 * flag CA must be one (RFC 5280 §4.2.1.9). */
#include "vpn/control/internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vpn/base/hex.h"

#define KEY_ID_LEN 20
#define OWNERS_MAX 64 /* identities of one secret */

/* The octets at a key; false: an error was written. */
static bool need_data(const struct vici_node *args, struct view *ret_data,
		      struct vici_writer *reply)
{
	const struct vici_node *data = vici_find(args, "data");

	if (!data || data->kind != VICI_VALUE || !data->len) {
		reply_error(reply, "the command needs 'data'");
		return false;
	}
	*ret_data = (struct view){.p = (const uint8_t *)data->text, .len = data->len};
	return true;
}

/* --- Certificates --- */

enum command_result command_load_cert(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const char *type = vici_text(args, "type"), *flag = vici_text(args, "flag");
	enum cert_use use = CERT_X509;
	struct cert *cert;
	struct err_msg msg;
	struct view data;
	int err;

	if (!type || strcasecmp(type, "X509") != 0)
		return reply_error(reply, "certificates of type %s are not supported",
				   type ? type : "(none)");
	if (flag && !strcasecmp(flag, "CA"))
		use = CERT_X509_CA;
	else if (flag && *flag && strcasecmp(flag, "NONE") != 0)
		return reply_error(reply, "certificates with flag %s are not supported", flag);
	if (!need_data(args, &data, reply))
		return REPLY_NOW;
	if (cert_load(data, &cert, &msg))
		return reply_error(reply, "%s", msg.text);
	if (use == CERT_X509_CA && !cert_is_ca(cert)) {
		cert_unref(cert);
		return reply_error(reply, "this is no CA certificate (basicConstraints)");
	}
	err = node_add_cert(s->control->node, cert, use);
	cert_unref(cert);
	return reply_result(reply, err, "loading certificate", type);
}

static bool cert_is_wanted(const struct vici_node *args, const struct cert *cert, enum cert_use use)
{
	const char *type = vici_text(args, "type"), *flag = vici_text(args, "flag");
	const char *subject = vici_text(args, "subject");
	struct identity id;
	bool fits;

	if (type && strcasecmp(type, "ANY") != 0 && strcasecmp(type, "X509") != 0)
		return false;
	if (flag && strcasecmp(flag, "ANY") != 0 &&
	    strcasecmp(flag, use == CERT_X509_CA ? "CA" : "NONE") != 0)
		return false;
	if (!subject)
		return true;
	if (identity_parse(subject, &id, NULL))
		return false;
	fits = cert_has_identity(cert, &id);
	identity_clear(&id);
	return fits;
}

enum command_result command_list_certs(struct control_session *s, const struct vici_node *args,
				       struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	size_t i, n = node_cert_count(node);

	(void)reply;
	for (i = 0; i < n; i++) {
		enum cert_use use;
		const struct cert *cert = node_cert(node, i, &use);
		struct vici_writer v = {0};
		struct view der;

		if (!cert_is_wanted(args, cert, use))
			continue;
		der = cert_der(cert);
		session_begin_event(&v, ON_LIST_CERT);
		vici_value_str(&v, "type", "X509");
		vici_value_str(&v, "flag", use == CERT_X509_CA ? "CA" : "NONE");
		put_yes(&v, "has_privkey", node_has_key_for(node, cert));
		vici_value(&v, "data", der.p, der.len);
		session_end_event(s, ON_LIST_CERT, &v);
	}
	return REPLY_NOW;
}

/* There is no cache: a connection's trust is worked out anew each time. */
enum command_result command_flush_certs(struct control_session *s, const struct vici_node *args,
					struct vici_writer *reply)
{
	(void)s;
	(void)args;
	return reply_ok(reply);
}

/* --- Private keys --- */

enum command_result command_load_key(struct control_session *s, const struct vici_node *args,
				     struct vici_writer *reply)
{
	const char *type = vici_text(args, "type");
	char id[2 * KEY_ID_LEN + 1];
	struct privkey *key;
	struct err_msg msg;
	struct view data;
	int err;

	if (!need_data(args, &data, reply))
		return REPLY_NOW;
	if (privkey_load(data, NULL, &key, &msg))
		return reply_error(reply, "%s", msg.text);
	if (type && strcasecmp(type, "any") != 0 &&
	    strcasecmp(type, key_type_name(privkey_type(key))) != 0) {
		privkey_unref(key);
		return reply_error(reply, "this is no %s key", type);
	}
	hex_format(privkey_id(key), KEY_ID_LEN, id, sizeof(id));
	err = node_add_key(s->control->node, key);
	privkey_unref(key);
	reply_result(reply, err, "loading key", id);
	vici_value_str(reply, "id", id);
	return REPLY_NOW;
}

enum command_result command_unload_key(struct control_session *s, const struct vici_node *args,
				       struct vici_writer *reply)
{
	const char *text = need_text(args, "id", reply);
	uint8_t id[KEY_ID_LEN];
	size_t len;

	if (!text)
		return REPLY_NOW;
	if (hex_parse(text, id, sizeof(id), &len) || len != sizeof(id))
		return reply_error(reply, "a key's id has %d hexadecimal digits", 2 * KEY_ID_LEN);
	return reply_result(reply, node_remove_key(s->control->node, id), "unloading key", text);
}

enum command_result command_get_keys(struct control_session *s, const struct vici_node *args,
				     struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	char id[2 * KEY_ID_LEN + 1];
	size_t i;

	(void)args;
	vici_list(reply, "keys");
	for (i = 0; i < node_key_count(node); i++)
		vici_item_str(
		    reply, hex_format(privkey_id(node_key(node, i)), KEY_ID_LEN, id, sizeof(id)));
	vici_list_end(reply);
	return REPLY_NOW;
}

enum command_result command_load_token(struct control_session *s, const struct vici_node *args,
				       struct vici_writer *reply)
{
	(void)s;
	(void)args;
	return reply_error(reply, "PKCS#11 tokens are not supported");
}

/* --- Shared secrets --- */

static void clear_owners(struct identity *owners, size_t n)
{
	while (n)
		identity_clear(&owners[--n]);
}

static int parse_owners(const struct vici_node *list, struct identity *owners, size_t *ret_n,
			struct err_msg *msg)
{
	const struct vici_node *item = list ? list->child : NULL;
	size_t n = 0;
	int err = 0;

	for (; item && !err; item = item->next) {
		if (n == OWNERS_MAX)
			err = err_set(msg, ERR_LIMIT, "more than %d owners", OWNERS_MAX);
		else
			err = identity_parse(item->text, &owners[n], msg);
		n += !err;
	}
	if (err)
		clear_owners(owners, n);
	else
		*ret_n = n;
	return err;
}

enum command_result command_load_shared(struct control_session *s, const struct vici_node *args,
					struct vici_writer *reply)
{
	const char *type = vici_text(args, "type");
	struct identity owners[OWNERS_MAX];
	struct err_msg msg;
	struct view data;
	size_t n;
	int err;

	if (!type || strcasecmp(type, "IKE") != 0)
		return reply_error(reply, "secrets of type %s are not supported",
				   type ? type : "(none)");
	if (!need_data(args, &data, reply))
		return REPLY_NOW;
	if (parse_owners(vici_find(args, "owners"), owners, &n, &msg))
		return reply_error(reply, "%s", msg.text);
	err = node_add_shared(s->control->node, vici_text(args, "id"), owners, n, data);
	clear_owners(owners, n);
	return reply_result(reply, err, "loading secret of type", type);
}

enum command_result command_unload_shared(struct control_session *s, const struct vici_node *args,
					  struct vici_writer *reply)
{
	const char *id = need_text(args, "id", reply);

	if (!id)
		return REPLY_NOW;
	return reply_result(reply, node_remove_shared(s->control->node, id), "unloading secret",
			    id);
}

enum command_result command_get_shared(struct control_session *s, const struct vici_node *args,
				       struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	const char *uid;
	size_t i;

	(void)args;
	vici_list(reply, "keys");
	for (i = 0; i < node_shared_count(node); i++) {
		uid = node_shared_uid(node, i);
		if (uid)
			vici_item_str(reply, uid);
	}
	vici_list_end(reply);
	return REPLY_NOW;
}

enum command_result command_clear_creds(struct control_session *s, const struct vici_node *args,
					struct vici_writer *reply)
{
	(void)args;
	node_clear_creds(s->control->node);
	return reply_ok(reply);
}
