/* May a replacement wait here, and what does it tell its caller when it could not. */
#include <config.h>

#include <errno.h>

#include <green/error.h>
#include <green/thread.h>

#include "patch_priv.h"

bool
green__patch_may_wait(void)
{
        return green_getcurrent() != NULL;
}

int
green__patch_fail(int code)
{
        green__patch_testcancel();
        errno = code > -1000 ? -code : ECANCELED;
        return -1;
}
