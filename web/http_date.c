/*
 * Dates as HTTP writes them (RFC 9110 5.6.7).
 */
#include <green/http.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "wsgi_priv.h"

/* ---- to text */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void
two_digits(char *at, int n)
{
        at[0] = (char)('0' + n / 10 % 10);
        at[1] = (char)('0' + n % 10);
}

/* Year, month and day of a day number since 1970, by the proleptic Gregorian calendar. */
static void
civil(int64_t days, int *year, int *month, int *day)
{
        int64_t z = days + 719468; /* since 1 March of year 0 */
        int64_t era = (z >= 0 ? z : z - 146096) / 146097;
        int doe = (int)(z - era * 146097);
        int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        int mp = (5 * doy + 2) / 153;

        *day = doy - (153 * mp + 2) / 5 + 1;
        *month = mp < 10 ? mp + 3 : mp - 9;
        *year = (int)(yoe + era * 400) + (*month <= 2);
}

const char *
green_wsgi_format_date_time(int64_t timestamp, char text[GREEN_WSGI_DATE_SIZE])
{
        static const char days[] = "ThuFriSatSunMonTueWed";
        int64_t day_number = timestamp / 86400 - (timestamp % 86400 < 0);
        int second = (int)(timestamp - day_number * 86400);
        int weekday = (int)((day_number % 7 + 7) % 7);
        int year, month, day;

        text[0] = '\0';
        if (timestamp < -62135596800 || timestamp > 253402300799)
                return text;
        civil(day_number, &year, &month, &day);
        memcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT", GREEN_WSGI_DATE_SIZE);
        memcpy(text, days + weekday * 3, 3);
        two_digits(text + 5, day);
        memcpy(text + 8, months + (month - 1) * 3, 3);
        two_digits(text + 12, year / 100);
        two_digits(text + 14, year % 100);
        two_digits(text + 17, second / 3600);
        two_digits(text + 20, second / 60 % 60);
        two_digits(text + 23, second % 60);
        return text;
}

/* ---- from text */

/* What was found in one. */
struct parts {
        int year, month, day, hour, minute, second;
};

/* The number of days since 1970 of a day, by the proleptic Gregorian calendar. */
static int64_t
day_number_of(int year, int month, int day)
{
        int64_t y = year - (month <= 2); /* from 1 March on */
        int64_t era = (y >= 0 ? y : y - 399) / 400;
        int yoe = (int)(y - era * 400);
        int doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

        return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* A text that must stand there. What follows it, or NULL; and so with the others, which take NULL for NULL. */
static const char *
literal(const char *s, const char *text)
{
        size_t len = strlen(text);

        return s != NULL && strncmp(s, text, len) == 0 ? s + len : NULL;
}

/* A number of just so many digits. */
static const char *
number(const char *s, int digits, int *ret_n)
{
        *ret_n = 0;
        for (; s != NULL && digits > 0; digits--, s++) {
                if (*s < '0' || *s > '9')
                        return NULL;
                *ret_n = *ret_n * 10 + (*s - '0');
        }
        return s;
}

/* A month's short name: 1 to 12. */
static const char *
month_name(const char *s, int *ret_month)
{
        for (int i = 0; s != NULL && i < 12; i++) {
                if (strncmp(s, months + i * 3, 3) == 0) {
                        *ret_month = i + 1;
                        return s + 3;
                }
        }
        return NULL;
}

static const char *
time_of_day(const char *s, struct parts *p)
{
        s = literal(number(s, 2, &p->hour), ":");
        s = literal(number(s, 2, &p->minute), ":");
        return number(s, 2, &p->second);
}

/* The name of a day, short or long; which one is not compared with the date. */
static const char *
day_name(const char *s, bool *ret_long)
{
        static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (strncmp(s, names[i], 3) != 0)
                        continue;
                *ret_long = strncmp(s, names[i], strlen(names[i])) == 0;
                return *ret_long ? s + strlen(names[i]) : s + 3;
        }
        return NULL;
}

/* More than 50 years ahead is the century before (RFC 9110 5.6.7). */
static int
whole_year(int two)
{
        int year, month, day;

        civil((int64_t)green__wsgi_wall() / 86400, &year, &month, &day);
        two += year / 100 * 100 + 100;
        while (two > year + 50)
                two -= 100;
        return two;
}

/* "06 Nov 1994 08:49:37 GMT" */
static const char *
imf_fixdate(const char *s, struct parts *p)
{
        s = literal(number(s, 2, &p->day), " ");
        s = literal(month_name(s, &p->month), " ");
        s = literal(number(s, 4, &p->year), " ");
        return literal(time_of_day(s, p), " GMT");
}

/* "06-Nov-94 08:49:37 GMT" */
static const char *
rfc850_date(const char *s, struct parts *p)
{
        s = literal(number(s, 2, &p->day), "-");
        s = literal(month_name(s, &p->month), "-");
        s = literal(number(s, 2, &p->year), " ");
        p->year = whole_year(p->year);
        return literal(time_of_day(s, p), " GMT");
}

/* "Nov  6 08:49:37 1994" */
static const char *
asctime_date(const char *s, struct parts *p)
{
        s = literal(month_name(s, &p->month), " ");
        if (s != NULL)
                s = *s == ' ' ? number(s + 1, 1, &p->day) : number(s, 2, &p->day);
        s = literal(time_of_day(literal(s, " "), p), " ");
        return number(s, 4, &p->year);
}

static bool
is_possible(const struct parts *p)
{
        static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = p->year % 4 == 0 && (p->year % 100 != 0 || p->year % 400 == 0);

        if (p->year < 1 || p->day < 1 || p->day > days[p->month - 1] + (p->month == 2 && leap))
                return false;
        /* A leap second may be there. */
        return p->hour < 24 && p->minute < 60 && p->second <= 60;
}

int
green_http_parse_date(const char *text, int64_t *ret_timestamp)
{
        struct parts p = {0, 1, 0, 0, 0, 0};
        bool is_long = false;
        const char *s = text == NULL || ret_timestamp == NULL ? NULL : day_name(text, &is_long);

        if (s == NULL)
                return -EINVAL;
        if (*s != ',')
                s = is_long ? NULL : asctime_date(literal(s, " "), &p);
        else if (is_long)
                s = rfc850_date(literal(s, ", "), &p);
        else
                s = imf_fixdate(literal(s, ", "), &p);
        if (s == NULL || *s != '\0' || !is_possible(&p))
                return -EINVAL;
        *ret_timestamp = day_number_of(p.year, p.month, p.day) * 86400 + p.hour * 3600 + p.minute * 60 + p.second;
        return 0;
}
