/* write_words.c - the @words@ of a lever's texts, and what was measured for them. */
#include <string.h>

#include "harness/reproduce/write.h"

#define OVERHEAD    92	 /* of an echo request in tunnel mode in UDP: IP, ICMP, ESP, UDP, IP */
#define LONGEST	    1480 /* outer packets that every link of the scenario carries */
#define SILENCE_MAX 10	 /* s: the box here forgets when it is told to */
#define SIZES	    3
#define LOW_DEF	    1200 /* where no band was measured */
#define HIGH_DEF    1299

static void put_address(const struct writing *w, const struct selectors *s)
{
	fprintf(w->out, "%.*s", (int)strcspn(s->inner[0], "/"), s->inner[0]);
}

/* Sizes of echo requests whose ESP packets are spread between two lengths. */
static void put_sizes(const struct writing *w, unsigned from, unsigned to)
{
	unsigned k;

	for (k = 1; k <= SIZES; k++)
		fprintf(w->out, "%s%u", k > 1 ? " " : "",
			from + (to - from) * k / (SIZES + 1) - OVERHEAD);
}

static void put_low(const struct writing *w)
{
	fprintf(w->out, "%u", w->p->band_low ? w->p->band_low : LOW_DEF);
}

static void put_high(const struct writing *w)
{
	fprintf(w->out, "%u", w->p->band_high ? w->p->band_high : HIGH_DEF);
}

static void put_below(const struct writing *w)
{
	unsigned low = w->p->band_low ? w->p->band_low : LOW_DEF;

	put_sizes(w, low / 2, low);
}

static void put_within(const struct writing *w)
{
	unsigned low = w->p->band_low ? w->p->band_low : LOW_DEF;

	put_sizes(w, low, w->p->band_high ? w->p->band_high : HIGH_DEF);
}

static void put_above(const struct writing *w)
{
	unsigned high = w->p->band_high ? w->p->band_high : HIGH_DEF;

	put_sizes(w, high + 16, high + 16 < LONGEST ? LONGEST : high + 64);
}

static void put_inner_i(const struct writing *w)
{
	put_address(w, &w->p->got_i);
}

static void put_inner_r(const struct writing *w)
{
	put_address(w, &w->p->got_r);
}

static void put_taken_at(const struct writing *w)
{
	put_address(w, w->p->from_responder ? &w->p->got_i : &w->p->got_r);
}

static void put_sender(const struct writing *w)
{
	fputs(w->p->from_responder ? "vps" : "lab-gw", w->out);
}

static void put_taker(const struct writing *w)
{
	fputs(w->p->from_responder ? "lab-gw" : "vps", w->out);
}

static void put_rekeyer(const struct writing *w)
{
	fputs(w->p->rekey_by_responder ? "vps" : "lab-gw", w->out);
}

static void put_family(const struct writing *w)
{
	fputs(w->p->family == 6 ? "ip6" : "ip", w->out);
}

static void put_vps(const struct writing *w)
{
	fputs(outer_address(w->p, false), w->out);
}

/* A step, or nothing: a mapping that was in use till then needs no silence. */
static void put_silence(const struct writing *w)
{
	unsigned s = w->p->idle_ms / 1000;

	if (s)
		fprintf(w->out, "  - idle: %us\n", s > SILENCE_MAX ? SILENCE_MAX : s);
}

static const struct {
	const char *word;
	void (*put)(const struct writing *w);
} words[] = {
    {"@i@", put_inner_i},	  {"@r@", put_inner_r},	      {"@low@", put_low},
    {"@high@", put_high},	  {"@below@", put_below},     {"@within@", put_within},
    {"@above@", put_above},	  {"@sender@", put_sender},   {"@taker@", put_taker},
    {"@taken_at@", put_taken_at}, {"@rekeyer@", put_rekeyer}, {"@family@", put_family},
    {"@vps@", put_vps},		  {"@silence@", put_silence},
};

/* Returns the length of the word that text begins with; 0: none. */
static size_t put_word(const struct writing *w, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0) {
			words[i].put(w);
			return strlen(words[i].word);
		}
	return 0;
}

void write_words(const struct writing *w, const char *text)
{
	size_t len;

	while (*text) {
		len = *text == '@' ? put_word(w, text) : 0;
		if (!len)
			fputc(*text, w->out);
		text += len ? len : 1;
	}
}
