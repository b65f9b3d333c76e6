/* cookie.c - RFC 7296 §2.6: Cookie = <VersionIDofSecret> | Hash(Ni | IPi | SPIi | <secret>).
 *
 * Nothing is stored for a request that is answered with a cookie. The secret changes every minute;
 * the previous one is still accepted, so that an initiator whose answer crosses the change gets in.
 */
#include "vpn/ike/cookie.h"

#include <string.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/base/writer.h"
#include "vpn/crypto/prf.h"

static int hash(const uint8_t secret[32], const struct endpoint *remote, uint64_t spi_i,
		struct view ni, uint8_t out[32])
{
	uint8_t place[32];
	struct writer w = wr_init(place, sizeof(place));
	struct view parts[3];

	wr_bytes(&w, remote->addr.b, sizeof(remote->addr.b));
	wr_u16(&w, remote->port);
	wr_u64(&w, spi_i);
	parts[0] = (struct view){secret, 32};
	parts[1] = ni;
	parts[2] = (struct view){place, w.len};
	return digest_compute(DIGEST_SHA2_256, parts, 3, out);
}

static int refresh(struct cookie_jar *jar, random_fn random, void *ctx, uint64_t now)
{
	uint8_t fresh[32];

	if (jar->changed && now - jar->changed < COOKIE_LIFETIME)
		return 0;
	if (random(ctx, fresh, sizeof(fresh)))
		return ERR_CRYPTO;
	memcpy(jar->secret[1], jar->secret[0], 32);
	memcpy(jar->secret[0], fresh, 32);
	jar->version++;
	jar->changed = now ? now : 1;
	return 0;
}

int cookie_make(struct cookie_jar *jar, random_fn random, void *random_ctx,
		const struct endpoint *remote, uint64_t spi_i, struct view ni, uint64_t now,
		uint8_t ret_cookie[COOKIE_LEN])
{
	if (refresh(jar, random, random_ctx, now))
		return ERR_CRYPTO;
	ret_cookie[0] = jar->version;
	return hash(jar->secret[0], remote, spi_i, ni, ret_cookie + 1);
}

bool cookie_is_good(const struct cookie_jar *jar, const struct endpoint *remote, uint64_t spi_i,
		    struct view ni, struct view cookie)
{
	uint8_t want[32];
	int which;

	if (!jar->changed || cookie.len != COOKIE_LEN)
		return false;
	if (cookie.p[0] == jar->version)
		which = 0;
	else if ((uint8_t)(cookie.p[0] + 1) == jar->version)
		which = 1;
	else
		return false;
	if (hash(jar->secret[which], remote, spi_i, ni, want))
		return false;
	return secret_eq(want, cookie.p + 1, 32);
}
