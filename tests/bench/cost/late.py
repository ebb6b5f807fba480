# late.py: a name server whose answers come late.
#
# SPDX-License-Identifier: BSD-2-Clause
import asyncio
import socket
import threading

from lab.program import HOST, free_port

LATE = 0.02  # seconds of each answer


class LateDns(asyncio.DatagramProtocol):
    """Between filterd and a name server: each answer comes late."""

    def __init__(self, server):
        self.server = server
        self.port = free_port()
        self.resolver = f"{HOST}@{self.port}"
        threading.Thread(target=lambda: asyncio.run(self.serve()),
                         daemon=True).start()

    async def serve(self):
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(HOST, self.port))
        await asyncio.Event().wait()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        asyncio.get_running_loop().create_task(self.answer(data, addr))

    async def answer(self, data, addr):
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setblocking(False)
            asking.connect((HOST, self.server.port))
            await loop.sock_sendall(asking, data)
            told = await loop.sock_recv(asking, 65535)
        await asyncio.sleep(LATE)
        self.transport.sendto(told, addr)
