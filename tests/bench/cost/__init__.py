# cost: what tests/bench/costs measures, a file for each topic.
#
# SPDX-License-Identifier: BSD-2-Clause
