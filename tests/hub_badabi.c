/*
 * Modules that must be refused, and one (HUB_BAD_RUN) that only shows when it runs. Each is this file built with
 * another HUB_BAD_... macro; without one it is the module of another hub interface.
 */
#include <green/hub.h>

#include <errno.h>

#if !defined(HUB_BAD_SIZE) && !defined(HUB_BAD_WAIT) && !defined(HUB_BAD_CANCEL) && !defined(HUB_BAD_PROBE) &&         \
        !defined(HUB_BAD_SYMBOL) && !defined(HUB_BAD_INIT) && !defined(HUB_BAD_RUN)

/* A table of another interface may be cut short, or say anything: only its first member may be looked at. */
struct bad_hub {
        uint32_t abi;
        uint32_t size;
};

extern GREEN_API const struct bad_hub green_hub_module;
const struct bad_hub green_hub_module = {99, 1u << 30};

#elif defined(HUB_BAD_SYMBOL)

extern GREEN_API const int green_hub_modul;
const int green_hub_modul = 1;

#else

static int
bad_probe(void)
{
#ifdef HUB_BAD_PROBE
        return -ENOSYS;
#else
        return 0;
#endif
}

static int
bad_init(const struct green_hub_config *config, void **ret_state)
{
        (void)config;
#ifdef HUB_BAD_RUN
        *ret_state = NULL;
        return 0;
#else
        (void)ret_state;
        return -ENOTSUP;
#endif
}

static int
bad_register(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        (void)state;
        (void)fd;
        (void)interest;
        (void)token;
        return -ENOTSUP;
}

static int
bad_remove(void *state, green_fd fd)
{
        (void)state;
        (void)fd;
        return -ENOTSUP;
}

#ifndef HUB_BAD_WAIT
static int
bad_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        (void)state;
        (void)events;
        (void)max;
        (void)timeout_ns;
        return -ENOTSUP;
}
#endif

static int
bad_state(void *state)
{
        (void)state;
        return -ENOTSUP;
}

static int
bad_describe(void *state, char *text, size_t len)
{
        (void)state;
        if (len > 0)
                text[0] = '\0';
        return 0;
}

static green_fd
bad_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

static int
bad_submit(void *state, struct green_op *op)
{
        (void)state;
        (void)op;
        return -ENOTSUP;
}

static void
bad_fini(void *state)
{
        (void)state;
}

GREEN_HUB_DEFINE(bad) = {
        .abi = GREEN_HUB_ABI,
#ifdef HUB_BAD_SIZE
        .size = 24,
#else
        .size = sizeof(struct green_hub_ops),
#endif
        .name = "bad",
        .features = GREEN_HUB_CAN_SUBMIT,
        .probe = bad_probe,
        .init = bad_init,
        .add = bad_register,
        .modify = bad_register,
        .remove = bad_remove,
#ifndef HUB_BAD_WAIT
        .wait = bad_wait,
#endif
        .wake = bad_state,
        .after_fork = bad_state,
        .describe = bad_describe,
        .pollfd = bad_pollfd,
        .submit = bad_submit,
#ifndef HUB_BAD_CANCEL
        .cancel = bad_submit,
#endif
        .fini = bad_fini,
};

#endif
