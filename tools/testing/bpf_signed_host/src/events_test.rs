// SPDX-License-Identifier: GPL-2.0

//! Which events a program may be attached to.

use crate::{
    image_builder::*,
    signed::{
        events::{
            Allowed,
            Met,
            Names, //
        },
        image::{
            event_kinds,
            records::Event,
            Kind, //
        },
    },
};
use std::ffi::CStr;
use zerocopy::IntoBytes;

const GLOB: u32 = Event::GLOB;
/// `BPF_PROG_TYPE_KPROBE` and others.
const KPROBE: u32 = 2;
const TRACEPOINT: u32 = 5;
const PERF_EVENT: u32 = 7;
const RAW_TRACEPOINT: u32 = 17;

/// The kernel of the tests: an alias of the function that is met, and where init finds the file.
#[derive(Default)]
struct World {
    alias: &'static str,
    path: &'static str,
}

impl Names for World {
    fn is_function(&self, name: &CStr) -> bool {
        name.to_bytes() == self.alias.as_bytes()
    }

    fn is_file(&self, path: &CStr) -> bool {
        path.to_bytes() == self.path.as_bytes()
    }
}

fn image(prog_type: u32, events: &[(u32, &str, &str, u32)]) -> Vec<u8> {
    let mut b = Builder::new();
    b.header.prog_type = prog_type;
    let records: Vec<Event> = events
        .iter()
        .map(|&(kind, name, symbol, flags)| Event {
            kind,
            name: b.string(name),
            symbol: if symbol.is_empty() {
                0
            } else {
                b.string(symbol)
            },
            flags,
        })
        .collect();
    if !records.is_empty() {
        b.records(Kind::Events, &records);
    }
    b.build()
}

fn function(kind: u32, name: &str) -> Met<'_> {
    Met {
        kind,
        name: name.as_bytes(),
        module: None,
        offset: 0,
    }
}

fn allowed_by(bytes: &[u8], met: &Met<'_>, world: &World) -> bool {
    let layout = parse(bytes).map_err(|f| f.to_string()).unwrap().layout();
    Allowed::of(&layout, bytes).allows(met, world)
}

/// Whether an image with one record allows an event.
fn one(event: (u32, &str, &str, u32), met: &Met<'_>, world: &World) -> bool {
    let prog_type = match event.0 {
        Event::TRACEPOINT => TRACEPOINT,
        Event::RAW_TP => RAW_TRACEPOINT,
        Event::PERF => PERF_EVENT,
        _ => KPROBE,
    };
    allowed_by(&image(prog_type, &[event]), met, world)
}

#[test]
fn functions() {
    let world = World::default();
    let met = |text: &'static str| {
        let (module, rest) = text
            .split_once(':')
            .map_or((None, text), |(m, r)| (Some(m), r));
        let (name, offset) = rest.split_once('+').unwrap_or((rest, "0"));
        Met {
            kind: Event::KPROBE,
            name: name.as_bytes(),
            module: module.map(str::as_bytes),
            offset: offset.parse().unwrap(),
        }
    };
    let cases = [
        ("do_exit", 0, "do_exit", true),
        ("do_exit", 0, "do_exit_x", false),
        ("do_exit", 0, "do_exi", false),
        ("do_exit", 0, "do_exit+4", false),
        ("do_exit+4", 0, "do_exit+4", true),
        ("do_exit+0x4", 0, "do_exit+4", true),
        ("do_exit+0x4", 0, "do_exit+5", false),
        ("do_exit+4", 0, "do_exit", false),
        ("do_exit+x", 0, "do_exit+4", false),
        // A module is compared where the signer names one.
        ("do_exit", 0, "ext4:do_exit", true),
        ("ext4:do_exit", 0, "ext4:do_exit", true),
        ("ext4:do_exit", 0, "xfs:do_exit", false),
        ("ext4:do_exit", 0, "do_exit", false),
        ("vmlinux:do_exit", 0, "do_exit", true),
        ("vmlinux:do_exit", 0, "ext4:do_exit", false),
        // Patterns: the entry only, unless they say otherwise.
        ("tcp_*", 0, "tcp_ack", false),
        ("tcp_*", GLOB, "tcp_ack", true),
        ("tcp_*", GLOB, "udp_ack", false),
        ("tcp_*", GLOB, "tcp_ack+4", false),
        ("tcp_*+*", GLOB, "tcp_ack+4", true),
        ("tcp_*+*", GLOB, "tcp_ack", true),
        ("*+*", GLOB, "nf_nat:f+77", true),
        ("*", GLOB, "nf_nat:f", true),
        ("nf_*:*", GLOB, "nf_nat:f", true),
        ("nf_*:*", GLOB, "f", false),
        // Without the flag a star is a star.
        ("do_exit+*", 0, "do_exit+4", false),
    ];
    for (record, flags, event, want) in cases {
        let found = one((Event::KPROBE, record, "", flags), &met(event), &world);
        assert_eq!(found, want, "{record} {event}");
    }
}

#[test]
fn other_names_of_a_function() {
    let world = World {
        alias: "__x64_sys_x",
        ..World::default()
    };
    let met = function(Event::KPROBE, "__ia32_sys_x");
    assert!(one((Event::KPROBE, "__x64_sys_x", "", 0), &met, &world));
    assert!(!one((Event::KPROBE, "__arm_sys_x", "", 0), &met, &world));
    // The alias is of the function's entry, and of vmlinux or any module.
    let inside = Met { offset: 8, ..met };
    assert!(!one((Event::KPROBE, "__x64_sys_x", "", 0), &inside, &world));
    assert!(!one((Event::KRETPROBE, "__x64_sys_x", "", 0), &met, &world));
}

#[test]
fn entry_and_return_are_two_events() {
    let world = World {
        path: "/bin/sh",
        ..World::default()
    };
    let kinds = [
        Event::KPROBE,
        Event::KRETPROBE,
        Event::UPROBE,
        Event::URETPROBE,
    ];
    for record in kinds {
        for met in kinds {
            let name = if record <= Event::KRETPROBE {
                "f"
            } else {
                "/bin/sh"
            };
            let event = function(met, "f");
            assert_eq!(one((record, name, "", 0), &event, &world), record == met);
        }
    }
}

#[test]
fn files() {
    let world = World {
        path: "/bin/bash",
        ..World::default()
    };
    let met = Met {
        kind: Event::UPROBE,
        name: b"/usr/bin/bash",
        module: None,
        offset: 0x1234,
    };
    let cases = [
        // An absolute path is resolved; what it looks like does not matter.
        ("/bin/bash", "", 0, true),
        ("/usr/bin/bash", "", 0, false),
        ("/bin/sh", "", 0, false),
        // A relative one is an end, by whole components.
        ("bash", "", 0, true),
        ("bin/bash", "", 0, true),
        ("ash", "", 0, false),
        ("sh", "", 0, false),
        ("usr/bin/bash", "", 0, true),
        // A pattern is for what it looks like.
        ("/usr/bin/*", "", GLOB, true),
        ("/bin/*", "", GLOB, false),
        ("*/bash", "", GLOB, true),
        ("*", "", GLOB, true),
        // A symbol is for others to look at, an offset is not.
        ("/bin/bash", "readline", 0, true),
        ("/bin/bash", "readline+0x10", 0, true),
        ("/bin/bash", "0x1234", 0, true),
        ("/bin/bash", "0x1235", 0, false),
        ("/bin/bash", "0xyz", 0, false),
        ("*", "0x1235", GLOB, false),
    ];
    for (record, symbol, flags, want) in cases {
        let found = one((Event::UPROBE, record, symbol, flags), &met, &world);
        assert_eq!(found, want, "{record}:{symbol}");
        // USDT is a uprobe to the kernel.
        let found = one((Event::USDT, record, symbol, flags), &met, &world);
        assert_eq!(found, want, "usdt {record}:{symbol}");
        let back = Met {
            kind: Event::URETPROBE,
            ..met
        };
        assert!(!one((Event::USDT, record, symbol, flags), &back, &world));
    }
}

#[test]
fn paths_are_those_that_init_finds() {
    let bytes = image(
        KPROBE,
        &[
            (Event::UPROBE, "/bin/sh", "main", 0),
            (Event::UPROBE, "libc.so.6", "", 0),
            (Event::KPROBE, "/f", "", 0),
            (Event::URETPROBE, "/usr/*", "", GLOB),
            (Event::USDT, "/bin/bash", "p:n", 0),
            (Event::URETPROBE, "/bin/sh", "", 0),
        ],
    );
    let layout = parse(&bytes).map_err(|f| f.to_string()).unwrap().layout();
    let allowed = Allowed::of(&layout, &bytes);
    let paths: Vec<_> = allowed.paths().collect();
    assert_eq!(paths, [c"/bin/sh", c"/bin/bash", c"/bin/sh"]);
}

#[test]
fn names() {
    let world = World::default();
    let cases = [
        (
            Event::TRACEPOINT,
            "syscalls/sys_enter_open",
            0,
            "syscalls/sys_enter_open",
            true,
        ),
        (
            Event::TRACEPOINT,
            "syscalls/sys_enter_open",
            0,
            "syscalls/sys_enter_openat",
            false,
        ),
        (
            Event::TRACEPOINT,
            "syscalls/sys_enter_*",
            GLOB,
            "syscalls/sys_enter_openat",
            true,
        ),
        (
            Event::TRACEPOINT,
            "syscalls/*",
            GLOB,
            "dynamic:syscalls/x",
            false,
        ),
        (Event::TRACEPOINT, "*", GLOB, "dynamic:syscalls/x", true),
        (Event::RAW_TP, "sched_switch", 0, "sched_switch", true),
        (Event::RAW_TP, "sched_*", GLOB, "sched_wakeup", true),
        (Event::RAW_TP, "sched_*", GLOB, "sys_enter", false),
        (Event::PERF, "software:0x0", 0, "software:0x0", true),
        (Event::PERF, "software:*", GLOB, "hardware:0x0", false),
        (
            Event::PERF,
            "*",
            GLOB,
            "breakpoint:0xffffffff81000000",
            true,
        ),
    ];
    for (kind, record, flags, name, want) in cases {
        let met = function(kind, name);
        assert_eq!(
            one((kind, record, "", flags), &met, &world),
            want,
            "{record} {name}"
        );
    }
}

#[test]
fn any_record_is_enough_and_none_allows_nothing() {
    let world = World::default();
    let met = function(Event::KPROBE, "c");
    let bytes = image(
        KPROBE,
        &[
            (Event::KPROBE, "a", "", 0),
            (Event::KRETPROBE, "c", "", 0),
            (Event::KPROBE, "c", "", 0),
        ],
    );
    assert!(allowed_by(&bytes, &met, &world));
    assert!(!allowed_by(
        &bytes,
        &function(Event::KRETPROBE, "a"),
        &world
    ));
    assert!(!allowed_by(&image(KPROBE, &[]), &met, &world));
    // What was never parsed allows nothing either, and does not panic.
    assert!(!Allowed::new(b"short", b"").allows(&met, &world));
    let wild = Event {
        kind: Event::KPROBE,
        name: 7777,
        symbol: 8888,
        flags: 0,
    };
    assert!(!Allowed::new(wild.as_bytes(), b"\0").allows(&met, &world));
}

#[test]
fn words() {
    let bytes = image(KPROBE, &[(Event::UPROBE, "/bin/bash", "readline", 0); 3]);
    let layout = parse(&bytes).map_err(|f| f.to_string()).unwrap().layout();
    let allowed = Allowed::of(&layout, &bytes);
    assert_eq!(allowed.to_string(), "uprobe//bin/bash:readline and 2 more");
    assert_eq!(Allowed::new(&[], &[]).to_string(), "no event");
    let mut met = Met {
        kind: Event::KPROBE,
        name: b"f\n",
        module: Some(b"m"),
        offset: 16,
    };
    assert_eq!(met.to_string(), "kprobe/m:f?+0x10");
    met = function(Event::TRACEPOINT, "a/b");
    assert_eq!(met.to_string(), "tracepoint/a/b");
    met = Met {
        kind: Event::URETPROBE,
        offset: 16,
        ..function(0, "/bin/bash")
    };
    assert_eq!(met.to_string(), "uretprobe//bin/bash:0x10");
}

/// Programs of other types have no events.
#[test]
fn kinds_by_program_type() {
    for prog_type in 0..64 {
        let kinds = event_kinds(prog_type);
        match prog_type {
            2 => assert_eq!(kinds, 1..=5),
            5 => assert_eq!(kinds, 6..=6),
            7 => assert_eq!(kinds, 8..=8),
            17 | 24 => assert_eq!(kinds, 7..=7),
            _ => assert!(kinds.is_empty()),
        }
    }
}

/// What lockdown wants to know: whose registers and records a program sees.
#[test]
fn whose_events() {
    const KPROBE: u32 = 2;
    const TRACEPOINT: u32 = 5;
    let ask = |prog_type, events: &[(u32, &str, &str, u32)]| {
        let bytes = image(prog_type, events);
        let layout = parse(&bytes).map_err(|f| f.to_string()).unwrap().layout();
        let allowed = Allowed::of(&layout, &bytes);
        let listed = allowed.are_tracepoints(&mut |name| name == b"sched/sched_switch");
        (allowed.are_of_user(), listed)
    };
    let uprobe = (Event::UPROBE, "/bin/bash", "readline", 0);
    let usdt = (Event::USDT, "libc.so.6", "libc:setjmp", 0);
    let kprobe = (Event::KPROBE, "do_unlinkat", "", 0);
    assert_eq!(ask(KPROBE, &[uprobe, usdt]), (true, false));
    assert_eq!(ask(KPROBE, &[uprobe, kprobe]), (false, false));
    let switch = (Event::TRACEPOINT, "sched/sched_switch", "", 0);
    let other = (Event::TRACEPOINT, "skb/kfree_skb", "", 0);
    let all = (Event::TRACEPOINT, "sched/*", "", Event::GLOB);
    assert_eq!(ask(TRACEPOINT, &[switch]), (false, true));
    assert_eq!(ask(TRACEPOINT, &[switch, other]), (false, false));
    assert_eq!(ask(TRACEPOINT, &[all]), (false, false));
}
