/*
 * Symbolic links that may be followed: wherever in the folder they lead is served, by whatever way they lead there, and
 * nothing else, whatever is changed meanwhile.
 */
#include "web_inside.h"

#include <pthread.h>
#include <stdatomic.h>

/* A link by a path from "/" on: the folder, or the one around it, and what is behind. */
static void
link_absolute(const char *where, const char *rest, const char *name)
{
        char target[600];

        snprintf(target, sizeof target, "%s%s", where, rest);
        link_to(target, name);
}

static void
make_links(void)
{
        link_to("sub", "to-folder");
        link_to("../a.txt", "sub/up");
        link_to("..", "parent");
        link_to("../secret.txt", "out");
        link_to("../www/a.txt", "out-and-in");
        link_absolute(folder, "/a.txt", "absolute-inside");
        link_absolute(folder, "//.///sub/../a.txt", "absolute-winding");
        link_absolute(folder, "/sub/", "absolute-folder");
        link_absolute(folder, "", "absolute-root");
        link_absolute(folder, "/absolute-root/to-folder/up", "absolute-by-others");
        link_absolute(outer, "/alias/a.txt", "absolute-by-alias");
        link_absolute(outer, "/www-else/back/sub/b.txt", "absolute-there-and-back");
        link_absolute(folder, "/gone", "absolute-dangling");
        link_absolute(folder, "/a.txt/x", "absolute-no-folder");
        link_absolute(folder, "/absolute-loop", "absolute-loop");
        link_absolute(folder, "/../secret.txt", "absolute-out");
        link_absolute(outer, "", "absolute-parent");
        link_absolute(outer, "/secret.txt", "absolute-secret");
        link_absolute(outer, "/www-else/secret.txt", "absolute-beside");
        link_absolute(outer, "/www-else", "absolute-beside-folder");
        link_absolute(outer, "/www-else/out", "absolute-out-by-another");
        /* Outside. */
        link_absolute(outer, "/www", "../alias");
        link_to("../www", "../www-else/back");
        link_to("../secret.txt", "../www-else/out");
        link_to("/dev/null", "device");
}

/* What counts is where a link leads, not how it says so. */
static void
by_whatever_way_they_lead_to_what_is_inside(void)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true, .list = true};

        begin_inside(&o);
        make_links();
        CHECK_STR(body_of(fetch("GET", "/out-and-in", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-inside", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-winding", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-folder/b.txt", "")), "below");
        CHECK_INT(get_status("/absolute-folder"), 301);
        CHECK(strstr(fetch("GET", "/absolute-folder/", ""), ">b.txt<") != NULL);
        CHECK_STR(body_of(fetch("GET", "/absolute-root/a.txt", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-root/absolute-root/sub/b.txt", "")), "below");
        CHECK(strstr(fetch("GET", "/absolute-root/", ""), ">a.txt<") != NULL);
        CHECK_STR(body_of(fetch("GET", "/absolute-by-others", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-by-alias", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/absolute-there-and-back", "")), "below");
        CHECK_STR(body_of(fetch("GET", "/parent/www/a.txt", "")), "inside");
        end_inside();
}

/* A link that is not followed is no index, whatever it leads to: the folder is as one without. */
static void
an_index_that_is_not_followed_is_none(void)
{
        struct green_static_opts o = {.size = sizeof o, .list = true};

        begin_inside(NULL);
        link_to("b.txt", "sub/index.html");
        CHECK_INT(get_status("/sub/"), 403);
        end_inside();
        begin_inside(&o);
        link_to("b.txt", "sub/index.html");
        CHECK(strstr(fetch("GET", "/sub/", ""), ">b.txt<") != NULL);
        end_inside();
        o.symlinks = true;
        begin_inside(&o);
        link_to("../../secret.txt", "sub/index.html");
        CHECK(strstr(fetch("GET", "/sub/", ""), ">b.txt<") != NULL);
        end_inside();
}

static void
those_that_lead_out_are_not_there(void)
{
        static const char *const names[] = {
                "/parent/secret.txt", "/parent/", "/parent/www-else/secret.txt", "/device", "/device/",
                "/absolute-dangling", "/absolute-no-folder", "/absolute-loop", "/absolute-out",
                "/absolute-parent/secret.txt", "/absolute-parent/", "/absolute-secret", "/absolute-beside",
                "/absolute-beside-folder/secret.txt", "/absolute-beside-folder/", "/absolute-out-by-another",
                "/absolute-root/out", "/absolute-root/absolute-secret", NULL};
        struct green_static_opts o = {.size = sizeof o, .symlinks = true, .list = true};

        begin_inside(&o);
        make_links();
        for (size_t i = 0; names[i] != NULL; i++)
                is_not_there(names[i]);
        end_inside();
}

/* By the names of now: of a folder that was moved, what lies at its old place is not served. */
static void
an_absolute_link_leads_to_what_has_that_name_now(void)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true};
        char was[600], becomes[600];

        begin_inside(&o);
        link_absolute(folder, "/a.txt", "link");
        CHECK_STR(body_of(fetch("GET", "/link", "")), "inside");
        snprintf(was, sizeof was, "%s", folder);
        snprintf(becomes, sizeof becomes, "%s/moved", outer);
        CHECK_INT(rename(was, becomes), 0);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), "inside");
        is_not_there("/link");
        CHECK_INT(mkdir(was, 0755), 0);
        put_text("a.txt", SECRET);
        is_not_there("/link");
        end_inside();
}

/* ---- any links */

enum { LINKS = 12, ROUNDS = 40, ASKED = 60 };

static uint32_t
below(uint32_t n)
{
        static uint64_t state = 88172645463325252u;

        state = state * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(state >> 33) % n;
}

/* Up to four names, one behind the other; up: they may climb. */
static void
any_path(char *text, size_t size, bool up)
{
        static const char *const names[] = {"d", "e", "f", "d", "e", "f", "www", "www", "..", "..", "..", "."};

        text[0] = '\0';
        for (uint32_t n = 1 + below(4); n > 0; n--) {
                size_t len = strlen(text);

                if (below(3) > 0)
                        snprintf(text + len, size - len, "%sl%u", len > 0 ? "/" : "", below(LINKS));
                else
                        snprintf(text + len, size - len, "%s%s", len > 0 ? "/" : "", names[below(up ? 12 : 6)]);
        }
}

/* What the system finds by the whole path, and whether that lies in the folder. */
static bool
look_by_system(const char *path, struct stat *st)
{
        char *root = realpath(folder, NULL), *real = realpath(in_folder(path), NULL);
        bool inside = false;

        if (CHECK(root != NULL) && real != NULL)
                inside = strncmp(real, root, strlen(root)) == 0 &&
                         (real[strlen(root)] == '\0' || real[strlen(root)] == '/') && stat(real, st) == 0;
        free(root);
        free(real);
        return inside;
}

static void
compare(green_fd root, const char *path)
{
        struct green__static_file file;
        struct stat want, got;
        bool there = look_by_system(path, &want);
        int rc = green__static_open(root, path, true, &file);

        if ((rc == 0) != there) {
                FAIL("%s: %d", path, rc);
                return;
        }
        if (rc != 0)
                return;
        if (fstat(file.fd, &got) != 0 || want.st_dev != got.st_dev || want.st_ino != got.st_ino ||
            file.folder != (S_ISDIR(want.st_mode) != 0))
                FAIL("%s is something else", path);
        green__static_close(file.fd);
}

static void
put_links(void)
{
        static const char *const places[] = {".", "d", "d/e", "..", "../o"};

        for (unsigned i = 0; i < LINKS; i++) {
                char target[600] = "", name[100];
                uint32_t from = below(4);

                if (from < 2)
                        snprintf(target, sizeof target, "%s/", from == 0 ? folder : outer);
                any_path(target + strlen(target), sizeof target - strlen(target), true);
                snprintf(name, sizeof name, "%s/l%u", places[below(5)], i);
                link_to(target, name);
        }
}

static void
any_links_lead_where_the_system_says(void)
{
        for (int i = 0; i < ROUNDS; i++) {
                green_fd root;

                folder_begin();
                snprintf(outer, sizeof outer, "%s", folder);
                make_folder("www");
                make_folder("o");
                put_text("f", SECRET);
                put_text("o/f", SECRET);
                snprintf(folder + strlen(folder), sizeof folder - strlen(folder), "/www");
                make_folder("d");
                make_folder("d/e");
                make_folder("e");
                put_text("f", "inside");
                put_text("d/f", "inside");
                put_text("d/e/f", "inside");
                put_links();
                CHECK_INT(green__static_root(folder, &root), 0);
                for (int k = 0; k < ASKED; k++) {
                        char path[200];

                        any_path(path, sizeof path, false);
                        compare(root, path);
                }
                green__static_close(root);
                snprintf(folder, sizeof folder, "%s", outer);
                folder_end();
        }
}

/* ---- what is changed meanwhile */

static atomic_bool changing;

/* Put a link in place of another, at once. */
static void
turn(const char *target, const char *name)
{
        char to[700], made[700], place[700];

        snprintf(to, sizeof to, "%s/%s", outer, target);
        snprintf(made, sizeof made, "%s/www/new", outer);
        snprintf(place, sizeof place, "%s/www/%s", outer, name);
        if (symlink(to, made) != 0 || rename(made, place) != 0)
                FAIL("%s: %s", place, strerror(errno));
}

static void *
change(void *arg)
{
        char in[700], out[700];

        snprintf(in, sizeof in, "%s/www/moving", outer);
        snprintf(out, sizeof out, "%s/moving", outer);
        while (changing) {
                turn("secret.txt", "file");
                turn("www-else", "folder");
                if (rename(in, out) != 0 || rename(out, in) != 0)
                        FAIL("%s: %s", in, strerror(errno));
                turn("www/a.txt", "file");
                turn("www/sub", "folder");
        }
        return arg;
}

/* Either it is what is inside, or it is not there. */
static void
is_inside_or_not_there(const char *target, const char *body)
{
        const char *answer = fetch("GET", target, "");
        int status = status_of(answer);

        if (status == 200 ? strcmp(body_of(answer), body) != 0 : status != 404)
                FAIL("%s: %s", target, answer);
}

static void
whatever_is_changed_meanwhile_nothing_outside_is_served(void)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true};
        pthread_t thread;

        begin_inside(&o);
        put_text("../a.txt", SECRET);
        put_text("../www-else/b.txt", SECRET);
        make_folder("moving");
        link_to("../a.txt", "moving/up");
        link_absolute(outer, "/www/moving/up", "by-moving");
        turn("www/a.txt", "file");
        turn("www/sub", "folder");
        changing = true;
        CHECK_INT(pthread_create(&thread, NULL, change, NULL), 0);
        for (int i = 0; i < 500; i++) {
                is_inside_or_not_there("/file", "inside");
                is_inside_or_not_there("/folder/b.txt", "below");
                is_inside_or_not_there("/moving/up", "inside");
                is_inside_or_not_there("/by-moving", "inside");
        }
        changing = false;
        CHECK_INT(pthread_join(thread, NULL), 0);
        end_inside();
}

BOTH_WAYS(by_whatever_way_they_lead_to_what_is_inside)
BOTH_WAYS(those_that_lead_out_are_not_there)
BOTH_WAYS(an_absolute_link_leads_to_what_has_that_name_now)
BOTH_WAYS(any_links_lead_where_the_system_says)
BOTH_WAYS(whatever_is_changed_meanwhile_nothing_outside_is_served)

GREEN_SUITE(web_static_links) {
        GREEN_TEST(by_whatever_way_they_lead_to_what_is_inside),
        GREEN_TEST(by_whatever_way_they_lead_to_what_is_inside_stepwise),
        GREEN_TEST(an_index_that_is_not_followed_is_none),
        GREEN_TEST(those_that_lead_out_are_not_there),
        GREEN_TEST(those_that_lead_out_are_not_there_stepwise),
        GREEN_TEST(an_absolute_link_leads_to_what_has_that_name_now),
        GREEN_TEST(an_absolute_link_leads_to_what_has_that_name_now_stepwise),
        GREEN_TEST(any_links_lead_where_the_system_says),
        GREEN_TEST(any_links_lead_where_the_system_says_stepwise),
        GREEN_TEST(whatever_is_changed_meanwhile_nothing_outside_is_served),
        GREEN_TEST(whatever_is_changed_meanwhile_nothing_outside_is_served_stepwise),
        GREEN_SUITE_END
};
