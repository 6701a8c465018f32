// SPDX-License-Identifier: GPL-2.0

//! Builds images, well-formed and not.

use crate::signed::image::{
    records::*,
    Fault,
    Image,
    Kind,
    Verified, //
};
use zerocopy::IntoBytes;

/// Parses `bytes` as if they had been verified.
pub(crate) fn parse(bytes: &[u8]) -> Result<Image<'_>, Fault> {
    Image::parse(Verified::assume(bytes))
}

/// An image in the making. Tests spoil it before or after [`Self::build`].
#[derive(Clone)]
pub(crate) struct Builder {
    pub(crate) header: Header,
    pub(crate) strings: Vec<u8>,
    sections: Vec<(u32, u32, Vec<u8>)>,
}

impl Builder {
    /// An image of one program: `r0 = 0; exit`.
    pub(crate) fn new() -> Self {
        let mut builder = Self {
            header: Header {
                magic: MAGIC,
                version: VERSION,
                size: 0,
                flags: 0,
                section_cnt: 0,
                prog_type: 1,
                expected_attach_type: 0,
                prog_flags: 0,
                license: 0,
                reserved: 0,
                name: *b"prog\0\0\0\0\0\0\0\0\0\0\0\0",
            },
            strings: vec![0],
            sections: Vec::new(),
        };
        builder.header.license = builder.string("GPL");
        builder.records(Kind::Insns, &[MOV_R0_0, EXIT]);
        builder
    }

    /// Adds a string, and tells its offset.
    pub(crate) fn string(&mut self, text: &str) -> u32 {
        let off = self.strings.len() as u32;
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        off
    }

    /// Adds or replaces a section of records.
    pub(crate) fn records<T: Record>(&mut self, kind: Kind, records: &[T]) -> &mut Self {
        let bytes = records.iter().flat_map(|r| r.as_bytes().to_vec()).collect();
        self.raw(kind as u32, std::mem::size_of::<T>() as u32, bytes)
    }

    /// Adds or replaces a section of any type and bytes.
    pub(crate) fn raw(&mut self, kind: u32, rec_size: u32, bytes: Vec<u8>) -> &mut Self {
        self.sections.retain(|(k, _, _)| *k != kind);
        self.sections.push((kind, rec_size, bytes));
        self.sections.sort_by_key(|(k, _, _)| *k);
        self
    }

    /// Leaves the strings only.
    pub(crate) fn clear(&mut self) {
        self.sections.clear();
    }

    /// The bytes of the image.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut all = self.clone();
        all.raw(Kind::Strings as u32, 1, self.strings.clone());
        let mut off = (56 + 16 * all.sections.len()).next_multiple_of(8);
        let mut table = Vec::new();
        let mut body = Vec::new();
        for (kind, rec_size, bytes) in &all.sections {
            body.resize(body.len().next_multiple_of(8), 0);
            let entry = SectionEntry {
                kind: *kind,
                rec_size: *rec_size,
                off: (off + body.len()) as u32,
                len: bytes.len() as u32,
            };
            table.extend_from_slice(entry.as_bytes());
            body.extend_from_slice(bytes);
        }
        off += body.len();
        all.header.size = off as u32;
        all.header.section_cnt = all.sections.len() as u32;
        [all.header.as_bytes(), &table, &body].concat()
    }

    /// What the parser says.
    pub(crate) fn fault(&self) -> String {
        match parse(&self.build()) {
            Ok(_) => "well-formed".into(),
            Err(fault) => fault.to_string(),
        }
    }
}

/// `r0 = 0`.
pub(crate) const MOV_R0_0: Insn = Insn::new(0xb7, 0, 0, 0, 0);
/// `exit`.
pub(crate) const EXIT: Insn = Insn::new(0x95, 0, 0, 0, 0);
/// Second half of `ld_imm64`.
pub(crate) const UPPER: Insn = Insn::new(0, 0, 0, 0, 0);

/// First half of `ld_imm64 r1`.
pub(crate) const fn ld_imm64(src: u8, imm: i32) -> Insn {
    Insn::new(Insn::LD_IMM64, 1, src, 0, imm)
}

/// A map slot of a hash.
pub(crate) fn hash_slot(name: u32) -> MapSlot {
    MapSlot {
        name,
        shape: MapShape {
            kind: 1,
            key_size: 4,
            value_size: 8,
            max_entries: 16,
            map_flags: 0,
        },
        flags: 0,
        btf_key_type_id: 0,
        btf_value_type_id: 0,
        inner_type: 0,
        inner_key_size: 0,
        inner_value_size: 0,
        inner_map_flags: 0,
        reserved: 0,
        map_extra: 0,
        digest: [0; 32],
    }
}

/// A map slot of read-only data.
pub(crate) fn rodata_slot(name: u32, value_size: u32, digest: Digest) -> MapSlot {
    MapSlot {
        shape: MapShape {
            kind: 2,
            key_size: 4,
            value_size,
            max_entries: 1,
            map_flags: 0x480,
        },
        flags: MapSlot::FIXED_CONTENTS,
        digest,
        ..hash_slot(name)
    }
}
