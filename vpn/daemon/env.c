/* env.c - what the daemon lends to the node: randomness, the wall clock, counters, names; the
 * host's network is in network.c.
 */
#include "vpn/daemon/daemon.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "vpn/control/control.h"

#define MICROSECONDS UINT64_C(1000000)

uint64_t daemon_now(void)
{
	return uv_hrtime() / 1000;
}

uint64_t daemon_unix_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * MICROSECONDS + (uint64_t)ts.tv_nsec / 1000;
}

static int env_random(void *ctx, uint8_t *buf, size_t n)
{
	ssize_t got;

	(void)ctx;
	while (n) {
		got = getrandom(buf, n, 0);
		if (got < 0 && errno != EINTR)
			return ERR_CRYPTO;
		buf += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int64_t env_wall(void *ctx, uint64_t now)
{
	int64_t away = (int64_t)(now - daemon_now());

	(void)ctx;
	return ((int64_t)daemon_unix_time() + away) / (int64_t)MICROSECONDS;
}

static bool env_sa_stats(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats)
{
	struct daemon *d = ctx;
	const struct installed *sa = installed_find(&d->installed, spi, inbound, 0, NULL);
	struct dp_sa_ref ref = {.spi = spi, .inbound = inbound};

	if (!sa)
		return false;
	ref.child_id = sa->child_id;
	return dp_query(d->dp, &ref, ret_stats) == 0;
}

static int env_resolve(void *ctx, const char *name, struct ip_addr *ret_addr)
{
	struct daemon *d = ctx;

	return resolver_lookup(&d->resolver, name, ret_addr);
}

size_t env_drops(void *ctx, struct control_drop *ret_drops)
{
	struct daemon *d = ctx;
	struct dp_counters c;
	size_t i;

	dp_get_counters(d->dp, &c);
	for (i = 1; i < ESP_DROP_COUNT; i++)
		ret_drops[i - 1] =
		    (struct control_drop){esp_drop_name((enum esp_drop)i), c.drops[i]};
	return ESP_DROP_COUNT - 1;
}

struct node_env daemon_env(struct daemon *d)
{
	return (struct node_env){
	    .ctx = d,
	    .random = env_random,
	    .wall = env_wall,
	    .source_for = network_source,
	    .can_send_from = network_can_send_from,
	    .has_addr = network_has,
	    .local_addr = network_address,
	    .sa_stats = env_sa_stats,
	    .resolve = env_resolve,
	};
}
