/* cipher_backend.h - what stands behind cipher.h: one implementation per library.
 *
 * For cipher.c, its backends, and tests and benchmarks that want a certain one; everybody else asks
 * cipher_new for the best. A backend allocates an object whose first member is a struct cipher. */
#ifndef VPN_CRYPTO_CIPHER_BACKEND_H
#define VPN_CRYPTO_CIPHER_BACKEND_H

#include "vpn/crypto/cipher.h"

#define CIPHER_SALT_LEN	    4  /* RFC 4106 §4, RFC 5282 §7.1, RFC 7634 §2 */
#define CIPHER_NONCE_LEN    12 /* salt || iv */
#define CIPHER_AEAD_IV_LEN  8
#define CIPHER_AEAD_ICV_LEN 16

enum cipher_backend { CIPHER_BEST, CIPHER_OPENSSL, CIPHER_IPSEC_MB };

struct cipher_ops {
	const char *name;
	bool (*supports)(const struct cipher_info *info);
	int (*create)(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *key,
		      struct cipher **ret_cipher);
	void (*destroy)(struct cipher *c);
	void (*run)(struct cipher *c, struct cipher_job *jobs, size_t n);
};

struct cipher {
	const struct cipher_ops *ops;
	struct cipher_info info;
	enum cipher_dir dir;
};

extern const struct cipher_ops cipher_openssl;
#ifdef HAVE_IPSEC_MB
extern const struct cipher_ops cipher_ipsec_mb;
#endif

/* cipher_new with a library of the caller's choice; ERR_UNSUPPORTED if it cannot, or is not built
 * in. */
int cipher_new_with(enum cipher_backend backend, const struct cipher_info *info,
		    enum cipher_dir dir, const uint8_t *key, struct cipher **ret_cipher);

#endif
