/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an MPS text, and their fields in fixed and free format. */
#include <math.h>
#include <stdio.h>

#include "solver/mps_read.h"

static const struct { const char *word; mgc__mps_section section;
} SECTIONS[] = {
    {"NAME", NAME},          {"ROWS", ROWS},        {"COLUMNS", COLUMNS},  {"RHS", RHS},
    {"RANGES", RANGES},      {"BOUNDS", BOUNDS},    {"QUADOBJ", QUADOBJ},  {"QMATRIX", QMATRIX},
    {"OBJSENSE", OBJSENSE},  {"ENDATA", ENDATA},    {"SOS", REFUSED},      {"SOS1", REFUSED},
    {"SOS2", REFUSED},       {"QCMATRIX", REFUSED}, {"QSECTION", QSECTION}, {"CSECTION", REFUSED},
    {"INDICATORS", REFUSED}, {"GENCONS", REFUSED},  {"LAZYCONS", REFUSED}, {"USERCUTS", REFUSED},
    {"OBJMAX", OBJMAX},      {"OBJMIN", OBJMIN},    {"OBJNAME", OBJNAME},  {"OBJECTIVE", OBJNAME},
    {"SETS", REFUSED},
};

/* --- failing with file and line -------------------------------------------------------------- */

mgc_status mgc__mps_bad(mgc__mps *r, mgc_status status, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    mgc__vformat(text, sizeof text, format, args);
    va_end(args);
    return mgc__fail(r->ctx, status, "%s:%llu: %s", r->file, (unsigned long long)r->line, text);
}

/* What the program's own checks said, with the place in front. */
mgc_status mgc__mps_placed(mgc__mps *r, mgc_status st)
{
    char text[400];

    if (st == MGC_OK || st == MGC_E_NO_MEMORY) return st;
    snprintf(text, sizeof text, "%s", mgc_ctx_error(r->ctx));
    return mgc__mps_bad(r, st == MGC_E_INVALID_ARG ? MGC_E_SYNTAX : st, "%s", text);
}

/* --- lines and fields ------------------------------------------------------------------------ */

/* The next line that holds something; false at the end of the text.  A line too long is cut at LINE_MAX_BYTES + 1. */
bool mgc__mps_next_line(mgc__mps *r, const char **line, size_t *len)
{
    while (r->pos < r->len) {
        const char *start = r->text + r->pos;
        const char *end = memchr(start, '\n', r->len - r->pos);
        size_t n = end != NULL ? (size_t)(end - start) : r->len - r->pos;

        r->pos += n + (end != NULL);
        r->line++;
        while (n > 0 && mgc__mps_blank(start[n - 1])) n--;
        if (n == 0 || start[0] == '*') continue;
        *line = start;
        *len = n;
        return true;
    }
    return false;
}

static unsigned split_free(char *s, char *field[FIELDS_MAX])
{
    unsigned n = 0;

    for (;;) {
        while (mgc__mps_blank(*s)) s++;
        if (*s == '\0') return n;
        if (n == FIELDS_MAX) return FIELDS_MAX + 1;
        field[n++] = s;
        while (*s != '\0' && !mgc__mps_blank(*s)) s++;
        if (*s != '\0') *s++ = '\0';
    }
}

/* Fields 1 to 6 of the punched card: columns 2-3, 5-12, 15-22, 25-36, 40-47, 50-61.  Trailing blanks go; empty
 * fields at the end are not counted.  The card must be writable up to 62 bytes, blank-filled. */
static unsigned split_fixed(char *s, char *field[FIELDS_MAX])
{
    static const struct {
        unsigned char at, len;
    } place[FIELDS_MAX] = {{1, 2}, {4, 8}, {14, 8}, {24, 12}, {39, 8}, {49, 12}};
    unsigned n = 0;

    for (unsigned f = 0; f < FIELDS_MAX; f++) {
        char *start = s + place[f].at, *end = start + place[f].len;
        while (end > start && mgc__mps_blank(end[-1])) end--;
        if (f == 0 || f == 3 || f == 5) while (start < end && mgc__mps_blank(*start)) start++;
        *end = '\0';
        field[f] = start;
        if (end > start) n = f + 1;
    }
    return n;
}

enum { CARD = 80 };

/* Longer numbers have no exponent of Fortran's. */
enum { FORTRAN_MAX = 40 };

static bool parse_number(const char *text, double *value)
{
    char copy[FORTRAN_MAX];
    const char *end;

    *value = mgc__parse_double(text, &end);
    if ((*end == 'D' || *end == 'd') && strlen(text) < sizeof copy) {
        memcpy(copy, text, strlen(text) + 1);
        copy[end - text] = 'e';
        text = copy;
        *value = mgc__parse_double(text, &end);
    }
    return end != text && *end == '\0' && isfinite(*value);
}

/* --- which format -------------------------------------------------------------------------------------------------
 */

mgc__mps_section mgc__mps_find_section(const char *word)
{
    for (size_t i = 0; i < MGC__COUNT(SECTIONS); i++)
        if (strcmp(SECTIONS[i].word, word) == 0) return SECTIONS[i].section;
    return NONE;
}

static bool free_fits(mgc__mps_section section, char *const f[], unsigned n)
{
    double v;

    switch (section) {
    case ROWS: return n == 2;
    case COLUMNS: return (n == 3 && (strcmp(f[1], "'MARKER'") == 0 || parse_number(f[2], &v))) ||
                         (n == 5 && parse_number(f[2], &v) && parse_number(f[4], &v));
    case RHS:
    case RANGES: return n >= 2 && n <= 5 && parse_number(f[n - 1], &v) && (n < 4 || parse_number(f[n - 3], &v));
    case BOUNDS: return n >= 2 && n <= 4;
    case QUADOBJ:
    case QMATRIX: return n == 3;
    default: return true;
    }
}

static bool fixed_fits(mgc__mps_section section, const char *card, char *const f[], unsigned n)
{
    static const unsigned char gaps[] = {0, 3, 12, 13, 22, 23, 36, 37, 38, 47, 48};
    double v;

    for (size_t i = 0; i < MGC__COUNT(gaps); i++)
        if (card[gaps[i]] != ' ') return false;
    if (section == ROWS) return n >= 2;
    return n < 4 || (f[3][0] == '\'' || parse_number(f[3], &v));
}

/* Whether `word` is a name that has been read, so that no comment begins with it. */
static bool is_name(const mgc__mps *r, const char *word)
{
    return mgc__names_find(&r->rows, word) != UINT32_MAX || mgc__names_find(&r->columns, word) != UINT32_MAX;
}

/* End the line where a comment begins: at the third word or later.  r: whose names are no comments; NULL: none is. */
static void cut_comment(const mgc__mps *r, char *line)
{
    unsigned word = 0;

    for (char *s = line; *s != '\0'; word++) {
        while (mgc__mps_blank(*s)) s++;
        char *start = s;
        while (*s != '\0' && !mgc__mps_blank(*s)) s++;
        if (*start != '$' || word < 2) continue;
        char after = *s;
        *s = '\0';
        bool name = r != NULL && is_name(r, start);
        *s = after;
        if (name) continue;
        *start = '\0';
        return;
    }
}

/* The same of a card in place: columns 15 and 40 are where fields 3 and 5 begin. */
static void cut_card(char *card)
{
    if (card[14] == '$') memset(card + 14, ' ', CARD - 14);
    else if (card[39] == '$') memset(card + 39, ' ', CARD - 39);
}

/* A line of the text as a card: blank-filled, NUL at its end. */
static void make_card(char card[CARD + 1], const char *line, size_t len)
{
    memset(card, ' ', CARD);
    memcpy(card, line, len < CARD ? len : CARD);
    card[CARD] = '\0';
}

/* Free format is read where it explains at least as many lines as the fixed one: only names with blanks in them
 * make the difference. */
bool mgc__mps_looks_fixed(mgc__mps *r)
{
    uint64_t misfit_free = 0, misfit_fixed = 0;
    mgc__mps_section section = NONE;
    const char *line;
    size_t len;

    while (mgc__mps_next_line(r, &line, &len)) {
        char card[CARD + 1], copy[CARD + 1], *f[FIELDS_MAX] = {0};
        bool comment = len > CARD && (line[14] == '$' || line[39] == '$');
        if (len > CARD && !comment) {
            misfit_fixed++;
            continue;
        }
        if (comment) len = CARD;
        memcpy(copy, line, len);
        copy[len] = '\0';
        cut_comment(NULL, copy);
        unsigned n = split_free(copy, f);
        if (!mgc__mps_blank(line[0])) {
            section = n > 0 ? mgc__mps_find_section(f[0]) : NONE; /* a byte 0 in front */
            continue;
        }
        misfit_free += n > FIELDS_MAX || !free_fits(section, f, n);
        make_card(card, line, len);
        cut_card(card);
        char cut[CARD + 1];
        memcpy(cut, card, sizeof cut);
        n = split_fixed(cut, f);
        misfit_fixed += !fixed_fits(section, card, f, n);
    }
    r->pos = r->begin;
    r->line = 0;
    return misfit_fixed < misfit_free;
}

static bool has_marker(const char *line, size_t len)
{
    static const char word[] = "'MARKER'";

    for (size_t i = 0; i + sizeof word - 1 <= len; i++)
        if (memcmp(line + i, word, sizeof word - 1) == 0) return true;
    return false;
}

/* Cut the line into r->field. */
mgc_status mgc__mps_take_line(mgc__mps *r, const char *line, size_t len)
{
    if (len > LINE_MAX_BYTES) return mgc__mps_bad(r, MGC_E_LIMIT, "the line is longer than %d bytes", LINE_MAX_BYTES);
    if (memchr(line, '\0', len) != NULL)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "the line holds a byte 0; this is not an MPS text");
    r->header = !mgc__mps_blank(line[0]);
    /* Files differ in where markers stand; they hold no names with blanks. */
    bool marker = r->section == COLUMNS && len > 8 && has_marker(line, len);
    r->loose = !r->fixed || r->header || marker || r->section == OBJSENSE || r->section == OBJNAME;
    if (!r->loose) {
        make_card(r->buffer, line, len);
        r->fields = split_fixed(r->buffer, r->field);
        for (unsigned f = 2; f < r->fields && f <= 4; f += 2)
            if (r->field[f][0] == '$' && !is_name(r, r->field[f])) r->fields = f;
        while (r->fields > 0 && r->field[r->fields - 1][0] == '\0') r->fields--;
    } else {
        memcpy(r->buffer, line, len);
        r->buffer[len] = '\0';
        if (!r->header) cut_comment(r, r->buffer);
        r->fields = split_free(r->buffer, r->field);
    }
    if (r->header && r->fields > FIELDS_MAX) r->fields = FIELDS_MAX; /* the name may have any number of words */
    if (r->fields > FIELDS_MAX) return mgc__mps_bad(r, MGC_E_SYNTAX, "more than %d fields", FIELDS_MAX);
    for (unsigned f = 0; f < r->fields; f++)
        if (strlen(r->field[f]) > PROGRAM_NAME_MAX)
            return mgc__mps_bad(r, MGC_E_LIMIT, "\"%.20s...\" is longer than %d bytes", r->field[f], PROGRAM_NAME_MAX);
    return MGC_OK;
}

mgc_status mgc__mps_number(mgc__mps *r, const char *text, double *value)
{
    if (parse_number(text, value)) return MGC_OK;
    return mgc__mps_bad(r, MGC_E_SYNTAX, "\"%s\" is not a finite number", text);
}

mgc_status mgc__mps_unknown_section(mgc__mps *r, const char *word)
{
    const char *words[MGC__COUNT(SECTIONS)];

    for (size_t i = 0; i < MGC__COUNT(SECTIONS); i++) words[i] = SECTIONS[i].word;
    const char *near = mgc__nearest(word, words, MGC__COUNT(words));
    return mgc__mps_bad(r, MGC_E_SYNTAX, "there is no section \"%.40s\"%s%s%s", word,
                        near != NULL ? "; did you mean " : "",
               near != NULL ? near : "", near != NULL ? "?" : "");
}
