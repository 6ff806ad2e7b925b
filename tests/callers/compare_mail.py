#!/usr/bin/python3
"""Is what arrived by one sendmail what arrived by another one?

    compare_mail.py REFERENCE SIDE [--replace TEXT=WORD]...
    compare_mail.py REFERENCE --record GOLDEN [--replace TEXT=WORD]...

REFERENCE and SIDE are folders of smtp_server.py's --dump, or a folder that
--record made. Mails are paired by the word "call-NAME" that each has in it.
Envelope, header and body must be the same byte for byte but for the
differences that are listed here, each with its reason; all others are printed
as a diff, and the exit code is 1.
"""

import argparse
import difflib
import email.header
import email.utils
import json
import pathlib
import quopri
import re
import sys
import time

# Each server's own trace of a mail.
TRACE = {
    b"received",
    # Postfix's local(8) marks a mail that an alias sends on, against loops.
    b"delivered-to",
}
# Whose place in a header means nothing: who adds them, adds them somewhere.
ADDED = {
    b"date", b"message-id", b"from", b"resent-date", b"resent-message-id",
    b"mime-version", b"content-type", b"content-transfer-encoding",
}
MADE_BY_SENDMAIL = [
    rb"<\d{14}\.[0-9A-F]+@box\.widgets\.example>",  # Postfix
    rb"<[0-9A-HJKMNP-TV-Z]{26}@widgets\.example>",  # pony
]


def fields_of(header):
    """The fields of a header with their bytes, in their order."""
    fields = []
    for line in header.splitlines(keepends=True):
        if fields and line[:1] in b" \t":
            fields[-1] += line
        else:
            fields.append(line)
    return fields


def name_of(field):
    return field.split(b":", 1)[0].strip().lower()


def value_of(field):
    return field.split(b":", 1)[1].strip()


def plain_date(field):
    """A date that is now, or nearly, differs from call to call."""
    try:
        when = email.utils.parsedate_to_datetime(value_of(field).decode())
    except ValueError:  # recorded as "now"; or else it is a difference
        return field
    if abs(when.timestamp() - time.time()) > 600:
        return field
    return field.split(b":")[0] + b": now\r\n"


def plain_message_id(field):
    """An id is new with each call: it counts who made it. Those that have
    "fixed" in them are the callers' own, and stay."""
    value = value_of(field)
    if b"fixed" in value:
        return field
    name = b"Resent-" if name_of(field).startswith(b"resent") else b""
    if any(re.fullmatch(shape, value) for shape in MADE_BY_SENDMAIL):
        return name + b"Message-ID: made by sendmail\r\n"
    if re.fullmatch(rb"<[^<>@\s]+@[^<>@\s]+>", value):
        return name + b"Message-ID: made by the caller\r\n"
    return field


def plain_version(field):
    return re.sub(rb"[\d.]*\d", b"#", field)


PLAIN = {
    b"x-mailer": plain_version,
    b"user-agent": plain_version,
    b"date": plain_date,
    b"resent-date": plain_date,
    b"message-id": plain_message_id,
    b"resent-message-id": plain_message_id,
}


def wishes(words):
    """What is wished of notifications (RFC 3461), without ORCPT, which tells a
    later server whom a mail was for: with or without it the wish is the same."""
    return "".join(f" {word}" for word in words if not word.startswith("ORCPT="))


class Mail:
    """`sender` and `recipients`: as a session names them, with their wishes."""

    def __init__(self, sender, recipients, content, replacements):
        for text, word in replacements:
            content = content.replace(text, word)
            sender = sender.replace(text.decode(), word.decode())
        self.sender = sender
        self.recipients = recipients
        # Made anew by mutt and s-nail for each mail: boundaries, ids of parts.
        for boundary in set(re.findall(rb'boundary="([^"]+)"', content)):
            if b"fixed" not in boundary:
                content = content.replace(boundary, b"BOUNDARY")
        content = re.sub(rb"(In-Reply-To:|References:|\r\n) <[^>]*-1-joerg@", rb"\1 <FIRST-joerg@", content)
        content = re.sub(rb"<\d{14}\.[^%>]{5}%", b"<NEW%", content)
        header, _, self.body = content.partition(b"\r\n\r\n")
        header = header.removesuffix(b"\r\n")  # no body, nor an empty line
        self.fields = [
            PLAIN.get(name_of(field), lambda same: same)(field)
            for field in fields_of(header + b"\r\n")
            if name_of(field) not in TRACE
        ]

    def names(self):
        return [name_of(field) for field in self.fields]

    def value(self, name):
        return [value_of(f) for f in self.fields if name_of(f) == name]

    def without(self, names):
        self.fields = [f for f in self.fields if name_of(f) not in names]

    def replace(self, name, other):
        theirs = [f for f in other.fields if name_of(f) == name]
        self.fields = [
            theirs.pop(0) if name_of(f) == name and theirs else f
            for f in self.fields
        ]

    def content(self):
        kept = [f for f in self.fields if name_of(f) not in ADDED]
        added = [f for f in self.fields if name_of(f) in ADDED]
        return b"".join(kept + sorted(added, key=name_of)) + b"\r\n" + self.body

    def text(self):
        """All that counts, to be compared and read."""
        envelope = [f"MAIL FROM:{self.sender}"]
        envelope += [f"RCPT TO:{one}" for one in sorted(self.recipients)]
        return ("\r\n".join(envelope) + "\r\n\r\n").encode() + self.content()


def allow_declaration(reference, mail):
    """Postfix sends an 8-bit text on without a word of what it is; ours says
    so, because readers would guess (RFC 2045, 2.8 and 6.2 ask for it)."""
    if reference.body.isascii() or reference.value(b"content-type"):
        return
    try:
        mail.body.decode()
        charset = b"utf-8"
    except UnicodeDecodeError:
        charset = b"iso-8859-1"
    right = {
        b"mime-version": [b"1.0"],
        b"content-transfer-encoding": [b"8bit"],
        b"content-type": [b"text/plain; charset=" + charset],
    }
    if all(mail.value(name) == value for name, value in right.items()):
        mail.without(right.keys())


def allow_encoding(reference, mail):
    """Postfix breaks a line of more than 998 bytes wherever that is, within a
    character too, and puts a space there; ours encodes the text, and nothing
    of it is lost."""
    broken = re.compile(rb"(?<=[^\r\n]{998})\r\n ")
    if not broken.search(reference.body):
        return
    if mail.value(b"content-transfer-encoding") != [b"quoted-printable"]:
        return
    if max(map(len, mail.body.split(b"\r\n"))) > 76:
        return
    if quopri.decodestring(mail.body) == broken.sub(b"", reference.body):
        mail.body = reference.body
        mail.without({b"content-transfer-encoding"})


def allow_encoded_name(reference, mail):
    """Of a name in other than ASCII, which it takes for From, Postfix writes
    the bytes, which is no header field without SMTPUTF8; ours encodes it."""
    theirs, ours = reference.value(b"from"), mail.value(b"from")
    if theirs and len(theirs) == len(ours) == 1 and not theirs[0].isascii():
        read = email.header.decode_header(ours[0].decode("ascii", "replace"))
        if str(email.header.make_header(read)).encode() == theirs[0]:
            mail.replace(b"from", reference)


def allow_folding(reference, mail):
    """Postfix writes each address list that it completes anew, with folds
    (RFC 5322, 2.2.3: they mean nothing); ours completes the names in it."""
    for name in (b"to", b"cc"):
        theirs, ours = reference.value(name), mail.value(name)
        if re.sub(rb"\r\n\s", b" ", b"".join(theirs)) == b"".join(ours):
            mail.replace(name, reference)


ALLOWED = [allow_declaration, allow_encoding, allow_encoded_name, allow_folding]


def read_dump(folder, replacements):
    """The mails of each call; those of one sender that are the same are one
    with all their recipients: how many take a session is not compared."""
    calls = {}
    for path in sorted(folder.glob("*.eml")):
        content = path.read_bytes()
        found = re.search(rb"\bcall-([a-z0-9-]+)", content)
        facts = json.loads(path.with_suffix(".json").read_text())
        dsn = facts["dsn"]
        options = facts["mail_options"]
        mail = Mail(
            f"<{facts['mail_from'].strip('<>')}>" + wishes(dsn.get("MAIL", [])),
            [f"<{one}>" + wishes(dsn.get(one, [])) for one in facts["rcpt_tos"]],
            content, replacements)
        mail.says_8bit = "BODY=8BITMIME" in options
        mails = calls.setdefault(found[1].decode() if found else "nobody", [])
        for other in mails:
            if (other.sender, other.content()) == (mail.sender, mail.content()):
                other.recipients += mail.recipients
                break
        else:
            mails.append(mail)
    return calls


def read_golden(folder):
    calls = {}
    for path in sorted(folder.glob("*.eml")):
        for text in path.read_bytes().split(b"\r\n=====\r\n"):
            envelope, _, content = text.partition(b"\r\n\r\n")
            sender, *recipients = (
                line.split(":", 1)[1] for line in envelope.decode().split("\r\n"))
            mail = Mail(sender, recipients, content, [])
            calls.setdefault(path.stem, []).append(mail)
    return calls


def read(folder, replacements):
    if next(folder.glob("*.json"), None):
        return read_dump(folder, replacements)
    return read_golden(folder)


def texts(mails):
    return b"\r\n=====\r\n".join(sorted(mail.text() for mail in mails))


def compare(name, reference, side):
    """The lines of a diff; none if the call's mails are the same."""
    if any(not m.body.isascii() and not m.says_8bit for m in side):
        # Postfix does so where the caller hasn't declared anything.
        return [f"{name}: an 8-bit body goes out without BODY=8BITMIME (RFC 6152)"]
    if len(reference) == len(side) == 1:
        for allow in ALLOWED:
            allow(reference[0], side[0])
    lines = [
        [repr(line)[2:-1] for line in texts(mails).split(b"\n")]
        for mails in (reference, side)
    ]
    return list(difflib.unified_diff(
        *lines, f"{name}: reference", f"{name}: ours", lineterm=""))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=pathlib.Path)
    parser.add_argument("side", type=pathlib.Path, nargs="?")
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--replace", action="append", default=[])
    options = parser.parse_args()
    replacements = [
        tuple(part.encode() for part in rule.rsplit("=", 1))
        for rule in options.replace
    ]
    reference = read(options.reference, replacements)
    if options.record:
        options.record.mkdir(parents=True, exist_ok=True)
        for name, mails in reference.items():
            (options.record / f"{name}.eml").write_bytes(texts(mails))
        return 0
    side = read(options.side, replacements)
    if not reference:
        sys.exit("no mail in the reference")
    different = 0
    for name in sorted(reference.keys() | side.keys()):
        lines = compare(name, reference.get(name, []), side.get(name, []))
        different += bool(lines)
        if lines:
            print("\n".join(lines))
    print(f"{len(reference)} calls compared, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
