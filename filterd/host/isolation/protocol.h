/* protocol.h: the hooks of a plugin and the functions of its host, as numbers
 * in frames.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/isolation/frame.h"

/* FRAME_HOOK: number, seat, flags, stage; the session's id where the seat is
 * new; what the hook is given. */
typedef enum ProtocolHook {
    HOOK_CONNECT, /* the first six: by their stage */
    HOOK_HELO,
    HOOK_MAIL,
    HOOK_RCPT,
    HOOK_DATA,
    HOOK_EOM,
    HOOK_HEADER,
    HOOK_BODY,
    HOOK_SIGN_HEADER,
    HOOK_SIGN_BODY,
    HOOK_SIGN_END,
    HOOK_ACTION,
    HOOK_DONE,
    HOOK_ABORT,
    HOOK_CLOSE,
    HOOK_CLEAR_MESSAGE, /* these two on channel 0 */
    HOOK_CLEAR_SESSION,
    HOOKS,
} ProtocolHook;

/* A seat is one connection in the plugin's process: the states of both. */
typedef enum ProtocolFlag {
    SEAT_NEW = 1 << 0,
    SEAT_MESSAGE = 1 << 1,     /* there is a transaction */
    SEAT_NEW_MESSAGE = 1 << 2, /* another than before */
} ProtocolFlag;

/* FRAME_CALL and FRAME_CAST: number, arguments. */
typedef enum ProtocolFunction {
    CALL_LOOKUP,
    CALL_DNS,
    CALL_STORE_GET,
    CALL_STORE_PUT,
    CALL_STORE_ADD,
    CALL_STREAM_OPEN,
    CALL_STREAM_WRITE,
    CALL_STREAM_READ,
    CALL_STREAM_LINE,
    CALL_HEAR,
    CALL_ENTER,
    CALLS, /* those that are answered */
    CAST_PUBLISH = CALLS,
    CAST_LOG,
    CAST_PREFETCH,
    CAST_AUTHRES,
    CAST_EDIT,
    CAST_COUNT,
    CAST_BLAME,
    CAST_SPAWN,
    CAST_REST, /* what was spawned has slept */
    CAST_SERVER,
    CAST_STREAM_PATIENCE,
    CAST_STREAM_CLOSE,
    CAST_LEAVE,
    CAST_HELD, /* what held the loop of the process */
    FUNCTIONS,
} ProtocolFunction;

/* Octets of a name that the DNS is asked for. */
#define PROTOCOL_NAME_LIMIT 1024

/* Channels of hooks are below, of what was spawned from here on. */
#define CHANNEL_SPAWNED 0x80000000u

static inline const char *
protocol_hook_name(unsigned hook)
{
    static const char *const names[HOOKS] = {
        "connect", "helo",  "mail",  "rcpt",          "data",          "eom",
        "header",  "body",  "sign",  "sign",          "sign",          "action",
        "done",    "abort", "close", "clear_message", "clear_session",
    };
    return hook < HOOKS ? names[hook] : "?";
}
