# asking.py: Postfix as the mail server in front, which asks filterd's policy
# service at every stage.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re

from .postfix import Door, Postfix
from .program import HOST, free_port

# The service stands before what refuses to relay: an accept must not skip it.
MAIN = """
smtpd_client_restrictions = check_policy_service {service}
smtpd_helo_restrictions = check_policy_service {service}
smtpd_sender_restrictions = check_policy_service {service}
smtpd_relay_restrictions =
smtpd_recipient_restrictions = check_policy_service {service},
    reject_unauth_destination
smtpd_data_restrictions = check_policy_service {service}
smtpd_end_of_data_restrictions = check_policy_service {service}
smtpd_etrn_restrictions = check_policy_service {service}
smtpd_upstream_proxy_protocol = haproxy
smtpd_tls_security_level = may
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_tls_CAfile = {authority}
smtpd_tls_ask_ccert = yes
smtpd_tls_fingerprint_digest = sha256
smtpd_sasl_auth_enable = yes
fast_flush_domains =
"""

# Where each stage is asked about when it comes.
MASTER = """
{host}:{eager_port} inet n - n - - smtpd
  -o smtpd_delay_reject=no
tlsmgr unix - - n 1000 1 tlsmgr
"""


class Asking(Postfix):
    """`service` as check_policy_service has it; certificates of `authority`."""

    def __init__(self, directory, service, authority):
        self.service = service
        self.authority = authority
        self.eager_port = free_port()
        super().__init__(directory)

    def prepare(self, owner):
        self.chain, self.key = self.authority.issue("inner",
                                                    "inner.example.com")
        super().prepare(owner)

    def write(self, name, text):
        more = {"main.cf": MAIN.format(service=self.service, chain=self.chain,
                                       key=self.key,
                                       authority=self.authority.file),
                "master.cf": MASTER.format(host=HOST,
                                           eager_port=self.eager_port)}
        if name == "main.cf":
            text = re.sub("^smtpd_relay_restrictions.*\n", "", text,
                          flags=re.MULTILINE)
        super().write(name, text + more.get(name, ""))

    def start(self):
        super().start()
        self.wait_listening(self.eager_port)

    def eager(self):
        return Door(self.eager_port)

    def held(self):
        """The names of what is in the hold queue."""
        path = os.path.join(self.directory, "queue", "hold")
        return os.listdir(path) if os.path.isdir(path) else []

    def queue_empty(self):
        """What is held stays."""
        text = self.log_text()
        return super().queue_empty() or "hold:" in text
