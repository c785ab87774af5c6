#ifndef GREEN_TESTS_WIN32_IF_H
#define GREEN_TESTS_WIN32_IF_H

#define IF_NAMESIZE 257

unsigned win32_if_nametoindex(const char *name);
char *win32_if_indextoname(unsigned index, char name[IF_NAMESIZE]);

#define if_nametoindex(name) win32_if_nametoindex(name)
#define if_indextoname(index, name) win32_if_indextoname(index, name)

#endif
