/* SPDX-License-Identifier: Apache-2.0 */
/* Damage in a journal's file: how far it reaches, and putting other bytes in its place.
 *
 * Records have numbers without a gap and their headers a checksum with the store's salt, so the next header that is whole
 * says how many records are lost, though not which.
 *
 * Filling
 *   1. the file is written into one of another name: what stands before the hole, the records, what stands behind it
 *   2. sync; rename; sync the names
 * What can go wrong
 *   a crash, a full disk     the file is as before; the other name is overwritten at the next try
 *   the last record of a file has other checksums now     the next file's head, which names them, is a hole of its own */
#include "ledger/hole.h"

#include <inttypes.h>

#include "ledger/block.h"

enum { BURST = 1 << 20, LOST_MAX = 1 << 16 /* records in one hole: a whole file of marks has more, but is gone */ };

static const char aside[] = "mend.new";

/* --- files --------------------------------------------------------------------------------------- */

struct sized {
    uint32_t segment;
    uint64_t size;
    bool there;
};

static int32_t visit_size(void *user, const char *name, uint64_t size)
{
    struct sized *s = user;
    uint32_t segment;

    if (!mgc__journal_file_number(name, &segment) || segment != s->segment) return MGC_CB_DONE;
    s->size = size;
    s->there = true;
    return MGC_CB_DONE;
}

static mgc_status find_file(const mgc__holed *s, uint32_t segment, struct sized *file)
{
    *file = (struct sized){.segment = segment};
    return mgc__verdict(s->ops->list(s->user, visit_size, file));
}

static mgc_status read_at(const mgc__holed *s, uint32_t segment, uint64_t offset, uint8_t *bytes, size_t len)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    mgc__journal_file_name(segment, name);
    return mgc__journal_read_around(s->ops, s->user, name, offset, bytes, len);
}

static mgc_status not_to_be_told(const mgc__holed *s, const mgc__hole *h, const char *why)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    mgc__journal_file_name(h->segment, name);
    return mgc__fail(s->ctx, MGC_E_CORRUPT, "ledger: damage in %s at byte %" PRIu64 " cannot be mended: %s", name, h->offset, why);
}

/* The header of the record at an offset; *good: it is whole. */
static mgc_status read_header(const mgc__holed *s, uint32_t segment, uint64_t offset, uint64_t size, uint8_t *header,
                              mgc__record *r, bool *good)
{
    mgc_status status;

    *good = false;
    *r = (mgc__record){.place = {.segment = segment, .offset = offset}};
    if (offset > size || size - offset < MGC__RECORD_HEADER) return MGC_OK;
    status = read_at(s, segment, offset, header, MGC__RECORD_HEADER);
    if (status == MGC_OK) *good = mgc__journal_parse(s->journal, header, r);
    return status;
}

/* --- how far it reaches -------------------------------------------------------------------------- */

static bool comes_after(const mgc__record *r, const mgc__hole *h)
{
    return r->type != MGC__RECORD_SEGMENT && r->place.sequence > h->first && r->place.sequence - h->first <= LOST_MAX &&
           r->synced >= h->synced && r->synced <= r->place.sequence;
}

/* The next header of the file that is whole.  Every offset is tried, for the damaged length cannot be believed. */
static mgc_status search(const mgc__holed *s, mgc__hole *h, bool *found)
{
    uint8_t *burst = mgc__alloc(s->ctx, BURST, 1);
    mgc_status status = MGC_OK;
    uint64_t offset = h->offset + 1;

    *found = false;
    if (burst == NULL) return mgc__no_memory(s->ctx, "ledger: searching beyond damage");
    while (status == MGC_OK && !*found && offset < h->size && h->size - offset >= MGC__RECORD_HEADER) {
        size_t len = h->size - offset < BURST ? (size_t)(h->size - offset) : BURST;
        status = read_at(s, h->segment, offset, burst, len);
        for (size_t i = 0; status == MGC_OK && !*found && i + MGC__RECORD_HEADER <= len; i++) {
            mgc__record r = {0};
            if (!mgc__journal_parse(s->journal, burst + i, &r) || !comes_after(&r, h)) continue;
            *found = true;
            h->end = offset + i;
            h->n = r.place.sequence - h->first;
            h->synced_after = r.synced;
        }
        offset += len - (MGC__RECORD_HEADER - 1);
    }
    mgc__free(s->ctx, burst);
    return status;
}

/* No header follows in the file: the next file's own says how many records were before it. */
static mgc_status ask_next_file(const mgc__holed *s, mgc__hole *h, bool *found)
{
    uint8_t header[MGC__RECORD_HEADER];
    struct sized next;
    mgc__record r = {0};
    bool good = false;
    mgc_status status = find_file(s, h->segment + 1, &next);

    *found = false;
    if (status == MGC_OK && next.there) status = read_header(s, h->segment + 1, 0, next.size, header, &r, &good);
    if (status != MGC_OK || !good || r.type != MGC__RECORD_SEGMENT || r.place.sequence <= h->first ||
        r.place.sequence - h->first > LOST_MAX)
        return status;
    *found = true;
    h->end = h->size;
    h->n = r.place.sequence - h->first;
    h->synced_after = r.place.sequence;
    return MGC_OK;
}

static mgc_status measure(const mgc__holed *s, mgc__hole *h)
{
    bool found;
    mgc_status status = search(s, h, &found);

    if (status == MGC_OK && !found) status = ask_next_file(s, h, &found);
    if (status != MGC_OK || found) return status;
    return not_to_be_told(s, h, "nothing behind it says what is lost");
}

/* A record whose header is whole: where does it end, and is it really its body that is damaged? */
static mgc_status look_at_body(const mgc__holed *s, mgc__hole *h)
{
    uint32_t length = h->record.place.length;
    mgc_status status;
    uint8_t *body;
    bool whole;

    if (h->record.place.sequence != h->first || h->record.type == MGC__RECORD_SEGMENT)
        return not_to_be_told(s, h, "it is not the record that belongs there");
    if (length > h->size - h->offset - MGC__RECORD_HEADER) return measure(s, h);
    body = mgc__alloc(s->ctx, (size_t)length + 1, 1);
    if (body == NULL) return mgc__no_memory(s->ctx, "ledger: a record");
    status = read_at(s, h->segment, h->offset + MGC__RECORD_HEADER, body, length);
    whole = status == MGC_OK && mgc__crc32c(0, body, length) == h->sum;
    mgc__free(s->ctx, body);
    if (whole) return not_to_be_told(s, h, "the record is whole, and says what does not fit");
    h->end = h->offset + MGC__RECORD_HEADER + length;
    h->n = 1;
    h->synced_after = h->record.place.sequence;
    return status;
}

/* --- the head of a file -------------------------------------------------------------------------- */

static bool second_fits(const mgc__holed *s, uint64_t salt, const uint8_t *second, mgc__record *r)
{
    mgc__journal_set_salt(s->journal, salt);
    return mgc__journal_parse(s->journal, second, r);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 8; i-- > 0;) value = value << 8 | at[i];
    return value;
}

/* The first file's head told the salt.  Under the right one the next record's header is whole. */
static bool find_salt(const mgc__holed *s, const uint8_t *head, const uint8_t *second, mgc__record *r)
{
    uint8_t bytes[8];

    if (second_fits(s, s->salt, second, r) || second_fits(s, get64(head + MGC__RECORD_HEADER + 8), second, r)) return true;
    for (int at = 0; at < 8; at++)
        for (int other = 1; other < 256; other++) {
            memcpy(bytes, head + MGC__RECORD_HEADER + 8, 8);
            bytes[at] ^= (uint8_t)other;
            if (second_fits(s, get64(bytes), second, r)) return true;
        }
    return false;
}

/* What follows must be the file that belongs here. */
static mgc_status look_at_head(const mgc__holed *s, const mgc__journal_stop *stop, mgc__hole *h)
{
    enum { HEAD = MGC__RECORD_HEADER + MGC__SEGMENT_BODY };
    uint8_t bytes[HEAD + MGC__RECORD_HEADER];
    mgc__record r = {0};
    mgc_status status;
    bool fits;

    h->head = true;
    h->n = 1;
    h->end = HEAD;
    if (h->size < sizeof bytes) return not_to_be_told(s, h, "nothing behind the file's head says whose it is");
    status = read_at(s, h->segment, 0, bytes, sizeof bytes);
    if (status != MGC_OK) return status;
    fits = h->segment == stop->first ? find_salt(s, bytes, bytes + HEAD, &r) : mgc__journal_parse(s->journal, bytes + HEAD, &r);
    if (fits && h->segment == stop->first && h->segment > 0 && r.place.sequence > 0) h->first = r.place.sequence - 1;
    if (!fits || r.place.sequence != h->first + 1)
        return not_to_be_told(s, h, "the file is not the one that belongs there (missing, swapped or of another store)");
    return MGC_OK;
}

mgc_status mgc__hole_fill_head(const mgc__holed *s, const mgc__hole *hole)
{
    uint8_t body[MGC__SEGMENT_BODY];
    mgc__record r = {.place = {.segment = hole->segment, .sequence = hole->first, .length = MGC__SEGMENT_BODY},
                     .synced = hole->first,
                     .type = MGC__RECORD_SEGMENT,
                     .body = body};

    mgc__journal_build_head(s->journal, &r, body);
    return mgc__hole_fill(s, hole, &r, 1);
}

/* --- finding ------------------------------------------------------------------------------------- */

mgc_status mgc__hole_find(const mgc__holed *s, mgc__hole *hole)
{
    mgc__journal_stop stop = mgc__journal_stopped(s->journal);
    uint8_t header[MGC__RECORD_HEADER];
    struct sized file;
    mgc_status status = find_file(s, stop.segment, &file);

    *hole = (mgc__hole){.segment = stop.segment, .size = file.size, .offset = stop.offset, .first = stop.next, .synced = stop.synced};
    if (status != MGC_OK) return status;
    if (!file.there) return not_to_be_told(s, hole, "the file is missing");
    if (stop.offset == 0) return look_at_head(s, &stop, hole);
    if (stop.offset >= file.size) return not_to_be_told(s, hole, "a file is missing, or ends too early");
    status = read_header(s, stop.segment, stop.offset, file.size, header, &hole->record, &hole->known);
    if (status != MGC_OK) return status;
    if (!hole->known) return measure(s, hole);
    hole->sum = mgc__journal_told_sum(header);
    return look_at_body(s, hole);
}

/* --- one byte of a header ------------------------------------------------------------------------ */

/* Two checksums of 32 bits and a number that must be right: one change in 12240 that fits them all is the one. */
mgc_status mgc__hole_heal(const mgc__holed *s, mgc__hole *hole, mgc__buf *body)
{
    uint8_t header[MGC__RECORD_HEADER];
    mgc_status status;
    size_t length;

    if (hole->known || hole->n != 1 || hole->end - hole->offset < sizeof header ||
        hole->end - hole->offset - sizeof header > MGC__RECORD_MAX)
        return MGC_OK;
    length = (size_t)(hole->end - hole->offset) - sizeof header;
    body->len = 0;
    if (!mgc__grow(s->ctx, (void **)&body->bytes, &body->cap, length + 1, 1)) return mgc__no_memory(s->ctx, "ledger: a record");
    status = read_at(s, hole->segment, hole->offset, header, sizeof header);
    if (status == MGC_OK) status = read_at(s, hole->segment, hole->offset + sizeof header, body->bytes, length);
    if (status != MGC_OK) return status;
    body->len = length;
    for (size_t at = 0; at < sizeof header; at++)
        for (int other = 1; other < 256; other++) {
            mgc__record r = {0};
            header[at] ^= (uint8_t)other;
            if (mgc__journal_parse(s->journal, header, &r) && r.place.sequence == hole->first && r.place.length == length &&
                r.type != MGC__RECORD_SEGMENT && r.synced >= hole->synced && r.synced <= hole->synced_after &&
                mgc__journal_told_sum(header) == mgc__crc32c(0, body->bytes, length)) {
                hole->record = r;
                hole->known = true;
                return MGC_OK;
            }
            header[at] ^= (uint8_t)other;
        }
    return MGC_OK;
}

/* --- filling ------------------------------------------------------------------------------------- */

static mgc_status put(const mgc__holed *s, const uint8_t *bytes, size_t len)
{
    return len == 0 ? MGC_OK : mgc__verdict(s->ops->append(s->user, aside, bytes, len));
}

/* What was read whole must be read whole again; where there may be other holes, they are copied, too. */
static mgc_status copy(const mgc__holed *s, uint32_t segment, uint64_t from, uint64_t to, bool whole, uint8_t *burst)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status = MGC_OK;

    mgc__journal_file_name(segment, name);
    while (status == MGC_OK && from < to) {
        size_t len = to - from < BURST ? (size_t)(to - from) : BURST;
        status = whole ? mgc__verdict(s->ops->read(s->user, name, from, burst, len)) : read_at(s, segment, from, burst, len);
        if (status == MGC_OK) status = put(s, burst, len);
        from += len;
    }
    return status;
}

static mgc_status put_records(const mgc__holed *s, const mgc__hole *hole, const mgc__record *records, size_t n)
{
    static const uint8_t nothing[MGC__RECORD_HEADER] = {0};
    uint8_t header[MGC__RECORD_HEADER];
    mgc_status status = MGC_OK;

    assert(n <= hole->n);
    for (size_t i = 0; i < n && status == MGC_OK; i++) {
        mgc__record r = records[i];
        r.place.sequence = hole->first + i;
        mgc__journal_build(s->journal, header, &r);
        status = put(s, header, sizeof header);
        if (status == MGC_OK) status = put(s, r.body, r.place.length);
    }
    return status == MGC_OK && n < hole->n ? put(s, nothing, sizeof nothing) : status;
}

mgc_status mgc__hole_fill(const mgc__holed *s, const mgc__hole *hole, const mgc__record *records, size_t n)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    uint8_t *burst = mgc__alloc(s->ctx, BURST, 1);
    mgc_status status;

    if (burst == NULL) return mgc__no_memory(s->ctx, "ledger: a file's bytes");
    mgc__journal_file_name(hole->segment, name);
    status = mgc__verdict(s->ops->truncate(s->user, aside, 0));
    if (status == MGC_OK) status = copy(s, hole->segment, 0, hole->offset, true, burst);
    if (status == MGC_OK) status = put_records(s, hole, records, n);
    if (status == MGC_OK) status = copy(s, hole->segment, hole->end, hole->size, false, burst);
    if (status == MGC_OK) status = mgc__verdict(s->ops->sync(s->user, aside));
    if (status == MGC_OK) status = mgc__verdict(s->ops->rename(s->user, aside, name));
    if (status == MGC_OK) status = mgc__verdict(s->ops->sync_names(s->user));
    mgc__free(s->ctx, burst);
    if (status == MGC_OK) return MGC_OK;
    (void)s->ops->truncate(s->user, aside, 0); /* the room is given back; if not now, at the next try */
    return mgc__fail(s->ctx, status, "ledger: %s could not be written anew: %s", name, mgc_status_text(status));
}

/* --- what follows -------------------------------------------------------------------------------- */

static void note(mgc__hole_after *after, const mgc__record *r, bool *evidence)
{
    if (r->chain >= MGC_CHAINS_MAX) return;
    if (r->type == MGC__RECORD_BLOCK && after->chains[r->chain].block == 0) after->chains[r->chain].block = r->height;
    if (r->type == MGC__RECORD_BLOCK && after->block.place.length == 0) after->block = *r;
    if (r->type == MGC__RECORD_CERTIFICATE && after->chains[r->chain].certificate == 0) after->chains[r->chain].certificate = r->height;
    if (r->type == MGC__RECORD_CERTIFICATE) after->chains[r->chain].last_certificate = r->height;
    if (r->type == MGC__RECORD_EVIDENCE) *evidence = true;
    if (r->type == MGC__RECORD_RESUME && !*evidence) after->resume = true;
}

mgc_status mgc__hole_look_after(const mgc__holed *s, const mgc__hole *hole, mgc__hole_after *after)
{
    uint8_t header[MGC__RECORD_HEADER];
    uint64_t offset = hole->end;
    struct sized file = {.segment = hole->segment, .size = hole->size, .there = true};
    bool good = true, evidence = false;
    mgc_status status = MGC_OK;

    *after = (mgc__hole_after){0};
    while (status == MGC_OK && good && file.there) {
        mgc__record r;
        if (offset >= file.size) {
            offset = 0;
            status = find_file(s, file.segment + 1, &file);
            continue;
        }
        status = read_header(s, file.segment, offset, file.size, header, &r, &good);
        if (status != MGC_OK || !good) break;
        note(after, &r, &evidence);
        offset += MGC__RECORD_HEADER + r.place.length;
    }
    return status;
}
