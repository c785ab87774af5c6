#ifndef GREEN_TESTS_WIN32_TCP_H
#define GREEN_TESTS_WIN32_TCP_H

#include "win32.h"

/* Nothing tells what a peer has not acknowledged: asking fails. */
#define TCP_INFO 0x7fff0001
struct tcp_info {
        unsigned tcpi_unacked;
};

#endif
