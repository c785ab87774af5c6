#include_next <unistd.h>

#include "win32.h"
