/* SPDX-License-Identifier: Apache-2.0 */
/* Tests only: a model from the explicit JSON of the reference cases.  Strict on purpose: an unknown key aborts. */
#ifndef TESTS_CASE_JSON_H
#define TESTS_CASE_JSON_H

#include <jansson.h>

#include "mgchain/dispatch.h"

/* Path of a file under the shipped test data; static buffer. */
const char *test_data(const char *relative);

json_t *case_json(const char *name);     /* "one_scenario" */
mgc_model *case_model(mgc_ctx *ctx, const char *name);
mgc_model *model_from_json(mgc_ctx *ctx, const json_t *root);
/* expected.json -> name -> kind ("relaxation"): "alliance_cost", ... */
json_t *expected_json(void);

#endif
