/* SPDX-License-Identifier: Apache-2.0 */
/* Series files: one header, one row a period.  Comma, semicolon or tab; with semicolon or tab a decimal comma is
 * understood. Byte order marks, CRLF, quoted fields and gzip are what users have; none of them is an error. */
#include <math.h>

#include "io/case.h"
#include "io/file.h"
#include "io/utf8.h"

enum { FIELD_MAX = 256 };

/* --- fields ----------------------------------------------------------------------------------------------------- */

struct scan {
    mgc__loader *l;
    mgc__csv *csv;
    const char *path;
    size_t pos;
    uint32_t line;
    size_t cap_start, cap_line, starts;
};

static mgc__mark line_mark(const mgc__csv *csv, uint32_t line)
{
    return (mgc__mark){csv->shown, line, 0};
}

/* Past a quoted text whose opening quote is at pos.  false: it never ends; told. */
static bool skip_quoted(struct scan *s)
{
    const mgc__csv *csv = s->csv;
    uint32_t began = s->line;

    for (s->pos++; s->pos < csv->len; s->pos++) {
        if (csv->bytes[s->pos] == '\n') s->line++;
        if (csv->bytes[s->pos] != '"') continue;
        s->pos++;
        if (s->pos >= csv->len || csv->bytes[s->pos] != '"') return true; /* a doubled one goes on */
    }
    mgc__issue_path(s->l, line_mark(csv, began), s->path, "a quoted field begins here and never ends");
    return false;
}

/* Past a field; pos is then at its separator or the line's end.  false: told. */
static bool skip_field(struct scan *s)
{
    const mgc__csv *csv = s->csv;

    while (s->pos < csv->len && csv->bytes[s->pos] == ' ') s->pos++;
    bool quoted = s->pos < csv->len && csv->bytes[s->pos] == '"';
    if (quoted && !skip_quoted(s)) return false;
    for (; s->pos < csv->len; s->pos++) {
        char c = csv->bytes[s->pos];
        if (c == csv->separator || c == '\n') break;
        if (c != '"' && (!quoted || c == ' ' || c == '\r')) continue;
        mgc__issue_path(s->l, line_mark(csv, s->line), s->path, "%s\tdouble every quote inside a quoted field",
                        quoted ? "something follows the closing quote of a field"
                               : "a quote stands in the middle of a field");
        return false;
    }
    return true;
}

/* Where the fields of one row begin, and where a further one would; the number of fields,
 * 0 where an issue was told. */
static size_t scan_row(struct scan *s)
{
    mgc__csv *csv = s->csv;

    for (size_t n = 1;; n++) {
        if (s->starts + 2 > MGC_CSV_FIELDS_MAX || n > MGC_CSV_COLUMNS_MAX) {
            mgc__issue_path(s->l, line_mark(csv, s->line), s->path,
                            "more fields than a series file may have (%d in all, %d a row)", MGC_CSV_FIELDS_MAX,
                            MGC_CSV_COLUMNS_MAX);
            return 0;
        }
        if (!mgc__io_grow(s->l->ctx, (void **)&csv->start, &s->cap_start, s->starts + 2, sizeof *csv->start)) {
            s->l->status = mgc__io_no_memory(s->l->ctx, "a series file");
            return 0;
        }
        csv->start[s->starts++] = (uint32_t)s->pos;
        if (!skip_field(s)) return 0;
        if (s->pos < csv->len && csv->bytes[s->pos] == csv->separator) {
            s->pos++;
            continue;
        }
        csv->start[s->starts++] = (uint32_t)s->pos + 1; /* as if a separator stood at the line's end */
        if (s->pos < csv->len) s->pos++;
        s->line++;
        return n;
    }
}

/* Only white space from here to the end of the file? */
static bool only_blanks(const struct scan *s)
{
    return s->pos >= s->csv->len || s->pos + strspn(s->csv->bytes + s->pos, " \t\r\n") >= s->csv->len;
}

/* Text of a field without quotes and blanks around it, cut at FIELD_MAX - 1 bytes. */
static void field_text(const mgc__csv *csv, const uint32_t *start, char text[FIELD_MAX])
{
    const char *from = csv->bytes + start[0], *to = csv->bytes + start[1] - 1;
    size_t n = 0;

    if (to > csv->bytes + csv->len) to = csv->bytes + csv->len;
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r')) to--;
    bool quoted = to - from >= 2 && *from == '"' && to[-1] == '"';
    if (quoted) {
        from++;
        to--;
    }
    for (; from < to && n + 1 < FIELD_MAX; from++) {
        text[n++] = *from;
        if (quoted && *from == '"') from++; /* the second of a doubled one */
    }
    text[n] = '\0';
    if (!quoted) return;
    while (n > 0 && text[n - 1] == ' ') text[--n] = '\0';
    size_t blanks = strspn(text, " ");
    memmove(text, text + blanks, n - blanks + 1);
}

/* --- the file --------------------------------------------------------------------------------------------------- */

/* Semicolon before tab before comma, as found outside quotes in the first line. */
static char find_separator(const char *bytes, size_t len)
{
    bool quoted = false, semicolon = false, tab = false;

    for (size_t i = 0; i < len && (quoted || bytes[i] != '\n'); i++) {
        if (bytes[i] == '"') quoted = !quoted;
        else if (!quoted && bytes[i] == ';') semicolon = true;
        else if (!quoted && bytes[i] == '\t') tab = true;
    }
    return semicolon ? ';' : tab ? '\t' : ',';
}

static bool read_header(struct scan *s)
{
    mgc__csv *csv = s->csv;
    char text[FIELD_MAX];
    size_t numbers = 0;

    csv->header_line = s->line;
    csv->columns = scan_row(s);
    if (csv->columns == 0) return false;
    csv->header = mgc__take(s->l, csv->columns, sizeof *csv->header);
    for (size_t j = 0; j < csv->columns && csv->header != NULL; j++) {
        bool leading_zero = false;
        const char *end;
        field_text(csv, csv->start + j, text);
        (void)mgc_number_parse(text, &end);
        numbers += end != text && *end == '\0' && !leading_zero;
        csv->header[j] = mgc__take_text(s->l, text, strlen(text));
        if (csv->header[j] == NULL) return false;
    }
    if (csv->header == NULL) return false;
    if (numbers == csv->columns) {
        mgc__issue_path(s->l, line_mark(csv, s->line - 1), s->path,
                        "the first row holds numbers\tit must hold the names of the columns");
        return false;
    }
    csv->time_column = SIZE_MAX;
    for (size_t j = 0; j < csv->columns; j++)
        if (strcmp(csv->header[j], "time_utc") == 0) csv->time_column = j;
    s->starts = 0;
    return true;
}

static bool read_rows(struct scan *s)
{
    mgc__csv *csv = s->csv;

    while (!only_blanks(s)) {
        uint32_t line = s->line;
        if (csv->bytes[s->pos] == '\n' || (csv->bytes[s->pos] == '\r' && csv->bytes[s->pos + 1] == '\n')) {
            mgc__issue_path(s->l, line_mark(csv, line), s->path, "an empty line between the rows\tdelete it");
            return false;
        }
        size_t n = scan_row(s);
        if (n == 0) return false;
        if (n != csv->columns) {
            mgc__issue_path(
                s->l, line_mark(csv, line), s->path, "the row has %zu fields; the header has %zu%s", n, csv->columns,
                csv->separator == ',' && n > csv->columns ? "\ta decimal comma needs semicolons between the fields"
                                                          : "");
            return false;
        }
        if (!mgc__io_grow(s->l->ctx, (void **)&csv->line, &s->cap_line, csv->rows + 1, sizeof *csv->line)) {
            s->l->status = mgc__io_no_memory(s->l->ctx, "a series file");
            return false;
        }
        csv->line[csv->rows++] = line;
    }
    return true;
}

/* true, and told with its place: a byte that is no text in UTF-8. */
static bool tell_no_text(mgc__loader *l, const mgc__csv *csv, const char *path)
{
    size_t whole = mgc__io_utf8_prefix(csv->bytes, csv->len);
    const char *nul = memchr(csv->bytes, '\0', whole);
    size_t bad = nul != NULL ? (size_t)(nul - csv->bytes) : whole;
    mgc__mark mark = {csv->shown, 0, 0};

    if (bad == csv->len) return false;
    mgc__io_utf8_place(csv->bytes, bad, &mark.line, &mark.column);
    mgc__issue_path(l, mark, path, "the byte 0x%02x is no text in UTF-8\tsave the file as UTF-8",
                    (unsigned char)csv->bytes[bad]);
    return true;
}

/* Lines that end in CR alone, as some spreadsheets still write them, end in LF from here on. */
static void end_lines(mgc__csv *csv)
{
    if (memchr(csv->bytes, '\n', csv->len) != NULL) return;
    for (char *c = csv->bytes; (c = memchr(c, '\r', csv->len - (size_t)(c - csv->bytes))) != NULL; c++) *c = '\n';
}

/* "sep=;", a line that a spreadsheet puts before the header: what it says is seen in the header, too. */
static size_t skip_separator_line(struct scan *s)
{
    const char *text = s->csv->bytes + s->pos;

    if (strncmp(text, "sep=", 4) != 0 || text[4] == '\0') return 0;
    size_t end = 5 + (text[5] == '\r');
    if (text[end] != '\n') return 0;
    s->line++;
    return end + 1;
}

static void parse(mgc__loader *l, mgc__csv *csv, const char *path)
{
    struct scan s = {.l = l, .csv = csv, .path = path, .line = 1};

    if (csv->len >= 3 && memcmp(csv->bytes, "\xef\xbb\xbf", 3) == 0) s.pos = 3;
    if (csv->len >= 2 && (memcmp(csv->bytes, "\xff\xfe", 2) == 0 || memcmp(csv->bytes, "\xfe\xff", 2) == 0)) {
        mgc__issue_path(l, line_mark(csv, 1), path, "the file is UTF-16\tsave it as UTF-8");
        return;
    }
    if (tell_no_text(l, csv, path)) return;
    end_lines(csv);
    s.pos += skip_separator_line(&s);
    if (only_blanks(&s)) {
        mgc__issue_path(l, line_mark(csv, 0), path, "the file is empty");
        return;
    }
    csv->separator = find_separator(csv->bytes + s.pos, csv->len - s.pos);
    csv->usable = read_header(&s) && read_rows(&s);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

/* The bytes of a file, decompressed, into csv->bytes.  What the host lent is copied: it
 * may be compressed or go away. */
static mgc_status fetch(mgc__loader *l, mgc__csv *csv, const char *name, const char **why)
{
    const uint8_t *lent = NULL;
    char *own = NULL;
    size_t len = 0;
    mgc_status status;

    *why = "";
    if (l->opts.open != NULL) {
        int32_t answer = l->opts.open(l->opts.user, name, &lent, &len);
        status = answer == MGC_CB_DONE ? (lent != NULL || len == 0 ? MGC_OK : MGC_E_CALLBACK)
                 : answer < 0          ? answer
                                       : MGC_E_CALLBACK;
        *why = mgc_status_text(status);
        if (status == MGC_OK && len > MGC_CSV_BYTES_MAX) status = MGC_E_TOO_LARGE;
    } else {
        status = mgc__file_read(l->ctx, name, MGC_CSV_BYTES_MAX, &own, &len, why);
        lent = (const uint8_t *)own;
    }
    if (status == MGC_OK && mgc__is_gzip(lent, len)) {
        status = mgc__gunzip(l->ctx, lent, len, MGC_CSV_BYTES_MAX, &csv->bytes, &csv->len);
        *why =
            status == MGC_E_TOO_LARGE ? "it is too large when decompressed" : "its gzip stream is damaged or cut off";
    } else if (status == MGC_OK && own != NULL) {
        csv->bytes = own;
        csv->len = len;
        own = NULL;
    } else if (status == MGC_OK) {
        csv->bytes = mgc__io_alloc(l->ctx, len + 1, 1);
        if (csv->bytes == NULL) status = MGC_E_NO_MEMORY;
        else if (len > 0) memcpy(csv->bytes, lent, len);
        csv->len = len;
    }
    if (l->opts.open != NULL && lent != NULL && l->opts.close != NULL) l->opts.close(l->opts.user, lent, len);
    mgc_ctx_release(l->ctx, own);
    return status;
}

static const char *full_name(mgc__loader *l, const char *name)
{
    const char *base = l->opts.base_dir;

    if (base == NULL || *base == '\0' || name[0] == '/') return mgc__take_text(l, name, strlen(name));
    size_t n = strlen(base), m = strlen(name);
    char *full = mgc__take(l, n + m + 2, 1);
    if (full == NULL) return NULL;
    memcpy(full, base, n);
    if (n > 0 && base[n - 1] != '/') full[n++] = '/';
    memcpy(full + n, name, m);
    return full;
}

mgc__csv *mgc__csv_open(mgc__loader *l, const mgc__at *at, const mgc__node *node)
{
    const char *name, *why;

    if (!mgc__read_text(l, at, node, &name)) return NULL;
    for (mgc__csv *csv = l->csvs; csv != NULL; csv = csv->next)
        if (strcmp(csv->name, name) == 0) return csv->usable ? csv : NULL;
    mgc__csv *csv = mgc__take(l, 1, sizeof *csv);
    const char *full = full_name(l, name);
    if (csv == NULL || full == NULL) return NULL;
    csv->name = name;
    csv->shown = mgc__arena_copy(&l->kase->arena, full, strlen(full));
    csv->next = l->csvs;
    l->csvs = csv;
    mgc_status status = csv->shown != NULL ? fetch(l, csv, full, &why) : MGC_E_NO_MEMORY;
    if (status == MGC_E_NO_MEMORY) l->status = mgc__io_no_memory(l->ctx, "a series file");
    else if (status != MGC_OK)
        mgc__issue(l, mgc__mark_of(l, node), at,
                   "the file %s cannot be read: %s\tnames are relative to the case file's folder", mgc__show(l, full),
                   why);
    else parse(l, csv, mgc__path(l, at));
    return csv->usable ? csv : NULL;
}

void mgc__csv_free(mgc__loader *l)
{
    for (mgc__csv *csv = l->csvs; csv != NULL; csv = csv->next) {
        mgc_ctx_release(l->ctx, csv->bytes);
        mgc_ctx_release(l->ctx, csv->start);
        mgc_ctx_release(l->ctx, csv->line);
        mgc_ctx_release(l->ctx, csv->time);
    }
    l->csvs = NULL;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

size_t mgc__csv_column(mgc__loader *l, mgc__csv *csv, const mgc__at *at, const mgc__node *node)
{
    size_t found = SIZE_MAX;
    const char *name;

    if (!mgc__read_text(l, at, node, &name)) return SIZE_MAX;
    for (size_t j = 0; j < csv->columns; j++) {
        if (strcmp(csv->header[j], name) != 0) continue;
        if (found != SIZE_MAX) {
            mgc__issue_path(l, line_mark(csv, csv->header_line), mgc__path(l, at),
                            "the column \"%s\" is there twice\trename one of the two", mgc__show(l, name));
            return SIZE_MAX;
        }
        found = j;
    }
    if (found == SIZE_MAX)
        mgc__issue(l, mgc__mark_of(l, node), at, "%s has no column \"%s\"\t%s", mgc__show(l, csv->name),
                   mgc__show(l, name), mgc__suggest(l, name, csv->header, csv->columns));
    return found;
}

static const uint32_t *field(const mgc__csv *csv, size_t row, size_t column)
{
    return csv->start + row * (csv->columns + 1) + column;
}

mgc__mark mgc__csv_mark(const mgc__csv *csv, size_t row, size_t column)
{
    const char *from = csv->bytes + *field(csv, row, 0), *to = csv->bytes + *field(csv, row, column);
    uint32_t characters = 1;

    for (; from < to; from++) characters += ((unsigned char)*from & 0xc0) != 0x80;
    return (mgc__mark){csv->shown, csv->line[row], characters};
}

/* A decimal comma becomes a point where the file's separator leaves no doubt. */
static const char *to_point(mgc__csv *csv, char text[FIELD_MAX])
{
    char *comma = strchr(text, ','), *point = strchr(text, '.');
    char used = comma != NULL ? ',' : point != NULL ? '.' : '\0';

    if (comma != NULL && point != NULL) return "it has both a comma and a point\tleave thousands separators away";
    if (used == ',' && csv->separator == ',') return "\twith decimal commas, separate the fields by semicolons";
    if (used != '\0' && csv->decimal != '\0' && used != csv->decimal)
        return "the file has decimal commas and decimal points\tuse one of the two";
    if (used != '\0') csv->decimal = used;
    if (comma != NULL) *comma = '.';
    return NULL;
}

bool mgc__csv_number(mgc__loader *l, mgc__csv *csv, const char *path, size_t row, size_t column, double *value)
{
    char text[FIELD_MAX], shown[FIELD_MAX];
    const char *end = text, *why;

    field_text(csv, field(csv, row, column), text);
    memcpy(shown, text, sizeof shown);
    why = to_point(csv, text);
    if (why == NULL) {
        *value = mgc_number_parse(text, &end);
        if (end != text && *end == '\0' && isfinite(*value)) return true;
        why = text[0] == '\0' ? "" : isfinite(*value) ? "" : "\tnumbers must be finite";
    }
    mgc__issue_path(l, mgc__csv_mark(csv, row, column), path, "column \"%s\" must hold a number; found %s%s%s",
                    mgc__show(l, csv->header[column]), text[0] == '\0' ? "nothing" : mgc__show(l, shown),
                    *why != '\0' && *why != '\t' ? ": " : "", why);
    return false;
}

/* Time of a row, or false: told. */
static bool read_time(mgc__loader *l, mgc__csv *csv, const char *path, size_t row, int64_t *time)
{
    char text[FIELD_MAX];

    field_text(csv, field(csv, row, csv->time_column), text);
    if (mgc__time_parse(text, true, time)) return true;
    mgc__issue_path(l, mgc__csv_mark(csv, row, csv->time_column), path,
                    "column \"time_utc\" holds \"%s\"\ttimes look like 2019-07-16T00:00:00Z", mgc__show(l, text));
    return false;
}

bool mgc__csv_times(mgc__loader *l, mgc__csv *csv, const char *path, size_t first, size_t n)
{
    int64_t step = (int64_t)l->period_minutes * 60;

    if (csv->time_column == SIZE_MAX) return true;
    if (csv->time == NULL) {
        csv->time = mgc__io_alloc(l->ctx, csv->rows, sizeof *csv->time);
        if (csv->time == NULL) {
            l->status = mgc__io_no_memory(l->ctx, "times");
            return false;
        }
    }
    for (size_t i = first; i < first + n; i++) {
        if (!read_time(l, csv, path, i, &csv->time[i])) return false;
        if (i == first || csv->time[i] == csv->time[i - 1] + step) continue;
        int64_t minutes = (csv->time[i] - csv->time[i - 1]) / 60;
        mgc__issue_path(l, mgc__csv_mark(csv, i, csv->time_column), path,
                        "time_utc steps by %lld minutes from the row before; the case's periods are %u minutes%s",
                        (long long)minutes, l->period_minutes,
                        minutes == 0 || minutes == 2 * (int64_t)l->period_minutes
                            ? "\ttimes are UTC, which has no daylight saving"
                            : "");
        return false;
    }
    return true;
}
