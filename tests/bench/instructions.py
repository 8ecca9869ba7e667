# SPDX-License-Identifier: Apache-2.0
"""Instructions that solves take, by callgrind, against what was recorded: a loop that grew shows on any machine, however busy.

    instructions.py BUILD/tests/bench [--record]

Only mgc_program_solve() is counted.  One line a solve: instructions, change against instructions.json, and the five functions
that hold most of them.  Ends with 1 where a count is more than a tenth above its record.  After a change that is meant,
--record writes the new counts."""
import argparse, json, pathlib, re, shutil, subprocess, sys, tempfile

SOLVES = {
    'relaxation T24 S1': ['lp', '24', '1', '--tolerance', '1e-6'],
    'relaxation T24 S10': ['lp', '24', '10', '--tolerance', '1e-6'],
    'relaxation T96 S1': ['lp', '96', '1', '--tolerance', '1e-6'],
    'mixed-integer T24 S1': ['mip', '24', '1'],
    'four re-solves T24 S10': ['resolve', '24', '10', '--steps', '4', '--tolerance', '1e-6'],
}
ALLOWED = 1.10  # the same binary gives the same count to a few parts in 10^5; another compiler a few parts in 100


def count(measure, words):
    """(instructions, [(share, function)]) of a run, counted inside solves only."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(pathlib.Path(folder) / 'out')
        run = subprocess.run(['valgrind', '--tool=callgrind', f'--callgrind-out-file={out}', '--toggle-collect=mgc_program_solve',
                              measure, *words], capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(run.stderr[-500:])
        text = subprocess.run(['callgrind_annotate', out], capture_output=True, text=True).stdout
    total = int(re.search(r'([\d,]+).*PROGRAM TOTALS', text)[1].replace(',', ''))
    top = [(int(n.replace(',', '')) / total, name) for n, name in
           re.findall(r'^\s*([\d,]+) \(\s*[\d.]+%\)\s+\S*?:(\S+)', text, re.M) if name != 'TOTALS'][:5]
    return total, top


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--record', action='store_true')
    args = parser.parse_args()
    args.folder = args.folder.resolve()
    if shutil.which('valgrind') is None:
        print('# left out: valgrind is not installed')
        return 0
    file = pathlib.Path(__file__).with_name('instructions.json')
    recorded = json.loads(file.read_text()) if file.exists() else {}
    counts, grown = {}, False
    for name, words in SOLVES.items():
        counts[name], top = count(str(args.folder / 'measure'), words)
        ratio = counts[name] / recorded[name] if name in recorded else None
        grown |= ratio is not None and ratio > ALLOWED
        word = 'not recorded' if ratio is None else f'{ratio:.3f} of the record' + (': GROWN' if ratio > ALLOWED else '')
        print(f'{name:24} {counts[name] / 1e6:10.1f} million   {word}   ' + ', '.join(f'{f} {100 * s:.0f} %' for s, f in top))
    if args.record:
        file.write_text(json.dumps(counts, indent=1) + '\n')
    return 1 if grown and not args.record else 0


if __name__ == '__main__':
    sys.exit(main())
