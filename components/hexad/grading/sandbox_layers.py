"""Kernel layers of the code sandbox, by ctypes and the standard library alone: seccomp, Landlock, namespaces.

Runs only inside the sandbox's own processes (see sandbox_child). Syscall numbers: kernel.org, arch/*/syscalls tables;
structures: linux/seccomp.h, linux/landlock.h.
"""

import ctypes
import os
import platform
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
_ARCH = platform.machine()

# name: (x86_64, aarch64); None where the architecture lacks it.
_DENIED = {
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "bpf": (321, 280), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "fork": (57, None), "vfork": (58, None), "execve": (59, 221),
    "execveat": (322, 281), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "setsid": (112, 157),
    "setpgid": (109, 154), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "personality": (135, 92), "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "mount_setattr": (442, 442), "quotactl": (179, 60), "acct": (163, 89), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "kcmp": (312, 272), "setpriority": (141, 140), "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}  # fmt: skip
_OWN_PID_ONLY = {"kill": (62, 129), "tgkill": (234, 131)}  # first argument must be the process itself
_PRLIMIT = {"prlimit64": (302, 261)}  # itself, or 0 for itself
_CLONE, _CLONE3 = (56, 220), (435, 435)
_CLONE_THREAD = 0x10000
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def seccomp_program(pid: int) -> bytes | None:
    """BPF for the process `pid`; None on an architecture without a table."""
    if _ARCH not in _AUDIT:
        return None
    column = 0 if _ARCH == "x86_64" else 1
    code: list[tuple[int, int, int, int]] = [
        (_LD, 0, 0, 4),
        (_JEQ, 1, 0, _AUDIT[_ARCH]),
        (_RET, 0, 0, _KILL),
        (_LD, 0, 0, 0),
    ]
    if _ARCH == "x86_64":  # the x32 numbers would pass by the table
        code += [(_JGE, 0, 1, 0x40000000), (_RET, 0, 0, _ERRNO | _EPERM)]
    for numbers in _DENIED.values():
        number = numbers[column]
        if number is not None:
            code += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ERRNO | _EPERM)]
    code += [(_JEQ, 0, 1, _CLONE3[column]), (_RET, 0, 0, _ERRNO | _ENOSYS)]  # glibc then falls back to clone
    code += [(_JEQ, 0, 4, _CLONE[column]), (_LD, 0, 0, 16), (_JSET, 0, 1, _CLONE_THREAD), (_RET, 0, 0, _ALLOW),
             (_RET, 0, 0, _ERRNO | _EPERM)]  # fmt: skip
    for numbers in _OWN_PID_ONLY.values():
        code += [(_JEQ, 0, 4, numbers[column]), (_LD, 0, 0, 16), (_JEQ, 0, 1, pid), (_RET, 0, 0, _ALLOW),
                 (_RET, 0, 0, _ERRNO | _EPERM)]  # fmt: skip
    code += [(_JEQ, 0, 5, _PRLIMIT["prlimit64"][column]), (_LD, 0, 0, 16), (_JEQ, 1, 0, pid), (_JEQ, 0, 1, 0),
             (_RET, 0, 0, _ALLOW), (_RET, 0, 0, _ERRNO | _EPERM)]  # fmt: skip
    code.append((_RET, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", op, jt, jf, k) for op, jt, jf, k in code)


def no_new_privileges() -> bool:
    return bool(LIBC.prctl(38, 1, 0, 0, 0) == 0)


_PLACEHOLDER = 0x7EADBEEF  # above any process id
TEMPLATE = seccomp_program(_PLACEHOLDER)


def enter_seccomp(pid: int) -> bool:
    """Install the filter on this process for good; needs no_new_privileges."""
    if TEMPLATE is None:
        return False
    program = TEMPLATE.replace(struct.pack("I", _PLACEHOLDER), struct.pack("I", pid))
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    pointer = ctypes.create_string_buffer(header, len(header))
    return bool(LIBC.prctl(22, 2, ctypes.byref(pointer), 0, 0) == 0)


_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ, _LIST = 0b1100, 0b1000  # READ_FILE | READ_DIR, READ_DIR
_FILE_RIGHTS = 0b111 | 1 << 14 | 1 << 15


def landlock_ruleset(readable: list[str], writable: list[str], listed: list[str]) -> int | None:
    """File descriptor of a ruleset for these paths and all below them; None without Landlock.

    `listed` may be looked through by name; nothing in them can be read.
    """
    abi = LIBC.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return None
    rights = (1 << (13 + (abi >= 2) + (abi >= 3))) - 1 | (1 << 15 if abi >= 5 else 0)
    attributes = struct.pack("QQQ", rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset: int = LIBC.syscall(_CREATE_RULESET, ctypes.create_string_buffer(attributes, 24), size, 0)
    if ruleset < 0:
        return None
    for paths, access in ((readable, _READ), (writable, rights & ~(1 << 0)), (listed, _LIST)):
        for path in paths:
            _allow(ruleset, path, access & rights)
    return ruleset


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        access &= _FILE_RIGHTS
    rule = struct.pack("=Qi", access, fd)
    LIBC.syscall(_ADD_RULE, ruleset, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
    os.close(fd)


def enter_landlock(ruleset: int) -> bool:
    return bool(LIBC.syscall(_RESTRICT_SELF, ruleset, 0) == 0)


_CHANGE_USER = 1 << 0 | 1 << 6 | 1 << 7  # CAP_CHOWN, CAP_SETGID, CAP_SETUID: linux/capability.h


def may_change_user() -> bool:
    with open("/proc/self/status") as file:
        line = next((line for line in file if line.startswith("CapEff:")), "CapEff: 0")
    return int(line.split()[1], 16) & _CHANGE_USER == _CHANGE_USER


_NEWNS, _NEWIPC, _NEWNET = 0x20000, 0x8000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 0x1000, 0x4000, 0x40000


def enter_namespaces() -> bool:
    """Own mounts, own IPC, no network; only where this process may (root in a plain container often may not)."""
    if LIBC.unshare(_NEWNS | _NEWIPC | _NEWNET) != 0:
        return False
    return bool(LIBC.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) == 0)


def mount_tmpfs(path: str, megabytes: int) -> bool:
    options = f"size={megabytes}m,nr_inodes=4096,mode=755".encode()
    return bool(LIBC.mount(b"tmpfs", path.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options) == 0)


def bind(source: str, target: str) -> bool:
    return bool(LIBC.mount(source.encode(), target.encode(), None, _MS_BIND, None) == 0)


def unmount(path: str) -> None:
    LIBC.umount2(path.encode(), 2)
