/* sock.c - opening sockets and translating control messages. Nothing here knows ESP or IKE.
 *
 * UDP checksums stay on for ESP: RFC 3948 §2.1 would have them zero over IPv4, but UDP_SEGMENT
 * needs them, receivers must accept both, and the hardware or the veth computes them.
 *
 * DF is a property of the socket (IP_MTU_DISCOVER), not of a message. "DO" sets it and makes the
 * kernel answer EMSGSIZE once it has learnt a smaller path MTU; "DONT" clears it and lets IP
 * fragment. */
#include "vpn/dataplane/sock.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vpn/base/proto.h"

#define SOCKET_BUFFER (4 << 20) /* 4 MB: 25 ms at 1 Gbit/s */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static bool receive_options_v4(int fd)
{
	return !set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) && !set_int(fd, IPPROTO_IP, IP_RECVTOS, 1) &&
	       !set_int(fd, IPPROTO_IP, IP_RECVTTL, 1);
}

static bool receive_options_v6(int fd)
{
	return !set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
	       !set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) &&
	       !set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

static void set_buffer(int fd, int force, int plain)
{
	if (set_int(fd, SOL_SOCKET, force, SOCKET_BUFFER))
		set_int(fd, SOL_SOCKET, plain, SOCKET_BUFFER);
}

static int set_options(struct dp_sock *s, uint32_t fwmark, bool offload)
{
	if (!(s->family == 6 ? receive_options_v6(s->fd) : receive_options_v4(s->fd)))
		return -errno;
	if (s->family == 6 && s->kind != SOCK_ESP && set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return -errno;
	if (fwmark && set_int(s->fd, SOL_SOCKET, SO_MARK, (int)fwmark))
		return -errno;
	set_buffer(s->fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(s->fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (s->kind == SOCK_NATT && offload) {
		s->gro = set_int(s->fd, IPPROTO_UDP, UDP_GRO, 1) == 0;
		s->gso = set_int(s->fd, IPPROTO_UDP, UDP_SEGMENT, 0) == 0;
	}
	return 0;
}

static int bind_port(struct dp_sock *s, uint16_t port)
{
	struct endpoint any = {.addr = {.family = s->family}, .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&any, &ss);

	if (s->kind == SOCK_ESP)
		return 0;
	if (bind(s->fd, (struct sockaddr *)&ss, len))
		return -errno;
	len = sizeof(ss);
	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) ||
	    endpoint_from_sockaddr((struct sockaddr *)&ss, &any))
		return -errno;
	s->port = any.port;
	return 0;
}

static int explain(const struct dp_sock *s, uint16_t port, int error, struct err_msg *msg)
{
	const char *what = s->kind == SOCK_ESP ? "raw ESP socket" : "UDP socket";

	if (error == EPERM || error == EACCES)
		return err_set(msg, ERR_PERM,
			       "%s: not permitted (CAP_NET_ADMIN and CAP_NET_RAW are needed)",
			       what);
	if (error == EADDRINUSE)
		return err_set(msg, ERR_EXISTS, "UDP port %u (IPv%u) is in use by another program",
			       port, s->family);
	return err_set(msg, ERR_IO, "%s (IPv%u, port %u): %s", what, s->family, port,
		       strerror(error));
}

int sock_open(struct dp_sock *s, uint8_t family, enum sock_kind kind, uint16_t port,
	      uint32_t fwmark, bool offload, struct err_msg *msg)
{
	int type = (kind == SOCK_ESP ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int err;

	*s = (struct dp_sock){.family = family, .kind = kind, .df = -1};
	s->fd = socket(family == 6 ? AF_INET6 : AF_INET, type,
		       kind == SOCK_ESP ? IP_PROTO_ESP : IPPROTO_UDP);
	if (s->fd < 0 && errno == EAFNOSUPPORT)
		return 0;
	err = s->fd < 0 ? -errno : set_options(s, fwmark, offload);
	if (!err)
		err = bind_port(s, port);
	if (!err)
		return 0;
	sock_close(s);
	return explain(s, port, -err, msg);
}

void sock_close(struct dp_sock *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void sock_set_df(struct dp_sock *s, bool df)
{
	if (s->df == df)
		return;
	s->df = df;
	if (s->family == 6)
		set_int(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			df ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
	else
		set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
}

/* Appends one control message; the room is known to be enough. */
static void put_control(struct msghdr *hdr, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)hdr->msg_control + hdr->msg_controllen);

	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	hdr->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *hdr, const struct ip_addr *src)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (src->family == 4) {
		memcpy(&v4.ipi_spec_dst, src->b, 4);
		put_control(hdr, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, src->b, 16);
		put_control(hdr, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}

void sock_fill(const struct dp_sock *s, const struct sock_out *out, struct msghdr *hdr,
	       struct sock_msg *room)
{
	struct endpoint to = out->remote;
	int tos = out->hdr.tos, ttl = out->hdr.ttl;
	bool v6 = s->family == 6;

	if (s->kind == SOCK_ESP)
		to.port = 0;
	*hdr = (struct msghdr){.msg_name = &room->to,
			       .msg_namelen = endpoint_to_sockaddr(&to, &room->to),
			       .msg_iov = out->iov,
			       .msg_iovlen = out->iovlen,
			       .msg_control = room->control.octets};
	if (!ip_addr_is_any(&out->local.addr))
		put_source(hdr, &out->local.addr);
	if (tos)
		put_control(hdr, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
			    sizeof(tos));
	if (ttl)
		put_control(hdr, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl,
			    sizeof(ttl));
	if (out->mark)
		put_control(hdr, SOL_SOCKET, SO_MARK, &out->mark, sizeof(out->mark));
	if (out->segment)
		put_control(hdr, IPPROTO_UDP, UDP_SEGMENT, &out->segment, sizeof(out->segment));
}

static int read_int(const struct cmsghdr *c)
{
	int v = 0;
	size_t len = c->cmsg_len - CMSG_LEN(0);

	if (len == 1) /* IP_TOS comes as one octet */
		return *(const uint8_t *)CMSG_DATA(c);
	memcpy(&v, CMSG_DATA(c), len < sizeof(v) ? len : sizeof(v));
	return v;
}

static void read_v4(const struct cmsghdr *c, struct sock_in *in)
{
	struct in_pktinfo info;

	if (c->cmsg_type == IP_TOS) {
		in->hdr.tos = (uint8_t)read_int(c);
	} else if (c->cmsg_type == IP_TTL) {
		in->hdr.ttl = (uint8_t)read_int(c);
	} else if (c->cmsg_type == IP_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		in->to.addr = ip_addr_from_v4((const uint8_t *)&info.ipi_addr);
	}
}

static void read_v6(const struct cmsghdr *c, struct sock_in *in)
{
	struct in6_pktinfo info;

	if (c->cmsg_type == IPV6_TCLASS) {
		in->hdr.tos = (uint8_t)read_int(c);
	} else if (c->cmsg_type == IPV6_HOPLIMIT) {
		in->hdr.ttl = (uint8_t)read_int(c);
	} else if (c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		in->to.addr = ip_addr_from_v6((const uint8_t *)&info.ipi6_addr);
	}
}

void sock_read_control(const struct dp_sock *s, struct msghdr *hdr, struct sock_in *ret_in)
{
	struct sock_in in = {.to.port = s->port, .hdr.no_id = true};
	struct cmsghdr *c;

	endpoint_from_sockaddr((const struct sockaddr *)hdr->msg_name, &in.from);
	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			read_v4(c, &in);
		else if (c->cmsg_level == IPPROTO_IPV6)
			read_v6(c, &in);
		else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			in.segment = (size_t)read_int(c);
	}
	*ret_in = in;
}

static int query(int fd, const struct ip_addr *dst, struct route_answer *ret)
{
	struct endpoint to = {.addr = *dst, .port = IKE_NATT_PORT}, from;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&to, &ss);
	int mtu;
	bool v6 = dst->family == 6;

	if (connect(fd, (struct sockaddr *)&ss, len))
		return ERR_NOT_FOUND;
	len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) ||
	    endpoint_from_sockaddr((struct sockaddr *)&ss, &from))
		return ERR_IO;
	len = sizeof(mtu);
	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len))
		return ERR_IO;
	*ret = (struct route_answer){.src = from.addr, .mtu = (uint32_t)mtu};
	return 0;
}

int sock_route_query(const struct ip_addr *dst, uint32_t fwmark, struct route_answer *ret)
{
	int fd = socket(dst->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return ERR_IO;
	if (fwmark)
		set_int(fd, SOL_SOCKET, SO_MARK, (int)fwmark);
	err = query(fd, dst, ret);
	close(fd);
	return err;
}
