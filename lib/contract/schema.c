/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods: what encodes and decodes arguments, describes them to hosts and documents them. */
#include "contract/contract.h"

#define AMOUNT ((int64_t)MGC_AMOUNT_MAX)
#define SLOT_MAX (INT64_C(1) << 40) /* at a minute each: two million years */

#define UINT(name, lower, upper)                                                                                     \
    {                                                                                                                \
        MGC_FIELD_UINT, name, "", lower, upper                                                                       \
    }
#define INT(name, lower, upper)                                                                                      \
    {                                                                                                                \
        MGC_FIELD_INT, name, "", lower, upper                                                                        \
    }
#define ID(name)                                                                                                     \
    {                                                                                                                \
        MGC_FIELD_UINT, name, "", 1, MGC_PARTY_MAX                                                                   \
    }
#define SLOT(name)                                                                                                   \
    {                                                                                                                \
        MGC_FIELD_UINT, name, "", 0, SLOT_MAX                                                                        \
    }
#define TEXT(name, lower)                                                                                            \
    {                                                                                                                \
        MGC_FIELD_TEXT, name, "", lower, MGC_NAME_MAX                                                                \
    }
#define HASH(name)                                                                                                   \
    {                                                                                                                \
        MGC_FIELD_BYTES, name, "", 32, 32                                                                            \
    }
#define BYTES(name, lower, upper)                                                                                    \
    {                                                                                                                \
        MGC_FIELD_BYTES, name, "", lower, upper                                                                      \
    }
#define ROWS(name, columns)                                                                                          \
    {                                                                                                                \
        MGC_FIELD_ROWS, name, columns, 1, MGC_ROWS_MAX                                                               \
    }

static const mgc__method methods[] = {
    {MGC_CONTRACT_INFORMATION,
     "found",
     {TEXT("name", 1), TEXT("currency", 1), UINT("slot_ms", 60000, 86400000),
      UINT("gate_ms", 0, INT64_C(31) * 86400000), UINT("gate_slots", 1, 1440),
      UINT("window_ms", 0, INT64_C(366) * 86400000), UINT("collateral_bp", 0, 10000),
      UINT("pending_blocks", 1, UINT32_MAX), SLOT("first_slot"), HASH("administrator")}},
    {MGC_CONTRACT_INFORMATION, "organisation", {ID("id"), TEXT("name", 1)}},
    {MGC_CONTRACT_INFORMATION,
     "member",
     {ID("id"), ID("organisation"), TEXT("name", 1), UINT("roles", 0, 1023), HASH("key"),
      UINT("from_height", 0, SLOT_MAX)}},
    {MGC_CONTRACT_INFORMATION,
     "microgrid",
     {ID("id"), ID("organisation"), ID("manager"), TEXT("name", 1),
      ROWS("limits", "carrier import_wh export_wh sale_wh")}},
    {MGC_CONTRACT_INFORMATION,
     "device",
     {ID("id"), ID("microgrid"), TEXT("type", 1), TEXT("name", 1), UINT("capacity_w", 0, AMOUNT)}},
    {MGC_CONTRACT_INFORMATION,
     "link",
     {ID("id"), ID("first"), ID("second"), UINT("carrier", 1, 2), UINT("capacity_wh", 0, AMOUNT),
      UINT("loss_ppm", 0, 1000000), UINT("fee_micro_per_kwh", 0, PRICE_MAX)}},
    {MGC_CONTRACT_INFORMATION,
     "meter",
     {ID("id"), ID("microgrid"), UINT("carrier", 1, 3), UINT("link", 0, MGC_PARTY_MAX), ID("member"),
      SLOT("from_slot"), UINT("digits", 4, 18), UINT("max_wh", 1, AMOUNT), UINT("in_wh", 0, AMOUNT),
      UINT("out_wh", 0, AMOUNT)}},
    {MGC_CONTRACT_INFORMATION, "rotate", {ID("member"), HASH("key")}},
    {MGC_CONTRACT_INFORMATION, "revoke", {ID("member")}},
    {MGC_CONTRACT_INFORMATION, "commit", {UINT("kind", 1, 255), SLOT("slot"), HASH("hash")}},
    {MGC_CONTRACT_INFORMATION,
     "open",
     {UINT("number", 0, SLOT_MAX), BYTES("salt", 16, 64), BYTES("value", 0, 16384)}},
    {MGC_CONTRACT_INFORMATION,
     "deploy",
     {UINT("id", MGC_CONTRACT_HOST, UINT32_MAX), UINT("version", 1, UINT32_MAX), HASH("code_hash"),
      UINT("activation_height", 1, SLOT_MAX), TEXT("name", 1)}},
    {MGC_CONTRACT_INFORMATION, "retire", {UINT("id", MGC_CONTRACT_HOST, UINT32_MAX), UINT("height", 1, SLOT_MAX)}},

    {MGC_CONTRACT_TRADING, "deposit", {ID("microgrid"), UINT("amount_micro", 1, AMOUNT), TEXT("reference", 0)}},
    {MGC_CONTRACT_TRADING, "withdraw", {ID("microgrid"), UINT("amount_micro", 1, AMOUNT), TEXT("reference", 0)}},
    {MGC_CONTRACT_TRADING, "nominate", {ID("microgrid"), UINT("carrier", 1, 2), ROWS("rows", "slot buy_wh sell_wh")}},
    {MGC_CONTRACT_TRADING,
     "agree",
     {ID("seller"), ID("buyer"), ID("link"), ROWS("rows", "slot wh price_micro_per_kwh")}},
    {MGC_CONTRACT_TRADING,
     "pay",
     {ID("payer"), ID("payee"), UINT("amount_micro", 1, AMOUNT), SLOT("first_slot"), SLOT("last_slot"),
      HASH("run_hash")}},

    {MGC_CONTRACT_TRADING,
     "bid",
     {ID("microgrid"), SLOT("slot"), UINT("carrier", 1, 2), HASH("hash"), UINT("deposit_micro", 0, AMOUNT)}},
    {MGC_CONTRACT_TRADING,
     "reveal",
     {SLOT("slot"), UINT("carrier", 1, 2), UINT("bid", 1, SLOT_MAX), BYTES("salt", 16, 64), UINT("sells", 0, 1),
      UINT("wh", 1, AMOUNT), INT("price", -PRICE_MAX, PRICE_MAX)}},
    {MGC_CONTRACT_TRADING, "clear", {SLOT("slot"), UINT("carrier", 1, 2)}},

    {MGC_CONTRACT_SCHEDULING, "terms", {ID("link"), ROWS("rows", "slot capacity_wh fee_micro_per_kwh")}},
    {MGC_CONTRACT_SCHEDULING,
     "curtail",
     {ID("microgrid"), UINT("carrier", 1, 2), ROWS("rows", "slot take_less_wh give_less_wh"), TEXT("reason", 1)}},
    {MGC_CONTRACT_SCHEDULING, "acknowledge", {ID("microgrid"), SLOT("first_slot"), SLOT("last_slot")}},
    {MGC_CONTRACT_SCHEDULING, "read", {ID("meter"), ROWS("rows", "slot in_wh out_wh quality")}},
    {MGC_CONTRACT_SCHEDULING, "correct", {ID("meter"), ROWS("rows", "slot in_wh out_wh quality"), TEXT("reason", 1)}},

    {MGC_CONTRACT_SETTLEMENT,
     "tariff",
     {UINT("microgrid", 0, MGC_PARTY_MAX), UINT("carrier", 1, 3),
      ROWS("rows", "slot buy_price sell_price short_price long_price emission_mg_per_kwh")}},
    {MGC_CONTRACT_SETTLEMENT, "settle", {SLOT("slot")}},
    {MGC_CONTRACT_SETTLEMENT, "dispute", {SLOT("slot"), ID("microgrid"), TEXT("reason", 1)}},
    {MGC_CONTRACT_SETTLEMENT, "finalise", {SLOT("slot")}},
    {MGC_CONTRACT_SETTLEMENT, "surrender", {ID("microgrid"), SLOT("last_slot")}},
    {MGC_CONTRACT_SETTLEMENT, "issue", {ID("device"), SLOT("slot"), UINT("wh", 1, AMOUNT)}},
    {MGC_CONTRACT_SETTLEMENT, "assign", {ID("device"), SLOT("slot"), ID("microgrid")}},
    {MGC_CONTRACT_SETTLEMENT, "cancel", {ID("device"), SLOT("slot"), TEXT("reason", 1)}},

    {MGC_CONTRACT_SUPERVISION,
     "propose",
     {UINT("kind", 1, 7), UINT("subject", 1, MGC_PARTY_MAX), UINT("value", 0, AMOUNT), TEXT("reason", 1)}},
    {MGC_CONTRACT_SUPERVISION, "approve", {UINT("number", 1, SLOT_MAX)}},
    {MGC_CONTRACT_SUPERVISION,
     "act",
     {UINT("kind", 1, 7), UINT("subject", 1, MGC_PARTY_MAX), UINT("value", 0, AMOUNT), TEXT("reason", 1)}},
    {MGC_CONTRACT_SUPERVISION, "read", {TEXT("what", 1), TEXT("arguments", 0), TEXT("reason", 1)}},

    {MGC_CONTRACT_CREDIT, "epoch", {UINT("number", 1, SLOT_MAX), SLOT("last_slot")}},
    {MGC_CONTRACT_CREDIT, "certify", {BYTES("header", 1, 4096), BYTES("certificate", 1, 16384)}},
    {MGC_CONTRACT_CREDIT,
     "evidence",
     {UINT("kind", 1, 4), UINT("validator", 1, UINT32_MAX), BYTES("first", 1, 4096), BYTES("first_signature", 64, 64),
      BYTES("second", 1, 4096), BYTES("second_signature", 64, 64)}},
    {MGC_CONTRACT_CREDIT,
     "lost",
     {BYTES("entry_certificate", 72, 2304), BYTES("entry", 65, 65), BYTES("leader_certificate", 72, 2304),
      BYTES("entry_configuration", 52, 512), BYTES("leader_configuration", 52, 512)}},
    {MGC_CONTRACT_CREDIT, "followed", {HASH("case"), BYTES("leader_certificate", 72, 2304), BYTES("configuration", 52, 512)}},
};

const mgc__method *mgc__method_find(uint32_t contract, const char *name, size_t len)
{
    for (size_t i = 0; i < MGC__COUNT(methods); i++)
        if (methods[i].contract == contract && strlen(methods[i].name) == len &&
            memcmp(methods[i].name, name, len) == 0)
            return &methods[i];
    return NULL;
}

uint32_t mgc__method_fields(const mgc__method *method)
{
    uint32_t n = 0;

    while (n < FIELDS_MAX && method->fields[n].kind != 0) n++;
    return n;
}

uint32_t mgc__field_columns(const mgc__field *field)
{
    uint32_t n = 1;

    if (field->kind != MGC_FIELD_ROWS) return 0;
    for (const char *at = field->columns; *at != '\0'; at++)
        if (*at == ' ') n++;
    assert(n <= COLUMNS_MAX);
    return n;
}

const char *mgc_method_name(uint32_t contract, uint32_t index)
{
    for (size_t i = 0; i < MGC__COUNT(methods); i++)
        if (methods[i].contract == contract && index-- == 0) return methods[i].name;
    return NULL;
}

mgc_status mgc_field_describe(uint32_t contract, const char *method, uint32_t index, mgc_field_info *info)
{
    const mgc__method *found;
    mgc_field_info filled = {.struct_size = sizeof filled};

    if (method == NULL || info == NULL) return MGC_E_INVALID_ARG;
    found = mgc__method_find(contract, method, strlen(method));
    if (found == NULL || index >= mgc__method_fields(found)) return MGC_E_NOT_FOUND;
    filled.key = index + 1;
    filled.kind = found->fields[index].kind;
    filled.name = found->fields[index].name;
    filled.columns = found->fields[index].columns;
    filled.lower = found->fields[index].lower;
    filled.upper = found->fields[index].upper;
    return mgc__info_write(info, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_field_info, upper));
}

/* --- what a version of a built-in contract is --------------------------------------------------- */

static void put_u64(mgc__sha256 *s, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (8 * (7 - i)));
    mgc__sha256_put(s, bytes, sizeof bytes);
}

static void put_text(mgc__sha256 *s, const char *text)
{
    mgc__sha256_put(s, text, strlen(text) + 1);
}

/* The table, not the machine code: two compilers make different code of the same rules.  Whoever changes a rule and
 * not the table counts code_version up, and the hash changes with it. */
void mgc__code_hash(uint32_t contract, uint32_t code_version, const char *name, uint8_t hash[32])
{
    mgc__sha256 s;

    mgc__sha256_init(&s);
    put_text(&s, "mgchain/code/1");
    put_u64(&s, contract);
    put_u64(&s, code_version);
    put_text(&s, name);
    for (size_t i = 0; i < MGC__COUNT(methods); i++) {
        if (methods[i].contract != contract) continue;
        put_text(&s, methods[i].name);
        put_u64(&s, mgc__method_fields(&methods[i]));
        for (uint32_t k = 0; k < mgc__method_fields(&methods[i]); k++) {
            const mgc__field *field = &methods[i].fields[k];

            put_u64(&s, field->kind);
            put_text(&s, field->name);
            put_text(&s, field->columns);
            put_u64(&s, (uint64_t)field->lower);
            put_u64(&s, (uint64_t)field->upper);
        }
    }
    mgc__sha256_end(&s, hash);
}
