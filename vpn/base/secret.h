/* secret.h - wiping of secrets, and comparison that takes the same time whatever the octets are. */
#ifndef VPN_BASE_SECRET_H
#define VPN_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void secret_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

static inline bool secret_eq(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = (const volatile uint8_t *)a;
	const volatile uint8_t *y = (const volatile uint8_t *)b;
	uint8_t diff = 0;
	size_t i;

	for (i = 0; i < len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

#endif
