/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json: what a run left behind, so that a result can be told from another and a changed file from the
 * written one. */
#include "io/file.h"
#include "mgchain/crypto.h"

enum { MANIFEST_FILE_MAX = 1 << 30, HASH_BYTES = 32 };

static mgc_status hash_file(mgc_ctx *ctx, const char *path, char hex[2 * HASH_BYTES + 1], size_t *len)
{
    static const char digit[] = "0123456789abcdef";
    uint8_t hash[HASH_BYTES];
    const char *why;
    char *bytes;

    mgc_status status = mgc__file_read(ctx, path, MANIFEST_FILE_MAX, &bytes, len, &why);
    if (status != MGC_OK) return mgc__io_fail(ctx, status, "io: %s cannot be read for the manifest: %s", path, why);
    status = mgc_sha256((const uint8_t *)bytes, *len, hash);
    mgc_ctx_release(ctx, bytes);
    if (status != MGC_OK) return mgc__io_fail(ctx, status, "io: the hash of %s failed", path);
    for (size_t i = 0; i < HASH_BYTES; i++) {
        hex[2 * i] = digit[hash[i] >> 4];
        hex[2 * i + 1] = digit[hash[i] & 15];
    }
    hex[2 * HASH_BYTES] = '\0';
    return MGC_OK;
}

static mgc_status write_entry(mgc_ctx *ctx, mgc_json *json, const char *folder, const char *name)
{
    char hex[2 * HASH_BYTES + 1];
    mgc__text path = {.ctx = ctx};
    size_t len = 0;

    mgc__text_printf(&path, "%s/%s", folder, name);
    mgc_status status = path.failed ? mgc__io_no_memory(ctx, "a file name") : hash_file(ctx, path.bytes, hex, &len);
    mgc__text_free(&path);
    if (status != MGC_OK) return status;
    mgc_json_object(json, NULL);
    mgc_json_string(json, "name", name);
    mgc_json_integer(json, "bytes", len);
    mgc_json_string(json, "sha256", hex);
    mgc_json_end(json);
    return MGC_OK;
}

static mgc_status write_manifest(mgc_ctx *ctx, const char *folder, mgc_json *json)
{
    mgc__text path = {.ctx = ctx};
    const char *text;
    size_t len;

    mgc_status status = mgc_json_text(json, &text, &len);
    mgc__text_printf(&path, "%s/manifest.json", folder);
    if (status == MGC_OK)
        status = path.failed ? mgc__io_no_memory(ctx, "a file name") : mgc_file_write(ctx, path.bytes, text, len);
    mgc__text_free(&path);
    return status;
}

mgc_status mgc_manifest_write(mgc_ctx *ctx, const char *folder, const char *const *name, size_t files,
                              const char *const *about, size_t pairs)
{
    mgc_json *json;

    if (ctx == NULL || folder == NULL || (name == NULL && files > 0) || (about == NULL && pairs > 0))
        return MGC_E_INVALID_ARG;
    mgc_status status = mgc_json_create(ctx, &json);
    if (status != MGC_OK) return status;
    mgc_json_object(json, NULL);
    mgc_json_string(json, "format", "mgchain-manifest-1");
    mgc_json_string(json, "version", mgc_version_string());
    for (size_t i = 0; i < pairs; i++) mgc_json_string(json, about[2 * i], about[2 * i + 1]);
    mgc_json_array(json, "files");
    for (size_t i = 0; i < files && status == MGC_OK; i++) status = write_entry(ctx, json, folder, name[i]);
    mgc_json_end(json);
    mgc_json_end(json);
    if (status == MGC_OK) status = write_manifest(ctx, folder, json);
    mgc_json_destroy(json);
    return status;
}
