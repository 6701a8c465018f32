#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest of dev/systemd-guest.sh.
#
#	checks.py run CHECK	does what the check wants to see refused, and what
#				it wants to see allowed; a unit runs this
#	checks.py measure	starts all units and writes what came of it to the
#				directory that the host shares

import errno
import json
import os
import socket
import stat
import subprocess
import sys
import time

RESULTS = "/run/results"


# ----------------------------------------------------------------------------
# What can be tried. Each returns, or raises OSError.

def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(address, count=1, size=100):
    """Sends packets to nobody in particular"""
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(size), (address, 9))


def connect(address):
    """Connects to itself, and says something"""
    with socket.socket(family(address)) as server, socket.socket(family(address)) as client:
        server.bind((address, 0))
        server.listen()
        for s in server, client:
            s.settimeout(5)
        client.connect(server.getsockname()[:2])
        peer = server.accept()[0]
        client.send(b"x")
        peer.settimeout(5)
        if peer.recv(1) != b"x":
            raise OSError(errno.EIO, "other data")
        peer.close()


def receive(source):
    """Sends from SOURCE to 127.0.0.1, and waits for it there"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to, \
         socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        to.bind(("127.0.0.1", 0))
        to.settimeout(2)
        sender.bind((source, 0))
        sender.sendto(b"x", to.getsockname())
        try:
            to.recv(1)
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "lost") from None


def bind(address, port, kind=socket.SOCK_STREAM):
    with socket.socket(family(address), kind) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))


def open_file(path, flags=os.O_RDONLY):
    os.close(os.open(path, flags | os.O_NONBLOCK))


def mknod(major, minor):
    path = f"/run/systemd-guest/node.{os.getpid()}"
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(major, minor))
    os.unlink(path)


def own_users():
    """Whether users here are the same as elsewhere"""
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if f.read().split() != ["0", "0", "4294967295"]:
            raise OSError(errno.EPERM, "other users")


def unshare():
    os.unshare(os.CLONE_NEWUTS)


def doing(what, *args):
    """A label for people, and what to do"""
    words = {}
    if what in (open_file, bind):
        words = {os.O_WRONLY: "for writing", socket.SOCK_DGRAM: "(UDP)"}
    label = [what.__name__.removesuffix("_file").replace("_", " ")]
    label += [words.get(a, str(a)) if i else str(a) for i, a in enumerate(args)]
    return " ".join(label), what, args


NULLB = "/dev/nullb0"
CHECKS = {
    "ip-address": (
        [doing(connect, "127.0.0.1"), doing(connect, "::1"), doing(send, "192.0.2.5"),
         doing(send, "2001:db8::5"), doing(receive, "127.0.0.1")],
        [doing(send, "192.0.2.99"), doing(send, "198.51.100.1"), doing(send, "2001:db8:1::1"),
         doing(receive, "127.0.0.9")]),
    "ip-accounting": ([doing(send, "192.0.2.5", 10, 100)], []),
    "device-strict": (
        [doing(open_file, "/dev/null"), doing(open_file, "/dev/null", os.O_WRONLY),
         doing(open_file, NULLB), doing(mknod, 1, 5)],
        [doing(open_file, "/dev/zero"), doing(open_file, NULLB, os.O_WRONLY),
         doing(open_file, "/dev/kmsg"), doing(open_file, "/dev/loop-control"),
         doing(mknod, 10, 237)]),
    "device-closed": (
        [doing(open_file, "/dev/null"), doing(open_file, "/dev/zero"),
         doing(open_file, "/dev/urandom")],
        [doing(open_file, NULLB), doing(open_file, "/dev/kmsg"),
         doing(open_file, "/dev/loop-control")]),
    "socket-bind": (
        [doing(bind, "127.0.0.1", 8080), doing(bind, "0.0.0.0", 8089)],
        [doing(bind, "127.0.0.1", 8090), doing(bind, "::1", 8080),
         doing(bind, "127.0.0.1", 8080, socket.SOCK_DGRAM)]),
    "interfaces-allow": (
        [doing(connect, "127.0.0.1"), doing(connect, "::1")],
        [doing(send, "192.0.2.5"), doing(send, "2001:db8::5")]),
    "filesystems-allow": (
        [doing(open_file, "/etc/passwd"), doing(open_file, "/run"), doing(open_file, "/dev/null"),
         doing(open_file, "/proc/version")],
        [doing(open_file, "/sys/kernel/uevent_seqnum"),
         doing(open_file, "/sys/kernel/security/lsm")]),
    "filesystems-deny": (
        [doing(open_file, "/etc/passwd"), doing(open_file, "/sys/kernel/uevent_seqnum")],
        [doing(open_file, "/sys/kernel/security/lsm")]),
    "namespaces": ([doing(open_file, "/etc/passwd")], [doing(unshare)]),
    "private-users": ([doing(open_file, "/etc/passwd")], [doing(own_users)]),
    # of units that systemd brings
    "journald": ([], [doing(send, "192.0.2.5"), doing(send, "2001:db8::5")]),
    "logind": ([doing(open_file, "/dev/null")],
               [doing(open_file, "/dev/kmsg"), doing(open_file, "/dev/loop-control")]),
}
CHECKS["interfaces-deny"] = CHECKS["interfaces-allow"]

UNITS = ["ip-address", "ip-accounting", "device-strict", "device-closed", "socket-bind",
         "interfaces-allow", "interfaces-deny", "filesystems-allow", "filesystems-deny",
         "namespaces", "private-users"]


def run(check):
    """Prints a line for each thing tried: what was meant, what it was, what came"""
    for meant, actions in zip(("allowed", "denied"), CHECKS[check]):
        for words, what, args in actions:
            try:
                what(*args)
                came = "ok"
            except OSError as e:
                came = errno.errorcode.get(e.errno, str(e))
            print(meant, words, came, sep="\t", flush=True)


# ----------------------------------------------------------------------------

def command(*args, check=False):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=check, encoding="utf-8", errors="replace").stdout.strip()


def prop(unit, name):
    return command("systemctl", "show", "-p", name, "--value", unit)


def tried(name):
    try:
        with open(f"/run/systemd-guest/{name}", encoding="utf-8") as f:
            return [line.split("\t") for line in f.read().splitlines()]
    except FileNotFoundError:
        return []


def verdict(lines):
    """Whether what was tried went as the restriction wants it"""
    if not lines:
        return "did not run"
    lost = [l for l in lines if l[0] == "allowed" and l[2] != "ok"]
    if lost:
        return f"breaks: {lost[0][1]}: {lost[0][2]}"
    denied = [l for l in lines if l[0] == "denied"]
    passed = [l for l in denied if l[2] == "ok"]
    odd = [l for l in denied if l[2] not in ("ok", "EPERM", "EACCES", "ETIMEDOUT")]
    if odd:
        return f"odd: {odd[0][1]}: {odd[0][2]}"
    if not passed:
        return "works"
    return "no effect" if passed == denied else f"partly: {passed[0][1]} is allowed"


def measure_unit(name):
    status = command("systemctl", "start", f"plain@{name}.service")
    plain = tried(f"plain.{name}")
    bad = [l for l in plain if l[2] != "ok"]
    if status or not plain or bad:
        return f"check is wrong: without restriction: {status or bad or 'did not run'}", plain
    status = command("systemctl", "start", f"{name}.service")
    if status:
        return f"does not start: {prop(name, 'Result')}", tried(name)
    lines = tried(name)
    if name == "ip-accounting":
        # ten packets of 100 bytes, with their headers
        count = [prop(name, f"IPEgress{what}") for what in ("Packets", "Bytes")]
        lines.append(["counted", "packets and bytes", " ".join(count)])
        return {("10", "1280"): "works", ("[no data]",) * 2: "no effect"}.get(
            tuple(count), f"odd: {count}"), lines
    return verdict(lines), lines


def in_cgroup_of(unit, check):
    """Runs a check where a unit of systemd's is"""
    cgroup = "/sys/fs/cgroup" + prop(unit, "ControlGroup")
    out = f"/run/systemd-guest/{check}"
    pid = os.fork()
    if not pid:
        with open(f"{cgroup}/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        run(check)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        return f"check is wrong: cannot be run in {cgroup}", []
    return verdict(tried(check)), tried(check)


def nsresourced():
    """Has a user namespace filled, in which files can be made on no mount but allowed ones"""
    lines = []
    there = "/run/systemd-guest/open"
    os.makedirs(there, exist_ok=True)
    os.chmod(there, 0o777)
    for name in "plain", "managed":
        ready_r, ready_w = os.pipe()
        go_r, go_w = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(go_w)
            os.unshare(os.CLONE_NEWUSER)
            os.write(ready_w, b"x")
            os.read(go_r, 1)
            code = 0
            try:
                os.setgroups([])
                os.setresgid(0, 0, 0)
                os.setresuid(0, 0, 0)
                os.mkdir(f"{there}/{name}")
            except OSError as e:
                code = e.errno
            os._exit(code)
        os.close(go_r)
        os.read(ready_r, 1)
        failed = None
        if name == "plain":
            for what in "uid", "gid":
                with open(f"/proc/{pid}/{what}_map", "w", encoding="ascii") as f:
                    f.write("0 500000 65536")
        else:
            failed = allocate(pid)
        os.close(go_w)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if failed:
            lines.append([name, "allocate user range", failed])
            return "refused", lines
        lines.append([name, f"mkdir {there}", errno.errorcode.get(status, "ok")])
    if lines[0][2] != "ok":
        return "check is wrong: cannot make a directory", lines
    return "works" if lines[1][2] == "EPERM" else f"odd: {lines[1][2]}", lines


def allocate(pid):
    """Asks systemd-nsresourced for users; returns what went wrong"""
    ns = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    request = {"method": "io.systemd.NamespaceResource.AllocateUserRange",
               "parameters": {"name": "check", "size": 65536, "target": 0,
                              "userNamespaceFileDescriptor": 0}}
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        try:
            s.connect("/run/systemd/io.systemd.NamespaceResource")
            socket.send_fds(s, [json.dumps(request).encode() + b"\0"], [ns])
            answer = b""
            while not answer.endswith(b"\0"):
                more = s.recv(4096)
                if not more:
                    return "no answer"
                answer += more
        except OSError as e:
            return errno.errorcode.get(e.errno, str(e))
        finally:
            os.close(ns)
    return json.loads(answer[:-1]).get("error")


def sysctl_monitor():
    """Changes what networkd has set; networkd says who did"""
    path = "/proc/sys/net/ipv4/conf/dummy0/forwarding"
    with open(path, encoding="ascii") as f:
        was = f.read().strip()
    if was != "1":
        return f"check is wrong: networkd has not set {path}: {was}", []
    with open(path, "w", encoding="ascii") as f:
        f.write("0")
    for _ in range(10):
        time.sleep(0.5)
        said = [l for l in command("journalctl", "-b", "-u", "systemd-networkd", "-o", "cat",
                                   "--no-pager").splitlines() if "changed sysctl" in l]
        if said:
            return "works", [["said", l, ""] for l in said]
    return "no effect", []


def wait_for_network():
    for _ in range(60):
        if command("networkctl", "status", "dummy0").find("configured") >= 0:
            break
        time.sleep(1)


def measure():
    os.makedirs("/run/systemd-guest", exist_ok=True)
    os.makedirs(RESULTS, exist_ok=True)
    command("mount", "-t", "9p", "-o", "trans=virtio,version=9p2000.L", "results", RESULTS,
            check=True)
    wait_for_network()
    results = {}
    for name in UNITS:
        results[name] = measure_unit(name)
    results["journald"] = in_cgroup_of("systemd-journald.service", "journald")
    results["logind"] = in_cgroup_of("systemd-logind.service", "logind")
    results["nsresourced"] = nsresourced()
    results["sysctl-monitor"] = sysctl_monitor()
    command("journalctl", "--sync")

    def write(name, text):
        with open(f"{RESULTS}/{name}", "w", encoding="utf-8") as f:
            f.write(text + "\n")

    write("system", "\n".join([
        command("systemctl", "--version").splitlines()[0],
        command("systemctl", "is-system-running"),
        command("systemctl", "--failed", "--no-legend", "--plain"),
        command("uname", "-r"), open("/proc/cmdline", encoding="ascii").read()]))
    write("dmesg", command("dmesg"))
    # by default a user sees no more than informational ones
    write("journal", command("journalctl", "-b", "-p", "info", "-o", "short-monotonic",
                             "--no-pager", "--no-hostname"))
    write("journal.debug", command("journalctl", "-b", "-o", "short-monotonic", "--no-pager",
                                   "--no-hostname"))
    write("results.json", json.dumps(results, indent=1))
    os.sync()
    for name, (what, _) in results.items():
        print(f"{name}: {what}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(sys.argv[2])
    else:
        measure()
