#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the native layer of the Python binding from the public headers.

    tools/gen_binding.py            rewrite bindings/python/mgchain/_native.py between its markers
    tools/gen_binding.py --check    change nothing; fail, and say how to mend it, where it differs

It reads the subset of C that public headers are held to (doc comment, enum, opaque handle, struct, callback, prototype)
and stops at anything else, with the line: a construct that it does not know must not become a wrong table.
"""
import argparse
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "# --- begin of what tools/gen_binding.py writes; do not edit by hand ---"
END = "# --- end of what tools/gen_binding.py writes ---"

SCALARS = {
    "double": "c_double", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
    "size_t": "c_size_t", "uint8_t": "c_uint8", "char": "c_char", "mgc_status": "c_int32",
}
# Macros with arguments that are no constants: written by hand in the binding, or of no use there.
MACROS = {"MGC_PRINTF", "MGC_SCENARIO", "MGC_STATUS_LIST", "MGC_STATUS_ENUM"}
ATTRIBUTES = {"MGC_API", "MGC_NODISCARD"}
LIMITS = {"UINT32_MAX": 2**32 - 1, "UINT64_MAX": 2**64 - 1, "INT64_MAX": 2**63 - 1}


class Unknown(Exception):
    """A construct that is not understood."""


class Header:
    """What one header declares, in its order."""

    def __init__(self, path):
        self.path = path
        text = path.read_text()
        self.lines_of(text)
        self.statuses = re.findall(r'X\((MGC_\w+),\s*(-?\d+),\s*"([^"]*)"\)', text)
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
        text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S | re.M)
        self.includes = re.findall(r'^#include "mgchain/(\w+\.h)"', text, flags=re.M)
        self.defines = []
        text = re.sub(r"^[ \t]*#.*?(?<!\\)$", self.directive, text, flags=re.S | re.M)
        text = re.sub(r"\bMGC_PRINTF\([^)]*\)", lambda m: " " * len(m[0]), text)
        self.tokens = [(m[0], number) for number, line in enumerate(text.split("\n"), 1)
                       for m in re.finditer(r"[A-Za-z_]\w*|0x[0-9a-fA-F]+\w*|\d+\w*|<<|\.\.\.|[^\s]", line)]

    def lines_of(self, text):
        if "//" in re.sub(r"/\*.*?\*/", "", text, flags=re.S):
            raise Unknown(f"{self.path}: a // comment")

    def directive(self, match):
        found = re.match(r"\s*#\s*define\s+(\w+)(\([^)]*\))?[ \t]*(.*)", match[0], flags=re.S)
        if found and not found[1].startswith("MGCHAIN_") and found[1] not in ATTRIBUTES | MACROS:
            if found[2] is not None:
                raise Unknown(f"{self.path}: macro {found[1]} has arguments")
            self.defines.append((found[1], found[3].strip()))
        return re.sub(r"[^\n]", " ", match[0])


class Parser:
    """Tokens in, declarations out."""

    def __init__(self, header, world):
        self.header, self.world, self.at = header, world, 0
        self.tokens = header.tokens

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def fail(self, what):
        line = self.tokens[min(self.at, len(self.tokens) - 1)][1]
        raise Unknown(f"{self.header.path}:{line}: {what} at {self.peek()!r}")

    def take(self, want=None):
        token = self.peek()
        if want is not None and token != want:
            self.fail(f"expected {want!r}")
        self.at += 1
        return token

    def accept(self, want):
        if self.peek() == want:
            self.at += 1
            return True
        return False

    def run(self):
        while self.peek():
            if self.accept("enum"):
                self.enum()
            elif self.accept("typedef"):
                self.typedef()
            elif self.peek() == "MGC_API":
                self.function()
            else:
                self.fail("neither enum, typedef nor MGC_API")

    def enum(self):
        self.take("{")
        if self.peek() == "MGC_STATUS_LIST" or "MGC_STATUS_ENUM" in (self.peek(), self.peek(1)):
            while not self.accept("}"):
                self.take()
            self.take(";")
            return
        value = -1
        while not self.accept("}"):
            name = self.take()
            if self.accept("="):
                value = self.expression({",", "}"})
            else:
                value += 1
            self.world.constant(name, value)
            if not self.accept(","):
                self.take("}")
                break
        self.take(";")

    def expression(self, ends):
        words, depth = [], 0
        while depth > 0 or self.peek() not in ends:
            token = self.take()
            depth += (token == "(") - (token == ")")
            words.append(token)
        return self.world.evaluate(" ".join(words), self.header.path)

    def typedef(self):
        if self.peek() == "struct" and self.peek(2) == "{":
            return self.struct()
        if self.peek() == "struct" and self.peek(3) == ";":
            self.take()
            tag = self.take()
            if self.take() != tag:
                self.fail("a struct whose names differ")
            self.take(";")
            return self.world.opaque(tag)
        base = self.base()
        name, kind = self.declarator(base)
        self.take(";")
        if name == "mgc_status":
            return None
        if kind[0] != "function":
            self.fail(f"typedef {name} is no callback")
        return self.world.callback(name, kind)

    def struct(self):
        self.take("struct")
        tag = self.take()
        self.take("{")
        fields = []
        while not self.accept("}"):
            base = self.base()
            while True:
                fields.append(self.declarator(base))
                if not self.accept(","):
                    break
            self.take(";")
        if self.take() != tag:
            self.fail("a struct whose names differ")
        self.take(";")
        self.world.struct(tag, fields)

    def base(self):
        constant = self.accept("const")
        if self.accept("struct"):
            kind = ("struct", self.take())
        else:
            word = self.take()
            if word == "void":
                kind = ("void",)
            elif word in SCALARS:
                kind = ("scalar", word)
            elif word.startswith("mgc_"):
                kind = ("name", word)
            else:
                self.at -= 1
                self.fail("a type that public headers do not use")
        constant = self.accept("const") or constant
        return kind, constant

    def declarator(self, base):
        """name and type; a callback is ("function", result, arguments)."""
        kind, constant = base
        while self.accept("*"):
            kind = ("pointer", kind, constant)
            constant = self.accept("const")
        if self.peek() == "(" and self.peek(1) == "*":
            self.take(), self.take()
            name = self.take()
            self.take(")")
            return name, ("function", kind, self.arguments())
        name = self.take()
        if not re.match(r"[A-Za-z_]\w*$", name):
            self.at -= 1
            self.fail("expected a name")
        while self.accept("["):
            kind = ("array", kind, self.expression({"]"}))
            self.take("]")
        return name, kind

    def arguments(self):
        self.take("(")
        found = []
        if self.peek() == "void" and self.peek(1) == ")":
            self.take()
        while not self.accept(")"):
            if self.accept("..."):
                found.append(("...", None))
            else:
                name, kind = self.declarator(self.base())
                found.append((name, ("pointer", kind[1], False) if kind[0] == "array" else kind))
            if not self.accept(","):
                self.take(")")
                break
        return found

    def function(self):
        while self.peek() in ATTRIBUTES:
            self.take()
        kind, constant = self.base()
        while self.accept("*"):
            kind = ("pointer", kind, constant)
            constant = self.accept("const")
        name = self.take()
        arguments = self.arguments()
        self.take(";")
        self.world.function(name, kind, arguments, self.header.path.name)


class World:
    """Everything that the headers declare, as lines of Python."""

    def __init__(self):
        self.constants, self.structs, self.opaques, self.callbacks = {}, {}, [], {}
        self.types, self.functions = [], []

    def constant(self, name, value):
        if self.constants.setdefault(name, value) != value:
            raise Unknown(f"{name} is {self.constants[name]} and {value}")

    def evaluate(self, text, path):
        plain = re.sub(r"\(\s*u?int\d+_t\s*\)", "", text)
        plain = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", plain)
        plain = re.sub(r"\b[A-Z]\w*\b", lambda m: str(LIMITS.get(m[0], self.constants.get(m[0], "?"))), plain)
        if not re.fullmatch(r"[0-9a-fxA-F\s()<|+*-]+", plain):
            raise Unknown(f"{path}: the constant {text!r} is not understood")
        return int(eval(plain, {"__builtins__": {}}))  # digits and operators only, see the line above

    def opaque(self, tag):
        if tag not in self.opaques and tag not in self.structs:
            self.opaques.append(tag)

    def callback(self, name, kind):
        self.callbacks[name] = kind
        self.types.append(f"{name} = {self.prototype(kind)}")

    def struct(self, tag, fields):
        self.opaques = [known for known in self.opaques if known != tag]
        names = [name for name, _ in fields]
        lines = []
        for at, (name, kind) in enumerate(fields):
            counted = f"{name}_len" in names or (at + 1 < len(names) and names[at + 1] == "len")
            lines.append(f'    ("{name}", {self.python(kind, text=not counted)}),')
        self.structs[tag] = fields
        self.types.append(f"{tag}._fields_ = [\n" + "\n".join(lines) + "\n]")

    def function(self, name, result, arguments, header):
        self.functions.append((name, result, arguments, header))

    # A `const char *` is text that ends in NUL unless a length stands beside it.
    def python(self, kind, text=True, result=False):
        if kind[0] == "scalar":
            return SCALARS[kind[1]]
        if kind[0] == "struct":
            return kind[1]
        if kind[0] == "name":
            return kind[1]
        if kind[0] == "array":
            return f"{self.python(kind[1])} * {kind[2]}"
        if kind[0] == "function":
            return self.prototype(kind)
        if kind[0] == "pointer":
            inner = kind[1]
            if inner == ("void",):
                return "c_void_p"
            if inner == ("scalar", "char") and kind[2] and text:
                return "c_char_p"
            if inner[0] == "name" and inner[1] in self.callbacks:
                return f"POINTER({inner[1]})"
            return f"POINTER({self.python(inner, text=text)})"
        raise Unknown(f"type {kind}")

    def prototype(self, kind):
        """A callback.  ctypes cannot make one that answers a typed pointer: an address then."""
        result, arguments = kind[1], kind[2]
        answer = "None" if result == ("void",) else "c_void_p" if result[0] == "pointer" else self.python(result)
        return f"CFUNCTYPE({', '.join([answer, *self.parameters(arguments)])})"

    def parameters(self, arguments, incoming=True):
        found = []
        for at, (name, kind) in enumerate(arguments):
            if name == "...":
                continue
            after = arguments[at + 1][0] if at + 1 < len(arguments) else ""
            length = after in ("len", f"{name}_len")
            counted = length and (incoming or (kind[0] == "pointer" and kind[1][0] == "pointer"))
            found.append(self.python(kind, text=not counted))
        return found


def emit(headers):
    world = World()
    out = []
    statuses = [status for header in headers for status in header.statuses]
    for name, number, _ in statuses:
        world.constant(name, int(number))
    core = {"base.h"} | {inner for header in headers if header.path.name == "mgchain.h" for inner in header.includes}
    for header in headers:
        Parser(header, world).run()
        for name, text in header.defines:
            world.constant(name, world.evaluate(text, header.path))
    out += ["# Every status: number and meaning.", "STATUS = {"]
    out += [f'    "{name}": ({number}, "{text}"),' for name, number, text in statuses]
    out += ["}", "", "# Constants."]
    out += [f"{name} = {value}" for name, value in world.constants.items()]
    out += ["", "", "# Handles, which only the library looks into."]
    for tag in world.opaques:
        out += [f"class {tag}(Structure):", "    pass", "", ""]
    out += ["# Structs; their fields follow, in the order of the headers, between the callbacks that they need."]
    for tag in world.structs:
        out += [f"class {tag}(Structure):", "    pass", "", ""]
    out += world.types
    out += ["", "# Name, library, whether it takes more arguments than named, result, arguments.", "PROTOTYPES = ["]
    for name, result, arguments, header in world.functions:
        answer = "None" if result == ("void",) else world.python(result)
        parameters = world.parameters(arguments, incoming=False)
        more = any(argument[0] == "..." for argument in arguments)
        library = "core" if header in core else "io"
        comma = "," if len(parameters) == 1 else ""
        out.append(f'    ("{name}", "{library}", {more}, {answer}, ({", ".join(parameters)}{comma})),')
    out += ["]"]
    return "\n".join(out)


def ordered(folder):
    """Headers so that each comes after those that it includes."""
    headers = {path.name: Header(path) for path in sorted(folder.glob("*.h"))}
    done = []

    def visit(name):
        if headers[name] not in done:
            for inner in headers[name].includes:
                visit(inner)
            done.append(headers[name])

    for name in headers:
        visit(name)
    return done


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="change nothing; fail where the file differs")
    arguments.add_argument("--include", type=pathlib.Path, default=ROOT / "include" / "mgchain",
                           help="folder of the headers")
    arguments.add_argument("--file", type=pathlib.Path, default=ROOT / "bindings" / "python" / "mgchain" / "_native.py")
    given = arguments.parse_args()
    try:
        made = emit(ordered(given.include))
    except Unknown as error:
        print(f"gen_binding: {error}", file=sys.stderr)
        return 2
    old = given.file.read_text()
    head, _, rest = old.partition(BEGIN)
    _, _, tail = rest.partition(END)
    new = f"{head}{BEGIN}\n{made}\n{END}{tail}"
    if new == old:
        return 0
    if given.check:
        difference = difflib.unified_diff(old.splitlines(), new.splitlines(), "as it stands", "as the headers say",
                                          lineterm="", n=0)
        print("\n".join(list(difference)[:40]))
        print("the native layer of the Python binding is not what the headers say; mend it by: tools/gen_binding.py")
        return 1
    given.file.write_text(new)
    print(f"{given.file}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
