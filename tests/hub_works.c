/* Ends with 0 if the hub that GREEN_HUB names works here, else says why not: for each-hub.sh. */
#include <green/core.h>
#include <stdio.h>

int
main(void)
{
        if (green_get_default_hub() != NULL)
                return 0;
        fprintf(stderr, "%s\n", green_last_error()->message);
        return 1;
}
