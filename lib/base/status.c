/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

const char *mgc_status_name(mgc_status status)
{
    switch (status) {
#define NAME(name, number, meaning) \
    case number: return #name;
        MGC_STATUS_LIST(NAME)
#undef NAME
    default: return "MGC_E_?";
    }
}

const char *mgc_status_text(mgc_status status)
{
    switch (status) {
#define TEXT(name, number, meaning) \
    case number: return meaning;
        MGC_STATUS_LIST(TEXT)
#undef TEXT
    default: return "unknown status";
    }
}

const char *mgc_outcome_name(uint32_t outcome)
{
    static const char *const names[] = {"none",  "optimal",   "infeasible", "unbounded",
                                        "limit", "cancelled", "numerical"};
    return outcome < MGC__COUNT(names) ? names[outcome] : "none";
}

uint32_t mgc_version(void)
{
    return MGC_VERSION_MAJOR * 10000u + MGC_VERSION_MINOR * 100u + MGC_VERSION_PATCH;
}

const char *mgc_version_string(void)
{
    return MGC_VERSION;
}
