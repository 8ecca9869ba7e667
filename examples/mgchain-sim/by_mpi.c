/* SPDX-License-Identifier: Apache-2.0 */
/* solve --admm under mpirun: the agents of the members are dealt out to the ranks, and MPI is their bus.
 *
 * In each step every rank polls its agents, all ranks exchange what these said, and what came is handed in.  Agents take no notice
 * of how messages travel, so trades and payments are the same bits as in one process.  Rank 0 prints. */
#include "by_mpi.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mpi_bus.h"
#include "result.h"
#include "run.h"

enum { NUMBERS = 9 };
enum { STANDALONE, COST, PAYMENT, BOUND, ROUNDS, PRIMAL, DUAL, STATE, NO_TRADE };

/* Bytes of one rank, or of all. */
typedef struct heap {
    char *bytes;
    size_t len, cap;
} heap;

typedef struct team {
    sim *s;
    const mgc_model *model;
    int rank, size;
    uint32_t n, periods;
    mgc_agent **agent; /* [n] NULL: another rank's */
    void *bus;
    heap in;           /* what rank 0 gathers */
    int *count_in, *from_in; /* [size] */
    double *number;    /* [n][NUMBERS] */
} team;

bool mpi_launched(void)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    return size == NULL ? getenv("PMI_SIZE") != NULL : atoi(size) > 1;
}

static bool room(heap *h, size_t more)
{
    size_t cap = 2 * (h->len + more) + 1024;
    char *bytes;

    if (h->len + more <= h->cap) return true;
    bytes = realloc(h->bytes, cap);
    if (bytes == NULL) return false;
    h->bytes = bytes;
    h->cap = cap;
    return true;
}

static bool put(heap *h, const void *bytes, size_t len)
{
    if (!room(h, len)) return false;
    memcpy(h->bytes + h->len, bytes, len);
    h->len += len;
    return true;
}

static uint32_t index_of(const team *t, const char *id)
{
    uint32_t i = 0;

    while (i < t->n && strcmp(mgc_model_microgrid_id(t->model, i), id) != 0) i++;
    return i;
}

/* All links lead to the pool, or none does. */
static bool has_pool(const mgc_model *model)
{
    const char *first, *second, *carrier;

    return mgc_model_microgrid(model, mgc_pool_id()) == NULL && mgc_model_link(model, 0, &first, &second, &carrier) == MGC_OK &&
           strcmp(second, mgc_pool_id()) == 0;
}

static mgc_status hire(team *t, const mgc_case *kase)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_agent_opts o;
    uint8_t secret[32];
    double *weight = calloc(t->n, sizeof *weight);
    const char **roster = calloc(t->n, sizeof *roster);
    mgc_status st = weight == NULL || roster == NULL ? MGC_E_NO_MEMORY : mgc_case_get_info(kase, &info);

    if (st == MGC_OK) st = mgc_case_weights(kase, weight, t->n);
    for (uint32_t i = 0; st == MGC_OK && i < t->n; i++) roster[i] = mgc_model_microgrid_id(t->model, i);
    mgc_agent_opts_init(&o, sizeof o);
    o.members = t->n;
    o.relax = t->s->relax;
    o.weights = info.weights;
    if (t->s->gap > 0) o.gap = t->s->gap;
    if (t->s->tolerance > 0) o.tolerance = t->s->tolerance;
    for (uint32_t i = 0; st == MGC_OK && i < t->n; i++) {
        if (!mpi_bus_mine(t->bus, i)) continue;
        o.weight = info.weights == MGC_WEIGHTS_GIVEN ? weight[i] : 1;
        if (has_pool(t->model)) {
            o.roster = roster;
            o.roster_n = t->n;
            o.secret = secret;
            if (getrandom(secret, sizeof secret, 0) != sizeof secret) st = MGC_E_IO;
        }
        if (st == MGC_OK) st = mgc_agent_create(t->s->ctx, t->model, roster[i], &o, &t->agent[i]);
    }
    free(weight);
    free((void *)(uintptr_t)roster);
    return st;
}

/* Poll own agents; what they say goes on the bus. */
static mgc_status poll(team *t, bool *running)
{
    *running = false;
    for (uint32_t i = 0; i < t->n; i++) {
        mgc_agent_output out;
        mgc_status st;

        if (t->agent[i] == NULL) continue;
        if ((st = mgc_agent_poll(t->agent[i], 0, &out)) != MGC_OK) return st;
        *running |= out.state == MGC_AGENT_RUNNING;
        t->number[NUMBERS * i + STATE] = out.state;
        for (size_t k = 0; k < out.n_messages; k++)
            if (!mpi_bus_send(t->bus, i, index_of(t, out.messages[k].to), out.messages[k].bytes, out.messages[k].len)) return MGC_E_NO_MEMORY;
    }
    return MGC_OK;
}

static mgc_status hand_in(team *t)
{
    size_t from, to, len;
    const uint8_t *bytes;
    mgc_status st = MGC_OK;

    while (st == MGC_OK && mpi_bus_next(t->bus, &from, &to, &bytes, &len))
        st = mgc_agent_receive(t->agent[to], 0, mgc_model_microgrid_id(t->model, (uint32_t)from), bytes, len);
    return st;
}

static mgc_status bargain(team *t)
{
    bool running = true, over = false;
    mgc_status st = MGC_OK;

    while (!over) {
        st = poll(t, &running);
        if (st == MGC_OK) over = mpi_bus_turn(t->bus, !running);
        if (st == MGC_OK) st = hand_in(t);
        if (st != MGC_OK) { /* the others wait for this rank's word */
            failed(t->s, st, "solve");
            MPI_Abort(MPI_COMM_WORLD, exit_of_status(st));
        }
    }
    return st;
}

/* --- gathering ---------------------------------------------------------------------------------------------------------------- */

/* A trade as doubles: link, direction, then sent and price of each period. */
static mgc_status pack_member(team *t, uint32_t i, heap *h)
{
    mgc_agreement deal = {.struct_size = sizeof deal};
    double *number = t->number + NUMBERS * i;
    mgc_status st = number[STATE] == MGC_AGENT_AGREED ? mgc_agent_agreement(t->agent[i], &deal) : MGC_E_STATE;

    if (st != MGC_OK) return MGC_OK; /* the state says why */
    number[STANDALONE] = deal.standalone_cost;
    number[COST] = deal.cost;
    number[PAYMENT] = deal.payment;
    number[BOUND] = deal.lower_bound;
    number[ROUNDS] = deal.rounds;
    number[PRIMAL] = deal.primal;
    number[DUAL] = deal.dual;
    number[NO_TRADE] = deal.no_trade;
    for (uint32_t k = 0; k < deal.trades; k++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        double place[2];
        if ((st = mgc_agent_get_trade(t->agent[i], k, &trade)) != MGC_OK) return st;
        if (index_of(t, trade.from) != i && index_of(t, trade.from) != t->n) continue; /* a receiver knows it too; a pool says nothing */
        place[0] = trade.link;
        place[1] = trade.direction;
        if (!put(h, place, sizeof place) || !put(h, trade.sent_kw, t->periods * sizeof(double)) ||
            !put(h, trade.price_per_kwh, t->periods * sizeof(double)))
            return MGC_E_NO_MEMORY;
    }
    return MGC_OK;
}

/* Where the last prices leave a gap, all ask for the bound at those of the relaxation, and the larger sum stands: every rank comes
 * to the same word. */
static mgc_status better_bound(team *t)
{
    double own[4] = {0}, all[4], *other = calloc(t->n + 1u, sizeof *other), relaxed = 0, relaxed_all = 0;
    mgc_status st = other == NULL ? MGC_E_NO_MEMORY : MGC_OK;

    for (uint32_t i = 0; i < t->n; i++) {
        const double *number = t->number + NUMBERS * i;
        if (t->agent[i] == NULL) continue;
        own[0] += number[COST] - number[BOUND];
        own[1] += number[STANDALONE] < 0 ? -number[STANDALONE] : number[STANDALONE];
        own[2] += number[BOUND];
        own[3] += number[STATE] != MGC_AGENT_AGREED;
    }
    MPI_Allreduce(own, all, 4, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    bool wanted = t->s->relax == 0 && all[3] == 0 && all[0] > (t->s->gap > 0 ? t->s->gap : 1e-4) * (all[1] > 1 ? all[1] : 1);
    for (uint32_t i = 0; st == MGC_OK && wanted && i < t->n; i++) {
        if (t->agent[i] != NULL) st = mgc_agent_relaxed_bound(t->agent[i], &other[i]);
        relaxed += other[i];
    }
    if (st != MGC_OK) MPI_Abort(MPI_COMM_WORLD, EXIT_INTERNAL); /* the others wait for this rank's word */
    MPI_Allreduce(&relaxed, &relaxed_all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    for (uint32_t i = 0; wanted && relaxed_all > all[2] && i < t->n; i++)
        if (t->agent[i] != NULL) t->number[NUMBERS * i + BOUND] = other[i];
    free(other);
    return st;
}

static mgc_status gather(team *t)
{
    heap mine = {.len = 0};
    int len, total = 0;
    double *sum = calloc((size_t)t->n * NUMBERS + 1, sizeof *sum);
    mgc_status st = sum == NULL ? MGC_E_NO_MEMORY : MGC_OK;

    for (uint32_t i = 0; st == MGC_OK && i < t->n; i++)
        if (t->agent[i] != NULL) st = pack_member(t, i, &mine);
    if (st == MGC_OK) st = better_bound(t);
    if (st != MGC_OK || !room(&mine, 1)) MPI_Abort(MPI_COMM_WORLD, EXIT_INTERNAL);
    MPI_Reduce(t->number, sum, (int)(t->n * NUMBERS), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD); /* each number is one rank's */
    if (t->rank == 0) memcpy(t->number, sum, (size_t)t->n * NUMBERS * sizeof *sum);
    free(sum);
    len = (int)mine.len;
    MPI_Gather(&len, 1, MPI_INT, t->count_in, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int r = 0; t->rank == 0 && r < t->size; r++) {
        t->from_in[r] = total;
        total += t->count_in[r];
    }
    t->in.len = 0;
    if (!room(&t->in, (size_t)total + 1)) MPI_Abort(MPI_COMM_WORLD, EXIT_INTERNAL);
    MPI_Gatherv(mine.bytes, len, MPI_BYTE, t->in.bytes, t->count_in, t->from_in, MPI_BYTE, 0, MPI_COMM_WORLD);
    t->in.len = (size_t)total;
    free(mine.bytes);
    return MGC_OK;
}

/* --- printing, on rank 0 -------------------------------------------------------------------------------------------------------- */

static size_t stride(const team *t)
{
    return 2 + 2 * (size_t)t->periods;
}

static int in_order(const void *a, const void *b)
{
    const double *x = a, *y = b;

    if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

static mgc_status fill_trades(const team *t, double *trades, size_t n, mgc_result_trade *out)
{
    qsort(trades, n, stride(t) * sizeof *trades, in_order);
    for (size_t k = 0; k < n; k++) {
        const double *one = trades + k * stride(t);
        const char *first, *second, *carrier;
        mgc_status st = mgc_model_link(t->model, (uint32_t)one[0], &first, &second, &carrier);
        if (st != MGC_OK) return st;
        out[k] = (mgc_result_trade){one[1] > 0 ? second : first, one[1] > 0 ? first : second, carrier, one + 2, one + 2 + t->periods};
    }
    return MGC_OK;
}

static void fill_totals(const team *t, mgc_result *file, const char **id, double *row)
{
    double size = 0;

    file->members = t->n;
    file->id = id;
    file->standalone_cost = row;
    file->payment = row + t->n;
    file->final_cost = row + 2 * t->n;
    file->alliance_cost = file->lower_bound = file->surplus = file->primal_residual = file->dual_residual = 0; /* not "unknown" */
    for (uint32_t i = 0; i < t->n; i++) {
        const double *number = t->number + NUMBERS * i;
        id[i] = mgc_model_microgrid_id(t->model, i);
        row[i] = number[STANDALONE];
        row[t->n + i] = number[PAYMENT];
        row[2 * t->n + i] = number[COST] + number[PAYMENT];
        file->alliance_cost += number[COST];
        file->lower_bound += number[BOUND];
        file->surplus += number[STANDALONE] - number[COST];
        size += number[STANDALONE] < 0 ? -number[STANDALONE] : number[STANDALONE];
        if (number[ROUNDS] > file->admm_iterations) file->admm_iterations = (uint32_t)number[ROUNDS];
        if (number[PRIMAL] > file->primal_residual) file->primal_residual = number[PRIMAL];
        if (number[DUAL] > file->dual_residual) file->dual_residual = number[DUAL];
    }
    file->gap = (file->alliance_cost - file->lower_bound) / (size > 1 ? size : 1);
}

static mgc_status print(team *t, const mgc_case *kase, const mgc_result *file)
{
    mgc_json *json = NULL;
    const char *text;
    size_t len;
    mgc_status st = MGC_OK;

    (void)kase;
    if (!t->s->json) {
        for (uint32_t i = 0; i < t->n; i++)
            printf("%-16s alone %14s  pays %12s  final %14s\n", file->id[i], fixed(file->standalone_cost[i], 2), fixed(file->payment[i], 2),
                   fixed(file->final_cost[i], 2));
        printf("\n%s: cost %s, proven lower bound %s, %u rounds, %d ranks\n", file->status, fixed(file->alliance_cost, 2),
               fixed(file->lower_bound, 2), file->admm_iterations, t->size);
        return MGC_OK;
    }
    st = mgc_json_create(t->s->ctx, &json);
    if (st == MGC_OK) {
        mgc_json_object(json, NULL);
        st = mgc_result_write(json, file);
        write_gap_asked(t->s, json);
        mgc_json_end(json);
    }
    if (st == MGC_OK) st = mgc_json_text(json, &text, &len);
    if (st == MGC_OK && fwrite(text, 1, len, stdout) != len) st = MGC_E_IO;
    mgc_json_destroy(json);
    return st;
}

static int report(team *t, const mgc_case *kase)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_result file;
    size_t n = t->in.len / (stride(t) * sizeof(double));
    double *trades = malloc(t->in.len + 1), *row = calloc(3 * (size_t)t->n + 1, sizeof *row);
    const char **id = calloc(t->n + 1u, sizeof *id);
    mgc_result_trade *list = calloc(n + 1, sizeof *list);
    uint32_t outcome = MGC_OUTCOME_OPTIMAL;
    mgc_status st = trades == NULL || row == NULL || id == NULL || list == NULL ? MGC_E_NO_MEMORY : mgc_case_get_info(kase, &info);

    mgc_result_init(&file, sizeof file);
    if (st == MGC_OK) {
        memcpy(trades, t->in.bytes, t->in.len);
        for (uint32_t i = 0; i < t->n; i++)
            if (t->number[NUMBERS * i + STATE] != MGC_AGENT_AGREED)
                outcome = t->number[NUMBERS * i + STATE] == MGC_AGENT_INFEASIBLE ? MGC_OUTCOME_INFEASIBLE : MGC_OUTCOME_NUMERICAL;
        file.name = info.name;
        file.currency = info.currency;
        file.start = info.start;
        file.period_minutes = info.period_minutes;
        file.periods = info.periods;
        file.status = mgc_outcome_name(outcome);
        fill_totals(t, &file, id, row);
        st = fill_trades(t, trades, n, list);
        file.trade = list;
        file.trades = (uint32_t)n;
    }
    if (st == MGC_OK) st = print(t, kase, &file);
    if (st == MGC_OK && outcome == MGC_OUTCOME_OPTIMAL) say_gap_missed(t->s, file.gap);
    free(trades);
    free(row);
    free(id);
    free(list);
    return st == MGC_OK ? exit_of_outcome(t->s, outcome) : failed(t->s, st, "solve");
}

/* --- the command ------------------------------------------------------------------------------------------------------------------ */

static mgc_status make_team(team *t)
{
    size_t ranks = (size_t)t->size;

    t->agent = calloc(t->n + 1u, sizeof(mgc_agent *));
    t->bus = mpi_bus_open(t->n);
    t->count_in = calloc(2 * ranks, sizeof *t->count_in);
    t->number = calloc((size_t)t->n * NUMBERS + 1, sizeof *t->number);
    if (t->agent == NULL || t->bus == NULL || t->count_in == NULL || t->number == NULL) return MGC_E_NO_MEMORY;
    t->from_in = t->count_in + ranks;
    return MGC_OK;
}

static void free_team(team *t)
{
    for (uint32_t i = 0; t->agent != NULL && i < t->n; i++) mgc_agent_destroy(t->agent[i]);
    mpi_bus_close(t->bus);
    free(t->agent);
    free(t->count_in);
    free(t->number);
    free(t->in.bytes);
}

int solve_by_mpi(sim *s, const mgc_case *kase)
{
    team t = {.s = s, .model = mgc_case_model(kase)};
    int code = EXIT_DONE;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &t.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &t.size);
    t.n = mgc_model_microgrids(t.model);
    t.periods = mgc_model_periods(t.model);
    mgc_status st = make_team(&t);
    if (st == MGC_OK) st = hire(&t, kase);
    if (st != MGC_OK) {
        code = failed(s, st, "solve");
        MPI_Abort(MPI_COMM_WORLD, code);
    }
    st = bargain(&t);
    if (st == MGC_OK) st = gather(&t);
    if (st != MGC_OK) code = failed(s, st, "solve");
    else if (t.rank == 0) code = report(&t, kase);
    free_team(&t);
    MPI_Finalize();
    return code;
}
