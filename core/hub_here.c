/*
 * See hub_here.h.
 */
#include <config.h>

#include "hub_here.h"

_Thread_local struct green__hub *green__hub_here;
