# __init__.py: the ways in, by name.
#
# SPDX-License-Identifier: BSD-2-Clause
from .smtp import SmtpWire

WIRES = {"smtp": SmtpWire}
