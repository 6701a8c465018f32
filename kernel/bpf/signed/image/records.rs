// SPDX-License-Identifier: GPL-2.0

//! The records of an image, as they lie in memory.
//!
//! Source of layout and meaning:
//! [`include/uapi/linux/bpf_image.h`](srctree/include/uapi/linux/bpf_image.h); of [`Insn`],
//! [`FuncInfo`], [`LineInfo`] and [`CoreRelo`]:
//! [`include/uapi/linux/bpf.h`](srctree/include/uapi/linux/bpf.h). The kernel build holds each
//! offset and number against the C headers', see `ffi.rs`.

use zerocopy::{
    FromBytes,
    Immutable,
    IntoBytes,
    KnownLayout, //
};
use zerocopy_derive::{
    FromBytes,
    Immutable,
    IntoBytes,
    KnownLayout, //
};

/// `BPF_IMAGE_MAGIC`.
pub(crate) const MAGIC: u32 = 0xff42_50ff;
/// `BPF_IMAGE_VERSION`.
pub(crate) const VERSION: u32 = 1;
/// `BPF_IMAGE_MAX_SIZE`, bytes.
pub(crate) const MAX_SIZE: usize = 16 << 20;
/// `BPF_IMAGE_MAX_SIGNATURE`, bytes.
pub(crate) const MAX_SIGNATURE: usize = 16 << 10;
/// `BPF_COMPLEXITY_LIMIT_INSNS`, instructions.
pub(crate) const MAX_INSNS: usize = 1_000_000;
/// `BPF_IMAGE_MAX_MAPS`, slots.
pub(crate) const MAX_MAPS: usize = 64;
/// `BPF_IMAGE_MAX_TUNABLES`, ranges.
pub(crate) const MAX_TUNABLES: usize = 16384;
/// `BPF_IMAGE_MAX_KSYMS`, records.
pub(crate) const MAX_KSYMS: usize = 16384;
/// `BPF_IMAGE_MAX_ATTACH`, records.
pub(crate) const MAX_ATTACH: usize = 4096;
/// `BPF_IMAGE_MAX_CORE_RELOS`, records.
pub(crate) const MAX_CORE_RELOS: usize = 65536;

/// `BPF_IMAGE_MAX_EVENTS`, records.
pub(crate) const MAX_EVENTS: usize = 4096;
/// `BPF_IMAGE_MAX_NAME`, bytes. Nothing that is found by name has a longer one; records may share
/// it, and each is looked through on its own.
pub(crate) const MAX_NAME: usize = 4096;

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// A record that can be read from any bytes of its size.
pub(crate) trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}
impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Record for T {}

/// `struct bpf_image_hdr`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Header {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Bytes of the whole image.
    pub size: u32,
    /// None is defined.
    pub flags: u32,
    /// Entries of the section table.
    pub section_cnt: u32,
    /// `enum bpf_prog_type`.
    pub prog_type: u32,
    /// `enum bpf_attach_type`.
    pub expected_attach_type: u32,
    /// `BPF_F_*`.
    pub prog_flags: u32,
    /// Offset into the strings.
    pub license: u32,
    /// Zero.
    pub reserved: u32,
    /// NUL-padded.
    pub name: [u8; 16],
}

/// `struct bpf_image_section`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SectionEntry {
    /// `enum bpf_image_section_type`.
    pub kind: u32,
    /// Bytes of one record.
    pub rec_size: u32,
    /// Bytes from the start of the image.
    pub off: u32,
    /// Bytes.
    pub len: u32,
}

/// `struct bpf_image_btf`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct BtfRecord {
    /// SHA-256 of the blob.
    pub digest: Digest,
}

/// `struct bpf_image_map`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct MapSlot {
    /// Offset into the strings.
    pub name: u32,
    /// Sizes and flags of the map.
    pub shape: MapShape,
    /// `BPF_IMAGE_MAP_*`.
    pub flags: u32,
    /// Type of the key, or zero.
    pub btf_key_type_id: u32,
    /// Type of the value, or zero.
    pub btf_value_type_id: u32,
    /// `enum bpf_map_type` of the inner maps, or zero.
    pub inner_type: u32,
    /// Bytes.
    pub inner_key_size: u32,
    /// Bytes.
    pub inner_value_size: u32,
    /// `BPF_F_*`.
    pub inner_map_flags: u32,
    /// Zero.
    pub reserved: u32,
    /// As given to `BPF_MAP_CREATE`.
    pub map_extra: u64,
    /// Digest of fixed contents, or zero.
    pub digest: Digest,
}

/// Sizes and flags of a map, the same in a slot and in what is said of a bound map.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct MapShape {
    /// `enum bpf_map_type`.
    pub kind: u32,
    /// Bytes.
    pub key_size: u32,
    /// Bytes.
    pub value_size: u32,
    /// Elements.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub map_flags: u32,
}

impl MapSlot {
    /// `BPF_IMAGE_MAP_FIXED_ENTRIES`.
    pub(crate) const FIXED_ENTRIES: u32 = 1 << 0;
    /// `BPF_IMAGE_MAP_FREE_VALUE_SIZE`.
    pub(crate) const FREE_VALUE_SIZE: u32 = 1 << 1;
    /// `BPF_IMAGE_MAP_FIXED_CONTENTS`.
    pub(crate) const FIXED_CONTENTS: u32 = 1 << 2;
    /// All flags that this version knows.
    pub(crate) const KNOWN: u32 =
        Self::FIXED_ENTRIES | Self::FREE_VALUE_SIZE | Self::FIXED_CONTENTS;

    /// Whether all of `flags` are set.
    pub(crate) fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }
}

/// `struct bpf_image_tunable`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Tunable {
    /// Slot.
    pub map: u32,
    /// Bytes into the value.
    pub off: u32,
    /// Bytes.
    pub len: u32,
    /// Offset into the strings.
    pub name: u32,
}

/// `struct bpf_image_ksym`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Ksym {
    /// Index of the instruction.
    pub insn: u32,
    /// `enum bpf_image_ksym_kind`.
    pub kind: u32,
    /// Offset into the strings.
    pub name: u32,
    /// Type in the image's BTF, or zero.
    pub type_id: u32,
    /// `BPF_IMAGE_KSYM_*`.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

impl Ksym {
    /// `BPF_IMAGE_KSYM_KFUNC`.
    pub(crate) const KFUNC: u32 = 1;
    /// `BPF_IMAGE_KSYM_TYPED`.
    pub(crate) const TYPED: u32 = 2;
    /// `BPF_IMAGE_KSYM_UNTYPED`.
    pub(crate) const UNTYPED: u32 = 3;
    /// `BPF_IMAGE_KSYM_WEAK`.
    pub(crate) const WEAK: u32 = 1 << 0;

    /// Whether a name that the kernel does not have is null.
    pub(crate) fn is_weak(&self) -> bool {
        self.flags & Self::WEAK != 0
    }
}

/// `struct bpf_image_attach`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Attach {
    /// Offset into the strings.
    pub name: u32,
    /// Offset into the strings, or zero.
    pub member: u32,
    /// `BPF_IMAGE_ATTACH_*`.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

impl Attach {
    /// `BPF_IMAGE_ATTACH_GLOB`.
    pub(crate) const GLOB: u32 = 1 << 0;
    /// `BPF_IMAGE_ATTACH_PROG`.
    pub(crate) const PROG: u32 = 1 << 1;
    /// All flags that this version knows.
    pub(crate) const KNOWN: u32 = Self::GLOB | Self::PROG;
}

/// `struct bpf_image_lockdown`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Lockdown {
    /// `enum bpf_lockdown_mode`.
    pub mode: u32,
    /// `BPF_IMAGE_LOCKDOWN_*`.
    pub flags: u32,
    /// `enum bpf_lockdown_class`.
    pub classes: u32,
    /// Zero.
    pub reserved: u32,
}

impl Lockdown {
    /// `BPF_LOCKDOWN_INTEGRITY`.
    pub(crate) const INTEGRITY: u32 = 1;
    /// `BPF_LOCKDOWN_CONFIDENTIALITY`.
    pub(crate) const CONFIDENTIALITY: u32 = 2;
    /// Every `enum bpf_lockdown_class` that this version knows.
    pub(crate) const CLASSES: u32 = (1 << 7) - 1;
    /// `BPF_IMAGE_LOCKDOWN_FORBID`.
    pub(crate) const FORBID: u32 = 1 << 0;
    /// All flags that this version knows.
    pub(crate) const KNOWN: u32 = Self::FORBID;
}

/// `struct bpf_image_event`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Event {
    /// `enum bpf_image_event_kind`.
    pub kind: u32,
    /// Offset into the strings.
    pub name: u32,
    /// Offset into the strings, or zero.
    pub symbol: u32,
    /// `BPF_IMAGE_EVENT_*`.
    pub flags: u32,
}

impl Event {
    /// `BPF_IMAGE_EVENT_KPROBE`.
    pub(crate) const KPROBE: u32 = 1;
    /// `BPF_IMAGE_EVENT_KRETPROBE`.
    pub(crate) const KRETPROBE: u32 = 2;
    /// `BPF_IMAGE_EVENT_UPROBE`.
    pub(crate) const UPROBE: u32 = 3;
    /// `BPF_IMAGE_EVENT_URETPROBE`.
    pub(crate) const URETPROBE: u32 = 4;
    /// `BPF_IMAGE_EVENT_USDT`.
    pub(crate) const USDT: u32 = 5;
    /// `BPF_IMAGE_EVENT_TRACEPOINT`.
    pub(crate) const TRACEPOINT: u32 = 6;
    /// `BPF_IMAGE_EVENT_RAW_TP`.
    pub(crate) const RAW_TP: u32 = 7;
    /// `BPF_IMAGE_EVENT_PERF`.
    pub(crate) const PERF: u32 = 8;

    /// `BPF_IMAGE_EVENT_GLOB`.
    pub(crate) const GLOB: u32 = 1 << 0;
    /// All flags that this version knows.
    pub(crate) const KNOWN: u32 = Self::GLOB;

    /// Whether the name is a pattern.
    pub(crate) fn is_glob(&self) -> bool {
        self.flags & Self::GLOB != 0
    }

    /// Whether the event is in a file.
    pub(crate) fn is_in_file(&self) -> bool {
        (Self::UPROBE..=Self::USDT).contains(&self.kind)
    }
}

/// `struct bpf_func_info`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct FuncInfo {
    /// Index of the function's first instruction.
    pub insn_off: u32,
    /// FUNC in the image's BTF.
    pub type_id: u32,
}

/// `struct bpf_line_info`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct LineInfo {
    /// Index of the instruction.
    pub insn_off: u32,
    /// Offset into BTF's strings.
    pub file_name_off: u32,
    /// Offset into BTF's strings.
    pub line_off: u32,
    /// Line and column.
    pub line_col: u32,
}

/// `struct bpf_core_relo`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct CoreRelo {
    /// Bytes from the first instruction.
    pub insn_off: u32,
    /// Root type in the image's BTF.
    pub type_id: u32,
    /// Offset into BTF's strings.
    pub access_str_off: u32,
    /// `enum bpf_core_relo_kind`.
    pub kind: u32,
}

/// `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Insn {
    /// Opcode.
    pub code: u8,
    regs: u8,
    /// Signed offset.
    pub off: i16,
    /// Signed immediate.
    pub imm: i32,
}

impl Insn {
    /// `BPF_LD | BPF_IMM | BPF_DW`: first half of the only instruction of two slots.
    pub(crate) const LD_IMM64: u8 = 0x18;
    /// `BPF_JMP | BPF_CALL`.
    pub(crate) const CALL: u8 = 0x85;

    /// `BPF_PSEUDO_MAP_FD`, in `src_reg` of [`Self::LD_IMM64`].
    pub(crate) const PSEUDO_MAP_FD: u8 = 1;
    /// `BPF_PSEUDO_MAP_VALUE`, likewise.
    pub(crate) const PSEUDO_MAP_VALUE: u8 = 2;
    /// `BPF_PSEUDO_BTF_ID`, likewise.
    pub(crate) const PSEUDO_BTF_ID: u8 = 3;
    /// `BPF_PSEUDO_MAP_IDX`, likewise.
    pub(crate) const PSEUDO_MAP_IDX: u8 = 5;
    /// `BPF_PSEUDO_MAP_IDX_VALUE`, likewise.
    pub(crate) const PSEUDO_MAP_IDX_VALUE: u8 = 6;
    /// `BPF_PSEUDO_KFUNC_CALL`, in `src_reg` of [`Self::CALL`].
    pub(crate) const PSEUDO_KFUNC_CALL: u8 = 2;

    /// An instruction from its fields.
    pub(crate) const fn new(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Self {
        let regs = if cfg!(target_endian = "little") {
            (src << 4) | (dst & 0xf)
        } else {
            (dst << 4) | (src & 0xf)
        };
        Self {
            code,
            regs,
            off,
            imm,
        }
    }

    /// Source register, or the pseudo value that stands in its place.
    pub(crate) const fn src(&self) -> u8 {
        if cfg!(target_endian = "little") {
            self.regs >> 4
        } else {
            self.regs & 0xf
        }
    }

    /// Destination register.
    pub(crate) const fn dst(&self) -> u8 {
        if cfg!(target_endian = "little") {
            self.regs & 0xf
        } else {
            self.regs >> 4
        }
    }

    /// Whether this is the first half of `ld_imm64`.
    pub(crate) const fn is_ld_imm64(&self) -> bool {
        self.code == Self::LD_IMM64
    }

    /// Whether this names a map by its slot.
    pub(crate) const fn is_map_slot(&self) -> bool {
        self.is_ld_imm64()
            && (self.src() == Self::PSEUDO_MAP_IDX || self.src() == Self::PSEUDO_MAP_IDX_VALUE)
    }
}
