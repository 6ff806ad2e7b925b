#!/usr/bin/python3
"""A server that quotes the credentials it was sent, in as many spellings as
answers have: what it says must not be found anywhere afterwards.

  quoting_server.py http          http://SPELLING.localhost:PORT
  quoting_server.py smtp CERT KEY SMTP inside TLS that refuses every AUTH

Prints "port=N" once it listens on 127.0.0.1. It takes what it quotes from the
files that are named in $QUOTED, one secret in each; what a request really
carried is quoted too.
"""

import base64
import html
import json
import os
import socketserver
import ssl
import sys
import urllib.parse

SECRETS = [open(path).read().rstrip("\n")
           for path in os.environ["QUOTED"].split(":")]


def as_unicode(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


def answer(status, body, kind="application/json", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}",
             f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def form(raw):
    """All providers' errors at once; `raw` is in JSON's spelling."""
    return ('{"errors":[{"message":"%s","field":null}],"message":"%s",'
            '"Message":"%s","ErrorCode":10,"status":"error","code":"-1",'
            '"name":"Invalid_Key","statusCode":401}' % (raw, raw, raw))


def in_json(text):
    return json.dumps(text)[1:-1]


def said(spelling, sent):
    """The answer in this spelling; `sent` is the head and body that came."""
    # SES alone was given the others.
    secrets = SECRETS if " /v2/email/" in sent else SECRETS[:1]
    words = " and ".join(secrets)
    plain = "text/plain"
    pad = "x" * int(spelling.rpartition("-")[2] or 0) if (
        spelling.startswith("cut-")) else ""
    return {
        "json": lambda: answer("401 No", form(in_json(words))),
        "json400": lambda: answer("400 No", form(in_json(words))),
        "slashes": lambda: answer(
            "401 No", form(in_json(words).replace("/", "\\/"))),
        "unicode": lambda: answer("401 No", form(as_unicode(words))),
        "twice": lambda: answer("401 No", form(in_json(in_json(words)))),
        "broken": lambda: answer("401 No", form(in_json(words))[:-1]),
        "plain": lambda: answer("401 No", f"bad key {words}", plain),
        "escaped": lambda: answer("500 No", f"bad key {in_json(words)}", plain),
        "percent": lambda: answer(
            "401 No", "bad key " + urllib.parse.quote(words, safe=""), plain),
        "plus": lambda: answer("401 No", form(
            urllib.parse.quote_plus(words))),
        "base64": lambda: answer("401 No", "; ".join(
            base64.b64encode(before + one.encode()).decode()
            for one in secrets for before in (b"", b"a", b"bc", b"api:")),
            plain),
        "html": lambda: answer("401 No", f"<p>{html.escape(words)}</p>",
                               "text/html"),
        "entities": lambda: answer("401 No", form(in_json(html.escape(words)))),
        "header": lambda: answer("202 Fine", "{}", headers=[
            f"X-Message-Id: {words}", f"x-amzn-RequestId: {words}",
            f"Retry-After: {words}"]),
        "id": lambda: answer("200 Fine", json.dumps(
            {"id": words, "messageId": words, "MessageID": words,
             "MessageId": words, "ErrorCode": 0, "Message": words})),
        "long-id": lambda: answer("200 Fine", json.dumps(dict.fromkeys(
            ("id", "messageId", "MessageID", "MessageId"),
            "x" * 190 + words))),
        "reason": lambda: answer(f"401 {words}", ""),
        "echo": lambda: answer("500 No", sent, plain),
        "echo-json": lambda: answer("401 No", form(in_json(sent))),
        "no-http": lambda: f"{words}\r\n{sent}".encode(),
        "bad-header": lambda: (f"HTTP/1.1 200 OK\r\n{words}\0 {words}: x\r\n"
                               "\r\n").encode(),
    }.get(spelling, lambda: answer("401 No", form(pad + in_json(words))))()


class Http(socketserver.StreamRequestHandler):
    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(1 << 20)
            if not line:
                return
            head += line
        length = [line.split(b":")[1] for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length:")]
        body = self.rfile.read(int(length[0])) if length else b""
        host = [line.split(b":", 1)[1].strip().decode()
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"host:")][0]
        sent = (head + body).decode(errors="replace")
        try:
            self.wfile.write(said(host.partition(".")[0], sent))
        except ConnectionError:
            pass


class Smtp(socketserver.StreamRequestHandler):
    """Refuses AUTH, and quotes it: as it came, decoded, and in JSON."""

    def handle(self):
        self.wfile.write(b"220 quoting\r\n")
        for line in self.rfile:
            text = line.decode().strip()
            if text.upper().startswith("EHLO"):
                self.wfile.write(b"250-quoting\r\n250 AUTH PLAIN\r\n")
            elif text.upper() == "AUTH PLAIN":
                self.wfile.write(b"334 \r\n")
            elif text.upper().startswith("QUIT"):
                return
            else:
                given = text.split()[-1]
                words = base64.b64decode(given + "===").split(b"\0")[-1]
                word = words.decode(errors="replace")
                self.wfile.write((
                    f"535-5.7.8 {given} is wrong\r\n535-5.7.8 {word} is wrong\r\n"
                    f"535-5.7.8 {in_json(word)}\r\n535 5.7.8 "
                    f"{urllib.parse.quote(word, safe='')}\r\n").encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 500

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Http if sys.argv[1] == "http" else Smtp)
if sys.argv[1] == "smtp":
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*sys.argv[2:4])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print(f"port={server.server_address[1]}", flush=True)
server.serve_forever()
