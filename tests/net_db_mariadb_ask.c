/*
 * The MariaDB driver: connecting, and what connections and the server are asked and told besides statements.
 */
#include "net_mariadb.h"

/* Connect without a pool: its code. What is made is closed. */
static int
try_connect(const struct green_db_params *params, double timeout)
{
        green_db_conn *c = NULL;
        int rc = green_db_connect("mariadb", params, timeout, &c);

        if (rc == 0)
                CHECK_INT(number_of(c, "select 40 + 2"), 42);
        CHECK_INT(green_db_conn_free(c), 0);
        return rc;
}

static green_db_conn *
connect_with(const struct green_db_params *params, const char *const *options)
{
        struct green_db_params p = *params;
        green_db_conn *c = NULL;

        p.options = options;
        if (!CHECK_INT(green_db_connect("mariadb", &p, 20, &c), 0))
                fprintf(stderr, "%s\n", green_last_error()->message);
        return c;
}

/* The text that a statement gives. */
static void
text_of(green_db_conn *c, const char *sql, char *text, size_t size)
{
        green_db_result *r = NULL;

        text[0] = '\0';
        if (!CHECK_INT(green_db_conn_execute(c, sql, GREEN_DB_NO_PARAMS, &r), 0))
                return;
        CHECK_INT(green_db_result_next(r), 1);
        snprintf(text, size, "%s", green_db_result_text(r, 0));
        green_db_result_free(r);
}

static void
check_text(green_db_conn *c, const char *sql, const char *wanted)
{
        char text[512];

        text_of(c, sql, text, sizeof text);
        CHECK_STR(text, wanted);
}

/* ---- connecting */

static void
a_server_is_found_by_socket_folder_address_and_name(void)
{
        struct green_db_params p;

        NEED_SERVER();
        p = by_socket();
        CHECK_INT(try_connect(&p, 20), 0);
        p.host = server->folder; /* mysqld.sock is in it */
        CHECK_INT(try_connect(&p, 20), 0);
        p = by_port();
        CHECK_INT(try_connect(&p, 20), 0);
        p.host = "localhost"; /* ::1 is tried first, and nobody is there */
        CHECK_INT(try_connect(&p, 20), 0);
        p.host = NULL;
        CHECK_INT(try_connect(&p, 20), 0);
        p.port = 0;
        {
                char option[128];
                const char *options[] = {option, NULL};

                snprintf(option, sizeof option, "socket=%s", server->socket);
                p.options = options;
                CHECK_INT(try_connect(&p, 20), 0);
        }
}

static void
what_keeps_one_from_connecting_is_told(void)
{
        struct green_db_params p;

        NEED_SERVER();
        p = by_port();
        p.database = "missing";
        CHECK_INT(try_connect(&p, 20), GREEN_EDBLOGIN);
        CHECK(strstr(green_last_error()->message, "missing") != NULL);
        p.database = NULL;
        p.password = "wrong";
        CHECK_INT(try_connect(&p, 20), GREEN_EDBLOGIN);
        p.user = "nobody";
        CHECK_INT(try_connect(&p, 20), GREEN_EDBLOGIN);
        p = by_port();
        p.port = 1;
        CHECK_INT(try_connect(&p, 20), -ECONNREFUSED);
        p.host = "/tmp/no/such/socket";
        CHECK_INT(try_connect(&p, 20), -ENOENT);
        p = by_port();
        p.host = "no-such-host.invalid";
        CHECK(try_connect(&p, 20) < 0);
        p.host = "127.0.0.1,localhost";
        CHECK_INT(try_connect(&p, 20), -EINVAL);
}

static void
options_that_are_not_known_are_named(void)
{
        static const struct {
                const char *option, *part;
        } rows[] = {{"nonsense=1", "nonsense"}, {"tls", "tls"},         {"tls=2", "tls"},
                    {"=1", "option"},           {"compress=yes", "compress"}, {"max_allowed_packet=x", "max_allowed_packet"}};

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                const char *const options[] = {rows[i].option, NULL};
                struct green_db_params p = {.size = sizeof p, .host = "127.0.0.1", .options = options};

                CHECK_INT(try_connect(&p, 1), -EINVAL);
                if (!CHECK(strstr(green_last_error()->message, rows[i].part) != NULL))
                        fprintf(stderr, "%s\n", green_last_error()->message);
        }
}

static void
options_are_heeded(void)
{
        static const char *const plain[] = {"charset=latin1", "init_command=set @green = 7", "compress=1",
                                            "max_allowed_packet=1048576", NULL};
        static const char *const infile[] = {"local_infile=1", NULL};
        struct green_db_params p;
        green_db_conn *c;
        char text[64];

        NEED_SERVER();
        p = by_port();
        c = connect_with(&p, plain);
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 6);
        CHECK_STR(text, "latin1");
        CHECK_INT(number_of(c, "select @green"), 7);
        CHECK_INT(number_of(c, "select length(repeat('x', 500000))"), 500000);
        check_text(c, "show session status like 'Compression'", "Compression");
        CHECK_INT(number_of(c, "select variable_value = 'ON' from information_schema.session_status where variable_name = "
                               "'COMPRESSION'"),
                  1);
        CHECK_INT(green_db_conn_free(c), 0);
        c = connect_with(&p, NULL);
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 7);
        CHECK_STR(text, "utf8mb4");
        run(c, "create temporary table t (a varchar(200))");
        CHECK_INT(green_db_conn_execute(c, "load data local infile '/etc/passwd' into table t", GREEN_DB_NO_PARAMS, NULL),
                  GREEN_EDB);
        CHECK_INT(number_of(c, "select count(*) from t"), 0);
        CHECK_INT(green_db_conn_free(c), 0);
        c = connect_with(&p, infile);
        run(c, "create temporary table t (a varchar(200))");
        run(c, "load data local infile '/etc/passwd' into table t");
        CHECK(number_of(c, "select count(*) from t") > 0);
        CHECK_INT(green_db_conn_free(c), 0);
}

static void
a_listener_that_says_nothing_is_given_up(void)
{
        green_socket *listener;
        struct green_addr addr;
        char address[GREEN_ADDR_TEXT_SIZE];
        struct green_db_params p = {.size = sizeof p, .host = "127.0.0.1", .user = "root"};
        struct green_db_pool_opts o = {.size = sizeof o, .driver = "mariadb", .params = &p, .connect_timeout = 0.1};
        green_db_conn *c = NULL;
        green_db_pool *pool;
        double begin = seconds();

        listener = listen_here(address);
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        p.port = (unsigned)green_addr_port(&addr);
        CHECK_INT(try_connect(&p, 0.1), GREEN_ECONNECTTIMEOUT);
        for (int i = 0; i < 3; i++) {
                pool = green_db_pool_new(&o);
                CHECK_INT(green_db_pool_get(pool, &c, GREEN_FOREVER), GREEN_ECONNECTTIMEOUT);
                CHECK_INT(green_db_pool_free(pool), 0);
        }
        CHECK_RANGE(seconds() - begin, 0.35, 0.4 + 1 * suite_slow());
        CHECK_INT(green_socket_free(listener), 0);
}

static void *
greet_and_go(void *arg)
{
        green_socket *s = green_socket_accept(arg, NULL);
        const char *bytes = "\xff\xff";

        if (s != NULL)
                CHECK(green_socket_send(s, bytes, 2, 0) == 2);
        green_socket_free(s);
        return NULL;
}

static void
a_peer_that_hangs_up_is_no_server(void)
{
        struct green_db_params p = {.size = sizeof p, .host = "127.0.0.1", .user = "root"};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct green_addr addr;
        green_thread *gt;

        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        p.port = (unsigned)green_addr_port(&addr);
        gt = green_spawn(greet_and_go, listener);
        CHECK_INT(try_connect(&p, 10), GREEN_EDBLOST);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(listener), 0);
}

static void
connecting_can_be_cut_short_at_any_time(void)
{
        static const char *const plain[] = {NULL}, *const tls[] = {"tls=1", "ssl_verify_server_cert=0", NULL};
        struct green_db_params p;
        int made = 0, cut = 0;

        NEED_SERVER();
        p = by_port();
        for (int i = 0; i < 60; i++) {
                struct green_timeout limit = {{0}};
                green_db_conn *c = NULL;
                int rc = green_timeout_start(&limit, i * 0.0002);

                p.options = i % 2 ? tls : plain;
                if (rc == 0)
                        rc = green_db_connect("mariadb", &p, 10, &c);
                (void)green_timeout_cancel(&limit);
                made += rc == 0;
                cut += green_is_timeout(rc);
                CHECK(rc == 0 || green_is_timeout(rc));
                CHECK_INT(green_db_conn_free(c), 0);
        }
        CHECK_INT(made + cut, 60);
        CHECK(cut > 0);
}

/* ---- TLS */

/* Give a client the server's first words, and nothing after that. */
static void *
greet_and_stay(void *arg)
{
        green_socket *client = green_socket_accept(arg, NULL), *to;
        char address[64], greeting[256];
        ssize_t n;

        snprintf(address, sizeof address, "127.0.0.1:%u", server->port);
        to = green_connect(address, NULL);
        n = green_socket_recv(to, greeting, sizeof greeting, 0);
        CHECK(n > 0);
        CHECK_INT(green_socket_sendall(client, greeting, (size_t)n, 0, NULL), 0);
        CHECK_INT(green_socket_free(to), 0);
        while (green_socket_recv(client, greeting, sizeof greeting, 0) > 0)
                ;
        CHECK_INT(green_socket_free(client), 0);
        return NULL;
}

static void
a_handshake_that_is_not_answered_keeps_nobody_waiting(void)
{
        static const char *const tls[] = {"tls=1", "ssl_verify_server_cert=0", NULL}, *const plain[] = {NULL};
        struct green_db_params p = {.size = sizeof p, .host = "127.0.0.1", .user = "root"};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener;
        struct green_addr addr;

        NEED_SERVER();
        listener = listen_here(address);
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        p.port = (unsigned)green_addr_port(&addr);
        for (int i = 0; i < 4; i++) {
                green_thread *gt = green_spawn(greet_and_stay, listener), *counter;
                int turns = 0;

                counter = green_spawn(count_turns, &turns);
                p.options = i % 2 ? tls : plain;
                CHECK_INT(try_connect(&p, 0.3), GREEN_ECONNECTTIMEOUT);
                CHECK(turns > 0);
                CHECK_INT(green_kill(counter, GREEN_EKILLED), 0);
                CHECK_INT(green_thread_wait(counter, NULL), GREEN_EKILLED);
                green_thread_unref(counter);
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
        }
        CHECK_INT(green_socket_free(listener), 0);
}

static void
tls_is_used_and_checked(void)
{
        static const char ca[] = "ssl_ca=" TLS_CERTS "/ca.pem", other_ca[] = "ssl_ca=" TLS_CERTS "/ca2.pem";
        static const char *const good[] = {ca, "ssl_verify_server_cert=1", NULL};
        static const char *const bad[] = {other_ca, "ssl_verify_server_cert=1", NULL};
        static const char *const off[] = {"tls=0", NULL};
        static const char *const client[] = {ca, "ssl_cert=" TLS_CERTS "/client.pem", "ssl_key=" TLS_CERTS "/client.key",
                                             "ssl_verify_server_cert=1", NULL};
        static const char in_use[] = "select length(variable_value) > 0 from information_schema.session_status where "
                                     "variable_name = 'SSL_CIPHER'";
        struct green_db_params p;
        green_db_conn *c;

        NEED_SERVER();
        p = by_port();
        p.host = "localhost";
        c = connect_with(&p, good);
        CHECK_INT(number_of(c, in_use), 1);
        CHECK_INT(number_of(c, "select length(repeat('x', 3000000))"), 3000000);
        CHECK_INT(green_db_conn_free(c), 0);
        c = connect_with(&p, client);
        CHECK_INT(number_of(c, in_use), 1);
        CHECK_INT(green_db_conn_free(c), 0);
        c = connect_with(&p, off);
        CHECK_INT(number_of(c, in_use), 0);
        CHECK_INT(green_db_conn_free(c), 0);
        p.options = bad;
        CHECK(try_connect(&p, 20) < 0);
        CHECK(strstr(green_last_error()->message, "certificate") != NULL || strstr(green_last_error()->message, "TLS") != NULL);
}

static void
a_name_that_is_not_in_the_certificate_is_refused(void)
{
        static const char *const options[] = {"ssl_ca=" TLS_CERTS "/ca.pem", "ssl_verify_server_cert=1", NULL};
        struct green_dns_opts dns = {.size = sizeof dns};
        char hosts[128];
        struct green_db_params p;
        FILE *f;

        NEED_SERVER();
        snprintf(hosts, sizeof hosts, "%s/hosts", server->folder);
        f = fopen(hosts, "we");
        fprintf(f, "127.0.0.1 stranger.example\n");
        fclose(f);
        dns.hosts = hosts;
        CHECK_INT(green_dns_configure(&dns), 0);
        p = by_port();
        p.host = "stranger.example";
        CHECK_INT(try_connect(&p, 20), 0);
        p.options = options;
        CHECK(try_connect(&p, 20) < 0);
        CHECK_INT(green_dns_configure(NULL), 0);
        remove(hosts);
}

/* A statement on a connection whose server has gone raises no signal: it would end this program. */
static void
writing_to_a_server_that_has_gone_raises_no_signal(void)
{
        static const char *const tls[] = {"tls=1", "ssl_verify_server_cert=0", NULL}, *const plain[] = {NULL};
        enum { LEN = 3000000 };
        struct green_db_params p;
        char *large;

        NEED_SERVER();
        large = malloc(LEN);
        memset(large, 'x', LEN);
        p = by_port();
        for (int i = 0; i < 4; i++) {
                green_db_conn *c = connect_with(&p, i % 2 ? tls : plain);
                green_db_stmt *stmt = NULL;

                CHECK_INT(green_db_conn_prepare(c, "select length(?)", &stmt), 0);
                db_server_tell(server, DB_SERVER_RESTART);
                CHECK(db_server_wait(server));
                CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_text_n(large, LEN)), NULL), GREEN_EDBLOST);
                CHECK_INT(green_db_conn_free(c), 0);
        }
        free(large);
}

static void *
sleep_a_little(void *arg)
{
        CHECK_INT(number_of(arg, "select sleep(0.1)"), 0);
        return NULL;
}

static void
tls_connections_do_not_keep_others_waiting(void)
{
        static const char *const tls[] = {"tls=1", "ssl_verify_server_cert=0", NULL};
        struct green_timeout limit = {{0}};
        struct green_db_params p;
        green_db_conn *c[4];
        green_thread *gt[4];
        double begin;
        int rc;

        NEED_SERVER();
        p = by_port();
        for (int i = 0; i < 4; i++)
                c[i] = connect_with(&p, tls);
        begin = seconds();
        for (int i = 0; i < 4; i++)
                gt[i] = green_spawn(sleep_a_little, c[i]);
        for (int i = 0; i < 4; i++) {
                CHECK_INT(green_thread_wait(gt[i], NULL), 0);
                green_thread_unref(gt[i]);
        }
        CHECK_RANGE(seconds() - begin, 0.1, 0.1 + 0.2 * suite_slow());
        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        rc = green_db_conn_execute(c[0], "select sleep(10)", GREEN_DB_NO_PARAMS, NULL);
        CHECK(green_is_timeout(rc));
        (void)green_timeout_cancel(&limit);
        CHECK_INT(number_of(c[0], "select 5"), 5);
        for (int i = 0; i < 4; i++)
                CHECK_INT(green_db_conn_free(c[i]), 0);
}

/* ---- what is asked and told */

static void
a_connection_is_asked(void)
{
        green_db_pool *p;
        green_db_conn *c;
        char text[512];
        int64_t id;
        uint64_t can;

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_ping(c), 0);
        CHECK(green_db_conn_get_server_info(c, text, sizeof text) > 0);
        CHECK(strstr(text, "MariaDB") != NULL);
        CHECK_INT(green_db_conn_thread_id(c, &id), 0);
        CHECK_INT(number_of(c, "select connection_id()"), id);
        CHECK_INT(green_db_conn_server_capabilities(c, &can), 0);
        CHECK(can & 0x200); /* the protocol of 4.1 */
        CHECK(can >> 32);   /* and MariaDB's own */
        CHECK(green_db_conn_stat(c, text, sizeof text) > 0);
        CHECK(strstr(text, "Uptime") != NULL);
        CHECK(green_db_conn_format(c, text, sizeof text) > 0);
        CHECK(strstr(text, "mariadb") != NULL);
        CHECK_INT(green_db_conn_pipeline_begin(c), -ENOTSUP);
        CHECK_INT(green_db_conn_copy_in(c, "copy"), -ENOTSUP);
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
a_connection_is_told(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_stmt *stmt;
        char text[64];

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        check_text(c, "select database()", "green");
        CHECK_INT(green_db_conn_set_character_set(c, "latin1"), 0);
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 6);
        check_text(c, "select @@character_set_client", "latin1");
        CHECK(green_db_conn_set_character_set(c, "klingon") < 0);
        CHECK_INT(green_db_conn_set_sql_mode(c, "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"), 0);
        check_text(c, "select @@sql_mode", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES");
        CHECK_INT(green_db_conn_set_sql_mode(c, "it's"), GREEN_EDB);
        CHECK_INT(green_db_conn_dump_debug_info(c), 0);
        CHECK_INT(green_db_conn_execute(c, "select 1; select 2", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_set_server_option(c, 0), 0); /* MYSQL_OPTION_MULTI_STATEMENTS_ON */
        CHECK_INT(number_of(c, "select 1; select 2"), 1);
        CHECK_INT(green_db_conn_execute(c, "do 0; select 1; selec 2", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_set_server_option(c, 1), 0);
        CHECK_INT(green_db_conn_execute(c, "select 1; select 2", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_prepare(c, "select ? + 1", &stmt), 0);
        run(c, "set @green = 7");
        run(c, "create temporary table t (a int)");
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_reset, NULL), 0);
        c = got(p);
        check_text(c, "select database()", "mysql");
        check_text(c, "select ifnull(@green, 'none')", "none");
        check_text(c, "select @@character_set_client", "utf8mb4");
        CHECK_INT(green_db_conn_character_set_name(c, text, sizeof text), 7);
        CHECK_INT(green_db_conn_execute(c, "select * from t", GREEN_DB_NO_PARAMS, NULL), GREEN_EDB);
        CHECK_INT(green_db_conn_prepare(c, "select ? + 1", &stmt), 0);
        CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(1)), NULL), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(info_of(p).made, 1);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
one_can_become_another_user(void)
{
        green_db_pool *p;
        green_db_conn *c;
        green_db_stmt *stmt;

        NEED_SERVER();
        p = new_pool(1);
        c = got_fresh(p);
        run(c, "create or replace user guest@localhost identified by 'secret'");
        run(c, "grant all on green.* to guest@localhost");
        CHECK_INT(green_db_conn_prepare(c, "select ? + 1", &stmt), 0);
        CHECK_INT(green_db_conn_change_user(c, "guest", "secret", "green"), 0);
        check_text(c, "select concat(current_user(), ' ', database())", "guest@localhost green");
        CHECK_INT(green_db_conn_execute(c, "select * from mysql.user", GREEN_DB_NO_PARAMS, NULL) < 0, 1);
        CHECK_INT(green_db_conn_errno(c), 1142);
        CHECK_INT(green_db_conn_prepare(c, "select ? + 1", &stmt), 0);
        CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(1)), NULL), 0);
        CHECK_INT(green_db_conn_change_user(c, "guest", "wrong", "green"), GREEN_EDBLOGIN);
        CHECK_INT(green_db_pool_put_with(p, c, green_db_pool_cleanup_reset, NULL), 0);
        c = got(p);
        check_text(c, "select current_user()", "root@localhost");
        CHECK_INT(green_db_conn_prepare(c, "select ? + 1", &stmt), 0);
        CHECK_INT(green_db_stmt_execute(stmt, GREEN_DB_PARAMS(green_db_int64(1)), NULL), 0);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
check_literal(green_db_conn *c, struct green_db_value value, const char *wanted)
{
        char text[128], small[8];
        int n = green_db_conn_literal(c, value, text, sizeof text);

        CHECK_INT(n, strlen(wanted));
        CHECK_STR(text, wanted);
        CHECK_INT(green_db_conn_literal(c, value, small, sizeof small), n);
        CHECK_INT(strlen(small), n < 7 ? n : 7);
        CHECK(strncmp(small, wanted, 7) == 0);
        CHECK_INT(green_db_conn_literal(c, value, NULL, 0), n);
}

static void
literals_are_quoted(void)
{
        green_db_pool *p;
        green_db_conn *c;
        char text[128], sql[256];

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        check_literal(c, green_db_null(), "NULL");
        check_literal(c, green_db_int64(-7), "-7");
        check_literal(c, green_db_text("it's \\ \"q\""), "'it\\'s \\\\ \\\"q\\\"'");
        check_literal(c, green_db_text(""), "''");
        check_literal(c, green_db_text("abcdefghij"), "'abcdefghij'");
        check_literal(c, green_db_blob("a\0\xff", 3), "X'6100FF'");
        check_literal(c, green_db_blob("", 0), "X''");
        CHECK_INT(green_db_conn_literal(c, green_db_double(1.0 / 0.0), text, sizeof text), -EDOM);
        CHECK(green_db_conn_literal(c, green_db_double(0.1), text, sizeof text) > 0);
        snprintf(sql, sizeof sql, "select %s = 0.1e0", text);
        CHECK_INT(number_of(c, sql), 1);
        CHECK_INT(green_db_conn_literal(c, green_db_text("\xff"), text, sizeof text), -EILSEQ);
        CHECK_INT(green_db_conn_literal(c, green_db_text("\xed\xa0\x80"), text, sizeof text), -EILSEQ);
        CHECK(green_db_conn_string_literal(c, "\xf0\x9f\x98\x80'; drop \\", text, sizeof text) > 0);
        snprintf(sql, sizeof sql, "select %s", text);
        check_text(c, sql, "\xf0\x9f\x98\x80'; drop \\");
        CHECK_INT(green_db_conn_set_sql_mode(c, "NO_BACKSLASH_ESCAPES"), 0);
        check_literal(c, green_db_text("it's \\"), "'it''s \\'");
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

static void
the_server_is_told_to_end(void)
{
        green_db_pool *p;
        green_db_conn *c;

        NEED_SERVER();
        p = new_pool(1);
        c = got(p);
        CHECK_INT(green_db_conn_shutdown(c), 0);
        db_server_tell(server, DB_SERVER_AWAIT);
        CHECK(db_server_wait(server));
        CHECK_INT(green_db_conn_ping(c), GREEN_EDBLOST);
        CHECK_INT(green_db_pool_put(p, c), 0);
        c = NULL;
        CHECK_INT(green_db_pool_get(p, &c, GREEN_FOREVER) < 0, 1);
        db_server_tell(server, DB_SERVER_START);
        CHECK(db_server_wait(server));
        c = got(p);
        CHECK_INT(number_of(c, "select 5"), 5);
        CHECK_INT(green_db_pool_put(p, c), 0);
        CHECK_INT(green_db_pool_free(p), 0);
}

GREEN_SUITE(net_db_mariadb_ask) {
        GREEN_TEST(a_server_is_found_by_socket_folder_address_and_name),
        GREEN_TEST(what_keeps_one_from_connecting_is_told),
        GREEN_TEST(options_that_are_not_known_are_named),
        GREEN_TEST(options_are_heeded),
        GREEN_TEST(a_listener_that_says_nothing_is_given_up),
        GREEN_TEST(a_peer_that_hangs_up_is_no_server),
        GREEN_TEST(connecting_can_be_cut_short_at_any_time, .limit = 60),
        GREEN_TEST(a_handshake_that_is_not_answered_keeps_nobody_waiting),
        GREEN_TEST(tls_is_used_and_checked),
        GREEN_TEST(a_name_that_is_not_in_the_certificate_is_refused),
        GREEN_TEST(writing_to_a_server_that_has_gone_raises_no_signal, .limit = 60),
        GREEN_TEST(tls_connections_do_not_keep_others_waiting),
        GREEN_TEST(a_connection_is_asked),
        GREEN_TEST(a_connection_is_told),
        GREEN_TEST(one_can_become_another_user),
        GREEN_TEST(literals_are_quoted),
        GREEN_TEST(the_server_is_told_to_end, .limit = 60),
        GREEN_SUITE_END
};
