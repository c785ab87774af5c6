#include_next <stdlib.h>

#include "win32.h"
