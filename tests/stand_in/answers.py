"""What the providers answer: success, every error they document, their checks.

Pure: a function of what was asked. Each named answer is a function of an
Asked and gives an Answer. The names can be the local part of an address, so
that a test chooses an answer by the recipient of its message.
"""

import dataclasses
import hashlib
import json
import uuid


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: list = dataclasses.field(default_factory=list)
    id: str = ""  # the provider's id for the mail, if it gave one


@dataclasses.dataclass
class Asked:
    """What an answer may depend on."""

    provider: str
    number: int  # of the request, for ids
    mail: dict | None
    key: str  # the secret, for those who would tell it
    domain: str

    def recipients(self):
        return [p["email"] for role in ("to", "cc", "bcc")
                for p in self.mail[role]] if self.mail else []


def as_json(status, value, headers=(), id=""):
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body,
                  [("Content-Type", "application/json; charset=utf-8"),
                   *headers], id)


def as_text(status, text, headers=(), kind="text/plain"):
    return Answer(status, text.encode(),
                  [("Content-Type", f"{kind}; charset=utf-8"), *headers])


def html(status, words):
    return as_text(status, f"<html><head><title>{status} {words}</title></head>"
                   f"<body><center><h1>{status} {words}</h1></center><hr>"
                   "<center>front</center></body></html>\n", kind="text/html")


def uuid_of(asked):
    digest = hashlib.md5(f"{asked.provider}{asked.number}".encode()).hexdigest()
    return str(uuid.UUID(digest))


# --- Success ----------------------------------------------------------------


def success(asked):
    return SUCCESS[asked.provider](asked)


def sendgrid_success(asked):
    id = f"sg-{asked.number:06}-abc"
    return Answer(202, b"", [("X-Message-Id", id)], id)


def mailgun_success(asked):
    id = f"<20261121100000.{asked.number:06}@{asked.domain}>"
    return as_json(200, {"id": id, "message": "Queued. Thank you."}, id=id)


def mandrill_success(asked):
    return mandrill_results(asked, lambda email: {"status": "sent"})


def mandrill_results(asked, result_of):
    """One result a recipient, in an order of its own: nobody promised one."""
    results = []
    for number, address in enumerate(asked.recipients()):
        result = {"email": address, "status": "sent", "reject_reason": None,
                  "queued_reason": None,
                  "_id": hashlib.md5(f"{asked.number}-{number}".encode())
                  .hexdigest(), **result_of(address)}
        results.append(result)
    id = results[0]["_id"] if results else ""
    return as_json(200, results[::-1], id=id)


def ses_success(asked):
    id = f"0100019a-{asked.number:06}-000000"
    return as_json(200, {"MessageId": id},
                   [("x-amzn-RequestId", uuid_of(asked))], id)


def postmark_success(asked, message="OK"):
    id = uuid_of(asked)
    return as_json(200, {"To": ", ".join(asked.recipients()),
                         "SubmittedAt": "2026-11-21T10:00:00.0000000Z",
                         "MessageID": id, "ErrorCode": 0,
                         "Message": message}, id=id)


def resend_success(asked):
    id = uuid_of(asked)
    return as_json(200, {"id": id}, id=id)


def brevo_success(asked):
    id = f"<20261121.{asked.number:06}@smtp-relay.mailin.fr>"
    return as_json(201, {"messageId": id}, id=id)


SUCCESS = {name.removesuffix("_success"): made
           for name, made in list(globals().items())
           if name.endswith("_success")}


# --- Errors in each provider's own form --------------------------------------


def error(asked, status, words, headers=()):
    """An error of this provider with these words, of no particular kind."""
    form = {
        "sendgrid": {"errors": [{"message": words, "field": None,
                                 "help": None}]},
        "mailgun": {"message": words},
        "mandrill": {"status": "error", "code": -99, "name": "GeneralError",
                     "message": words},
        "ses": {"message": words},
        "postmark": {"ErrorCode": 10 if status == 401 else 1,
                     "Message": words},
        "resend": {"statusCode": status, "name": "some_error",
                   "message": words},
        "brevo": {"code": "unknown", "message": words},
    }[asked.provider]
    if asked.provider == "mandrill" and status == 429:
        form["name"] = "RequestLimitExceeded"
    if asked.provider == "resend" and status == 429:
        form["name"] = "rate_limit_exceeded"
    if asked.provider == "ses":
        kind = {429: "TooManyRequestsException", 503: "ServiceUnavailable",
                413: "RequestEntityTooLargeException",
                408: "RequestTimeoutException", 500: "InternalFailure",
                401: "NotAuthorized"}.get(status)
        headers = [("x-amzn-ErrorType", kind), *headers] if kind else headers
    return as_json(status, form, headers)


def sendgrid_error(status, words, field=None):
    return lambda asked: as_json(
        status, {"errors": [{"message": words, "field": field, "help": None}],
                 "id": uuid_of(asked)})


def json_error(status, headers=(), /, **members):
    return lambda asked: as_json(status, members, headers)


def mandrill_error(name, status=500, code=-1, words="it is so"):
    return json_error(status, status="error", code=code, name=name,
                      message=words)


def mandrill_all(**result):
    return lambda asked: mandrill_results(asked, lambda email: result)


def mandrill_partial(asked):
    return mandrill_results(asked, lambda email: {
        "status": "rejected", "reject_reason": "hard-bounce"}
        if email.startswith("bad") else {})


def ses_error(status, kind, words, where="header"):
    def made(asked):
        request_id = ("x-amzn-RequestId", uuid_of(asked))
        if where == "body":
            return as_json(status, {"__type": kind, "message": words},
                           [request_id])
        return as_json(status, {"Message" if where == "capital" else "message":
                                words},
                       [request_id, ("x-amzn-ErrorType", kind)])
    return made


def postmark_error(code, words, status=422):
    return json_error(status, ErrorCode=code, Message=words)


def inactive(asked):
    return [e for e in asked.recipients() if e.startswith("inactive")]


def postmark_406(asked):
    """All refused as long as one of them is inactive."""
    if not inactive(asked):
        return success(asked)
    return postmark_error(
        406, "You tried to send to recipient(s) that have been marked as "
        "inactive. Found inactive addresses: " + ", ".join(inactive(asked))
        + ". Inactive recipients are ones that have generated a hard bounce, "
        "a spam complaint, or a manual suppression.")(asked)


def postmark_partial(asked):
    if not inactive(asked):
        return success(asked)
    return postmark_success(
        asked, "Message OK, but will not deliver to these inactive addresses: "
        + ", ".join(inactive(asked))
        + ". Inactive recipients are ones that have generated a hard bounce.")


def resend_error(status, name, words="it is so", headers=()):
    return json_error(status, headers, statusCode=status, name=name,
                      message=words)


def brevo_error(status, code, words="it is so"):
    return json_error(status, code=code, message=words)


ERRORS = {
    "sendgrid": {
        "400-recipient": sendgrid_error(
            400, "Does not contain a valid address.",
            "personalizations.0.to.0.email"),
        "400-content": sendgrid_error(
            400, "The content value must be a string.", "content.0.value"),
        "401-key": sendgrid_error(
            401, "The provided authorization grant is invalid, expired, or "
            "revoked"),
        "401-credits": sendgrid_error(401, "Maximum credits exceeded"),
        "403-sender": sendgrid_error(
            403, "The from address does not match a verified Sender Identity. "
            "Mail cannot be sent until this error is resolved.", "from"),
        "403-forbidden": sendgrid_error(403, "access forbidden"),
        "404-route": sendgrid_error(404, "not found"),
        "405-method": sendgrid_error(405, "method not allowed"),
        "406-accept": sendgrid_error(406, "not acceptable"),
        "415-type": sendgrid_error(415, "unsupported content type"),
        "sandbox": lambda asked: Answer(200),
    },
    "mailgun": {
        "400-to": json_error(
            400, message="'to' parameter is not a valid address. please check "
            "documentation"),
        "400-text": json_error(
            400, message="Need at least one of 'text', 'html', 'amp-html' or "
            "'template' parameters specified"),
        "401-forbidden": lambda asked: as_text(401, "Forbidden"),
        "402-payment": json_error(402, message="payment required"),
        "403-unverified": lambda asked: as_json(403, {
            "message": f"Domain {asked.domain} is not allowed to send: the "
            "domain is unverified and requires DNS configuration"}),
        "403-disabled": lambda asked: as_json(403, {
            "message": f"Domain {asked.domain} is not allowed to send: "
            "account disabled"}),
        "404-domain": lambda asked: as_json(404, {
            "message": f"Domain not found: {asked.domain}"}),
        "404-text": lambda asked: as_text(404, "Not Found"),
        "429-try-again": lambda asked: as_json(429, {
            "message": f"Domain {asked.domain} is not allowed to send: "
            "request limit exceeded, try again after 120 seconds"}),
        "200-no-id": json_error(200, message="Queued. Thank you."),
    },
    "mandrill": {
        "Invalid_Key": mandrill_error("Invalid_Key", words="Invalid API key"),
        "Invalid_Key-401": mandrill_error("Invalid_Key", 401,
                                          words="Invalid API key"),
        "PaymentRequired": mandrill_error("PaymentRequired", 402, -11),
        "ServiceUnavailable": mandrill_error("ServiceUnavailable", 500, -9),
        "GeneralError": mandrill_error("GeneralError", 500, -99),
        "PoorReputation": mandrill_error("PoorReputation", 500, -12),
        "Unknown_Subaccount": mandrill_error("Unknown_Subaccount", 404, 12),
        "ValidationError": mandrill_error("ValidationError", 500, -2),
        "ValidationError-422": mandrill_error("ValidationError", 422, -2),
        "RequestLimitExceeded": mandrill_error("RequestLimitExceeded", 429),
        "RequestLimitExceeded-500": mandrill_error("RequestLimitExceeded"),
        "403-empty": lambda asked: Answer(403),
        "partial": mandrill_partial,
        "invalid": mandrill_all(status="invalid"),
        "scheduled": mandrill_all(status="scheduled"),
        "no-results": lambda asked: as_json(200, []),
        **{f"rejected-{reason}": mandrill_all(status="rejected",
                                              reject_reason=reason)
           for reason in ("hard-bounce", "soft-bounce", "spam", "unsub",
                          "custom", "rule", "unsigned", "invalid-sender",
                          "test-mode-limit")},
        **{f"queued-{reason}": mandrill_all(status="queued",
                                            queued_reason=reason)
           for reason in ("attachments", "multiple-recipients",
                          "sending-backlogged", "hourly-quota-exhausted",
                          "free-trial-sends-exhausted",
                          "monthly-limit-reached", "sending-paused",
                          "sending-suspended", "account-suspended")},
    },
    "ses": {
        "BadRequestException": ses_error(
            400, "BadRequestException", "Illegal address"),
        "BadRequestException-suffix": ses_error(
            400, "BadRequestException:http://internal.amazon.example/coral/",
            "Illegal address"),
        "ValidationError": ses_error(
            400, "ValidationError", "1 validation error detected"),
        "MessageRejected-unverified": ses_error(
            400, "MessageRejected", "Email address is not verified. The "
            "following identities failed the check in region EU-WEST-1: "
            "team@widgets.example"),
        "MessageRejected-content": ses_error(
            400, "MessageRejected", "Transaction failed: the content was "
            "judged harmful"),
        "AccountSuspendedException": ses_error(
            400, "AccountSuspendedException", "The account is suspended."),
        "AccountSuspendedException-body": ses_error(
            400, "com.amazonaws.sesv2#AccountSuspendedException",
            "The account is suspended.", "body"),
        "SendingPausedException": ses_error(
            400, "SendingPausedException", "Sending is paused.", "capital"),
        "MailFromDomainNotVerifiedException": ses_error(
            400, "MailFromDomainNotVerifiedException", "The MAIL FROM domain "
            "is not verified."),
        "LimitExceededException": ses_error(
            400, "LimitExceededException", "There are too many."),
        "NotFoundException": ses_error(
            404, "NotFoundException", "Configuration set is not there."),
        "TooManyRequestsException": ses_error(
            429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        "ThrottlingException": ses_error(
            400, "ThrottlingException", "Maximum sending rate exceeded."),
        "TooManyRequestsException-daily": ses_error(
            429, "TooManyRequestsException", "Daily message quota exceeded."),
        "ThrottlingException-daily": ses_error(
            400, "ThrottlingException", "Daily message quota exceeded."),
        **{kind: ses_error(status, kind, words) for kind, status, words in (
            ("UnrecognizedClientException", 403, "The token is invalid."),
            ("InvalidSignatureException", 403, "The signature does not match."),
            ("SignatureDoesNotMatch", 403, "Signature expired: 20261121T100000Z"
             " is now earlier than 20261121T101000Z"),
            ("IncompleteSignature", 403, "Authorization header requires it."),
            ("ExpiredTokenException", 403, "The token is expired."),
            ("AccessDeniedException", 403, "User is not authorized."),
            ("OptInRequired", 403, "A subscription is needed."),
            ("NotAuthorized", 401, "Not authorized."),
            ("RequestEntityTooLargeException", 413, "Too large."),
            ("RequestTimeoutException", 408, "Timed out."),
            ("InternalFailure", 500, "Internal failure."),
            ("ServiceUnavailable", 503, "Unavailable."))},
    },
    "postmark": {
        "300-request": postmark_error(300, "Invalid 'To' address: 'x'."),
        "402-json": postmark_error(402, "Invalid JSON."),
        "403-field": postmark_error(403, "Invalid request field(s)."),
        "409-json": postmark_error(409, "JSON required."),
        "411-attachment": postmark_error(411, "The attachment type is refused."),
        "406": postmark_406,
        "partial": postmark_partial,
        "400-signature": postmark_error(
            400, "The 'From' address is not a Sender Signature."),
        "401-sender": postmark_error(401, "Sender signature not confirmed."),
        "405-credits": postmark_error(405, "Not allowed to send: out of "
                                      "credits."),
        "412-pending": postmark_error(412, "The account is pending approval."),
        "413-account": postmark_error(413, "The account may not send."),
        "100-maintenance": postmark_error(100, "Maintenance."),
        "100-maintenance-503": postmark_error(100, "Maintenance.", 503),
        "10-token": postmark_error(10, "Bad or missing server API token.", 401),
        "test-token": lambda asked: postmark_success(asked, "Test job accepted"),
    },
    "resend": {
        "400-validation_error": resend_error(400, "validation_error",
                                             "Invalid `to` field."),
        "422-validation_error": resend_error(422, "validation_error",
                                             "Invalid `to` field."),
        "422-missing_required_field": resend_error(
            422, "missing_required_field", "Missing `subject` field."),
        "422-invalid_attachment": resend_error(422, "invalid_attachment"),
        "401-missing_api_key": resend_error(401, "missing_api_key"),
        "401-restricted_api_key": resend_error(401, "restricted_api_key"),
        "403-invalid_api_key": resend_error(403, "invalid_api_key",
                                            "API key is invalid"),
        "403-validation_error": resend_error(
            403, "validation_error", "The widgets.example domain is not "
            "verified."),
        "403-1010": lambda asked: as_text(403, "error code: 1010"),
        "429-daily_quota_exceeded": resend_error(429, "daily_quota_exceeded"),
        "429-monthly_quota_exceeded": resend_error(429,
                                                   "monthly_quota_exceeded"),
        "429-rate_limit_exceeded": resend_error(
            429, "rate_limit_exceeded", "Too many requests",
            [("ratelimit-limit", "2"), ("ratelimit-remaining", "0"),
             ("ratelimit-reset", "20"), ("retry-after", "20")]),
        "409-invalid_idempotent_request": resend_error(
            409, "invalid_idempotent_request"),
        "409-concurrent_idempotent_requests": resend_error(
            409, "concurrent_idempotent_requests"),
        "500-internal_server_error": resend_error(500, "internal_server_error"),
    },
    "brevo": {
        "400-invalid_parameter": brevo_error(400, "invalid_parameter",
                                             "email is not valid in to"),
        "400-missing_parameter": brevo_error(400, "missing_parameter",
                                             "subject is missing"),
        "401-unauthorized": brevo_error(401, "unauthorized", "Key not found"),
        "402-not_enough_credits": brevo_error(402, "not_enough_credits"),
        "400-not_enough_credits": brevo_error(400, "not_enough_credits"),
        "403-permission_denied": brevo_error(403, "permission_denied"),
        "403-account_under_validation": brevo_error(
            403, "account_under_validation"),
    },
}


# --- Checks (ping) ------------------------------------------------------------


def check_answer(asked):
    return {
        "sendgrid": lambda: as_json(200, {"scopes": [
            "alerts.read", "mail.send", "sender_verification_eligible"]}),
        "mailgun": lambda: as_json(200, {"domain": {
            "name": asked.domain, "state": "active", "is_disabled": False}}),
        "mandrill": lambda: as_json(200, {"PING": "PONG!"}),
        "ses": lambda: as_json(200, {
            "SendingEnabled": True, "ProductionAccessEnabled": True,
            "EnforcementStatus": "HEALTHY", "SendQuota": {
                "Max24HourSend": 50000.0, "MaxSendRate": 14.0,
                "SentLast24Hours": 12.0}}),
        "postmark": lambda: as_json(200, {
            "ID": 1, "Name": "widgets", "DeliveryType": "Live",
            "ApiTokens": ["hidden"], "Color": "Green"}),
        "resend": lambda: as_json(200, {"object": "list", "data": [
            {"id": "d", "name": "widgets.example", "status": "verified"}]}),
        "brevo": lambda: as_json(200, {
            "email": "team@widgets.example", "plan": [
                {"type": "payAsYouGo", "credits": 100}]}),
    }[asked.provider]()


def check_refused(asked):
    """The key is wrong."""
    made = {
        "sendgrid": ERRORS["sendgrid"]["401-key"],
        "mailgun": ERRORS["mailgun"]["401-forbidden"],
        "mandrill": ERRORS["mandrill"]["Invalid_Key"],
        "ses": ERRORS["ses"]["UnrecognizedClientException"],
        "postmark": ERRORS["postmark"]["10-token"],
        "resend": resend_error(401, "missing_api_key"),
        "brevo": ERRORS["brevo"]["401-unauthorized"],
    }
    return made[asked.provider](asked)


def check_limited(asked):
    """The key may send, but not ask."""
    made = {
        "sendgrid": json_error(200, scopes=["mail.batch.read"]),
        "mailgun": ERRORS["mailgun"]["401-forbidden"],
        "ses": ERRORS["ses"]["AccessDeniedException"],
        "resend": ERRORS["resend"]["401-restricted_api_key"],
        "postmark": json_error(200, ID=1, Name="s", DeliveryType="Sandbox"),
    }
    return made.get(asked.provider, check_answer)(asked)
