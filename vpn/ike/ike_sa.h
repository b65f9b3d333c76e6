/* ike_sa.h - an IKE SA and its Child SAs from the inside; for the files of vpn/ike/ alone.
 *
 * Ownership is a tree: engine -> IKE SA -> Child SAs, request, response, tasks. Dead objects stay
 * in the graveyard until the queued actions that show them have been fetched.
 *
 * State of an IKE SA, initiator above, responder below; every change goes through ike_sa_set_state:
 *
 *     CREATED -> CONNECTING -> ESTABLISHED -> DELETING -> DESTROYING
 *                   |                            ^
 *                   +------- failure ------------+
 *
 * DESTROYING is only a cached last answer that waits for retransmissions. */
#ifndef VPN_IKE_IKE_SA_H
#define VPN_IKE_IKE_SA_H

#include "vpn/base/list.h"
#include "vpn/crypto/ke.h"
#include "vpn/ike/action_queue.h"
#include "vpn/ike/cookie.h"
#include "vpn/ike/deadlines.h"
#include "vpn/ike/drops.h"
#include "vpn/ike/engine.h"
#include "vpn/ike/id_table.h"
#include "vpn/ike/keymat.h"
#include "vpn/wire/payload.h"

#define MOBIKE_COOKIE_LEN 16 /* 8 to 64 (RFC 4555 §4.2.5) */

#define NATD_HASH_LEN	  20 /* SHA-1 (RFC 7296 §2.23) */

#define NONCE_LEN	  32 /* ours: at least half the PRF's key (RFC 7296 §2.10) */

struct nonce {
	uint8_t octets[NONCE_MAX];
	size_t len;
};

struct octets { /* owned */
	uint8_t *p;
	size_t len;
};

/* A message of ours, kept to be sent again (flight.h); owned. */
struct flight {
	struct octets octets; /* of one datagram, or of its fragments back to back */
	size_t step;	      /* octets of each fragment but the last */
	uint16_t total;
	struct ike_header hdr;
	struct octets plain; /* content, as long as it could be split smaller */
};

struct fragments; /* fragment.c */

/* What IKE_SA_INIT leaves behind for IKE_AUTH; freed when the SA is established. */
struct handshake {
	struct ke *ke;
	uint16_t group;
	struct nonce ni, nr;
	struct octets message_i, message_r; /* RealMessage1 and 2 (RFC 7296 §2.15) */
	uint8_t cookie[LIMIT_COOKIE_LEN];
	size_t cookie_len;
	unsigned retries;
	bool certreq; /* the peer asked for a certificate */
};

enum task_type {
	TASK_CHILD_CREATE,
	TASK_CHILD_REKEY,
	TASK_CHILD_DELETE,
	TASK_IKE_REKEY,
	TASK_IKE_DELETE,
	TASK_LIVENESS,
	TASK_AUTH_FAILED,
	TASK_MOBIKE_UPDATE,    /* UPDATE_SA_ADDRESSES (RFC 4555 §3.5) */
	TASK_MOBIKE_ADDRESSES, /* the list of our addresses (§3.6) */
	TASK_MOBIKE_CHECK,     /* return routability (§3.7) */
};

/* Something that wants an exchange of its own, waiting for the window (of one request, RFC 7296
 * §2.3). */
struct task {
	struct list node;
	enum task_type type;
	struct ike_conn *conn; /* TASK_CHILD_CREATE: a reference */
	const struct child_cfg *child;
	bool has_packet; /* TASK_CHILD_CREATE: a packet has asked for it */
	struct ts_packet packet;
	uint32_t child_id; /* TASK_CHILD_DELETE, TASK_CHILD_REKEY */
	uint32_t spi;	/* TASK_CHILD_DELETE: our inbound SPI, if the child is gone before; or 0 */
	uint16_t group; /* rekeying: the key exchange to use; 0: the usual one */
	uint8_t cookie2[MOBIKE_COOKIE_LEN]; /* TASK_MOBIKE_*: what the answer must show */
	unsigned moves;			    /* TASK_MOBIKE_*: the SA's when it was sent */
	unsigned tries;			    /* TASK_MOBIKE_UPDATE: refused so often */
};

enum request_kind { REQUEST_NONE, REQUEST_INIT, REQUEST_AUTH, REQUEST_TASK };

/* The one request that waits for its response. */
struct request {
	enum request_kind kind;
	uint8_t exchange;
	uint32_t message_id;
	struct flight flight;
	unsigned tries;
	uint64_t next_try;
	struct task *task; /* REQUEST_TASK; owned */
};

/* What is known of a rekeying of the peer's that has crossed ours: the SA that it made, and the
 * lower of its two nonces (RFC 7296 §2.8.1, §2.8.2). */
struct rival {
	uint32_t id; /* of a child or of an IKE SA; 0: there is none */
	struct nonce low;
};

/* A Child SA that we have offered and wait to hear about. */
struct child_offer {
	uint32_t replaces; /* the child that it rekeys; 0: none */
	uint32_t replaces_spi;
	struct rival rival;	 /* outlives the child that is rekeyed, if the peer deletes that */
	struct nonce peer_nonce; /* once the answer is there */
	struct ike_conn *conn;	 /* a reference */
	const struct child_cfg *cfg;
	uint32_t spi;
	struct nonce nonce; /* CREATE_CHILD_SA only */
	struct ke *ke;	    /* with PFS */
	uint16_t group;
	struct ts_list tsi, tsr;
};

struct child_sa {
	struct list node;
	struct id_entry by_spi; /* spi_in */
	uint32_t id;
	struct ike_conn *conn; /* a reference: cfg is inside */
	const struct child_cfg *cfg;
	enum child_sa_state state;
	uint32_t reqid;
	enum ipsec_mode mode;
	const char *mode_reason;
	uint32_t spi_in, spi_out;
	struct ipsec_alg alg;
	uint16_t ke;
	bool encap;
	bool no_tfc; /* the peer does not want TFC padding */
	bool inbound_installed, outbound_installed;
	struct ipsec_sa
	    *pending_outbound; /* owned; until the peer may be sent to (RFC 7296 §2.8) */
	uint32_t replaces;
	uint32_t heir;	 /* a child of another IKE SA with the same selectors, by
			    reauthentication; 0: none */
	bool superseded; /* a successor is there, or it is the loser of a collision */
	uint64_t installed;
	uint64_t used; /* last packet, as far as it was looked at */
	uint64_t rekey_at, expire_at, outbound_at, gone_at, idle_at; /* DEADLINE_NEVER */
	struct ts_list local_ts, remote_ts;
};

/* Where our datagrams of an IKE SA come from and go to. */
struct ike_path {
	struct endpoint local, remote;
};

struct addresses {
	struct ip_addr v[LIMIT_ADDRESSES];
	size_t n;
};

/* What an IKE SA knows of its addresses beside those in use (RFC 4555). */
struct mobike {
	bool on;	/* both ends have said MOBIKE_SUPPORTED */
	bool decides;	/* we began the first IKE SA, so we choose the addresses (§3.5) */
	bool stale;	/* the host has no route to the peer */
	bool probing;	/* a request goes round the paths that there are */
	unsigned moves; /* how often the addresses have changed */
	struct ike_path confirmed; /* the last one that the peer knows of */
	struct addresses peer;	   /* the peer's additional addresses (§3.4) */
	struct addresses told;	   /* ours, as the peer was told last */
	/* How the peer sees us: its last NAT_DETECTION_DESTINATION_IP (§3.8). */
	uint8_t seen_as[NATD_HASH_LEN];
	bool is_seen;
};

struct ike_sa {
	struct list node;
	struct list half_open; /* in the engine's list of SAs that wait for IKE_AUTH as responder */
	struct id_entry by_spi; /* the local SPI */
	struct id_entry by_id;
	struct deadline deadline;
	struct ike_engine *engine;
	struct ike_conn *conn; /* a reference */
	struct ike_conn
	    *first_conn; /* what IKE_SA_INIT chose, if IKE_AUTH chose another; a reference */
	uint32_t id;
	enum ike_sa_state state;
	bool initiator;
	uint64_t spi_i, spi_r;
	struct endpoint local, remote;
	struct ike_path heard; /* of the authenticated message that is being handled */
	bool natt;	       /* the peer detects NATs (RFC 7296 §2.23) */
	bool nat_local, nat_remote, nat_fake;
	struct mobike mobike;
	struct suite suite;
	struct keymat keys;
	uint64_t iv_counter;
	struct identity local_id, remote_id;
	unsigned peer_hashes; /* SIG_HASH_BIT()s of RFC 7427 */
	bool peer_strongswan; /* its vendor ID was seen */
	bool peer_childless;  /* the responder takes IKE SAs without children (RFC 6023 §3) */
	bool peer_fragments;  /* it takes fragments (RFC 7383 §2.3) */

	struct handshake *handshake;
	uint32_t successor;    /* in IKE_REKEYING: the IKE SA that we are making */
	bool unborn;	       /* is such a successor, still without keys */
	bool began;	       /* we have begun the first IKE SA of its line */
	bool reauthenticating; /* we make another one in its place (RFC 7296 §2.8.3) */
	uint32_t reauth_of;    /* the IKE SA that is to go when this one is complete; 0: none */
	bool terminated;       /* whatever it comes to, its deletion follows, or its successor's */
	bool replaced;	       /* its children have gone to another SA: its end is no news */
	struct rival rival;    /* in IKE_REKEYING */
	uint32_t contends;     /* the SA that the peer replaces by this one while our own request
				  to replace it is still out; 0: none */
	struct request request;
	struct child_offer *offer;
	uint32_t next_request_id;	/* the next that we send */
	uint32_t next_peer_id;		/* the next that we expect */
	struct flight response;		/* to the request next_peer_id - 1 */
	unsigned repeats;		/* how often that request has come again */
	uint16_t fragment_size;		/* octets of an IP datagram; 0: messages go out whole */
	struct fragments *fragments[2]; /* incomplete: of the request, of the response; owned */
	struct list tasks;
	struct list children;
	size_t n_children;

	uint64_t created, established;
	uint64_t rekey_at, expire_at; /* DEADLINE_NEVER */
	uint64_t reauth_at;	      /* DEADLINE_NEVER; goes on in the SA that rekeys this one */
	uint64_t last_received;	      /* an authenticated message */
	uint64_t last_sent;
	uint64_t last_moved;
	uint64_t inherited_at; /* when tasks came from the SA that it replaces; DEADLINE_NEVER */
	uint64_t roam_at;      /* when to look at the host's routes; DEADLINE_NEVER */
	uint64_t linger_until; /* in IKE_DESTROYING */
	char why[sizeof(struct err_msg)]; /* of the last refusal */
};

struct reqid_entry {
	char *conn, *child;
	uint32_t reqid;
};

struct ike_engine {
	struct ike_env env;
	struct ike_options opt;
	struct list sas;
	struct list half_open_sas;
	struct list dead_sas; /* seen by queued actions */
	struct list dead_children;
	struct id_table by_spi, by_id;
	struct id_table by_esp_spi;
	struct deadlines deadlines;
	struct action_queue actions;
	struct cookie_jar cookies;
	uint32_t last_ike_id, last_child_id, last_reqid;
	struct reqid_entry *reqids;
	size_t n_reqids;
	size_t half_open;
	size_t fragments_held;	  /* octets of incomplete messages of all SAs */
	uint64_t clear_budget_at; /* rate limit of unauthenticated answers */
	unsigned clear_budget;
	uint64_t drops[IKE_DROP_COUNT];
	bool log_keys;
};

/* What a handler of a request decides; the caller carries it out. */
enum verdict_kind {
	VERDICT_REPLY,	/* the handler has filled the reply */
	VERDICT_NOTIFY, /* reply with this notify alone */
	VERDICT_CLOSE,	/* reply with this notify (0: what the handler has filled), then the SA is
			   gone */
};

struct verdict {
	enum verdict_kind kind;
	uint16_t notify; /* to send; 0: none */
	const char *why;
	uint16_t heard; /* VERDICT_CLOSE: the peer's own notify that is the reason */
};

static inline struct verdict verdict_reply(const char *why)
{
	return (struct verdict){.kind = VERDICT_REPLY, .why = why};
}

static inline struct verdict verdict_notify(uint16_t notify, const char *why)
{
	return (struct verdict){.kind = VERDICT_NOTIFY, .notify = notify, .why = why};
}

static inline struct verdict verdict_close(uint16_t notify, uint16_t heard, const char *why)
{
	return (struct verdict){
	    .kind = VERDICT_CLOSE, .notify = notify, .heard = heard, .why = why};
}

/* ike_sa.c */
struct ike_sa *ike_sa_new(struct ike_engine *e, struct ike_conn *conn, bool initiator,
			  const struct endpoint *local, const struct endpoint *remote,
			  uint64_t now);
void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state, const char *why);
/* Reports its end (IKE_DOWN if it was established, else IKE_FAILED) and takes it out of the engine,
 * its children with it. */
void ike_sa_destroy(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why);
/* As ike_sa_destroy, but the last answer stays for LINGER_TIME. */
void ike_sa_linger(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why,
		   uint64_t now);
/* Takes it out without a word: a successor that was never born. */
void ike_sa_discard(struct ike_sa *sa);
void ike_sa_free(struct ike_sa *sa);
/* Keys from sa->suite, the nonces of its handshake and g^ir; `old` is the SA that it replaces, or
 * NULL. */
int ike_sa_derive_keys(struct ike_sa *sa, const struct ike_sa *old, struct view secret);
/* Established at `now`: when to rekey it, when it ends; when to authenticate again, if it was
 * authenticated now, or else as `old` has it. */
void ike_sa_set_lifetime(struct ike_sa *sa, const struct ike_sa *old, uint64_t now);
void ike_sa_rearm(struct ike_sa *sa);
bool ike_sa_encap(const struct ike_sa *sa);
uint64_t ike_sa_local_spi(const struct ike_sa *sa);
void handshake_free(struct handshake *h);
void octets_free(struct octets *o);
int octets_set(struct octets *o, struct view v);
int nonce_make(struct ike_engine *e, struct nonce *ret_nonce);
void nonce_copy(struct nonce *to, struct view from); /* at most NONCE_MAX octets */
static inline struct view nonce_view(const struct nonce *n)
{
	return (struct view){n->octets, n->len};
}
/* The lexicographically lower one (RFC 7296 §2.8.1). */
const struct nonce *nonce_lower(const struct nonce *a, const struct nonce *b);
/* Any SA of the engine by its id, unborn and lingering ones too; NULL. */
struct ike_sa *ike_sa_find(const struct ike_engine *e, uint32_t id);
struct ike_sa_info ike_sa_get_info(const struct ike_sa *sa);

#endif
