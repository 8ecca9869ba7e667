# SPDX-License-Identifier: Apache-2.0
"""What the public headers declare, read through the compiler's own preprocessor.

read() gives a plain dictionary (see describe-abi for its shape); measure() adds sizes, offsets and values as a
compiler sees
them.  Everything that guards, records or binds the ABI starts here, so that there is one reading of the headers.
"""
import json
import pathlib
import re
import shlex
import subprocess
import tempfile

LIBRARIES = {"mgchain": "libmgchain.map", "mgchain-io": "io/libmgchain-io.map"}
IO_HEADERS = {"io.h", "report.h"}


class Unreadable(Exception):
    """A declaration that this reader, and so everything built on it, does not understand."""


def library_of(header):
    return "mgchain-io" if header in IO_HEADERS else "mgchain"


def headers_in(include):
    return sorted(path.name for path in (pathlib.Path(include) / "mgchain").glob("*.h"))


def _source(include):
    return "".join(f"#include <mgchain/{name}>\n" for name in headers_in(include))


def _preprocess(include, cc, *flags):
    done = subprocess.run([*shlex.split(cc), "-std=c11", "-E", *flags, f"-I{include}", "-x", "c", "-"],
                          input=_source(include),
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Unreadable(done.stderr.strip())
    return done.stdout


def _own_text(include, cc):
    """(header, text) pieces of the public headers alone, comments kept, in order."""
    own, pieces, current = re.compile(r".*/mgchain/([a-z_]+\.h)$"), [], None
    for line in _preprocess(include, cc, "-C").splitlines():
        marker = re.match(r'#\s+(\d+)\s+"([^"]*)"', line)
        if marker:
            found = own.match(marker[2])
            current = found[1] if found else None
            continue
        if current is None:
            continue
        if not pieces or pieces[-1][0] != current:
            pieces.append((current, []))
        pieces[-1][1].append(line)
    return [(header, "\n".join(lines)) for header, lines in pieces]


TOKEN = re.compile(r"(?P<comment>/\*.*?\*/)|(?P<word>[A-Za-z_]\w*)|(?P<number>\d\w*)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<dots>\.\.\.)"
                   r"|(?P<sign><<|>>|[^\s])", re.S)


def _tokens(text):
    return [match[0] for match in TOKEN.finditer(text)]


def _doc(comment):
    """The words of a comment, its frame taken away."""
    body = re.sub(r"^/\*+<?|\*/$", "", comment)
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in body.splitlines()]
    return "\n".join(lines).strip()


def _statements(text):
    """[doc comment, tokens, comments behind it, comment of the group @{ ... @} that it is in] for each statement."""
    tokens, doc, depth, group = [], "", 0, ""
    result = []
    for token in _tokens(text):
        if token.startswith("/*"):
            if not tokens and token.startswith("/**") and not token.startswith("/**<"):
                doc = _doc(token)
                if doc == "@}":
                    doc = group = ""
                elif "@{" in doc:
                    doc = group = doc.replace("@{", "").strip()
            elif not tokens and token.startswith("/**<") and result:
                result[-1][2].append(token)
            elif tokens:
                tokens.append(token)
            continue
        tokens.append(token)
        depth += (token in "({[") - (token in ")}]") if len(token) == 1 else 0
        if token == ";" and depth == 0:
            result.append([doc, tokens[:-1], [], group])
            tokens, doc = [], ""
    if [t for t in tokens if not t.startswith("/*")]:
        raise Unreadable("a declaration without an end: " + " ".join(tokens[:12]))
    return result


def _closing(tokens, opening):
    pairs, depth = {"(": ")", "{": "}", "[": "]"}, 0
    close = pairs[tokens[opening]]
    for at in range(opening, len(tokens)):
        depth += (tokens[at] == tokens[opening]) - (tokens[at] == close)
        if depth == 0:
            return at
    raise Unreadable("unbalanced: " + " ".join(tokens[:12]))


def _split(tokens, separator):
    parts, part, depth = [], [], 0
    for token in tokens:
        depth += (token in ("(", "{", "[")) - (token in (")", "}", "]"))
        if token == separator and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(token)
    return parts + ([part] if part else [])


def _type(tokens):
    """Words of a type in one spelling: "const char *const *"."""
    text = " ".join(tokens)
    text = re.sub(r"\*\s+", "*", re.sub(r"\s*\*", " *", text))
    text = re.sub(r" \*(?= \*)", " *", text)
    return re.sub(r"(?<=\*) (?=\*)", "", re.sub(r"\*const\b", "*const", text)).strip()


def _bare(tokens):
    return [token for token in tokens if not token.startswith("/*")]


def _declarator(tokens):
    """One declared name with its type: {"name", "type"} and, where it is so, "array" or "callback"."""
    tokens = _bare(tokens)
    if "(" in tokens and tokens[tokens.index("(") + 1] == "*":          # T (*name)(params)
        opening = tokens.index("(")
        closing = _closing(tokens, opening)
        if tokens[closing + 1] != "(":
            raise Unreadable("a declarator that is not understood: " + " ".join(tokens))
        callback = {"returns": _type(tokens[:opening]), "params": _params(tokens[closing + 2:-1])}
        spelled = f"{callback['returns']} (*)({', '.join(p['type'] for p in callback['params'])})"
        return {"name": tokens[opening + 2], "type": spelled, "callback": callback}
    array = []
    while tokens and tokens[-1] == "]":
        opening = len(tokens) - 1
        while tokens[opening] != "[":
            opening -= 1
        array.insert(0, " ".join(tokens[opening + 1:-1]))
        tokens = tokens[:opening]
    named = len(tokens) > 1 and re.match(r"[A-Za-z_]",
                                         tokens[-1]) and tokens[-1] not in {"const", "int", "void", "char", "double"}
    found = {"name": tokens[-1] if named else "", "type": _type(tokens[:-1] if named else tokens)}
    if array:
        found["array"] = array
    return found


def _params(tokens):
    if _bare(tokens) == ["void"]:
        return []
    return [_declarator(part) if _bare(part) != ["..."] else {"name": "...",
                                                              "type": "..."} for part in _split(tokens, ",")]


def _without_attributes(tokens):
    """Tokens without __attribute__((...)); and the attributes' words."""
    kept, words, at = [], set(), 0
    while at < len(tokens):
        if tokens[at] == "__attribute__":
            end = _closing(tokens, at + 1)
            words.update(tokens[at + 2:end])
            at = end + 1
        else:
            kept.append(tokens[at])
            at += 1
    return kept, words


def _fields(tokens):
    """Fields of a struct; a doc comment before a field, or /**< behind it, is its own."""
    fields, part, doc = [], [], ""
    latest = []
    for token in tokens:
        if token.startswith("/*"):
            if token.startswith("/**<"):
                for field in latest:
                    field["doc"] = (field["doc"] + "\n" + _doc(token)).strip()
            elif token.startswith("/**") and not part:
                doc = _doc(token)
            continue
        if token != ";" or part.count("(") != part.count(")"):
            part.append(token)
            continue
        if part[0] in ("struct", "union", "enum"):
            raise Unreadable("a struct within a struct: " + " ".join(part))
        names = _split(part, ",")
        latest = [_declarator(names[0])]
        base = [t for t in names[0][:-1] if t != "*"] if "(" not in names[0] else []
        while base and base[-1] in ("]", "["):
            raise Unreadable("several arrays in one declaration: " + " ".join(part))
        for further in names[1:]:
            latest.append(_declarator(base + further))
        for field in latest:
            field["doc"] = doc
        fields += latest
        part, doc = [], ""
    return fields


def _enumerators(tokens, doc):
    entries = []
    for part in _split(tokens, ","):
        words = _bare(part)
        comments = [t for t in part if t.startswith("/**<")]
        leading = part.index(words[0]) if words else len(part)
        for comment in [t for t in part[:leading] if t.startswith("/**<")]:      # behind the comma of the one before
            entries[-1]["doc"] = _doc(comment)
            comments = [c for c in comments if c is not comment]
        if words:
            entries.append({"name": words[0], "doc": _doc(comments[0]) if comments else "", "group": doc})
    return entries


def _since(doc):
    found = re.search(r"Since\s+(\d+\.\d+)", doc)
    return found[1] if found else ""


def read(include, cc="cc"):
    """All that the headers under include/mgchain declare."""
    model = {"functions": [], "structs": [], "opaque": [], "types": [], "constants": []}
    for header, text in _own_text(include, cc):
        for doc, tokens, behind, group in _statements(text):
            tokens, words = _without_attributes(tokens)
            bare = _bare(tokens)
            place = {"header": header, "library": library_of(header)}
            if bare[0] == "enum":
                body = tokens[tokens.index("{") + 1:_closing(tokens, tokens.index("{"))]
                model["constants"] += [dict(entry, **place) for entry in _enumerators(body, doc)]
            elif bare[:2] == ["typedef", "struct"] and "{" in bare:
                opening = tokens.index("{")
                body = tokens[opening + 1:_closing(tokens, opening)]
                model["structs"].append(dict(place, name=bare[-1], doc=doc, fields=_fields(body)))
            elif bare[:2] == ["typedef", "struct"]:
                model["opaque"].append(dict(place, name=bare[-1], doc=doc))
            elif bare[0] == "typedef":
                found = _declarator(bare[1:])
                model["types"].append(dict(place, **found, doc=doc))
            elif "(" in bare and "default" in " ".join(words):
                opening = bare.index("(")
                text_of = "\n".join([doc] + [_doc(c) for c in behind]).strip()
                params = _params(bare[opening + 1:-1])
                model["functions"].append(dict(place, name=bare[opening - 1],
                                               returns=_type(bare[:opening - 1]), params=params,
                                               nodiscard="warn_unused_result" in words,
                                               since=_since(text_of) or _since(group),
                                               doc=text_of, group=group))
            else:
                raise Unreadable(f"{header}: neither type, constant nor MGC_API function: " + " ".join(bare[:12]))
    model["opaque"] = [o for o in model["opaque"] if o["name"] not in {s["name"] for s in model["structs"]}]
    model["constants"] += _macros(include, cc, {c["name"] for c in model["constants"]})
    return model


def _macros(include, cc, known):
    """Constants that are macros: an MGC_ name with a value and without arguments."""
    found = []
    for line in _preprocess(include, cc, "-dM").splitlines():
        match = re.match(r"#define (MGC_[A-Z0-9_]+) (.+)$", line)
        if match and match[1] not in known and "__attribute__" not in match[2]:
            header = next(name for name in headers_in(include)
                          if f"#define {match[1]} " in (pathlib.Path(include) / "mgchain" / name).read_text())
            found.append({"name": match[1], "doc": "", "group": "", "header": header, "library": library_of(header),
                          "macro": match[2]})
    return sorted(found, key=lambda constant: constant["name"])


def probe(model, include):
    """A C program that prints what a compiler makes of the model: sizes, offsets, values."""
    lines = ["#include <stddef.h>", "#include <stdio.h>", _source(include),
             "#define P(key, value) printf(\"%s %zu\\n\", key, (size_t)(value))",
             "#define C(name) printf((name) < 0 ? \"" +
             "c %s %lld\\n\" : \"c %s %llu\\n\", #name, (unsigned long long)(name))",
             "int main(void)", "{"]
    for struct in model["structs"]:
        name = struct["name"]
        lines += [f'    P("s {name}", sizeof({name}));', f'    P("a {name}", _Alignof({name}));']
        for field in struct["fields"]:
            lines += [f'    P("o {name} {field["name"]}", offsetof({name}, {field["name"]}));',
                      f'    P("z {name} {field["name"]}", sizeof((({name} *)0)->{field["name"]}));']
    lines += [f"    C({constant['name']});" for constant in model["constants"]]
    return "\n".join(lines + ["    return 0;", "}"]) + "\n"


def apply_probe(model, text):
    """Write the probe's answers into the model."""
    answers = dict(line.rsplit(" ", 1) for line in text.splitlines())
    for struct in model["structs"]:
        struct["size"], struct["align"] = int(answers[f"s {struct['name']}"]), int(answers[f"a {struct['name']}"])
        for field in struct["fields"]:
            field["offset"] = int(answers[f"o {struct['name']} {field['name']}"])
            field["size"] = int(answers[f"z {struct['name']} {field['name']}"])
    for constant in model["constants"]:
        constant["value"] = int(answers[f"c {constant['name']}"])
    return model


def measure(model, include, cc="cc"):
    """Compile and run the probe here."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder) / "probe.c", pathlib.Path(folder) / "probe"
        source.write_text(probe(model, include))
        subprocess.run([*shlex.split(cc), "-std=c11", "-O0", "-w", f"-I{include}", str(source), "-o", str(program)],
                       check=True)
        return apply_probe(model, subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout)


def stub(model, library, include):
    """C source of a library with the same functions and nothing in them: its debug information is the headers' and no
    more."""
    lines = [_source(include)]
    for function in model["functions"]:
        if function["library"] == library:
            params = ", ".join(p["type"] if p["type"] == "..." else f"{p['type']} {p['name']}"
                               for p in function["params"])
            lines.append(f"{function['returns']} {function['name']}({params or 'void'}) {{ for (;;) {{ }} }}")
    return "\n".join(lines) + "\n"


def build_stub(model, library, include, shared, map_text, cc="gcc"):
    """Compile the stub into a shared library, its symbols in the nodes of a map."""
    source, map_file = pathlib.Path(shared).with_suffix(".c"), pathlib.Path(shared).with_suffix(".map")
    source.write_text(stub(model, library, include))
    map_file.write_text(map_text)
    subprocess.run([*shlex.split(cc), "-std=c11", "-g", "-O0", "-w", "-fPIC", "-shared", f"-I{include}",
                    f"-Wl,-soname,lib{library}.so.0",
                    f"-Wl,--version-script={map_file.name}", source.name, "-o", str(pathlib.Path(shared).resolve())],
                   check=True, cwd=source.parent)


def size_first(struct):
    """Does the struct begin with its own size, and so may it grow?"""
    first = struct["fields"][0]
    return first["name"] == "struct_size" and first["type"] == "size_t"


def dump(model, file):
    json.dump(model, file, indent=1, sort_keys=True)
    file.write("\n")
