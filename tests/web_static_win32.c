/*
 * Files of a folder on Windows: what its names have besides those that are listed, and handles of other programs.
 */
#include "web_folder.h"

#include <windows.h>

#define SECRET "hidden"

static void
begin_inside(const struct green_static_opts *opts)
{
        folder_begin();
        put_text("a.txt", "inside");
        put_text("a long name.text", "long");
        make_folder("a long folder");
        put_text("a long folder/b.txt", "below");
        put_text(".hidden", SECRET);
        make_folder(".git");
        put_text(".git/config", SECRET);
        begin_with(opts);
}

static void
end_inside(void)
{
        end();
        folder_end();
}

static void
is_not_there(const char *target)
{
        const char *answer = fetch("GET", target, "");

        if (status_of(answer) != 404 && status_of(answer) != 400)
                FAIL("%s: %d", target, status_of(answer));
        if (strstr(answer, SECRET) != NULL)
                FAIL("%s: %s", target, answer);
}

/* With symbolic links and without. */
static void
are_not_there(const char *const *targets)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true};

        begin_inside(NULL);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), "inside");
        for (size_t i = 0; targets[i] != NULL; i++)
                is_not_there(targets[i]);
        end();
        begin_with(&o);
        CHECK_STR(body_of(fetch("GET", "/a.txt", "")), "inside");
        for (size_t i = 0; targets[i] != NULL; i++)
                is_not_there(targets[i]);
        end_inside();
}

static void
devices_are_no_files(void)
{
        static const char *const targets[] = {
                "/CON", "/con", "/NUL", "/nul.txt", "/AUX", "/PRN", "/COM1", "/com9.log", "/COM%C2%B9", "/LPT1", "/CONIN$",
                "/CONOUT$", "/CLOCK$", "/a.txt/NUL", "/a%20long%20folder/NUL", "/a%20long%20folder/con.html", "/NUL/a.txt",
                "/PhysicalDrive0", "/PIPE/x", "/pipe", "/nul.", "/nul%20", NULL,
        };

        are_not_there(targets);
}

static void
only_the_first_stream_of_a_file_is_served(void)
{
        static const char *const targets[] = {
                "/a.txt:$DATA", "/a.txt::$DATA", "/a.txt::$data", "/a.txt%3A%3A$DATA", "/a.txt:more", "/a.txt:more:$DATA",
                "/.hidden::$DATA", "/a%20long%20folder::$INDEX_ALLOCATION/b.txt",
                "/a%20long%20folder:$I30:$INDEX_ALLOCATION/b.txt", "/.git::$INDEX_ALLOCATION/config", "/::$INDEX_ALLOCATION",
                "/:", "/a.txt:", NULL,
        };

        are_not_there(targets);
}

/* Elsewhere in Windows they are cut off. */
static void
dots_and_blanks_at_the_end_are_part_of_the_name(void)
{
        static const char *const targets[] = {
                "/a.txt.", "/a.txt..", "/a.txt%20", "/a.txt%20%20", "/a.txt.%20", "/a.txt%20.", "/a%20long%20folder./b.txt",
                "/a%20long%20folder%20/b.txt", "/a%20long%20folder./", "/.hidden.", "/.hidden%20", "/%20.hidden", "/.git./config",
                "/...", "/%20", "/.%20/a.txt", "/..%20/a.txt", "/.../a.txt", NULL,
        };

        are_not_there(targets);
}

static void
drives_shares_and_wildcards_lead_nowhere(void)
{
        static const char *const targets[] = {
                "/C:/windows/win.ini", "/c:", "/C:", "/C:a.txt", "/C%3A/windows/win.ini", "//localhost/c$/windows/win.ini",
                "/%5C%5Clocalhost%5Cc$", "/%5C%5C%3F%5CC:%5Cwindows%5Cwin.ini", "/%3F%3F/C:/windows/win.ini", "/UNC/localhost/c$",
                "/GLOBALROOT/Device/Null", "/Device/Null", "/%3F", "/%2A", "/*", "/a.tx%3F", "/*.txt", "/a.%3C", "/a%22txt",
                "/%3E.txt", "/a.txt%7C", "/a%01.txt", "/..%5Ca.txt", "/a%20long%20folder%5Cb.txt", NULL,
        };

        are_not_there(targets);
}

/* Overlong, cut short, and half of a pair, which could stand in a name. */
static void
what_is_no_utf_8_is_no_name(void)
{
        static const char *const targets[] = {
                "/%C0%AEhidden", "/%E0%80%AEhidden", "/%C3", "/a.txt%FF", "/%ED%A0%80", "/%ED%B0%80", "/%FE%FF%00a", NULL,
        };

        are_not_there(targets);
}

static void
names_are_found_in_any_case_and_hidden_in_any(void)
{
        begin_inside(NULL);
        CHECK_STR(body_of(fetch("GET", "/A.TXT", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/A%20Long%20Folder/B.Txt", "")), "below");
        CHECK_INT(get_status("/A%20Long%20Folder"), 301);
        is_not_there("/.HIDDEN");
        is_not_there("/.Git/Config");
        is_not_there("/.WELL-KNOWN/x");
        end_inside();
}

/* ---- short names */

/* What stands beside a long name; false: nothing does. */
static bool
short_name(const char *name, char ret[16])
{
        WIN32_FIND_DATAA found;
        HANDLE search = FindFirstFileA(in_folder(name), &found);

        if (!CHECK(search != INVALID_HANDLE_VALUE))
                return false;
        FindClose(search);
        snprintf(ret, 16, "%.14s", found.cAlternateFileName);
        return *ret != '\0';
}

/* It leads there, and nobody is served by it. */
static void
is_no_name(const char *name, const char *below)
{
        char shorter[16], target[100];

        if (!short_name(name, shorter))
                return;
        CHECK(GetFileAttributesA(in_folder(shorter)) != INVALID_FILE_ATTRIBUTES);
        snprintf(target, sizeof target, "/%s%s", shorter, below);
        is_not_there(target);
        for (char *at = target; *at != '\0'; at++)
                *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
        is_not_there(target);
}

static void
are_no_names(const struct green_static_opts *opts)
{
        char shorter[16];

        begin_inside(opts);
        if (!short_name(".hidden", shorter))
                suite_skip("this file system has no short names");
        is_no_name(".hidden", "");
        is_no_name(".git", "/config");
        is_no_name(".git", "/");
        is_no_name("a long name.text", "");
        is_no_name("a long folder", "/b.txt");
        CHECK_STR(body_of(fetch("GET", "/a%20long%20name.text", "")), "long");
        CHECK_STR(body_of(fetch("GET", "/a%20long%20folder/b.txt", "")), "below");
        end_inside();
}

static void
short_names_lead_nowhere(void)
{
        are_no_names(NULL);
}

static void
nor_where_links_are_followed(void)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true};

        are_no_names(&o);
}

/* ---- links */

/* Some systems say that they have made one, and have not. */
static bool
link_to(const char *target, const char *name, DWORD flags)
{
        DWORD kind;

        if (!CreateSymbolicLinkA(in_folder(name), target, flags | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE))
                return false;
        kind = GetFileAttributesA(in_folder(name));
        return kind != INVALID_FILE_ATTRIBUTES && (kind & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

static void
links_lead_into_the_folder_and_only_where_allowed(void)
{
        struct green_static_opts o = {.size = sizeof o, .symlinks = true};

        begin_inside(NULL);
        if (!link_to("a.txt", "to-file", 0)) {
                suite_skip("no links can be made here");
                end_inside();
                return;
        }
        CHECK(link_to("a long folder", "to-folder", SYMBOLIC_LINK_FLAG_DIRECTORY));
        CHECK(link_to("C:\\Windows", "out", SYMBOLIC_LINK_FLAG_DIRECTORY));
        CHECK(link_to("none", "dangling", 0));
        is_not_there("/to-file");
        is_not_there("/to-folder/b.txt");
        is_not_there("/out/win.ini");
        is_not_there("/dangling");
        end();
        begin_with(&o);
        CHECK_STR(body_of(fetch("GET", "/to-file", "")), "inside");
        CHECK_STR(body_of(fetch("GET", "/to-folder/b.txt", "")), "below");
        is_not_there("/out/win.ini");
        is_not_there("/dangling");
        end_inside();
}

/* ---- names and handles */

static void
a_name_is_utf_8(void)
{
        struct green_static_opts o = {.size = sizeof o, .list = true};
        wchar_t path[600];
        const char *answer;
        HANDLE file;
        DWORD n = 0;

        begin_inside(&o);
        make_folder("sub");
        CHECK(MultiByteToWideChar(CP_ACP, 0, in_folder("sub/"), -1, path, 500) > 0);
        wcscat(path, L"\x00e9\x20ac \xd83d\xde00.txt");
        file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
        CHECK(file != INVALID_HANDLE_VALUE && WriteFile(file, "odd", 3, &n, NULL) && CloseHandle(file));
        CHECK_STR(body_of(fetch("GET", "/sub/%C3%A9%E2%82%AC%20%F0%9F%98%80.txt", "")), "odd");
        answer = fetch("GET", "/sub/", "");
        CHECK(strstr(answer, "<a href=\"./%C3%A9%E2%82%AC%20%F0%9F%98%80.txt\">\xc3\xa9\xe2\x82\xac \xf0\x9f\x98\x80.txt</a>") !=
              NULL);
        CHECK(DeleteFileW(path));
        end_inside();
}

/* More than are asked for at once. */
static void
a_list_has_all_that_is_in_the_folder(void)
{
        enum { N = 300 };
        struct green_static_opts o = {.size = sizeof o, .list = true};
        static char listed[200000];
        char name[80];
        green_socket *c;
        size_t len = 0;
        ssize_t n;

        folder_begin();
        for (int i = 0; i < N; i++) {
                snprintf(name, sizeof name, "a file among some others whose name has some length %d", i);
                put_text(name, "x");
        }
        begin_with(&o);
        c = client_of(&web);
        say(c, "GET / HTTP/1.0\r\n\r\n"); /* not in chunks */
        while ((n = green_socket_recv(c, listed + len, sizeof listed - 1 - len, 0)) > 0)
                len += (size_t)n;
        listed[len] = '\0';
        CHECK_INT(green_socket_free(c), 0);
        for (int i = 0; i < N; i++) {
                snprintf(name, sizeof name, ">a file among some others whose name has some length %d</a>", i);
                if (strstr(listed, name) == NULL)
                        FAIL("%d is not in the list", i);
        }
        end_inside();
}

/* Its owner lets nobody read it, for a while; or it is to go when its owner closes it. */
static void
a_file_that_others_have_open_holds_up_nobody(void)
{
        HANDLE file;

        begin_inside(NULL);
        file = CreateFileA(in_folder("a.txt"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(file != INVALID_HANDLE_VALUE);
        CHECK_INT(get_status("/a.txt"), 503);
        CHECK(CloseHandle(file));
        CHECK_INT(get_status("/a.txt"), 200);
        file = CreateFileA(in_folder("a long name.text"), DELETE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                           OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
        CHECK(file != INVALID_HANDLE_VALUE);
        CHECK_STR(body_of(fetch("GET", "/a%20long%20name.text", "")), "long");
        CHECK(CloseHandle(file));
        CHECK_INT(get_status("/a%20long%20name.text"), 404);
        end_inside();
}

GREEN_SUITE(web_static_win32) {
        GREEN_TEST(devices_are_no_files),
        GREEN_TEST(only_the_first_stream_of_a_file_is_served),
        GREEN_TEST(dots_and_blanks_at_the_end_are_part_of_the_name),
        GREEN_TEST(drives_shares_and_wildcards_lead_nowhere),
        GREEN_TEST(what_is_no_utf_8_is_no_name),
        GREEN_TEST(names_are_found_in_any_case_and_hidden_in_any),
        GREEN_TEST(short_names_lead_nowhere),
        GREEN_TEST(nor_where_links_are_followed),
        GREEN_TEST(links_lead_into_the_folder_and_only_where_allowed),
        GREEN_TEST(a_name_is_utf_8),
        GREEN_TEST(a_list_has_all_that_is_in_the_folder),
        GREEN_TEST(a_file_that_others_have_open_holds_up_nobody),
        GREEN_SUITE_END
};
