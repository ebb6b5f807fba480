# __init__.py: the ways in, by name.
#
# SPDX-License-Identifier: BSD-2-Clause
from .lmtp import LmtpWire
from .milter import MilterWire
from .postfix import PostfixWire
from .smtp import SmtpWire

WIRES = {wire.name: wire
         for wire in (SmtpWire, LmtpWire, PostfixWire, MilterWire)}
