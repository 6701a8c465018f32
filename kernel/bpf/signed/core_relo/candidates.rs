// SPDX-License-Identifier: GPL-2.0

//! Finds the types of the kernel that a local type may stand for.
//!
//! A candidate has the kind of the local type and its *essential* name: that without the flavour,
//! which is what follows the last `___`. `task_struct`, `task_struct___old` and
//! `task_struct___x___y` are `task_struct`, `task_struct` and `task_struct___x`.
//!
//! vmlinux is searched first, and modules only if it has none. Where names are sorted, candidates
//! are in two places: the types with just the essential name, and those whose names begin with it
//! and `___`. Both are found by binary search.

use super::btf::{Kind, Type, Types};
use super::{Budget, Error};
use core::ops::Range;

/// What stands between an essential name and a flavour.
const SEPARATOR: &[u8; 3] = b"___";

/// The part of `name` before its flavour: up to the last `___` that has a character other than
/// `_` on both sides.
pub(crate) fn essential_name(name: &[u8]) -> &[u8] {
    let flavoured = |w: &[u8]| matches!(w, [x, b'_', b'_', b'_', y] if *x != b'_' && *y != b'_');
    match name.windows(5).rposition(flavoured) {
        Some(at) => name.get(..=at).unwrap_or(name),
        None => name,
    }
}

/// A type of the kernel that a local type may stand for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Candidate {
    /// Number of the BTF object, for [`Targets::types`].
    pub(crate) btf: u32,
    pub(crate) type_id: u32,
}

/// The BTF objects of the kernel.
pub(crate) trait Targets {
    /// The types of object `btf`: 0 is vmlinux, the others are modules.
    fn types(&self, btf: u32) -> Option<Types<'_>>;

    /// How many modules there are, numbered from 1. Called only if vmlinux lacks a type; from
    /// then on the modules have to stay.
    fn modules(&mut self) -> Result<u32, Error>;
}

/// A list that grows, or does not.
pub(crate) trait List {
    fn push(&mut self, candidate: Candidate) -> Result<(), Error>;
    fn as_slice(&self) -> &[Candidate];
}

/// Finds the own types of `types` that are candidates for a type of this essential name and
/// kind, in the order of their ids.
pub(crate) fn search(
    types: &Types<'_>,
    essential: &[u8],
    kind: Kind,
    budget: &mut Budget,
    mut found: impl FnMut(u32) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(ids) = types.ids_from(essential) else {
        // Not sorted: look at each.
        for id in types.own_ids() {
            budget.step()?;
            let fits = |t: Type<'_>| {
                t.kind().is_core_compat(kind)
                    && types
                        .string(t.name_off())
                        .is_some_and(|name| essential_name(name) == essential)
            };
            if types.by_id(id).is_some_and(fits) {
                found(id)?;
            }
        }
        return Ok(());
    };

    // Two searches by halves over at most 2^20 types, the second of which may take twice as long.
    budget.steps(60)?;
    // An essential name may itself look flavoured: that of `a___b___c` is `a___b`, while that of a
    // type which is called `a___b` is `a`.
    let is_own = essential_name(essential) == essential;
    let mut flavours = ids.clone();
    for id in ids {
        budget.step()?;
        let Some(t) = types
            .by_id(id)
            .filter(|t| types.is_string(t.name_off(), essential))
        else {
            break;
        };
        flavours.start = id;
        if is_own && t.kind().is_core_compat(kind) {
            found(id)?;
        }
    }
    for id in types.ids_prefixed(flavours, essential, SEPARATOR) {
        budget.step()?;
        let Some(t) = types.by_id(id) else {
            continue;
        };
        let Some(name) = types
            .string(t.name_off())
            .filter(|name| is_flavour_of(name, essential))
        else {
            break;
        };
        if t.kind().is_core_compat(kind) && essential_name(name) == essential {
            found(id)?;
        }
    }
    Ok(())
}

/// Whether `name` begins with `essential` and a separator.
fn is_flavour_of(name: &[u8], essential: &[u8]) -> bool {
    name.strip_prefix(essential)
        .is_some_and(|rest| rest.starts_with(SEPARATOR))
}

/// Where the candidates of one root type are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slot {
    /// 0 if the slot is free: `void` has no candidates.
    root: u32,
    start: u32,
    end: u32,
}

/// The candidates of the root types that a program's records have named so far.
///
/// It lives as long as the load of one program: no lock, nothing another program could have left
/// behind, and one search per root type.
pub(crate) struct Cache<'a, L> {
    slots: &'a mut [Slot],
    list: L,
}

impl<'a, L: List> Cache<'a, L> {
    /// All `slots` have to be [`Slot::default`], which is zero.
    pub(crate) fn new(slots: &'a mut [Slot], list: L) -> Self {
        Self { slots, list }
    }

    /// How many slots to provide for so many records: a power of two, half of them free.
    pub(crate) fn slots_for(records: usize) -> usize {
        records.max(8).saturating_mul(2).next_power_of_two()
    }

    /// The slot of `root`, or the free one where it belongs.
    fn slot(&mut self, root: u32) -> Option<&mut Slot> {
        let mask = self.slots.len().checked_sub(1)?;
        let hash = usize::try_from(root.wrapping_mul(0x9e37_79b1) >> 7).ok()?;
        let at = (0..self.slots.len())
            .map(|n| hash.wrapping_add(n) & mask)
            .find(|&at| {
                self.slots
                    .get(at)
                    .is_some_and(|s| s.root == root || s.root == 0)
            })?;
        self.slots.get_mut(at)
    }

    /// The candidates in this range.
    pub(crate) fn candidates(&self, range: Range<u32>) -> &[Candidate] {
        let bounds = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        bounds
            .and_then(|(start, end)| self.list.as_slice().get(start..end))
            .unwrap_or(&[])
    }

    /// Finds the candidates of local type `id`, which is `root`.
    pub(crate) fn find<T: Targets>(
        &mut self,
        local: &Types<'_>,
        id: u32,
        root: &Type<'_>,
        targets: &mut T,
        budget: &mut Budget,
    ) -> Result<Range<u32>, Error> {
        let slot = self.slot(id).ok_or(Error::NoMemory)?;
        if id != 0 && slot.root == id {
            return Ok(slot.start..slot.end);
        }

        let name = local.string(root.name_off()).ok_or(Error::BadType)?;
        let essential = essential_name(name);
        if essential.is_empty() {
            return Err(Error::Anonymous);
        }
        let start = self.len()?;
        self.search_one(targets, 0, essential, root.kind(), budget)?;
        if self.len()? == start {
            for btf in 1..=targets.modules()? {
                self.search_one(targets, btf, essential, root.kind(), budget)?;
            }
        }
        let end = self.len()?;
        if let Some(slot) = self.slot(id) {
            *slot = Slot {
                root: id,
                start,
                end,
            };
        }
        Ok(start..end)
    }

    fn len(&self) -> Result<u32, Error> {
        u32::try_from(self.list.as_slice().len()).map_err(|_| Error::NoMemory)
    }

    fn search_one<T: Targets>(
        &mut self,
        targets: &T,
        btf: u32,
        essential: &[u8],
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let types = targets.types(btf).ok_or(Error::BadType)?;
        search(&types, essential, kind, budget, |type_id| {
            self.list.push(Candidate { btf, type_id })
        })
    }
}
