/* scenario_check.c - what must hold between the parts of a scenario file. */
#include "harness/scenario_internal.h"

#include "harness/occurred.h"
#include "harness/params.h"
#include "harness/result_explain.h"
#include "harness/stream.h"
#include <string.h>

static const struct sc_endpoint *find_endpoint(const struct scenario *sc, const char *node)
{
	const struct sc_endpoint *endpoint = sc->endpoints.items;
	size_t i;

	for (i = 0; i < sc->endpoints.count; i++)
		if (strcmp(endpoint[i].node, node) == 0)
			return &endpoint[i];
	return NULL;
}

static int check_endpoint(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_endpoint *endpoint = (struct sc_endpoint *)sc->endpoints.items + index;

	if (find_endpoint(sc, endpoint->node) != endpoint)
		return doc_error(sc->doc, endpoint->line, msg, "a second endpoint at '%s'",
				 endpoint->node);
	if (!endpoint->config == !endpoint->config_file)
		return doc_error(sc->doc, endpoint->line, msg,
				 "an endpoint has either 'config' or 'config_file'");
	return 0;
}

static const struct sc_credential *find_credential(const struct scenario *sc, const char *name)
{
	const struct sc_credential *credential = sc->credentials.items;
	size_t i;

	for (i = 0; i < sc->credentials.count; i++)
		if (strcmp(credential[i].name, name) == 0)
			return &credential[i];
	return NULL;
}

static int check_at(const struct scenario *sc, const struct text_list *nodes, unsigned line,
		    struct err_msg *msg)
{
	size_t i;

	for (i = 0; i < nodes->count; i++)
		if (!find_endpoint(sc, nodes->items[i]))
			return doc_error(sc->doc, line, msg, "no endpoint at '%s'",
					 nodes->items[i]);
	return 0;
}

static int check_credential(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_credential *cred = (struct sc_credential *)sc->credentials.items + index;
	const struct sc_credential *ca = cred->ca ? find_credential(sc, cred->ca) : NULL;
	int err;

	if (find_credential(sc, cred->name) != cred)
		return doc_error(sc->doc, cred->line, msg, "a second credential named '%s'",
				 cred->name);
	if ((cred->kind == CRED_ISSUED) != (cred->ca != NULL))
		return doc_error(sc->doc, cred->line, msg,
				 "'ca' goes with kind 'issued', and with no other");
	if (cred->ca && (!ca || ca->kind != CRED_CA || ca > cred))
		return doc_error(sc->doc, cred->line, msg,
				 "'%s' must be a credential of kind 'ca' that stands before",
				 cred->ca);
	err = check_at(sc, &cred->private_at, cred->line, msg);
	return err < 0 ? err : check_at(sc, &cred->certificate_at, cred->line, msg);
}

/* --- faults --- */

static int check_fault(const struct scenario *sc, const struct sc_fault *f, struct err_msg *msg)
{
	bool on_wire = f->kind == FAULT_OUTAGE || f->kind == FAULT_IMPAIR;
	bool has_length = on_wire || f->kind == FAULT_KILL || f->kind == FAULT_TERMINATE;
	const char *name = fault_kind_name((enum fault_kind)f->kind);

	if (on_wire != (f->wire != NULL) || on_wire == (f->nodes.count > 0))
		return doc_error(sc->doc, f->line, msg, "%s takes %s", name,
				 on_wire ? "'wire', and no 'at'"
					 : "'at', its nodes, and no 'wire'");
	if (has_length != (f->lasts_ms.hi > 0))
		return doc_error(sc->doc, f->line, msg, "%s takes %s", name,
				 has_length ? "'lasts'" : "no 'lasts'");
	if ((f->kind == FAULT_IMPAIR) != (f->to.line > 0))
		return doc_error(sc->doc, f->line, msg, "'to' goes with kind 'impair'");
	if ((f->kind == FAULT_REKEY_IKE || f->kind == FAULT_TERMINATE) != (f->ike != NULL))
		return doc_error(sc->doc, f->line, msg, "'ike' goes with rekey-ike and terminate");
	if ((f->kind == FAULT_REKEY_CHILD || f->kind == FAULT_INITIATE ||
	     f->kind == FAULT_TERMINATE) != (f->child != NULL))
		return doc_error(sc->doc, f->line, msg,
				 "'child' goes with rekey-child, initiate and terminate");
	return f->kind == FAULT_NAT_REBOOT ? 0 : check_at(sc, &f->nodes, f->line, msg);
}

static int check_faults(const struct scenario *sc, const struct sc_step *step, struct err_msg *msg)
{
	const struct sc_fault *faults = step->faults.of.items;
	size_t i;
	int err = 0;

	for (i = 0; i < step->faults.of.count && err == 0; i++)
		err = check_fault(sc, &faults[i], msg);
	return err;
}

static bool drives_endpoint(enum step_kind kind)
{
	return kind == STEP_MEMORY || kind == STEP_INITIATE || kind == STEP_TERMINATE ||
	       kind == STEP_LISTED;
}

static int check_wait(const struct scenario *sc, const struct sc_step *step, struct err_msg *msg)
{
	unsigned conditions = (step->children >= 0) + (step->sas >= 0) + (step->settled != NULL) +
			      step->rekeyed + (step->event != NULL) + (step->run != NULL);

	if (conditions != 1)
		return doc_error(
		    sc->doc, step->line, msg,
		    "'wait' waits for one of children, sas, settled, rekeyed, event, run");
	if (!step->run && !find_endpoint(sc, step->node))
		return doc_error(sc->doc, step->line, msg, "no endpoint at '%s'", step->node);
	return 0;
}

/* The traffic that a name means at a step: the last that was started before it. */
static const struct sc_step *find_traffic(const struct scenario *sc, size_t before,
					  const char *name)
{
	const struct sc_step *steps = sc->steps.items;

	while (before-- > 0)
		if (steps[before].name && strcmp(steps[before].name, name) == 0)
			return steps[before].kind == STEP_TRAFFIC ? &steps[before] : NULL;
	return NULL;
}

static int check_traffic(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_step *step = (struct sc_step *)sc->steps.items + index;

	if (find_traffic(sc, index, step->name))
		return doc_error(sc->doc, step->line, msg, "traffic '%s' is not finished yet",
				 step->name);
	if (step->protocol == STREAM_FLOOD && (step->size || step->octets))
		return doc_error(sc->doc, step->line, msg, "a flood has 'count' and 'rate' alone");
	if (step->protocol == STREAM_TCP && (step->size || step->count))
		return doc_error(sc->doc, step->line, msg,
				 "'size' and 'count' are of udp; tcp has 'octets'");
	if (step->protocol == STREAM_UDP && step->octets)
		return doc_error(sc->doc, step->line, msg,
				 "'octets' is of tcp; udp has 'size' and 'count'");
	return 0;
}

static int check_finish(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	struct sc_step *step = (struct sc_step *)sc->steps.items + index;
	const struct sc_step *traffic = find_traffic(sc, index, step->name);

	if (!traffic)
		return doc_error(sc->doc, step->line, msg, "no traffic '%s' was started before",
				 step->name);
	step->protocol = traffic->protocol;
	return 0;
}

static int check_step(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_step *step = (struct sc_step *)sc->steps.items + index;

	if ((step->kind == STEP_REKEY || step->kind == STEP_TERMINATE) &&
	    !step->child == !step->ike)
		return doc_error(sc->doc, step->line, msg, "'%s' takes either 'child' or 'ike'",
				 step_kind_name(step->kind));
	if (step->kind == STEP_TRAFFIC)
		return check_traffic(sc, index, msg);
	if (step->kind == STEP_FINISH)
		return check_finish(sc, index, msg);
	if (step->kind == STEP_WAIT)
		return check_wait(sc, step, msg);
	if (step->kind == STEP_FAULTS)
		return check_faults(sc, step, msg);
	if (drives_endpoint(step->kind) && !find_endpoint(sc, step->node))
		return doc_error(sc->doc, step->line, msg, "no endpoint at '%s'", step->node);
	return check_at(sc, &step->nodes, step->line, msg);
}

static int check_expectation(const struct scenario *sc, size_t index, struct err_msg *msg)
{
	const struct sc_expectation *e = (struct sc_expectation *)sc->expect.items + index;

	if (!!e->check + !!e->occurred + !!e->explain != 1)
		return doc_error(sc->doc, e->line, msg,
				 "an expectation names a 'check', what 'occurred', or what "
				 "'explain' finds: one of them");
	if (e->finding && !e->because)
		return doc_error(sc->doc, e->line, msg, "a finding says why: 'because' is missing");
	if (e->explain)
		return explain_validate(sc->doc, e, msg);
	return e->check ? params_validate(sc->doc, e, msg) : occurred_validate(sc->doc, e, msg);
}

typedef int check_item_fn(const struct scenario *sc, size_t index, struct err_msg *msg);

static int check_each(const struct scenario *sc, size_t count, check_item_fn *fn,
		      struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < count && err == 0; i++)
		err = fn(sc, i, msg);
	return err;
}

int scenario_check(const struct scenario *sc, struct err_msg *msg)
{
	int err = check_each(sc, sc->endpoints.count, check_endpoint, msg);

	if (err == 0)
		err = check_each(sc, sc->credentials.count, check_credential, msg);
	if (err == 0)
		err = check_each(sc, sc->steps.count, check_step, msg);
	if (err == 0)
		err = check_each(sc, sc->expect.count, check_expectation, msg);
	return err;
}
