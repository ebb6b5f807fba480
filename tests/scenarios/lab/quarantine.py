# quarantine.py: `filterctl quarantine`, and what is in the directory.
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import subprocess

from .failure import equal

ID = "0123456789abcdef-"


class Quarantine:
    """Of a filterd with `set quarantine spool`."""

    def __init__(self, stage, filterd):
        self.program = os.path.join(stage.options.build, "filterd",
                                    "filterctl")
        self.filterd = filterd
        self.directory = os.path.join(filterd.state, "quarantine")

    def start(self, *words):
        return subprocess.Popen(
            [self.program, "quarantine", words[0], "-c", self.filterd.file,
             *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def both(self, *words, status=0):
        process = self.start(*words)
        out, said = process.communicate(timeout=60)
        equal(process.returncode, status,
              f"the exit status of {words}:\n{out.decode('utf-8', 'replace')}"
              f"{said.decode('utf-8', 'replace')}")
        return out, said

    def octets(self, *words):
        return self.both(*words)[0]

    def run(self, *words, status=0):
        """All that it says."""
        return b"".join(self.both(*words, status=status)).decode("utf-8",
                                                                 "replace")

    def list(self, *words):
        return json.loads(self.octets("list", "--json", *words))

    def ids(self, *words):
        return [letter["id"] for letter in self.list(*words)]

    def files(self):
        """The names of whole messages."""
        return sorted(name for name in os.listdir(self.directory)
                      if not name.strip(ID))

    def unfinished(self):
        return [name for name in os.listdir(self.directory)
                if name.startswith("tmp-")]

    def path(self, name):
        return os.path.join(self.directory, name)
