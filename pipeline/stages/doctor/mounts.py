"""Which file system a folder lies on, from the kernel's table of mounts; unknown where there is no such table."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")

SHARED = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "fuse.beegfs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs",
        "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "pvfs2", "smb3", "smbfs", "wekafs",
    }
)  # fmt: skip
"""File systems that other machines see too; SQLite's write-ahead log needs the memory of one machine."""
PASSING = frozenset({"overlay", "aufs", "ramfs", "tmpfs"})
"""File systems whose files end with the container or the machine."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system by its kind, and where it is mounted."""

    kind: str
    place: Path

    @property
    def shared(self) -> bool:
        """Whether other machines may write to it too."""
        return self.kind in SHARED

    @property
    def passing(self) -> bool:
        """Whether its files end with the container or the machine."""
        return self.kind in PASSING


def of(folder: Path, table: Path = MOUNTS) -> Mount | None:
    """Return the mount that ``folder`` lies on, or None where that cannot be known."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    # device, place, kind, options, two numbers; of two mounts on one place the later one lies on top
    entries = [line.split(" ") for line in lines if line.count(" ") >= 2]
    mounts = [Mount(fields[2], Path(_unescaped(fields[1]))) for fields in entries]
    real = Path(os.path.realpath(folder))
    around = [(len(mount.place.parts), number, mount) for number, mount in enumerate(mounts) if _holds(mount, real)]
    return max(around, key=lambda item: item[:2])[2] if around else None


def _holds(mount: Mount, folder: Path) -> bool:
    return folder == mount.place or mount.place in folder.parents


def _unescaped(field: str) -> str:
    """Return a path of the table, in which a space is a backslash and its octal number, 040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
