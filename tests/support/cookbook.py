"""The examples of pony-cookbook(7), each into a file of its own.

    cookbook.py MAN-PAGE FOLDER

Of each block that follows a comment  .\\" test: KIND [NAME]  a file
FOLDER/NN.KIND[.NAME] is made, with the text as a reader sees it. A block
without such a comment is an error: an example that nobody runs gets wrong.
"""
import pathlib
import re
import sys

ESCAPES = {"\\-": "-", "\\e": "\\", "\\(aq": "'", "\\(dq": '"', "\\&": ""}


def plain(line):
    return re.sub(r"\\(-|e|&|\(aq|\(dq)", lambda m: ESCAPES[m.group()], line)


def blocks(lines):
    """(kind, name or '', text) of each example."""
    wanted = None
    block = None
    for number, line in enumerate(lines, 1):
        if line.startswith('.\\" test: '):
            wanted = line.removeprefix('.\\" test: ').split()
        elif line.startswith(".Bd -literal"):
            if wanted is None:
                sys.exit(f"line {number}: an example without a test")
            block = []
        elif line == ".Ed":
            yield wanted[0], " ".join(wanted[1:]), "\n".join(block) + "\n"
            wanted = block = None
        elif block is not None:
            block.append(plain(line))


def main():
    page, folder = map(pathlib.Path, sys.argv[1:])
    for number, (kind, name, text) in enumerate(
            blocks(page.read_text().splitlines())):
        file = folder / f"{number:02}.{kind}{'.' if name else ''}{name}"
        file.write_text(text)


main()
