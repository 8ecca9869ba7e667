/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim: plan, trade, commit, deliver and settle a day of microgrids. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

static const char usage[] =
    "mgchain-sim plans, trades, commits, delivers and settles a day of microgrids.\n"
    "\n"
    "  mgchain-sim run [CASE] [--out DIR] [--days N] [--threads N] [--seed N] [--members N] [--pool]\n"
    "              [--incident dishonest-meter,default,dispute,leader-crash,partition,low-credit,equivocation] [--json]\n"
    "      the whole day; without CASE the built-in one.  Writes DIR/report.html, results.json, *.csv, ledger/\n"
    "  mgchain-sim solve CASE [--relax] [--alone | --central | --admm] [--pool] [--threads N] [--gap G] [--json]\n"
    "      optimisation only; --admm (agents) is the default; --pool: all trade with all, only sums are told\n"
    "  mgchain-sim evaluate [CASE] --days N [--out DIR] [--relax] [--threads N] [--gap G] [--json]\n"
    "      walk forward over the history: what deterministic, stochastic and robust plans cost on the days that came,\n"
    "      and how often each radius rule holds what it promises.  Writes DIR/evaluation.html and evaluation.json\n"
    "  mgchain-sim new FILE\n"
    "      write a small case with comments, to begin with\n"
    "  mgchain-sim check CASE\n"
    "      every error of the input, or a summary of it\n"
    "  mgchain-sim export CASE --mps FILE[.gz] [--fixed] [--microgrid ID]\n"
    "      the exact program, to solve elsewhere\n"
    "  mgchain-sim program FILE.(mps|qps)[.gz] [--relax] [--tolerance X] [--gap G] [--json]\n"
    "      solve any linear, quadratic or mixed-integer program\n"
    "  mgchain-sim program FILE.(mps|qps)[.gz] --mps FILE[.gz] [--fixed]\n"
    "      write it again as free or fixed MPS\n"
    "  mgchain-sim stochastic CORE TIME STOCH [--norm1 R] [--norm-inf R] [--wasserstein R] [--kl R] [--chi2 R]\n"
    "              [--cvar LEVEL] [--worst-case] [--method auto|direct|ccg] [--relax] [--threads N] [--gap G] [--json]\n"
    "      a two-stage program in SMPS form; R: how far probabilities may be from the nominal ones\n"
    "  mgchain-sim ledger verify DIR [--json]\n"
    "      check every byte, hash, signature and balance of a ledger\n"
    "  mgchain-sim ledger mend DIR [--from FOLDER] [--json]\n"
    "      put back what changed on the disk, block by block, out of another member's ledger\n"
    "  mgchain-sim ledger query DIR WHAT [KEY=VALUE ...] [--as MEMBER] [--limit N] [--cursor C] [--json]\n"
    "      what the ledger answers to a member (by number or name), to the public without --as; CSV\n"
    "  mgchain-sim ledger export DIR --out FOLDER [--as MEMBER]\n"
    "      every table that the member may see, as CSV\n"
    "  mgchain-sim ledger proof DIR transaction|receipt|block|account KEY=VALUE ... [--out FILE] [--json]\n"
    "      evidence that holds without the ledger\n"
    "  mgchain-sim ledger verify FILE --chain CHAIN_ID [--json]\n"
    "      check such evidence, offline\n"
    "  mgchain-sim keys\n"
    "      every key of case files, with unit, range and default\n"
    "  mgchain-sim doctor\n"
    "      what is installed and what works\n"
    "\n"
    "Everywhere: --progress=auto|plain|json|none, --time-limit SECONDS, --help, --version.\n"
    "Exit: 0 done, 1 internal, 2 usage, 3 invalid input, 4 infeasible, 5 limit reached (best result saved),\n"
    "      6 input/output, 7 verification failed, 8 peer or transport, 130 interrupted.\n";

static const struct {
    const char *name;
    int (*run)(sim *s);
    size_t words_min, words_max;
    const char *options; /* allowed, with spaces around each */
} commands[] = {
    {"run", cmd_run, 0, 1, " out days threads seed members pool incident json gap "},
    {"solve", cmd_solve, 1, 1, " relax alone central admm pool threads gap json "},
    {"evaluate", cmd_evaluate, 0, 1, " out days relax threads seed gap json "},
    {"new", cmd_new, 1, 1, " "},
    {"check", cmd_check, 1, 1, " "},
    {"export", cmd_export, 1, 1, " mps fixed microgrid "},
    {"program", cmd_program, 1, 1, " relax threads gap tolerance json mps fixed "},
    {"stochastic", cmd_stochastic, 3, 3, " norm1 norm-inf wasserstein kl chi2 cvar worst-case method relax threads gap json "},
    {"ledger", cmd_ledger, 2, 16, " json as limit cursor out chain from "},
    {"doctor", cmd_doctor, 0, 0, " "},
    {"keys", cmd_keys, 0, 0, " "},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

typedef struct option {
    const char *name;
    const char **text;
    uint64_t *number64;
    uint32_t *number, *flag;
    double *real;
} option;

static mgc_ctx *interruptible;

static void on_signal(int number)
{
    static volatile sig_atomic_t before;

    (void)number;
    if (before) _exit(EXIT_INTERRUPTED); /* asked twice: do not wait for a tidy end */
    before = 1;
    mgc_ctx_cancel(interruptible);
}

static void catch_signals(mgc_ctx *ctx)
{
    struct sigaction action;

    interruptible = ctx;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int misuse(const char *what, const char *word, const char *nearest)
{
    fprintf(stderr, "mgchain-sim: %s '%s'", what, word);
    if (nearest != NULL) fprintf(stderr, "; did you mean '%s'?", nearest);
    fputs("\nTry: mgchain-sim --help\n", stderr);
    return EXIT_USAGE;
}

static int out_of_range(const char *name, uint32_t value, const char *range)
{
    fprintf(stderr, "mgchain-sim: --%s is %" PRIu32 "; must be %s\nTry: mgchain-sim --help\n", name, value, range);
    return EXIT_USAGE;
}

static bool parse_uint(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t x = 0;

    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (x > (max - digit) / 10) return false;
        x = x * 10 + digit;
    }
    *value = x;
    return true;
}

static int wrong_value(const option *o, const char *value)
{
    const char *range = o->number64 != NULL ? " from 0 to 18446744073709551615" : "";

    if (o->real != NULL) range = " of at least 0";
    fprintf(stderr, "mgchain-sim: --%s: '%s' is not a %snumber%s\nTry: mgchain-sim --help\n", o->name, value, o->real != NULL ? "" : "whole ", range);
    return EXIT_USAGE;
}

static bool take_value(const option *o, const char *value)
{
    uint64_t x;
    const char *end;

    if (o->text != NULL) {
        *o->text = value;
        return true;
    }
    if (o->real != NULL) {
        *o->real = mgc_number_parse(value, &end);
        return end != value && *end == '\0' && *o->real >= 0;
    }
    if (!parse_uint(value, o->number != NULL ? UINT32_MAX : UINT64_MAX, &x)) return false;
    if (o->number != NULL) *o->number = (uint32_t)x;
    else *o->number64 = x;
    return true;
}

/* One option at argv[*i]; moves *i past a separate value.  Returns an exit code. */
static int parse_option(sim *s, size_t command, int argc, char **argv, int *i)
{
    const option options[] = {
        {.name = "out", .text = &s->out}, {.name = "mps", .text = &s->mps}, {.name = "microgrid", .text = &s->microgrid},
        {.name = "progress", .text = &s->progress}, {.name = "seed", .number64 = &s->seed}, {.name = "days", .number = &s->days},
        {.name = "threads", .number = &s->threads}, {.name = "members", .number = &s->members}, {.name = "json", .flag = &s->json},
        {.name = "relax", .flag = &s->relax}, {.name = "alone", .flag = &s->alone}, {.name = "central", .flag = &s->central},
        {.name = "admm", .flag = &s->admm}, {.name = "pool", .flag = &s->pool}, {.name = "help", .flag = &s->help}, {.name = "gap", .real = &s->gap},
        {.name = "fixed", .flag = &s->fixed}, {.name = "tolerance", .real = &s->tolerance},
        {.name = "time-limit", .real = &s->time_limit_s}, {.name = "norm1", .real = &s->norm1}, {.name = "norm-inf", .real = &s->norm_inf},
        {.name = "wasserstein", .real = &s->wasserstein}, {.name = "kl", .real = &s->kl}, {.name = "chi2", .real = &s->chi2},
        {.name = "cvar", .real = &s->cvar}, {.name = "worst-case", .flag = &s->worst_case}, {.name = "method", .text = &s->method},
        {.name = "as", .text = &s->as}, {.name = "limit", .number64 = &s->limit}, {.name = "cursor", .text = &s->cursor},
        {.name = "chain", .text = &s->chain}, {.name = "from", .text = &s->from}, {.name = "incident", .text = &s->incident},
    };
    enum { OPTIONS = sizeof options / sizeof options[0] };
    const char *names[OPTIONS], *word = argv[*i] + 2, *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    char key[34];

    if (length > 31) return misuse("unknown option", argv[*i], NULL);
    snprintf(key, sizeof key, " %.*s ", (int)length, word);
    for (size_t k = 0; k < OPTIONS; k++) {
        names[k] = options[k].name;
        if (strlen(options[k].name) != length || strncmp(options[k].name, word, length) != 0) continue;
        bool everywhere = strstr(" progress help time-limit ", key) != NULL;
        if (!everywhere && strstr(commands[command].options, key) == NULL) {
            fprintf(stderr, "mgchain-sim: option --%.*s does not belong to '%s'\n", (int)length, word, commands[command].name);
            return EXIT_USAGE;
        }
        if (options[k].flag != NULL) {
            *options[k].flag = 1;
            return equals == NULL ? EXIT_DONE : misuse("no value belongs to", argv[*i], NULL);
        }
        const char *value = equals != NULL ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
        if (value == NULL) return misuse("a value is missing after", argv[*i], NULL);
        if (options[k].text == &s->out) s->out_given = true;
        return take_value(&options[k], value) ? EXIT_DONE : wrong_value(&options[k], value);
    }
    key[length + 1] = '\0';
    const char *nearest = mgc_word_nearest(key + 1, names, OPTIONS);
    if (nearest == NULL) return misuse("unknown option", argv[*i], NULL);
    snprintf(key, sizeof key, "--%s", nearest);
    return misuse("unknown option", argv[*i], key);
}

static bool knows_progress(const char *word)
{
    static const char *const words[] = {"auto", "plain", "json", "none"};

    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        if (strcmp(word, words[k]) == 0) return true;
    return false;
}

static int parse(sim *s, size_t command, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            int code = parse_option(s, command, argc, argv, &i);
            if (code != EXIT_DONE) return code;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return misuse("unknown option", argv[i], NULL);
        } else if (s->n_words < commands[command].words_max) {
            s->words[s->n_words++] = argv[i];
        } else {
            return misuse("one word too many:", argv[i], NULL);
        }
    }
    if (s->help) return EXIT_DONE;
    if (s->n_words < commands[command].words_min) return misuse("a file or folder is missing after", commands[command].name, NULL);
    if (s->alone + s->central + s->admm > 1) return misuse("only one of --alone, --central, --admm belongs to", "solve", NULL);
    if (s->pool && s->alone) return misuse("--pool is for who trades, not for --alone of", "solve", NULL);
    if (s->days < 1) return out_of_range("days", s->days, "at least 1");
    if (s->members < 1) return out_of_range("members", s->members, "at least 1");
    if (s->threads < 1 || s->threads > 256) return out_of_range("threads", s->threads, "1 to 256");
    if (!knows_progress(s->progress))
        return misuse("--progress is auto, plain, json or none, not", s->progress, NULL);
    return EXIT_DONE;
}

static size_t find_command(const char *name)
{
    size_t k = 0;

    while (k < COMMANDS && strcmp(commands[k].name, name) != 0) k++;
    return k;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS];

    for (size_t k = 0; k < COMMANDS; k++) names[k] = commands[k].name;
    return misuse("unknown command", name, mgc_word_nearest(name, names, COMMANDS));
}

static int say(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_IO : EXIT_DONE;
}

int main(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    sim s = {.out = "mgchain-out", .progress = "auto", .seed = 1, .days = 1, .members = 1, .norm1 = -1, .norm_inf = -1,
             .wasserstein = -1, .kl = -1, .chi2 = -1, .cvar = -1, .method = "auto",
             .threads = cores < 1 ? 1 : cores > 8 ? 8 : (uint32_t)cores};
    mgc_ctx_opts opts;

    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "-h") == 0)
        return say(usage);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) return say("mgchain-sim ") == EXIT_DONE && say(mgc_version_string()) == EXIT_DONE ? say("\n") : EXIT_IO;
    size_t command = find_command(argv[1]);
    if (command == COMMANDS) return unknown_command(argv[1]);
    int code = parse(&s, command, argc, argv);
    if (code != EXIT_DONE) return code;
    if (s.help) return say(usage);

    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.now_ms = now_ms;
    if (mgc_ctx_create(&opts, &s.ctx) != MGC_OK) {
        fputs("mgchain-sim: no memory\n", stderr);
        return EXIT_INTERNAL;
    }
    catch_signals(s.ctx);
    progress_setup(&s);
    code = commands[command].run(&s);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("mgchain-sim: the output could not be written\n", stderr);
        if (code == EXIT_DONE) code = EXIT_IO;
    }
    mgc_ctx_destroy(s.ctx);
    return code;
}
