# failure.py: how a check says no, and how a test says that it cannot be run.
#
# SPDX-License-Identifier: BSD-2-Clause


class Failure(Exception):
    """Something is not as it was expected."""


class Missing(Exception):
    """A part that the test needs is not on this machine."""


def check(truth, text):
    if not truth:
        raise Failure(text)


def equal(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: {found!r}, expected {expected!r}")
