/* drop.c - drop reasons as text. */
#include "vpn/esp/drop.h"

const char *esp_drop_name(enum esp_drop d)
{
	static const char *const names[] = {
#define X(name, id, text) id,
	    ESP_DROPS(X)
#undef X
	};

	return names[d];
}

const char *esp_drop_text(enum esp_drop d)
{
	static const char *const texts[] = {
#define X(name, id, text) text,
	    ESP_DROPS(X)
#undef X
	};

	return texts[d];
}
