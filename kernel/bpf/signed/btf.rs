// SPDX-License-Identifier: GPL-2.0

//! BTF type records, read with bounds.
//!
//! [`Types`] is a view of one BTF object: the bytes of its type section, a table that says where
//! each record begins, its strings and, for split BTF, the object it builds upon. `struct btf`
//! keeps exactly these, so the kernel makes a view without copying anything; on the host
//! [`Blob`] makes one from a raw `.BTF` section.
//!
//! Nothing in here trusts its input. Ids, offsets and lengths are checked at each access, chains
//! are followed a bounded number of steps, and what does not hold yields `None`.
//!
//! Names of the vmlinux BTF and of most module BTFs are sorted, which [`Types::ids_from`] and
//! [`Types::ids_prefixed`] turn into binary searches.

#![deny(clippy::arithmetic_side_effects)]
#![deny(clippy::indexing_slicing)]

use core::cmp::Ordering;
use core::ops::Range;

/// Longest string, its NUL included, that is looked at. Identifiers in BTF that the kernel has
/// accepted are shorter than `KSYM_NAME_LEN` (512); access strings of at most 64 numbers are
/// shorter than 704.
pub(crate) const MAX_STRING: usize = 1024;

/// Longest chain of modifiers and typedefs. The kernel refuses BTF with more than 32 in a chain;
/// a chain in split BTF may go on in its base.
const MAX_CHAIN: usize = 64;

/// As `MAX_RESOLVE_DEPTH` of kernel/bpf/btf.c: modifiers and array dimensions down to a size.
const MAX_RESOLVE_DEPTH: usize = 32;

/// Bytes of `struct btf_type` without what follows it.
const RECORD: usize = 12;

/// Kinds of types, `BTF_KIND_*`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs)]
pub(crate) enum Kind {
    Unknown,
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

impl Kind {
    const ALL: [Kind; 20] = [
        Kind::Unknown,
        Kind::Int,
        Kind::Ptr,
        Kind::Array,
        Kind::Struct,
        Kind::Union,
        Kind::Enum,
        Kind::Fwd,
        Kind::Typedef,
        Kind::Volatile,
        Kind::Const,
        Kind::Restrict,
        Kind::Func,
        Kind::FuncProto,
        Kind::Var,
        Kind::Datasec,
        Kind::Float,
        Kind::DeclTag,
        Kind::TypeTag,
        Kind::Enum64,
    ];

    /// The kind with this number, if there is one.
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(raw).ok()?).copied()
    }

    /// The word by which logs call this kind.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Unknown => "void",
            Kind::Int => "int",
            Kind::Ptr => "ptr",
            Kind::Array => "array",
            Kind::Struct => "struct",
            Kind::Union => "union",
            Kind::Enum => "enum",
            Kind::Fwd => "fwd",
            Kind::Typedef => "typedef",
            Kind::Volatile => "volatile",
            Kind::Const => "const",
            Kind::Restrict => "restrict",
            Kind::Func => "func",
            Kind::FuncProto => "func_proto",
            Kind::Var => "var",
            Kind::Datasec => "datasec",
            Kind::Float => "float",
            Kind::DeclTag => "decl_tag",
            Kind::TypeTag => "type_tag",
            Kind::Enum64 => "enum64",
        }
    }

    /// Whether this is a struct or a union.
    pub(crate) fn is_composite(self) -> bool {
        matches!(self, Kind::Struct | Kind::Union)
    }

    /// Whether this is an enumeration of either width.
    pub(crate) fn is_any_enum(self) -> bool {
        matches!(self, Kind::Enum | Kind::Enum64)
    }

    /// Whether this is a qualifier, a tag or a typedef: a name for, or a remark on, another type.
    pub(crate) fn is_modifier(self) -> bool {
        matches!(
            self,
            Kind::Typedef | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag
        )
    }

    /// Whether CO-RE takes the two for the same kind. The width of enums does not count.
    pub(crate) fn is_core_compat(self, other: Kind) -> bool {
        self == other || (self.is_any_enum() && other.is_any_enum())
    }

    /// Bytes behind the record of a type of this kind with `vlen` elements.
    fn tail_len(self, vlen: u32) -> Option<usize> {
        let (fixed, each): (usize, usize) = match self {
            Kind::Int | Kind::Var | Kind::DeclTag => (4, 0),
            Kind::Array => (12, 0),
            Kind::Struct | Kind::Union | Kind::Datasec | Kind::Enum64 => (0, 12),
            Kind::Enum | Kind::FuncProto => (0, 8),
            _ => (0, 0),
        };
        each.checked_mul(usize::try_from(vlen).ok()?)?
            .checked_add(fixed)
    }
}

/// The first `N` words of `bytes`.
fn words<const N: usize>(bytes: &[u8]) -> Option<[u32; N]> {
    // One check for all of them.
    let bytes = bytes.get(..size_of::<[u32; N]>())?;
    let mut out = [0; N];
    for (w, bytes) in out.iter_mut().zip(bytes.chunks_exact(size_of::<u32>())) {
        *w = u32::from_ne_bytes(*bytes.first_chunk()?);
    }
    Some(out)
}

/// The value of a 32-bit enumerator in 64 bits.
fn sign_extend(value: u32) -> u64 {
    let value = i32::from_ne_bytes(value.to_ne_bytes());
    u64::from_ne_bytes(i64::from(value).to_ne_bytes())
}

/// One member of a struct or union.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) name_off: u32,
    pub(crate) type_id: u32,
    /// Offset from the beginning of the struct, in bits.
    pub(crate) bit_offset: u32,
    /// Width of a bitfield, 0 for any other member.
    pub(crate) bitfield_size: u32,
}

/// Element type and number of elements of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array {
    pub(crate) type_id: u32,
    pub(crate) nelems: u32,
}

/// One enumerator. The value of a 32-bit enum is sign-extended whatever its sign, as in C.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enumerator {
    pub(crate) name_off: u32,
    pub(crate) value: u64,
}

/// How an integer is encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Int {
    encoding: u32,
    /// Bits before the value: only in the deprecated encoding of bitfields.
    pub(crate) bit_offset: u32,
}

impl Int {
    /// Whether the signed flag is set.
    pub(crate) fn is_signed(self) -> bool {
        self.encoding & 1 != 0
    }

    /// Whether the signed flag is set, and it alone: `char` may carry two flags.
    pub(crate) fn is_only_signed(self) -> bool {
        self.encoding == 1
    }
}

/// One type record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type<'a> {
    kind: Kind,
    kflag: bool,
    vlen: u32,
    name_off: u32,
    size_or_type: u32,
    /// What follows: elements, if there are any, and then other records.
    tail: &'a [u8],
}

impl<'a> Type<'a> {
    const VOID: Type<'static> = Type {
        kind: Kind::Unknown,
        kflag: false,
        vlen: 0,
        name_off: 0,
        size_or_type: 0,
        tail: &[],
    };

    /// Reads the record with which `bytes` begins.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [name_off, info, size_or_type] = words(bytes)?;
        Some(Self {
            kind: Kind::from_raw((info >> 24) & 0x7f)?,
            kflag: info >> 31 != 0,
            vlen: info & 0xff_ffff,
            name_off,
            size_or_type,
            tail: bytes.get(RECORD..)?,
        })
    }

    /// The record's length in bytes, with all that belongs to it.
    #[allow(dead_code)] // As `Blob`.
    fn len(&self) -> Option<usize> {
        let len = self.kind.tail_len(self.vlen)?;
        self.tail.get(..len)?;
        len.checked_add(RECORD)
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The flag whose meaning depends on the kind.
    pub(crate) fn kflag(&self) -> bool {
        self.kflag
    }

    /// Number of members, enumerators, parameters or variables.
    pub(crate) fn vlen(&self) -> u32 {
        self.vlen
    }

    /// Where its name is in the strings, 0 for none.
    pub(crate) fn name_off(&self) -> u32 {
        self.name_off
    }

    /// The size of a type that has one of its own.
    pub(crate) fn size(&self) -> Option<u32> {
        match self.kind {
            Kind::Int
            | Kind::Struct
            | Kind::Union
            | Kind::Enum
            | Kind::Enum64
            | Kind::Float
            | Kind::Datasec => Some(self.size_or_type),
            _ => None,
        }
    }

    /// The type that a pointer, modifier, function, variable or tag refers to; of a function
    /// prototype, the type that is returned.
    pub(crate) fn type_id(&self) -> Option<u32> {
        match self.kind {
            Kind::Ptr
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::FuncProto
            | Kind::Var
            | Kind::DeclTag
            | Kind::TypeTag => Some(self.size_or_type),
            _ => None,
        }
    }

    /// Element `i` of those behind the record, each of `N` words, if there are more than `i`.
    fn element<const N: usize>(&self, i: u32, count: u32) -> Option<[u32; N]> {
        if i >= count {
            return None;
        }
        let start = usize::try_from(i)
            .ok()?
            .checked_mul(N)?
            .checked_mul(size_of::<u32>())?;
        words(self.tail.get(start..)?)
    }

    /// Member `i` of a struct or union.
    pub(crate) fn member(&self, i: u32) -> Option<Member> {
        if !self.kind.is_composite() {
            return None;
        }
        let [name_off, type_id, offset] = self.element(i, self.vlen)?;
        let (bit_offset, bitfield_size) = if self.kflag {
            (offset & 0xff_ffff, offset >> 24)
        } else {
            (offset, 0)
        };
        Some(Member {
            name_off,
            type_id,
            bit_offset,
            bitfield_size,
        })
    }

    /// Where the names are of the members of a struct or union from number `i` on, with the
    /// number of each.
    pub(crate) fn member_names(&self, i: u32) -> impl Iterator<Item = (u32, u32)> + 'a {
        const MEMBER: usize = size_of::<[u32; 3]>();
        let end = if self.kind.is_composite() {
            self.vlen
        } else {
            0
        };
        let start = usize::try_from(i).ok().and_then(|i| i.checked_mul(MEMBER));
        let rest = start.and_then(|start| self.tail.get(start..));
        (i..end)
            .zip(rest.unwrap_or(&[]).chunks_exact(MEMBER))
            .map_while(|(i, member)| words(member).map(|[name_off]| (i, name_off)))
    }

    /// What an array consists of.
    pub(crate) fn array(&self) -> Option<Array> {
        if self.kind != Kind::Array {
            return None;
        }
        let [type_id, _, nelems] = self.element(0, 1)?;
        Some(Array { type_id, nelems })
    }

    /// Enumerator `i` of an enum of either width.
    pub(crate) fn enumerator(&self, i: u32) -> Option<Enumerator> {
        match self.kind {
            Kind::Enum => {
                let [name_off, value] = self.element(i, self.vlen)?;
                Some(Enumerator {
                    name_off,
                    value: sign_extend(value),
                })
            }
            Kind::Enum64 => {
                let [name_off, low, high] = self.element(i, self.vlen)?;
                Some(Enumerator {
                    name_off,
                    value: (u64::from(high) << 32) | u64::from(low),
                })
            }
            _ => None,
        }
    }

    /// The type of parameter `i` of a function prototype.
    pub(crate) fn param(&self, i: u32) -> Option<u32> {
        if self.kind != Kind::FuncProto {
            return None;
        }
        let [_, type_id] = self.element(i, self.vlen)?;
        Some(type_id)
    }

    /// How an integer is encoded.
    pub(crate) fn int(&self) -> Option<Int> {
        if self.kind != Kind::Int {
            return None;
        }
        let [data] = self.element(0, 1)?;
        Some(Int {
            encoding: (data >> 24) & 0xf,
            bit_offset: (data >> 16) & 0xff,
        })
    }
}

/// What a [`Types`] is made of; `struct btf` has a field for each.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// The type section.
    pub(crate) records: &'a [u8],
    /// The address of each record, which lies in `records`. The first entry of a BTF object that
    /// has no base stands for `void` and is not looked at.
    pub(crate) index: &'a [usize],
    /// The string section.
    pub(crate) strings: &'a [u8],
    /// Id of the first entry of `index`: 0, or where the base ends.
    pub(crate) start_id: u32,
    /// Offset of the first string: 0, or where those of the base end.
    pub(crate) start_str_off: u32,
    /// If the types are sorted by name, the first one that has a name; else 0.
    pub(crate) named_start_id: u32,
}

/// The types of one BTF object, and through its base those it builds upon.
#[derive(Clone, Copy)]
pub(crate) struct Types<'a> {
    parts: Parts<'a>,
    base: Option<&'a Types<'a>>,
}

impl<'a> Types<'a> {
    /// Views `parts`, which continue `base`.
    pub(crate) fn new(parts: Parts<'a>, base: Option<&'a Types<'a>>) -> Self {
        Self { parts, base }
    }

    /// Ids of the types that are this object's own, not its base's, `void` left out.
    pub(crate) fn own_ids(&self) -> Range<u32> {
        let first = self.parts.start_id.max(1);
        let len = u32::try_from(self.parts.index.len()).unwrap_or(u32::MAX);
        first..self.parts.start_id.saturating_add(len).max(first)
    }

    /// Whether the own types are sorted by name.
    pub(crate) fn is_sorted(&self) -> bool {
        self.parts.named_start_id != 0
    }

    /// The bytes from where record `id` begins; `None` for `void`.
    fn record(&self, id: u32) -> Option<&'a [u8]> {
        let mut types = self;
        while id < types.parts.start_id {
            types = types.base?;
        }
        let n = id.checked_sub(types.parts.start_id)?;
        let addr = types.parts.index.get(usize::try_from(n).ok()?)?;
        let start = addr.checked_sub(types.parts.records.as_ptr().addr())?;
        types.parts.records.get(start..)
    }

    /// The type with this id. Id 0 is `void`.
    pub(crate) fn by_id(&self, id: u32) -> Option<Type<'a>> {
        if id == 0 {
            return Some(Type::VOID);
        }
        Type::parse(self.record(id)?)
    }

    /// The kind of type `id`, without a look at what follows the record.
    #[allow(dead_code)] // As `find_by_name_kind()`.
    fn kind_of(&self, id: u32) -> Option<Kind> {
        let [_, info] = words(self.record(id)?)?;
        Kind::from_raw((info >> 24) & 0x7f)
    }

    /// The string section from `off` on.
    fn strings_at(&self, off: u32) -> Option<&'a [u8]> {
        let mut types = self;
        while off < types.parts.start_str_off {
            types = types.base?;
        }
        let n = off.checked_sub(types.parts.start_str_off)?;
        types.parts.strings.get(usize::try_from(n).ok()?..)
    }

    /// The string at `off`, without its NUL.
    pub(crate) fn string(&self, off: u32) -> Option<&'a [u8]> {
        let rest = self.strings_at(off)?;
        let rest = rest.get(..MAX_STRING).unwrap_or(rest);
        let len = rest.iter().position(|&c| c == 0)?;
        rest.get(..len)
    }

    /// The first byte of the string at `off`, which may be its NUL.
    pub(crate) fn first_byte(&self, off: u32) -> Option<u8> {
        self.strings_at(off)?.first().copied()
    }

    /// Whether there is no name at `off`: an empty string, or none at all.
    pub(crate) fn is_anonymous(&self, off: u32) -> bool {
        self.first_byte(off).is_none_or(|c| c == 0)
    }

    /// How the string at `off` compares with `name`, which holds no NUL, by the rules of
    /// `strcmp()`.
    pub(crate) fn cmp_string(&self, off: u32, name: &[u8]) -> Option<Ordering> {
        let rest = self.strings_at(off)?;
        // If the string ends before `name` does, then its NUL decides.
        let order = rest.get(..name.len()).unwrap_or(rest).cmp(name);
        if order.is_ne() {
            return Some(order);
        }
        match rest.get(name.len()) {
            Some(0) => Some(Ordering::Equal),
            _ => Some(Ordering::Greater),
        }
    }

    /// Whether the string at `off` is `name`, which holds no NUL.
    pub(crate) fn is_string(&self, off: u32, name: &[u8]) -> bool {
        self.follows(off, name, |next| next == 0)
    }

    /// Whether the string at `off` is `name`, which holds no NUL, or `name` with something behind
    /// it that begins with `_`, as a flavour does.
    pub(crate) fn is_string_or_flavour(&self, off: u32, name: &[u8]) -> bool {
        self.follows(off, name, |next| next == 0 || next == b'_')
    }

    /// Whether the string at `off` begins with `name`, and a byte that `fits` follows. That one
    /// byte tells most strings apart.
    fn follows(&self, off: u32, name: &[u8], fits: impl Fn(u8) -> bool) -> bool {
        self.strings_at(off)
            .and_then(|rest| rest.split_at_checked(name.len()))
            .is_some_and(|(head, tail)| tail.first().is_some_and(|&c| fits(c)) && head == name)
    }

    /// The name of type `id`, empty if it has none.
    pub(crate) fn name_of(&self, id: u32) -> Option<&'a [u8]> {
        if id == 0 {
            return Some(b"");
        }
        let [name_off] = words(self.record(id)?)?;
        self.string(name_off)
    }

    /// Follows qualifiers, tags and typedefs to the type that they stand before.
    pub(crate) fn skip_modifiers(&self, id: u32) -> Option<(u32, Type<'a>)> {
        let mut id = id;
        for _ in 0..MAX_CHAIN {
            let t = self.by_id(id)?;
            if !t.kind().is_modifier() {
                return Some((id, t));
            }
            id = t.type_id()?;
        }
        None
    }

    /// The size of type `id` in bytes. `None` if it has none or one beyond `i32::MAX`, which
    /// `btf_resolve_size()` cannot tell from an error either.
    pub(crate) fn resolve_size(&self, id: u32) -> Option<u32> {
        self.size_of_type(&self.by_id(id)?)
    }

    /// The same of a type that is at hand.
    pub(crate) fn size_of_type(&self, t: &Type<'a>) -> Option<u32> {
        let mut t = *t;
        let mut nelems: u32 = 1;
        for _ in 0..MAX_RESOLVE_DEPTH {
            let size = match t.kind() {
                Kind::Ptr => u32::try_from(size_of::<usize>()).ok()?,
                Kind::Array => {
                    let array = t.array()?;
                    nelems = nelems.checked_mul(array.nelems)?;
                    t = self.by_id(array.type_id)?;
                    continue;
                }
                kind if kind.is_modifier() => {
                    t = self.by_id(t.type_id()?)?;
                    continue;
                }
                Kind::Datasec => return None,
                _ => t.size()?,
            };
            let size = nelems.checked_mul(size)?;
            return i32::try_from(size).is_ok().then_some(size);
        }
        None
    }

    /// First id in `ids` for which `before` does not hold; it has to hold up to some id and not
    /// from there on.
    fn partition(ids: Range<u32>, mut before: impl FnMut(u32) -> bool) -> u32 {
        let Range { mut start, mut end } = ids;
        while start < end {
            let middle = start.midpoint(end);
            if before(middle) {
                start = middle.saturating_add(1);
            } else {
                end = middle;
            }
        }
        start
    }

    /// The same, where it is likely to be near: begins with ever larger steps.
    fn partition_near(ids: Range<u32>, mut before: impl FnMut(u32) -> bool) -> u32 {
        let Range { mut start, end } = ids;
        let mut step = 1;
        loop {
            let next = start.saturating_add(step);
            if next >= end {
                return Self::partition(start..end, before);
            }
            if !before(next) {
                return Self::partition(start..next, before);
            }
            (start, step) = (next, step.saturating_mul(2));
        }
    }

    /// The own types from the first one that may be called `name` on, to the last of all; `None`
    /// if the types are not sorted.
    pub(crate) fn ids_from(&self, name: &[u8]) -> Option<Range<u32>> {
        let ids = self.sorted_ids()?;
        let is_before = |id| {
            let [name_off] = words(self.record(id)?)?;
            Some(self.cmp_string(name_off, name)?.is_lt())
        };
        Some(Self::partition(ids.clone(), |id| is_before(id) == Some(true))..ids.end)
    }

    /// Those of `ids`, which are sorted, from the first one on whose name may begin with `stem`
    /// and `suffix`. That is likely to be near the beginning.
    pub(crate) fn ids_prefixed(&self, ids: Range<u32>, stem: &[u8], suffix: &[u8]) -> Range<u32> {
        let is_before = |id| {
            let [name_off] = words(self.record(id)?)?;
            let name = self.strings_at(name_off)?;
            let order = name.get(..stem.len()).unwrap_or(name).cmp(stem);
            Some(match name.get(stem.len()..) {
                Some(rest) if order.is_eq() => rest.get(..suffix.len()).unwrap_or(rest) < suffix,
                _ => order.is_lt(),
            })
        };
        Self::partition_near(ids.clone(), |id| is_before(id) == Some(true))..ids.end
    }

    fn sorted_ids(&self) -> Option<Range<u32>> {
        if !self.is_sorted() {
            return None;
        }
        let own = self.own_ids();
        Some(self.parts.named_start_id.clamp(own.start, own.end)..own.end)
    }

    /// The first type with this name and kind, those of the base before the own ones; as
    /// `btf_find_by_name_kind()`.
    #[allow(dead_code)] // So far, the kernel asks `btf_find_by_name_kind()` itself.
    pub(crate) fn find_by_name_kind(&self, name: &[u8], kind: Kind) -> Option<u32> {
        if let Some(id) = self.base.and_then(|b| b.find_by_name_kind(name, kind)) {
            return Some(id);
        }
        if name.is_empty() {
            return None;
        }
        let fits = |&id: &u32| self.kind_of(id) == Some(kind);
        let is_named = |id: &u32| self.name_of(*id) == Some(name);
        match self.ids_from(name) {
            Some(ids) => ids.take_while(is_named).find(fits),
            None => self.own_ids().filter(fits).find(is_named),
        }
    }
}

/// A raw BTF section: header, types, strings.
#[allow(dead_code)] // The kernel has parsed its BTF already.
#[derive(Clone, Copy)]
pub(crate) struct Blob<'a> {
    records: &'a [u8],
    strings: &'a [u8],
}

#[allow(dead_code)]
impl<'a> Blob<'a> {
    /// Finds the sections. The blob has to be of native endianness.
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        const MAGIC_AND_VERSION: u32 = if cfg!(target_endian = "big") {
            0xeb9f_0100
        } else {
            0x0001_eb9f
        };
        let [magic, hdr_len, type_off, type_len, str_off, str_len] = words(data)?;
        if magic != MAGIC_AND_VERSION {
            return None;
        }
        let body = data.get(usize::try_from(hdr_len).ok()?..)?;
        let section = |off: u32, len: u32| -> Option<&'a [u8]> {
            let off = usize::try_from(off).ok()?;
            let len = usize::try_from(len).ok()?;
            body.get(off..)?.get(..len)
        };
        let strings = section(str_off, str_len)?;
        if strings.last().is_some_and(|&c| c != 0) {
            return None;
        }
        Some(Self {
            records: section(type_off, type_len)?,
            strings,
        })
    }

    /// Number of entries that [`Blob::types`] needs for its index.
    pub(crate) fn index_len(&self, base: Option<&Types<'_>>) -> Option<usize> {
        let mut rest = self.records;
        let mut n = usize::from(base.is_none());
        while !rest.is_empty() {
            let t = Type::parse(rest)?;
            rest = rest.get(t.len()?..)?;
            n = n.checked_add(1)?;
        }
        Some(n)
    }

    /// Fills `index`, which is of the length told by [`Blob::index_len`], and views the types,
    /// after `base`. Whether they are sorted by name is found out.
    pub(crate) fn types(
        &self,
        index: &'a mut [usize],
        base: Option<&'a Types<'a>>,
    ) -> Option<Types<'a>> {
        let skip = usize::from(base.is_none());
        let begin = self.records.as_ptr().addr();
        let mut at = 0usize;
        for entry in index.iter_mut().skip(skip) {
            *entry = begin.checked_add(at)?;
            let t = Type::parse(self.records.get(at..)?)?;
            at = at.checked_add(t.len()?)?;
        }
        let parts = Parts {
            records: self.records,
            index,
            strings: self.strings,
            start_id: base.map_or(0, |b| b.own_ids().end),
            start_str_off: match base {
                Some(b) => {
                    let len = u32::try_from(b.parts.strings.len()).ok()?;
                    b.parts.start_str_off.checked_add(len)?
                }
                None => 0,
            },
            named_start_id: 0,
        };
        let mut types = Types::new(parts, base);
        types.parts.named_start_id = types.find_named_start();
        Some(types)
    }
}

impl Types<'_> {
    /// The first named type if names only ever ascend, else 0; as `btf_check_sorted()`.
    #[allow(dead_code)]
    fn find_named_start(&self) -> u32 {
        let mut named_start = 0;
        let mut last: &[u8] = b"";
        for id in self.own_ids() {
            let Some(name) = self.name_of(id) else {
                return 0;
            };
            if name < last {
                return 0;
            }
            if named_start == 0 && !name.is_empty() {
                named_start = id;
            }
            last = name;
        }
        named_start
    }
}
