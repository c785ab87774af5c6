/* Echo with State Threads: epoll, a thread a connection with the default stack size. */
#include "bench_net.h"

#include <st.h>

static void *
echo(void *arg)
{
        st_netfd_t client = (st_netfd_t)arg;
        char buf[BENCH_BUFFER];
        ssize_t n;

        while ((n = st_read(client, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0) {
                if (st_write(client, buf, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
                        break;
        }
        st_netfd_close(client);
        return NULL;
}

int
main(void)
{
        st_netfd_t listener, client;
        int fd;

        bench_check(st_set_eventsys(ST_EVENTSYS_ALT) == 0 && st_init() == 0, "st_init");
        fd = bench_listen();
        listener = st_netfd_open_socket(fd);
        bench_check(listener != NULL, "st_netfd_open_socket");
        bench_announce(fd);
        while ((client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT)) != NULL)
                bench_check(st_thread_create(echo, client, 0, 0) != NULL, "st_thread_create");
        return 1;
}
