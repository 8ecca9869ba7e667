/* SPDX-License-Identifier: Apache-2.0 */
/* Published vectors of quorums and configuration changes (etcd-io/raft, Apache-2.0), from MGC_TEST_PUBLISHED. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>

#include "consensus/raft.h"

enum { PLACES = 16 };

/* Ids of one vector stand in places by order of appearance. */
static uint32_t place_of(uint32_t id)
{
    static uint32_t ids[32], n;

    for (uint32_t i = 0; i < n; i++)
        if (ids[i] == id) return i;
    ids[n] = id;
    return n++;
}

static uint32_t places_of(const json_t *list)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < json_array_size(list); i++) mask |= 1u << place_of((uint32_t)json_integer_value(json_array_get(list, i)));
    return mask;
}

static void try_committed(const json_t *v, mgc__electorate who)
{
    uint64_t match[32] = {0}, found;
    const char *expect = json_string_value(json_object_get(v, "expect"));
    const char *id;
    json_t *value;

    json_object_foreach(json_object_get(v, "acked"), id, value) match[place_of((uint32_t)atoi(id))] = (uint64_t)json_integer_value(value);
    found = mgc__quorum_index(who, match);
    if (strchr(expect, '<') != NULL)
        ck_assert_uint_eq(found, UINT64_MAX);
    else
        ck_assert_msg(found == strtoull(expect, NULL, 10), "%s: found %llu", json_dumps(v, 0), (unsigned long long)found);
}

static void try_vote(const json_t *v, mgc__electorate who)
{
    static const char *const names[] = {"VotePending", "VoteWon", "VoteLost"};
    uint8_t votes[32] = {0};
    const char *expect = json_string_value(json_object_get(v, "expect"));
    const char *id;
    json_t *value;

    json_object_foreach(json_object_get(v, "votes"), id, value)
        votes[place_of((uint32_t)atoi(id))] = json_string_value(value)[0] == 'y' ? MGC__VOTE_YES : MGC__VOTE_NO;
    ck_assert_msg(strcmp(names[mgc__quorum_votes(who, votes)], expect) == 0, "%s", json_dumps(v, 0));
}

/* --- configuration sequences --- */

static size_t put_ids(char *text, size_t at, size_t cap, const mgc_raft_config *c, uint32_t role, const char *before)
{
    bool first = true;

    for (uint32_t i = 0; i < c->n_members; i++) {
        if ((c->members[i].roles & role) == 0) continue;
        at += (size_t)snprintf(text + at, cap - at, "%s%u", first ? before : " ", c->members[i].id);
        first = false;
    }
    if (!first) at += (size_t)snprintf(text + at, cap - at, ")");
    return at;
}

static void describe(const mgc_raft_config *c, char *text, size_t cap)
{
    size_t at = put_ids(text, 0, cap, c, MGC_RAFT_VOTER, "voters=(");

    at = put_ids(text, at, cap, c, MGC_RAFT_VOTER_OLD, "&&(");
    at = put_ids(text, at, cap, c, MGC_RAFT_LEARNER, " learners=(");
    at = put_ids(text, at, cap, c, MGC_RAFT_LEARNER_NEXT, " learners_next=(");
    if (c->auto_leave) snprintf(text + at, cap - at, " autoleave");
}

static uint32_t parse_changes(const char *text, mgc_raft_change *changes)
{
    static const char letters[] = "vlru";
    uint32_t n = 0;

    while (*text != '\0') {
        changes[n].op = (uint32_t)(strchr(letters, *text) - letters) + 1;
        changes[n].id = (uint32_t)strtoul(text + 1, (char **)(uintptr_t)&text, 10);
        changes[n++].incarnation = 0;
        while (*text == ' ') text++;
    }
    return n;
}

/* Progress as published: where the leader would begin to send to each. */
static void check_progress(const json_t *expect, const mgc_raft_config *c, const uint64_t next[PLACES])
{
    size_t line = 1;

    for (uint32_t i = 0; i < c->n_members; i++) {
        char text[128];
        bool learner = (c->members[i].roles & MGC_RAFT_LEARNER) != 0;

        snprintf(text, sizeof text, "%u: StateProbe match=0 next=%llu%s", c->members[i].id,
                 (unsigned long long)next[c->members[i].id], learner ? " learner" : "");
        ck_assert_str_eq(text, json_string_value(json_array_get(expect, line++)));
    }
    ck_assert_uint_eq(json_array_size(expect), line);
}

static void try_sequence(const json_t *v)
{
    mgc_raft_config now = {0}, to;
    uint64_t next[PLACES] = {0};
    const json_t *steps = json_object_get(v, "steps");

    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i), *ops = json_object_get(step, "ops");
        const json_t *expect = json_object_get(step, "expect");
        const char *cmd = json_string_value(json_object_get(step, "cmd")), *why;
        const char *first = json_string_value(json_array_get(expect, 0));
        mgc_raft_change changes[64];
        uint32_t n = json_array_size(ops) > 0 ? parse_changes(json_string_value(json_array_get(ops, 0)), changes) : 0;
        char text[256];

        if (strncmp(cmd, "simple", 6) == 0)
            why = mgc__config_simple(&now, changes, n, &to);
        else if (strncmp(cmd, "enter-joint", 11) == 0)
            why = mgc__config_enter(&now, changes, n, strstr(cmd, "autoleave=true") != NULL, &to);
        else
            why = mgc__config_leave(&now, &to);
        if (why != NULL) {
            ck_assert_msg(strcmp(why, first) == 0, "%s step %zu: %s; expected %s", json_string_value(json_object_get(v, "src")), i, why, first);
            continue;
        }
        for (uint32_t k = 0; k < to.n_members; k++)
            if (mgc__config_member(&now, to.members[k].id) == NULL) next[to.members[k].id] = i > 1 ? i : 1;
        now = to;
        describe(&now, text, sizeof text);
        ck_assert_msg(strcmp(text, first) == 0, "%s step %zu: %s; expected %s", json_string_value(json_object_get(v, "src")), i, text, first);
        check_progress(expect, &now, next);
    }
}

START_TEST(M05_published_quorums_and_configurations)
{
    const char *root = getenv("MGC_TEST_PUBLISHED");
    char path[1024], line[1 << 16];
    uint32_t n[3] = {0};
    FILE *f;

    if (root == NULL) {
        printf("# SKIP published quorums: MGC_TEST_PUBLISHED is not set\n");
        return;
    }
    snprintf(path, sizeof path, "%s/vectors/etcd_quorum_confchange.jsonl", root);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f) != NULL) {
        json_t *v = json_loads(line, 0, NULL);
        const char *op = json_string_value(json_object_get(v, "op"));
        mgc__electorate who = {places_of(json_object_get(v, "cfg")), places_of(json_object_get(v, "cfgj"))};

        ck_assert_ptr_nonnull(op);
        if (strcmp(op, "committed") == 0) try_committed(v, who);
        if (strcmp(op, "vote") == 0) try_vote(v, who);
        if (strcmp(op, "confchange-sequence") == 0) try_sequence(v);
        n[strcmp(op, "committed") == 0 ? 0 : strcmp(op, "vote") == 0 ? 1 : 2]++;
        json_decref(v);
    }
    fclose(f);
    ck_assert_uint_eq(n[0] + n[1], 127);
    ck_assert_uint_eq(n[2], 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("consensus vectors");
    TCase *tcase = tcase_create("published");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, M05_published_quorums_and_configurations);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
