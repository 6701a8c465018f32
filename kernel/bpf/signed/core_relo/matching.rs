// SPDX-License-Identifier: GPL-2.0

//! Finds the way of a local type in a candidate.
//!
//! Members are found by name, wherever the target has moved them: into or out of anonymous structs
//! and unions, and at any offset. Their types have to be compatible.

use super::btf::{Kind, Member, Type, Types};
use super::candidates::essential_name;
use super::spec::{self, Accessor, Spec};
use super::types;
use super::{Budget, Error, Family, ReloKind, STEPS_PER_PAIR};

/// Most dimensions of an array that are looked through.
pub(crate) const MAX_DIMENSIONS: usize = 32;

/// Memory for a match.
///
/// # Invariants
///
/// All bits zero are a valid value, see [`super::Workspace`].
pub(crate) struct Scratch {
    /// The anonymous structs and unions that a member search is in.
    holders: [u32; spec::MAX_LEN],
    /// The types that a comparison is in.
    stack: types::Stack,
}

impl Scratch {
    #[allow(dead_code)] // The kernel takes zeroed memory.
    pub(crate) const fn new() -> Self {
        Self {
            holders: [0; spec::MAX_LEN],
            stack: types::Stack::new(),
        }
    }
}

/// The two sides of a match.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) local: &'a Types<'a>,
    pub(crate) target: &'a Types<'a>,
}

/// Whether the candidate `id` has what `local` leads to. If so, `target` leads to it there.
pub(crate) fn match_spec(
    sides: Sides<'_>,
    kind: ReloKind,
    local: &Spec,
    id: u32,
    target: &mut Spec,
    scratch: &mut Scratch,
    budget: &mut Budget,
) -> Result<bool, Error> {
    target.reset(id);
    match kind.family() {
        Family::Type if kind == ReloKind::TypeMatches => {
            types::types_match(sides, local.root, id, &mut scratch.stack, budget)
        }
        Family::Type => types::types_are_compat(sides, local.root, id, &mut scratch.stack, budget),
        Family::Enumval => match_enumval(sides, local, id, target, budget),
        Family::Field => match_field(sides, local, id, target, scratch, budget),
    }
}

fn match_enumval(
    sides: Sides<'_>,
    local: &Spec,
    id: u32,
    target: &mut Spec,
    budget: &mut Budget,
) -> Result<bool, Error> {
    let (id, t) = sides.target.skip_modifiers(id).ok_or(Error::BadType)?;
    if !t.kind().is_any_enum() {
        return Ok(false);
    }
    let acc = local.accessors().first().ok_or(Error::BadAccess)?;
    let wanted = essential_name(sides.local.string(acc.name_off).ok_or(Error::BadType)?);
    for idx in 0..t.vlen() {
        budget.step()?;
        let name_off = t.enumerator(idx).ok_or(Error::BadType)?.name_off;
        if types::has_essential(sides.target, name_off, wanted) {
            target.push(Accessor {
                type_id: id,
                idx,
                name_off,
            })?;
            target.push_raw(idx)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn match_field(
    sides: Sides<'_>,
    local: &Spec,
    id: u32,
    target: &mut Spec,
    scratch: &mut Scratch,
    budget: &mut Budget,
) -> Result<bool, Error> {
    let mut id = id;
    for (n, acc) in local.accessors().iter().enumerate() {
        let (at, t) = sides.target.skip_modifiers(id).ok_or(Error::BadType)?;
        if acc.is_named() {
            match match_member(sides, acc, at, &t, target, scratch, budget)? {
                Some(next) => id = next,
                None => return Ok(false),
            }
            continue;
        }

        // The root is an element by itself; further ones are of the array that was come to.
        let (mut elem, mut elem_type) = (at, t);
        if n > 0 {
            let Some(array) = t.array() else {
                return Ok(false);
            };
            if !target.is_in_bounds(sides.target, &array, acc.idx) {
                return Ok(false);
            }
            (elem, elem_type) = sides
                .target
                .skip_modifiers(array.type_id)
                .ok_or(Error::BadType)?;
        }
        target.push_raw(acc.idx)?;
        target.push(Accessor {
            type_id: elem,
            idx: acc.idx,
            name_off: 0,
        })?;
        let size = sides.target.size_of_type(&elem_type).ok_or(Error::NoSize)?;
        target.add_elements(acc.idx, size)?;
        id = elem;
    }
    Ok(true)
}

/// Finds the member that `local` is in the struct or union `holder` and in the anonymous ones
/// within it. Returns the id of the member's type, after `target` has been led to the member.
///
/// The search is depth first. Members that it is within are at the end of the raw spec, the
/// structs they belong to in `nest`.
fn match_member<'a>(
    sides: Sides<'a>,
    local: &Accessor,
    holder: u32,
    holder_type: &Type<'a>,
    target: &mut Spec,
    scratch: &mut Scratch,
    budget: &mut Budget,
) -> Result<Option<u32>, Error> {
    if !holder_type.kind().is_composite() {
        return Ok(None);
    }
    let local_member = sides
        .local
        .by_id(local.type_id)
        .and_then(|t| t.member(local.idx))
        .ok_or(Error::BadType)?;
    let wanted = sides
        .local
        .string(local_member.name_off)
        .ok_or(Error::BadType)?;

    let (mut holder, mut t) = (holder, *holder_type);
    let mut depth = 0usize;
    let mut first = 0;
    loop {
        match seek_member(sides.target, &t, first, wanted, target.is_full(), budget)? {
            Some((idx, member, Next::Named)) => {
                budget.steps(STEPS_PER_PAIR)?;
                if fields_are_compat(sides, local_member.type_id, member.type_id)? {
                    target.push_raw(idx)?;
                    target.add_bits(member.bit_offset)?;
                    target.push(Accessor {
                        type_id: holder,
                        idx,
                        name_off: member.name_off,
                    })?;
                    return Ok(Some(member.type_id));
                }
                // No struct has two members of one name: this one does not have it.
                first = t.vlen();
            }
            Some((idx, member, Next::Within(id, inner))) => {
                *scratch.holders.get_mut(depth).ok_or(Error::TooDeep)? = holder;
                depth = depth.saturating_add(1);
                target.push_raw(idx)?;
                target.add_bits(member.bit_offset)?;
                (holder, t, first) = (id, inner, 0);
            }
            None => {
                // Out of the anonymous struct, and on behind it.
                let Some(up) = depth.checked_sub(1) else {
                    return Ok(None);
                };
                depth = up;
                holder = *scratch.holders.get(depth).ok_or(Error::TooDeep)?;
                t = sides.target.by_id(holder).ok_or(Error::BadType)?;
                let idx = target.pop_raw().ok_or(Error::BadType)?;
                let left = t.member(idx).ok_or(Error::BadType)?;
                target.bit_offset = target.bit_offset.saturating_sub(left.bit_offset);
                first = idx.saturating_add(1);
            }
        }
    }
}

/// Where a search for a member goes on.
enum Next<'a> {
    /// This is it.
    Named,
    /// It may be in here: an anonymous struct or union.
    Within(u32, Type<'a>),
}

/// The next member of `t`, from number `first` on, that is called `wanted` or may have it within.
fn seek_member<'a>(
    types: &Types<'a>,
    t: &Type<'a>,
    first: u32,
    wanted: &[u8],
    is_full: bool,
    budget: &mut Budget,
) -> Result<Option<(u32, Member, Next<'a>)>, Error> {
    if is_full && first < t.vlen() {
        return Err(Error::TooDeep);
    }
    // Most names are told apart by their first byte.
    let &first_byte = wanted.first().ok_or(Error::BadType)?;
    for (idx, name_off) in t.member_names(first) {
        budget.step()?;
        match types.first_byte(name_off) {
            Some(c) if c == first_byte && types.is_string(name_off, wanted) => {
                let member = t.member(idx).ok_or(Error::BadType)?;
                return Ok(Some((idx, member, Next::Named)));
            }
            Some(0) | None => {
                let member = t.member(idx).ok_or(Error::BadType)?;
                let (id, inner) = types.skip_modifiers(member.type_id).ok_or(Error::BadType)?;
                if inner.kind().is_composite() {
                    return Ok(Some((idx, member, Next::Within(id, inner))));
                }
            }
            Some(_) => (),
        }
    }
    budget.step()?;
    Ok(None)
}

/// Whether a member of type `targ_id` will do for one of type `local_id`:
///
/// - structs and unions for each other, and each pointer for each other one;
/// - floats; integers of any size and sign, but not the old bitfield-like ones;
/// - enums of either width, and forward declarations, if their essential names are the same or
///   one has none;
/// - arrays, if their elements do.
fn fields_are_compat(sides: Sides<'_>, local_id: u32, targ_id: u32) -> Result<bool, Error> {
    let (mut local_id, mut targ_id) = (local_id, targ_id);
    for _ in 0..MAX_DIMENSIONS {
        let (_, local) = sides.local.skip_modifiers(local_id).ok_or(Error::BadType)?;
        let (_, target) = sides.target.skip_modifiers(targ_id).ok_or(Error::BadType)?;
        if local.kind().is_composite() && target.kind().is_composite() {
            return Ok(true);
        }
        if !local.kind().is_core_compat(target.kind()) {
            return Ok(false);
        }
        match local.kind() {
            Kind::Ptr | Kind::Float => return Ok(true),
            Kind::Fwd | Kind::Enum | Kind::Enum64 => {
                let local = sides.local.string(local.name_off()).ok_or(Error::BadType)?;
                let target = sides
                    .target
                    .string(target.name_off())
                    .ok_or(Error::BadType)?;
                let (local, target) = (essential_name(local), essential_name(target));
                return Ok(local.is_empty() || target.is_empty() || local == target);
            }
            Kind::Int => return Ok(types::are_plain_ints(&local, &target)),
            Kind::Array => {
                local_id = local.array().ok_or(Error::BadType)?.type_id;
                targ_id = target.array().ok_or(Error::BadType)?.type_id;
            }
            _ => return Ok(false),
        }
    }
    Err(Error::TypesTooDeep)
}
