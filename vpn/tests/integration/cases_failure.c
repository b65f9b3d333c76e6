/* cases_failure.c - what must not come up: the notify that the other end gets, the sentence that
 * the person gets, and that nothing is left of the attempt.
 *
 * Each failure spoils a configuration that works otherwise (the pair with certificates, or with a
 * secret, of the other cases). The gateway initiates. */
#include "vpn/tests/integration/cases.h"
#include <stdio.h>
#include <string.h>

enum end { GW, VPS };

struct failure {
	void (*spoil)(struct lab *lab, struct conf *gw, struct conf *vps);
	enum end sender; /* of the notify */
	const char *message;
	const char *notify;
	bool sa_stays; /* RFC 7296 §1.2: a child that fails takes no IKE SA with it */
};

static void use_certificates(struct lab *lab, enum credential_validity gw_validity,
			     enum credential_validity vps_validity)
{
	const char *dir = net_dir(lab->net);
	struct err_msg msg = {{0}};

	lab_ok(lab, credentials_ca(lab->net, dir, "ca", CREDENTIAL_ED25519, &msg), &msg, "ca");
	lab_ok(lab,
	       credentials_issued(lab->net, dir, "lab-gw", "ca", CREDENTIAL_ED25519, gw_validity,
				  &msg),
	       &msg, "lab-gw");
	lab_ok(
	    lab,
	    credentials_issued(lab->net, dir, "vps", "ca", CREDENTIAL_ED25519, vps_validity, &msg),
	    &msg, "vps");
	lab_install(lab, lab->gw, "x509ca", "ca", "cert");
	lab_install(lab, lab->vps, "x509ca", "ca", "cert");
	lab_install(lab, lab->gw, "private", "lab-gw", "key");
	lab_install(lab, lab->vps, "private", "vps", "key");
	lab_install(lab, lab->gw, "x509", "lab-gw", "cert");
	lab_install(lab, lab->vps, "x509", "vps", "cert");
}

static void use_ca_confs(struct conf *gw, struct conf *vps)
{
	lab_pair_confs(gw, vps);
	gw->remote_cert = vps->remote_cert = NULL;
}

static void wrong_secret(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	(void)gw;
	vps->secret = "another secret";
}

static void unknown_initiator(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	(void)gw;
	vps->remote_id = "somebody-else.inetdoc.net";
}

static void unknown_responder(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	(void)vps;
	gw->remote_id = "somebody-else.inetdoc.net";
}

static void expired_initiator(struct lab *lab, struct conf *gw, struct conf *vps)
{
	use_certificates(lab, CREDENTIAL_EXPIRED, CREDENTIAL_VALID);
	use_ca_confs(gw, vps);
}

static void expired_responder(struct lab *lab, struct conf *gw, struct conf *vps)
{
	use_certificates(lab, CREDENTIAL_VALID, CREDENTIAL_EXPIRED);
	use_ca_confs(gw, vps);
}

/* The CA is known to the gateway alone. */
static void untrusted_initiator(struct lab *lab, struct conf *gw, struct conf *vps)
{
	struct err_msg msg = {{0}};

	use_certificates(lab, CREDENTIAL_VALID, CREDENTIAL_VALID);
	lab_ok(lab, credentials_ca(lab->net, net_dir(lab->net), "other", CREDENTIAL_ED25519, &msg),
	       &msg, "other");
	lab_install(lab, lab->vps, "x509ca", "other", "cert");
	lab_ok(lab, peer_remove(lab->vps, "x509ca/ca-cert.pem", &msg), &msg, "vps");
	use_ca_confs(gw, vps);
}

static void no_ike_proposal(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	gw->proposals = "aes128gcm16-prfsha256-curve25519";
	vps->proposals = "aes256gcm16-prfsha384-ecp384";
}

static void no_esp_proposal(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	gw->children[0].esp_proposals = "aes128gcm16";
	vps->children[0].esp_proposals = "aes256gcm16";
}

static void no_common_selector(struct lab *lab, struct conf *gw, struct conf *vps)
{
	(void)lab;
	(void)vps;
	gw->children[0].remote_ts = "10.77.0.0/24";
}

static void expect_refusal(struct lab *lab, const struct failure *failure)
{
	struct peer *sender = failure->sender == GW ? lab->gw : lab->vps;
	unsigned sas = failure->sa_stays ? 1 : 0;
	struct err_msg msg = {{0}};
	int err = peer_initiate(lab->gw, "net", UP_MS, &msg);

	if (err == 0)
		lab_fail(lab, "came up, which it must not");
	/* The daemon's words, not a time-out's or a crash's. */
	if (err != ERR_STATE)
		lab_fail(lab, "initiate: %s: %s", err_text(err), msg.text);
	printf("initiate: %s\n", msg.text);
	lab_expect_notify(lab, sender, failure->message, failure->notify);
	lab_ok(lab, peer_wait_sas(lab->gw, sas, UP_MS, &msg), &msg, "lab-gw");
	lab_ok(lab, peer_wait_sas(lab->vps, sas, UP_MS, &msg), &msg, "vps");
	if (peer_count_children(lab->gw) + peer_count_children(lab->vps) > 0)
		lab_fail(lab, "a child is left");
}

static void run_failure(const struct it_case *it, const struct peer_driver *gw,
			const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	const struct failure *failure = it->data;
	struct conf gw_conf, vps_conf;
	struct lab lab;

	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, false);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	failure->spoil(&lab, &gw_conf, &vps_conf);
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	expect_refusal(&lab, failure);
	lab_close(&lab);
}

#define FAILURE(name, ...)                                 \
	{                                                  \
		name, run_failure, &(const struct failure) \
		{                                          \
			__VA_ARGS__                        \
		}                                          \
	}

const struct it_case cases_failure[] = {
    FAILURE("wrong-psk", wrong_secret, VPS, "IKE_AUTH response", "AUTHENTICATION_FAILED", false),
    FAILURE("unknown-initiator", unknown_initiator, VPS, "IKE_AUTH response",
	    "AUTHENTICATION_FAILED", false),
    FAILURE("unknown-responder", unknown_responder, VPS, "IKE_AUTH response",
	    "AUTHENTICATION_FAILED", false),
    FAILURE("expired-initiator", expired_initiator, VPS, "IKE_AUTH response",
	    "AUTHENTICATION_FAILED", false),
    /* RFC 7296 §2.21.2: what the initiator cannot accept, it says in an exchange of its own. */
    FAILURE("expired-responder", expired_responder, GW, "INFORMATIONAL request",
	    "AUTHENTICATION_FAILED", false),
    FAILURE("untrusted-initiator", untrusted_initiator, VPS, "IKE_AUTH response",
	    "AUTHENTICATION_FAILED", false),
    FAILURE("no-ike-proposal", no_ike_proposal, VPS, "IKE_SA_INIT response", "NO_PROPOSAL_CHOSEN",
	    false),
    FAILURE("no-esp-proposal", no_esp_proposal, VPS, "IKE_AUTH response", "NO_PROPOSAL_CHOSEN",
	    true),
    FAILURE("no-common-selector", no_common_selector, VPS, "IKE_AUTH response", "TS_UNACCEPTABLE",
	    true),
    {NULL, NULL, NULL},
};
