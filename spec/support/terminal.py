"""A program on a terminal of its own: python3 terminal.py COLUMNS STEPS PROGRAM [ARGUMENT ...]

STEPS is a file with a JSON list of ["expect", text], ["send", keys] and ["signal", number]. What is
expected is looked for behind what was expected last. Prints JSON: all that the terminal got, and
how the program ended (null: it was still there after the last step and some seconds).
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

SECONDS = 20


def start(columns, argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return pid, fd


def read(fd, until):
    """What comes by then, b"" when nothing does or it is over."""
    ready, _, _ = select.select([fd], [], [], max(until - time.time(), 0))
    try:
        return os.read(fd, 65536) if ready else b""
    except OSError:  # Linux' way to say that the other side is gone
        return b""


def main():
    columns, steps, argv = int(sys.argv[1]), json.load(open(sys.argv[2])), sys.argv[3:]
    pid, fd = start(columns, argv)
    text, at, problem = b"", 0, None
    for what, value in steps:
        if what == "send":
            os.write(fd, value.encode())
        elif what == "signal":
            os.kill(pid, value)
        else:
            until, wanted = time.time() + SECONDS, value.encode()
            while text.find(wanted, at) < 0:
                piece = read(fd, until)
                text += piece
                if not piece:
                    problem = "did not come: " + value
                    break
            if problem:
                break
            at = text.find(wanted, at) + len(wanted)
    until, code = time.time() + (0 if problem else SECONDS), None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.time() > until:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            break
        text += read(fd, min(until, time.time() + 0.02))
    for _ in range(50):
        piece = read(fd, time.time())
        if not piece:
            break
        text += piece
    out = {"text": text.decode(errors="replace"), "code": code, "problem": problem}
    sys.stdout.write(json.dumps(out))


main()
