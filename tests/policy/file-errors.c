/* file-errors.c: what is said of files, settings and plugins that are wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

static const WorldCase lexing[] = {
    {"set user \"joe\n",
     "1:10: this text has no end | a text ends with `\"` on its line\n"},
    {"set user jo;e\n"
     "set user ^ $\n",
     "2:5: `user` is given twice | it is given in line 1 already\n"},
    {"@\n", "1:1: no statement `@` | there is include, set, listen, backend, "
            "dns, store, use, list, map, let, at or test\n"},
    {"set group \"a\\qb\"\n",
     "1:13: no escape `\\q` | a text knows \\\" and \\\\ only\n"},
    {"! set user joe\n", "1:1: `!` is written `not`\n"},
};

static const WorldCase statements[] = {
    {"lisen smtp 0.0.0.0:25\n",
     "1:1: no statement `lisen`; did you mean `listen`?\n"},
    {"\"text\"\n", "1:1: expected a statement, found a text\n"},
    {"at rcp { }\n", "1:4: no stage `rcp`; did you mean `rcpt`?\n"},
    {"at rcpt {\n"
     "    pass x\n",
     "3:1: the block opened in line 1 is not closed | a `}` is missing\n"},
    {"at rcpt {\n"
     "    pass x\n"
     "\n"
     "set user joe\n",
     "4:1: the block opened in line 1 is not closed | a `}` is missing\n"},
    {"}\n"
     "set user joe\n",
     "1:1: this `}` closes nothing | a `}` too many, here or further up\n"},
    {"include \"nosuch.conf\"\n",
     "1:9: cannot read `nosuch.conf`: no such file\n"},
    {"include \"inner.conf\"\n"
     "set user 3 4\n",
     "inner.conf:2:14: nothing stands behind `if`\n"
     "2:12: `4` is one too many: the statement `set` is complete\n"},
    {"include \"open.conf\"\n"
     "set user joe\n",
     "open.conf:2:1: the block opened in line 1 is not closed | a `}` is "
     "missing\n"},
    {"include \"names.conf\"\n"
     "set workers 2\n"
     "use spf\n"
     "store memory\n"
     "list ours of domain { a.example }\n"
     "at mail { reject x }\n",
     "2:5: `workers` is given twice | it is given in line 1 of `names.conf` "
     "already\n"
     "3:5: `spf` is used twice | it is used in line 2 of `names.conf` already; "
     "give this one a name of its own with `as`\n"
     "4:1: `store` is given twice | it is given in line 3 of `names.conf` "
     "already\n"
     "5:6: the name `ours` is declared twice | it is in line 4 of `names.conf` "
     "already\n"
     "6:18: a rule `x` is at `mail` already | it is in line 5 of "
     "`names.conf`\n"},
    {"at rcpt { reject x if rcpt.domain in ours and odd }\n"
     "include \"lists.conf\"\n",
     "1:38: the list `ours` is declared below its use | it is in line 1 of "
     "`lists.conf`\n"
     "1:47: `odd` is declared below its use | it is in line 2 of "
     "`lists.conf`\n"},
    {"listen smtp 25\n",
     "1:13: this is no address to use: \"25\": it needs an address and a port; "
     "did you mean `0.0.0.0:25`? | such as 0.0.0.0:25, [::1]:25 or "
     "\"unix:/run/filterd/x\"\n"},
    {"backend smtp *:10025\n",
     "1:14: this is no address to use: \"*:10025\": not an address (IPv6 ones "
     "stand in brackets); did you mean `127.0.0.1:10025`? | such as "
     "0.0.0.0:25, [::1]:25 or \"unix:/run/filterd/x\"\n"},
    {"backend smtp mail.example.com:25\n",
     "1:14: this is no address to use: \"mail.example.com:25\": not an address "
     "(IPv6 ones stand in brackets) | a host is not looked up by its name "
     "here: give its address\n"},
    {"listen\n", "2:1: expected smtp, lmtp, milter, policy or http, but the "
                 "file ends here\n"},
    {"include \"loop.conf\"\n", "t2.conf:1:9: `loop.conf` includes itself\n"},
    {"include \"t.conf\"\n", "1:9: `t.conf` includes itself\n"},
    {"include\n", "2:1: expected a path, but the file ends here\n"},
    {"map x of ip to text from \"quoted-keys\"\n",
     "quoted-keys:1:1: a key of a map file stands without quotes and commas | "
     "192.0.2.1\n"},
    {"map x of ip to int from \"quoted-values\"\n",
     "quoted-values:1:12: a value of a map file stands without quotes and "
     "commas | 5\n"
     "quoted-values:2:11: a value of a map file stands without quotes and "
     "commas | 7\n"},
    {"list x of domain from \"quoted-list\"\n",
     "quoted-list:2:3: an entry of a list file stands without quotes and "
     "commas | example.org\n"},
    {"list x of colour { red }\n",
     "1:11: no type `colour` | there is ip, domain, address, text, word, int, "
     "duration or pattern\n"},
    {"list x { red }\n",
     "1:8: expected `of`, found `{` | list NAME of TYPE { … }\n"},
    {"list x of ip red\n",
     "1:14: expected `{` or `from`, found `red` | list NAME of TYPE { … }\n"},
    {"list if\n"
     "list x of ip { 192.0.2.1 192.0.2.300 }\n",
     "2:1: expected `of`, found `list` | list NAME of TYPE { … }\n"
     "2:26: `192.0.2.300` is not an ip | such as 192.0.2.1, 192.0.2.0/24 or "
     "2001:db8::/32\n"},
    {"list x of domain from \"bad.list\"\n"
     "at mail { accept a if mail.domain in x }\n",
     "bad.list:2:1: `bad..x` is not a domain | such as example.com\n"},
    {"list x of domain from \"nosuch.list\"\n"
     "at mail { accept a if mail.domain in x }\n",
     "1:23: cannot read `nosuch.list`: no such file\n"},
    {"list x of ip { }\n"
     "let x = client.fcrdns\n",
     "2:5: the name `x` is declared twice | it is in line 1 already\n"},
    {"let score = client.fcrdns\n", "1:5: `score` is the name of a fact\n"},
    {"map x of text to int { a 1 b }\n",
     "1:28: this key has no value | a key, white space, a value\n"},
    {"map x of text to int { a b }\n",
     "1:24: `b` is not an int | such as 5, -2 or 10M\n"},
    {"map x of text to int { a 1 A 2 }\n"
     "let y = x[\"a\"]\n"
     "at mail { accept z if y = 1 }\n",
     "1:28: the key `A` is there twice\n"},
    {"let x =\n", "2:1: expected a fact or a value, but the file ends here\n"},
    {"let a_b/c = client.fcrdns\n",
     "1:5: `a_b/c` cannot be a name | a name has letters, digits, `-`, `_` and "
     "`.` and begins with a letter or digit\n"},
};

static const WorldCase settings[] = {
    {"set hostname\n",
     "1:5: `hostname` needs a value: a domain | such as example.com\n"},
    {"set hostname foo..bar\n",
     "1:14: `foo..bar` is not a domain | such as example.com\n"},
    {"set hostname a.example\n"
     "set hostname b.example\n",
     "2:5: `hostname` is given twice | it is given in line 1 already\n"},
    {"set log jsn\n",
     "1:9: `log` cannot be `jsn`; did you mean `json`? | it is text or json\n"},
    {"set workers -1\n", "1:13: `workers` has to be between 0 and 1024\n"},
    {"set max-message-size 10X\n",
     "1:22: `10X` is not an int | such as 5, -2 or 10M\n"},
    {"set authentication-results maybe\n",
     "1:28: `maybe` is not a bool | yes or no\n"},
    {"set drain-timeout 300\n",
     "1:19: `300` is not a duration | give a unit, such as 30s, 30m, 30h or "
     "30d\n"},
    {"set quarantine\n"
     "set user joe\n",
     "1:5: `quarantine` needs a value: a word | mark or spool\n"},
    {"listen smpt 0.0.0.0:25\n",
     "1:8: no protocol `smpt`; did you mean `smtp`?\n"},
    {"listen milter 127.0.0.1:1 { greeting-delay 5s max-sessions 9 }\n"
     "listen policy 127.0.0.1:2 { tls off command-timeout 1s }\n"
     "listen http 127.0.0.1:3 { max-sessions 9 }\n",
     "1:29: `greeting-delay` is for `smtp` and `lmtp`, not for `milter`\n"
     "2:29: `tls` is for `smtp` and `lmtp`, not for `policy`\n"
     "2:37: `command-timeout` is for `smtp`, `lmtp` and `milter`, not for "
     "`policy`\n"
     "3:27: `max-sessions` is for mail, not for `http`\n"},
    {"listen smtp 0.0.0.0:25 { mode 0600 }\n",
     "1:26: only a unix socket has `mode` | leave it out, or listen on "
     "\"unix:PATH\"\n"},
    {"listen smtp \"unix:/run/x\" { mode 1777 }\n",
     "1:29: `1777` is no mode | three octal digits, such as 0660\n"},
    {"listen smtp \"unix:/run/x\" { mode 0680 }\n",
     "1:29: `0680` is no mode | three octal digits, such as 0660\n"},
    {"listen smtp 0.0.0.0\n",
     "1:13: this is no address to use: \"0.0.0.0\": it needs an address and a "
     "port | such as 0.0.0.0:25, [::1]:25 or \"unix:/run/filterd/x\"\n"},
    {"listen smtp 0.0.0.0:25 { tls opportunistic }\n",
     "1:26: TLS needs a `certificate` | certificate \"/etc/filterd/mx.pem\"\n"
     "1:26: TLS needs a `key` | key \"/etc/filterd/mx.key\"\n"},
    {"listen smtp 0.0.0.0:25 { key \"mx.key\" }\n",
     "1:26: there are 1 keys and 0 certificates | the same number of both, in "
     "one order\n"
     "1:30: cannot read `mx.key`: no such file\n"},
    {"backend smtp \"unix:/run/x\" { tls verified }\n",
     "1:30: a socket has no host to verify: it needs a `name` | name "
     "mail.example.com\n"},
    {"backend smtp \"unix:/run/x\" { source client }\n",
     "1:30: a connection to a socket has no source | leave `source` out\n"},
    {"backend smtp 127.0.0.1:25 { source clients }\n",
     "1:29: `clients` is no source | own, client or an address of this "
     "machine, such as 192.0.2.1\n"},
    {"backend smtp 127.0.0.1:25 { source 127.0.0.0/8 }\n",
     "1:29: `127.0.0.0/8` is no source | own, client or an address of this "
     "machine, such as 192.0.2.1\n"},
    {"backend smtp 127.0.0.1:25 { source ::1 }\n",
     "1:29: one of `source` and the backend is IPv4, one IPv6\n"},
    {"listen smtp 0.0.0.0:25 { tls sometimes }\n",
     "1:30: `tls` cannot be `sometimes` | it is off, opportunistic, required "
     "or implicit\n"},
    {"listen smtp 0.0.0.0:25 { proxy-from 192.0.2.0/24 xclient-form 192.0.2.1 "
     "}\n",
     "1:50: `listen` has no option `xclient-form`; did you mean "
     "`xclient-from`?\n"},
    {"listen smtp 0.0.0.0:25 { command-timeout 5m command-timeout 6m }\n",
     "1:45: `command-timeout` is given twice | it is given in line 1 "
     "already\n"},
    {"listen smtp 0.0.0.0:25 { certificate \"nosuch.pem\" }\n",
     "1:38: cannot read `nosuch.pem`: no such file\n"},
    {"listen smtp 0.0.0.0:25 { max-sessions }\n",
     "1:26: `max-sessions` needs a value: an int | such as 5, -2 or 10M\n"},
    {"listen smtp 0.0.0.0:25 { max-sessions 5\n",
     "2:1: the block opened in line 1 is not closed | a `}` is missing\n"},
    {"backend milter 127.0.0.1:25\n",
     "1:9: no protocol `milter` | there is smtp or lmtp\n"},
    {"backend smtp 127.0.0.1:25 { identity xclent }\n",
     "1:38: `identity` cannot be `xclent`; did you mean `xclient`? | it is "
     "none, xclient, xforward, proxy-v1 or proxy-v2\n"},
    {"dns\n", "2:1: expected `{`, but the file ends here\n"},
    {"dns { resolver 192.0.2.53 }\n",
     "1:7: `192.0.2.53` is no resolver | system, recursive or ADDRESS@PORT, "
     "such as 192.0.2.53@53\n"},
    {"dns { timeout 5s }\n"
     "dns { budget 5s }\n",
     "2:1: `dns` is given twice | it is given in line 1 already\n"},
    {"store mysql \"x\"\n",
     "1:7: no store `mysql` | there is memory, sqlite or redis\n"},
    {"store sqlite\n", "2:1: expected a path, but the file ends here\n"},
    {"store memory { max-entries 10 }\n",
     "1:28: `max-entries` has to be between 1000 and 1000000000\n"},
    {"store memory { path \"x\" }\n",
     "1:16: `store` has no option `path` | there is max-entries\n"},
    {"store sqlite \"x\" { timeout 1s }\n",
     "1:20: `store` has no option `timeout` | `timeout` is an option of `dns` "
     "or `store redis`\n"},
    {"store redis\n",
     "2:1: expected an address with its port, but the file ends here\n"},
    {"store redis redis.example.com:6379\n",
     "1:13: this is no address to use: \"redis.example.com:6379\": not an "
     "address (IPv6 ones stand in brackets) | such as 127.0.0.1:6379, "
     "[::1]:6379 or \"unix:/run/redis/redis.sock\"\n"},
    {"store redis 127.0.0.1:0\n",
     "1:13: \"127.0.0.1:0\": nobody listens on port 0 | 6379 is usual\n"},
    {"store redis 127.0.0.1:1 { node 127.0.0.1:2 127.0.0.1 }\n",
     "1:27: this is no address to use: \"127.0.0.1\": it needs an address and "
     "a port | such as 127.0.0.1:6379, [::1]:6379 or "
     "\"unix:/run/redis/redis.sock\"\n"},
    {"store redis 127.0.0.1:1 { user joe }\n",
     "1:27: a `user` needs a `password` | password "
     "\"/etc/filterd/redis.password\"\n"},
    {"store redis 127.0.0.1:1 { password \"nosuch.password\" }\n",
     "1:36: cannot read `nosuch.password`: no such file\n"},
    {"store redis 127.0.0.1:1 { password \"empty.password\" }\n",
     "1:27: there is no password in this file | one line with the password in "
     "it\n"},
    {"store redis 127.0.0.1:1 { password \"two.password\" }\n",
     "1:27: there is no password in this file | one line with the password in "
     "it\n"},
    {"store redis 127.0.0.1:1 { timeout 0 database 99999 }\n",
     "1:35: `timeout` has to be between 1ms and 1m\n"
     "1:46: `database` has to be between 0 and 65535\n"},
    {"store redis 127.0.0.1:1 { prefix \"a b\" }\n",
     "1:27: a prefix has at most 64 octets, without spaces | such as "
     "filterd:\n"},
    {"store redis 127.0.0.1:1 { tls opportunistic }\n",
     "1:31: `tls` cannot be `opportunistic` | it is off, required or "
     "verified\n"},
    {"store redis 127.0.0.1:1 { tls required name x.example }\n",
     "1:40: without `tls verified` nothing is verified by `name` | tls "
     "verified\n"},
    {"store redis \"unix:/run/r\" { tls verified }\n",
     "1:29: a socket has no host to verify: it needs a `name` | name "
     "redis.example.com\n"},
    {"store memory\n"
     "store memory\n",
     "2:1: `store` is given twice | it is given in line 1 already\n"},
};

static const WorldCase plugins[] = {
    {"use nosuch { a b { c } d }\n"
     "at mail { reject x if nosuch.result = 5 }\n",
     "1:5: cannot load the plugin `nosuch`: no such plugin\n"},
    {"use spf\n"
     "use spf\n",
     "2:5: `spf` is used twice | it is used in line 1 already; give this one a "
     "name of its own with `as`\n"},
    {"use spf { isolation proces }\n",
     "1:21: `isolation` cannot be `proces`; did you mean `process`? | it is "
     "none or process\n"},
    {"use spf { isolation-memory 1M }\n",
     "1:28: `isolation-memory` has to be between 16777216 and 68719476736\n"},
    {"use dnsbl as mail\n", "1:14: `mail` is a name of filterd's own facts | "
                            "give it another name with `as`\n"},
    {"use strict\n", "1:5: `strict` needs `needed` | \n"},
    {"use needy\n",
     "1:5: `needy` needs the fact `spf.result`, which nobody has | use spf\n"},
    {"use probe { count 200000 }\n",
     "1:19: `count` has to be between 1 and 100000\n"},
    {"use probe { delay 10ms }\n",
     "1:19: `delay` has to be between 1s and 1d\n"},
    {"use probe { flag 2 }\n", "1:18: `2` is not a bool | yes or no\n"},
    {"use probe { network example.com }\n",
     "1:21: `example.com` is not an ip | such as 192.0.2.1, 192.0.2.0/24 or "
     "2001:db8::/32\n"},
    {"use probe { word purple }\n",
     "1:18: `word` cannot be `purple` | it is red, green or blue\n"},
    {"use probe { address \"a b\" }\n",
     "1:21: `a b` is not an address | such as \"user@example.com\"\n"},
    {"use probe { zone }\n", "1:13: `zone` needs `NAME` | \n"},
    {"use probe { zone 192.0.2.1/99 }\n",
     "1:18: `192.0.2.1/99` is not a domain | such as example.com\n"},
    {"use probe { zone a.example 127.0.0.2 weight }\n",
     "1:38: `weight` needs a value: an int | such as 5, -2 or 10M\n"},
    {"use probe { zone a.example 127.0.0.2 weight 5 weight 6 }\n",
     "1:47: `weight` is given twice | it is given in line 1 already\n"},
    {"use probe { zone a.example 127.0.0.2 weight 500 }\n",
     "1:45: `weight` has to be between -9 and 99\n"},
    {"use probe { zone a.example 127.0.0.2 heavy 5 }\n",
     "1:38: `heavy` is not an ip | such as 192.0.2.1, 192.0.2.0/24 or "
     "2001:db8::/32\n"},
    {"use probe { networks 192.0.2.1 nonet }\n",
     "1:32: `probe` has no option `nonet`; did you mean `zone`?\n"},
    {"use probe { cuont 5 delay 5x flag perhaps }\n",
     "1:13: `probe` has no option `cuont`; did you mean `count`?\n"
     "1:27: `5x` is not a duration | such as 500ms, 10s, 5m, 2h or 7d\n"
     "1:35: `perhaps` is not a bool | yes or no\n"},
};

static void
test_lexing(void)
{
    world_check(lexing, G_N_ELEMENTS(lexing));
    world_clear();
}

static void
test_statements(void)
{
    world_file("bad.list", "a.example\nbad..x # c\n");
    world_file("quoted-keys", "\"192.0.2.1\", x\n");
    world_file("quoted-values", "192.0.2.1  \"5\"\n192.0.2.2 7,\n");
    world_file("quoted-list", "a.example\n  \"example.org\",\n");
    world_file("loop.conf", "set workers 1\ninclude \"t2.conf\"\n");
    world_file("t2.conf", "include \"loop.conf\"\n");
    world_file("inner.conf", "at rcpt {\n    reject x if\n}\n");
    world_file("open.conf", "at rcpt {\n");
    world_file("names.conf", "set workers 1\n"
                             "use spf\n"
                             "store memory\n"
                             "list ours of domain { a.example }\n"
                             "at mail { reject x if mail.domain in ours }\n");
    world_file("lists.conf", "list ours of domain { a.example }\n"
                             "let odd = not client.fcrdns\n");
    world_check(statements, G_N_ELEMENTS(statements));
    world_clear();
}

static void
test_settings(void)
{
    world_file("empty.password", "\n");
    world_file("two.password", "one\ntwo\n");
    world_check(settings, G_N_ELEMENTS(settings));
    world_clear();
}

static void
test_plugins(void)
{
    world_check(plugins, G_N_ELEMENTS(plugins));
    world_clear();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/errors/characters-and-texts", test_lexing);
    g_test_add_func("/policy/errors/statements-and-files", test_statements);
    g_test_add_func("/policy/errors/settings", test_settings);
    g_test_add_func("/policy/errors/plugins-and-their-options", test_plugins);
    return g_test_run();
}
