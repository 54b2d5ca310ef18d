"""A disk as it may be after the power went: from a recording (record.c), a moment and a seed.

    tape = Tape(begin, log)             begin = Snapshot(folder) before the recording; log is what power_record wrote
    tree = cut(tape, at, model, rng)    the power goes after `at` effects
    tree.build(folder)                  files on a disk again; tree.times() is the table that other_boot.c reads

Three models. What all three keep: what a finished fsync, fdatasync or syncfs covered when it began; an entry of a folder is there or is
not; a file is cut or it is not; a page of 4096 bytes holds what it held at some moment since the last sync, or, seldom, its 512-byte sectors of several moments.

ordered   A journal for names, modes and sizes, as ext4 keeps it with data=ordered (its default), and XFS: names appear and vanish in the
          order of the calls, up to some moment; a sync of a file takes along all names before it. Bytes come when they like, and a file
          is as long as the bytes that came: empty, cut short, with a hole where a page was left out; never garbage. ext4's flush before a
          rename over an existing file (auto_da_alloc) is not relied upon.
zeroes    The same journal, but a file may have its size without its bytes, which read as zeroes or as garbage: data=writeback.
anything  What POSIX allows: each change of a name is kept or lost alone, unless its folder was synced; sizes as in `zeroes`. rename() is
          still one change: the old name goes when the new one comes.

The shared memory of SQLite (flow.db-shm) is written through mappings, so that nothing is known of it: it is gone.
"""
import bisect
import os
import stat
import struct

PAGE, SECTOR = 4096, 512
MODELS = ("ordered", "zeroes", "anything")
LOST = ("flow.db-shm",)


class Node:
    """A file, folder or link, and all that happened to it."""

    def __init__(self, kind, mode=0, mtime=0, ctime=0, base=b"", target=""):
        self.kind, self.mode, self.mtime, self.ctime, self.base, self.target = kind, mode, mtime, ctime, base, target
        self.data = []      # (index, offset, bytes); a cut: (index, size, None)
        self.modes = []     # (index, mode)
        self.stamps = []    # (index, mtime, ctime) after an effect
        self.names = []     # indices of effects on its names and its size: what a journal holds of it


class Snapshot:
    """A tree as it is: nodes by inode number, entries (inode of the folder, name) -> inode."""

    def __init__(self, folder):
        self.root, self.nodes, self.entries = os.lstat(folder).st_ino, {}, {}
        self.add(folder)

    def add(self, path):
        info = os.lstat(path)
        if info.st_ino not in self.nodes:
            self.nodes[info.st_ino] = node = Node("file", stat.S_IMODE(info.st_mode), info.st_mtime_ns, info.st_ctime_ns)
            if stat.S_ISDIR(info.st_mode):
                node.kind = "folder"
            elif stat.S_ISLNK(info.st_mode):
                node.kind, node.target = "link", os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    node.base = file.read()
            if node.kind == "folder":
                for name in os.listdir(path):
                    self.entries[info.st_ino, name] = self.add(os.path.join(path, name))
        return info.st_ino


class Tape:
    """The recording: self.times of the effects, self.changes of names, self.syncs (begin, end, node or None, what it takes along)."""

    def __init__(self, begin, log):
        self.nodes, self.entries, self.root = list(begin.nodes.values()), {}, None
        self.number = {ino: at for at, ino in enumerate(begin.nodes)}  # inode -> node
        self.root = self.number[begin.root]
        self.entries = {(self.number[folder], name): self.number[ino] for (folder, name), ino in begin.entries.items()}
        self.times, self.changes, self.syncs = [], [], []
        self.now, self.open_syncs = dict(self.entries), {}
        with open(log, "rb") as file:
            while words := file.readline().split():
                self.take(int(words[0]), words[1].decode(), [word.decode() for word in words[2:]], file)

    def take(self, time, letter, words, file):
        index = len(self.times)
        if letter in "Kk":
            return self.take_sync(letter, index, words)
        if letter == "A":
            if int(words[0]) in self.number:
                self.nodes[self.number[int(words[0])]].stamps.append((index - 1, int(words[1]), int(words[2])))
            return None
        self.times.append(time)
        if letter in "CDS":
            kind = {"C": "file", "D": "folder", "S": "link"}[letter]
            self.nodes.append(Node(kind, mtime=time, ctime=time))
            node = self.number[int(words[2])] = len(self.nodes) - 1
            if letter == "S":
                self.nodes[node].target = bytes.fromhex(words[3]).decode()
            else:
                self.nodes[node].mode = int(words[3], 8)
            return self.change(index, [(self.folder(words[0]), name_of(words[1]), node)], node)
        if letter == "L":
            return self.change(index, [(self.folder(words[0]), name_of(words[1]), self.number[int(words[2])])], self.number[int(words[2])])
        if letter in "RU":
            return self.take_removal(index, words)
        node = self.number[int(words[0])]
        if letter == "W":
            data = file.read(int(words[2]))
            file.readline()
            self.nodes[node].data.append((index, int(words[1]), data))
        elif letter == "T":
            self.nodes[node].data.append((index, int(words[1]), None))
        elif letter == "M":
            self.nodes[node].modes.append((index, int(words[1], 8)))
        self.nodes[node].names.append(index)

    def take_sync(self, letter, index, words):
        if letter == "K":
            ino = int(words[0])
            self.open_syncs[words[1]] = (index, None if ino == 0 else self.number[ino])
            return
        begin, node = self.open_syncs.pop(words[0])
        forced = begin if node is None else self.nodes[node].names[-1] + 1 if self.nodes[node].names else 0
        self.syncs.append((begin, index, node, min(forced, begin)))

    def take_removal(self, index, words):
        old = (self.folder(words[0]), name_of(words[1]))
        node = self.now[old]
        changes = [(*old, None)]
        if len(words) > 2:
            new = (self.folder(words[2]), name_of(words[3]))
            if self.now.get(new) == node:
                return  # two links to one file: nothing happens
            changes.append((*new, node))
        self.change(index, changes, node)

    def folder(self, word):
        return self.number[int(word)]

    def change(self, index, changes, node):
        self.changes.append((index, changes))
        self.nodes[node].names.append(index)
        for folder, name, what in changes:
            self.nodes[folder].names.append(index)
            if what is None:
                self.now.pop((folder, name), None)
            else:
                self.now[folder, name] = what

    def __len__(self):
        return len(self.times)


def name_of(digits):
    return bytes.fromhex(digits).decode("utf-8", "surrogateescape")


class Tree:
    """Nodes and entries, ready to be made."""

    def __init__(self, tape, entries):
        self.tape, self.entries = tape, {}
        self.inside = {}
        for (folder, name), node in entries.items():
            if name not in LOST:
                self.inside.setdefault(folder, []).append((name, node))
        self.content, self.attributes, self.made = {}, {}, []  # attributes: (mode, mtime, ctime)

    def reachable(self):
        seen, todo = set(), [self.tape.root]
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += [inner for _, inner in self.inside.get(node, ())]
        return seen

    def build(self, folder):
        self.made, self.paths = [], {}
        os.mkdir(folder)
        self.fill(self.tape.root, folder)

    def fill(self, number, path):
        for name, node in self.inside.get(number, ()):
            self.make(node, path + "/" + name)
        self.settle(number, path)

    def make(self, number, path):
        node = self.tape.nodes[number]
        if number in self.paths:
            if node.kind != "folder":  # one that two lost renames would have in two places is in the first
                os.link(self.paths[number], path, follow_symlinks=False)
            return
        self.paths[number] = path
        if node.kind == "folder":
            os.mkdir(path)
            return self.fill(number, path)
        if node.kind == "link":
            return os.symlink(node.target, path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, self.content.get(number, node.base))
        os.close(descriptor)
        self.settle(number, path)

    def settle(self, number, path):
        mode, mtime, _ = self.attributes_of(number)
        os.utime(path, ns=(mtime, mtime))
        os.chmod(path, mode)
        self.made.append((number, path))

    def attributes_of(self, number):
        node = self.tape.nodes[number]
        return self.attributes.get(number, (node.mode, node.mtime, node.ctime))

    def times(self, file):
        """Once it is built: what the ctime and the inode number of each file would be."""
        inos = {node: ino for ino, node in self.tape.number.items()}
        table = []
        for number, path in self.made:
            info = os.lstat(path)
            table.append((info.st_ino, info.st_ctime_ns, self.attributes_of(number)[2], inos.get(number, info.st_ino)))
        with open(file, "wb") as out:
            out.write(b"".join(struct.pack("<QqqQ", *row) for row in sorted(table)))


class Cut:
    def __init__(self, tape, at, model, rng):
        self.tape, self.at, self.model, self.rng = tape, at, model, rng
        self.all_synced, self.synced, self.journal = 0, {}, 0
        for begin, end, node, forced in tape.syncs:
            if end > at:
                continue
            self.journal = max(self.journal, forced)
            if node is None:
                self.all_synced = max(self.all_synced, begin)
            else:
                self.synced[node] = max(self.synced.get(node, 0), begin)
        if model != "anything":
            self.journal = rng.choice((self.journal, at, rng.randint(self.journal, at), rng.randint(self.journal, at)))
        # How much the disk has done of what it was not made to do.
        self.eager = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        self.torn, self.garbage = rng.choice((0.0, 0.0, 0.1, 0.5)), rng.random() < 0.3

    def floor(self, node):
        """Effects on the node's bytes before this one are on the disk."""
        return max(self.all_synced, self.synced.get(node, 0))

    def tree(self):
        tree = Tree(self.tape, self.entries())
        for number in tree.reachable():
            node = self.tape.nodes[number]
            if node.modes or node.stamps:
                tree.attributes[number] = self.attributes(node, self.known_until(number))
            if node.kind == "file" and node.data:
                tree.content[number] = self.content(number, node)
        return tree

    def known_until(self, number):
        if self.model != "anything":
            return max(self.journal, self.floor(number))
        return self.rng.randint(self.floor(number), self.at)

    def entries(self):
        entries = dict(self.tape.entries)
        for index, changes in self.tape.changes:
            if index >= self.at:
                break
            if self.model != "anything":
                kept = index < self.journal
            else:
                kept = any(index < self.floor(folder) for folder, _, _ in changes) or self.rng.random() < self.eager
            if kept:
                for folder, name, node in changes:
                    if node is None:
                        entries.pop((folder, name), None)
                    else:
                        entries[folder, name] = node
        return entries

    @staticmethod
    def attributes(node, until):
        mode = ([node.mode] + [mode for index, mode in node.modes if index < until])[-1]
        return (mode, *([(node.mtime, node.ctime)] + [(mtime, ctime) for index, mtime, ctime in node.stamps if index < until])[-1])

    # -- bytes --------------------------------------------------------------------------------------------------------------

    def content(self, number, node):
        floor, data, pending = self.floor(number), bytearray(node.base), []
        for index, offset, piece in node.data:
            if index >= self.at:
                break
            if index < floor:
                put(data, offset, piece)
            elif piece is not None:
                pending.append((index, offset, piece))
            elif self.is_cut(index):
                put(data, offset, None)
                pending = [write for write in pending if write[1] < offset]
            elif self.model != "anything":
                break  # what was written into a file after it was cut is not in the file that was not cut
        return bytes(self.later(number, data, pending)) if pending else bytes(data)

    def is_cut(self, index):
        """Whole or not at all, as names are."""
        return index < self.journal if self.model != "anything" else self.rng.random() < self.eager

    def later(self, number, data, pending):
        """Some of what was not synced."""
        sizes, pages = [len(data)], {}
        for at, (_, offset, piece) in enumerate(pending):
            sizes.append(max(sizes[-1], offset + len(piece)))
            for page in range(offset // PAGE, (offset + len(piece) - 1) // PAGE + 1):
                pages.setdefault(page, []).append(at)
        old, luck = len(data), self.luck(number, len(pending))
        moments = {page: luck(writes) for page, writes in sorted(pages.items())}
        size = self.size(number, sizes, pending, pages, moments, old)
        out = bytearray(data[:size])
        out.extend(bytes(size - len(out)))
        for page, writes in pages.items():
            if page * PAGE < size:
                new = self.page(data, pending, page, writes, moments[page], old)
                part = new[:size - page * PAGE]
                out[page * PAGE:page * PAGE + len(part)] = part
        return out

    def luck(self, number, count):
        """For a file: how many of the writes to a page had been made when the disk last wrote it. All of them, none, those up to some
        moment, or that of each page alone."""
        kind = self.rng.random()
        if kind < 0.4 + 0.2 * self.eager:
            return len
        if kind < 0.7:
            return lambda writes: 0
        if kind < 0.85:
            limit = self.rng.randint(0, count)
            return lambda writes: bisect.bisect_left(writes, limit)
        return lambda writes: self.rng.randint(0, len(writes)) if self.rng.random() < self.eager else 0

    def size(self, number, sizes, pending, pages, moments, old):
        if self.model == "zeroes":
            return sizes[sum(1 for index, _, _ in pending if index < self.journal)]
        if self.model == "anything":
            return sizes[self.rng.randint(0, len(pending))]
        # As long as the bytes that came; mostly they come in order.
        size, in_order = old, self.rng.random() < 0.7
        for page in sorted(pages):
            if (page + 1) * PAGE <= old:
                continue
            if moments[page] == 0:
                if in_order:
                    for later in pages:
                        if later > page:
                            moments[later] = 0
                    break
                continue
            size = max(size, min((page + 1) * PAGE, sizes[pages[page][moments[page] - 1] + 1]))
        return size

    def page(self, data, pending, page, writes, moment, old):
        begin = page * PAGE
        whole = self.page_at(data, pending, begin, writes[:moment])
        if moment == 0 and begin >= old and self.garbage and self.model != "ordered":
            return self.rng.randbytes(PAGE)
        if moment > 0 and self.rng.random() < self.torn:
            before = self.page_at(data, pending, begin, writes[:self.rng.randint(0, moment - 1)])
            for at in range(0, PAGE, SECTOR):
                if self.rng.random() < 0.5:
                    whole[at:at + SECTOR] = before[at:at + SECTOR]
        return whole

    @staticmethod
    def page_at(data, pending, begin, writes):
        page = bytearray(data[begin:begin + PAGE])
        page.extend(bytes(PAGE - len(page)))
        for at in writes:
            _, offset, piece = pending[at]
            low, high = max(offset, begin), min(offset + len(piece), begin + PAGE)
            page[low - begin:high - begin] = piece[low - offset:high - offset]
        return page


def put(data, offset, piece):
    if piece is None:
        del data[offset:]
        data.extend(bytes(offset - len(data)))
        return
    if offset > len(data):
        data.extend(bytes(offset - len(data)))
    data[offset:offset + len(piece)] = piece


def cut(tape, at, model, rng):
    return Cut(tape, at, model, rng).tree()


class Everything:
    """No loss: the tree after `at` effects, as a program saw it."""

    def __init__(self, tape, at):
        entries = dict(tape.entries)
        for index, changes in tape.changes:
            if index < at:
                for folder, name, node in changes:
                    if node is None:
                        entries.pop((folder, name), None)
                    else:
                        entries[folder, name] = node
        self.tape, self.at, self.entries = tape, at, entries

    def bytes_of(self, number):
        data = bytearray(self.tape.nodes[number].base)
        for index, offset, piece in self.tape.nodes[number].data:
            if index < self.at:
                put(data, offset, piece)
        return bytes(data)

    def files(self):
        """path -> bytes, link target or None for a folder"""
        found, todo = {}, [(self.tape.root, "")]
        inside = {}
        for (folder, name), node in self.entries.items():
            inside.setdefault(folder, []).append((name, node))
        while todo:
            folder, path = todo.pop()
            for name, number in inside.get(folder, ()):
                node, full = self.tape.nodes[number], os.path.join(path, name)
                if name in LOST:
                    continue
                if node.kind == "folder":
                    todo.append((number, full))
                found[full] = None if node.kind == "folder" else node.target if node.kind == "link" else self.bytes_of(number)
        return found
