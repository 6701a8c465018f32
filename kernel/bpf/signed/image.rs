// SPDX-License-Identifier: GPL-2.0

//! The image of a signed program: from bytes to records that obey every rule of the format.
//!
//! [`Image::parse`] checks the whole image once. What it returns can be read without further
//! checks: sections lie inside the image, offsets into the strings name strings, records refer to
//! slots and instructions that exist. It depends on `core` and `zerocopy` alone, so that the same
//! files run under the fuzzer on the host.
//!
//! It must see only bytes whose signature has been verified; the type [`Verified`] carries that
//! from `verify.rs`.
//!
//! The rules stand in `Documentation/bpf/signed_image.rst`.

mod fault;
mod insns;
pub(crate) mod records;

use self::records::*;
use core::{
    ffi::CStr,
    mem::size_of,
    ops::RangeInclusive, //
};
use zerocopy::FromBytes;

pub(crate) use self::{
    fault::{
        Class,
        Fault,
        Place,
        Text, //
    },
    insns::{
        bind_slots,
        resolve,
        resolved_id,
        Resolved, //
    },
};

/// Bytes over all of which a trusted key's signature has been verified.
#[derive(Clone, Copy)]
pub(crate) struct Verified<'a>(&'a [u8]);

impl<'a> Verified<'a> {
    /// Takes the word of the caller that `bytes` were verified.
    ///
    /// There is one caller in the kernel, beside the verification itself.
    pub(crate) fn assume(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

/// `enum bpf_image_section_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Kind {
    /// NUL-terminated strings.
    Strings = 1,
    /// [`Insn`] records.
    Insns,
    /// One [`BtfRecord`].
    Btf,
    /// [`FuncInfo`] records.
    FuncInfo,
    /// [`LineInfo`] records.
    LineInfo,
    /// [`CoreRelo`] records.
    CoreRelo,
    /// [`MapSlot`] records.
    Maps,
    /// [`Tunable`] records.
    Tunables,
    /// [`Ksym`] records.
    Ksyms,
    /// [`Attach`] records.
    Attach,
    /// [`Lockdown`] records.
    Lockdown,
    /// [`Event`] records.
    Events,
}

/// What the format says of each kind: itself, bytes of a record, and how many there may be.
const KINDS: [(Kind, usize, usize); 12] = [
    (Kind::Strings, 1, MAX_SIZE),
    (Kind::Insns, size_of::<Insn>(), MAX_INSNS),
    (Kind::Btf, size_of::<BtfRecord>(), 1),
    (Kind::FuncInfo, size_of::<FuncInfo>(), MAX_INSNS),
    (Kind::LineInfo, size_of::<LineInfo>(), MAX_INSNS),
    (Kind::CoreRelo, size_of::<CoreRelo>(), MAX_CORE_RELOS),
    (Kind::Maps, size_of::<MapSlot>(), MAX_MAPS),
    (Kind::Tunables, size_of::<Tunable>(), MAX_TUNABLES),
    (Kind::Ksyms, size_of::<Ksym>(), MAX_KSYMS),
    (Kind::Attach, size_of::<Attach>(), MAX_ATTACH),
    (Kind::Lockdown, size_of::<Lockdown>(), 2),
    (Kind::Events, size_of::<Event>(), MAX_EVENTS),
];

/// `BPF_F_*` of `BPF_PROG_LOAD` that an image may ask for, all but `BPF_F_TOKEN_FD`; the kernel's
/// own check narrows them.
pub(crate) const PROG_FLAGS: u32 = !(1 << 16);

/// `BPF_F_RDONLY_PROG` of `BPF_MAP_CREATE`.
pub(crate) const MAP_RDONLY_PROG: u32 = 1 << 7;
/// `BPF_PROG_TYPE_STRUCT_OPS`.
pub(crate) const PROG_TYPE_STRUCT_OPS: u32 = 27;

/// `enum bpf_prog_type` of programs that meet events.
pub(crate) mod prog_type {
    pub(crate) const KPROBE: u32 = 2;
    pub(crate) const TRACEPOINT: u32 = 5;
    pub(crate) const PERF_EVENT: u32 = 7;
    pub(crate) const RAW_TRACEPOINT: u32 = 17;
    pub(crate) const RAW_TRACEPOINT_WRITABLE: u32 = 24;
}

/// The kinds of [`Event`] that a program of `prog_type` can be attached to.
pub(crate) fn event_kinds(prog_type: u32) -> RangeInclusive<u32> {
    use prog_type::*;

    match prog_type {
        KPROBE => Event::KPROBE..=Event::USDT,
        TRACEPOINT => Event::TRACEPOINT..=Event::TRACEPOINT,
        RAW_TRACEPOINT | RAW_TRACEPOINT_WRITABLE => Event::RAW_TP..=Event::RAW_TP,
        PERF_EVENT => Event::PERF..=Event::PERF,
        // The empty range.
        _ => RangeInclusive::new(1, 0),
    }
}

/// `BPF_MAP_TYPE_ARRAY`.
pub(crate) const MAP_TYPE_ARRAY: u32 = 2;
/// `BPF_MAP_TYPE_INSN_ARRAY`: where an indirect jump goes.
pub(crate) const MAP_TYPE_INSN_ARRAY: u32 = 34;
/// `BPF_F_TOKEN_FD` and `BPF_F_VTYPE_BTF_OBJ_FD` of `BPF_MAP_CREATE`: they name fds.
pub(crate) const MAP_FD_FLAGS: u32 = 1 << 16 | 1 << 15;

/// Where a section lies in the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    off: usize,
    len: usize,
}

impl Span {
    /// Whether the image lacks the section.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The section's bytes in its image; none where the span is of another image.
    pub(crate) fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.off
            .checked_add(self.len)
            .and_then(|end| bytes.get(self.off..end))
            .unwrap_or(&[])
    }

    /// As [`Self::of`], to write.
    pub(crate) fn of_mut<'a>(&self, bytes: &'a mut [u8]) -> &'a mut [u8] {
        self.off
            .checked_add(self.len)
            .and_then(|end| bytes.get_mut(self.off..end))
            .unwrap_or(&mut [])
    }
}

/// Where everything lies in an image that has been checked. It outlives the borrow of the bytes.
///
/// # Invariants
///
/// Made by [`Image::parse`] only: every rule of the format holds for the bytes it was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    header: Header,
    spans: [Span; KINDS.len()],
}

impl Layout {
    /// The fixed header.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Where the section of `kind` lies; an empty span where the image has none.
    pub(crate) fn span(&self, kind: Kind) -> Span {
        KINDS
            .iter()
            .zip(self.spans)
            .find(|((k, _, _), _)| *k == kind)
            .map(|(_, span)| span)
            .unwrap_or_default()
    }

    /// The records of `kind` in `bytes`, which are those of the image.
    pub(crate) fn records<'a, T: Record>(&self, bytes: &'a [u8], kind: Kind) -> Records<'a, T> {
        Records::new(self.span(kind).of(bytes))
    }

    /// Number of records of `kind`.
    pub(crate) fn count(&self, kind: Kind) -> u32 {
        KINDS
            .iter()
            .zip(self.spans)
            .find(|((k, _, _), _)| *k == kind)
            .and_then(|((_, size, _), span)| span.len.checked_div(*size))
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0)
    }

    /// The classes that the program needs in a mode of lockdown, if the signer has said so; none
    /// within where it must not be loaded in that mode.
    pub(crate) fn annotation(&self, bytes: &[u8], mode: u32) -> Option<Option<u32>> {
        self.records::<Lockdown>(bytes, Kind::Lockdown)
            .iter()
            .find(|record| record.mode == mode)
            .map(|record| (record.flags & Lockdown::FORBID == 0).then_some(record.classes))
    }

    /// The string at `off`, without its NUL.
    pub(crate) fn string<'a>(&self, bytes: &'a [u8], off: u32) -> Option<&'a [u8]> {
        self.c_string(bytes, off).map(CStr::to_bytes)
    }

    /// The string at `off`.
    pub(crate) fn c_string<'a>(&self, bytes: &'a [u8], off: u32) -> Option<&'a CStr> {
        string_at(self.span(Kind::Strings).of(bytes), off)
    }
}

/// The string at `off` in `strings`.
pub(crate) fn string_at(strings: &[u8], off: u32) -> Option<&CStr> {
    let tail = strings.get(usize::try_from(off).ok()?..)?;
    CStr::from_bytes_until_nul(tail).ok()
}

/// The records of one section.
#[derive(Clone, Copy)]
pub(crate) struct Records<'a, T> {
    bytes: &'a [u8],
    of: core::marker::PhantomData<T>,
}

impl<'a, T: Record> Records<'a, T> {
    /// The records that `bytes` hold, one behind the other.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            of: core::marker::PhantomData,
        }
    }

    /// All records in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + 'a {
        self.bytes
            .chunks_exact(size_of::<T>())
            .filter_map(|chunk| T::read_from_bytes(chunk).ok())
    }

    /// The record at `index`.
    pub(crate) fn get(&self, index: u32) -> Option<T> {
        let off = usize::try_from(index).ok()?.checked_mul(size_of::<T>())?;
        T::read_from_prefix(self.bytes.get(off..)?)
            .ok()
            .map(|(record, _)| record)
    }
}

/// A well-formed image.
#[derive(Clone, Copy)]
pub(crate) struct Image<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl<'a> Image<'a> {
    /// Checks every rule of the format.
    ///
    /// # Errors
    ///
    /// A [`Fault`] that names the place and the rule; its class tells `EINVAL` from `E2BIG`.
    pub(crate) fn parse(verified: Verified<'a>) -> Result<Self, Fault> {
        let bytes = verified.0;
        let header = parse_header(bytes)?;
        let spans = parse_table(bytes, &header)?;
        let image = Self {
            bytes,
            layout: Layout { header, spans },
        };

        image.check_strings()?;
        image.check_needs()?;
        image.check_maps()?;
        image.check_tunables()?;
        image.check_attach()?;
        image.check_lockdown()?;
        image.check_events()?;
        image.check_insn_refs()?;
        insns::check(&image)?;
        Ok(image)
    }

    /// Where everything lies.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The records of `kind`.
    pub(crate) fn records<T: Record>(&self, kind: Kind) -> Records<'a, T> {
        self.layout.records(self.bytes, kind)
    }

    fn check_strings(&self) -> Result<(), Fault> {
        let strings = self.layout.span(Kind::Strings).of(self.bytes);
        if strings.first() != Some(&0) || strings.last() != Some(&0) {
            return Err(Fault::section(
                Kind::Strings,
                "does not begin and end with a NUL",
            ));
        }
        self.check_string(Place::Header("license"), self.layout.header.license)
    }

    fn check_string(&self, place: Place, off: u32) -> Result<(), Fault> {
        match self.layout.string(self.bytes, off) {
            Some(_) => Ok(()),
            None => Err(Fault::at(place, "string offset is outside the strings")),
        }
    }

    /// A name: a string that is not empty, and of a length that names may have.
    fn check_name(&self, place: Place, off: u32) -> Result<(), Fault> {
        match self.layout.string(self.bytes, off) {
            Some([]) => Err(Fault::at(place, "name is empty")),
            Some(s) if s.len() >= MAX_NAME => {
                Err(Fault::too_large(place, "name exceeds BPF_IMAGE_MAX_NAME"))
            }
            Some(_) => Ok(()),
            None => Err(Fault::at(place, "string offset is outside the strings")),
        }
    }

    fn check_needs(&self) -> Result<(), Fault> {
        const NEEDS: [(Kind, Kind, &str); 4] = [
            (Kind::FuncInfo, Kind::Btf, "needs a BTF section"),
            (Kind::LineInfo, Kind::Btf, "needs a BTF section"),
            (Kind::CoreRelo, Kind::Btf, "needs a BTF section"),
            (Kind::Tunables, Kind::Maps, "needs a MAPS section"),
        ];
        for (kind, needed, rule) in NEEDS {
            if !self.layout.span(kind).is_empty() && self.layout.span(needed).is_empty() {
                return Err(Fault::section(kind, rule));
            }
        }
        Ok(())
    }

    fn check_maps(&self) -> Result<(), Fault> {
        for (i, slot) in (0u32..).zip(self.records::<MapSlot>(Kind::Maps).iter()) {
            let fault = |rule| Err(Fault::record(Kind::Maps, i, rule));

            self.check_name(Place::Record(Kind::Maps, i), slot.name)?;
            if slot.flags & !MapSlot::KNOWN != 0 {
                return fault("unknown flag");
            }
            if slot.reserved != 0 {
                return fault("reserved field is not zero");
            }
            if slot.shape.kind == MAP_TYPE_INSN_ARRAY {
                return fault("jump tables cannot be signed");
            }
            if (slot.shape.map_flags | slot.inner_map_flags) & MAP_FD_FLAGS != 0 {
                return fault("a flag that names an fd cannot be signed");
            }
            if slot.inner_type == 0
                && slot.inner_key_size | slot.inner_value_size | slot.inner_map_flags != 0
            {
                return fault("inner map without a type");
            }
            if slot.btf_key_type_id | slot.btf_value_type_id != 0
                && self.layout.span(Kind::Btf).is_empty()
            {
                return fault("type ids need a BTF section");
            }
            if !slot.has(MapSlot::FIXED_CONTENTS) {
                if slot.digest != [0; 32] {
                    return fault("digest without fixed contents");
                }
                continue;
            }
            if slot.shape.kind != MAP_TYPE_ARRAY || slot.shape.max_entries != 1 {
                return fault("fixed contents of something else than an array of one element");
            }
            if slot.shape.map_flags & MAP_RDONLY_PROG == 0 {
                return fault("fixed contents that the program could write");
            }
            if slot.has(MapSlot::FREE_VALUE_SIZE) {
                return fault("fixed contents of free size");
            }
        }
        Ok(())
    }

    fn check_tunables(&self) -> Result<(), Fault> {
        let maps = self.records::<MapSlot>(Kind::Maps);
        let mut last = (0, 0);

        for (i, range) in (0u32..).zip(self.records::<Tunable>(Kind::Tunables).iter()) {
            let fault = |rule| Err(Fault::record(Kind::Tunables, i, rule));

            self.check_name(Place::Record(Kind::Tunables, i), range.name)?;
            let Some(slot) = maps.get(range.map) else {
                return fault("no such map slot");
            };
            if !slot.has(MapSlot::FIXED_CONTENTS) {
                return fault("the contents of that slot are not fixed");
            }
            let end = match range.off.checked_add(range.len) {
                Some(end) if range.len != 0 && end <= slot.shape.value_size => end,
                _ => return fault("range is empty or exceeds the value"),
            };
            if (range.map, range.off) < last {
                return fault("range is out of order or overlaps another");
            }
            last = (range.map, end);
        }
        Ok(())
    }

    fn check_attach(&self) -> Result<(), Fault> {
        let header = &self.layout.header;
        let struct_ops = header.prog_type == PROG_TYPE_STRUCT_OPS;
        if struct_ops && header.expected_attach_type != 0 {
            return Err(Fault::at(
                Place::Header("expected_attach_type"),
                "the member of struct_ops is named in ATTACH",
            ));
        }
        for (i, target) in (0u32..).zip(self.records::<Attach>(Kind::Attach).iter()) {
            let place = Place::Record(Kind::Attach, i);

            self.check_name(place, target.name)?;
            if struct_ops {
                self.check_name(place, target.member)?;
            } else if target.member != 0 {
                return Err(Fault::at(
                    place,
                    "a member of something else than struct_ops",
                ));
            }
            if target.flags & !Attach::KNOWN != 0 {
                return Err(Fault::at(place, "unknown flag"));
            }
            if target.reserved != 0 {
                return Err(Fault::at(place, "reserved field is not zero"));
            }
        }
        Ok(())
    }

    fn check_lockdown(&self) -> Result<(), Fault> {
        let mut last = 0;

        for (i, record) in (0u32..).zip(self.records::<Lockdown>(Kind::Lockdown).iter()) {
            let fault = |rule| Err(Fault::record(Kind::Lockdown, i, rule));

            if !(Lockdown::INTEGRITY..=Lockdown::CONFIDENTIALITY).contains(&record.mode) {
                return fault("unknown mode");
            }
            if record.mode <= last {
                return fault("modes are out of order");
            }
            if record.flags & !Lockdown::KNOWN != 0 {
                return fault("unknown flag");
            }
            if record.classes & !Lockdown::CLASSES != 0 {
                return fault("unknown class");
            }
            if record.flags & Lockdown::FORBID != 0 && record.classes != 0 {
                return fault("classes in a mode that is forbidden");
            }
            if record.reserved != 0 {
                return fault("reserved field is not zero");
            }
            last = record.mode;
        }
        Ok(())
    }

    fn check_events(&self) -> Result<(), Fault> {
        let allowed = event_kinds(self.layout.header.prog_type);

        for (i, event) in (0u32..).zip(self.records::<Event>(Kind::Events).iter()) {
            let place = Place::Record(Kind::Events, i);

            self.check_name(place, event.name)?;
            if !allowed.contains(&event.kind) {
                return Err(Fault::at(
                    place,
                    "not a kind of event that programs of this type have",
                ));
            }
            if event.flags & !Event::KNOWN != 0 {
                return Err(Fault::at(place, "unknown flag"));
            }
            if event.symbol != 0 {
                if !event.is_in_file() {
                    return Err(Fault::at(place, "a symbol of something else than a file"));
                }
                self.check_name(place, event.symbol)?;
            }
        }
        Ok(())
    }

    /// Records that point at instructions; what the verifier checks itself is left to it.
    fn check_insn_refs(&self) -> Result<(), Fault> {
        const INSN: u32 = size_of::<Insn>() as u32;
        let insn_cnt = self.layout.count(Kind::Insns);

        for (i, relo) in (0u32..).zip(self.records::<CoreRelo>(Kind::CoreRelo).iter()) {
            if relo.insn_off % INSN != 0 || relo.insn_off / INSN >= insn_cnt {
                return Err(Fault::record(Kind::CoreRelo, i, "no such instruction"));
            }
        }
        Ok(())
    }
}

fn parse_header(bytes: &[u8]) -> Result<Header, Fault> {
    let fault = |field, rule| Err(Fault::at(Place::Header(field), rule));

    if bytes.len() > MAX_SIZE {
        return Err(Fault::too_large(
            Place::Header("size"),
            "exceeds BPF_IMAGE_MAX_SIZE",
        ));
    }
    let Ok((header, _)) = Header::read_from_prefix(bytes) else {
        return fault("magic", "image is shorter than its header");
    };
    if header.magic == MAGIC.swap_bytes() {
        return fault("magic", "image was made for the other byte order");
    }
    if header.magic != MAGIC {
        return fault("magic", "not an image");
    }
    if header.version != VERSION {
        return fault("version", "this kernel knows version 1 only");
    }
    if usize::try_from(header.size) != Ok(bytes.len()) {
        return fault("size", "differs from the length of the image");
    }
    if header.flags != 0 {
        return fault("flags", "unknown flag");
    }
    if header.prog_flags & !PROG_FLAGS != 0 {
        return fault("prog_flags", "a flag that names an fd cannot be signed");
    }
    if header.reserved != 0 {
        return fault("reserved", "must be zero");
    }
    let pad = header.name.iter().skip_while(|&&b| b != 0);
    if header.name.last() != Some(&0) || pad.into_iter().any(|&b| b != 0) {
        return fault("name", "is not padded with NUL bytes");
    }
    Ok(header)
}

fn parse_table(bytes: &[u8], header: &Header) -> Result<[Span; KINDS.len()], Fault> {
    let mut spans = [Span::default(); KINDS.len()];
    let entry_size = size_of::<SectionEntry>();

    let cnt = match usize::try_from(header.section_cnt) {
        Ok(cnt) if cnt <= KINDS.len() => cnt,
        _ => {
            return Err(Fault::at(
                Place::Header("section_cnt"),
                "more sections than there are kinds",
            ))
        }
    };
    // Neither can overflow: `cnt` is bounded by the number of kinds.
    let table_end = size_of::<Header>().saturating_add(cnt.saturating_mul(entry_size));
    let Some(table) = bytes.get(size_of::<Header>()..table_end) else {
        return Err(Fault::at(
            Place::Header("section_cnt"),
            "table exceeds the image",
        ));
    };

    let mut end = table_end;
    let mut last_kind = 0;
    for (i, chunk) in (0u32..).zip(table.chunks_exact(entry_size)) {
        let fault = |rule| Err(Fault::at(Place::Table(i), rule));
        let Ok(entry) = SectionEntry::read_from_bytes(chunk) else {
            return fault("cannot be read");
        };
        if entry.kind <= last_kind {
            return fault("types are not in ascending order");
        }
        last_kind = entry.kind;
        let known = KINDS
            .iter()
            .zip(&mut spans)
            .find(|((kind, _, _), _)| *kind as u32 == entry.kind);
        let Some(((_, rec_size, max), span)) = known else {
            return fault("unknown section type");
        };
        let (off, len) = match (usize::try_from(entry.off), usize::try_from(entry.len)) {
            (Ok(off), Ok(len)) => (off, len),
            _ => return fault("exceeds the image"),
        };
        if usize::try_from(entry.rec_size) != Ok(*rec_size) {
            return fault("records of another size than this kernel's");
        }
        // `rec_size` is one of the table's, none of which is zero; not every
        // compiler sees that, and `/` and `%` would bring in a panic.
        if len == 0 || len.checked_rem(*rec_size) != Some(0) {
            return fault("length is not a multiple of the record's size");
        }
        if len.checked_div(*rec_size).is_none_or(|n| n > *max) {
            return Err(Fault::too_large(Place::Table(i), "too many records"));
        }
        let aligned = end.checked_next_multiple_of(8);
        if aligned != Some(off) {
            return fault("does not follow its predecessor, aligned to 8 bytes");
        }
        match bytes.get(end..off) {
            Some(gap) if gap.iter().all(|&b| b == 0) => {}
            _ => return fault("padding is missing or not zero"),
        }
        end = match off.checked_add(len) {
            Some(end) if end <= bytes.len() => end,
            _ => return fault("exceeds the image"),
        };
        *span = Span { off, len };
    }
    if end != bytes.len() {
        return Err(Fault::at(
            Place::Header("size"),
            "bytes follow the last section",
        ));
    }
    for (kind, rule) in [(Kind::Strings, "is missing"), (Kind::Insns, "is missing")] {
        let found = KINDS
            .iter()
            .zip(&spans)
            .any(|((k, _, _), span)| *k == kind && span.len != 0);
        if !found {
            return Err(Fault::section(kind, rule));
        }
    }
    Ok(spans)
}
