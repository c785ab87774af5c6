/*
 * Which of these addresses answer? connect [-t SECONDS] ADDRESS...
 *
 * All are tried at once, each for at most so many seconds (2 without -t), and listed in the order given.
 */
#include <green/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double seconds = 2;

static void *
try(void *address)
{
        const struct green_connect_opts opts = {.size = sizeof opts, .timeout = seconds};
        green_socket *s = green_connect(address, &opts);

        if (s == NULL)
                return green_fail(green_last_error()->code);
        green_socket_free(s);
        return NULL;
}

int
main(int argc, char **argv)
{
        green_thread **tries = calloc((size_t)argc + 1, sizeof *tries);
        int first = 1, answered = 0;

        if (argc > 2 && strcmp(argv[1], "-t") == 0) {
                seconds = atof(argv[2]);
                first = 3;
        }
        if (argc <= first || tries == NULL)
                return fprintf(stderr, "connect [-t SECONDS] ADDRESS...\n"), 2;
        for (int i = first; i < argc; i++)
                tries[i] = green_spawn(try, argv[i]);
        for (int i = first; i < argc; i++) {
                int rc = green_thread_wait(tries[i], NULL);

                printf("%s: %s\n", argv[i], rc == 0 ? "answers" : green_strerror(rc));
                answered += rc == 0;
                green_thread_unref(tries[i]);
        }
        free(tries);
        printf("%d of %d answer\n", answered, argc - first);
        return answered == argc - first ? 0 : 1;
}
