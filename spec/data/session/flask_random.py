"""Random sessions for random.lua, and what Flask and itsdangerous make of cookies.

write SEED COUNT       a line a session: its cookie, and what it holds (below) in hex
read SEED COUNT        cookies of the same sessions come in; what is not the same goes out
ask                    lines of JSON come in: {"keys": [hex...], "now", "max_age"?, "token"}, or with
                       "value" in the token's place; "ok", "bad" or a token goes out for each

What a session holds is told without JSON, so that a mistake of both codecs cannot hide: a text in
which every value has its type and every text its length. Lua tells it the same way.
"""
import datetime
import json
import math
import random
import sys
import uuid

import itsdangerous
from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from markupsafe import Markup

NOW = 1700000000
UTC = datetime.timezone.utc
TAGS = [" t", " b", " m", " u", " d", " di", " t__", " ", "", "__", " x"]
TEXTS = ["plain", "a b", "é", "日本", "😀", "\"\\/", "\n\r\t\b\f", "\x00\x01\x1f", "\x7f\x80", "<&>'",
         "\u2028\ufeff\uffff", "\U0010ffff"]


def text_of(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choice(TEXTS) for _ in range(rng.randrange(5)))
    if kind == 1:
        return rng.choice("ab01") * rng.randrange(60)
    if kind == 2:
        return "".join(chr(rng.randrange(0x20, 0x7F)) for _ in range(rng.randrange(40)))
    return "".join(chr(rng.choice([rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)]))
                   for _ in range(rng.randrange(8)))


def number_of(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randrange(-10, 100)
    if kind == 1:
        return rng.choice([-1, 1]) * rng.randrange(2 ** rng.randrange(1, 54))
    if kind == 2:
        return rng.choice([2 ** 53, -(2 ** 53), 2 ** 53 - 1, 0, 10 ** 15])
    if kind == 3:
        return rng.uniform(-1000, 1000)
    return rng.choice([-1, 1]) * rng.random() * 10.0 ** rng.randrange(-300, 300)


def date_of(rng):
    zone = rng.choice([UTC, None, datetime.timezone(datetime.timedelta(minutes=rng.randrange(-720, 720)))])
    first = datetime.datetime(1000, 1, 2)
    return (first + datetime.timedelta(days=rng.randrange(3285000), seconds=rng.randrange(86400),
                                       microseconds=rng.choice([0, 250000]))).replace(tzinfo=zone)


def value_of(rng, depth):
    kind = rng.randrange(9 if depth > 4 else 14)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind <= 3:
        return number_of(rng)
    if kind == 4:
        return text_of(rng)
    if kind == 5:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(20)))
    if kind == 6:
        return Markup(text_of(rng))
    if kind == 7:
        return uuid.UUID(int=rng.getrandbits(128))
    if kind == 8:
        return date_of(rng)
    if kind <= 10:
        return [value_of(rng, depth + 1) for _ in range(rng.choice([0, 1, 2, 3, 20]))]
    if kind == 11:
        return tuple(value_of(rng, depth + 1) for _ in range(rng.randrange(4)))
    if kind == 12: # as long as deflating begins to pay
        return [rng.choice([0, 1, "a"])] * rng.randrange(20)
    return dict_of(rng, depth + 1)


def dict_of(rng, depth):
    made = {}
    for _ in range(rng.choice([0, 1, 1, 2, 3, 40])):
        key = rng.choice(TAGS) if rng.random() < 0.3 else text_of(rng)
        made[key] = value_of(rng, depth)
    return made


def told(value):
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, (int, float)):
        part, exponent = math.frexp(value) # 1.0 and 1 are one number in Lua
        return b"#%d,%d;" % (part * 2 ** 53, exponent)
    if isinstance(value, (str, bytes)):
        kind = "m" if isinstance(value, Markup) else "b" if isinstance(value, bytes) else "s"
        raw = value if isinstance(value, bytes) else value.encode()
        return b"%s%d:%s" % (kind.encode(), len(raw), raw)
    if isinstance(value, uuid.UUID):
        return b"u" + str(value).encode()
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return b"d%d;" % int(value.replace(microsecond=0).timestamp())
    if isinstance(value, (list, tuple)):
        inside = b"".join(told(item) for item in value)
        return b"[%s]" % inside if isinstance(value, list) else b"(%s)" % inside
    pairs = sorted((key.encode(), item) for key, item in value.items())
    return b"{%s}" % b"".join(b"%d:%s%s" % (len(key), key, told(item)) for key, item in pairs)


def difference(found, expected):
    at = next((i for i, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]), 0)
    start = max(at - 40, 0)
    return "%r, where %r belongs" % (found[start:at + 40], expected[start:at + 40])


def sessions(seed, count):
    rng = random.Random(int(seed))
    for _ in range(int(count)):
        yield dict_of(rng, 0)


def at(now):
    itsdangerous.TimestampSigner.get_timestamp = lambda self: now


def of_app():
    app = Flask("spec")
    app.secret_key = "dev-secret"
    return SecureCookieSessionInterface().get_signing_serializer(app)


def of_keys(keys):
    interface = SecureCookieSessionInterface
    return itsdangerous.URLSafeTimedSerializer(
        [bytes.fromhex(key) for key in keys], salt=interface.salt,
        serializer=TaggedJSONSerializer(), signer_kwargs={
            "key_derivation": interface.key_derivation, "digest_method": interface.digest_method})


def write(seed, count):
    serializer = of_app()
    for session in sessions(seed, count):
        print(serializer.dumps(session), told(session).hex())


def read(seed, count):
    serializer = of_app()
    for i, (session, line) in enumerate(zip(sessions(seed, count), sys.stdin, strict=True)):
        try:
            found = told(serializer.loads(line.rstrip("\n"), max_age=60))
        except Exception as error: # whatever it is: the spec tells it
            found = repr(error).encode()
        if found != told(session):
            print("session %d: %s" % (i, difference(found, told(session))))


def ask():
    for line in sys.stdin:
        job = json.loads(line)
        at(job["now"])
        serializer = of_keys(job["keys"])
        if "value" in job:
            print(serializer.dumps(job["value"]))
            continue
        try:
            serializer.loads(job["token"], max_age=job.get("max_age"))
            print("ok")
        except itsdangerous.BadSignature:
            print("bad")


at(NOW)
{"write": write, "read": read, "ask": ask}[sys.argv[1]](*sys.argv[2:])
