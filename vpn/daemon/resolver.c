/* resolver.c - a cache of names over uv_getaddrinfo (a thread of libuv's waits for the answer).
 *
 * Every question is answered from the cache and starts a look-up, unless one is under way: the
 * first question for a name yields ERR_AGAIN until it is answered, later ones an address that is
 * one question old. So a peer whose address changes is found with the next attempt or the one after
 * it. An answer without addresses keeps the old one. */
#include "vpn/daemon/resolver.h"

#include <stdlib.h>
#include <string.h>

struct resolver_name {
	struct resolver_name *next;
	uv_getaddrinfo_t request;
	bool asking;
	bool answered;
	struct ip_addr addr; /* unset: not known */
	char name[];
};

void resolver_init(struct resolver *resolver, uv_loop_t *loop)
{
	*resolver = (struct resolver){.loop = loop};
}

void resolver_stop(struct resolver *resolver)
{
	struct resolver_name *n;

	for (n = resolver->names; n; n = n->next) {
		if (n->asking)
			uv_cancel((uv_req_t *)&n->request);
	}
}

void resolver_free(struct resolver *resolver)
{
	struct resolver_name *n;

	while ((n = resolver->names)) {
		resolver->names = n->next;
		free(n);
	}
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct resolver_name *n = request->data;
	struct endpoint e;

	n->asking = false;
	n->answered = true;
	if (status == 0 && list && endpoint_from_sockaddr(list->ai_addr, &e) == 0)
		n->addr = e.addr;
	uv_freeaddrinfo(list);
}

static struct resolver_name *find_or_add(struct resolver *resolver, const char *name)
{
	struct resolver_name *n;

	for (n = resolver->names; n; n = n->next) {
		if (strcmp(n->name, name) == 0)
			return n;
	}
	n = calloc(1, sizeof(*n) + strlen(name) + 1);
	if (!n)
		return NULL;
	strcpy(n->name, name);
	n->request.data = n;
	n->next = resolver->names;
	resolver->names = n;
	resolver->n++;
	return n;
}

int resolver_lookup(struct resolver *resolver, const char *name, struct ip_addr *ret_addr)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct resolver_name *n;

	if (resolver->n >= RESOLVER_NAMES_MAX)
		return ERR_LIMIT;
	n = find_or_add(resolver, name);
	if (!n)
		return ERR_NOMEM;
	if (!n->asking)
		n->asking =
		    uv_getaddrinfo(resolver->loop, &n->request, on_answer, name, NULL, &hints) == 0;
	if (!ip_addr_is_set(&n->addr))
		return n->answered ? ERR_NOT_FOUND : ERR_AGAIN;
	*ret_addr = n->addr;
	return 0;
}
