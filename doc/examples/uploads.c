/*
 * A site with a form for files: uploads FOLDER [ADDRESS]. What is uploaded lies in the folder, and can be fetched from
 * /files/. Try it with a browser, or with curl -F file=@photo.jpg http://127.0.0.1:8080/upload
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <green/green.h>

static const char page[] = "<!DOCTYPE html>\n<title>Uploads</title>\n"
                           "<form action=\"/upload\" method=\"post\" enctype=\"multipart/form-data\">\n"
                           "<input type=\"file\" name=\"file\" multiple> <button>Upload</button>\n</form>\n"
                           "<p><a href=\"/files/\">What is there</a></p>\n";

static int
show_form(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}

/* A name that the client has chosen is not to be trusted: letters, digits and some signs, and no dot at its beginning. */
static bool
name_ok(const char *name)
{
        static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ()";
        size_t len = strlen(name);

        return len > 0 && len < 200 && name[0] != '.' && strspn(name, signs) == len;
}

/* Piece by piece, so that it may be as large as it likes. */
static int
copy_to(green_multipart *form, green_file *file)
{
        char buf[16384];
        ssize_t n, done;

        while ((n = green_multipart_read(form, buf, sizeof buf)) > 0)
                for (ssize_t at = 0; at < n; at += done)
                        if ((done = green_file_write(file, buf + at, (size_t)(n - at))) < 0)
                                return (int)done;
        return (int)n;
}

static int
keep(green_multipart *form, const char *folder, const char *name)
{
        char path[1000];
        green_file *file;
        int rc;

        /* What is there already is not overwritten. */
        snprintf(path, sizeof path, "%s/%s", folder, name);
        file = green_file_open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (file == NULL)
                return green_last_error()->code;
        rc = copy_to(form, file);
        if (green_file_free(file) != 0 && rc == 0)
                rc = -EIO;
        if (rc != 0)
                (void)remove(path);
        return rc;
}

//! [form]
static int
upload(green_wsgi_request *req, void *folder)
{
        green_multipart *form = green_multipart_new(req, NULL);
        const struct green_multipart_part *part;
        int rc;

        if (form == NULL)
                return green_wsgi_respond(req, 415, "text/plain", "A form is wanted.\n", 18);
        while ((rc = green_multipart_next(form, &part)) > 0) {
                if (part->filename == NULL || part->filename[0] == '\0')
                        continue;
                if (!name_ok(part->filename))
                        return green_wsgi_respond(req, 400, "text/plain", "Please choose another name.\n", 28);
                rc = keep(form, folder, part->filename);
                if (rc == -EEXIST)
                        return green_wsgi_respond(req, 409, "text/plain", "It is there already.\n", 21);
                if (rc != 0)
                        return rc;
        }
        if (rc == 0)
                rc = green_wsgi_set_header(req, "Location", "/files/");
        return rc != 0 ? rc : green_wsgi_respond(req, 303, NULL, "", 0);
}
//! [form]

int
main(int argc, char **argv)
{
        struct green_wsgi_server_opts opts = {.size = sizeof opts, .max_body = 1u << 30, .min_body_rate = 1024};
        green_socket *listener = green_listen(argc > 2 ? argv[2] : "127.0.0.1:8080", NULL);
        char here[GREEN_ADDR_TEXT_SIZE];
        struct green_addr addr;

        if (argc < 2 || listener == NULL) {
                fprintf(stderr, "usage: uploads FOLDER [ADDRESS]\n");
                return 1;
        }
        //! [router]
        const struct green_static_opts list = {.size = sizeof list, .list = true, .not_precompressed = true};
        green_static *files = green_static_new(argv[1], &list);
        green_router *router = green_router_new();

        if (files == NULL || router == NULL) {
                fprintf(stderr, "uploads: %s\n", green_last_error()->message);
                return 1;
        }
        green_router_add(router, "GET", "/", show_form, NULL);
        green_router_add(router, "POST", "/upload", upload, argv[1]);
        green_router_mount(router, "/files", green_static_app, files);
        //! [router]
        green_socket_getsockname(listener, &addr);
        green_addr_format(&addr, here, sizeof here);
        printf("listening on %s\n", here);
        fflush(stdout);
        (void)green_signal_stop_main(true);
        (void)green_wsgi_server(listener, green_router_app, router, &opts);
        (void)green_recover();
        green_router_free(router);
        green_static_free(files);
        green_socket_free(listener);
        return 0;
}
