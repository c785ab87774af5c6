/*
 * Names that are not ASCII: IDNA, by libidn2 where it is there. See dns_priv.h.
 */
#include "dns_priv.h"

#if HAVE_LIBIDN2
#include <idn2.h>
#endif

static bool
is_ascii(const char *name)
{
        for (; *name != '\0'; name++)
                if ((unsigned char)*name >= 0x80)
                        return false;
        return true;
}

#if HAVE_LIBIDN2
static int
convert(char name[GREEN__NAME_SIZE])
{
        char *ascii = NULL;
        int rc = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        size_t len;

        if (rc == IDN2_MALLOC)
                return -ENOMEM;
        if (rc != IDN2_OK)
                return GREEN_EAI_NONAME;
        len = strlen(ascii);
        if (len <= 253)
                memcpy(name, ascii, len + 1);
        idn2_free(ascii);
        return len <= 253 ? 0 : -EINVAL;
}
#else
static int
convert(char name[GREEN__NAME_SIZE])
{
        (void)name;
        return GREEN_EAI_NONAME;
}
#endif

int
green__dns_to_ascii(char name[GREEN__NAME_SIZE])
{
        return is_ascii(name) ? 0 : convert(name);
}

int
green__dns_failed(int code, const char *what)
{
        if (code == -ENOMEM)
                return green_set_error(code, NULL);
        if (code == GREEN_EAI_NONAME && !HAVE_LIBIDN2 && !is_ascii(what))
                return green_set_error(code, "\"%.253s\": built without libidn2, green-net asks for ASCII names only",
                                       what);
        return green_set_error(code, "\"%.253s\": %s", what, green_strerror(code));
}
