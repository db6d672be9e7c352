"""
The zygote: imports what is slow to import, then forks instances of itself.

Speaks Node's IPC (JSON lines). First line in: {"bootstrap", "preload", "seccomp" (hex or null), "confined"}; answer
{"ready": true}. Then {"fork": {...}} makes a child: its channel, stdout and stderr go up as handles, then
{"forked": id, "pid"}; later {"exit": id, "code", "signal"}. {"refused": id, "what"} when it cannot fork.
Environment and credentials reach the child only after it is confined. Ends when the platform's end closes.
"""

import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import confine  # noqa: E402
from library_folders import library_folders  # noqa: E402
from node_ipc import send_handle  # noqa: E402

CHANNEL_FD = 3
STREAMS = ("channel", "stdout", "stderr")


class Zygote:
    def __init__(self, ipc):
        self.ipc = ipc
        self.buffered = b""
        self.children = {}
        self.home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def lines(self):
        """Messages that are there now; ends the zygote when the platform is gone."""
        received = self.ipc.recv(1 << 16)
        if not received:
            sys.exit(0)
        *lines, self.buffered = (self.buffered + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def send(self, message):
        self.ipc.sendall(json.dumps(message).encode() + b"\n")

    def prepare(self, start):
        sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
        for name in start["preload"]:
            try:
                importlib.import_module(name)
            except ImportError:
                pass
        spec = importlib.util.spec_from_file_location("lambent_bootstrap", start["bootstrap"])
        self.bootstrap = importlib.util.module_from_spec(spec)
        sys.modules["lambent_bootstrap"] = self.bootstrap
        spec.loader.exec_module(self.bootstrap)
        self.confined = start["confined"]
        self.libraries = library_folders()
        self.program = confine.filter_program(bytes.fromhex(start["seccomp"] or ""))
        gc.collect()
        # What exists now lives as long as its forks: keep the collector from touching, and so copying, its pages.
        gc.freeze()
        self.send({"ready": True})

    def fork(self, job):
        if len(os.listdir("/proc/self/task")) != 1:
            # A lock that another thread holds at the fork would stay locked in the child for ever.
            return self.send({"refused": job["id"], "what": "a preloaded module started a thread"})
        pairs = [socket.socketpair() for _ in STREAMS]
        if self.confined:
            # The next child is the first process of a new pid namespace; this process itself stays where it is.
            confine.check(confine.libc.unshare(confine.CLONE_NEWPID), "unshare pid")
        pid = os.fork()
        if pid == 0:
            self.become(job, [ours for _, ours in pairs])
        if self.confined:
            confine.check(confine.libc.setns(self.home, confine.CLONE_NEWPID), "setns pid")
        self.children[pid] = job["id"]
        for stream, (theirs, ours) in zip(STREAMS, pairs):
            ours.close()
            send_handle(self.ipc, "net.Socket", json.dumps({"id": job["id"], "stream": stream}), theirs.fileno())
            theirs.close()
        self.send({"forked": job["id"], "pid": pid})

    def become(self, job, sockets):
        """Runs in the fork and never returns."""
        status = 70
        try:
            channel, stdout, stderr = (sock.detach() for sock in sockets)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if self.confined:
                confine.join(job)
                confine.enter_root(job, self.libraries)
            else:
                os.chdir(job["varFolder"])
            os.setsid()
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            # The channel replaces the IPC if that stood there; everything else the zygote had open goes.
            os.dup2(channel, CHANNEL_FD)
            os.closerange(CHANNEL_FD + 1, 65536)
            if self.confined:
                confine.drop_privileges(job["uid"], self.program)
            os.environ.clear()
            os.environ.update(job["environment"])
            sys.stdout.reconfigure(line_buffering=True)
            self.bootstrap.main(CHANNEL_FD)
            status = 0
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else (0 if leaving.code is None else 1)
        except BaseException:
            import traceback

            traceback.print_exc()
            status = 1
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status & 255)

    def reap(self):
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            name = signal.Signals(-code).name if code < 0 else None
            self.send({"exit": self.children.pop(pid), "code": None if code < 0 else code, "signal": name})

    def run(self):
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            readable, _, _ = select.select([self.ipc, wake_read], [], [])
            if wake_read in readable:
                os.read(wake_read, 4096)
                self.reap()
            if self.ipc in readable:
                for message in self.lines():
                    if "fork" in message:
                        self.fork(message["fork"])


def main():
    descriptor = int(os.environ.pop("NODE_CHANNEL_FD"))
    os.environ.clear()
    os.closerange(descriptor + 1, 1024)
    ipc = socket.socket(fileno=descriptor)
    ipc.setblocking(True)
    if hasattr(os, "SCHED_BATCH"):
        # Handed down to the forks: a function that is woken does not interrupt the platform (docs/decisions/0015).
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    zygote = Zygote(ipc)
    try:
        messages = zygote.lines()
        while not messages:
            messages = zygote.lines()
        zygote.prepare(messages[0])
        zygote.run()
    except ConnectionError:
        pass  # The platform is gone in the middle of an answer to it.


main()
