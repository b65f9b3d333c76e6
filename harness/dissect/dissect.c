/* dissect.c - the passes of the dissector in their order; see internal.h. */
#include "harness/dissect/internal.h"

#include <stdlib.h>

static int add_file_problems(struct facts *f)
{
	size_t i;

	for (i = 0; i < f->set.n_places; i++)
		if (f->set.places[i].problem &&
		    add_problem(f, FACT_NONE, "%s", f->set.places[i].problem))
			return ERR_NOMEM;
	return 0;
}

static void dissector_free(struct dissector *d)
{
	size_t i;

	for (i = 0; i < d->n_ciphers; i++) {
		cipher_free(d->ciphers[i].from_i);
		cipher_free(d->ciphers[i].from_r);
	}
	free(d->ciphers);
	map_free(&d->messages);
	map_free(&d->requests);
	map_free(&d->exchanges);
	map_free(&d->fragments);
	map_free(&d->children);
	map_free(&d->sas);
}

int facts_dissect(struct capture_set *set, struct key_store *keys, struct facts *ret_facts)
{
	struct facts f = {.set = *set, .keys = *keys};
	struct dissector d = {.f = &f};
	int err;

	*set = (struct capture_set){0};
	*keys = (struct key_store){0};
	capture_set_sort(&f.set);
	err = add_file_problems(&f);
	if (!err)
		err = frames_pass(&d);
	if (!err)
		err = damage_pass(&d);
	if (!err)
		err = ike_pass(&d);
	if (!err)
		err = esp_pass(&d);
	if (!err)
		err = tcp_pass(&d);
	dissector_free(&d);
	if (err)
		facts_free(&f);
	else
		*ret_facts = f;
	return err;
}
