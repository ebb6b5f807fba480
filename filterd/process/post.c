/* post.c: descriptors from the master to a worker, each with a number.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/post.h"

#include <string.h>
#include <sys/socket.h>

typedef union Ancillary {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
} Ancillary;

gboolean
post_open(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                      ends)
           == 0;
}

gboolean
post_send(int post, guint32 number, int fd)
{
    Ancillary ancillary = {0};
    struct iovec content = {&number, sizeof number};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = ancillary.bytes;
        message.msg_controllen = sizeof ancillary.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    return sendmsg(post, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
           == (ssize_t)sizeof number;
}

gboolean
post_take(int post, guint32 *number, int *fd)
{
    Ancillary ancillary = {0};
    struct iovec content = {number, sizeof *number};
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof ancillary.bytes};
    *fd = -1;
    if (recvmsg(post, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
        != (ssize_t)sizeof *number)
        return FALSE;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == SOL_SOCKET
        && head->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(head), sizeof *fd);
    return TRUE;
}
