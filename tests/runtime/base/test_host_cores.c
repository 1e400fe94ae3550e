/* SPDX-License-Identifier: MIT */
/* Quotas of cgroups, in a folder made like theirs. */
#include "runtime/base/host_cores.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/host.h"

static char root[] = "/tmp/troupe-cores-XXXXXX";
static const char *const paths[] = {"/own", "/a/b/cpu.max", "/a/cpu.max", "/a/b", "/a", ""};

static char *at(const char *path)
{
    static char names[2][128];
    static int next;
    next = !next;
    snprintf(names[next], sizeof(names[next]), "%s%s", root, path);
    return names[next];
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(at(path), "we");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void make(void)
{
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(mkdir(at("/a"), 0700), 0);
    cr_assert_eq(mkdir(at("/a/b"), 0700), 0);
    write_file("/own", "12:cpu:/other\n0::/a/b\n");
}

static void clear(void)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        (void)remove(at(paths[i]));
    }
}

TestSuite(host_cores, .init = make, .fini = clear);

Test(host_cores, a_quota_is_rounded_up_to_whole_processors)
{
    write_file("/a/b/cpu.max", "250000 100000\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), 3);

    write_file("/a/b/cpu.max", "200000 100000\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), 2);

    write_file("/a/b/cpu.max", "1000 100000\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), 1);
}

Test(host_cores, the_least_quota_on_the_way_up_counts)
{
    write_file("/a/b/cpu.max", "800000 100000\n");
    write_file("/a/cpu.max", "150000 100000\n");

    cr_expect_eq(host_cores_of_quota(at("/own"), root), 2);
}

Test(host_cores, what_says_no_quota_is_none)
{
    cr_expect_eq(host_cores_of_quota(at("/own"), root), UINT32_MAX, "no file");
    cr_expect_eq(host_cores_of_quota(at("/not"), root), UINT32_MAX, "no cgroup");

    write_file("/a/b/cpu.max", "max 100000\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), UINT32_MAX);

    write_file("/a/b/cpu.max", "0 0\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), UINT32_MAX);

    write_file("/a/b/cpu.max", "what is this\n");
    cr_expect_eq(host_cores_of_quota(at("/own"), root), UINT32_MAX);
}

Test(host_cores, a_process_has_at_least_one)
{
    cr_expect_geq(host_os.processors(host_os.user), 1);
}
