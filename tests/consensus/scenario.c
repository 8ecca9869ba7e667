/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario language: one act or expectation a line, invariants checked after each.  doc/consensus.md lists the verbs.
 * Strict: an unknown verb, key, kind or member is a fault of that line. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "cluster.h"

enum { LINES_MAX = 100000, WORDS_MAX = 4100, LINE_BYTES = 1 << 16, DEPTH_MAX = 8, ACTS_MAX = 200000 };
enum { DELIVERED_MAX = 5000000 };
static const uint64_t number_max = UINT64_MAX / 4; /* terms grow by one with each campaign: they stay far from the end */

typedef struct scenario {
    cluster *c;
    char **lines;
    uint32_t n_lines, acts;
    bool started;
    char *word[WORDS_MAX];
    uint32_t n;
    char text[LINE_BYTES];
    char why[TEXT_MAX];
    char tags[256][32]; /* read tags by number */
    uint32_t n_tags;
    mgc_raft_credit credit[NODES_MAX + 1][NODES_MAX];
} scenario;

static bool wrong(scenario *s, const char *format, ...) MGC_PRINTF(2, 3);

static bool wrong(scenario *s, const char *format, ...)
{
    va_list args;

    if (s->why[0] != '\0') return false;
    va_start(args, format);
    vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
    return false;
}

/* --- words --- */

static bool number(scenario *s, const char *text, uint64_t *value)
{
    char *end;

    *value = 0;
    if (!isdigit((unsigned char)text[0])) return wrong(s, "\"%s\" is not a number", text);
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (*end != '\0') return wrong(s, "\"%s\" is not a number", text);
    return (errno == 0 && *value <= number_max) || wrong(s, "%s is too large; allowed %llu", text, (unsigned long long)number_max);
}

static bool member(scenario *s, const char *text, uint32_t *id)
{
    uint64_t value;

    *id = 0;
    if (!number(s, text, &value)) return false;
    if (value < 1 || value > s->c->n) return wrong(s, "no member %s", text);
    *id = (uint32_t)value;
    return true;
}

static bool member_up(scenario *s, const char *text, uint32_t *id)
{
    return member(s, text, id) && (s->c->nodes[*id].up || wrong(s, "member %s is not running", text));
}

/* "T.I" */
static bool position(scenario *s, const char *text, uint64_t *term, uint64_t *index)
{
    char copy[64], *dot;

    *term = *index = 0;
    snprintf(copy, sizeof copy, "%s", text);
    dot = strchr(copy, '.');
    if (dot == NULL) return wrong(s, "\"%s\" is not term.index", text);
    *dot = '\0';
    return number(s, copy, term) && number(s, dot + 1, index);
}

/* value of "key=value", NULL where the word is another one */
static const char *value_of(const char *word, const char *key)
{
    size_t n = strlen(key);

    return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool count(scenario *s, uint32_t least, uint32_t most)
{
    return (s->n - 1 >= least && s->n - 1 <= most) || wrong(s, "%s takes %u to %u words, not %u", s->word[0], least, most, s->n - 1);
}

static const struct { const char *name; uint32_t kind; } kinds[] = {
    {"vote", MGC_RAFT_VOTE_REQ},      {"voteresp", MGC_RAFT_VOTE_RESP},       {"prevote", MGC_RAFT_PREVOTE_REQ},
    {"prevoteresp", MGC_RAFT_PREVOTE_RESP}, {"app", MGC_RAFT_APPEND_REQ},     {"appresp", MGC_RAFT_APPEND_RESP},
    {"hb", MGC_RAFT_HEARTBEAT_REQ},   {"hbresp", MGC_RAFT_HEARTBEAT_RESP},    {"snap", MGC_RAFT_SNAPSHOT_REQ},
    {"snapresp", MGC_RAFT_SNAPSHOT_RESP}, {"read", MGC_RAFT_READ_REQ},        {"readresp", MGC_RAFT_READ_RESP},
    {"timeoutnow", MGC_RAFT_TIMEOUT_NOW}, {"fetch", MGC_RAFT_FETCH_REQ},      {"fetchresp", MGC_RAFT_FETCH_RESP},
};

static bool kind_named(scenario *s, const char *name, uint32_t *kind)
{
    *kind = 0;
    for (size_t i = 0; i < MGC__COUNT(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = kinds[i].kind;
            return true;
        }
    return wrong(s, "no kind of message \"%s\"", name);
}

/* A set of members in words from..end; all where there are none. */
static bool member_set(scenario *s, uint32_t from, uint32_t *set)
{
    *set = s->n > from ? 0 : ~(uint32_t)0;
    for (uint32_t i = from; i < s->n; i++) {
        uint32_t id;

        if (!member(s, s->word[i], &id)) return false;
        *set |= 1u << id;
    }
    return true;
}

/* "1,2,3" */
static bool id_list(scenario *s, const char *text, uint32_t n, uint32_t *set)
{
    *set = 0;
    while (*text != '\0') {
        unsigned long id = strtoul(text, (char **)(uintptr_t)&text, 10);

        if (id < 1 || id > n || (*text != ',' && *text != '\0')) return wrong(s, "a list of members was expected");
        *set |= 1u << id;
        if (*text == ',') text++;
    }
    return true;
}

/* --- before the start --- */

static bool verb_cluster(scenario *s)
{
    uint32_t voters = 0, learners = 0, window = 256, flags = MGC__NO_PREVOTE | MGC__NO_CHECK_QUORUM | MGC__AT_ONCE, batch = 64;
    uint64_t n, n_window;

    if (s->c != NULL) return wrong(s, "a second cluster");
    if (s->n < 2 || !number(s, s->word[1], &n)) return wrong(s, "cluster takes a number");
    if (n < 1 || n > NODES_MAX) return wrong(s, "a cluster has 1 to %u members", (unsigned)NODES_MAX);
    for (uint32_t i = 2; i < s->n; i++) {
        const char *w = s->word[i], *v;

        if (strcmp(w, "prevote") == 0)
            flags &= ~(uint32_t)MGC__NO_PREVOTE;
        else if (strcmp(w, "checkquorum") == 0)
            flags &= ~(uint32_t)MGC__NO_CHECK_QUORUM;
        else if (strcmp(w, "onebyone") == 0)
            batch = 1;
        else if ((v = value_of(w, "window")) != NULL && number(s, v, &n_window) && n_window >= 1 && n_window <= 256)
            window = (uint32_t)n_window;
        else if ((v = value_of(w, "voters")) != NULL ? !id_list(s, v, (uint32_t)n, &voters)
                 : (v = value_of(w, "learners")) != NULL ? !id_list(s, v, (uint32_t)n, &learners)
                                                         : !wrong(s, "no option \"%s\" of cluster", w))
            return false;
    }
    s->c = cluster_new((uint32_t)n, voters, learners);
    s->c->test_flags = flags;
    s->c->lease_is_silent = true;
    s->c->opts.batch_entries = batch;
    s->c->opts.inflight_max = window;
    s->c->opts.members_max = MGC_RAFT_MEMBERS_MAX; /* room for all that is sent at once */
    return true;
}

static uint64_t last_term_on_disk(const disk *d)
{
    return d->last == d->base.index ? d->base.term : d->log[d->last].term;
}

static bool verb_log(scenario *s)
{
    uint32_t id;

    if (s->started) return wrong(s, "log comes before start");
    if (!count(s, 1, WORDS_MAX) || !member(s, s->word[1], &id)) return false;
    for (uint32_t i = 2; i < s->n; i++) {
        char *colon = strchr(s->word[i], ':');
        uint64_t term;

        if (colon == NULL) return wrong(s, "\"%s\" is not term:data", s->word[i]);
        *colon = '\0';
        if (!number(s, s->word[i], &term)) return false;
        if (term < last_term_on_disk(&s->c->nodes[id].disk)) return wrong(s, "terms fall at \"%s\"", s->word[i]);
        if (s->c->nodes[id].disk.last + 2 >= DISK_MAX) return wrong(s, "a log has at most %u entries", (unsigned)DISK_MAX - 2);
        disk_append(s->c, id, term, colon + 1);
    }
    return true;
}

static bool verb_hard(scenario *s)
{
    uint32_t id;
    uint64_t x;

    if (s->started) return wrong(s, "hard comes before start");
    if (!count(s, 1, 4) || !member(s, s->word[1], &id)) return false;
    for (uint32_t i = 2; i < s->n; i++) {
        mgc_raft_hard *hard = &s->c->nodes[id].disk.hard;
        const char *w = s->word[i], *v;

        if ((v = value_of(w, "term")) != NULL && number(s, v, &x))
            hard->term = x;
        else if ((v = value_of(w, "vote")) != NULL && number(s, v, &x) && x <= s->c->n)
            hard->vote = (uint32_t)x;
        else if ((v = value_of(w, "commit")) != NULL && number(s, v, &x))
            hard->commit = x;
        else
            return wrong(s, "no key of hard, or no member: \"%s\"", w);
    }
    return true;
}

static bool verb_start(scenario *s)
{
    if (s->started) return wrong(s, "started twice");
    if (!count(s, 0, 0)) return false;
    s->started = true;
    for (uint32_t i = 1; i <= s->c->n; i++) node_start(s->c, i);
    return true;
}

/* --- members --- */

static bool verb_crash(scenario *s)
{
    uint32_t id;

    if (!count(s, 1, 1) || !member_up(s, s->word[1], &id)) return false;
    node_crash(s->c, id);
    return true;
}

static bool verb_restart(scenario *s)
{
    uint32_t id;

    if (!count(s, 1, 1) || !member(s, s->word[1], &id)) return false;
    if (s->c->nodes[id].up) node_crash(s->c, id);
    node_start(s->c, id);
    return true;
}

static bool fire(scenario *s, uint32_t what)
{
    uint32_t id;

    if (!count(s, 1, 1) || !member_up(s, s->word[1], &id)) return false;
    node_fire(s->c, id, what);
    return true;
}

static bool verb_timeout(scenario *s) { return fire(s, MGC__FIRE_ELECTION); }

/* For a member that is stopped, too. */
static bool verb_elapse(scenario *s)
{
    if (!count(s, 1, NODES_MAX)) return false;
    for (uint32_t i = 1; i < s->n; i++) {
        uint32_t id;

        if (!member(s, s->word[i], &id)) return false;
        node_fire(s->c, id, MGC__FIRE_ELAPSE);
    }
    return true;
}

/* One tick of the leader's clock: its heartbeat, and one step towards its next look at the quorum. */
static bool verb_hb(scenario *s)
{
    const mgc_raft_event tick = {.kind = MGC_RAFT_TICK};
    uint32_t id;

    if (!count(s, 1, 1) || !member_up(s, s->word[1], &id)) return false;
    if (node_info(s->c, id).role == MGC_RAFT_LEADER) node_event(s->c, id, &tick);
    return true;
}

/* The whole interval passes.  Who leads on says so, as it would with its next tick. */
static bool verb_checkq(scenario *s)
{
    return fire(s, MGC__FIRE_CHECK_QUORUM) && fire(s, MGC__FIRE_HEARTBEAT);
}

static bool verb_tick(scenario *s)
{
    const mgc_raft_event tick = {.kind = MGC_RAFT_TICK};
    uint32_t id;
    uint64_t n;

    if (!count(s, 2, 2) || !member_up(s, s->word[1], &id) || !number(s, s->word[2], &n)) return false;
    if (n > 100000) return wrong(s, "too many ticks");
    for (uint64_t i = 0; i < n; i++) node_event(s->c, id, &tick);
    return true;
}

static bool verb_propose(scenario *s)
{
    uint32_t id;

    if (!count(s, 2, 2) || !member_up(s, s->word[1], &id)) return false;
    host_propose(s->c, id, s->word[2]);
    return true;
}

static bool tag_number(scenario *s, const char *tag, uint64_t *number)
{
    uint32_t i = 0;

    while (i < s->n_tags && strcmp(s->tags[i], tag) != 0) i++;
    *number = i + 1;
    if (i < s->n_tags) return true;
    if (i == MGC__COUNT(s->tags) || strlen(tag) >= sizeof s->tags[0]) return wrong(s, "too many tags of reads, or a long one: \"%s\"", tag);
    memcpy(s->tags[s->n_tags++], tag, strlen(tag) + 1);
    return true;
}

static bool verb_read(scenario *s)
{
    mgc_raft_event event = {.kind = MGC_RAFT_READ};
    uint32_t id;

    if (!count(s, 2, 2) || !member_up(s, s->word[1], &id) || !tag_number(s, s->word[2], &event.tag)) return false;
    node_event(s->c, id, &event);
    return true;
}

static bool verb_compact(scenario *s)
{
    mgc_raft_snap_meta meta;
    mgc_raft_event saved = {.kind = MGC_RAFT_SNAP_SAVED, .snap = &meta}, compact = {.kind = MGC_RAFT_COMPACT};
    uint32_t id;
    uint64_t index;

    if (!count(s, 2, 2) || !member_up(s, s->word[1], &id) || !number(s, s->word[2], &index)) return false;
    if (index <= s->c->nodes[id].disk.base.index) return true;
    if (mgc_raft_snap_meta_at(s->c->nodes[id].raft, index, &meta) != MGC_OK)
        return wrong(s, "member %u has not applied %llu", id, (unsigned long long)index);
    node_event(s->c, id, &saved);
    compact.upto = index;
    node_event(s->c, id, &compact);
    s->c->nodes[id].disk.base = meta;
    return true;
}

static bool verb_transfer(scenario *s)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TRANSFER};
    uint32_t id, to;

    if (!count(s, 2, 2) || !member_up(s, s->word[1], &id) || !member(s, s->word[2], &to)) return false;
    event.member = to;
    node_event(s->c, id, &event);
    return true;
}

/* cfg i +5 -1 ~3 @2 ...: add or promote, remove, make a learner, new disk of the same member; alone: leave */
static bool verb_cfg(scenario *s)
{
    mgc_raft_change changes[MGC_RAFT_CHANGES_MAX];
    mgc_raft_event event = {.kind = MGC_RAFT_CONF, .changes = changes};
    uint32_t id;

    if (!count(s, 1, MGC_RAFT_CHANGES_MAX) || !member_up(s, s->word[1], &id)) return false;
    for (uint32_t i = 2; i < s->n; i++) {
        static const char signs[] = "+~-@";
        const char *w = s->word[i], *sign = strchr(signs, w[0]);
        uint64_t other;

        if (strcmp(w, "joint") == 0) continue; /* it always is */
        if (sign == NULL || w[0] == '\0' || !number(s, w + 1, &other)) return wrong(s, "no change \"%s\"", w);
        changes[event.n_changes] = (mgc_raft_change){.op = (uint32_t)(sign - signs) + 1, .id = (uint32_t)other};
        if (other >= 1 && other <= s->c->n && w[0] != '-')
            changes[event.n_changes].incarnation = s->c->nodes[other].disk.hard.incarnation;
        event.n_changes++;
    }
    node_event(s->c, id, &event);
    return true;
}

/* credit i|* id:rank:early ... */
static bool verb_credit(scenario *s)
{
    uint32_t first = 1, last = s->c->n;

    if (!count(s, 1, NODES_MAX + 1)) return false;
    if (strcmp(s->word[1], "*") != 0) {
        if (!member(s, s->word[1], &first)) return false;
        last = first;
    }
    for (uint32_t id = first; id <= last; id++) {
        mgc_raft_credit *view = s->credit[id];
        mgc_raft_event event = {.kind = MGC_RAFT_APPLIED, .credit = view, .n_credit = s->n - 2};

        for (uint32_t i = 2; i < s->n && i - 2 < NODES_MAX; i++) {
            unsigned a, b, d;

            if (sscanf(s->word[i], "%u:%u:%u", &a, &b, &d) != 3) return wrong(s, "\"%s\" is not id:rank:early", s->word[i]);
            view[i - 2] = (mgc_raft_credit){.id = a, .rank = b, .may_campaign_early = d};
        }
        s->c->nodes[id].credit = view;
        s->c->nodes[id].n_credit = s->n - 2;
        node_event(s->c, id, &event);
    }
    return true;
}

/* --- disks --- */

static bool verb_disk(scenario *s)
{
    uint32_t id;
    const char *how;

    if (!count(s, 2, 2) || !member(s, s->word[1], &id)) return false;
    how = s->word[2];
    s->c->nodes[id].disk.slow = strcmp(how, "slow") == 0;
    s->c->nodes[id].disk.broken = strcmp(how, "fail") == 0;
    if (strcmp(how, "fast") == 0) node_persisted(s->c, id, UINT64_MAX);
    return strcmp(how, "slow") == 0 || strcmp(how, "fast") == 0 || strcmp(how, "fail") == 0 || wrong(s, "a disk is slow, fast or fails");
}

static bool verb_persisted(scenario *s)
{
    uint32_t id;
    uint64_t upto = 0;

    if (!count(s, 1, 2) || !member_up(s, s->word[1], &id) || (s->n == 3 && !number(s, s->word[2], &upto))) return false;
    if (s->c->nodes[id].disk.broken) return wrong(s, "a failed disk completes nothing");
    node_persisted(s->c, id, upto);
    return true;
}

/* The write under way is cut in the middle by the crash that comes now: neither header nor body are whole. */
static bool verb_torn(scenario *s)
{
    uint32_t id;

    if (!count(s, 1, 1) || !member_up(s, s->word[1], &id)) return false;
    if (s->c->nodes[id].disk.first == NULL) return wrong(s, "member %u writes nothing", id);
    node_crash(s->c, id);
    return true;
}

static bool spoil(scenario *s, uint32_t id, uint64_t index)
{
    disk *d = &s->c->nodes[id].disk;

    if (index <= d->base.index || index > d->last) return wrong(s, "member %u has no entry %llu on its disk", id, (unsigned long long)index);
    d->log[index].bad = true;
    return true;
}

static bool verb_flip(scenario *s)
{
    uint32_t id;
    uint64_t index;

    return count(s, 2, 2) && member(s, s->word[1], &id) && number(s, s->word[2], &index) && spoil(s, id, index);
}

/* The write of a went where b is: both are lost. */
static bool verb_misdirect(scenario *s)
{
    uint32_t id;
    uint64_t a, b;

    return count(s, 3, 3) && member(s, s->word[1], &id) && number(s, s->word[2], &a) && number(s, s->word[3], &b) &&
           spoil(s, id, a) && spoil(s, id, b);
}

static bool verb_wipe(scenario *s)
{
    uint32_t id;

    if (!count(s, 1, 1) || !member(s, s->word[1], &id)) return false;
    if (s->c->nodes[id].up) node_crash(s->c, id);
    node_wipe(s->c, id);
    return true;
}

/* --- channels --- */

static bool pair(scenario *s, uint32_t *from, uint32_t *to)
{
    *to = 0;
    return member(s, s->word[1], from) && member(s, s->word[2], to);
}

static bool verb_flow(scenario *s)
{
    uint32_t from, to, kind = 0;

    if (!count(s, 2, 3) || !pair(s, &from, &to) || (s->n == 4 && !kind_named(s, s->word[3], &kind))) return false;
    flow(s->c, from, to, kind);
    return true;
}

static bool verb_settle(scenario *s)
{
    uint32_t set;

    return member_set(s, 1, &set) && (settle(s->c, set) || wrong(s, "it does not get quiet"));
}

static void stash_letters(channel *ch, letter *l)
{
    letter **end = &ch->stash;

    while (*end != NULL) end = &(*end)->next;
    *end = l;
}

static bool verb_hold(scenario *s)
{
    uint32_t from, to;
    letter *l;

    if (!count(s, 2, 2) || !pair(s, &from, &to)) return false;
    while ((l = take_letter(&s->c->channels[from][to], 0)) != NULL) stash_letters(&s->c->channels[from][to], l);
    return true;
}

static bool verb_copy(scenario *s)
{
    uint32_t from, to;

    if (!count(s, 2, 2) || !pair(s, &from, &to)) return false;
    for (letter *l = s->c->channels[from][to].first; l != NULL; l = l->next)
        stash_letters(&s->c->channels[from][to], copy_letter(l));
    return true;
}

static bool verb_release(scenario *s)
{
    uint32_t from, to;
    channel *ch;

    if (!count(s, 2, 2) || !pair(s, &from, &to)) return false;
    ch = &s->c->channels[from][to];
    while (ch->stash != NULL) {
        letter *l = ch->stash;

        ch->stash = l->next;
        l->next = NULL;
        deliver(s->c, l);
    }
    return true;
}

static bool verb_drop(scenario *s)
{
    uint32_t from, only = 0;

    if (!count(s, 1, 2) || !member(s, s->word[1], &from) || (s->n == 3 && !member(s, s->word[2], &only))) return false;
    for (uint32_t to = 1; to <= s->c->n; to++) {
        letter *l;

        if (only != 0 && to != only) continue;
        while ((l = take_letter(&s->c->channels[from][to], 0)) != NULL) free_letter(l);
    }
    return true;
}

static void set_cut(scenario *s, uint32_t from, uint32_t to, bool cut)
{
    s->c->channels[from][to].cut = cut;
}

static bool verb_cut(scenario *s)
{
    uint32_t a, b;

    if (!count(s, 2, 2) || !pair(s, &a, &b)) return false;
    set_cut(s, a, b, true);
    if (strcmp(s->word[0], "cut") == 0) set_cut(s, b, a, true);
    return true;
}

static bool verb_isolate(scenario *s)
{
    uint32_t set, others = 0;

    if (!count(s, 1, NODES_MAX) || !member_set(s, 1, &set)) return false;
    others = ~set;
    for (uint32_t i = 1; i <= s->c->n; i++)
        for (uint32_t j = 1; j <= s->c->n; j++)
            if ((set >> i & others >> j & 1) != 0) {
                set_cut(s, i, j, true);
                set_cut(s, j, i, true);
            }
    return true;
}

static bool verb_heal(scenario *s)
{
    uint32_t a = 0, b = 0;

    if (s->n != 1 && (!count(s, 2, 2) || !pair(s, &a, &b))) return false;
    for (uint32_t i = 1; i <= s->c->n; i++)
        for (uint32_t j = 1; j <= s->c->n; j++)
            if (a == 0 || (i == a && j == b) || (i == b && j == a)) set_cut(s, i, j, false);
    return true;
}

static bool verb_unreachable(scenario *s)
{
    mgc_raft_event event = {.kind = MGC_RAFT_PEER_UNREACHABLE};
    uint32_t from, to;

    if (!count(s, 2, 2) || !pair(s, &from, &to)) return false;
    event.member = to;
    node_event(s->c, from, &event);
    return true;
}

/* --- messages made by hand --- */

typedef struct injection {
    letter l;
    mgc_raft_entry entries[64];
    uint64_t term, index, hint, incarnation;
    bool rejected, has_position, has_index, has_hint, has_entries;
} injection;

/* An entry made by hand stands for the one of that place and term, if a member has it and it is no host's entry. */
static void entry_by_hand(scenario *s, injection *in, uint64_t term, const char *data)
{
    uint32_t k = in->l.msg.n_entries++;
    mgc_raft_entry *e = &in->entries[k];

    *e = (mgc_raft_entry){.index = in->l.msg.index + 1 + k, .term = term, .type = MGC_RAFT_DATA};
    e->handle = blob_of(data, strlen(data));
    e->len = blob_at(e->handle)->len;
    for (uint32_t i = 1; i <= s->c->n; i++) {
        const record *r = &s->c->nodes[i].disk.log[e->index < DISK_MAX ? e->index : 0];

        if (e->index > s->c->nodes[i].disk.last || r->index != e->index || r->term != term || r->type == MGC_RAFT_DATA)
            continue;
        e->type = r->type;
        e->handle = r->handle;
        e->len = r->len;
    }
}

static bool entries_by_hand(scenario *s, injection *in, char *list)
{
    in->has_entries = true;
    if (strcmp(list, "-") == 0) return true;
    for (char *at = strtok(list, ","); at != NULL; at = strtok(NULL, ",")) {
        char *colon = strchr(at, ':');
        uint64_t term;

        if (colon == NULL) return wrong(s, "\"%s\" is not term:data", at);
        *colon = '\0';
        if (in->l.msg.n_entries == MGC__COUNT(in->entries)) return wrong(s, "too many entries");
        if (!number(s, at, &term)) return false;
        entry_by_hand(s, in, term, colon + 1);
    }
    return true;
}

static bool key_by_hand(scenario *s, injection *in, char *w)
{
    mgc_raft_msg *m = &in->l.msg;
    const char *v;
    uint64_t x;

    if ((v = value_of(w, "from")) != NULL) { /* a stranger, too */
        if (!number(s, v, &x)) return false;
        m->from = x >= 1 && x <= NODES_MAX ? (uint32_t)x : 0;
        return m->from != 0 || wrong(s, "from= is 1 to %u", (unsigned)NODES_MAX);
    }
    if ((v = value_of(w, "to")) != NULL) return member(s, v, &m->to);
    if ((v = value_of(w, "term")) != NULL) return number(s, v, &m->term);
    if ((v = value_of(w, "commit")) != NULL) return number(s, v, &m->commit);
    if ((v = value_of(w, "prev")) != NULL || (v = value_of(w, "last")) != NULL || (v = value_of(w, "snap")) != NULL) {
        in->has_position = true;
        return position(s, v, &m->log_term, &m->index);
    }
    if ((v = value_of(w, "idx")) != NULL) {
        in->has_index = true;
        return number(s, v, &m->index);
    }
    if ((v = value_of(w, "hint")) != NULL) {
        in->has_hint = true;
        return number(s, v, &m->hint);
    }
    if ((v = value_of(w, "inc")) != NULL) return number(s, v, &in->incarnation);
    if ((v = value_of(w, "reject")) != NULL) {
        if (!number(s, v, &x)) return false;
        if (x > 1) return wrong(s, "reject is 0 or 1");
        in->rejected = x == 1;
        return true;
    }
    if (value_of(w, "entries") != NULL) return true; /* after the position is known */
    return wrong(s, "no key \"%s\" of inject", w);
}

/* Hash and term that an honest sender would have put in. */
static void fill_by_hand(scenario *s, injection *in)
{
    mgc_raft_msg *m = &in->l.msg;
    const mgc_raft *to = s->c->nodes[m->to].raft, *from = s->c->nodes[m->from].raft;
    bool ack = m->kind == MGC_RAFT_APPEND_RESP;

    m->incarnation = in->incarnation != 0 ? (uint32_t)in->incarnation : s->c->nodes[m->from].disk.hard.incarnation;
    if (in->rejected) m->flags |= MGC_RAFT_REJECT;
    if (m->kind == MGC_RAFT_PREVOTE_RESP && to != NULL) { /* to the question that it asks now, whatever term is named */
        m->context = to->term + 1;
        if (!in->rejected && m->term >= to->term) m->term = m->context;
    }
    if (m->kind == MGC_RAFT_PREVOTE_REQ && !in->has_position && from != NULL) {
        m->index = from->last;
        m->log_term = mgc__log_term(from, from->last);
    }
    if (ack && in->rejected) {
        m->log_term = from != NULL && mgc__log_known(from, m->hint) ? mgc__log_term(from, m->hint) : UINT64_MAX / 4;
    } else if (ack) {
        m->hint = 0;
        m->log_term = from != NULL ? mgc__log_term(from, m->index) : 0;
        if (m->log_term == 0 && to != NULL) m->log_term = mgc__log_term(to, m->index);
    }
    known_hash(s->c, ack ? m->from : m->to, m->index, m->log_term, m->hash);
    if (m->kind == MGC_RAFT_SNAPSHOT_REQ) {
        uint8_t none[32] = {0};

        in->l.config = to != NULL ? *mgc_raft_config_now(to) : s->c->genesis.config;
        if (in->l.config.index > m->index) in->l.config = s->c->genesis.config;
        m->config = &in->l.config;
        m->flags |= MGC_RAFT_LAST;
        if (memcmp(m->hash, none, 32) == 0) mgc__entry_hash(none, m->index, m->log_term, MGC_RAFT_DATA, none, m->hash);
    }
}

static bool verb_inject(scenario *s)
{
    injection in = {.l = {.next = NULL}};
    mgc_raft_msg *m = &in.l.msg;
    bool is_append;

    if (!count(s, 3, WORDS_MAX) || !kind_named(s, s->word[1], &m->kind)) return false;
    for (uint32_t i = 2; i < s->n; i++)
        if (!key_by_hand(s, &in, s->word[i])) return false;
    if (m->from == 0 || m->to == 0) return wrong(s, "inject needs from= and to=");
    for (uint32_t i = 2; i < s->n; i++)
        if (value_of(s->word[i], "entries") != NULL && !entries_by_hand(s, &in, s->word[i] + strlen("entries="))) return false;
    is_append = m->kind == MGC_RAFT_APPEND_REQ;
    if (in.has_entries && !is_append && m->kind != MGC_RAFT_FETCH_RESP) return wrong(s, "only app and fetchresp have entries");
    fill_by_hand(s, &in);
    if (is_append) memcpy(m->head, m->hash, 32);
    in.l.entries = in.entries;
    deliver(s->c, copy_letter(&in.l));
    return true;
}

/* --- expectations --- */

static void log_terms(scenario *s, uint32_t id, uint64_t first, char *text, size_t cap)
{
    const node *x = &s->c->nodes[id];
    size_t at = 0;

    text[0] = '\0';
    for (uint64_t i = first; i <= x->raft->last && at < cap; i++) {
        uint64_t term = mgc__log_known(x->raft, i) ? mgc__log_term(x->raft, i)
                        : i < DISK_MAX && s->c->log[i].known ? s->c->log[i].term : 0;

        at += (size_t)snprintf(text + at, cap - at, "%s%llu", at > 0 ? "," : "", (unsigned long long)term);
    }
}

/* "1,2,3", joint "1,2,3&1,2", with learners "1,2~3,4" */
static void config_text(const mgc_raft_config *c, char *text, size_t cap)
{
    static const uint32_t halves[3] = {MGC_RAFT_VOTER, MGC_RAFT_VOTER_OLD, MGC_RAFT_LEARNER | MGC_RAFT_LEARNER_NEXT};
    size_t at = 0;

    text[0] = '\0';
    for (uint32_t h = 0; h < 3; h++) {
        bool first = true;

        for (uint32_t i = 0; i < c->n_members && at < cap; i++) {
            if ((c->members[i].roles & halves[h]) == 0) continue;
            at += (size_t)snprintf(text + at, cap - at, "%s%u", first ? (h == 0 ? "" : h == 1 ? "&" : "~") : ",", c->members[i].id);
            first = false;
        }
    }
}

static bool same_log(scenario *s, uint32_t id, const char *want, char *found, size_t cap)
{
    static char rest[LINE_BYTES];

    log_terms(s, id, 2, found, cap);
    if (strcmp(found, want) == 0) return true;
    log_terms(s, id, s->c->nodes[id].raft->base + 1 > 2 ? s->c->nodes[id].raft->base + 1 : 2, rest, sizeof rest);
    return strcmp(rest, want) == 0;
}

static bool expect_key(scenario *s, uint32_t id, char *w)
{
    static const char letters[] = "?FPCL";
    mgc_raft_info info = node_info(s->c, id);
    static char found[LINE_BYTES];
    char *eq = strchr(w, '=');
    const char *want;
    bool negated, equal;

    if (eq == NULL) return wrong(s, "\"%s\" is not key=value", w);
    *eq = '\0';
    negated = eq[1] == '!';
    want = eq + 1 + negated;
    if (strcmp(w, "role") == 0) {
        if (strlen(want) != 1 || strchr("FPCL", want[0]) == NULL) return wrong(s, "role is F, P, C or L");
        snprintf(found, sizeof found, "%c", letters[info.role]);
    } else if (strcmp(w, "term") == 0)
        snprintf(found, sizeof found, "%llu", (unsigned long long)info.term);
    else if (strcmp(w, "vote") == 0)
        snprintf(found, sizeof found, "%u", info.vote);
    else if (strcmp(w, "commit") == 0)
        snprintf(found, sizeof found, "%llu", (unsigned long long)info.commit);
    else if (strcmp(w, "applied") == 0)
        snprintf(found, sizeof found, "%llu", (unsigned long long)info.applied);
    else if (strcmp(w, "stored") == 0)
        snprintf(found, sizeof found, "%llu", (unsigned long long)info.stored);
    else if (strcmp(w, "lead") == 0)
        snprintf(found, sizeof found, "%u", info.leader);
    else if (strcmp(w, "last") == 0)
        snprintf(found, sizeof found, "%llu.%llu", (unsigned long long)info.last_term, (unsigned long long)info.last);
    else if (strcmp(w, "recovering") == 0)
        snprintf(found, sizeof found, "%u", info.recovering);
    else if (strcmp(w, "mayvote") == 0)
        snprintf(found, sizeof found, "%u", info.may_vote);
    else if (strcmp(w, "cfg") == 0)
        config_text(mgc_raft_config_now(s->c->nodes[id].raft), found, sizeof found);
    else if (strcmp(w, "log") != 0)
        return wrong(s, "no key \"%s\" of expect", w);
    equal = strcmp(w, "log") == 0 ? same_log(s, id, want, found, sizeof found) : strcmp(found, want) == 0;
    return equal != negated || wrong(s, "member %u: %s is %s, expected %s%s", id, w, found, negated ? "another than " : "", want);
}

static bool verb_expect(scenario *s)
{
    uint32_t id;

    if (!count(s, 2, WORDS_MAX) || !member_up(s, s->word[1], &id)) return false;
    for (uint32_t i = 2; i < s->n; i++)
        if (!expect_key(s, id, s->word[i])) return false;
    return true;
}

static bool verb_expectmsg(scenario *s)
{
    uint32_t from, to, kind;
    const mgc_raft_msg *m;

    if (!count(s, 3, 6) || !pair(s, &from, &to) || !kind_named(s, s->word[3], &kind)) return false;
    m = &s->c->channels[from][to].last_of[kind];
    if (m->kind == 0) return wrong(s, "%u has sent no %s to %u", from, s->word[3], to);
    for (uint32_t i = 4; i < s->n; i++) {
        const char *w = s->word[i], *v;
        uint64_t want, found;

        if ((v = value_of(w, "idx")) != NULL)
            found = m->index;
        else if ((v = value_of(w, "reject")) != NULL)
            found = m->flags & MGC_RAFT_REJECT ? 1 : 0;
        else if ((v = value_of(w, "term")) != NULL)
            found = m->term;
        else if ((v = value_of(w, "commit")) != NULL)
            found = m->commit;
        else
            return wrong(s, "no key \"%s\" of expectmsg", w);
        if (!number(s, v, &want)) return false;
        if (want != found) return wrong(s, "last %s %u to %u: %s expected, found %llu", s->word[3], from, to, w, (unsigned long long)found);
    }
    return true;
}

/* Nothing of that kind waits to be delivered. */
static bool verb_expectnomsg(scenario *s)
{
    uint32_t from, to, kind = 0;

    if (!count(s, 2, 3) || !pair(s, &from, &to) || (s->n == 4 && !kind_named(s, s->word[3], &kind))) return false;
    for (const letter *l = s->c->channels[from][to].first; l != NULL; l = l->next)
        if (kind == 0 || l->msg.kind == kind) return wrong(s, "a message %u to %u waits", from, to);
    return true;
}

static bool verb_expectnoleader(scenario *s)
{
    if (!count(s, 0, 0)) return false;
    for (uint32_t i = 1; i <= s->c->n; i++)
        if (s->c->nodes[i].up && node_info(s->c, i).role == MGC_RAFT_LEADER) return wrong(s, "%u leads", i);
    return true;
}

static bool verb_expectread(scenario *s)
{
    uint32_t id;
    const seen_read *found = NULL;
    const char *v;
    uint64_t served = 2, least = 0, tag;

    if (!count(s, 3, 4) || !member(s, s->word[1], &id) || !tag_number(s, s->word[2], &tag)) return false;
    for (uint32_t i = 3; i < s->n; i++) {
        if ((v = value_of(s->word[i], "served")) != NULL ? !number(s, v, &served)
            : (v = value_of(s->word[i], "min")) != NULL  ? !number(s, v, &least)
                                                         : !wrong(s, "no key \"%s\" of expectread", s->word[i]))
            return false;
    }
    if (served > 1) return wrong(s, "served is 0 or 1");
    for (uint32_t i = 0; i < s->c->nodes[id].n_reads; i++)
        if (s->c->nodes[id].reads[i].tag == tag && s->c->nodes[id].reads[i].served) found = &s->c->nodes[id].reads[i];
    if ((found != NULL) != (served == 1)) return wrong(s, "read %s is %sserved", s->word[2], found != NULL ? "" : "not ");
    if (found != NULL && found->index < least) return wrong(s, "read %s is served at %llu", s->word[2], (unsigned long long)found->index);
    return true;
}

static bool verb_answer(scenario *s)
{
    static const char *const names[] = {"accepted", "notleader", "full", "transferring", "pending", "barrier", "badchange",
                                        "readsfull", "ignored", "recovering", "notmember"};
    uint32_t id, i = 0;

    if (!count(s, 2, 2) || !member(s, s->word[1], &id)) return false;
    while (i < MGC__COUNT(names) && strcmp(names[i], s->word[2]) != 0) i++;
    if (i == MGC__COUNT(names)) return wrong(s, "no answer \"%s\"", s->word[2]);
    return s->c->nodes[id].answer == i || wrong(s, "member %u answered %s", id, names[s->c->nodes[id].answer]);
}

/* expectnote i name|number >= 1 time */
static bool verb_expectnote(scenario *s)
{
    uint32_t id;
    uint64_t what, least = 1;

    if (!count(s, 2, 3) || !member(s, s->word[1], &id) || !number(s, s->word[2], &what)) return false;
    if (s->n == 4 && !number(s, s->word[3], &least)) return false;
    if (what > 31) return wrong(s, "no such note");
    return (least == 0 ? s->c->nodes[id].notes[what] == 0 : s->c->nodes[id].notes[what] >= least) ||
           wrong(s, "member %u noted %llu %u times", id, (unsigned long long)what, s->c->nodes[id].notes[what]);
}

/* --- running --- */

static const struct { const char *name; bool (*run)(scenario *); bool before_start; } verbs[] = {
    {"cluster", verb_cluster, true}, {"log", verb_log, true}, {"hard", verb_hard, true}, {"start", verb_start, true},
    {"crash", verb_crash, false}, {"restart", verb_restart, false}, {"timeout", verb_timeout, false},
    {"elapse", verb_elapse, false}, {"hb", verb_hb, false}, {"checkq", verb_checkq, false}, {"tick", verb_tick, false},
    {"propose", verb_propose, false}, {"read", verb_read, false}, {"compact", verb_compact, false},
    {"transfer", verb_transfer, false}, {"cfg", verb_cfg, false}, {"credit", verb_credit, false},
    {"disk", verb_disk, true}, {"persisted", verb_persisted, false}, {"torn", verb_torn, false},
    {"flip", verb_flip, false}, {"misdirect", verb_misdirect, false}, {"wipe", verb_wipe, false},
    {"flow", verb_flow, false}, {"settle", verb_settle, false}, {"hold", verb_hold, false}, {"copy", verb_copy, false},
    {"release", verb_release, false}, {"drop", verb_drop, false}, {"cut", verb_cut, true}, {"cut1", verb_cut, true},
    {"isolate", verb_isolate, true}, {"heal", verb_heal, true}, {"unreachable", verb_unreachable, false},
    {"inject", verb_inject, false}, {"expect", verb_expect, false}, {"expectmsg", verb_expectmsg, false},
    {"expectmsg-none", verb_expectnomsg, false}, {"expectnoleader", verb_expectnoleader, false},
    {"expectread", verb_expectread, false}, {"answer", verb_answer, false}, {"expectnote", verb_expectnote, false},
};

/* More words than there is room for are one too many for any verb. */
static void split(scenario *s, uint32_t line)
{
    char *hash;

    snprintf(s->text, sizeof s->text, "%s", s->lines[line]);
    hash = strchr(s->text, '#');
    if (hash != NULL) *hash = '\0';
    s->n = 0;
    for (char *w = strtok(s->text, " \t\r\n"); w != NULL && s->n < WORDS_MAX; w = strtok(NULL, " \t\r\n")) s->word[s->n++] = w;
}

static bool run_line(scenario *s)
{
    for (size_t i = 0; i < MGC__COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, s->word[0]) != 0) continue;
        if (s->c == NULL && strcmp(s->word[0], "cluster") != 0) return wrong(s, "cluster comes first");
        if (!verbs[i].before_start && !s->started) return wrong(s, "%s comes after start", s->word[0]);
        if (++s->acts > ACTS_MAX) return wrong(s, "more than %u acts", (unsigned)ACTS_MAX);
        if (!verbs[i].run(s)) return wrong(s, "refused");
        if (s->c->delivered > DELIVERED_MAX) return wrong(s, "more than %u messages", (unsigned)DELIVERED_MAX);
        check_invariants(s->c);
        return s->c->fault[0] == '\0' || wrong(s, "%s", s->c->fault);
    }
    return wrong(s, "unknown verb \"%s\"", s->word[0]);
}

/* Lines first..last - 1; *at is the line at fault. */
static bool run_block(scenario *s, uint32_t first, uint32_t last, uint32_t depth, uint32_t *at)
{
    for (uint32_t i = first; i < last; i++) {
        uint32_t end, open = 1;
        uint64_t times;

        *at = i;
        split(s, i);
        if (s->n == 0) continue;
        if (strcmp(s->word[0], "end") == 0) return wrong(s, "end without repeat");
        if (strcmp(s->word[0], "repeat") != 0) {
            if (!run_line(s)) return false;
            continue;
        }
        if (!count(s, 1, 1) || !number(s, s->word[1], &times)) return false;
        if (depth == DEPTH_MAX || times > 10000) return wrong(s, "repeat is too deep or too often");
        for (end = i + 1; end < last; end++) {
            split(s, end);
            if (s->n > 0 && strcmp(s->word[0], "repeat") == 0) open++;
            if (s->n > 0 && strcmp(s->word[0], "end") == 0 && --open == 0) break;
        }
        if (end == last) return wrong(s, "repeat without end");
        for (uint64_t k = 0; k < times; k++) {
            if (++s->acts > ACTS_MAX) return wrong(s, "more than %u acts", (unsigned)ACTS_MAX);
            if (!run_block(s, i + 1, end, depth + 1, at)) return false;
        }
        i = end;
    }
    return true;
}

/* *long_line: a line that is cut, though it is no comment. */
static char *read_line(FILE *f, bool *long_line)
{
    static char text[LINE_BYTES];
    size_t n = 0;
    int c;

    while ((c = fgetc(f)) != EOF && c != '\n') {
        if (c == '\0') c = '?';
        if (n + 1 < sizeof text) text[n++] = (char)c;
        else *long_line = *long_line || memchr(text, '#', n) == NULL;
    }
    if (c == EOF && n == 0) return NULL;
    text[n] = '\0';
    return strdup(text);
}

static bool load(scenario *s, const char *path, uint32_t *at)
{
    FILE *f = fopen(path, "r");
    bool long_line = false;
    char *line;

    if (f == NULL) return wrong(s, "cannot be read");
    s->lines = calloc(LINES_MAX, sizeof *s->lines);
    while (s->lines != NULL && s->n_lines < LINES_MAX && !long_line && (line = read_line(f, &long_line)) != NULL) s->lines[s->n_lines++] = line;
    if (s->n_lines > 0) *at = s->n_lines - 1;
    if (s->n_lines > 0 && strncmp(s->lines[0], "\xef\xbb\xbf", 3) == 0) memset(s->lines[0], ' ', 3); /* a byte order mark */
    if (long_line) (void)wrong(s, "a line has at most %u bytes", (unsigned)LINE_BYTES - 1);
    if (s->n_lines == LINES_MAX) (void)wrong(s, "a file has at most %u lines", (unsigned)LINES_MAX - 1);
    fclose(f);
    return s->lines != NULL ? s->why[0] == '\0' : wrong(s, "no memory");
}

int run_scenario(const char *path, char *fault, size_t cap)
{
    scenario *s = calloc(1, sizeof *s);
    uint32_t at = 0;
    bool good;

    fault[0] = '\0';
    if (s == NULL) return 1;
    good = load(s, path, &at) && run_block(s, 0, s->n_lines, 0, &at);
    if (good && s->c == NULL) good = wrong(s, "no cluster");
    if (!good) snprintf(fault, cap, "%s:%u: %s", path, at + 1, s->why);
    if (s->c != NULL) cluster_free(s->c);
    for (uint32_t i = 0; i < s->n_lines; i++) free(s->lines[i]);
    free(s->lines);
    free(s);
    return good ? 0 : 1;
}
