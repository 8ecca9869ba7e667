#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ABI is guarded three times, since each guard has a blind side; and each guard is shown to see what it is for.

  exports    what headers declare = what the symbol map records = what the libraries export, every name with the prefix
  layout     sizes, offsets, constants and signatures as the compiler sees them against the record in this folder
  abidiff    the libraries' debug information against the record in this folder (libabigail; skipped where not installed)

The plants are faults in copies of headers, map and library.  A guard that does not turn red on its plant fails.

Prints TAP.  Usage: guards.py SOURCE_ROOT PROBE_OUTPUT CC SHARED_LIBRARY... [--static ARCHIVE]... [--no-abidiff REASON]
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import abi_model  # noqa: E402
import abi_record  # noqa: E402

GEN_MAP = HERE.parent.parent / "tools" / "gen-map"
MEND = "; where it is meant and no release has it: tools/record-abi"


# --- the guards: each answers with what is wrong -----------------------------------------------------------------------

def run_gen_map(include, map_file=None):
    command = [sys.executable, str(GEN_MAP), "--check", "--include",
               str(include)] + (["--map", str(map_file)] if map_file else [])
    done = subprocess.run(command, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line] + done.stderr.splitlines()


def map_symbols(path):
    """{symbol: node}."""
    text = re.sub(r"#.*", "", path.read_text())
    return {symbol.strip(): node for node, body in re.findall(r"([\w.]+)\s*\{(.*?)\}", text, flags=re.S)
            for symbol in body.split("local:")[0].replace("global:", "").split(";") if symbol.strip()}


def exported(shared):
    """{symbol: node}."""
    out = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", str(shared)], check=True,
                         capture_output=True,
                         text=True).stdout
    names = [line.split()[2] for line in out.splitlines() if len(line.split()) == 3 and line.split()[1] != "A"]
    return dict(re.split("@+", name + "@", maxsplit=1) for name in names)


def export_faults(shared, map_file):
    found, recorded = {n: v.strip("@") for n, v in exported(shared).items()}, map_symbols(map_file)
    faults = [f"{name} is recorded in {map_file.name} and not exported: is it defined, with MGC_API?"
              for name in sorted(set(recorded) - set(found))]
    faults += [f"{name} is exported and not recorded: run tools/gen-map" for name in sorted(set(found) - set(recorded))]
    faults += [f"{name} is exported in node {found[name]}, recorded in {recorded[name]}"
               for name in sorted(set(found) & set(recorded))
               if found[name] != recorded[name]]
    return faults + [f"{name} has no prefix mgc_" for name in sorted(found) if not name.startswith("mgc_")]


def static_faults(archive):
    out = subprocess.run(["nm", "-g", "--defined-only", str(archive)], check=True, capture_output=True, text=True).stdout
    names = {line.split()[2] for line in out.splitlines() if len(line.split()) == 3}
    foreign = re.compile(r"mgc_|__|\.|asan|_GLOBAL_|DW\.")
    return [f"{archive.name}: {name} has no prefix mgc_" for name in sorted(names) if not foreign.match(name)]


# Functions of CHOLMOD's LGPL modules (Core, Check, Cholesky, Partition) that the library may call; NOTICE names them.
CHOLMOD = {"start", "finish", "amd", "camd", "analyze", "factorize", "solve2", "free_dense", "free_factor"}


def import_faults(shared):
    out = subprocess.run(["nm", "-D", "--undefined-only", str(shared)], check=True, capture_output=True, text=True).stdout
    return [f"{name} is imported; NOTICE and this test know it not: is it of an LGPL module?"
            for name in sorted(set(re.findall(r"\bcholmod_\w+", out)) - {"cholmod_" + word for word in CHOLMOD})]


def since_faults(model, root):
    nodes = {symbol: node.rsplit("_", 1)[1] for file in abi_model.LIBRARIES.values() for symbol,
             node in map_symbols(root / "lib" / file).items()}
    for function in model["functions"]:
        if function["name"] in nodes and function["since"] != nodes[function["name"]]:
            said = f"Since {function['since']}" if function["since"] else "no Since"
            node = nodes[function["name"]]
            yield f"{function['header']}: {function['name']} has {said} in its comment; its node is {node}"


def layout_faults(model, recorded_text, library):
    present = abi_record.parse(abi_record.render(model, library))
    return [what + MEND for what in abi_record.breaks(abi_record.parse(recorded_text), present)]


ALLOWED = {"double", "int32_t", "int64_t", "uint32_t", "uint64_t", "uint8_t", "size_t", "void", "char",
           "mgc_status", "..."}


def type_faults(model):
    """Only types whose size nobody else decides."""
    known = ALLOWED | {thing["name"] for kind in ("structs", "opaque", "types") for thing in model[kind]}
    used = [(f["name"], t) for f in model["functions"] for t in [f["returns"]] + [p["type"] for p in f["params"]]]
    used += [(f"{s['name']}.{f['name']}", f["type"]) for s in model["structs"] for f in s["fields"]]
    for owner, spelled in used:
        words = set(re.findall(r"[a-z_]\w*", spelled)) - {"const", "struct"}
        plain_char = spelled == "char" and "." not in owner
        if not words <= known or plain_char:
            yield f"{owner}: type {spelled} is not one whose size this library decides"


FIRST_SIZE_CALL = re.compile(r"\b(mgc__opts_read|mgc__info_write|mgc_struct_read|mgc_struct_write)\(")


def first_size_faults(root, records):
    """Every size "in the first release" that the library's code names is the recorded one: MGC__FIRST_SIZE(struct,
    last field then)."""
    last = {}
    for record in records:
        for name, struct in record["struct"].items():
            if struct["first"]:
                last[name] = [f[0] for f in struct["fields"] if f[1] < struct["first"]][-1]
    for path in sorted((root / "lib").rglob("*.c")):
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), path.read_text(), flags=re.S)
        for match in FIRST_SIZE_CALL.finditer(text):
            statement = text[match.start():text.index(";", match.start())]
            if path.parent.name == "base" and "FIRST_SIZE" not in statement and path.name in ("opts.c", "companion.c"):
                continue  # the definitions themselves
            place = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            named = re.search(r"MGC__FIRST_SIZE\((\w+),\s*(\w+)\)", statement)
            if not named:
                yield (f"{place}: the size in the first release must be MGC__FIRST_SIZE(struct, last field), "
                       "or it grows with the struct")
            elif last.get(named[1]) != named[2]:
                yield (f"{place}: MGC__FIRST_SIZE({named[1]}, {named[2]}): the recorded last field of the first release "
                       f"is {last.get(named[1])}")


def abidiff_faults(baseline, shared):
    """No --headers-dir: libabigail 2.2 then takes every type of the library for a private one and sees nothing."""
    command = ["abidiff", "--no-added-syms", "--suppressions", str(HERE / "abidiff.suppr"), str(baseline), str(shared)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    return [line for line in (done.stdout +
                              done.stderr).splitlines() if line.strip()][:60] or [f"abidiff ended with {done.returncode}"]


def suppression_faults(model, suppressions):
    named = set(re.search(r"name_regexp = \^\((.*)\)\$", suppressions.read_text())[1].split("|"))
    grows = {s["name"] for s in model["structs"] if abi_model.size_first(s)}
    return [f"{name} is in {suppressions.name} and does not begin with its size" + MEND for name in sorted(named - grows)]


# --- plants ------------------------------------------------------------------------------------------------------------

class Plants:
    """Copies of headers, map and library with one fault each."""

    def __init__(self, root, cc, archives, folder):
        self.root, self.cc, self.archives, self.folder, self.count = root, cc, archives, pathlib.Path(folder), 0
        self.records = {name: (HERE / f"lib{name}.txt").read_text() for name in abi_model.LIBRARIES}

    def headers(self, *changes):
        """Include folder with some places of headers changed: (header, old text, new text) each."""
        self.count += 1
        include = self.folder / f"include{self.count}"
        shutil.copytree(self.root / "include", include)
        for header, old, new in changes:
            path = include / "mgchain" / header
            text = path.read_text()
            assert text.count(old) >= 1, f"plant: {header} has no {old!r}"
            path.write_text(text.replace(old, new, 1))
        return include

    def model(self, include):
        return abi_model.measure(abi_model.read(include, self.cc), include, self.cc)

    def layout(self, *changes):
        return layout_faults(self.model(self.headers(*changes)), self.records["mgchain"], "mgchain")

    def stub(self, library="mgchain", *changes):
        """A library of empty functions out of headers, changed or not."""
        include = self.headers(*changes) if changes else self.root / "include"
        shared = self.folder / f"lib{library}-{self.count}.so"
        recorded = (self.root / "lib" / abi_model.LIBRARIES[library]).read_text()
        abi_model.build_stub(abi_model.read(include, self.cc), library, include, shared,
                             recorded.replace("global:\n", "global:\n    mgc_fresh;\n", 1))
        return shared

    def abidiff(self, *changes):
        return abidiff_faults(HERE / "libmgchain.abi", self.stub("mgchain", *changes))

    def old_baseline(self, shared, *changes):
        """The real library against a baseline of headers that were otherwise."""
        stub = self.stub("mgchain", *changes)
        baseline = stub.with_suffix(".abi")
        subprocess.run(["abidw", "--no-show-locs", "--no-corpus-path", "--out-file", str(baseline), str(stub)],
                       check=True)
        return abidiff_faults(baseline, shared)

    def relinked(self, edit, further=""):
        """The real objects, and a further source, linked again with an edited map."""
        self.count += 1
        map_file, shared = self.folder / f"map{self.count}", self.folder / f"libmgchain-{self.count}.so"
        source = self.folder / f"further{self.count}.c"
        source.write_text(further)
        map_file.write_text(edit((self.root / "lib" / "libmgchain.map").read_text()))
        subprocess.run([*self.cc.split(), "-shared", "-fPIC", "-o", str(shared), str(source), "-Wl,--whole-archive",
                        *map(str, self.archives[:1]),
                        "-Wl,--no-whole-archive", "-Wl,-soname,libmgchain.so.0", f"-Wl,--version-script={map_file}"],
                       check=True)
        return shared


SWAP = ("program.h", "    uint32_t nodes;      /**< branch-and-bound nodes */\n    uint32_t reserved0;\n",
        "    uint32_t reserved0;\n    uint32_t nodes;      /**< branch-and-bound nodes */\n")
RENUMBER = ("base.h", "MGC_OUTCOME_LIMIT = 4", "MGC_OUTCOME_LIMIT = 14")
STATUS = ("base.h", "X(MGC_E_STOPPED, -7,", "X(MGC_E_STOPPED, -17,")
MACRO = ("robust.h", "#define MGC_RECOURSE 1u", "#define MGC_RECOURSE 2u")
ARGUMENT = ("base.h", "mgc_outcome_name(uint32_t outcome)", "mgc_outcome_name(uint64_t outcome)")
DROP = ("base.h", "MGC_API uint32_t mgc_version(void);", "")
GROW = ("base.h", "    uint32_t reserved0; /**< 0 */\n} mgc_ctx_opts;",
        "    uint32_t reserved0; /**< 0 */\n    uint64_t fresh;\n} mgc_ctx_opts;")
GROW_FIXED = ("base.h", "\n} mgc_allocator;", "\n    uint64_t fresh;\n} mgc_allocator;")
INSERT = ("base.h", "    size_t struct_size;\n    const mgc_allocator",
          "    size_t struct_size;\n    uint64_t fresh;\n    const mgc_allocator")
HOLE = ("base.h", "    uint32_t reserved0; /**< 0 */\n} mgc_ctx_opts;",
        "    uint32_t reserved0; /**< 0 */\n    uint32_t fresh;\n} mgc_ctx_opts;")
FRESH = ("base.h", "MGC_API uint32_t mgc_version(void);",
         "MGC_API uint32_t mgc_version(void);\nMGC_API void mgc_fresh(void);")
SIZE = ("base.h", "mgc_ctx_create(const mgc_ctx_opts *opts, mgc_ctx **out)",
        "mgc_ctx_create(const mgc_ctx_opts *opts, mgc_ctx *out)")
LONG = ("base.h", "mgc_outcome_name(uint32_t outcome)", "mgc_outcome_name(long outcome)")


def red(faults, word):
    return [] if any(word in fault for fault in faults) else [f"the plant was not seen; found instead: "
                                                              f"{list(faults)[:3]}"]


def green(faults):
    return [f"told of what is allowed: {fault}" for fault in faults]


def export_plants(plants):
    without = plants.relinked(lambda text: text.replace("    mgc_version;\n", "", 1))
    more = plants.relinked(lambda text: text.replace("    mgc_version;\n",
                                                     "    mgc_version;\n    mgc_stray;\n    stray;\n", 1),
                           "void mgc_stray(void); void mgc_stray(void) {}\nvoid stray(void); void stray(void) {}\n")
    own_map = plants.root / "lib" / "libmgchain.map"
    yield "plant: a symbol dropped from the library", red(export_faults(without, own_map), "mgc_version is recorded")
    yield "plant: symbols exported that no map records", red(export_faults(more, own_map),
                                                             "mgc_stray is exported and not recorded")
    yield "plant: a symbol without prefix exported", red(export_faults(more, own_map), "stray has no prefix mgc_")
    yield "plant: a function declared and not recorded", red(run_gen_map(plants.headers(FRESH)),
                                                             "lacks mgc_fresh: run tools/gen-map")
    yield "plant: a recorded function gone from the headers", red(run_gen_map(plants.headers(DROP)), "names mgc_version")


def layout_plants(plants):
    """Plants that do not touch each other share one reading of the headers: each must be told by itself."""
    faults = plants.layout(SWAP, RENUMBER, STATUS, MACRO, ARGUMENT, DROP, INSERT, GROW_FIXED)
    for what, word in (("two fields swapped", "mgc_program_info.nodes was at"),
                       ("a constant renumbered", "constant MGC_OUTCOME_LIMIT was 4, is 14"),
                       ("a status renumbered", "constant MGC_E_STOPPED was -7, is -17"),
                       ("a macro renumbered", "constant MGC_RECOURSE was 1, is 2"),
                       ("an argument's type changed", "function mgc_outcome_name was"),
                       ("a function dropped from the headers", "function mgc_version is gone"),
                       ("a field inserted", "mgc_ctx_opts.allocator was at"),
                       ("a struct without its own size grown", "mgc_allocator grew by fresh")):
        yield f"plant: {what}", red(faults, word)
    yield "no plant: a struct with its own size grown at the end", green(plants.layout(GROW))
    grown = plants.model(plants.headers(HOLE, LONG))
    nameless = list(abi_record.hidden_padding(abi_record.parse(abi_record.render(grown, "mgchain"))))
    yield "plant: nameless bytes", red(nameless, "mgc_ctx_opts: 4 nameless bytes")
    yield "plant: a long in a signature", red(list(type_faults(grown)), "type long")


def abidiff_plants(plants, shared):
    faults = plants.abidiff(ARGUMENT, DROP, INSERT)
    yield "plant: abidiff and an argument's type changed", red(faults, "type name changed from 'unsigned int'")
    yield "plant: abidiff and a function dropped", red(faults, "[D] 'function uint32_t mgc_version()'")
    yield "plant: abidiff and a field inserted", red(faults, "'uint64_t fresh', at offset 64")
    yield "no plant: abidiff, a struct grown at the end and a fresh function", green(plants.abidiff(GROW, FRESH))
    faults = plants.old_baseline(shared, SIZE, INSERT)
    wanted = "parameter 2 of type 'mgc_ctx*' changed"
    yield "plant: abidiff, the library and an argument that was another", red(faults, wanted)
    yield "plant: abidiff, the library and a field that was not there", red(faults, "'uint64_t fresh', at offset 64")


# --- the run -----------------------------------------------------------------------------------------------------------

def checks(args):
    root, include = pathlib.Path(args.root), pathlib.Path(args.root) / "include"
    model = abi_model.apply_probe(abi_model.read(include, args.cc), pathlib.Path(args.probe).read_text())
    libraries = dict(zip(abi_model.LIBRARIES, map(pathlib.Path, args.shared)))
    yield "exports: what headers declare is recorded in the maps", run_gen_map(include)
    for name, shared in libraries.items():
        own_map = root / "lib" / abi_model.LIBRARIES[name]
        yield f"exports: lib{name} exports what its map records", export_faults(shared, own_map)
    for archive in args.static:
        yield f"exports: {pathlib.Path(archive).name} brings no name without prefix", static_faults(pathlib.Path(archive))
    yield "imports: of CHOLMOD only what is under the LGPL", import_faults(libraries["mgchain"])
    yield "exports: Since in the comment is the symbol's node", list(since_faults(model, root))
    for name in abi_model.LIBRARIES:
        recorded = (HERE / f"lib{name}.txt").read_text()
        yield f"layout: lib{name} as recorded", layout_faults(model, recorded, name)
        now = abi_record.parse(abi_record.render(model, name))
        yield f"layout: lib{name} has no nameless bytes", list(abi_record.hidden_padding(now))
    yield "layout: types whose size this library decides", list(type_faults(model))
    records = [abi_record.parse((HERE / f"lib{name}.txt").read_text()) for name in abi_model.LIBRARIES]
    present = [abi_record.parse(abi_record.render(model, name, abi_record.first_sizes(record))) for name,
               record in zip(abi_model.LIBRARIES, records)]
    yield "layout: first sizes in the code are the recorded ones", list(first_size_faults(root, present))
    with tempfile.TemporaryDirectory() as folder:
        plants = Plants(root, args.cc, args.static, folder)
        if args.no_plants:
            yield "plants", "# SKIP " + args.no_plants
        else:
            yield from export_plants(plants)
            yield from layout_plants(plants)
        reason = args.no_abidiff or ("" if shutil.which("abidiff")
                                                        else "abidiff (package abigail-tools) is not installed")
        if reason:
            yield "abidiff", "# SKIP " + reason
            return
        yield "abidiff: suppressions name what may grow", suppression_faults(model, HERE / "abidiff.suppr")
        for name, shared in libraries.items():
            # libabigail 2.2 finds no debug information for a third of the real library's functions, where another
            # file of it was
            # first to declare them; the headers' own has all of them, and the compiler holds the definitions to the
            # headers.
            faults = abidiff_faults(HERE / f"lib{name}.abi", plants.stub(name))
            yield f"abidiff: headers of lib{name} against the baseline", faults
            yield f"abidiff: lib{name} against the baseline", abidiff_faults(HERE / f"lib{name}.abi", shared)
        yield from abidiff_plants(plants, libraries["mgchain"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("probe")
    parser.add_argument("cc")
    parser.add_argument("shared", nargs="+")
    parser.add_argument("--static", action="append", default=[])
    parser.add_argument("--no-abidiff", default="")
    parser.add_argument("--no-plants", default="")
    number = failed = 0
    for number, (name, faults) in enumerate(checks(parser.parse_args()), 1):
        if isinstance(faults, str):
            print(f"ok {number} {name} {faults}")
            continue
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}", flush=True)
        failed += bool(faults)
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
