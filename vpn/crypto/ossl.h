/* ossl.h - OpenSSL's headers, for the .c files of vpn/crypto only; nobody else meets OpenSSL.
 *
 * OpenSSL has a type named ERR_STATE, and so has vpn/base/err.h a code: OpenSSL's goes by another
 * name while its headers are read. Every OpenSSL header that we use stands here. */
#ifndef VPN_CRYPTO_OSSL_H
#define VPN_CRYPTO_OSSL_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
