/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file io.h
 * Case files in, result files out.  Library mgchain-io, beside the core: it reads and writes files, so that the
 * core need not.
 *
 * Formats: doc/case-files.md, doc/results.md.  Case files are YAML or JSON; every fault in one is told at once, each
 * with file, line, column, path of the key, what is wrong, what was found and what is allowed.
 */
#ifndef MGCHAIN_IO_H
#define MGCHAIN_IO_H

#include "mgchain/bargain.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_case mgc_case;   /* owned by the caller; its context must outlive it */
typedef struct mgc_json mgc_json;   /* likewise */
typedef struct mgc_table mgc_table; /* likewise */
typedef struct mgc_settings mgc_settings; /* likewise */

/* --- limits, and why -------------------------------------------------------------------------------------------- */

enum {
    MGC_CASE_BYTES_MAX = 256 << 20, /**< a case file: 1000 members with ten scenarios each take 40 MiB */
    MGC_CASE_NODES_MAX = 8 << 20,   /**< values in a case file; bounds memory to 1 GiB whatever the bytes say */
    MGC_CASE_DEPTH_MAX = 16,        /**< nesting; the format needs 9 */
    MGC_CASE_ISSUES_MAX = 100,      /**< issues kept; nobody reads more */
    MGC_CSV_BYTES_MAX = 256 << 20,  /**< a series file after decompression; stops a compressed bomb */
    MGC_CSV_COLUMNS_MAX = 16384,    /**< columns of a series file */
    MGC_CSV_FIELDS_MAX = 64 << 20   /**< rows times columns; bounds the index of a series file */
};

/* --- loading a case --------------------------------------------------------------------------------------------- */

/**
 * The host's way to open a file that a case names, for a case that does not come from the file system.
 *
 * @param name  as the case has it, after base_dir and "/" where that is given and the name is relative
 * @param bytes filled: the whole file, borrowed until close
 * @return MGC_CB_DONE; MGC_E_NOT_FOUND, MGC_E_IO or another negative status: told as an issue of the key that names
 * the file
 */
typedef int32_t (*mgc_open_fn)(void *user, const char *name, const uint8_t **bytes, size_t *len);
/** Told once for each file opened, when its bytes are no longer needed. */
typedef void (*mgc_close_fn)(void *user, const uint8_t *bytes, size_t len);

/** Options of the functions that load a case. */
typedef struct mgc_case_opts {
    size_t struct_size;
    const char *filename; /**< copied; name in messages; NULL: the path, or "case" for a text */
    const char *base_dir; /**< copied; folder of the files that the case names; NULL: the folder of filename */
    mgc_open_fn open;     /**< NULL: the file system */
    mgc_close_fn close;   /**< may be NULL */
    void *user; /**< first argument of open and close */
    int32_t day_shift; /**< days to add to start and to uncertainty.day: the next day of a rolling run; 0 */
    uint32_t no_check; /**< 1: leave out mgc_model_check(), for a host that changes the model first; 0 */
} mgc_case_opts;

/** Fill with the defaults of the library that runs.  Since 0.1 */
MGC_API void mgc_case_opts_init(mgc_case_opts *opts, size_t size);

/**
 * Load a case from a file, from a text in memory, or the one that the library carries (three microgrids, ten
 * scenarios out of their history; needs no file at all).
 *
 * @param path of a YAML or JSON file
 * @param text UTF-8, not necessarily terminated; the caller's
 * @param opts NULL: all defaults
 * @param out  the case.  On MGC_E_CASE as well: then it holds only the issues, mgc_case_model() gives NULL, and
 *             mgc_ctx_error() is the first issue.  NULL on every other failure
 * @return MGC_OK; MGC_E_CASE; MGC_E_IO or MGC_E_NOT_FOUND (the case file itself could not be read); MGC_E_TOO_LARGE
 *         (beyond MGC_CASE_BYTES_MAX); MGC_E_INVALID_ARG; MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE; MGC_E_NO_MEMORY
 * Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_case_load_file(mgc_ctx *ctx, const char *path, const mgc_case_opts *opts,
                                                    mgc_case **out);
MGC_API MGC_NODISCARD mgc_status mgc_case_load_text(mgc_ctx *ctx, const char *text, size_t len,
                                                    const mgc_case_opts *opts, mgc_case **out);
MGC_API MGC_NODISCARD mgc_status mgc_case_builtin(mgc_ctx *ctx, const mgc_case_opts *opts, mgc_case **out);
/** @} */

/** Destroy a case with its models; NULL is fine.  Since 0.1 */
MGC_API void mgc_case_destroy(mgc_case *kase);

/**
 * The index-th file that the library carries, the case first, to look at or to start from.
 * @param name,bytes borrowed for ever
 * @return MGC_OK; MGC_E_NOT_FOUND past the last one.  Threads: any.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_builtin_file(uint32_t index, const char **name, const uint8_t **bytes,
                                                  size_t *len);

/* --- what is wrong with it -------------------------------------------------------------------------------------- */

enum { MGC_ISSUE_ERROR = 1, MGC_ISSUE_WARNING = 2 };

/** One thing that is wrong with a case, or worth a look. */
typedef struct mgc_case_issue {
    size_t struct_size;
    const char *file;    /**< the case or a series file; all texts are borrowed until the case is destroyed */
    const char *path;    /**< of the key: "microgrids.hospital.devices.chp.min_power_kw"; "" for the whole file */
    const char *message; /**< what is wrong; what was found */
    const char *hint;    /**< what is allowed, the nearest known word, or the cure; "" where there is none */
    uint32_t severity;   /**< MGC_ISSUE_... */
    uint32_t line;       /**< from 1; 0: the whole file */
    uint32_t column;     /**< in characters, from 1; 0: the whole line */
    uint32_t reserved0;
} mgc_case_issue;

/** Number of issues, errors and warnings, in the order of the file; at most MGC_CASE_ISSUES_MAX and one that counts
 * the rest. A loaded case may hold warnings.  Since 0.1 */
MGC_API uint32_t mgc_case_issues(const mgc_case *kase);
/** @return MGC_OK, MGC_E_NOT_FOUND past the last one, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_case_issue_get(const mgc_case *kase, uint32_t index, mgc_case_issue *issue);
/** The issue as one line: "file:line:column: path: message; hint".  Borrowed until the case is destroyed; NULL past
 * the last one.  Since 0.1 */
MGC_API const char *mgc_case_issue_text(const mgc_case *kase, uint32_t index);

/* --- what it holds ---------------------------------------------------------------------------------------------- */

/** What a case says of itself. */
typedef struct mgc_case_info {
    size_t struct_size;
    const char *name;     /**< all texts are borrowed until the case is destroyed */
    const char *currency; /**< "EUR" */
    const char *start;    /**< first period's begin, "2019-07-16T00:00:00Z", day_shift included */
    uint64_t start_ms;    /**< the same in milliseconds since 1970 */
    uint32_t period_minutes; /**< length of a period */
    uint32_t periods; /**< of the horizon */
    uint32_t microgrids; /**< members */
    uint32_t links; /**< between them */
    uint32_t weights;         /**< MGC_WEIGHTS_... of bargain.h */
    uint32_t scenarios;       /**< of every microgrid, where they come from history; else 0 */
    const char *history_file; /**< "" where there is no uncertainty block */
    const char *history_day;  /**< the realised day "2019-07-16"; "" as above */
    uint64_t history_day_ms;  /**< its first period's begin */
    uint32_t history_days;    /**< past days that gave samples; what ambiguity counts as samples by default */
    uint32_t history_window;  /**< past days asked for */
    const char *method;       /**< of scenario reduction; "" as above */
    uint64_t seed; /**< of the reduction of scenarios */
    double reduction_distance; /**< [-] Kantorovich distance of scenarios and samples: how far, on average, a value of
                                    a sample lies from its scenario's, in means of its series */
    uint32_t history_series;  /**< joint uncertain series that come from history; see mgc_case_series_moments() */
    uint32_t reserved0;       /**< 0 */
} mgc_case_info;

/** What the scenarios keep of one uncertain series: [0] of the past days' samples, [1] of the scenarios, as
 *  mgc_scenarios_moments() tells them; before the series' scale. */
typedef struct mgc_case_moments {
    size_t struct_size;
    const char *name;           /**< path of a parameter that takes the series; borrowed until the case is destroyed */
    double mean[2];             /**< [the file's unit] */
    double deviation[2];        /**< [the file's unit] */
    double autocorrelation[2];  /**< [-] with one period later */
    double correlation_change;  /**< [-] largest change of its correlation with another series */
} mgc_case_moments;

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_STATE (a case with errors).  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_case_get_info(const mgc_case *kase, mgc_case_info *info);

/** @param series 0..info.history_series - 1.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE,
 *  MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_case_series_moments(const mgc_case *kase, uint32_t series,
                                                         mgc_case_moments *moments);

/** The model; NULL for a case with errors.  Borrowed until the case is destroyed; may be changed.  Since 0.1 */
MGC_API mgc_model *mgc_case_model(const mgc_case *kase);
/** The day as it was, one scenario, for mgc_plan_realise(); NULL where the case has no history.  Since 0.1 */
MGC_API mgc_model *mgc_case_realised(const mgc_case *kase);

/** Bargaining weights in the order of the model's microgrids: 1 for EQUAL and CONTRIBUTION (whose values come with
 * the trades), the numbers of the case for GIVEN.
 *  @param weight filled, length n = microgrids.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_STATE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_case_weights(const mgc_case *kase, double *weight, size_t n);

/**
 * Where a scenario comes from.
 * @param day_ms  begin of the past day that it is, milliseconds since 1970
 * @param members past days that it stands for; its probability is members / history_days
 * @return MGC_OK; MGC_E_NOT_FOUND past the last one or without history.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_case_scenario(const mgc_case *kase, uint32_t scenario, uint64_t *day_ms,
                                                   uint32_t *members);

/* --- JSON, written ---------------------------------------------------------------------------------------------- */

/*
 * One value after the other, indented, keys in the order given, numbers as the shortest decimal that reads back the
 * same: the same values give the same bytes in every locale.  Not finite numbers, which JSON does not have, become
 * null.  A fault (no memory, an end without a begin, text that is not UTF-8) is kept and returned by mgc_json_text();
 * no call before it need be checked.
 */

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_json_create(mgc_ctx *ctx, mgc_json **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_json_destroy(mgc_json *json);

/** Append a value: key is copied, NULL inside an array and for the outermost value.  Since 0.1 @{ */
MGC_API void mgc_json_object(mgc_json *json, const char *key);
MGC_API void mgc_json_array(mgc_json *json, const char *key);
MGC_API void mgc_json_end(mgc_json *json); /**< of the innermost object or array */
MGC_API void mgc_json_string(mgc_json *json, const char *key, const char *value); /**< NULL: null */
MGC_API void mgc_json_number(mgc_json *json, const char *key, double value);
MGC_API void mgc_json_integer(mgc_json *json, const char *key, uint64_t value);
MGC_API void mgc_json_flag(mgc_json *json, const char *key, int32_t value); /**< false or true */
MGC_API void mgc_json_null(mgc_json *json, const char *key);
/** An array, on one line. */
MGC_API void mgc_json_numbers(mgc_json *json, const char *key, const double *values, size_t n);
/** @} */

/**
 * The text, complete and terminated by a newline and a NUL that len does not count.
 * @param text borrowed until the writer is destroyed.
 * @return MGC_OK; MGC_E_STATE (something is still open, or was ended twice), MGC_E_UTF8, MGC_E_NO_MEMORY: text is
 * NULL.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_json_text(mgc_json *json, const char **text, size_t *len);

/* --- result files ----------------------------------------------------------------------------------------------- */

/** One direction of a link that is used. */
typedef struct mgc_result_trade {
    const char *from, *to, *carrier; /**< ids of sender and receiver; "electricity" or "heat" */
    const double *sent_kw;       /**< [kW] length periods */
    const double *price_per_kwh; /**< [currency/kWh] length periods; NULL: left out */
} mgc_result_trade;

/**
 * What results.json says (doc/results.md).  Arrays over members have length members, in the order of id; a NULL array
 * or text and a not finite number are left out of the file or written as null, as said below.  Everything stays the
 * caller's.
 */
typedef struct mgc_result {
    size_t struct_size;
    const char *status; /**< "optimal", ...: mgc_outcome_name() */
    const char *name;   /**< of the case; NULL: left out, like currency and start */
    const char *currency; /**< "EUR"; NULL: left out */
    const char *start; /**< first period's begin; NULL: left out */
    uint32_t period_minutes; /**< 0: left out, like periods */
    uint32_t periods;        /**< length of the series of trades */
    uint32_t members; /**< length of the arrays over members */
    uint32_t trades; /**< length of trade */
    const char *const *id; /**< [members] */
    const double *standalone_cost; /**< [currency], as the next two; NULL: left out */
    const double *payment;         /**< what a member pays; negative: receives */
    const double *final_cost; /**< [currency] standalone_cost less the gain */
    const double *emission_alone; /**< [kg], as the next one */
    const double *emission_together; /**< [kg] */
    const double *renewable_alone; /**< [kWh], as the next one */
    const double *renewable_together; /**< [kWh] */
    const double *const *probability; /**< worst-case probabilities of each member */
    const uint32_t *scenarios;        /**< their lengths */
    const mgc_result_trade *trade;    /**< length trades */
    double alliance_cost;             /**< NAN: null, as all numbers here */
    double lower_bound; /**< [currency] proven */
    double gap; /**< [-] relative */
    double surplus; /**< [currency] what cooperation gains */
    uint32_t admm_iterations; /**< rounds of proposals */
    uint32_t reserved0;
    double primal_residual, dual_residual; /**< [-] of the last round */
    /** [s] NAN: null, for files that must be the same twice. */
    double seconds_alone, seconds_cooperate, seconds_pay, seconds_ledger; /**< [s] by phase */
} mgc_result;

/** All texts and arrays NULL, all numbers NAN, status "none".  Since 0.1 */
MGC_API void mgc_result_init(mgc_result *result, size_t size);
/**
 * Write the members of results.json into the object that is open, beginning with "format"; the caller may add its own
 * and ends it.
 * @return MGC_OK; MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE.  Faults of the writer: mgc_json_text().
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_result_write(mgc_json *json, const mgc_result *result);

/** A table for a CSV file: RFC 4180, comma, LF, UTF-8, numbers as in JSON, an empty field where not finite.
 *  Since 0.1 @{ */
/** rows: of every column.  out: NULL on failure.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY. */
MGC_API MGC_NODISCARD mgc_status mgc_table_create(mgc_ctx *ctx, size_t rows, mgc_table **out);
/** NULL is fine. */
MGC_API void mgc_table_destroy(mgc_table *table);
/** Column time_utc: start, start + step, ... in RFC 3339. */
MGC_API MGC_NODISCARD mgc_status mgc_table_times(mgc_table *table, uint64_t start_ms, uint32_t period_minutes);
/** name, values: copied; length rows. */
MGC_API MGC_NODISCARD mgc_status mgc_table_numbers(mgc_table *table, const char *name, const double *values);
MGC_API MGC_NODISCARD mgc_status mgc_table_strings(mgc_table *table, const char *name, const char *const *values);
/** The text; borrowed until the next call on the table. */
MGC_API MGC_NODISCARD mgc_status mgc_table_text(mgc_table *table, const char **text, size_t *len);
/** @} */

/**
 * Write a file so that it is there whole or not at all: beside it, synced, then renamed over it, the folder synced.
 * @return MGC_OK; MGC_E_IO, MGC_E_NOT_FOUND (no such folder), MGC_E_NO_MEMORY: the old file, if any, is as it was.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_file_write(mgc_ctx *ctx, const char *path, const void *bytes, size_t len);
/**
 * Write folder/manifest.json: of each file its name, length and SHA-256, so that a result can be told from another.
 * @param name  relative to folder, in the order to be written; length files
 * @param about extra members "key", "value", "key", "value", ... ; length 2 * pairs
 * @return MGC_OK; MGC_E_IO, MGC_E_NOT_FOUND, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_manifest_write(mgc_ctx *ctx, const char *folder, const char *const *name,
                                                    size_t files, const char *const *about, size_t pairs);

/* --- settings of programs --------------------------------------------------------------------------------------- */

/** No default: the key must be given. */
#define MGC_SETTINGS_NEEDED UINT64_MAX

/**
 * Read a settings file of a program around the library: YAML or JSON as in case files, a map at the top with a key
 * "format".  Then ask for what it holds; every fault is kept with its place, and told all at once at the end.
 *
 * @param path   at most 1 MiB
 * @param format what the key "format" must say
 * @param out    the settings.  On MGC_E_CASE as well: look at mgc_settings_faults().  NULL on every other failure
 * @return MGC_OK; MGC_E_CASE; MGC_E_IO, MGC_E_NOT_FOUND, MGC_E_TOO_LARGE (the file itself); MGC_E_INVALID_ARG;
 *         MGC_E_NO_MEMORY
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_settings_load_file(mgc_ctx *ctx, const char *path, const char *format,
                                                        mgc_settings **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_settings_destroy(mgc_settings *settings);

/** A value by its path, "tls.key" or "members[2].address"; texts are borrowed until destroy.  A fault is kept, and the
 *  default returned, where it is not what is asked for; also where it is missing and has no default (NULL,
 *  MGC_SETTINGS_NEEDED).  Since 0.1 @{ */
MGC_API int32_t mgc_settings_has(const mgc_settings *settings, const char *path); /**< 1: it is there */
MGC_API const char *mgc_settings_text(mgc_settings *settings, const char *path, const char *otherwise);
MGC_API uint64_t mgc_settings_whole(mgc_settings *settings, const char *path, uint64_t lower, uint64_t upper,
                                    uint64_t otherwise);
MGC_API uint32_t mgc_settings_count(mgc_settings *settings, const char *path); /**< items of a list; 0: none or no list */
/** @} */
/** Tell every key of the map at path ("": the top) that is not among these, names with one space between.  Since 0.1 */
MGC_API void mgc_settings_keys(mgc_settings *settings, const char *path, const char *keys);
/** Keep a fault of the host's own finding at a path.  cure may be NULL.  Since 0.1 */
MGC_API void mgc_settings_fault(mgc_settings *settings, const char *path, const char *message, const char *cure);
/** How many faults; the index-th as one line "file:line:column: path: message; cure", borrowed until destroy, NULL
 *  past the last one.  Since 0.1 @{ */
MGC_API uint32_t mgc_settings_faults(const mgc_settings *settings);
MGC_API const char *mgc_settings_fault_text(const mgc_settings *settings, uint32_t index);
/** @} */

#ifdef __cplusplus
}
#endif
#endif
