#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The site builds, holds every page of doc/, and each link in it and in the top-level pages leads to a page and a
place in it; tables are whole; the equations and sections that the code cites are there.

Prints TAP.  Usage: site.py ROOT
"""
import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.places, self.outside = [], set(), []

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.places.update(a[k] for k in ("id", "name") if k in a)
        if tag in {"script", "iframe", "object"}:
            self.outside.append(tag)
        for key in ("href", "src"):
            if key in a:
                self.links.append(a[key])
                if tag in {"link", "img"} and "://" in a[key]:
                    self.outside.append(a[key])


def read(site):
    found = {}
    for file in site.rglob("*.html"):
        found[file.resolve()] = Reader()
        found[file.resolve()].feed(file.read_text())
    return found


def dead(site, pages):
    for file, page in sorted(pages.items()):
        for link in page.links:
            address, _, place = link.partition("#")
            if "://" in link or link.startswith("mailto:") or address.startswith(("api/", "../api/")):
                continue  # elsewhere, or made by another tool
            target = (file.parent / address).resolve() if address else file
            if not target.is_file():
                yield f"{file.relative_to(site)}: {link}"
            elif place and target in pages and place not in pages[target].places:
                yield f"{file.relative_to(site)}: {link}: no such place"


def dead_in_repository():
    """Links between files as a reader of the repository follows them."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "doc").rglob("*.md")]:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", re.sub(r"`[^`\n]*`", "", text)):
            if "://" not in link and not link.startswith("api/") and not (page.parent / link).exists():
                yield f"{page.relative_to(ROOT)}: {link}"


def crooked_tables():
    """A row of other cells than its head, or cells without a head, are shown as bars in a row."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "doc").rglob("*.md"), *(ROOT / "bindings").rglob("*.md")]:
        text = re.sub(r"^```.*?^```", lambda code: "\n" * code[0].count("\n"), page.read_text(), flags=re.M | re.S)
        lines, cells = text.splitlines(), None
        for number, line in enumerate(lines, 1):
            if not line.startswith("|"):
                cells = None
                continue
            count = re.sub(r"`[^`]*`", "", line.replace(r"\|", "")).rstrip().count("|") - 1
            if cells is None and not (number < len(lines) and re.match(r"\|[ :|-]+\|$", lines[number])):
                yield f"{page.relative_to(ROOT)}:{number}: a row without a head"
            elif cells not in (None, count):
                yield f"{page.relative_to(ROOT)}:{number}: {count} cells, the head has {cells}"
            cells = count


def places_of_mathematics(page):
    """Numbers of equations, each once, and sections of a page of doc/math."""
    text = page.read_text()
    numbers = re.findall(r"^(?:    .*\S\s+\((\d+[a-z]?)\)|\((\d+)\) [A-Z].*|\| \((P\d+)\) .*)$", text, re.M)
    numbers = [next(filter(None, found)) for found in numbers]
    yield from (f"{page.relative_to(ROOT)}: two equations ({n})" for n in sorted({n for n in numbers if numbers.count(n) > 1}))
    titles = re.findall(r"^#+ (?:(\d+)\. )?(.*)$", text, re.M) + [("", name) for name in re.findall(r"^\*([^*]+?)\.?\*", text, re.M)]
    yield set(numbers), {n for n, _ in titles if n}, {name for _, name in titles}


def dead_in_code():
    """What the code cites of doc/math is there: equations by number, sections by number or title."""
    found = {}
    for page in (ROOT / "doc/math").glob("*.md"):
        *faults, found[page.stem] = places_of_mathematics(page)
        yield from faults
    for source in [*(ROOT / "lib").rglob("*.[ch]"), *(ROOT / "include").rglob("*.h")]:
        text = re.sub(r"\n \* ", " ", source.read_text())
        for page, rest in re.findall(r"doc/math/([a-z-]+)\.md((?:,? ?(?:section|equation)? ?(?:\(P?\d+[a-z]?\)|\d+|\"[^\"]+\"))*)", text):
            if page not in found:
                yield f"{source.relative_to(ROOT)}: doc/math/{page}.md"
                continue
            equations, sections, titles = found[page]
            for n in re.findall(r"\((P?\d+[a-z]?)\)", rest):
                if n not in equations:
                    yield f"{source.relative_to(ROOT)}: doc/math/{page}.md ({n})"
            for n in re.findall(r"section (\d+)", rest):
                if n not in sections:
                    yield f"{source.relative_to(ROOT)}: doc/math/{page}.md, section {n}"
            for name in re.findall(r'"([^"]+)"', rest):
                if not any(title.startswith(name) for title in titles):
                    yield f'{source.relative_to(ROOT)}: doc/math/{page}.md, "{name}"'


def main():
    menu = re.findall(r"^(\S+\.md)\t.*?(\?)?$", (ROOT / "doc/site/pages.txt").read_text(), re.M)
    listed = {name for name, maybe in menu if not maybe or (ROOT / "doc" / name).exists()}
    there = {str(path.relative_to(ROOT / "doc")) for path in (ROOT / "doc").rglob("*.md") if path.parent.name != "site"}
    checks = [("every page of doc/ is in the menu", sorted(listed ^ there)),
              ("links between files", list(dead_in_repository())),
              ("every row of a table has the cells of its head", list(crooked_tables())),
              ("what the code cites of the mathematics is there, once", list(dead_in_code()))]
    if shutil.which("pandoc"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, str(ROOT / "doc/site/build.py"), folder],
                                  capture_output=True, text=True)
            pages = read(pathlib.Path(folder))
            checks += [("the site builds", done.stderr.splitlines() if done.returncode != 0 or not pages else []),
                       ("links of the site", list(dead(pathlib.Path(folder).resolve(), pages))),
                       ("nothing is loaded from elsewhere, nothing is run",
                        [f"{p.name}: {x}" for p, r in pages.items() for x in r.outside])]
    else:
        checks.append(("the site builds # SKIP pandoc is not installed", []))
    print(f"1..{len(checks)}")
    for number, (name, faults) in enumerate(checks, 1):
        print("\n".join("# " + fault for fault in faults), end="\n" if faults else "")
        print(f"{'not ok' if faults else 'ok'} {number} {name}")
    return any(faults for _, faults in checks)


if __name__ == "__main__":
    sys.exit(main())
