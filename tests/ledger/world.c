/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

/* --- heap ---------------------------------------------------------------------------------------- */

static bool heap_fails(struct heap *h)
{
    if (h->until_fault < 0 || h->until_fault-- != 0) return false;
    h->faults++;
    return true;
}

static void *heap_alloc(void *user, size_t size)
{
    struct heap *h = user;
    if (heap_fails(h)) return NULL;
    h->live++;
    return malloc(size);
}

static void *heap_resize(void *user, void *block, size_t size)
{
    struct heap *h = user;
    if (heap_fails(h)) return NULL;
    if (block == NULL) h->live++;
    return realloc(block, size);
}

static void heap_release(void *user, void *block)
{
    ((struct heap *)user)->live--;
    free(block);
}

mgc_allocator heap_allocator(struct heap *heap)
{
    return (mgc_allocator){.alloc = heap_alloc, .resize = heap_resize, .release = heap_release, .user = heap};
}

/* --- disk ---------------------------------------------------------------------------------------- */

void disk_init(struct disk *d)
{
    *d = (struct disk){.fault_at = -1, .room = UINT64_MAX};
}

void disk_free(struct disk *d)
{
    for (size_t i = 0; i < d->n; i++) free(d->files[i].bytes);
    d->n = 0;
}

void disk_copy(struct disk *to, const struct disk *from)
{
    *to = *from;
    for (size_t i = 0; i < to->n; i++) {
        to->files[i].bytes = malloc(from->files[i].cap + 1);
        memcpy(to->files[i].bytes, from->files[i].bytes, from->files[i].size);
    }
}

struct disk_file *disk_find(struct disk *d, const char *name)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->files[i].name, name) == 0) return &d->files[i];
    return NULL;
}

uint64_t disk_bytes(const struct disk *d)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < d->n; i++) sum += d->files[i].size;
    return sum;
}

static int32_t disk_call(struct disk *d)
{
    if (d->dead) return MGC_E_IO;
    if (d->calls++ != d->fault_at) return MGC_CB_DONE;
    d->dead = d->die;
    return d->fault;
}

static int32_t disk_lock(void *user)
{
    struct disk *d = user;
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (d->locked) return MGC_E_LOCKED;
    d->locked = true;
    return MGC_CB_DONE;
}

static int32_t disk_unlock(void *user)
{
    ((struct disk *)user)->locked = false;
    return MGC_CB_DONE;
}

static int32_t disk_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    struct disk *d = user;
    int32_t answer = disk_call(d);
    for (size_t i = 0; i < d->n && answer == MGC_CB_DONE; i++)
        answer = visit(visit_user, d->files[i].name, d->files[i].size);
    return answer;
}

static int32_t disk_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, name);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (f == NULL || offset > f->size || len > f->size - offset) return MGC_E_IO;
    if (len > 0) memcpy(bytes, f->bytes + offset, len);
    return MGC_CB_DONE;
}

static int32_t disk_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, name);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE && !d->short_write) return answer;
    if (answer != MGC_CB_DONE) len /= 2;
    if (len > d->room) {
        len = (size_t)d->room;
        answer = MGC_E_IO;
    }
    if (f == NULL) {
        ck_assert_uint_lt(d->n, DISK_FILES);
        f = &d->files[d->n++];
        *f = (struct disk_file){0};
        snprintf(f->name, sizeof f->name, "%s", name);
    }
    if (f->size + len > f->cap) {
        f->cap = 2 * (f->size + len);
        f->bytes = realloc(f->bytes, f->cap + 1);
    }
    if (len > 0) memcpy(f->bytes + f->size, bytes, len);
    f->size += len;
    if (d->room != UINT64_MAX) d->room -= len;
    return answer;
}

static int32_t disk_sync(void *user, const char *name)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, name);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (f == NULL) return MGC_E_IO;
    f->synced = f->size;
    return MGC_CB_DONE;
}

static int32_t disk_truncate(void *user, const char *name, uint64_t size)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, name);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (f == NULL) return size == 0 ? MGC_CB_DONE : MGC_E_IO;
    if (size > f->size) return MGC_E_IO;
    if (d->room != UINT64_MAX) d->room += f->size - size;
    f->size = (size_t)size;
    if (f->synced > f->size) f->synced = f->size;
    return MGC_CB_DONE;
}

static int32_t disk_remove(void *user, const char *name)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, name);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (f == NULL) return MGC_E_IO;
    free(f->bytes);
    *f = d->files[--d->n];
    return MGC_CB_DONE;
}

static int32_t disk_rename(void *user, const char *from, const char *to)
{
    struct disk *d = user;
    struct disk_file *f = disk_find(d, from), *gone = disk_find(d, to);
    int32_t answer = disk_call(d);
    if (answer != MGC_CB_DONE) return answer;
    if (f == NULL) return MGC_E_IO;
    if (gone != NULL) {
        free(gone->bytes);
        *gone = d->files[--d->n];
        f = disk_find(d, from);
        ck_assert_ptr_nonnull(f);
    }
    snprintf(f->name, sizeof f->name, "%s", to);
    f->name_synced = false;
    return MGC_CB_DONE;
}

static int32_t disk_sync_names(void *user)
{
    struct disk *d = user;
    int32_t answer = disk_call(d);
    for (size_t i = 0; i < d->n && answer == MGC_CB_DONE; i++) d->files[i].name_synced = true;
    return answer;
}

const mgc_storage_ops disk_ops = {.struct_size = sizeof(mgc_storage_ops),
                                  .version = 1,
                                  .lock = disk_lock,
                                  .unlock = disk_unlock,
                                  .list = disk_list,
                                  .read = disk_read,
                                  .append = disk_append,
                                  .sync = disk_sync,
                                  .truncate = disk_truncate,
                                  .rename = disk_rename,
                                  .remove = disk_remove,
                                  .sync_names = disk_sync_names};

void disk_crash(struct disk *d, mgc__rng *rng)
{
    for (size_t i = 0; i < d->n; i++) {
        struct disk_file *f = &d->files[i];
        size_t tail = f->size - f->synced, keep = (size_t)mgc__rng_below(rng, tail + 1);
        if (!f->name_synced && mgc__rng_below(rng, 2) == 0) {
            free(f->bytes);
            *f = d->files[--d->n];
            i--;
            continue;
        }
        if (mgc__rng_below(rng, 3) == 0) keep = tail; /* often all of it is there, but torn */
        if (mgc__rng_below(rng, 2) == 0)
            for (size_t k = 0; k < keep; k++)
                if (mgc__rng_below(rng, 64) == 0) f->bytes[f->synced + k] ^= (uint8_t)(1 + mgc__rng_below(rng, 255));
        if (keep > 0 && mgc__rng_below(rng, 4) == 0) { /* a block of it never written: zeros */
            size_t from = (size_t)mgc__rng_below(rng, keep);
            memset(f->bytes + f->synced + from, 0, keep - from > 512 ? 512 : keep - from);
        }
        f->size = f->synced = f->synced + keep;
        f->name_synced = true;
    }
    d->dead = d->locked = false;
    d->fault_at = -1;
}

/* --- the small contract -------------------------------------------------------------------------- */

void id_of(uint8_t id[16], uint64_t number)
{
    memset(id, 0, 16);
    mgc__put_be64(id + 8, number);
}

static mgc_status toy_move(mgc__exec *x, const uint8_t *a)
{
    mgc_transfer_info t = {.unit = 1, .code = 1};
    memcpy(t.id, a, 16);
    memcpy(t.debit_account, a + 16, 16);
    memcpy(t.credit_account, a + 32, 16);
    t.amount = mgc__get_be64(a + 48);
    t.flags = a[56];
    t.timeout = a[57];
    memcpy(t.pending_id, a + 58, 16);
    return mgc__transfer_create(x, &t);
}

static mgc_status toy_execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    const uint8_t *a = tx->arguments;
    mgc_status status;

    (void)user;
    if (mgc__tx_method_is(tx, "account") && tx->arguments_len == 18) {
        mgc_account_info account = {.unit = a[16], .code = 1, .flags = a[17]};
        memcpy(account.id, a, 16);
        return mgc__account_create(x, &account, NULL);
    }
    if (mgc__tx_method_is(tx, "move") && tx->arguments_len == 74) return toy_move(x, a);
    if (mgc__tx_method_is(tx, "put") && tx->arguments_len >= 1) {
        status = mgc__record_put(x, tx->contract, a, 1, a + 1, tx->arguments_len - 1);
        return status != MGC_OK ? status : mgc__exec_emit(x, tx->contract, "put", a, 1);
    }
    if (mgc__tx_method_is(tx, "remove")) {
        if (mgc__record_remove(x, tx->contract, a, 1) == MGC_OK) return MGC_OK;
        return mgc__exec_refuse(x, MGC_E_NOT_FOUND, "no such record");
    }
    if (mgc__tx_method_is(tx, "refuse")) {
        status = mgc__record_put(x, tx->contract, (const uint8_t *)"never", 5, a, 1);
        if (status == MGC_OK) status = mgc__exec_emit(x, tx->contract, "never", NULL, 0);
        return status != MGC_OK ? status : mgc__exec_refuse(x, MGC_E_RANGE, "because");
    }
    if (mgc__tx_method_is(tx, "die")) return MGC_E_NO_MEMORY;
    return mgc__exec_refuse(x, MGC_E_UNSUPPORTED, "no such method");
}

static mgc_status toy_end(void *user, mgc__exec *x)
{
    uint8_t value[8];
    (void)user;
    mgc__put_be64(value, mgc__exec_height(x));
    return mgc__record_put(x, 9, (const uint8_t *)"height", 6, value, sizeof value);
}

const mgc__executor toy = {.execute = toy_execute, .end_block = toy_end};

/* --- a chain with one member --------------------------------------------------------------------- */

static mgc_status make_key(mgc_ctx *ctx, uint8_t first, mgc_key **out)
{
    uint8_t seed[32] = {0};
    seed[0] = first;
    return mgc_key_from_seed(ctx, seed, out);
}

static mgc_status open_chain(struct world *w)
{
    mgc_member member = {.id = 1};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = "trading", .time_ms = 1000, .members = &member, .n_members = 1, .quorum = 1};
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status status = mgc_ledger_chain(w->ledger, "trading", &w->chain);

    if (status == MGC_E_NOT_FOUND) {
        memcpy(member.public_key, mgc__key_public(w->member), 32);
        status = mgc_ledger_add_chain(w->ledger, &g, &w->chain);
    }
    if (status != MGC_OK) return status;
    mgc__chain_set_executor(w->chain, &toy);
    status = mgc_chain_get_info(w->chain, &info);
    memcpy(w->chain_id, info.chain_id, 32);
    return status;
}

mgc_status world_open_with(struct world *w, mgc_ctx *ctx, const mgc_ledger_opts *opts)
{
    mgc_status status;

    *w = (struct world){.ctx = ctx};
    status = make_key(ctx, 1, &w->member);
    if (status == MGC_OK) status = make_key(ctx, 2, &w->alice);
    if (status == MGC_OK) status = make_key(ctx, 3, &w->bob);
    if (status == MGC_OK) status = mgc_ledger_open(ctx, opts, &w->ledger);
    if (status == MGC_OK) status = open_chain(w);
    return status;
}

mgc_status world_open(struct world *w, mgc_ctx *ctx, struct disk *d, uint64_t segment_bytes)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = d;
    opts.segment_bytes = segment_bytes;
    opts.salt = 77;
    return world_open_with(w, ctx, &opts);
}

void world_close(struct world *w)
{
    mgc_ledger_close(w->ledger);
    mgc_key_destroy(w->member);
    mgc_key_destroy(w->alice);
    mgc_key_destroy(w->bob);
    w->ledger = NULL;
    w->member = w->alice = w->bob = NULL;
}

size_t make_tx_full(struct world *w, const mgc_key *sender, const char *method, const void *arguments, size_t len,
                    uint64_t nonce, uint64_t valid_until, uint8_t *bytes)
{
    mgc_tx_body body = {.struct_size = sizeof body,
                        .chain_id = w->chain_id,
                        .sender = mgc__key_public(sender),
                        .contract = 5,
                        .method = method,
                        .arguments = arguments,
                        .arguments_len = len,
                        .nonce = nonce,
                        .valid_until = valid_until};
    static uint8_t encoded[MGC_TX_BYTES_MAX];
    mgc_tx_signature signature;
    size_t body_len, tx_len;

    if (mgc_tx_encode_body(&body, encoded, sizeof encoded, &body_len) != MGC_OK) return 0;
    if (mgc_tx_sign(encoded, body_len, sender, MGC_ROLE_USER, &signature) != MGC_OK) return 0;
    if (mgc_tx_assemble(encoded, body_len, &signature, 1, bytes, MGC_TX_BYTES_MAX, &tx_len) != MGC_OK) return 0;
    return tx_len;
}

size_t make_tx(struct world *w, const char *method, const void *arguments, size_t len, uint8_t *bytes)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    uint64_t nonce = 0;

    if (mgc_chain_get_info(w->chain, &info) != MGC_OK ||
        mgc_chain_next_nonce(w->chain, mgc__key_public(w->alice), 5, &nonce) != MGC_OK)
        return 0;
    return make_tx_full(w, w->alice, method, arguments, len, nonce, info.height + 10, bytes);
}

static mgc_status add(struct world *w, const char *method, const void *arguments, size_t len, int32_t *result)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    size_t tx_len = make_tx(w, method, arguments, len, bytes);
    return tx_len == 0 ? MGC_E_NO_MEMORY : mgc_chain_add(w->chain, bytes, tx_len, result);
}

mgc_status add_account(struct world *w, uint64_t id, uint8_t unit, uint8_t flags, int32_t *result)
{
    uint8_t a[18];
    id_of(a, id);
    a[16] = unit;
    a[17] = flags;
    return add(w, "account", a, sizeof a, result);
}

mgc_status add_move(struct world *w, uint64_t id, uint64_t debit, uint64_t credit, uint64_t amount, uint8_t flags,
                    uint8_t timeout, uint64_t pending, int32_t *result)
{
    uint8_t a[74];
    id_of(a, id);
    id_of(a + 16, debit);
    id_of(a + 32, credit);
    mgc__put_be64(a + 48, amount);
    a[56] = flags;
    a[57] = timeout;
    id_of(a + 58, pending);
    return add(w, "move", a, sizeof a, result);
}

mgc_status add_put(struct world *w, uint8_t key, const char *value, int32_t *result)
{
    uint8_t a[1024];
    a[0] = key;
    memcpy(a + 1, value, strlen(value));
    return add(w, "put", a, 1 + strlen(value), result);
}

int run_suite(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 200);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
