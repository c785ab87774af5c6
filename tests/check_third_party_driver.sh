#!/bin/sh
# The driver of doc/examples/third_party_driver builds outside the tree against the installed copy, by its own Makefile
# and what pkg-config says; and a program finds it by its path and, once it is in the folder of modules, by its name.
. "$top_srcdir/tests/installed.sh"
test -f "$dest$libdir/libgreen-core.so" || { echo "this build has no shared libraries, and so no modules"; exit 77; }

wrong() {
    echo "$*"
    bad=1
}

mkdir driver
cp "$source_dir"/doc/examples/third_party_driver/* driver
build() { # TARGET
    ${MAKE:-make} -s -C driver CC="${CC:-cc}" CFLAGS="$CFLAGS $SANITIZE_CFLAGS -Wall -Wextra" \
        LDFLAGS="$SANITIZE_CFLAGS" PKG_CONFIG="$pc" hubdir="$dest$pkglibdir" "$1" ||
        { echo "make $1 of the driver failed"; exit 1; }
}
build db_memtable.so

cat >program.c <<'END_OF_PROGRAM'
#include <green/green.h>

#include <stdio.h>
#include <string.h>

static green_db_pool *pool;

/* Prints what a statement gives, in one line. */
static int
say(const char *sql, const struct green_db_value *values, size_t n, bool stream)
{
        green_db_result *r = NULL;
        green_db_conn *conn;
        int rc = green_db_pool_get(pool, &conn, 5), next = 0;

        if (rc != 0)
                return rc;
        rc = stream ? green_db_conn_cursor(conn, sql, values, n, &r) : green_db_conn_execute(conn, sql, values, n, &r);
        if (rc != 0) {
                printf("%s: %s\n", green_errname(rc), green_db_conn_error(conn));
        } else {
                unsigned long long rows = 0;

                while ((next = green_db_result_next(r)) == 1 && ++rows < 4)
                        for (size_t i = 0; i < green_db_result_columns(r); i++) {
                                struct green_db_value v = green_db_null();

                                if (green_db_result_value(r, i, &v) != 0)
                                        return -1;
                                printf("%s=%d:", green_db_result_name(r, i), (int)v.type);
                                printf("%s ", v.type == GREEN_DB_NULL ? "-" : green_db_result_text(r, i));
                        }
                while (next == 1 && (next = green_db_result_next(r)) == 1)
                        rows++;
                printf("rows %llu, affected %lld\n", rows, (long long)green_db_result_affected_rows(r));
        }
        green_db_result_free(r);
        rc = green_db_pool_put(pool, conn);
        return rc != 0 ? rc : next;
}

int
main(int argc, char **argv)
{
        struct green_db_pool_opts opts = {.size = sizeof opts, .driver = argv[1]};
        char key[16];
        int rc;

        opts.kind = argc > 2 ? GREEN_DB_POOL_TPOOLED : GREEN_DB_POOL_AUTO;
        pool = green_db_pool_new(&opts);
        if (pool == NULL) {
                printf("%s: %s\n", green_errname(green_last_error()->code), green_last_error()->message);
                return 1;
        }
        rc = say("set ? ?", GREEN_DB_PARAMS(green_db_text("n"), green_db_int64(-5)), false);
        if (rc == 0)
                rc = say("get n", GREEN_DB_NO_PARAMS, false);
        if (rc == 0)
                rc = say("set ? ?", GREEN_DB_PARAMS(green_db_text("a key"), green_db_null()), false);
        if (rc == 0)
                rc = say("list", GREEN_DB_NO_PARAMS, false);
        if (rc == 0)
                rc = say("del ?", GREEN_DB_PARAMS(green_db_text("n")), false);
        if (rc == 0)
                rc = say("del n", GREEN_DB_NO_PARAMS, false);
        if (rc == 0)
                rc = say("get ?", GREEN_DB_NO_PARAMS, false);
        if (rc == 0)
                rc = say("select 1", GREEN_DB_NO_PARAMS, false);
        for (int i = 0; rc == 0 && i < 100; i++) {
                green_db_conn *conn;

                snprintf(key, sizeof key, "key%02d", i);
                rc = green_db_pool_get(pool, &conn, 5);
                if (rc == 0)
                        rc = green_db_conn_execute(conn, "set ? ?",
                                                   GREEN_DB_PARAMS(green_db_text(key), green_db_double(i / 4.0)), NULL);
                green_db_pool_put(pool, conn);
        }
        if (rc == 0)
                rc = say("list", GREEN_DB_NO_PARAMS, true);
        if (rc != 0)
                printf("%s\n", green_strerror(rc));
        return rc != 0 || green_db_pool_free(pool) != 0;
}
END_OF_PROGRAM
words=$($pc --cflags --libs green-net) || exit 1
# shellcheck disable=SC2086
${CC:-cc} $CFLAGS $SANITIZE_CFLAGS -o program program.c $words || { echo "the program does not build"; exit 1; }

said="rows 0, affected 1
value=1:-5 rows 1, affected 0
rows 0, affected 1
key=3:a key value=0:- key=3:n value=1:-5 rows 2, affected 0
rows 0, affected 1
rows 0, affected 0
GREEN_EDB: memtable: another number of values than of parameters
GREEN_EDB: memtable: it is no set, get, del or list
key=3:a key value=0:- key=3:key00 value=2:0 key=3:key01 value=2:0.25 rows 101, affected 0"

run() { # PATTERN DRIVER [pooled]
    pattern=$1
    shift
    got=$(LD_LIBRARY_PATH=$dest$libdir ./program "$@" 2>&1)
    # shellcheck disable=SC2254
    case $got in
        $pattern) echo "$*: ok" ;;
        *) wrong "$* says '$got', not '$pattern'" ;;
    esac
}
run "$said" ./driver/db_memtable.so
run "$said" "$tmp/driver/db_memtable.so" pooled
run "GREEN_EDBDRIVER: *memtable*" memtable
build install
run "$said" memtable
run "$said" memtable pooled
run "GREEN_EDBDRIVER: *nosuch*memtable*" nosuch
exit $bad
