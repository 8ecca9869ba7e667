/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file base.h
 * What every other header of libmgchain builds upon: status codes, the context
 * with its error text, the host's hooks, and the rules below.
 *
 * Rules that hold for every function of the library
 *
 *  1. Order of arguments: handle, options, inputs (each array followed by its
 *     length, unless the handle fixes the shape), in/out, outputs, callback, its
 *     user pointer.
 *  2. Ownership is one of five words.  copied: the library keeps its own.
 *     filled: written into the caller's memory.  borrowed until ...: one side keeps
 *     the other's pointer up to a named event.  taken: the caller's no longer.
 *     the caller's: nothing happens to it.
 *  3. An outcome is not an error.  Infeasible, limit reached, cancelled: MGC_OK
 *     and a word in the info struct.  A negative status means that the call did
 *     not do its work; outputs are then as its comment says.
 *  4. Option structs begin with struct_size and are initialised by their own
 *     function.  NULL options mean all defaults.
 *  5. A handle is used by one thread at a time; handles of different contexts are
 *     independent.  Functions that differ say so under "Threads".
 *  6. The library opens no socket, reads no clock, starts no thread unless asked
 *     by an option, prints nothing, catches no signal and keeps no global state.
 *
 * This header compiles alone, as C11 and as C++17.
 */
#ifndef MGCHAIN_BASE_H
#define MGCHAIN_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
/** Marks what the library exports. */
#define MGC_API __attribute__((visibility("default")))
/** The result must be looked at. */
#define MGC_NODISCARD __attribute__((warn_unused_result))
/** The compiler checks a format string against its arguments. */
#define MGC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MGC_API
#define MGC_NODISCARD
#define MGC_PRINTF(fmt, args)
#endif

/** Result of a call: MGC_OK or one of the negative codes below. */
typedef int32_t mgc_status;

/**
 * Every status once: name, number, meaning.  Blocks a room:
 *   base -1..  la -100..  solver -200..  robust -300..  dispatch -400..  bargain -500..
 *   codec -600..  crypto -700..  ledger -800..  contract -900..  consensus -1000..
 *   settle -1100..  node -1200..  io -1300..
 * Numbers are never reused.
 */
#define MGC_STATUS_LIST(X)                                                                        \
    X(MGC_OK, 0, "done")                                                                          \
    X(MGC_E_INVALID_ARG, -1, "an argument is not allowed")                                        \
    X(MGC_E_NO_MEMORY, -2, "the allocator returned NULL")                                         \
    X(MGC_E_STATE, -3, "the call is not allowed in the object's present state")                   \
    X(MGC_E_ABI_SIZE, -4, "struct_size is not one that this library knows")                       \
    X(MGC_E_ABI_FUTURE, -5, "a field that this library does not know is set")                     \
    X(MGC_E_CALLBACK, -6, "a callback answered with none of the allowed words")                   \
    X(MGC_E_STOPPED, -7, "a callback asked to stop")                                              \
    X(MGC_E_LIMIT, -8, "a limit of the library is exceeded")                                      \
    X(MGC_E_RANGE, -9, "a number is outside its allowed range")                                   \
    X(MGC_E_NOT_FOUND, -10, "there is no such thing, or none that the caller may see")            \
    X(MGC_E_EXISTS, -11, "a thing of that name exists already")                                   \
    X(MGC_E_IO, -12, "the storage or file could not be read or written")                          \
    X(MGC_E_SYNTAX, -13, "a text does not follow its grammar")                                    \
    X(MGC_E_OVERFLOW, -14, "an amount or size would overflow")                                    \
    X(MGC_E_UNSUPPORTED, -15, "the request is understood but not supported")                      \
    X(MGC_E_INTERNAL, -16, "an invariant of the library was found broken: a bug")                 \
    X(MGC_E_NUMERIC, -100, "a factorisation or an iteration broke down")                          \
    X(MGC_E_NOT_CONVEX, -200, "the quadratic objective is not convex")                            \
    X(MGC_E_PROBABILITY, -300, "probabilities are negative or do not sum to one")                 \
    X(MGC_E_UNKNOWN_KEY, -400, "no parameter, device or series of that name")                     \
    X(MGC_E_WRONG_LENGTH, -401, "a series has the wrong length")                                  \
    X(MGC_E_FREE_MONEY, -402, "a price order allows unlimited profit")                            \
    X(MGC_E_MESSAGE, -500, "a peer's message is malformed, foreign or out of order")              \
    X(MGC_E_NONCANONICAL, -600, "the bytes are not the canonical encoding")                       \
    X(MGC_E_TRUNCATED, -601, "the bytes end too early")                                           \
    X(MGC_E_DEPTH, -602, "the nesting is too deep")                                               \
    X(MGC_E_UTF8, -603, "a text is not valid UTF-8")                                              \
    X(MGC_E_SCHEMA, -604, "a key is unknown, missing or of the wrong type")                       \
    X(MGC_E_VERSION, -605, "the version of a format is newer than this library")                  \
    X(MGC_E_TOO_LARGE, -606, "the item is larger than its limit")                                 \
    X(MGC_E_BAD_SIGNATURE, -700, "a signature does not verify")                                   \
    X(MGC_E_BAD_KEY, -701, "a key has a wrong length or is a weak point")                         \
    X(MGC_E_BAD_PROOF, -702, "a proof does not verify")                                           \
    X(MGC_E_CRYPTO, -703, "the cryptographic library failed")                                     \
    X(MGC_E_CORRUPT, -800, "stored bytes are damaged")                                            \
    X(MGC_E_LOCKED, -801, "another process holds the store")                                      \
    X(MGC_E_FAILED, -802, "an earlier storage failure made the handle unusable; reopen")          \
    X(MGC_E_BAD_PARENT, -803, "a block does not name its predecessor's hash")                     \
    X(MGC_E_HEIGHT, -804, "a block's height is not the next one")                                 \
    X(MGC_E_TIME, -805, "a block's time is not after its parent's, or too far ahead")             \
    X(MGC_E_BAD_TX_ROOT, -806, "the transactions do not hash to the header's root")               \
    X(MGC_E_STATE_MISMATCH, -807, "the state or the receipts differ from the header")             \
    X(MGC_E_BAD_CERT, -808, "a finality certificate does not verify")                             \
    X(MGC_E_EQUIVOCATION, -809, "two certified blocks at one height")                             \
    X(MGC_E_WRONG_CHAIN, -810, "the item belongs to another chain")                               \
    X(MGC_E_DUPLICATE_TXID, -811, "the transaction is committed already")                         \
    X(MGC_E_NONCE_USED, -812, "the nonce is used by another transaction")                         \
    X(MGC_E_NONCE_GAP, -813, "the nonce is not the next one")                                     \
    X(MGC_E_EXPIRED, -814, "the last valid height has passed")                                    \
    X(MGC_E_MISSING_SIGNER, -815, "a required signature is missing")                              \
    X(MGC_E_FORBIDDEN, -816, "the signer or caller lacks the role")                               \
    X(MGC_E_KEY_REVOKED, -817, "the signing key is revoked")                                      \
    X(MGC_E_KEY_NOT_YET, -818, "the signing key is not valid yet")                                \
    X(MGC_E_ACCOUNT, -819, "no such account")                                                     \
    X(MGC_E_ACCOUNT_CLOSED, -820, "the account is closed")                                        \
    X(MGC_E_LEDGER_MISMATCH, -821, "the two accounts have different units")                       \
    X(MGC_E_EXCEEDS_CREDIT, -822, "the account may not go that far")                              \
    X(MGC_E_EXISTS_DIFFERENT, -823, "the id exists with other content")                           \
    X(MGC_E_PENDING_NOT_FOUND, -824, "no such pending transfer")                                  \
    X(MGC_E_PENDING_POSTED, -825, "the pending transfer is posted already")                       \
    X(MGC_E_PENDING_VOIDED, -826, "the pending transfer is voided already")                       \
    X(MGC_E_PENDING_EXPIRED, -827, "the pending transfer has expired")                            \
    X(MGC_E_EXCEEDS_PENDING, -828, "more than the pending amount")                                \
    X(MGC_E_LINKED_FAILED, -829, "another transfer of the linked group failed")                   \
    X(MGC_E_LINKED_OPEN, -830, "the linked group has no end")                                     \
    X(MGC_E_NOT_FINAL, -831, "a block that this rests upon is not final")                         \
    X(MGC_E_ALREADY_CREDITED, -832, "the lock of another chain was credited already")             \
    X(MGC_E_CURSOR, -833, "a cursor is malformed or belongs to another question")                 \
    X(MGC_E_ROLLBACK, -834, "the store ends before, or differs from, what others have seen")      \
    X(MGC_E_SELF_TRADE, -900, "buyer and seller are the same")                                    \
    X(MGC_E_GATE_CLOSED, -901, "the slot's gate is closed")                                       \
    X(MGC_E_SLOT, -902, "the slot is not on the grid or lies in the past")                        \
    X(MGC_E_OVERSOLD, -903, "more than the declared capacity")                                    \
    X(MGC_E_CREDIT_SCORE, -904, "the trading credit is below the threshold")                      \
    X(MGC_E_DOUBLE_REPORT, -905, "a second reading with other content")                           \
    X(MGC_E_REGISTER_DECREASED, -906, "the meter register runs backwards")                        \
    X(MGC_E_EARLY, -907, "a reading before the slot's end")                                       \
    X(MGC_E_COMMITMENT, -908, "the opening does not match the commitment")                        \
    X(MGC_E_ALREADY_SETTLED, -909, "the slot is settled already")                                 \
    X(MGC_E_WINDOW, -910, "the window for this act has passed")                                   \
    X(MGC_E_CONTRACT, -911, "the contract broke its bounds and was rolled back")                  \
    X(MGC_E_RATE, -912, "too many acts of this kind")                                             \
    X(MGC_E_DOUBLE_CREDIT, -913, "a certificate was issued for this already")                     \
    X(MGC_E_ALREADY_CANCELLED, -914, "the certificate is cancelled already")                      \
    X(MGC_E_CASE, -1300, "the case file has errors")

enum {
#define MGC_STATUS_ENUM(name, number, meaning) name = number, /**< makes a constant of an entry of MGC_STATUS_LIST() */
    MGC_STATUS_LIST(MGC_STATUS_ENUM)
#undef MGC_STATUS_ENUM
};

/**
 * How a computation ended.  Told in info structs; the call itself returned MGC_OK.
 * OPTIMAL is said only after residuals and gap were recomputed from the caller's data.
 */
enum {
    MGC_OUTCOME_NONE = 0,       /**< nothing was computed yet */
    MGC_OUTCOME_OPTIMAL = 1,    /**< within the tolerances asked for */
    MGC_OUTCOME_INFEASIBLE = 2, /**< no point satisfies the constraints; a certificate says so */
    MGC_OUTCOME_UNBOUNDED = 3,  /**< the objective has no lower bound; a certificate says so */
    MGC_OUTCOME_LIMIT = 4,      /**< iteration, node or time limit; the best result so far */
    MGC_OUTCOME_CANCELLED = 5,  /**< cancelled; the best result so far */
    MGC_OUTCOME_NUMERICAL = 6   /**< numerical difficulties; the best result so far, never "optimal" */
};

/** Carriers of energy.  Gas is metered for its emission only: it is not traded here. */
enum { MGC_CARRIER_ELECTRICITY = 1, MGC_CARRIER_HEAT = 2, MGC_CARRIER_GAS = 3 };

/** What a callback says.  0 is not a word: a Python exception arrives as 0. */
enum {
    MGC_CB_DONE = 1, /**< it worked; go on */
    MGC_CB_STOP = 2  /**< it worked; please stop with the best result so far */
};

/** Name of a status ("MGC_E_NO_MEMORY"); "MGC_E_?" for an unknown number.  Static text. Since 0.1 */
MGC_API const char *mgc_status_name(mgc_status status);

/** Meaning of a status in one line.  Static text.  Since 0.1 */
MGC_API const char *mgc_status_text(mgc_status status);

/** Name of an outcome as in result files: "optimal", "infeasible", "unbounded", "limit", "cancelled",
 *  "numerical" or "none".  Static text.  Since 0.1 */
MGC_API const char *mgc_outcome_name(uint32_t outcome);

/** Version of the library that runs: major * 10000 + minor * 100 + patch.  Since 0.1 */
MGC_API uint32_t mgc_version(void);
/** The same as text, "0.1.0".  Static text.  Since 0.1 */
MGC_API const char *mgc_version_string(void);

/** Memory of the host.  All three are called on the thread that called the library, or on worker
 *  threads where a `threads` option above 1 was given.  They may not call the library. */
typedef struct mgc_allocator {
    void *(*alloc)(void *user, size_t size);              /**< like malloc; size > 0 */
    void *(*resize)(void *user, void *block, size_t size); /**< like realloc; block may be NULL, size > 0 */
    void (*release)(void *user, void *block);             /**< like free; block not NULL */
    void *user; /**< first argument of all three */
} mgc_allocator;

/** Levels of the log hook. */
enum { MGC_LOG_ERROR = 1, MGC_LOG_WARN = 2, MGC_LOG_INFO = 3, MGC_LOG_DEBUG = 4 };

typedef struct mgc_ctx mgc_ctx; /* owned by the caller */

/** Options of mgc_ctx_create(). */
typedef struct mgc_ctx_opts {
    size_t struct_size;
    const mgc_allocator *allocator; /**< copied; NULL: malloc, realloc, free */
    /** Log hook; NULL: silent.  text is borrowed until the hook returns. */
    void (*log)(void *user, uint32_t level, const char *text);
    /** Monotonic milliseconds, for time limits and timings in info structs; NULL: time limits are refused and
     *  timings are 0.  It never influences a result other than by a time limit. */
    uint64_t (*now_ms)(void *user);
    void *user;         /**< first argument of log and now_ms */
    uint32_t log_level; /**< highest level passed on; MGC_LOG_INFO */
    uint32_t reserved0; /**< 0 */
} mgc_ctx_opts;

/** Fill with the defaults of the library that runs.  size: sizeof(mgc_ctx_opts).  Since 0.1 */
MGC_API void mgc_ctx_opts_init(mgc_ctx_opts *opts, size_t size);

/**
 * Create a context: the home of an error text, the hooks and the cancel flag.
 *
 * @param opts copied; NULL for defaults
 * @param out  NULL on failure; destroy with mgc_ctx_destroy() after every object created from it
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ctx_create(const mgc_ctx_opts *opts, mgc_ctx **out);

/** Destroy a context; NULL is fine.  Since 0.1 */
MGC_API void mgc_ctx_destroy(mgc_ctx *ctx);

/** Text of the last failure: "room: what is wrong with which thing; what was found; what is allowed".
 *  Borrowed until the next failing call on the context; "" if there was none.  Since 0.1 */
MGC_API const char *mgc_ctx_error(const mgc_ctx *ctx);

/** Ask everything that runs on the context to stop with its best result (outcome CANCELLED).
 *  Threads: any, also from a signal handler.  Since 0.1 */
MGC_API void mgc_ctx_cancel(mgc_ctx *ctx);

/** Take the request back, so that the context can be used again.  Since 0.1 */
MGC_API void mgc_ctx_cancel_reset(mgc_ctx *ctx);

/** 1 while a cancel request stands, else 0.  Threads: any.  Since 0.1 */
MGC_API int32_t mgc_ctx_cancelled(const mgc_ctx *ctx);

/* --- for companion libraries and bindings -----------------------------------------------------------------------------
 * What libmgchain-io and the like need to follow the same rules: one memory, one error text, one way to read a number. */

/** Memory from the context's allocator: like realloc (block may be NULL; contents kept, new bytes not zeroed), NULL where
 *  there is none and the old block stands.  size 0 gives one byte.  Since 0.1 */
MGC_API void *mgc_ctx_resize(mgc_ctx *ctx, void *block, size_t size);
/** Release such a block; NULL is fine.  Since 0.1 */
MGC_API void mgc_ctx_release(mgc_ctx *ctx, void *block);
/** Set the error text of the context (copied, cut where too long) and return status.  Since 0.1 */
MGC_API mgc_status mgc_ctx_fail(mgc_ctx *ctx, mgc_status status, const char *text);

/** Lay a caller's option struct over the library's defaults in dst (see rule 4): a shorter struct, not below first_size,
 *  keeps defaults in the rest; a longer one must have zeros there.
 *  @param src the caller's struct, or NULL: all defaults
 *  @return MGC_OK, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_struct_read(void *dst, size_t dst_size, size_t first_size, const void *src);
/** Fill a caller's info struct no further than its struct_size, which is kept; dst NULL is fine.
 *  @return MGC_OK, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_struct_write(void *dst, const void *src, size_t src_size, size_t first_size);

/** Parse the decimal number at text, correctly rounded, the same in every locale; *end is set past it, or to text where
 *  there is none.  "inf", "nan" and hexadecimal are not numbers.  Threads: any.  Since 0.1 */
MGC_API double mgc_number_parse(const char *text, const char **end);
enum { MGC_NUMBER_TEXT = 32 };
/** Shortest decimal text that reads back as the same double; text has MGC_NUMBER_TEXT bytes; returns its length.
 *  Threads: any.  Since 0.1 */
MGC_API size_t mgc_number_format(double x, char *text);
/** Of n words the one closest to word by edit distance, where it is close enough to be a likely slip, else NULL.
 *  Threads: any.  Since 0.1 */
MGC_API const char *mgc_word_nearest(const char *word, const char *const *words, size_t n);

#ifdef __cplusplus
}
#endif
#endif
