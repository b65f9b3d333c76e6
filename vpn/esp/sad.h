/* sad.h - the inbound SAs by SPI (RFC 4301 §4.4.2, for unicast the SPI alone decides: RFC 4303
 * §2.1). */
#ifndef VPN_ESP_SAD_H
#define VPN_ESP_SAD_H

#include <stddef.h>
#include <stdint.h>

struct esp_sa;
struct sad;

int sad_new(struct sad **ret_sad); /* ERR_NOMEM */
void sad_free(struct sad *sad);	   /* the SAs are their owner's */

/* Grows the table if need be; not for the packet path. ERR_EXISTS, ERR_NOMEM. */
int sad_add(struct sad *sad, struct esp_sa *sa);
void sad_remove(struct sad *sad, struct esp_sa *sa);
struct esp_sa *sad_find(const struct sad *sad, uint32_t spi); /* NULL */
size_t sad_count(const struct sad *sad);

#endif
