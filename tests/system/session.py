# SPDX-License-Identifier: Apache-2.0
"""One boot of Krypton under QEMU, followed line by line against what a test expects."""

import os
import re
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass, field

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + "/tools"]
import expect  # noqa: E402
import machine  # noqa: E402

LOGS = "build/logs"
TIME_SCALE = float(os.environ.get("KR_TIME_SCALE", "1"))
RAW = "*"


@dataclass
class Type:
    """A step of a stream: keys for the serial line, sent once the step before it has matched."""

    keys: bytes


@dataclass
class Test:
    """One boot. expect maps a console prefix ("KR", a guest's name) to steps: regular expressions that
    must match lines of that prefix in this order, and Type objects. The stream RAW ("*") is matched against
    the bytes of the serial line, prefixes and unfinished lines included."""

    name: str
    guests: list = field(default_factory=list)
    modules: list = field(default_factory=list)  # further modules, after the guests
    host: machine.Host = field(default_factory=machine.Host)
    options: str = ""
    expect: dict = field(default_factory=dict)
    never: list = field(default_factory=list)  # regular expressions that match no line, prefix included
    status: object = 0  # of Krypton, or a tuple of good ones; "off": the machine must go off by ACPI; "stays": it runs to the end of time
    seconds: float = 60
    quick: bool = True
    covers: str = ""

    def all_modules(self):
        return [m for g in self.guests for m in g.modules()] + self.modules


class Stream:
    """The steps of one prefix and how far they are done."""

    def __init__(self, steps):
        self.steps = list(steps)
        self.at = 0

    def done(self):
        return self.at == len(self.steps)

    def step(self):
        return self.steps[self.at] if not self.done() else None

    def keys_due(self):
        """Keys of the Type steps that are next."""
        keys = b""
        while isinstance(self.step(), Type):
            keys += self.step().keys
            self.at += 1
        return keys

    def line(self, text):
        if isinstance(self.step(), str) and re.search(self.step(), text):
            self.at += 1


class Matcher:
    """Feeds serial bytes to the streams. Knows nothing of processes, so that it can be tested alone."""

    PREFIX = re.compile(r"^\(([^() ]+)\) ?(.*)$")

    def __init__(self, test):
        self.test = test
        self.streams = {prefix: Stream(steps) for prefix, steps in test.expect.items() if prefix != RAW}
        self.raw = Stream(test.expect.get(RAW, ()))
        self.raw_at = 0
        self.bytes = bytearray()
        self.line_at = 0
        self.wrong = []

    def feed(self, data):
        """Takes serial output, returns keys to send."""
        self.bytes += data
        while (end := self.bytes.find(b"\n", self.line_at)) >= 0:
            self.line(self.bytes[self.line_at:end].decode("latin-1").rstrip("\r").lstrip("\r"))
            self.line_at = end + 1
        self.match_raw()
        return self.keys_due()

    def line(self, text):
        for pattern in self.test.never:
            if re.search(pattern, text):
                self.wrong.append(f"must not be said: {text!r}")
        found = self.PREFIX.match(text)
        if not found:
            return
        prefix, rest = found.groups()
        if prefix == expect.HYPERVISOR and self.test.status != 3 and re.search(expect.BROKEN, rest):
            self.wrong.append(f"Krypton is broken: {text!r}")
        if prefix in self.streams:
            self.streams[prefix].line(rest)

    def match_raw(self):
        while isinstance(self.raw.step(), str):
            found = re.compile(self.raw.step().encode("latin-1")).search(self.bytes, self.raw_at)
            if not found:
                return
            self.raw_at = found.end()
            self.raw.at += 1

    def keys_due(self):
        keys = b"".join(s.keys_due() for s in [*self.streams.values(), self.raw])
        self.match_raw()
        return keys

    def unmet(self):
        for prefix, stream in [*self.streams.items(), (RAW, self.raw)]:
            if not stream.done():
                yield f"({prefix}) never said /{stream.step()}/ (step {stream.at + 1} of {len(stream.steps)})"

    def complete(self):
        return not any(True for _ in self.unmet())


@dataclass
class Result:
    test: Test
    wrong: list
    seconds: float
    log: str
    tail: list


def run(test, krypton=machine.KRYPTON):
    """Boots, follows and judges one test. Leaves build/logs/NAME.log and NAME.cmd."""
    os.makedirs(LOGS, exist_ok=True)
    base = f"{LOGS}/{test.name}"
    start = time.monotonic()
    options = f"{machine.CONSOLE} loglvl=all guest_loglvl=all {test.options}".strip()
    matcher = Matcher(test)
    try:
        argv = machine.command(test.host, krypton, options, test.all_modules(), base)
        with open(f"{base}.cmd", "w", encoding="utf-8") as f:
            f.write(machine.shown(argv) + "\n")
        wrong = follow(test, argv, matcher, f"{base}.log")
    except machine.MachineError as e:
        wrong = [str(e)]
    finally:
        if os.path.exists(f"{base}.iso"):
            os.unlink(f"{base}.iso")
    tail = matcher.bytes.decode("latin-1").replace("\r", "").splitlines()[-12:]
    return Result(test, wrong, time.monotonic() - start, f"{base}.log", tail)


def follow(test, argv, matcher, log_path):
    deadline = time.monotonic() + test.seconds * TIME_SCALE
    timed_out = False
    qemu = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    try:
        with selectors.DefaultSelector() as poll, open(log_path, "wb") as log:
            poll.register(qemu.stdout, selectors.EVENT_READ)
            while True:
                if not poll.select(max(0.0, deadline - time.monotonic())):
                    timed_out = True
                    break
                data = os.read(qemu.stdout.fileno(), 65536)
                if not data:
                    break
                log.write(data)
                log.flush()
                keys = matcher.feed(data)
                if keys:
                    try:
                        qemu.stdin.write(keys)
                    except BrokenPipeError:
                        break
                if test.status == "stays" and matcher.complete() or matcher.wrong:
                    break
        if not timed_out and test.status != "stays" and not matcher.wrong:
            qemu.wait(10)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        ended = qemu.poll()
        qemu.kill()
        qemu.wait()
        qemu.stdin.close()
        qemu.stdout.close()
    return matcher.wrong + judge(test, ended, timed_out) + list(matcher.unmet())


def judge(test, ended, timed_out):
    """What the way the machine ended says; ended is QEMU's exit status or None while it ran."""
    if timed_out:
        return [f"not done after {test.seconds * TIME_SCALE:.0f} s"]
    if test.status == "stays" or ended is None:
        return []
    if test.status == "off":
        return [] if ended == 0 else [f"the machine did not go off: QEMU exit {ended}"]
    status = machine.status(ended)
    wanted = test.status if isinstance(test.status, tuple) else (test.status,)
    if status not in wanted:
        meaning = " or ".join(f"{w} ({machine.MEANING[w]})" for w in wanted)
        return [f"status {status} (QEMU exit {ended}) instead of {meaning}"]
    return []
