/*
 * Windows' error numbers as ours.
 */
#ifndef GREEN_ERROR_WIN32_H
#define GREEN_ERROR_WIN32_H

/* WSAGetLastError(), as -errno. */
int green__wsa_code(int error);

/* GetLastError(), as -errno. */
int green__win32_code(unsigned long error);

#endif
