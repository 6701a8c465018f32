// SPDX-License-Identifier: GPL-2.0

//! Computes what a record's instruction should hold, and what it will hold.

use super::btf::{Kind, Type, Types};
use super::candidates::{Candidate, Targets};
use super::matching::{self, Sides};
use super::spec::{self, Accessor, Show, Spec};
use super::{Budget, Error, Family, Log, Name, Relo, ReloKind, Workspace};

/// A relocation, ready to be applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fixup {
    /// What clang has put into the instruction, by the local type.
    pub(crate) local: u64,
    /// What belongs there, by the target.
    pub(crate) target: u64,
    /// There is no target: the instruction has to become one that the verifier refuses, should
    /// it be reachable.
    pub(crate) poison: bool,
    /// Whether the instruction has to hold `local`.
    pub(crate) validate: bool,
    /// Sizes of what a load or store at this offset accesses, 0 if they do not matter.
    pub(crate) local_size: u32,
    pub(crate) target_size: u32,
    /// The sizes differ, and no other load or store would do instead.
    pub(crate) fail_size: bool,
}

impl Fixup {
    /// Puts `value` in, whatever is there.
    fn unconditional(value: u64) -> Self {
        Self {
            local: value,
            target: value,
            poison: false,
            validate: false,
            local_size: 0,
            target_size: 0,
            fail_size: false,
        }
    }
}

/// What a relocation yields on one side.
#[derive(Clone, Copy, Default)]
struct Value {
    value: u64,
    /// Whether compiler and engine have to agree on it.
    is_certain: bool,
    /// Size and type of the field that a load or store would access.
    size: u32,
    type_id: u32,
}

impl Value {
    fn certain(value: u64) -> Self {
        Self {
            value,
            is_certain: true,
            ..Self::default()
        }
    }
}

/// One record, and what it is about.
pub(crate) struct Job<'a> {
    pub(crate) n: u32,
    pub(crate) relo: &'a Relo,
    pub(crate) root: &'a Type<'a>,
    pub(crate) kind: ReloKind,
    pub(crate) local: &'a Types<'a>,
}

/// Computes the record's relocation from those candidates that match. All of them have to give
/// the same.
pub(crate) fn compute<T: Targets>(
    job: &Job<'_>,
    candidates: &[Candidate],
    targets: &T,
    work: &mut Workspace,
    budget: &mut Budget,
    log: &mut dyn Log,
) -> Result<Fixup, Error> {
    let &Job {
        n,
        relo,
        root,
        kind,
        local: local_types,
    } = job;
    let Workspace {
        local,
        target,
        scratch,
    } = work;

    let access = local_types.string(relo.access_str_off);
    access
        .ok_or(Error::BadAccess)
        .and_then(|access| spec::parse(local_types, relo.type_id, access, kind, local, budget))
        .map_err(|e| {
            log.warn(format_args!(
                "relo #{n}: parsing [{}] {} {} + {} failed: {e}",
                relo.type_id,
                root.kind().as_str(),
                Name(local_types.string(root.name_off())),
                Name(access),
            ));
            // As in C, where the caller is not told which way parsing failed.
            match e {
                Error::TooDeep => Error::BadAccess,
                e => e,
            }
        })?;
    log.detail(format_args!(
        "relo #{n}: {}",
        Show {
            kind,
            types: local_types,
            spec: local
        }
    ));

    if kind == ReloKind::TypeIdLocal {
        // What the instruction holds may be out of date, since linkers renumber types.
        return Ok(Fixup::unconditional(u64::from(relo.type_id)));
    }
    if local_types.is_anonymous(root.name_off()) {
        log.warn(format_args!(
            "relo #{n}: <{}> [{}]: {}",
            kind.as_str(),
            relo.type_id,
            Error::Anonymous
        ));
        return Err(Error::Anonymous);
    }

    let mut agreed: Option<(Fixup, u32)> = None;
    for (i, candidate) in candidates.iter().enumerate() {
        budget.steps(super::STEPS_PER_CANDIDATE)?;
        let types = targets.types(candidate.btf).ok_or(Error::BadType)?;
        let sides = Sides {
            local: local_types,
            target: &types,
        };
        let id = candidate.type_id;
        let matches = matching::match_spec(sides, kind, local, id, target, scratch, budget);
        let show = Show {
            kind,
            types: &types,
            spec: target,
        };
        match matches {
            Ok(true) => log.detail(format_args!("relo #{n}: matching candidate #{i} {show}")),
            Ok(false) => {
                log.detail(format_args!(
                    "relo #{n}: non-matching candidate #{i} {show}"
                ));
                continue;
            }
            Err(e) => {
                log.warn(format_args!(
                    "relo #{n}: error matching candidate #{i} {show}: {e}"
                ));
                return Err(e);
            }
        }

        let fixup = fixup(job, local, Some((&types, target)), log)?;
        let Some((first, bit_offset)) = agreed else {
            agreed = Some((fixup, target.bit_offset));
            continue;
        };
        if bit_offset != target.bit_offset {
            log.warn(format_args!(
                "relo #{n}: field offset ambiguity: {} != {bit_offset}: \
                 types of one name differ in this kernel",
                target.bit_offset
            ));
            return Err(Error::Ambiguous);
        }
        if fixup.poison != first.poison || fixup.target != first.target {
            let outcome = |f: &Fixup| if f.poison { "failure" } else { "success" };
            log.warn(format_args!(
                "relo #{n}: relocation decision ambiguity: {} {} != {} {}: \
                 types of one name differ in this kernel",
                outcome(&fixup),
                fixup.target,
                outcome(&first),
                first.target
            ));
            return Err(Error::Ambiguous);
        }
    }

    match agreed {
        Some((fixup, _)) => Ok(fixup),
        None => {
            // Fine, if the program asks before it uses what is missing.
            log.detail(format_args!("relo #{n}: no matching targets found"));
            fixup(job, local, None, log)
        }
    }
}

/// The relocation that the local way and the target's, if there is one, give together.
fn fixup(
    job: &Job<'_>,
    local: &Spec,
    target: Option<(&Types<'_>, &Spec)>,
    log: &mut dyn Log,
) -> Result<Fixup, Error> {
    let expected = value(job, job.local, local, log)?;
    let found = match target {
        Some((types, spec)) => Some(value(job, types, spec, log)?),
        None => value_of_nothing(job.kind),
    };
    let mut fixup = Fixup {
        local: expected.value,
        target: 0,
        poison: found.is_none(),
        validate: expected.is_certain,
        local_size: expected.size,
        target_size: 0,
        fail_size: false,
    };
    if let Some(found) = found {
        fixup.target = found.value;
        fixup.target_size = found.size;
        if let Some((types, _)) = target {
            fixup.fail_size = expected.size != found.size
                && !can_resize(job.local, expected.type_id, types, found.type_id);
        }
    }
    Ok(fixup)
}

/// What a relocation yields without a target. `None` where nothing would be right.
fn value_of_nothing(kind: ReloKind) -> Option<Value> {
    match kind {
        ReloKind::FieldExists
        | ReloKind::EnumvalExists
        | ReloKind::TypeIdTarget
        | ReloKind::TypeExists
        | ReloKind::TypeSize
        | ReloKind::TypeMatches => Some(Value::default()),
        _ => None,
    }
}

/// Whether a load or store of one type may become one of the other, which has another size.
///
/// Pointers of 32 bits are held in 64, and a larger or smaller unsigned integer in a register
/// stays the same, since loads extend with zeroes. Any other value would be read wrongly.
fn can_resize(local: &Types<'_>, local_id: u32, target: &Types<'_>, target_id: u32) -> bool {
    let Some((l, t)) = local.by_id(local_id).zip(target.by_id(target_id)) else {
        return false;
    };
    if l.kind() == Kind::Ptr && t.kind() == Kind::Ptr {
        return true;
    }
    match l.int().zip(t.int()) {
        Some((l, t)) => !l.is_only_signed() && !t.is_only_signed(),
        None => false,
    }
}

/// What the relocation yields on one side.
fn value(job: &Job<'_>, types: &Types<'_>, spec: &Spec, log: &mut dyn Log) -> Result<Value, Error> {
    let value = match job.kind.family() {
        Family::Field => value_of_field(job.kind, types, spec),
        Family::Type => value_of_type(job.kind, types, spec),
        Family::Enumval => value_of_enumval(job.kind, types, spec),
    };
    value.inspect_err(|e| {
        log.warn(format_args!(
            "relo #{}: <{}> at insn #{} can't be satisfied: {e}",
            job.n,
            job.kind.as_str(),
            job.relo.insn_idx()
        ));
    })
}

fn value_of_type(kind: ReloKind, types: &Types<'_>, spec: &Spec) -> Result<Value, Error> {
    Ok(match kind {
        ReloKind::TypeSize => Value::certain(u64::from(
            types.resolve_size(spec.root).ok_or(Error::NoSize)?,
        )),
        ReloKind::TypeIdTarget | ReloKind::TypeIdLocal => Value {
            value: u64::from(spec.root),
            ..Value::default()
        },
        _ => Value::certain(1),
    })
}

fn value_of_enumval(kind: ReloKind, types: &Types<'_>, spec: &Spec) -> Result<Value, Error> {
    if kind == ReloKind::EnumvalExists {
        return Ok(Value::certain(1));
    }
    let acc = spec.accessors().first().ok_or(Error::BadAccess)?;
    let enumerator = types
        .by_id(acc.type_id)
        .and_then(|t| t.enumerator(acc.idx))
        .ok_or(Error::BadType)?;
    Ok(Value::certain(enumerator.value))
}

fn value_of_field(kind: ReloKind, types: &Types<'_>, spec: &Spec) -> Result<Value, Error> {
    if kind == ReloKind::FieldExists {
        return Ok(Value::certain(1));
    }
    let acc = spec.accessors().last().ok_or(Error::BadAccess)?;
    if acc.is_named() {
        value_of_member(kind, types, spec, acc)
    } else {
        value_of_element(kind, types, spec, acc)
    }
}

/// The size of a field as a load or store sees it: that of an array's element.
fn access_size<'a>(types: &Types<'a>, t: Type<'a>) -> Result<u32, Error> {
    let mut t = t;
    for _ in 0..matching::MAX_DIMENSIONS {
        let Some(array) = t.array() else {
            return types.size_of_type(&t).ok_or(Error::NoSize);
        };
        (_, t) = types.skip_modifiers(array.type_id).ok_or(Error::BadType)?;
    }
    Err(Error::TypesTooDeep)
}

fn value_of_element(
    kind: ReloKind,
    types: &Types<'_>,
    spec: &Spec,
    acc: &Accessor,
) -> Result<Value, Error> {
    let t = types.by_id(acc.type_id).ok_or(Error::BadType)?;
    match kind {
        ReloKind::FieldByteOffset => Ok(Value {
            size: access_size(types, t)?,
            type_id: acc.type_id,
            ..Value::certain(u64::from(spec.bit_offset / 8))
        }),
        ReloKind::FieldByteSize => Ok(Value::certain(u64::from(
            types.size_of_type(&t).ok_or(Error::NoSize)?,
        ))),
        _ => Err(Error::ArrayElement),
    }
}

/// Where the load is that gets a bitfield: the smallest one, aligned to its own size and no
/// smaller than the bitfield's type, that has all of the bits. Offset and size in bytes.
fn bitfield_load(bit_offset: u32, bits: u32, type_size: u32) -> Result<(u32, u32), Error> {
    let end = u64::from(bit_offset).saturating_add(u64::from(bits));
    let mut size = type_size;
    loop {
        let offset = (bit_offset / 8)
            .checked_div(size)
            .and_then(|n| n.checked_mul(size))
            .ok_or(Error::NoSize)?;
        let load_end = u64::from(offset)
            .saturating_add(u64::from(size))
            .saturating_mul(8);
        if end <= load_end {
            return Ok((offset, size));
        }
        if size >= 8 {
            return Err(Error::BitfieldTooWide);
        }
        size = size.saturating_mul(2);
    }
}

fn value_of_member(
    kind: ReloKind,
    types: &Types<'_>,
    spec: &Spec,
    acc: &Accessor,
) -> Result<Value, Error> {
    let holder = types.by_id(acc.type_id).ok_or(Error::BadType)?;
    let member = holder.member(acc.idx).ok_or(Error::BadType)?;
    let (type_id, t) = types.skip_modifiers(member.type_id).ok_or(Error::BadType)?;

    let is_bitfield = member.bitfield_size > 0;
    let (offset, size, bits) = if is_bitfield {
        let type_size = t.size().ok_or(Error::NoSize)?;
        let (offset, size) = bitfield_load(spec.bit_offset, member.bitfield_size, type_size)?;
        (offset, size, member.bitfield_size)
    } else {
        let size = types.size_of_type(&t).ok_or(Error::NoSize)?;
        (spec.bit_offset / 8, size, size.wrapping_mul(8))
    };

    // How far to shift in a register of 64 bits. As in C, what is larger than that gives a shift
    // that wraps, as it does in clang.
    let start = spec.bit_offset.wrapping_sub(offset.wrapping_mul(8));
    let left = if cfg!(target_endian = "big") {
        8u32.wrapping_sub(size).wrapping_mul(8).wrapping_add(start)
    } else {
        64u32.wrapping_sub(start.wrapping_add(bits))
    };

    // Compilers lay out and load bitfields as they like; sign and width alone are certain.
    let value = |value: u32| Value {
        value: u64::from(value),
        is_certain: !is_bitfield,
        ..Value::default()
    };
    Ok(match kind {
        ReloKind::FieldByteOffset if is_bitfield => value(offset),
        ReloKind::FieldByteOffset => Value {
            size: access_size(types, t)?,
            type_id,
            ..value(offset)
        },
        ReloKind::FieldByteSize => value(size),
        ReloKind::FieldSigned => {
            let is_signed =
                (t.kind().is_any_enum() && t.kflag()) || t.int().is_some_and(|int| int.is_signed());
            Value::certain(u64::from(is_signed))
        }
        ReloKind::FieldLshiftU64 => value(left),
        ReloKind::FieldRshiftU64 => Value::certain(u64::from(64u32.wrapping_sub(bits))),
        _ => return Err(Error::BadReloKind),
    })
}
