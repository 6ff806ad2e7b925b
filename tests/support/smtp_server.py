#!/usr/bin/python3
"""A real SMTP server whose answers a test can choose, on aiosmtpd.

Prints "port=N" once it listens (always on 127.0.0.1), then serves until it is
killed. Every message it accepted is one file in --dump, NNNNNN.eml, with
NNNNNN.json beside it (written last, so who sees it may read both).
"""

import argparse
import asyncio
import json
import logging
import pathlib
import re
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0: any free one")
    add("--dump", type=pathlib.Path, help="folder for accepted messages")
    add("--starttls", nargs=2, metavar=("CERT", "KEY"))
    add("--implicit-tls", nargs=2, metavar=("CERT", "KEY"))
    add("--auth", metavar="USER:PASSWORD", help="AUTH is required, after TLS")
    add("--no-pipelining", action="store_true")
    add("--smtputf8", action="store_true")
    add("--dsn", action="store_true", help="offer DSN, and keep what is wished")
    add("--size", type=int, default=33554432, help="the SIZE that is offered")
    add("--delay-dot", type=int, default=0, metavar="MS",
        help="think so long about the end of DATA")
    add("--refuse-rcpt", action="append", default=[], metavar="REGEX:CODE")
    add("--fail-data", metavar="CODE", help="the answer to every dot")
    add("--tempfail", action="store_true", help="451 to every dot")
    add("--drop-after-dot", type=int, default=0, metavar="N",
        help="take the Nth message and hang up without a word")
    add("--reply-421-after", type=int, default=0, metavar="N",
        help="421 to the next MAIL once a session has carried N messages")
    return parser.parse_args()


class Server(SMTP):
    """aiosmtpd knows no DSN (RFC 3461): its parameters are taken off here."""

    wishes = {}

    def without_wishes(self, argument, names, about):
        words = argument.split(" ")
        self.wishes[about] = sorted(w for w in words if w.split("=")[0] in names)
        return " ".join(w for w in words if w.split("=")[0] not in names)

    async def smtp_MAIL(self, argument):
        if not self.event_handler.options.dsn or not argument:
            return await super().smtp_MAIL(argument)
        self.wishes = {}
        await super().smtp_MAIL(
            self.without_wishes(argument, {"RET", "ENVID"}, "MAIL"))

    async def smtp_RCPT(self, argument):
        if not self.event_handler.options.dsn or not argument:
            return await super().smtp_RCPT(argument)
        address = argument.split(":")[-1].split(">")[0].strip(" <")
        await super().smtp_RCPT(
            self.without_wishes(argument, {"NOTIFY", "ORCPT"}, address))


class Handler:
    def __init__(self, options):
        self.options = options
        self.accepted = 0
        self.refusals = []
        for rule in options.refuse_rcpt:
            pattern, code = rule.rsplit(":", 1)
            self.refusals.append((re.compile(pattern), code))

    async def handle_EHLO(self, server, session, envelope, hostname, lines):
        session.host_name = hostname
        session.carried = 0
        if not self.options.no_pipelining:
            lines.insert(1, "250-PIPELINING")
        if self.options.dsn:
            lines.insert(1, "250-DSN")
        return lines

    async def handle_MAIL(self, server, session, envelope, address, params):
        limit = self.options.reply_421_after
        if limit and session.carried >= limit:
            # Runs once the 421 is in the buffer, which close() still flushes.
            server.loop.call_soon(server.transport.close)
            return "421 4.3.2 enough for one session"
        envelope.mail_from = address
        envelope.mail_options.extend(params)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, params):
        for pattern, code in self.refusals:
            if pattern.search(address):
                return f"{code} {code[0]}.1.1 refused by the test"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.delay_dot:
            await asyncio.sleep(self.options.delay_dot / 1000)
        if self.options.tempfail:
            return "451 4.3.0 not now, says the test"
        if self.options.fail_data:
            code = self.options.fail_data
            return f"{code} {code[0]}.6.0 refused by the test"
        self.accepted += 1
        session.carried += 1
        self.dump(server, session, envelope)
        if self.accepted == self.options.drop_after_dot:
            server.transport.abort()
            await asyncio.Future()  # cancelled when the connection is gone
        return f"250 2.0.0 OK: queued as T{self.accepted:06}"

    def dump(self, server, session, envelope):
        if not self.options.dump:
            return
        name = f"{self.accepted:06}"
        (self.options.dump / f"{name}.eml").write_bytes(envelope.content)
        facts = {
            "mail_from": envelope.mail_from,
            "mail_options": envelope.mail_options,
            "rcpt_tos": envelope.rcpt_tos,
            "dsn": server.wishes,
            "tls": bool(session.ssl or self.options.implicit_tls),
            "auth": bool(session.authenticated),
            "ehlo": session.host_name,
        }
        path = self.options.dump / f"{name}.json"
        path.with_suffix(".tmp").write_text(json.dumps(facts))
        path.with_suffix(".tmp").rename(path)


def context(pair):
    if not pair:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(*pair)
    return made


async def serve(options):
    handler = Handler(options)
    starttls = context(options.starttls)
    implicit = context(options.implicit_tls)
    if options.auth and not (starttls or implicit):
        sys.exit("--auth needs --starttls or --implicit-tls")

    def authenticator(server, session, envelope, mechanism, data):
        login = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=login == options.auth, handled=False)

    def session():
        return Server(
            handler,
            hostname="smtp.test",
            data_size_limit=options.size,
            enable_SMTPUTF8=options.smtputf8,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=options.auth is not None,
            # Implicit TLS is none of the TLS that aiosmtpd looks for.
            auth_require_tls=implicit is None,
            authenticator=authenticator if options.auth else None,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", options.port, ssl=implicit, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(f"port={port}", flush=True)
    async with server:
        await server.serve_forever()


def main():
    # It would warn that implicit TLS is no TLS.
    warnings.simplefilter("ignore")
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    options = arguments()
    if options.dump:
        options.dump.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
