# spamscan.py: SpamAssassin's spamd and rspamd, each with rules of the tests'
# own: seven and a half points for SPAM, less for what they were told of the
# client.
#
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import os
import signal

from .program import HOST, Program, children, find, free_port

SPAM = b"filterd's own test spam"

SPAMD_RULES = """
required_score 5
body FILTERD_SPAM /filterd's own test spam/
score FILTERD_SPAM 7.5
header FILTERD_TRACE X-Spam-Relays-Untrusted =~ /^\\[ ip=198\\.51\\.100\\.9 rdns=\\S* helo=mail\\.example\\.org /
score FILTERD_TRACE 0.25
header FILTERD_FROM EnvelopeFrom =~ /^alice\\@example\\.org$/
score FILTERD_FROM 0.25
"""


class Parent(Program):
    """It has workers, who would outlive it when it is killed."""

    def __init__(self, name, argv, directory, port):
        self.port = port
        super().__init__(name, argv, directory)

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    def start(self):
        super().start()
        self.wait_listening(self.port)

    def kill(self):
        workers = children(self.pid) if self.running() else []
        super().kill()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Spamd(Parent):
    """It asks nobody else."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "spamd")
        port = free_port()
        for part in ("site", "rules", "home"):
            os.makedirs(os.path.join(self.directory, part))
        os.chmod(os.path.join(self.directory, "home"), 0o777)
        self.write("site/init.pre",
                   "loadplugin Mail::SpamAssassin::Plugin::Check\n")
        self.write("rules/10_test.cf", SPAMD_RULES)
        super().__init__("spamd", [
            find("spamd"), "--local", "--nouser-config", "--listen", HOST,
            "--port", str(port), "--max-children", "2",
            "--allowed-ips", "127.0.0.0/8",
            "--siteconfigpath", os.path.join(self.directory, "site"),
            "--configpath", os.path.join(self.directory, "rules"),
            "--helper-home-dir", os.path.join(self.directory, "home"),
            "--syslog", "stderr"], directory, port)

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w",
                  encoding="ascii") as file:
            file.write(text)


RSPAMD_CONFIGURATION = """
options {{
    pidfile = "{directory}/pid"; tempdir = "{directory}";
    rundir = "{directory}"; hs_cache_dir = "{directory}";
    control_socket = "{directory}/control";
    dns {{ nameserver = ["{host}:9"]; timeout = 0.1s; retransmits = 1; }}
    filters = ""; url_tld = "{directory}/tld";
}}
logging {{ type = "console"; level = "info"; }}
lua = "{directory}/test.lua";
metric {{ name = "default";
    actions {{ reject = 15; add_header = 6; greylist = 4; }} }}
worker "normal" {{ bind_socket = "{host}:{port}"; count = 1; }}
"""
RSPAMD_RULES = """
rspamd_config.FILTERD_SPAM = { score = 7.5, callback = function(task)
    return string.find(tostring(task:get_rawbody()),
                       "filterd's own test spam", 1, true) ~= nil
end }
rspamd_config.FILTERD_TRACE = { score = 0.25, callback = function(task)
    local from = task:get_from('smtp')
    local to = task:get_recipients('smtp')
    return tostring(task:get_from_ip()) == '198.51.100.9'
        and task:get_helo() == 'mail.example.org'
        and from and from[1].addr == 'alice@example.org'
        and to and to[1].addr == 'bob@example.com'
end }
"""


class Rspamd(Parent):
    """Without its modules."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "rspamd")
        port = free_port()
        os.makedirs(self.directory)
        conf = os.path.join(self.directory, "rspamd.conf")
        for name, text in (
                ("tld", "com\norg\nexample\n"), ("test.lua", RSPAMD_RULES),
                ("rspamd.conf", RSPAMD_CONFIGURATION.format(
                    directory=self.directory, host=HOST, port=port))):
            with open(os.path.join(self.directory, name), "w",
                      encoding="ascii") as file:
                file.write(text)
        super().__init__("rspamd", [find("rspamd"), "--insecure", "--no-fork",
                                    "--config", conf], directory, port)
