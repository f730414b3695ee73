#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds what guests are made of from stock Debian 12 packages, unmodified and never installed.

    tools/images/images.py NAME...     build the named images under build/images/ and print their paths
    tools/images/images.py --list      say which names there are

Packages come by `apt-get download`, are kept in .cache/debs/ and are not fetched again while they lie there.
Every image is built once; the ramdisks are reproducible to the byte and need no root.
"""

import glob
import lzma
import os
import struct
import subprocess
import sys
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEBS = ".cache/debs"
OUT = "build/images"

KERNELS = {
    "amd64": "linux-image-amd64",
    "cloud": "linux-image-cloud-amd64",
    "rt": "linux-image-rt-amd64",
}
# Payload formats of a bzImage and how each begins.
FORMATS = {"xz": b"\xfd7zXZ\0", "gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x02\x21\x4c\x18"}

# Offsets in a bzImage's setup header: Documentation/x86/boot.rst of the Linux kernel.
SETUP_SECTS, SYSSIZE, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1F1, 0x1F4, 0x248, 0x24C


class ImageError(Exception):
    """Something outside of this program is missing; the text says what."""


def say(text):
    print(f"images: {text}", file=sys.stderr, flush=True)


def run(argv, **kw):
    return subprocess.run(argv, check=True, **kw)


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "wb") as f:
        f.write(data)
    os.chmod(path + ".part", mode)
    os.replace(path + ".part", path)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


# --- packages


def apt_cache(*args):
    result = subprocess.run(["apt-cache", *args], capture_output=True, text=True, check=False)
    return result.stdout


def kernel_package(meta):
    """The package that the meta package depends on today, else the newest one already fetched."""
    for line in apt_cache("depends", meta).splitlines():
        word = line.split()[-1]
        if line.strip().startswith("Depends:") and word.startswith("linux-image-"):
            return word
    flavour = meta[len("linux-image-"):]
    have = sorted(glob.glob(f"{DEBS}/linux-image-[0-9]*-{flavour}_*.deb"), key=os.path.getmtime)
    have = [h for h in have if flavour != "amd64" or "-cloud-" not in h and "-rt-" not in h]
    return os.path.basename(have[-1]).split("_")[0] if have else None


def update_lists():
    if os.geteuid() != 0:
        raise ImageError("apt has no package lists; run 'sudo apt-get update' once")
    say("reading the package lists")
    if subprocess.run(["apt-get", "-q", "update"], stdout=sys.stderr, check=False).returncode:
        raise ImageError("apt-get update failed: is this machine online?")


def fetch(package):
    """Path of the package file, fetched when it is not there yet."""
    os.makedirs(DEBS, exist_ok=True)
    have = sorted(glob.glob(f"{DEBS}/{package}_*.deb"), key=os.path.getmtime)
    if have:
        return have[-1]
    say(f"fetching {package}")
    for last in (False, True):
        # The sandbox user of apt cannot write into a home directory.
        done = subprocess.run(
            ["apt-get", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "download", package],
            cwd=DEBS, stdout=sys.stderr, check=False)
        have = glob.glob(f"{DEBS}/{package}_*.deb")
        if done.returncode == 0 and have:
            return have[0]
        if not last:
            update_lists()
    raise ImageError(f"apt-get could not download {package}: is this machine online?")


def unpack(deb, member):
    """One file of a package, as bytes; member is its path without a leading slash."""
    tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    data = subprocess.run(["tar", "-xO", f"./{member}"], stdin=tar.stdout, capture_output=True, check=False).stdout
    tar.stdout.close()
    tar.wait()
    if not data:
        raise ImageError(f"{deb} holds no {member}")
    return data


# --- kernels


def kernel_release(flavour):
    """The package of a kernel and its release, as uname -r says it."""
    package = kernel_package(KERNELS[flavour])
    if package is None:
        update_lists()
        package = kernel_package(KERNELS[flavour])
    if package is None:
        raise ImageError(f"apt knows no {KERNELS[flavour]}: is this Debian 12 on amd64?")
    return package, package[len("linux-image-"):]


def vmlinuz(flavour):
    package, release = kernel_release(flavour)
    return unpack(fetch(package), f"boot/vmlinuz-{release}")


def payload_of(bzimage):
    """Where the compressed kernel lies: start, length, format."""
    setup = ((bzimage[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, PAYLOAD_OFFSET)
    for how, magic in FORMATS.items():
        if bzimage[setup + offset:].startswith(magic):
            return setup + offset, length, how
    raise ImageError("a kernel with a payload of unknown format")


def tool(argv, data):
    try:
        return run(argv, input=data, stdout=subprocess.PIPE).stdout
    except FileNotFoundError:
        raise ImageError(f"{argv[0]} is not installed; run tools/setup test") from None


def vmlinux(flavour):
    bzimage = read(need(f"{flavour}/vmlinuz"))
    start, length, how = payload_of(bzimage)
    say(f"unpacking the {flavour} kernel ({how})")
    payload = bzimage[start:start + length]
    if how == "xz":
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(payload)
    if how == "gzip":
        return zlib.decompressobj(31).decompress(payload)
    return tool([how, "-q", "-d", "-c"], payload[:-4])


def compress(data, how):
    """The payload as the kernel's own build makes it: all but gzip end in the plain size.

    The kernel feeds zstd from a pipe at level 22, whose frames ask for a window of 128 MiB: the
    window is what a loader feels, so it is kept; the level only costs time here.
    """
    size = struct.pack("<I", len(data))
    if how == "gzip":
        z = zlib.compressobj(6, zlib.DEFLATED, 31)
        return z.compress(data) + z.flush()
    if how == "xz":
        filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 32 << 20}]
        return lzma.compress(data, check=lzma.CHECK_CRC32, filters=filters) + size
    if how == "zstd":
        return tool(["zstd", "-q", "-c", "-9", "--ultra", "--zstd=wlog=27"], data) + size
    return tool(["lz4", "-q", "-l", "-9", "-c"], data) + size


def with_payload(flavour, how):
    """The stock kernel as a bzImage with the payload format asked for; header fields kept true."""
    bzimage = bytearray(read(need(f"{flavour}/vmlinuz")))
    start, _, shipped = payload_of(bzimage)
    if how == shipped:
        return bytes(bzimage)
    plain = read(need(f"{flavour}/vmlinux"))
    say(f"packing the {flavour} kernel as {how}")
    payload = compress(plain, how)
    head = bzimage[:start]
    body = len(head) - ((bzimage[SETUP_SECTS] or 4) + 1) * 512 + len(payload)
    struct.pack_into("<I", head, PAYLOAD_LENGTH, len(payload))
    struct.pack_into("<I", head, SYSSIZE, (body + 15) // 16)
    return bytes(head) + payload + bytes(-body % 16)


# --- ramdisks


class Cpio:
    """A newc archive with fixed times, owners and inode numbers."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0
        self.dirs = set()

    def add(self, name, mode, body=b"", rdev=(0, 0)):
        parent = os.path.dirname(name)
        if parent:
            self.directory(parent)
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(body), 0, 0, rdev[0], rdev[1], len(name) + 1, 0)
        self.data += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        self.data += bytes(-len(self.data) % 4)
        self.data += body
        self.data += bytes(-len(self.data) % 4)

    def directory(self, name):
        if name not in self.dirs:
            self.dirs.add(name)
            self.add(name, 0o040755)

    def file(self, name, body, mode=0o755):
        self.add(name, 0o100000 | mode, body)

    def link(self, name, target):
        self.add(name, 0o120777, target.encode())

    def device(self, name, major, minor):
        self.add(name, 0o020600, b"", (major, minor))

    def end(self):
        self.inode = -1
        self.add("TRAILER!!!", 0)
        return bytes(self.data) + bytes(-len(self.data) % 512)


def busybox_tree():
    busybox = need("busybox")
    tree = Cpio()
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        tree.directory(name)
    tree.device("dev/console", 5, 1)
    tree.file("bin/busybox", read(busybox))
    for applet in run([busybox, "--list"], stdout=subprocess.PIPE, text=True).stdout.split():
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    return tree


def demo_ramdisk():
    tree = busybox_tree()
    tree.file("init", read("tools/images/demo/init"))
    tree.file("etc/profile", read("tools/images/demo/profile"), 0o644)
    return tree.end()


def test_ramdisk():
    tree = busybox_tree()
    tree.file("init", read("tests/system/init/init"))
    tree.file("bin/krtest", read(need("krtest")))
    package, release = kernel_release("amd64")
    for module in ("watchdog.ko", "xen_wdt.ko"):
        file = f"lib/modules/{release}/kernel/drivers/watchdog/{module}"
        tree.file(f"lib/{module}", unpack(fetch(package), file), 0o644)
    return tree.end()


def krtest():
    path = f"{OUT}/krtest.tmp"
    run(["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-s",
         "-Wl,--build-id=none", "-o", path, "tests/system/init/krtest.c"])
    data = read(path)
    os.unlink(path)
    return data


# name -> (builder, files in the tree that it is made from, mode)
IMAGES = {
    "busybox": (lambda: unpack(fetch("busybox-static"), "bin/busybox"), (), 0o755),
    "krtest": (krtest, ("tests/system/init/krtest.c",), 0o755),
    "demo.cpio": (demo_ramdisk, tuple(f"tools/images/demo/{f}" for f in ("init", "profile")), 0o644),
    "test.cpio": (test_ramdisk, ("tests/system/init/init", "tests/system/init/krtest.c"), 0o644),
}
for _flavour in KERNELS:
    IMAGES[f"{_flavour}/vmlinuz"] = (lambda f=_flavour: vmlinuz(f), (), 0o644)
    IMAGES[f"{_flavour}/vmlinux"] = (lambda f=_flavour: vmlinux(f), (), 0o644)
    for _how in FORMATS:
        IMAGES[f"{_flavour}/vmlinuz-{_how}"] = (lambda f=_flavour, h=_how: with_payload(f, h), (), 0o644)


def need(name):
    """Path (relative to the tree's root, the working directory) of an image, built when missing or stale."""
    builder, sources, mode = IMAGES[name]
    path = f"{OUT}/{name}"
    try:
        built = os.path.getmtime(path)
        if all(os.path.getmtime(s) <= built for s in (*sources, __file__)):
            return path
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return write(path, builder(), mode)


def main():
    os.chdir(ROOT)
    names = sys.argv[1:]
    if names == ["--list"]:
        print("\n".join(sorted(IMAGES)))
        return 0
    unknown = [n for n in names if n not in IMAGES]
    if unknown or not names:
        print(f"usage: images.py --list | NAME...   {'unknown: ' + ' '.join(unknown) if unknown else ''}", file=sys.stderr)
        return 2
    try:
        for name in names:
            print(need(name))
    except (ImageError, subprocess.CalledProcessError) as e:
        print(f"images: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
