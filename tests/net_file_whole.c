/*
 * Whole files, and temporary ones.
 */
#include "net_file.h"

static void
begin(void)
{
        file_setup();
        make_folder();
}

/* ---- reading */

static bool
reads(const char *path, size_t limit, const char *text)
{
        char *data = NULL;
        size_t len = 999;
        bool right = CHECK_INT(green_file_read_all(path, limit, &data, &len), 0) && CHECK_INT(len, strlen(text)) &&
                     CHECK_STR(data, text);

        green_free(data);
        return right;
}

static bool
fails(const char *path, size_t limit, int code)
{
        char *data = (char *)folder;
        size_t len = 999;

        return CHECK_INT(green_file_read_all(path, limit, &data, &len), code) && CHECK(data == folder) &&
               CHECK_INT(len, 999);
}

static void
a_whole_file_is_read_up_to_a_limit(void)
{
        const char *path;

        begin();
        path = file_with("a", "some text");
        CHECK(reads(path, 9, "some text"));
        CHECK(reads(path, 10, "some text"));
        CHECK(reads(path, SIZE_MAX, "some text"));
        CHECK(fails(path, 8, -EMSGSIZE));
        CHECK(fails(path, 0, -EMSGSIZE));
        path = file_with("b", "");
        CHECK(reads(path, 0, ""));
        CHECK(reads(path, 100, ""));
        CHECK(fails(in_folder("none"), 100, -ENOENT));
        CHECK(fails(folder, 100000, -EISDIR));
        CHECK(fails(NULL, 100, -EINVAL));
        CHECK_INT(green_file_read_all(path, 100, NULL, NULL), -EINVAL);
        remove_folder();
}

/* Files of /proc say that they are empty; /dev/zero has no end. */
static void
a_file_that_does_not_say_its_length_is_read_too(void)
{
        char *data = NULL;
        size_t len = 0;

        begin();
        CHECK_INT(green_file_read_all("/proc/self/status", 100000, &data, &len), 0);
        CHECK(len > 100 && data[len] == '\0' && data[len - 1] == '\n');
        CHECK(strncmp(data, "Name:\t", 6) == 0);
        green_free(data);
        CHECK(fails("/proc/self/status", 50, -EMSGSIZE));
        CHECK(fails("/dev/zero", 100000, -EMSGSIZE));
        remove_folder();
}

/* ---- writing */

static void
a_whole_file_takes_the_place_of_another(void)
{
        struct stat st, before;

        begin();
        syncs = 0;
        CHECK_INT(green_file_write_all(in_folder("a"), "first", 5, 0600, false), 0);
        CHECK_INT(syncs, 0);
        CHECK(file_has("a", "first"));
        CHECK_INT(stat(in_folder("a"), &before), 0);
        CHECK_INT(before.st_mode & 0777, MODE(0600));
        CHECK_INT(green_file_write_all(in_folder("a"), "2nd", 3, 0640, true), 0);
        CHECK_INT(syncs, SYNCS_OF_WRITE_ALL);
        CHECK(file_has("a", "2nd"));
        CHECK_INT(stat(in_folder("a"), &st), 0);
        CHECK_INT(st.st_mode & 0700, MODE(0600) & 0700);
        /* 0 is no number. */
        CHECK(st.st_ino != before.st_ino || st.st_ino == 0);
        CHECK_INT(green_file_write_all(in_folder("a"), NULL, 0, 0600, true), 0);
        CHECK(file_has("a", ""));
        CHECK_INT(things_in(folder), 1);
        remove_folder();
}

static void
who_has_the_old_file_open_sees_all_of_it(void)
{
        green_file *old;
        char buf[8] = "";

        begin();
        (void)file_with("a", "first");
        old = opened("a", O_RDONLY);
        CHECK_INT(green_file_write_all(in_folder("a"), "2nd", 3, 0600, false), 0);
        CHECK(file_has("a", "2nd"));
        CHECK_INT(green_file_read(old, buf, sizeof buf), 5);
        CHECK_STR(buf, "first");
        CHECK_INT(green_file_free(old), 0);
        remove_folder();
}

static void
a_link_is_replaced_and_what_it_leads_to_stays(void)
{
        begin();
        (void)file_with("target", "kept");
        CHECK_INT(symlink("target", in_folder("link")), 0);
        CHECK_INT(green_file_write_all(in_folder("link"), "new", 3, 0600, false), 0);
        CHECK(file_has("target", "kept"));
        CHECK(file_has("link", "new"));
        CHECK_INT(things_in(folder), 2);
        remove_folder();
}

static void
a_path_without_a_folder_is_meant_here(void)
{
        char here[4096];

        begin();
        CHECK_OR_RETURN(getcwd(here, sizeof here) != NULL);
        CHECK_INT(chdir(folder), 0);
        CHECK_INT(green_file_write_all("plain", "text", 4, 0600, true), 0);
        CHECK(reads("plain", 10, "text"));
        CHECK_INT(chdir(here), 0);
        CHECK(file_has("plain", "text"));
        remove_folder();
}

static void
a_write_that_fails_leaves_all_as_it_was(void)
{
        begin();
        (void)file_with("a", "old");
        CHECK_INT(mkdir(in_folder("sub"), 0700), 0);
        CHECK_INT(green_file_write_all(in_folder("sub"), "x", 1, 0600, true), -EISDIR);
        CHECK_INT(green_file_write_all(in_folder("sub/"), "x", 1, 0600, false), -EISDIR);
        CHECK_INT(green_file_write_all(in_folder("none/a"), "x", 1, 0600, false), -ENOENT);
        CHECK_INT(green_file_write_all(in_folder("none/a"), "x", 1, 0600, true), -ENOENT);
        CHECK_INT(green_file_write_all(in_folder("a/b"), "x", 1, 0600, false), -ENOTDIR);
        CHECK_INT(green_file_write_all("", "x", 1, 0600, false), -ENOENT);
        CHECK_INT(green_file_write_all(NULL, "x", 1, 0600, false), -EINVAL);
        CHECK_INT(green_file_write_all(in_folder("a"), NULL, 1, 0600, false), -EINVAL);
        CHECK_INT(green_file_write_all(in_folder("a"), "x", SIZE_MAX, 0600, false), -EINVAL);
        CHECK_INT(things_in(folder), 2);
        CHECK_INT(things_in(in_folder("sub")), 0);
        CHECK(file_has("a", "old"));
        remove_folder();
}

/* ---- temporary files */

static void
a_temporary_file_has_no_name(void)
{
        green_file *f;
        char buf[8] = "";

        begin();
        f = green_file_temporary(folder);
        CHECK(f != NULL);
        CHECK_INT(things_in(folder), TEMPORARY_NAMES);
        CHECK(fcntl(green_file_fd(f), F_GETFD) & FD_CLOEXEC);
        CHECK_INT(green_file_write(f, "abc", 3), 3);
        CHECK_INT(green_file_pread(f, buf, 3, 0), 3);
        CHECK_STR(buf, "abc");
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(things_in(folder), 0);
        CHECK(green_file_temporary(in_folder("none")) == NULL);
        CHECK_INT(errno, ENOENT);
        CHECK(strstr(green_last_error()->message, "none") != NULL);
        /* Where the file system has none without a name, it has one for a moment. */
        f = green_file_temporary("/proc/self");
        CHECK(f == NULL);
        CHECK(errno != 0 && green_last_error()->code == -errno);
        remove_folder();
}

static void
a_temporary_file_with_a_name_is_nobody_elses(void)
{
        enum { N = 50 };
        green_file *f[N];
        char *path[N];
        struct stat st;

        begin();
        for (int i = 0; i < N; i++) {
                f[i] = green_file_temporary_named(folder, &path[i]);
                CHECK(f[i] != NULL);
                CHECK(strncmp(path[i], folder, strlen(folder)) == 0);
                CHECK_INT(stat(path[i], &st), 0);
                CHECK_INT(st.st_mode & 07777, MODE(0600));
        }
        CHECK_INT(things_in(folder), N);
        for (int i = 0; i < N; i++) {
                CHECK_INT(green_file_write(f[i], "x", 1), 1);
                CHECK_INT(green_file_free(f[i]), 0);
                CHECK_INT(unlink(path[i]), 0);
                green_free(path[i]);
        }
        path[0] = folder;
        CHECK(green_file_temporary_named(in_folder("none"), &path[0]) == NULL && errno == ENOENT);
        CHECK(path[0] == folder);
        remove_folder();
}

static void
temporary_files_are_where_the_environment_says(void)
{
        const char *old = getenv(TMP_NAME);
        char *path = NULL, *saved = old == NULL ? NULL : strdup(old);
        green_file *f;

        begin();
        setenv(TMP_NAME, folder, 1);
        f = green_file_temporary_named(NULL, &path);
        CHECK(f != NULL && strncmp(path, folder, strlen(folder)) == 0);
        CHECK_INT(green_file_free(f), 0);
        green_free(path);
        CHECK_INT(things_in(folder), 1);
        f = green_file_temporary(NULL);
        CHECK(f != NULL);
        CHECK_INT(green_file_free(f), 0);
        setenv(TMP_NAME, "", 1);
        f = green_file_temporary_named(NULL, &path);
        CHECK(f != NULL && strncmp(path, TMP_DEFAULT, strlen(TMP_DEFAULT)) == 0);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(unlink(path), 0);
        green_free(path);
        if (saved != NULL)
                setenv(TMP_NAME, saved, 1);
        else
                unsetenv(TMP_NAME);
        free(saved);
        remove_folder();
}

GREEN_SUITE(net_file_whole){GREEN_TEST(a_whole_file_is_read_up_to_a_limit),
                            GREEN_TEST(a_file_that_does_not_say_its_length_is_read_too),
                            GREEN_TEST(a_whole_file_takes_the_place_of_another),
                            GREEN_TEST(who_has_the_old_file_open_sees_all_of_it),
                            GREEN_TEST(a_link_is_replaced_and_what_it_leads_to_stays),
                            GREEN_TEST(a_path_without_a_folder_is_meant_here),
                            GREEN_TEST(a_write_that_fails_leaves_all_as_it_was),
                            GREEN_TEST(a_temporary_file_has_no_name),
                            GREEN_TEST(a_temporary_file_with_a_name_is_nobody_elses),
                            GREEN_TEST(temporary_files_are_where_the_environment_says),
                            GREEN_SUITE_END};
