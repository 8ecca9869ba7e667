/* SPDX-License-Identifier: Apache-2.0 */
/* B-tree after Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, 3rd ed., chapter 18: inserting splits
 * full nodes on the way down, removing fills thin ones on the way down, so neither ever goes back up.
 *
 * Items lie all over the memory.  So that a search need not go to each that it compares with, a node has eight bytes of
 * each key: those after what all of its keys begin with, where that is much (records of one contract), else the first. */
#include "ledger/tree.h"

enum {
    T = 16 /* least degree: nodes of 15..31 items; not critical, measured flat from 8 to 32 */,
    ITEMS = 2 * T - 1,
    SKIP_FROM = 4 /* bytes in common: fewer leave enough of the eight, and save the look at the first key */
};

typedef struct mgc__node {
    uint32_t n;
    uint16_t skip; /* all keys begin with the same bytes, so many at least; 0: perhaps they do */
    bool leaf;
    uint64_t heads[ITEMS]; /* bytes skip .. skip + 7 of the keys as numbers; 0 beyond a key's end */
    mgc__item *items[ITEMS];
    struct mgc__node *kids[]; /* ITEMS + 1 of them, none in a leaf */
} node;

mgc__item *mgc__item_create(mgc_ctx *ctx, const void *key, size_t key_len, const void *value, size_t value_len)
{
    mgc__item *item;

    assert(key_len <= UINT32_MAX && value_len <= UINT32_MAX);
    item = mgc__alloc(ctx, 1, sizeof *item + key_len + value_len);
    if (item == NULL) return NULL;
    item->key_len = (uint32_t)key_len;
    item->value_len = (uint32_t)value_len;
    if (key_len > 0) memcpy(item->bytes, key, key_len);
    if (value_len > 0) memcpy(item->bytes + key_len, value, value_len);
    return item;
}

int mgc__key_compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
    size_t common = a_len < b_len ? a_len : b_len;
    int order = common == 0 ? 0 : memcmp(a, b, common);

    if (order != 0) return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

static node *node_create(mgc_ctx *ctx, bool leaf)
{
    node *x = mgc__alloc(ctx, 1, sizeof *x + (leaf ? 0 : (ITEMS + 1) * sizeof x->kids[0]));

    if (x != NULL) x->leaf = leaf;
    return x;
}

/* --- heads: a smaller head is a smaller key; equal ones say nothing ------------------------------- */

static inline uint64_t head_of(const uint8_t *key, size_t key_len, size_t skip)
{
    uint64_t head = 0;

    if (key_len >= skip + 8) { /* in one piece, so that compilers see one load */
        const uint8_t *k = key + skip;
        return (uint64_t)k[0] << 56 | (uint64_t)k[1] << 48 | (uint64_t)k[2] << 40 | (uint64_t)k[3] << 32 |
               (uint64_t)k[4] << 24 | (uint64_t)k[5] << 16 | (uint64_t)k[6] << 8 | (uint64_t)k[7];
    }
    for (size_t i = skip; i < key_len; i++) head |= (uint64_t)key[i] << (8 * (7 - (i - skip)));
    return head;
}

/* How many bytes all keys of a node begin with: the first and the last do, and so do all between them. */
static uint16_t common(const node *x)
{
    const mgc__item *a = x->items[0], *b = x->items[x->n - 1];
    uint32_t n = 0, most = a->key_len < b->key_len ? a->key_len : b->key_len;

    if (x->n < 2) return 0; /* of one alone the next one will tell */
    while (n < most && n < UINT16_MAX && a->bytes[n] == b->bytes[n]) n++;
    return (uint16_t)(n < SKIP_FROM ? 0 : n);
}

static void take_heads(node *x)
{
    x->skip = x->n == 0 ? 0 : common(x);
    for (uint32_t i = 0; i < x->n; i++) x->heads[i] = head_of(x->items[i]->bytes, x->items[i]->key_len, x->skip);
}

/* Items were moved with their heads; take them anew only where they could say more. */
static void sharpen(node *x)
{
    if (common(x) > x->skip) take_heads(x);
}

/* Between two keys of a node a third one begins as they do; at the edge it may not. */
static void set_item(node *x, uint32_t i, mgc__item *item)
{
    const mgc__item *other = x->items[i == 0 ? x->n - 1 : 0];
    bool edge = i == 0 || i + 1 == x->n;

    x->items[i] = item;
    if (edge && x->skip > 0 && (item->key_len < x->skip || memcmp(item->bytes, other->bytes, x->skip) != 0))
        take_heads(x);
    else x->heads[i] = head_of(item->bytes, item->key_len, x->skip);
}

/* What a key has to do with what all keys of a node begin with: < 0 before them, > 0 behind. */
static int before(const node *x, const void *key, size_t key_len)
{
    int order;

    if (x->skip == 0 || x->n == 0) return 0;
    order = key_len == 0 ? 0 : memcmp(key, x->items[0]->bytes, key_len < x->skip ? key_len : x->skip);
    return order == 0 && key_len < x->skip ? -1 : order;
}

/* Index of the first item whose key is not less; *found where it is equal. */
static uint32_t search(const node *x, const void *key, size_t key_len, bool *found)
{
    uint32_t low = 0, high = x->n;
    int side = before(x, key, key_len);
    uint64_t head;

    *found = false;
    if (side != 0) return side < 0 ? 0 : x->n;
    head = head_of(key, key_len, x->skip);
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int order = x->heads[mid] < head ? -1 : x->heads[mid] > head;

        if (order == 0) order = mgc__key_compare(x->items[mid]->bytes, x->items[mid]->key_len, key, key_len);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) low = mid + 1;
        else high = mid;
    }
    return low;
}

void mgc__tree_init(mgc__tree *tree, mgc_ctx *ctx)
{
    *tree = (mgc__tree){.ctx = ctx};
}

/* Recursion as deep as the tree: 2^64 items stay below 17 levels. */
static void node_free(mgc_ctx *ctx, node *x)
{
    if (x == NULL) return;
    for (uint32_t i = 0; i < x->n; i++) mgc__free(ctx, x->items[i]);
    for (uint32_t i = 0; !x->leaf && i <= x->n; i++) node_free(ctx, x->kids[i]);
    mgc__free(ctx, x);
}

void mgc__tree_free(mgc__tree *tree)
{
    node_free(tree->ctx, tree->root);
    tree->root = NULL;
    tree->n = 0;
}

mgc__item *mgc__tree_get(const mgc__tree *tree, const void *key, size_t key_len)
{
    for (const node *x = tree->root; x != NULL;) {
        bool found;
        uint32_t i = search(x, key, key_len, &found);
        if (found) return x->items[i];
        x = x->leaf ? NULL : x->kids[i];
    }
    return NULL;
}

mgc__item *mgc__tree_after(const mgc__tree *tree, const void *key, size_t key_len, bool inclusive)
{
    mgc__item *best = NULL;

    for (const node *x = tree->root; x != NULL;) {
        bool found;
        uint32_t i = search(x, key, key_len, &found);
        if (found && inclusive) return x->items[i];
        if (found) i++;
        if (i < x->n) best = x->items[i];
        x = x->leaf ? NULL : x->kids[i];
    }
    return best;
}

/* --- inserting ----------------------------------------------------------------------------------- */

static void open_gap(node *x, uint32_t i)
{
    memmove(x->items + i + 1, x->items + i, (x->n - i) * sizeof x->items[0]);
    memmove(x->heads + i + 1, x->heads + i, (x->n - i) * sizeof x->heads[0]);
    if (!x->leaf) memmove(x->kids + i + 2, x->kids + i + 1, (x->n - i) * sizeof x->kids[0]);
    x->n++;
}

static void insert_at(node *x, uint32_t i, mgc__item *item)
{
    open_gap(x, i);
    x->items[i] = NULL;
    set_item(x, i, item);
}

/* B-TREE-SPLIT-CHILD: the full kid i of x, which is not full, becomes two. */
static bool split_kid(mgc_ctx *ctx, node *x, uint32_t i)
{
    node *left = x->kids[i], *right = node_create(ctx, left->leaf);

    if (right == NULL) return false;
    assert(left->n == ITEMS && x->n < ITEMS);
    right->n = T - 1;
    memcpy(right->items, left->items + T, (T - 1) * sizeof left->items[0]);
    memcpy(right->heads, left->heads + T, (T - 1) * sizeof left->heads[0]);
    if (!left->leaf) memcpy(right->kids, left->kids + T, T * sizeof left->kids[0]);
    left->n = T - 1;
    right->skip = left->skip;
    sharpen(left);
    sharpen(right);
    insert_at(x, i, left->items[T - 1]);
    x->kids[i + 1] = right;
    return true;
}

static bool grow_root(mgc__tree *tree)
{
    node *root;

    if (tree->root == NULL) return (tree->root = node_create(tree->ctx, true)) != NULL;
    if (tree->root->n < ITEMS) return true;
    root = node_create(tree->ctx, false);
    if (root == NULL) return false;
    root->kids[0] = tree->root;
    if (!split_kid(tree->ctx, root, 0)) {
        mgc__free(tree->ctx, root);
        return false;
    }
    tree->root = root;
    return true;
}

static mgc__item *swap_item(node *x, uint32_t i, mgc__item *item)
{
    mgc__item *old = x->items[i];

    set_item(x, i, item);
    return old;
}

/* The key is not there, and the leaf that it belongs into is full or there is none. */
static bool insert_splitting(mgc__tree *tree, mgc__item *item)
{
    bool found;
    uint32_t i;

    if (!grow_root(tree)) return false;
    for (node *x = tree->root;; x = x->kids[i]) {
        i = search(x, item->bytes, item->key_len, &found);
        assert(!found);
        if (x->leaf) {
            insert_at(x, i, item);
            tree->n++;
            return true;
        }
        if (x->kids[i]->n < ITEMS) continue;
        if (!split_kid(tree->ctx, x, i)) return false; /* splits so far left a valid tree */
        if (mgc__key_compare(x->items[i]->bytes, x->items[i]->key_len, item->bytes, item->key_len) < 0) i++;
    }
}

/* Replacing needs no memory and must not fail, so nothing is split before the key is known not to be there.  Mostly
 * there is room where the search ends, and one way down is all. */
bool mgc__tree_put(mgc__tree *tree, mgc__item *item, mgc__item **old)
{
    node *x = tree->root;
    bool found = false;
    uint32_t i = 0;

    *old = NULL;
    for (; x != NULL; x = x->kids[i]) {
        i = search(x, item->bytes, item->key_len, &found);
        if (found || x->leaf) break;
    }
    if (found) {
        *old = swap_item(x, i, item);
        return true;
    }
    if (x == NULL || x->n == ITEMS) return insert_splitting(tree, item);
    insert_at(x, i, item);
    tree->n++;
    return true;
}

bool mgc__tree_append(mgc__tree *tree, mgc__item *item)
{
    node *x = tree->root;

    while (x != NULL && !x->leaf) x = x->kids[x->n];
    if (x != NULL && x->n > 0 &&
        mgc__key_compare(x->items[x->n - 1]->bytes, x->items[x->n - 1]->key_len, item->bytes, item->key_len) >= 0)
        return false;
    if (!grow_root(tree)) return false;
    for (x = tree->root; !x->leaf; x = x->kids[x->n])
        if (x->kids[x->n]->n == ITEMS && !split_kid(tree->ctx, x, x->n)) return false;
    insert_at(x, x->n, item);
    tree->n++;
    return true;
}

/* --- removing ------------------------------------------------------------------------------------ */

static mgc__item *close_gap(node *x, uint32_t i)
{
    mgc__item *item = x->items[i];

    memmove(x->items + i, x->items + i + 1, (x->n - i - 1) * sizeof x->items[0]);
    memmove(x->heads + i, x->heads + i + 1, (x->n - i - 1) * sizeof x->heads[0]);
    if (!x->leaf) memmove(x->kids + i + 1, x->kids + i + 2, (x->n - i - 1) * sizeof x->kids[0]);
    x->n--;
    return item;
}

/* Kid i, item i and kid i + 1 of x, both kids thin, become one kid. */
static void merge_kids(mgc_ctx *ctx, node *x, uint32_t i)
{
    node *left = x->kids[i], *right = x->kids[i + 1];

    assert(left->n == T - 1 && right->n == T - 1);
    left->items[T - 1] = x->items[i];
    memcpy(left->items + T, right->items, (T - 1) * sizeof right->items[0]);
    if (!left->leaf) memcpy(left->kids + T, right->kids, T * sizeof right->kids[0]);
    left->n = ITEMS;
    take_heads(left);
    close_gap(x, i);
    mgc__free(ctx, right);
}

static void borrow_from_left(node *x, uint32_t i)
{
    node *kid = x->kids[i], *left = x->kids[i - 1];

    memmove(kid->items + 1, kid->items, kid->n * sizeof kid->items[0]);
    if (!kid->leaf) memmove(kid->kids + 1, kid->kids, (kid->n + 1) * sizeof kid->kids[0]);
    kid->items[0] = x->items[i - 1];
    if (!kid->leaf) kid->kids[0] = left->kids[left->n];
    kid->n++;
    take_heads(kid);
    set_item(x, i - 1, left->items[--left->n]);
}

static void borrow_from_right(node *x, uint32_t i)
{
    node *kid = x->kids[i], *right = x->kids[i + 1];

    kid->items[kid->n] = x->items[i];
    if (!kid->leaf) kid->kids[kid->n + 1] = right->kids[0];
    kid->n++;
    take_heads(kid);
    set_item(x, i, right->items[0]);
    if (!right->leaf) memmove(right->kids, right->kids + 1, right->n * sizeof right->kids[0]);
    memmove(right->items, right->items + 1, (right->n - 1) * sizeof right->items[0]);
    memmove(right->heads, right->heads + 1, (right->n - 1) * sizeof right->heads[0]);
    right->n--;
}

/* Give kid i of x at least T items before going down into it; answers the kid. */
static node *fill_kid(mgc_ctx *ctx, node *x, uint32_t i)
{
    if (x->kids[i]->n >= T) return x->kids[i];
    if (i > 0 && x->kids[i - 1]->n >= T) {
        borrow_from_left(x, i);
    } else if (i < x->n && x->kids[i + 1]->n >= T) {
        borrow_from_right(x, i);
    } else {
        if (i == x->n) i--;
        merge_kids(ctx, x, i);
    }
    return x->kids[i];
}

/* Take out the greatest (or least) item below x, which has T items at least. */
static mgc__item *take_edge(mgc_ctx *ctx, node *x, bool greatest)
{
    while (!x->leaf) x = fill_kid(ctx, x, greatest ? x->n : 0);
    return close_gap(x, greatest ? x->n - 1 : 0);
}

mgc__item *mgc__tree_remove(mgc__tree *tree, const void *key, size_t key_len)
{
    mgc__item *out = NULL;
    node *x = tree->root;

    while (x != NULL) {
        bool found;
        uint32_t i = search(x, key, key_len, &found);

        if (found && x->leaf) out = close_gap(x, i);
        else if (found && x->kids[i]->n >= T) out = swap_item(x, i, take_edge(tree->ctx, x->kids[i], true));
        else if (found && x->kids[i + 1]->n >= T) out = swap_item(x, i, take_edge(tree->ctx, x->kids[i + 1], false));
        else if (found) merge_kids(tree->ctx, x, i);
        if (out != NULL || x->leaf) break;
        x = found ? x->kids[i] : fill_kid(tree->ctx, x, i);
    }
    if (out != NULL) tree->n--;
    x = tree->root;
    if (x != NULL && x->n == 0) { /* the root lost its last item: its only kid is the root now */
        tree->root = x->leaf ? NULL : x->kids[0];
        mgc__free(tree->ctx, x);
    }
    return out;
}
