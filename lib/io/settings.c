/* SPDX-License-Identifier: Apache-2.0 */
/* Settings files of programs around the library: the reader of case files without the case. */
#include <stdlib.h>

#include "io/case.h"
#include "io/file.h"

enum { SETTINGS_BYTES_MAX = 1 << 20, KEYS_MAX = 64};

struct mgc_settings {
    mgc__loader l;
    mgc_case kase; /* holds the issues */
    const mgc__node *root;
};

/* --- paths ---------------------------------------------------------------------------------------------------- */

/* One step of "members[2].address"; *s moves on.  NULL: it is not there. */
static const mgc__node *step(const mgc__node *node, const char **s)
{
    size_t len = strcspn(*s, ".[");
    const char *name = *s;

    if (node == NULL) return NULL;
    if (*name == '[') {
        unsigned long index = strtoul(name + 1, NULL, 10);
        *s = strchr(name, ']') + 1;
        if (node->kind != NODE_LIST) return NULL;
        for (node = node->u.first; node != NULL && index-- > 0;) node = node->next;
    } else {
        const mgc__node *item = node->kind == NODE_MAP ? node->u.first : NULL;
        while (item != NULL && (strlen(item->key->u.text) != len || memcmp(item->key->u.text, name, len) != 0)) item = item->next;
        node = item;
        *s += len;
    }
    if (**s == '.') (*s)++;
    return node;
}

/* *nearest: the deepest one on the way, for the place in a message. */
static const mgc__node *find(const mgc_settings *s, const char *path, const mgc__node **nearest)
{
    const mgc__node *node = s->root;

    *nearest = node;
    while (node != NULL && *path != '\0') {
        node = step(node, &path);
        if (node != NULL) *nearest = node;
    }
    return node;
}

static const mgc__node *want(mgc_settings *s, const char *path, bool needed)
{
    const mgc__node *nearest, *node = find(s, path, &nearest);

    if (node == NULL && needed && s->root != NULL) mgc__issue_path(&s->l, mgc__mark_of(&s->l, nearest), path, "is missing");
    return node;
}

int32_t mgc_settings_has(const mgc_settings *settings, const char *path)
{
    const mgc__node *nearest;

    return settings != NULL && path != NULL && find(settings, path, &nearest) != NULL;
}

/* --- values --------------------------------------------------------------------------------------------------- */

const char *mgc_settings_text(mgc_settings *settings, const char *path, const char *otherwise)
{
    mgc__at at = {NULL, path, 0};
    const char *text;

    if (settings == NULL || path == NULL) return otherwise;
    const mgc__node *node = want(settings, path, otherwise == NULL);
    return node != NULL && mgc__read_text(&settings->l, &at, node, &text) ? text : otherwise;
}

uint64_t mgc_settings_whole(mgc_settings *settings, const char *path, uint64_t lower, uint64_t upper, uint64_t otherwise)
{
    mgc__at at = {NULL, path, 0};
    uint64_t value;

    if (settings == NULL || path == NULL) return otherwise;
    const mgc__node *node = want(settings, path, otherwise == MGC_SETTINGS_NEEDED);
    return node != NULL && mgc__read_whole(&settings->l, &at, node, lower, upper, &value) ? value : otherwise;
}

uint32_t mgc_settings_count(mgc_settings *settings, const char *path)
{
    mgc__at at = {NULL, path, 0};
    const mgc__node *nearest;

    if (settings == NULL || path == NULL) return 0;
    const mgc__node *node = find(settings, path, &nearest);
    return node != NULL && mgc__want_list(&settings->l, &at, node) ? node->n : 0;
}

void mgc_settings_keys(mgc_settings *settings, const char *path, const char *keys)
{
    const char *own[KEYS_MAX];
    const mgc__node *nearest;
    mgc__at at = {NULL, path, 0};
    size_t n = 0;

    if (settings == NULL || path == NULL || keys == NULL) return;
    const mgc__node *node = find(settings, path, &nearest);
    if (node == NULL || !mgc__want_map(&settings->l, *path == '\0' ? NULL : &at, node)) return;
    for (const char *s = keys; *s != '\0' && n < KEYS_MAX; s += strspn(s, " ")) {
        own[n] = mgc__take_text(&settings->l, s, strcspn(s, " "));
        if (own[n++] == NULL) return;
        s += strcspn(s, " ");
    }
    mgc__check_keys(&settings->l, *path == '\0' ? NULL : &at, node, own, n, NULL, NULL);
}

void mgc_settings_fault(mgc_settings *settings, const char *path, const char *message, const char *cure)
{
    const mgc__node *nearest;

    if (settings == NULL || settings->root == NULL || path == NULL || message == NULL) return;
    (void)find(settings, path, &nearest);
    mgc__issue_path(&settings->l, mgc__mark_of(&settings->l, nearest), path, "%s\t%s", message, cure != NULL ? cure : "");
}

uint32_t mgc_settings_faults(const mgc_settings *settings)
{
    return settings != NULL ? (uint32_t)settings->kase.issues : 0;
}

const char *mgc_settings_fault_text(const mgc_settings *settings, uint32_t index)
{
    return settings != NULL && index < settings->kase.issues ? settings->kase.issue[index].text : NULL;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static void check_format(mgc_settings *s, const char *format)
{
    const char *text;

    if (s->root == NULL || !mgc__want_map(&s->l, NULL, s->root)) return;
    text = mgc_settings_text(s, "format", NULL);
    if (text != NULL && strcmp(text, format) != 0)
        mgc__issue_path(&s->l, mgc__mark_of(&s->l, mgc__map_get(s->root, "format")), "format", "is \"%s\"\tthis program reads %s",
                        mgc__show(&s->l, text), format);
}

mgc_status mgc_settings_load_file(mgc_ctx *ctx, const char *path, const char *format, mgc_settings **out)
{
    const char *why;
    char *bytes = NULL;
    size_t len;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL || path == NULL || format == NULL) return MGC_E_INVALID_ARG;
    mgc_status status = mgc__file_read(ctx, path, SETTINGS_BYTES_MAX, &bytes, &len, &why);
    if (status != MGC_OK) return mgc__io_fail(ctx, status, "io: the file %s cannot be read: %s", path, why);
    mgc_settings *s = mgc__io_alloc(ctx, 1, sizeof *s);
    if (s != NULL) {
        s->l = (mgc__loader){.ctx = ctx, .arena = {.ctx = ctx}, .kase = &s->kase};
        s->kase.ctx = ctx;
        s->kase.arena.ctx = ctx;
        s->l.file = mgc__arena_copy(&s->kase.arena, path, strlen(path));
        if (s->l.file == NULL) s->l.status = MGC_E_NO_MEMORY;
        else s->root = mgc__tree_parse(&s->l, bytes, len);
        check_format(s, format);
    }
    mgc_ctx_release(ctx, bytes);
    if (s == NULL || s->l.status != MGC_OK) {
        mgc_settings_destroy(s);
        return mgc__io_no_memory(ctx, "settings");
    }
    *out = s;
    return s->kase.issues == 0 ? MGC_OK : mgc_ctx_fail(ctx, MGC_E_CASE, s->kase.issue[0].text);
}

void mgc_settings_destroy(mgc_settings *settings)
{
    if (settings == NULL) return;
    mgc__arena_free(&settings->l.arena);
    mgc_ctx_release(settings->kase.ctx, settings->kase.issue);
    mgc__arena_free(&settings->kase.arena);
    mgc_ctx_release(settings->l.ctx, settings);
}
