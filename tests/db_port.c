/*
 * A port for a database server. See db_port.h.
 */
#include "db_port.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux gives connections ports from 32768 on, the others from 49152 on. */
enum { FIRST = 16384, PORTS = 16384 };

static bool
is_free(int port)
{
        struct sockaddr_in in = {
                .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((unsigned short)port)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool good = bind(fd, (struct sockaddr *)&in, sizeof in) == 0;

        close(fd);
        return good;
}

/* Programs that are started together do not try the same ones. */
int
db_port(void)
{
        for (int i = 0; i < PORTS; i++) {
                int port = FIRST + (int)(((unsigned)getpid() * 7 + (unsigned)i) % PORTS);

                if (is_free(port))
                        return port;
        }
        return 0;
}
