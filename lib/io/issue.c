/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of the input, collected: one line each, in the order of the file. */
#include <stdlib.h>

#include "io/case.h"

enum { SHOW_MAX = 48, SUGGEST_MAX = 12 };

void *mgc__take(mgc__loader *l, size_t n, size_t size)
{
    void *block = mgc__arena_alloc(&l->arena, n, size);

    if (block == NULL && l->status == MGC_OK) l->status = mgc__io_no_memory(l->ctx, "reading the case");
    return block;
}

char *mgc__take_text(mgc__loader *l, const char *text, size_t len)
{
    char *copy = mgc__arena_copy(&l->arena, text, len);

    if (copy == NULL && l->status == MGC_OK) l->status = mgc__io_no_memory(l->ctx, "reading the case");
    return copy;
}

/* A text that the loader collected, moved to its arena; "" where memory ran out. */
static const char *finish(mgc__loader *l, mgc__text *text)
{
    const char *copy = NULL;

    if (!text->failed) copy = mgc__take_text(l, text->bytes != NULL ? text->bytes : "", text->len);
    else if (l->status == MGC_OK) l->status = mgc__io_no_memory(l->ctx, "a message");
    mgc__text_free(text);
    return copy != NULL ? copy : "";
}

static void put_shown(mgc__text *text, const char *s)
{
    size_t n = 0;

    for (; *s != '\0' && n < SHOW_MAX; s++, n++) {
        unsigned char c = (unsigned char)*s;
        mgc__text_put(text, c < 0x20 || c == 0x7f ? "?" : s, 1);
    }
    while (((unsigned char)*s & 0xc0) == 0x80) mgc__text_put(text, s++, 1); /* not in the middle of a character */
    if (*s != '\0') mgc__text_add(text, "...");
}

const char *mgc__show(mgc__loader *l, const char *text)
{
    mgc__text shown = {.ctx = l->ctx};

    put_shown(&shown, text);
    return finish(l, &shown);
}

const char *mgc__show_number(mgc__loader *l, double x)
{
    char text[MGC_NUMBER_TEXT];
    const char *copy = mgc__take_text(l, text, mgc_number_format(x, text));

    return copy != NULL ? copy : "";
}

const char *mgc__suggest(mgc__loader *l, const char *word, const char *const *words, size_t n)
{
    mgc__text text = {.ctx = l->ctx};
    const char *nearest = mgc_word_nearest(word, words, n);

    if (nearest != NULL && *nearest != '\0') {
        mgc__text_printf(&text, "did you mean \"%s\"?", nearest);
    } else if (n == 0) {
        mgc__text_add(&text, "there is none");
    } else {
        mgc__text_add(&text, "allowed: ");
        for (size_t i = 0; i < n && i < SUGGEST_MAX; i++)
            mgc__text_printf(&text, "%s%s", i > 0 ? ", " : "", words[i]);
        if (n > SUGGEST_MAX) mgc__text_printf(&text, " and %zu more", n - SUGGEST_MAX);
    }
    return finish(l, &text);
}

const char *mgc__joined(mgc__loader *l, const char *first, const char *second)
{
    mgc__text text = {.ctx = l->ctx};

    mgc__text_printf(&text, "%s %s", first, second);
    return finish(l, &text);
}

static void put_path(mgc__text *text, const mgc__at *at)
{
    if (at == NULL) return;
    put_path(text, at->parent);
    if (at->name == NULL) {
        mgc__text_printf(text, "[%zu]", at->index);
        return;
    }
    if (text->len > 0) mgc__text_put(text, ".", 1);
    put_shown(text, at->name);
}

const char *mgc__path(mgc__loader *l, const mgc__at *at)
{
    mgc__text text = {.ctx = l->ctx};

    put_path(&text, at);
    return finish(l, &text);
}

/* --- keeping ---------------------------------------------------------------------------------------------------- */

/* The same fault seen twice is told once: a bad field of a series file that two devices use, whatever their paths. */
static bool known(const mgc__loader *l, mgc__mark mark, const char *path, const char *message)
{
    bool in_case = strcmp(mark.file, l->file) == 0;

    for (size_t i = 0; i < l->kase->issues; i++) {
        const mgc__issue_record *issue = &l->kase->issue[i];
        if (issue->line == mark.line && issue->column == mark.column && strcmp(issue->file, mark.file) == 0 &&
            strcmp(issue->message, message) == 0 && (!in_case || strcmp(issue->path, path) == 0))
            return true;
    }
    return false;
}

static const char *issue_line(mgc_case *kase, const mgc__issue_record *issue)
{
    mgc__text text = {.ctx = kase->ctx};

    mgc__text_add(&text, issue->file);
    if (issue->line > 0) mgc__text_printf(&text, ":%u", issue->line);
    if (issue->column > 0) mgc__text_printf(&text, ":%u", issue->column);
    mgc__text_add(&text, ": ");
    if (issue->severity == MGC_ISSUE_WARNING) mgc__text_add(&text, "warning: ");
    if (*issue->path != '\0') mgc__text_printf(&text, "%s: ", issue->path);
    mgc__text_add(&text, issue->message);
    if (*issue->hint != '\0') mgc__text_printf(&text, "; %s", issue->hint);
    const char *line = text.failed ? NULL : mgc__arena_copy(&kase->arena, text.bytes, text.len);
    mgc__text_free(&text);
    return line;
}

static void keep(mgc__loader *l, mgc__mark mark, const char *path, uint32_t severity, const char *format,
                 va_list args)
{
    mgc_case *kase = l->kase;
    mgc__text text = {.ctx = l->ctx};

    if (l->status != MGC_OK) return;
    mgc__text_vprintf(&text, format, args);
    if (text.failed) {
        l->status = mgc__io_no_memory(l->ctx, "a message");
        mgc__text_free(&text);
        return;
    }
    char *tab = strchr(text.bytes, '\t');
    if (tab != NULL) *tab = '\0';
    bool again = known(l, mark, path, text.bytes);
    if (!again && kase->issues >= MGC_CASE_ISSUES_MAX) kase->dropped++;
    if (!again && kase->issues < MGC_CASE_ISSUES_MAX) {
        mgc__issue_record issue = {.file = mark.file, .severity = severity, .line = mark.line, .column = mark.column};
        issue.order = (uint32_t)kase->issues;
        issue.path = mgc__arena_copy(&kase->arena, path, strlen(path));
        issue.message = mgc__arena_copy(&kase->arena, text.bytes, strlen(text.bytes));
        issue.hint = tab != NULL ? mgc__arena_copy(&kase->arena, tab + 1, strlen(tab + 1)) : "";
        if (issue.path != NULL && issue.message != NULL && issue.hint != NULL) issue.text = issue_line(kase, &issue);
        if (issue.text == NULL ||
            !mgc__io_grow(l->ctx, (void **)&kase->issue, &kase->cap_issues, kase->issues + 1, sizeof *kase->issue))
            l->status = mgc__io_no_memory(l->ctx, "a message");
        else kase->issue[kase->issues++] = issue;
    }
    mgc__text_free(&text);
}

void mgc__issue(mgc__loader *l, mgc__mark mark, const mgc__at *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(l, mark, mgc__path(l, at), MGC_ISSUE_ERROR, format, args);
    va_end(args);
}

void mgc__issue_path(mgc__loader *l, mgc__mark mark, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(l, mark, path, MGC_ISSUE_ERROR, format, args);
    va_end(args);
}

void mgc__warning(mgc__loader *l, mgc__mark mark, const mgc__at *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(l, mark, mgc__path(l, at), MGC_ISSUE_WARNING, format, args);
    va_end(args);
}

bool mgc__issue_under(const mgc_case *kase, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < kase->issues; i++) {
        const char *other = kase->issue[i].path;
        if (kase->issue[i].severity != MGC_ISSUE_ERROR || strncmp(other, path, len) != 0) continue;
        if (len == 0 || other[len] == '\0' || other[len] == '.' || other[len] == '[') return true;
    }
    return false;
}

size_t mgc__issue_errors(const mgc_case *kase)
{
    size_t errors = kase->dropped;

    for (size_t i = 0; i < kase->issues; i++) errors += kase->issue[i].severity == MGC_ISSUE_ERROR;
    return errors;
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

uint32_t mgc_case_issues(const mgc_case *kase)
{
    return kase != NULL ? (uint32_t)kase->issues : 0;
}

mgc_status mgc_case_issue_get(const mgc_case *kase, uint32_t index, mgc_case_issue *issue)
{
    if (kase == NULL || issue == NULL) return MGC_E_INVALID_ARG;
    if (index >= kase->issues) return MGC_E_NOT_FOUND;
    const mgc__issue_record *r = &kase->issue[index];
    mgc_case_issue full = {.struct_size = sizeof full,
                           .file = r->file,
                           .path = r->path,
                           .message = r->message,
                           .hint = r->hint,
                           .severity = r->severity,
                           .line = r->line,
                           .column = r->column};
    return mgc_struct_write(issue, &full, sizeof full, MGC__FIRST_SIZE(mgc_case_issue, reserved0));
}

const char *mgc_case_issue_text(const mgc_case *kase, uint32_t index)
{
    return kase != NULL && index < kase->issues ? kase->issue[index].text : NULL;
}
