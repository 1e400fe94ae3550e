# SPDX-License-Identifier: MIT
"""A value of the wrong type is a compile error: trp_send_as and trp_read_as of runtime/typed.h."""
import shutil
import subprocess
import unittest

from node import ROOT

SOURCE = """
#include "runtime/typed.h"
#define READING_FIELDS(F) F(INT, sensor, _, 0, 100, "which")
#define LABEL_FIELDS(F) F(INT, number, _, 0, 100, "which")
TRP_SCHEMA_DECLARE(reading, READING_FIELDS)
TRP_SCHEMA_DECLARE(label, LABEL_FIELDS)
trp_status_t use(trp_ctx_t *ctx, const trp_envelope_t *message, trp_fault_t *fault);
trp_status_t use(trp_ctx_t *ctx, const trp_envelope_t *message, trp_fault_t *fault)
{
    reading_t reading = {.sensor = 1};
    label_t label = {.number = 1};
    (void)reading, (void)label, (void)fault, (void)message;
    return %s;
}
"""


def compiles(compiler, expression):
    done = subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-I", ROOT, "-fsyntax-only", "-x", "c", "-"],
                          input=SOURCE % expression, text=True, stderr=subprocess.PIPE, check=False)
    return done.returncode == 0


class Typed(unittest.TestCase):
    def setUp(self):
        self.compilers = [name for name in ("gcc", "clang") if shutil.which(name)]
        self.assertTrue(self.compilers)

    def test_the_right_type_compiles(self):
        for compiler in self.compilers:
            self.assertTrue(compiles(compiler, "trp_send_as(ctx, message->from, reading, &reading)"))
            self.assertTrue(compiles(compiler, "trp_read_as(ctx, message, label, &label, fault)"))

    def test_a_wrong_type_is_a_compile_error(self):
        for compiler in self.compilers:
            for expression in ("trp_send_as(ctx, message->from, reading, &label)",
                               "trp_send_as(ctx, message->from, label, reading)",
                               "trp_send_as(ctx, message->from, nobody, &reading)",
                               "trp_read_as(ctx, message, reading, &label, fault)",
                               "trp_read_as(ctx, message, reading, (const reading_t *)&reading, fault)"):
                with self.subTest(compiler=compiler, expression=expression):
                    self.assertFalse(compiles(compiler, expression))


if __name__ == "__main__":
    unittest.main()
