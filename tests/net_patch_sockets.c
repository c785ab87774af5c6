/* C code that only knows sockets, run green without a changed line. */
#include "patch_proof.h"

#include "patch_plain.h"

static int port;

static const char *
start_server(void)
{
        port = patch_server_start((int)(DELAY * 1e3));
        return port == 0 ? "no server" : NULL;
}

static bool
ask(void *state)
{
        (void)state;
        return plain_get(port);
}

static void
a_hundred_clients_that_know_sockets_wait_at_once(void)
{
        GREEN_COVERS("PATCH-01");
        if (suite_plugin("patch_victim_now") == NULL) {
                suite_skip("green-net is linked into the program, which is left alone then");
                return;
        }
        prove(&(struct proof){.what = "sockets", .ask = ask});
}

__attribute__((constructor)) static void
choose_server(void)
{
        proof_server = start_server;
}

GREEN_SUITE(net_patch_sockets){GREEN_TEST(a_hundred_clients_that_know_sockets_wait_at_once), GREEN_SUITE_END};
