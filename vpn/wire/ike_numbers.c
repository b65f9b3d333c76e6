/* ike_numbers.c - names of IKEv2's numbers. */
#include "vpn/wire/ike_numbers.h"

#include <stdio.h>

#define X(name, value, text, ref) \
	case value:               \
		return text;

const char *ike_exchange_name(unsigned value, char *buf, unsigned cap)
{
	switch (value) {
		IKE_EXCHANGES(X)
	}
	snprintf(buf, cap, "EXCHANGE(%u)", value);
	return buf;
}

const char *ike_payload_name(unsigned value, char *buf, unsigned cap)
{
	switch (value) {
		IKE_PAYLOADS(X)
	}
	snprintf(buf, cap, "PAYLOAD(%u)", value);
	return buf;
}

const char *ike_notify_name(unsigned value, char *buf, unsigned cap)
{
	switch (value) {
		IKE_NOTIFIES(X)
	}
	snprintf(buf, cap, "N(%u)", value);
	return buf;
}
