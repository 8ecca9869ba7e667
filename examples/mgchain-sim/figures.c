/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void figures_begin(figures *f)
{
    memset(f, 0, sizeof *f);
}

static void free_figure(figure_memory *m)
{
    if (m != NULL) free(m->value);
    free(m);
}

void figures_end(figures *f)
{
    for (size_t i = 0; i < FIGURES_MAX; i++) free_figure(f->memory[i]);
    memset(f, 0, sizeof *f);
}

/* Room for a figure; it counts once n is raised.  Values are NAN at first. */
static figure_memory *new_figure(figures *f, size_t rows, size_t points)
{
    figure_memory *m = f->n < FIGURES_MAX ? calloc(1, sizeof *m) : NULL;

    if (m == NULL) return NULL;
    free_figure(f->memory[f->n]); /* of one that had nothing to show */
    f->memory[f->n] = m;
    m->value = calloc(rows * points, sizeof *m->value);
    for (size_t i = 0; m->value != NULL && i < rows * points; i++) m->value[i] = NAN;
    for (size_t i = 0; i < FIGURE_ROWS_MAX; i++) m->names[i] = m->name[i];
    for (size_t i = 0; i < FIGURE_POINTS_MAX; i++) m->labels[i] = m->label[i];
    for (size_t i = 0; i < 8; i++) m->words[i] = m->word[i];
    return m->value != NULL ? m : NULL;
}

/* Index of a text in a list that grows; most when it is full. */
static size_t place_of(char (*list)[FIGURE_TEXT], size_t *n, size_t most, const char *text)
{
    size_t i = 0;

    while (i < *n && strcmp(list[i], text) != 0) i++;
    if (i == *n && *n < most) snprintf(list[(*n)++], FIGURE_TEXT, "%s", text);
    return i;
}

static void clock_label(char label[24], uint64_t ms)
{
    uint64_t minutes = ms / 60000 % 1440;

    snprintf(label, 24, "%02u:%02u", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
}

/* --- agreements, slot by slot --------------------------------------------------------------------------------------- */

typedef struct day_of {
    uint64_t slot_ms, first, periods, start_ms;
} day_of;

static size_t word_of(figure_memory *m, size_t *n, const char *text)
{
    size_t i = 0;

    while (i < *n && strcmp(m->word[i], text) != 0) i++;
    if (i == *n && *n < 8) snprintf(m->word[(*n)++], sizeof m->word[0], "%s", text);
    return i;
}

static mgc_status agreements(book *b, const day_of *day, figures *f)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    size_t n = 0, words = 0;
    mgc_status st = mgc_node_query(b->node, MGC_DAY_REGULATOR, "trades", NULL, &rows);
    figure_memory *m = st == MGC_OK ? new_figure(f, FIGURE_ROWS_MAX, day->periods) : NULL;

    if (st == MGC_OK && m == NULL) st = MGC_E_NO_MEMORY;
    while (st == MGC_OK && mgc_rows_next(rows, &row) == MGC_ROW) {
        char name[FIGURE_TEXT];
        uint64_t slot = (uint64_t)mgc_row_int(row, "slot");
        if (slot < day->first || slot >= day->first + day->periods) continue;
        snprintf(name, sizeof name, "%s → %s%s", mgc_row_text(row, "seller"), mgc_row_text(row, "buyer"),
                 mgc_row_int(row, "carrier") == MGC_CARRIER_HEAT ? ", heat" : "");
        size_t i = place_of(m->name, &n, FIGURE_ROWS_MAX, name);
        if (i < n) m->value[i * day->periods + (slot - day->first)] = (double)word_of(m, &words, mgc_row_text(row, "state"));
    }
    mgc_rows_destroy(rows);
    if (st != MGC_OK || n == 0) return st;
    for (uint64_t i = 0; i < day->periods; i++) clock_label(m->label[i], day->start_ms + i * day->slot_ms);
    f->list[f->n++] = (mgc_report_figure){.title = "Agreements", .unit = "state of each, slot by slot, when the day was settled", .name = m->names, .label = m->labels,
                                          .word = m->words, .value = m->value, .series = n, .points = day->periods, .words = words, .kind = MGC_FIGURE_STATES};
    return MGC_OK;
}

/* --- blocks over the clock ------------------------------------------------------------------------------------------ */

enum { HOURS_MAX = 96, HOUR_MS = 3600000 };

enum { CHAINS_MAX = 8 };

/* What every chain wrote, hour by hour of the simulated clock from the first block of the day's eve on. */
typedef struct written {
    char chain[CHAINS_MAX][FIGURE_TEXT];
    double transactions[CHAINS_MAX][HOURS_MAX], bytes[CHAINS_MAX][HOURS_MAX];
    uint64_t from_ms;
    size_t chains, hours;
} written;

static mgc_status read_blocks(book *b, written *w)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    mgc_status st = mgc_node_query(b->node, MGC_DAY_REGULATOR, "blocks", NULL, &rows);

    while (st == MGC_OK && mgc_rows_next(rows, &row) == MGC_ROW) {
        uint64_t time = (uint64_t)mgc_row_int(row, "time_ms");
        if (time < w->from_ms || (time - w->from_ms) / HOUR_MS >= HOURS_MAX) continue;
        size_t i = place_of(w->chain, &w->chains, CHAINS_MAX, mgc_row_text(row, "chain")), hour = (size_t)((time - w->from_ms) / HOUR_MS);
        if (i == CHAINS_MAX) continue;
        w->transactions[i][hour] += (double)mgc_row_int(row, "transactions");
        w->bytes[i][hour] += (double)mgc_row_int(row, "bytes");
        if (hour >= w->hours) w->hours = hour + 1;
    }
    mgc_rows_destroy(rows);
    return st;
}

static mgc_status draw_blocks(figures *f, const written *w, double (*value)[HOURS_MAX], const char *title, const char *unit)
{
    figure_memory *m = new_figure(f, w->chains, w->hours);

    if (m == NULL) return MGC_E_NO_MEMORY;
    for (size_t i = 0; i < w->chains; i++) {
        snprintf(m->name[i], FIGURE_TEXT, "%s", w->chain[i]);
        memcpy(m->value + i * w->hours, value[i], w->hours * sizeof *m->value);
    }
    for (size_t i = 0; i < w->hours; i++) clock_label(m->label[i], w->from_ms + i * HOUR_MS);
    f->list[f->n++] = (mgc_report_figure){.title = title, .unit = unit, .name = m->names, .label = m->labels, .value = m->value,
                                          .series = w->chains, .points = w->hours, .kind = MGC_FIGURE_STACKS};
    return MGC_OK;
}

static mgc_status blocks(book *b, const day_of *day, figures *f)
{
    written *w = calloc(1, sizeof *w);

    if (w == NULL) return MGC_E_NO_MEMORY;
    w->from_ms = day->start_ms - 24 * UINT64_C(3600000);
    mgc_status st = read_blocks(b, w);
    if (st == MGC_OK && w->chains > 0)
        st = draw_blocks(f, w, w->transactions, "Transactions", "executed in each hour, by chain, from the day's eve on");
    if (st == MGC_OK && w->chains > 0) st = draw_blocks(f, w, w->bytes, "Growth of the ledger", "bytes of blocks in each hour, by chain");
    free(w);
    return st;
}

/* --- credit --------------------------------------------------------------------------------------------------------- */

static mgc_status credit(book *b, figures *f)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    size_t n = 0;
    mgc_status st = mgc_node_query(b->node, MGC_DAY_REGULATOR, "credit", NULL, &rows);
    size_t most = st == MGC_OK ? mgc_rows_count(rows) : 0;
    most = most < 40 ? most : 40;
    figure_memory *m = most > 0 ? new_figure(f, 2, most) : NULL;

    if (st == MGC_OK && most > 0 && m == NULL) st = MGC_E_NO_MEMORY;
    while (m != NULL && n < most && mgc_rows_next(rows, &row) == MGC_ROW) {
        snprintf(m->label[n], sizeof m->label[n], "%s", mgc_row_text(row, "name"));
        m->value[n] = 5000;
        m->value[most + n++] = (double)mgc_row_int(row, "trade");
    }
    mgc_rows_destroy(rows);
    if (m == NULL || n == 0) return st;
    snprintf(m->name[0], FIGURE_TEXT, "at first");
    snprintf(m->name[1], FIGURE_TEXT, "after the day");
    f->list[f->n++] = (mgc_report_figure){.title = "Trading credit", .unit = "of 10000, by member", .name = m->names, .label = m->labels, .value = m->value,
                                          .series = 2, .points = n, .kind = MGC_FIGURE_COLUMNS};
    return MGC_OK;
}

/* --- the members who order ------------------------------------------------------------------------------------------- */

/* Whom the members followed at a time, by the terms that are remembered; 0: nobody yet. */
static uint32_t leader_at(const peers *p, uint64_t time_ms)
{
    uint32_t leader = 0;

    for (size_t i = p->n_terms > TERMS_MAX ? p->n_terms - TERMS_MAX : 0; i < p->n_terms; i++)
        if (p->term[i % TERMS_MAX].from_ms <= time_ms) leader = p->term[i % TERMS_MAX].leader;
    return leader;
}

static figure_memory *over_samples(book *b, figures *f, size_t rows, size_t points)
{
    figure_memory *m = new_figure(f, rows, points);

    for (size_t i = 0; m != NULL && i < points; i++) clock_label(m->label[i], b->peers.sample[i].time_ms);
    for (size_t k = 0; m != NULL && k < rows; k++) snprintf(m->name[k], FIGURE_TEXT, "member %u", b->peers.roster[k].id);
    return m;
}

static mgc_status consensus_credit(book *b, figures *f, size_t points)
{
    size_t rows = b->peers.n < 8 ? b->peers.n : 8;
    figure_memory *m = over_samples(b, f, rows, points);

    if (m == NULL) return MGC_E_NO_MEMORY;
    for (size_t k = 0; k < rows; k++)
        for (size_t i = 0; i < points; i++) m->value[k * points + i] = b->peers.sample[i].node[k];
    f->list[f->n++] = (mgc_report_figure){.title = "Credit of those who order", .unit = "of 10000, whenever it changed: who signs gains, who does not loses faster", .name = m->names,
                                          .label = m->labels, .value = m->value, .series = rows, .points = points, .kind = MGC_FIGURE_LINES};
    return MGC_OK;
}

/* Cells at the times of the credit's samples: who leads, who follows, who has lost his vote. */
static mgc_status who_leads(book *b, figures *f, size_t points)
{
    enum { LEADS, VOTES, LEARNS, CONVICTED, WORDS };
    static const char *const words[WORDS] = {"leads", "votes", "only learns", "convicted"};
    size_t rows = b->peers.n;
    figure_memory *m = over_samples(b, f, rows, points);

    if (m == NULL) return MGC_E_NO_MEMORY;
    for (size_t k = 0; k < rows; k++)
        for (size_t i = 0; i < points; i++) {
            const credit_sample *s = &b->peers.sample[i];
            bool leads = leader_at(&b->peers, s->time_ms) == b->peers.roster[k].id;
            if (s->convicted[k]) m->value[k * points + i] = CONVICTED;
            else if (s->standing[k] == MGC_STANDING_VOTER) m->value[k * points + i] = leads ? LEADS : VOTES;
            else if (s->standing[k] == MGC_STANDING_LEARNER) m->value[k * points + i] = LEARNS;
        }
    for (size_t i = 0; i < WORDS; i++) snprintf(m->word[i], sizeof m->word[i], "%s", words[i]);
    f->list[f->n++] = (mgc_report_figure){.title = "Who leads", .unit = "at each change of credit", .name = m->names, .label = m->labels, .word = m->words, .value = m->value,
                                          .series = rows, .points = points, .words = WORDS, .kind = MGC_FIGURE_STATES};
    return MGC_OK;
}

/* The last terms: who led in each, and for how long; the present one up to the last change of credit. */
static mgc_status terms(book *b, figures *f)
{
    const peers *p = &b->peers;
    size_t kept = p->n_terms < TERMS_MAX ? p->n_terms : TERMS_MAX, n = kept < TERMS_DRAWN ? kept : TERMS_DRAWN;
    figure_memory *m = n > 0 ? new_figure(f, 1, n) : NULL;

    if (n == 0) return MGC_OK;
    if (m == NULL) return MGC_E_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const term_line *t = &p->term[(p->n_terms - n + i) % TERMS_MAX];
        uint64_t end = i + 1 < n ? p->term[(p->n_terms - n + i + 1) % TERMS_MAX].from_ms : p->n_samples > 0 ? p->sample[p->n_samples - 1].time_ms : 0;
        m->value[i] = end > t->from_ms ? (double)(end - t->from_ms) / 3600000 : 0;
        snprintf(m->label[i], sizeof m->label[i], "%" PRIu64 ": member %" PRIu32, t->term, t->leader);
    }
    snprintf(m->name[0], FIGURE_TEXT, "hours");
    f->list[f->n++] = (mgc_report_figure){.title = "Terms", .unit = "number of each, who led in it, and for how many hours", .name = m->names, .label = m->labels,
                                          .value = m->value, .series = 1, .points = n, .kind = MGC_FIGURE_COLUMNS};
    return MGC_OK;
}

static mgc_status fail_overs(book *b, figures *f)
{
    const peers *p = &b->peers;
    size_t n = p->n_over < FAILOVERS_MAX ? p->n_over : FAILOVERS_MAX;
    figure_memory *m = n > 0 ? new_figure(f, 1, n) : NULL;

    if (n == 0) return MGC_OK;
    if (m == NULL) return MGC_E_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const failover *over = &p->over[(p->n_over - n + i) % FAILOVERS_MAX];
        m->value[i] = (double)(over->found_ms - over->lost_ms);
        snprintf(m->label[i], sizeof m->label[i], "%u→%u %s", over->old, over->now, over->why);
    }
    snprintf(m->name[0], FIGURE_TEXT, "milliseconds without a leader");
    f->list[f->n++] = (mgc_report_figure){.title = "Fail-over", .unit = "ms from the old leader's last word to the new one's first", .name = m->names, .label = m->labels,
                                          .value = m->value, .series = 1, .points = n, .kind = MGC_FIGURE_COLUMNS};
    return MGC_OK;
}

static mgc_status members_who_order(book *b, figures *f)
{
    size_t points = b->peers.n_samples < FIGURE_POINTS_MAX ? b->peers.n_samples : FIGURE_POINTS_MAX;
    mgc_status st = MGC_OK;

    if (b->peers.n == 0) return MGC_OK;
    if (points > 1) st = consensus_credit(b, f, points);
    if (st == MGC_OK && points > 1) st = who_leads(b, f, points);
    if (st == MGC_OK) st = terms(b, f);
    return st == MGC_OK ? fail_overs(b, f) : st;
}

mgc_status book_figures(book *b, const mgc_case *kase, figures *f)
{
    mgc_case_info info = {.struct_size = sizeof info};

    mgc_status st = mgc_case_get_info(kase, &info);
    if (st != MGC_OK) return st;
    uint64_t slot_ms = info.period_minutes * UINT64_C(60000);
    const day_of day = {slot_ms, info.start_ms / slot_ms, info.periods < FIGURE_POINTS_MAX ? info.periods : FIGURE_POINTS_MAX, info.start_ms};
    st = agreements(b, &day, f);
    if (st == MGC_OK) st = blocks(b, &day, f);
    if (st == MGC_OK) st = credit(b, f);
    if (st == MGC_OK) st = members_who_order(b, f);
    return st;
}
