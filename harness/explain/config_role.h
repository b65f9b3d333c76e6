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

/* The response that has taken one of the IKE proposals, with an SA payload; FACT_NONE: none has. */
size_t config_init_response(const struct survey *s, const struct ike_sa_fact *sa);

/* Of the file held against SAs that came up (succeeded) or did not; each opens or adds to the
 * finding of the running rule. config_proposal.c: of IKE; config_match.c: what the peer says it is.
 */
int config_judge_offers(const struct survey *s, struct findings *out, enum role role,
			bool succeeded);
int config_judge_ids(const struct survey *s, struct findings *out, bool succeeded);
/* True if b is empty, too: dynamic, whatever the addresses are. */
bool config_ts_overlap(const struct ts_list *a, const struct ts_list *b);

typedef int config_request_fn(const struct survey *s, struct findings *out,
			      const struct ike_msg *request, const struct conf_section *conn);
/* For each request that was refused with that notify, was opened, and was for the file's end. */
int config_for_each_refusal(const struct survey *s, struct findings *out, uint16_t notify,
			    config_request_fn *judge);

#endif
