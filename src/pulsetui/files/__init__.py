"""Everything that touches the file system goes through this room.

- `names`: hostile text as titles, as folder names, as text for a screen.
- `folders`: `Folder`, a folder held by its descriptor; opening, renaming and removing below it never follow a link.
- `identity`: `FileIdentity`, which file it is, so that another one of the same name isn't taken for it.
- `renames`: the system call for a rename that never replaces.
- `durable`: writes that are either wholly there after a power loss or not at all.
- `copying`: copies that share their blocks with the original, where the file system can.
- `locks`: advisory locks, and which file systems can't be trusted with them.
- `space`: the one place where "no space left" becomes `SpaceError`.

The invariant: no operation here follows a symbolic link below a folder, replaces a file unless asked to by name, or
reports success before the bytes that it promises are on disk. The calls block; run them in worker threads or processes.
"""
