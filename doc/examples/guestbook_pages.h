/* A guestbook, in a database: what guestbook.c serves, and demo.c besides its own. */
#ifndef GUESTBOOK_PAGES_H
#define GUESTBOOK_PAGES_H

#include <green/green.h>

struct guestbook;

/*
 * A guestbook in a database of sqlite or postgres; NULL, with green_last_error(), where there is no such driver. It
 * connects when it is first asked for. It is there until the program ends.
 */
struct guestbook *guestbook_new(const char *driver, const struct green_db_params *params);

/* Its page, at whatever path that is given a slash at the end: a list, and a form that comes back to it. */
int guestbook_page(green_wsgi_request *req, struct guestbook *book);

#endif
