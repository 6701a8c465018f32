#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The patch queue as git commits, and back.

    queue.py commits   make one commit per line of patches/series on top of the
                       pristine base, print their hashes
    queue.py checkout  the same, checked out in $BUILD/queue
    queue.py refresh   take the commits of $BUILD/queue back: what they change
                       in files of the base goes to patches/, files that the
                       base does not have go to their place in this repository
"""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.realpath(os.environ.get("BUILD") or os.path.join(ROOT, "build"))
GITDB = os.path.join(BUILD, "base.git")
PATCHES = os.path.join(ROOT, "patches")
QUEUE = os.path.join(BUILD, "queue")


def die(msg):
    sys.exit(f"queue: {msg}")


def git(*args, index=None, stdin=None, env=None, check=True, where=None):
    e = dict(os.environ, **(env or {}))
    for k in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        e.pop(k, None)
    if where is None:
        e["GIT_DIR"] = GITDB
    if index:
        e["GIT_INDEX_FILE"] = index
    if isinstance(stdin, str):
        stdin = stdin.encode()
    p = subprocess.run(["git", *args], cwd=where or ROOT, env=e, input=stdin,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and p.returncode:
        die(f"git {' '.join(args[:3])}: {p.stderr.decode(errors='replace').strip()}")
    return p.stdout.decode(errors="surrogateescape")


def check_message(subject, body):
    """The trailers are the last paragraph, or git takes them for text"""
    text, _, trailers = body.strip().rpartition("\n\n")
    lines = trailers.splitlines()
    if not text or not all(re.match(r"[A-Z][A-Za-z-]*: \S", l) for l in lines) or \
            not any(l.startswith("Signed-off-by: ") for l in lines):
        die(f"'{subject}': a message is text, an empty line, and trailers, one of them "
            "Signed-off-by")


def base():
    return git("rev-parse", "--verify", "refs/heads/base").strip()


def series():
    """[(patch, [claim, ...])]"""
    path = os.path.join(PATCHES, "series")
    if not os.path.exists(path):
        return []
    out = []
    for line in open(path):
        words = line.split("#")[0].split()
        if words:
            out.append((words[0], [w.rstrip("/") for w in words[1:]]))
    return out


def overlay_files():
    # the shell knows the list of directories; there shall be one
    script = f'. "{ROOT}/dev/lib.sh"; overlay_files'
    out = subprocess.run(["bash", "-c", script], check=True,
                         stdout=subprocess.PIPE).stdout
    return out.decode().splitlines()


def covers(claim, path):
    return path == claim or path.startswith(claim + "/")


def claimed(lines, files):
    """{patch: [file, ...]}; each file has to have exactly one owner"""
    owned = {patch: [] for patch, _ in lines}
    if len(owned) != len(lines):
        die("patches/series names a patch twice")
    bad = []
    for f in files:
        # a file named itself is taken out of a directory named elsewhere
        owners = {p for p, claims in lines if f in claims}
        owners = owners or {p for p, claims in lines
                            if any(covers(c, f) for c in claims)}
        if len(owners) == 1:
            owned[owners.pop()].append(f)
        else:
            bad.append(f"{f}: " + (", ".join(sorted(owners)) or "no patch"))
    for patch, claims in lines:
        for c in claims:
            if not any(covers(c, f) for f in files):
                bad.append(f"{c}: claimed by {patch}, but not there")
    if bad:
        die("each file belongs to exactly one line of patches/series:\n  " +
            "\n  ".join(bad))
    return owned


def commits():
    lines = series()
    owned = claimed(lines, overlay_files())
    index = os.path.join(BUILD, "queue.index")
    parent = base()
    git("read-tree", parent, index=index)
    out = []
    for patch, _ in lines:
        path = os.path.join(PATCHES, patch)
        if not os.path.exists(path):
            die(f"patches/series names {patch}, which is not there")
        msg_file = os.path.join(BUILD, "queue.msg")
        info = git("mailinfo", "--no-inbody-headers", msg_file, "/dev/null", stdin=open(path, "rb").read())
        head = dict(l.split(": ", 1) for l in info.splitlines() if ": " in l)
        if "Subject" not in head:
            die(f"{patch} has no commit message on top")
        body = open(msg_file, encoding="utf-8").read().strip()
        check_message(head["Subject"], body)
        git("apply", "--cached", "--allow-empty", "--whitespace=nowarn", path,
            index=index)
        if owned[patch]:
            git("--work-tree", ROOT, "update-index", "--add", "-z", "--stdin",
                index=index, stdin="\0".join(owned[patch]) + "\0")
        tree = git("write-tree", index=index).strip()
        date = head.get("Date", "2000-01-01T00:00:00Z")
        who = {"NAME": head.get("Author", "Signed BPF developers"),
               "EMAIL": head.get("Email", "signed-bpf@example.org"),
               "DATE": date}
        # author and committer alike: the hashes tell nothing but the content
        env = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER")
               for k, v in who.items()}
        parent = git("commit-tree", "-p", parent, tree, env=env,
                     stdin=f"{head['Subject']}\n\n{body}\n").strip()
        out.append(parent)
    return out


def checkout():
    tip = (commits() or [base()])[-1]
    if os.path.isdir(QUEUE):
        if git("status", "--porcelain", "-uno", where=QUEUE).strip():
            die(f"{QUEUE} has changes that are not committed")
        last = git("rev-parse", "-q", "--verify", "refs/queue/taken",
                   check=False).strip()
        head = git("rev-parse", "HEAD", where=QUEUE).strip()
        if last and head not in (last, tip):
            die(f"{QUEUE} has commits that 'make refresh' has not taken back")
        git("reset", "-q", "--hard", tip, where=QUEUE)
    else:
        git("worktree", "prune")
        git("worktree", "add", "-q", "-f", "-B", "queue", QUEUE, tip)
    git("update-ref", "refs/queue/taken", tip)
    print(f"{QUEUE}: branch queue, one commit a patch, on top of branch base.\n"
          "Debian's .gitignore hides new files there: git add -f adds them.")


def refresh():
    if not os.path.isdir(QUEUE):
        die("run 'make queue' first")
    if git("status", "--porcelain", "-uno", where=QUEUE).strip():
        die(f"{QUEUE} has changes that are not committed")
    root, tip = base(), git("rev-parse", "HEAD", where=QUEUE).strip()
    revs = git("rev-list", "--reverse", f"{root}..{tip}").split()
    if not revs or git("merge-base", root, tip).strip() != root:
        die("branch queue does not stand on the base")
    taken = git("rev-parse", "-q", "--verify", "refs/queue/taken",
                check=False).strip()
    in_base = set(git("ls-tree", "-r", "-z", "--name-only", root).split("\0"))

    def new_files(rev):
        out = git("diff-tree", "-r", "-z", "--name-only", root, rev)
        return [f for f in out.split("\0") if f and f not in in_base]

    # The same commits without the files that live in this repository
    index = os.path.join(BUILD, "queue.index")
    parent, seen, brings = root, set(), []
    for rev in revs:
        new = new_files(rev)
        git("read-tree", rev, index=index)
        if new:
            git("--work-tree", QUEUE, "update-index", "--force-remove", "-z",
                "--stdin", index=index, stdin="\0".join(new) + "\0")
        tree = git("write-tree", index=index).strip()
        fmt = git("log", "-1", "--format=%an%n%ae%n%aI%n%B", rev)
        name, mail, date, msg = fmt.split("\n", 3)
        check_message(*msg.split("\n", 1))
        env = {f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in
               (("NAME", name), ("EMAIL", mail), ("DATE", date))}
        parent = git("commit-tree", "-p", parent, tree, env=env,
                     stdin=msg.rstrip() + "\n").strip()
        brings.append([f for f in new if f not in seen])
        seen.update(new)

    tmp = os.path.join(BUILD, "queue.patches")
    shutil.rmtree(tmp, ignore_errors=True)
    git("format-patch", "-q", "--always", "--zero-commit", "--no-signature",
        "--no-numbered", "--no-base", "--abbrev=12", "--diff-algorithm=histogram",
        "-o", tmp, f"{root}..{parent}")
    names = sorted(os.listdir(tmp))
    if len(names) != len(revs):
        die("format-patch left something out")

    # A patch keeps its file name, and so its history, as long as its subject
    # stays; a new one is numbered after the one before it
    known = {re.sub(r"^\d+-", "", p): p for p, _ in series()}
    number, renamed = 0, []
    for name in names:
        slug = re.sub(r"^\d+-", "", name)
        new = known.get(slug, f"{number + 1:04}-{slug}")
        number = int(new.split("-")[0])
        os.rename(os.path.join(tmp, name), os.path.join(tmp, "kept-" + new))
        renamed.append(new)
    names = renamed

    # Files of this repository: what the tip has; what it no longer has goes
    now = new_files(tip)
    before = new_files(taken) if taken else []
    for f in sorted(set(before) - set(now)):
        path = os.path.join(ROOT, f)
        if os.path.lexists(path):
            os.unlink(path)
    modes = {l.split("\t")[1]: l.split()[0] for l in
             git("ls-tree", "-r", tip, "--", *now).splitlines()} if now else {}
    for f in now:
        path = os.path.join(ROOT, f)
        src = os.path.join(QUEUE, f)
        same = os.path.lexists(path) and not os.path.islink(src) and \
            open(path, "rb").read() == open(src, "rb").read()
        if not same:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.lexists(path):
                os.unlink(path)
            shutil.copy(src, path, follow_symlinks=False)
        if modes.get(f) == "100755":
            os.chmod(path, 0o755)

    # Claims: a line keeps its wording as long as it still means the same files
    old = {re.sub(r"^\d+-", "", p): c for p, c in series()}
    lines = []
    for name, files in zip(names, brings):
        files = [f for f in files if f in now]
        claims = [c for c in old.get(re.sub(r"^\d+-", "", name), [])
                  if any(covers(c, f) for f in files)
                  and not any(covers(c, f) for f in now if f not in files)]
        claims += [f for f in files if not any(covers(c, f) for c in claims)]
        lines.append((name, claims))

    os.makedirs(PATCHES, exist_ok=True)
    for p, _ in series():
        if p not in names and os.path.exists(os.path.join(PATCHES, p)):
            os.unlink(os.path.join(PATCHES, p))
    for name in names:
        text = open(os.path.join(tmp, "kept-" + name), "rb").read()
        path = os.path.join(PATCHES, name)
        if not os.path.exists(path) or open(path, "rb").read() != text:
            open(path, "wb").write(text)
    try:
        head = [l for l in open(os.path.join(PATCHES, "series")) if l[0] == "#"]
    except FileNotFoundError:
        head = ["# SPDX-License-Identifier: GPL-2.0\n"]
    with open(os.path.join(PATCHES, "series"), "w") as f:
        f.writelines(head)
        for name, claims in lines:
            f.write(" ".join([name, *claims]) + "\n")
    git("update-ref", "refs/queue/taken", tip)
    print(f"{len(names)} patches, {len(now)} files of our own")


def main():
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what == "commits":
        print("\n".join(commits()))
    elif what == "checkout":
        checkout()
    elif what == "refresh":
        refresh()
    else:
        sys.exit(__doc__)


main()
