#!/usr/bin/python3
"""Stands in for the HTTP providers: SendGrid, Mailgun, Mandrill, SES,
Postmark, Resend and Brevo on one port; which one, the path tells.

Prints "port=N" once it listens (on 127.0.0.1), then serves until it is
killed. A request that the provider would not take, or that its documentation
does not describe, is answered 599 with the reasons and logged with "bad".
Else the answer is success, or the behaviour that is chosen by
  1. --script FILE: one JSON object a line, {"behaviour": NAME, "times": N},
     read again at each request; used up in the order of the file; a line
     with another text (a member "mark" may make it so) counts anew,
  2. the first label of the host, http://NAME.localhost:PORT, unless it
     begins with c-,
  3. the local part of a recipient: NAME@example.com or NAME+label@…,
  4. --default.
NAME may be written PROVIDER:NAME. Behaviours marked * act before the body
was read: the script, the host or --default can choose them, a recipient
cannot.
"""

import argparse
import asyncio
import collections
import email.utils
import json
import pathlib
import re
import signal
import socket
import ssl
import struct
import sys
import time

import answers
import checks

MOST_HEAD = 64 * 1024
MOST_BODY = 64 * 1024 * 1024


class BadRequest(Exception):
    """What came is no HTTP as our client should speak it."""


class Closed(Exception):
    """The client went away in the middle of a request."""


# --- Behaviours -----------------------------------------------------------------

Behaviour = collections.namedtuple("Behaviour", "act early words")
BEHAVIOURS = {}


def behaviour(name, words, early=False):
    def keep(act):
        BEHAVIOURS[name] = Behaviour(act, early, words)
        return act
    return keep


def answering(name, words, made):
    """A behaviour that is an ordinary answer: made(asked)."""
    async def act(exchange):
        return await exchange.answer(made(exchange.asked))
    BEHAVIOURS[name] = Behaviour(act, False, words)


def status_error(status, words, headers=()):
    return lambda asked: answers.error(asked, status, words, headers)


RESET_HEADERS = {
    "sendgrid": lambda: [("X-RateLimit-Limit", "500"),
                         ("X-RateLimit-Remaining", "0"),
                         ("X-RateLimit-Reset", str(int(time.time()) + 45))],
    "resend": lambda: [("ratelimit-limit", "2"), ("ratelimit-remaining", "0"),
                       ("ratelimit-reset", "45")],
    "brevo": lambda: [("x-sib-ratelimit-limit", "400"),
                      ("x-sib-ratelimit-remaining", "0"),
                      ("x-sib-ratelimit-reset", "45")],
}


def with_reset(asked):
    headers = RESET_HEADERS.get(asked.provider, list)()
    return answers.error(asked, 429, "too many requests", headers)


def with_date(asked):
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    return answers.error(asked, 429, "too many requests",
                         [("Retry-After", date)])


def twice(asked):
    """The id twice: as a header, and as a member of the body."""
    answer = answers.success(asked)
    for name in ("X-Message-Id", "x-amzn-RequestId"):
        answer.headers += [(n, v) for n, v in answer.headers if n == name]
    if answer.body.startswith(b"{"):
        answer.body = b"{" + answer.body[1:-1] + b"," + answer.body[1:]
    return answer


def odd_bytes(status, inserted):
    """An error whose words hold `inserted`, unescaped."""
    def made(asked):
        answer = answers.error(asked, status, "before XX after")
        answer.body = answer.body.replace(b"XX", inserted)
        return answer
    return made


def telling(asked):
    return answers.error(asked, 401, f"the key '{asked.key}' is not known; "
                         f"you sent {asked.key}")


answering("success", "as documented", answers.success)
answering("429", "429 and no word for how long",
          status_error(429, "too many requests"))
answering("429-after-30", "429, Retry-After in seconds",
          status_error(429, "too many requests", [("Retry-After", "30")]))
answering("429-date", "429, Retry-After a date in 60 s", with_date)
answering("429-reset", "429, the provider's own reset header: 45 s", with_reset)
answering("429-empty", "429 without a body", lambda asked: answers.Answer(429))
answering("408", "408 in the provider's form", status_error(408, "timed out"))
answering("413", "413 after the body was read", status_error(413, "too large"))
answering("500", "500 in the provider's form", status_error(500, "internal"))
answering("500-empty", "500 without a body", lambda asked: answers.Answer(500))
answering("502-html", "502 of a front end",
          lambda asked: answers.html(502, "Bad Gateway"))
answering("503", "503 in the provider's form", status_error(503, "unavailable"))
answering("503-after-30", "503 with Retry-After", status_error(
    503, "unavailable", [("Retry-After", "30")]))
answering("504", "504 of a front end",
          lambda asked: answers.html(504, "Gateway Time-out"))
answering("504-json", "504 in the provider's form",
          status_error(504, "timed out"))
answering("400-html", "400 of a front end",
          lambda asked: answers.html(400, "Bad Request"))
answering("400-deep", "400, 100,000 brackets deep", lambda asked:
          answers.as_text(400, "[" * 100_000, kind="application/json"))
answering("400-types", "400, JSON in which every type is wrong", lambda asked:
          answers.as_json(400, {
              "errors": {"message": [1]}, "message": {"a": None},
              "Message": [], "ErrorCode": "x", "name": 7, "status": [],
              "code": {}, "__type": 1, "statusCode": "a"}))
answering("404-html", "404 of a front end",
          lambda asked: answers.html(404, "Not Found"))
answering("200-html", "200 of a front end",
          lambda asked: answers.html(200, "Welcome"))
answering("200-types", "200, JSON in which every type is wrong", lambda asked:
          answers.as_json(200, [{"id": [], "email": 1, "status": {}}, 7]))
answering("301", "a redirect to itself",
          lambda asked: answers.Answer(301, b"", [("Location", "/followed")]))
answering("307", "a redirect to itself that keeps the method",
          lambda asked: answers.Answer(307, b"", [("Location", "/followed")]))
answering("redirect-file", "a redirect to file:///", lambda asked:
          answers.Answer(302, b"", [("Location", "file:///etc/passwd")]))
answering("twice-id", "success, the id twice", twice)
answering("nul", "500 with a NUL in its words", odd_bytes(500, b"\0"))
answering("bad-utf8", "500 with invalid UTF-8", odd_bytes(500, b"\xff\xc0\x80"))
answering("secret", "401 that quotes the key", telling)
answering("check-refused", "to a check: the key is wrong",
          answers.check_refused)
answering("check-limited", "to a check: the key may send, not ask",
          answers.check_limited)


@behaviour("200-cut-body", "success, closed before the body's end")
async def cut_body(exchange):
    answer = answers.success(exchange.asked)
    answer.headers.append(("Content-Length", str(len(answer.body) + 20)))
    return await exchange.answer(answer, whole=False)


@behaviour("cut-status-line", "closed inside the status line")
async def cut_status(exchange):
    return await exchange.raw(b"HTTP/1.1 20", "cut in the status line")


@behaviour("cut-headers", "success, closed inside the headers")
async def cut_headers(exchange):
    status = answers.success(exchange.asked).status
    return await exchange.raw(
        f"HTTP/1.1 {status} OK\r\nServer: x\r\nX-Message-I".encode(),
        "cut in the headers")


@behaviour("garbage", "no HTTP at all")
async def garbage(exchange):
    return await exchange.raw(b"\x00\x01\xfe SSH-2.0-what\r\n" * 5, "garbage")


@behaviour("endless-body", "200 and a body without end")
async def endless_body(exchange):
    exchange.log("endless body")
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n")
    return await exchange.without_end(b"4000\r\n" + b" " * 0x4000 + b"\r\n")


@behaviour("endless-headers", "200 and headers without end")
async def endless_headers(exchange):
    exchange.log("endless headers")
    exchange.write(b"HTTP/1.1 200 OK\r\n")
    return await exchange.without_end(b"X-More: " + b"x" * 4000 + b"\r\n")


@behaviour("drip", "success, a byte each 50 ms")
async def drip(exchange):
    answer = answers.success(exchange.asked)
    exchange.log(answer.status, answer.id)
    for byte in exchange.bytes_of(answer):
        exchange.write(bytes([byte]))
        await exchange.drain()
        await asyncio.sleep(0.05)
    return True


@behaviour("silent", "reads all, never answers")
async def silent(exchange):
    exchange.log("nothing")
    await exchange.until_closed()
    return False


@behaviour("close-after-body", "reads all, closes without a word")
async def close_after_body(exchange):
    exchange.log("closed after the body")
    return False


@behaviour("reset-after-body", "reads all, resets the connection")
async def reset_after_body(exchange):
    exchange.log("reset after the body")
    exchange.reset()
    return False


@behaviour("unknown-once", "the first time close-after-body, then success")
async def unknown_once(exchange):
    seen = exchange.server.seen_once
    mark = (exchange.asked.provider, exchange.mail["subject"])
    if mark not in seen:
        seen.add(mark)
        return await close_after_body(exchange)
    return await exchange.answer(answers.success(exchange.asked))


@behaviour("keep-alive-dropped", "success, then closed without saying so")
async def keep_alive_dropped(exchange):
    await exchange.answer(answers.success(exchange.asked))
    return False


@behaviour("close-on-reuse", "a connection's second request: read, closed")
async def close_on_reuse(exchange):
    if exchange.served == 0:
        return await exchange.answer(answers.success(exchange.asked))
    return await close_after_body(exchange)


@behaviour("1xx-before", "100 and 103 before the success")
async def hints_before(exchange):
    exchange.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                   b"Link: </x>\r\n\r\n")
    return await exchange.answer(answers.success(exchange.asked))


@behaviour("close-on-accept", "closed before anything is read", early=True)
async def close_on_accept(exchange):
    return False


@behaviour("close-before-body", "closed once the headers were read", early=True)
async def close_before_body(exchange):
    exchange.log("closed before the body")
    exchange.reset()
    return False


@behaviour("close-in-body", "closed once half the body was read", early=True)
async def close_in_body(exchange):
    await exchange.reader.readexactly(exchange.length // 2)
    exchange.log("closed in the body")
    exchange.reset()
    return False


@behaviour("early-413", "413 before the body, which is then thrown away",
           early=True)
async def early_413(exchange):
    await exchange.answer(answers.error(exchange.asked, 413, "too large"),
                          close=True)
    await exchange.drain()
    await exchange.until_closed()
    return False


@behaviour("early-413-reset", "413 before the body, then a reset", early=True)
async def early_413_reset(exchange):
    await exchange.answer(answers.error(exchange.asked, 413, "too large"),
                          close=True)
    await exchange.drain()
    exchange.reset()
    return False


def find_behaviour(provider, name):
    """The behaviour of this name, the provider's own first; or None."""
    prefix, colon, rest = name.partition(":")
    if colon:
        return find_behaviour(provider, rest) if prefix == provider else None
    made = answers.ERRORS.get(provider, {}).get(name)
    if made is None:
        return BEHAVIOURS.get(name)

    async def act(exchange):
        return await exchange.answer(made(exchange.asked))
    return Behaviour(act, False, "")


# --- One request ------------------------------------------------------------------

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 599: "Bad Request Sent"}


class Exchange:
    """A request and the means to answer it, or not to."""

    def __init__(self, server, reader, writer, served):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.served = served  # requests before this one on the connection
        self.request = None
        self.length = 0
        self.mail = None
        self.chosen = ""
        self.asked = None
        self.answered = None

    def write(self, data):
        self.writer.write(data)

    async def drain(self):
        await self.writer.drain()

    def bytes_of(self, answer, close=False):
        lines = [f"HTTP/1.1 {answer.status} "
                 f"{REASONS.get(answer.status, 'Because')}"]
        names = {name.lower() for name, _ in answer.headers}
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if "content-length" not in names:
            lines.append(f"Content-Length: {len(answer.body)}")
        if close:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body

    async def answer(self, answer, whole=True, close=False):
        self.log(answer.status, answer.id)
        self.write(self.bytes_of(answer, close))
        return whole and not close

    async def raw(self, data, words):
        self.log(words)
        self.write(data)
        return False

    async def without_end(self, piece):
        for _ in range(4096):
            self.write(piece)
            await self.drain()
        return False

    async def until_closed(self):
        """Throws away what comes until the client is gone."""
        while await self.reader.read(65536):
            pass

    def reset(self):
        """An RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def log(self, answered, id="", bad=()):
        request = self.request
        self.answered = answered
        line = {"number": self.server.number, "provider": request.provider,
                "operation": request.operation, "method": request.method,
                "path": request.path, "behaviour": self.chosen,
                "served_before": self.served,
                "headers": {n: "…" if n in SECRET_HEADERS else v
                            for n, v in request.headers},
                "mail": self.mail, "answered": answered, "id": id,
                "time": time.time()}
        if bad:
            line["bad"] = list(bad)
        self.server.log(line)


SECRET_HEADERS = {"authorization", "api-key", "x-postmark-server-token",
                  "x-amz-security-token"}


# --- The server -------------------------------------------------------------------


class Server:
    def __init__(self, options):
        self.options = options
        self.number = 0
        self.seen_once = set()
        self.used = collections.Counter()  # lines of the script
        self.keys = {}  # idempotency key: body; of mail that was accepted
        self.log_file = (open(options.log, "ab", buffering=0)
                         if options.log else None)

    def log(self, line):
        if self.log_file:
            text = json.dumps(line, ensure_ascii=False)
            self.log_file.write(text.encode(errors="replace") + b"\n")

    def scripted(self, use=True):
        """The next behaviour of the script, or ''."""
        if not self.options.script or not self.options.script.exists():
            return ""
        for index, text in enumerate(
                self.options.script.read_text().splitlines()):
            if not text.strip():
                continue
            line = json.loads(text)
            if self.used[index, text] < line.get("times", 1):
                self.used[index, text] += use
                return line["behaviour"]
        return ""

    async def connection(self, reader, writer):
        served = 0
        try:
            if self.options.default == "close-on-accept":
                return
            if self.scripted(use=False) == "close-on-accept":
                self.scripted()
                return
            while await self.exchange(Exchange(self, reader, writer, served)):
                served += 1
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, Closed,
                ssl.SSLError):
            pass
        finally:
            writer.close()

    async def exchange(self, exchange):
        """Serves one request; False when the connection is to be closed."""
        try:
            exchange.request = await read_head(exchange.reader)
        except BadRequest as bad:
            exchange.request = checks.Request("?", "/", [])
            return await self.refuse(exchange, [str(bad)])
        if exchange.request is None:
            return False
        request = exchange.request
        self.number += 1
        exchange.asked = answers.Asked(request.provider, self.number, None,
                                       self.options.key, self.options.domain)
        if not request.provider or self.options.provider not in (
                "", request.provider):
            return await self.refuse(exchange, [
                "a redirect was followed" if request.path == "/followed"
                else f"no such path: {request.path}"])
        chosen = self.scripted() or self.named_by_host(request)
        early = chosen or self.options.default
        found = find_behaviour(request.provider, early)
        try:
            exchange.length = body_length(request)
        except BadRequest as bad:
            return await self.refuse(exchange, [str(bad)])
        if found and found.early:
            exchange.chosen = early
            return await found.act(exchange)
        request.body = await exchange.reader.readexactly(exchange.length)
        reasons, exchange.mail = checks.check(request, self.options)
        exchange.asked.mail = exchange.mail
        if reasons:
            return await self.refuse(exchange, reasons)
        if request.operation == "check":
            return await self.act(exchange, chosen or "check")
        chosen = (chosen or self.named_by_recipient(exchange)
                  or self.options.default)
        repeated = self.repeated(exchange)
        if repeated:
            exchange.chosen = chosen
            return await exchange.answer(repeated)
        kept = await self.act(exchange, chosen)
        if isinstance(exchange.answered, int) and exchange.answered >= 300:
            self.keys.pop(exchange.mail["idempotency_key"], None)
        return kept

    async def act(self, exchange, name):
        if name == "check":
            exchange.chosen = name
            return await exchange.answer(answers.check_answer(exchange.asked))
        found = find_behaviour(exchange.request.provider,
                               name.partition("+")[0])
        exchange.chosen = name
        # What follows a '+' is a label: it tells cases apart in the log.
        if found is None:
            return await self.refuse(exchange, [f"no behaviour '{name}'"])
        return await found.act(exchange)

    async def refuse(self, exchange, reasons):
        exchange.log(599, bad=reasons)
        body = json.dumps({"bad": reasons}, ensure_ascii=False).encode()
        exchange.write(exchange.bytes_of(answers.Answer(599, body), close=True))
        return False

    def named_by_host(self, request):
        # A label that begins with "c-" only keeps connections apart.
        name, _, rest = request.header("host").partition(".")
        chosen = rest.startswith("localhost") and not name.startswith("c-")
        return name if chosen else ""

    def named_by_recipient(self, exchange):
        for email_ in exchange.asked.recipients():
            name = email_.rpartition("@")[0].partition("+")[0]
            if find_behaviour(exchange.request.provider, name):
                return email_.rpartition("@")[0]
        return ""

    def repeated(self, exchange):
        """Resend remembers keys: the same request gets the same answer, and
        makes no second mail."""
        if exchange.request.provider != "resend":
            return None
        key = exchange.mail["idempotency_key"]
        body = exchange.request.body
        if key not in self.keys:
            self.keys[key] = body
            return None
        if self.keys[key] != body:
            return answers.ERRORS["resend"]["409-invalid_idempotent_request"](
                exchange.asked)
        return answers.success(exchange.asked)


async def read_head(reader):
    """The request line and the headers; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Closed from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest("the head is too long") from None
    if not head.isascii():
        raise BadRequest("a header with bytes that are not ASCII")
    lines = head.decode().split("\r\n")[:-2]
    first = re.fullmatch(r"([A-Z]+) (/[!-~]*) HTTP/1\.1", lines[0])
    if not first:
        raise BadRequest(f"request line {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([ -~\t]*?)"
                             r"[ \t]*", line)
        if not field:
            raise BadRequest(f"header {line!r}")
        headers.append((field[1].lower(), field[2]))
    return checks.Request(first[1], first[2], headers)


def body_length(request):
    lengths = [v for n, v in request.headers if n == "content-length"]
    if not lengths and request.method == "GET":
        return 0
    if len(lengths) != 1 or not lengths[0].isdecimal():
        raise BadRequest(f"Content-Length {lengths}")
    if int(lengths[0]) > MOST_BODY:
        raise BadRequest("the body is too large")
    return int(lengths[0])


# --- The command line ---------------------------------------------------------------


def described():
    """The behaviours, for --help."""
    lines = ["behaviours of all providers:"]
    for name, one in BEHAVIOURS.items():
        lines.append(f"  {name + ('*' if one.early else ''):20} {one.words}")
    for provider, errors in answers.ERRORS.items():
        lines.append(f"of {provider}:")
        line = " "
        for name in errors:
            if len(line) + len(name) > 78:
                lines.append(line)
                line = " "
            line += " " + name
        lines.append(line)
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=described(),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: any free one")
    add("--provider", default="", choices=("", *checks.PROVIDERS),
        help="play this one alone")
    add("--key", default="test-key-0123456789",
        help="the one API key (SES: the secret access key)")
    add("--access-key-id", default="AKIDEXAMPLE", help="of SES")
    add("--session-token", default="", help="of SES; must come when given")
    add("--region", default="eu-west-1", help="of SES")
    add("--domain", default="mg.widgets.example", help="of Mailgun")
    add("--no-clock", action="store_true",
        help="do not compare the signature's time with the clock")
    add("--log", type=pathlib.Path, help="one JSON object a request")
    add("--script", type=pathlib.Path, help="behaviours, see above")
    add("--default", default="success", metavar="NAME")
    add("--tls", nargs=2, metavar=("CERT", "KEY"))
    return parser.parse_args()


async def serve(options):
    server = Server(options)
    tls = None
    if options.tls:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*options.tls)
    listening = await asyncio.start_server(
        server.connection, "127.0.0.1", options.port, limit=MOST_HEAD,
        backlog=1024, ssl=tls,
        # Whoever does not answer our goodbye has idled, and is to notice.
        **({"ssl_shutdown_timeout": 0.1} if tls else {}))
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, lambda: sys.exit(0))
    print(f"port={listening.sockets[0].getsockname()[1]}", flush=True)
    async with listening:
        await listening.serve_forever()


def main():
    options = arguments()
    known = [*BEHAVIOURS, *(name for names in answers.ERRORS.values()
                            for name in names)]
    if options.default.rpartition(":")[2] not in known:
        sys.exit(f"no behaviour '{options.default}'")
    try:
        asyncio.run(serve(options))
    except (KeyboardInterrupt, SystemExit):
        pass


if __name__ == "__main__":
    main()
