#!/usr/bin/python3
"""pony against the stand-in: each HTTP provider, each behaviour.

For each provider one `pony run` sends a message for each behaviour, each by a
provider of its own in the configuration, so that none disturbs another: what
rests, breaks or is slow is that one alone. What is compared is in
expectations.py. Prints what is not as expected; exits 1 then.
"""

import argparse
import base64
import collections
import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import answers
import checks
import expectations
import stand_in

KEY = "k3y-0f-th3-t3st-not-to-be-s33n"
SESSION_TOKEN = "t0k3n-0f-th3-s3ss10n"
HERE = pathlib.Path(__file__).parent


class Servers:
    """The stand-ins that a run needs: one as asked, one that closes, TLS."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        certificate = [str(folder / "cert.pem"), str(folder / "key.pem")]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-out", certificate[0],
             "-keyout", certificate[1]], check=True, capture_output=True)
        starting = [("", []), ("closing", ["--default", "close-on-accept"]),
                    ("tls", ["--tls", *certificate])]
        for name, options in starting:
            self.start(name, options)
        self.ports = {
            name: int(process.stdout.readline().split("=")[1])
            for (name, _), process in zip(starting, self.processes)}
        self.ports["untrusted"] = self.ports["tls"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ports["refused"] = free.getsockname()[1]

    def start(self, name, options):
        self.processes.append(subprocess.Popen(
            [sys.executable, "-B", HERE / "stand_in.py", "--key", KEY,
             "--session-token", SESSION_TOKEN,
             "--log", self.folder / f"requests-{name or 'main'}.log", *options],
            stdout=subprocess.PIPE, text=True))

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def base_url(self, server="", host=""):
        scheme = "https" if server in ("tls", "untrusted") else "http"
        name = "localhost" if scheme == "https" else f"{host}.localhost"
        return f"{scheme}://{name}:{self.ports[server]}"

    def log(self):
        """All that was asked of any of them."""
        out = []
        for path in sorted(self.folder.glob("requests-*.log")):
            out += [json.loads(line) for line in path.read_text().splitlines()]
        return out


# --- One provider's configuration and messages --------------------------------------

SETTINGS = {
    "mailgun": "domain: mg.widgets.example, api_key_file: key, ",
    "ses": "region: eu-west-1, access_key_id: AKIDEXAMPLE, "
           "secret_access_key_file: key, session_token_file: token, ",
}
PDF = base64.b64encode(b"%PDF-1.4\n" + bytes(range(256))).decode()
BIG = base64.b64encode(os.urandom(2_000_000)).decode()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(200))).decode()
INLINE = {"filename": "logo.png", "content_type": "image/png", "content": PNG,
          "cid": "logo"}
FULL = {
    "from": "Widget Team <team@widgets.example>",
    "to": ["Ann Example <success+full@example.com>",
           {"name": 'Jürgen "J" Müller, jr.',
            "email": "juergen@bücher.example"}],
    "cc": [{"name": "Smith, Bob; Sales", "email": "bob@example.com"}],
    "bcc": [{"name": "Zoë (blind)", "email": "zoe@example.com"}],
    "reply_to": "Help Desk <help@widgets.example>",
    "subject": "Grüße, 世界: \"quoted\" & <marked> 👋",
    "text": "Grüße\nand a second line, 世界\n.\n",
    "html": "<p>Grüße &amp; <img src=\"cid:logo\"> 世界</p>",
    "headers": {"X-Campaign": "spring sale"},
    "attachments": [
        {"filename": "Übersicht 2026.pdf", "content_type": "application/pdf",
         "content": PDF},
        {"filename": "notes.txt", "content_type": "text/plain",
         "content": base64.b64encode(b"plain notes\n").decode()},
        INLINE],
    "tags": ["signup", "eu"],
    "metadata": {"user_id": "42", "plan": "gold"},
}


# As a program hands it to sendmail: LF, a Bcc, bytes that are not ASCII, lines
# that a signature would not forgive to be touched.
FINISHED = (
    "Received: by host (something)\n\tid 1; Sat, 21 Nov 2026 10:00:00 +0000\n"
    "DKIM-Signature: v=1; a=rsa-sha256; d=widgets.example; s=x;\n\tb=AbC  \n"
    "\t dEf\n"
    "From: =?utf-8?B?V2lkZ2V0?= Team <team@widgets.example>\n"
    "To: Ann Example <ann@example.com>, nobody@elsewhere.example\n"
    "Bcc: zoe@example.com\nX-Pony-Tags: cron\n"
    "Subject: =?utf-8?B?Y2FzZSByYXcg?= =?utf-8?B?R3LDvMOfZQ==?=\n"
    "In-Reply-To: <1@widgets.example>\nMessage-ID: <2@widgets.example>\n"
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: 8bit\n\nGrüße\n.\n..\nFrom here\n"
    "--b\nContent-Type: application/pdf\nContent-Disposition: attachment;\n"
    " filename*=utf-8''%C3%9Cber.pdf\nContent-Transfer-Encoding: base64\n\n"
    "JVBERi0xLjQK\n--b--\n").encode()


def wire_form(raw):
    """What must arrive of it where finished messages are taken."""
    raw = re.sub(rb"(?m)^(Bcc|X-Pony-Tags):.*\n", b"", raw)
    return raw.replace(b"\n", b"\r\n")


class Case:
    """One behaviour: an entry `name` of the configuration, its messages."""

    def __init__(self, name, expected, messages, providers=1):
        self.name = name
        self.expected = expected
        self.messages = messages
        self.providers = [f"c-{name}" + ("" if n == 0 else f"-{n + 1}")
                          for n in range(providers)]
        self.ids = []
        for message in messages:
            message["pool"] = f"c-{name}"


def message_of(name, expected, number):
    behaviour = name if not (expected.host or expected.server) else "ann"
    label = f"+{number}" if expected.times > 1 else ""
    message = {"to": [f"{behaviour}{label}@example.com", *expected.to],
               "subject": f"case {name} {number}", "text": "Hello\n"}
    if expected.big:
        message["attachments"] = [
            {"filename": "big.pdf", "content_type": "application/pdf",
             "content": BIG}]
    return message


def cases_of(provider):
    cases = []
    for name, expected in expectations.expected_of(provider).items():
        messages = [message_of(name, expected, number)
                    for number in range(expected.times)]
        cases.append(Case(name, expected, messages,
                          2 if expected.again else 1))
    full = json.loads(json.dumps(FULL))
    if expectations.CARRIES[provider].get("inline") == "skipped":
        cases.append(Case("full-inline", None, [json.loads(json.dumps(FULL))]))
        full["attachments"].remove(INLINE)
    cases.append(Case("full", expectations.accepted(), [full]))
    cases.append(Case("raw", expectations.accepted(), [{
        "from": "bounces@widgets.example",
        "to": ["ann@example.com", "zoe@example.com"],
        "raw": base64.b64encode(FINISHED).decode()}]))
    once = expectations.unknown()
    cases.append(Case("unknown-once", once,
                      [message_of("unknown-once", once, 0)]))
    return cases


def provider_line(servers, provider, name, expected):
    expected = expected or expectations.accepted()
    # A host of its own, so that no case gets a connection that another one
    # taught the server to close.
    own = "c-" + re.sub("[^a-z0-9]+", "-", name.lower())[:50].strip("-")
    url = servers.base_url(expected.server, expected.host or own)
    secure = (", allow_insecure: true" if url.startswith("http:") else
              ", ca_file: cert.pem" if expected.server == "tls" else "")
    settings = SETTINGS.get(provider, "api_key_file: key, ")
    return (f"  {name}: {{type: {provider}, {settings}base_url: \"{url}\""
            f"{secure}, timeout: {expected.timeout}, connect_timeout: 5s, "
            "connections: 1}\n")


def configuration(servers, provider, cases, folder):
    lines = [f"spool: {folder}/spool\n"
             "default_from: Widget Team <team@widgets.example>\n"
             "breaker: {failures: 1000}\n"
             "retry: {first: 1h, max: 2h}\n"
             "providers:\n"]
    for case in cases:
        lines += [provider_line(servers, provider, name, case.expected)
                  for name in case.providers]
    for name in expectations.CHECKS:
        expected = expectations.accepted(
            host=name if name != "check" else "")
        lines.append(provider_line(servers, provider, name, expected))
    lines.append("pools:\n")
    lines += [f"  c-{case.name}: {{providers: [{', '.join(case.providers)}]}}\n"
              for case in cases]
    return "".join(lines)


# --- Running it ------------------------------------------------------------------


class Suite:
    """One provider: its folder, its run, what is wrong."""

    def __init__(self, servers, pony, provider, folder):
        self.servers = servers
        self.pony_path = pony
        self.provider = provider
        self.folder = folder
        self.wrong = []
        self.cases = cases_of(provider)

    def fail(self, case, words):
        self.wrong.append(f"{self.provider} {case}: {words}")

    def pony(self, *words, stdin=None, codes=(0,)):
        done = subprocess.run(
            [self.pony_path, "--config", self.folder / "pony.yaml", *words],
            input=stdin, capture_output=True, timeout=120)
        with (self.folder / "output").open("ab") as output:
            output.write(done.stdout + done.stderr)
        if done.returncode not in codes:
            self.fail("pony " + words[0], f"exit code {done.returncode}: "
                      + done.stderr.decode(errors="replace")[:2000])
        return done

    def prepare(self):
        self.folder.mkdir()
        for name, text in (("key", KEY), ("token", SESSION_TOKEN),
                           ("pony.yaml", configuration(
                               self.servers, self.provider, self.cases,
                               self.folder))):
            path = self.folder / name
            path.touch(0o600)
            path.write_text(text)
        (self.folder / "cert.pem").write_bytes(
            (self.servers.folder / "cert.pem").read_bytes())

    def run(self):
        started = time.time()
        self.prepare()
        messages = [m for case in self.cases for m in case.messages]
        done = self.pony("enqueue", stdin=b"".join(
            json.dumps(m, ensure_ascii=False).encode() + b"\n"
            for m in messages))
        ids = iter(done.stdout.decode().split())
        for case in self.cases:
            case.ids = [next(ids, "none") for _ in case.messages]
        done = self.pony("run", "--jobs", "200")
        again = next(c for c in self.cases if c.name == "unknown-once")
        self.pony("retry", again.ids[0])
        self.pony("run")
        listed = self.pony("provider", "list", "--json").stdout.decode()
        self.health = {entry["name"]: entry
                       for entry in map(json.loads, listed.splitlines())}
        self.read_events()
        self.read_log()
        for case in self.cases:
            self.look_at(case)
        self.check_checks()
        self.look_for_secrets()
        return time.time() - started

    def read_events(self):
        self.events = collections.defaultdict(list)
        for path in (self.folder / "spool").rglob("*.jsonl"):
            if path.parent.name == "log":
                continue
            lines = [json.loads(line)
                     for line in path.read_text().splitlines()]
            self.events[path.stem] = [e for e in lines if "event" in e]

    def read_log(self):
        """Requests of this provider by the case that they belong to."""
        self.requests = collections.defaultdict(list)
        for entry in self.servers.log():
            if entry["provider"] not in (self.provider, ""):
                continue
            if entry["operation"] == "check":
                if "bad" in entry:
                    self.fail("check", f"not as documented: {entry['bad']}")
                continue
            subject = (entry["mail"] or {}).get("subject", "")
            case = (subject.split()[1] if subject.startswith("case ") else
                    "full" if subject else entry["behaviour"])
            self.requests[case].append(entry)
            if "bad" in entry:
                self.fail(case or "?", f"not as documented: {entry['bad']}")

    # --- One case ---

    def look_at(self, case):
        events = [e for id in case.ids for e in self.events[id]]
        attempts = [e for e in events if e["event"] == "attempted"]
        requests = self.requests[case.name]
        if case.name == "full-inline":
            if attempts or not any(e["event"] == "skipped" for e in events):
                self.fail(case.name, f"was not skipped: {events}")
            return
        expected = case.expected
        wanted = expected.times + bool(expected.again)
        if case.name == "unknown-once":
            wanted = 2
        if len(attempts) != wanted:
            self.fail(case.name, f"{len(attempts)} attempts instead of "
                      f"{wanted}: {events}")
            return
        if expected.requests is None:
            least = [a["outcome"] for a in attempts].count("accepted")
            right = least <= len(requests) <= len(attempts)
        else:
            right = len(requests) == len(attempts) * expected.requests
        if not right:
            self.fail(case.name, f"{len(requests)} requests for "
                      f"{len(attempts)} attempts")
        if case.name == "unknown-once":
            return self.look_at_retry(case, attempts, requests)
        allowed = [expected.outcomes] * expected.times
        if expected.again:
            allowed.append(expected.again)
        for attempt, outcomes in zip(attempts, allowed):
            if attempt["outcome"] not in outcomes:
                self.fail(case.name, f"{attempt['outcome']} instead of "
                          f"{' or '.join(outcomes)}: {attempt}")
        for attempt in attempts:
            if attempt["outcome"] != "accepted" and not attempt.get("error"):
                self.fail(case.name, f"does not say why: {attempt}")
        self.look_at_ids(case, attempts, requests)
        if expected.recipients:
            self.look_at_recipients(case, attempts, requests)
        self.look_at_rest(case, attempts)
        if case.name == "close-on-reuse":
            self.look_at_reuse(attempts, requests)
        if case.name == "full":
            self.look_at_full(attempts[0], requests)
        if case.name == "raw":
            self.look_at_raw(requests)

    def look_at_ids(self, case, attempts, requests):
        if not case.expected.id or not requests:
            return
        got, given = attempts[-1].get("provider_id", ""), requests[-1]["id"]
        if got.strip("<>") != given.strip("<>"):
            self.fail(case.name, f"the id '{got}' instead of '{given}'")

    def look_at_recipients(self, case, attempts, requests):
        for entry in attempts[0].get("recipients", []):
            wanted = [o for begin, o in case.expected.recipients.items()
                      if entry["email"].startswith(begin)]
            if [entry["outcome"]] != wanted:
                self.fail(case.name, f"{entry} instead of {wanted}")
        if len(attempts[0].get("recipients", [])) != len(
                case.expected.to) + 1:
            self.fail(case.name, f"no outcome each: {attempts[0]}")
        if case.expected.again:
            second = [p["email"] for p in requests[-1]["mail"]["to"]]
            bad = [b for b, o in case.expected.recipients.items()
                   if o == "rejected"]
            if not second or any(e.startswith(b) for e in second for b in bad):
                self.fail(case.name, f"sent again to {second}")

    def look_at_rest(self, case, attempts):
        """The provider rests for as long as it asked; else it does not."""
        entry = self.health.get(case.providers[0])
        if entry is None:
            self.fail(case.name, "not in the list of providers")
            return
        rest = case.expected.rest
        if rest is None:
            if attempts[0]["outcome"] not in ("throttled", "unavailable",
                                              "unknown") and (
                    entry["state"] != "ok"):
                self.fail(case.name, f"is not at work: {entry}")
            return
        if entry["state"] != "resting" or not entry["until"]:
            self.fail(case.name, f"does not rest: {entry}")
            return
        got = (datetime.datetime.fromisoformat(entry["until"])
               - datetime.datetime.fromisoformat(attempts[0]["ts"]))
        if abs(got.total_seconds() - rest) > 5:
            self.fail(case.name, f"rests {got} instead of {rest} s")

    def look_at_reuse(self, attempts, requests):
        lost = [a["outcome"] for a in attempts].count("unknown")
        closed = [r for r in requests if not isinstance(r["answered"], int)]
        if lost != len(closed):
            self.fail("close-on-reuse", f"{lost} unknown, {len(closed)} "
                      "requests without an answer")
        if not closed:
            self.fail("close-on-reuse", "no connection was used again")

    def look_at_retry(self, case, attempts, requests):
        """Unknown, then once more at the same provider with the same key."""
        if [a["outcome"] for a in attempts] != ["unknown", "accepted"]:
            self.fail(case.name, f"{[a['outcome'] for a in attempts]}")
        marks = {(r["mail"]["idempotency_key"], r["mail"]["own_id"],
                  r["mail"]["headers"].get("message-id", ""))
                 for r in requests if r["mail"]}
        if len(marks) != 1 or not any(next(iter(marks))):
            self.fail(case.name, f"the two requests carry {marks}")

    # --- The finished message ---

    def look_at_raw(self, requests):
        if not requests or not requests[0]["mail"]:
            return
        got = requests[0]["mail"]
        wanted = {"subject": "case raw Grüße"}
        if self.provider in expectations.FINISHED:
            wanted["finished"] = hashlib.sha256(wire_form(FINISHED)).hexdigest()
        else:
            wanted |= {
                "from": {"name": "Widget Team", "email": "team@widgets.example"},
                "to": [{"name": "Ann Example", "email": "ann@example.com"}],
                "bcc": [{"name": "", "email": "zoe@example.com"}],
                "text": "Grüße\n.\n..\nFrom here"}
            if "<1@widgets.example>" not in got["headers"].values():
                self.fail("raw", f"In-Reply-To is lost: {got['headers']}")
            if [a["sha256"] for a in got["attachments"]] != [
                    hashlib.sha256(b"%PDF-1.4\n").hexdigest()]:
                self.fail("raw", f"files: {got['attachments']}")
        people = sorted(p["email"] for role in ("to", "cc", "bcc")
                        for p in got[role])
        if people != ["ann@example.com", "zoe@example.com"]:
            self.fail("raw", f"goes to {people}")
        for part, value in wanted.items():
            if got[part] != value:
                self.fail("raw", f"{part} arrived as {got[part]!r}, not "
                          f"{value!r}")

    # --- The full message ---

    def look_at_full(self, attempt, requests):
        if not requests or not requests[0]["mail"]:
            return
        got = requests[0]["mail"]
        reduced = " / ".join(attempt.get("reduced", []))
        carries = expectations.CARRIES[self.provider]
        wanted = full_mail(carries.get("inline") != "skipped")
        for part in wanted:
            theirs = part_of(got, part, wanted[part])
            how = carries.get(part, "all")
            if theirs == wanted[part]:
                if how == "reduced":
                    self.fail("full", f"{part} arrived whole, against "
                              "expectations.py")
            elif how == "all":
                self.fail("full", f"{part} arrived as {theirs}, not "
                          f"{wanted[part]}; reduced: {reduced}")
            elif not any(word in reduced for word in REDUCED_WORDS[part]):
                self.fail("full", f"{part} arrived as {theirs}, and 'reduced' "
                          f"does not say so: {reduced}")

    # --- The rest ---

    def check_checks(self):
        for name, works in expectations.CHECKS.items():
            wanted = works[self.provider]
            if wanted is None:
                continue
            codes = (0,) if wanted else (69, 75)
            self.pony("provider", "check", name, codes=codes)

    def look_for_secrets(self):
        basic = base64.b64encode(f"api:{KEY}".encode())
        for path in self.folder.rglob("*"):
            if not path.is_file() or path.name in ("key", "token"):
                continue
            content = path.read_bytes()
            for secret in (KEY.encode(), SESSION_TOKEN.encode(), basic):
                if secret in content:
                    self.fail("secret", f"it is in {path}")


REDUCED_WORDS = {
    "tags": ("tag",), "metadata": ("metadata",), "names": ("name",),
    "filenames": ("bersicht", "file"), "headers": ("header",)}


def people(entries):
    return sorted((e["email"], e["name"]) for e in entries)


def full_mail(inline):
    """FULL as it should arrive, in parts."""
    def as_people(entries):
        return people([e if isinstance(e, dict) else checks.mailboxes(e)[0]
                       for e in entries])

    wire = json.loads(json.dumps(FULL, ensure_ascii=False).replace(
        "bücher.example", "xn--bcher-kva.example"))
    files = [f for f in FULL["attachments"] if inline or f is not INLINE]
    decoded = [checks.attachment(f["filename"], f["content_type"],
                                 base64.b64decode(f["content"]),
                                 f.get("cid", "")) for f in files]
    roles = {role: as_people(wire[role]) for role in ("to", "cc", "bcc")}
    return {
        "recipients": {r: [e for e, _ in roles[r]] for r in roles},
        # Nobody sees the name of a blind copy.
        "names": {r: [n for _, n in roles[r]] for r in ("to", "cc")},
        "from": as_people([FULL["from"]]),
        "reply_to": as_people([FULL["reply_to"]]),
        "subject": FULL["subject"], "text": FULL["text"], "html": FULL["html"],
        "headers": {n.lower(): v for n, v in FULL["headers"].items()},
        "tags": FULL["tags"], "metadata": FULL["metadata"],
        "contents": sorted(f["sha256"] for f in decoded),
        "cids": sorted(f["cid"] for f in decoded),
        "filenames": sorted(f["filename"] for f in decoded if not f["cid"]),
    }


def part_of(mail, part, wanted):
    """The same part of what arrived. Headers and metadata of pony's own are
    not compared."""
    if part in ("recipients", "names"):
        # Sorted together: a name stays with its address.
        side = 0 if part == "recipients" else 1
        return {r: [p[side] for p in people(mail[r])] for r in wanted}
    if part == "from":
        return people([mail["from"]])
    if part == "reply_to":
        return people(mail["reply_to"])
    if part == "headers":
        return {n: v for n, v in mail["headers"].items() if n in wanted}
    if part == "text":
        return mail["text"].replace("\r\n", "\n")
    if part == "html":
        return mail["html"].replace("\r\n", "\n").rstrip("\n")
    if part == "contents":
        return sorted(f["sha256"] for f in mail["attachments"])
    if part == "cids":
        return sorted(f["cid"] for f in mail["attachments"])
    if part == "filenames":
        return sorted(f["filename"] for f in mail["attachments"]
                      if not f["cid"])
    return mail[part]


def forgotten():
    """Behaviours that the stand-in knows and the table does not."""
    out = []
    for provider in checks.PROVIDERS:
        known = {*stand_in.BEHAVIOURS, *answers.ERRORS[provider]} - {
            "check-refused", "check-limited", "unknown-once"}
        out += [f"{provider} {name}: expectations.py says nothing"
                for name in sorted(known - set(
                    expectations.expected_of(provider)))]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pony", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("providers", nargs="*", default=checks.PROVIDERS)
    options = parser.parse_args()
    wrong = forgotten()
    servers = Servers(options.folder)
    try:
        suites = [Suite(servers, options.pony, provider,
                        options.folder / provider)
                  for provider in options.providers]
        # Two at a time: most of their time they wait.
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for suite, took in zip(suites, pool.map(Suite.run, suites)):
                print(f"{suite.provider}: {len(suite.cases)} cases, "
                      f"{len(suite.wrong)} wrong, {took:.1f} s", flush=True)
                wrong += suite.wrong
    finally:
        servers.stop()
    for words in wrong:
        print(words, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
