/* internal.h - what the passes of the dissector share.
 *
 * facts_dissect runs them in this order: frames (link, IP, fragments, kinds), damage (datagrams
 * that no receiver takes), ike (messages opened, SAs and children followed, child keys derived),
 * esp (packets opened, inner packets rebuilt), tcp. Facts live in growing arrays, so the passes
 * refer to them by index. */
#ifndef HARNESS_DISSECT_INTERNAL_H
#define HARNESS_DISSECT_INTERNAL_H

#include "harness/dissect/facts.h"
#include "harness/dissect/map.h"
#include "vpn/crypto/cipher.h"

/* The ciphers of an IKE SA, made when its first message was opened. */
struct ike_ciphers {
	struct cipher *from_i, *from_r;
	unsigned failed; /* messages that no key without SPI has opened */
	size_t before;	 /* the IKE SA before it with the same SPI of the initiator; FACT_NONE */
};

struct dissector {
	struct facts *f;
	struct ike_ciphers *ciphers; /* beside facts.ike_sas */
	size_t n_ciphers;
	struct map messages;  /* hash of place and octets -> message */
	struct map requests;  /* hash of place, SA, ID, direction -> last request */
	struct map exchanges; /* hash of SA, exchange, ID, direction -> last request with SA */
	struct map fragments; /* hash of place, message and fragment number -> message */
	struct map sas;	      /* SPI of the initiator -> last IKE SA */
	struct map children;  /* hash of IKE SA and both SPIs -> child */
};

int frames_pass(struct dissector *d);
int damage_pass(struct dissector *d);
int ike_pass(struct dissector *d);
int esp_pass(struct dissector *d);
int tcp_pass(struct dissector *d);

/* reassemble.c */
struct reassembly;
int reassembly_new(struct reassembly **ret_r);
void reassembly_free(struct reassembly *r);
/* Takes the fragment of frame i in; if it completes its packet, *ret_packet is that (in the arena)
 * and *ret_n the number of its fragments, else *ret_packet is empty. */
int reassembly_add(struct reassembly *r, struct facts *f, size_t i, struct view fragment,
		   const struct ip_info *info, struct view *ret_packet, size_t *ret_n);

/* ike.c: a copy in the arena. */
const struct ike_payloads *keep_payloads(struct facts *f, const struct ike_payloads *p);
/* ike_open.c: opens SK or SKF of message i; sets sealed, inner, chain. */
int ike_open(struct dissector *d, size_t i);
/* ike_sa.c: what message i (opened or not) says of IKE SAs. */
int ike_find_sa(struct dissector *d, size_t i);
int ike_follow(struct dissector *d, size_t i);
int ike_sa_add(struct dissector *d, uint64_t spi_i, uint64_t spi_r, size_t *ret_sa);
/* ike_child.c: children made, refused and deleted by message i. */
int child_follow(struct dissector *d, size_t i);
void child_finish(struct dissector *d);
int ike_natd(struct dissector *d, size_t i);

/* The SA payload's only or first proposal; false if there is none. */
bool first_proposal(const struct ike_payloads *p, struct proposal *ret_proposal);
void suite_of(const struct proposal *p, struct ike_suite *ret_suite);

/* A problem of a frame (FACT_NONE: of the whole). ERR_NOMEM. */
int add_problem(struct facts *f, size_t frame, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What an ICMP error quotes is cut short: what can be told of it. */
struct ts_packet quoted_packet(struct view quoted);
/* The fields of an ICMP error; info is that of the packet. */
struct icmp_error_fact icmp_error_read(struct view packet, const struct ip_info *info);

#endif
