// SPDX-License-Identifier: GPL-2.0

//! The order that the tables are held to when they are compiled: binary searches need it.
//!
//! Depends on `core` alone.

// A panic in here would end the build.
#![allow(clippy::arithmetic_side_effects)]
#![allow(clippy::indexing_slicing)]

/// Whether `a` comes before `b`, as slices compare.
pub(crate) const fn precedes(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
        i += 1;
    }
    a.len() < b.len()
}

/// Whether each name comes after the one before it, which also rules out doubles.
pub(crate) const fn is_sorted(names: &[&str]) -> bool {
    let mut i = 1;
    while i < names.len() {
        if !precedes(names[i - 1].as_bytes(), names[i].as_bytes()) {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether pairs are in order, by the first name and then by the second, each there once.
pub(crate) const fn are_pairs_sorted(pairs: &[(&str, &str)]) -> bool {
    let mut i = 1;
    while i < pairs.len() {
        let (a, b) = (pairs[i - 1], pairs[i]);
        let in_order = if precedes(b.0.as_bytes(), a.0.as_bytes()) {
            false
        } else if precedes(a.0.as_bytes(), b.0.as_bytes()) {
            true
        } else {
            precedes(a.1.as_bytes(), b.1.as_bytes())
        };
        if !in_order {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether each number is that of its place.
pub(crate) const fn are_places(numbers: &[usize]) -> bool {
    let mut place = 0;
    while place < numbers.len() {
        if numbers[place] != place {
            return false;
        }
        place += 1;
    }
    true
}
