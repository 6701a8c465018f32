// SPDX-License-Identifier: GPL-2.0

//! Writes BTF, well-formed or not.

use crate::signed::btf::Kind;

/// BTF in the making. Each method that adds a type returns its id.
#[derive(Clone)]
pub(crate) struct Builder {
    types: Vec<u32>,
    count: u32,
    strings: Vec<u8>,
    start_id: u32,
    start_str_off: u32,
    /// Strings of the base, if names may be offsets into them.
    lent: Vec<u8>,
    /// Whether the next name is to come from there.
    borrows: bool,
}

/// A member: name, type, offset in bits, width of a bitfield or 0.
pub(crate) type M<'a> = (&'a str, u32, u32, u32);

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            types: Vec::new(),
            count: 0,
            strings: vec![0],
            start_id: 1,
            start_str_off: 0,
            lent: Vec::new(),
            borrows: false,
        }
    }

    /// Split BTF on top of `base`.
    pub(crate) fn on(base: &Builder) -> Self {
        Self {
            types: Vec::new(),
            count: 0,
            strings: Vec::new(),
            start_id: base.start_id + base.count,
            start_str_off: base.start_str_off + base.strings.len() as u32,
            lent: Vec::new(),
            borrows: false,
        }
    }

    /// The same, where each second name that `base` has as well is an offset into its strings.
    pub(crate) fn borrowing(base: &Builder) -> Self {
        Self {
            lent: base.strings.clone(),
            ..Self::on(base)
        }
    }

    /// The types of this one and of `split`, which is on top of it, in one: ids and strings go on
    /// where those of the base end.
    pub(crate) fn joined(&self, split: &Builder) -> Self {
        let mut out = self.clone();
        out.types.extend(&split.types);
        out.count += split.count;
        out.strings.extend(&split.strings);
        out
    }

    /// Replaces the types by as many others, whose names are from the same strings.
    pub(crate) fn set_types(&mut self, types: Vec<u32>) {
        self.types = types;
    }

    pub(crate) fn next_id(&self) -> u32 {
        self.start_id + self.count
    }

    pub(crate) fn string(&mut self, s: &str) -> u32 {
        self.bytes(s.as_bytes())
    }

    pub(crate) fn bytes(&mut self, s: &[u8]) -> u32 {
        if s.is_empty() {
            return 0;
        }
        let mut with_nul = s.to_vec();
        with_nul.push(0);
        let find = |within: &[u8]| within.windows(with_nul.len()).position(|w| w == with_nul);
        if let Some(at) = find(&self.lent) {
            self.borrows = !self.borrows;
            if self.borrows {
                return at as u32;
            }
        }
        let at = find(&self.strings).unwrap_or_else(|| {
            self.strings.extend_from_slice(&with_nul);
            self.strings.len() - with_nul.len()
        });
        self.start_str_off + at as u32
    }

    /// Adds a record as it is.
    pub(crate) fn raw(&mut self, words: &[u32]) -> u32 {
        self.types.extend_from_slice(words);
        self.count += 1;
        self.start_id + self.count - 1
    }

    fn add(&mut self, name: &str, kind: Kind, kflag: bool, vlen: usize, size_or_type: u32) -> u32 {
        let name = self.string(name);
        let info = (u32::from(kflag) << 31) | ((kind as u32) << 24) | vlen as u32;
        self.raw(&[name, info, size_or_type])
    }

    pub(crate) fn int(&mut self, name: &str, size: u32, signed: bool) -> u32 {
        self.int_raw(name, size, (u32::from(signed) << 24) | (size * 8))
    }

    pub(crate) fn int_raw(&mut self, name: &str, size: u32, data: u32) -> u32 {
        let id = self.add(name, Kind::Int, false, 0, size);
        self.types.push(data);
        id
    }

    pub(crate) fn reference(&mut self, kind: Kind, name: &str, to: u32) -> u32 {
        self.add(name, kind, false, 0, to)
    }

    pub(crate) fn ptr(&mut self, to: u32) -> u32 {
        self.reference(Kind::Ptr, "", to)
    }

    pub(crate) fn typedef(&mut self, name: &str, to: u32) -> u32 {
        self.reference(Kind::Typedef, name, to)
    }

    pub(crate) fn constant(&mut self, to: u32) -> u32 {
        self.reference(Kind::Const, "", to)
    }

    pub(crate) fn float(&mut self, name: &str, size: u32) -> u32 {
        self.add(name, Kind::Float, false, 0, size)
    }

    pub(crate) fn fwd(&mut self, name: &str, is_union: bool) -> u32 {
        self.add(name, Kind::Fwd, is_union, 0, 0)
    }

    pub(crate) fn array(&mut self, of: u32, nelems: u32) -> u32 {
        let id = self.add("", Kind::Array, false, 0, 0);
        self.types.extend([of, 0, nelems]);
        id
    }

    fn composite(&mut self, kind: Kind, name: &str, size: u32, members: &[M<'_>]) -> u32 {
        let kflag = members.iter().any(|m| m.3 > 0);
        let id = self.add(name, kind, kflag, members.len(), size);
        for &(name, of, offset, width) in members {
            let name = self.string(name);
            let offset = if kflag {
                (width << 24) | offset
            } else {
                offset
            };
            self.types.extend([name, of, offset]);
        }
        id
    }

    pub(crate) fn structure(&mut self, name: &str, size: u32, members: &[M<'_>]) -> u32 {
        self.composite(Kind::Struct, name, size, members)
    }

    pub(crate) fn union(&mut self, name: &str, size: u32, members: &[M<'_>]) -> u32 {
        self.composite(Kind::Union, name, size, members)
    }

    pub(crate) fn enumeration(
        &mut self,
        name: &str,
        size: u32,
        signed: bool,
        of: &[(&str, i32)],
    ) -> u32 {
        let id = self.add(name, Kind::Enum, signed, of.len(), size);
        for &(name, value) in of {
            let name = self.string(name);
            self.types.extend([name, value as u32]);
        }
        id
    }

    pub(crate) fn enum64(&mut self, name: &str, signed: bool, of: &[(&str, i64)]) -> u32 {
        let id = self.add(name, Kind::Enum64, signed, of.len(), 8);
        for &(name, value) in of {
            let name = self.string(name);
            self.types
                .extend([name, value as u32, (value >> 32) as u32]);
        }
        id
    }

    pub(crate) fn function(&mut self, returns: u32, params: &[u32]) -> u32 {
        self.named_function("", returns, params)
    }

    /// A prototype with a name, which none has that a compiler made.
    pub(crate) fn named_function(&mut self, name: &str, returns: u32, params: &[u32]) -> u32 {
        let id = self.add(name, Kind::FuncProto, false, params.len(), returns);
        for &p in params {
            self.types.extend([0, p]);
        }
        id
    }

    pub(crate) fn var(&mut self, name: &str, of: u32) -> u32 {
        let id = self.reference(Kind::Var, name, of);
        self.types.push(1);
        id
    }

    pub(crate) fn decl_tag(&mut self, name: &str, of: u32) -> u32 {
        let id = self.reference(Kind::DeclTag, name, of);
        self.types.push(u32::MAX);
        id
    }

    pub(crate) fn datasec(&mut self, name: &str, size: u32, vars: &[u32]) -> u32 {
        let id = self.add(name, Kind::Datasec, false, vars.len(), size);
        for &var in vars {
            self.types.extend([var, 0, 4]);
        }
        id
    }

    /// The BTF section.
    pub(crate) fn blob(&self) -> Vec<u8> {
        let types: Vec<u8> = self.types.iter().flat_map(|w| w.to_ne_bytes()).collect();
        let mut out = 0xeb9fu16.to_ne_bytes().to_vec();
        out.extend([1, 0]);
        let lens = [
            24,
            0,
            types.len() as u32,
            types.len() as u32,
            self.strings.len() as u32,
        ];
        out.extend(lens.iter().flat_map(|w| w.to_ne_bytes()));
        out.extend(types);
        out.extend(&self.strings);
        out
    }
}
