/* What the frame of test programs wants of Windows; see suite_system.h. */
#include "suite_system.h"

#include <fcntl.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <winsock2.h>

#include <windows.h>

#include "suite.h"

enum { HANDLES = 1024, STATUS_HUNG = 134 };

/* Sockets. Handles are numbers in steps of four. */
int
suite__fds(int *fds, int room)
{
        int saved = WSAGetLastError(), count = 0;

        for (int handle = 4; handle < HANDLES * 4; handle += 4) {
                int type, len = sizeof type;

                if (GetFileType((HANDLE)(intptr_t)handle) == FILE_TYPE_PIPE &&
                    getsockopt((SOCKET)handle, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0 && count < room)
                        fds[count++] = handle;
        }
        WSASetLastError(saved);
        return count;
}

void
suite__fd_text(int fd, char *text, size_t size)
{
        struct sockaddr_storage name;
        int len = sizeof name, type = 0, type_len = sizeof type;

        (void)getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, (char *)&type, &type_len);
        if (getsockname((SOCKET)fd, (struct sockaddr *)&name, &len) != 0)
                name.ss_family = 0;
        snprintf(text, size, "socket of type %d, family %d", type, name.ss_family);
}

/* The thread that hangs cannot be made to dump: there are no signals. */
void
suite__end_hung(pthread_t victim)
{
        (void)victim;
        fflush(NULL);
        TerminateProcess(GetCurrentProcess(), STATUS_HUNG);
        abort();
}

int
suite__thread(pthread_t *ret_thread, void *(*fn)(void *unused))
{
        return pthread_create(ret_thread, NULL, fn, NULL);
}

int
suite__around_forks(void (*before)(void), void (*after)(void))
{
        (void)before;
        (void)after;
        return 0;
}

int
suite__append_to(const char *path)
{
        return _open(path, O_WRONLY | O_CREAT | O_APPEND | O_BINARY | O_NOINHERIT, S_IRUSR | S_IWUSR);
}

void
suite__load_hub(void)
{
        const char *hub = getenv("GREEN_HUB");

        if (hub != NULL && strchr(hub, '/') != NULL)
                (void)LoadLibraryA(hub);
}

/* A process cannot become another one here. */
void
suite_exec_self(const char *argument)
{
        (void)argument;
}

int
suite_run_self(const char *argument)
{
        char path[MAX_PATH];

        if (GetModuleFileNameA(NULL, path, sizeof path) == 0)
                return -1;
        return (int)_spawnl(_P_WAIT, path, "self", argument, NULL);
}
