# __init__.py: real parts, real wires, and what is expected of them.
#
# SPDX-License-Identifier: BSD-2-Clause
