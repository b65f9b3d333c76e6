/* udp_transfer.c - a receiver that is listening before the sender begins, and ends when nothing has
 * come for a second after the sender has ended.
 *
 * A datagram is its number (32 bits), the run's cookie, and octets that follow from the number, so
 * that one alone can be judged. The sender paces itself by the clock, a datagram a millisecond, as
 * voice does; it is not a load generator. */
#include "harness/udp_transfer.h"
#include "netns/ns.h"
#include "vpn/base/addr.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 1000
#define PACE_NS	 1000000
#define COOKIE	 0x62656574u

struct sender {
	const struct udp_transfer *transfer;
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

static void fill(uint8_t *data, size_t size, uint32_t number)
{
	uint64_t state = (number + 1) * 0x9e3779b97f4a7c15ULL;
	size_t i;

	memcpy(data, &number, 4);
	memcpy(data + 4, &(uint32_t){COOKIE}, 4);
	for (i = 8; i < size; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		data[i] = (uint8_t)(state >> 32);
	}
}

static int send_all(void *arg)
{
	const struct sender *sender = arg;
	const struct timespec pace = {.tv_nsec = PACE_NS};
	uint8_t data[UDP_TRANSFER_MAX_SIZE];
	int fd = socket(sender->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t i;

	for (i = 0; i < sender->transfer->count; i++) {
		fill(data, sender->transfer->size, i);
		/* A datagram that the path refuses is a lost one, for the receiver to count. */
		if (sendto(fd, data, sender->transfer->size, 0,
			   (const struct sockaddr *)&sender->addr, sender->addr_len) < 0 &&
		    (errno == EBADF || errno == ENETUNREACH))
			return 1;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pace, NULL);
	}
	return 0;
}

static int open_receiver(struct net *net, struct sender *sender, int *ret_fd, struct err_msg *msg)
{
	int back, fd, size = 8 << 20;
	int err = ns_enter(net_node_fd(net, sender->transfer->to), &back);

	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", sender->transfer->to);
	fd = socket(sender->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ns_leave(back);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sender->addr, sender->addr_len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sender->addr, &sender->addr_len) < 0) {
		err = err_set(msg, ERR_IO, "UDP receiver at %s: %s", sender->transfer->address,
			      strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static void judge(const struct udp_transfer *transfer, const uint8_t *data, ssize_t len,
		  uint8_t *seen, struct udp_result *result)
{
	uint8_t want[UDP_TRANSFER_MAX_SIZE];
	uint32_t number;

	memcpy(&number, data, len >= 4 ? 4 : 0);
	if (len != (ssize_t)transfer->size || number >= transfer->count) {
		result->damaged++;
		return;
	}
	fill(want, transfer->size, number);
	if (memcmp(want, data, transfer->size) != 0)
		result->damaged++;
	else if (seen[number]++)
		result->duplicates++;
	else
		result->arrived++;
}

/* The socket's buffer holds what came while the sender ran. */
static void receive(int fd, const struct udp_transfer *transfer, uint8_t *seen,
		    struct udp_result *result)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	uint8_t data[UDP_TRANSFER_MAX_SIZE + 1];
	ssize_t len;

	while (result->arrived < transfer->count && poll(&readable, 1, QUIET_MS) > 0)
		while ((len = recv(fd, data, sizeof(data), 0)) >= 0)
			judge(transfer, data, len, seen, result);
}

int udp_transfer_run(struct net *net, const struct udp_transfer *transfer,
		     struct udp_result *ret_result, struct err_msg *msg)
{
	struct sender sender = {.transfer = transfer};
	struct udp_result result = {.arrived = 0};
	struct endpoint endpoint = {.port = 0};
	uint8_t *seen = NULL;
	int fd = -1, status, err;

	if (ip_addr_parse(transfer->address, &endpoint.addr) < 0 ||
	    transfer->count > UDP_TRANSFER_MAX_COUNT || transfer->size < UDP_TRANSFER_MIN_SIZE ||
	    transfer->size > UDP_TRANSFER_MAX_SIZE)
		return err_set(msg, ERR_INVALID, "UDP: %u datagrams of %u octets to %s",
			       transfer->count, transfer->size, transfer->address);
	sender.addr_len = endpoint_to_sockaddr(&endpoint, &sender.addr);
	err = open_receiver(net, &sender, &fd, msg);
	if (err < 0)
		return err;
	seen = calloc(1, transfer->count);
	if (!seen)
		err = err_set(msg, ERR_NOMEM, "out of memory");
	if (err == 0)
		err = net_call(net, transfer->from, send_all, &sender, &status, msg);
	if (err == 0 && status != 0)
		err = err_set(msg, ERR_IO, "UDP from %s: cannot send", transfer->from);
	if (err == 0) {
		receive(fd, transfer, seen, &result);
		*ret_result = result;
	}
	free(seen);
	close(fd);
	return err;
}
