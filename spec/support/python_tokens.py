"""Python's itsdangerous for spec/qlua/signing_spec.lua: each line of input is a JSON object.

{"do": "sign", "class", "secret", "options", "value"} -> {"token"}
{"do": "read", "class", "secret", "options", "token", "max_age"?} -> {"value"} or {"error"}
"""

import hashlib
import json
import sys

import itsdangerous


def signer_of(job):
    options = dict(job.get("options") or {})
    if "digest_method" in options:
        options["digest_method"] = getattr(hashlib, options["digest_method"])
    cls = getattr(itsdangerous, job["class"])
    if "Serializer" in job["class"]:
        salt = {"salt": options.pop("salt")} if "salt" in options else {}
        return cls(job["secret"], signer_kwargs=options, **salt)
    return cls(job["secret"], **options)


def answer(job):
    signer = signer_of(job)
    is_serializer = "Serializer" in job["class"]
    if job["do"] == "sign":
        token = signer.dumps(job["value"]) if is_serializer else signer.sign(job["value"])
        return {"token": token if isinstance(token, str) else token.decode()}
    options = {"max_age": job["max_age"]} if "max_age" in job else {}
    try:
        if is_serializer:
            return {"value": signer.loads(job["token"], **options)}
        return {"value": signer.unsign(job["token"], **options).decode()}
    except itsdangerous.BadData as error:
        return {"error": type(error).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
