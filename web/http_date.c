/*
 * Dates as HTTP writes them (RFC 9110 5.6.7).
 */
#include <green/wsgi.h>
#include <string.h>

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
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
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
