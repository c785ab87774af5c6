/*
 * The monotonic clock on POSIX systems, and what the kernel makes it of.
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub_priv.h"

int64_t
green__clock_monotonic(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

bool
green__cycles_trusted(void)
{
        static const char *const good[] = {"tsc\n", "arch_sys_counter\n"};
        int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
        char name[32] = "";
        ssize_t len;

        if (fd < 0)
                return false;
        len = read(fd, name, sizeof(name) - 1);
        close(fd);
        for (size_t i = 0; len > 0 && i < sizeof(good) / sizeof(good[0]); i++)
                if (strcmp(name, good[i]) == 0)
                        return true;
        return false;
}
