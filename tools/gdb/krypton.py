# SPDX-License-Identifier: Apache-2.0
"""Commands for gdb on a Krypton under QEMU (make debug): what there is, who runs, what a guest's memory maps to.

Objects are read through the types of build/krypton-syms. What one CPU alone has mapped (VMCBs, second-stage
tables) is read as physical memory, by QEMU's monitor.
"""

import re
import socket
import struct

import gdb

LOG, SERIAL = "build/logs/debug.log", "build/debug.serial"


def value(expression):
    return gdb.parse_and_eval(expression)


def enum_name(v):
    return re.sub(r"^(DOMAIN|VMEXIT|TRACE|P2M)_", "", str(v)).lower()


def physical(address, size):
    """Bytes of machine memory; size is a multiple of 8."""
    text = gdb.execute(f"monitor xp /{size // 8}gx {address:#x}", to_string=True)
    words = [int(w, 16) for line in text.splitlines() for w in line.partition(":")[2].split()]
    if len(words) != size // 8:
        raise gdb.GdbError(f"cannot read {address:#x}: {text.strip()}")
    return struct.pack(f"<{len(words)}Q", *words)


def domains():
    """By id, from the hash chains of domain/domain.c."""
    table = value("'src/domain/domain.c'::table")
    found = []
    for i in range(table.type.range()[1] + 1):
        d = table[i]
        while int(d):
            found.append(d)
            d = d["next"]
    return sorted(found, key=lambda d: int(d["id"]))


def domain_of(text):
    for d in domains():
        if text in (str(int(d["id"])), d["name"].string()):
            return d
    raise gdb.GdbError(f"no domain {text}")


def vcpus_of(d):
    return [d["vcpu"][i] for i in range(int(d["max_vcpus"]))]


def flags(word, prefix):
    """Names of the PREFIX_* bits in a word; the macros are in the symbols when built with -g3, else hex."""
    names = {"VPAUSE": ("down", "blocked", "domain", "shutdown", "dying", "wait"),
             "VWORK": ("event", "pause", "time", "reset", "flush", "call")}[prefix]
    return "+".join(n for i, n in enumerate(names) if int(word) >> i & 1) or "-"


class Command(gdb.Command):
    """Base: the class's docstring is the help, its name in lower case the command."""

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA)

    def invoke(self, arg, _from_tty):
        args = gdb.string_to_argv(arg)
        least, most = self.args
        if not least <= len(args) <= most:
            raise gdb.GdbError(self.__doc__)
        self.run(*args)


class Help(Command):
    """kr-help: this list"""

    name, args = "kr-help", (0, 0)

    def run(self):
        for command in COMMANDS:
            print(command.__doc__)


class Domains(Command):
    """kr-domains: each domain with state, memory and vCPUs"""

    name, args = "kr-domains", (0, 0)

    def run(self):
        for d in domains():
            print(f"{int(d['id']):5} {d['name'].string():12} {enum_name(d['state']):9} refs {int(d['refs']):3}"
                  f"  pages {int(d['tot_pages'])} of {int(d['max_pages'])}  vCPUs {int(d['max_vcpus'])}")


class Vcpus(Command):
    """kr-vcpus [DOMAIN]: each vCPU with where it runs, why it does not, and its exits"""

    name, args = "kr-vcpus", (0, 1)

    def run(self, which=None):
        for d in [domain_of(which)] if which else domains():
            for v in vcpus_of(d):
                total = sum(int(v["exits"][i]) for i in range(v["exits"].type.range()[1] + 1))
                print(f"d{int(d['id'])}v{int(v['id'])}  CPU {int(v['cpu'])}{' runs' if v['running'] else ''}"
                      f"  pause {flags(v['pause'], 'VPAUSE')}  work {flags(v['work'], 'VWORK')}  exits {total}")


class Cpus(Command):
    """kr-cpus: each CPU with its work bits and the domain it serves"""

    name, args = "kr-cpus", (0, 0)

    def run(self):
        for i in range(int(value("nr_cpus"))):
            c = value(f"pcpu_shared[{i}]")
            serving = f"d{int(c['serving']['id'])}" if int(c["serving"]) else "nobody"
            print(f"CPU {i}  {'online' if c['online'] else 'offline'}  {'idle  ' if c['idle'] else ''}"
                  f"work {int(c['work']):#x}  serves {serving}")


class P2m(Command):
    """kr-p2m DOMAIN GUEST-PHYSICAL: the second-stage walk of an address, level by level"""

    name, args = "kr-p2m", (2, 2)

    def run(self, which, address):
        table = int(domain_of(which)["p2m"]["root"]["v"]) << 12
        gpa = int(value(address))
        for level in (4, 3, 2, 1):
            index = gpa >> (3 + 9 * level) & 511
            entry, = struct.unpack("<Q", physical(table + 8 * index, 8))
            print(f"  L{level}[{index:3}] at {table + 8 * index:#x} = {entry:#018x}")
            if not entry & 1:
                return print("  nothing here")
            table = entry & 0xFFFFFFFFFF000
            if level == 1 or level < 4 and entry & 0x80:
                size = 1 << (3 + 9 * level)
                rights = f"{'w' if entry & 2 else '-'}{'-' if entry >> 63 else 'x'}"
                base = table & ~(size - 1)
                return print(f"  -> {base + (gpa & size - 1):#x}  r{rights}  {size >> 10} KiB page")


class Vmcb(Command):
    """kr-vmcb DOMAIN [VCPU]: the control block as it lies in memory (old while the vCPU runs)"""

    name, args = "kr-vmcb", (1, 2)

    def run(self, which, number="0"):
        v = domain_of(which)["vcpu"][int(number)]
        address = int(v["virt"]["vmcb_pa"]["v"])
        c = gdb.Value(physical(address, 4096), gdb.lookup_type("struct vmcb"))
        for f in c.type.fields():
            if not f.name.startswith("pad"):
                print(f"  {f.name:15} {c[f.name].format_string(format='x')}")


class Trace(Command):
    """kr-trace [COUNT [CPU]]: the last records of the trace rings, newest last"""

    name, args = "kr-trace", (0, 2)

    def run(self, count="20", only=None):
        names = {f.enumval: f.name for f in gdb.lookup_type("enum trace_event").fields()}
        for cpu in range(int(value("nr_cpus"))) if only is None else [int(only)]:
            ring = value(f"pcpu_shared[{cpu}].trace")
            if not int(ring):
                continue
            records = ring["record"]
            size = records.type.range()[1] + 1
            end = int(ring["next"])
            for i in range(max(0, end - min(int(count), size)), end):
                r = records[i % size]
                event = enum_name(names.get(int(r["event"]), "?"))
                a = f"{int(r['a']):#x}"
                print(f"CPU {cpu}  {int(r['tsc']):16}  {event:9} {a:12} {int(r['b']):#x}")


class Log(Command):
    """kr-log [LINES]: the end of the serial console"""

    name, args = "kr-log", (0, 1)

    def run(self, lines="20"):
        with open(LOG, encoding="latin-1") as f:
            print("".join(f.readlines()[-int(lines):]), end="")


class Type(Command):
    r"""kr-type TEXT: types on the serial console; \r and \x01 mean what they mean in C"""

    name, args = "kr-type", (1, 1)

    def run(self, text):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(SERIAL)
            s.sendall(text.encode().decode("unicode_escape").encode("latin-1"))


COMMANDS = [c() for c in (Help, Domains, Vcpus, Cpus, P2m, Vmcb, Trace, Log, Type)]
print("Krypton: kr-help lists commands; 'continue' starts the machine, Ctrl-C stops it")
