/* esp_opener.h - opens ESP packets one by one, and keeps for each SPI the key that did. */
#ifndef HARNESS_DISSECT_ESP_OPENER_H
#define HARNESS_DISSECT_ESP_OPENER_H

#include "harness/dissect/facts.h"

struct esp_opener;
int esp_opener_new(struct esp_opener **ret_opener);
void esp_opener_free(struct esp_opener *o);

/* Opens f->esp[i], whose frame, child, SPI and octets are set, with f->keys, and rebuilds what is
 * inside; an ICMP error in there joins f->icmp_errors. What it opens lies in f->arena. ERR_NOMEM.
 */
int esp_opener_open(struct esp_opener *o, struct facts *f, size_t i);

#endif
