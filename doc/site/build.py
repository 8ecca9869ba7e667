#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build the documents as a site that needs no network and no script: one HTML page for each page of doc/, and one for
each source
file that they link to.  Needs pandoc.

build.py OUT [--api DIR]     DIR: HTML reference made by Doxygen, taken over as api/
"""
import html
import os
import pathlib
import re
import shutil
import subprocess
import sys

DOC = pathlib.Path(__file__).resolve().parent.parent
ROOT = DOC.parent
LANGUAGES = {".c": "c", ".h": "c", ".py": "python", ".yaml": "yaml", ".sh": "bash", ".build": "python"}


def pages():
    """(part, path, name) in the order of the menu"""
    part = None
    for line in (DOC / "site/pages.txt").read_text().splitlines()[2:]:
        if line.startswith("# "):
            part = line[2:]
        elif line and (not line.endswith("\t?") or (DOC / line.split("\t")[0]).exists()):
            yield (part, *line.split("\t")[:2])


def menu(current, top):
    out, last = [], None
    for part, path, name in pages():
        if part != last:
            out.append(("</ul>" if last else "") + f"<b>{html.escape(part)}</b><ul>")
            last = part
        here = ' aria-current="page"' if path == current else ""
        out.append(f'<li><a href="{top}{path[:-3]}.html"{here}>{html.escape(name)}</a></li>')
    return "\n".join(out) + "</ul>"


def pandoc(text, top, current, title, follow, *more):
    command = ["pandoc", "-f", "gfm+tex_math_dollars", "-t", "html5", "--standalone", "--mathml",
               "--columns=10000", *more,
               f"--template={DOC / 'site/template.html'}", "-V", f"top={top}", "-V", f"nav={menu(current, top)}", "-V",
               f"follow={follow}",
               "-M", f"pagetitle={title}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def number_first(block):
    """Equations: the number at the end of a line, which a narrow screen would hide, stands before it."""
    lines = block[2].split("\n")
    ends = [re.fullmatch(r"(.*?\S)\s+\((\d+[a-z]?)\)", line) for line in lines]
    if not any(ends):
        return block[0]
    return block[1] + "\n".join(f"{f'({end[2]})':<6}{end[1]}" if end else " " * 6 + line if line else line
                                for line, end in zip(lines, ends)) + block[3]


def polish(page):
    """What pandoc has no word for: tables that scroll by themselves, what a command prints right below it."""
    page = re.sub(r"(<pre><code>)(.*?)(</code></pre>)", number_first, page, flags=re.S)
    page = re.sub(r"<code>(?=[^<\n]{41,}</code>)", '<code class="long">', page)  # in a table these may be broken
    page = page.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    page = re.sub(r"<td>([^<]{1,12})</td>", lambda cell: cell[0].replace(" ", "\u00a0"), page)
    page = re.sub(r'<pre class="text"><code>', '<pre><code>', page)
    page = re.sub(r'(</code></pre></div>\n)(<pre><code>.*?</code></pre>)', r'\1<div class="printed">\2</div>',
                  page, flags=re.S)
    page = re.sub(r'(<b>On this page</b>\s*)<ul>\s*<li><a[^>]*>.*?</a>\s*(<ul>.*</ul>)\s*</li>\s*</ul>(?=\s*</aside>)', r'\1\2', page,
                  flags=re.S)  # without the page's own title
    page = re.sub(r'<a href="#cb[\d-]+" aria-hidden="true" tabindex="-1"></a>', "", page)
    return re.sub(r"<!-- .*? -->\n?", "", page, flags=re.S)


def neighbours(path, top):
    order = [(p, name) for _, p, name in pages()]
    at = [p for p, _ in order].index(path)
    cells = ["<span></span>", "<span></span>"]
    if at > 0:
        cells[0] = f'<a href="{top}{order[at - 1][0][:-3]}.html">← {html.escape(order[at - 1][1])}</a>'
    if at + 1 < len(order):
        cells[1] = f'<a href="{top}{order[at + 1][0][:-3]}.html">{html.escape(order[at + 1][1])} →</a>'
    return "".join(cells)


class Site:
    def __init__(self, out):
        self.out, self.sources, self.folders, self.files = out, set(), set(), set()

    def target(self, path, link):
        """Where a link of a page leads in the site; pages, sources and pictures are there, the rest stays as it is."""
        address, _, anchor = link.partition("#")
        if "://" in link or not address or address.startswith("api/"):
            return link
        file = (DOC / path).parent.joinpath(address).resolve()
        top = os.path.relpath(".", pathlib.Path(path).parent)
        top = "" if top == "." else top + "/"
        end = "#" + anchor if anchor else ""
        if file.suffix == ".md" and DOC in file.parents:
            return f"{top}{file.relative_to(DOC).with_suffix('.html')}{end}"
        if file.is_file() and ROOT in file.parents:
            name = file.relative_to(ROOT)
            if file.suffix in {".png", ".svg"}:
                self.files.add(name)
                return f"{top}{name.relative_to('doc')}" if name.parts[0] == "doc" else f"{top}files/{name}"
            self.sources.add(name)
            return f"{top}source/{name}.html{end}"
        if file.is_dir() and ROOT in file.parents:
            name = file.relative_to(ROOT)
            self.folders.add(name)
            self.sources.update(f.relative_to(ROOT) for f in file.iterdir() if f.is_file())
            return f"{top}source/{name}/index.html"
        return link

    def write(self, name, text):
        file = self.out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def page(self, path):
        text = (DOC / path).read_text()
        title = re.search(r"^# (.*)$", text, re.M)[1]
        top = "../" * (len(pathlib.Path(path).parts) - 1)
        page = polish(pandoc(text, top, path, title, neighbours(path, top), "--toc", "--toc-depth=3"))
        body = page.index("<main")
        page = page[:body] + re.sub(r'(href|src)="([^"]+)"',
                                    lambda m: f'{m[1]}="{self.target(path, m[2])}"'
                                    if not m[2].startswith(top + "index.html")
                                    else m[0], page[body:page.index("<footer")]) + page[page.index("<footer"):]
        self.write(path[:-3] + ".html", page)

    def source(self, name):
        text = (ROOT / name).read_text()
        fence = "`" * 8
        top = "../" * len(name.parts)
        shown = f"# {name}\n\n{fence}{LANGUAGES.get(name.suffix, 'text')}\n{text}{fence}\n"
        self.write(f"source/{name}.html", polish(pandoc(shown, top, "", str(name), "", "-V", "wide=yes")))

    def folder(self, name):
        top = "../" * (len(name.parts) + 1)
        rows = "".join(f"- [{f.name}]({f.name}.html)\n" for f in sorted((ROOT / name).iterdir()) if f.is_file())
        self.write(f"source/{name}/index.html", polish(pandoc(f"# {name}\n\n{rows}", top, "", str(name), "")))


def main():
    out = pathlib.Path(sys.argv[1])
    site = Site(out)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(DOC / "site/style.css", out)
    if "--api" in sys.argv:
        shutil.copytree(sys.argv[sys.argv.index("--api") + 1], out / "api", dirs_exist_ok=True)
    for _, path, _ in pages():
        site.page(path)
    for name in sorted(site.sources):
        site.source(name)
    for name in sorted(site.folders):
        site.folder(name)
    for name in sorted(site.files):
        target = out / (name.relative_to("doc") if name.parts[0] == "doc" else pathlib.Path("files") / name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    print(f"{out}/index.html")


if __name__ == "__main__":
    main()
