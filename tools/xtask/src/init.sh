#!/bin/busybox sh
# The whole user space of the demo: says what the kernel received, then turns
# the phone off through the RTC in the power-management chip, as a phone does
# it (facts/soc.md 10.2, 10.8).

busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sysfs /sys
$busybox mount -t devtmpfs devtmpfs /dev 2>/dev/null

# Kernel messages would break our lines.
echo 1 > /proc/sys/kernel/printk

section() { echo "--- unilk: $1"; }

# A property is text if it is one or more printable strings, each ended by a
# NUL and none empty; otherwise it is shown as big-endian words.
property() {
    name=${1#/proc/device-tree}
    text=$($busybox tr '\0' '|' < "$1")
    case "$text" in
        "") echo "$name" ;;
        *[![:print:]]* | "|"* | *"||"* | *[!"|"])
            echo "$name = <$($busybox hexdump -v -e '4/1 "%02x" " "' "$1")>" ;;
        *) echo "$name = ${text%"|"}" ;;
    esac
}

section "version"
$busybox cat /proc/version
section "cmdline"
$busybox cat /proc/cmdline
section "memory"
$busybox grep -E '^(MemTotal|MemFree):' /proc/meminfo
section "iomem"
$busybox grep -E 'System RAM|Kernel|reserved' /proc/iomem
section "tree"
for file in /proc/device-tree/model /proc/device-tree/compatible \
    /proc/device-tree/serial-number /proc/device-tree/memory*/reg \
    /proc/device-tree/chosen/* /proc/device-tree/reserved-memory/*/reg; do
    [ -f "$file" ] && property "$file"
done
section "end"

# The PMIC's registers are reached through the PMIC wrapper's WACS2 port.
COMMAND=0x1000F09C
DATA=0x1000F0A0
CLEAR=0x1000F0A4

fsm() { echo $((($($busybox devmem $DATA 32) >> 16) & 7)); }

idle() {
    tries=0
    while [ "$(fsm)" != 0 ]; do
        [ "$(fsm)" = 6 ] && $busybox devmem $CLEAR 32 1
        tries=$((tries + 1))
        [ $tries -gt 100 ] && return 1
    done
}

write() { idle && $busybox devmem $COMMAND 32 $((0x80000000 | ($1 >> 1) << 16 | $2)); }

read_pmic() {
    idle || return 1
    $busybox devmem $COMMAND 32 $((($1 >> 1) << 16))
    tries=0
    while [ "$(fsm)" != 6 ]; do
        tries=$((tries + 1))
        [ $tries -gt 100 ] && return 1
    done
    echo $(($($busybox devmem $DATA 32) & 0xFFFF))
    $busybox devmem $CLEAR 32 1
}

# The RTC takes over what was written when WRTGR is hit; BBPU.6 is its busy bit.
BBPU=0x8000
PROT=0x8036
WRTGR=0x803C
commit() {
    write $WRTGR 1 || return 1
    tries=0
    while [ $(($(read_pmic $BBPU) & 0x40)) != 0 ]; do
        tries=$((tries + 1))
        [ $tries -gt 100 ] && return 1
    done
}

[ -c /dev/mem ] || $busybox mknod /dev/mem c 1 1
echo UNILK-DEMO-OK
# The power goes at once: what the kernel still holds for the UART, up to 4 KiB
# at 115200 baud, has to leave before.
$busybox sleep 1
write $PROT 0x586A && commit && write $PROT 0x9136 && commit \
    && write $BBPU 0x4309 && commit

$busybox sleep 5
echo "UNILK-DEMO: the phone did not power off"
while :; do $busybox sleep 3600; done
