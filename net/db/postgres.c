/* The driver for postgres. */
#include <green/db_driver.h>

GREEN_API extern const struct green_db_driver green_db_module;
