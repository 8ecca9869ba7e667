# SPDX-License-Identifier: Apache-2.0
"""The generated layer: written anew it is the same, and a C++ compiler sees what it says."""
import ctypes
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import LIBRARY, ROOT, _native, lib, plain_environment

INCLUDE = ROOT / "include"

# The compiler says each type in a few letters; so does ctypes, below.  A callback's pointer answer is an address for both.
PROBE = r"""
#include <cstdio>
#include <cstddef>
#include <string>
#include <type_traits>
%(includes)s
template <class T, class = void> struct complete : std::false_type {};
template <class T> struct complete<T, std::void_t<decltype(sizeof(T))>> : std::true_type {};
template <class T> std::string say();
template <class F> struct call;
template <class R, class... A> struct call<R(A...)> {
    static std::string say_all(bool back) {
        std::string s = "F(" + (back && std::is_pointer<R>::value ? std::string("pv") : say<R>());
        ((s += "," + say<A>()), ...);
        return s + ")";
    }
};
template <class R, class... A> struct call<R(A..., ...)> : call<R(A...)> {};
template <class T> std::string say() {
    using U = std::remove_cv_t<T>;
    if constexpr (std::is_void<U>::value) return "v";
    else if constexpr (std::is_same<U, char>::value) return "c";
    else if constexpr (std::is_pointer<U>::value && std::is_function<std::remove_pointer_t<U>>::value)
        return call<std::remove_pointer_t<U>>::say_all(true);
    else if constexpr (std::is_pointer<U>::value) return "p" + say<std::remove_pointer_t<U>>();
    else if constexpr (std::is_array<U>::value) return "a" + std::to_string(std::extent<U>::value) + say<std::remove_extent_t<U>>();
    else if constexpr (!complete<U>::value) return "o";
    else if constexpr (std::is_class<U>::value) return "s" + std::to_string(sizeof(U));
    else if constexpr (std::is_floating_point<U>::value) return "f" + std::to_string(sizeof(U));
    else if constexpr (std::is_signed<U>::value) return "i" + std::to_string(sizeof(U));
    else return "u" + std::to_string(sizeof(U));
}
#define FUNCTION(name) std::printf("function %%s %%s\n", #name, call<std::remove_pointer_t<decltype(&name)>>::say_all(false).c_str());
#define CALLBACK(name) std::printf("callback %%s %%s\n", #name, say<name>().c_str());
#define STRUCT(tag) std::printf("struct %%s %%zu\n", #tag, sizeof(tag));
#define FIELD(tag, name) std::printf("field %%s.%%s %%zu %%zu %%s\n", #tag, #name, offsetof(tag, name), sizeof(tag::name), say<decltype(tag::name)>().c_str());
#define CONSTANT(name) if ((name) < 0) std::printf("constant %%s %%lld\n", #name, (long long)(name)); else std::printf("constant %%s %%llu\n", #name, (unsigned long long)(name));
int main()
{
%(lines)s
}
"""

SCALARS = {ctypes.c_double: "f8", ctypes.c_int32: "i4", ctypes.c_uint32: "u4", ctypes.c_int64: "i8", ctypes.c_uint64: "u8",
           ctypes.c_uint8: "u1", ctypes.c_char: "c", ctypes.c_char_p: "pc", ctypes.c_void_p: "pv", None: "v"}


def say(kind):
    """A ctypes type in the probe's letters."""
    if kind in SCALARS:
        return SCALARS[kind]
    if issubclass(kind, ctypes._CFuncPtr):
        return "F(" + ",".join([say(kind._restype_), *map(say, kind._argtypes_)]) + ")"
    if issubclass(kind, ctypes._Pointer):
        return "p" + say(kind._type_)
    if issubclass(kind, ctypes.Array):
        return f"a{kind._length_}{say(kind._type_)}"
    if issubclass(kind, ctypes.Structure):
        return f"s{ctypes.sizeof(kind)}" if hasattr(kind, "_fields_") else "o"
    raise AssertionError(f"type {kind}")


def headers_text():
    return "\n".join(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S) for path in sorted((INCLUDE / "mgchain").glob("*.h")))


def structs():
    return {name: kind for name, kind in vars(_native).items()
            if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and name.startswith("mgc_") and hasattr(kind, "_fields_")}


def callbacks():
    return {name: kind for name, kind in vars(_native).items()
            if isinstance(kind, type) and issubclass(kind, ctypes._CFuncPtr) and name.startswith("mgc_")}


def constants():
    return {name: value for name, value in vars(_native).items() if name.startswith("MGC_")}


class Generated(unittest.TestCase):
    def test_written_anew_it_is_the_same(self):
        done = subprocess.run([sys.executable, str(ROOT / "tools" / "gen_binding.py"), "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_changed_header_is_noticed_and_the_cure_named(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(INCLUDE / "mgchain", pathlib.Path(folder) / "h")
            header = pathlib.Path(folder) / "h" / "crypto.h"
            header.write_text(header.read_text().replace("MGC_SIGNATURE_BYTES = 64", "MGC_SIGNATURE_BYTES = 65"))
            done = subprocess.run([sys.executable, str(ROOT / "tools" / "gen_binding.py"), "--check", "--include", f"{folder}/h"],
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("tools/gen_binding.py", done.stdout)
        self.assertIn("MGC_SIGNATURE_BYTES = 65", done.stdout)

    def test_a_construct_that_is_not_understood_is_refused_with_its_line(self):
        for planted in ("typedef union mgc_u { int32_t a; double b; } mgc_u;", "MGC_API long mgc_x(void);",
                        "typedef struct mgc_b { uint32_t a : 3; } mgc_b;", "#define MGC_SQUARE(x) ((x) * (x))"):
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(INCLUDE / "mgchain", pathlib.Path(folder) / "h")
                header = pathlib.Path(folder) / "h" / "transport.h"
                header.write_text(header.read_text().replace("#ifdef __cplusplus\n}", planted + "\n#ifdef __cplusplus\n}"))
                done = subprocess.run([sys.executable, str(ROOT / "tools" / "gen_binding.py"), "--check", "--include", f"{folder}/h"],
                                      capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, planted + done.stdout)
            self.assertIn("transport.h", done.stderr)


class AsTheCompilerSeesIt(unittest.TestCase):
    """Nothing here uses the generator: names come from the library and the headers' text, widths from the compiler."""

    @classmethod
    def setUpClass(cls):
        compiler = shutil.which("c++")
        if compiler is None:
            raise unittest.SkipTest("no C++ compiler")
        cls.found = cls.probe(compiler)

    @classmethod
    def probe(cls, compiler):
        lines = [f"STRUCT({tag})" for tag in structs()]
        lines += [f"FIELD({tag}, {name})" for tag, kind in structs().items() for name, _ in kind._fields_]
        lines += [f"FUNCTION({entry[0]})" for entry in _native.PROTOTYPES]
        lines += [f"CALLBACK({name})" for name in callbacks()]
        lines += [f"CONSTANT({name})" for name in constants()]
        includes = "\n".join(f"#include <mgchain/{path.name}>" for path in sorted((INCLUDE / "mgchain").glob("*.h")))
        with tempfile.TemporaryDirectory() as folder:
            source, program = pathlib.Path(folder) / "probe.cpp", pathlib.Path(folder) / "probe"
            source.write_text(PROBE % {"includes": includes, "lines": "\n".join(lines)})
            done = subprocess.run([compiler, "-std=c++17", "-O0", "-w", f"-I{INCLUDE}", str(source), "-c", "-o", f"{program}.o"],
                                  capture_output=True, text=True, env=plain_environment())
            if done.returncode != 0:
                raise AssertionError("the probe does not compile; is _native.py what the headers say?  tools/gen_binding.py\n"
                                     + done.stderr[:2000])
            # Functions are named in types alone, so there is nothing of the library to link.
            subprocess.run([compiler, f"{program}.o", "-o", str(program)], check=True, env=plain_environment())
            text = subprocess.run([str(program)], capture_output=True, text=True, check=True, env=plain_environment()).stdout
        return {tuple(row.split()[:2]): row.split()[2:] for row in text.splitlines()}

    def test_sizes_offsets_and_types_of_fields(self):
        for tag, kind in structs().items():
            self.assertEqual(self.found["struct", tag], [str(ctypes.sizeof(kind))], tag)
            for name, field in kind._fields_:
                place = getattr(kind, name)
                self.assertEqual(self.found["field", f"{tag}.{name}"], [str(place.offset), str(place.size), say(field)], f"{tag}.{name}")

    def test_no_field_is_left_out(self):
        for tag, kind in structs().items():
            end = 0
            for name, field in kind._fields_:
                place = getattr(kind, name)
                self.assertLess(place.offset - end, max(ctypes.alignment(field), 1), f"a hole before {tag}.{name}")
                end = place.offset + place.size
            self.assertLess(ctypes.sizeof(kind) - end, ctypes.alignment(kind), f"a hole at the end of {tag}")
            body = re.search(r"typedef struct %s \{(.*?)\n?\} %s;" % (tag, tag), headers_text(), flags=re.S)[1]
            body = re.sub(r"\(\*(\w+)\)\([^;]*\)", r"\1", body)
            self.assertEqual(len(kind._fields_), len(re.findall(r"[;,]", body)), f"number of fields of {tag}")

    def test_no_struct_is_left_out(self):
        promised = set(re.findall(r"^\} (mgc_\w+);", headers_text(), flags=re.M))
        self.assertEqual(promised | {"mgc_raft_change"}, set(structs()) | {"mgc_raft_change"})

    def test_results_and_arguments_of_functions(self):
        for name, _, _, result, arguments in _native.PROTOTYPES:
            mine = "F(" + ",".join([say(result), *map(say, arguments)]) + ")"
            self.assertEqual(self.found["function", name], [mine], name)

    def test_callbacks(self):
        for name, kind in callbacks().items():
            self.assertEqual(self.found["callback", name], [say(kind)], name)

    def test_constants(self):
        for name, value in constants().items():
            self.assertEqual(self.found["constant", name], [str(value)], name)

    def test_no_constant_is_left_out(self):
        text = re.sub(r'"[^"\n]*"', "", headers_text())
        named = set(re.findall(r"\bMGC_[A-Z0-9_]+\b", text))
        macros = {"MGC_API", "MGC_NODISCARD", "MGC_PRINTF", "MGC_STATUS_LIST", "MGC_STATUS_ENUM", "MGC_SCENARIO"}
        self.assertEqual(named - macros, set(constants()))

    def test_no_function_is_left_out(self):
        if shutil.which("nm") is None:
            self.skipTest("no nm")
        exported = set()
        for path in filter(None, (LIBRARY, lib._io._name if lib._io else None)):
            out = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True,
                                 env=plain_environment()).stdout
            exported |= {row.split()[2].split("@")[0] for row in out.splitlines() if len(row.split()) == 3 and row.split()[1] == "T"}
        self.assertEqual({name for name in exported if name.startswith("mgc_")}, {entry[0] for entry in _native.PROTOTYPES}
                         - (set() if lib._io else {entry[0] for entry in _native.PROTOTYPES if entry[1] == "io"}))

    def test_statuses_are_what_the_library_says(self):
        for name, (number, meaning) in _native.STATUS.items():
            self.assertEqual(lib.mgc_status_name(number).decode(), name)
            self.assertEqual(lib.mgc_status_text(number).decode(), meaning)


class AsRecorded(unittest.TestCase):
    """The recorded ABI, written by yet another program."""

    @classmethod
    def setUpClass(cls):
        cls.lines = []
        for name in ("libmgchain.txt", "libmgchain-io.txt"):
            path = ROOT / "tests" / "abi" / name
            if path.is_file():
                cls.lines += path.read_text().splitlines()
        if not cls.lines:
            raise unittest.SkipTest("no ABI is recorded")

    def test_structs_constants_and_functions(self):
        struct, checked = None, 0
        functions = {entry[0]: entry for entry in _native.PROTOTYPES}
        for line in self.lines:
            words = line.split()
            if line.startswith("struct "):
                struct = getattr(_native, words[1])
                self.assertGreaterEqual(ctypes.sizeof(struct), int(words[3]), line)  # it may have grown since
                checked += 1
            elif line.startswith("  field "):
                place = getattr(struct, words[1])
                self.assertEqual((place.offset, place.size), (int(words[2]), int(words[3])), f"{struct.__name__}: {line}")
                checked += 1
            elif line.startswith("constant "):
                self.assertEqual(getattr(_native, words[1]), int(words[2]), line)
                checked += 1
            elif line.startswith("function "):
                inner = line[line.index("(") + 1:line.rindex(")")]
                count = 0 if inner in ("", "void") else len(re.sub(r"\([^()]*\)", "", re.sub(r"\(\*\)\([^()]*\)", "", inner)).split(","))
                entry = functions[words[1]]
                self.assertEqual(len(entry[4]) + int(entry[2]), count, line)
                checked += 1
        self.assertGreater(checked, 1200)


class Loading(unittest.TestCase):
    def test_a_library_that_is_nowhere_is_told_with_a_cure(self):
        from support import run_child
        told = run_child("import mgchain\ntry: mgchain.Solver()\nexcept mgchain.LibraryNotFound as e: print(e)", MGCHAIN_LIBRARY="/nowhere")
        self.assertIn("/nowhere", told)
        self.assertIn("MGCHAIN_LIBRARY", told)
        self.assertIn("apt install", told)

    def test_a_folder_and_a_file_are_both_accepted(self):
        from support import run_child
        text = "import mgchain\nfrom mgchain import _native\nmgchain.Solver()\nprint(_native.library()._core._name)"
        self.assertIn(LIBRARY, run_child(text, MGCHAIN_LIBRARY=str(pathlib.Path(LIBRARY).parent)))
        self.assertIn(LIBRARY, run_child(text, MGCHAIN_LIBRARY=LIBRARY))

    def test_importing_loads_nothing(self):
        from support import run_child
        self.assertIn("None", run_child("import mgchain\nfrom mgchain import _native\nprint(_native._library)", MGCHAIN_LIBRARY="/nowhere"))

    def test_a_function_that_the_library_lacks_says_so_when_called(self):
        made = _native.Library.__new__(_native.Library)
        made._core, made._io, made._why, made.missing = lib._core, None, "libmgchain-io is nowhere", []
        absent = made._bind("mgc_of_tomorrow", "core", None, ())
        self.assertRaisesRegex(_native.LibraryNotFound, "mgc_of_tomorrow", absent)
        self.assertRaisesRegex(_native.LibraryNotFound, "nowhere", made._bind("mgc_case_builtin", "io", None, ()))
        self.assertEqual(made.missing, ["mgc_of_tomorrow", "mgc_case_builtin"])
