/**
 * @file
 * @brief A console into the running process: who waits for what, counters, variables and commands of the application.
 *
 *     static double rate = 10;
 *     static const struct green_backdoor_variable variables[] = {
 *             {"rate", GREEN_BACKDOOR_DOUBLE, &rate, false, "requests a second"}, {NULL}};
 *     struct green_backdoor_opts opts = {.size = sizeof opts, .variables = variables};
 *     green_socket *listener = green_listen("unix:/run/myapp/backdoor", NULL);
 *
 *     green_spawn_n(serve, listener);     // which calls green_backdoor_server(listener, &opts)
 *
 * `green-net console ADDRESS` talks to it, and so do nc and telnet. There is no interpreter in C: a console knows commands
 * (`help` lists them), those of green-net and those that the application registers. Whoever gets to it can read and change
 * what is registered, and kill green threads: it is served to loopback addresses and Unix sockets only, unless told
 * otherwise.
 */
#ifndef GREEN_BACKDOOR_H
#define GREEN_BACKDOOR_H

#include <green/base.h>
#include <green/socket.h>
#include <green/stream.h>

GREEN_BEGIN_DECLS

/** A console: one client. Opaque. */
typedef struct green_backdoor_console green_backdoor_console;

/** What a variable is. */
enum green_backdoor_type {
        GREEN_BACKDOOR_BOOL,   /**< bool: true, false, on, off, 1, 0 */
        GREEN_BACKDOOR_INT,    /**< int */
        GREEN_BACKDOOR_INT64,  /**< int64_t */
        GREEN_BACKDOOR_UINT64, /**< uint64_t */
        GREEN_BACKDOOR_SIZE,   /**< size_t */
        GREEN_BACKDOOR_DOUBLE, /**< double */
        GREEN_BACKDOOR_STRING, /**< const char *, or NULL: can be read only */
};

/** A variable of the application: eventlet's locals. A list of them ends with a name of NULL. */
struct green_backdoor_variable {
        const char *name;              /**< a word */
        enum green_backdoor_type type; /**< what address points to */
        void *address;                 /**< the variable; it stays as long as the console */
        bool read_only;                /**< `set` refuses it */
        const char *help;              /**< what it is, in a line; may be NULL */
};

/**
 * A command of the application. It runs in the console's green thread, and may yield.
 * @param console the console, for green_backdoor_printf().
 * @param argc    words, the command's own included.
 * @param argv    them, ended by NULL.
 * @param arg     as registered.
 * @return 0, or a negative code, which the console shows.
 */
typedef int (*green_backdoor_fn)(green_backdoor_console *console, int argc, char **argv, void *arg);

/**
 * @brief Register a command, for all consoles of the process. Never yields. thread-safe.
 * @param name a word; one of green-net's own is refused.
 * @param fn   called for it.
 * @param arg  passed to it.
 * @param help what it does, in a line.
 * @retval 0       done.
 * @retval -EINVAL an argument is missing, or name is no word.
 * @retval -EEXIST there is one of that name.
 * @retval -ENOMEM memory ran out.
 * @since 0.1 (BACK-13)
 */
GREEN_API int green_backdoor_register(const char *name, green_backdoor_fn fn, void *arg, const char *help);

/** @brief Take a command away. Never yields. thread-safe. One that runs is not ended. @param name of it. @return 0; -ENOENT.
 *  @since 0.1 */
GREEN_API int green_backdoor_unregister(const char *name);

/** What a backdoor is told. Set it to zero, then @ref size, then what you need. */
struct green_backdoor_opts {
        size_t size;                                     /**< sizeof(struct green_backdoor_opts) */
        const struct green_backdoor_variable *variables; /**< shared by all consoles (BACK-03); borrowed. NULL: none */
        const char *token;   /**< what a client has to say first; compared in constant time. NULL: nothing (BACK-12) */
        bool anywhere;       /**< also on addresses that are not loopback. Without TLS and a token that is a hole */
        bool read_only;      /**< `set`, `kill`, `trace` and commands of the application are refused */
        const char *prompt;  /**< NULL: "> " */
        double idle_timeout; /**< seconds without a line until a console is closed; 0: none */
        size_t max_consoles; /**< at once; 0 stands for 8. A further client is told so and closed */
};

/**
 * @brief Serve consoles on a listening socket. Yields. It returns only when the serving ends: when the caller is killed, or
 *        the listener is closed or fails. Consoles that are open then are closed.
 *
 * A client that goes away at any time ends its console and nothing else (BACK-08). `quit` and `exit` end the console, never the
 * program (BACK-11).
 *
 * @param listener TCP, IPv4 or IPv6, on a loopback address, or a Unix socket, whose file is made mode 0600 (BACK-05). It is
 *                 closed at the end (BACK-10); its handle stays the caller's.
 * @param opts     NULL for defaults.
 * @retval -EINVAL  listener is NULL, opts is of an unknown size, or a variable is not whole.
 * @retval -EACCES  the address is not loopback, and opts->anywhere is not set: nothing was served.
 * @retval GREEN_EKILLED killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @return otherwise what accept failed with: -ECANCELED or -EBADF for a closed listener.
 * @since 0.1 (BACK-01, BACK-03 to BACK-11)
 */
GREEN_API int green_backdoor_server(green_socket *listener, const struct green_backdoor_opts *opts);

/**
 * @brief One console on a connected socket, in a green thread of its own. Never yields.
 * @param s    connected; it is the console's from here on. On failure it is still the caller's.
 * @param opts NULL for defaults; what it points to stays as long as the console.
 * @retval 0       it runs.
 * @return -EINVAL, -EACCES, -ENOMEM as green_backdoor_server().
 * @since 0.1 (BACK-02)
 */
GREEN_API int green_backdoor(green_socket *s, const struct green_backdoor_opts *opts);

/**
 * @brief Have a signal open a backdoor: a listener is made when it first comes, and closed when it comes again. Never yields, but
 *        to end what was armed before for that signal.
 *
 * @param sig     the signal: SIGUSR2. Others wait for it no more.
 * @param address where: "unix:/run/myapp/backdoor", "127.0.0.1:0"; the log says where it listens. The file of a Unix socket
 *                is made private before anybody can connect, replaces one that nobody listens on, and is removed at the
 *                end. NULL: no more; what is open is closed.
 * @param opts    NULL for defaults; what it points to stays.
 * @retval 0       armed.
 * @return -EINVAL, -EACCES, -ENOMEM, or what green_signal_... said.
 * @since 0.1 (BACK-12, ISS-38)
 */
GREEN_API int green_backdoor_on_signal(int sig, const char *address, const struct green_backdoor_opts *opts);

/**
 * @name Consoles by hand: eventlet's SocketConsole
 * @{
 */

/**
 * @brief Make a console over a stream. Never yields.
 * @param stream the console's from here on: it reads lines from it, and writes and flushes; eventlet's FileProxy (BACK-14).
 * @param opts   NULL for defaults.
 * @return the handle, for green_backdoor_console_finalize(); NULL with `errno` EINVAL, ENOMEM.
 * @since 0.1
 */
GREEN_API green_backdoor_console *green_backdoor_console_new(green_stream *stream, const struct green_backdoor_opts *opts);

/**
 * @brief Greet, read lines and run commands, until `quit` or the end of the stream. Yields.
 * @param console of green_backdoor_console_new().
 * @return 0: the client left; or a code: of a kill, a timeout, a stream that fails.
 * @since 0.1 (BACK-04, BACK-06, BACK-07)
 */
GREEN_API int green_backdoor_console_run(green_backdoor_console *console);

/** @brief End a console: close its stream, free it. May yield. @param console one that does not run, or NULL. @return 0; -EBUSY:
 *  it runs. @since 0.1 */
GREEN_API int green_backdoor_console_finalize(green_backdoor_console *console);

/** @brief What happens when control comes back to the console's green thread: from here on what is printed by
 *  green_backdoor_print() goes to it. Never yields. green_backdoor_console_run() does so by green_thread_set_switch_hooks(). @param console
 *  a console. @since 0.1 (BACK-06, HUB-20) */
GREEN_API void green_backdoor_console_switch(green_backdoor_console *console);

/** @brief What happens when control leaves it. Never yields. @param console a console. @since 0.1 (BACK-06, HUB-20) */
GREEN_API void green_backdoor_console_switch_out(green_backdoor_console *console);

/** @brief Print to a console, as printf(). May yield. @param console a console. @param format printf format. @return bytes, or a
 *  code; a client that has gone is none (BACK-08). @since 0.1 */
GREEN_API int green_backdoor_printf(green_backdoor_console *console, const char *format, ...) GREEN_PRINTF(2, 3);

/** @brief Print to the console that runs the calling green thread's command, or to nobody. May yield. @param format printf format.
 *  @return bytes; 0: there is none; or a code. @since 0.1 (BACK-06) */
GREEN_API int green_backdoor_print(const char *format, ...) GREEN_PRINTF(1, 2);
/** @} */

GREEN_END_DECLS

#endif
