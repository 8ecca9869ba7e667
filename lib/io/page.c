/* SPDX-License-Identifier: Apache-2.0 */
#include "io/page.h"

#include <string.h>

enum { NAME_MAX_BYTES = 96 };

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6875;--line:#d9dfe5;--card:#f5f7f9;--good:#12703f;--bad:#b3261e;--page:#fff;"
    "--price:#6a3d9a;--fan:#0072b2;--fan1:#cfe3f0;--fan2:#94c1de;--heat:#00694d;--link:#005a8c}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9dabb8;--line:#313c47;--card:#1d252e;--good:#5fce97;--bad:#ff8a80;--page:#12181f;"
    "--price:#c9a3f0;--fan:#56b4e9;--fan1:#22394a;--fan2:#33607f;--heat:#5fe0b7;--link:#7cc4f2}}"
    "@media print{:root{--ink:#1c2733;--soft:#5b6875;--line:#d9dfe5;--card:#f5f7f9;--good:#12703f;--bad:#b3261e;--page:#fff;--price:#6a3d9a;--fan:#0072b2;"
    "--fan1:#cfe3f0;--fan2:#94c1de;--heat:#00694d;--link:#005a8c}}"
    "*{box-sizing:border-box}body{margin:0;color:var(--ink);background:var(--page);font:15px/1.5 system-ui,'DejaVu Sans',sans-serif}"
    "main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}h1{font-size:28px;line-height:1.2;margin:0 0 4px}"
    "h2{font-size:20px;margin:44px 0 4px;padding-top:14px;border-top:2px solid var(--ink)}h3{font-size:16px;margin:26px 0 6px}"
    "p{margin:4px 0 12px;max-width:75ch}.soft,small,figcaption small{color:var(--soft);font-weight:400}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(155px,1fr));gap:12px;margin:20px 0}"
    ".card{background:var(--card);border-radius:8px;padding:12px 14px}.card b{display:block;font-size:22px;line-height:1.25}"
    ".card small{font-size:14px}.card span{color:var(--soft);font-size:13px}.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px 26px}"
    "figure{margin:0;break-inside:avoid}figcaption{font-weight:600;font-size:14px;margin-bottom:4px}"
    "svg{display:block;width:100%;height:auto}svg text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:var(--soft)}"
    ".grid{stroke:var(--line);stroke-width:.7}.axis{stroke:var(--ink);stroke-width:1}"
    "nav{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:14px}a{color:var(--link)}ul.plain{padding-left:18px;max-width:85ch}ul.plain li{margin:8px 0}"
    "details{margin:2px 0 8px;font-size:13px}summary{cursor:pointer;color:var(--soft)}details table{font-size:12px}.ribbon{fill-opacity:.62}.ribbon:hover{fill-opacity:.95}"
    ".charts>div{min-width:0}"
    ".curve{fill:none;stroke-width:1.8}.dashed{fill:none;stroke-width:1.6;stroke-dasharray:4 3}"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 12px;font-size:12px;color:var(--soft);margin-top:4px}"
    ".legend i{display:inline-block;width:11px;height:11px;margin-right:5px;border-radius:2px;vertical-align:-1px}"
    ".legend i.rule,.legend i.dash{height:0;border-radius:0;border-top:2.5px solid;vertical-align:3px;width:16px}"
    ".legend i.dash{border-top-style:dashed}.legend i.hatch{background:repeating-linear-gradient(45deg,#c62828 0 2px,transparent 2px 4px);border:1px solid #c62828}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13.5px;margin:8px 0}"
    "th{text-align:left;font-weight:600;color:var(--soft);border-bottom:1.5px solid var(--ink);padding:5px 9px;vertical-align:bottom}"
    "td{border-bottom:1px solid var(--line);padding:5px 9px}td:first-child{white-space:nowrap}th:first-child,td:first-child{padding-left:0}"
    ".tall{max-height:460px;overflow-y:auto}.tall th{position:sticky;top:0;background:var(--page)}"
    ".r{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "tr.sum td{font-weight:600;border-top:1.5px solid var(--ink)}code{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace}"
    ".ok{color:var(--good)}.no{color:var(--bad);font-weight:700}ul.checks{list-style:none;padding:0;columns:2;column-gap:26px}"
    "ul.checks li{break-inside:avoid;padding:2px 0}footer{margin-top:50px;color:var(--soft);font-size:13px}"
    "@media screen and (max-width:720px){.charts{grid-template-columns:1fr}ul.checks{columns:1}h1{font-size:23px}main{padding:18px 14px 40px}}";

/* On paper: smaller, every row is there, what belongs together stays on one page, pages are numbered. */
static const char style_on_paper[] =
    "@media print{main{max-width:none;padding:0}body{font-size:11px}p,ul.plain{max-width:none}a{color:inherit}details,nav{display:none}"
    "h2{font-size:16px;margin-top:26px}h3{font-size:13px;margin:16px 0 4px}h2,h3,h2+p,h3+p{break-after:avoid}"
    "tr,section,ul.checks,.card,.scroll:not(.tall){break-inside:avoid}.cards{grid-template-columns:repeat(6,1fr);gap:8px}.card{padding:8px 9px}"
    ".card b{font-size:15px}.card small,.card span{font-size:10px}figcaption{font-size:11px}.legend{font-size:9.5px}.charts{gap:12px 22px}"
    "table,details table{font-size:9.5px}th,td{padding:2px 6px}.scroll,.tall{overflow:visible;max-height:none}.tall th{position:static}"
    "@page{margin:14mm 14mm 16mm;@bottom-right{content:counter(page) \" / \" counter(pages);font:9px 'DejaVu Sans',sans-serif;color:#5b6875}}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

/* What stands for a colour that a dark page would swallow. */
#define ON_DARK(color, there)                                                                                                            \
    "[fill=\"" color "\"]{fill:" there "}[stroke=\"" color "\"]{stroke:" there "}i[style$=\"" color "\"]{background:" there             \
    "!important;border-color:" there "!important}"
static const char style_on_dark[] =
    "@media screen and (prefers-color-scheme:dark){" ON_DARK("#0a37a3", "#4040f2") ON_DARK("#7a3a22", "#9c5236") ON_DARK("#2f2629", "#b4ffb4") "}";

void mgc_io__page_head(mgc__text *t, const char *title, const char *heading)
{
    mgc__text_add(t, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,"
                     "initial-scale=1\"><title>");
    mgc__text_escaped(t, title);
    mgc__text_printf(t, "</title><style>%s%s%s</style></head><body><main><h1>", style, style_on_dark, style_on_paper);
    mgc__text_escaped(t, heading);
    mgc__text_add(t, "</h1>");
}

enum { TALL_ROWS = 30 }; /* more rows scroll on a screen; on paper all are there, fewer stay on one page */

static bool right_aligned(const char *header)
{
    size_t length = strlen(header);
    return length > 0 && header[length - 1] == '>';
}

void mgc_io__page_table(mgc__text *t, const mgc_report_table *table)
{
    mgc__text_add(t, "<h2>");
    mgc__text_escaped(t, table->title);
    mgc__text_add(t, "</h2>");
    if (table->note != NULL) {
        mgc__text_add(t, "<p class=\"soft\">");
        mgc__text_escaped(t, table->note);
        mgc__text_add(t, "</p>");
    }
    mgc__text_add(t, table->rows > TALL_ROWS ? "<div class=\"scroll tall\"><table><thead><tr>" : "<div class=\"scroll\"><table><thead><tr>");
    for (size_t c = 0; c < table->columns; c++) {
        char name[NAME_MAX_BYTES] = {0};
        strncpy(name, table->header[c], sizeof name - 1);
        bool right = right_aligned(name);
        if (right) name[strlen(name) - 1] = '\0';
        mgc__text_add(t, right ? "<th class=\"r\">" : "<th>");
        mgc__text_escaped(t, name);
    }
    mgc__text_add(t, "</tr></thead>"); /* on paper it stands on every page */
    for (size_t r = 0; r < table->rows; r++) {
        mgc__text_add(t, "<tr>");
        for (size_t c = 0; c < table->columns; c++) {
            mgc__text_add(t, right_aligned(table->header[c]) ? "<td class=\"r\">" : "<td>");
            mgc__text_escaped(t, table->cell[r * table->columns + c]);
            mgc__text_add(t, "</td>");
        }
        mgc__text_add(t, "</tr>");
    }
    mgc__text_add(t, "</table></div>");
}

void mgc_io__page_foot(mgc__text *t, const char *made_by)
{
    mgc__text_add(t, "<footer>");
    if (made_by != NULL) mgc__text_escaped(t, made_by);
    mgc__text_add(t, "</footer></main></body></html>\n");
}
