/* config_role.h - which end of an IKE SA a connection of the file is, and what was refused there.
 */
#ifndef HARNESS_EXPLAIN_CONFIG_ROLE_H
#define HARNESS_EXPLAIN_CONFIG_ROLE_H

#include "harness/explain/rule.h"

enum role { ROLE_NONE, ROLE_INITIATOR, ROLE_RESPONDER };

/* By addresses; behind a NAT box the other end's alone says so. NONE: neither, or both. */
enum role config_role(const struct conf_section *conn, const struct ike_sa_fact *sa);
/* The connection may be an end of that IKE SA, as the initiator or the responder. */
bool config_can_be(const struct conf_section *conn, const struct ike_sa_fact *sa, enum role role);

typedef int config_request_fn(const struct survey *s, struct findings *out,
			      const struct ike_msg *request, const struct conf_section *conn);
/* For each request that was refused with that notify, was opened, and was for the file's end. */
int config_for_each_refusal(const struct survey *s, struct findings *out, uint16_t notify,
			    config_request_fn *judge);

#endif
