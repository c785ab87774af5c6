/*
 * How patched calls on descriptors wait: who may wait, what ends it, and that nobody starves meanwhile.
 */
#include "net_patch.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../net/patch/patch_fd_guard.h"

#define FD(type, name) PATCHED(green__patch_fd, type, name)
#define POLL(type, name) PATCHED(green__patch_poll, type, name)

typedef ssize_t (*read_fn)(int, void *, size_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*recv_fn)(int, void *, size_t, int);
typedef int (*accept_fn)(int, struct sockaddr *, socklen_t *);
typedef int (*connect_fn)(int, const struct sockaddr *, socklen_t);
typedef int (*close_fn)(int);
typedef int (*dup2_fn)(int, int);
typedef int (*poll_fn)(struct pollfd *, nfds_t, int);
typedef int (*select_fn)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
typedef int (*epoll_wait_fn)(int, struct epoll_event *, int, int);

static int ends[2];

static void
open_ends(void)
{
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void
close_ends(void)
{
        close(ends[0]);
        close(ends[1]);
}

/* ---- calls in a green thread of their own */

struct waiting {
        long (*fn)(struct waiting *c);
        long rc;
        int code;
        bool over;
        int fd;
        green_thread *thread;
};

static void *
do_wait(void *arg)
{
        struct waiting *c = arg;

        errno = 0;
        c->rc = c->fn(c);
        c->code = errno;
        c->over = true;
        return NULL;
}

static void
begin(struct waiting *c)
{
        c->over = false;
        c->thread = green_spawn(do_wait, c);
        CHECK(c->thread != NULL);
        green_sleep(0);
}

static void
end(struct waiting *c)
{
        (void)!green_thread_wait(c->thread, NULL);
        green_thread_unref(c->thread);
        CHECK(c->over);
}

static long
reads(struct waiting *c)
{
        char byte;

        return FD(read_fn, "read")(c->fd, &byte, 1);
}

static long
recvs(struct waiting *c)
{
        char byte;

        return FD(recv_fn, "recv")(c->fd, &byte, 1, 0);
}

static long
polls(struct waiting *c)
{
        struct pollfd p = {.fd = c->fd, .events = POLLIN};

        return POLL(poll_fn, "poll")(&p, 1, -1);
}

static long
accepts(struct waiting *c)
{
        return FD(accept_fn, "accept")(c->fd, NULL, NULL);
}

static long
epoll_waits(struct waiting *c)
{
        struct epoll_event e;

        return POLL(epoll_wait_fn, "epoll_wait")(c->fd, &e, 1, -1);
}

static int
listener(struct sockaddr_in *at)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof *at;

        *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CHECK_INT(bind(fd, (struct sockaddr *)at, size), 0);
        CHECK_INT(listen(fd, 64), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *)at, &size), 0);
        return fd;
}

/* ---- what ends a wait */

static void
a_killed_call_fails_with_ecanceled(void)
{
        struct sockaddr_in at;
        int heard = listener(&at), ep = epoll_create1(EPOLL_CLOEXEC);
        struct waiting calls[] = {{.fn = reads}, {.fn = recvs}, {.fn = polls}, {.fn = epoll_waits}, {.fn = accepts}};

        open_ends();
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
                calls[i].fd = calls[i].fn == accepts ? heard : calls[i].fn == epoll_waits ? ep : ends[0];
                begin(&calls[i]);
                CHECK(!calls[i].over);
                CHECK_INT(green_kill(calls[i].thread, -EIO), 0);
                end(&calls[i]);
                CHECK_INT(calls[i].rc, -1);
                CHECK_INT(calls[i].code, ECANCELED);
        }
        close_ends();
        close(heard);
        close(ep);
}

static long
read_twice_in_a_scope(struct waiting *c)
{
        struct green_timeout t = {{0}};
        char bytes[2];
        long rc;

        CHECK_INT(green_timeout_start(&t, 0.01), 0);
        rc = FD(read_fn, "read")(c->fd, bytes, 1);
        CHECK_INT(rc, -1);
        CHECK_INT(errno, ECANCELED);
        /* There is something now; but nothing is read as long as the scope lasts. */
        CHECK_INT(write(ends[1], "ab", 2), 2);
        CHECK_INT(FD(read_fn, "read")(c->fd, bytes, 1), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(FD(write_fn, "write")(c->fd, bytes, 1), -1);
        CHECK_INT(errno, ECANCELED);
        CHECK_INT(green_timeout_cancel(&t), 1);
        return FD(read_fn, "read")(c->fd, bytes, 2);
}

static void
a_timeout_fails_calls_before_they_do_anything(void)
{
        struct waiting c = {.fn = read_twice_in_a_scope};
        char byte;

        open_ends();
        c.fd = ends[0];
        begin(&c);
        end(&c);
        CHECK_INT(c.rc, 2);
        CHECK_INT(recv(ends[1], &byte, 1, MSG_DONTWAIT), -1);
        close_ends();
}

static void
closing_ends_the_waits_for_it(void)
{
        struct waiting a = {.fn = reads}, b = {.fn = recvs};

        open_ends();
        a.fd = b.fd = ends[0];
        begin(&a);
        begin(&b);
        CHECK_INT(FD(close_fn, "close")(ends[0]), 0);
        end(&a);
        end(&b);
        CHECK_INT(a.code, EBADF);
        CHECK_INT(b.code, EBADF);
        close(ends[1]);
}

static void
a_number_that_is_copied_over_is_closed(void)
{
        struct waiting a = {.fn = recvs}, p = {.fn = polls};
        int other[2];

        open_ends();
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
        a.fd = p.fd = ends[0];
        begin(&a);
        begin(&p);
        CHECK_INT(FD(dup2_fn, "dup2")(-1, ends[0]), -1);
        green_sleep(0);
        CHECK(!a.over);
        CHECK_INT(FD(dup2_fn, "dup2")(other[0], ends[0]), ends[0]);
        end(&a);
        CHECK_INT(a.code, EBADF);
        /* The poll goes on with what the number is now. */
        green_sleep(0);
        CHECK(!p.over);
        CHECK_INT(write(other[1], "x", 1), 1);
        end(&p);
        CHECK_INT(p.rc, 1);
        close_ends();
        close(other[0]);
        close(other[1]);
}

/* A number that was closed without our knowing, and is another socket, is waited for as what it is. */
static void
a_number_used_again_behind_our_back_heals(void)
{
        struct waiting a = {.fn = recvs};
        int other[2], number;

        open_ends();
        a.fd = number = ends[0];
        begin(&a);
        CHECK_INT(write(ends[1], "x", 1), 1);
        end(&a);
        CHECK_INT(a.rc, 1);
        close(ends[0]);
        close(ends[1]);
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
        CHECK_INT(other[0], number);
        begin(&a);
        CHECK(!a.over);
        CHECK_INT(write(other[1], "y", 1), 1);
        end(&a);
        CHECK_INT(a.rc, 1);
        close(other[0]);
        close(other[1]);
}

/* ---- sharing */

static void
many_wait_for_one_listener(void)
{
        enum { MANY = 20 };
        struct waiting calls[MANY];
        struct sockaddr_in at;
        int heard = listener(&at), clients[MANY], over = 0;

        for (int i = 0; i < MANY; i++) {
                calls[i] = (struct waiting){.fn = accepts, .fd = heard};
                begin(&calls[i]);
        }
        for (int i = 0; i < MANY; i++) {
                clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                CHECK_INT(FD(connect_fn, "connect")(clients[i], (struct sockaddr *)&at, sizeof at), 0);
        }
        for (int i = 0; i < MANY; i++) {
                end(&calls[i]);
                over += calls[i].rc >= 0;
                close((int)calls[i].rc);
                close(clients[i]);
        }
        CHECK_INT(over, MANY);
        close(heard);
}

/* Another process may be faster than we are after poll(): the call must not wait then, with all green threads. */
static void
an_accept_that_came_too_late_does_not_wait(void)
{
        struct sockaddr_in at;
        int heard = listener(&at), status = -1;
        double start = seconds();
        pid_t pid;

        CHECK_INT(green__patch_guarded_accept(heard, NULL, NULL, 0), -1);
        CHECK_INT(errno, EAGAIN);
        CHECK(seconds() - start < 5 * suite_slow());
        CHECK_INT(fcntl(heard, F_GETFL) & O_NONBLOCK, 0);
        /* The same in a child, which has not inherited what ends such a wait. */
        pid = fork();
        if (pid == 0) {
                alarm((unsigned)(5 * suite_slow()));
                _exit(green__patch_guarded_accept(heard, NULL, NULL, 0) != -1 || errno != EAGAIN);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        close(heard);
}

static void *
serve_all(void *arg)
{
        int fd, heard = *(int *)arg;

        while ((fd = FD(accept_fn, "accept")(heard, NULL, NULL)) >= 0) {
                CHECK_INT(FD(write_fn, "write")(fd, "x", 1), 1);
                CHECK_INT(FD(close_fn, "close")(fd), 0);
        }
        FAIL("accept: %s", strerror(errno));
        return NULL;
}

static void
serve_until_the_parent_ends(int heard, int alive)
{
        char byte;

        alarm(30);
        for (int i = 0; i < 3; i++)
                CHECK(green_spawn(serve_all, &heard) != NULL);
        CHECK_INT(FD(read_fn, "read")(alive, &byte, 1), 0);
        _exit(suite_failures() != 0);
}

static void
processes_share_a_listener(void)
{
        enum { PROCESSES = 3, CLIENTS = 200 };
        pid_t pids[PROCESSES];
        struct sockaddr_in at;
        int heard = listener(&at), status, alive[2], served = 0;

        CHECK_INT(pipe(alive), 0);
        for (int i = 0; i < PROCESSES; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        close(alive[1]);
                        serve_until_the_parent_ends(heard, alive[0]);
                }
        }
        for (int i = 0; i < CLIENTS; i++) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                char byte = 0;

                CHECK_INT(FD(connect_fn, "connect")(fd, (struct sockaddr *)&at, sizeof at), 0);
                served += FD(read_fn, "read")(fd, &byte, 1) == 1 && byte == 'x';
                close(fd);
        }
        CHECK_INT(served, CLIENTS);
        close(alive[1]);
        for (int i = 0; i < PROCESSES; i++) {
                CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
                CHECK_INT(status, 0);
        }
        close(alive[0]);
        close(heard);
}

static void
one_polls_what_another_reads(void)
{
        struct waiting p = {.fn = polls}, r = {.fn = recvs};

        open_ends();
        p.fd = r.fd = ends[0];
        begin(&p);
        begin(&r);
        CHECK_INT(write(ends[1], "xx", 2), 2);
        end(&p);
        end(&r);
        CHECK_INT(p.rc, 1);
        CHECK_INT(r.rc, 1);
        close_ends();
}

/* ---- fairness */

static int rounds;
static bool stop;

static void *
count_rounds(void *arg)
{
        (void)arg;
        while (!stop) {
                rounds++;
                green_sleep(0);
        }
        return NULL;
}

static long
reads_much(struct waiting *c)
{
        char byte;

        for (int i = 0; i < 640; i++)
                CHECK_INT(FD(read_fn, "read")(c->fd, &byte, 1), 1);
        return 0;
}

static long
polls_without_waiting(struct waiting *c)
{
        struct pollfd p = {.fd = c->fd, .events = POLLIN};

        for (int i = 0; i < 100; i++)
                CHECK_INT(POLL(poll_fn, "poll")(&p, 1, 0), 0);
        return 0;
}

static void
nobody_starves(long (*fn)(struct waiting *c), bool bytes, int least)
{
        struct waiting c = {.fn = fn};
        char much[640] = {0};
        green_thread *other;

        open_ends();
        if (bytes)
                CHECK_INT(write(ends[1], much, sizeof much), (long)sizeof much);
        c.fd = ends[0];
        rounds = 0;
        stop = false;
        other = green_spawn(count_rounds, NULL);
        begin(&c);
        end(&c);
        CHECK(rounds >= least);
        stop = true;
        join(other, 0);
        close_ends();
}

static void
a_socket_that_never_runs_dry_lets_others_run(void)
{
        nobody_starves(reads_much, true, 10);
}

static void
a_poll_without_a_wait_lets_others_run(void)
{
        nobody_starves(polls_without_waiting, false, 50);
}

/* ---- where the system's own is called */

static void *
without_a_hub(void *arg)
{
        green_thread *self;
        char byte = 0;

        (void)arg;
        CHECK_INT(FD(read_fn, "read")(ends[0], &byte, 1), 1);
        CHECK_INT(byte, 'h');
        CHECK_INT(FD(write_fn, "write")(ends[0], "i", 1), 1);
        CHECK(!green__patch_may_wait());
        /* None was made. */
        CHECK_INT(green_park_check_mt(0, &self), 1);
        return NULL;
}

static void
an_os_thread_without_a_hub_waits_as_a_whole(void)
{
        pthread_t thread;
        char byte = 0;

        open_ends();
        CHECK_INT(pthread_create(&thread, NULL, without_a_hub, NULL), 0);
        CHECK_INT(write(ends[1], "h", 1), 1);
        CHECK_INT(read(ends[1], &byte, 1), 1);
        CHECK_INT(byte, 'i');
        CHECK_INT(pthread_join(thread, NULL), 0);
        close_ends();
}

static int in_callback;

static void
callback(void *arg)
{
        char byte = 0;

        (void)arg;
        in_callback = !green__patch_may_wait() && FD(read_fn, "read")(ends[0], &byte, 1) == 1;
}

static void
a_hub_callback_calls_the_system(void)
{
        open_ends();
        CHECK_INT(write(ends[1], "x", 1), 1);
        in_callback = 0;
        CHECK_INT(green_hub_post(green_get_hub(), callback, NULL), 0);
        green_sleep(0.001);
        CHECK_INT(in_callback, 1);
        close_ends();
}

/* ---- memory */

enum { FAR = 60 };

/* So many at once need memory; without it they fail as the system's may. */
static void
many_descriptors_need_memory(void)
{
        struct pollfd p[FAR];
        fd_set set;

        open_ends();
        FD_ZERO(&set);
        for (int i = 0; i < FAR; i++) {
                int fd = dup(ends[0]);

                p[i] = (struct pollfd){.fd = fd, .events = POLLIN};
                FD_SET(fd, &set);
        }
        memory_left = 0;
        CHECK_INT(POLL(poll_fn, "poll")(p, FAR, 10), -1);
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(POLL(select_fn, "select")(p[FAR - 1].fd + 1, &set, NULL, NULL, NULL), -1);
        CHECK_INT(errno, ENOMEM);
        CHECK(FD_ISSET(p[0].fd, &set));
        memory_left = -1;
        CHECK_INT(POLL(poll_fn, "poll")(p, FAR, 1), 0);
        CHECK_INT(write(ends[1], "x", 1), 1);
        CHECK_INT(POLL(select_fn, "select")(p[FAR - 1].fd + 1, &set, NULL, NULL, NULL), FAR);
        for (int i = 0; i < FAR; i++)
                close(p[i].fd);
        close_ends();
}

/* A child goes on by itself, with what it has inherited. */
static void
a_child_waits_by_itself(void)
{
        struct waiting r = {.fn = reads};
        pid_t pid;
        int status = -1;

        open_ends();
        r.fd = ends[0];
        begin(&r);
        pid = fork();
        if (pid == 0) {
                struct pollfd p = {.fd = ends[0], .events = POLLIN};
                char byte = 0;

                alarm(20);
                CHECK_INT(POLL(poll_fn, "poll")(&p, 1, 5), 0);
                CHECK_INT(write(ends[1], "c", 1), 1);
                CHECK_INT(FD(read_fn, "read")(ends[0], &byte, 1), 1);
                CHECK_INT(byte, 'c');
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        CHECK(!r.over);
        CHECK_INT(write(ends[1], "p", 1), 1);
        end(&r);
        CHECK_INT(r.rc, 1);
        close_ends();
}

/* ---- several OS threads on one descriptor */

enum { BYTES = 4000, READERS = 3 };

static atomic_int total;

static void *
read_to_the_end(void *arg)
{
        ssize_t n;
        char buf[8];

        (void)arg;
        (void)green_get_hub();
        while ((n = FD(read_fn, "read")(ends[0], buf, sizeof buf)) > 0)
                atomic_fetch_add(&total, (int)n);
        CHECK_INT(n, 0);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
several_hubs_read(bool pipes)
{
        pthread_t threads[READERS];
        char buf[10] = {0};

        if (pipes)
                CHECK_INT(pipe(ends), 0);
        else
                open_ends();
        atomic_store(&total, 0);
        for (int i = 0; i < READERS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, read_to_the_end, NULL), 0);
        for (int i = 0; i < BYTES / 10; i++)
                CHECK_INT(write(ends[1], buf, 10), 10);
        close(ends[1]);
        for (int i = 0; i < READERS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(atomic_load(&total), BYTES);
        close(ends[0]);
}

static void
several_os_threads_read_one_socket(void)
{
        several_hubs_read(false);
}

static void
several_os_threads_read_one_pipe(void)
{
        several_hubs_read(true);
}

static void *
write_a_byte(void *arg)
{
        CHECK_INT(write(*(int *)arg, "x", 1), 1);
        return NULL;
}

/* As with select(getdtablesize(), ...): the set ends where its page does. */
static void
a_select_of_all_descriptors_there_may_be(void)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *room = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        fd_set *set = (fd_set *)(void *)(room + page - sizeof(fd_set));
        const time_t longest = (time_t)(sizeof(time_t) > 4 ? INT64_MAX : INT32_MAX);
        struct timeval limit = {longest / 2, 0};
        int p[2];

        CHECK(room != MAP_FAILED);
        CHECK_INT(mprotect(room + page, page, PROT_NONE), 0);
        CHECK_INT(pipe(p), 0);
        FD_SET(p[0], set);
        CHECK_INT(green_spawn_n(write_a_byte, &p[1]), 0);
        CHECK_INT(POLL(select_fn, "select")(1 << 20, set, NULL, NULL, &limit), 1);
        CHECK(FD_ISSET(p[0], set));
        /* And a limit that is as good as none stays so. */
        CHECK(limit.tv_sec > longest / 4);
        close(p[0]);
        close(p[1]);
        munmap(room, 2 * page);
}

GREEN_SUITE(net_patch_wait){GREEN_TEST(a_killed_call_fails_with_ecanceled),
                            GREEN_TEST(a_timeout_fails_calls_before_they_do_anything),
                            GREEN_TEST(closing_ends_the_waits_for_it),
                            GREEN_TEST(a_number_that_is_copied_over_is_closed),
                            GREEN_TEST(a_number_used_again_behind_our_back_heals),
                            GREEN_TEST(many_wait_for_one_listener),
                            GREEN_TEST(an_accept_that_came_too_late_does_not_wait),
                            GREEN_TEST(processes_share_a_listener),
                            GREEN_TEST(one_polls_what_another_reads),
                            GREEN_TEST(a_socket_that_never_runs_dry_lets_others_run),
                            GREEN_TEST(a_poll_without_a_wait_lets_others_run),
                            GREEN_TEST(a_select_of_all_descriptors_there_may_be),
                            GREEN_TEST(an_os_thread_without_a_hub_waits_as_a_whole),
                            GREEN_TEST(a_hub_callback_calls_the_system),
                            GREEN_TEST(many_descriptors_need_memory),
                            GREEN_TEST(a_child_waits_by_itself),
                            GREEN_TEST(several_os_threads_read_one_socket),
                            GREEN_TEST(several_os_threads_read_one_pipe),
                            GREEN_SUITE_END};
