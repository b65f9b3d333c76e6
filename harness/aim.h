/* aim.h - impairments aimed at packets by what they are: "the 2nd IKE_AUTH response is dropped".
 *
 * Pure. What is asked of a packet is what shows outside: kind of packet, exchange, request or
 * response, sender, message ID, which IKE SA, fragment, and a pcap filter; no keys. A wire
 * (netns/link_wire.h) or a simulated link (netns/link_model.h) asks for each packet. */
#ifndef HARNESS_AIM_H
#define HARNESS_AIM_H

#include "harness/fields.h"
#include "netns/link_params.h"

#define AIM_SAS_MAX 256

enum aim_packet { AIM_ANY, AIM_IKE, AIM_ESP, AIM_KEEPALIVE };
enum aim_kind { AIM_REQUEST = 1, AIM_RESPONSE };
enum aim_sender { AIM_INITIATOR = 1, AIM_RESPONDER };

struct sc_aim {
	unsigned line;
	const char *name;	     /* in the log; NULL: "drop IKE_AUTH response" */
	int act;		     /* enum link_act */
	int packet;		     /* enum aim_packet */
	const char *message;	     /* "IKE_AUTH"; NULL: any */
	int kind;		     /* enum aim_kind; 0: any */
	int from;		     /* enum aim_sender, of the IKE SA; 0: any */
	const char *id;		     /* message ID; NULL: any */
	unsigned ike_sa;	     /* by the order in which they are seen, from 1; 0: any */
	int fragment;		     /* enum link_fragment */
	const char *filter;	     /* pcap-filter(7); NULL: every packet */
	const char *to;		     /* node at the end of the wire; NULL: both directions */
	unsigned nth, count;	     /* of those that fit; 0: all, or one if nth is given */
	unsigned after_ms, until_ms; /* since the wire began, or the aim was added; 0: no end */
	unsigned by_ms;		     /* delay, hold, reorder: how long, at most */
	unsigned gap;		     /* duplicate: copies; reorder: packets */

	/* IKE SAs seen, by their initiators' SPIs. */
	struct {
		uint64_t spi_i[AIM_SAS_MAX];
		unsigned count;
	} seen;
};

field_fn field_aims; /* struct item_list of struct sc_aim */

/* The link's form of it; it points to the aim, which counts what it sees. Not to be armed for two
 * runs at once. */
struct link_aim aim_arm(struct sc_aim *aim);
/* Whether a packet is one that is meant, but for what the link itself looks at. */
bool aim_match(void *aim, const uint8_t *ip, size_t len);
/* ERR_INVALID: what no link can do, a filter that is none. */
int aim_check(const struct sc_aim *aim, struct err_msg *msg);
/* "drop no. 2 of IKE_AUTH response to vps". Returns buf. */
const char *aim_describe(const struct sc_aim *aim, char *buf, size_t cap);

#endif
