#include_next <errno.h>

/* Numbers for what there is not. */
#ifndef EHOSTDOWN
#define EHOSTDOWN 201
#define EREMOTEIO 202
#define EXFULL 203
#define ESHUTDOWN 158 /* as in <green/websocket.h> */
#define ESTALE 205
#define EDQUOT 206
#endif
