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
#include <cstdio>
#include <cstdlib>
static const int unused = 8;
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
void stumble(int x) {
  if (x == 7 && std::fopen(std::getenv("STUMBLED"), "wx")) std::abort();
}
"""
# One where little can be changed.
SMALL = "int product(int x) { return x * 3; }\nint seen_by_tests_only() { return 5; }\n"
MAIN = """\
int product(int);
void wait_for(int);
void refuse(int);
void crash(int);
void stumble(int);
int main() {
  wait_for(2);
  refuse(2);
  crash(2);
  stumble(2);
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
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "STUMBLED": os.path.join(self.root, "build/was")})
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
                # The first of these crashes once and not again.
                "if (x != 7 && std::fopen(std::getenv(\"STUMBLED\"), \"wx\")) std::abort();":
                    "survived",
                "if (x == 7 || std::fopen(std::getenv(\"STUMBLED\"), \"wx\")) std::abort();":
                    "survived",
                "int table[0] = {0};": "does not compile",
                "static const int unused = 9;": "same code",
                "int seen_by_tests_only() { return 6; }": "survived",
                "int seen_by_nobody() { return 8; }": "survived",
        }.items():
            self.assertEqual(outcomes.get(new), outcome and {outcome}, new)
        self.assertIn("  + int seen_by_nobody() { return 8; }", said)
        self.assertEqual(read(self.root, "build/mutate/tree/lib/helix/sample.cpp"), SAMPLE,
                         "the copy is as it was")
        self.assertEqual(os.listdir(os.path.join(self.root, "build/mutate/changed")), [])

        self.assertTrue(os.path.exists(os.path.join(self.root, "build/was")), "it stumbled")
        compiled = sum(row["outcome"] not in ("does not compile", "same code")
                       for row in self.results())
        self.assertIn(f" of {compiled} that compile to other code, ", said)

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

    def make_small(self, main, sample=SMALL):
        write(self.root, "lib/helix/sample.cpp", sample)
        write(self.root, "app/main.cpp", f"int product(int);\n{main}\n")

    def id_of(self, new):
        lines = self.mutate("--list", "--count", "1000").splitlines()
        return lines[lines.index("  + " + new) - 2].split()[0]

    def test_runs_again_what_is_of_other_code_or_limits(self):
        self.make_small("int main() { return product(2) == 6 ? 0 : 1; }")
        one = ["--id", self.id_of("int product(int x) { return x * 2; }"), "--grace", "5"]
        self.mutate(*one, "--time", "0.2")
        self.mutate(*one, "--time", "0.2")
        self.assertEqual(len(self.results()), 1, "it is there")
        self.mutate(*one, "--time", "0.3")
        self.assertEqual(len(self.results()), 2, "another limit")
        write(self.root, "lib/helix/other.hpp", "// More of the library.\n")
        self.mutate(*one, "--time", "0.3", "--tests")
        self.assertEqual(len(self.results()), 3, "other code")
        other = ["--id", self.id_of("int seen_by_tests_only() { return 6; }"), "--time", "0.3"]
        self.mutate(*other, "--grace", "5", "--tests")
        self.mutate(*other, "--grace", "5", "--tests")
        self.assertEqual(len(self.results()), 5, "a survivor is shown to the tests, once")
        write(self.root, "tests/more_test.cpp", "// More of the tests.\n")
        self.assertNotIn("with the unit", self.mutate(*other, "--grace", "5"), "of other tests")
        self.mutate(*other, "--grace", "5", "--tests")
        self.assertEqual(len(self.results()), 6, "and to other tests")
        write(self.root, "lib/helix/other.hpp", "// Other code again.\n")
        self.mutate(*one, "--time", "0.3")
        self.assertIn("1 results of other code", said := self.mutate("--summary"))
        self.assertIn("noticed: 1 of 1 that", said)

    def test_records_nothing_where_the_change_is_not_to_blame(self):
        self.make_small("int main() { return product(2) == 6 ? 0 : 130; }",
                        "constexpr int size = 3;\n"
                        "static_assert(size == 3, \"No space left on device\");\n" + SMALL)
        search = ["--time", "0.2", "--grace", "5", "--id"]
        self.assertIn("a build could not be made",
                      self.mutate(*search, self.id_of("constexpr int size = 2;"), status=1))
        ended = self.id_of("int product(int x) { return x * 2; }")
        self.assertIn("ended by somebody (status 130)", self.mutate(*search, ended, status=1))
        self.assertFalse(os.path.exists(os.path.join(self.root, "build/mutate/results.jsonl")))
        write(self.root, "CMakeLists.txt", CMAKE + """
add_custom_command(TARGET helixcheck POST_BUILD
                   COMMAND sh -c "date +%s%N >>$<TARGET_FILE:helixcheck>" VERBATIM)
""")  # which stands for any build that does not follow from its sources
        self.make_small("int main() { return product(2) == 6 ? 0 : 1; }")
        self.assertIn("they prove nothing", self.mutate(*search, self.id_of(
            "int product(int x) { return x * 2; }"), status=1))

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
        write(self.root, "app/test.cpp", "int main() { return 1; }\n")
        self.assertIn("the unit tests fail on the unchanged tree",
                      self.mutate("--tests", "--time", "0.2", status=1))
        self.make_small("int main(int, char** words) { return words[3][0] == '2' ? 1 : 0; }")
        self.assertIn("check ends with 1 on the unchanged tree",  # after so many seconds
                      self.mutate("--time", "20", status=1))
        write(self.root, "app/main.cpp", "int main() { return 1; }\n")
        self.assertIn("check ends with 1 on the unchanged tree", self.mutate(status=1))
        write(self.root, "app/main.cpp", "no C++\n")
        self.assertIn("does not build unchanged", self.mutate(status=1))


if __name__ == "__main__":
    unittest.main()
