"""What a fork of the zygote does to itself before it becomes an instance: the same confinement as bubblewrap gives."""

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 4, 23, 24
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
SIGKILL = 9
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)

# Where an instance finds folders of its own; a library of the machine below one of them is mounted behind it.
OWN_FOLDERS = ("/tmp", "/var")
# With a library below /opt, that is a folder and no link to the layers: then what layers may hold is linked by name.
LAYER_NAMES = ("bin", "etc", "extensions", "include", "lib", "nodejs", "python", "share")

libc = ctypes.CDLL(None, use_errno=True)


class FilterProgram(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source, target, kind, flags, data=None):
    def encoded(text):
        return None if text is None else text.encode()

    check(libc.mount(encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data)), f"mount {target}")


def _bind(source, target, read_only):
    """The first call of a bind ignores its flags; a second one sets them."""
    _mount(source, target, None, MS_BIND | MS_REC)
    _mount(None, target, None, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | (MS_RDONLY if read_only else 0))


def _is_below(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def _link_layers(root):
    opt = root + "/opt"
    if not os.path.isdir(opt):
        return os.symlink("var/opt", opt)
    for name in LAYER_NAMES:
        if not os.path.lexists(f"{opt}/{name}"):
            os.symlink(f"/var/opt/{name}", f"{opt}/{name}")


def join(job):
    """Control groups first, so that all this process touches is charged; then the namespaces, network by its descriptor."""
    for file in job["cgroupFiles"]:
        with open(file, "w") as handle:
            handle.write("0")
    if job["network"] is not None:
        namespace = os.open(job["network"], os.O_RDONLY | os.O_CLOEXEC)
        check(libc.setns(namespace, CLONE_NEWNET), "setns")
        os.close(namespace)
    elif not job["hostNetwork"]:
        check(libc.unshare(CLONE_NEWNET), "unshare network")
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC), "unshare")
    check(libc.sethostname(b"lambent", 7), "sethostname")


def enter_root(job, libraries):
    """A root of its own: the machine's programs and the interpreter's libraries read-only, one slot, nothing else."""
    root = job["root"]
    os.mkdir(root, 0o755)
    # Before the first mount, or they would all appear on the host.
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("none", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    behind = [folder for folder in libraries if _is_below(folder, OWN_FOLDERS)]
    for folder in ["/usr", *(each for each in libraries if each not in behind)]:
        os.makedirs(root + folder, 0o755, exist_ok=True)
        _bind(folder, root + folder, True)
    for name, target in (("lib", "usr/lib"), ("lib64", "usr/lib64"), ("bin", "usr/bin"), ("sbin", "usr/sbin")):
        os.symlink(target, f"{root}/{name}")
    _link_layers(root)
    for name in ("proc", "tmp", "var", "dev", "etc", "old"):
        os.makedirs(f"{root}/{name}", 0o755, exist_ok=True)
    for source, target in job["files"]:
        if os.path.isdir(source):
            os.mkdir(root + target, 0o755)
        else:
            open(root + target, "w").close()
        _bind(source, root + target, True)
    for folder in behind:
        if _is_below(folder, ("/var",)):
            # Through the slot, since /var inside is read-only.
            os.makedirs(job["varFolder"] + folder.removeprefix("/var"), 0o755, exist_ok=True)
    _bind(job["varFolder"], root + "/var", True)
    _bind(job["tmpFolder"], root + "/tmp", False)
    for folder in behind:
        os.makedirs(root + folder, 0o755, exist_ok=True)
        _bind(folder, root + folder, True)
    _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in ("null", "zero", "full", "random", "urandom"):
        open(f"{root}/dev/{name}", "w").close()
        _mount(f"/dev/{name}", f"{root}/dev/{name}", None, MS_BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{root}/dev/{name}")
    os.chdir(root)
    check(libc.syscall(ctypes.c_long(PIVOT_ROOT), b".", b"old"), "pivot_root")
    check(libc.umount2(b"/old", MNT_DETACH), "umount")
    os.rmdir("/old")
    _mount(None, "/", None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir("/")


def drop_privileges(uid, program):
    """From root to `uid` for good. The order matters: each step needs what a later one takes away."""
    capability = 0
    while libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0:
        check(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop capability")
        capability += 1
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # setuid resets both.
    check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "death signal")
    check(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if program is not None:
        check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "filter")


def filter_program(code):
    return FilterProgram(len(code) // 8, code) if code else None
