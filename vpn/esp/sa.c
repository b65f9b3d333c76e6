/* sa.c - making an SA from its description, and its counters and limits. */
#include "vpn/esp/sa.h"

#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/wire/packet/esp_hdr.h"

#define SHA256_96_ICV_LEN 12 /* of a draft before RFC 4868, still in old kernels */

/* BEET is host to host: the header that is left out must follow from the SA alone
 * (RFC 7402 §B.1.1). Ports and protocols may be narrowed. */
static bool is_one_host(const struct ts_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!ip_addr_eq(&list->v[i].lo, &list->v[i].hi) ||
		    !ip_addr_eq(&list->v[i].lo, &list->v[0].lo))
			return false;
	return list->n > 0;
}

static int check_desc(const struct ipsec_sa *d, const struct cipher_info *info)
{
	if (d->key_len != info->encr_key_len + info->integ_key_len || d->spi < ESP_SPI_MIN)
		return ERR_INVALID;
	if (d->mode == IPSEC_BEET &&
	    (!is_one_host(&d->local_ts) || !is_one_host(&d->remote_ts) ||
	     ts_family(&d->local_ts.v[0]) != ts_family(&d->remote_ts.v[0])))
		return ERR_INVALID;
	return 0;
}

static int fill(struct esp_sa *sa, const struct ipsec_sa *desc)
{
	int err;

	err = cipher_describe(desc->alg.encr, desc->alg.encr_bits, desc->alg.integ, &sa->info);
	if (err)
		return err;
	if (desc->sha256_96 && sa->info.integ == INTEG_HMAC_SHA2_256_128)
		sa->info.icv_len = SHA256_96_ICV_LEN;
	err = check_desc(desc, &sa->info);
	if (err)
		return err;
	err = ipsec_sa_copy(desc, &sa->desc);
	if (err)
		return err;
	secret_wipe(sa->desc.key, sizeof(sa->desc.key));
	if (desc->inbound)
		err = replay_new(desc->replay_window, &sa->replay);
	if (err)
		return err;
	return cipher_new(&sa->info, desc->inbound ? CIPHER_OPEN : CIPHER_SEAL, desc->key,
			  &sa->cipher);
}

int esp_sa_new(const struct ipsec_sa *desc, struct esp_sa **ret_sa)
{
	struct esp_sa *sa = calloc(1, sizeof(*sa));
	int err;

	if (!sa)
		return ERR_NOMEM;
	err = fill(sa, desc);
	if (err) {
		esp_sa_free(sa);
		return err;
	}
	*ret_sa = sa;
	return 0;
}

void esp_sa_free(struct esp_sa *sa)
{
	if (!sa)
		return;
	cipher_free(sa->cipher);
	replay_free(sa->replay);
	ipsec_sa_clear(&sa->desc);
	free(sa);
}

void esp_sa_raise(struct esp_sa *sa, enum esp_sa_event event)
{
	if (sa->raised & event)
		return;
	sa->raised |= (uint8_t)event;
	sa->events |= (uint8_t)event;
}

void esp_sa_stop(struct esp_sa *sa, enum esp_sa_event event, enum esp_drop reason)
{
	sa->stopped = true;
	sa->stop_reason = reason;
	esp_sa_raise(sa, event);
}

static bool over(uint64_t value, uint64_t limit)
{
	return limit && value >= limit;
}

void esp_sa_count(struct esp_sa *sa, size_t len, uint64_t now)
{
	const struct ipsec_sa *d = &sa->desc;
	struct ipsec_sa_stats *s = &sa->stats;

	s->packets++;
	s->bytes += len;
	s->last_use = now;
	if (over(s->bytes, d->soft_bytes) || over(s->packets, d->soft_packets))
		esp_sa_raise(sa, ESP_SA_SOFT);
	if (over(s->bytes, d->hard_bytes) || over(s->packets, d->hard_packets))
		esp_sa_stop(sa, ESP_SA_HARD, ESP_DROP_HARD_LIMIT);
}

size_t esp_sa_front(const struct esp_sa *sa)
{
	return ESP_HDR_LEN + sa->info.iv_len;
}

size_t esp_sa_align(const struct esp_sa *sa)
{
	return sa->info.block < 4 ? 4 : sa->info.block;
}

bool esp_sa_strips_header(const struct esp_sa *sa)
{
	return sa->desc.mode != IPSEC_TUNNEL;
}

static struct ip_addr host_or(const struct ts_list *list, const struct ip_addr *otherwise)
{
	return is_one_host(list) ? list->v[0].lo : *otherwise;
}

void esp_sa_inner_addrs(const struct esp_sa *sa, struct ip_addr *ret_src, struct ip_addr *ret_dst)
{
	const struct ipsec_sa *d = &sa->desc;
	struct ip_addr local = host_or(&d->local_ts, &d->local.addr);
	struct ip_addr remote = host_or(&d->remote_ts, &d->remote.addr);

	*ret_src = d->inbound ? remote : local;
	*ret_dst = d->inbound ? local : remote;
}
