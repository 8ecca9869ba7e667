# SPDX-License-Identifier: Apache-2.0
"""The solver against its peers, one line a figure, as ratios of times taken in one run.

    compare.py BUILD/tests/bench [--only lp,mip,resolve,threads,growth,published] [--rounds N] [--cap SECONDS]
               [--peer NAME=COMMAND] [--json FILE]

What is timed.  Processor seconds of one thread (user and system), because a machine that others use makes the clock on the
wall lie.  It begins with the program in memory and ends with the answer; reading is left out for everyone.  `measure`, HiGHS
(through scipy) and Clp (its library, in `clplp`) are timed inside a process, which solves again until a fifth of a second has
gone, each time a program that nothing is known of, and gives the median: a millisecond cannot be timed once.  cbc and glpsol,
and clp where its library was not there to build with, are whole processes less the median of three that only read the file:
right to a few milliseconds.  Every solver runs once a round, one after the other, and the median counts.  A run is ended at
--cap seconds, or where it has taken half as long again as the fastest peer so far (and ten seconds): it cannot be the fastest.
A peer three times as slow as the fastest is not run again; after a round of more than half of --patience there is no other.
Where no peer ended, the ratio is at least what the cap gives.  clp's barrier and glpsol are left out of relaxations with more
than 1,200 scenario periods, where neither has ever ended.

Everyone is asked for the same: relaxations to 1e-6 (peers at their defaults, which are about that), mixed-integer programs to a
gap of 1e-4.  Objectives are compared; a peer that answers another optimum is named.

A peer that is not installed is left out, with a line that says so.  --peer adds one: COMMAND gets the words "lp FILE" or
"mip FILE" and prints {"seconds": ..., "objective": ...}; such peers are shown, and count only in their own column.
"""
import argparse, gzip, json, math, os, pathlib, resource, shutil, statistics, subprocess, sys, tempfile, time

# (periods, scenarios): floor and aim of fastest peer's time over ours; None: shown, not asked for
LP = {(24, 1): (1, 4), (24, 10): (3, 12), (24, 50): (8, 26), (24, 200): (10, 40), (96, 1): (None, None),
      (96, 10): (None, None), (96, 50): (10, 40)}
MIP = {(24, 1): (None, None), (24, 10): (1.5, 8), (24, 50): (3, 24), (96, 1): (1, 5)}
MIP_SECONDS = {(96, 10): (60, 7)}  # ours alone: floor and aim in seconds
RESOLVE = {(24, 1): (None, None), (24, 10): (0.25, 0.10), (24, 50): (0.30, 0.15)}  # mean over first solve
HOTSTART = {(24, 10): (1, 2.4)}
THREADS = {(24, 50): (1.6, None), (24, 200): (1.6, None)}
GROWTH_S, GROWTH_T = 1.15, 1.6

LP_TOLERANCE, MIP_GAP = 1e-6, 1e-4
LEAST = 0.2  # seconds that a relaxation is solved again for
SMALL_ONLY, SMALL = ('clp barrier', 'glpsol'), 1200


class Out:
    """A run that gave no answer, and why."""

    def __init__(self, why):
        self.why = why


def limit_cpu(cap):
    def set_limit():
        resource.setrlimit(resource.RLIMIT_CPU, (int(cap) + 1, int(cap) + 2))
    return set_limit


def process_seconds(command, cap, timed_inside=False):
    """Processor seconds of a process, and what it printed; Out where it was ended.

    timed_inside: ended by the clock on the wall (four times as late, for other work on the machine), because where a limit of
    processor time is set Linux tells a process its own time in ticks of 4 ms."""
    with tempfile.TemporaryFile() as log:
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  preexec_fn=None if timed_inside else limit_cpu(cap), timeout=4 * cap if timed_inside else None).returncode
        except subprocess.TimeoutExpired:
            code = -1
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        log.seek(0)
        text = log.read().decode(errors='replace')
    used = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    return (Out(f'> {cap:g} s') if code < 0 else used), text


def number_after(text, *marks):
    """The last number that follows one of the marks."""
    for line in reversed(text.splitlines()):
        for mark in marks:
            if mark in line:
                for word in line[line.index(mark) + len(mark):].replace('=', ' ').replace(':', ' ').split():
                    try:
                        return float(word)
                    except ValueError:
                        continue
    return None


class Ours:
    name = 'mgchain'

    def __init__(self, folder):
        self.measure = str(folder / 'measure')

    def run(self, kind, member, cap, *options):
        command = [self.measure, kind, *map(str, member), *options]
        options = ['--tolerance', str(LP_TOLERANCE), '--least', str(LEAST)] if kind == 'lp' else ['--gap', str(MIP_GAP)] if kind == 'mip' else []
        used, text = process_seconds(command + options + ['--time', str(10 * cap)], 10 * cap, timed_inside=True)
        try:
            return json.loads(text)
        except ValueError:
            return Out(used.why if isinstance(used, Out) else text.strip()[-200:])


class Process:
    """A solver that is a program of its own: the run less one that only reads."""

    def __init__(self, name, kinds, read, solve, marks):
        self.name, self.kinds, self.read, self.solve, self.marks = name, kinds, read, solve, marks
        self.reading = {}

    def found(self):
        return shutil.which(self.read[0]) is not None

    def run(self, kind, path, cap):
        if path not in self.reading:
            runs = [process_seconds([w.replace('FILE', path) for w in self.read], cap)[0] for _ in range(3)]
            self.reading[path] = statistics.median(0 if isinstance(r, Out) else r for r in runs)
        used, text = process_seconds([w.replace('FILE', path).replace('CAP', str(math.ceil(cap))) for w in self.solve], cap)
        if isinstance(used, Out):
            return used
        if 'topped on time' in text or 'TIME LIMIT EXCEEDED' in text:
            return Out(f'> {cap:g} s')
        objective = number_after(text, *self.marks)
        if objective is None:
            return Out('no answer')
        return {'seconds': max(used - self.reading[path], 1e-4), 'objective': objective}


class Clp:
    """Clp's library, timed inside."""
    kinds = ('lp',)

    def __init__(self, folder, method):
        self.name, self.program, self.method = f'clp {method}', str(folder / 'clplp'), method

    def found(self):
        return os.path.exists(self.program)

    def run(self, kind, path, cap):
        used, text = process_seconds([self.program, self.method, path, str(cap), str(LEAST)], 2 * cap + 10, timed_inside=True)
        try:
            answer = json.loads(text)
        except ValueError:
            return Out(used.why if isinstance(used, Out) else 'failed: ' + text.strip()[-100:])
        return answer if answer['objective'] is not None else Out(f'> {cap:g} s')


class Highs:
    """scipy's HiGHS, timed inside; a child process, because the interpreter that has scipy may be another one."""

    def __init__(self, name, kinds, solver):
        self.name, self.kinds, self.solver = name, kinds, solver

    python = None

    @classmethod
    def find(cls):
        for python in (sys.executable, '/usr/bin/python3'):
            if python and subprocess.run([python, '-c', 'import scipy.optimize'], capture_output=True).returncode == 0:
                cls.python = python
                return True
        return False

    def found(self):
        return Highs.python is not None or Highs.find()

    def run(self, kind, path, cap):
        script = str(pathlib.Path(__file__).with_name('highs.py'))
        used, text = process_seconds([Highs.python, script, self.solver, path, str(3 * cap), str(LEAST if kind == 'lp' else 0)],
                                     cap + 60, timed_inside=True)  # its own limit is by the clock on the wall; reading takes up to a minute
        try:
            answer = json.loads(text)
        except ValueError:
            return Out(used.why if isinstance(used, Out) else 'failed: ' + text.strip()[-100:])
        return answer if answer['objective'] is not None else Out(f'> {cap:g} s')


class Extra:
    kinds = ('lp', 'mip')

    def __init__(self, word):
        self.name, command = word.split('=', 1)
        self.command = command.split()

    def found(self):
        return True

    def run(self, kind, path, cap):
        used, text = process_seconds(self.command + [kind, path], cap)
        try:
            return json.loads(text)
        except ValueError:
            return Out(used.why if isinstance(used, Out) else 'failed')


def all_peers(folder):
    clp = [Clp(folder, method) for method in ('dual', 'presolve', 'barrier')]
    if not clp[0].found():
        marks = ('Optimal objective', 'Optimal - objective value')
        clp = [Process('clp dual', ('lp',), ['clp', 'FILE', '-quit'], ['clp', 'FILE', '-dualsimplex', '-quit'], marks),
               Process('clp barrier', ('lp',), ['clp', 'FILE', '-quit'], ['clp', 'FILE', '-barrier', '-quit'], marks)]
    return [
        Highs('highs ipm', ('lp',), 'ipm'), *clp,
        Process('glpsol', ('lp',), ['glpsol', '--freemps', 'FILE', '--check'],
                ['glpsol', '--freemps', 'FILE', '--tmlim', 'CAP'], ('obj =',)),
        Process('cbc', ('mip',), ['cbc', 'FILE', '-quit'],
                ['cbc', 'FILE', '-ratio', str(MIP_GAP), '-sec', 'CAP', '-threads', '0', '-solve', '-quit'],
                ('Objective value:',)),
        Process('glpsol', ('mip',), ['glpsol', '--freemps', 'FILE', '--check'],
                ['glpsol', '--freemps', 'FILE', '--mipgap', str(MIP_GAP), '--tmlim', 'CAP'], ('mip =',)),
        Highs('highs simplex', ('lp',), 'simplex'),
        Highs('highs', ('mip',), 'mip'),
    ]


def seconds(answer):
    return answer['cpu'] if 'cpu' in answer else answer['seconds']


def show(x):
    return '-' if x is None else f'{x:.4f}' if x < 0.1 else f'{x:.3f}' if x < 10 else f'{x:.1f}'


def verdict(ratio, floor, aim, sure=True):
    """sure: the ratio is what it is, not only at least so much."""
    if floor is None:
        return ''
    aims = '' if aim is None else f' / {aim:g}'
    reached = 'aim' if aim is not None and ratio >= aim else 'floor' if ratio >= floor else 'NOT REACHED' if sure else 'not known'
    return f'floor {floor:g}{aims}: {reached}'


class Run:
    def __init__(self, args):
        self.args = args
        self.ours = Ours(args.folder)
        self.member = str(args.folder / 'member')
        self.work = tempfile.TemporaryDirectory()
        self.results = {}
        self.peers = []
        for peer in all_peers(args.folder):
            if peer.found():
                self.peers.append(peer)
            else:
                print(f'# {peer.name} left out: not installed')
        self.extra = [Extra(word) for word in args.peer]

    def file(self, member, *options):
        path = os.path.join(self.work.name, '-'.join(map(str, member)) + ''.join(options).replace('--', '-') + '.mps')
        if not os.path.exists(path):
            with open(path, 'w') as f:
                subprocess.run([self.member, *map(str, member), *options], stdout=f, check=True)
        return path

    def line(self, kind, member):
        """Everyone on one member: {name: median seconds or Out}, {name: objective}."""
        path = self.file(member, *(['--relax'] if kind == 'lp' else []))
        solvers = [self.ours] + [p for p in self.peers + self.extra if kind in p.kinds and
                                 (kind == 'mip' or p.name not in SMALL_ONLY or member[0] * member[1] <= SMALL)]
        times, objectives, dropped, answers = {s.name: [] for s in solvers}, {}, {}, {}
        begin = time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        for turn in range(self.args.rounds):
            for s in solvers:
                if s.name in dropped:
                    continue
                cap = self.args.cap
                so_far = [statistics.median(t) for name, t in times.items() if t and name != self.ours.name]
                if turn == 0 and so_far:
                    cap = min(cap, max(1.5 * min(so_far) + 1, 10))
                answer = s.run(kind, member if s is self.ours else path, cap)
                if isinstance(answer, Out):
                    dropped[s.name] = answer
                    continue
                times[s.name].append(seconds(answer))
                objectives[s.name] = answer['objective']
                answers[s.name] = answer
            fastest = min((min(t) for name, t in times.items() if t and name != self.ours.name), default=None)
            for s in solvers[1:]:
                if s.name not in dropped and times[s.name] and fastest and times[s.name][0] > 3 * fastest:
                    dropped[s.name] = None  # known, and not run again
            if time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin > 0.5 * self.args.patience:
                break
        result = {name: statistics.median(t) if t else dropped.get(name) for name, t in times.items()}
        return result, objectives, answers

    def table(self, kind, wanted, title):
        print(f'\n{title}')
        for member, (floor, aim) in wanted.items():
            times, objectives, answers = self.line(kind, member)
            own = times[self.ours.name]
            if not isinstance(own, float):
                print(f'T{member[0]} S{member[1]}: ours gave no answer: {own.why if own else "?"}')
                continue
            extras = {e.name for e in self.extra}
            peers = {n: t for n, t in times.items() if isinstance(t, float) and n != self.ours.name and n not in extras}
            row = f'T{member[0]:<3} S{member[1]:<4} ours {show(own):>7} s'
            entry = {'ours': own, 'peers': peers, 'outcome': answers[self.ours.name]['outcome']}
            if peers:
                name = min(peers, key=peers.get)
                ratio = peers[name] / own
                entry.update(fastest=name, ratio=ratio)
                row += f'   fastest peer {name} {show(peers[name]):>7} s   ratio {ratio:6.2f}   {verdict(ratio, floor, aim)}'
            elif len(times) > 1 + len(extras):
                ratio = self.args.cap / own
                entry.update(ratio_at_least=ratio)
                row += f'   no peer ended in {self.args.cap:g} s   ratio at least {ratio:.1f}   {verdict(ratio, floor, aim, False)}'
            print(row)
            for n, t in times.items():
                if n != self.ours.name:
                    print(f'           {n:14} ' + (f'{show(t):>7} s   {t / own:7.2f} x' if isinstance(t, float)
                                                  else t.why if t else '-'))
            self.check(kind, objectives, answers)
            self.results.setdefault(kind, {})[f'T{member[0]} S{member[1]}'] = entry
            sys.stdout.flush()

    def check(self, kind, objectives, answers):
        ours = answers[self.ours.name]
        if ours['outcome'] != 'optimal':
            print(f'           ours ended {ours["outcome"]}: bound {ours["bound"]}, objective {ours["objective"]}')
        scale = max(1, abs(ours['objective']))
        allowed = 2 * MIP_GAP if kind == 'mip' else 3e-6
        for name, value in objectives.items():
            if value is not None and abs(value - ours['objective']) > allowed * scale:
                print(f'           OTHER OPTIMUM: {name} {value:.10g}, ours {ours["objective"]:.10g}')
            if value is not None and ours['bound'] is not None and value < ours['bound'] - 1e-6 * scale:
                print(f'           BOUNDS CROSS: our bound {ours["bound"]:.10g}, {name} found {value:.10g}')

    def lp(self):
        self.table('lp', LP, 'Relaxation to 1e-6, one thread, processor seconds')

    def mip(self):
        self.table('mip', MIP, f'Mixed-integer, gap {MIP_GAP:g}, one thread, processor seconds')
        for member, (floor, aim) in MIP_SECONDS.items():
            answer = self.ours.run('mip', member, 30)
            name = f'T{member[0]} S{member[1]}'
            if isinstance(answer, Out):
                print(f'{name}: no answer: {answer.why}')
                continue
            reached = answer['cpu'] if answer['outcome'] == 'optimal' else math.inf
            word = 'aim' if reached <= aim else 'floor' if reached <= floor else 'NOT REACHED'
            print(f'{name} ours {show(answer["cpu"])} s, {answer["outcome"]}, {answer["nodes"]} nodes   floor {floor} s / {aim} s: {word}')
            self.results.setdefault('mip', {})[name] = {'ours': answer['cpu'], 'outcome': answer['outcome']}

    def growth(self):
        """Exponents by least squares through the logarithms of our times."""
        times = {}
        for member in [(24, s) for s in (1, 10, 50, 200)] + [(96, s) for s in (1, 10, 50)]:
            runs = [self.ours.run('lp', member, self.args.cap) for _ in range(self.args.rounds if member != (96, 50) else 1)]
            runs = [r['cpu'] for r in runs if not isinstance(r, Out)]
            if runs:
                times[member] = statistics.median(runs)

        def fit(points):
            x, y = [math.log(a) for a, _ in points], [math.log(b) for _, b in points]
            mx, my = statistics.mean(x), statistics.mean(y)
            return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)

        print('\nGrowth of our time')
        for least in (1, 10):
            points = [(s, times[24, s]) for s in (1, 10, 50, 200) if s >= least and (24, s) in times]
            if len(points) > 1:
                slope = fit(points)
                print(f'T24, S {points[0][0]}..{points[-1][0]}: S^{slope:.2f}   at most S^{GROWTH_S}: '
                      + ('reached' if slope <= GROWTH_S else 'NOT REACHED'))
                self.results.setdefault('growth', {})[f'S from {least}'] = slope
        for s in (1, 10, 50):
            if (24, s) in times and (96, s) in times:
                slope = math.log(times[96, s] / times[24, s]) / math.log(4)
                print(f'S{s}, T 24..96: T^{slope:.2f}   at most T^{GROWTH_T}: ' + ('reached' if slope <= GROWTH_T else 'NOT REACHED'))
                self.results.setdefault('growth', {})[f'T at S{s}'] = slope

    def resolve(self):
        print('\nRe-solve with another linear term, 49 in a row, mean of the processor seconds against our own first solve')
        for member, (floor, aim) in RESOLVE.items():
            runs = [self.ours.run('resolve', member, self.args.cap, '--tolerance', str(LP_TOLERANCE))
                    for _ in range(self.args.rounds)]
            runs = [r for r in runs if not isinstance(r, Out)]
            if not runs:
                print(f'T{member[0]} S{member[1]}: no answer')
                continue
            share = statistics.median(r['mean'] / r['first'] for r in runs)
            mean, first = (statistics.median(r[k] for r in runs) for k in ('mean', 'first'))
            word = '' if floor is None else (f'at most {100 * floor:g} % / {100 * aim:g} %: '
                                             + ('aim' if share <= aim else 'floor' if share <= floor else 'NOT REACHED'))
            checked = self.ours.run('resolve', member, self.args.cap, '--tolerance', str(LP_TOLERANCE), '--verify')
            error = math.nan if isinstance(checked, Out) else checked['worst_error']
            print(f'T{member[0]} S{member[1]:<3} first {show(first)} s   mean {show(mean)} s = {100 * share:.1f} %   {word}')
            print(f'           iterations {runs[0]["first_iterations"]} first, {runs[0]["mean_iterations"]:.1f} mean; not optimal '
                  f'{runs[0]["failed"]} of 50; largest error {error:.1e}, at most 1e-6: '
                  + ('reached' if error <= 1e-6 else 'NOT REACHED'))
            entry = {'first': first, 'mean': mean, 'share': share, 'error': error}
            entry.update(self.hot_start(member, mean))
            self.results.setdefault('resolve', {})[f'T{member[0]} S{member[1]}'] = entry
            sys.stdout.flush()

    def hot_start(self, member, mean):
        program = self.args.folder / 'hotstart'
        if not program.exists():
            print('           simplex hot start left out: built without Clp\'s library (coinor-libclp-dev)')
            return {}
        lp, terms = self.file(member, '--relax'), self.file(member, '--admm', '49')
        answers = []
        for _ in range(self.args.rounds):
            used, text = process_seconds([str(program), lp, terms], self.args.cap, timed_inside=True)
            if not isinstance(used, Out) and text.strip().startswith('{'):
                answers.append(json.loads(text)['mean'])
        if not answers:
            print('           simplex hot start: no answer')
            return {}
        hot = statistics.median(answers)
        floor, aim = HOTSTART.get(member, (None, None))
        print(f'           simplex hot start (Clp, linear part only) {show(hot)} s   ratio {hot / mean:.2f}   {verdict(hot / mean, floor, aim)}')
        return {'hot_start': hot}

    def threads(self):
        print('\nTwo threads against one, seconds on the wall')
        if os.cpu_count() < 2:
            print('left out: one processor only')
            return
        for member, (floor, aim) in THREADS.items():
            wall, host = {1: [], 2: []}, []
            for _ in range(max(5, self.args.rounds)):
                for n in wall:
                    answer = self.ours.run('lp', member, self.args.cap, '--threads', str(n))
                    if not isinstance(answer, Out):
                        wall[n].append(answer['wall'])
                host.append(json.loads(subprocess.run([self.ours.measure, 'host'], capture_output=True, text=True).stdout)['ratio'])
            if wall[1] and wall[2]:
                ratio, gives = min(wall[1]) / min(wall[2]), statistics.median(host)
                print(f'T{member[0]} S{member[1]:<4} one {show(min(wall[1]))} s   two {show(min(wall[2]))} s   ratio {ratio:.2f}   '
                      + verdict(ratio, floor, aim) + f'   two threads of arithmetic in between: {gives:.2f} x one ({min(host):.2f} to {max(host):.2f})')
                self.results.setdefault('threads', {})[f'T{member[0]} S{member[1]}'] = {'ratio': ratio, 'host': gives}

    def published(self):
        root = os.environ.get('MGC_TEST_PUBLISHED')
        print('\nPublished collections')
        if not root:
            print('left out: MGC_TEST_PUBLISHED names no folder')
            return
        for kind, limit, suffix in (('lp', 30, '.mps.gz'), ('qp', 60, '.QPS.gz')):
            self.published_set(pathlib.Path(root) / 'problems' / kind, kind, limit)

    def published_set(self, folder, kind, limit):
        expected = json.loads((folder / 'expected.json').read_text())
        expected = expected.get('optimum', expected)
        times, missed, wrong = {}, [], []
        for path in sorted(folder.glob('*.gz')):
            name = path.name.split('.')[0]
            value = expected.get(name)
            value = value.get('optimum', value.get('objective')) if isinstance(value, dict) else value
            mps = os.path.join(self.work.name, 'published.mps')
            with gzip.open(path) as f, open(mps, 'wb') as out:
                shutil.copyfileobj(f, out)
            used, text = process_seconds([str(self.args.folder / 'measure'), 'file', mps, '--relax', '--time', str(2 * limit)], 3 * limit)
            try:
                answer = json.loads(text)
            except ValueError:
                missed.append(f'{name} ({used.why if isinstance(used, Out) else text.strip()[-80:]})')
                continue
            times[name] = answer['cpu']
            error = 0 if value is None else abs(answer['objective'] - value) / max(1, abs(value)) if answer['objective'] is not None else math.inf
            if answer['outcome'] != 'optimal':
                missed.append(f'{name} ({answer["outcome"]}, error {error:.1e})')
            elif error > 1e-6:
                wrong.append(f'{name} (error {error:.1e})')
        if not times:
            print(f'{kind}: no files')
            return
        slowest = max(times, key=times.get)
        good = len(times) - len([n for n in missed if n.split(' ')[0] in times]) - len(wrong)
        total = len(list(folder.glob('*.gz')))
        print(f'{kind}: {good} of {total} to 1e-6; slowest {slowest} {show(times[slowest])} s (limit {limit} s), all {sum(times.values()):.1f} s')
        for text, names in (('not solved', missed), ('OPTIMAL WITH ANOTHER VALUE', wrong)):
            if names:
                print(f'    {text}: ' + ', '.join(names))
        self.results.setdefault('published', {})[kind] = {'good': good, 'of': total, 'slowest': slowest, 'seconds': times[slowest],
                                                          'all': times}


def smoke(args):
    """Does it run at all?  One small member a kind, ours alone, checked against itself."""
    ours = Ours(args.folder)
    lp, mip = ours.run('lp', (24, 1), 20), ours.run('mip', (24, 1), 20)
    again = ours.run('resolve', (24, 1), 20, '--steps', '3', '--verify')
    checks = [('relaxation', not isinstance(lp, Out) and lp['outcome'] == 'optimal'),
              ('mixed-integer', not isinstance(mip, Out) and mip['outcome'] == 'optimal' and mip['bound'] <= mip['objective'] + 1e-6),
              ('the relaxation bounds it', not isinstance(lp, Out) and not isinstance(mip, Out) and
               lp['objective'] <= mip['objective'] + 1e-4 and (lp['rows'], lp['columns']) == (434, 676)),
              ('re-solves', not isinstance(again, Out) and again['failed'] == 0 and again['worst_error'] <= 1e-6)]
    print(f'1..{len(checks)}')
    for i, (name, ok) in enumerate(checks, 1):
        print(f'{"ok" if ok else "not ok"} {i} - {name}')
    return 0 if all(ok for _, ok in checks) else 1


def main():
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # idle threads of a library spin: processor time nobody used
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--only', default='lp,growth,threads,mip,resolve,published')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--cap', type=float, default=120)
    parser.add_argument('--patience', type=float, default=300, help='no further round of a line after so many seconds')
    parser.add_argument('--peer', action='append', default=[])
    parser.add_argument('--json')
    parser.add_argument('--smoke', action='store_true')
    args = parser.parse_args()
    args.folder = args.folder.resolve()
    if args.smoke:
        return smoke(args)
    begin = time.time()
    run = Run(args)
    for section in args.only.split(','):
        getattr(run, section)()
    print(f'\n{time.time() - begin:.0f} s in all')
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(run.results, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
