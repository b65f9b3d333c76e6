/* write_head.c - the comment and the purpose: what was found, from which frames, what was assumed,
 * what is not known. For the person who opens the file. */
#include <string.h>

#include "harness/reproduce/write.h"

#define COLUMNS 100

/* Words of text behind "# " and an indent, wrapped; the first line begins where the caller is. */
static void wrap(FILE *out, const char *lead, size_t column, const char *text)
{
	size_t len;

	for (; *text; text += len) {
		text += strspn(text, " \n");
		len = strcspn(text, " \n");
		if (!len)
			break;
		if (column + 1 + len > COLUMNS && column > strlen(lead)) {
			fprintf(out, "\n%s", lead);
			column = strlen(lead);
		} else if (column > strlen(lead)) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, len, out);
		column += len;
	}
	fputc('\n', out);
}

static void paragraph(FILE *out, const char *lead, const char *text)
{
	fputs(lead, out);
	wrap(out, lead, strlen(lead), text);
}

/* "vps-inet 2 and 5" */
static void format_frames(const struct profile *p, const struct said *said, char *buf, size_t cap)
{
	const struct capture_place *places = p->s->f.set.places;

	buf[0] = 0;
	if (!said->from.number)
		return;
	if (!said->to.number ||
	    (said->to.place == said->from.place && said->to.number == said->from.number))
		snprintf(buf, cap, " (%s %u)", places[said->from.place].name, said->from.number);
	else
		snprintf(buf, cap, " (%s %u, %s %u)", places[said->from.place].name,
			 said->from.number, places[said->to.place].name, said->to.number);
}

static void write_said(const struct writing *w, enum known known, const char *title)
{
	static const char lead[] = "#                    ";
	const struct profile *p = w->p;
	char frames[160], text[720];
	bool any = false;
	size_t i;

	for (i = 0; i < p->n_said; i++) {
		if (p->said[i].known != known)
			continue;
		if (!any)
			fprintf(w->out, "#\n# %s\n", title);
		any = true;
		format_frames(p, &p->said[i], frames, sizeof(frames));
		snprintf(text, sizeof(text), "%s%s", p->said[i].text, frames);
		fprintf(w->out, "#   %-17s", p->said[i].label);
		wrap(w->out, lead, strlen(lead), text);
	}
}

static void write_finding(const struct writing *w)
{
	const struct finding *first = w->p->first;
	char text[1280];

	if (!first) {
		paragraph(w->out, "# ",
			  w->p->works
			      ? "beetlab explain finds nothing wrong in them: this is the "
				"network as it was."
			      : "beetlab explain finds nothing wrong in them, but no tunnel "
				"that works either: the cause does not show there, and is not "
				"made again. A capture at the other end, or keys, may tell.");
		return;
	}
	snprintf(text, sizeof(text), "beetlab explain says first: %s [%s, %s]. %s",
		 first->rule->title, first->rule->id, certainty_name(first->certainty),
		 first->what);
	paragraph(w->out, "# ", text);
	if (w->l == lever_healthy())
		snprintf(
		    text, sizeof(text),
		    "IT IS NOT MADE HERE: that would need %s. What follows is the network alone, "
		    "as far as it could be measured.",
		    lever_missing(first->rule->id));
	else
		snprintf(text, sizeof(text), "Made again by %s: %s.", w->l->party, w->l->how);
	paragraph(w->out, "# ", text);
}

static void write_who(const struct writing *w)
{
	char text[320];

	snprintf(
	    text, sizeof(text),
	    "The initiator is lab-gw (%s) here, the responder vps (%s); names, secrets and "
	    "certificates are new ones, and requests are sent again after half a second at the "
	    "latest.",
	    outer_address(w->p, true), outer_address(w->p, false));
	fputs("#\n", w->out);
	paragraph(w->out, "# ", text);
}

static void write_captures(const struct writing *w)
{
	const struct survey *s = w->p->s;
	char text[1024] = "Made by beetlab reproduce from";
	size_t i, len;

	for (i = 0; i < s->n_places; i++) {
		len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s %s (%u frames)", i ? "," : "",
			 s->f.set.places[i].name, s->places[i].frames);
	}
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ", %s keys.", s->have_keys ? "with" : "without");
	paragraph(w->out, "# ", text);
}

void write_head(const struct writing *w)
{
	const struct finding *first = w->p->first;

	write_captures(w);
	write_finding(w);
	write_said(w, MEASURED, "Measured (place and frames):");
	write_said(w, ASSUMED, "Assumed:");
	write_said(w, UNKNOWN, "Not known:");
	write_who(w);
	fprintf(w->out, "name: reproduced/%s\npurpose: >\n",
		first	      ? first->rule->id
		: w->p->works ? "healthy"
			      : "not-known");
	paragraph(w->out, "  ",
		  first ? first->what
		  : w->p->works
		      ? "The network of the captures, and nothing wrong."
		      : "The network of the captures; what is wrong does not show there.");
}
