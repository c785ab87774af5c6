/* See module_files.h, which includes it. */
#ifndef GREEN_TESTS_MODULE_FILES_WIN32_H
#define GREEN_TESTS_MODULE_FILES_WIN32_H

#include <dlfcn.h>

#include <windows.h>

#undef ERROR

#define MODULE_END ".dll"
#define MODULE_CUT "it cannot be loaded: "
#define MODULE_NO_FILE "it cannot be loaded: "
#define MODULE_MISSING "it cannot be loaded: "
/* The last section may end anywhere in its last sectors. */
enum { MODULE_SLACK = 1024, MODULE_STAYS = true };

/* Up to the end of its last section. Symbols, which nobody loads, are behind that. */
static inline size_t
module_needed(const char *path)
{
        static unsigned char head[8192];
        const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)(const void *)head;
        const IMAGE_NT_HEADERS *nt;
        const IMAGE_SECTION_HEADER *section;
        FILE *f = fopen(path, "rb");
        size_t end = 0;

        if (!CHECK(f != NULL && fread(head, sizeof head, 1, f) == 1 && dos->e_magic == IMAGE_DOS_SIGNATURE))
                return 0;
        fclose(f);
        nt = (const IMAGE_NT_HEADERS *)(const void *)(head + dos->e_lfanew);
        section = IMAGE_FIRST_SECTION(nt);
        for (unsigned i = 0; i < nt->FileHeader.NumberOfSections; i++)
                if (section[i].PointerToRawData + section[i].SizeOfRawData > end)
                        end = section[i].PointerToRawData + section[i].SizeOfRawData;
        return end;
}

static inline bool
module_library(char path[PATH_MAX])
{
        HMODULE module = GetModuleHandleA("libgreen-core-0.dll");

        if (suite_plugin("hub_late") == NULL || module == NULL || GetModuleFileNameA(module, path, PATH_MAX) == 0) {
                suite_skip("this build has no shared libraries");
                return false;
        }
        return true;
}

/* They have a folder of their own. */
static inline bool
module_make_pipe(const char *path)
{
        (void)path;
        return false;
}

static inline void
module_place(const char *path, const char *from)
{
        CHECK(CopyFileA(from, path, FALSE));
}

/* Names that the library makes of its own begin with a drive. */
static inline void
module_beside(const char *tmp, const char *lib, char folder[MODULE_PATH])
{
        char path[MODULE_PATH];

        snprintf(path, sizeof path, "%s/libgreen-core-0.dll", tmp);
        module_place(path, lib);
        CHECK(GetFullPathNameA(tmp, MODULE_PATH - 16, folder, NULL) > 0);
        for (char *at = folder; *at != '\0'; at++)
                *at = (char)(*at == '\\' ? '/' : *at);
        snprintf(folder + strlen(folder), 16, "/green-net");
}

/* Sets variables of this program, and has those that they had in was. */
static inline void
module_exchange(struct module_variable *variables, char was[][32767])
{
        for (int i = 0; variables[i].name != NULL; i++) {
                const char *value = variables[i].value;
                bool had = GetEnvironmentVariableA(variables[i].name, was[i], sizeof was[i]) > 0;

                CHECK(SetEnvironmentVariableA(variables[i].name, value) || value == NULL);
                variables[i].value = had ? was[i] : NULL;
        }
}

static inline void
module_start(HANDLE out, PROCESS_INFORMATION *ret)
{
        STARTUPINFOA start = {.cb = sizeof start,
                              .dwFlags = STARTF_USESTDHANDLES,
                              .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                              .hStdOutput = out,
                              .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
        char self[MAX_PATH];

        CHECK(GetModuleFileNameA(NULL, self, sizeof self) > 0);
        CHECK(CreateProcessA(self, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &start, ret));
}

/* All that comes, without carriage returns. */
static inline void
module_read_all(HANDLE from, char *out, size_t size)
{
        size_t len = 0, kept = 0;
        DWORD n;

        while (len < size - 1 && ReadFile(from, out + len, (DWORD)(size - 1 - len), &n, NULL) && n > 0)
                len += n;
        for (size_t i = 0; i < len; i++)
                if (out[i] != '\r')
                        out[kept++] = out[i];
        out[kept] = '\0';
}

/* tmp: where it finds its library; NULL: where this one found it. */
static inline void
module_run_self(const char *tmp, const struct module_variable *given, char *out, size_t size)
{
        static char was[4][32767], set[4][32767], path[32767];
        struct module_variable variables[4] = {{"PATH", path}};
        SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
        PROCESS_INFORMATION child = {NULL, NULL, 0, 0};
        DWORD status = 99;
        HANDLE pipes[2];

        out[0] = '\0';
        snprintf(path, sizeof path, "%s;%s", tmp != NULL ? tmp : "", getenv("PATH"));
        for (int i = 0; given[i].name != NULL; i++)
                variables[i + 1] = given[i];
        if (!CHECK(CreatePipe(&pipes[0], &pipes[1], &inherited, 0)))
                return;
        (void)SetHandleInformation(pipes[0], HANDLE_FLAG_INHERIT, 0);
        module_exchange(variables, was);
        module_start(pipes[1], &child);
        module_exchange(variables, set);
        CloseHandle(pipes[1]);
        module_read_all(pipes[0], out, size);
        CloseHandle(pipes[0]);
        if (WaitForSingleObject(child.hProcess, (DWORD)(20000 * suite_slow())) != WAIT_OBJECT_0)
                (void)TerminateProcess(child.hProcess, 98);
        CHECK(GetExitCodeProcess(child.hProcess, &status));
        CHECK_INT(status, 0);
        CloseHandle(child.hThread);
        CloseHandle(child.hProcess);
}

#endif
