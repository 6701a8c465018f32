// SPDX-License-Identifier: GPL-2.0

//! The load of one image: copy it in, verify, parse, and turn it into what the loader of plain
//! programs understands.
//!
//! All memory of the caller is read here, once. What the verifier binds later, maps and BTF, is
//! compared with the image then, object by object.

use crate::{
    events::Allowed,
    image::{
        self,
        records::{
            BtfRecord,
            Event,
            Ksym,
            MapSlot, //
        },
        Class,
        Image,
        Kind,
        Layout,
        Resolved,
        Text, //
    },
    ksyms,
    slots::{
        self,
        Facts, //
    },
    target::{
        self,
        Name,
        Refusal, //
    },
    verify::{
        verify,
        Signer, //
    },
};
use kernel::{
    bpf::{
        btf::Btf,
        log::Log, //
    },
    error::code::*,
    prelude::*,
    sha256::Sha256,
    sync::aref::ARef,
    task::cond_resched,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};
use zerocopy::IntoBytes;

/// Length of the fds that a program may bind: one for each slot.
const MAX_FDS: u32 = image::records::MAX_MAPS as u32;

/// An array in the caller's memory, not read so far.
#[derive(Clone, Copy)]
pub(crate) struct UserArray {
    /// Where it begins.
    pub(crate) at: UserPtr,
    /// Its elements.
    pub(crate) len: u32,
}

/// What the caller of `BPF_PROG_LOAD` has passed.
pub(crate) struct Request<'a> {
    /// Bytes of the image.
    pub(crate) image: UserArray,
    /// Bytes of its signature.
    pub(crate) signature: UserArray,
    /// An fd, of 32 bits, for each map slot.
    pub(crate) fd_array: UserArray,
    /// One of the system's keyrings, or the serial of a key or keyring.
    pub(crate) keyring_id: i32,
    /// Whether kallsyms would show addresses to the caller.
    pub(crate) show_ksyms: bool,
    /// The verifier's log for the caller.
    pub(crate) log: &'a Log,
}

/// The events that a program may be attached to, as long as it lives.
pub(crate) struct Events {
    /// Records, and behind them their strings.
    bytes: KVVec<u8>,
    /// Length of the records.
    split: usize,
}

impl Events {
    fn keep(allowed: &Allowed<'_>) -> Result<Self> {
        let mut records = KVVec::new();
        let mut strings = KVVec::new();
        strings.push(0, GFP_KERNEL_ACCOUNT)?;
        let mut keep = |text: &CStr| -> Result<u32> {
            if text.is_empty() {
                return Ok(0);
            }
            let off = u32::try_from(strings.len())?;
            strings.extend_from_slice(text.to_bytes_with_nul(), GFP_KERNEL_ACCOUNT)?;
            Ok(off)
        };
        for (event, name, symbol) in allowed.iter() {
            let event = Event {
                name: keep(name)?,
                symbol: keep(symbol)?,
                ..event
            };
            records.extend_from_slice(event.as_bytes(), GFP_KERNEL_ACCOUNT)?;
        }
        let split = records.len();
        records.extend_from_slice(&strings, GFP_KERNEL_ACCOUNT)?;
        Ok(Self {
            bytes: records,
            split,
        })
    }

    /// To be compared with an event.
    pub(crate) fn allowed(&self) -> Allowed<'_> {
        let (records, strings) = self.bytes.split_at_checked(self.split).unwrap_or_default();
        Allowed::new(records, strings)
    }
}

/// An attach target in this kernel, or in another program.
pub(crate) struct Found {
    /// What describes it.
    pub(crate) btf: ARef<Btf>,
    /// The function or type in `btf`.
    pub(crate) id: u32,
    /// For struct_ops the index of the member, which stands in `expected_attach_type`.
    pub(crate) member: Option<u32>,
}

/// An image that was verified, and is being loaded.
pub(crate) struct LoadedImage {
    /// The image; in its instructions names are resolved and slots are indices into `fds`.
    bytes: KVVec<u8>,
    layout: Layout,
    signer: Signer,
    /// Map fds of the slots that are not empty.
    fds: KVec<i32>,
    /// The slot of each of `fds`.
    slot_of_fd: KVec<u32>,
    /// BTF of the modules that kfuncs and typed ksyms were found in.
    module_btfs: KVec<ARef<Btf>>,
    /// Whether there is an address from kallsyms among its instructions.
    holds_address: bool,
}

/// Copies bytes.
fn copy_in(from: UserArray) -> Result<KVVec<u8>> {
    let mut bytes = KVVec::new();
    let len = usize::try_from(from.len).map_err(|_| E2BIG)?;
    UserSlice::new(from.at, len).read_all(&mut bytes, GFP_KERNEL_ACCOUNT)?;
    Ok(bytes)
}

fn copy_fds(from: UserArray) -> Result<KVec<i32>> {
    let bytes = copy_in(UserArray {
        len: from.len.checked_mul(4).ok_or(E2BIG)?,
        ..from
    })?;
    let mut fds = KVec::with_capacity(bytes.len() / 4, GFP_KERNEL_ACCOUNT)?;
    for fd in bytes.chunks_exact(4) {
        let fd = <[u8; 4]>::try_from(fd).map_err(|_| EINVAL)?;
        fds.push(i32::from_ne_bytes(fd), GFP_KERNEL_ACCOUNT)?;
    }
    Ok(fds)
}

impl LoadedImage {
    /// Copies an image in, verifies it, and only then looks at it.
    pub(crate) fn load(req: &Request<'_>) -> Result<Self> {
        let log = req.log;

        if usize::try_from(req.image.len).map_or(true, |n| n > image::records::MAX_SIZE) {
            log.write(format_args!(
                "image: larger than the {} bytes allowed\n",
                image::records::MAX_SIZE
            ));
            return Err(E2BIG);
        }
        if usize::try_from(req.signature.len).map_or(true, |n| n > image::records::MAX_SIGNATURE) {
            log.write(format_args!(
                "signature: larger than the {} bytes allowed\n",
                image::records::MAX_SIGNATURE
            ));
            return Err(E2BIG);
        }
        if req.fd_array.len > MAX_FDS {
            log.write(format_args!("fd_array: more than {MAX_FDS} map slots\n"));
            return Err(E2BIG);
        }
        let bytes = copy_in(req.image)?;
        let signature = copy_in(req.signature)?;
        let fds = copy_fds(req.fd_array)?;

        let (verified, signer) = verify(&bytes, &signature, req.keyring_id, log)?;
        let layout = Image::parse(verified)
            .map_err(|fault| {
                log.write(format_args!("image: {fault}; sign the object again\n"));
                match fault.class() {
                    Class::Malformed => EINVAL,
                    Class::TooLarge => E2BIG,
                }
            })?
            .layout();

        let mut image = Self {
            bytes,
            layout,
            signer,
            fds: KVec::new(),
            slot_of_fd: KVec::new(),
            module_btfs: KVec::new(),
            holds_address: false,
        };
        image.bind_slots(&fds, log)?;
        image.resolve_ksyms(req.show_ksyms, log)?;
        Ok(image)
    }

    /// Gives each slot its fd; slots whose fd is negative stay empty.
    fn bind_slots(&mut self, fds: &[i32], log: &Log) -> Result {
        let slots = self.layout.count(Kind::Maps);
        if u32::try_from(fds.len()) != Ok(slots) {
            log.write(format_args!(
                "fd_array_cnt: is {}, the image has {slots} map slots; pass one fd for each, -1 \
                 for a map that is not created\n",
                fds.len()
            ));
            return Err(EINVAL);
        }
        let mut index_of_slot = [None; image::records::MAX_MAPS];
        for ((slot, &fd), index) in (0u32..).zip(fds).zip(&mut index_of_slot) {
            if fd < 0 {
                continue;
            }
            *index = Some(i32::try_from(self.fds.len())?);
            self.fds.push(fd, GFP_KERNEL_ACCOUNT)?;
            self.slot_of_fd.push(slot, GFP_KERNEL_ACCOUNT)?;
        }
        let insns = self.layout.span(Kind::Insns).of_mut(&mut self.bytes);
        let index = |slot| {
            usize::try_from(slot)
                .ok()
                .and_then(|slot| *index_of_slot.get(slot)?)
        };
        image::bind_slots(insns, index).ok_or(EINVAL)
    }

    /// Resolves every kfunc and ksym, and writes it into its instruction.
    fn resolve_ksyms(&mut self, show_ksyms: bool, log: &Log) -> Result {
        for i in 0..self.layout.count(Kind::Ksyms) {
            ksyms::may_go_on()?;
            let ksym = self.layout.records::<Ksym>(&self.bytes, Kind::Ksyms).get(i);
            let ksym = ksym.ok_or(EINVAL)?;
            let name = self.layout.c_string(&self.bytes, ksym.name).ok_or(EINVAL)?;
            let found = ksyms::resolve(&ksym, name, &mut self.module_btfs, show_ksyms, log)?;
            self.holds_address |= matches!(found, Resolved::Address(_));
            let insns = self.layout.span(Kind::Insns).of_mut(&mut self.bytes);
            image::resolve(insns, &ksym, found).ok_or(EINVAL)?;
        }
        Ok(())
    }

    /// Whether the program was given the address of an untyped ksym.
    pub(crate) fn holds_address(&self) -> bool {
        self.holds_address
    }

    /// What the verifier finds under a number that [`Resolved::BtfId`] has for a module.
    pub(crate) fn module_btf(&self, number: u32) -> Option<&Btf> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.module_btfs.get(index).map(|btf| &**btf)
    }

    /// Finds the attach target: the one that the caller chose, or the image's default.
    ///
    /// `prog_btf` is the BTF of the program that `attach_prog_fd` names. Returns [`None`] for a
    /// program that is not bound to a target when it is loaded.
    pub(crate) fn attach_target(
        &self,
        chosen: Option<&[u8]>,
        prog_btf: Option<&Btf>,
        log: &Log,
    ) -> Result<Option<Found>> {
        let header = self.layout.header();
        let selected = target::select(&self.layout, &self.bytes, chosen);
        let target = match selected {
            Ok(None) if prog_btf.is_some() => {
                log.write(format_args!(
                    "attach_prog_fd: the image has no target in another program\n"
                ));
                return Err(EINVAL);
            }
            Ok(None) => return Ok(None),
            Ok(Some(target)) => target,
            Err(Refusal::NoDefault) => {
                log.write(format_args!(
                    "attach_name: the image has patterns only; choose a target\n"
                ));
                return Err(EINVAL);
            }
            Err(Refusal::NotAllowed) => {
                log.write(format_args!(
                    "attach_name: '{}' is not among the targets that were signed; add it to the \
                     signer's policy\n",
                    Text(chosen.unwrap_or(&[]))
                ));
                return Err(EINVAL);
            }
        };
        if target.in_prog != prog_btf.is_some() {
            let what = if target.in_prog {
                "needs"
            } else {
                "cannot have"
            };
            log.write(format_args!(
                "attach_prog_fd: the signed target {what} a program\n"
            ));
            return Err(EINVAL);
        }

        let written = Name::parse(target.name);
        let (prefix, kind) = if header.prog_type == image::PROG_TYPE_STRUCT_OPS {
            ("", target::BTF_STRUCT)
        } else {
            target::btf_name(header.expected_attach_type)
        };
        let name = concat(prefix.as_bytes(), written.name)?;
        let name = as_c_str(&name)?;
        let found = match (prog_btf, written.module) {
            (Some(btf), _) => btf
                .find_by_name_kind(name, kind)
                .map(|id| (ARef::from(btf), id)),
            (None, None) => Btf::find(name, kind)?,
            (None, Some(module)) => Btf::find_in(as_c_str(&concat(module, b"")?)?, name, kind)?,
        };
        let Some((btf, id)) = found else {
            log.write(format_args!(
                "attach target '{}': this kernel has no such function, hook or type\n",
                Text(target.name)
            ));
            return Err(ENOENT);
        };
        if header.prog_type != image::PROG_TYPE_STRUCT_OPS {
            return Ok(Some(Found {
                btf,
                id,
                member: None,
            }));
        }
        match btf.member_index(id, target.member) {
            member @ Some(_) => Ok(Some(Found { btf, id, member })),
            None => {
                log.write(format_args!(
                    "attach target '{}': this kernel's type has no member '{}'\n",
                    Text(target.name),
                    Text(target.member)
                ));
                Err(ENOENT)
            }
        }
    }

    /// Checks the map that the verifier has bound for the fd at `index`.
    pub(crate) fn check_map(&self, index: u32, facts: &Facts<'_>, log: &Log) -> Result {
        let slot = usize::try_from(index)
            .ok()
            .and_then(|i| self.slot_of_fd.get(i));
        let &slot = slot.ok_or(EINVAL)?;
        ksyms::may_go_on()?;
        slots::check(
            &self.layout,
            &self.bytes,
            slot,
            facts,
            Hasher(Sha256::new()),
        )
        .map_err(|mismatch| {
            let slots = self.layout.records::<MapSlot>(&self.bytes, Kind::Maps);
            let name = slots
                .get(slot)
                .and_then(|s| self.layout.string(&self.bytes, s.name));
            log.write(format_args!(
                "map slot {slot} '{}': {mismatch}\n",
                Text(name.unwrap_or(&[]))
            ));
            EINVAL
        })
    }

    /// Checks the BTF that the verifier has bound, and what it says of the kernel's functions and
    /// variables; weak ones that differ from it become null in `insns`.
    pub(crate) fn check_btf(&self, btf: &Btf, insns: &mut [u8], log: &Log) -> Result {
        let signed = self
            .layout
            .records::<BtfRecord>(&self.bytes, Kind::Btf)
            .get(0);
        if signed.is_none_or(|signed| signed.digest != btf.digest()) {
            log.write(format_args!(
                "prog_btf_fd: it is not the BTF that was signed with the image\n"
            ));
            return Err(EINVAL);
        }
        ksyms::check_types(self, btf, insns, log)
    }

    /// What the signer says of a mode of lockdown, see [`Layout::annotation`].
    pub(crate) fn annotation(&self, mode: u32) -> Option<Option<u32>> {
        self.layout.annotation(&self.bytes, mode)
    }

    /// The events that the program may be attached to, if it is one of a type that meets events.
    pub(crate) fn events(&self) -> Result<Option<Events>> {
        if image::event_kinds(self.layout.header().prog_type).is_empty() {
            return Ok(None);
        }
        Events::keep(&Allowed::of(&self.layout, &self.bytes)).map(Some)
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who vouches for it.
    pub(crate) fn signer(&self) -> Signer {
        self.signer
    }

    /// Where everything lies in [`Self::bytes`].
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Map fds of the slots that are not empty, in the order of the slots.
    pub(crate) fn fds(&self) -> &[i32] {
        &self.fds
    }

    /// The bytes of a section.
    pub(crate) fn section(&self, kind: Kind) -> &[u8] {
        self.layout.span(kind).of(&self.bytes)
    }

    /// The license, with its NUL.
    pub(crate) fn license(&self) -> Result<&[u8]> {
        let off = usize::try_from(self.layout.header().license)?;
        self.section(Kind::Strings).get(off..).ok_or(EINVAL)
    }
}

/// `a` and `b` in one, with a NUL.
fn concat(a: &[u8], b: &[u8]) -> Result<KVec<u8>> {
    let len = a
        .len()
        .checked_add(b.len())
        .and_then(|n| n.checked_add(1))
        .ok_or(E2BIG)?;
    let mut bytes = KVec::with_capacity(len, GFP_KERNEL)?;
    bytes.extend_from_slice(a, GFP_KERNEL)?;
    bytes.extend_from_slice(b, GFP_KERNEL)?;
    bytes.push(0, GFP_KERNEL)?;
    Ok(bytes)
}

fn as_c_str(bytes: &[u8]) -> Result<&CStr> {
    CStr::from_bytes_with_nul(bytes).map_err(|_| EINVAL)
}

struct Hasher(Sha256);

impl slots::Hash for Hasher {
    fn update(&mut self, bytes: &[u8]) {
        // As long as the CPU's vector registers are in use, nobody else runs.
        for part in bytes.chunks(1 << 16) {
            self.0.update(part);
            cond_resched();
        }
    }

    fn finish(self) -> image::records::Digest {
        self.0.finish()
    }
}

#[cfg(CONFIG_BPF_SIGNED_IMAGE_KUNIT_TEST)]
#[kernel::macros::kunit_tests(bpf_signed_load)]
mod tests {
    use super::*;
    use kernel::bindings;

    /// A log that nobody asked for.
    fn with_log<T>(f: impl FnOnce(&Log) -> T) -> Result<T> {
        let mut log = KBox::<bindings::bpf_verifier_log>::zeroed(GFP_KERNEL)?;
        // SAFETY: A log that is all zero is one of level 0; it is used within this function only.
        Ok(f(unsafe { Log::from_raw(&mut *log) }))
    }

    /// What is no signature is told as such, in each keyring.
    #[test]
    fn no_signature() -> Result {
        for keyring in [0, 1, 2] {
            for signature in [&b""[..], b"no PKCS#7", &[0x30, 0x82, 0xff, 0xff]] {
                let verdict = with_log(|log| {
                    crate::verify::verify(b"image", signature, keyring, log).map(|_| ())
                })?;
                assert_eq!(verdict, Err(EBADMSG));
            }
        }
        Ok(())
    }

    /// The digest of a BTF blob is that of its bytes, the first time and from then on.
    #[test]
    fn digest_of_btf() -> Result {
        let btf = Btf::vmlinux()?;
        let mut hash = Sha256::new();
        hash.update(btf.raw_data());
        let digest = hash.finish();
        for _ in 0..3 {
            assert_eq!(btf.digest(), digest);
        }
        Ok(())
    }

    /// `SHA-256("abc")`, FIPS 180-4.
    #[test]
    fn digest_of_abc() {
        let mut hash = Sha256::new();
        hash.update(b"a");
        hash.update(b"bc");
        let digest = hash.finish();
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest[28..], [0xf2, 0x00, 0x15, 0xad]);
    }
}
