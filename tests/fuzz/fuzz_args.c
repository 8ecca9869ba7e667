/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the arguments of a contract's method; the first two bytes say which.  What is accepted is canonical, and
 * its numbers lie where the method's table says. */
#include "fuzz.h"

#include "contract/contract.h"

static void check_rows(const mgc__method *method, const mgc__values *values, uint32_t field)
{
    int64_t row[COLUMNS_MAX];
    mgc__row_reader r;
    uint64_t n = 0;

    mgc__row_begin(&r, method, values, field);
    while (n <= values->at[field].rows && mgc__row_next(&r, row)) n++;
    must(n == values->at[field].rows, "a row is lost");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t contract, index = 0;
    const mgc__method *method;
    const char *name;
    mgc__values values;

    if (size < 2) return 0;
    contract = 1 + data[0] % 8;
    while (mgc_method_name(contract, index) != NULL) index++;
    if (index == 0) return 0;
    name = mgc_method_name(contract, data[1] % index);
    method = mgc__method_find(contract, name, strlen(name));
    must(method != NULL, "a method is named and not found");
    if (mgc__values_decode(method, data + 2, size - 2, &values) != MGC_OK) {
        must(values.what != NULL && values.where <= size, "a refusal says nothing");
        return 0;
    }
    must(mgc__cbor_check(data + 2, size - 2) == MGC_OK, "arguments that are not canonical");
    for (uint32_t i = 0; i < mgc__method_fields(method); i++)
        if (method->fields[i].kind == MGC_FIELD_ROWS) check_rows(method, &values, i);
    return 0;
}
