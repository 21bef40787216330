"""A client that speaks TLS as specs want it: byte by byte, half a handshake, slowly, resuming.

Usage: tls_client.py CASE PORT CERTIFICATE [ARGUMENT ...]. Prints what it found, one line a finding;
whoever calls it says what that should be. Python's own ssl module is on the other side of qlua's
OpenSSL: with memory BIOs it decides itself when which byte goes out.
"""
import hashlib
import os
import random
import select
import socket
import ssl
import sys
import threading
import time

CASE, PORT, CERTIFICATE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ARGUMENTS = sys.argv[4:]
TIMEOUT = 30
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(version=None):
    made = ssl.create_default_context(cafile=CERTIFICATE)
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    return made


def connect(rcvbuf=None):
    sock = socket.socket()
    sock.settimeout(TIMEOUT)
    if rcvbuf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    sock.connect(("127.0.0.1", PORT))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def wrap(made, sock=None, session=None):
    return made.wrap_socket(sock or connect(), server_hostname="localhost", session=session)


def request(path, method="GET", body=b"", more=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}"
    if body or method == "POST":
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Answers:
    """Reads answers with a Content-Length from whatever has recv()."""

    def __init__(self, recv):
        self.recv, self.buffer, self.closes = recv, b"", False

    def more(self):
        piece = self.recv()
        self.buffer += piece
        return len(piece) > 0

    def next(self):
        """Status and body of the next one; None when there is none."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                return None, self.buffer
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.closes = b"\r\nconnection: close" in head.lower()
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(self.buffer) < length:
            if not self.more():
                break
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(head.split(b" ")[1]), body.decode()


def answers_of(sock):
    return Answers(lambda: sock.recv(65536))


class ByHand:
    """A TLS connection whose every byte passes through here."""

    def __init__(self, version=None, step=None, rcvbuf=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(version).wrap_bio(self.incoming, self.outgoing,
                                             server_hostname="localhost")
        self.sock, self.step = connect(rcvbuf), step
        self.answers, self.ended = Answers(self.read), "by a close_notify"

    def send(self):
        data = self.outgoing.read()
        for i in range(0, len(data), self.step or len(data) or 1):
            self.sock.sendall(data[i:i + (self.step or len(data))])

    def receive(self):
        data = self.sock.recv(65536)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return len(data) > 0

    def run(self, call):
        while True:
            try:
                result = call()
                self.send()
                return result
            except ssl.SSLWantReadError:
                self.send()
                self.receive()

    def handshake(self):
        self.run(self.tls.do_handshake)
        return self

    def write(self, data):
        self.tls.write(data)
        self.send()

    def read(self):
        try:
            return self.run(lambda: self.tls.read(65536))
        except ssl.SSLEOFError:
            self.ended = "cut off"
            return b""

    def close_notify(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.send()


def client_hello(version=None):
    by_hand = ByHand(version)
    try:
        by_hand.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return by_hand, by_hand.outgoing.read()


# ---- cases ----

def case_resume(version, count):
    """Connections that bring the session of the one before: resumed ones, and workers that did."""
    made, session = context(version), None
    resumed, workers = 0, set()
    for _ in range(int(count)):
        with wrap(made, session=session) as sock:
            sock.sendall(request("/worker"))
            _, body = answers_of(sock).next()
            session = sock.session
            if sock.session_reused:
                resumed += 1
                workers.add(body)
    print(f"resumed {resumed} workers {len(workers)}")


def case_bytewise(version):
    """A handshake and a request, one byte a packet; then one byte a record."""
    by_hand = ByHand(version, step=1).handshake()
    by_hand.write(request("/hello"))
    print(*by_hand.answers.next())
    by_hand.step = None
    for byte in request("/length", "POST", b"x" * 50):
        by_hand.write(bytes([byte]))
    print(*by_hand.answers.next())


def case_abrupt():
    """Connections that end at every stage, properly, by a reset, or with garbage."""
    random.seed(1)
    whole = len(client_hello()[1])
    for version in VERSIONS:
        for n in [1, 2, 5, 6, 43, 100, whole - 1, whole]:
            for ending in ["close", "reset", "garbage", "half"]:
                by_hand, hello = client_hello(version)
                by_hand.sock.sendall(hello[:n])
                if n == whole and ending != "reset":
                    by_hand.sock.recv(1)
                end(by_hand.sock, ending)
        for sent in [b"", b"GET / HT", request("/hello"), request("/big/3000000"),
                     request("/length", "POST", b"x" * 100)[:-1]]:
            for ending in ["close", "reset", "garbage", "half", "notify"]:
                by_hand = ByHand(version).handshake()
                if sent:
                    by_hand.write(sent)
                if ending == "notify":
                    by_hand.close_notify()
                end(by_hand.sock, ending)
    print("done")


def end(sock, how):
    try:
        if how == "garbage":
            sock.sendall(random.randbytes(300))
        elif how == "half":
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        elif how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    except OSError:
        pass
    sock.close()


def case_slow_reader(version, path):
    """A large body, read in small pieces through a small window."""
    by_hand = ByHand(version, rcvbuf=4096).handshake()
    by_hand.write(request(path))
    time.sleep(0.3)
    status, body = by_hand.answers.next()
    print(status, len(body), hashlib.sha256(body.encode()).hexdigest())


def case_stalled_reader():
    """Nobody reads a large body: others are served meanwhile."""
    stalled = ByHand(rcvbuf=4096).handshake()
    stalled.write(request("/big/50000000"))
    with wrap(context()) as sock:
        sock.sendall(request("/hello"))
        print(*answers_of(sock).next())


def case_steady_reader(path, seconds):
    """A large body, read a little at a time for so long, and then to its end."""
    by_hand = ByHand(rcvbuf=65536).handshake()
    by_hand.write(request(path))
    deadline = time.monotonic() + float(seconds)
    while time.monotonic() < deadline:
        by_hand.answers.more()
        time.sleep(0.1)
    status, body = by_hand.answers.next()
    print(status, len(body))


def case_never_reads(path):
    """Nobody ever reads a large body: what becomes of the connection."""
    by_hand = ByHand(rcvbuf=4096).handshake()
    by_hand.write(request(path))
    watch = select.poll()
    watch.register(by_hand.sock, 0)
    events = watch.poll(20000)
    print("reset" if events and events[0][1] & select.POLLERR else "kept")


def case_upload(version, size, step, path="/length"):
    """A large body sent in pieces; the answer says how long it was."""
    body = b"u" * int(size)
    with wrap(context(version)) as sock:
        sock.sendall(request(path, "POST", body)[:-len(body)])
        for i in range(0, len(body), int(step)):
            sock.sendall(body[i:i + int(step)])
        print(*answers_of(sock).next())


def case_pipeline(count):
    """Requests in one record each, all in one packet: answers in order."""
    by_hand = ByHand().handshake()
    for i in range(int(count)):
        by_hand.tls.write(request(f"/echo/{i}"))
    by_hand.send()
    print([by_hand.answers.next()[1] for _ in range(int(count))]
          == [str(i) for i in range(int(count))])


def case_records(path):
    """How many records an answer comes in."""
    by_hand = ByHand("1.2").handshake()
    by_hand.write(request(path))
    raw, records, text = b"", 0, b""
    while True:
        while len(raw) < 5 or len(raw) < 5 + int.from_bytes(raw[3:5], "big"):
            raw += by_hand.sock.recv(65536)
        record, raw = raw[:5 + int.from_bytes(raw[3:5], "big")], raw[5 + int.from_bytes(
            raw[3:5], "big"):]
        by_hand.incoming.write(record)
        text += by_hand.tls.read(65536)
        records += 1
        head, _, body = text.partition(b"\r\n\r\n")
        if f"content-length: {len(body)}".encode() in head.lower():
            break
    print(len(body), records)


def case_half_close(version):
    """close_notify behind a request: it is answered, and then the server says the same."""
    by_hand = ByHand(version).handshake()
    by_hand.write(request("/slow"))
    by_hand.close_notify()
    raw = b""
    while True:
        data = by_hand.sock.recv(65536)
        if not data:
            break
        raw += data
    by_hand.incoming.write(raw)
    by_hand.incoming.write_eof()
    print(b"HTTP/1.1 200" in by_hand.read())


def case_end():
    """How the server ends a connection that it does not keep."""
    by_hand = ByHand().handshake()
    by_hand.write(request("/hello", more="Connection: close\r\n"))
    print(*by_hand.answers.next())
    by_hand.read()
    print(by_hand.ended)


def case_cut_upload():
    """A body that ends too early, without a close_notify, is no body."""
    by_hand = ByHand().handshake()
    by_hand.write(request("/length", "POST", b"x" * 100)[:-50])
    by_hand.sock.shutdown(socket.SHUT_WR)
    print(by_hand.answers.next()[0])


def case_silent(first):
    """How long a connection lives that does not go on with its handshake, in seconds."""
    by_hand, hello = client_hello()
    by_hand.sock.sendall(hello[:int(first)])
    begun = time.monotonic()
    while by_hand.sock.recv(65536):
        pass
    print(f"{time.monotonic() - begun:.1f}")


class Load:
    """Connections that are kept, and new ones, until they are told to stop or are refused."""

    def __init__(self):
        self.stop, self.refused = threading.Event(), False
        self.failures, self.seen, self.counts = [], set(), {"new": 0, "kept": 0}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def connect(self):
        """None: nobody listens any more. A reset in place of a handshake says the same: it was in
        the kernel's queue."""
        try:
            sock = wrap(self.context)
        except (ConnectionRefusedError, ConnectionResetError):
            self.refused = True
            self.stop.set()
            return None
        self.seen.add(sock.getpeercert(binary_form=True))
        return sock

    def one_connection(self, kind, most):
        sock = self.connect()
        if sock is None:
            return
        with sock:
            answers = answers_of(sock)
            while most > 0 and not answers.closes and not self.stop.is_set():
                sock.sendall(request("/hello"))
                answer = answers.next()
                assert answer == (200, "hello"), answer
                self.counts[kind] += 1
                most -= 1

    def go_on(self, kind, most):
        while not self.stop.is_set():
            try:
                self.one_connection(kind, most)
            except Exception as error:
                self.failures.append(kind + " " + repr(error))

    def run(self, is_over):
        threads = [threading.Thread(target=self.go_on, args=args)
                   for args in [("new", 1), ("new", 1), ("kept", 1e9), ("kept", 1e9)]]
        for thread in threads:
            thread.start()
        while min(self.counts.values()) == 0 and not self.failures:
            time.sleep(0.01)
        print("loading", flush=True)
        while not is_over() and not self.stop.is_set():
            time.sleep(0.02)
        self.stop.set()
        for thread in threads:
            thread.join()
        print(f"failures {len(self.failures)} certificates {len(self.seen)} "
              f"refused {self.refused} {self.failures[:3]}")


def case_load(stop):
    """A load until there is a file of this name, or nobody listens any more."""
    deadline = time.monotonic() + 120
    Load().run(lambda: os.path.exists(stop) or time.monotonic() > deadline)


globals()["case_" + CASE](*ARGUMENTS)
