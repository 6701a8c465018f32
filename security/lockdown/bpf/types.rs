// SPDX-License-Identifier: GPL-2.0

//! Program types of which unsigned programs may be loaded with `bpf_lockdown=restricted`.
//!
//! A type is listed if its programs see only what they are there to decide about (a packet, a
//! socket, a device number), and decide for one cgroup, socket, device or network namespace. What
//! traces, or stands in for code of the kernel, is not.
//!
//! Depends on `core` alone. Source: `enum bpf_prog_type` of `include/uapi/linux/bpf.h`.

/// A list by name; the numbers are checked against the kernel's in `ffi.rs`.
macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        $($(#[$doc])* pub(crate) const $name: u32 = $number;)*

        /// Whether programs of this type may be unsigned.
        pub(crate) const fn is_listed(prog_type: u32) -> bool {
            matches!(prog_type, $($number)|*)
        }
    };
}

/// Whether a packet that a program of this type holds is its own.
///
/// So it is for those that decide about packets. A queue discipline, the only `struct_ops` that
/// gets packets, has them queued with it.
pub(crate) const fn has_packet(prog_type: u32) -> bool {
    is_listed(prog_type) || prog_type == STRUCT_OPS
}

/// Stands in for functions of the kernel.
pub(crate) const STRUCT_OPS: u32 = 27;

types! {
    /// Filters what one socket receives.
    SOCKET_FILTER = 1,
    /// Classifies packets of a device.
    SCHED_CLS = 3,
    /// Acts on packets of a device.
    SCHED_ACT = 4,
    /// Handles packets before there is a socket buffer.
    XDP = 6,
    /// Filters packets of a cgroup: systemd's IPAddressDeny=, RestrictNetworkInterfaces=.
    CGROUP_SKB = 8,
    /// Decides about new sockets of a cgroup.
    CGROUP_SOCK = 9,
    /// Handles packets of a route, on their way in.
    LWT_IN = 10,
    /// The same, on their way out.
    LWT_OUT = 11,
    /// The same, before they are sent.
    LWT_XMIT = 12,
    /// Sets socket options of a cgroup's connections.
    SOCK_OPS = 13,
    /// Directs messages between sockets of a map.
    SK_SKB = 14,
    /// Decides about devices for a cgroup: systemd's DeviceAllow=.
    CGROUP_DEVICE = 15,
    /// Directs messages between sockets of a map.
    SK_MSG = 16,
    /// Decides about addresses for a cgroup: systemd's SocketBindAllow=.
    CGROUP_SOCK_ADDR = 18,
    /// Handles packets of a route by segment.
    LWT_SEG6LOCAL = 19,
    /// Chooses among the sockets of one port.
    SK_REUSEPORT = 21,
    /// Finds out what a packet belongs to.
    FLOW_DISSECTOR = 22,
    /// Decides about sysctls for a cgroup.
    CGROUP_SYSCTL = 23,
    /// Decides about socket options for a cgroup.
    CGROUP_SOCKOPT = 25,
    /// Chooses the socket for a packet.
    SK_LOOKUP = 30,
    /// Filters packets of a network namespace.
    NETFILTER = 32,
}
