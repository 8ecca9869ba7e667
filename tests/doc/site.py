#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The site builds, holds every page of doc/, and each link in it and in the top-level pages leads to a page and a
place in it.

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


def main():
    menu = re.findall(r"^(\S+\.md)\t.*?(\?)?$", (ROOT / "doc/site/pages.txt").read_text(), re.M)
    listed = {name for name, maybe in menu if not maybe or (ROOT / "doc" / name).exists()}
    there = {str(path.relative_to(ROOT / "doc")) for path in (ROOT / "doc").rglob("*.md") if path.parent.name != "site"}
    checks = [("every page of doc/ is in the menu", sorted(listed ^ there)),
              ("links between files", list(dead_in_repository()))]
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
