/* child_install.h - a Child SA's two ESP SAs as actions for the data plane. For vpn/ike/ alone. */
#ifndef VPN_IKE_CHILD_INSTALL_H
#define VPN_IKE_CHILD_INSTALL_H

#include "vpn/ike/child_sa.h"

/* Derives the keys and queues the inbound SA, then the outbound one, unless that is to be delayed.
 */
int child_install(struct ike_sa *sa, struct child_sa *child, const struct child_agreement *agreed,
		  bool we_began);
/* Queues the outbound SA that was held back; nothing if there is none. */
void child_install_outbound(struct ike_sa *sa, struct child_sa *child);
/* Queues the removal, if that direction is installed. */
void child_uninstall(struct ike_sa *sa, struct child_sa *child, bool inbound);
/* The outer endpoints of the IKE SA have changed (RFC 7296 §2.23). */
void child_install_all_moved(struct ike_sa *sa);

#endif
