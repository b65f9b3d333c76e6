/* credentials.c - runs strongSwan's pki. A foreign tool on purpose: what beetd reads is then not
 * what beetctl wrote. */
#include "harness/credentials.h"
#include "netns/process.h"
#include <stdio.h>

#define TIMEOUT_MS 120000 /* three RSA keys of 4096 bits take half a minute on a busy machine */
#define SUBJECT	   "--dn \"C=FR, O=inetdoc.net, CN=$2\""

static const char *const kind_args[] = {
    [CREDENTIAL_ED25519] = "--type ed25519",
    [CREDENTIAL_RSA] = "--type rsa --size 2048",
    [CREDENTIAL_ECDSA] = "--type ecdsa --size 256",
    [CREDENTIAL_RSA4096] = "--type rsa --size 4096",
};

static const char *const kind_names[] = {[CREDENTIAL_ED25519] = "ed25519",
					 [CREDENTIAL_RSA] = "rsa",
					 [CREDENTIAL_ECDSA] = "ecdsa",
					 [CREDENTIAL_RSA4096] = "rsa"};

/* $1: directory, $2: name, $3: kind, $4: arguments of --gen, $5: CA, $6: arguments of validity */
static int run_script(struct net *net, const char *script, const char *const args[6],
		      struct err_msg *msg)
{
	const char *const argv[] = {"sh",    "-c",    script,  "sh",	args[0], args[1],
				    args[2], args[3], args[4], args[5], NULL};
	const struct process_spec spec = {.argv = argv};
	struct process_output output = {0};
	int status = 0, err = process_run(net, &spec, TIMEOUT_MS, &status, &output, msg);

	if (err == 0 && status != 0)
		err = err_set(msg, ERR_STATE, "pki for %s: status %d: %.300s", args[1], status,
			      output.text);
	process_output_free(&output);
	return err;
}

/* To find the primes of an RSA key takes longer than most scenarios: with BEETLAB_KEYS in the
 * environment, keys of that kind are kept in that directory, and are for tests alone. */
#define GENERATE                                                        \
	"set -eu; umask 077; cd \"$1\"; kept=; "                        \
	"case ${BEETLAB_KEYS:+$3} in rsa) mkdir -p \"$BEETLAB_KEYS\"; " \
	"kept=$BEETLAB_KEYS/$2-${4##* }.pem;; esac; "                   \
	"if [ -s \"$kept\" ]; then cp \"$kept\" $2-key.pem; else "      \
	"pki --gen $4 --outform pem >$2-key.pem; "                      \
	"if [ \"$kept\" ]; then cp $2-key.pem \"$kept.$$\"; mv \"$kept.$$\" \"$kept\"; fi; fi; "

int credentials_self_signed(struct net *net, const char *dir, const char *name,
			    enum credential_key kind, struct err_msg *msg)
{
	static const char script[] =
	    GENERATE "pki --self --lifetime 3652 --in $2-key.pem --type $3 " SUBJECT
		     " --san $2.inetdoc.net --flag serverAuth --flag clientAuth --outform pem "
		     ">$2-cert.pem";
	const char *const args[6] = {dir, name, kind_names[kind], kind_args[kind], "", ""};

	return run_script(net, script, args, msg);
}

int credentials_ca(struct net *net, const char *dir, const char *name, enum credential_key kind,
		   struct err_msg *msg)
{
	static const char script[] =
	    GENERATE "pki --self --ca --lifetime 3652 --in $2-key.pem --type $3 " SUBJECT
		     " --outform pem >$2-cert.pem";
	const char *const args[6] = {dir, name, kind_names[kind], kind_args[kind], "", ""};

	return run_script(net, script, args, msg);
}

int credentials_issued(struct net *net, const char *dir, const char *name, const char *ca,
		       enum credential_key kind, enum credential_validity validity,
		       struct err_msg *msg)
{
	static const char script[] = GENERATE
	    "pki --pub --in $2-key.pem --outform pem >$2-pub.pem; "
	    "pki --issue $6 --in $2-pub.pem --cacert $5-cert.pem --cakey $5-key.pem " SUBJECT
	    " --san $2.inetdoc.net --flag serverAuth --flag clientAuth --outform pem "
	    ">$2-cert.pem";
	const char *validity_args =
	    validity == CREDENTIAL_VALID
		? "--lifetime 365"
		: "--dateform %Y-%m-%d --not-before 2020-01-01 --not-after 2021-01-01";
	const char *const args[6] = {dir, name,		kind_names[kind], kind_args[kind],
				     ca,  validity_args};

	return run_script(net, script, args, msg);
}
