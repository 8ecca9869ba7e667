# SPDX-License-Identifier: Apache-2.0
"""What the library writes, others read: random programs as free and as fixed MPS through clp, cbc and glpsol.

    interchange.py LIBRARY [--count N]

The optimum found elsewhere must be the library's own; so a row, bound or constant that another program takes otherwise shows.
One does: glpsol reads the objective's right-hand side as the constant, all others as minus the constant.  A solver that is not installed is left out."""
import argparse, ctypes as C, os, random, shutil, subprocess, sys, tempfile

sys.dont_write_bytecode = True  # the folder may not be ours to write in
from random_programs import Library, OPTIMAL, random_model, INF

FREE, FIXED = 0, 1
WRITE = C.CFUNCTYPE(C.c_int32, C.c_void_p, C.POINTER(C.c_char), C.c_size_t)


def text_of(lib, program, form):
    pieces = []
    write = WRITE(lambda user, text, n: pieces.append(text[:n]) or 1)
    lib.call('write_mps_as', program, C.c_uint32(form), write, None)
    return b''.join(pieces).decode()


def short(m):
    """Numbers that fit twelve characters, so that the fixed format is exact."""
    def cut(x):
        return x if abs(x) == INF else round(x, 2)
    m.c, m.lo, m.up = [cut(v) for v in m.c], [cut(v) for v in m.lo], [cut(v) for v in m.up]
    m.rlo, m.rup = [cut(v) for v in m.rlo], [cut(v) for v in m.rup]
    m.a = [[cut(v) for v in row] for row in m.a]
    return m


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def number(text, mark):
    for line in text.splitlines():
        if mark in line:
            words = line[line.index(mark) + len(mark):].replace('=', ' ').split()
            return float(words[0])
    return None


def glpsol(path, form):
    out = path + '.out'
    run(['glpsol', '--mps' if form == FIXED else '--freemps', path, '--mipgap', '0', '-o', out])
    with open(out) as f:
        text = f.read()
    return number(text, 'Objective:  OBJ') if 'OPTIMAL' in text else None


def clp(path, form):
    text = run(['clp', path, '-solve', '-quit'])
    return number(text, 'Optimal objective') if 'Optimal objective' in text else number(text, 'Optimal - objective value')


def cbc(path, form):
    text = run(['cbc', path, '-ratio', '0', '-allow', '0', '-solve', '-quit'])
    value = number(text, 'Objective value:')
    return value if value is not None else number(text, 'Optimal - objective value')


OTHERS = {'glpsol': (glpsol, ('lp', 'mip')), 'clp': (clp, ('lp',)), 'cbc': (cbc, ('mip',))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('library')
    parser.add_argument('--count', type=int, default=40)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    lib = Library(args.library)
    lib.lib.mgc_program_write_mps_as.argtypes = [C.c_void_p, C.c_uint32, WRITE, C.c_void_p]
    found = [name for name in OTHERS if shutil.which(name)]
    print(f'1..{2 * len(OTHERS)}')
    compared = {(name, form): [0, []] for name in OTHERS for form in (FREE, FIXED)}
    with tempfile.TemporaryDirectory() as folder:
        for k in range(args.count):
            kind = ('lp', 'mip')[k % 2]
            m = short(random_model(random.Random(args.seed * 7919 + k), kind))
            info, *_ = lib.solve(m, **({'gap': 1e-9} if kind == 'mip' else {}))
            if info.outcome != OPTIMAL:
                continue
            offset = float(k % 5)
            for form in (FREE, FIXED):
                program = lib.build(m)
                lib.call('set_offset', program, offset)
                path = os.path.join(folder, f'{k}-{form}.mps')
                with open(path, 'w') as f:
                    f.write(text_of(lib, program, form))
                lib.lib.mgc_program_destroy(program)
                for name in found:
                    solve, kinds = OTHERS[name]
                    if kind not in kinds:
                        continue
                    count = compared[name, form]
                    value, want = solve(path, form), info.objective + (-offset if name == 'glpsol' else offset)
                    count[0] += 1
                    if value is None or abs(value - want) > 1e-4 * max(1, abs(want)):
                        count[1].append(f'{kind} {k}: {value} there, {want:.9g} here')
    failed = 0
    for i, ((name, form), (tried, wrong)) in enumerate(compared.items(), 1):
        word = 'fixed' if form == FIXED else 'free'
        if name not in found:
            print(f'ok {i} - {name}, {word} # SKIP {name} is not installed')
            continue
        good = tried > args.count / 8 and not wrong
        failed += not good
        print(f'{"ok" if good else "not ok"} {i} - {name} reads {word} MPS alike: {tried} programs')
        for text in wrong:
            print(f'# {text}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
