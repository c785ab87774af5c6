/*
 * Options structs of any age. See <green/opts.h>.
 */
#include <errno.h>
#include <green/opts.h>
#include <string.h>

int
green_opts_take(void *opts, size_t own, const void *given)
{
        size_t size;

        memset(opts, 0, own);
        if (given == NULL)
                return 0;
        memcpy(&size, given, sizeof(size));
        if (size < sizeof(size) || size > own)
                return -EINVAL;
        memcpy(opts, given, size);
        return 0;
}
