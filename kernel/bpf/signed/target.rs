// SPDX-License-Identifier: GPL-2.0

//! What a program may be bound to when it is loaded: names, never ids.
//!
//! Depends on `core` and `zerocopy` alone.

use super::image::{
    records::Attach,
    Kind,
    Layout,
    PROG_TYPE_STRUCT_OPS, //
};

/// `enum bpf_attach_type` of programs whose targets have a prefix in BTF.
pub(crate) mod attach_type {
    /// `BPF_TRACE_RAW_TP`.
    pub(crate) const RAW_TP: u32 = 23;
    /// `BPF_LSM_MAC`.
    pub(crate) const LSM_MAC: u32 = 27;
    /// `BPF_TRACE_ITER`.
    pub(crate) const ITER: u32 = 28;
    /// `BPF_LSM_CGROUP`.
    pub(crate) const LSM_CGROUP: u32 = 43;
}

/// `BTF_KIND_STRUCT`.
pub(crate) const BTF_STRUCT: u32 = 4;
/// `BTF_KIND_TYPEDEF`.
pub(crate) const BTF_TYPEDEF: u32 = 8;
/// `BTF_KIND_FUNC`.
pub(crate) const BTF_FUNC: u32 = 12;
/// `BTF_KIND_VAR`.
pub(crate) const BTF_VAR: u32 = 14;

/// Prefix and kind under which BTF has the target of an attach type.
pub(crate) fn btf_name(expected_attach_type: u32) -> (&'static str, u32) {
    match expected_attach_type {
        attach_type::RAW_TP => ("btf_trace_", BTF_TYPEDEF),
        attach_type::LSM_MAC | attach_type::LSM_CGROUP => ("bpf_lsm_", BTF_FUNC),
        attach_type::ITER => ("bpf_iter_", BTF_FUNC),
        _ => ("", BTF_FUNC),
    }
}

/// A target as it is written: `func`, `module:func`, or `type/member` for struct_ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The module whose BTF has it; `vmlinux` is one.
    pub module: Option<&'a [u8]>,
    /// Function, tracepoint, hook, iterator or type.
    pub name: &'a [u8],
}

impl<'a> Name<'a> {
    /// Splits the module off.
    pub(crate) fn parse(text: &'a [u8]) -> Self {
        match text.iter().position(|&b| b == b':') {
            Some(colon) => Self {
                module: text.get(..colon),
                name: colon
                    .checked_add(1)
                    .and_then(|i| text.get(i..))
                    .unwrap_or(&[]),
            },
            None => Self {
                module: None,
                name: text,
            },
        }
    }
}

/// Why there is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The caller chose none, and the image has no default.
    NoDefault,
    /// The caller chose one that the image does not allow.
    NotAllowed,
}

/// A target that the image allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The target as it is written in the image, or as the caller chose it.
    pub name: &'a [u8],
    /// Member of a struct_ops type, else empty.
    pub member: &'a [u8],
    /// The target is in another BPF program.
    pub in_prog: bool,
}

/// The target that `chosen` stands for, or the image's default without it; [`None`] if the image
/// has no targets and none was chosen.
pub(crate) fn select<'a>(
    layout: &Layout,
    image: &'a [u8],
    chosen: Option<&'a [u8]>,
) -> Result<Option<Target<'a>>, Refusal> {
    let records = layout.records::<Attach>(image, Kind::Attach);
    let text = |off| layout.string(image, off).unwrap_or(&[]);
    let struct_ops = layout.header().prog_type == PROG_TYPE_STRUCT_OPS;

    let Some(chosen) = chosen else {
        return match records.get(0) {
            None => Ok(None),
            Some(first) if first.flags & Attach::GLOB != 0 => Err(Refusal::NoDefault),
            Some(first) => Ok(Some(Target {
                name: text(first.name),
                member: if struct_ops { text(first.member) } else { &[] },
                in_prog: first.flags & Attach::PROG != 0,
            })),
        };
    };

    let (name, member) = match chosen.iter().position(|&b| b == b'/') {
        Some(slash) if struct_ops => (
            chosen.get(..slash).unwrap_or(&[]),
            slash
                .checked_add(1)
                .and_then(|i| chosen.get(i..))
                .unwrap_or(&[]),
        ),
        _ => (chosen, &[][..]),
    };
    let allowed = |record: &Attach| {
        let pattern = text(record.name);
        // A pattern for functions is none for modules, and the other way round.
        let (pattern, name) = (Name::parse(pattern), Name::parse(name));
        let fits = if record.flags & Attach::GLOB != 0 {
            glob_match(pattern.name, name.name)
                && match (pattern.module, name.module) {
                    (Some(pattern), Some(module)) => glob_match(pattern, module),
                    (None, None) => true,
                    _ => false,
                }
        } else {
            pattern == name
        };
        fits && (!struct_ops || text(record.member) == member)
    };
    match records.iter().find(allowed) {
        Some(record) => Ok(Some(Target {
            name,
            member,
            in_prog: record.flags & Attach::PROG != 0,
        })),
        None => Err(Refusal::NotAllowed),
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any bytes and `?` for one.
///
/// Takes at most the product of the two lengths in steps: only the last `*` is ever tried again.
pub(crate) fn glob_match(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut retry: Option<(&[u8], &[u8])> = None;

    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, text));
                pattern = rest;
            }
            (Some((&p, p_rest)), Some((&t, t_rest))) if p == b'?' || p == t => {
                (pattern, text) = (p_rest, t_rest);
            }
            (None, None) => return true,
            _ => match retry.and_then(|(p, t)| Some((p, t.split_first()?.1))) {
                Some((p, t)) => {
                    retry = Some((p, t));
                    (pattern, text) = (p, t);
                }
                None => return false,
            },
        }
    }
}
