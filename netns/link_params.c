/* link_params.c - what parameters and aims of a link may say.
 *
 * A mistake is best told before the link runs: a probability of 30 that was meant as 30 %, a queue
 * limit without a rate. Whether a pcap filter compiles is found by link_aims.c. */
#include "netns/link_params.h"
#include <ctype.h>
#include <string.h>

#define RATE_MAX UINT64_C(1000000000000) /* so that the octets of a packet never take 0 ns */
#define TIME_MAX (LINK_S * 86400 * 365)	 /* so that sums of times do not overflow */

static int check_probabilities(const struct link_params *p, struct err_msg *msg)
{
	const struct {
		const char *name;
		double value;
	} all[] = {
	    {"loss", p->loss},
	    {"burst to_bad", p->burst.to_bad},
	    {"burst to_good", p->burst.to_good},
	    {"burst loss_bad", p->burst.loss_bad},
	    {"burst loss_good", p->burst.loss_good},
	    {"corrupt", p->corrupt},
	    {"duplicate", p->duplicate},
	    {"reorder", p->reorder},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!(all[i].value >= 0 && all[i].value <= 1))
			return err_set(msg, ERR_INVALID, "%s %g: not a probability, 0 to 1",
				       all[i].name, all[i].value);
	return 0;
}

static int check_times(const struct link_params *p, struct err_msg *msg)
{
	const struct {
		const char *name;
		int64_t value;
	} all[] = {{"delay", p->delay}, {"jitter", p->jitter}, {"reorder_wait", p->reorder_wait}};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].value < 0 || all[i].value > TIME_MAX)
			return err_set(msg, ERR_INVALID, "%s: below 0 or above a year",
				       all[i].name);
	return 0;
}

int link_params_check(const struct link_params *p, struct err_msg *msg)
{
	int err = check_probabilities(p, msg);

	if (err == 0)
		err = check_times(p, msg);
	if (err < 0)
		return err;
	if (p->mtu && p->mtu < 68) /* RFC 791 §3.2 */
		return err_set(msg, ERR_INVALID, "mtu %u: IPv4 needs 68", p->mtu);
	if (p->rate > RATE_MAX)
		return err_set(msg, ERR_INVALID, "rate: above 1 Tbit/s");
	if ((p->queue_packets || p->queue_octets) && !p->rate)
		return err_set(msg, ERR_INVALID, "queue: nothing waits without a rate");
	if (p->icmp == LINK_ICMP_LIMITED && !(p->icmp_per_second > 0))
		return err_set(msg, ERR_INVALID, "icmp_per_second: must be above 0");
	if ((p->icmp_source4.family && p->icmp_source4.family != 4) ||
	    (p->icmp_source6.family && p->icmp_source6.family != 6))
		return err_set(msg, ERR_INVALID, "icmp_source: of the wrong family");
	return 0;
}

static bool is_name(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_. ", name[i]))
			return false;
	return true;
}

int link_aim_check(const struct link_aim *aim, struct err_msg *msg)
{
	if (!memchr(aim->name, 0, sizeof(aim->name)) ||
	    !memchr(aim->filter, 0, sizeof(aim->filter)))
		return err_set(msg, ERR_INVALID, "aim: name or filter is too long");
	if (!is_name(aim->name))
		return err_set(msg, ERR_INVALID, "aim: name has other than letters, digits, -_.");
	if (aim->delay < 0 || aim->delay > TIME_MAX)
		return err_set(msg, ERR_INVALID, "aim %s: delay below 0 or above a year",
			       aim->name);
	if (aim->act == LINK_ACT_DELAY && aim->delay == 0)
		return err_set(msg, ERR_INVALID, "aim %s: delays by nothing", aim->name);
	if (aim->until && aim->until <= aim->from)
		return err_set(msg, ERR_INVALID, "aim %s: ends before it begins", aim->name);
	return 0;
}
