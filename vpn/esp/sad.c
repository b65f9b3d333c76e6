/* sad.c - a hash table with chains through the SAs themselves. It doubles when there are as many
 * SAs as buckets; lookups never write. SPIs are our own random choice, so a multiplication mixes
 * them enough. */
#include "vpn/esp/sad.h"

#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/esp/sa.h"

#define BUCKET_BITS_MIN 6

struct sad {
	struct esp_sa **buckets;
	unsigned bits;
	size_t n;
};

static size_t bucket_of(unsigned bits, uint32_t spi)
{
	return (uint32_t)(spi * 2654435769U) >> (32 - bits);
}

static int grow(struct sad *sad, unsigned bits)
{
	struct esp_sa **buckets = calloc((size_t)1 << bits, sizeof(*buckets));
	struct esp_sa *sa, *next;
	size_t i, to;

	if (!buckets)
		return ERR_NOMEM;
	for (i = 0; sad->buckets && i < (size_t)1 << sad->bits; i++) {
		for (sa = sad->buckets[i]; sa; sa = next) {
			next = sa->hash_next;
			to = bucket_of(bits, sa->desc.spi);
			sa->hash_next = buckets[to];
			buckets[to] = sa;
		}
	}
	free(sad->buckets);
	sad->buckets = buckets;
	sad->bits = bits;
	return 0;
}

int sad_new(struct sad **ret_sad)
{
	struct sad *sad = calloc(1, sizeof(*sad));
	int err;

	if (!sad)
		return ERR_NOMEM;
	err = grow(sad, BUCKET_BITS_MIN);
	if (err) {
		free(sad);
		return err;
	}
	*ret_sad = sad;
	return 0;
}

void sad_free(struct sad *sad)
{
	if (!sad)
		return;
	free(sad->buckets);
	free(sad);
}

struct esp_sa *sad_find(const struct sad *sad, uint32_t spi)
{
	struct esp_sa *sa = sad->buckets[bucket_of(sad->bits, spi)];

	while (sa && sa->desc.spi != spi)
		sa = sa->hash_next;
	return sa;
}

int sad_add(struct sad *sad, struct esp_sa *sa)
{
	size_t at;

	if (sad_find(sad, sa->desc.spi))
		return ERR_EXISTS;
	if (sad->n >= (size_t)1 << sad->bits && sad->bits < 24 && grow(sad, sad->bits + 1))
		return ERR_NOMEM;
	at = bucket_of(sad->bits, sa->desc.spi);
	sa->hash_next = sad->buckets[at];
	sad->buckets[at] = sa;
	sad->n++;
	return 0;
}

void sad_remove(struct sad *sad, struct esp_sa *sa)
{
	struct esp_sa **at = &sad->buckets[bucket_of(sad->bits, sa->desc.spi)];

	while (*at && *at != sa)
		at = &(*at)->hash_next;
	if (!*at)
		return;
	*at = sa->hash_next;
	sad->n--;
}

size_t sad_count(const struct sad *sad)
{
	return sad->n;
}
