/* peer_strongswan.c - how strongSwan's charon-systemd is started without systemd, on a kernel
 * without ESP.
 *
 * Its own configuration file in its own directory, an explicit list of plugins (so that what other
 * packages put into /etc/strongswan.d does not matter), kernel-libipsec for ESP in userspace, which
 * can do tunnel mode in UDP alone. The marks keep IKE out of the tunnel where a selector holds the
 * peer's address. `enc` at level 1 makes the log list the payloads of each message that it parsed
 * or made: a foreign peer's word on what was on the wire. */
#include "harness/peer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHARON	 "/usr/sbin/charon-systemd"
#define SWANCTL	 "/usr/sbin/swanctl"
#define LIBIPSEC "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so"

static const char *missing(void)
{
	if (access(CHARON, X_OK) < 0 || access(SWANCTL, X_OK) < 0)
		return "strongSwan (charon-systemd, swanctl) is not installed";
	if (access(LIBIPSEC, R_OK) < 0)
		return "strongSwan's kernel-libipsec (libcharon-extra-plugins) is not installed";
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return "no /dev/net/tun";
	return NULL;
}

static const char conf_format[] =
    "charon {\n"
    "	load = aesni aes sha1 sha2 hmac gcm chapoly curve25519 openssl random nonce x509 "
    "revocation constraints pubkey pkcs1 pkcs8 pem gmp kdf drbg kernel-libipsec kernel-netlink "
    "socket-default vici\n"
    "	plugins {\n"
    "		vici { socket = unix://%s/charon.vici }\n"
    "		kernel-libipsec { allow_peer_ts = yes }\n"
    "		kernel-netlink { fwmark = !0x42 }\n"
    "		socket-default { fwmark = 0x42 }\n"
    "	}\n"
    "	filelog {\n"
    "		stderr { %s \n flush_line = yes }\n"
    "	}\n"
    "	syslog { daemon { default = -1 } }\n"
    "	journal { default = -1 }\n"
    "	retransmit_timeout = 0.5\n"
    "	retransmit_base = 1.5\n"
    "	%s\n"
    "}\n";

static int command(const char *dir, const struct peer_options *options,
		   struct peer_command *ret_command, struct err_msg *msg)
{
	char path[PEER_PATH_MAX + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/strongswan.conf", dir);
	file = fopen(path, "we");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	fprintf(file, conf_format, dir,
		options->quiet ? "default = 0" : "default = 1 \n ike = 2 \n enc = 1 \n cfg = 2",
		options->strongswan_conf ? options->strongswan_conf : "");
	if (fclose(file) != 0)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	snprintf(ret_command->text[0], sizeof(ret_command->text[0]), "STRONGSWAN_CONF=%s", path);
	ret_command->env[0] = ret_command->text[0];
	ret_command->argv[0] = CHARON;
	return 0;
}

/* Its threads lock each other out now and then when an IKE SA is connecting, or failing, as SIGTERM
 * comes (strongSwan issue 2776). */
const struct peer_driver peer_strongswan = {
    .name = "strongswan", .missing = missing, .command = command, .may_hang_at_end = true};
