/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CBOR: refused, or written back to the very same bytes. */
#include "fuzz.h"

#include "codec/cbor.h"

static void put(mgc__cbor_writer *w, const mgc__cbor_item *item)
{
    switch (item->type) {
    case MGC__CBOR_UINT: mgc__cbor_put_uint(w, item->value); break;
    case MGC__CBOR_NINT: mgc__cbor_put_nint(w, item->value); break;
    case MGC__CBOR_BYTES: mgc__cbor_put_bytes(w, item->bytes, item->len); break;
    case MGC__CBOR_TEXT: mgc__cbor_put_text(w, (const char *)item->bytes, item->len); break;
    case MGC__CBOR_ARRAY: mgc__cbor_put_array(w, item->value); break;
    case MGC__CBOR_MAP: mgc__cbor_put_map(w, item->value); break;
    case MGC__CBOR_NULL: mgc__cbor_put_null(w); break;
    default: mgc__cbor_put_bool(w, item->type == MGC__CBOR_TRUE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *back = malloc(size + 1);
    mgc__cbor_writer w;
    mgc__cbor_reader r;
    mgc__cbor_item item;

    if (back == NULL) return 0;
    mgc__cbor_to_fixed(&w, back, size + 1);
    mgc__cbor_read(&r, data, size);
    while (mgc__cbor_next(&r, &item)) put(&w, &item);
    must(mgc__cbor_finish(&r) == mgc__cbor_check(data, size), "two ways to read disagree");
    if (r.status == MGC_OK) {
        must(w.status == MGC_OK && w.len == size && memcmp(back, data, size) == 0, "accepted, and written differently");
    } else {
        must(r.what != NULL && r.where <= size, "refused without a place");
    }
    free(back);
    return 0;
}
