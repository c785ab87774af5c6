/*
 * The files of TLS contexts, and where the system keeps the certificates that it trusts: POSIX.
 */
#include "tls_priv.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <green/alloc.h>

#include "open_flags.h"

/* The largest bundles have some hundred KB. */
#define LARGEST ((off_t)16 << 20)

/* As much as there is, of what the file had when it was opened. -errno. */
static ssize_t
read_all(int fd, char *text, size_t size)
{
        size_t len = 0;

        while (len < size) {
                ssize_t n = read(fd, text + len, size - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        return (ssize_t)len;
}

static int
read_open(int fd, char **ret_text, size_t *ret_len)
{
        struct stat st;
        char *text;
        ssize_t n;

        if (fstat(fd, &st) != 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : GREEN_ETLSFILE;
        if (st.st_size > LARGEST)
                return -EFBIG;
        text = green_malloc((size_t)st.st_size + 1);
        if (text == NULL)
                return -ENOMEM;
        n = read_all(fd, text, (size_t)st.st_size);
        if (n < 0) {
                green_free(text);
                return (int)n;
        }
        text[n] = '\0';
        *ret_text = text;
        *ret_len = (size_t)n + 1;
        return 0;
}

int
green__tls_read_file(const char *path, char **ret_text, size_t *ret_len)
{
        /* A pipe in its place must not stop anybody. */
        int fd, rc;

        do
                fd = open(path, O_RDONLY | O_BINARY | O_CLOEXEC | O_NONBLOCK);
        while (fd < 0 && errno == EINTR);
        if (fd < 0) {
                rc = -errno;
                return green_set_error(rc, "TLS: %.300s: %s", path, green_strerror(rc));
        }
        rc = read_open(fd, ret_text, ret_len);
        (void)close(fd);
        return rc == 0 ? 0 : green_set_error(rc, "TLS: %.300s: %s", path, green_strerror(rc));
}

/* NULL: there is none. */
static const char *
system_bundle(void)
{
        static const char *const paths[] = {
                "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
                "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
                "/etc/pki/tls/certs/ca-bundle.crt",                  /* older ones of them */
                "/etc/ssl/ca-bundle.pem",                            /* SUSE */
                "/etc/ssl/cert.pem",                                 /* Alpine, OpenBSD, macOS */
                "/usr/local/share/certs/ca-root-nss.crt",            /* FreeBSD */
        };

        if (GREEN_CA_BUNDLE[0] != '\0')
                return GREEN_CA_BUNDLE;
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
                if (access(paths[i], R_OK) == 0)
                        return paths[i];
        return NULL;
}

int
green__tls_read_system(char **ret_text, size_t *ret_len)
{
        const char *path = system_bundle();

        *ret_text = NULL;
        return path != NULL ? green__tls_read_file(path, ret_text, ret_len) : 0;
}
