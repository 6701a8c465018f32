// SPDX-License-Identifier: GPL-2.0

//! Whether a map that was bound is one that its slot allows.
//!
//! Depends on `core` and `zerocopy` alone: what a map is comes as [`Facts`], hashing as a trait.

use super::image::{
    records::*,
    Kind,
    Layout,
    MAP_RDONLY_PROG, //
};

/// `BPF_F_NUMA_NODE`: where a map's memory lies is the loader's business.
pub(crate) const MAP_NUMA_NODE: u32 = 1 << 2;
/// `BPF_MAP_TYPE_ARENA`: its `map_extra` is an address that the loader chooses.
pub(crate) const MAP_TYPE_ARENA: u32 = 33;

/// `BPF_MAP_TYPE_DEVMAP`.
pub(crate) const MAP_TYPE_DEVMAP: u32 = 14;
/// `BPF_MAP_TYPE_DEVMAP_HASH`.
pub(crate) const MAP_TYPE_DEVMAP_HASH: u32 = 25;

/// What a bound map is.
pub(crate) struct Facts<'a> {
    /// The map.
    pub this: MapShape,
    /// The maps that a map of maps holds; all zero for others.
    pub inner: MapShape,
    /// As created.
    pub map_extra: u64,
    /// The value of an array's only element, where the kernel can read it in place.
    pub contents: Option<&'a [u8]>,
    /// Digest of the map's own BTF and its types of key and value, where it has special fields.
    pub special: Option<(Digest, u32, u32)>,
    /// Digest of the BTF of the maps in a map of maps, where they have special fields.
    pub inner_special: Option<Digest>,
    /// User space can no longer write.
    pub frozen: bool,
    /// A writer from before the freeze is still there.
    pub written: bool,
}

/// SHA-256, by whoever has it.
pub(crate) trait Hash {
    /// Adds bytes.
    fn update(&mut self, bytes: &[u8]);
    /// The digest of all that was added.
    fn finish(self) -> Digest;
}

/// Why a map does not fit its slot: the words for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// A field differs: its name, what the slot says, what the map has.
    Field(&'static str, u64, u64),
    /// Contents that are fixed could still change.
    NotFrozen,
    /// Contents that are fixed are still mapped or being written.
    ActiveWriter,
    /// Contents that are fixed cannot be read in place.
    NotReadable,
    /// Contents differ from those that were signed.
    Contents,
    /// The value has special fields, described by another BTF than the image's.
    Btf,
    /// There is no such slot.
    NoSlot,
}

impl core::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Field(name, want, have) => write!(f, "{name} is {have}, signed was {want}"),
            Self::NotFrozen => f.write_str("its contents are signed, so it has to be frozen first"),
            Self::ActiveWriter => {
                f.write_str("its contents are signed, but somebody still has it mapped to write")
            }
            Self::NotReadable => {
                f.write_str("its contents are signed, but cannot be read in place")
            }
            Self::Contents => f.write_str("its contents are not those that were signed"),
            Self::Btf => f.write_str("its special fields are described by another BTF"),
            Self::NoSlot => f.write_str("there is no such slot"),
        }
    }
}

fn same(name: &'static str, want: u64, have: u64) -> Result<(), Mismatch> {
    if want == have {
        Ok(())
    } else {
        Err(Mismatch::Field(name, want, have))
    }
}

/// The flags that count of a map of this type, with those that the kernel sets by itself: programs
/// do not write to maps of devices.
fn flags(kind: u32, flags: u32) -> u64 {
    let set = if matches!(kind, MAP_TYPE_DEVMAP | MAP_TYPE_DEVMAP_HASH) {
        MAP_RDONLY_PROG
    } else {
        0
    };
    ((flags | set) & !MAP_NUMA_NODE).into()
}

/// Compares a bound map with its slot.
///
/// The order matters for contents: frozen first, then writers, then the bytes. Once a map is
/// frozen no writer can be added, so that with none left nothing can change any more.
pub(crate) fn check<H: Hash>(
    layout: &Layout,
    image: &[u8],
    index: u32,
    facts: &Facts<'_>,
    hash: H,
) -> Result<(), Mismatch> {
    let slots = layout.records::<MapSlot>(image, Kind::Maps);
    let slot = slots.get(index).ok_or(Mismatch::NoSlot)?;
    let (want, have) = (&slot.shape, &facts.this);

    same("type", want.kind.into(), have.kind.into())?;
    same("key_size", want.key_size.into(), have.key_size.into())?;
    if !slot.has(MapSlot::FREE_VALUE_SIZE) {
        same("value_size", want.value_size.into(), have.value_size.into())?;
    }
    if slot.has(MapSlot::FIXED_ENTRIES) || slot.has(MapSlot::FIXED_CONTENTS) {
        same(
            "max_entries",
            want.max_entries.into(),
            have.max_entries.into(),
        )?;
    }
    same(
        "map_flags",
        flags(want.kind, want.map_flags),
        flags(have.kind, have.map_flags),
    )?;
    if want.kind != MAP_TYPE_ARENA {
        same("map_extra", slot.map_extra, facts.map_extra)?;
    }
    if slot.inner_type != 0 {
        same(
            "inner type",
            slot.inner_type.into(),
            facts.inner.kind.into(),
        )?;
        same(
            "inner key_size",
            slot.inner_key_size.into(),
            facts.inner.key_size.into(),
        )?;
        same(
            "inner value_size",
            slot.inner_value_size.into(),
            facts.inner.value_size.into(),
        )?;
        same(
            "inner map_flags",
            flags(slot.inner_type, slot.inner_map_flags),
            flags(facts.inner.kind, facts.inner.map_flags),
        )?;
    }
    let btf = layout.records::<BtfRecord>(image, Kind::Btf).get(0);
    let is_signed = |digest| btf.is_some_and(|btf| btf.digest == digest);
    if !facts.inner_special.is_none_or(is_signed) {
        return Err(Mismatch::Btf);
    }
    if let Some((digest, key_type_id, value_type_id)) = facts.special {
        if !is_signed(digest) {
            return Err(Mismatch::Btf);
        }
        same(
            "btf_key_type_id",
            slot.btf_key_type_id.into(),
            key_type_id.into(),
        )?;
        same(
            "btf_value_type_id",
            slot.btf_value_type_id.into(),
            value_type_id.into(),
        )?;
    }
    if slot.has(MapSlot::FIXED_CONTENTS) {
        check_contents(layout, image, index, facts, hash, &slot.digest)?;
    }
    Ok(())
}

fn check_contents<H: Hash>(
    layout: &Layout,
    image: &[u8],
    index: u32,
    facts: &Facts<'_>,
    mut hash: H,
    signed: &Digest,
) -> Result<(), Mismatch> {
    const ZEROES: [u8; 64] = [0; 64];

    if !facts.frozen {
        return Err(Mismatch::NotFrozen);
    }
    if facts.written {
        return Err(Mismatch::ActiveWriter);
    }
    let contents = facts.contents.ok_or(Mismatch::NotReadable)?;
    let mut done = 0usize;
    let tunables = layout.records::<Tunable>(image, Kind::Tunables);
    for range in tunables.iter().filter(|range| range.map == index) {
        let off = usize::try_from(range.off).map_err(|_| Mismatch::Contents)?;
        let len = usize::try_from(range.len).map_err(|_| Mismatch::Contents)?;
        let end = off.checked_add(len).ok_or(Mismatch::Contents)?;
        hash.update(contents.get(done..off).ok_or(Mismatch::Contents)?);
        // No more zeroes than there are bytes, whatever the image says.
        let tunable = contents.get(off..end).ok_or(Mismatch::Contents)?;
        for part in tunable.chunks(ZEROES.len()) {
            hash.update(ZEROES.get(..part.len()).unwrap_or(&ZEROES));
        }
        done = end;
    }
    hash.update(contents.get(done..).ok_or(Mismatch::Contents)?);
    if hash.finish() != *signed {
        return Err(Mismatch::Contents);
    }
    Ok(())
}
