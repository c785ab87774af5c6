#include_next <stdlib.h>

/* Windows' headers include this one; not in the midst of them. */
#if !defined(_WINSOCK2API_) || defined(WSADESCRIPTION_LEN)
#include "win32.h"
#endif
