# sendmail.py: Sendmail as the mail server that asks a milter, with everything of
# its own; what it takes goes on to a sink.
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import shlex
import shutil
import signal
import subprocess

from .beside import HOSTNAME, UNPACKED, Beside
from .failure import Missing
from .program import (HOST, PATIENCE, children, find, free_port,
                      wait_until)
from .smtp import SmtpClient

MACROS = os.path.join(UNPACKED, "sendmail-cf", "usr/share/sendmail/cf")
HOME = "/mnt"
CF = HOME + "/sendmail.cf"
# Who comes from there has a name, and back; the other has none.
CLIENT, STRANGER = "127.0.0.9", "127.0.0.66"
CLIENT_NAME = "mail.example.org"
USER, PASSWORD = "alice", "Pa55 w0rd!"
SASL = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n" \
    "sasldb_path: /mnt/users\nmech_list: PLAIN\n"

# However busy the machine is; what is for example.com goes on to the sink.
CONFIGURATION = """divert(-1)
include(`{macros}/m4/cf.m4')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{hostname}')dnl
define(`confMAX_MESSAGE_SIZE', `52428800')dnl
define(`confSERVICE_SWITCH_FILE', `{home}/switch')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confTO_IDENT', `0')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confQUEUE_LA', `10000')dnl
define(`confTO_ICONNECT', `5s')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confPID_FILE', `{home}/pid')dnl
define(`confCOPY_ERRORS_TO', `')dnl
define(`STATUS_FILE', `{home}/statistics')dnl
define(`ALIAS_FILE', `')dnl
define(`QUEUE_DIR', `{home}/queue')dnl
define(`confMILTER_LOG_LEVEL', `14')dnl
define(`confCW_FILE', `-o {home}/none')dnl
define(`SMART_HOST', `relay:[{host}]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {next_port}')dnl
define(`confAUTH_MECHANISMS', `PLAIN')dnl
define(`confAUTH_OPTIONS', `')dnl
{tls}
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
RELAY_DOMAIN(`example.com example.net forwarded.example')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
DAEMON_OPTIONS(`Name=MTA, Addr={host}, Port={port}')dnl
DAEMON_OPTIONS(`Name=MTA6, Family=inet6, Addr=::1, Port={port6}')dnl
{milter}
MAILER(`smtp')dnl
LOCAL_CONFIG
ESASL_CONF_PATH={home}
"""
MILTER = "INPUT_MAIL_FILTER(`filterd', `S=inet:{port}@{host}, F=T, " \
    "T=C:10s;S:17s;R:17s;E:17s')dnl"
TLS = "define(`confSERVER_CERT', `{home}/inner.pem')dnl\n" \
    "define(`confSERVER_KEY', `{home}/inner.key')dnl\n" \
    "define(`confCACERT', `{home}/authority.pem')dnl\n" \
    "define(`confCACERT_PATH', `{home}')dnl\n"


class Sendmail(Beside):
    """It has TLS by `authority`. `milter`: lines of a .mc, instead of those that
    ask `milter_port`. To itself its folder is HOME."""

    kind = "sendmail"
    package = "sendmail-bin"
    users = ("smmta", "smmsp")

    def __init__(self, directory, sink, authority=None, milter=None,
                 milter_port=None):
        super().__init__(directory)
        if not os.path.isdir(MACROS):
            raise Missing("sendmail-cf is not unpacked")
        self.sink = sink
        self.milter_port = milter_port or free_port()
        self.port6 = free_port("::1")
        self.program = os.path.join(self.tree, "usr/libexec/sendmail/sendmail")
        os.mkdir(self.path("queue"), 0o700)
        self.write_configuration(
            next_port=sink.port,
            milter=milter or MILTER.format(port=self.milter_port, host=HOST),
            tls=self.tls_lines(authority))
        self.write_begin(
            [f"mount --bind {shlex.quote(self.directory)} {HOME}",
             f"mount --bind {HOME}/hosts /etc/hosts"],
            [self.program, "-C", CF, "-bD"])

    def tls_lines(self, authority):
        if authority is None:
            return ""
        for path in (*authority.issue("inner", HOSTNAME), authority.file):
            shutil.copy(path, self.directory)
        os.chmod(self.path("inner.key"), 0o600)
        return TLS.format(home=HOME)

    def write_configuration(self, **values):
        self.write("sendmail.mc", CONFIGURATION.format(
            macros=MACROS, hostname=HOSTNAME, host=HOST, port=self.port,
            port6=self.port6, home=HOME, **values))
        run = subprocess.run(
            [find("m4"), f"-D_CF_DIR_={MACROS}/", self.path("sendmail.mc")],
            capture_output=True, text=True, check=True)
        self.write("sendmail.cf", run.stdout)
        self.write("switch", "hosts files\naliases files\n")
        self.write("hosts", f"{CLIENT} {CLIENT_NAME}\n{HOST} {HOSTNAME}\n"
                            "127.0.0.1 localhost\n::1 localhost\n")
        self.write("Sendmail.conf", SASL)

    def open_to_users(self):
        """USER may authenticate."""
        subprocess.run([find("saslpasswd2"), "-p", "-c", "-f",
                        self.path("users"), "-u", HOSTNAME, USER],
                       input=PASSWORD, text=True, check=True)
        os.chmod(self.path("users"), 0o600)

    def stop(self, patience=PATIENCE):
        """Its sessions are processes that would outlive it."""
        for pid in children(self.pid) if self.running() else []:
            os.kill(pid, signal.SIGKILL)
        return super().stop(patience)

    def connect(self, source=CLIENT, **options):
        return SmtpClient(HOST, self.port, source=source, **options)

    def run(self, *words, **options):
        """Sendmail itself, beside the daemon."""
        return subprocess.run(
            [find("nsenter"), "-m", "-t", str(self.pid), self.program, "-C",
             CF, *words], capture_output=True, text=True, check=True,
            timeout=60, **options).stdout

    # ---- what it has -------------------------------------------------------

    def delivered(self, count=0):
        """What the sink has, once there are `count` messages and no more are
        under way."""
        wait_until(lambda: len(self.sink.delivered()) >= count
                   and not self.queued(), f"Sendmail delivers {count} messages")
        return [message.without_backend(HOSTNAME)
                for message in self.sink.delivered()]

    def queue(self, kind):
        """The ids of what is in the queue: q for mail under way, h for held."""
        return sorted(name[2:] for name in os.listdir(self.path("queue"))
                      if name.startswith(kind + "f"))

    def queued(self):
        return self.queue("q")

    def held(self):
        return self.queue("h")

    def release(self):
        """What is on hold goes on."""
        self.run("-qQ", "-Q")
        self.run("-q")
