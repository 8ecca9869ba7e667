# SPDX-License-Identifier: Apache-2.0
"""The library as ctypes sees it: structs, constants, callbacks, prototypes, and where the shared library is found.

What stands between the markers is written by tools/gen_binding.py from the public headers.  Nothing of this module is
part of the package's own interface.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import pathlib
import sys
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint8,
                    c_uint32, c_uint64, c_void_p)
from typing import Any, Iterator, List, Optional

# --- begin of what tools/gen_binding.py writes; do not edit by hand ---
# Every status: number and meaning.
STATUS = {
    "MGC_OK": (0, "done"),
    "MGC_E_INVALID_ARG": (-1, "an argument is not allowed"),
    "MGC_E_NO_MEMORY": (-2, "the allocator returned NULL"),
    "MGC_E_STATE": (-3, "the call is not allowed in the object's present state"),
    "MGC_E_ABI_SIZE": (-4, "struct_size is not one that this library knows"),
    "MGC_E_ABI_FUTURE": (-5, "a field that this library does not know is set"),
    "MGC_E_CALLBACK": (-6, "a callback answered with none of the allowed words"),
    "MGC_E_STOPPED": (-7, "a callback asked to stop"),
    "MGC_E_LIMIT": (-8, "a limit of the library is exceeded"),
    "MGC_E_RANGE": (-9, "a number is outside its allowed range"),
    "MGC_E_NOT_FOUND": (-10, "there is no such thing, or none that the caller may see"),
    "MGC_E_EXISTS": (-11, "a thing of that name exists already"),
    "MGC_E_IO": (-12, "the storage or file could not be read or written"),
    "MGC_E_SYNTAX": (-13, "a text does not follow its grammar"),
    "MGC_E_OVERFLOW": (-14, "an amount or size would overflow"),
    "MGC_E_UNSUPPORTED": (-15, "the request is understood but not supported"),
    "MGC_E_INTERNAL": (-16, "an invariant of the library was found broken: a bug"),
    "MGC_E_NUMERIC": (-100, "a factorisation or an iteration broke down"),
    "MGC_E_NOT_CONVEX": (-200, "the quadratic objective is not convex"),
    "MGC_E_PROBABILITY": (-300, "probabilities are negative or do not sum to one"),
    "MGC_E_UNKNOWN_KEY": (-400, "no parameter, device or series of that name"),
    "MGC_E_WRONG_LENGTH": (-401, "a series has the wrong length"),
    "MGC_E_FREE_MONEY": (-402, "a price order allows unlimited profit"),
    "MGC_E_MESSAGE": (-500, "a peer's message is malformed, foreign or out of order"),
    "MGC_E_NONCANONICAL": (-600, "the bytes are not the canonical encoding"),
    "MGC_E_TRUNCATED": (-601, "the bytes end too early"),
    "MGC_E_DEPTH": (-602, "the nesting is too deep"),
    "MGC_E_UTF8": (-603, "a text is not valid UTF-8"),
    "MGC_E_SCHEMA": (-604, "a key is unknown, missing or of the wrong type"),
    "MGC_E_VERSION": (-605, "the version of a format is newer than this library"),
    "MGC_E_TOO_LARGE": (-606, "the item is larger than its limit"),
    "MGC_E_BAD_SIGNATURE": (-700, "a signature does not verify"),
    "MGC_E_BAD_KEY": (-701, "a key has a wrong length or is a weak point"),
    "MGC_E_BAD_PROOF": (-702, "a proof does not verify"),
    "MGC_E_CRYPTO": (-703, "the cryptographic library failed"),
    "MGC_E_CORRUPT": (-800, "stored bytes are damaged"),
    "MGC_E_LOCKED": (-801, "another process holds the store"),
    "MGC_E_FAILED": (-802, "an earlier storage failure made the handle unusable; reopen"),
    "MGC_E_BAD_PARENT": (-803, "a block does not name its predecessor's hash"),
    "MGC_E_HEIGHT": (-804, "a block's height is not the next one"),
    "MGC_E_TIME": (-805, "a block's time is not after its parent's, or too far ahead"),
    "MGC_E_BAD_TX_ROOT": (-806, "the transactions do not hash to the header's root"),
    "MGC_E_STATE_MISMATCH": (-807, "the state or the receipts differ from the header"),
    "MGC_E_BAD_CERT": (-808, "a finality certificate does not verify"),
    "MGC_E_EQUIVOCATION": (-809, "two certified blocks at one height"),
    "MGC_E_WRONG_CHAIN": (-810, "the item belongs to another chain"),
    "MGC_E_DUPLICATE_TXID": (-811, "the transaction is committed already"),
    "MGC_E_NONCE_USED": (-812, "the nonce is used by another transaction"),
    "MGC_E_NONCE_GAP": (-813, "the nonce is not the next one"),
    "MGC_E_EXPIRED": (-814, "the last valid height has passed"),
    "MGC_E_MISSING_SIGNER": (-815, "a required signature is missing"),
    "MGC_E_FORBIDDEN": (-816, "the signer or caller lacks the role"),
    "MGC_E_KEY_REVOKED": (-817, "the signing key is revoked"),
    "MGC_E_KEY_NOT_YET": (-818, "the signing key is not valid yet"),
    "MGC_E_ACCOUNT": (-819, "no such account"),
    "MGC_E_ACCOUNT_CLOSED": (-820, "the account is closed"),
    "MGC_E_LEDGER_MISMATCH": (-821, "the two accounts have different units"),
    "MGC_E_EXCEEDS_CREDIT": (-822, "the account may not go that far"),
    "MGC_E_EXISTS_DIFFERENT": (-823, "the id exists with other content"),
    "MGC_E_PENDING_NOT_FOUND": (-824, "no such pending transfer"),
    "MGC_E_PENDING_POSTED": (-825, "the pending transfer is posted already"),
    "MGC_E_PENDING_VOIDED": (-826, "the pending transfer is voided already"),
    "MGC_E_PENDING_EXPIRED": (-827, "the pending transfer has expired"),
    "MGC_E_EXCEEDS_PENDING": (-828, "more than the pending amount"),
    "MGC_E_LINKED_FAILED": (-829, "another transfer of the linked group failed"),
    "MGC_E_LINKED_OPEN": (-830, "the linked group has no end"),
    "MGC_E_NOT_FINAL": (-831, "a block that this rests upon is not final"),
    "MGC_E_ALREADY_CREDITED": (-832, "the lock of another chain was credited already"),
    "MGC_E_CURSOR": (-833, "a cursor is malformed or belongs to another question"),
    "MGC_E_ROLLBACK": (-834, "the store ends before, or differs from, what others have seen"),
    "MGC_E_SELF_TRADE": (-900, "buyer and seller are the same"),
    "MGC_E_GATE_CLOSED": (-901, "the slot's gate is closed"),
    "MGC_E_SLOT": (-902, "the slot is not on the grid or lies in the past"),
    "MGC_E_OVERSOLD": (-903, "more than the declared capacity"),
    "MGC_E_CREDIT_SCORE": (-904, "the trading credit is below the threshold"),
    "MGC_E_DOUBLE_REPORT": (-905, "a second reading with other content"),
    "MGC_E_REGISTER_DECREASED": (-906, "the meter register runs backwards"),
    "MGC_E_EARLY": (-907, "a reading before the slot's end"),
    "MGC_E_COMMITMENT": (-908, "the opening does not match the commitment"),
    "MGC_E_ALREADY_SETTLED": (-909, "the slot is settled already"),
    "MGC_E_WINDOW": (-910, "the window for this act has passed"),
    "MGC_E_CONTRACT": (-911, "the contract broke its bounds and was rolled back"),
    "MGC_E_RATE": (-912, "too many acts of this kind"),
    "MGC_E_DOUBLE_CREDIT": (-913, "a certificate was issued for this already"),
    "MGC_E_ALREADY_CANCELLED": (-914, "the certificate is cancelled already"),
    "MGC_E_CASE": (-1300, "the case file has errors"),
}

# Constants.
MGC_OK = 0
MGC_E_INVALID_ARG = -1
MGC_E_NO_MEMORY = -2
MGC_E_STATE = -3
MGC_E_ABI_SIZE = -4
MGC_E_ABI_FUTURE = -5
MGC_E_CALLBACK = -6
MGC_E_STOPPED = -7
MGC_E_LIMIT = -8
MGC_E_RANGE = -9
MGC_E_NOT_FOUND = -10
MGC_E_EXISTS = -11
MGC_E_IO = -12
MGC_E_SYNTAX = -13
MGC_E_OVERFLOW = -14
MGC_E_UNSUPPORTED = -15
MGC_E_INTERNAL = -16
MGC_E_NUMERIC = -100
MGC_E_NOT_CONVEX = -200
MGC_E_PROBABILITY = -300
MGC_E_UNKNOWN_KEY = -400
MGC_E_WRONG_LENGTH = -401
MGC_E_FREE_MONEY = -402
MGC_E_MESSAGE = -500
MGC_E_NONCANONICAL = -600
MGC_E_TRUNCATED = -601
MGC_E_DEPTH = -602
MGC_E_UTF8 = -603
MGC_E_SCHEMA = -604
MGC_E_VERSION = -605
MGC_E_TOO_LARGE = -606
MGC_E_BAD_SIGNATURE = -700
MGC_E_BAD_KEY = -701
MGC_E_BAD_PROOF = -702
MGC_E_CRYPTO = -703
MGC_E_CORRUPT = -800
MGC_E_LOCKED = -801
MGC_E_FAILED = -802
MGC_E_BAD_PARENT = -803
MGC_E_HEIGHT = -804
MGC_E_TIME = -805
MGC_E_BAD_TX_ROOT = -806
MGC_E_STATE_MISMATCH = -807
MGC_E_BAD_CERT = -808
MGC_E_EQUIVOCATION = -809
MGC_E_WRONG_CHAIN = -810
MGC_E_DUPLICATE_TXID = -811
MGC_E_NONCE_USED = -812
MGC_E_NONCE_GAP = -813
MGC_E_EXPIRED = -814
MGC_E_MISSING_SIGNER = -815
MGC_E_FORBIDDEN = -816
MGC_E_KEY_REVOKED = -817
MGC_E_KEY_NOT_YET = -818
MGC_E_ACCOUNT = -819
MGC_E_ACCOUNT_CLOSED = -820
MGC_E_LEDGER_MISMATCH = -821
MGC_E_EXCEEDS_CREDIT = -822
MGC_E_EXISTS_DIFFERENT = -823
MGC_E_PENDING_NOT_FOUND = -824
MGC_E_PENDING_POSTED = -825
MGC_E_PENDING_VOIDED = -826
MGC_E_PENDING_EXPIRED = -827
MGC_E_EXCEEDS_PENDING = -828
MGC_E_LINKED_FAILED = -829
MGC_E_LINKED_OPEN = -830
MGC_E_NOT_FINAL = -831
MGC_E_ALREADY_CREDITED = -832
MGC_E_CURSOR = -833
MGC_E_ROLLBACK = -834
MGC_E_SELF_TRADE = -900
MGC_E_GATE_CLOSED = -901
MGC_E_SLOT = -902
MGC_E_OVERSOLD = -903
MGC_E_CREDIT_SCORE = -904
MGC_E_DOUBLE_REPORT = -905
MGC_E_REGISTER_DECREASED = -906
MGC_E_EARLY = -907
MGC_E_COMMITMENT = -908
MGC_E_ALREADY_SETTLED = -909
MGC_E_WINDOW = -910
MGC_E_CONTRACT = -911
MGC_E_RATE = -912
MGC_E_DOUBLE_CREDIT = -913
MGC_E_ALREADY_CANCELLED = -914
MGC_E_CASE = -1300
MGC_OUTCOME_NONE = 0
MGC_OUTCOME_OPTIMAL = 1
MGC_OUTCOME_INFEASIBLE = 2
MGC_OUTCOME_UNBOUNDED = 3
MGC_OUTCOME_LIMIT = 4
MGC_OUTCOME_CANCELLED = 5
MGC_OUTCOME_NUMERICAL = 6
MGC_CARRIER_ELECTRICITY = 1
MGC_CARRIER_HEAT = 2
MGC_CARRIER_GAS = 3
MGC_CB_DONE = 1
MGC_CB_STOP = 2
MGC_LOG_ERROR = 1
MGC_LOG_WARN = 2
MGC_LOG_INFO = 3
MGC_LOG_DEBUG = 4
MGC_NUMBER_TEXT = 32
MGC_HASH_BYTES = 32
MGC_SEED_BYTES = 32
MGC_PUBLIC_KEY_BYTES = 32
MGC_SIGNATURE_BYTES = 64
MGC_PEM_BYTES_MAX = 4096
MGC_MPS_FREE = 0
MGC_MPS_FIXED = 1
MGC_PARAM_NUMBER = 1
MGC_PARAM_FLAG = 2
MGC_PARAM_TEXT = 3
MGC_PARAM_SERIES = 4
MGC_PARAM_UNCERTAIN = 5
MGC_DISPATCH_ALONE = 0
MGC_DISPATCH_ALLIANCE = 1
MGC_ALLIANCE_ADMM = 0
MGC_ALLIANCE_CENTRAL = 1
MGC_WEIGHTS_EQUAL = 0
MGC_WEIGHTS_GIVEN = 1
MGC_WEIGHTS_CONTRIBUTION = 2
MGC_PHASE_ALONE = 1
MGC_PHASE_HELLO = 2
MGC_PHASE_RELAXED = 3
MGC_PHASE_COMMIT = 4
MGC_PHASE_FIXED = 5
MGC_PHASE_SETTLE = 6
MGC_PHASE_PAY = 7
MGC_PHASE_BOUND = 8
MGC_PHASE_DONE = 9
MGC_AGENT_RUNNING = 0
MGC_AGENT_AGREED = 1
MGC_AGENT_INFEASIBLE = 2
MGC_AGENT_SILENT = 3
MGC_AGENT_DISAGREED = 4
MGC_AGENT_CANCELLED = 5
MGC_AGENT_MESSAGE_MAX = 262144
MGC_COALITION_MEMBERS_MAX = 12
MGC_RAFT_MEMBERS_MAX = 32
MGC_RAFT_CHANGES_MAX = 32
MGC_RAFT_VOTER = 1
MGC_RAFT_VOTER_OLD = 2
MGC_RAFT_LEARNER = 4
MGC_RAFT_LEARNER_NEXT = 8
MGC_RAFT_ADD_VOTER = 1
MGC_RAFT_ADD_LEARNER = 2
MGC_RAFT_REMOVE = 3
MGC_RAFT_UPDATE = 4
MGC_RAFT_NOOP = 1
MGC_RAFT_DATA = 2
MGC_RAFT_CONFIG = 3
MGC_RAFT_VOTE_REQ = 1
MGC_RAFT_VOTE_RESP = 2
MGC_RAFT_PREVOTE_REQ = 3
MGC_RAFT_PREVOTE_RESP = 4
MGC_RAFT_APPEND_REQ = 5
MGC_RAFT_APPEND_RESP = 6
MGC_RAFT_HEARTBEAT_REQ = 7
MGC_RAFT_HEARTBEAT_RESP = 8
MGC_RAFT_SNAPSHOT_REQ = 9
MGC_RAFT_SNAPSHOT_RESP = 10
MGC_RAFT_READ_REQ = 11
MGC_RAFT_READ_RESP = 12
MGC_RAFT_TIMEOUT_NOW = 13
MGC_RAFT_FETCH_REQ = 14
MGC_RAFT_FETCH_RESP = 15
MGC_RAFT_KIND_END = 16
MGC_RAFT_REJECT = 1
MGC_RAFT_FORCE = 2
MGC_RAFT_LAST = 4
MGC_RAFT_SIGNED = 8
MGC_RAFT_TICK = 1
MGC_RAFT_RECV = 2
MGC_RAFT_PROPOSE = 3
MGC_RAFT_CONF = 4
MGC_RAFT_READ = 5
MGC_RAFT_TRANSFER = 6
MGC_RAFT_STORED = 7
MGC_RAFT_HARD_STORED = 8
MGC_RAFT_SNAP_SAVED = 9
MGC_RAFT_SNAP_SENT = 10
MGC_RAFT_SNAP_CHUNK = 11
MGC_RAFT_APPLIED = 12
MGC_RAFT_STORAGE_FAULT = 13
MGC_RAFT_PEER_UNREACHABLE = 14
MGC_RAFT_COMPACT = 15
MGC_RAFT_ACCEPTED = 0
MGC_RAFT_NOT_LEADER = 1
MGC_RAFT_LOG_FULL = 2
MGC_RAFT_TRANSFERRING = 3
MGC_RAFT_CONFIG_PENDING = 4
MGC_RAFT_TERM_BARRIER = 5
MGC_RAFT_BAD_CHANGE = 6
MGC_RAFT_READS_FULL = 7
MGC_RAFT_IGNORED = 8
MGC_RAFT_RECOVERING = 9
MGC_RAFT_NOT_MEMBER = 10
MGC_RAFT_SNAP_WRITE = 1
MGC_RAFT_SNAP_INSTALL = 2
MGC_RAFT_NOTE_ROLE = 1
MGC_RAFT_NOTE_LEADER = 2
MGC_RAFT_NOTE_CONFIG = 3
MGC_RAFT_NOTE_CONFIG_COMMIT = 4
MGC_RAFT_NOTE_CONFIG_BACK = 5
MGC_RAFT_NOTE_DIVERGED = 6
MGC_RAFT_NOTE_REFUSED = 7
MGC_RAFT_NOTE_FAULTY = 8
MGC_RAFT_NOTE_REPAIRED = 9
MGC_RAFT_NOTE_WIPED = 10
MGC_RAFT_NOTE_TRANSFER = 11
MGC_RAFT_NOTE_WINDOW_HELD = 12
MGC_RAFT_NOTE_WINDOW_REFUSED = 13
MGC_RAFT_NOTE_REMOVED = 14
MGC_RAFT_NOTE_SNAPSHOT_WANTED = 15
MGC_RAFT_FOLLOWER = 1
MGC_RAFT_PRE_CANDIDATE = 2
MGC_RAFT_CANDIDATE = 3
MGC_RAFT_LEADER = 4
MGC_RAFT_CONVICTED = 1
MGC_RAFT_ABSENT = 2
MGC_RAFT_MSG_BYTES = 224
MGC_RAFT_BODY_MAX = 67108864
MGC_RAFT_BATCH_MAX = 4096
MGC_RAFT_ENTRY_BYTES = 16
MGC_RAFT_CONFIG_BYTES_MAX = 464
MGC_RAFT_SIGNED_BYTES_MAX = 128
MGC_STORAGE_NAME_MAX = 63
MGC_ID_BYTES = 16
MGC_CHAINS_MAX = 16
MGC_CHAIN_NAME_MAX = 31
MGC_MEMBERS_MAX = 64
MGC_TX_BYTES_MAX = 65536
MGC_TX_SIGNATURES_MAX = 16
MGC_TX_WINDOW_MAX = 10000
MGC_METHOD_MAX = 32
MGC_BLOCK_TXS_MAX = 16384
MGC_BLOCK_BYTES_MAX = 16777216
MGC_RECORD_KEY_MAX = 192
MGC_RECORD_VALUE_MAX = 65536
MGC_EVENT_NAME_MAX = 32
MGC_FOUND_MAX = 1000
MGC_RULE_MAX = 200
MGC_UNIT_MICRO_CURRENCY = 1
MGC_UNIT_WH_ELECTRICITY = 2
MGC_UNIT_WH_HEAT = 3
MGC_UNIT_G_CO2E = 4
MGC_UNIT_HOST = 256
MGC_ACCOUNT_DEBITS_BOUNDED = 1
MGC_ACCOUNT_CREDITS_BOUNDED = 2
MGC_ACCOUNT_HISTORY = 4
MGC_ACCOUNT_CLOSED = 8
MGC_TRANSFER_LINKED = 1
MGC_TRANSFER_PENDING = 2
MGC_TRANSFER_POST = 4
MGC_TRANSFER_VOID = 8
MGC_ROLE_NONE = 0
MGC_ROLE_USER = 1
MGC_ROLE_MANAGER = 2
MGC_ROLE_METER = 3
MGC_ROLE_DISPATCHER = 4
MGC_ROLE_MARKET_OPERATOR = 5
MGC_ROLE_REGULATOR = 6
MGC_ROLE_AUDITOR = 7
MGC_ROLE_VALIDATOR = 8
MGC_ROLE_ADMINISTRATOR = 9
MGC_DAMAGE_NONE = 0
MGC_DAMAGE_WANTS = 1
MGC_DAMAGE_OWN = 2
MGC_DAMAGE_LOST = 3
MGC_PENDING_OPEN = 1
MGC_PENDING_POSTED = 2
MGC_PENDING_VOIDED = 3
MGC_PENDING_EXPIRED = 4
MGC_AMOUNT_MAX = 4611686018427387904
MGC_AMOUNT_ALL = 18446744073709551615
MGC_CODE_BRIDGE = 4294967295
MGC_CONTRACT_INFORMATION = 1
MGC_CONTRACT_TRADING = 2
MGC_CONTRACT_SCHEDULING = 3
MGC_CONTRACT_SETTLEMENT = 4
MGC_CONTRACT_SUPERVISION = 5
MGC_CONTRACT_CREDIT = 6
MGC_CONTRACT_HOST = 100
MGC_CONTRACT_HOST_INFORMATION = 16777216
MGC_CONTRACT_HOST_SCHEDULING = 33554432
MGC_CONTRACT_HOST_END = 50331648
MGC_ACCOUNT_MONEY = 1
MGC_ACCOUNT_DUE = 2
MGC_ACCOUNT_ELECTRICITY = 3
MGC_ACCOUNT_HEAT = 4
MGC_ACCOUNT_CARBON = 5
MGC_ACCOUNT_BANK = 16
MGC_ACCOUNT_UTILITY = 17
MGC_ACCOUNT_NETWORK = 18
MGC_ACCOUNT_CLEARING = 19
MGC_ACCOUNT_GRID_ELECTRICITY = 20
MGC_ACCOUNT_GRID_HEAT = 21
MGC_ACCOUNT_LOSS_ELECTRICITY = 22
MGC_ACCOUNT_LOSS_HEAT = 23
MGC_ACCOUNT_CARBON_SOURCE = 24
MGC_PARTY_MAX = 1048576
MGC_NAME_MAX = 63
MGC_ROWS_MAX = 2048
MGC_CALLS_MAX = 200000
MGC_CALL_BYTES_MAX = 33554432
MGC_CONTRACTS_MAX = 32
MGC_PAGE_MAX = 10000
MGC_CURSOR_MAX = 400
MGC_SLOTS_PER_BLOCK_MAX = 4096
MGC_SLOT_TRADES_MAX = 8192
MGC_SLOT_PAYMENTS_MAX = 4096
MGC_FIELD_UINT = 1
MGC_FIELD_INT = 2
MGC_FIELD_TEXT = 3
MGC_FIELD_BYTES = 4
MGC_FIELD_ROWS = 5
MGC_ROW = 1
MGC_ROWS_END = 2
MGC_LOCK_OPEN = 1
MGC_LOCK_CREDITED = 2
MGC_LOCK_RETURNED = 3
MGC_SLOT_WH_MAX = 2199023255552
MGC_CASE_BYTES_MAX = 268435456
MGC_CASE_NODES_MAX = 8388608
MGC_CASE_DEPTH_MAX = 16
MGC_CASE_ISSUES_MAX = 100
MGC_CSV_BYTES_MAX = 268435456
MGC_CSV_COLUMNS_MAX = 16384
MGC_CSV_FIELDS_MAX = 67108864
MGC_ISSUE_ERROR = 1
MGC_ISSUE_WARNING = 2
MGC_SETTINGS_NEEDED = 18446744073709551615
MGC_METHOD_AUTO = 0
MGC_METHOD_DIRECT = 1
MGC_METHOD_CCG = 2
MGC_FIRST_STAGE = 0
MGC_RECOURSE = 1
MGC_PROOF_TRANSACTION = 1
MGC_PROOF_RECEIPT = 2
MGC_PROOF_ANCESTOR = 3
MGC_PROOF_CONSISTENCY = 4
MGC_PROOF_RECORD = 5
MGC_PROOF_ABSENCE = 6
MGC_PROOF_HEAD = 7
MGC_PROOF_BLOCK = 8
MGC_PROOF_EQUIVOCATION = 9
MGC_PROOF_STORED = 10
MGC_DAY_ADMINISTRATOR = 1
MGC_DAY_MARKET_OPERATOR = 2
MGC_DAY_DISPATCHER = 3
MGC_DAY_REGULATOR = 4
MGC_DAY_VALIDATOR = 5
MGC_DAY_MANAGER = 100
MGC_DAY_METER = 10000
MGC_DAY_FOUND = 1
MGC_DAY_TARIFF = 2
MGC_DAY_DEPOSIT = 3
MGC_DAY_COMMIT = 4
MGC_DAY_NOMINATE = 5
MGC_DAY_AGREE = 6
MGC_DAY_ACKNOWLEDGE = 7
MGC_DAY_READ = 8
MGC_DAY_SETTLE = 9
MGC_DAY_FINALISE = 10
MGC_DAY_END = 11
MGC_MESSAGE_BYTES_MAX = 16842752
MGC_POOL_MAX = 65536
MGC_TICKETS_MAX = 131072
MGC_TICKET_OPEN = 1
MGC_TICKET_COMMITTED = 2
MGC_TICKET_REFUSED = 3
MGC_STANDING_STRANGER = 1
MGC_STANDING_LEARNER = 2
MGC_STANDING_VOTER = 3
MGC_STANDING_REMOVED = 4
MGC_CHANGE_LEARNER = 1
MGC_CHANGE_VOTER = 2
MGC_CHANGE_REMOVE = 3
MGC_FIGURE_LINES = 1
MGC_FIGURE_COLUMNS = 2
MGC_FIGURE_STACKS = 3
MGC_FIGURE_STATES = 4


# Handles, which only the library looks into.
class mgc_ctx(Structure):
    pass


class mgc_key(Structure):
    pass


class mgc_program(Structure):
    pass


class mgc_model(Structure):
    pass


class mgc_microgrid(Structure):
    pass


class mgc_device(Structure):
    pass


class mgc_link(Structure):
    pass


class mgc_plan(Structure):
    pass


class mgc_state(Structure):
    pass


class mgc_alliance(Structure):
    pass


class mgc_agent(Structure):
    pass


class mgc_record(Structure):
    pass


class mgc_raft(Structure):
    pass


class mgc_ledger(Structure):
    pass


class mgc_chain(Structure):
    pass


class mgc_block(Structure):
    pass


class mgc_args(Structure):
    pass


class mgc_rows(Structure):
    pass


class mgc_row(Structure):
    pass


class mgc_env(Structure):
    pass


class mgc_case(Structure):
    pass


class mgc_json(Structure):
    pass


class mgc_table(Structure):
    pass


class mgc_settings(Structure):
    pass


class mgc_twostage(Structure):
    pass


class mgc_budget(Structure):
    pass


class mgc_day(Structure):
    pass


class mgc_node(Structure):
    pass


# Structs; their fields follow, in the order of the headers, between the callbacks that they need.
class mgc_allocator(Structure):
    pass


class mgc_ctx_opts(Structure):
    pass


class mgc_program_opts(Structure):
    pass


class mgc_program_info(Structure):
    pass


class mgc_param_info(Structure):
    pass


class mgc_dispatch_opts(Structure):
    pass


class mgc_plan_info(Structure):
    pass


class mgc_state_entry(Structure):
    pass


class mgc_alliance_progress(Structure):
    pass


class mgc_alliance_opts(Structure):
    pass


class mgc_alliance_info(Structure):
    pass


class mgc_member_info(Structure):
    pass


class mgc_trade(Structure):
    pass


class mgc_pair(Structure):
    pass


class mgc_round(Structure):
    pass


class mgc_certificate(Structure):
    pass


class mgc_agent_opts(Structure):
    pass


class mgc_message(Structure):
    pass


class mgc_agent_output(Structure):
    pass


class mgc_agent_counts(Structure):
    pass


class mgc_agreement(Structure):
    pass


class mgc_record_report(Structure):
    pass


class mgc_coalition_opts(Structure):
    pass


class mgc_raft_member(Structure):
    pass


class mgc_raft_config(Structure):
    pass


class mgc_raft_change(Structure):
    pass


class mgc_raft_entry(Structure):
    pass


class mgc_raft_msg(Structure):
    pass


class mgc_raft_credit(Structure):
    pass


class mgc_raft_snap_meta(Structure):
    pass


class mgc_raft_event(Structure):
    pass


class mgc_raft_hard(Structure):
    pass


class mgc_raft_append(Structure):
    pass


class mgc_raft_read(Structure):
    pass


class mgc_raft_snap(Structure):
    pass


class mgc_raft_note(Structure):
    pass


class mgc_raft_trace(Structure):
    pass


class mgc_raft_output(Structure):
    pass


class mgc_raft_opts(Structure):
    pass


class mgc_raft_boot(Structure):
    pass


class mgc_raft_info(Structure):
    pass


class mgc_raft_standing(Structure):
    pass


class mgc_raft_table(Structure):
    pass


class mgc_raft_policy(Structure):
    pass


class mgc_storage_ops(Structure):
    pass


class mgc_ledger_opts(Structure):
    pass


class mgc_ledger_info(Structure):
    pass


class mgc_damage(Structure):
    pass


class mgc_member(Structure):
    pass


class mgc_genesis(Structure):
    pass


class mgc_chain_info(Structure):
    pass


class mgc_tx_body(Structure):
    pass


class mgc_tx_signature(Structure):
    pass


class mgc_tx_info(Structure):
    pass


class mgc_chain_signers(Structure):
    pass


class mgc_vote(Structure):
    pass


class mgc_block_info(Structure):
    pass


class mgc_receipt_info(Structure):
    pass


class mgc_event_info(Structure):
    pass


class mgc_cursor(Structure):
    pass


class mgc_found(Structure):
    pass


class mgc_account_info(Structure):
    pass


class mgc_transfer_info(Structure):
    pass


class mgc_balance_info(Structure):
    pass


class mgc_record_info(Structure):
    pass


class mgc_verify_info(Structure):
    pass


class mgc_field_info(Structure):
    pass


class mgc_call(Structure):
    pass


class mgc_lock_info(Structure):
    pass


class mgc_query(Structure):
    pass


class mgc_contract(Structure):
    pass


class mgc_case_opts(Structure):
    pass


class mgc_case_issue(Structure):
    pass


class mgc_case_info(Structure):
    pass


class mgc_case_moments(Structure):
    pass


class mgc_result_trade(Structure):
    pass


class mgc_result(Structure):
    pass


class mgc_twostage_opts(Structure):
    pass


class mgc_twostage_info(Structure):
    pass


class mgc_budget_opts(Structure):
    pass


class mgc_budget_info(Structure):
    pass


class mgc_verifier(Structure):
    pass


class mgc_verified(Structure):
    pass


class mgc_verified_account(Structure):
    pass


class mgc_day_chain(Structure):
    pass


class mgc_day_opts(Structure):
    pass


class mgc_day_tx(Structure):
    pass


class mgc_day_expectation(Structure):
    pass


class mgc_transport_ops(Structure):
    pass


class mgc_node_opts(Structure):
    pass


class mgc_ticket_info(Structure):
    pass


class mgc_signer(Structure):
    pass


class mgc_node_call_opts(Structure):
    pass


class mgc_node_info(Structure):
    pass


class mgc_node_member_info(Structure):
    pass


class mgc_report_table(Structure):
    pass


class mgc_report_check(Structure):
    pass


class mgc_report_figure(Structure):
    pass


class mgc_report_caution(Structure):
    pass


class mgc_report(Structure):
    pass


class mgc_evaluation(Structure):
    pass


mgc_allocator._fields_ = [
    ("alloc", CFUNCTYPE(c_void_p, c_void_p, c_size_t)),
    ("resize", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)),
    ("release", CFUNCTYPE(None, c_void_p, c_void_p)),
    ("user", c_void_p),
]
mgc_ctx_opts._fields_ = [
    ("struct_size", c_size_t),
    ("allocator", POINTER(mgc_allocator)),
    ("log", CFUNCTYPE(None, c_void_p, c_uint32, c_char_p)),
    ("now_ms", CFUNCTYPE(c_uint64, c_void_p)),
    ("user", c_void_p),
    ("log_level", c_uint32),
    ("reserved0", c_uint32),
]
mgc_sign_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(c_uint8), c_size_t, POINTER(c_uint8))
mgc_program_opts._fields_ = [
    ("struct_size", c_size_t),
    ("tolerance", c_double),
    ("gap", c_double),
    ("time_limit_s", c_double),
    ("iteration_limit", c_uint32),
    ("node_limit", c_uint32),
    ("relax", c_uint32),
    ("threads", c_uint32),
    ("warm_start", c_uint32),
    ("reserved0", c_uint32),
    ("progress", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double, c_double)),
    ("user", c_void_p),
    ("presolve", c_uint32),
    ("polish", c_uint32),
]
mgc_program_info._fields_ = [
    ("struct_size", c_size_t),
    ("outcome", c_uint32),
    ("iterations", c_uint32),
    ("nodes", c_uint32),
    ("reserved0", c_uint32),
    ("objective", c_double),
    ("bound", c_double),
    ("primal_residual", c_double),
    ("dual_residual", c_double),
    ("gap", c_double),
    ("seconds", c_double),
]
mgc_write_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(c_char), c_size_t)
mgc_param_info._fields_ = [
    ("struct_size", c_size_t),
    ("key", c_char_p),
    ("unit", c_char_p),
    ("text", c_char_p),
    ("words", c_char_p),
    ("kind", c_uint32),
    ("required", c_uint32),
    ("default_value", c_double),
    ("lower", c_double),
    ("upper", c_double),
    ("lower_open", c_uint32),
    ("nullable", c_uint32),
    ("default_text", c_char_p),
    ("upper_open", c_uint32),
    ("integer", c_uint32),
]
mgc_fault_fn = CFUNCTYPE(None, c_void_p, c_int32, c_char_p, c_char_p)
mgc_dispatch_opts._fields_ = [
    ("struct_size", c_size_t),
    ("tolerance", c_double),
    ("gap", c_double),
    ("time_limit_s", c_double),
    ("together", c_uint32),
    ("method", c_uint32),
    ("relax", c_uint32),
    ("threads", c_uint32),
    ("progress", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double, c_double)),
    ("user", c_void_p),
]
mgc_plan_info._fields_ = [
    ("struct_size", c_size_t),
    ("outcome", c_uint32),
    ("iterations", c_uint32),
    ("nodes", c_uint32),
    ("reserved0", c_uint32),
    ("cost", c_double),
    ("bound", c_double),
    ("gap", c_double),
    ("seconds", c_double),
]
mgc_state_entry._fields_ = [
    ("struct_size", c_size_t),
    ("microgrid", c_char_p),
    ("device", c_char_p),
    ("variable", c_char_p),
    ("key", c_char_p),
    ("values", POINTER(c_double)),
    ("n", c_uint32),
    ("link", c_uint32),
]
mgc_alliance_progress._fields_ = [
    ("struct_size", c_size_t),
    ("phase", c_uint32),
    ("round", c_uint32),
    ("primal", c_double),
    ("dual", c_double),
    ("seconds", c_double),
]
mgc_alliance_opts._fields_ = [
    ("struct_size", c_size_t),
    ("method", c_uint32),
    ("relax", c_uint32),
    ("weights", c_uint32),
    ("threads", c_uint32),
    ("weight", POINTER(c_double)),
    ("weights_n", c_size_t),
    ("tolerance", c_double),
    ("gap", c_double),
    ("time_limit_s", c_double),
    ("round_limit", c_uint32),
    ("reserved0", c_uint32),
    ("progress", CFUNCTYPE(c_int32, c_void_p, POINTER(mgc_alliance_progress))),
    ("user", c_void_p),
    ("start", POINTER(c_uint8)),
    ("start_len", c_size_t),
    ("pool", c_uint32),
    ("reserved1", c_uint32),
    ("process", c_uint32),
    ("processes", c_uint32),
    ("exchange", CFUNCTYPE(c_int32, c_void_p, POINTER(c_uint8), c_size_t, POINTER(POINTER(c_uint8)), POINTER(POINTER(c_size_t)))),
    ("exchange_user", c_void_p),
]
mgc_alliance_info._fields_ = [
    ("struct_size", c_size_t),
    ("outcome", c_uint32),
    ("method", c_uint32),
    ("members", c_uint32),
    ("trades", c_uint32),
    ("pairs", c_uint32),
    ("rounds", c_uint32),
    ("pay_rounds", c_uint32),
    ("no_trade", c_uint32),
    ("standalone_total", c_double),
    ("cost", c_double),
    ("lower_bound", c_double),
    ("gap", c_double),
    ("surplus", c_double),
    ("primal_residual", c_double),
    ("dual_residual", c_double),
    ("seconds_alone", c_double),
    ("seconds_trade", c_double),
    ("seconds_pay", c_double),
    ("seconds_bound", c_double),
]
mgc_member_info._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_char_p),
    ("standalone_cost", c_double),
    ("standalone_bound", c_double),
    ("cost", c_double),
    ("payment", c_double),
    ("final_cost", c_double),
    ("weight", c_double),
    ("supplied_kwh", c_double),
    ("received_kwh", c_double),
    ("lower_bound", c_double),
]
mgc_trade._fields_ = [
    ("struct_size", c_size_t),
    ("from", c_char_p),
    ("to", c_char_p),
    ("link", c_uint32),
    ("carrier", c_uint32),
    ("direction", c_uint32),
    ("periods", c_uint32),
    ("sent_kw", POINTER(c_double)),
    ("price_per_kwh", POINTER(c_double)),
    ("sent_kwh", c_double),
    ("money", c_double),
]
mgc_pair._fields_ = [
    ("struct_size", c_size_t),
    ("first", c_char_p),
    ("second", c_char_p),
    ("payment", c_double),
    ("trades", c_double),
    ("transfer", c_double),
]
mgc_round._fields_ = [
    ("struct_size", c_size_t),
    ("phase", c_uint32),
    ("round", c_uint32),
    ("primal", c_double),
    ("dual", c_double),
    ("traded_kwh", c_double),
    ("disagreement_kw", c_double),
]
mgc_certificate._fields_ = [
    ("struct_size", c_size_t),
    ("ok", c_uint32),
    ("reserved0", c_uint32),
    ("imbalance_kw", c_double),
    ("capacity_kw", c_double),
    ("payment_sum", c_double),
    ("pair_sum", c_double),
    ("worst_loss", c_double),
    ("nash", c_double),
    ("gap", c_double),
]
mgc_agent_opts._fields_ = [
    ("struct_size", c_size_t),
    ("run", c_uint64),
    ("members", c_uint32),
    ("relax", c_uint32),
    ("weights", c_uint32),
    ("round_limit", c_uint32),
    ("weight", c_double),
    ("tolerance", c_double),
    ("gap", c_double),
    ("deadline_ms", c_uint64),
    ("resend_ms", c_uint64),
    ("start", POINTER(c_uint8)),
    ("start_len", c_size_t),
    ("keep_log", c_uint32),
    ("reserved0", c_uint32),
    ("roster", POINTER(c_char_p)),
    ("roster_n", c_size_t),
    ("secret", POINTER(c_uint8)),
    ("children", c_uint32),
    ("reserved1", c_uint32),
]
mgc_message._fields_ = [
    ("to", c_char_p),
    ("bytes", POINTER(c_uint8)),
    ("len", c_size_t),
]
mgc_agent_output._fields_ = [
    ("messages", POINTER(mgc_message)),
    ("n_messages", c_size_t),
    ("wake_ms", c_uint64),
    ("state", c_uint32),
    ("phase", c_uint32),
    ("round", c_uint32),
    ("reserved0", c_uint32),
    ("reason", c_char_p),
    ("primal", c_double),
    ("dual", c_double),
]
mgc_agent_counts._fields_ = [
    ("struct_size", c_size_t),
    ("accepted", c_uint64),
    ("duplicate", c_uint64),
    ("malformed", c_uint64),
    ("foreign", c_uint64),
    ("early", c_uint64),
    ("conflicting", c_uint64),
    ("sent", c_uint64),
]
mgc_agreement._fields_ = [
    ("struct_size", c_size_t),
    ("trades", c_uint32),
    ("pairs", c_uint32),
    ("rounds", c_uint32),
    ("no_trade", c_uint32),
    ("standalone_cost", c_double),
    ("standalone_bound", c_double),
    ("cost", c_double),
    ("payment", c_double),
    ("final_cost", c_double),
    ("lower_bound", c_double),
    ("primal", c_double),
    ("dual", c_double),
    ("bytes", POINTER(c_uint8)),
    ("len", c_size_t),
]
mgc_record_report._fields_ = [
    ("struct_size", c_size_t),
    ("ok", c_uint32),
    ("members", c_uint32),
    ("links", c_uint32),
    ("pairs", c_uint32),
    ("signatures", c_uint32),
    ("missing", c_uint32),
    ("payment_sum", c_int64),
    ("pair_mismatch", c_int64),
    ("over_capacity", c_int64),
    ("both_ways", c_int64),
    ("gap", c_int64),
    ("reason", c_char * 128),
    ("pool_imbalance", c_int64),
]
mgc_coalition_opts._fields_ = [
    ("struct_size", c_size_t),
    ("relax", c_uint32),
    ("threads", c_uint32),
    ("gap", c_double),
    ("progress", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_uint32)),
    ("user", c_void_p),
]
mgc_raft_member._fields_ = [
    ("id", c_uint32),
    ("roles", c_uint32),
    ("incarnation", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_config._fields_ = [
    ("index", c_uint64),
    ("epoch", c_uint64),
    ("justification", c_uint8 * 32),
    ("auto_leave", c_uint32),
    ("n_members", c_uint32),
    ("members", mgc_raft_member * 32),
]
mgc_raft_change._fields_ = [
    ("op", c_uint32),
    ("id", c_uint32),
    ("incarnation", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_entry._fields_ = [
    ("index", c_uint64),
    ("term", c_uint64),
    ("handle", c_uint64),
    ("bytes", POINTER(c_uint8)),
    ("len", c_uint32),
    ("type", c_uint32),
    ("root", c_uint8 * 32),
    ("hash", c_uint8 * 32),
]
mgc_raft_msg._fields_ = [
    ("kind", c_uint32),
    ("from", c_uint32),
    ("to", c_uint32),
    ("flags", c_uint32),
    ("incarnation", c_uint32),
    ("n_entries", c_uint32),
    ("term", c_uint64),
    ("cfg", c_uint64),
    ("index", c_uint64),
    ("log_term", c_uint64),
    ("commit", c_uint64),
    ("hint", c_uint64),
    ("context", c_uint64),
    ("after", c_uint64),
    ("hash", c_uint8 * 32),
    ("head", c_uint8 * 32),
    ("signature", c_uint8 * 64),
    ("entries", POINTER(mgc_raft_entry)),
    ("bytes", POINTER(c_uint8)),
    ("len", c_size_t),
    ("config", POINTER(mgc_raft_config)),
]
mgc_raft_credit._fields_ = [
    ("id", c_uint32),
    ("rank", c_uint32),
    ("may_campaign_early", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_snap_meta._fields_ = [
    ("index", c_uint64),
    ("term", c_uint64),
    ("hash", c_uint8 * 32),
    ("config", mgc_raft_config),
]
mgc_raft_event._fields_ = [
    ("kind", c_uint32),
    ("member", c_uint32),
    ("now", c_uint64),
    ("token", c_uint64),
    ("term", c_uint64),
    ("first", c_uint64),
    ("upto", c_uint64),
    ("offset", c_uint64),
    ("tag", c_uint64),
    ("epoch", c_uint64),
    ("refuse_from", c_uint64),
    ("justification", POINTER(c_uint8)),
    ("msg", POINTER(mgc_raft_msg)),
    ("entries", POINTER(mgc_raft_entry)),
    ("changes", POINTER(mgc_raft_change)),
    ("credit", POINTER(mgc_raft_credit)),
    ("snap", POINTER(mgc_raft_snap_meta)),
    ("n_entries", c_uint32),
    ("n_changes", c_uint32),
    ("n_credit", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_hard._fields_ = [
    ("token", c_uint64),
    ("term", c_uint64),
    ("commit", c_uint64),
    ("vote", c_uint32),
    ("incarnation", c_uint32),
    ("leader", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_append._fields_ = [
    ("token", c_uint64),
    ("first", c_uint64),
    ("last", c_uint64),
    ("truncate_from", c_uint64),
    ("term", c_uint64),
    ("repair", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_read._fields_ = [
    ("tag", c_uint64),
    ("index", c_uint64),
    ("served", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_snap._fields_ = [
    ("op", c_uint32),
    ("from", c_uint32),
    ("offset", c_uint64),
    ("bytes", POINTER(c_uint8)),
    ("len", c_size_t),
    ("meta", mgc_raft_snap_meta),
]
mgc_raft_note._fields_ = [
    ("what", c_uint32),
    ("a", c_uint32),
    ("index", c_uint64),
    ("term", c_uint64),
]
mgc_raft_trace._fields_ = [
    ("term", c_uint64),
    ("commit", c_uint64),
    ("last", c_uint64),
    ("stored", c_uint64),
    ("applied", c_uint64),
    ("event", c_uint32),
    ("role", c_uint32),
    ("vote", c_uint32),
    ("leader", c_uint32),
]
mgc_raft_output._fields_ = [
    ("answer", c_uint32),
    ("leader", c_uint32),
    ("index", c_uint64),
    ("hard", mgc_raft_hard),
    ("append", mgc_raft_append),
    ("repair", mgc_raft_append),
    ("msgs", POINTER(mgc_raft_msg)),
    ("n_msgs", c_size_t),
    ("apply_first", c_uint64),
    ("apply_last", c_uint64),
    ("reads", POINTER(mgc_raft_read)),
    ("n_reads", c_size_t),
    ("snaps", POINTER(mgc_raft_snap)),
    ("n_snaps", c_size_t),
    ("notes", POINTER(mgc_raft_note)),
    ("n_notes", c_size_t),
    ("before", mgc_raft_trace),
    ("after", mgc_raft_trace),
]
mgc_raft_opts._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint32),
    ("incarnation", c_uint32),
    ("seed", c_uint64),
    ("election_ticks", c_uint32),
    ("heartbeat_ticks", c_uint32),
    ("credit_window_ticks", c_uint32),
    ("rank_ticks", c_uint32),
    ("members_max", c_uint32),
    ("log_max", c_uint32),
    ("batch_entries", c_uint32),
    ("batch_bytes", c_uint32),
    ("inflight_max", c_uint32),
    ("reads_max", c_uint32),
    ("uncommitted_bytes", c_uint64),
    ("lease_ticks", c_uint32),
    ("sign", c_uint32),
    ("propose_max", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_boot._fields_ = [
    ("hard", mgc_raft_hard),
    ("base", mgc_raft_snap_meta),
    ("entries", POINTER(mgc_raft_entry)),
    ("n_entries", c_size_t),
    ("applied", c_uint64),
    ("fault_first", c_uint64),
    ("fault_last", c_uint64),
    ("amnesia", c_uint32),
    ("reserved0", c_uint32),
]
mgc_raft_info._fields_ = [
    ("struct_size", c_size_t),
    ("term", c_uint64),
    ("commit", c_uint64),
    ("applied", c_uint64),
    ("stored", c_uint64),
    ("first", c_uint64),
    ("last", c_uint64),
    ("last_term", c_uint64),
    ("config_index", c_uint64),
    ("role", c_uint32),
    ("vote", c_uint32),
    ("leader", c_uint32),
    ("id", c_uint32),
    ("recovering", c_uint32),
    ("may_vote", c_uint32),
    ("ticks_since_leader", c_uint32),
    ("joint", c_uint32),
]
mgc_raft_standing._fields_ = [
    ("id", c_uint32),
    ("node_credit", c_uint32),
    ("trade_credit", c_uint32),
    ("flags", c_uint32),
]
mgc_raft_table._fields_ = [
    ("epoch", c_uint64),
    ("hash", POINTER(c_uint8)),
    ("members", POINTER(mgc_raft_standing)),
    ("n_members", c_size_t),
]
mgc_raft_policy._fields_ = [
    ("struct_size", c_size_t),
    ("enter", c_uint32),
    ("leave", c_uint32),
    ("voters_min", c_uint32),
    ("voters_max", c_uint32),
    ("dwell_epochs", c_uint32),
    ("reserved0", c_uint32),
]
mgc_storage_visit = CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64)
mgc_storage_ops._fields_ = [
    ("struct_size", c_size_t),
    ("version", c_uint32),
    ("reserved0", c_uint32),
    ("lock", CFUNCTYPE(c_int32, c_void_p)),
    ("unlock", CFUNCTYPE(c_int32, c_void_p)),
    ("list", CFUNCTYPE(c_int32, c_void_p, mgc_storage_visit, c_void_p)),
    ("read", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64, POINTER(c_uint8), c_size_t)),
    ("append", CFUNCTYPE(c_int32, c_void_p, c_char_p, POINTER(c_uint8), c_size_t)),
    ("sync", CFUNCTYPE(c_int32, c_void_p, c_char_p)),
    ("truncate", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64)),
    ("rename", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_char_p)),
    ("remove", CFUNCTYPE(c_int32, c_void_p, c_char_p)),
    ("sync_names", CFUNCTYPE(c_int32, c_void_p)),
    ("reserve", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64)),
    ("write", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64, POINTER(c_uint8), c_size_t)),
    ("begin_write", CFUNCTYPE(c_int32, c_void_p, c_char_p, c_uint64, POINTER(c_uint8), c_size_t)),
]
mgc_ledger_opts._fields_ = [
    ("struct_size", c_size_t),
    ("storage", POINTER(mgc_storage_ops)),
    ("storage_user", c_void_p),
    ("segment_bytes", c_uint64),
    ("salt", c_uint64),
    ("read_only", c_uint32),
    ("threads", c_uint32),
    ("full", c_uint32),
    ("reserved0", c_uint32),
]
mgc_ledger_info._fields_ = [
    ("struct_size", c_size_t),
    ("n_chains", c_uint32),
    ("n_files", c_uint32),
    ("bytes", c_uint64),
    ("records", c_uint64),
    ("truncated_bytes", c_uint64),
    ("failed", c_uint32),
    ("damaged", c_uint32),
]
mgc_damage._fields_ = [
    ("struct_size", c_size_t),
    ("kind", c_uint32),
    ("n_mended", c_uint32),
    ("chain_id", c_uint8 * 32),
    ("height", c_uint64),
    ("offset", c_uint64),
    ("file", c_char * 64),
]
mgc_member._fields_ = [
    ("id", c_uint32),
    ("reserved0", c_uint32),
    ("public_key", c_uint8 * 32),
]
mgc_genesis._fields_ = [
    ("struct_size", c_size_t),
    ("name", c_char_p),
    ("time_ms", c_uint64),
    ("members", POINTER(mgc_member)),
    ("n_members", c_size_t),
    ("quorum", c_uint32),
    ("reserved0", c_uint32),
    ("nonce", c_uint8 * 32),
]
mgc_chain_info._fields_ = [
    ("struct_size", c_size_t),
    ("name", c_char_p),
    ("chain_id", c_uint8 * 32),
    ("height", c_uint64),
    ("final_height", c_uint64),
    ("acked_height", c_uint64),
    ("time_ms", c_uint64),
    ("block_hash", c_uint8 * 32),
    ("state_digest", c_uint8 * 32),
    ("n_records", c_uint64),
    ("n_transactions", c_uint64),
    ("n_members", c_uint32),
    ("quorum", c_uint32),
    ("config_height", c_uint64),
    ("changing", c_uint32),
    ("reserved0", c_uint32),
]
mgc_tx_body._fields_ = [
    ("struct_size", c_size_t),
    ("chain_id", POINTER(c_uint8)),
    ("sender", POINTER(c_uint8)),
    ("contract", c_uint32),
    ("reserved0", c_uint32),
    ("method", c_char_p),
    ("arguments", POINTER(c_uint8)),
    ("arguments_len", c_size_t),
    ("nonce", c_uint64),
    ("valid_until", c_uint64),
]
mgc_tx_signature._fields_ = [
    ("public_key", c_uint8 * 32),
    ("signature", c_uint8 * 64),
    ("role", c_uint32),
    ("reserved0", c_uint32),
]
mgc_tx_info._fields_ = [
    ("struct_size", c_size_t),
    ("tx_id", c_uint8 * 32),
    ("chain_id", POINTER(c_uint8)),
    ("sender", POINTER(c_uint8)),
    ("contract", c_uint32),
    ("n_signatures", c_uint32),
    ("method", POINTER(c_char)),
    ("method_len", c_size_t),
    ("arguments", POINTER(c_uint8)),
    ("arguments_len", c_size_t),
    ("nonce", c_uint64),
    ("valid_until", c_uint64),
    ("body", POINTER(c_uint8)),
    ("body_len", c_size_t),
]
mgc_chain_signers._fields_ = [
    ("struct_size", c_size_t),
    ("members", POINTER(mgc_member)),
    ("n_members", c_size_t),
    ("others", POINTER(mgc_member)),
    ("n_others", c_size_t),
    ("quorum", c_uint32),
    ("reserved0", c_uint32),
    ("reason", c_uint8 * 32),
]
mgc_vote._fields_ = [
    ("member", c_uint32),
    ("reserved0", c_uint32),
    ("signature", c_uint8 * 64),
]
mgc_block_info._fields_ = [
    ("struct_size", c_size_t),
    ("height", c_uint64),
    ("time_ms", c_uint64),
    ("config_height", c_uint64),
    ("n_txs", c_uint32),
    ("n_receipts", c_uint32),
    ("proposer", c_uint32),
    ("n_votes", c_uint32),
    ("hash", c_uint8 * 32),
    ("previous", c_uint8 * 32),
    ("tx_root", c_uint8 * 32),
    ("receipt_root", c_uint8 * 32),
    ("state_digest", c_uint8 * 32),
    ("log_root", c_uint8 * 32),
]
mgc_receipt_info._fields_ = [
    ("struct_size", c_size_t),
    ("tx_id", c_uint8 * 32),
    ("status", c_int32),
    ("n_events", c_uint32),
    ("cost", c_uint64),
    ("rule", POINTER(c_char)),
    ("rule_len", c_size_t),
    ("output", POINTER(c_uint8)),
    ("output_len", c_size_t),
]
mgc_event_info._fields_ = [
    ("struct_size", c_size_t),
    ("contract", c_uint32),
    ("reserved0", c_uint32),
    ("name", POINTER(c_char)),
    ("name_len", c_size_t),
    ("payload", POINTER(c_uint8)),
    ("payload_len", c_size_t),
]
mgc_cursor._fields_ = [
    ("bytes", c_uint8 * 64),
]
mgc_found._fields_ = [
    ("height", c_uint64),
    ("index", c_uint32),
    ("event", c_uint32),
]
mgc_account_info._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint8 * 16),
    ("unit", c_uint32),
    ("code", c_uint32),
    ("flags", c_uint32),
    ("user_data_32", c_uint32),
    ("user_data_64", c_uint64),
    ("user_data_128", c_uint8 * 16),
    ("debits_pending", c_uint64),
    ("debits_posted", c_uint64),
    ("credits_pending", c_uint64),
    ("credits_posted", c_uint64),
    ("height", c_uint64),
]
mgc_transfer_info._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint8 * 16),
    ("debit_account", c_uint8 * 16),
    ("credit_account", c_uint8 * 16),
    ("pending_id", c_uint8 * 16),
    ("amount", c_uint64),
    ("unit", c_uint32),
    ("code", c_uint32),
    ("flags", c_uint32),
    ("user_data_32", c_uint32),
    ("user_data_64", c_uint64),
    ("user_data_128", c_uint8 * 16),
    ("timeout", c_uint64),
    ("height", c_uint64),
    ("index", c_uint32),
    ("state", c_uint32),
    ("ended_by", c_uint8 * 16),
]
mgc_balance_info._fields_ = [
    ("struct_size", c_size_t),
    ("height", c_uint64),
    ("index", c_uint32),
    ("reserved0", c_uint32),
    ("debits_pending", c_uint64),
    ("debits_posted", c_uint64),
    ("credits_pending", c_uint64),
    ("credits_posted", c_uint64),
]
mgc_record_info._fields_ = [
    ("struct_size", c_size_t),
    ("key", POINTER(c_uint8)),
    ("key_len", c_size_t),
    ("value", POINTER(c_uint8)),
    ("value_len", c_size_t),
]
mgc_verify_info._fields_ = [
    ("struct_size", c_size_t),
    ("n_chains", c_uint32),
    ("n_files", c_uint32),
    ("bytes", c_uint64),
    ("records", c_uint64),
    ("blocks", c_uint64),
    ("transactions", c_uint64),
    ("signatures", c_uint64),
    ("uncertified", c_uint64),
    ("torn_bytes", c_uint64),
    ("executed", c_uint32),
    ("reserved0", c_uint32),
]
mgc_field_info._fields_ = [
    ("struct_size", c_size_t),
    ("key", c_uint32),
    ("kind", c_uint32),
    ("name", c_char_p),
    ("columns", c_char_p),
    ("lower", c_int64),
    ("upper", c_int64),
]
mgc_call._fields_ = [
    ("struct_size", c_size_t),
    ("method", POINTER(c_char)),
    ("method_len", c_size_t),
    ("arguments", POINTER(c_uint8)),
    ("arguments_len", c_size_t),
    ("sender", POINTER(c_uint8)),
]
mgc_lock_info._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint8 * 16),
    ("debit_account", c_uint8 * 16),
    ("target_chain", c_uint8 * 32),
    ("target_account", c_uint8 * 16),
    ("amount", c_uint64),
    ("expires_ms", c_uint64),
    ("unit", c_uint32),
    ("code", c_uint32),
    ("state", c_uint32),
    ("reserved0", c_uint32),
    ("height", c_uint64),
]
mgc_query._fields_ = [
    ("struct_size", c_size_t),
    ("what", c_char_p),
    ("arguments", c_char_p),
    ("caller", c_uint32),
    ("sees_all", c_uint32),
]
mgc_contract._fields_ = [
    ("struct_size", c_size_t),
    ("version", c_uint32),
    ("id", c_uint32),
    ("code_version", c_uint32),
    ("reserved0", c_uint32),
    ("name", c_char_p),
    ("code_hash", c_uint8 * 32),
    ("check", CFUNCTYPE(c_int32, c_void_p, POINTER(mgc_env), POINTER(mgc_call))),
    ("execute", CFUNCTYPE(c_int32, c_void_p, POINTER(mgc_env), POINTER(mgc_call))),
    ("on_slot", CFUNCTYPE(c_int32, c_void_p, POINTER(mgc_env), c_uint64)),
    ("query", CFUNCTYPE(c_int32, c_void_p, POINTER(mgc_env), POINTER(mgc_query), POINTER(mgc_rows))),
]
mgc_open_fn = CFUNCTYPE(c_int32, c_void_p, c_char_p, POINTER(POINTER(c_uint8)), POINTER(c_size_t))
mgc_close_fn = CFUNCTYPE(None, c_void_p, POINTER(c_uint8), c_size_t)
mgc_case_opts._fields_ = [
    ("struct_size", c_size_t),
    ("filename", c_char_p),
    ("base_dir", c_char_p),
    ("open", mgc_open_fn),
    ("close", mgc_close_fn),
    ("user", c_void_p),
    ("day_shift", c_int32),
    ("no_check", c_uint32),
]
mgc_case_issue._fields_ = [
    ("struct_size", c_size_t),
    ("file", c_char_p),
    ("path", c_char_p),
    ("message", c_char_p),
    ("hint", c_char_p),
    ("severity", c_uint32),
    ("line", c_uint32),
    ("column", c_uint32),
    ("reserved0", c_uint32),
]
mgc_case_info._fields_ = [
    ("struct_size", c_size_t),
    ("name", c_char_p),
    ("currency", c_char_p),
    ("start", c_char_p),
    ("start_ms", c_uint64),
    ("period_minutes", c_uint32),
    ("periods", c_uint32),
    ("microgrids", c_uint32),
    ("links", c_uint32),
    ("weights", c_uint32),
    ("scenarios", c_uint32),
    ("history_file", c_char_p),
    ("history_day", c_char_p),
    ("history_day_ms", c_uint64),
    ("history_days", c_uint32),
    ("history_window", c_uint32),
    ("method", c_char_p),
    ("seed", c_uint64),
    ("reduction_distance", c_double),
    ("history_series", c_uint32),
    ("reserved0", c_uint32),
]
mgc_case_moments._fields_ = [
    ("struct_size", c_size_t),
    ("name", c_char_p),
    ("mean", c_double * 2),
    ("deviation", c_double * 2),
    ("autocorrelation", c_double * 2),
    ("correlation_change", c_double),
]
mgc_result_trade._fields_ = [
    ("from", c_char_p),
    ("to", c_char_p),
    ("carrier", c_char_p),
    ("sent_kw", POINTER(c_double)),
    ("price_per_kwh", POINTER(c_double)),
]
mgc_result._fields_ = [
    ("struct_size", c_size_t),
    ("status", c_char_p),
    ("name", c_char_p),
    ("currency", c_char_p),
    ("start", c_char_p),
    ("period_minutes", c_uint32),
    ("periods", c_uint32),
    ("members", c_uint32),
    ("trades", c_uint32),
    ("id", POINTER(c_char_p)),
    ("standalone_cost", POINTER(c_double)),
    ("payment", POINTER(c_double)),
    ("final_cost", POINTER(c_double)),
    ("emission_alone", POINTER(c_double)),
    ("emission_together", POINTER(c_double)),
    ("renewable_alone", POINTER(c_double)),
    ("renewable_together", POINTER(c_double)),
    ("probability", POINTER(POINTER(c_double))),
    ("scenarios", POINTER(c_uint32)),
    ("trade", POINTER(mgc_result_trade)),
    ("alliance_cost", c_double),
    ("lower_bound", c_double),
    ("gap", c_double),
    ("surplus", c_double),
    ("admm_iterations", c_uint32),
    ("reserved0", c_uint32),
    ("primal_residual", c_double),
    ("dual_residual", c_double),
    ("seconds_alone", c_double),
    ("seconds_cooperate", c_double),
    ("seconds_pay", c_double),
    ("seconds_ledger", c_double),
]
mgc_oracle_fn = CFUNCTYPE(c_int32, c_void_p, POINTER(c_double), POINTER(c_double), c_uint32)
mgc_twostage_opts._fields_ = [
    ("struct_size", c_size_t),
    ("tolerance", c_double),
    ("gap", c_double),
    ("time_limit_s", c_double),
    ("method", c_uint32),
    ("relax", c_uint32),
    ("threads", c_uint32),
    ("warm_start", c_uint32),
    ("progress", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double, c_double)),
    ("user", c_void_p),
    ("complete", c_uint32),
    ("presolve", c_uint32),
]
mgc_twostage_info._fields_ = [
    ("struct_size", c_size_t),
    ("outcome", c_uint32),
    ("iterations", c_uint32),
    ("inner_iterations", c_uint32),
    ("nodes", c_uint32),
    ("objective", c_double),
    ("bound", c_double),
    ("first_stage_cost", c_double),
    ("gap", c_double),
    ("seconds", c_double),
    ("primal_residual", c_double),
]
mgc_budget_opts._fields_ = [
    ("struct_size", c_size_t),
    ("tolerance", c_double),
    ("gap", c_double),
    ("time_limit_s", c_double),
    ("threads", c_uint32),
    ("round_limit", c_uint32),
    ("vertex_limit", c_uint32),
    ("reserved0", c_uint32),
    ("progress", CFUNCTYPE(c_int32, c_void_p, c_uint32, c_double, c_double)),
    ("user", c_void_p),
]
mgc_budget_info._fields_ = [
    ("struct_size", c_size_t),
    ("outcome", c_uint32),
    ("rounds", c_uint32),
    ("scenarios", c_uint32),
    ("unserved", c_uint32),
    ("recourse_solves", c_uint64),
    ("objective", c_double),
    ("bound", c_double),
    ("first_stage_cost", c_double),
    ("gap", c_double),
    ("seconds", c_double),
]
mgc_verifier._fields_ = [
    ("struct_size", c_size_t),
    ("chain_id", c_uint8 * 32),
    ("height", c_uint64),
    ("time_ms", c_uint64),
    ("block_hash", c_uint8 * 32),
    ("log_root", c_uint8 * 32),
    ("seen_hash", c_uint8 * 32),
    ("members_height", c_uint64),
    ("members_hash", c_uint8 * 32),
]
mgc_verified._fields_ = [
    ("struct_size", c_size_t),
    ("kind", c_uint32),
    ("n_votes", c_uint32),
    ("height", c_uint64),
    ("time_ms", c_uint64),
    ("block_hash", c_uint8 * 32),
    ("index", c_uint64),
    ("item", POINTER(c_uint8)),
    ("item_len", c_size_t),
    ("key", POINTER(c_uint8)),
    ("key_len", c_size_t),
    ("item_hash", c_uint8 * 32),
    ("receipt_status", c_int32),
    ("reserved0", c_uint32),
]
mgc_verified_account._fields_ = [
    ("struct_size", c_size_t),
    ("height", c_uint64),
    ("time_ms", c_uint64),
    ("id", c_uint8 * 16),
    ("unit", c_uint32),
    ("code", c_uint32),
    ("flags", c_uint32),
    ("reserved0", c_uint32),
    ("debits_pending", c_uint64),
    ("debits_posted", c_uint64),
    ("credits_pending", c_uint64),
    ("credits_posted", c_uint64),
]
mgc_day_key_fn = CFUNCTYPE(c_void_p, c_void_p, c_uint32)
mgc_day_chain._fields_ = [
    ("id", POINTER(c_uint8)),
    ("height", c_uint64),
]
mgc_day_opts._fields_ = [
    ("struct_size", c_size_t),
    ("information", mgc_day_chain),
    ("trading", mgc_day_chain),
    ("scheduling", mgc_day_chain),
    ("start_ms", c_uint64),
    ("now_ms", c_uint64),
    ("key", mgc_day_key_fn),
    ("user", c_void_p),
    ("previous", POINTER(mgc_day)),
    ("name", c_char_p),
    ("currency", c_char_p),
    ("gate_ms", c_uint64),
    ("window_ms", c_uint64),
    ("collateral_bp", c_uint32),
    ("pending_blocks", c_uint32),
    ("inputs_hash", POINTER(c_uint8)),
    ("record_hash", POINTER(c_uint8)),
    ("deposit_margin", c_double),
]
mgc_day_tx._fields_ = [
    ("struct_size", c_size_t),
    ("phase", c_uint32),
    ("contract", c_uint32),
    ("method", c_char_p),
    ("due_ms", c_uint64),
    ("bytes", POINTER(c_uint8)),
    ("len", c_size_t),
]
mgc_day_expectation._fields_ = [
    ("struct_size", c_size_t),
    ("trades_micro", c_int64),
    ("transfer_micro", c_int64),
    ("grid_micro", c_int64),
    ("imbalance_micro", c_int64),
    ("fee_micro", c_int64),
    ("deposit_micro", c_int64),
    ("electricity_wh", c_int64),
    ("heat_wh", c_int64),
    ("carbon_g", c_int64),
]
mgc_transport_ops._fields_ = [
    ("struct_size", c_size_t),
    ("version", c_uint32),
    ("reserved0", c_uint32),
    ("send", CFUNCTYPE(c_int32, c_void_p, c_uint32, POINTER(c_uint8), c_size_t)),
]
mgc_node_opts._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint32),
    ("block_txs_max", c_uint32),
    ("key", POINTER(mgc_key)),
    ("chain", c_char_p),
    ("genesis_time_ms", c_uint64),
    ("genesis_nonce", c_uint8 * 32),
    ("block_interval_ms", c_uint64),
    ("empty_interval_ms", c_uint64),
    ("segment_bytes", c_uint64),
    ("salt", c_uint64),
    ("read_only", c_uint32),
    ("tick_ms", c_uint32),
    ("members", POINTER(mgc_member)),
    ("n_members", c_size_t),
    ("election_ticks", c_uint32),
    ("lost_store", c_uint32),
    ("seed", c_uint64),
    ("learners", POINTER(mgc_member)),
    ("n_learners", c_size_t),
    ("join", c_uint32),
    ("sign_messages", c_uint32),
    ("credit", c_uint32),
    ("snapshots", c_uint32),
]
mgc_ticket_info._fields_ = [
    ("struct_size", c_size_t),
    ("state", c_uint32),
    ("status", c_int32),
    ("height", c_uint64),
    ("index", c_uint32),
    ("chain", c_uint32),
    ("tx_id", c_uint8 * 32),
    ("rule", c_char_p),
]
mgc_signer._fields_ = [
    ("key", POINTER(mgc_key)),
    ("role", c_uint32),
    ("reserved0", c_uint32),
]
mgc_node_call_opts._fields_ = [
    ("struct_size", c_size_t),
    ("contract", c_uint32),
    ("window", c_uint32),
    ("method", c_char_p),
    ("words", c_char_p),
    ("arguments", POINTER(c_uint8)),
    ("arguments_len", c_size_t),
    ("signers", POINTER(mgc_signer)),
    ("n_signers", c_size_t),
    ("now_ms", c_uint64),
]
mgc_node_info._fields_ = [
    ("struct_size", c_size_t),
    ("chain_id", c_uint8 * 32),
    ("height", c_uint64),
    ("time_ms", c_uint64),
    ("block_hash", c_uint8 * 32),
    ("state_digest", c_uint8 * 32),
    ("transactions", c_uint64),
    ("waiting", c_uint32),
    ("n_chains", c_uint32),
    ("refused", c_uint64),
    ("blocks", c_uint64),
    ("final_height", c_uint64),
    ("term", c_uint64),
    ("leader", c_uint32),
    ("role", c_uint32),
    ("ordered", c_uint64),
    ("standing", c_uint32),
    ("n_voters", c_uint32),
    ("n_learners", c_uint32),
    ("changing", c_uint32),
    ("config_index", c_uint64),
    ("dropped", c_uint64),
    ("forged", c_uint64),
    ("evidence", c_uint64),
    ("mended", c_uint64),
]
mgc_node_member_info._fields_ = [
    ("struct_size", c_size_t),
    ("id", c_uint32),
    ("standing", c_uint32),
    ("aim", c_uint32),
    ("incarnation", c_uint32),
    ("rank", c_uint32),
    ("early", c_uint32),
    ("node_credit", c_uint32),
    ("trade_credit", c_uint32),
    ("convicted", c_uint32),
    ("reserved0", c_uint32),
    ("acknowledged", c_uint64),
    ("public_key", c_uint8 * 32),
]
mgc_report_table._fields_ = [
    ("title", c_char_p),
    ("note", c_char_p),
    ("header", POINTER(c_char_p)),
    ("cell", POINTER(c_char_p)),
    ("columns", c_size_t),
    ("rows", c_size_t),
]
mgc_report_check._fields_ = [
    ("name", c_char_p),
    ("found", c_char_p),
    ("ok", c_uint32),
    ("reserved0", c_uint32),
]
mgc_report_figure._fields_ = [
    ("title", c_char_p),
    ("unit", c_char_p),
    ("name", POINTER(c_char_p)),
    ("label", POINTER(c_char_p)),
    ("word", POINTER(c_char_p)),
    ("value", POINTER(c_double)),
    ("series", c_size_t),
    ("points", c_size_t),
    ("words", c_size_t),
    ("kind", c_uint32),
    ("reserved0", c_uint32),
]
mgc_report_caution._fields_ = [
    ("name", c_char_p),
    ("nominal", c_double),
    ("promised", c_double),
    ("worst_scenario", c_double),
]
mgc_report._fields_ = [
    ("struct_size", c_size_t),
    ("kase", POINTER(mgc_case)),
    ("alliance", POINTER(mgc_alliance)),
    ("realised", POINTER(mgc_plan)),
    ("check", POINTER(mgc_report_check)),
    ("checks", c_size_t),
    ("table", POINTER(mgc_report_table)),
    ("tables", c_size_t),
    ("made_by", c_char_p),
    ("figure", POINTER(mgc_report_figure)),
    ("figures", c_size_t),
    ("caution", POINTER(mgc_report_caution)),
    ("cautions", c_size_t),
    ("upper", POINTER(c_double)),
    ("lower", POINTER(c_double)),
    ("bounds", c_size_t),
]
mgc_evaluation._fields_ = [
    ("struct_size", c_size_t),
    ("name", c_char_p),
    ("currency", c_char_p),
    ("kinds", c_size_t),
    ("days", c_size_t),
    ("rules", c_size_t),
    ("kind", POINTER(c_char_p)),
    ("day", POINTER(c_char_p)),
    ("cost", POINTER(c_double)),
    ("promise", POINTER(c_double)),
    ("unserved_kwh", POINTER(c_double)),
    ("emission_kg", POINTER(c_double)),
    ("hindsight", POINTER(c_double)),
    ("rule", POINTER(c_char_p)),
    ("radius", POINTER(c_double)),
    ("nominal", POINTER(c_double)),
    ("covered", POINTER(c_double)),
    ("made_by", c_char_p),
]

# Name, library, whether it takes more arguments than named, result, arguments.
PROTOTYPES = [
    ("mgc_status_name", "core", False, c_char_p, (c_int32,)),
    ("mgc_status_text", "core", False, c_char_p, (c_int32,)),
    ("mgc_outcome_name", "core", False, c_char_p, (c_uint32,)),
    ("mgc_version", "core", False, c_uint32, ()),
    ("mgc_version_string", "core", False, c_char_p, ()),
    ("mgc_ctx_opts_init", "core", False, None, (POINTER(mgc_ctx_opts), c_size_t)),
    ("mgc_ctx_create", "core", False, c_int32, (POINTER(mgc_ctx_opts), POINTER(POINTER(mgc_ctx)))),
    ("mgc_ctx_destroy", "core", False, None, (POINTER(mgc_ctx),)),
    ("mgc_ctx_error", "core", False, c_char_p, (POINTER(mgc_ctx),)),
    ("mgc_ctx_cancel", "core", False, None, (POINTER(mgc_ctx),)),
    ("mgc_ctx_cancel_reset", "core", False, None, (POINTER(mgc_ctx),)),
    ("mgc_ctx_cancelled", "core", False, c_int32, (POINTER(mgc_ctx),)),
    ("mgc_ctx_resize", "core", False, c_void_p, (POINTER(mgc_ctx), c_void_p, c_size_t)),
    ("mgc_ctx_release", "core", False, None, (POINTER(mgc_ctx), c_void_p)),
    ("mgc_ctx_fail", "core", False, c_int32, (POINTER(mgc_ctx), c_int32, c_char_p)),
    ("mgc_struct_read", "core", False, c_int32, (c_void_p, c_size_t, c_size_t, c_void_p)),
    ("mgc_struct_write", "core", False, c_int32, (c_void_p, c_void_p, c_size_t, c_size_t)),
    ("mgc_number_parse", "core", False, c_double, (c_char_p, POINTER(c_char_p))),
    ("mgc_number_format", "core", False, c_size_t, (c_double, POINTER(c_char))),
    ("mgc_word_nearest", "core", False, c_char_p, (c_char_p, POINTER(c_char_p), c_size_t)),
    ("mgc_sha256", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(c_uint8))),
    ("mgc_key_from_seed", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_uint8), POINTER(POINTER(mgc_key)))),
    ("mgc_key_from_pem", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_size_t, c_char_p, POINTER(POINTER(mgc_key)))),
    ("mgc_key_from_callback", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_uint8), mgc_sign_fn, c_void_p, POINTER(POINTER(mgc_key)))),
    ("mgc_key_to_pem", "core", False, c_int32, (POINTER(mgc_key), c_char_p, POINTER(c_char), c_size_t, POINTER(c_size_t))),
    ("mgc_key_destroy", "core", False, None, (POINTER(mgc_key),)),
    ("mgc_key_public", "core", False, c_int32, (POINTER(mgc_key), POINTER(c_uint8))),
    ("mgc_key_sign", "core", False, c_int32, (POINTER(mgc_key), POINTER(c_uint8), c_size_t, POINTER(c_uint8))),
    ("mgc_public_key_check", "core", False, c_int32, (POINTER(c_uint8), c_size_t)),
    ("mgc_signature_verify", "core", False, c_int32, (POINTER(c_uint8), POINTER(c_uint8), c_size_t, POINTER(c_uint8), c_size_t)),
    ("mgc_program_create", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(POINTER(mgc_program)))),
    ("mgc_program_destroy", "core", False, None, (POINTER(mgc_program),)),
    ("mgc_program_clone", "core", False, c_int32, (POINTER(mgc_program), POINTER(POINTER(mgc_program)))),
    ("mgc_program_add_column", "core", False, c_int32, (POINTER(mgc_program), c_double, c_double, c_double, POINTER(c_uint32))),
    ("mgc_program_add_row", "core", False, c_int32, (POINTER(mgc_program), c_double, c_double, POINTER(c_uint32), POINTER(c_double), c_size_t, POINTER(c_uint32))),
    ("mgc_program_set_cost", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_double)),
    ("mgc_program_set_bounds", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_double, c_double)),
    ("mgc_program_set_row_bounds", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_double, c_double)),
    ("mgc_program_set_integer", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_int32)),
    ("mgc_program_set_offset", "core", False, c_int32, (POINTER(mgc_program), c_double)),
    ("mgc_program_set_quadratic", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_uint32, c_double)),
    ("mgc_program_set_coefficient", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_uint32, c_double)),
    ("mgc_program_set_column_name", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_char_p)),
    ("mgc_program_set_row_name", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_char_p)),
    ("mgc_program_set_name", "core", False, c_int32, (POINTER(mgc_program), c_char_p)),
    ("mgc_program_columns", "core", False, c_uint32, (POINTER(mgc_program),)),
    ("mgc_program_rows", "core", False, c_uint32, (POINTER(mgc_program),)),
    ("mgc_program_nonzeros", "core", False, c_uint64, (POINTER(mgc_program),)),
    ("mgc_program_integers", "core", False, c_uint32, (POINTER(mgc_program),)),
    ("mgc_program_column_name", "core", False, c_char_p, (POINTER(mgc_program), c_uint32)),
    ("mgc_program_row_name", "core", False, c_char_p, (POINTER(mgc_program), c_uint32)),
    ("mgc_program_get_column", "core", False, c_int32, (POINTER(mgc_program), c_uint32, POINTER(c_double), POINTER(c_double), POINTER(c_double), POINTER(c_int32))),
    ("mgc_program_get_row", "core", False, c_int32, (POINTER(mgc_program), c_uint32, POINTER(c_double), POINTER(c_double))),
    ("mgc_program_get_coefficient", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_program_get_quadratic", "core", False, c_int32, (POINTER(mgc_program), c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_program_get_offset", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double))),
    ("mgc_program_opts_init", "core", False, None, (POINTER(mgc_program_opts), c_size_t)),
    ("mgc_program_solve", "core", False, c_int32, (POINTER(mgc_program), POINTER(mgc_program_opts), POINTER(mgc_program_info))),
    ("mgc_program_get_x", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double), c_size_t)),
    ("mgc_program_get_y", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double), c_size_t)),
    ("mgc_program_get_z", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double), c_size_t)),
    ("mgc_program_get_ray", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double), c_size_t)),
    ("mgc_program_get_start", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_program_set_start", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_uint8), c_size_t)),
    ("mgc_program_check_x", "core", False, c_int32, (POINTER(mgc_program), POINTER(c_double), c_size_t, POINTER(c_double), POINTER(c_double))),
    ("mgc_program_check_ray", "core", False, c_int32, (POINTER(mgc_program), c_uint32, POINTER(c_double), c_size_t, POINTER(c_double))),
    ("mgc_program_read_mps", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_size_t, c_char_p, POINTER(POINTER(mgc_program)))),
    ("mgc_program_maximises", "core", False, c_int32, (POINTER(mgc_program),)),
    ("mgc_program_write_mps", "core", False, c_int32, (POINTER(mgc_program), mgc_write_fn, c_void_p)),
    ("mgc_program_write_mps_as", "core", False, c_int32, (POINTER(mgc_program), c_uint32, mgc_write_fn, c_void_p)),
    ("mgc_param_describe", "core", False, c_int32, (c_char_p, c_uint32, POINTER(mgc_param_info))),
    ("mgc_device_type", "core", False, c_char_p, (c_uint32,)),
    ("mgc_model_create", "core", False, c_int32, (POINTER(mgc_ctx), c_uint32, c_double, POINTER(POINTER(mgc_model)))),
    ("mgc_model_destroy", "core", False, None, (POINTER(mgc_model),)),
    ("mgc_model_add_microgrid", "core", False, c_int32, (POINTER(mgc_model), c_char_p, c_uint32, POINTER(POINTER(mgc_microgrid)))),
    ("mgc_microgrid_add_device", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, c_char_p, POINTER(POINTER(mgc_device)))),
    ("mgc_model_add_link", "core", False, c_int32, (POINTER(mgc_model), c_char_p, c_char_p, c_char_p, POINTER(POINTER(mgc_link)))),
    ("mgc_model_set_number", "core", False, c_int32, (POINTER(mgc_model), c_char_p, c_double)),
    ("mgc_model_set_series", "core", False, c_int32, (POINTER(mgc_model), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_microgrid_set_number", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, c_double)),
    ("mgc_microgrid_set_series", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_microgrid_set_scenario", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, c_uint32, POINTER(c_double), c_size_t)),
    ("mgc_microgrid_set_probability", "core", False, c_int32, (POINTER(mgc_microgrid), POINTER(c_double), c_size_t)),
    ("mgc_microgrid_set_ambiguity", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, c_char_p, c_double, c_uint32, c_char_p)),
    ("mgc_microgrid_clear_ambiguity", "core", False, c_int32, (POINTER(mgc_microgrid),)),
    ("mgc_microgrid_is_ambiguous", "core", False, c_int32, (POINTER(mgc_microgrid),)),
    ("mgc_device_set_number", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_double)),
    ("mgc_device_set_text", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_char_p)),
    ("mgc_device_set_series", "core", False, c_int32, (POINTER(mgc_device), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_device_set_scenario", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_uint32, POINTER(c_double), c_size_t)),
    ("mgc_link_set_number", "core", False, c_int32, (POINTER(mgc_link), c_char_p, c_double)),
    ("mgc_link_set_series", "core", False, c_int32, (POINTER(mgc_link), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_device_add_variable", "core", False, c_int32, (POINTER(mgc_device), c_char_p)),
    ("mgc_device_set_variable", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_char_p, c_double)),
    ("mgc_device_set_variable_series", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_device_add_constraint", "core", False, c_int32, (POINTER(mgc_device), c_double, c_double, POINTER(c_uint32))),
    ("mgc_device_add_term", "core", False, c_int32, (POINTER(mgc_device), c_uint32, c_char_p, c_double, c_int32)),
    ("mgc_model_periods", "core", False, c_uint32, (POINTER(mgc_model),)),
    ("mgc_model_hours", "core", False, c_double, (POINTER(mgc_model),)),
    ("mgc_model_microgrids", "core", False, c_uint32, (POINTER(mgc_model),)),
    ("mgc_model_microgrid_id", "core", False, c_char_p, (POINTER(mgc_model), c_uint32)),
    ("mgc_model_microgrid", "core", False, POINTER(mgc_microgrid), (POINTER(mgc_model), c_char_p)),
    ("mgc_microgrid_scenarios", "core", False, c_uint32, (POINTER(mgc_microgrid),)),
    ("mgc_microgrid_devices", "core", False, c_uint32, (POINTER(mgc_microgrid),)),
    ("mgc_microgrid_device_id", "core", False, c_char_p, (POINTER(mgc_microgrid), c_uint32)),
    ("mgc_microgrid_device_type", "core", False, c_char_p, (POINTER(mgc_microgrid), c_uint32)),
    ("mgc_microgrid_device", "core", False, POINTER(mgc_device), (POINTER(mgc_microgrid), c_char_p)),
    ("mgc_model_links", "core", False, c_uint32, (POINTER(mgc_model),)),
    ("mgc_model_link", "core", False, c_int32, (POINTER(mgc_model), c_uint32, POINTER(c_char_p), POINTER(c_char_p), POINTER(c_char_p))),
    ("mgc_device_get", "core", False, c_int32, (POINTER(mgc_device), c_char_p, c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_device_get_text", "core", False, c_char_p, (POINTER(mgc_device), c_char_p)),
    ("mgc_microgrid_get", "core", False, c_int32, (POINTER(mgc_microgrid), c_char_p, c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_microgrid_get_probability", "core", False, c_int32, (POINTER(mgc_microgrid), POINTER(c_double), c_size_t)),
    ("mgc_link_get", "core", False, c_int32, (POINTER(mgc_link), c_char_p, c_uint32, POINTER(c_double))),
    ("mgc_model_link_at", "core", False, POINTER(mgc_link), (POINTER(mgc_model), c_uint32)),
    ("mgc_model_check", "core", False, c_int32, (POINTER(mgc_model), mgc_fault_fn, c_void_p)),
    ("mgc_dispatch_opts_init", "core", False, None, (POINTER(mgc_dispatch_opts), c_size_t)),
    ("mgc_dispatch_solve", "core", False, c_int32, (POINTER(mgc_model), POINTER(mgc_dispatch_opts), POINTER(POINTER(mgc_plan)))),
    ("mgc_plan_destroy", "core", False, None, (POINTER(mgc_plan),)),
    ("mgc_plan_get_info", "core", False, c_int32, (POINTER(mgc_plan), POINTER(mgc_plan_info))),
    ("mgc_plan_get_series", "core", False, c_int32, (POINTER(mgc_plan), c_char_p, c_char_p, c_char_p, c_uint32, POINTER(c_double), c_size_t)),
    ("mgc_plan_get_number", "core", False, c_int32, (POINTER(mgc_plan), c_char_p, c_char_p, POINTER(c_double))),
    ("mgc_plan_get_scenario_number", "core", False, c_int32, (POINTER(mgc_plan), c_char_p, c_char_p, c_uint32, POINTER(c_double))),
    ("mgc_plan_get_probability", "core", False, c_int32, (POINTER(mgc_plan), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_plan_explain", "core", False, c_char_p, (POINTER(mgc_plan),)),
    ("mgc_plan_realise", "core", False, c_int32, (POINTER(mgc_plan), POINTER(mgc_model), POINTER(mgc_dispatch_opts), POINTER(POINTER(mgc_plan)))),
    ("mgc_model_window", "core", False, c_int32, (POINTER(mgc_model), c_uint32, c_uint32, POINTER(POINTER(mgc_model)))),
    ("mgc_model_expected", "core", False, c_int32, (POINTER(mgc_model), POINTER(POINTER(mgc_model)))),
    ("mgc_state_create", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(POINTER(mgc_state)))),
    ("mgc_state_destroy", "core", False, None, (POINTER(mgc_state),)),
    ("mgc_state_add", "core", False, c_int32, (POINTER(mgc_state), POINTER(mgc_state_entry))),
    ("mgc_state_entries", "core", False, c_uint32, (POINTER(mgc_state),)),
    ("mgc_state_get", "core", False, c_int32, (POINTER(mgc_state), c_uint32, POINTER(mgc_state_entry))),
    ("mgc_plan_state", "core", False, c_int32, (POINTER(mgc_plan), c_uint32, c_uint32, c_uint32, POINTER(POINTER(mgc_state)))),
    ("mgc_state_apply", "core", False, c_int32, (POINTER(mgc_state), POINTER(mgc_model))),
    ("mgc_model_program", "core", False, c_int32, (POINTER(mgc_model), c_char_p, POINTER(POINTER(mgc_program)))),
    ("mgc_pool_id", "core", False, c_char_p, ()),
    ("mgc_pool_links", "core", False, c_int32, (POINTER(mgc_model),)),
    ("mgc_phase_name", "core", False, c_char_p, (c_uint32,)),
    ("mgc_alliance_opts_init", "core", False, None, (POINTER(mgc_alliance_opts), c_size_t)),
    ("mgc_alliance_solve", "core", False, c_int32, (POINTER(mgc_model), POINTER(mgc_alliance_opts), POINTER(POINTER(mgc_alliance)))),
    ("mgc_alliance_destroy", "core", False, None, (POINTER(mgc_alliance),)),
    ("mgc_alliance_get_info", "core", False, c_int32, (POINTER(mgc_alliance), POINTER(mgc_alliance_info))),
    ("mgc_alliance_get_state", "core", False, c_int32, (POINTER(mgc_alliance), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_alliance_reason", "core", False, c_char_p, (POINTER(mgc_alliance),)),
    ("mgc_alliance_get_member", "core", False, c_int32, (POINTER(mgc_alliance), c_uint32, POINTER(mgc_member_info))),
    ("mgc_alliance_get_trade", "core", False, c_int32, (POINTER(mgc_alliance), c_uint32, POINTER(mgc_trade))),
    ("mgc_alliance_get_pair", "core", False, c_int32, (POINTER(mgc_alliance), c_uint32, POINTER(mgc_pair))),
    ("mgc_alliance_get_round", "core", False, c_int32, (POINTER(mgc_alliance), c_uint32, POINTER(mgc_round))),
    ("mgc_alliance_get_plan", "core", False, c_int32, (POINTER(mgc_alliance), c_uint32, POINTER(POINTER(mgc_plan)))),
    ("mgc_alliance_certificate", "core", False, c_int32, (POINTER(mgc_alliance), POINTER(mgc_certificate))),
    ("mgc_agent_opts_init", "core", False, None, (POINTER(mgc_agent_opts), c_size_t)),
    ("mgc_agent_create", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_model), c_char_p, POINTER(mgc_agent_opts), POINTER(POINTER(mgc_agent)))),
    ("mgc_agent_destroy", "core", False, None, (POINTER(mgc_agent),)),
    ("mgc_agent_poll", "core", False, c_int32, (POINTER(mgc_agent), c_uint64, POINTER(mgc_agent_output))),
    ("mgc_agent_receive", "core", False, c_int32, (POINTER(mgc_agent), c_uint64, c_char_p, POINTER(c_uint8), c_size_t)),
    ("mgc_agent_save", "core", False, c_int32, (POINTER(mgc_agent), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_agent_restore", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_model), c_char_p, POINTER(mgc_agent_opts), POINTER(c_uint8), c_size_t, POINTER(POINTER(mgc_agent)))),
    ("mgc_agent_get_counts", "core", False, c_int32, (POINTER(mgc_agent), POINTER(mgc_agent_counts))),
    ("mgc_agent_agreement", "core", False, c_int32, (POINTER(mgc_agent), POINTER(mgc_agreement))),
    ("mgc_agent_relaxed_bound", "core", False, c_int32, (POINTER(mgc_agent), POINTER(c_double))),
    ("mgc_agent_get_trade", "core", False, c_int32, (POINTER(mgc_agent), c_uint32, POINTER(mgc_trade))),
    ("mgc_agent_get_pair", "core", False, c_int32, (POINTER(mgc_agent), c_uint32, POINTER(mgc_pair))),
    ("mgc_agent_get_state", "core", False, c_int32, (POINTER(mgc_agent), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_agent_get_plan", "core", False, c_int32, (POINTER(mgc_agent), POINTER(POINTER(mgc_plan)))),
    ("mgc_record_from_alliance", "core", False, c_int32, (POINTER(mgc_alliance), c_uint64, POINTER(POINTER(mgc_record)))),
    ("mgc_record_read", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_uint8), c_size_t, POINTER(POINTER(mgc_record)))),
    ("mgc_record_destroy", "core", False, None, (POINTER(mgc_record),)),
    ("mgc_record_bytes", "core", False, c_int32, (POINTER(mgc_record), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_record_hash", "core", False, c_int32, (POINTER(mgc_record), POINTER(c_uint8))),
    ("mgc_record_sign", "core", False, c_int32, (POINTER(mgc_record), c_char_p, POINTER(mgc_key))),
    ("mgc_agent_sign_record", "core", False, c_int32, (POINTER(mgc_agent), POINTER(mgc_record), POINTER(mgc_key))),
    ("mgc_record_verify", "core", False, c_int32, (POINTER(mgc_record), POINTER(c_char_p), POINTER(POINTER(c_uint8)), c_size_t, c_int64, POINTER(mgc_record_report))),
    ("mgc_nash_payments", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), POINTER(c_double), POINTER(c_double), c_size_t, POINTER(c_double))),
    ("mgc_contribution_weights", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), POINTER(c_double), c_size_t, POINTER(c_double))),
    ("mgc_pair_payments", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, POINTER(c_uint32), POINTER(c_uint32), c_size_t, POINTER(c_double))),
    ("mgc_coalition_opts_init", "core", False, None, (POINTER(mgc_coalition_opts), c_size_t)),
    ("mgc_coalition_values", "core", False, c_int32, (POINTER(mgc_model), POINTER(mgc_coalition_opts), POINTER(c_double), POINTER(c_double), c_size_t)),
    ("mgc_shapley", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, POINTER(c_double))),
    ("mgc_core_excess", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), POINTER(c_double), c_size_t, POINTER(c_double), POINTER(c_uint32))),
    ("mgc_least_core", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, POINTER(c_double), POINTER(c_double))),
    ("mgc_raft_opts_init", "core", False, None, (POINTER(mgc_raft_opts), c_size_t)),
    ("mgc_raft_genesis", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_raft_member), c_size_t, POINTER(mgc_raft_snap_meta))),
    ("mgc_raft_size", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_raft_opts), POINTER(c_size_t))),
    ("mgc_raft_init", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_raft_opts), POINTER(mgc_raft_boot), c_void_p, c_size_t, POINTER(POINTER(mgc_raft)))),
    ("mgc_raft_step", "core", False, c_int32, (POINTER(mgc_raft), POINTER(mgc_raft_event), POINTER(mgc_raft_output))),
    ("mgc_raft_get_info", "core", False, c_int32, (POINTER(mgc_raft), POINTER(mgc_raft_info))),
    ("mgc_raft_entry_get", "core", False, c_int32, (POINTER(mgc_raft), c_uint64, POINTER(mgc_raft_entry))),
    ("mgc_raft_snap_meta_at", "core", False, c_int32, (POINTER(mgc_raft), c_uint64, POINTER(mgc_raft_snap_meta))),
    ("mgc_raft_config_now", "core", False, POINTER(mgc_raft_config), (POINTER(mgc_raft),)),
    ("mgc_raft_caretaker_target", "core", False, c_uint32, (POINTER(mgc_raft),)),
    ("mgc_raft_policy_init", "core", False, None, (POINTER(mgc_raft_policy), c_size_t)),
    ("mgc_raft_policy_decide", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_raft_policy), POINTER(mgc_raft_config), POINTER(mgc_raft_table), POINTER(mgc_raft_change))),
    ("mgc_raft_policy_vouch", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_raft), POINTER(mgc_raft_policy), POINTER(mgc_raft_msg), POINTER(mgc_raft_table), c_size_t, POINTER(c_uint64))),
    ("mgc_raft_payload_root", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(c_uint8))),
    ("mgc_raft_encode", "core", False, c_int32, (POINTER(mgc_raft_msg), POINTER(mgc_raft_entry), POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_raft_decode", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(mgc_raft_msg), POINTER(mgc_raft_entry), c_size_t, POINTER(mgc_raft_config))),
    ("mgc_raft_signed_body", "core", False, c_int32, (POINTER(mgc_raft_msg), POINTER(c_uint8), POINTER(c_size_t), POINTER(c_char_p))),
    ("mgc_storage_files", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_uint32, POINTER(mgc_storage_ops), POINTER(c_void_p))),
    ("mgc_storage_files_destroy", "core", False, None, (c_void_p,)),
    ("mgc_ledger_opts_init", "core", False, None, (POINTER(mgc_ledger_opts), c_size_t)),
    ("mgc_ledger_open", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_ledger_opts), POINTER(POINTER(mgc_ledger)))),
    ("mgc_ledger_close", "core", False, None, (POINTER(mgc_ledger),)),
    ("mgc_ledger_get_info", "core", False, c_int32, (POINTER(mgc_ledger), POINTER(mgc_ledger_info))),
    ("mgc_ledger_sync", "core", False, c_int32, (POINTER(mgc_ledger),)),
    ("mgc_ledger_snapshot", "core", False, c_int32, (POINTER(mgc_ledger),)),
    ("mgc_ledger_prune", "core", False, c_int32, (POINTER(mgc_ledger), POINTER(c_uint32))),
    ("mgc_ledger_mend", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_ledger_opts), POINTER(c_uint8), c_size_t, POINTER(mgc_damage))),
    ("mgc_ledger_add_chain", "core", False, c_int32, (POINTER(mgc_ledger), POINTER(mgc_genesis), POINTER(POINTER(mgc_chain)))),
    ("mgc_ledger_chain", "core", False, c_int32, (POINTER(mgc_ledger), c_char_p, POINTER(POINTER(mgc_chain)))),
    ("mgc_ledger_chain_at", "core", False, c_int32, (POINTER(mgc_ledger), c_uint32, POINTER(POINTER(mgc_chain)))),
    ("mgc_chain_get_info", "core", False, c_int32, (POINTER(mgc_chain), POINTER(mgc_chain_info))),
    ("mgc_tx_encode_body", "core", False, c_int32, (POINTER(mgc_tx_body), POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_tx_sign", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(mgc_key), c_uint32, POINTER(mgc_tx_signature))),
    ("mgc_tx_assemble", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(mgc_tx_signature), c_size_t, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_tx_decode", "core", False, c_int32, (POINTER(c_uint8), c_size_t, POINTER(mgc_tx_info))),
    ("mgc_tx_decode_signature", "core", False, c_int32, (POINTER(c_uint8), c_size_t, c_uint32, POINTER(mgc_tx_signature))),
    ("mgc_chain_check_tx", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t)),
    ("mgc_chain_next_nonce", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_uint32, POINTER(c_uint64))),
    ("mgc_chain_verify_txs", "core", False, c_int32, (POINTER(mgc_chain), POINTER(POINTER(c_uint8)), POINTER(c_size_t), c_size_t, c_uint32, POINTER(c_int32))),
    ("mgc_chain_begin", "core", False, c_int32, (POINTER(mgc_chain), c_uint64)),
    ("mgc_chain_add", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t, POINTER(c_int32))),
    ("mgc_chain_abort", "core", False, None, (POINTER(mgc_chain),)),
    ("mgc_chain_set_signers", "core", False, c_int32, (POINTER(mgc_chain), POINTER(mgc_chain_signers))),
    ("mgc_chain_seal", "core", False, c_int32, (POINTER(mgc_chain), c_uint32)),
    ("mgc_chain_vote", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(mgc_key), POINTER(c_uint8))),
    ("mgc_chain_certify", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(mgc_vote), c_size_t)),
    ("mgc_chain_commit", "core", False, c_int32, (POINTER(mgc_chain), POINTER(mgc_key))),
    ("mgc_chain_apply", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t, c_uint64, c_uint64)),
    ("mgc_chain_read_block", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(POINTER(mgc_block)))),
    ("mgc_block_destroy", "core", False, None, (POINTER(mgc_block),)),
    ("mgc_block_get_info", "core", False, c_int32, (POINTER(mgc_block), POINTER(mgc_block_info))),
    ("mgc_block_get_bytes", "core", False, c_int32, (POINTER(mgc_block), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_block_get_vote", "core", False, c_int32, (POINTER(mgc_block), c_uint32, POINTER(mgc_vote))),
    ("mgc_block_get_tx", "core", False, c_int32, (POINTER(mgc_block), c_uint32, POINTER(POINTER(c_uint8)), POINTER(c_size_t), POINTER(mgc_tx_info))),
    ("mgc_block_get_receipt", "core", False, c_int32, (POINTER(mgc_block), c_uint32, POINTER(mgc_receipt_info))),
    ("mgc_block_get_event", "core", False, c_int32, (POINTER(mgc_block), c_uint32, c_uint32, POINTER(mgc_event_info))),
    ("mgc_chain_find_tx", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(c_uint64), POINTER(c_uint32))),
    ("mgc_chain_find_transactions", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(mgc_cursor), POINTER(mgc_found), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_find_changes", "core", False, c_int32, (POINTER(mgc_chain), c_uint32, POINTER(c_uint8), c_size_t, POINTER(mgc_cursor), POINTER(mgc_found), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_find_events", "core", False, c_int32, (POINTER(mgc_chain), c_uint32, c_char_p, POINTER(mgc_cursor), POINTER(mgc_found), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_get_account", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(mgc_account_info))),
    ("mgc_chain_get_transfer", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(mgc_transfer_info))),
    ("mgc_chain_next_account", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(mgc_account_info))),
    ("mgc_chain_next_transfer", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(mgc_transfer_info))),
    ("mgc_chain_next_transfer_of", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_uint64, c_uint32, POINTER(mgc_transfer_info))),
    ("mgc_chain_next_balance", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_uint64, c_uint32, POINTER(mgc_balance_info))),
    ("mgc_block_get_change", "core", False, c_int32, (POINTER(mgc_block), c_uint32, POINTER(c_uint8), c_size_t, POINTER(mgc_record_info))),
    ("mgc_chain_next_record", "core", False, c_int32, (POINTER(mgc_chain), c_uint32, POINTER(c_uint8), c_size_t, POINTER(mgc_record_info))),
    ("mgc_chain_state_root", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8))),
    ("mgc_chain_prove_transaction", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, c_uint32, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_receipt", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, c_uint32, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_head", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_block", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_stored", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_ancestor", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, c_uint64, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_consistency", "core", False, c_int32, (POINTER(mgc_chain), c_uint64, c_uint64, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_account", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_record", "core", False, c_int32, (POINTER(mgc_chain), c_uint32, POINTER(c_uint8), c_size_t, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_prove_key", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t, POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_witness", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t)),
    ("mgc_chain_evidence", "core", False, c_int32, (POINTER(mgc_chain), POINTER(c_uint8), c_size_t, POINTER(c_size_t))),
    ("mgc_chain_resume", "core", False, c_int32, (POINTER(mgc_chain),)),
    ("mgc_ledger_verify", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_ledger_opts), POINTER(mgc_verify_info))),
    ("mgc_account_id", "core", False, None, (c_uint32, c_uint32, POINTER(c_uint8))),
    ("mgc_method_name", "core", False, c_char_p, (c_uint32, c_uint32)),
    ("mgc_field_describe", "core", False, c_int32, (c_uint32, c_char_p, c_uint32, POINTER(mgc_field_info))),
    ("mgc_args_create", "core", False, c_int32, (POINTER(mgc_ctx), c_uint32, c_char_p, POINTER(POINTER(mgc_args)))),
    ("mgc_args_destroy", "core", False, None, (POINTER(mgc_args),)),
    ("mgc_args_set_int", "core", False, c_int32, (POINTER(mgc_args), c_char_p, c_int64)),
    ("mgc_args_set_text", "core", False, c_int32, (POINTER(mgc_args), c_char_p, c_char_p)),
    ("mgc_args_set_bytes", "core", False, c_int32, (POINTER(mgc_args), c_char_p, POINTER(c_uint8), c_size_t)),
    ("mgc_args_add_row", "core", False, c_int32, (POINTER(mgc_args), c_char_p, POINTER(c_int64), c_size_t)),
    ("mgc_args_parse", "core", False, c_int32, (POINTER(mgc_args), c_char_p)),
    ("mgc_args_encode", "core", False, c_int32, (POINTER(mgc_args), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_rows_next", "core", False, c_int32, (POINTER(mgc_rows), POINTER(POINTER(mgc_row)))),
    ("mgc_rows_count", "core", False, c_size_t, (POINTER(mgc_rows),)),
    ("mgc_rows_column", "core", False, c_char_p, (POINTER(mgc_rows), c_uint32)),
    ("mgc_rows_cursor", "core", False, c_char_p, (POINTER(mgc_rows),)),
    ("mgc_row_text", "core", False, c_char_p, (POINTER(mgc_row), c_char_p)),
    ("mgc_row_int", "core", False, c_int64, (POINTER(mgc_row), c_char_p)),
    ("mgc_rows_destroy", "core", False, None, (POINTER(mgc_rows),)),
    ("mgc_rows_begin", "core", False, c_int32, (POINTER(mgc_rows), c_char_p)),
    ("mgc_rows_put_int", "core", False, c_int32, (POINTER(mgc_rows), c_int64)),
    ("mgc_rows_put_text", "core", False, c_int32, (POINTER(mgc_rows), c_char_p, c_size_t)),
    ("mgc_rows_put_hex", "core", False, c_int32, (POINTER(mgc_rows), POINTER(c_uint8), c_size_t)),
    ("mgc_env_chain_id", "core", False, POINTER(c_uint8), (POINTER(mgc_env),)),
    ("mgc_env_height", "core", False, c_uint64, (POINTER(mgc_env),)),
    ("mgc_env_time_ms", "core", False, c_uint64, (POINTER(mgc_env),)),
    ("mgc_env_signed", "core", False, c_int32, (POINTER(mgc_env), c_uint32, c_uint32)),
    ("mgc_env_signer", "core", False, c_int32, (POINTER(mgc_env), c_uint32, POINTER(c_uint32), POINTER(c_uint32))),
    ("mgc_env_refuse", "core", True, c_int32, (POINTER(mgc_env), c_int32, c_char_p)),
    ("mgc_env_get", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), c_size_t, POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_env_put", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), c_size_t, POINTER(c_uint8), c_size_t)),
    ("mgc_env_remove", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), c_size_t)),
    ("mgc_env_next", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), c_size_t, POINTER(c_uint8), c_size_t, POINTER(POINTER(c_uint8)), POINTER(c_size_t), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_env_open_account", "core", False, c_int32, (POINTER(mgc_env), POINTER(mgc_account_info))),
    ("mgc_env_account", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), POINTER(mgc_account_info))),
    ("mgc_env_transfer", "core", False, c_int32, (POINTER(mgc_env), POINTER(mgc_transfer_info))),
    ("mgc_env_emit", "core", False, c_int32, (POINTER(mgc_env), c_char_p, POINTER(c_uint8), c_size_t)),
    ("mgc_env_other_chain", "core", False, c_int32, (POINTER(mgc_env), c_char_p, POINTER(c_uint8))),
    ("mgc_env_lock", "core", False, c_int32, (POINTER(mgc_env), POINTER(mgc_lock_info))),
    ("mgc_env_lock_get", "core", False, c_int32, (POINTER(mgc_env), c_char_p, POINTER(c_uint8), POINTER(mgc_lock_info))),
    ("mgc_env_credit", "core", False, c_int32, (POINTER(mgc_env), c_char_p, POINTER(c_uint8))),
    ("mgc_env_credit_proof", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), POINTER(c_uint8), POINTER(c_uint8), c_size_t)),
    ("mgc_env_settle_lock", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8))),
    ("mgc_env_settle_lock_proof", "core", False, c_int32, (POINTER(mgc_env), POINTER(c_uint8), POINTER(c_uint8), c_size_t)),
    ("mgc_query_text", "core", False, c_int32, (POINTER(mgc_query), c_char_p, POINTER(c_char), c_size_t)),
    ("mgc_query_uint", "core", False, c_int32, (POINTER(mgc_query), c_char_p, POINTER(c_uint64))),
    ("mgc_slot_at", "core", False, c_uint64, (c_uint64, c_uint64)),
    ("mgc_slot_begin_ms", "core", False, c_uint64, (c_uint64, c_uint64)),
    ("mgc_worth", "core", False, c_int32, (c_uint64, c_int64, POINTER(c_int64))),
    ("mgc_emission", "core", False, c_int32, (c_uint64, c_uint64, POINTER(c_uint64))),
    ("mgc_link_delivered", "core", False, c_uint64, (c_uint64, c_uint32)),
    ("mgc_contract_verify", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_ledger_opts), POINTER(mgc_contract), POINTER(c_void_p), c_size_t, POINTER(mgc_verify_info))),
    ("mgc_case_opts_init", "io", False, None, (POINTER(mgc_case_opts), c_size_t)),
    ("mgc_case_load_file", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, POINTER(mgc_case_opts), POINTER(POINTER(mgc_case)))),
    ("mgc_case_load_text", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_size_t, POINTER(mgc_case_opts), POINTER(POINTER(mgc_case)))),
    ("mgc_case_builtin", "io", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_case_opts), POINTER(POINTER(mgc_case)))),
    ("mgc_case_destroy", "io", False, None, (POINTER(mgc_case),)),
    ("mgc_builtin_file", "io", False, c_int32, (c_uint32, POINTER(c_char_p), POINTER(POINTER(c_uint8)), POINTER(c_size_t))),
    ("mgc_case_issues", "io", False, c_uint32, (POINTER(mgc_case),)),
    ("mgc_case_issue_get", "io", False, c_int32, (POINTER(mgc_case), c_uint32, POINTER(mgc_case_issue))),
    ("mgc_case_issue_text", "io", False, c_char_p, (POINTER(mgc_case), c_uint32)),
    ("mgc_case_get_info", "io", False, c_int32, (POINTER(mgc_case), POINTER(mgc_case_info))),
    ("mgc_case_series_moments", "io", False, c_int32, (POINTER(mgc_case), c_uint32, POINTER(mgc_case_moments))),
    ("mgc_case_model", "io", False, POINTER(mgc_model), (POINTER(mgc_case),)),
    ("mgc_case_realised", "io", False, POINTER(mgc_model), (POINTER(mgc_case),)),
    ("mgc_case_weights", "io", False, c_int32, (POINTER(mgc_case), POINTER(c_double), c_size_t)),
    ("mgc_case_scenario", "io", False, c_int32, (POINTER(mgc_case), c_uint32, POINTER(c_uint64), POINTER(c_uint32))),
    ("mgc_json_create", "io", False, c_int32, (POINTER(mgc_ctx), POINTER(POINTER(mgc_json)))),
    ("mgc_json_destroy", "io", False, None, (POINTER(mgc_json),)),
    ("mgc_json_object", "io", False, None, (POINTER(mgc_json), c_char_p)),
    ("mgc_json_array", "io", False, None, (POINTER(mgc_json), c_char_p)),
    ("mgc_json_end", "io", False, None, (POINTER(mgc_json),)),
    ("mgc_json_string", "io", False, None, (POINTER(mgc_json), c_char_p, c_char_p)),
    ("mgc_json_number", "io", False, None, (POINTER(mgc_json), c_char_p, c_double)),
    ("mgc_json_integer", "io", False, None, (POINTER(mgc_json), c_char_p, c_uint64)),
    ("mgc_json_flag", "io", False, None, (POINTER(mgc_json), c_char_p, c_int32)),
    ("mgc_json_null", "io", False, None, (POINTER(mgc_json), c_char_p)),
    ("mgc_json_numbers", "io", False, None, (POINTER(mgc_json), c_char_p, POINTER(c_double), c_size_t)),
    ("mgc_json_text", "io", False, c_int32, (POINTER(mgc_json), POINTER(POINTER(c_char)), POINTER(c_size_t))),
    ("mgc_result_init", "io", False, None, (POINTER(mgc_result), c_size_t)),
    ("mgc_result_write", "io", False, c_int32, (POINTER(mgc_json), POINTER(mgc_result))),
    ("mgc_table_create", "io", False, c_int32, (POINTER(mgc_ctx), c_size_t, POINTER(POINTER(mgc_table)))),
    ("mgc_table_destroy", "io", False, None, (POINTER(mgc_table),)),
    ("mgc_table_times", "io", False, c_int32, (POINTER(mgc_table), c_uint64, c_uint32)),
    ("mgc_table_numbers", "io", False, c_int32, (POINTER(mgc_table), c_char_p, POINTER(c_double))),
    ("mgc_table_strings", "io", False, c_int32, (POINTER(mgc_table), c_char_p, POINTER(c_char_p))),
    ("mgc_table_text", "io", False, c_int32, (POINTER(mgc_table), POINTER(POINTER(c_char)), POINTER(c_size_t))),
    ("mgc_file_write", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_void_p, c_size_t)),
    ("mgc_manifest_write", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, POINTER(c_char_p), c_size_t, POINTER(c_char_p), c_size_t)),
    ("mgc_settings_load_file", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_char_p, POINTER(POINTER(mgc_settings)))),
    ("mgc_settings_destroy", "io", False, None, (POINTER(mgc_settings),)),
    ("mgc_settings_has", "io", False, c_int32, (POINTER(mgc_settings), c_char_p)),
    ("mgc_settings_text", "io", False, c_char_p, (POINTER(mgc_settings), c_char_p, c_char_p)),
    ("mgc_settings_whole", "io", False, c_uint64, (POINTER(mgc_settings), c_char_p, c_uint64, c_uint64, c_uint64)),
    ("mgc_settings_count", "io", False, c_uint32, (POINTER(mgc_settings), c_char_p)),
    ("mgc_settings_keys", "io", False, None, (POINTER(mgc_settings), c_char_p, c_char_p)),
    ("mgc_settings_fault", "io", False, None, (POINTER(mgc_settings), c_char_p, c_char_p, c_char_p)),
    ("mgc_settings_faults", "io", False, c_uint32, (POINTER(mgc_settings),)),
    ("mgc_settings_fault_text", "io", False, c_char_p, (POINTER(mgc_settings), c_uint32)),
    ("mgc_twostage_create", "core", False, c_int32, (POINTER(mgc_ctx), c_uint32, POINTER(c_double), POINTER(POINTER(mgc_twostage)))),
    ("mgc_twostage_destroy", "core", False, None, (POINTER(mgc_twostage),)),
    ("mgc_twostage_add_column", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_double, c_double, c_double, POINTER(c_uint32))),
    ("mgc_twostage_add_row", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_double, c_double, POINTER(c_uint32), POINTER(c_double), c_size_t, POINTER(c_uint32))),
    ("mgc_twostage_set_cost", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_double)),
    ("mgc_twostage_set_bounds", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_double, c_double)),
    ("mgc_twostage_set_row_bounds", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_double, c_double)),
    ("mgc_twostage_set_integer", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_int32)),
    ("mgc_twostage_set_quadratic", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_uint32, c_double)),
    ("mgc_twostage_set_offset", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_column_name", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_char_p)),
    ("mgc_twostage_set_row_name", "core", False, c_int32, (POINTER(mgc_twostage), c_uint32, c_char_p)),
    ("mgc_twostage_scenarios", "core", False, c_uint32, (POINTER(mgc_twostage),)),
    ("mgc_twostage_columns", "core", False, c_uint32, (POINTER(mgc_twostage),)),
    ("mgc_twostage_rows", "core", False, c_uint32, (POINTER(mgc_twostage),)),
    ("mgc_twostage_set_norm1", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_norm_inf", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_cvar", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_worst_case", "core", False, c_int32, (POINTER(mgc_twostage), c_int32)),
    ("mgc_twostage_set_kl", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_chi2", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_wasserstein", "core", False, c_int32, (POINTER(mgc_twostage), c_double)),
    ("mgc_twostage_set_distances", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double))),
    ("mgc_twostage_set_vectors", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t, POINTER(c_double))),
    ("mgc_twostage_get_distances", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_set_oracle", "core", False, c_int32, (POINTER(mgc_twostage), mgc_oracle_fn, c_void_p)),
    ("mgc_scenario_distances", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_uint32, c_size_t, POINTER(c_double), POINTER(c_double))),
    ("mgc_twostage_worst", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), POINTER(c_double))),
    ("mgc_twostage_opts_init", "core", False, None, (POINTER(mgc_twostage_opts), c_size_t)),
    ("mgc_twostage_solve", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(mgc_twostage_opts), POINTER(mgc_twostage_info))),
    ("mgc_twostage_get_x", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_get_y", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_get_cost", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_get_probability", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_get_ray", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(c_double), c_size_t)),
    ("mgc_twostage_extensive", "core", False, c_int32, (POINTER(mgc_twostage), POINTER(POINTER(mgc_program)))),
    ("mgc_budget_create", "core", False, c_int32, (POINTER(mgc_ctx), c_uint32, POINTER(POINTER(mgc_budget)))),
    ("mgc_budget_destroy", "core", False, None, (POINTER(mgc_budget),)),
    ("mgc_budget_add_column", "core", False, c_int32, (POINTER(mgc_budget), c_uint32, c_double, c_double, c_double, c_char_p, POINTER(c_uint32))),
    ("mgc_budget_add_row", "core", False, c_int32, (POINTER(mgc_budget), c_uint32, c_double, c_double, POINTER(c_uint32), POINTER(c_double), c_size_t, c_char_p, POINTER(c_uint32))),
    ("mgc_budget_set_integer", "core", False, c_int32, (POINTER(mgc_budget), c_uint32, c_int32)),
    ("mgc_budget_set_shift", "core", False, c_int32, (POINTER(mgc_budget), c_uint32, c_uint32, c_double)),
    ("mgc_budget_set_range", "core", False, c_int32, (POINTER(mgc_budget), c_uint32, c_double, c_double)),
    ("mgc_budget_add_limit", "core", False, c_int32, (POINTER(mgc_budget), c_double, c_double, POINTER(c_uint32), POINTER(c_double), c_size_t)),
    ("mgc_budget_opts_init", "core", False, None, (POINTER(mgc_budget_opts), c_size_t)),
    ("mgc_budget_solve", "core", False, c_int32, (POINTER(mgc_budget), POINTER(mgc_budget_opts), POINTER(mgc_budget_info))),
    ("mgc_budget_get_x", "core", False, c_int32, (POINTER(mgc_budget), POINTER(c_double), c_size_t)),
    ("mgc_budget_get_worst", "core", False, c_int32, (POINTER(mgc_budget), POINTER(c_double), c_size_t)),
    ("mgc_budget_explain", "core", False, c_char_p, (POINTER(mgc_budget),)),
    ("mgc_budget_worst", "core", False, c_int32, (POINTER(mgc_budget), POINTER(mgc_budget_opts), POINTER(c_double), c_size_t, POINTER(c_double), POINTER(c_double))),
    ("mgc_twostage_read_smps", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_size_t, c_char_p, c_char_p, c_size_t, c_char_p, c_char_p, c_size_t, c_char_p, POINTER(POINTER(mgc_twostage)))),
    ("mgc_radius_norm1", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_uint32, c_uint32, c_double, POINTER(c_double))),
    ("mgc_radius_norm_inf", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_uint32, c_uint32, c_double, POINTER(c_double))),
    ("mgc_radius_wasserstein", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, c_uint32, c_double, c_uint32, c_double, POINTER(c_double))),
    ("mgc_radius_bootstrap", "core", False, c_int32, (POINTER(mgc_ctx), c_char_p, POINTER(c_double), c_uint32, POINTER(c_double), c_uint32, c_double, c_uint32, c_uint64, POINTER(c_double))),
    ("mgc_scenarios_reduce", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, c_size_t, POINTER(c_double), c_char_p, c_uint32, c_uint64, POINTER(c_uint32), POINTER(c_double), POINTER(c_uint32))),
    ("mgc_scenarios_moments", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, c_size_t, c_size_t, POINTER(c_double), POINTER(c_double), POINTER(c_double), POINTER(c_double), POINTER(c_double))),
    ("mgc_scenarios_distance", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, c_size_t, POINTER(c_double), POINTER(c_uint32), c_uint32, POINTER(c_double))),
    ("mgc_radius_coverage", "core", False, c_int32, (POINTER(mgc_ctx), c_uint32, c_double, POINTER(c_double), c_uint32, c_uint32, c_uint32, c_uint64, POINTER(c_double))),
    ("mgc_verifier_init", "core", False, c_int32, (POINTER(mgc_verifier), c_size_t, POINTER(c_uint8))),
    ("mgc_verify_transaction", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_receipt", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_ancestor", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_record", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_absence", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_account", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified_account))),
    ("mgc_verify_follow", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_verify_equivocation", "core", False, c_int32, (POINTER(mgc_verifier), POINTER(c_uint8), c_size_t, POINTER(mgc_verified))),
    ("mgc_split", "core", False, c_int32, (POINTER(mgc_ctx), c_uint64, POINTER(c_double), c_size_t, POINTER(c_uint64))),
    ("mgc_energy_wh", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_double, c_size_t, POINTER(c_uint64))),
    ("mgc_money_micro", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(c_double), c_size_t, POINTER(c_int64))),
    ("mgc_day_opts_init", "core", False, None, (POINTER(mgc_day_opts), c_size_t)),
    ("mgc_day_create", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_model), POINTER(mgc_day_opts), POINTER(POINTER(mgc_day)))),
    ("mgc_day_destroy", "core", False, None, (POINTER(mgc_day),)),
    ("mgc_day_set_alliance", "core", False, c_int32, (POINTER(mgc_day), POINTER(mgc_alliance))),
    ("mgc_day_set_realised", "core", False, c_int32, (POINTER(mgc_day), POINTER(mgc_plan))),
    ("mgc_day_set_grid", "core", False, c_int32, (POINTER(mgc_day), c_uint32, c_uint32, POINTER(c_double), POINTER(c_double))),
    ("mgc_day_set_trade", "core", False, c_int32, (POINTER(mgc_day), c_uint32, c_uint32, POINTER(c_double), POINTER(c_double))),
    ("mgc_day_set_payment", "core", False, c_int32, (POINTER(mgc_day), c_uint32, c_uint32, c_double)),
    ("mgc_day_set_metered", "core", False, c_int32, (POINTER(mgc_day), c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_day_set_delivered", "core", False, c_int32, (POINTER(mgc_day), c_uint32, c_uint32, POINTER(c_double))),
    ("mgc_day_next", "core", False, c_int32, (POINTER(mgc_day), c_uint32, POINTER(mgc_day_tx))),
    ("mgc_day_expect", "core", False, c_int32, (POINTER(mgc_day), c_uint32, POINTER(mgc_day_expectation))),
    ("mgc_node_opts_init", "core", False, None, (POINTER(mgc_node_opts), c_size_t)),
    ("mgc_node_create", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_node_opts), POINTER(POINTER(mgc_node)))),
    ("mgc_node_destroy", "core", False, None, (POINTER(mgc_node),)),
    ("mgc_node_set_storage", "core", False, c_int32, (POINTER(mgc_node), POINTER(mgc_storage_ops), c_void_p)),
    ("mgc_node_set_transport", "core", False, c_int32, (POINTER(mgc_node), POINTER(mgc_transport_ops), c_void_p)),
    ("mgc_node_add_contract", "core", False, c_int32, (POINTER(mgc_node), POINTER(mgc_contract), c_void_p)),
    ("mgc_node_start", "core", False, c_int32, (POINTER(mgc_node),)),
    ("mgc_node_step", "core", False, c_int32, (POINTER(mgc_node), c_uint64, POINTER(c_uint64))),
    ("mgc_node_flush", "core", False, c_int32, (POINTER(mgc_node), c_uint64)),
    ("mgc_node_receive", "core", False, c_int32, (POINTER(mgc_node), c_uint32, POINTER(c_uint8), c_size_t)),
    ("mgc_node_submit", "core", False, c_int32, (POINTER(mgc_node), POINTER(c_uint8), c_size_t, POINTER(c_uint64))),
    ("mgc_ticket_state", "core", False, c_int32, (POINTER(mgc_node), c_uint64, POINTER(mgc_ticket_info))),
    ("mgc_node_call_opts_init", "core", False, None, (POINTER(mgc_node_call_opts), c_size_t)),
    ("mgc_node_call", "core", False, c_int32, (POINTER(mgc_node), POINTER(mgc_node_call_opts), POINTER(c_uint64), POINTER(mgc_ticket_info))),
    ("mgc_node_query", "core", False, c_int32, (POINTER(mgc_node), c_uint32, c_char_p, c_char_p, POINTER(POINTER(mgc_rows)))),
    ("mgc_node_verify_audits", "core", False, c_int32, (POINTER(mgc_ctx), POINTER(mgc_storage_ops), c_void_p, POINTER(c_uint64))),
    ("mgc_node_get_info", "core", False, c_int32, (POINTER(mgc_node), POINTER(mgc_node_info))),
    ("mgc_node_get_member", "core", False, c_int32, (POINTER(mgc_node), c_uint32, POINTER(mgc_node_member_info))),
    ("mgc_node_change_member", "core", False, c_int32, (POINTER(mgc_node), c_uint32, POINTER(mgc_member))),
    ("mgc_node_hand_over", "core", False, c_int32, (POINTER(mgc_node), c_uint32)),
    ("mgc_node_next_nonce", "core", False, c_int32, (POINTER(mgc_node), POINTER(c_uint8), c_uint32, POINTER(c_uint64))),
    ("mgc_node_chain", "core", False, POINTER(mgc_chain), (POINTER(mgc_node), c_uint32)),
    ("mgc_report_write", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, POINTER(mgc_report))),
    ("mgc_evaluation_write", "io", False, c_int32, (POINTER(mgc_ctx), c_char_p, POINTER(mgc_evaluation))),
]
# --- end of what tools/gen_binding.py writes ---


def callback(struct: Any, field: str) -> Any:
    """Type of the callback that a struct's field takes."""
    return dict(struct._fields_)[field]


class LibraryNotFound(ImportError):
    """The shared library is nowhere, or is not the one that this package was made for."""


CORE, IO = "mgchain", "mgchain-io"
SONAME = {"linux": "lib{}.so.0", "darwin": "lib{}.0.dylib", "win32": "{}-0.dll"}
_HERE = pathlib.Path(__file__).resolve().parent


def _file(name: str) -> str:
    return SONAME.get(sys.platform, SONAME["linux"]).format(name)


def _folders() -> Iterator[pathlib.Path]:
    """Where the library may lie, best first; the system's own places come after."""
    given = os.environ.get("MGCHAIN_LIBRARY")
    if given:
        path = pathlib.Path(given)
        yield path.parent if path.is_file() else path
        return
    yield _HERE
    yield _HERE / "lib"
    tree = _HERE.parent.parent.parent
    if (tree / "include" / "mgchain" / "base.h").is_file():  # used from the source tree
        for build in ("build", "build-tests/gcc", "builddir"):
            yield tree / build / "lib"


def _load(name: str) -> ctypes.CDLL:
    """One of the two libraries.  Beside a found folder, its subfolder io, as a build tree has it."""
    given = os.environ.get("MGCHAIN_LIBRARY")
    if given and name == CORE and pathlib.Path(given).is_file():
        tried = [pathlib.Path(given)]
    else:
        tried = [place / _file(name) for folder in _folders() for place in (folder, folder / "io")]
    for path in tried:
        if path.is_file():
            return ctypes.CDLL(str(path))
    if not given:
        try:
            return ctypes.CDLL(_file(name))
        except OSError:
            found = ctypes.util.find_library(name)
            if found:
                return ctypes.CDLL(found)
    places = "".join(f"\n    {path}" for path in tried)
    raise LibraryNotFound(
        f"the shared library {_file(name)} was not found; looked at{places}"
        + ("" if given else "\n    and the system's own folders")
        + "\nSet MGCHAIN_LIBRARY to the library or its folder, install it (apt install libmgchain0, or: meson install -C build), "
          "or build it: meson setup build && ninja -C build")


class Library:
    """Both shared libraries with every prototype set; a name is looked up once.

    The companion for files (libmgchain-io) is optional: its functions say so when they are called without it.
    """

    def __init__(self) -> None:
        self._core = _load(CORE)
        self._io: Optional[ctypes.CDLL] = None
        self._why: str = ""
        try:
            self._io = _load(IO)
        except (LibraryNotFound, OSError) as error:
            self._why = str(error)
        self.missing: List[str] = []
        for name, library, more, result, arguments in PROTOTYPES:
            setattr(self, name, self._bind(name, library, result, arguments))
        self._check_version()

    def __getattr__(self, name: str) -> Any:
        """For readers of types: every function of PROTOTYPES is an attribute.  Asked only for what is none."""
        raise AttributeError(f"the library has no function {name!r}")

    def _bind(self, name: str, library: str, result: Any, arguments: Any) -> Any:
        owner = self._core if library == "core" else self._io
        try:
            if owner is None:
                raise AttributeError
            function = getattr(owner, name)
        except AttributeError:
            self.missing.append(name)
            why = self._why if owner is None else f"{name} is not in the library that was loaded, which is older than this package"

            def absent(*_arguments: Any) -> Any:
                raise LibraryNotFound(why)

            return absent
        function.restype = result
        function.argtypes = arguments
        return function

    def _check_version(self) -> None:
        number = self.mgc_version()
        if number // 10000 != VERSION[0] or (VERSION[0] == 0 and number // 100 % 100 < VERSION[1]):
            raise LibraryNotFound(f"the library is version {self.mgc_version_string().decode()}, this package needs "
                                  f"{VERSION[0]}.{VERSION[1]} or a later one of the same series")


VERSION = (0, 1)
_library: Optional[Library] = None


def library() -> Library:
    """The library, loaded when first needed."""
    global _library
    if _library is None:
        _library = Library()
    return _library
