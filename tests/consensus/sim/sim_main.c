/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds by the thousand.
 *
 *   raft_sim --tap                          what the test run does: some hundred seeds, marks asked for
 *   raft_sim --seeds 1..100000 [--jobs J/N] [--go-on] [--first] [--faults a,b]    many of them
 *   raft_sim --seed S [--faults a,b] [--events N] [--mode safety|liveness] [--credit 0] [--begin 0] [--shadow] [--trace]    one again
 *
 * A seed that fails is made smaller: fault classes are dropped one at a time, then the number of events is halved towards
 * the first that fails; the line printed replays it. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

enum { EVENTS = 4000 };

static uint64_t marks[MARK_N], events_run;
static struct sim_opts running;

/* What a seed means when nothing else is said. */
static struct sim_opts opts_of(uint64_t seed)
{
    struct sim_opts o = {.seed = seed, .events = EVENTS, .mode = seed % 2 ? SIM_LIVENESS : SIM_SAFETY, .credit = seed % 5 != 0,
                         .faults = FAULT_ALL & ~(uint32_t)FAULT_LIE};

    o.begin = seed / 2 % 2 == 1;
    o.shadow = o.credit && seed % 8 == 0;
    if (seed % 16 == 7) o.faults = FAULT_ALL & ~(uint32_t)(FAULT_WIPE | FAULT_ROT | FAULT_MISDIRECT);
    if (seed % 16 == 11) o.faults = FAULT_LOSS | FAULT_REORDER | FAULT_CONF | FAULT_COMPACT | FAULT_CREDIT;
    if (seed % 16 == 13) o.faults = FAULT_CRASH | FAULT_TORN | FAULT_CUT | FAULT_CREDIT;
    return o;
}

static void print_faults(uint32_t faults)
{
    bool first = true;

    for (int i = 0; i < FAULT_CLASSES; i++)
        if (faults >> i & 1) {
            printf("%s%s", first ? "" : ",", sim_fault_names[i]);
            first = false;
        }
    if (first) printf("none");
}

static void print_line(const struct sim_opts *o, const char *what)
{
    printf("# raft_sim --seed %" PRIu64 " --events %" PRIu64 " --mode %s --credit %d --faults ", o->seed, o->events,
           o->mode == SIM_LIVENESS ? "liveness" : "safety", o->credit);
    print_faults(o->faults);
    printf("   # %s\n", what);
    fflush(stdout);
}

/* An assertion of the core is a failure like any other, but it ends the process: say how to come back. */
static void on_abort(int number)
{
    (void)number;
    print_line(&running, "assertion");
    _Exit(134);
}

static bool fails(const struct sim_opts *o, struct sim_result *r)
{
    uint64_t unused[MARK_N] = {0};

    running = *o;
    sim_run(o, unused, r);
    return r->failed;
}

static void shrink(struct sim_opts *o, struct sim_result *r)
{
    struct sim_result now;
    uint64_t low = 0;

    for (int i = 0; i < FAULT_CLASSES; i++) {
        struct sim_opts less = *o;
        less.faults &= ~(UINT32_C(1) << i);
        if (less.faults != o->faults && fails(&less, &now)) {
            *o = less;
            *r = now;
        }
    }
    if (o->mode == SIM_SAFETY) o->events = r->events;
    while (o->events - low > 1) {
        struct sim_opts less = *o;
        less.events = low + (o->events - low) / 2;
        if (fails(&less, &now)) {
            *o = less;
            *r = now;
        } else low = less.events;
    }
}

static bool no_shrinking;
static uint32_t only_faults; /* of all seeds of this run; 0: as the seed says */

static bool one(struct sim_opts o)
{
    struct sim_result r;

    running = o;
    sim_run(&o, marks, &r);
    events_run += r.events;
    if (!r.failed) return true;
    print_line(&o, r.what);
    if (no_shrinking) return false;
    shrink(&o, &r);
    print_line(&o, r.what);
    return false;
}

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_marks(void)
{
    for (int i = 0; i < MARK_N; i++)
        if (sim_mark_names[i] != NULL) printf("# %-24s %" PRIu64 "\n", sim_mark_names[i], marks[i]);
}

static uint64_t many(uint64_t from, uint64_t to, uint64_t step, uint32_t stop_after)
{
    uint64_t failed = 0, n = 0;
    double begin = cpu(), seconds;

    for (uint64_t seed = from; seed <= to && failed < stop_after; seed += step, n++) {
        struct sim_opts o = opts_of(seed);
        if (only_faults != 0) o.faults = only_faults;
        failed += !one(o);
    }
    seconds = cpu() - begin;
    printf("# %" PRIu64 " seeds, %" PRIu64 " events, %.1f s of processor time, %.0f events/s, %" PRIu64 " failed\n", n, events_run,
           seconds, (double)events_run / seconds, failed);
    return failed;
}

/* Branches that a run of the tests must have been in, else it proves less than it says. */
static const struct {
    int mark;
    uint64_t least;
} required[] = {{MARK_LEADER, 300},      {MARK_COMMIT, 5000},     {MARK_ACKED, 1000},       {MARK_READ_SERVED, 300},
                {MARK_READ_REFUSED, 20}, {MARK_CRASH, 300},       {MARK_CRASH_WRITING, 30}, {MARK_TORN, 10},
                {MARK_FAULTY, 5},        {MARK_READMIT, 3},       {MARK_AMNESIA_OVER, 1},   {MARK_TRUNCATED, 30},
                {MARK_SNAPSHOT, 50},     {MARK_INSTALLED, 5},     {MARK_SYNC_FAILED, 10},   {MARK_CONF, 200},
                {MARK_TRANSFER, 100},    {MARK_LIVE, 100},        {MARK_RECOVERED, 1},
                {MARK_NOTES + MGC_RAFT_NOTE_CONFIG_COMMIT, 100},  {MARK_NOTES + MGC_RAFT_NOTE_CONFIG_BACK, 1},
                {MARK_NOTES + MGC_RAFT_NOTE_WINDOW_HELD, 10},     {MARK_NOTES + MGC_RAFT_NOTE_WINDOW_REFUSED, 10},
                {MARK_LIE, 500},         {MARK_CONVICTED, 10},    {MARK_CONVICTED_E4, 1},    {MARK_JUDGED, 5},
                {MARK_EXONERATED, 1},    {MARK_POLICY, 50},        {MARK_POLICY_COMMIT, 30},  {MARK_POLICY_WAIT, 50},
                {MARK_BEGUN, 1000},      {MARK_CRASH_BEGUN, 15},
                {MARK_INVENTED, 1},      {MARK_CARETAKER, 5},      {MARK_NOTES + MGC_RAFT_NOTE_REPAIRED, 1},         {MARK_NOTES + MGC_RAFT_NOTE_REMOVED, 5}};

/* The same seed with credit, beside plain members that must be able to do all of it, and without. */
static bool C11_credit_only_takes_away(uint64_t seeds)
{
    bool good = true;

    for (uint64_t seed = 1; seed <= seeds && good; seed++) {
        struct sim_opts o = opts_of(seed);
        struct sim_result r;
        o.credit = o.shadow = true;
        o.faults |= FAULT_CREDIT;
        good = one(o);
        o.credit = o.shadow = false;
        sim_run(&o, marks, &r);
        good = good && !r.failed;
    }
    return good && marks[MARK_SHADOWED] > 1000 * seeds && marks[MARK_SHADOW_FIRED] > seeds;
}

static int tap(uint64_t seeds)
{
    uint64_t failed, missing = 0, lies = 0;
    bool alike;

    printf("1..4\n");
    failed = many(1, seeds, 1, 3);
    printf("%s 1 - %" PRIu64 " seeds of clusters with every fault\n", failed == 0 ? "ok" : "not ok", seeds);
    for (uint64_t seed = 1; seed <= seeds && lies == 0; seed++) {
        struct sim_opts o = opts_of(seed);
        o.mode = SIM_SAFETY;
        o.faults = FAULT_LIE | FAULT_CUT | FAULT_LOSS | FAULT_REORDER | FAULT_CREDIT | FAULT_CRASH;
        lies += !one(o);
    }
    printf("%s 2 - members that vote twice are convicted, and nobody else\n", lies == 0 ? "ok" : "not ok");
    alike = C11_credit_only_takes_away(seeds / 5);
    printf("%s 3 - C11: what is done with credit plain Raft can do, and both pass the same checks\n", alike ? "ok" : "not ok");
    print_marks();
    for (size_t i = 0; i < MGC__COUNT(required); i++)
        if (marks[required[i].mark] < required[i].least) {
            missing++;
            printf("# %s: %" PRIu64 " times; %" PRIu64 " are asked for\n", sim_mark_names[required[i].mark], marks[required[i].mark],
                   required[i].least);
        }
    printf("%s 4 - the rare branches were taken\n", missing == 0 ? "ok" : "not ok");
    return failed + lies + missing + !alike != 0;
}

static uint32_t parse_faults(const char *text)
{
    uint32_t faults = 0;

    for (int i = 0; i < FAULT_CLASSES; i++) {
        size_t len = strlen(sim_fault_names[i]);
        for (const char *at = text; (at = strstr(at, sim_fault_names[i])) != NULL; at += len)
            if ((at == text || at[-1] == ',') && (at[len] == '\0' || at[len] == ',')) faults |= UINT32_C(1) << i;
    }
    return strcmp(text, "all") == 0 ? FAULT_ALL & ~(uint32_t)FAULT_LIE : faults;
}

static const char *value_of(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return NULL;
}

static bool has(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0) return true;
    return false;
}

static int single(int argc, char **argv, uint64_t seed)
{
    struct sim_opts o = opts_of(seed);
    struct sim_result r;
    const char *v;

    if ((v = value_of(argc, argv, "--events")) != NULL) o.events = strtoull(v, NULL, 10);
    if ((v = value_of(argc, argv, "--mode")) != NULL) o.mode = strcmp(v, "liveness") == 0 ? SIM_LIVENESS : SIM_SAFETY;
    if ((v = value_of(argc, argv, "--credit")) != NULL) o.credit = v[0] == '1';
    if ((v = value_of(argc, argv, "--faults")) != NULL) o.faults = parse_faults(v);
    if ((v = value_of(argc, argv, "--begin")) != NULL) o.begin = v[0] == '1';
    o.trace = has(argc, argv, "--trace");
    o.shadow = has(argc, argv, "--shadow");
    running = o;
    sim_run(&o, marks, &r);
    printf("# %" PRIu64 " events, %" PRIu64 " commits, history %" PRIu64 " %016" PRIx64 "\n", r.events, r.commits, r.history[0], r.history[1]);
    if (has(argc, argv, "--marks")) print_marks();
    print_line(&o, r.failed ? r.what : "passes");
    return r.failed;
}

int main(int argc, char **argv)
{
    const char *v, *dots;
    uint64_t from, step = 1, offset = 0;

    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    if ((v = value_of(argc, argv, "--seed")) != NULL) return single(argc, argv, strtoull(v, NULL, 10));
    if ((v = value_of(argc, argv, "--seeds")) != NULL && (dots = strstr(v, "..")) != NULL) {
        from = strtoull(v, NULL, 10);
        if (value_of(argc, argv, "--jobs") != NULL && sscanf(value_of(argc, argv, "--jobs"), "%" SCNu64 "/%" SCNu64, &offset, &step) != 2)
            return 2;
        no_shrinking = has(argc, argv, "--first");
        if ((v = value_of(argc, argv, "--faults")) != NULL) only_faults = parse_faults(v);
        from = many(from + offset, strtoull(dots + 2, NULL, 10), step, has(argc, argv, "--go-on") ? UINT32_MAX : no_shrinking ? 1 : 5);
        print_marks();
        return from != 0;
    }
    return tap(value_of(argc, argv, "--n") == NULL ? 400 : strtoull(value_of(argc, argv, "--n"), NULL, 10));
}
