/* Modules of TLS back ends that must be refused: of another interface, with a short table, with functions missing. */
#include "../net/tls_backend.h"

const struct green__tls_backend green_tls_module = {
#if defined(TLS_BAD_SIZE)
        .abi = GREEN__TLS_ABI,
        .size = 16,
#elif defined(TLS_BAD_TABLE)
        .abi = GREEN__TLS_ABI,
        .size = sizeof green_tls_module,
        .name = "tls_badtable",
#else
        .abi = 999,
#endif
};
