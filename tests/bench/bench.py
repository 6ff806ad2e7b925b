#!/usr/bin/env python3
"""Measures pony and its peers in turns and prints one table (see run.sh).

Every figure is the median of the rounds with its smallest and largest. In a
round each program has its turn, and the next round begins with another one. A
ratio is taken within a round, so that a machine that slows down slows both;
shown is the median of those. A run that lost a message is an error, not a
figure.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

QUICK = os.environ.get("BENCH_QUICK", "0") not in ("", "0")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 2 if QUICK else 5))
SOURCE = pathlib.Path(os.environ["PONY_SOURCE"])
TOOLS = pathlib.Path(os.environ["BENCH_OUT"])
VOLUME = pathlib.Path(os.environ["BENCH_VOLUME"])
PEERS = VOLUME / "peers/usr"
PONY = str(TOOLS / "pony")
SPOOL = VOLUME / "pony/spool"
FLOOR = VOLUME / "floor"
# The namespace's network is ours alone; inside.sh names these ports too.
SINK_PORT = 2525
SMTPD_PORT = 2526
SIZE = 2048
FROM, TO = "app@bench.example", "ann@example.com"


def full(normal, quick):
    return quick if QUICK else normal


class Failed(Exception):
    """A measurement that cannot count."""


# ----- running and counting


def call(*command, stdin=subprocess.DEVNULL):
    done = subprocess.run([str(word) for word in command], stdin=stdin,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{command[0]}: exit {done.returncode}: "
                     f"{(done.stderr or done.stdout)[-500:]}")
    return done.stdout


def spawn(command, count=1, parallel=1, stdin="/dev/null"):
    """What `spawner` measured over `count` processes of `command`."""
    told = json.loads(call(TOOLS / "spawner", count, parallel, stdin, *command))
    if told["failed"]:
        raise Failed(f"{command[0]}: {told['failed']} of {count} failed")
    return told


def files_below(*folders):
    return sum(len(files) for folder in folders
               for _, _, files in os.walk(folder))


def expect_count(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: {got} messages instead of {wanted}")


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def wait_for_port(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Failed(f"nobody listens on port {port}")


class Server:
    """A program that serves until the block ends."""

    def __init__(self, *command, output=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.DEVNULL)
        wait_for_port(SINK_PORT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Sink(Server):
    """Postfix's smtp-sink, and its own count of what it got."""

    def __init__(self):
        self.counter = VOLUME / "sink.count"
        with open(self.counter, "wb") as output:
            super().__init__("smtp-sink", "-c", "-u", "nobody",
                             f"127.0.0.1:{SINK_PORT}", "2000", output=output)

    def count(self):
        with open(self.counter, "rb") as counter:
            counter.seek(max(0, os.path.getsize(self.counter) - 200))
            counts = re.findall(rb"mesg=(\d+)", counter.read())
        return int(counts[-1]) if counts else 0


# ----- what is sent


def write_inputs():
    """The same 2 KB for everyone: as a mail, as JSON, as JSON Lines."""
    line = "a line of a transactional message, as long as lines usually are\n"
    head = (f"From: {FROM}\nTo: {TO}\nSubject: Welcome\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\n\n")
    mail = (head + line * 40)[:SIZE - 1] + "\n"
    (VOLUME / "message.eml").write_text(mail)

    message = {
        "to": f"Ann <{TO}>", "template": "welcome", "lang": "en",
        "replacements": {"name": "Ann", "team": "Widget Team",
                         "action_url": "https://widgets.example/start"},
        "tags": ["signup"], "metadata": {"note": ""}}
    message["metadata"]["note"] = "x" * (SIZE - len(json.dumps(message)))
    (VOLUME / "message.json").write_text(json.dumps(message))


def jsonl(count):
    """A file of `count` messages with subject and text, a line each."""
    path = VOLUME / f"messages-{count}.jsonl"
    if not path.exists():
        message = {"to": TO, "subject": "Hello", "text": ""}
        message["text"] = "x" * (SIZE - 1 - len(json.dumps(message)))
        path.write_text((json.dumps(message) + "\n") * count)
    return path


# As long as a real one: two relays, a local MTA, pools, retries.
FULL_CONFIG = """\
# What Widget's machines do with mail. One file for all of them; the secrets
# are beside it. See pony.yaml(5).
spool: {spool}
templates: {templates}
default_from: Widget Team <team@widgets.example>
default_lang: en
idempotency_window: 24h
on_unknown: retry              # or: hold, fail

providers:
  relay:
    type: smtp
    host: mail.widgets.example
    username: widgets
    password_file: relay.key   # beside this file, mode 0600
    connections: 10
    rate: [50/s, 100000/day]
  second:
    type: smtp
    host: smtp.example.net
    tls: implicit              # port 465
    username: widgets
    password_file: relay.key
    timeout: 30s
  local: {{type: sendmail}}      # /usr/sbin/sendmail
  outbox: {{type: maildir, path: {spool}/outbox}}

pools:
  default: {{strategy: priority, providers: [relay, second, local]}}
  news.widgets.example:        # taken by the sender's domain
    strategy: weighted
    providers: [{{name: relay, weight: 3}}, second]
  staging: {{providers: [outbox]}}   # taken by "pool": "staging"

retry: {{first: 1m, factor: 2, max: 4h, jitter: 20%, give_up_after: 5d}}
breaker: {{failures: 5, cool_down: 30s, max_cool_down: 15m}}
"""

SINK_CONFIG = """\
spool: {spool}
default_from: {sender}
providers:
  sink: {{type: smtp, host: 127.0.0.1, port: {port}, tls: off{more}}}
"""
HTTP_CONFIG = """\
spool: {spool}
default_from: {sender}
providers:
  api:
    type: sendgrid
    api_key: SG.bench
    base_url: http://127.0.0.1:{port}
    allow_insecure: true
    connections: {connections}
"""


class Pony:
    """pony with a configuration, and a spool that is new for each run."""

    def __init__(self, name, text, **values):
        self.folder = VOLUME / "pony"
        self.folder.mkdir(exist_ok=True)
        self.config = self.folder / f"{name}.yaml"
        self.write(self.config, text.format(spool=SPOOL, **values))

    @staticmethod
    def write(path, text):
        path.write_text(text)
        path.chmod(0o600)

    def command(self, *words):
        return [PONY, "--config", str(self.config), *words]

    def clear(self):
        shutil.rmtree(SPOOL, ignore_errors=True)
        call(*self.command("queue"))

    @staticmethod
    def queued():
        return files_below(SPOOL / "new")

    @staticmethod
    def sent():
        return files_below(SPOOL / "sent")


def pony_for_apps():
    pony = Pony("full", FULL_CONFIG, templates=SOURCE / "templates")
    pony.write(pony.folder / "relay.key", "secret\n")
    if not 1024 <= pony.config.stat().st_size <= 2048:
        raise Failed("the configuration should have 1 to 2 KB")
    return pony


def pony_to_sink(name, more=""):
    return Pony(name, SINK_CONFIG, sender=FROM, port=SINK_PORT, more=more)


# ----- rounds, rows, ratios

rows = []


def in_turns(turns):
    """Calls {name: function}, each ROUNDS times, in turns.

    Answers {name: [what the function answered in each round]}.
    """
    results = {name: [] for name in turns}
    names = list(turns)
    for number in range(ROUNDS):
        for name in names[number % len(names):] + names[:number % len(names)]:
            print(f"   round {number + 1}/{ROUNDS}: {name}", file=sys.stderr)
            # What the one before left unwritten is not this one's to write.
            call("sync", "-f", VOLUME)
            results[name].append(turns[name]())
    return results


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values):
    return (f"{number(statistics.median(values))} "
            f"({number(min(values))} – {number(max(values))})")


def add_figures(bench, results, key, unit):
    """A row for each of what was measured; `key` is the figure that counts."""
    for name, runs in results.items():
        extra = []
        for column in ("p99_ms", "cpu_ms", "rss_mb"):
            known = [run[column] for run in runs if column in run]
            extra.append(number(statistics.median(known)) if known else "")
        rows.append([bench, name, spread([run[key] for run in runs]), unit,
                     *extra, "", ""])


def add_ratio(bench, what, ours, theirs, goal=None):
    """A row for ours ÷ theirs by round; `goal` is (sign, limit)."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    middle = statistics.median(ratios)
    wanted = met = ""
    if goal:
        sign, limit = goal
        reached = {"<": middle < limit, "≤": middle <= limit,
                   "≥": middle >= limit}[sign]
        wanted, met = f"{sign} {limit}", "yes" if reached else "**no**"
    rows.append([bench, f"ratio {what}", spread(ratios), "×", "", "", "",
                 wanted, met])


def column(runs, key):
    return [run[key] for run in runs]


# ----- enqueue, enqueue8: one process a message


def injectors():
    """{name: (command, its standard input, empty its queue, count it)}"""
    pony = pony_for_apps()
    mail, message = VOLUME / "message.eml", VOLUME / "message.json"
    nullmailer = pathlib.Path("/var/spool/nullmailer/queue")
    dma = pathlib.Path("/var/spool/dma")
    postfix = pathlib.Path("/var/spool/postfix/maildrop")

    def emptier(folder):
        def empty():
            for file in folder.rglob("*"):
                if file.is_file():
                    file.unlink()
        return empty

    for folder in ("tmp", "new"):
        (FLOOR / folder).mkdir(parents=True, exist_ok=True)
    return {
        "pony enqueue": (
            pony.command("enqueue"), message, pony.clear, pony.queued),
        "dma (DEFER)": (
            [PEERS / "sbin/dma", "-i", "-f", FROM, TO], mail, emptier(dma),
            lambda: len(list(dma.glob("Q*")))),
        "nullmailer-inject": (
            [PEERS / "bin/nullmailer-inject", "-f", FROM, TO], mail,
            emptier(nullmailer), lambda: files_below(nullmailer)),
        "postfix sendmail": (
            ["/usr/sbin/sendmail", "-i", "-f", FROM, TO], mail,
            emptier(postfix), lambda: files_below(postfix)),
        "floor (write, fsync, rename, fsync)": (
            [TOOLS / "floor", FLOOR], mail, emptier(FLOOR),
            lambda: files_below(FLOOR / "new")),
    }


def hand_off(injector, count, parallel):
    command, stdin, empty, queued = injector

    def turn():
        empty()
        told = spawn(command, count, parallel, stdin)
        expect_count(command[0], queued(), count)
        empty()
        return {"p50_ms": told["p50_ms"], "p99_ms": told["p99_ms"],
                "rate": count / told["seconds"],
                "cpu_ms": told["cpu_seconds"] * 1000 / count}
    return turn


def measure_enqueue(bench, count, parallel, key, unit, goals):
    results = in_turns({name: hand_off(injector, count, parallel)
                        for name, injector in injectors().items()})
    add_figures(bench, results, key, unit)
    for name, goal in goals.items():
        add_ratio(bench, f"pony ÷ {name}", column(results["pony enqueue"], key),
                  column(results[name], key), goal)


FLOOR_NAME = "floor (write, fsync, rename, fsync)"


def bench_enqueue():
    measure_enqueue("enqueue", full(300, 100), 1, "p50_ms", "ms p50", {
        "dma (DEFER)": ("<", 1), "nullmailer-inject": ("<", 1),
        "postfix sendmail": ("<", 1), FLOOR_NAME: ("≤", 3)})


def bench_enqueue8():
    measure_enqueue("enqueue8", full(500, 200), 8, "rate", "messages/s", {
        "nullmailer-inject": ("≥", 2), "dma (DEFER)": None,
        "postfix sendmail": None, FLOOR_NAME: None})


# ----- stream: JSON Lines into the spool


def bench_stream():
    many, few = full(100_000, 30_000), 10_000
    group = 100
    pony = pony_to_sink("stream")

    def stream(count):
        def turn():
            pony.clear()
            told = spawn(pony.command("enqueue"), stdin=jsonl(count))
            expect_count("pony enqueue", pony.queued(), count)
            pony.clear()
            return {"rate": count / told["seconds"],
                    "cpu_ms": told["cpu_seconds"] * 1000 / count,
                    "rss_mb": told["peak_rss_kb"] / 1024}
        return turn

    def commit():
        fresh(FLOOR)
        for folder in ("tmp", "new"):
            (FLOOR / folder).mkdir()
        told = spawn([TOOLS / "group_commit", FLOOR, many, group, SIZE])
        expect_count("group_commit", files_below(FLOOR / "new"), many)
        fresh(FLOOR)
        return {"rate": many / told["seconds"],
                "cpu_ms": told["cpu_seconds"] * 1000 / many}

    big, small = (f"pony, {count:,} messages" for count in (many, few))
    floor = f"group commits of {group}, {many:,} files"
    results = in_turns({big: stream(many), floor: commit, small: stream(few)})
    add_figures("stream", results, "rate", "messages/s")
    add_ratio("stream", "pony ÷ group commits", column(results[big], "rate"),
              column(results[floor], "rate"), ("≥", 0.5))
    add_ratio("stream", f"peak RSS, {many:,} ÷ {few:,} messages",
              column(results[big], "rss_mb"), column(results[small], "rss_mb"),
              ("≤", 1.1))


# ----- drain, slow: SMTP out of the spool


def run_pony(pony, count, *options):
    """One `pony run` over `count` new messages: from its start to its exit."""
    pony.clear()
    with open(jsonl(count), "rb") as messages:
        call(*pony.command("enqueue"), stdin=messages)
    told = spawn(pony.command("run", "--quiet", *options))
    expect_count("pony run", pony.sent(), count)
    pony.clear()
    return {"rate": count / told["seconds"],
            "cpu_ms": told["cpu_seconds"] * 1000 / count,
            "rss_mb": told["peak_rss_kb"] / 1024}


class Postfix:
    """The real one, all of its daemons; inside.sh configured it."""
    queue = pathlib.Path("/var/spool/postfix")
    ticks = os.sysconf("SC_CLK_TCK")

    def start(self):
        # Not through call(): the daemons would keep its pipes open.
        subprocess.run(["postfix", "start"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=True)
        wait_for_port(SMTPD_PORT)

    def stop(self):
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["postfix", "stop"], **silent)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if subprocess.run(["postfix", "status"], **silent).returncode:
                return
            time.sleep(0.05)
        raise Failed("postfix does not stop")

    def clear(self):
        call("postsuper", "-d", "ALL")

    def load(self, count):
        """`count` messages in its deferred queue; stopped again."""
        self.clear()
        call("postconf", "-e", "defer_transports=smtp")
        self.start()
        call("smtp-source", "-d", "-s", 40, "-m", count, "-l", SIZE, "-f", FROM,
             "-t", TO, f"127.0.0.1:{SMTPD_PORT}")
        until = time.monotonic() + 120
        while files_below(self.queue / "deferred") < count:
            if time.monotonic() > until:
                raise Failed("postfix did not defer the messages")
            time.sleep(0.1)
        self.stop()
        call("postconf", "-X", "defer_transports")

    def processes(self):
        """(CPU seconds so far, RSS of all in MB): master and its children."""
        master = (self.queue / "pid/master.pid").read_text().strip()
        ticks = pages = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text()
            except OSError:
                continue  # It has just ended.
            fields = text.rpartition(")")[2].split()
            own = stat.parent.name == master
            if not own and fields[1] != master:
                continue
            # utime, stime; for the master also those of its ended children.
            ticks += sum(map(int, fields[11:15 if own else 13]))
            pages += int(fields[21])
        return ticks / self.ticks, pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def drain(self, sink, count):
        """From the order to deliver until the sink has the last message."""
        cpu_before, rss = self.processes()
        before = sink.count()
        start = time.monotonic()
        call("postqueue", "-f")
        rounds = 0
        while sink.count() - before < count:
            if time.monotonic() - start > 300:
                raise Failed("postfix did not deliver all in time")
            time.sleep(0.01)
            rounds += 1
            if rounds % 20 == 0:
                rss = max(rss, self.processes()[1])
        seconds = time.monotonic() - start
        cpu, last_rss = self.processes()
        return {"rate": count / seconds,
                "cpu_ms": (cpu - cpu_before) * 1000 / count,
                "rss_mb": max(rss, last_rss)}


def bench_drain():
    count = full(10_000, 1_000)
    fifty = pony_to_sink("fifty", ", connections: 50")
    default = pony_to_sink("default")
    postfix = Postfix()

    def drain(pony):
        def turn():
            with Sink() as sink:
                told = run_pony(pony, count)
                expect_count("smtp-sink", sink.count(), count)
            return told
        return turn

    def drain_postfix():
        postfix.load(count)
        try:
            with Sink() as sink:
                postfix.start()
                time.sleep(0.5)  # Its daemons have started and are idle.
                return postfix.drain(sink, count)
        finally:
            postfix.stop()
            postfix.clear()

    names = ("pony run, connections: 50", "pony run, connections as they come")
    peer = "postfix, deferred queue flushed (RSS: sum)"
    results = in_turns({names[0]: drain(fifty), peer: drain_postfix,
                        names[1]: drain(default)})
    add_figures("drain", results, "rate", "messages/s")
    for name in names:
        add_ratio("drain", f"{name} ÷ postfix", column(results[name], "rate"),
                  column(results[peer], "rate"), ("≥", 2))


def bench_slow():
    count, sessions, delay_ms = full(2_000, 1_000), 50, 100
    pony = pony_to_sink("slow", f", connections: {sessions}")

    def turn():
        with Server(TOOLS / "slow_server", SINK_PORT, delay_ms):
            return run_pony(pony, count)

    name = f"pony run, {sessions} sessions, {delay_ms} ms a message"
    results = in_turns({name: turn})
    add_figures("slow", results, "rate", "messages/s")
    most = sessions * 1000 / delay_ms
    add_ratio("slow", f"pony ÷ {most:.0f} messages/s",
              column(results[name], "rate"), [most] * ROUNDS, ("≥", 0.9))


def bench_http():
    """One runner and a JSON provider: what delays it but its answers?"""
    results = {}
    goals = {}
    for delay_ms in (0, 20, 100):
        for in_flight in (50, 500):
            pony = Pony(f"http-{in_flight}", HTTP_CONFIG, sender=FROM,
                        port=SINK_PORT, connections=in_flight)
            # Some six seconds' worth: to start and to end costs a round trip
            # each. A fifth more jobs than connections, so that the next
            # message is ready when a connection is.
            most = in_flight * 1000 / delay_ms if delay_ms else None
            count = full(min(30_000, max(3_000, int(6 * (most or 10_000)))),
                         1_000)
            jobs = in_flight * 6 // 5

            def turn(pony=pony, delay_ms=delay_ms, jobs=jobs, count=count):
                with Server(TOOLS / "http_server", SINK_PORT, delay_ms):
                    return run_pony(pony, count, "--jobs", str(jobs))

            name = f"{in_flight} in flight, {delay_ms} ms a message"
            results[name] = turn
            goals[name] = most
    results = in_turns(results)
    add_figures("http", results, "rate", "messages/s")
    for name, most in goals.items():
        if most is None:
            add_ratio("http", f"{name} ÷ 8000 messages/s",
                      column(results[name], "rate"), [8000] * ROUNDS, ("≥", 1))
        elif name.endswith("100 ms a message"):
            add_ratio("http", f"{name} ÷ {most:.0f} messages/s",
                      column(results[name], "rate"), [most] * ROUNDS,
                      ("≥", 0.9))


def bench_start():
    count = full(1000, 200)

    def start(*command):
        def turn():
            told = spawn(command, count)
            return {"p50_ms": told["p50_ms"], "p99_ms": told["p99_ms"],
                    "cpu_ms": told["cpu_seconds"] * 1000 / count,
                    "rss_mb": told["peak_rss_kb"] / 1024}
        return turn

    ours, theirs = "pony --version", "static program that does nothing"
    results = in_turns({ours: start(PONY, "--version"),
                        theirs: start(TOOLS / "nothing")})
    add_figures("start", results, "p50_ms", "ms p50")
    add_ratio("start", "pony ÷ nothing", column(results[ours], "p50_ms"),
              column(results[theirs], "p50_ms"))


def bench_queue():
    """Looking at a queue that is long: at once, and in flat memory."""
    many, few = full(1_000_000, 50_000), full(50_000, 5_000)
    folder = pathlib.Path(os.environ["BENCH_SCRATCH"]) / "queue"

    def filled(count):
        pony = Pony(f"queue{count}", SINK_CONFIG, sender=FROM, port=SINK_PORT,
                    more="")
        spool = folder / str(count)
        with subprocess.Popen([*pony.command("--spool", spool, "--quiet",
                                             "enqueue")],
                              stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL) as taking:
            for index in range(count):
                taking.stdin.write(json.dumps(
                    {"to": f"user{index}@bench.example", "subject": "Hello",
                     "text": "x", "tags": [f"t{index % 100}"]}) + "\n")
        expect_count("pony enqueue", files_below(spool / "new"), count)
        return pony.command("--spool", str(spool), "queue")

    def first_line(command):
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.read1(1)
            seconds = time.monotonic() - began
            process.stdout.close()  # as head does
        return seconds * 1000

    def listing(command, count, *options):
        def turn():
            told = spawn([*command, *options])
            return {"first_ms": first_line([*command, *options]),
                    "rate": count / told["seconds"],
                    "cpu_ms": told["cpu_seconds"] * 1000 / count,
                    "rss_mb": told["peak_rss_kb"] / 1024}
        return turn

    long, short = filled(many), filled(few)
    kinds = {"": (), " --ids": ("--ids",), " --json": ("--json",),
             " --summary": ("--summary",)}
    results = in_turns({
        **{f"queue{name}, {many:,} wait": listing(long, many, *options)
           for name, options in kinds.items()},
        **{f"queue{name}, {few:,} wait": listing(short, few, *options)
           for name, options in kinds.items() if name != " --summary"}})
    for name, runs in results.items():
        key, unit = ("rate", "messages/s") if " --" in name else (
            "first_ms", "ms to the first line")
        add_figures("queue", {name: runs}, key, unit)
    table = f"queue, {many:,} wait"
    add_ratio("queue", "first line ÷ 50 ms", column(results[table], "first_ms"),
              [50] * ROUNDS, ("≤", 1))
    for name in ("", " --ids", " --json"):
        add_ratio("queue", f"queue{name}: peak RSS, {many:,} ÷ {few:,}",
                  column(results[f"queue{name}, {many:,} wait"], "rss_mb"),
                  column(results[f"queue{name}, {few:,} wait"], "rss_mb"),
                  ("≤", 1.1))
    shutil.rmtree(folder)


def bench_compose():
    """core/template and core/mime alone; compose.cc says what is done."""
    seconds = full(1, 0.2)
    runs = [[json.loads(line) for line in
             call(TOOLS / "compose", seconds).splitlines()]
            for _ in range(ROUNDS)]
    results = {run[0]["name"]: run for run in map(list, zip(*runs))}
    small = {name: run for name, run in results.items() if "2 KB" in name}
    large = {name: run for name, run in results.items() if name not in small}
    add_figures("compose", small, "rate", "mails/s")
    add_figures("compose", large, "mb", "MB/s written")
    rendered, (attachment, copy, base64) = list(small)[0], large
    add_ratio("compose", f"{rendered} ÷ 100,000/s",
              column(small[rendered], "rate"), [100_000] * ROUNDS, ("≥", 1))
    for name, goal in ((base64, ("≥", 1)), (copy, None)):
        add_ratio("compose", f"{attachment} ÷ {name}",
                  column(large[attachment], "mb"), column(large[name], "mb"),
                  goal)


# ----- report: a million events, and what else could count them

JQ_REDUCE = ("reduce inputs as $e ({}; reduce ($e.tags // [])[] as $t (.; "
             ".[$t + \"\\t\" + $e.event] += 1)) | to_entries[] | "
             "\"\\(.key)\\t\\(.value)\"")
JQ_LINES = '.event as $e | (.tags // [])[] | . + "\\t" + $e'


def event_log(events):
    """pony with a log of ten days in its spool."""
    pony = Pony("report", SINK_CONFIG, sender=FROM, port=SINK_PORT, more="")
    pony.clear()
    call(TOOLS / "logs", "pony", events, SPOOL / "log")
    return pony


def used(*command):
    """Seconds, processor time and memory of one run of `command`."""
    told = spawn(command)
    return {"seconds": told["seconds"], "cpu_ms": told["cpu_seconds"] * 1000,
            "rss_mb": told["peak_rss_kb"] / 1024}


def shell(line):
    return "/usr/bin/env", "LC_ALL=C", "sh", "-c", line


def bench_report():
    million = full(1_000_000, 100_000)
    pony = event_log(million)
    logs = f"{SPOOL}/log/events-*.jsonl"
    postfix_log = VOLUME / "postfix.log"
    call(*shell(f"{TOOLS}/logs postfix {million} >{postfix_log}"))
    kept = SPOOL / "state/report"

    def cold():
        shutil.rmtree(kept, ignore_errors=True)
        return used(*pony.command("report", "--by", "tag"))

    first, second = (f"pony report, {million:,} events, {when}"
                     for when in ("the first", "again"))
    turns = {
        first: cold,
        second: lambda: used(*pony.command("report", "--by", "tag")),
        "jq reduce": lambda: used(
            *shell(f"cat {logs} | jq -rn '{JQ_REDUCE}'")),
        "jq, sort, uniq -c": lambda: used(
            *shell(f"cat {logs} | jq -r '{JQ_LINES}' | sort | uniq -c")),
        f"pflogsumm, a Postfix log of {million:,} messages": lambda: used(
            *shell(f"pflogsumm --problems_first {postfix_log}")),
    }
    results = in_turns(turns)
    add_figures("report", results, "seconds", "s")
    for name, goal in (("jq reduce", 20), ("jq, sort, uniq -c", None),
                       (list(turns)[-1], 10)):
        for ours in (first, second):
            add_ratio("report", f"{name} ÷ {ours}",
                      column(results[name], "seconds"),
                      column(results[ours], "seconds"),
                      ("≥", goal) if goal else None)
    for ours, goal in ((first, 0.6), (second, 0.1)):
        add_ratio("report", f"{ours}: seconds ÷ {goal}",
                  column(results[ours], "seconds"), [goal] * ROUNDS, ("≤", 1))
    postfix_log.unlink()

    # Ten times as many: the same memory, ten times the time.
    pony = event_log(10 * million)
    name = f"pony report, {10 * million:,} events, the first"
    large = in_turns({name: cold})
    add_figures("report", large, "seconds", "s")
    add_ratio("report", "ten times the events, processor time",
              column(large[name], "cpu_ms"), column(results[first], "cpu_ms"),
              ("≤", 12))
    add_ratio("report", f"{name}: peak RSS ÷ 100 MB",
              column(large[name], "rss_mb"), [100] * ROUNDS, ("<", 1))
    pony.clear()


BENCHES = {"enqueue": bench_enqueue, "enqueue8": bench_enqueue8,
           "stream": bench_stream, "drain": bench_drain, "slow": bench_slow,
           "http": bench_http,
           "start": bench_start, "queue": bench_queue,
           "compose": bench_compose, "report": bench_report}


# ----- the table


def processor():
    names = re.findall(r"model name\s*: (.*)",
                       pathlib.Path("/proc/cpuinfo").read_text())
    return f"{len(names) or os.cpu_count()} × {(names or ['unknown'])[0]}"


def versions():
    known = ["postfix " + call("postconf", "-h", "mail_version").strip(),
             call("dpkg-query", "-W", "-f", "${Package} ${Version}, ", "jq",
                  "pflogsumm").strip(", ")]
    for deb in sorted(TOOLS.glob("debs/*.deb")):
        known.append(call("dpkg-deb", "-W", "--showformat=${Package} ${Version}",
                          deb))
    return ", ".join(known)


# A peer of twenty processes then gets more of the machine than one of one.
BUSY = " (**busy: the figures, and ratios between one process and many, lie**)"


def report(load_before):
    head = ["bench", "what", "median (min – max)", "unit", "p99, ms",
            "CPU, ms/message", "peak RSS, MB", "goal", "met"]
    lines = [
        f"# pony beside its peers, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}",
        "",
        f"- pony: {call(PONY, '--version').split()[-1]}, commit {os.environ['BENCH_COMMIT']}",
        f"- peers: {versions()}",
        f"- machine: {processor()}, Linux {os.uname().release}; load "
        f"{load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
        + (BUSY if load_before > 0.5 else ""),
        f"- spools: {os.environ['BENCH_WHERE']}",
        f"- {ROUNDS} rounds in turns, messages of {SIZE:,} bytes, SMTP on the "
        "loopback without TLS" + ("; QUICK, too little to conclude from"
                                  if QUICK else ""),
        "- `pony run` is timed from its start to its exit; postfix, whose "
        "daemons are up, from the flush to the last message's arrival",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main():
    load_before = os.getloadavg()[0]
    began = time.monotonic()
    write_inputs()
    failures = 0
    for name in sys.argv[1:]:
        print(f"== {name} ({time.monotonic() - began:.0f} s so far)",
              file=sys.stderr)
        try:
            BENCHES[name]()
        except Failed as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            rows.append([name, f"failed: {error}".replace("\n", " "),
                         *[""] * 7])
            failures += 1
    text = report(load_before)
    (TOOLS / "results.md").write_text(text)
    print(text, end="")
    print(f"== {time.monotonic() - began:.0f} s; the table is in "
          "build/bench/results.md", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
