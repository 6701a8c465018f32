// SPDX-License-Identifier: GPL-2.0

//! Lockdown's policy for BPF programs.
//!
//! | file | what |
//! | --- | --- |
//! | `policy.rs` | who gets what, in which mode |
//! | `helpers.rs`, `kfuncs.rs` | the class of each helper and kfunc |
//! | `formats.rs` | what it takes to print |
//! | `fields.rs` | kernel fields that are no secret |
//! | `tracepoints.rs` | tracepoints whose records hold no secret |
//! | `order.rs` | whether a table is in its order |
//! | `types.rs` | program types that cannot watch the kernel |
//! | `state.rs` | what was chosen at boot and since |
//! | `ffi.rs` | what C calls |
//! | `hooks.c` | what calls it |
//!
//! All but the last three depend on `core` alone and are compiled on the host as well, see
//! `tools/testing/bpf_signed_host`.
//!
//! C header: [`include/linux/lockdown_bpf.h`](srctree/include/linux/lockdown_bpf.h).

// What a program or the command line brings must not be able to make the kernel panic. `make check`
// runs clippy.
#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::indexing_slicing)]
#![deny(clippy::panic)]
#![deny(clippy::unwrap_used)]
#![deny(clippy::expect_used)]

mod ffi;
mod fields;
mod formats;
mod helpers;
mod kfuncs;
mod order;
mod policy;
mod state;
mod tracepoints;
mod types;

/// Prefix of kernel log lines.
const __LOG_PREFIX: &[u8] = b"lockdown_bpf\0";
