# message.py: a message that was delivered, and questions to it.
#
# SPDX-License-Identifier: BSD-2-Clause
import re

# What a mail server adds on top when it takes and delivers mail.
TRACE = ("return-path", "x-original-to", "delivered-to", "envelope-to")


class Delivered:
    def __init__(self, octets, recipients, sender=None, xclient=None):
        self.octets = octets
        self.recipients = recipients
        self.sender = sender
        self.xclient = xclient or {}
        head, _, self.body = octets.partition(b"\r\n\r\n")
        unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
        self.fields = [tuple(part.strip() for part in
                             line.decode("utf-8", "replace").split(":", 1))
                       for line in unfolded.split(b"\r\n")]

    def named(self, name):
        """The values of all fields of that name, from the top."""
        return [value for key, value in self.fields
                if key.lower() == name.lower()]

    def first(self):
        """The name of the field on top."""
        return self.fields[0][0]

    def without_received(self, hostname):
        """As if that server had not put its own line of trace there."""
        octets = re.sub(rb"(?m)^Received: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*?"
                        rb"[ \t]+by " + hostname.encode()
                        + rb" [^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"",
                        self.octets, count=1)
        return Delivered(octets, self.recipients, self.sender, self.xclient)

    def without_backend(self, hostname):
        """As it came to the backend: its own fields on top taken away."""
        lines = self.octets.split(b"\r\n")
        while lines:
            name = lines[0].split(b":")[0].decode("ascii", "replace").lower()
            end = 1
            while lines[end][:1] in (b" ", b"\t"):
                end += 1
            field = b" ".join(lines[:end]).decode("utf-8", "replace")
            if name not in TRACE and not (
                    name == "received" and f"by {hostname}" in field):
                break
            lines = lines[end:]
        return Delivered(b"\r\n".join(lines), self.recipients, self.sender,
                         self.xclient)
