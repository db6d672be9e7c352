"""
Attacks, run by a test inside a sandbox with the rights a function's code has. Each prints {"succeeded": bool, "seen": ...}.

The variable ATTACK holds {"name": ..., and what the attacker happens to know}: a real attacker would have to guess it.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
SYSCALLS = {
    "x86_64": {"ptrace": 101, "mount": 165, "unshare": 272, "clone3": 435, "bpf": 321, "keyctl": 250, "io_uring_setup": 425, "process_vm_readv": 310, "setns": 308},
    "aarch64": {"ptrace": 117, "mount": 40, "unshare": 97, "clone3": 435, "bpf": 280, "keyctl": 219, "io_uring_setup": 425, "process_vm_readv": 270, "setns": 268},
}[os.uname().machine]


def answer(succeeded, seen=None):
    print(json.dumps({"succeeded": succeeded, "seen": seen}), flush=True)


def works(action):
    try:
        return action() is not False
    except OSError:
        return False


def read(path):
    with open(path, "rb") as handle:
        return handle.read(1 << 20)


def call(name, *arguments):
    """The errno of a system call made past libc; 0 when it succeeded."""
    result = libc.syscall(ctypes.c_long(SYSCALLS[name]), *[ctypes.c_long(argument) for argument in arguments])
    return 0 if result >= 0 else ctypes.get_errno()


def status():
    return {line.split(":")[0]: line.split(":")[1].split() for line in read("/proc/self/status").decode().splitlines() if ":" in line}


def other_files(known):
    """Code and /tmp of another instance, by their paths on the host and through other processes' roots."""
    paths = list(known["paths"])
    for pid in filter(str.isdigit, os.listdir("/proc")):
        paths += [f"/proc/{pid}/root{path}" for path in known["paths"]]
    got = [path for path in paths if works(lambda: known["secret"].encode() in read(path))]
    answer(bool(got), got[:3])


def other_environment(known):
    """Environments and command lines of all processes there are."""
    got = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("environ", "cmdline"):
            path = f"/proc/{pid}/{name}"
            if int(pid) != os.getpid() and works(lambda: known["secret"].encode() in read(path)):
                got.append(path)
    answer(bool(got), got[:3])


def other_memory(known):
    """Another process's memory: attach to it, or open its memory file."""
    traced = call("ptrace", 16, known["pid"], 0, 0) == 0
    if traced:
        os.waitpid(known["pid"], 0x40000000)
        call("ptrace", 17, known["pid"], 0, 0)
    opened = works(lambda: os.close(os.open(f"/proc/{known['pid']}/mem", os.O_RDONLY)))
    answer(traced or opened, {"traced": traced, "opened": opened})


def signal_others(known):
    """May it send a signal to another instance, or to the platform? Asked with signal 0, which only checks."""
    got = [pid for pid in (known["pid"], known["platform"]) if works(lambda: os.kill(pid, 0))]
    answer(bool(got), got)


def host_processes(known):
    """Is any process visible that is not its own?"""
    own = os.readlink("/proc/self/ns/pid")
    answer(own == known["pidNamespace"], [pid for pid in os.listdir("/proc") if pid.isdigit()][:8])


def data_folder(known):
    """The platform's data folder: a file anyone may read, and its socket."""
    readable = works(lambda: read(known["file"]))

    def connect():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(known["socket"])

    answer(readable or works(connect), {"file": readable})


def abstract_socket(known):
    def connect():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + known["abstract"])

    answer(works(connect))


def read_only(_):
    """Writing anywhere but /tmp."""

    def create(folder):
        path = f"{folder}/lambent-attack"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)

    got = [folder for folder in ("/", "/usr", "/etc", "/var", "/var/task", "/opt", "/dev", "/dev/shm", "/lambent", "/proc") if works(lambda: create(folder))]
    answer(bool(got), got)


def tmp_writable(_):
    path = "/tmp/lambent-own"
    with open(path, "w") as handle:
        handle.write("mine")
    answer(read(path) == b"mine")


def devices(_):
    """Devices of the machine, and making one."""

    def make():
        path = f"{os.environ.get('ATTACK_TMP', '/tmp')}/disk"
        os.mknod(path, 0o660 | 0o060000, os.makedev(1, 0))
        os.unlink(path)

    opened = [name for name in ("mem", "kmsg", "loop-control", "vda", "sda", "nvme0n1", "fuse", "net/tun") if works(lambda: os.close(os.open(f"/dev/{name}", os.O_RDWR)))]
    answer(bool(opened) or works(make), opened)


def privileges(_):
    """New privileges through setuid programs, capabilities, or uid 0."""
    now = status()
    capable = int(now["CapEff"][0], 16) | int(now["CapBnd"][0], 16) | int(now["CapPrm"][0], 16)
    answer(now["NoNewPrivs"] != ["1"] or capable != 0, {"NoNewPrivs": now["NoNewPrivs"], "caps": hex(capable)})


def become_root(_):
    answer(works(lambda: os.setuid(0)) or os.geteuid() == 0, os.geteuid())


def namespaces(_):
    """New namespaces of every way in, in forks, so that one that works changes nothing for the next."""
    flags = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "user+mount": 0x10020000}
    got = [name for name, flag in flags.items() if in_fork(lambda: call("unshare", flag) == 0)]
    clone_arguments = (ctypes.c_uint64 * 11)(0x10000000)
    if in_fork(lambda: libc.syscall(ctypes.c_long(SYSCALLS["clone3"]), clone_arguments, ctypes.c_long(88)) >= 0):
        got.append("clone3")
    answer(bool(got), got)


def in_fork(action):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if action() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def mounting(_):
    """ENOENT, EFAULT and their like would mean that the kernel looked at the call: only EPERM is a refusal."""
    answer(call("mount", 0, 0, 0, 0, 0) != 1)


def kernel_interfaces(_):
    refused = {name: call(name, 0, 0, 0, 0, 0) for name in ("bpf", "keyctl", "io_uring_setup", "ptrace", "setns", "process_vm_readv")}
    got = [name for name, number in refused.items() if number != 1]
    answer(bool(got), got)


def machine_sockets(_):
    """vsock leads to the hypervisor from every network namespace."""
    answer(works(lambda: socket.socket(40, socket.SOCK_STREAM).close()))


def host_loopback(known):
    answer(works(lambda: socket.create_connection(("127.0.0.1", known["port"]), 2).close()))


def metadata_address(known):
    """A connected datagram socket asks only whether there is a way; nothing is sent."""

    def route():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("169.254.169.254", 80))

    answer(works(route) or os.readlink("/proc/self/ns/net") == known["netNamespace"])


def other_listener(known):
    """Another instance's listener, at the address that instance uses. Its own answers at the same address are no success."""

    def greet():
        host, port = known["address"].split(":")
        with socket.create_connection((host, int(port)), 2) as client:
            return client.recv(64).decode() == known["owner"]

    answer(works(greet))


def own_listener(_):
    host, port = os.environ["ATTACK_API"].split(":")
    with socket.create_connection((host, int(port)), 2) as client:
        answer(client.recv(64).decode() == os.environ["ATTACK_ID"])


def listen_alone(_):
    """Says where it listens and greets whoever comes, until it is ended."""
    server = socket.create_server(("127.0.0.1", 0))
    answer(True, server.getsockname()[1])
    while True:
        client, _ = server.accept()
        client.sendall(b"inside")
        client.close()


def descriptors(_):
    listing = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    got = [int(name) for name in os.listdir(listing) if int(name) > 3 and int(name) != listing]
    # os.listdir of a descriptor opens a copy of it for itself.
    got = [number for number in got if works(lambda: os.fstat(number))]
    answer(bool(got), got)


def environment(_):
    given = {"ATTACK", "ATTACK_TMP", "ATTACK_API", "ATTACK_ID"}
    # Python itself adds LC_CTYPE where no locale is set.
    extra = sorted(set(os.environ) - given - {"PWD", "LC_CTYPE"})
    answer(bool(extra), extra)


def memory(known):
    """More than the limit. Prints only when it lives."""
    block = bytearray(known["bytes"])
    block[:: 4096] = b"x" * len(block[:: 4096])
    answer(True)


def processes(known):
    made = []
    try:
        while len(made) < known["tries"]:
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            made.append(pid)
    except OSError:
        pass
    for pid in made:
        os.kill(pid, signal.SIGKILL)
    for pid in made:
        os.waitpid(pid, 0)
    answer(len(made) >= known["tries"], len(made))


def fill_tmp(known):
    path = f"{os.environ['ATTACK_TMP']}/fill"
    written = 0
    try:
        with open(path, "wb", buffering=0) as handle:
            while written < known["bytes"]:
                written += handle.write(bytes(1 << 20))
    except OSError:
        pass
    answer(written >= known["bytes"], written)


def outlive(known):
    """A daemon in a session of its own that ignores SIGTERM: must not survive the instance's stop."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open(f"/proc/self/comm", "w") as handle:
            handle.write(known["daemon"])
        answer(True)
        time.sleep(30)
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(30)


def wait(_):
    """A victim: holds its secret and waits to be stopped."""
    answer(True)
    time.sleep(60)


def main(_channel=3):
    known = json.loads(os.environ["ATTACK"])
    globals()[known["name"]](known)


if __name__ == "__main__":
    sys.exit(main())
