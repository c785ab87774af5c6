/*
 * Nothing outside of the folder can be reached, and nothing in it but files and folders.
 */
#include "web_inside.h"

#include <sys/socket.h>
#include <sys/un.h>

static void
a_path_cannot_climb(void)
{
        static const char *const targets[] = {
                "/../secret.txt", "/..", "/../", "/sub/../../secret.txt", "/sub/../a.txt", "/./a.txt", "/.", "/sub/.",
                "/sub/..", "/sub//b.txt", "//a.txt", "//", "/sub//",
                /* Encoded. */
                "/%2e%2e/secret.txt", "/%2E%2E/secret.txt", "/.%2e/secret.txt", "/%2e./secret.txt", "/..%2fsecret.txt",
                "/..%2Fsecret.txt", "/%2e%2e%2fsecret.txt", "/sub/..%2f..%2fsecret.txt", "/sub%2fb.txt", "/sub%2f..%2fa.txt",
                "/%2fetc/passwd", "/%2Fetc%2Fpasswd", "//etc/passwd", "/%2e/a.txt",
                /* Twice, and in ways that are none. */
                "/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/..%252fsecret.txt", "/%c0%ae%c0%ae/secret.txt",
                "/..%c0%afsecret.txt", "/%uff0e%uff0e/secret.txt", "/..;/secret.txt", "/%2e%2e;a=b/secret.txt",
                /* As Windows has it. */
                "/..\\secret.txt", "/..%5csecret.txt", "/%2e%2e%5csecret.txt", "/sub%5c..%5c..%5csecret.txt", "/sub\\b.txt",
                "/sub%5cb.txt", "/C:/secret.txt", "/%5c%5chost/share",
                /* NUL. */
                "/a.txt%00", "/a.txt%00.html", "/%00", "/..%00/secret.txt", "/sub/%00/../../secret.txt",
                /* Beside the folder. */
                "/../www-else/secret.txt", "/../www/a.txt", NULL,
        };
        char longer[5000] = "";

        begin_inside(NULL);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/%61.txt", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/sub/b.txt", "")), "below");
        for (size_t i = 0; targets[i] != NULL; i++)
                is_not_there(targets[i]);
        for (size_t i = 0; i < 1000; i++)
                snprintf(longer + strlen(longer), sizeof longer - strlen(longer), "/sub");
        is_not_there(longer);
        memset(longer, 'a', 4000);
        longer[0] = '/';
        longer[4000] = '\0';
        is_not_there(longer);
        end_inside();
}

static void
names_that_begin_with_a_dot_are_not_there(void)
{
        struct green_static_opts o = {.size = sizeof o, .hidden = true};

        begin_inside(NULL);
        is_not_there("/.hidden");
        is_not_there("/%2ehidden");
        is_not_there("/.git/config");
        is_not_there("/.git/");
        is_not_there("/.well-known/.y");
        is_not_there("/sub/.well-known/x");
        is_not_there("/.well-knownx");
        CHECK_STR(body_of(fetch("GET", "/.well-known/x", "")), "known");
        end();
        begin_with(&o);
        CHECK_STR(body_of(fetch("GET", "/.hidden", "")), "hidden");
        CHECK_STR(body_of(fetch("GET", "/.git/config", "")), "hidden");
        is_not_there("/../secret.txt");
        end_inside();
}

/* ---- links */

static void
make_links(void)
{
        link_to("a.txt", "to-file");
        link_to("sub", "to-folder");
        link_to("../a.txt", "sub/up");
        link_to("./sub/../sub/./b.txt", "winding");
        link_to("to-folder/up", "by-another");
        link_to("../secret.txt", "out");
        link_to("../../secret.txt", "sub/out");
        link_to("..", "parent");
        link_to("sub/../../secret.txt", "winding-out");
        link_to("/etc/passwd", "absolute");
        link_to("/", "slash");
        link_to("/proc/self/root", "magic");
        link_to("/proc/self/cwd", "cwd");
        link_to("loop", "loop");
        link_to("gone", "dangling");
        link_to("out", "chain-out");
}

static void
links_are_not_followed(void)
{
        static const char *const names[] = {"/to-file",   "/to-folder/b.txt", "/to-folder/", "/sub/up",
                                            "/winding",   "/out",             "/absolute",   "/slash/etc/passwd",
                                            "/magic/etc/passwd", "/loop",     "/dangling",   "/parent/secret.txt", NULL};

        begin_inside(NULL);
        make_links();
        for (size_t i = 0; names[i] != NULL; i++)
                is_not_there(names[i]);
        end_inside();
}

static void
with_the_option_they_are_but_only_to_what_is_inside(void)
{
        static const char *const names[] = {"/out",        "/sub/out",       "/parent/secret.txt", "/winding-out",
                                            "/absolute",   "/slash/etc/passwd", "/magic/etc/passwd", "/cwd/",
                                            "/loop",       "/dangling",      "/chain-out",         NULL};
        struct green_static_opts o = {.size = sizeof o, .symlinks = true, .list = true};

        begin_inside(&o);
        make_links();
        CHECK_STR(body_of(fetch("GET", "/to-file", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/to-folder/b.txt", "")), "below");
        CHECK_STR(body_of(fetch("GET", "/sub/up", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/winding", "")), "below");
        CHECK_STR(body_of(fetch("GET", "/by-another", "")), "inside");
        CHECK_INT(get_status("/to-folder"), 301);
        for (size_t i = 0; names[i] != NULL; i++)
                is_not_there(names[i]);
        CHECK(strstr(fetch("GET", "/", ""), ">to-file<") != NULL);
        end();
        o.symlinks = false;
        begin_with(&o);
        CHECK(strstr(fetch("GET", "/", ""), ">to-file<") == NULL);
        end_inside();
}

/* ---- other things than files */

static void
only_files_and_folders_are_served(void)
{
        struct green_static_opts o = {.size = sizeof o, .list = true};
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int s;

        begin_inside(&o);
        CHECK_INT(mkfifo(in_folder("pipe"), 0644), 0);
        s = socket(AF_UNIX, SOCK_STREAM, 0);
        snprintf(addr.sun_path, sizeof addr.sun_path, "%.100s", in_folder("sock"));
        CHECK_INT(bind(s, (struct sockaddr *)&addr, sizeof addr), 0);
        /* Nobody waits for who would write into it. */
        is_not_there("/pipe");
        is_not_there("/pipe/");
        is_not_there("/sock");
        CHECK(strstr(fetch("GET", "/", ""), ">pipe<") == NULL);
        CHECK_INT(close(s), 0);
        end_inside();
}

static void
what_may_not_be_read_is_403(void)
{
        if (geteuid() == 0) {
                suite_skip("root may read everything");
                return;
        }
        begin_inside(NULL);
        CHECK_INT(chmod(in_folder("a.txt"), 0), 0);
        CHECK_INT(get_status("/a.txt"), 403);
        /* A folder may be passed that cannot be read. */
        CHECK_INT(chmod(in_folder("sub"), 0111), 0);
        CHECK_STR(body_of(fetch("GET", "/sub/b.txt", "")), "below");
        CHECK_INT(get_status("/sub/"), 403);
        CHECK_INT(chmod(in_folder("sub"), 0), 0);
        CHECK_INT(get_status("/sub/b.txt"), 403);
        CHECK_INT(chmod(in_folder("sub"), 0700), 0);
        end_inside();
}

BOTH_WAYS(a_path_cannot_climb)
BOTH_WAYS(names_that_begin_with_a_dot_are_not_there)
BOTH_WAYS(links_are_not_followed)
BOTH_WAYS(with_the_option_they_are_but_only_to_what_is_inside)
BOTH_WAYS(only_files_and_folders_are_served)
BOTH_WAYS(what_may_not_be_read_is_403)

GREEN_SUITE(web_static_path) {
        GREEN_TEST(a_path_cannot_climb),
        GREEN_TEST(a_path_cannot_climb_stepwise),
        GREEN_TEST(names_that_begin_with_a_dot_are_not_there),
        GREEN_TEST(names_that_begin_with_a_dot_are_not_there_stepwise),
        GREEN_TEST(links_are_not_followed),
        GREEN_TEST(links_are_not_followed_stepwise),
        GREEN_TEST(with_the_option_they_are_but_only_to_what_is_inside),
        GREEN_TEST(with_the_option_they_are_but_only_to_what_is_inside_stepwise),
        GREEN_TEST(only_files_and_folders_are_served),
        GREEN_TEST(only_files_and_folders_are_served_stepwise),
        GREEN_TEST(what_may_not_be_read_is_403),
        GREEN_TEST(what_may_not_be_read_is_403_stepwise),
        GREEN_SUITE_END
};
