#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests that need control groups of version 2 with all controllers, under a kernel that has them: User Mode Linux,
# a process, with this machine's files. What is a system test without such a kernel is left out there with a reason.
#   ./dev cgroup [UNITTEST-NAME...]     default: test_cgroup test_workers.Leftovers
set -euo pipefail

if [ $$ -ne 1 ]; then
    here=$(realpath "$0")
    root=${here%/tests/cgroup.sh}
    output=$(mktemp)
    trap 'rm -f "$output"' EXIT
    timeout 300 linux.uml mem=1G rootfstype=hostfs rootflags=/ rw init="$here" ROOT="$root" \
        NAMES="$(IFS=,; echo "${*:-test_cgroup,test_workers.Leftovers}")" quiet loglevel=3 \
        con=null con0=null,fd:1 < /dev/null 2>&1 | tr -d '\r' | tee "$output"
    grep -q '^tests ended with 0$' "$output"
    exit
fi

# From here on: the first process of that kernel. Its files are ours, so what tests write to is covered.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TROUPE_TEST_SLOW=6
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in /run /dev/shm; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
done
case $ROOT in
    /tmp/*) ;; # the build is there
    *) mount -t tmpfs tmpfs /tmp ;;
esac
ip link set lo up
cd "$ROOT/tests/system"
status=0
/usr/bin/python3 -B -m unittest -v ${NAMES//,/ } 2>&1 || status=$?
echo "tests ended with $status"
halt -f -p
