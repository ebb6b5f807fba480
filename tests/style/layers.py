#!/usr/bin/python3
"""layers.py: who may include whom.

The table is the architecture: a lower layer never includes a higher one, a
plugin knows the public header and the library that it wraps, and each foreign
library is known to one folder.
"""

# SPDX-License-Identifier: BSD-2-Clause

import re

import tree

# Each folder, and those above which it stands.
BELOW = {
    "filterd/base": [],
    "filterd/mail": ["filterd/base"],
    "filterd/service": ["filterd/base"],
    "policy": ["filterd/base", "filterd/mail"],
    "filterd/host": ["policy", "filterd/service", "filterd/mail",
                     "filterd/base"],
    "filterd/host/isolation": ["filterd/host", "policy", "filterd/service",
                               "filterd/mail", "filterd/base"],
    "filterd/session": ["filterd/host", "policy", "filterd/service",
                        "filterd/mail", "filterd/base"],
    "filterd/wire": ["filterd/session", "filterd/host", "policy",
                     "filterd/service", "filterd/mail", "filterd/base"],
    "filterd/wire/delegation": ["filterd/wire", "filterd/session", "policy",
                                "filterd/mail", "filterd/base"],
    "filterd/wire/milter": ["filterd/wire", "filterd/session", "policy",
                            "filterd/mail", "filterd/base"],
    "filterd/process": ["filterd/host/isolation", "filterd/wire/delegation", "filterd/wire/milter",
                        "filterd/wire", "filterd/session", "filterd/host",
                        "policy", "filterd/service", "filterd/mail",
                        "filterd/base"],
    "filterd/tool": ["filterd/process", "filterd/wire", "filterd/session",
                     "filterd/host", "policy", "filterd/service",
                     "filterd/mail", "filterd/base"],
}
TOP = ["filterd/main.c", "filterd/ctl.c", "filterd/plugin.h",
       "filterd/harness.h"]

# A foreign library's headers, and who may know them.
LIBRARIES = {
    r"event2/.*": ["filterd/base", "filterd/service", "filterd/process",
                   "filterd/wire", "filterd/wire/milter"],
    r"openssl/.*": ["filterd/base", "plugins/dkim", "plugins/arc"],
    r"unbound.*": ["filterd/service"],
    r"sqlite3\.h": ["filterd/service"],
    r"hiredis/.*": ["filterd/service"],
    r"pcre2\.h": ["policy"],
    r"idn2\.h": ["filterd/mail", "plugins/dkim"],
    r"libpsl\.h": ["plugins/dmarc", "plugins/dnsbl", "plugins/greylist",
                   "plugins/uribl"],
    r"gmodule\.h": ["filterd/host"],
    r"seccomp\.h": ["filterd/process"],
    r"libmilter/.*": ["filterd/wire/milter"],
    r"(lua|lauxlib|lualib)\.h": ["plugins/lua"],
    r"(opendkim/)?dkim\.h": ["plugins/dkim"],
    r"opendmarc/.*": ["plugins/dmarc"],
    r"spf2/.*": ["plugins/spf"],
    r"(valgrind|sanitizer)/.*": ["filterd/base"],
}

# A project of its own, once it is copied.
TEMPLATE = "contrib/plugin-template/"

# Plugins of one kind, and whose code they share.
SHARED = {"plugins/uribl": "plugins/dnsbl", "plugins/arc": "plugins/dkim"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


def folder(name):
    """"plugins/spf" of plugins/spf/check.c."""
    return name.rsplit("/", 1)[0]


def misplaced():
    """A file in a folder that the table does not know."""
    for _, name in tree.sources(["filterd", "policy"]):
        if name not in TOP and folder(name) not in BELOW:
            yield "%s: no layer is called %s" % (name, folder(name))


def upwards():
    for path, name in tree.sources(["filterd", "policy"]):
        here = folder(name)
        for quote, header in includes(path):
            there = folder(header)
            if quote == '"' and name not in TOP and there != here \
                    and there not in BELOW.get(here, []):
                yield "%s includes %s" % (name, header)


def nosy_plugins():
    for path, name in tree.sources(["plugins"]):
        for quote, header in includes(path):
            here = folder(name)
            own = quote == '"' \
                and folder(header) in [here, SHARED.get(here, here)]
            if not own and (quote == '"' or header.startswith("filterd/")
                            and header != "filterd/plugin.h"):
                yield "%s includes %s" % (name, header)


def library_faults():
    for path, name in tree.sources(["filterd", "policy", "plugins"]):
        for quote, header in includes(path):
            for pattern, allowed in LIBRARIES.items():
                if quote == "<" and re.fullmatch(pattern, header) \
                        and folder(name) not in allowed:
                    yield "%s includes <%s>" % (name, header)


def bare_names():
    """An include without its folder, or of a file that is not there."""
    for path, name in tree.sources():
        if name.startswith(TEMPLATE):
            continue
        for quote, header in includes(path):
            if quote == '"' and not (tree.ROOT / header).is_file():
                yield '%s: "%s" is no path from the root' % (name, header)


def public_header():
    """Plugins and those who read their tables, and nobody's copy of it."""
    for path, name in tree.sources():
        for quote, header in includes(path):
            if header.endswith("filterd/plugin.h") and quote == '"':
                yield "%s: write <filterd/plugin.h>" % name


def own_header_late():
    """x.c whose first include is not x.h, where there is one."""
    for path, name in tree.files(".c", parts=["filterd", "policy", "plugins"]):
        header = path.with_suffix(".h")
        found = includes(path)
        own = header.relative_to(tree.ROOT).as_posix()
        if header.is_file() and found and found[0][1] != own:
            yield "%s: %s comes first" % (name, own)


def main():
    tap = tree.Tap()
    tap.point("every file is in a folder of the table", misplaced())
    tap.point("no layer includes a higher one", upwards())
    tap.point("plugins know the public header and themselves", nosy_plugins())
    tap.point("each library is known to its folder alone", library_faults())
    tap.point("every include is written with its folder", bare_names())
    tap.point("the public header is written <filterd/plugin.h>",
              public_header())
    tap.point("a file includes its own header first", own_header_late())
    tap.end()


main()
