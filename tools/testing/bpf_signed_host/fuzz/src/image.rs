// SPDX-License-Identifier: GPL-2.0

//! The parser of images and of the signature's frame, and all that works on a parsed image.
//!
//! The first byte of an input says how it is to be read: as it is; or with magic, version and
//! length put right, so that the parser looks at the rest.

#![no_main]
#![allow(dead_code, unused_imports)]

use libfuzzer_sys::fuzz_target;
use sha2::Digest as _;

#[path = "common.rs"]
mod common;
use common::{signed, Input};

use signed::image::{
    bind_slots, records::*, resolve, resolved_id, Image, Kind, Layout, Resolved, Verified,
};
use signed::{events, signature, slots, target};

struct Sha(sha2::Sha256);

impl slots::Hash for Sha {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// A kernel that answers as the input wants.
struct Kernel(u8);

impl events::Names for Kernel {
    fn is_function(&self, _: &core::ffi::CStr) -> bool {
        self.0 & 1 != 0
    }

    fn is_file(&self, _: &core::ffi::CStr) -> bool {
        self.0 & 2 != 0
    }
}

/// Which map a slot is compared with: its own shape, mostly.
fn facts<'a>(slot: &MapSlot, contents: &'a [u8], how: u8) -> slots::Facts<'a> {
    slots::Facts {
        this: slot.shape,
        inner: MapShape {
            kind: slot.inner_type,
            key_size: slot.inner_key_size,
            value_size: slot.inner_value_size,
            max_entries: 1,
            map_flags: slot.inner_map_flags,
        },
        map_extra: slot.map_extra,
        contents: (how & 1 == 0).then_some(contents),
        special: (how & 2 != 0).then_some((
            slot.digest,
            slot.btf_key_type_id,
            slot.btf_value_type_id,
        )),
        inner_special: (how & 32 != 0).then_some(slot.digest),
        frozen: how & 4 == 0,
        written: how & 8 != 0,
    }
}

fn strings(layout: &Layout, image: &[u8]) {
    let len = layout.span(Kind::Strings).of(image).len();
    // What the parser has let through is there.
    assert!(layout.string(image, layout.header().license).is_some());
    assert!(layout.string(image, len as u32).is_none());
    for attach in layout.records::<Attach>(image, Kind::Attach).iter() {
        assert!(layout.string(image, attach.name).is_some());
    }
    for ksym in layout.records::<Ksym>(image, Kind::Ksyms).iter() {
        assert!(layout.c_string(image, ksym.name).is_some());
    }
}

fn fuzz(data: &[u8]) {
    let mut input = Input(data);
    let how = input.byte();
    let mut bytes = input.0.to_vec();

    // The frame of a signature is parsed as well before anything is trusted.
    let _ = signature::is_well_formed(&bytes);

    if how & 0x80 != 0 && bytes.len() >= 12 {
        bytes[..4].copy_from_slice(&MAGIC.to_ne_bytes());
        bytes[4..8].copy_from_slice(&VERSION.to_ne_bytes());
        let len = bytes.len() as u32;
        bytes[8..12].copy_from_slice(&len.to_ne_bytes());
    }
    let image = match Image::parse(Verified::assume(&bytes)) {
        Ok(image) => image,
        Err(fault) => {
            // The words are made from the image, too.
            assert!(!fault.to_string().is_empty());
            let _ = fault.class();
            return;
        }
    };
    let layout = image.layout();
    strings(&layout, &bytes);
    assert!(layout.count(Kind::Lockdown) <= 2);
    for mode in [Lockdown::INTEGRITY, Lockdown::CONFIDENTIALITY] {
        if let Some(Some(classes)) = layout.annotation(&bytes, mode) {
            assert!(classes & !Lockdown::CLASSES == 0);
        }
    }

    let slot_cnt = layout.count(Kind::Maps);
    let contents: Vec<u8> = (0..64).map(|i| i ^ how).collect();
    for (slot, index) in layout
        .records::<MapSlot>(&bytes, Kind::Maps)
        .iter()
        .zip(0..)
    {
        let facts = facts(&slot, &contents, how);
        let _ = slots::check(&layout, &bytes, index, &facts, Sha(sha2::Sha256::new()));
    }
    for chosen in [
        None,
        Some(&b"f"[..]),
        Some(&b"a/b"[..]),
        Some(&bytes[..bytes.len().min(9)]),
    ] {
        if let Ok(Some(found)) = target::select(&layout, &bytes, chosen) {
            let _ = target::Name::parse(found.name);
        }
    }

    let allowed = events::Allowed::of(&layout, &bytes);
    assert!(!allowed.to_string().is_empty());
    for kind in 1..=8 {
        let met = events::Met {
            kind,
            name: &bytes[bytes.len() - bytes.len().min(9)..],
            module: (how & 32 != 0).then_some(b"m"),
            offset: u64::from(how & 64),
        };
        // What allows any event, allows this one.
        let any = allowed.iter().any(|(e, name, symbol)| {
            e.kind == kind && e.is_glob() && name == c"*+*" && symbol.is_empty()
        });
        let found = allowed.allows(&met, &Kernel(how));
        assert!(found || !(any && kind <= Event::KRETPROBE));
    }

    // What the kernel does to its copy of the instructions.
    let mut code = layout.span(Kind::Insns).of(&bytes).to_vec();
    for ksym in layout.records::<Ksym>(&bytes, Kind::Ksyms).iter() {
        let found = match how & 3 {
            0 => Resolved::BtfId { id: 7, module: 0 },
            1 => Resolved::BtfId { id: 7, module: 3 },
            2 => Resolved::Address(0x1234_5678_9abc_def0),
            _ => Resolved::Null,
        };
        resolve(&mut code, &ksym, found).expect("the parser has checked it");
        let id = resolved_id(&code, &ksym);
        assert!(id.is_none() || how & 3 < 2);
    }
    bind_slots(&mut code, |slot| {
        assert!(slot < slot_cnt, "a slot that does not exist");
        (how & 16 == 0).then_some(slot as i32)
    })
    .expect("the parser has checked it");
    assert_eq!(code.len(), layout.span(Kind::Insns).of(&bytes).len());
}

fuzz_target!(|data: &[u8]| fuzz(data));
