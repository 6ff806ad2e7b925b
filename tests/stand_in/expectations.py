"""What pony makes of each behaviour of the stand-in: the table of outcomes.

The outcomes are those of pony-spool(5). Where two are named, what the client
can know depends on which packet came first, and both are true to the rule: it
may have been taken, or it certainly was not.
"""

import dataclasses


@dataclasses.dataclass
class Expected:
    outcomes: tuple  # of each attempt, one of these
    rest: int | None = None  # seconds that the provider is left alone
    id: bool = False  # the event carries the id that the provider gave
    # For each attempt; None: one for each that is accepted, else 0 or 1.
    requests: int | None = 1
    # How the behaviour is asked for, and with what.
    host: str = ""  # by the first label of the host
    server: str = ""  # at another stand-in: closing, refused, tls, untrusted
    timeout: str = "10s"
    big: bool = False  # a body that does not fit into one packet
    times: int = 1  # messages, one after the other
    to: tuple = ()  # more recipients
    # Outcome by the beginning of a recipient's address, where they differ.
    recipients: dict | None = None
    again: tuple = ()  # outcomes of the attempt that follows (second provider)


def accepted(**more):
    return Expected(("accepted",), **{"id": True, **more})


def rejected(**more):
    return Expected(("rejected",), **more)


def unavailable(**more):
    return Expected(("unavailable",), **more)


def throttled(**more):
    return Expected(("throttled",), **more)


def unknown(**more):
    return Expected(("unknown",), **more)


def unsure(**more):
    return Expected(("unknown", "unavailable"), **more)


HOUR = 3600

# --- All providers ------------------------------------------------------------

EVERYWHERE = {
    "success": accepted(),
    "1xx-before": accepted(),
    # A JSON member that is there twice is not read; a header is.
    "twice-id": accepted(id=False),
    # What was sent into a connection that was closed meanwhile: in doubt, too.
    "keep-alive-dropped": Expected(("accepted", "unknown"), times=4,
                                   requests=None),
    # Never a silent second copy: what the connection took with it is unknown.
    "close-on-reuse": Expected(("accepted", "unknown"), times=4),

    # Throttled, and for how long.
    "429": throttled(),
    "429-empty": throttled(),
    "429-after-30": throttled(rest=30),
    "429-date": throttled(rest=60),
    "429-reset": throttled(),

    # It cannot now. What is not understood is never `rejected`.
    "408": unavailable(),
    "413": unavailable(),
    "500": unavailable(),
    "500-empty": unavailable(),
    "502-html": unavailable(),
    "503": unavailable(),
    "503-after-30": unavailable(rest=30),
    "400-html": unavailable(),
    "400-deep": unavailable(),
    "400-types": unavailable(),
    "404-html": unavailable(),
    "301": unavailable(),
    "307": unavailable(),
    "redirect-file": unavailable(),
    "nul": unavailable(),
    "bad-utf8": unavailable(),
    "secret": unavailable(),
    "early-413": unavailable(host="early-413", big=True),
    "early-413-reset": unsure(host="early-413-reset", big=True),

    # A 2xx says accepted, whatever else is wrong with it.
    "200-html": accepted(id=False),
    "200-types": accepted(id=False),
    "200-cut-body": accepted(id=False),
    "endless-body": accepted(id=False, timeout="1s"),

    # It may have been taken.
    "504": unknown(),
    "504-json": unknown(),
    "silent": unknown(timeout="1s"),
    "drip": unknown(timeout="1s"),
    "endless-headers": unknown(timeout="1s"),
    "cut-status-line": unknown(),
    "cut-headers": unknown(),
    "garbage": unknown(),
    "close-after-body": unknown(),
    "reset-after-body": unknown(),
    "close-before-body": unsure(host="close-before-body"),
    "close-in-body": unsure(host="close-in-body", big=True),

    # Connections that never become a request.
    "close-on-accept": unsure(server="closing", requests=0),
    "refused": unavailable(server="refused", requests=0),
    "tls": accepted(server="tls"),
    "tls-untrusted": unavailable(server="untrusted", requests=0),
}

# --- Each provider: its own errors, and where it differs -------------------------

PROVIDERS = {
    "sendgrid": {
        "429-reset": throttled(rest=45),
        "400-recipient": rejected(),
        "400-content": rejected(),
        "401-key": unavailable(),
        "401-credits": unavailable(rest=HOUR),
        "403-sender": unavailable(),
        "403-forbidden": unavailable(),
        "404-route": unavailable(),
        "405-method": unavailable(),
        "406-accept": unavailable(),
        "415-type": unavailable(),
        "sandbox": accepted(id=False),
    },
    "mailgun": {
        "400-to": rejected(),
        "400-text": rejected(),
        "401-forbidden": unavailable(),
        "402-payment": unavailable(),
        "403-unverified": unavailable(),
        "403-disabled": unavailable(),
        "404-domain": unavailable(),
        "404-text": unavailable(),
        "429-try-again": throttled(rest=120),
        "200-no-id": accepted(id=False),
    },
    "mandrill": {
        # Its statuses are not dependable: the name decides.
        "504-json": unsure(),
        "Invalid_Key": unavailable(),
        "Invalid_Key-401": unavailable(),
        "PaymentRequired": unavailable(),
        "ServiceUnavailable": unavailable(),
        "GeneralError": unavailable(),
        "PoorReputation": unavailable(),
        "Unknown_Subaccount": unavailable(),
        "ValidationError": rejected(),
        "ValidationError-422": rejected(),
        "RequestLimitExceeded": throttled(),
        "RequestLimitExceeded-500": throttled(),
        "403-empty": Expected(("throttled", "unavailable")),
        # Each recipient has a line of its own, which may say "rejected".
        "no-results": unknown(),
        "200-types": unknown(),
        "endless-body": unknown(timeout="1s"),
        "scheduled": accepted(),
        "queued-attachments": accepted(),
        "queued-multiple-recipients": accepted(),
        "queued-sending-backlogged": accepted(),
        "queued-hourly-quota-exhausted": accepted(),
        # Taken, but held: it may go out when the account is mended.
        "queued-free-trial-sends-exhausted": unknown(),
        "queued-monthly-limit-reached": unknown(),
        "queued-sending-paused": unknown(),
        "queued-sending-suspended": unknown(),
        "queued-account-suspended": unknown(),
        "invalid": rejected(),
        "rejected-hard-bounce": rejected(),
        "rejected-soft-bounce": rejected(),
        "rejected-spam": rejected(),
        "rejected-unsub": rejected(),
        "rejected-custom": rejected(),
        "rejected-rule": rejected(),
        # The set-up of this provider.
        "rejected-unsigned": unavailable(),
        "rejected-invalid-sender": unavailable(),
        "rejected-test-mode-limit": unavailable(),
        "partial": accepted(to=("bad-1@example.com", "ann@example.com"),
                            recipients={"partial": "accepted",
                                        "ann": "accepted",
                                        "bad": "rejected"}),
    },
    "ses": {
        "BadRequestException": rejected(),
        "BadRequestException-suffix": rejected(),
        "ValidationError": rejected(),
        "MessageRejected-content": rejected(),
        "MessageRejected-unverified": unavailable(),
        # Faults of the account that come as 400.
        "AccountSuspendedException": unavailable(),
        "AccountSuspendedException-body": unavailable(),
        "SendingPausedException": unavailable(),
        "MailFromDomainNotVerifiedException": unavailable(),
        "LimitExceededException": unavailable(),
        "NotFoundException": unavailable(),
        "TooManyRequestsException": throttled(),
        "ThrottlingException": throttled(),
        "TooManyRequestsException-daily": unavailable(rest=HOUR),
        "ThrottlingException-daily": unavailable(rest=HOUR),
        "UnrecognizedClientException": unavailable(),
        "InvalidSignatureException": unavailable(),
        "SignatureDoesNotMatch": unavailable(),
        "IncompleteSignature": unavailable(),
        "ExpiredTokenException": unavailable(),
        "AccessDeniedException": unavailable(),
        "OptInRequired": unavailable(),
        "NotAuthorized": unavailable(),
        "RequestEntityTooLargeException": unavailable(),
        "RequestTimeoutException": unavailable(),
        "InternalFailure": unavailable(),
        "ServiceUnavailable": unavailable(),
    },
    "postmark": {
        "300-request": rejected(),
        "402-json": rejected(),
        "403-field": rejected(),
        "409-json": rejected(),
        "411-attachment": rejected(),
        # Nobody got it: those who can are sent to again, by the next.
        "406": unavailable(to=("inactive-1@example.com", "ann@example.com"),
                           recipients={"406": "unavailable",
                                       "ann": "unavailable",
                                       "inactive": "rejected"},
                           again=("accepted",)),
        "partial": accepted(to=("inactive-1@example.com", "ann@example.com"),
                            recipients={"partial": "accepted",
                                        "ann": "accepted",
                                        "inactive": "rejected"}),
        # ErrorCodes that look like a status, and are faults of the account.
        "400-signature": unavailable(),
        "401-sender": unavailable(),
        "405-credits": unavailable(rest=HOUR),
        "412-pending": unavailable(),
        "413-account": unavailable(),
        "100-maintenance": unavailable(),
        "100-maintenance-503": unavailable(),
        "10-token": unavailable(),
        "test-token": accepted(),
    },
    "resend": {
        "429-reset": throttled(rest=45),
        "400-validation_error": rejected(),
        "422-validation_error": rejected(),
        "422-missing_required_field": rejected(),
        "422-invalid_attachment": rejected(),
        "401-missing_api_key": unavailable(),
        "401-restricted_api_key": unavailable(),
        "403-invalid_api_key": unavailable(),
        "403-validation_error": unavailable(),
        "403-1010": unavailable(),
        "429-daily_quota_exceeded": unavailable(rest=HOUR),
        "429-monthly_quota_exceeded": unavailable(rest=HOUR),
        "429-rate_limit_exceeded": throttled(rest=20),
        # A request with this key came before.
        "409-invalid_idempotent_request": unknown(),
        "409-concurrent_idempotent_requests": unknown(),
        "500-internal_server_error": unavailable(),
    },
    "brevo": {
        "429-reset": throttled(rest=45),
        "400-invalid_parameter": rejected(),
        "400-missing_parameter": rejected(),
        "401-unauthorized": unavailable(),
        "402-not_enough_credits": unavailable(rest=HOUR),
        "400-not_enough_credits": unavailable(rest=HOUR),
        "403-permission_denied": unavailable(),
        "403-account_under_validation": unavailable(),
    },
}


def expected_of(provider):
    return {**EVERYWHERE, **PROVIDERS[provider]}


# --- What each can carry of a full message -----------------------------------------

# Of the trimmings: arrives whole ("all"), arrives in part or changed and is
# named in `reduced` ("reduced"), or either ("may", a matter of taste). What is
# not named here must arrive whole.
CARRIES = {
    "sendgrid": {"filenames": "reduced"},
    "mailgun": {},
    "mandrill": {"filenames": "may"},
    "ses": {},
    "postmark": {"tags": "reduced"},
    "resend": {"filenames": "may", "names": "may"},
    "brevo": {"filenames": "may", "names": "may", "inline": "skipped"},
}

# Those that take a finished message's bytes; the others get it in parts.
FINISHED = ("mailgun", "mandrill", "ses")

# `pony provider check`: does the provider work, when its key is right, wrong,
# or may send but not ask? None: Mailgun answers a wrong key and one that may
# only send alike.
CHECKS = {
    "check": dict.fromkeys(PROVIDERS, True),
    "check-refused": dict.fromkeys(PROVIDERS, False) | {"mailgun": None},
    "check-limited": dict.fromkeys(PROVIDERS, True) | {
        "sendgrid": False, "mailgun": None},
}
