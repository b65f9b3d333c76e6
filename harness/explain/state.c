/* state.c - what captures without a finding prove. "It works" is said only of what shows it: an IKE
 * SA that was completed (or ESP that opens with the keys), ESP both ways, and no end that stops or
 * loses. Of the rest is told what was not seen, and what would show it (RFC 7296 §1.2). */
#include "harness/explain/rule.h"
#include "harness/explain/text.h"

static bool any_answered(const struct survey *s, uint8_t type)
{
	size_t i;

	for (i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].type == type && s->exchanges[i].answered)
			return true;
	return false;
}

static bool has_ike(const struct survey *s)
{
	return s->f.n_ike > 0;
}

static bool any_opened(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		if (s->esp[i].opened)
			return true;
	return false;
}

static bool any_established(const struct survey *s)
{
	return any_opened(s) || any_answered(s, IKE_AUTH);
}

static bool has_esp(const struct survey *s)
{
	return s->n_esp > 0;
}

static bool goes_both_ways(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_talks; i++)
		if (s->talks[i].n[0] && s->talks[i].n[1])
			return true;
	return false;
}

static bool goes_on_to_the_end(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_talks; i++)
		if (talk_has_stopped(s, &s->talks[i]))
			return false;
	return true;
}

static bool is_without_gaps(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		if (esp_has_gap(s, &s->esp[i]))
			return false;
	return true;
}

/* In their order; the first of a kind says enough. */
static const struct proof {
	bool (*is_there)(const struct survey *s);
	const char *unseen;
} proofs[] = {
    {has_ike,
     "no IKE message: when and how the SAs were made, and whether they still are in force"},
    {any_established, "no IKE SA that is completed: no IKE_AUTH with its response"},
    {has_esp, "no ESP: nothing has gone through the tunnel"},
    {goes_both_ways, "no ESP in both directions between the same two addresses"},
    {goes_on_to_the_end, "no ESP that comes back at the end"},
    {is_without_gaps, "no whole row of sequence numbers: many are missing"},
};
#define N_PROOFS (sizeof(proofs) / sizeof(proofs[0]))

const char *survey_unseen(const struct survey *s, size_t i)
{
	size_t k;

	for (k = 0; k < N_PROOFS; k++)
		if (!proofs[k].is_there(s) && !i--)
			return proofs[k].unseen;
	return NULL;
}

enum survey_state survey_state(const struct survey *s)
{
	if (!s->n_paths)
		return SURVEY_NOTHING;
	if (!has_ike(s) && any_opened(s) && !survey_unseen(s, 1))
		return SURVEY_WORKS;
	return survey_unseen(s, 0) ? SURVEY_UNREMARKABLE : SURVEY_WORKS;
}
