divert(0)dnl
dnl confMILTER_MACROS_CONNECT and their like need not be set: filterd names the
dnl macros that it wants when Sendmail connects.
INPUT_MAIL_FILTER(`filterd', `S=inet:8899@127.0.0.1, F=T, T=C:10s;S:60s;R:60s;E:5m')dnl
