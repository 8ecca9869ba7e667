/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the first inputs of the fuzz targets, made of what the library itself writes:  fuzz_seeds FOLDER.  Run again after
 * a change of the formats; what fuzzing found (found-*) stays. */
#include <sys/stat.h>

#include "fuzz.h"

#include "chain_world.h"
#include "seeds.h"

const char *folder;

void put(const char *target, const char *name, int prefix, const void *bytes, size_t len)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, target);
    (void)!mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *f = fopen(path, "wb");
    must(f != NULL, path);
    if (prefix >= 0) fputc(prefix, f);
    fwrite(bytes, 1, len, f);
    fclose(f);
}

/* --- the market's day ---------------------------------------------------------------------------- */

static uint8_t person_of(struct market *m, const uint8_t *key)
{
    uint8_t public_key[32];

    for (uint8_t i = 0; i < chain_n_people; i++)
        if (mgc_key_public(market_key(m, chain_people[i]), public_key) == MGC_OK && memcmp(public_key, key, 32) == 0) return i;
    return 0;
}

/* One transaction as an act of fuzz_chain, and its arguments for fuzz_args. */
static size_t as_act(struct market *m, const uint8_t *bytes, size_t len, uint8_t *act, uint32_t *of)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_tx_signature s;
    uint32_t index = 0;
    char method[64];

    must(mgc_tx_decode(bytes, len, &tx) == MGC_OK, "a transaction");
    snprintf(method, sizeof method, "%.*s", (int)tx.method_len, tx.method);
    while (mgc_method_name(tx.contract, index) != NULL && strcmp(mgc_method_name(tx.contract, index), method) != 0) index++;
    *of = index;
    memset(act, 0, ACT_HEAD);
    act[ACT_CONTRACT] = (uint8_t)(tx.contract - 1);
    act[ACT_METHOD] = (uint8_t)index;
    act[ACT_SIGNER] = person_of(m, tx.sender);
    act[ACT_WAIT] = CHAIN_STEP_SECOND;
    for (uint32_t i = 0; i < tx.n_signatures; i++) {
        must(mgc_tx_decode_signature(bytes, len, i, &s) == MGC_OK, "a signature");
        if (memcmp(s.public_key, tx.sender, 32) == 0) {
            act[ACT_ROLE] = (uint8_t)s.role;
        } else {
            act[ACT_SECOND] = person_of(m, s.public_key);
            act[ACT_SECOND_ROLE] = (uint8_t)s.role;
        }
    }
    must(tx.arguments_len <= UINT16_MAX, "long arguments");
    act[ACT_LEN] = (uint8_t)tx.arguments_len;
    act[ACT_LEN + 1] = (uint8_t)(tx.arguments_len >> 8);
    memcpy(act + ACT_HEAD, tx.arguments, tx.arguments_len);
    return ACT_HEAD + tx.arguments_len;
}

static void block_seeds(mgc_chain *chain, uint64_t h, bool forms)
{
    mgc__stored_block b;
    mgc__buf record;
    const uint8_t *item;
    size_t at = 0, len;
    char name[40];

    mgc__buf_init(&record, mgc__chain_ctx(chain), MGC__RECORD_MAX);
    must(mgc__read_block_record(chain, h, &record, &b) == MGC_OK, "a block");
    if (forms && record.len < 3000) {
        snprintf(name, sizeof name, "header-%d", (int)h);
        put("formats", name, 1, b.header_bytes, b.header_len);
        snprintf(name, sizeof name, "block-%d", (int)h);
        put("formats", name, 2, b.block, b.block_len);
        snprintf(name, sizeof name, "stored-%d", (int)h);
        put("formats", name, 3, record.bytes, record.len);
        snprintf(name, sizeof name, "writes-%d", (int)h);
        put("formats", name, 7, b.writes, b.writes_len);
        put("cbor", name, -1, b.writes, b.writes_len);
        for (at = 0; mgc__list_next(&b.receipts, &at, &item, &len);) {
            snprintf(name, sizeof name, "receipt-%d", (int)h);
            put("formats", name, 4, item, len);
        }
        must(mgc__journal_read(chain->ledger->journal, &chain->blocks[h - 1].certificate, MGC__RECORD_CERTIFICATE, &record) == MGC_OK,
             "a certificate");
        snprintf(name, sizeof name, "certificate-%d", (int)h);
        put("formats", name, 5, record.bytes, record.len);
    }
    mgc__buf_free(&record);
}

/* How long a block waited for: whole hours, or a second. */
static uint8_t wait_until(uint64_t time_ms, uint64_t before_ms)
{
    uint64_t hours = time_ms > before_ms ? (time_ms - before_ms) / HOUR : 0;

    return hours == 0 || hours > 36 ? CHAIN_STEP_SECOND : (uint8_t)(CHAIN_STEP_HOUR + CHAIN_STEPS * (hours - 1));
}

/* What happens from a height on, as one input for the world that stands there. */
static void day_seed(struct market *m, uint32_t world, uint64_t from)
{
    static uint8_t acts[16384];
    mgc_chain *chain = mgc_node_chain(m->node, 0);
    uint64_t before = 0;
    size_t at = 1;
    char name[20];

    acts[0] = (uint8_t)world;
    for (uint64_t h = from; h <= chain->height && h <= from + ACTS_MAX && at < sizeof acts / 2; h++) {
        mgc_block_info info = {.struct_size = sizeof info};
        mgc_block *block;
        const uint8_t *bytes;
        uint32_t index;
        size_t len;

        must(mgc_chain_read_block(chain, h, &block) == MGC_OK && mgc_block_get_info(block, &info) == MGC_OK, "a block");
        if (h > from && mgc_block_get_tx(block, 0, &bytes, &len, NULL) == MGC_OK) {
            size_t n = as_act(m, bytes, len, acts + at, &index);
            acts[at + ACT_WAIT] = wait_until(info.time_ms, before);
            at += n;
        }
        before = info.time_ms;
        mgc_block_destroy(block);
    }
    snprintf(name, sizeof name, "day-%u", world);
    put("chain", name, -1, acts, at);
}

/* The first transaction of each method, for three targets. */
static void method_seeds(struct market *m, uint64_t h, bool seen[16][64])
{
    static uint8_t act[MGC_TX_BYTES_MAX], with_world[MGC_TX_BYTES_MAX + 1];
    const uint8_t *bytes;
    mgc_block *block;
    uint32_t index;
    size_t len;
    char name[40];

    must(mgc_chain_read_block(mgc_node_chain(m->node, 0), h, &block) == MGC_OK, "a block");
    if (mgc_block_get_tx(block, 0, &bytes, &len, NULL) == MGC_OK) {
        size_t n = as_act(m, bytes, len, act, &index);
        uint8_t contract = act[ACT_CONTRACT];
        if (!seen[contract][index]) {
            seen[contract][index] = true;
            snprintf(name, sizeof name, "tx-%d-%d", contract + 1, (int)index);
            put("formats", name, 0, bytes, len);
            snprintf(name, sizeof name, "%d-%s", contract + 1, mgc_method_name(contract + 1u, index));
            memcpy(with_world + 1, act, n);
            put("chain", name, -1, with_world, n + 1);
            act[ACT_HEAD - 2] = contract;
            act[ACT_HEAD - 1] = (uint8_t)index;
            put("args", name, -1, act + ACT_HEAD - 2, n - ACT_HEAD + 2);
        }
    }
    mgc_block_destroy(block);
}

static void market_seeds(void)
{
    static const int begins[WORLDS] = {STEP_AGREE, STEP_READ_1, STEP_SETTLE, STEP_FINALISE};
    static struct market m;
    static bool seen[16][64];
    uint64_t heights[STEPS + 1];
    mgc_chain *chain;

    market_open(&m);
    chain = mgc_node_chain(m.node, 0);
    for (int step = 0; step < STEPS; step++) {
        heights[step] = chain->height;
        market_step(&m, step);
    }
    for (uint64_t h = 1; h <= chain->height; h++) {
        block_seeds(chain, h, h % 20 == 3);
        method_seeds(&m, h, seen);
    }
    for (uint32_t k = 0; k < WORLDS; k++) day_seed(&m, k, heights[begins[k]]);
    market_close(&m);
}

/* --- a store ------------------------------------------------------------------------------------- */

static void store_seeds(void)
{
    struct disk d;
    struct world w;
    static uint8_t bytes[200000];
    mgc_ctx *ctx;

    must(mgc_ctx_create(NULL, &ctx) == MGC_OK, "a context");
    for (int kind = 0; kind < 3; kind++) {
        size_t at = 1;
        char name[40];

        disk_init(&d);
        must(world_open(&w, ctx, &d, kind == 2 ? 4096 : 1 << 20) == MGC_OK, "a store");
        for (uint64_t h = 1; h <= (kind == 2 ? 7u : (unsigned)kind * 2u); h++) {
            must(mgc_chain_begin(w.chain, 1000 + h) == MGC_OK, "a block");
            if (h == 1) must(add_account(&w, 1, 1, 0, NULL) == MGC_OK && add_account(&w, 2, 1, 0, NULL) == MGC_OK, "accounts");
            if (h > 1) must(add_move(&w, 100 + h, 1, 2, 5, 0, 0, 0, NULL) == MGC_OK, "a transfer");
            must(mgc_chain_commit(w.chain, w.member) == MGC_OK, "a block");
        }
        world_close(&w);
        for (size_t i = 0; i < d.n; i++) {
            bytes[at++] = (uint8_t)d.files[i].size;
            bytes[at++] = (uint8_t)(d.files[i].size >> 8);
            memcpy(bytes + at, d.files[i].bytes, d.files[i].size);
            if (i == 0 && kind == 0) /* after the head of the segment the genesis' record */
                put("formats", "genesis", 6, d.files[0].bytes + 48 + 40 + 48, d.files[0].size - 48 - 40 - 48);
            at += d.files[i].size;
        }
        for (int flags = 0; flags < 2; flags++) {
            bytes[0] = (uint8_t)flags;
            snprintf(name, sizeof name, "store-%d-%d", kind, flags);
            put("journal", name, -1, bytes, at);
        }
        disk_free(&d);
    }
    mgc_ctx_destroy(ctx);
}

/* --- keys ---------------------------------------------------------------------------------------- */

static void key_seeds(void)
{
    static const uint8_t seed[32] = {1, 2, 3};
    char pem[MGC_PEM_BYTES_MAX];
    uint8_t both[96];
    mgc_ctx *ctx;
    mgc_key *key = NULL;
    size_t len;

    must(mgc_ctx_create(NULL, &ctx) == MGC_OK && mgc_key_from_seed(ctx, seed, &key) == MGC_OK, "a key");
    must(mgc_key_to_pem(key, "correct horse", pem, sizeof pem, &len) == MGC_OK, "a key file");
    /* with 600 000 rounds each try would take a third of a second: the wrong words are enough for the reader */
    put("key", "encrypted-cut", -1, pem, len / 2);
    static const char plain[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAECAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
    put("key", "plain", -1, plain, sizeof plain - 1);
    must(mgc_key_public(key, both) == MGC_OK && mgc_key_sign(key, NULL, 0, both + 32) == MGC_OK, "a signature");
    put("key", "signature", -1, both, sizeof both);
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 1;
    folder = argv[1];
    market_seeds();
    store_seeds();
    agent_seeds();
    pool_seeds();
    key_seeds();
    proof_seeds();
    raft_seeds();
    return 0;
}
