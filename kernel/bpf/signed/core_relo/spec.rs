// SPDX-License-Identifier: GPL-2.0

//! The way from a root type to what a relocation is about.
//!
//! clang writes it as an access string: numbers with colons between. The first is an index from
//! the pointer that the program started with, each further one the number of a member or of an
//! array element. A [`Spec`] holds these numbers (the *raw* spec) and, apart, those that mean
//! something to somebody who reads C (its *accessors*): named members and array elements, without
//! the anonymous structs around them. For `&s->a[3]` of
//!
//! ```c
//! struct sample {
//!     int x;
//!     struct {
//!         int y;
//!         int z;
//!         int a[7];
//!     };
//! } *s;
//! ```
//!
//! the access string and raw spec are `0:1:2:3`, and the accessors are `[0]`, `.a` and `[3]`.
//!
//! A relocation of an enumerator has its number as the only one; those of types as wholes have
//! none, and the access string is `0`.

use super::btf::{Array, Types};
use super::{Budget, Error, Family, Name, ReloKind, STEPS_PER_NUMBER};
use core::fmt;

/// Most numbers in an access string, and most members that a target may need for the same way.
pub(crate) const MAX_LEN: usize = 64;

/// A named member, or an array element.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accessor {
    /// The struct or union that has the member, or the type of the array's elements.
    pub(crate) type_id: u32,
    /// Number of the member or element.
    pub(crate) idx: u32,
    /// Where the member's name is, 0 for an element.
    pub(crate) name_off: u32,
}

impl Accessor {
    /// Whether this is a member.
    pub(crate) fn is_named(&self) -> bool {
        self.name_off != 0
    }
}

/// A list of at most [`MAX_LEN`].
///
/// # Invariants
///
/// All bits zero are a valid value, see [`super::Workspace`].
#[derive(Clone, Copy)]
struct Stack<T> {
    len: usize,
    items: [T; MAX_LEN],
}

impl<T: Copy> Stack<T> {
    fn as_slice(&self) -> &[T] {
        self.items.get(..self.len).unwrap_or(&self.items)
    }

    fn push(&mut self, item: T) -> Result<(), Error> {
        *self.items.get_mut(self.len).ok_or(Error::TooDeep)? = item;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        self.items.get(self.len).copied()
    }
}

/// A way through a type.
///
/// # Invariants
///
/// All bits zero are a valid value, see [`super::Workspace`].
pub(crate) struct Spec {
    /// The type where it begins, as found: modifiers and typedefs not skipped.
    pub(crate) root: u32,
    /// Where it ends, in bits from the beginning of the root.
    pub(crate) bit_offset: u32,
    accessors: Stack<Accessor>,
    raw: Stack<u32>,
}

impl Spec {
    #[allow(dead_code)] // The kernel takes zeroed memory.
    pub(crate) const fn new() -> Self {
        const NONE: Accessor = Accessor {
            type_id: 0,
            idx: 0,
            name_off: 0,
        };
        Self {
            root: 0,
            bit_offset: 0,
            accessors: Stack {
                len: 0,
                items: [NONE; MAX_LEN],
            },
            raw: Stack {
                len: 0,
                items: [0; MAX_LEN],
            },
        }
    }

    /// Goes back to the root, which is `root` now.
    pub(crate) fn reset(&mut self, root: u32) {
        self.root = root;
        self.bit_offset = 0;
        self.accessors.len = 0;
        self.raw.len = 0;
    }

    /// The members and elements on the way, anonymous members included.
    pub(crate) fn accessors(&self) -> &[Accessor] {
        self.accessors.as_slice()
    }

    /// The numbers of the access string.
    pub(crate) fn raw(&self) -> &[u32] {
        self.raw.as_slice()
    }

    /// Goes one member or element further.
    pub(crate) fn push(&mut self, accessor: Accessor) -> Result<(), Error> {
        self.accessors.push(accessor)
    }

    /// Whether a further number would be too many.
    pub(crate) fn is_full(&self) -> bool {
        self.raw.len >= MAX_LEN
    }

    pub(crate) fn push_raw(&mut self, idx: u32) -> Result<(), Error> {
        self.raw.push(idx)
    }

    pub(crate) fn pop_raw(&mut self) -> Option<u32> {
        self.raw.pop()
    }

    /// Goes on by `idx` times `size` bytes.
    pub(crate) fn add_elements(&mut self, idx: u32, size: u32) -> Result<(), Error> {
        let bits = u64::from(idx)
            .checked_mul(u64::from(size))
            .and_then(|bytes| bytes.checked_mul(8))
            .and_then(|bits| u32::try_from(bits).ok())
            .ok_or(Error::OffsetOverflow)?;
        self.add_bits(bits)
    }

    /// Goes on by `bits`.
    pub(crate) fn add_bits(&mut self, bits: u32) -> Result<(), Error> {
        self.bit_offset = self
            .bit_offset
            .checked_add(bits)
            .ok_or(Error::OffsetOverflow)?;
        Ok(())
    }

    /// Whether element `idx` is within `array`, which the last accessor led to. Any is, if the
    /// array is the last member of a struct and has no size.
    pub(crate) fn is_in_bounds(&self, types: &Types<'_>, array: &Array, idx: u32) -> bool {
        if idx < array.nelems {
            return true;
        }
        let is_last = |acc: &Accessor| {
            types
                .by_id(acc.type_id)
                .is_some_and(|t| acc.idx.checked_add(1) == Some(t.vlen()))
        };
        array.nelems == 0
            && self
                .accessors()
                .last()
                .is_some_and(|acc| acc.is_named() && is_last(acc))
    }
}

/// The numbers of an access string.
fn numbers(access: &[u8]) -> impl Iterator<Item = Result<u32, Error>> + '_ {
    access.split(|&c| c == b':').map(|digits| {
        if digits.is_empty() {
            return Err(Error::BadAccess);
        }
        let mut n = 0u32;
        for &c in digits {
            if !c.is_ascii_digit() {
                return Err(Error::BadAccess);
            }
            n = n
                .checked_mul(10)
                .and_then(|n| n.checked_add(u32::from(c & 0xf)))
                .filter(|&n| i32::try_from(n).is_ok())
                .ok_or(Error::BadAccess)?;
        }
        Ok(n)
    })
}

/// Reads `access` along `root` into `spec`.
pub(crate) fn parse(
    types: &Types<'_>,
    root: u32,
    access: &[u8],
    kind: ReloKind,
    spec: &mut Spec,
    budget: &mut Budget,
) -> Result<(), Error> {
    spec.reset(root);

    if kind.family() == Family::Type {
        return if access == b"0" {
            Ok(())
        } else {
            Err(Error::BadAccess)
        };
    }

    for n in numbers(access) {
        budget.steps(STEPS_PER_NUMBER)?;
        spec.push_raw(n?)?;
    }
    let (id, t) = types.skip_modifiers(root).ok_or(Error::BadType)?;
    let &idx = spec.raw().first().ok_or(Error::BadAccess)?;

    if kind.family() == Family::Enumval {
        if spec.raw().len() > 1 {
            return Err(Error::BadAccess);
        }
        let enumerator = t.enumerator(idx).ok_or(Error::BadAccess)?;
        return spec.push(Accessor {
            type_id: id,
            idx,
            name_off: enumerator.name_off,
        });
    }

    spec.push(Accessor {
        type_id: id,
        idx,
        name_off: 0,
    })?;
    spec.add_elements(idx, types.size_of_type(&t).ok_or(Error::NoSize)?)?;

    let mut id = id;
    for at in 1..spec.raw().len() {
        let &idx = spec.raw().get(at).ok_or(Error::BadAccess)?;
        let (holder, t) = types.skip_modifiers(id).ok_or(Error::BadType)?;
        if t.kind().is_composite() {
            let member = t.member(idx).ok_or(Error::BadAccess)?;
            spec.add_bits(member.bit_offset)?;
            if member.name_off != 0 {
                if types.is_anonymous(member.name_off) {
                    return Err(Error::BadType);
                }
                spec.push(Accessor {
                    type_id: holder,
                    idx,
                    name_off: member.name_off,
                })?;
            }
            id = member.type_id;
        } else if let Some(array) = t.array() {
            let (elem, t) = types.skip_modifiers(array.type_id).ok_or(Error::BadType)?;
            if !spec.is_in_bounds(types, &array, idx) {
                return Err(Error::BadAccess);
            }
            spec.push(Accessor {
                type_id: elem,
                idx,
                name_off: 0,
            })?;
            spec.add_elements(idx, types.size_of_type(&t).ok_or(Error::NoSize)?)?;
            id = elem;
        } else {
            return Err(Error::BadAccess);
        }
    }
    Ok(())
}

/// Shows a spec, as in `<byte_off> [12] struct task_struct.pid (0:5 @ offset 1256)`.
pub(crate) struct Show<'a> {
    pub(crate) kind: ReloKind,
    pub(crate) types: &'a Types<'a>,
    pub(crate) spec: &'a Spec,
}

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, types, spec } = self;
        write!(f, "<{}> [{}] ", kind.as_str(), spec.root)?;
        let Some(root) = types.by_id(spec.root) else {
            return f.write_str("<?>");
        };
        let name = Name(types.string(root.name_off()));
        write!(f, "{} {name}", root.kind().as_str())?;
        match kind.family() {
            Family::Type => Ok(()),
            Family::Enumval => self.fmt_enumval(f),
            Family::Field => self.fmt_field(f),
        }
    }
}

impl Show<'_> {
    fn fmt_enumval(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A candidate that does not match has no accessor.
        let Some(acc) = self.spec.accessors().first() else {
            return Ok(());
        };
        let Some(t) = self.types.by_id(acc.type_id) else {
            return Ok(());
        };
        let Some(e) = t.enumerator(acc.idx) else {
            return Ok(());
        };
        write!(f, "::{} = ", Name(self.types.string(e.name_off)))?;
        if t.kflag() {
            write!(f, "{}", i64::from_ne_bytes(e.value.to_ne_bytes()))
        } else if t.kind() == super::btf::Kind::Enum {
            write!(f, "{}", e.value & 0xffff_ffff)
        } else {
            write!(f, "{}", e.value)
        }
    }

    fn fmt_field(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, acc) in self.spec.accessors().iter().enumerate() {
            if acc.is_named() {
                write!(f, ".{}", Name(self.types.string(acc.name_off)))?;
            } else if n > 0 || acc.idx > 0 {
                write!(f, "[{}]", acc.idx)?;
            }
        }
        f.write_str(" (")?;
        for (n, idx) in self.spec.raw().iter().enumerate() {
            if n > 0 {
                f.write_str(":")?;
            }
            write!(f, "{idx}")?;
        }
        write!(f, " @ offset {}", self.spec.bit_offset / 8)?;
        match self.spec.bit_offset % 8 {
            0 => f.write_str(")"),
            bits => write!(f, ".{bits})"),
        }
    }
}
