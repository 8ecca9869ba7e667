/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, written: RFC 8259 text whose bytes depend on the values alone. */
#include <math.h>

#include "io/memory.h"
#include "io/utf8.h"

enum { JSON_DEPTH_MAX = 32, JSON_INDENT = 1 };

struct mgc_json {
    mgc_ctx *ctx;
    mgc__text text;
    mgc_status status; /* the first fault */
    uint32_t depth;    /* of what is open */
    char closer[JSON_DEPTH_MAX];
    bool filled[JSON_DEPTH_MAX + 1]; /* whether something precedes, by depth */
    bool complete;
};

mgc_status mgc_json_create(mgc_ctx *ctx, mgc_json **out)
{
    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL) return MGC_E_INVALID_ARG;
    mgc_json *json = mgc__io_alloc(ctx, 1, sizeof *json);
    if (json == NULL) return mgc__io_no_memory(ctx, "a JSON writer");
    json->ctx = ctx;
    json->text.ctx = ctx;
    *out = json;
    return MGC_OK;
}

void mgc_json_destroy(mgc_json *json)
{
    if (json == NULL) return;
    mgc__text_free(&json->text);
    mgc_ctx_release(json->ctx, json);
}

static void fault(mgc_json *json, mgc_status status)
{
    if (json->status == MGC_OK) json->status = status;
}

static void newline(mgc_json *json)
{
    mgc__text_put(&json->text, "\n", 1);
    for (uint32_t i = 0; i < json->depth * JSON_INDENT; i++) mgc__text_put(&json->text, " ", 1);
}

static void put_string(mgc_json *json, const char *s)
{
    size_t len = strlen(s);

    if (mgc__io_utf8_prefix(s, len) < len) {
        fault(json, MGC_E_UTF8);
        return;
    }
    mgc__text_put(&json->text, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            mgc__text_printf(&json->text, "\\%c", c);
        } else if (c == '\n') {
            mgc__text_put(&json->text, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            mgc__text_printf(&json->text, "\\u%04x", c);
        } else {
            mgc__text_put(&json->text, s + i, 1);
        }
    }
    mgc__text_put(&json->text, "\"", 1);
}

/* What stands before every value: comma, line, key. */
static bool begin_value(mgc_json *json, const char *key)
{
    if (json == NULL || json->status != MGC_OK) return false;
    bool in_object = json->depth > 0 && json->closer[json->depth - 1] == '}';
    if (json->complete || in_object != (key != NULL)) {
        fault(json, MGC_E_STATE);
        return false;
    }
    if (json->filled[json->depth]) mgc__text_put(&json->text, ",", 1);
    json->filled[json->depth] = true;
    if (json->depth > 0) newline(json);
    if (key != NULL) {
        put_string(json, key);
        mgc__text_put(&json->text, ": ", 2);
    }
    return true;
}

static void end_value(mgc_json *json)
{
    if (json->depth == 0) json->complete = true;
}

static void open_value(mgc_json *json, const char *key, char opener, char closer)
{
    if (!begin_value(json, key)) return;
    if (json->depth == JSON_DEPTH_MAX) {
        fault(json, MGC_E_LIMIT);
        return;
    }
    mgc__text_put(&json->text, &opener, 1);
    json->closer[json->depth++] = closer;
    json->filled[json->depth] = false;
}

void mgc_json_object(mgc_json *json, const char *key)
{
    open_value(json, key, '{', '}');
}

void mgc_json_array(mgc_json *json, const char *key)
{
    open_value(json, key, '[', ']');
}

void mgc_json_end(mgc_json *json)
{
    if (json == NULL || json->status != MGC_OK) return;
    if (json->depth == 0) {
        fault(json, MGC_E_STATE);
        return;
    }
    bool filled = json->filled[json->depth];
    char closer = json->closer[--json->depth];
    if (filled) newline(json);
    mgc__text_put(&json->text, &closer, 1);
    end_value(json);
}

void mgc_json_string(mgc_json *json, const char *key, const char *value)
{
    if (!begin_value(json, key)) return;
    if (value != NULL) put_string(json, value);
    else mgc__text_add(&json->text, "null");
    end_value(json);
}

static void put_number(mgc_json *json, double value)
{
    if (isfinite(value)) mgc__text_number(&json->text, value == 0 ? 0.0 : value); /* -0 is no news to a reader */
    else mgc__text_add(&json->text, "null");
}

void mgc_json_number(mgc_json *json, const char *key, double value)
{
    if (!begin_value(json, key)) return;
    put_number(json, value);
    end_value(json);
}

void mgc_json_integer(mgc_json *json, const char *key, uint64_t value)
{
    if (!begin_value(json, key)) return;
    mgc__text_printf(&json->text, "%llu", (unsigned long long)value);
    end_value(json);
}

void mgc_json_flag(mgc_json *json, const char *key, int32_t value)
{
    if (!begin_value(json, key)) return;
    mgc__text_add(&json->text, value != 0 ? "true" : "false");
    end_value(json);
}

void mgc_json_null(mgc_json *json, const char *key)
{
    mgc_json_string(json, key, NULL);
}

void mgc_json_numbers(mgc_json *json, const char *key, const double *values, size_t n)
{
    if (!begin_value(json, key)) return;
    if (values == NULL && n > 0) {
        fault(json, MGC_E_INVALID_ARG);
        return;
    }
    mgc__text_put(&json->text, "[", 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) mgc__text_put(&json->text, ", ", 2);
        put_number(json, values[i]);
    }
    mgc__text_put(&json->text, "]", 1);
    end_value(json);
}

mgc_status mgc_json_text(mgc_json *json, const char **text, size_t *len)
{
    if (text != NULL) *text = NULL;
    if (len != NULL) *len = 0;
    if (json == NULL || text == NULL || len == NULL) return MGC_E_INVALID_ARG;
    if (json->text.failed) return mgc__io_no_memory(json->ctx, "a JSON text");
    if (json->status != MGC_OK || json->depth > 0 || !json->complete)
        return mgc__io_fail(json->ctx, json->status != MGC_OK ? json->status : MGC_E_STATE,
                            "io: the JSON text is not complete: %u objects or arrays are open%s", json->depth,
                            json->status == MGC_E_UTF8 ? "; a text is not valid UTF-8" : "");
    if (json->text.bytes[json->text.len - 1] != '\n') mgc__text_put(&json->text, "\n", 1);
    if (json->text.failed) return mgc__io_no_memory(json->ctx, "a JSON text");
    *text = json->text.bytes;
    *len = json->text.len;
    return MGC_OK;
}
