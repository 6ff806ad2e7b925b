#!/usr/bin/python3
"""find_secrets.py SECRET_FILE… -- PATH…: exits 1 and names the file and the
place when one of the secrets, or eight characters in a row of one, is found
below a path, in any spelling: as it is, in JSON (plain, with escaped slashes,
in \\u escapes, twice), percent-encoded, as HTML, in base64 at any offset."""

import base64
import html
import json
import pathlib
import sys
import urllib.parse

PART = 8


def spellings(secret):
    once = json.dumps(secret)[1:-1]
    yield secret
    yield once
    yield once.replace("/", "\\/")
    yield json.dumps(once)[1:-1]
    yield "".join(f"\\u{ord(c):04x}" for c in secret)
    yield "".join(f"\\u{ord(c):04X}" for c in secret)
    for quoted in (urllib.parse.quote(secret, safe=""),
                   urllib.parse.quote(secret), urllib.parse.quote_plus(secret),
                   "".join(f"%{ord(c):02x}" for c in secret)):
        yield quoted
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode()).decode()
        # Only what depends on the secret alone.
        start = (before * 8 + 5) // 6
        end = (before + len(secret)) * 8 // 6
        yield text[start:end]
        yield text[start:end].replace("+", "-").replace("/", "_")
    yield secret.encode().hex()


def parts_of(secret):
    """The pieces to look for, each PART long or the whole of a short one."""
    for text in spellings(secret):
        if text.startswith("\\u") or text.count("%") * 3 == len(text):
            step = 6 if text.startswith("\\u") else 3
            size = min(len(secret), PART) * step
            # A digit or two of these are everywhere: whole characters.
            for at in range(0, len(text) - size + 1, step):
                yield text[at:at + size].encode()
        else:
            size = min(len(text), PART)
            for at in range(len(text) - size + 1):
                yield text[at:at + size].encode()


def main():
    split = sys.argv.index("--")
    by_size = {}
    for path in sys.argv[1:split]:
        secret = pathlib.Path(path).read_text().rstrip("\n")
        for part in parts_of(secret):
            by_size.setdefault(len(part), {})[part] = path
    found = 0
    for root in map(pathlib.Path, sys.argv[split + 1:]):
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            data = path.read_bytes()
            for size, parts in by_size.items():
                for at in range(len(data) - size + 1):
                    if data[at:at + size] in parts:
                        found += 1
                        near = data[max(0, at - 60):at + size + 20]
                        print(f"{path}: at {at}, a part of "
                              f"{parts[data[at:at + size]]}: {near!r}")
                        break
    return 1 if found else 0


sys.exit(main())
