"""What Python's two loose decoders make of each line of hex: "xBYTES" or "error", for
spec/crypto/base64_spec.lua."""

import base64
import sys

from itsdangerous import encoding


def answer(decode, text):
    try:
        return "x" + decode(text).hex()
    except Exception:
        return "error"


for line in sys.stdin:
    text = bytes.fromhex(line.strip())
    print(answer(base64.b64decode, text), answer(encoding.base64_decode, text))
