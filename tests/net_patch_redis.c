/* hiredis, to a Redis server, run green without a changed line. */
#include "patch_proof.h"

#include <hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/green-redis-XXXXXX", path[sizeof folder + 16];

static bool
is_up(void)
{
        for (int i = 0; i < 1000; i++) {
                redisContext *c = redisConnectUnix(path);
                bool up = c != NULL && c->err == 0;

                if (c != NULL)
                        redisFree(c);
                if (up)
                        return true;
                usleep(10000);
        }
        return false;
}

/* The folder goes when this process has ended, however it did, and the server with it. */
static void
keep_server(int end)
{
        pid_t pid = fork();
        char byte;

        if (pid == 0) {
                char *const argv[] = {(char *)"redis-server",
                                      (char *)"--port",
                                      (char *)"0",
                                      (char *)"--unixsocket",
                                      path,
                                      (char *)"--save",
                                      (char *)"",
                                      (char *)"--appendonly",
                                      (char *)"no",
                                      (char *)"--dir",
                                      folder,
                                      (char *)"--logfile",
                                      (char *)"log",
                                      NULL};

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                /* Debian's redis-tools has it under another name: it is what it is called. */
                execvp("redis-server", argv);
                execvp("redis-check-rdb", argv);
                _exit(127);
        }
        while (read(end, &byte, 1) < 0 && errno == EINTR)
                ;
        kill(pid, SIGKILL);
        unlink(path);
        snprintf(path, sizeof path, "%s/log", folder);
        unlink(path);
        rmdir(folder);
        _exit(0);
}

static bool
is_installed(void)
{
        return system("command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null") == 0;
}

static const char *
start_server(void)
{
        int ends[2];

        if (!is_installed())
                return "not installed: redis-server (package redis-tools)";
        if (mkdtemp(folder) == NULL || pipe2(ends, O_CLOEXEC) != 0)
                return "no folder";
        snprintf(path, sizeof path, "%s/redis", folder);
        if (fork() == 0) {
                close(ends[1]);
                keep_server(ends[0]);
        }
        close(ends[0]);
        CHECK(is_up());
        return NULL;
}

static bool
begin(void **ret_state)
{
        redisContext *c = redisConnectUnix(path);

        *ret_state = c;
        if (c != NULL && c->err != 0)
                fprintf(stderr, "hiredis: %s\n", c->errstr);
        return c != NULL && c->err == 0;
}

/* Nobody puts anything there. */
static bool
ask(void *state)
{
        redisReply *r = redisCommand(state, "BLPOP nothing 0.05");
        bool well = r != NULL && r->type == REDIS_REPLY_NIL;

        if (!well)
                fprintf(stderr, "hiredis: %s\n", ((redisContext *)state)->errstr);
        freeReplyObject(r);
        return well;
}

static void
end(void *state)
{
        redisFree(state);
}

static void
a_hundred_commands_wait_at_once(void)
{
        GREEN_COVERS("PATCH-01");
        prove(&(struct proof){.what = "hiredis", .begin = begin, .ask = ask, .end = end});
}

__attribute__((constructor)) static void
choose_server(void)
{
        proof_server = start_server;
}

GREEN_SUITE(net_patch_redis){GREEN_TEST(a_hundred_commands_wait_at_once), GREEN_SUITE_END};
