/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, a line an object.  Requests are flat objects of strings and whole numbers; nothing else is read. */
#include <stdarg.h>

#include "node.h"

static bool room(line *l, size_t n)
{
    size_t cap = l->cap == 0 ? 256 : l->cap;
    char *larger;

    while (cap < l->len + n + 1) cap *= 2;
    if (cap == l->cap) return !l->failed;
    larger = realloc(l->text, cap);
    if (larger == NULL) {
        l->failed = true;
        return false;
    }
    l->text = larger;
    l->cap = cap;
    return !l->failed;
}

void line_add(line *l, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !room(l, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(l->text + l->len, (size_t)n + 1, format, args);
    va_end(args);
    l->len += (size_t)n;
}

void line_quoted(line *l, const char *text)
{
    line_add(l, "\"");
    for (const char *s = text; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') line_add(l, "\\%c", c);
        else if (c < 0x20) line_add(l, "\\u%04x", c);
        else if (room(l, 1)) {
            l->text[l->len++] = *s;
            l->text[l->len] = '\0';
        }
    }
    line_add(l, "\"");
}

static const char *blank(const char *s)
{
    return s + strspn(s, " \t\r");
}

/* A string or a word; value may be NULL.  The place behind it; NULL: none, or too long. */
static const char *value_at(const char *s, char *value, size_t cap)
{
    bool string = *s == '"';
    size_t n = 0;

    for (s += string; *s != '\0' && (string ? *s != '"' : strchr(",} \t\r", *s) == NULL); s++) {
        if (*s == '{' || *s == '[' || (unsigned char)*s < 0x20) return NULL;
        if (*s == '\\' && (*++s == '\0' || strchr("\"\\/", *s) == NULL)) return NULL; /* nothing here needs the others */
        if (value != NULL && n + 1 >= cap) return NULL;
        if (value != NULL) value[n++] = *s;
    }
    if (value != NULL) value[n] = '\0';
    return string ? (*s == '"' ? s + 1 : NULL) : s;
}

bool line_get(const char *object, const char *key, char *value, size_t cap)
{
    const char *s = blank(object);
    char name[32];
    bool found = false;

    if (*s++ != '{') return false;
    for (;;) {
        s = blank(s);
        if (*s == '}') return found && *blank(s + 1) == '\0';
        if (*s != '"' || (s = value_at(s, name, sizeof name)) == NULL) return false;
        s = blank(s);
        if (*s++ != ':') return false;
        bool here = strcmp(name, key) == 0;
        s = value_at(blank(s), here ? value : NULL, cap);
        if (s == NULL) return false;
        found = found || here;
        s = blank(s);
        if (*s == ',') s++;
        else if (*s != '}') return false;
    }
}

bool line_uint(const char *object, const char *key, uint64_t *value)
{
    char text[24];
    uint64_t x = 0;

    if (!line_get(object, key, text, sizeof text) || text[0] == '\0') return false;
    for (const char *s = text; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || x > (UINT64_MAX - 9) / 10) return false;
        x = 10 * x + (uint64_t)(*s - '0');
    }
    *value = x;
    return true;
}
