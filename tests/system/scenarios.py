# SPDX-License-Identifier: Apache-2.0
"""The system tests: one function per group, each returns Test objects. What is booted in common stands first."""

import glob
import os
import random
import re
import struct
import sys
import zlib

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + "/tools/images"]
import images  # noqa: E402
import matrix  # noqa: E402
from expect import NO_DOM0, NO_GUESTS, UNKNOWN_OPTION, done, ended, refused, restarted, up  # noqa: E402
from machine import Guest, Host, Module  # noqa: E402
from session import RAW, Test, Type  # noqa: E402

IMAGES = images.OUT
GUESTS = "build/guests"
KERNEL = f"{IMAGES}/amd64/vmlinux"
BZIMAGE = f"{IMAGES}/amd64/vmlinuz"
RAMDISK = f"{IMAGES}/test.cpio"


def linux(name, krtest, kernel=KERNEL, memory="160M", vcpus=1, keys="", loglevel=4):
    """A stock kernel with the test userland, doing the given actions."""
    cmdline = f"console=hvc0 loglevel={loglevel} panic=-1 name={name} krtest={krtest}"
    return Guest(name, kernel, RAMDISK, memory, vcpus, keys, cmdline)


def bad_file(name, make):
    """A file that is no good guest, made when a test that names it runs."""
    images.IMAGES[f"bad/{name}"] = (make, (__file__,), 0o644)
    return f"{IMAGES}/bad/{name}"


def good_neighbour(domain):
    """A guest beside a bad one: it must run, under the domain id of its module, and end the machine."""
    return linux("good", "poweroff"), {"good": [up("good", domain=domain)]}


# --- life of guests


def life():
    yield Test("poweroff", guests=[linux("web", "time,smp,mem,ticks,poweroff", vcpus=2), linux("db", "time,poweroff")],
               expect={"web": [up("web", cpus=2, domain=1), done("time"), done("smp"), done("mem"), done("ticks")],
                       "db": [up("db", cpus=1, domain=2), done("time")],
                       "KR": [ended("web", "poweroff")],
                       RAW: [r"\(KR\) [^\n]*\bdb\b[^\n]*poweroff"]})
    for machine in ("q35", "pc"):
        yield Test(f"acpi-off-{machine}", guests=[linux("web", "poweroff")],
                   host=Host(machine=machine, debug_exit=False),
                   expect={"web": [up("web")], "KR": [ended("web", "poweroff")]}, status="off")
    yield Test("four-guests", guests=[linux(n, "time,smp,poweroff", vcpus=2) for n in ("a", "b", "c", "d")],
               host=Host(memory=1536), seconds=120,
               expect={n: [up(n, cpus=2, domain=i), done("time"), done("smp")] for i, n in enumerate("abcd", 1)})
    yield Test("small-128M", guests=[linux("web", "poweroff", kernel=BZIMAGE, memory="128M")],
               expect={"web": [up("web")]})
    yield Test("keys", guests=[linux("web", "smp,poweroff", vcpus=2, keys="weight=512 cap=150 cpus=0-1"),
                               linux("db", "smp,poweroff", vcpus=2, keys="weight=64 cap=0 cpus=1")],
               expect={"web": [up("web", cpus=2), done("smp")], "db": [up("db", cpus=2), done("smp")]})


def restart():
    yield Test("reboot-default", guests=[linux("web", "reboot:4,poweroff"), linux("db", "sleep:20,poweroff")],
               expect={"web": [up("web", domain=1), up("web", domain=3), up("web", domain=4)],
                       "KR": [restarted("web"), restarted("web"), ended("web", "poweroff")],
                       "db": [up("db", domain=2)]})
    yield Test("reboot-never", guests=[linux("web", "reboot", keys="restart=never")],
               expect={"web": [up("web", domain=1)], "KR": [ended("web", "reboot")]}, never=[up("web", domain=2)])
    yield Test("crash-default", guests=[linux("web", "panic"), linux("db", "sleep:8,smp,poweroff", vcpus=2)],
               expect={"web": [up("web")],
                       RAW: [r"\(KR\) [^\n]*\bweb\b[^\n]*crash", r"\(db\) krtest: smp ok"]},
               never=[up("web", domain=3)], status=1)
    yield Test("killed-init", guests=[linux("web", "exit"), linux("db", "sleep:8,time,poweroff")],
               expect={"web": [up("web")],
                       RAW: [r"\(KR\) [^\n]*\bweb\b[^\n]*crash", r"\(db\) krtest: time ok"]}, status=1)
    yield Test("crash-restart", guests=[linux("web", "panic:3,poweroff", keys="restart=crash")],
               expect={"web": [up("web", domain=1), up("web", domain=2), up("web", domain=3)],
                       "KR": [restarted("web"), restarted("web"), ended("web", "poweroff")]}, status=(0, 1))
    yield Test("crash-reboots-too", guests=[linux("web", "reboot:2,panic:3,poweroff", keys="restart=crash")],
               expect={"web": [up("web", domain=1), up("web", domain=2), up("web", domain=3)]}, status=(0, 1),
               quick=False)
    yield Test("poweroff-always", guests=[linux("web", "poweroff:3,sleep:100", keys="restart=always")],
               expect={"web": [up("web", domain=1), up("web", domain=2), up("web", domain=3)]}, status="stays")
    yield Test("watchdog", guests=[linux("web", "watchdog", keys="restart=never")],
               expect={"web": [up("web"), "krtest: watchdog armed"], "KR": [ended("web", "watchdog")]}, status=(0, 1))


# --- what is typed wrong, and files that are no guests


def bad_lines():
    """Each bad key in a module of its own, all in one boot, and one good guest behind them."""
    lines = [
        ("domain=g1 memory=lots", "g1", "memory"),
        ("domain=g2 memory=64M vcpus=0", "g2", "vcpus"),
        ("domain=g3 memory=64M vcpus=4097", "g3", "vcpus"),
        ("domain=g4 memory=64M weight=heavy", "g4", "weight"),
        ("domain=g5 memory=64M cap=-1", "g5", "cap"),
        ("domain=g6 memory=64M cpus=1-0", "g6", "cpus"),
        ("domain=g7 memory=64M cpus=77", "g7", "cpus"),
        ("domain=g8 memory=64M restart=perhaps", "g8", "restart"),
        ("domain=g9 memory=64M froodle=1", "g9", "froodle"),
        ("domain=g10 memory=0", "g10", "memory"),
        ("domain=g11 memory=99999999999999999999G", "g11", "memory"),
        ("domain=g12 memory=64Q", "g12", "memory"),
    ]
    file = bad_file("stub", lambda: b"no kernel at all" * 256)
    guest, wanted = good_neighbour(len(lines) + 1)
    bad = [Module(file, line) for line, _, _ in lines]
    yield Test("bad-keys", modules=bad + guest.modules(),
               expect={"KR": [refused(name, key) for _, name, key in lines], **wanted}, status=(0, 1))
    guest, wanted = good_neighbour(1)
    yield Test("bad-same-name", modules=guest.modules() + [Module(file, "domain=good memory=64M")],
               expect={"KR": [refused("good", "name|twice|already|second|exists")], **wanted}, status=(0, 1))
    yield Test("bad-all", modules=[Module(file, "domain=g1 memory=lots")],
               expect={"KR": [refused("g1", "memory")]}, status=2)


def truncated(kernel):
    data = images.read(images.need(kernel))
    return data[: len(data) // 2]


def garbled():
    """A bzImage whose payload is damaged in its middle."""
    data = bytearray(images.read(images.need("amd64/vmlinuz")))
    middle = len(data) // 2
    data[middle:middle + 64] = bytes(b ^ 0x5A for b in data[middle:middle + 64])
    return bytes(data)


PHYS32_NOTE = struct.pack("<III4sI", 4, 4, 18, b"Xen", 0x100000)  # XEN_ELFNOTE_PHYS32_ENTRY
CODE = b"\xf4\xeb\xfd".ljust(4096, b"\x90")  # hlt; jmp


def elf64(segments, note=PHYS32_NOTE):
    """An ELF64 with one page of code at 1 MiB, the PVH note, and further (address, size in memory) segments."""
    loads = [(0x100000, 4096), *segments]
    count = len(loads) + 1
    at = 64 + 56 * count
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x100000, 64, 0, 0, 64, 56, count, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(note), len(note), 4)
    for address, size in loads:
        head += struct.pack("<IIQQQQQQ", 1, 7, 4096, address, address, min(4096, size), size, 4096)
    return (head + note).ljust(4096, b"\0") + CODE


def bomb():
    """A bzImage whose gzip payload begins as a good kernel and goes on with a gigabyte of zeros."""
    bzimage = images.read(images.need("amd64/vmlinuz"))
    start, _, _ = images.payload_of(bzimage)
    z = zlib.compressobj(1, zlib.DEFLATED, 31)
    payload = z.compress(elf64([]))
    for _ in range(1024):
        payload += z.compress(bytes(1 << 20))
    payload += z.flush()
    head = bytearray(bzimage[:start])
    struct.pack_into("<I", head, images.PAYLOAD_LENGTH, len(payload))
    return bytes(head) + payload


def bad_elfs():
    """Segments aimed at what is not theirs, and files that are no PVH kernels, all in one boot."""
    memory = 64 << 20
    files = {
        "above": [(memory + (1 << 20), 4096)],
        "border": [(memory - 4096, 8192)],
        "wrap": [((1 << 64) - 4096, 8192)],
        "four-gig": [((4 << 30) - 4096, 8192)],
        "all-ram": [(0x200000, memory - 0x200000)],  # loader, its tables, the ramdisk
        "terabyte": [(0x200000, 1 << 40)],
        "low": [(0, 0x100000)],
    }
    bad = [Module(bad_file(f"elf-{n}", lambda s=s: elf64(s)), f"domain={n} memory=64M") for n, s in files.items()]
    bad.append(Module(bad_file("elf-no-note", lambda: elf64([], b"")), "domain=no-note memory=64M"))
    guest, wanted = good_neighbour(len(bad) + 1)
    yield Test("bad-segments", modules=[m for b in bad for m in (b, Module(bad_file("page", lambda: bytes(4096))))]
               + guest.modules(), host=Host(memory=1536), status=(0, 1), seconds=120,
               expect={"KR": [refused(n) for n in [*files, "no-note"]], **wanted})


def bad_files():
    files = {
        "empty": lambda: b"",
        "one-byte": lambda: b"\x7f",
        "random": lambda: random.Random(1).randbytes(1 << 20),
        "truncated-bzimage": lambda: truncated("amd64/vmlinuz"),
        "truncated-elf": lambda: truncated("amd64/vmlinux"),
        "garbled-bzimage": garbled,
        "bomb": bomb,
        "huge": lambda: bytes(300 << 20),
    }
    for name, make in files.items():
        guest, wanted = good_neighbour(2)
        yield Test(f"bad-file-{name}", host=Host(memory=1536),
                   modules=[Module(bad_file(name, make), "domain=bad memory=160M")] + guest.modules(),
                   expect={"KR": [refused("bad")], **wanted}, never=[up("bad")], status=(0, 1))


def too_much():
    def beside(name, bad, why, host=Host()):
        guest, wanted = good_neighbour(2)
        return Test(name, host=host, guests=[bad, guest], expect={"KR": [refused("bad", why)], **wanted},
                    never=[up("bad")], status=(0, 1))

    bad = linux("bad", "poweroff", memory="128M")
    bad.ramdisk = bad_file("ramdisk-200M", lambda: bytes(200 << 20))
    yield beside("bad-ramdisk-size", bad, r"ramdisk|memory|\d+ ?[KMG]", Host(memory=1536))
    yield beside("bad-memory-size", linux("bad", "poweroff", memory="64G"), "memory")
    yield beside("bad-memory-small", linux("bad", "poweroff", memory="48M"), r"\d+ ?[KM]")
    yield beside("bad-vcpus", linux("bad", "poweroff", vcpus=1000), "vcpus")


def host_side():
    yield Test("no-modules", expect={"KR": [NO_GUESTS]}, status=2)
    yield Test("dom0-reserved", modules=[Module(BZIMAGE, "console=hvc0 quiet"), Module(RAMDISK)],
               expect={"KR": [NO_DOM0]}, status=2)
    guest = linux("web", "poweroff")
    yield Test("dom0-and-guest", modules=[Module(BZIMAGE, "console=hvc0"), *guest.modules()],
               expect={"KR": [NO_DOM0], "web": [up("web", domain=1)]})
    yield Test("unknown-option", guests=[guest], options="froodle=7 sync_console",
               expect={"KR": [UNKNOWN_OPTION], "web": [up("web")]})
    yield Test("maxcpus", guests=[linux("web", "smp,poweroff", vcpus=2)], options="maxcpus=1", host=Host(cpus=4),
               expect={"web": [up("web", cpus=2), done("smp")]}, quick=False)
    yield Test("memory-4G", guests=[linux("web", "mem,poweroff", memory="3584M")], host=Host(memory=5120), quick=False,
               seconds=180, expect={"web": [up("web"), done("mem")]})


# --- the console


SWITCH = Type(b"\x01\x01\x01")


def console():
    yield Test("escape", guests=[linux("web", "escape,poweroff"), linux("db", "sleep:2,poweroff")],
               expect={"web": [r"escape: \\x1b\[2J\\x1b\]0;title\\x07 .*\\x0d.*forged by return", r"\(KR\) forged by line",
                               r"\(db\) forged neighbour", r"\\x00end", done("escape")]},
               never=[r"^\(KR\) forged", r"^\(db\) forged", r"[\x00-\x08\x0b-\x1f\x7f]"])
    yield Test("flood", guests=[linux("web", "flood:4000,poweroff"), linux("db", "time,smp,poweroff", vcpus=2)],
               expect={"web": ["flood: 0 ", done("flood")], "db": [done("time"), done("smp")]},
               never=[r"^flood", r"^\d{10}"], seconds=120)
    yield Test("input", guests=[linux("web", "read,poweroff"), linux("db", "read,poweroff")],
               expect={RAW: [r"\(web\) krtest: read waits", SWITCH, "web", Type(b"hello web\n"),
                             r"read got <hello web>"],
                       "KR": [ended("web", "poweroff")],
                       "db": ["krtest: read waits"]}, status="stays")
    yield Test("input-second", guests=[linux("web", "read,poweroff"), linux("db", "read,sleep:1,poweroff")],
               expect={RAW: [r"\(web\) krtest: read waits", SWITCH, "web", Type(b"one\n"), "read got <one>",
                             SWITCH, "db", Type(b"two\n"), "read got <two>"]})
    for key, words in (("h", "(?i)key"), ("q", r"\bweb\b"), ("r", "(?i)cpu"), ("e", "(?i)port|event"), ("m", "(?i)memory|free")):
        yield Test(f"debug-key-{key}", guests=[linux("web", "read,poweroff")], quick=key in "hq", status="stays",
                   expect={RAW: [r"\(web\) krtest: read waits", Type(key.encode())], "KR": [words]})


# --- bare-metal guests and the matrix


def head_fields(path, field):
    """The lines `FIELD: text` of a bare-metal guest's head comment."""
    with open(path, encoding="utf-8") as f:
        return re.findall(rf"^[ /*]*{field}: *(.*?)[ */]*$", f.read().split("#include")[0], re.M)


# One instruction per nanosecond: how late a guest wakes does not depend on this machine. Slow.
EXACT = ("-icount", "shift=0,sleep=off")


def metal_module(folder, name, run, first=""):
    """first: words before those of the command line; of two with one name the first counts."""
    keys, _, cmdline = run.partition(" -- ")
    cmdline = f"{first} {cmdline}".strip()
    return Module(f"{GUESTS}/{folder}", f"domain={name} {keys}" + (f" -- {cmdline}" if cmdline else ""))


def metal():
    """The bare-metal guests of tests/guests. Their head comments say how: a test for each RUN line, alone
    or with the guest BESIDE it, which must succeed; PEER is the command line of a second one of it, domain
    2. EXACT: with these words first, on an exact clock, nobody may be 100 ms late. END is how it ends; any:
    it may also be stopped, as long as nothing else suffers."""
    for path in sorted(glob.glob("tests/guests/*/main.c")):
        folder = path.split("/")[2]
        end = (head_fields(path, "END") or ["poweroff"])[0]
        beside, peer, exact = (head_fields(path, f) for f in ("BESIDE", "PEER", "EXACT"))
        for i, run in enumerate(head_fields(path, "RUN") or ["memory=32M vcpus=1"]):
            mode = re.search(r"mode=(\w+)", run)
            name = f"metal-{folder}" + (f"-{mode[1] if mode else 'run'}-{i + 1}" if i else "")
            modules = [metal_module(folder, folder, run, exact[0] if exact else "")]
            steps = {"KR": [ended(folder, "(poweroff|reboot|crash|watchdog)" if end == "any" else end)]}
            if end == "poweroff":
                steps[folder] = [rf"^TEST {folder}: (SUCCESS|SKIP)"]
            for other in beside:
                there = head_fields(f"tests/guests/{other}/main.c", "RUN")[0]
                modules.append(metal_module(other, other, there, f"{exact[0]} late=100" if exact else ""))
                steps[other] = [rf"^TEST {other}: SUCCESS"]
            never = [rf"^\({folder}\) TEST {folder}: (ERROR|FAILURE)"] if end != "any" else []
            host = Host(cpus=1, extra=EXACT) if exact else Host()
            yield Test(name, modules=modules, expect=steps, never=never, host=host, seconds=120,
                       status=(0, 1) if end == "any" else 1 if end == "crash" else 0)
        for i, line in enumerate(peer):
            run = head_fields(path, "RUN")[0].partition(" -- ")[0]
            lines = line.split(" | ")
            modules = [metal_module(folder, f"{folder}{k}", f"{run} -- {c}") for k, c in enumerate(lines, 1)]
            steps = {f"{folder}{k}": [rf"^TEST {folder}: SUCCESS"] for k in range(1, len(lines) + 1)}
            yield Test(f"metal-{folder}-pair", modules=modules, expect=steps)


def matrix_runs():
    models = {"max": "max", "EPYC-Milan": "EPYC-Milan", "qemu64": "qemu64,+svm,+npt"}
    for row in matrix.load():
        v = row.values
        file = f"{IMAGES}/{v['kernel']}/" + ("vmlinux" if v["format"] == "vmlinux" else f"vmlinuz-{v['format']}")
        count, vcpus = int(v["guests"]), int(v["vcpus"])
        host = Host(v["machine"], models[v["cpu"]], int(v["hostcpus"]), 512 + 240 * count, v["boot"])
        names = [f"g{i}" for i in range(1, count + 1)]
        # Unpacking zstd takes a buffer of the kernel's size: two fifths of the memory must hold it.
        memory = "208M" if v["format"] == "zstd" else "160M"
        yield Test(row.name, quick=row.quick, host=host, seconds=120 + 60 * count,
                   covers=" ".join(v.values()),
                   guests=[linux(n, "time,smp,ticks,poweroff", file, memory, vcpus) for n in names],
                   expect={n: [up(n, cpus=vcpus, domain=i), done("time"), done("smp"), done("ticks")]
                           for i, n in enumerate(names, 1)})


GROUPS = {
    "metal": metal,
    "life": life,
    "restart": restart,
    "bad-lines": bad_lines,
    "bad-files": bad_files,
    "bad-elfs": bad_elfs,
    "too-much": too_much,
    "host": host_side,
    "console": console,
    "matrix": matrix_runs,
}
