/* crash.c: notes, in a process that dies, which plugin it was in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/crash.h"

#include "filterd/base/fiber.h"
#include "filterd/process/isolated.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static BoardDoing *own;
static int told = -1;
static const char *speaker; /* NULL: nothing is said */
static CrashSpeech *spoken; /* then */
static struct sigaction before[G_N_ELEMENTS(deadly)];
static char stack[65536]; /* the fiber's may be what overflowed */

static void
restore(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(deadly); i++)
        sigaction(deadly[i], &before[i], NULL);
}

static void
note_text(char *row, const char *text)
{
    if (text == NULL)
        row[0] = '\0';
    else
        memccpy(row, text, '\0', BOARD_TEXT - 1);
}

static void
note_turn(gboolean of_plugin)
{
    spoken->turns++;
    if (of_plugin)
        spoken->last = *own;
}

/* Always: who calls _exit(), or is killed, has no time to say it. */
static void
note(const FiberDoing *doing)
{
    note_text(own->plugin, doing != NULL ? doing->what : NULL);
    note_text(own->hook, doing != NULL ? doing->part : NULL);
    note_text(own->session, doing != NULL ? doing->whose : NULL);
    if (spoken != NULL)
        note_turn(doing != NULL);
}

static void
tell(void)
{
    const char word = ISOLATED_CRASH;
    const struct iovec parts[] = {{(void *)&word, 1}, {own, sizeof *own}};
    const struct msghdr message = {.msg_iov = (struct iovec *)parts,
                                   .msg_iovlen = G_N_ELEMENTS(parts)};
    sendmsg(told, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
say(const char *how, const char *signal)
{
    const char *const words[] = {speaker,   ": plugin `", own->plugin, how,
                                 own->hook, "`",          signal};
    char line[512];
    char *end = line;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        end = stpncpy(end, words[i], (gsize)(line + sizeof line - 1 - end));
    *end++ = '\n';
    if (write(STDERR_FILENO, line, (gsize)(end - line)) < 0)
        return;
    spoken->said = TRUE;
}

static const char *
name_of(int number)
{
    return number == SIGABRT  ? ": SIGABRT"
           : number == SIGBUS ? ": SIGBUS"
           : number == SIGILL ? ": SIGILL"
           : number == SIGFPE ? ": SIGFPE"
                              : ": SIGSEGV";
}

/* Then the signal does what it would have done. A fault happens again when we
 * return; what somebody sent is sent again. */
static void
on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    const FiberDoing *doing = fiber_doing();
    note(doing);
    if (told >= 0)
        tell();
    if (speaker != NULL && doing != NULL)
        say("` crashed in its `", name_of(number));
    restore();
    if (info->si_code <= 0)
        raise(number);
}

/* Whoever ends the process from within a hook. */
static void
on_exit_of_all(void)
{
    const FiberDoing *doing = fiber_doing();
    if (doing == NULL)
        return;
    note(doing);
    if (told >= 0)
        tell();
    if (speaker != NULL)
        say("` called exit() in its `", "");
}

static void
use_own_stack(void)
{
    stack_t old, alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE) != 0)
        sigaltstack(&alternative, NULL);
}

void
crash_watch(BoardDoing *doing, int fd)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    own = doing;
    told = fd;
    use_own_stack();
    fiber_watch_doing(note);
    atexit(on_exit_of_all);
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < G_N_ELEMENTS(deadly); i++)
        sigaction(deadly[i], &action, &before[i]);
}

void
crash_say(const char *command, CrashSpeech *speech)
{
    speaker = command;
    spoken = speech;
    crash_watch(&speech->doing, -1);
}
