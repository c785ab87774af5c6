/*
 * Listening sockets that the program was started with: nobody starts programs so on Windows.
 */
#include <config.h>

#include <errno.h>

#include <green/convenience.h>
#include <green/error.h>

green_socket *
green_listen_inherited(const char *which)
{
        (void)which;
        green_set_error(-ENOENT, "no listening socket was inherited");
        return NULL;
}
