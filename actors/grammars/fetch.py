#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Brings the packages of versions.txt into vendor/, and does nothing when they are there.

fetch.py             tarballs from the cache, those that it lacks by `npm pack`; each is checked by hash, then unpacked
fetch.py --missing   names the tarballs that would have to be downloaded, one to a line

npm does the downloading, so its registry, proxy, credentials and certificates apply. The cache is TROUPE_CACHE, else
troupe in the user's cache folder (XDG_CACHE_HOME, ~/.cache): several checkouts share it, and a tarball that was put
there by hand is as good as a downloaded one.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent.parent / "vendor"
TABLE = HERE / "versions.txt"
STAMP = VENDOR / TABLE.name  # a copy of the table, written last: what vendor/ holds
DOWNLOADS_MAX = 4
SKIPPED = ("package/prebuilds/",)  # binaries for Node


class Refused(Exception):
    """What went wrong and what to do about it, in words for the user."""


class Package:
    def __init__(self, line):
        self.name, self.version, self.sha256 = line.split()[:3]
        self.file = f"{self.name}-{self.version}.tgz"
        self.cached = cache() / self.file

    def is_cached(self):
        return self.cached.is_file() and digest(self.cached) == self.sha256


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TROUPE_CACHE") or Path(base) / "troupe")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def packages():
    lines = (line.strip() for line in TABLE.read_text().splitlines())
    return [Package(line) for line in lines if line and not line.startswith("#")]


def download(package, npm):
    """One tarball into the cache: appears there whole and checked, or not at all."""
    with tempfile.TemporaryDirectory(prefix="fetch.", dir=cache()) as folder:
        done = subprocess.run([npm, "pack", f"{package.name}@{package.version}"], cwd=folder, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False)
        got = Path(folder) / package.file
        if done.returncode != 0 or not got.is_file():
            said = [line for line in done.stderr.splitlines() if "ERR!" in line or "error" in line]
            raise Refused(f"npm could not fetch {package.file}:\n" + "\n".join(f"    {line}" for line in said[:6]) +
                          f"\n{by_hand(package)}")
        actual = digest(got)
        if actual != package.sha256:
            raise Refused(f"{package.file} is not the file that was expected\n    SHA-256 expected {package.sha256}\n"
                          f"    SHA-256 received {actual}\n"
                          f"  The registry that npm uses (npm config get registry) serves another file. Nothing of it "
                          f"was kept.\n{by_hand(package)}")
        got.replace(package.cached)


def by_hand(package):
    return (f"  Without network: run `npm pack {package.name}@{package.version}` elsewhere and put {package.file} "
            f"into {cache()}")


def download_all(lacking):
    npm = shutil.which("npm")
    if not npm:
        raise Refused(f"no npm, which fetches {', '.join(p.file for p in lacking)}\n"
                      f"  ./dev setup fetch installs it.\n{by_hand(lacking[0])}")
    cache().mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(DOWNLOADS_MAX) as pool:
        running = [pool.submit(download, package, npm) for package in lacking]
        for count, one in enumerate(as_completed(running), 1):
            one.result()
            if sys.stderr.isatty():
                print(f"\rfetch: {count} of {len(lacking)} packages", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def unpack(package):
    """Replaces vendor/NAME by what the tarball holds."""
    target, fresh = VENDOR / package.name, VENDOR / f".{package.name}"
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(package.cached) as tar:
        for member in tar:
            if not member.isfile() or member.name.startswith(SKIPPED) or member.name.endswith(".wasm"):
                continue
            parts = Path(member.name).parts[1:]  # all is under package/
            if not parts or ".." in parts:
                raise Refused(f"{package.file} has a file with the name {member.name}")
            path = fresh.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tar.extractfile(member).read())
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def is_current():
    return STAMP.is_file() and STAMP.read_bytes() == TABLE.read_bytes()


def fetch():
    VENDOR.mkdir(exist_ok=True)
    with open(VENDOR / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        STAMP.unlink(missing_ok=True)
        wanted = packages()
        lacking = [package for package in wanted if not package.is_cached()]
        if lacking:
            download_all(lacking)
        for package in wanted:
            unpack(package)
        shutil.copyfile(TABLE, STAMP)


def main(arguments):
    if arguments == ["--missing"]:
        if not is_current():
            for package in packages():
                if not package.is_cached():
                    print(package.file)
    elif arguments:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    elif not is_current():
        try:
            fetch()
        except (Refused, OSError, tarfile.TarError) as fault:
            print(f"fetch: {fault}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
