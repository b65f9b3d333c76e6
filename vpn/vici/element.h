/* element.h - the element types of a vici message. Private to vpn/vici. */
#ifndef VPN_VICI_ELEMENT_H
#define VPN_VICI_ELEMENT_H

enum vici_element {
	VICI_SECTION_START = 1,
	VICI_SECTION_END = 2,
	VICI_KEY_VALUE = 3,
	VICI_LIST_START = 4,
	VICI_LIST_ITEM = 5,
	VICI_LIST_END = 6,
};

#endif
