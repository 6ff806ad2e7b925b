#!/usr/bin/env python3
"""Kills pony at its k-th system call, for every k (or every n-th), and looks.

A scene is a command with a prepared spool. It is run once under strace to
list its system calls, then once for each of them with SIGKILL injected there.
After each kill `pony run` recovers and delivers, and the invariants are
checked:

  I1  each acknowledged message is in exactly one place, and delivered
  I2  every file outside tmp/ is whole
  I3  what was delivered is in sent/ (or still explained by its events)
  I4  a copy beyond one needs an event `recovered`, or an `attempted` with
      outcome unknown, that explains it
  I5  no other end than our kill; nothing hangs
  I6  `pony fsck` has nothing left to say
  I7  a suppressed recipient is dropped once (and again when retried), in the file and in the log
  I8  a person who is forgotten again after a kill has left no trace, and
      nobody else's message is lost or torn
  I9  what `pony report` counts as sent and as ended otherwise are the files in
      sent/ and failed/
"""
import argparse
import collections
import gzip
import http.server
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

MESSAGE = {
    "to": "ann@example.com",
    "subject": "Hello",
    "text": "It works.\n",
    "tags": ["crash"],
}


class Api(http.server.BaseHTTPRequestHandler):
    """An HTTP provider: what it accepts lands in the scene's outbox."""
    protocol_version = "HTTP/1.1"
    outbox = None
    numbers = itertools.count()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ident = body["custom_args"]["pony_id"]
        mail = self.outbox / f"{next(self.numbers)}"
        mail.write_text(f"Message-ID: <{ident}@api>\n")
        self.send_response(202)
        self.send_header("X-Message-Id", ident)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # whoever asked was killed


class Scene:
    def __init__(self, options, name, command, stdin=b"", queued=0,
                 fail_first=False, api_port=None, to=None, suppressed=()):
        self.api_port = api_port
        self.to = to or [MESSAGE["to"]]
        self.suppressed = suppressed
        self.options = options
        self.name = name
        self.command = command
        self.stdin = stdin
        self.queued = queued
        self.fail_first = fail_first
        self.base = pathlib.Path(options.folder) / name
        self.work = pathlib.Path(options.folder) / (name + ".work")

    # ----- preparing

    def config(self, root):
        first = ""
        members = "outbox"
        if self.fail_first:
            first = "  first: {type: sendmail, command: [/bin/false]}\n"
            members = "first, outbox"
        outbox = f"{{type: maildir, path: {root}/outbox}}"
        if self.api_port:
            Api.outbox = root / "outbox" / "new"
            Api.outbox.mkdir(parents=True, exist_ok=True)
            outbox = ("{type: sendgrid, api_key: k, allow_insecure: true, "
                      f"base_url: 'http://127.0.0.1:{self.api_port}'}}")
        text = (
            f"spool: {root}/spool\n"
            "default_from: team@widgets.example\n"
            "retry: {first: 1s, factor: 1, jitter: 0%}\n"
            f"providers:\n{first}"
            f"  outbox: {outbox}\n"
            f"pools: {{default: {{providers: [{members}]}}}}\n"
            f"aliases: {root}/aliases\n"
            "origin: web1.widgets.example\n")
        (root / "aliases").touch()
        path = root / "pony.yaml"
        path.write_text(text)
        path.chmod(0o600)

    def pony(self, root, *args, stdin=b"", prefix=()):
        return subprocess.run(
            [*prefix, self.options.pony, "--config", str(root / "pony.yaml"), *args],
            input=stdin, capture_output=True, timeout=60)

    def prepare(self):
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir(parents=True)
        self.config(self.base)
        # The spool is there: its first making is another scene.
        if self.name != "first enqueue":
            done = self.pony(self.base, "queue")
            assert done.returncode == 0, done.stderr
        if self.suppressed:
            done = self.pony(self.base, "suppress", "add", *self.suppressed)
            assert done.returncode == 0, done.stderr
        lines = b"".join(json.dumps(dict(MESSAGE, to=self.to, subject=f"q{i}")).encode() + b"\n"
                         for i in range(self.queued))
        self.acknowledged = []
        if lines:
            done = self.pony(self.base, "enqueue", stdin=lines)
            assert done.returncode == 0, done.stderr
            self.acknowledged = done.stdout.decode().split()

    def copy(self):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.base, self.work)
        self.config(self.work)

    # ----- one run

    def strace(self, *options):
        # `enqueue` may use a thread; the children of a run are not ours to
        # kill.
        follow = ["-f"] if "enqueue" in self.command else []
        return ["strace", *follow, "-qq", *options]

    def calls(self):
        """Every system call in order, as (name, how many of that name)."""
        self.copy()
        trace = self.work / "trace"
        done = self.pony(self.work, *self.command, stdin=self.stdin,
                         prefix=self.strace("-o", str(trace)))
        assert done.returncode in (0, 75), (self.name, done.returncode, done.stderr)
        seen = collections.Counter()
        points = []
        for line in trace.read_text(errors="replace").splitlines():
            call = re.match(r"(?:\d+ +)?([a-z_0-9]+)\(", line)
            # It is our end, or cannot be told from its beginning.
            if not call or call[1] in ("execve", "exit", "exit_group"):
                continue
            seen[call[1]] += 1
            points.append((call[1], seen[call[1]]))
        return points

    def kill_at(self, call, nth):
        # strace counts the calls of each name for themselves.
        self.copy()
        done = self.pony(
            self.work, *self.command, stdin=self.stdin,
            prefix=self.strace("-o", "/dev/null", "-e",
                               f"inject={call}:signal=SIGKILL:when={nth}"))
        # strace dies of its tracee's signal: -9, or 137 through a shell.
        self.killed += done.returncode in (-9, 137)
        if done.returncode not in (0, 75, -9, 137):
            raise AssertionError(
                f"I5: ended with {done.returncode}: {done.stderr.decode()}")
        ids = [line for line in done.stdout.decode().split() if len(line) == 26]
        ids += re.findall(r"queued as (\w{26})", (done.stdout + done.stderr).decode())
        return self.acknowledged + [i for i in ids if i not in self.acknowledged]

    # ----- looking

    def settle(self):
        """Runs pony until nothing waits; messages may be deferred by 1 s."""
        for _ in range(8):
            done = self.pony(self.work, "run", "--quiet")
            assert done.returncode in (0, 75), (done.returncode, done.stderr)
            waiting = [p for place in ("new", "deferred", "cur")
                       for p in (self.work / "spool" / place).rglob("*.jsonl")]
            if not waiting:
                return
            self.pony(self.work, "retry", "-", stdin="\n".join(
                p.stem for p in waiting if "deferred" in p.parts).encode())
        raise AssertionError(f"left behind: {waiting}")

    def check(self, acknowledged):
        self.settle()
        spool = self.work / "spool"
        files = [p for p in spool.rglob("*.jsonl")
                 if p.parent.name not in ("log", "state")
                 and "tmp" not in p.relative_to(spool).parts]
        places = collections.Counter(p.stem for p in files)
        for name, count in places.items():
            assert count == 1, f"I1: {name} is in {count} places"
        for one in acknowledged:
            assert one in places, f"I1: {one} was acknowledged and is nowhere"
        events = {}
        for path in files:
            lines = path.read_text().split("\n")
            assert lines[-1] == "", f"I2: {path} has a torn tail"
            parsed = [json.loads(line) for line in lines[:-1]]
            assert parsed[0]["id"] == path.stem
            events[path.stem] = parsed[1:]
        copies = collections.Counter()
        for mail in (self.work / "outbox" / "new").glob("*"):
            # A finished mail has a Message-ID of its own; a Maildir's names
            # have the message's id in them.
            named = re.search(r"\.([0-9A-Z]{26})_", mail.name)
            copies[named[1] if named else mail.read_text().split(
                "Message-ID: <", 1)[1].split("@", 1)[0]] += 1
        for path in files:
            kinds = [e["event"] for e in events[path.stem]]
            if "sent" in path.relative_to(spool).parts:
                assert copies[path.stem] >= 1, f"I3: {path.stem} is in sent/, undelivered"
                assert kinds[-1] == "sent", f"I3: {path.stem} ends with {kinds[-1]}"
            elif "held" in path.relative_to(spool).parts:
                # For a local name that nobody stands for.
                assert kinds == ["queued", "held"], f"I3: {path.stem}: {kinds}"
                assert not copies[path.stem], f"I3: {path.stem} is held, and delivered"
            elif set(self.to) <= set(self.suppressed):
                assert kinds[-1] == "failed", f"I3: {path.stem} ends with {kinds[-1]}"
                assert not copies[path.stem], f"I7: {path.stem} was delivered"
            else:
                # Only an interrupted `send` may end in failed/.
                assert self.command[0] == "send" and "failed" in path.parts, path
                assert path.stem not in acknowledged, f"I1: {path.stem} failed"
        duplicates = 0
        for ident, count in copies.items():
            if count == 1:
                continue
            duplicates += count - 1
            assert any(e["event"] == "recovered" or e.get("outcome") == "unknown"
                       for e in events[ident]), f"I4: {ident} has {count} copies, unexplained"
            assert count == 2, f"I4: {ident} has {count} copies"
        log = collections.Counter()
        dropped = collections.Counter()
        for path in (spool / "log").glob("*.jsonl"):
            for line in path.read_text().splitlines():
                event = json.loads(line)
                if event["event"] in ("sent", "failed"):
                    log[event["id"]] += 1
                if event["event"] == "suppressed":
                    dropped[event["id"], event["recipient"]] += 1
        for ident in events:
            in_file = collections.Counter(
                (ident, e["recipient"]) for e in events[ident]
                if e["event"] == "suppressed")
            in_log = {k: n for k, n in dropped.items() if k[0] == ident}
            # A retry, which the waiting ones get, asks again.
            asked = 1 + sum(e["event"] == "retried" for e in events[ident])
            once = {(ident, one): asked for one in self.suppressed}
            assert in_file == once, f"I7: in the file of {ident}: {in_file}"
            assert in_log == once, f"I7: in the log of {ident}: {in_log}"
        for path in files:
            ident = path.stem
            # A queued event may be missing (the log is a copy), an end not.
            ends = 0 if "held" in path.relative_to(spool).parts else 1
            assert log[ident] == ends, f"I6: {ident} ended {log[ident]} times in the log"
        done = self.pony(self.work, "fsck", "--dry-run")
        assert done.returncode == 0, f"I6: fsck: {done.stdout.decode()}"
        self.check_report(files)
        return duplicates

    def check_report(self, files):
        done = self.pony(self.work, "report", "--by", "day", "--json")
        assert done.returncode == 0, f"I9: report: {done.stderr.decode()}"
        rows = json.loads(done.stdout)
        told = [sum(row[key] for row in rows for key in keys)
                for keys in (("sent",), ("failed", "expired", "cancelled"))]
        there = [sum(place in p.relative_to(self.work / "spool").parts for p in files)
                 for place in ("sent", "failed")]
        assert told == there, f"I9: sent, failed: {told} told, {there} there"

    def run(self):
        self.prepare()
        calls = self.calls()
        points = calls[::self.options.every]
        duplicates = self.killed = 0
        for call, nth in points:
            try:
                duplicates += self.check(self.kill_at(call, nth))
            except (AssertionError, subprocess.TimeoutExpired,
                    json.JSONDecodeError) as error:
                print(f"{self.name}: killed at {call} number {nth}: {error}\n"
                      f"its files are in {self.work}", flush=True)
                return self.killed, 1, duplicates
        # Threads and clocks make a run differ a little from the counted one;
        # most points are hit.
        if self.killed < 0.8 * len(points):
            print(f"{self.name}: only {self.killed} of {len(points)} points hit")
            return self.killed, 1, duplicates
        print(f"{self.name}: {self.killed} kills ({len(calls)} calls), "
              f"{duplicates} explained second copies", flush=True)
        shutil.rmtree(self.base)
        shutil.rmtree(self.work)
        return self.killed, 0, duplicates


class ForgetScene(Scene):
    """Ann is forgotten: messages to her alone, and to others as well, that
    were sent, failed and wait."""

    def __init__(self, options, name):
        super().__init__(options, name, ["forget", "ann@example.com", "--yes"])

    def enqueue(self, *to):
        message = dict(MESSAGE, to=to)
        if len(to) == 1:
            message["idempotency_key"] = f"{to[0]} {len(self.keep)}"
        done = self.pony(self.base, "enqueue", stdin=json.dumps(message).encode())
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def prepare(self):
        super().prepare()
        self.keep = []
        for suppress in (False, True):
            self.keep.append(self.enqueue("ann@example.com", "bob@example.com"))
            self.enqueue("ann@example.com")
            if suppress:
                self.pony(self.base, "suppress", "add", "ann@example.com")
            assert self.pony(self.base, "run").returncode == 0
        self.keep.append(self.enqueue("ann@example.com", "bob@example.com"))
        self.enqueue("ann@example.com")
        # A compressed log beside the day's.
        log = next((self.base / "spool" / "log").glob("*.jsonl"))
        (log.parent / "events-2026-01-01.jsonl.gz").write_bytes(gzip.compress(log.read_bytes()))

    def check(self, _):
        self.settle()
        done = self.pony(self.work, *self.command)
        assert done.returncode == 0, f"I8: {done.stderr.decode()}"
        spool = self.work / "spool"
        for path in spool.rglob("*"):
            if not path.is_file() or path.relative_to(spool).parts[0] == "tmp":
                continue
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            assert b"ann@" not in data, f"I8: ann is still in {path}"
            if path.suffix == ".jsonl" or path.suffix == ".gz":
                for line in data.decode().splitlines():
                    json.loads(line)
        files = [p.stem for p in spool.rglob("*.jsonl")
                 if p.parent.name not in ("log", "state", "tmp")]
        assert sorted(files) == sorted(self.keep), f"I8: {files} are left of {self.keep}"
        done = self.pony(self.work, "fsck", "--dry-run")
        assert done.returncode == 0, f"I6: fsck: {done.stdout.decode()}"
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pony", required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ["PONY_CONFIG"] = "/nonexistent"

    one = json.dumps(MESSAGE).encode()
    keyed = json.dumps(dict(MESSAGE, idempotency_key="order-1")).encode()
    stream = b"".join(json.dumps(dict(MESSAGE, subject=f"s{i}")).encode() + b"\n"
                      for i in range(5))
    mail = b"From: a@b.example\nSubject: x\n\nbody\n"
    dialogue = (b"EHLO here\r\nMAIL FROM:<a@b.example>\r\n"
                b"RCPT TO:<ann@example.com>\r\nRCPT TO:<root>\r\nDATA\r\n" +
                mail.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n")
    receiver = Receiver(("127.0.0.1", 0), Api)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    scenes = [
        Scene(options, "first enqueue", ["enqueue"], stdin=one),
        Scene(options, "enqueue", ["enqueue"], stdin=one),
        Scene(options, "enqueue with a key", ["enqueue"], stdin=keyed),
        Scene(options, "enqueue five", ["enqueue"], stdin=stream),
        Scene(options, "run", ["run"], queued=5),
        Scene(options, "run with failover", ["run"], queued=3, fail_first=True),
        Scene(options, "run with a suppressed recipient", ["run"], queued=3,
              to=["ann@example.com", "bob@example.com"],
              suppressed=["bob@example.com"]),
        Scene(options, "run with nobody left", ["run"], queued=3,
              to=["ann@example.com", "bob@example.com"],
              suppressed=["ann@example.com", "bob@example.com"]),
        ForgetScene(options, "forget"),
        Scene(options, "send", ["send"], stdin=one),
        Scene(options, "send or queue", ["send", "--or-queue"], stdin=one),
        Scene(options, "sendmail", ["sendmail", "-v", "ann@example.com"],
              stdin=mail),
        # Two messages: one waits for its recipient, one for a person.
        Scene(options, "sendmail split",
              ["sendmail", "-v", "root", "ann@example.com"], stdin=mail),
        Scene(options, "sendmail in dialogue", ["sendmail", "-bs"],
              stdin=dialogue),
        Scene(options, "run over HTTP", ["run"], queued=5,
              api_port=receiver.server_port),
        Scene(options, "run over HTTP with failover", ["run"], queued=3,
              fail_first=True, api_port=receiver.server_port),
    ]
    kills = failures = copies = 0
    for scene in scenes:
        if options.only and options.only != scene.name:
            continue
        done, failed, duplicates = scene.run()
        kills += done
        failures += failed
        copies += duplicates
    print(f"{kills} kills, {failures} scenes failed, {copies} explained second copies")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
