/* link.h - where the IP packet begins in a frame: Ethernet with VLAN tags, raw IP, Linux cooked
 * capture, BSD loopback. */
#ifndef HARNESS_DISSECT_LINK_H
#define HARNESS_DISSECT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "vpn/base/reader.h"

bool link_is_known(int linktype);

/* Offset of the IP header; frame.len if the frame carries no IP packet or is cut short. */
size_t link_ip_offset(int linktype, struct view frame);

#endif
