/* SPDX-License-Identifier: Apache-2.0 */
/* Settlement's rules on carbon and certificates of origin. */
#ifndef CONTRACT_CARBON_H
#define CONTRACT_CARBON_H

#include "contract/contract.h"

mgc_status mgc__surrender(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__origin_issue(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__origin_assign(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__origin_cancel(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__query_origins(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
mgc_status mgc__query_periods(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);

#endif
