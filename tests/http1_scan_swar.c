/* The portable scanning functions, for web_http1_scan.c. */
#define GREEN_HTTP1_SCAN_SWAR
#include "http1_scan.h"

const struct scanners portable_scanners = SCANNERS("portable");
