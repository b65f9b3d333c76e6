/* info.c - names of states, events and log groups. */
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

const char *ike_log_group_name(enum ike_log_group group)
{
	static const char *const names[] = {"MGR", "IKE", "CHD", "CFG", "NET", "ENC", "KNL", "DMN"};

	return names[group];
}
