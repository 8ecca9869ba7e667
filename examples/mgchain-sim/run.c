/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim run: the whole day, from scenarios to the settled ledger and its picture. */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "day.h"
#include "output.h"
#include "result.h"

/* The other members' ledgers go with it: an old one among new ones would bring the old day back. */
static int set_members_aside(const char *folder, unsigned k)
{
    char from[1200], to[1240];
    struct stat there;

    for (unsigned id = 2; id <= NODES_MAX; id++) {
        snprintf(from, sizeof from, "%s.member-%u", folder, id);
        snprintf(to, sizeof to, "%s.%u", from, k);
        if (stat(from, &there) == 0 && rename(from, to) != 0) return -1;
    }
    return 0;
}

/* A ledger is never written over: the one of an earlier run is kept beside the new one, the one before that is kept too. */
static int set_ledger_aside(const char *out, char *folder, size_t size)
{
    char aside[1200];
    struct stat there;

    snprintf(folder, size, "%s/ledger", out);
    for (unsigned k = 1; k < 10000; k++) {
        snprintf(aside, sizeof aside, "%s.%u", folder, k);
        if (stat(aside, &there) == 0) continue;
        if (set_members_aside(folder, k) != 0) return -1;
        if (stat(folder, &there) != 0) return 0;
        if (rename(folder, aside) != 0) return -1;
        fprintf(stderr, "mgchain-sim: the ledger of an earlier run is now %s\n", aside);
        return 0;
    }
    return -1;
}

/* The state at the end of a day becomes the beginning of the next: stores, units that run, and since when. */
static mgc_status hand_over(const mgc_plan *day, mgc_model *next)
{
    mgc_state *state = NULL;
    mgc_status st = mgc_plan_state(day, mgc_model_periods(next), 0, 0, &state);

    if (st == MGC_OK) st = mgc_state_apply(state, next);
    mgc_state_destroy(state);
    return st;
}

typedef struct one_day {
    mgc_case *kase;
    mgc_alliance *alliance;
    mgc_plan *realised;
    const mgc_plan *together;
    checks checked;
    bool at_limit;
} one_day;

enum { DAYS_MAX = 3660 };
static const uint64_t founded_before_ms = 3 * UINT64_C(86400000);

static void free_day(one_day *d)
{
    mgc_plan_destroy(d->realised);
    mgc_alliance_destroy(d->alliance);
    mgc_case_destroy(d->kase);
    memset(d, 0, sizeof *d);
}

/* The day as it came: the recourse once more, the first stage kept. */
static mgc_status realise(sim *s, one_day *d)
{
    mgc_model *realised = mgc_case_realised(d->kase);
    mgc_dispatch_opts opts;
    mgc_status st;

    if (realised == NULL) return MGC_OK;
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.threads = s->threads;
    phase_begin(s, "deliver");
    st = mgc_plan_realise(d->together, realised, &opts, &d->realised);
    phase_end(s);
    return st;
}

static mgc_status check_day(sim *s, one_day *d, book *b, bool ended)
{
    checks *c = &d->checked;

    memset(c, 0, sizeof *c);
    phase_begin(s, "check");
    check_plan(c, mgc_case_model(d->kase), d->together, "planned");
    if (d->realised != NULL) check_plan(c, mgc_case_realised(d->kase), d->realised, "as it came");
    check_bargain(c, d->alliance);
    book_check_record(b, c, d->kase, d->alliance);
    book_checks(b, c, ended);
    phase_end(s);
    return check_yardstick(c, s, d->kase, d->alliance);
}

static void name_folder(const sim *s, uint32_t number, char *folder, size_t size)
{
    if (s->days > 1) snprintf(folder, size, "%s/day-%02u", s->out, number + 1);
    else snprintf(folder, size, "%s", s->out);
}

/* Interrupted: where the bargain had come to something, its best so far is kept. */
static int keep_best(sim *s, uint32_t number, const one_day *d)
{
    char folder[1100], path[1200];
    mgc_json *json = NULL;
    const char *text;
    size_t len;
    result r = {0};

    name_folder(s, number, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/results.json", folder);
    if (d->alliance != NULL && result_from_alliance(d->kase, d->alliance, false, &r) == MGC_OK && r.file.emission_together != NULL &&
        result_json(s, &r, &json, &text, &len) == MGC_OK && make_folder(folder) == 0 && mgc_file_write(s->ctx, path, text, len) == MGC_OK)
        fprintf(stderr, "mgchain-sim: interrupted; the best so far is in %s\n", path);
    mgc_json_destroy(json);
    result_free(&r);
    return EXIT_INTERRUPTED;
}

/* Plans, bargain from where the day before ended, the day as it comes, and what of it goes into the ledger by now. */
static int plan_day(sim *s, uint32_t number, one_day *d, const one_day *before, book *b, bool last)
{
    mgc_alliance_info info = {.struct_size = sizeof info};

    mgc_status st = cooperate(s, d->kase, MGC_ALLIANCE_ADMM, before != NULL ? before->alliance : NULL, &d->alliance);
    if (st == MGC_OK) st = mgc_alliance_get_info(d->alliance, &info);
    if (st != MGC_OK) return failed(s, st, "run");
    if (mgc_ctx_cancelled(s->ctx)) return keep_best(s, number, d);
    if (!has_plan(info.outcome, info.cost)) {
        if (info.outcome != MGC_OUTCOME_INFEASIBLE) fprintf(stderr, "mgchain-sim: %s\n", mgc_alliance_reason(d->alliance));
        explain_if_infeasible(d->alliance, info.outcome);
        return exit_of_outcome(s, info.outcome);
    }
    st = mgc_alliance_get_plan(d->alliance, MGC_DISPATCH_ALLIANCE, &d->together);
    if (st == MGC_OK) st = realise(s, d);
    if (st == MGC_OK) {
        phase_begin(s, "ledger");
        st = book_day(b, d->kase, d->alliance, d->realised, last ? MGC_DAY_END : MGC_DAY_ACKNOWLEDGE);
        phase_end(s);
    }
    if (mgc_ctx_cancelled(s->ctx)) return keep_best(s, number, d);
    if (st != MGC_OK) return failed(s, st, "run");
    d->at_limit = info.outcome != MGC_OUTCOME_OPTIMAL;
    say_gap_missed(s, info.gap);
    return EXIT_DONE;
}

static void say_day(sim *s, const one_day *d, const char *folder)
{
    mgc_alliance_info info = {.struct_size = sizeof info};

    if (s->json || mgc_alliance_get_info(d->alliance, &info) != MGC_OK) return;
    print_members(d->kase, d->alliance);
    printf("\n%u trades, %u rounds; ", info.trades, info.rounds);
    if (isfinite(info.gap)) printf("cost at most %s %% of the cost alone above the best possible\n\n", fixed(100 * info.gap, 3));
    else printf("how far from the best possible is not proven\n\n");
    for (size_t i = 0; i < d->checked.n; i++)
        printf("%s %-38s %s\n", mark_of(s, d->checked.list[i].ok), d->checked.list[i].name, d->checked.list[i].found);
    printf("\n%s/report.html\n", folder);
}

/* A day that is settled: check it, write its files, say it. */
static int finish_day(sim *s, uint32_t number, one_day *d, book *b, bool ended)
{
    char folder[1100];

    name_folder(s, number, folder, sizeof folder);
    if (make_folder(folder) != 0) {
        fprintf(stderr, "mgchain-sim: %s: %s\n", folder, strerror(errno));
        return EXIT_IO;
    }
    mgc_status st = check_day(s, d, b, ended);
    if (mgc_ctx_cancelled(s->ctx)) return keep_best(s, number, d);
    if (st == MGC_OK) st = write_day(s, folder, d->kase, d->alliance, d->realised, b, &d->checked);
    if (st != MGC_OK) return failed(s, st, folder);
    say_day(s, d, folder);
    return d->checked.broken > 0 ? EXIT_VERIFY : d->at_limit ? EXIT_LIMIT : EXIT_DONE;
}

/* The ledger counts periods from 1970 on: the first one must begin where a period does. */
static bool slots_are_whole(const sim *s, const mgc_case *kase)
{
    mgc_case_info info = {.struct_size = sizeof info};

    if (mgc_case_get_info(kase, &info) != MGC_OK || info.start_ms % (info.period_minutes * UINT64_C(60000)) == 0) return true;
    fprintf(stderr, "mgchain-sim: %s: start: %s is not a whole number of periods of %u minutes after 1970-01-01T00:00:00Z, which a ledger needs; "
            "choose another start, or periods that divide it; `solve` takes the case as it is\n", s->n_words > 0 ? s->words[0] : "the built-in case", info.start, info.period_minutes);
    return false;
}

/* The case of a day, its ledger (on the first day) or the state of the day before (on the others). */
static int begin_day(sim *s, uint32_t number, one_day *d, const one_day *before, book *b)
{
    mgc_case_info info = {.struct_size = sizeof info};
    char ledger[1100];
    int code = EXIT_DONE;
    mgc_status st;

    s->day_shift = (int32_t)number;
    phase_begin(s, "scenarios");
    d->kase = load_case(s, true, &code);
    if (d->kase == NULL) {
        phase_drop(s);
        return code;
    }
    phase_end(s);
    if (!slots_are_whole(s, d->kase)) return EXIT_INPUT;
    if (number == 0) {
        if (make_folder(s->out) != 0 || set_ledger_aside(s->out, ledger, sizeof ledger) != 0) {
            fprintf(stderr, "mgchain-sim: %s: %s\n", s->out, strerror(errno));
            return EXIT_IO;
        }
        st = mgc_case_get_info(d->kase, &info);
        if (st == MGC_OK) st = book_open(b, s, ledger, info.start_ms - founded_before_ms);
    } else {
        const mgc_plan *last = before->realised != NULL ? before->realised : before->together;
        st = hand_over(last, mgc_case_model(d->kase));
        if (st == MGC_OK && mgc_case_realised(d->kase) != NULL) st = hand_over(last, mgc_case_realised(d->kase));
    }
    if (mgc_ctx_cancelled(s->ctx)) return EXIT_INTERRUPTED;
    return st == MGC_OK ? EXIT_DONE : failed(s, st, "run");
}

/* Day after day.  A day is settled only after the next one has been agreed, so its files are written two days later, or at the end. */
static int run_days(sim *s, one_day *day, book *b)
{
    int code = EXIT_DONE, worst = EXIT_DONE;

    for (uint32_t k = 0; k < s->days + 2 && code == EXIT_DONE; k++) {
        bool last = k + 1 == s->days;
        if (k < s->days) {
            code = begin_day(s, k, &day[k], k > 0 ? &day[k - 1] : NULL, b);
            if (code == EXIT_DONE) code = plan_day(s, k, &day[k], k > 0 ? &day[k - 1] : NULL, b, last);
            if (code != EXIT_DONE) return code;
        }
        if (k >= 2 && k - 2 < s->days) {
            code = finish_day(s, k - 2, &day[k - 2], b, k >= s->days);
            free_day(&day[k - 2]);
        }
        if (code == EXIT_LIMIT) {
            worst = code;
            code = EXIT_DONE;
        }
    }
    return code == EXIT_DONE ? worst : code;
}

int cmd_run(sim *s)
{
    /* A day is planned on forecasts: a per mille is proven faster, and the report says what was reached.  Who asks for a closer
     * proof needs prices that are as close; those of a pool, which all share, closer still. */
    if (!(s->gap > 0)) s->gap = 1e-3;
    s->tolerance = fmin(s->gap, 1e-3) / (s->pool ? 2 : 1);
    if (s->incident != NULL && !incidents_read(s->incident, &s->incidents)) return EXIT_USAGE;
    if (s->members < incident_members(s->incidents)) {
        fprintf(stderr, "mgchain-sim: --incident %s needs --members %u at least: more than half of them must go on\n", s->incident,
                incident_members(s->incidents));
        return EXIT_USAGE;
    }
    if (s->members > NODES_MAX) {
        fprintf(stderr, "mgchain-sim: --members is %" PRIu32 "; at most %d members order a ledger\n", s->members, NODES_MAX);
        return EXIT_USAGE;
    }
    if (s->days > DAYS_MAX) {
        fprintf(stderr, "mgchain-sim: --days is %" PRIu32 "; at most %d days in one run\n", s->days, DAYS_MAX);
        return EXIT_USAGE;
    }
    one_day *day = calloc(s->days, sizeof *day);
    book *b = calloc(1, sizeof *b);
    int code = day != NULL && b != NULL ? run_days(s, day, b) : failed(s, MGC_E_NO_MEMORY, "run");

    for (uint32_t k = 0; day != NULL && k < s->days; k++) free_day(&day[k]);
    free(day);
    if (b != NULL) book_close(b);
    free(b);
    if (code == EXIT_DONE || code == EXIT_LIMIT) print_phases(s);
    return code;
}
