#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every JSON text that mgchain-sim writes is what doc/schema/ says: no key too few, none that is not described.

Prints TAP.  Usage: schemas.py MGCHAIN_SIM SCHEMA_FOLDER CASE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(0)

SIM, SCHEMAS, CASE = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:4])


def run(folder, *words):
    done = subprocess.run([SIM, *words, "--progress=none"], capture_output=True, text=True, cwd=folder,
                          timeout=None)  # the test runner's limit, which scales, is the only one
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def check(name, text):
    pairs = []
    value = json.loads(text, object_pairs_hook=lambda items: pairs.append([key for key, _ in items]) or dict(items))
    for keys in pairs:
        assert len(keys) == len(set(keys)), f"{name}: a key stands twice among {keys}"
    schema = json.loads((pathlib.Path(SCHEMAS) / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)
    return value


def texts(folder):
    """Name of the schema, what made the text, the text."""
    out = pathlib.Path(folder) / "out"
    yield "results", "solve --json", run(folder, "solve", CASE, "--json")
    yield "results", "solve --alone --json", run(folder, "solve", CASE, "--alone", "--relax", "--json")
    yield "results", "run --json", run(folder, "run", "--out", "out", "--members", "3", "--incident", "default,leader-crash", "--json")
    yield "results", "results.json", (out / "results.json").read_text()
    yield "manifest", "manifest.json", (out / "manifest.json").read_text()
    yield "answer", "ledger query --json", run(folder, "ledger", "query", "out/ledger", "blocks", "--json")
    run(folder, "export", CASE, "--mps", "case.mps")
    yield "program", "program --json", run(folder, "program", "case.mps", "--relax", "--json")
    yield "evaluation", "evaluate --json", run(folder, "evaluate", "--days", "1", "--relax", "--out", "walked", "--json")


def refuses_what_is_wrong(folder):
    result = json.loads(run(folder, "solve", CASE, "--relax", "--json"))
    for wrong in ({**result, "surprise": 1}, {**result, "status": "fine"}, {k: v for k, v in result.items() if k != "status"}):
        try:
            check("results", json.dumps(wrong))
        except jsonschema.ValidationError:
            continue
        raise AssertionError("a schema that lets everything pass")


def tells_what_reduction_keeps(folder):
    """Means that scenarios keep are near those of the samples; more samples than scenarios."""
    kept = json.loads((pathlib.Path(folder) / "out" / "results.json").read_text())["reduction"]
    assert kept["samples"] > kept["scenarios"] > 1 and kept["distance"] > 0, kept
    assert kept["series"], "no series"
    for series in kept["series"]:
        mean, deviation = series["mean"], series["deviation"]
        assert abs(mean["samples"] - mean["scenarios"]) <= deviation["samples"], series
        assert 0 < deviation["scenarios"] <= 2 * deviation["samples"], series


def main():
    failures = number = 0
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(f"{made} is as {name}.schema.json says", lambda n=name, t=text: check(n, t)) for name, made, text in texts(folder)]
        jobs.append(("the schemas refuse what is wrong", lambda: refuses_what_is_wrong(folder)))
        jobs.append(("results.json tells what the scenarios keep of the samples", lambda: tells_what_reduction_keeps(folder)))
        for number, (what, job) in enumerate(jobs, 1):
            try:
                job()
                print(f"ok {number} {what}")
            except (AssertionError, jsonschema.ValidationError) as error:
                failures += 1
                print(f"not ok {number} {what}\n# " + str(error).replace("\n", "\n# "))
    print(f"1..{number}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
