/* SPDX-License-Identifier: Apache-2.0 */
/* Answers page by page: "limit=100", then "limit=100&cursor=..." with the cursor of the page before.
 *
 * A cursor is the place after which the next page begins (a record's key, an account's id, a height and index), and
 * eight bytes of a hash over the question, the caller, the chain and the place.  It holds no right: whoever forges one
 * sees what he may see, from another place on.  The hash turns slips into refusals. */
#include "contract/contract.h"

enum { BIND = 8 };
static const char hex_digits[] = "0123456789abcdef";

static void bind_of(const mgc_query *query, const uint8_t chain_id[32], const uint8_t *place, size_t len,
                    uint8_t bind[BIND])
{
    static const char tag[] = "mgchain/cursor/1";
    uint8_t head[8 + 32], hash[32];
    const char *arguments = query->arguments;
    mgc__sha256 s;

    for (size_t i = 0; i < 8; i++) head[i] = (uint8_t)(((uint64_t)query->caller << 16 | len) >> (8 * (7 - i)));
    memcpy(head + 8, chain_id, 32);
    mgc__sha256_init(&s);
    mgc__sha256_put(&s, tag, sizeof tag);
    mgc__sha256_put(&s, head, sizeof head);
    mgc__sha256_put(&s, place, len);
    mgc__sha256_put(&s, query->what, strlen(query->what) + 1);
    while (*arguments != '\0') { /* all but those of paging itself */
        size_t item = strcspn(arguments, "&");

        if (strncmp(arguments, "cursor=", 7) != 0 && strncmp(arguments, "limit=", 6) != 0)
            mgc__sha256_put(&s, arguments, item);
        arguments += item + (arguments[item] == '&' ? 1 : 0);
    }
    mgc__sha256_end(&s, hash);
    memcpy(bind, hash, BIND);
}

static bool from_hex(const char *text, uint8_t *bytes, size_t cap, size_t *len)
{
    size_t n = strlen(text);

    if (n % 2 != 0 || n / 2 > cap) return false;
    for (size_t i = 0; i < n; i++) {
        const char *digit = strchr(hex_digits, text[i]);

        if (digit == NULL) return false;
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (uint8_t)(digit - hex_digits));
    }
    *len = n / 2;
    return true;
}

bool mgc__from_hex(const char *text, uint8_t *bytes, size_t len)
{
    size_t got = 0;

    memset(bytes, 0, len);
    return from_hex(text, bytes, len, &got) && got == len;
}

mgc_status mgc__page_begin(mgc_ctx *ctx, const mgc_query *query, const uint8_t chain_id[32], mgc_rows *rows,
                           mgc__page *page)
{
    char text[MGC_CURSOR_MAX + 1];
    uint8_t bytes[BIND + MGC_RECORD_KEY_MAX] = {0}, bind[BIND];
    size_t len;

    *page = (mgc__page){.query = query, .rows = rows, .limit = UINT64_MAX};
    memcpy(page->chain_id, chain_id, 32);
    if (mgc__query_has(query, "limit") &&
        (!mgc_query_uint(query, "limit", &page->limit) || page->limit == 0 || page->limit > MGC_PAGE_MAX))
        return mgc__fail(ctx, MGC_E_RANGE, "contract: query \"%s\": limit must be 1..%d", query->what, MGC_PAGE_MAX);
    if (!mgc__query_has(query, "cursor")) return MGC_OK;
    if (mgc_query_text(query, "cursor", text, sizeof text) && from_hex(text, bytes, sizeof bytes, &len) && len > BIND) {
        page->after_len = len - BIND;
        memcpy(page->after, bytes + BIND, page->after_len);
        bind_of(query, chain_id, page->after, page->after_len, bind);
        if (memcmp(bind, bytes, BIND) == 0) return MGC_OK;
    }
    return mgc__fail(ctx, MGC_E_CURSOR, "contract: query \"%s\": the cursor is not one of this question", query->what);
}

bool mgc__page_full(const mgc__page *page)
{
    return mgc_rows_count(page->rows) >= page->limit;
}

void mgc__page_end(const mgc__page *page, const uint8_t *place, size_t len)
{
    uint8_t bytes[BIND + MGC_RECORD_KEY_MAX];
    char text[MGC_CURSOR_MAX + 1];

    assert(len > 0 && len <= MGC_RECORD_KEY_MAX);
    bind_of(page->query, page->chain_id, place, len, bytes);
    memcpy(bytes + BIND, place, len);
    for (size_t i = 0; i < BIND + len; i++) {
        text[2 * i] = hex_digits[bytes[i] >> 4];
        text[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    text[2 * (BIND + len)] = '\0';
    mgc__rows_set_cursor(page->rows, text);
}
