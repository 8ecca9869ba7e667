/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a case file: refused with a list of issues, or a model. */
#include "fuzz.h"

#include "mgchain/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc_ctx *ctx;
    mgc_case *c;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 0;
    mgc_status st = mgc_case_load_text(ctx, (const char *)data, size, NULL, &c);
    if (st == MGC_OK) must(c != NULL && mgc_case_model(c) != NULL, "a case without a model");
    if (st == MGC_E_CASE) must(c != NULL && mgc_case_issues(c) > 0 && mgc_case_issue_text(c, 0) != NULL, "an error without an issue");
    must(st == MGC_OK || mgc_ctx_error(ctx)[0] != '\0', "a refusal says nothing");
    mgc_case_destroy(c);
    mgc_ctx_destroy(ctx);
    return 0;
}
