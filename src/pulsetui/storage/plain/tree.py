"""A tree of sizes of plain folders, grown from what is met on the way: no catalog, no database, no disk.

Folders and files come in as they are read; `tree` then gives the frozen nodes. The invariant: nothing is counted twice
and nothing is lost. What gets no node of its own, because it lies too deep or is too small among too many, is in the
sums of the folder that stands for it. A file with several names counts once, under the smallest of its paths. Reading
folders is left to `plain`, reading exports to `ncdu`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pulsetui.storage.plain.nodes import Branch, Frozen, PlainFile, add_to, freeze
from pulsetui.storage.scan.records import CategoryCount
from pulsetui.storage.views import StorageNode

MOST_NODES = 10_000
"""How many nodes a tree without a depth may have: more, and it is cut one level higher."""
MOST_FILES = 1_000
"""How many files of a folder get a node of their own, the largest first, where the depth is not given."""


MOST_NAMED = 50_000
"""How many files have nodes in a tree for a picture: past that the smaller half of them is summed up."""


class PlainTree:
    """Grows from `top`, the branch of the folder that was asked for."""

    def __init__(self, path: bytes, *, depth: int | None = None, most_files: int | None = None) -> None:
        """Take the absolute path of the top, and how many levels below it get nodes; 0 is the top alone.

        Without a depth, as many as fit into `MOST_NODES`, at least one, and at most `MOST_FILES` in a folder. With a
        depth and `most_files` it is for a picture, which has no room for what is small: of all files the largest
        get nodes. With a depth alone, every file does.
        """
        self._fits = depth is None
        self._for_picture = depth is not None and most_files is not None
        self._named = 0
        self._too_small = (-1, -1)
        self._most_files = MOST_FILES if depth is None else most_files
        self._depth = depth
        self._path = path
        self._levels: list[list[Branch]] = []
        self._nodes_at: list[int] = []
        self._links: dict[tuple[int, int], tuple[bytes, Branch, PlainFile]] = {}
        self.top = self._grow(path, None)

    def enter(self, above: Branch, name: bytes) -> Branch:
        """Return the branch of a folder; below the last level it is the one that stands for it."""
        above = self._standing(above)
        if above.depth == self._depth:
            above.hides = True
            return above
        return above.folders.get(name) or self._grow(name, above)

    def add_folder(self, branch: Branch, allocated_bytes: int, error: str = "") -> None:
        """Count what a folder itself takes on disk, and note why it could not be read."""
        branch = self._standing(branch)
        branch.blocks_bytes += allocated_bytes
        branch.error = branch.error or error

    def add_counts(self, branch: Branch, counts: Iterable[CategoryCount], newest_ns: int) -> None:
        """Count files without naming them; `name_files` may do that later."""
        branch = self._standing(branch)
        files = 0
        for category, count, total_bytes, allocated_bytes in counts:
            add_to(branch.summed, category, count, total_bytes, allocated_bytes)
            files += count
        branch.hides = branch.hides or files > 0
        branch.newest_ns = max(branch.newest_ns, newest_ns)
        if branch.depth != self._depth:
            self._count_nodes(branch.depth + 1, min(files, MOST_FILES))

    def name_files(self, branch: Branch, files: Iterable[PlainFile]) -> None:
        """Put files, all of the folder's own that have one name, in the place of what was counted of them."""
        branch.summed.clear()
        branch.hides = False
        branch.files.extend(files)

    def add_file(self, branch: Branch, file: PlainFile) -> None:
        """Count a file, with a node of its own where there is room for one."""
        branch = self._standing(branch)
        if branch.depth == self._depth or _by_size(file) <= self._too_small:
            _sum_up(branch, (file,))
            return
        branch.files.append(file)
        if self._for_picture:
            self._named += 1
            if self._named > MOST_NAMED:
                self._sum_up_small()
        if self._most_files is None or len(branch.files) <= self._most_files:
            self._count_nodes(branch.depth + 1, 1)
        elif len(branch.files) > 2 * self._most_files:
            _keep_largest(branch, self._most_files)

    def add_link(self, branch: Branch, path: bytes, identity: tuple[int, int], file: PlainFile) -> None:
        """Take one name of a file with several; `path` is the folder's below the top, `identity` (device, inode)."""
        name = path + b"/" + file.name if path else file.name
        known = self._links.get(identity)
        if known is None or name < known[0]:
            self._links[identity] = (name, branch, file)

    def worth_naming(self, share: float) -> set[Branch]:
        """Return the folders whose files can have nodes and that make up at least `share` of all bytes."""
        sizes: dict[Branch, list[int]] = {}
        for level in reversed(self._levels):
            for branch in level:
                sums = [_apparent(branch), _allocated(branch)]
                for folder in branch.folders.values():
                    sums = [mine + its for mine, its in zip(sums, sizes[folder], strict=True)]
                sizes[branch] = sums
        least = [share * size for size in sizes[self.top]]
        return {
            branch
            for branch, sums in sizes.items()
            if branch.depth != self._depth and any(size >= few for size, few in zip(sums, least, strict=True))
        }

    def tree(self) -> StorageNode:
        """Return the frozen tree; nothing may be added any more."""
        for _, branch, file in self._links.values():
            self.add_file(branch, file)
        self._links.clear()
        frozen: dict[Branch, Frozen] = {}
        paths = self._paths()
        for level in reversed(self._levels):
            for branch in level:
                if self._most_files is not None and len(branch.files) > self._most_files:
                    _keep_largest(branch, self._most_files)
                below = [frozen.pop(folder) for folder in branch.folders.values()]
                frozen[branch] = freeze(branch, below, paths.pop(branch), self._path)
        return frozen[self.top].node

    def _sum_up_small(self) -> None:
        """Take the nodes of the smaller half of all files, now and from now on."""
        branches = [branch for level in self._levels for branch in level if branch.files]
        sizes = sorted(_by_size(file) for branch in branches for file in branch.files)
        self._too_small = sizes[len(sizes) // 2]
        self._named = 0
        for branch in branches:
            files, branch.files = branch.files, []
            for file in files:
                if _by_size(file) > self._too_small:
                    branch.files.append(file)
                else:
                    _sum_up(branch, (file,))
            self._named += len(branch.files)

    def _grow(self, name: bytes, above: Branch | None) -> Branch:
        branch = Branch(name, above.depth + 1 if above else 0, above)
        if above is not None:
            above.folders[name] = branch
        if branch.depth == len(self._levels):
            self._levels.append([])
        self._levels[branch.depth].append(branch)
        self._count_nodes(branch.depth, 1)
        return branch

    def _standing(self, branch: Branch) -> Branch:
        """Return the branch that stands for this one: itself, unless the tree was cut above it meanwhile."""
        while self._depth is not None and branch.depth > self._depth and branch.above is not None:
            branch = branch.above
        return branch

    def _paths(self) -> dict[Branch, bytes]:
        """Return the path of each branch below the top."""
        paths = {self.top: b""}
        for level in self._levels[1:]:
            for branch in level:
                above = paths[branch.above] if branch.above is not None else b""
                paths[branch] = above + b"/" + branch.name if above else branch.name
        return paths

    def _count_nodes(self, depth: int, more: int) -> None:
        if not self._fits:
            return
        if depth >= len(self._nodes_at):
            self._nodes_at.append(0)
        self._nodes_at[depth] += more
        while sum(self._nodes_at) > MOST_NODES and len(self._nodes_at) > 2:
            self._cut()

    def _cut(self) -> None:
        """Take the deepest level of nodes away: what they hold goes into the sums of those above."""
        self._nodes_at.pop()
        self._depth = len(self._nodes_at) - 1
        for branch in (branch for level in self._levels[self._depth + 1 :] for branch in level):
            _merge(self._standing(branch), branch)
        del self._levels[self._depth + 1 :]
        for branch in self._levels[self._depth]:
            _sum_up(branch, branch.files)
            branch.files.clear()
            branch.folders.clear()


def _sum_up(branch: Branch, files: Iterable[PlainFile]) -> None:
    for file in files:
        add_to(branch.summed, file.category, file.file_count, file.total_bytes, file.allocated_bytes)
        branch.newest_ns = max(branch.newest_ns, file.newest_ns)
        branch.error = branch.error or file.error
        branch.hides = True


def _merge(into: Branch, gone: Branch) -> None:
    _sum_up(into, gone.files)
    for category, counts in gone.summed.items():
        add_to(into.summed, category, *counts)
    into.blocks_bytes += gone.blocks_bytes
    into.newest_ns = max(into.newest_ns, gone.newest_ns)
    into.error = into.error or gone.error
    into.hides = True


def _keep_largest(branch: Branch, most: int) -> None:
    branch.files.sort(key=_by_size, reverse=True)
    _sum_up(branch, branch.files[most:])
    del branch.files[most:]


def _by_size(file: PlainFile) -> tuple[int, int]:
    return file.allocated_bytes, file.total_bytes


def _apparent(branch: Branch) -> int:
    return sum(total for _, total, _ in branch.summed.values()) + sum(file.total_bytes for file in branch.files)


def _allocated(branch: Branch) -> int:
    named = sum(file.allocated_bytes for file in branch.files)
    return branch.blocks_bytes + named + sum(allocated for _, _, allocated in branch.summed.values())
