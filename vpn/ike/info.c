/* info.c - names of states, events, causes and log groups. */
#include "vpn/ike/info.h"

#include "vpn/ike/action.h"

#define X(name, text) \
	case name:    \
		return text;

const char *ike_sa_state_name(enum ike_sa_state state)
{
	switch (state) {
		IKE_SA_STATES(X)
	}
	return "?";
}

const char *child_sa_state_name(enum child_sa_state state)
{
	switch (state) {
		CHILD_SA_STATES(X)
	}
	return "?";
}

const char *ike_event_name(enum ike_event_kind kind)
{
	switch (kind) {
		IKE_EVENTS(X)
	}
	return "?";
}

const char *ike_cause_name(enum ike_cause cause)
{
	switch (cause) {
	case CAUSE_NONE:
		return NULL;
	case CAUSE_LOCAL:
		return "local";
	case CAUSE_PEER:
		return "peer";
	case CAUSE_TIMEOUT:
		return "timeout";
	case CAUSE_EXPIRED:
		return "expired";
	case CAUSE_REPLACED:
		return "replaced";
	case CAUSE_MOVED:
		return "moved";
	case CAUSE_REAUTH:
		return "reauth";
	case CAUSE_ERROR:
		return "error";
	}
	return NULL;
}

const char *ike_log_group_name(enum ike_log_group group)
{
	static const char *const names[] = {"MGR", "IKE", "CHD", "CFG", "NET", "ENC", "KNL", "DMN"};

	return names[group];
}
