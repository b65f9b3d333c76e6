/* link_support.h - packets for the tests of the link's model, and what became of them. */
#ifndef NETNS_TESTS_LINK_SUPPORT_H
#define NETNS_TESTS_LINK_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "netns/link_model.h"
#include "vpn/base/proto.h"
#include "vpn/base/writer.h"
#include "vpn/wire/packet/csum.h"

#define RESULTS_MAX 20000

/* What came of the packets that were sent, in order of their fates. */
struct results {
	struct link_record all[RESULTS_MAX];
	size_t count;
};

static struct results results;

static inline void note(void *arg, const struct link_record *record)
{
	struct results *to = arg;

	assert_true(to->count < RESULTS_MAX);
	to->all[to->count++] = *record;
}

static inline struct link_model *new_model(const struct link_params *params, uint64_t seed)
{
	const struct link_model_spec spec = {.framing = LINK_RAW_IP,
					     .seed = seed,
					     .params = *params,
					     .on_drop = note,
					     .arg = &results};
	struct link_model *model = NULL;
	struct err_msg msg = {{0}};

	results.count = 0;
	if (link_model_new(&spec, &model, &msg) < 0)
		fail_msg("%s", msg.text);
	return model;
}

static inline void add_aim(struct link_model *model, const struct link_aim *aim)
{
	struct err_msg msg = {{0}};

	if (link_model_aim(model, aim, &msg) < 0)
		fail_msg("%s", msg.text);
}

/* An IPv4 UDP packet of so many octets in all, from 192.0.2.1 to 198.51.100.1; frag: flags and
 * offset. */
static inline size_t make_udp4(uint8_t *buf, size_t len, uint16_t port, uint16_t frag)
{
	struct writer w = wr_init(buf, len);
	struct ip_info info;

	wr_u32(&w, 0x45000000U | (uint32_t)len);
	wr_u32(&w, 0x12340000U | frag);
	wr_u32(&w, 64U << 24 | (uint32_t)IP_PROTO_UDP << 16);
	wr_u32(&w, 0xc0000201);
	wr_u32(&w, 0xc6336401);
	wr_u16(&w, port);
	wr_u16(&w, port);
	wr_u16(&w, (uint16_t)(len - IPV4_HDR_LEN));
	wr_u16(&w, 0);
	wr_zero(&w, len - w.len);
	assert_true(wr_ok(&w));
	ipv4_set_checksum(buf, IPV4_HDR_LEN);
	assert_int_equal(ip_parse(buf, len, &info), 0);
	wr_patch16(&w, IPV4_HDR_LEN + 6, ip_l4_checksum(buf, &info));
	return len;
}

/* The same for IPv6, from 2001:db8::1 to 2001:db8::2. */
static inline size_t make_udp6(uint8_t *buf, size_t len, uint16_t port)
{
	static const uint8_t net[15] = {0x20, 0x01, 0x0d, 0xb8};
	struct writer w = wr_init(buf, len);

	wr_u32(&w, 6U << 28);
	wr_u16(&w, (uint16_t)(len - IPV6_HDR_LEN));
	wr_u16(&w, (uint16_t)(IP_PROTO_UDP << 8 | 64));
	wr_bytes(&w, net, 15), wr_u8(&w, 1);
	wr_bytes(&w, net, 15), wr_u8(&w, 2);
	wr_u16(&w, port);
	wr_u16(&w, port);
	wr_u16(&w, (uint16_t)(len - IPV6_HDR_LEN));
	wr_u16(&w, 0xffff);
	wr_zero(&w, len - w.len);
	assert_true(wr_ok(&w));
	return len;
}

static inline void send_udp(struct link_model *model, size_t len, uint16_t port, int64_t now)
{
	uint8_t buf[9000];

	assert_int_equal(link_model_send(model, buf, make_udp4(buf, len, port, 0), 0, now), 0);
}

/* Takes out all that is due until then, each at its own time. */
static inline void take_until(struct link_model *model, int64_t until)
{
	struct link_delivery delivery;
	int64_t next;

	while ((next = link_model_next(model)) <= until && next != LINK_NEVER)
		while (link_model_pop(model, next, &delivery))
			note(&results, &delivery.record);
}

static inline struct link_counters counters_of(const struct link_model *model)
{
	struct link_counters counters;

	link_model_counters(model, &counters);
	return counters;
}

/* The numbers of what got out, in that order: "1 3 2 2", for literal comparison. */
static inline const char *delivered(void)
{
	static char text[4096];
	size_t i, len = 0;

	text[0] = 0;
	for (i = 0; i < results.count; i++)
		if (results.all[i].reason == LINK_DELIVERED && len < sizeof(text) - 24)
			len += (size_t)sprintf(text + len, "%s%llu", len ? " " : "",
					       (unsigned long long)results.all[i].number);
	return text;
}

#endif
