"""Reads mails back with Python's email and compares them with what they hold.

usage: check_mime.py FOLDER

FOLDER holds NNN.eml and NNN.json, as the unit tests write them. Prints each
difference; exit code 1 if there was one, or no mail.
"""

import base64
import email
import email.header
import email.policy
import email.utils
import json
import pathlib
import re
import sys


def lines(text):
    """The text of a part as a mail can say it: whole lines, here with LF."""
    text = re.sub("\r\n|\r|\n", "\n", text)
    return text if text.endswith("\n") or not text else text + "\n"


def decoded(name):
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii")
                   for part, charset in email.header.decode_header(name))


def addresses(header):
    """Names and addresses of a header as the default policy parses it.

    Not its names: between encoded-words it finds spaces that are not there
    (python/cpython#128110). Those come from Python's older functions.
    """
    if header is None:
        return []
    emails = [a.addr_spec for a in header.addresses]
    if not emails:
        return []
    names = [decoded(name) for name, _ in email.utils.getaddresses([header.raw])]
    return list(zip(names, emails, strict=True))


def expected_addresses(items):
    return [(item["name"], item["email"]) for item in items]


def text_of(part):
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8").replace("\r\n", "\n")


def leaves(message):
    return [part for part in message.walk() if not part.is_multipart()]


def is_file(part):
    return part.get_content_disposition() is not None


def compare(what, found, expected, problems):
    if found != expected:
        problems.append(f"{what}: found {found!r}, expected {expected!r}")


class RawPolicy(email.policy.EmailPolicy):
    """The default policy, whose headers remember how they were written."""

    def header_fetch_parse(self, name, value):
        unfolded = re.sub("\r\n", "", value)
        header = super().header_fetch_parse(name, value)
        header.raw = unfolded
        return header


def compare_headers(mail, want, problems):
    undisclosed = not want["to"] and not want["cc"]
    compare("from", addresses(mail["from"]), expected_addresses([want["from"]]), problems)
    compare("to", addresses(mail["to"]), expected_addresses(want["to"]), problems)
    compare("cc", addresses(mail["cc"]), expected_addresses(want["cc"]), problems)
    reply_to = [want["reply_to"]] if "reply_to" in want else []
    compare("reply_to", addresses(mail["reply-to"]), expected_addresses(reply_to), problems)
    if undisclosed:
        compare("group", str(mail["to"]), "undisclosed-recipients:;", problems)
    compare("bcc", mail["bcc"], None, problems)
    compare("subject", str(mail["subject"]), want["subject"], problems)
    compare("message_id", mail["message-id"], want["message_id"], problems)
    for name, value in want["headers"].items():
        # ASCII is written as it is, also where it looks encoded.
        found = mail[name].raw if value.isascii() else str(mail[name])
        compare(name, found, value, problems)
    for name in ("from", "to", "cc", "reply-to", "subject", "date", "message-id"):
        if mail[name] is not None:
            compare(f"defects of {name}", list(mail[name].defects), [], problems)


def compare_texts(mail, want, problems):
    texts = [part for part in leaves(mail) if not is_file(part)]
    expected = [("text/" + kind, lines(want[key]))
                for kind, key in (("plain", "text"), ("html", "html")) if want[key]]
    if not expected and not want["attachments"]:
        expected = [("text/plain", "")]
    found = [(part.get_content_type(), text_of(part)) for part in texts]
    compare("texts", found, expected, problems)


def compare_attachments(mail, want, problems):
    def is_inline(item):
        return bool(item["cid"] and want["html"])

    in_order = sorted(want["attachments"], key=lambda item: not is_inline(item))
    expected = [
        (item["filename"] or None, item["content_type"].split(";")[0],
         "inline" if is_inline(item) else "attachment",
         f"<{item['cid']}>" if item["cid"] else None,
         base64.b64decode(item["content"]))
        for item in in_order]
    found = [
        (part.get_filename(), part.get_content_type(), part.get_content_disposition(),
         part["content-id"], part.get_payload(decode=True))
        for part in leaves(mail) if is_file(part)]
    compare("attachments", found, expected, problems)


def nesting(part):
    if not part.is_multipart():
        return []
    kinds = [part.get_content_subtype()]
    for child in part.iter_parts():
        kinds += nesting(child)
    return kinds


def check(path):
    problems = []
    raw = path.read_bytes()
    want = json.loads(path.with_suffix(".json").read_text("utf-8"))
    mail = email.message_from_bytes(raw, policy=RawPolicy())
    for part in mail.walk():
        part.get_payload(decode=True)  # finds the defects of base64
        compare(f"defects of a {part.get_content_type()}", part.defects, [], problems)
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        problems.append("a line end is not CRLF")
    order = ["mixed", "related", "alternative"]
    kinds = nesting(mail)
    compare("nesting", kinds, [kind for kind in order if kind in kinds], problems)
    compare_headers(mail, want, problems)
    compare_texts(mail, want, problems)
    compare_attachments(mail, want, problems)
    return problems


def main(folder):
    failed = 0
    mails = sorted(pathlib.Path(folder).glob("*.eml"))
    for path in mails:
        problems = check(path)
        failed += bool(problems)
        for problem in problems:
            print(f"{path.name}: {problem}")
    print(f"{len(mails)} mails read, {failed} of them wrong")
    return 1 if failed or not mails else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
