"""tools/mutate on a project of two files whose command and unit tests are easy to foresee."""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

MUTATE = sys.argv.pop(1)

CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project(sample CXX)
include(cmake/HelixcheckTargets.cmake)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_executable(helixcheck app/main.cpp lib/helix/sample.cpp)
foreach(name helix subject world)
  add_executable(test_${name} EXCLUDE_FROM_ALL app/test.cpp lib/helix/sample.cpp)
endforeach()
"""
SAMPLE = """\
#include <cstdlib>
int product(int x) { return x * 3; }
int seen_by_tests_only() { return 5; }
int seen_by_nobody() { return 7; }
int table[1] = {0};
void wait_for(int x) {
  while (x == 9) std::rand();
}
void refuse(int x) {
  if (x > 4) std::exit(2);
}
void crash(int x) {
  if (x >= 3) std::abort();
}
"""
MAIN = """\
int product(int);
void wait_for(int);
void refuse(int);
void crash(int);
int main() {
  wait_for(2);
  refuse(2);
  crash(2);
  return product(2) == 6 ? 0 : 1;
}
"""
TEST = "int seen_by_tests_only();\nint main() { return seen_by_tests_only() == 5 ? 0 : 1; }\n"


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as stream:
        return stream.read()


class Mutate(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        os.makedirs(os.path.join(self.root, "tools"))
        shutil.copy(MUTATE, os.path.join(self.root, "tools/mutate"))
        write(self.root, "CMakeLists.txt", CMAKE)
        write(self.root, "cmake/HelixcheckTargets.cmake", "add_compile_options(-Wall;-Werror;)\n")
        write(self.root, "lib/helix/sample.cpp", SAMPLE)
        write(self.root, "app/main.cpp", MAIN)
        write(self.root, "app/test.cpp", TEST)
        write(self.root, ".gitignore", "/build/\n")
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def mutate(self, *arguments, status=0):
        done = subprocess.run([os.path.join(self.root, "tools/mutate"), *arguments],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def results(self):
        return [json.loads(line)
                for line in read(self.root, "build/mutate/results.jsonl").splitlines()]

    def test_what_becomes_of_each_change(self):
        search = ["--time", "0.2", "--grace", "1", "--count", "1000", "--jobs", "3"]
        said = self.mutate(*search)
        outcomes = collections.defaultdict(set)
        for row in self.results():
            outcomes[row["new"]].add(row["outcome"])
        for new, outcome in {
                "int product(int x) { return x + 3; }": "killed",
                "int product(int x) { return x * 2; }": "killed",
                "while (x != 9) std::rand();": "hang",
                "if (x > 1) std::exit(2);": None,  # one number at a time: 3 or 5
                "if (x > 5) std::exit(2);": "survived",
                "if (x >= 2) std::abort();": "crash",
                "if (x > 3) std::abort();": "survived",
                "int table[0] = {0};": "does not compile",
                "int seen_by_tests_only() { return 6; }": "survived",
                "int seen_by_nobody() { return 8; }": "survived",
        }.items():
            self.assertEqual(outcomes.get(new), outcome and {outcome}, new)
        self.assertIn("  + int seen_by_nobody() { return 8; }", said)
        self.assertEqual(read(self.root, "build/mutate/tree/lib/helix/sample.cpp"), SAMPLE,
                         "the copy is as it was")
        self.assertEqual(os.listdir(os.path.join(self.root, "build/mutate/changed")), [])

        tried = len(self.results())
        said = self.mutate(*search, "--tests")
        rows = self.results()
        survivors = sum(row["outcome"] == "survived" for row in rows[:tried])
        self.assertEqual(len(rows), tried + survivors, "only survivors are looked at once more")
        tests = {row["new"]: row["tests"] for row in rows[tried:]}
        self.assertEqual(tests["int seen_by_tests_only() { return 6; }"], "failed")
        self.assertEqual(tests["int seen_by_nobody() { return 8; }"], "passed")
        self.assertNotIn("seen_by_tests_only", said.split("survived ", 1)[1], "explained")
        self.assertIn("with the unit tests: ", said)
        self.assertEqual(said.split("noticed: ")[1],
                         self.mutate("--summary").split("noticed: ")[1])

    def test_draws_the_same_while_other_lines_change(self):
        drawn = self.mutate("--list", "--count", "5", "--seed", "3")
        write(self.root, "lib/helix/sample.cpp", "// A line more.\n" + SAMPLE)
        again = self.mutate("--list", "--count", "5", "--seed", "3")
        names = [[line.split()[0] for line in text.splitlines() if ".cpp:" in line]
                 for text in (drawn, again)]
        self.assertEqual(len(names[0]), 5)
        self.assertEqual(names[0], names[1])
        self.assertNotEqual(drawn, self.mutate("--list", "--count", "5", "--seed", "4"))

    def test_says_what_is_wrong(self):
        self.assertIn("no change has the id 123", self.mutate("--id", "123", status=2))
        self.assertIn("--time must be above 0", self.mutate("--time", "0", status=2))
        self.assertIn("leaves no file", self.mutate("--only", "nowhere", status=2))
        write(self.root, "app/main.cpp", "int main() { return 1; }\n")
        self.assertIn("check ends with 1 on the unchanged tree", self.mutate(status=1))
        write(self.root, "app/main.cpp", "no C++\n")
        self.assertIn("does not build unchanged", self.mutate(status=1))


if __name__ == "__main__":
    unittest.main()
