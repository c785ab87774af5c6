/* hub_conformance: what is of POSIX: descriptors, fork(), signals, limits. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- descriptors */

bool
conf_pair(green_fd pair[2])
{
        return CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

green_fd
conf_socket(int type)
{
        int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        CHECK(fd >= 0);
        return fd;
}

green_fd
conf_bound(int type, struct sockaddr_in *addr)
{
        int fd = conf_socket(type);
        socklen_t len = sizeof *addr;

        *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CHECK_INT(bind(fd, (void *)addr, len), 0);
        CHECK_INT(getsockname(fd, (void *)addr, &len), 0);
        return fd;
}

bool
conf_connect(green_fd fd, const struct sockaddr_in *addr)
{
        struct pollfd one = {.fd = fd, .events = POLLOUT};

        return connect(fd, (const void *)addr, sizeof *addr) == 0 || (errno == EINPROGRESS && poll(&one, 1, 5000) == 1);
}

int
conf_write(green_fd fd, const void *bytes, size_t len)
{
        return (int)write(fd, bytes, len);
}

int
conf_read(green_fd fd, void *bytes, size_t len)
{
        return (int)read(fd, bytes, len);
}

bool
conf_would_block(void)
{
        return errno == EAGAIN;
}

void
conf_end(green_fd fd)
{
        CHECK_INT(shutdown(fd, SHUT_WR), 0);
}

void
conf_reset(green_fd fd)
{
        struct linger linger = {.l_onoff = 1};

        CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
        close(fd);
}

void
conf_close_fd(green_fd fd)
{
        if (fd >= 0)
                close(fd);
}

bool
conf_is_open(green_fd fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

bool
conf_is_ours_alone(green_fd fd)
{
        return fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

green_fd
conf_closed(void)
{
        int fd = dup(STDIN_FILENO);

        close(fd);
        return fd;
}

green_fd
conf_light(void)
{
        return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

bool
conf_light_up(green_fd fd)
{
        uint64_t one = 1;

        return write(fd, &one, sizeof one) == sizeof one;
}

green_fd
conf_file(const char *bytes)
{
        char path[] = "/tmp/green-hub-XXXXXX";
        int fd = mkstemp(path);

        unlink(path);
        CHECK_INT(write(fd, bytes, strlen(bytes)), strlen(bytes));
        return fd;
}

bool
conf_pipe(green_fd fds[2])
{
        return CHECK_INT(pipe(fds), 0);
}

int
conf_write_file(green_fd fd, const void *bytes, size_t len)
{
        return conf_write(fd, bytes, len);
}

int
conf_read_file(green_fd fd, void *bytes, size_t len, int64_t at)
{
        return (int)(at < 0 ? read(fd, bytes, len) : pread(fd, bytes, len, at));
}

void
conf_close_file(green_fd fd)
{
        close(fd);
}

void
conf_pause(double seconds)
{
        usleep((useconds_t)(seconds * 1e6));
}

bool
conf_in_child(void (*fn)(void *arg), void *arg)
{
        int status = -1;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0) {
                fn(arg);
                _exit(suite_failures() != 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        return CHECK_INT(status, 0);
}

bool
conf_tcp_pair(green_fd fds[2])
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool good;

        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        good = CHECK(listener >= 0 && fds[0] >= 0) && CHECK_INT(bind(listener, (void *)&addr, len), 0) &&
               CHECK_INT(listen(listener, 1), 0) && CHECK_INT(getsockname(listener, (void *)&addr, &len), 0) &&
               CHECK_INT(connect(fds[0], (void *)&addr, len), 0);
        fds[1] = good ? accept(listener, NULL, NULL) : -1;
        close(listener);
        return CHECK(fds[1] >= 0);
}

double
conf_cpu(void)
{
        struct rusage use;

        getrusage(RUSAGE_SELF, &use);
        return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

/* ---- interest and events */

void
a_hang_up_is_an_error_event(void)
{
        void *hub = conf_open();
        int fds[2];

        if (hub == NULL || !CHECK_INT(pipe(fds), 0))
                return;
        /* The reader is gone: nothing to wait for but the error. */
        ADD(hub, fds[1], GREEN_WRITE, 2);
        close(fds[0]);
        CHECK(conf_fails(hub, 2, GREEN_WRITE));
        REMOVE(hub, fds[1]);
        close(fds[1]);
        /* The writer is gone: the end of the file, or an error; core wakes the reader for both. */
        if (CHECK_INT(pipe(fds), 0)) {
                ADD(hub, fds[0], GREEN_READ, 1);
                close(fds[1]);
                CHECK((conf_bits(hub, 1, CONF_SOON) & (GREEN_READ | GREEN_HUB_ERROR)) != 0);
                REMOVE(hub, fds[0]);
                close(fds[0]);
        }
        conf_close(hub);
}

void
a_regular_file_is_refused_or_always_ready(void)
{
        char path[] = "/tmp/green-hub-XXXXXX";
        int fd = mkstemp(path);
        void *hub = conf_open();
        int err;

        if (hub == NULL || !CHECK(fd >= 0))
                return;
        unlink(path);
        err = conf_ops->add(hub, fd, GREEN_READ, 1);
        if (err == 0) {
                CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ);
        } else {
                CHECK_INT(err, -EPERM);
                CHECK_INT(conf_ops->add(hub, fd, GREEN_READ, 1), -EPERM);
                conf_quiet(hub);
        }
        conf_close(hub);
        close(fd);
}

/* The number of a descriptor that was registered, then closed, with remove() before it or without. */
static void
use_again(bool removed)
{
        struct rig rig;
        int others[2];
        int err;

        if (!rig_up(&rig) || !conf_pair(others))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        conf_put(rig.fds[1]);
        if (removed)
                REMOVE(rig.hub, rig.fds[0]);
        CHECK_INT(dup2(others[0], rig.fds[0]), rig.fds[0]);
        if (removed)
                conf_quiet(rig.hub);
        err = conf_ops->add(rig.hub, rig.fds[0], GREEN_READ, 2);
        if (err == -EEXIST && !removed && !(conf_ops->features & GREEN_HUB_FORGETS_CLOSED)) {
                REMOVE(rig.hub, rig.fds[0]);
                err = conf_ops->add(rig.hub, rig.fds[0], GREEN_READ, 2);
        }
        CHECK_INT(err, 0);
        conf_quiet(rig.hub);
        conf_put(others[1]);
        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON), GREEN_READ);
        rig_down(&rig);
        conf_close_pair(others);
}

void
a_number_can_be_used_again(void)
{
        use_again(true);
        use_again(false);
}

/* The open file lives on in a duplicate: closing does not unregister it, remove() before it must. */
void
a_duplicate_is_silent_after_remove(void)
{
        struct rig rig;
        int copy;

        if (!rig_up(&rig))
                return;
        ADD(rig.hub, rig.fds[0], GREEN_READ, 1);
        copy = fcntl(rig.fds[0], F_DUPFD_CLOEXEC, 0);
        REMOVE(rig.hub, rig.fds[0]);
        close(rig.fds[0]);
        conf_put(rig.fds[1]);
        conf_quiet(rig.hub);
        ADD(rig.hub, copy, GREEN_READ, 2);
        CHECK_INT(conf_bits(rig.hub, 2, CONF_SOON), GREEN_READ);
        rig.fds[0] = copy;
        rig_down(&rig);
}

/* ---- high numbers */

/* Has the process open as many descriptors as it may; their number. */
long
conf_raise_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                return 0;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        return limit.rlim_cur < 1000000 ? (long)limit.rlim_cur : 1000000;
}

/* A number that a table by number has to grow for, or that the hub has no room for (select): -EMFILE. */
static void
try_number(int number)
{
        void *hub = conf_open();
        int fds[2], high, err;

        if (hub == NULL || !conf_pair(fds))
                return;
        high = fcntl(fds[0], F_DUPFD_CLOEXEC, number);
        conf_put(fds[1]);
        if (high >= number) {
                ADD(hub, fds[0], GREEN_READ, 1);
                err = conf_ops->add(hub, high, GREEN_READ, 2);
                if (err == 0) {
                        CHECK_INT(conf_bits(hub, 2, CONF_SOON), GREEN_READ);
                        REMOVE(hub, high);
                } else {
                        printf("%s refuses descriptor %d\n", conf_ops->name, high);
                        CHECK_INT(err, -EMFILE);
                        CHECK_INT(conf_ops->add(hub, high, GREEN_READ, 2), -EMFILE);
                        CHECK_INT(conf_ops->modify(hub, high, GREEN_READ, 2), -ENOENT);
                        CHECK_INT(conf_ops->remove(hub, high), -ENOENT);
                }
                CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ);
                close(high);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

void
a_high_number_works_or_is_refused(void)
{
        static const int numbers[] = {63, 64, 127, 255, 256, 1022, 1023, 1024, 1025, 4096, 65536, 500000};
        long limit = conf_raise_limit();

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && numbers[i] < limit; i++)
                try_number(numbers[i]);
}

/* ---- signals, fork(), pollfd() */

static void *volatile signal_hub;
static volatile sig_atomic_t signals;

static void
on_alarm(int signal)
{
        (void)signal;
        signals++;
        if (signal_hub != NULL)
                conf_ops->wake(signal_hub);
}

/* Has on_alarm() called in a while, once or every millisecond; restarts system calls if that is asked for. */
static void
start_alarm(int flags, bool again)
{
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
        struct itimerval timer = {.it_value.tv_usec = again ? 1000 : 20000, .it_interval.tv_usec = again ? 1000 : 0};

        signals = 0;
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
}

static void
stop_alarm(void)
{
        struct itimerval none = {.it_value.tv_usec = 0};

        setitimer(ITIMER_REAL, &none, NULL);
        signal(SIGALRM, SIG_DFL);
}

void
a_wake_from_a_signal_handler_ends_the_wait(void)
{
        void *hub = conf_open();

        if (hub == NULL)
                return;
        signal_hub = hub;
        start_alarm(SA_RESTART, false);
        while (signals == 0)
                conf_woken(hub);
        stop_alarm();
        signal_hub = NULL;
        conf_close(hub);
}

void
an_interrupted_wait_returns_nothing(void)
{
        GREEN_COVERS("HUB-17");
        struct green_hub_event event;
        double begin = conf_now();
        void *hub = conf_open();

        if (hub == NULL)
                return;
        start_alarm(0, true);
        while (signals < 20 && conf_now() - begin < CONF_SOON)
                CHECK_INT(conf_ops->wait(hub, &event, 1, 10 * 1000 * 1000), 0);
        stop_alarm();
        conf_close(hub);
}

/* Waits for a child that ends with _exit(suite_failures() != 0). */
static void
child_was_fine(pid_t child)
{
        int status = -1;

        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
}

static int
open_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void
in_the_child(void *hub, int fds[2], int others[2], int before)
{
        int err;

        CHECK_INT(conf_ops->after_fork(hub), 0);
        /* What the parent registered is not registered here, and says nothing. */
        conf_quiet(hub);
        err = conf_ops->remove(hub, fds[0]);
        CHECK_INT(err, -ENOENT);
        CHECK_INT(conf_ops->modify(hub, fds[0], GREEN_READ, 3), -ENOENT);
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, 3), 0);
        CHECK_INT(conf_bits(hub, 3, CONF_SOON), GREEN_READ);
        CHECK_INT(conf_ops->remove(hub, fds[0]), 0);
        CHECK_INT(conf_ops->add(hub, others[0], GREEN_READ, 4), 0);
        conf_quiet(hub);
        conf_put(others[1]);
        CHECK_INT(conf_bits(hub, 4, CONF_SOON), GREEN_READ);
        conf_drain(others[0]);
        CHECK_INT(conf_ops->wake(hub), 0);
        conf_woken(hub);
        CHECK(open_fds() <= before);
        conf_close(hub);
}

void
the_child_of_a_fork_starts_empty(void)
{
        GREEN_COVERS("FORK-02");
        void *hub = conf_open();
        int fds[2], others[2], before;
        pid_t child;

        if (hub == NULL || !conf_pair(fds) || !conf_pair(others))
                return;
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, 1), 0);
        conf_put(fds[1]);
        CHECK_INT(conf_ops->wake(hub), 0);
        fflush(stdout);
        /* Here: a kqueue is not inherited. */
        before = open_fds();
        child = fork();
        if (child == 0) {
                in_the_child(hub, fds, others, before);
                _exit(suite_failures() != 0);
        }
        child_was_fine(child);
        conf_close(hub);
        conf_close_pair(fds);
        conf_close_pair(others);
}

void
the_parent_of_a_fork_notices_nothing(void)
{
        GREEN_COVERS("FORK-02");
        struct green_hub_event event;
        void *hub = conf_open();
        int fds[2], others[2];
        double begin;
        pid_t child;

        if (hub == NULL || !conf_pair(fds) || !conf_pair(others))
                return;
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, 1), 0);
        CHECK_INT(conf_ops->add(hub, others[0], GREEN_READ, 2), 0);
        fflush(stdout);
        child = fork();
        if (child == 0) {
                /* All that could hit the parent, if anything were shared. */
                CHECK_INT(conf_ops->after_fork(hub), 0);
                conf_ops->remove(hub, fds[0]);
                CHECK_INT(conf_ops->add(hub, others[0], GREEN_WRITE, 9), 0);
                CHECK_INT(conf_ops->wake(hub), 0);
                if (suite_failures() == 0)
                        conf_ops->fini(hub);
                _exit(suite_failures() != 0);
        }
        child_was_fine(child);
        /* Not even the child's wake. */
        begin = conf_now();
        CHECK_INT(conf_ops->wait(hub, &event, 1, 20 * 1000 * 1000), 0);
        CHECK(conf_now() - begin >= 0.02);
        conf_quiet(hub);
        conf_put(fds[1]);
        CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ);
        conf_drain(fds[0]);
        conf_put(others[1]);
        CHECK_INT(conf_bits(hub, 2, CONF_SOON), GREEN_READ);
        CHECK_INT(conf_ops->remove(hub, others[0]), 0);
        conf_quiet(hub);
        CHECK_INT(conf_ops->wake(hub), 0);
        conf_woken(hub);
        conf_close(hub);
        conf_close_pair(fds);
        conf_close_pair(others);
}

static bool
readable(int fd, int milliseconds)
{
        struct pollfd one = {.fd = fd, .events = POLLIN};

        return poll(&one, 1, milliseconds) == 1 && (one.revents & POLLIN) != 0;
}

void
pollfd_says_when_to_wait(void)
{
        void *hub = conf_open();
        int fds[2], fd;

        if (hub == NULL || !conf_pair(fds))
                return;
        fd = conf_ops->pollfd(hub);
        if (fd == GREEN_INVALID_FD) {
                suite_skip("this hub has no descriptor to wait for");
        } else {
                CHECK(!readable(fd, 10));
                CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ, 1), 0);
                CHECK(!readable(fd, 10));
                conf_put(fds[1]);
                CHECK(readable(fd, 5000));
                CHECK_INT(conf_bits(hub, 1, CONF_SOON), GREEN_READ);
                conf_drain(fds[0]);
                conf_quiet(hub);
                CHECK(!readable(fd, 10));
                for (int i = 0; i < 3; i++) {
                        CHECK_INT(conf_ops->wake(hub), 0);
                        CHECK(readable(fd, 5000));
                        conf_woken(hub);
                        CHECK(!readable(fd, 10));
                }
        }
        conf_close(hub);
        conf_close_pair(fds);
}

/* ---- limits, and programs */

void
init_without_descriptors_fails_in_order(void)
{
        int first_free = dup(STDIN_FILENO);
        struct rlimit limit;
        int err = -1;

        close(first_free);
        if (!CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0))
                return;
        /* Numbers below the limit are all in use but for `room`, provided that there are no holes. */
        for (int room = 0; err != 0 && room < 16; room++) {
                struct rlimit low = {.rlim_cur = (rlim_t)(first_free + room), .rlim_max = limit.rlim_max};
                void *hub = &err;

                CHECK_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
                err = conf_ops->init(&conf_config, &hub);
                CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
                if (err == 0) {
                        conf_close(hub);
                } else {
                        CHECK_INT(err, -EMFILE);
                        CHECK_PTR(hub, &err);
                        CHECK_INT(conf_blocks(), 0);
                        CHECK_INT(fcntl(first_free, F_GETFD), -1);
                }
        }
        CHECK_INT(err, 0);
}

/* Memory that a process may not lock is what some hubs share with the system. */
void
init_without_lockable_memory_fails_in_order(void)
{
        struct rlimit limit, low;
        void *hub = &limit;
        int err;

        if (!CHECK_INT(getrlimit(RLIMIT_MEMLOCK, &limit), 0))
                return;
        low = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
        CHECK_INT(setrlimit(RLIMIT_MEMLOCK, &low), 0);
        err = conf_ops->init(&conf_config, &hub);
        if (err == 0) {
                CHECK_INT(conf_ops->wake(hub), 0);
                conf_woken(hub);
                conf_close(hub);
        } else {
                CHECK(err == -ENOMEM || err == -EPERM);
                CHECK_PTR(hub, &limit);
                CHECK_INT(conf_blocks(), 0);
        }
        CHECK_INT(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
        conf_close(conf_open());
}

void
descriptors_are_close_on_exec(void)
{
        bool before[1024];
        void *hub;

        for (int fd = 0; fd < 1024; fd++)
                before[fd] = fcntl(fd, F_GETFD) >= 0;
        hub = conf_open();
        for (int fd = 0; fd < 1024; fd++) {
                int flags = fcntl(fd, F_GETFD);

                if (!before[fd] && flags >= 0 && !(flags & FD_CLOEXEC))
                        FAIL("descriptor %d goes to programs that are started", fd);
        }
        conf_close(hub);
}

/* Starts this program afresh. */
static void
be_again(void)
{
        suite_exec_self(NULL);
        _exit(99);
}

void
conf_conforms(const char *name, const char *settings)
{
        const char *path = suite_plugin(name);
        int status = -1;
        pid_t child;

        if (path == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        fflush(stdout);
        child = fork();
        if (child == 0) {
                setenv("GREEN_HUB", path, 1);
                setenv("GREEN_TEST_LATE", settings, 1);
                setenv("GREEN_TEST_INNER", "1", 1);
                unsetenv("GREEN_TEST_RESULTS");
                be_again();
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
}
