/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/journal.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FORMAT_VERSION = 1,
    SECTOR = 512,           /* bytes that a medium gives or does not give; larger ones are tried in pieces */
    SAID_BYTES = 400,       /* of what a storage says of its failure: a path and a reason */
    SEGMENTS_MAX = 1 << 20, /* files of a store: 64 TiB at the usual size */
    BURST = 1 << 20         /* bytes read at once when searching beyond damage */
};
static const uint32_t magic = 0x314a474du; /* "MGJ1" */

struct mgc__journal {
    mgc_ctx *ctx;
    mgc__journal_opts opts;
    bool locked, failed;
    bool damaged;        /* what is behind the last good record was durable, and is lost; read only */
    uint64_t salt;       /* of this store, from its first segment */
    uint32_t n_segments; /* number of the last file, which is appended to, + 1 */
    uint32_t first;      /* number of the first file that is there */
    uint32_t reading;    /* number of the file being read, or read last */
    uint64_t size;       /* of the last file, as far as it is good */
    uint64_t bytes;      /* of all files but the last */
    uint64_t next;       /* number of the next record */
    uint64_t synced;     /* records before this number are durable */
    uint64_t link;       /* checksums of the last record, for the next segment's head */
    bool dirty;          /* records that are not marks were appended since the last sync */
    uint64_t torn_bytes;
    uint8_t *scratch; /* one record while it is built or read */
    size_t cap_scratch;
};

/* --- little things ------------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) | (uint64_t)get32(at + 4) << 32;
}

void mgc__journal_file_name(uint32_t segment, char name[MGC_STORAGE_NAME_MAX + 1])
{
    snprintf(name, MGC_STORAGE_NAME_MAX + 1, "journal-%08" PRIx32 ".mgj", segment);
}

bool mgc__journal_file_number(const char *name, uint32_t *segment)
{
    char again[MGC_STORAGE_NAME_MAX + 1];

    if (sscanf(name, "journal-%8" SCNx32 ".mgj", segment) != 1) return false;
    mgc__journal_file_name(*segment, again);
    return strcmp(name, again) == 0;
}

static bool scratch(mgc__journal *j, size_t need)
{
    return mgc__grow(j->ctx, (void **)&j->scratch, &j->cap_scratch, need, 1);
}

mgc_status mgc__journal_read_around(const mgc_storage_ops *ops, void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    mgc_status status = mgc__verdict(ops->read(user, name, offset, bytes, len));

    for (size_t at = 0, n; status == MGC_E_IO && at < len; at += n) {
        n = SECTOR - (size_t)((offset + at) % SECTOR);
        if (n > len - at) n = len - at;
        if (mgc__verdict(ops->read(user, name, offset + at, bytes + at, n)) != MGC_OK) memset(bytes + at, 0, n);
    }
    return status == MGC_E_IO ? MGC_OK : status;
}

static mgc_status read_at(mgc__journal *j, uint32_t segment, uint64_t offset, uint8_t *bytes, size_t len)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    mgc__journal_file_name(segment, name);
    if (j->opts.salvage) return mgc__journal_read_around(&j->opts.ops, j->opts.user, name, offset, bytes, len);
    return mgc__verdict(j->opts.ops.read(j->opts.user, name, offset, bytes, len));
}

/* What the storage itself said of a call that failed (the embedded one names file and reason); empty: nothing. */
static void hear_storage(const mgc__journal *j, char said[SAID_BYTES])
{
    snprintf(said, SAID_BYTES, "%s", mgc_ctx_error(j->ctx));
}

static mgc_status fail_for_ever(mgc__journal *j, mgc_status status, const char *what)
{
    char said[SAID_BYTES];

    hear_storage(j, said);
    j->failed = true;
    return mgc__fail(j->ctx, MGC_E_FAILED, "ledger: %s failed (%s); what is durable is unknown until the ledger is opened again", what,
                     said[0] != '\0' ? said : mgc_status_name(status));
}

/* --- one record as bytes ------------------------------------------------------------------------- */

/* Offset: 0 magic, 4 length, 8 number, 16 synced, 24 height, 32 type, 34 chain, 36 zero, 40 checksum of the body, 44
 * of salt and the 44 bytes before.  A segment's own head is checksummed with salt 0, for it tells the salt. */
static uint32_t header_crc(const uint8_t *header, uint64_t salt)
{
    uint8_t bytes[8];

    put64(bytes, salt);
    return mgc__crc32c(mgc__crc32c(0, bytes, 8), header, 44);
}

void mgc__journal_build(const mgc__journal *j, uint8_t *h, const mgc__record *r)
{
    put32(h, magic);
    put32(h + 4, r->place.length);
    put64(h + 8, r->place.sequence);
    put64(h + 16, r->synced);
    put64(h + 24, r->height);
    put16(h + 32, r->type);
    put16(h + 34, r->chain);
    put32(h + 36, 0);
    put32(h + 40, mgc__crc32c(0, r->body, r->place.length));
    put32(h + 44, header_crc(h, r->type == MGC__RECORD_SEGMENT ? 0 : j->salt));
}

bool mgc__journal_parse(const mgc__journal *j, const uint8_t *h, mgc__record *r)
{
    uint32_t type = h[32] | (uint32_t)h[33] << 8;

    if (get32(h) != magic || get32(h + 36) != 0) return false;
    if (get32(h + 44) != header_crc(h, type == MGC__RECORD_SEGMENT ? 0 : j->salt)) return false;
    r->place.length = get32(h + 4);
    r->place.sequence = get64(h + 8);
    r->synced = get64(h + 16);
    r->height = get64(h + 24);
    r->type = type;
    r->chain = h[34] | (uint32_t)h[35] << 8;
    return r->place.length <= MGC__RECORD_MAX;
}

/* --- reading ------------------------------------------------------------------------------------- */

typedef enum { RECORD_GOOD, RECORD_END, RECORD_SHORT, RECORD_DAMAGED } verdict_on_record;

/* The record at an offset of a file of some size; its body lies in the scratch, unless it is not wanted. */
static mgc_status read_if_wanted(mgc__journal *j, uint32_t segment, uint64_t size, uint64_t offset, mgc__record *r,
                                 verdict_on_record *v, bool (*wanted)(void *user, const mgc__record *record),
                                 void *user)
{
    uint8_t header[MGC__RECORD_HEADER];
    mgc_status status;

    *r = (mgc__record){.place = {.segment = segment, .offset = offset}};
    *v = offset == size ? RECORD_END : RECORD_SHORT;
    if (size - offset < sizeof header) return MGC_OK;
    status = read_at(j, segment, offset, header, sizeof header);
    if (status != MGC_OK) return status;
    *v = RECORD_DAMAGED;
    if (!mgc__journal_parse(j, header, r)) {
        r->place.length = 0;
        return MGC_OK;
    }
    *v = RECORD_SHORT;
    if (r->place.length > size - offset - sizeof header) return MGC_OK;
    if (wanted != NULL && !wanted(user, r)) {
        *v = RECORD_GOOD;
        j->link = get64(header + 40);
        return MGC_OK;
    }
    if (!scratch(j, r->place.length)) return mgc__no_memory(j->ctx, "ledger: a record");
    status = read_at(j, segment, offset + sizeof header, j->scratch, r->place.length);
    if (status != MGC_OK) return status;
    r->body = j->scratch;
    *v = mgc__crc32c(0, j->scratch, r->place.length) == get32(header + 40) ? RECORD_GOOD : RECORD_DAMAGED;
    if (*v == RECORD_GOOD) j->link = get64(header + 40);
    return MGC_OK;
}

static mgc_status read_record(mgc__journal *j, uint32_t segment, uint64_t size, uint64_t offset, mgc__record *r,
                              verdict_on_record *v)
{
    return read_if_wanted(j, segment, size, offset, r, v, NULL, NULL);
}

/* Beyond damage at record number `bad`: is there a good record that says that it had been durable?  Only what was
 * not synced may be damaged by a loss of power.  Every offset is tried, because the damaged length cannot be
 * believed. */
static mgc_status proof_of_durability(mgc__journal *j, uint32_t segment, uint64_t size, uint64_t from, uint64_t bad,
                                      bool *found)
{
    uint8_t *burst = mgc__alloc(j->ctx, BURST, 1);
    mgc_status status = MGC_OK;
    uint64_t offset = from;

    *found = false;
    if (burst == NULL) return mgc__no_memory(j->ctx, "ledger: searching beyond damage");
    while (status == MGC_OK && !*found && size - offset >= MGC__RECORD_HEADER) {
        size_t len = size - offset < BURST ? (size_t)(size - offset) : BURST;
        status = read_at(j, segment, offset, burst, len);
        for (size_t i = 0; status == MGC_OK && !*found && i + MGC__RECORD_HEADER <= len; i++) {
            verdict_on_record v;
            mgc__record r;
            if (get32(burst + i) != magic || !mgc__journal_parse(j, burst + i, &r) || r.synced <= bad) continue;
            status = read_record(j, segment, size, offset + i, &r, &v);
            *found = status == MGC_OK && v == RECORD_GOOD;
        }
        offset += len - (MGC__RECORD_HEADER - 1);
    }
    mgc__free(j->ctx, burst);
    return status;
}

static mgc_status corrupt(mgc__journal *j, uint32_t segment, uint64_t offset, uint64_t after_height, const char *what)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    mgc__journal_file_name(segment, name);
    return mgc__fail(j->ctx, MGC_E_CORRUPT, "ledger: %s in %s at byte %" PRIu64 ", after height %" PRIu64, what, name,
                     offset, after_height);
}

/* --- segments ------------------------------------------------------------------------------------ */

static void build_segment_body(const mgc__journal *j, uint32_t segment, uint8_t body[MGC__SEGMENT_BODY])
{
    put32(body, FORMAT_VERSION);
    put32(body + 4, segment);
    put64(body + 8, j->salt);
    put64(body + 16, j->next);
    put64(body + 24, segment == 0 ? 0 : j->link);
    put64(body + 32, 0);
}

static mgc_status check_segment_body(mgc__journal *j, uint32_t segment, uint64_t link_before, const mgc__record *r)
{
    uint8_t want[MGC__SEGMENT_BODY];
    uint64_t link = j->link;

    if (r->type != MGC__RECORD_SEGMENT || r->place.length != MGC__SEGMENT_BODY)
        return corrupt(j, segment, 0, 0, "the file does not begin with a segment's head");
    if (get32(r->body) > FORMAT_VERSION)
        return mgc__fail(j->ctx, MGC_E_VERSION, "ledger: the journal's version is %" PRIu32 "; this library knows %d",
                         get32(r->body), FORMAT_VERSION);
    if (segment == j->first) j->salt = get64(r->body + 8);
    if (segment == j->first && segment > 0) { /* what was before it is pruned */
        j->next = get64(r->body + 16);
        link_before = get64(r->body + 24);
    }
    j->link = link_before;
    build_segment_body(j, segment, want);
    if (memcmp(want, r->body, sizeof want) != 0)
        return corrupt(j, segment, 0, 0,
                       "the file is not the one that belongs here (missing, swapped or of another store)");
    j->link = link;
    return MGC_OK;
}

struct scan {
    mgc__visit_record visit;
    void *user;
    uint64_t height;
};

static mgc_status read_segment_head(mgc__journal *j, uint32_t segment, uint64_t size, bool *unborn)
{
    uint64_t link_before = j->link;
    verdict_on_record v;
    mgc__record r;
    mgc_status status = read_record(j, segment, size, 0, &r, &v);

    *unborn = false;
    if (status != MGC_OK) return status;
    if (v != RECORD_GOOD) {
        /* The head is durable before anything follows, so damage to it in a longer file is no crash. */
        *unborn = segment + 1 == j->n_segments && size <= MGC__RECORD_HEADER + MGC__SEGMENT_BODY &&
                  (!j->opts.strict || v != RECORD_DAMAGED);
        return *unborn ? MGC_OK : corrupt(j, segment, 0, 0, "a damaged segment head");
    }
    status = check_segment_body(j, segment, link_before, &r);
    if (status == MGC_OK && (r.place.sequence != j->next || r.synced != j->next || r.height != 0 || r.chain != 0))
        status = corrupt(j, segment, 0, 0, "a segment head with a wrong number");
    if (status == MGC_OK) {
        j->synced = j->next; /* the file before was synced, and this head too */
        j->next++;
    }
    return status;
}

/* A record that is not good: what a crash leaves, or damage?  MGC_OK: the end of the journal is at `offset`. */
static mgc_status judge_tail(mgc__journal *j, uint32_t segment, uint64_t size, const mgc__record *r,
                             verdict_on_record v, uint64_t height)
{
    uint64_t offset = r->place.offset;
    bool durable = false;
    mgc_status status;

    if (segment + 1 < j->n_segments)
        return corrupt(j, segment, offset, height, "a damaged record before a whole file");
    status = proof_of_durability(j, segment, size, offset + 1, j->next, &durable);
    if (status != MGC_OK) return status;
    if (durable) return corrupt(j, segment, offset, height, "a damaged record that was durable");
    if (j->opts.strict && v == RECORD_DAMAGED)
        return corrupt(j, segment, offset, height, "a damaged record at the end");
    j->torn_bytes = size - offset;
    return MGC_OK;
}

static mgc_status scan_segment(mgc__journal *j, uint32_t segment, uint64_t size, struct scan *scan)
{
    mgc_status status;
    bool unborn;

    j->reading = segment;
    j->size = 0;
    status = read_segment_head(j, segment, size, &unborn);
    if (status != MGC_OK) return status;
    j->size = unborn ? 0 : MGC__RECORD_HEADER + MGC__SEGMENT_BODY;
    if (unborn) {
        j->torn_bytes = size;
        return MGC_OK;
    }
    for (;;) {
        verdict_on_record v;
        mgc__record r;

        status = read_if_wanted(j, segment, size, j->size, &r, &v, j->opts.wanted, scan->user);
        if (status != MGC_OK || v == RECORD_END) return status;
        if (v != RECORD_GOOD) return judge_tail(j, segment, size, &r, v, scan->height);
        if (r.place.sequence != j->next || r.synced > j->next || r.synced < j->synced ||
            r.type == MGC__RECORD_SEGMENT)
            return corrupt(j, segment, j->size, scan->height, "a record out of its place");
        if (r.type == MGC__RECORD_MARK &&
            (r.place.length != 0 || r.height != 0 || r.chain != 0 || r.synced != r.place.sequence))
            return corrupt(j, segment, j->size, scan->height, "a malformed mark");
        j->synced = r.synced;
        if (r.type != MGC__RECORD_MARK) status = scan->visit(scan->user, &r);
        if (status != MGC_OK) return status;
        if (r.type != MGC__RECORD_MARK) scan->height = r.height;
        j->size += MGC__RECORD_HEADER + r.place.length;
        j->next++;
    }
}

/* --- opening ------------------------------------------------------------------------------------- */

struct listing {
    mgc_ctx *ctx;
    uint64_t *sizes; /* by segment number; UINT64_MAX: not seen */
    size_t cap;
    uint32_t n; /* highest number + 1 */
};

static int32_t visit_file(void *user, const char *name, uint64_t size)
{
    struct listing *l = user;
    uint32_t segment;
    size_t old = l->cap;

    if (!mgc__journal_file_number(name, &segment)) return MGC_CB_DONE; /* the lock, a host's own file */
    if (segment >= SEGMENTS_MAX) return MGC_E_CORRUPT;
    if (!mgc__grow(l->ctx, (void **)&l->sizes, &l->cap, (size_t)segment + 1, sizeof *l->sizes))
        return MGC_E_NO_MEMORY;
    for (size_t i = old; i < l->cap; i++) l->sizes[i] = UINT64_MAX;
    l->sizes[segment] = size;
    if (segment >= l->n) l->n = segment + 1;
    return MGC_CB_DONE;
}

static mgc_status scan_all(mgc__journal *j, const struct listing *l, struct scan *scan, bool pruned)
{
    mgc_status status = MGC_OK;

    j->n_segments = l->n;
    while (pruned && j->first < l->n && l->sizes[j->first] == UINT64_MAX) j->first++;
    for (uint32_t i = j->first; i < l->n && status == MGC_OK; i++) {
        if (l->sizes[i] == UINT64_MAX) return corrupt(j, i, 0, scan->height, "a missing file");
        status = scan_segment(j, i, l->sizes[i], scan);
        if (status == MGC_OK && i + 1 < l->n) j->bytes += j->size;
    }
    return status;
}

/* Cut off what was torn.  Doing it twice does no harm, so a crash here is repaired by the next opening. */
static mgc_status repair(mgc__journal *j)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status;

    if (j->n_segments == 0) return MGC_OK;
    mgc__journal_file_name(j->n_segments - 1, name);
    if (j->size == 0) { /* a file whose head never became durable */
        status = mgc__verdict(j->opts.ops.remove(j->opts.user, name));
        if (status == MGC_OK) status = mgc__verdict(j->opts.ops.sync_names(j->opts.user));
        if (status != MGC_OK) return mgc__fail(j->ctx, status, "ledger: %s could not be removed", name);
        j->n_segments--;
        return MGC_OK;
    }
    if (j->torn_bytes > 0) {
        status = mgc__verdict(j->opts.ops.truncate(j->opts.user, name, j->size));
        if (status != MGC_OK)
            return mgc__fail(j->ctx, status, "ledger: the torn end of %s could not be cut off", name);
    }
    /* What was read may still only be in the system's cache: from here on it counts as durable. */
    status = mgc__verdict(j->opts.ops.sync(j->opts.user, name));
    /* Likewise its name: a process may have been killed between the sync of a new file and that of its name. */
    if (status == MGC_OK) status = mgc__verdict(j->opts.ops.sync_names(j->opts.user));
    if (status != MGC_OK) return mgc__fail(j->ctx, status, "ledger: %s could not be synced", name);
    j->synced = j->next;
    return MGC_OK;
}

/* After an unborn last file was removed, the one before is the last: its size is needed again. */
static void settle_size(mgc__journal *j, const struct listing *l)
{
    if (j->n_segments > 0 && j->n_segments < l->n) {
        j->size = l->sizes[j->n_segments - 1];
        j->bytes -= j->size;
    }
}

mgc_status mgc__journal_open(mgc_ctx *ctx, const mgc__journal_opts *opts, mgc__visit_record visit, void *user,
                             mgc__journal **out)
{
    struct scan scan = {.visit = visit, .user = user};
    struct listing listing = {.ctx = ctx};
    bool pruned = false;
    mgc_status status;
    mgc__journal *j;

    *out = NULL;
    j = mgc__alloc(ctx, 1, sizeof *j);
    if (j == NULL) return mgc__no_memory(ctx, "ledger: the journal");
    j->ctx = ctx;
    j->opts = *opts;
    j->salt = opts->salt;
    if (!opts->read_only && opts->ops.lock != NULL) {
        status = mgc__verdict(opts->ops.lock(opts->user));
        if (status != MGC_OK) {
            mgc__journal_close(j);
            return mgc__fail(ctx, status, "ledger: the store could not be locked: %s", mgc_status_text(status));
        }
        j->locked = true;
    }
    status = mgc__verdict(opts->ops.list(opts->user, visit_file, &listing));
    if (status != MGC_OK)
        status = mgc__fail(ctx, status, "ledger: the store's files could not be listed: %s", mgc_status_text(status));
    if (status == MGC_OK && opts->prepare != NULL) status = opts->prepare(user, &pruned);
    if (status == MGC_OK) status = scan_all(j, &listing, &scan, pruned);
    if (status == MGC_E_CORRUPT && opts->salvage) {
        assert(opts->read_only);
        j->damaged = true; /* the context's text says where */
        status = MGC_OK;
    }
    if (status == MGC_OK && !opts->read_only) status = repair(j);
    if (status == MGC_OK) settle_size(j, &listing);
    mgc__free(ctx, listing.sizes);
    if (status != MGC_OK) {
        mgc__journal_close(j);
        return status;
    }
    *out = j;
    return MGC_OK;
}

uint64_t mgc__journal_salt(const mgc__journal *j)
{
    return j->salt;
}

void mgc__journal_close(mgc__journal *j)
{
    if (j == NULL) return;
    if (j->locked && j->opts.ops.unlock != NULL) (void)j->opts.ops.unlock(j->opts.user);
    mgc__free(j->ctx, j->scratch);
    mgc__free(j->ctx, j);
}

/* --- writing ------------------------------------------------------------------------------------- */

/* Append bytes to the last file; after a failure the file is as before, or the journal has failed. */
static mgc_status append_bytes(mgc__journal *j, uint32_t segment, const uint8_t *bytes, size_t len)
{
    char name[MGC_STORAGE_NAME_MAX + 1], said[SAID_BYTES];
    mgc_status status, undone;

    mgc__journal_file_name(segment, name);
    mgc__error_forget(j->ctx);
    status = mgc__verdict(j->opts.ops.append(j->opts.user, name, bytes, len));
    if (status == MGC_OK) return MGC_OK;
    hear_storage(j, said);
    undone = mgc__verdict(j->opts.ops.truncate(j->opts.user, name, j->size));
    if (undone != MGC_OK) return fail_for_ever(j, status, "appending, and cutting back,");
    if (said[0] != '\0') return mgc__fail(j->ctx, status, "%s", said);
    return mgc__fail(j->ctx, status, "ledger: %zu bytes could not be appended to %s: %s", len, name, mgc_status_text(status));
}

static mgc_status write_record(mgc__journal *j, mgc__record *r)
{
    size_t len = MGC__RECORD_HEADER + r->place.length;
    mgc_status status;

    if (!scratch(j, len)) return mgc__no_memory(j->ctx, "ledger: a record");
    if (r->place.length > 0) memmove(j->scratch + MGC__RECORD_HEADER, r->body, r->place.length);
    r->body = j->scratch + MGC__RECORD_HEADER;
    mgc__journal_build(j, j->scratch, r);
    status = append_bytes(j, r->place.segment, j->scratch, len);
    if (status != MGC_OK) return status;
    j->link = get64(j->scratch + 40);
    j->size += len;
    j->next++;
    j->dirty = true;
    return MGC_OK;
}

static mgc_status sync_file(mgc__journal *j, uint32_t segment)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status;

    mgc__journal_file_name(segment, name);
    mgc__error_forget(j->ctx);
    status = mgc__verdict(j->opts.ops.sync(j->opts.user, name));
    return status == MGC_OK ? MGC_OK : fail_for_ever(j, status, "syncing");
}

/* A half-made file is removed, so that the next try begins anew. */
static mgc_status begin_segment(mgc__journal *j)
{
    uint8_t body[MGC__SEGMENT_BODY];
    mgc__record r = {.place = {.segment = j->n_segments, .length = MGC__SEGMENT_BODY, .sequence = j->next},
                     .type = MGC__RECORD_SEGMENT,
                     .synced = j->next,
                     .body = body};
    uint64_t old_size = j->size;
    mgc_status status;

    if (j->n_segments == SEGMENTS_MAX)
        return mgc__fail(j->ctx, MGC_E_LIMIT, "ledger: %d journal files are the most", SEGMENTS_MAX);
    if (j->n_segments > 0) {
        status = sync_file(j, j->n_segments - 1);
        if (status != MGC_OK) return status;
        j->synced = j->next;
    }
    build_segment_body(j, j->n_segments, body);
    r.synced = j->next;
    j->size = 0;
    status = write_record(j, &r);
    if (status != MGC_OK) {
        j->size = old_size;
        return status;
    }
    status = sync_file(j, j->n_segments);
    if (status != MGC_OK) return status;
    mgc__error_forget(j->ctx);
    status = mgc__verdict(j->opts.ops.sync_names(j->opts.user));
    if (status != MGC_OK) return fail_for_ever(j, status, "syncing the names of files");
    j->bytes += old_size;
    j->n_segments++;
    j->synced = j->next;
    j->dirty = false;
    return MGC_OK;
}

mgc_status mgc__journal_append(mgc__journal *j, uint32_t type, uint32_t chain, uint64_t height, const uint8_t *body,
                               size_t len, mgc__place *place)
{
    mgc__record r;
    mgc_status status;

    assert(!j->opts.read_only);
    if (j->failed)
        return mgc__fail(j->ctx, MGC_E_FAILED, "ledger: the storage failed earlier; open the ledger again");
    if (len > MGC__RECORD_MAX)
        return mgc__fail(j->ctx, MGC_E_TOO_LARGE, "ledger: a record of %zu bytes; at most %d", len, MGC__RECORD_MAX);
    /* A certificate stays in the file of the record before it, so that both can be taken back together. */
    if (j->n_segments == 0 ||
        (type != MGC__RECORD_CERTIFICATE && j->size + MGC__RECORD_HEADER + len > j->opts.segment_bytes)) {
        bool empty = j->n_segments > 0 && j->size == MGC__RECORD_HEADER + MGC__SEGMENT_BODY;
        status = empty ? MGC_OK : begin_segment(j); /* a record longer than a segment has one to itself */
        if (status != MGC_OK) return status;
    }
    r = (mgc__record){
        .place = {.segment = j->n_segments - 1, .offset = j->size, .length = (uint32_t)len, .sequence = j->next},
        .synced = j->synced,
        .height = height,
        .type = type,
        .chain = chain,
        .body = body};
    status = write_record(j, &r);
    if (status == MGC_OK) *place = r.place;
    return status;
}

mgc_status mgc__journal_read(mgc__journal *j, const mgc__place *place, uint32_t type, mgc__buf *body)
{
    uint64_t link = j->link;
    verdict_on_record v;
    mgc__record r;
    mgc_status status =
        read_record(j, place->segment, place->offset + MGC__RECORD_HEADER + place->length, place->offset, &r, &v);

    j->link = link;
    if (status != MGC_OK) return status;
    if (v != RECORD_GOOD || r.place.sequence != place->sequence || r.place.length != place->length || r.type != type)
        return corrupt(j, place->segment, place->offset, r.height, "a record that changed since it was written");
    body->len = 0;
    mgc__buf_put(body, r.body, r.place.length);
    return body->status == MGC_OK ? MGC_OK : mgc__no_memory(j->ctx, "ledger: a record");
}

mgc__journal_point mgc__journal_here(const mgc__journal *j)
{
    return (mgc__journal_point){.n_segments = j->n_segments, .size = j->size, .next = j->next, .link = j->link};
}

mgc_status mgc__journal_go_back(mgc__journal *j, const mgc__journal_point *point)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc__journal_point p = *point;
    mgc_status status;

    if (j->failed) return MGC_E_FAILED;
    /* A file was begun since: its head, which is synced, stays.  Its link is not needed again, for an empty file is filled
     * before the next is begun. */
    if (p.n_segments != j->n_segments)
        p = (mgc__journal_point){.size = MGC__RECORD_HEADER + MGC__SEGMENT_BODY, .next = p.next + 1};
    assert(p.next >= j->synced && p.size <= j->size);
    if (p.size == j->size) return MGC_OK;
    mgc__journal_file_name(j->n_segments - 1, name);
    mgc__error_forget(j->ctx);
    status = mgc__verdict(j->opts.ops.truncate(j->opts.user, name, p.size));
    if (status != MGC_OK) return fail_for_ever(j, status, "cutting back");
    j->size = p.size;
    j->next = p.next;
    j->link = p.link;
    return MGC_OK;
}

mgc_status mgc__journal_sync(mgc__journal *j)
{
    mgc__record mark = {.type = MGC__RECORD_MARK};
    mgc_status status;

    if (j->failed)
        return mgc__fail(j->ctx, MGC_E_FAILED, "ledger: the storage failed earlier; open the ledger again");
    if (!j->dirty) return MGC_OK;
    status = sync_file(j, j->n_segments - 1);
    if (status != MGC_OK) return status;
    j->synced = j->next;
    mark.place = (mgc__place){.segment = j->n_segments - 1, .offset = j->size, .sequence = j->next};
    mark.synced = j->next;
    mark.body = (const uint8_t *)"";
    /* The blocks are durable whether or not the mark can be written; where it cannot, the next append will say so. */
    (void)write_record(j, &mark);
    j->dirty = false;
    return MGC_OK;
}

struct sizes {
    uint32_t segment;
    uint64_t size;
};

static int32_t visit_size(void *user, const char *name, uint64_t size)
{
    struct sizes *s = user;
    uint32_t segment;

    if (mgc__journal_file_number(name, &segment) && segment == s->segment) s->size = size;
    return MGC_CB_DONE;
}

mgc_status mgc__journal_prune(mgc__journal *j, uint32_t before, uint32_t *removed)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status = MGC_OK;

    *removed = 0;
    if (j->failed) return mgc__fail(j->ctx, MGC_E_FAILED, "ledger: the storage failed earlier; open the ledger again");
    while (j->first < before && j->first + 1 < j->n_segments) {
        struct sizes s = {.segment = j->first};

        mgc__journal_file_name(j->first, name);
        status = mgc__verdict(j->opts.ops.list(j->opts.user, visit_size, &s));
        if (status == MGC_OK) status = mgc__verdict(j->opts.ops.remove(j->opts.user, name));
        if (status == MGC_OK) status = mgc__verdict(j->opts.ops.sync_names(j->opts.user));
        if (status != MGC_OK) return mgc__fail(j->ctx, status, "ledger: %s could not be removed", name);
        j->bytes -= s.size;
        j->first++;
        (*removed)++;
    }
    return MGC_OK;
}

void mgc__journal_get_info(const mgc__journal *j, mgc__journal_info *info)
{
    *info = (mgc__journal_info){.records = j->next,
                                .bytes = j->bytes + j->size,
                                .torn_bytes = j->torn_bytes,
                                .synced = j->synced,
                                .n_segments = j->n_segments - j->first,
                                .failed = j->failed,
                                .damaged = j->damaged};
}

bool mgc__journal_is_damaged(const mgc__journal *j)
{
    return j->damaged;
}

/* --- for hole.c ---------------------------------------------------------------------------------- */

mgc__journal_stop mgc__journal_stopped(const mgc__journal *j)
{
    return (mgc__journal_stop){.segment = j->reading,
                               .first = j->first,
                               .n_segments = j->n_segments,
                               .offset = j->size,
                               .next = j->next,
                               .synced = j->synced};
}

void mgc__journal_build_head(const mgc__journal *j, const mgc__record *r, uint8_t body[MGC__SEGMENT_BODY])
{
    mgc__journal as_then = *j;

    as_then.next = r->place.sequence;
    build_segment_body(&as_then, r->place.segment, body);
}

uint32_t mgc__journal_told_sum(const uint8_t *header)
{
    return get32(header + 40);
}

void mgc__journal_set_salt(mgc__journal *j, uint64_t salt)
{
    j->salt = salt;
}
