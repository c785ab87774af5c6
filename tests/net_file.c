/*
 * Files: reading, writing, positions; whole files and temporary ones.
 */
#include "net_file.h"

static void
begin(void)
{
        file_setup();
        make_folder();
}

/* ---- reading and writing */

static void
a_file_is_written_and_read(void)
{
        green_file *f;
        char buf[16];

        GREEN_COVERS("GOS-01", "GOS-03", "GOS-07");
        begin();
        f = opened("a", O_RDWR | O_CREAT | O_EXCL);
        CHECK(fcntl(green_file_fd(f), F_GETFD) & FD_CLOEXEC);
        CHECK_INT(fcntl(green_file_fd(f), F_GETFL) & O_NONBLOCK, 0);
        CHECK_INT(green_file_write(f, "hello ", 6), 6);
        CHECK_INT(green_file_write(f, "world", 5), 5);
        CHECK_INT(green_file_write(f, NULL, 0), 0);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 0);
        CHECK_INT(green_file_seek(f, 4, SEEK_SET, NULL), 0);
        CHECK_INT(green_file_read(f, buf, 3), 3);
        CHECK(memcmp(buf, "o w", 3) == 0);
        CHECK_INT(green_file_read(f, buf, 0), 0);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 4);
        CHECK_INT(place(f), 11);
        CHECK_INT(green_file_free(f), 0);
        CHECK(file_has("a", "hello world"));
        remove_folder();
}

static void
an_offset_leaves_the_position(void)
{
        green_file *f;
        char buf[16];

        begin();
        (void)file_with("a", "0123456789");
        f = opened("a", O_RDWR);
        CHECK_INT(green_file_read(f, buf, 2), 2);
        CHECK_INT(green_file_pread(f, buf, 4, 5), 4);
        CHECK(memcmp(buf, "5678", 4) == 0);
        CHECK_INT(green_file_pread(f, buf, 4, 100), 0);
        CHECK_INT(green_file_pwrite(f, "xyz", 3, 9), 3);
        CHECK_INT(place(f), 2);
        CHECK_INT(green_file_read(f, buf, 2), 2);
        CHECK(memcmp(buf, "23", 2) == 0);
        CHECK_INT(green_file_free(f), 0);
        CHECK(file_has("a", "012345678xyz"));
        remove_folder();
}

static void
positions_are_moved_and_go_beyond_4_gib(void)
{
        const int64_t far = INT64_C(5) << 30;
        int64_t at = -1;
        green_file *f;
        char byte = 0;

        begin();
        f = opened("a", O_RDWR | O_CREAT);
        CHECK_INT(green_file_pwrite(f, "x", 1, far), 1);
        CHECK_INT(green_file_seek(f, -1, SEEK_END, &at), 0);
        CHECK_INT(at, far);
        CHECK_INT(green_file_read(f, &byte, 1), 1);
        CHECK_INT(byte, 'x');
        CHECK_INT(green_file_seek(f, -2, SEEK_CUR, &at), 0);
        CHECK_INT(at, far - 1);
        CHECK_INT(green_file_seek(f, far + 5, SEEK_SET, &at), 0);
        CHECK_INT(green_file_write(f, "y", 1), 1);
        CHECK_INT(green_file_seek(f, 0, SEEK_END, &at), 0);
        CHECK_INT(at, far + 6);
        at = 77;
        CHECK_INT(green_file_seek(f, -1, SEEK_SET, &at), -EINVAL);
        CHECK_INT(green_file_seek(f, -far - 7, SEEK_END, &at), -EINVAL);
        CHECK_INT(green_file_seek(f, INT64_MAX, SEEK_CUR, &at), -EOVERFLOW);
        CHECK_INT(green_file_seek(f, INT64_MIN, SEEK_CUR, &at), -EINVAL);
        CHECK_INT(green_file_seek(f, 0, 99, &at), -EINVAL);
        CHECK_INT(at, 77);
        CHECK_INT(place(f), far + 6);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

static void
appends_go_to_the_end(void)
{
        green_file *f, *other;
        char buf[16];

        begin();
        (void)file_with("a", "one");
        f = opened("a", O_RDWR | O_APPEND);
        other = opened("a", O_WRONLY | O_APPEND);
        CHECK_INT(place(f), 0);
        CHECK_INT(green_file_read(f, buf, 1), 1);
        CHECK_INT(green_file_write(f, "two", 3), 3);
        CHECK_INT(place(f), 6);
        CHECK_INT(green_file_write(other, "!", 1), 1);
        CHECK_INT(green_file_seek(f, 2, SEEK_SET, NULL), 0);
        CHECK_INT(green_file_write(f, "three", 5), 5);
        CHECK_INT(place(f), 12);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 0);
        CHECK_INT(green_file_seek(f, 7, SEEK_SET, NULL), 0);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 5);
        CHECK(memcmp(buf, "three", 5) == 0);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(green_file_free(other), 0);
        CHECK(file_has("a", "onetwo!three"));
        remove_folder();
}

static void
much_is_written_by_one_call(void)
{
        size_t len = 20u << 20, i;
        char *data = malloc(len), *back = NULL;
        size_t got = 0;
        green_file *f;

        begin();
        for (i = 0; i < len; i++)
                data[i] = (char)(i * 7 + (i >> 12));
        f = opened("a", O_RDWR | O_CREAT);
        CHECK_INT(green_file_write(f, data, len), len);
        CHECK_INT(place(f), len);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(green_file_read_all(in_folder("a"), len, &back, &got), 0);
        CHECK(got == len && memcmp(back, data, len) == 0);
        green_free(back);
        free(data);
        remove_folder();
}

static void
bad_arguments_are_refused(void)
{
        struct stat st;
        green_file *f;
        char buf[4];

        begin();
        f = opened("a", O_RDWR | O_CREAT);
        CHECK_INT(green_file_read(NULL, buf, 1), -EINVAL);
        CHECK_INT(green_file_read(f, NULL, 1), -EINVAL);
        CHECK_INT(green_file_read(f, buf, SIZE_MAX), -EINVAL);
        CHECK_INT(green_file_pread(f, buf, 1, -1), -EINVAL);
        CHECK_INT(green_file_pread(f, NULL, 1, 0), -EINVAL);
        CHECK_INT(green_file_write(f, NULL, 1), -EINVAL);
        CHECK_INT(green_file_write(f, buf, SIZE_MAX), -EINVAL);
        CHECK_INT(green_file_pwrite(f, buf, 1, -1), -EINVAL);
        CHECK_INT(green_file_pwrite(f, buf, 2, INT64_MAX - 1), -EINVAL);
        CHECK_INT(green_file_truncate(f, -1), -EINVAL);
        CHECK_INT(green_file_truncate(NULL, 0), -EINVAL);
        CHECK_INT(green_file_sync(NULL, false), -EINVAL);
        CHECK_INT(green_file_stat(f, NULL), -EINVAL);
        CHECK_INT(green_file_stat(NULL, &st), -EINVAL);
        CHECK_INT(green_file_seek(NULL, 0, SEEK_SET, NULL), -EINVAL);
        CHECK_INT(green_file_fd(NULL), GREEN_INVALID_FD);
        CHECK_INT(green_file_close(NULL), 0);
        CHECK_INT(green_file_free(NULL), 0);
        CHECK(green_file_open(NULL, O_RDONLY, 0) == NULL && errno == EINVAL);
        CHECK(green_file_temporary_named(folder, NULL) == NULL && errno == EINVAL);
        CHECK(green_file_stream(NULL, NULL) == NULL && errno == EINVAL);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

static void
a_file_is_read_or_written_as_it_was_opened(void)
{
        green_file *in, *out;
        char buf[4];

        begin();
        (void)file_with("a", "abc");
        in = opened("a", O_RDONLY);
        out = opened("a", O_WRONLY);
        CHECK_INT(green_file_write(in, "x", 1), -EBADF);
        CHECK_INT(green_file_read(out, buf, 1), -EBADF);
        CHECK_INT(green_file_truncate(in, 0), -EINVAL);
        CHECK_INT(green_file_free(in), 0);
        CHECK_INT(green_file_free(out), 0);
        CHECK(file_has("a", "abc"));
        remove_folder();
}

/* ---- opening */

static bool
open_fails(const char *path, int flags, int error)
{
        green_file *f = green_file_open(path, flags, 0644);
        bool right = CHECK(f == NULL) && CHECK_INT(errno, error) && CHECK_INT(green_last_error()->code, -error) &&
                     CHECK(strstr(green_last_error()->message, path) != NULL);

        (void)green_file_free(f);
        return right;
}

static void
what_cannot_be_opened_says_why(void)
{
        begin();
        (void)file_with("a", "abc");
        CHECK(open_fails(in_folder("none"), O_RDONLY, ENOENT));
        CHECK(open_fails(in_folder("a"), O_WRONLY | O_CREAT | O_EXCL, EEXIST));
        CHECK(open_fails(in_folder("a/b"), O_RDONLY, ENOTDIR));
        CHECK(open_fails(folder, O_RDWR, EISDIR));
        remove_folder();
}

/* Nobody is at the other end of it, and nobody is waited for. */
static void
a_named_pipe_is_no_file(void)
{
        begin();
        CHECK_INT(mkfifo(in_folder("pipe"), 0600), 0);
        CHECK(open_fails(in_folder("pipe"), O_RDONLY, EINVAL));
        CHECK(open_fails(in_folder("pipe"), O_WRONLY, EINVAL));
        CHECK(open_fails(in_folder("pipe"), O_RDWR, EINVAL));
        remove_folder();
}

static void
a_folder_can_be_opened_to_sync_it(void)
{
        green_file *f;
        char buf[4];

        begin();
        f = green_file_open(folder, O_RDONLY, 0);
        CHECK(f != NULL);
        CHECK_INT(green_file_read(f, buf, 1), -EISDIR);
        CHECK_INT(green_file_sync(f, false), 0);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

static void
open_keeps_what_was_asked_for(void)
{
        green_file *f;
        struct stat st;

        begin();
        (void)file_with("a", "abc");
        f = opened("a", O_RDWR | O_TRUNC | O_NONBLOCK | O_APPEND);
        CHECK_INT(fcntl(green_file_fd(f), F_GETFL) & (O_NONBLOCK | O_APPEND), O_NONBLOCK | O_APPEND);
        CHECK_INT(green_file_stat(f, &st), 0);
        CHECK_INT(st.st_size, 0);
        CHECK_INT(green_file_write(f, "x", 1), 1);
        CHECK_INT(green_file_free(f), 0);
        f = green_file_open(in_folder("b"), O_WRONLY | O_CREAT | O_APPEND, 0640);
        CHECK_INT(green_file_stat(f, &st), 0);
        CHECK_INT(st.st_mode & 0777 & ~027, 0640 & ~027);
        CHECK_INT(fcntl(green_file_fd(f), F_GETFL) & (O_NONBLOCK | O_APPEND), O_APPEND);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

static void
a_descriptor_becomes_a_file(void)
{
        int fd, pipes[2];
        green_file *f;
        char buf[4];

        GREEN_COVERS("GOS-07");
        begin();
        fd = open(file_with("a", "012345"), O_RDWR);
        CHECK_INT(lseek(fd, 2, SEEK_SET), 2);
        f = green_file_from_fd(fd);
        CHECK(f != NULL);
        CHECK_INT(green_file_fd(f), fd);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK_INT(place(f), 2);
        CHECK_INT(green_file_read(f, buf, 2), 2);
        CHECK(memcmp(buf, "23", 2) == 0);
        CHECK(green_file_from_fd(fd) == NULL);
        CHECK_INT(errno, EBUSY);
        CHECK_INT(green_file_free(f), 0);
        CHECK(fcntl(fd, F_GETFD) < 0);
        CHECK(green_file_from_fd(-1) == NULL && errno == EBADF);
        CHECK_INT(pipe(pipes), 0);
        CHECK(green_file_from_fd(pipes[0]) == NULL && errno == EINVAL);
        CHECK(fcntl(pipes[0], F_GETFD) >= 0);
        close(pipes[0]);
        close(pipes[1]);
        remove_folder();
}

/* ---- facts */

static void
length_and_facts_are_changed_and_told(void)
{
        struct stat st;
        green_file *f;

        begin();
        (void)file_with("a", "012345");
        f = opened("a", O_RDWR);
        CHECK_INT(green_file_truncate(f, 3), 0);
        CHECK_INT(green_file_stat(f, &st), 0);
        CHECK_INT(st.st_size, 3);
        CHECK(S_ISREG(st.st_mode));
        CHECK_INT(green_file_truncate(f, 5000), 0);
        CHECK_INT(green_file_stat(f, &st), 0);
        CHECK_INT(st.st_size, 5000);
        CHECK_INT(green_file_sync(f, false), 0);
        CHECK_INT(green_file_sync(f, true), 0);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

/* ---- full disks */

static void
a_full_disk_is_an_error(void)
{
        green_file *f;

        file_setup();
        f = green_file_open("/dev/full", O_WRONLY, 0);
        if (f == NULL) {
                suite_skip("there is no /dev/full");
                return;
        }
        CHECK_INT(green_file_write(f, "x", 1), -ENOSPC);
        CHECK_INT(green_file_pwrite(f, "x", 1, 0), -ENOSPC);
        CHECK_INT(place(f), 0);
        CHECK_INT(green_file_free(f), 0);
}

static rlim_t
limit_length(rlim_t bytes)
{
        struct rlimit limit;
        rlim_t old;

        CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
        old = limit.rlim_cur;
        limit.rlim_cur = bytes;
        CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
        return old;
}

static void
beyond_the_limit_of_length(void)
{
        static const char block[8000];
        rlim_t old = limit_length(5000);
        sigset_t pending;
        green_file *f;

        f = opened("a", O_RDWR | O_CREAT | O_TRUNC);
        CHECK_INT(green_file_write(f, block, sizeof block), 5000);
        CHECK_INT(place(f), 5000);
        /* Told by the next one, which else would write. */
        CHECK_INT(green_file_pwrite(f, block, 1, 0), -EFBIG);
        CHECK_INT(green_file_pwrite(f, block, 1, 0), 1);
        CHECK_INT(green_file_write(f, block, 1), -EFBIG);
        CHECK_INT(green_file_pwrite(f, block, sizeof block, 4000), 1000);
        CHECK_INT(green_file_sync(f, false), -EFBIG);
        CHECK_INT(green_file_sync(f, false), 0);
        CHECK_INT(green_file_truncate(f, 6000), -EFBIG);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(green_file_write_all(in_folder("b"), block, sizeof block, 0644, false), -EFBIG);
        CHECK_INT(things_in(folder), 1);
        f = opened("a", O_WRONLY | O_APPEND);
        CHECK_INT(green_file_write(f, block, 1), -EFBIG);
        CHECK_INT(green_file_free(f), 0);
        limit_length(old);
        CHECK_INT(sigpending(&pending), 0);
        CHECK_INT(sigismember(&pending, SIGXFSZ), 0);
}

static void
a_limit_of_length_is_an_error_and_no_signal(void)
{
        begin();
        beyond_the_limit_of_length();
        /* Here and now, in an OS thread in which signals are not blocked. */
        new_pool(0);
        beyond_the_limit_of_length();
        CHECK_INT(unlink(in_folder("a")), 0);
        new_pool(GREEN_TPOOL_THREADS);
        remove_folder();
}

/* ---- others */

static void
others_run_while_a_file_waits(void)
{
        struct doing d = {.op = OP_READ};
        int turns = 0;
        green_thread *gt;

        GREEN_COVERS("ISS-37");
        begin();
        (void)file_with("a", "abc");
        d.f = opened("a", O_RDONLY);
        block_pool();
        gt = green_spawn(count_turns, &turns);
        begin_op(&d);
        for (int i = 0; i < 20; i++)
                green_sleep(0);
        CHECK(turns >= 20);
        if (goes_through_pool(OP_READ))
                CHECK(!d.over);
        green_kill(gt, 0);
        green_thread_unref(gt);
        unblock_pool();
        CHECK_INT(end_op(&d), 3);
        CHECK(memcmp(d.buf, "abc", 3) == 0);
        CHECK_INT(green_file_free(d.f), 0);
        remove_folder();
}

static void
calls_at_the_position_take_turns(void)
{
        enum { N = 9 };
        struct doing d[N] = {{.op = OP_WRITE}};
        bool in_pool = goes_through_pool(OP_WRITE);
        green_file *f;

        begin();
        f = opened("a", O_RDWR | O_CREAT);
        if (in_pool)
                block_pool();
        for (int i = 0; i < N; i++) {
                d[i] = (struct doing){.op = OP_WRITE, .f = f};
                snprintf(d[i].buf, sizeof d[i].buf, "%03d", i);
                d[i].gt = green_spawn(op_main, &d[i]);
        }
        green_sleep(0);
        CHECK(!d[N - 1].over);
        CHECK_INT(green_file_seek(f, 0, SEEK_SET, NULL), -EBUSY);
        if (in_pool)
                unblock_pool();
        for (int i = 0; i < N; i++) {
                CHECK_INT(end_op(&d[i]), 3);
                CHECK(i == 0 || d[i].order > d[i - 1].order);
        }
        CHECK_INT(place(f), 3 * N);
        CHECK_INT(green_file_seek(f, 3, SEEK_SET, NULL), 0);
        for (int i = 0; i < N - 1; i++) {
                d[i].op = OP_READ;
                d[i].gt = green_spawn(op_main, &d[i]);
        }
        for (int i = 0; i < N - 1; i++) {
                CHECK_INT(end_op(&d[i]), 3);
                CHECK_INT(atoi(d[i].buf), i + 1);
        }
        CHECK_INT(green_file_free(f), 0);
        CHECK(file_has("a", "000001002003004005006007008"));
        remove_folder();
}

static void
operations_of_the_hub_need_no_pool(void)
{
        struct green_hub_info info = {.size = sizeof info};
        struct doing d = {.op = OP_WRITE, .buf = "jkl"};
        rlim_t old;
        unsigned long long reads = 0, writes = 0;
        const char *text;
        green_file *f, *end;
        char buf[8];

        GREEN_COVERS("ISS-37");
        begin();
        if (!has_operations()) {
                remove_folder();
                suite_skip("this hub has no operations for files");
                return;
        }
        f = opened("a", O_RDWR | O_CREAT);
        end = opened("a", O_RDWR | O_APPEND);
        block_pool();
        CHECK_INT(green_file_write(f, "abc", 3), 3);
        CHECK_INT(green_file_pwrite(f, "def", 3, 3), 3);
        CHECK_INT(green_file_write(end, "ghi", 3), 3);
        CHECK_INT(place(end), 9);
        CHECK_INT(green_file_seek(f, 1, SEEK_SET, NULL), 0);
        CHECK_INT(green_file_read(f, buf, 4), 4);
        CHECK_INT(green_file_pread(f, buf + 4, 4, 5), 4);
        CHECK(memcmp(buf, "bcdefghi", 8) == 0);
        CHECK_INT(pool_info().queued, 0);
        /* But for what could raise a signal: the hub cannot block it. */
        old = limit_length(1000000);
        d.f = end;
        begin_op(&d);
        CHECK_INT(pool_info().queued, 1);
        CHECK(!d.over);
        unblock_pool();
        CHECK_INT(end_op(&d), 3);
        limit_length(old);
        CHECK_INT(place(end), 12);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(green_file_free(end), 0);
        CHECK_INT(green_hub_get_info(&info), 0);
        text = strstr(info.description, "read ");
        if (strcmp(info.name, "io_uring") == 0 &&
            CHECK(text != NULL && sscanf(text, "read %llu, write %llu", &reads, &writes) == 2)) {
                CHECK(reads >= 2);
                CHECK(writes >= 3);
        }
        remove_folder();
}

static void
a_pool_of_no_threads_does_it_here(void)
{
        struct doing d = {.op = OP_READ};

        begin();
        new_pool(0);
        d.f = opened("file", O_RDWR | O_CREAT);
        for (d.op = 0; d.op < OPS; d.op++) {
                CHECK_INT(green_file_pwrite(d.f, "content", 7, 0), 7);
                CHECK_INT(green_file_seek(d.f, 0, SEEK_SET, NULL), 0);
                do_op(&d);
                CHECK_INT(d.rc, good(d.op));
        }
        CHECK_INT(green_file_free(d.f), 0);
        new_pool(GREEN_TPOOL_THREADS);
        remove_folder();
}

/* ---- streams */

static void
a_stream_stands_on_a_file(void)
{
        static char block[20000];
        const char *line = NULL;
        green_stream *st;
        struct stat info;
        int64_t at = 0;
        green_file *f;
        int fd;

        begin();
        memset(block, 'x', sizeof block);
        f = opened("a", O_RDWR | O_CREAT);
        fd = green_file_fd(f);
        st = green_file_stream(f, NULL);
        CHECK(st != NULL);
        CHECK_INT(green_stream_fd(st), fd);
        CHECK(!green_stream_isatty(st));
        CHECK(green_stream_printf(st, "one\ntwo\n") == 8);
        /* What was gathered and what does not fit go out together. */
        CHECK_INT(green_stream_write(st, block, sizeof block), sizeof block);
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), 0);
        CHECK_INT(green_stream_readline(st, 100, &line), 4);
        CHECK(memcmp(line, "one\n", 4) == 0);
        CHECK_INT(green_stream_seek(st, 0, SEEK_CUR, &at), 0);
        CHECK_INT(at, 4);
        CHECK_INT(green_stream_write(st, "TWO", 3), 3);
        CHECK_INT(green_stream_truncate(st, 10), 0);
        CHECK_INT(green_stream_free(st), 0);
        CHECK(fstat(fd, &info) != 0);
        CHECK(file_has("a", "one\nTWO\nxx"));

        st = green_file_stream(opened("a", O_RDONLY), NULL);
        CHECK_INT(green_stream_write(st, "x", 1), -EBADF);
        CHECK_INT(green_stream_close(st), 0);
        CHECK_INT(green_stream_free(st), 0);
        st = green_file_stream(opened("a", O_WRONLY), NULL);
        CHECK_INT(green_stream_readline(st, 10, &line), -EBADF);
        CHECK_INT(green_stream_free(st), 0);
        f = opened("a", O_RDONLY);
        CHECK_INT(green_file_close(f), 0);
        CHECK(green_file_stream(f, NULL) == NULL && errno == EBADF);
        CHECK_INT(green_file_free(f), 0);
        remove_folder();
}

GREEN_SUITE(net_file){GREEN_TEST(a_file_is_written_and_read),
                      GREEN_TEST(an_offset_leaves_the_position),
                      GREEN_TEST(positions_are_moved_and_go_beyond_4_gib),
                      GREEN_TEST(appends_go_to_the_end),
                      GREEN_TEST(much_is_written_by_one_call),
                      GREEN_TEST(bad_arguments_are_refused),
                      GREEN_TEST(a_file_is_read_or_written_as_it_was_opened),
                      GREEN_TEST(what_cannot_be_opened_says_why),
                      GREEN_TEST(a_named_pipe_is_no_file),
                      GREEN_TEST(a_folder_can_be_opened_to_sync_it),
                      GREEN_TEST(open_keeps_what_was_asked_for),
                      GREEN_TEST(a_descriptor_becomes_a_file),
                      GREEN_TEST(length_and_facts_are_changed_and_told),
                      GREEN_TEST(a_full_disk_is_an_error),
                      GREEN_TEST(a_limit_of_length_is_an_error_and_no_signal),
                      GREEN_TEST(others_run_while_a_file_waits),
                      GREEN_TEST(calls_at_the_position_take_turns),
                      GREEN_TEST(operations_of_the_hub_need_no_pool),
                      GREEN_TEST(a_pool_of_no_threads_does_it_here),
                      GREEN_TEST(a_stream_stands_on_a_file),
                      GREEN_SUITE_END};
