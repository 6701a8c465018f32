// SPDX-License-Identifier: GPL-2.0

//! The pure parts of kernel/bpf/signed and security/lockdown/bpf, compiled for the host to be
//! tested.
//!
//! These are the very files that the kernel builds, not copies.
//!
//! What the environment says:
//!
//! - `BTF`: a raw `.BTF` section, vmlinux's say, for the tests on real data
//! - `BTFS`: a directory of more of them, `*.btf`, of other kernels
//! - `BPF_OBJECTS`: a directory of `.bpf.o` files, for the same
//! - `CORE_OBJECTS`: one with those of the kernel's selftests: programs, and types to relocate
//!   them against (`btf__*`)
//! - `LINUX`: a kernel tree, when the crate is built: its libbpf is what the engine is compared
//!   with
//! - `PAIRS`, `SEED`: how many pairs of generated BTF are compared (3000 of each sort), and which
//!   ones
//!
//! Tests that lack what they need are reported as ignored.

#![cfg(test)]
#![allow(clippy::type_complexity)] // Tables of cases.
#![allow(dead_code, unused_imports)] // The kernel uses more of its files than the tests do.

// As the kernel's crates have it: their files get along without what may panic.
#[deny(clippy::arithmetic_side_effects)]
#[deny(clippy::indexing_slicing)]
#[deny(clippy::panic)]
#[deny(clippy::unwrap_used)]
#[deny(clippy::expect_used)]
#[path = "../../../../kernel/bpf/signed"]
mod signed {
    pub(crate) mod btf;
    pub(crate) mod core_relo;
    pub(crate) mod events;
    pub(crate) mod image;
    pub(crate) mod layout;
    pub(crate) mod signature;
    pub(crate) mod slots;
    pub(crate) mod target;
}

#[deny(clippy::arithmetic_side_effects)]
#[deny(clippy::indexing_slicing)]
#[deny(clippy::panic)]
#[deny(clippy::unwrap_used)]
#[deny(clippy::expect_used)]
#[path = "../../../../security/lockdown/bpf"]
mod lockdown {
    pub(crate) mod fields;
    pub(crate) mod formats;
    pub(crate) mod helpers;
    pub(crate) mod kfuncs;
    pub(crate) mod order;
    pub(crate) mod policy;
    pub(crate) mod tracepoints;
    pub(crate) mod types;
}

mod builder;
mod elf;
mod harness;
mod image_builder;

mod core_relo_test;
#[cfg(have_linux)]
mod differential_test;
#[cfg(not(have_linux))]
mod differential_test {
    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn random_types() {}

    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn mutated_types() {}

    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn real_objects() {}

    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn objects_of_the_selftests() {}

    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn types_of_the_selftests() {}

    #[test]
    #[ignore = "LINUX= names no kernel tree to compare with"]
    fn other_kernels() {}
}
mod events_test;
mod hostile_test;
mod image_test;
mod layout_test;
mod lockdown_test;
mod signature_test;
mod slots_test;
mod target_test;
mod vmlinux_test;
