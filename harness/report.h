/* report.h - the faces of a result: JSON, HTML, Markdown, JUnit XML, and lines for a terminal.
 *
 * All text of a result may come from a foreign daemon or from the wire: every writer escapes. */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <jansson.h>
#include <stdio.h>
#include "harness/dissect/facts.h"

/* result.json, report.html, report.md and junit.xml into dir. ERR_IO: also a full disk. */
int report_write(const json_t *result, const char *dir, struct err_msg *msg);
/* decrypted.pcapng and wireshark/ of a run's directory. */
int report_evidence(const struct facts *facts, const char *dir, struct err_msg *msg);

void report_html(const json_t *result, FILE *out);
void report_markdown(const json_t *result, FILE *out);
void report_junit(const json_t *result, FILE *out);
/* Every expectation, and what was seen of it. */
void report_terminal(const json_t *result, bool color, FILE *out);
/* The verdict, its reason, and where the page is. */
void report_verdict(const json_t *result, const char *dir, bool color, FILE *out);

/* Writes text so that it is text in HTML and XML, in attributes too. Characters that XML 1.0 does
 * not allow at all become "?". */
void report_escape(const char *text, FILE *out);

/* An expectation that a failed step left without anything to judge. */
bool report_is_not_judged(const json_t *expectation);

/* Values of a result; "" or 0 if there is none. */
const char *report_text(const json_t *object, const char *key);
double report_number(const json_t *object, const char *key);

#endif
