#include_next <fcntl.h>

#include "win32.h"
