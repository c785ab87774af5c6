#include_next <stdlib.h>

/* <winsock2.h> comes here before it has said anything: then the next header of this folder brings the rest. */
#if !defined(_WINSOCK2API_) || defined(WSAAPI)
#include "win32.h"
#endif
