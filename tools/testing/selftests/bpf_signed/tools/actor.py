#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does what a tool is to observe, by commands on stdin, one a line. Answers
each with one line."""

import ctypes
import os
import socket
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]


def serve(listener):
    """A peer that takes a line and gives 5,000 bytes, connection by connection"""
    while True:
        connection, _ = listener.accept()
        with connection:
            data = b""
            while not data.endswith(b"\n"):
                got = connection.recv(65536)
                if not got:
                    break
                data += got
            connection.sendall(b"y" * 5000)


def listen(host, port, backlog, serving):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, int(port)))
    s.listen(int(backlog))
    if serving:
        threading.Thread(target=serve, args=(s,), daemon=True).start()
        return str(s.getsockname()[1])
    port = s.getsockname()[1]
    s.close()
    return str(port)


def do_serve(host, backlog):
    return listen(host, 0, backlog, True)


def do_listen(host, port, backlog):
    return listen(host, port, backlog, False)


def do_bind(host, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, int(port)))
    s.close()
    return "done"


def do_resolve(name):
    try:
        socket.getaddrinfo(name, 80)
    except socket.gaierror:
        pass
    return "done"


def do_malloc(size, count):
    for _ in range(int(count)):
        libc.malloc(int(size))
    return "done"


def do_contend(milliseconds):
    """Waits on a lock that another thread holds"""
    lock = threading.Lock()
    lock.acquire()
    t = threading.Thread(target=lambda: lock.acquire())
    t.start()
    time.sleep(int(milliseconds) / 1000)
    lock.release()
    t.join()
    return "done"


def do_congestion(host, port, name):
    """A connection that uses the congestion control NAME"""
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
    s.connect((host, int(port)))
    s.sendall(b"x" * 200000 + b"\n")
    got = 0
    while True:
        data = s.recv(65536)
        if not data:
            break
        got += len(data)
    used = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    s.close()
    return f"{used.split(bytes(1))[0].decode()} {got}"


def main():
    with open("/proc/self/comm", encoding="ascii") as f:
        print(os.getpid(), f.read().strip(), flush=True)
    for line in sys.stdin:
        words = line.split()
        try:
            print(globals()["do_" + words[0]](*words[1:]), flush=True)
        except OSError as e:
            print("error", e, flush=True)


main()
