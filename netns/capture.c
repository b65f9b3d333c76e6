/* capture.c - a packet socket in a node, read by a thread of its own.
 *
 * The socket is opened and bound in the node's namespace before capture_start returns, so nothing
 * that is sent later is missed; it stays in that namespace, whichever the reading thread is in.
 * Immediate mode: a packet is readable when it arrived, not when a block is full.
 *
 * The end: the kernel counts what came (ps_recv, of which ps_drop found no room). The thread goes
 * on reading until it has had all of the rest; only then is the file closed. Any drop is an error,
 * since a check that reads the capture would take what is missing for never sent. The filter is
 * applied here and not by the kernel, whose count would have what came before the filter was set.
 *
 * Ownership: struct capture has the pcap handle, the dump file and the thread; capture_stop ends
 * them. */
#include "netns/capture.h"
#include "netns/ns.h"
#include "netns/wait.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SNAPLEN	    65535
#define BUFFER_SIZE (16 << 20)
#define DRAIN_MS    2000

struct capture {
	pcap_t *pcap;
	pcap_dumper_t *dump;
	capture_fn *on_packet;
	void *arg;
	pthread_t thread;
	int stop_fd;
	struct bpf_program filter; /* no instructions: everything */
	uint64_t had;		   /* from the kernel, whether the filter let it pass or not */
	_Atomic uint64_t count;
	struct pcap_stat stats; /* the kernel's count when the last packet was taken */
	bool failed;
};

static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *capture = (struct capture *)(void *)user;

	capture->had++;
	if (capture->filter.bf_len && !pcap_offline_filter(&capture->filter, header, bytes))
		return;
	if (capture->dump)
		pcap_dump((u_char *)capture->dump, header, bytes);
	if (capture->on_packet)
		capture->on_packet(bytes, header->caplen, capture->arg);
	atomic_fetch_add(&capture->count, 1);
}

static void take_all(struct capture *capture)
{
	int got;

	do
		got = pcap_dispatch(capture->pcap, -1, take_packet, (u_char *)capture);
	while (got > 0);
	capture->failed |= got < 0;
}

static bool is_drained(struct capture *capture)
{
	if (pcap_stats(capture->pcap, &capture->stats) < 0) {
		capture->failed = true;
		return true;
	}
	return capture->had + capture->stats.ps_drop >= capture->stats.ps_recv;
}

static void drain(struct capture *capture)
{
	struct pollfd socket = {.fd = pcap_get_selectable_fd(capture->pcap), .events = POLLIN};
	int64_t deadline = wait_now_ms() + DRAIN_MS;

	take_all(capture);
	/* What arrives after the look that found nothing missing is after the end. */
	while (!capture->failed && !is_drained(capture) && wait_now_ms() < deadline) {
		poll(&socket, 1, 10);
		take_all(capture);
	}
}

static void *capture_thread(void *arg)
{
	struct capture *capture = arg;
	struct pollfd fds[] = {
	    {.fd = pcap_get_selectable_fd(capture->pcap), .events = POLLIN},
	    {.fd = capture->stop_fd, .events = POLLIN},
	};

	while (!capture->failed && !fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			capture->failed = true;
		else
			take_all(capture);
	}
	drain(capture);
	return NULL;
}

static int pcap_failed(pcap_t *pcap, const char *ifname, struct err_msg *msg)
{
	return err_set(msg, ERR_IO, "capture on %s: %s", ifname, pcap_geterr(pcap));
}

static int activate(pcap_t *pcap, const struct capture_spec *spec, struct err_msg *msg)
{
	char error[PCAP_ERRBUF_SIZE];

	pcap_set_snaplen(pcap, SNAPLEN);
	pcap_set_buffer_size(pcap, BUFFER_SIZE);
	pcap_set_immediate_mode(pcap, 1);
	pcap_set_promisc(pcap, 1);
	if (pcap_activate(pcap) < 0)
		return pcap_failed(pcap, spec->ifname, msg);
	if (pcap_setnonblock(pcap, 1, error) < 0)
		return err_set(msg, ERR_IO, "capture on %s: %s", spec->ifname, error);
	return 0;
}

static int open_pcap(struct net *net, const struct capture_spec *spec, pcap_t **ret_pcap,
		     struct err_msg *msg)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap;
	int back, err, fd = net_node_fd(net, spec->node);

	if (fd < 0)
		return err_set(msg, ERR_NOT_FOUND, "no node named %s", spec->node);
	if (ns_enter(fd, &back) < 0)
		return err_set(msg, ERR_IO, "%s: cannot be entered", spec->node);
	pcap = pcap_create(spec->ifname, error);
	err = pcap ? activate(pcap, spec, msg)
		   : err_set(msg, ERR_IO, "capture on %s: %s", spec->ifname, error);
	ns_leave(back);
	if (err < 0) {
		if (pcap)
			pcap_close(pcap);
		return err;
	}
	*ret_pcap = pcap;
	return 0;
}

static void capture_free(struct capture *capture)
{
	if (capture->dump)
		pcap_dump_close(capture->dump);
	pcap_freecode(&capture->filter);
	if (capture->pcap)
		pcap_close(capture->pcap);
	if (capture->stop_fd >= 0)
		close(capture->stop_fd);
	free(capture);
}

int capture_start(struct net *net, const struct capture_spec *spec, struct capture **ret_capture,
		  struct err_msg *msg)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return err_set(msg, ERR_NOMEM, "out of memory");
	capture->on_packet = spec->on_packet;
	capture->arg = spec->arg;
	capture->stop_fd = eventfd(0, EFD_CLOEXEC);
	err = open_pcap(net, spec, &capture->pcap, msg);
	if (err == 0 && spec->filter &&
	    pcap_compile(capture->pcap, &capture->filter, spec->filter, 1, PCAP_NETMASK_UNKNOWN) <
		0)
		err = pcap_failed(capture->pcap, spec->ifname, msg);
	if (err == 0 && spec->path) {
		capture->dump = pcap_dump_open(capture->pcap, spec->path);
		if (!capture->dump)
			err = pcap_failed(capture->pcap, spec->ifname, msg);
	}
	if (err == 0 && (capture->stop_fd < 0 ||
			 pthread_create(&capture->thread, NULL, capture_thread, capture) != 0))
		err = err_set(msg, ERR_IO, "capture on %s: no thread", spec->ifname);
	if (err < 0) {
		capture_free(capture);
		return err;
	}
	*ret_capture = capture;
	return 0;
}

uint64_t capture_count(const struct capture *capture)
{
	return atomic_load(&capture->count);
}

int capture_stop(struct capture *capture, uint64_t *ret_count, struct err_msg *msg)
{
	const struct pcap_stat *stats = &capture->stats;
	uint64_t count;
	int err = 0;

	eventfd_write(capture->stop_fd, 1);
	pthread_join(capture->thread, NULL);
	count = atomic_load(&capture->count);
	if (capture->failed)
		err = err_set(msg, ERR_IO, "capture: %s", pcap_geterr(capture->pcap));
	else if (stats->ps_drop > 0 || capture->had < stats->ps_recv)
		err = err_set(msg, ERR_IO, "capture: %u of %u packets lost",
			      (unsigned)(stats->ps_recv - capture->had), stats->ps_recv);
	else if (capture->dump && pcap_dump_flush(capture->dump) < 0)
		err = err_set(msg, ERR_IO, "capture: file: %s", strerror(errno));
	capture_free(capture);
	if (err == 0 && ret_count)
		*ret_count = count;
	return err;
}
