# SPDX-License-Identifier: MIT
"""What actors/grammars/fetch.py does with what npm gives it: a folder of its own, and an npm that copies a file."""
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FETCH = os.path.join(ROOT, "actors", "grammars", "fetch.py")
FILE = "sample-1.2.3.tgz"


def tarball(files):
    """A package with these files, name -> text, as bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo("package/" + name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


class Fetch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="troupe-fetch-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.script = self.path("actors", "grammars", "fetch.py")
        self.bin = self.path("bin")
        os.makedirs(os.path.dirname(self.script))
        os.mkdir(self.bin)
        shutil.copy(FETCH, self.script)
        self.package = tarball({"src/parser.c": "int x;", "prebuilds/x.node": "skipped", "x.wasm": "skipped"})
        self.write("served.tgz", self.package)
        self.pin(self.package)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)

    def pin(self, data):
        line = f"# a comment\n\nsample 1.2.3 {hashlib.sha256(data).hexdigest()} sample=src\n"
        self.write("actors/grammars/versions.txt", line.encode())

    def install_npm(self, command="cp served.tgz"):
        command = command.replace("cp ", f"cp {self.folder}/")
        text = f'#!/bin/sh\necho "$@" >>{self.path("asked")}\n{command} {FILE}\n'
        self.write("bin/npm", text.encode())
        os.chmod(self.path("bin/npm"), 0o755)

    def fetch(self, *arguments):
        has_npm = os.path.exists(self.path("bin/npm"))
        env = {"PATH": self.bin + (":/usr/bin:/bin" if has_npm else ""), "HOME": self.folder,
               "TROUPE_CACHE": self.path("cache")}
        return subprocess.run(["/usr/bin/python3", self.script, *arguments], env=env, capture_output=True, text=True,
                              timeout=60)

    def assert_fetched(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("vendor/sample/src/parser.c"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "int x;")

    def assert_refused(self, done, *parts):
        self.assertEqual(done.returncode, 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse(os.path.exists(self.path("vendor/versions.txt")))

    def test_a_package_is_downloaded_by_npm_and_unpacked_without_binaries(self):
        self.install_npm()
        self.assert_fetched(self.fetch())
        with open(self.path("asked"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "pack sample@1.2.3\n")
        self.assertEqual(os.listdir(self.path("vendor/sample")), ["src"])
        self.assertEqual(os.listdir(self.path("cache")), [FILE])

    def test_a_second_run_asks_nobody(self):
        self.install_npm()
        self.fetch()
        os.unlink(self.path("asked"))
        self.assert_fetched(self.fetch())
        self.assertFalse(os.path.exists(self.path("asked")))
        self.assertEqual(self.fetch("--missing").stdout, "")

    def test_a_tarball_put_into_the_cache_by_hand_needs_no_npm(self):
        self.write(f"cache/{FILE}", self.package)
        self.assertEqual(self.fetch("--missing").stdout, "")
        self.assert_fetched(self.fetch())

    def test_a_damaged_tarball_in_the_cache_is_downloaded_again(self):
        self.install_npm()
        self.write(f"cache/{FILE}", self.package[:-1])
        self.assertEqual(self.fetch("--missing").stdout, FILE + "\n")
        self.assert_fetched(self.fetch())

    def test_a_newer_table_replaces_what_was_unpacked(self):
        self.install_npm()
        older = tarball({"src/old.c": "old"})
        self.write("served.tgz", older)
        self.pin(older)
        self.assertEqual(self.fetch().returncode, 0)
        self.write("served.tgz", self.package)
        self.pin(self.package)
        self.assert_fetched(self.fetch())
        self.assertEqual(os.listdir(self.path("vendor/sample/src")), ["parser.c"])

    def test_another_file_than_the_pinned_one_is_refused_with_both_hashes(self):
        self.install_npm()
        served = tarball({"src/parser.c": "evil"})
        self.write("served.tgz", served)
        self.assert_refused(self.fetch(), FILE, hashlib.sha256(self.package).hexdigest(),
                            hashlib.sha256(served).hexdigest())
        self.assertEqual(os.listdir(self.path("cache")), [])
        self.assertFalse(os.path.exists(self.path("vendor/sample")))

    def test_without_npm_the_file_the_command_and_the_folder_are_named(self):
        self.assert_refused(self.fetch(), FILE, "./dev setup fetch", "npm pack sample@1.2.3", self.path("cache"))

    def test_what_npm_complains_of_is_passed_on(self):
        self.install_npm("echo 'npm error code ENOTFOUND' >&2; exit 1; true")
        self.assert_refused(self.fetch(), "ENOTFOUND", FILE, self.path("cache"))

    def test_a_name_that_leaves_the_folder_is_refused(self):
        data = tarball({"../x": "out"})
        self.install_npm()
        self.write("served.tgz", data)
        self.pin(data)
        self.assert_refused(self.fetch(), "../x")
        self.assertFalse(os.path.exists(self.path("vendor/x")))
