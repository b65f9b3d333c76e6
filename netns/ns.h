/* ns.h - named network namespaces (/run/netns/NAME, as `ip netns` has them), and entering them.
 *
 * A namespace is a property of a thread: ns_enter moves the calling thread alone. */
#ifndef NETNS_NS_H
#define NETNS_NS_H

/* Makes the namespace; the caller stays where it is. ERR_EXISTS, ERR_PERM, ERR_IO. */
int ns_create(const char *name);
/* A descriptor that enters it, closed on exec; the caller closes it. */
int ns_open(const char *name, int *ret_fd);
/* 0 also if there is none. The namespace itself ends with its last process and descriptor. */
int ns_delete(const char *name);

/* Moves the calling thread into the namespace; *ret_back brings it home by ns_leave. */
int ns_enter(int fd, int *ret_back);
void ns_leave(int back);

/* Writes a value to a sysctl ("net.ipv4.ip_forward") of the namespace that the thread is in. */
int ns_sysctl(const char *key, const char *value);

#endif
