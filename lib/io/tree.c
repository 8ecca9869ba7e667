/* SPDX-License-Identifier: Apache-2.0 */
/* YAML or JSON as a tree with marks.  JSON is read as the YAML that it is; values are not given types here, so that
 * what YAML 1.1 would make of "no", "1:30" or "010" never happens: whoever asks for a number or a flag says what one
 * looks like. */
#include <stdlib.h>

#include <yaml.h>

#include "io/case.h"
#include "io/utf8.h"

struct builder {
    mgc__loader *l;
    yaml_parser_t parser;
    mgc__node *open[MGC_CASE_DEPTH_MAX]; /* lists and maps not yet ended */
    mgc__node *tail[MGC_CASE_DEPTH_MAX]; /* their last item */
    mgc__node *key[MGC_CASE_DEPTH_MAX];  /* the key that waits for its value */
    uint32_t depth;
    size_t nodes;
    mgc__node *root;
    bool ended, failed;
    const char *text;    /* what is read, for the place of a byte */
    size_t len;
    mgc__node **scratch; /* for finding repeated keys */
    size_t cap;
};

static mgc__mark mark_at(const mgc__loader *l, yaml_mark_t mark)
{
    return (mgc__mark){l->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static void refuse(struct builder *b, yaml_mark_t mark, const char *message)
{
    mgc__issue(b->l, mark_at(b->l, mark), NULL, "%s", message);
    b->failed = true;
}

static int by_key(const void *a, const void *b)
{
    const mgc__node *x = *(mgc__node *const *)a, *y = *(mgc__node *const *)b;
    int order = strcmp(x->key->u.text, y->key->u.text);

    if (order != 0) return order;
    if (x->key->line != y->key->line) return x->key->line < y->key->line ? -1 : 1;
    return x->key->column < y->key->column ? -1 : x->key->column > y->key->column;
}

/* Sorting finds them in n log n whatever the file holds. */
static void tell_repeated_keys(struct builder *b, mgc__node *map)
{
    if (map->n < 2) return;
    if (!mgc__io_grow(b->l->ctx, (void **)&b->scratch, &b->cap, map->n, sizeof(mgc__node *))) {
        b->l->status = mgc__io_no_memory(b->l->ctx, "the keys of a map");
        return;
    }
    size_t n = 0;
    for (mgc__node *item = map->u.first; item != NULL; item = item->next) b->scratch[n++] = item;
    qsort(b->scratch, n, sizeof *b->scratch, by_key);
    for (size_t i = 1; i < n; i++) {
        const mgc__node *key = b->scratch[i]->key, *before = b->scratch[i - 1]->key;
        if (strcmp(key->u.text, before->u.text) != 0) continue;
        mgc__at at = {.name = key->u.text};
        mgc__issue(b->l, mgc__mark_of(b->l, key), &at,
                   "the key is there twice, first in line %u\tkeep one of the two", before->line);
        b->failed = true;
    }
}

static mgc__node *new_node(struct builder *b, yaml_mark_t mark, mgc__node_kind kind)
{
    if (++b->nodes > MGC_CASE_NODES_MAX) {
        refuse(b, mark, "more values than a case file may hold (8388608)\tmove the series to CSV files");
        return NULL;
    }
    mgc__node *node = mgc__take(b->l, 1, sizeof *node);
    if (node == NULL) return NULL;
    node->kind = (uint8_t)kind;
    node->line = (uint32_t)mark.line + 1;
    node->column = (uint32_t)mark.column + 1;
    return node;
}

/* Put a node into what is open: an item, a key or a key's value. */
static void attach(struct builder *b, mgc__node *node, yaml_mark_t mark)
{
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    uint32_t d = b->depth - 1;
    mgc__node *into = b->open[d];
    if (into->kind == NODE_MAP && b->key[d] == NULL) {
        if (node->kind != NODE_SCALAR) {
            refuse(b, mark, "a list or map stands where a key should be");
            return;
        }
        b->key[d] = node;
        return;
    }
    node->key = b->key[d];
    b->key[d] = NULL;
    if (b->tail[d] == NULL) into->u.first = node;
    else b->tail[d]->next = node;
    b->tail[d] = node;
    into->n++;
}

static void on_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        refuse(b, event->start_mark, "anchors and tags are not read\twrite the value itself");
        return;
    }
    if (memchr(value, '\0', len) != NULL) {
        refuse(b, event->start_mark, "a text holds the character U+0000");
        return;
    }
    mgc__node *node = new_node(b, event->start_mark, NODE_SCALAR);
    if (node == NULL) return;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->u.text = mgc__take_text(b->l, value, len);
    if (node->u.text != NULL) attach(b, node, event->start_mark);
}

static void on_open(struct builder *b, const yaml_event_t *event, mgc__node_kind kind)
{
    bool list = kind == NODE_LIST;
    const void *anchor = list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;
    const void *tag = list ? event->data.sequence_start.tag : event->data.mapping_start.tag;

    if (anchor != NULL || tag != NULL) {
        refuse(b, event->start_mark, "anchors and tags are not read\twrite the value itself");
        return;
    }
    if (b->depth == MGC_CASE_DEPTH_MAX) {
        refuse(b, event->start_mark, "nested more deeply than a case file may be (16)");
        return;
    }
    mgc__node *node = new_node(b, event->start_mark, kind);
    if (node == NULL) return;
    attach(b, node, event->start_mark);
    b->open[b->depth] = node;
    b->tail[b->depth] = b->key[b->depth] = NULL;
    b->depth++;
}

static void on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: on_scalar(b, event); break;
    case YAML_SEQUENCE_START_EVENT: on_open(b, event, NODE_LIST); break;
    case YAML_MAPPING_START_EVENT: on_open(b, event, NODE_MAP); break;
    case YAML_MAPPING_END_EVENT: tell_repeated_keys(b, b->open[--b->depth]); break;
    case YAML_SEQUENCE_END_EVENT: b->depth--; break;
    case YAML_ALIAS_EVENT:
        refuse(b, event->start_mark,
               "aliases are not read\twrite the value itself, or put the series into a CSV file");
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (b->root != NULL) refuse(b, event->start_mark, "a second document begins here\ta case is one document");
        break;
    case YAML_STREAM_END_EVENT: b->ended = true; break;
    default: break;
    }
}

/* The reader looks far ahead of the parser, so the parser's mark says nothing of a byte that cannot be read. */
static mgc__mark mark_of_byte(const struct builder *b, size_t offset)
{
    mgc__mark mark = {b->l->file, 0, 0};

    mgc__io_utf8_place(b->text, offset < b->len ? offset : b->len, &mark.line, &mark.column);
    return mark;
}

static void tell_unreadable(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    bool control = strstr(p->problem, "control") != NULL;

    mgc__issue(b->l, mark_of_byte(b, p->problem_offset), NULL, "the byte 0x%02x cannot be read: %s\t%s",
               p->problem_offset < b->len ? (unsigned char)b->text[p->problem_offset] : 0, p->problem,
               control ? "a case file is text; delete the character" : "save the file as UTF-8");
    b->failed = true;
}

/* YAML says of a tab in front of a line only that it cannot start a token. */
static bool is_tab(const struct builder *b, yaml_mark_t mark)
{
    size_t i = 0;

    for (size_t line = 0; line < mark.line && i < b->len; i++) line += b->text[i] == '\n';
    return i + mark.column < b->len && b->text[i + mark.column] == '\t'; /* before it only blanks and dashes */
}

static void tell_parser_error(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;

    if (p->error == YAML_MEMORY_ERROR) {
        b->l->status = mgc__io_no_memory(b->l->ctx, "reading the case");
        return;
    }
    if (p->error == YAML_READER_ERROR) {
        tell_unreadable(b);
        return;
    }
    mgc__mark mark = mark_at(b->l, p->problem_mark);
    const char *problem = p->problem != NULL ? p->problem : "not YAML";
    if (is_tab(b, p->problem_mark))
        mgc__issue(b->l, mark, NULL, "a tab stands where the line is indented\tindent with blanks");
    else if (p->context != NULL && p->context_mark.line + 1 != mark.line)
        mgc__issue(b->l, mark, NULL, "%s, %s that begins in line %zu\tcheck indentation, brackets and quotes",
                   problem, p->context, p->context_mark.line + 1);
    else mgc__issue(b->l, mark, NULL, "%s\tcheck indentation, brackets and quotes", problem);
    b->failed = true;
}

static void run_parser(struct builder *b)
{
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->text, b->len);
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    bool stop = false;
    while (!b->ended && !stop && b->l->status == MGC_OK) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event)) {
            tell_parser_error(b);
            break;
        }
        size_t before = mgc__issue_errors(b->l->kase);
        on_event(b, &event);
        /* A repeated key does not hide what follows; everything else leaves the tree without meaning. */
        stop = b->failed && event.type != YAML_MAPPING_END_EVENT && mgc__issue_errors(b->l->kase) > before;
        yaml_event_delete(&event);
    }
}

mgc__node *mgc__tree_parse(mgc__loader *l, const char *text, size_t len)
{
    struct builder b = {.l = l};

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        mgc__issue(l, (mgc__mark){l->file, 1, 1}, NULL, "the file is UTF-16\tsave it as UTF-8");
        return NULL;
    }
    if (!yaml_parser_initialize(&b.parser)) {
        l->status = mgc__io_no_memory(l->ctx, "the case's parser");
        return NULL;
    }
    b.text = text;
    b.len = len;
    run_parser(&b);
    yaml_parser_delete(&b.parser);
    mgc_ctx_release(l->ctx, b.scratch);
    if (l->status != MGC_OK || !b.ended) return NULL;
    if (b.root == NULL)
        mgc__issue(l, (mgc__mark){l->file, 0, 0}, NULL,
                   "the file is empty\ta case begins with \"format: mgchain-case-1\"");
    return b.root;
}

mgc__mark mgc__mark_of(const mgc__loader *l, const mgc__node *node)
{
    return (mgc__mark){l->file, node->line, node->column};
}

mgc__mark mgc__mark_of_key(const mgc__loader *l, const mgc__node *node)
{
    return mgc__mark_of(l, node->key != NULL ? node->key : node);
}

mgc__node *mgc__map_get(const mgc__node *map, const char *key)
{
    if (map == NULL || map->kind != NODE_MAP) return NULL;
    for (mgc__node *item = map->u.first; item != NULL; item = item->next)
        if (strcmp(item->key->u.text, key) == 0) return item;
    return NULL;
}
