# SPDX-License-Identifier: Apache-2.0
"""QEMU command lines for Krypton: machine, boot way, boot modules. Used by tools/run, make debug and tests/system.

Paths are relative to the tree's root, which must be the working directory: QEMU cuts module strings
at spaces, and the way to the tree may hold one.
"""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass

KRYPTON = "build/krypton"
CONSOLE = "com1=115200,8n1 console=com1"
DEBUG_EXIT = 0xF4

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS.fd"

BOOTS = ("kernel", "grub-bios-mb2", "grub-bios-mb1", "grub-ovmf-mb2")


class MachineError(Exception):
    """A tool is missing or failed; the text says which."""


@dataclass
class Host:
    """The machine that Krypton runs on."""

    machine: str = "q35"
    cpu: str = "max"
    cpus: int = 2
    memory: int = 1024  # MiB
    boot: str = "kernel"
    extra: tuple = ()  # more QEMU arguments
    debug_exit: bool = True  # without: a reset starts over, so that only ACPI ends QEMU with 0


@dataclass
class Module:
    """A boot module: a file and the words after its name."""

    file: str
    args: str = ""


@dataclass
class Guest:
    """A guest as its module line describes it; keys are further words such as restart=never."""

    name: str
    kernel: str
    ramdisk: str = ""
    memory: str = "256M"
    vcpus: int = 1
    keys: str = ""
    cmdline: str = ""

    def modules(self):
        words = [f"domain={self.name}", f"memory={self.memory}", f"vcpus={self.vcpus}", self.keys]
        line = " ".join(w for w in words if w)
        if self.cmdline:
            line += f" -- {self.cmdline}"
        first = [Module(self.kernel, line)]
        return first + ([Module(self.ramdisk)] if self.ramdisk else [])


def _grub_words(text):
    """Words for grub.cfg: quoted where GRUB's shell would read more than letters into them."""
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=,.:/_-+%")
    return " ".join(w if set(w) <= plain else "'" + w.replace("'", "'\\''") + "'" for w in text.split())


def make_iso(path, krypton, options, modules, protocol):
    """Writes a GRUB rescue image that starts Krypton at once, for BIOS and UEFI."""
    if not shutil.which("grub-mkrescue"):
        raise MachineError("grub-mkrescue is not installed; run tools/setup test")
    tree = path + ".tree"
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(f"{tree}/boot/grub")
    command, module = {"mb2": ("multiboot2", "module2"), "mb1": ("multiboot", "module")}[protocol]
    names = {}

    def put(file):
        if file not in names:
            names[file] = f"/boot/{len(names)}-{os.path.basename(file)}"
            try:
                os.link(os.path.realpath(file), tree + names[file])
            except OSError:
                shutil.copyfile(file, tree + names[file])
        return names[file]

    lines = ["set timeout=0", "menuentry krypton {", f"  {command} {put(krypton)} {_grub_words(options)}"]
    lines += [f"  {module} {put(m.file)} {_grub_words(m.args)}" for m in modules]
    lines += ["  boot", "}"]
    with open(f"{tree}/boot/grub/grub.cfg", "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    made = subprocess.run(["grub-mkrescue", "-o", path, tree, "--", "-volid", "KRYPTON"],
                          capture_output=True, text=True, check=False)
    shutil.rmtree(tree)
    if made.returncode:
        raise MachineError(f"grub-mkrescue: {made.stderr.strip().splitlines()[-1]}")
    return path


def command(host, krypton, options, modules, scratch):
    """The whole QEMU command line; scratch is a path prefix for files made on the way (the ISO)."""
    if not shutil.which("qemu-system-x86_64"):
        raise MachineError("qemu-system-x86_64 is not installed; run tools/setup")
    for file in [krypton] + [m.file for m in modules]:
        if not os.path.exists(file):
            raise MachineError(f"{file} is missing")
    argv = ["qemu-system-x86_64", "-accel", "tcg", "-machine", host.machine, "-cpu", host.cpu,
            "-smp", str(host.cpus), "-m", str(host.memory), "-nodefaults", "-vga", "none", "-display", "none",
            "-chardev", "stdio,id=com1,signal=off", "-serial", "chardev:com1"]
    if host.debug_exit:
        argv += ["-no-reboot", "-device", f"isa-debug-exit,iobase={DEBUG_EXIT:#x},iosize=4"]
        options += f" debug-exit={DEBUG_EXIT:#x}"
    if host.boot == "kernel":
        argv += ["-kernel", krypton, "-append", options]
        if modules:
            strings = [f"{m.file} {m.args}".strip().replace(",", ",,") for m in modules]
            argv += ["-initrd", ",".join(strings)]
    else:
        _, firmware, protocol = host.boot.split("-")
        argv += ["-cdrom", make_iso(f"{scratch}.iso", krypton, options, modules, protocol), "-boot", "d"]
        if firmware == "ovmf":
            if not os.path.exists(OVMF_CODE):
                raise MachineError(f"{OVMF_CODE} is missing; run tools/setup test")
            argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF_CODE}",
                     "-drive", f"if=pflash,format=raw,snapshot=on,file={OVMF_VARS}"]
    return argv + list(host.extra)


def status(returncode):
    """What Krypton reported through the debug exit, or None when it did not."""
    return returncode >> 1 if returncode > 0 and returncode & 1 else None


MEANING = {
    0: "all guests powered off",
    1: "a guest crashed",
    2: "nothing could be started",
    3: "Krypton panicked",
}


def shown(argv):
    return " ".join(shlex.quote(a) for a in argv)
