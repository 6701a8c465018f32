// SPDX-License-Identifier: GPL-2.0

//! Signed BPF programs: images, and their relocation in the kernel.
//!
//! | file | what |
//! | --- | --- |
//! | `image.rs`, `image/` | the image format: parsing, rules, instructions |
//! | `verify.rs` | who vouches for an image |
//! | `signature.rs` | the one form that a signature has |
//! | `load.rs` | from the caller's memory to a program that the verifier can take |
//! | `ksyms.rs` | kfuncs and ksyms by name |
//! | `slots.rs` | whether a bound map is the one that was signed for |
//! | `target.rs` | attach targets by name |
//! | `events.rs` | whether a program may be attached to an event |
//! | `btf.rs`, `core_relo.rs`, `core_relo/` | CO-RE relocation |
//! | `layout.rs` | which members of a type cover some bytes |
//! | `ffi.rs` | what C calls |
//! | `hooks.c`, `events.c` | what calls it |
//!
//! `signature`, `btf`, `core_relo` and `layout` depend on `core` alone; `image`, `slots`, `target`
//! and `events` on that and on `zerocopy`, which reads their records. All of them are compiled on
//! the host as well, see `tools/testing/bpf_signed_host`.

// What is handed in must not be able to make the kernel panic. `make check` runs clippy.
#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::indexing_slicing)]
#![deny(clippy::panic)]
#![deny(clippy::unwrap_used)]
#![deny(clippy::expect_used)]

mod btf;
mod core_relo;
mod core_relo_kernel;
mod events;
mod ffi;
mod image;
mod ksyms;
mod layout;
mod load;
mod signature;
mod slots;
mod target;
mod verify;

/// Prefix of kernel log lines.
const __LOG_PREFIX: &[u8] = b"bpf_signed\0";
