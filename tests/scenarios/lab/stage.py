# stage.py: the parts that the tests of a run share, and those of each.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import shutil
import tempfile

from .backend import Sink
from .beside import Exim, OpenSmtpd
from .dns import Nsd, Silence
from .failure import Failure, check
from .filterd import Filterd
from .postfix import Postfix
from .sendmail import Sendmail


class Options:
    """What the command line said."""

    def __init__(self, build, root, wires=("smtp",), backend="sink",
                 keep=False):
        self.build = build
        self.root = root
        self.wires = wires
        self.wire = wires[0]  # of the scenario at hand
        self.backend = backend
        self.keep = keep


class Stage:
    """A directory, and parts in it, for one test."""

    def __init__(self, theatre):
        self.theatre = theatre
        self.options = theatre.options
        self.directory = tempfile.mkdtemp(prefix="story-",
                                          dir=theatre.directory)
        os.chmod(self.directory, 0o755)
        self.parts = []

    def add(self, part):
        self.parts.append(part)
        part.start()
        return part

    def nsd(self, records=(), broken=()):
        return self.add(Nsd(self.directory, records, broken))

    def silence(self):
        return self.add(Silence())

    def sink(self):
        count = sum(isinstance(part, Sink) for part in self.parts)
        return self.add(Sink(self.directory,
                             f"sink{count + 1}" if count else "sink"))

    def postfix(self):
        return self.theatre.postfix()

    def exim(self, *chain_and_key):
        return self.add(Exim(self.directory, *chain_and_key))

    def opensmtpd(self, *chain_and_key):
        return self.add(OpenSmtpd(self.directory, *chain_and_key))

    def sendmail(self, authority=None, **options):
        """What it takes goes on to a sink."""
        return self.add(Sendmail(self.directory, self.sink(), authority,
                                 **options))

    def backend(self, kind=None):
        kind = kind or self.options.backend
        return self.postfix() if kind == "postfix" else self.sink()

    def filterd(self, policy="", backend=None, dns=None, **options):
        """Started; one that must not start is made by hand."""
        return self.add(self.filterd_at_rest(policy, backend, dns, **options))

    def filterd_at_rest(self, policy="", backend=None, dns=None, **options):
        build = options.pop("build", self.options.build)
        return Filterd(self.directory, build, policy, backend, dns, **options)

    def tree(self, plugin):
        """A build tree with nothing but filterd and a plugin of the tests."""
        tree = os.path.join(self.directory, "tree")
        for part, file in (("filterd", "filterd/filterd"),
                           (f"plugins/{plugin}",
                            f"tests/scenarios/{plugin}.so")):
            os.makedirs(os.path.join(tree, part))
            shutil.copy(os.path.join(self.options.build, file),
                        os.path.join(tree, part))
        with open(os.path.join(tree, "build.ninja"), "wb"):
            return tree

    def end(self):
        """In good order; whoever does not end well is a failure."""
        for part in reversed(self.parts):
            part.stop()
        for part in self.parts:
            if isinstance(part, Sink):
                check(not part.violations(),
                      f"not canonical: {part.violations()}")

    def clear(self):
        """Whatever happened: nothing is left."""
        for part in reversed(self.parts):
            try:
                part.kill() if hasattr(part, "kill") else part.stop()
            except (Failure, OSError):
                continue
        if not self.options.keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def story(self):
        """For whoever looks for the reason of a failure."""
        return "\n".join(f"---- {part.name}\n{part.tail()}"
                         for part in self.parts if hasattr(part, "log"))


class Theatre:
    """One Postfix for all tests of a run: it takes a second to start."""

    def __init__(self, options):
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="filterd-scenarios-")
        os.chmod(self.directory, 0o755)
        self.shared = None

    def postfix(self):
        if self.shared is None or not self.shared.running():
            directory = tempfile.mkdtemp(prefix="shared-", dir=self.directory)
            os.chmod(directory, 0o755)
            self.shared = Postfix(directory)
            self.shared.start()
        self.shared.forget()
        return self.shared

    def close(self):
        if self.shared is not None:
            self.shared.stop()
        if not self.options.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
