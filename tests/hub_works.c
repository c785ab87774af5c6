/* Ends with 0 if the hub that GREEN_HUB names, io_uring, works here, else says why not: for each-hub.sh. */
#include <green/core.h>
#include <stdio.h>

#include "suite.h"

int
main(void)
{
        if (SUITE_TSAN) {
                fprintf(stderr, "ThreadSanitizer does not know what the kernel does in the rings of io_uring\n");
                return 1;
        }
        if (green_get_default_hub() != NULL)
                return 0;
        fprintf(stderr, "%s\n", green_last_error()->message);
        return 1;
}
