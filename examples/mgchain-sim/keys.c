/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim keys: every key of case files as Markdown, out of the library's own table. */
#include <math.h>

#include "sim.h"

static const char *number(double x, char *text)
{
    if (!isfinite(x)) return x > 0 ? "no limit" : "−no limit";
    mgc_number_format(x, text);
    return text;
}

/* The words of "electricity|heat", all or the first one; a bar would end the cell of the table. */
static void print_words(const char *words, bool first_only)
{
    for (const char *c = words; *c != '\0' && !(first_only && *c == '|'); c++) {
        if (*c == '|') printf(", ");
        else putchar(*c);
    }
}

static void print_range(const mgc_param_info *p)
{
    char low[MGC_NUMBER_TEXT], high[MGC_NUMBER_TEXT];

    if (p->kind == MGC_PARAM_TEXT) print_words(p->words, false);
    else if (p->kind == MGC_PARAM_FLAG) printf("false, true");
    else if (isfinite(p->upper)) printf("%s%s to %s", p->lower_open ? "above " : "", number(p->lower, low), number(p->upper, high));
    else if (isfinite(p->lower)) printf("%s%s", p->lower_open ? "above " : "at least ", number(p->lower, low));
    else printf("any");
}

static void print_default(const mgc_param_info *p)
{
    char text[MGC_NUMBER_TEXT];

    if (p->required) printf("must be given");
    else if (p->kind == MGC_PARAM_TEXT) print_words(p->words, true);
    else if (p->kind == MGC_PARAM_FLAG) printf("%s", p->default_value > 0 ? "true" : "false");
    else printf("%s", isnan(p->default_value) ? p->default_text : number(p->default_value, text));
}

static mgc_status print_scope(const char *scope, const char *title)
{
    static const char *const kinds[] = {"", "number", "flag", "word", "series", "series or scenarios"};
    mgc_param_info p = {.struct_size = sizeof p};
    mgc_status st;

    printf("\n### %s\n\n| key | takes | unit | range | default | what |\n| --- | --- | --- | --- | --- | --- |\n", title);
    for (uint32_t i = 0; (st = mgc_param_describe(scope, i, &p)) == MGC_OK; i++) {
        printf("| `%s` | %s%s | %s | ", p.key, kinds[p.kind], p.nullable ? ", null: no limit" : "", p.unit);
        print_range(&p);
        printf(" | ");
        print_default(&p);
        printf(" | %s |\n", p.text);
    }
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

int cmd_keys(sim *s)
{
    static const char *const scopes[][2] = {{"market", "`market`"}, {"carbon", "`market: carbon:`"}, {"microgrid", "a microgrid"},
                                            {"link", "a link"}, {"variable", "a variable of a `linear` device"}};
    char title[64];
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0] && st == MGC_OK; i++) st = print_scope(scopes[i][0], scopes[i][1]);
    for (uint32_t i = 0; mgc_device_type(i) != NULL && st == MGC_OK; i++) {
        snprintf(title, sizeof title, "device of type `%s`", mgc_device_type(i));
        st = print_scope(mgc_device_type(i), title);
    }
    return st == MGC_OK ? EXIT_DONE : failed(s, st, "keys");
}
