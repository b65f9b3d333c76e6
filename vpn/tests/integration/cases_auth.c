/* cases_auth.c - every way to authenticate: a secret, certificates that each end has of the other,
 * and certificates that a CA issued, with each kind of key; identities by subject and by
 * alternative name. */
#include "vpn/tests/integration/cases.h"

struct auth {
	enum credential_key kind;
	bool by_ca;
	const char *gw_id, *vps_id;
};

#define GW_FQDN	 "lab-gw.inetdoc.net"
#define VPS_FQDN "vps.inetdoc.net"

static void make_ca_keys(struct lab *lab, enum credential_key kind)
{
	const char *dir = net_dir(lab->net);
	struct err_msg msg = {{0}};

	lab_ok(lab, credentials_ca(lab->net, dir, "ca", kind, &msg), &msg, "ca");
	lab_ok(lab, credentials_issued(lab->net, dir, "lab-gw", "ca", kind, CREDENTIAL_VALID, &msg),
	       &msg, "lab-gw");
	lab_ok(lab, credentials_issued(lab->net, dir, "vps", "ca", kind, CREDENTIAL_VALID, &msg),
	       &msg, "vps");
	lab_install(lab, lab->gw, "x509ca", "ca", "cert");
	lab_install(lab, lab->vps, "x509ca", "ca", "cert");
}

static void make_self_signed_keys(struct lab *lab, enum credential_key kind)
{
	const char *dir = net_dir(lab->net);
	struct err_msg msg = {{0}};

	lab_ok(lab, credentials_self_signed(lab->net, dir, "lab-gw", kind, &msg), &msg, "lab-gw");
	lab_ok(lab, credentials_self_signed(lab->net, dir, "vps", kind, &msg), &msg, "vps");
	lab_install(lab, lab->gw, "x509", "vps", "cert");
	lab_install(lab, lab->vps, "x509", "lab-gw", "cert");
}

static void bring_up_and_down(struct lab *lab, const struct conf *gw_conf,
			      const struct conf *vps_conf)
{
	struct err_msg msg = {{0}};

	lab_inner_addresses(lab, false);
	lab_set_confs(lab, gw_conf, vps_conf);
	lab_start(lab);
	lab_ok(lab, peer_initiate(lab->gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(lab, 1);
	lab_ping(lab, "vps", GW_TUN);
	lab_terminate(lab, "pair");
	lab_close(lab);
}

static void run_certificates(const struct it_case *it, const struct peer_driver *gw,
			     const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	const struct auth *auth = it->data;
	struct conf gw_conf, vps_conf;
	struct lab lab;

	lab_open(&lab, &options, gw, vps);
	lab_pair_confs(&gw_conf, &vps_conf);
	if (auth->by_ca) {
		make_ca_keys(&lab, auth->kind);
		/* Neither has the other's certificate: it comes in the exchange, and the CA
		 * vouches. */
		gw_conf.remote_cert = vps_conf.remote_cert = NULL;
	} else {
		make_self_signed_keys(&lab, auth->kind);
	}
	lab_install(&lab, lab.gw, "private", "lab-gw", "key");
	lab_install(&lab, lab.vps, "private", "vps", "key");
	lab_install(&lab, lab.gw, "x509", "lab-gw", "cert");
	lab_install(&lab, lab.vps, "x509", "vps", "cert");
	gw_conf.local_id = vps_conf.remote_id = auth->gw_id;
	gw_conf.remote_id = vps_conf.local_id = auth->vps_id;
	bring_up_and_down(&lab, &gw_conf, &vps_conf);
}

static void run_psk(const struct it_case *it, const struct peer_driver *gw,
		    const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct lab lab;

	(void)it;
	lab_open(&lab, &options, gw, vps);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	bring_up_and_down(&lab, &gw_conf, &vps_conf);
}

#define CERTIFICATES(name, ...)                              \
	{                                                    \
		name, run_certificates, &(const struct auth) \
		{                                            \
			__VA_ARGS__                          \
		}                                            \
	}

const struct it_case cases_auth[] = {
    {"psk", run_psk, NULL},
    CERTIFICATES("rsa-self-signed", CREDENTIAL_RSA, false, GW_ID, VPS_ID),
    CERTIFICATES("ecdsa-self-signed", CREDENTIAL_ECDSA, false, GW_ID, VPS_ID),
    CERTIFICATES("ed25519-ca", CREDENTIAL_ED25519, true, GW_ID, VPS_ID),
    CERTIFICATES("rsa-ca", CREDENTIAL_RSA, true, GW_ID, VPS_ID),
    CERTIFICATES("ecdsa-ca", CREDENTIAL_ECDSA, true, GW_ID, VPS_ID),
    CERTIFICATES("ed25519-ca-alternative-name", CREDENTIAL_ED25519, true, GW_FQDN, VPS_FQDN),
    {NULL, NULL, NULL},
};
