// SPDX-License-Identifier: GPL-2.0

//! What the fuzz targets share: the kernel's files, and what the host tests have around them.
//!
//! A panic is a finding: a failed assertion, an overflow, an index out of bounds; so is whatever
//! AddressSanitizer reports, and an input that takes seconds.

#[path = "../../../../../kernel/bpf/signed"]
pub(crate) mod signed {
    pub(crate) mod btf;
    pub(crate) mod core_relo;
    pub(crate) mod events;
    pub(crate) mod image;
    pub(crate) mod layout;
    pub(crate) mod signature;
    pub(crate) mod slots;
    pub(crate) mod target;
}

#[path = "../../../../../security/lockdown/bpf"]
pub(crate) mod lockdown {
    pub(crate) mod fields;
    pub(crate) mod formats;
    pub(crate) mod helpers;
    pub(crate) mod kfuncs;
    pub(crate) mod order;
    pub(crate) mod policy;
    pub(crate) mod tracepoints;
}

/// Takes bytes from the front; zeroes when there are no more.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `n`, which is not above 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    pub(crate) fn word(&mut self) -> u32 {
        u32::from_ne_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// As many bytes as the next two say, or all that are left.
    pub(crate) fn chunk(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()) | usize::from(self.byte()) << 8;
        let (chunk, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        chunk
    }
}
