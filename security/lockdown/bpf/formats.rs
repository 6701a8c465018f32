// SPDX-License-Identifier: GPL-2.0

//! What it takes to print by a format.
//!
//! Depends on `core` alone. Source: `bpf_bprintf_prepare()` of `kernel/bpf/helpers.c`.

use super::policy::Class;

/// Conversions of one letter that print the number that they are given.
const NUMBERS: &[u8] = b"diuxXc";

/// The class of printing by `format`. What is not understood counts as [`Class::KERNEL_READ`].
pub(crate) fn class_of(format: &[u8]) -> Class {
    let mut class = Class::PLAIN;
    let mut rest = format;
    while let Some(start) = rest.iter().position(|&c| c == b'%') {
        rest = rest.get(start..).and_then(|r| r.get(1..)).unwrap_or(&[]);
        // Flags, width and precision.
        while let Some((b'-' | b'+' | b' ' | b'#' | b'.' | b'0'..=b'9' | b'l', tail)) =
            rest.split_first()
        {
            rest = tail;
        }
        class = class.union(match rest {
            [b'%', ..] => Class::PLAIN,
            [c, ..] if NUMBERS.contains(c) => Class::PLAIN,
            [b'p', b'u', b's', ..] => Class::USER_READ,
            // These follow the pointer.
            [b'p', b'k', b's', ..] | [b'p', b'I' | b'i', ..] => Class::KERNEL_READ,
            // And these show it, or tell which symbol is there.
            [b'p', ..] => Class::KERNEL_ADDRESS,
            _ => Class::KERNEL_READ,
        });
        rest = rest.get(1..).unwrap_or(&[]);
    }
    class
}
