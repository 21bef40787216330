"""A session loaded and saved by Python's itsdangerous as Flask does it: session_micro.py TEXT TIMES.

Prints CPU per load and save in us; TEXT is the session as JSON."""
import hashlib
import json
import sys
import time

from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer

values, times = json.loads(sys.argv[1]), int(sys.argv[2])
serializer = URLSafeTimedSerializer(
    "dev-secret", salt="cookie-session", serializer=TaggedJSONSerializer(),
    signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1})
cookie = serializer.dumps(values)
assert serializer.loads(cookie, max_age=60) == values
before = time.process_time()
for _ in range(times):
    serializer.dumps(serializer.loads(cookie, max_age=60))
print("RESULT python=%.3f" % ((time.process_time() - before) / times * 1e6))
