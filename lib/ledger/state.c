/* SPDX-License-Identifier: Apache-2.0 */
/* Undo that cannot fail.
 *
 * A change puts a new item in the tree and keeps the old one in the log.  Removing a key leaves an absent item in its
 * place until the block is settled.  So going back only swaps pointers or removes what was inserted, neither of which
 * needs memory, and settling only frees. */
#include "ledger/state.h"

#include "crypto/crypto.h"

void mgc__put_be32(uint8_t *at, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * (3 - i)));
}

void mgc__put_be64(uint8_t *at, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++) at[i] = (uint8_t)(value >> (8 * (7 - i)));
}

uint32_t mgc__get_be32(const uint8_t *at)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < 4; i++) value = value << 8 | at[i];
    return value;
}

uint64_t mgc__get_be64(const uint8_t *at)
{
    return (uint64_t)mgc__get_be32(at) << 32 | mgc__get_be32(at + 4);
}

void mgc__state_init(mgc__state *s, mgc_ctx *ctx)
{
    *s = (mgc__state){.ctx = ctx, .epoch = 1};
    mgc__tree_init(&s->tree, ctx);
}

void mgc__state_free(mgc__state *s)
{
    if (s->ctx == NULL) return;
    for (size_t i = 0; i < s->n_undo; i++) mgc__free(s->ctx, s->undo[i].old);
    mgc__free(s->ctx, s->undo);
    mgc__state_close_day(s); /* frees what it kept */
    mgc__tree_free(&s->tree);
    *s = (mgc__state){0};
}

const mgc__item *mgc__state_get(const mgc__state *s, const uint8_t *key, size_t key_len)
{
    const mgc__item *item = mgc__tree_get(&s->tree, key, key_len);

    return item == NULL || item->absent ? NULL : item;
}

const mgc__item *mgc__state_after(const mgc__state *s, const uint8_t *key, size_t key_len, bool inclusive)
{
    const mgc__item *item = mgc__tree_after(&s->tree, key, key_len, inclusive);

    while (item != NULL && item->absent) item = mgc__tree_after(&s->tree, item->bytes, item->key_len, false);
    return item;
}

static mgc_status change(mgc__state *s, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len,
                         bool absent)
{
    mgc__item *item, *old;

    assert(key_len >= 1 && key_len <= MGC__KEY_MAX && value_len <= MGC__VALUE_MAX);
    if (s->written + key_len + value_len > MGC__BLOCK_WRITES_MAX) return MGC_E_TOO_LARGE;
    if (!mgc__grow(s->ctx, (void **)&s->undo, &s->cap_undo, s->n_undo + 1, sizeof *s->undo)) return MGC_E_NO_MEMORY;
    item = mgc__item_create(s->ctx, key, key_len, value, value_len);
    if (item == NULL) return MGC_E_NO_MEMORY;
    item->absent = absent;
    if (!mgc__tree_put(&s->tree, item, &old)) {
        mgc__free(s->ctx, item);
        return MGC_E_NO_MEMORY;
    }
    s->undo[s->n_undo++] = (struct mgc__undo){.old = old, .now = item};
    s->written += key_len + value_len;
    if (old != NULL && !old->absent) s->n_records--;
    if (!absent) s->n_records++;
    return MGC_OK;
}

mgc_status mgc__state_put(mgc__state *s, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    return change(s, key, key_len, value, value_len, false);
}

mgc_status mgc__state_remove(mgc__state *s, const uint8_t *key, size_t key_len)
{
    if (mgc__state_get(s, key, key_len) == NULL) return MGC_E_NOT_FOUND;
    return change(s, key, key_len, NULL, 0, true);
}

void mgc__state_undo(mgc__state *s, size_t mark)
{
    assert(mark <= s->n_undo);
    while (s->n_undo > mark) {
        struct mgc__undo *u = &s->undo[--s->n_undo];
        mgc__item *out = NULL;

        if (!u->now->absent) s->n_records--;
        s->written -= u->now->key_len + u->now->value_len;
        if (u->old != NULL) {
            bool done = mgc__tree_put(&s->tree, u->old, &out); /* the key is there: no memory needed */
            assert(done);
            (void)done;
            if (!u->old->absent) s->n_records++;
        } else {
            out = mgc__tree_remove(&s->tree, u->now->bytes, u->now->key_len);
        }
        assert(out == u->now);
        mgc__free(s->ctx, out);
    }
}

/* By key, then in the order of writing: the first of a key knows what was there before the block. */
static int by_key(const void *a, const void *b)
{
    const struct mgc__undo *x = *(const struct mgc__undo *const *)a, *y = *(const struct mgc__undo *const *)b;
    int order = mgc__key_compare(x->now->bytes, x->now->key_len, y->now->bytes, y->now->key_len);

    return order != 0 ? order : (x > y) - (x < y);
}

static bool same_value(const mgc__item *a, const mgc__item *b)
{
    if (a == NULL || b == NULL) return a == b;
    return a->value_len == b->value_len &&
           (a->value_len == 0 || memcmp(mgc__item_value(a), mgc__item_value(b), a->value_len) == 0);
}

static const mgc__item *present(const mgc__item *item)
{
    return item == NULL || item->absent ? NULL : item;
}

static bool same_key(const struct mgc__undo *a, const struct mgc__undo *b)
{
    return mgc__key_compare(a->now->bytes, a->now->key_len, b->now->bytes, b->now->key_len) == 0;
}

/* Keep, sorted, the last entry of each key whose value is another than before the block; answers how many.  What the
 * last one put there is what the tree holds now, so nothing is searched for. */
static size_t real_changes(const struct mgc__undo **list, size_t n)
{
    size_t kept = 0; /* kept <= first: what is looked at has not been overwritten */

    qsort(list, n, sizeof *list, by_key);
    for (size_t first = 0, last; first < n; first = last + 1) {
        for (last = first; last + 1 < n && same_key(list[first], list[last + 1]); last++) {}
        if (!same_value(present(list[first]->old), present(list[last]->now))) list[kept++] = list[last];
    }
    return kept;
}

mgc_status mgc__state_changes(mgc__state *s, mgc__buf *bytes)
{
    const struct mgc__undo **list = mgc__alloc(s->ctx, s->n_undo, sizeof *list);
    mgc__cbor_writer w;
    size_t n;

    if (list == NULL) return MGC_E_NO_MEMORY;
    for (size_t i = 0; i < s->n_undo; i++) list[i] = &s->undo[i];
    n = real_changes(list, s->n_undo);
    mgc__cbor_to_buf(&w, bytes);
    mgc__cbor_put_array(&w, n);
    for (size_t i = 0; i < n; i++) {
        const mgc__item *now = list[i]->now;

        mgc__cbor_put_array(&w, 2);
        mgc__cbor_put_bytes(&w, now->bytes, now->key_len);
        if (!now->absent)
            mgc__cbor_put_bytes(&w, mgc__item_value(now), now->value_len);
        else
            mgc__cbor_put_null(&w);
    }
    mgc__free(s->ctx, list);
    return w.status;
}

/* One [key, value or null] of a write set. */
static mgc_status apply_one(mgc__state *s, mgc__cbor_reader *r, const uint8_t **last, size_t *last_len)
{
    const uint8_t *key, *value = NULL;
    size_t key_len, value_len = 0;
    mgc_status status;
    bool gone;

    mgc__cbor_get_array_of(r, 2);
    key = mgc__cbor_get_bytes(r, &key_len, MGC__KEY_MAX);
    gone = mgc__cbor_get_null(r);
    if (!gone) value = mgc__cbor_get_bytes(r, &value_len, MGC__VALUE_MAX);
    if (r->status != MGC_OK) return r->status;
    if (key_len == 0 || (*last != NULL && mgc__key_compare(*last, *last_len, key, key_len) >= 0))
        return MGC_E_NONCANONICAL;
    *last = key;
    *last_len = key_len;
    /* Searched for once: what was there before is known afterwards, and is put back where the write set is wrong. */
    status = change(s, key, key_len, value, value_len, gone);
    if (status != MGC_OK) return status;
    return same_value(present(s->undo[s->n_undo - 1].old), present(s->undo[s->n_undo - 1].now)) ? MGC_E_STATE_MISMATCH : MGC_OK;
}

mgc_status mgc__state_apply(mgc__state *s, const uint8_t *bytes, size_t len)
{
    const uint8_t *last = NULL;
    size_t last_len = 0;
    mgc__cbor_reader r;
    uint64_t n;

    mgc__cbor_read(&r, bytes, len);
    n = mgc__cbor_get_array(&r, len);
    for (uint64_t i = 0; i < n && r.status == MGC_OK; i++) {
        mgc_status status = apply_one(s, &r, &last, &last_len);
        if (status != MGC_OK) return status;
    }
    return mgc__cbor_finish(&r);
}

/* The first entry of a key in a block holds what stood before the block; the old of a later one was made by the block. */
static void retire(mgc__state *s, mgc__item *old)
{
    if (old != NULL && old->epoch != 0 && old->epoch < s->epoch) {
        assert(!old->absent);
        old->next = s->closed;
        s->closed = old;
        s->n_closed++;
    } else {
        mgc__free(s->ctx, old);
    }
}

void mgc__state_settle(mgc__state *s)
{
    for (size_t i = 0; i < s->n_undo; i++) {
        mgc__item *now = s->undo[i].now;

        /* An absent item that a later entry replaced is that entry's old and is freed there. */
        now->epoch = s->epoch;
        if (now->absent && mgc__tree_get(&s->tree, now->bytes, now->key_len) == now)
            mgc__tree_remove(&s->tree, now->bytes, now->key_len);
        else
            now = NULL;
        retire(s, s->undo[i].old);
        mgc__free(s->ctx, now);
    }
    s->n_undo = 0;
    s->written = 0;
    assert(s->tree.n == s->n_records);
}

/* --- the day's close ----------------------------------------------------------------------------- */

static void forget_view(mgc__state *s)
{
    if (s->view.built) mgc__forest_free(&s->view.forest);
    mgc__free(s->ctx, s->view.items);
    s->view = (struct mgc__view){0};
}

void mgc__state_close_day(mgc__state *s)
{
    forget_view(s);
    while (s->closed != NULL) {
        mgc__item *item = s->closed;
        s->closed = item->next;
        mgc__free(s->ctx, item);
    }
    s->n_closed = 0;
    s->epoch++;
}

void mgc__leaf_write(mgc__cbor_writer *w, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    mgc__cbor_put_array(w, 2);
    mgc__cbor_put_bytes(w, key, key_len);
    mgc__cbor_put_bytes(w, value, value_len);
}

/* The leaf's bytes are hashed where they lie: head, key, head, value. */
void mgc__leaf_hash(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, uint8_t hash[32])
{
    uint8_t head[24];
    mgc__cbor_writer w;
    mgc__sha256 h;
    size_t first;

    mgc__cbor_to_fixed(&w, head, sizeof head);
    mgc__cbor_put_array(&w, 2);
    mgc__cbor_put_bytes_head(&w, key_len);
    first = w.len;
    mgc__cbor_put_bytes_head(&w, value_len);
    mgc__sha256_init(&h);
    mgc__sha256_put(&h, "\x00", 1);
    mgc__sha256_put(&h, head, first);
    mgc__sha256_put(&h, key, key_len);
    mgc__sha256_put(&h, head + first, w.len - first);
    mgc__sha256_put(&h, value, value_len);
    mgc__sha256_end(&h, hash);
}

static void item_leaf(const mgc__item *item, uint8_t hash[32])
{
    mgc__leaf_hash(item->bytes, item->key_len, mgc__item_value(item), item->value_len, hash);
}

static void view_leaf(void *user, uint64_t i, uint8_t hash[32])
{
    item_leaf(((const struct mgc__view *)user)->items[i], hash);
}

static int item_order(const void *a, const void *b)
{
    const mgc__item *x = *(const mgc__item *const *)a, *y = *(const mgc__item *const *)b;

    return mgc__key_compare(x->bytes, x->key_len, y->bytes, y->key_len);
}

/* What was replaced since, sorted, at the end of the list; then the tree's own merged in from the front.  The two never
 * share a key: an item that was replaced is in the tree with the present epoch. */
static uint64_t merge_view(mgc__state *s, const mgc__item **items, const mgc__item **changed)
{
    const mgc__item *next = mgc__state_after(s, NULL, 0, true);
    uint64_t n = 0, c = 0;

    while (next != NULL || c < s->n_closed) {
        if (next != NULL && next->epoch >= s->epoch) {
            next = mgc__state_after(s, next->bytes, next->key_len, false);
            continue;
        }
        if (next == NULL || (c < s->n_closed && item_order(&changed[c], &next) < 0)) {
            items[n++] = changed[c++];
        } else {
            items[n++] = next;
            next = mgc__state_after(s, next->bytes, next->key_len, false);
        }
    }
    return n;
}

mgc_status mgc__state_view(mgc__state *s)
{
    const mgc__item **changed;
    size_t c = 0;
    bool room = true;

    assert(s->n_undo == 0);
    if (s->view.built) return MGC_OK;
    changed = mgc__alloc(s->ctx, s->n_closed, sizeof *changed);
    s->view.items = mgc__alloc(s->ctx, s->n_records + s->n_closed, sizeof *s->view.items);
    if (changed == NULL || s->view.items == NULL) {
        mgc__free(s->ctx, changed);
        forget_view(s);
        return MGC_E_NO_MEMORY;
    }
    for (const mgc__item *item = s->closed; item != NULL; item = item->next) changed[c++] = item;
    qsort(changed, c, sizeof *changed, item_order);
    s->view.n = merge_view(s, s->view.items, changed);
    mgc__free(s->ctx, changed);
    mgc__forest_init(&s->view.forest, s->ctx, view_leaf, &s->view);
    s->view.built = true;
    for (uint64_t i = 0; i < s->view.n && (room = mgc__forest_reserve(&s->view.forest)); i++) {
        uint8_t hash[32];
        view_leaf(&s->view, i, hash);
        mgc__forest_push(&s->view.forest, hash);
    }
    if (!room) forget_view(s);
    return room ? MGC_OK : MGC_E_NO_MEMORY;
}

uint64_t mgc__view_find(const struct mgc__view *view, const uint8_t *key, size_t key_len, bool *found)
{
    uint64_t low = 0, high = view->n;

    *found = false;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        int order = mgc__key_compare(view->items[mid]->bytes, view->items[mid]->key_len, key, key_len);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) low = mid + 1;
        else high = mid;
    }
    return low;
}

mgc_status mgc__state_load(mgc__state *s, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    mgc__item *item;
    uint64_t before = s->tree.n;

    assert(s->n_undo == 0 && s->epoch == 1);
    if (key_len == 0 || key_len > MGC__KEY_MAX || value_len > MGC__VALUE_MAX) return MGC_E_NONCANONICAL;
    item = mgc__item_create(s->ctx, key, key_len, value, value_len);
    if (item == NULL) return MGC_E_NO_MEMORY;
    item->epoch = s->epoch;
    if (mgc__tree_append(&s->tree, item)) {
        s->n_records++;
        return MGC_OK;
    }
    assert(s->tree.n == before);
    (void)before;
    mgc__free(s->ctx, item);
    return mgc__tree_get(&s->tree, key, key_len) != NULL || mgc__tree_after(&s->tree, key, key_len, false) != NULL
               ? MGC_E_NONCANONICAL
               : MGC_E_NO_MEMORY;
}

mgc_status mgc__state_root(const mgc__state *s, uint8_t root[32])
{
    mgc__merkle m;

    mgc__merkle_init(&m);
    for (const mgc__item *item = mgc__state_after(s, NULL, 0, true); item != NULL;
         item = mgc__state_after(s, item->bytes, item->key_len, false)) {
        uint8_t hash[32];
        item_leaf(item, hash);
        mgc__merkle_push(&m, hash);
    }
    mgc__merkle_root(&m, root);
    return MGC_OK;
}
