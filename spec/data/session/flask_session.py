"""Flask's own session code, a line a question: load COOKIE, or dump JSON. Answers JSON or a cookie."""
import datetime
import json
import sys
import uuid

from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from markupsafe import Markup

app = Flask("spec")
app.secret_key = "dev-secret"
signer = SecureCookieSessionInterface().get_signing_serializer(app)
SPECIAL = {
    "t": (1, ("two",)),
    "b": b"\x00\xff hi",
    "m": Markup("<b>&</b>"),
    "u": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "d": datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc),
    "e": {" t": [1]},
}

for line in sys.stdin:
    word, _, rest = line.rstrip("\n").partition(" ")
    if word == "load":
        try:
            print(json.dumps(signer.loads(rest, max_age=60)))
        except BadSignature:
            print("bad")
    elif word == "dump":
        print(signer.dumps(json.loads(rest)))
    elif word == "special":
        print(signer.dumps(SPECIAL))
    elif word == "is_special":
        print("yes" if signer.loads(rest, max_age=60) == SPECIAL else "no")
    sys.stdout.flush()
