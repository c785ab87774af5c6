/*
 * What the files of Windows' processes have in common.
 */
#ifndef GREEN_PROCESS_WIN32_H
#define GREEN_PROCESS_WIN32_H

#include <wchar.h>

#include <winsock2.h>

#include "process_sys.h"

/* ---- process_text_win32.c: what CreateProcessW() takes. All results are the caller's, for green_free(). */

/* -EILSEQ: it is no UTF-8; -ENOMEM. */
int green__wide_text(const char *text, wchar_t **ret_wide);

/* Arguments as one line, such that the C library of the program finds the same ones. -E2BIG; -EINVAL: of its name. */
int green__command_line(const char *const *argv, wchar_t **ret_line);

/* NULL for NULL. */
int green__environment(const char *const *env, wchar_t **ret_block);

/* ---- process_pipe_win32.c */

/*
 * An end of a pipe of ours is a socket, which many programs cannot use. So the program gets an end of a pipe of the
 * system's, and an OS thread carries the bytes. *fd: the socket, which is that thread's then; becomes the program's end.
 */
int green__carry(green_fd *fd, bool program_writes);

/* A socket that is readable once the process has ended. */
int green__watch_process(HANDLE process, green_fd *ret_fd);

#endif
