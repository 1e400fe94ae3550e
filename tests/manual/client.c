/* SPDX-License-Identifier: MIT */
/* The thread of runtime/client.h in a process without a node: it is told so. With one:
 * tests/runtime/client/test_client.c. */
#include "runtime/client.h"

#include "tests/manual/manual.h"

enum { TAG_ADD = 0x1000 };

static int replies;

static void show(const trp_envelope_t *reply)
{
    replies += reply != NULL;
}

int main(void)
{
    MANUAL("runtime/client.h", 1)
    EXPECT(replies == 0);
    return 0;
}
