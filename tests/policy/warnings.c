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
     "1:6: warning: the list `ours` is not used\n"
     "2:5: warning: the let `big` is not used\n"
     "3:5: warning: the map `m` is not used\n"},
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
};

static void
test_warnings(void)
{
    world_check(warnings, G_N_ELEMENTS(warnings));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/warnings/say-what-is-probably-not-meant",
                    test_warnings);
    return g_test_run();
}
