/*
 * The time of a line of the access log. See wsgi_log_date.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wsgi_log_date.h"
#include "wsgi_priv.h"
#include "wsgi_sys.h"

/* Days from the first of March of year 0 on, so that the leap day is the last of its year. */
static int64_t
days(int64_t year, int month, int day)
{
        if (month <= 2) {
                month += 12;
                year--;
        }
        return year * 365 + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1;
}

/* By how many minutes local time is ahead of UTC. */
static int
minutes_ahead(time_t now, const struct tm *tm)
{
        int64_t local = (days(tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday) - days(1970, 1, 1)) * 86400;

        local += tm->tm_hour * 3600 + tm->tm_min * 60 + tm->tm_sec;
        return (int)((local - (int64_t)now) / 60);
}

void
green__log_date(struct green__log_date *date, enum green__log_date_form form)
{
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t now = green__wsgi_wall();
        int len, ahead, off;
        char sign;
        struct tm tm;

        if (now == date->second)
                return;
        if (!green__sys_localtime(now, &tm)) {
                date->len = 0;
                return;
        }
        ahead = minutes_ahead(now, &tm);
        sign = ahead < 0 ? '-' : '+';
        off = abs(ahead);
        if (form == GREEN__LOG_DATE_ISO8601)
                len = snprintf(date->text, sizeof date->text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", tm.tm_year + 1900,
                               tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, sign, off / 60, off % 60);
        else
                len = snprintf(date->text, sizeof date->text, "%02d/%.3s/%d%c%02d:%02d:%02d", tm.tm_mday,
                               months + 3 * tm.tm_mon, tm.tm_year + 1900, form == GREEN__LOG_DATE_COMMON ? ':' : ' ',
                               tm.tm_hour, tm.tm_min, tm.tm_sec);
        if (form == GREEN__LOG_DATE_COMMON && len > 0 && (size_t)len < sizeof date->text)
                len += snprintf(date->text + len, sizeof date->text - (size_t)len, " %c%02d%02d", sign, off / 60, off % 60);
        date->len = len < 0 ? 0 : (size_t)len < sizeof date->text ? (size_t)len : sizeof date->text - 1;
        date->second = now;
}
