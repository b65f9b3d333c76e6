/* option_table.h - every option of swanctl.conf(5), as strongSwan 5.9.8 and 6.0 document them, and
 * ours.
 *
 * X(scope, name, type, status, default, detail)
 *
 *   name     a name that ends in '*' stands for all names that begin so
 *   type     enum option_type; what a value must look like
 *   status   SUPPORTED; HARMLESS: accepted with a warning; UNSUPPORTED: refused
 *   detail   OPT_WORD: the words, separated by '|'; after a ';' those that are known, but not
 *            supported. Otherwise why it is HARMLESS or UNSUPPORTED, for the message
 *
 * A value that means the same as the default asks for nothing, so it always passes. The checks, the
 * split into lists and the tests of completeness (against swanctl.conf(5), and of our own
 * beetd-swanctl.conf(5)) all read this one table. */
#ifndef VPN_VICI_OPTION_TABLE_H
#define VPN_VICI_OPTION_TABLE_H

#define VICI_OPTIONS(X)                                                                            \
	X(CONN, "version", OPT_WORD, SUPPORTED, "0", "0|2;1")                                      \
	X(CONN, "local_addrs", OPT_HOSTS, SUPPORTED, "%any", NULL)                                 \
	X(CONN, "remote_addrs", OPT_HOSTS, SUPPORTED, "%any", NULL)                                \
	X(CONN, "local_port", OPT_PORT, SUPPORTED, "500", NULL)                                    \
	X(CONN, "remote_port", OPT_PORT, SUPPORTED, "500", NULL)                                   \
	X(CONN, "proposals", OPT_PROPOSALS, SUPPORTED, "default", NULL)                            \
	X(CONN, "vips", OPT_LIST, UNSUPPORTED, "", "virtual addresses are not requested")          \
	X(CONN, "aggressive", OPT_BOOL, UNSUPPORTED, "no", "IKEv1 only")                           \
	X(CONN, "pull", OPT_BOOL, HARMLESS, "yes", "IKEv1 only")                                   \
	X(CONN, "dscp", OPT_DSCP, UNSUPPORTED, "000000", "IKE packets are sent with DSCP 0")       \
	X(CONN, "encap", OPT_BOOL, SUPPORTED, "no", NULL)                                          \
	X(CONN, "mobike", OPT_BOOL, SUPPORTED, "yes", NULL)                                        \
	X(CONN, "dpd_delay", OPT_TIME, SUPPORTED, "0s", NULL)                                      \
	X(CONN, "dpd_timeout", OPT_TIME, HARMLESS, "0s", "IKEv1 only")                             \
	X(CONN, "fragmentation", OPT_WORD, SUPPORTED, "yes", "yes|accept|force|no")                \
	X(CONN, "childless", OPT_WORD, SUPPORTED, "allow", "allow|prefer|force|never")             \
	X(CONN, "send_certreq", OPT_BOOL, SUPPORTED, "yes", NULL)                                  \
	X(CONN, "send_cert", OPT_WORD, SUPPORTED, "ifasked", "ifasked|always|never")               \
	X(CONN, "ocsp", OPT_WORD, HARMLESS, "reply", "never|reply|request|both")                   \
	X(CONN, "ppk_id", OPT_TEXT, UNSUPPORTED, "", "post-quantum preshared keys")                \
	X(CONN, "ppk_required", OPT_BOOL, UNSUPPORTED, "no", "post-quantum preshared keys")        \
	X(CONN, "keyingtries", OPT_TRIES, SUPPORTED, "1", NULL)                                    \
	X(CONN, "unique", OPT_WORD, SUPPORTED, "no", "no|never|keep|replace")                      \
	X(CONN, "reauth_time", OPT_TIME, SUPPORTED, "0s", NULL)                                    \
	X(CONN, "rekey_time", OPT_TIME, SUPPORTED, "4h", NULL)                                     \
	X(CONN, "over_time", OPT_TIME, SUPPORTED, "", NULL)                                        \
	X(CONN, "rand_time", OPT_TIME, SUPPORTED, "", NULL)                                        \
	X(CONN, "pools", OPT_LIST, UNSUPPORTED, "", "virtual addresses are not assigned")          \
	X(CONN, "if_id_in", OPT_IF_ID, SUPPORTED, "0", NULL)                                       \
	X(CONN, "if_id_out", OPT_IF_ID, SUPPORTED, "0", NULL)                                      \
	X(CONN, "mediation", OPT_BOOL, UNSUPPORTED, "no", "the IKEv2 mediation extension")         \
	X(CONN, "mediated_by", OPT_TEXT, UNSUPPORTED, "", "the IKEv2 mediation extension")         \
	X(CONN, "mediation_peer", OPT_TEXT, UNSUPPORTED, "", "the IKEv2 mediation extension")      \
                                                                                                   \
	X(LOCAL, "round", OPT_UINT, HARMLESS, "0", "there is one authentication round")            \
	X(LOCAL, "certs", OPT_CERTS, SUPPORTED, "", NULL)                                          \
	X(LOCAL, "pubkeys", OPT_LIST, UNSUPPORTED, "", "raw public keys")                          \
	X(LOCAL, "auth", OPT_AUTH, SUPPORTED, "pubkey", NULL)                                      \
	X(LOCAL, "id", OPT_TEXT, SUPPORTED, "", NULL)                                              \
	X(LOCAL, "eap_id", OPT_TEXT, UNSUPPORTED, "", "EAP")                                       \
	X(LOCAL, "aaa_id", OPT_TEXT, UNSUPPORTED, "", "EAP")                                       \
	X(LOCAL, "xauth_id", OPT_TEXT, UNSUPPORTED, "", "IKEv1 only")                              \
                                                                                                   \
	X(REMOTE, "round", OPT_UINT, HARMLESS, "0", "there is one authentication round")           \
	X(REMOTE, "id", OPT_TEXT, SUPPORTED, "%any", NULL)                                         \
	X(REMOTE, "eap_id", OPT_TEXT, UNSUPPORTED, "", "EAP")                                      \
	X(REMOTE, "groups", OPT_LIST, UNSUPPORTED, "", "group membership")                         \
	X(REMOTE, "cert_policy", OPT_LIST, UNSUPPORTED, "", "certificate policies")                \
	X(REMOTE, "certs", OPT_CERTS, SUPPORTED, "", NULL)                                         \
	X(REMOTE, "cacerts", OPT_CACERTS, SUPPORTED, "", NULL)                                     \
	X(REMOTE, "ca_id", OPT_TEXT, UNSUPPORTED, "", "use cacerts")                               \
	X(REMOTE, "pubkeys", OPT_LIST, UNSUPPORTED, "", "raw public keys")                         \
	X(REMOTE, "revocation", OPT_WORD, SUPPORTED, "relaxed", "relaxed;ifuri|strict")            \
	X(REMOTE, "auth", OPT_AUTH, SUPPORTED, "pubkey", NULL)                                     \
                                                                                                   \
	X(CERT, "file", OPT_TEXT, SUPPORTED, "", NULL)                                             \
	X(CERT, "handle", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                             \
	X(CERT, "slot", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                               \
	X(CERT, "module", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                             \
                                                                                                   \
	X(CHILD, "ah_proposals", OPT_PROPOSALS, UNSUPPORTED, "", "AH")                             \
	X(CHILD, "esp_proposals", OPT_PROPOSALS, SUPPORTED, "default", NULL)                       \
	X(CHILD, "sha256_96", OPT_BOOL, SUPPORTED, "no", NULL)                                     \
	X(CHILD, "local_ts", OPT_TS, SUPPORTED, "dynamic", NULL)                                   \
	X(CHILD, "remote_ts", OPT_TS, SUPPORTED, "dynamic", NULL)                                  \
	X(CHILD, "rekey_time", OPT_TIME, SUPPORTED, "1h", NULL)                                    \
	X(CHILD, "life_time", OPT_TIME, SUPPORTED, "", NULL)                                       \
	X(CHILD, "rand_time", OPT_TIME, SUPPORTED, "", NULL)                                       \
	X(CHILD, "rekey_bytes", OPT_BYTES, SUPPORTED, "0", NULL)                                   \
	X(CHILD, "life_bytes", OPT_BYTES, SUPPORTED, "", NULL)                                     \
	X(CHILD, "rand_bytes", OPT_BYTES, SUPPORTED, "", NULL)                                     \
	X(CHILD, "rekey_packets", OPT_COUNT, SUPPORTED, "0", NULL)                                 \
	X(CHILD, "life_packets", OPT_COUNT, SUPPORTED, "", NULL)                                   \
	X(CHILD, "rand_packets", OPT_COUNT, SUPPORTED, "", NULL)                                   \
	X(CHILD, "updown", OPT_TEXT, UNSUPPORTED, "", "listen to the event child-updown")          \
	X(CHILD, "hostaccess", OPT_BOOL, HARMLESS, "no", "only updown scripts use it")             \
	X(CHILD, "mode", OPT_WORD, SUPPORTED, "tunnel",                                            \
	  "tunnel|beet;transport|transport_proxy|iptfs|pass|drop")                                 \
	X(CHILD, "policies", OPT_BOOL, SUPPORTED, "yes", NULL)                                     \
	X(CHILD, "policies_fwd_out", OPT_BOOL, HARMLESS, "no", "kernel policies only")             \
	X(CHILD, "dpd_action", OPT_WORD, SUPPORTED, "clear", "clear|none|trap|hold|restart|start") \
	X(CHILD, "ipcomp", OPT_BOOL, UNSUPPORTED, "no", "IPComp")                                  \
	X(CHILD, "inactivity", OPT_TIME, SUPPORTED, "0s", NULL)                                    \
	X(CHILD, "reqid", OPT_UINT, SUPPORTED, "0", NULL)                                          \
	X(CHILD, "priority", OPT_UINT, HARMLESS, "0", "kernel policies only")                      \
	X(CHILD, "interface", OPT_TEXT, UNSUPPORTED, "", "policies bound to an interface")         \
	X(CHILD, "mark_in", OPT_MARK, UNSUPPORTED, "0/0x00000000",                                 \
	  "policies with marks; use if_id_in")                                                     \
	X(CHILD, "mark_in_sa", OPT_BOOL, UNSUPPORTED, "no", "policies with marks; use if_id_in")   \
	X(CHILD, "mark_out", OPT_MARK, UNSUPPORTED, "0/0x00000000",                                \
	  "policies with marks; use if_id_out")                                                    \
	X(CHILD, "set_mark_in", OPT_MARK, SUPPORTED, "0/0x00000000", NULL)                         \
	X(CHILD, "set_mark_out", OPT_MARK, SUPPORTED, "0/0x00000000", NULL)                        \
	X(CHILD, "if_id_in", OPT_IF_ID, SUPPORTED, "0", NULL)                                      \
	X(CHILD, "if_id_out", OPT_IF_ID, SUPPORTED, "0", NULL)                                     \
	X(CHILD, "label", OPT_TEXT, UNSUPPORTED, "", "security labels")                            \
	X(CHILD, "label_mode", OPT_WORD, HARMLESS, "system", "system|simple|selinux")              \
	X(CHILD, "tfc_padding", OPT_TFC, SUPPORTED, "0", NULL)                                     \
	X(CHILD, "replay_window", OPT_WINDOW, SUPPORTED, "32", NULL)                               \
	X(CHILD, "per_cpu_sas", OPT_WORD, UNSUPPORTED, "no", "no;yes|encap")                       \
	X(CHILD, "hw_offload", OPT_WORD, SUPPORTED, "no", "no|auto;yes|crypto|packet")             \
	X(CHILD, "copy_df", OPT_BOOL, SUPPORTED, "yes", NULL)                                      \
	X(CHILD, "copy_ecn", OPT_BOOL, SUPPORTED, "yes", NULL)                                     \
	X(CHILD, "copy_dscp", OPT_WORD, SUPPORTED, "out", "out|in|yes|no")                         \
	X(CHILD, "start_action", OPT_ACTION, SUPPORTED, "none", NULL)                              \
	X(CHILD, "close_action", OPT_WORD, SUPPORTED, "none",                                      \
	  "none|clear|trap|hold|start|restart")                                                    \
	X(CHILD, "tcp_mss", OPT_MSS, SUPPORTED, "off", NULL) /* ours */                            \
                                                                                                   \
	X(POOL, "addrs", OPT_RANGE, SUPPORTED, "", NULL)                                           \
	X(POOL, "dns", OPT_LIST, HARMLESS, "", "pools are not handed out")                         \
	X(POOL, "nbns", OPT_LIST, HARMLESS, "", "pools are not handed out")                        \
	X(POOL, "dhcp", OPT_LIST, HARMLESS, "", "pools are not handed out")                        \
	X(POOL, "netmask", OPT_LIST, HARMLESS, "", "pools are not handed out")                     \
	X(POOL, "server", OPT_LIST, HARMLESS, "", "pools are not handed out")                      \
	X(POOL, "subnet", OPT_LIST, HARMLESS, "", "pools are not handed out")                      \
	X(POOL, "split_include", OPT_LIST, HARMLESS, "", "pools are not handed out")               \
	X(POOL, "split_exclude", OPT_LIST, HARMLESS, "", "pools are not handed out")               \
                                                                                                   \
	X(AUTHORITY, "cacert", OPT_CACERT, SUPPORTED, "", NULL)                                    \
	X(AUTHORITY, "file", OPT_CACERT, SUPPORTED, "", NULL)                                      \
	X(AUTHORITY, "handle", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                        \
	X(AUTHORITY, "slot", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                          \
	X(AUTHORITY, "module", OPT_TEXT, UNSUPPORTED, "", "PKCS#11 tokens")                        \
	X(AUTHORITY, "crl_uris", OPT_LIST, HARMLESS, "", "revocation is not checked")              \
	X(AUTHORITY, "ocsp_uris", OPT_LIST, HARMLESS, "", "revocation is not checked")             \
	X(AUTHORITY, "cert_uri_base", OPT_TEXT, HARMLESS, "",                                      \
	  "certificates are sent, not their URLs")                                                 \
                                                                                                   \
	X(SHARED, "secret", OPT_TEXT, SUPPORTED, "", NULL)                                         \
	X(SHARED, "id*", OPT_TEXT, SUPPORTED, "", NULL)                                            \
	X(KEYFILE, "file", OPT_TEXT, SUPPORTED, "", NULL)                                          \
	X(KEYFILE, "secret", OPT_TEXT, SUPPORTED, "", NULL)

#endif
