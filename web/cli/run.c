/*
 * green-net run: a program that nobody can change, with its calls to libc made green. The loader brings a module along
 * (LD_PRELOAD) that patches the program before its main(); here it is only looked at, whether that can work.
 */
#include "cli.h"

#include <elf.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CANNOT = 126, NOT_FOUND = 127, HEADERS = 64 };

struct run {
        unsigned only, without;
        const char *hub;
        bool debug, no_children, help;
        char path[PATH_MAX]; /* of the program */
};

/* ---- the options */

static bool
read_groups(const char *text, unsigned *groups)
{
        char name[32];

        while (*text != '\0') {
                size_t len = strcspn(text, ",");
                unsigned group;

                (void)snprintf(name, sizeof name, "%.*s", (int)len, text);
                group = len < sizeof name ? green_patch_group(name) : 0;
                if (group == 0) {
                        (void)cli_wrong(
                                "run",
                                "there is no group \"%.*s\" (os, select, socket, thread, time, dns, subprocess).",
                                (int)len, text);
                        return false;
                }
                *groups |= group;
                text += len + (text[len] == ',');
        }
        return true;
}

static int
read_options(int argc, char **argv, struct run *run)
{
        static const struct option options[] = {
                {"only", required_argument, NULL, 'o'},
                {"without", required_argument, NULL, 'w'},
                {"hub", required_argument, NULL, 'H'},
                {"debug", no_argument, NULL, 'd'},
                {"no-children", no_argument, NULL, 'n'},
                {"help", no_argument, NULL, 'h'},
                {NULL, 0, NULL, 0},
        };
        int option;

        opterr = 0;
        while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
                if (option == 'o' || option == 'w') {
                        if (!read_groups(optarg, option == 'o' ? &run->only : &run->without))
                                return 2;
                } else if (option == 'H') {
                        run->hub = optarg;
                } else if (option == 'd') {
                        run->debug = true;
                } else if (option == 'n') {
                        run->no_children = true;
                } else if (option == 'h') {
                        run->help = true;
                } else {
                        return cli_wrong("run", "there is no option \"%s\", or it needs a value.", argv[optind - 1]);
                }
        }
        return optind < argc || run->help ? 0 : cli_wrong("run", "which program?");
}

/* ---- the program */

static bool
find(const char *name, char path[PATH_MAX])
{
        const char *folders = getenv("PATH");
        struct stat st;

        if (strchr(name, '/') != NULL)
                return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && access(path, F_OK) == 0;
        for (folders = folders == NULL ? "/usr/bin:/bin" : folders; *folders != '\0';) {
                size_t len = strcspn(folders, ":");
                int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, folders, len == 0 ? "" : "/", name);

                if (n < PATH_MAX && access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
                        return true;
                folders += len + (folders[len] == ':');
        }
        return false;
}

static int
refuse(const char *path, const char *why)
{
        (void)cli_failed("run", "%s: %s", path, why);
        return CANNOT;
}

/* Has it rights that its user has not? Then the loader takes nothing along. */
static bool
gains_rights(int fd)
{
        struct stat st;

        if (fstat(fd, &st) != 0)
                return false;
        if (((st.st_mode & S_ISUID) && st.st_uid != getuid()) || ((st.st_mode & S_ISGID) && st.st_gid != getgid()))
                return true;
        return getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

static bool
has_interpreter(int fd, const ElfW(Ehdr) * head)
{
        ElfW(Phdr) p;

        for (unsigned i = 0; i < head->e_phnum && i < HEADERS; i++) {
                if (pread(fd, &p, sizeof p, (off_t)(head->e_phoff + i * sizeof p)) == (ssize_t)sizeof p &&
                    p.p_type == PT_INTERP)
                        return true;
        }
        return false;
}

/* The machine of this very program. */
static bool
same_machine(const ElfW(Ehdr) * head)
{
        ElfW(Ehdr) own;
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : pread(fd, &own, sizeof own, 0);

        if (fd >= 0)
                close(fd);
        if (n != (ssize_t)sizeof own)
                return true;
        return head->e_ident[EI_CLASS] == own.e_ident[EI_CLASS] && head->e_machine == own.e_machine;
}

static int check(const char *path, int depth);

/* "#!" and the program that reads it, which is the one that is patched. */
static int
check_script(const char *path, char *line, int depth)
{
        line += 2 + strspn(line + 2, " \t");
        line[strcspn(line, " \t\n")] = '\0';
        if (*line == '\0' || depth > 3)
                return refuse(path, "no interpreter that could be found out");
        return check(line, depth + 1);
}

/* 0: it can be patched; or the exit status, and stderr says why not. */
static int
check(const char *path, int depth)
{
        union {
                ElfW(Ehdr) elf;
                char text[PATH_MAX];
        } head = {.text = ""};
        int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
        ssize_t n;

        /* A program may be executable and not readable: nothing is known of it then. */
        if (fd < 0)
                return errno == EACCES && access(path, X_OK) == 0 ? 0 : refuse(path, strerror(errno));
        n = pread(fd, &head, sizeof head - 1, 0);
        if (access(path, X_OK) != 0)
                rc = refuse(path, "not executable");
        else if (gains_rights(fd))
                rc = refuse(path,
                            "it runs with rights of others (set-user-ID or the like): the loader brings nothing along");
        else if (n > 2 && head.text[0] == '#' && head.text[1] == '!')
                rc = check_script(path, head.text, depth);
        else if (n < (ssize_t)sizeof head.elf || memcmp(head.elf.e_ident, ELFMAG, SELFMAG) != 0)
                rc = refuse(path, "neither a program nor a script that names its interpreter");
        else if (!same_machine(&head.elf))
                rc = refuse(path, "a program for another machine or another size of addresses");
        else if (!has_interpreter(fd, &head.elf))
                rc = refuse(path, "a static program: it has no imports that could be patched");
        close(fd);
        return rc;
}

/* ---- its environment */

static int
put(const char *name, const char *value)
{
        return setenv(name, value, 1) == 0 ? 0 : CANNOT;
}

static int
prepare(const struct run *run)
{
        unsigned groups = (run->only == 0 ? GREEN_PATCH_ALL : run->only) & ~run->without;
        const char *before = getenv("LD_PRELOAD");
        char module[PATH_MAX], all[3 * PATH_MAX], mask[16];

        (void)snprintf(module, sizeof module, "%s/patch_preload.so", green_module_folder());
        if (access(module, R_OK) != 0)
                return refuse(module, "this build of green-net has no module to be brought along");
        if (strpbrk(module, " :") != NULL)
                return refuse(module, "the loader takes no path with a blank or a colon");
        if (groups == 0)
                return cli_wrong("run", "nothing is left to patch.");
        if (before == NULL || *before == '\0')
                (void)snprintf(all, sizeof all, "%s", module);
        else if (snprintf(all, sizeof all, "%s:%s", before, module) >= (int)sizeof all)
                return refuse(module, "LD_PRELOAD would be too long");
        (void)snprintf(mask, sizeof mask, "%u", groups);
        if (put("LD_PRELOAD", all) != 0 || put("GREEN_PATCH_GROUPS", mask) != 0 ||
            put("GREEN_PATCH_CHILDREN", run->no_children ? "0" : "1") != 0 ||
            (run->debug && put("GREEN_PATCH_DEBUG", "1") != 0) || (run->hub != NULL && put("GREEN_HUB", run->hub) != 0))
                return refuse(run->path, strerror(errno));
        return 0;
}

static int
run(int argc, char **argv)
{
        struct run run = {0};
        int rc = read_options(argc, argv, &run);

        if (rc != 0)
                return rc;
        if (run.help) {
                fputs(cli_run.help, stdout);
                return 0;
        }
        if (!find(argv[optind], run.path)) {
                (void)cli_failed("run", "%s: there is no such program", argv[optind]);
                return NOT_FOUND;
        }
        rc = check(run.path, 0);
        if (rc == 0)
                rc = prepare(&run);
        if (rc != 0)
                return rc;
        (void)execv(run.path, argv + optind);
        return refuse(run.path, strerror(errno));
}

const struct cli_command cli_run = {
        .name = "run",
        .run = run,
        .line = "run a program that knows nothing of green-net as green threads",
        .help = "usage: green-net run [OPTION...] PROGRAM [ARGUMENT...]\n"
                "\n"
                "Runs PROGRAM with its calls to libc, and those of its libraries, made green: its threads become green "
                "threads of\n"
                "one OS thread, and one that waits lets the others run. green-patch(7) says what can be made green and "
                "what not.\n"
                "\n"
                "  --only GROUP,...     these functions: os, select, socket, thread, time, dns, subprocess (all)\n"
                "  --without GROUP,...  not these\n"
                "  --hub NAME           the hub (GREEN_HUB, or the best there is)\n"
                "  --no-children        programs that it starts run as they are\n"
                "  --debug              say on stderr what was patched, and what blocked (GREEN_PATCH_DEBUG=1)\n"
                "\n"
                "  green-net run --debug /usr/bin/python3 server.py\n"
                "\n"
                "Exit status: the program's; 127 if there is none of that name; 126 if it cannot be run so (a static "
                "program, one\n"
                "with rights of others, one for another machine); 2 if it was not asked for rightly.\n",
};
