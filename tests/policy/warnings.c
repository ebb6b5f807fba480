/* warnings.c: what is legal and probably not meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/policy/world.h"

static const WorldCase warnings[] = {
    {PLUGINS "at mail {\n"
             "accept all\n"
             "reject x if mail.size > 5\n"
             "score 5 z\n"
             "}\n",
     "4:8: warning: `x` can never fire | `all` in line 3 ends the stage for "
     "everyone\n"},
    {PLUGINS "at mail {\n"
             "accept all if true\n"
             "reject x if mail.size > 5\n"
             "}\n",
     "4:8: warning: `x` can never fire | `all` in line 3 ends the stage for "
     "everyone\n"},
    {PLUGINS "at mail {\n"
             "reject x if false\n"
             "}\n",
     "3:8: warning: `x` can never fire | its condition is always no\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size > 5 and not on\n"
             "}\n",
     "3:8: warning: `x` can never fire | its condition is always no\n"},
    {PLUGINS "at mail {\n"
             "would reject all\n"
             "reject x if mail.size > 5\n"
             "}\n",
     ""},
    {"list ours of domain { example.com }\n"
     "let big = mail.size > 5\n"
     "map m of text to int { a 1 }\n",
     "1:6: warning: the list `ours` is not used | ask `… in ours`, or leave it "
     "out\n"
     "2:5: warning: the let `big` is not used | ask `… if big`, or leave it "
     "out\n"
     "3:5: warning: the map `m` is not used | ask `m[…]`, or leave it out\n"},
    {PLUGINS "at mail {\n"
             "reject x if mail.size > 5 and (spf.result = fail or spf.result = "
             "temperror)\n"
             "}\n",
     "3:8: warning: `x` refuses for good what a passing DNS fault made "
     "temperror | use `tempfail`: it will be asked again\n"},
    {PLUGINS "at mail {\n"
             "tempfail x if spf.result = temperror\n"
             "}\n",
     ""},
    {PLUGINS "at mail {\n"
             "reject x if spf.result != temperror\n"
             "}\n",
     ""},
    {PLUGINS "at message {\n"
             "reject x if dmarc.result = fail and dmarc.policy = reject\n"
             "}\n",
     "3:8: warning: `x` rejects on DMARC alone | RFC 9989 7.4: ask for other "
     "evidence too, such as `and spf.result = fail`\n"},
    {PLUGINS "at message {\n"
             "would reject x if dmarc.result = fail and dmarc.policy = reject\n"
             "}\n",
     ""},
    {PLUGINS "at message {\n"
             "reject x if dmarc.result = fail and spf.result = fail\n"
             "}\n",
     ""},
    {PLUGINS "at message {\n"
             "quarantine x if dmarc.disposition = reject\n"
             "}\n",
     ""},
    {"use spf\n"
     "use dmarc as d\n",
     "2:5: warning: `d` never says fail without `dkim`: what does not pass is "
     "temperror | use dkim\n"},
    {"use dkim as signed\n"
     "use dmarc\n",
     "2:5: warning: `dmarc` never says fail without `spf`: what does not pass "
     "is temperror | use spf\n"},
    {"listen smtp 0.0.0.0:25\n"
     "backend smtp 127.0.0.1:26\n",
     "2:1: warning: no rule refuses on `rcpt.domain`: an open relay, if the "
     "backend trusts filterd | at rcpt { reject relay if rcpt.domain not in "
     "ours }\n"},
    {"listen smtp 0.0.0.0:25\n"
     "backend smtp 127.0.0.1:26\n"
     "at mail { pass x }\n"
     "at rcpt { reject x if rcpt.count > 5 }\n",
     "4:1: warning: no rule refuses on `rcpt.domain`: an open relay, if the "
     "backend trusts filterd | at rcpt { reject relay if rcpt.domain not in "
     "ours }\n"},
    {"listen smtp 0.0.0.0:25\n"
     "backend smtp 127.0.0.1:26\n"
     "list ours of domain { a.example }\n"
     "at rcpt { reject x if rcpt.domain not in ours }\n",
     ""},
    {"listen milter 0.0.0.0:25\n", ""},
    {"", "1:1: warning: there is no statement in this file | nothing listens "
         "and nothing is judged by it\n"},
    {"# set workers 5\n", "1:1: warning: there is no statement in this file | "
                          "nothing listens and nothing is judged by it\n"},
    {"include \"empty.conf\"\n",
     "empty.conf:1:1: warning: there is no statement in this file | nothing "
     "listens and nothing is judged by it\n"},
    {"include \"comment.conf\"\n", ""},
    {"include \"all.conf\"\n"
     "at mail { pass x }\n",
     "2:16: warning: `x` can never fire | `all` in line 2 of `all.conf` ends "
     "the stage for everyone\n"},
    {"include \"all.conf\"\n"
     "at rcpt { pass x }\n",
     "2:16: warning: `x` can never fire, nor any rule of a later stage than "
     "`mail` | `all` in line 2 of `all.conf` accepts everyone at `mail` "
     "already\n"},
};

/* Each ends for everyone what later stages would judge. */
static const WorldCase later[] = {
    {"at connect { accept all }\n"
     "at rcpt { score 1 x }\n"
     "at message { reject y if client.tls }\n",
     "2:19: warning: `x` can never fire, nor any rule of a later stage than "
     "`connect` | `all` in line 1 accepts everyone at `connect` already\n"},
    {"at helo { reject all if true }\n"
     "at mail { rewrite set-sender(\"\") }\n",
     "2:19: warning: `set-sender` can never fire, nor any rule of a later "
     "stage "
     "than `helo` | `all` in line 1 rejects everyone at `helo` already\n"},
    {"at mail { tempfail all }\n"
     "at message { pass x }\n",
     "2:19: warning: `x` can never fire, nor any rule of a later stage than "
     "`mail` | `all` in line 1 tempfails everyone at `mail` already\n"},
    {"at rcpt { disconnect all }\n"
     "at message { pass x }\n",
     "2:19: warning: `x` can never fire, nor any rule of a later stage than "
     "`rcpt` | `all` in line 1 disconnects everyone at `rcpt` already\n"},
    {"at data { discard all }\n"
     "at message { pass x }\n",
     "2:19: warning: `x` can never fire, nor any rule of a later stage than "
     "`data` | `all` in line 1 discards everyone at `data` already\n"},
    {"at message { pass x }\n"
     "at connect { accept all }\n",
     "1:19: warning: `x` can never fire, nor any rule of a later stage than "
     "`connect` | `all` in line 2 accepts everyone at `connect` already\n"},
    {"at connect { pass all }\n"
     "at mail { quarantine most }\n"
     "at rcpt { would reject some }\n"
     "at data { canary 5% reject few }\n"
     "at message { reject x if client.tls }\n",
     ""},
    {"at message { accept all }\n"
     "at connect { reject x if client.tls }\n",
     ""},
};

#define TWICE(place, said, right)                             \
    place ": warning: the client is told codes twice: `" said \
          "` | codes stand before the text: reply " right "\n"

static const WorldCase replies[] = {
    {"at rcpt { reject x reply \"550 5.1.1 go {rcpt.to}\" }\n",
     TWICE("1:26", "550 5.7.1 550 5.1.1 go {rcpt.to}",
           "550 5.1.1 \"go {rcpt.to}\"")},
    {"at rcpt { reject x reply 554 \"5.1.1 away\" }\n",
     TWICE("1:30", "554 5.7.1 5.1.1 away", "554 5.1.1 \"away\"")},
    {"at rcpt { reject x reply 554 5.1.2 \"550-5.1.1 away\" }\n",
     TWICE("1:36", "554 5.1.2 550-5.1.1 away", "554 5.1.2 \"away\"")},
    {"at rcpt { tempfail x reply \"550 5.1.1 away\" }\n",
     TWICE("1:28", "451 4.7.1 550 5.1.1 away", "451 4.7.1 \"away\"")},
    {"at rcpt { tempfail x reply \"452 later\" }\n",
     TWICE("1:28", "451 4.7.1 452 later", "452 4.7.1 \"later\"")},
    {"at connect { disconnect x reply \"554 5.3.2\" }\n",
     TWICE("1:33", "421 4.7.0 554 5.3.2", "554 5.3.2 \"…\"")},
    {"at rcpt { reject x reply \"550 5.7.1 0123456789012345678901234567890\" "
     "}\n",
     TWICE("1:26", "550 5.7.1 550 5.7.1 012345678901234567890123456789…",
           "550 5.7.1 \"0123456789012345678901234567890\"")},
    {"at rcpt { reject a if client.tls reply \"5 of 550 are too many\"\n"
     "reject b if client.tls reply \"192.0.2.1 is listed\"\n"
     "reject c if client.tls reply \"5500 \"\n"
     "reject d if client.tls reply \"5.1.1234 \"\n"
     "reject e if client.tls reply \"{rcpt.to} 550\"\n"
     "reject f if client.tls reply \"\"\n"
     "}\n",
     ""},
};

#define BOTH(place, one, other, name, sense) \
    place ": warning: `" one "` and `" other \
          "` are never both yes | so `" name "` can never fire; " sense "\n"
#define EITHER(place, one, other, fact, sense) \
    place ": warning: `" one "` or `" other    \
          "`: one of them is yes whatever `" fact "` is | " sense "\n"
#define OR "was `or` meant?"
#define AND "was `and` meant?"
#define LEAVE "leave one of them out"
#define AT(rule) PLUGINS "at message { " rule " }\n"

static const WorldCase pairs[] = {
    {AT("reject x if spf.result = pass and spf.result = fail"),
     BOTH("2:48", "spf.result = pass", "spf.result = fail", "x", OR)},
    {AT("reject x if spf.result = pass and client.tls and (client.fcrdns and "
        "not spf.result != none)"),
     BOTH("2:86", "spf.result = pass", "not spf.result != none", "x", OR)},
    {AT("reject x if mail.size = 1 and mail.size > 5"),
     BOTH("2:44", "mail.size = 1", "mail.size > 5", "x", OR)},
    {AT("reject x if 6 > mail.size and 5 < mail.size"),
     BOTH("2:44", "6 > mail.size", "5 < mail.size", "x", LEAVE)},
    {AT("reject x if known auth.user and not known auth.user"),
     BOTH("2:56", "known auth.user", "not known auth.user", "x", LEAVE)},
    {AT("reject x if not known auth.user and auth.user = \"joe\""),
     BOTH("2:50", "not known auth.user", "auth.user = \"joe\"", "x", OR)},
    {AT("reject x if client.tls and client.tls = no"),
     BOTH("2:41", "client.tls", "client.tls = no", "x", LEAVE)},
    {"list a of ip { 192.0.2.1 }\n"
     "at rcpt { reject x if client.ip in a and client.ip not in a }\n",
     BOTH("2:42", "client.ip in a", "client.ip not in a", "x", LEAVE)},
    {"list a of ip { 192.0.2.0/24 }\n"
     "at rcpt { reject x if client.ip = 192.0.2.1 and client.ip not in a }\n",
     BOTH("2:49", "client.ip = 192.0.2.1", "client.ip not in a", "x", OR)},
    {"at rcpt { reject x if mail.local matches \"^a\" and not mail.local "
     "matches \"^a\" }\n",
     BOTH("1:55", "mail.local matches \"^a\"", "not mail.local matches \"^a\"",
          "x", LEAVE)},
    {"let odd = client.tls\n"
     "at rcpt { reject x if odd and not odd }\n",
     BOTH("2:35", "odd", "not odd", "x", LEAVE)},
    {"let odd = mail.size = 1 and mail.size = 2\n"
     "at rcpt { reject x if odd and client.tls }\n",
     "1:29: warning: `mail.size = 1` and `mail.size = 2` are never both yes | "
     "was `or` meant?\n"},
    {"at rcpt { reject x if not (mail.size = 1 and mail.size = 2) }\n",
     "1:46: warning: `mail.size = 1` and `mail.size = 2` are never both yes | "
     "was `or` meant?\n"},
    {"at rcpt { reject x if mail.domain != \"a.example\" or mail.domain != "
     "\"b.example\" }\n",
     EITHER("1:53", "mail.domain != \"a.example\"",
            "mail.domain != \"b.example\"", "mail.domain", AND)},
    {"at rcpt { reject x if client.ip != 192.0.2.1 or client.ip != 192.0.2.2 "
     "}\n",
     EITHER("1:49", "client.ip != 192.0.2.1", "client.ip != 192.0.2.2",
            "client.ip", AND)},
    {"at rcpt { reject x if mail.size > 5 or mail.size < 10 }\n",
     EITHER("1:40", "mail.size > 5", "mail.size < 10", "mail.size", AND)},
    {"at rcpt { reject x if known auth.user or not known auth.user }\n",
     EITHER("1:52", "known auth.user", "not known auth.user", "auth.user",
            LEAVE)},
};

/* Each may be what is meant. */
static const WorldCase no_pairs[] = {
    {"list a of ip { 192.0.2.1 }\n"
     "list b of ip { 192.0.2.2 }\n"
     "list c of domain { a.example }\n"
     "list d of pattern { \"^J\" }\n"
     "at rcpt {\n"
     "reject a if client.ip in a and client.ip not in b\n"
     "reject b if client.ip != 192.0.2.1 and client.ip != 192.0.2.2\n"
     "reject c if client.ip = 192.0.2.1 and client.ip in a\n"
     "reject d if mail.size > 5 and mail.size < 7\n"
     "reject e if mail.size < 5 or mail.size > 5\n"
     "reject f if mail.domain = \"A.example\" and mail.domain in c\n"
     "reject g if mail.local = \"joe\" and mail.local matches \"^J\"\n"
     "reject p if mail.local = \"joe\" and mail.local in d\n"
     "reject h if known auth.user or auth.user = \"joe\"\n"
     "reject i if known auth.user and auth.user = \"joe\"\n"
     "reject j if not known auth.user or auth.user != \"joe\"\n"
     "reject k if client.tls and not client.fcrdns\n"
     "reject l if mail.size = 1 or mail.size = 2\n"
     "reject m if mail.local = \"Joe\" and mail.local = \"joe\"\n"
     "reject n if mail.size > rcpt.count and mail.size < rcpt.count\n"
     "reject o if (mail.size = 1 or client.tls) and mail.size = 2\n"
     "}\n",
     ""},
    {PLUGINS "at message {\n"
             "tempfail a if spf.result != pass and spf.result != fail\n"
             "reject b if \"a.example\" in dkim.domains and \"b.example\" in "
             "dkim.domains\n"
             "}\n",
     ""},
};

#define RELAY "an open relay, if the backend trusts filterd"
#define GATEWAY                             \
    "list ours of domain { example.com }\n" \
    "list inside of ip { 192.0.2.0/24 }\n"  \
    "listen smtp 0.0.0.0:25\n"              \
    "backend smtp 127.0.0.1:26\n"           \
    "use spf\n"                             \
    "let known-one = client.ip in inside and rcpt.domain in ours\n"
#define GUARD "at rcpt { reject relay if rcpt.domain not in ours }\n"
#define ADD " | at rcpt { reject relay if rcpt.domain not in ours }\n"
#define WHO " | `client.ip in …` and `known auth.user` tell who may relay\n"
#define UNUSED                                                                 \
    "6:5: warning: the let `known-one` is not used | ask `… if known-one`, " \
    "or leave it out\n"

/* Of a gateway that everybody can send through. */
static const WorldCase relays[] = {
    {GATEWAY "at rcpt { reject relay if known-one }\n",
     "7:18: warning: `relay` refuses those recipients alone, and no rule the "
     "others: " RELAY ADD},
    {GATEWAY "at rcpt { would reject relay if rcpt.domain not in ours }\n",
     UNUSED
     "7:24: warning: `relay` does not always refuse, as `would` stands before "
     "it: " RELAY ADD},
    {GATEWAY "at rcpt { canary 5% reject relay if rcpt.domain not in ours }\n",
     UNUSED "7:28: warning: `relay` does not always refuse, as `canary` stands "
            "before it: " RELAY ADD},
    {GATEWAY "at rcpt { until 2999-01-31 reject relay if rcpt.domain not in "
             "ours }\n",
     UNUSED "7:35: warning: `relay` does not always refuse, as `until` stands "
            "before it: " RELAY ADD},
    {GATEWAY "at rcpt { reject relay if rcpt.domain not in ours and not "
             "client.fcrdns }\n",
     UNUSED
     "7:18: warning: `relay` hangs on `not client.fcrdns`, which anybody can "
     "arrange: " RELAY WHO},
    {GATEWAY "at rcpt { reject relay if not (rcpt.domain in ours or "
             "known auth.user or helo.name = \"us\") }\n",
     UNUSED
     "7:18: warning: `relay` hangs on `helo.name = \"us\"`, which anybody can "
     "arrange: " RELAY WHO},
    {GATEWAY "at rcpt { pass friends if spf.result = pass }\n" GUARD, UNUSED
     "7:16: warning: `friends` stands above `relay`, and anybody can arrange "
     "`spf.result = pass`: " RELAY WHO},
    {GATEWAY "at mail { accept us if client.ip in inside or mail.domain in "
             "ours }\n" GUARD,
     UNUSED "7:18: warning: `us` stands above `relay`, and anybody can arrange "
            "`mail.domain in ours`: " RELAY WHO},
};

/* Of one that knows who may. */
static const WorldCase no_relays[] = {
    {GATEWAY "at mail {\n"
             "accept inside if client.ip in inside or known auth.user\n"
             "accept friends if spf.result = pass and mail.domain in ours\n"
             "pass anybody if mail.domain in ours\n"
             "would accept tried if mail.domain in ours\n"
             "}\n"
             "at rcpt {\n"
             "accept here if known-one\n"
             "accept postmaster if rcpt.local = \"postmaster\"\n"
             "reject relay if rcpt.domain not in ours and not known auth.user\n"
             "pass rest if client.fcrdns\n"
             "}\n",
     ""},
    {GATEWAY "at mail { reject login if not known auth.user and client.ip not "
             "in inside }\n"
             "at rcpt { reject relay if rcpt.domain not in ours and "
             "mail.domain not in ours }\n",
     UNUSED},
    {GATEWAY "at mail { reject login if not known auth.user }\n"
             "at rcpt { reject relay if rcpt.domain not in ours and "
             "mail.domain not in ours and not known-one }\n",
     ""},
    {GATEWAY "let friends = spf.result = pass and mail.domain in ours\n"
             "at rcpt {\n"
             "accept friends if friends\n"
             "reject relay if rcpt.domain not in ours and not known-one\n"
             "}\n",
     ""},
    {GATEWAY "at rcpt {\n"
             "reject a if rcpt.domain not in ours and not client.fcrdns\n"
             "reject b if rcpt.domain not in ours and not known-one\n"
             "}\n",
     ""},
};

#define NEVER_ASKED(place)                                                     \
    place ": warning: `greylist.state` is not asked for a `would` rule: "      \
          "nothing will be logged | it would be remembered; `canary 1%` asks " \
          "for it, as does any rule that is applied\n"
#define GREYLIST "use greylist\nlet new = greylist.state = new\n"

/* A `would` rule alone has no effect. */
static const WorldCase effects[] = {
    {GREYLIST
     "at rcpt { would tempfail x if greylist.wait > 5m and not new }\n",
     "3:31: warning: `greylist.wait` is not asked for a `would` rule: nothing "
     "will be logged | it would be remembered; `canary 1%` asks for it, as "
     "does any rule that is applied\n"},
    {GREYLIST "at rcpt { would tempfail x if not new }\n", NEVER_ASKED("3:35")},
    {GREYLIST "at rcpt { would tempfail x if known greylist.state or new }\n",
     NEVER_ASKED("3:37")},
    {GREYLIST "at rcpt { would tempfail x if new }\n"
              "at data { reject y if greylist.state = early }\n",
     NEVER_ASKED("3:31")},
    {GREYLIST "at rcpt { would tempfail x if new or client.tls }\n", ""},
    {GREYLIST "at rcpt { would tempfail x if new or not known greylist.wait "
              "}\n",
     ""},
    {GREYLIST "at rcpt { canary 5% tempfail x if new }\n", ""},
    {GREYLIST "at rcpt { score 1 y if greylist.wait > 5m\n"
              "would tempfail x if new }\n",
     ""},
    {GREYLIST "at rcpt { reject y if client.tls reply \"{greylist.wait}\" }\n"
              "at data { would tempfail x if new }\n",
     ""},
};

#define OTHER " | give other points before it, or ask for another number\n"

/* Behind 2 and 3 points. */
#define POINTS(rule)            \
    "at mail {\n"               \
    "score 2 a if client.tls\n" \
    "score 3 b if client.early-talker\n" rule "\n}\n"

static const WorldCase scores[] = {
    {POINTS("reject x if score >= 6"),
     "4:22: warning: `score >= 6` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("reject x if score > 5"),
     "4:21: warning: `score > 5` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("reject x if 6 <= score"),
     "4:13: warning: `6 <= score` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("reject x if score = 6"),
     "4:21: warning: `score = 6` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("reject x if score < -1"),
     "4:21: warning: `score < -1` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("reject x if score != 6"),
     "4:22: warning: `score != 6` is always yes: it is from 0 to 5 here | "
     "leave it out\n"},
    {POINTS("would reject x if score > 2 and score < 6"),
     "4:41: warning: `score < 6` is always yes: it is from 0 to 5 here | "
     "leave it out\n"},
    {POINTS("reject x if not (score >= 6 or client.tls)"),
     "4:27: warning: `score >= 6` is never yes: it is from 0 to 5 here" OTHER},
    {"let six = 6\nlet bad = score >= six\n" POINTS("reject x if bad"),
     "6:13: warning: `score >= six` is never yes: it is from 0 to 5 "
     "here" OTHER},
    {"let bad = score >= 6\nlet worse = bad and mail.size > 5\n" POINTS(
         "reject x if worse"),
     "6:13: warning: `score >= 6` is never yes: it is from 0 to 5 here" OTHER},
    {POINTS("score 5 c\nreject x if score >= 5"),
     "5:22: warning: `score >= 5` is always yes: it is from 5 to 10 here | "
     "leave it out\n"},
    {POINTS("score -5 c\nreject x if score > 0 and score >= 1"),
     "5:36: warning: `score >= 1` is never yes: it is from -5 to 0 here" OTHER},
    {POINTS("reject x if score >= 6\nscore 4 c"),
     "4:22: warning: `score >= 6` is never yes: it is from 0 to 5 here | only "
     "what is before it counts: `c` is in line 5\n"},
    {POINTS("reject x if score >= 6") "at data { score 4 c }\n",
     "4:22: warning: `score >= 6` is never yes: it is from 0 to 5 here | only "
     "what is before it counts: `c` is in line 6\n"},
    {"at mail { reject x if score >= 5 }\n",
     "1:32: warning: `score >= 5` is never yes: it is 0 here" OTHER},
    {POINTS("") "at message { score 1 c if client.tls\n"
                "reject x if score >= 7 }\n",
     "7:22: warning: `score >= 7` is never yes: it is from 0 to 6 here" OTHER},
};

static const WorldCase no_scores[] = {
    {POINTS("reject x if score >= 5"), ""},
    {POINTS("reject x if score = 4"), ""},
    {POINTS("reject x if score != 5"), ""},
    {POINTS("reject x if score < 5 and score <= 4"), ""},
    {POINTS("reject x if 5 <= score"), ""},
    /* Whether there are any. */
    {"at mail { rewrite add-header(\"X-Score\", \"{score}\") if score > 0 }\n",
     ""},
    {POINTS("rewrite add-header(\"X-Score\", \"{score}\") if score >= 0"), ""},
    /* What takes points away may not come to it. */
    {POINTS("score -5 c if client.fcrdns\nreject x if score >= 5"), ""},
    {POINTS("score -5 c if client.fcrdns\nreject x if score < -4"), ""},
    /* Who left the stage before, or comes on another day, has no points. */
    {"at mail { pass p if client.tls score 5 a }\n"
     "at data { reject x if score >= 5 }\n",
     ""},
    {"at mail { until 2099-01-31 score 5 a\nreject x if score >= 5 }\n", ""},
    {"at mail { pass p if client.tls score -5 a score 3 b }\n"
     "at data { reject x if score >= 3 }\n",
     ""},
    /* Points of each recipient. */
    {"at rcpt { score 5 a if rcpt.domain = \"a.example\" }\n"
     "at message { reject x if score >= 5 }\n",
     ""},
    /* A number that depends on the mail. */
    {"map most of domain to int { a.example 9 }\n"
     "at rcpt { reject x if score >= most[rcpt.domain] }\n",
     ""},
    {POINTS("reject x if mail.size > score"), ""},
    {POINTS("reject x if known score"), ""},
};

#define FAULT(place)                                                       \
    place ": warning: `x` refuses for good what a passing DNS fault made " \
          "temperror, too | add `and … != temperror`, and `tempfail` those\n"

static const WorldCase faults[] = {
    {AT("reject x if spf.result != pass"), FAULT("2:21")},
    {AT("reject x if not (spf.result = pass or dkim.result = pass)"),
     FAULT("2:21")},
    {AT("disconnect x if spf.result != pass reply 554 \"no\""), FAULT("2:25")},
    {AT("reject x if spf.result != pass and spf.result != temperror"), ""},
    {AT("reject x if spf.result != pass and dkim.result = fail"), ""},
    {AT("reject x if spf.result != pass and mail.domain != \"a.example\""), ""},
    {AT("tempfail x if spf.result != pass"), ""},
    {AT("would reject x if spf.result != pass"), ""},
};

static const WorldCase foreign[] = {
    {"at rcpt { tempfail x reply \"später, größer\" }\n",
     "1:28: warning: the client is told `?` for each octet of `ä` | a reply is "
     "ASCII: RFC 5321 4.2\n"},
    {"at rcpt { tempfail x reply \"later ~\" }\n", ""},
};

#define SLASHES(place, said, right) \
    place ": warning: the slashes belong to the pattern: " said " | " right "\n"

static const WorldCase patterns[] = {
    {"at helo { reject x if helo.name matches \"/^dyn/i\" }\n",
     SLASHES("1:33", "`/^dyn/i`", "matches \"(?i)^dyn\"")},
    {"at helo { reject x if not helo.name matches \"^.*$\" }\n",
     "1:37: warning: the pattern `^.*$` matches everything\n"},
    {"list a of pattern { \"^x\" \"/^dyn/\" \"/y/\" }\n"
     "at helo { reject x if helo.name in a }\n",
     SLASHES("1:26", "`/^dyn/` in list `a` (and 1 more)", "^dyn")},
    {"list a of pattern from \"postfix\"\n"
     "at helo { reject x if helo.name in a }\n",
     SLASHES("postfix:1:1", "`/^dyn/i REJECT go away` in list `a`",
             "(?i)^dyn")},
    {"list a of pattern from \"dressed\"\n"
     "at helo { reject x if helo.name in a }\n",
     "dressed:1:1: warning: in a file the quotes belong to the text: "
     "`\"^dyn\"` in list `a` | leave them out\n"
     "dressed:2:1: warning: the pattern `.*` in list `a` matches everything\n"},
    {"at helo { reject x if helo.name matches \"/a/b\" or helo.name matches "
     "\"/i\" or helo.name matches \"a/i\" or helo.name matches "
     "\"/a\\/i\" }\n",
     ""},
};

static void
test_patterns(void)
{
    world_file("postfix", "/^dyn/i REJECT go away\n");
    world_file("dressed", "\"^dyn\"\n.*\n");
    world_check(patterns, G_N_ELEMENTS(patterns));
    world_clear();
}

#define GUARDED "at rcpt { reject all }\n"
#define LONELY                                                       \
    ": warning: there is no `backend`: nobody to pass mail to, and " \
    "filterd will not start | such as backend smtp 127.0.0.1:10025\n"
#define CIRCLE(place, line)                                             \
    place ": warning: this `backend` is filterd itself: mail would go " \
          "round in circles | the `listen` in line " line               \
          " has this address: name the mail server's\n"
#define EVERYBODY(word)                                                  \
    "1:1: warning: `" word "` holds everybody: any client may say that " \
    "it is another | name the machines that are to be believed\n"
#define TAKEN(place, line)                                               \
    place ": warning: this address and port are taken already: filterd " \
          "will not start | by the `listen` in line " line "\n"

static const WorldCase wires[] = {
    {"listen smtp 0.0.0.0:25\n" GUARDED, "1:1" LONELY},
    {"listen milter 0.0.0.0:25\nlisten lmtp 0.0.0.0:24\n" GUARDED,
     "2:1" LONELY},
    {"listen smtp 192.0.2.1:25\nbackend smtp 192.0.2.1:25\n" GUARDED,
     CIRCLE("2:1", "1")},
    {"listen smtp 0.0.0.0:25\nbackend smtp 127.0.0.1:25\n" GUARDED,
     CIRCLE("2:1", "1")},
    {"backend smtp [::1]:25\nlisten smtp [::]:25\n" GUARDED,
     CIRCLE("1:1", "2")},
    {"listen lmtp \"unix:/run/x\"\nbackend lmtp \"unix:/run/x\"\n" GUARDED,
     CIRCLE("2:1", "1")},
    {"listen smtp 0.0.0.0:25 { xclient-from 192.0.2.1 0.0.0.0/0 }\n"
     "backend smtp 127.0.0.1:26\n" GUARDED,
     EVERYBODY("xclient-from")},
    {"listen smtp [2001:db8::1]:25 { xforward-from ::/0 proxy-from ::/0 }\n"
     "backend smtp 127.0.0.1:26\n" GUARDED,
     EVERYBODY("proxy-from") EVERYBODY("xforward-from")},
    {"listen smtp 0.0.0.0:25\nlisten milter 127.0.0.1:25\n"
     "backend smtp 127.0.0.1:26\n" GUARDED,
     TAKEN("2:1", "1")},
    {"listen http [::1]:80\nlisten smtp [::]:80\n"
     "backend smtp 127.0.0.1:26\n" GUARDED,
     TAKEN("2:1", "1")},
};

/* Each may be what is meant. */
static const WorldCase no_wires[] = {
    {"listen milter 0.0.0.0:25\nlisten http 127.0.0.1:80\n", ""},
    {"backend smtp 127.0.0.1:26\n", ""},
    {"listen smtp 0.0.0.0:25 { xclient-from 10.0.0.0/8 proxy-from 2000::/3 }\n"
     "listen smtp [::]:25\n"
     "listen smtp 127.0.0.1:24 { xclient-from 0.0.0.0/0 }\n"
     "listen smtp \"unix:/run/x\" { proxy-from ::/0 }\n"
     "listen milter 127.0.0.1:10026\n"
     "backend smtp 127.0.0.1:26\n"
     "backend smtp 192.0.2.9:25\n"
     "backend smtp 127.0.0.1:10026\n"
     "backend smtp \"unix:/run/y\"\n" GUARDED,
     ""},
};

static void
test_warnings(void)
{
    world_file("empty.conf", "\n");
    world_file("comment.conf", "# rules of ours go here\n");
    world_file("all.conf", "at mail {\n    accept all\n}\n");
    world_check(warnings, G_N_ELEMENTS(warnings));
    world_clear();
}

static void
test_later(void)
{
    world_check(later, G_N_ELEMENTS(later));
}

static void
test_replies(void)
{
    world_check(replies, G_N_ELEMENTS(replies));
}

static void
test_wires(void)
{
    world_check(wires, G_N_ELEMENTS(wires));
    world_check(no_wires, G_N_ELEMENTS(no_wires));
}

static void
test_pairs(void)
{
    world_check(pairs, G_N_ELEMENTS(pairs));
    world_check(no_pairs, G_N_ELEMENTS(no_pairs));
}

static void
test_relays(void)
{
    world_check(relays, G_N_ELEMENTS(relays));
    world_check(no_relays, G_N_ELEMENTS(no_relays));
}

static void
test_effects(void)
{
    world_check(effects, G_N_ELEMENTS(effects));
}

static void
test_faults(void)
{
    world_check(faults, G_N_ELEMENTS(faults));
}

static void
test_scores(void)
{
    world_check(scores, G_N_ELEMENTS(scores));
    world_check(no_scores, G_N_ELEMENTS(no_scores));
}

static void
test_foreign(void)
{
    world_check(foreign, G_N_ELEMENTS(foreign));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/warnings/say-what-is-probably-not-meant",
                    test_warnings);
    g_test_add_func("/policy/warnings/rules-that-no-later-stage-comes-to",
                    test_later);
    g_test_add_func("/policy/warnings/codes-in-the-text-of-a-reply",
                    test_replies);
    g_test_add_func("/policy/warnings/listeners-and-backends", test_wires);
    g_test_add_func("/policy/warnings/parts-that-exclude-each-other",
                    test_pairs);
    g_test_add_func("/policy/warnings/who-may-relay-and-should-not",
                    test_relays);
    g_test_add_func("/policy/warnings/would-rules-on-what-nobody-asks-for",
                    test_effects);
    g_test_add_func("/policy/warnings/a-fault-that-is-not-pass", test_faults);
    g_test_add_func("/policy/warnings/scores-that-points-settle", test_scores);
    g_test_add_func("/policy/warnings/replies-outside-of-ascii", test_foreign);
    g_test_add_func("/policy/warnings/patterns-of-other-programs",
                    test_patterns);
    return g_test_run();
}
