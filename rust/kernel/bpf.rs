// SPDX-License-Identifier: GPL-2.0

//! BPF: type data and the verifier.
//!
//! C headers: [`include/linux/btf.h`](srctree/include/linux/btf.h),
//! [`include/linux/bpf_verifier.h`](srctree/include/linux/bpf_verifier.h).

pub mod btf;
pub mod log;
