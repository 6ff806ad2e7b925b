"""What each provider demands of a request, and the mail that is in it.

check(request, options) gives the reasons for which the provider (or a person
who reads its documentation strictly) would not take the request, and the mail
in a form that is the same for all providers, so that tests compare what
arrived with what was queued. Knows nothing of sockets.
"""

import base64
import binascii
import datetime
import email
import email.errors
import email.header
import email.policy
import email.utils
import hashlib
import hmac
import json
import pathlib
import re
import urllib.parse

import jsonschema

PROVIDERS = ("sendgrid", "mailgun", "mandrill", "ses", "postmark", "resend",
             "brevo")
FOLDER = pathlib.Path(__file__).parent / "schemas"
OWN_ID = "pony_id"


class Wrong(Exception):
    """One reason why a request is wrong."""


class Request:
    """A request as it came over the wire; header names in lower case."""

    def __init__(self, method, target, headers, body=b""):
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition("?")
        self.headers = headers  # (name, value) in the order of the wire
        self.body = body
        self.provider, self.operation = operation_of(self.path)

    def header(self, name):
        return next((v for n, v in self.headers if n == name), "")

    def one(self, name):
        values = [v for n, v in self.headers if n == name]
        if len(values) != 1:
            raise Wrong(f"header '{name}' is there {len(values)} times")
        return values[0]


# Path to (provider, operation). No two providers share a path.
PATHS = (
    (r"/v3/mail/send", "sendgrid", "send"),
    (r"/v3/scopes", "sendgrid", "check"),
    (r"/v3/smtp/email", "brevo", "send"),
    (r"/v3/account", "brevo", "check"),
    (r"/v3/domains/[^/]+", "mailgun", "check"),
    (r"/v3/[^/]+/messages(\.mime)?", "mailgun", "send"),
    (r"/api/1\.\d/messages/send(-raw)?(\.json)?", "mandrill", "send"),
    (r"/api/1\.\d/users/(ping2?|info)(\.json)?", "mandrill", "check"),
    (r"/v2/email/outbound-emails", "ses", "send"),
    (r"/v2/email/account", "ses", "check"),
    (r"/email", "postmark", "send"),
    (r"/server", "postmark", "check"),
    (r"/emails", "resend", "send"),
    (r"/domains", "resend", "check"),
)


def operation_of(path):
    for pattern, provider, operation in PATHS:
        if re.fullmatch(pattern, path):
            return provider, operation
    return "", ""


def load_schemas(names):
    return {name: jsonschema.Draft7Validator(
                json.loads((FOLDER / f"{name}.json").read_text()))
            for name in names}


SCHEMAS = load_schemas(PROVIDERS)
# Of the operations that take a finished message (RFC 5322).
FINISHED_SCHEMAS = {
    name.removesuffix("_finished"): schema for name, schema in
    load_schemas(("mailgun_finished", "mandrill_finished")).items()}


def is_finished(request):
    return bool(re.search(r"messages\.mime$|/send-raw(\.json)?$", request.path))


def check(request, options):
    """(reasons, mail): mail is None for a check, or when it is beyond reading."""
    reasons = []
    mail = None

    def collect(step, *args):
        try:
            return step(*args)
        except Wrong as wrong:
            reasons.append(str(wrong))
        except (KeyError, ValueError, TypeError, AttributeError,
                IndexError) as error:
            reasons.append(f"{step.__name__}: {type(error).__name__}: {error}")
        return None

    collect(check_wire, request)
    collect(AUTHORISATION[request.provider], request, options)
    if request.operation == "check":
        if request.provider != "mandrill" and request.method != "GET":
            reasons.append(f"{request.method} for a check")
        return reasons, None
    if request.method != "POST":
        reasons.append(f"{request.method} for a send operation")
    document = collect(read_document, request, options)
    if document is None:
        return reasons, None
    finished = is_finished(request)
    schema = (FINISHED_SCHEMAS if finished else SCHEMAS)[request.provider]
    for error in sorted(schema.iter_errors(document.fields), key=str)[:10]:
        place = "/".join(map(str, error.absolute_path)) or "body"
        reasons.append(f"{place}: {error.message[:200]}")
    rules, summary = (FINISHED_READERS if finished else READERS)[
        request.provider]
    for rule in rules:
        collect(rule, request, document)
    mail = collect(summary, request, document)
    return reasons, mail


# --- The wire ---------------------------------------------------------------


def check_wire(request):
    agent = request.one("user-agent")
    if not agent.startswith("pony/"):
        raise Wrong(f"User-Agent is '{agent}'")
    request.one("host")
    for name in ("expect", "cookie", "transfer-encoding", "referer"):
        if request.header(name):
            raise Wrong(f"header '{name}' was sent")
    if request.query:
        raise Wrong(f"a query was sent: {request.query}")
    if request.method == "POST":
        if str(len(request.body)) != request.one("content-length"):
            raise Wrong("Content-Length is not the body's")
    elif request.body:
        raise Wrong("a body with a GET")


def check_type(request, wanted):
    got = request.one("content-type").lower().replace(" ", "")
    if got not in (wanted, wanted + ";charset=utf-8"):
        raise Wrong(f"Content-Type is '{got}', not '{wanted}'")


class Document:
    """A body: its fields, and (Mailgun) its files."""

    def __init__(self, fields, files=()):
        self.fields = fields
        self.files = files


def read_document(request, options):
    if request.provider == "mailgun":
        return read_multipart(request, options)
    check_type(request, "application/json")
    return Document(strict_json(request.body))


def strict_json(body):
    def unique(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Wrong(f"a JSON member is there twice: {sorted(names)}")
        return dict(pairs)

    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=unique)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Wrong(f"the body is no JSON: {error}") from None


DISPOSITION = re.compile(
    rb'form-data; name="([^"\r\n]*)"(; filename="([^"\r\n]*)")?')


def read_multipart(request, options):
    """RFC 7578, by hand: a library would forgive what a provider does not."""
    if request.path not in (f"/v3/{options.domain}/messages",
                            f"/v3/{options.domain}/messages.mime"):
        raise Wrong(f"the domain in {request.path} is not {options.domain}")
    match = re.fullmatch(r'multipart/form-data; ?boundary="?([^"; ]{1,70})"?',
                         request.one("content-type"))
    if not match:
        raise Wrong(f"Content-Type '{request.header('content-type')}'")
    boundary = b"--" + match[1].encode()
    pieces = (b"\r\n" + request.body).split(b"\r\n" + boundary)
    if pieces[0] or pieces[-1] not in (b"--\r\n", b"--") or len(pieces) < 3:
        raise Wrong("the form does not begin and end with its boundary")
    fields, files = {}, []
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator or not head.startswith(b"\r\n"):
            raise Wrong("a part of the form has no header")
        headers = {}
        for line in head[2:].split(b"\r\n"):
            name, colon, value = line.partition(b": ")
            name = name.lower().decode()
            if not colon or name in headers or name not in (
                    "content-disposition", "content-type",
                    "content-transfer-encoding"):
                raise Wrong(f"part header {line!r}")
            headers[name] = value
        said = DISPOSITION.fullmatch(headers.get("content-disposition", b""))
        if not said:
            raise Wrong(f"part header {head!r}")
        name = unescape(said[1])
        if name == "message" and is_finished(request):
            if said[3] is None:
                raise Wrong("the finished message is no file")
            files.append({"field": name, "content": content})
        elif name in ("attachment", "inline"):
            if said[3] is None:
                raise Wrong(f"an {name} without a file name is dropped")
            files.append({"field": name, "filename": unescape(said[3]),
                          "type": headers.get("content-type", b"").decode(),
                          "content": content})
        elif said[3] is not None:
            raise Wrong(f"field '{name}' has a file name")
        else:
            fields.setdefault(name, []).append(content.decode("utf-8"))
    return Document(fields, files)


def unescape(name):
    text = name.decode("utf-8")
    return (text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n"))


# --- Authorisation ----------------------------------------------------------


def bearer(request, options):
    if request.one("authorization") != f"Bearer {options.key}":
        raise Wrong("Authorization is not the key as Bearer")


def basic(request, options):
    wanted = base64.b64encode(f"api:{options.key}".encode()).decode()
    if request.one("authorization") != f"Basic {wanted}":
        raise Wrong("Authorization is not Basic, api and the key")


def key_in_body(request, options):
    if options.key in str(request.headers) + request.target:
        raise Wrong("the key is outside of the body")
    if request.method != "POST":
        raise Wrong("Mandrill has POST only")
    check_type(request, "application/json")
    if strict_json(request.body).get("key") != options.key:
        raise Wrong("'key' is not the key")


def server_token(request, options):
    if request.one("x-postmark-server-token") != options.key:
        raise Wrong("X-Postmark-Server-Token is not the key")
    if request.one("accept") != "application/json":
        raise Wrong("Accept is not application/json")


def api_key(request, options):
    if request.one("api-key") != options.key:
        raise Wrong("api-key is not the key")


def quoted(text, safe="-_.~"):
    return urllib.parse.quote(text, safe=safe)


def signature_of(request, secret, moment, region, service, names):
    """The signature of `request` over the headers `names`, as AWS describes
    it; and the canonical request, for people."""
    query = "&".join(sorted(request.query.split("&"))) if request.query else ""
    canonical = "\n".join([
        request.method,
        # All services but S3 encode the path that is on the wire once more.
        quoted(request.path, "-_.~/"),
        query,
        *(f"{name}:{' '.join(request.one(name).split())}"
          for name in names.split(";")),
        "",
        names,
        hashlib.sha256(request.body).hexdigest(),
    ])
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for step in (moment[:8], region, service, "aws4_request", to_sign):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key.hex(), canonical


def aws_signature(request, options):
    """Signature Version 4, from what came over the wire."""
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/"
        r"aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        request.one("authorization"))
    if not match:
        raise Wrong("Authorization is no AWS signature")
    key_id, day, region, service, names, signature = match.groups()
    if (key_id, region, service) != (options.access_key_id, options.region,
                                     "ses"):
        raise Wrong(f"signed for {key_id}/{region}/{service}")
    moment = request.one("x-amz-date")
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or moment[:8] != day:
        raise Wrong(f"x-amz-date is '{moment}', the credential's day {day}")
    if not options.no_clock:
        then = datetime.datetime.strptime(moment + "+0000", "%Y%m%dT%H%M%SZ%z")
        now = datetime.datetime.now(datetime.timezone.utc)
        if abs((now - then).total_seconds()) > 300:
            raise Wrong(f"signed at {moment}, which is not now")
    if request.header("x-amz-security-token") != (options.session_token or ""):
        raise Wrong("x-amz-security-token is not the session token")
    signed = names.split(";")
    if signed != sorted(set(signed)):
        raise Wrong(f"the signed headers are not sorted: {names}")
    must = {"host", "content-type"} | {
        n for n, _ in request.headers if n.startswith("x-amz-")}
    left_out = must - set(signed) - (
        set() if request.header("content-type") else {"content-type"})
    if left_out:
        raise Wrong(f"not signed: {sorted(left_out)}")
    digest = hashlib.sha256(request.body).hexdigest()
    if request.header("x-amz-content-sha256") not in ("", digest):
        raise Wrong("x-amz-content-sha256 is not the body's")
    wanted, canonical = signature_of(request, options.key, moment, region,
                                     service, names)
    if not hmac.compare_digest(wanted, signature):
        raise Wrong(f"the signature does not match; canonical: {canonical!r}")


AUTHORISATION = {
    "sendgrid": bearer, "mailgun": basic, "mandrill": key_in_body,
    "ses": aws_signature, "postmark": server_token, "resend": bearer,
    "brevo": api_key,
}


# --- One form for all mail --------------------------------------------------


def person(name, address):
    """A name that came in quotes, where none are needed, is that name."""
    name = name or ""
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return {"name": name, "email": address}


def from_object(entry):
    return person(entry.get("name"), entry["email"])


def decoded(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def mailboxes(text):
    """The addresses of a list as RFC 5322 writes it, names decoded (RFC
    2047); Wrong if it is none."""
    out = []
    for name, address in email.utils.getaddresses([text]):
        if not re.fullmatch(r"[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+", address):
            raise Wrong(f"'{text}' is no list of addresses")
        out.append({"name": decoded(name), "email": address})
    if not out:
        raise Wrong(f"'{text}' is no list of addresses")
    return out


def all_mailboxes(value):
    texts = value if isinstance(value, list) else [value]
    out = []
    for text in texts:
        found = mailboxes(text)
        if len(found) != 1:
            raise Wrong(f"'{text}' is not one address")
        out += found
    return out


def content_of(text):
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Wrong(f"not base64: {error}") from None


def attachment(name, kind, content, cid=""):
    return {"filename": name, "content_type": kind.split(";")[0].strip(),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "cid": cid}


def mail_of(**members):
    """The common form. Header names in lower case; our own id apart."""
    mail = {"from": {}, "to": [], "cc": [], "bcc": [], "reply_to": [],
            "subject": "", "text": "", "html": "", "headers": {}, "tags": [],
            "metadata": {}, "attachments": [], "idempotency_key": "",
            "own_id": "", "finished": "", **members}
    mail["headers"] = {n.lower(): v for n, v in mail["headers"].items()}
    mail["own_id"] = mail["metadata"].pop(OWN_ID, "") or mail["own_id"]
    return mail


def refuse_reserved(names, reserved, whose):
    for name in names:
        if name.lower() in reserved:
            raise Wrong(f"{whose} refuses the header '{name}'")


def everybody(mail_fields, *keys):
    return [entry for key in keys for entry in mail_fields.get(key, [])]


def tagged(pairs):
    """Tags of the kind name=value: ours are called tag, tag1, tag2 …, all
    others are metadata."""
    plain = [v for n, v in pairs if re.fullmatch(r"tag[_-]?\d*", n)]
    rest = {n: v for n, v in pairs if not re.fullmatch(r"tag[_-]?\d*", n)}
    if len(plain) + len(rest) != len(pairs):
        raise Wrong("a tag's name is there twice")
    return plain, rest


# --- Finished messages ------------------------------------------------------


def finished_mail(data, to, **more):
    """A message that arrived as bytes: what is in it is not our affair, but
    that it is one, and goes to nobody in secret."""
    if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
        raise Wrong("a bare CR or LF in the finished message")
    if max(map(len, data.split(b"\r\n"))) > 998:
        raise Wrong("a line of over 998 bytes in the finished message")
    mail = email.message_from_bytes(data, policy=email.policy.default)
    for name in ("bcc", "resent-bcc", "x-pony-tags"):
        if mail[name] is not None:
            raise Wrong(f"a header '{name}' in the finished message")
    return mail_of(to=[person("", address) for address in to],
                   subject=str(mail["subject"] or ""),
                   finished=hashlib.sha256(data).hexdigest(), **more)


def mailgun_finished_rules(_, document):
    if [file["field"] for file in document.files] != ["message"]:
        raise Wrong("not one file, called 'message'")


def mailgun_finished_mail(_, document):
    fields = document.fields
    return finished_mail(
        document.files[0]["content"], fields["to"],
        tags=fields.get("o:tag", []),
        metadata={n[2:]: v[0] for n, v in fields.items() if n[:2] == "v:"})


def mandrill_finished_rules(_, document):
    if document.fields.get("async"):
        raise Wrong("async: the answer would not say what became of it")


def mandrill_finished_mail(_, document):
    return finished_mail(document.fields["raw_message"].encode("utf-8"),
                         document.fields["to"])


# --- SendGrid ---------------------------------------------------------------

SENDGRID_RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type",
    "content-transfer-encoding", "to", "from", "subject", "reply-to", "cc",
    "bcc"}


def sendgrid_rules(_, document):
    fields = document.fields
    total = 0
    for one in fields["personalizations"]:
        emails = [e["email"].lower() for e in everybody(one, "to", "cc", "bcc")]
        total += len(emails)
        if len(set(emails)) != len(emails):
            raise Wrong("an address is twice in a personalization")
        refuse_reserved(one.get("headers", {}), SENDGRID_RESERVED, "SendGrid")
    if total > 1000:
        raise Wrong(f"{total} recipients")
    refuse_reserved(fields.get("headers", {}), SENDGRID_RESERVED, "SendGrid")
    if "reply_to" in fields and "reply_to_list" in fields:
        raise Wrong("reply_to and reply_to_list")
    types = [part["type"] for part in fields["content"]]
    if types not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
        raise Wrong(f"content in the order {types}")
    if len(json.dumps(fields.get("custom_args", {}))) > 10_000:
        raise Wrong("custom_args are over 10,000 bytes")
    for file in fields.get("attachments", []):
        if (file.get("disposition") == "inline") != ("content_id" in file):
            raise Wrong("inline and content_id go together")
        if re.search("[<>]", file.get("content_id", "")):
            raise Wrong("angle brackets in content_id")


def sendgrid_mail(_, document):
    fields = document.fields
    content = {part["type"]: part["value"] for part in fields["content"]}
    roles = {role: [from_object(entry) for one in fields["personalizations"]
                    for entry in one.get(role, [])]
             for role in ("to", "cc", "bcc")}
    custom = dict(fields.get("custom_args", {}))
    replies = fields.get("reply_to_list") or (
        [fields["reply_to"]] if "reply_to" in fields else [])
    return mail_of(
        **{"from": from_object(fields["from"])}, **roles,
        reply_to=[from_object(entry) for entry in replies],
        subject=fields["subject"], text=content.get("text/plain", ""),
        html=content.get("text/html", ""), headers=fields.get("headers", {}),
        tags=fields.get("categories", []), metadata=custom,
        attachments=[attachment(f["filename"], f.get("type", ""),
                                content_of(f["content"]),
                                f.get("content_id", ""))
                     for f in fields.get("attachments", [])])


# --- Mailgun ----------------------------------------------------------------


def mailgun_rules(_, document):
    size = sum(len(name) + len(value) for name, values in
               document.fields.items() for value in values
               if name[1:2] == ":" and name[0] in "ohvt")
    if size > 16 * 1024:
        raise Wrong(f"o:, h:, v: and t: have {size} bytes together")
    for file in document.files:
        if not file.get("filename", "message"):
            raise Wrong("an empty file name")


def mailgun_mail(_, document):
    fields = document.fields

    def addresses(name):
        return [one for text in fields.get(name, []) for one in mailboxes(text)]

    def first(name):
        return fields.get(name, [""])[0]

    headers = {n[2:].lower(): v[0] for n, v in fields.items()
               if n.startswith("h:")}
    reply_to = headers.pop("reply-to", "")
    return mail_of(
        **{"from": addresses("from")[0]}, to=addresses("to"),
        cc=addresses("cc"), bcc=addresses("bcc"),
        reply_to=mailboxes(reply_to) if reply_to else [],
        subject=first("subject"), text=first("text"), html=first("html"),
        headers=headers, tags=fields.get("o:tag", []),
        metadata={n[2:]: v[0] for n, v in fields.items() if n[:2] == "v:"},
        attachments=[attachment(
            f["filename"], f["type"], f["content"],
            f["filename"] if f["field"] == "inline" else "")
            for f in document.files])


# --- Mandrill ---------------------------------------------------------------


def mandrill_rules(_, document):
    if document.fields.get("async"):
        raise Wrong("async: the answer would not say what became of it")
    message = document.fields["message"]
    if not (message.get("text") or message.get("html")):
        raise Wrong("neither text nor html")


def mandrill_mail(_, document):
    message = document.fields["message"]
    roles = {role: [from_object(entry) for entry in message["to"]
                    if (entry.get("type") or "to") == role]
             for role in ("to", "cc", "bcc")}
    headers = {n.lower(): v for n, v in message.get("headers", {}).items()}
    reply_to = headers.pop("reply-to", "")
    files = [(f, "") for f in message.get("attachments", [])]
    files += [(f, f["name"]) for f in message.get("images", [])]
    return mail_of(
        **{"from": person(message.get("from_name"), message["from_email"])},
        **roles, reply_to=mailboxes(reply_to) if reply_to else [],
        subject=message["subject"], text=message.get("text") or "",
        html=message.get("html") or "", headers=headers,
        tags=message.get("tags", []),
        metadata=dict(message.get("metadata", {})),
        attachments=[attachment(f["name"], f["type"], content_of(f["content"]),
                                cid) for f, cid in files])


# --- SES --------------------------------------------------------------------

SES_RESERVED = {"to", "cc", "bcc", "from", "subject", "reply-to", "date",
                "message-id", "mime-version", "content-type",
                "content-transfer-encoding", "return-path", "sender"}


def ses_rules(_, document):
    fields = document.fields
    lists = fields["Destination"].values()
    total = sum(len(one) for one in lists)
    if not 1 <= total <= 50:
        raise Wrong(f"{total} recipients")
    senders = [fields["FromEmailAddress"]] if "FromEmailAddress" in fields else []
    if not senders and "Raw" not in fields["Content"]:
        raise Wrong("a simple message without FromEmailAddress")
    for text in [*senders, *fields.get("ReplyToAddresses", []),
                 *(text for one in lists for text in one)]:
        if len(mailboxes(text)) != 1:
            raise Wrong(f"'{text}' is not one address")
    simple = fields["Content"].get("Simple")
    if simple:
        refuse_reserved([h["Name"] for h in simple.get("Headers", [])],
                        SES_RESERVED, "SES")


def parse_mime(data):
    if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
        raise Wrong("a bare CR or LF in the MIME message")
    if max(map(len, data.split(b"\r\n"))) > 998:
        raise Wrong("a line of over 998 bytes in the MIME message")
    mail = email.message_from_bytes(data, policy=email.policy.SMTP)
    for part in mail.walk():
        if part.defects:
            raise Wrong(f"MIME defects: {part.defects}")
        for name, value in part.items():
            # A parameter in both its forms (RFC 6266) is a defect to Python.
            if name.lower().startswith("content-"):
                continue
            if getattr(value, "defects", ()):
                raise Wrong(f"MIME header defects: {value.defects}")
    if mail["bcc"] is not None:
        raise Wrong("a Bcc header in the MIME message")
    return mail


def ses_mail(_, document):
    fields = document.fields

    def addresses(texts):
        return [one for text in texts for one in mailboxes(text)]

    to = fields["Destination"]
    plain, named = tagged([(t["Name"], t["Value"])
                           for t in fields.get("EmailTags", [])])
    if "FromEmailAddress" not in fields:
        return finished_mail(
            content_of(fields["Content"]["Raw"]["Data"]),
            [text for one in to.values() for text in one],
            tags=plain, metadata=named)
    common = {
        "from": addresses([fields["FromEmailAddress"]])[0],
        "to": addresses(to.get("ToAddresses", [])),
        "cc": addresses(to.get("CcAddresses", [])),
        "bcc": addresses(to.get("BccAddresses", [])),
        "reply_to": addresses(fields.get("ReplyToAddresses", [])),
        "tags": plain, "metadata": named}
    if "Raw" in fields["Content"]:
        raw = ses_raw(content_of(fields["Content"]["Raw"]["Data"]), common)
        return mail_of(**{**common, **raw})
    simple = fields["Content"]["Simple"]
    body = simple["Body"]
    return mail_of(
        **common, subject=simple["Subject"]["Data"],
        text=body.get("Text", {}).get("Data", ""),
        html=body.get("Html", {}).get("Data", ""),
        headers={h["Name"]: h["Value"] for h in simple.get("Headers", [])},
        attachments=[attachment(f["FileName"], f.get("ContentType", ""),
                                content_of(f["RawContent"]),
                                f.get("ContentId", ""))
                     for f in simple.get("Attachments", [])])


def ses_raw(data, common):
    mail = parse_mime(data)

    def named(header):
        return [person(a.display_name, a.addr_spec)
                for a in (mail[header].addresses if mail[header] else ())]

    if named("from") != [common["from"]]:
        raise Wrong(f"From is {named('from')}, not FromEmailAddress")
    seen = [p["email"] for p in named("to") + named("cc")]
    for hidden in common["bcc"]:
        if hidden["email"] in seen:
            raise Wrong(f"the blind copy's {hidden['email']} is in the header")

    def text(kind):
        # Attached texts are no bodies.
        part = mail.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part else ""

    files = []
    for part in mail.walk():
        name = part.get_filename()
        if part.is_multipart() or not (name or part["content-id"]):
            continue
        files.append(attachment(name or "", part.get_content_type(),
                                part.get_payload(decode=True),
                                str(part["content-id"] or "").strip("<> ")))
    known = {"from", "to", "cc", "subject", "reply-to", "date", "message-id",
             "mime-version", "content-type", "content-transfer-encoding"}
    return {
        # The names are the header's; who gets it, Destination says.
        "to": merged(common["to"], named("to") + named("cc")),
        "cc": merged(common["cc"], named("to") + named("cc")),
        "reply_to": named("reply-to") or common["reply_to"],
        "subject": str(mail["subject"] or ""),
        "text": text("plain"), "html": text("html"),
        "headers": {n.lower(): str(v) for n, v in mail.items()
                    if n.lower() not in known},
        "attachments": files}


def merged(envelope, header):
    names = {p["email"]: p["name"] for p in header}
    return [person(p["name"] or names.get(p["email"]), p["email"])
            for p in envelope]


# --- Postmark ---------------------------------------------------------------

POSTMARK_REFUSED = re.compile(
    r"\.(vbs|exe|bin|bat|chm|com|cpl|crt|hlp|hta|inf|ins|isp|jse?|lnk|mdb|msi|"
    r"msc|pcd|pif|reg|scr|sct|shs|vb|vbe|wsf|wsh|wsl)$", re.I)


def postmark_rules(_, document):
    fields = document.fields
    total = sum(len(mailboxes(fields[role])) for role in ("To", "Cc", "Bcc")
                if fields.get(role))
    if total > 50:
        raise Wrong(f"{total} recipients")
    names = [name.lower() for name in fields.get("Metadata", {})]
    if len(set(names)) != len(names):
        raise Wrong("metadata whose names differ in case alone")
    for file in fields.get("Attachments", []):
        if POSTMARK_REFUSED.search(file["Name"]):
            raise Wrong(f"attachment type of '{file['Name']}'")


def postmark_mail(_, document):
    fields = document.fields

    def addresses(name):
        return mailboxes(fields[name]) if fields.get(name) else []

    return mail_of(
        **{"from": addresses("From")[0]}, to=addresses("To"),
        cc=addresses("Cc"), bcc=addresses("Bcc"),
        reply_to=addresses("ReplyTo"), subject=fields["Subject"],
        text=fields.get("TextBody", ""), html=fields.get("HtmlBody", ""),
        headers={h["Name"]: h["Value"] for h in fields.get("Headers", [])},
        tags=[fields["Tag"]] if fields.get("Tag") else [],
        metadata=dict(fields.get("Metadata", {})),
        attachments=[attachment(f["Name"], f["ContentType"],
                                content_of(f["Content"]),
                                f.get("ContentID", "").removeprefix("cid:"))
                     for f in fields.get("Attachments", [])])


# --- Resend -----------------------------------------------------------------


def resend_rules(request, document):
    if not 1 <= len(request.one("idempotency-key")) <= 256:
        raise Wrong("Idempotency-Key is not 1 to 256 characters")
    for file in document.fields.get("attachments", []):
        if document.fields.get("scheduled_at"):
            raise Wrong("scheduled, with attachments")
        check_extension(file)


def check_extension(file):
    """A file whose name and type do not agree makes the mail vanish."""
    known = {".pdf": "application/pdf", ".png": "image/png",
             ".txt": "text/plain", ".html": "text/html", ".csv": "text/csv",
             ".jpg": "image/jpeg", ".gif": "image/gif"}
    wanted = known.get(pathlib.PurePath(file["filename"]).suffix.lower())
    got = file.get("content_type", "").split(";")[0]
    if wanted and got and wanted != got:
        raise Wrong(f"'{file['filename']}' is declared as '{got}'")


def resend_mail(request, document):
    fields = document.fields
    plain, named = tagged([(t["name"], t["value"])
                           for t in fields.get("tags", [])])

    def addresses(name):
        return all_mailboxes(fields[name]) if fields.get(name) else []

    return mail_of(
        **{"from": addresses("from")[0]}, to=addresses("to"),
        cc=addresses("cc"), bcc=addresses("bcc"),
        reply_to=addresses("reply_to"), subject=fields["subject"],
        text=fields.get("text", ""), html=fields.get("html", ""),
        headers=fields.get("headers", {}), tags=plain, metadata=named,
        idempotency_key=request.header("idempotency-key"),
        attachments=[attachment(f["filename"], f.get("content_type", ""),
                                content_of(f["content"]),
                                f.get("content_id", ""))
                     for f in fields.get("attachments", [])])


# --- Brevo ------------------------------------------------------------------

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def brevo_rules(_, document):
    headers = document.fields.get("headers", {})
    if not re.fullmatch(UUID, headers.get("idempotencyKey", ""), re.I):
        raise Wrong("headers.idempotencyKey is no UUID")
    total = len(everybody(document.fields, "to", "cc", "bcc"))
    if total > 2000:
        raise Wrong(f"{total} recipients")


def brevo_mail(_, document):
    fields = document.fields
    headers = dict(fields.get("headers", {}))
    key = headers.pop("idempotencyKey", "")
    metadata = {}
    for name in list(headers):
        if name.lower() == "x-mailin-custom":
            metadata = strict_json(headers.pop(name).encode())
    return mail_of(
        **{"from": from_object(fields["sender"])},
        **{role: [from_object(e) for e in fields.get(role, [])]
           for role in ("to", "cc", "bcc")},
        reply_to=[from_object(fields["replyTo"])] if "replyTo" in fields else [],
        subject=fields["subject"], text=fields.get("textContent", ""),
        html=fields.get("htmlContent", ""), headers=headers,
        tags=fields.get("tags", []), metadata=metadata, idempotency_key=key,
        attachments=[attachment(f["name"], "", content_of(f["content"]))
                     for f in fields.get("attachment", [])])


# Provider: (its rules beyond the schema, how its mail is read).
FINISHED_READERS = {
    "mailgun": ((mailgun_finished_rules, mailgun_rules), mailgun_finished_mail),
    "mandrill": ((mandrill_finished_rules,), mandrill_finished_mail),
}

READERS = {
    "sendgrid": ((sendgrid_rules,), sendgrid_mail),
    "mailgun": ((mailgun_rules,), mailgun_mail),
    "mandrill": ((mandrill_rules,), mandrill_mail),
    "ses": ((ses_rules,), ses_mail),
    "postmark": ((postmark_rules,), postmark_mail),
    "resend": ((resend_rules,), resend_mail),
    "brevo": ((brevo_rules,), brevo_mail),
}
