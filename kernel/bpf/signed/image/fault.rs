// SPDX-License-Identifier: GPL-2.0

//! What is wrong with an image, and where.

use super::Kind;
use core::fmt;

/// Tells the errno of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// `EINVAL`.
    Malformed,
    /// `E2BIG`.
    TooLarge,
}

/// A place in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A field of the header.
    Header(&'static str),
    /// An entry of the section table.
    Table(u32),
    /// A section as a whole.
    Section(Kind),
    /// One record of a section.
    Record(Kind, u32),
}

/// A rule of the format that an image breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    class: Class,
    place: Place,
    rule: &'static str,
}

impl Fault {
    /// A malformed image.
    pub(crate) fn at(place: Place, rule: &'static str) -> Self {
        Self {
            class: Class::Malformed,
            place,
            rule,
        }
    }

    /// A malformed section.
    pub(crate) fn section(kind: Kind, rule: &'static str) -> Self {
        Self::at(Place::Section(kind), rule)
    }

    /// A malformed record.
    pub(crate) fn record(kind: Kind, index: u32, rule: &'static str) -> Self {
        Self::at(Place::Record(kind, index), rule)
    }

    /// An image that exceeds a bound.
    pub(crate) fn too_large(place: Place, rule: &'static str) -> Self {
        Self {
            class: Class::TooLarge,
            place,
            rule,
        }
    }

    /// Tells the errno.
    pub(crate) fn class(&self) -> Class {
        self.class
    }
}

/// Bytes that are meant to be text, for a message: what is not printable ASCII becomes `?`.
pub(crate) struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &b in self.0 {
            let printable = b.is_ascii_graphic() || b == b' ';
            fmt::Write::write_char(f, if printable { char::from(b) } else { '?' })?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Strings => "STRINGS",
            Kind::Insns => "INSNS",
            Kind::Btf => "BTF",
            Kind::FuncInfo => "FUNC_INFO",
            Kind::LineInfo => "LINE_INFO",
            Kind::CoreRelo => "CORE_RELO",
            Kind::Maps => "MAPS",
            Kind::Tunables => "TUNABLES",
            Kind::Ksyms => "KSYMS",
            Kind::Attach => "ATTACH",
            Kind::Lockdown => "LOCKDOWN",
            Kind::Events => "EVENTS",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Header(field) => write!(f, "header.{field}"),
            Place::Table(i) => write!(f, "section table[{i}]"),
            Place::Section(kind) => write!(f, "section {kind}"),
            Place::Record(kind, i) => write!(f, "{kind}[{i}]"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}
