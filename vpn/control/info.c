/* info.c - commands about the daemon itself: version, stats, algorithms, counters.
 *
 * Fields that describe strongSwan's threads and job queues are there because swanctl prints them;
 * we are one loop and say so. Counters are of IKE datagrams as they pass (retransmissions
 * included), for the daemon as a whole; drops are those of the data plane, which no reset changes.
 */
#include "vpn/control/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vpn/crypto/alg.h"

#define SECOND UINT64_C(1000000)

enum command_result command_version(struct control_session *s, const struct vici_node *args,
				    struct vici_writer *reply)
{
	const struct control_env *env = &s->control->env;

	(void)args;
	vici_value_str(reply, "daemon", env->daemon);
	vici_value_str(reply, "version", env->version);
	vici_value_str(reply, "sysname", env->sysname);
	vici_value_str(reply, "release", env->release);
	vici_value_str(reply, "machine", env->machine);
	return REPLY_NOW;
}

enum command_result command_reload_settings(struct control_session *s, const struct vici_node *args,
					    struct vici_writer *reply)
{
	(void)s;
	(void)args;
	return reply_ok(reply); /* settings are command line options: there is nothing to reload */
}

/* --- stats --- */

/* "1 second", "3 minutes", in the largest whole unit below two, as strongSwan writes it. */
static void put_running(struct vici_writer *v, uint64_t seconds)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	seconds /= units[i].seconds;
	vici_value_fmt(v, "running", "%" PRIu64 " %s%s", seconds, units[i].name,
		       seconds == 1 ? "" : "s");
}

static void put_uptime(struct vici_writer *v, const struct control_session *s)
{
	const struct control *c = s->control;
	time_t since = (time_t)c->env.wall(c->env.ctx, c->started);
	char text[40] = "";
	struct tm tm;

	if (gmtime_r(&since, &tm))
		strftime(text, sizeof(text), "%b %d %H:%M:%S %Y", &tm);
	vici_section(v, "uptime");
	put_running(v, (s->now - c->started) / SECOND);
	vici_value_str(v, "since", text);
	vici_section_end(v);
}

static void put_priorities(struct vici_writer *v, const char *section)
{
	static const char *const names[] = {"critical", "high", "medium", "low"};
	size_t i;

	vici_section(v, section);
	for (i = 0; i < 4; i++)
		vici_value_str(v, names[i], "0");
	vici_section_end(v);
}

/* strongSwan's threads and job queues; we are one loop. */
static void put_workers(struct vici_writer *v)
{
	vici_section(v, "workers");
	vici_value_str(v, "total", "1");
	vici_value_str(v, "idle", "1");
	put_priorities(v, "active");
	vici_section_end(v);
	put_priorities(v, "queues");
	vici_value_str(v, "scheduled", "0");
}

enum command_result command_stats(struct control_session *s, const struct vici_node *args,
				  struct vici_writer *reply)
{
	const struct node *node = s->control->node;
	struct ike_sa_info ike;
	size_t n = 0;

	(void)args;
	while (node_ike_sa(node, n, &ike))
		n++;
	put_uptime(reply, s);
	put_workers(reply);
	vici_section(reply, "ikesas");
	vici_value_fmt(reply, "total", "%zu", n);
	vici_value_fmt(reply, "half-open", "%zu", node_half_open(node));
	vici_section_end(reply);
	vici_list(reply, "plugins");
	vici_item_str(reply, s->control->env.daemon);
	vici_item_str(reply, "openssl");
	vici_item_str(reply, "vici");
	vici_list_end(reply);
	return REPLY_NOW;
}

/* --- get-algorithms --- */

static const char *kind_of(const struct alg *alg)
{
	switch (alg->type) {
	case TRANSFORM_ENCR:
		return alg_is_aead(alg->id) ? "aead" : "encryption";
	case TRANSFORM_INTEG:
		return "integrity";
	case TRANSFORM_PRF:
		return "prf";
	case TRANSFORM_KE:
		return "dh";
	default:
		return "";
	}
}

/* One row for each key length stands in the table; the list has one name for all. */
static bool seen_before(const struct alg *table, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (table[k].type == table[i].type && table[k].id == table[i].id)
			return true;
	return false;
}

static void put_kind(struct vici_writer *v, const char *kind)
{
	size_t n, i;
	const struct alg *table = alg_table(&n);
	char name[40];

	vici_section(v, kind);
	for (i = 0; i < n; i++)
		if (!strcmp(kind_of(&table[i]), kind) && !seen_before(table, i))
			vici_value_str(
			    v, alg_format(table[i].type, table[i].id, 0, name, sizeof(name)),
			    "openssl");
	vici_section_end(v);
}

enum command_result command_get_algorithms(struct control_session *s, const struct vici_node *args,
					   struct vici_writer *reply)
{
	(void)s;
	(void)args;
	put_kind(reply, "encryption");
	put_kind(reply, "integrity");
	put_kind(reply, "aead");
	put_kind(reply, "prf");
	put_kind(reply, "dh");
	return REPLY_NOW;
}

/* --- Counters --- */

static void put_count(struct vici_writer *v, const char *key, uint64_t count)
{
	vici_value_fmt(v, key, "%" PRIu64, count);
}

static void put_messages(struct vici_writer *v, const struct counters *c)
{
	static const char *const names[] = {"ike-init", "ike-auth", "create-child", "info"};
	char key[40];
	unsigned i, out, response;

	for (i = 0; i < N_EXCHANGES; i++) {
		for (out = 0; out < 2; out++) {
			for (response = 0; response < 2; response++) {
				snprintf(key, sizeof(key), "%s-%s-%s", names[i], out ? "out" : "in",
					 response ? "resp" : "req");
				put_count(v, key, c->messages[i][out][response]);
			}
		}
	}
}

static void put_drops(struct vici_writer *v, const struct control_env *env)
{
	struct control_drop drops[CONTROL_DROPS_MAX];
	size_t i, n = env->drops ? env->drops(env->ctx, drops) : 0;

	vici_section(v, "drops");
	for (i = 0; i < n; i++)
		put_count(v, drops[i].reason, drops[i].count);
	vici_section_end(v);
}

/* Counters are of the whole daemon: the section's name is empty, as in strongSwan. */
enum command_result command_get_counters(struct control_session *s, const struct vici_node *args,
					 struct vici_writer *reply)
{
	const struct counters *c = &s->control->counters;

	if (vici_text(args, "name") || vici_text(args, "all"))
		return reply_error(reply, "counters are kept for the whole daemon only");
	vici_section(reply, "counters");
	vici_section(reply, "");
	put_count(reply, "ike-rekey-init", c->ike_rekey_init);
	put_count(reply, "ike-rekey-resp", c->ike_rekey_resp);
	put_count(reply, "child-rekey", c->child_rekey);
	put_count(reply, "invalid", c->invalid);
	put_count(reply, "invalid-spi", c->invalid_spi);
	put_messages(reply, c);
	vici_section_end(reply);
	vici_section_end(reply);
	put_drops(reply, &s->control->env);
	return reply_ok(reply);
}

enum command_result command_reset_counters(struct control_session *s, const struct vici_node *args,
					   struct vici_writer *reply)
{
	if (vici_text(args, "name"))
		return reply_error(reply, "counters are kept for the whole daemon only");
	s->control->counters = (struct counters){0};
	return reply_ok(reply);
}
