// SPDX-License-Identifier: GPL-2.0

//! Whether an event that a program is about to be attached to is one that its image allows.
//!
//! Depends on `core` and `zerocopy` alone: what only the kernel can tell comes through [`Names`].

use super::{
    image::{
        records::Event,
        string_at,
        Kind,
        Layout,
        Records,
        Text, //
    },
    target::glob_match, //
};
use core::{
    ffi::CStr,
    fmt, //
};

/// The events that an image allows.
#[derive(Clone, Copy)]
pub(crate) struct Allowed<'a> {
    records: Records<'a, Event>,
    strings: &'a [u8],
}

/// An event that a program meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Met<'a> {
    /// `enum bpf_image_event_kind`; never that of USDT, which is a uprobe to the kernel.
    pub kind: u32,
    /// Function, path of the file, or name, as the image's records have it.
    pub name: &'a [u8],
    /// The module that a function belongs to, if it belongs to one.
    pub module: Option<&'a [u8]>,
    /// Bytes into the function or file.
    pub offset: u64,
}

/// What the kernel knows of the event that is met.
pub(crate) trait Names {
    /// Whether the function that is met has this name too.
    fn is_function(&self, name: &CStr) -> bool;
    /// Whether init finds the file that is met at this path.
    fn is_file(&self, path: &CStr) -> bool;
}

/// A function as it is written: `[module:]function[+offset]`.
struct Function<'a> {
    module: Option<&'a [u8]>,
    name: &'a [u8],
    offset: Option<&'a [u8]>,
}

fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&b| b == byte)?;
    let (head, tail) = text.split_at_checked(at)?;
    Some((head, tail.get(1..)?))
}

impl<'a> Function<'a> {
    fn parse(text: &'a [u8]) -> Self {
        let (module, rest) = match split_at_byte(text, b':') {
            Some((module, rest)) => (Some(module), rest),
            None => (None, text),
        };
        let (name, offset) = match split_at_byte(rest, b'+') {
            Some((name, offset)) => (name, Some(offset)),
            None => (rest, None),
        };
        Self {
            module,
            name,
            offset,
        }
    }

    fn is_bare(&self) -> bool {
        self.module.is_none() && self.offset.is_none()
    }
}

/// A number in decimal, or in hexadecimal after `0x`.
fn number(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether `path` ends in `tail`, as a whole component or several.
fn ends_in(path: &[u8], tail: &[u8]) -> bool {
    path.strip_suffix(tail)
        .is_some_and(|head| head.last() == Some(&b'/'))
}

impl<'a> Allowed<'a> {
    /// The events in `image`.
    pub(crate) fn of(layout: &Layout, image: &'a [u8]) -> Self {
        Self {
            records: layout.records(image, Kind::Events),
            strings: layout.span(Kind::Strings).of(image),
        }
    }

    /// The events in `records`, with names in `strings`.
    pub(crate) fn new(records: &'a [u8], strings: &'a [u8]) -> Self {
        Self {
            records: Records::new(records),
            strings,
        }
    }

    /// The records and their strings.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Event, &'a CStr, &'a CStr)> + '_ {
        let string = |off| string_at(self.strings, off).unwrap_or(c"");
        self.records
            .iter()
            .map(move |event| (event, string(event.name), string(event.symbol)))
    }

    /// The paths among them at which init is to find the file that is met.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'a CStr> + '_ {
        self.iter()
            .filter(|(event, name, _)| event.is_in_file() && is_path(event, name))
            .map(|(_, name, _)| name)
    }

    /// Whether there are any, all of them in files of user space.
    pub(crate) fn are_of_user(&self) -> bool {
        let of_user = |kind| matches!(kind, Event::UPROBE | Event::URETPROBE | Event::USDT);
        self.iter().next().is_some() && self.iter().all(|(event, _, _)| of_user(event.kind))
    }

    /// Whether there are any, all of them tracepoints whose name `listed` knows. A pattern stands
    /// for itself.
    pub(crate) fn are_tracepoints(&self, listed: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter().next().is_some()
            && self
                .iter()
                .all(|(event, name, _)| event.kind == Event::TRACEPOINT && listed(name.to_bytes()))
    }

    /// Whether one of the records allows `met`.
    pub(crate) fn allows(&self, met: &Met<'_>, names: &impl Names) -> bool {
        self.iter()
            .any(|(event, name, symbol)| fits(&event, name, symbol, met, names))
    }
}

/// Whether the name of a file is that of one file alone, wherever init finds it.
fn is_path(event: &Event, name: &CStr) -> bool {
    !event.is_glob() && name.to_bytes().starts_with(b"/")
}

fn fits(event: &Event, name: &CStr, symbol: &CStr, met: &Met<'_>, names: &impl Names) -> bool {
    let kind = match event.kind {
        // The kernel sees a place in a file.
        Event::USDT => Event::UPROBE,
        kind => kind,
    };
    if kind != met.kind || name.is_empty() {
        return false;
    }
    let text = name.to_bytes();
    let equal = |pattern: &[u8], text: &[u8]| {
        if event.is_glob() {
            glob_match(pattern, text)
        } else {
            pattern == text
        }
    };

    match kind {
        Event::KPROBE | Event::KRETPROBE => {
            let function = Function::parse(text);
            let offset = match function.offset {
                None => met.offset == 0,
                Some(b"*") if event.is_glob() => true,
                Some(offset) => number(offset) == Some(met.offset),
            };
            let module = match (function.module, met.module) {
                (None, _) => true,
                (Some(wanted), found) => equal(wanted, found.unwrap_or(b"vmlinux")),
            };
            // A function may have several names, of which the kernel has told one.
            let alias = || !event.is_glob() && function.is_bare() && names.is_function(name);
            offset && module && (equal(function.name, met.name) || alias())
        }
        Event::UPROBE | Event::URETPROBE => {
            let offset = match symbol.to_bytes() {
                place @ [b'0', b'x', ..] => number(place) == Some(met.offset),
                _ => true,
            };
            offset
                && match text {
                    _ if event.is_glob() => glob_match(text, met.name),
                    _ if is_path(event, name) => names.is_file(name),
                    _ => ends_in(met.name, text),
                }
        }
        _ => equal(text, met.name),
    }
}

/// The word for a kind, as `SEC()` has it.
pub(crate) fn word(kind: u32) -> &'static CStr {
    match kind {
        Event::KPROBE => c"kprobe",
        Event::KRETPROBE => c"kretprobe",
        Event::UPROBE => c"uprobe",
        Event::URETPROBE => c"uretprobe",
        Event::USDT => c"usdt",
        Event::TRACEPOINT => c"tracepoint",
        Event::RAW_TP => c"raw_tp",
        _ => c"perf_event",
    }
}

/// As a signer's policy would name it.
impl fmt::Display for Met<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", Text(word(self.kind).to_bytes()))?;
        if let Some(module) = self.module {
            write!(f, "{}:", Text(module))?;
        }
        write!(f, "{}", Text(self.name))?;
        match self.kind {
            Event::UPROBE | Event::URETPROBE => write!(f, ":{:#x}", self.offset),
            _ if self.offset != 0 => write!(f, "+{:#x}", self.offset),
            _ => Ok(()),
        }
    }
}

/// The first event, and how many there are beside it.
impl fmt::Display for Allowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((event, name, symbol)) = self.iter().next() else {
            return f.write_str("no event");
        };
        write!(
            f,
            "{}/{}",
            Text(word(event.kind).to_bytes()),
            Text(name.to_bytes())
        )?;
        if !symbol.is_empty() {
            write!(f, ":{}", Text(symbol.to_bytes()))?;
        }
        match self.iter().count() {
            1 => Ok(()),
            n => write!(f, " and {} more", n.saturating_sub(1)),
        }
    }
}
