/*
 * The hosts file: lines "address name alias...". See dns_priv.h.
 *
 * The text stays as it was read, but for NULs between its words: names are pointers into it.
 */
#include "dns_priv.h"
#include "inet.h"


#define NONE UINT32_MAX

struct name {
        const char *text;
        uint32_t line;
        uint32_t same; /* next in its bucket, further down in the file; NONE: no more */
};

struct green__hosts {
        char *text;
        struct green__hosts_line *lines;
        struct name *names;
        uint32_t *buckets;
        size_t nlines, nnames, nbuckets; /* nbuckets: a power of 2 */
};

/* Nobody else writes the file, so names that fall together are an accident. */
static uint32_t
hash(const char *name)
{
        uint32_t h = 2166136261u;

        for (; *name != '\0'; name++)
                h = (h ^ (unsigned char)*name) * 16777619u;
        return h ^ h >> 15;
}

static bool
is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

/* Bytes of the UTF-8 character that begins here; 0: there is none. */
static size_t
character(const unsigned char *p, size_t left)
{
        size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : 4;

        if (p[0] == '\0' || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || n > left)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

/* Leave out what is no text, and write names in lower case. Returns what is left. */
static size_t
clean(char *text, size_t len)
{
        size_t out = 0;

        for (size_t in = 0; in < len;) {
                size_t n = character((const unsigned char *)text + in, len - in);

                if (n == 1)
                        text[out++] = (char)(text[in] >= 'A' && text[in] <= 'Z' ? text[in] + ('a' - 'A') : text[in]);
                for (size_t i = 0; n > 1 && i < n; i++)
                        text[out++] = text[in + i];
                in += n != 0 ? n : 1;
        }
        text[out] = '\0';
        return out;
}

/* The next word of a line, ended by a NUL, or NULL. */
static char *
next_word(char **at, char *end)
{
        char *word = *at;

        while (word < end && is_blank(*word))
                word++;
        *at = word;
        while (*at < end && !is_blank(**at))
                ++*at;
        if (*at == word)
                return NULL;
        if (*at < end)
                *(*at)++ = '\0';
        return word;
}

static bool
read_address(const char *word, struct green__hosts_line *line)
{
        if (strncmp(word, "fe80", 4) == 0)
                return false; /* it means nothing without its interface */
        line->family = AF_INET;
        if (inet_pton(AF_INET, word, line->addr) == 1)
                return true;
        line->family = AF_INET6;
        return inet_pton(AF_INET6, word, line->addr) == 1;
}

static void
add_name(struct green__hosts *h, char *word)
{
        size_t len = strlen(word);

        if (len > 1 && word[len - 1] == '.')
                word[len - 1] = '\0';
        h->names[h->nnames++] = (struct name){.text = word, .line = (uint32_t)h->nlines};
}

static void
take_line(struct green__hosts *h, char *at, char *end)
{
        struct green__hosts_line *line = &h->lines[h->nlines];
        char *word;

        end[0] = '\0';
        word = next_word(&at, end);
        if (word == NULL)
                return;
        memset(line, 0, sizeof *line);
        line->first = h->nnames;
        if (!read_address(word, line))
                return;
        while ((word = next_word(&at, end)) != NULL)
                add_name(h, word);
        line->n = h->nnames - line->first;
        if (line->n > 0)
                h->nlines++;
}

/* How many lines and names there can be at most. */
static void
count(const char *text, size_t len, size_t *ret_lines, size_t *ret_words)
{
        bool inside = false;

        *ret_lines = 1;
        *ret_words = 1;
        for (size_t i = 0; i < len; i++) {
                bool word = !is_blank(text[i]) && text[i] != '\n' && text[i] != '\r';

                *ret_words += word && !inside;
                *ret_lines += text[i] == '\n' || text[i] == '\r';
                inside = word;
        }
}

static void
take_lines(struct green__hosts *h, size_t len)
{
        char *end, *line, *comment;

        for (line = h->text; line < h->text + len; line = end + 1) {
                end = line + strcspn(line, "\r\n");
                comment = memchr(line, '#', (size_t)(end - line));
                take_line(h, line, comment != NULL ? comment : end);
        }
}

/* From the end, so that each bucket is in the order of the file. */
static void
fill_buckets(struct green__hosts *h)
{
        memset(h->buckets, 0xff, h->nbuckets * sizeof h->buckets[0]);
        for (size_t i = h->nnames; i-- > 0;) {
                uint32_t *bucket = &h->buckets[hash(h->names[i].text) & (h->nbuckets - 1)];

                h->names[i].same = *bucket;
                *bucket = (uint32_t)i;
        }
}

struct green__hosts *
green__hosts_parse(char *text, size_t len)
{
        struct green__hosts *h = green_calloc(1, sizeof *h);
        size_t lines = 1, words = 1;

        if (h == NULL) {
                green_free(text);
                return NULL;
        }
        h->text = text;
        if (text != NULL) {
                len = clean(text, len);
                count(text, len, &lines, &words);
        }
        for (h->nbuckets = 16; h->nbuckets < words; h->nbuckets *= 2)
                ;
        h->lines = green_calloc(lines, sizeof h->lines[0]);
        h->names = green_calloc(words, sizeof h->names[0]);
        h->buckets = green_calloc(h->nbuckets, sizeof h->buckets[0]);
        if (h->lines == NULL || h->names == NULL || h->buckets == NULL) {
                green__hosts_free(h);
                return NULL;
        }
        if (text != NULL)
                take_lines(h, len);
        fill_buckets(h);
        return h;
}

void
green__hosts_free(struct green__hosts *hosts)
{
        if (hosts == NULL)
                return;
        green_free(hosts->text);
        green_free(hosts->lines);
        green_free(hosts->names);
        green_free(hosts->buckets);
        green_free(hosts);
}

const struct green__hosts_line *
green__hosts_find(const struct green__hosts *hosts, const char *name, const struct green__hosts_line *after)
{
        uint32_t i = hosts->buckets[hash(name) & (hosts->nbuckets - 1)];

        for (; i != NONE; i = hosts->names[i].same) {
                const struct green__hosts_line *line = &hosts->lines[hosts->names[i].line];

                if ((after == NULL || line > after) && strcmp(hosts->names[i].text, name) == 0)
                        return line;
        }
        return NULL;
}

const struct green__hosts_line *
green__hosts_reverse(const struct green__hosts *hosts, int family, const void *addr)
{
        for (size_t i = 0; i < hosts->nlines; i++)
                if (hosts->lines[i].family == family &&
                    memcmp(hosts->lines[i].addr, addr, family == AF_INET ? 4 : 16) == 0)
                        return &hosts->lines[i];
        return NULL;
}

const char *
green__hosts_name(const struct green__hosts *hosts, const struct green__hosts_line *line, size_t i)
{
        return i < line->n ? hosts->names[line->first + i].text : NULL;
}
