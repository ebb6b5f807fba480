# tap.py: one line for each test, as the Test Anything Protocol wants it.
#
# SPDX-License-Identifier: BSD-2-Clause
import sys
import time
import traceback

from .failure import Failure, Missing


def comment(text):
    for line in text.splitlines():
        print(f"# {line}")


def run(tests, theatre):
    """`tests`: pairs of a sentence and what runs it. How many failed."""
    print("TAP version 13")
    print(f"1..{len(tests)}")
    return sum(not run_one(number, sentence, test, theatre)
               for number, (sentence, test) in enumerate(tests, 1))


def run_one(number, sentence, test, theatre):
    began = time.monotonic()
    try:
        test(theatre)
        result, suffix, note = "ok", "", ""
    except Missing as missing:
        result, suffix, note = "ok", f" # SKIP {missing}", ""
    except Failure as failure:
        result, suffix, note = "not ok", "", str(failure)
    except Exception:  # pylint: disable=broad-except
        result, suffix, note = "not ok", "", traceback.format_exc()
    print(f"{result} {number} - {sentence}{suffix}")
    comment(note)
    print(f"# {time.monotonic() - began:.2f} s")
    sys.stdout.flush()
    return result == "ok"
