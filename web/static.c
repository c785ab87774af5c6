/*
 * Files of a folder: its options, the path of a request, and what is there. See <green/static.h>.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <green/router.h>

#include "http_accept_priv.h"
#include "static_priv.h"
#include "wsgi_priv.h"

/* ---- a folder */

static int
copy(const char *text, char **ret)
{
        size_t len = text == NULL ? 0 : strlen(text) + 1;

        if (text == NULL)
                return 0;
        *ret = green_malloc(len);
        if (*ret == NULL)
                return -ENOMEM;
        memcpy(*ret, text, len);
        return 0;
}

static int
copy_types(struct green_static *files, const struct green_wsgi_pair *given)
{
        size_t n = 0, room = 0;
        char *at;

        for (const struct green_wsgi_pair *p = given; p != NULL && p->name != NULL; p++, n++) {
                if (p->value == NULL || !green__header_value_ok(p->value))
                        return green_set_error(-EINVAL, "types: no type for \"%.100s\"", p->name);
                room += strlen(p->name) + strlen(p->value) + 2;
        }
        if (n == 0)
                return 0;
        files->types = green_malloc((n + 1) * sizeof(*files->types) + room);
        if (files->types == NULL)
                return -ENOMEM;
        at = (char *)(files->types + n + 1);
        for (size_t i = 0; i < n; i++) {
                size_t name = strlen(given[i].name) + 1, value = strlen(given[i].value) + 1;

                files->types[i].name = memcpy(at, given[i].name, name);
                files->types[i].value = memcpy(at + name, given[i].value, value);
                at += name + value;
        }
        files->types[n] = (struct green_wsgi_pair){NULL, NULL};
        return 0;
}

static int
take_opts(struct green_static *files, const struct green_static_opts *opts)
{
        struct green_static_opts o;
        char cache[40];
        int rc;

        if (green_opts_take(&o, sizeof(o), opts) != 0)
                return green_set_error(-EINVAL, "green_static_opts: a size that this version does not know");
        if (!(o.max_age >= 0 && o.max_age < 1e10))
                return green_set_error(-EINVAL, "green_static_opts: max_age is negative, or no number");
        if (o.index != NULL && strpbrk(o.index, "/\\") != NULL)
                return green_set_error(-EINVAL, "green_static_opts: index is the name of a file");
        if (o.default_type != NULL && !green__header_value_ok(o.default_type))
                return green_set_error(-EINVAL, "green_static_opts: default_type is none");
        files->list = o.list;
        files->symlinks = o.symlinks;
        files->hidden = o.hidden;
        files->precompressed = !o.not_precompressed;
        files->not_found = o.not_found;
        files->not_found_arg = o.not_found_arg;
        (void)snprintf(cache, sizeof(cache), "max-age=%.0f", o.max_age);
        rc = copy(o.index == NULL ? "index.html" : o.index, &files->index);
        if (rc == 0)
                rc = copy(o.max_age > 0 ? cache : NULL, &files->cache);
        if (rc == 0)
                rc = copy(o.default_type, &files->default_type);
        return rc == 0 ? copy_types(files, o.types) : rc;
}

green_static *
green_static_new(const char *root, const struct green_static_opts *opts)
{
        struct green_static *files = green_calloc(1, sizeof(*files));
        int rc;

        if (files == NULL) {
                (void)green_set_error(-ENOMEM, NULL);
                errno = ENOMEM;
                return NULL;
        }
        files->root = GREEN_INVALID_FD;
        rc = root == NULL ? green_set_error(-EINVAL, "no folder") : take_opts(files, opts);
        if (rc == 0) {
                rc = green__static_root(root, &files->root);
                if (rc != 0)
                        (void)green_set_error(rc, "%.500s cannot be opened: %s", root, green_strerror(rc));
        }
        if (rc == 0)
                return files;
        if (rc == -ENOMEM)
                (void)green_set_error(rc, NULL);
        green_static_free(files);
        errno = -rc;
        return NULL;
}

void
green_static_free(green_static *files)
{
        if (files == NULL)
                return;
        if (files->root != GREEN_INVALID_FD)
                green__static_close(files->root);
        green_free(files->index);
        green_free(files->cache);
        green_free(files->default_type);
        green_free(files->types);
        green_free(files);
}

/* ---- a path */

bool
green__static_hidden(const struct green_static *files, const char *name, bool first)
{
        static const char known[] = ".well-known";
        size_t len = strcspn(name, "/");

        if (*name != '.' || files->hidden)
                return false;
        return !first || len != sizeof(known) - 1 || memcmp(name, known, len) != 0;
}

/* May it be asked for? It is decoded, without its first slash, and *ret_slash says if one stood at its end. */
static bool
path_ok(const struct green_static *files, char *path, size_t len, bool *ret_slash)
{
        *ret_slash = len == 0 || path[len - 1] == '/';
        if (len > 0 && *ret_slash) {
                path[--len] = '\0';
                if (len == 0)
                        return false;
        }
        if (strlen(path) != len || strchr(path, '\\') != NULL)
                return false;
        for (const char *at = path; len > 0; at++) {
                size_t n = strcspn(at, "/");

                if (n == 0 || (n == 1 && *at == '.') || (n == 2 && memcmp(at, "..", 2) == 0))
                        return false;
                if (green__static_hidden(files, at, at == path))
                        return false;
                at += n;
                if (*at == '\0')
                        return true;
        }
        return true;
}

static size_t
slashes(const char *text)
{
        size_t n = 0;

        for (; (text = strchr(text, '/')) != NULL; text++)
                n++;
        return n;
}

/* ---- what is not there */

static int
plain(green_wsgi_request *req, int status)
{
        char text[80];

        (void)snprintf(text, sizeof(text), "%d %s\r\n", status, green_http_phrase(status));
        return green_wsgi_respond(req, status, "text/plain", text, strlen(text));
}

/* What answers in place of 404 may want a file that is not there either. */
static int
miss(green_wsgi_request *req, const struct green_static *files)
{
        int rc;

        if (files->not_found == NULL || req->missed)
                return plain(req, 404);
        req->missed = true;
        rc = files->not_found(req, files->not_found_arg);
        req->missed = false;
        return rc;
}

/* Is there nothing to be seen, with this code of an open? */
static bool
is_miss(int code)
{
        return code != 0 && code != -EACCES && code != -EPERM && code != -EAGAIN && code != -EMFILE && code != -ENFILE &&
               code != -ENOMEM && code != -EIO;
}

static int
refuse(green_wsgi_request *req, const struct green_static *files, int code)
{
        if (is_miss(code))
                return miss(req, files);
        switch (code) {
        case -EACCES:
        case -EPERM:
                return plain(req, 403);
        case -EIO:
                return code;
        default: /* -EAGAIN: leased by another process */
                return plain(req, 503);
        }
}

/* To the same path with a slash behind, so that what is relative to it is below it. */
static int
add_slash(green_wsgi_request *req)
{
        const char *path = green_wsgi_raw_path(req), *query = green_wsgi_query(req);
        size_t room = strlen(path) + (query == NULL ? 0 : strlen(query)) + 3;
        char *place = green_wsgi_alloc(req, room);
        int rc;

        if (place == NULL)
                return -ENOMEM;
        (void)snprintf(place, room, "%s/%s%s", path, query == NULL ? "" : "?", query == NULL ? "" : query);
        rc = green_wsgi_set_header(req, "Location", place);
        return rc != 0 ? rc : plain(req, 301);
}

/* ---- what is there */

static const char *
type_of(const struct green_static *files, const char *path)
{
        const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
        const char *dot = strrchr(name, '.');
        const char *type = green_http_type_of(name);

        for (const struct green_wsgi_pair *p = dot == NULL ? NULL : files->types; p != NULL && p->name != NULL; p++)
                if (strcasecmp(p->name, dot + 1) == 0)
                        return p->value;
        if (files->default_type != NULL && strcmp(type, "application/octet-stream") == 0)
                return files->default_type;
        return type;
}

/* The file as it lies there compressed, as the client likes it best. The path has room for the ending. */
static bool
open_compressed(green_wsgi_request *req, const struct green_static *files, char *path, struct green__static_file *file,
                struct green__static_as *as)
{
        static const struct {
                const char *coding, *end;
        } kinds[] = {{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}};
        enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
        const int plain_wanted = green__encoding_wanted(req, "identity");
        size_t len = strlen(path);
        int wanted[KINDS];

        for (size_t i = 0; i < KINDS; i++) {
                wanted[i] = green__encoding_wanted(req, kinds[i].coding);
                if (wanted[i] < plain_wanted)
                        wanted[i] = 0;
        }
        for (;;) {
                size_t best = 0;
                int rc;

                for (size_t i = 1; i < KINDS; i++)
                        if (wanted[i] > wanted[best])
                                best = i;
                if (wanted[best] == 0)
                        return false;
                wanted[best] = 0;
                memcpy(path + len, kinds[best].end, strlen(kinds[best].end) + 1);
                rc = green__static_open(files->root, path, files->symlinks, file);
                path[len] = '\0';
                if (rc != 0)
                        continue;
                as->coding = kinds[best].coding;
                if (!file->folder)
                        return true;
                green__static_close(file->fd);
        }
}

/* Open a file to be sent. The path has room for an ending. */
static int
open_file(green_wsgi_request *req, const struct green_static *files, char *path, struct green__static_file *file,
          struct green__static_as *as)
{
        *as = (struct green__static_as){.type = type_of(files, path)};
        as->varies = files->precompressed && *path != '\0' && green__type_compresses(as->type);
        if (as->varies && green_wsgi_header(req, "Accept-Encoding") != NULL &&
            open_compressed(req, files, path, file, as))
                return 0;
        as->coding = NULL;
        return green__static_open(files->root, path, files->symlinks, file);
}

static int
send_file(green_wsgi_request *req, const struct green_static *files, const struct green__static_file *file,
          const struct green__static_as *as)
{
        int rc = green__static_answer(req, files, file, as);

        green__static_close(file->fd);
        return rc;
}

/* A folder: its index, or what is in it. The path has room for the index and an ending. */
static int
send_folder(green_wsgi_request *req, const struct green_static *files, char *path)
{
        size_t len = strlen(path), slash = len > 0;
        struct green__static_file file;
        struct green__static_as as;
        int rc = -ENOENT;

        if (*files->index != '\0') {
                if (slash)
                        path[len] = '/';
                memcpy(path + len + slash, files->index, strlen(files->index) + 1);
                rc = open_file(req, files, path, &file, &as);
                path[len] = '\0';
        }
        if (rc == 0 && !file.folder)
                return send_file(req, files, &file, &as);
        if (rc == 0)
                green__static_close(file.fd);
        else if (!is_miss(rc))
                return refuse(req, files, rc);
        rc = green__static_open(files->root, path, files->symlinks, &file);
        if (rc != 0)
                return refuse(req, files, rc);
        if (file.folder && files->list)
                return green__static_page(req, files, &file, path);
        green__static_close(file.fd);
        return file.folder ? plain(req, 403) : refuse(req, files, -ENOENT);
}

/* slash: one stood at the end. */
static int
send_path(green_wsgi_request *req, const struct green_static *files, char *path, bool slash)
{
        struct green__static_file file;
        struct green__static_as as;
        int rc;

        if (slash)
                return send_folder(req, files, path);
        rc = open_file(req, files, path, &file, &as);
        if (rc != 0)
                return refuse(req, files, rc);
        if (!file.folder)
                return send_file(req, files, &file, &as);
        green__static_close(file.fd);
        return add_slash(req);
}

/* Room for a path with what may come behind it. */
static char *
path_new(green_wsgi_request *req, const struct green_static *files, size_t len)
{
        return green_wsgi_alloc(req, len + strlen(files->index) + sizeof("/.zst"));
}

int
green_static_app(green_wsgi_request *req, void *arg)
{
        const struct green_static *files = arg;
        const char *method = green_wsgi_method(req), *rest = green_router_rest(req), *raw = green_wsgi_raw_path(req);
        size_t len = strlen(rest);
        bool slash;
        char *path;
        int rc;

        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
                rc = green_wsgi_set_header(req, "Allow", "GET, HEAD, OPTIONS");
                return rc != 0 ? rc : plain(req, strcmp(method, "OPTIONS") == 0 ? 204 : 405);
        }
        path = path_new(req, files, len);
        if (path == NULL)
                return -ENOMEM;
        if (*rest != '/')
                return refuse(req, files, -ENOENT);
        len = green_http_unquote(rest + 1, len - 1, 0, path);
        /* An encoded slash is no part of a name. */
        if (slashes(path) + 1 != slashes(rest) || !path_ok(files, path, len, &slash))
                return refuse(req, files, -ENOENT);
        /* Of "/files", a mount, the rest is "/", and what is relative would not be below it. */
        if (len == 0 && raw[strlen(raw) - 1] != '/')
                return add_slash(req);
        return send_path(req, files, path, slash);
}

int
green_static_send(green_wsgi_request *req, green_static *files, const char *path)
{
        struct green__static_file file;
        struct green__static_as as;
        char *own;
        size_t len;
        bool slash;
        int rc;

        if (req == NULL || files == NULL || path == NULL)
                return green_set_error(-EINVAL, "a request, a folder and a path are wanted");
        len = strlen(path);
        own = path_new(req, files, len);
        if (own == NULL)
                return -ENOMEM;
        memcpy(own, path, len + 1);
        if (!path_ok(files, own, len, &slash) || slash)
                return refuse(req, files, -ENOENT);
        rc = open_file(req, files, own, &file, &as);
        if (rc == 0 && file.folder) {
                green__static_close(file.fd);
                rc = -ENOENT;
        }
        return rc == 0 ? send_file(req, files, &file, &as) : refuse(req, files, rc);
}
