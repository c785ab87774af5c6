/* UDP echo, as a user of green-net would write it: one green thread, one socket. */
#include "bench.h"

#include <green/net.h>

int
main(void)
{
        green_socket *s = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        struct green_addr here, from;
        char buf[1024];
        ssize_t n;

        bench_check(s != NULL && green_addr_parse("127.0.0.1:0", &here) == 0 && green_socket_bind(s, &here) == 0 &&
                            green_socket_getsockname(s, &here) == 0,
                    "a socket");
        printf("port %d\n", green_addr_port(&here));
        fflush(stdout);
        while ((n = green_socket_recvfrom(s, buf, sizeof buf, 0, &from)) >= 0)
                bench_check(green_socket_sendto(s, buf, (size_t)n, 0, &from) == n, "sendto");
        return 1;
}
