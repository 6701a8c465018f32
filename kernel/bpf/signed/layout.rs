// SPDX-License-Identifier: GPL-2.0

//! What lies where in a type: which members cover some bytes, and what a scalar is called.
//!
//! Lockdown asks this about loads through kernel pointers. It says by name what may be read; this
//! finds the names.
//!
//! Depends on `core` alone.

#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::indexing_slicing)]

use super::btf::{
    Kind,
    Member,
    Types, //
};
use core::ops::Range;

/// Deepest nesting of structs and arrays that is looked into.
const MAX_DEPTH: u32 = 16;

/// Most members that are looked at for one answer, which takes some hundreds in what the kernel
/// has. In unions of unions of unions there would be an exponential number of them.
const MAX_MEMBERS: u32 = 1 << 14;

/// Longest chain of modifiers, see the one of `btf.rs`.
const MAX_CHAIN: u32 = 64;

/// Whether a member that `listed` names covers bytes `off` to `off + size` of type `id`.
///
/// `listed` is asked with the name of a struct or union and that of its member, from the outermost
/// member inward. Members of an anonymous struct count as those of the one around it.
pub(crate) fn covers(
    types: &Types<'_>,
    id: u32,
    off: u32,
    size: u32,
    listed: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> bool {
    let Some(end) = off.checked_add(size) else {
        return false;
    };
    let mut left = MAX_MEMBERS;
    size != 0 && within(types, id, b"", off..end, MAX_DEPTH, &mut left, listed).unwrap_or(false)
}

/// The bytes of a struct in which `member` lies.
fn bytes_of(types: &Types<'_>, member: &Member) -> Option<Range<u32>> {
    let start = member.bit_offset / 8;
    let end = if member.bitfield_size != 0 {
        member
            .bit_offset
            .checked_add(member.bitfield_size)?
            .div_ceil(8)
    } else {
        start.checked_add(types.resolve_size(member.type_id)?)?
    };
    Some(start..end)
}

/// `None` where the type ends before the bytes do, or is none that has parts; or after too many
/// members, of which `left` may still be looked at.
fn within(
    types: &Types<'_>,
    id: u32,
    around: &[u8],
    bytes: Range<u32>,
    depth: u32,
    left: &mut u32,
    listed: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let (_, t) = types.skip_modifiers(id)?;
    if let Some(array) = t.array() {
        let each = types.resolve_size(array.type_id)?;
        let start = bytes.start.checked_rem(each)?;
        let end = start.checked_add(bytes.end.checked_sub(bytes.start)?)?;
        if end > each {
            return None;
        }
        return within(
            types,
            array.type_id,
            around,
            start..end,
            depth,
            left,
            listed,
        );
    }
    if !t.kind().is_composite() {
        return None;
    }
    let name = types.string(t.name_off()).filter(|name| !name.is_empty());
    let name = name.unwrap_or(around);
    for member in (0..t.vlen()).filter_map(|i| t.member(i)) {
        *left = left.checked_sub(1)?;
        // A flexible array has no size, and nobody lists one.
        let Some(covered) = bytes_of(types, &member) else {
            continue;
        };
        if bytes.start < covered.start || bytes.end > covered.end {
            continue;
        }
        let member_name = types.string(member.name_off)?;
        if !member_name.is_empty() && listed(name, member_name) {
            return Some(true);
        }
        let start = bytes.start.checked_sub(covered.start)?;
        let end = bytes.end.checked_sub(covered.start)?;
        // In a union several members may cover the same bytes.
        if member.bitfield_size == 0
            && within(types, member.type_id, name, start..end, depth, left, listed) == Some(true)
        {
            return Some(true);
        }
    }
    Some(false)
}

/// The bytes of type `id`, if it is a number that cannot be an address: one of at most 32 bits, an
/// enum, or one with a name that `listed` knows.
pub(crate) fn plain_scalar(
    types: &Types<'_>,
    mut id: u32,
    listed: &mut dyn FnMut(&[u8]) -> bool,
) -> Option<u32> {
    for _ in 0..MAX_CHAIN {
        let t = types.by_id(id)?;
        match t.kind() {
            Kind::Int => return t.size().filter(|&size| size <= 4),
            kind if kind.is_any_enum() => return t.size(),
            Kind::Typedef if types.string(t.name_off()).is_some_and(&mut *listed) => {
                return types.resolve_size(id);
            }
            kind if kind.is_modifier() => id = t.type_id()?,
            _ => return None,
        }
    }
    None
}
