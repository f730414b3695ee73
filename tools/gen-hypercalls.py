#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/hypercalls.md, made from the sources of guest/hypercall/.

    tools/gen-hypercalls.py            writes them anew, between the two marks in the file
    tools/gen-hypercalls.py --check    says what is not current; exit status 1 if anything is

Rows of `struct subop` are read after the preprocessor; families that are a switch by their cases. What
such a case does to guest memory stands in SHAPES below, and a case without a shape is an error. Numbers
and sizes come from a program that the compiler makes of the public headers. Flags: HOST_CFLAGS."""

import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

DOC = "docs/hypercalls.md"
BEGIN, END = "<!-- begin: made by tools/gen-hypercalls.py -->\n", "<!-- end -->\n"
SOURCE = "src/guest/hypercall/"
FLAGS = [f for f in shlex.split(os.environ.get("HOST_CFLAGS", "-Isrc -Iport/host")) if "sanitize" not in f]

# call, file, prefix of its sub-operations' names
FAMILIES = (
    ("memory_op", "memory.c", "XENMEM_"),
    ("xen_version", "version.c", "XENVER_"),
    ("console_io", "../console/guest_console.c", "CONSOLEIO_"),
    ("grant_table_op", "grant.c", "GNTTABOP_"),
    ("vm_assist", "version.c", "VMASST_CMD_"),
    ("vcpu_op", "vcpu.c", "VCPUOP_"),
    ("sched_op", "sched.c", "SCHEDOP_"),
    ("event_channel_op", "evtchn.c", "EVTCHNOP_"),
    ("hvm_op", "hvm.c", "HVMOP_"),
)

EXTENTS, ARRAY = "restarts after each extent", "restarts after each element"
# What handlers that read their own argument take: type ("" for none), direction, bound.
SHAPES = {
    "XENMEM_increase_reservation": ("struct xen_memory_reservation", "in", EXTENTS),
    "XENMEM_decrease_reservation": ("struct xen_memory_reservation", "in", EXTENTS),
    "XENMEM_populate_physmap": ("struct xen_memory_reservation", "in", EXTENTS),
    "XENMEM_current_reservation": ("domid_t", "in", "short"),
    "XENMEM_maximum_reservation": ("domid_t", "in", "short"),
    "XENMEM_maximum_gpfn": ("domid_t", "in", "short"),
    "XENMEM_memory_map": ("struct xen_memory_map", "in, out", "16 entries"),
    "XENMEM_add_to_physmap": ("struct xen_add_to_physmap", "in", "one flush"),
    "XENMEM_remove_from_physmap": ("struct xen_remove_from_physmap", "in", "one flush"),
    "XENVER_version": ("", "", "short"),
    "XENVER_extraversion": ("xen_extraversion_t", "out", "short"),
    "XENVER_compile_info": ("struct xen_compile_info", "out", "short"),
    "XENVER_capabilities": ("xen_capabilities_info_t", "out", "short"),
    "XENVER_changeset": ("xen_changeset_info_t", "out", "short"),
    "XENVER_platform_parameters": ("struct xen_platform_parameters", "out", "short"),
    "XENVER_get_features": ("struct xen_feature_info", "in, out", "short"),
    "XENVER_pagesize": ("", "", "short"),
    "XENVER_guest_handle": ("xen_domain_handle_t", "out", "short"),
    "XENVER_commandline": ("xen_commandline_t", "out", "short"),
    "XENVER_build_id": ("struct xen_build_id", "in, out", "short"),
    "CONSOLEIO_write": ("bytes", "in", "restarts after 128 bytes; waits for console-rate="),
    "CONSOLEIO_read": ("bytes", "out", "256 bytes"),
    "GNTTABOP_map_grant_ref": ("struct gnttab_map_grant_ref", "in, out", ARRAY),
    "GNTTABOP_unmap_grant_ref": ("struct gnttab_unmap_grant_ref", "in, out", "restarts after 32 elements, one flush"),
    "GNTTABOP_setup_table": ("struct gnttab_setup_table", "in, out", "64 frames"),
    "GNTTABOP_copy": ("struct gnttab_copy", "in, out", ARRAY),
    "GNTTABOP_query_size": ("struct gnttab_query_size", "in, out", "short"),
    "GNTTABOP_set_version": ("struct gnttab_set_version", "in, out", "short"),
    "GNTTABOP_get_version": ("struct gnttab_get_version", "in, out", "short"),
    "GNTTABOP_swap_grant_ref": ("struct gnttab_swap_grant_ref", "in, out", ARRAY),
    "VMASST_CMD_enable": ("", "", "short"),
    "VMASST_CMD_disable": ("", "", "short"),
    "VCPUOP_initialise": ("struct vcpu_hvm_context", "in", None),
    "VCPUOP_get_runstate_info": ("struct vcpu_runstate_info", "out", None),
    "VCPUOP_register_runstate_memory_area": ("struct vcpu_register_runstate_memory_area", "in", None),
    "VCPUOP_register_vcpu_time_memory_area": ("struct vcpu_register_time_memory_area", "in", None),
    "VCPUOP_set_periodic_timer": ("struct vcpu_set_periodic_timer", "in", None),
    "VCPUOP_set_singleshot_timer": ("struct vcpu_set_singleshot_timer", "in", None),
    "VCPUOP_register_vcpu_info": ("struct vcpu_register_vcpu_info", "in", None),
}


def fail(text):
    sys.exit(f"{DOC}: {text}")


def compiler(args, text):
    p = subprocess.run(["gcc", *FLAGS, "-w", "-x", "c", *args, "-"], input=text, capture_output=True, text=True,
                       check=False)
    if p.returncode:
        fail(f"the compiler refuses: {p.stderr}")
    return p.stdout


def read(name):
    with open(SOURCE + name, encoding="utf-8") as f:
        return f.read()


def functions(text):
    """Name to body of each function of a file."""
    return {m[1]: m[2] for m in re.finditer(r"^[a-z][^\n;=]*?\b(\w+)\([^;{]*?\)\n\{\n(.*?)^\}", text, re.M | re.S)}


def privileges(statement, known):
    """The privilege_*() calls that a statement leads to inside its file."""
    seen, todo, found = set(), [statement], set()
    while todo:
        for word in re.findall(r"\w+", todo.pop()):
            if word.startswith("privilege_"):
                found.add(word[len("privilege_"):])
            elif word in known and word not in seen:
                seen.add(word)
                todo.append(known[word])
    return ", ".join(sorted(found)) or "-"


def rows_of(file, prefix, known):
    """The rows of a table of sub-operations, or None when the file has none."""
    text = compiler(["-E", "-P"], read(file))
    table = re.search(r"static const struct subop \w+_rows\[\] = \{(.*?)\n?\};", text, re.S)
    if not table:
        return None
    rows = []
    for row in re.finditer(r"\[(\w+)\] = \{(.*?)\}", table[1], re.S):
        field = dict(re.findall(r"\.(\w+) = (sizeof\(.*?\)|\"[^\"]*\"|\w+)", row[2]))
        name = prefix + field["name"].strip('"')
        size = re.match(r"sizeof\((.*)\)", field.get("size", ""))
        way = {"SUBOP_IN": "in", "SUBOP_OUT": "out", "SUBOP_INOUT": "in, out"}.get(field.get("dir"), "")
        shape = SHAPES.get(name, ("", "", None))
        rows.append((name, size[1] if size else shape[0], way or shape[1],
                     "control" if field.get("control_only") == "true" else privileges(field["fn"], known),
                     field["bound"].strip('"')))
    return rows


def cases_of(call, prefix, known):
    """The sub-operations that the body of do_CALL() names."""
    body = known[f"do_{call}"]
    rows = []
    for name in dict.fromkeys(re.findall(rf"\b{prefix}\w+", body)):
        at = re.search(rf"\b{name}\b", body).start()
        rest = re.sub(r"^[^\n]*\n(\s*case \w+:\n)*", "", body[at:]) if body[at - 5:at] == "case " else body[at:]
        end = re.search(r";\n", rest)
        switch = body.find("switch (")
        before = body[:min(at, switch if switch >= 0 else at)]
        shape = SHAPES.get(name)
        if not shape:
            fail(f"{name} has no shape in tools/gen-hypercalls.py")
        rows.append((name, shape[0], shape[1], privileges(before + rest[:end.start()], known), shape[2]))
    return rows


def users():
    """Names of tests to what they contain: bare-metal guests and unit tests."""
    found = {}
    for path in glob.glob("tests/guests/*/*.c"):
        name = path.split("/")[2]
        if name not in ("lib", "hostile"):
            found[name] = found.get(name, "") + open(path, encoding="utf-8").read()
    for path in glob.glob("tests/unit/*_test.c"):
        name = os.path.basename(path)[:-2]
        found[name] = open(path, encoding="utf-8").read()
    return found


def values(names, types):
    """What the compiler says: numbers of names, sizes of types."""
    types = sorted(t for t in types if t and t != "bytes")
    text = '#include <stdio.h>\n#include "abi/xen.h"\nint main(void) {\n'
    text += "".join(f'printf("%lu\\n", (unsigned long)({n}));\n' for n in names)
    text += "".join(f'printf("%lu\\n", (unsigned long)sizeof({t}));\n' for t in types) + "}\n"
    with tempfile.TemporaryDirectory() as d:
        compiler(["-o", f"{d}/values"], text)
        out = subprocess.run([f"{d}/values"], capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(list(names) + types, map(int, out)))


def tables():
    calls = re.findall(r"\[__HYPERVISOR_(\w+)\] = \{\"(\w+)\", (\w+), (\d)\}", read("dispatch.c"))
    families = {}
    for call, file, prefix in FAMILIES:
        known = functions(read(file))
        rows = rows_of(file, prefix, known) or cases_of(call, prefix, known)
        families[call] = (file, rows)
    names = [f"__HYPERVISOR_{c[0]}" for c in calls] + [r[0] for _, rows in families.values() for r in rows]
    unknown = set(SHAPES) - set(names)
    if unknown:
        fail(f"no code for {', '.join(sorted(unknown))}")
    number = values(names, {r[1] for _, rows in families.values() for r in rows})
    tests = users()

    out = "\n| number | call | arguments | sub-operations | handler |\n|---|---|---|---|---|\n"
    for call, name, handler, args in sorted(calls, key=lambda c: number[f"__HYPERVISOR_{c[0]}"]):
        count = len(families[name][1]) if name in families else ""
        file = os.path.normpath(SOURCE + families[name][0]) if name in families else ""
        if not file:
            file = next(p for p in glob.glob("src/guest/**/*.c", recursive=True)
                        if re.search(rf"^long {handler}\(", open(p, encoding="utf-8").read(), re.M))
        out += f"| {number[f'__HYPERVISOR_{call}']} | {name} | {args} | {count} | `{handler}()`, {file[4:]} |\n"
    for call, (_, rows) in families.items():
        out += f"\n### {call}\n\n| number | name | argument | bytes | direction | privilege | time bound | tests |\n"
        out += "|---|---|---|---|---|---|---|---|\n"
        for name, what, way, privilege, bound in sorted(rows, key=lambda r: number[r[0]]):
            used = [t for t, text in sorted(tests.items()) if re.search(rf"\b{name}\b", text)]
            size = number.get(what, "")
            what = what.replace("struct ", "")
            out += (f"| {number[name]} | {name} | {what or '-'} | {size} | {way or '-'} | {privilege} | {bound} | "
                    f"{', '.join(used)} |\n")
    return out


def differences(old, new):
    """Lines that are not current. Tests may have come since; none that stands there may have gone."""
    old, new = old.splitlines(), new.splitlines()
    if len(old) != len(new):
        return ["the number of rows differs"]
    found = []
    for a, b in zip(old, new):
        *head_a, tests_a, _ = a.rsplit("|", 2) if a.count("|") == 9 else (a, "", "")
        *head_b, tests_b, _ = b.rsplit("|", 2) if b.count("|") == 9 else (b, "", "")
        if head_a != head_b or not set(re.findall(r"\w+", tests_a)) <= set(re.findall(r"\w+", tests_b)):
            found.append(f"-{a}\n+{b}")
    return found


def main():
    with open(DOC, encoding="utf-8") as f:
        before, mark, rest = f.read().partition(BEGIN)
    old, end, after = rest.partition(END)
    if not mark or not end:
        fail("the marks are missing")
    new = tables()
    if sys.argv[1:] == ["--check"]:
        wrong = differences(old, new)
        if wrong:
            print(f"{DOC} is not current: run `make docs`\n" + "\n".join(wrong))
        return 1 if wrong else 0
    with open(DOC, "w", encoding="utf-8") as f:
        f.write(before + BEGIN + new + END + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
