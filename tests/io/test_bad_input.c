/* SPDX-License-Identifier: Apache-2.0 */
/* Rows O1, O2 and O9 of the fault list: what is wrong is refused with file, line, column, path and cure. */
#include "cases.h"

/* One fault each, and the line that must be told of it. */
static const struct bad {
    const char *name, *text, *csv, *issue;
} bad[] = {
    {"unknown key of the head", HEAD "perods: 4\n" SITE LOAD END, NULL,
     "case.yaml:6:1: perods: the key \"perods\" is not known here; did you mean \"periods\"?"},
    {"unknown market key without its unit",
     "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\nmarket:\n  buy_price: "
     "0.2\n" SITE LOAD END,
     NULL,
     "case.yaml:6:3: market.buy_price: the key \"buy_price\" is not known here; did you mean \"buy_price_per_kwh\"?"},
    {"a market key in another unit",
     "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\nmarket:\n  buy_price_per_mwh: "
     "200\n" SITE LOAD END,
     NULL,
     "case.yaml:6:3: market.buy_price_per_mwh: the key \"buy_price_per_mwh\" is not known here; did you mean \"buy_price_per_kwh\"? "
     "units are in the keys, and 1 MWh is 1000 kWh"},
    {"a device key in another unit",
     HEAD SITE "{type: chp, id: c, max_power_kw: 9, electric_efficiency: 0.4, min_power_mw: 1}," LOAD END, NULL,
     "case.yaml:8:63: microgrids.a.devices.c.min_power_mw: the key \"min_power_mw\" is not known here; did you mean \"min_power_kw\"? "
     "units are in the keys, and 1 MW is 1000 kW"},
    {"unknown device key",
     HEAD SITE "{type: chp, id: c, max_power_kw: 9, electric_efficiency: 0.4, min_pwer_kw: 1}," LOAD END, NULL,
     "case.yaml:8:63: microgrids.a.devices.c.min_pwer_kw: the key \"min_pwer_kw\" is not known here; did you mean "
     "\"min_power_kw\"?"},
    {"unknown device type", HEAD SITE "{type: ch, id: c}" END, NULL,
     "case.yaml:8:8: microgrids.a.devices.c.type: \"ch\" is not known; did you mean \"chp\"?"},
    {"unknown carrier", HEAD SITE "{type: load, id: l, demand_kw: 1, carrier: electricty}" END, NULL,
     "case.yaml:8:44: microgrids.a.devices.l.carrier: \"electricty\" is not known; did you mean \"electricity\"?"},
    {"repeated key", HEAD SITE "{type: load, id: l, demand_kw: 1, demand_kw: 2}" END, NULL,
     "case.yaml:8:35: demand_kw: the key is there twice, first in line 8; keep one of the two"},
    {"missing parameter", HEAD SITE "{type: load, id: l}" END, NULL,
     "case.yaml:8:1: microgrids.a.devices.l.demand_kw: is missing; demand D [kW]"},
    {"missing head", "format: mgchain-case-1\nperiods: 3\nstart: 2019-07-16T00:00:00Z\n", NULL,
     "case.yaml:1:1: period_minutes: is missing; the length of a period in minutes, as 60"},
    {"another format",
     "format: mgchain-case-2\nperiods: 3\nperiod_minutes: 60\nstart: 2019-07-16T00:00:00Z\nmicrogrids: []\n", NULL,
     "case.yaml:1:9: format: \"mgchain-case-2\" is not a format that this library reads; it reads mgchain-case-1"},
    {"wrong length", HEAD SITE "{type: load, id: l, demand_kw: [1, 2]}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: the series has 2 values; must be 3, one a period"},
    {"quoted number", HEAD SITE "{type: load, id: l, demand_kw: \"10\"}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: must be a number; found the quoted text \"10\"; leave the "
     "quotes away"},
    {"infinite", HEAD SITE "{type: load, id: l, demand_kw: [1, .inf, 2]}" END, NULL,
     "case.yaml:8:36: microgrids.a.devices.l.demand_kw[1]: must be a number; found .inf; numbers must be finite; "
     "where no limit is meant, "
     "write null"},
    {"not a number", HEAD SITE "{type: load, id: l, demand_kw: .nan}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: must be a number; found .nan; numbers must be finite; where "
     "no limit is meant, write null"},
    {"too large for a double", HEAD SITE "{type: load, id: l, demand_kw: 1e999}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: the number 1e999 is larger than any double"},
    {"octal or not", HEAD SITE "{type: load, id: l, demand_kw: 010}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: the number 010 begins with 0, which some read as octal; "
     "leave the leading 0 away"},
    {"sixty-base number", HEAD SITE "{type: load, id: l, demand_kw: 1:30}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: must be a number; found 1:30"},
    {"hexadecimal", HEAD SITE "{type: load, id: l, demand_kw: 0x10}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: must be a number; found 0x10; write a decimal number"},
    {"decimal comma in a list of keys", HEAD SITE "{type: load, id: l, demand_kw: 1,5}" END, NULL,
     "case.yaml:8:34: microgrids.a.devices.l.5: the key \"5\" is not known here; was a decimal comma meant? write a "
     "decimal point"},
    {"decimal comma in a block",
     "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\nmarket:\n  "
     "buy_price_per_kwh: 0,2\n" SITE LOAD END,
     NULL,
     "case.yaml:6:22: market.buy_price_per_kwh: must be a number; found 0,2; write a decimal point, and no thousands "
     "separators"},
    {"unit in the value", HEAD SITE "{type: load, id: l, demand_kw: 10 kW}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: must be a number; found 10 kW; write the number alone; its "
     "unit is in the key"},
    {"yes for true",
     HEAD SITE "{type: chp, id: c, max_power_kw: 9, electric_efficiency: 0.4, initially_on: yes}," LOAD END, NULL,
     "case.yaml:8:77: microgrids.a.devices.c.initially_on: must be true or false; found yes"},
    {"null where a number must be", HEAD SITE "{type: load, id: l, demand_kw: null}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: null is not allowed here; must be from 0 to 1000000000 kW, "
     "or leave the key away"},
    {"out of range", HEAD SITE "{type: chp, id: c, max_power_kw: 9, electric_efficiency: 1.4}," LOAD END, NULL,
     "case.yaml:8:58: microgrids.a.devices.c.electric_efficiency: is 1.4, outside its range; must be above 0 to 1"},
    {"negative demand in a list", HEAD SITE "{type: load, id: l, demand_kw:\n [1,\n  -2, 3]}" END, NULL,
     "case.yaml:10:3: microgrids.a.devices.l.demand_kw[1]: is -2, outside its range; must be from 0 to 1000000000 "
     "kW"},
    {"crossed bounds",
     HEAD SITE "{type: chp, id: c, min_power_kw: 10, max_power_kw: 9, electric_efficiency: 0.4}," LOAD END, NULL,
     "case.yaml:8:20: microgrids.a.devices.c.min_power_kw: "},
    {"free money",
     "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n"
     "market:\n  buy_price_per_kwh: [0.2, 0.2, 0.2]\n  sell_price_per_kwh: [0.1, 0.1, 0.3]\n  "
     "realtime_sell_price_per_kwh: 0.01\n" SITE LOAD END,
     NULL,
     "case.yaml:7:3: market.sell_price_per_kwh: a sell_price_per_kwh is 0.3 in period 2 while buy_price_per_kwh is "
     "0.2: free money"},
    {"free carbon money",
     "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n"
     "market:\n  buy_price_per_kwh: 0.2\n  carbon: {price_per_kg: 0.02, reward_price_per_kg: 0.06}\n" SITE LOAD END,
     NULL, "case.yaml:7:32: market.carbon.reward_price_per_kg: "},
    {"repeated device id", HEAD SITE LOAD ",\n" LOAD END, NULL,
     "case.yaml:9:18: microgrids.a.devices.l.id: a has two devices \"l\"; ids must differ"},
    {"id with a blank", HEAD "microgrids: [{id: my site}]\n", NULL,
     "case.yaml:6:19: microgrids.my site.id: the id \"my site\" is not allowed; use 1 to 63 of the characters A-Z "
     "a-z 0-9 _ . -"},
    {"limit beside grid", HEAD "microgrids:\n  - {id: a, buy_limit_kw: 3}\n", NULL,
     "case.yaml:7:13: microgrids.a.buy_limit_kw: the key \"buy_limit_kw\" is not known here; it belongs under grid"},
    {"quota under grid", HEAD "microgrids:\n  - {id: a, grid: {carbon_quota_kg: 3}}\n", NULL,
     "case.yaml:7:20: microgrids.a.grid.carbon_quota_kg: the key \"carbon_quota_kg\" is not known here; it belongs "
     "beside grid, not under it"},
    {"link to a stranger",
     HEAD
     "microgrids: [{id: alpha}, {id: beta}]\nlinks:\n  - {between: [alpha, betta], carrier: heat, capacity_kw: 1}\n",
     NULL, "case.yaml:8:23: links[0].between[1]: \"betta\" is not known; did you mean \"beta\"?"},
    {"link to itself",
     HEAD
     "microgrids: [{id: alpha}, {id: beta}]\nlinks:\n  - {between: [beta, beta], carrier: heat, capacity_kw: 1}\n",
     NULL, "case.yaml:8:15: links[0].between: the link leads from beta to itself; a link is between two microgrids"},
    {"the pool first",
     HEAD "microgrids: [{id: alpha}, {id: beta}]\nlinks:\n  - {between: [pool, beta], carrier: heat, capacity_kw: 1}\n", NULL,
     "case.yaml:8:16: links[0].between[0]: \"pool\" is not known; "},
    {"links of both kinds",
     HEAD "microgrids: [{id: alpha}, {id: beta}]\nlinks:\n  - {between: [alpha, pool], carrier: heat, capacity_kw: 1}\n"
          "  - {between: [alpha, beta], carrier: heat, capacity_kw: 1}\n", NULL,
     "case.yaml:9:5: links[1]: a link joins two microgrids, the first one leads to the pool; all links lead to the pool, or none does"},
    {"a pool of links that differ",
     HEAD "microgrids: [{id: a}, {id: b}, {id: c}]\nlinks:\n  - {between: [a, b], carrier: heat, capacity_kw: 1}\n"
          "  - {between: [b, c], carrier: heat, capacity_kw: 1, fee_per_kwh: 0.01}\nbargaining: {pool: true}\n", NULL,
     "case.yaml:10:20: bargaining.pool: "},
    {"a pool of contracts in force",
     HEAD "microgrids: [{id: a}, {id: b}]\nlinks:\n  - {between: [a, b], carrier: heat, capacity_kw: 1, agreed_kw: 0.5}\n"
          "bargaining: {pool: true}\n", NULL,
     "case.yaml:9:20: bargaining.pool: "},
    {"a pool that is no flag", HEAD "microgrids: [{id: a}]\nbargaining: {pool: yes}\n", NULL, "case.yaml:7:20: bargaining.pool: "},
    {"probabilities that do not sum to one", HEAD "microgrids:\n  - {id: a, scenario_probability: [0.5, 0.4]}\n",
     NULL,
     "case.yaml:7:35: microgrids.a.scenario_probability: the probabilities sum to 0.9; must sum to 1 within 1e-6"},
    {"negative probability", HEAD "microgrids:\n  - {id: a, scenario_probability: [1.5, -0.5]}\n", NULL,
     "case.yaml:7:41: microgrids.a.scenario_probability[1]: the probability is -0.5; must not be negative"},
    {"scenarios without probabilities", HEAD SITE "{type: load, id: l, demand_kw: {scenarios: [1, 2]}}" END, NULL,
     "case.yaml:8:44: microgrids.a.devices.l.demand_kw.scenarios: there are 2 scenarios; scenario_probability has 1; "
     "give the microgrid a "
     "scenario_probability of as many entries"},
    {"scenarios of what is certain",
     HEAD SITE "{type: load, id: l, demand_kw: 1, shiftable_share: {scenarios: [0, 0.1]}}" END, NULL,
     "case.yaml:8:35: microgrids.a.devices.l.shiftable_share: shiftable_share is not uncertain and takes no "
     "scenarios; give one series"},
    {"confidence without samples", HEAD "microgrids:\n  - {id: a, ambiguity: {norm1: {confidence: 0.95}}}\n", NULL,
     "case.yaml:7:45: microgrids.a.ambiguity.norm1.confidence: a confidence needs the number of past days that the "
     "probabilities come from; give "
     "ambiguity.samples"},
    {"sets that cannot be intersected",
     HEAD "microgrids:\n  - {id: a, ambiguity: {norm1: {radius: 0.1}, kl: {radius: 0.1}}}\n", NULL,
     "case.yaml:7:60: microgrids.a.ambiguity.kl.radius: "},
    {"unknown set", HEAD "microgrids:\n  - {id: a, ambiguity: {norm2: {radius: 0.1}}}\n", NULL,
     "case.yaml:7:25: microgrids.a.ambiguity.norm2: the key \"norm2\" is not known here; did you mean \"norm1\"?"},
    {"a set without a size", HEAD "microgrids:\n  - {id: a, ambiguity: {norm1: {}}}\n", NULL,
     "case.yaml:7:25: microgrids.a.ambiguity.norm1: the set has no size; give it a radius or a confidence"},
    {"unknown rule",
     HEAD "microgrids:\n  - {id: a, ambiguity: {samples: 9, norm1: {confidence: 0.95, rule: weisman}}}\n", NULL,
     "case.yaml:7:57: microgrids.a.ambiguity.norm1.confidence: "},
    {"unknown weight", HEAD "microgrids: [{id: alpha}]\nbargaining: {weights: {alpha: 1, beta: 2}}\n", NULL,
     "case.yaml:7:34: bargaining.weights.beta: the key \"beta\" is not known here; allowed: alpha"},
    {"bad start", "format: mgchain-case-1\nstart: 2019-02-29T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n", NULL,
     "case.yaml:2:8: start: \"2019-02-29T00:00:00Z\" is not a time in whole minutes with its zone; times look like "
     "2019-07-16T00:00:00Z"},
    {"start without a zone", "format: mgchain-case-1\nstart: 2019-03-01 00:00\nperiod_minutes: 60\nperiods: 3\n",
     NULL,
     "case.yaml:2:8: start: \"2019-03-01 00:00\" is not a time in whole minutes with its zone; times look like "
     "2019-07-16T00:00:00Z"},
    {"bracket never closed", "format: mgchain-case-1\nlinks: [{between: [a, b]\n", NULL, "case.yaml:3:1: "},
    {"tab for indentation", "format: mgchain-case-1\nmarket:\n\tbuy_price_per_kwh: 0.2\n", NULL,
     "case.yaml:3:1: a tab stands where the line is indented; indent with blanks"},
    {"tab behind a dash", "format: mgchain-case-1\nname: Z\xc3\xbcrich\nmicrogrids:\n  -\tid: a\n", NULL,
     "case.yaml:4:4: a tab stands where the line is indented; indent with blanks"},
    {"tabs between the keys of JSON, and a colon too few", "{\n\t\"format\": \"mgchain-case-1\",\n\t\"name\" \"x\"\n}", NULL,
     "case.yaml:3:9: did not find"},
    {"not UTF-8", "format: mgchain-case-1\nname: caf\xe9\n", NULL,
     "case.yaml:2:10: the byte 0xe9 cannot be read: incomplete UTF-8 octet sequence; save the file as UTF-8"},
    {"not UTF-8, far from where the parser is", HEAD SITE "{type: load, id: l,\n demand_kw: 1}, # f\xfcr\n" END, NULL,
     "case.yaml:9:20: the byte 0xfc cannot be read"},
    {"a control character", HEAD "name: a\1b\n", NULL,
     "case.yaml:6:8: the byte 0x01 cannot be read: control characters are not allowed; a case file is text; delete the character"},
    {"a currency that is a sentence", "format: mgchain-case-1\ncurrency: \"<b>Taler</b>\"\nperiods: 3\nperiod_minutes: 60\nstart: 2019-07-16T00:00:00Z\n"
     "market: {buy_price_per_kwh: 0.2}\n" SITE LOAD END, NULL,
     "case.yaml:2:11: currency: \"<b>Taler</b>\" is not a currency; one short word, as EUR"},
    {"a link of negative capacity", HEAD "microgrids: [{id: a}, {id: b}]\nlinks:\n  - {between: [a, b], carrier: heat, capacity_kw: -1}\n", NULL,
     "case.yaml:8:51: links[0].capacity_kw: is -1, outside its range; must be from 0 to 1000000000 kW"},
    {"a negative weight", HEAD "microgrids: [{id: alpha}]\nbargaining: {weights: {alpha: -1}}\n", NULL,
     "case.yaml:7:31: bargaining.weights.alpha: the weight is -1; must not be negative"},
    {"anchor", HEAD "microgrids: &all []\n", NULL,
     "case.yaml:6:13: anchors and tags are not read; write the value itself"},
    {"alias", HEAD "microgrids: *all\n", NULL,
     "case.yaml:6:13: aliases are not read; write the value itself, or put the series into a CSV file"},
    {"tag", HEAD "microgrids: !!seq []\n", NULL,
     "case.yaml:6:13: anchors and tags are not read; write the value itself"},
    {"second document", HEAD "---\nformat: mgchain-case-1\n", NULL,
     "case.yaml:6:1: a second document begins here; a case is one document"},
    {"empty", "# nothing\n", NULL, "case.yaml: the file is empty; a case begins with \"format: mgchain-case-1\""},
    {"a list for a map", "- format\n", NULL, "case.yaml:1:1: must be a map of keys and values; found a list"},
    {"nested too deeply", HEAD "microgrids: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n", NULL,
     "case.yaml:6:28: nested more deeply than a case file may be (16)"},

    /* Series files. */
    {"no such file", HEAD SITE "{type: load, id: l, demand_kw: {csv: other.csv, column: x}}" END, "x\n1\n2\n3\n",
     "case.yaml:8:38: microgrids.a.devices.l.demand_kw.csv: the file other.csv cannot be read: there is no such "
     "thing, or none that the caller "
     "may see; names are relative to the case file's folder"},
    {"no such column", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: demnd}}" END,
     "demand,other\n1,2\n3,4\n5,6\n",
     "case.yaml:8:53: microgrids.a.devices.l.demand_kw.column: s.csv has no column \"demnd\"; did you mean "
     "\"demand\"?"},
    {"unknown key of a series", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: x, sclae: 2}}" END,
     "x\n1\n2\n3\n",
     "case.yaml:8:56: microgrids.a.devices.l.demand_kw.sclae: the key \"sclae\" is not known here; did you mean "
     "\"scale\"?"},
    {"too few rows", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: x, skip: 1}}" END, "x\n1\n2\n3\n",
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: s.csv has 3 rows, 2 of them after skip; one a period are 3"},
    {"a word in a column", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,1\n2,n/a\n3,3\n",
     "s.csv:3:3: microgrids.a.devices.l.demand_kw: column \"y\" must hold a number; found n/a"},
    {"an empty field", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, "x,y\n1,1\n2,\n3,3\n",
     "s.csv:3:3: microgrids.a.devices.l.demand_kw: column \"y\" must hold a number; found nothing"},
    {"nan in a column", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,1\n2,nan\n3,3\n",
     "s.csv:3:3: microgrids.a.devices.l.demand_kw: column \"y\" must hold a number; found nan"},
    {"out of range in a column", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,1\n2,-7\n3,3\n",
     "s.csv:3:3: microgrids.a.devices.l.demand_kw: is -7, outside its range; must be from 0 to 1000000000 kW"},
    {"a row too long", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,1,5\n2,2\n3,3\n",
     "s.csv:2: microgrids.a.devices.l.demand_kw.csv: the row has 3 fields; the header has 2; a decimal comma needs "
     "semicolons between the fields"},
    {"an empty line", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,1\n\n2,2\n3,3\n",
     "s.csv:3: microgrids.a.devices.l.demand_kw.csv: an empty line between the rows; delete it"},
    {"no header", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, "1,1\n2,2\n3,3\n4,4\n",
     "s.csv:1: microgrids.a.devices.l.demand_kw.csv: the first row holds numbers; it must hold the names of the "
     "columns"},
    {"a column twice", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "y,y\n1,1\n2,2\n3,3\n",
     "s.csv:1: microgrids.a.devices.l.demand_kw.column: the column \"y\" is there twice; rename one of the two"},
    {"decimal comma and point", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x;y\n1;1,5\n2;2.5\n3;3,5\n",
     "s.csv:3:3: microgrids.a.devices.l.demand_kw: column \"y\" must hold a number; found 2.5: the file has decimal "
     "commas and decimal points; use "
     "one of the two"},
    {"thousands separator", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x;y\n1;1.000,5\n2;2,5\n3;3,5\n",
     "s.csv:2:3: microgrids.a.devices.l.demand_kw: column \"y\" must hold a number; found 1.000,5: it has both a "
     "comma and a point; leave thousands "
     "separators away"},
    {"a quote never closed", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "x,y\n1,\"1\n2,2\n3,3\n",
     "s.csv:2: microgrids.a.devices.l.demand_kw.csv: a quoted field begins here and never ends"},
    {"local time in a UTC column", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "time_utc,y\n2019-03-31T01:00:00,1\n2019-03-31T03:00:00,2\n2019-03-31T04:00:00,3\n",
     "s.csv:3:1: microgrids.a.devices.l.demand_kw: time_utc steps by 120 minutes from the row before; the case's "
     "periods are 60 minutes; times are "
     "UTC, which has no daylight saving"},
    {"a wrong step", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "time_utc,y\n2019-03-31T01:00:00Z,1\n2019-03-31T01:15:00Z,2\n2019-03-31T01:30:00Z,3\n",
     "s.csv:3:1: microgrids.a.devices.l.demand_kw: time_utc steps by 15 minutes from the row before; the case's "
     "periods are 60 minutes"},
    {"no time", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "time_utc,y\n2019-02-30T01:00:00Z,1\n2019-03-31T01:15:00Z,2\nx,3\n",
     "s.csv:2:1: microgrids.a.devices.l.demand_kw: column \"time_utc\" holds \"2019-02-30T01:00:00Z\"; times look "
     "like 2019-07-16T00:00:00Z"},
    {"a column that is not UTF-8", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, "y\n1\nf\xfcnf\n3\n",
     "s.csv:3:2: microgrids.a.devices.l.demand_kw.csv: the byte 0xfc is no text in UTF-8; save the file as UTF-8"},
    {"a header without names", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, ",\n1,2\n1,2\n3,3\n",
     "case.yaml:8:53: microgrids.a.devices.l.demand_kw.column: s.csv has no column \"y\"; allowed: "},
    {"UTF-16", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END, "\xff\xfex\1y\1",
     "s.csv:1: microgrids.a.devices.l.demand_kw.csv: the file is UTF-16; save it as UTF-8"},
    {"damaged gzip", HEAD SITE "{type: load, id: l, demand_kw: {csv: s.csv, column: y}}" END,
     "\x1f\x8b\x08rubbish rubbish rubbish",
     "case.yaml:8:38: microgrids.a.devices.l.demand_kw.csv: the file s.csv cannot be read: its gzip stream is "
     "damaged or cut off; names"},

    /* History. */
    {"history without the block", HEAD SITE "{type: load, id: l, demand_kw: {history: y}}" END, NULL,
     "case.yaml:8:32: microgrids.a.devices.l.demand_kw: the case has no uncertainty block to take history from; "
     "uncertainty: {csv: file, day: date, "
     "window_days: 45, scenarios: 10}"},
    {"a day that the history lacks",
     HEAD "uncertainty: {csv: s.csv, day: 2019-07-15}\n" SITE "{type: load, id: l, demand_kw: {history: y}}" END,
     "time_utc,y\n2019-07-16T00:00:00Z,1\n2019-07-16T01:00:00Z,2\n2019-07-16T02:00:00Z,3\n",
     "case.yaml:6:32: uncertainty.day: the day begins 2019-07-15T00:00:00Z and is 3 periods long; the history goes "
     "from 2019-07-16T00:00:00Z to "
     "2019-07-16T02:00:00Z"},
    {"too few past days",
     HEAD "uncertainty: {csv: s.csv, window_days: 30, scenarios: 2}\n" SITE
          "{type: load, id: l, demand_kw: {history: y}}" END,
     "time_utc,y\n2019-07-16T00:00:00Z,1\n2019-07-16T01:00:00Z,2\n2019-07-16T02:00:00Z,3\n",
     "case.yaml:6:40: uncertainty.window_days: the history has 0 whole days before the day, of the 30 asked for; 2 "
     "scenarios need as many; choose a "
     "later day, more days, or fewer scenarios"},
    {"history without times",
     HEAD "uncertainty: {csv: s.csv}\n" SITE "{type: load, id: l, demand_kw: {history: y}}" END, "y\n1\n",
     "s.csv:1: uncertainty: a history needs the column \"time_utc\"; times look like 2019-07-16T00:00:00Z"},
    {"an unknown method",
     HEAD "uncertainty: {csv: s.csv, method: k-means}\n" SITE "{type: load, id: l, demand_kw: {history: y}}" END,
     "y\n1\n", "case.yaml:6:35: uncertainty.method: \"k-means\" is not known; allowed: k-medoids, forward-selection"},
};

START_TEST(every_fault_is_told_with_its_place) /* faults O1 */
{
    const struct bad *b = &bad[_i];
    struct disk disk = {.file = {{"s.csv", b->csv != NULL ? b->csv : "", 0}}};
    mgc_case *kase;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc_status status = load_with(ctx, b->text, &disk, &kase);
    ck_assert_msg(status == MGC_E_CASE, "%s: %s", b->name, mgc_status_name(status));
    bool found = false;
    for (uint32_t i = 0; i < mgc_case_issues(kase); i++)
        found = found || strncmp(mgc_case_issue_text(kase, i), b->issue, strlen(b->issue)) == 0;
    if (!found || mgc_case_issues(kase) != 1) print_issues(kase);
    ck_assert_msg(found, "%s: not told: %s", b->name, b->issue);
    /* Where it is one fault it is one issue: no echoes.  A missing head leaves more than one thing missing. */
    if (strstr(b->name, "head") == NULL && strstr(b->name, "format") == NULL &&
        strcmp(b->name, "unknown market key without its unit") != 0)
        ck_assert_msg(mgc_case_issues(kase) == 1, "%s: %u issues", b->name, mgc_case_issues(kase));
    ck_assert_ptr_null(mgc_case_model(kase));
    ck_assert_int_eq(disk.opened, disk.closed);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), ":"));
    mgc_case_destroy(kase);
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(all_faults_are_told_at_once_in_the_order_of_the_file)
{
    static const char text[] =
        HEAD "microgrids:\n  - id: a\n    grid: {buy_limit_kw: -1}\n    devices:\n      - {type: lod, id: x}\n"
             "      - {type: load, id: y, demand_kw: [1, 2]}\n      - {type: storage, id: z}\nlinks: 7\n";
    static const uint32_t line[] = {8, 10, 11, 12, 12, 12, 12, 13}; /* a storage lacks four keys */
    struct disk disk = {.opened = 0};
    mgc_case *kase;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(load_with(ctx, text, &disk, &kase), MGC_E_CASE);
    print_issues(kase);
    ck_assert_uint_eq(mgc_case_issues(kase), sizeof line / sizeof line[0]);
    for (uint32_t i = 0; i < mgc_case_issues(kase); i++) {
        mgc_case_issue issue = {.struct_size = sizeof issue};
        ck_assert_int_eq(mgc_case_issue_get(kase, i, &issue), MGC_OK);
        ck_assert_uint_eq(issue.line, line[i]);
        ck_assert_uint_eq(issue.severity, MGC_ISSUE_ERROR);
        ck_assert_str_eq(issue.file, "case.yaml");
    }
    mgc_case_destroy(kase);
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(a_thousand_faults_are_a_hundred_and_a_count)
{
    enum { N = 1000 };
    static char text[64 * N];
    struct disk disk = {.opened = 0};
    mgc_case *kase;
    mgc_ctx *ctx;

    size_t len = (size_t)sprintf(text, "%s", HEAD SITE LOAD END);
    for (int i = 0; i < N; i++) len += (size_t)sprintf(text + len, "unknown_%d: 1\n", i);
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(load_with(ctx, text, &disk, &kase), MGC_E_CASE);
    ck_assert_uint_eq(mgc_case_issues(kase), MGC_CASE_ISSUES_MAX + 1);
    ck_assert_str_eq(mgc_case_issue_text(kase, MGC_CASE_ISSUES_MAX), "case.yaml: and 900 more");
    mgc_case_destroy(kase);
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(a_case_that_cannot_be_read_at_all)
{
    mgc_case *kase = (mgc_case *)&kase;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_case_load_file(ctx, "/there/is/no/such.yaml", NULL, &kase), MGC_E_NOT_FOUND);
    ck_assert_ptr_null(kase);
    ck_assert_str_eq(mgc_ctx_error(ctx), "io: the case /there/is/no/such.yaml cannot be read: there is no such file");
    ck_assert_int_eq(mgc_case_load_file(ctx, "/", NULL, &kase), MGC_E_IO);
    ck_assert_str_eq(mgc_ctx_error(ctx), "io: the case / cannot be read: it is a folder");
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io bad input");
    TCase *tc = tcase_create("bad input");

    tcase_add_loop_test(tc, every_fault_is_told_with_its_place, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tc, all_faults_are_told_at_once_in_the_order_of_the_file);
    tcase_add_test(tc, a_thousand_faults_are_a_hundred_and_a_count);
    tcase_add_test(tc, a_case_that_cannot_be_read_at_all);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
