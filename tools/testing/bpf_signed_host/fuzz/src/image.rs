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
use common::{lockdown, signed, Input};

use lockdown::policy::{self, Choice, Class, Mode, Program, Refusal, Signer};
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
    let mut this = slot.shape;
    if how & 64 != 0 {
        let field = match slot.name % 5 {
            0 => &mut this.kind,
            1 => &mut this.key_size,
            2 => &mut this.value_size,
            3 => &mut this.max_entries,
            _ => &mut this.map_flags,
        };
        *field ^= 1;
    }
    slots::Facts {
        this,
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

/// What lockdown makes of the annotation: never more than that asks for, nor than the ceiling.
fn annotation(layout: &Layout, image: &[u8], how: u8) {
    assert!(layout.count(Kind::Lockdown) <= 2);
    for (number, mode) in [
        (Lockdown::INTEGRITY, Mode::Integrity),
        (Lockdown::CONFIDENTIALITY, Mode::Confidentiality),
    ] {
        let annotation = layout.annotation(image, number);
        if let Some(Some(classes)) = annotation {
            assert!(classes & !Lockdown::CLASSES == 0);
        }
        let asks = annotation.unwrap_or(Some(0)).map(Class::from_bits);
        let ceiling = Class::from_bits(u32::from(how)).and(Class::NAMED);
        let prog = Program {
            signer: Signer::System,
            type_listed: how & 1 != 0,
            loader: false,
            asks,
        };
        match (
            policy::judge(mode, Choice::Restricted, ceiling, &prog),
            asks,
        ) {
            (Ok(grant), Some(asks)) => {
                let most = if mode == Mode::Integrity {
                    asks.closed()
                } else {
                    asks.and(ceiling).closed()
                };
                let all = mode == Mode::Integrity && asks == Class::NAMED;
                assert!(all || grant.granted.without(most) == Class::PLAIN);
                assert!(grant.granted.and(Class::USER_WRITE) == Class::PLAIN);
            }
            (result, asks) => assert!(result == Err(Refusal::Annotation) && asks.is_none()),
        }
    }
}

/// Whatever text a program brings, the tables of lockdown are asked about.
fn words(text: &[u8]) {
    for (conversion, class) in [
        (&b"x%s"[..], Class::KERNEL_READ),
        (b"x%pus", Class::USER_READ),
        (b"x%px", Class::KERNEL_ADDRESS),
    ] {
        // What stands before it does not hide a conversion.
        assert!(lockdown::formats::class_of(&[text, conversion].concat()).has(class));
    }
    for word in text.split(|&b| b == 0) {
        let _ = lockdown::kfuncs::find(word);
        let _ = lockdown::tracepoints::is_listed(word);
        let _ = lockdown::tracepoints::is_of_user(word);
        let _ = lockdown::fields::is_listed(word, word);
        let (class, _) = Class::from_words(word);
        assert!(class.without(Class::NAMED) == Class::PLAIN);
    }
}

/// Whether `text` fits `pattern`, by a table of which beginnings fit.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for &p in pattern {
        let mut next = vec![p == b'*' && row[0]; text.len() + 1];
        for (i, &t) in text.iter().enumerate() {
            next[i + 1] = match p {
                b'*' => next[i] || row[i + 1],
                _ => row[i] && (p == b'?' || p == t),
            };
        }
        row = next;
    }
    row[text.len()]
}

/// The events of the image, and such as are like them.
fn events(allowed: &events::Allowed<'_>, image: &[u8], how: u8) {
    assert!(!allowed.to_string().is_empty());
    assert!(allowed.paths().all(|path| path.to_bytes()[0] == b'/'));
    let _ = allowed.are_of_user();
    let _ = allowed.are_tracepoints(&mut lockdown::tracepoints::is_listed);
    let tail = &image[image.len() - image.len().min(9)..];
    for kind in 1..=8 {
        let met = events::Met {
            kind,
            name: tail,
            module: (how & 32 != 0).then_some(b"m"),
            offset: u64::from(how & 64),
        };
        // What allows any event, allows this one.
        let any = allowed.iter().any(|(e, name, symbol)| {
            e.kind == kind && e.is_glob() && name == c"*+*" && symbol.is_empty()
        });
        let found = allowed.allows(&met, &Kernel(how));
        assert!(found || !(any && kind <= Event::KRETPROBE));
        assert!(!met.to_string().is_empty());
    }
    for (event, name, _) in allowed.iter().take(8) {
        let name = name.to_bytes();
        let in_dir = [b"/dir/", name].concat();
        let longer = [name, tail].concat();
        for text in [name, &in_dir, &longer, tail] {
            assert_eq!(target::glob_match(name, text), fits(name, text));
            let met = events::Met {
                kind: if event.kind == Event::USDT {
                    Event::UPROBE
                } else {
                    event.kind
                },
                name: text,
                module: (how & 32 != 0).then_some(b"m"),
                offset: u64::from(how & 64),
            };
            let found = allowed.allows(&met, &Kernel(how));
            // A name stands for itself, and a pattern for what fits.
            let itself = if event.is_glob() {
                fits(name, text)
            } else {
                text == name
            };
            if event.kind >= Event::TRACEPOINT && itself && !name.is_empty() {
                assert!(found, "{event:?} {met}");
            }
        }
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
    annotation(&layout, &bytes, how);
    words(layout.span(Kind::Strings).of(&bytes));
    events(&events::Allowed::of(&layout, &bytes), &bytes, how);

    let slot_cnt = layout.count(Kind::Maps);
    let contents: Vec<u8> = (0..64).map(|i| i ^ how).collect();
    for (slot, index) in layout
        .records::<MapSlot>(&bytes, Kind::Maps)
        .iter()
        .zip(0..)
    {
        let facts = facts(&slot, &contents, how);
        if let Err(mismatch) =
            slots::check(&layout, &bytes, index, &facts, Sha(sha2::Sha256::new()))
        {
            assert!(!mismatch.to_string().is_empty());
        }
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
