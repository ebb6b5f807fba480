# authority.py: certificates of the test's own.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import subprocess

from .program import find

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    def __init__(self, directory, name="authority"):
        self.directory = directory
        self.key = self.path(name + ".key")
        self.file = self.path(name + ".pem")
        self.openssl("req", "-x509", *CURVE, "-keyout", self.key, "-out",
                     self.file, "-days", "3", "-subj", "/CN=" + name)

    def path(self, name):
        return os.path.join(self.directory, name)

    def openssl(self, *words, **options):
        return subprocess.run([find("openssl"), *words], check=True,
                              capture_output=True, timeout=30, **options)

    def issue(self, name, *hosts, days=3):
        """NAME.pem and NAME.key; the paths."""
        chain, key = self.path(name + ".pem"), self.path(name + ".key")
        names = ",".join(f"IP:{host}" if host[0].isdigit() else f"DNS:{host}"
                         for host in hosts)
        request = self.openssl("req", "-new", *CURVE, "-keyout", key, "-subj",
                               "/CN=" + name).stdout
        with open(self.path("extensions"), "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-CA", self.file, "-CAkey", self.key,
                     "-CAcreateserial", "-days", str(days), "-extfile",
                     self.path("extensions"), "-out", chain, input=request)
        return chain, key
