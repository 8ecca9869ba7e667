# SPDX-License-Identifier: Apache-2.0
"""The layout and constants record: its text, and what may differ between a recorded and a present one.

One line each, so that a change shows as what it is in a diff:

  struct NAME size S align A [first F]     first: its first field is its own size, and F was its size when it was
  first released
    field NAME OFFSET SIZE TYPE
  constant NAME VALUE
  function NAME RETURNS (TYPES)
  callback NAME TYPE
  handle NAME
"""
import re

import abi_model


def _struct_lines(struct, first):
    head = f"struct {struct['name']} size {struct['size']} align {struct['align']}"
    if abi_model.size_first(struct):
        head += f" first {first.get(struct['name'], struct['size'])}"
    lines = [head]
    for field in struct["fields"]:
        array = "".join(f"[{n}]" for n in field.get("array", []))
        lines.append(f"  field {field['name']} {field['offset']} {field['size']} {field['type']}{array}")
    return lines


def render(model, library, first=None):
    """The record of one library; first: sizes in the first release, where they differ from now."""
    mine = [dict(kind=kind, **thing) for kind in ("structs", "opaque", "types", "constants",
                                                  "functions") for thing in model[kind]
            if thing["library"] == library]
    lines = []
    for thing in mine:
        name, kind = thing["name"], thing["kind"]
        if kind == "structs":
            lines += _struct_lines(thing, first or {})
        elif kind == "opaque":
            lines.append(f"handle {name}")
        elif kind == "types":
            lines.append(f"callback {name} {thing['type']}")
        elif kind == "constants":
            lines.append(f"constant {name} {thing['value']}")
        else:
            lines.append(f"function {name} {thing['returns']} ({', '.join(p['type'] for p in thing['params'])})")
    return "# SPDX-License-Identifier: Apache-2.0\n# Written by tools/record-abi.\n" + "\n".join(lines) + "\n"


def parse(text):
    """{"struct": {name: {size, align, first, fields: [(name, offset, size, type)]}}, "constant": {...}, "function":
    {...}, ...}."""
    record = {"struct": {}, "constant": {}, "function": {}, "callback": {}, "handle": {}}
    struct = None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  field "):
            _, name, offset, size, kind = line.split(None, 4)
            struct["fields"].append((name, int(offset), int(size), kind))
            continue
        word, name, rest = (line.split(None, 2) + [""])[:3]
        if word == "struct":
            found = re.match(r"size (\d+) align (\d+)(?: first (\d+))?$", rest)
            struct = {"size": int(found[1]), "align": int(found[2]),
                      "first": int(found[3]) if found[3] else 0, "fields": []}
            record["struct"][name] = struct
        else:
            record[word][name] = rest
    return record


def first_sizes(record):
    return {name: struct["first"] for name, struct in record["struct"].items() if struct["first"]}


def _struct_breaks(name, old, new):
    if bool(old["first"]) != bool(new["first"]):
        yield f"{name} {'no longer begins' if old['first'] else 'now begins'} with its own size"
    for before, now in zip(old["fields"], new["fields"]):
        if before != now:
            yield (f"{name}.{before[0]} was at {before[1]}, {before[2]} bytes, {before[3]}; "
                   f"there is now {now[0]} at {now[1]}, {now[2]} bytes, {now[3]}")
            return
    for gone in old["fields"][len(new["fields"]):]:
        yield f"{name}.{gone[0]} is gone"
    added = new["fields"][len(old["fields"]):]
    if added and not old["first"]:
        yield f"{name} grew by {added[0][0]}, but does not begin with its own size"
    for field in added:
        if field[1] < old["size"]:
            yield (f"{name}.{field[0]} stands at {field[1]}, within the {old['size']} bytes that older callers own: "
                   "pad before it")
    if new["align"] != old["align"] or (not added and new["size"] != old["size"]):
        yield f"{name} had {old['size']} bytes aligned to {old['align']}, now {new['size']} aligned to {new['align']}"


def breaks(old, new):
    """What a program compiled against the old record would stumble over; additions are none of it."""
    found = []
    for name, struct in old["struct"].items():
        if name not in new["struct"]:
            found.append(f"struct {name} is gone")
        else:
            found += _struct_breaks(name, struct, new["struct"][name])
    for kind in ("constant", "function", "callback", "handle"):
        for name, what in old[kind].items():
            if name not in new[kind] and not (kind == "handle" and name in new["struct"]):
                found.append(f"{kind} {name} is gone")
            elif name in new[kind] and new[kind][name] != what:
                found.append(f"{kind} {name} was {what}, is {new[kind][name]}")
    return found


def hidden_padding(record):
    """Bytes of size-first structs that no field names: they would carry garbage."""
    for name, struct in record["struct"].items():
        at = 0
        for field, offset, size, _ in struct["fields"] + [("its end", struct["size"], 0, "")]:
            if struct["first"] and offset != at:
                yield f"{name}: {offset - at} nameless bytes before {field}; name them reservedN"
            at = offset + size
