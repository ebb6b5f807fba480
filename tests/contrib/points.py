# SPDX-License-Identifier: BSD-2-Clause
"""Test points as TAP tells them."""


class Skip(Exception):
    """It cannot be tried here; why."""


def play(number, sentence, function, *subjects):
    """1 if it failed."""
    result, suffix = "ok", ""
    try:
        function(*subjects)
    except Skip as skip:
        suffix = " # SKIP %s" % skip
    except AssertionError as error:
        result, suffix = "not ok", "\n# " + str(error).replace("\n", "\n# ")
    print("%s %d - %s%s" % (result, number, sentence, suffix))
    return result != "ok"


def play_all(points):
    """The exit status; a point is what play() takes behind its number."""
    points = list(points)
    print("1..%d" % len(points))
    return 1 if sum(play(number, *point)
                    for number, point in enumerate(points, 1)) else 0
