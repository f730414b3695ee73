# SPDX-License-Identifier: Apache-2.0
"""The wording that system tests wait for, in one place: regular expressions for one console line each,
without its (NAME) prefix."""

HYPERVISOR = "KR"

# What no run may show in a hypervisor line, unless a test asks for it.
BROKEN = r"(?i)^(?!Boot module |Command line)(?:.*)(?:\bpanic\b(?!=)|\bBUG\b|assertion failed|entry-state audit|double fault)"


def up(name, cpus=None, domain=None):
    """A test guest's userspace is up."""
    words = rf"krtest: up name={name} .*"
    if cpus is not None:
        words += rf"cpus={cpus}\b.*"
    if domain is not None:
        words += rf"domain={domain}\b"
    return words


def done(action):
    return rf"krtest: {action} ok\b"


def ended(name, reason):
    """The closing line of a guest: its name, how it ended, how long it ran."""
    return rf"\b{name}\b.*\b{reason}\b"


def restarted(name):
    return rf"(?i)\b{name}\b.*\b(again|restart)"


def refused(name, why="."):
    """A guest was not started, or was stopped before it ran; why is what the message must also name."""
    return rf"(?i)^(?=.*\b{name}\b)(?=.*(?:{why}))(?=.*(?:not started|refused|stopped|crash|fail|cannot))"


NO_GUESTS = r"(?i)no guest|nothing (to|could be) start"
NO_DOM0 = r"(?i)dom0.*not supported"
UNKNOWN_OPTION = r"(?i)\bfroodle\b.*unknown"
SWITCHED = r"(?i)(input|keyboard|terminal|console).*\b{name}\b"
