/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, progress, failures, files. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "sim.h"

uint64_t now_ms(void *user)
{
    struct timespec t;

    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

const char *fixed(double x, int decimals)
{
    static char texts[8][40];
    static unsigned turn;
    char *text = texts[turn++ % 8];

    snprintf(text, sizeof texts[0], "%.*f", decimals, fabs(x) < 0.5 * pow(10, -decimals) ? 0.0 : x);
    for (char *c = text; *c != '\0'; c++)
        if (*c == ',') *c = '.';
    return text;
}

/* --- failures ---------------------------------------------------------------------------------- */

int exit_of_status(mgc_status status)
{
    switch (status) {
    case MGC_OK: return EXIT_DONE;
    case MGC_E_STOPPED: return EXIT_INTERRUPTED;
    case MGC_E_IO: return EXIT_IO;
    case MGC_E_LOCKED: return EXIT_IO;
    case MGC_E_CASE: case MGC_E_SYNTAX: case MGC_E_UNSUPPORTED: case MGC_E_RANGE: case MGC_E_UNKNOWN_KEY: case MGC_E_WRONG_LENGTH:
    case MGC_E_FREE_MONEY: case MGC_E_PROBABILITY: case MGC_E_NOT_CONVEX: case MGC_E_NOT_FOUND: case MGC_E_LIMIT: return EXIT_INPUT;
    case MGC_E_MESSAGE: return EXIT_PEER;
    default: return status <= -600 && status > -1300 ? EXIT_VERIFY : EXIT_INTERNAL;
    }
}

int failed(sim *s, mgc_status status, const char *what)
{
    const char *text = mgc_ctx_error(s->ctx);

    if (status == MGC_E_STOPPED && mgc_ctx_cancelled(s->ctx)) return EXIT_INTERRUPTED; /* who asked knows why */
    fprintf(stderr, "mgchain-sim: %s: %s (%s)\n", what, text[0] != '\0' ? text : mgc_status_text(status), mgc_status_name(status));
    return exit_of_status(status);
}

int exit_of_outcome(sim *s, uint32_t outcome)
{
    if (mgc_ctx_cancelled(s->ctx)) return EXIT_INTERRUPTED;
    switch (outcome) {
    case MGC_OUTCOME_OPTIMAL: return EXIT_DONE;
    case MGC_OUTCOME_INFEASIBLE: case MGC_OUTCOME_UNBOUNDED: return EXIT_INFEASIBLE;
    case MGC_OUTCOME_LIMIT: case MGC_OUTCOME_CANCELLED: case MGC_OUTCOME_NUMERICAL: return EXIT_LIMIT;
    default: return EXIT_INTERNAL;
    }
}

/* --- progress ------------------------------------------------------------------------------------ */

enum { REDRAW_MS = 100, BAR_WIDTH = 24 };

/* Can a terminal of this locale show more than ASCII? */
static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && (value == NULL || *value == '\0'); i++) value = getenv(names[i]);
    return value != NULL && (strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL);
}

void progress_setup(sim *s)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term != NULL && strcmp(term, "dumb") == 0, terminal = isatty(STDERR_FILENO) == 1 && !dumb;

    s->show.none = strcmp(s->progress, "none") == 0;
    s->show.json = strcmp(s->progress, "json") == 0;
    s->show.bar = strcmp(s->progress, "auto") == 0 && terminal;
    s->show.color = isatty(STDOUT_FILENO) == 1 && (no_color == NULL || *no_color == '\0') && !dumb;
    s->show.full = speaks_utf8() ? "█" : "#";
    s->show.empty = speaks_utf8() ? "░" : ".";
}

const char *mark_of(const sim *s, bool ok)
{
    if (!s->show.color) return ok ? "ok  " : "FAIL";
    return ok ? "\033[32mok\033[0m  " : "\033[1;31mFAIL\033[0m";
}

double fraction_to(double value, double target)
{
    if (!(value > 0) || !(target > 0) || target >= 1) return -1;
    return fmin(1, fmax(0, log(value) / log(target)));
}

static void clear_line(const sim *s)
{
    if (s->show.bar) fputs("\r\033[K", stderr);
}

void phase_begin(sim *s, const char *name)
{
    s->show.phase = name;
    s->show.begun_ms = now_ms(NULL);
    s->show.drawn_ms = 0;
    if (s->show.json) fprintf(stderr, "{\"phase\":\"%s\",\"state\":\"begin\"}\n", name);
    phase_step(s, -1, "");
}

void phase_step(sim *s, double fraction, const char *text)
{
    uint64_t now = now_ms(NULL);

    if (!s->show.bar || now - s->show.drawn_ms < REDRAW_MS) return;
    s->show.drawn_ms = now;
    clear_line(s);
    fprintf(stderr, "%-12s ", s->show.phase);
    if (fraction >= 0) {
        int full = (int)(fmin(fraction, 1) * BAR_WIDTH);
        for (int i = 0; i < BAR_WIDTH; i++) fputs(i < full ? s->show.full : s->show.empty, stderr);
    }
    double elapsed = (double)(now - s->show.begun_ms) / 1000;
    fprintf(stderr, " %s  %s s", text, fixed(elapsed, 1));
    if (fraction > 0.05 && fraction < 1 && elapsed > 1) fprintf(stderr, ", about %s s left", fixed(elapsed * (1 - fraction) / fraction, 0));
    fflush(stderr);
}

double phase_end(sim *s)
{
    double seconds = (double)(now_ms(NULL) - s->show.begun_ms) / 1000;

    clear_line(s);
    size_t k = 0;
    while (k < s->n_phases && strcmp(s->phases[k].name, s->show.phase) != 0) k++;
    if (k < PHASES_MAX) {
        s->phases[k].name = s->show.phase;
        s->phases[k].seconds += seconds;
        s->n_phases += k == s->n_phases;
    }
    if (s->show.json) fprintf(stderr, "{\"phase\":\"%s\",\"state\":\"end\",\"seconds\":%s}\n", s->show.phase, fixed(seconds, 3));
    else if (!s->show.none) fprintf(stderr, "%-12s %8s s\n", s->show.phase, fixed(seconds, 2));
    return seconds;
}

void phase_drop(sim *s)
{
    clear_line(s);
    if (s->show.json) fprintf(stderr, "{\"phase\":\"%s\",\"state\":\"failed\"}\n", s->show.phase);
    s->show.phase = NULL;
}

void print_phases(const sim *s)
{
    double total = 0;

    if (s->json) return;
    printf("seconds:");
    for (size_t i = 0; i < s->n_phases; i++) {
        printf(" %s %s ·", s->phases[i].name, fixed(s->phases[i].seconds, 2));
        total += s->phases[i].seconds;
    }
    printf(" in all %s\n", fixed(total, 2));
}

/* --- files ------------------------------------------------------------------------------------------ */

static int make_one(const char *path)
{
    struct stat there;

    if (mkdir(path, 0777) == 0) return 0;
    if (errno != EEXIST) return -1;
    if (stat(path, &there) != 0) return -1;
    errno = ENOTDIR;
    return S_ISDIR(there.st_mode) ? 0 : -1;
}

int make_folder(const char *path)
{
    char part[1024];

    snprintf(part, sizeof part, "%s", path);
    for (char *c = part + 1; *c != '\0'; c++) {
        if (*c != '/') continue;
        *c = '\0';
        if (make_one(part) != 0) return -1;
        *c = '/';
    }
    return make_one(part);
}

enum { FILE_BYTES_MAX = 1 << 30 }; /* far above every published program; a wrong path ends here, not in swap */

char *read_file(sim *s, const char *path, size_t *len)
{
    gzFile file = gzopen(path, "rb"); /* plain files pass through */
    char *bytes = NULL;
    size_t cap = 0;
    int got;

    (void)s;
    *len = 0;
    if (file == NULL) {
        fprintf(stderr, "mgchain-sim: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    do {
        if (*len == cap) {
            cap = cap == 0 ? 1 << 16 : cap * 2;
            char *grown = cap <= FILE_BYTES_MAX ? realloc(bytes, cap) : NULL;
            if (grown == NULL) {
                fprintf(stderr, "mgchain-sim: %s: too large\n", path);
                goto fail;
            }
            bytes = grown;
        }
        got = gzread(file, bytes + *len, (unsigned)(cap - *len));
        if (got > 0) *len += (size_t)got;
    } while (got > 0);
    if (got < 0) {
        const char *text = gzerror(file, &got); /* begins with the path where zlib knows it */
        size_t named = strlen(path);
        if (strncmp(text, path, named) == 0 && strncmp(text + named, ": ", 2) == 0) text += named + 2;
        fprintf(stderr, "mgchain-sim: %s: %s\n", path, text);
        goto fail;
    }
    gzclose(file);
    return bytes;

fail:
    gzclose(file);
    free(bytes);
    return NULL;
}
