/* ipsec_sa.c - ownership of an SA description. */
#include "vpn/base/ipsec_sa.h"

#include "vpn/base/secret.h"

int ipsec_sa_copy(const struct ipsec_sa *src, struct ipsec_sa *ret_sa)
{
	struct ipsec_sa sa = *src;
	int err;

	err = ts_list_copy(&src->local_ts, &sa.local_ts);
	if (err)
		return err;
	err = ts_list_copy(&src->remote_ts, &sa.remote_ts);
	if (err) {
		ts_list_free(&sa.local_ts);
		return err;
	}
	*ret_sa = sa;
	secret_wipe(&sa, sizeof(sa));
	return 0;
}

void ipsec_sa_clear(struct ipsec_sa *sa)
{
	ts_list_free(&sa->local_ts);
	ts_list_free(&sa->remote_ts);
	secret_wipe(sa, sizeof(*sa));
}

const char *ipsec_mode_name(enum ipsec_mode mode)
{
	static const char *const names[] = {"TUNNEL", "TRANSPORT", "BEET"};

	return names[mode];
}
