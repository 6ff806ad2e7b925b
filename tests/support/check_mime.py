"""A stranger reads our mail: Python's email. Reads what make_mails writes from
standard input, parses each mail and compares it with what it must hold.

usage: make_mails FIRST COUNT | check_mime.py

Prints the first differences and a count; exit code 1 if there was one, or no
mail. The policy is `default`, and no part or header may have a defect.
"""

import base64
import email
import email.errors
import email.header
import email.policy
import email.utils
import itertools
import json
import re
import sys

MOST_SHOWN = 10


class RawPolicy(email.policy.EmailPolicy):
    """The default policy, whose headers remember how they were written."""

    def header_fetch_parse(self, name, value):
        unfolded = re.sub("\r\n", "", value)
        header = super().header_fetch_parse(name, value)
        header.raw = unfolded
        return header


POLICY = RawPolicy()


# ----- what was found, in the form of expected_content() in random_message.h


def decoded(name):
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii")
                   for part, charset in email.header.decode_header(name))


def addresses(header):
    """Names and addresses of a header as the default policy parses it.

    Not its names: between encoded-words it finds spaces that are not there
    (python/cpython#128110). Those come from Python's older functions.
    """
    emails = [a.addr_spec for a in header.addresses] if header is not None else []
    if not emails:
        return []
    names = [decoded(name) for name, _ in email.utils.getaddresses([header.raw])]
    return [{"name": name, "email": address}
            for name, address in zip(names, emails, strict=True)]


def value(header, is_ascii):
    """ASCII is written as it is, also where it looks encoded.

    Python keeps the space that begins the second line if the first has only
    the name, but no value here begins with one.
    """
    return (header.raw if is_ascii else str(header)).lstrip(" ")


def headers(mail, wanted):
    return [{"name": item["name"],
             "value": value(mail[item["name"]], item["value"].isascii())}
            for item in wanted]


def structure(part):
    if not part.is_multipart():
        return part.get_content_type()
    return f"{part.get_content_type()}({','.join(map(structure, part.iter_parts()))})"


def leaves(mail):
    return [part for part in mail.walk() if not part.is_multipart()]


def is_file(part):
    return part.get_content_disposition() is not None


def text(part):
    raw = part.get_payload(decode=True)
    return {"type": part.get_content_type(),
            "text": raw.decode(part.get_content_charset()).replace("\r\n", "\n")}


def attachment(part):
    disposition = part["content-disposition"]
    return {"filename": disposition.params.get("filename", ""),
            "type": part.get_content_type(),
            "disposition": disposition.content_disposition,
            "cid": (part["content-id"] or "").removeprefix("<").removesuffix(">"),
            "content": base64.b64encode(part.get_payload(decode=True)).decode()}


def content(mail, wanted):
    return {
        "from": addresses(mail["from"]),
        "to": addresses(mail["to"]),
        "cc": addresses(mail["cc"]),
        "reply_to": addresses(mail["reply-to"]),
        "undisclosed": str(mail["to"]) == "undisclosed-recipients:;",
        "subject": str(mail["subject"]),
        "message_id": mail["message-id"],
        "date": int(mail["date"].datetime.timestamp()),
        "headers": headers(mail, wanted["headers"]),
        "structure": structure(mail),
        "texts": [text(part) for part in leaves(mail) if not is_file(part)],
        "attachments": [attachment(part) for part in leaves(mail) if is_file(part)],
    }


# ----- comparing


def is_meant(name, defect):
    """Non-ASCII before the "@" is for SMTPUTF8; the second name of a file is for
    programs that do not know RFC 2231."""
    if isinstance(defect, email.errors.NonASCIILocalPartDefect):
        return True
    return (name == "Content-Disposition"
            and str(defect) == "duplicate parameter name; duplicate ignored")


def defects(mail):
    for part in mail.walk():
        # The content is parsed by content(), which finds the defects of base64.
        for defect in part.defects:
            yield f"a {part.get_content_type()} has the defect {defect!r}"
        for name, header in part.items():
            for defect in header.defects:
                if not is_meant(name, defect):
                    yield f"{name} has the defect {defect!r}"


def is_utf8(raw):
    """Is it a mail for SMTPUTF8? Python reads these only as text."""
    return not raw.partition(b"\r\n\r\n")[0].isascii()


def problems(raw, wanted):
    if is_utf8(raw):
        mail = email.message_from_string(raw.decode(), policy=POLICY)
    else:
        mail = email.message_from_bytes(raw, policy=POLICY)
    found = content(mail, wanted)
    for key, expected in wanted.items():
        if found[key] != expected:
            yield f"{key}: found {found[key]!r}, expected {expected!r}"
    yield from defects(mail)
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        yield "a line end is not CRLF"
    if mail["bcc"] is not None or b"hidden.example" in raw:
        yield "Bcc is written"


def mails(stream):
    """Pairs of a mail and what it must hold."""
    while line := stream.readline():
        mail_size, json_size = map(int, line.split())
        yield stream.read(mail_size), json.loads(stream.read(json_size))


def main():
    wrong = 0
    number = -1
    for number, (raw, wanted) in enumerate(mails(sys.stdin.buffer)):
        found = list(problems(raw, wanted))
        wrong += bool(found)
        if found and wrong <= MOST_SHOWN:
            print(f"mail {number}:", *itertools.islice(found, 5), sep="\n  ")
    print(f"{number + 1} mails read with Python {sys.version.split()[0]}, "
          f"{wrong} of them wrong")
    return 1 if wrong or number < 0 else 0


if __name__ == "__main__":
    sys.exit(main())
