#!/usr/bin/python3
"""The stand-in's own test: it takes what each provider takes, refuses what
each refuses and says why, and misbehaves as it was asked to."""

import base64
import copy
import datetime
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import answers
import checks

HERE = pathlib.Path(__file__).parent
KEY = "test-key-0123456789"
AGENT = {"User-Agent": "pony/test"}
JSON = {**AGENT, "Content-Type": "application/json"}


class StandIn:
    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.log_path = pathlib.Path(self.folder.name) / "log"
        self.process = subprocess.Popen(
            [sys.executable, HERE / "stand_in.py", "--log", self.log_path,
             *options], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split("=")[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def log(self):
        return [json.loads(line)
                for line in self.log_path.read_text().splitlines()]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method, path, headers, body=b"", host=None):
        connection = self.connect()
        headers = {**headers, "Host": host or f"127.0.0.1:{self.port}"}
        connection.request(method, path, body or None, headers)
        reply = connection.getresponse()
        answer = (reply.status, dict(reply.getheaders()), reply.read())
        connection.close()
        return answer


# --- A minimal right request of each provider ----------------------------------


def signed(method, path, body=b"", key=KEY, host="127.0.0.1", token="",
           moment=None):
    moment = moment or datetime.datetime.now(
        datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-date": moment}
    if token:
        headers["x-amz-security-token"] = token
    if body:
        headers["content-type"] = "application/json"
    request = checks.Request(method, path, list(headers.items()), body)
    names = ";".join(sorted(headers))
    signature, _ = checks.signature_of(request, key, moment, "eu-west-1",
                                       "ses", names)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{moment[:8]}/eu-west-1/ses/"
        f"aws4_request, SignedHeaders={names}, Signature={signature}")
    return {**AGENT, **headers}


def form(fields, boundary="b0undary"):
    out = b""
    for name, filename, content in fields:
        file = f'; filename="{filename}"' if filename is not None else ""
        out += (f"--{boundary}\r\nContent-Disposition: form-data; "
                f'name="{name}"{file}\r\n\r\n').encode() + content + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


PERSON = {"email": "ann@example.com"}
BODIES = {
    "sendgrid": {"personalizations": [{"to": [PERSON]}], "from": PERSON,
                 "subject": "Hi",
                 "content": [{"type": "text/plain", "value": "x"}]},
    "mailgun": [("from", None, b"team@widgets.example"),
                ("to", None, b"Ann <ann@example.com>"),
                ("subject", None, b"Hi"), ("text", None, b"x")],
    "mandrill": {"key": KEY, "message": {
        "from_email": "team@widgets.example", "to": [PERSON], "subject": "Hi",
        "text": "x", "preserve_recipients": True}},
    "ses": {"FromEmailAddress": "team@widgets.example",
            "Destination": {"ToAddresses": ["Ann <ann@example.com>"]},
            "Content": {"Simple": {"Subject": {"Data": "Hi"},
                                   "Body": {"Text": {"Data": "x"}}}}},
    "postmark": {"From": "team@widgets.example", "To": "ann@example.com",
                 "Subject": "Hi", "TextBody": "x"},
    "resend": {"from": "team@widgets.example", "to": ["ann@example.com"],
               "subject": "Hi", "text": "x"},
    "brevo": {"sender": PERSON, "to": [PERSON], "subject": "Hi",
              "textContent": "x", "headers": {
                  "idempotencyKey": "01234567-89ab-cdef-0123-456789abcdef"}},
}
PATHS = {
    "sendgrid": "/v3/mail/send",
    "mailgun": "/v3/mg.widgets.example/messages",
    "mandrill": "/api/1.0/messages/send.json",
    "ses": "/v2/email/outbound-emails", "postmark": "/email",
    "resend": "/emails", "brevo": "/v3/smtp/email",
}
CHECKS = {
    "sendgrid": ("GET", "/v3/scopes"),
    "mailgun": ("GET", "/v3/domains/mg.widgets.example"),
    "mandrill": ("POST", "/api/1.0/users/ping2.json"),
    "ses": ("GET", "/v2/email/account"), "postmark": ("GET", "/server"),
    "resend": ("GET", "/domains"), "brevo": ("GET", "/v3/account"),
}
keys_used = 0


def encode(provider, body):
    return form(body) if provider == "mailgun" else json.dumps(body).encode()


def headers_of(provider, method, path, body, key=KEY):
    global keys_used
    keys_used += 1
    basic = base64.b64encode(f"api:{key}".encode()).decode()
    made = {
        "sendgrid": lambda: {"Authorization": f"Bearer {key}"},
        "mailgun": lambda: {"Authorization": f"Basic {basic}"},
        "mandrill": lambda: {},
        "ses": lambda: signed(method, path, body, key),
        "postmark": lambda: {"X-Postmark-Server-Token": key,
                             "Accept": "application/json"},
        "resend": lambda: {"Authorization": f"Bearer {key}",
                           "Idempotency-Key": f"k{keys_used}"},
        "brevo": lambda: {"api-key": key},
    }[provider]()
    if provider == "ses":
        return made
    if provider == "mailgun" and body:
        return {**AGENT, **made,
                "Content-Type": "multipart/form-data; boundary=b0undary"}
    return {**(JSON if body else AGENT), **made}


def for_recipient(provider, *addresses):
    """The minimal mail, to these instead."""
    body = copy.deepcopy(BODIES[provider])
    people = [{"email": a} for a in addresses]
    if provider == "sendgrid":
        body["personalizations"][0]["to"] = people
    elif provider == "mailgun":
        body[1] = ("to", None, ", ".join(addresses).encode())
    elif provider == "mandrill":
        body["message"]["to"] = people
    elif provider == "ses":
        body["Destination"]["ToAddresses"] = list(addresses)
    elif provider == "postmark":
        body["To"] = ", ".join(addresses)
    elif provider == "resend":
        body["to"] = list(addresses)
    else:
        body["to"] = people
    return body


class Case(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.stand_in = StandIn(*cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.stand_in.stop()

    def send(self, provider, body=None, change=None, host="127.0.0.1", **more):
        """(status, headers, body) for the mail `body`."""
        data = encode(provider, BODIES[provider] if body is None else body)
        headers = headers_of(provider, "POST", PATHS[provider], data, **more)
        headers = {**headers, **(change or {})}
        headers = {n: v for n, v in headers.items()
                   if v is not None and n.lower() != "host"}
        return self.stand_in.ask("POST", PATHS[provider], headers, data, host)

    def refused(self, reply, word):
        self.assertEqual(reply[0], 599, reply)
        self.assertIn(word, reply[2].decode())


class Right(Case):
    def test_a_minimal_mail_is_taken_by_each_and_its_id_is_logged(self):
        for provider in checks.PROVIDERS:
            with self.subTest(provider):
                status, headers, body = self.send(provider)
                wanted = {"sendgrid": 202, "brevo": 201}.get(provider, 200)
                self.assertEqual(status, wanted, body)
                entry = self.stand_in.log()[-1]
                self.assertNotIn("bad", entry)
                self.assertEqual(entry["provider"], provider)
                self.assertEqual(entry["mail"]["to"][0]["email"],
                                 "ann@example.com")
                self.assertTrue(entry["id"])
                self.assertIn(entry["id"], str(headers) + body.decode())
                self.assertNotIn(KEY, json.dumps(entry))

    def test_each_answers_a_check_and_refuses_another_key(self):
        for provider, (method, path) in CHECKS.items():
            with self.subTest(provider):
                for key in (KEY, "wrong"):
                    body = b""
                    if provider == "mandrill":
                        body = json.dumps({"key": key}).encode()
                    headers = headers_of(provider, method, path, body, key)
                    headers.pop("host", None)
                    status, _, text = self.stand_in.ask(
                        method, path, headers, body, "127.0.0.1")
                    self.assertEqual(status, 200 if key == KEY else 599, text)

    def test_each_error_comes_with_its_name(self):
        for provider, names in answers.ERRORS.items():
            for name in names:
                with self.subTest(provider + ":" + name):
                    status, _, body = self.send(
                        provider, for_recipient(provider, name + "@x.example"))
                    self.assertNotEqual(status, 599, body)
                    self.assertEqual(self.stand_in.log()[-1]["behaviour"], name)

    def test_mandrill_and_postmark_tell_recipients_apart(self):
        _, _, body = self.send("mandrill", for_recipient(
            "mandrill", "partial@x.example", "bad-1@x.example"))
        self.assertEqual({(r["email"], r["status"]) for r in json.loads(body)},
                         {("partial@x.example", "sent"),
                          ("bad-1@x.example", "rejected")})
        for name, status in (("406", 422), ("partial", 200)):
            got, _, body = self.send("postmark", for_recipient(
                "postmark", name + "@x.example", "inactive-1@x.example"))
            self.assertEqual(got, status)
            self.assertIn("inactive addresses: inactive-1@x.example.",
                          json.loads(body)["Message"])

    def test_resend_takes_a_repeated_key_for_the_same_mail(self):
        change = {"Idempotency-Key": "the-same"}
        first = self.send("resend", change=change)
        self.assertEqual(self.send("resend", change=change)[0], first[0])
        other = for_recipient("resend", "bob@example.com")
        self.assertEqual(self.send("resend", other, change=change)[0], 409)

    def test_a_vector_that_aws_published_gets_its_signature(self):
        request = checks.Request("GET", "/", [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z")])
        signature, _ = checks.signature_of(
            request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "20150830T123600Z", "us-east-1", "service", "host;x-amz-date")
        self.assertEqual(signature, "5fa00fa31553b73ebf1942676e86291e8372ff2a"
                                    "2260956d9b8aae1d763fbf31")


class Wrong(Case):
    def test_another_key_is_refused(self):
        for provider in checks.PROVIDERS:
            with self.subTest(provider):
                body = copy.deepcopy(BODIES[provider])
                if provider == "mandrill":
                    body["key"] = "wrong"
                word = "signature" if provider == "ses" else "key"
                self.refused(self.send(provider, body, key="wrong"), word)

    def test_no_user_agent_and_another_type_are_refused(self):
        for provider in checks.PROVIDERS:
            with self.subTest(provider):
                self.refused(self.send(provider, change={"User-Agent": None}),
                             "user-agent")
                self.refused(self.send(provider, change={"User-Agent": "x"}),
                             "User-Agent")
                name = "content-type" if provider == "ses" else "Content-Type"
                self.refused(self.send(
                    provider, change={name: "text/plain"}), "Content-Type")

    def test_an_unknown_member_and_a_missing_one_are_refused(self):
        for provider, missing in (
                ("sendgrid", "from"), ("mandrill", "message"),
                ("ses", "Content"), ("postmark", "From"), ("resend", "from"),
                ("brevo", "sender")):
            with self.subTest(provider):
                self.refused(self.send(
                    provider, {**BODIES[provider], "nonsense": 1}), "nonsense")
                body = dict(BODIES[provider])
                del body[missing]
                self.refused(self.send(provider, body), missing)
        self.refused(self.send("mailgun", BODIES["mailgun"] + [
            ("nonsense", None, b"1")]), "nonsense")
        self.refused(self.send("mailgun", BODIES["mailgun"][1:]), "from")

    def test_the_limits_that_a_schema_cannot_say(self):
        def with_(provider, path=(), **members):
            body = copy.deepcopy(BODIES[provider])
            inner = body
            for step in path:
                inner = inner[step]
            inner.update(members)
            return body

        file = {"Name": "a.exe", "Content": "eA==", "ContentType": "x/y"}
        mime = base64.b64encode(
            b"From: team@widgets.example\r\nTo: ann@example.com\r\n"
            b"Bcc: bob@example.com\r\nSubject: Hi\r\n\r\nx\r\n").decode()
        for provider, body, word in (
                ("sendgrid", for_recipient("sendgrid", "a@x.example",
                                           "A@x.example"), "twice"),
                ("sendgrid", with_("sendgrid", headers={"Subject": "x"}),
                 "'Subject'"),
                ("sendgrid", with_("sendgrid", categories=["a", "a"]),
                 "categories"),
                ("sendgrid", with_("sendgrid", categories=[
                    str(n) for n in range(11)]), "categories"),
                ("sendgrid", with_("sendgrid", content=[
                    {"type": "text/html", "value": "x"},
                    {"type": "text/plain", "value": "x"}]), "order"),
                ("mandrill", with_("mandrill", ["message"],
                                   preserve_recipients=False), "True"),
                ("mandrill", with_("mandrill", ["message"], tags=["_x"]),
                 "tags"),
                ("ses", with_("ses", Content={"Raw": {"Data": mime}}), "Bcc"),
                ("ses", with_("ses", Content={}), "Content"),
                ("ses", with_("ses", ["Content", "Simple"], Headers=[
                    {"Name": f"X-{n}", "Value": "x"} for n in range(16)]),
                 "Headers"),
                ("ses", for_recipient("ses", *[f"a{n}@x.example"
                                               for n in range(51)]), "51"),
                ("ses", for_recipient("ses", "Jörg <a@x.example>"), "Jörg"),
                ("postmark", for_recipient("postmark", *[
                    f"a{n}@x.example" for n in range(51)]), "51"),
                ("postmark", with_("postmark", Tag=["a", "b"]), "Tag"),
                ("postmark", with_("postmark", Attachments=[file]), "a.exe"),
                ("postmark", with_("postmark", Attachments=[
                    {**file, "Name": "a.png", "ContentID": "logo"}]),
                 "ContentID"),
                ("resend", with_("resend", tags=[
                    {"name": "a b", "value": "c"}]), "tags"),
                ("resend", with_("resend", to=["Ann Smith, a@x.example"]),
                 "address"),
                ("brevo", with_("brevo", headers={}), "UUID"),
                ("brevo", with_("brevo", attachment=[
                    {"name": "a", "content": "not base64!"}]), "attachment")):
            with self.subTest(provider + " " + word):
                self.refused(self.send(provider, body), word)

    def test_mailguns_form_is_read_strictly(self):
        good = BODIES["mailgun"]
        for more, word in (
                ([("attachment", None, b"x")], "file name"),
                ([("o:tag", None, b"t")] * 4, "o:tag"),
                ([("v:x", None, b"x" * 17000)], "together"),
                ([("subject", None, b"again")], "subject")):
            with self.subTest(word):
                self.refused(self.send("mailgun", good + more), word)
        data = form(good)[:-4]
        headers = headers_of("mailgun", "POST", "/", data)
        reply = self.stand_in.ask("POST", PATHS["mailgun"], headers, data)
        self.refused(reply, "boundary")
        reply = self.stand_in.ask("POST", "/v3/other.example/messages",
                                  headers, form(good))
        self.refused(reply, "domain")

    def test_a_signature_of_yesterday_is_refused(self):
        data = json.dumps(BODIES["ses"]).encode()
        headers = signed("POST", PATHS["ses"], data, moment="20200101T000000Z")
        headers.pop("host")
        self.refused(self.stand_in.ask("POST", PATHS["ses"], headers, data,
                                       "127.0.0.1"), "not now")

    def test_a_member_that_is_there_twice_is_refused(self):
        data = b'{"From":"a@x.example",' + json.dumps(
            BODIES["postmark"]).encode()[1:]
        headers = headers_of("postmark", "POST", "/email", data)
        self.refused(self.stand_in.ask("POST", "/email", headers, data),
                     "twice")

    def test_a_redirect_that_was_followed_and_no_http_are_bad(self):
        self.refused(self.stand_in.ask("GET", "/followed", AGENT), "followed")
        with socket.create_connection(("127.0.0.1", self.stand_in.port)) as s:
            s.sendall(b"HELO there\r\n\r\n")
            self.assertIn(b"599", s.recv(100))
        self.assertIn("bad", self.stand_in.log()[-1])


class Misbehaving(Case):
    def raw(self, behaviour, by_host=False, most=1 << 20):
        """What comes on a connection of its own until it is closed."""
        body = for_recipient("postmark", f"{behaviour}@x.example")
        data = json.dumps(body).encode()
        headers = headers_of("postmark", "POST", "/email", data)
        headers["Host"] = f"{behaviour}.localhost" if by_host else "x"
        headers["Content-Length"] = str(len(data))
        head = "POST /email HTTP/1.1\r\n" + "".join(
            f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
        out = b""
        with socket.create_connection(("127.0.0.1", self.stand_in.port),
                                      timeout=0.4) as s:
            s.sendall(head.encode() + data)
            try:
                while len(out) < most:
                    piece = s.recv(65536)
                    if not piece:
                        return out, "closed"
                    out += piece
            except TimeoutError:
                return out, "open"
            except ConnectionResetError:
                return out, "reset"
        return out, "more"

    def test_on_the_wire(self):
        for name, begin, end in (
                ("cut-status-line", b"HTTP/1.1 20", "closed"),
                ("cut-headers", b"HTTP/1.1 200 OK\r\nServer", "closed"),
                ("200-cut-body", b"HTTP/1.1 200 OK\r\n", "closed"),
                ("garbage", b"\x00\x01", "closed"),
                ("endless-body", b"HTTP/1.1 200 OK\r\n", "more"),
                ("endless-headers", b"HTTP/1.1 200 OK\r\n", "more"),
                ("drip", b"HTTP/1.1 2", "more"),
                ("silent", b"", "open"),
                ("close-after-body", b"", "closed"),
                ("reset-after-body", b"", "reset"),
                ("keep-alive-dropped", b"HTTP/1.1 200 OK\r\n", "closed"),
                ("1xx-before", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 ",
                 "open")):
            with self.subTest(name):
                got, how = self.raw(
                    name, most=10 if name == "drip" else 1 << 20)
                self.assertTrue(got.startswith(begin), got[:80])
                self.assertEqual(how, end)
                self.assertEqual(self.stand_in.log()[-1]["behaviour"], name)

    def test_before_the_body_was_read(self):
        for name, begin, end in (
                ("close-before-body", b"", "reset"),
                ("close-in-body", b"", "reset"),
                ("early-413", b"HTTP/1.1 413 ", "open"),
                ("early-413-reset", None, "reset")):
            with self.subTest(name):
                got, how = self.raw(name, by_host=True)
                if begin is not None:
                    self.assertTrue(got.startswith(begin), got[:80])
                self.assertEqual(how, end)

    def test_a_connection_is_kept_and_closed_on_its_second_request(self):
        connection = self.stand_in.connect()
        data = json.dumps(for_recipient(
            "postmark", "close-on-reuse@x.example")).encode()
        headers = headers_of("postmark", "POST", "/email", data)
        connection.request("POST", "/email", data, headers)
        reply = connection.getresponse()
        reply.read()
        self.assertEqual(reply.status, 200)
        connection.request("POST", "/email", data, headers)
        with self.assertRaises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()

    def test_each_answer_is_well_formed_http_for_each_provider(self):
        import stand_in as module
        for name, one in module.BEHAVIOURS.items():
            if one.act.__name__ != "act":
                continue
            for provider in checks.PROVIDERS:
                with self.subTest(provider + ":" + name):
                    status, _, _ = self.send(
                        provider, for_recipient(provider, name + "@x.example"))
                    self.assertNotEqual(status, 599)


class Scripted(Case):
    def test_a_script_is_used_up_in_its_order_and_may_grow(self):
        script = pathlib.Path(self.stand_in.folder.name) / "script"
        other = StandIn("--script", script, "--default", "503")
        try:
            self.stand_in, kept = other, self.stand_in
            self.assertEqual(self.send("brevo")[0], 503)
            script.write_text('{"behaviour":"429","times":2}\n'
                              '{"behaviour":"brevo:401-unauthorized"}\n')
            self.assertEqual([self.send("brevo")[0] for _ in range(4)],
                             [429, 429, 401, 503])
            with script.open("a") as more:
                more.write('{"behaviour":"success"}\n')
            self.assertEqual(self.send("brevo")[0], 201)
        finally:
            self.stand_in = kept
            other.stop()


if __name__ == "__main__":
    unittest.main()
