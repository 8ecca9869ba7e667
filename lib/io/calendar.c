/* SPDX-License-Identifier: Apache-2.0 */
#include "io/calendar.h"

#include <stdio.h>

enum { DAY = 86400 };

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar and back, year > 0 (Neri and Schneider 2022
 * give the idea: a year that begins in March has its leap day last). */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, in_era = year % 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = days / 146097, in_era = days % 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t day_of_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

static bool digits(const char **s, int n, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (**s < '0' || **s > '9') return false;
        *value = *value * 10 + (**s - '0');
    }
    return true;
}

static bool date(const char **s, int64_t *seconds)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;

    if (!digits(s, 4, &year) || *(*s)++ != '-' || !digits(s, 2, &month) || *(*s)++ != '-' || !digits(s, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > length[month - 1] + (leap && month == 2)) return false;
    *seconds = days_from_date(year, month, day) * DAY;
    return true;
}

static bool clock_time(const char **s, int64_t *seconds)
{
    int64_t hour, minute, second = 0, fraction;

    if (!digits(s, 2, &hour) || *(*s)++ != ':' || !digits(s, 2, &minute)) return false;
    if (**s == ':') {
        (*s)++;
        if (!digits(s, 2, &second)) return false;
        if (**s == '.') { /* parts of a second: only if there are none */
            (*s)++;
            if (!digits(s, 1, &fraction) || fraction != 0) return false;
            while (**s == '0') (*s)++;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    *seconds += hour * 3600 + minute * 60 + second;
    return true;
}

static bool zone(const char **s, bool optional, int64_t *seconds)
{
    int64_t hour, minute;

    if (**s == '\0') return optional;
    if (**s == 'Z' || **s == 'z') {
        (*s)++;
        return true;
    }
    if (**s != '+' && **s != '-') return false;
    int64_t sign = *(*s)++ == '+' ? -1 : 1;
    if (!digits(s, 2, &hour) || *(*s)++ != ':' || !digits(s, 2, &minute) || hour > 23 || minute > 59) return false;
    *seconds += sign * (hour * 3600 + minute * 60);
    return *seconds >= 0;
}

bool mgc__time_parse(const char *text, bool zone_optional, int64_t *seconds)
{
    const char *s = text;

    if (!date(&s, seconds)) return false;
    if (*s != 'T' && *s != 't' && *s != ' ') return false;
    s++;
    return clock_time(&s, seconds) && zone(&s, zone_optional, seconds) && *s == '\0';
}

bool mgc__date_parse(const char *text, int64_t *seconds)
{
    return date(&text, seconds) && *text == '\0';
}

void mgc__time_format(int64_t seconds, char text[MGC__TIME_TEXT])
{
    int64_t year, month, day, second = seconds % DAY;

    date_from_days(seconds / DAY, &year, &month, &day);
    snprintf(text, MGC__TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000, (unsigned)month % 100,
             (unsigned)day % 100, (unsigned)(second / 3600) % 100, (unsigned)(second / 60 % 60),
             (unsigned)(second % 60));
}

void mgc__date_format(int64_t seconds, char text[MGC__TIME_TEXT])
{
    mgc__time_format(seconds, text);
    text[10] = '\0';
}
