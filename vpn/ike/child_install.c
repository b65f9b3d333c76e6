/* child_install.c - a Child SA's two ESP SAs.
 *
 * Keys never live in a Child SA: they are derived, handed to the queued installation, and wiped.
 * The one exception is the outbound SA of a child that a peer has just rekeyed: its installation
 * waits, whole, until the peer can receive on it (RFC 7296 §2.8).
 *
 * The inbound SA is queued before the outbound one and both before any answer that lets the peer
 * send, so no packet of the peer's meets a missing SA. */
#include "vpn/ike/child_install.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/lifetime.h"

struct child_keys {
	uint8_t i2r[IPSEC_KEY_MAX], r2i[IPSEC_KEY_MAX];
	size_t len;
};

/* The description borrows the child's selectors; wipe it, do not clear it. */
static struct ipsec_sa describe(const struct ike_sa *sa, const struct child_sa *child, bool inbound)
{
	const struct child_cfg *cfg = child->cfg;
	struct child_sa_info info = child_sa_get_info(child);
	const struct mark *mark = inbound ? &cfg->set_mark_in : &cfg->set_mark_out;

	return (struct ipsec_sa){
	    .spi = inbound ? child->spi_in : child->spi_out,
	    .inbound = inbound,
	    .mode = child->mode,
	    .encap = child->encap,
	    .local = sa->local,
	    .remote = sa->remote,
	    .local_ts = child->local_ts,
	    .remote_ts = child->remote_ts,
	    .alg = child->alg,
	    .child_id = child->id,
	    .reqid = child->reqid,
	    .if_id = inbound ? info.if_id_in : info.if_id_out,
	    .mark = mark->value,
	    .mark_mask = mark->mask,
	    .replay_window = cfg->replay_window,
	    .copy_df = cfg->copy_df,
	    .sha256_96 = cfg->sha256_96,
	    .copy_ecn = cfg->copy_ecn,
	    .copy_dscp = cfg->copy_dscp,
	    .mss_clamp = cfg->mss_clamp,
	    .tfc_pad = child->no_tfc ? 0 : cfg->tfc_padding,
	    .soft_bytes = lifetime_soft(sa->engine, cfg->bytes.rekey, cfg->bytes.rand),
	    .hard_bytes = cfg->bytes.life,
	    .soft_packets = lifetime_soft(sa->engine, cfg->packets.rekey, cfg->packets.rand),
	    .hard_packets = cfg->packets.life,
	};
}

static void queue_install(struct ike_sa *sa, struct ipsec_sa *esp)
{
	struct ike_action a = {.type = IKE_ACTION_SA_INSTALL, .ike_id = sa->id, .install = esp};

	action_queue_push(&sa->engine->actions, &a);
}

static int hold_back(struct child_sa *child, const struct ipsec_sa *esp)
{
	int err;

	child->pending_outbound = calloc(1, sizeof(*child->pending_outbound));
	if (!child->pending_outbound)
		return ERR_NOMEM;
	err = ipsec_sa_copy(esp, child->pending_outbound);
	if (err) {
		free(child->pending_outbound);
		child->pending_outbound = NULL;
	}
	return err;
}

static int install_one(struct ike_sa *sa, struct child_sa *child, bool inbound, const uint8_t *key,
		       size_t len, bool delay)
{
	struct ipsec_sa esp = describe(sa, child, inbound);
	int err = 0;

	memcpy(esp.key, key, len);
	esp.key_len = len;
	if (delay)
		err = hold_back(child, &esp);
	else
		queue_install(sa, &esp);
	if (inbound)
		child->inbound_installed = true;
	else
		child->outbound_installed = !delay;
	secret_wipe(&esp, sizeof(esp));
	return err;
}

int child_install(struct ike_sa *sa, struct child_sa *child, const struct child_agreement *agreed,
		  bool we_began)
{
	struct child_keys keys;
	int err;

	err = keymat_child(&sa->keys, &child->alg, agreed->secret, agreed->ni, agreed->nr, keys.i2r,
			   keys.r2i, &keys.len);
	if (!err)
		err = install_one(sa, child, true, we_began ? keys.r2i : keys.i2r, keys.len, false);
	if (!err)
		err = install_one(sa, child, false, we_began ? keys.i2r : keys.r2i, keys.len,
				  agreed->delay_outbound);
	secret_wipe(&keys, sizeof(keys));
	return err;
}

void child_install_outbound(struct ike_sa *sa, struct child_sa *child)
{
	struct ipsec_sa *esp = child->pending_outbound;

	if (!esp)
		return;
	esp->local = sa->local;
	esp->remote = sa->remote;
	esp->encap = child->encap;
	queue_install(sa, esp);
	ipsec_sa_clear(esp);
	free(esp);
	child->pending_outbound = NULL;
	child->outbound_installed = true;
	child->outbound_at = DEADLINE_NEVER;
}

void child_uninstall(struct ike_sa *sa, struct child_sa *child, bool inbound)
{
	bool *installed = inbound ? &child->inbound_installed : &child->outbound_installed;
	struct ike_action a = {.type = IKE_ACTION_SA_REMOVE, .ike_id = sa->id};

	if (!*installed)
		return;
	*installed = false;
	a.remove.spi = inbound ? child->spi_in : child->spi_out;
	a.remove.inbound = inbound;
	a.remove.child_id = child->id;
	a.remove.remote = sa->remote.addr;
	action_queue_push(&sa->engine->actions, &a);
}

static void moved(struct ike_sa *sa, struct child_sa *child)
{
	struct ike_action a = {.type = IKE_ACTION_SA_UPDATE, .ike_id = sa->id};

	child->encap = ike_sa_encap(sa);
	a.update.child_id = child->id;
	a.update.spi_in = child->spi_in;
	a.update.spi_out = child->spi_out;
	a.update.encap = child->encap;
	a.update.local = sa->local;
	a.update.remote = sa->remote;
	action_queue_push(&sa->engine->actions, &a);
}

void child_install_all_moved(struct ike_sa *sa)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children)
		moved(sa, list_entry(pos, struct child_sa, node));
}
