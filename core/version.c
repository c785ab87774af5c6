/*
 * What this library is.
 */
#include <config.h>

#include <green/version.h>

const char *
green_version(void)
{
        return GREEN_VERSION;
}

const char *
green_version_info(void)
{
        return GREEN_CONFIGURE_SUMMARY;
}
