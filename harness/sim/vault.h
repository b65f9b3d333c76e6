/* vault.h - the scenario's keys and certificates, made in memory and served as files.
 *
 * Ed25519 keys follow from the seed, so everything that they sign repeats bit for bit. Other kinds
 * of key are not supported here: what signs with chance of its own cannot be repeated. */
#ifndef HARNESS_SIM_VAULT_H
#define HARNESS_SIM_VAULT_H

#include "harness/plan.h"
#include "vpn/config/conf.h"

struct sim_vault;

/* ERR_UNSUPPORTED: a key that is not Ed25519. */
int sim_vault_new(const struct plan *plan, struct sim_vault **ret_vault, struct err_msg *msg);
void sim_vault_free(struct sim_vault *vault);
/* What a node's /swanctl holds: x509/NAME-cert.pem, x509ca/, private/NAME-key.pem. */
const struct conf_fs *sim_vault_fs(struct sim_vault *vault, const char *node);

#endif
