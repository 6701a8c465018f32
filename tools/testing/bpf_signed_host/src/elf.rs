// SPDX-License-Identifier: GPL-2.0

//! Reads what clang makes of a BPF program: as much of ELF and `.BTF.ext` as it takes to find
//! instructions and their CO-RE records.

use crate::harness::imm64;
use crate::signed::core_relo::{Insn, Relo};

/// A section with programs, and its records.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) insns: Vec<Insn>,
    pub(crate) relos: Vec<Relo>,
}

/// A BPF object.
pub(crate) struct Object {
    pub(crate) btf: Vec<u8>,
    pub(crate) sections: Vec<Section>,
}

fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(data[at..at + 2].try_into().unwrap())
}

fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(data[at..at + 4].try_into().unwrap())
}

fn u64_at(data: &[u8], at: usize) -> usize {
    u64::from_ne_bytes(data[at..at + 8].try_into().unwrap()) as usize
}

fn string_at(data: &[u8], at: usize) -> String {
    let end = data[at..].iter().position(|&c| c == 0).unwrap();
    String::from_utf8(data[at..at + end].to_vec()).unwrap()
}

fn words(data: &[u8]) -> Vec<u32> {
    data.chunks_exact(4).map(|w| u32_at(w, 0)).collect()
}

impl Object {
    /// Reads a relocatable file of 64 bits and native endianness.
    pub(crate) fn read(file: &[u8]) -> Self {
        assert_eq!(&file[..5], b"\x7fELF\x02");
        let (headers, size, count, names) = (
            u64_at(file, 0x28),
            usize::from(u16_at(file, 0x3a)),
            usize::from(u16_at(file, 0x3c)),
            usize::from(u16_at(file, 0x3e)),
        );
        let header = |n: usize| &file[headers + n * size..][..size];
        let contents = |n: usize| &file[u64_at(header(n), 0x18)..][..u64_at(header(n), 0x20)];
        let name = |n: usize| string_at(contents(names), u32_at(header(n), 0) as usize);
        let find = |wanted: &str| (1..count).find(|&n| name(n) == wanted).map(contents);

        let btf = find(".BTF").expect("the object has BTF").to_vec();
        let strings = {
            let body = u32_at(&btf, 4) as usize;
            &btf[body + u32_at(&btf, 16) as usize..]
        };
        let mut sections = Vec::new();
        for (section, relos) in find(".BTF.ext").map_or(Vec::new(), records) {
            let section = string_at(strings, section as usize);
            let code = find(&section).expect("records are about a section");
            let insns = code
                .chunks_exact(8)
                .map(|c| Insn {
                    code: c[0],
                    regs: c[1],
                    off: u16_at(c, 2) as i16,
                    imm: u32_at(c, 4) as i32,
                })
                .collect();
            sections.push(Section {
                name: section,
                insns,
                relos,
            });
        }
        Self { btf, sections }
    }
}

/// The CO-RE records of a `.BTF.ext` section, by offset of the section's name.
fn records(ext: &[u8]) -> Vec<(u32, Vec<Relo>)> {
    let header = u32_at(ext, 4) as usize;
    if header < 32 {
        return Vec::new();
    }
    let (at, len) = (u32_at(ext, 24) as usize, u32_at(ext, 28) as usize);
    let all = words(&ext[header + at..][..len]);
    let Some((&size, mut rest)) = all.split_first() else {
        return Vec::new();
    };
    let size = size as usize / 4;
    let mut out = Vec::new();
    while let [name, count, tail @ ..] = rest {
        let (mine, others) = tail.split_at(*count as usize * size);
        let relos = mine
            .chunks_exact(size)
            .map(|r| Relo {
                insn_off: r[0],
                type_id: r[1],
                access_str_off: r[2],
                kind: r[3],
            })
            .collect();
        out.push((*name, relos));
        rest = others;
    }
    out
}

/// All objects in the directory that the environment names by `variable`.
pub(crate) fn objects(variable: &str) -> Vec<(String, Object)> {
    let dir = std::env::var_os(variable).expect("the variable is set");
    let mut out: Vec<(String, Object)> = std::fs::read_dir(dir)
        .expect("the directory can be read")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "o"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, Object::read(&std::fs::read(&path).unwrap()))
        })
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

#[test]
fn wide_immediates() {
    let insns = crate::harness::ld_imm64(0x1234_5678_9abc_def0);
    assert_eq!(imm64(&insns), 0x1234_5678_9abc_def0);
}
