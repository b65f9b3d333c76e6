/* report.h - events for programs and sentences for people, queued as actions. */
#ifndef VPN_IKE_REPORT_H
#define VPN_IKE_REPORT_H

#include "vpn/ike/ike_sa.h"

/* sa and child may be NULL. */
void report_log(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		enum ike_log_group group, int level, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void report_event(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		  enum ike_event_kind kind, uint16_t notify, uint32_t number, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* The end of an SA, with its cause: IKE_DOWN, IKE_FAILED, CHILD_DOWN, CHILD_FAILED. */
void report_end(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		enum ike_event_kind kind, enum ike_cause cause, uint16_t notify, const char *why);
/* Counts the reason and reports it. */
/* The peer was at `old` and is elsewhere now. */
void report_moved_peer(struct ike_sa *sa, const struct endpoint *old);
void report_dropped(struct ike_engine *e, const struct ike_sa *sa, enum ike_drop reason,
		    const struct endpoint *remote);
/* "sending" or "parsed" with the names of the payloads, as strongSwan logs messages. */
void report_message(const struct ike_sa *sa, const char *verb, const struct ike_header *hdr,
		    const struct ike_payloads *payloads);

#endif
