/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs blocks changes: joint configurations in headers, light clients that follow them, and who tries to cheat. */
#include "ledger/signers.h"
#include "mgchain/verify.h"
#include "world.h"

enum { KEYS = 8, DAY = 86400000, SEGMENT = 1 << 16 };

static mgc_ctx *ctx;
static mgc_key *keys[KEYS + 2]; /* of member i; the last is member 4's new one */
static struct disk disk;
static mgc_ledger *ledger;
static mgc_chain *chain;
static uint8_t chain_id[32];
static uint8_t proof[1 << 18];
static size_t proof_len;

#define OK(call)                                                                                  \
    do {                                                                                          \
        mgc_status status_ = (call);                                                              \
        ck_assert_msg(status_ == MGC_OK, "%s: %s", mgc_status_name(status_), mgc_ctx_error(ctx)); \
    } while (0)

static mgc_member person(uint32_t id)
{
    mgc_member m = {.id = id};

    memcpy(m.public_key, mgc__key_public(keys[id]), 32);
    if (id == KEYS + 1) m.id = 4;
    return m;
}

static void open_disk(struct disk *d, mgc_ledger **l, mgc_chain **c)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = d;
    opts.segment_bytes = SEGMENT;
    OK(mgc_ledger_open(ctx, &opts, l));
    if (mgc_ledger_chain(*l, "main", c) != MGC_OK) {
        mgc_member members[3] = {person(1), person(2), person(3)};
        mgc_genesis g = {.struct_size = sizeof g, .name = "main", .time_ms = 500, .members = members, .n_members = 3, .quorum = 2};
        OK(mgc_ledger_add_chain(*l, &g, c));
    }
    mgc__chain_set_executor(*c, &toy);
}

static void setup(void)
{
    OK(mgc_ctx_create(NULL, &ctx));
    for (uint32_t i = 1; i <= KEYS + 1; i++) {
        uint8_t seed[32] = {(uint8_t)i, 9};
        OK(mgc_key_from_seed(ctx, seed, &keys[i]));
    }
    disk_init(&disk);
    open_disk(&disk, &ledger, &chain);
    memcpy(chain_id, chain->id, 32);
}

static void teardown(void)
{
    mgc_ledger_close(ledger);
    disk_free(&disk);
    for (uint32_t i = 1; i <= KEYS + 1; i++) mgc_key_destroy(keys[i]);
    mgc_ctx_destroy(ctx);
}

/* --- building: lists of members are texts, "123" ------------------------------------------------------ */

static size_t people_of(const char *list, mgc_member *people)
{
    size_t n = 0;

    for (; list != NULL && list[n] != '\0'; n++) people[n] = person((uint32_t)(list[n] - '0'));
    return n;
}

static mgc_status set_signers(const char *members, const char *others)
{
    mgc_member people[KEYS], more[KEYS];
    mgc_chain_signers s = {.struct_size = sizeof s, .members = people, .reason = {7}};

    s.n_members = people_of(members, people);
    s.n_others = people_of(others, more);
    s.others = s.n_others == 0 ? NULL : more;
    s.quorum = (uint32_t)s.n_members / 2 + 1;
    return mgc_chain_set_signers(chain, &s);
}

static void seal(const char *members, const char *others)
{
    OK(mgc_chain_begin(chain, chain->time_ms + 10));
    if (members != NULL) OK(set_signers(members, others));
    OK(mgc_chain_seal(chain, 1));
}

static size_t votes_of(uint64_t height, const char *who, mgc_vote *votes)
{
    mgc__stored_block b;
    mgc__buf record;
    size_t n = 0;

    mgc__buf_init(&record, ctx, MGC__RECORD_MAX);
    OK(mgc__read_block_record(chain, height, &record, &b));
    for (; who[n] != '\0'; n++) {
        uint32_t key = (uint32_t)(who[n] - '0');
        votes[n] = (mgc_vote){.member = key == KEYS + 1 ? 4 : key};
        OK(mgc__sign_vote(chain, keys[key], &b, votes[n].signature));
    }
    mgc__buf_free(&record);
    return n;
}

static mgc_status certify(const char *who)
{
    mgc_vote votes[KEYS + 1];
    uint64_t height = chain->final_height + 1;
    size_t n = votes_of(height, who, votes);

    return mgc_chain_certify(chain, height, votes, n);
}

static void block(const char *members, const char *who)
{
    seal(members, NULL);
    OK(certify(who));
    OK(mgc_ledger_sync(ledger));
}

static void reopen(void)
{
    mgc_ledger_close(ledger);
    open_disk(&disk, &ledger, &chain);
}

static mgc_status verify_head(mgc_verifier *v, uint64_t height)
{
    mgc_verifier fresh;

    OK(mgc_chain_prove_head(chain, height, proof, sizeof proof, &proof_len));
    OK(mgc_verifier_init(&fresh, sizeof fresh, chain_id));
    return mgc_verify_follow(v != NULL ? v : &fresh, proof, proof_len, NULL);
}

/* --- honest ---------------------------------------------------------------------------------------------- */

START_TEST(members_come_go_and_change_keys)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;
    mgc_verifier kept;
    mgc_member people[3];

    block(NULL, "12");
    block("1234", "123");
    OK(mgc_chain_get_info(chain, &info));
    ck_assert(info.changing == 1 && info.config_height == 2 && info.n_members == 4 && info.quorum == 3);
    block(NULL, "124");
    block("1234", "134");
    OK(mgc_chain_get_info(chain, &info));
    ck_assert(info.changing == 0 && info.config_height == 4);
    block(NULL, "234");
    block("456", "2346");
    ck_assert_int_eq(verify_head(NULL, 6), MGC_OK);
    block("456", "12356");
    block(NULL, "45");
    OK(mgc_verifier_init(&kept, sizeof kept, chain_id));
    for (uint64_t h = 1; h <= 8; h++) {
        mgc_block *b;
        mgc_block_info read = {.struct_size = sizeof read};
        ck_assert_int_eq(verify_head(NULL, h), MGC_OK);
        OK(mgc_chain_prove_block(chain, h, proof, sizeof proof, &proof_len));
        OK(mgc_verify_follow(&kept, proof, proof_len, NULL));
        OK(mgc_chain_read_block(chain, h, &b));
        OK(mgc_block_get_info(b, &read));
        ck_assert_uint_eq(read.config_height, h <= 2 ? 0 : h <= 4 ? 2 : h <= 6 ? 4 : h == 7 ? 6 : 7);
        mgc_block_destroy(b);
    }
    ck_assert_uint_eq(kept.members_height, 7);
    /* A new key of member 4: by the old one among the old, by the new one among the new. */
    OK(mgc_chain_begin(chain, chain->time_ms + 10));
    people[0] = person(9);
    people[1] = person(5);
    people[2] = person(6);
    mgc_chain_signers s = {.struct_size = sizeof s, .members = people, .n_members = 3, .quorum = 2};
    OK(mgc_chain_set_signers(chain, &s));
    OK(mgc_chain_seal(chain, 4));
    ck_assert_int_eq(certify("94"), MGC_E_BAD_CERT); /* once only */
    ck_assert_int_eq(certify("45"), MGC_E_BAD_CERT); /* the old key counts among the old alone: one of the new is not enough */
    ck_assert_int_eq(certify("95"), MGC_E_BAD_CERT);
    OK(certify("456"));
    OK(mgc_chain_begin(chain, chain->time_ms + 10));
    OK(mgc_chain_set_signers(chain, &s));
    OK(mgc_chain_seal(chain, 4));
    OK(certify("956"));
    seal(NULL, NULL);
    ck_assert_int_eq(certify("45"), MGC_E_BAD_CERT);
    OK(certify("95"));
    OK(mgc_ledger_sync(ledger));
    ck_assert_int_eq(verify_head(NULL, 11), MGC_OK);
    reopen();
    ck_assert_uint_eq(chain->final_height, 11);
    ck_assert_int_eq(verify_head(NULL, 11), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    mgc_ledger_close(ledger);
    OK(mgc_ledger_verify(ctx, &opts, &verified));
    ck_assert_uint_eq(verified.blocks, 11);
    open_disk(&disk, &ledger, &chain);
}
END_TEST

START_TEST(a_joint_block_needs_both_majorities)
{
    static const char *const few[] = {"12", "34", "45", "345", "145", "1", "124"}; /* of 2 of 123 and 2 of 345 */

    block(NULL, "12");
    seal("345", NULL);
    for (size_t i = 0; i < MGC__COUNT(few) - 1; i++)
        ck_assert_msg(certify(few[i]) == MGC_E_BAD_CERT, "%s are enough for who comes", few[i]);
    OK(certify("134"));
    seal(NULL, NULL);
    for (size_t i = 0; i < MGC__COUNT(few) - 1; i++) ck_assert_int_eq(certify(few[i]), MGC_E_BAD_CERT);
    OK(certify("235"));
    seal("345", NULL);
    for (size_t i = 0; i < MGC__COUNT(few) - 1; i++) ck_assert_int_eq(certify(few[i]), MGC_E_BAD_CERT);
    OK(certify("1245"));
    seal(NULL, NULL);
    ck_assert_int_eq(certify("123"), MGC_E_BAD_CERT); /* who left does not sign */
    ck_assert_int_eq(certify("3451"), MGC_E_BAD_CERT);
    OK(certify("45"));
    ck_assert_int_eq(verify_head(NULL, chain->final_height), MGC_OK);
}
END_TEST

START_TEST(others_sign_and_count_nowhere)
{
    uint32_t n;

    block(NULL, "12");
    seal("12", "3"); /* 3 loses its vote, and may come back */
    OK(certify("12"));
    seal("12", "3");
    OK(certify("12"));
    seal(NULL, NULL);
    ck_assert_int_eq(certify("13"), MGC_E_BAD_CERT);
    OK(certify("123"));
    ck_assert_int_eq(verify_head(NULL, 4), MGC_OK);
    (void)mgc__chain_members(chain, &n);
    ck_assert_uint_eq(n, 3);
    seal("12", "45"); /* others alone: no joint configuration */
    OK(certify("12"));
    ck_assert(!chain->configurations[chain->n_configurations - 1]->signers.joint);
    seal(NULL, NULL);
    ck_assert_int_eq(certify("123"), MGC_E_BAD_CERT);
    OK(certify("1245"));
    ck_assert_int_eq(verify_head(NULL, 6), MGC_OK);
}
END_TEST

START_TEST(changes_that_cannot_be_are_refused)
{
    mgc_member people[3] = {person(1), person(2), person(3)};
    mgc_chain_signers s = {.struct_size = sizeof s, .members = people, .n_members = 3, .quorum = 2};

    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_STATE); /* no open block */
    ck_assert_int_eq(mgc_chain_set_signers(NULL, &s), MGC_E_INVALID_ARG);
    OK(mgc_chain_begin(chain, 1000));
    ck_assert_int_eq(mgc_chain_set_signers(chain, NULL), MGC_E_INVALID_ARG);
    s.quorum = 1;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_INVALID_ARG); /* two quorums that do not meet */
    s.quorum = 4;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_INVALID_ARG);
    s.quorum = 2;
    people[1].id = 3;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_INVALID_ARG);
    people[1] = person(1);
    people[1].id = 2;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_BAD_KEY); /* one key twice */
    memset(people[1].public_key, 0, 32);
    people[1].public_key[0] = 1;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_BAD_KEY); /* a point of small order */
    people[1] = person(2);
    s.reserved0 = 1;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_INVALID_ARG);
    s.reserved0 = 0;
    s.n_others = 30;
    s.others = people;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_INVALID_ARG); /* a header stays small */
    s.n_others = 1;
    ck_assert_int_eq(mgc_chain_set_signers(chain, &s), MGC_E_STATE); /* counts and does not */
    OK(set_signers("124", NULL));
    OK(mgc_chain_seal(chain, 1));
    OK(mgc_chain_begin(chain, 2000));
    ck_assert_int_eq(set_signers("123", NULL), MGC_E_STATE); /* one change at a time */
    ck_assert_int_eq(set_signers("1245", NULL), MGC_E_STATE);
    OK(set_signers("124", NULL));
    mgc_chain_abort(chain);
    OK(mgc_chain_begin(chain, 2000)); /* what was aborted changed nothing */
    OK(mgc_chain_seal(chain, 1));
    ck_assert(chain->configurations[chain->n_configurations - 1]->signers.joint);
}
END_TEST

/* --- who cheats a light client ------------------------------------------------------------------------ */

struct piece {
    uint8_t header[4096], certificate[4096];
    size_t header_len, certificate_len;
};

static void sign_piece(struct piece *p, const char *who)
{
    uint8_t signatures[KEYS][64], hash[32];
    mgc__certificate c = {.block_hash = hash};
    mgc__cbor_writer w;

    mgc__header_hash(p->header, p->header_len, hash);
    for (; who[c.n] != '\0'; c.n++) {
        uint32_t id = (uint32_t)(who[c.n] - '0');
        OK(mgc__sign_tagged(ctx, keys[id], "mgchain/vote/1", chain_id, MGC_ROLE_VALIDATOR, p->header, p->header_len, signatures[c.n]));
        c.votes[c.n].member = id;
        c.votes[c.n].signature = signatures[c.n];
    }
    mgc__cbor_to_fixed(&w, p->certificate, sizeof p->certificate);
    mgc__certificate_write(&w, &c);
    ck_assert_int_eq(w.status, MGC_OK);
    p->certificate_len = w.len;
}

/* The block of a height as it stands here, signed by others. */
static void piece_of(struct piece *p, uint64_t height, const char *who)
{
    mgc__stored_block b;
    mgc__buf record;

    mgc__buf_init(&record, ctx, MGC__RECORD_MAX);
    OK(mgc__read_block_record(chain, height, &record, &b));
    memcpy(p->header, b.header_bytes, p->header_len = b.header_len);
    mgc__buf_free(&record);
    sign_piece(p, who);
}

/* A header that another change was written into. */
static void change_piece(struct piece *p, bool joint_, const char *members, uint64_t config_height, const char *who)
{
    mgc__header h;
    mgc__cbor_writer w;

    OK(mgc__header_read(ctx, p->header, p->header_len, &h));
    h.config_height = config_height;
    h.change = (mgc__change){.joint = joint_};
    h.change.n = (uint32_t)people_of(members, h.change.list);
    h.change.quorum = h.change.n / 2 + 1;
    mgc__cbor_to_fixed(&w, p->header, sizeof p->header);
    mgc__header_write(&w, &h);
    ck_assert_int_eq(w.status, MGC_OK);
    p->header_len = w.len;
    sign_piece(p, who);
}

/* A head's proof out of pieces: the changes, then the block. */
static mgc_status judge(mgc_verifier *v, const struct piece *const *changes, size_t n, const struct piece *head)
{
    mgc_verifier fresh;
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, proof, sizeof proof);
    mgc__cbor_put_map(&w, 6);
    mgc__cbor_put_uint_at(&w, 1, n == 0 ? 1 : 2);
    mgc__cbor_put_uint_at(&w, 2, MGC_PROOF_HEAD);
    mgc__cbor_put_uint(&w, 3);
    if (n > 0) mgc__cbor_put_array(&w, 1 + 2 * n);
    mgc__cbor_put_bytes(&w, chain->genesis_bytes, chain->genesis_len);
    for (size_t i = 0; i < n; i++) {
        mgc__cbor_put_bytes(&w, changes[i]->header, changes[i]->header_len);
        mgc__cbor_put_bytes(&w, changes[i]->certificate, changes[i]->certificate_len);
    }
    mgc__cbor_put_bytes_at(&w, 4, head->header, head->header_len);
    mgc__cbor_put_bytes_at(&w, 5, head->certificate, head->certificate_len);
    mgc__cbor_put_uint(&w, 6);
    mgc__cbor_put_null(&w);
    ck_assert_int_eq(w.status, MGC_OK);
    OK(mgc_verifier_init(&fresh, sizeof fresh, chain_id));
    proof_len = w.len;
    return mgc_verify_follow(v != NULL ? v : &fresh, proof, w.len, NULL);
}

/* The same header on another chain of the same members, who signed it there. */
static void sister_piece(struct piece *p, const char *who)
{
    mgc__header h;
    mgc__cbor_writer w;

    OK(mgc__header_read(ctx, p->header, p->header_len, &h));
    chain_id[0] ^= 1;
    memcpy(h.chain_id, chain_id, 32);
    mgc__cbor_to_fixed(&w, p->header, sizeof p->header);
    mgc__header_write(&w, &h);
    ck_assert_int_eq(w.status, MGC_OK);
    p->header_len = w.len;
    sign_piece(p, who);
    chain_id[0] ^= 1;
}

static struct piece joint, leave, head, forged;

/* 1: plain, 2: 123 to 345, 3: 345 alone, 4: plain. */
static void honest(void)
{
    block(NULL, "12");
    block("345", "1345");
    block("345", "2345");
    block(NULL, "34");
    piece_of(&joint, 2, "1345");
    piece_of(&leave, 3, "2345");
    piece_of(&head, 4, "34");
    ck_assert_int_eq(judge(NULL, (const struct piece *[]){&joint, &leave}, 2, &head), MGC_OK);
}

#define REFUSED(status, head, ...) \
    ck_assert_int_eq(judge(NULL, (const struct piece *[]){__VA_ARGS__}, sizeof((const struct piece *[]){__VA_ARGS__}) / sizeof(void *), head), status)

START_TEST(X3_signatures_of_others_across_a_change)
{
    static const char *const bad[] = {"12", "123", "3", "13", "346", "345678", "6", "", "33", "43"};

    honest();
    for (size_t i = 0; i < MGC__COUNT(bad); i++) { /* removed, unknown, too few, twice, out of order */
        piece_of(&head, 4, bad[i]);
        REFUSED(MGC_E_BAD_CERT, &head, &joint, &leave);
    }
    piece_of(&head, 4, "34");
    for (size_t i = 0; i < MGC__COUNT(bad); i++) {
        piece_of(&forged, 2, bad[i]);
        REFUSED(MGC_E_BAD_CERT, &head, &forged, &leave);
        piece_of(&forged, 3, bad[i]);
        REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    }
    /* One signature's bits. */
    forged = head;
    forged.certificate[forged.certificate_len - 5] ^= 1;
    REFUSED(MGC_E_BAD_CERT, &forged, &joint, &leave);
}
END_TEST

START_TEST(X2_a_certificate_of_another_block_across_a_change)
{
    honest();
    forged = head; /* the joint block's own certificate, good there, under a block after it */
    memcpy(forged.certificate, joint.certificate, forged.certificate_len = joint.certificate_len);
    REFUSED(MGC_E_BAD_CERT, &forged, &joint, &leave);
    forged = leave;
    memcpy(forged.certificate, joint.certificate, forged.certificate_len = joint.certificate_len);
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
}
END_TEST

START_TEST(a_change_of_members_left_out)
{
    honest();
    REFUSED(MGC_E_BAD_CERT, &head, &leave);
    REFUSED(MGC_E_BAD_CERT, &head, &joint);
    REFUSED(MGC_E_BAD_CERT, &head, &leave, &joint);
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &joint, &leave);
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &leave, &leave);
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &head);
    ck_assert_int_eq(judge(NULL, NULL, 0, &head), MGC_E_BAD_CERT);
    piece_of(&forged, 1, "12"); /* a change that is none */
    REFUSED(MGC_E_BAD_CERT, &head, &forged, &joint, &leave);
}
END_TEST

/* Signers who are of the genesis, too: nothing but the height that the header names tells that a change is missing. */
START_TEST(a_change_left_out_where_all_signed_before)
{
    block("1234", "1234");
    block("1234", "1234");
    block(NULL, "123");
    piece_of(&joint, 1, "1234");
    piece_of(&leave, 2, "1234");
    piece_of(&head, 3, "123");
    REFUSED(MGC_OK, &head, &joint, &leave);
    REFUSED(MGC_E_BAD_CERT, &head, &joint);
    ck_assert_int_eq(judge(NULL, NULL, 0, &head), MGC_E_BAD_CERT);
}
END_TEST

START_TEST(headers_that_no_chain_has)
{
    mgc__header h = {.height = 4, .config_height = 3};
    mgc__signers next;

    honest();
    ck_assert_ptr_nonnull(mgc__chain_signers_of(chain, &h, &next));
    h.height = 3; /* it cannot be signed by those whom it brings itself */
    ck_assert_ptr_null(mgc__chain_signers_of(chain, &h, &next));
    piece_of(&forged, 1, "12"); /* of before the configuration that it names */
    change_piece(&forged, false, "345", 3, "345");
    REFUSED(MGC_E_BAD_CERT, &forged, &joint, &leave);
    forged = head; /* a joint change of nothing; others without a joint one */
    change_piece(&forged, true, "345", 3, "345");
    REFUSED(MGC_E_BAD_CERT, &forged, &joint, &leave);
    change_piece(&forged, false, "34", 3, "345");
    REFUSED(MGC_E_BAD_CERT, &forged, &joint, &leave);
    forged = joint; /* a change on a sister chain, which the same members signed there */
    sister_piece(&forged, "1345");
    REFUSED(MGC_E_WRONG_CHAIN, &head, &forged, &leave);
}
END_TEST

START_TEST(a_forged_configuration)
{
    honest();
    piece_of(&forged, 2, "");
    change_piece(&forged, true, "678", 0, "678"); /* newcomers sign for themselves */
    piece_of(&head, 4, "67");
    REFUSED(MGC_E_BAD_CERT, &head, &forged);
    change_piece(&forged, true, "678", 0, "13678"); /* with one that was removed among those who come: of 123 it counts; good */
    ck_assert_int_eq(judge(NULL, (const struct piece *[]){&forged}, 1, &forged), MGC_E_BAD_CERT); /* it is not of before itself */
    change_piece(&forged, false, "678", 0, "123"); /* others without a joint step, whoever signs */
    REFUSED(MGC_E_BAD_CERT, &head, &forged);
    piece_of(&forged, 3, "");
    change_piece(&forged, true, "678", 2, "12345678"); /* a second change within the first */
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    piece_of(&forged, 3, "");
    change_piece(&forged, false, "34", 2, "12345"); /* ends with others than it began with */
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    piece_of(&head, 4, "34");
    piece_of(&forged, 3, "");
    change_piece(&forged, false, "345", 3, "12345"); /* names itself */
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    piece_of(&forged, 2, "");
    for (size_t at = 0; at < joint.header_len; at++) { /* any bit of what they signed */
        forged = joint;
        forged.header[at] ^= (uint8_t)(1 << at % 8);
        ck_assert_int_ne(judge(NULL, (const struct piece *[]){&forged, &leave}, 2, &head), MGC_OK);
    }
}
END_TEST

START_TEST(a_joint_block_with_one_majority)
{
    honest();
    piece_of(&forged, 2, "123");
    REFUSED(MGC_E_BAD_CERT, &head, &forged, &leave);
    piece_of(&forged, 2, "345");
    REFUSED(MGC_E_BAD_CERT, &head, &forged, &leave);
    piece_of(&forged, 3, "345");
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    piece_of(&forged, 3, "123");
    REFUSED(MGC_E_BAD_CERT, &head, &joint, &forged);
    piece_of(&forged, 2, "234"); /* of both: 2 and 3, 3 and 4 */
    ck_assert_int_eq(judge(NULL, (const struct piece *[]){&forged, &leave}, 2, &head), MGC_OK);
}
END_TEST

/* Former members sign another past, without the change that removed them: a verifier that saw the change is not taken in. */
START_TEST(former_members_sign_another_past)
{
    mgc_verifier kept;
    mgc__header h;
    mgc__cbor_writer w;

    honest();
    OK(mgc_verifier_init(&kept, sizeof kept, chain_id));
    OK(judge(&kept, (const struct piece *[]){&joint, &leave}, 2, &head));
    ck_assert_uint_eq(kept.members_height, 3);
    piece_of(&forged, 4, "");
    OK(mgc__header_read(ctx, forged.header, forged.header_len, &h));
    h.config_height = 0;
    h.height = 5;
    h.n_txs = 0;
    mgc__cbor_to_fixed(&w, forged.header, sizeof forged.header);
    mgc__header_write(&w, &h);
    forged.header_len = w.len;
    sign_piece(&forged, "123");
    kept.height = 0;
    ck_assert_int_eq(judge(NULL, NULL, 0, &forged), MGC_OK); /* whoever has the genesis alone cannot know */
    ck_assert_int_eq(judge(&kept, NULL, 0, &forged), MGC_E_BAD_CERT);
    /* another change at the height of the one that is known */
    piece_of(&forged, 3, "");
    change_piece(&forged, true, "678", 0, "123678");
    piece_of(&leave, 4, "");
    change_piece(&leave, false, "678", 3, "123678");
    ck_assert_int_eq(judge(&kept, (const struct piece *[]){&forged}, 1, &leave), MGC_E_EQUIVOCATION);
    ck_assert_uint_eq(kept.members_height, 3);
    ck_assert_int_eq(mgc_chain_witness(chain, proof, proof_len), MGC_E_EQUIVOCATION); /* nor is a ledger that has it */
    OK(mgc_chain_begin(chain, chain->time_ms + 10));
    mgc_chain_abort(chain);
}
END_TEST

/* --- what is pruned ------------------------------------------------------------------------------------ */

/* Whoever can write files puts signers of his own under a change whose block is gone. */
static void forge_kept_change(const mgc_ledger_opts *opts)
{
    const mgc__configuration *c = chain->configurations[1];
    mgc__place place;

    ck_assert_uint_eq(chain->blocks[c->signers.height - 1].certificate.length, 0);
    memcpy(forged.header, c->header, forged.header_len = c->header_len);
    sign_piece(&forged, "678");
    OK(mgc__journal_append(ledger->journal, MGC__RECORD_MEMBERS, 0, c->signers.height, forged.certificate, forged.certificate_len, &place));
    OK(mgc__journal_sync(ledger->journal));
    mgc_ledger_close(ledger);
    ck_assert_int_eq(mgc_ledger_open(ctx, opts, &ledger), MGC_E_BAD_CERT);
    ck_assert_ptr_null(ledger);
}

START_TEST(pruning_keeps_what_shows_the_changes)
{
    static uint8_t big[3000];
    uint32_t removed = 0, all = 0;
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;
    struct world w = {.ctx = ctx};

    OK(mgc_key_from_seed(ctx, (const uint8_t[32]){77}, &w.alice));
    block(NULL, "12");
    block("345", "1345");
    block("345", "2345");
    memset(big, 'x', sizeof big - 1);
    for (uint64_t day = 1; day <= 12; day++) {
        for (int i = 0; i < 8; i++) {
            uint8_t bytes[4096];
            w.ledger = ledger;
            w.chain = chain;
            memcpy(w.chain_id, chain_id, 32);
            OK(mgc_chain_begin(chain, day * DAY + 1000 * (uint64_t)(i + 1)));
            big[0] = (uint8_t)i;
            size_t len = make_tx(&w, "put", big, sizeof big, bytes);
            ck_assert_uint_gt(len, 0);
            OK(mgc_chain_add(chain, bytes, len, NULL));
            OK(mgc_chain_seal(chain, 3));
            OK(certify(day % 2 == 0 ? "34" : "45"));
        }
        OK(mgc_ledger_sync(ledger));
        OK(mgc_ledger_snapshot(ledger));
        if (day < 4) continue;
        OK(mgc_ledger_prune(ledger, &removed));
        all += removed;
        ck_assert_int_eq(verify_head(NULL, chain->final_height), MGC_OK);
        reopen();
        ck_assert_int_eq(verify_head(NULL, chain->final_height), MGC_OK);
    }
    ck_assert_uint_gt(all, 2);
    ck_assert_uint_eq(chain->blocks[1].block.length, 0); /* it is gone, and its change is known */
    ck_assert_uint_eq(chain->n_configurations, 3);
    block("456", "3456"); /* and members change on */
    block("456", "3456");
    reopen();
    ck_assert_int_eq(verify_head(NULL, chain->final_height), MGC_OK);
    mgc_ledger_close(ledger);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    OK(mgc_ledger_verify(ctx, &opts, &verified));
    open_disk(&disk, &ledger, &chain);
    mgc_key_destroy(w.alice);
    forge_kept_change(&opts);
}
END_TEST

/* Who can write the store's files and has no member's key: a change that its own newcomers signed. */
START_TEST(a_change_written_into_the_store)
{
    mgc_ledger_opts opts;
    mgc_ledger *again = NULL;
    mgc__place place;

    block(NULL, "12");
    seal("678", NULL);
    piece_of(&forged, 2, "678");
    OK(mgc__journal_append(ledger->journal, MGC__RECORD_CERTIFICATE, 0, 2, forged.certificate, forged.certificate_len, &place));
    OK(mgc__journal_sync(ledger->journal));
    mgc_ledger_close(ledger);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &again), MGC_E_BAD_CERT);
    ck_assert_ptr_null(again);
    ledger = NULL;
}
END_TEST

/* --- the rules by themselves -------------------------------------------------------------------------- */

static void half_of(mgc__half *half, const char *list)
{
    half->n = (uint32_t)people_of(list, half->list);
    half->quorum = half->n / 2 + 1;
}

static const char *next_of(const mgc__signers *s, bool joint_, const char *members, uint32_t quorum)
{
    mgc__header h = {.height = 9, .change = {.joint = joint_, .quorum = quorum}};
    mgc__signers next;

    h.change.n = (uint32_t)people_of(members, h.change.list);
    return mgc__signers_next(s, &h, &next);
}

START_TEST(what_may_follow_what)
{
    mgc__signers s = {.height = 5};
    mgc__header h = {.height = 9, .change = {.joint = true, .n = MGC__CHANGE_MAX, .quorum = MGC__CHANGE_MAX / 2 + 1}};
    mgc__signers next;

    half_of(&s.now, "123");
    ck_assert_ptr_null(next_of(&s, true, "124", 2));
    ck_assert_ptr_null(next_of(&s, false, "123", 2));
    ck_assert_ptr_nonnull(next_of(&s, true, "123", 2));
    ck_assert_ptr_null(next_of(&s, true, "123", 3));
    ck_assert_ptr_nonnull(next_of(&s, false, "123", 3)); /* who is enough is a change, too */
    ck_assert_ptr_nonnull(next_of(&s, false, "124", 2));
    s.joint = true;
    half_of(&s.old, "12");
    ck_assert_ptr_nonnull(next_of(&s, true, "124", 2));
    ck_assert_ptr_nonnull(next_of(&s, true, "123", 2));
    ck_assert_ptr_null(next_of(&s, false, "123", 2));
    /* Both halves and those who do not count fit a certificate, and not one more. */
    s = (mgc__signers){.now.n = MGC_MEMBERS_MAX - MGC__CHANGE_MAX};
    for (uint32_t i = 0; i < s.now.n; i++) s.now.list[i].id = 100 + i;
    for (uint32_t i = 0; i < MGC__CHANGE_MAX; i++) h.change.list[i].id = 1 + i;
    ck_assert_ptr_null(mgc__signers_next(&s, &h, &next));
    s.now.list[s.now.n++].id = 200;
    ck_assert_ptr_nonnull(mgc__signers_next(&s, &h, &next));
    h.change.list[0].id = 200; /* one who is in both counts once */
    ck_assert_ptr_null(mgc__signers_next(&s, &h, &next));
    h.change.n_others = 1;
    h.change.others[0].id = 300;
    ck_assert_ptr_nonnull(mgc__signers_next(&s, &h, &next));
}
END_TEST

/* 2, 3 and 4 before and after, 4 with another key then; 5 and 6 sign and do not count.  who: by whose key; ! a signature of other bytes. */
static mgc_status tally(const char *who, uint32_t *wrong)
{
    static const uint8_t header[] = "a header", other[] = "other bytes";
    const uint8_t hash[32] = {3}, another[32] = {4};
    uint8_t signatures[KEYS][64];
    mgc__signers s = {.joint = true};
    mgc__certificate c = {.block_hash = hash};

    half_of(&s.old, "234");
    half_of(&s.now, "239");
    half_of(&s.others, "56");
    for (; *who != '\0'; who++) {
        uint32_t key = (uint32_t)(*who - '0');
        bool bad = who[1] == '!';

        OK(mgc__sign_tagged(ctx, keys[key], "mgchain/vote/1", chain_id, MGC_ROLE_VALIDATOR, bad ? other : header,
                            bad ? sizeof other : sizeof header, signatures[c.n]));
        c.votes[c.n].member = key == KEYS + 1 ? 4 : key;
        c.votes[c.n].signature = signatures[c.n];
        c.n++;
        who += bad;
    }
    *wrong = 99;
    if (!mgc__signers_enough(&s, &c)) {
        ck_assert_int_eq(mgc__signers_check(NULL, &s, chain_id, header, sizeof header, hash, &c, wrong), MGC_E_BAD_CERT);
        return MGC_E_LIMIT;
    }
    ck_assert_int_eq(mgc__signers_check(NULL, &s, chain_id, header, sizeof header, another, &c, wrong), MGC_E_BAD_CERT); /* good, for another */
    return mgc__signers_check(NULL, &s, chain_id, header, sizeof header, hash, &c, wrong);
}

START_TEST(each_signature_is_looked_at)
{
    static const struct {
        const char *who;
        mgc_status status;
        uint32_t wrong; /* 0: none */
    } cases[] = {{"23", MGC_OK, 0},           {"234", MGC_OK, 0},          {"239", MGC_OK, 0},   {"2356", MGC_OK, 0},
                 {"23!", MGC_E_BAD_CERT, 3},  {"234!", MGC_E_BAD_CERT, 4}, {"239!", MGC_E_BAD_CERT, 4},
                 {"235!", MGC_E_BAD_CERT, 5}, {"237", MGC_E_BAD_CERT, 7},  {"24", MGC_E_BAD_CERT, 0},
                 {"29", MGC_E_BAD_CERT, 0},   {"25", MGC_E_LIMIT, 0},      {"256", MGC_E_LIMIT, 0}, {"456", MGC_E_LIMIT, 0}};
    uint32_t wrong;

    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        ck_assert_msg(tally(cases[i].who, &wrong) == cases[i].status, "%s", cases[i].who);
        ck_assert_msg(wrong == cases[i].wrong, "%s: %" PRIu32, cases[i].who, wrong);
    }
    mgc__signers s = {.joint = false};
    mgc__certificate c = {.n = 3, .votes = {{.member = 2}, {.member = 5}, {.member = 6}}};
    half_of(&s.now, "234");
    half_of(&s.others, "56");
    ck_assert(!mgc__signers_enough(&s, &c));
    c.votes[1].member = 3;
    ck_assert(mgc__signers_enough(&s, &c));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("all");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, members_come_go_and_change_keys);
    tcase_add_test(tcase, a_joint_block_needs_both_majorities);
    tcase_add_test(tcase, others_sign_and_count_nowhere);
    tcase_add_test(tcase, changes_that_cannot_be_are_refused);
    tcase_add_test(tcase, X3_signatures_of_others_across_a_change);
    tcase_add_test(tcase, X2_a_certificate_of_another_block_across_a_change);
    tcase_add_test(tcase, a_change_of_members_left_out);
    tcase_add_test(tcase, a_change_left_out_where_all_signed_before);
    tcase_add_test(tcase, headers_that_no_chain_has);
    tcase_add_test(tcase, what_may_follow_what);
    tcase_add_test(tcase, each_signature_is_looked_at);
    tcase_add_test(tcase, a_forged_configuration);
    tcase_add_test(tcase, a_joint_block_with_one_majority);
    tcase_add_test(tcase, former_members_sign_another_past);
    tcase_add_test(tcase, pruning_keeps_what_shows_the_changes);
    tcase_add_test(tcase, a_change_written_into_the_store);
    return run_suite("ledger-signers", tcase);
}
