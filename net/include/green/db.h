/**
 * @file
 * @brief Databases: pools of connections, what is done on one, and the interface that drivers are written against.
 *
 *     green_db_pool *pool = green_db_pool_new(&(struct green_db_pool_opts){
 *             .size = sizeof(struct green_db_pool_opts), .driver = "sqlite", .database = "guests.db"});
 *     green_db_conn *db;
 *     green_db_result *guests;
 *
 *     if (green_db_pool_get(pool, &db, GREEN_FOREVER) != 0)
 *             return;
 *     if (green_db_conn_execute(db, "select name, visits from guest where visits > $1",
 *                               GREEN_DB_PARAMS(green_db_int64(10)), &guests) == 0) {
 *             while (green_db_result_next(guests) == 1)
 *                     printf("%s\n", green_db_result_text(guests, 0));
 *             green_db_result_free(guests);
 *     }
 *     green_db_pool_put(pool, db);
 *
 * Drivers are modules (<green/module.h>): `sqlite`, `postgres`, `mariadb`, and those of others. The library itself links
 * no database.
 */
#ifndef GREEN_DB_H
#define GREEN_DB_H

#include <green/db_conn.h>
#include <green/db_driver.h>
#include <green/db_pool.h>
#include <green/db_value.h>

#endif
